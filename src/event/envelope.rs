//! Finds the records in a stream of JSON, whatever they are wrapped in; knows nothing of files.
//!
//! Records stand in `{"Records":[…]}`, a bare array, one behind the other (JSON lines), in an
//! EventBridge event's `detail`, in the `CloudTrailEvent` string of `lookup-events`, in the
//! `message` string of CloudWatch Logs, and alone. The stream is read through a window that holds
//! at least one whole record; memory is bounded by the longest record, not by the stream.
//!
//! A record that is not JSON is malformed. The search goes on behind the place where it stops
//! being JSON, at the next object that begins and reads like a record or an envelope, so that the
//! valid records behind it are found and nothing inside a broken record is taken for one.

use std::io::{self, Read};

use super::scan::{self, Fault, Inner, Members, Object};
use super::{Event, Lookalike};

/// The longest record that is read; CloudTrail's own bound is 1 MB.
pub const LONGEST_RECORD: usize = 64 << 20;

const FIRST_WINDOW: usize = 256 << 10;
const DEEPEST_WRAPPER: usize = 4;
const BOM: &[u8] = b"\xef\xbb\xbf";

/// What stands in the place of one record.
#[derive(Debug)]
pub enum Found<'a> {
    /// A CloudTrail event.
    Event {
        /// Its fields.
        event: &'a Event<'a>,
        /// The offset of its record in the decompressed bytes.
        offset: u64,
    },
    /// Something else that is JSON.
    Lookalike(Lookalike),
    /// Something that is not JSON, cut off or too long.
    Malformed(Malformed),
}

/// Where and why a record could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// The offset in the decompressed bytes.
    pub offset: u64,
    /// What is wrong there.
    pub reason: &'static str,
}

/// A buffer for [`read`], to be used again for the next stream.
#[derive(Default)]
pub struct Window {
    buffer: Vec<u8>,
    /// The offset in the stream of the buffer's first byte.
    base: u64,
    filled: usize,
    ended: bool,
}

/// What a stream held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Content {
    /// Nothing but blanks.
    #[default]
    Blank,
    /// No JSON object or array.
    Other,
    /// JSON.
    Json,
}

/// Calls `each` for what stands in the place of every record of `input`, in order.
///
/// `is_json` is asked once, with the first bytes of the stream, whether they are worth reading as
/// JSON at all.
///
/// # Errors
///
/// The error of `input`; records before it have been handed to `each`, and the one that it cut off
/// has not.
pub fn read(
    input: &mut dyn Read,
    window: &mut Window,
    is_json: &mut dyn FnMut(&[u8]) -> bool,
    each: &mut dyn FnMut(Found<'_>),
) -> io::Result<Content> {
    window.restart();
    let mut reader =
        Reader { input, window, each, at: 0, open: Vec::new(), content: Content::Blank };
    reader.fill()?;
    if reader.window.bytes().starts_with(BOM) {
        reader.at = BOM.len();
    }
    if !is_json(reader.window.bytes().get(reader.at..).unwrap_or_default()) {
        return Ok(Content::Other);
    }
    reader.run()?;
    Ok(reader.content)
}

impl Window {
    const fn restart(&mut self) {
        self.base = 0;
        self.filled = 0;
        self.ended = false;
    }

    fn bytes(&self) -> &[u8] {
        self.buffer.get(..self.filled).unwrap_or_default()
    }

    /// Drops the bytes before `keep` and reads on until the window is full or the input ends.
    fn fill(&mut self, input: &mut dyn Read, keep: usize) -> io::Result<()> {
        self.buffer.copy_within(keep.min(self.filled)..self.filled, 0);
        self.filled -= keep.min(self.filled);
        self.base += keep as u64;
        if self.filled == self.buffer.len() {
            let length = (self.buffer.len() * 2).clamp(FIRST_WINDOW, LONGEST_RECORD + FIRST_WINDOW);
            self.buffer.resize(length, 0);
        }
        while let Some(free) = self.buffer.get_mut(self.filled..).filter(|free| !free.is_empty()) {
            match input.read(free) {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(length) => self.filled += length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// A container of records that is open at the cursor.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    /// An array of records, directly within the next one out.
    Array,
    /// The rest of an envelope, behind its array of records.
    Envelope,
}

struct Reader<'a> {
    input: &'a mut dyn Read,
    window: &'a mut Window,
    each: &'a mut dyn FnMut(Found<'_>),
    /// The cursor: an offset in the window.
    at: usize,
    open: Vec<Open>,
    content: Content,
}

impl Reader<'_> {
    fn run(&mut self) -> io::Result<()> {
        loop {
            let Some(byte) = self.next_byte()? else {
                return self.finish();
            };
            match (self.open.last(), byte) {
                (Some(Open::Envelope), b',' | b'}') => self.rest_of_envelope()?,
                (Some(Open::Array), b']') => {
                    self.at += 1;
                    self.open.pop();
                }
                (None | Some(Open::Array), b'{') => self.object()?,
                (None | Some(Open::Array), b'[') if self.open.len() < DEEPEST_WRAPPER => {
                    self.content = Content::Json;
                    self.at += 1;
                    self.open.push(Open::Array);
                }
                (Some(Open::Array), b',') => self.at += 1,
                (Some(Open::Array), _) => self.scalar()?,
                (Some(Open::Envelope), _) => self.resume_after(self.at, "expected `,` or `}`")?,
                (None, _) if self.content == Content::Json => {
                    self.resume_after(self.at, "expected `{` or `[`")?
                }
                (None, _) => self.preamble()?,
            }
        }
    }

    /// Returns the next byte that is no blank, at the cursor; none at the end of the input.
    fn next_byte(&mut self) -> io::Result<Option<u8>> {
        loop {
            let rest = self.window.bytes().get(self.at..).unwrap_or_default();
            let blanks = rest
                .iter()
                .take_while(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | 0x1e))
                .count();
            self.at += blanks;
            if let Some(&byte) = rest.get(blanks) {
                return Ok(Some(byte));
            }
            if self.window.ended {
                return Ok(None);
            }
            self.fill()?;
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        self.window.fill(self.input, self.at)?;
        self.at = 0;
        Ok(())
    }

    /// At the end of the input every container has to be closed.
    fn finish(&mut self) -> io::Result<()> {
        if !self.open.is_empty() {
            self.malformed(self.at, "unexpected end: an array or object of records is not closed");
            self.open.clear();
        }
        Ok(())
    }

    fn malformed(&mut self, at: usize, reason: &'static str) {
        (self.each)(Found::Malformed(Malformed { offset: self.window.base + at as u64, reason }));
    }

    /// Passes over what stands before the first record. It is malformed only if there is one;
    /// otherwise the stream is no JSON at all.
    fn preamble(&mut self) -> io::Result<()> {
        self.content = Content::Other;
        let offset = self.window.base + self.at as u64;
        self.resume()?;
        if self.at < self.window.filled {
            (self.each)(Found::Malformed(Malformed { offset, reason: "expected `{` or `[`" }));
        }
        Ok(())
    }

    /// Reads the object at the cursor.
    fn object(&mut self) -> io::Result<()> {
        self.content = Content::Json;
        loop {
            let fault = match scan::object(self.window.bytes(), self.at) {
                Ok(object) if object.is_envelope => {
                    self.at = object.end + 1;
                    self.open.extend([Open::Envelope, Open::Array]);
                    return Ok(());
                }
                Ok(object) => {
                    let end = object.end;
                    unwrap(&object, self.window.base + self.at as u64, 0, self.each);
                    self.at = end;
                    return Ok(());
                }
                Err(fault) => fault,
            };
            match fault {
                Fault::Syntax { at, expected } => return self.resume_after(at, expected),
                Fault::Incomplete => {
                    if !self.more("a record")? {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Goes on behind the array of an envelope.
    fn rest_of_envelope(&mut self) -> io::Result<()> {
        loop {
            match scan::members(self.window.bytes(), self.at) {
                Ok(Members::Container(array)) => {
                    self.at = array + 1;
                    self.open.push(Open::Array);
                    return Ok(());
                }
                Ok(Members::End(end)) => {
                    self.at = end;
                    self.open.pop();
                    return Ok(());
                }
                Err(Fault::Syntax { at, expected }) => return self.resume_after(at, expected),
                Err(Fault::Incomplete) => {
                    if !self.more("the rest of an envelope")? {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Passes over a value in an array of records that is no object.
    fn scalar(&mut self) -> io::Result<()> {
        loop {
            match scan::value(self.window.bytes(), self.at) {
                Ok(end) if end < self.window.filled || self.window.ended => {
                    self.at = end;
                    (self.each)(Found::Lookalike(Lookalike::Other));
                    return Ok(());
                }
                Err(Fault::Syntax { at, expected }) => return self.resume_after(at, expected),
                Ok(_) | Err(Fault::Incomplete) => {
                    if !self.more("a value")? {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Makes the window longer, or settles that the value at the cursor is cut off or too long.
    /// Returns whether to try again.
    fn more(&mut self, what: &'static str) -> io::Result<bool> {
        if self.window.filled - self.at >= LONGEST_RECORD {
            let at = self.at + LONGEST_RECORD;
            self.malformed(self.at, "a record is longer than 64 MiB");
            self.at = at;
            self.resume()?;
            return Ok(false);
        }
        if !self.window.ended {
            self.fill()?;
            return Ok(true);
        }
        let reason = match what {
            "a record" => "unexpected end: a record is cut off",
            "a value" => "unexpected end: a value is cut off",
            _ => "unexpected end: an array or object of records is not closed",
        };
        self.malformed(self.at, reason);
        self.open.clear();
        self.at = self.window.filled;
        Ok(false)
    }

    /// Reports what stops being JSON at `at` and goes on behind it.
    fn resume_after(&mut self, at: usize, expected: &'static str) -> io::Result<()> {
        self.malformed(at, expected);
        self.at = at;
        self.resume()
    }

    /// Moves the cursor to the next object that begins and reads like a record or an envelope.
    fn resume(&mut self) -> io::Result<()> {
        loop {
            let bytes = self.window.bytes();
            let rest = bytes.get(self.at..).unwrap_or_default();
            let Some(brace) = memchr::memchr(b'{', rest) else {
                self.at = self.window.filled;
                if self.window.ended {
                    self.open.clear();
                    return Ok(());
                }
                self.fill()?;
                continue;
            };
            self.at += brace;
            let near_the_end = bytes.len() - self.at < 256;
            if near_the_end && !self.window.ended {
                self.fill()?;
            } else if scan::starts_like_a_record(self.window.bytes(), self.at)
                && self.reads_like_a_record()?
            {
                return Ok(());
            } else {
                self.at += 1;
            }
        }
    }

    /// Returns whether the object at the cursor is an envelope, an event, or wraps one.
    fn reads_like_a_record(&mut self) -> io::Result<bool> {
        loop {
            match scan::object(self.window.bytes(), self.at) {
                Ok(object) => {
                    return Ok(object.is_envelope || holds_an_event(&object));
                }
                Err(Fault::Incomplete)
                    if !self.window.ended && self.window.filled - self.at < LONGEST_RECORD =>
                {
                    self.fill()?;
                }
                // It begins as a record does: its own fault is reported when it is read.
                Err(Fault::Syntax { .. } | Fault::Incomplete) => return Ok(true),
            }
        }
    }
}

/// Hands over the record within `object`, or `object` itself.
fn unwrap(object: &Object<'_>, offset: u64, depth: usize, each: &mut dyn FnMut(Found<'_>)) {
    if is_event(object) {
        return each(Found::Event { event: &object.event, offset });
    }
    if object.is_digest {
        return each(Found::Lookalike(Lookalike::Digest));
    }
    if object.is_config {
        return each(Found::Lookalike(Lookalike::Config));
    }
    let inner = match &object.inner {
        Some(Inner::Object(bytes)) => *bytes,
        Some(Inner::Text(text)) if text.trim_start().starts_with('{') => {
            text.trim_start().as_bytes()
        }
        Some(Inner::Text(_)) | None => return each(Found::Lookalike(Lookalike::Other)),
    };
    if depth == DEEPEST_WRAPPER {
        return each(Found::Malformed(Malformed { offset, reason: "envelopes nested too deeply" }));
    }
    let reason = match scan::object(inner, 0) {
        Ok(object) if object.is_envelope => "an array of records within a record",
        Ok(object) => return unwrap(&object, offset, depth + 1, each),
        Err(_) => "the record in a string is not JSON, or cut off",
    };
    each(Found::Malformed(Malformed { offset, reason }));
}

/// Returns whether an object is one of CloudTrail's events, as far as its members tell.
///
/// Notifications of S3, SQS, DynamoDB, … name a source such as `aws:s3`, which CloudTrail never
/// does.
fn is_event(object: &Object<'_>) -> bool {
    let event = &object.event;
    let foreign = event.event_source.as_deref().is_some_and(|source| source.starts_with("aws:"));
    object.event_members >= 2 && !foreign
}

/// Returns whether there is an event in `object` that tells who did what and when.
fn holds_an_event(object: &Object<'_>) -> bool {
    if is_event(object) {
        let event = &object.event;
        return event.event_time.is_some()
            && event.event_source.is_some()
            && event.event_name.is_some()
            && object.event_members >= 5;
    }
    let mut found = false;
    unwrap(object, 0, 0, &mut |record| found |= matches!(record, Found::Event { .. }));
    found
}
