//! What a form above a table leaves of its rows.

use maud::{Markup, html};

use super::link::Link;
use super::words::{Reference, has};
use super::{Refusal, Visit};
use crate::time::Time;

/// The parameters of the form.
pub(super) const NAMES: [&str; 3] = ["find", "only", "older"];

/// Which rows are asked for.
#[derive(Clone, Copy)]
pub(super) struct Filter<'v> {
    /// A text that a row has.
    pub find: &'v str,
    use_: Use,
    /// No access in so many days before the reference.
    older: Option<u32>,
}

/// Whether rows are asked for by having been used at all.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Any,
    Never,
    Used,
}

impl<'v> Filter<'v> {
    pub(super) fn read(visit: &'v Visit) -> Result<Self, Refusal> {
        let use_ = match visit.parameter("only") {
            None => Use::Any,
            Some("unused") => Use::Never,
            Some("used") => Use::Used,
            Some(_) => return Err(Refusal::bad("only", "is neither `unused` nor `used`")),
        };
        let find = visit.parameter("find").unwrap_or_default();
        Ok(Self { find, use_, older: visit.number("older")? })
    }

    /// Returns whether a row stays whose texts are these and whose last access was then.
    pub(super) fn keeps<'t>(
        &self,
        reference: Reference,
        texts: impl IntoIterator<Item = &'t str>,
        last: Option<Time>,
    ) -> bool {
        let is_old = |days| last.is_none_or(|last| reference.is_older(last, days));
        let is_of_use = match self.use_ {
            Use::Any => true,
            Use::Never => last.is_none(),
            Use::Used => last.is_some(),
        };
        is_of_use && self.older.is_none_or(is_old) && texts.into_iter().any(|it| has(it, self.find))
    }

    /// Returns whether it asks for anything.
    pub(super) fn is_set(&self) -> bool {
        !self.find.is_empty() || self.use_ != Use::Any || self.older.is_some()
    }

    /// Returns the form. It leads to `link`, with what that has of other parameters; `texts` are
    /// what is searched for a text, and `more` are further fields.
    pub(super) fn form(&self, link: &Link, of: &str, texts: &str, more: &Markup) -> Markup {
        let own = |name: &str| NAMES.contains(&name);
        let cleared = NAMES.iter().fold(link.clone(), |link, name| link.with(name, ""));
        let state = |wanted: Use| self.use_ == wanted;
        html! {
            form.filter method="get" action=(link.path()) role="search" aria-label={ "Filter " (of) } {
                @for (name, value) in link.parameters().iter().filter(|(name, _)| !own(name)) {
                    input type="hidden" name=(name) value=(value);
                }
                p {
                    label for="find" { (texts) }
                    input id="find" name="find" type="search" value=(self.find) autocomplete="off"
                        spellcheck="false";
                }
                (more)
                p {
                    label for="only" { "Use" }
                    select id="only" name="only" {
                        option value="" selected[state(Use::Any)] { "used or not" }
                        option value="unused" selected[state(Use::Never)] { "not used only" }
                        option value="used" selected[state(Use::Used)] { "used only" }
                    }
                }
                p {
                    label for="older" { "No access in the last … days" }
                    input id="older" name="older" type="number" min="0" max="99999"
                        value=[self.older];
                }
                p.buttons {
                    button type="submit" { "Filter" }
                    @if self.is_set() {
                        " " a href=(cleared) { "Show all" }
                    }
                }
            }
        }
    }
}

/// Returns a form that asks for a text alone.
pub(super) fn search(path: &str, label: &str, find: &str, kept: &[(&str, &str)]) -> Markup {
    html! {
        form.filter method="get" action=(path) role="search" aria-label=(label) {
            @for (name, value) in kept {
                input type="hidden" name=(name) value=(value);
            }
            p {
                label for="find-text" { (label) }
                input id="find-text" name="find" type="search" value=(find) autocomplete="off"
                    spellcheck="false";
            }
            p.buttons { button type="submit" { "Find" } }
        }
    }
}
