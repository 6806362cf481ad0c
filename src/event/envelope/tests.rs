//! Tests of the reader of streams: envelopes, window borders, broken and hostile input.

#![expect(clippy::string_slice, reason = "a test may panic")]

use super::*;
use crate::event::RawString;

/// What stood in the place of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    /// The name of an event, and its offset.
    Event(String, u64),
    Lookalike(Lookalike),
    Malformed(u64, &'static str),
}

/// Delivers its bytes in pieces of the given lengths, over and over; then perhaps an error.
struct Pieces<'a> {
    bytes: &'a [u8],
    lengths: &'a [usize],
    next: usize,
    error: bool,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.bytes.is_empty() && self.error {
            return Err(io::Error::other("the stream broke"));
        }
        self.next += 1;
        if self.next.is_multiple_of(5) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let piece = self.lengths[self.next % self.lengths.len()];
        let length = piece.min(buffer.len()).min(self.bytes.len());
        buffer[..length].copy_from_slice(&self.bytes[..length]);
        self.bytes = &self.bytes[length..];
        Ok(length)
    }
}

fn seen_through(window: &mut Window, input: &mut dyn Read) -> (Vec<Seen>, io::Result<Content>) {
    let mut seen = Vec::new();
    let content = read(Input::Stream(input), window, &mut |_| true, &mut |found| {
        seen.push(match found {
            Found::Event { event, offset, .. } => Seen::Event(
                event.event_name().map_or("?".into(), RawString::decode).into_owned(),
                offset,
            ),
            Found::Lookalike(lookalike) => Seen::Lookalike(lookalike),
            Found::Malformed(Malformed { offset, reason }) => Seen::Malformed(offset, reason),
        });
    });
    (seen, content)
}

fn seen(bytes: &[u8]) -> Vec<Seen> {
    let (seen, content) = seen_through(&mut Window::default(), &mut &*bytes);
    assert!(content.is_ok());
    seen
}

fn content(bytes: &[u8]) -> Content {
    seen_through(&mut Window::default(), &mut &*bytes).1.unwrap()
}

/// Returns a window whose first border is behind `first` bytes, and in which a record of more than
/// `longest` bytes is too long.
fn window(first: usize, longest: usize) -> Window {
    Window { buffer: vec![0; first], longest_record: longest, ..Window::default() }
}

fn record(name: &str) -> String {
    format!(
        r#"{{"eventVersion":"1.08","userIdentity":{{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/b"}},"eventTime":"2026-01-02T03:04:05Z","eventSource":"s3.amazonaws.com","eventName":"{name}","awsRegion":"eu-west-1","requestParameters":{{"a":[{{"b":"}}"}}]}},"eventID":"1"}}"#
    )
}

/// Returns the record's JSON as a JSON string, without its quotes.
fn quoted(json: &str) -> String {
    json.replace('\\', r"\\").replace('"', "\\\"")
}

/// Returns the events' names; fails on anything else.
fn names(bytes: &[u8]) -> Vec<String> {
    let name = |seen| match seen {
        Seen::Event(name, _) => name,
        other => panic!("{other:?}"),
    };
    seen(bytes).into_iter().map(name).collect()
}

/// Returns the names of the events and how many are malformed.
fn found(text: &str) -> (Vec<String>, usize) {
    let (mut names, mut malformed) = (Vec::new(), 0);
    for seen in seen(text.as_bytes()) {
        match seen {
            Seen::Event(name, offset) => {
                assert!(text[usize::try_from(offset).unwrap()..].starts_with(['{', '"']));
                names.push(name);
            }
            Seen::Malformed(..) => malformed += 1,
            Seen::Lookalike(_) => {}
        }
    }
    (names, malformed)
}

#[test]
fn records_stand_in_every_envelope_that_occurs() {
    let (a, b) = (record("A"), record("B"));
    let (qa, qb) = (quoted(&a), quoted(&b));
    for text in [
        format!(r#"{{"Records":[{a},{b}]}}"#),
        format!(r#"{{"x":{{"Records":[1]}},"Records":[{a},{b}],"y":[1]}}"#),
        format!(r#"{{"Records":[{a}],"y":{{}},"Records":[{b}]}}"#),
        format!(r#"{{"Record\u0073":[{a},{b}]}}"#),
        format!("[{a},{b}]"),
        format!("[[{a}],[{b}]]"),
        format!(r#"[{{"Records":[{a}]}},{{"Records":[{b}]}}]"#),
        format!("{a}\n{b}\n"),
        format!("{a}\r\n{b}\r\n"),
        format!("{a}{b}"),
        format!("{a},\n{b},\n"),
        format!("\u{1e}{a}\n\u{1e}{b}\n"),
        format!("\u{feff}{a}{b}"),
        format!("\n\t {a} \n {b} \n"),
        format!("{{\"Records\":[{a}]}}\n{{\"Records\":[{b}]}}"),
        format!("[{a}][{b}]"),
        format!(r#"{{"version":"0","detail-type":"AWS API Call via CloudTrail","detail":{a}}}{b}"#),
        format!(
            r#"{{"Events":[{{"EventId":"1","CloudTrailEvent":"{qa}"}},{{"EventName":"B","Resources":[],"CloudTrailEvent":"{qb}"}}],"NextToken":"x"}}"#
        ),
        format!(
            r#"{{"messageType":"DATA_MESSAGE","logEvents":[{{"id":"1","timestamp":1,"message":"{qa}"}},{{"id":"2","message":"{qb}"}}]}}"#
        ),
        format!(
            r#"{{"events":[{{"logStreamName":"x","message":"{qa}","eventId":"1"}},{{"message":"{qb}"}}],"searchedLogStreams":[]}}"#
        ),
        format!("{{\"_raw\":\"{qa}\",\"_time\":1}}\n{{\"_time\":1,\"_raw\":\"{qb}\\n\"}}"),
        format!(r#"{{"insertId":"1","jsonPayload":{a}}}{{"jsonPayload":{b},"labels":{{}}}}"#),
        format!(r#"{{"@timestamp":"x","aws":{{"cloudtrail":{a}}},"message":"text"}}{b}"#),
        format!(r#"["{qa}","{qb}"]"#),
        format!("\"{qa}\"\n\"{qb}\""),
        format!(r#"{{"message":"{qa}\n{qb}"}}"#),
    ] {
        assert_eq!(names(text.as_bytes()), ["A", "B"], "{text}");
        assert_eq!(content(text.as_bytes()), Content::Json);
    }
}

#[test]
fn offsets_are_those_of_the_records() {
    let (a, b) = (record("A"), record("B"));
    let text = format!("\u{feff} {{\"Records\": [{a} , {b}]}}\n[{{\"detail\":{a}}}]");
    let place = |from: usize, part: &str| (from + text[from..].find(part).unwrap()) as u64;
    let second = place(0, &b);
    assert_eq!(
        seen(text.as_bytes()),
        [
            Seen::Event("A".to_owned(), place(0, &a)),
            Seen::Event("B".to_owned(), second),
            Seen::Event("A".to_owned(), place(0, "{\"detail\"")),
        ]
    );
}

#[test]
fn streams_without_records_tell_what_they_hold() {
    for (bytes, expected) in [
        (&b""[..], Content::Blank),
        (b" \n\r\t", Content::Blank),
        (b"\xef\xbb\xbf\n", Content::Blank),
        (b"{}", Content::Json),
        (b"[]", Content::Json),
        (b"{\"Records\":[]}", Content::Json),
        (b"2026-01-02 03:04:05 something else [1] {2}", Content::Other),
        (b"\"eventName\",\"eventTime\"\n\"a\",\"b\"", Content::Other),
        (b"\0\0\0", Content::Other),
        (b"plain {\"a\":1} text", Content::Other),
    ] {
        assert_eq!(content(bytes), expected, "{}", String::from_utf8_lossy(bytes));
    }
    assert_eq!(seen(b"{\"Records\":[]}[]"), []);
    assert_eq!(seen(b"plain {\"a\":1} text"), []);
}

#[test]
fn what_is_not_worth_reading_is_not_read() {
    let mut calls = 0;
    let mut is_json = |prefix: &[u8]| {
        assert_eq!(prefix, b"{}");
        false
    };
    let read = read(
        Input::Stream(&mut &b"\xef\xbb\xbf{}"[..]),
        &mut Window::default(),
        &mut is_json,
        &mut |_| {
            calls += 1;
        },
    );
    assert_eq!((read.unwrap(), calls), (Content::Other, 0));
}

#[test]
fn lookalikes_are_told_apart() {
    let text = concat!(
        r#"{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"x","#,
        r#""eventTime":"t","eventName":"ObjectCreated:Put"},{},7,null,"text",[1]]}"#,
        r#"{"awsAccountId":"1","digestStartTime":"x","logFiles":[]}"#,
        r#"{"configSnapshotId":"x","configurationItems":[{"configurationItemVersion":"1.3"}]}"#,
        r#"{"detail":{"a":1}}{"message":"no JSON"}{"eventVersion":"1.0"}"#,
    );
    let (other, config) = (Lookalike::Other, Lookalike::Config);
    let expected =
        [other, other, other, other, other, other, Lookalike::Digest, config, other, other, other];
    assert_eq!(seen(text.as_bytes()), expected.map(Seen::Lookalike));
}

/// A stream in which everything occurs that may be cut by the border of a window.
fn varied_stream() -> Vec<u8> {
    let (a, b, c) = (record("A"), record("B"), record("C"));
    let lines = [
        format!("\u{feff}{{\"Records\":[{a}, {b} ,7, \"{}\"],\"Records\":[{c}]}}", quoted(&a)),
        format!("{a}\u{1e}\n{b}"),
        format!(r#"{{"eventVersion":"1.08","userIdentity":{{"a":{a}}} "b":{b},"c":[{c}]}}"#),
        a.replace("\"1\"}", "\"1}"),
        b.clone(),
        format!("[{c},{{\"a\":tru}},[1,2],12345,-1.5,true,\"x\\\"y\"]"),
        format!("\"{}\"", quoted(&c)),
        "stray \u{e9} }} ]]".to_owned(),
        format!("{{\"detail\" :\n\t{a}}}"),
        r#"{"Records":[{"eventVersion":"1.08"},],"a":1 "b"}"#.to_owned(),
        c,
        b[..b.len() - 40].to_owned(),
    ];
    lines.join("\n").into_bytes()
}

#[test]
fn neither_the_pieces_of_a_stream_nor_the_borders_of_windows_show() {
    let stream = varied_stream();
    let expected = seen(&stream);
    let events = expected.iter().filter(|seen| matches!(seen, Seen::Event(..))).count();
    assert_eq!((events, expected.len() - events), (11, 8), "{expected:#?}");
    for lengths in [&[1][..], &[7], &[3, 1, 64, 2, 500, 13]] {
        let mut pieces = Pieces { bytes: &stream, lengths, next: 0, error: false };
        assert_eq!(seen_through(&mut Window::default(), &mut pieces).0, expected, "{lengths:?}");
    }
    for first in scan::LOOK_BACK..=stream.len() + 1 {
        let (seen, _) = seen_through(&mut window(first, LONGEST_RECORD), &mut &*stream);
        assert_eq!(seen, expected, "a border behind {first} bytes");
    }
    for longest in (700..1500).step_by(7) {
        let (seen, _) = seen_through(&mut window(0, longest), &mut &*stream);
        assert_eq!(seen, expected, "windows of {longest} bytes");
    }
}

/// Returns all that is found, with every field of every event, at offsets from `start` on.
fn told(input: Input<'_>, window: &mut Window, start: u64) -> (Vec<String>, Content) {
    let mut told = Vec::new();
    let content = read(input, window, &mut |_| true, &mut |found| {
        told.push(match found {
            Found::Event { event, offset, .. } => {
                format!("{} {event:?}", offset - start)
            }
            Found::Lookalike(lookalike) => format!("{lookalike:?}"),
            Found::Malformed(Malformed { offset, reason }) => {
                format!("{} {reason}", offset - start)
            }
        });
    });
    (told, content.unwrap())
}

/// Compares the bytes as a whole with streams of them that are cut at `end`: there and behind
/// blanks, and once more with all before it in a window of its own.
fn check_cut(bytes: &[u8], end: usize) {
    // Behind blanks it would be none.
    let bytes = bytes.strip_prefix(BOM).unwrap_or(bytes);
    let whole = told(Input::Whole(bytes), &mut Window::default(), 0);
    let place = || format!("cut at {end}: {}", String::from_utf8_lossy(bytes));
    let mut pieces = Pieces { bytes, lengths: &[end % 61 + 1, 64, 1], next: 0, error: false };
    let chunks = told(Input::Stream(&mut pieces), &mut window(end, LONGEST_RECORD), 0);
    assert_eq!(chunks, whole, "{}", place());
    for blanks in [0, 1, scan::LOOK_BACK, 1000] {
        let mut stream = io::repeat(b' ').take(blanks as u64).chain(bytes);
        let mut window = window(blanks + end, LONGEST_RECORD);
        let cut = told(Input::Stream(&mut stream), &mut window, blanks as u64);
        assert_eq!(cut, whole, "behind {blanks} blanks, {}", place());
    }
}

#[test]
fn v3_faults_at_the_end_of_a_window_are_those_of_the_whole_stream() {
    let broken = r#"{"eventName":"n","eventTime":"t","a":[1 2]}"#;
    let wrapped = format!(
        "\"{}{{\\\"eventName\\\":\\\"n\\\",\\\"eventTime\\\":\\\"t\\\"}}\"",
        " ".repeat(80)
    );
    for text in [
        broken,
        &format!("{broken} \"x\"y"),
        r#"{"":{""},"":"","":"","":""}""\"#,
        &wrapped,
        // The key before the colon begins in a record that was read before.
        r#"{"Records":[{"eventName":"n","eventTime":"t"}Records":[{"eventName":"n","eventTime":"t"}]}"#,
        r#"{"eventName":"n","eventTime":"t","userIdentity":{"a" "b"}}{"eventName":"m","eventTime":"t"}"#,
        r#"{"eventName":"n","eventTime":"t","a":{"b":"c"d}}{"eventName":"m","eventTime":"t"}"#,
    ] {
        for end in 1..=text.len() + 1 {
            check_cut(text.as_bytes(), end);
        }
    }
    assert_eq!(names(wrapped.as_bytes()), ["n"]);
}

/// Changes one place of `bytes`.
fn damage(bytes: &mut Vec<u8>, roll: &mut impl FnMut(usize) -> usize) {
    const TELLING: &[u8] = b"{}[]\",:\\ \n0-etfn/\0\x1e\xff";
    let (one, other, byte) = (roll(bytes.len()), roll(bytes.len()), TELLING[roll(TELLING.len())]);
    let stretch = one.min(other)..one.max(other).min(one.min(other) + 80);
    match roll(6) {
        0 => bytes[one] = byte,
        1 => bytes.insert(one, byte),
        2 => drop(bytes.remove(one)),
        3 => bytes.truncate(one.max(1)),
        4 => drop(bytes.drain(stretch)),
        _ => {
            let piece = bytes[stretch].to_vec();
            bytes.splice(one..one, piece);
        }
    }
    bytes.push(b'\n');
}

/// What may stand between records.
const PIECES: [&str; 22] = [
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
    "1",
    "tru",
    "\"\"",
    "\"a\":",
    "{\"Records\":[",
    "]}",
    "{\"eventVersion\":\"1\",",
    "{\"detail\":",
    "\"{\\\"eventTime\\\":1,\\\"eventID\\\":2}\"",
    "\"message\":\"{",
    "\"userIdentity\":{",
];

#[test]
fn v3_where_a_damaged_stream_is_cut_does_not_show() {
    let mut seed = 20_260_102_u64;
    let mut roll = |sides: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        usize::try_from(seed >> 33).unwrap() % sides
    };
    let small = [
        r#"{"eventName":"n","eventTime":"t","a":[1,{"b":"c"}]}"#.to_owned(),
        r#"{"":{"":1},"":"","x":[],"eventName":{"a":"b"}}"#.to_owned(),
        r#"{"Records":[{"eventName":"n","eventTime":"t"},{"eventID":"i","a":{}}],"a":{}}"#
            .to_owned(),
        r#""{\"eventName\":\"n\",\"eventTime\":\"t\"}" 7"#.to_owned(),
        r#"{"message":"{\"eventName\":\"n\",\"eventTime\":\"t\"}"}"#.to_owned(),
        record("A"),
    ];
    for round in 0..3000 {
        let mut bytes = Vec::new();
        for _ in 0..=roll(3) {
            let mut part = small[roll(small.len())].clone().into_bytes();
            if roll(3) > 0 {
                damage(&mut part, &mut roll);
            }
            bytes.extend(part);
            for _ in 0..roll(12) {
                bytes.extend(PIECES[roll(PIECES.len())].bytes());
            }
        }
        if round % 10 == 0 {
            bytes = varied_stream();
            damage(&mut bytes, &mut roll);
        }
        for _ in 0..3 {
            check_cut(&bytes, 1 + roll(bytes.len()));
        }
    }
}

#[test]
fn a_window_is_used_again_for_the_next_stream() {
    let stream = varied_stream();
    let mut window = Window::default();
    let first = seen_through(&mut window, &mut &*stream).0;
    let _ = seen_through(&mut window, &mut &stream[..100]);
    let mut broken = Pieces { bytes: &stream, lengths: &[100], next: 0, error: true };
    assert!(seen_through(&mut window, &mut broken).1.is_err());
    assert_eq!(seen_through(&mut window, &mut &*stream).0, first);
}

#[test]
fn records_longer_than_a_window_are_read() {
    let long = |name: &str, length: usize| {
        record(name).replace("arn:aws:iam", &format!("{}arn:aws:iam", "x".repeat(length)))
    };
    let text =
        format!("[{},{},{}]", long("A", 256 << 10), long("B", 3 << 20), long("C", FIRST_WINDOW));
    assert_eq!(names(text.as_bytes()), ["A", "B", "C"]);
    let text = format!("{}{}{}", record("A"), " ".repeat(2 * FIRST_WINDOW), record("B"));
    assert_eq!(names(text.as_bytes()), ["A", "B"]);
}

#[test]
fn a_record_that_is_too_long_is_malformed_and_the_next_one_is_found() {
    let reason = "a record is longer than 64 MiB";
    let (a, b) = (record("A"), record("B"));
    let longest = 1000;
    for filler in [r#""x","#, r#"{"a":[]},"#, "[[],", "1,"] {
        let long = format!(r#"{{"eventVersion":"1","x":[{}1]}}"#, filler.repeat(longest));
        let text = format!("[{a},{long},{b}]");
        let (seen, content) = seen_through(&mut window(0, longest), &mut text.as_bytes());
        assert_eq!(seen[0], Seen::Event("A".to_owned(), 1));
        assert_eq!(seen[1], Seen::Malformed(a.len() as u64 + 2, reason));
        assert_eq!(seen[2], Seen::Event("B".to_owned(), (text.len() - b.len() - 1) as u64));
        assert_eq!((seen.len(), content.unwrap()), (3, Content::Json));
    }
    let string = format!("[{a},\"{}\",{b}]", "x".repeat(3 * longest));
    let (seen, _) = seen_through(&mut window(0, longest), &mut string.as_bytes());
    assert_eq!(seen[1], Seen::Malformed(a.len() as u64 + 2, reason));
    assert!(matches!(&seen[2], Seen::Event(name, _) if name == "B"));
}

#[test]
fn whether_a_record_is_too_long_does_not_depend_on_the_window() {
    let longest = 1000;
    let (a, b) = (record("A"), record("B"));
    for length in longest - 3..longest + 4 {
        let filler = "x".repeat(length - record("C").len());
        let long = record("C").replace("arn:aws:iam", &format!("{filler}arn:aws:iam"));
        assert_eq!(long.len(), length);
        for text in [format!("{long}\n{a}\n{b}"), format!("[{a},{long},{b}]")] {
            let told = [0, 64, 1000, 1500, 2000].map(|first| {
                let mut window = window(first, longest);
                format!("{:?}", seen_through(&mut window, &mut text.as_bytes()))
            });
            assert!(told.iter().all(|one| *one == told[0]), "{length}: {told:?}");
            assert_eq!(told[0].contains("longer than 64 MiB"), length > longest, "{told:?}");
        }
    }
}

#[test]
fn memory_is_bounded_by_the_longest_record() {
    let longest = 4096;
    let mut window = window(0, longest);
    let endless = format!("[{}", "[1,{\"a\":\"b\"},\"x\" ".repeat(10_000));
    for text in [endless, format!("{{\"a\":\"{}", "x".repeat(100_000)), "\"{".repeat(50_000)] {
        let _ = seen_through(&mut window, &mut text.as_bytes());
        assert!(window.buffer.len() <= 2 * longest, "{}", window.buffer.len());
    }
    assert_eq!(Window::default().longest_record, 64 << 20);
}

#[test]
fn a_broken_record_is_named_by_the_place_where_it_stops_being_json() {
    let (a, b) = (record("A"), record("B"));
    for (broken, at, reason) in [
        (a.replace(",\"eventName\"", " \"eventName\""), " \"eventName\"", "expected `,` or `}`"),
        (a.replace("\"eventName\"", "eventName"), "eventName", "expected a string"),
        (a.replace("\"eventName\":", "\"eventName\" "), "A\",", "expected `:`"),
        (a.replace("\"A\"", "A"), "A,", "expected a value"),
        (a.replace("{\"type\"", "\"type\""), ":\"IAMUser", "expected `,` or `}`"),
        (a.replace("}]}", "}}"), "},\"eventID\"", "expected `,` or `]`"),
        (a.replace("\"A\"", "\0"), "\0", "expected a value"),
        (a.replace("\"A\"", "NaN"), "NaN", "expected a value"),
        (a.replace("\"A\"", "// x\n"), "// x", "expected a value"),
    ] {
        let shift = u64::from(reason == "expected `:`" || at.starts_with(' '));
        for (text, before) in [
            (format!("{broken}\n{b}"), 0),
            (format!("{{\"Records\":[{b},{broken},{b}]}}"), b.len() + 13),
            (format!("[{broken},{b}]{b}"), 1),
        ] {
            let offset = (before + broken.find(at).unwrap()) as u64;
            let expected = if reason == "expected `:`" { offset - shift } else { offset + shift };
            let all = seen(text.as_bytes());
            let malformed: Vec<&Seen> =
                all.iter().filter(|seen| matches!(seen, Seen::Malformed(..))).collect();
            assert_eq!(malformed, [&Seen::Malformed(expected, reason)], "{text}");
            assert_eq!(all.len() - 1, text.matches("\"B\"").count(), "{text}");
        }
    }
}

#[test]
fn the_record_behind_a_broken_one_is_found() {
    let (a, b, c) = (record("A"), record("B"), record("C"));
    let cut = |length: usize| a[..a.len() - length].to_owned();
    let all = vec!["A", "B", "C"];
    for (text, expected) in [
        // Closers too many or too few.
        (format!("{a}}}\n{b}\n{c}"), all.clone()),
        (format!("{{\"Records\":[{a}}},{b},{c}]}}"), all.clone()),
        (format!("{{\"Records\":[{a}]]}}\n{b}{c}"), all.clone()),
        (format!("{{\"Records\":[{},{b},{c}]}}", cut(1)), vec!["B", "C"]),
        (format!("{}\n{b}\n{c}", cut(1)), vec!["B", "C"]),
        (format!("{}{b}{c}", cut(20)), vec!["B", "C"]),
        // An envelope that was cut off, and another one behind it.
        (format!("{{\"Records\":[{}\n{{\"Records\":[{b},{c}]}}", cut(20)), vec!["B", "C"]),
        (format!("{{\"Records\":[{a},{}\n{{\"Records\":[{b},{c}]}}", cut(90)), all.clone()),
        (format!("[{{\"Records\":[{}]}},{{\"Records\":[{b},{c}]}}]", cut(20)), vec!["B", "C"]),
        // A colon in the place of a closer makes no member of the next record.
        (format!("{}:\n{b}\n{c}", cut(1)), vec!["B", "C"]),
        // A quote that is missing.
        (format!("{}\n{b}\n{c}", a.replace("\"1\"}", "\"1}")), vec!["B", "C"]),
        (format!("{}\n{{\"Records\":[{b},{c}]}}", a.replace("\"1\"}", "\"1}")), vec!["B", "C"]),
        (format!("[{},{b},{c}]", a.replace("\"A\"", "\"A")), vec!["B", "C"]),
        // Between the records.
        (format!("{a}\ngarbage\n{b}\n<xml/>{c}"), all.clone()),
        (format!("{{\"Records\":[{a},garbage,{b},\0\0{c}]}}"), all.clone()),
        (format!("{{\"Records\":[{a} {b}{c}]}}"), all.clone()),
        (format!("{{\"Records\":[,{a},,{b},{c},]}}"), all.clone()),
        (format!("{a}\u{feff}{b}null\n{c}"), all.clone()),
        (format!("<134>1 host app: {a}\n<134>1 host app: {b}\nx={c}"), all.clone()),
        // The rest of an envelope.
        (format!("{{\"Records\":[{a}] {b},{c}"), all.clone()),
        (format!("{{\"Records\":[{a}],\"x\":}}\n{b}\n{c}"), all.clone()),
        (format!("{{\"Records\":[{a}],\"x\" 1}}\n{{\"Records\":[{b},{c}]}}"), all.clone()),
        (format!("{{\"x\":y,\"Records\":[{a},{b},{c}]}}"), all.clone()),
        (format!("\"Records\":[{a},{b},{c}]"), all.clone()),
        // Records in strings.
        (format!("[\"{0}\",tru,\"{1}\",\"{2}\"]", quoted(&a), quoted(&b), quoted(&c)), all.clone()),
        (format!("\"{0}\"\nx\n\"{1}\"\n\"{2}\"", quoted(&a), quoted(&b), quoted(&c)), all.clone()),
        // Records that begin with members of others.
        (
            format!("[{},{{\"id\":\"1\",\"message\":\"{}\"}},{c}]", cut(9), quoted(&b)),
            vec!["B", "C"],
        ),
        (format!("{}\n{{\"account\":\"1\",\"detail\":{b}}}\n{c}", cut(9)), vec!["B", "C"]),
        (format!("{}\n{{\"x\":1,{}\n{c}", cut(9), &b[1..]), vec!["B", "C"]),
        (format!("{}\n{{\"eventTime\":\"x\",\"eventName\":\"B\"}}\n{c}", cut(9)), vec!["B", "C"]),
    ] {
        let (names, malformed) = found(&text);
        assert_eq!(names, expected, "{text}\n{:#?}", seen(text.as_bytes()));
        let faults = if text.contains("garbage") || text.contains("host app") { 3 } else { 2 };
        assert!(malformed <= faults, "{malformed} malformed: {text}");
        let is_clean = text.contains(",,") || text.contains(&format!("{a} {b}"));
        assert_eq!(malformed == 0, is_clean, "{text}");
    }
}

#[test]
fn nothing_inside_a_broken_record_is_taken_for_a_record() {
    let (a, b) = (record("A"), record("B"));
    for rest in [
        format!("\"requestParameters\":{a}}}"),
        format!("\"requestParameters\" :\n {a}}}"),
        format!("\"requestParameters\":{{\"x\":{{\"eventTime\":\"t\",\"detail\":{a}}}}}}}"),
        format!("\"requestParameters\":{{\"entries\":[{a},{{\"detail\":{a}}}]}}}}"),
        format!("\"entries\":[{a},{a}],\"x\":{a}}}"),
        format!("\"additionalEventData\":\"{}\",\"x\":{a}}}", quoted(&a)),
    ] {
        let broken = format!("{{\"eventVersion\":\"1.08\" {rest}");
        let before = format!("{{\"eventVersion\":\"1.08\",{}!}}", rest.strip_suffix('}').unwrap());
        for broken in [broken, before] {
            let lines = format!("{broken}\n{b}");
            assert_eq!(found(&lines), (vec!["B".to_owned()], 1), "{lines}");
            let array = format!("{{\"Records\":[{broken},{b}]}}");
            assert_eq!(found(&array), (vec!["B".to_owned()], 1), "{array}");
        }
    }
    let cut_off = format!("{b}{{\"eventVersion\":\"1.08\",\"x\":[{a},{a}],\"y\":{a},\"z\":\"");
    assert_eq!(found(&cut_off), (vec!["B".to_owned()], 1));
}

#[test]
fn records_in_strings_of_others_are_not_taken_for_records() {
    let text = record("A").replace("\"b\":\"}\"", &format!("\"b\":\"{}\"", quoted(&record("X"))));
    assert_eq!(names(text.as_bytes()), ["A"]);
    let text = record("A").replace("IAMUser", "\\\",\\\"eventName\\\":\\\"X\\\",\\\"y\\\":\\\"");
    assert_eq!(names(text.as_bytes()), ["A"]);
}

#[test]
fn what_the_input_cuts_off_is_malformed() {
    let a = record("A");
    let not_closed = "unexpected end: an array or object of records is not closed";
    for (text, at, reason) in [
        (format!("{{\"Records\":[{a}"), 12 + a.len(), not_closed),
        (format!("{{\"Records\":[{a},\n"), 14 + a.len(), not_closed),
        (format!("{{\"Records\":[{a}]"), 13 + a.len(), not_closed),
        (format!("{{\"Records\":[{a}],\"x\":[1"), 13 + a.len(), not_closed),
        (format!("[{a}"), 1 + a.len(), not_closed),
        (format!("{a}{}", &a[..60]), a.len(), "unexpected end: a record is cut off"),
        (format!("{a}{{"), a.len(), "unexpected end: a record is cut off"),
        (format!("[{a},tr"), 2 + a.len(), "unexpected end: a value is cut off"),
        (format!("[{a},\"{{\\\"eve"), 2 + a.len(), "unexpected end: a value is cut off"),
    ] {
        let all = seen(text.as_bytes());
        assert_eq!(all[1..], [Seen::Malformed(at as u64, reason)], "{text}");
        assert!(matches!(all[0], Seen::Event(..)));
    }
}

#[test]
fn an_array_that_lost_its_end_does_not_go_unnoticed() {
    let (a, b) = (record("A"), record("B"));
    let lost = a.replace("}]}", "}");
    for text in [format!("{{\"Records\":[{lost},{b}]}}"), format!("[{lost},{b},{a}]")] {
        assert!(found(&text).1 > 0, "{text}");
    }
}

#[test]
fn a_stream_that_breaks_hands_over_every_whole_record_before() {
    let (a, b) = (record("A"), record("B"));
    let text = format!("{{\"Records\":[{a},{b},{}", &a[..80]);
    for (length, events) in [(text.len(), 2), (13 + a.len() + 5, 1), (13, 0), (0, 0)] {
        let lengths = [9];
        let bytes = &text.as_bytes()[..length];
        let mut pieces = Pieces { bytes, lengths: &lengths, next: 0, error: true };
        let (seen, content) = seen_through(&mut Window::default(), &mut pieces);
        assert_eq!(content.unwrap_err().to_string(), "the stream broke");
        assert_eq!(seen.len(), events, "{seen:?}");
        assert!(seen.iter().all(|seen| matches!(seen, Seen::Event(..))));
    }
}

#[test]
fn a_record_in_a_string_that_cannot_be_read_is_malformed() {
    let (a, b) = (record("A"), record("B"));
    let not_json = "the record in a string is not JSON, or cut off";
    let within = "an array of records within a record";
    let deep = (0..5).fold(a.clone(), |inner, _| format!("{{\"detail\":{inner}}}"));
    for (wrapper, reason) in [
        (format!("{{\"id\":\"1\",\"message\":\"{}\"}}", quoted(&a[..90])), not_json),
        (format!("{{\"message\":\"{} x\"}}", quoted(&a)), not_json),
        (format!("{{\"message\":\"{{\\\"Records\\\":[{}]}}\"}}", quoted(&a)), within),
        (format!("{{\"detail\":{{\"Records\":[{a}]}}}}"), within),
        (deep, TOO_DEEP),
    ] {
        let lines = format!("{wrapper}\n{b}");
        let all = seen(lines.as_bytes());
        assert!(all.contains(&Seen::Malformed(0, reason)), "{all:?}");
        assert_eq!(all.last(), Some(&Seen::Event("B".to_owned(), wrapper.len() as u64 + 1)));
        // Behind a broken record it is malformed, too.
        let (names, malformed) = found(&format!("{{\"eventVersion\" 1}}\n{wrapper}\n{b}"));
        assert_eq!((names.last().map(String::as_str), malformed), (Some("B"), 2), "{wrapper}");
    }
}

#[test]
fn arrays_and_envelopes_in_one_another_lose_nothing() {
    let (a, b) = (record("A"), record("B"));
    for levels in [1, 4, 15, 17, 40] {
        let arrays = format!("{}{a}{}\n{b}", "[".repeat(levels), "]".repeat(levels));
        let envelopes =
            format!("{}{a}{}\n{b}", "{\"Records\":[".repeat(levels), "]}".repeat(levels));
        let cut = format!("{}{b}", format!("{{\"Records\":[{a}\n").repeat(levels));
        assert_eq!(found(&arrays).0, ["A", "B"], "{levels}");
        assert_eq!(found(&envelopes).0, ["A", "B"], "{levels}");
        assert_eq!(found(&cut).0.len(), levels + 1);
    }
}

#[test]
fn hostile_streams_are_read_in_linear_time() {
    let padding = "x".repeat(200_000);
    let many = 100_000;
    for text in [
        "{".repeat(many),
        "[".repeat(many),
        "[{".repeat(many),
        "{\"a\":".repeat(many),
        "{\"detail\":".repeat(many),
        "{\"eventName\":".repeat(many),
        "{\"eventName\":[".repeat(many),
        "{\"Records\":[".repeat(many),
        "{\"eventName\":\"".repeat(many),
        "{\"message\":\"{".repeat(many),
        "\"{".repeat(many),
        "{\"userIdentity\":{\"sessionContext\":".repeat(many),
        format!("!{}{padding}", "{\"a\":[".repeat(500)),
        format!("{{\"eventName\" !{}{padding}", "{\"detail\":[".repeat(500)),
        format!("{{\"eventName\" !{}\"{padding}\"{}", "{\"detail\":".repeat(500), "}".repeat(500)),
        format!(
            "{{\"eventName\" !{}\"{padding}\"{}",
            "[{\"detail\":".repeat(200),
            "}]".repeat(200)
        ),
        "{\"eventName\":1 ".repeat(many),
        "{\"a\":1 ".repeat(many),
        "}],".repeat(many),
        "\\\"".repeat(many),
        "\"{\\\"".repeat(many),
        "!\"{\\\"a\\\":{".repeat(many),
    ] {
        let text = format!("{text}\n{}", record("A"));
        // A scan that starts anew at every bracket would take hours.
        let _ = seen(text.as_bytes());
    }
}
