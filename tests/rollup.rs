//! Rollups against the logs that they are made of: a report over either is the same, byte for byte,
//! however the logs were cut, merged, repeated and broken off.

mod again;
mod beside;
mod engines;
#[cfg(target_os = "linux")]
mod hostile;
#[cfg(target_os = "linux")]
mod killed;
mod logs;
mod refused;
mod same;
#[cfg(target_os = "linux")]
mod several;

use std::cell::Cell;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

/// A directory in which the program runs.
struct Place(TempDir, Cell<u64>);

impl Place {
    fn new() -> Self {
        Self(TempDir::new().unwrap(), Cell::new(0))
    }

    fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    /// Returns the path as an argument.
    fn arg(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    fn file(&self, name: impl AsRef<Path>, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Returns the program, about to run here: every report at the same time, every run of
    /// `rollup` a second behind the one before.
    fn command<T: AsRef<OsStr>>(&self, args: &[T]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trailfold"));
        if args.first().is_some_and(|word| word.as_ref() == "rollup") {
            self.1.set(self.1.get() + 1);
            command.env("SOURCE_DATE_EPOCH", (1_769_904_000 + self.1.get()).to_string());
        } else {
            command.env("SOURCE_DATE_EPOCH", "1769904000");
        }
        command.current_dir(self.0.path()).args(args);
        command.stdin(Stdio::null());
        command
    }

    #[track_caller]
    fn run<T: AsRef<OsStr>>(&self, args: &[T]) -> Run {
        Run::of(&self.command(args).output().unwrap())
    }

    /// Adds to a rollup; something in what is read may be broken.
    #[track_caller]
    fn roll<T: AsRef<OsStr>>(&self, inputs: &[T], into: &str) -> Run {
        let mut args: Vec<&OsStr> = inputs.iter().map(AsRef::as_ref).collect();
        args.extend(["--into", into].map(OsStr::new));
        let mut command = self.command(&["rollup"]);
        let run = Run::of(&command.args(args).output().unwrap());
        assert!(matches!(run.code, Some(0 | 1)), "{}", run.stderr);
        run
    }

    /// Makes a report with its coverage.
    #[track_caller]
    fn report<T: AsRef<OsStr>>(&self, inputs: &[T], more: &[&str]) -> Report {
        self.report_of(Kind::Organizations, inputs, more)
    }

    #[track_caller]
    fn report_of<T: AsRef<OsStr>>(&self, kind: Kind, inputs: &[T], more: &[&str]) -> Report {
        let files = TempDir::new().unwrap();
        let (report, coverage) = (files.path().join("report"), files.path().join("coverage"));
        let mut command = self.command(kind.words());
        command.args(inputs).args(["--details", "-o"]).arg(&report);
        command.arg("--coverage").arg(&coverage).args(more);
        let run = Run::of(&command.output().unwrap());
        assert!(matches!(run.code, Some(0 | 1)), "{:?}: {}", run.code, run.stderr);
        Report {
            code: run.code,
            report: fs::read(report).unwrap(),
            coverage: String::from_utf8(fs::read(coverage).unwrap()).unwrap(),
            stderr: run.stderr,
        }
    }

    /// Returns every file below with its bytes, in order.
    fn files(&self, below: &str) -> Vec<(PathBuf, Vec<u8>)> {
        let entries = walkdir::WalkDir::new(self.path(below)).sort_by_file_name();
        let entries = entries.into_iter().map(Result::unwrap);
        let files = entries.filter(|entry| entry.file_type().is_file());
        files.map(|it| (it.path().to_owned(), fs::read(it.path()).unwrap())).collect()
    }

    /// Returns the names of the runs of a rollup.
    fn runs(&self, rollup: &str) -> Vec<PathBuf> {
        let runs = self.files(&format!("{rollup}/_trailfold/runs"));
        runs.into_iter().map(|(path, _)| path).collect()
    }

    /// Asserts that nothing unfinished was left in a rollup.
    #[track_caller]
    fn is_tidy(&self, rollup: &str) {
        let left: Vec<_> = fs::read_dir(self.path(rollup).join("_trailfold/tmp"))
            .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
            .unwrap_or_default();
        assert!(left.is_empty(), "{left:?}");
    }
}

/// A kind of report.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Organizations,
    Service,
}

impl Kind {
    fn words(self) -> &'static [&'static str] {
        const IDENTITIES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/identities");
        match self {
            Self::Organizations => &["report", "organizations", "--all-entities"],
            Self::Service => &["report", "service", "--all-arns", "--identities", IDENTITIES],
        }
    }
}

/// A report, its coverage, and what was said.
struct Report {
    code: Option<i32>,
    report: Vec<u8>,
    coverage: String,
    stderr: String,
}

impl Report {
    /// Asserts that two reports say the same.
    #[track_caller]
    fn is(&self, expected: &Self, what: &str) {
        if self.coverage != expected.coverage {
            let (one, other) = (self.coverage.lines(), expected.coverage.lines());
            let differ = one.zip(other).find(|(one, other)| one != other);
            panic!("{what}: coverage: {differ:?}");
        }
        assert!(self.report == expected.report, "{what}: report");
        assert_eq!(self.code, expected.code, "{what}");
    }

    /// Returns whether two reports say the same.
    fn same(&self, other: &Self) -> bool {
        self.coverage == other.coverage && self.report == other.report
    }
}

/// How a run ended and what it said.
struct Run {
    code: Option<i32>,
    stdout: Vec<u8>,
    stderr: String,
}

impl Run {
    fn of(output: &Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: output.stdout.clone(),
            stderr: String::from_utf8(output.stderr.clone()).unwrap(),
        }
    }

    /// Asserts that nothing was done, and that one line says why, with all of these words.
    #[track_caller]
    fn is_refused(&self, words: &[&str]) {
        assert_eq!(self.code, Some(2), "{}", self.stderr);
        assert!(self.stdout.is_empty(), "{}", self.stderr);
        assert!(self.stderr.starts_with("error: "), "{}", self.stderr);
        assert_eq!(self.stderr.find('\n'), Some(self.stderr.len() - 1), "{}", self.stderr);
        for word in words {
            assert!(self.stderr.contains(word), "`{word}` is not in: {}", self.stderr);
        }
    }
}

/// Changes when a file was last changed, by so many seconds.
fn shift(path: &Path, seconds: i64) {
    let file = File::options().write(true).open(path).unwrap();
    let modified = file.metadata().unwrap().modified().unwrap();
    let by = Duration::from_secs(seconds.unsigned_abs());
    file.set_modified(if seconds < 0 { modified - by } else { modified + by }).unwrap();
}

/// Says when a file was last changed.
fn set_modified(path: &Path, modified: SystemTime) {
    File::options().write(true).open(path).unwrap().set_modified(modified).unwrap();
}

pub(crate) fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from).into_iter().map(Result::unwrap) {
        let to = to.join(entry.path().strip_prefix(from).unwrap());
        if entry.file_type().is_dir() {
            fs::create_dir_all(to).unwrap();
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}
