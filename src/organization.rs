//! The organization: its root, units and accounts, and the service control policies attached to
//! them. It knows where a policy is attached, not what it allows; and it has no clock: a snapshot
//! is what was so when somebody took it (O14).

mod build;
mod document;
mod draft;
mod error;
mod pmapper;
mod replies;
mod snapshot;
mod tree;

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use serde_json::Value;

use crate::policy::Policy;

pub use error::OrganizationError;
pub use tree::Tree;

/// The id of AWS's own policy that allows everything, whose content needs no reply.
pub const FULL_AWS_ACCESS: &str = "p-FullAWSAccess";

/// The only type of policy that decides which services are listed.
pub const SERVICE_CONTROL_POLICY: &str = "SERVICE_CONTROL_POLICY";

/// The made-up organization and root of [`Organization::flat`].
const FLAT_ORGANIZATION: &str = "o-0000000000";
const FLAT_ROOT: &str = "r-0000";

/// What the two leave of the 427 characters of an entity path.
const LONGEST_FLAT_ID: usize = 427 - "o-0000000000/r-0000/".len();

/// The place of an entity in [`Organization::entities`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntityIndex(u32);

impl EntityIndex {
    /// Returns the position, counted from 0, for tables that run beside the entities.
    pub const fn position(self) -> usize {
        self.0 as usize
    }
}

/// The place of a policy in [`Organization::policies`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttachedPolicyIndex(u32);

impl AttachedPolicyIndex {
    /// Returns the position, counted from 0, for tables that run beside the policies.
    pub const fn position(self) -> usize {
        self.0 as usize
    }
}

/// What a node of the tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntityKind {
    /// The one root.
    Root,
    /// An organizational unit, in the root or in another unit.
    OrganizationalUnit,
    /// An account, the management account included; it has no children.
    Account,
}

/// A node of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entity {
    /// `Id`: `r-…`, `ou-…` or the account's number.
    pub id: String,
    /// `Name`, where the snapshot has one; any text at all, so escape it before it is shown.
    pub name: Option<String>,
    /// What the node is.
    pub kind: EntityKind,
    /// The entity path from the organization down to this node, without a trailing slash (O11).
    pub path: String,
    /// The root or unit above; none for the root alone.
    pub parent: Option<EntityIndex>,
    /// `State` of an account (`ACTIVE`, `SUSPENDED`, `CLOSED`, …), `Status` in older snapshots.
    pub state: Option<String>,
    /// The service control policies attached right here, in the order of their ids.
    pub policies: Vec<AttachedPolicyIndex>,
    /// The position behind the last entity below this one.
    end: u32,
}

/// A service control policy of the snapshot, attached or not.
#[derive(Clone, Debug, PartialEq)]
pub struct AttachedPolicy {
    /// `Id`: `p-…`.
    pub id: String,
    /// `Name`, where the snapshot has one.
    pub name: Option<String>,
    /// The policy document as JSON, its members in byte order.
    pub content: Value,
    /// The policy document, read.
    pub policy: Policy,
    /// Where it is attached, in the order of the entities.
    pub targets: Vec<EntityIndex>,
}

/// A policy of another type (resource control, tag, backup, …): it binds no list of services and
/// is kept for coverage to name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OtherPolicy {
    /// `Id`: `p-…`.
    pub id: String,
    /// `Name`, where the snapshot has one.
    pub name: Option<String>,
    /// `Type`, such as `RESOURCE_CONTROL_POLICY`.
    pub policy_type: String,
}

/// Whether the policies decide which services are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyScope {
    /// They do (S1); a level without one allows nothing.
    Applied,
    /// The organization's root has service control policies switched off: every service is
    /// listed.
    NotEnabled,
    /// The snapshot says nothing of service control policies: every service is listed.
    NotInSnapshot,
    /// There is no snapshot ([`Organization::flat`]): every service is listed.
    NoOrganization,
}

/// Returns whether an account id may be a part of an entity path (O11).
fn fits_a_path(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_lowercase() || byte == b'-';
    (1..=LONGEST_FLAT_ID).contains(&id.len()) && id.bytes().all(allowed)
}

/// An organization as a snapshot shows it.
///
/// Entities stand root first, each in front of all that lies below it, siblings in byte order of
/// their ids. So the same tree gives the same value, whatever the form of the snapshot.
#[derive(Clone, Debug, PartialEq)]
pub struct Organization {
    id: String,
    management_id: Option<String>,
    // INVARIANT: entity 0 is the only root; `entities[i]` is followed by all that lies below it,
    // up to `entities[i].end`; `paths` and `accounts` know each entity and each account.
    entities: Vec<Entity>,
    paths: HashMap<String, EntityIndex>,
    accounts: HashMap<String, EntityIndex>,
    // INVARIANT: in byte order of the ids, each once.
    policies: Vec<AttachedPolicy>,
    other_policies: Vec<OtherPolicy>,
    scope: PolicyScope,
}

impl Organization {
    /// Reads a snapshot and tells by its content which of three forms it has: one JSON file with
    /// AWS's members, a directory of replies of the AWS CLI, or an organization directory of
    /// Principal Mapper (PMapper).
    ///
    /// # Errors
    /// A file that cannot be read or is not JSON, and every tree that is not one (two parents, no
    /// parent, a cycle, …), policy that is malformed (S10) and list that was cut off. Each names
    /// the file, the id and what to do.
    pub fn load(path: &Path) -> Result<Self, OrganizationError> {
        draft::load(path)
    }

    /// Returns accounts right under a made-up root, with no policy applied: what is left to say
    /// where no snapshot was given. What fits no entity path (O11) is no account of it: logs may
    /// name any text at all.
    pub fn flat<'a>(accounts: impl IntoIterator<Item = &'a str>) -> Self {
        let accounts: BTreeSet<&str> = accounts.into_iter().filter(|id| fits_a_path(id)).collect();
        let root_path = format!("{FLAT_ORGANIZATION}/{FLAT_ROOT}");
        let root = EntityIndex(0);
        let nodes = accounts.into_iter().map(|id| Node {
            id: id.to_owned(),
            kind: EntityKind::Account,
            path: format!("{root_path}/{id}"),
            parent: Some(root),
            name: None,
            state: None,
        });
        let top = Node {
            id: FLAT_ROOT.to_owned(),
            kind: EntityKind::Root,
            path: root_path.clone(),
            parent: None,
            name: None,
            state: None,
        };
        Self::from_nodes(FLAT_ORGANIZATION.to_owned(), std::iter::once(top).chain(nodes).collect())
    }

    /// Makes an organization without policies from its nodes, each in front of those below it.
    fn from_nodes(id: String, nodes: Vec<Node>) -> Self {
        let mut entities: Vec<Entity> = Vec::with_capacity(nodes.len());
        let mut paths = HashMap::with_capacity(nodes.len());
        let mut accounts = HashMap::with_capacity(nodes.len());
        for (index, node) in (0u32..).map(EntityIndex).zip(nodes) {
            paths.insert(node.path.clone(), index);
            if node.kind == EntityKind::Account {
                accounts.insert(node.id.clone(), index);
            }
            entities.push(Entity {
                id: node.id,
                name: node.name,
                kind: node.kind,
                path: node.path,
                parent: node.parent,
                state: node.state,
                policies: Vec::new(),
                end: index.0 + 1,
            });
        }
        for position in (0..entities.len()).rev() {
            let Some((end, Some(parent))) = entities.get(position).map(|e| (e.end, e.parent))
            else {
                continue;
            };
            if let Some(above) = entities.get_mut(parent.position()) {
                above.end = above.end.max(end);
            }
        }
        Self {
            id,
            management_id: None,
            entities,
            paths,
            accounts,
            policies: Vec::new(),
            other_policies: Vec::new(),
            scope: PolicyScope::NoOrganization,
        }
    }

    /// Returns the organization's id, `o-…`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the root.
    pub const fn root(&self) -> EntityIndex {
        EntityIndex(0)
    }

    /// Returns every entity, the root first and each in front of all that lies below it.
    pub fn entities(&self) -> impl ExactSizeIterator<Item = (EntityIndex, &Entity)> {
        self.entities.iter().enumerate().map(|(position, entity)| (index_of(position), entity))
    }

    /// Returns the entity of an index of this organization.
    ///
    /// # Panics
    /// If the index was made by a larger organization.
    pub fn entity(&self, index: EntityIndex) -> &Entity {
        #[expect(clippy::indexing_slicing, reason = "an index is made from a position")]
        &self.entities[index.position()]
    }

    /// Returns the entity with this entity path; one trailing slash is dropped (O11).
    pub fn find(&self, path: &str) -> Option<EntityIndex> {
        self.paths.get(path.strip_suffix('/').unwrap_or(path)).copied()
    }

    /// Returns the account with this id.
    pub fn account(&self, id: &str) -> Option<EntityIndex> {
        self.accounts.get(id).copied()
    }

    /// Returns the management account, where the snapshot names it and has it in the tree (S6).
    pub fn management_account(&self) -> Option<EntityIndex> {
        self.account(self.management_id.as_deref()?)
    }

    /// Returns the id of the management account, also where the tree has no such account.
    pub fn management_account_id(&self) -> Option<&str> {
        self.management_id.as_deref()
    }

    /// Returns whether `entity` is `ancestor` or lies below it.
    pub fn is_at_or_below(&self, entity: EntityIndex, ancestor: EntityIndex) -> bool {
        (ancestor.0..self.entity(ancestor).end).contains(&entity.0)
    }

    /// Returns the entities from the root down to `entity`, both included (S1).
    pub fn chain(&self, entity: EntityIndex) -> Vec<EntityIndex> {
        let mut chain: Vec<EntityIndex> =
            std::iter::successors(Some(entity), |index| self.entity(*index).parent).collect();
        chain.reverse();
        chain
    }

    /// Returns the accounts at or below `entity`, in the order of the entities; the management
    /// account is one of them.
    pub fn accounts_at_or_below(
        &self,
        entity: EntityIndex,
    ) -> impl Iterator<Item = EntityIndex> + '_ {
        (entity.0..self.entity(entity).end)
            .map(EntityIndex)
            .filter(|index| self.entity(*index).kind == EntityKind::Account)
    }

    /// Returns the service control policies of the snapshot in byte order of their ids, attached
    /// or not.
    pub fn policies(&self) -> &[AttachedPolicy] {
        &self.policies
    }

    /// Returns the index of the service control policy with this id.
    pub fn policy(&self, id: &str) -> Option<AttachedPolicyIndex> {
        let found = self.policies.binary_search_by(|policy| policy.id.as_str().cmp(id));
        found.ok().and_then(|position| u32::try_from(position).ok()).map(AttachedPolicyIndex)
    }

    /// Returns the policy of an index of this organization.
    ///
    /// # Panics
    /// If the index was made by an organization with more policies.
    pub fn attached_policy(&self, index: AttachedPolicyIndex) -> &AttachedPolicy {
        #[expect(clippy::indexing_slicing, reason = "an index is made from a position")]
        &self.policies[index.position()]
    }

    /// Returns the service control policies attached right at `entity`.
    pub fn policies_at(&self, entity: EntityIndex) -> impl Iterator<Item = &AttachedPolicy> {
        self.entity(entity).policies.iter().map(|index| self.attached_policy(*index))
    }

    /// Returns whether the policies decide which services are listed, or why they do not.
    pub const fn scope(&self) -> PolicyScope {
        self.scope
    }

    /// Returns the policies of other types, in byte order of their ids.
    pub fn other_policies(&self) -> &[OtherPolicy] {
        &self.other_policies
    }

    /// Returns the one-file form: JSON that [`Organization::load`] reads back to an equal
    /// organization. The same organization gives the same bytes. One that was made by
    /// [`Organization::flat`] is no snapshot, and reads back as one without policies.
    pub fn to_snapshot_json(&self) -> String {
        snapshot::to_json(self)
    }

    /// Returns the tree for people to read, one entity a line, hostile characters escaped.
    pub const fn tree(&self) -> Tree<'_> {
        Tree::new(self)
    }
}

/// One entity while the tree is being put together.
struct Node {
    id: String,
    kind: EntityKind,
    path: String,
    parent: Option<EntityIndex>,
    name: Option<String>,
    state: Option<String>,
}

/// Returns the index of a position; a snapshot of four thousand million entities is not read.
fn index_of(position: usize) -> EntityIndex {
    EntityIndex(u32::try_from(position).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests;
