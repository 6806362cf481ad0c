//! JSON documents in which no object names a member twice: of two, one would be lost.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use serde::Deserialize;
use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

/// A document; its text is that of the source where that has no escapes.
///
/// It is no JSON if a member stands twice in its object.
#[derive(Clone, Debug, PartialEq)]
pub enum Tree<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    Text(Cow<'a, str>),
    /// An array.
    List(Vec<Self>),
    /// An object, in byte order of its members' names.
    Object(Object<'a>),
}

/// The members of an object.
pub type Object<'a> = BTreeMap<Cow<'a, str>, Tree<'a>>;

/// Returns the bytes behind a byte order mark.
pub fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// Returns JSON without the blanks at the beginnings of its lines, of which more than half of a
/// document consists that is printed for people. It is JSON as little as before where it was none:
/// no string has line feeds.
pub fn without_indentation(text: &[u8]) -> Vec<u8> {
    let mut dense = Vec::with_capacity(text.len());
    let mut from = 0;
    for end in memchr::memchr_iter(b'\n', text).map(|feed| feed + 1).chain([text.len()]) {
        let mut line = text.get(from..end).unwrap_or_default();
        while let Some(rest) = line.strip_prefix(b"        ") {
            line = rest;
        }
        while let Some(rest) = line.strip_prefix(b" ") {
            line = rest;
        }
        dense.extend_from_slice(line);
        from = end;
    }
    dense
}

/// Returns what an error says without the place, which it has as numbers.
pub fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.as_str(), |(reason, _)| reason).to_owned()
}

impl<'a> From<&'a Value> for Tree<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(value) => Self::Number(value.clone()),
            Value::String(text) => Self::Text(text.into()),
            Value::Array(list) => Self::List(list.iter().map(Self::from).collect()),
            Value::Object(members) => Self::Object(
                members.iter().map(|(name, value)| (name.into(), value.into())).collect(),
            ),
        }
    }
}

impl From<Tree<'_>> for Value {
    fn from(tree: Tree<'_>) -> Self {
        match tree {
            Tree::Null => Self::Null,
            Tree::Bool(value) => value.into(),
            Tree::Number(value) => value.into(),
            Tree::Text(text) => text.into(),
            Tree::List(list) => list.into_iter().map(Self::from).collect(),
            Tree::Object(members) => {
                members.into_iter().map(|(name, value)| (name.into_owned(), value)).collect()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Tree<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_any(TreeVisitor)
    }
}

/// Builds a [`Tree`] and refuses a member named twice.
struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Tree<'de>, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree<'de>, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree<'de>, E> {
        Ok(Tree::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree<'de>, E> {
        Ok(Tree::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree<'de>, E> {
        Ok(Number::from_f64(value).map_or(Tree::Null, Tree::Number))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Tree<'de>, E> {
        Ok(Tree::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree<'de>, E> {
        Ok(Tree::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Tree<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = entries.next_element()? {
            list.push(value);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Tree<'de>, A::Error> {
        let mut object = Object::new();
        while let Some(Text(name)) = members.next_key()? {
            match object.entry(name) {
                Entry::Vacant(member) => _ = member.insert(members.next_value()?),
                Entry::Occupied(member) => {
                    let name = member.key();
                    return Err(A::Error::custom(format!("member `{name}` stands twice")));
                }
            }
        }
        Ok(Tree::Object(object))
    }
}

/// Text that need not be copied.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_tree_is_what_a_value_is() {
        let text = r#"{"z": [null, true, -1, 18446744073709551615, 1.5, "a\n\u00e9", "", [], {}],
            "a\"": {"b": "c"}}"#;
        let value: Value = serde_json::from_str(text).unwrap();
        let tree: Tree<'_> = serde_json::from_str(text).unwrap();
        assert_eq!(tree, Tree::from(&value));
        assert_eq!(Value::from(tree), value);
    }

    #[test]
    fn without_indentation_lines_begin_with_what_they_say() {
        let deep = " ".repeat(19);
        let text =
            format!("{{\n    \"a  b\" :  [\n{deep}1,\n\n 2 ],\r\n\t\"c\": \" \\n  d\"\n}}  \n ");
        let dense = "{\n\"a  b\" :  [\n1,\n\n2 ],\r\n\t\"c\": \" \\n  d\"\n}  \n";
        assert_eq!(without_indentation(text.as_bytes()), dense.as_bytes());
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(read(&text), read(dense));
    }

    proptest! {
        #[test]
        fn indentation_says_nothing(text in "[ ]{0,20}([\\[\\]{}:, \n\"a1]|\n[ ]{0,20}){0,24}") {
            let dense = without_indentation(text.as_bytes());
            prop_assert!(!dense.starts_with(b" ") && !dense.windows(2).any(|it| it == b"\n "));
            let [read, read_dense] = [text.as_bytes(), &dense].map(|it| serde_json::from_slice::<Value>(it).ok());
            prop_assert_eq!(read, read_dense);
        }
    }

    #[test]
    fn text_without_escapes_is_not_copied() {
        for (text, is_borrowed) in [(r#"{"a": "b"}"#, true), (r#"{"\u0061": "\u0062"}"#, false)] {
            let Tree::Object(members) = serde_json::from_str(text).unwrap() else {
                panic!("an object");
            };
            let (name, value) = members.first_key_value().unwrap();
            assert_eq!((name.as_ref(), value), ("a", &Tree::Text("b".into())));
            assert_eq!(matches!(name, Cow::Borrowed(_)), is_borrowed);
            assert_eq!(matches!(value, Tree::Text(Cow::Borrowed(_))), is_borrowed);
        }
    }

    #[test]
    fn a_member_that_stands_twice_is_refused_however_it_is_written() {
        for text in [r#"{"a": 1, "a": 1}"#, r#"[{"b": {"a": 1, "c": 2, "\u0061": 1}}]"#] {
            let error = serde_json::from_str::<Tree<'_>>(text).unwrap_err();
            assert_eq!(reason(&error), "member `a` stands twice", "{text}");
        }
    }
}
