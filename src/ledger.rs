//! Last accesses: who used what last, when, and where; merging two ledgers is a join.
//!
//! A ledger holds facts as logged and interprets none: event sources and names stay as they are,
//! and it knows neither services nor organizations.

mod journal;

use std::cmp::Ordering;
use std::hash::{BuildHasher as _, Hash};
use std::num::NonZeroU32;

use hashbrown::hash_table::Entry as TableEntry;
use hashbrown::{DefaultHashBuilder, HashTable};

pub use journal::Journal;

use crate::access::{Access, Actor, Answer};
use crate::event::{EventId, RawString};
use crate::time::{Day, Time};

/// Texts of stamps beyond the number that is in use, for which no sweep is worth its time.
const SPARE: usize = 4096;

/// How many records are joined at once.
const BATCH: usize = 64;

/// The last accesses of every account, principal, event source and event name.
///
/// INVARIANT: every value is a maximum or a minimum under one total order, so that adding and
/// merging are commutative, associative and idempotent, and [`Ledger::default`] is their identity
/// (A27). Nothing that counts is kept here.
#[derive(Default)]
pub struct Ledger {
    /// The texts of keys.
    symbols: Symbols,
    actors: Rows<ActorTexts>,
    events: Rows<EventTexts>,
    /// The texts of stamps. Most of them are overtaken sooner or later, so these are swept.
    stamped: Symbols,
    /// How many texts of stamps are no reason to sweep.
    enough: usize,
    keys: Rows<Key>,
    /// The record of each of the keys.
    records: Vec<Record>,
    /// The actor of the record that was taken in last.
    last_actor: Option<u32>,
}

/// One record of a ledger: the accesses of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry<'a> {
    /// The day of the attempts, in a ledger that is kept by day.
    pub day: Option<Day>,
    /// The acting account.
    pub account: &'a str,
    /// The ARN of the user, the role behind a session, or the root user.
    pub principal_arn: Option<&'a str>,
    /// The unique id of the user or role.
    pub principal_id: Option<&'a str>,
    /// `eventSource`.
    pub event_source: &'a str,
    /// `eventName`; empty if the records have none.
    pub event_name: &'a str,
    /// `requestParameters.serviceNamespace` of calls to Auto Scaling.
    pub service_namespace: Option<&'a str>,
    /// Whether these are data events.
    pub is_data_event: bool,
    /// The latest attempt.
    pub latest: Attempt<'a>,
    /// The latest attempt that was answered without an error.
    pub success: Option<Attempt<'a>>,
    /// The latest attempt that was denied for want of permission.
    pub denial: Option<Attempt<'a>>,
    /// The first attempt.
    pub first: Attempt<'a>,
}

/// Whose record an [`Entry`] is, and of what: its members of the same names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "they are those of `Entry`")]
pub struct EntryKey<'a> {
    pub day: Option<Day>,
    pub account: &'a str,
    pub principal_arn: Option<&'a str>,
    pub principal_id: Option<&'a str>,
    pub event_source: &'a str,
    pub event_name: &'a str,
    pub service_namespace: Option<&'a str>,
    pub is_data_event: bool,
}

/// When and where, and which event tells. Attempts are ordered by time, then event id, then
/// Region, then source (A27).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attempt<'a> {
    /// `eventTime`.
    pub time: Time,
    /// `eventID`.
    pub event_id: Option<EventId<'a>>,
    /// `awsRegion`.
    pub region: Option<&'a str>,
    /// The name of the source it was read from, where the ledger keeps sources.
    pub source: Option<&'a str>,
}

impl<'a> Entry<'a> {
    /// Returns whose record it is, and of what.
    pub const fn key(&self) -> EntryKey<'a> {
        EntryKey {
            day: self.day,
            account: self.account,
            principal_arn: self.principal_arn,
            principal_id: self.principal_id,
            event_source: self.event_source,
            event_name: self.event_name,
            service_namespace: self.service_namespace,
            is_data_event: self.is_data_event,
        }
    }

    /// Takes in the attempts of another record of the same key.
    pub fn join(&mut self, other: &Self) {
        self.latest = self.latest.max(other.latest);
        self.success = self.success.max(other.success);
        self.denial = self.denial.max(other.denial);
        self.first = self.first.min(other.first);
    }
}

impl Ledger {
    fn actor(&mut self, actor: &Actor<'_>) -> ActorNumber {
        let symbols = &mut self.symbols;
        let texts = ActorTexts {
            account: symbols.intern(actor.account),
            principal_arn: symbols.intern_optional(actor.principal.arn.as_deref()),
            principal_id: symbols.intern_optional(actor.principal.id),
        };
        ActorNumber(self.actors.number(texts))
    }

    /// Takes in all that `other` holds.
    pub fn merge(&mut self, other: &Self) {
        let translated: Vec<Symbol> =
            other.symbols.texts().map(|text| self.symbols.intern(text)).collect();
        let symbol = |symbol: Symbol| {
            translated.get(symbol.index()).copied().expect("every symbol has been translated")
        };
        let actors: Vec<u32> = other
            .actors
            .iter()
            .map(|actor| {
                self.actors.number(ActorTexts {
                    account: symbol(actor.account),
                    principal_arn: actor.principal_arn.map(symbol),
                    principal_id: actor.principal_id.map(symbol),
                })
            })
            .collect();
        let events: Vec<u32> = other
            .events
            .iter()
            .map(|event| {
                self.events.number(EventTexts {
                    source: symbol(event.source),
                    name: symbol(event.name),
                    service_namespace: event.service_namespace.map(symbol),
                    ..*event
                })
            })
            .collect();
        let number = |numbers: &[u32], number: u32| {
            *numbers.get(number as usize).expect("every number has been translated")
        };
        let mut unposted = Vec::with_capacity(BATCH);
        for (key, record) in other.keys.iter().zip(&other.records) {
            let key = Key { actor: number(&actors, key.actor), event: number(&events, key.event) };
            unposted.push((key, record.translated(&other.stamped, &mut self.stamped)));
            if unposted.len() == BATCH {
                self.post(&mut unposted);
            }
        }
        self.post(&mut unposted);
    }

    fn record(&self, key: u32) -> Option<&Record> {
        self.records.get(key as usize)
    }

    /// Joins a record to what is known of its key.
    fn join(&mut self, key: u32, record: &Record) {
        match self.records.get_mut(key as usize) {
            Some(known) => known.join(record, &self.stamped),
            // Keys are numbered as they come.
            None => self.records.push(*record),
        }
    }

    /// Takes in records. Those in the order of their keys are taken in faster.
    pub fn extend<'e>(&mut self, entries: impl Iterator<Item = Entry<'e>>) {
        let mut unposted = Vec::with_capacity(BATCH);
        for entry in entries {
            let event = self.event_of(&entry);
            let key = Key { actor: self.actor_of(&entry), event };
            let stamped = &mut self.stamped;
            let mut stamp = |attempt: Attempt<'_>| Stamp::new(stamped, attempt);
            let record = Record {
                latest: stamp(entry.latest),
                success: entry.success.map(&mut stamp),
                denial: entry.denial.map(&mut stamp),
                first: stamp(entry.first),
            };
            unposted.push((key, record));
            if unposted.len() == BATCH {
                self.post(&mut unposted);
            }
        }
        self.post(&mut unposted);
    }

    /// Joins records to what is known of their keys. Looked up one behind the other without work in
    /// between, they do not wait for one another.
    fn post(&mut self, unposted: &mut Vec<(Key, Record)>) {
        let mut numbers = [0; BATCH];
        for (number, (key, _)) in numbers.iter_mut().zip(unposted.iter()) {
            *number = self.keys.number(*key);
        }
        for (number, (_, record)) in numbers.into_iter().zip(unposted.iter()) {
            self.join(number, record);
        }
        unposted.clear();
        self.sweep();
    }

    fn actor_of(&mut self, entry: &Entry<'_>) -> u32 {
        let symbols = &mut self.symbols;
        // In order, records of one actor stand behind one another.
        if let Some(number) = self.last_actor {
            let last = self.actors.row(number);
            let text = |symbol: Option<Symbol>| symbol.map(|symbol| symbols.text(symbol));
            if text(last.principal_arn) == entry.principal_arn
                && text(last.principal_id) == entry.principal_id
                && symbols.text(last.account) == entry.account
            {
                return number;
            }
        }
        let number = self.actors.number(ActorTexts {
            account: symbols.intern(entry.account),
            principal_arn: symbols.intern_optional(entry.principal_arn),
            principal_id: symbols.intern_optional(entry.principal_id),
        });
        self.last_actor = Some(number);
        number
    }

    fn event_of(&mut self, entry: &Entry<'_>) -> u32 {
        let symbols = &mut self.symbols;
        self.events.number(EventTexts {
            source: symbols.intern(entry.event_source),
            name: symbols.intern(entry.event_name),
            service_namespace: symbols.intern_optional(entry.service_namespace),
            is_data_event: entry.is_data_event,
            day: entry.day,
        })
    }

    /// Returns the bytes that it takes in memory.
    pub fn bytes(&self) -> usize {
        self.symbols.bytes()
            + self.actors.bytes()
            + self.events.bytes()
            + self.stamped.bytes()
            + self.keys.bytes()
            + self.records.capacity() * size_of::<Record>()
    }

    /// Returns whether nothing was accessed.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Returns the number of records.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Returns the records, in no order: what is made of them has to be a join, or sorted.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.keys.iter().zip(&self.records).map(|(key, record)| self.entry(*key, record))
    }

    /// Returns the numbers of the records in the order of their keys: a day after the other.
    pub fn sorted(&self) -> Vec<u32> {
        // Texts are compared once each, records by numbers alone.
        let texts = ranks(self.symbols.texts());
        let rank = |symbol: Symbol| texts.get(symbol.index()).copied();
        let ranked = |symbol: Option<Symbol>| symbol.and_then(rank);
        let actors = ranks(self.actors.iter().map(|actor| {
            (rank(actor.account), ranked(actor.principal_arn), ranked(actor.principal_id))
        }));
        let events = ranks(self.events.iter().map(|event| {
            let texts = (rank(event.source), rank(event.name), ranked(event.service_namespace));
            (texts, event.is_data_event)
        }));
        let mut order: Vec<_> = self
            .keys
            .iter()
            .zip(0u32..)
            .map(|(key, number)| {
                let (actor, event) = (key.actor as usize, key.event as usize);
                let day = self.events.row(key.event).day;
                (day, actors.get(actor).copied(), events.get(event).copied(), number)
            })
            .collect();
        order.sort_unstable();
        order.into_iter().map(|(.., number)| number).collect()
    }

    /// Returns the key of a record, as [`Ledger::nth`] the record.
    ///
    /// # Panics
    ///
    /// If there are fewer records.
    pub fn key(&self, number: u32) -> EntryKey<'_> {
        let Key { actor, event } = self.keys.row(number);
        let (actor, event) = (self.actors.row(actor), self.events.row(event));
        let text = |symbol: Symbol| self.symbols.text(symbol);
        EntryKey {
            day: event.day,
            account: text(actor.account),
            principal_arn: actor.principal_arn.map(text),
            principal_id: actor.principal_id.map(text),
            event_source: text(event.source),
            event_name: text(event.name),
            service_namespace: event.service_namespace.map(text),
            is_data_event: event.is_data_event,
        }
    }

    /// Returns the record of a number that [`Ledger::sorted`] gave.
    ///
    /// # Panics
    ///
    /// If there are fewer records.
    pub fn nth(&self, number: u32) -> Entry<'_> {
        let record = self.record(number).expect("a number is that of a record");
        self.entry(self.keys.row(number), record)
    }

    /// Returns the acting accounts, in byte order.
    pub fn accounts(&self) -> Vec<&str> {
        let account = |key: &Key| self.actors.row(key.actor).account;
        let mut accounts: Vec<Symbol> = self.keys.iter().map(account).collect();
        accounts.sort_unstable();
        accounts.dedup();
        let mut accounts: Vec<&str> =
            accounts.into_iter().map(|account| self.symbols.text(account)).collect();
        accounts.sort_unstable();
        accounts
    }

    /// Forgets the texts of stamps that no record holds any more, once they are the greater part:
    /// event ids that are no UUIDs would otherwise pile up with the volume of the logs. Returns
    /// whether it did.
    fn sweep(&mut self) -> bool {
        if self.stamped.len() <= self.enough.max(self.records.len()) + SPARE {
            return false;
        }
        let mut kept = Symbols::default();
        for record in &mut self.records {
            *record = record.translated(&self.stamped, &mut kept);
        }
        self.enough = 2 * kept.len();
        self.stamped = kept;
        true
    }

    fn entry(&self, key: Key, record: &Record) -> Entry<'_> {
        let text = |symbol: Symbol| self.symbols.text(symbol);
        let actor = self.actors.row(key.actor);
        let event = self.events.row(key.event);
        let attempt = |stamp: Stamp| stamp.attempt(&self.stamped);
        Entry {
            day: event.day,
            account: text(actor.account),
            principal_arn: actor.principal_arn.map(text),
            principal_id: actor.principal_id.map(text),
            event_source: text(event.source),
            event_name: text(event.name),
            service_namespace: event.service_namespace.map(text),
            is_data_event: event.is_data_event,
            latest: attempt(record.latest),
            success: record.success.map(attempt),
            denial: record.denial.map(attempt),
            first: attempt(record.first),
        }
    }
}

/// Compares facts, not how they are kept.
impl PartialEq for Ledger {
    fn eq(&self, other: &Self) -> bool {
        let sorted = |ledger: &Self| -> Vec<String> {
            let mut entries: Vec<String> =
                ledger.entries().map(|entry| format!("{entry:?}")).collect();
            entries.sort_unstable();
            entries
        };
        sorted(self) == sorted(other)
    }
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut entries: Vec<Entry<'_>> = self.entries().collect();
        entries.sort_unstable();
        f.debug_list().entries(entries).finish()
    }
}

/// An actor and an event, by their numbers.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    actor: u32,
    event: u32,
}

/// Who acted, in texts of a ledger.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct ActorTexts {
    account: Symbol,
    principal_arn: Option<Symbol>,
    principal_id: Option<Symbol>,
}

/// What was called, in texts of a ledger, and the day if there is a record a day.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct EventTexts {
    source: Symbol,
    name: Symbol,
    service_namespace: Option<Symbol>,
    is_data_event: bool,
    day: Option<Day>,
}

#[derive(Clone, Copy)]
struct Record {
    latest: Stamp,
    success: Option<Stamp>,
    denial: Option<Stamp>,
    first: Stamp,
}

impl Record {
    /// Returns whether an attempt may change anything here, told by its time alone: most attempts
    /// are neither the first nor the last of their kind.
    fn changes_by(&self, time: Time, answer: Answer) -> bool {
        let is_latest = |stamp: Option<Stamp>| stamp.is_none_or(|stamp| stamp.time <= time);
        self.latest.time <= time
            || time <= self.first.time
            || match answer {
                Answer::Success => is_latest(self.success),
                Answer::Denied => is_latest(self.denial),
                Answer::Failed => false,
            }
    }

    fn join(&mut self, other: &Self, symbols: &Symbols) {
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
    fn translated(&self, from: &Symbols, to: &mut Symbols) -> Self {
        let mut stamp = |stamp: Stamp| Stamp::new(to, stamp.attempt(from));
        Self {
            latest: stamp(self.latest),
            success: self.success.map(&mut stamp),
            denial: self.denial.map(&mut stamp),
            first: stamp(self.first),
        }
    }
}

/// An [`Attempt`] whose texts are symbols.
#[derive(Clone, Copy)]
struct Stamp {
    time: Time,
    /// The bits of a UUID, or a symbol in the last four bytes.
    event_id: [u8; 16],
    marks: Marks,
    source: Option<Symbol>,
}

#[derive(Clone, Copy)]
enum EventIdKind {
    Absent,
    Uuid,
    Symbol,
}

/// The Region of a stamp and the kind of its event id, in one number: the kind in its last two
/// bits, which are never zero.
#[derive(Clone, Copy)]
struct Marks(NonZeroU32);

impl Marks {
    fn new(region: Option<Symbol>, kind: EventIdKind) -> Self {
        let kind = match kind {
            EventIdKind::Absent => NonZeroU32::new(1),
            EventIdKind::Uuid => NonZeroU32::new(2),
            EventIdKind::Symbol => NonZeroU32::new(3),
        };
        let region = region.map_or(0, |region| region.0.get());
        let region = region.checked_mul(4).expect("a billion texts outgrow any memory first");
        Self(kind.expect("one to three") | region)
    }

    fn region(self) -> Option<Symbol> {
        NonZeroU32::new(self.0.get() / 4).map(Symbol)
    }

    const fn event_id_kind(self) -> EventIdKind {
        match self.0.get() % 4 {
            2 => EventIdKind::Uuid,
            3 => EventIdKind::Symbol,
            _ => EventIdKind::Absent,
        }
    }
}

impl Stamp {
    /// Returns that of an access which was read from `source`.
    fn of(symbols: &mut Symbols, access: &Access<'_>, source: Option<Symbol>) -> Self {
        let region = access.region.map(|region| symbols.intern_raw(region));
        let uuid = access.event_id.and_then(|id| EventId::uuid(id.plain()?));
        if uuid.is_some() || access.event_id.is_none() {
            return Self::with(symbols, access.time, uuid, (region, source));
        }
        let event_id = access.event_id.map(RawString::decode);
        Self::with(symbols, access.time, event_id.as_deref().map(EventId::parse), (region, source))
    }

    fn new(symbols: &mut Symbols, attempt: Attempt<'_>) -> Self {
        let region = symbols.intern_optional(attempt.region);
        let source = symbols.intern_optional(attempt.source);
        Self::with(symbols, attempt.time, attempt.event_id, (region, source))
    }

    fn with(
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

    fn attempt(self, symbols: &Symbols) -> Attempt<'_> {
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

    fn cmp(self, other: Self, symbols: &Symbols) -> Ordering {
        self.time.cmp(&other.time).then_with(|| self.attempt(symbols).cmp(&other.attempt(symbols)))
    }
}

/// Returns the place of each value among them all when they are sorted; equal ones share one.
fn ranks<T: Ord>(values: impl Iterator<Item = T>) -> Vec<u32> {
    let values: Vec<T> = values.collect();
    let mut order: Vec<(&T, usize)> = values.iter().zip(0..).collect();
    order.sort_unstable();
    let mut ranks = vec![0; values.len()];
    let mut rank = 0;
    let mut before = None;
    for (value, index) in order {
        if before.is_some_and(|before| before != value) {
            rank += 1;
        }
        before = Some(value);
        if let Some(place) = ranks.get_mut(index) {
            *place = rank;
        }
    }
    ranks
}

/// An actor of a ledger, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActorNumber(u32);

/// Rows, each kept once and numbered as they come.
struct Rows<R> {
    rows: Vec<R>,
    numbers: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl<R> Default for Rows<R> {
    fn default() -> Self {
        Self { rows: Vec::new(), numbers: HashTable::new(), hasher: DefaultHashBuilder::default() }
    }
}

impl<R: Copy + Eq + Hash> Rows<R> {
    fn number(&mut self, row: R) -> u32 {
        let Self { rows, numbers, hasher } = self;
        let found = numbers.entry(
            hasher.hash_one(row),
            |&number| rows.get(number as usize) == Some(&row),
            |&number| rows.get(number as usize).map_or(0, |row| hasher.hash_one(row)),
        );
        match found {
            TableEntry::Occupied(occupied) => *occupied.get(),
            TableEntry::Vacant(vacant) => {
                let number = u32::try_from(rows.len())
                    .expect("a ledger of four billion rows outgrows any memory first");
                vacant.insert(number);
                rows.push(row);
                number
            }
        }
    }

    fn row(&self, number: u32) -> R {
        *self.rows.get(number as usize).expect("a number is made together with its row")
    }

    fn iter(&self) -> impl Iterator<Item = &R> {
        self.rows.iter()
    }

    fn bytes(&self) -> usize {
        self.rows.capacity() * size_of::<R>() + self.numbers.allocation_size()
    }
}

/// A text of a ledger, by number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Symbol(NonZeroU32);

impl Symbol {
    fn new(index: usize) -> Self {
        let number = u32::try_from(index + 1).ok().and_then(NonZeroU32::new);
        Self(number.expect("a ledger of four billion texts outgrows any memory first"))
    }

    const fn index(self) -> usize {
        self.0.get() as usize - 1
    }

    const fn to_bytes(self) -> [u8; 16] {
        (self.0.get() as u128).to_be_bytes()
    }

    fn from_bytes(bytes: [u8; 16]) -> Self {
        let index = usize::try_from(u128::from_be_bytes(bytes)).unwrap_or(usize::MAX);
        Self::new(index - 1)
    }
}

/// Texts, each kept once.
#[derive(Default)]
struct Symbols {
    arena: String,
    ends: Vec<usize>,
    index: HashTable<Symbol>,
    hasher: DefaultHashBuilder,
}

impl Symbols {
    fn intern(&mut self, text: &str) -> Symbol {
        let Self { arena, ends, index, hasher } = self;
        let hash = hasher.hash_one(text.as_bytes());
        let found = index.entry(
            hash,
            |&symbol| slice(arena, ends, symbol) == text,
            |&symbol| hasher.hash_one(slice(arena, ends, symbol).as_bytes()),
        );
        match found {
            TableEntry::Occupied(occupied) => *occupied.get(),
            TableEntry::Vacant(vacant) => {
                let symbol = Symbol::new(ends.len());
                vacant.insert(symbol);
                arena.push_str(text);
                ends.push(arena.len());
                symbol
            }
        }
    }

    /// The same for a text that is decoded only if it is not known as it stands: what is known is
    /// UTF-8, and so is what equals it.
    fn intern_raw(&mut self, text: RawString<'_>) -> Symbol {
        let known = text.plain().and_then(|plain| {
            let hash = self.hasher.hash_one(plain);
            self.index.find(hash, |&symbol| self.text(symbol).as_bytes() == plain)
        });
        known.copied().unwrap_or_else(|| self.intern(&text.decode()))
    }

    fn intern_optional(&mut self, text: Option<&str>) -> Option<Symbol> {
        text.map(|text| self.intern(text))
    }

    fn text(&self, symbol: Symbol) -> &str {
        slice(&self.arena, &self.ends, symbol)
    }

    fn len(&self) -> usize {
        self.ends.len()
    }

    fn bytes(&self) -> usize {
        self.arena.capacity()
            + self.ends.capacity() * size_of::<usize>()
            + self.index.allocation_size()
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).map(|index| self.text(Symbol::new(index)))
    }
}

fn slice<'a>(arena: &'a str, ends: &[usize], symbol: Symbol) -> &'a str {
    let index = symbol.index();
    let start = index.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
    ends.get(index)
        .and_then(|end| arena.get(start..*end))
        .expect("a symbol is made together with its text")
}

#[cfg(test)]
mod tests;
