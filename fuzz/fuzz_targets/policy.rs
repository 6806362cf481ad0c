//! Any text as a policy document, and policies of every kind against a slow, obvious evaluator.
//!
//! A text that begins with a brace is a document: refused with its place, or the same however it is
//! written, and what it allows of AWS's services obeys the rules that hold for every policy. Other
//! bytes choose statements of a small world, of which every action on every resource is tried.

#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use trailfold::catalog::Catalog;
use trailfold::policy::{Evaluator, Policy, PolicyIndex};
use trailfold_fuzz::{fed, is_fit_for_people};

#[path = "../../tests/policy/naive.rs"]
mod naive;

/// How many policies an evaluator sees before it is made anew: it remembers all of them.
const LIFE: usize = 200;

fuzz_target!(|bytes: &[u8]| {
    fed(bytes);
    match str::from_utf8(bytes) {
        Ok(text) if text.trim_start_matches('\u{feff}').trim_start().starts_with(['{', '[']) => {
            a_document(text);
        }
        _ => a_small_world(bytes),
    }
});

/// An evaluator, what it was first asked, and how often it was asked since.
struct Asked {
    evaluator: Evaluator<'static>,
    full: PolicyIndex,
    nothing: PolicyIndex,
    times: usize,
}

impl Asked {
    fn new() -> Self {
        let mut evaluator = Evaluator::new(Catalog::embedded());
        let mut add = |effect: &str| {
            let statement = json!({"Effect": effect, "Action": "*", "Resource": "*"});
            let policy = Policy::from_value(&json!({"Statement": statement}));
            evaluator.add(&policy.expect("a policy"))
        };
        let (full, nothing) = (add("Allow"), add("Deny"));
        Self { evaluator, full, nothing, times: 0 }
    }
}

fn a_document(text: &str) {
    thread_local!(static ASKED: RefCell<Asked> = RefCell::new(Asked::new()));
    let policy = match Policy::parse(text) {
        Ok(policy) => policy,
        Err(error) => {
            let message = error.to_string();
            is_fit_for_people(&message, &["line ", "`", "the document"]);
            return assert!(message.len() < 4096, "{message}");
        }
    };
    let value: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).expect("JSON");
    assert_eq!(Policy::from_value(&value).as_ref(), Ok(&policy));
    let pretty = serde_json::to_string_pretty(&value).expect("a value is JSON");
    assert_eq!(Policy::parse(&pretty).as_ref(), Ok(&policy));
    ASKED.with_borrow_mut(|asked| {
        if asked.times >= LIFE {
            *asked = Asked::new();
        }
        asked.times += 1;
        what_it_allows_obeys(asked, &policy);
    });
}

/// Checks what holds for every policy.
fn what_it_allows_obeys(asked: &mut Asked, policy: &Policy) {
    let catalog = Catalog::embedded();
    let Asked { evaluator, full, nothing, times } = asked;
    let index = evaluator.add(policy);
    let alone = evaluator.allowed_services(&[vec![index]]);
    assert!(alone.undecided.iter().all(|it| alone.services.contains(it)));

    // The actions and the services tell the same.
    let actions = evaluator.allowed_actions(&[vec![index]]);
    for (service, undecided) in &actions.undecided {
        let allowed = &actions.actions[service];
        assert!(undecided.iter().all(|it| allowed.contains(it)));
    }
    for (service, allowed) in &actions.actions {
        assert!(!allowed.is_empty() && allowed.is_sorted());
        let undecided = actions.undecided.get(service).map_or(0, Vec::len);
        assert!(undecided == allowed.len() || alone.services.contains(*service));
    }
    for service in alone.services.iter().filter(|it| !alone.undecided.contains(*it)) {
        let is_silent = catalog.actions(service).is_empty();
        assert!(is_silent || actions.actions.contains_key(&service), "{service:?}");
    }

    // A level that allows all restricts nothing; one that allows nothing, or a Deny of all, leaves
    // nothing; another policy beside it that allows all takes nothing away.
    let below_full = evaluator.allowed_services(&[vec![*full], vec![index]]);
    let beside_full = evaluator.allowed_services(&[vec![*full, index]]);
    if below_full.undecided.is_empty() && alone.undecided.is_empty() {
        assert_eq!(below_full.services, alone.services);
    }
    if beside_full.undecided.is_empty() {
        let decided = alone.services.iter().filter(|it| !alone.undecided.contains(*it));
        assert!(decided.into_iter().all(|it| beside_full.services.contains(it)));
    }
    assert!(evaluator.allowed_services(&[vec![index], vec![]]).services.is_empty());
    assert!(evaluator.allowed_services(&[vec![index, *nothing]]).services.is_empty());

    // The answer does not depend on what was asked before.
    if times.is_multiple_of(16) {
        let mut fresh = Evaluator::new(catalog);
        let index = fresh.add(policy);
        assert_eq!(fresh.allowed_services(&[vec![index]]), alone);
    }
}

/// Bytes as choices.
struct Choices<'a>(&'a [u8]);

impl Choices<'_> {
    /// Returns a number below `bound`; 0 behind the end.
    fn below(&mut self, bound: usize) -> usize {
        self.0.split_off_first().map_or(0, |byte| usize::from(*byte) % bound)
    }

    fn some<'p>(&mut self, most: usize, patterns: &[&'p str]) -> Vec<&'p str> {
        (0..=self.below(most)).map(|_| patterns[self.below(patterns.len())]).collect()
    }

    fn statement(&mut self) -> Value {
        let effect = ["Allow", "Allow", "Deny"][self.below(3)];
        let actions = self.some(2, &naive::ACTION_PATTERNS);
        let resources = self.some(3, &naive::RESOURCE_PATTERNS);
        let action = ["Action", "Action", "Action", "NotAction"][self.below(4)];
        let resource = ["Resource", "Resource", "Resource", "NotResource"][self.below(4)];
        let mut statement = json!({"Effect": effect, action: actions, resource: resources});
        if self.below(8) == 7 {
            statement["Condition"] = json!({"Bool": {"aws:SecureTransport": "false"}});
        }
        statement
    }

    fn policy(&mut self) -> Value {
        let statements: Vec<Value> = (0..=self.below(3)).map(|_| self.statement()).collect();
        json!({"Version": "2012-10-17", "Statement": statements})
    }

    fn levels(&mut self) -> Vec<Vec<Value>> {
        let policies =
            |choices: &mut Self| (0..=choices.below(2)).map(|_| choices.policy()).collect();
        (0..=self.below(3)).map(|_| policies(self)).collect()
    }
}

fn a_small_world(bytes: &[u8]) {
    thread_local! {
        static EVALUATOR: RefCell<(Evaluator<'static>, usize)> =
            RefCell::new((Evaluator::new(naive::world()), 0));
        // It remembers patterns, of which there are few.
        static MATCHES: RefCell<naive::Matches> = RefCell::default();
    }
    EVALUATOR.with_borrow_mut(|(evaluator, times)| {
        if *times >= LIFE {
            (*evaluator, *times) = (Evaluator::new(naive::world()), 0);
        }
        *times += 1;
        MATCHES.with_borrow_mut(|matches| {
            naive::check(evaluator, matches, &Choices(bytes).levels());
        });
    });
}
