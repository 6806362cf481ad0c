//! Names as IAM compares them: one of a kind in an account, without case, whatever the path.

use std::hash::{Hash, Hasher};

use hashbrown::Equivalent;

use super::IdentityKind;

/// A [`Name`] of its own.
#[derive(Clone, Debug)]
pub(super) struct NameKey {
    kind: IdentityKind,
    partition: Box<str>,
    account: Box<str>,
    name: Box<str>,
}

/// What names one identity at a time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name<'a> {
    /// The kind: a user and a role may have one name.
    pub(super) kind: IdentityKind,
    /// `aws`, `aws-cn`, …
    pub(super) partition: &'a str,
    /// The account.
    pub(super) account: &'a str,
    /// `UserName`, `GroupName`, `RoleName`, `PolicyName`.
    pub(super) name: &'a str,
}

impl From<Name<'_>> for NameKey {
    fn from(name: Name<'_>) -> Self {
        Self {
            kind: name.kind,
            partition: name.partition.into(),
            account: name.account.into(),
            name: name.name.into(),
        }
    }
}

impl NameKey {
    const fn borrowed(&self) -> Name<'_> {
        let Self { kind, partition, account, name } = self;
        Name { kind: *kind, partition, account, name }
    }
}

impl Hash for Name<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kind.hash(state);
        self.partition.hash(state);
        self.account.hash(state);
        for byte in self.name.bytes() {
            state.write_u8(byte.to_ascii_lowercase());
        }
    }
}

impl PartialEq for Name<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.account == other.account
            && self.partition == other.partition
            && self.name.eq_ignore_ascii_case(other.name)
    }
}

impl Eq for Name<'_> {}

impl Hash for NameKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.borrowed().hash(state);
    }
}

impl PartialEq for NameKey {
    fn eq(&self, other: &Self) -> bool {
        self.borrowed() == other.borrowed()
    }
}

impl Eq for NameKey {}

impl Equivalent<NameKey> for Name<'_> {
    fn equivalent(&self, key: &NameKey) -> bool {
        *self == key.borrowed()
    }
}
