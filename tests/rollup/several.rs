//! Several at once: runs on one rollup, reports meanwhile, and requests to end.

use std::fs;
use std::process::{Child, Command, Stdio};

use super::logs::{dump, event, gzip, log};
use super::{Place, Run};

fn start(place: &Place, args: &[&str]) -> Child {
    let mut command = place.command(args);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn end(child: Child) -> Run {
    Run::of(&child.wait_with_output().unwrap())
}

#[test]
fn runs_at_once_on_one_rollup_wait_for_one_another() {
    let place = Place::new();
    let files = dump(&place, 51, 60);
    for (number, file) in files.iter().enumerate() {
        place.file(format!("parts/{}/{number}", number % 4), fs::read(file).unwrap());
    }
    let expected = place.report(&[place.path("parts")], &[]);
    for round in 0..3 {
        let into = format!("rollup-{round}");
        let mut children = Vec::new();
        for part in 0..4 {
            // The same inputs, different ones, and some of both.
            let (one, other) = match round {
                0 => ("parts".to_owned(), "parts".to_owned()),
                1 => (format!("parts/{part}"), format!("parts/{part}")),
                _ => (format!("parts/{part}"), format!("parts/{}", (part + 1) % 4)),
            };
            children.push(start(&place, &["rollup", &one, &other, "--into", &into]));
        }
        let runs: Vec<Run> = children.into_iter().map(end).collect();
        assert!(runs.iter().all(|run| matches!(run.code, Some(0 | 1))), "{}", runs[0].stderr);
        place.report(&[place.path(&into)], &[]).is(&expected, &into);
        place.is_tidy(&into);
    }
}

#[test]
fn reports_made_while_a_rollup_is_compacted_are_the_same() {
    let place = Place::new();
    let files = dump(&place, 52, 60);
    for group in files.chunks(3) {
        place.roll(group, "rollup");
    }
    let expected = place.report(&[place.path("rollup")], &[]);
    for round in 0..4 {
        super::copy(&place.path("rollup"), &place.path("again"));
        let compaction = start(&place, &["rollup", "--compact", "again"]);
        let mut compaction = Some(compaction);
        for _ in 0..10 {
            place.report(&[place.path("again")], &[]).is(&expected, &format!("round {round}"));
            let is_over = compaction.as_mut().unwrap().try_wait().unwrap().is_some();
            if is_over {
                break;
            }
        }
        assert_eq!(end(compaction.take().unwrap()).code, Some(0));
        place.report(&[place.path("again")], &[]).is(&expected, &format!("behind round {round}"));
        fs::remove_dir_all(place.path("again")).unwrap();
    }
}

#[test]
fn more_runs_than_files_may_be_open_are_still_read() {
    let place = Place::new();
    place.file("one.json", log(&[event("555555555555", "s3", "One", "2026-01-11T00:00:00Z")]));
    place.roll(&["one.json"], "rollup");
    let expected = place.report(&[place.path("one.json")], &[]);
    let run = place.runs("rollup").remove(0);
    for number in 0..300 {
        fs::copy(&run, run.with_file_name(format!("{number:016}.json"))).unwrap();
    }
    let limited = |args: &str| {
        let mut command = Command::new("sh");
        let script = format!("ulimit -n 128; exec '{}' {args}", env!("CARGO_BIN_EXE_trailfold"));
        command.args(["-c", &script]).current_dir(place.0.path());
        Run::of(&command.env("SOURCE_DATE_EPOCH", "1769904000").output().unwrap())
    };
    for args in [
        "report organizations rollup -q",
        "rollup one.json --into rollup -q",
        "rollup --merge rollup --partial -o /dev/null",
        "rollup --compact rollup -q",
    ] {
        let run = limited(args);
        assert_eq!(run.code, Some(0), "{args}: {}", run.stderr);
    }
    assert_eq!(place.runs("rollup").len(), 1);
    place.report(&[place.path("rollup")], &[]).is(&expected, "compacted");
}

#[test]
fn a_request_to_end_leaves_nothing_unfinished() {
    let place = Place::new();
    let events: Vec<_> = (0..4000)
        .map(|at| event("555555555555", "s3", &format!("Get{at}"), "2026-01-11T00:00:00Z"))
        .collect();
    for number in 0..60 {
        place.file(format!("logs/{number}.json.gz"), gzip(log(&events)));
    }
    for signal in ["INT", "TERM", "HUP"] {
        let child = start(
            &place,
            &["rollup", "logs", "--into", "rollup", "--memory", "16MB", "--threads", "16"],
        );
        // As soon as it has begun to put something away.
        let tmp = place.path("rollup/_trailfold/tmp/run");
        while !fs::read_dir(&tmp).is_ok_and(|mut entries| entries.next().is_some()) {
            assert!(
                !place.path("rollup/_trailfold/runs").is_dir() || place.runs("rollup").is_empty()
            );
        }
        let id = child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
        let run = end(child);
        assert_eq!(run.code, Some(130), "{signal}: {}", run.stderr);
        assert_eq!(run.stderr, "error: interrupted\n");
        place.is_tidy("rollup");
        assert!(place.runs("rollup").is_empty());
    }
}

#[test]
fn where_no_space_is_left_the_rollup_stays_as_it_was() {
    let place = Place::new();
    dump(&place, 53, 30);
    place.roll(&[place.path("logs/2026/01/10")], "rollup");
    let before = place.report(&[place.path("rollup")], &[]);
    let limited = |blocks: usize, args: &str| {
        let program = env!("CARGO_BIN_EXE_trailfold");
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec '{program}' {args}");
        let mut command = Command::new("sh");
        Run::of(&command.args(["-c", &script]).current_dir(place.0.path()).output().unwrap())
    };
    for args in [
        "rollup logs --into rollup -q",
        "rollup logs --into rollup -q --memory 16MB --threads 16",
        "rollup logs --partial -q -o stream",
    ] {
        let run = limited(4, args);
        assert_eq!(run.code, Some(2), "{args}: {}", run.stderr);
        assert!(run.stderr.contains("cannot be written"), "{args}: {}", run.stderr);
        place.report(&[place.path("rollup")], &[]).is(&before, args);
        place.is_tidy("rollup");
        assert!(!place.path("stream").exists());
    }
    place.roll(&["logs"], "rollup");
    let expected = place.report(&[place.path("logs")], &[]);
    place.report(&[place.path("rollup")], &[]).is(&expected, "with space");
}
