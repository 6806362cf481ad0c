//! What was read, what was set aside and why: rules V1–V3. No report without it.
//!
//! Counts add up; they are no part of the ledger, since reading a file twice changes them.

mod missing;
mod proven;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use crate::access::{Access, Skip, Switches};
use crate::source::{self, SourceReason};
use crate::time::{Day, Period, Time};
pub use missing::{LogFileHours, Missing, MissingHours};
pub use proven::{ProvenPeriods, Span};

/// What an account takes in memory, about.
const BYTES_OF_ACCOUNT: usize = 500;

/// What one of its days takes, about.
const BYTES_OF_DAY: usize = 16;

/// What one of its Regions takes beside its text, about.
const BYTES_OF_REGION: usize = 64;

/// How many problems of one source are kept by name; the others are counted.
const PROBLEMS_PER_SOURCE: usize = 10;

/// What one run read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// The period that was asked for (P2).
    pub period: Period,
    /// Which kinds of records counted.
    pub switches: Switches,
    /// Sources by what became of them.
    pub sources: Sources,
    /// Bytes as they lie on the disk.
    pub bytes_read: u64,
    /// Bytes after decompression.
    pub bytes_decompressed: u64,
    /// Records by what became of them.
    pub records: Records,
    /// What could not be read.
    pub problems: BTreeSet<Problem>,
    /// What counted, by acting account.
    pub accounts: BTreeMap<String, AccountCoverage>,
    /// What was probably delivered and is not there; told by whoever knows all files of a run.
    pub missing: Missing,
    /// Of which times digests prove that everything was read, if only what they prove was.
    pub proven: Option<ProvenPeriods>,
}

/// Sources by what became of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// Read to the end, with at least one record.
    pub read: u64,
    /// Read to the end, without a record.
    pub empty: u64,
    /// Not read, or not to the end.
    pub failed: u64,
    /// Set aside as a whole, by reason.
    pub set_aside: BTreeMap<SourceReason, SetAside>,
}

/// Sources set aside for one reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SetAside {
    /// How many.
    pub count: u64,
    /// The first of them, in byte order.
    pub first: String,
}

/// Records by what became of them.
///
/// INVARIANT: every record is in exactly one of the three, so that they add up to
/// [`Records::total`] (V2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records {
    /// Accesses of the period.
    pub counted: u64,
    /// Set aside, by reason.
    pub set_aside: BTreeMap<Skip, u64>,
    /// Not readable.
    pub malformed: u64,
}

impl Records {
    /// Returns how many records there were.
    pub fn total(&self) -> u64 {
        self.counted + self.set_aside.values().sum::<u64>() + self.malformed
    }
}

/// What could not be read, and where. Problems are ordered by source, then place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Problem {
    /// The source, or the entry of an archive.
    pub source: String,
    /// The offset in the decompressed bytes, if it is a place in them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// What is wrong.
    pub error: String,
}

/// Prints ``source: at byte 1234: error``.
impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.offset {
            Some(offset) => write!(f, "{}: at byte {offset}: {}", self.source, self.error),
            None => write!(f, "{}: {}", self.source, self.error),
        }
    }
}

impl From<&source::Problem> for Problem {
    fn from(problem: &source::Problem) -> Self {
        Self { source: problem.source.clone(), offset: None, error: problem.error.to_string() }
    }
}

/// What counted for one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountCoverage {
    /// Accesses of the period.
    pub events: u64,
    /// The time of the first.
    pub first: Option<Time>,
    /// The time of the last.
    pub last: Option<Time>,
    /// The days with at least one.
    pub days: BTreeSet<Day>,
    /// The Regions they are from.
    pub regions: BTreeSet<String>,
    /// Whether data events were among them (P3).
    pub data_events: bool,
}

impl Coverage {
    /// Counts a record that is set aside.
    pub fn set_aside(&mut self, skip: Skip) {
        *self.records.set_aside.entry(skip).or_default() += 1;
    }

    /// Counts a malformed record.
    pub const fn malformed(&mut self) {
        self.records.malformed += 1;
    }

    /// Counts a source of so many records that was read, or could not be read to its end.
    pub const fn source_read(&mut self, failed: bool, records: u64) {
        let sources = &mut self.sources;
        if failed {
            sources.failed += 1;
        } else if records == 0 {
            sources.empty += 1;
        } else {
            sources.read += 1;
        }
    }

    /// Counts a source that is set aside as a whole.
    pub fn source_set_aside(&mut self, reason: SourceReason, name: &str) {
        let one = SetAside { count: 1, first: name.to_owned() };
        merge_set_aside(&mut self.sources.set_aside, reason, &one);
    }

    /// Adds all that `other` read.
    pub fn merge(&mut self, other: Self) {
        self.sources.read += other.sources.read;
        self.sources.empty += other.sources.empty;
        self.sources.failed += other.sources.failed;
        for (reason, sources) in &other.sources.set_aside {
            merge_set_aside(&mut self.sources.set_aside, *reason, sources);
        }
        self.bytes_read += other.bytes_read;
        self.bytes_decompressed += other.bytes_decompressed;
        self.records.counted += other.records.counted;
        self.records.malformed += other.records.malformed;
        for (skip, count) in other.records.set_aside {
            *self.records.set_aside.entry(skip).or_default() += count;
        }
        self.problems.extend(other.problems);
        for (account, coverage) in other.accounts {
            self.accounts.entry(account).or_default().merge(coverage);
        }
    }

    /// Returns whether anything that may hold events could not be read (V3).
    pub fn is_complete(&self) -> bool {
        self.sources.failed == 0 && self.records.malformed == 0 && self.problems.is_empty()
    }

    /// Returns, if only what digests prove was read, of which times of the period they prove that of
    /// all of these accounts everything was.
    pub fn proven_of<'a>(&self, accounts: impl Iterator<Item = &'a str>) -> Option<Vec<Span>> {
        Some(self.proven.as_ref()?.of_all(accounts, self.period))
    }

    /// Returns the time of the first event that counted.
    pub fn first_event(&self) -> Option<Time> {
        self.accounts.values().filter_map(|account| account.first).min()
    }

    /// Returns the time of the last event that counted.
    pub fn last_event(&self) -> Option<Time> {
        self.accounts.values().filter_map(|account| account.last).max()
    }
}

fn merge_set_aside(
    all: &mut BTreeMap<SourceReason, SetAside>,
    reason: SourceReason,
    sources: &SetAside,
) {
    let entry = all.entry(reason).or_default();
    if entry.count == 0 || sources.first < entry.first {
        entry.first.clone_from(&sources.first);
    }
    entry.count += sources.count;
}

/// The problems of one source: the first few by name, the others as a number.
#[derive(Debug, Default)]
pub struct SourceProblems {
    named: Vec<Problem>,
    more: u64,
}

impl SourceProblems {
    /// Adds one.
    pub fn push(&mut self, source: &str, offset: Option<u64>, error: impl Into<String>) {
        if self.named.len() < PROBLEMS_PER_SOURCE {
            self.named.push(Problem { source: source.to_owned(), offset, error: error.into() });
        } else {
            self.more += 1;
        }
    }

    /// Adds those of the bytes that follow.
    pub fn append(&mut self, behind: Self) {
        for problem in behind.named {
            if self.named.len() < PROBLEMS_PER_SOURCE {
                self.named.push(problem);
            } else {
                self.more += 1;
            }
        }
        self.more += behind.more;
    }

    /// Returns them for the coverage.
    pub fn finish(mut self) -> Vec<Problem> {
        if let Some(last) = self.named.last_mut().filter(|_| self.more > 0) {
            last.error = format!("{}, and {} more behind it", last.error, self.more);
        }
        self.named
    }
}

/// What was read, with the accesses told day by day, so that the coverage of any period of whole
/// days can be told later.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CoverageByDay {
    /// All but the accounts; accesses count whatever their day.
    pub totals: Coverage,
    /// What counted, by acting account and day.
    pub accounts: BTreeMap<(String, Day), AccountCoverage>,
}

impl CoverageByDay {
    /// Adds all that `other` read.
    pub fn merge(&mut self, other: Self) {
        self.totals.merge(other.totals);
        for (account, coverage) in other.accounts {
            self.accounts.entry(account).or_default().merge(coverage);
        }
    }

    /// Adds to `coverage` what was read, of which the days with `is_within` belong to the period:
    /// accesses of the others are set aside (P2).
    pub fn add_to(&self, coverage: &mut Coverage, is_within: impl Fn(Day) -> bool) {
        let mut outside = 0;
        for ((account, day), counted) in &self.accounts {
            if is_within(*day) {
                coverage.accounts.entry(account.clone()).or_default().merge(counted.clone());
            } else {
                outside += counted.events;
            }
        }
        coverage.merge(self.totals.clone());
        if outside > 0 {
            coverage.records.counted -= outside;
            *coverage.records.set_aside.entry(Skip::OutsidePeriod).or_default() += outside;
        }
    }
}

/// Counts accesses account by account.
#[derive(Debug, Default)]
pub struct AccountCounts {
    numbers: HashMap<String, AccountNumber>,
    accounts: Vec<AccountCount>,
    /// Those with an access since the counts were last taken.
    counted: Vec<AccountNumber>,
    /// The bytes that days and Regions take in memory, about.
    grown: usize,
    by_day: bool,
}

/// An account of [`AccountCounts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountNumber(usize);

/// What counted for one account so far, and what the last access added: the next one is mostly of
/// the same day and Region.
#[derive(Debug, Default)]
struct AccountCount {
    account: String,
    coverage: AccountCoverage,
    day: Option<Day>,
    region: String,
    /// What counted on other days, if days are told apart.
    days: BTreeMap<Day, AccountCoverage>,
}

impl AccountCounts {
    /// Makes one that tells days apart.
    pub fn by_day() -> Self {
        Self { by_day: true, ..Self::default() }
    }

    /// Returns the number of an account.
    pub fn number(&mut self, account: &str) -> AccountNumber {
        if let Some(number) = self.numbers.get(account) {
            return *number;
        }
        let number = AccountNumber(self.accounts.len());
        self.accounts.push(AccountCount { account: account.to_owned(), ..AccountCount::default() });
        self.numbers.insert(account.to_owned(), number);
        number
    }

    /// Returns the bytes that it takes in memory, about; none if days are told apart, when it is
    /// emptied behind every source.
    pub const fn bytes(&self) -> usize {
        if self.by_day { 0 } else { self.accounts.len() * BYTES_OF_ACCOUNT + self.grown }
    }

    /// Counts an access.
    pub fn count(&mut self, account: AccountNumber, access: &Access<'_>) {
        if let Some(count) = self.accounts.get_mut(account.0) {
            if count.day.is_none() {
                self.counted.push(account);
            }
            self.grown += count.count(access, self.by_day);
        }
    }

    /// Adds what was counted to a coverage, and counts from nothing again.
    pub fn take(&mut self, coverage: &mut CoverageByDay) {
        for number in self.counted.drain(..) {
            let Some(count) = self.accounts.get_mut(number.0) else { continue };
            let AccountCount { account, coverage: last, day, region, days } = count;
            let mut all = std::mem::take(last);
            if self.by_day {
                days.extend(day.map(|day| (day, std::mem::take(&mut all))));
                for (day, counted) in std::mem::take(days) {
                    coverage.totals.records.counted += counted.events;
                    let key = (account.clone(), day);
                    coverage.accounts.entry(key).or_default().merge(counted);
                }
            } else {
                coverage.totals.records.counted += all.events;
                coverage.totals.accounts.entry(account.clone()).or_default().merge(all);
            }
            *day = None;
            region.clear();
        }
    }
}

impl AccountCount {
    /// Counts an access; returns by how many bytes that made it larger, about.
    fn count(&mut self, access: &Access<'_>, by_day: bool) -> usize {
        let mut grown = 0;
        let its_day = access.time.day();
        if self.day != Some(its_day) {
            if by_day {
                self.turn_to(its_day);
            }
            self.day = Some(its_day);
            grown += usize::from(self.coverage.days.insert(its_day)) * BYTES_OF_DAY;
        }
        let Self { coverage, region, .. } = self;
        coverage.events += 1;
        coverage.first = Some(coverage.first.map_or(access.time, |first| first.min(access.time)));
        coverage.last = coverage.last.max(Some(access.time));
        coverage.data_events |= access.is_data_event;
        if let Some(its_region) = access.region
            && !its_region.is(region)
        {
            *region = its_region.decode().into_owned();
            if !coverage.regions.contains(region) {
                grown += BYTES_OF_REGION + region.len();
                coverage.regions.insert(region.clone());
            }
        }
        grown
    }

    /// Puts away what counted on the day before this one, and goes on with what did on this.
    fn turn_to(&mut self, day: Day) {
        let coverage =
            std::mem::replace(&mut self.coverage, self.days.remove(&day).unwrap_or_default());
        self.days.extend(self.day.map(|before| (before, coverage)));
        self.region.clear();
    }
}

impl AccountCoverage {
    fn merge(&mut self, other: Self) {
        self.events += other.events;
        self.first = [self.first, other.first].into_iter().flatten().min();
        self.last = self.last.max(other.last);
        self.days.extend(other.days);
        self.regions.extend(other.regions);
        self.data_events |= other.data_events;
    }

    /// Returns the stretches of days without an event between the first one and the last, each as
    /// its first and last day.
    pub fn days_without_events(&self) -> Vec<(Day, Day)> {
        let days: Vec<i32> = self.days.iter().map(|day| day.number()).collect();
        days.iter()
            .zip(days.iter().skip(1))
            .filter(|(one, next)| **next - **one > 1)
            .map(|(one, next)| (Day::from_number(one + 1), Day::from_number(next - 1)))
            .collect()
    }
}
