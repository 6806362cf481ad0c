//! What a terminal shows: progress that goes away, and nothing that log files or records make up.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::process::Command;

use super::{NOON, Place, log, record};

#[expect(clippy::print_stderr, reason = "a test that cannot run says so")]
/// Runs the program on a terminal of `script`; none where that is not installed.
fn on_a_terminal(place: &Place, words: &str) -> Option<String> {
    let program = env!("CARGO_BIN_EXE_trailfold");
    let line = format!("'{program}' report organizations {words}");
    let output = Command::new("script")
        .args(["-q", "-e", "-c", &line, "/dev/null"])
        .current_dir(place.0.path())
        .env("TERM", "xterm")
        .output();
    match output {
        Ok(output) => Some(String::from_utf8(output.stdout).unwrap()),
        Err(_) => {
            eprintln!("did not run: there is no `script` on this machine");
            None
        }
    }
}

#[test]
fn progress_shows_on_a_terminal_alone_and_is_cleared() {
    let place = Place::new();
    let Some(shown) = on_a_terminal(&place, "good.json -o report.json") else { return };
    let (progress, summary) = shown.split_once("sources   1 read").expect("a summary");
    assert!(progress.contains("1/1 sources"), "{shown:?}");
    // The last that is drawn of the line is its removal.
    assert!(progress.ends_with("\r\u{1b}[2K"), "{shown:?}");
    assert!(!summary.contains('\u{1b}'), "{shown:?}");
    let quiet = on_a_terminal(&place, "good.json -q -o report.json");
    assert_eq!(quiet.as_deref(), Some(""));
    let redirected = on_a_terminal(&place, "good.json -o report.json 2>said").unwrap();
    assert_eq!(redirected, "");
    assert!(!fs::read_to_string(place.path("said")).unwrap().contains('\u{1b}'));
}

#[test]
fn binary_formats_are_refused_on_a_terminal_alone() {
    let place = Place::new();
    for format in ["arrow", "arrow-stream", "parquet"] {
        let Some(shown) = on_a_terminal(&place, &format!("good.json -f {format}")) else { return };
        let words = format!("error: --format {format}: not for a terminal: write it to a file");
        assert!(shown.starts_with(&words), "{shown:?}");
        let piped = place.run(&["good.json", "-q", "-f", format]);
        assert_eq!((piped.code, piped.stderr.as_str()), (Some(0), ""));
    }
}

#[test]
fn colours_are_not_needed_to_understand_anything() {
    let place = Place::new();
    for args in [&["good.json"][..], &["nowhere.json"], &["--nonsense"]] {
        let plain = place.run(args).stderr;
        let asked = place.command(args).env("NO_COLOR", "1").output().unwrap();
        assert_eq!(String::from_utf8(asked.stderr).unwrap(), plain);
        assert!(!plain.contains('\u{1b}'), "{plain:?}");
    }
}

/// Asserts that a text holds nothing that moves a cursor or turns a direction.
#[track_caller]
fn is_tame(text: &str) {
    let is_wild = |c: char| {
        (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c) || c == '\u{2066}'
    };
    assert!(!text.contains(is_wild), "{text:?}");
}

#[test]
fn hostile_names_of_files_are_shown_and_not_obeyed() {
    let place = Place::new();
    let names: [&[u8]; 4] = [
        b"a\nproblem: b.json",
        b"\x1b[2J\x1b]0;x\x07.json",
        "\u{202e}nosj.a".as_bytes(),
        b"\xff\xfe.json",
    ];
    let (folder, cut) = (place.path("logs"), &super::gzip(log(9).as_bytes())[..60]);
    fs::create_dir(&folder).unwrap();
    for name in names {
        fs::write(folder.join(OsStr::from_bytes(name)), cut).unwrap();
    }
    let run = place.run_making(&["good.json", "logs", "--coverage", "c.json"], &["c.json"]);
    run.reports(1);
    is_tame(&run.stderr);
    assert_eq!(run.stderr.lines().filter(|line| line.starts_with("problem: ")).count(), 4);
    for shown in [
        "logs/a\\nproblem: b.json: ",
        "\\u{1b}[2J\\u{1b}]0;x\\u{7}.json",
        "\\u{202e}nosj.a",
        "\\xff\\xfe.json",
    ] {
        assert!(run.stderr.contains(shown), "{shown}: {}", run.stderr);
    }
    is_tame(&fs::read_to_string(place.path("c.json")).unwrap());
    let alone = place.run(&[OsStr::from_bytes(b"no\x1b[2J\nwhere\xff")]);
    alone.is_refused("no\\u{1b}[2J\\nwhere\\xff: no such file");
    let output = [OsStr::new("good.json"), OsStr::new("-o"), OsStr::from_bytes(b"no\x1b[2J/x")];
    place.run(&output).is_refused("no\\u{1b}[2J/x: cannot be written");
}

#[test]
fn hostile_records_are_shown_and_not_obeyed() {
    let place = Place::new();
    let wild = "\\u001b[2J\\u001b]8;;x\\u0007\\n\\u202e";
    let records = [
        record(&format!("1111{wild}"), "s3.amazonaws.com", NOON),
        record("111122223333", &format!("{wild}.amazonaws.com"), NOON),
        record("111122223333", "ec2.amazonaws.com", NOON).replace("eu-west-1", wild),
        record("111122223333", "iam.amazonaws.com", wild),
        record("111122223333", "iam.amazonaws.com", NOON).replace("AwsApiCall", wild),
    ];
    place.file("wild.json", records.join("\n"));
    for format in ["table", "json", "csv"] {
        let run = place.run(&["wild.json", "-v", "--format", format]);
        assert!(matches!(run.code, Some(0 | 1)), "{}", run.stderr);
        is_tame(&run.stderr);
        if format != "csv" {
            is_tame(std::str::from_utf8(&run.stdout).unwrap());
        }
    }
}
