//! Last accesses: who used what last, when, and where; merging two ledgers is a join.
//!
//! A ledger holds facts as logged and interprets none: event sources and names stay as they are,
//! and it knows neither services nor organizations.

mod journal;
mod record;
mod records;
mod symbols;

use crate::access::Actor;
use crate::event::EventId;
use crate::time::{Day, Period, Time};
pub use journal::Journal;
use record::{Record, Stamp};
use records::Records;
use symbols::{Rows, Symbol, Symbols, Translation, ranks};

/// Texts of stamps beyond the number that is in use, for which no sweep is worth its time.
const SPARE: usize = 4096;

/// How many records of a ledger that is merged are given back to the system at once.
const GIVEN_BACK: usize = 1 << 15;

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
    records: Records,
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

/// Who acted, as far as the records tell: the members of [`Entry`] of the same names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are those of `Entry`")]
pub struct Whose<'a> {
    pub account: &'a str,
    pub principal_arn: Option<&'a str>,
    pub principal_id: Option<&'a str>,
}

/// A record of a ledger without its texts, by which most records are told to matter or not.
#[derive(Clone, Copy, Debug)]
pub struct Outline {
    /// The number of the record, for [`Ledger::nth`] and [`Ledger::key`].
    pub number: u32,
    /// The number of who acted: equal ones mean the same account and principal.
    pub actor: u32,
    /// The number of what was called, and the day: equal ones mean the same of all else in a key.
    pub event: u32,
    /// When the latest attempt was.
    pub latest: Time,
    /// When the latest attempt was that was answered without an error.
    pub success: Option<Time>,
    /// When the latest attempt was that was denied for want of permission.
    pub denial: Option<Time>,
    /// When the first attempt was.
    pub first: Time,
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
    /// The name of the source that it was read from; none only in a rollup that does not say.
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

    /// Returns what of it is known to lie in a period: some attempts between those that are kept may
    /// do so, too.
    pub fn within(self, period: Period) -> Option<Self> {
        let inside = |attempt: Attempt<'a>| period.contains(attempt.time).then_some(attempt);
        let success = self.success.and_then(inside);
        let denial = self.denial.and_then(inside);
        let all = [inside(self.latest), success, denial, inside(self.first)];
        let latest = all.into_iter().flatten().max()?;
        let first = all.into_iter().flatten().min()?;
        Some(Self { latest, success, denial, first, ..self })
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
    pub fn merge(&mut self, other: Self) {
        let Self { symbols, actors, events, stamped, keys, mut records, .. } = other;
        let mut keys = keys.into_rows();
        let mut translation = Translation::new(&symbols);
        let mut symbol = |symbol: Symbol| translation.symbol(symbol, &mut self.symbols);
        let actors: Vec<u32> = actors
            .iter()
            .map(|actor| {
                self.actors.number(ActorTexts {
                    account: symbol(actor.account),
                    principal_arn: actor.principal_arn.map(&mut symbol),
                    principal_id: actor.principal_id.map(&mut symbol),
                })
            })
            .collect();
        let events: Vec<u32> = events
            .iter()
            .map(|event| {
                self.events.number(EventTexts {
                    source: symbol(event.source),
                    name: symbol(event.name),
                    service_namespace: event.service_namespace.map(&mut symbol),
                    ..*event
                })
            })
            .collect();
        let number = |numbers: &[u32], number: u32| {
            *numbers.get(number as usize).expect("every number has been translated")
        };
        let mut translation = Translation::new(&stamped);
        let mut unposted = Vec::with_capacity(BATCH);
        while let (Some(key), Some(record)) = (keys.pop(), records.pop()) {
            // What is taken off the other makes room for what this one grows by.
            if keys.len().is_multiple_of(GIVEN_BACK) {
                keys.shrink_to_fit();
                records.shrink_to_fit();
            }
            let key = Key { actor: number(&actors, key.actor), event: number(&events, key.event) };
            unposted.push((key, record.translated(&mut translation, &mut self.stamped)));
            if unposted.len() == BATCH && self.post(&mut unposted) {
                translation = Translation::new(&stamped);
            }
        }
        self.post(&mut unposted);
    }

    /// Joins a record to what is known of its key.
    fn join(&mut self, key: u32, record: &Record) {
        // Keys are numbered as they come.
        let joined = self.records.get(key).map_or(*record, |mut known| {
            known.join(record, &self.stamped);
            known
        });
        self.records.set(key, &joined);
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
    /// between, they do not wait for one another. Returns whether it swept, as [`Ledger::sweep`] does.
    fn post(&mut self, unposted: &mut Vec<(Key, Record)>) -> bool {
        let mut numbers = [0; BATCH];
        for (number, (key, _)) in numbers.iter_mut().zip(unposted.iter()) {
            *number = self.keys.number(*key);
        }
        for (number, (_, record)) in numbers.into_iter().zip(unposted.iter()) {
            self.join(number, record);
        }
        unposted.clear();
        self.sweep()
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
            + self.records.bytes()
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
        self.keys.iter().zip(self.records.iter()).map(|(key, record)| self.entry(*key, &record))
    }

    /// Returns the outlines of the records, in no order.
    pub fn outlines(&self) -> impl Iterator<Item = Outline> {
        let time = |stamp: Stamp| stamp.time;
        let records = (0..).zip(self.keys.iter().zip(self.records.iter()));
        records.map(move |(number, (key, record))| Outline {
            number,
            actor: key.actor,
            event: key.event,
            latest: record.latest.time,
            success: record.success.map(time),
            denial: record.denial.map(time),
            first: record.first.time,
        })
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

    /// Returns the record of a number that [`Ledger::sorted`] or [`Ledger::outlines`] gave.
    ///
    /// # Panics
    ///
    /// If there are fewer records.
    pub fn nth(&self, number: u32) -> Entry<'_> {
        let record = self.records.get(number).expect("a number is that of a record");
        self.entry(self.keys.row(number), &record)
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
    /// whether it did: then the symbols of before are of no use.
    fn sweep(&mut self) -> bool {
        if self.stamped.len() <= self.enough.max(self.records.len()) + SPARE {
            return false;
        }
        let mut kept = Symbols::default();
        let mut translation = Translation::new(&self.stamped);
        for number in (0..).take(self.records.len()) {
            let record = self.records.get(number).expect("a number is that of a record");
            self.records.set(number, &record.translated(&mut translation, &mut kept));
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

/// An actor of a ledger, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActorNumber(u32);

#[cfg(test)]
mod tests;
