//! The answers that are noted while records are made. Does not know how they are made.

use std::collections::BTreeMap;

use crate::session::Session;
use crate::template::{Scene, write_time};

/// The latest `eventTime` of every `userIdentity.accountId` and `eventSource`.
pub(crate) type LastAccesses = BTreeMap<(String, String), String>;

/// What a dump's records answer.
#[derive(Default)]
pub(crate) struct Answers {
    /// Of all records alike.
    pub(crate) last_accesses: LastAccesses,
    /// Of the records that count as an attempt.
    pub(crate) last_attempts: LastAccesses,
    /// Of the records that count as an attempt of a user or role, by its ARN and the `eventSource`.
    pub(crate) uses: BTreeMap<(String, String), Use>,
}

/// When a user or role made attempts.
#[derive(Clone)]
pub(crate) struct Use {
    /// Seconds since 1970.
    pub(crate) first: i64,
    /// Seconds since 1970.
    pub(crate) last: i64,
    /// The `awsRegion` of the last one.
    pub(crate) region: String,
}

impl Answers {
    /// Notes a record and whether it counts as an attempt.
    pub(crate) fn note(&mut self, session: &Session, scene: &Scene<'_>, counts: bool) {
        let source = || format!("{}.amazonaws.com", scene.source);
        if let Some(caller) = &session.caller {
            let mut time = String::new();
            write_time(&mut time, scene.time);
            let key = (caller.clone(), source());
            if counts {
                keep_latest(&mut self.last_attempts, key.clone(), time.clone());
            }
            keep_latest(&mut self.last_accesses, key, time);
        }
        if let (Some(principal), true) = (&session.principal, counts) {
            let (time, region) = (scene.time, scene.region.to_owned());
            let one = Use { first: time, last: time, region };
            keep_use(&mut self.uses, (principal.clone(), source()), one);
        }
    }

    /// Adds what was noted elsewhere.
    pub(crate) fn add(&mut self, other: Self) {
        for (key, time) in other.last_accesses {
            keep_latest(&mut self.last_accesses, key, time);
        }
        for (key, time) in other.last_attempts {
            keep_latest(&mut self.last_attempts, key, time);
        }
        for (key, one) in other.uses {
            keep_use(&mut self.uses, key, one);
        }
    }

    /// Returns when each user and role made attempts, of whatever source.
    pub(crate) fn uses_by_principal(&self) -> BTreeMap<String, Use> {
        let mut uses = BTreeMap::new();
        for ((principal, _), one) in &self.uses {
            keep_use(&mut uses, principal.clone(), one.clone());
        }
        uses
    }
}

/// Notes an access unless a later one is known.
fn keep_latest(last: &mut LastAccesses, key: (String, String), time: String) {
    let known = last.entry(key).or_default();
    if *known < time {
        *known = time;
    }
}

/// Notes uses; of two last ones at one time that of the greater Region is kept.
fn keep_use<K: Ord>(uses: &mut BTreeMap<K, Use>, key: K, one: Use) {
    let known = uses.entry(key).or_insert_with(|| one.clone());
    known.first = known.first.min(one.first);
    if (known.last, &known.region) < (one.last, &one.region) {
        known.last = one.last;
        known.region = one.region;
    }
}
