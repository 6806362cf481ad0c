//! The members of a record by their keys, and the order in which these come.
//!
//! AWS writes the members of its records in one order, and whoever writes them anew writes all of
//! them in one order. So the next key is guessed by the one before it, and a guess is right if the
//! bytes are the same: no search for the end of the key, and no look at what it may be.

#![expect(clippy::indexing_slicing, reason = "a number of a key is below their number")]

use super::super::field::Field;
use super::cursor::Stride;
use super::{CONTAINERS, OBJECT_WRAPPERS, STRING_WRAPPERS};

/// Returns what a key that is none of [`KEYS`] means in a record or an envelope.
fn rare_field(key: &[u8]) -> Field {
    match key {
        b"@timestamp" => Field::Timestamp,
        b"insightDetails" => Field::InsightDetails,
        b"digestStartTime" | b"digestS3Object" | b"previousDigestHashValue" => Field::Digest,
        b"configurationItemStatus"
        | b"configurationItemVersion"
        | b"configSnapshotId"
        | b"configRuleArn" => Field::Config,
        _ if OBJECT_WRAPPERS.contains(&key) => Field::ObjectWrapper,
        _ if STRING_WRAPPERS.contains(&key) => Field::StringWrapper,
        _ if CONTAINERS.contains(&key) => Field::Container,
        _ => Field::Else,
    }
}

/// More bytes than the longest of [`KEYS`] takes up, its quotes and colon included.
pub(super) const WIDTH: usize = 32;

/// A key with its quotes and its colon.
pub(super) struct Key {
    literal: [u8; WIDTH],
    /// Ones where the literal has bytes.
    mask: [u8; WIDTH],
    name: &'static str,
    /// Its place among [`KEYS`].
    number: usize,
    pub(super) field: Field,
    /// Whether its values are mostly strings of one length.
    pub(super) is_steady: bool,
}

impl Key {
    const fn new(name: &'static str, field: Field) -> Self {
        let bytes = name.as_bytes();
        assert!(bytes.len() + 3 < WIDTH, "a key that is too long would stand everywhere");
        let mut key = Self {
            literal: [0; WIDTH],
            mask: [0; WIDTH],
            name,
            number: 0,
            field,
            is_steady: false,
        };
        let mut at = 0;
        while at < key.length() {
            key.mask[at] = u8::MAX;
            key.literal[at] = match at {
                0 => b'"',
                _ if at <= bytes.len() => bytes[at - 1],
                _ if at == bytes.len() + 1 => b'"',
                _ => b':',
            };
            at += 1;
        }
        key
    }

    const fn steady(name: &'static str, field: Field) -> Self {
        Self { is_steady: true, ..Self::new(name, field) }
    }

    /// Returns the length with the quotes and the colon, which is below [`WIDTH`].
    #[inline(always)]
    pub(super) const fn length(&self) -> usize {
        (self.name.len() + 3) % WIDTH
    }
}

/// The members of CloudTrail's records, in the order in which AWS writes them.
static KEYS: [Key; 30] = numbered([
    Key::steady("eventVersion", Field::EventVersion),
    Key::new("userIdentity", Field::UserIdentity),
    Key::steady("eventTime", Field::EventTime),
    Key::new("eventSource", Field::EventSource),
    Key::new("eventName", Field::EventName),
    Key::steady("awsRegion", Field::AwsRegion),
    Key::new("sourceIPAddress", Field::SourceIpAddress),
    Key::new("userAgent", Field::UserAgent),
    Key::new("errorCode", Field::ErrorCode),
    Key::new("errorMessage", Field::ErrorMessage),
    Key::new("requestParameters", Field::RequestParameters),
    Key::new("responseElements", Field::ResponseElements),
    Key::new("additionalEventData", Field::Else),
    Key::steady("requestID", Field::Else),
    Key::steady("eventID", Field::EventId),
    Key::new("readOnly", Field::Else),
    Key::new("resources", Field::Else),
    Key::steady("eventType", Field::EventType),
    Key::steady("apiVersion", Field::Else),
    Key::new("managementEvent", Field::ManagementEvent),
    Key::steady("recipientAccountId", Field::RecipientAccountId),
    Key::new("serviceEventDetails", Field::Else),
    Key::steady("sharedEventID", Field::Else),
    Key::steady("vpcEndpointId", Field::Else),
    Key::steady("vpcEndpointAccountId", Field::Else),
    Key::new("addendum", Field::Else),
    Key::new("edgeDeviceDetails", Field::Else),
    Key::steady("eventCategory", Field::EventCategory),
    Key::new("tlsDetails", Field::Else),
    Key::steady("sessionCredentialFromConsole", Field::Else),
]);

/// Tells keys their places.
const fn numbered<const N: usize>(mut keys: [Key; N]) -> [Key; N] {
    let mut number = 0;
    while number < N {
        keys[number].number = number;
        number += 1;
    }
    keys
}

/// The two keys that came last behind each of [`KEYS`].
#[derive(Clone)]
pub(super) struct KeyOrder {
    behind: [[&'static Key; 2]; KEYS.len()],
    last: usize,
    /// The length of the last string that each of them had.
    lengths: [usize; KEYS.len()],
}

impl Default for KeyOrder {
    fn default() -> Self {
        let next = |at| [1, 2].map(|steps| &KEYS[(at + steps) % KEYS.len()]);
        Self { behind: std::array::from_fn(next), last: KEYS.len() - 1, lengths: [0; KEYS.len()] }
    }
}

impl KeyOrder {
    /// Returns a guessed key that stands at the start of `bytes`.
    #[inline(always)]
    pub(super) fn guess<S: Stride>(&mut self, bytes: &[u8; WIDTH]) -> Option<&'static Key> {
        for key in self.behind[self.last] {
            if S::starts(bytes, &key.literal, &key.mask) {
                self.last = key.number;
                return Some(key);
            }
        }
        None
    }

    /// Returns `length`, that of the string that belongs to the key guessed last.
    ///
    /// Everything behind a string waits for its length, which takes some forty cycles to find. If
    /// it is the same as last time, the CPU may go on with what it has held for it since then, so
    /// the two are kept from being taken for one number.
    #[inline(always)]
    pub(super) fn expect_length(&mut self, length: usize) -> usize {
        let last = &mut self.lengths[self.last];
        let expected = std::hint::black_box(*last);
        if length == *last {
            return expected;
        }
        *last = length;
        length
    }

    /// Returns the member of any key, and guesses it next time.
    pub(super) fn look_up(&mut self, key: &[u8]) -> Field {
        let Some(key) = KEYS.iter().find(|known| known.name.as_bytes() == key) else {
            return rare_field(key);
        };
        let behind = &mut self.behind[self.last];
        *behind = [key, behind[0]];
        self.last = key.number;
        key.field
    }
}
