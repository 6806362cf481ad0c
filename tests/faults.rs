//! The program met by a stranger: broken inputs, wrong arguments, full disks, hostile names.
//!
//! Every run is checked for what it leaves behind; a refused one for a single line on standard
//! error and nothing on standard output.

mod arguments;
#[cfg(target_os = "linux")]
mod changed;
#[cfg(target_os = "linux")]
mod inject;
#[cfg(target_os = "linux")]
mod injected;
mod inputs;
#[cfg(target_os = "linux")]
mod killed;
#[cfg(target_os = "linux")]
mod output;
#[cfg(target_os = "linux")]
mod rolled;
mod sameness;
#[cfg(target_os = "linux")]
mod signals;
#[cfg(target_os = "linux")]
mod size;
#[cfg(target_os = "linux")]
mod terminal;

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use tempfile::TempDir;

/// Noon of a day.
const NOON: &str = "2026-01-15T12:00:00Z";

fn testdata(name: &str) -> String {
    format!("{}/testdata/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Returns a record that counts.
fn record(account: &str, source: &str, time: &str) -> String {
    format!(
        "{{\"eventVersion\":\"1.08\",\"userIdentity\":{{\"type\":\"IAMUser\",\"accountId\":\
         \"{account}\",\"arn\":\"arn:aws:iam::{account}:user/ann\"}},\"eventTime\":\"{time}\",\
         \"eventSource\":\"{source}\",\"eventName\":\"ListThings\",\"awsRegion\":\"eu-west-1\",\
         \"eventType\":\"AwsApiCall\"}}"
    )
}

/// Returns a log file of so many records.
fn log(records: usize) -> String {
    let records = vec![record("111122223333", "s3.amazonaws.com", NOON); records];
    format!("{{\"Records\":[{}]}}", records.join(","))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A directory in which the program runs.
struct Place(TempDir);

impl Place {
    /// Makes one with a good log file, `good.json`.
    fn new() -> Self {
        let place = Self(TempDir::new().unwrap());
        place.file("good.json", log(3));
        place
    }

    fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: impl AsRef<Path>, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Returns the program, about to run here with these words behind `report organizations`.
    fn command<T: AsRef<OsStr>>(&self, args: &[T]) -> Command {
        let mut command = program();
        command.current_dir(self.0.path()).args(["report", "organizations"]).args(args);
        command
    }

    /// Runs it to its end; it leaves nothing here but the files `made`.
    fn run_making<T: AsRef<OsStr>>(&self, args: &[T], made: &[&str]) -> Run {
        let mut expected = self.files();
        let run = Run::of(&self.command(args).stdin(Stdio::null()).output().unwrap());
        expected.extend(made.iter().map(|name| self.path(name)));
        expected.sort();
        expected.dedup();
        assert_eq!(self.files(), expected, "{}", run.stderr);
        run
    }

    /// Runs it to its end; it leaves nothing here.
    fn run<T: AsRef<OsStr>>(&self, args: &[T]) -> Run {
        self.run_making(args, &[])
    }

    /// Runs it on these bytes of standard input.
    fn run_on(&self, args: &[&str], input: &[u8]) -> Run {
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        std::thread::scope(|scope| {
            // Who refuses its arguments reads no input.
            scope.spawn(move || drop(stdin.write_all(input)));
            Run::of(&child.wait_with_output().unwrap())
        })
    }

    /// Returns everything below, in order.
    fn files(&self) -> Vec<PathBuf> {
        let entries = walkdir::WalkDir::new(self.0.path()).min_depth(1).sort_by_file_name();
        let mut files: Vec<PathBuf> =
            entries.into_iter().map(|entry| entry.unwrap().into_path()).collect();
        files.sort();
        files
    }
}

/// Returns the program, in an environment of its own.
fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trailfold"));
    command.env("SOURCE_DATE_EPOCH", "1769904000").env_remove("NO_COLOR");
    command
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

    /// Asserts that there is no report, and one line that says why.
    #[track_caller]
    fn is_refused(&self, because: &str) {
        assert_eq!(self.code, Some(2), "{}", self.stderr);
        assert_eq!(String::from_utf8_lossy(&self.stdout), "");
        self.says_only("error: ", because);
    }

    /// Asserts that all that is said is one line.
    #[track_caller]
    fn says_only(&self, start: &str, part: &str) {
        assert!(self.stderr.starts_with(start) && self.stderr.contains(part), "{}", self.stderr);
        assert_eq!(self.stderr.find('\n'), Some(self.stderr.len() - 1), "{}", self.stderr);
        assert!(!self.stderr.contains("os error"), "{}", self.stderr);
    }

    /// Asserts that there is a whole report, with this exit code.
    #[track_caller]
    fn reports(&self, code: i32) -> Value {
        assert_eq!(self.code, Some(code), "{}", self.stderr);
        serde_json::from_slice(&self.stdout).unwrap()
    }

    /// Asserts that there is a report although something could not be read, which a line names.
    #[track_caller]
    fn reports_without(&self, problem: &str) {
        self.reports(1);
        assert!(self.stderr.contains(&format!("problem: {problem}")), "{}", self.stderr);
    }
}

/// Asserts that every record is accounted for, and returns how many there were.
#[track_caller]
fn records_of(coverage: &Path) -> u64 {
    let coverage: Value = serde_json::from_slice(&fs::read(coverage).unwrap()).unwrap();
    let records = &coverage["Records"];
    let number = |value: &Value| value.as_u64().unwrap();
    let aside: u64 = records["SetAside"].as_object().unwrap().values().map(number).sum();
    let total = number(&records["Total"]);
    assert_eq!(total, number(&records["Counted"]) + aside + number(&records["Malformed"]));
    total
}

/// Makes many lines of records, of an account and a service each.
fn lines(count: usize) -> String {
    let mut text = String::new();
    for at in 0..count {
        let source = ["s3.amazonaws.com", "ec2.amazonaws.com", "iam.amazonaws.com"][at % 3];
        let account = ["111122223333", "444455556666"][at % 2];
        let time = format!("2026-01-15T{:02}:{:02}:{:02}Z", at / 3600 % 24, at / 60 % 60, at % 60);
        writeln!(text, "{}", record(account, source, &time)).unwrap();
    }
    text
}
