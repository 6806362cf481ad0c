//! Attempts to access AWS, and what is kept of those of one service or action; knows no report.

use std::collections::BTreeMap;

pub use crate::event::EventId;
use crate::ledger::{self, Entry, Outline};
use crate::time::Time;

/// One attempt, as logged. The derived order is the total order by which the latest attempt is
/// chosen (A27).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attempt<'a> {
    /// `eventTime`.
    pub time: Time,
    /// `eventID`, if the record has one.
    pub event_id: Option<EventId<'a>>,
    /// `awsRegion`, if the record has one.
    pub region: Option<&'a str>,
    /// The name of the source that the event was read from; none only where a rollup does not say.
    pub source: Option<&'a str>,
    /// Whose attempt it was, as the report names it: the entity path down to the acting account
    /// (O4), or the ARN that the user or role has in the snapshot (I3).
    pub entity: &'a str,
    /// The principal as logged: its ARN or, without one, its unique id; none when the account
    /// alone is known.
    pub principal: Option<&'a str>,
    /// `eventSource`.
    pub event_source: &'a str,
    /// `eventName`.
    pub event_name: &'a str,
}

/// What is kept of the attempts to access one service, or to use one action: a join, like the
/// ledger (A27). AWS's reports have of it the latest attempt alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempts<'a> {
    /// The latest attempt.
    pub latest: Attempt<'a>,
    /// The latest attempt that AWS answered without an error.
    pub success: Option<Attempt<'a>>,
    /// The latest attempt that was denied for want of permission.
    pub denial: Option<Attempt<'a>>,
    /// The first attempt of the period.
    pub first: Attempt<'a>,
}

impl<'a> Attempt<'a> {
    /// Returns one of a ledger's entry, whose actor the report calls `entity`.
    pub(super) fn of(entry: &Entry<'a>, attempt: ledger::Attempt<'a>, entity: &'a str) -> Self {
        Self {
            time: attempt.time,
            event_id: attempt.event_id,
            region: attempt.region,
            source: attempt.source,
            entity,
            principal: entry.principal_arn.or(entry.principal_id),
            event_source: entry.event_source,
            event_name: entry.event_name,
        }
    }
}

impl<'a> Attempts<'a> {
    /// Returns those of a ledger's entry, whose actor the report calls `entity`.
    pub(super) fn of(entry: &Entry<'a>, entity: &'a str) -> Self {
        let attempt = |attempt| Attempt::of(entry, attempt, entity);
        Self {
            latest: attempt(entry.latest),
            success: entry.success.map(attempt),
            denial: entry.denial.map(attempt),
            first: attempt(entry.first),
        }
    }

    /// Returns whether those of a record may change anything here, told by their times alone.
    pub(super) fn may_change_by(&self, record: &Outline) -> bool {
        let is_later = |time: Option<Time>, known: Option<Attempt<'_>>| {
            time.is_some_and(|time| known.is_none_or(|known| known.time <= time))
        };
        self.latest.time <= record.latest
            || record.first <= self.first.time
            || is_later(record.success, self.success)
            || is_later(record.denial, self.denial)
    }

    /// Takes in those of `other`.
    pub(super) fn join(&mut self, other: &Self) {
        // Most of the time nothing changes, and an attempt is large.
        if other.latest > self.latest {
            self.latest = other.latest;
        }
        if other.success > self.success {
            self.success = other.success;
        }
        if other.denial > self.denial {
            self.denial = other.denial;
        }
        if other.first < self.first {
            self.first = other.first;
        }
    }
}

/// Keeps the latest time of everything that has a time.
pub(super) fn latest<K: Ord>(all: &mut BTreeMap<K, Time>, key: K, time: Time) {
    all.entry(key).and_modify(|known| *known = (*known).max(time)).or_insert(time);
}
