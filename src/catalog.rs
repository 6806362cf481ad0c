//! The services, their actions, and which event belongs to which (C1–C3).
//!
//! Knows facts that AWS publishes, and no log, no account and no policy: what a policy allows of a
//! service is decided elsewhere. The facts lie in `catalog/table.tsv`, made by a test from the
//! published files.

use std::path::Path;
use std::sync::OnceLock;

use hashbrown::HashMap;

mod event;
mod reference;
mod set;
mod table;

#[cfg(test)]
mod tests;

pub use reference::CatalogError;
pub use set::ServiceSet;
pub(crate) use set::bits;

use event::EventSource;

/// The services of AWS with their actions, and the tables that lead from an event to them (C1).
#[derive(Clone, Debug)]
pub struct Catalog {
    version: String,
    date: String,
    // INVARIANT: in byte order of `namespace`, each once, at most `u16::MAX` of them.
    services: Vec<Service>,
    // INVARIANT: each once; every `PatternIndex` of an action points into it.
    patterns: Vec<String>,
    // INVARIANT: in byte order of `host`, each once.
    sources: Vec<EventSource>,
}

/// The place of a service in [`Catalog::services`]; its order is the byte order of the namespaces.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ServiceIndex(u16);

impl ServiceIndex {
    /// Returns the position in [`Catalog::services`].
    pub const fn position(self) -> usize {
        self.0 as usize
    }
}

/// One service, as the reports name it.
#[derive(Clone, Debug)]
pub struct Service {
    /// `ServiceNamespace`: the prefix of its actions, such as `s3`.
    pub namespace: String,
    /// `ServiceName`, as AWS prints it, such as `Amazon S3`.
    pub name: String,
    /// Whether reports list it; a retired service is known but no longer listed.
    pub listed: bool,
    // INVARIANT: in byte order of `name`, each once even without case.
    actions: Vec<Action>,
    // INVARIANT: the positions in `actions`, in the order of their names without case.
    without_case: Vec<u16>,
}

/// One IAM action of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// The name behind the namespace, such as `GetObject`.
    pub name: String,
    /// Whether IAM tracks it at `ACTION_LEVEL` (I4).
    pub tracked: bool,
    /// What a policy's `Resource` can name for it.
    pub resources: Resources,
}

/// The resources that an action can have (S4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resources {
    /// Not published: any resource is possible.
    Unknown,
    /// No resource type: only `*` names what the action works on.
    None,
    /// The ARN patterns of its resource types, never empty.
    Patterns(Vec<PatternIndex>),
}

/// The place of an ARN pattern in a catalogue; see [`Catalog::pattern`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PatternIndex(u32);

impl Catalog {
    /// Returns the catalogue that the program carries.
    pub fn embedded() -> &'static Self {
        static EMBEDDED: OnceLock<Catalog> = OnceLock::new();
        EMBEDDED.get_or_init(|| {
            table::parse(include_str!("catalog/table.tsv"))
                .expect("the table is as its generator wrote it, which a test checks")
        })
    }

    /// Reads a newer catalogue (C3): a folder of the service reference's JSON files, flat or as
    /// published (`v1/<service>/<service>.json`).
    ///
    /// The files add to the embedded facts and win over them: an action that a file describes is as
    /// the file says, one that it lacks stays as embedded, since the reference is known not to name
    /// every action. Names, listing and event sources of known services stay as embedded; a new
    /// service is listed under its namespace. The files carry no date: [`Self::date`] stays that of
    /// the embedded facts, and [`Self::version`] tells folders apart by a checksum.
    ///
    /// # Errors
    ///
    /// A folder that cannot be read or holds no such file, a broken file, two files that differ
    /// over one service.
    pub fn load(folder: &Path) -> Result<Self, CatalogError> {
        reference::load(folder, Self::embedded())
    }

    /// Returns what the facts were made from, in words.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Returns the day of the newest dated fact, `2026-01-31`.
    pub fn date(&self) -> &str {
        &self.date
    }

    /// Returns every service, retired ones among them, in byte order of the namespaces.
    pub fn services(&self) -> &[Service] {
        &self.services
    }

    /// Returns every service with its index, in the order of [`Self::services`].
    pub fn indexed_services(&self) -> impl Iterator<Item = (ServiceIndex, &Service)> {
        self.services.iter().zip(0..).map(|(service, position)| (ServiceIndex(position), service))
    }

    /// Returns the service at `index`.
    ///
    /// # Panics
    ///
    /// If `index` comes from another catalogue with more services.
    pub fn service(&self, index: ServiceIndex) -> &Service {
        self.services.get(index.position()).expect("an index is used with its own catalogue")
    }

    /// Finds the service of a namespace, compared without case.
    pub fn find(&self, namespace: &str) -> Option<ServiceIndex> {
        // Namespaces hold no capital letter, so their byte order is that without case too.
        let found = self
            .services
            .binary_search_by(|service| compare_without_case(&service.namespace, namespace));
        u16::try_from(found.ok()?).ok().map(ServiceIndex)
    }

    /// Returns the actions of a service in byte order of their names; none if they are not
    /// published (S9).
    pub fn actions(&self, index: ServiceIndex) -> &[Action] {
        &self.service(index).actions
    }

    /// Finds an action of a service by its name, compared without case (S5).
    pub fn action(&self, index: ServiceIndex, name: &str) -> Option<&Action> {
        self.actions(index).get(self.action_position(index, name)?)
    }

    /// Finds the position of an action in [`Self::actions`] by its name, compared without case.
    pub fn action_position(&self, index: ServiceIndex, name: &str) -> Option<usize> {
        self.service(index).position(name)
    }

    /// Returns an ARN pattern: six fields as published, with `*` for every placeholder (S8).
    ///
    /// # Panics
    ///
    /// If `index` comes from another catalogue with more patterns.
    pub fn pattern(&self, index: PatternIndex) -> &str {
        let position = index.0 as usize;
        self.patterns.get(position).expect("an index is used with its own catalogue")
    }

    /// Returns the services that reports list.
    pub fn listed(&self) -> ServiceSet {
        let mut listed = ServiceSet::empty(self);
        for (index, service) in self.indexed_services() {
            if service.listed {
                listed.insert(index);
            }
        }
        listed
    }
}

impl Service {
    /// Makes a service of actions in any order, each name once even without case.
    fn new(namespace: String, name: String, listed: bool, mut actions: Vec<Action>) -> Self {
        actions.sort_by(|a, b| a.name.cmp(&b.name));
        let mut order: Vec<(&str, u16)> =
            actions.iter().map(|action| action.name.as_str()).zip(0..).collect();
        order.sort_by(|(a, _), (b, _)| compare_without_case(a, b));
        let without_case = order.into_iter().map(|(_, position)| position).collect();
        Self { namespace, name, listed, actions, without_case }
    }

    fn action(&self, name: &str) -> Option<&Action> {
        self.actions.get(self.position(name)?)
    }

    fn position(&self, name: &str) -> Option<usize> {
        let at = |position: &u16| self.actions.get(usize::from(*position));
        let found = self.without_case.binary_search_by(|position| {
            at(position)
                .map_or(std::cmp::Ordering::Less, |action| compare_without_case(&action.name, name))
        });
        self.without_case.get(found.ok()?).map(|position| usize::from(*position))
    }
}

/// ARN patterns, each once.
#[derive(Default)]
struct Interned {
    patterns: Vec<String>,
    known: HashMap<String, PatternIndex>,
}

impl Interned {
    /// Returns the place of a pattern, a new one at the end; none if there is no more place.
    fn intern(&mut self, pattern: &str) -> Option<PatternIndex> {
        if let Some(index) = self.known.get(pattern) {
            return Some(*index);
        }
        let index = PatternIndex(u32::try_from(self.patterns.len()).ok()?);
        self.patterns.push(pattern.to_owned());
        self.known.insert(pattern.to_owned(), index);
        Some(index)
    }
}

/// Compares two names as IAM does: ASCII letters without case.
fn compare_without_case(a: &str, b: &str) -> std::cmp::Ordering {
    let a = a.bytes().map(|byte| byte.to_ascii_lowercase());
    a.cmp(b.bytes().map(|byte| byte.to_ascii_lowercase()))
}
