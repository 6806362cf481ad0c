//! The program as a whole against a program that only inflates the same files: CPU seconds, in
//! turn, and their ratio. `cargo bench --bench whole -- DIR [ORGANIZATION]`.
//!
//! DIR is a dump of gzip files. The CPU time of a child is read from `/proc` (Linux).
//!
//! Two programs are in it for others to measure: `--inflate-only DIR` inflates and prints how much
//! that was; `--serde DIR ANSWER` is the reader that one would write with serde, borrowed texts
//! and libdeflate, and writes the latest `eventTime` of every `userIdentity.accountId` and
//! `eventSource` to ANSWER. Both run on every core that they may use.

#![expect(clippy::print_stdout, reason = "the figures are for whoever runs it")]

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Deserialize;

const ROUNDS: usize = 5;
const INFLATE: &str = "--inflate-only";
const SERDE: &str = "--serde";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [INFLATE, dump] => inflate_only(Path::new(dump)),
        [SERDE, dump, answer] => read_with_serde(Path::new(dump), Path::new(answer)),
        [dump] => compare(dump, None),
        [dump, organization] => compare(dump, Some(organization)),
        // `cargo bench` without arguments runs every bench: this one needs a dump.
        _ => println!("whole: name a dump: cargo bench --bench whole -- DIR [ORGANIZATION]"),
    }
}

fn compare(dump: &str, organization: Option<&str>) {
    let mut ratios = Vec::new();
    let (mut floors, mut wholes) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let mut floor = Command::new(std::env::current_exe().expect("own name"));
        floor.args([INFLATE, dump]);
        let mut whole = Command::new(env!("CARGO_BIN_EXE_trailfold"));
        whole.args(["report", "organizations", dump, "--quiet"]);
        whole.args(organization.iter().flat_map(|path| ["--organization", path]));
        let (floor, whole) = (cpu_seconds(&mut floor), cpu_seconds(&mut whole));
        // The first round warms the page cache.
        if round > 0 {
            ratios.push(whole / floor);
            floors.push(floor);
            wholes.push(whole);
        }
    }
    println!("CPU seconds, median of {ROUNDS} rounds in turn");
    println!("inflate only (libdeflate)  {:.2}", median(&mut floors));
    println!("trailfold                  {:.2}", median(&mut wholes));
    println!("ratio                      {:.2}", median(&mut ratios));
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Runs a command and returns the CPU seconds it took, user and system.
fn cpu_seconds(command: &mut Command) -> f64 {
    let before = children_ticks();
    let status = command.stdout(Stdio::null()).status().expect("started");
    assert!(status.code().is_some_and(|code| code < 2), "{command:?}: {status}");
    // Linux counts 100 ticks a second for every program.
    (children_ticks() - before) / 100.0
}

/// Returns the ticks of all children that have ended: fields 16 and 17 of `/proc/self/stat`.
fn children_ticks() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").expect("Linux");
    let behind_name = stat.rsplit(") ").next().expect("a name in brackets");
    let fields: Vec<f64> =
        behind_name.split(' ').skip(13).take(2).filter_map(|it| it.parse().ok()).collect();
    fields.iter().sum()
}

/// Inflates every file below `dump`.
fn inflate_only(dump: &Path) {
    let mut files = Vec::new();
    walk(dump, &mut files);
    let parts = inflate_each(&files, |plain, bytes: &mut u64| *bytes += plain.len() as u64);
    println!("{} files, {} bytes plain", files.len(), parts.iter().sum::<u64>());
}

/// Inflates files, whole files at once, on every core, and shows each to `see`, together with
/// what its thread keeps. Returns what the threads kept.
fn inflate_each<T: Default + Send>(
    files: &[PathBuf],
    see: impl Fn(&[u8], &mut T) + Sync,
) -> Vec<T> {
    let (next, all) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut inflater = libdeflater::Decompressor::new();
                let (mut out, mut kept) = (Vec::new(), T::default());
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let bytes = fs::read(file).expect("read");
                    let size = bytes.last_chunk::<4>().map_or(0, |it| u32::from_le_bytes(*it));
                    out.resize(size as usize, 0);
                    inflater.gzip_decompress(&bytes, &mut out).expect("one gzip member");
                    see(&out, &mut kept);
                }
                all.lock().expect("no panic").push(kept);
            });
        }
    });
    all.into_inner().expect("no panic")
}

/// A log file: what the job needs of it.
#[derive(Deserialize)]
struct Log<'a> {
    #[serde(borrow, rename = "Records")]
    records: Vec<Record<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    #[serde(borrow)]
    event_time: Cow<'a, str>,
    #[serde(borrow)]
    event_source: Cow<'a, str>,
    #[serde(borrow)]
    user_identity: Identity<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity<'a> {
    #[serde(borrow)]
    account_id: Option<Text<'a>>,
}

/// In an `Option` serde borrows only through a type of one's own.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Time by event source by account.
type LastAccesses = HashMap<String, HashMap<String, String>>;

/// Reads the logs below `dump` and writes the answer.
fn read_with_serde(dump: &Path, answer: &Path) {
    let mut files = Vec::new();
    walk(dump, &mut files);
    // Digests and insights lie beside the logs.
    files.retain(|file| file.components().any(|part| part.as_os_str() == "CloudTrail"));
    let parts = inflate_each(&files, |plain, kept: &mut LastAccesses| {
        let text = std::str::from_utf8(plain).expect("UTF-8");
        let log: Log<'_> = serde_json::from_str(text).expect("a log file");
        for record in &log.records {
            if let Some(account) = &record.user_identity.account_id {
                note(kept, &account.0, &record.event_source, &record.event_time);
            }
        }
    });
    let mut all = BTreeMap::new();
    let rows = parts.iter().flatten().flat_map(|(account, sources)| {
        sources.iter().map(move |(source, time)| (format!("{account},{source}"), time))
    });
    rows.for_each(|(key, time)| {
        let last = all.entry(key).or_insert(time);
        *last = time.max(last);
    });
    let lines: Vec<String> = all.iter().map(|(key, time)| format!("{key},{time}\n")).collect();
    fs::write(answer, lines.concat()).expect("written");
}

fn note(kept: &mut LastAccesses, account: &str, source: &str, time: &str) {
    if !kept.contains_key(account) {
        kept.insert(account.to_owned(), HashMap::new());
    }
    let sources = kept.get_mut(account).expect("just inserted");
    match sources.get_mut(source) {
        Some(last) if last.as_str() >= time => {}
        Some(last) => time.clone_into(last),
        None => {
            sources.insert(source.to_owned(), time.to_owned());
        }
    }
}

fn walk(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "gz") {
            files.push(path);
        }
    }
}
