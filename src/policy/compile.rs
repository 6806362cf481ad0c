//! Policies as sets of actions, made once; knows no chain.

use std::cell::OnceCell;

use hashbrown::HashMap;

use super::actions::{ActionSet, ActionTable, UniverseIndex};
use super::pattern::{ActionPattern, ArnPattern, Glob, ResourcePattern, Token};
use super::witness::{Clause, Question, Verdict, search};
use super::{Effect, Policy, Selection, Statement};
use crate::catalog::Catalog;

/// How many steps it may take to find out how one field of a pattern lies to that of a format. If
/// it takes more, the search over the whole question decides, which needs no such relation.
const RELATION_STEPS: u64 = 1_000;

/// The longest field that is looked at with likely texts, which takes its length squared.
const LIKELY_LENGTH: usize = 512;

/// A policy that an [`Evaluator`](super::Evaluator) has compiled; of use with that one alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyIndex(pub(super) u32);

/// How the texts of a pattern lie to those of a universe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    /// The pattern matches none.
    Apart,
    /// The pattern matches all.
    Covers,
    /// The pattern matches some, but not all.
    Meets,
    /// It was not found out.
    Unknown,
}

/// The patterns of all policies, each looked at once.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    known: HashMap<ArnPattern, u32>,
    /// With the automata that were asked for: most patterns need no search.
    interned: Vec<(ArnPattern, OnceCell<Glob>)>,
    /// To the universes that were asked for.
    relations: HashMap<(u32, UniverseIndex), Relation>,
    /// What the patterns of actions select.
    selected: HashMap<ActionPattern, ActionSet>,
}

impl Patterns {
    /// Returns the actions that the patterns select (S5, S9).
    fn select(
        &mut self,
        selection: &Selection<ActionPattern>,
        catalog: &Catalog,
        table: &ActionTable,
    ) -> ActionSet {
        let mut selected = ActionSet::default();
        for pattern in &selection.patterns {
            match self.selected.get(pattern) {
                Some(known) => selected.union_with(known),
                None => {
                    let found = table.select(catalog, pattern);
                    selected.union_with(&found);
                    self.selected.insert(pattern.clone(), found);
                }
            }
        }
        if !selection.complement {
            return selected;
        }
        let mut rest = table.every();
        rest.subtract(&selected);
        rest
    }

    fn intern(&mut self, pattern: &ArnPattern) -> u32 {
        if let Some(&index) = self.known.get(pattern) {
            return index;
        }
        // A document has less than 2³² patterns, and so have all.
        let index = u32::try_from(self.interned.len()).unwrap_or(u32::MAX);
        self.known.insert(pattern.clone(), index);
        self.interned.push((pattern.clone(), OnceCell::new()));
        index
    }

    /// Returns the automaton of a pattern.
    pub(super) fn glob(&self, index: u32) -> Option<&Glob> {
        let (pattern, glob) = self.interned.get(index as usize)?;
        Some(glob.get_or_init(|| pattern.glob()))
    }

    fn relation(&mut self, index: u32, universe: UniverseIndex, table: &ActionTable) -> Relation {
        let Some((format, _)) = table.format(universe) else {
            return Relation::Apart;
        };
        let Some((pattern, _)) = self.interned.get(index as usize) else {
            return Relation::Unknown;
        };
        *self.relations.entry((index, universe)).or_insert_with(|| relation(pattern, format))
    }

    /// Says how much of a universe a clause covers.
    fn extent(
        &mut self,
        clause: &ClauseKey,
        universe: UniverseIndex,
        table: &ActionTable,
    ) -> Extent {
        let (mut meeting, mut unknown) = (0, 0);
        for &pattern in &clause.patterns {
            match self.relation(pattern, universe, table) {
                Relation::Covers if clause.complement => return Extent::Nothing,
                Relation::Covers => return Extent::Whole,
                Relation::Apart => {}
                Relation::Meets => meeting += 1,
                Relation::Unknown => unknown += 1,
            }
        }
        match (meeting, unknown, clause.complement) {
            (0, 0, true) => Extent::Whole,
            (0, 0, false) => Extent::Nothing,
            // What one leaves, two may leave nothing of.
            (1, 0, true) | (1.., _, false) => Extent::Part,
            _ => Extent::Unknown,
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
                Relation::Meets | Relation::Unknown => open.push(pattern),
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

/// How much of a universe a clause covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    Whole,
    Nothing,
    /// Some of it.
    Part,
    /// It was not found out.
    Unknown,
}

/// What a policy's statements of one effect cover.
#[derive(Clone, Debug, Default)]
pub(super) struct Cover {
    /// Actions that are covered on every resource they can have.
    pub(super) whole: ActionSet,
    /// Actions that are covered on some resource for certain; all of `whole` among them.
    pub(super) met: ActionSet,
    /// Actions that may be covered on some resource; all of `met` among them.
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
        let actions = patterns.select(&statement.actions, catalog, table);
        let Some(clause) = clause(&statement.resources, patterns) else {
            if !statement.resources.complement {
                for covered in [&mut self.whole, &mut self.met, &mut self.touched] {
                    covered.union_with(&actions);
                }
            }
            return;
        };
        let mut part = ActionSet::default();
        let mut extents: HashMap<UniverseIndex, Extent> = HashMap::new();
        for action in actions.within(0..table.len()) {
            let (mut whole, mut met, mut touched) = (true, false, false);
            for &universe in table.universes(action) {
                let extent = *extents
                    .entry(universe)
                    .or_insert_with(|| patterns.extent(&clause, universe, table));
                whole &= extent == Extent::Whole;
                met |= matches!(extent, Extent::Whole | Extent::Part);
                touched |= extent != Extent::Nothing;
            }
            if whole {
                self.whole.insert(action);
            } else if touched {
                part.insert(action);
            }
            if met {
                self.met.insert(action);
            }
            if touched {
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
    let (mut covers, mut is_known) = (true, true);
    // The service first, for it tells most of them apart.
    for at in [2, 5, 4, 3, 1, 0] {
        match field_relation(pattern.field(at), format.field(at)) {
            Relation::Apart => return Relation::Apart,
            Relation::Meets => covers = false,
            Relation::Unknown => is_known = false,
            Relation::Covers => {}
        }
    }
    match (is_known, covers) {
        (false, _) => Relation::Unknown,
        (true, true) => Relation::Covers,
        (true, false) => Relation::Meets,
    }
}

fn field_relation(pattern: &[Token], format: &[Token]) -> Relation {
    if pattern == [Token::Many] || pattern == format {
        return Relation::Covers;
    }
    if format == [Token::Many] {
        // Some text matches any pattern, and no other text matches one that names or counts.
        let every = !pattern.is_empty() && pattern.iter().all(|&token| token == Token::Many);
        return if every { Relation::Covers } else { Relation::Meets };
    }
    let ((named, rest), (format_named, format_rest)) =
        (until_wildcard(pattern), until_wildcard(format));
    // Up to the first wildcard of either, both name their characters, and so behind the last one.
    let is_other = |(one, other): (&Token, &Token)| one != other;
    let mut ends = until_wildcard_from_end(pattern).zip(until_wildcard_from_end(format));
    if named.iter().zip(format_named).any(is_other) || ends.any(is_other) {
        return Relation::Apart;
    }
    match (rest, format_rest) {
        // All that begins so: what the format has to begin with decides.
        ([Token::Many], _) if named.len() <= format_named.len() => Relation::Covers,
        // The format's wildcard may go on as the pattern does, or in another way.
        ([Token::Many], [Token::Many, ..]) => Relation::Meets,
        // The pattern is one text, and not the only one of the format.
        ([], [_, ..]) if fits(format, named) => Relation::Meets,
        // The format is one text.
        (_, []) if fits(pattern, format) => Relation::Covers,
        ([], _) | (_, []) => Relation::Apart,
        _ if pattern.len() <= LIKELY_LENGTH && meets(pattern, format) => Relation::Meets,
        _ => searched_relation(pattern, format),
    }
}

/// Returns whether some texts of a format are among the pattern's and some are not, as far as a few
/// likely ones show it.
fn meets(pattern: &[Token], format: &[Token]) -> bool {
    // Any character but a colon would do: what the texts show is checked.
    const OTHER: Token = Token::Char('\0');
    let text = |tokens: &[Token], many: &[Token]| -> Vec<Token> {
        let fill = |token| match token {
            &Token::Char(_) => std::slice::from_ref(token),
            Token::One => &[OTHER],
            Token::Many => many,
        };
        tokens.iter().flat_map(fill).copied().collect()
    };
    let ((named, rest), (format_named, format_rest)) =
        (until_wildcard(pattern), until_wildcard(format));
    let longer = if named.len() > format_named.len() { named } else { format_named };
    let (rest, format_rest) = (text(rest, &[]), text(format_rest, &[]));
    let shared = [
        [longer, &rest, &format_rest].concat(),
        [longer, &format_rest, &rest].concat(),
        text(pattern, &[]),
        text(format, &[]),
    ];
    let is_shared = |text: &Vec<Token>| fits(pattern, text) && fits(format, text);
    shared.iter().any(is_shared)
        && [text(format, &[]), text(format, &[OTHER])].iter().any(|text| !fits(pattern, text))
}

/// Returns whether a text, as tokens that are characters, is one of the pattern's.
fn fits(mut pattern: &[Token], mut text: &[Token]) -> bool {
    // Behind the last `*`, and the text behind what it has taken in so far. Earlier ones need no
    // second try: whatever they could take in, the later one can.
    let mut retry = None;
    loop {
        match (pattern, text) {
            ([Token::Many, behind @ ..], _) => {
                pattern = behind;
                retry = Some((behind, text));
                continue;
            }
            ([], []) => return true,
            ([token, behind @ ..], [char, rest @ ..]) if *token == Token::One || token == char => {
                (pattern, text) = (behind, rest);
                continue;
            }
            _ => {}
        }
        let Some((behind, [_, rest @ ..])) = retry else { return false };
        (pattern, text) = (behind, rest);
        retry = Some((behind, rest));
    }
}

/// Parts a pattern before its first wildcard.
fn until_wildcard(pattern: &[Token]) -> (&[Token], &[Token]) {
    let is_wildcard = |token: &Token| matches!(token, Token::One | Token::Many);
    pattern.split_at(pattern.iter().position(is_wildcard).unwrap_or(pattern.len()))
}

/// Returns what stands behind the last wildcard of a pattern, the end first.
fn until_wildcard_from_end(pattern: &[Token]) -> impl Iterator<Item = &Token> {
    pattern.iter().rev().take_while(|token| matches!(token, Token::Char(_)))
}

fn searched_relation(pattern: &[Token], format: &[Token]) -> Relation {
    let (pattern, format) = (Glob::of_text(pattern), Glob::of_text(format));
    let ask = |complement| {
        let clause = Clause { complement, patterns: vec![&pattern] };
        let levels = vec![vec![clause]];
        search(&Question { universe: &format, levels, denies: vec![] }, RELATION_STEPS).0
    };
    match (ask(false), ask(true)) {
        (Verdict::Absent, _) => Relation::Apart,
        (_, Verdict::Absent) => Relation::Covers,
        (Verdict::Found, Verdict::Found) => Relation::Meets,
        _ => Relation::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every pattern of up to three tokens.
    fn patterns() -> Vec<Vec<Token>> {
        let tokens = [Token::Char('a'), Token::Char('b'), Token::One, Token::Many];
        let mut patterns = vec![vec![]];
        let mut longest = patterns.clone();
        for _ in 0..3 {
            let longer = longest.iter().flat_map(|pattern| {
                tokens.iter().map(move |token| [pattern.as_slice(), &[*token]].concat())
            });
            longest = longer.collect();
            patterns.extend_from_slice(&longest);
        }
        patterns
    }

    #[test]
    fn s8_how_two_fields_lie_is_what_the_search_finds() {
        for pattern in patterns() {
            for format in patterns() {
                let expected = searched_relation(&pattern, &format);
                assert_eq!(field_relation(&pattern, &format), expected, "{pattern:?} {format:?}");
            }
        }
    }
}
