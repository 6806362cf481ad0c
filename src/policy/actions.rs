//! The catalog's actions, numbered, and sets of them; knows no policy beyond the patterns of actions.

use std::ops::Range;

use hashbrown::HashMap;

use super::pattern::{ActionPattern, ArnPattern, Glob};
use crate::catalog::{Action, Catalog, Resources, ServiceIndex, bits};

/// Actions of the table, one bit each, 64 to a word.
///
/// A policy mostly names some actions of some services: only the words with a bit are kept.
#[derive(Clone, Debug, Default)]
pub(super) struct ActionSet {
    // INVARIANT: ascending by place, each place once, no word is zero.
    /// Words with their places: that of action `a` is `a / 64`.
    words: Vec<(usize, u64)>,
}

impl ActionSet {
    /// Returns the set of the first so many actions.
    fn of_first(count: usize) -> Self {
        let mut words: Vec<(usize, u64)> = (0..count / 64).map(|at| (at, u64::MAX)).collect();
        if !count.is_multiple_of(64) {
            words.push((count / 64, (1 << (count % 64)) - 1));
        }
        Self { words }
    }

    /// Returns the words from a place on.
    fn from(&self, at: usize) -> &[(usize, u64)] {
        let first = self.words.partition_point(|(place, _)| *place < at);
        self.words.get(first..).unwrap_or_default()
    }

    fn word(&self, at: usize) -> u64 {
        self.from(at).first().filter(|(place, _)| *place == at).map_or(0, |(_, word)| *word)
    }

    pub(super) fn insert(&mut self, action: usize) {
        self.add(action / 64, 1 << (action % 64));
    }

    /// Adds the actions of a word.
    fn add(&mut self, at: usize, added: u64) {
        // They mostly come in order.
        let is_last = self.words.last().is_none_or(|(place, _)| *place < at);
        let position =
            if is_last { self.words.len() } else { self.words.partition_point(|it| it.0 < at) };
        match self.words.get_mut(position) {
            Some((place, word)) if *place == at => *word |= added,
            _ => self.words.insert(position, (at, added)),
        }
    }

    pub(super) fn contains(&self, action: usize) -> bool {
        self.word(action / 64) >> (action % 64) & 1 == 1
    }

    pub(super) fn union_with(&mut self, other: &Self) {
        if self.words.is_empty() {
            self.words.clone_from(&other.words);
            return;
        }
        other.words.iter().for_each(|(at, word)| self.add(*at, *word));
    }

    pub(super) fn intersect_with(&mut self, other: &Self) {
        self.change_by(other, |word, of_other| word & of_other);
    }

    pub(super) fn subtract(&mut self, other: &Self) {
        self.change_by(other, |word, of_other| word & !of_other);
    }

    /// Makes of each word and the one of `other` at its place another.
    fn change_by(&mut self, other: &Self, change: impl Fn(u64, u64) -> u64) {
        let mut others = other.words.as_slice();
        self.words.retain_mut(|(at, word)| {
            while let [(place, _), behind @ ..] = others
                && *place < *at
            {
                others = behind;
            }
            let of_other = others.first().filter(|(place, _)| place == at);
            *word = change(*word, of_other.map_or(0, |(_, word)| *word));
            *word != 0
        });
    }

    /// Returns the actions of the set that lie in the range, ascending.
    pub(super) fn within(&self, range: Range<usize>) -> impl Iterator<Item = usize> + '_ {
        let end = range.end.div_ceil(64);
        let words = self.from(range.start / 64).iter().take_while(move |(at, _)| *at < end);
        let actions =
            words.flat_map(|(at, word)| bits(*word).map(move |bit| at * 64 + usize::from(bit)));
        actions.filter(move |action| range.contains(action))
    }
}

/// The resources that one ARN format, or the lack of any, makes possible.
///
/// [`STAR`] is the `*` of actions without resource types: no ARN pattern matches it.
pub(super) type UniverseIndex = usize;

/// The universe whose only text is `*`.
pub(super) const STAR: UniverseIndex = 0;
/// The universe of every ARN.
const EVERY_ARN: UniverseIndex = 1;

/// Every action of every listed service, numbered service after service.
///
/// A service without published actions has one, which has no name (S9).
#[derive(Debug)]
pub(super) struct ActionTable {
    /// In the order of their actions.
    services: Vec<(ServiceIndex, Range<usize>)>,
    /// Per action its name in lower case; empty if it has none.
    names: Vec<String>,
    /// Per action where its universes end in `universes`.
    ends: Vec<usize>,
    universes: Vec<UniverseIndex>,
    /// Per universe its pattern; none for [`STAR`].
    formats: Vec<Option<(ArnPattern, Glob)>>,
}

impl ActionTable {
    pub(super) fn new(catalog: &Catalog) -> Self {
        let every = ArnPattern::every();
        let every_glob = every.glob();
        let mut table = Self {
            services: Vec::new(),
            names: Vec::new(),
            ends: Vec::new(),
            universes: Vec::new(),
            formats: vec![None, Some((every, every_glob))],
        };
        let mut known = HashMap::new();
        for service in catalog.listed().iter() {
            let from = table.names.len();
            for action in catalog.actions(service) {
                table.push(catalog, action, &mut known);
            }
            if table.names.len() == from {
                table.push_nameless();
            }
            table.services.push((service, from..table.names.len()));
        }
        table
    }

    fn push(
        &mut self,
        catalog: &Catalog,
        action: &Action,
        known: &mut HashMap<ArnPattern, UniverseIndex>,
    ) {
        match &action.resources {
            Resources::Unknown => self.universes.extend([STAR, EVERY_ARN]),
            Resources::None => self.universes.push(STAR),
            Resources::Patterns(patterns) => {
                for &pattern in patterns {
                    // A format that is no ARN says nothing: any resource is possible.
                    let universe = match ArnPattern::of_format(catalog.pattern(pattern)) {
                        Some(format) => *known.entry(format).or_insert_with_key(|format| {
                            self.formats.push(Some((format.clone(), format.glob())));
                            self.formats.len() - 1
                        }),
                        None => EVERY_ARN,
                    };
                    self.universes.push(universe);
                }
            }
        }
        self.names.push(action.name.to_lowercase());
        self.ends.push(self.universes.len());
    }

    fn push_nameless(&mut self) {
        self.universes.extend([STAR, EVERY_ARN]);
        self.names.push(String::new());
        self.ends.push(self.universes.len());
    }

    /// Returns the services of the actions of a set with the numbers of all of their actions.
    pub(super) fn services_of<'s>(
        &'s self,
        set: &'s ActionSet,
    ) -> impl Iterator<Item = (ServiceIndex, Range<usize>)> + 's {
        let mut services = self.services.iter();
        let (mut rest, mut from) = (set.words.as_slice(), 0_usize);
        std::iter::from_fn(move || {
            loop {
                let [(at, word), behind @ ..] = rest else { return None };
                let told = from.saturating_sub(at * 64);
                let untold = if told < 64 { word & (u64::MAX << told) } else { 0 };
                if untold == 0 {
                    rest = behind;
                    continue;
                }
                let action = at * 64 + untold.trailing_zeros() as usize;
                let (service, range) = services.find(|(_, range)| range.contains(&action))?;
                from = range.end;
                return Some((*service, range.clone()));
            }
        })
    }

    /// Returns the numbers of a service's actions; none if it is not listed.
    pub(super) fn actions(&self, service: ServiceIndex) -> Range<usize> {
        let at = self.services.binary_search_by_key(&service, |(service, _)| *service);
        at.ok().and_then(|at| self.services.get(at)).map_or(0..0, |(_, range)| range.clone())
    }

    /// Returns the number of actions.
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// Returns the set of all actions.
    pub(super) fn every(&self) -> ActionSet {
        ActionSet::of_first(self.len())
    }

    /// Whether the action has a published name.
    pub(super) fn is_named(&self, action: usize) -> bool {
        self.names.get(action).is_some_and(|name| !name.is_empty())
    }

    /// Returns the universes of an action's resources.
    pub(super) fn universes(&self, action: usize) -> &[UniverseIndex] {
        let end = |at: usize| self.ends.get(at).copied().unwrap_or_default();
        let from = action.checked_sub(1).map_or(0, end);
        self.universes.get(from..end(action)).unwrap_or_default()
    }

    /// Returns the automaton of a universe; none for [`STAR`].
    pub(super) fn glob(&self, universe: UniverseIndex) -> Option<&Glob> {
        self.format(universe).map(|(_, glob)| glob)
    }

    pub(super) fn format(&self, universe: UniverseIndex) -> Option<&(ArnPattern, Glob)> {
        self.formats.get(universe).and_then(Option::as_ref)
    }

    /// Returns the actions that a pattern selects (S5, S9).
    pub(super) fn select(&self, catalog: &Catalog, pattern: &ActionPattern) -> ActionSet {
        let mut selected = ActionSet::default();
        let range = match pattern.namespace() {
            None => 0..self.names.len(),
            Some(namespace) => {
                let Some(service) = catalog.find(namespace) else { return selected };
                let range = self.actions(service);
                if let Some(name) = pattern.only_name() {
                    // Actions are numbered as the catalogue has them.
                    let position = catalog.action_position(service, name);
                    let action = position.map(|position| range.start + position);
                    if let Some(action) = action.filter(|action| range.contains(action)) {
                        selected.insert(action);
                    }
                    return selected;
                }
                range
            }
        };
        let every = pattern.is_every_name();
        let glob = pattern.glob();
        for (action, name) in self.names.iter().enumerate().take(range.end).skip(range.start) {
            if every || (!name.is_empty() && glob.matches(name)) {
                selected.insert(action);
            }
        }
        selected
    }
}
