//! Facts put together to a tree that holds, or the error that says why they do not (S1, S10, O11).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Value, json};

use crate::policy::Policy;

use super::draft::{Draft, EntityFacts, OrganizationFacts, PolicyFacts};
use super::error::OrganizationError as Error;
use super::{
    AttachedPolicy, AttachedPolicyIndex, EntityIndex, EntityKind, FULL_AWS_ACCESS, Node,
    Organization, OtherPolicy, PolicyScope, replies,
};
use crate::printable::printable;

/// The longest entity path that IAM takes (O11).
const LONGEST_PATH: usize = 427;

impl Draft {
    /// Makes the tree, or says what is wrong with it.
    pub(super) fn build(mut self) -> Result<Organization, Error> {
        let Some((described, file)) = self.organization.take() else {
            let what = "the organization".to_owned();
            let remedy = "add `Organization`, the reply of describe-organization".to_owned();
            return Err(Error::Missing { file: self.origin, what, remedy });
        };
        if !is_id(&described.id, "o-", 10..=32) {
            let pattern = "`o-` and 10 to 32 digits or small letters";
            return Err(bad_id(&file, &described.id, "organization", pattern));
        }
        self.in_path(&described.id, &file)?;
        let root = self.root()?;
        self.check_ids()?;
        self.check_parents(&root)?;
        let nodes = self.nodes(&described.id, &root)?;
        self.check_account_lists(&root)?;
        let mut organization = Organization::from_nodes(described.id.clone(), nodes);
        organization.management_id = self.management(&described);
        self.check_management(&organization, &file)?;
        self.attach(&mut organization)?;
        Ok(organization)
    }

    fn root(&self) -> Result<String, Error> {
        let is_root = |facts: &EntityFacts| facts.kind == Some(EntityKind::Root);
        let mut roots = self.entities.iter().filter(|(_, facts)| is_root(facts));
        match (roots.next(), roots.next()) {
            (None, _) => Err(Error::NoRoot { file: self.origin.clone() }),
            (Some((root, _)), None) => Ok(root.clone()),
            (Some((first, _)), Some((second, facts))) => Err(Error::TwoRoots {
                file: facts.file.clone(),
                first: printable(first),
                second: printable(second),
            }),
        }
    }

    /// Checks that every id can stand in an entity path (O11).
    fn check_ids(&self) -> Result<(), Error> {
        let plain = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_lowercase() || byte == b'-';
        for (id, facts) in &self.entities {
            let (holds, kind, pattern) = match facts.kind {
                Some(EntityKind::Root) => {
                    (is_id(id, "r-", 4..=32), "root", "`r-` and 4 to 32 digits or small letters")
                }
                Some(EntityKind::OrganizationalUnit) => (
                    id.len() > 3 && id.starts_with("ou-") && id.bytes().all(plain),
                    "organizational unit",
                    "`ou-` and digits, small letters and hyphens",
                ),
                Some(EntityKind::Account) | None => (
                    !id.is_empty()
                        && !["r-", "ou-", "o-"].iter().any(|other| id.starts_with(other))
                        && id.bytes().all(plain),
                    "account",
                    "12 digits",
                ),
            };
            if !holds {
                return Err(bad_id(&facts.file, id, kind, pattern));
            }
        }
        Ok(())
    }

    /// Checks that everything but the root lies in the root or in a unit.
    fn check_parents(&self, root: &str) -> Result<(), Error> {
        for (child, (parent, file)) in &self.parents {
            let above = self.entities.get(parent).and_then(|facts| facts.kind);
            if child == root || matches!(above, None | Some(EntityKind::Account)) {
                return Err(Error::NoParent {
                    file: file.clone(),
                    id: printable(child),
                    parent: printable(parent),
                });
            }
            if !self.entities.contains_key(child) {
                return Err(Error::NotListed { file: file.clone(), id: printable(child) });
            }
        }
        for (id, facts) in &self.entities {
            if id != root && !self.parents.contains_key(id) {
                let kind = match facts.kind {
                    Some(EntityKind::OrganizationalUnit) => "organizational-unit",
                    _ => "account",
                };
                return Err(Error::NoPlace { file: facts.file.clone(), kind, id: printable(id) });
            }
        }
        Ok(())
    }

    /// Returns the tree, each entity in front of all that lies below it.
    fn nodes(&self, organization: &str, root: &str) -> Result<Vec<Node>, Error> {
        let mut children: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (child, (parent, _)) in &self.parents {
            children.entry(parent).or_default().push(child);
        }
        let mut nodes: Vec<Node> = Vec::with_capacity(self.entities.len());
        let mut open: Vec<(&str, Option<EntityIndex>)> = vec![(root, None)];
        while let Some((id, parent)) = open.pop() {
            let above = parent.and_then(|parent| nodes.get(parent.position()));
            let path = format!("{}/{id}", above.map_or(organization, |above| above.path.as_str()));
            let Some(facts) = self.entities.get(id) else { continue };
            if path.len() > LONGEST_PATH {
                return Err(Error::PathTooLong { file: facts.file.clone(), id: printable(id) });
            }
            let index = super::index_of(nodes.len());
            nodes.push(Node {
                id: id.to_owned(),
                kind: facts.kind.unwrap_or(EntityKind::Account),
                path,
                parent,
                name: facts.name.clone(),
                state: facts.state.clone().or_else(|| facts.status.clone()),
            });
            let below = children.get(id).map(Vec::as_slice).unwrap_or_default();
            open.extend(below.iter().rev().map(|child| (*child, Some(index))));
        }
        if nodes.len() < self.entities.len() {
            return Err(self.cycle(&nodes));
        }
        Ok(nodes)
    }

    /// Returns the cycle above the first entity that does not hang on the root.
    fn cycle(&self, reached: &[Node]) -> Error {
        let reached: BTreeSet<&str> = reached.iter().map(|node| node.id.as_str()).collect();
        let parent = |id: &str| self.parents.get(id).map(|(parent, _)| parent.as_str());
        let mut walk: Vec<&str> = Vec::new();
        let mut at = self.entities.keys().map(String::as_str).find(|id| !reached.contains(id));
        let mut met: BTreeSet<&str> = BTreeSet::new();
        while let Some(id) = at {
            walk.push(id);
            if !met.insert(id) {
                break;
            }
            at = parent(id);
        }
        let last = walk.last().copied().unwrap_or_default();
        let cycle: Vec<String> =
            walk.iter().skip_while(|id| **id != last).map(|id| printable(id)).collect();
        let file = self.entities.get(last).map_or(&self.origin, |facts| &facts.file);
        Error::Cycle { file: file.clone(), cycle: cycle.join(" → ") }
    }

    /// Checks that no list of accounts is missing.
    fn check_account_lists(&self, root: &str) -> Result<(), Error> {
        if self.lists.accounts {
            return Ok(());
        }
        let units = self.entities.iter().filter(|(_, facts)| {
            matches!(facts.kind, Some(EntityKind::Root | EntityKind::OrganizationalUnit))
        });
        for (id, _) in units {
            let missing = if !self.lists.accounts_of.contains(id) {
                "accounts"
            } else if !self.lists.units_of.contains(id) {
                "organizational-units"
            } else {
                continue;
            };
            let all_missing = id == root && self.lists.accounts_of.is_empty();
            let what = if all_missing {
                "the list of all accounts".to_owned()
            } else {
                format!("the list of {missing} in `{}`", printable(id))
            };
            let remedy = if all_missing {
                "add `Accounts`, the reply of list-accounts".to_owned()
            } else {
                format!("add the reply of list-accounts, or of list-{missing}-for-parent for it")
            };
            return Err(Error::Missing { file: self.origin.clone(), what, remedy });
        }
        Ok(())
    }

    fn management(&self, described: &OrganizationFacts) -> Option<String> {
        described.management_id.clone().or_else(|| {
            let email = described.management_email.as_deref()?;
            let is_it = |facts: &EntityFacts| {
                facts.email.as_deref().is_some_and(|other| other.eq_ignore_ascii_case(email))
            };
            self.entities.iter().find(|(_, facts)| is_it(facts)).map(|(id, _)| id.clone())
        })
    }

    /// Checks that the management account is among the accounts: AWS always lists it, so a list
    /// without it is not whole.
    fn check_management(&self, organization: &Organization, file: &str) -> Result<(), Error> {
        match organization.management_account_id() {
            Some(id) if self.of_replies && organization.management_account().is_none() => {
                Err(Error::Missing {
                    file: file.to_owned(),
                    what: format!("the management account `{}`", printable(id)),
                    remedy: "the list of accounts is not whole; repeat list-accounts".to_owned(),
                })
            }
            _ => Ok(()),
        }
    }

    /// Puts the policies into the tree.
    fn attach(&self, organization: &mut Organization) -> Result<(), Error> {
        let (bound, others): (Vec<_>, Vec<_>) = self
            .policies
            .iter()
            .partition(|(_, facts)| replies::is_service_control(facts.policy_type.as_deref()));
        organization.other_policies = others
            .into_iter()
            .map(|(id, facts)| OtherPolicy {
                id: id.clone(),
                name: facts.name.clone(),
                policy_type: facts.policy_type.clone().unwrap_or_default(),
            })
            .collect();
        organization.scope = if self.enabled == Some(false) {
            PolicyScope::NotEnabled
        } else if bound.is_empty() && !(self.lists.policies && self.policies.is_empty()) {
            PolicyScope::NotInSnapshot
        } else {
            PolicyScope::Applied
        };
        if organization.scope == PolicyScope::Applied {
            self.check_policy_lists(&bound)?;
        }
        let ids: HashMap<String, EntityIndex> =
            organization.entities().map(|(index, entity)| (entity.id.clone(), index)).collect();
        for (position, (id, facts)) in (0u32..).zip(bound) {
            let (content, policy) = document_of(id, facts)?;
            let policy = AttachedPolicy {
                id: id.clone(),
                name: facts.name.clone(),
                content,
                policy,
                targets: self.targets(&ids, id, facts)?,
            };
            for target in &policy.targets {
                if let Some(entity) = organization.entities.get_mut(target.position()) {
                    entity.policies.push(AttachedPolicyIndex(position));
                }
            }
            organization.policies.push(policy);
        }
        Ok(())
    }

    /// Checks that no policy and no attachment can be missing.
    fn check_policy_lists(&self, bound: &[(&String, &PolicyFacts)]) -> Result<(), Error> {
        let unasked = self.entities.keys().find(|id| !self.lists.policies_of.contains_key(*id));
        let Some(unasked) = unasked else { return Ok(()) };
        if !self.lists.policies {
            return Err(Error::Missing {
                file: self.origin.clone(),
                what: "the list of all service control policies".to_owned(),
                remedy: "add the reply of list-policies --filter SERVICE_CONTROL_POLICY".to_owned(),
            });
        }
        let loose = bound.iter().find(|(_, facts)| facts.listed.is_none());
        loose.map_or(Ok(()), |(id, facts)| {
            Err(Error::Missing {
                file: facts.file.clone(),
                what: format!("where policy `{}` is attached", printable(id)),
                remedy: format!(
                    "add `Targets`, the reply of list-targets-for-policy for it, or that of \
                     list-policies-for-target for `{}`",
                    printable(unasked)
                ),
            })
        })
    }

    /// Returns where a policy is attached, in the order of the entities.
    fn targets(
        &self,
        ids: &HashMap<String, EntityIndex>,
        id: &str,
        facts: &PolicyFacts,
    ) -> Result<Vec<EntityIndex>, Error> {
        let mut targets = BTreeSet::new();
        let listed = facts.listed.iter().flatten().map(|target| (target, &facts.file));
        for (target, file) in listed.chain(&facts.seen) {
            let index = ids.get(target).ok_or_else(|| Error::NoTarget {
                file: file.clone(),
                id: printable(id),
                target: printable(target),
            })?;
            targets.insert(*index);
        }
        let Some(listed) = &facts.listed else { return Ok(targets.into_iter().collect()) };
        let unlisted = facts.seen.iter().find(|(target, _)| !listed.contains(*target));
        let unseen = listed.iter().find_map(|target| {
            let (file, lists_some) = self.lists.policies_of.get(target)?;
            (*lists_some && !facts.seen.contains_key(target)).then_some((target, file))
        });
        unlisted.or(unseen).map_or(Ok(()), |(target, other)| {
            Err(Error::Attachment {
                file: facts.file.clone(),
                id: printable(id),
                target: printable(target),
                other: other.clone(),
            })
        })?;
        Ok(targets.into_iter().collect())
    }
}

/// Returns the document of a service control policy, as JSON and read.
fn document_of(id: &str, facts: &PolicyFacts) -> Result<(Value, Policy), Error> {
    let malformed = |source| Error::Policy { file: facts.file.clone(), id: printable(id), source };
    let content = match &facts.content {
        None if id == FULL_AWS_ACCESS => full_aws_access(),
        None => {
            return Err(Error::NoContent { file: facts.file.clone(), id: printable(id) });
        }
        // What is text still is no JSON, and the parser says where.
        Some(Value::String(text)) => {
            Policy::parse(text).map_err(malformed)?;
            Value::String(text.clone())
        }
        Some(content) => content.clone(),
    };
    let policy = Policy::from_value(&content).map_err(malformed)?;
    Ok((content, policy))
}

fn is_id(id: &str, prefix: &str, length: std::ops::RangeInclusive<usize>) -> bool {
    id.strip_prefix(prefix).is_some_and(|rest| {
        let plain = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_lowercase();
        length.contains(&rest.len()) && rest.bytes().all(plain)
    })
}

fn bad_id(file: &str, id: &str, kind: &'static str, pattern: &'static str) -> Error {
    Error::Id { file: file.to_owned(), id: printable(id), kind, pattern }
}

/// Returns the document of AWS's own policy, which every organization knows.
fn full_aws_access() -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    })
}
