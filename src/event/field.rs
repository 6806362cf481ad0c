//! The members of a record that matter, and what their values are.

use super::RawString;

/// A member that matters. The value of those before [`Field::Digest`] is kept, where it is needed
/// or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Field {
    EventTime,
    EventSource,
    EventName,
    AwsRegion,
    EventId,
    EventType,
    EventCategory,
    ErrorCode,
    ErrorMessage,
    UserIdentity,
    EventVersion,
    RecipientAccountId,
    SourceIpAddress,
    UserAgent,
    Timestamp,
    ManagementEvent,
    InsightDetails,
    RequestParameters,
    ResponseElements,
    Else,
    Digest,
    Config,
    ObjectWrapper,
    StringWrapper,
    Container,
}

/// How many fields keep their value.
pub(super) const KEPT: usize = Field::Digest as usize;

/// How many of them are an event's own; they come first.
pub(super) const OWN: usize = Field::UserAgent as usize + 1;

/// What the value of a member is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    #[default]
    Absent,
    Text,
    TextWithEscapes,
    Object,
    /// An array, a number, `true`, `false`, `null`.
    Other,
}

/// The value of a member: its bytes, those of a string without its quotes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Value<'a> {
    pub(super) kind: Kind,
    pub(super) bytes: &'a [u8],
}

impl<'a> Value<'a> {
    #[inline(always)]
    pub(super) const fn text(self) -> Option<RawString<'a>> {
        match self.kind {
            Kind::Text => Some(RawString::new(self.bytes, false)),
            Kind::TextWithEscapes => Some(RawString::new(self.bytes, true)),
            Kind::Absent | Kind::Object | Kind::Other => None,
        }
    }

    #[inline(always)]
    pub(super) const fn object(self) -> Option<&'a [u8]> {
        match self.kind {
            Kind::Object => Some(self.bytes),
            _ => None,
        }
    }

    /// Returns a boolean, or the text of one.
    #[inline(always)]
    pub(super) fn boolean(self) -> Option<bool> {
        match (self.kind, self.bytes) {
            (Kind::Other | Kind::Text, b"true") => Some(true),
            (Kind::Other | Kind::Text, b"false") => Some(false),
            (Kind::TextWithEscapes, _) => self.text()?.decode().parse().ok(),
            _ => None,
        }
    }
}
