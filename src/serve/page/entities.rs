//! The units and accounts of the organization as a list, to find one by name, id or path.

use maud::html;

use super::filter::Filter;
use super::link::Link;
use super::listing::Sheet;
use super::order::{Column, Order};
use super::tree;
use super::words::{access, instant_in_utc, shown};
use super::{Content, Ground, Part, Refusal, Visit};
use crate::organization::{Entity, EntityIndex, EntityKind};
use crate::printable::grouped;
use crate::time::Time;

const COLUMNS: [Column; 6] = [
    Column::sortable("name", "Name"),
    Column::sortable("kind", "Kind"),
    Column::sortable("path", "Entity path"),
    Column::sortable("events", "Events counted"),
    Column::sortable("first-event", "First event (UTC)"),
    Column::sortable("last-event", "Last event (UTC)"),
];

/// The parameters of the list.
const NAMES: [&str; 6] = ["below", "kind", "find", "only", "older", "sort"];

struct Row<'p> {
    index: EntityIndex,
    entity: &'p Entity,
    events: u64,
    first: Option<Time>,
    last: Option<Time>,
}

/// Returns the list.
pub(super) fn list(ground: &Ground<'_, '_>, visit: &Visit) -> Result<Content, Refusal> {
    let organization = ground.facts.organization;
    let order = Order::read(visit, &COLUMNS, "path")?;
    let filter = Filter::read(visit)?;
    let below = visit.parameter("below").map(|path| {
        let missing = || Refusal::not_found(format!("No entity has the entity path `{path}`."));
        organization.find(path).ok_or_else(missing)
    });
    let below = below.transpose()?.unwrap_or_else(|| organization.root());
    let kind = visit.parameter("kind").map(kind).transpose()?;
    let mut rows: Vec<Row<'_>> = organization
        .entities()
        .filter(|(index, entity)| {
            organization.is_at_or_below(*index, below) && kind.is_none_or(|it| it == entity.kind)
        })
        .map(|(index, entity)| row(ground, index, entity))
        .filter(|row| {
            let Entity { id, name, path, .. } = row.entity;
            let texts = [id.as_str(), name.as_deref().unwrap_or_default(), path.as_str()];
            filter.keeps(ground.reference, texts, row.last)
        })
        .collect();
    order.sort(&mut rows, |one, other| match order.key {
        "name" => sort_name(one.entity).cmp(&sort_name(other.entity)),
        "kind" => one.entity.kind.cmp(&other.entity.kind),
        "events" => one.events.cmp(&other.events),
        "first-event" => one.first.cmp(&other.first),
        "last-event" => one.last.cmp(&other.last),
        _ => one.entity.path.cmp(&other.entity.path),
    });
    let sheet = Sheet::cut(visit, rows)?;
    let link = Link::to("/entities").keeping(visit, &NAMES);
    let above = organization.entity(below);
    let kinds = html! {
        p {
            label for="kind" { "Kind" }
            select id="kind" name="kind" {
                option value="" selected[kind.is_none()] { "units and accounts" }
                option value="unit" selected[kind == Some(EntityKind::OrganizationalUnit)] {
                    "units"
                }
                option value="account" selected[kind == Some(EntityKind::Account)] { "accounts" }
            }
        }
    };
    let form = link.clone().with("kind", "");
    let main = html! {
        h1 { "Units and accounts" }
        p {
            "At or below " a href=(Link::entity(&above.path)) { (tree::name(above)) } "."
        }
        (filter.form(&form, "the units and accounts", "Name, id or path", &kinds))
        p.counts { strong { (sheet.counts("entity", "entities")) } "." }
        @if sheet.rows.is_empty() {
            p.empty { "Nothing fits." }
        } @else {
            table.rows.units {
                caption {
                    "The events of a unit are those of the accounts below it. "
                    (ground.reference.sentence())
                }
                (order.head(&COLUMNS, &link))
                tbody {
                    @for row in &sheet.rows {
                        tr {
                            th scope="row" {
                                a href=(Link::entity(&row.entity.path)) { (tree::name(row.entity)) }
                                (tree::marks(ground, row.index))
                            }
                            td { (word(row.entity.kind)) }
                            td { code { (shown(&row.entity.path)) } }
                            td.number { (grouped(row.events)) }
                            td { @if let Some(first) = row.first { (instant_in_utc(first)) } }
                            td { (access(ground.reference, row.last)) }
                        }
                    }
                }
            }
        }
        (sheet.pager(&link))
    };
    Ok(Content { title: "Units and accounts".to_owned(), part: Part::Organization, main })
}

fn kind(text: &str) -> Result<EntityKind, Refusal> {
    match text {
        "unit" => Ok(EntityKind::OrganizationalUnit),
        "account" => Ok(EntityKind::Account),
        _ => Err(Refusal::bad("kind", "is neither `unit` nor `account`")),
    }
}

const fn word(kind: EntityKind) -> &'static str {
    match kind {
        EntityKind::Root => "root",
        EntityKind::OrganizationalUnit => "unit",
        EntityKind::Account => "account",
    }
}

fn sort_name(entity: &Entity) -> (Option<String>, &str) {
    (entity.name.as_ref().map(|name| name.to_lowercase()), &entity.id)
}

/// Adds up what was read of the accounts of an entity.
fn row<'p>(ground: &Ground<'p, '_>, index: EntityIndex, entity: &'p Entity) -> Row<'p> {
    let (mut events, mut first, mut last) = (0, None, None);
    for account in ground.facts.organization.accounts_at_or_below(index) {
        let id = &ground.facts.organization.entity(account).id;
        let Some(read) = ground.facts.coverage.accounts.get(id) else { continue };
        events += read.events;
        first = [first, read.first].into_iter().flatten().min();
        last = last.max(read.last);
    }
    Row { index, entity, events, first, last }
}
