//! What a ledger keeps of one key: attempts, by numbers of texts, and how they are joined.

use std::cmp::Ordering;
use std::num::NonZeroU32;

use super::Attempt;
use super::symbols::{Symbol, Symbols, Translation};
use crate::access::{Access, Answer};
use crate::event::{EventId, RawString};
use crate::time::Time;

/// What is known of one key. A ledger keeps it as [`Records`](super::records::Records) do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Record {
    pub(super) latest: Stamp,
    pub(super) success: Option<Stamp>,
    pub(super) denial: Option<Stamp>,
    pub(super) first: Stamp,
}

impl Record {
    /// Returns that of one attempt.
    pub(super) fn of(attempt: Stamp, answer: Answer) -> Self {
        let answered = |it| (answer == it).then_some(attempt);
        Self {
            latest: attempt,
            success: answered(Answer::Success),
            denial: answered(Answer::Denied),
            first: attempt,
        }
    }

    pub(super) fn join(&mut self, other: &Self, symbols: &Symbols) {
        let later = |one: &mut Stamp, other: Stamp| {
            if other.cmp(*one, symbols) == Ordering::Greater {
                *one = other;
            }
        };
        let later_of_any = |one: &mut Option<Stamp>, other: Option<Stamp>| match (&mut *one, other)
        {
            (Some(one), Some(other)) => later(one, other),
            (None, Some(_)) => *one = other,
            (_, None) => {}
        };
        later(&mut self.latest, other.latest);
        later_of_any(&mut self.success, other.success);
        later_of_any(&mut self.denial, other.denial);
        if other.first.cmp(self.first, symbols) == Ordering::Less {
            self.first = other.first;
        }
    }

    /// Returns the same record with its texts in another table.
    pub(super) fn translated(&self, translation: &mut Translation<'_>, to: &mut Symbols) -> Self {
        let mut stamp = |stamp: Stamp| stamp.translated(translation, to);
        Self {
            latest: stamp(self.latest),
            success: self.success.map(&mut stamp),
            denial: self.denial.map(&mut stamp),
            first: stamp(self.first),
        }
    }
}

/// An [`Attempt`] whose texts are symbols.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stamp {
    pub(super) time: Time,
    /// The bits of a UUID, or a symbol in the last four bytes.
    event_id: [u8; 16],
    marks: Marks,
    source: Option<Symbol>,
}

#[derive(Clone, Copy)]
pub(super) enum EventIdKind {
    Absent,
    Uuid,
    Symbol,
}

/// The Region of a stamp and the kind of its event id, in one number: the kind in its last two
/// bits, which are never zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Marks(NonZeroU32);

impl Marks {
    pub(super) fn new(region: Option<Symbol>, kind: EventIdKind) -> Self {
        let kind = match kind {
            EventIdKind::Absent => NonZeroU32::new(1),
            EventIdKind::Uuid => NonZeroU32::new(2),
            EventIdKind::Symbol => NonZeroU32::new(3),
        };
        let region = region.map_or(0, |region| region.0.get());
        let region = region.checked_mul(4).expect("a billion texts outgrow any memory first");
        Self(kind.expect("one to three") | region)
    }

    pub(super) fn region(self) -> Option<Symbol> {
        NonZeroU32::new(self.0.get() / 4).map(Symbol)
    }

    pub(super) const fn event_id_kind(self) -> EventIdKind {
        match self.0.get() % 4 {
            2 => EventIdKind::Uuid,
            3 => EventIdKind::Symbol,
            _ => EventIdKind::Absent,
        }
    }
}

impl Stamp {
    /// Returns that of an access with its Region and the source that it was read from.
    pub(super) fn of(
        symbols: &mut Symbols,
        access: &Access<'_>,
        (region, source): (Option<Symbol>, Option<Symbol>),
    ) -> Self {
        let uuid = access.event_id.and_then(|id| EventId::uuid(id.plain()?));
        if uuid.is_some() || access.event_id.is_none() {
            return Self::with(symbols, access.time, uuid, (region, source));
        }
        let event_id = access.event_id.map(RawString::decode);
        Self::with(symbols, access.time, event_id.as_deref().map(EventId::parse), (region, source))
    }

    pub(super) fn new(symbols: &mut Symbols, attempt: Attempt<'_>) -> Self {
        let region = symbols.intern_optional(attempt.region);
        let source = symbols.intern_optional(attempt.source);
        Self::with(symbols, attempt.time, attempt.event_id, (region, source))
    }

    pub(super) fn with(
        symbols: &mut Symbols,
        time: Time,
        event_id: Option<EventId<'_>>,
        (region, source): (Option<Symbol>, Option<Symbol>),
    ) -> Self {
        let (event_id_kind, event_id) = match event_id {
            None => (EventIdKind::Absent, [0; 16]),
            Some(EventId::Uuid(bits)) => (EventIdKind::Uuid, bits.to_be_bytes()),
            Some(EventId::Text(text)) => (EventIdKind::Symbol, symbols.intern(text).to_bytes()),
        };
        Self { time, event_id, marks: Marks::new(region, event_id_kind), source }
    }

    fn translated(self, translation: &mut Translation<'_>, to: &mut Symbols) -> Self {
        let mut symbol = |symbol: Symbol| translation.symbol(symbol, to);
        let region = self.marks.region().map(&mut symbol);
        let source = self.source.map(&mut symbol);
        let kind = self.marks.event_id_kind();
        let event_id = match kind {
            EventIdKind::Absent | EventIdKind::Uuid => self.event_id,
            EventIdKind::Symbol => symbol(Symbol::from_bytes(self.event_id)).to_bytes(),
        };
        Self { time: self.time, event_id, marks: Marks::new(region, kind), source }
    }

    pub(super) fn attempt(self, symbols: &Symbols) -> Attempt<'_> {
        Attempt {
            time: self.time,
            event_id: match self.marks.event_id_kind() {
                EventIdKind::Absent => None,
                EventIdKind::Uuid => Some(EventId::Uuid(u128::from_be_bytes(self.event_id))),
                EventIdKind::Symbol => {
                    Some(EventId::Text(symbols.text(Symbol::from_bytes(self.event_id))))
                }
            },
            region: self.marks.region().map(|region| symbols.text(region)),
            source: self.source.map(|source| symbols.text(source)),
        }
    }

    pub(super) fn cmp(self, other: Self, symbols: &Symbols) -> Ordering {
        self.time.cmp(&other.time).then_with(|| self.attempt(symbols).cmp(&other.attempt(symbols)))
    }
}
