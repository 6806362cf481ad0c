//! Runs that are killed at any moment: the rollup says what it said before, or all that the run had
//! to add.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::logs::{Dice, dump};
use super::{Place, Report, copy};

const QUIET: [&str; 3] = ["-q", "--threads", "2"];

/// Returns how long a run takes, and its killed like: one that is ended after a part of that.
struct Killer {
    dice: Dice,
    length: Duration,
}

impl Killer {
    /// Runs to the end once to see how long that takes.
    fn new(place: &Place, args: &[&str]) -> Self {
        let begin = Instant::now();
        place.run(args);
        Self { dice: Dice(41), length: begin.elapsed() }
    }

    /// Starts a run and kills it at a moment that the dice tell, or lets it end before.
    fn kill(&mut self, place: &Place, args: &[&str]) {
        let mut command = place.command(args);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let share = u32::try_from(self.dice.roll(1100)).unwrap();
        sleep(self.length * share / 1000);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

/// Reports on a rollup, which may be there or not.
fn report(place: &Place, rollup: &str) -> Report {
    place.report(&[place.path(rollup)], &["--allow-empty", "--threads", "1"])
}

#[test]
fn a_run_that_is_killed_adds_all_that_it_has_to_add_or_nothing() {
    let place = Place::new();
    let files = dump(&place, 42, 60);
    let (first, second) = files.split_at(files.len() / 2);
    for (number, file) in second.iter().enumerate() {
        let folder = place.path("second");
        fs::create_dir_all(&folder).unwrap();
        fs::rename(file, folder.join(format!("{number}-{}", file.file_name().unwrap().display())))
            .unwrap();
    }
    place.roll(first, "rollup");
    let before = report(&place, "rollup");
    copy(&place.path("rollup"), &place.path("whole"));
    let rest = ["rollup", "second", "--into", "whole", QUIET[0], QUIET[1], QUIET[2]];
    let mut killer = Killer::new(&place, &rest);
    let after = report(&place, "whole");
    after.is(&place.report(&[place.path("logs"), place.path("second")], &[]), "all");
    assert!(!before.same(&after));
    let rest = rest.map(|word| if word == "whole" { "again" } else { word });
    let (mut unfinished, mut finished) = (0, 0);
    copy(&place.path("rollup"), &place.path("again"));
    for round in 0..100 {
        killer.kill(&place, &rest);
        let now = report(&place, "again");
        if now.same(&after) {
            finished += 1;
            fs::remove_dir_all(place.path("again")).unwrap();
            copy(&place.path("rollup"), &place.path("again"));
        } else {
            unfinished += 1;
            now.is(&before, &format!("round {round}"));
        }
    }
    // Whole and broken off: both were met.
    assert!(unfinished > 20 && finished > 0, "{unfinished} {finished}");
    place.roll(&["second"], "again");
    report(&place, "again").is(&after, "in the end");
    place.is_tidy("again");
}

#[test]
fn a_compaction_that_is_killed_changes_no_answer() {
    let place = Place::new();
    let files = dump(&place, 43, 40);
    for group in files.chunks(5) {
        place.roll(group, "rollup");
    }
    let expected = report(&place, "rollup");
    copy(&place.path("rollup"), &place.path("again"));
    let mut killer = Killer::new(&place, &["rollup", "--compact", "again", "-q"]);
    for round in 0..60 {
        if round % 6 == 0 {
            fs::remove_dir_all(place.path("again")).unwrap();
            copy(&place.path("rollup"), &place.path("again"));
        }
        killer.kill(&place, &["rollup", "--compact", "again", "-q"]);
        report(&place, "again").is(&expected, &format!("round {round}"));
    }
    place.roll(&files, "again");
    assert_eq!(place.run(&["rollup", "--compact", "again"]).code, Some(0));
    assert_eq!(place.runs("again").len(), 1);
    report(&place, "again").is(&expected, "in the end");
    place.is_tidy("again");
}

/// Returns whether the program that can end another at a system call is there.
#[expect(clippy::print_stderr, reason = "a test that did not run says so")]
fn has_strace() -> bool {
    let found =
        Command::new("strace").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let is_there = found.is_ok_and(|status| status.success());
    if !is_there {
        eprintln!("did not run for want of strace");
    }
    is_there
}

/// System calls that change what others see of a rollup.
const CALLS: [&str; 7] = ["rename", "unlink", "unlinkat", "rmdir", "fsync", "mkdir", "flock"];

/// Runs the program up to its `number`th call of a kind; says whether it came so far.
fn is_stopped_at(place: &Place, call: &str, number: usize, args: &[&str]) -> bool {
    let output = Command::new("strace")
        .args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e"])
        .arg(format!("inject={call}:signal=KILL:when={number}"))
        .arg(env!("CARGO_BIN_EXE_trailfold"))
        .args(args)
        .current_dir(place.0.path())
        .env("SOURCE_DATE_EPOCH", "1769990400")
        .output()
        .unwrap();
    !matches!(output.status.code(), Some(0 | 1))
}

#[test]
fn at_no_step_of_a_run_or_a_compaction_is_the_rollup_wrong() {
    if !has_strace() {
        return;
    }
    let place = Place::new();
    let files = dump(&place, 44, 12);
    let some: Vec<PathBuf> = files[..files.len() / 2].to_vec();
    place.roll(&some, "rollup");
    let before = report(&place, "rollup");
    copy(&place.path("rollup"), &place.path("whole"));
    place.roll(&["logs"], "whole");
    let after = report(&place, "whole");
    let step = |from: &str, args: &[&str], call: &str, number: usize| {
        let _ = fs::remove_dir_all(place.path("again"));
        copy(&place.path(from), &place.path("again"));
        is_stopped_at(&place, call, number, args)
    };
    let mut steps = 0;
    for call in CALLS {
        let mut answers = Vec::new();
        for number in 1.. {
            let args = ["rollup", "logs", "-q", "--threads", "1", "--into", "again"];
            if !step("rollup", &args, call, number) {
                break;
            }
            let now = report(&place, "again");
            let is_after = now.same(&after);
            if !is_after {
                now.is(&before, &format!("{call} {number} of a run"));
            }
            answers.push(is_after);
        }
        // Everything counts at once, and counts from then on.
        assert!(answers.is_sorted(), "{call}: {answers:?}");
        steps += answers.len();
        for number in 1.. {
            if !step("whole", &["rollup", "--compact", "again", "-q"], call, number) {
                break;
            }
            report(&place, "again").is(&after, &format!("{call} {number} of a compaction"));
            assert_eq!(place.run(&["rollup", "--compact", "again"]).code, Some(0));
            report(&place, "again").is(&after, &format!("behind {call} {number} of a compaction"));
            steps += 1;
        }
    }
    assert!(steps > 40, "{steps}");
}
