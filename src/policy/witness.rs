//! Whether a resource exists that a combination of patterns admits; knows neither actions nor
//! policies.
//!
//! The patterns are read side by side, symbol by symbol, over every text that the universe's
//! pattern admits. A state is the set of positions of each pattern. Texts that lead to the same
//! state are alike, so the search ends; it is exact but for its bound.

use std::collections::HashSet;

use super::pattern::{Class, Glob, Step, Symbol};

/// Asks for a text of the universe that in every level some clause covers and that no deny covers.
#[derive(Debug)]
pub(super) struct Question<'p> {
    pub(super) universe: &'p Glob,
    pub(super) levels: Vec<Vec<Clause<'p>>>,
    pub(super) denies: Vec<Clause<'p>>,
}

/// Covers the texts that one of the patterns matches; with `complement`, those that none does.
#[derive(Debug)]
pub(super) struct Clause<'p> {
    pub(super) complement: bool,
    pub(super) patterns: Vec<&'p Glob>,
}

/// What came out of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Such a text exists.
    Found,
    /// None exists.
    Absent,
    /// The bound was reached first.
    Undecided,
}

/// Answers the question, unless it takes more than `limit` steps; returns the number of steps taken,
/// too. A step is one symbol read by one pattern at one position, so that it takes bounded time and
/// memory.
pub(super) fn search(question: &Question<'_>, limit: u64) -> (Verdict, u64) {
    let automaton = Automaton::new(question);

    let mut steps = 0;
    let Some(start) = automaton.settle(vec![vec![0]; automaton.globs.len()]) else {
        return (Verdict::Absent, steps);
    };
    let mut seen = HashSet::from([start.clone()]);
    let mut open = vec![start];
    while let Some(state) = open.pop() {
        if automaton.accepts(&state) {
            return (Verdict::Found, steps);
        }
        let cost: usize = state.iter().map(|positions| positions.len().max(1)).sum();
        for symbol in automaton.symbols(&state) {
            steps += cost as u64;
            if steps > limit {
                return (Verdict::Undecided, steps);
            }
            if let Some(next) = automaton.read(&state, symbol)
                && seen.insert(next.clone())
            {
                open.push(next);
            }
        }
    }

    (Verdict::Absent, steps)
}

/// Per pattern its positions, ascending.
type State = Vec<Vec<usize>>;

/// What a clause comes to whatever text follows; with it the pattern that decided it by matching,
/// none if it was decided by all having failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Covers(Option<usize>),
    CoversNot(Option<usize>),
    Open,
}

/// The patterns of a question, flat: the universe first.
struct Automaton<'p> {
    globs: Vec<&'p Glob>,
    levels: Vec<Vec<Span>>,
    denies: Vec<Span>,
}

/// A clause as a range of the flat patterns.
#[derive(Clone, Copy)]
struct Span {
    complement: bool,
    from: usize,
    until: usize,
}

impl<'p> Automaton<'p> {
    fn new(question: &Question<'p>) -> Self {
        let mut globs = vec![question.universe];
        let mut span = |clause: &Clause<'p>| {
            let from = globs.len();
            globs.extend(&clause.patterns);
            Span { complement: clause.complement, from, until: globs.len() }
        };
        let levels =
            question.levels.iter().map(|level| level.iter().map(&mut span).collect()).collect();
        let denies = question.denies.iter().map(&mut span).collect();
        Self { globs, levels, denies }
    }

    /// Returns the symbols that the patterns tell apart in this state.
    fn symbols(&self, state: &State) -> Vec<Symbol> {
        let mut symbols = vec![Symbol::Other, Symbol::Char(':')];
        for (glob, positions) in self.globs.iter().zip(state) {
            for &position in positions {
                if let Some(Step::Char(char)) = glob.step(position) {
                    symbols.push(Symbol::Char(char));
                }
            }
        }
        symbols.sort_unstable();
        symbols.dedup();
        symbols
    }

    /// Returns the state behind the symbol, unless nothing can be found from there.
    fn read(&self, state: &State, symbol: Symbol) -> Option<State> {
        let next = self.globs.iter().zip(state).map(|(glob, positions)| {
            let mut next = Vec::with_capacity(positions.len() + 1);
            for &position in positions {
                if glob.stays(position, symbol) && next.last() != Some(&position) {
                    next.push(position);
                }
                if glob.step(position).is_some_and(|step| step.has(symbol)) {
                    next.push(position + 1);
                }
            }
            next
        });
        self.settle(next.collect())
    }

    /// Brings a state into its shortest form, that alike states become equal; none if nothing can
    /// be found from it.
    fn settle(&self, mut state: State) -> Option<State> {
        for (glob, positions) in self.globs.iter().zip(&mut state) {
            // Whatever an earlier position leads to, the last `*` reached leads to as well: it
            // eats what the earlier one would read on its way here. Both are in one field, since
            // the colons read so far are the same.
            let star = positions.iter().rposition(|&at| glob.loop_at(at).is_some());
            if let Some(star) = star {
                positions.drain(..star);
            }
        }
        if state.first().is_none_or(Vec::is_empty) {
            return None;
        }
        for &deny in &self.denies {
            match self.fate(&state, deny) {
                Fate::Covers(_) => return None,
                Fate::CoversNot(by) => clear(&mut state, deny, by),
                Fate::Open => {}
            }
        }
        self.levels.iter().all(|level| self.settle_level(&mut state, level)).then_some(state)
    }

    /// Brings the positions of a level's clauses into their shortest form; returns whether one of
    /// them covers or may yet cover.
    fn settle_level(&self, state: &mut State, level: &[Span]) -> bool {
        let mut open = false;
        let mut granted = None;
        for &clause in level {
            match self.fate(state, clause) {
                Fate::Covers(by) => granted = Some((clause.from, by)),
                Fate::CoversNot(by) => clear(state, clause, by),
                Fate::Open => open = true,
            }
        }
        let Some((from, by)) = granted else {
            return open;
        };
        // One clause that covers whatever follows is enough: the others no longer matter.
        for &clause in level {
            clear(state, clause, by.filter(|_| clause.from == from));
        }
        true
    }

    fn fate(&self, state: &State, span: Span) -> Fate {
        let by = self.settled(state, span);
        let dead = state.get(span.from..span.until).is_none_or(|s| s.iter().all(Vec::is_empty));
        match (by.is_some() != span.complement, by.is_some() || dead) {
            (_, false) => Fate::Open,
            (true, true) => Fate::Covers(by),
            (false, true) => Fate::CoversNot(by),
        }
    }

    /// Returns a pattern of the clause that matches whatever text follows.
    fn settled(&self, state: &State, span: Span) -> Option<usize> {
        (span.from..span.until).find(|&at| match (self.globs.get(at), state.get(at)) {
            (Some(glob), Some(positions)) => {
                positions.last() == Some(&glob.end())
                    && glob.loop_at(glob.end()) == Some(Class::Any)
            }
            _ => false,
        })
    }

    fn accepts(&self, state: &State) -> bool {
        let ended = |at: usize| match (self.globs.get(at), state.get(at)) {
            (Some(glob), Some(positions)) => positions.last() == Some(&glob.end()),
            _ => false,
        };
        let covers = |span: &Span| (span.from..span.until).any(ended) != span.complement;
        ended(0)
            && self.levels.iter().all(|level| level.iter().any(covers))
            && !self.denies.iter().any(covers)
    }
}

/// Forgets the positions of a clause whose fate is known, but for the pattern that decided it.
fn clear(state: &mut State, span: Span, kept: Option<usize>) {
    for (at, positions) in state.iter_mut().enumerate().take(span.until).skip(span.from) {
        if Some(at) != kept {
            positions.clear();
        }
    }
}
