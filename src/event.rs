//! The dozen fields of a CloudTrail record that decide anything; knows not what they mean.

pub mod envelope;
mod field;
pub mod scan;
mod text;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use field::{Field, KEPT, Value};
pub use text::RawString;

/// The fields of one CloudTrail record, as they stand in its bytes.
///
/// An absent member, an explicit `null` and a value of another type are all `None`; of duplicate
/// members the last one stands (A26).
#[derive(Clone, Copy, Default)]
pub struct Event<'a> {
    /// By [`Field`].
    values: [Value<'a>; KEPT],
    /// Of the `userIdentity`, if it is an object.
    sighting: Option<scan::Sighting>,
}

impl<'a> Event<'a> {
    /// Returns `eventTime`, else `@timestamp`, as logged.
    #[inline]
    pub fn event_time(&self) -> Option<RawString<'a>> {
        let time = self.text(Field::EventTime);
        if time.is_none_or(RawString::is_empty) {
            return self.text(Field::Timestamp).or(time);
        }
        time
    }

    /// Returns `eventSource`, such as `s3.amazonaws.com`.
    #[inline]
    pub fn event_source(&self) -> Option<RawString<'a>> {
        self.text(Field::EventSource)
    }

    /// Returns `eventName`.
    #[inline]
    pub fn event_name(&self) -> Option<RawString<'a>> {
        self.text(Field::EventName)
    }

    /// Returns `awsRegion`.
    #[inline]
    pub fn aws_region(&self) -> Option<RawString<'a>> {
        self.text(Field::AwsRegion)
    }

    /// Returns `eventID`.
    #[inline]
    pub fn event_id(&self) -> Option<RawString<'a>> {
        self.text(Field::EventId)
    }

    /// Returns `eventType`; absent in old records (A24).
    #[inline]
    pub fn event_type(&self) -> Option<RawString<'a>> {
        self.text(Field::EventType)
    }

    /// Returns `eventCategory`: `Management`, `Data`, `NetworkActivity`, `Insight`, …
    #[inline]
    pub fn event_category(&self) -> Option<RawString<'a>> {
        self.text(Field::EventCategory)
    }

    /// Returns `managementEvent`, be it a boolean or a string.
    #[inline]
    pub fn management_event(&self) -> Option<bool> {
        self.value(Field::ManagementEvent).boolean()
    }

    /// Returns `errorCode`.
    #[inline]
    pub fn error_code(&self) -> Option<RawString<'a>> {
        self.text(Field::ErrorCode)
    }

    /// Returns `errorMessage`.
    #[inline]
    pub fn error_message(&self) -> Option<RawString<'a>> {
        self.text(Field::ErrorMessage)
    }

    /// Returns `userIdentity`, unread.
    #[inline]
    pub fn user_identity(&self) -> Option<RawIdentity<'a>> {
        let bytes = self.value(Field::UserIdentity).object()?;
        Some(RawIdentity { bytes, sighting: self.sighting })
    }

    /// Returns whether the record has `insightDetails`.
    #[inline]
    pub fn has_insight_details(&self) -> bool {
        self.value(Field::InsightDetails).object().is_some()
    }

    /// Returns `requestParameters`, unread.
    #[inline]
    pub fn request_parameters(&self) -> Option<RawObject<'a>> {
        self.value(Field::RequestParameters).object().map(RawObject)
    }

    /// Returns `responseElements`, unread.
    #[inline]
    pub fn response_elements(&self) -> Option<RawObject<'a>> {
        self.value(Field::ResponseElements).object().map(RawObject)
    }

    #[inline(always)]
    fn value(&self, field: Field) -> Value<'a> {
        self.values.get(field as usize).copied().unwrap_or_default()
    }

    #[inline(always)]
    fn text(&self, field: Field) -> Option<RawString<'a>> {
        self.value(field).text()
    }
}

/// Compares what they say, not where their `userIdentity` was seen before.
impl PartialEq for Event<'_> {
    fn eq(&self, other: &Self) -> bool {
        let texts = |event: &Self| {
            [
                event.event_time(),
                event.event_source(),
                event.event_name(),
                event.aws_region(),
                event.event_id(),
                event.event_type(),
                event.event_category(),
                event.error_code(),
                event.error_message(),
            ]
        };
        let others = |event: &Self| {
            (
                event.management_event(),
                event.user_identity(),
                event.has_insight_details(),
                event.request_parameters(),
                event.response_elements(),
            )
        };
        texts(self) == texts(other) && others(self) == others(other)
    }
}

/// Prints all that it says, and nothing of where its `userIdentity` was seen before.
impl fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("event_time", &self.event_time())
            .field("event_source", &self.event_source())
            .field("event_name", &self.event_name())
            .field("aws_region", &self.aws_region())
            .field("event_id", &self.event_id())
            .field("event_type", &self.event_type())
            .field("event_category", &self.event_category())
            .field("management_event", &self.management_event())
            .field("error_code", &self.error_code())
            .field("error_message", &self.error_message())
            .field("user_identity", &self.user_identity().map(RawIdentity::read))
            .field("has_insight_details", &self.has_insight_details())
            .field("request_parameters", &self.request_parameters())
            .field("response_elements", &self.response_elements())
            .finish()
    }
}

/// `userIdentity`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserIdentity<'a> {
    /// `type`.
    pub identity_type: Option<Cow<'a, str>>,
    /// `principalId`.
    pub principal_id: Option<Cow<'a, str>>,
    /// `arn`.
    pub arn: Option<Cow<'a, str>>,
    /// `accountId`.
    pub account_id: Option<Cow<'a, str>>,
    /// `accessKeyId`.
    pub access_key_id: Option<Cow<'a, str>>,
    /// `invokedBy`.
    pub invoked_by: Option<Cow<'a, str>>,
    /// Whether there is a `sessionContext` object.
    pub has_session_context: bool,
    /// `sessionContext.sessionIssuer`; an empty object is an issuer without members.
    pub session_issuer: Option<SessionIssuer<'a>>,
}

/// The bytes of a `userIdentity`.
#[derive(Clone, Copy, Debug)]
pub struct RawIdentity<'a> {
    bytes: &'a [u8],
    /// Where the same bytes were seen before, if that is known.
    pub sighting: Option<scan::Sighting>,
}

impl<'a> RawIdentity<'a> {
    /// Reads its members.
    ///
    /// # Errors
    ///
    /// [`Fault`](scan::Fault) if it is not JSON.
    pub fn read(self) -> Result<UserIdentity<'a>, scan::Fault> {
        scan::user_identity(self.bytes)
    }
}

/// Compares bytes, not what is known of them.
impl PartialEq for RawIdentity<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for RawIdentity<'_> {}

/// `userIdentity.sessionContext.sessionIssuer`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionIssuer<'a> {
    /// `type`: `Role`, `IAMUser`, `Root`.
    pub issuer_type: Option<Cow<'a, str>>,
    /// `principalId`: the unique id, `AROA…` or `AIDA…`.
    pub principal_id: Option<Cow<'a, str>>,
    /// `arn`.
    pub arn: Option<Cow<'a, str>>,
    /// `accountId`.
    pub account_id: Option<Cow<'a, str>>,
}

/// The bytes of an object that was passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawObject<'a>(&'a [u8]);

impl<'a> RawObject<'a> {
    /// Returns the string member `name`, if the object has one.
    pub fn string(self, name: &str) -> Option<Cow<'a, str>> {
        scan::string_member(self.0, name)
    }
}

/// A JSON value in the place of a record that is none of CloudTrail's events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookalike {
    /// A CloudTrail digest file.
    Digest,
    /// An AWS Config item, snapshot or notification.
    Config,
    /// Anything else.
    Other,
}

/// An `eventID`: 128 bits where it is a UUID as CloudTrail writes them, else the text itself.
///
/// Ids are ordered as their texts are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventId<'a> {
    /// A lower-case UUID with its four hyphens.
    Uuid(u128),
    /// Anything else.
    Text(&'a str),
}

impl<'a> EventId<'a> {
    /// Reads an `eventID`.
    pub fn parse(text: &'a str) -> Self {
        Self::uuid(text.as_bytes()).unwrap_or(Self::Text(text))
    }

    /// Reads an `eventID` that is a UUID.
    pub fn uuid(text: &[u8]) -> Option<Self> {
        parse_uuid(text).map(Self::Uuid)
    }
}

impl Ord for EventId<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            // Digits stand before letters in ASCII, as they do in value.
            (Self::Uuid(bits), Self::Uuid(others)) => bits.cmp(others),
            (Self::Text(text), Self::Text(others)) => text.cmp(others),
            (Self::Uuid(_), Self::Text(text)) => self.to_string().as_str().cmp(text),
            (Self::Text(text), Self::Uuid(_)) => (*text).cmp(other.to_string().as_str()),
        }
    }
}

impl PartialOrd for EventId<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Prints the id as it was logged.
impl fmt::Display for EventId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Text(text) => f.write_str(text),
            Self::Uuid(bits) => write!(
                f,
                "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
                bits >> 96,
                (bits >> 80) & 0xffff,
                (bits >> 64) & 0xffff,
                (bits >> 48) & 0xffff,
                bits & 0xffff_ffff_ffff
            ),
        }
    }
}

/// Returns the bits of a UUID of exactly the form that [`EventId`]'s `Display` prints.
fn parse_uuid(text: &[u8]) -> Option<u128> {
    let text: &[u8; 36] = text.try_into().ok()?;
    let [
        ..,
        b'-',
        _,
        _,
        _,
        _,
        b'-',
        _,
        _,
        _,
        _,
        b'-',
        _,
        _,
        _,
        _,
        b'-',
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
    ] = text
    else {
        return None;
    };
    // One look at the validity of all digits instead of one a digit, and two halves that the CPU
    // can work on at once.
    let mut wrong = 0;
    let mut half = |groups: &[&[u8]]| {
        groups.iter().copied().flatten().fold(0, |bits: u64, byte| {
            let digit = hex(*byte);
            wrong |= digit;
            bits << 4 | u64::from(digit)
        })
    };
    let high = half(&[text.get(..8)?, text.get(9..13)?, text.get(14..18)?]);
    let low = half(&[text.get(19..23)?, text.get(24..)?]);
    (wrong < 16).then_some(u128::from(high) << 64 | u128::from(low))
}

/// Returns the value of a lower-case hexadecimal digit, and 255 for every other byte.
const fn hex(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'f' => byte - b'a' + 10,
        _ => 255,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_ids_print_as_they_were_logged() {
        for text in [
            "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
            "0A1B2C3D-4e5f-6071-8293-a4b5c6d7e8f9",
            "EXAMPLE8-9621-4d00-b913-beca2EXAMPLE",
            "",
        ] {
            assert_eq!(EventId::parse(text).to_string(), text);
        }
    }

    #[test]
    fn a27_event_ids_are_ordered_as_their_texts() {
        let texts = [
            "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
            "fa1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
            "EXAMPLE8-9621-4d00-b913-beca2EXAMPLE",
            "",
            "g",
        ];
        for (one, other) in texts.iter().flat_map(|one| texts.map(|other| (*one, other))) {
            assert_eq!(EventId::parse(one).cmp(&EventId::parse(other)), one.cmp(other));
        }
    }
}
