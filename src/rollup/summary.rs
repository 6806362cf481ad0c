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
#[derive(Default)]
pub(super) struct Summary {
    coverage: CoverageByDay,
    is_too_large: bool,
}

impl Summary {
    /// Takes in what a source came to.
    pub(super) fn add(&mut self, coverage: CoverageByDay) {
        if !self.is_too_large {
            self.coverage.merge(coverage);
            self.is_too_large = self.coverage.accounts.len() > LARGEST;
        }
    }

    /// Writes it; returns whether it is of any use.
    pub(super) fn write(self, path: &Path) -> Result<bool, RollupError> {
        if self.is_too_large {
            return Ok(false);
        }
        let CoverageByDay { totals, accounts } = self.coverage;
        let mut file = ParquetFile::create(path, Table::Coverage)?;
        let events = totals.records.counted;
        let totals = CoverageByDay { totals, ..CoverageByDay::default() };
        file.push_coverage(None, events, &Document::of_many(&totals).to_json())?;
        let mut days: BTreeMap<Day, CoverageByDay> = BTreeMap::new();
        for ((account, day), counted) in accounts {
            days.entry(day).or_default().accounts.insert((account, day), counted);
        }
        for (day, coverage) in days {
            let events = coverage.accounts.values().map(|account| account.events).sum();
            file.push_coverage(Some(day), events, &Document::of_many(&coverage).to_json())?;
        }
        file.finish()?;
        Ok(true)
    }
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
