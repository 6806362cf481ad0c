//! What the coverage of a report says of what is not there: hours, log files that digests list, and the
//! times that are proven.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

const GONE: &str = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/01/15/\
                    111122223333_CloudTrail_us-east-1_20260115T0906Z_";

/// A copy of the signed dump of the testdata.
struct Dump(TempDir);

impl Dump {
    fn new() -> Self {
        let dump = Self(TempDir::new().unwrap());
        let original = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/verify");
        for entry in walkdir::WalkDir::new(&original).into_iter().map(Result::unwrap) {
            if entry.file_type().is_file() {
                let copy = dump.path(entry.path().strip_prefix(&original).unwrap());
                fs::create_dir_all(copy.parent().unwrap()).unwrap();
                fs::copy(entry.path(), copy).unwrap();
            }
        }
        dump
    }

    fn path(&self, below: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(below)
    }

    /// Returns the path of a log file below the dump, as its digest lists it.
    fn log_file(&self) -> String {
        let folder = self.path("dump").join(Path::new(GONE).parent().unwrap());
        let mut names = fs::read_dir(folder).unwrap().map(|it| it.unwrap().file_name());
        let name = names.find(|name| name.to_str().unwrap().contains("T0906Z_")).unwrap();
        format!("{}/{}", Path::new(GONE).parent().unwrap().display(), name.to_str().unwrap())
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trailfold"));
        command.current_dir(self.0.path()).args(args).output().unwrap()
    }

    /// Reports, and returns the coverage and standard error.
    fn report(&self, args: &[&str]) -> (Value, String) {
        let fixed = ["report", "organizations", "--coverage", "coverage.json"];
        let output = self.run(&[&fixed, args].concat());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(matches!(output.status.code(), Some(0 | 1)), "{said}");
        let coverage = fs::read(self.path("coverage.json")).unwrap();
        (serde_json::from_slice(&coverage).unwrap(), said)
    }
}

#[test]
fn v1_log_files_that_digests_list_and_that_are_not_there_are_named() {
    let dump = Dump::new();
    let key = dump.log_file();
    let (coverage, said) = dump.report(&["dump"]);
    assert_eq!(coverage["Missing"]["LogFiles"], json!([]), "{said}");
    let digests = &coverage["Sources"]["SetAside"]["CloudTrail digest"]["Count"];
    assert!(digests.as_u64() > Some(3) && !said.contains("digests"), "{coverage}");

    assert!(dump.run(&["rollup", "dump", "--into", "rollup"]).status.success());
    fs::remove_file(dump.path("dump").join(&key)).unwrap();
    let (coverage, said) = dump.report(&["dump"]);
    assert_eq!(coverage["Missing"]["LogFiles"], json!([key]));
    assert!(
        said.contains("log files that digests list and that were not found, 1 in all"),
        "{said}"
    );
    // Whoever asks for one line has to know it, too.
    let line = ["explain", "dump", "--account", "111122223333", "--service", "s3"];
    let said = String::from_utf8(dump.run(&line).stderr).unwrap();
    assert!(said.contains("that were not found, 1 in all"), "{said}");
    // It was there when it was folded.
    let (coverage, said) = dump.report(&["rollup", "dump"]);
    assert_eq!(coverage["Missing"]["LogFiles"], json!([]), "{said}");
    // The digest is of another time.
    let (coverage, _) = dump.report(&["dump", "--since", "2026-01-15T10:30:00Z"]);
    assert_eq!(coverage["Missing"]["LogFiles"], json!([]));
    // Decompressed, and under another folder, it is found.
    fs::write(dump.path(key.rsplit('/').next().unwrap().trim_end_matches(".gz")), "{}").unwrap();
    let name = key.rsplit('/').next().unwrap().trim_end_matches(".gz").to_owned();
    let (coverage, _) = dump.report(&["dump", &name]);
    assert_eq!(coverage["Missing"]["LogFiles"], json!([]));
}

#[test]
fn v1_a_digest_that_cannot_be_read_is_counted() {
    let dump = Dump::new();
    let digests = walkdir::WalkDir::new(dump.path("dump")).into_iter().map(Result::unwrap);
    let is_digest = |path: &Path| path.to_str().unwrap().contains("CloudTrail-Digest_");
    let digest = digests.map(walkdir::DirEntry::into_path).find(|path| is_digest(path)).unwrap();
    fs::write(digest, b"{}").unwrap();
    let (coverage, said) = dump.report(&["dump"]);
    assert_eq!(coverage["Missing"]["DigestsUnreadable"], 1);
    assert!(said.contains("files in the place of digests that cannot be read"), "{said}");
}

#[test]
fn v1_hours_without_a_log_file_are_named_from_logs_and_from_a_rollup() {
    let place = TempDir::new().unwrap();
    let dump = Dump(place);
    let record = |hour: u32| {
        format!(
            "{{\"Records\":[{{\"eventVersion\":\"1.08\",\"userIdentity\":{{\"type\":\"IAMUser\",\
             \"accountId\":\"111122223333\",\"arn\":\"arn:aws:iam::111122223333:user/a\"}},\
             \"eventTime\":\"2026-01-{:02}T{:02}:01:00Z\",\"eventSource\":\"s3.amazonaws.com\",\
             \"eventName\":\"ListBuckets\",\"awsRegion\":\"eu-west-1\",\"eventID\":\"{hour}\"}}]}}",
            1 + hour / 24,
            hour % 24
        )
    };
    fs::create_dir(dump.path("dump")).unwrap();
    for hour in (0..8 * 24).filter(|hour| !(100..103).contains(hour)) {
        let name = format!(
            "dump/111122223333_CloudTrail_eu-west-1_202601{:02}T{:02}05Z_{hour}.json",
            1 + hour / 24,
            hour % 24
        );
        fs::write(dump.path(name), record(hour)).unwrap();
    }
    assert!(dump.run(&["rollup", "dump", "--into", "rollup"]).status.success());
    let hole = json!([{
        "AccountId": "111122223333",
        "Region": "eu-west-1",
        "From": "2026-01-05T04:00:00Z",
        "To": "2026-01-05T07:00:00Z",
    }]);
    for input in ["dump", "rollup"] {
        let (coverage, said) = dump.report(&[input]);
        assert_eq!(coverage["Missing"]["Hours"], hole, "{input}");
        let words = "some: 111122223333 eu-west-1 2026-01-05T04:00:00Z to 2026-01-05T07:00:00Z\n";
        assert!(said.contains(words), "{said}");
    }
    let (coverage, _) = dump.report(&["dump", "--since", "2026-01-06"]);
    assert_eq!(coverage["Missing"]["Hours"], json!([]));
}

#[test]
fn v1_what_is_proven_is_said_by_account() {
    let dump = Dump::new();
    let proven =
        ["dump", "--verified-only", "--public-keys", "keys.json", "--signatures", "signatures"];
    let (coverage, said) = dump.report(&proven);
    // Of one of the two Regions only the first hour of the two that the other has is proven.
    let period = json!([{"From": "2026-01-15T09:01:31Z", "To": "2026-01-15T10:01:31Z"}]);
    assert_eq!(coverage["Proven"], json!([{"AccountId": "111122223333", "Periods": period}]));
    assert!(said.contains("proven    2026-01-15T09:01:31Z to 2026-01-15T10:01:31Z"), "{said}");
    let late = [&proven[..], &["--since", "2026-01-15T10:30:00Z", "--allow-empty"]].concat();
    let (coverage, said) = dump.report(&late);
    assert_eq!(coverage["Proven"][0]["Periods"], json!([]));
    assert!(said.contains("proven    no time"), "{said}");
    assert_eq!(dump.report(&["dump"]).0.get("Proven"), None);

    let report = |more: &[&str]| -> Value {
        let words = ["report", "organizations", "--details", "-q"];
        serde_json::from_slice(&dump.run(&[&words, &proven[..], more].concat()).stdout).unwrap()
    };
    assert_eq!(report(&[])["Details"], json!({"ProvenPeriods": period}));
    let late = ["--since", "2026-01-15T10:30:00Z", "--allow-empty"];
    assert_eq!(report(&late)["Details"], json!({"ProvenPeriods": []}));
    let plain = dump.run(&["report", "organizations", "--details", "-q", "dump"]);
    let plain: Value = serde_json::from_slice(&plain.stdout).unwrap();
    assert_eq!(plain.get("Details"), None);
}

#[test]
fn v1_a_report_on_an_iam_entity_says_what_is_proven_of_its_accounts() {
    let dump = Dump::new();
    let role = |account: &str| {
        json!({
            "Path": "/", "RoleName": "r", "RoleId": "AROAEXAMPLEEXAMPLEEX",
            "Arn": format!("arn:aws:iam::{account}:role/r"), "CreateDate": "2024-01-01T00:00:00Z",
            "AssumeRolePolicyDocument": {}, "InstanceProfileList": [], "Tags": [],
            "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}}],
            "AttachedManagedPolicies": [], "RoleLastUsed": {},
        })
    };
    for account in ["111122223333", "444455556666"] {
        let snapshot = json!({
            "UserDetailList": [], "GroupDetailList": [], "Policies": [], "IsTruncated": false,
            "RoleDetailList": [role(account)],
        });
        fs::write(dump.path("identities.json"), snapshot.to_string()).unwrap();
        let arn = format!("arn:aws:iam::{account}:role/r");
        let words = ["report", "service", "--identities", "identities.json", "--arn", &arn];
        let more = ["--details", "-q", "--allow-empty", "dump", "--verified-only"];
        let keys = ["--public-keys", "keys.json", "--signatures", "signatures"];
        let output = dump.run(&[&words[..], &more, &keys].concat());
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let proven = match account {
            "111122223333" => {
                json!([{"From": "2026-01-15T09:01:31Z", "To": "2026-01-15T10:01:31Z"}])
            }
            // It has no digests.
            _ => json!([]),
        };
        assert_eq!(report["Details"]["ProvenPeriods"], proven, "{account}");
        assert_eq!(report["ServicesLastAccessed"][0]["ServiceNamespace"], "s3");
    }
}
