//! Finds the records in a stream of JSON, whatever they are wrapped in; knows nothing of files.
//!
//! Records stand in `{"Records":[…]}`, a bare array, one behind the other (JSON lines), in an
//! EventBridge event's `detail`, in the `CloudTrailEvent` string of `lookup-events`, in the
//! `message` string of CloudWatch Logs, in strings alone, and alone. The stream is read through a
//! window that holds at least one whole record; memory is bounded by the longest record, not by
//! the stream.
//!
//! A record that is not JSON is malformed. The search goes on behind the place where it stops
//! being JSON, at the next object that is an event or an envelope, or begins as one does. What is
//! the value of a member there is a part of the broken record and passed over whole; so the valid
//! records behind it are found, and an object of its own `requestParameters` is taken for none.
//! Every byte is looked at a few times at most, whatever the input. What cannot be told: an array
//! within a record that lost its end takes the records behind it for its elements; the stream is
//! then reported as not closed.

use std::io::{self, Read};

use super::scan::{self, Fault, Habits, Inner, Members, Object};
use super::{Event, Lookalike};

/// The longest record that is read; CloudTrail's own bound is 1 MB.
pub const LONGEST_RECORD: usize = 64 << 20;

const FIRST_WINDOW: usize = 256 << 10;

/// Records wrapped more often than this are malformed.
const DEEPEST_WRAPPER: usize = 4;

/// Arrays and envelopes of records inside one another, each of the two counting for itself.
const DEEPEST_CONTAINER: usize = 16;

const TOO_DEEP: &str = "envelopes nested too deeply";
const NOT_CLOSED: &str = "unexpected end: an array or object of records is not closed";
const BOM: &[u8] = b"\xef\xbb\xbf";

/// What stands in the place of one record.
#[derive(Debug)]
pub enum Found<'a> {
    /// A CloudTrail event.
    Event {
        /// Its fields.
        event: &'a Event<'a>,
        /// The object that they were read from, as it stands.
        json: &'a [u8],
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
pub struct Window {
    buffer: Vec<u8>,
    /// The offset in the stream of the buffer's first byte.
    base: u64,
    filled: usize,
    ended: bool,
    /// What ended the stream, if not its end.
    broken: Option<io::Error>,
    longest_record: usize,
    habits: Habits,
    /// What of a longer stream the next one is, if it is none of its own.
    part: Option<Part>,
    stop: Stop,
}

/// A part of a stream. It begins between two records that stand in nothing, behind the first.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// The offset in the stream of the part's first byte.
    pub offset: u64,
    /// The offset from which on the reading stops before the next record that stands in nothing.
    pub until: u64,
}

/// Where the reading of a stream, or of a part of one, stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stop {
    /// The offset in the whole stream.
    pub at: u64,
    /// Whether all up to there is JSON and closed, so that what is there would have been read the
    /// same way had more followed, and what follows is read as though nothing had been before.
    pub is_clean: bool,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            buffer: Vec::new(),
            base: 0,
            filled: 0,
            ended: false,
            broken: None,
            longest_record: LONGEST_RECORD,
            habits: Habits::default(),
            part: None,
            stop: Stop::default(),
        }
    }
}

/// The bytes to read.
pub enum Input<'a> {
    /// All of them.
    Whole(&'a [u8]),
    /// As they come.
    Stream(&'a mut dyn Read),
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
/// The error of `input`; every whole record before it has been handed to `each`, and the one that
/// it cut off has not.
pub fn read(
    input: Input<'_>,
    window: &mut Window,
    is_json: &mut dyn FnMut(&[u8]) -> bool,
    each: &mut dyn FnMut(Found<'_>),
) -> io::Result<Content> {
    let part = window.part.take();
    window.restart(matches!(input, Input::Whole(_)), part.map_or(0, |part| part.offset));
    let habits = std::mem::take(&mut window.habits);
    let mut reader = Reader {
        input,
        window,
        each,
        habits,
        at: 0,
        fault: 0,
        open: Vec::new(),
        content: if part.is_some() { Content::Json } else { Content::Blank },
        until: part.map_or(u64::MAX, |part| part.until),
        is_clean: true,
    };
    reader.fill();
    if part.is_none() {
        let bytes = visible(&reader.input, reader.window);
        reader.at = if bytes.starts_with(BOM) { BOM.len() } else { 0 };
        if !is_json(bytes.get(reader.at..).unwrap_or_default()) {
            window.habits = reader.habits;
            return Ok(Content::Other);
        }
    }
    reader.run();
    reader.window.habits = reader.habits;
    let (content, at) = (reader.content, reader.window.base + reader.at as u64);
    let is_clean = reader.is_clean && content == Content::Json && window.broken.is_none();
    window.stop = Stop { at, is_clean };
    window.broken.take().map_or(Ok(content), Err)
}

impl Window {
    /// Lets the next stream be read as a part of a longer one: offsets are those of the longer one,
    /// nobody is asked whether it is JSON, and it may stop before its end.
    pub const fn expect(&mut self, part: Part) {
        self.part = Some(part);
    }

    /// Returns where the reading of the last stream stopped.
    pub const fn stop(&self) -> Stop {
        self.stop
    }

    fn restart(&mut self, ended: bool, offset: u64) {
        self.stop = Stop { at: offset, is_clean: false };
        self.base = offset;
        self.filled = 0;
        self.ended = ended;
        self.broken = None;
    }

    fn bytes(&self) -> &[u8] {
        self.buffer.get(..self.filled).unwrap_or_default()
    }

    /// Drops the bytes before `keep` and reads on until the window is full or the input ends.
    fn fill(&mut self, input: &mut dyn Read, keep: usize) {
        self.buffer.copy_within(keep.min(self.filled)..self.filled, 0);
        self.filled -= keep.min(self.filled);
        self.base += keep as u64;
        if self.filled == self.buffer.len() {
            let first = FIRST_WINDOW.min(self.longest_record);
            let length = (self.buffer.len() * 2).clamp(first, self.longest_record + first);
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
                Err(error) => {
                    self.ended = true;
                    self.broken = Some(error);
                    break;
                }
            }
        }
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

/// What a search for the next record follows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wake {
    /// Bytes before the first record: only CloudTrail's own JSON tells that there is any.
    Preamble,
    /// Something between two records: the next object is the next record, whatever it holds.
    Stray,
    /// A broken record: values of members belong to it.
    Record,
}

/// What an object or array behind a fault is.
enum Verdict {
    /// A record, or a broken one.
    Record,
    /// An envelope.
    Envelope,
    /// Neither: the search goes on at this offset in the window.
    Neither(usize),
}

/// Returns the bytes that can be looked at.
fn visible<'b>(input: &'b Input<'_>, window: &'b Window) -> &'b [u8] {
    match input {
        Input::Whole(bytes) => bytes,
        Input::Stream(_) => window.bytes(),
    }
}

struct Reader<'i, 'a> {
    input: Input<'i>,
    window: &'a mut Window,
    each: &'a mut dyn FnMut(Found<'_>),
    habits: Habits,
    /// The cursor: an offset in the window.
    at: usize,
    /// The offset in the stream at which the last broken record stopped being JSON.
    fault: u64,
    open: Vec<Open>,
    content: Content,
    /// The offset in the stream from which on no further record is begun.
    until: u64,
    /// Whether nothing was reported that is built wrong or not closed.
    is_clean: bool,
}

impl Reader<'_, '_> {
    fn run(&mut self) {
        while let Some(byte) = self.next_byte() {
            if self.open.is_empty() && self.window.base + self.at as u64 >= self.until {
                return;
            }
            match (self.open.last().copied(), byte) {
                (Some(Open::Envelope), b',' | b'}') => self.rest_of_envelope(),
                (Some(Open::Envelope), _) => self.stray("expected `,` or `}`"),
                (Some(Open::Array), b']') => {
                    self.at += 1;
                    self.open.pop();
                }
                (None | Some(Open::Array), b'{') => self.object(),
                (None | Some(Open::Array), b'[') => self.array(),
                (Some(Open::Array), b',') => self.at += 1,
                (Some(Open::Array), _) => self.scalar(),
                (None, b'"') if self.begins_a_text() => self.scalar(),
                (None, b',') if self.content == Content::Json => self.at += 1,
                (None, _) if self.content == Content::Json => self.stray("expected `{` or `[`"),
                (None, _) => self.preamble(),
            }
        }
        // At the end of the input every container has to be closed.
        if !self.open.is_empty() && self.window.broken.is_none() {
            self.malformed(self.at, NOT_CLOSED);
        }
    }

    /// Returns the next byte that is no blank, at the cursor; none at the end of the input.
    fn next_byte(&mut self) -> Option<u8> {
        loop {
            let rest = visible(&self.input, self.window).get(self.at..).unwrap_or_default();
            let blanks = rest
                .iter()
                .take_while(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | 0x1e))
                .count();
            self.at += blanks;
            if let Some(&byte) = rest.get(blanks) {
                return Some(byte);
            }
            if self.window.ended {
                return None;
            }
            self.fill();
        }
    }

    /// Returns the offset behind what can be looked at.
    fn filled(&self) -> usize {
        visible(&self.input, self.window).len()
    }

    /// Drops what is before the cursor, but for what [`scan::colon_before`] looks at, and reads on.
    fn fill(&mut self) {
        if let Input::Stream(stream) = &mut self.input {
            let keep = self.at.saturating_sub(scan::LOOK_BACK);
            self.window.fill(*stream, keep);
            self.at -= keep;
        }
    }

    fn malformed(&mut self, at: usize, reason: &'static str) {
        self.is_clean = false;
        (self.each)(Found::Malformed(Malformed { offset: self.window.base + at as u64, reason }));
    }

    /// Passes over what stands before the first record. It is malformed only if there is one;
    /// otherwise the stream is no JSON at all.
    fn preamble(&mut self) {
        self.content = Content::Other;
        self.is_clean = false;
        let offset = self.window.base + self.at as u64;
        self.resume(Wake::Preamble);
        if self.at < self.filled() {
            (self.each)(Found::Malformed(Malformed { offset, reason: "expected `{` or `[`" }));
        }
    }

    /// Reports what stands where a record or the end of a container is due, and goes on behind it.
    fn stray(&mut self, reason: &'static str) {
        self.malformed(self.at, reason);
        self.resume(Wake::Stray);
    }

    /// Opens the array at the cursor.
    fn array(&mut self) {
        self.content = Content::Json;
        if self.open.len() >= DEEPEST_CONTAINER {
            return self.resume_after(self.at + 1, TOO_DEEP);
        }
        self.at += 1;
        self.open.push(Open::Array);
    }

    /// Reads the object at the cursor.
    fn object(&mut self) {
        self.content = Content::Json;
        loop {
            let bytes = visible(&self.input, self.window);
            let more_may_come = !self.window.ended;
            let mut object = Object::default();
            match scan::object(bytes, self.at, more_may_come, &mut self.habits, &mut object) {
                Ok(()) if self.is_too_long(object.end + usize::from(object.is_envelope)) => {
                    return self.too_long();
                }
                Ok(()) if object.is_envelope => {
                    let behind = object.end + 1;
                    if self.open.len() >= DEEPEST_CONTAINER {
                        return self.resume_after(behind, TOO_DEEP);
                    }
                    self.at = behind;
                    self.open.extend([Open::Envelope, Open::Array]);
                    return;
                }
                Ok(()) => {
                    let end = object.end;
                    let offset = self.window.base + self.at as u64;
                    let json = bytes.get(self.at..end).unwrap_or_default();
                    unwrap(&object, json, offset, 0, &mut self.habits, self.each);
                    self.at = end;
                    return;
                }
                Err(Fault::Syntax { at, reason }) => return self.resume_after(at, reason),
                Err(Fault::Incomplete) => {
                    if !self.more("unexpected end: a record is cut off") {
                        return;
                    }
                }
            }
        }
    }

    /// Goes on behind the array of an envelope.
    fn rest_of_envelope(&mut self) {
        loop {
            match scan::members(visible(&self.input, self.window), self.at) {
                Ok(Members::Container(array)) => {
                    self.at = array + 1;
                    self.open.push(Open::Array);
                    return;
                }
                Ok(Members::End(end)) => {
                    self.at = end;
                    self.open.pop();
                    return;
                }
                Err(Fault::Syntax { at, reason }) => return self.resume_after(at, reason),
                Err(Fault::Incomplete) => {
                    if !self.more(NOT_CLOSED) {
                        return;
                    }
                }
            }
        }
    }

    /// Returns whether the `"` at the cursor begins a string that may be a record.
    fn begins_a_text(&mut self) -> bool {
        loop {
            let string = visible(&self.input, self.window).get(self.at + 1..).unwrap_or_default();
            let text = string.trim_ascii_start();
            if !text.is_empty() || !self.can_grow() {
                return text.starts_with(b"{");
            }
            self.fill();
        }
    }

    /// Takes the record out of a value that is a string, and passes over one that is no object.
    fn scalar(&mut self) {
        self.content = Content::Json;
        loop {
            match scan::value(visible(&self.input, self.window), self.at) {
                Ok(end) if self.is_too_long(end) => return self.too_long(),
                Ok(end) if end < self.filled() || self.window.ended => {
                    let value =
                        visible(&self.input, self.window).get(self.at..end).unwrap_or_default();
                    match scan::text(value).filter(|text| text.trim_start().starts_with('{')) {
                        Some(text) => {
                            let offset = self.window.base + self.at as u64;
                            unwrap_text(&text, offset, 0, &mut self.habits, self.each);
                        }
                        None => (self.each)(Found::Lookalike(Lookalike::Other)),
                    }
                    self.at = end;
                    return;
                }
                Err(Fault::Syntax { at, reason }) => return self.resume_after(at, reason),
                Ok(_) | Err(Fault::Incomplete) => {
                    if !self.more("unexpected end: a value is cut off") {
                        return;
                    }
                }
            }
        }
    }

    /// Makes the window longer, or settles that the value at the cursor is cut off or too long.
    /// Returns whether to try again.
    fn more(&mut self, cut_off: &'static str) -> bool {
        if self.filled() - self.at >= self.window.longest_record {
            self.too_long();
            return false;
        }
        if !self.window.ended {
            self.fill();
            return true;
        }
        if self.window.broken.is_none() {
            self.malformed(self.at, cut_off);
        }
        self.open.clear();
        self.at = self.filled();
        false
    }

    /// Returns whether what stands between the cursor and `end` is longer than any record. Whether
    /// all of it is in the window depends on what the window was used for before.
    fn is_too_long(&self, end: usize) -> bool {
        end - self.at > self.window.longest_record
    }

    /// Reports a record that is longer than any, and goes on where the longest would end.
    fn too_long(&mut self) {
        self.malformed(self.at, "a record is longer than 64 MiB");
        self.at += self.window.longest_record;
        self.resume(Wake::Record);
    }

    /// Returns whether what is at `at` belongs to the broken record before it. A colon at which the
    /// record broke is none of a member.
    fn is_member_value(&self, wake: Wake, at: usize) -> bool {
        wake == Wake::Record
            && scan::colon_before(visible(&self.input, self.window), at)
                .is_some_and(|colon| self.window.base + colon as u64 > self.fault)
    }

    /// Returns whether more of what begins at the cursor can be had.
    fn can_grow(&self) -> bool {
        !self.window.ended && self.filled() - self.at < self.window.longest_record
    }

    /// Reports what stops being JSON at `at` and goes on behind it.
    fn resume_after(&mut self, at: usize, reason: &'static str) {
        self.malformed(at, reason);
        self.fault = self.window.base + at as u64;
        self.at = scan::behind_fault(visible(&self.input, self.window), self.at, at);
        self.resume(Wake::Record);
    }

    /// Moves the cursor to the next record or envelope.
    fn resume(&mut self, wake: Wake) {
        loop {
            let rest = visible(&self.input, self.window).get(self.at..).unwrap_or_default();
            let Some(bracket) = memchr::memchr2(b'{', b'[', rest) else {
                self.at = self.filled();
                if self.window.ended {
                    return self.open.clear();
                }
                self.fill();
                continue;
            };
            self.at += bracket;
            match self.verdict(wake) {
                Verdict::Record => {
                    while self.open.last() == Some(&Open::Envelope) {
                        self.open.pop();
                    }
                    return;
                }
                Verdict::Envelope => {
                    // It stands in a bare array or alone: whatever else is open was left broken.
                    let arrays = self.open.iter().take_while(|open| **open == Open::Array).count();
                    return self.open.truncate(arrays);
                }
                Verdict::Neither(behind) => self.at = behind,
            }
        }
    }

    /// Judges the object or array at the cursor, which moves to its quote if it is a string.
    fn verdict(&mut self, wake: Wake) -> Verdict {
        loop {
            let bytes = visible(&self.input, self.window);
            if let Some(quote) = scan::quote_before(bytes, self.at)
                && !self.is_member_value(wake, quote)
            {
                match scan::value(bytes, quote) {
                    Err(Fault::Incomplete) if self.can_grow() => {
                        self.fill();
                        continue;
                    }
                    Ok(end)
                        if text_holds_a_record(
                            bytes.get(quote..end).unwrap_or_default(),
                            &mut self.habits,
                        ) =>
                    {
                        self.at = quote;
                        return Verdict::Record;
                    }
                    // No other string of this kind begins before its end.
                    Ok(_) | Err(_) => return Verdict::Neither(self.at + 1),
                }
            }
            let is_array = bytes.get(self.at) == Some(&b'[');
            let is_member_value = self.is_member_value(wake, self.at);
            let fault = if is_member_value {
                match scan::value(bytes, self.at) {
                    Ok(end) => return Verdict::Neither(end),
                    Err(fault) => fault,
                }
            } else if is_array {
                return Verdict::Neither(self.at + 1);
            } else {
                let more_may_come = self.can_grow();
                let mut object = Object::default();
                match scan::object(bytes, self.at, more_may_come, &mut self.habits, &mut object) {
                    Ok(()) if object.is_envelope => return Verdict::Envelope,
                    Ok(()) if wake == Wake::Stray || holds_a_record(&object, &mut self.habits) => {
                        return Verdict::Record;
                    }
                    Ok(()) => return Verdict::Neither(object.end),
                    Err(fault) => fault,
                }
            };
            match fault {
                Fault::Incomplete if self.can_grow() => self.fill(),
                // It begins as a record does: its own fault is reported when it is read.
                _ if !is_member_value && scan::starts_like_a_record(bytes, self.at) => {
                    return Verdict::Record;
                }
                Fault::Syntax { at, .. } => {
                    return Verdict::Neither(scan::behind_fault(bytes, self.at, at));
                }
                Fault::Incomplete => return Verdict::Neither(self.filled()),
            }
        }
    }
}

/// Hands over the record within `object`, which is that of `json`, or `object` itself.
fn unwrap(
    object: &Object<'_>,
    json: &[u8],
    offset: u64,
    depth: usize,
    habits: &mut Habits,
    each: &mut dyn FnMut(Found<'_>),
) {
    if is_event(object) {
        return each(Found::Event { event: &object.event, json, offset });
    }
    if object.is_digest {
        return each(Found::Lookalike(Lookalike::Digest));
    }
    if object.is_config {
        return each(Found::Lookalike(Lookalike::Config));
    }
    let Some(inner) = &object.inner else {
        return each(Found::Lookalike(Lookalike::Other));
    };
    if depth == DEEPEST_WRAPPER {
        return each(Found::Malformed(Malformed { offset, reason: TOO_DEEP }));
    }
    match inner {
        Inner::Object(bytes) => {
            unwrap_next(bytes, offset, depth + 1, habits, each);
        }
        Inner::Text(text) => unwrap_text(text, offset, depth + 1, habits, each),
    }
}

/// Hands over the records in a string.
fn unwrap_text(
    text: &str,
    offset: u64,
    depth: usize,
    habits: &mut Habits,
    each: &mut dyn FnMut(Found<'_>),
) {
    let mut rest = text.as_bytes().trim_ascii_start();
    while !rest.is_empty() {
        let Some(behind) = unwrap_next(rest, offset, depth, habits, each) else { return };
        rest = rest.get(behind..).unwrap_or_default().trim_ascii_start();
    }
}

/// Hands over the record that `bytes` begin with and returns the offset behind it; none if it, or
/// what is in its place, cannot be read.
fn unwrap_next(
    bytes: &[u8],
    offset: u64,
    depth: usize,
    habits: &mut Habits,
    each: &mut dyn FnMut(Found<'_>),
) -> Option<usize> {
    let mut object = Object::default();
    let reason = match scan::object(bytes, 0, false, habits, &mut object) {
        Ok(()) if object.is_envelope => "an array of records within a record",
        Ok(()) => {
            let json = bytes.get(..object.end).unwrap_or_default();
            unwrap(&object, json, offset, depth, habits, each);
            return Some(object.end);
        }
        Err(_) => "the record in a string is not JSON, or cut off",
    };
    each(Found::Malformed(Malformed { offset, reason }));
    None
}

/// Returns whether an object is one of CloudTrail's events, as far as its members tell.
///
/// Notifications of S3, SQS, DynamoDB, … name a source such as `aws:s3`, which CloudTrail never
/// does.
fn is_event(object: &Object<'_>) -> bool {
    let event = &object.event;
    let foreign = event.event_source().is_some_and(|source| source.bytes().starts_with(b"aws:"));
    object.event_members >= 2 && !foreign
}

/// Returns whether `object` is an event or wraps one.
fn holds_a_record(object: &Object<'_>, habits: &mut Habits) -> bool {
    let mut found = false;
    let mut each = |record: Found<'_>| found |= !matches!(record, Found::Lookalike(_));
    unwrap(object, b"", 0, 0, habits, &mut each);
    found
}

/// Returns whether a string is an event or wraps one.
fn text_holds_a_record(string: &[u8], habits: &mut Habits) -> bool {
    let mut found = false;
    if let Some(text) = scan::text(string) {
        let mut each = |record: Found<'_>| found |= matches!(record, Found::Event { .. });
        unwrap_text(&text, 0, 0, habits, &mut each);
    }
    found
}

#[cfg(test)]
mod tests;
