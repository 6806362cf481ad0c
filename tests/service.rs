//! The reports of users, groups, roles and policies: the slow twin against facts stated by hand,
//! and the program against the slow twin.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::twin;
use crate::twin::service::{Identities, Level, ServiceTwin, read_accesses};

mod compared;
mod parts;

/// What is asked of an ARN.
#[derive(Clone, Copy, Debug)]
enum Ask {
    Services,
    Actions,
    /// Who used a service, by its namespace.
    Entities(&'static str),
}

use Ask::{Actions, Entities, Services};

/// The reports of `testdata/expected-service`: name, ARN, what is asked.
const CASES: [(&str, &str, Ask); 22] = [
    ("user-bob", "arn:aws:iam::555555555555:user/bob", Services),
    ("user-ivy-actions", IVY, Actions),
    ("user-that-is-only-denied", "arn:aws:iam::555555555555:user/zed", Actions),
    ("user-broker-actions", "arn:aws:iam::888888888888:user/broker", Actions),
    ("user-old", "arn:aws:iam::444455556666:user/old", Services),
    ("group-engineers", ENGINEERS, Services),
    ("group-engineers-iam", ENGINEERS, Entities("iam")),
    ("group-engineers-sqs", ENGINEERS, Entities("sqs")),
    ("group-finance-actions", "arn:aws:iam::666666666666:group/finance", Actions),
    ("group-without-members", "arn:aws:iam::555555555555:group/nobody", Services),
    ("role-web", WEB, Services),
    ("role-builder-actions", "arn:aws:iam::888888888888:role/builder", Actions),
    ("role-deploy-actions", "arn:aws:iam::444455556666:role/ci/deploy", Actions),
    ("role-made-again-actions", "arn:aws:iam::555555555555:role/ci/eu/release", Actions),
    ("role-linked-to-a-service", LINKED, Services),
    ("policy-queue-worker-actions", "arn:aws:iam::555555555555:policy/QueueWorker", Actions),
    ("policy-look-around", LOOK_AROUND, Services),
    ("policy-look-around-lambda", LOOK_AROUND, Entities("lambda")),
    ("policy-deployer-cloudformation", DEPLOYER, Entities("cloudformation")),
    ("policy-ledger-access", "arn:aws:iam::666666666666:policy/LedgerAccess", Services),
    ("policy-of-two-accounts-s3", READ_BUCKETS, Entities("s3")),
    ("policy-attached-to-nobody", "arn:aws:iam::555555555555:policy/Nobodys", Services),
];

const IVY: &str = "arn:aws:iam::555555555555:user/eng/ivy";
const ENGINEERS: &str = "arn:aws:iam::555555555555:group/engineers";
const WEB: &str = "arn:aws:iam::555555555555:role/web";
const LINKED: &str = "arn:aws:iam::555555555555:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling";
const LOOK_AROUND: &str = "arn:aws:iam::555555555555:policy/audit/LookAround";
const DEPLOYER: &str = "arn:aws:iam::555555555555:policy/ci/Deployer";
const READ_BUCKETS: &str = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";

/// The date of every job in `testdata/expected-service`.
const JOB_DATE: &str = "2026-02-01T00:00:00.000Z";

fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name)
}

/// Returns the twin over the made-up logs and a snapshot of `testdata`; says why not, if so.
#[expect(clippy::print_stderr, reason = "a test that did not run says so")]
fn made_up(identities: &str, test: &str) -> Option<ServiceTwin> {
    if !twin::has_facts() {
        eprintln!("{test} {}", twin::NO_FACTS);
        return None;
    }
    let (logs, more) = (testdata("logs"), testdata("logs-identities"));
    let identities = Identities::read(&testdata(identities));
    Some(ServiceTwin::new(read_accesses(&[&logs, &more]), identities))
}

fn ask(twin: &ServiceTwin, arn: &str, ask: Ask) -> Value {
    let report = match ask {
        Services => twin.report(arn, Level::Service, false),
        Actions => twin.report(arn, Level::Action, false),
        Entities(namespace) => twin.entities(arn, namespace),
    };
    let mut report = report.expect("the snapshot has the ARN");
    report["JobCreationDate"] = json!(JOB_DATE);
    report["JobCompletionDate"] = json!(JOB_DATE);
    report
}

/// Prints a report with the members in AWS's order, a row a line.
fn printed(report: &Value) -> String {
    let entities = report.get("EntityDetailsList").is_some();
    let members = if entities {
        [
            "JobStatus",
            "JobCreationDate",
            "JobCompletionDate",
            "EntityDetailsList",
            "IsTruncated",
            "",
        ]
    } else {
        [
            "JobStatus",
            "JobType",
            "JobCreationDate",
            "ServicesLastAccessed",
            "JobCompletionDate",
            "IsTruncated",
        ]
    };
    format!("{{\n {}\n}}\n", members_of(report, &members, ",\n ", 1))
}

/// Prints the members of an object that are there, the rows of their arrays on lines of their own.
fn members_of(value: &Value, order: &[&str], joint: &str, depth: usize) -> String {
    let known = value.as_object().unwrap().keys().all(|name| order.contains(&name.as_str()));
    assert!(known, "{value}");
    let present = order.iter().filter_map(|name| Some((name, value.get(name)?)));
    let written: Vec<String> = present
        .map(|(name, value)| match value {
            Value::Array(rows) if rows.is_empty() => format!("\"{name}\": []"),
            Value::Array(rows) => {
                let (inner, outer) = (" ".repeat(depth + 1), " ".repeat(depth));
                let rows: Vec<String> = rows.iter().map(|value| row(value, depth + 1)).collect();
                let rows = rows.join(&format!(",\n{inner}"));
                format!("\"{name}\": [\n{inner}{rows}\n{outer}]")
            }
            Value::Object(_) => format!("\"{name}\": {}", row(value, depth)),
            value => format!("\"{name}\": {value}"),
        })
        .collect();
    written.join(joint)
}

fn row(value: &Value, depth: usize) -> String {
    let members = [
        "ServiceName",
        "ActionName",
        "LastAccessedEntity",
        "LastAccessedTime",
        "LastAccessedRegion",
        "EntityInfo",
        "LastAuthenticated",
        "ServiceNamespace",
        "LastAuthenticatedEntity",
        "LastAuthenticatedRegion",
        "TotalAuthenticatedEntities",
        "TrackedActionsLastAccessed",
        "Arn",
        "Name",
        "Type",
        "Id",
        "Path",
    ];
    format!("{{{}}}", members_of(value, &members, ", ", depth))
}

/// Returns the row of a service.
fn service<'r>(report: &'r Value, namespace: &str) -> &'r Value {
    let rows = report["ServicesLastAccessed"].as_array().unwrap();
    let row = rows.iter().find(|row| row["ServiceNamespace"] == namespace);
    row.unwrap_or_else(|| panic!("{namespace} in {report}"))
}

fn namespaces(report: &Value) -> Vec<&str> {
    let rows = report["ServicesLastAccessed"].as_array().unwrap().iter();
    rows.map(|row| row["ServiceNamespace"].as_str().unwrap()).collect()
}

/// Returns the row of a tracked action.
fn action<'r>(report: &'r Value, namespace: &str, name: &str) -> Option<&'r Value> {
    let actions = service(report, namespace)["TrackedActionsLastAccessed"].as_array()?;
    actions.iter().find(|row| row["ActionName"] == name)
}

/// Returns the entities of a report of them: name and time.
fn entities(report: &Value) -> Vec<(&str, Option<&str>)> {
    let rows = report["EntityDetailsList"].as_array().unwrap().iter();
    rows.map(|row| (row["EntityInfo"]["Name"].as_str().unwrap(), row["LastAuthenticated"].as_str()))
        .collect()
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the one switch of the tests: rewrite what is expected"
)]
fn the_expected_reports_of_users_roles_groups_and_policies_are_the_twins() {
    let Some(twin) = made_up(
        "identities",
        "the_expected_reports_of_users_roles_groups_and_policies_are_the_twins",
    ) else {
        return;
    };
    let regenerate = std::env::var_os("TRAILFOLD_REGENERATE").is_some();
    for (name, arn, asked) in CASES {
        let text = printed(&ask(&twin, arn, asked));
        let path = testdata("expected-service").join(format!("{name}.json"));
        if regenerate {
            fs::write(&path, &text).unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "{name}");
    }
}

#[test]
fn i1_the_services_are_those_of_the_identity_policies_alone() {
    let name = "i1_the_services_are_those_of_the_identity_policies_alone";
    let Some(twin) = made_up("identities", name) else { return };
    // His group's ec2, iam, sts and the managed s3; his own policy's sqs and, under a condition,
    // kms. Version 3 of it, which allows everything, is not the default. kms is denied by nobody,
    // and the group's kms names a bucket, which no action of kms can have (S4).
    let bob = ask(&twin, "arn:aws:iam::555555555555:user/bob", Services);
    assert_eq!(namespaces(&bob), ["ec2", "iam", "kms", "s3", "sqs", "sts"]);
    let engineers = ask(&twin, ENGINEERS, Services);
    assert_eq!(namespaces(&engineers), ["ec2", "iam", "s3", "sts"]);
    // A boundary (web) takes nothing away, a Deny without a condition does: secretsmanager.
    assert_eq!(
        namespaces(&ask(&twin, WEB, Services)),
        ["application-autoscaling", "dynamodb", "iam", "kms", "lambda", "logs", "s3", "sns", "sts"]
    );
    // A Deny of all but some actions.
    assert_eq!(namespaces(&ask(&twin, DEPLOYER, Services)), ["cloudformation", "iam", "s3"]);
    // Two pages: the group of page 2 gives the user of page 1 a policy of page 1.
    let deployer = "arn:aws:iam::444455556666:user/ops/deployer";
    assert_eq!(namespaces(&ask(&twin, deployer, Services)), ["cloudformation", "sns"]);
    // URL-encoded documents.
    let payer = "arn:aws:iam::666666666666:role/payer";
    assert_eq!(namespaces(&ask(&twin, payer, Services)), ["s3"]);
    let zed = ask(&twin, "arn:aws:iam::555555555555:user/zed", Services);
    assert_eq!(namespaces(&zed), [""; 0]);
}

#[test]
fn i1_a_policy_that_is_attached_but_not_in_the_snapshot_gives_nothing() {
    let name = "i1_a_policy_that_is_attached_but_not_in_the_snapshot_gives_nothing";
    let Some(twin) = made_up("identities-incomplete", name) else { return };
    let tokenizer = "arn:aws:iam::012345678901:role/tokenizer";
    let report = ask(&twin, tokenizer, Actions);
    assert_eq!(namespaces(&report), ["dynamodb", "sts"]);
    let called = action(&report, "sts", "GetCallerIdentity").unwrap();
    assert_eq!(called["LastAccessedTime"], "2026-01-16T14:04:00Z");
    // A7: the failures of 2026-01-30 count for nobody.
    let dynamodb = service(&report, "dynamodb");
    assert_eq!(dynamodb["LastAuthenticated"], "2025-11-12T13:23:51Z");
    assert!(twin.report(READ_BUCKETS, Level::Service, false).is_none(), "it is not there");
}

#[test]
fn i2_an_attempt_counts_for_every_group_and_policy_whose_report_lists_the_service() {
    let name = "i2_an_attempt_counts_for_every_group_and_policy_whose_report_lists_the_service";
    let Some(twin) = made_up("identities", name) else { return };
    // Bob's call of sqs is allowed by his own policy: his group does not list sqs.
    assert_eq!(entities(&ask(&twin, ENGINEERS, Entities("sqs"))), []);
    // Bob lists his buckets by the group's policy; his access to s3 counts there, whatever the
    // document, and not for the policy that is his own.
    assert_eq!(service(&ask(&twin, ENGINEERS, Services), "s3")["TotalAuthenticatedEntities"], 2);
    let queue = ask(&twin, "arn:aws:iam::555555555555:policy/QueueWorker", Services);
    assert_eq!(namespaces(&queue), ["kms", "sqs"]);
    // sns:Publish by the role web counts at sns, of which LookAround allows ListTopics alone.
    let sns = ask(&twin, LOOK_AROUND, Services);
    assert_eq!(service(&sns, "sns")["LastAuthenticated"], "2025-07-09T10:42:32Z");
}

#[test]
fn i3_the_last_entity_is_the_user_or_role_that_attempted_last() {
    let name = "i3_the_last_entity_is_the_user_or_role_that_attempted_last";
    let Some(twin) = made_up("identities", name) else { return };
    let engineers = ask(&twin, ENGINEERS, Services);
    // 15:10:00 by ivy, a microsecond later by bob; both print the same second.
    assert_eq!(
        service(&engineers, "ec2"),
        &json!({"ServiceName": "Amazon EC2", "LastAuthenticated": "2026-01-21T15:10:00Z",
            "ServiceNamespace": "ec2", "LastAuthenticatedRegion": "eu-central-1",
            "LastAuthenticatedEntity": "arn:aws:iam::555555555555:user/bob",
            "TotalAuthenticatedEntities": 2})
    );
    // Equal times: ivy's event id is the greater one.
    assert_eq!(service(&engineers, "iam")["LastAuthenticatedEntity"], IVY);
    // Equal event ids too: the greatest Region.
    assert_eq!(service(&engineers, "sts")["LastAuthenticated"], "2026-01-21T14:20:00Z");
    assert_eq!(service(&engineers, "sts")["LastAuthenticatedRegion"], "us-east-1");
    // P1: ivy's denied attempt of 11:20 is later than bob's of 11:00.
    assert_eq!(service(&engineers, "s3")["LastAuthenticatedEntity"], IVY);
    let nobody = ask(&twin, "arn:aws:iam::555555555555:group/nobody", Services);
    assert_eq!(
        nobody["ServicesLastAccessed"],
        json!([{"ServiceName": "Amazon SNS", "ServiceNamespace": "sns",
            "TotalAuthenticatedEntities": 0}])
    );
}

#[test]
fn i4_tracked_actions_that_are_allowed_are_listed_and_data_events_do_not_count() {
    let name = "i4_tracked_actions_that_are_allowed_are_listed_and_data_events_do_not_count";
    let Some(twin) = made_up("identities", name) else { return };
    let web = ask(&twin, WEB, Actions);
    // One was logged as a data event at 13:10, the other as a management event at 13:00. The policy
    // names tables: ListTables, which has no resource, is not allowed (S4).
    assert!(action(&web, "dynamodb", "ListTables").is_none());
    assert_eq!(
        action(&web, "dynamodb", "DescribeTimeToLive").unwrap(),
        &json!({"ActionName": "DescribeTimeToLive"})
    );
    let described = action(&web, "dynamodb", "DescribeTable").unwrap();
    assert_eq!(described["LastAccessedTime"], "2026-01-21T13:00:00Z");
    // P3: at service level the data event of 13:20 is the latest.
    assert_eq!(service(&web, "dynamodb")["LastAuthenticated"], "2026-01-21T13:20:00Z");
    assert!(action(&web, "dynamodb", "PutItem").is_none(), "IAM does not track it");
    // C2: the version of `GetFunction20150331v2`; `ListBuckets` is s3:ListAllMyBuckets.
    let got = action(&web, "lambda", "GetFunction").unwrap();
    assert_eq!(got["LastAccessedTime"], "2026-01-21T13:40:00Z");
    let ivy = ask(&twin, IVY, Actions);
    let listed = action(&ivy, "s3", "ListAllMyBuckets").unwrap();
    assert_eq!(listed["LastAccessedTime"], "2026-01-21T11:20:00Z");
    // Only a request for a scalable target is Application Auto Scaling's, which tracks nothing.
    let scaling = service(&web, "application-autoscaling");
    assert_eq!(scaling["LastAuthenticated"], "2026-01-21T13:31:00Z");
    assert!(scaling.get("TrackedActionsLastAccessed").is_none());
    // P4: iam:PassRole is never tracked.
    assert!(action(&web, "iam", "PassRole").is_none());
    let release = ask(&twin, "arn:aws:iam::555555555555:role/ci/eu/release", Actions);
    assert!(service(&release, "iam").get("TrackedActionsLastAccessed").is_none());
    // In byte order, and not at service level.
    for row in web["ServicesLastAccessed"].as_array().unwrap() {
        let actions = row["TrackedActionsLastAccessed"].as_array();
        let names: Vec<&str> =
            actions.into_iter().flatten().map(|row| row["ActionName"].as_str().unwrap()).collect();
        assert!(names.is_sorted(), "{names:?}");
    }
    let of_services = ask(&twin, WEB, Services);
    assert!(service(&of_services, "dynamodb").get("TrackedActionsLastAccessed").is_none());
    // `Query` may be several actions, three of them tracked; one was called by its own name later.
    let builder = ask(&twin, "arn:aws:iam::888888888888:role/builder", Actions);
    for (name, time) in [
        ("DescribeTable", "2026-01-21T14:30:00Z"),
        ("ListDatabases", "2026-01-21T14:30:00Z"),
        ("ListTables", "2026-01-21T14:40:00Z"),
    ] {
        let called = action(&builder, "timestream", name).unwrap();
        assert_eq!(called["LastAccessedTime"], time, "{name}");
    }
    // What needs no permission is tracked nevertheless.
    let bob = ask(&twin, "arn:aws:iam::555555555555:user/bob", Actions);
    let called = action(&bob, "sts", "GetCallerIdentity").unwrap();
    assert_eq!(called["LastAccessedTime"], "2026-01-21T14:00:00Z");
}

#[test]
fn i5_entities_are_listed_latest_first_never_used_last_ties_by_arn() {
    let name = "i5_entities_are_listed_latest_first_never_used_last_ties_by_arn";
    let Some(twin) = made_up("identities", name) else { return };
    // Attached to a group in one account and to a role in another, which never used it.
    assert_eq!(
        entities(&ask(&twin, READ_BUCKETS, Entities("s3"))),
        [
            ("ivy", Some("2026-01-21T11:20:00Z")),
            ("bob", Some("2026-01-21T11:00:00Z")),
            ("payer", None)
        ]
    );
    // The same second of two users: by ARN, whatever the event ids and microseconds say.
    for namespace in ["iam", "ec2"] {
        let users = ask(&twin, ENGINEERS, Entities(namespace));
        let names: Vec<&str> = entities(&users).iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["bob", "ivy"], "{namespace}");
    }
    // A user or a role is in the scope of its own report.
    let web = ask(&twin, WEB, Entities("lambda"));
    assert_eq!(
        web["EntityDetailsList"][0]["EntityInfo"],
        json!({"Arn": WEB, "Name": "web", "Type": "ROLE", "Id": "AROADAQGKHXC5VEXAMPLE", "Path": "/"})
    );
}

#[test]
fn i6_an_unknown_arn_has_no_report() {
    let Some(twin) = made_up("identities", "i6_an_unknown_arn_has_no_report") else { return };
    for arn in ["arn:aws:iam::555555555555:user/ops/ivy", "arn:aws:iam::555555555555:role/release"]
    {
        assert!(twin.report(arn, Level::Service, false).is_none(), "{arn}");
    }
    // 9 users, 6 groups, 9 roles, 12 policies, one of them in two accounts.
    assert_eq!(twin.identities.arns().len(), 36);
}

#[test]
fn i7_each_event_counts_for_whom_the_script_says() {
    let name = "i7_each_event_counts_for_whom_the_script_says";
    let Some(twin) = made_up("identities", name) else { return };
    let whose = fs::read(testdata("expected-service/whose.json")).unwrap();
    let whose: Value = serde_json::from_slice(&whose).unwrap();
    let known = twin.whose();
    for (event, arn) in whose.as_object().unwrap() {
        // An event that is set aside counts for nobody.
        let found = known.get(event.as_str()).copied().flatten();
        assert_eq!(found, arn.as_str(), "{event}");
    }
    assert!(whose.as_object().unwrap().len() >= 25);
}

#[test]
fn i7_a_role_made_again_under_the_same_name_starts_empty() {
    let name = "i7_a_role_made_again_under_the_same_name_starts_empty";
    let Some(twin) = made_up("identities", name) else { return };
    let release = ask(&twin, "arn:aws:iam::555555555555:role/ci/eu/release", Actions);
    // Of the former role: ExecuteChangeSet on 2026-01-12, and two calls after the new one's.
    let cloudformation = service(&release, "cloudformation");
    assert_eq!(cloudformation["LastAuthenticated"], "2026-01-21T09:00:00Z");
    let changed = action(&release, "cloudformation", "ExecuteChangeSet").unwrap();
    assert_eq!(changed, &json!({"ActionName": "ExecuteChangeSet"}));
    assert_eq!(service(&release, "s3")["TotalAuthenticatedEntities"], 0);
}

#[test]
fn i7_who_moved_to_another_path_keeps_its_activity() {
    let name = "i7_who_moved_to_another_path_keeps_its_activity";
    let Some(twin) = made_up("identities", name) else { return };
    // Logged as user/ops/ivy on 2026-01-12.
    let ivy = ask(&twin, IVY, Actions);
    let parameter = action(&ivy, "ssm", "GetParameter").unwrap();
    assert_eq!(parameter["LastAccessedTime"], "2026-01-12T10:01:00Z");
    assert_eq!(parameter["LastAccessedEntity"], IVY);
    // A user without an ARN in the record, one known by its id alone, and the issuer of a federated
    // session.
    let old = ask(&twin, "arn:aws:iam::444455556666:user/old", Services);
    assert_eq!(service(&old, "sns")["LastAuthenticated"], "2026-01-12T10:02:00Z");
    let clerk = ask(&twin, "arn:aws:iam::666666666666:user/clerk", Services);
    assert_eq!(service(&clerk, "lambda")["LastAuthenticated"], "2026-01-14T12:10:00Z");
    let broker = ask(&twin, "arn:aws:iam::888888888888:user/broker", Services);
    assert_eq!(service(&broker, "secretsmanager")["LastAuthenticated"], "2026-01-12T10:05:00Z");
}
