//! Last accesses; merging two ledgers is a join.

use std::fmt;

/// An `eventID`: 128 bits where it is a UUID as CloudTrail writes them, else the text itself.
///
/// The derived order is total, as A27 asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventId<'a> {
    /// A lower-case UUID with its four hyphens.
    Uuid(u128),
    /// Anything else.
    Text(&'a str),
}

impl<'a> EventId<'a> {
    /// Reads an `eventID`.
    pub fn parse(text: &'a str) -> Self {
        parse_uuid(text.as_bytes()).map_or(Self::Text(text), Self::Uuid)
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
    if text.len() != 36 {
        return None;
    }
    text.iter().enumerate().try_fold(0u128, |bits, (at, &byte)| match (at, byte) {
        (8 | 13 | 18 | 23, b'-') => Some(bits),
        (8 | 13 | 18 | 23, _) => None,
        (_, b'0'..=b'9') => Some(bits << 4 | u128::from(byte - b'0')),
        (_, b'a'..=b'f') => Some(bits << 4 | u128::from(byte - b'a' + 10)),
        _ => None,
    })
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
}
