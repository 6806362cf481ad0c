//! The integrity of log files: dumps with digests that other programs signed, whole ones and forged
//! ones. `tests/verify/cases.py` writes them, with what must be found out about each.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use flate2::bufread::GzDecoder;
use serde_json::Value;
use tempfile::TempDir;
use trailfold::ingest;
use trailfold::verify::{self, Options, PublicKeys, SavedSignatures};

use crate::python::{python, script};

/// Returns the folder with a folder a case, which is made once.
fn cases() -> &'static Path {
    static CASES: OnceLock<PathBuf> = OnceLock::new();
    CASES.get_or_init(|| {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = repository.join("target/tmp/verify");
        let writer = repository.join("tests/verify/cases.py");
        script(Command::new(python()).arg("-B").arg(writer).arg(&folder), "cases.py");
        folder
    })
}

fn run(case: &Path, signatures: Option<&str>, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_trailfold"))
        .current_dir(case)
        .args(["verify", "dump", "--public-keys", "keys.json"])
        .args(signatures.into_iter().flat_map(|folder| ["--signatures", folder]))
        .args(more)
        .output()
        .unwrap()
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|error| {
        panic!("{error}: {}", String::from_utf8_lossy(bytes));
    })
}

/// Returns the sorted statuses of the files of each key, of all chains.
fn statuses(document: &Value, member: &str) -> BTreeMap<String, Vec<String>> {
    let mut statuses: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for chain in document["Chains"].as_array().unwrap() {
        for file in chain[member].as_array().unwrap() {
            let key = file["S3Object"].as_str().unwrap_or_default().to_owned();
            statuses.entry(key).or_default().push(file["Status"].as_str().unwrap().to_owned());
        }
    }
    statuses.values_mut().for_each(|statuses| statuses.sort());
    statuses
}

/// Returns the statuses that are expected of each key which is found.
fn expected(all: &Value, found: &BTreeMap<String, Vec<String>>) -> BTreeMap<String, Vec<String>> {
    let mut expected: BTreeMap<String, Vec<String>> =
        found.keys().map(|key| (key.clone(), vec!["valid".to_owned()])).collect();
    for (key, statuses) in all.as_object().unwrap() {
        let mut statuses: Vec<String> = match statuses {
            Value::Array(list) => list.iter().map(|it| it.as_str().unwrap().to_owned()).collect(),
            status => vec![status.as_str().unwrap().to_owned()],
        };
        statuses.sort();
        expected.insert(key.clone(), statuses);
    }
    expected
}

#[test]
fn forged_and_whole_dumps_are_what_was_made_of_them() {
    let mut faults = Vec::new();
    let mut checked = 0;
    let mut entries: Vec<_> =
        fs::read_dir(cases()).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for case in entries {
        let name = case.file_name().unwrap().to_str().unwrap();
        let wanted = json(&fs::read(case.join("expected.json")).unwrap());
        let output = run(&case, wanted["Signatures"].as_str(), &["--format", "json"]);
        checked += 1;
        let mut differ = |what: &str, found: &dyn std::fmt::Debug, wanted: &dyn std::fmt::Debug| {
            let (found, wanted) = (format!("{found:?}"), format!("{wanted:?}"));
            if found != wanted {
                faults.push(format!("{name}: {what}:\n    {found}\n    and not {wanted}"));
            }
        };
        differ("exit code", &output.status.code().map(i64::from), &wanted["Code"].as_i64());
        if output.status.code() == Some(2) {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            differ(
                "standard error",
                &(said.starts_with("error: ") && said.lines().count() == 1),
                &true,
            );
            differ("standard output", &output.stdout.is_empty(), &true);
            continue;
        }
        let document = json(&output.stdout);
        for (member, of) in [("DigestFiles", "Digests"), ("LogFiles", "Logs")] {
            let found = statuses(&document, member);
            differ(member, &found, &expected(&wanted[of], &found));
        }
        let gaps: Vec<&Value> = document["Chains"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|chain| chain["Gaps"].as_array().unwrap())
            .collect();
        let no_gaps = Vec::new();
        differ(
            "gaps",
            &gaps,
            &wanted["Gaps"].as_array().unwrap_or(&no_gaps).iter().collect::<Vec<_>>(),
        );
        let count = |member: &str| document[member].as_array().unwrap().len() as u64;
        for (member, of) in [("UnlistedLogFiles", "Unlisted"), ("CopiedLogFiles", "Copies")] {
            differ(member, &count(member), &wanted[of].as_u64().unwrap_or(0));
        }
        differ("StrayDigests", &count("StrayDigests"), &0);
        differ("AllValid", &document["AllValid"], &Value::Bool(wanted["Code"] == 0));
        if let Some(chains) = wanted["Chains"].as_u64() {
            differ("chains", &count("Chains"), &chains);
        }
        let begins = &document["Chains"][0]["BeginsAfter"];
        differ("BeginsAfter", &begins["S3Object"], &wanted["BeginsAfter"]);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    eprintln!("{checked} dumps, whole and forged, are what was made of them");
    assert!(checked > 95, "{checked} cases");
}

#[test]
fn results_are_those_of_the_aws_cli() {
    let script_path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verify/against_aws.py");
    let mut command = Command::new(python());
    command.arg("-B").arg(script_path).arg(env!("CARGO_BIN_EXE_trailfold")).arg(cases());
    script(&mut command, "against_aws.py");
}

/// A copy of the smallest dump, in which bytes can be changed.
struct Small {
    directory: TempDir,
}

impl Small {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let whole = cases().join("small");
        for file in files(&whole) {
            let copy = directory.path().join(file.strip_prefix(&whole).unwrap());
            fs::create_dir_all(copy.parent().unwrap()).unwrap();
            fs::copy(file, copy).unwrap();
        }
        Self { directory }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Returns whether everything is valid; none if nothing can be verified.
    fn is_all_valid(&self) -> Option<bool> {
        let threads = NonZeroUsize::new(1).unwrap();
        let found = ingest::find(&[self.path("dump").into()], threads, None).unwrap();
        let keys = PublicKeys::read(&self.path("keys.json")).ok()?;
        let signatures = SavedSignatures::read(&self.path("signatures")).ok()?;
        let options = Options { threads, here: Path::new("/"), progress: &|_| {} };
        let sources = verify::sources(&found);
        assert_eq!(sources.len(), 6);
        let verified = verify::verify(&sources, &keys, &signatures, &options).ok()?;
        if verified.is_all_valid() {
            assert_eq!(verified.proven.len(), 3);
        }
        Some(verified.is_all_valid())
    }

    /// Calls `each` after every change of a byte of the file, with the place, the bytes as they are
    /// then, and what the verification says.
    fn change(&self, file: &Path, mut each: impl FnMut(usize, &[u8], Option<bool>)) {
        let whole = fs::read(file).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            // Another bit of every byte.
            bytes[at] ^= 1 << (at % 8);
            fs::write(file, &bytes).unwrap();
            each(at, &bytes, self.is_all_valid());
        }
        fs::write(file, &whole).unwrap();
        assert_eq!(self.is_all_valid(), Some(true));
    }
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let walk = walkdir::WalkDir::new(directory).sort_by_file_name();
    let entries = walk.into_iter().map(|entry| entry.unwrap());
    entries.filter(|entry| entry.file_type().is_file()).map(|entry| entry.into_path()).collect()
}

/// Returns what a gzip file of one member holds.
fn inflate(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut decoder = GzDecoder::new(bytes);
    let mut content = Vec::new();
    decoder.read_to_end(&mut content).ok()?;
    decoder.into_inner().is_empty().then_some(content)
}

#[test]
fn no_byte_of_a_log_file_or_digest_changes_unnoticed() {
    let small = Small::new();
    let (mut changed, mut unchanged) = (0, 0);
    for file in files(&small.path("dump")) {
        let content = inflate(&fs::read(&file).unwrap()).unwrap();
        small.change(&file, |at, bytes, is_all_valid| {
            if inflate(bytes).as_ref() == Some(&content) {
                // Times and remarks of the program that compressed it, and bits behind its end.
                unchanged += 1;
            } else {
                changed += 1;
                assert_eq!(is_all_valid, Some(false), "{}: byte {at}", file.display());
            }
        });
    }
    eprintln!("{changed} changed bytes of contents noticed, {unchanged} bytes change nothing");
    assert!(changed > 2_000, "{changed}");
    assert!(unchanged < changed / 50, "{unchanged}");
}

#[test]
fn no_byte_of_a_key_or_signature_changes_unnoticed() {
    let small = Small::new();
    let keys = small.path("keys.json");
    let reply: Value = json(&fs::read(&keys).unwrap());
    let text = fs::read_to_string(&keys).unwrap();
    let key = &reply["PublicKeyList"][0];
    let spans = ["Value", "Fingerprint"].map(|member| {
        let value = key[member].as_str().unwrap();
        let start = text.find(value).unwrap();
        start..start + value.len()
    });
    small.change(&keys, |at, _, is_all_valid| {
        if spans.iter().any(|span| span.contains(&at)) {
            assert_ne!(is_all_valid, Some(true), "byte {at}");
        }
    });
    let signature = files(&small.path("signatures")).pop().unwrap();
    let reply: Value = json(&fs::read(&signature).unwrap());
    let text = fs::read_to_string(&signature).unwrap();
    let value = reply["Metadata"]["signature"].as_str().unwrap();
    let start = text.find(value).unwrap();
    small.change(&signature, |at, bytes, is_all_valid| {
        let is_same = bytes.eq_ignore_ascii_case(text.as_bytes());
        if (start..start + value.len()).contains(&at) && !is_same {
            assert_ne!(is_all_valid, Some(true), "byte {at}");
        }
    });
}

#[test]
fn results_are_the_same_for_any_order_and_number_of_threads() {
    let case = cases().join("many-trails");
    let inputs: Vec<PathBuf> = files(&case.join("dump"));
    let run_on = |inputs: &mut dyn Iterator<Item = &PathBuf>, threads: &str| {
        let inputs = inputs.map(|file| file.strip_prefix(&case).unwrap());
        let output = Command::new(env!("CARGO_BIN_EXE_trailfold"))
            .current_dir(&case)
            .arg("verify")
            .args(inputs)
            .args(["--public-keys", "keys.json", "--signatures", "signatures"])
            .args(["--format", "json", "--threads", threads])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0));
        output.stdout
    };
    let one = run_on(&mut inputs.iter(), "1");
    assert!(one == run_on(&mut inputs.iter().rev(), "1"));
    assert!(one == run_on(&mut inputs.iter().skip(9).chain(inputs.iter().take(9)), "8"));
    let output = run(&case, Some("signatures"), &["--format", "json"]);
    assert!(one == output.stdout);
}

#[test]
fn a_dump_is_the_same_from_wherever_one_looks_at_it() {
    let case = cases().join("whole");
    let inside = case.join("dump/AWSLogs/111122223333");
    for (here, inputs) in [
        (&case, &["dump"][..]),
        (&inside, &["."]),
        (&inside, &["CloudTrail", "CloudTrail-Digest"]),
        (&inside.join("CloudTrail"), &[".", "../CloudTrail-Digest"]),
        (&inside, &["CloudTrail/*/*/*/*/*.json.gz", "CloudTrail-Digest/**/*.json.gz"]),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_trailfold"))
            .current_dir(here)
            .arg("verify")
            .args(inputs)
            .arg("--public-keys")
            .arg(case.join("keys.json"))
            .arg("--signatures")
            .arg(case.join("signatures"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{inputs:?}: {said}");
    }
}

#[test]
fn names_from_digests_do_not_act_on_the_screen() {
    let output = run(&cases().join("hostile-names"), Some("signatures"), &[]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("\\u{1b}[2J\\u{202e}\\n\tINVALID: not found"), "{said}");
    assert!(!said.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{said:?}");
}

/// The reply of AWS's documentation, as it stands there.
const DOCUMENTED_KEYS: &str = r#"{"publicKeyList": [{
    "ValidityStartTime": "1434589370.0",
    "ValidityEndTime": "1437181370.0",
    "Value": "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAqlzPJbvZJ42UdcmLfPUqXYNfOs6I8lCfao/tOs8CmzPOEdtLWugB9xoIUz78qVHdKIqxbaG4jWHfJBiOSSFBM0lt8cdVo4TnRa7oG9io5pysS6DJhBBAeXsicufsiFJR+wrUNh8RSLxL4k6G1+BhLX20tJkZ/erT97tDGBujAelqseGg3vPZbTx9SMfOLN65PdLFudLP7Gat0Z9p5jw/rjpclKfo9Bfc3heeBxWGKwBBOKnFAaN9V57pOaosCvPKmHd9bg7jsQkI9Xp22IzGLsTFJZYVA3KiTAElDMu80iFXPHEq9hKNbt9e4URFam+1utKVEiLkR2disdCmPTK0VQIDAQAB",
    "Fingerprint": "31e8b5433410dfb61a9dc45cc65b22ff"
}]}"#;

#[test]
fn the_digests_and_keys_of_the_documentation_are_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/digests");
    if !folder.is_dir() {
        eprintln!("did not run: there is no ../shared/data/digests beside the project");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let mut digests = 0;
    for file in
        files(&folder).into_iter().filter(|file| file.extension().unwrap_or_default() == "json")
    {
        let text = fs::read(file).unwrap();
        let key = json(&text)["digestS3Object"].as_str().unwrap().to_owned();
        let place = directory.path().join("dump").join(key);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, text).unwrap();
        digests += 1;
    }
    assert_eq!(digests, 2);
    for (keys, said) in [
        (
            DOCUMENTED_KEYS.to_owned(),
            "which signed from 2015-06-18T01:02:50Z until 2015-07-18T01:02:50Z",
        ),
        (
            DOCUMENTED_KEYS.replace("1437181370.0", "1441000000.0"),
            "NOT VERIFIED: no verified digest",
        ),
    ] {
        fs::write(directory.path().join("keys.json"), keys).unwrap();
        let output = run(directory.path(), None, &[]);
        let lines = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(lines.matches(said).count(), 2, "{lines}");
    }
}

#[test]
fn a_report_of_verified_log_files_reads_no_other() {
    for (name, code, records, aside, problems) in [
        ("whole", 0, 10, 0, 0),
        ("log-altered", 1, 9, 1, 1),
        ("log-missing", 1, 9, 0, 1),
        ("log-anywhere", 0, 10, 0, 0),
        ("log-planted", 0, 10, 1, 0),
        ("no-saved-signature", 0, 8, 2, 0),
    ] {
        let case = cases().join(name);
        let directory = tempfile::tempdir().unwrap();
        let coverage = directory.path().join("coverage.json");
        let mut command = Command::new(env!("CARGO_BIN_EXE_trailfold"));
        command.current_dir(&case).args(["report", "organizations", "dump", "--verified-only"]);
        command.args(["--public-keys", "keys.json", "--coverage"]).arg(&coverage);
        if name != "no-saved-signature" {
            command.args(["--signatures", "signatures"]);
        }
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{name}: {said}");
        let coverage = json(&fs::read(coverage).unwrap());
        assert_eq!(coverage["Records"]["Total"], records, "{name}");
        let found = &coverage["Sources"]["SetAside"]["log file that no digest proves"]["Count"];
        assert_eq!(found.as_u64().unwrap_or(0), aside, "{name}");
        let problem = &coverage["Problems"];
        assert_eq!(problem.as_array().map_or(0, Vec::len), problems, "{name}: {problem}");
        assert_eq!(said.contains("warning: not all is proven"), name != "whole", "{name}: {said}");
    }
}

#[test]
fn nothing_but_log_files_can_be_verified_for_a_report() {
    let case = cases().join("whole");
    for (arguments, said) in [
        (&["-"][..], "standard input cannot be verified"),
        (&["dump", "--files-from", "list"], "cannot be used with"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_trailfold"))
            .current_dir(&case)
            .args(["report", "organizations", "--verified-only", "--public-keys", "keys.json"])
            .args(arguments)
            .output()
            .unwrap();
        let complained = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2));
        assert!(complained.contains(said), "{complained}");
    }
}
