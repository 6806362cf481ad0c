//! Reads whole files into records, without looking at their names; knows no rule.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::{Deserializer, Value};

use super::attribution::{Decision, attribution};

/// The records of a directory, and the files that hold none.
#[derive(Default)]
pub(crate) struct Records {
    pub(crate) records: Vec<Value>,
    /// Files that are no CloudTrail log: a digest, a snapshot of AWS Config, lines of text.
    pub(crate) other_files: Vec<PathBuf>,
}

/// Reads every file below `path`.
pub(crate) fn read(path: &Path) -> Records {
    let mut read = Records::default();
    for file in files(path) {
        let bytes = unpacked(&fs::read(&file).unwrap());
        match documents(&bytes) {
            Some(documents) => read.records.extend(documents),
            None => read.other_files.push(file),
        }
    }
    read
}

pub(crate) fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let mut entries: Vec<PathBuf> =
        fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries.iter().flat_map(|entry| files(entry)).collect()
}

pub(crate) fn unpacked(bytes: &[u8]) -> Vec<u8> {
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut plain = Vec::new();
        flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut plain).unwrap();
        return plain;
    }
    if bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        return zstd::decode_all(bytes).unwrap();
    }
    bytes.to_owned()
}

/// Returns the records of one file; none if it is no CloudTrail log.
fn documents(bytes: &[u8]) -> Option<Vec<Value>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    if !matches!(first, Some(b'{' | b'[')) {
        return None;
    }
    let documents: Vec<Value> =
        Deserializer::from_slice(bytes).into_iter().collect::<Result<_, _>>().ok()?;
    if let [only] = &documents[..]
        && records_of(only).as_slice() == [only.clone()]
        && matches!(attribution(only), Decision::SetAside("digest" | "not CloudTrail"))
    {
        return None;
    }
    Some(documents.iter().flat_map(records_of).collect())
}

/// Takes the records out of their envelope.
fn records_of(document: &Value) -> Vec<Value> {
    let list = |name: &str| document.get(name).and_then(Value::as_array);
    let inner = |entries: &Vec<Value>, name: &str| -> Vec<Value> {
        let texts = entries.iter().filter_map(|entry| entry.get(name)?.as_str());
        texts.map(|text| serde_json::from_str(text).unwrap()).collect()
    };
    if let Some(array) = document.as_array().or_else(|| list("Records")) {
        return array.clone();
    }
    if let Some(events) = list("Events") {
        return inner(events, "CloudTrailEvent");
    }
    if let Some(events) = list("logEvents") {
        return inner(events, "message");
    }
    if let Some(detail) = document.get("detail").filter(|d| d.get("eventSource").is_some()) {
        return vec![detail.clone()];
    }
    vec![document.clone()]
}
