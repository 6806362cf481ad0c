//! Policies, evaluated by trying concrete resources one after the other (S1–S10).

#![expect(clippy::string_slice, reason = "a test may panic")]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use serde_json::Value;

use super::facts::{Action, Facts, Resources, wildcards};

/// One statement, its patterns as written.
#[derive(Clone)]
struct Statement {
    allows: bool,
    conditional: bool,
    actions: Patterns,
    resources: Patterns,
}

/// The patterns of `Action` or `Resource`, or of their negation.
#[derive(Clone)]
struct Patterns {
    patterns: Vec<String>,
    negated: bool,
}

impl Patterns {
    fn take(&self, matches: impl Fn(&String) -> bool) -> bool {
        self.patterns.iter().any(matches) != self.negated
    }
}

/// Returns the namespaces that a chain allows: one list of documents a level, from the root down.
pub(crate) fn allowed_services(facts: &Facts, chain: &[Vec<&Value>]) -> BTreeSet<String> {
    let levels: Vec<Vec<Statement>> = chain
        .iter()
        .map(|level| level.iter().flat_map(|document| statements(document)).collect())
        .collect();
    facts
        .services
        .iter()
        .filter(|(namespace, service)| {
            service.actions.iter().any(|action| is_allowed(&levels, namespace, action))
        })
        .map(|(namespace, _)| namespace.clone())
        .collect()
}

/// S1, S2: some resource of the action is allowed at every level and denied at none.
fn is_allowed(levels: &[Vec<Statement>], namespace: &str, action: &Action) -> bool {
    let name = format!("{namespace}:{}", action.name);
    let relevant: Vec<Vec<&Statement>> =
        levels.iter().map(|level| level.iter().filter(|s| s.names(&name)).collect()).collect();
    if relevant.iter().any(|level| !level.iter().any(|statement| statement.allows)) {
        return false;
    }
    let patterns: BTreeSet<String> = relevant
        .iter()
        .flatten()
        .flat_map(|statement| statement.resources.patterns.clone())
        .collect();
    samples(&action.resources, &patterns).iter().any(|resource| {
        let mut everywhere = relevant.iter();
        everywhere.all(|level| level.iter().any(|s| s.allows && s.covers(resource)))
            && !relevant.iter().flatten().any(|s| s.takes_away(resource))
    })
}

/// Namespace to the names of actions.
pub(crate) type Actions = BTreeMap<String, BTreeSet<String>>;

/// Tells which actions the documents of one level allow (I1), and remembers what it found out.
pub(crate) struct Permissions<'f> {
    /// Every action: namespace, the action, `namespace:name` in lower case.
    actions: Vec<(&'f str, &'f Action, String)>,
    /// What a statement's `Action` or `NotAction` names.
    named: RefCell<HashMap<String, Rc<Vec<usize>>>>,
    /// Whether statements, as text, leave something of resources.
    left: RefCell<HashMap<(Vec<String>, Resources), bool>>,
}

impl<'f> Permissions<'f> {
    pub(crate) fn new(facts: &'f Facts) -> Self {
        let actions = facts.services.iter().flat_map(|(namespace, service)| {
            service.actions.iter().map(move |action| {
                let name = format!("{namespace}:{}", action.name).to_lowercase();
                (namespace.as_str(), action, name)
            })
        });
        Self { actions: actions.collect(), named: RefCell::default(), left: RefCell::default() }
    }

    /// Returns the actions of which the documents leave something, for any resource.
    pub(crate) fn allowed(&self, documents: &[&Value]) -> Actions {
        let values = documents.iter().flat_map(|document| one_or_more(&document["Statement"]));
        let statements: Vec<(String, Statement)> = values
            .map(|value| (value.to_string(), statement(value)))
            // S3: a conditioned Deny takes nothing away.
            .filter(|(_, statement)| statement.allows || !statement.conditional)
            .collect();
        let mut of_action: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (place, (_, statement)) in statements.iter().enumerate() {
            for action in self.named(&statement.actions).iter() {
                of_action.entry(*action).or_default().push(place);
            }
        }
        let mut allowed = Actions::new();
        for (action, places) in of_action {
            let (namespace, action, _) = &self.actions[action];
            if self.leaves_something(&statements, &places, &action.resources) {
                let names = allowed.entry((*namespace).to_owned()).or_default();
                names.insert(action.name.clone());
            }
        }
        allowed
    }

    fn named(&self, patterns: &Patterns) -> Rc<Vec<usize>> {
        let key = format!("{} {:?}", patterns.negated, patterns.patterns);
        if let Some(known) = self.named.borrow().get(&key) {
            return Rc::clone(known);
        }
        let mut matched = vec![false; self.actions.len()];
        for pattern in patterns.patterns.iter().map(|pattern| pattern.to_lowercase()) {
            // Most patterns name their service without a wildcard: others are not tried.
            let service = pattern.split(':').next().filter(|service| !service.contains(['*', '?']));
            for (place, (namespace, _, name)) in self.actions.iter().enumerate() {
                if !matched[place] && service.is_none_or(|it| it == *namespace) {
                    matched[place] = glob(&pattern, name);
                }
            }
        }
        let named = (0..matched.len()).filter(|place| matched[*place] != patterns.negated);
        let named = Rc::new(named.collect::<Vec<usize>>());
        self.named.borrow_mut().insert(key, Rc::clone(&named));
        named
    }

    fn leaves_something(
        &self,
        statements: &[(String, Statement)],
        places: &[usize],
        resources: &Resources,
    ) -> bool {
        let all = |allows: bool| {
            let of = places.iter().map(|place| &statements[*place]);
            of.filter(move |(_, statement)| statement.allows == allows)
        };
        let is_total = |statement: &Statement| {
            !statement.resources.negated && statement.resources.patterns.iter().any(|p| p == "*")
        };
        if all(true).next().is_none() || all(false).any(|(_, deny)| is_total(deny)) {
            return false;
        }
        if all(false).next().is_none() && all(true).any(|(_, allow)| is_total(allow)) {
            return true;
        }
        // One Allow at a time, against every Deny: fewer patterns to combine.
        all(true).any(|(text, allow)| {
            let denies = all(false).map(|(text, _)| text.clone());
            let key = ([text.clone()].into_iter().chain(denies).collect(), resources.clone());
            if let Some(known) = self.left.borrow().get(&key) {
                return *known;
            }
            let mut patterns: BTreeSet<String> =
                all(false).flat_map(|(_, deny)| deny.resources.patterns.clone()).collect();
            let survives = |patterns: &BTreeSet<String>| {
                samples(resources, patterns).iter().any(|resource| {
                    allow.covers(resource) && !all(false).any(|(_, deny)| deny.covers(resource))
                })
            };
            let left = if allow.resources.negated {
                patterns.extend(allow.resources.patterns.clone());
                survives(&patterns)
            } else {
                allow.resources.patterns.iter().any(|pattern| {
                    let mut patterns = patterns.clone();
                    patterns.insert(pattern.clone());
                    survives(&patterns)
                })
            };
            self.left.borrow_mut().insert(key, left);
            left
        })
    }
}

impl Statement {
    /// Returns whether the statement speaks of an action such as `s3:GetObject` (S5).
    fn names(&self, action: &str) -> bool {
        let action = action.to_lowercase();
        self.actions.take(|pattern| glob(&pattern.to_lowercase(), &action))
    }

    fn covers(&self, resource: &str) -> bool {
        self.resources.take(|pattern| arn_matches(pattern, resource))
    }

    /// S3: a conditioned Deny takes nothing away.
    fn takes_away(&self, resource: &str) -> bool {
        !self.allows && !self.conditional && self.covers(resource)
    }
}

/// Reads the statements of a document; a malformed one ends the test (S10).
fn statements(document: &Value) -> Vec<Statement> {
    one_or_more(&document["Statement"]).into_iter().map(statement).collect()
}

fn statement(value: &Value) -> Statement {
    let strings = |name: &str| -> Option<Vec<String>> {
        let texts = one_or_more(value.get(name)?).into_iter();
        Some(texts.map(|text| text.as_str().expect("a pattern is a string").to_owned()).collect())
    };
    let either = |positive: &str, negative: &str| match (strings(positive), strings(negative)) {
        (Some(patterns), None) => Patterns { patterns, negated: false },
        (None, Some(patterns)) => Patterns { patterns, negated: true },
        _ => panic!("a statement has one of {positive} and {negative}: {value}"),
    };
    let mut resources = either("Resource", "NotResource");
    for pattern in &mut resources.patterns {
        *pattern = wildcards(pattern);
    }
    Statement {
        allows: match value["Effect"].as_str() {
            Some("Allow") => true,
            Some("Deny") => false,
            _ => panic!("a statement allows or denies: {value}"),
        },
        conditional: value.get("Condition").is_some(),
        actions: either("Action", "NotAction"),
        resources,
    }
}

fn one_or_more(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |values| values.iter().collect())
}

/// Makes up resources that an action can have, near every pattern of the policies and far from it.
fn samples(resources: &Resources, patterns: &BTreeSet<String>) -> Vec<String> {
    match resources {
        Resources::Everything => vec!["*".to_owned()],
        Resources::Formats(formats) => formats.iter().flat_map(|f| near(f, patterns)).collect(),
        Resources::Unknown => {
            let mut all = near("arn:*:*:*:*:*", patterns);
            all.push("*".to_owned());
            all
        }
    }
}

/// Combines, field by field, everything that the format and the patterns could mean.
fn near(format: &str, patterns: &BTreeSet<String>) -> Vec<String> {
    let mut arns = vec![String::new()];
    for (place, own) in six_fields(format).iter().enumerate() {
        let mut forms: BTreeSet<String> =
            patterns.iter().map(|pattern| six_fields(pattern)[place].clone()).collect();
        forms.insert(own.clone());
        let pieces: BTreeSet<&str> = forms
            .iter()
            .flat_map(|form| form.split(['*', '?']))
            .filter(|p| !p.is_empty())
            .collect();
        let concrete: BTreeSet<String> = forms
            .iter()
            .flat_map(|form| filled(form, &pieces))
            .filter(|text| glob(own, text))
            .collect();
        arns = arns
            .iter()
            .flat_map(|head| {
                let joint = if place == 0 { "" } else { ":" };
                concrete.iter().map(move |text| format!("{head}{joint}{text}"))
            })
            .collect();
    }
    arns
}

/// Fills the wildcards of one field with a strange word, with nothing, and with what others name.
fn filled(form: &str, pieces: &BTreeSet<&str>) -> Vec<String> {
    let Some(at) = form.find(['*', '?']) else {
        return vec![form.to_owned()];
    };
    let (head, tail) = (&form[..at], &form[at + 1..]);
    let fills: Vec<&str> = if form[at..].starts_with('?') {
        vec!["Q"]
    } else {
        ["strange7word", ""].into_iter().chain(pieces.iter().copied()).collect()
    };
    let tails = filled(tail, pieces);
    fills
        .iter()
        .flat_map(|fill| tails.iter().map(move |tail| format!("{head}{fill}{tail}")))
        .collect()
}

/// Splits an ARN or a pattern of one; missing fields are wildcards (S8).
fn six_fields(arn: &str) -> Vec<String> {
    let mut fields: Vec<String> = arn.splitn(6, ':').map(str::to_owned).collect();
    fields.resize(6, "*".to_owned());
    fields
}

/// S8: a wildcard stays within its field; the resource `*` is named by nothing but `*`.
fn arn_matches(pattern: &str, resource: &str) -> bool {
    let everything = !pattern.is_empty() && pattern.bytes().all(|byte| byte == b'*');
    let pairs = six_fields(pattern).into_iter().zip(six_fields(resource));
    everything
        || (resource != "*" && pairs.into_iter().all(|(pattern, field)| glob(&pattern, &field)))
}

/// Matches `*` and `?`, by trying every way.
fn glob(pattern: &str, text: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => text.is_empty(),
        Some('*') => text
            .char_indices()
            .map(|(at, _)| at)
            .chain([text.len()])
            .any(|at| glob(rest.as_str(), &text[at..])),
        Some(letter) => {
            let mut letters = text.chars();
            letters.next().is_some_and(|other| letter == '?' || letter == other)
                && glob(rest.as_str(), letters.as_str())
        }
    }
}
