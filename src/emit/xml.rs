//! XML as AWS's Query protocol has it: an element a member, `<member>` an entry of a list, nothing
//! for what is absent.

use std::borrow::Cow;
use std::fmt;
use std::io::Write as _;

use quick_xml::Writer;
use quick_xml::escape::escape;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};
use serde::ser::{self, Impossible, Serialize};

/// The name of the elements of a list.
const MEMBER: &str = "member";

/// Returns `value`, which is a structure or a map, as the document `<name xmlns="namespace">…</name>`.
///
/// What XML cannot hold (control characters in hostile texts) is written as tables show it:
/// `\u{1b}`.
///
/// # Errors
///
/// [`XmlError`] for what AWS's shapes do not have: bytes, tuples, variants with values.
pub fn document(name: &str, namespace: &str, value: &impl Serialize) -> Result<Vec<u8>, XmlError> {
    let mut xml = Writer::new(Vec::new());
    let attributes = Some(("xmlns", namespace));
    value.serialize(Element { name, attributes, xml: &mut xml })?;
    Ok(xml.into_inner())
}

/// Why a value could not be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot be written as AWS's XML: {0}")]
pub struct XmlError(String);

impl ser::Error for XmlError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

impl From<std::io::Error> for XmlError {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

/// The element that a value becomes.
struct Element<'x> {
    name: &'x str,
    attributes: Option<(&'static str, &'x str)>,
    xml: &'x mut Writer<Vec<u8>>,
}

impl<'x> Element<'x> {
    fn new(name: &'x str, xml: &'x mut Writer<Vec<u8>>) -> Self {
        Self { name, attributes: None, xml }
    }

    fn open(self) -> Result<Open<'x>, XmlError> {
        let mut start = BytesStart::new(self.name);
        start.extend_attributes(self.attributes);
        self.xml.write_event(Event::Start(start))?;
        Ok(Open { name: self.name, key: None, xml: self.xml })
    }

    fn text(self, text: &str) -> Result<(), XmlError> {
        let open = self.open()?;
        let text = BytesText::from_escaped(escape(representable(text)));
        open.xml.write_event(Event::Text(text))?;
        open.close()
    }

    /// Writes what needs no escape.
    fn plain(self, value: impl fmt::Display) -> Result<(), XmlError> {
        let open = self.open()?;
        write!(open.xml.get_mut(), "{value}")?;
        open.close()
    }
}

/// An element whose content is being written.
struct Open<'x> {
    name: &'x str,
    /// Of a map, the name of the next element.
    key: Option<String>,
    xml: &'x mut Writer<Vec<u8>>,
}

impl Open<'_> {
    fn child(&mut self, name: &str, value: &(impl Serialize + ?Sized)) -> Result<(), XmlError> {
        value.serialize(Element::new(name, self.xml))
    }

    fn close(self) -> Result<(), XmlError> {
        Ok(self.xml.write_event(Event::End(BytesEnd::new(self.name)))?)
    }
}

/// Writes the characters that XML 1.0 has no way to hold, and the carriage return, which its readers
/// change, as `\u{1b}`.
fn representable(text: &str) -> Cow<'_, str> {
    let is_lost = |c: char| matches!(c, '\0'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}');
    if !text.contains(is_lost) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_lost(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

fn not_in_shapes<T>(kind: &str) -> Result<T, XmlError> {
    Err(XmlError(format!("a {kind} is in none of AWS's shapes")))
}

/// The serializer's methods for values that are plain text.
macro_rules! plain {
    ($($method:ident: $type:ty),*) => {
        $(fn $method(self, value: $type) -> Result<(), XmlError> {
            self.plain(value)
        })*
    };
}

impl<'x> ser::Serializer for Element<'x> {
    type Ok = ();
    type Error = XmlError;
    type SerializeSeq = Open<'x>;
    type SerializeTuple = Impossible<(), XmlError>;
    type SerializeTupleStruct = Impossible<(), XmlError>;
    type SerializeTupleVariant = Impossible<(), XmlError>;
    type SerializeMap = Open<'x>;
    type SerializeStruct = Open<'x>;
    type SerializeStructVariant = Impossible<(), XmlError>;

    plain!(serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32);
    plain!(serialize_i64: i64, serialize_u8: u8, serialize_u16: u16, serialize_u32: u32);
    plain!(serialize_u64: u64, serialize_f32: f32, serialize_f64: f64);

    fn serialize_char(self, value: char) -> Result<(), XmlError> {
        self.text(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), XmlError> {
        self.text(value)
    }

    fn serialize_none(self) -> Result<(), XmlError> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), XmlError> {
        value.serialize(self)
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), XmlError> {
        self.text(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<(), XmlError> {
        value.serialize(self)
    }

    fn serialize_seq(self, _length: Option<usize>) -> Result<Open<'x>, XmlError> {
        self.open()
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<Open<'x>, XmlError> {
        self.open()
    }

    fn serialize_struct(self, _name: &'static str, _length: usize) -> Result<Open<'x>, XmlError> {
        self.open()
    }

    fn serialize_bytes(self, _value: &[u8]) -> Result<(), XmlError> {
        not_in_shapes("run of bytes")
    }

    fn serialize_unit(self) -> Result<(), XmlError> {
        not_in_shapes("unit")
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), XmlError> {
        not_in_shapes("unit")
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _value: &T,
    ) -> Result<(), XmlError> {
        not_in_shapes("variant with a value")
    }

    fn serialize_tuple(self, _length: usize) -> Result<Self::SerializeTuple, XmlError> {
        not_in_shapes("tuple")
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        _length: usize,
    ) -> Result<Self::SerializeTupleStruct, XmlError> {
        not_in_shapes("tuple")
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _length: usize,
    ) -> Result<Self::SerializeTupleVariant, XmlError> {
        not_in_shapes("variant with a value")
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _length: usize,
    ) -> Result<Self::SerializeStructVariant, XmlError> {
        not_in_shapes("variant with a value")
    }
}

impl ser::SerializeSeq for Open<'_> {
    type Ok = ();
    type Error = XmlError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), XmlError> {
        self.child(MEMBER, value)
    }

    fn end(self) -> Result<(), XmlError> {
        self.close()
    }
}

impl ser::SerializeStruct for Open<'_> {
    type Ok = ();
    type Error = XmlError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), XmlError> {
        self.child(key, value)
    }

    fn end(self) -> Result<(), XmlError> {
        self.close()
    }
}

impl ser::SerializeMap for Open<'_> {
    type Ok = ();
    type Error = XmlError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), XmlError> {
        // A key is written like a value, and what it says is the name of the element.
        let mut name = Writer::new(Vec::new());
        key.serialize(Element::new(MEMBER, &mut name))?;
        let name = String::from_utf8(name.into_inner()).unwrap_or_default();
        let name = name.strip_prefix("<member>").and_then(|it| it.strip_suffix("</member>"));
        self.key = name.map(str::to_owned);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), XmlError> {
        match self.key.take() {
            Some(name) => self.child(&name, value),
            None => not_in_shapes("value without a key"),
        }
    }

    fn end(self) -> Result<(), XmlError> {
        self.close()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use quick_xml::Reader;
    use serde::Serialize;

    use super::*;

    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Row<'r> {
        name: &'r str,
        #[serde(skip_serializing_if = "Option::is_none")]
        region: Option<&'r str>,
        count: u64,
        is_truncated: bool,
        tags: Vec<Self>,
    }

    fn row(name: &str) -> Row<'_> {
        Row { name, region: None, count: 0, is_truncated: false, tags: Vec::new() }
    }

    fn written(value: &impl Serialize) -> String {
        String::from_utf8(document("Reply", "urn:x", value).unwrap()).unwrap()
    }

    #[test]
    fn o5_a_list_has_members_and_what_is_absent_is_left_out() {
        let reply =
            Row { tags: vec![row("a"), Row { region: Some("eu"), ..row("b") }], ..row("c") };
        assert_eq!(
            written(&reply),
            "<Reply xmlns=\"urn:x\"><Name>c</Name><Count>0</Count><IsTruncated>false</IsTruncated>\
             <Tags><member><Name>a</Name><Count>0</Count><IsTruncated>false</IsTruncated><Tags>\
             </Tags></member><member><Name>b</Name><Region>eu</Region><Count>0</Count>\
             <IsTruncated>false</IsTruncated><Tags></Tags></member></Tags></Reply>"
        );
    }

    #[test]
    fn a_map_is_written_like_a_structure() {
        let map = std::collections::BTreeMap::from([("A", 1), ("B", 2)]);
        assert_eq!(written(&map), "<Reply xmlns=\"urn:x\"><A>1</A><B>2</B></Reply>");
    }

    #[test]
    fn what_no_shape_has_is_refused() {
        assert!(document("Reply", "urn:x", &(1, 2)).is_err());
        assert!(document("Reply", "urn:x", &()).is_err());
    }

    proptest! {
        #[test]
        fn texts_come_back_as_they_were_or_made_visible(text in "(?s).{0,24}|[<>&\"'\r\n\t\0\u{1b}\u{fffe}]{0,6}") {
            let xml = written(&row(&text));
            let mut reader = Reader::from_str(&xml);
            let mut read = String::new();
            let mut is_name = false;
            loop {
                match reader.read_event().unwrap() {
                    Event::Start(start) => is_name = start.name().as_ref() == "Name",
                    Event::Text(part) if is_name => read.push_str(&part),
                    Event::GeneralRef(part) if is_name => {
                        let entity = format!("&{};", &*part);
                        read.push_str(&quick_xml::escape::unescape(&entity).unwrap());
                    }
                    Event::End(_) => is_name = false,
                    Event::Eof => break,
                    _ => {}
                }
            }
            prop_assert_eq!(read, representable(&text));
        }
    }
}
