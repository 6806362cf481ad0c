//! What the files of a snapshot say: entries from any file in any order, which must not contradict
//! one another.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::BuildHasher as _;

use hashbrown::{DefaultHashBuilder, HashMap, HashTable};

use super::error::IdentitiesError as Error;
use super::key::{Name, NameKey};
use super::reply::{Detail, Document, Inline, Malformed, Reply, Version};
use super::{AWS, IdentityKind, RoleLastUsed};
use crate::arn::Arn;
use crate::json::Text;
use crate::policy::Policy;
use crate::printable::visible;
use crate::time::Time;

/// What the files say so far.
#[derive(Default)]
pub(super) struct Draft {
    /// By ARN.
    pub(super) entries: BTreeMap<String, Entry>,
    /// The ARN of each name. AWS's own managed policies are not in it: some have one name on two
    /// paths.
    pub(super) names: HashMap<NameKey, String>,
    pub(super) documents: Documents,
    pages: Vec<Page>,
}

/// What is said of a user, group, role or managed policy.
pub(super) struct Entry {
    pub(super) kind: IdentityKind,
    pub(super) name: String,
    pub(super) id: String,
    pub(super) path: String,
    pub(super) partition: String,
    pub(super) account: String,
    pub(super) create_date: Option<Time>,
    pub(super) role_last_used: Option<RoleLastUsed>,
    /// Names and documents, in order.
    pub(super) inline: Vec<(String, Draw)>,
    /// ARNs, in order, each once.
    pub(super) attached: Vec<String>,
    /// Names, in order, each once.
    pub(super) groups: Vec<String>,
    /// Of a policy: the version in force, or all that were so when AWS's own was collected.
    pub(super) versions: BTreeMap<VersionKey, (Draw, usize)>,
    /// The position of the file in the draft's pages.
    file: usize,
}

/// The place of a document among those drafted.
pub(super) type Draw = u32;

/// A version's number, and its id for those that have none: `v9` comes before `v12`.
pub(super) type VersionKey = (u64, String);

/// One file.
struct Page {
    file: String,
    is_last: bool,
    /// Whether it has no entry at all: then it ends nobody's list.
    is_empty: bool,
    /// Whose entries it has.
    accounts: BTreeSet<String>,
}

/// The different documents.
#[derive(Default)]
pub(super) struct Documents {
    /// In the order in which they were met.
    pub(super) list: Vec<Policy>,
    /// Each with its hash: to hash a document takes longer than to look it up.
    known: HashTable<(u64, Draw)>,
    hasher: DefaultHashBuilder,
    /// Those of AWS's own policies by their JSON: the same ones come with every account.
    of_aws: HashMap<Box<str>, Draw>,
}

impl Documents {
    fn read(&mut self, document: Document<'_>, is_aws: bool) -> Result<Draw, Malformed> {
        if !is_aws {
            return Ok(self.add(document.policy()?));
        }
        if let Some(draw) = self.of_aws.get(document.json()) {
            return Ok(*draw);
        }
        let draw = self.add(document.policy()?);
        self.of_aws.insert(document.json().into(), draw);
        Ok(draw)
    }

    fn add(&mut self, policy: Policy) -> Draw {
        let Self { list, known, hasher, .. } = self;
        let hash = hasher.hash_one(&policy);
        let is_same =
            |known: &(u64, Draw)| known.0 == hash && list.get(known.1 as usize) == Some(&policy);
        if let Some((_, draw)) = known.find(hash, is_same) {
            return *draw;
        }
        // A snapshot of four thousand million documents is not read.
        let draw = Draw::try_from(list.len()).unwrap_or(Draw::MAX);
        list.push(policy);
        known.insert_unique(hash, (hash, draw), |known| known.0);
        draw
    }
}

impl Draft {
    /// Adds what a file says.
    pub(super) fn reply(&mut self, file: String, reply: Reply<'_>) -> Result<(), Error> {
        if reply.next_token.is_some() {
            return Err(Error::CutOff { file });
        }
        let is_last = reply.is_last();
        let at = self.pages.len();
        self.pages.push(Page { file, is_last, is_empty: true, accounts: BTreeSet::new() });
        reply.entries().try_for_each(|(kind, detail)| self.entry(kind, detail, at))
    }

    /// Checks that the last page of every account is there.
    ///
    /// A last page without entries of an account, which the long list of AWS's own policies makes,
    /// may be that of any account, but only of one.
    pub(super) fn check_pages(&self) -> Result<(), Error> {
        let is_last = |page: &&Page| page.is_last && !page.is_empty;
        let last: Vec<&Page> = self.pages.iter().filter(is_last).collect();
        let mut spare = last.iter().filter(|page| page.accounts.is_empty()).count();
        let mut closed: BTreeSet<&str> =
            last.iter().flat_map(|page| &page.accounts).map(String::as_str).collect();
        for page in self.pages.iter().filter(|page| !page.is_last) {
            let without = Error::LastPage { file: page.file.clone() };
            if last.is_empty() {
                return Err(without);
            }
            for account in &page.accounts {
                if closed.insert(account) {
                    spare = spare
                        .checked_sub(1)
                        .ok_or_else(|| Error::LastPage { file: page.file.clone() })?;
                }
            }
        }
        Ok(())
    }

    fn file(&self, at: usize) -> String {
        self.pages.get(at).map(|page| page.file.clone()).unwrap_or_default()
    }

    fn entry(&mut self, kind: IdentityKind, detail: Detail<'_>, at: usize) -> Result<(), Error> {
        if let Some(page) = self.pages.get_mut(at) {
            page.is_empty = false;
        }
        let wrong = || Error::Arn {
            file: self.file(at),
            list: list(kind),
            kind: word(kind),
            arn: visible(&detail.arn).into_owned(),
        };
        let arn = Arn::parse(&detail.arn).filter(|arn| arn.service == "iam").ok_or_else(wrong)?;
        let (path, last) = path_and_name(kind, arn.resource).ok_or_else(wrong)?;
        if arn.account.is_empty() {
            return Err(wrong());
        }
        let is_set = |text: &Text<'_>| !text.0.is_empty();
        let name = detail.policy_name.filter(is_set).map_or(Cow::Borrowed(last), |name| name.0);
        let title = format!("{} `{}`", word(kind), visible(&name));
        let mut entry = Entry {
            kind,
            id: detail.policy_id.map(|id| id.0.into_owned()).unwrap_or_default(),
            path: detail.path.filter(is_set).map_or(path, |path| path.0).into_owned(),
            partition: arn.partition.to_owned(),
            account: arn.account.to_owned(),
            name: name.into_owned(),
            create_date: detail.create_date.map(|stamp| stamp.0),
            role_last_used: detail.role_last_used.and_then(|used| {
                let region = used.region.map(|region| region.0.into_owned());
                Some(RoleLastUsed { time: used.last_used_date?.0, region })
            }),
            inline: Vec::new(),
            attached: Vec::new(),
            groups: Vec::new(),
            versions: BTreeMap::new(),
            file: at,
        };
        if kind == IdentityKind::Policy {
            let named = detail.default_version_id.as_ref().map(|id| id.0.as_ref());
            let versions = detail.policy_version_list.unwrap_or_default();
            let (key, document) = self.default_version(versions, named, &title, at)?;
            let place = || format!("{title}, version `{}`", visible(&key.1));
            let draw = self.document(document, entry.account == AWS, place, at)?;
            entry.versions.insert(key, (draw, at));
        } else {
            entry.inline = self.inline(detail.user_policy_list.unwrap_or_default(), &title, at)?;
            let attached = detail.attached_managed_policies.unwrap_or_default();
            entry.attached = sorted(attached.into_iter().map(|it| it.policy_arn.into_owned()));
            let groups = detail.group_list.unwrap_or_default();
            entry.groups = sorted(groups.into_iter().map(|group| group.0.into_owned()));
        }
        self.insert(detail.arn.into_owned(), entry, &title)
    }

    fn inline(
        &mut self,
        list: Vec<Inline<'_>>,
        title: &str,
        at: usize,
    ) -> Result<Vec<(String, Draw)>, Error> {
        let mut inline = Vec::with_capacity(list.len());
        for (position, policy) in list.into_iter().enumerate() {
            let name = policy.policy_name.map(|name| name.0.into_owned());
            let place = || {
                let number = || format!("policy {}", position + 1);
                let name = name.as_ref().map(|name| format!("policy `{}`", visible(name)));
                format!("{title}, {}", name.unwrap_or_else(number))
            };
            let draw = self.document(policy.policy_document, false, place, at)?;
            inline.push((name.unwrap_or_default(), draw));
        }
        inline.sort_unstable();
        inline.dedup();
        Ok(inline)
    }

    /// Finds the version of a managed policy that is in force: the one that is marked so, else the
    /// one that the policy names.
    fn default_version<'a>(
        &self,
        versions: Vec<Version<'a>>,
        named: Option<&str>,
        title: &str,
        at: usize,
    ) -> Result<(VersionKey, Option<Document<'a>>), Error> {
        let is_named = |version: &Version<'_>| {
            named.is_some() && version.version_id.as_ref().map(|id| id.0.as_ref()) == named
        };
        let is_marked = |version: &Version<'_>| version.is_default_version == Some(true);
        let marked = versions.iter().filter(|version| is_marked(version)).count();
        let wrong = |problem| Error::DefaultVersion {
            file: self.file(at),
            entry: title.to_owned(),
            problem,
        };
        let is_another = |version: &Version<'_>| is_marked(version) && !is_named(version);
        if named.is_some() && marked == 1 && versions.iter().any(is_another) {
            return Err(wrong("marks another version as its default than it names"));
        }
        let mut candidates = versions.into_iter().filter(|version| match marked {
            0 => is_named(version),
            1 => is_marked(version),
            _ => is_marked(version) && is_named(version),
        });
        let version = candidates.next().ok_or_else(|| {
            wrong(if marked == 0 {
                "has no default version"
            } else {
                "has several default versions and names none of them"
            })
        })?;
        if candidates.next().is_some() {
            return Err(wrong("has its default version twice"));
        }
        let id = version.version_id.map(|id| id.0).or_else(|| named.map(Cow::Borrowed));
        let id = id.unwrap_or_default();
        let number = id.strip_prefix('v').and_then(|number| number.parse().ok()).unwrap_or(0);
        Ok(((number, id.into_owned()), version.document))
    }

    /// Adds a document (S10).
    fn document(
        &mut self,
        document: Option<Document<'_>>,
        is_aws: bool,
        place: impl Fn() -> String,
        at: usize,
    ) -> Result<Draw, Error> {
        let read = match document {
            Some(document) => self.documents.read(document, is_aws),
            None => return Err(self.wrong_document(at, place(), "has no document")),
        };
        read.map_err(|malformed| match malformed {
            Malformed::Encoding => {
                self.wrong_document(at, place(), "is no UTF-8 once it is URL-decoded")
            }
            Malformed::Policy(source) => {
                Error::Policy { file: self.file(at), place: place(), source }
            }
        })
    }

    fn wrong_document(&self, at: usize, place: String, problem: &'static str) -> Error {
        Error::Document { file: self.file(at), place, problem }
    }

    /// Adds an entry, which may have come before if it says the same.
    fn insert(&mut self, arn: String, entry: Entry, title: &str) -> Result<(), Error> {
        let conflict = |files: &[Page], file: usize, other: usize, member| {
            let name = |at: usize| files.get(at).map(|page| page.file.clone()).unwrap_or_default();
            let (file, other) = (name(file), name(other));
            Error::Conflict { file, entry: title.to_owned(), member, other }
        };
        if entry.account != AWS {
            if let Some(page) = self.pages.get_mut(entry.file) {
                page.accounts.insert(entry.account.clone());
            }
            let holder = self.names.entry(entry.name_key().into()).or_insert_with(|| arn.clone());
            if *holder != arn {
                let other = self.entries.get(holder).map_or(entry.file, |known| known.file);
                return Err(conflict(&self.pages, entry.file, other, "ARN"));
            }
        }
        let Some(known) = self.entries.get_mut(&arn) else {
            self.entries.insert(arn, entry);
            return Ok(());
        };
        let (file, other) = (entry.file, known.file);
        let merged = if entry.account == AWS { known.merge_aws(entry) } else { known.merge(entry) };
        merged.map_err(|(member, version_of)| {
            conflict(&self.pages, file, version_of.unwrap_or(other), member)
        })
    }
}

/// What differs between two entries, and, for a version, the position of the file that had it
/// first.
type Difference = (&'static str, Option<usize>);

impl Entry {
    /// Returns what IAM allows one entry alone to have.
    pub(super) fn name_key(&self) -> Name<'_> {
        let Self { kind, partition, account, name, .. } = self;
        Name { kind: *kind, partition, account, name }
    }

    /// Adds what an entry of the same ARN says.
    fn merge(&mut self, other: Self) -> Result<(), Difference> {
        let differs = |member| Err((member, None));
        let both = |one: &str, other: &str| !one.is_empty() && !other.is_empty();
        if both(&self.id, &other.id) && self.id != other.id {
            return differs("id");
        }
        if self.path != other.path {
            return differs("path");
        }
        if self.name != other.name {
            return differs("name");
        }
        if self.create_date.zip(other.create_date).is_some_and(|(one, other)| one != other) {
            return differs("creation date");
        }
        if self.attached != other.attached {
            return differs("set of attached policies");
        }
        if self.groups != other.groups {
            return differs("set of groups");
        }
        if self.inline != other.inline {
            return differs("set of inline policies");
        }
        let in_force =
            |entry: &Self| entry.versions.iter().map(|(key, it)| (key.clone(), it.0)).next();
        if in_force(self) != in_force(&other) {
            return differs("default version");
        }
        if self.id.is_empty() {
            self.id = other.id;
        }
        self.create_date = self.create_date.or(other.create_date);
        let used = |used: &Option<RoleLastUsed>| {
            used.as_ref().map(|used| (used.time, used.region.clone()))
        };
        if used(&other.role_last_used) > used(&self.role_last_used) {
            self.role_last_used = other.role_last_used;
        }
        Ok(())
    }

    /// Adds another account's view of one of AWS's own policies: all say the same, but not all at
    /// the same time.
    fn merge_aws(&mut self, other: Self) -> Result<(), Difference> {
        for (key, (draw, file)) in other.versions {
            match self.versions.get(&key) {
                Some((known, first)) if *known != draw => {
                    return Err(("document of one version", Some(*first)));
                }
                Some(_) => {}
                None => _ = self.versions.insert(key, (draw, file)),
            }
        }
        if self.id.is_empty() || (!other.id.is_empty() && other.id < self.id) {
            self.id = other.id;
        }
        if self.path > other.path {
            self.path = other.path;
        }
        if self.name > other.name {
            self.name = other.name;
        }
        self.create_date = [self.create_date, other.create_date].into_iter().flatten().min();
        Ok(())
    }
}

fn sorted(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut texts: Vec<String> = texts.collect();
    texts.sort_unstable();
    texts.dedup();
    texts
}

/// Returns the path, such as `/team/`, and the name of `role/team/NAME`.
fn path_and_name(kind: IdentityKind, resource: &str) -> Option<(Cow<'_, str>, &str)> {
    let behind = resource.strip_prefix(word(kind))?.strip_prefix('/')?;
    let (path, name) = match behind.rsplit_once('/') {
        Some((path, name)) => (Cow::Owned(format!("/{path}/")), name),
        None => (Cow::Borrowed("/"), behind),
    };
    (!name.is_empty()).then_some((path, name))
}

/// Returns what ARNs and messages call a kind.
const fn word(kind: IdentityKind) -> &'static str {
    match kind {
        IdentityKind::User => "user",
        IdentityKind::Group => "group",
        IdentityKind::Role => "role",
        IdentityKind::Policy => "policy",
    }
}

const fn list(kind: IdentityKind) -> &'static str {
    match kind {
        IdentityKind::User => "UserDetailList",
        IdentityKind::Group => "GroupDetailList",
        IdentityKind::Role => "RoleDetailList",
        IdentityKind::Policy => "Policies",
    }
}
