//! The attempts that a row of a report rests on, each down to the event that the logs have.

use maud::{Markup, html};

use super::Ground;
use super::services::who;
use super::words::{aged, shown};
use crate::report::attempt::{Attempt, Attempts};

/// Returns the table of the attempts at one thing.
pub(super) fn table(ground: &Ground<'_, '_>, attempts: Option<&Attempts<'_>>) -> Markup {
    let Some(attempts) = attempts else {
        return html! { p.empty { "Never accessed in this period." } };
    };
    let rows = [
        ("Latest attempt", Some(attempts.latest)),
        ("Latest success", attempts.success),
        ("Latest denial", attempts.denial),
        ("First attempt", Some(attempts.first)),
    ];
    html! {
        table.rows.evidence {
            caption {
                "What the logs have of it. Every authenticated attempt counts as an access, denied and "
                "failed ones too. " (ground.reference.sentence())
            }
            thead {
                tr {
                    th scope="col" { "Attempt" }
                    th scope="col" { "When (UTC)" }
                    th scope="col" { "Event" }
                    th scope="col" { "Region" }
                    th scope="col" { "By" }
                    th scope="col" { "Principal, as logged" }
                    th scope="col" { "Event id" }
                    th scope="col" { "Read from" }
                }
            }
            tbody {
                @for (which, attempt) in rows {
                    tr {
                        th scope="row" { (which) }
                        @match attempt {
                            Some(attempt) => (cells(ground, attempt)),
                            None => td colspan="7" { "none in this period" },
                        }
                    }
                }
            }
        }
    }
}

fn cells(ground: &Ground<'_, '_>, attempt: Attempt<'_>) -> Markup {
    html! {
        td { (aged(ground.reference, attempt.time)) }
        td { (shown(attempt.event_name)) " " span.id { (shown(attempt.event_source)) } }
        td { (shown(attempt.region.unwrap_or("none logged"))) }
        td { (who(ground, attempt.entity)) }
        td { (shown(attempt.principal.unwrap_or("the account alone is known"))) }
        td.id {
            @match attempt.event_id {
                Some(id) => (shown(&id.to_string())),
                None => "none logged",
            }
        }
        td.id { (shown(attempt.source.unwrap_or("the rollup does not say"))) }
    }
}
