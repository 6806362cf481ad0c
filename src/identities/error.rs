//! What is wrong with a snapshot, where, and what to do about it.

use std::io;

use crate::policy::PolicyError;

/// Why a snapshot tells no identities.
///
/// Every message names the file. Text of the snapshot in it is escaped, so that it can be printed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentitiesError {
    /// The file or directory cannot be read.
    #[error("{file}")]
    Read {
        /// The file or directory.
        file: String,
        /// What the system says.
        source: io::Error,
    },
    /// The file is not JSON, lacks a member, has one twice or one of another type than AWS's.
    #[error(
        "{file}: line {line}, column {column}: {reason}: collect the snapshot again, or remove the \
         file"
    )]
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
    /// A file of a directory may be a reply, but is no JSON in UTF-8.
    #[error(
        "{file}: no JSON in UTF-8, as a reply is: unpack or convert it, repeat the call, or remove \
         the file"
    )]
    OtherForm {
        /// The file.
        file: String,
    },
    /// The path holds no reply.
    #[error(
        "{file}: no identity snapshot: make one with `aws iam get-account-authorization-details \
         --output json > identities.json`"
    )]
    NotASnapshot {
        /// The file or directory.
        file: String,
    },
    /// A reply was cut off by the AWS CLI.
    #[error("{file}: cut off: it has a `NextToken`: repeat the call without `--max-items`")]
    CutOff {
        /// The file.
        file: String,
    },
    /// A reply is one page of several, of which the last is not there.
    #[error(
        "{file}: cut off: `IsTruncated` is true and no file has the last page: repeat the call \
         without `--no-paginate`, or add the other pages"
    )]
    LastPage {
        /// The file.
        file: String,
    },
    /// An ARN is not that of an entry of the list it stands in.
    #[error("{file}: `{arn}` in `{list}` is no ARN of a {kind}: correct it, or collect again")]
    Arn {
        /// The file.
        file: String,
        /// The list, such as `RoleDetailList`.
        list: &'static str,
        /// `user`, `group`, `role` or `policy`.
        kind: &'static str,
        /// What stands there.
        arn: String,
    },
    /// Two entries of one ARN or name say different things.
    #[error(
        "{file}: {entry} has another {member} here than in {other}: collect the snapshot again, \
         at one time"
    )]
    Conflict {
        /// The file that says one thing.
        file: String,
        /// The user, group, role or policy.
        entry: String,
        /// What differs.
        member: &'static str,
        /// The file that says the other thing; the same one if both stand in it.
        other: String,
    },
    /// It is not clear which version of a managed policy is in force.
    #[error("{file}: {entry} {problem}: collect the snapshot again")]
    DefaultVersion {
        /// The file.
        file: String,
        /// The policy.
        entry: String,
        /// What is wrong with its versions.
        problem: &'static str,
    },
    /// A policy document is not there, or is no text behind its URL encoding.
    #[error("{file}: {place} {problem}: correct the document")]
    Document {
        /// The file.
        file: String,
        /// Whose document it is.
        place: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A policy document is malformed (S10).
    #[error("{file}: {place} is malformed, correct the document")]
    Policy {
        /// The file.
        file: String,
        /// Whose document it is: ``role `NAME`, policy `NAME` ``.
        place: String,
        /// What is wrong, and where in the document.
        source: PolicyError,
    },
}
