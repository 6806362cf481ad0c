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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::event::EventId;

    /// An attempt of which few things differ, and mostly not the time.
    fn any_attempt() -> impl Strategy<Value = ledger::Attempt<'static>> {
        let event_id = proptest::option::of(prop_oneof![
            (0..2u128).prop_map(EventId::Uuid),
            Just(EventId::Text("id")),
        ]);
        let region = prop_oneof![Just(None), Just(Some("eu-west-1")), Just(Some("us-east-1"))];
        (0..2i64, event_id, region).prop_map(|(time, event_id, region)| ledger::Attempt {
            time: Time::from_micros(time),
            event_id,
            region,
            source: Some("logs/a.json"),
        })
    }

    fn any_entry() -> impl Strategy<Value = Entry<'static>> {
        let actor = prop_oneof![Just("arn:aws:iam::1:role/a"), Just("arn:aws:iam::1:role/b")];
        let event = prop_oneof![Just("GetObject"), Just("PutObject")];
        let attempts = (any_attempt(), any_attempt(), any_attempt(), any_attempt());
        let is_there = (any::<bool>(), any::<bool>());
        (actor, event, attempts, is_there).prop_map(|(arn, event_name, attempts, is_there)| Entry {
            day: None,
            account: "1",
            principal_arn: Some(arn),
            principal_id: None,
            event_source: "s3.amazonaws.com",
            event_name,
            service_namespace: None,
            is_data_event: false,
            latest: attempts.0,
            success: Some(attempts.1).filter(|_| is_there.0),
            denial: Some(attempts.2).filter(|_| is_there.1),
            first: attempts.3,
        })
    }

    proptest! {
        #[test]
        fn a27_what_is_joined_by_numbers_is_what_is_joined_by_all_that_is_logged(
            entries in proptest::collection::vec(any_entry(), 1..6)
        ) {
            let snapshot = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/identities");
            let identities = Identities::load(&snapshot).unwrap();
            let whose = |entry: &Entry<'_>| {
                let place = usize::from(entry.principal_arn.unwrap().ends_with('a'));
                identities.identities().nth(place).unwrap().0
            };
            let mut ledger = Ledger::default();
            ledger.extend(entries.into_iter());
            let texts = Texts { ledger: &ledger, identities: &identities };
            let marks = ledger.outlines().map(|it| Marks::of(&it, whose(&ledger.nth(it.number))));
            let marked = marks.reduce(|mut one, other| {
                one.join(&other, texts);
                one
            });
            let attempts = ledger.entries().map(|entry| {
                Attempts::of(&entry, &identities.identity(whose(&entry)).arn)
            });
            let joined = attempts.reduce(|mut one, other| {
                one.join(&other);
                one
            });
            prop_assert_eq!(marked.map(|marks| texts.attempts(&marks)), joined);
        }
    }
}
