//! An organization snapshot of one file as a table of parents; knows no events.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

/// Root, units and accounts with their parents, and what is attached to them.
pub(crate) struct Tree {
    id: String,
    pub(crate) management: String,
    /// Every entity and its parent; the root has none.
    parents: BTreeMap<String, Option<String>>,
    accounts: BTreeSet<String>,
    /// Policy id to its document.
    pub(crate) policies: BTreeMap<String, Value>,
    /// Policy id to the entities that it is attached to.
    targets: BTreeMap<String, BTreeSet<String>>,
}

impl Tree {
    /// Reads `{"Organization":…,"Roots":…,"OrganizationalUnits":…,"Accounts":…,"Policies":…}`.
    pub(crate) fn read(path: &Path) -> Self {
        let snapshot: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        let list = |name: &str| snapshot[name].as_array().unwrap();
        let text = |value: &Value, name: &str| value[name].as_str().unwrap().to_owned();
        let mut tree = Self {
            id: text(&snapshot["Organization"], "Id"),
            management: text(&snapshot["Organization"], "MasterAccountId"),
            parents: BTreeMap::new(),
            accounts: list("Accounts").iter().map(|account| text(account, "Id")).collect(),
            policies: BTreeMap::new(),
            targets: BTreeMap::new(),
        };
        for root in list("Roots") {
            tree.parents.insert(text(root, "Id"), None);
        }
        for entity in list("OrganizationalUnits").iter().chain(list("Accounts")) {
            tree.parents.insert(text(entity, "Id"), Some(text(entity, "ParentId")));
        }
        for policy in list("Policies") {
            let content = match &policy["Content"] {
                Value::String(content) => serde_json::from_str(content).unwrap(),
                content => content.clone(),
            };
            let targets = policy["Targets"].as_array().unwrap().iter();
            let targets = targets.map(|target| target.as_str().unwrap().to_owned()).collect();
            tree.policies.insert(text(policy, "Id"), content);
            tree.targets.insert(text(policy, "Id"), targets);
        }
        tree
    }

    /// Returns the entities from the root down to `entity`.
    fn chain(&self, entity: &str) -> Vec<String> {
        let mut chain = vec![entity.to_owned()];
        while let Some(Some(parent)) = self.parents.get(&chain[0]) {
            chain.insert(0, parent.clone());
        }
        chain
    }

    /// Returns the entity path, without a trailing slash.
    pub(crate) fn path(&self, entity: &str) -> String {
        format!("{}/{}", self.id, self.chain(entity).join("/"))
    }

    /// Returns the entity that lies at a path.
    pub(crate) fn at(&self, path: &str) -> Option<String> {
        let path = path.strip_suffix('/').unwrap_or(path);
        self.parents.keys().find(|entity| self.path(entity) == path).cloned()
    }

    /// Returns the path of every root, unit and account.
    pub(crate) fn entity_paths(&self) -> Vec<String> {
        self.parents.keys().map(|entity| self.path(entity)).collect()
    }

    /// Returns the documents attached to each level above and at `entity`.
    pub(crate) fn documents(&self, entity: &str) -> Vec<Vec<&Value>> {
        let attached = |level: &String| {
            let policies = self.targets.iter().filter(|(_, targets)| targets.contains(level));
            policies.map(|(policy, _)| &self.policies[policy]).collect()
        };
        self.chain(entity).iter().map(attached).collect()
    }

    /// Returns the accounts whose data counts for an entity and a policy (the O table, O2).
    pub(crate) fn scope(&self, entity: &str, policy: Option<&str>) -> BTreeSet<String> {
        let below = |account: &&String| {
            self.chain(account).contains(&entity.to_owned())
                && (entity == self.management || **account != self.management)
        };
        let bound = |account: &&String| {
            let chain = self.chain(account);
            let from = chain.iter().position(|level| level == entity).unwrap();
            policy.is_none_or(|policy| {
                chain[from..].iter().any(|level| self.targets[policy].contains(level))
            })
        };
        self.accounts.iter().filter(below).filter(bound).cloned().collect()
    }
}
