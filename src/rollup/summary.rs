//! What all sources of a run came to, a row a day: a report reads this instead of a row for each of
//! millions of sources, where it is known that no source stands in two runs.

use std::collections::BTreeMap;
use std::path::Path;

use super::file::{ParquetFile, Part, Wanted, each_batch};
use super::row::Document;
use super::run::Run;
use super::table::Table;
use super::{Rollup, RollupError};
use crate::access::Skip;
use crate::coverage::{Coverage, CoverageByDay};
use crate::time::Day;

/// So many days of accounts are held in memory; a run of more has no summary.
const LARGEST: usize = 1 << 19;

/// A summary that is being made.
pub(super) enum Summary {
    /// Of sources, one after the other.
    OfSources(Box<CoverageByDay>),
    /// Of too many days of accounts.
    TooLarge,
    /// Of the summaries of runs: their JSON, by day.
    OfRuns(BTreeMap<Option<Day>, Vec<String>>),
}

impl Default for Summary {
    fn default() -> Self {
        Self::OfSources(Box::default())
    }
}

impl Summary {
    /// Makes one of the summaries of all runs, which add up.
    pub(super) fn of(rollup: &Rollup) -> Result<Self, RollupError> {
        let mut by_day: BTreeMap<Option<Day>, Vec<String>> = BTreeMap::new();
        for run in &rollup.runs {
            if let Some(part) = run.coverage(&rollup.directory)? {
                each_batch(&part, Wanted::Everything, &mut |rows| {
                    for (day, _, json) in rows.summaries() {
                        by_day.entry(day).or_default().push(json.to_owned());
                    }
                })?;
            }
        }
        Ok(Self::OfRuns(by_day))
    }

    /// Takes in what a source came to.
    pub(super) fn add(&mut self, coverage: CoverageByDay) {
        if let Self::OfSources(all) = self {
            all.merge(coverage);
            if all.accounts.len() > LARGEST {
                *self = Self::TooLarge;
            }
        }
    }

    /// Writes it; returns whether it is of any use.
    pub(super) fn write(self, path: &Path) -> Result<bool, RollupError> {
        let mut file = ParquetFile::create(path, Table::Coverage)?;
        match self {
            Self::TooLarge => return Ok(false),
            Self::OfSources(all) => {
                let CoverageByDay { totals, accounts } = *all;
                let totals = CoverageByDay { totals, ..CoverageByDay::default() };
                write(&mut file, None, &totals)?;
                let mut days: BTreeMap<Day, CoverageByDay> = BTreeMap::new();
                for ((account, day), counted) in accounts {
                    days.entry(day).or_default().accounts.insert((account, day), counted);
                }
                for (day, coverage) in days {
                    write(&mut file, Some(day), &coverage)?;
                }
            }
            Self::OfRuns(by_day) => {
                for (day, texts) in by_day {
                    let mut all = CoverageByDay::default();
                    for json in texts {
                        let coverage = Document::read(&json)
                            .and_then(|document| document.coverage(None))
                            .map_err(|what| RollupError::Column(path.to_owned(), what))?;
                        all.merge(coverage);
                    }
                    write(&mut file, day, &all)?;
                }
            }
        }
        file.finish()?;
        Ok(true)
    }
}

fn write(
    file: &mut ParquetFile,
    day: Option<Day>,
    coverage: &CoverageByDay,
) -> Result<(), RollupError> {
    let events = coverage.accounts.values().map(|account| account.events).sum();
    file.push_coverage(day, events, &Document::of_many(coverage).to_json())
}

/// Returns whether the summaries of a rollup add up: every run has one, and of every two runs one
/// was written when it was known that it has no source of the other.
pub(super) fn add_up(runs: &[Run]) -> bool {
    let is_beside = |one: &Run, other: &Run| one.beside.contains(&other.name);
    runs.iter().all(|run| run.coverage.is_some())
        && runs.iter().enumerate().all(|(index, one)| {
            runs.iter().skip(index + 1).all(|other| is_beside(one, other) || is_beside(other, one))
        })
}

/// Adds the summaries of a rollup to a coverage; accesses of days that are not within are set
/// aside.
pub(super) fn add_to(
    coverage: &mut Coverage,
    rollup: &Rollup,
    is_within: impl Fn(Day) -> bool,
) -> Result<(), RollupError> {
    for run in &rollup.runs {
        if let Some(part) = run.coverage(&rollup.directory)? {
            add_part_to(coverage, &part, &is_within)?;
        }
    }
    Ok(())
}

fn add_part_to(
    coverage: &mut Coverage,
    part: &Part,
    is_within: &impl Fn(Day) -> bool,
) -> Result<(), RollupError> {
    let mut outside = 0;
    let mut broken = None;
    each_batch(part, Wanted::Everything, &mut |rows| {
        for (day, events, json) in rows.summaries() {
            if day.is_some_and(|day| !is_within(day)) {
                outside += events;
                continue;
            }
            match Document::read(json).and_then(|document| document.coverage(None)) {
                Ok(of_day) => of_day.add_to(coverage, |_| true),
                Err(what) => broken = Some(what),
            }
        }
    })?;
    if let Some(what) = broken {
        return Err(RollupError::Column(part.path.clone(), what));
    }
    if outside > 0 {
        *coverage.records.set_aside.entry(Skip::OutsidePeriod).or_default() += outside;
    }
    Ok(())
}
