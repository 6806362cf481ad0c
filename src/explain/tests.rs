//! What an explanation keeps, against a twin that keeps everything.

use std::borrow::Cow;

use proptest::prelude::*;

use super::*;
use crate::event::RawString;

const ACCOUNT: &str = "111122223333";
const ROLE: &str = "arn:aws:iam::111122223333:role/build";

/// What the tests vary of a record.
#[derive(Clone, Debug)]
struct Told {
    time: i64,
    id: Option<u8>,
    region: Option<u8>,
    source: u8,
    arn: Option<u8>,
    answer: Answer,
    is_asked: bool,
    offset: u64,
}

fn told() -> impl Strategy<Value = Told> {
    let answer = prop_oneof![Just(Answer::Success), Just(Answer::Denied), Just(Answer::Failed)];
    let few = || proptest::option::of(0_u8..3);
    let is_asked = proptest::bool::weighted(0.8);
    (0_i64..4, few(), few(), 0_u8..3, few(), answer, is_asked).prop_map(
        |(time, id, region, source, arn, answer, is_asked)| Told {
            time,
            id,
            region,
            source,
            arn,
            answer,
            is_asked,
            offset: 0,
        },
    )
}

/// Records, no two of them at one place.
fn log() -> impl Strategy<Value = Vec<Told>> {
    proptest::collection::vec(told(), 0..40).prop_map(|mut all| {
        for (told, offset) in all.iter_mut().zip(0..) {
            told.offset = offset;
        }
        all
    })
}

/// Shows the collector an access of S3, or of something else.
fn show(told: &Told, take: &mut dyn FnMut(&Witnessed<'_>)) {
    let raw = |text: &'static str| RawString::from(text);
    let id = told.id.map(|id| ["a", "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9", "Z"][usize::from(id)]);
    let region = told.region.map(|it| ["", "eu-west-1", "us-east-1"][usize::from(it)]);
    let source = ["a.json", "b.json", "logs/a.json"][usize::from(told.source)];
    let arn = told.arn.map(|it| [ROLE, "arn:aws:iam::111122223333:user/ann", ""][usize::from(it)]);
    let access = Access {
        event_source: raw(if told.is_asked { "s3.amazonaws.com" } else { "sqs.amazonaws.com" }),
        event_name: raw("ListBuckets"),
        is_data_event: false,
        service_namespace: None::<Cow<'_, str>>,
        time: Time::from_micros(told.time),
        region: region.map(raw),
        event_id: id.map(raw),
        answer: told.answer,
    };
    let json = format!("{told:?}");
    take(&Witnessed {
        source,
        body: source,
        offset: told.offset,
        json: json.as_bytes(),
        whose: Whose { account: ACCOUNT, principal_arn: arn, principal_id: None },
        access: &access,
    });
}

fn question() -> Question<'static> {
    let catalog = Catalog::embedded();
    let service = catalog.find("s3").unwrap();
    Question { account: ACCOUNT, service, action: None, principal: None, catalog }
}

fn collected(all: &[Told], runners_up: usize) -> Explanation {
    let collector = Collector::new(question(), runners_up);
    for told in all {
        show(told, &mut |witnessed| collector.witness(witnessed));
    }
    collector.finish()
}

/// The slow twin: keeps everything and sorts it.
fn sorted(all: &[Told], runners_up: usize) -> Explanation {
    let mut exhibits = Vec::new();
    for told in all.iter().filter(|told| told.is_asked) {
        show(told, &mut |witnessed| exhibits.push(Exhibit::new(witnessed)));
    }
    exhibits.sort();
    exhibits.reverse();
    let of = |answer| exhibits.iter().find(|it| it.answer == answer).cloned();
    let (success, denial) = (of(Answer::Success), of(Answer::Denied));
    let first = exhibits.last().cloned();
    let accesses = exhibits.len() as u64;
    exhibits.truncate(runners_up + 1);
    Explanation { accesses, latest: exhibits, success, denial, first }
}

proptest! {
    #[test]
    fn a27_what_is_kept_is_that_of_sorting_everything_in_any_order(
        all in log(),
        runners_up in 0_usize..6,
        turn in 0_usize..40,
    ) {
        let twin = sorted(&all, runners_up);
        prop_assert_eq!(&collected(&all, runners_up), &twin);
        let mut turned = all.clone();
        turned.rotate_left(turn % all.len().max(1));
        turned.reverse();
        prop_assert_eq!(&collected(&turned, runners_up), &twin);
    }
}

#[test]
fn only_the_account_the_service_the_action_and_the_principal_that_are_asked_for_count() {
    let told = Told {
        time: 1,
        id: None,
        region: None,
        source: 0,
        arn: Some(0),
        answer: Answer::Success,
        is_asked: true,
        offset: 0,
    };
    let asks = |question: Question<'_>| {
        let mut is_asked = false;
        show(&told, &mut |it| is_asked = question.asks_for(it.whose, it.access));
        is_asked
    };
    let all = question();
    let action = |name| all.catalog.action_position(all.service, name);
    assert!(asks(all));
    assert!(!asks(Question { account: "444455556666", ..all }));
    assert!(asks(Question { action: action("ListAllMyBuckets"), ..all }));
    assert!(!asks(Question { action: action("GetBucketLocation"), ..all }));
    assert!(asks(Question { principal: Some(Principal::Logged(ROLE)), ..all }));
    assert!(!asks(Question { principal: Some(Principal::Logged("AROAEXAMPLE")), ..all }));
}

#[test]
fn a_record_that_is_no_json_for_a_parser_is_shown_as_a_string() {
    let all = [Told {
        time: 1,
        id: Some(1),
        region: Some(1),
        source: 1,
        arn: None,
        answer: Answer::Denied,
        is_asked: true,
        offset: 7,
    }];
    let mut explanation = collected(&all, 0);
    let record = |explanation: &Explanation| {
        let document = Document::new(&question(), None, explanation);
        serde_json::to_value(document).unwrap()["LatestAttempt"]["Record"].clone()
    };
    explanation.latest[0].record = b"{\"a\" 1\xff}".to_vec();
    assert_eq!(record(&explanation), "{\"a\" 1\\xff}");
    explanation.latest[0].record = b"{\"a\":1.10}".to_vec();
    assert_eq!(record(&explanation)["a"], 1.1);
}
