//! Records out of public repositories, read by the program and by a plain JSON parser.
//!
//! What the parser can read at all, the two must count and decide alike; whatever it cannot read
//! must not panic the program, and the good records in it are found.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Deserializer, Map, Value};
use trailfold::access::{Actor, NoAccess, Skip, Switches, access, actor};
use trailfold::event::RawString;
use trailfold::event::envelope::{self, Found, Window};
use trailfold::ledger::{Journal, Ledger};

use crate::twin::attribution::{Decision, attribution};
use crate::twin::logs;

/// What became of a record, in words that both sides have.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    /// Account, principal, source, Region, microseconds, event id.
    Counted(String, Option<String>, String, Option<String>, i64, Option<String>),
    SetAside(String),
    Malformed,
}

/// The outcomes of the records of some bytes, and their ledger.
pub(crate) struct Reading {
    outcomes: Vec<Outcome>,
    ledger: Ledger,
}

fn read(bytes: &[u8]) -> Reading {
    let (mut outcomes, mut journal) = (Vec::new(), Journal::default());
    let switches = Switches::default();
    let text = |text: RawString<'_>| text.decode().into_owned();
    let mut each = |found: Found<'_>| {
        let event = match found {
            Found::Event { event, .. } => event,
            Found::Lookalike(lookalike) => {
                let reason = Skip::from(lookalike).to_string();
                return outcomes.push(Outcome::SetAside(reason));
            }
            Found::Malformed(_) => return outcomes.push(Outcome::Malformed),
        };
        outcomes.push(
            match access(event, &switches, |identity| {
                actor(identity, &switches, |actor| {
                    let Actor { account, principal } = actor;
                    let named = principal.arn.as_deref().or(principal.id).map(str::to_owned);
                    (journal.actor(actor), (*account).to_owned(), named)
                })
            }) {
                Ok(((actor, account, principal), access)) => {
                    journal.add(actor, &access);
                    Outcome::Counted(
                        account,
                        principal,
                        text(access.event_source),
                        access.region.map(text),
                        access.time.micros(),
                        access.event_id.map(text),
                    )
                }
                Err(NoAccess::Skip(skip)) => Outcome::SetAside(skip.to_string()),
                Err(NoAccess::Malformed(_)) => Outcome::Malformed,
            },
        );
    };
    let mut window = Window::default();
    envelope::read(envelope::Input::Stream(&mut &*bytes), &mut window, &mut |_| true, &mut each)
        .unwrap();
    Reading { outcomes, ledger: journal.finish() }
}

/// Reads the outcomes with a JSON parser and the slow twin; none if it is no JSON.
fn read_slowly(bytes: &[u8]) -> Option<Vec<Outcome>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let documents: Result<Vec<Value>, _> = Deserializer::from_slice(bytes).into_iter().collect();
    let documents = documents.ok().filter(|all| all.iter().all(|one| !is_scalar(one)))?;
    Some(documents.iter().flat_map(outcomes).collect())
}

fn is_scalar(value: &Value) -> bool {
    !value.is_object() && !value.is_array()
}

/// Returns what stands in the place of records in a document or an array of records.
fn outcomes(value: &Value) -> Vec<Outcome> {
    const CONTAINERS: [&str; 5] =
        ["Records", "Events", "logEvents", "events", "configurationItems"];
    match value {
        Value::Array(values) => values.iter().flat_map(outcomes).collect(),
        Value::Object(object) if !is_event(object) => {
            let arrays = CONTAINERS.iter().filter_map(|name| object.get(*name)?.as_array());
            let arrays: Vec<_> = arrays.collect();
            if arrays.is_empty() {
                return vec![unwrapped(value)];
            }
            arrays.into_iter().flatten().flat_map(outcomes).collect()
        }
        value => vec![unwrapped(value)],
    }
}

/// Returns the outcome of a record that may be wrapped in another.
fn unwrapped(value: &Value) -> Outcome {
    let not_cloudtrail = || Outcome::SetAside("not CloudTrail".to_owned());
    let text = |text: &str| match serde_json::from_str::<Value>(text) {
        _ if !text.trim_start().starts_with('{') => not_cloudtrail(),
        Ok(value) => unwrapped(&value),
        Err(_) => Outcome::Malformed,
    };
    let object = match value {
        Value::String(string) => return text(string),
        Value::Object(object) => object,
        _ => return not_cloudtrail(),
    };
    if is_event(object) {
        return match attribution(value) {
            Decision::Counted(a) => {
                Outcome::Counted(a.account, a.principal, a.source, a.region, a.time, a.event_id)
            }
            Decision::SetAside(reason) => Outcome::SetAside(reason.to_owned()),
            Decision::Malformed => Outcome::Malformed,
        };
    }
    let has = |names: &[&str]| names.iter().any(|name| object.contains_key(*name));
    if has(&["digestStartTime", "digestS3Object", "previousDigestHashValue"]) {
        return Outcome::SetAside("digest".to_owned());
    }
    if has(&["configurationItemStatus", "configurationItemVersion", "configSnapshotId"])
        || has(&["configRuleArn"])
    {
        return Outcome::SetAside("Config".to_owned());
    }
    for name in ["detail", "aws", "cloudtrail", "jsonPayload"] {
        if let Some(inner) = object.get(name).filter(|inner| inner.is_object()) {
            return unwrapped(inner);
        }
    }
    for name in ["CloudTrailEvent", "message", "_raw"] {
        if let Some(inner) = object.get(name).and_then(Value::as_str) {
            return text(inner);
        }
    }
    not_cloudtrail()
}

/// Two members of an event make one, unless its source is none of CloudTrail's.
fn is_event(object: &Map<String, Value>) -> bool {
    const MEMBERS: [&str; 14] = [
        "eventTime",
        "eventSource",
        "eventName",
        "awsRegion",
        "eventID",
        "eventType",
        "eventCategory",
        "errorCode",
        "errorMessage",
        "userIdentity",
        "eventVersion",
        "recipientAccountId",
        "sourceIPAddress",
        "userAgent",
    ];
    let source = object.get("eventSource").and_then(Value::as_str).unwrap_or_default();
    !source.starts_with("aws:")
        && MEMBERS.iter().filter(|name| object.contains_key(**name)).count() >= 2
}

fn folder(name: &str) -> Option<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/");
    let folder = Path::new(folder).join(name);
    folder.is_dir().then_some(folder)
}

const NO_CORPUS: &str = "did not run: there is no ../shared/data beside the project";

/// Returns every file with its bytes after decompression.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let is_zip = |bytes: &[u8]| bytes.starts_with(b"PK\x03\x04");
    logs::files(folder)
        .into_iter()
        .map(|path| (path.clone(), logs::unpacked(&std::fs::read(path).unwrap())))
        .filter(|(_, bytes)| !is_zip(bytes))
        .collect()
}

/// Account, principal and source to the latest attempt.
type Latest = BTreeMap<(String, Option<String>, String), (i64, Option<String>, Option<String>)>;

/// Takes in an attempt, given as in [`Outcome::Counted`].
fn join(latest: &mut Latest, outcome: &Outcome) {
    if let Outcome::Counted(account, principal, source, region, time, id) = outcome.clone() {
        let attempt = (time, id, region);
        let known = latest.entry((account, principal, source)).or_insert_with(|| attempt.clone());
        *known = attempt.max(known.clone());
    }
}

fn latest_of_ledger(ledger: &Ledger) -> Latest {
    let mut latest = Latest::new();
    for entry in ledger.entries() {
        let principal = entry.principal_arn.or(entry.principal_id);
        let counted = Outcome::Counted(
            entry.account.to_owned(),
            principal.map(str::to_owned),
            entry.event_source.to_owned(),
            entry.latest.region.map(str::to_owned),
            entry.latest.time.micros(),
            entry.latest.event_id.map(|id| id.to_string()),
        );
        join(&mut latest, &counted);
    }
    latest
}

#[test]
fn v2_every_record_that_a_parser_can_read_is_decided_alike() {
    let Some(folder) = folder("events") else {
        return eprintln!("v2_every_record_that_a_parser_can_read_is_decided_alike {NO_CORPUS}");
    };
    let (mut files_compared, mut records) = (0, 0);
    let (mut ledger, mut latest) = (Ledger::default(), Latest::new());
    for (path, bytes) in files(&folder) {
        let reading = read(&bytes);
        let Some(expected) = read_slowly(&bytes) else { continue };
        assert_eq!(reading.outcomes, expected, "{}", path.display());
        ledger.merge(reading.ledger);
        expected.iter().for_each(|outcome| join(&mut latest, outcome));
        files_compared += 1;
        records += expected.len();
    }
    assert!(files_compared > 400 && records > 4000, "{files_compared} files, {records} records");
    assert!(latest.len() > 200, "{}", latest.len());
    assert_eq!(latest_of_ledger(&ledger), latest);
}

#[test]
fn v3_in_a_file_that_no_parser_can_read_every_good_record_is_found() {
    let name = "v3_in_a_file_that_no_parser_can_read_every_good_record_is_found";
    let Some(folder) = folder("events") else { return eprintln!("{name} {NO_CORPUS}") };
    let mut broken = 0;
    for (path, bytes) in files(&folder) {
        if read_slowly(&bytes).is_some() {
            continue;
        }
        let text = String::from_utf8_lossy(&bytes);
        let versions = text.matches("\"eventVersion\"").count();
        let reading = read(&bytes);
        assert!(versions <= reading.outcomes.len() || versions == 0, "{}", path.display());
        broken += usize::from(versions > 0);
    }
    assert!(broken > 0);
}

#[test]
fn v3_behind_a_stray_closer_and_a_wrapper_left_open_839_events_are_found() {
    let name = "v3_behind_a_stray_closer_and_a_wrapper_left_open_839_events_are_found";
    let Some(folder) = folder("events") else { return eprintln!("{name} {NO_CORPUS}") };
    let file = folder.join(
        "opensearch-project+opensearch-catalog/integrations/observability/aws_cloudtrail/data/samples-large.json",
    );
    let bytes = std::fs::read(file).unwrap();
    assert!(read_slowly(&bytes).is_none());
    let outcomes = read(&bytes).outcomes;
    let malformed = outcomes.iter().filter(|outcome| **outcome == Outcome::Malformed).count();
    // 840 events, one of them in a wrapper that is never closed, and closers that close nothing.
    assert_eq!((outcomes.len() - malformed, malformed), (839, 2));
}

#[test]
fn a22_lookalikes_count_as_nothing_each_with_a_reason() {
    let Some(folder) = folder("lookalikes") else {
        return eprintln!("a22_lookalikes_count_as_nothing_each_with_a_reason {NO_CORPUS}");
    };
    let mut seen = 0;
    for (path, bytes) in files(&folder) {
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let reading = read(&bytes);
        assert!(!reading.outcomes.is_empty(), "{}", path.display());
        for outcome in &reading.outcomes {
            assert!(matches!(outcome, Outcome::SetAside(_)), "{}: {outcome:?}", path.display());
        }
        assert!(reading.ledger.is_empty());
        seen += 1;
    }
    assert!(seen > 30, "{seen}");
}
