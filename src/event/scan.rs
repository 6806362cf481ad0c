//! One pass over the bytes of a JSON object that reads the members an event needs and passes over
//! all others; knows nothing of files or of what an event means.
//!
//! Whatever is passed over is still checked to be built as JSON is, so that a fault is found where
//! it is and the search for the next record starts behind it. What cannot lead astray is let pass:
//! strings that are passed over are not decoded, control characters and broken escapes in them are
//! no fault, and a number is any run of the characters of numbers. No input makes it panic or read
//! past its end.

#![expect(clippy::indexing_slicing, reason = "every index stands behind a check of its bound")]

use std::borrow::Cow;

use super::{Event, RawObject, SessionIssuer, UserIdentity};

/// How far back the bytes before a place are looked at to tell what it is.
pub const LOOK_BACK: usize = 64;

/// Objects and arrays nested deeper than this are no record of AWS's.
const DEEPEST: usize = 512;

/// Members of an envelope whose array holds records.
const CONTAINERS: [&[u8]; 5] =
    [b"Records", b"Events", b"logEvents", b"events", b"configurationItems"];

/// Members of an envelope whose object is the record, or leads to it.
const OBJECT_WRAPPERS: [&[u8]; 4] = [b"detail", b"aws", b"cloudtrail", b"jsonPayload"];

/// Members of an envelope whose string is the record.
const STRING_WRAPPERS: [&[u8]; 3] = [b"CloudTrailEvent", b"message", b"_raw"];

/// An object in the place of a record.
#[derive(Debug, Default)]
pub struct Object<'a> {
    /// Its members as an event's.
    pub event: Event<'a>,
    /// The offset behind its `}`; in an envelope, of the `[` of its array of records.
    pub end: usize,
    /// Whether it is an envelope. The members behind its array are unread; [`members`] goes on.
    pub is_envelope: bool,
    /// A record within, should this object itself be none.
    pub inner: Option<Inner<'a>>,
    /// Whether it has members of a digest file.
    pub is_digest: bool,
    /// Whether it has members of an AWS Config item, snapshot or notification.
    pub is_config: bool,
    /// How many members it has that are an event's own.
    pub event_members: u32,
    /// `@timestamp`, which stands in for an absent `eventTime`.
    timestamp: Option<Cow<'a, str>>,
}

/// A record within an object.
#[derive(Debug, Clone)]
pub enum Inner<'a> {
    /// The bytes of an object, its braces included.
    Object(&'a [u8]),
    /// A string that begins as an object does.
    Text(Cow<'a, str>),
}

/// Why an object could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The bytes end before it does.
    Incomplete,
    /// It is not JSON.
    Syntax {
        /// The offset at which it stops being JSON.
        at: usize,
        /// What is wrong there.
        reason: &'static str,
    },
}

/// Where the members of an envelope lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Members {
    /// To the `[` of another array of records, at this offset.
    Container(usize),
    /// Behind the envelope's `}`, at this offset.
    End(usize),
}

/// Reads the object whose `{` is at `start`.
///
/// # Errors
///
/// [`Fault`] if the object is cut off or not JSON.
pub fn object(bytes: &[u8], start: usize) -> Result<Object<'_>, Fault> {
    let mut cursor = Cursor { bytes, at: start };
    let mut object = Object::default();
    cursor.walk_object(|cursor, key| {
        // What has an event's members is an event, whatever else it has.
        if object.event_members < 2 && is_container(cursor, key) {
            object.is_envelope = true;
            return Ok(Step::Stop);
        }
        object_member(cursor, key, &mut object)?;
        Ok(Step::Next)
    })?;
    if object.event.event_time.as_deref().is_none_or(str::is_empty) {
        object.event.event_time = object.timestamp.take().or(object.event.event_time.take());
    }
    object.end = cursor.at;
    Ok(object)
}

fn is_container(cursor: &Cursor<'_>, key: &[u8]) -> bool {
    CONTAINERS.contains(&key) && cursor.peek() == Some(b'[')
}

/// Goes on in an envelope behind the value of one of its members, at `at`.
///
/// # Errors
///
/// [`Fault`] if the envelope is cut off or not JSON.
pub fn members(bytes: &[u8], at: usize) -> Result<Members, Fault> {
    let mut cursor = Cursor { bytes, at };
    let mut in_container = false;
    cursor.walk_members(false, |cursor, key| {
        in_container = is_container(cursor, key);
        if in_container {
            return Ok(Step::Stop);
        }
        cursor.skip_value()?;
        Ok(Step::Next)
    })?;
    Ok(if in_container { Members::Container(cursor.at) } else { Members::End(cursor.at) })
}

/// Passes over the value at `at` and returns the offset behind it.
///
/// # Errors
///
/// [`Fault`] if the value is cut off or not JSON. A number at the very end of the bytes counts as
/// complete.
pub fn value(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    let mut cursor = Cursor { bytes, at };
    cursor.skip_value()?;
    Ok(cursor.at)
}

/// Returns the string member `name` of an object.
pub(super) fn string_member<'a>(object: &'a [u8], name: &str) -> Option<Cow<'a, str>> {
    let mut cursor = Cursor { bytes: object, at: 0 };
    let mut found = None;
    let walked = cursor.walk_object(|cursor, key| {
        if key == name.as_bytes() {
            found = cursor.optional_string()?;
        } else {
            cursor.skip_value()?;
        }
        Ok(Step::Next)
    });
    walked.ok().and(found)
}

/// Returns the text of a value that is a string.
pub fn text(value: &[u8]) -> Option<Cow<'_, str>> {
    let mut cursor = Cursor { bytes: value, at: 0 };
    cursor.string().ok().map(RawString::decode)
}

/// Returns whether the object at `start` begins as records and their envelopes do: with a member
/// that is one of theirs.
pub fn starts_like_a_record(bytes: &[u8], start: usize) -> bool {
    let mut cursor = Cursor { bytes, at: start };
    if cursor.peek() != Some(b'{') {
        return false;
    }
    cursor.at += 1;
    cursor.skip_blanks();
    let Ok(key) = cursor.string() else {
        return false;
    };
    matches!(
        key.bytes,
        b"eventVersion"
            | b"userIdentity"
            | b"eventTime"
            | b"eventSource"
            | b"eventName"
            | b"awsRegion"
            | b"eventID"
            | b"eventType"
            | b"eventCategory"
            | b"additionalEventData"
            | b"apiVersion"
            | b"errorCode"
            | b"@timestamp"
            | b"version"
            | b"EventId"
    ) || CONTAINERS.contains(&key.bytes)
        || OBJECT_WRAPPERS.contains(&key.bytes)
        || STRING_WRAPPERS.contains(&key.bytes)
}

/// Returns the offset of the quote before the `{` at `at`, if both begin a string that is an object
/// with members.
pub fn quote_before(bytes: &[u8], at: usize) -> Option<usize> {
    let quote = at.checked_sub(1)?;
    let is_escaped = quote > 0 && bytes[quote - 1] == b'\\';
    let begins = bytes[quote..].starts_with(b"\"{\\");
    (begins && !is_escaped).then_some(quote)
}

/// Returns the offset of the `:` that makes the object, array or string at `at` the value of a
/// member other than the array of an envelope.
pub fn colon_before(bytes: &[u8], at: usize) -> Option<usize> {
    let from = at.saturating_sub(LOOK_BACK);
    let before = bytes[from..at].trim_ascii_end().strip_suffix(b":")?;
    let key = before.trim_ascii_end().strip_suffix(b"\"")?;
    let start = memchr::memrchr(b'"', key).map_or(0, |quote| quote + 1);
    let is_container = bytes.get(at) == Some(&b'[') && CONTAINERS.contains(&&key[start..]);
    (!is_container).then_some(from + before.len())
}

/// Returns where the next record may begin after a fault at `at` of the object at `start`.
///
/// That is `at`, unless a closing quote is missing: the string before the fault then ended at the
/// first quote of the next record, and has its brace inside.
pub fn behind_fault(bytes: &[u8], start: usize, at: usize) -> usize {
    let string = bytes[start..at].trim_ascii_end().strip_suffix(b"\"");
    let brace = string.and_then(|string| string.trim_ascii_end().strip_suffix(b"{"));
    brace.map(|before| start + before.len()).filter(|brace| *brace > start).unwrap_or(at)
}

/// Reads one member of an object in the place of a record; the cursor is at its value.
fn object_member<'a>(
    cursor: &mut Cursor<'a>,
    key: &[u8],
    object: &mut Object<'a>,
) -> Result<(), Fault> {
    let event = &mut object.event;
    let field = match key {
        b"eventTime" => &mut event.event_time,
        b"eventSource" => &mut event.event_source,
        b"eventName" => &mut event.event_name,
        b"awsRegion" => &mut event.aws_region,
        b"eventID" => &mut event.event_id,
        b"eventType" => &mut event.event_type,
        b"eventCategory" => &mut event.event_category,
        b"errorCode" => &mut event.error_code,
        b"errorMessage" => &mut event.error_message,
        _ => return other_member(cursor, key, object),
    };
    *field = cursor.optional_string()?;
    object.event_members += 1;
    Ok(())
}

/// Reads a member whose value is not simply a string of the event.
fn other_member<'a>(
    cursor: &mut Cursor<'a>,
    key: &[u8],
    object: &mut Object<'a>,
) -> Result<(), Fault> {
    match key {
        b"userIdentity" => {
            object.event.user_identity = cursor.user_identity()?;
            object.event_members += 1;
        }
        b"eventVersion" | b"recipientAccountId" | b"sourceIPAddress" | b"userAgent" => {
            object.event_members += 1;
            cursor.skip_value()?;
        }
        b"requestParameters" => object.event.request_parameters = cursor.raw_object()?,
        b"responseElements" => object.event.response_elements = cursor.raw_object()?,
        b"managementEvent" => object.event.management_event = cursor.boolean()?,
        b"insightDetails" => {
            // Exports of whole tables give every event a `null` here.
            object.event.has_insight_details = cursor.raw_object()?.is_some();
        }
        b"@timestamp" => object.timestamp = cursor.optional_string()?,
        b"digestStartTime" | b"digestS3Object" | b"previousDigestHashValue" => {
            object.is_digest = true;
            cursor.skip_value()?;
        }
        b"configurationItemStatus"
        | b"configurationItemVersion"
        | b"configSnapshotId"
        | b"configRuleArn" => {
            object.is_config = true;
            cursor.skip_value()?;
        }
        wrapper if OBJECT_WRAPPERS.contains(&wrapper) => {
            object.inner =
                cursor.raw_object()?.map(|raw| Inner::Object(raw.0)).or(object.inner.take());
        }
        wrapper if STRING_WRAPPERS.contains(&wrapper) => {
            let text = cursor.optional_string()?.filter(|text| text.trim_start().starts_with('{'));
            object.inner = text.map(Inner::Text).or(object.inner.take());
        }
        _ => cursor.skip_value()?,
    }
    Ok(())
}

/// Whether a walk over members goes on.
enum Step {
    Next,
    Stop,
}

/// The bytes between the quotes of a string.
#[derive(Clone, Copy)]
struct RawString<'a> {
    bytes: &'a [u8],
    escaped: bool,
}

impl<'a> RawString<'a> {
    fn decode(self) -> Cow<'a, str> {
        if self.escaped {
            return Cow::Owned(unescape(self.bytes));
        }
        String::from_utf8_lossy(self.bytes)
    }
}

/// Undoes the escapes of a string. What is no escape stays as it is; half a surrogate pair becomes
/// U+FFFD.
fn unescape(bytes: &[u8]) -> String {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        decoded.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        let Some((&kind, behind)) = rest.split_first() else { break };
        rest = behind;
        let plain = match kind {
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'b' => 0x08,
            b'f' => 0x0c,
            b'u' => {
                let (character, behind) = unicode_escape(rest);
                rest = behind;
                decoded.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                continue;
            }
            other => other,
        };
        decoded.push(plain);
    }
    decoded.extend_from_slice(rest);
    String::from_utf8(decoded)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Reads what stands behind `\u`, and the second half of a surrogate pair.
fn unicode_escape(bytes: &[u8]) -> (char, &[u8]) {
    let Some(first) = hex4(bytes) else {
        return (char::REPLACEMENT_CHARACTER, bytes);
    };
    let rest = &bytes[4..];
    if let Some(character) = char::from_u32(first) {
        return (character, rest);
    }
    let second = rest.strip_prefix(b"\\u").and_then(hex4);
    match second {
        Some(second) if first < 0xdc00 && (0xdc00..0xe000).contains(&second) => {
            let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), &rest[6..])
        }
        _ => (char::REPLACEMENT_CHARACTER, rest),
    }
}

fn hex4(bytes: &[u8]) -> Option<u32> {
    bytes
        .get(..4)?
        .iter()
        .try_fold(0, |value, &byte| char::from(byte).to_digit(16).map(|digit| value << 4 | digit))
}

/// A place in the bytes.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    const fn syntax(&self, reason: &'static str) -> Fault {
        Fault::Syntax { at: self.at, reason }
    }

    /// Takes `byte`, blanks before it and blanks behind it.
    fn expect(&mut self, byte: u8, reason: &'static str) -> Result<(), Fault> {
        self.skip_blanks();
        match self.peek() {
            Some(found) if found == byte => {
                self.at += 1;
                self.skip_blanks();
                Ok(())
            }
            Some(_) => Err(self.syntax(reason)),
            None => Err(Fault::Incomplete),
        }
    }

    /// Calls `member` at each value of the object at the cursor and ends behind its `}`, or where
    /// `member` stops.
    fn walk_object(
        &mut self,
        member: impl FnMut(&mut Self, &[u8]) -> Result<Step, Fault>,
    ) -> Result<(), Fault> {
        self.expect(b'{', "expected an object")?;
        self.walk_members(true, member)
    }

    /// The same from within the object: before its first key, or behind one of its values.
    fn walk_members(
        &mut self,
        first: bool,
        mut member: impl FnMut(&mut Self, &[u8]) -> Result<Step, Fault>,
    ) -> Result<(), Fault> {
        let mut first = first;
        loop {
            self.skip_blanks();
            match self.peek() {
                Some(b'}') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b',') if !first => {
                    self.at += 1;
                    self.skip_blanks();
                }
                Some(_) if first => {}
                Some(_) => return Err(self.syntax("expected `,` or `}`")),
                None => return Err(Fault::Incomplete),
            }
            first = false;
            let key = self.string()?;
            self.expect(b':', "expected `:`")?;
            let step = if key.escaped {
                member(self, unescape(key.bytes).as_bytes())?
            } else {
                member(self, key.bytes)?
            };
            if let Step::Stop = step {
                return Ok(());
            }
        }
    }

    /// Reads the string at the cursor.
    fn string(&mut self) -> Result<RawString<'a>, Fault> {
        match self.peek() {
            Some(b'"') => {}
            Some(_) => return Err(self.syntax("expected a string")),
            None => return Err(Fault::Incomplete),
        }
        let start = self.at + 1;
        let mut from = start;
        let mut escaped = false;
        loop {
            let rest = self.bytes.get(from..).ok_or(Fault::Incomplete)?;
            let stop = memchr::memchr2(b'"', b'\\', rest).ok_or(Fault::Incomplete)?;
            if rest[stop] == b'"' {
                self.at = from + stop + 1;
                return Ok(RawString { bytes: &self.bytes[start..from + stop], escaped });
            }
            escaped = true;
            from += stop + 2;
        }
    }

    /// Reads a string, or passes over a value that is none.
    fn optional_string(&mut self) -> Result<Option<Cow<'a, str>>, Fault> {
        if self.peek() == Some(b'"') {
            return Ok(Some(self.string()?.decode()));
        }
        self.skip_value()?;
        Ok(None)
    }

    /// Passes over a value and returns it if it is an object.
    fn raw_object(&mut self) -> Result<Option<RawObject<'a>>, Fault> {
        let start = self.at;
        let is_object = self.peek() == Some(b'{');
        self.skip_value()?;
        Ok(is_object.then(|| RawObject(&self.bytes[start..self.at])))
    }

    /// Reads `true`, `false`, and either as a string, and passes over any other value.
    fn boolean(&mut self) -> Result<Option<bool>, Fault> {
        let start = self.at;
        let text = self.optional_string()?;
        Ok(match text.as_deref().map_or(&self.bytes[start..self.at], str::as_bytes) {
            b"true" => Some(true),
            b"false" => Some(false),
            _ => None,
        })
    }

    fn user_identity(&mut self) -> Result<Option<UserIdentity<'a>>, Fault> {
        if self.peek() != Some(b'{') {
            self.skip_value()?;
            return Ok(None);
        }
        let mut identity = UserIdentity::default();
        self.walk_object(|cursor, key| {
            let field = match key {
                b"type" => &mut identity.identity_type,
                b"principalId" => &mut identity.principal_id,
                b"arn" => &mut identity.arn,
                b"accountId" => &mut identity.account_id,
                b"accessKeyId" => &mut identity.access_key_id,
                b"invokedBy" => &mut identity.invoked_by,
                b"sessionContext" => {
                    identity.has_session_context = cursor.peek() == Some(b'{');
                    identity.session_issuer = cursor.session_issuer()?;
                    return Ok(Step::Next);
                }
                _ => {
                    cursor.skip_value()?;
                    return Ok(Step::Next);
                }
            };
            *field = cursor.optional_string()?;
            Ok(Step::Next)
        })?;
        Ok(Some(identity))
    }

    /// Reads `sessionIssuer` out of a `sessionContext`.
    fn session_issuer(&mut self) -> Result<Option<SessionIssuer<'a>>, Fault> {
        if self.peek() != Some(b'{') {
            self.skip_value()?;
            return Ok(None);
        }
        let mut issuer = None;
        self.walk_object(|cursor, key| {
            if key != b"sessionIssuer" || cursor.peek() != Some(b'{') {
                if key == b"sessionIssuer" {
                    issuer = None;
                }
                cursor.skip_value()?;
                return Ok(Step::Next);
            }
            let mut read = SessionIssuer::default();
            cursor.walk_object(|cursor, key| {
                let field = match key {
                    b"type" => &mut read.issuer_type,
                    b"principalId" => &mut read.principal_id,
                    b"arn" => &mut read.arn,
                    b"accountId" => &mut read.account_id,
                    _ => {
                        cursor.skip_value()?;
                        return Ok(Step::Next);
                    }
                };
                *field = cursor.optional_string()?;
                Ok(Step::Next)
            })?;
            issuer = Some(read);
            Ok(Step::Next)
        })?;
        Ok(issuer)
    }

    /// Passes over the value at the cursor.
    fn skip_value(&mut self) -> Result<(), Fault> {
        let mut nesting = Nesting::default();
        loop {
            self.skip_blanks();
            match self.peek().ok_or(Fault::Incomplete)? {
                b'{' => {
                    self.at += 1;
                    self.skip_blanks();
                    if self.peek() == Some(b'}') {
                        self.at += 1;
                    } else {
                        nesting.push(true).ok_or(self.syntax("nested deeper than 512 levels"))?;
                        self.string()?;
                        self.expect(b':', "expected `:`")?;
                        continue;
                    }
                }
                b'[' => {
                    self.at += 1;
                    self.skip_blanks();
                    if self.peek() == Some(b']') {
                        self.at += 1;
                    } else {
                        nesting.push(false).ok_or(self.syntax("nested deeper than 512 levels"))?;
                        continue;
                    }
                }
                b'"' => {
                    self.string()?;
                }
                b't' => self.literal(b"true")?,
                b'f' => self.literal(b"false")?,
                b'n' => self.literal(b"null")?,
                b'-' | b'0'..=b'9' => self.number()?,
                _ => return Err(self.syntax("expected a value")),
            }
            if !self.close(&mut nesting)? {
                return Ok(());
            }
        }
    }

    /// Behind a value: closes what it ends and goes to the next one. Returns whether there is one.
    fn close(&mut self, nesting: &mut Nesting) -> Result<bool, Fault> {
        while let Some(in_object) = nesting.top() {
            self.skip_blanks();
            match (self.peek().ok_or(Fault::Incomplete)?, in_object) {
                (b',', true) => {
                    self.at += 1;
                    self.skip_blanks();
                    self.string()?;
                    self.expect(b':', "expected `:`")?;
                    return Ok(true);
                }
                (b',', false) => {
                    self.at += 1;
                    return Ok(true);
                }
                (b'}', true) | (b']', false) => {
                    self.at += 1;
                    nesting.pop();
                }
                (_, true) => return Err(self.syntax("expected `,` or `}`")),
                (_, false) => return Err(self.syntax("expected `,` or `]`")),
            }
        }
        Ok(false)
    }

    fn literal(&mut self, literal: &'static [u8]) -> Result<(), Fault> {
        let rest = &self.bytes[self.at..];
        if rest.starts_with(literal) {
            self.at += literal.len();
            return Ok(());
        }
        Err(if literal.starts_with(rest) {
            Fault::Incomplete
        } else {
            self.syntax("expected a value")
        })
    }

    fn number(&mut self) -> Result<(), Fault> {
        let rest = &self.bytes[self.at..];
        let length = rest
            .iter()
            .take_while(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
            .count();
        let digits = rest[..length].iter().any(u8::is_ascii_digit);
        if !digits {
            return Err(if length == rest.len() {
                Fault::Incomplete
            } else {
                self.syntax("expected a number")
            });
        }
        self.at += length;
        Ok(())
    }
}

/// Which of the open brackets are braces.
#[derive(Default)]
struct Nesting {
    braces: [u64; DEEPEST / 64],
    depth: usize,
}

impl Nesting {
    fn push(&mut self, brace: bool) -> Option<()> {
        let word = self.braces.get_mut(self.depth / 64)?;
        let bit = 1 << (self.depth % 64);
        *word = if brace { *word | bit } else { *word & !bit };
        self.depth += 1;
        Some(())
    }

    const fn pop(&mut self) {
        self.depth -= 1;
    }

    fn top(&self) -> Option<bool> {
        let top = self.depth.checked_sub(1)?;
        Some(self.braces[top / 64] >> (top % 64) & 1 == 1)
    }
}

#[cfg(test)]
mod tests;
