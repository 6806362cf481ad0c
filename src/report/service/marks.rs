//! What is kept of the attempts at one thing, by numbers of a ledger's records: some dozens of
//! bytes in place of all that the log says. Most of it is never shown.

use crate::identities::{Identities, IdentityIndex};
use crate::ledger::{self, Entry, Ledger, Outline};
use crate::report::attempt::{Attempt, Attempts};
use crate::time::Time;

/// What [`Attempts`] are.
#[derive(Clone, Copy)]
pub(super) struct Marks {
    latest: Mark,
    success: Option<Mark>,
    denial: Option<Mark>,
    first: Mark,
}

/// One attempt: of which user or role, and which record of the ledger has it.
#[derive(Clone, Copy)]
struct Mark {
    time: Time,
    record: u32,
    whose: IdentityIndex,
}

/// Which of a record's attempts is meant.
type Which = for<'a> fn(&Entry<'a>) -> Option<ledger::Attempt<'a>>;

const LATEST: Which = |entry| Some(entry.latest);
const SUCCESS: Which = |entry| entry.success;
const DENIAL: Which = |entry| entry.denial;
const FIRST: Which = |entry| Some(entry.first);

impl Marks {
    pub(super) fn of(record: &Outline, whose: IdentityIndex) -> Self {
        let mark = |time| Mark { time, record: record.number, whose };
        Self {
            latest: mark(record.latest),
            success: record.success.map(mark),
            denial: record.denial.map(mark),
            first: mark(record.first),
        }
    }

    /// Takes in those of `other`, as [`Attempts`] do.
    pub(super) fn join(&mut self, other: &Self, texts: Texts<'_>) {
        let join = |one: &mut Option<Mark>, other: Option<Mark>, which| {
            if texts.cmp(other, *one, which).is_gt() {
                *one = other;
            }
        };
        join(&mut self.success, other.success, SUCCESS);
        join(&mut self.denial, other.denial, DENIAL);
        if texts.cmp(Some(other.latest), Some(self.latest), LATEST).is_gt() {
            self.latest = other.latest;
        }
        if texts.cmp(Some(other.first), Some(self.first), FIRST).is_lt() {
            self.first = other.first;
        }
    }
}

/// Where the texts of attempts stand.
#[derive(Clone, Copy)]
pub(super) struct Texts<'a> {
    pub(super) ledger: &'a Ledger,
    pub(super) identities: &'a Identities,
}

impl<'a> Texts<'a> {
    /// Returns what is marked.
    pub(super) fn attempts(self, marks: &Marks) -> Attempts<'a> {
        let latest = self.entry(marks.latest);
        // Often it is all in one record.
        let of = |mark: Mark, which: Which| {
            let is_same = mark.record == marks.latest.record && mark.whose == marks.latest.whose;
            let (entry, entity) = if is_same { latest } else { self.entry(mark) };
            which(&entry).map(|attempt| Attempt::of(&entry, attempt, entity))
        };
        let (entry, entity) = latest;
        Attempts {
            latest: Attempt::of(&entry, entry.latest, entity),
            success: marks.success.and_then(|mark| of(mark, SUCCESS)),
            denial: marks.denial.and_then(|mark| of(mark, DENIAL)),
            first: of(marks.first, FIRST)
                .unwrap_or_else(|| Attempt::of(&entry, entry.first, entity)),
        }
    }

    /// Compares two attempts (A27): by their times, which mostly tell, else by all that is logged.
    fn cmp(self, one: Option<Mark>, other: Option<Mark>, which: Which) -> std::cmp::Ordering {
        let time = |mark: Option<Mark>| mark.map(|mark| mark.time);
        let attempt = |mark: Mark| {
            let (entry, entity) = self.entry(mark);
            which(&entry).map(|attempt| Attempt::of(&entry, attempt, entity))
        };
        time(one).cmp(&time(other)).then_with(|| one.map(attempt).cmp(&other.map(attempt)))
    }

    fn entry(self, mark: Mark) -> (Entry<'a>, &'a str) {
        (self.ledger.nth(mark.record), &self.identities.identity(mark.whose).arn)
    }
}
