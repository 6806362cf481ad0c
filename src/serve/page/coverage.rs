//! What the reports rest on: a line for every page, and the pages that say all.

mod topics;

use maud::{Markup, html};

use super::filter;
use super::link::Link;
use super::listing::Sheet;
use super::words::{has, instant, shown};
use super::{Content, Ground, Part, Refusal, Visit};
use crate::access::Choice;
use crate::organization::EntityKind;
use crate::printable::grouped;
use crate::time::Period;
use topics::{Topic, topics};

/// Rows of a list that stand on the page of everything.
const ROWS: usize = 20;

const TITLE: &str = "What the reports rest on";

/// Returns the line on every page.
pub(super) fn line(ground: &Ground<'_, '_>) -> Markup {
    let coverage = ground.facts.coverage;
    let records = &coverage.records;
    let set_aside: u64 = records.set_aside.values().sum();
    let organization = ground.facts.organization;
    let (mut accounts, mut silent) = (0_u64, 0_u64);
    for (_, entity) in organization.entities() {
        if entity.kind == EntityKind::Account {
            accounts += 1;
            silent += u64::from(!coverage.accounts.contains_key(&entity.id));
        }
    }
    html! {
        section.basis aria-label=(TITLE) {
            p {
                @if !coverage.is_complete() { strong.incomplete { "Incomplete: not all was read." } " " }
                "Period: " (period(coverage.period)) ". "
                @match (coverage.first_event(), coverage.last_event()) {
                    (Some(first), Some(last)) => {
                        "Events from " (instant(first)) " to " (instant(last)) ". "
                    },
                    _ => strong { "No event was counted. " },
                }
                (grouped(records.total())) " records = " (grouped(records.counted)) " counted + "
                (grouped(set_aside)) " set aside + " (grouped(records.malformed)) " malformed. "
                (grouped(silent)) " of " (grouped(accounts)) " accounts without an event. "
                a href="/coverage" {
                    "What the reports rest on"
                    @let notes = ground.facts.notes.len();
                    @if notes > 0 { ", with " (super::words::counted(notes, "note", "notes")) }
                }
            }
        }
    }
}

fn period(period: Period) -> Markup {
    html! {
        @match (period.since, period.until) {
            (None, None) => "everything given",
            (Some(since), None) => { "after " (instant(since)) },
            (None, Some(until)) => { "up to " (instant(until)) },
            (Some(since), Some(until)) => { "after " (instant(since)) " up to " (instant(until)) },
        }
    }
}

/// Returns the page that says all, the first rows of each list at least.
pub(super) fn all(ground: &Ground<'_, '_>) -> Content {
    let coverage = ground.facts.coverage;
    let topics = topics(ground);
    let is_complete = coverage.is_complete();
    let main = html! {
        h1 { (TITLE) }
        p {
            @if is_complete { "Everything given that may hold events was read." }
            @else {
                strong { "Incomplete:" }
                " something that may hold events could not be read. What looks unused may stand there."
            }
        }
        h2 #notes { "Notes" }
        @if ground.facts.notes.is_empty() {
            p { "None." }
        } @else {
            ul { @for note in &ground.facts.notes { li { (shown(note)) } } }
        }
        h2 #period { "Period" }
        dl.facts {
            div { dt { "Period" } dd { (period(coverage.period)) } }
            @if let Some(first) = coverage.first_event() {
                div { dt { "First event" } dd { (instant(first)) } }
            }
            @if let Some(last) = coverage.last_event() {
                div { dt { "Last event" } dd { (instant(last)) } }
            }
            @if let Some(start) = ground.facts.start() {
                div { dt { "Tracked since" } dd { (instant(start)) } }
            }
            div { dt { "Ages" } dd { (ground.reference.sentence()) } }
        }
        h2 #records { "Records" }
        (records(ground))
        h2 #sources { "Sources" }
        (sources(ground))
        h2 #facts { "Facts about services" }
        p {
            (shown(ground.facts.catalog.version())) ", as of " (shown(ground.facts.catalog.date()))
            "."
        }
        @for topic in &topics {
            h2 id=(topic.key) { (topic.title) ": " (grouped(topic.rows.len() as u64)) }
            (part(topic))
        }
    };
    Content { title: TITLE.to_owned(), part: Part::Coverage, main }
}

/// Returns the first rows of a list, with a link to all of them.
fn part(topic: &Topic<'_>) -> Markup {
    html! {
        p { (topic.meaning) }
        @if !topic.rows.is_empty() {
            (table(topic, topic.rows.iter().take(ROWS).collect()))
        }
        @if topic.rows.len() > ROWS {
            p {
                a href=(Link::below("/coverage/", topic.key)) {
                    (topic.title) ": all " (grouped(topic.rows.len() as u64))
                }
            }
        }
    }
}

/// Returns the page of one list.
pub(super) fn topic(ground: &Ground<'_, '_>, visit: &Visit, key: &str) -> Result<Content, Refusal> {
    let topics = topics(ground);
    let missing = || Refusal::not_found(format!("The coverage has no list `{key}`."));
    let topic = topics.into_iter().find(|topic| topic.key == key).ok_or_else(missing)?;
    let find = visit.parameter("find").unwrap_or_default();
    let rows = topic.rows.iter().filter(|row| has(&row.name, find)).collect();
    let sheet = Sheet::cut(visit, rows)?;
    let path = format!("/coverage/{}", topic.key);
    let link = Link::to(&path).keeping(visit, &["find"]);
    let counts = sheet.counts("row", "rows");
    let pager = sheet.pager(&link);
    let main = html! {
        nav.way aria-label="Way to this page" {
            ol {
                li { a href="/coverage" { (TITLE) } }
                li { (topic.title) }
            }
        }
        h1 { (topic.title) }
        p { (topic.meaning) }
        (filter::search(&path, "Find by the first column", find, &[]))
        p.counts { strong { (counts) } "." }
        @if sheet.rows.is_empty() { p.empty { "Nothing fits." } }
        @else { (table(&topic, sheet.rows)) }
        (pager)
    };
    Ok(Content { title: topic.title.to_owned(), part: Part::Coverage, main })
}

fn table(topic: &Topic<'_>, rows: Vec<&topics::Row<'_>>) -> Markup {
    html! {
        div.wide role="region" aria-label=(topic.title) tabindex="0" {
            table.rows {
                caption.aside { (topic.title) }
                thead { tr { @for heading in topic.headings { th scope="col" { (heading) } } } }
                tbody {
                    @for row in rows {
                        tr {
                            th scope="row" { (shown(&row.name)) }
                            @for (cell, heading) in
                                row.cells.iter().zip(topic.headings.iter().skip(1)) {
                                td data-label=(heading) { (cell) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Returns the sum of the records (V2).
fn records(ground: &Ground<'_, '_>) -> Markup {
    let records = &ground.facts.coverage.records;
    let switches = &ground.facts.coverage.switches;
    let choices = [
        ("calls of AWS services logged as the root user", switches.root_service_calls),
        ("calls that a service makes with a role’s permissions", switches.forward_access),
        ("calls by service-linked roles", switches.service_linked_roles),
        ("console actions", switches.console_actions),
        ("successful console sign-ins", switches.console_sign_ins),
    ];
    html! {
        table.sum {
            caption { "Every record is counted, set aside for a reason, or malformed." }
            thead { tr { th scope="col" { "Records" } th scope="col" { "Number" } } }
            tbody {
                tr { th scope="row" { "counted" } td.number { (grouped(records.counted)) } }
                @for (reason, count) in &records.set_aside {
                    tr {
                        th scope="row" { "set aside: " (reason) }
                        td.number { (grouped(*count)) }
                    }
                }
                tr { th scope="row" { "malformed" } td.number { (grouped(records.malformed)) } }
            }
            tfoot {
                tr { th scope="row" { "all" } td.number { (grouped(records.total())) } }
            }
        }
        p { "Where it may be decided:" }
        ul {
            @for (what, choice) in choices {
                li {
                    (what) ": "
                    @match choice { Choice::Count => "counted", Choice::SetAside => "set aside" }
                }
            }
        }
    }
}

fn sources(ground: &Ground<'_, '_>) -> Markup {
    let coverage = ground.facts.coverage;
    let sources = &coverage.sources;
    html! {
        table.sum {
            caption { "Files and streams by what became of them." }
            thead {
                tr {
                    th scope="col" { "Sources" }
                    th scope="col" { "Number" }
                    th scope="col" { "The first of them" }
                }
            }
            tbody {
                @for (what, count) in
                    [("read", sources.read), ("empty", sources.empty), ("failed", sources.failed)] {
                    tr { th scope="row" { (what) } td.number { (grouped(count)) } td {} }
                }
                @for (reason, set_aside) in &sources.set_aside {
                    tr {
                        th scope="row" { "set aside: " (reason) }
                        td.number { (grouped(set_aside.count)) }
                        td { (shown(&set_aside.first)) }
                    }
                }
            }
        }
        p {
            (grouped(coverage.bytes_read)) " bytes read, " (grouped(coverage.bytes_decompressed))
            " after decompression."
        }
    }
}
