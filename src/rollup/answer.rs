//! A period answered from rollups, and what it needs of the logs themselves: sources that are not
//! folded yet, and those of a day that the period cuts.

use std::collections::{BTreeSet, HashMap};
use std::hash::BuildHasher as _;
use std::num::NonZeroUsize;
use std::slice;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::file::{Wanted, each_batch};
use super::{Attempts, Outcome, Rollup, RollupError, accesses, sources, summary};
use crate::coverage::Coverage;
use crate::ledger::Ledger;
use crate::source::{Found, Source};
use crate::time::{Day, Period, Share};

/// What rollups know of a period.
pub struct Answer {
    /// The last accesses of the days that the parts answer.
    pub ledger: Ledger,
    /// What the sources came to that need not be read again.
    pub coverage: Coverage,
    /// What of the given has to be read beside: what is not folded yet, or is needed again.
    pub selection: Selection,
    /// Days that the period cuts, of which the parts say too much.
    pub cut: BTreeSet<Day>,
    /// Sources of those days that are read again, in the order of their names.
    pub again: Vec<String>,
    /// Sources of those days that were not given, in the order of their names.
    pub missing: Vec<String>,
    /// Days that the parts answer.
    pub days: BTreeSet<Day>,
}

/// Answers a period from rollups, without accesses if no attempts at them are wanted; `found` are
/// the logs that are given beside them. It is read on so many threads, into so many bytes of memory.
///
/// # Errors
/// A rollup that cannot be read.
pub fn answer(
    rollups: &[Rollup],
    found: &Found,
    period: Period,
    attempts: Option<Attempts>,
    (threads, memory): (NonZeroUsize, usize),
) -> Result<Answer, RollupError> {
    let given = Names::of(found);
    let mut days = BTreeSet::new();
    for rollup in rollups {
        days.extend(rollup.days()?);
    }
    let cut: BTreeSet<Day> =
        days.iter().copied().filter(|day| period.share(*day) == Share::Some).collect();
    let needed = needed(rollups, period, cut)?;
    let mut selection = Selection::all(found);
    let mut coverage = Coverage::default();
    let again;
    let is_within = |day| period.share(day) == Share::All || needed.uncut.contains(&day);
    if let [rollup] = rollups
        && given.is_empty()
        && needed.sources.is_empty()
        && summary::add_up(&rollup.runs)
    {
        summary::add_to(&mut coverage, rollup, is_within)?;
        again = Vec::new();
    } else {
        again = add_sources(rollups, &given, &needed, is_within, (&mut selection, &mut coverage))?;
    }
    let missing = needed.sources.iter().filter(|name| given.find(name).is_none());
    let missing = missing.cloned().collect();
    days.retain(|day| is_within(*day));
    let mut ledger = Ledger::default();
    if let Some(attempts) = attempts {
        let is_whole = |day| period.share(day) == Share::All;
        ledger = accesses(rollups, attempts, (threads, memory), is_whole)?;
        ledger.merge(needed.ledger);
    }
    Ok(Answer { ledger, coverage, selection, cut: needed.cut, again, missing, days })
}

/// Adds what sources came to that need not be read again, and selects those that do; returns which
/// of them do because of days that are cut.
fn add_sources(
    rollups: &[Rollup],
    given: &Names<'_>,
    needed: &Needed,
    is_within: impl Fn(Day) -> bool,
    (selection, coverage): (&mut Selection, &mut Coverage),
) -> Result<Vec<String>, RollupError> {
    let mut again = Vec::new();
    sources(rollups, Wanted::Everything, &mut |row| {
        let is_needed = needed.sources.contains(row.source);
        match given.find(row.source) {
            Some(Given::Source(index)) if !row.has_folded(given.source(index)) => return Ok(()),
            Some(Given::Source(_)) if is_needed => {
                again.push(row.source.to_owned());
                return Ok(());
            }
            Some(Given::Problem) => return Ok(()),
            Some(place) => selection.leave_out(place),
            None => {}
        }
        if !is_needed {
            row.coverage()?.add_to(coverage, &is_within);
        }
        Ok(())
    })?;
    Ok(again)
}

/// What of that which was found has to be read.
pub struct Selection {
    sources: Vec<bool>,
    set_aside: Vec<bool>,
}

impl Selection {
    fn all(found: &Found) -> Self {
        Self {
            sources: vec![true; found.sources.len()],
            set_aside: vec![true; found.set_aside.len()],
        }
    }

    fn leave_out(&mut self, place: Given) {
        let flag = match place {
            Given::Source(index) => self.sources.get_mut(index),
            Given::SetAside(index) => self.set_aside.get_mut(index),
            Given::Problem => None,
        };
        if let Some(flag) = flag {
            *flag = false;
        }
    }

    /// Returns what is selected; problems of finding it are left out.
    pub fn of(&self, found: &Found) -> Found {
        fn chosen<T: Clone>(all: &[T], is_chosen: &[bool]) -> Vec<T> {
            let chosen = all.iter().zip(is_chosen).filter(|(_, is)| **is);
            chosen.map(|(it, _)| it.clone()).collect()
        }
        Found {
            sources: chosen(&found.sources, &self.sources),
            set_aside: chosen(&found.set_aside, &self.set_aside),
            ..Found::default()
        }
    }
}

/// What a period needs of days that it cuts.
#[derive(Default)]
struct Needed {
    /// Days that it cuts between events.
    cut: BTreeSet<Day>,
    /// Days of which all events lie within.
    uncut: BTreeSet<Day>,
    /// What the parts of both are known to tell of the period. The sources of the cut days are read
    /// again and tell more, but not what they told before they changed.
    ledger: Ledger,
    /// Sources with events of the cut days that may lie within.
    sources: BTreeSet<String>,
}

fn needed(
    rollups: &[Rollup],
    period: Period,
    mut cut: BTreeSet<Day>,
) -> Result<Needed, RollupError> {
    if cut.is_empty() {
        return Ok(Needed::default());
    }
    // A part may tell of more than its sources as they stand now, so that it is asked itself.
    let mut uncut = cut.clone();
    let mut ledger = Ledger::default();
    for part in rollups.iter().map(Rollup::parts).collect::<Result<Vec<_>, _>>()?.iter().flatten() {
        let Some(day) = part.day.filter(|day| cut.contains(day)) else { continue };
        let mut is_in = true;
        each_batch(part, Wanted::Everything, &mut |rows| {
            is_in &= rows.accesses(None).all(|entry| {
                period.contains(entry.first.time) && period.contains(entry.latest.time)
            });
            ledger.extend(rows.accesses(None).filter_map(|entry| entry.within(period)));
        })?;
        if !is_in {
            uncut.remove(&day);
        }
    }
    cut.retain(|day| !uncut.contains(day));
    let mut needed = BTreeSet::new();
    sources(rollups, Wanted::Everything, &mut |row| {
        let accounts = row.coverage()?.accounts;
        let is_out = |first, last| {
            period.until.is_some_and(|until| until < first)
                || period.since.is_some_and(|since| last <= since)
        };
        let may_be_in = accounts.iter().any(|((_, day), counted)| {
            let span = counted.first.zip(counted.last);
            cut.contains(day) && span.is_some_and(|(first, last)| !is_out(first, last))
        });
        if may_be_in {
            needed.insert(row.source.to_owned());
        }
        Ok(())
    })?;
    Ok(Needed { cut, uncut, ledger, sources: needed })
}

/// Where a name is among what was found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Given {
    Source(usize),
    SetAside(usize),
    Problem,
}

/// What was found, by name. There may be millions, so that names are made when they are asked for.
struct Names<'f> {
    found: &'f Found,
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl<'f> Names<'f> {
    fn of(found: &'f Found) -> Self {
        let hasher = DefaultHashBuilder::default();
        let mut names = Self { found, table: HashTable::new(), hasher };
        let count = found.sources.len() + found.set_aside.len() + found.problems.len();
        for number in (0..).take(count) {
            let hash = names.hasher.hash_one(names.name(number).as_bytes());
            let rehash = |number: &u32| {
                let name = name_of(found, *number);
                names.hasher.hash_one(name.as_bytes())
            };
            names.table.insert_unique(hash, number, rehash);
        }
        names
    }

    fn name(&self, number: u32) -> String {
        name_of(self.found, number)
    }

    fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Returns where the name is.
    fn find(&self, name: &str) -> Option<Given> {
        let hash = self.hasher.hash_one(name.as_bytes());
        let number = *self.table.find(hash, |number| self.name(*number) == name)?;
        Some(place(self.found, number))
    }

    /// Returns a source that was found.
    ///
    /// # Panics
    /// If it is none that [`Names::find`] gave.
    fn source(&self, index: usize) -> &'f Source {
        self.found.sources.get(index).expect("the place of a name is that of a source")
    }
}

fn place(found: &Found, number: u32) -> Given {
    let index = number as usize;
    match index.checked_sub(found.sources.len()) {
        None => Given::Source(index),
        Some(index) if index < found.set_aside.len() => Given::SetAside(index),
        Some(_) => Given::Problem,
    }
}

fn name_of(found: &Found, number: u32) -> String {
    let index = number as usize;
    let name = match place(found, number) {
        Given::Source(index) => found.sources.get(index).map(|source| source.name()),
        Given::SetAside(index) => found.set_aside.get(index).map(|it| it.path.name()),
        Given::Problem => {
            let index = index - found.sources.len() - found.set_aside.len();
            found.problems.get(index).map(|problem| problem.source.clone())
        }
    };
    name.unwrap_or_default()
}

/// What a rollup knows of what was found.
pub struct Known {
    /// What is not folded yet.
    pub selection: Selection,
    /// How many are.
    pub folded: usize,
    /// What failed before: the coverage that was recorded, by name.
    pub failed: HashMap<String, String>,
    /// What failed before and was not found now, neither as a source nor as a problem.
    pub missing: Vec<String>,
}

impl Known {
    /// Compares what was found with the sources of a rollup.
    ///
    /// # Errors
    /// A rollup that cannot be read.
    pub fn of(rollup: &Rollup, found: &Found) -> Result<Self, RollupError> {
        let rollup = slice::from_ref(rollup);
        let names = Names::of(found);
        let mut known = Self {
            selection: Selection::all(found),
            folded: 0,
            failed: HashMap::new(),
            missing: Vec::new(),
        };
        sources(rollup, Wanted::Essentials, &mut |row| {
            if row.outcome == Outcome::Failed {
                known.failed.insert(row.source.to_owned(), String::new());
            }
            match names.find(row.source) {
                Some(Given::Source(index)) if !row.has_folded(names.source(index)) => {}
                Some(Given::SetAside(_)) if row.outcome != Outcome::SetAside => {}
                Some(Given::Problem) => {}
                Some(place) => {
                    known.folded += 1;
                    known.selection.leave_out(place);
                }
                None if row.outcome == Outcome::Failed => {
                    known.missing.push(row.source.to_owned());
                }
                None => {}
            }
            Ok(())
        })?;
        if !known.failed.is_empty() {
            // They are few, and most runs have none: only for them the longest column is read.
            sources(rollup, Wanted::Everything, &mut |row| {
                if let Some(coverage) = known.failed.get_mut(row.source) {
                    row.coverage.clone_into(coverage);
                }
                Ok(())
            })?;
        }
        Ok(known)
    }
}
