//! The rows of a rollup: last accesses, and what became of each source. In which order they stand,
//! and what two rows of one key make together.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use crate::access::{Skip, Switches};
use crate::coverage::{
    AccountCoverage, Coverage, CoverageByDay, Problem, Records, SetAside, Sources,
};
use crate::ledger::{Entry, EntryKey};
use crate::source::{Source, SourceReason};
use crate::time::{Day, Time};

/// The most bytes or records that are believed of one row.
const MOST_BYTES: u64 = 1 << 52;

/// The most events that are believed of one account and day, in one row.
const MOST_EVENTS: u64 = 1 << 40;

/// A row of a rollup, or of a partial stream. Accesses stand before sources.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "rows are passed by reference, most of them accesses"
)]
pub(super) enum Row<'a> {
    Access(Entry<'a>),
    Source(SourceRow<'a>),
}

/// What became of one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceRow<'a> {
    /// The absolute path of the file, or its URI.
    pub source: &'a str,
    /// Its bytes as stored.
    pub size: Option<u64>,
    /// When it was last changed.
    pub modified: Option<Time>,
    /// The ETag that a listing gave the object.
    pub etag: Option<&'a str>,
    /// When the run began that tells this.
    pub read_time: Time,
    /// What became of it.
    pub outcome: Outcome,
    /// Which kinds of records counted: a JSON object.
    pub attribution: &'a str,
    /// What it came to: a JSON object.
    pub coverage: &'a str,
}

/// What became of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Read to its end.
    Read,
    /// Read to its end, without a record.
    Empty,
    /// Known to hold no events.
    SetAside,
    /// Not read, not to its end, or with malformed records.
    Failed,
    /// Failed once; is not there any more, or can be looked into now.
    Settled,
}

impl Outcome {
    const ALL: [Self; 5] = [Self::Read, Self::Empty, Self::SetAside, Self::Failed, Self::Settled];

    /// Returns the word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "READ",
            Self::Empty => "EMPTY",
            Self::SetAside => "SET_ASIDE",
            Self::Failed => "FAILED",
            Self::Settled => "SETTLED",
        }
    }

    /// Reads the word.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }

    /// Tells it by the coverage of one source.
    pub const fn of(coverage: &Coverage) -> Self {
        match coverage.sources {
            Sources { failed: 1.., .. } => Self::Failed,
            Sources { read: 1.., .. } => Self::Read,
            Sources { empty: 1.., .. } => Self::Empty,
            _ => Self::SetAside,
        }
    }
}

/// What a row is about, in the order in which rows stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum RowKey<'a> {
    Access(EntryKey<'a>),
    Source(&'a str),
}

impl Row<'_> {
    /// Returns what it is about.
    pub(super) const fn key(&self) -> RowKey<'_> {
        match self {
            Row::Access(entry) => RowKey::Access(entry.key()),
            Row::Source(source) => RowKey::Source(source.source),
        }
    }

    /// Takes in another row of the same key.
    pub(super) fn join(&mut self, other: &Self) {
        match (self, other) {
            (Row::Access(one), Row::Access(other)) => one.join(other),
            (Row::Source(one), Row::Source(other)) if other.is_after(one) => *one = *other,
            _ => {}
        }
    }
}

impl SourceRow<'_> {
    /// Returns whether this row counts rather than another one of the same source.
    fn is_after(&self, other: &Self) -> bool {
        // A source counts as it was found last.
        let rank = |row: &Self| (row.read_time, row.modified, Reverse(row.outcome), row.size);
        let (one, other_rank) = (rank(self), rank(other));
        let texts = (self.etag, self.coverage, self.attribution);
        one.cmp(&other_rank)
            .then_with(|| texts.cmp(&(other.etag, other.coverage, other.attribution)))
            .is_gt()
    }

    /// Returns whether this is what became of `source` as it stands now, so that there is no need
    /// to read it again.
    pub fn has_folded(&self, source: &Source) -> bool {
        if matches!(self.outcome, Outcome::Failed | Outcome::Settled) {
            return false;
        }
        let etag = source.listed.as_ref().and_then(|listed| listed.etag.as_deref());
        match (self.etag, etag) {
            (Some(one), Some(other)) => one == other,
            _ => self.size == source.size && self.modified == source.modified,
        }
    }

    /// Reads what the source came to.
    ///
    /// # Errors
    /// What is wrong with the document.
    pub fn coverage(&self) -> Result<CoverageByDay, String> {
        Document::read(self.coverage)?.coverage(Some(self.outcome))
    }

    /// Reads under which attribution it was read.
    ///
    /// # Errors
    /// What is wrong with the document.
    pub fn switches(&self) -> Result<Switches, String> {
        serde_json::from_str(self.attribution).map_err(|error| error.to_string())
    }
}

/// A [`SourceRow`] that owns its texts.
#[derive(Clone, Debug)]
pub(super) struct OwnSource {
    source: String,
    size: Option<u64>,
    modified: Option<Time>,
    etag: Option<String>,
    read_time: Time,
    outcome: Outcome,
    coverage: String,
}

impl OwnSource {
    /// Tells what became of a source, as it was read `now`.
    pub(super) fn new(source: &Source, coverage: &CoverageByDay, now: Time) -> Self {
        Self {
            source: source.name(),
            size: source.size,
            modified: source.modified,
            etag: source.listed.as_ref().and_then(|listed| listed.etag.clone()),
            read_time: now,
            outcome: Outcome::of(&coverage.totals),
            coverage: Document::new(coverage).to_json(),
        }
    }

    /// Tells of something that was not opened, as it was found `now`.
    pub(super) fn beside(source: String, outcome: Outcome, coverage: &Coverage, now: Time) -> Self {
        let all = CoverageByDay { totals: coverage.clone(), ..CoverageByDay::default() };
        let coverage = Document::new(&all).to_json();
        Self { source, size: None, modified: None, etag: None, read_time: now, outcome, coverage }
    }

    /// Returns whether it failed as it did before: `known` has the coverage of what failed, by name.
    pub(super) fn is_known(&self, known: &HashMap<String, String>) -> bool {
        self.outcome == Outcome::Failed && known.get(&self.source) == Some(&self.coverage)
    }

    /// Returns the bytes that it takes in memory, about.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.source.len() + self.coverage.len()
    }

    /// Sorts them, and keeps of each source the row that counts.
    pub(super) fn sort(rows: &mut Vec<Self>) {
        rows.sort_by(|one, other| one.source.cmp(&other.source));
        rows.dedup_by(|next, kept| {
            let is_same = next.source == kept.source;
            if is_same && next.row("").is_after(&kept.row("")) {
                std::mem::swap(next, kept);
            }
            is_same
        });
    }

    pub(super) fn row<'a>(&'a self, attribution: &'a str) -> SourceRow<'a> {
        SourceRow {
            source: &self.source,
            size: self.size,
            modified: self.modified,
            etag: self.etag.as_deref(),
            read_time: self.read_time,
            outcome: self.outcome,
            attribution,
            coverage: &self.coverage,
        }
    }
}

/// The JSON of [`SourceRow::coverage`], and of many sources together.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Document {
    /// Of many sources, how many came to what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sources: Option<SourceCounts>,
    bytes_read: u64,
    bytes_decompressed: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    records_set_aside: BTreeMap<Skip, u64>,
    #[serde(default, skip_serializing_if = "is_zero")]
    records_malformed: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    sources_set_aside: BTreeMap<SourceReason, SetAside>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    problems: Vec<Problem>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    accounts: Vec<AccountDay>,
}

/// Sources by what became of them.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct SourceCounts {
    read: u64,
    empty: u64,
    failed: u64,
}

/// The accesses of one account on one day.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct AccountDay {
    account_id: String,
    date: String,
    events: u64,
    first_event_time: String,
    last_event_time: String,
    regions: Vec<String>,
    data_events: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Document {
    fn new(coverage: &CoverageByDay) -> Self {
        let totals = &coverage.totals;
        let accounts = coverage.accounts.iter().filter_map(|((account, day), counted)| {
            Some(AccountDay {
                account_id: account.clone(),
                date: day.to_string(),
                events: counted.events,
                first_event_time: counted.first?.to_microseconds_string(),
                last_event_time: counted.last?.to_microseconds_string(),
                regions: counted.regions.iter().cloned().collect(),
                data_events: counted.data_events,
            })
        });
        Self {
            sources: None,
            bytes_read: totals.bytes_read,
            bytes_decompressed: totals.bytes_decompressed,
            records_set_aside: totals.records.set_aside.clone(),
            records_malformed: totals.records.malformed,
            sources_set_aside: totals.sources.set_aside.clone(),
            problems: totals.problems.iter().cloned().collect(),
            accounts: accounts.collect(),
        }
    }

    /// Tells what many sources came to.
    pub(super) fn of_many(coverage: &CoverageByDay) -> Self {
        let Sources { read, empty, failed, .. } = coverage.totals.sources;
        Self { sources: Some(SourceCounts { read, empty, failed }), ..Self::new(coverage) }
    }

    pub(super) fn read(json: &str) -> Result<Self, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers make JSON, and so do enums as keys")
    }

    /// Returns what it tells, of one source with its outcome, or of many.
    pub(super) fn coverage(self, outcome: Option<Outcome>) -> Result<CoverageByDay, String> {
        let mut accounts = BTreeMap::new();
        let mut counted = 0;
        for account in self.accounts {
            let day = Day::parse(&account.date)
                .ok_or_else(|| format!("Date: `{}` is no day", account.date))?;
            let time = |text: &str| {
                Time::parse(text.as_bytes()).ok_or_else(|| format!("`{text}` is no time"))
            };
            let coverage = AccountCoverage {
                events: account.events,
                first: Some(time(&account.first_event_time)?),
                last: Some(time(&account.last_event_time)?),
                days: [day].into(),
                regions: account.regions.into_iter().collect(),
                data_events: account.data_events,
            };
            // No log holds more: sums of them stay far from the end of numbers.
            if coverage.events > MOST_EVENTS {
                return Err(format!("Events: {} are too many", coverage.events));
            }
            counted += coverage.events;
            accounts.insert((account.account_id, day), coverage);
        }
        let counts = [self.records_malformed, self.bytes_read, self.bytes_decompressed];
        let mut counts = self.records_set_aside.values().copied().chain(counts);
        if let Some(count) = counts.find(|count| *count > MOST_BYTES) {
            return Err(format!("{count} is too large a number"));
        }
        drop(counts);
        let is = |it: Outcome| u64::from(outcome == Some(it));
        let SourceCounts { read, empty, failed } = self.sources.unwrap_or(SourceCounts {
            read: is(Outcome::Read),
            empty: is(Outcome::Empty),
            failed: is(Outcome::Failed),
        });
        let totals = Coverage {
            sources: Sources { read, empty, failed, set_aside: self.sources_set_aside },
            bytes_read: self.bytes_read,
            bytes_decompressed: self.bytes_decompressed,
            records: Records {
                counted,
                set_aside: self.records_set_aside,
                malformed: self.records_malformed,
            },
            problems: self.problems.into_iter().collect(),
            ..Coverage::default()
        };
        Ok(CoverageByDay { totals, accounts })
    }
}
