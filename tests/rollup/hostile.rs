//! Names and records of somebody who means harm, or who is merely unlucky.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;

use serde_json::json;

use super::logs::{event, log};
use super::{Kind, Place};

/// Reports over the logs and over a rollup of them must be the same.
#[track_caller]
fn is_same(place: &Place, what: &str) {
    for kind in [Kind::Organizations, Kind::Service] {
        let logs = place.report_of(kind, &[place.path("logs")], &["--allow-empty"]);
        let rollup = place.report_of(kind, &[place.path("rollup")], &["--allow-empty"]);
        rollup.is(&logs, what);
    }
}

#[test]
fn names_that_are_no_text_or_act_on_a_screen_are_told_apart() {
    let place = Place::new();
    fs::create_dir_all(place.path("logs")).unwrap();
    let names: [&[u8]; 12] = [
        b"\xff.json",
        b"\xfe.json",
        b"\\xff.json",
        b"\\\\xff.json",
        b"\n.json",
        b"\\n.json",
        b"\r.json",
        b"\x1b[2J.json",
        "\u{202e}nosj.json".as_bytes(),
        b"\\u{202e}nosj.json",
        b"{\"Path\":1}.json",
        b" .json",
    ];
    for (number, name) in names.iter().enumerate() {
        let path = place.path("logs").join(OsStr::from_bytes(name));
        // All of one size and time.
        let time = format!("2026-01-{:02}T00:00:00Z", number + 10);
        fs::write(&path, log(&[event("555555555555", "s3", "GetObject", &time)])).unwrap();
        super::set_modified(&path, std::time::UNIX_EPOCH);
    }
    for group in [0..3, 2..7, 0..12] {
        let paths: Vec<_> = names[group]
            .iter()
            .map(|name| place.path("logs").join(OsStr::from_bytes(name)))
            .collect();
        place.roll(&paths, "rollup");
    }
    let run = place.roll(&["logs"], "rollup");
    assert!(
        run.stderr.contains("12 sources folded before, 0 new or failed before"),
        "{}",
        run.stderr
    );
    is_same(&place, "names");
    let noon = ["--until", "2026-01-12T00:00:00Z"];
    let cut = place.run(&["report", "organizations", "rollup", "-q", noon[0], noon[1]]);
    assert_eq!(cut.code, Some(0), "{}", cut.stderr);
    let expected = place.report(&[place.path("logs")], &["--since", "2026-01-21"]);
    let both = [place.path("logs"), place.path("rollup")];
    place.report(&both, &["--since", "2026-01-21"]).is(&expected, "both");
}

#[test]
fn a_file_name_of_hostile_bytes_is_listed_on_one_line_when_it_is_needed() {
    let place = Place::new();
    let day = |time: &str| event("555555555555", "s3", "GetObject", &format!("2026-01-11T{time}Z"));
    let events = log(&[day("08:00:00"), day("20:00:00")]);
    fs::create_dir_all(place.path("logs")).unwrap();
    fs::write(place.path("logs").join(OsStr::from_bytes(b"a\nerror: b\x1b[2J\xff.json")), events)
        .unwrap();
    place.roll(&["logs"], "rollup");
    let noon = ["--until", "2026-01-11T12:00:00Z"];
    let run = place.run(&["report", "organizations", "rollup", "-q", noon[0], noon[1]]);
    assert_eq!(run.code, Some(2));
    assert_eq!(run.stderr.lines().count(), 2, "{}", run.stderr);
    assert!(!run.stderr.contains('\u{1b}'));
    let expected = place.report(&[place.path("logs")], &noon);
    place.report(&[place.path("logs"), place.path("rollup")], &noon).is(&expected, "given");
}

#[test]
fn texts_of_any_length_and_kind_are_kept() {
    let place = Place::new();
    let long = "x".repeat(1 << 20);
    let mut events = vec![
        event(&long, "s3", "GetObject", "2026-01-11T00:00:00Z"),
        event("555555555555", &long, "GetObject", "2026-01-11T00:00:00Z"),
        event("555555555555", "s3", &long, "2026-01-11T00:00:00Z"),
        event("555555555555", "s3", "a\nb\0c\u{1b}\u{202e}\u{10ffff}é", "2026-01-11T00:00:00Z"),
        event("555555555555", "s3", "", "2026-01-11T00:00:00Z"),
        event("", "s3", "GetObject", "2026-01-11T00:00:00Z"),
        event("\n", "s3\n", "\n", "2026-01-11T00:00:00Z"),
    ];
    let mut marked = event("555555555555", "ec2", "Run", "2026-01-11T00:00:00Z");
    marked["eventID"] = json!(long);
    marked["awsRegion"] = json!("a\nb");
    events.push(marked);
    place.file("logs/log.json", log(&events));
    place.roll(&["logs"], "rollup");
    is_same(&place, "texts");
    let run = place.run(&["rollup", "--merge", "rollup", "--partial", "-q", "-o", "s.arrows"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    fs::remove_dir_all(place.path("rollup")).unwrap();
    let run = place.run(&["rollup", "--merge", "s.arrows", "--into", "rollup"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    is_same(&place, "texts merged");
}

#[test]
fn times_of_any_year_go_to_folders_of_their_own_or_are_malformed() {
    let place = Place::new();
    let times = [
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "1582-10-10T12:00:00Z",
        "1969-12-31T23:59:59.999999Z",
        "1970-01-01T00:00:00Z",
        "2024-02-29T23:59:60Z",
        "9999-12-31T23:59:59.999999Z",
        // These are in the years -1 and 10000.
        "0000-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
    ];
    let events: Vec<_> =
        times.iter().map(|time| event("555555555555", "s3", "GetObject", time)).collect();
    place.file("logs/log.json", log(&events));
    place.file("logs/other.json", log(&events[..5]));
    let run = place.roll(&["logs"], "rollup");
    assert_eq!(run.stderr.matches("eventTime").count(), 2, "{}", run.stderr);
    is_same(&place, "years");
    let folders: Vec<String> = fs::read_dir(place.path("rollup"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "_trailfold")
        .collect();
    assert_eq!(folders.len(), 7, "{folders:?}");
    assert!(folders.iter().all(|name| name.len() == "date=2026-01-31".len()), "{folders:?}");
    for period in [["--until", "1969-12-31"], ["--since", "1970-01-01"], ["--since", "9999-12-31"]]
    {
        let logs = place.report(&[place.path("logs")], &period);
        place.report(&[place.path("rollup")], &period).is(&logs, period[1]);
    }
    assert_eq!(place.run(&["rollup", "--compact", "rollup"]).code, Some(0));
    is_same(&place, "years compacted");
}
