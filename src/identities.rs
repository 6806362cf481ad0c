//! The users, groups, roles and managed policies of one or several accounts, and who is a member
//! of what and has what attached. It knows which documents decide for whom, not what they allow;
//! no log; and no clock: a snapshot is what was so when somebody took it.

mod build;
mod draft;
mod error;
mod files;
mod key;
mod reply;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use hashbrown::HashMap;

use crate::arn::Arn;
use crate::policy::Policy;
use crate::time::Time;

pub use error::IdentitiesError;

use key::{Name, NameKey};

/// The account in the ARNs of AWS's own managed policies.
const AWS: &str = "aws";

/// How many letters and digits a unique id has at least behind `AIDA` or `AROA`.
const UNIQUE_PART: usize = 12;

/// The place of an identity in [`Identities::identities`]; the order is the byte order of the
/// ARNs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdentityIndex(u32);

impl IdentityIndex {
    /// Returns the position, counted from 0, for tables that run beside the identities.
    pub const fn position(self) -> usize {
        self.0 as usize
    }
}

/// The place of a policy document in [`Identities::documents`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentIndex(u32);

impl DocumentIndex {
    /// Returns the position, counted from 0, for tables that run beside the documents.
    pub const fn position(self) -> usize {
        self.0 as usize
    }
}

/// What an identity is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdentityKind {
    /// A user.
    User,
    /// A group of users.
    Group,
    /// A role.
    Role,
    /// A managed policy: the account's own, or AWS's.
    Policy,
}

/// `RoleLastUsed`: what IAM itself says of a role's last use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleLastUsed {
    /// `LastUsedDate`.
    pub time: Time,
    /// `Region`.
    pub region: Option<String>,
}

/// A user, group, role or managed policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// What it is.
    pub kind: IdentityKind,
    /// `Arn`.
    pub arn: String,
    /// `UserName`, `GroupName`, `RoleName` or `PolicyName`; where the snapshot has none, the last
    /// part of the ARN.
    pub name: String,
    /// `UserId`, `GroupId`, `RoleId` or `PolicyId`; empty where the snapshot has none. It may be
    /// a placeholder that AWS would not give.
    pub id: String,
    /// `Path`, such as `/service-role/`; where the snapshot has none, that of the ARN.
    pub path: String,
    /// The account of the ARN; `aws` for AWS's own managed policies.
    pub account: String,
    /// `CreateDate`.
    pub create_date: Option<Time>,
    /// `RoleLastUsed` of a role that IAM has seen used.
    pub role_last_used: Option<RoleLastUsed>,
    /// The documents that decide which services are listed (I1), ascending, each once: its inline
    /// policies and the default versions of the managed policies attached to it, for a user also
    /// those of its groups; for a policy its own default version.
    pub documents: Vec<DocumentIndex>,
    /// Whose accesses count for it, ascending, each once: a user or role itself, the members of a
    /// group, the users and roles to which a policy is attached, directly or through a group.
    pub principals: Vec<IdentityIndex>,
    /// `PolicyName` of its inline policies, each with its document, in byte order.
    pub inline: Vec<(String, DocumentIndex)>,
    /// The managed policies attached to it, ascending.
    pub policies: Vec<IdentityIndex>,
    /// Of a user, the groups, ascending.
    pub groups: Vec<IdentityIndex>,
    /// What the snapshot lacks of what decides for it: ARNs of attached policies, and groups as
    /// `group/NAME`; in byte order, each once. For a policy, the groups of its accounts, to which
    /// it may be attached. If there is none, `documents` and `principals` are complete.
    pub missing: Vec<String>,
}

/// The identities of a snapshot, in byte order of their ARNs.
///
/// The same entries give the same value, whatever the files they stand in.
#[derive(Clone, Debug)]
pub struct Identities {
    // INVARIANT: in byte order of the ARNs, each once; `by_arn` knows each of them.
    identities: Vec<Identity>,
    by_arn: HashMap<String, IdentityIndex>,
    // INVARIANT: users and roles alone; an id that several bear is in `shared_ids` instead.
    by_id: HashMap<String, IdentityIndex>,
    by_role: HashMap<NameKey, IdentityIndex>,
    documents: Vec<Policy>,
    accounts: BTreeSet<String>,
    missing: BTreeMap<String, Vec<IdentityIndex>>,
    shared_ids: BTreeSet<String>,
    passed_over: Vec<String>,
}

/// Compares what the entries say, not the files: all else follows from that.
impl PartialEq for Identities {
    fn eq(&self, other: &Self) -> bool {
        self.identities == other.identities && self.documents == other.documents
    }
}

impl Identities {
    /// Reads the reply of `aws iam get-account-authorization-details` in a file, or all of them at
    /// and below a directory: several accounts, several pages.
    ///
    /// In a directory, text and JSON that is no such reply are passed over and named
    /// ([`Identities::passed_over`]); what may be one in another form is an error: a file named
    /// `.json` that begins like no JSON, UTF-16, gzip, zstd. The same entry may come twice if it says the same; of AWS's own managed policies,
    /// which accounts may have collected at different times, the newest version stands.
    ///
    /// # Errors
    /// A file that cannot be read or is broken, a reply that was cut off, a policy document that
    /// is malformed (S10), entries that contradict one another, and a path without any reply.
    /// Each names the file, the place and what to do. A policy that is attached but not in the
    /// snapshot is no error: see [`Identities::missing`].
    pub fn load(path: &Path) -> Result<Self, IdentitiesError> {
        files::load(path)
    }

    /// Returns every user, group, role and managed policy, in byte order of the ARNs.
    pub fn identities(&self) -> impl ExactSizeIterator<Item = (IdentityIndex, &Identity)> {
        self.identities.iter().enumerate().map(|(position, identity)| {
            (IdentityIndex(u32::try_from(position).unwrap_or(u32::MAX)), identity)
        })
    }

    /// Returns the identity of an index of this snapshot.
    ///
    /// # Panics
    /// If the index was made by a larger snapshot.
    pub fn identity(&self, index: IdentityIndex) -> &Identity {
        #[expect(clippy::indexing_slicing, reason = "an index is made from a position")]
        &self.identities[index.position()]
    }

    /// Returns the identity with exactly this ARN.
    pub fn find(&self, arn: &str) -> Option<IdentityIndex> {
        self.by_arn.get(arn).copied()
    }

    /// Returns the document of an index of this snapshot.
    ///
    /// # Panics
    /// If the index was made by a snapshot with more documents.
    pub fn document(&self, index: DocumentIndex) -> &Policy {
        #[expect(clippy::indexing_slicing, reason = "an index is made from a position")]
        &self.documents[index.position()]
    }

    /// Returns the documents that decide for some identity, each different one once; their order
    /// is that of the identities.
    pub fn documents(&self) -> &[Policy] {
        &self.documents
    }

    /// Returns the accounts of the users, groups, roles and the accounts' own managed policies.
    pub const fn accounts(&self) -> &BTreeSet<String> {
        &self.accounts
    }

    /// Returns the user or role of the snapshot whose access it is (I7, A8), by what the record
    /// tells of the principal.
    ///
    /// The one that alone bears the id, whatever its ARN was at the time: users are renamed and
    /// moved. Else the one with the ARN; a role's ARN without a path, which is what a session's
    /// tells, means the role of that name in its account, whatever its path. That one is refused
    /// if its own unique id is another one: then a former holder of the name acted, which was
    /// deleted. The root user and sessions are nobody.
    pub fn principal(&self, arn: Option<&str>, id: Option<&str>) -> Option<IdentityIndex> {
        if let Some(index) = id.and_then(|id| self.by_id.get(id)) {
            return Some(*index);
        }
        let index = self.holder(arn?)?;
        let own = self.identity(index).id.as_str();
        let is_own = is_unique_id(own) && !self.shared_ids.contains(own);
        let is_former = id.is_some_and(|id| is_own && id != own && is_unique_id(id));
        (!is_former).then_some(index)
    }

    /// Returns the user or role that an ARN names today.
    fn holder(&self, arn: &str) -> Option<IdentityIndex> {
        if let Some(index) = self.find(arn) {
            let is_principal =
                matches!(self.identity(index).kind, IdentityKind::User | IdentityKind::Role);
            return is_principal.then_some(index);
        }
        let Arn { partition, account, resource, .. } =
            Arn::parse(arn).filter(|arn| arn.service == "iam")?;
        let name = resource.strip_prefix("role/")?;
        let kind = IdentityKind::Role;
        self.by_role.get(&Name { kind, partition, account, name }).copied()
    }

    /// Returns what is attached or joined but not in the snapshot, ARNs of policies and groups as
    /// `group/NAME`, each with the identities that say so themselves, ascending.
    pub const fn missing(&self) -> &BTreeMap<String, Vec<IdentityIndex>> {
        &self.missing
    }

    /// Returns the files of the directory that are no replies, in byte order, as people read them.
    pub fn passed_over(&self) -> &[String] {
        &self.passed_over
    }

    /// Returns the ids that several users or roles bear: placeholders, by which activity cannot be
    /// told to be of one of them.
    pub const fn shared_ids(&self) -> &BTreeSet<String> {
        &self.shared_ids
    }
}

/// Returns whether an id is one that AWS gives to one user or role and to no other, ever.
fn is_unique_id(id: &str) -> bool {
    let part = id.strip_prefix("AIDA").or_else(|| id.strip_prefix("AROA"));
    part.is_some_and(|part| {
        part.len() >= UNIQUE_PART
            && part.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests;
