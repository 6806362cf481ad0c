//! The program as a user runs it: the reports that it prints, whole.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::twin;

/// 2026-02-01T00:00:00Z, the job date of every expected report.
const JOB_DATE: &str = "1769904000";

fn trailfold() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trailfold"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env("SOURCE_DATE_EPOCH", JOB_DATE);
    command
}

fn organizations(logs: &Path, organization: &Path, more: &[&str]) -> Output {
    trailfold()
        .args(["report", "organizations"])
        .arg(logs)
        .arg("--organization")
        .arg(organization)
        .args(more)
        .output()
        .unwrap()
}

fn testdata(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name)
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|error| {
        panic!("{error}: {}", String::from_utf8_lossy(bytes));
    })
}

#[test]
fn o1_o2_o4_o5_o6_o10_s1_s6_the_reports_of_the_testdata_are_the_expected_ones() {
    for (name, entity_path, policy_id) in twin::CASES {
        let mut more = vec!["--entity-path", entity_path];
        more.extend(policy_id.iter().flat_map(|policy| ["--policy-id", policy]));
        let output = organizations(&testdata("logs"), &testdata("organization.json"), &more);
        let expected = fs::read(testdata(&format!("expected/{name}.json"))).unwrap();
        assert_eq!(json(&output.stdout), json(&expected), "{name}");
        // The damaged records of the testdata make every report incomplete.
        let failed = name.starts_with("unknown");
        assert_eq!(output.status.code(), Some(if failed { 2 } else { 1 }), "{name}");
    }
}

#[test]
fn v1_v2_the_coverage_of_the_testdata_is_the_expected_one() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("coverage.json");
    let file = file.to_str().unwrap();
    let (logs, organization) = (testdata("logs"), testdata("organization.json"));
    let output = organizations(&logs, &organization, &["--coverage", file]);
    assert_eq!(output.status.code(), Some(1));
    let coverage = json(&fs::read(file).unwrap());
    let mut expected = json(&fs::read(testdata("expected/coverage.json")).unwrap());
    // Its key tells what an Insight file is, so that its two records are never opened.
    let insights = expected["Records"]["SetAside"].as_object_mut().unwrap().remove("insight");
    let skipped = insights.unwrap().as_u64().unwrap();
    expected["Records"]["Total"] =
        (expected["Records"]["Total"].as_u64().unwrap() - skipped).into();
    assert_eq!(coverage["Records"], expected["Records"]);
    assert_eq!(coverage["Sources"]["SetAside"]["CloudTrail Insights events"]["Count"], 1);
    assert_eq!(coverage["Complete"], false);
    assert_eq!(coverage["Problems"].as_array().unwrap().len(), 5);
    let outside = &coverage["Organization"]["AccountsOutside"];
    let outside: Vec<&str> =
        outside.as_array().unwrap().iter().filter_map(|it| it["AccountId"].as_str()).collect();
    assert_eq!(outside, ["345678901234", "998877665544"], "A9, O14");
    assert_eq!(coverage["UnmappedEventSources"][0]["EventSource"], "quantumfax.amazonaws.com");
    assert_eq!(coverage["Catalog"]["Version"], trailfold::catalog::Catalog::embedded().version());
}

#[test]
fn the_reports_of_a_realistic_dump_are_the_twins() {
    if !twin::has_facts() {
        eprintln!("{}", twin::NO_FACTS);
        return;
    }
    let dump = match twin::realistic_dump() {
        Ok(dump) => dump,
        Err(reason) => {
            eprintln!("{reason}");
            return;
        }
    };
    let slow = twin::Twin::read(&dump.logs(), &dump.organization());
    let snapshot = json(&fs::read(dump.organization()).unwrap());
    let policies = snapshot["Policies"].as_array().unwrap();
    let policies = policies.iter().map(|policy| policy["Id"].as_str());
    let mut compared = 0;
    for policy in std::iter::once(None).chain(policies.map(Some).map(Option::flatten)) {
        let mut more = vec!["--all-entities"];
        more.extend(policy.iter().flat_map(|policy| ["--policy-id", policy]));
        let output = organizations(&dump.logs(), &dump.organization(), &more);
        assert_eq!(output.status.code(), Some(0));
        for line in output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let mut reply = json(line);
            let path = reply["EntityPath"].as_str().unwrap().to_owned();
            let report = reply["Report"].as_object_mut().unwrap();
            for date in ["JobCreationDate", "JobCompletionDate"] {
                assert_eq!(report.remove(date).unwrap(), "2026-02-01T00:00:00.000Z");
            }
            assert_eq!(reply["Report"], slow.report(&path, policy), "{path} {policy:?}");
            compared += 1;
        }
    }
    assert!(compared >= slow.entity_paths().len());
}

#[test]
fn what_the_program_prints_is_what_the_documents_show() {
    // What an older program left there would be reported on.
    let _ = fs::remove_dir_all("target/tmp/rollup-doc");
    trycmd::TestCases::new()
        .env("SOURCE_DATE_EPOCH", JOB_DATE)
        .case("testdata/cli/*.trycmd")
        .case("README.md");
}
