//! Requests to end: soon, with one line, and nothing left behind.

use std::fs;
use std::io::Read as _;
use std::process::{Child, Command, Stdio};

use super::{Place, Run, log};

fn fifo(place: &Place, name: &str) {
    assert!(Command::new("mkfifo").arg(place.path(name)).status().unwrap().success());
}

fn send(signal: &str, child: &Child) {
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
}

fn start(place: &Place, args: &[&str]) -> Child {
    let mut command = place.command(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[track_caller]
fn ends(place: &Place, signal: &str, child: Child) {
    let before = place.files();
    send(signal, &child);
    let run = Run::of(&child.wait_with_output().unwrap());
    assert_eq!(run.code, Some(130), "{signal}: {}", run.stderr);
    assert_eq!(run.stderr, "error: interrupted\n");
    let left: Vec<_> = place.files();
    assert!(left.iter().all(|path| before.contains(path)), "{left:?}");
    assert!(!left.iter().any(|path| path.display().to_string().contains(".trailfold-")));
}

#[test]
fn a_request_to_end_is_heard_while_reading_waits_for_a_pipe() {
    for signal in ["INT", "TERM", "HUP"] {
        let place = Place::new();
        let old = place.file("report.json", "old");
        fifo(&place, "pipe");
        let child = start(&place, &["good.json", "pipe", "-o", "report.json"]);
        // Opening waits for the reader; he then waits for bytes that never come.
        let pipe = fs::File::options().write(true).open(place.path("pipe")).unwrap();
        ends(&place, signal, child);
        assert_eq!(fs::read_to_string(old).unwrap(), "old");
        drop(pipe);
    }
}

#[test]
fn a_request_to_end_is_heard_while_writing_and_takes_the_half_written_file_away() {
    let place = Place::new();
    fifo(&place, "pipe");
    // The coverage waits in its temporary file for the report, which nobody reads on.
    let args = ["good.json", "--all-entities", "--details", "-o", "pipe", "--coverage", "c.json"];
    let child = start(&place, &args);
    let mut pipe = fs::File::open(place.path("pipe")).unwrap();
    assert_eq!(pipe.read(&mut [0; 1]).unwrap(), 1);
    let is_temporary =
        |path: &std::path::PathBuf| path.display().to_string().contains(".trailfold-");
    assert!(place.files().iter().any(is_temporary));
    ends(&place, "INT", child);
    assert!(!place.path("c.json").exists());
}

#[test]
fn a_request_that_whoever_started_the_program_ignores_stays_ignored() {
    let place = Place::new();
    fifo(&place, "pipe");
    let program = env!("CARGO_BIN_EXE_trailfold");
    let child = Command::new("sh")
        .arg("-c")
        .arg(format!("trap '' HUP; exec '{program}' report organizations pipe -q"))
        .current_dir(place.0.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let pipe = fs::File::options().write(true).open(place.path("pipe")).unwrap();
    send("HUP", &child);
    std::io::Write::write_all(&mut &pipe, log(1).as_bytes()).unwrap();
    drop(pipe);
    Run::of(&child.wait_with_output().unwrap()).reports(0);
}
