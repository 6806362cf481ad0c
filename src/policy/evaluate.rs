//! What a chain of policies allows; knows no tree and no log.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use hashbrown::HashMap;

use super::Policy;
use super::actions::{ActionSet, ActionTable, UniverseIndex};
use super::compile::{ClauseKey, Compiled, Cover, Patterns, PolicyIndex, Reduced};
use super::witness::{Clause, Question, Verdict, search};
use crate::catalog::{Catalog, ServiceIndex, ServiceSet};

/// How many steps one search for a resource may take. Those of real policies take hundreds.
const SEARCH_STEPS: u64 = 200_000;

/// How many steps the searches of one chain may take together: some seconds' work.
const CHAIN_STEPS: u64 = 4_000_000;

/// The services that a chain allows (S2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedServices {
    /// All of them, those of `undecided` among them.
    pub services: ServiceSet,
    /// Those whose patterns were too entangled to decide within bounds. They count as allowed, for
    /// a service that is not listed looks as if nobody may use it.
    pub undecided: ServiceSet,
}

/// The actions that a chain allows (I4), by service: positions in the catalogue's list of the
/// service's actions, ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedActions {
    /// All of them, those of `undecided` among them. A service has an entry if it has an action.
    pub actions: BTreeMap<ServiceIndex, Vec<usize>>,
    /// Those that were too entangled to decide within bounds; they count as allowed.
    pub undecided: BTreeMap<ServiceIndex, Vec<usize>>,
}

/// Says what chains of policies allow, and remembers it.
///
/// A chain is a list of levels, in any order: the root's policies, each unit's, the account's. An
/// identity's policies are a chain of one level (I1). An answer does not depend on what was asked
/// before.
#[derive(Debug)]
pub struct Evaluator<'c> {
    catalog: &'c Catalog,
    /// Many reports have no policy, and never look at it.
    table: LazyLock<ActionTable, Box<dyn FnOnce() -> ActionTable + Send + 'c>>,
    patterns: Patterns,
    policies: Vec<Compiled>,
    chains: HashMap<Vec<Vec<PolicyIndex>>, Arc<AllowedServices>>,
    answers: HashMap<QuestionKey, Answer>,
    /// How many chains have been folded.
    folded: u64,
}

/// What a search has found.
#[derive(Clone, Copy, Debug)]
struct Answer {
    verdict: Verdict,
    steps: u64,
    /// The last chain that asked: a chain pays for each question once.
    chain: u64,
}

/// A question to [`search`], in the one form that equal questions share.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct QuestionKey {
    universe: UniverseIndex,
    levels: Vec<Vec<ClauseKey>>,
    denies: Vec<ClauseKey>,
}

/// A chain folded into sets of actions.
struct Chain {
    number: u64,
    levels: Vec<Vec<PolicyIndex>>,
    /// Actions that are allowed at every level on one resource, for certain, and denied on none.
    certain: ActionSet,
    /// Actions of which it depends on the resource.
    open: ActionSet,
}

impl<'c> Evaluator<'c> {
    /// Makes an evaluator that knows no policy yet.
    pub fn new(catalog: &'c Catalog) -> Self {
        Self {
            catalog,
            table: LazyLock::new(Box::new(|| ActionTable::new(catalog))),
            patterns: Patterns::default(),
            policies: Vec::new(),
            chains: HashMap::new(),
            answers: HashMap::new(),
            folded: 0,
        }
    }

    /// Compiles a policy. A caller that meets one policy often keeps its index.
    pub fn add(&mut self, policy: &Policy) -> PolicyIndex {
        let index = u32::try_from(self.policies.len()).expect("policies fit into memory");
        self.policies.push(Compiled::new(policy, self.catalog, &self.table, &mut self.patterns));
        PolicyIndex(index)
    }

    /// Returns what those may use whom no policy binds: every listed service (S6).
    pub fn exempt(&self) -> AllowedServices {
        let undecided = ServiceSet::empty(self.catalog);
        AllowedServices { services: self.catalog.listed(), undecided }
    }

    /// Returns the listed services of which some action on some resource is allowed at every level
    /// and denied at none (S1, S2).
    ///
    /// A level without a policy allows nothing; a chain without a level restricts nothing.
    ///
    /// # Panics
    ///
    /// If an index comes from another evaluator.
    pub fn allowed_services(&mut self, levels: &[Vec<PolicyIndex>]) -> Arc<AllowedServices> {
        let levels = normal(levels);
        if let Some(known) = self.chains.get(&levels) {
            return Arc::clone(known);
        }
        let chain = self.fold(levels);
        let empty = ServiceSet::empty(self.catalog);
        let mut allowed = AllowedServices { services: empty.clone(), undecided: empty };
        let mut steps = CHAIN_STEPS;
        for (service, _) in self.table.services_of(&chain.certain) {
            allowed.services.insert(service);
        }
        let open = self.table.services_of(&chain.open);
        let open: Vec<_> = open.filter(|(it, _)| !allowed.services.contains(*it)).collect();
        for (service, range) in open {
            let verdict = self.decide_service(range, &chain, &mut steps);
            if verdict != Verdict::Absent {
                allowed.services.insert(service);
            }
            if verdict == Verdict::Undecided {
                allowed.undecided.insert(service);
            }
        }
        let allowed = Arc::new(allowed);
        self.chains.insert(chain.levels, Arc::clone(&allowed));
        allowed
    }

    /// Returns the actions of the listed services that are allowed at every level and denied at
    /// none, on some resource (I4). A service whose actions are not published has none to return.
    ///
    /// # Panics
    ///
    /// If an index comes from another evaluator.
    pub fn allowed_actions(&mut self, levels: &[Vec<PolicyIndex>]) -> AllowedActions {
        let chain = self.fold(normal(levels));
        let mut allowed = AllowedActions::default();
        let mut steps = CHAIN_STEPS;
        let mut possible = chain.certain.clone();
        possible.union_with(&chain.open);
        let services: Vec<_> = self.table.services_of(&possible).collect();
        for (service, range) in services {
            let first = range.start;
            for action in possible.within(range) {
                if !self.table.is_named(action) {
                    continue;
                }
                let verdict = if chain.certain.contains(action) {
                    Verdict::Found
                } else {
                    self.decide(action, &chain, &mut steps)
                };
                if verdict != Verdict::Absent {
                    allowed.actions.entry(service).or_default().push(action - first);
                }
                if verdict == Verdict::Undecided {
                    allowed.undecided.entry(service).or_default().push(action - first);
                }
            }
        }
        allowed
    }

    fn policy(&self, index: PolicyIndex) -> &Compiled {
        let policy = self.policies.get(index.0 as usize);
        policy.expect("an index belongs to the evaluator that gave it")
    }

    fn fold(&mut self, levels: Vec<Vec<PolicyIndex>>) -> Chain {
        let mut both: Option<(ActionSet, ActionSet)> = None;
        let mut denied = Cover::default();
        for level in &levels {
            let (mut certain, mut open) = (ActionSet::default(), ActionSet::default());
            for &index in level {
                let policy = self.policy(index);
                // Where nothing else restricts it, some resource is as good as every one.
                let is_alone = levels.len() == 1;
                certain.union_with(if is_alone { &policy.allow.met } else { &policy.allow.whole });
                open.union_with(&policy.allow.touched);
                denied.whole.union_with(&policy.deny.whole);
                denied.touched.union_with(&policy.deny.touched);
            }
            match &mut both {
                None => both = Some((certain, open)),
                Some(both) => {
                    both.0.intersect_with(&certain);
                    both.1.intersect_with(&open);
                }
            }
        }
        let (mut certain, mut open) =
            both.unwrap_or_else(|| (self.table.every(), self.table.every()));
        certain.subtract(&denied.touched);
        open.subtract(&denied.whole);
        open.subtract(&certain);
        self.folded += 1;
        Chain { number: self.folded, levels, certain, open }
    }

    /// Says whether one of the open actions is allowed on some resource, and takes the steps from those
    /// left.
    fn decide_service(&mut self, actions: Range<usize>, chain: &Chain, steps: &mut u64) -> Verdict {
        let mut verdict = Verdict::Absent;
        for action in chain.open.within(actions) {
            match self.decide(action, chain, steps) {
                Verdict::Found => return Verdict::Found,
                Verdict::Undecided => verdict = Verdict::Undecided,
                Verdict::Absent => {}
            }
        }
        verdict
    }

    /// Says whether the action is allowed on some resource, and takes the steps from those left.
    fn decide(&mut self, action: usize, chain: &Chain, steps: &mut u64) -> Verdict {
        let mut verdict = Verdict::Absent;
        for universe in self.table.universes(action).to_vec() {
            let Some(question) = self.question(action, universe, chain) else {
                continue;
            };
            match self.ask(question, chain.number, steps) {
                Verdict::Found => return Verdict::Found,
                Verdict::Undecided => verdict = Verdict::Undecided,
                Verdict::Absent => {}
            }
        }
        verdict
    }

    /// Puts what the chain says of the action on a universe's resources into one question; none if
    /// the answer is no.
    fn question(
        &mut self,
        action: usize,
        universe: UniverseIndex,
        chain: &Chain,
    ) -> Option<QuestionKey> {
        let mut key = QuestionKey { universe, levels: Vec::new(), denies: Vec::new() };
        for level in &chain.levels {
            let mut clauses = Vec::new();
            let is_whole = |index: &PolicyIndex| self.policy(*index).allow.whole.contains(action);
            let mut always = level.iter().any(is_whole);
            for &index in level {
                let policy = self.policies.get(index.0 as usize)?;
                for part in policy.deny.parts.iter().filter(|part| part.actions.contains(action)) {
                    match self.patterns.reduce(&part.clause, universe, &self.table) {
                        Reduced::Always => return None,
                        Reduced::Never => {}
                        Reduced::Open(clause) => key.denies.push(clause),
                    }
                }
                for part in policy.allow.parts.iter().filter(|part| part.actions.contains(action)) {
                    match self.patterns.reduce(&part.clause, universe, &self.table) {
                        _ if always => break,
                        Reduced::Always => always = true,
                        Reduced::Never => {}
                        Reduced::Open(clause) => clauses.push(clause),
                    }
                }
            }
            match (always, clauses.is_empty()) {
                (true, _) => {}
                (false, true) => return None,
                (false, false) => {
                    clauses.sort_unstable();
                    clauses.dedup();
                    key.levels.push(clauses);
                }
            }
        }
        key.levels.sort_unstable();
        key.levels.dedup();
        key.denies.sort_unstable();
        key.denies.dedup();
        Some(key)
    }

    /// Answers a question of the chain. The steps count even if another chain has had them taken
    /// already: the answer must not depend on what was asked before.
    fn ask(&mut self, key: QuestionKey, chain: u64, left: &mut u64) -> Verdict {
        if key.levels.is_empty() && key.denies.is_empty() {
            return Verdict::Found;
        }
        if *left == 0 {
            return Verdict::Undecided;
        }
        let answer = match self.answers.get_mut(&key) {
            Some(known) => {
                let steps = if known.chain == chain { 0 } else { known.steps };
                known.chain = chain;
                Answer { steps, ..*known }
            }
            None => {
                let (verdict, steps) = self.search(&key);
                let answer = Answer { verdict, steps, chain };
                self.answers.insert(key, answer);
                answer
            }
        };
        let Some(rest) = left.checked_sub(answer.steps) else {
            *left = 0;
            return Verdict::Undecided;
        };
        *left = rest;
        answer.verdict
    }

    fn search(&self, key: &QuestionKey) -> (Verdict, u64) {
        let Some(universe) = self.table.glob(key.universe) else {
            // No ARN pattern meets `*`, so nothing is left open there.
            return (Verdict::Found, 0);
        };
        let clause = |key: &ClauseKey| Clause {
            complement: key.complement,
            patterns: key.patterns.iter().filter_map(|&at| self.patterns.glob(at)).collect(),
        };
        let question = Question {
            universe,
            levels: key.levels.iter().map(|level| level.iter().map(clause).collect()).collect(),
            denies: key.denies.iter().map(clause).collect(),
        };
        search(&question, SEARCH_STEPS)
    }
}

/// Brings a chain into the one form that equal chains share: neither the order of levels nor that
/// of a level's policies matters.
fn normal(levels: &[Vec<PolicyIndex>]) -> Vec<Vec<PolicyIndex>> {
    let mut levels = levels.to_vec();
    for level in &mut levels {
        level.sort_unstable();
        level.dedup();
    }
    levels.sort_unstable();
    levels.dedup();
    levels
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use serde_json::{Value, json};

    use super::*;

    /// However many positions a pattern may be read at, and however many others there are, an answer
    /// takes bounded time and memory.
    #[test]
    fn s2_patterns_of_every_length_and_number_are_decided_within_bounds() {
        let catalog = Catalog::embedded();
        let mut evaluator = Evaluator::new(catalog);
        let statement = |effect: &str, resource: Value| json!({"Effect": effect, "Action": "*", "Resource": resource});
        let both = |resource: Value| {
            json!([statement("Allow", resource.clone()), statement("Deny", resource)])
        };
        let (ones, letters) = ("?".repeat(9_000), "a".repeat(5_000));
        let many: Vec<String> = (0..500).map(|it| format!("arn:*:*:*:*:*a{it}*")).collect();
        for statements in [
            both(format!("arn:*:*:*:*:*a{ones}").into()),
            both(format!("arn:*:*:*:*:*{letters}b*{letters}c").into()),
            json!([statement("Allow", "*".into()), statement("Deny", many.into())]),
        ] {
            let started = Instant::now();
            let policy = Policy::from_value(&json!({"Statement": statements})).unwrap();
            let policy = evaluator.add(&policy);
            let allowed = evaluator.allowed_services(&[vec![policy]]);
            assert!(allowed.undecided.iter().all(|it| allowed.services.contains(it)));
            assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
        }
    }
}
