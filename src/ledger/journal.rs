//! Accesses on their way into a ledger.

use super::{ActorNumber, EventTexts, Key, Ledger, Record, Stamp};
use crate::access::{Access, Actor, Answer};

/// How many accesses are posted at once.
const BATCH: usize = 64;

/// A ledger that is being filled.
///
/// Accesses are posted some at a time. Each lands in a place of its own in a large memory: looked up
/// one after the other without work in between, they do not wait for one another.
#[derive(Default)]
pub struct Journal {
    ledger: Ledger,
    unposted: Vec<Unposted>,
}

/// An access that is not in the ledger yet.
struct Unposted {
    key: Key,
    attempt: Stamp,
    answer: Answer,
}

impl Journal {
    /// Returns the number that an actor has in this ledger.
    pub fn actor(&mut self, actor: &Actor<'_>) -> ActorNumber {
        self.ledger.actor(actor)
    }

    /// Adds one access of an actor of this ledger.
    pub fn add(&mut self, actor: ActorNumber, access: &Access<'_>) {
        let Ledger { symbols, events, stamped, .. } = &mut self.ledger;
        let event = events.number(EventTexts {
            source: symbols.intern_raw(access.event_source),
            name: symbols.intern_raw(access.event_name),
            service_namespace: symbols.intern_optional(access.service_namespace.as_deref()),
            is_data_event: access.is_data_event,
        });
        self.unposted.push(Unposted {
            key: Key { actor: actor.0, event },
            attempt: Stamp::of(stamped, access),
            answer: access.answer,
        });
        if self.unposted.len() == BATCH {
            self.post();
        }
    }

    /// Takes in all that a ledger holds.
    pub fn merge(&mut self, other: &Ledger) {
        self.post();
        self.ledger.merge(other);
    }

    /// Returns the ledger with all that was added.
    pub fn finish(mut self) -> Ledger {
        self.post();
        self.ledger
    }

    fn post(&mut self) {
        let Self { ledger, unposted } = self;
        let mut numbers = [0; BATCH];
        for (number, access) in numbers.iter_mut().zip(unposted.iter()) {
            *number = ledger.keys.number(access.key);
        }
        for (number, Unposted { attempt, answer, .. }) in numbers.into_iter().zip(unposted.iter()) {
            if ledger.record(number).is_none_or(|record| record.changes_by(attempt.time, *answer)) {
                let answered = |it| (*answer == it).then_some(*attempt);
                let record = Record {
                    latest: *attempt,
                    success: answered(Answer::Success),
                    denial: answered(Answer::Denied),
                    first: *attempt,
                };
                ledger.join(number, &record);
            }
        }
        unposted.clear();
        ledger.sweep();
    }
}
