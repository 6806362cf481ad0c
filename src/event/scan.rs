//! One pass over the bytes of a JSON object that reads the members an event needs and passes over
//! all others; knows nothing of files or of what an event means.
//!
//! Values that are passed over are passed over by blocks of 64 bytes, where quotes and brackets have
//! to make sense; where they do not, the object is read again byte by byte, checking that all of it
//! is built as JSON is, so that a fault is found where it is and the search for the next record
//! starts behind it. What cannot lead astray is let pass: strings that are passed over are not
//! decoded, control characters and broken escapes in them are no fault, and a number is any run of
//! the characters of numbers. No input makes it panic or read past its end.

#![expect(clippy::indexing_slicing, reason = "every index stands behind a check of its bound")]

mod block;
mod cursor;
mod habits;
mod identity;
mod key;
mod level;
mod read;

use std::borrow::Cow;

use super::{Event, RawString, UserIdentity};
use cursor::{Bytes, Cursor, Walk};
pub use habits::{Habits, Sighting};

/// How far back the bytes before a place are looked at to tell what it is.
pub(super) const LOOK_BACK: usize = 64;

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
    /// Whether it is an envelope. The members behind its array are unread.
    pub is_envelope: bool,
    /// A record within, should this object itself be none.
    pub inner: Option<Inner<'a>>,
    /// Whether it has members of a digest file.
    pub is_digest: bool,
    /// Whether it has members of an AWS Config item, snapshot or notification.
    pub is_config: bool,
    /// How many members it has that are an event's own.
    pub event_members: usize,
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
pub(super) enum Members {
    /// To the `[` of another array of records, at this offset.
    Container(usize),
    /// Behind the envelope's `}`, at this offset.
    End(usize),
}

/// Reads the object whose `{` is at `start`, most likely one like those before it, into `object`,
/// which is a default one: copied out of here, it would cost as much as three of its members.
///
/// What is cut off is left at that if `more_may_come`: whether there is a fault in it, and where, is
/// told by all of it, wherever the bytes were cut.
///
/// # Errors
///
/// [`Fault`] if the object is cut off or not JSON; what `object` is then is of no use.
#[inline(always)]
pub fn object<'a>(
    bytes: &'a [u8],
    start: usize,
    more_may_come: bool,
    habits: &mut Habits,
    object: &mut Object<'a>,
) -> Result<(), Fault> {
    match level::object(bytes, start, habits, object) {
        Err(Fault::Incomplete) if more_may_come => Err(Fault::Incomplete),
        // A fault is found late by whoever looks at blocks, and found at its place by whoever looks
        // at every byte.
        Err(_) => {
            *object = object_by_bytes(bytes, start)?;
            Ok(())
        }
        read => read,
    }
}

/// The same, byte by byte: the twin of the fast way, and its judge where that finds a fault.
///
/// # Errors
///
/// As for [`object`].
pub fn object_by_bytes(bytes: &[u8], start: usize) -> Result<Object<'_>, Fault> {
    let mut object = Object::default();
    read::object::<Bytes>(bytes, start, &mut Habits::default(), &mut object)?;
    Ok(object)
}

/// Reads the `userIdentity` that `bytes` are.
///
/// # Errors
///
/// [`Fault`] if it is cut off or not JSON.
pub(super) fn user_identity(bytes: &[u8]) -> Result<UserIdentity<'_>, Fault> {
    level::user_identity(bytes).or_else(|_| identity::user_identity::<Bytes>(bytes))
}

fn is_container(cursor: &Cursor<'_, Bytes>, key: &[u8]) -> bool {
    cursor.peek() == Some(b'[') && CONTAINERS.contains(&key)
}

/// Goes on in an envelope behind the value of one of its members, at `at`.
///
/// # Errors
///
/// [`Fault`] if the envelope is cut off or not JSON.
pub(super) fn members(bytes: &[u8], at: usize) -> Result<Members, Fault> {
    let mut cursor = Cursor::<Bytes>::new(bytes, at);
    let mut members = Walk::BehindValue;
    while let Some(key) = cursor.key(&mut members)? {
        if is_container(&cursor, &key.bytes()) {
            return Ok(Members::Container(cursor.at));
        }
        cursor.skip_value()?;
    }
    Ok(Members::End(cursor.at))
}

/// Passes over the value at `at` and returns the offset behind it.
///
/// # Errors
///
/// [`Fault`] if the value is cut off or not JSON. A number at the very end of the bytes counts as
/// complete.
pub(super) fn value(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    let mut cursor = Cursor::<Bytes>::new(bytes, at);
    cursor.skip_blanks();
    cursor.skip_value()?;
    Ok(cursor.at)
}

/// Returns the string member `name` of an object.
pub(super) fn string_member<'a>(object: &'a [u8], name: &str) -> Option<Cow<'a, str>> {
    let mut cursor = Cursor::<Bytes>::new(object, 0);
    let mut found = None;
    let mut members = cursor.open().ok()?;
    while let Some(key) = cursor.key(&mut members).ok()? {
        if *key.bytes() == *name.as_bytes() {
            found = cursor.optional_string().ok()?.map(RawString::decode);
        } else {
            cursor.skip_value().ok()?;
        }
    }
    found
}

/// Returns the text of a value that is a string.
pub(super) fn text(value: &[u8]) -> Option<Cow<'_, str>> {
    let mut cursor = Cursor::<Bytes>::new(value, 0);
    cursor.string().ok().map(RawString::decode)
}

/// Returns whether the object at `start` begins as records and their envelopes do: with a member
/// that is one of theirs.
pub(super) fn starts_like_a_record(bytes: &[u8], start: usize) -> bool {
    let mut cursor = Cursor::<Bytes>::new(bytes, start);
    if cursor.peek() != Some(b'{') {
        return false;
    }
    cursor.at += 1;
    cursor.skip_blanks();
    let Ok(key) = cursor.string() else {
        return false;
    };
    let key = key.plain().unwrap_or_default();
    matches!(
        key,
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
    ) || CONTAINERS.contains(&key)
        || OBJECT_WRAPPERS.contains(&key)
        || STRING_WRAPPERS.contains(&key)
}

/// Returns the offset of the quote before the `{` at `at`, if both begin a string that is an object
/// with members.
pub(super) fn quote_before(bytes: &[u8], at: usize) -> Option<usize> {
    let quote = at.checked_sub(1)?;
    let is_escaped = quote > 0 && bytes[quote - 1] == b'\\';
    let begins = bytes[quote..].starts_with(b"\"{\\");
    (begins && !is_escaped).then_some(quote)
}

/// Returns the offset of the `:` that makes the object, array or string at `at` the value of a
/// member other than the array of an envelope.
pub(super) fn colon_before(bytes: &[u8], at: usize) -> Option<usize> {
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
pub(super) fn behind_fault(bytes: &[u8], start: usize, at: usize) -> usize {
    let string = bytes[start..at].trim_ascii_end().strip_suffix(b"\"");
    let brace = string.and_then(|string| string.trim_ascii_end().strip_suffix(b"{"));
    brace.map(|before| start + before.len()).filter(|brace| *brace > start).unwrap_or(at)
}

#[cfg(test)]
mod tests;
