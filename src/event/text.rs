//! A JSON string as it stands between its quotes, decoded by whoever needs its text.

#![expect(clippy::indexing_slicing, reason = "every index stands behind a check of its bound")]

use std::borrow::Cow;

/// The bytes between the quotes of a JSON string.
///
/// Most strings of a record are only compared, or were seen before: neither needs them decoded.
#[derive(Clone, Copy, Debug)]
pub struct RawString<'a> {
    bytes: &'a [u8],
    has_escapes: bool,
}

impl<'a> RawString<'a> {
    /// Takes the bytes between two quotes, and whether there is a backslash among them.
    #[inline(always)]
    pub(super) const fn new(bytes: &'a [u8], has_escapes: bool) -> Self {
        Self { bytes, has_escapes }
    }

    /// Returns whether the string is empty.
    pub const fn is_empty(self) -> bool {
        self.bytes.is_empty()
    }

    /// Returns the bytes of the text, if they stand as they are. They need not be UTF-8.
    #[inline(always)]
    pub const fn plain(self) -> Option<&'a [u8]> {
        if self.has_escapes { None } else { Some(self.bytes) }
    }

    /// Returns the bytes of the text.
    pub(super) fn bytes(self) -> Cow<'a, [u8]> {
        match self.plain() {
            Some(plain) => Cow::Borrowed(plain),
            None => Cow::Owned(unescape(self.bytes).into_bytes()),
        }
    }

    /// Returns the text; what is no UTF-8 becomes U+FFFD.
    pub fn decode(self) -> Cow<'a, str> {
        match self.plain() {
            // The check for plain UTF-8 is the faster one, and nearly always enough.
            Some(plain) => std::str::from_utf8(plain)
                .map_or_else(|_| String::from_utf8_lossy(plain), Cow::Borrowed),
            None => Cow::Owned(unescape(self.bytes)),
        }
    }

    /// Returns whether the text is `text`.
    #[inline]
    pub fn is(self, text: &str) -> bool {
        match self.plain() {
            Some(plain) => plain == text.as_bytes(),
            None => self.decode() == text,
        }
    }

    /// Returns whether the text is `text`, letters of ASCII in either case.
    #[inline]
    pub fn is_ignoring_case(self, text: &str) -> bool {
        match self.plain() {
            Some(plain) => plain.eq_ignore_ascii_case(text.as_bytes()),
            None => self.decode().eq_ignore_ascii_case(text),
        }
    }
}

/// A string of JSON that was already decoded.
impl<'a> From<&'a str> for RawString<'a> {
    fn from(text: &'a str) -> Self {
        Self::new(text.as_bytes(), false)
    }
}

/// Compares texts, not how they are written.
impl PartialEq for RawString<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.decode() == other.decode()
    }
}

impl Eq for RawString<'_> {}

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
