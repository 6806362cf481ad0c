//! Objects, lists and values as JSON text; knows no report.

use std::fmt::Write as _;
use std::io::{self, Write};

use crate::printable;
use crate::report::attempt::EventId;
use crate::time::Time;

/// An object that is being written, member by member.
///
/// Names are ours and stand as they are. Texts of unknown origin are escaped as `serde_json` does
/// it, and what would act on a terminal is escaped too.
pub struct Json {
    text: String,
    /// Whether a member or element has a line of its own, indented by four blanks a level.
    is_indented: bool,
    depth: usize,
    /// Whether the innermost object or list has nothing in it yet.
    is_empty: bool,
}

impl Json {
    /// Begins a text in the layout of the AWS CLI.
    pub(super) const fn indented() -> Self {
        Self::new(true)
    }

    /// Begins a text without a blank or line feed.
    pub(super) const fn compact() -> Self {
        Self::new(false)
    }

    const fn new(is_indented: bool) -> Self {
        Self { text: String::new(), is_indented, depth: 0, is_empty: true }
    }

    /// Writes an object with the members that `members` writes, and a line feed, to `out`.
    pub(super) fn write_line(
        &mut self,
        out: &mut dyn Write,
        members: impl FnOnce(&mut Self),
    ) -> io::Result<()> {
        self.text.clear();
        self.enclose('{', '}', members);
        self.text.push('\n');
        out.write_all(self.text.as_bytes())
    }

    /// Writes a member.
    pub(super) fn member(&mut self, name: &'static str, value: impl Value) {
        self.name(name);
        value.push_to(&mut self.text);
    }

    /// Writes a member that is absent when it has no value.
    pub(super) fn optional(&mut self, name: &'static str, value: Option<impl Value>) {
        if let Some(value) = value {
            self.member(name, value);
        }
    }

    /// Writes a member that is an object, with the members that `members` writes.
    pub(super) fn object(&mut self, name: &'static str, members: impl FnOnce(&mut Self)) {
        self.name(name);
        self.enclose('{', '}', members);
    }

    /// Writes a member that is a list of objects, one for each of `elements`, with the members that
    /// `members` writes of it.
    pub(super) fn list<T>(
        &mut self,
        name: &'static str,
        elements: impl IntoIterator<Item = T>,
        members: impl Fn(&mut Self, T),
    ) {
        self.name(name);
        self.enclose('[', ']', |json| {
            for element in elements {
                json.next();
                json.enclose('{', '}', |json| members(json, element));
            }
        });
    }

    fn name(&mut self, name: &'static str) {
        self.next();
        self.text.extend(["\"", name, if self.is_indented { "\": " } else { "\":" }]);
    }

    /// Goes to where the next member or element of the innermost object or list stands.
    fn next(&mut self) {
        if !self.is_empty {
            self.text.push(',');
        }
        self.is_empty = false;
        self.break_line();
    }

    fn enclose(&mut self, opening: char, closing: char, inside: impl FnOnce(&mut Self)) {
        self.text.push(opening);
        self.depth += 1;
        self.is_empty = true;
        inside(self);
        self.depth -= 1;
        if !self.is_empty {
            self.break_line();
        }
        self.is_empty = false;
        self.text.push(closing);
    }

    fn break_line(&mut self) {
        if self.is_indented {
            self.text.push('\n');
            self.text.extend(std::iter::repeat_n("    ", self.depth));
        }
    }
}

/// What a member can hold beside objects and lists.
pub(super) trait Value {
    /// Appends the value as JSON.
    fn push_to(self, text: &mut String);
}

impl Value for &str {
    fn push_to(self, text: &mut String) {
        // To the end in any case, which is many bytes at once.
        let is_plain = self.bytes().fold(true, |is_plain, byte| {
            is_plain & (b' '..0x7f).contains(&byte) & (byte != b'"') & (byte != b'\\')
        });
        if is_plain {
            text.push('"');
            text.push_str(self);
            text.push('"');
        } else {
            let escaped = serde_json::Value::from(self).to_string();
            text.push_str(&printable::visible_json(&escaped));
        }
    }
}

impl Value for bool {
    fn push_to(self, text: &mut String) {
        text.push_str(if self { "true" } else { "false" });
    }
}

impl Value for u64 {
    fn push_to(self, text: &mut String) {
        // Writing to a string cannot fail, here and below.
        let _ = write!(text, "{self}");
    }
}

/// Whole seconds (O12).
impl Value for Time {
    fn push_to(self, text: &mut String) {
        let _ = write!(text, "\"{self}\"");
    }
}

/// The date of a job: milliseconds (O12).
pub(super) struct JobDate(pub(super) Time);

impl Value for JobDate {
    fn push_to(self, text: &mut String) {
        let _ = write!(text, "\"{}\"", self.0.to_milliseconds_string());
    }
}

impl Value for EventId<'_> {
    fn push_to(self, text: &mut String) {
        match self {
            Self::Text(id) => id.push_to(text),
            id => {
                let _ = write!(text, "\"{id}\"");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_empty_takes_no_line() {
        let mut out = Vec::new();
        let mut json = Json::indented();
        json.write_line(&mut out, |json| {
            json.object("Object", |_| {});
            json.list("List", [(); 0], |_, ()| {});
            json.list("Objects", [(); 1], |_, ()| {});
        })
        .unwrap();
        let expected =
            "{\n    \"Object\": {},\n    \"List\": [],\n    \"Objects\": [\n        {}\n    ]\n}\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    proptest! {
        #[test]
        fn texts_are_escaped_as_everywhere(text in "[ -~]{0,20}|[\"\\\\\0-\u{20}\u{7f}]{0,4}|\\PC{0,8}|.{0,8}") {
            let mut written = String::new();
            text.as_str().push_to(&mut written);
            let expected = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(&written, &printable::visible_json(&expected));
            prop_assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
        }
    }
}
