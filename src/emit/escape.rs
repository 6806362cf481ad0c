//! Characters of logs that act on the reader's screen instead of being shown, made visible.

use std::borrow::Cow;
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
    text.bytes().all(|byte| (b' '..0x7f).contains(&byte))
}

/// Writes such characters as `\n`, `\u{1b}`, `\u{202e}`; leaves all others alone.
///
/// A backslash that was there stays single, so the way back is not always clear: where exact
/// values matter, Arrow, Parquet and JSON have them.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
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

/// Writes such characters in the strings of a JSON text as `\u202e`, which means the same.
///
/// The control characters below U+0020 cannot occur in a JSON string, and between the values they
/// are its layout.
pub(super) fn visible_json(json: &str) -> Cow<'_, str> {
    let hidden = |character: char| acts(character) && character >= '\u{7f}';
    if (json.is_ascii() && !json.contains('\u{7f}')) || !json.contains(hidden) {
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
}
