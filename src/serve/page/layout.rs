//! What stands around the content of every page: the navigation, and what the reports rest on.

use maud::{DOCTYPE, Markup, html};

use super::coverage;
use super::link::Link;
use super::words::shown;
use super::{Content, Ground, Part, Refusal};

/// Returns the whole document.
pub(super) fn document(ground: &Ground<'_, '_>, content: &Content) -> Markup {
    let has_identities = ground.facts.identities.is_some();
    let part = |part: Part| (content.part == part).then_some("true");
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (shown(&content.title)) " – trailfold" }
                link rel="stylesheet" href="/style.css";
            }
            body {
                a.skip href="#main" { "To the content" }
                header {
                    nav.parts aria-label="Parts" {
                        span.product { "trailfold" }
                        a href="/" aria-current=[part(Part::Organization)] { "Organization" }
                        a href="/policies" aria-current=[part(Part::Policies)] { "Policies" }
                        @if has_identities {
                            a href="/identities" aria-current=[part(Part::Identities)] {
                                "Identities"
                            }
                        }
                        a href="/coverage" aria-current=[part(Part::Coverage)] { "Coverage" }
                    }
                    (coverage::line(ground))
                }
                main #main tabindex="-1" { (content.main) }
                footer {
                    p {
                        "trailfold " (env!("CARGO_PKG_VERSION"))
                        ", recomputed from CloudTrail logs; services and actions as of "
                        (shown(ground.facts.catalog.date())) ". Times are UTC."
                    }
                }
            }
        }
    }
}

/// Returns the page that says why there is no other.
pub(super) fn refusal(refusal: &Refusal) -> Content {
    let main = html! {
        h1 { (refusal.title) }
        p { (shown(&refusal.message)) }
        p { a href=(Link::to("/")) { "To the report of the organization’s root" } }
    };
    Content { title: refusal.title.to_owned(), part: Part::None, main }
}
