//! Reads a policy document in one pass. Where it is not as IAM would have it, that is not said
//! here: the reader of trees reads it again and names the place.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::document::{has_variables, is_test, is_within_bounds};
use super::{ActionPattern, Effect, Policy, ResourcePattern, Selection, Statement};
use crate::json::{Text, Tree};

/// Reads a document; none if it has to be read as a tree.
pub(super) fn read(document: &str) -> Option<Policy> {
    let mut source = serde_json::Deserializer::from_str(document);
    let statements = source.deserialize_map(Document).ok()?;
    source.end().ok()?;
    is_within_bounds(&statements).then_some(Policy { statements })
}

/// What the visitors expect, which nobody is told.
const GRAMMAR: &str = "what the grammar has";

/// Takes a member that may stand once.
fn put<T, E: Error>(member: &mut Option<T>, value: T) -> Result<(), E> {
    member.replace(value).map_or(Ok(()), |_| Err(E::custom("a member stands twice")))
}

/// Refuses what is not there.
fn must<T, E: Error>(member: Option<T>) -> Result<T, E> {
    member.ok_or_else(|| E::custom(GRAMMAR))
}

struct Document;

impl<'de> Visitor<'de> for Document {
    type Value = Vec<Statement>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(GRAMMAR)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let (mut version, mut id, mut statements) = (None, None, None);
        while let Some(Text(name)) = members.next_key()? {
            match name.as_ref() {
                "Version" => {
                    let Text(text) = members.next_value()?;
                    put(&mut version, must(has_variables(&text))?)?;
                }
                "Id" => put(&mut id, members.next_value::<Text<'_>>()?)?,
                "Statement" => {
                    put(
                        &mut statements,
                        members.next_value_seed(Statements { variables: version })?,
                    )?;
                }
                _ => return Err(A::Error::custom(GRAMMAR)),
            }
        }
        must(statements)
    }
}

/// One statement or more.
struct Statements {
    /// Whether there are policy variables, if the version has told that already.
    variables: Option<bool>,
}

impl<'de> DeserializeSeed<'de> for Statements {
    type Value = Vec<Statement>;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Self::Value, D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Statements {
    type Value = Vec<Statement>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(GRAMMAR)
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Self::Value, A::Error> {
        Ok(vec![OneStatement { variables: self.variables }.visit_map(members)?])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut statements = Vec::new();
        let one = || OneStatement { variables: self.variables };
        while let Some(statement) = list.next_element_seed(one())? {
            statements.push(statement);
        }
        must(Some(statements).filter(|it| !it.is_empty()))
    }
}

struct OneStatement {
    variables: Option<bool>,
}

impl<'de> DeserializeSeed<'de> for OneStatement {
    type Value = Statement;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Statement, D::Error> {
        source.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for OneStatement {
    type Value = Statement;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(GRAMMAR)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Statement, A::Error> {
        let (mut sid, mut effect, mut conditional) = (None, None, None);
        let (mut actions, mut resources) = (None, None);
        // Without the version it is not known what a dollar sign says.
        let resource = |text: &str| match self.variables {
            None if text.contains('$') => Err(GRAMMAR),
            variables => ResourcePattern::parse(text, variables.unwrap_or_default()),
        };
        while let Some(Text(name)) = members.next_key()? {
            match name.as_ref() {
                "Sid" => put(&mut sid, members.next_value::<Text<'_>>()?)?,
                "Effect" => {
                    let Text(text) = members.next_value()?;
                    put(&mut effect, must(Effect::parse(&text))?)?;
                }
                "Condition" => {
                    let condition: Tree<'_> = members.next_value()?;
                    put(&mut conditional, must(is_test(&condition))?)?;
                }
                "Action" | "NotAction" => {
                    let patterns = members.next_value_seed(Patterns(ActionPattern::parse))?;
                    put(&mut actions, Selection { complement: name == "NotAction", patterns })?;
                }
                "Resource" | "NotResource" => {
                    let patterns = members.next_value_seed(Patterns(resource))?;
                    put(&mut resources, Selection { complement: name == "NotResource", patterns })?;
                }
                _ => return Err(A::Error::custom(GRAMMAR)),
            }
        }
        Ok(Statement {
            effect: must(effect)?,
            conditional: conditional.unwrap_or_default(),
            actions: must(actions)?,
            resources: must(resources)?,
        })
    }
}

/// One pattern or more, each as the function reads it.
struct Patterns<F>(F);

impl<'de, T, F: Fn(&str) -> Result<T, &'static str>> DeserializeSeed<'de> for Patterns<F> {
    type Value = Vec<T>;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Vec<T>, D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de, T, F: Fn(&str) -> Result<T, &'static str>> Visitor<'de> for Patterns<F> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(GRAMMAR)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Vec<T>, E> {
        Ok(vec![(self.0)(text).map_err(E::custom)?])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
        let mut patterns = Vec::new();
        while let Some(Text(text)) = list.next_element()? {
            patterns.push((self.0)(&text).map_err(A::Error::custom)?);
        }
        must(Some(patterns).filter(|it| !it.is_empty()))
    }
}
