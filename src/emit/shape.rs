//! AWS's shapes: the members of a reply, in a file a kind of report; how they are written is left to
//! the formats.

mod details;
mod entities;
mod organizations;
mod service;

use std::fmt;

use serde::ser::{Serialize, Serializer};

use crate::time::Time;

/// A report or a row of one, for which AWS has a shape.
pub trait Shaped {
    /// Returns the shape: AWS's members in the order of its model, absent where they have no value;
    /// with `details` also the member `Details`, which AWS does not have.
    fn shape(&self, details: bool) -> impl Serialize;
}

/// A report that is written as AWS's reply.
pub trait Reply: Shaped {
    /// Returns the members that tell the report from the others of JSON lines.
    fn request(&self) -> impl Serialize;
}

/// The list of the shapes of `rows`, each made when it is written.
struct List<'r, T> {
    rows: &'r [T],
    details: bool,
}

impl<T: Shaped> Serialize for List<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.rows.iter().map(|row| row.shape(self.details)))
    }
}

/// A value whose text is what it prints (O12: times in whole seconds).
struct Printed<T>(T);

impl<T: fmt::Display> Serialize for Printed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// The date of a job: milliseconds (O12).
struct JobDate(Time);

impl Serialize for JobDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_milliseconds_string())
    }
}
