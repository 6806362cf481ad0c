//! The program against the slow twin: made-up data, real snapshots with real events, and real
//! events in the name of the principals of those snapshots.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use serde_json::{Deserializer, Value, json};

use super::{Actions, CASES, Entities, Services, testdata};
use crate::twin;
use crate::twin::attribution::{Access, Decision, attribution, parse_time};
use crate::twin::logs;
use crate::twin::service::{Identities, Level, ServiceTwin, read_accesses};

/// 2026-02-01T00:00:00Z, the job date of every expected report.
const JOB_DATE: &str = "1769904000";

const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data");

fn trailfold() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trailfold"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env("SOURCE_DATE_EPOCH", JOB_DATE);
    command.args(["report", "service", "--quiet"]);
    command
}

/// Runs the program, which may find a source that it cannot read, but must report.
fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    let complete = matches!(output.status.code(), Some(0 | 1));
    assert!(complete, "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

fn all_arns(inputs: &[&Path], identities: &Path, more: &[&str]) -> Vec<u8> {
    let mut command = trailfold();
    command.args(inputs).arg("--identities").arg(identities).arg("--all-arns");
    // Events that are nobody's are no mistake here.
    command.arg("--allow-empty").args(more);
    run(&mut command).stdout
}

/// Takes the blanks between the tokens of JSON away, and nothing else.
fn squeezed(json: &[u8]) -> String {
    let (mut text, mut in_string, mut escaped) = (String::new(), false, false);
    for letter in std::str::from_utf8(json).unwrap().chars() {
        if in_string || !letter.is_whitespace() {
            text.push(letter);
        }
        if letter == '"' && !escaped {
            in_string = !in_string;
        }
        escaped = in_string && letter == '\\' && !escaped;
    }
    text
}

#[test]
fn i1_to_i7_the_reports_of_the_testdata_are_the_expected_ones() {
    for (name, arn, asked) in CASES {
        let mut command = trailfold();
        command.args([testdata("logs"), testdata("logs-identities")]);
        command.arg("--identities").arg(testdata("identities")).args(["--arn", arn]);
        let more = match asked {
            Services => vec![],
            Actions => vec!["--granularity", "ACTION_LEVEL"],
            Entities(namespace) => vec!["--service-namespace", namespace],
        };
        command.args(more);
        let output = run(&mut command);
        // The damaged records of the testdata make every report incomplete.
        assert_eq!(output.status.code(), Some(1), "{name}");
        let expected = fs::read(testdata("expected-service").join(format!("{name}.json"))).unwrap();
        // The members stand in AWS's order.
        assert_eq!(squeezed(&output.stdout), squeezed(&expected), "{name}");
    }
}

/// Takes the dates of the job off a report, which the twin does not have, and the parts of
/// `Details` that it does not tell.
fn bare(mut report: Value) -> Value {
    for name in ["JobCreationDate", "JobCompletionDate"] {
        assert!(report.as_object_mut().unwrap().remove(name).is_some(), "{name} in {report}");
    }
    let rows = report.get_mut("ServicesLastAccessed").and_then(Value::as_array_mut);
    for row in rows.into_iter().flatten() {
        short(row);
        let actions = row.get_mut("TrackedActionsLastAccessed").and_then(Value::as_array_mut);
        actions.into_iter().flatten().for_each(short);
    }
    report
}

fn short(row: &mut Value) {
    if let Some(details) = row.get_mut("Details") {
        let mut latest = details["LatestAttempt"].take();
        for name in ["Time", "Source"] {
            latest.as_object_mut().unwrap().remove(name);
        }
        *details = json!({"LatestAttempt": latest});
    }
}

/// Compares every ARN's report at action level, its latest attempts in detail.
fn compare(twin: &ServiceTwin, inputs: &[&Path], identities: &Path, period: &[&str]) {
    let more = [&["--granularity", "ACTION_LEVEL", "--details"], period].concat();
    let output = all_arns(inputs, identities, &more);
    let mut arns = twin.identities.arns().into_iter();
    for line in Deserializer::from_slice(&output).into_iter::<Value>() {
        let mut line = line.unwrap();
        let arn = arns.next().expect("a line an ARN");
        assert_eq!(line["Arn"].as_str(), Some(arn.as_str()), "in byte order");
        let mut report = bare(line["Report"].take());
        let details = report.as_object_mut().unwrap().remove("Details");
        assert_eq!(details.unwrap()["Arn"].as_str(), Some(arn.as_str()));
        let expected = twin.report(&arn, Level::Action, true).unwrap();
        if report != expected {
            differ(&arn, identities, &report, &expected);
        }
    }
    assert_eq!(arns.next(), None);
}

/// Says what differs, for whole reports are long.
fn differ(arn: &str, identities: &Path, report: &Value, expected: &Value) -> ! {
    let rows = |report: &Value| -> Vec<Value> {
        report["ServicesLastAccessed"].as_array().cloned().unwrap_or_default()
    };
    let (ours, twins) = (rows(report), rows(expected));
    let only = |these: &[Value], those: &[Value]| -> Vec<String> {
        these.iter().filter(|row| !those.contains(row)).map(Value::to_string).collect()
    };
    panic!(
        "{arn} of {}\nthe program alone: {:#?}\nthe twin alone: {:#?}",
        identities.display(),
        only(&ours, &twins),
        only(&twins, &ours),
    );
}

#[test]
fn i1_administrators_of_a_real_snapshot_may_use_every_service() {
    let snapshot = Path::new(SHARED).join("organization-dump/iam");
    if !snapshot.is_dir() || !twin::has_facts() {
        eprintln!(
            "i1_administrators_of_a_real_snapshot_may_use_every_service did not run: there is no \
             ../shared beside the project"
        );
        return;
    }
    for snapshot in snapshots() {
        let twin = ServiceTwin::new(Vec::new(), Identities::read(&snapshot));
        let arns = twin.identities.arns();
        for arn in &arns {
            let report = twin.report(arn, Level::Action, false).unwrap();
            let rows = report["ServicesLastAccessed"].as_array().unwrap();
            if arn.ends_with("policy/AdministratorAccess") {
                assert_eq!(rows.len(), 456, "{arn}");
            }
            assert!(rows.iter().all(|row| row["TotalAuthenticatedEntities"] == 0), "{arn}");
        }
        assert!(!arns.is_empty(), "{}", snapshot.display());
    }
}

/// Compares who used a service, for every ARN.
fn compare_entities(twin: &ServiceTwin, inputs: &[&Path], identities: &Path, namespace: &str) {
    let output = all_arns(inputs, identities, &["--service-namespace", namespace]);
    let mut arns = twin.identities.arns().into_iter();
    for line in Deserializer::from_slice(&output).into_iter::<Value>() {
        let mut line = line.unwrap();
        let arn = arns.next().expect("a line an ARN");
        assert_eq!(line["Arn"].as_str(), Some(arn.as_str()), "in byte order");
        assert_eq!(line["ServiceNamespace"], namespace);
        let expected = twin.entities(&arn, namespace).unwrap();
        assert_eq!(bare(line["Report"].take()), expected, "{arn} {namespace}");
    }
    assert_eq!(arns.next(), None);
}

#[test]
fn i2_to_i7_the_reports_of_every_arn_of_the_testdata_are_the_twins() {
    let name = "i2_to_i7_the_reports_of_every_arn_of_the_testdata_are_the_twins";
    let inputs = [testdata("logs"), testdata("logs-identities")];
    let inputs: Vec<&Path> = inputs.iter().map(PathBuf::as_path).collect();
    for identities in ["identities", "identities-incomplete"] {
        let Some(twin) = super::made_up(identities, name) else { return };
        compare(&twin, &inputs, &testdata(identities), &[]);
        for namespace in ["s3", "lambda", "iam", "sts"] {
            compare_entities(&twin, &inputs, &testdata(identities), namespace);
        }
    }
}

#[test]
fn p2_the_reports_of_a_period_are_the_twins() {
    let name = "p2_the_reports_of_a_period_are_the_twins";
    if !twin::has_facts() {
        return eprintln!("{name} {}", twin::NO_FACTS);
    }
    let inputs = [testdata("logs"), testdata("logs-identities")];
    let inputs: Vec<&Path> = inputs.iter().map(PathBuf::as_path).collect();
    // Both are times of events: the first does not count, the last does.
    let (since, until) = ("2026-01-12T10:20:00Z", "2026-01-21T12:00:00Z");
    let limits = [since, until].map(|time| parse_time(time).unwrap());
    let mut accesses = read_accesses(&inputs);
    assert!(limits.iter().all(|limit| accesses.iter().any(|access| access.time == *limit)));
    accesses.retain(|access| access.time > limits[0] && access.time <= limits[1]);
    let twin = ServiceTwin::new(accesses, Identities::read(&testdata("identities")));
    let period = ["--since", since, "--until", until];
    compare(&twin, &inputs, &testdata("identities"), &period);
}

/// Returns a reply with roles, each by its account, path, name and id.
fn roles(roles: &[(&str, &str, &str, &str)]) -> Value {
    let document = json!({"Statement": {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}});
    let roles: Vec<Value> = roles
        .iter()
        .map(|(account, path, name, id)| {
            json!({"Arn": format!("arn:aws:iam::{account}:role{path}{name}"), "Path": path,
                "RoleName": name, "RoleId": id, "CreateDate": "2025-01-01T00:00:00+00:00",
                "AssumeRolePolicyDocument": document.clone(), "InstanceProfileList": [],
                "RolePolicyList": [{"PolicyName": "queues", "PolicyDocument": document.clone()}],
                "AttachedManagedPolicies": [], "Tags": [], "RoleLastUsed": {}})
        })
        .collect();
    json!({"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": roles, "Policies": []})
}

#[test]
fn i7_by_id_if_one_alone_bears_it_else_by_arn_unless_the_ids_say_otherwise() {
    if !twin::has_facts() {
        return eprintln!(
            "i7_by_id_if_one_alone_bears_it_else_by_arn_unless_the_ids_say_otherwise {}",
            twin::NO_FACTS
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let snapshot = folder.path().join("identities.json");
    let reply = roles(&[
        ("111111111111", "/", "one", "AROAONEONEONEONE"),
        ("111111111111", "/deep/er/", "two", "AROATWINTWINTWIN"),
        ("222222222222", "/", "two", "AROATWINTWINTWIN"),
        ("222222222222", "/x/", "short", "AROASHORT"),
        ("222222222222", "/", "lower", "AROAlowerlowerlow"),
    ]);
    fs::write(&snapshot, reply.to_string()).unwrap();
    // The ARN of the session's issuer or of the session, the id, and whose it is.
    let cases = [
        (Some("arn:aws:iam::111111111111:role/gone"), Some("AROAONEONEONEONE"), Some("1:role/one")),
        (Some("arn:aws:iam::111111111111:role/one"), Some("AROAOTHEROTHEROTH"), None),
        (Some("arn:aws:iam::111111111111:role/one"), Some("AROASHORTID"), Some("1:role/one")),
        (Some("arn:aws:iam::111111111111:role/one"), None, Some("1:role/one")),
        (Some("arn:aws:iam::333333333333:role/one"), None, None),
        (Some("arn:aws:iam::111111111111:role/path/one"), None, None),
        // Two bear the id: the ARN tells, with its path or without one.
        (
            Some("arn:aws:iam::111111111111:role/two"),
            Some("AROATWINTWINTWIN"),
            Some("1:role/deep/er/two"),
        ),
        (Some("arn:aws:iam::222222222222:role/two"), Some("AROATWINTWINTWIN"), Some("2:role/two")),
        (Some("arn:aws:iam::111111111111:role/deep/two"), Some("AROATWINTWINTWIN"), None),
        (None, Some("AROATWINTWINTWIN"), None),
        (
            Some("arn:aws:iam::222222222222:role/short"),
            Some("AROAOTHEROTHEROTH"),
            Some("2:role/x/short"),
        ),
        (
            Some("arn:aws:iam::222222222222:role/lower"),
            Some("AROAOTHEROTHEROTH"),
            Some("2:role/lower"),
        ),
        (None, Some("AROAlowerlowerlow"), Some("2:role/lower")),
        (Some("arn:aws:iam::111111111111:user/one"), None, None),
    ];
    let event = |at: usize, arn: Option<&str>, id: Option<&str>| {
        let mut identity = json!({"type": "AWSAccount", "accountId": "111111111111"});
        if let Some(arn) = arn {
            let issuer = json!({"type": "Role", "arn": arn, "accountId": "111111111111"});
            identity["type"] = json!("AssumedRole");
            identity["sessionContext"] = json!({"sessionIssuer": issuer});
        }
        if let Some(id) = id {
            identity["principalId"] = json!(format!("{id}:session"));
        }
        json!({"eventVersion": "1.11", "userIdentity": identity, "eventType": "AwsApiCall",
            "eventTime": format!("2026-01-21T10:{at:02}:00Z"), "eventSource": "sqs.amazonaws.com",
            "eventName": "CreateQueue", "awsRegion": "us-east-1", "eventID": at.to_string(),
            "eventCategory": "Management"})
    };
    let events: Vec<Value> =
        cases.iter().enumerate().map(|(at, (arn, id, _))| event(at, *arn, *id)).collect();
    let twin = ServiceTwin::new(accesses(&events), Identities::read(&snapshot));
    let whose = twin.whose();
    for (at, (arn, id, expected)) in cases.iter().enumerate() {
        let expected = expected.map(|short| {
            let (account, role) = short.split_once(':').unwrap();
            format!("arn:aws:iam::{}:{role}", account.repeat(12))
        });
        let found = whose[at.to_string().as_str()].map(str::to_owned);
        assert_eq!(found, expected, "{arn:?} {id:?}");
    }
    // Every event in a log of its own, so that each is the latest once.
    for event in &events {
        let file = folder.path().join("events.jsonl");
        write_lines(&file, std::slice::from_ref(event));
        let alone = accesses(std::slice::from_ref(event));
        let twin = ServiceTwin::new(alone, Identities::read(&snapshot));
        compare(&twin, &[&file], &snapshot, &[]);
    }
}

#[test]
fn i3_i5_the_row_of_a_service_and_its_entities_agree() {
    let name = "i3_i5_the_row_of_a_service_and_its_entities_agree";
    let Some(twin) = super::made_up("identities", name) else { return };
    let mut used = 0;
    for arn in twin.identities.arns() {
        let report = twin.report(&arn, Level::Service, false).unwrap();
        for row in report["ServicesLastAccessed"].as_array().unwrap().iter().take(20) {
            let entities = twin.entities(&arn, row["ServiceNamespace"].as_str().unwrap()).unwrap();
            let entities = entities["EntityDetailsList"].as_array().unwrap();
            let active = entities.iter().filter(|one| one.get("LastAuthenticated").is_some());
            let active: Vec<&Value> = active.collect();
            assert_eq!(row["TotalAuthenticatedEntities"], active.len(), "{arn} {row}");
            let first = active.first().map_or(&Value::Null, |one| &one["LastAuthenticated"]);
            assert_eq!(row.get("LastAuthenticated").unwrap_or(&Value::Null), first, "{arn} {row}");
            used += active.len();
        }
    }
    assert!(used > 50, "{used}");
}

/// The real snapshots at hand; none without the files beside the project.
pub(super) fn snapshots() -> Vec<PathBuf> {
    let folders = ["snapshots/salesforce+cloudsplaining", "organization-dump/iam"];
    let folders = folders.map(|folder| Path::new(SHARED).join(folder));
    let files =
        folders.iter().filter(|folder| folder.is_dir()).flat_map(|folder| logs::files(folder));
    files
        .filter(|file| {
            let value = serde_json::from_slice::<Value>(&fs::read(file).unwrap());
            value.is_ok_and(|value| value.get("Policies").is_some())
        })
        .collect()
}

/// The events of a file, wherever they lie in it.
fn events(value: &Value, found: &mut Vec<Value>) {
    match value {
        Value::Object(object) if object.contains_key("userIdentity") => found.push(value.clone()),
        Value::Object(object) => object.values().for_each(|value| events(value, found)),
        Value::Array(values) => values.iter().for_each(|value| events(value, found)),
        Value::String(text) if text.starts_with('{') => {
            if let Ok(value) = serde_json::from_str::<Value>(text) {
                events(&value, found);
            }
        }
        _ => {}
    }
}

/// Every real event at hand that a JSON parser can read, as it is.
pub(super) static EVENTS: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let folder = Path::new(SHARED).join("events");
    let mut found = Vec::new();
    for file in Some(folder).filter(|folder| folder.is_dir()).iter().flat_map(|it| logs::files(it))
    {
        let bytes = logs::unpacked(&fs::read(file).unwrap());
        for value in Deserializer::from_slice(&bytes).into_iter::<Value>() {
            let Ok(value) = value else { break };
            events(&value, &mut found);
        }
    }
    found
});

/// Returns the snapshots and events, or says that there are none.
#[expect(clippy::print_stderr, reason = "a test that did not run says so")]
fn real(test: &str) -> Option<(Vec<PathBuf>, &'static [Value])> {
    let snapshots = snapshots();
    if !twin::has_facts() || snapshots.is_empty() || EVENTS.is_empty() {
        eprintln!("{test} did not run: there is no ../shared beside the project");
        return None;
    }
    assert!(snapshots.len() >= 7, "{snapshots:?}");
    assert!(EVENTS.len() > 3000, "{}", EVENTS.len());
    Some((snapshots, &EVENTS))
}

pub(super) fn accesses(events: &[Value]) -> Vec<Access> {
    let decisions = events.iter().map(attribution);
    decisions
        .filter_map(|decision| match decision {
            Decision::Counted(access) => Some(access),
            Decision::SetAside(_) | Decision::Malformed => None,
        })
        .collect()
}

/// Writes events as JSON lines.
fn write_lines(file: &Path, events: &[Value]) {
    let lines: String = events.iter().map(|event| format!("{event}\n")).collect();
    fs::write(file, lines).unwrap();
}

#[test]
fn i1_to_i7_the_reports_of_real_snapshots_over_real_events_are_the_twins() {
    let name = "i1_to_i7_the_reports_of_real_snapshots_over_real_events_are_the_twins";
    let Some((snapshots, events)) = real(name) else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events.jsonl");
    write_lines(&file, events);
    let accesses = accesses(events);
    for snapshot in snapshots {
        let twin = ServiceTwin::new(accesses.clone(), Identities::read(&snapshot));
        compare(&twin, &[&file], &snapshot, &[]);
    }
}

/// Writes a `userIdentity` of a principal in one of the forms in which records name somebody.
fn identity(principal: &twin::service::Principal, form: usize) -> Value {
    let (arn, id, name) = (&principal.arn, &principal.id, &principal.name);
    let account = arn.split(':').nth(4).unwrap();
    let session = format!("arn:aws:sts::{account}:assumed-role/{name}/session");
    let other =
        format!("{}OTHERPRINCIPAL1234", if principal.kind == "USER" { "AIDA" } else { "AROA" });
    let session_of = |id: Option<&str>, issuer: Option<&str>| {
        let mut identity = json!({"type": "AssumedRole", "arn": session, "accountId": account});
        if let Some(id) = id {
            identity["principalId"] = json!(format!("{id}:session"));
        }
        if let Some(issuer) = issuer {
            identity["sessionContext"] = json!({"sessionIssuer": {"type": "Role", "arn": arn,
                "principalId": issuer, "accountId": account, "userName": name}});
        }
        identity
    };
    let user = |id: Option<&str>, arn: Option<&str>| {
        let mut identity = json!({"type": "IAMUser", "accountId": account, "userName": name});
        for (member, value) in [("principalId", id), ("arn", arn)] {
            if let Some(value) = value {
                identity[member] = json!(value);
            }
        }
        identity
    };
    match (principal.kind, form % 7) {
        (_, 0) => json!({"type": "AWSAccount", "accountId": account, "principalId": id}),
        ("USER", 1) => user(None, Some(arn)),
        ("USER", 2) => user(Some(id), None),
        ("USER", 3) => user(Some(&other), Some(arn)),
        ("USER", 4) => user(Some("former"), Some(arn)),
        ("USER", 5) => json!({"type": "FederatedUser", "accountId": account,
            "principalId": format!("{account}:{name}"),
            "arn": format!("arn:aws:sts::{account}:federated-user/{name}"),
            "sessionContext": {"sessionIssuer": {"type": "IAMUser", "arn": arn, "principalId": id}}}),
        ("USER", _) => user(Some(id), Some(&arn.replace(":user/", ":user/moved/"))),
        (_, 1) => session_of(None, None),
        (_, 2) => session_of(Some(id), None),
        (_, 3) => session_of(Some(&other), Some(&other)),
        (_, 4) => session_of(Some("former"), None),
        (_, 5) => json!({"type": "Role", "accountId": account, "principalId": id, "arn": arn}),
        (_, _) => session_of(Some(id), Some(id)),
    }
}

#[test]
fn i7_the_reports_of_real_snapshots_over_events_in_their_principals_names_are_the_twins() {
    let name =
        "i7_the_reports_of_real_snapshots_over_events_in_their_principals_names_are_the_twins";
    let Some((snapshots, events)) = real(name) else { return };
    for snapshot in snapshots {
        let identities = Identities::read(&snapshot);
        let number = identities.principals.len();
        if number == 0 {
            continue;
        }
        // Each event once; a few principals have many events each, many have few.
        let mut rewritten = events.to_vec();
        for (at, event) in rewritten.iter_mut().enumerate() {
            let who = &identities.principals[at % number];
            event["userIdentity"] = identity(who, at / number);
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("events.jsonl");
        write_lines(&file, &rewritten);
        let twin = ServiceTwin::new(accesses(&rewritten), identities);
        let known: BTreeSet<&str> = twin.whose().into_values().flatten().collect();
        assert!(known.len() * 3 > number * 2, "{} of {number}", known.len());
        compare(&twin, &[&file], &snapshot, &[]);
        for namespace in ["s3", "ec2"] {
            compare_entities(&twin, &[&file], &snapshot, namespace);
        }
    }
}

#[test]
fn a27_neither_the_order_of_files_nor_the_number_of_threads_changes_a_byte() {
    let (logs, more) = (testdata("logs"), testdata("logs-identities"));
    let exports = testdata("logs/exports");
    let report = |inputs: &[&Path], threads: &str| {
        let more = ["--granularity", "ACTION_LEVEL", "--details", "--threads", threads];
        all_arns(inputs, &testdata("identities"), &more)
    };
    let one = report(&[&logs, &more], "1");
    assert!(!one.is_empty());
    for (inputs, threads) in [
        (vec![logs.as_path(), &more], "4"),
        (vec![more.as_path(), &logs], "1"),
        (vec![more.as_path(), &exports, &logs], "3"),
    ] {
        assert!(report(&inputs, threads) == one, "{inputs:?} {threads}");
    }
    // Neither do the names of the replies, nor how they are parted.
    let folder = tempfile::tempdir().unwrap();
    for (number, file) in logs::files(&testdata("identities")).iter().rev().enumerate() {
        fs::copy(file, folder.path().join(format!("{number}.json"))).unwrap();
    }
    let more_arguments = ["--granularity", "ACTION_LEVEL", "--details"];
    let renamed = all_arns(&[&logs, &more], folder.path(), &more_arguments);
    assert!(renamed == one, "the names of the replies");
}

#[test]
fn i6_the_pages_put_together_are_the_whole() {
    let rows = |report: &Value| -> Vec<Value> {
        let list = report.get("ServicesLastAccessed").or(report.get("EntityDetailsList"));
        list.unwrap().as_array().unwrap().clone()
    };
    let page = |arn: &str, more: &[&str]| -> Value {
        let mut command = trailfold();
        command.args([testdata("logs"), testdata("logs-identities")]);
        command.arg("--identities").arg(testdata("identities")).args(["--arn", arn]).args(more);
        serde_json::from_slice(&run(&mut command).stdout).unwrap()
    };
    for (arn, asked) in [
        (super::WEB, ["--granularity", "ACTION_LEVEL"]),
        (super::ENGINEERS, ["--granularity", "SERVICE_LEVEL"]),
        (super::READ_BUCKETS, ["--service-namespace", "s3"]),
    ] {
        let whole = rows(&page(arn, &asked));
        for size in ["1", "2", "1000"] {
            let (mut together, mut marker) = (Vec::new(), None::<String>);
            loop {
                let mut more = asked.to_vec();
                more.extend(["--max-items", size]);
                more.extend(marker.iter().flat_map(|marker| ["--marker", marker.as_str()]));
                let next = page(arn, &more);
                assert!(rows(&next).len() <= size.parse().unwrap());
                together.extend(rows(&next));
                assert_eq!(next["IsTruncated"] == true, next.get("Marker").is_some());
                let Some(text) = next["Marker"].as_str() else { break };
                marker = Some(text.to_owned());
                assert!(together.len() < whole.len(), "a page that is not the last");
            }
            assert_eq!(together, whole, "{arn} {size}");
        }
    }
}
