//! Accesses on their way into a ledger.

use super::{ActorNumber, BATCH, EventTexts, Key, Ledger, Record, Stamp, Symbol, Whose};
use crate::access::{Access, Actor, Answer};
use crate::event::RawString;
use crate::time::Day;

/// A ledger that is being filled.
///
/// Accesses are posted some at a time. Each lands in a place of its own in a large memory: looked up
/// one after the other without work in between, they do not wait for one another.
#[derive(Default)]
pub struct Journal {
    ledger: Ledger,
    unposted: Vec<Unposted>,
    by_day: bool,
    /// The name of the source that is read.
    source: String,
    known_texts: KnownTexts,
    known_events: KnownEvents,
}

/// What the next access most likely has in its stamp, as texts of stamps; of no use once these were
/// swept.
#[derive(Default)]
struct KnownTexts {
    /// The name of the source that is read.
    source: Option<Symbol>,
    /// The Region of the access before.
    region: Option<Symbol>,
}

/// An access that is not in the ledger yet.
struct Unposted {
    key: Key,
    attempt: Stamp,
    answer: Answer,
}

impl Journal {
    /// Makes one of a ledger that has a record a day.
    pub fn by_day() -> Self {
        Self { by_day: true, ..Self::default() }
    }

    /// Names the source that is read from now on.
    pub fn begin(&mut self, source: &str) {
        if self.source != source {
            source.clone_into(&mut self.source);
            self.known_texts.source = None;
        }
    }

    /// Returns the bytes that the ledger takes in memory.
    pub fn bytes(&self) -> usize {
        self.ledger.bytes()
    }

    /// Returns the ledger with all that was added, and begins another one. Numbers of actors are
    /// of no use in it.
    pub fn take(&mut self) -> Ledger {
        self.post();
        self.known_texts = KnownTexts::default();
        self.known_events = KnownEvents::default();
        std::mem::take(&mut self.ledger)
    }

    /// Returns the number that an actor has in this ledger.
    pub fn actor(&mut self, actor: &Actor<'_>) -> ActorNumber {
        self.ledger.actor(actor)
    }

    /// Returns who an actor of this ledger is.
    pub fn whose(&self, ActorNumber(number): ActorNumber) -> Whose<'_> {
        let Ledger { symbols, actors, .. } = &self.ledger;
        let actor = actors.row(number);
        Whose {
            account: symbols.text(actor.account),
            principal_arn: actor.principal_arn.map(|arn| symbols.text(arn)),
            principal_id: actor.principal_id.map(|id| symbols.text(id)),
        }
    }

    /// Returns the name of the source that is read.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Adds one access of an actor of this ledger.
    pub fn add(&mut self, actor: ActorNumber, access: &Access<'_>) {
        let day = self.by_day.then(|| access.time.day());
        let event = self.known_events.number(&mut self.ledger, access, day);
        let stamped = &mut self.ledger.stamped;
        let KnownTexts { source, region } = &mut self.known_texts;
        let source = *source.get_or_insert_with(|| stamped.intern(&self.source));
        if let Some(text) = access.region
            && region.is_none_or(|known| text.plain() != Some(stamped.text(known).as_bytes()))
        {
            *region = Some(stamped.intern_raw(text));
        }
        let region = access.region.and(*region);
        self.unposted.push(Unposted {
            key: Key { actor: actor.0, event },
            attempt: Stamp::of(stamped, access, (region, Some(source))),
            answer: access.answer,
        });
        if self.unposted.len() == BATCH {
            self.post();
        }
    }

    /// Takes in all that a ledger holds.
    pub fn merge(&mut self, other: Ledger) {
        self.post();
        self.ledger.merge(other);
        self.known_texts = KnownTexts::default();
    }

    /// Returns the ledger with all that was added.
    pub fn finish(mut self) -> Ledger {
        self.post();
        self.ledger
    }

    fn post(&mut self) {
        let Self { ledger, unposted, known_texts, .. } = self;
        let mut numbers = [0; BATCH];
        for (number, access) in numbers.iter_mut().zip(unposted.iter()) {
            *number = ledger.keys.number(access.key);
        }
        for (number, Unposted { attempt, answer, .. }) in numbers.into_iter().zip(unposted.iter()) {
            if !ledger.records.overtake(number, *attempt, *answer)
                && ledger.records.changes_by(number, attempt.time, *answer)
            {
                ledger.join(number, &Record::of(*attempt, *answer));
            }
        }
        unposted.clear();
        if ledger.sweep() {
            *known_texts = KnownTexts::default();
        }
    }
}

/// The numbers of the events met last.
///
/// A few hundred events make up nearly all records; to compare one with the texts of an event costs
/// less than to look up each of its texts, and then their numbers.
#[derive(Default)]
struct KnownEvents {
    /// None before the first is remembered.
    places: Vec<Option<(EventTexts, u32)>>,
}

impl KnownEvents {
    /// How many events are remembered.
    const PLACES: usize = 1024;

    /// Returns the number that an event has in a ledger.
    fn number(&mut self, ledger: &mut Ledger, access: &Access<'_>, day: Option<Day>) -> u32 {
        let Ledger { symbols, events, .. } = ledger;
        let place = Self::place(access);
        if let Some(Some((event, number))) = self.places.get(place) {
            let is = |symbol: Symbol, text: RawString<'_>| {
                text.plain() == Some(symbols.text(symbol).as_bytes())
            };
            if is(event.source, access.event_source)
                && is(event.name, access.event_name)
                && event.service_namespace.is_none()
                && access.service_namespace.is_none()
                && event.is_data_event == access.is_data_event
                && event.day == day
            {
                return *number;
            }
        }
        let event = EventTexts {
            source: symbols.intern_raw(access.event_source),
            name: symbols.intern_raw(access.event_name),
            service_namespace: symbols.intern_optional(access.service_namespace.as_deref()),
            is_data_event: access.is_data_event,
            day,
        };
        let number = events.number(event);
        if self.places.is_empty() {
            self.places.resize(Self::PLACES, None);
        }
        if let Some(known) = self.places.get_mut(place) {
            *known = Some((event, number));
        }
        number
    }

    /// Returns the place of an event: by the ends of its name and how long its texts are.
    fn place(access: &Access<'_>) -> usize {
        let name = access.event_name.plain().unwrap_or_default();
        let source = access.event_source.plain().unwrap_or_default();
        let word = |bytes: Option<&[u8; 8]>| bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let ends = word(name.first_chunk()) ^ word(name.last_chunk()).rotate_left(32);
        let mixed = (ends ^ word(source.first_chunk())).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 40) as usize % Self::PLACES
    }
}
