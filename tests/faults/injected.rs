//! Reports and verifications in which a system call fails: the same bytes, or what is missing is
//! named, or there is no report and nothing is left of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{Cursor, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::inject::{
    Fault, Injected, KINDS, Kind, aside, each_fault, end, inject, library, tell_count,
};
use super::{NOON, Place, Run, gzip, program, record, testdata};

/// The sources of [`Logs`], each with the account whose records it holds alone.
pub(super) const SOURCES: [(&str, &str); 7] = [
    ("000000000001", "in/a/plain.json"),
    ("000000000002", "in/a/packed.json.gz"),
    ("000000000003", "in/b/packed.json.zst"),
    ("000000000004", "in/b/lines.json"),
    ("000000000005", "in/b/archive.zip/stored.json"),
    ("000000000006", "in/b/archive.zip/deflated.json.gz"),
    ("000000000007", "in/c.json"),
];

/// Logs of every kind in one directory. A source has an account and a service of its own, and all
/// its records are of one time, so that a report tells which sources it knows, and no more.
pub(super) struct Logs {
    pub(super) place: Place,
    /// For what a run says.
    pub(super) aside: TempDir,
    words: Vec<String>,
    pub(super) threads: &'static str,
    /// What must be reported, by the accounts that were read.
    expected: BTreeMap<BTreeSet<String>, Vec<u8>>,
}

/// What an older run put out.
pub(super) const OLD: [&[u8]; 2] = [b"old report", b"old coverage"];

/// Returns records of an account, which name it and use a service of their own.
pub(super) fn records(account: &str, count: usize) -> Vec<String> {
    let services = ["s3", "ec2", "iam", "sts", "kms", "sns", "sqs", "lambda"];
    let number: usize = account.parse().unwrap();
    let source = format!("{}.amazonaws.com", services[number % services.len()]);
    vec![record(account, &source, NOON); count]
}

pub(super) fn log(account: &str) -> String {
    format!("{{\"Records\":[{}]}}", records(account, 3).join(","))
}

impl Logs {
    /// Makes them; reports are made with these words.
    pub(super) fn new(words: &[&str]) -> Self {
        // Where nothing is written to a disk, thousands of runs take no time to wait for one.
        let folder = TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap();
        let place = Place(folder);
        let [plain, packed, zstd, lines, stored, deflated, named] = SOURCES.map(|it| it.0);
        place.file("in/a/plain.json", log(plain));
        place.file("in/a/packed.json.gz", gzip(log(packed).as_bytes()));
        place.file("in/b/packed.json.zst", zstd::encode_all(log(zstd).as_bytes(), 1).unwrap());
        place.file("in/b/lines.json", records(lines, 3).join("\n"));
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        let stored_as = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        archive.start_file("stored.json", stored_as).unwrap();
        archive.write_all(log(stored).as_bytes()).unwrap();
        archive.start_file("deflated.json.gz", SimpleFileOptions::default()).unwrap();
        archive.write_all(&gzip(log(deflated).as_bytes())).unwrap();
        place.file("in/b/archive.zip", archive.finish().unwrap().into_inner());
        place.file("in/c.json", log(named));
        for (account, _) in SOURCES {
            place.file(format!("alone/{account}.json"), log(account));
        }
        place.file("alone/nobody.json", "{\"Records\":[]}");
        fs::create_dir(place.path("tmp")).unwrap();
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        let (threads, expected) = ("1", BTreeMap::new());
        let mut logs = Self { place, aside: aside(), words, threads, expected };
        logs.reset();
        logs
    }

    /// Puts the outputs of an older run in place, and nothing else.
    pub(super) fn reset(&mut self) {
        let _ = fs::remove_dir_all(self.place.path("out"));
        let report = self.place.file("out/report", OLD[0]);
        fs::set_permissions(report, fs::Permissions::from_mode(0o640)).unwrap();
        self.place.file("out/coverage", OLD[1]);
    }

    /// Returns the program, about to make a report of inputs into files of `out`.
    pub(super) fn command(&self, inputs: &[&str]) -> Command {
        let mut command = program();
        command.current_dir(self.place.0.path()).env("TMPDIR", self.place.path("tmp"));
        command.args(["report"]).args(&self.words).args(inputs);
        command.args(["-q", "-o", "out/report", "--coverage", "out/coverage"]);
        command.args(["--threads", self.threads]).stdin(Stdio::null());
        command
    }

    /// Makes a file of lines that is read in four pieces; returns its path.
    pub(super) fn large_lines(&self) -> PathBuf {
        let mut text = String::new();
        for number in 0..64 {
            text += &records(SOURCES[3].0, 1)[0];
            text += &" ".repeat((number + 1) * (1 << 20) - text.len() - 1);
            text.push('\n');
        }
        self.place.file("in/b/lines.json", text)
    }

    /// Returns the outputs.
    pub(super) fn outputs(&self) -> [Vec<u8>; 2] {
        ["out/report", "out/coverage"].map(|name| fs::read(self.place.path(name)).unwrap())
    }

    /// Returns the report of what these accounts did.
    pub(super) fn expected(&mut self, accounts: BTreeSet<String>) -> Vec<u8> {
        if let Some(report) = self.expected.get(&accounts) {
            return report.clone();
        }
        let mut command = program();
        command.current_dir(self.place.0.path()).arg("report").args(&self.words);
        command.arg("alone/nobody.json");
        command.args(accounts.iter().map(|account| format!("alone/{account}.json")));
        let output = command.args(["-q", "--allow-empty"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let report = output.stdout;
        self.expected.insert(accounts, report.clone());
        report
    }

    /// Injects every fault into runs on `inputs`, and looks at what came of each.
    fn meet_faults(&mut self, inputs: &[&str], kinds: &[Kind], below: &str) {
        let run = end(&mut self.command(inputs), self.aside.path()).run;
        assert_eq!((run.code, &*run.stderr), (Some(0), ""));
        let whole = self.outputs();
        let under = self.place.path(below);
        let mut codes = BTreeMap::new();
        each_fault(kinds, &under, &mut |fault| {
            self.reset();
            let injected = inject(&mut self.command(inputs), fault, self.aside.path());
            if injected.hit.is_some() {
                *codes.entry(injected.run.code).or_insert(0) += 1;
                self.is_lawful(&injected, fault, &whole);
            }
            injected.hit.is_some()
        });
        assert!(codes.len() > 1, "{codes:?}");
    }

    #[track_caller]
    fn is_lawful(&mut self, injected: &Injected, fault: &Fault<'_>, whole: &[Vec<u8>; 2]) {
        let run = &injected.run;
        let what = format!("{fault:?} at {:?}: {:?}: {}", injected.hit, run.code, run.stderr);
        assert!(run.stdout.is_empty(), "{what}");
        self.is_tidy(&what);
        let report = fs::metadata(self.place.path("out/report")).unwrap();
        assert_eq!(report.permissions().mode() & 0o777, 0o640, "{what}");
        let outputs = self.outputs();
        match run.code {
            Some(0) => {
                assert_eq!(run.stderr, "", "{what}");
                assert!(outputs == *whole, "{what}");
            }
            Some(1) => {
                let coverage: Value = serde_json::from_slice(&outputs[1]).unwrap();
                let before: Value = serde_json::from_slice(&whole[1]).unwrap();
                let place = self.place.0.path();
                let read = missing_is_named(place, &coverage, &before, &what);
                assert!(outputs[0] == self.expected(read), "{what}");
            }
            Some(2) => {
                is_refused(run, &what);
                assert_eq!(outputs[0], OLD[0], "{what}");
                // Two files cannot be renamed at one stroke: the report comes last.
                let is_renamed = fault.kind == "rename" && outputs[1] == whole[1];
                assert!(is_renamed || outputs[1] == OLD[1], "{what}");
            }
            _ => panic!("{what}"),
        }
    }

    /// Asserts that there is no file but those that belong there.
    #[track_caller]
    pub(super) fn is_tidy(&self, what: &str) {
        let below = |name: &str| -> Vec<PathBuf> {
            let entries = fs::read_dir(self.place.path(name)).unwrap();
            let mut names: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
            names.sort();
            names
        };
        let outputs = ["out/coverage", "out/report"].map(|name| self.place.path(name));
        assert_eq!(below("out"), outputs, "{what}");
        assert!(below("tmp").is_empty(), "{what}");
    }
}

/// Asserts that the last line says why there is no result, and that all others name what is wrong.
#[track_caller]
pub(super) fn is_refused(run: &Run, what: &str) {
    let mut lines: Vec<&str> = run.stderr.lines().collect();
    assert!(lines.pop().is_some_and(|last| last.starts_with("error: ")), "{what}");
    let is_named = |line: &&str| line.starts_with("problem: ") || line.starts_with("warning: ");
    assert!(lines.iter().all(is_named), "{what}");
    assert!(run.stdout.is_empty(), "{what}");
}

/// Returns how many events of each account counted.
pub(super) fn events(coverage: &Value) -> BTreeMap<String, u64> {
    let accounts = coverage["Accounts"].as_array().unwrap().iter();
    let event = |it: &Value| {
        (it["AccountId"].as_str().unwrap().to_owned(), it["Events"].as_u64().unwrap_or_default())
    };
    accounts.map(event).collect()
}

/// Asserts that a coverage adds up and that a problem names every source of which it knows less than
/// the one `before`; returns the accounts that it knows.
#[track_caller]
pub(super) fn missing_is_named(
    place: &Path,
    coverage: &Value,
    before: &Value,
    what: &str,
) -> BTreeSet<String> {
    let number = |value: &Value| value.as_u64().unwrap();
    let records = &coverage["Records"];
    let aside: u64 = records["SetAside"].as_object().unwrap().values().map(number).sum();
    let total = number(&records["Counted"]) + aside + number(&records["Malformed"]);
    assert_eq!(number(&records["Total"]), total, "{what}");
    assert_eq!(coverage["Complete"], false, "{what}");
    let problems = coverage["Problems"].as_array().unwrap().iter();
    let problems: Vec<&Path> =
        problems.map(|problem| Path::new(problem["Source"].as_str().unwrap())).collect();
    assert!(!problems.is_empty(), "{what}");
    let now = events(coverage);
    for (account, before) in events(before) {
        let events = now.get(&account).copied().unwrap_or_default();
        assert!(events <= before, "{what}");
        let source = SOURCES.iter().find(|it| it.0 == account).unwrap().1;
        // A pattern stands for all that it might have found, as a directory does.
        let names = |problem: &&Path| {
            let problem = problem.strip_prefix(place).unwrap_or(problem);
            Path::new(source).starts_with(problem)
                || problem.ends_with("*.json") && Path::new(source).parent() == problem.parent()
        };
        let is_named = problems.iter().any(names);
        assert!(events == before || is_named, "{account} of {source}: {problems:?}: {what}");
    }
    now.into_keys().collect()
}

#[test]
fn whatever_fails_a_report_says_what_it_lacks_or_is_not_there() {
    if library().is_none() {
        return;
    }
    let mut logs = Logs::new(&["organizations"]);
    logs.meet_faults(&["in"], &KINDS, "");
    tell_count();
}

#[test]
fn whatever_fails_an_input_that_is_named_is_missed() {
    if library().is_none() {
        return;
    }
    let mut logs = Logs::new(&["organizations", "--format", "table"]);
    let inputs = ["in/a/*.json", "in/b/lines.json", "in/b/archive.zip", "in/c.json"];
    logs.meet_faults(&inputs, &KINDS[..5], "in");
    tell_count();
}

#[test]
fn whatever_fails_a_report_on_entities_says_what_it_lacks_or_is_not_there() {
    if library().is_none() {
        return;
    }
    let words = ["service", "--identities", "identities", "--all-arns"];
    let mut logs = Logs::new(&words);
    for (account, _) in SOURCES {
        let arn = format!("arn:aws:iam::{account}:user/ann");
        let user = json!({
            "Path": "/", "UserName": "ann", "UserId": format!("AIDA{account}"), "Arn": arn,
            "CreateDate": "2023-06-01T09:00:00Z", "GroupList": [], "AttachedManagedPolicies": [],
            "UserPolicyList": [{"PolicyName": "all", "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
            }}],
        });
        let reply = json!({
            "UserDetailList": [user], "GroupDetailList": [], "RoleDetailList": [], "Policies": [],
        });
        logs.place.file(format!("identities/{account}.json"), reply.to_string());
    }
    logs.meet_faults(&["in/a", "in/b/lines.json"], &KINDS, "");
    tell_count();
}

#[test]
fn whatever_fails_in_reading_a_snapshot_there_is_no_report_or_the_whole_one() {
    if library().is_none() {
        return;
    }
    for name in ["nested.json", "nested-replies", "nested-pmapper"] {
        let words = ["organizations", "--organization", "snapshot", "--all-entities"];
        let mut logs = Logs::new(&words);
        let from = PathBuf::from(testdata("organizations")).join(name);
        if from.is_file() {
            fs::copy(from, logs.place.path("snapshot")).unwrap();
        } else {
            crate::rollup::copy(&from, &logs.place.path("snapshot"));
        }
        logs.place.file("good.json", super::log(3).replace("111122223333", "111111111111"));
        logs.reset();
        let run = end(&mut logs.command(&["good.json"]), logs.aside.path()).run;
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let whole = logs.outputs();
        let under = logs.place.path("snapshot");
        let mut refused = 0;
        each_fault(&KINDS[..5], &under, &mut |fault| {
            logs.reset();
            let injected = inject(&mut logs.command(&["good.json"]), fault, logs.aside.path());
            let Injected { run, hit, .. } = injected;
            let what = format!("{fault:?} at {hit:?}: {:?}: {}", run.code, run.stderr);
            logs.is_tidy(&what);
            match run.code {
                Some(0) => assert!(logs.outputs() == whole && run.stderr.is_empty(), "{what}"),
                Some(2) => {
                    refused += 1;
                    is_refused(&run, &what);
                    assert_eq!(logs.outputs(), OLD.map(Vec::from), "{what}");
                }
                _ => panic!("{what}"),
            }
            hit.is_some()
        });
        assert!(refused > 3, "{refused}");
    }
    tell_count();
}

#[test]
fn whatever_fails_at_standard_input_is_told() {
    if library().is_none() {
        return;
    }
    let mut logs = Logs::new(&["organizations"]);
    let place = logs.place.0.path().to_owned();
    for (input, account) in [
        ("in/a/plain.json", 1),
        ("in/a/packed.json.gz", 2),
        ("in/b/packed.json.zst", 3),
        ("in/b/archive.zip", 5),
    ] {
        let whole = {
            logs.reset();
            let mut command = logs.command(&["-", "alone/000000000007.json"]);
            command.stdin(File::open(place.join(input)).unwrap());
            assert_eq!(end(&mut command, logs.aside.path()).run.code, Some(0));
            logs.outputs()
        };
        let account = format!("{account:012}");
        each_fault(&[KINDS[0], KINDS[2]], &place.join(input), &mut |fault| {
            logs.reset();
            let mut command = logs.command(&["-", "alone/000000000007.json"]);
            command.stdin(File::open(place.join(input)).unwrap());
            let injected = inject(&mut command, fault, logs.aside.path());
            let Injected { run, hit, .. } = &injected;
            let what = format!("{fault:?}: {:?}: {}", run.code, run.stderr);
            logs.is_tidy(&what);
            let outputs = logs.outputs();
            match run.code {
                Some(0) => assert!(outputs == whole, "{what}"),
                Some(1) => {
                    assert!(run.stderr.starts_with("problem: standard input"), "{what}");
                    let coverage: Value = serde_json::from_slice(&outputs[1]).unwrap();
                    assert_eq!(coverage["Complete"], false, "{what}");
                    let read: BTreeSet<String> = events(&coverage).into_keys().collect();
                    assert!(read.len() < 3 || read.contains(&account), "{what}");
                    assert!(outputs[0] == logs.expected(read), "{what}");
                }
                _ => panic!("{what}"),
            }
            hit.is_some()
        });
    }
    tell_count();
}

#[test]
fn what_cannot_be_written_to_standard_output_is_an_error() {
    if library().is_none() {
        return;
    }
    let place = Place::new();
    let aside = aside();
    let stdout = aside.path().join("stdout");
    let whole = place.run(&["good.json"]).stdout;
    let kinds: [Kind; 2] = [KINDS[5], ("write", &["errno:122"])];
    each_fault(&kinds, &stdout, &mut |fault| {
        let injected = inject(&mut place.command(&["good.json", "-q"]), fault, aside.path());
        let Injected { run, hit, .. } = injected;
        let what = format!("{fault:?}: {:?}: {}", run.code, run.stderr);
        match run.code {
            Some(0) => assert!(run.stdout == whole && run.stderr.is_empty(), "{what}"),
            Some(2) => {
                run.says_only("error: standard output: cannot be written: ", "");
                // What was written cannot be taken back.
                assert!(whole.starts_with(&run.stdout), "{what}");
            }
            _ => panic!("{what}"),
        }
        hit.is_some()
    });
    tell_count();
}

#[test]
fn a_large_file_of_lines_is_read_whole_or_named() {
    if library().is_none() {
        return;
    }
    let mut logs = Logs::new(&["organizations"]);
    let under = logs.large_lines();
    logs.threads = "2";
    let inputs = ["in/b/lines.json", "in/c.json"];
    let run = end(&mut logs.command(&inputs), logs.aside.path()).run;
    assert_eq!((run.code, &*run.stderr), (Some(0), ""));
    let whole = logs.outputs();
    let mut hits = 0;
    for (kind, effect) in [
        ("read", "errno:5"),
        ("read", "short:0"),
        ("read", "errno:4"),
        ("stat", "errno:5"),
        ("open", "errno:24"),
    ] {
        for at in [1, 2, 3, 4, 5, 6, 50, 100, 200] {
            for lasts in [false, true] {
                if lasts && effect == "errno:4" {
                    continue;
                }
                logs.reset();
                let fault = Fault { kind, effect, at, lasts, is_behind: false, under: &under };
                let injected = inject(&mut logs.command(&inputs), &fault, logs.aside.path());
                if injected.hit.is_some() {
                    hits += 1;
                    logs.is_lawful(&injected, &fault, &whole);
                }
            }
        }
    }
    assert!(hits > 40, "{hits}");
    tell_count();
}

/// A copy of the dump whose digests are all proven.
fn dump() -> Place {
    let place = Place::new();
    fs::remove_file(place.path("good.json")).unwrap();
    let from = PathBuf::from(testdata("verify"));
    for entry in walkdir::WalkDir::new(&from).into_iter().map(Result::unwrap) {
        let name = entry.path().strip_prefix(&from).unwrap();
        if entry.file_type().is_file() && !name.display().to_string().contains("/eu-central-1/") {
            place.file(name, fs::read(entry.path()).unwrap());
        }
    }
    fs::create_dir(place.path("out")).unwrap();
    place
}

const EVIDENCE: [&str; 4] = ["--public-keys", "keys.json", "--signatures", "signatures"];

#[test]
fn whatever_fails_nothing_is_called_valid_that_is_not() {
    if library().is_none() {
        return;
    }
    let (place, aside) = (dump(), aside());
    let command = || {
        let mut command = program();
        command.current_dir(place.0.path()).args(["verify", "dump"]).args(EVIDENCE);
        command.args(["--format", "json", "-q", "--threads", "1"]).stdin(Stdio::null());
        command
    };
    let whole = end(&mut command(), aside.path()).run;
    assert_eq!(whole.code, Some(0), "{}", whole.stderr);
    let files = place.files();
    each_fault(&KINDS[..5], place.0.path(), &mut |fault| {
        let injected = inject(&mut command(), fault, aside.path());
        let Injected { run, hit, .. } = injected;
        let Some(hit) = hit else { return false };
        let what = format!("{fault:?} at {hit:?}: {:?}: {}", run.code, run.stderr);
        assert_eq!(place.files(), files, "{what}");
        match run.code {
            Some(0) => assert!(run.stdout == whole.stdout, "{what}"),
            Some(1) => {
                let document: Value = serde_json::from_slice(&run.stdout).unwrap();
                assert_eq!(document["AllValid"], false, "{what}");
                let problems = document["Problems"].to_string();
                let name = hit.strip_prefix(place.0.path()).unwrap().to_str().unwrap();
                assert!(problems.contains(name), "{what}: {problems}");
            }
            Some(2) => is_refused(&run, &what),
            _ => panic!("{what}"),
        }
        true
    });
    tell_count();
}

#[test]
fn whatever_fails_a_report_of_what_is_proven_says_what_it_lacks() {
    if library().is_none() {
        return;
    }
    let (place, aside) = (dump(), aside());
    let command = |inputs: &[&Path], verified: bool| {
        let mut command = place.command(inputs);
        command.args(["-q", "--threads", "1", "-o", "out/r", "--coverage", "out/c"]);
        if verified {
            command.arg("--verified-only").args(EVIDENCE);
        }
        command.stdin(Stdio::null());
        command
    };
    let outputs = || ["out/r", "out/c"].map(|name| fs::read(place.path(name)).unwrap_or_default());
    let all = [Path::new("dump")];
    let run = end(&mut command(&all, true), aside.path()).run;
    assert_eq!((run.code, &*run.stderr), (Some(0), ""));
    let whole = outputs();
    // What the report may be if one of the two log files was not read.
    let logs: Vec<PathBuf> = place
        .files()
        .into_iter()
        .filter(|path| path.display().to_string().contains("_CloudTrail_"))
        .collect();
    let mut less = Vec::new();
    for log in &logs {
        assert_eq!(end(&mut command(&[log], false), aside.path()).run.code, Some(0));
        less.push(outputs()[0].clone());
    }
    assert_eq!(less.len(), 2);
    each_fault(&KINDS[..5], place.0.path(), &mut |fault| {
        for name in ["out/r", "out/c"] {
            let _ = fs::remove_file(place.path(name));
        }
        let injected = inject(&mut command(&all, true), fault, aside.path());
        let Injected { run, hit, .. } = injected;
        let Some(hit) = hit else { return false };
        let what = format!("{fault:?} at {hit:?}: {:?}: {}", run.code, run.stderr);
        let now = outputs();
        match run.code {
            Some(0) => assert!(now == whole, "{what}"),
            Some(1) => {
                let coverage: Value = serde_json::from_slice(&now[1]).unwrap();
                assert_eq!(coverage["Complete"], false, "{what}");
                assert!(now[0] == whole[0] || less.contains(&now[0]), "{what}");
                assert!(run.stderr.contains("problem: "), "{what}");
            }
            Some(2) => {
                is_refused(&run, &what);
                assert!(now.iter().all(Vec::is_empty), "{what}");
            }
            _ => panic!("{what}"),
        }
        true
    });
    tell_count();
}
