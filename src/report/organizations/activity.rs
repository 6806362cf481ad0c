//! A ledger put into the tree: who of an organization last accessed which service.

use std::collections::BTreeMap;

use hashbrown::HashMap;

use crate::catalog::{Catalog, ServiceIndex};
use crate::ledger::{Entry, Ledger};
use crate::organization::{EntityIndex, Organization};
use crate::time::Time;

use crate::report::attempt::{Attempts, latest};

/// The accesses of every account of an organization by service, and those that have no place in
/// its reports.
pub struct Activity<'a> {
    accounts: BTreeMap<EntityIndex, BTreeMap<ServiceIndex, Attempts<'a>>>,
    /// Acting accounts that the organization has not, with their latest attempt (A9, O14).
    pub outside: BTreeMap<&'a str, Time>,
    /// Event sources that no listed service claims, with their latest attempt (A23).
    pub unmapped: BTreeMap<&'a str, Time>,
}

impl<'a> Activity<'a> {
    /// Puts the accounts of `ledger` into the tree of `organization`, and their event sources under
    /// the services of `catalog`.
    pub fn new(ledger: &'a Ledger, organization: &'a Organization, catalog: &Catalog) -> Self {
        let mut activity =
            Self { accounts: BTreeMap::new(), outside: BTreeMap::new(), unmapped: BTreeMap::new() };
        // The same few events are those of many principals.
        let mut services = HashMap::new();
        for entry in ledger.entries() {
            let event = (entry.event_source, entry.event_name, entry.service_namespace);
            let service = *services.entry(event).or_insert_with(|| {
                let (source, name, service_namespace) = event;
                catalog
                    .service_of(source, name, service_namespace)
                    .filter(|service| catalog.service(*service).listed)
            });
            activity.add(&entry, service, organization);
        }
        activity
    }

    fn add(
        &mut self,
        entry: &Entry<'a>,
        service: Option<ServiceIndex>,
        organization: &'a Organization,
    ) {
        let last = entry.latest.time;
        if service.is_none() {
            latest(&mut self.unmapped, entry.event_source, last);
        }
        let Some(account) = organization.account(entry.account) else {
            latest(&mut self.outside, entry.account, last);
            return;
        };
        let Some(service) = service else {
            return;
        };
        let path = organization.entity(account).path.as_str();
        let attempts = Attempts::of(entry, path);
        let services = self.accounts.entry(account).or_default();
        match services.get_mut(&service) {
            Some(known) => known.join(&attempts),
            None => {
                services.insert(service, attempts);
            }
        }
    }

    /// Returns whether no account of the organization has any access of a listed service.
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }

    /// Returns whether an account has any access of a listed service.
    pub fn is_active(&self, account: EntityIndex) -> bool {
        self.accounts.contains_key(&account)
    }

    /// Returns the services that one account accessed.
    pub(super) fn of(
        &self,
        account: EntityIndex,
    ) -> impl Iterator<Item = (ServiceIndex, &Attempts<'a>)> {
        self.accounts
            .get(&account)
            .into_iter()
            .flatten()
            .map(|(service, attempts)| (*service, attempts))
    }
}
