//! Properties that hold for every input.

mod parsed;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;

use trailfold::access::{Access, Actor, Answer, Principal, Skip, Switches};
use trailfold::coverage::{AccountCounts, AccountCoverage, Coverage, CoverageByDay};
use trailfold::event::RawString;
use trailfold::event::envelope::{self, Found, Window};
use trailfold::event::scan::{self, Fault, Habits, Object};
use trailfold::ingest::{self, Options};
use trailfold::ledger::{Journal, Ledger};
use trailfold::source;
use trailfold::time::{Period, Time};

/// Numbers without end, the same for the same seed.
struct Dice(u64);

impl Dice {
    /// Returns a number below `sides`.
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

/// A JSON value whose objects may have a member twice.
#[derive(Clone, Debug)]
enum Json {
    /// `null`, a boolean or a number, as written.
    Literal(&'static str),
    Text(String),
    Array(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl Json {
    /// Writes the value with blanks and escapes as the dice fall.
    fn write(&self, dice: &mut Dice, out: &mut String) {
        let (open, close) = match self {
            Self::Literal(literal) => return out.push_str(literal),
            Self::Text(text) => return write_text(text, dice, out),
            Self::Array(_) => ('[', ']'),
            Self::Object(_) => ('{', '}'),
        };
        out.push(open);
        let mut parted = false;
        let mut part = |dice: &mut Dice, out: &mut String| {
            if std::mem::replace(&mut parted, true) {
                out.push(',');
            }
            write_blanks(dice, out);
        };
        if let Self::Array(values) = self {
            for value in values {
                part(dice, out);
                value.write(dice, out);
                write_blanks(dice, out);
            }
        }
        if let Self::Object(members) = self {
            for (key, value) in members {
                part(dice, out);
                write_text(key, dice, out);
                write_blanks(dice, out);
                out.push(':');
                write_blanks(dice, out);
                value.write(dice, out);
                write_blanks(dice, out);
            }
        }
        write_blanks(dice, out);
        out.push(close);
    }
}

fn write_blanks(dice: &mut Dice, out: &mut String) {
    while dice.roll(4) == 0 {
        out.push([' ', '\n', '\r', '\t'][dice.roll(4)]);
    }
}

fn write_text(text: &str, dice: &mut Dice, out: &mut String) {
    let escapes = dice.roll(3) == 0;
    out.push('"');
    for character in text.chars() {
        let short = "\"\"\\\\//\u{8}b\u{c}f\nn\rr\tt";
        let short = short.chars().zip(short.chars().skip(1)).step_by(2);
        let short = short.filter(|(plain, _)| *plain == character).map(|(_, letter)| letter).next();
        let must = character < ' ' || matches!(character, '"' | '\\');
        match short {
            _ if !(must || escapes && dice.roll(3) == 0) => out.push(character),
            Some(letter) if dice.roll(2) == 0 => out.extend(['\\', letter]),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    let hex = format!("{unit:04x}");
                    let hex = if dice.roll(2) == 0 { hex.to_uppercase() } else { hex };
                    out.push_str("\\u");
                    out.push_str(&hex);
                }
            }
        }
    }
    out.push('"');
}

fn text() -> impl Strategy<Value = Json> {
    prop_oneof![
        "[ -~]{0,12}".prop_map(Json::Text),
        "\\PC{0,6}".prop_map(Json::Text),
        any::<String>().prop_map(Json::Text),
        select(vec!["true", "false", "", "{", "}", "\\", "\"", "Records", "{\"eventName\":\"x\"}"])
            .prop_map(|text| Json::Text(text.to_owned())),
    ]
}

fn leaf() -> BoxedStrategy<Json> {
    let literals = vec!["null", "true", "false", "0", "-1", "1.5e+3", "12345678901234567890"];
    prop_oneof![4 => text(), 1 => select(literals).prop_map(Json::Literal)].boxed()
}

fn anything() -> BoxedStrategy<Json> {
    leaf()
        .prop_recursive(4, 24, 5, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..5).prop_map(Json::Array),
                vec((name(), inner), 0..5).prop_map(Json::Object),
            ]
        })
        .boxed()
}

/// A name that may or may not mean something where it stands.
fn name() -> BoxedStrategy<String> {
    let names = vec!["eventSource", "userIdentity", "arn", "Records", "serviceNamespace", "type"];
    prop_oneof![select(names).prop_map(str::to_owned), "[ -~]{0,8}", any::<String>()].boxed()
}

fn object_of(
    names: &[&'static str],
    inner: Option<(&'static str, BoxedStrategy<Json>)>,
) -> BoxedStrategy<Json> {
    let plain = (select(names.to_vec()).prop_map(str::to_owned), leaf());
    let other = (name(), anything());
    let member = match inner {
        Some((name, value)) => {
            prop_oneof![6 => plain, 3 => (Just(name.to_owned()), value), 1 => other].boxed()
        }
        None => prop_oneof![6 => plain, 1 => other].boxed(),
    };
    let objects = vec(member, 0..8).prop_map(Json::Object);
    prop_oneof![8 => objects, 1 => anything()].boxed()
}

/// Objects with the members of events, in any order, of any type, some of them twice.
fn event() -> BoxedStrategy<Json> {
    const TEXTS: [&str; 14] = [
        "eventTime",
        "@timestamp",
        "eventSource",
        "eventName",
        "awsRegion",
        "eventID",
        "eventType",
        "eventCategory",
        "errorCode",
        "errorMessage",
        "eventVersion",
        "managementEvent",
        "recipientAccountId",
        "userAgent",
    ];
    let issuer = object_of(&["type", "principalId", "arn", "accountId", "userName"], None);
    let context = object_of(&["attributes", "sessionissuer"], Some(("sessionIssuer", issuer)));
    let identity = object_of(
        &["type", "principalId", "arn", "accountId", "accessKeyId", "invokedBy", "userName"],
        Some(("sessionContext", context)),
    );
    let parameters = object_of(&["serviceNamespace", "ConsoleLogin", "bucketName"], None);
    let flags = vec!["true", "false", "null"];
    let member = prop_oneof![
        8 => (select(TEXTS.to_vec()).prop_map(str::to_owned), leaf()),
        3 => (Just("userIdentity".to_owned()), identity),
        2 => (select(vec!["requestParameters", "responseElements"]).prop_map(str::to_owned), parameters),
        1 => (Just("managementEvent".to_owned()), select(flags).prop_map(Json::Literal)),
        1 => (Just("insightDetails".to_owned()), anything()),
        2 => (name().prop_filter("it would be an envelope", |name| name != "Records"), anything()),
    ];
    vec(member, 0..24).prop_map(Json::Object).boxed()
}

fn written(json: &Json, seed: u64) -> String {
    let mut out = String::new();
    json.write(&mut Dice(seed), &mut out);
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a26_the_scanner_reads_what_a_parser_reads(event in event(), seed in any::<u64>()) {
        parsed::check(&written(&event, seed));
    }

    #[test]
    fn every_cut_of_an_object_is_incomplete(event in event(), seed in any::<u64>(), at in any::<Index>()) {
        let json = written(&event, seed);
        let cut = at.index(json.len() - 1) + 1;
        for more_may_come in [false, true] {
            let (mut habits, mut object) = <(Habits, Object<'_>)>::default();
            let bytes = &json.as_bytes()[..cut];
            let cut_off = scan::object(bytes, 0, more_may_come, &mut habits, &mut object);
            prop_assert!(matches!(cut_off, Err(Fault::Incomplete)), "{:?} of {}", cut_off, json);
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in vec(any::<u8>(), 0..2000)) {
        read(&bytes);
    }

    #[test]
    fn no_pieces_of_json_make_the_reader_panic(
        pieces in vec(select(PIECES.to_vec()), 0..200),
    ) {
        read(pieces.concat().as_bytes());
    }
}

const PIECES: [&str; 30] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\\\"",
    " ",
    "\n",
    "0",
    "-",
    "null",
    "tru",
    "\u{1e}",
    "{\"Records\":[",
    "]}",
    "\"eventName\":",
    "\"eventTime\":",
    "\"userIdentity\":{",
    "\"a\"",
    "{\"eventVersion\":\"1\",",
    "{\"detail\":",
    "\"{\\\"eventTime\\\":1,\\\"eventID\\\":2}\"",
    "\"message\":\"{",
    "\u{feff}",
    "\u{0}",
    "é",
    "{\"eventTime\":\"t\",\"eventName\":\"n\"}",
];

/// An event's name and offset, or an offset and a reason, or a kind of stranger.
type Seen = (Option<String>, Option<u64>, &'static str);

/// Reads a stream and checks that every offset lies in it.
fn read(bytes: &[u8]) -> Vec<Seen> {
    let mut seen: Vec<Seen> = Vec::new();
    let mut each = |found: Found<'_>| {
        seen.push(match found {
            Found::Event { event, offset, .. } => {
                let name = event.event_name().map(RawString::decode).unwrap_or_default();
                (Some(name.into_owned()), Some(offset), "event")
            }
            Found::Lookalike(_) => (None, None, "stranger"),
            Found::Malformed(malformed) => (None, Some(malformed.offset), malformed.reason),
        });
    };
    envelope::read(
        envelope::Input::Stream(&mut &*bytes),
        &mut Window::default(),
        &mut |_| true,
        &mut each,
    )
    .unwrap();
    for (_, offset, reason) in &seen {
        let first = match offset {
            Some(offset) if *reason == "event" => bytes.get(usize::try_from(*offset).unwrap()),
            Some(offset) => is_within(bytes, *offset).then_some(&b'{'),
            None => Some(&b'{'),
        };
        assert!(matches!(first, Some(b'{' | b'"')), "{offset:?} {reason}");
    }
    seen
}

fn is_within(bytes: &[u8], offset: u64) -> bool {
    offset <= bytes.len() as u64
}

fn record(number: usize) -> String {
    format!(
        r#"{{"eventVersion":"1.08","userIdentity":{{"type":"IAMUser","accountId":"111122223333","sessionContext":{{"sessionIssuer":{{}},"attributes":{{"mfa":"\"no\""}}}}}},"eventTime":"2026-01-02T03:04:05Z","eventSource":"s3.amazonaws.com","eventName":"N{number}","requestParameters":{{"a":[1,{{"b":"}}"}}],"c":null}},"resources":[{{"ARN":"x","type":"y"}}],"readOnly":true}}"#
    )
}

/// A valid stream, and where each record ends.
fn stream(kind: usize, count: usize) -> (Vec<u8>, Vec<usize>) {
    let (open, between, close) =
        [("", "\n", "\n"), ("{\"Records\":[", ",", "]}"), ("[ ", " ,\n", "\n]")][kind];
    let (mut text, mut ends) = (open.to_owned(), Vec::new());
    for number in 0..count {
        if number > 0 {
            text.push_str(between);
        }
        text.push_str(&record(number));
        ends.push(text.len());
    }
    text.push_str(close);
    (text.into_bytes(), ends)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn v3_damage_changes_no_record_before_it(
        kind in 0..3usize,
        at in any::<Index>(),
        damage in 0..4usize,
        bytes in vec(any::<u8>(), 1..20),
        length in 1..600usize,
    ) {
        let (whole, ends) = stream(kind, 6);
        let expected = read(&whole);
        prop_assert_eq!(expected.len(), 6);
        let at = at.index(whole.len());
        let mut damaged = whole;
        let end = (at + length).min(damaged.len());
        match damage {
            0 => damaged.truncate(at),
            1 => damaged[at] ^= bytes[0] | 1,
            2 => drop(damaged.splice(at..at, bytes)),
            _ => drop(damaged.splice(at..end, bytes)),
        }
        let before = ends.iter().filter(|end| **end <= at).count();
        let seen = read(&damaged);
        prop_assert!(seen.len() >= before);
        prop_assert_eq!(&seen[..before], &expected[..before]);
    }
}

#[derive(Clone, Debug)]
struct Attempt {
    account: u8,
    principal: Option<u8>,
    source: u8,
    name: u8,
    is_data_event: bool,
    time: u8,
    region: Option<u8>,
    event_id: Option<String>,
    answer: u8,
}

fn attempt() -> impl Strategy<Value = Attempt> {
    let uuid = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f";
    let ids = ["", "a", "B", "0a", "f"].map(str::to_owned).into_iter();
    let ids: Vec<String> = ids.chain((0..4).map(|digit| format!("{uuid}{digit}"))).collect();
    let key = (0..3u8, proptest::option::of(0..3u8), 0..2u8, 0..2u8, any::<bool>());
    let value = (0..4u8, proptest::option::of(0..3u8), proptest::option::of(select(ids)), 0..3u8);
    (key, value).prop_map(|(key, value)| Attempt {
        account: key.0,
        principal: key.1,
        source: key.2,
        name: key.3,
        is_data_event: key.4,
        time: value.0,
        region: value.1,
        event_id: value.2,
        answer: value.3,
    })
}

const NAMES: [&str; 3] = ["alpha", "beta", "gamma"];

impl Attempt {
    fn actor(&self) -> Actor<'static> {
        let name = |number: u8| NAMES[usize::from(number)];
        Actor {
            account: name(self.account),
            principal: Principal {
                arn: self.principal.map(|number| Cow::Borrowed(name(number))),
                id: self.principal.filter(|number| *number > 0).map(name),
            },
        }
    }

    fn access(&self) -> Access<'_> {
        let name = |number: u8| NAMES[usize::from(number)];
        Access {
            event_source: name(self.source).into(),
            event_name: name(self.name).into(),
            is_data_event: self.is_data_event,
            service_namespace: None,
            time: Time::from_micros(i64::from(self.time) * 86_400_000_000),
            region: self.region.map(|region| name(region).into()),
            event_id: self.event_id.as_deref().map(RawString::from),
            answer: [Answer::Success, Answer::Denied, Answer::Failed][usize::from(self.answer)],
        }
    }
}

fn folded(attempts: &[Attempt]) -> Ledger {
    let mut journal = Journal::default();
    for attempt in attempts {
        let actor = journal.actor(&attempt.actor());
        journal.add(actor, &attempt.access());
    }
    journal.finish()
}

fn merged(ledgers: &[&Ledger]) -> Ledger {
    let mut all = Ledger::default();
    for ledger in ledgers {
        let mut copy = Ledger::default();
        copy.extend(ledger.entries());
        all.merge(copy);
    }
    all
}

/// What one record may come to.
#[derive(Clone, Debug)]
enum Verdict {
    Counted(Attempt),
    SetAside(Skip),
    Malformed,
}

fn coverage(verdicts: &[Verdict]) -> Coverage {
    let (mut coverage, mut counts) = (Coverage::default(), AccountCounts::default());
    for verdict in verdicts {
        match verdict {
            Verdict::Counted(attempt) => {
                let account = counts.number(attempt.actor().account);
                counts.count(account, &attempt.access());
            }
            Verdict::SetAside(skip) => coverage.set_aside(*skip),
            Verdict::Malformed => coverage.malformed(),
        }
    }
    let mut counted = CoverageByDay::default();
    counts.take(&mut counted);
    coverage.merge(counted.totals);
    coverage
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a27_merging_ledgers_is_a_join(
        a in vec(attempt(), 0..20),
        b in vec(attempt(), 0..20),
        c in vec(attempt(), 0..20),
    ) {
        let (a, b, c) = (folded(&a), folded(&b), folded(&c));
        prop_assert_eq!(merged(&[&a, &b]), merged(&[&b, &a]));
        prop_assert_eq!(merged(&[&merged(&[&a, &b]), &c]), merged(&[&a, &merged(&[&b, &c])]));
        prop_assert_eq!(merged(&[&a, &a]), merged(&[&a]));
        prop_assert_eq!(&merged(&[&a, &Ledger::default()]), &a);
        prop_assert_eq!(&merged(&[&Ledger::default(), &a]), &a);
    }

    #[test]
    fn a27_neither_order_nor_repetition_nor_cuts_show_in_a_ledger(
        attempts in vec(attempt(), 1..40),
        shuffled in Just(()).prop_perturb(|(), mut rng| rng.next_u64()),
        cut in any::<Index>(),
        again in any::<Index>(),
    ) {
        let whole = folded(&attempts);
        let mut turned = attempts.clone();
        let mut dice = Dice(shuffled);
        for place in 0..turned.len() {
            turned.swap(place, dice.roll(attempts.len()));
        }
        turned.push(attempts[again.index(attempts.len())].clone());
        prop_assert_eq!(&folded(&turned), &whole);
        let (before, behind) = attempts.split_at(cut.index(attempts.len()));
        prop_assert_eq!(&merged(&[&folded(before), &folded(behind)]), &whole);
    }

    #[test]
    fn a27_a_ledger_holds_the_greatest_attempt_of_each_kind(attempts in vec(attempt(), 1..30)) {
        let ledger = folded(&attempts);
        for entry in ledger.entries() {
            let of_key = || attempts.iter().map(|it| (it.actor(), it.access())).filter(|it| {
                let (actor, access) = it;
                actor.account == entry.account
                    && actor.principal.arn.as_deref() == entry.principal_arn
                    && actor.principal.id == entry.principal_id
                    && access.event_source.is(entry.event_source)
                    && access.event_name.is(entry.event_name)
                    && access.is_data_event == entry.is_data_event
            }).map(|(_, access)| access);
            // Ids compare as texts.
            let text = |text: RawString<'_>| text.decode().into_owned();
            let attempt = |access: &Access<'_>| {
                (access.time, access.event_id.map(text), access.region.map(text))
            };
            let kept = |kept: trailfold::ledger::Attempt<'_>| {
                (kept.time, kept.event_id.map(|id| id.to_string()), kept.region.map(str::to_owned))
            };
            let latest = |answer| {
                of_key().filter(|access| access.answer == answer).map(|access| attempt(&access)).max()
            };
            prop_assert_eq!(Some(kept(entry.latest)), of_key().map(|access| attempt(&access)).max());
            prop_assert_eq!(Some(kept(entry.first)), of_key().map(|access| attempt(&access)).min());
            prop_assert_eq!(entry.success.map(kept), latest(Answer::Success));
            prop_assert_eq!(entry.denial.map(kept), latest(Answer::Denied));
        }
    }

    #[test]
    fn a27_a_journal_comes_to_the_join_of_ledgers_of_one_access_each(
        attempts in select(vec![1_usize, 2, 63, 64, 65, 127, 128, 129, 200])
            .prop_flat_map(|count| vec(attempt(), count)),
        split in any::<Index>(),
    ) {
        let ones: Vec<Ledger> =
            attempts.iter().map(|attempt| folded(std::slice::from_ref(attempt))).collect();
        let joined = merged(&ones.iter().collect::<Vec<_>>());
        prop_assert_eq!(&folded(&attempts), &joined);
        // What is merged in between, with some accesses yet unposted, is no other than what is
        // added.
        let (before, behind) = attempts.split_at(split.index(attempts.len()));
        let mut journal = Journal::default();
        let actors: Vec<_> = before.iter().map(|it| journal.actor(&it.actor())).collect();
        for (actor, attempt) in actors.iter().zip(before) {
            journal.add(*actor, &attempt.access());
        }
        journal.merge(folded(behind));
        for (actor, attempt) in actors.iter().zip(before) {
            journal.add(*actor, &attempt.access());
        }
        prop_assert_eq!(&journal.finish(), &joined);
    }

    #[test]
    fn v2_accesses_are_counted_for_each_account_as_one_counts_by_hand(
        attempts in vec(attempt(), 0..60),
        cut in any::<Index>(),
    ) {
        let mut by_hand: BTreeMap<String, AccountCoverage> = BTreeMap::new();
        for attempt in &attempts {
            let access = attempt.access();
            let count = by_hand.entry(attempt.actor().account.to_owned()).or_default();
            count.events += 1;
            count.first = Some(count.first.map_or(access.time, |first| first.min(access.time)));
            count.last = Some(count.last.map_or(access.time, |last| last.max(access.time)));
            count.days.insert(access.time.day());
            count.regions.extend(access.region.map(|region| region.decode().into_owned()));
            count.data_events |= access.is_data_event;
        }
        let at = if attempts.is_empty() { 0 } else { cut.index(attempts.len()) };
        let mut coverage = Coverage::default();
        for part in [&attempts[..at], &attempts[at..]] {
            let mut counts = AccountCounts::default();
            // An account that is asked for and not counted is none that was accessed.
            counts.number("of nobody");
            let numbers: Vec<_> =
                part.iter().map(|it| counts.number(it.actor().account)).collect();
            for (number, attempt) in numbers.iter().zip(part) {
                counts.count(*number, &attempt.access());
            }
            let mut counted = CoverageByDay::default();
            counts.take(&mut counted);
            coverage.merge(counted.totals);
        }
        prop_assert_eq!(coverage.records.counted, attempts.len() as u64);
        prop_assert_eq!(coverage.accounts, by_hand);
    }

    #[test]
    fn v2_the_parts_of_a_coverage_add_up_however_it_is_cut(
        verdicts in vec(
            prop_oneof![
                attempt().prop_map(Verdict::Counted),
                select(Skip::ALL.to_vec()).prop_map(Verdict::SetAside),
                Just(Verdict::Malformed),
            ],
            1..60,
        ),
        cut in any::<Index>(),
    ) {
        let whole = coverage(&verdicts);
        let (before, behind) = verdicts.split_at(cut.index(verdicts.len()));
        let mut parts = coverage(behind);
        parts.merge(coverage(before));
        prop_assert_eq!(&parts, &whole);
        let set_aside: u64 = whole.records.set_aside.values().sum();
        let sum = whole.records.counted + set_aside + whole.records.malformed;
        prop_assert_eq!(whole.records.total(), sum);
        prop_assert_eq!(sum, verdicts.len() as u64);
        let of_accounts: u64 = whole.accounts.values().map(|account| account.events).sum();
        prop_assert_eq!(of_accounts, whole.records.counted);
    }
}

#[test]
fn a27_the_number_of_threads_does_not_show() {
    let logs = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/logs");
    let found = source::find(&[logs.into()]).unwrap();
    assert!(found.sources.len() > 50, "{}", found.sources.len());
    let fold = |threads: usize| {
        let options = Options {
            period: Period::default(),
            switches: Switches::default(),
            threads: NonZeroUsize::new(threads).unwrap(),
            memory: usize::MAX,
            progress: &|_| {},
        };
        ingest::fold(&found, &options).unwrap()
    };
    let one = fold(1);
    assert!(one.0.len() > 100, "{}", one.0.len());
    for threads in [2, 8] {
        let (ledger, coverage) = fold(threads);
        assert_eq!(ledger, one.0, "{threads} threads");
        assert_eq!(coverage, one.1, "{threads} threads");
    }
}

/// Changes one place of `bytes`; returns whether more than one byte changed.
fn mutate(bytes: &mut Vec<u8>, dice: &mut Dice) -> bool {
    const TELLING: &[u8] = b"{}[]\",:\\ \n0-etfn/\0\x1e\xff";
    let at = dice.roll(bytes.len());
    let other = dice.roll(bytes.len());
    let (from, to) = (at.min(other), at.max(other));
    let byte = TELLING[dice.roll(TELLING.len())];
    match dice.roll(6) {
        0 => bytes[at] = byte,
        1 => bytes[at] ^= 1 << dice.roll(8),
        2 => bytes.insert(at, byte),
        3 => drop(bytes.remove(at)),
        4 => {
            let piece = bytes[from..to].to_vec();
            bytes.splice(at..at, piece);
            return true;
        }
        _ => {
            bytes.drain(from..to);
            return true;
        }
    }
    false
}

#[test]
fn v3_small_damage_is_read_as_a_parser_reads_it_and_hides_no_other_record() {
    let mut dice = Dice(20_260_102);
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/events");
    let mut seeds: Vec<String> = crate::twin::logs::files(&folder)
        .iter()
        .map(|path| {
            let case: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
            let record = &case["Record"];
            if dice.roll(4) == 0 { format!("{record:#}") } else { record.to_string() }
        })
        .collect();
    seeds.push(record(0));
    let (mut parsed, mut broken) = (0, 0);
    for round in 0..20_000 {
        let mut bytes = seeds[dice.roll(seeds.len())].clone().into_bytes();
        let is_coarse = mutate(&mut bytes, &mut dice);
        let value = serde_json::from_slice::<Value>(&bytes).ok().filter(Value::is_object);
        if let (Some(_), Ok(json)) = (value, std::str::from_utf8(&bytes)) {
            parsed += 1;
            if !json.contains("\"Records\"") {
                parsed::check(json.trim());
            }
        } else {
            broken += 1;
        }
        let (head, tail) = (record(1), record(2));
        for (open, between) in [("", "\n"), ("{\"Records\":[", ",")] {
            let close = if open.is_empty() { "" } else { "]}" };
            let mut text = format!("{open}{head}{between}").into_bytes();
            text.extend_from_slice(&bytes);
            text.extend_from_slice(format!("{between}{tail}{close}").as_bytes());
            let seen = read(&text);
            let has = |name: &str| seen.iter().any(|seen| seen.0.as_deref() == Some(name));
            let place = || format!("round {round}: {}", String::from_utf8_lossy(&bytes));
            assert!(has("N1"), "{}", place());
            assert!(is_coarse || has("N2"), "{}", place());
        }
    }
    assert!(parsed > 2000 && broken > 2000, "{parsed} parsed, {broken} broken");
}

#[test]
fn v3_the_same_damage_in_several_records_hides_none_between_and_none_is_lost_in_silence() {
    let plain = |number: usize| {
        format!(
            r#"{{"eventVersion":"1.08","userIdentity":{{"type":"Root","accountId":"1"}},"eventTime":"2026-01-02T03:04:05Z","eventSource":"s3.amazonaws.com","eventName":"N{number}","requestParameters":{{"a":"b","c":"d","e":{{"f":"g","h":["i"]}}}},"eventID":"x"}}"#
        )
    };
    for (at, damaged) in (0..plain(0).len()).flat_map(|at| [[1, 2], [1, 3]].map(|it| (at, it))) {
        for damage in 0..3 {
            let records: Vec<String> = (0..5)
                .map(|number| {
                    let mut bytes = plain(number).into_bytes();
                    match damage {
                        _ if !damaged.contains(&number) => {}
                        0 => drop(bytes.remove(at)),
                        1 => bytes[at] = b'x',
                        _ => bytes.insert(at, b'"'),
                    }
                    String::from_utf8(bytes).unwrap()
                })
                .collect();
            for (open, between, close) in [("{\"Records\":[", ",", "]}"), ("", "\n", "\n")] {
                let text = format!("{open}{}{close}", records.join(between));
                let seen = read(text.as_bytes());
                for number in (0..5).filter(|number| !damaged.contains(number)) {
                    let name = format!("N{number}");
                    let has = seen.iter().any(|seen| seen.0.as_ref() == Some(&name));
                    assert!(has, "{name}, damage {damage} at {at}: {text}");
                }
                // Broken records that stand side by side may be one stretch, but never none.
                let is_told = seen.iter().any(|seen| seen.0.is_none());
                assert!(seen.len() >= 5 || is_told, "damage {damage} at {at}: {seen:?}: {text}");
            }
        }
    }
}
