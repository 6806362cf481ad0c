//! A slow, obvious second evaluator: every action, every resource of a small world, one after the
//! other.
//!
//! A fuzz target compiles this file, too: it needs nothing but the library, `serde_json` and
//! `tempfile`.

use std::collections::HashMap;
use std::fs;
use std::sync::OnceLock;

use serde_json::{Value, json};
use trailfold::catalog::Catalog;
use trailfold::policy::{Evaluator, Policy};

/// The actions of the small world with the formats of their resources; none: only `*`.
///
/// `yard:Tag` names a resource type that is not described: it may have any resource.
pub(crate) const ACTIONS: [(&str, &str, &[&str]); 9] = [
    ("zoo", "ListCages", &[]),
    ("zoo", "FeedLion", &["arn:${Partition}:zoo:::cage/${Cage}"]),
    ("zoo", "FeedApe", &["arn:${Partition}:zoo:::cage/${Cage}/bar/${Bar}"]),
    ("zoo", "Clean", &["arn:${Partition}:zoo:::cage/${Cage}", "arn:${Partition}:zoo:::x:${X}"]),
    ("yard", "Sweep", &["arn:${Partition}:yard:${Region}::${Place}"]),
    ("yard", "Rest", &[]),
    ("yard", "Tag", &["arn:*:*:*:*:*", "*"]),
    ("farm", "Sow", &["arn:${Partition}:zoo:::x:${X}"]),
    ("mute", "", &["arn:*:*:*:*:*", "*"]),
];

/// Patterns of actions that tell the actions of the small world apart.
pub(crate) const ACTION_PATTERNS: [&str; 13] = [
    "*",
    "*",
    "zoo:*",
    "yard:*",
    "mute:*",
    "mute:X",
    "farm:?*w",
    "zoo:Feed*",
    "ZOO:*n",
    "zoo:?eedLion",
    "yard:Sweep",
    "*:*e*",
    "zoo:L*",
];

/// Patterns of resources that the resources of the small world tell apart.
pub(crate) const RESOURCE_PATTERNS: [&str; 18] = [
    "*",
    "*",
    "arn:aws:zoo:::*",
    "arn:aws:zoo:::cage/a*",
    "arn:aws:zoo:::cage/*b",
    "arn:aws:zoo:::cage/??*",
    "arn:aws:zoo:::cage/?",
    "arn:aws:zoo:::cage/",
    "arn:*:zoo:::cage/*/bar/a",
    "arn:*:*:::*:*",
    "arn:aws:zoo:::x:${aws:username}a",
    "arn:aws:yard",
    "arn:aws:yard:r:*:a",
    "arn:aws:yard:?:*:*",
    "arn:aws:yard:::*a*",
    "arn:aws:yard:*::*b*",
    "arn:aws:y*:*",
    "arn:aws:z*:r",
];

/// Returns the embedded catalog and the small world, whose services are `zoo`, `yard`, `farm` and,
/// without actions, `mute`.
pub(crate) fn world() -> &'static Catalog {
    static WORLD: OnceLock<Catalog> = OnceLock::new();
    WORLD.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        for service in ["zoo", "yard", "farm", "mute"] {
            let (mut actions, mut resources) = (Vec::new(), Vec::new());
            for (_, name, formats) in
                ACTIONS.iter().filter(|(of, name, _)| *of == service && !name.is_empty())
            {
                let types = formats.iter().map(|format| json!({"Name": format}));
                actions.push(json!({"Name": name, "Resources": types.collect::<Vec<_>>()}));
                resources.extend(formats.iter().map(|it| json!({"Name": it, "ARNFormats": [it]})));
            }
            let file = json!({"Name": service, "Actions": actions, "Resources": resources});
            fs::write(folder.path().join(format!("{service}.json")), file.to_string()).unwrap();
        }
        Catalog::load(folder.path()).unwrap()
    })
}

/// Returns the words of up to so many letters.
fn words(length: usize) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut from = 0;
    for _ in 0..length {
        let until = words.len();
        for at in from..until {
            let longer = ["a", "b", "z", "/", ":"].map(|letter| format!("{}{letter}", words[at]));
            words.extend(longer);
        }
        from = until;
    }
    words
}

/// Every resource that tells the patterns of the small world apart.
fn resources() -> &'static [String] {
    static RESOURCES: OnceLock<Vec<String>> = OnceLock::new();
    RESOURCES.get_or_init(|| {
        let mut resources = vec!["*".to_owned()];
        for place in [":", "r:", "rr:", ":1"] {
            for start in
                ["aws:zoo", "aws:yard", "aws:zo", "aws:yo", "aws:o", "o:zoo", "o:yard", "o:o"]
            {
                let start = format!("arn:{start}:{place}:");
                let known = ["arn:aws:zoo", "arn:aws:yard"].iter().any(|it| start.starts_with(it));
                for word in words(if known { 3 } else { 1 }) {
                    for before in ["", "cage/", "x:"] {
                        resources.push(format!("{start}{before}{word}"));
                    }
                }
                for one in words(if known { 2 } else { 1 }) {
                    let barred = words(1).into_iter().map(|it| format!("cage/{one}/bar/{it}"));
                    resources.extend(barred.map(|it| format!("{start}{it}")));
                }
            }
        }
        resources
    })
}

/// Whether the pattern matches, by its first character.
fn glob(pattern: &[char], text: &[char]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        (['*', rest @ ..], _) => {
            glob(rest, text) || text.split_first().is_some_and(|(_, text)| glob(pattern, text))
        }
        (['?', rest @ ..], [_, text @ ..]) => glob(rest, text),
        ([one, rest @ ..], [other, text @ ..]) => one == other && glob(rest, text),
        _ => false,
    }
}

fn matches(pattern: &str, text: &str) -> bool {
    let chars = |text: &str| text.chars().collect::<Vec<_>>();
    glob(&chars(pattern), &chars(text))
}

fn resource_matches(pattern: &str, resource: &str) -> bool {
    if pattern == "*" {
        return true;
    }
    let mut pattern = pattern.to_owned();
    while let Some((before, (_, after))) =
        pattern.split_once("${").map(|(before, rest)| (before, rest.split_once('}').unwrap()))
    {
        pattern = format!("{before}*{after}");
    }
    let mut patterns: Vec<&str> = pattern.splitn(6, ':').collect();
    patterns.resize(6, "*");
    let fields: Vec<&str> = resource.splitn(6, ':').collect();
    fields.len() == 6 && patterns.iter().zip(fields).all(|(one, other)| matches(one, other))
}

fn action_matches(pattern: &str, service: &str, name: &str) -> bool {
    let pattern = pattern.to_lowercase();
    if name.is_empty() {
        return pattern == "*" || pattern == format!("{service}:*");
    }
    matches(&pattern, &format!("{service}:{}", name.to_lowercase()))
}

/// Returns the strings of an element, and whether it is the one with `Not`.
fn strings(statement: &Value, element: &str) -> (Vec<String>, bool) {
    let (value, not) = match statement.get(element) {
        Some(value) => (value, false),
        None => (&statement[format!("Not{element}")], true),
    };
    let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    (values.iter().map(|value| value.as_str().unwrap().to_owned()).collect(), not)
}

/// Per resource whether each pattern matches it, worked out once.
#[derive(Default)]
pub(crate) struct Matches(HashMap<String, Vec<bool>>);

impl Matches {
    fn of(&mut self, pattern: &str) -> &[bool] {
        self.0.entry(pattern.to_owned()).or_insert_with(|| {
            resources().iter().map(|resource| resource_matches(pattern, resource)).collect()
        })
    }

    /// Returns per resource whether a statement of the level that has the effect covers it.
    fn covered(
        &mut self,
        level: &[Value],
        effect: &str,
        (service, name): (&str, &str),
    ) -> Vec<bool> {
        let mut covered = vec![false; resources().len()];
        let statements = level.iter().flat_map(|document| match &document["Statement"] {
            Value::Array(statements) => statements.as_slice(),
            statement => std::slice::from_ref(statement),
        });
        for statement in statements.filter(|statement| statement["Effect"] == effect) {
            let (actions, not) = strings(statement, "Action");
            let selected = actions.iter().any(|pattern| action_matches(pattern, service, name));
            let conditional = effect == "Deny" && statement.get("Condition").is_some();
            if selected == not || conditional {
                continue;
            }
            let (patterns, not) = strings(statement, "Resource");
            let mut matched = vec![false; resources().len()];
            for pattern in patterns {
                matched.iter_mut().zip(self.of(&pattern)).for_each(|(all, one)| *all |= one);
            }
            covered.iter_mut().zip(matched).for_each(|(all, one)| *all |= one != not);
        }
        covered
    }

    /// Returns per resource whether an action can have it whose resources have these formats.
    fn possible(&mut self, formats: &[&str]) -> Vec<bool> {
        let mut possible: Vec<bool> =
            resources().iter().map(|it| it == "*" && formats.is_empty()).collect();
        for format in formats {
            let all = possible.iter_mut().zip(self.of(format)).zip(resources());
            all.for_each(|((all, one), it)| *all |= *one && (*format == "*" || it != "*"));
        }
        possible
    }

    /// Returns which actions of the small world the levels allow, in the order of [`ACTIONS`].
    pub(crate) fn allowed(&mut self, levels: &[Vec<Value>]) -> Vec<bool> {
        let action = |(service, name, formats): &(&str, &str, &[&str])| {
            let mut left = self.possible(formats);
            for level in levels {
                let allowed = self.covered(level, "Allow", (service, name));
                let denied = self.covered(level, "Deny", (service, name));
                for ((left, allowed), denied) in left.iter_mut().zip(allowed).zip(denied) {
                    *left &= allowed && !denied;
                }
            }
            left.contains(&true)
        };
        ACTIONS.iter().map(action).collect()
    }
}

/// Compares what the evaluator says of levels of documents with what is found here.
///
/// # Panics
///
/// If the two differ, or a document is none.
pub(crate) fn check(evaluator: &mut Evaluator<'_>, matches: &mut Matches, levels: &[Vec<Value>]) {
    let catalog = world();
    let expected = matches.allowed(levels);
    let chain: Vec<Vec<_>> = levels
        .iter()
        .map(|level| {
            let policies = level.iter().map(|policy| Policy::from_value(policy).unwrap());
            policies.map(|policy| evaluator.add(&policy)).collect()
        })
        .collect();
    let services = evaluator.allowed_services(&chain);
    assert_eq!(services.undecided.len(), 0, "{levels:?}");
    let actions = evaluator.allowed_actions(&chain);
    for namespace in ["zoo", "yard", "farm", "mute"] {
        let service = catalog.find(namespace).unwrap();
        let of_it = ACTIONS.iter().zip(&expected).filter(|((of, ..), _)| *of == namespace);
        let any = of_it.clone().any(|(_, allowed)| *allowed);
        assert_eq!(services.services.contains(service), any, "{namespace}: {levels:?}");
        let mut names: Vec<&str> = actions
            .actions
            .get(&service)
            .into_iter()
            .flatten()
            .map(|&at| catalog.actions(service)[at].name.as_str())
            .collect();
        let named = of_it.filter(|((_, name, _), allowed)| **allowed && !name.is_empty());
        let mut expected: Vec<&str> = named.map(|((_, name, _), _)| *name).collect();
        names.sort_unstable();
        expected.sort_unstable();
        assert_eq!(names, expected, "{namespace}: {levels:?}");
    }
}
