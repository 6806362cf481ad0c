//! Policies and the catalog's actions as bit sets, made once; knows no chain.

use std::collections::HashMap;
use std::ops::Range;

use super::pattern::{ActionPattern, ArnPattern, Glob, ResourcePattern, Token};
use super::witness::{Clause, Question, Verdict, search};
use super::{Effect, Policy, Selection, Statement};
use crate::catalog::{Action, Catalog, Resources, ServiceIndex};

/// A policy that an [`Evaluator`](super::Evaluator) has compiled; of use with that one alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyIndex(pub(super) u32);

/// Actions of the table, one bit each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ActionSet(Vec<u64>);

impl ActionSet {
    pub(super) fn insert(&mut self, action: usize) {
        let word = action / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        if let Some(word) = self.0.get_mut(word) {
            *word |= 1 << (action % 64);
        }
    }

    pub(super) fn contains(&self, action: usize) -> bool {
        self.0.get(action / 64).is_some_and(|word| word >> (action % 64) & 1 == 1)
    }

    pub(super) fn union_with(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word |= other;
        }
    }

    pub(super) fn intersect_with(&mut self, other: &Self) {
        self.0.truncate(other.0.len());
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word &= other;
        }
    }

    pub(super) fn subtract(&mut self, other: &Self) {
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word &= !other;
        }
    }

    /// Returns the actions of the set that lie in the range, ascending.
    pub(super) fn within(&self, range: Range<usize>) -> impl Iterator<Item = usize> + '_ {
        let words = range.start / 64..range.end.div_ceil(64);
        words
            .filter_map(|at| self.0.get(at).filter(|&&word| word != 0).map(|&word| (at, word)))
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

    /// Returns the listed services and the numbers of their actions.
    pub(super) fn services(&self) -> &[(ServiceIndex, Range<usize>)] {
        &self.services
    }

    /// Returns the numbers of a service's actions; none if it is not listed.
    pub(super) fn actions(&self, service: ServiceIndex) -> Range<usize> {
        let at = self.services.binary_search_by_key(&service, |(service, _)| *service);
        at.ok().and_then(|at| self.services.get(at)).map_or(0..0, |(_, range)| range.clone())
    }

    /// Returns the set of all actions.
    pub(super) fn every(&self) -> ActionSet {
        let mut every = ActionSet::default();
        (0..self.names.len()).for_each(|action| every.insert(action));
        every
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

    fn format(&self, universe: UniverseIndex) -> Option<&(ArnPattern, Glob)> {
        self.formats.get(universe).and_then(Option::as_ref)
    }

    /// Returns the actions that the patterns select (S5, S9).
    fn select(&self, catalog: &Catalog, selection: &Selection<ActionPattern>) -> ActionSet {
        let mut selected = ActionSet::default();
        for pattern in &selection.patterns {
            let range = match &pattern.namespace {
                None => 0..self.names.len(),
                Some(namespace) => {
                    catalog.find(namespace).map_or(0..0, |service| self.actions(service))
                }
            };
            let every = pattern.is_every_name();
            let glob = Glob::of_text(&pattern.name);
            for (action, name) in self.names.iter().enumerate().take(range.end).skip(range.start) {
                if every || (!name.is_empty() && glob.matches(name)) {
                    selected.insert(action);
                }
            }
        }
        if !selection.complement {
            return selected;
        }
        let mut rest = self.every();
        rest.subtract(&selected);
        rest
    }
}

/// How the texts of a pattern lie to those of a universe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    /// The pattern matches none.
    Apart,
    /// The pattern matches all.
    Covers,
    /// The pattern matches some, or it was not found out.
    Meets,
}

/// A resource pattern, and what is known of it already.
#[derive(Debug)]
struct Interned {
    glob: Glob,
    /// Per universe, once it was asked for.
    relations: Vec<Option<Relation>>,
}

/// The resource patterns of all policies, each kept once.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    known: HashMap<ArnPattern, u32>,
    interned: Vec<(ArnPattern, Interned)>,
}

impl Patterns {
    fn intern(&mut self, pattern: &ArnPattern) -> u32 {
        if let Some(&index) = self.known.get(pattern) {
            return index;
        }
        // A document has less than 2³² patterns, and so have all.
        let index = u32::try_from(self.interned.len()).unwrap_or(u32::MAX);
        self.known.insert(pattern.clone(), index);
        let interned = Interned { glob: pattern.glob(), relations: Vec::new() };
        self.interned.push((pattern.clone(), interned));
        index
    }

    /// Returns the automaton of a pattern.
    pub(super) fn glob(&self, index: u32) -> Option<&Glob> {
        self.interned.get(index as usize).map(|(_, interned)| &interned.glob)
    }

    fn relation(&mut self, index: u32, universe: UniverseIndex, table: &ActionTable) -> Relation {
        let Some((format, _)) = table.format(universe) else {
            return Relation::Apart;
        };
        let Some((pattern, interned)) = self.interned.get_mut(index as usize) else {
            return Relation::Meets;
        };
        if interned.relations.len() <= universe {
            interned.relations.resize(universe + 1, None);
        }
        match interned.relations.get_mut(universe) {
            Some(known) => *known.get_or_insert_with(|| relation(pattern, format)),
            None => Relation::Meets,
        }
    }

    /// Says what a clause comes to in a universe.
    pub(super) fn reduce(
        &mut self,
        clause: &ClauseKey,
        universe: UniverseIndex,
        table: &ActionTable,
    ) -> Reduced {
        let mut open = Vec::new();
        for &pattern in &clause.patterns {
            match self.relation(pattern, universe, table) {
                Relation::Covers if clause.complement => return Reduced::Never,
                Relation::Covers => return Reduced::Always,
                Relation::Apart => {}
                Relation::Meets => open.push(pattern),
            }
        }
        match (open.is_empty(), clause.complement) {
            (true, true) => Reduced::Always,
            (true, false) => Reduced::Never,
            (false, complement) => Reduced::Open(ClauseKey { complement, patterns: open }),
        }
    }
}

/// Covers the resources that one of the interned patterns matches; with `complement`, those that
/// none does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ClauseKey {
    pub(super) complement: bool,
    /// Ascending, each once.
    pub(super) patterns: Vec<u32>,
}

/// What a clause comes to in one universe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reduced {
    /// It covers every text.
    Always,
    /// It covers none.
    Never,
    /// It covers those that this does, whose patterns all meet the universe.
    Open(ClauseKey),
}

/// What a policy's statements of one effect cover.
#[derive(Clone, Debug, Default)]
pub(super) struct Cover {
    /// Actions that are covered on every resource they can have.
    pub(super) whole: ActionSet,
    /// Actions that are covered on some resource; all of `whole` among them.
    pub(super) touched: ActionSet,
    /// The statements that cover some actions on some resources only.
    pub(super) parts: Vec<Part>,
}

/// A statement that is restricted to some resources.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) actions: ActionSet,
    pub(super) clause: ClauseKey,
}

/// A policy as bit sets.
#[derive(Clone, Debug, Default)]
pub(super) struct Compiled {
    /// What is allowed, with or without a condition (S3).
    pub(super) allow: Cover,
    /// What is denied without a condition (S3).
    pub(super) deny: Cover,
}

impl Compiled {
    pub(super) fn new(
        policy: &Policy,
        catalog: &Catalog,
        table: &ActionTable,
        patterns: &mut Patterns,
    ) -> Self {
        let mut compiled = Self::default();
        for statement in &policy.statements {
            let cover = match statement.effect {
                Effect::Allow => &mut compiled.allow,
                Effect::Deny if statement.conditional => continue,
                Effect::Deny => &mut compiled.deny,
            };
            cover.add(statement, catalog, table, patterns);
        }
        compiled
    }
}

impl Cover {
    fn add(
        &mut self,
        statement: &Statement,
        catalog: &Catalog,
        table: &ActionTable,
        patterns: &mut Patterns,
    ) {
        let actions = table.select(catalog, &statement.actions);
        let Some(clause) = clause(&statement.resources, patterns) else {
            if !statement.resources.complement {
                self.whole.union_with(&actions);
                self.touched.union_with(&actions);
            }
            return;
        };
        let mut part = ActionSet::default();
        let mut reduced: HashMap<UniverseIndex, Reduced> = HashMap::new();
        for action in actions.within(0..table.names.len()) {
            let (mut every, mut some) = (true, false);
            for &universe in table.universes(action) {
                let reduced = reduced
                    .entry(universe)
                    .or_insert_with(|| patterns.reduce(&clause, universe, table));
                every &= *reduced == Reduced::Always;
                some |= *reduced != Reduced::Never;
            }
            if every {
                self.whole.insert(action);
            } else if some {
                part.insert(action);
            }
            if some {
                self.touched.insert(action);
            }
        }
        self.parts.push(Part { actions: part, clause });
    }
}

/// Returns the clause of `Resource` or `NotResource`; none if `*` is among the patterns.
fn clause(resources: &Selection<ResourcePattern>, patterns: &mut Patterns) -> Option<ClauseKey> {
    let mut indices = Vec::with_capacity(resources.patterns.len());
    for pattern in &resources.patterns {
        match pattern {
            ResourcePattern::Every => return None,
            ResourcePattern::Arn(arn) => indices.push(patterns.intern(arn)),
        }
    }
    indices.sort_unstable();
    indices.dedup();
    Some(ClauseKey { complement: resources.complement, patterns: indices })
}

/// Compares field by field: the fields are independent of one another.
fn relation(pattern: &ArnPattern, format: &ArnPattern) -> Relation {
    let mut covers = true;
    for (pattern, format) in pattern.fields.iter().zip(&format.fields) {
        match field_relation(pattern, format) {
            Relation::Apart => return Relation::Apart,
            Relation::Meets => covers = false,
            Relation::Covers => {}
        }
    }
    if covers { Relation::Covers } else { Relation::Meets }
}

fn field_relation(pattern: &[Token], format: &[Token]) -> Relation {
    if pattern == [Token::Many] || pattern == format {
        return Relation::Covers;
    }
    // Up to the first wildcard of either, both name their characters.
    for pair in pattern.iter().zip(format) {
        match pair {
            (Token::Char(one), Token::Char(other)) if one != other => return Relation::Apart,
            (Token::Char(_), Token::Char(_)) => {}
            _ => break,
        }
    }
    let (pattern, format) = (Glob::of_text(pattern), Glob::of_text(format));
    let ask = |complement| {
        let clause = Clause { complement, patterns: vec![&pattern] };
        search(&Question { universe: &format, levels: vec![vec![clause]], denies: vec![] }).0
    };
    match (ask(false), ask(true)) {
        (Verdict::Absent, _) => Relation::Apart,
        (_, Verdict::Absent) => Relation::Covers,
        _ => Relation::Meets,
    }
}
