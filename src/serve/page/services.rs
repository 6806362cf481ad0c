//! The table of services that both kinds of reports have: what was used last, when, where, by whom.

use maud::{Markup, html};

use super::filter::{self, Filter};
use super::link::Link;
use super::order::{Column, Order};
use super::words::{access, counted, instant, shown};
use super::{Ground, Refusal, Visit};
use crate::printable::grouped;
use crate::report::attempt::Attempts;
use crate::report::organizations::AccessDetail;
use crate::report::service::ServiceLastAccessed;

/// The parameters that an address of such a table may have beside those of the report.
pub(super) const NAMES: [&str; 4] = {
    let [find, only, older] = filter::NAMES;
    [find, only, older, "sort"]
};

/// One service.
pub(super) struct Row<'r> {
    name: &'r str,
    pub namespace: &'r str,
    attempts: Option<&'r Attempts<'r>>,
    /// How many accounts, or users and roles, accessed it.
    entities: u64,
    /// How many of the tracked actions were used, and how many there are.
    actions: Option<(usize, usize)>,
}

impl<'r> From<&'r AccessDetail<'_>> for Row<'r> {
    fn from(row: &'r AccessDetail<'_>) -> Self {
        Self {
            name: row.service_name,
            namespace: row.service_namespace,
            attempts: row.attempts.as_ref(),
            entities: row.total_authenticated_entities,
            actions: None,
        }
    }
}

impl<'r> From<&'r ServiceLastAccessed<'_>> for Row<'r> {
    fn from(row: &'r ServiceLastAccessed<'_>) -> Self {
        let actions = row.tracked_actions_last_accessed.as_ref().map(|actions| {
            (actions.iter().filter(|action| action.attempts.is_some()).count(), actions.len())
        });
        Self {
            name: row.service_name,
            namespace: row.service_namespace,
            attempts: row.attempts.as_deref(),
            entities: row.total_authenticated_entities,
            actions,
        }
    }
}

/// Who may have accessed the services of a report.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// Accounts of an organization.
    Accounts,
    /// Several users and roles.
    Entities,
    /// The one whose report it is.
    Own,
}

impl Whose {
    const fn class(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Entities => "entities",
            Self::Own => "own",
        }
    }
}

/// What is to be shown.
pub(super) struct Services<'r> {
    /// In the order of the report.
    pub rows: Vec<Row<'r>>,
    pub whose: Whose,
    /// Whether actions are told apart.
    pub has_actions: bool,
    /// What the table is about.
    pub caption: String,
    /// The page it stands on.
    pub link: Link,
    /// The page on one service, which lacks only its namespace.
    pub service: Link,
}

const SERVICE: Column = Column::sortable("service", "Service");
const NAMESPACE: Column = Column::sortable("namespace", "Namespace");
const LAST_ACCESS: Column = Column::sortable("last-access", "Last access (UTC)");
const REGION: Column = Column::sortable("region", "Region");
const ACCOUNT: Column = Column::sortable("account", "Last account");
const ACCOUNTS: Column = Column::sortable("accounts", "Accounts");
const ENTITY: Column = Column::sortable("entity", "Last user or role");
const ENTITIES: Column = Column::sortable("entities", "Users and roles");
const ACTIONS: Column = Column::sortable("actions", "Tracked actions used");

impl Services<'_> {
    fn columns(&self) -> Vec<Column> {
        let mut columns = vec![SERVICE, NAMESPACE, LAST_ACCESS, REGION];
        match self.whose {
            Whose::Accounts => columns.extend([ACCOUNT, ACCOUNTS]),
            Whose::Entities => columns.extend([ENTITY, ENTITIES]),
            Whose::Own => {}
        }
        if self.has_actions {
            columns.push(ACTIONS);
        }
        columns
    }
}

/// Returns the filter and the table.
pub(super) fn table(
    ground: &Ground<'_, '_>,
    visit: &Visit,
    mut services: Services<'_>,
) -> Result<Markup, Refusal> {
    let columns = services.columns();
    let order = Order::read(visit, &columns, NAMESPACE.key)?;
    let filter = Filter::read(visit)?;
    let all = services.rows.len();
    let unused = services.rows.iter().filter(|row| row.attempts.is_none()).count();
    services.rows.retain(|row| {
        let last = row.attempts.map(|it| it.latest.time);
        filter.keeps(ground.reference, [row.name, row.namespace], last)
    });
    sort(&mut services.rows, order);
    let Services { rows, whose, has_actions, caption, link, service } = services;
    Ok(html! {
        p.counts {
            strong { (counted(all, "service", "services")) } ", "
            strong { (grouped(unused as u64)) " never accessed in this period" }
            @if let Some(start) = ground.facts.start() { ", tracked since " (instant(start)) } "."
            @if filter.is_set() { " The filter leaves " strong { (grouped(rows.len() as u64)) } "." }
        }
        @if all > 0 {
            (filter.form(&link, "the services", "Name or namespace", &html! {}))
        }
        @if all == 0 {
            p.empty { "The policies allow no service." }
        } @else if rows.is_empty() {
            p.empty { "No service fits the filter." }
        } @else {
            table class={ "rows services " (whose.class()) } {
                caption { (caption) " " (ground.reference.sentence()) }
                (order.head(&columns, &link))
                tbody {
                    @for row in &rows {
                        (cells(ground, row, whose, has_actions, &service))
                    }
                }
            }
        }
    })
}

fn sort(rows: &mut [Row<'_>], order: Order) {
    // Times count as they are printed, as in the report.
    let time = |row: &Row<'_>| row.attempts.map(|it| it.latest.time.seconds());
    fn latest<'r>(row: &Row<'r>) -> (Option<&'r str>, Option<&'r str>) {
        (row.attempts.and_then(|it| it.latest.region), row.attempts.map(|it| it.latest.entity))
    }
    order.sort(rows, |one, other| match order.key {
        "service" => one.name.to_lowercase().cmp(&other.name.to_lowercase()),
        "last-access" => time(one).cmp(&time(other)),
        "region" => latest(one).0.cmp(&latest(other).0),
        "account" | "entity" => latest(one).1.cmp(&latest(other).1),
        "accounts" | "entities" => one.entities.cmp(&other.entities),
        "actions" => one.actions.cmp(&other.actions),
        _ => one.namespace.cmp(other.namespace),
    });
}

fn cells(
    ground: &Ground<'_, '_>,
    row: &Row<'_>,
    whose: Whose,
    has_actions: bool,
    service: &Link,
) -> Markup {
    let latest = row.attempts.map(|it| it.latest);
    html! {
        tr {
            th scope="row" {
                a href=(service.clone().with("service", row.namespace)) { (shown(row.name)) }
            }
            td { code { (shown(row.namespace)) } }
            td {
                (access(ground.reference, latest.map(|it| it.time)))
                @if let Some(attempts) = row.attempts { (failed(attempts)) }
            }
            td { (shown(latest.and_then(|it| it.region).unwrap_or_default())) }
            @if whose != Whose::Own {
                td { @if let Some(latest) = latest { (who(ground, latest.entity)) } }
                td.number { (grouped(row.entities)) }
            }
            @if has_actions {
                td { @if let Some((used, all)) = row.actions { (used) " of " (all) } }
            }
        }
    }
}

/// Returns the remark on attempts of which the latest did not succeed; they count all the same (P1).
pub(super) fn failed(attempts: &Attempts<'_>) -> Markup {
    if attempts.success == Some(attempts.latest) {
        return html! {};
    }
    let is_denied = attempts.denial == Some(attempts.latest);
    html! {
        " " span.remark {
            @if is_denied { "this attempt was denied" } @else { "this attempt failed" }
            @match attempts.success {
                Some(success) => { "; last success " (super::words::day(success.time)) },
                None => "; none succeeded",
            }
        }
    }
}

/// Returns whose an attempt was, as a link to its report: an account by the entity path down to it,
/// a user or role by its ARN.
pub(super) fn who(ground: &Ground<'_, '_>, entity: &str) -> Markup {
    let organization = ground.facts.organization;
    if let Some(index) = organization.find(entity) {
        let account = organization.entity(index);
        return html! { a href=(Link::entity(entity)) { (super::tree::name(account)) } };
    }
    html! { a href=(Link::identity(entity)) { (shown(short(entity))) } }
}

/// Returns what of an ARN tells it from others of its account: `role/build`.
pub(super) fn short(arn: &str) -> &str {
    arn.splitn(6, ':').nth(5).unwrap_or(arn)
}
