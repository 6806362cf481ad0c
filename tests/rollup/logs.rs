//! Logs of every kind that a dump may hold, the same for the same seed: several accounts, ties,
//! duplicates, late events, and files that are broken, empty or none of CloudTrail's.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::Place;

/// The days of the dump's events.
pub(super) const DAYS: [&str; 5] =
    ["2026-01-10", "2026-01-11", "2026-01-12", "2026-01-14", "2026-01-15"];

/// Numbers without end, the same for the same seed.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    /// Returns a number below `sides`.
    pub(super) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    pub(super) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.roll(of.len())]
    }

    pub(super) fn shuffle<T>(&mut self, all: &mut [T]) {
        for at in (1..all.len()).rev() {
            all.swap(at, self.roll(at + 1));
        }
    }
}

/// Returns a record of `account` that counts.
pub(super) fn event(account: &str, service: &str, name: &str, time: &str) -> Value {
    json!({
        "eventVersion": "1.08",
        "userIdentity": {
            "type": "IAMUser",
            "accountId": account,
            "principalId": "AIDAEXAMPLEANN",
            "arn": format!("arn:aws:iam::{account}:user/ann"),
        },
        "eventTime": time,
        "eventSource": format!("{service}.amazonaws.com"),
        "eventName": name,
        "awsRegion": "eu-west-1",
        "eventType": "AwsApiCall",
    })
}

fn identity(dice: &mut Dice) -> Value {
    let account = dice.pick(&["555555555555", "888888888888", "111122223333"]);
    match dice.roll(6) {
        0 | 1 => {
            let user = dice.pick(&["bob", "zed", "dave"]);
            json!({"type": "IAMUser", "accountId": account, "principalId": format!("AIDA{user}"),
                "arn": format!("arn:aws:iam::{account}:user/{user}")})
        }
        2 | 3 => {
            let role = dice.pick(&["web", "builder"]);
            json!({"type": "AssumedRole", "accountId": account,
                "principalId": format!("AROA{role}:session"),
                "arn": format!("arn:aws:sts::{account}:assumed-role/{role}/session"),
                "sessionContext": {"sessionIssuer": {"type": "Role", "accountId": account,
                    "principalId": format!("AROA{role}"),
                    "arn": format!("arn:aws:iam::{account}:role/{role}"), "userName": role}}})
        }
        4 => json!({"type": "Root", "accountId": account, "principalId": account,
            "arn": format!("arn:aws:iam::{account}:root")}),
        _ => json!({"type": "AWSAccount", "accountId": account, "principalId": "AIDAOTHER"}),
    }
}

/// Returns a record of a day. Few times and few ids, so that many are equal.
pub(super) fn record(dice: &mut Dice, day: &str) -> Value {
    let (hour, second) = (dice.roll(4) * 7, dice.roll(3));
    let fraction = dice.pick(&["", "", "", ".5", ".000001", ".999999"]);
    let service = dice.pick(&["s3", "ec2", "iam", "autoscaling", "dynamodb", "no-such-service"]);
    let name = dice.pick(&["GetThing", "ListThings", "PutThing", "DeleteThing"]);
    let mut record = event("", service, name, &format!("{day}T{hour:02}:00:0{second}{fraction}Z"));
    record["userIdentity"] = identity(dice);
    if service == "autoscaling" {
        record["requestParameters"] = json!({"serviceNamespace": dice.pick(&["ecs", "ec2"])});
    }
    if service == "dynamodb" || dice.roll(8) == 0 {
        record["managementEvent"] = json!(false);
        record["eventCategory"] = json!("Data");
    }
    match dice.roll(6) {
        0 => record["errorCode"] = json!("AccessDenied"),
        1 => record["errorCode"] = json!("ThrottlingException"),
        _ => {}
    }
    match dice.roll(10) {
        0 => {}
        1 => {
            record["eventID"] =
                json!(dice.pick(&["", "zz", "0A1B2C3D-4e5f-6071-8293-a4b5c6d7e8f9"]));
        }
        _ => {
            let id = format!("0a1b2c3d-4e5f-6071-8293-{:012x}", dice.roll(500));
            record["eventID"] = json!(id);
        }
    }
    match dice.roll(6) {
        0 => drop(record.as_object_mut().unwrap().remove("awsRegion")),
        1 => record["awsRegion"] = json!("us-east-1"),
        _ => {}
    }
    record
}

fn records(dice: &mut Dice, day: &str, count: usize) -> Vec<Value> {
    let day = |dice: &mut Dice| if dice.roll(12) == 0 { dice.pick(&DAYS) } else { day };
    (0..count)
        .map(|_| {
            let day = day(dice);
            record(dice, day)
        })
        .collect()
}

pub(super) fn log(records: &[Value]) -> String {
    json!({ "Records": records }).to_string()
}

pub(super) fn json_lines(records: &[Value]) -> String {
    let mut text = String::new();
    for record in records {
        writeln!(text, "{record}").unwrap();
    }
    text
}

pub(super) fn gzip(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes.as_ref()).unwrap();
    encoder.finish().unwrap()
}

fn zip(entries: &[(&str, String)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn tar(entries: &[(&str, String)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append_data(&mut header, name, bytes.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap()
}

/// Writes a dump into the folder `logs`, with so many files of records beside the strange ones.
/// Returns all files, in order.
pub(super) fn dump(place: &Place, seed: u64, count: usize) -> Vec<PathBuf> {
    let mut dice = Dice(seed);
    let mut files = Vec::new();
    let mut file =
        |name: String, bytes: Vec<u8>| files.push(place.file(format!("logs/{name}"), bytes));
    for number in 0..count {
        let day = DAYS[number * DAYS.len() / count];
        let length = 1 + dice.roll(12);
        let records = records(&mut dice, day, length);
        let folder = day.replace('-', "/");
        match dice.roll(4) {
            0 => file(format!("{folder}/{number}.json"), log(&records).into_bytes()),
            1 => file(format!("{folder}/{number}.jsonl"), json_lines(&records).into_bytes()),
            _ => file(format!("{folder}/{number}.json.gz"), gzip(log(&records))),
        }
        if number % 9 == 4 {
            file(format!("again/{number}.json"), log(&records[records.len() / 2..]).into_bytes());
        }
    }
    let some = |dice: &mut Dice| records(dice, DAYS[1], 9);
    let cut_off = gzip(log(&some(&mut dice)));
    file("strange/cut-off.json.gz".to_owned(), cut_off[..cut_off.len() * 2 / 3].to_vec());
    file("strange/empty.json".to_owned(), Vec::new());
    file("strange/no-records.json.gz".to_owned(), gzip(log(&[])));
    file("strange/notes.txt".to_owned(), b"Not a log.".to_vec());
    let mut malformed = some(&mut dice);
    malformed[3]["eventTime"] = json!("yesterday");
    malformed[5].as_object_mut().unwrap().remove("eventSource");
    file("strange/malformed.json".to_owned(), log(&malformed).into_bytes());
    let digest = json!({"awsAccountId": "555555555555", "digestStartTime": "x", "logFiles": []});
    let folder = "AWSLogs/555555555555/CloudTrail-Digest/eu-west-1";
    let whole = json!({
        "awsAccountId": "555555555555",
        "digestStartTime": "2026-01-10T10:00:00Z",
        "digestEndTime": "2026-01-10T11:00:00Z",
        "digestS3Bucket": "example-bucket",
        "digestS3Object": format!(
            "{folder}/2026/01/10/555555555555_CloudTrail-Digest_eu-west-1_main_eu-west-1_\
             20260110T110000Z.json.gz"
        ),
        "digestPublicKeyFingerprint": "31e8b5433410dfb61a9dc45cc65b22ff",
        "digestSignatureAlgorithm": "SHA256withRSA",
        "previousDigestSignature": null,
        "logFiles": [],
    });
    file(format!("{folder}/digest.json.gz"), gzip(whole.to_string()));
    file("strange/digest.json".to_owned(), digest.to_string().into_bytes());
    let entries = [
        ("one.json", log(&some(&mut dice))),
        ("notes.txt", "Not a log either.".to_owned()),
        ("AWSLogs/555555555555/Config/x.json", "{}".to_owned()),
        ("two.jsonl", json_lines(&some(&mut dice))),
    ];
    file("strange/archive.zip".to_owned(), zip(&entries));
    file("strange/archive.tar".to_owned(), tar(&entries));
    file("strange/archive.tar.gz".to_owned(), gzip(tar(&entries[2..])));
    files.sort();
    files
}
