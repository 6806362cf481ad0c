//! What is wrong with a snapshot, where, and what to do about it.

use std::io;

use crate::policy::PolicyError;

use crate::printable::printable;

/// Why a snapshot is no organization.
///
/// Every message names the file. Text of the snapshot in it is escaped, so that it can be printed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OrganizationError {
    /// The file or directory cannot be read.
    #[error("{file}")]
    Read {
        /// The file or directory.
        file: String,
        /// What the system says.
        source: io::Error,
    },
    /// The file is not JSON, or names a member twice.
    #[error("{file}: line {line}, column {column}: {reason}")]
    Json {
        /// The file.
        file: String,
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1.
        column: usize,
        /// What is wrong there.
        reason: String,
    },
    /// A JSON file of a directory is empty, as a failed call leaves it.
    #[error("{file}: empty file where a reply should be: repeat the call, or remove the file")]
    Empty {
        /// The file.
        file: String,
    },
    /// A member is missing or of another type than AWS's.
    #[error("{file}: `{place}` {problem}")]
    Member {
        /// The file.
        file: String,
        /// The place, such as `Accounts[3].Id`.
        place: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A reply was cut off.
    #[error("{file}: cut off: it has a `NextToken`: repeat the call for all pages, in one file")]
    CutOff {
        /// The file.
        file: String,
    },
    /// The path holds nothing that a snapshot is made of.
    #[error(
        "{file}: no organization snapshot: give one JSON file with `Organization`, `Roots`, \
         `Accounts`, …, a directory of AWS CLI replies (`--output json`) with that of \
         describe-organization, or an organization directory of PMapper"
    )]
    NotASnapshot {
        /// The file or directory.
        file: String,
    },
    /// A directory holds more than one snapshot.
    #[error("{file}: a snapshot of its own beside {other}: give one of them, not the directory")]
    TwoSnapshots {
        /// A file of one snapshot.
        file: String,
        /// A file of the other.
        other: String,
    },
    /// Something that a whole snapshot has is missing.
    #[error("{file}: {what} is missing: {remedy}")]
    Missing {
        /// The file or directory that should have it.
        file: String,
        /// What is missing.
        what: String,
        /// The call to make or the member to add.
        remedy: String,
    },
    /// Two places of the snapshot say different things of one id.
    #[error(
        "{file}: `{id}` has {member} `{first}` and, in {other}, `{second}`: collect the snapshot \
         again, at one time"
    )]
    Conflict {
        /// The file that says `first`.
        file: String,
        /// The entity, policy or organization.
        id: String,
        /// What differs.
        member: &'static str,
        /// What one file says.
        first: Box<str>,
        /// What the other says.
        second: Box<str>,
        /// The file that says `second`.
        other: String,
    },
    /// An id that no entity path can hold (O11).
    #[error("{file}: `{id}` is no {kind} id: it must be {pattern}")]
    Id {
        /// The file.
        file: String,
        /// The id.
        id: String,
        /// What it should be the id of.
        kind: &'static str,
        /// What such an id looks like.
        pattern: &'static str,
    },
    /// An entity path longer than IAM takes (O11).
    #[error(
        "{file}: the entity path of `{id}` is longer than 427 characters, which AWS does not have: \
         correct the tree"
    )]
    PathTooLong {
        /// The file.
        file: String,
        /// The entity.
        id: String,
    },
    /// There is no root.
    #[error("{file}: no root: add `Roots`, the reply of list-roots")]
    NoRoot {
        /// The file or directory.
        file: String,
    },
    /// There are two roots.
    #[error("{file}: two roots, `{first}` and `{second}`: an organization has one; split the file")]
    TwoRoots {
        /// The file with the second one.
        file: String,
        /// One root.
        first: String,
        /// The other.
        second: String,
    },
    /// An entity has two parents.
    #[error(
        "{file}: `{id}` has two parents, `{first}` and, in {other}, `{second}`: collect the \
         snapshot again, at one time"
    )]
    TwoParents {
        /// The file that names the first.
        file: String,
        /// The entity.
        id: String,
        /// One parent.
        first: String,
        /// The other.
        second: String,
        /// The file that names the second.
        other: String,
    },
    /// An account or unit has no parent.
    #[error(
        "{file}: {kind} `{id}` has no place in the tree: add `ParentId`, the reply of list-parents \
         for it, or that of list-{kind}s-for-parent with the parent's id in the file name"
    )]
    NoPlace {
        /// The file.
        file: String,
        /// `account` or `organizational-unit`.
        kind: &'static str,
        /// The entity.
        id: String,
    },
    /// A parent is nowhere in the snapshot, or is no root or unit.
    #[error(
        "{file}: the parent `{parent}` of `{id}` is no root or organizational unit of the \
         snapshot: add it, or correct the parent"
    )]
    NoParent {
        /// The file.
        file: String,
        /// The entity.
        id: String,
        /// Its parent.
        parent: String,
    },
    /// A place is given for an id that no list has.
    #[error(
        "{file}: `{id}` has a parent but is in no list of accounts or units: collect the snapshot \
         again, at one time"
    )]
    NotListed {
        /// The file.
        file: String,
        /// The id.
        id: String,
    },
    /// Units lie in each other.
    #[error("{file}: organizational units lie in each other, `{cycle}`: correct their parents")]
    Cycle {
        /// The file of the first.
        file: String,
        /// The ids with arrows from child to parent, the first one again at the end.
        cycle: String,
    },
    /// A policy is attached to nothing that the snapshot has.
    #[error(
        "{file}: policy `{id}` is attached to `{target}`, which is not in the tree: add it, or \
         collect the snapshot again"
    )]
    NoTarget {
        /// The file.
        file: String,
        /// The policy.
        id: String,
        /// The target.
        target: String,
    },
    /// The list of a policy's targets and the list of a target's policies disagree.
    #[error(
        "{file}: by one of it and {other}, policy `{id}` is attached to `{target}`, by the other \
         it is not: collect the snapshot again, at one time"
    )]
    Attachment {
        /// The file that describes the policy.
        file: String,
        /// The policy.
        id: String,
        /// The target.
        target: String,
        /// The file with the target's policies.
        other: String,
    },
    /// A service control policy comes without its document.
    #[error("{file}: policy `{id}` has no content: add the reply of describe-policy for it")]
    NoContent {
        /// The file.
        file: String,
        /// The policy.
        id: String,
    },
    /// A policy document is malformed (S10).
    #[error("{file}: policy `{id}` is malformed, correct its content")]
    Policy {
        /// The file.
        file: String,
        /// The policy.
        id: String,
        /// What is wrong, and where in the document.
        source: PolicyError,
    },
}

impl OrganizationError {
    /// Makes the error of a member, its place escaped.
    pub(super) fn member(file: &str, place: &str, problem: &'static str) -> Self {
        Self::Member { file: file.to_owned(), place: printable(place), problem }
    }
}
