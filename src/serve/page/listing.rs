//! A long list a page at a time.

use maud::{Markup, html};

use super::link::Link;
use super::words::counted;
use super::{Refusal, Visit};
use crate::printable::grouped;

/// Rows of a page of a list.
pub(super) const ROWS: usize = 100;

/// Which rows of a list are shown.
pub(super) struct Sheet<T> {
    pub rows: Vec<T>,
    /// The parameter that tells pages apart.
    parameter: &'static str,
    number: usize,
    sheets: usize,
    all: usize,
}

impl<T> Sheet<T> {
    /// Cuts a list down to the page that the address asks for; behind the last one stands the last.
    pub(super) fn cut(visit: &Visit, rows: Vec<T>) -> Result<Self, Refusal> {
        Self::cut_by(visit, "page", rows)
    }

    /// Does the same by a parameter of another name, where a page has two lists.
    pub(super) fn cut_by(
        visit: &Visit,
        parameter: &'static str,
        rows: Vec<T>,
    ) -> Result<Self, Refusal> {
        let asked = visit.number(parameter)?.unwrap_or(1);
        let all = rows.len();
        let sheets = all.div_ceil(ROWS).max(1);
        let number = usize::try_from(asked).unwrap_or(usize::MAX).clamp(1, sheets);
        let rows = rows.into_iter().skip((number - 1) * ROWS).take(ROWS).collect();
        Ok(Self { rows, parameter, number, sheets, all })
    }

    /// Returns how many rows there are in all, and which of them are shown.
    pub(super) fn counts(&self, one: &str, many: &str) -> String {
        let all = counted(self.all, one, many);
        if self.sheets == 1 {
            return all;
        }
        let first = (self.number - 1) * ROWS + 1;
        let last = first + self.rows.len() - 1;
        format!("{all}, {} to {} on this page", grouped(first as u64), grouped(last as u64))
    }

    /// Returns the links to the other pages; nothing if there is no other.
    pub(super) fn pager(&self, link: &Link) -> Markup {
        let to = |number: usize| link.clone().with(self.parameter, &number.to_string());
        let (number, sheets) = (self.number, self.sheets);
        html! {
            @if sheets > 1 {
                nav.pager aria-label="Pages of the list" {
                    @if number > 1 {
                        a href=(to(1)) { "First" }
                        a href=(to(number - 1)) rel="prev" { "Previous" }
                    }
                    span { "Page " (grouped(number as u64)) " of " (grouped(sheets as u64)) }
                    @if number < sheets {
                        a href=(to(number + 1)) rel="next" { "Next" }
                        a href=(to(sheets)) { "Last" }
                    }
                }
            }
        }
    }
}
