//! Reads one object in the place of a record: one loop over its members.

use super::super::{Event, RawIdentity, RawObject, RawString};
use super::block::BLOCK;
use super::cursor::{Cursor, Stride, Walk};
use super::habits::{Habits, Identities, Sighting};
use super::key::{Field, KEPT, OWN, WIDTH};
use super::{Fault, Inner, Object};

/// What the value of a member is.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Absent,
    Text,
    TextWithEscapes,
    Object,
    /// An array, a number, `true`, `false`, `null`.
    Other,
}

/// The value of a member: where it stands, a string without its quotes.
#[derive(Clone, Copy, Default)]
struct Value {
    kind: Kind,
    from: usize,
    to: usize,
}

/// The values of an object's members.
struct Values<'a> {
    bytes: &'a [u8],
    kept: [Value; KEPT],
    is_digest: bool,
    is_config: bool,
    /// Of the last `userIdentity` that is an object.
    sighting: Option<Sighting>,
    inner: Option<Inner<'a>>,
}

impl<'a> Values<'a> {
    #[inline(always)]
    fn of(&self, field: Field) -> (Kind, &'a [u8]) {
        let value = self.kept.get(field as usize).copied().unwrap_or_default();
        (value.kind, self.bytes.get(value.from..value.to).unwrap_or_default())
    }

    #[inline(always)]
    fn text(&self, field: Field) -> Option<RawString<'a>> {
        match self.of(field) {
            (Kind::Text, bytes) => Some(RawString::new(bytes, false)),
            (Kind::TextWithEscapes, bytes) => Some(RawString::new(bytes, true)),
            (Kind::Absent | Kind::Object | Kind::Other, _) => None,
        }
    }

    #[inline(always)]
    fn object(&self, field: Field) -> Option<RawObject<'a>> {
        match self.of(field) {
            (Kind::Object, bytes) => Some(RawObject(bytes)),
            _ => None,
        }
    }

    #[inline(always)]
    fn user_identity(&self) -> Option<RawIdentity<'a>> {
        let RawObject(bytes) = self.object(Field::UserIdentity)?;
        Some(RawIdentity { bytes, sighting: self.sighting })
    }

    #[inline(always)]
    fn boolean(&self, field: Field) -> Option<bool> {
        match self.of(field) {
            (Kind::Other | Kind::Text, b"true") => Some(true),
            (Kind::Other | Kind::Text, b"false") => Some(false),
            (Kind::TextWithEscapes, _) => self.text(field)?.decode().parse().ok(),
            _ => None,
        }
    }

    /// Keeps a value: of duplicate members the last one stands (A26).
    #[inline(always)]
    fn set(&mut self, field: Field, kind: Kind, from: usize, to: usize) {
        match self.kept.get_mut(field as usize) {
            Some(kept) => {
                kept.kind = kind;
                kept.from = from;
                kept.to = to;
            }
            None => self.set_rare(field, kind, from, to),
        }
    }

    #[cold]
    fn set_rare(&mut self, field: Field, kind: Kind, from: usize, to: usize) {
        let bytes = self.bytes.get(from..to).unwrap_or_default();
        match (field, kind) {
            (Field::Digest, _) => self.is_digest = true,
            (Field::Config, _) => self.is_config = true,
            (Field::ObjectWrapper, Kind::Object) => self.inner = Some(Inner::Object(bytes)),
            (Field::StringWrapper, Kind::Text | Kind::TextWithEscapes) => {
                let text = RawString::new(bytes, kind == Kind::TextWithEscapes).decode();
                if text.trim_start().starts_with('{') {
                    self.inner = Some(Inner::Text(text));
                }
            }
            _ => {}
        }
    }

    /// Returns how many members are an event's own.
    #[inline(always)]
    fn event_members(&self) -> usize {
        let own = self.kept.iter().take(OWN);
        own.map(|value| usize::from(value.kind != Kind::Absent)).sum()
    }

    #[inline(always)]
    fn finish(self, end: usize, is_envelope: bool) -> Object<'a> {
        let event_time = self.text(Field::EventTime);
        let event_time = if event_time.is_none_or(RawString::is_empty) {
            self.text(Field::Timestamp).or(event_time)
        } else {
            event_time
        };
        let event = Event {
            event_time,
            event_source: self.text(Field::EventSource),
            event_name: self.text(Field::EventName),
            aws_region: self.text(Field::AwsRegion),
            event_id: self.text(Field::EventId),
            event_type: self.text(Field::EventType),
            event_category: self.text(Field::EventCategory),
            management_event: self.boolean(Field::ManagementEvent),
            error_code: self.text(Field::ErrorCode),
            error_message: self.text(Field::ErrorMessage),
            user_identity: self.user_identity(),
            has_insight_details: self.object(Field::InsightDetails).is_some(),
            request_parameters: self.object(Field::RequestParameters),
            response_elements: self.object(Field::ResponseElements),
        };
        Object {
            event,
            end,
            event_members: self.event_members(),
            is_digest: self.is_digest,
            is_config: self.is_config,
            is_envelope,
            inner: self.inner,
        }
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
) -> Result<Object<'a>, Fault> {
    let mut cursor = Cursor::<S>::new(bytes, start);
    let mut opener = b'{';
    let mut values = Values {
        bytes,
        kept: [Value::default(); KEPT],
        is_digest: false,
        is_config: false,
        sighting: None,
        inner: None,
    };
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
                let from = cursor.at + value + 1;
                let length =
                    if key.is_steady { habits.order.expect_length(length) } else { length };
                values.set(key.field, Kind::Text, from, from + length);
                cursor.at = from + length + 1;
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
                None => return Ok(values.finish(cursor.at, false)),
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
                values.sighting = pass_identity(bytes, &mut cursor, &mut habits.identities)?;
                (Kind::Object, start, cursor.at)
            }
            Some(b'{') => {
                cursor.pass_nested()?;
                (Kind::Object, start, cursor.at)
            }
            // What has an event's members is an event, whatever else it has.
            Some(b'[') if field == Field::Container && values.event_members() < 2 => {
                return Ok(values.finish(start, true));
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
        values.set(field, kind, from, to);
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
