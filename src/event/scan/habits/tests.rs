//! Tests of the identities that are remembered.

use super::super::{Fault, Object, object};
use super::*;
use crate::event::UserIdentity;

/// Returns a session's identity that differs from others of the same length behind its first 320
/// bytes only.
fn session(arn: usize, key: &str) -> String {
    let arn = "r".repeat(arn);
    format!(r#"{{"type":"AssumedRole","arn":"{arn}","accountId":"1","accessKeyId":"{key}"}}"#)
}

fn record(identity: &str) -> String {
    let behind = "x".repeat(400);
    format!(r#"{{"userIdentity":{identity},"eventName":"n","userAgent":"{behind}"}}"#)
}

fn read<'a>(json: &'a str, habits: &mut Habits) -> Result<Object<'a>, Fault> {
    let mut found = Object::default();
    object(json.as_bytes(), 0, false, habits, &mut found)?;
    Ok(found)
}

/// Returns the identity of a record and where it was seen.
fn seen<'a>(json: &'a str, habits: &mut Habits) -> (UserIdentity<'a>, Option<Sighting>) {
    let object = read(json, habits).unwrap();
    assert_eq!(object.end, json.len(), "{json}");
    let identity = object.event.user_identity().unwrap();
    (identity.read().unwrap(), identity.sighting)
}

fn access_key(identity: &UserIdentity<'_>) -> String {
    identity.access_key_id.as_deref().unwrap_or_default().to_owned()
}

#[test]
fn the_same_identity_is_the_same_sighting_whatever_record_it_stands_in() {
    let mut habits = Habits::default();
    let (a, b) = (session(300, "A"), session(200, "B"));
    let (_, first) = seen(&record(&a), &mut habits);
    assert!(first.is_some());
    let (_, other) = seen(&record(&b), &mut habits);
    assert_ne!(first, other);
    let late = record(&a).replace("{\"userIdentity\"", "{\"eventVersion\":\"1\",\"userIdentity\"");
    for json in [record(&a), late] {
        let (identity, again) = seen(&json, &mut habits);
        assert_eq!((again, access_key(&identity).as_str()), (first, "A"));
    }
    // The members of the whole are no part of it: other blanks, other bytes, another sighting.
    let spaced = record(&a.replacen(':', ": ", 1));
    assert_ne!(seen(&spaced, &mut habits).1, first);
}

#[test]
fn an_identity_that_begins_as_another_does_is_not_taken_for_it() {
    let mut habits = Habits::default();
    let keys = ["A", "B", "AA", "", "A\\u0041"];
    for key in keys.iter().chain(&keys) {
        let json = record(&session(400, key));
        let (identity, _) = seen(&json, &mut habits);
        assert_eq!(access_key(&identity), key.replace("\\u0041", "A"));
    }
    // They share a place: the one seen last is there, and the ones before are met anew.
    let (a, b) = (record(&session(400, "A")), record(&session(400, "B")));
    let (_, first) = seen(&a, &mut habits);
    let (_, other) = seen(&b, &mut habits);
    let (_, again) = seen(&a, &mut habits);
    assert_eq!(first.unwrap().place(), other.unwrap().place());
    assert!(first != other && other != again && again != first);
    assert_eq!(seen(&a, &mut habits).1, again);
}

#[test]
fn an_identity_ends_at_its_own_brace() {
    let mut habits = Habits::default();
    let identities = [
        r#"{"type":"Root"}"#,
        r#"{"type":"Root","accessKeyId":"A"}"#,
        r#"{"type":"Root","accessKeyId":"A","x":{}}"#,
        r#"{"type":"Root","accessKeyId":"}"}"#,
        r#"{"type":"Root","accessKeyId":"}","y":"}"}"#,
        "{}",
        r#"{"":{}}"#,
    ];
    for _ in 0..3 {
        for one in identities {
            for other in identities {
                for identity in [one, other] {
                    let json = record(identity);
                    let object = read(&json, &mut habits).unwrap();
                    let found = object.event.user_identity().unwrap();
                    assert_eq!(str::from_utf8(found.bytes).unwrap(), identity);
                    assert_eq!(
                        (object.end, object.event.event_name().is_some()),
                        (json.len(), true)
                    );
                }
            }
        }
    }
}

#[test]
fn an_identity_of_more_than_4_kib_is_read_and_not_remembered() {
    let mut habits = Habits::default();
    let around = session(0, "A").len();
    for (length, is_remembered) in [(LONGEST, true), (LONGEST + 1, false), (3 * LONGEST, false)] {
        let json = record(&session(length - around, "A"));
        for _ in 0..2 {
            let (identity, sighting) = seen(&json, &mut habits);
            assert_eq!((access_key(&identity).as_str(), sighting.is_some()), ("A", is_remembered));
        }
    }
}

#[test]
fn a_remembered_identity_that_is_cut_off_is_not_found() {
    let mut habits = Habits::default();
    let json = record(&session(300, "A"));
    let (_, sighting) = seen(&json, &mut habits);
    for end in 1..json.len() {
        let fault = read(json.get(..end).unwrap(), &mut habits).unwrap_err();
        assert_eq!(fault, Fault::Incomplete, "{end}");
    }
    assert_eq!(seen(&json, &mut habits).1, sighting);
    // With nothing behind its `}` but the record's own it is found as well.
    let last = format!(r#"{{"userIdentity":{}}}"#, session(300, "A"));
    assert_eq!(seen(&last, &mut habits).1, sighting);
    // So near the end of the bytes that it has no place, it is read.
    let near = r#"{"eventName":"n","userIdentity":{"accessKeyId":"A"}}"#;
    for _ in 0..2 {
        let (identity, sighting) = seen(near, &mut habits);
        assert_eq!((access_key(&identity).as_str(), sighting), ("A", None));
    }
}

#[test]
fn no_two_readers_share_a_sighting() {
    let json = record(&session(300, "A"));
    let mut every: Vec<Habits> = (0..50).map(|_| Habits::default()).collect();
    let sightings: Vec<_> = every.iter_mut().map(|habits| seen(&json, habits).1.unwrap()).collect();
    for (at, one) in sightings.iter().enumerate() {
        assert!(!sightings.iter().skip(at + 1).any(|other| other == one));
    }
    for (habits, sighting) in every.iter_mut().zip(&sightings) {
        assert_eq!(seen(&json, habits).1, Some(*sighting));
    }
}

#[test]
fn a26_of_two_identities_the_last_one_stands_whichever_is_remembered() {
    let (a, b) = (session(300, "A"), session(200, "B"));
    let twice = |one: &str, other: &str| {
        record(other).replacen('{', &format!("{{\"userIdentity\":{one},"), 1)
    };
    let mut habits = Habits::default();
    let (_, of_a) = seen(&record(&a), &mut habits);
    let json = twice(&a, &b);
    let (identity, of_b) = seen(&json, &mut habits);
    assert_eq!(access_key(&identity), "B");
    assert_ne!(of_a, of_b);
    for (one, other, key, sighting) in
        [(&a, &b, "B", of_b), (&b, &a, "A", of_a), (&a, &a, "A", of_a), (&b, &b, "B", of_b)]
    {
        let json = twice(one, other);
        let (identity, found) = seen(&json, &mut habits);
        assert_eq!((access_key(&identity).as_str(), found), (key, sighting));
    }
    // What is remembered does not stand in for what is none.
    for none in ["null", "\"Root\"", "[]", "7", "true"] {
        for json in [twice(&a, none), record(none)] {
            assert_eq!(read(&json, &mut habits).unwrap().event.user_identity(), None, "{json}");
        }
        let json = twice(none, &a);
        let (identity, found) = seen(&json, &mut habits);
        assert_eq!((access_key(&identity).as_str(), found), ("A", of_a));
    }
    // A long one that has no sighting takes none from the one before it.
    let long = session(2 * LONGEST, "L");
    let json = twice(&a, &long);
    let (identity, found) = seen(&json, &mut habits);
    assert_eq!((access_key(&identity).as_str(), found), ("L", None));
}
