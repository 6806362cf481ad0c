//! Tests of the ledger: its joins, and what it keeps.

use std::borrow::Cow;

use super::*;
use crate::access::{Access, Answer, Principal};
use crate::event::RawString;

const BOB: Actor<'_> = Actor {
    account: "111122223333",
    principal: Principal {
        arn: Some(Cow::Borrowed("arn:aws:iam::111122223333:user/bob")),
        id: Some("AIDAEXAMPLE"),
    },
};

fn access<'a>(micros: i64, event_id: &'a str, region: &'a str, answer: Answer) -> Access<'a> {
    Access {
        event_source: "s3.amazonaws.com".into(),
        event_name: "GetObject".into(),
        is_data_event: true,
        service_namespace: None,
        time: Time::from_micros(micros),
        region: Some(region.into()),
        event_id: Some(event_id.into()),
        answer,
    }
}

fn ledger(accesses: &[Access<'_>]) -> Ledger {
    by_actors(accesses.iter().map(|access| (BOB, access.clone())))
}

fn by_actors<'a>(accesses: impl IntoIterator<Item = (Actor<'a>, Access<'a>)>) -> Ledger {
    let mut journal = Journal::default();
    for (actor, access) in accesses {
        let actor = journal.actor(&actor);
        journal.add(actor, &access);
    }
    journal.finish()
}

#[test]
fn a_record_keeps_the_latest_of_each_answer_and_the_first_attempt() {
    let ledger = ledger(&[
        access(5, "e", "eu-west-1", Answer::Denied),
        access(9, "i", "us-east-1", Answer::Failed),
        access(7, "g", "us-east-2", Answer::Success),
        access(3, "c", "us-west-1", Answer::Success),
        access(1, "a", "us-west-2", Answer::Failed),
    ]);
    let entry = ledger.entries().next().unwrap();
    let micros = |attempt: Attempt<'_>| attempt.time.micros();
    assert_eq!(ledger.len(), 1);
    assert_eq!(micros(entry.latest), 9);
    assert_eq!(entry.latest.region, Some("us-east-1"));
    assert_eq!(entry.success.map(micros), Some(7));
    assert_eq!(entry.denial.map(micros), Some(5));
    assert_eq!(micros(entry.first), 1);
    assert_eq!(entry.first.event_id, Some(EventId::Text("a")));
}

#[test]
fn a27_equal_times_are_decided_by_event_id_then_region() {
    let uuid = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9";
    let mut no_id = access(1, "", "z", Answer::Success);
    no_id.event_id = None;
    let ascending = [
        no_id,
        access(1, "", "y", Answer::Success),
        access(1, uuid, "a", Answer::Success),
        access(1, uuid, "b", Answer::Success),
        access(1, "0b", "a", Answer::Success),
        access(2, "", "a", Answer::Success),
    ];
    let logged = |access: &Access<'_>| {
        let text = |text: RawString<'_>| text.decode().into_owned();
        (access.event_id.map(text), access.region.map(text))
    };
    let kept = |attempt: Attempt<'_>| {
        (attempt.event_id.map(|id| id.to_string()), attempt.region.map(str::to_owned))
    };
    for (one, other) in ascending.iter().zip(&ascending[1..]) {
        for pair in [[one.clone(), other.clone()], [other.clone(), one.clone()]] {
            let ledger = ledger(&pair);
            let entry = ledger.entries().next().unwrap();
            assert_eq!(kept(entry.latest), logged(other));
            assert_eq!(kept(entry.first), logged(one));
        }
    }
}

#[test]
fn every_part_of_the_key_keeps_records_apart() {
    let base = access(1, "a", "r", Answer::Success);
    let arn = |arn: &'static str| Principal { arn: Some(Cow::Borrowed(arn)), id: None };
    let by_id = Principal { arn: None, id: Some("AIDAEXAMPLE") };
    let ledger = by_actors([
        (Actor { account: "444455556666", ..BOB }, base.clone()),
        (Actor { principal: arn("arn:aws:iam::111122223333:role/a"), ..BOB }, base.clone()),
        (Actor { principal: by_id, ..BOB }, base.clone()),
        (Actor { principal: Principal::default(), ..BOB }, base.clone()),
        (BOB, Access { event_source: "s3-outposts.amazonaws.com".into(), ..base.clone() }),
        (BOB, Access { event_name: "".into(), ..base.clone() }),
        (BOB, Access { service_namespace: Some(Cow::Borrowed("ecs")), ..base.clone() }),
        (BOB, Access { is_data_event: false, ..base.clone() }),
        (BOB, base.clone()),
        (BOB, base),
    ]);
    assert_eq!(ledger.len(), 9);
    assert_eq!(ledger.accounts(), ["111122223333", "444455556666"]);
    assert!(ledger.entries().any(|entry| entry.service_namespace == Some("ecs")));
}

fn copy(ledger: &Ledger) -> Ledger {
    let mut copy = Ledger::default();
    copy.extend(ledger.entries());
    copy
}

#[test]
fn a27_merging_translates_every_text() {
    let one = ledger(&[
        access(1, "not-a-uuid", "eu-west-1", Answer::Success),
        Access { event_name: "PutObject".into(), ..access(4, "x", "us-east-1", Answer::Failed) },
    ]);
    let other = ledger(&[
        Access {
            event_name: "ListBuckets".into(),
            ..access(9, "other", "ap-south-1", Answer::Denied)
        },
        access(2, "not-a-uuid-either", "eu-central-1", Answer::Denied),
    ]);
    let mut merged = Ledger::default();
    merged.merge(copy(&other));
    merged.merge(copy(&one));
    let mut turned = one;
    turned.merge(other);
    assert_eq!(merged, turned);
    let mut entries: Vec<Entry<'_>> = merged.entries().collect();
    entries.sort_unstable();
    assert_eq!(entries[0].event_name, "GetObject");
    assert_eq!(entries[0].latest.event_id, Some(EventId::Text("not-a-uuid-either")));
    assert_eq!(entries[0].success.unwrap().region, Some("eu-west-1"));
    assert_eq!(entries[2].latest.event_id, Some(EventId::Text("x")));
}

#[test]
fn texts_of_overtaken_attempts_are_forgotten() {
    let mut journal = Journal::default();
    let bob = journal.actor(&BOB);
    for number in 0..50_000 {
        let id = format!("event {number}");
        journal.add(bob, &access(number, &id, "eu-west-1", Answer::Success));
    }
    let ledger = journal.finish();
    assert!(ledger.stamped.len() <= 2 * SPARE, "{}", ledger.stamped.len());
    let entry = ledger.entries().next().unwrap();
    assert_eq!(entry.latest.event_id, Some(EventId::Text("event 49999")));
    assert_eq!(entry.first.event_id, Some(EventId::Text("event 0")));
    assert_eq!(entry.latest.region, Some("eu-west-1"));
}

#[test]
fn ledgers_of_the_same_facts_are_equal_however_they_were_made() {
    let one = [access(1, "a", "r", Answer::Success), access(2, "b", "s", Answer::Denied)];
    let turned = [one[1].clone(), one[0].clone(), one[1].clone()];
    assert_eq!(ledger(&one), ledger(&turned));
    assert_eq!(format!("{:?}", ledger(&one)), format!("{:?}", ledger(&turned)));
    assert_ne!(ledger(&one), ledger(&one[..1]));
    assert_ne!(ledger(&one[..1]), Ledger::default());
    assert!(Ledger::default().is_empty());
}

#[test]
fn records_are_sorted_by_day_and_then_by_the_texts_of_their_keys() {
    let mut journal = Journal::by_day();
    let accounts = ["222222222222", "111111111111"];
    for (number, time) in [5, 3, 4, 1, 2, 0].into_iter().enumerate() {
        for account in accounts {
            journal.begin(&format!("source {number}"));
            let arn = (number % 2 == 0).then_some(Cow::Borrowed("arn:aws:iam::1:user/a"));
            let principal = Principal { arn, id: (number % 3 == 0).then_some("AIDA") };
            let actor = journal.actor(&Actor { account, principal });
            let day = 86_400_000_000 * i64::from(time % 3 - 1);
            let access = access(day + i64::from(time), "e", "r", Answer::Success);
            let event_name = ["b", "a", ""][number % 3].into();
            journal.add(actor, &Access { event_name, ..access });
        }
    }
    let ledger = journal.finish();
    let order = ledger.sorted();
    assert_eq!(order.len(), ledger.len());
    let keys: Vec<EntryKey<'_>> = order.iter().map(|number| ledger.key(*number)).collect();
    assert!(keys.is_sorted());
    assert!(keys.iter().all(|key| key.day.is_some()));
    for number in order {
        let entry = ledger.nth(number);
        assert_eq!(entry.key(), ledger.key(number));
        assert_eq!(entry.day, Some(entry.latest.time.day()));
        assert!(entry.latest.source.is_some_and(|source| source.starts_with("source ")));
    }
}

#[test]
fn sources_are_told_even_if_texts_were_swept_meanwhile() {
    let mut journal = Journal::by_day();
    journal.begin("first");
    let actor = journal.actor(&BOB);
    for number in 0..3 * SPARE {
        let id = format!("no uuid {number}");
        let time = i64::try_from(number).unwrap();
        journal.add(actor, &access(time, &id, "r", Answer::Success));
    }
    let ledger = journal.finish();
    assert!(ledger.stamped.len() < 2 * SPARE, "swept");
    let entry = ledger.entries().next().unwrap();
    assert_eq!(entry.latest.source, Some("first"));
    assert_eq!(entry.first.source, Some("first"));
}

#[test]
fn a_merge_tells_the_same_if_texts_are_swept_meanwhile() {
    // Attempts of each of many events, whose ids are texts: those at 5 are overtaken by the others.
    let ledger = |times: &[i64]| {
        let mut journal = Journal::default();
        let actor = journal.actor(&BOB);
        for number in 0..3 * SPARE {
            let name = format!("Event{number}");
            for time in times {
                let id = format!("no uuid {number} {time}");
                let access = access(*time, &id, "r", Answer::Success);
                journal.add(actor, &Access { event_name: name.as_str().into(), ..access });
            }
        }
        journal.finish()
    };
    let mut merged = ledger(&[5]);
    let before = merged.stamped.len();
    merged.merge(ledger(&[1, 9]));
    assert!(before + 6 * SPARE > merged.stamped.len(), "swept");
    assert_eq!(merged, ledger(&[1, 5, 9]));
}

#[test]
fn events_that_begin_and_end_alike_are_told_apart() {
    // They share a place among those met last.
    let name = |middle: &str| format!("BatchGet{middle}Resource");
    let names = [name("A"), name("B"), name("A"), name("")];
    let mut journal = Journal::default();
    let actor = journal.actor(&BOB);
    for (time, (name, is_data_event)) in
        (0..).zip(names.iter().flat_map(|name| [(name, true), (name, false)]))
    {
        let access = Access { is_data_event, ..access(time, "e", "r", Answer::Success) };
        journal.add(actor, &Access { event_name: name.as_str().into(), ..access.clone() });
        let service_namespace = Some(Cow::Borrowed("ecs"));
        let event_name = name.as_str().into();
        journal.add(actor, &Access { event_name, service_namespace, ..access });
    }
    let ledger = journal.finish();
    let mut latest: Vec<_> =
        ledger.entries().map(|entry| (entry.key(), entry.latest.time.micros())).collect();
    latest.sort_unstable();
    let found: Vec<_> = latest
        .iter()
        .map(|(key, time)| (key.event_name, key.service_namespace, key.is_data_event, *time))
        .collect();
    let of = |name, times: [i64; 2]| {
        let [management, data] = times;
        [None, Some("ecs")].map(|it| [(name, it, false, management), (name, it, true, data)])
    };
    let [a, b, _, plain] = names.each_ref().map(String::as_str);
    let expected = [of(a, [5, 4]), of(b, [3, 2]), of(plain, [7, 6])];
    assert_eq!(found, expected.as_flattened().as_flattened());
}

#[test]
fn a_taken_ledger_leaves_an_empty_one() {
    let mut journal = Journal::by_day();
    journal.begin("first");
    let actor = journal.actor(&BOB);
    journal.add(actor, &access(1, "e", "r", Answer::Success));
    let first = journal.take();
    let actor = journal.actor(&BOB);
    journal.add(actor, &access(2, "e", "r", Answer::Success));
    let mut second = journal.finish();
    assert_eq!((first.len(), second.len()), (1, 1));
    second.merge(first);
    let entry = second.entries().next().unwrap();
    assert_eq!((entry.first.time.micros(), entry.latest.time.micros()), (1, 2));
}
