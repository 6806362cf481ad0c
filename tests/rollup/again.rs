//! Run after run: only what is new or changed is read, and what failed is read again.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, UNIX_EPOCH};

use serde_json::json;

use super::logs::{dump, event, gzip, log};
use super::{Place, Run, set_modified, shift};

const LATER: &str = "1769990400";

/// Runs the program later than others.
fn later(place: &Place, args: &[&str]) -> Run {
    Run::of(&place.command(args).env("SOURCE_DATE_EPOCH", LATER).output().unwrap())
}

fn run_on(command: &mut Command, input: &[u8]) -> Run {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        // Who refuses a line does not read the others.
        scope.spawn(move || drop(stdin.write_all(input)));
        Run::of(&child.wait_with_output().unwrap())
    })
}

/// Folds the files that lines name.
fn roll_listed(place: &Place, lines: &str) -> Run {
    run_on(
        &mut place.command(&["rollup", "--files-from", "-", "--into", "rollup"]),
        lines.as_bytes(),
    )
}

fn one(name: &str, time: &str) -> String {
    log(&[event("555555555555", "s3", name, time)])
}

#[test]
fn a_second_run_over_an_unchanged_dump_changes_no_byte() {
    let place = Place::new();
    let files = dump(&place, 31, 40);
    // What fails is read again.
    for name in ["cut-off.json.gz", "malformed.json", "archive.tar", "archive.tar.gz"] {
        fs::remove_file(place.path(format!("logs/strange/{name}"))).unwrap();
    }
    assert_eq!(place.roll(&["logs"], "rollup").code, Some(0));
    let before = place.files("rollup");
    let run = place.roll(&["logs"], "rollup");
    assert!(run.stderr.contains(" 0 new or failed before; 0 rows in 0 parts"), "{}", run.stderr);
    assert!(place.files("rollup") == before);
    place.roll(&files[1..4], "rollup");
    assert!(place.files("rollup") == before);
    // A file more is a run more.
    let new = place.file("logs/new.json", one("New", "2026-01-20T00:00:00Z"));
    let run = place.roll(&["logs"], "rollup");
    assert!(run.stderr.contains(" 1 new or failed before; 1 rows in 1 parts"), "{}", run.stderr);
    assert_eq!(place.runs("rollup").len(), 2);
    shift(&new, 7);
    let run = place.roll(&["logs"], "rollup");
    assert!(run.stderr.contains(" 1 new or failed before; "), "{}", run.stderr);
    let run = place.roll(&["logs"], "rollup");
    assert!(run.stderr.contains(" 0 new or failed before; "), "{}", run.stderr);
    let expected = place.report(&[place.path("logs")], &[]);
    place.report(&[place.path("rollup")], &[]).is(&expected, "in the end");
}

#[test]
fn a_file_that_failed_is_read_again_and_once_repaired_leaves_no_trace_of_that() {
    for (by, what) in [(0, "the same time"), (60, "a later time"), (-86_400, "an earlier time")] {
        let place = Place::new();
        let whole = gzip(one("Repaired", "2026-01-11T00:00:00Z").repeat(50));
        place.file("logs/good.json", one("Good", "2026-01-11T00:00:00Z"));
        let path = place.file("logs/cut.json.gz", &whole[..whole.len() / 2]);
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        assert_eq!(place.roll(&["logs"], "rollup").code, Some(1));
        let before = place.report(&[place.path("rollup")], &[]);
        before.is(&place.report(&[place.path("logs")], &[]), "cut off");
        assert_eq!(before.code, Some(1));
        let run = place.roll(&["logs"], "rollup");
        assert_eq!(run.code, Some(1), "{}", run.stderr);
        assert!(
            run.stderr.contains("1 sources folded before, 1 new or failed before"),
            "{}",
            run.stderr
        );
        fs::write(&path, &whole).unwrap();
        set_modified(&path, modified);
        shift(&path, by);
        assert_eq!(place.roll(&["logs"], "rollup").code, Some(0), "{what}");
        let after = place.report(&[place.path("rollup")], &[]);
        after.is(&place.report(&[place.path("logs")], &[]), what);
        assert_eq!(after.code, Some(0));
    }
}

#[test]
#[cfg(unix)]
fn what_could_not_be_looked_into_is_forgotten_once_it_can() {
    use std::os::unix::fs::symlink;
    let place = Place::new();
    place.file("logs/good.json", one("Good", "2026-01-11T00:00:00Z"));
    symlink("missing", place.path("logs/file")).unwrap();
    // Whoever follows it goes in circles.
    symlink("folder", place.path("logs/folder")).unwrap();
    for _ in 0..2 {
        let run = place.roll(&["logs"], "rollup");
        assert_eq!(run.code, Some(1), "{}", run.stderr);
        assert_eq!(run.stderr.matches("problem: ").count(), 2, "{}", run.stderr);
    }
    assert_eq!(place.runs("rollup").len(), 1);
    let broken = place.report(&[place.path("rollup")], &[]);
    broken.is(&place.report(&[place.path("logs")], &[]), "broken");
    assert_eq!(broken.code, Some(1));
    // Older than the run that did not find it.
    let missing = place.file("logs/missing", one("Found", "2026-01-12T00:00:00Z"));
    set_modified(&missing, UNIX_EPOCH + Duration::from_secs(1_600_000_000));
    fs::remove_file(place.path("logs/folder")).unwrap();
    place.file("logs/folder/file.json", one("AlsoFound", "2026-01-13T00:00:00Z"));
    let run = later(&place, &["rollup", "logs", "--into", "rollup"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let logs = [place.path("logs")];
    place.report(&[place.path("rollup")], &[]).is(&place.report(&logs, &[]), "repaired");
    let run = later(&place, &["rollup", "logs", "--into", "rollup"]);
    assert!(run.stderr.contains(" 0 new or failed before; 0 rows in 0 parts"), "{}", run.stderr);
    assert_eq!(place.run(&["rollup", "--compact", "rollup"]).code, Some(0));
    place.report(&[place.path("rollup")], &[]).is(&place.report(&logs, &[]), "compacted");
}

#[test]
fn files_are_taken_from_a_list_by_path_or_as_a_listing_of_objects_has_them() {
    let place = Place::new();
    let one_path = place.file("logs/one.json", one("One", "2026-01-11T00:00:00Z"));
    place.file("copies/0001", one("Two", "2026-01-12T00:00:00Z"));
    let object = |source: &str, path: &str, etag: &str, size: u64| {
        json!({"Path": path, "Source": source, "ETag": etag, "Size": size, "StorageClass": "x",
            "LastModified": "2026-01-12T10:11:12.000Z"})
    };
    let (two, digest) =
        ("s3://bucket/AWSLogs/two.json.gz", "s3://bucket/AWSLogs/555555555555/CloudTrail-Digest/x");
    let list = |etag: &str, size: u64| {
        let two = object(two, "copies/0001", etag, size);
        let digest = object(digest, "copies/none", "d", 1);
        format!("{}\n\n{two}\r\n{two}\n{digest}\nlogs/../logs/one.json\n", one_path.display())
    };
    let run = roll_listed(&place, &list("a", 100));
    // The same file by two spellings is read twice, which changes no answer.
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stderr.contains("1 CloudTrail digest, the first: s3://"), "{}", run.stderr);
    let report = place.report(&["rollup"], &[]);
    assert!(String::from_utf8_lossy(&report.report).contains("2026-01-12T00:00:00Z"));
    let new = |etag: &str, size: u64| {
        let run = roll_listed(&place, &list(etag, size));
        let new = run.stderr.split(" folded before, ").nth(1).and_then(|it| it.split(' ').next());
        new.unwrap_or_else(|| panic!("{}", run.stderr)).to_owned()
    };
    assert_eq!(new("a", 100), "0");
    // The ETag decides where both sides have one; the file itself is not looked at.
    place.file("copies/0001", "broken");
    assert_eq!(new("a", 101), "0");
    place.file("copies/0001", one("Three", "2026-01-13T00:00:00Z"));
    assert_eq!(new("b", 101), "1");
    let without = json!({"Path": "copies/0001", "Source": two, "Size": 101,
        "LastModified": "2026-01-12T10:11:12Z"});
    assert!(roll_listed(&place, &without.to_string()).stderr.contains(" 0 new or failed before;"));
    let changed = json!({"Path": "copies/0001", "Source": two, "Size": 101,
        "LastModified": "2026-01-12T10:11:13Z"});
    assert!(roll_listed(&place, &changed.to_string()).stderr.contains(" 1 new or failed before;"));
}

#[test]
fn a_file_that_is_listed_and_found_is_one_file() {
    let place = Place::new();
    dump(&place, 32, 8);
    let list: String =
        place.files("logs").iter().map(|(path, _)| format!("{}\n", path.display())).collect();
    let args = ["rollup", "logs", "--files-from", "-", "--into", "rollup"];
    let run = run_on(&mut place.command(&args), list.as_bytes());
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    let expected = place.report(&[place.path("logs")], &[]);
    place.report(&["rollup"], &[]).is(&expected, "listed and found");
    let sources = |stderr: &str| {
        stderr.lines().find(|line| line.starts_with("sources")).map(str::to_owned).unwrap()
    };
    assert_eq!(sources(&run.stderr), sources(&expected.stderr));
    let run = run_on(&mut place.command(&args), list.as_bytes());
    // Those that fail are read again.
    assert!(run.stderr.contains(" 4 new or failed before;"), "{}", run.stderr);
}

#[test]
fn a_line_that_makes_no_sense_is_an_error_that_names_it() {
    let place = Place::new();
    place.file("one.json", one("One", "2026-01-11T00:00:00Z"));
    place.file("two.json", one("Two", "2026-01-11T00:00:00Z"));
    for (line, words) in [
        ("{\"Path\": 1}", &["line 2", "invalid type"][..]),
        ("{\"Source\": \"s3://x\"}", &["line 2", "Path"]),
        ("{", &["line 2", "EOF"]),
        ("{\"Path\":\"two.json\",\"Size\":-1}", &["line 2", "-1"]),
        (
            "{\"Path\":\"two.json\",\"LastModified\":\"today\"}",
            &["line 2", "LastModified", "today"],
        ),
        ("{\"Path\":\"\"}", &["line 2"]),
    ] {
        let run = roll_listed(&place, &format!("one.json\n{line}\none.json\n"));
        run.is_refused(words);
    }
    let mut command = place.command(&["rollup", "--files-from", "-", "--into", "rollup"]);
    run_on(&mut command, b"one.json\ntwo\xff.json\n").is_refused(&["line 2", "UTF-8"]);
    let source = |path: &str| json!({"Path": path, "Source": "s3://bucket/key"}).to_string();
    let both = format!("{}\n{}\n", source("one.json"), source("two.json"));
    roll_listed(&place, &both).is_refused(&["s3://bucket/key", "one.json", "two.json"]);
    place.run(&["rollup", "--files-from", "none", "--into", "r"]).is_refused(&["none"]);
    roll_listed(&place, "").is_refused(&["no file to read"]);
    assert!(!place.path("rollup/_trailfold/runs").exists() || place.runs("rollup").is_empty());
    place.is_tidy("rollup");
}
