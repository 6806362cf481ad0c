//! The catalog's actions, numbered, and sets of them; knows no policy beyond the patterns of actions.

use std::ops::Range;

use hashbrown::HashMap;

use super::pattern::{ActionPattern, ArnPattern, Glob};
use crate::catalog::{Action, Catalog, Resources, ServiceIndex};

/// Actions of the table, one bit each.
///
/// A statement mostly names actions of one service, which stand together: of the words of bits only
/// those from the first in use to the last are kept.
#[derive(Clone, Debug, Default)]
pub(super) struct ActionSet {
    /// The place of the first of `words`.
    start: usize,
    words: Vec<u64>,
}

impl ActionSet {
    /// Returns the set of the first so many actions.
    fn of_first(count: usize) -> Self {
        let mut words = vec![u64::MAX; count / 64];
        words.push((1 << (count % 64)) - 1);
        Self { start: 0, words }
    }

    fn end(&self) -> usize {
        self.start + self.words.len()
    }

    fn word(&self, at: usize) -> u64 {
        at.checked_sub(self.start).and_then(|at| self.words.get(at)).copied().unwrap_or_default()
    }

    /// Makes room for the words from `start` to `end`.
    fn cover(&mut self, start: usize, end: usize) {
        if self.words.is_empty() {
            self.start = start;
        }
        if start < self.start {
            let missing = self.start - start;
            self.words.splice(0..0, std::iter::repeat_n(0, missing));
            self.start = start;
        }
        if end > self.end() {
            self.words.resize(end - self.start, 0);
        }
    }

    pub(super) fn insert(&mut self, action: usize) {
        let word = action / 64;
        self.cover(word, word + 1);
        if let Some(word) = self.words.get_mut(word - self.start) {
            *word |= 1 << (action % 64);
        }
    }

    pub(super) fn contains(&self, action: usize) -> bool {
        self.word(action / 64) >> (action % 64) & 1 == 1
    }

    pub(super) fn union_with(&mut self, other: &Self) {
        if other.words.is_empty() {
            return;
        }
        self.cover(other.start, other.end());
        for (word, other) in self.words.iter_mut().skip(other.start - self.start).zip(&other.words)
        {
            *word |= other;
        }
    }

    pub(super) fn intersect_with(&mut self, other: &Self) {
        let start = self.start;
        for (at, word) in (start..).zip(&mut self.words) {
            *word &= other.word(at);
        }
    }

    pub(super) fn subtract(&mut self, other: &Self) {
        let start = self.start;
        for (at, word) in (start..).zip(&mut self.words) {
            *word &= !other.word(at);
        }
    }

    /// Returns the first action of the set from `action` on.
    pub(super) fn next(&self, action: usize) -> Option<usize> {
        let first = self.word(action / 64) >> (action % 64);
        if first != 0 {
            return Some(action + first.trailing_zeros() as usize);
        }
        let behind = (action / 64 + 1).max(self.start);
        let words = self.words.get(behind - self.start..)?;
        let (at, word) = (behind..).zip(words).find(|(_, word)| **word != 0)?;
        Some(at * 64 + word.trailing_zeros() as usize)
    }

    /// Returns the actions of the set that lie in the range, ascending.
    pub(super) fn within(&self, range: Range<usize>) -> impl Iterator<Item = usize> + '_ {
        let words = range.start / 64..range.end.div_ceil(64);
        words
            .map(|at| (at, self.word(at)))
            .filter(|(_, word)| *word != 0)
            .flat_map(|(at, word)| {
                (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| at * 64 + bit)
            })
            .filter(move |action| range.contains(action))
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

    /// Returns the service of an action and the numbers of the service's actions.
    pub(super) fn service(&self, action: usize) -> Option<(ServiceIndex, Range<usize>)> {
        let at = self.services.partition_point(|(_, range)| range.end <= action);
        self.services.get(at).cloned()
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
        let range = match &pattern.namespace {
            None => 0..self.names.len(),
            Some(namespace) => {
                let Some(service) = catalog.find(namespace) else { return selected };
                let range = self.actions(service);
                if let Some(name) = pattern.only_name() {
                    // Actions are numbered as the catalogue has them.
                    let position = catalog.action_position(service, &name);
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
        let glob = Glob::of_text(&pattern.name);
        for (action, name) in self.names.iter().enumerate().take(range.end).skip(range.start) {
            if every || (!name.is_empty() && glob.matches(name)) {
                selected.insert(action);
            }
        }
        selected
    }
}
