//! The same logs give the same bytes, however they are given.

use std::fs;

use super::{Place, records_of, testdata};

const FORMATS: [&str; 6] = ["json", "arrow", "arrow-stream", "parquet", "csv", "table"];

/// Reports on `inputs`; returns the report and the coverage.
fn report(place: &Place, inputs: &[&str], more: &[&str]) -> (Vec<u8>, Vec<u8>) {
    let snapshot = testdata("organization.json");
    let fixed = ["-q", "--organization", &snapshot, "-o", "r", "--coverage", "c.json"];
    let run = place.run_making(&[inputs, &fixed, more].concat(), &["r", "c.json"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    (fs::read(place.path("r")).unwrap(), fs::read(place.path("c.json")).unwrap())
}

#[test]
fn neither_threads_nor_the_order_of_inputs_show_in_any_format() {
    let place = Place::new();
    let logs = testdata("logs");
    let (nested, more) = (format!("{logs}/AWSLogs"), format!("{logs}/damaged"));
    for format in FORMATS {
        let (expected, coverage) =
            report(&place, &["good.json", &nested, &more], &["--format", format]);
        for (threads, inputs) in [
            ("1", ["good.json", &nested, &more]),
            ("2", [&more, "good.json", &nested]),
            ("8", [&more, &nested, "good.json"]),
        ] {
            let same = report(&place, &inputs, &["--format", format, "--threads", threads]);
            assert!(same.0 == expected, "{format} with {threads} threads");
            assert!(same.1 == coverage, "{format} with {threads} threads");
        }
    }
    assert!(records_of(&place.path("c.json")) > 300);
}

#[test]
fn everything_given_twice_changes_nothing_but_which_copy_is_named() {
    let place = Place::new();
    let logs = testdata("logs");
    for entry in walkdir::WalkDir::new(&logs).into_iter().map(Result::unwrap) {
        if entry.file_type().is_file() {
            let below = entry.path().strip_prefix(&logs).unwrap();
            place.file(place.path("copy").join(below), fs::read(entry.path()).unwrap());
        }
    }
    for format in ["json", "csv", "table"] {
        let details = ["--format", format, "--details"];
        let told = |inputs: &[&str]| {
            let report = String::from_utf8(report(&place, inputs, &details).0).unwrap();
            let report = report.replace("./copy/", "copy/").replace("copy/../copy/", "copy/");
            report.replace("copy/", &format!("{logs}/"))
        };
        let once = told(&[&logs]);
        let records = records_of(&place.path("c.json"));
        assert!(told(&[&logs, "copy"]) == once, "{format}");
        assert_eq!(records_of(&place.path("c.json")), 2 * records);
        // The same place by another spelling is the same place.
        assert!(told(&["copy", "./copy", "copy/../copy"]) == once, "{format}");
        assert_eq!(records_of(&place.path("c.json")), records);
    }
    for format in ["json", "table"] {
        let once = report(&place, &[&logs], &["--format", format]).0;
        assert!(report(&place, &[&logs, "copy"], &["--format", format]).0 == once, "{format}");
    }
}
