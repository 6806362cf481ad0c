//! What the files of a snapshot say: facts from any file in any order, which must not contradict
//! one another. Whether they make a tree is another matter.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use super::document::{self, Document};
use super::error::OrganizationError as Error;
use super::{EntityKind, Organization, pmapper, replies};
use crate::printable::printable;

/// Reads the snapshot at a path.
pub(super) fn load(path: &Path) -> Result<Organization, Error> {
    let is_directory = std::fs::metadata(path)
        .map_err(|source| Error::Read { file: printable(&path.to_string_lossy()), source })?
        .is_dir();
    let (origin, documents) = if is_directory {
        (path, document::read_directory(path)?)
    } else {
        let file = document::read_file(path)?;
        match path.parent() {
            // PMapper keeps the tree and the policies in two files side by side.
            Some(directory) if pmapper::is_tree(&file) => {
                let directory =
                    if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
                (directory, document::read_directory(directory)?)
            }
            _ => (path, vec![file]),
        }
    };
    let mut draft = Draft::new(printable(&origin.to_string_lossy()), is_directory);
    let (trees, others): (Vec<Document>, Vec<Document>) =
        documents.into_iter().partition(pmapper::is_tree);
    let replies: Vec<&Document> = others.iter().filter(|file| replies::is_reply(file)).collect();
    match (trees.as_slice(), replies.as_slice()) {
        ([], []) => return Err(Error::NotASnapshot { file: draft.origin }),
        ([], replies) => replies::add(&mut draft, replies)?,
        ([tree], []) => pmapper::add(&mut draft, tree, &others)?,
        ([tree, second, ..], _) => {
            return Err(Error::TwoSnapshots {
                file: tree.file.clone(),
                other: second.file.clone(),
            });
        }
        ([tree], [reply, ..]) => {
            return Err(Error::TwoSnapshots { file: tree.file.clone(), other: reply.file.clone() });
        }
    }
    draft.build()
}

/// What the files say so far.
pub(super) struct Draft {
    /// The path that was given.
    pub(super) origin: String,
    /// Whether the snapshot is the replies of many calls, of which some may be missing.
    pub(super) of_replies: bool,
    pub(super) organization: Option<(OrganizationFacts, String)>,
    /// The organization at the start of every path, with the file of the first.
    pub(super) path_start: Option<(String, String)>,
    pub(super) entities: BTreeMap<String, EntityFacts>,
    /// Child to parent, with the file that says so.
    pub(super) parents: BTreeMap<String, (String, String)>,
    pub(super) policies: BTreeMap<String, PolicyFacts>,
    /// Which lists the snapshot has.
    pub(super) lists: Lists,
    /// Whether service control policies are enabled, where the snapshot says so.
    pub(super) enabled: Option<bool>,
}

/// What is said of the organization as such.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OrganizationFacts {
    /// `Id`.
    pub(super) id: String,
    /// The management account's id.
    pub(super) management_id: Option<String>,
    /// The management account's address, where no id is given.
    pub(super) management_email: Option<String>,
}

/// What is said of a root, unit or account.
#[derive(Clone, Debug, Default)]
pub(super) struct EntityFacts {
    /// What it is; none until it is known.
    pub(super) kind: Option<EntityKind>,
    /// `Name`.
    pub(super) name: Option<String>,
    /// `State`.
    pub(super) state: Option<String>,
    /// `Status`, which `State` replaces.
    pub(super) status: Option<String>,
    /// `Email`.
    pub(super) email: Option<String>,
    /// The file that says so.
    pub(super) file: String,
}

/// What is said of a policy.
#[derive(Clone, Debug, Default)]
pub(super) struct PolicyFacts {
    /// `Name`.
    pub(super) name: Option<String>,
    /// `Type`.
    pub(super) policy_type: Option<String>,
    /// The document; text that is no JSON stays text.
    pub(super) content: Option<Value>,
    /// All targets, where a list of the policy's targets is there.
    pub(super) listed: Option<BTreeSet<String>>,
    /// The targets in whose own lists the policy stands, each with the file.
    pub(super) seen: BTreeMap<String, String>,
    /// The file that says so.
    pub(super) file: String,
}

/// Which lists the snapshot has: what is missing without anybody's notice would read as "never
/// accessed" (accounts) or "not allowed" (policies).
#[derive(Debug, Default)]
pub(super) struct Lists {
    /// All accounts of the organization.
    pub(super) accounts: bool,
    /// The roots and units whose accounts are listed.
    pub(super) accounts_of: BTreeSet<String>,
    /// The roots and units whose units are listed.
    pub(super) units_of: BTreeSet<String>,
    /// All service control policies of the organization, even if there are none.
    pub(super) policies: bool,
    /// The entities whose service control policies are listed, each with the file; whether the
    /// list has one, for an empty list may be one of another type.
    pub(super) policies_of: BTreeMap<String, (String, bool)>,
}

impl Draft {
    fn new(origin: String, of_replies: bool) -> Self {
        Self {
            origin,
            of_replies,
            organization: None,
            path_start: None,
            entities: BTreeMap::new(),
            parents: BTreeMap::new(),
            policies: BTreeMap::new(),
            lists: Lists::default(),
            enabled: None,
        }
    }

    /// Adds what a file says of the organization.
    pub(super) fn organization(
        &mut self,
        facts: OrganizationFacts,
        file: &str,
    ) -> Result<(), Error> {
        let Some((known, known_file)) = &mut self.organization else {
            self.organization = Some((facts, file.to_owned()));
            return Ok(());
        };
        let id = known.id.clone();
        let ends = Ends { id: &id, file: known_file, other: file };
        ends.agree("the id", &mut Some(known.id.clone()), Some(facts.id))?;
        ends.agree("the management account", &mut known.management_id, facts.management_id)?;
        ends.agree(
            "the management account's address",
            &mut known.management_email,
            facts.management_email,
        )
    }

    /// Adds what a file says of an entity.
    pub(super) fn entity(&mut self, id: &str, facts: EntityFacts) -> Result<(), Error> {
        let Some(known) = self.entities.get_mut(id) else {
            self.entities.insert(id.to_owned(), facts);
            return Ok(());
        };
        let ends = Ends { id, file: &known.file, other: &facts.file };
        let mut kind = known.kind.map(|kind| kind_word(kind).to_owned());
        ends.agree("the kind", &mut kind, facts.kind.map(|kind| kind_word(kind).to_owned()))?;
        known.kind = known.kind.or(facts.kind);
        ends.agree("the name", &mut known.name, facts.name)?;
        ends.agree("the state", &mut known.state, facts.state)?;
        ends.agree("the status", &mut known.status, facts.status)?;
        ends.agree("the address", &mut known.email, facts.email)
    }

    /// Adds that an entity of this kind exists.
    pub(super) fn mention(&mut self, id: &str, kind: EntityKind, file: &str) -> Result<(), Error> {
        let facts =
            EntityFacts { kind: Some(kind), file: file.to_owned(), ..EntityFacts::default() };
        self.entity(id, facts)
    }

    /// Adds that a path begins with this organization.
    pub(super) fn in_path(&mut self, organization: &str, file: &str) -> Result<(), Error> {
        let (known, known_file) =
            self.path_start.get_or_insert_with(|| (organization.to_owned(), file.to_owned()));
        let ends = Ends { id: known, file: known_file, other: file };
        ends.agree("the id", &mut Some(known.clone()), Some(organization.to_owned()))
    }

    /// Adds where an entity lies.
    pub(super) fn place(&mut self, child: &str, parent: &str, file: &str) -> Result<(), Error> {
        match self.parents.get(child) {
            None => {
                self.parents.insert(child.to_owned(), (parent.to_owned(), file.to_owned()));
                Ok(())
            }
            Some((known, _)) if known == parent => Ok(()),
            Some((known, known_file)) => Err(Error::TwoParents {
                file: known_file.clone(),
                id: printable(child),
                first: printable(known),
                second: printable(parent),
                other: file.to_owned(),
            }),
        }
    }

    /// Adds what a file says of a policy.
    pub(super) fn policy(&mut self, id: &str, facts: PolicyFacts) -> Result<(), Error> {
        let Some(known) = self.policies.get_mut(id) else {
            self.policies.insert(id.to_owned(), facts);
            return Ok(());
        };
        let ends = Ends { id, file: &known.file, other: &facts.file };
        ends.agree("the name", &mut known.name, facts.name)?;
        ends.agree("the type", &mut known.policy_type, facts.policy_type)?;
        ends.agree("the content", &mut known.content, facts.content)?;
        ends.agree("the targets", &mut known.listed, facts.listed)?;
        known.seen.extend(facts.seen);
        Ok(())
    }
}

/// The two files that say something of one id.
struct Ends<'a> {
    id: &'a str,
    file: &'a str,
    other: &'a str,
}

impl Ends<'_> {
    /// Checks that what is known and what is new do not differ, and keeps what is there.
    fn agree<T: PartialEq + Said>(
        &self,
        member: &'static str,
        known: &mut Option<T>,
        new: Option<T>,
    ) -> Result<(), Error> {
        match (known.as_ref(), new) {
            (Some(first), Some(second)) if *first != second => Err(Error::Conflict {
                file: self.file.to_owned(),
                id: printable(self.id),
                member,
                first: first.said().into(),
                second: second.said().into(),
                other: self.other.to_owned(),
            }),
            (None, new) => {
                *known = new;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// What a message can repeat.
trait Said {
    fn said(&self) -> String;
}

impl Said for String {
    fn said(&self) -> String {
        printable(self)
    }
}

impl Said for BTreeSet<String> {
    fn said(&self) -> String {
        let targets: Vec<String> = self.iter().map(|target| printable(target)).collect();
        targets.join(", ")
    }
}

impl Said for Value {
    fn said(&self) -> String {
        printable(&self.to_string())
    }
}

const fn kind_word(kind: EntityKind) -> &'static str {
    match kind {
        EntityKind::Root => "root",
        EntityKind::OrganizationalUnit => "organizational unit",
        EntityKind::Account => "account",
    }
}
