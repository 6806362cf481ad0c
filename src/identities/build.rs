//! From the entries of a snapshot to identities that know their documents and principals.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;

use super::draft::{Draft, Draw, Entry};
use super::error::IdentitiesError as Error;
use super::key::{Name, NameKey};
use super::{AWS, DocumentIndex, Identities, Identity, IdentityIndex, IdentityKind};
use crate::policy::Policy;

/// What an entry says itself, without that of its groups.
#[derive(Default)]
struct Own {
    /// Its documents, of which one may come twice.
    documents: Vec<Draw>,
    /// The policies attached to it.
    policies: Vec<IdentityIndex>,
    /// The groups it is a member of.
    groups: Vec<IdentityIndex>,
    /// What the snapshot lacks.
    missing: Vec<String>,
}

impl Draft {
    /// Puts the entries together.
    pub(super) fn build(self) -> Result<Identities, Error> {
        self.check_pages()?;
        let Self { entries, names, documents, .. } = self;
        let mut by_arn = HashMap::with_capacity(entries.len());
        let mut arns = Vec::with_capacity(entries.len());
        let mut list = Vec::with_capacity(entries.len());
        for (index, (arn, entry)) in (0..).map(IdentityIndex).zip(entries) {
            by_arn.insert(arn.clone(), index);
            arns.push(arn);
            list.push(entry);
        }
        let own: Vec<Own> = list.iter().map(|entry| own(entry, &by_arn, &names, &list)).collect();
        let (documents, numbers) = number(&own, documents.list);
        let principals = principals(&list, &own);
        let ids = Ids::of(&list);
        let mut identities = Identities {
            identities: Vec::with_capacity(list.len()),
            by_role: by_role(&list),
            by_arn,
            by_id: ids.unique,
            documents,
            accounts: BTreeSet::new(),
            missing: missing(&own),
            shared_ids: ids.shared,
            passed_over: Vec::new(),
        };
        let missing_groups = missing_groups(&list, &own);
        for (((arn, entry), own_of), principals) in
            arns.into_iter().zip(list).zip(&own).zip(principals)
        {
            if entry.account != AWS && !identities.accounts.contains(&entry.account) {
                identities.accounts.insert(entry.account.clone());
            }
            let decide = || {
                let groups = own_of.groups.iter().filter_map(|group| own.get(group.position()));
                std::iter::once(own_of).chain(groups)
            };
            let missing = match entry.kind {
                IdentityKind::Policy => {
                    let of_account =
                        |account: &str| entry.account == AWS || entry.account == account;
                    let groups = missing_groups.iter().filter(|(account, _)| of_account(account));
                    ascending(groups.map(|(_, group)| group.clone()))
                }
                _ => ascending(decide().flat_map(|own| &own.missing).cloned()),
            };
            let number = |draw: &Draw| numbers.get(*draw as usize).copied().flatten();
            identities.identities.push(Identity {
                kind: entry.kind,
                arn,
                name: entry.name,
                id: entry.id,
                path: entry.path,
                account: entry.account,
                create_date: entry.create_date,
                role_last_used: entry.role_last_used,
                inline: entry
                    .inline
                    .into_iter()
                    .filter_map(|(name, draw)| Some((name, number(&draw)?)))
                    .collect(),
                policies: ascending(own_of.policies.iter().copied()),
                groups: ascending(own_of.groups.iter().copied()),
                documents: ascending(decide().flat_map(|own| &own.documents).filter_map(number)),
                principals,
                missing,
            });
        }
        Ok(identities)
    }
}

fn ascending<T: Ord>(things: impl Iterator<Item = T>) -> Vec<T> {
    let mut things: Vec<T> = things.collect();
    things.sort_unstable();
    things.dedup();
    things
}

/// Returns every index with its entry.
fn indexed<T>(list: &[T]) -> impl Iterator<Item = (IdentityIndex, &T)> {
    (0..).map(IdentityIndex).zip(list)
}

/// Resolves what an entry says itself.
fn own(
    entry: &Entry,
    by_arn: &HashMap<String, IdentityIndex>,
    names: &HashMap<NameKey, String>,
    list: &[Entry],
) -> Own {
    let mut own = Own::default();
    own.documents.extend(entry.versions.values().next_back().map(|(draw, _)| *draw));
    own.documents.extend(entry.inline.iter().map(|(_, draw)| *draw));
    for arn in &entry.attached {
        let policy = by_arn.get(arn).copied().and_then(|index| {
            let policy = list.get(index.position())?;
            let (draw, _) = policy.versions.values().next_back()?;
            Some((index, *draw))
        });
        match policy {
            Some((index, draw)) => {
                own.policies.push(index);
                own.documents.push(draw);
            }
            None => own.missing.push(arn.clone()),
        }
    }
    for name in &entry.groups {
        let Entry { partition, account, .. } = entry;
        let key = Name { kind: IdentityKind::Group, partition, account, name };
        match names.get(&key).and_then(|arn| by_arn.get(arn)) {
            Some(group) => own.groups.push(*group),
            None => own.missing.push(format!("group/{name}")),
        }
    }
    own
}

/// Numbers the documents that decide something, in the order of the identities, and returns them
/// with the new number of each.
fn number(own: &[Own], drafted: Vec<Policy>) -> (Vec<Policy>, Vec<Option<DocumentIndex>>) {
    let mut drafted: Vec<Option<Policy>> = drafted.into_iter().map(Some).collect();
    let mut numbers = vec![None; drafted.len()];
    let mut documents = Vec::with_capacity(drafted.len());
    for draw in own.iter().flat_map(|own| &own.documents) {
        let policy = drafted.get_mut(*draw as usize).and_then(Option::take);
        if let (Some(policy), Some(number)) = (policy, numbers.get_mut(*draw as usize)) {
            *number = u32::try_from(documents.len()).ok().map(DocumentIndex);
            documents.push(policy);
        }
    }
    (documents, numbers)
}

/// Returns whose accesses count, for each entry.
fn principals(list: &[Entry], own: &[Own]) -> Vec<Vec<IdentityIndex>> {
    let mut principals: Vec<Vec<IdentityIndex>> = vec![Vec::new(); list.len()];
    let mut count = |identity: IdentityIndex, principal: IdentityIndex| {
        if let Some(of_identity) = principals.get_mut(identity.position()) {
            of_identity.push(principal);
        }
    };
    for ((index, entry), own_of) in indexed(list).zip(own) {
        if !matches!(entry.kind, IdentityKind::User | IdentityKind::Role) {
            continue;
        }
        count(index, index);
        own_of.policies.iter().for_each(|policy| count(*policy, index));
        for group in &own_of.groups {
            count(*group, index);
            let of_group = own.get(group.position()).map(|own| own.policies.as_slice());
            of_group.unwrap_or_default().iter().for_each(|policy| count(*policy, index));
        }
    }
    // The entries come in order, and each may come twice, through several groups.
    principals.iter_mut().for_each(Vec::dedup);
    principals
}

/// The ids of users and roles.
#[derive(Default)]
struct Ids {
    unique: HashMap<String, IdentityIndex>,
    shared: BTreeSet<String>,
}

impl Ids {
    fn of(list: &[Entry]) -> Self {
        let mut ids = Self::default();
        for (index, entry) in indexed(list) {
            let is_principal = matches!(entry.kind, IdentityKind::User | IdentityKind::Role);
            if !is_principal || entry.id.is_empty() {
                continue;
            }
            if ids.unique.insert(entry.id.clone(), index).is_some() {
                ids.shared.insert(entry.id.clone());
            }
        }
        ids.shared.iter().for_each(|id| _ = ids.unique.remove(id));
        ids
    }
}

fn by_role(list: &[Entry]) -> HashMap<NameKey, IdentityIndex> {
    let roles = indexed(list).filter(|(_, entry)| entry.kind == IdentityKind::Role);
    roles.map(|(index, entry)| (entry.name_key().into(), index)).collect()
}

/// Returns the accounts and names of groups that are joined but not there: policies may be attached
/// to them.
fn missing_groups(list: &[Entry], own: &[Own]) -> BTreeSet<(String, String)> {
    let mut groups = BTreeSet::new();
    for (entry, own) in list.iter().zip(own).filter(|(entry, _)| entry.kind == IdentityKind::User) {
        let names = own.missing.iter().filter(|name| name.starts_with("group/"));
        groups.extend(names.map(|name| (entry.account.clone(), name.clone())));
    }
    groups
}

/// Returns what the snapshot lacks, and who says so.
fn missing(own: &[Own]) -> BTreeMap<String, Vec<IdentityIndex>> {
    let mut missing: BTreeMap<String, Vec<IdentityIndex>> = BTreeMap::new();
    for (index, own) in indexed(own) {
        for name in &own.missing {
            let by = missing.entry(name.clone()).or_default();
            if by.last() != Some(&index) {
                by.push(index);
            }
        }
    }
    missing
}
