//! The snapshot of the organization that lies beside the logs. Does not know what is in them.

use serde_json::{Value, json};

use crate::draw::Draw;
use crate::file::ORGANIZATION;
use crate::world::World;

const ROOT: &str = "r-bnch";

/// Id, name and parent of the units.
const UNITS: &[(&str, &str, &str)] = &[
    ("ou-bnch-security", "Security", ROOT),
    ("ou-bnch-platform", "Platform", ROOT),
    ("ou-bnch-workload", "Workloads", ROOT),
    ("ou-bnch-product1", "Production", "ou-bnch-workload"),
    ("ou-bnch-develop1", "Development", "ou-bnch-workload"),
    ("ou-bnch-sandbox1", "Sandbox", ROOT),
    ("ou-bnch-suspend1", "Suspended", ROOT),
];

/// Units by how many accounts they have.
const PLACES: &[&str] = &[
    "ou-bnch-product1",
    "ou-bnch-product1",
    "ou-bnch-product1",
    "ou-bnch-product1",
    "ou-bnch-develop1",
    "ou-bnch-develop1",
    "ou-bnch-develop1",
    "ou-bnch-platform",
    "ou-bnch-platform",
    "ou-bnch-sandbox1",
    "ou-bnch-security",
    "ou-bnch-suspend1",
];

/// Returns the document `organization.json`.
pub(crate) fn snapshot(world: &World, seed: u64) -> Value {
    let mut draw = Draw::new(seed, u64::MAX - 2);
    let management = world.accounts.get(world.accounts.len() / 2).map_or("", |it| it.id.as_str());
    let accounts: Vec<Value> = (0..)
        .zip(&world.accounts)
        .map(|(at, account)| {
            let place = *draw.pick(PLACES);
            let parent = if account.id == management { ROOT } else { place };
            let status = if parent == "ou-bnch-suspend1" { "SUSPENDED" } else { "ACTIVE" };
            json!({
                "Id": account.id,
                "Arn": arn(management, "account", &account.id),
                "Email": format!("account-{at}@example.com"),
                "Name": format!("account-{at}"),
                "Status": status,
                "JoinedMethod": "CREATED",
                "JoinedTimestamp": "2022-05-02T08:00:00Z",
                "ParentId": parent,
            })
        })
        .collect();
    let types = json!([{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}]);
    json!({
        "Organization": {
            "Id": ORGANIZATION,
            "Arn": format!("arn:aws:organizations::{management}:organization/{ORGANIZATION}"),
            "FeatureSet": "ALL",
            "MasterAccountId": management,
            "AvailablePolicyTypes": types,
        },
        "Roots": [{"Id": ROOT, "Arn": arn(management, "root", ROOT), "Name": "Root", "PolicyTypes": types}],
        "OrganizationalUnits": units(management),
        "Accounts": accounts,
        "Policies": policies(world),
    })
}

fn arn(management: &str, kind: &str, id: &str) -> String {
    format!("arn:aws:organizations::{management}:{kind}/{ORGANIZATION}/{id}")
}

fn units(management: &str) -> Vec<Value> {
    let unit = |(id, name, parent): &(&str, &str, &str)| json!({"Id": id, "Arn": arn(management, "ou", id), "Name": name, "ParentId": parent});
    UNITS.iter().map(unit).collect()
}

fn policies(world: &World) -> Vec<Value> {
    let everywhere: Vec<&str> = [ROOT]
        .into_iter()
        .chain(UNITS.iter().map(|unit| unit.0).filter(|id| *id != "ou-bnch-sandbox1"))
        .chain(world.accounts.iter().map(|account| account.id.as_str()))
        .collect();
    let all = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    let regions = json!({
        "Sid": "RegionsInUse",
        "Effect": "Deny",
        "NotAction": ["iam:*", "organizations:*", "route53:*", "sts:*", "support:*"],
        "Resource": "*",
        "Condition": {"StringNotLike": {"aws:RequestedRegion": ["us-*", "eu-*", "ap-*"]}},
    });
    let retired = json!({
        "Effect": "Deny",
        "Action": ["chime:*", "opsworks:*", "gamelift:*", "workmail:*", "sdb:*"],
        "Resource": "*",
    });
    let sandbox = json!({
        "Effect": "Allow",
        "Action": ["cloudwatch:*", "dynamodb:*", "ec2:*", "iam:Get*", "iam:List*", "kms:*",
            "lambda:*", "logs:*", "s3:*", "sqs:SendMessage", "sts:*"],
        "Resource": "*",
    });
    let trail = json!({
        "Effect": "Deny",
        "Action": ["cloudtrail:Stop*", "cloudtrail:Delete*", "s3:DeleteBucket"],
        "Resource": ["arn:aws:cloudtrail:*:*:trail/organization", "arn:aws:s3:::log-archive*"],
    });
    let root_user = json!({
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
        "Condition": {"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:root"}},
    });
    vec![
        policy("p-FullAWSAccess", "FullAWSAccess", &all, &everywhere),
        policy("p-regions01", "RegionsInUse", &regions, &[ROOT]),
        policy("p-retired01", "RetiredServices", &retired, &["ou-bnch-workload"]),
        policy("p-sandbox01", "SandboxAllowList", &sandbox, &["ou-bnch-sandbox1"]),
        policy("p-trail0001", "KeepTheTrail", &trail, &[ROOT]),
        policy("p-noroot001", "NoRootUser", &root_user, &["ou-bnch-product1"]),
        policy(
            "p-suspend01",
            "NothingAtAll",
            &json!({"Effect": "Deny", "Action": "*", "Resource": "*"}),
            &["ou-bnch-suspend1"],
        ),
    ]
}

fn policy(id: &str, name: &str, statement: &Value, targets: &[&str]) -> Value {
    json!({
        "Id": id,
        "Name": name,
        "Type": "SERVICE_CONTROL_POLICY",
        "AwsManaged": id == "p-FullAWSAccess",
        "Content": {"Version": "2012-10-17", "Statement": [statement]},
        "Targets": targets,
    })
}
