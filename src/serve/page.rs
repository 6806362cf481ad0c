//! What a person with a browser sees: the reports of one set of facts as plain pages. A page is a
//! function of its address, the facts and the time; it needs no script.

mod coverage;
mod entities;
mod evidence;
mod filter;
mod identities;
mod identity;
mod layout;
mod link;
mod listing;
mod order;
mod organization;
mod policies;
mod principals;
mod services;
mod tree;
mod words;

use std::borrow::Cow;

use maud::Markup;
use percent_encoding::percent_decode_str;

use super::{Facts, Reporters};
use crate::report::organizations::Attachments;
use crate::report::{JobDates, RequestError};
use crate::time::Time;
use words::Reference;

/// The one style sheet.
const STYLE: &str = include_str!("page/style.css");

const HTML: &str = "text/html; charset=utf-8";

/// What a browser asks for: the path and the decoded query parameters.
pub(super) struct Visit {
    pub(super) path: String,
    pub(super) parameters: Vec<(String, String)>,
}

impl Visit {
    /// Returns the value of a parameter; none where it is absent or blank, as a field of a form is
    /// that nobody filled in.
    fn parameter(&self, name: &str) -> Option<&str> {
        let values = self.parameters.iter().filter(|(its_name, _)| its_name == name);
        values.map(|(_, value)| value.trim()).find(|value| !value.is_empty())
    }

    /// Returns a parameter without which there is no such page.
    fn required(&self, name: &'static str) -> Result<&str, Refusal> {
        self.parameter(name).ok_or_else(|| Refusal::bad(name, "is missing"))
    }

    /// Returns a parameter that is a whole number.
    fn number(&self, name: &'static str) -> Result<Option<u32>, Refusal> {
        let read = |text: &str| text.parse().map_err(|_| Refusal::bad(name, "is no whole number"));
        self.parameter(name).map(read).transpose()
    }
}

/// What the browser gets.
pub(super) struct Page {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) body: Vec<u8>,
}

impl Page {
    fn new(status: u16, content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, content_type, body: body.into() }
    }
}

/// The parts that the navigation at the top of each page leads to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Organization,
    Policies,
    Identities,
    Coverage,
    None,
}

/// What is between the head of a page and its foot.
struct Content {
    /// What the page is, for the title of the window.
    title: String,
    part: Part,
    main: Markup,
}

/// Why there is no such page.
struct Refusal {
    status: u16,
    title: &'static str,
    /// A sentence in plain text, hostile characters and all.
    message: String,
}

impl Refusal {
    fn not_found(message: impl Into<String>) -> Self {
        Self { status: 404, title: "Not found", message: message.into() }
    }

    fn bad(parameter: &str, what: &str) -> Self {
        let message = format!("The parameter `{parameter}` {what}.");
        Self { status: 400, title: "Not understood", message }
    }
}

/// What IAM would refuse, in its words.
impl From<RequestError> for Refusal {
    fn from(error: RequestError) -> Self {
        match error.code {
            "NoSuchEntity" => Self::not_found(error.to_string()),
            _ => Self { status: 400, title: "Not understood", message: error.to_string() },
        }
    }
}

/// What every page is made from.
struct Ground<'p, 'a> {
    facts: &'p Facts<'a>,
    now: Time,
    /// Which attachments of a policy count (O2).
    attachments: Attachments,
    /// What ages are counted back from.
    reference: Reference,
}

impl Ground<'_, '_> {
    const fn job(&self) -> JobDates {
        JobDates { creation: self.now, completion: self.now }
    }
}

/// Returns the page at an address; `now` is for ages and job dates. Whatever is asked, there is a
/// page: one that says what is wrong, if there is no other.
pub(super) fn page<'a>(
    facts: &Facts<'a>,
    reporters: &mut Reporters<'a>,
    attachments: Attachments,
    visit: &Visit,
    now: Time,
) -> Page {
    let ground = Ground { facts, now, attachments, reference: Reference::new(facts, now) };
    let content = match visit.path.as_str() {
        "/style.css" => return Page::new(200, "text/css; charset=utf-8", STYLE),
        // Browsers ask for it unasked; that it is missing is no news.
        "/favicon.ico" => return Page::new(204, "image/x-icon", ""),
        "/" => organization::report(&ground, reporters, visit, None),
        "/entities" => entities::list(&ground, visit),
        "/service" => organization::service(&ground, reporters, visit),
        "/policies" => policies::list(&ground, visit),
        "/identities" => identities::list(&ground, visit),
        "/identity" => identity::report(&ground, reporters, visit),
        "/identity/actions" => identity::actions(&ground, reporters, visit),
        "/identity/service" => principals::service(&ground, reporters, visit),
        "/coverage" => Ok(coverage::all(&ground)),
        path => below(&ground, reporters, visit, path),
    };
    match content {
        Ok(content) => Page::new(200, HTML, layout::document(&ground, &content).into_string()),
        Err(refusal) => {
            let content = layout::refusal(&refusal);
            Page::new(refusal.status, HTML, layout::document(&ground, &content).into_string())
        }
    }
}

/// Returns the page at a path whose last part names what it is about.
fn below<'a>(
    ground: &Ground<'_, 'a>,
    reporters: &mut Reporters<'a>,
    visit: &Visit,
    path: &str,
) -> Result<Content, Refusal> {
    let decoded = |name| percent_decode_str(name).decode_utf8().unwrap_or(Cow::Borrowed(name));
    if let Some(id) = path.strip_prefix("/policy/") {
        return organization::report(ground, reporters, visit, Some(&decoded(id)));
    }
    if let Some(topic) = path.strip_prefix("/coverage/") {
        return coverage::topic(ground, visit, &decoded(topic));
    }
    Err(Refusal::not_found("There is no page at this address."))
}

#[cfg(test)]
mod tests;
