//! `trailfold explain` against the reports that it explains.

use std::fs;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

const LOGS: [&str; 2] = ["testdata/logs/AWSLogs", "testdata/logs-identities"];

/// Runs the program and returns its standard output, whatever could not be read.
fn run(args: &[&str]) -> Vec<u8> {
    let output = Command::new(env!("CARGO_BIN_EXE_trailfold"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(args)
        .arg("--quiet")
        .output()
        .unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn explain(line: &[&str], more: &[&str]) -> Value {
    let args = [&["explain"], &LOGS[..], line, &["--format", "json"], more].concat();
    serde_json::from_slice(&run(&args)).unwrap()
}

/// Compares the attempts of a row with those that an explanation shows; returns how many.
fn same_attempts(details: &Value, explained: &Value, line: &[&str]) -> usize {
    let members = ["LatestAttempt", "LatestSuccess", "LatestDenial", "FirstAttempt"];
    for member in members {
        let (reported, shown) = (&details[member], &explained[member]);
        assert_eq!(reported.is_null(), shown.is_null(), "{member} of {line:?}");
        for name in ["EventId", "Source", "Region", "EventSource", "EventName"] {
            assert_eq!(reported[name], shown[name], "{name} of {member} of {line:?}");
        }
        let record = &shown["Record"];
        assert_eq!(record["eventID"], shown["EventId"], "{member} of {line:?}");
    }
    members.iter().filter(|member| !details[**member].is_null()).count()
}

#[test]
fn a27_every_line_of_an_organizations_report_is_explained_by_its_own_event() {
    let report = ["report", "organizations"];
    let tree = ["--organization", "testdata/organization.json", "--all-entities", "--details"];
    let reports = run(&[&report, &LOGS[..], &tree].concat());
    let mut compared = 0;
    for report in serde_json::Deserializer::from_slice(&reports).into_iter::<Value>() {
        let report = report.unwrap();
        // An account's own report: what unites accounts rests on the same attempts.
        let path = report["EntityPath"].as_str().unwrap();
        let account = path.rsplit('/').next().unwrap();
        if !account.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        for row in report["Report"]["AccessDetails"].as_array().into_iter().flatten() {
            if row["TotalAuthenticatedEntities"] == 1 {
                let service = row["ServiceNamespace"].as_str().unwrap();
                let line = ["--account", account, "--service", service];
                compared += same_attempts(&row["Details"], &explain(&line, &[]), &line);
            }
        }
    }
    eprintln!("{compared} attempts of accounts traced to their records");
    assert!(compared > 60, "{compared}");
}

#[test]
fn i7_every_line_of_a_report_on_iam_entities_is_explained_by_its_own_event() {
    let snapshot = ["--identities", "testdata/identities"];
    let mut compared = 0;
    for arn in [
        "arn:aws:iam::555555555555:group/engineers",
        "arn:aws:iam::555555555555:role/web",
        "arn:aws:iam::555555555555:user/eng/ivy",
    ] {
        let whom = ["--arn", arn, "--granularity", "ACTION_LEVEL", "--details"];
        let report = run(&[&["report", "service"], &LOGS[..], &snapshot, &whom].concat());
        let report: Value = serde_json::from_slice(&report).unwrap();
        for row in report["ServicesLastAccessed"].as_array().unwrap() {
            let service = row["ServiceNamespace"].as_str().unwrap();
            let line =
                ["--account", "555555555555", "--service", service, "--principal", arn].to_vec();
            if row["LastAuthenticated"].is_string() {
                let explained = explain(&line, &snapshot);
                compared += same_attempts(&row["Details"], &explained, &line);
            }
            for action in row["TrackedActionsLastAccessed"].as_array().into_iter().flatten() {
                if action["LastAccessedTime"].is_string() {
                    let name = action["ActionName"].as_str().unwrap();
                    let line = [&line[..], &["--action", name]].concat();
                    let explained = explain(&line, &snapshot);
                    compared += same_attempts(&action["Details"], &explained, &line);
                }
            }
        }
    }
    eprintln!("{compared} attempts of IAM entities traced to their records");
    assert!(compared > 20, "{compared}");
}

#[test]
fn the_source_that_a_report_names_is_enough_to_see_the_event() {
    let line = ["--account", "222222222222", "--service", "s3"];
    let all = explain(&line, &[]);
    let source = all["LatestAttempt"]["Source"].as_str().unwrap();
    let args = [&["explain", source], &line[..], &["--format", "json"]].concat();
    let alone: Value = serde_json::from_slice(&run(&args)).unwrap();
    assert_eq!(alone["LatestAttempt"], all["LatestAttempt"]);
}

#[test]
fn neither_threads_nor_the_order_of_inputs_show() {
    let line = ["--account", "555555555555", "--service", "iam", "--runners-up", "3"];
    let explained = |logs: [&str; 2], threads| {
        run(&[&["explain"], &logs[..], &line, &["--threads", threads]].concat())
    };
    let one = explained(LOGS, "1");
    assert_eq!(one, explained([LOGS[1], LOGS[0]], "1"));
    assert_eq!(one, explained(LOGS, "3"));
}

#[test]
fn what_a_record_says_is_shown_and_not_obeyed() {
    let place = TempDir::new().unwrap();
    let file = place.path().join("a\u{202e}\u{1b}[2J.json");
    let record = r#"{"eventVersion":"1.08","userIdentity":{"type":"IAMUser","accountId":"111122223333",
        "arn":"arn:aws:iam::111122223333:user/\u001b[31m@ann"},"eventTime":"2026-01-15T12:00:00Z",
        "eventSource":"s3.amazonaws.com","eventName":"List\u0007@Buckets","awsRegion":"\u009b1m",
        "eventID":"=cmd|' /C calc'!A0\u001b]0;x\u0007","userAgent":"@\u202e","x":1.10}"#;
    fs::write(&file, record.replace('@', "\u{202e}")).unwrap();
    for format in ["text", "json"] {
        let line = ["--account", "111122223333", "--service", "s3", "--format", format];
        let shown = run(&[&["explain", file.to_str().unwrap()], &line[..]].concat());
        let shown = String::from_utf8(shown).unwrap();
        let acts =
            |it: char| it != '\n' && (it.is_control() || ('\u{202a}'..='\u{202e}').contains(&it));
        assert!(!shown.contains(acts), "{shown:?}");
        assert!(shown.contains("1.10") && shown.contains("Buckets"), "{shown:?}");
    }
}
