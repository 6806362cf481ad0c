//! Rollups in whose making a system call fails: the run adds what it read and names what it did not,
//! or the rollup says what it said before; the next run puts it right.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::inject::{Fault, Injected, Kind, each_fault, end, inject, library, tell_count};
use super::injected::{Logs, OLD, events, is_refused, missing_is_named};
use super::program;

/// What may happen. That what is interrupted or falls short is done again, reports show.
const KINDS: [Kind; 10] = [
    ("read", &["errno:5"]),
    ("open", &["errno:5"]),
    ("stat", &["errno:5"]),
    ("list", &["errno:5"]),
    ("write", &["short:0", "errno:28"]),
    ("sync", &["errno:5"]),
    ("rename", &["errno:5"]),
    ("close", &["errno:5"]),
    ("lock", &["errno:37"]),
    ("make", &["errno:28"]),
];

/// Where unfinished files lie.
const TEMPORARY: [&str; 2] = ["tmp", "out/rollup/_trailfold/tmp"];

/// What a rollup says: the report, and the coverage.
type Answer = [Vec<u8>; 2];

impl Logs {
    pub(super) fn rollup(&self, words: &[&str]) -> Command {
        let mut command = program();
        command.current_dir(self.place.0.path()).env("TMPDIR", self.place.path("tmp"));
        command.arg("rollup").args(words).arg("-q").stdin(Stdio::null());
        command
    }

    #[track_caller]
    pub(super) fn roll(&self, words: &[&str], code: i32) {
        let mut command = self.rollup(words);
        command.env("SOURCE_DATE_EPOCH", "1769817600");
        let run = end(&mut command, self.aside.path()).run;
        assert_eq!(run.code, Some(code), "{words:?}: {}", run.stderr);
    }

    /// Returns what a rollup says, or nothing where there is none.
    #[track_caller]
    pub(super) fn answer(&self, rollup: &str) -> Answer {
        if !self.place.path(rollup).join("_trailfold/runs").is_dir() {
            return Answer::default();
        }
        let files = ["report", "coverage"].map(|name| self.aside.path().join(name));
        let mut command = program();
        command.current_dir(self.place.0.path()).args(["report", "organizations", rollup, "-q"]);
        command.arg("-o").arg(&files[0]).arg("--coverage").arg(&files[1]).arg("--allow-empty");
        let run = end(&mut command, self.aside.path()).run;
        assert!(matches!(run.code, Some(0 | 1)), "{}", run.stderr);
        files.map(|file| fs::read(file).unwrap())
    }

    /// Injects every fault into runs with these words, which write to `out/rollup`. It is what
    /// `before` is when they begin.
    fn meet_faults_rolling(&mut self, words: &[&str], before: &str, kinds: &[Kind]) {
        let begin = |logs: &Self| {
            for folder in ["out", "tmp"] {
                let _ = fs::remove_dir_all(logs.place.path(folder));
            }
            fs::create_dir(logs.place.path("tmp")).unwrap();
            fs::create_dir(logs.place.path("out")).unwrap();
            if !before.is_empty() {
                crate::rollup::copy(&logs.place.path(before), &logs.place.path("out/rollup"));
            }
        };
        begin(self);
        let empty = self.answer("out/rollup");
        self.roll(words, 0);
        let whole = self.answer("out/rollup");
        assert!(empty != whole);
        let (under, mut codes) = (self.place.0.path().to_owned(), BTreeMap::new());
        each_fault(kinds, &under, &mut |fault| {
            begin(self);
            let injected = inject(&mut self.rollup(words), fault, self.aside.path());
            let is_hit = injected.hit.is_some();
            if is_hit {
                *codes.entry(injected.run.code).or_insert(0) += 1;
                self.is_lawfully_rolled(&injected, fault, [&empty, &whole]);
                if injected.run.code != Some(0) {
                    // What fails and what is read later are told apart by their times.
                    let mut later = self.rollup(words);
                    later.env("SOURCE_DATE_EPOCH", "1769990400");
                    let run = end(&mut later, self.aside.path()).run;
                    assert_eq!(run.code, Some(0), "behind {fault:?}: {}", run.stderr);
                    assert!(self.answer("out/rollup") == whole, "behind {fault:?}");
                    let left = fs::read_dir(self.place.path(TEMPORARY[1])).unwrap().count();
                    assert_eq!(left, 0, "behind {fault:?}");
                }
            }
            is_hit
        });
        assert!(codes.len() > 1, "{codes:?}");
    }

    #[track_caller]
    fn is_lawfully_rolled(
        &mut self,
        injected: &Injected,
        fault: &Fault<'_>,
        [empty, whole]: [&Answer; 2],
    ) {
        let run = &injected.run;
        let what = format!("{fault:?} at {:?}: {:?}: {}", injected.hit, run.code, run.stderr);
        let now = self.answer("out/rollup");
        self.leaves_nothing(injected, fault, &what);
        match run.code {
            Some(0) => assert!(now == *whole && run.stderr.is_empty(), "{what}"),
            Some(1) => {
                let coverage: Value = serde_json::from_slice(&now[1]).unwrap();
                let before: Value = serde_json::from_slice(&whole[1]).unwrap();
                let place = self.place.0.path().to_owned();
                let mut known = missing_is_named(&place, &coverage, &before, &what);
                // What a source told before it failed stays.
                if !empty[1].is_empty() {
                    let before: Value = serde_json::from_slice(&empty[1]).unwrap();
                    known.extend(events(&before).into_keys());
                }
                assert!(now[0] == self.expected(known), "{what}");
            }
            Some(2) => {
                is_refused(run, &what);
                // All of a run counts from one moment on, which may lie before what failed.
                let is_empty_rollup = empty[0].is_empty() && says_nothing(&now);
                assert!(now == *empty || now == *whole || is_empty_rollup, "{what}");
            }
            _ => panic!("{what}"),
        }
    }

    /// Asserts that nothing unfinished is left, unless it was the removal that failed.
    #[track_caller]
    fn leaves_nothing(&self, injected: &Injected, fault: &Fault<'_>, what: &str) {
        let hit = injected.hit.as_deref().unwrap_or(Path::new(""));
        let is_temporary = |folder: &str| hit.starts_with(self.place.path(folder));
        let is_found = ["open", "stat", "list"].contains(&fault.kind);
        if is_found && (fault.lasts || TEMPORARY.into_iter().any(is_temporary)) {
            return;
        }
        for folder in TEMPORARY {
            let entries = fs::read_dir(self.place.path(folder)).into_iter().flatten();
            let left: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
            assert!(left.is_empty(), "{left:?}: {what}");
        }
    }

    /// Injects every fault into runs with these words, which write the stream `out/stream`.
    fn meet_faults_streaming(&mut self, words: &[&str], kinds: &[Kind], is_partly: bool) {
        let begin = |logs: &Self| {
            for folder in ["out", "tmp"] {
                let _ = fs::remove_dir_all(logs.place.path(folder));
            }
            fs::create_dir(logs.place.path("tmp")).unwrap();
            logs.place.file("out/stream", "old");
        };
        let say = |logs: &Self, code: i32| {
            let _ = fs::remove_dir_all(logs.place.path("again"));
            logs.roll(&["--merge", "out/stream", "--into", "again"], code);
            logs.answer("again")
        };
        begin(self);
        assert_eq!(end(&mut self.rollup(words), self.aside.path()).run.code, Some(0));
        let stream = fs::read(self.place.path("out/stream")).unwrap();
        let whole = say(self, 0);
        let under = self.place.0.path().to_owned();
        each_fault(kinds, &under, &mut |fault| {
            begin(self);
            let injected = inject(&mut self.rollup(words), fault, self.aside.path());
            let Injected { run, hit, .. } = &injected;
            if hit.is_none() {
                return false;
            }
            let what = format!("{fault:?} at {hit:?}: {:?}: {}", run.code, run.stderr);
            self.leaves_nothing(&injected, fault, &what);
            let out: Vec<_> = fs::read_dir(self.place.path("out")).unwrap().collect();
            assert_eq!(out.len(), 1, "{what}");
            let now = fs::read(self.place.path("out/stream")).unwrap();
            match run.code {
                Some(0) => assert!(now == stream && run.stderr.is_empty(), "{what}"),
                Some(1) if is_partly => {
                    let now = say(self, 1);
                    let coverage: Value = serde_json::from_slice(&now[1]).unwrap();
                    let before: Value = serde_json::from_slice(&whole[1]).unwrap();
                    let place = self.place.0.path().to_owned();
                    let read = missing_is_named(&place, &coverage, &before, &what);
                    assert!(now[0] == self.expected(read), "{what}");
                }
                Some(2) => {
                    is_refused(run, &what);
                    assert_eq!(now, b"old", "{what}");
                }
                _ => panic!("{what}"),
            }
            true
        });
    }
}

/// Returns whether a rollup is there and has no run.
fn says_nothing(answer: &Answer) -> bool {
    let coverage: Value = serde_json::from_slice(&answer[1]).unwrap_or_default();
    coverage["Records"]["Total"] == 0 && coverage["Problems"] == Value::Array(Vec::new())
}

#[test]
fn whatever_fails_a_rollup_is_what_it_was_or_names_what_it_lacks() {
    if library().is_none() {
        return;
    }
    let mut logs = Logs::new(&["organizations"]);
    logs.roll(&["in/a", "--into", "rollup"], 0);
    logs.meet_faults_rolling(&["in", "--into", "out/rollup", "--threads", "1"], "rollup", &KINDS);
    tell_count();
}

#[test]
fn whatever_fails_a_merge_adds_all_or_nothing() {
    if library().is_none() {
        return;
    }
    let mut logs = Logs::new(&["organizations"]);
    for (input, stream) in [("in/a/plain.json", "a.arrows"), ("in/b", "b.arrows")] {
        logs.roll(&[input, "--partial", "-o", stream], 0);
    }
    let words = ["--merge", "a.arrows", "b.arrows", "--into", "out/rollup"];
    logs.meet_faults_rolling(&words, "", &KINDS);
    logs.roll(&["in/c.json", "--into", "rollup"], 0);
    let words = ["--merge", "rollup", "b.arrows", "--partial", "-o", "out/stream"];
    logs.meet_faults_streaming(&words, &KINDS, false);
    tell_count();
}

#[test]
fn whatever_fails_a_partial_stream_is_whole_or_not_there() {
    if library().is_none() {
        return;
    }
    let mut logs = Logs::new(&["organizations"]);
    logs.meet_faults_streaming(
        &["in", "--partial", "-o", "out/stream", "--threads", "1"],
        &KINDS,
        true,
    );
    tell_count();
}

#[test]
fn whatever_fails_a_compaction_changes_no_answer() {
    if library().is_none() {
        return;
    }
    let mut logs = Logs::new(&["organizations"]);
    for input in ["in/a", "in/c.json"] {
        logs.roll(&[input, "--into", "rollup"], 0);
    }
    let whole = logs.answer("rollup");
    let (under, mut codes) = (logs.place.path("out"), BTreeMap::new());
    each_fault(&KINDS, &under, &mut |fault| {
        logs.reset();
        crate::rollup::copy(&logs.place.path("rollup"), &under.join("rollup"));
        let mut command = logs.rollup(&["--compact", "out/rollup"]);
        let injected = inject(&mut command, fault, logs.aside.path());
        let Injected { run, hit, .. } = &injected;
        let what = format!("{fault:?} at {hit:?}: {:?}: {}", run.code, run.stderr);
        *codes.entry(run.code).or_insert(0) += 1;
        match run.code {
            Some(0) => assert_eq!(run.stderr, "", "{what}"),
            Some(2) => is_refused(run, &what),
            _ => panic!("{what}"),
        }
        logs.leaves_nothing(&injected, fault, &what);
        assert!(logs.answer("out/rollup") == whole, "{what}");
        if run.code == Some(2) {
            logs.roll(&["--compact", "out/rollup"], 0);
            assert!(logs.answer("out/rollup") == whole, "behind {what}");
        }
        hit.is_some()
    });
    assert_eq!(codes.len(), 2, "{codes:?}");
    tell_count();
}

#[test]
fn whatever_fails_in_reading_a_rollup_there_is_no_report_or_the_whole_one() {
    if library().is_none() {
        return;
    }
    let mut logs = Logs::new(&["organizations"]);
    logs.roll(&["in/a", "--into", "rollup"], 0);
    logs.roll(&["in/b", "--into", "rollup"], 0);
    let command = |logs: &Logs| logs.command(&["rollup"]);
    logs.reset();
    assert_eq!(end(&mut command(&logs), logs.aside.path()).run.code, Some(0));
    let whole = logs.outputs();
    let under = logs.place.path("rollup");
    each_fault(&KINDS[..4], Path::new(&under), &mut |fault| {
        logs.reset();
        let injected = inject(&mut command(&logs), fault, logs.aside.path());
        let Injected { run, hit, .. } = injected;
        let what = format!("{fault:?} at {hit:?}: {:?}: {}", run.code, run.stderr);
        match run.code {
            Some(0) => assert!(logs.outputs() == whole && run.stderr.is_empty(), "{what}"),
            Some(2) => {
                is_refused(&run, &what);
                assert_eq!(logs.outputs(), OLD.map(Vec::from), "{what}");
            }
            _ => panic!("{what}"),
        }
        hit.is_some()
    });
    tell_count();
}
