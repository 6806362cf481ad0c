//! Tests of rows: their order and joins, and what becomes of them in files and streams.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proptest::prelude::{Strategy, any, prop, prop_assert_eq, proptest};

use super::file::{FileLane, ParquetFile, Part, Stream, Wanted};
use super::lane::{Lane, LedgerLane, SourcesLane, merge, overlap};
use super::row::{OwnSource, Row};
use super::table::Table;
use super::*;
use crate::access::Skip;
use crate::coverage::{AccountCoverage, Coverage, CoverageByDay, Problem};
use crate::event::EventId;
use crate::ledger::{Attempt, Entry};
use crate::source::{FilePath, Input as SourceInput, Listed, Source, SourceReason};
use crate::time::Time;

const NOON: i64 = 1_767_268_800_000_000;
const NOW: Time = Time::from_micros(NOON);
const LATER: Time = Time::from_micros(NOON + 1);

/// A record of a ledger that owns its texts, which are few, so that keys and attempts coincide.
#[derive(Clone, Debug)]
struct Own {
    day: i32,
    texts: [u8; 6],
    is_data_event: bool,
    attempts: [(i64, u8, u8, u8); 4],
    has: [bool; 2],
}

const TEXTS: [&str; 6] =
    ["", "a", "b\n\u{202e}", "\u{1F980}", "zz", "00000000-0000-4000-8000-00000000000a"];

fn text(number: u8) -> &'static str {
    TEXTS[usize::from(number) % TEXTS.len()]
}

fn optional(number: u8) -> Option<&'static str> {
    TEXTS.get(usize::from(number) % (TEXTS.len() + 1)).copied()
}

impl Own {
    fn entry(&self) -> Entry<'static> {
        let attempt = |(time, id, region, source): (i64, u8, u8, u8)| Attempt {
            time: Time::from_micros(i64::from(self.day) * 86_400_000_000 + time),
            event_id: optional(id).map(EventId::parse),
            region: optional(region),
            source: optional(source),
        };
        let [latest, success, denial, first] = self.attempts.map(attempt);
        Entry {
            day: Some(Day::from_number(self.day)),
            account: text(self.texts[0]),
            principal_arn: optional(self.texts[1]),
            principal_id: optional(self.texts[2]),
            event_source: text(self.texts[3]),
            event_name: text(self.texts[4]),
            service_namespace: optional(self.texts[5]),
            is_data_event: self.is_data_event,
            latest,
            success: self.has[0].then_some(success),
            denial: self.has[1].then_some(denial),
            first,
        }
    }
}

fn own() -> impl Strategy<Value = Own> {
    let attempt = || (0..3_i64, any::<u8>(), any::<u8>(), any::<u8>());
    let attempts = (attempt(), attempt(), attempt(), attempt());
    (-1..2_i32, any::<[u8; 6]>(), any::<bool>(), attempts, any::<[bool; 2]>()).prop_map(
        |(day, texts, is_data_event, (a, b, c, d), has)| Own {
            day,
            texts,
            is_data_event,
            attempts: [a, b, c, d],
            has,
        },
    )
}

fn ledger(records: &[Own]) -> Ledger {
    let mut ledger = Ledger::default();
    ledger.extend(records.iter().map(Own::entry));
    ledger
}

/// What the records come to, by a map and [`Entry::join`] alone.
fn joined(records: &[Own]) -> Vec<String> {
    let mut all: BTreeMap<_, Entry<'_>> = BTreeMap::new();
    for entry in records.iter().map(Own::entry) {
        all.entry(entry.key()).and_modify(|known| known.join(&entry)).or_insert(entry);
    }
    all.values().map(|entry| format!("{entry:?}")).collect()
}

fn rows(lanes: Vec<Box<dyn Lane + '_>>) -> Vec<String> {
    let mut rows = Vec::new();
    merge(lanes, &mut |row| {
        rows.push(match row {
            Row::Access(entry) => format!("{entry:?}"),
            Row::Source(source) => format!("{source:?}"),
        });
        Ok(())
    })
    .unwrap();
    rows
}

fn lanes(ledgers: &[Ledger]) -> Vec<Box<dyn Lane + '_>> {
    ledgers.iter().map(|ledger| Box::new(LedgerLane::new(ledger)) as Box<dyn Lane>).collect()
}

fn write(lanes: Vec<Box<dyn Lane + '_>>) -> Vec<u8> {
    let mut stream = Stream::new(Path::new("stream"), Vec::new()).unwrap();
    merge(lanes, &mut |row| stream.push(row)).unwrap();
    stream.finish().unwrap()
}

proptest! {
    #[test]
    fn a27_lanes_merge_to_what_all_records_come_to(
        parts in prop::collection::vec(prop::collection::vec(own(), 0..20), 0..8),
    ) {
        let ledgers: Vec<Ledger> = parts.iter().map(|part| ledger(part)).collect();
        let all = parts.concat();
        prop_assert_eq!(&rows(lanes(&ledgers)), &joined(&all));
        // The same by way of streams, and of a stream of streams.
        let streams: Vec<Vec<u8>> = lanes(&ledgers).into_iter().map(|lane| write(vec![lane])).collect();
        let read = |bytes: &[u8]| -> Box<dyn Lane> {
            Box::new(FileLane::of_stream(Path::new("s"), io::Cursor::new(bytes.to_vec())).unwrap())
        };
        let of_streams = || streams.iter().map(|stream| read(stream)).collect();
        prop_assert_eq!(&rows(of_streams()), &joined(&all));
        prop_assert_eq!(&rows(vec![read(&write(of_streams()))]), &joined(&all));
    }

    #[test]
    fn a_part_holds_what_was_written(records in prop::collection::vec(own(), 1..40)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("part.parquet");
        let of_one_day: Vec<Own> =
            records.into_iter().map(|record| Own { day: 20_000, ..record }).collect();
        let ledger = ledger(&of_one_day);
        let mut file = ParquetFile::create(&path, Table::Part).unwrap();
        merge(vec![Box::new(LedgerLane::new(&ledger))], &mut |row| file.push(row)).unwrap();
        file.finish().unwrap();
        let part = |wanted| {
            let day = Some(Day::from_number(20_000));
            FileLane::of_parts([Part { path: path.clone(), table: Table::Part, day }], wanted)
        };
        let read = rows(vec![Box::new(part(Wanted::Everything).unwrap())]);
        prop_assert_eq!(read, joined(&of_one_day));
        // Without the other columns the latest attempt stands for the first.
        let mut latest = Vec::new();
        merge(vec![Box::new(part(Wanted::Essentials).unwrap())], &mut |row| {
            if let Row::Access(entry) = row {
                latest.push((entry.latest.time, entry.latest.event_id.map(|id| id.to_string())));
            }
            Ok(())
        })
        .unwrap();
        let expected = ledger.sorted().into_iter().map(|number| ledger.nth(number).latest);
        let expected: Vec<_> =
            expected.map(|it| (it.time, it.event_id.map(|id| id.to_string()))).collect();
        prop_assert_eq!(latest, expected);
    }
}

fn coverage(events: u64) -> CoverageByDay {
    let mut coverage = CoverageByDay::default();
    coverage.totals.source_read(false, events);
    coverage.totals.bytes_read = 10;
    coverage.totals.bytes_decompressed = 100;
    coverage.totals.set_aside(Skip::Anonymous);
    coverage.totals.malformed();
    coverage.totals.source_set_aside(SourceReason::NotJson, "archive.zip/readme");
    let problem = Problem { source: "a".to_owned(), offset: Some(7), error: "broken".to_owned() };
    coverage.totals.problems.insert(problem);
    for (number, day) in [(0, 20_000), (1, 20_001)] {
        let day = Day::from_number(day);
        let time = Time::from_micros(day.start().micros() + 123_456);
        let account = AccountCoverage {
            events,
            first: Some(time),
            last: Some(day.end()),
            days: BTreeSet::from([day]),
            regions: BTreeSet::from(["eu-west-1".to_owned(), "\u{202e}".to_owned()]),
            data_events: number == 0,
        };
        coverage.totals.records.counted += events;
        coverage.accounts.insert(("111122223333".to_owned(), day), account);
    }
    coverage
}

fn source(name: &str, size: u64, modified: i64) -> Source {
    Source {
        input: SourceInput::File(FilePath::named(name.into())),
        size: Some(size),
        modified: Some(Time::from_micros(modified)),
        listed: None,
    }
}

#[test]
fn v2_what_a_source_came_to_is_read_as_it_was_written() {
    let written = coverage(5);
    let own = OwnSource::new(&source("/a", 1, NOON), &written, NOW);
    let row = own.row("{}");
    assert_eq!(row.outcome, Outcome::Read);
    assert_eq!(row.coverage().unwrap(), written);
    let mut all = Coverage::default();
    row.coverage().unwrap().add_to(&mut all, |_| true);
    assert_eq!(all.records.total(), 12);
    assert_eq!(all.records.counted, 10);
    // P2: the accesses of the other day are set aside.
    let mut one_day = Coverage::default();
    row.coverage().unwrap().add_to(&mut one_day, |day| day.number() == 20_000);
    assert_eq!(one_day.records.total(), 12);
    assert_eq!(one_day.records.set_aside[&Skip::OutsidePeriod], 5);
    assert_eq!(one_day.accounts["111122223333"].days.len(), 1);
}

#[test]
fn a_source_is_folded_if_it_is_as_it_was() {
    let own = OwnSource::new(&source("/a", 1, NOON), &coverage(5), NOW);
    let row = own.row("{}");
    assert!(row.has_folded(&source("/a", 1, NOON)));
    assert!(!row.has_folded(&source("/a", 2, NOON)));
    assert!(!row.has_folded(&source("/a", 1, NOON + 1)));
    let with_etag = |size, etag: &str| {
        let listed = Listed { name: Some("s3://b/a".to_owned()), etag: Some(etag.to_owned()) };
        Source { listed: Some(Box::new(listed)), ..source("/tmp/1", size, NOON) }
    };
    // Without an ETag on both sides size and time decide.
    assert!(row.has_folded(&with_etag(1, "x")));
    let own = OwnSource::new(&with_etag(1, "x"), &coverage(5), NOW);
    let row = own.row("{}");
    assert_eq!(row.source, "s3://b/a");
    assert!(row.has_folded(&with_etag(2, "x")));
    assert!(!row.has_folded(&with_etag(1, "y")));
    let mut failed = coverage(5);
    failed.totals.sources = Default::default();
    failed.totals.source_read(true, 5);
    let own = OwnSource::new(&source("/a", 1, NOON), &failed, NOW);
    assert_eq!(own.row("{}").outcome, Outcome::Failed);
    assert!(!own.row("{}").has_folded(&source("/a", 1, NOON)), "what failed is read again");
}

#[test]
fn of_the_rows_of_one_source_the_one_that_counts_does_not_depend_on_their_order() {
    let mut failed = coverage(1);
    failed.totals.source_read(true, 1);
    let versions = [
        OwnSource::new(&source("/a", 1, NOON), &coverage(1), NOW),
        OwnSource::new(&source("/a", 2, NOON), &coverage(1), NOW),
        OwnSource::new(&source("/a", 1, NOON), &coverage(2), NOW),
        OwnSource::new(&source("/a", 9, NOON), &failed, NOW),
        OwnSource::new(&source("/a", 1, NOON + 1), &failed, NOW),
        OwnSource::beside("/a".to_owned(), Outcome::Failed, &Coverage::default(), NOW),
        OwnSource::beside("/a".to_owned(), Outcome::Settled, &Coverage::default(), NOW),
        OwnSource::beside("/a".to_owned(), Outcome::Settled, &Coverage::default(), LATER),
    ];
    let lane = |version: &OwnSource| -> Box<dyn Lane> {
        Box::new(SourcesLane::new(vec![version.clone()], "{}".to_owned()))
    };
    for one in &versions {
        for other in &versions {
            let forth = rows(vec![lane(one), lane(other)]);
            assert_eq!(forth, rows(vec![lane(other), lane(one)]));
            assert_eq!(forth.len(), 1);
            let both = SourcesLane::new(vec![one.clone(), other.clone()], "{}".to_owned());
            assert_eq!(forth, rows(vec![Box::new(both)]));
        }
    }
    let all = rows(versions.iter().map(lane).collect());
    // What was found last counts; of one run the newest; of one time of change what was read.
    assert_eq!(all, rows(vec![lane(&versions[7])]));
    let of_one_run = rows(versions[..7].iter().map(lane).collect());
    assert_eq!(of_one_run, rows(vec![lane(&versions[4])]));
    let older = rows([0, 3, 5, 6].map(|index: usize| lane(&versions[index])).into());
    assert_eq!(older, rows(vec![lane(&versions[0])]));
}

/// Returns a stream of so many accesses and a source, and how many rows they come to.
fn stream(accesses: u8) -> (Vec<u8>, usize) {
    let records: Vec<Own> = (0..accesses)
        .map(|number| Own {
            day: i32::from(number) % 3,
            texts: [number; 6],
            is_data_event: false,
            attempts: [(1, number, 0, 0); 4],
            has: [true, false],
        })
        .collect();
    let all = ledger(&records);
    let sources = SourcesLane::new(
        vec![OwnSource::new(&source("/a", 1, NOON), &coverage(1), NOW)],
        "{}".to_owned(),
    );
    (write(vec![Box::new(LedgerLane::new(&all)), Box::new(sources)]), all.len() + 1)
}

/// Returns the number of rows of a stream.
fn read(bytes: &[u8]) -> Result<usize, RollupError> {
    let mut lane = FileLane::of_stream(Path::new("s"), bytes)?;
    let mut count = 0;
    while lane.key().is_some() {
        count += 1;
        lane.advance()?;
    }
    Ok(count)
}

#[test]
fn a_stream_that_was_cut_off_anywhere_is_refused() {
    let (bytes, rows) = stream(50);
    assert_eq!(read(&bytes).unwrap(), rows);
    for end in 0..bytes.len() {
        assert!(read(&bytes[..end]).is_err(), "cut off at {end} of {}", bytes.len());
    }
}

#[test]
fn a_stream_of_which_any_byte_is_another_is_read_or_refused() {
    let (mut bytes, _) = stream(3);
    for at in 0..bytes.len() {
        for other in [0, 1, 0x7f, 0xff] {
            let byte = std::mem::replace(&mut bytes[at], other);
            // Whatever a batch claims of its buffers, it comes to a result.
            let _ = read(&bytes);
            bytes[at] = byte;
        }
    }
}

#[test]
fn a_buffer_that_claims_to_expand_beyond_bounds_is_refused() {
    let (mut bytes, _) = stream(50);
    // Before the compressed bytes of a buffer stands how many they become, before a frame of LZ4.
    let frame = memchr::memmem::find(&bytes, b"\x04\x22\x4d\x18").unwrap();
    bytes[frame - 8..frame].copy_from_slice(&i64::MAX.to_le_bytes());
    let error = read(&bytes).unwrap_err().to_string();
    assert_eq!(error, "s: broken: a batch is not built as the columns are");
}

#[test]
fn rows_of_one_key_in_two_lanes_are_an_overlap() {
    let lane = |names: &[&str]| -> Box<dyn Lane> {
        let row = |name: &&str| OwnSource::new(&source(name, 1, NOON), &coverage(1), NOW);
        Box::new(SourcesLane::new(names.iter().map(row).collect(), "{}".to_owned()))
    };
    assert!(!overlap(lane(&["/a", "/c", "/e"]), vec![lane(&["/b", "/d"]), lane(&["/f"])]).unwrap());
    assert!(overlap(lane(&["/a", "/c", "/e"]), vec![lane(&["/b"]), lane(&["/d", "/e"])]).unwrap());
    assert!(overlap(lane(&["/a"]), vec![lane(&["/a"])]).unwrap());
    assert!(!overlap(lane(&[]), vec![lane(&["/a"])]).unwrap());
    assert!(!overlap(lane(&["/a"]), vec![]).unwrap());
}
