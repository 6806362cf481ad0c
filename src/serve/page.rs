//! What a browser sees.

use super::{Facts, Reporters};
use crate::time::Time;

/// What a browser asks for: the path and the decoded query parameters.
pub(super) struct Visit {
    pub(super) path: String,
    pub(super) parameters: Vec<(String, String)>,
}

/// What it gets.
pub(super) struct Page {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) body: Vec<u8>,
}

/// Returns the page of a visit at `now`.
pub(super) fn page<'a>(
    _facts: &Facts<'a>,
    _reporters: &mut Reporters<'a>,
    visit: &Visit,
    _now: Time,
) -> Page {
    Page {
        status: 404,
        content_type: "text/plain",
        body: format!("{} {}\n", visit.path, visit.parameters.len()).into_bytes(),
    }
}
