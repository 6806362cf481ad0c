//! Files read in pieces of every length, against the same files read from beginning to end.

use std::fs;
use std::num::NonZeroUsize;
use std::sync::Mutex;

use proptest::prelude::*;
use tempfile::TempDir;

use crate::access::Switches;
use crate::coverage::Coverage;
use crate::ingest::{Options, Progress, fold_in_pieces};
use crate::ledger::Ledger;
use crate::source;
use crate::time::Period;

fn record(number: usize) -> String {
    format!(
        r#"{{"eventVersion":"1.08","userIdentity":{{"type":"IAMUser","accountId":"11112222333{}","arn":"arn:aws:iam::111122223333:user/u{}"}},"eventTime":"2026-01-02T03:04:{:02}Z","eventSource":"s3.amazonaws.com","eventName":"Get{}","awsRegion":"eu-west-1"}}"#,
        number % 3,
        number % 7,
        number % 60,
        number % 5,
    )
}

fn cut_off(mut record: String, length: usize) -> String {
    record.truncate(length);
    record
}

/// A file, and what reading it comes to.
struct Case {
    folder: TempDir,
}

impl Case {
    fn new(text: &[u8]) -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("lines.json"), text).unwrap();
        Self { folder }
    }

    /// Reads the file in pieces; returns the number of stretches that were read, too.
    fn fold(&self, piece: u64, threads: usize) -> (Ledger, Coverage, usize) {
        let found = source::find(&[self.folder.path().into()]).unwrap();
        let steps = Mutex::new(0);
        let options = Options {
            memory: usize::MAX,
            period: Period::default(),
            switches: Switches::default(),
            threads: NonZeroUsize::new(threads).unwrap(),
            progress: &|step| {
                *steps.lock().unwrap() += usize::from(matches!(step, Progress::Decompressed(1..)));
            },
        };
        let (ledger, coverage) = fold_in_pieces(&found, &options, piece).unwrap();
        (ledger, coverage, steps.into_inner().unwrap())
    }

    fn check(&self, piece: u64, threads: usize) -> usize {
        let (ledger, coverage, _) = self.fold(u64::MAX, 1);
        let (ledger_in_pieces, coverage_in_pieces, steps) = self.fold(piece, threads);
        assert_eq!(coverage_in_pieces, coverage, "pieces of {piece} bytes, {threads} threads");
        assert_eq!(ledger_in_pieces, ledger, "pieces of {piece} bytes, {threads} threads");
        steps
    }
}

fn lines(count: usize) -> String {
    (0..count).map(|number| record(number) + "\n").collect()
}

#[test]
fn json_lines_are_read_in_pieces() {
    let text = lines(100);
    let case = Case::new(text.as_bytes());
    let (_, coverage, steps) = case.fold(u64::MAX, 1);
    assert_eq!((coverage.records.counted, coverage.sources.read, steps), (100, 1, 1));
    for threads in [1, 2, 5] {
        assert_eq!(case.check(1000, threads), text.len().div_ceil(1000), "{threads} threads");
    }
}

#[test]
fn pieces_of_any_length_come_to_the_same() {
    let text = format!("{}\n \r\n{}", lines(7), lines(6).trim_end());
    let case = Case::new(text.as_bytes());
    for piece in 1..text.len() as u64 {
        case.check(piece, 2);
    }
}

#[test]
fn behind_a_broken_line_the_pieces_are_used_again() {
    let text = format!("{}{}\n{}", lines(40), cut_off(record(0), 100), lines(60));
    let steps = Case::new(text.as_bytes()).check(1000, 2);
    // Those that hold the broken line are read again, up to where a piece begins.
    assert!((text.len() / 1000..text.len() / 1000 + 6).contains(&steps), "{steps}");
}

#[test]
fn what_cannot_be_cut_is_read_as_a_whole() {
    let records: Vec<String> = (0..50).map(record).collect();
    let pretty = serde_json::from_str::<serde_json::Value>(&records[0]).unwrap();
    for text in [
        format!("{{\"Records\":[{}]}}", records.join(",")),
        format!("{{\"Records\":[\n{}\n]}}\n", records.join(",\n")),
        format!("[\n{}\n]\n", records.join("\n,")),
        records.join(" "),
        format!("{pretty:#}\n").repeat(20),
        format!("{}{{\"Records\":[\n{}\n]}}\n{}", lines(30), records.join(",\n"), lines(30)),
        format!("{}{{\"Records\":[\n{}\n", lines(30), records.join(",\n")),
        format!("\u{feff}{}\u{feff}{}", lines(20), lines(20)),
        format!("{}{}", "\n".repeat(3000), lines(10)),
        format!("{}{}", lines(20), "\n".repeat(3000)),
        format!("name,{}", lines(20)),
        format!("{}\"{}", lines(20), lines(20)),
        "\n".repeat(3000),
        "eventName,eventSource,eventTime\n".repeat(100),
    ] {
        let case = Case::new(text.as_bytes());
        for piece in [1, 7, 100, 333, 1000, 2000] {
            case.check(piece, 3);
        }
    }
}

#[test]
fn a_record_may_be_longer_than_its_piece_and_many_that_follow() {
    let long = record(1).replace("GetX", "").replace(
        "\"eventTime\"",
        &format!("\"requestParameters\":\"{}\",\"eventTime\"", "\\n".repeat(100_000)),
    );
    let text = format!("{}{long}\n{}", lines(20), lines(20));
    let case = Case::new(text.as_bytes());
    for piece in [500, 3000, 50_000] {
        case.check(piece, 2);
    }
}

#[test]
fn problems_of_pieces_are_those_of_the_file() {
    let timeless = record(0).replace("2026-01-02T", "yesterday ");
    let text = format!("{}\n{}", lines(3), format!("{timeless}\n{}\n", record(1)).repeat(40));
    let case = Case::new(text.as_bytes());
    assert_eq!(case.fold(700, 2).1.problems.len(), 10);
    for piece in [200, 700, 2000] {
        case.check(piece, 2);
    }
}

#[test]
fn a_file_that_shrank_since_it_was_found_is_told_of_all_the_same() {
    let timeless = record(0).replace("eventTime", "eventTyme");
    for text in [format!("{}{timeless}\n", lines(2)), lines(3), "\n".to_owned(), String::new()] {
        let case = Case::new(lines(100).as_bytes());
        let path = case.folder.path().join("lines.json");
        let options = Options {
            memory: usize::MAX,
            period: Period::default(),
            switches: Switches::default(),
            threads: NonZeroUsize::MIN,
            progress: &|_| (),
        };
        let found = source::find(&[case.folder.path().into()]).unwrap();
        fs::write(&path, &text).unwrap();
        let (ledger, coverage) = fold_in_pieces(&found, &options, u64::MAX).unwrap();
        let (ledger_in_pieces, coverage_in_pieces) =
            fold_in_pieces(&found, &options, 2000).unwrap();
        assert_eq!(coverage_in_pieces, coverage, "{text:?}");
        assert_eq!(ledger_in_pieces, ledger, "{text:?}");
    }
}

#[test]
fn several_large_files_beside_small_ones_are_read() {
    let case = Case::new(lines(50).as_bytes());
    let records: Vec<String> = (0..50).map(record).collect();
    for number in 0..3 {
        let path = |kind: &str| case.folder.path().join(format!("{kind}{number}.json"));
        fs::write(path("lines"), lines(60 + number)).unwrap();
        fs::write(path("whole"), format!("{{\"Records\":[{}]}}", records.join(","))).unwrap();
        fs::write(path("small"), record(number)).unwrap();
    }
    for threads in 1..5 {
        case.check(1000, threads);
    }
}

/// What large files may be made of.
fn stretch() -> impl Strategy<Value = Vec<u8>> {
    let record = (0_usize..50).prop_map(record);
    prop_oneof![
        12 => record.clone().prop_map(|record| record + "\n"),
        2 => record.clone(),
        1 => record.clone().prop_map(|record| record + ",\n"),
        1 => record.clone().prop_map(|record| format!("{{\"Records\":[\n{record}\n]}}\n")),
        1 => (record.clone(), any::<prop::sample::Index>())
            .prop_map(|(record, cut)| cut_off(record.clone(), cut.index(record.len())) + "\n"),
        1 => record.clone().prop_map(|record| format!("{record:?}\n")),
        1 => record.clone().prop_map(|record| format!("{{\"message\":{record:?}}}\n")),
        1 => record.prop_map(|record| record.replace(",\"", "\n,\"")),
        4 => prop::sample::select(vec![
            "{\"Records\":[\n", "]}\n", "[\n", "]\n", ",\n", "\n", "\"", "\"\n", "{", "}\n", "{}\n",
            "\u{1e}", "\u{feff}", "\u{c}", " \t\r\n", "x\n", "1\n", "null\n", ":", "\\", "\"a\":\n",
            "{\"eventVersion\":\"1.08\"}\n", "{\"a\":[\n", "\0",
        ])
        .prop_map(str::to_owned),
    ]
    .prop_map(String::into_bytes)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn hostile_files_come_to_the_same_in_pieces(
        clean in 0_usize..6,
        stretches in prop::collection::vec(stretch(), 1..40),
        piece in 1_u64..1500,
        threads in 1_usize..4,
    ) {
        let text = [lines(clean).into_bytes(), stretches.concat()].concat();
        Case::new(&text).check(piece, threads);
    }
}
