//! What was probably delivered and is not there: hours without a log file where those around have
//! one, and log files that digests list.

use std::collections::BTreeMap;

use crate::source::key::LogFile;
use crate::time::{Period, Time};

const MICROS_PER_HOUR: i64 = 3_600_000_000;

/// Hours of a day.
const DAY: i64 = 24;

/// Hours of a week.
const WEEK: i64 = 7 * DAY;

/// The longest hole, in hours: what lies further apart is two dumps, and names may lie about times.
const LONGEST: i64 = 366 * DAY;

/// What is missing, as far as names of files and digests tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// By account and Region, then time.
    pub hours: Vec<MissingHours>,
    /// S3 keys of log files that digests list and that were not found, in byte order.
    pub log_files: Vec<String>,
    /// How many digests could not be read, so that nobody knows what they list.
    pub digests_unreadable: u64,
}

/// A stretch of hours of which an account and Region have no log file, though they have of their
/// neighbours: the same hour of the nearest two days and of the nearest two weeks to either side, as
/// far as they lie outside the hole. At least three of these have to have files, and five times as
/// many as have none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MissingHours {
    /// The account of the log files.
    pub account_id: String,
    /// Their Region.
    pub region: String,
    /// Where the first of the hours begins.
    pub from: Time,
    /// Where the last of them ends.
    pub to: Time,
}

/// The hours of which there are log files, as their names tell.
#[derive(Debug, Default)]
pub struct LogFileHours {
    /// By account and Region, stretches of hours since 1970, from one up to another that is no more
    /// part of it.
    hours: BTreeMap<(String, String), Vec<(i64, i64)>>,
}

impl LogFileHours {
    /// Takes in the name of a file; one that tells neither account nor Region nor time says nothing.
    pub fn add(&mut self, file_name: &str) {
        let Some(LogFile { account, region, time }) = LogFile::of_name(file_name) else { return };
        let hour = time.micros().div_euclid(MICROS_PER_HOUR);
        let stretches = self.hours.entry((account.to_owned(), region.to_owned())).or_default();
        // Files come in the order of their names, mostly.
        match stretches.last_mut() {
            Some((from, to)) if (*from..*to).contains(&hour) => {}
            Some((_, to)) if *to == hour => *to += 1,
            _ => stretches.push((hour, hour + 1)),
        }
    }

    /// Returns the hours of a period that are missing.
    pub fn missing(self, period: Period) -> Vec<MissingHours> {
        let mut all = Vec::new();
        for ((account_id, region), stretches) in self.hours {
            for (from, to) in missing(&joined(stretches)) {
                let time = |hour: i64| Time::from_micros(hour.saturating_mul(MICROS_PER_HOUR));
                let (from, to) = (time(from), time(to));
                let is_before = period.since.is_some_and(|since| to <= since);
                let is_after = period.until.is_some_and(|until| until < from);
                if !is_before && !is_after {
                    let (account_id, region) = (account_id.clone(), region.clone());
                    all.push(MissingHours { account_id, region, from, to });
                }
            }
        }
        all
    }
}

/// Returns the stretches in order, those that touch as one.
fn joined(mut stretches: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    stretches.sort_unstable();
    let mut joined: Vec<(i64, i64)> = Vec::with_capacity(stretches.len());
    for (from, to) in stretches {
        match joined.last_mut() {
            Some((_, end)) if from <= *end => *end = to.max(*end),
            _ => joined.push((from, to)),
        }
    }
    joined
}

/// Returns the stretches of hours between these that are missing.
fn missing(stretches: &[(i64, i64)]) -> Vec<(i64, i64)> {
    let (Some(&(first, _)), Some(&(_, end))) = (stretches.first(), stretches.last()) else {
        return Vec::new();
    };
    let mut missing: Vec<(i64, i64)> = Vec::new();
    for dump in stretches.chunk_by(|(_, from), (to, _)| to - from <= LONGEST) {
        let hours = Hours::of(dump);
        let is_missing = |hour: i64, hole: (i64, i64)| {
            let (mut with, mut without) = (0, 0);
            for neighbour in neighbours(hour, hole) {
                match (first..end).contains(&neighbour) {
                    true if hours.has(neighbour) => with += 1,
                    // Of eight neighbours two without a file are too many, whatever the others have.
                    true if without == 1 => return false,
                    true => without += 1,
                    false => {}
                }
            }
            with >= 3 && with >= 5 * without
        };
        for pair in dump.windows(2) {
            let [(_, from), (to, _)] = *pair else { continue };
            // Hours of a hole that are whole weeks apart have the same neighbours.
            let week: Vec<bool> =
                (from..to.min(from + WEEK)).map(|hour| is_missing(hour, (from, to))).collect();
            if !week.contains(&true) {
                continue;
            }
            for (hour, is_missing) in (from..to).zip(week.iter().cycle()) {
                match missing.last_mut() {
                    _ if !is_missing => {}
                    Some((_, end)) if *end == hour => *end += 1,
                    _ => missing.push((hour, hour + 1)),
                }
            }
        }
    }
    missing
}

/// The hours of one dump: asked for hours far from one another, it answers without a search.
struct Hours {
    /// The first of them.
    from: i64,
    /// One an hour.
    has: Vec<bool>,
}

impl Hours {
    fn of(stretches: &[(i64, i64)]) -> Self {
        let from = stretches.first().map_or(0, |(from, _)| *from);
        let mut has = Vec::new();
        for stretch in stretches {
            let place = |hour: i64| usize::try_from(hour - from).unwrap_or_default();
            has.resize(place(stretch.0), false);
            has.resize(place(stretch.1), true);
        }
        Self { from, has }
    }

    fn has(&self, hour: i64) -> bool {
        let place = usize::try_from(hour - self.from).ok();
        place.and_then(|place| self.has.get(place)).is_some_and(|has| *has)
    }
}

/// Returns the hours to compare with one in a hole: the nearest two days and the nearest two weeks to
/// either side that lie outside.
fn neighbours(hour: i64, (from, to): (i64, i64)) -> impl Iterator<Item = i64> {
    let beside = |unit: i64| {
        let before = hour - ((hour - from).div_euclid(unit) + 1) * unit;
        let behind = hour + ((to - 1 - hour).div_euclid(unit) + 1) * unit;
        [before, before - unit, behind, behind + unit]
    };
    let (days, weeks) = (beside(DAY), beside(WEEK));
    // A week away may be a day away, too.
    let others = weeks.into_iter().filter(move |it| !days.contains(it));
    days.into_iter().chain(others)
}

#[cfg(test)]
mod tests;
