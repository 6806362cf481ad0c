//! Inputs that are broken, absent, empty, or not what they seem.

use std::fs;
use std::io::{Cursor, Write as _};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{NOON, Place, gzip, lines, log, record, records_of, testdata};

#[test]
fn a_truncated_gzip_file_counts_up_to_the_break_and_is_named_with_its_place() {
    let place = Place::new();
    let mut whole = gzip(lines(300).as_bytes());
    whole.truncate(whole.len() - 10);
    place.file("cut.json.gz", whole);
    let run = place.run_making(&["good.json", "cut.json.gz", "--coverage", "c.json"], &["c.json"]);
    run.reports_without("cut.json.gz: unexpected end of gzip stream after ");
    assert!(records_of(&place.path("c.json")) > 250);
    let quiet = place.run(&["good.json", "cut.json.gz", "--quiet"]);
    quiet.reports(1);
    quiet.says_only("problem: cut.json.gz: ", "unexpected end of gzip stream after ");
}

#[test]
fn v2_no_source_and_no_record_are_no_report_unless_it_is_asked_for() {
    let place = Place::new();
    place.file("empty.json", "");
    place.file("folder/none.json", "{\"Records\":[]}");
    fs::create_dir(place.path("hollow")).unwrap();
    place.run(&["empty.json"]).is_refused("no access was read: empty.json holds no record");
    place.run(&["folder", "empty.json"]).is_refused("2 files hold no record");
    place.run(&["hollow"]).is_refused("there is no file to read");
    let run = place.run(&["folder", "--allow-empty"]);
    assert_eq!(run.reports(0)["JobStatus"], "COMPLETED");
    place.run(&["folder", "nowhere", "--allow-empty"]).reports_without("nowhere: no such file");
}

#[test]
fn only_set_aside_files_are_no_report_and_the_line_says_what_they_are() {
    let place = Place::new();
    let digest = "AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/d.json";
    place.file(digest, "{}");
    place.file("page.html", "<html>");
    place
        .run(&["AWSLogs"])
        .is_refused(&format!("1 set aside as CloudTrail digest, the first: {digest}"));
    place.run(&["page.html"]).is_refused("1 set aside as not JSON, the first: page.html");
}

#[test]
fn an_input_that_does_not_exist_is_a_problem_among_others_and_an_error_alone() {
    let place = Place::new();
    for (input, words) in [
        ("nowhere.json", "nowhere.json: no such file or directory"),
        ("no*.json", "no*.json: no such file, and as a pattern it matches none"),
        ("a[.json", "a[.json: no such file, and it is no pattern: "),
        ("", "``: names nothing: is a variable of the calling script empty?"),
        (
            "good.json/x",
            "good.json/x: cannot be looked into: a part of its path is not a directory",
        ),
    ] {
        place.run(&[input]).is_refused(words);
        place.run(&["good.json", input]).reports_without(words);
    }
}

#[test]
fn everything_outside_the_period_is_no_report_and_the_line_names_the_period() {
    let place = Place::new();
    let run = place.run(&["good.json", "--since", "2030-01-01", "--until", "2030-01-02T03:04:05Z"]);
    run.is_refused("no record of 3 counts: 3 outside the period; the period is after 2029-12-31T23:59:59Z up to 2030-01-02T03:04:05Z");
    place.run(&["good.json", "--until", "2001-01-01", "--allow-empty"]).reports(0);
}

#[test]
fn several_problems_and_no_access_are_one_line() {
    let place = Place::new();
    place.file("a.json", "{\"Records\":[{]}");
    place.file("b.json.gz", &gzip(b"{}")[..9]);
    place.run(&["a.json", "b.json.gz"]).is_refused(" problems, the first: ");
}

#[cfg(target_os = "linux")]
mod on_linux {
    use std::os::unix::fs::symlink;
    use std::process::{Command, Stdio};

    use super::super::Run;
    use super::*;

    #[test]
    fn a_link_to_nothing_and_a_link_to_itself_are_named() {
        let place = Place::new();
        symlink("gone.json", place.path("link.json")).unwrap();
        symlink("self", place.path("self")).unwrap();
        let words = "link.json: symbolic link to something that does not exist";
        place.run(&["link.json"]).is_refused(words);
        place.run(&["good.json", "link.json"]).reports_without(words);
        place.run(&["good.json", "self"]).reports_without("self: cannot be looked into: ");
    }

    #[test]
    fn a_directory_loop_is_read_once() {
        let place = Place::new();
        place.file("a/b/log.json", log(2));
        symlink("..", place.path("a/b/up")).unwrap();
        let run = place.run_making(&["a", "--coverage", "c.json"], &["c.json"]);
        run.reports(0);
        assert_eq!(records_of(&place.path("c.json")), 2);
        assert!(run.stderr.contains("link to a directory that is read already"), "{}", run.stderr);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        // Reading the first page of a process fails for everybody, root included.
        let place = Place::new();
        place.run(&["/proc/self/mem"]).is_refused("/proc/self/mem: ");
        place.run(&["good.json", "/proc/self/mem"]).reports_without("/proc/self/mem: ");
    }

    #[test]
    fn a_file_that_vanishes_between_listing_and_reading_is_named() {
        let place = Place::new();
        for name in ["1", "2"] {
            assert!(Command::new("mkfifo").arg(place.path(name)).status().unwrap().success());
        }
        let mut command = place.command(&["1", "2", "--threads", "1"]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Opening waits for the reader, who has listed both by then.
        let mut first = fs::File::options().write(true).open(place.path("1")).unwrap();
        fs::remove_file(place.path("2")).unwrap();
        first.write_all(log(1).as_bytes()).unwrap();
        drop(first);
        let run = Run::of(&child.wait_with_output().unwrap());
        run.reports_without("2: cannot be opened: the file is not there any more");
    }

    #[test]
    fn p2_a_pipe_is_not_read_a_second_time() {
        let place = Place::new();
        assert!(Command::new("mkfifo").arg(place.path("pipe")).status().unwrap().success());
        let args = ["pipe", "--tracking-period", "1d"];
        let child = place.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let old = record("111122223333", "s3.amazonaws.com", "2025-01-01T00:00:00Z");
        let new = record("111122223333", "s3.amazonaws.com", NOON);
        fs::write(place.path("pipe"), format!("{old}\n{new}\n")).unwrap();
        let run = Run::of(&child.unwrap().wait_with_output().unwrap());
        run.is_refused("--tracking-period: pipe cannot be read a second time");
    }
}

#[test]
fn standard_input_is_read_plain_or_compressed_or_as_an_archive() {
    let place = Place::new();
    let expected = place.run(&["good.json"]).stdout;
    let text = log(3);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file("a.json", SimpleFileOptions::default()).unwrap();
    archive.write_all(text.as_bytes()).unwrap();
    let archive = archive.finish().unwrap().into_inner();
    for input in [text.as_bytes(), &gzip(text.as_bytes()), &archive] {
        let run = place.run_on(&["-"], input);
        run.reports(0);
        assert_eq!(run.stdout, expected);
        place.run_on(&["good.json", "-"], input).reports(0);
    }
    place
        .run_on(&["-", "-"], text.as_bytes())
        .is_refused("`-`: standard input can be read only once");
    place.run_on(&["-"], b"").is_refused("standard input holds no record");
    // Standard input here is closed at once.
    place.run(&["-"]).is_refused("standard input holds no record");
}

#[test]
fn p2_standard_input_is_read_twice_only_if_it_had_to_be() {
    let place = Place::new();
    let old = record("111122223333", "s3.amazonaws.com", "2025-01-01T00:00:00Z");
    let new = record("111122223333", "s3.amazonaws.com", NOON);
    let text = format!("{old}\n{new}\n");
    let words = "--tracking-period: standard input cannot be read a second time";
    place.run_on(&["-", "--tracking-period", "1d"], text.as_bytes()).is_refused(words);
    place.run_on(&["-", "--tracking-period", "8000d"], text.as_bytes()).reports(0);
    let fixed = ["-", "--tracking-period", "1d", "--until", "2026-01-15"];
    place.run_on(&fixed, text.as_bytes()).reports(0);
}

#[test]
fn a_broken_snapshot_is_named_before_anything_is_read() {
    let place = Place::new();
    place.file("broken.json", "{\n  \"Roots\": [");
    place.file("catalog/s3.json", "{");
    let run = |option: &str, path: &str| place.run(&["good.json", option, path]);
    run("--organization", "broken.json").is_refused("broken.json: line 2");
    assert!(run("--organization", "nowhere").stderr.starts_with("error: nowhere: "));
    run("--catalog", "catalog").is_refused("catalog/s3.json: not a service reference file: ");
    assert!(run("--catalog", "nowhere").stderr.starts_with("error: nowhere: "));
    let snapshot = testdata("organization.json");
    let cut = fs::read(&snapshot).unwrap();
    place.file("cut.json", &cut[..cut.len() / 2]);
    run("--organization", "cut.json").is_refused("cut.json: line ");
}

#[test]
fn a_table_of_events_is_a_problem_and_not_set_aside_in_silence() {
    let place = Place::new();
    place.file("history.csv", "Event name,Event time,User name,Event source\nPutObject,x,y,z\n");
    place.file("notes.txt", "bring milk\n");
    let run = place.run(&["good.json", "history.csv", "notes.txt"]);
    run.reports_without("history.csv: looks like a table of events");
}

#[test]
fn p2_a_period_up_to_the_newest_event_is_read_twice_by_one_thread_too() {
    let place = Place::new();
    let older = log(1).replace(NOON, "2025-01-15T12:00:00Z");
    place.file("a.json", older + &log(1));
    let run = place.run_making(
        &["a.json", "--threads", "1", "--tracking-period", "1h", "--coverage", "c.json"],
        &["c.json"],
    );
    run.reports(0);
    let coverage = fs::read(place.path("c.json")).unwrap();
    let coverage: serde_json::Value = serde_json::from_slice(&coverage).unwrap();
    assert_eq!(coverage["Records"]["Counted"], 1);
    assert_eq!(coverage["Records"]["SetAside"]["outside the period"], 1);
}
