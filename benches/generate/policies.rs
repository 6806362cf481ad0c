//! Policy documents of identities, in the forms that organizations have. Does not know who has them.

use serde::Serialize;
use serde_json::{Value, json};
use trailfold::catalog::{Action, Catalog, Resources, Service, ServiceIndex};

use crate::draw::Draw;
use crate::template::word;
use crate::world::Account;

/// The namespaces that customers' policies are mostly about.
const COMMON: &[&str] = &[
    "acm",
    "apigateway",
    "application-autoscaling",
    "athena",
    "autoscaling",
    "backup",
    "batch",
    "bedrock",
    "cloudformation",
    "cloudfront",
    "cloudtrail",
    "cloudwatch",
    "codebuild",
    "codepipeline",
    "cognito-idp",
    "config",
    "dynamodb",
    "ec2",
    "ecr",
    "ecs",
    "eks",
    "elasticache",
    "elasticfilesystem",
    "elasticloadbalancing",
    "events",
    "firehose",
    "glue",
    "guardduty",
    "iam",
    "kinesis",
    "kms",
    "lambda",
    "logs",
    "organizations",
    "rds",
    "redshift",
    "route53",
    "s3",
    "sagemaker",
    "secretsmanager",
    "securityhub",
    "ses",
    "sns",
    "sqs",
    "ssm",
    "states",
    "sts",
    "tag",
    "transfer",
    "wafv2",
];

/// What names of actions begin with that only read.
const READS: &[&str] =
    &["BatchGet", "Describe", "Get", "List", "Lookup", "Query", "Search", "View"];

/// A policy document.
#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Document {
    version: &'static str,
    statement: Vec<Statement>,
}

/// A statement of an identity's policy or of a role's trust policy.
#[derive(Clone, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    effect: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_action: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<Value>,
}

/// A managed policy of AWS: its contents are made up, its size is not.
pub(crate) struct AwsPolicy {
    pub(crate) name: &'static str,
    /// The same in every account.
    pub(crate) id: String,
    /// Between the slashes behind `policy/`.
    pub(crate) path: &'static str,
    /// How often it is attached, against the others.
    pub(crate) weight: u64,
    /// The number of its only version that is listed.
    pub(crate) version: u64,
    pub(crate) document: Document,
}

impl AwsPolicy {
    /// Returns its ARN, the same in every account.
    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:iam::aws:policy/{}{}", self.path, self.name)
    }
}

/// Where the policy of service-linked roles stands in what [`aws_policies`] returns.
pub(crate) const SERVICE_LINKED: usize = 0;

/// Managed policies of AWS that allow some actions on everything: name, path, how often attached,
/// number of the version, actions with blanks between.
const PLAIN: &[(&str, &str, u64, u64, &str)] = &[
    (
        "AWSServicePolicyForService",
        "aws-service-role/",
        0,
        4,
        "ec2:Describe* ec2:CreateNetworkInterface ec2:DeleteNetworkInterface logs:CreateLogGroup cloudwatch:PutMetricData kms:DescribeKey tag:GetResources",
    ),
    ("AdministratorAccess", "", 15, 1, "*"),
    (
        "AmazonS3ReadOnlyAccess",
        "",
        160,
        3,
        "s3:Get* s3:List* s3:Describe* s3-object-lambda:Get* s3-object-lambda:List*",
    ),
    ("AmazonS3FullAccess", "", 70, 2, "s3:* s3-object-lambda:*"),
    (
        "AmazonDynamoDBFullAccess",
        "",
        50,
        15,
        "dynamodb:* dax:* application-autoscaling:DescribeScalableTargets cloudwatch:GetMetricData ec2:DescribeSubnets kms:DescribeKey kms:ListAliases sns:ListTopics lambda:ListFunctions resource-groups:ListGroups kinesis:DescribeStream",
    ),
    ("CloudWatchLogsFullAccess", "", 60, 2, "logs:* cloudwatch:GenerateQuery"),
    (
        "AmazonSSMManagedInstanceCore",
        "",
        120,
        2,
        "ssm:DescribeAssociation ssm:GetParameter ssm:PutInventory ssm:UpdateInstanceInformation ssmmessages:CreateControlChannel ssmmessages:OpenDataChannel ec2messages:AcknowledgeMessage ec2messages:GetMessages",
    ),
    (
        "AmazonEC2ContainerRegistryReadOnly",
        "",
        90,
        3,
        "ecr:BatchGetImage ecr:GetAuthorizationToken ecr:GetDownloadUrlForLayer ecr:DescribeImages",
    ),
    (
        "AWSLambdaBasicExecutionRole",
        "service-role/",
        200,
        1,
        "logs:CreateLogGroup logs:CreateLogStream logs:PutLogEvents",
    ),
    (
        "AmazonECSTaskExecutionRolePolicy",
        "service-role/",
        90,
        1,
        "ecr:BatchGetImage ecr:GetAuthorizationToken logs:CreateLogStream logs:PutLogEvents",
    ),
];

/// Returns managed policies of AWS.
pub(crate) fn aws_policies(draw: &mut Draw) -> Vec<AwsPolicy> {
    let of = |name, path, weight, version, statement| AwsPolicy {
        name,
        id: "ANPA".to_owned(),
        path,
        weight,
        version,
        document: document(statement),
    };
    let everywhere = |actions: &str| {
        let actions: Vec<&str> = actions.split(' ').collect();
        allow(json!(actions), json!("*"))
    };
    let plain = PLAIN.iter().map(|(name, path, weight, version, actions)| {
        of(name, path, *weight, *version, vec![everywhere(actions)])
    });
    let no_iam = Statement {
        effect: "Allow",
        not_action: Some(json!(["iam:*", "organizations:*", "account:*"])),
        resource: Some(json!("*")),
        ..Statement::default()
    };
    let some_iam =
        everywhere("iam:CreateServiceLinkedRole iam:ListRoles organizations:DescribeOrganization");
    let ec2 = everywhere("ec2:* elasticloadbalancing:* cloudwatch:* autoscaling:*");
    let linked = Statement {
        condition: Some(
            json!({"StringEquals": {"iam:AWSServiceName": "autoscaling.amazonaws.com"}}),
        ),
        ..everywhere("iam:CreateServiceLinkedRole")
    };
    let mut policies: Vec<AwsPolicy> = plain.collect();
    policies.push(of("AmazonEC2FullAccess", "", 40, 5, vec![ec2, linked]));
    policies.push(of("PowerUserAccess", "", 6, 6, vec![no_iam, some_iam]));
    policies.push(of("ReadOnlyAccess", "", 12, 162, reads(1000, 8, draw)));
    policies.push(of("SecurityAudit", "", 8, 71, reads(450, 4, draw)));
    policies.push(of("ViewOnlyAccess", "job-function/", 6, 20, reads(250, 3, draw)));
    for policy in &mut policies {
        draw.id(&mut policy.id, 17);
    }
    policies
}

/// Returns statements with some reading actions of so many services of a thousand.
fn reads(per_mille: u64, most: u64, draw: &mut Draw) -> Vec<Statement> {
    let catalog = Catalog::embedded();
    let mut found = Vec::new();
    for service in catalog.services() {
        if !service.listed || !draw.per_mille(per_mille) {
            continue;
        }
        let index = catalog.find(&service.namespace).expect("its own namespace");
        let names: Vec<&str> = catalog
            .actions(index)
            .iter()
            .map(|action| action.name.as_str())
            .filter(|name| READS.iter().any(|verb| name.starts_with(verb)))
            .collect();
        if names.is_empty() {
            continue;
        }
        if draw.per_mille(300) {
            found.extend(
                READS
                    .iter()
                    .filter(|verb| names.iter().any(|name| name.starts_with(**verb)))
                    .map(|verb| format!("{}:{verb}*", service.namespace)),
            );
        } else {
            let count = 1 + draw.below(2 * most);
            let step = names.len().div_ceil(usize::try_from(count).expect("a few"));
            found.extend(
                names.iter().step_by(step).map(|name| format!("{}:{name}", service.namespace)),
            );
        }
    }
    vec![Statement { sid: Some("ReadOnlyActions".to_owned()), ..allow(json!(found), json!("*")) }]
}

/// Returns a document of a customer, about so many services. What it names is of the account.
pub(crate) fn custom(account: &Account, services: u64, draw: &mut Draw) -> Document {
    let mut statements: Vec<Statement> =
        (0..services.max(1)).map(|at| of_service(account, at, draw)).collect();
    if draw.per_mille(80) {
        statements.push(Statement {
            effect: "Deny",
            condition: Some(json!({"StringNotEquals": {"aws:RequestedRegion": account.regions}})),
            ..allow(json!(["ec2:*", "rds:*", "sqs:*"]), json!("*"))
        });
    }
    if draw.per_mille(80) {
        let bucket = draw.pick::<String>(&account.buckets);
        statements.push(Statement {
            effect: "Deny",
            ..allow(
                json!(["s3:DeleteBucket", "s3:PutBucketPolicy"]),
                json!(format!("arn:aws:s3:::{bucket}")),
            )
        });
    }
    document(statements)
}

/// Returns a document that bounds what others allow.
pub(crate) fn boundary() -> Document {
    let keep = json!(["iam:DeleteRolePermissionsBoundary", "iam:DeleteUserPermissionsBoundary"]);
    let deny = Statement { effect: "Deny", ..allow(keep, json!("*")) };
    document(vec![allow(json!("*"), json!("*")), deny])
}

/// Returns a statement that allows something of one service.
fn of_service(account: &Account, at: u64, draw: &mut Draw) -> Statement {
    let catalog = Catalog::embedded();
    let namespace = *draw.pick(COMMON);
    let index = catalog.find(namespace).expect("a service of the catalogue");
    let (action, resource) = match draw.below(10) {
        0 => (json!(format!("{namespace}:*")), json!("*")),
        1..4 => {
            let verbs = READS.iter().filter(|_| draw.per_mille(600)).collect::<Vec<_>>();
            let verbs = if verbs.is_empty() { vec![&"Get", &"List", &"Describe"] } else { verbs };
            let patterns: Vec<String> =
                verbs.iter().map(|verb| format!("{namespace}:{verb}*")).collect();
            (json!(patterns), json!("*"))
        }
        _ => named(account, index, draw),
    };
    let sid = draw.per_mille(700).then(|| format!("{}{at}", word(draw)));
    let condition =
        draw.per_mille(100).then(|| json!({"StringEquals": {"aws:ResourceTag/team": word(draw)}}));
    Statement { sid, condition, ..allow(action, resource) }
}

/// Returns some actions of a service, and what they may work on.
fn named(account: &Account, index: ServiceIndex, draw: &mut Draw) -> (Value, Value) {
    let catalog = Catalog::embedded();
    let service: &Service = catalog.service(index);
    let all = catalog.actions(index);
    let mut picked: Vec<&Action> = (0..2 + draw.below(7)).map(|_| draw.pick(all)).collect();
    picked.sort_by(|one, other| one.name.cmp(&other.name));
    picked.dedup_by(|one, other| one.name == other.name);
    let actions: Vec<String> =
        picked.iter().map(|action| format!("{}:{}", service.namespace, action.name)).collect();
    if draw.per_mille(300) {
        return (json!(actions), json!("*"));
    }
    let mut resources: Vec<String> = Vec::new();
    for action in picked {
        match &action.resources {
            Resources::Patterns(patterns) => {
                let pattern = draw.pick(patterns);
                resources.push(resource(account, catalog.pattern(*pattern), draw));
            }
            Resources::Unknown | Resources::None => return (json!(actions), json!("*")),
        }
    }
    resources.sort();
    resources.dedup();
    (json!(actions), json!(resources))
}

/// Returns an ARN of the account by a pattern of the catalogue.
fn resource(account: &Account, pattern: &str, draw: &mut Draw) -> String {
    let fields = (0..).zip(pattern.splitn(6, ':'));
    let filled = fields.map(|(at, field)| match (at, field) {
        (1, "*") => "aws".to_owned(),
        (3, "*") => (*draw.pick::<&str>(&account.regions)).to_owned(),
        (4, "*") => account.id.clone(),
        (5, field) => {
            let mut rest = field.split('*');
            let mut out = rest.next().unwrap_or_default().to_owned();
            for part in rest {
                let name = format!("{}-{}", word(draw), draw.name(6));
                out.push_str(if draw.per_mille(300) { "*" } else { &name });
                out.push_str(part);
            }
            out
        }
        _ => field.to_owned(),
    });
    filled.collect::<Vec<String>>().join(":")
}

/// Returns the trust policy of a role by its path.
pub(crate) fn trust(path: &str, account: &str, other: &str, draw: &mut Draw) -> Document {
    let web = || format!("arn:aws:iam::{account}:oidc-provider/oidc.example.com");
    let (action, principal, condition) = match (path, draw.below(10)) {
        ("aws-service-role/service.amazonaws.com/", _) => {
            ("sts:AssumeRole", json!({"Service": "service.amazonaws.com"}), None)
        }
        ("aws-reserved/sso.amazonaws.com/", _) => (
            "sts:AssumeRoleWithSAML",
            json!({"Federated": format!("arn:aws:iam::{account}:saml-provider/AWSSSO_DO_NOT_DELETE")}),
            Some(json!({"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}})),
        ),
        (_, 0..2) => (
            "sts:AssumeRole",
            json!({"AWS": format!("arn:aws:iam::{other}:root")}),
            Some(json!({"StringEquals": {"sts:ExternalId": draw.name(24)}})),
        ),
        (_, 2..4) => (
            "sts:AssumeRoleWithWebIdentity",
            json!({"Federated": web()}),
            Some(json!({"StringEquals": {"oidc.example.com:sub":
                format!("system:serviceaccount:{}:{}", word(draw), word(draw))}})),
        ),
        _ => {
            let services = ["ec2", "lambda", "ecs-tasks", "glue", "states", "codebuild"];
            let service = format!("{}.amazonaws.com", draw.pick(&services));
            ("sts:AssumeRole", json!({"Service": service}), None)
        }
    };
    document(vec![Statement {
        effect: "Allow",
        principal: Some(principal),
        action: Some(json!(action)),
        condition,
        ..Statement::default()
    }])
}

fn allow(action: Value, resource: Value) -> Statement {
    Statement {
        effect: "Allow",
        action: Some(action),
        resource: Some(resource),
        ..Statement::default()
    }
}

fn document(statement: Vec<Statement>) -> Document {
    Document { version: "2012-10-17", statement }
}
