//! Wrong arguments are refused before a single log is read.

use super::{Place, Run, testdata};

/// Runs with an input that would be a problem if anybody looked at it.
fn run(args: &[&str]) -> Run {
    let place = Place::new();
    let snapshot = testdata("organization.json");
    place.run(&[&["good.json", "--organization", &snapshot], args].concat())
}

#[track_caller]
fn usage(args: &[&str], words: &str) {
    let run = run(args);
    assert_eq!((run.code, run.stdout.len()), (Some(2), 0), "{}", run.stderr);
    let first = run.stderr.lines().next().unwrap();
    assert!(first.starts_with("error: ") && first.contains(words), "{}", run.stderr);
}

#[test]
fn what_the_command_line_does_not_know_is_a_mistake_of_usage() {
    usage(&["--format", "xml"], "'xml'");
    usage(&["--max-items", "abc"], "'abc'");
    usage(&["--threads", "0"], "'0'");
    usage(&["--sort-key", "NAME"], "'NAME'");
    usage(&["--frobnicate"], "--frobnicate");
    usage(&["--since", "2026-01-01", "--tracking-period", "1d"], "--tracking-period");
    usage(&["--all-entities", "--max-items", "5"], "--max-items");
    let place = Place::new();
    let without = place.run(&["good.json", "--policy-id", "p-FullAWSAccess"]);
    assert_eq!((without.code, without.stdout.len()), (Some(2), 0));
    assert!(without.stderr.contains("--organization"), "{}", without.stderr);
    let nothing = place.run::<&str>(&[]);
    assert_eq!((nothing.code, nothing.stdout.len()), (Some(2), 0));
    assert!(nothing.stderr.contains("<INPUT>"), "{}", nothing.stderr);
}

#[test]
fn p2_periods_that_make_no_sense_are_refused() {
    run(&["--since", "2026-02-02", "--until", "2026-02-01"]).is_refused("--until is not later");
    run(&["--since", "tomorrow"]).is_refused("--since: `tomorrow` is neither a day");
    run(&["--until", "2026-02-30"]).is_refused("--until: `2026-02-30` is neither a day");
    run(&["--tracking-period", "5x"]).is_refused("--tracking-period: `5x` is no length");
}

#[test]
fn o8_pages_that_do_not_exist_are_refused() {
    let one = "ValidationError: 1 validation error detected";
    run(&["--max-items", "0"]).is_refused(&format!("{one}: Value '0' at 'maxItems'"));
    run(&["--max-items", "1001"]).is_refused(&format!("{one}: Value '1001' at 'maxItems'"));
    run(&["--marker", "garbage"]).is_refused("ValidationError: Invalid Marker.");
    run(&["--marker", ""]).is_refused("ValidationError: Invalid Marker.");
    let page = run(&["--max-items", "2"]).reports(0);
    let marker = page["Marker"].as_str().unwrap();
    run(&["--max-items", "2", "--marker", marker]).reports(0);
    let words = "InvalidInput: The marker passed in the request was invalid.";
    let descending = ["--marker", marker, "--sort-key", "SERVICE_NAMESPACE_DESCENDING"];
    run(&descending).is_refused(words);
    run(&["--marker", marker, "--entity-path", "o-exampleorgid/r-ex4m/111122223333"])
        .is_refused(words);
}

#[test]
fn o10_what_iam_refuses_without_a_job_is_refused_before_reading() {
    let place = Place::new();
    let snapshot = testdata("organization.json");
    let run = |args: &[&str]| {
        // Reading the input would be an error of its own.
        place.run(&[&["nowhere.json", "--organization", &snapshot], args].concat())
    };
    let (one, two) = ("1 validation error detected", "2 validation errors detected");
    let refused = |args: &[&str], words: String| {
        run(args).is_refused(&format!("ValidationError: {words}"));
    };
    refused(&["--entity-path", "foo"], format!("{two}: Value 'foo' at 'entityPath'"));
    refused(&["--policy-id", "x"], format!("{one}: Value 'x' at 'organizationsPolicyId'"));
    refused(&["--max-items", "0"], format!("{one}: Value '0' at 'maxItems'"));
    run(&["--entity-path", "o-otherorg123/r-ex4m"]).is_refused("AccessDenied: ");
}

#[test]
fn o1_o10_an_unknown_policy_fails_for_every_entity_but_the_management_account() {
    let run = run(&["--all-entities", "--policy-id", "p-nosuchpolicy"]);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    let mut completed = Vec::new();
    for line in String::from_utf8(run.stdout).unwrap().lines() {
        let report: serde_json::Value = serde_json::from_str(line).unwrap();
        if report["Report"]["JobStatus"] == "COMPLETED" {
            completed.push(report["EntityPath"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(completed, ["o-exampleorgid/r-ex4m/111122223333"]);
}

#[test]
fn v2_a_snapshot_of_another_organization_is_no_report_of_nothing_used() {
    let place = Place::new();
    let strangers = super::log(3).replace("111122223333", "998877665544");
    place.file("strangers.json", strangers);
    let snapshot = testdata("organization.json");
    let args = ["strangers.json", "--organization", &snapshot];
    place
        .run(&args)
        .is_refused("outside the organization `o-exampleorgid`: 1, the first `998877665544`");
    place
        .run(&[&args[..], &["nowhere.json"]].concat())
        .is_refused("problems of reading: 1, the first nowhere.json: ");
    place.run(&[&args[..], &["--allow-empty"]].concat()).reports(0);
}

#[test]
fn a_kind_of_record_is_counted_or_set_aside_and_not_both() {
    run(&["--count", "console-sign-ins", "--set-aside", "console-sign-ins"])
        .is_refused("--count and --set-aside: `console-sign-ins` is named by both");
}

#[test]
fn an_entity_path_needs_its_organization() {
    let place = Place::new();
    place
        .run(&["good.json", "--entity-path", "o-exampleorgid/r-ex4m"])
        .is_refused("give a snapshot of its organization with --organization");
}

#[test]
fn o10_an_unknown_entity_or_policy_is_a_failed_report() {
    let entity = ["--entity-path", "o-exampleorgid/r-ex4m/ou-ex4m-nowhere01"];
    for (args, code) in [
        (entity, "INVALID_ORGANIZATIONS_ENTITY_PATH"),
        (["--policy-id", "p-nosuchpolicy"], "INVALID_ORGANIZATIONS_POLICY"),
    ] {
        let report = run(&args).reports(2);
        assert_eq!(report["JobStatus"], "FAILED");
        assert_eq!(report["ErrorDetails"]["Code"], code);
        assert_eq!(report.get("AccessDetails"), None);
    }
}

#[test]
fn a_hostile_argument_is_shown_and_not_obeyed() {
    let hostile = "\u{1b}]0;x\u{7}\n\u{202e}";
    let run = run(&["--entity-path", hostile]);
    run.is_refused("\\u{1b}]0;x\\u{7}\\n\\u{202e}");
}
