//! Columns of a table, and the order of its rows: what a click on a heading changes.

use std::cmp::Ordering;

use maud::{Markup, html};

use super::link::Link;
use super::{Refusal, Visit};

/// What is behind the name of a column where the order is the reverse.
const DESCENDING: &str = "-descending";

/// A column of a table.
#[derive(Clone, Copy)]
pub(super) struct Column {
    /// Its name in an address; empty where rows cannot be put in its order.
    pub key: &'static str,
    pub heading: &'static str,
}

impl Column {
    pub(super) const fn sortable(key: &'static str, heading: &'static str) -> Self {
        Self { key, heading }
    }

    pub(super) const fn plain(heading: &'static str) -> Self {
        Self { key: "", heading }
    }
}

/// The order of the rows of a table.
#[derive(Clone, Copy)]
pub(super) struct Order {
    /// The name of the column.
    pub key: &'static str,
    is_descending: bool,
}

impl Order {
    /// Reads the order from an address; by `usual` where it says nothing.
    pub(super) fn read(
        visit: &Visit,
        columns: &[Column],
        usual: &'static str,
    ) -> Result<Self, Refusal> {
        let Some(asked) = visit.parameter("sort") else {
            return Ok(Self { key: usual, is_descending: false });
        };
        let name = asked.strip_suffix(DESCENDING);
        let (name, is_descending) = (name.unwrap_or(asked), name.is_some());
        let found = columns.iter().find(|it| !it.key.is_empty() && it.key == name);
        let found = found.ok_or_else(|| {
            let keys = columns.iter().map(|it| it.key).filter(|key| !key.is_empty());
            let keys: Vec<&str> = keys.collect();
            let known = format!("is no column to sort by; there are: {}", keys.join(", "));
            Refusal::bad("sort", &known)
        })?;
        Ok(Self { key: found.key, is_descending })
    }

    /// Puts rows that stand in their usual order into this one; rows that are equal in the column
    /// keep it, and descending is the exact reverse of ascending (O7).
    pub(super) fn sort<T>(self, rows: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
        rows.sort_by(compare);
        if self.is_descending {
            rows.reverse();
        }
    }

    /// Returns the row of headings. Each leads to the table in the order of its column, or in the
    /// reverse order where it is in that already.
    pub(super) fn head(self, columns: &[Column], link: &Link) -> Markup {
        html! {
            thead {
                tr {
                    @for column in columns {
                        @if column.key.is_empty() {
                            th scope="col" { (column.heading) }
                        } @else {
                            (self.heading(*column, link))
                        }
                    }
                }
            }
        }
    }

    fn heading(self, column: Column, link: &Link) -> Markup {
        let state = (self.key == column.key).then_some(self.is_descending);
        let key = match state {
            Some(false) => format!("{}{DESCENDING}", column.key),
            Some(true) | None => column.key.to_owned(),
        };
        let (sort, mark) = match state {
            None => (None, "↕"),
            Some(false) => (Some("ascending"), "▲"),
            Some(true) => (Some("descending"), "▼"),
        };
        let link = link.clone().with("sort", &key).with("page", "");
        html! {
            th scope="col" aria-sort=[sort] {
                a.sort href=(link) { (column.heading) "\u{a0}" span aria-hidden="true" { (mark) } }
            }
        }
    }
}
