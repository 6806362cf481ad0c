//! A ledger put to the users and roles of a snapshot: who of them last accessed what.

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::HashMap;

use super::Granularity;
use crate::catalog::{Catalog, ServiceIndex};
use crate::identities::{Identities, IdentityIndex};
use crate::ledger::{Entry, Ledger};
use crate::report::attempt::{Attempts, latest};
use crate::time::Time;

/// The accesses of every user and role of a snapshot, and those that have no place in its reports.
pub struct Activity<'a> {
    granularity: Granularity,
    // INVARIANT: one a place of the identities; those of groups and policies stay empty.
    usages: Vec<Usage<'a>>,
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
pub(super) struct Usage<'a> {
    pub(super) services: BTreeMap<ServiceIndex, Arc<Attempts<'a>>>,
    /// By service and position in the catalogue's list of its actions.
    pub(super) actions: BTreeMap<(ServiceIndex, usize), Arc<Attempts<'a>>>,
    /// The latest attempt at anything, of a listed service or not.
    pub(super) latest: Option<Time>,
}

/// What an event stands for.
#[derive(Clone, Default)]
struct Meaning {
    service: Option<ServiceIndex>,
    /// Positions in the catalogue's list of the service's actions.
    actions: Vec<usize>,
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
            granularity,
            usages: identities.identities().map(|_| Usage::default()).collect(),
            outside: BTreeMap::new(),
            unknown: BTreeMap::new(),
            unmapped: BTreeMap::new(),
            without_action: (granularity == Granularity::ActionLevel).then(BTreeMap::new),
        };
        // The same few events are those of many principals.
        let mut meanings = HashMap::new();
        for entry in ledger.entries() {
            let event = (entry.event_source, entry.event_name, entry.service_namespace);
            let meaning =
                meanings.entry(event).or_insert_with(|| Meaning::of(&entry, catalog, granularity));
            activity.add(&entry, meaning, identities);
        }
        activity
    }

    fn add(&mut self, entry: &Entry<'a>, meaning: &Meaning, identities: &'a Identities) {
        let last = entry.latest.time;
        if meaning.service.is_none() {
            latest(&mut self.unmapped, entry.event_source, last);
        }
        let is_without_action =
            meaning.service.is_some() && meaning.actions.is_empty() && !entry.is_data_event;
        if let Some(without_action) = self.without_action.as_mut().filter(|_| is_without_action) {
            latest(without_action, (entry.event_source, entry.event_name), last);
        }
        let found = identities.principal(entry.principal_arn, entry.principal_id);
        let Some(principal) = found else {
            self.add_unknown(entry, identities);
            return;
        };
        let Some(usage) = self.usages.get_mut(principal.position()) else { return };
        usage.latest = usage.latest.max(Some(last));
        let Some(service) = meaning.service else { return };
        let attempts = Attempts::of(entry, &identities.identity(principal).arn);
        join(&mut usage.services, service, &attempts);
        if !entry.is_data_event {
            for action in &meaning.actions {
                join(&mut usage.actions, (service, *action), &attempts);
            }
        }
    }

    /// Names who is nobody of the snapshot; the root user is no IAM entity (A4).
    fn add_unknown(&mut self, entry: &Entry<'a>, identities: &Identities) {
        let last = entry.latest.time;
        let Entry { account, principal_arn: arn, principal_id: id, .. } = *entry;
        if !identities.accounts().contains(account) {
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
    pub(super) fn of(&self, principal: IdentityIndex) -> Option<&Usage<'a>> {
        self.usages.get(principal.position())
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
    fn of(entry: &Entry<'_>, catalog: &Catalog, granularity: Granularity) -> Self {
        let (source, name) = (entry.event_source, entry.event_name);
        let Some(service) = catalog
            .service_of(source, name, entry.service_namespace)
            .filter(|service| catalog.service(*service).listed)
        else {
            return Self::default();
        };
        let mut actions = Vec::new();
        if granularity == Granularity::ActionLevel {
            let found = catalog.actions_of(source, name, entry.service_namespace);
            actions.extend(found.into_iter().filter(|(of, _)| *of == service).map(|(_, at)| at));
        }
        Self { service: Some(service), actions }
    }
}

fn join<'a, K: Ord>(all: &mut BTreeMap<K, Arc<Attempts<'a>>>, key: K, attempts: &Attempts<'a>) {
    all.entry(key)
        .and_modify(|known| Arc::make_mut(known).join(attempts))
        .or_insert_with(|| Arc::new(*attempts));
}
