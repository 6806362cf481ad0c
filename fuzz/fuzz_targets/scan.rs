//! Any bytes, read in every way there is: whole and as a stream, by blocks and byte by byte, and by
//! a plain JSON parser where they are JSON. All have to find the same, and the records on either
//! side of the bytes are found, or something malformed is.

#![no_main]

use std::cell::RefCell;
use std::io::{self, Read};

use libfuzzer_sys::fuzz_target;
use trailfold::event::envelope::{self, Content, Found, Input, Window};
use trailfold::event::scan::{self, Fault, Habits, Object};
use trailfold::event::Lookalike;
use trailfold_fuzz::fed;

#[path = "../../tests/laws/parsed.rs"]
mod parsed;

/// A record that stands beside the input.
const RECORD: &str = r#"{"eventVersion":"1.08","eventTime":"2026-01-02T03:04:05Z","eventID":"x"}"#;

/// Bytes of a stream that a new window holds.
const WINDOW: usize = 256 << 10;

fuzz_target!(|bytes: &[u8]| {
    fed(bytes);
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let sum: usize = bytes.iter().copied().map(usize::from).sum();
    let visible = sum % (bytes.len() + 1);
    blocks_say_what_bytes_say(bytes);
    blocks_say_what_bytes_say(&bytes[..visible]);
    a_stream_holds_what_the_whole_holds(bytes, visible);
    an_event_is_what_a_parser_reads(bytes);
    a_record_behind_is_found_or_missed_aloud(bytes, "", "\n", "");
    a_record_behind_is_found_or_missed_aloud(bytes, "{\"Records\":[", ",", "]}");
});

/// Compares the bytes as a whole with a stream of them in odd chunks, and with one whose first
/// window ends behind `visible` of them.
fn a_stream_holds_what_the_whole_holds(bytes: &[u8], visible: usize) {
    let whole = found(Input::Whole(bytes), 0);
    let chunk = bytes.len() % 61 * 2 + 1;
    assert_eq!(found(Input::Stream(&mut Chunks { bytes, chunk }), 0), whole, "chunks of {chunk}");
    let blanks = WINDOW - visible;
    let mut stream = io::repeat(b' ').take(blanks as u64).chain(bytes);
    assert_eq!(found(Input::Stream(&mut stream), blanks as u64), whole, "window ends at {visible}");
}

/// What is found, to be kept.
#[derive(Debug, PartialEq)]
enum Seen {
    /// Offset and fields.
    Event(u64, String),
    Lookalike(Lookalike),
    /// Offset and reason.
    Malformed(u64, &'static str),
}

/// Returns what is found, with offsets from `start` on.
fn found(input: Input<'_>, start: u64) -> (Content, Vec<Seen>) {
    thread_local!(static WINDOW: RefCell<Window> = RefCell::default());
    let mut all = Vec::new();
    let mut each = |found: Found<'_>| {
        all.push(match found {
            Found::Event { event, offset, .. } => Seen::Event(offset - start, format!("{event:?}")),
            Found::Lookalike(lookalike) => Seen::Lookalike(lookalike),
            Found::Malformed(malformed) => {
                Seen::Malformed(malformed.offset - start, malformed.reason)
            }
        });
    };
    let read = |window: &mut Window| envelope::read(input, window, &mut |_| true, &mut each);
    let content = WINDOW.with_borrow_mut(read).expect("nothing breaks the stream");
    (content, all)
}

/// Compares the scanner at the CPU's best level with its twin, which accepts no more than it does,
/// on every object, the habits kept from one to the next.
fn blocks_say_what_bytes_say(bytes: &[u8]) {
    let mut habits = Habits::default();
    for start in (0..bytes.len()).filter(|at| bytes[*at] == b'{') {
        let twin = scan::object_by_bytes(bytes, start);
        let mut object = Object::default();
        match (scan::object(bytes, start, false, &mut habits, &mut object), twin) {
            (Ok(()), Ok(twin)) => assert_eq!(plain(&object), plain(&twin)),
            (Err(fault), Err(twin)) => assert_eq!(fault, twin),
            (Ok(()), Err(Fault::Syntax { .. })) => {}
            (read, twin) => panic!("{read:?}, but {twin:?}"),
        }
    }
}

/// Returns all that an object says of its bytes, and nothing of where they were seen before.
fn plain(object: &Object<'_>) -> String {
    let Object { end, is_envelope, inner, is_digest, is_config, event_members, .. } = object;
    let kinds = (is_envelope, is_digest, is_config, event_members);
    format!("{:?} {end} {kinds:?} {inner:?}", object.event)
}

/// Compares the scanner with a JSON parser, if the bytes are an object and no envelope.
fn an_event_is_what_a_parser_reads(bytes: &[u8]) {
    let Ok(json) = str::from_utf8(bytes).map(str::trim_ascii) else { return };
    if json.starts_with('{') && serde_json::from_str::<serde_json::Value>(json).is_ok() {
        let (mut habits, mut object) = <(Habits, Object<'_>)>::default();
        scan::object(json.as_bytes(), 0, false, &mut habits, &mut object).expect("it is JSON");
        if !object.is_envelope {
            parsed::check(json);
        }
    }
}

/// Reads the bytes between two records: the one before is found, and so is the one behind, unless
/// something malformed is reported.
fn a_record_behind_is_found_or_missed_aloud(bytes: &[u8], open: &str, comma: &str, close: &str) {
    let head = format!("{open}{RECORD}{comma}");
    let tail = format!("{comma}{RECORD}{close}");
    let text = [head.as_bytes(), bytes, tail.as_bytes()].concat();
    let (_, all) = found(Input::Whole(&text), 0);
    let is_event = |at: usize| {
        let at = at as u64;
        all.iter().any(|what| matches!(what, Seen::Event(offset, _) if *offset == at))
    };
    assert!(is_event(open.len()), "{all:?}");
    let is_aloud = all.iter().any(|what| matches!(what, Seen::Malformed(..)));
    assert!(is_aloud || is_event(head.len() + bytes.len() + comma.len()), "{all:?}");
}

/// A reader of at most `chunk` bytes at a time.
struct Chunks<'a> {
    bytes: &'a [u8],
    chunk: usize,
}

impl Read for Chunks<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.chunk.min(buffer.len());
        self.bytes.read(&mut buffer[..length])
    }
}
