//! The text of a JSON string.

#![expect(clippy::indexing_slicing, reason = "every index stands behind a check of its bound")]

use std::borrow::Cow;

/// The bytes between the quotes of a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RawString<'a> {
    /// The bytes as they stand.
    pub(super) bytes: &'a [u8],
    /// Whether there is a backslash among them.
    pub(super) escaped: bool,
}

impl<'a> RawString<'a> {
    /// Returns the bytes of the text.
    #[inline(always)]
    pub(super) fn bytes(self) -> Cow<'a, [u8]> {
        if self.escaped {
            return Cow::Owned(unescape(self.bytes).into_bytes());
        }
        Cow::Borrowed(self.bytes)
    }

    /// Returns the text; what is no UTF-8 becomes U+FFFD.
    #[inline(always)]
    pub(super) fn decode(self) -> Cow<'a, str> {
        if self.escaped {
            return Cow::Owned(unescape(self.bytes));
        }
        // The check for plain UTF-8 is the faster one, and nearly always enough.
        std::str::from_utf8(self.bytes)
            .map_or_else(|_| String::from_utf8_lossy(self.bytes), Cow::Borrowed)
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
