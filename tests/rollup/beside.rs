//! Rollups with logs beside them: periods that cut a day, sources that are not folded yet, and
//! sources that changed.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use super::logs::{DAYS, Dice, dump, event, gzip, log};
use super::{Kind, Place, Report, shift};

const NOON: [&str; 2] = ["--until", "2026-01-11T12:00:00Z"];

/// Writes a log with events at these times.
fn at(place: &Place, name: &str, times: &[&str]) -> PathBuf {
    let events: Vec<_> = times
        .iter()
        .map(|time| event("555555555555", "s3", &format!("Get{}", name.len()), time))
        .collect();
    place.file(format!("logs/{name}"), log(&events))
}

/// Folds a few logs of which some have events on either side of the noon of a day.
fn days(place: &Place) {
    at(place, "morning.json", &["2026-01-11T08:00:00Z", "2026-01-11T12:00:00Z"]);
    at(place, "evening.json", &["2026-01-11T12:00:00.000001Z", "2026-01-11T20:00:00Z"]);
    at(
        place,
        "late.json",
        &["2026-01-10T09:00:00Z", "2026-01-11T09:00:00Z", "2026-01-14T09:00:00Z"],
    );
    at(place, "other.json", &["2026-01-10T20:00:00Z", "2026-01-12T02:00:00Z"]);
    place.roll(&["logs"], "rollup");
}

#[test]
fn a_period_that_cuts_a_day_is_refused_with_the_sources_that_it_takes() {
    let place = Place::new();
    days(&place);
    let run = place.run(&["report", "organizations", "rollup", NOON[0], NOON[1], "-q"]);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert!(run.stdout.is_empty());
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert_eq!(lines[..2], [place.arg("logs/late.json"), place.arg("logs/morning.json")]);
    assert_eq!(lines.len(), 3, "{}", run.stderr);
    for word in ["error: ", "2026-01-11", "sources: 2", "whole days"] {
        assert!(lines[2].contains(word), "{}", run.stderr);
    }
    // Some of them do not do.
    let morning = place.arg("logs/morning.json");
    let run = place.run(&["report", "organizations", "rollup", &morning, NOON[0], NOON[1], "-q"]);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert!(run.stderr.starts_with(&format!("{}\n", place.arg("logs/late.json"))));
    assert!(run.stderr.contains("sources: 1"), "{}", run.stderr);
}

#[test]
fn a_period_that_cuts_a_day_reads_the_sources_of_that_day_and_no_others() {
    let place = Place::new();
    days(&place);
    let expected = place.report(&[place.path("logs")], &NOON);
    let (rollup, logs) = (place.path("rollup"), place.path("logs"));
    let needed = [place.path("logs/late.json"), place.path("logs/morning.json")];
    let given = [std::slice::from_ref(&rollup), &needed[..]].concat();
    place.report(&given, &NOON).is(&expected, "what was listed");
    place.report(&[rollup.clone(), logs.clone()], &NOON).is(&expected, "all logs");
    // What is not needed is not looked into.
    for name in ["evening.json", "other.json"] {
        let path = place.path(format!("logs/{name}"));
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        let length = fs::metadata(&path).unwrap().len();
        fs::write(&path, vec![b'!'; usize::try_from(length).unwrap()]).unwrap();
        super::set_modified(&path, modified);
    }
    let report = place.report(&[rollup, logs], &NOON);
    report.is(&expected, "all logs, some unreadable");
    assert!(
        report.stderr.contains("of which again, for days that the period cuts: 2"),
        "{}",
        report.stderr
    );
}

#[test]
fn a_period_cuts_no_day_of_which_all_events_lie_on_one_side() {
    let place = Place::new();
    days(&place);
    for period in [
        ["--until", "2026-01-10T20:00:00Z"],
        ["--until", "2026-01-12T02:00:00Z"],
        ["--since", "2026-01-10T08:59:59Z"],
        ["--since", "2026-01-14T08:59:59.999999Z"],
    ] {
        let expected = place.report(&[place.path("logs")], &period);
        place.report(&[place.path("rollup")], &period).is(&expected, period[1]);
    }
    for period in [
        ["--until", "2026-01-10T19:59:59.999999Z"],
        ["--since", "2026-01-10T09:00:00Z"],
        ["--tracking-period", "4d"],
    ] {
        let run = place.run(&["report", "organizations", "rollup", "-q", period[0], period[1]]);
        assert_eq!(run.code, Some(2), "{period:?}: {}", run.stderr);
        let expected = place.report(&[place.path("logs")], &period);
        let both = [place.path("logs"), place.path("rollup")];
        place.report(&both, &period).is(&expected, period[1]);
    }
}

#[test]
fn every_period_is_answered_with_the_logs_beside_the_rollup() {
    let place = Place::new();
    let files = dump(&place, 21, 40);
    // The last quarter is not folded yet.
    place.roll(&files[..files.len() / 2], "rollup");
    place.roll(&files[files.len() / 2..files.len() * 3 / 4], "rollup");
    let both = [place.path("rollup"), place.path("logs")];
    let mut dice = Dice(22);
    for round in 0..12 {
        let mut bound = || {
            let time = dice.pick(&["00:00:00", "07:00:00", "07:00:00.5", "13:59:59", "21:00:01"]);
            format!("{}T{time}Z", dice.pick(&DAYS))
        };
        let mut bounds = [bound(), bound()];
        bounds.sort_unstable();
        let period = match round % 4 {
            _ if bounds[0] == bounds[1] => vec!["--until", &bounds[1]],
            0 => vec!["--since", &bounds[0]],
            1 => vec!["--until", &bounds[1]],
            2 => vec!["--tracking-period", "37h", "--until", &bounds[1]],
            _ => vec!["--since", &bounds[0], "--until", &bounds[1]],
        };
        let kind = [Kind::Organizations, Kind::Service][round % 2];
        let more = [&period[..], &["--allow-empty"]].concat();
        let logs = place.report_of(kind, &[place.path("logs")], &more);
        place.report_of(kind, &both, &more).is(&logs, &format!("{period:?}"));
    }
    let newest = ["--tracking-period", "50h"];
    let logs = place.report(&[place.path("logs")], &newest);
    place.report(&both, &newest).is(&logs, "up to the newest event");
}

#[test]
fn a_source_counts_once_whether_it_is_folded_or_given_or_both_or_changed_since() {
    let place = Place::new();
    let files = dump(&place, 23, 30);
    place.roll(&files, "rollup");
    let (rollup, logs) = (place.path("rollup"), place.path("logs"));
    let whole = place.report(&[&logs], &[]);
    place.report(&[&logs, &rollup], &[]).is(&whole, "all folded, all given");
    place.report(&[&rollup, &files[3], &files[4]], &[]).is(&whole, "all folded, some given");
    // More at the end of a file, a file touched, a file that is new.
    let grown = place.path("logs/2026/01/10/grown.json");
    let more = |times: &[&str]| {
        log(&times
            .iter()
            .map(|time| event("555555555555", "sqs", "SendMessage", time))
            .collect::<Vec<_>>())
    };
    fs::write(&grown, more(&["2026-01-10T01:00:00Z"])).unwrap();
    place.roll(&[&grown], "rollup");
    fs::write(&grown, more(&["2026-01-10T01:00:00Z", "2026-01-15T23:59:59.75Z"])).unwrap();
    shift(&files[5], 100);
    place.file("logs/new.json.gz", gzip(more(&["2026-01-16T00:00:00Z"])));
    let whole = place.report(&[&logs], &[]);
    let report = place.report(&[&logs, &rollup], &[]);
    report.is(&whole, "changed");
    assert!(report.stderr.contains("that the period cuts: 0"), "{}", report.stderr);
    // The same once that is folded, too.
    place.roll(&[&logs], "rollup");
    place.report(&[&rollup], &[]).is(&whole, "changed and folded");
    assert_eq!(place.run(&["rollup", "--compact", "rollup"]).code, Some(0));
    place.report(&[&rollup, &logs], &[]).is(&whole, "changed, folded and compacted");
}

#[test]
fn what_a_file_held_before_it_was_written_anew_was_logged_all_the_same() {
    let place = Place::new();
    let path = at(&place, "current.json", &["2026-01-11T08:00:00Z"]);
    let later = event("555555555555", "sqs", "SendMessage", "2026-01-11T20:00:00Z");
    let earlier = event("555555555555", "sns", "Publish", "2026-01-10T20:00:00Z");
    place.file("logs/other.json", log(&[earlier, later]));
    place.roll(&["logs"], "rollup");
    fs::create_dir(place.path("before")).unwrap();
    fs::copy(&path, place.path("before/current.json")).unwrap();
    at(&place, "current.json", &["2026-01-14T08:00:00Z"]);
    shift(&path, 5);
    place.roll(&["logs"], "rollup");
    let (logs, before, rollup) = (place.path("logs"), place.path("before"), place.path("rollup"));
    for period in [&["--until", "2026-01-11"][..], &NOON] {
        let expected = place.report(&[&logs, &before], period).report;
        // It was read from its first place.
        let expected = String::from_utf8(expected).unwrap().replace("/before/", "/logs/");
        let report = place.report(&[&rollup, &logs], period);
        assert!(report.report == expected.as_bytes(), "{period:?}");
        // Counts are those of the files as they stand now.
        assert_eq!(report.coverage, place.report(&[&logs], period).coverage);
    }
}

#[test]
fn a_rollup_within_the_dump_is_no_log() {
    let place = Place::new();
    dump(&place, 24, 12);
    let expected = place.report(&[place.path("logs")], &[]);
    for _ in 0..2 {
        place.roll(&["logs"], "logs/rollup");
    }
    let (logs, rollup) = (place.path("logs"), place.path("logs/rollup"));
    place.report(&[&rollup], &[]).is(&expected, "alone");
    place.report(&[&logs, &rollup], &[]).is(&expected, "with the dump");
    place.report(&[&rollup, &logs], &[]).is(&expected, "before the dump");
    // Whoever does not name it is told.
    let Report { stderr, .. } = place.report(&[&logs], &[]);
    let rollups: BTreeSet<&str> =
        stderr.lines().filter(|line| line.contains("logs/rollup")).collect();
    assert_eq!(rollups.len(), 1, "{stderr}");
}

#[test]
fn patterns_and_relative_names_find_the_same_sources() {
    let place = Place::new();
    dump(&place, 25, 12);
    place.roll(&["logs"], "rollup");
    let expected = place.report(&[place.path("logs")], &[]);
    for inputs in
        [["rollup", "logs"], ["./rollup", "lo*"], ["roll*", "logs"], ["rollup/../rollup", "./logs"]]
    {
        place.report(&inputs, &[]).is(&expected, inputs[0]);
    }
}
