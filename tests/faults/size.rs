//! Many files, one huge file, huge records: all are read, and memory does not grow with them.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use super::{NOON, Place, Run, gzip, lines, log, program, record, records_of};

#[test]
fn five_thousand_files_are_read() {
    let place = Place::new();
    for folder in 0..50 {
        fs::create_dir_all(place.path(format!("logs/{folder}"))).unwrap();
        for file in 0..100 {
            fs::write(place.path(format!("logs/{folder}/{file}.json")), log(1)).unwrap();
        }
    }
    let run = place.run_making(&["logs", "--coverage", "c.json"], &["c.json"]);
    run.reports(0);
    assert!(run.stderr.starts_with("sources   5,000 read, 0 empty, 0 failed"), "{}", run.stderr);
    assert_eq!(records_of(&place.path("c.json")), 5000);
}

#[test]
fn memory_does_not_grow_with_a_file_of_json_lines() {
    const REPEATED: usize = 64;
    let place = Place::new();
    let piece = lines(4000);
    assert!(piece.len() * REPEATED > 60 << 20);
    let mut command = place.command(&["-", "--coverage", "c.json"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for _ in 0..REPEATED {
        stdin.write_all(piece.as_bytes()).unwrap();
    }
    // All but what a pipe holds has been read by now.
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    drop(stdin);
    Run::of(&child.wait_with_output().unwrap()).reports(0);
    assert_eq!(records_of(&place.path("c.json")), 4000 * REPEATED as u64);
    assert!(peak < 100_000, "{peak} kB");
}

#[test]
fn a_huge_record_counts() {
    let place = Place::new();
    for length in [256 << 10, 2 << 20] {
        let filler = format!(
            "\"requestParameters\":{{\"body\":\"{}\"}},\"eventTime\"",
            "x\\\"".repeat(length / 3)
        );
        let huge =
            record("111122223333", "s3.amazonaws.com", NOON).replace("\"eventTime\"", &filler);
        assert!(huge.len() > length);
        for text in [format!("{{\"Records\":[{huge},{huge}]}}"), format!("{huge}\n{huge}\n")] {
            place.file("huge.json", text);
            place.run_making(&["huge.json", "--coverage", "c.json"], &["c.json"]).reports(0);
            assert_eq!(records_of(&place.path("c.json")), 2);
        }
    }
}

#[test]
fn more_principals_than_memory_are_an_error_and_not_the_end_of_the_machine() {
    let place = Place::new();
    let mut lines = String::new();
    for number in 0..120_000 {
        let one = record("111122223333", "s3.amazonaws.com", NOON);
        let one = one.replace("user/ann", &format!("user/{number}"));
        lines.push_str(&one);
        lines.push('\n');
    }
    place.file("lines.json", &lines);
    place.file("lines.json.gz", gzip(lines.as_bytes()));
    let rollup = ["rollup", "lines.json", "--into", "rollup", "--memory", "16MB", "-q"];
    let rolled = program().current_dir(place.path(".")).args(rollup).output().unwrap();
    assert!(rolled.status.success(), "{}", String::from_utf8_lossy(&rolled.stderr));
    let words = "the accesses take more than 16,777,216 bytes of memory";
    for input in ["lines.json", "lines.json.gz", "rollup"] {
        for threads in ["1", "2"] {
            let run = place.run(&[input, "--memory", "16MB", "--threads", threads, "-o", "r"]);
            assert_eq!(run.code, Some(2), "{}", run.stderr);
            assert!(run.stderr.contains(words) && run.stdout.is_empty(), "{}", run.stderr);
        }
    }
    let enough = place.run_making(&["lines.json", "--memory", "200MB", "-o", "r"], &["r"]);
    assert_eq!(enough.code, Some(0), "{}", enough.stderr);
    let few = place.run(&["lines.json", "--memory", "1MB"]);
    assert!(
        few.stderr.contains("--memory: `1MB` is too little: 16MB is the least"),
        "{}",
        few.stderr
    );
}

#[test]
fn more_regions_than_memory_are_an_error_too() {
    let place = Place::new();
    let mut lines = String::new();
    for number in 0..200_000 {
        let one = record("111122223333", "s3.amazonaws.com", NOON);
        lines.push_str(&one.replace("eu-west-1", &format!("{number:064}")));
        lines.push('\n');
    }
    place.file("lines.json.gz", gzip(lines.as_bytes()));
    let run = place.run(&["lines.json.gz", "--memory", "16MB", "-o", "r"]);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert!(run.stderr.contains("bytes of memory"), "{}", run.stderr);
}
