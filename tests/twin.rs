//! A slow, obvious second implementation of the specification.
//!
//! It is written from the numbered rules alone and shares no code with the program: whole files,
//! `serde_json::Value`, loops. What both say the same of is right, or the rule is wrong.

pub(crate) mod attribution;
mod facts;
mod identities;
pub(crate) mod logs;
mod policy;
pub(crate) mod service;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use attribution::{Access, Decision, attribution, print_time};
use facts::Facts;
use logs::Records;
use tree::Tree;

/// The reports of `testdata/expected`: name, entity path, policy id.
pub(crate) const CASES: [(&str, &str, Option<&str>); 30] = [
    ("root", "o-exampleorgid/r-ex4m", None),
    ("ou-security", "o-exampleorgid/r-ex4m/ou-ex4m-security1", None),
    ("ou-workloads", "o-exampleorgid/r-ex4m/ou-ex4m-workload1/", None),
    ("ou-production", "o-exampleorgid/r-ex4m/ou-ex4m-workload1/ou-ex4m-product01", None),
    ("ou-payments", PAYMENTS, None),
    ("ou-development", "o-exampleorgid/r-ex4m/ou-ex4m-workload1/ou-ex4m-develop01", None),
    ("ou-sandbox", SANDBOX, None),
    ("ou-suspended", "o-exampleorgid/r-ex4m/ou-ex4m-suspend01", None),
    ("account-management", "o-exampleorgid/r-ex4m/111122223333", None),
    ("account-vault", VAULT, None),
    ("account-lab", LAB, None),
    ("account-quiet", QUIET, None),
    ("root-with-full-aws-access", "o-exampleorgid/r-ex4m", Some("p-FullAWSAccess")),
    ("root-with-allow-list", "o-exampleorgid/r-ex4m", Some("p-orgallow1")),
    ("root-with-region-deny", "o-exampleorgid/r-ex4m", Some("p-regions01")),
    ("root-with-deny-list", "o-exampleorgid/r-ex4m", Some("p-denylist1")),
    ("root-with-resource-deny", "o-exampleorgid/r-ex4m", Some("p-logguard1")),
    ("root-with-not-resource", "o-exampleorgid/r-ex4m", Some("p-notres001")),
    ("root-with-payments-list", "o-exampleorgid/r-ex4m", Some("p-payments1")),
    ("root-with-vault-deny", "o-exampleorgid/r-ex4m", Some("p-vaultdny1")),
    ("root-with-sandbox-list", "o-exampleorgid/r-ex4m", Some("p-sandbox01")),
    ("root-with-lab-list", "o-exampleorgid/r-ex4m", Some("p-labonly01")),
    ("root-with-quarantine", "o-exampleorgid/r-ex4m", Some("p-quarant01")),
    ("root-with-unattached", "o-exampleorgid/r-ex4m", Some("p-unused001")),
    ("ou-sandbox-policy-above", SANDBOX, Some("p-orgallow1")),
    ("ou-sandbox-policy-at", SANDBOX, Some("p-sandbox01")),
    ("ou-sandbox-policy-below", SANDBOX, Some("p-labonly01")),
    ("account-lab-policy-above", LAB, Some("p-sandbox01")),
    ("unknown-entity", "o-exampleorgid/r-ex4m/ou-ex4m-nowhere01", None),
    ("unknown-policy", "o-exampleorgid/r-ex4m", Some("p-nosuchpolicy")),
];

const PAYMENTS: &str =
    "o-exampleorgid/r-ex4m/ou-ex4m-workload1/ou-ex4m-product01/ou-ex4m-payment01";
const VAULT: &str =
    "o-exampleorgid/r-ex4m/ou-ex4m-workload1/ou-ex4m-product01/ou-ex4m-payment01/012345678901";
const QUIET: &str = "o-exampleorgid/r-ex4m/ou-ex4m-workload1/ou-ex4m-develop01/999999999999";
const SANDBOX: &str = "o-exampleorgid/r-ex4m/ou-ex4m-sandbox01";
const LAB: &str = "o-exampleorgid/r-ex4m/ou-ex4m-sandbox01/210987654321";

/// The date of every job in `testdata/expected`.
const JOB_DATE: &str = "2026-02-01T00:00:00.000Z";

/// The published facts, if they are there.
static FACTS: LazyLock<Option<Facts>> = LazyLock::new(facts::read);

/// Said where the facts are absent.
pub(crate) const NO_FACTS: &str = "did not run: there is no ../shared/catalog beside the project";

/// Returns whether the twin has the facts that its reports need.
pub(crate) fn has_facts() -> bool {
    FACTS.is_some()
}

/// Reports one entity as `GetOrganizationsAccessReport` does, without the dates of a job.
///
/// `logs` is a file or a directory, `organization` a snapshot of one file. Needs the facts.
pub(crate) fn report(
    logs: &Path,
    organization: &Path,
    entity_path: &str,
    policy_id: Option<&str>,
) -> Value {
    Twin::read(logs, organization).report(entity_path, policy_id)
}

/// Sums up the records of a file or a directory as `testdata/expected/coverage.json` does (V2).
pub(crate) fn coverage(logs: &Path) -> Value {
    let records = logs::read(logs).records;
    let (mut counted, mut malformed, mut set_aside) = (0, 0, BTreeMap::new());
    for record in &records {
        match attribution(record) {
            Decision::Counted(_) => counted += 1,
            Decision::Malformed => malformed += 1,
            Decision::SetAside(reason) => *set_aside.entry(reason).or_insert(0) += 1,
        }
    }
    let total = records.len();
    json!({"Records": {
        "Total": total, "Counted": counted, "SetAside": set_aside, "Malformed": malformed,
    }})
}

/// Logs and organization, read once for many reports.
pub(crate) struct Twin {
    accesses: Vec<Access>,
    tree: Tree,
}

impl Twin {
    /// Reads the logs and the snapshot.
    pub(crate) fn read(logs: &Path, organization: &Path) -> Self {
        Self { accesses: accesses(&logs::read(logs)), tree: Tree::read(organization) }
    }

    /// Returns the path of every root, unit and account.
    pub(crate) fn entity_paths(&self) -> Vec<String> {
        self.tree.entity_paths()
    }

    /// Returns the rows with data of an entity's report.
    fn data_of(&self, entity_path: &str) -> Vec<Value> {
        let report = self.report(entity_path, None);
        let rows = report["AccessDetails"].as_array().unwrap().iter();
        rows.filter(|row| row.get("LastAuthenticatedTime").is_some()).cloned().collect()
    }

    /// Reports one entity; see [`report`].
    pub(crate) fn report(&self, entity_path: &str, policy_id: Option<&str>) -> Value {
        report_of(&self.accesses, &self.tree, entity_path, policy_id)
    }
}

/// Returns the accesses of all records that count.
fn accesses(records: &Records) -> Vec<Access> {
    let decisions = records.records.iter().map(attribution);
    decisions
        .filter_map(|decision| match decision {
            Decision::Counted(access) => Some(access),
            Decision::SetAside(_) | Decision::Malformed => None,
        })
        .collect()
}

/// The latest of an account: time, event id, Region; the greatest wins (A27).
type Attempt<'a> = (i64, Option<&'a str>, Option<&'a str>);

fn report_of(accesses: &[Access], tree: &Tree, path: &str, policy: Option<&str>) -> Value {
    let facts = FACTS.as_ref().expect("the facts are there");
    let Some(entity) = tree.at(path) else {
        return failed(
            "The entity with the specified path does not exist in your organization.",
            "INVALID_ORGANIZATIONS_ENTITY_PATH",
        );
    };
    let is_management = entity == tree.management;
    let policy = policy.filter(|_| !is_management);
    if policy.is_some_and(|policy| !tree.policies.contains_key(policy)) {
        return failed(
            "The policy with the specified ID does not exist in your organization.",
            "INVALID_ORGANIZATIONS_POLICY",
        );
    }
    let services: BTreeSet<String> = match policy {
        _ if is_management => facts.services.keys().cloned().collect(),
        Some(policy) => policy::allowed_services(facts, &[vec![&tree.policies[policy]]]),
        None => policy::allowed_services(facts, &tree.documents(&entity)),
    };
    let scope = tree.scope(&entity, policy);
    let rows: Vec<Value> = services
        .iter()
        .map(|namespace| {
            let mut latest: BTreeMap<&str, Attempt<'_>> = BTreeMap::new();
            for access in accesses {
                if scope.contains(&access.account)
                    && facts.namespace(&access.source) == Some(namespace)
                {
                    let attempt =
                        (access.time, access.event_id.as_deref(), access.region.as_deref());
                    let known = latest.entry(&access.account).or_insert(attempt);
                    *known = attempt.max(*known);
                }
            }
            row(&facts.services[namespace].name, namespace, &latest, tree)
        })
        .collect();
    let unused = rows.iter().filter(|row| row["TotalAuthenticatedEntities"] == 0).count();
    json!({
        "JobStatus": "COMPLETED",
        "NumberOfServicesAccessible": rows.len(),
        "NumberOfServicesNotAccessed": unused,
        "AccessDetails": rows,
        "IsTruncated": false,
    })
}

/// Makes one row of a report (O4, O5).
fn row(name: &str, namespace: &str, latest: &BTreeMap<&str, Attempt<'_>>, tree: &Tree) -> Value {
    let mut row = Map::new();
    row.insert("ServiceName".to_owned(), json!(name));
    row.insert("ServiceNamespace".to_owned(), json!(namespace));
    row.insert("TotalAuthenticatedEntities".to_owned(), json!(latest.len()));
    let paths = latest.iter().map(|(account, attempt)| (*attempt, tree.path(account)));
    if let Some(((time, _, region), path)) = paths.max() {
        if let Some(region) = region {
            row.insert("Region".to_owned(), json!(region));
        }
        row.insert("EntityPath".to_owned(), json!(path));
        row.insert("LastAuthenticatedTime".to_owned(), json!(print_time(time)));
    }
    Value::Object(row)
}

fn failed(message: &str, code: &str) -> Value {
    json!({
        "JobStatus": "FAILED",
        "IsTruncated": false,
        "ErrorDetails": {"Message": message, "Code": code},
    })
}

/// Adds the dates of the jobs of `testdata/expected`.
fn dated(mut report: Value) -> Value {
    report["JobCreationDate"] = json!(JOB_DATE);
    report["JobCompletionDate"] = json!(JOB_DATE);
    report
}

/// Prints a report with the members in AWS's order, a row a line.
fn printed(report: &Value) -> String {
    let members = [
        "JobStatus",
        "JobCreationDate",
        "JobCompletionDate",
        "NumberOfServicesAccessible",
        "NumberOfServicesNotAccessed",
        "AccessDetails",
        "IsTruncated",
        "ErrorDetails",
    ];
    let object = |value: &Value, names: &[&str]| -> String {
        let present = names.iter().filter_map(|name| Some((name, value.get(name)?)));
        let written: Vec<String> = present.map(|(n, v)| format!("\"{n}\": {v}")).collect();
        format!("{{{}}}", written.join(", "))
    };
    let lines: Vec<String> = members
        .iter()
        .filter_map(|name| Some((*name, report.get(name)?)))
        .map(|(name, value)| match value {
            Value::Array(rows) if rows.is_empty() => format!(" \"{name}\": []"),
            Value::Array(rows) => {
                let order = [
                    "ServiceName",
                    "ServiceNamespace",
                    "Region",
                    "EntityPath",
                    "LastAuthenticatedTime",
                    "TotalAuthenticatedEntities",
                ];
                let rows: Vec<String> =
                    rows.iter().map(|row| format!("  {}", object(row, &order))).collect();
                format!(" \"{name}\": [\n{}\n ]", rows.join(",\n"))
            }
            Value::Object(_) => format!(" \"{name}\": {}", object(value, &["Message", "Code"])),
            value => format!(" \"{name}\": {value}"),
        })
        .collect();
    format!("{{\n{}\n}}\n", lines.join(",\n"))
}

/// A dump made by the generator beside the project.
pub(crate) struct Dump {
    folder: tempfile::TempDir,
}

impl Dump {
    /// The directory of the log files.
    pub(crate) fn logs(&self) -> PathBuf {
        self.folder.path().join("AWSLogs")
    }

    /// The organization snapshot.
    pub(crate) fn organization(&self) -> PathBuf {
        self.folder.path().join("organization.json")
    }
}

/// Generates a realistic dump of 3 MB, 12 accounts and 60 days, or says why it could not.
pub(crate) fn realistic_dump() -> Result<Dump, String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/tools/generate.py");
    if !Path::new(script).is_file() {
        return Err("did not run: there is no ../shared/tools beside the project".to_owned());
    }
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("python3");
    command.arg(script).arg("--out").arg(folder.path());
    command.args("--bytes 3e6 --accounts 12 --days 60 --seed 5".split(' '));
    let output = command.output().map_err(|error| format!("did not run: python3: {error}"))?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(Dump { folder })
}

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata")
}

fn json_file(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// Compares each rule's records with the decisions written beside them.
fn check_decisions(rules: &[&str]) {
    let mut seen = BTreeMap::new();
    for entry in fs::read_dir(testdata().join("events")).unwrap() {
        let path = entry.unwrap().path();
        let case = json_file(&path);
        let rule = case["Rule"].as_str().unwrap().to_owned();
        let decision = match attribution(&case["Record"]) {
            Decision::Counted(access) => {
                json!({"Counts": true, "Account": access.account, "Principal": access.principal})
            }
            Decision::SetAside(reason) => json!({"Counts": false, "Reason": reason}),
            Decision::Malformed => json!({"Counts": false, "Reason": "malformed"}),
        };
        if rules.contains(&rule.as_str()) {
            assert_eq!(decision, case["Expected"], "{}", path.display());
            *seen.entry(rule).or_insert(0) += 1;
        }
    }
    assert!(rules.iter().all(|rule| seen.get(*rule).is_some_and(|n| *n >= 2)), "{seen:?}");
}

#[test]
fn a1_to_a9_the_twin_decides_as_written_beside_each_event() {
    check_decisions(&["A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8", "A9"]);
}

#[test]
fn a10_to_a19_the_twin_decides_as_written_beside_each_event() {
    check_decisions(&["A10", "A11", "A12", "A13", "A14", "A15", "A16", "A17", "A18", "A19"]);
}

#[test]
fn a20_to_a26_the_twin_decides_as_written_beside_each_event() {
    check_decisions(&["A20", "A21", "A22", "A23", "A24", "A26", "V2"]);
}

#[test]
fn v2_the_records_of_the_testdata_add_up() {
    let logs = testdata().join("logs");
    assert_eq!(coverage(&logs), json_file(&testdata().join("expected/coverage.json")));
    let readme = fs::read_to_string(testdata().join("README.md")).unwrap();
    let records = &coverage(&logs)["Records"];
    let reasons = records["SetAside"].as_object().unwrap().iter();
    let totals =
        ["Total", "Counted", "Malformed"].map(|name| (name.to_lowercase(), &records[name]));
    for (name, number) in reasons.map(|(name, n)| (name.clone(), n)).chain(totals) {
        assert!(readme.contains(&format!("| {name} | {number} |")), "README.md: {name} {number}");
    }
    let other_files = logs::read(&logs).other_files;
    assert_eq!(other_files.len(), 4, "{other_files:?}");
}

#[test]
fn a27_the_latest_attempts_are_those_that_the_labels_add_up_to() {
    let mut latest: BTreeMap<String, BTreeMap<String, Attempt<'_>>> = BTreeMap::new();
    let accesses = accesses(&logs::read(&testdata().join("logs")));
    for access in &accesses {
        let attempt = (access.time, access.event_id.as_deref(), access.region.as_deref());
        let account = latest.entry(access.account.clone()).or_default();
        let known = account.entry(access.source.clone()).or_insert(attempt);
        *known = attempt.max(*known);
    }
    let folded: BTreeMap<_, BTreeMap<_, _>> = latest
        .into_iter()
        .map(|(account, sources)| {
            let print = |(time, id, region)| json!([print_time(time), region, id]);
            (account, sources.into_iter().map(|(s, attempt)| (s, print(attempt))).collect())
        })
        .collect();
    assert_eq!(json!(folded), json_file(&testdata().join("expected/last-accesses.json")));
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the one switch of the tests: rewrite what is expected"
)]
fn the_expected_reports_are_the_twins() {
    if !has_facts() {
        eprintln!("the_expected_reports_are_the_twins {NO_FACTS}");
        return;
    }
    let regenerate = std::env::var_os("TRAILFOLD_REGENERATE").is_some();
    let twin = Twin::read(&testdata().join("logs"), &testdata().join("organization.json"));
    for (name, entity_path, policy_id) in CASES {
        let text = printed(&dated(twin.report(entity_path, policy_id)));
        let path = testdata().join("expected").join(format!("{name}.json"));
        if regenerate {
            fs::write(&path, &text).unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "{name}");
    }
}

#[test]
fn the_management_account_takes_no_notice_of_a_policy() {
    if !has_facts() {
        eprintln!("the_management_account_takes_no_notice_of_a_policy {NO_FACTS}");
        return;
    }
    let (logs, organization) = (testdata().join("logs"), testdata().join("organization.json"));
    let path = "o-exampleorgid/r-ex4m/111122223333";
    let with = report(&logs, &organization, path, Some("p-quarant01"));
    assert_eq!(with, report(&logs, &organization, path, None));
}

/// Returns the services that one level of documents allows.
fn services_of(documents: &[Value]) -> Vec<String> {
    let facts = FACTS.as_ref().unwrap();
    policy::allowed_services(facts, &[documents.iter().collect()]).into_iter().collect()
}

#[test]
fn s7_the_twin_lists_what_the_real_service_listed() {
    if !has_facts() {
        eprintln!("s7_the_twin_lists_what_the_real_service_listed {NO_FACTS}");
        return;
    }
    let statement = |effect: &str, action: Value, resource: &str| json!({"Statement": {"Effect": effect, "Action": action, "Resource": resource}});
    let three = json!(["s3:GetObject", "iam:GetUser", "sqs:SendMessage"]);
    assert_eq!(services_of(&[statement("Allow", three, "*")]), ["iam", "s3", "sqs"]);
    assert_eq!(services_of(&[statement("Deny", json!("s3:*"), "*")]), [""; 0]);
    let get = |resource: &str| statement("Allow", json!("s3:GetObject"), resource);
    let deny = |resource: &str| statement("Deny", json!("s3:*"), resource);
    assert_eq!(services_of(&[get("arn:aws:s3:::bucket")]), [""; 0]);
    assert_eq!(services_of(&[get("arn:aws:s3:::a/*"), deny("arn:aws:s3:::a/*")]), [""; 0]);
    assert_eq!(services_of(&[get("arn:aws:s3:::a/*"), deny("arn:aws:s3:::b/*")]), ["s3"]);
    let everything = services_of(&[statement("Allow", json!("*"), "*")]);
    assert_eq!(everything.len(), FACTS.as_ref().unwrap().services.len());
}

#[test]
fn s8_wildcards_of_several_patterns_are_tried_together() {
    if !has_facts() {
        eprintln!("s8_wildcards_of_several_patterns_are_tried_together {NO_FACTS}");
        return;
    }
    let chain = |resources: [&str; 2]| -> usize {
        let documents = resources.map(|resource| {
            json!({"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": resource}})
        });
        let levels: Vec<Vec<&Value>> = documents.iter().map(|document| vec![document]).collect();
        policy::allowed_services(FACTS.as_ref().unwrap(), &levels).len()
    };
    assert_eq!(chain(["arn:aws:s3:::logs-*", "arn:aws:s3:::*-2026/*"]), 1);
    assert_eq!(chain(["arn:aws:s3:::logs-*", "arn:aws:s3:::data-*"]), 0);
    assert_eq!(chain(["arn:*:s3", "arn:aws:s3:::${aws:username}/*"]), 1);
}

#[test]
fn the_script_writes_what_is_committed() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("python3");
    command.arg(testdata().join("make.py")).arg("--out").arg(folder.path());
    let Ok(output) = command.output() else {
        eprintln!("the_script_writes_what_is_committed did not run: there is no python3");
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let made = logs::files(folder.path());
    assert!(made.len() > 200, "{}", made.len());
    for path in made {
        let committed = testdata().join(path.strip_prefix(folder.path()).unwrap());
        // Another zlib may pack the same bytes in another way.
        let same = logs::unpacked(&fs::read(&path).unwrap())
            == logs::unpacked(&fs::read(&committed).unwrap());
        assert!(same, "{} differs", committed.display());
    }
}

#[test]
fn a_realistic_dump_holds_no_attempt_that_its_own_record_denies() {
    let dump = match realistic_dump() {
        Ok(dump) => dump,
        Err(reason) => {
            eprintln!("a_realistic_dump_holds_no_attempt_that_its_own_record_denies {reason}");
            return;
        }
    };
    let truth = json_file(&dump.organization().with_file_name("truth.json"));
    let accesses = accesses(&logs::read(&dump.logs()));
    assert!(accesses.len() > 1000, "{}", accesses.len());
    for access in accesses {
        let service = access.source.strip_suffix(".amazonaws.com").unwrap();
        let latest = truth["last"][&access.account][service][0].as_str().unwrap();
        assert!(print_time(access.time).as_str() <= latest, "{access:?}");
    }
}

#[test]
fn o4_in_a_realistic_dump_the_root_is_the_join_of_its_accounts() {
    let name = "o4_in_a_realistic_dump_the_root_is_the_join_of_its_accounts";
    let dump = match realistic_dump() {
        Ok(dump) if has_facts() => dump,
        Ok(_) => return eprintln!("{name} {NO_FACTS}"),
        Err(reason) => return eprintln!("{name} {reason}"),
    };
    let twin = Twin::read(&dump.logs(), &dump.organization());
    let paths = twin.entity_paths();
    let root = paths.iter().min_by_key(|path| path.len()).unwrap();
    let management = twin.tree.path(&twin.tree.management);
    let mut joined: BTreeMap<String, (String, u64)> = BTreeMap::new();
    for path in paths.iter().filter(|path| **path != management && is_account(path)) {
        // The root lists every service, an account perhaps fewer.
        for row in twin.data_of(path) {
            let known = joined.entry(row["ServiceNamespace"].to_string()).or_default();
            let time = row["LastAuthenticatedTime"].as_str().unwrap().to_owned();
            *known = (time.max(known.0.clone()), known.1 + 1);
        }
    }
    let of_root: BTreeMap<String, (String, u64)> = twin
        .data_of(root)
        .iter()
        .map(|row| {
            let time = row["LastAuthenticatedTime"].as_str().unwrap().to_owned();
            let total = row["TotalAuthenticatedEntities"].as_u64().unwrap();
            (row["ServiceNamespace"].to_string(), (time, total))
        })
        .collect();
    assert!(of_root.len() > 50, "{}", of_root.len());
    for (namespace, of_accounts) in joined {
        let (time, total) = &of_root[&namespace];
        assert!(*time >= of_accounts.0 && *total >= of_accounts.1, "{namespace}");
    }
}

/// Returns whether an entity path ends at an account.
fn is_account(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()))
}
