//! The evaluator and its slow twin, on policies as the dice fall.

use std::cell::RefCell;

use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof};
use proptest::sample::select;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use trailfold::policy::Evaluator;

use super::naive::{self, ACTION_PATTERNS, Matches, RESOURCE_PATTERNS};

fn one_or_more(strings: &[&str]) -> Value {
    match strings {
        [one] => json!(one),
        more => json!(more),
    }
}

fn statement() -> impl Strategy<Value = Value> {
    let action = select(ACTION_PATTERNS.to_vec());
    let resource = select(RESOURCE_PATTERNS.to_vec());
    let effect = prop_oneof![Just("Allow"), Just("Allow"), Just("Deny")];
    let parts = (effect, vec(action, 1..3), vec(resource, 1..4));
    let switches = (any::<bool>(), 0u8..6, 0u8..6);
    (parts, switches).prop_map(|((effect, actions, resources), (rare, not_action, not))| {
        let action = if not_action == 0 { "NotAction" } else { "Action" };
        let resource = if not == 0 { "NotResource" } else { "Resource" };
        let mut statement = json!({"Effect": effect, action: one_or_more(&actions),
            resource: one_or_more(&resources)});
        if rare && not == 1 {
            statement["Condition"] = json!({"Bool": {"aws:SecureTransport": "false"}});
        }
        statement
    })
}

fn policy() -> impl Strategy<Value = Value> {
    let statements = vec(statement(), 1..5).prop_map(|statements| match statements.as_slice() {
        [one] => one.clone(),
        more => json!(more),
    });
    statements.prop_map(|statements| super::document(&statements))
}

#[test]
fn s2_the_evaluator_agrees_with_a_naive_one() {
    let evaluator = RefCell::new(Evaluator::new(naive::world()));
    let matches = RefCell::new(Matches::default());
    let config = ProptestConfig { cases: 150, failure_persistence: None, ..<_>::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let run = runner.run(&vec(vec(policy(), 1..3), 1..4), |levels| {
        naive::check(&mut evaluator.borrow_mut(), &mut matches.borrow_mut(), &levels);
        Ok(())
    });
    run.unwrap();
}
