//! The users, groups, roles and policies of the snapshot as a list, to find one.

use maud::{Markup, html};

use super::filter::Filter;
use super::link::Link;
use super::listing::Sheet;
use super::order::{Column, Order};
use super::words::{access, day, shown};
use super::{Content, Ground, Part, Refusal, Visit};
use crate::identities::{Identities, Identity, IdentityKind};
use crate::report::service::{Activity, is_younger};
use crate::time::Time;

const COLUMNS: [Column; 5] = [
    Column::sortable("name", "Name"),
    Column::sortable("kind", "Kind"),
    Column::sortable("account", "Account"),
    Column::sortable("created", "Created"),
    Column::sortable("last-activity", "Last activity (UTC)"),
];

/// The parameters of the list.
const NAMES: [&str; 6] = ["kind", "account", "find", "only", "older", "sort"];

const KINDS: [(IdentityKind, &str, &str); 4] = [
    (IdentityKind::User, "user", "users"),
    (IdentityKind::Group, "group", "groups"),
    (IdentityKind::Role, "role", "roles"),
    (IdentityKind::Policy, "policy", "policies"),
];

struct Row<'p> {
    identity: &'p Identity,
    last: Option<Time>,
}

/// Returns the snapshot with its accesses; without one there is no such page.
pub(super) fn snapshot<'a>(
    ground: &Ground<'_, 'a>,
) -> Result<(&'a Identities, &'a Activity<'a>), Refusal> {
    ground.facts.identities.ok_or_else(|| {
        Refusal::not_found(
            "No snapshot of identities was given, so that there is no report on users, groups, \
             roles and policies of accounts: start with --identities PATH.",
        )
    })
}

/// Returns `user`, `group`, `role` or `policy`.
pub(super) fn word(kind: IdentityKind) -> &'static str {
    KINDS.iter().find(|it| it.0 == kind).map_or("", |it| it.1)
}

/// Returns `users`, `groups`, `roles` or `policies`.
pub(super) fn words(kind: IdentityKind) -> &'static str {
    KINDS.iter().find(|it| it.0 == kind).map_or("", |it| it.2)
}

/// Returns the list.
pub(super) fn list(ground: &Ground<'_, '_>, visit: &Visit) -> Result<Content, Refusal> {
    let (identities, activity) = snapshot(ground)?;
    let order = Order::read(visit, &COLUMNS, "name")?;
    let filter = Filter::read(visit)?;
    let kind = visit.parameter("kind").map(kind).transpose()?;
    let account = visit.parameter("account");
    let mut rows: Vec<Row<'_>> = identities
        .identities()
        .map(|(_, identity)| identity)
        .filter(|it| kind.is_none_or(|kind| it.kind == kind))
        .filter(|it| account.is_none_or(|account| it.account == account))
        .map(|identity| {
            let latest = |principal| activity.latest_of(principal);
            Row { identity, last: identity.principals.iter().copied().filter_map(latest).max() }
        })
        .filter(|Row { identity, last }| {
            filter.keeps(ground.reference, [identity.arn.as_str(), identity.id.as_str()], *last)
        })
        .collect();
    let name = |row: &Row<'_>| row.identity.name.to_lowercase();
    rows.sort_by_cached_key(|row| (name(row), row.identity.arn.as_str()));
    if order.key == "name" {
        // They stand in that order.
        order.sort(&mut rows, |_, _| std::cmp::Ordering::Equal);
    } else {
        order.sort(&mut rows, |one, other| match order.key {
            "kind" => one.identity.kind.cmp(&other.identity.kind),
            "account" => one.identity.account.cmp(&other.identity.account),
            "created" => one.identity.create_date.cmp(&other.identity.create_date),
            _ => one.last.cmp(&other.last),
        });
    }
    let sheet = Sheet::cut(visit, rows)?;
    let link = Link::to("/identities").keeping(visit, &NAMES);
    let form = link.clone().with("kind", "").with("account", "");
    let main = html! {
        h1 { "Users, groups, roles and policies" }
        (filter.form(&form, "the identities", "ARN or id", &fields(kind, account, identities)))
        p.counts { strong { (sheet.counts("identity", "identities")) } "." }
        @if sheet.rows.is_empty() {
            p.empty { "Nobody fits." }
        } @else {
            table.rows.identities {
                caption {
                    "The last activity of a group is that of its members, the one of a policy that "
                    "of the users and roles to which it is attached. " (ground.reference.sentence())
                }
                (order.head(&COLUMNS, &link))
                tbody { @for row in &sheet.rows { (cells(ground, row)) } }
            }
        }
        (sheet.pager(&link))
    };
    let title = "Users, groups, roles and policies".to_owned();
    Ok(Content { title, part: Part::Identities, main })
}

fn kind(text: &str) -> Result<IdentityKind, Refusal> {
    let found = KINDS.iter().find(|it| it.1 == text).map(|it| it.0);
    found.ok_or_else(|| Refusal::bad("kind", "is none of `user`, `group`, `role` and `policy`"))
}

fn fields(kind: Option<IdentityKind>, account: Option<&str>, identities: &Identities) -> Markup {
    let account = account.unwrap_or_default();
    html! {
        p {
            label for="kind" { "Kind" }
            select id="kind" name="kind" {
                option value="" selected[kind.is_none()] { "all" }
                @for (one, word, many) in KINDS {
                    option value=(word) selected[kind == Some(one)] { (many) }
                }
            }
        }
        p {
            label for="account" { "Account" }
            input id="account" name="account" value=(account) autocomplete="off"
                placeholder={ "any of " (identities.accounts().len()) };
        }
    }
}

fn cells(ground: &Ground<'_, '_>, row: &Row<'_>) -> Markup {
    let identity = row.identity;
    html! {
        tr {
            th scope="row" {
                a href=(Link::identity(&identity.arn)) { (shown(&identity.name)) }
                " " span.id { (shown(&identity.arn)) }
            }
            td { (word(identity.kind)) }
            td { (shown(&identity.account)) }
            td {
                @if let Some(created) = identity.create_date { (day(created)) }
                @if is_younger(identity.create_date, ground.facts.start()) {
                    " " span.remark { "in this period" }
                }
            }
            td { (access(ground.reference, row.last)) }
        }
    }
}
