//! Text of unknown origin, made fit for people: what acts on a screen instead of being shown is made
//! visible.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt::Write as _;

/// Returns whether a character moves the cursor, changes the direction of text, or hides.
fn acts(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// Returns whether a text has nothing but ASCII to show: nearly every one, and quick to tell.
fn is_plain(text: &str) -> bool {
    // To the end in any case, which is many bytes at once.
    !text.bytes().fold(false, |odd, byte| odd | !(b' '..0x7f).contains(&byte))
}

/// Writes such characters as `\n`, `\u{1b}`, `\u{202e}`; leaves all others alone.
///
/// A backslash that was there stays single, so the way back is not always clear: where exact
/// values matter, Arrow, Parquet and JSON have them.
pub fn visible(text: &str) -> Cow<'_, str> {
    if is_plain(text) || !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if acts(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

/// Returns [`visible`] text of its own.
pub fn printable(text: &str) -> String {
    visible(text).into_owned()
}

/// Writes such characters in the strings of a JSON text as `\u202e`, which means the same.
///
/// The control characters below U+0020 cannot occur in a JSON string, and between the values they
/// are its layout.
pub fn visible_json(json: &str) -> Cow<'_, str> {
    let hidden = |character: char| character >= '\u{7f}' && acts(character);
    if !json.contains(hidden) {
        return Cow::Borrowed(json);
    }
    let mut shown = String::with_capacity(json.len() + 64);
    for character in json.chars() {
        if hidden(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

/// Lays a JSON text out for people, a member a line; not a byte of its values changes.
pub fn indented_json(json: &str) -> String {
    let mut text = String::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    let mut is_string = false;
    let mut is_escaped = false;
    let new_line = |text: &mut String, depth: usize| {
        text.push('\n');
        text.extend(std::iter::repeat_n("  ", depth));
    };
    for character in json.chars() {
        if is_string {
            text.push(character);
            is_string = character != '"' || is_escaped;
            is_escaped = character == '\\' && !is_escaped;
            continue;
        }
        match character {
            ' ' | '\t' | '\n' | '\r' => continue,
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                // Nothing stands in between.
                if !text.ends_with(['{', '[']) {
                    new_line(&mut text, depth);
                }
            }
            _ if text.ends_with(['{', '[']) => new_line(&mut text, depth),
            _ => {}
        }
        text.push(character);
        match character {
            '"' => is_string = true,
            '{' | '[' => depth += 1,
            ',' => new_line(&mut text, depth),
            ':' => text.push(' '),
            _ => {}
        }
    }
    text
}

/// Returns a file's name for people, without loss: what is no UTF-8 as `\xff`, characters that act
/// as [`visible`] shows them, and the backslash itself doubled where it does not part directories.
pub fn file_name(name: impl AsRef<OsStr>) -> String {
    bytes(name.as_ref().as_encoded_bytes(), !cfg!(windows))
}

/// Returns a name that may be no UTF-8 for people, as [`file_name`] does.
pub fn bytes(name: &[u8], double_backslash: bool) -> String {
    if let Ok(text) = std::str::from_utf8(name)
        && is_plain(text)
        && !(double_backslash && text.contains('\\'))
    {
        return text.to_owned();
    }
    let mut text = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        for c in chunk.valid().chars() {
            if acts(c) {
                text.extend(c.escape_default());
            } else {
                text.push(c);
                if c == '\\' && double_backslash {
                    text.push(c);
                }
            }
        }
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// Returns a number with its digits in groups of three: `1,048,576`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_is_shown_and_the_rest_is_left_alone() {
        assert_eq!(visible("a\u{1b}[31m\0\r\n\u{202e}b\u{9b}"), {
            "a\\u{1b}[31m\\u{0}\\r\\n\\u{202e}b\\u{9b}"
        });
        let plain = "AWS Ökonomie \\n \u{fffd} 漢字";
        assert!(matches!(visible(plain), Cow::Borrowed(same) if same == plain));
    }

    #[test]
    fn json_means_the_same_after_it() {
        let value = "\u{7f}\u{9b}\u{202e}\u{e0041}\"\n\u{1b}ü";
        let json = serde_json::to_string_pretty(&[value]).unwrap();
        let shown = visible_json(&json);
        assert!(shown.contains("\\u007f\\u009b\\u202e\\udb40\\udc41\\\"\\n\\u001bü"), "{shown}");
        assert_eq!(serde_json::from_str::<[String; 1]>(&shown).unwrap(), [value]);
    }

    #[test]
    fn names_are_printable_without_loss() {
        for (name, expected) in [
            (b"logs/a b\xc3\xa9.json".as_slice(), "logs/a bé.json"),
            (b"a\xff\xfeb", r"a\xff\xfeb"),
            (br"a\xffb", r"a\\xffb"),
            (b"a\x1b[31mb\n\x7f", r"a\u{1b}[31mb\n\u{7f}"),
            ("a\u{202e}b\u{2066}\u{200f}\u{85}".as_bytes(), r"a\u{202e}b\u{2066}\u{200f}\u{85}"),
            (b"", ""),
        ] {
            assert_eq!(bytes(name, true), expected);
        }
        assert_eq!(bytes(br"a\b", false), r"a\b");
    }

    #[test]
    fn numbers_are_printed_in_groups_of_three() {
        for (number, expected) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_048_576, "1,048,576"),
            (u64::MAX, "18,446,744,073,709,551,615"),
        ] {
            assert_eq!(grouped(number), expected);
        }
    }
}
