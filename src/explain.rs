//! Why a report says what it says: the events behind one of its lines, each with its record and the
//! place that it was read from.
//!
//! The attempts are those of the report (A27): the greatest and the least under the same total order,
//! of the same accesses, put to the same service, action, user or role.

mod document;

use std::cmp::Ordering;
use std::sync::{Mutex, PoisonError};

pub use self::document::Document;
use crate::access::{Access, Answer};
use crate::catalog::{Catalog, ServiceIndex};
use crate::event::EventId;
use crate::identities::{Identities, IdentityIndex};
use crate::ingest::Witnessed;
use crate::ledger::Whose;
use crate::time::Time;

/// A line of a report.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// The acting account.
    pub account: &'a str,
    /// The service.
    pub service: ServiceIndex,
    /// The action, as a position in the catalogue's list of the service's (C2).
    pub action: Option<usize>,
    /// Whose accesses; those of the whole account if nobody is named.
    pub principal: Option<Principal<'a>>,
    /// Which events are the service's.
    pub catalog: &'a Catalog,
}

/// Whose accesses are asked for.
#[derive(Clone, Copy)]
pub enum Principal<'a> {
    /// Whoever has this ARN, or this unique id, in the records.
    Logged(&'a str),
    /// A user or role of a snapshot, or those whose accesses count for a group or policy (I2, I7).
    Of(&'a Identities, IdentityIndex),
}

impl Question<'_> {
    /// Returns whether an access is behind the line.
    fn asks_for(&self, whose: Whose<'_>, access: &Access<'_>) -> bool {
        whose.account == self.account && self.is_by(whose) && self.is_to(access)
    }

    fn is_by(&self, Whose { principal_arn: arn, principal_id: id, .. }: Whose<'_>) -> bool {
        match self.principal {
            None => true,
            Some(Principal::Logged(name)) => arn == Some(name) || id == Some(name),
            Some(Principal::Of(identities, index)) => identities
                .principal(arn, id)
                .is_some_and(|it| identities.identity(index).principals.binary_search(&it).is_ok()),
        }
    }

    fn is_to(&self, access: &Access<'_>) -> bool {
        let (source, name) = (access.event_source.decode(), access.event_name.decode());
        let service_namespace = access.service_namespace.as_deref();
        if self.catalog.service_of(&source, &name, service_namespace) != Some(self.service) {
            return false;
        }
        let actions = || self.catalog.actions_of(&source, &name, service_namespace);
        self.action.is_none_or(|action| {
            !access.is_data_event && actions().contains(&(self.service, action))
        })
    }
}

/// An event that was read, in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exhibit {
    /// `eventTime`.
    pub time: Time,
    /// `eventID`.
    pub event_id: Option<String>,
    /// `awsRegion`.
    pub region: Option<String>,
    /// The name of the source that it was read from, as reports have it.
    pub source: String,
    /// The ARN of the user, the role behind a session, or the root user.
    pub principal_arn: Option<String>,
    /// The unique id of the user or role.
    pub principal_id: Option<String>,
    /// `eventSource`.
    pub event_source: String,
    /// `eventName`.
    pub event_name: String,
    /// How AWS answered.
    pub answer: Answer,
    /// The name of the source or, in an archive, of its entry.
    pub body: String,
    /// The offset of the record in the decompressed bytes of that.
    pub offset: u64,
    /// The record as it stands.
    pub record: Vec<u8>,
}

impl Exhibit {
    fn new(witnessed: &Witnessed<'_>) -> Self {
        let Witnessed { source, body, offset, json, whose, access } = *witnessed;
        let own = |text: Option<&str>| text.map(str::to_owned);
        Self {
            time: access.time,
            event_id: access.event_id.map(|id| id.decode().into_owned()),
            region: access.region.map(|region| region.decode().into_owned()),
            source: source.to_owned(),
            principal_arn: own(whose.principal_arn),
            principal_id: own(whose.principal_id),
            event_source: access.event_source.decode().into_owned(),
            event_name: access.event_name.decode().into_owned(),
            answer: access.answer,
            body: body.to_owned(),
            offset,
            record: json.to_vec(),
        }
    }

    /// Returns the principal as reports name it.
    pub fn principal(&self) -> Option<&str> {
        self.principal_arn.as_deref().or(self.principal_id.as_deref())
    }

    /// Returns whether both are records of one event: a copy in another file, or another trail's.
    pub fn is_same_event(&self, other: &Self) -> bool {
        self.event_id.is_some() && self.event_id == other.event_id && self.time == other.time
    }
}

/// The total order of attempts (A27), and behind it the place.
impl Ord for Exhibit {
    fn cmp(&self, other: &Self) -> Ordering {
        fn key(it: &Exhibit) -> impl Ord + '_ {
            let id = it.event_id.as_deref().map(EventId::parse);
            let what = (it.principal(), &it.event_source, &it.event_name);
            (it.time, id, &it.region, &it.source, what, &it.body, it.offset)
        }
        key(self).cmp(&key(other))
    }
}

impl PartialOrd for Exhibit {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What lies behind a line of a report.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Explanation {
    /// How many accesses there were; copies of a record count as often as they were read.
    pub accesses: u64,
    /// The latest attempt, which decides what the line says, and behind it those that came next,
    /// latest first.
    pub latest: Vec<Exhibit>,
    /// The latest attempt that AWS answered without an error.
    pub success: Option<Exhibit>,
    /// The latest attempt that was denied for want of permission.
    pub denial: Option<Exhibit>,
    /// The first attempt.
    pub first: Option<Exhibit>,
}

/// Collects what lies behind a line while logs are folded ([`crate::ingest::fold_witnessed`]).
pub struct Collector<'a> {
    question: Question<'a>,
    kept: usize,
    explanation: Mutex<Explanation>,
}

impl<'a> Collector<'a> {
    /// Makes one that keeps so many attempts beside the one that decides.
    pub fn new(question: Question<'a>, runners_up: usize) -> Self {
        let kept = runners_up.saturating_add(1);
        Self { question, kept, explanation: Mutex::default() }
    }

    /// Looks at an access, in any order.
    pub fn witness(&self, witnessed: &Witnessed<'_>) {
        if !self.question.asks_for(witnessed.whose, witnessed.access) {
            return;
        }
        let (time, answer) = (witnessed.access.time, witnessed.access.answer);
        let mut explanation = self.explanation.lock().unwrap_or_else(PoisonError::into_inner);
        explanation.accesses += 1;
        // Most are neither the last nor the first, and need not be copied.
        if !explanation.may_change(time, answer, self.kept) {
            return;
        }
        explanation.take(Exhibit::new(witnessed), self.kept);
    }

    /// Returns what was collected.
    pub fn finish(self) -> Explanation {
        self.explanation.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Explanation {
    /// Returns whether an attempt of this time may be kept.
    fn may_change(&self, time: Time, answer: Answer, kept: usize) -> bool {
        let is_latest = |known: &Option<Exhibit>| known.as_ref().is_none_or(|it| it.time <= time);
        self.latest.len() < kept
            || self.latest.last().is_none_or(|it| it.time <= time)
            || self.first.as_ref().is_none_or(|it| time <= it.time)
            || match answer {
                Answer::Success => is_latest(&self.success),
                Answer::Denied => is_latest(&self.denial),
                Answer::Failed => false,
            }
    }

    fn take(&mut self, exhibit: Exhibit, kept: usize) {
        let later = |known: &mut Option<Exhibit>| {
            if known.as_ref().is_none_or(|it| *it < exhibit) {
                *known = Some(exhibit.clone());
            }
        };
        match exhibit.answer {
            Answer::Success => later(&mut self.success),
            Answer::Denied => later(&mut self.denial),
            Answer::Failed => {}
        }
        if self.first.as_ref().is_none_or(|it| exhibit < *it) {
            self.first = Some(exhibit.clone());
        }
        let place = self.latest.partition_point(|it| *it > exhibit);
        if place < kept {
            self.latest.insert(place, exhibit);
            self.latest.truncate(kept);
        }
    }
}

#[cfg(test)]
mod tests;
