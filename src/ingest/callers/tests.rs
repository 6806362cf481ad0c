//! Tests of what is remembered of callers.

use super::*;
use crate::event::Event;
use crate::event::scan::{self, Habits, Object};

/// Returns a record of a session that differs from others far behind the bytes by which it is
/// looked up.
fn record(key: &str) -> String {
    let arn = "r".repeat(400);
    format!(
        r#"{{"userIdentity":{{"type":"AssumedRole","arn":"{arn}","accessKeyId":"{key}"}},"eventName":"n"}}"#
    )
}

fn read<'a>(json: &'a str, habits: &mut Habits) -> Event<'a> {
    let mut object = Object::default();
    scan::object(json.as_bytes(), 0, false, habits, &mut object).unwrap();
    object.event
}

/// Asks for the caller of a record, which is its key; tells whether that was found out anew.
fn ask(json: &str, habits: &mut Habits, callers: &mut Callers<char>) -> (char, bool) {
    let identity = read(json, habits).user_identity().unwrap();
    let mut is_new = false;
    let caller = callers.get(identity, || {
        is_new = true;
        let key = identity.read().unwrap().access_key_id.unwrap();
        key.chars().next().unwrap()
    });
    (caller, is_new)
}

#[test]
fn a_caller_is_found_out_once() {
    let (mut habits, mut callers) = (Habits::default(), Callers::default());
    let json = record("A");
    assert_eq!(ask(&json, &mut habits, &mut callers), ('A', true));
    for _ in 0..3 {
        assert_eq!(ask(&json, &mut habits, &mut callers), ('A', false));
    }
}

#[test]
fn who_takes_the_place_of_another_is_not_taken_for_it() {
    let (mut habits, mut callers) = (Habits::default(), Callers::default());
    let (a, b) = (record("A"), record("B"));
    let place = |json: &str, habits: &mut Habits| {
        read(json, habits).user_identity().unwrap().sighting.unwrap().place()
    };
    assert_eq!(place(&a, &mut habits), place(&b, &mut habits));
    for _ in 0..3 {
        assert_eq!(ask(&a, &mut habits, &mut callers), ('A', true));
        assert_eq!(ask(&a, &mut habits, &mut callers), ('A', false));
        assert_eq!(ask(&b, &mut habits, &mut callers), ('B', true));
        assert_eq!(ask(&b, &mut habits, &mut callers), ('B', false));
    }
    // Nor is who was met by another reader, or has no sighting at all.
    let mut others = Habits::default();
    assert_eq!(ask(&a, &mut others, &mut callers), ('A', true));
    let near = r#"{"userIdentity":{"accessKeyId":"C"}}"#;
    for _ in 0..2 {
        assert_eq!(ask(near, &mut habits, &mut callers), ('C', true));
    }
}
