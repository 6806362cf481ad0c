//! A ledger put to the users and roles of a snapshot: who of them last accessed what.

use std::collections::BTreeMap;

use hashbrown::HashMap;

use super::Granularity;
use super::marks::{Marks, Texts};
use crate::catalog::{Catalog, ServiceIndex};
use crate::identities::{Identities, IdentityIndex};
use crate::ledger::{EntryKey, Ledger, Outline};
use crate::report::attempt::latest;
use crate::time::Time;

/// The accesses of every user and role of a snapshot, and those that have no place in its reports.
pub struct Activity<'a> {
    texts: Texts<'a>,
    granularity: Granularity,
    // INVARIANT: one a place of the identities; those of groups and policies stay empty.
    usages: Vec<Usage>,
    /// Acting accounts of which the snapshot has nobody, with their latest attempt.
    pub outside: BTreeMap<&'a str, Time>,
    /// Users and roles of the snapshot's accounts that the snapshot has not, and accounts of which
    /// alone is known that they acted, with their latest attempt (I7).
    pub unknown: BTreeMap<UnknownPrincipal<'a>, Time>,
    /// Event sources that no listed service claims, with their latest attempt (A23).
    pub unmapped: BTreeMap<&'a str, Time>,
    /// Events of listed services that stand for no action, by source and name, with their latest
    /// attempt (C2); at [`Granularity::ActionLevel`] alone.
    pub without_action: Option<BTreeMap<(&'a str, &'a str), Time>>,
}

/// A user or role that acted and that the snapshot has not: made or deleted since, or before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnknownPrincipal<'a> {
    /// The acting account.
    pub account: &'a str,
    /// The ARN, as logged.
    pub arn: Option<&'a str>,
    /// The unique id.
    pub id: Option<&'a str>,
}

/// What one user or role accessed.
#[derive(Default)]
pub(super) struct Usage {
    pub(super) services: BTreeMap<ServiceIndex, Marks>,
    /// By service and position in the catalogue's list of its actions.
    pub(super) actions: BTreeMap<(ServiceIndex, usize), Marks>,
    /// The latest attempt at anything, of a listed service or not.
    pub(super) latest: Option<Time>,
}

/// What an event stands for.
#[derive(Clone, Default)]
struct Meaning {
    service: Option<ServiceIndex>,
    /// Positions in the catalogue's list of the service's actions; a data event is none of them.
    actions: Vec<usize>,
    is_data_event: bool,
}

impl<'a> Activity<'a> {
    /// Puts the accesses of `ledger` to the users and roles of `identities` (I7), and their events
    /// under the services of `catalog` and, if asked for, their actions (C2).
    pub fn new(
        ledger: &'a Ledger,
        identities: &'a Identities,
        catalog: &Catalog,
        granularity: Granularity,
    ) -> Self {
        let mut activity = Self {
            texts: Texts { ledger, identities },
            granularity,
            usages: identities.identities().map(|_| Usage::default()).collect(),
            outside: BTreeMap::new(),
            unknown: BTreeMap::new(),
            unmapped: BTreeMap::new(),
            without_action: (granularity == Granularity::ActionLevel).then(BTreeMap::new),
        };
        // The same actors are those of many records, and so are the same few events.
        let mut principals: HashMap<u32, Option<IdentityIndex>> = HashMap::new();
        let mut meanings: HashMap<u32, Meaning> = HashMap::new();
        for record in ledger.outlines() {
            let principal = *principals.entry(record.actor).or_insert_with(|| {
                let key = ledger.key(record.number);
                identities.principal(key.principal_arn, key.principal_id)
            });
            let meaning = meanings
                .entry(record.event)
                .or_insert_with(|| Meaning::of(&ledger.key(record.number), catalog, granularity));
            activity.add(&record, principal, meaning);
        }
        activity
    }

    fn add(&mut self, record: &Outline, principal: Option<IdentityIndex>, meaning: &Meaning) {
        let texts = self.texts;
        let key = || texts.ledger.key(record.number);
        if meaning.service.is_none() {
            latest(&mut self.unmapped, key().event_source, record.latest);
        }
        let is_without_action =
            meaning.service.is_some() && meaning.actions.is_empty() && !meaning.is_data_event;
        if let Some(without_action) = self.without_action.as_mut().filter(|_| is_without_action) {
            let key = key();
            latest(without_action, (key.event_source, key.event_name), record.latest);
        }
        let Some(principal) = principal else {
            self.add_unknown(&key(), record.latest);
            return;
        };
        let Some(usage) = self.usages.get_mut(principal.position()) else { return };
        usage.latest = usage.latest.max(Some(record.latest));
        let Some(service) = meaning.service else { return };
        let marks = Marks::of(record, principal);
        join(&mut usage.services, service, &marks, texts);
        if !meaning.is_data_event {
            for action in &meaning.actions {
                join(&mut usage.actions, (service, *action), &marks, texts);
            }
        }
    }

    /// Names who is nobody of the snapshot; the root user is no IAM entity (A4).
    fn add_unknown(&mut self, key: &EntryKey<'a>, last: Time) {
        let EntryKey { account, principal_arn: arn, principal_id: id, .. } = *key;
        if !self.texts.identities.accounts().contains(account) {
            latest(&mut self.outside, account, last);
        } else if !arn.is_some_and(|arn| arn.ends_with(":root")) {
            latest(&mut self.unknown, UnknownPrincipal { account, arn, id }, last);
        }
    }

    /// Returns whether actions are told apart.
    pub const fn granularity(&self) -> Granularity {
        self.granularity
    }

    /// Returns what a user or role accessed.
    pub(super) fn of(&self, principal: IdentityIndex) -> Option<&Usage> {
        self.usages.get(principal.position())
    }

    /// Returns where the texts of what was accessed stand.
    pub(super) const fn texts(&self) -> Texts<'a> {
        self.texts
    }

    /// Returns the latest attempt of a user or role at anything.
    pub fn latest_of(&self, principal: IdentityIndex) -> Option<Time> {
        self.of(principal)?.latest
    }

    /// Returns whether no user or role of the snapshot has any access.
    pub fn is_empty(&self) -> bool {
        self.usages.iter().all(|usage| usage.latest.is_none())
    }
}

impl Meaning {
    fn of(key: &EntryKey<'_>, catalog: &Catalog, granularity: Granularity) -> Self {
        let (source, name) = (key.event_source, key.event_name);
        let is_data_event = key.is_data_event;
        let Some(service) = catalog
            .service_of(source, name, key.service_namespace)
            .filter(|service| catalog.service(*service).listed)
        else {
            return Self { is_data_event, ..Self::default() };
        };
        let mut actions = Vec::new();
        if granularity == Granularity::ActionLevel {
            let found = catalog.actions_of(source, name, key.service_namespace);
            actions.extend(found.into_iter().filter(|(of, _)| *of == service).map(|(_, at)| at));
        }
        Self { service: Some(service), actions, is_data_event }
    }
}

fn join<K: Ord>(all: &mut BTreeMap<K, Marks>, key: K, marks: &Marks, texts: Texts<'_>) {
    all.entry(key).and_modify(|known| known.join(marks, texts)).or_insert(*marks);
}
