//! Reads one object in the place of a record: one loop over its members.

use super::super::RawString;
use super::super::field::{Field, Kind, OWN, Value};
use super::block::BLOCK;
use super::cursor::{Cursor, Stride, Walk};
use super::habits::{Habits, Identities, Sighting};
use super::key::WIDTH;
use super::{Fault, Inner, Object};

/// An object that is being read.
struct Reading<'o, 'a> {
    object: &'o mut Object<'a>,
    /// One bit each [`Field`] that has a value.
    present: u32,
}

impl<'a> Reading<'_, 'a> {
    /// Keeps a value: of duplicate members the last one stands (A26).
    #[inline(always)]
    fn set(&mut self, field: Field, kind: Kind, bytes: &'a [u8]) {
        match self.object.event.values.get_mut(field as usize) {
            Some(value) => {
                *value = Value { kind, bytes };
                self.present |= 1u32.wrapping_shl(field as u32);
            }
            None => set_rare(self.object, field, kind, bytes),
        }
    }

    /// Returns how many members are an event's own.
    #[inline(always)]
    const fn event_members(&self) -> usize {
        (self.present & ((1 << OWN) - 1)).count_ones() as usize
    }

    #[inline(always)]
    fn finish(self, end: usize, is_envelope: bool) {
        self.object.event_members = self.event_members();
        self.object.end = end;
        self.object.is_envelope = is_envelope;
    }
}

#[cold]
fn set_rare<'a>(object: &mut Object<'a>, field: Field, kind: Kind, bytes: &'a [u8]) {
    match (field, kind) {
        (Field::Digest, _) => object.is_digest = true,
        (Field::Config, _) => object.is_config = true,
        (Field::ObjectWrapper, Kind::Object) => object.inner = Some(Inner::Object(bytes)),
        (Field::StringWrapper, Kind::Text | Kind::TextWithEscapes) => {
            let text = RawString::new(bytes, kind == Kind::TextWithEscapes).decode();
            if text.trim_start().starts_with('{') {
                object.inner = Some(Inner::Text(text));
            }
        }
        _ => {}
    }
}

/// The bytes that are looked at ahead: a comma, a key, the quote and the first block of a string.
const AHEAD: usize = 1 + WIDTH + BLOCK;

/// Reads the object whose `{` is at `start`.
#[inline(always)]
pub(super) fn object<'a, S: Stride>(
    bytes: &'a [u8],
    start: usize,
    habits: &mut Habits,
    object: &mut Object<'a>,
) -> Result<(), Fault> {
    let mut cursor = Cursor::<S>::new(bytes, start);
    let mut opener = b'{';
    let mut reading = Reading { object, present: 0 };
    loop {
        let ahead: Option<&[u8; AHEAD]> = bytes.get(cursor.at..).and_then(<[u8]>::first_chunk);
        let guessed = ahead
            .filter(|ahead| S::HAS_HABITS && ahead[0] == opener)
            .and_then(|ahead| Some((ahead, habits.order.guess::<S>(ahead[1..].first_chunk()?)?)));
        let field = if let Some((ahead, key)) = guessed {
            let value = key.length() + 1;
            if ahead[value] == b'"'
                && let Some(length) = ahead[value + 1..].first_chunk().and_then(S::short_string)
            {
                let from = value + 1;
                let text = ahead.get(from..from + length).unwrap_or_default();
                reading.set(key.field, Kind::Text, text);
                let length =
                    if key.is_steady { habits.order.expect_length(length) } else { length };
                cursor.at += from + length + 1;
                opener = b',';
                continue;
            }
            cursor.at += value;
            cursor.skip_blanks();
            key.field
        } else {
            let mut walk = if opener == b'{' { cursor.open()? } else { Walk::BehindValue };
            match cursor.key(&mut walk)? {
                Some(key) => habits.order.look_up(&key.bytes()),
                None => {
                    reading.finish(cursor.at, false);
                    return Ok(());
                }
            }
        };
        opener = b',';
        let start = cursor.at;
        let (kind, from, to) = match cursor.peek() {
            Some(b'"') => {
                let has_escapes = cursor.pass_string()?;
                let kind = if has_escapes { Kind::TextWithEscapes } else { Kind::Text };
                (kind, start + 1, cursor.at - 1)
            }
            Some(b'{') if S::HAS_HABITS && field == Field::UserIdentity => {
                reading.object.event.sighting =
                    pass_identity(bytes, &mut cursor, &mut habits.identities)?;
                (Kind::Object, start, cursor.at)
            }
            Some(b'{') => {
                cursor.pass_nested()?;
                (Kind::Object, start, cursor.at)
            }
            // What has an event's members is an event, whatever else it has.
            Some(b'[') if field == Field::Container && reading.event_members() < 2 => {
                reading.finish(start, true);
                return Ok(());
            }
            Some(b'[') => {
                cursor.pass_nested()?;
                (Kind::Other, start, cursor.at)
            }
            _ => {
                cursor.pass_plain()?;
                (Kind::Other, start, cursor.at)
            }
        };
        reading.set(field, kind, bytes.get(from..to).unwrap_or_default());
    }
}

/// Passes over the `userIdentity` at the cursor, which may be one that was seen before.
#[inline(always)]
fn pass_identity<S: Stride>(
    bytes: &[u8],
    cursor: &mut Cursor<'_, S>,
    identities: &mut Identities,
) -> Result<Option<Sighting>, Fault> {
    let start = cursor.at;
    let rest = bytes.get(start..).unwrap_or_default();
    if let Some((length, sighting)) = identities.find(rest) {
        cursor.at += length;
        return Ok(Some(sighting));
    }
    cursor.pass_nested()?;
    Ok(identities.remember(rest, cursor.at - start))
}
