//! A ledger put into the tree: who of an organization last accessed which service.

use std::collections::BTreeMap;

use hashbrown::HashMap;

use crate::catalog::{Catalog, ServiceIndex};
use crate::ledger::{Ledger, Outline};
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
        // The same actors are those of many records, and so are the same few events.
        let mut accounts: HashMap<u32, Option<EntityIndex>> = HashMap::new();
        let mut services: HashMap<u32, Option<ServiceIndex>> = HashMap::new();
        for record in ledger.outlines() {
            let key = || ledger.key(record.number);
            let account = *accounts
                .entry(record.actor)
                .or_insert_with(|| organization.account(key().account));
            let service = *services.entry(record.event).or_insert_with(|| {
                let key = key();
                catalog
                    .service_of(key.event_source, key.event_name, key.service_namespace)
                    .filter(|service| catalog.service(*service).listed)
            });
            if service.is_none() {
                latest(&mut activity.unmapped, key().event_source, record.latest);
            }
            match (account, service) {
                (None, _) => latest(&mut activity.outside, key().account, record.latest),
                (Some(account), Some(service)) => {
                    let path = &organization.entity(account).path;
                    let attempts = || Attempts::of(&ledger.nth(record.number), path);
                    activity.add((account, service), &record, attempts);
                }
                (Some(_), None) => {}
            }
        }
        activity
    }

    /// Takes in a record, whose attempts are looked up only if they may change something: most records
    /// are neither the first nor the last of their kind.
    fn add(
        &mut self,
        (account, service): (EntityIndex, ServiceIndex),
        record: &Outline,
        attempts: impl FnOnce() -> Attempts<'a>,
    ) {
        let services = self.accounts.entry(account).or_default();
        match services.get_mut(&service) {
            None => {
                services.insert(service, attempts());
            }
            Some(known) if known.may_change_by(record) => known.join(&attempts()),
            Some(_) => {}
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
