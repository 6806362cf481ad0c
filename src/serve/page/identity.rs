//! The report of a user, group, role or policy: its services, and its tracked actions.

use maud::{Markup, html};

use super::filter::Filter;
use super::identities::{snapshot, word, words};
use super::link::Link;
use super::listing::Sheet;
use super::order::{Column, Order};
use super::services::{self, Row, Services, Whose, failed, who};
use super::words::{access, counted, instant, remarks, shown};
use super::{Content, Ground, Part, Refusal, Reporters, Visit};
use crate::identities::{Identity, IdentityIndex, IdentityKind};
use crate::printable::grouped;
use crate::report::page::Page;
use crate::report::service::{
    self, Granularity, Query, Reporter, ServiceReport, TrackedActionLastAccessed, is_younger,
};

/// Names that a remark lists.
const NAMED: usize = 20;

/// Whose report an address asks for.
pub(super) struct Subject<'a> {
    pub index: IdentityIndex,
    pub identity: &'a Identity,
}

impl Subject<'_> {
    /// Returns who may have accessed the services of the report.
    pub(super) fn whose(&self) -> Whose {
        match self.identity.kind {
            IdentityKind::User | IdentityKind::Role => Whose::Own,
            IdentityKind::Group | IdentityKind::Policy => Whose::Entities,
        }
    }
}

/// Returns whom an address names.
pub(super) fn subject<'a>(ground: &Ground<'_, 'a>, visit: &Visit) -> Result<Subject<'a>, Refusal> {
    let (identities, _) = snapshot(ground)?;
    let index = service::find(identities, visit.required("arn")?)?;
    Ok(Subject { index, identity: identities.identity(index) })
}

/// Returns what makes the reports.
pub(super) fn reporter<'r, 'a>(
    reporters: &'r mut Reporters<'a>,
) -> Result<&'r mut Reporter<'a>, Refusal> {
    let missing = || Refusal::not_found("No snapshot of identities was given.");
    reporters.services.as_mut().ok_or_else(missing)
}

/// Returns a request for a whole report.
pub(super) fn query(ground: &Ground<'_, '_>) -> Query<'static> {
    Query {
        granularity: Granularity::ActionLevel,
        page: Page { max_items: None, marker: None, job_id: None },
        job: ground.job(),
    }
}

/// Returns the report by service.
pub(super) fn report<'a>(
    ground: &Ground<'_, 'a>,
    reporters: &mut Reporters<'a>,
    visit: &Visit,
) -> Result<Content, Refusal> {
    let subject = subject(ground, visit)?;
    let reporter = reporter(reporters)?;
    let report = reporter.services(subject.index, &query(ground))?;
    let arn = subject.identity.arn.as_str();
    let services = Services {
        rows: report.services_last_accessed.iter().map(Row::from).collect(),
        whose: subject.whose(),
        has_actions: report.granularity == Granularity::ActionLevel,
        caption: "Services that the policies allow, and when they were last accessed.".to_owned(),
        link: Link::identity(arn).keeping(visit, &services::NAMES),
        service: Link::to("/identity/service").with("arn", arn),
    };
    let table = services::table(ground, visit, services)?;
    let (used, all) = tracked(&report);
    let main = html! {
        (heading(&subject, None))
        (facts(ground, &subject))
        (remarks(&remarks_on(ground, reporter, &subject)))
        h2 { "Services" }
        @if report.granularity == Granularity::ActionLevel {
            p {
                a href=(Link::to("/identity/actions").with("arn", arn)) { "Tracked actions" }
                ": " (grouped(used as u64)) " of " (grouped(all as u64)) " used in this period."
            }
        } @else {
            p { "Actions are not told apart in these reports." }
        }
        (table)
    };
    Ok(Content { title: title(&subject), part: Part::Identities, main })
}

/// Returns how many tracked actions of a report were used, and how many there are.
fn tracked(report: &ServiceReport<'_>) -> (usize, usize) {
    let rows = || {
        let services = report.services_last_accessed.iter();
        services.flat_map(|row| row.tracked_actions_last_accessed.iter().flatten())
    };
    (rows().filter(|action| action.attempts.is_some()).count(), rows().count())
}

const ACTION: Column = Column::sortable("action", "Action");
const LAST_ACCESS: Column = Column::sortable("last-access", "Last access (UTC)");
const REGION: Column = Column::sortable("region", "Region");
const ENTITY: Column = Column::sortable("entity", "Last user or role");

/// An action with the namespace of its service.
type Action<'r> = (&'r str, &'r TrackedActionLastAccessed<'r>);

/// Returns all tracked actions of a report.
pub(super) fn actions<'a>(
    ground: &Ground<'_, 'a>,
    reporters: &mut Reporters<'a>,
    visit: &Visit,
) -> Result<Content, Refusal> {
    let subject = subject(ground, visit)?;
    let reporter = reporter(reporters)?;
    let report = reporter.services(subject.index, &query(ground))?;
    let rows: Vec<Action<'_>> = report
        .services_last_accessed
        .iter()
        .flat_map(|row| {
            let actions = row.tracked_actions_last_accessed.iter().flatten();
            actions.map(|action| (row.service_namespace, action))
        })
        .collect();
    let link = Link::to("/identity/actions").with("arn", &subject.identity.arn);
    let table = action_table(ground, visit, &subject, rows, link)?;
    let main = html! {
        (heading(&subject, Some("Tracked actions")))
        (remarks(&remarks_on(ground, reporter, &subject)))
        (table)
    };
    let title = format!("Tracked actions of {}", title(&subject));
    Ok(Content { title, part: Part::Identities, main })
}

/// Returns the table of actions, with a filter, a page of it at a time.
pub(super) fn action_table(
    ground: &Ground<'_, '_>,
    visit: &Visit,
    subject: &Subject<'_>,
    mut rows: Vec<Action<'_>>,
    link: Link,
) -> Result<Markup, Refusal> {
    let mut columns = vec![ACTION, LAST_ACCESS, REGION];
    if subject.whose() == Whose::Entities {
        columns.push(ENTITY);
    }
    let order = Order::read(visit, &columns, ACTION.key)?;
    let filter = Filter::read(visit)?;
    let (all, unused) =
        (rows.len(), rows.iter().filter(|(_, action)| action.attempts.is_none()).count());
    let name = |(namespace, action): &Action<'_>| format!("{namespace}:{}", action.action_name);
    rows.retain(|row| {
        let last = row.1.attempts.as_ref().map(|it| it.latest.time);
        filter.keeps(ground.reference, [name(row).as_str()], last)
    });
    fn latest<'r>(row: &Action<'r>) -> Option<crate::report::attempt::Attempt<'r>> {
        row.1.attempts.as_ref().map(|it| it.latest)
    }
    order.sort(&mut rows, |one, other| {
        let (one_latest, other_latest) = (latest(one), latest(other));
        match order.key {
            "last-access" => one_latest
                .map(|it| it.time.seconds())
                .cmp(&other_latest.map(|it| it.time.seconds())),
            "region" => one_latest.map(|it| it.region).cmp(&other_latest.map(|it| it.region)),
            "entity" => one_latest.map(|it| it.entity).cmp(&other_latest.map(|it| it.entity)),
            _ => (one.0, one.1.action_name).cmp(&(other.0, other.1.action_name)),
        }
    });
    let link = link.keeping(visit, &services::NAMES);
    let sheet = Sheet::cut(visit, rows)?;
    Ok(html! {
        p.counts {
            strong { (counted(all, "tracked action", "tracked actions")) } " allowed, "
            strong { (grouped(unused as u64)) " never used in this period" }
            @if let Some(start) = ground.facts.start() { ", tracked since " (instant(start)) } "."
            @if filter.is_set() { " The filter leaves " (sheet.counts("action", "actions")) "." }
            @else if all > sheet.rows.len() { " " (sheet.counts("action", "actions")) "." }
        }
        @if all > 0 { (filter.form(&link, "the actions", "Action", &html! {})) }
        @if all == 0 {
            p.empty { "The policies allow no action that IAM tracks." }
        } @else if sheet.rows.is_empty() {
            p.empty { "No action fits the filter." }
        } @else {
            table.rows.actions {
                caption {
                    "Actions that IAM tracks. Data events do not count here, so that a service may "
                    "have been accessed and no action of it used. " (ground.reference.sentence())
                }
                (order.head(&columns, &link))
                tbody {
                    @for row in &sheet.rows { (action_cells(ground, subject, row)) }
                }
            }
        }
        (sheet.pager(&link))
    })
}

fn action_cells(ground: &Ground<'_, '_>, subject: &Subject<'_>, row: &Action<'_>) -> Markup {
    let (namespace, action) = row;
    let attempts = action.attempts.as_deref();
    let latest = attempts.map(|it| it.latest);
    html! {
        tr {
            th scope="row" { code { (shown(namespace)) ":" (shown(action.action_name)) } }
            td {
                (access(ground.reference, latest.map(|it| it.time)))
                @if let Some(attempts) = attempts { (failed(attempts)) }
            }
            td { (shown(latest.and_then(|it| it.region).unwrap_or_default())) }
            @if subject.whose() == Whose::Entities {
                td { @if let Some(latest) = latest { (who(ground, latest.entity)) } }
            }
        }
    }
}

/// Returns the heading of a page on somebody: of one of the pages below the report, with a link to
/// that.
pub(super) fn heading(subject: &Subject<'_>, of: Option<&str>) -> Markup {
    let Identity { arn, name, kind, .. } = subject.identity;
    html! {
        nav.way aria-label="Way to this page" {
            ol {
                li { a href=(Link::to("/identities").with("kind", word(*kind))) { (words(*kind)) } }
                li { a href=(Link::identity(arn)) { (shown(name)) } }
                @if let Some(of) = of { li { (shown(of)) } }
            }
        }
        h1 {
            @if let Some(of) = of { (shown(of)) " of " }
            (shown(name)) " " span.mark { (word(*kind)) }
        }
        p.id { (shown(arn)) }
    }
}

pub(super) fn title(subject: &Subject<'_>) -> String {
    format!("{} {}", word(subject.identity.kind), subject.identity.name)
}

/// Returns who somebody is.
fn facts(ground: &Ground<'_, '_>, subject: &Subject<'_>) -> Markup {
    let Identity { kind, id, account, create_date, role_last_used, principals, .. } =
        subject.identity;
    let whose = match kind {
        IdentityKind::Group => Some("Members"),
        IdentityKind::Policy => Some("Users and roles it is attached to, groups’ members too"),
        IdentityKind::User | IdentityKind::Role => None,
    };
    let in_tree = ground.facts.organization.account(account);
    html! {
        dl.facts {
            div {
                dt { "Account" }
                dd {
                    @match in_tree.map(|it| ground.facts.organization.entity(it)) {
                        Some(account) => {
                            a href=(Link::entity(&account.path)) { (super::tree::name(account)) }
                        },
                        None => (shown(account)),
                    }
                }
            }
            @if !id.is_empty() { div { dt { "Id" } dd { code { (shown(id)) } } } }
            @if let Some(created) = create_date { div { dt { "Created" } dd { (instant(*created)) } } }
            @if let Some(used) = role_last_used {
                div {
                    dt { "Last used, as IAM says in the snapshot" }
                    dd {
                        (instant(used.time))
                        @if let Some(region) = &used.region { " in " (shown(region)) }
                    }
                }
            }
            @if let Some(whose) = whose {
                div { dt { (whose) } dd { (grouped(principals.len() as u64)) } }
            }
        }
    }
}

/// Returns what the reader has to know to read the report on somebody right.
pub(super) fn remarks_on(
    ground: &Ground<'_, '_>,
    reporter: &mut Reporter<'_>,
    subject: &Subject<'_>,
) -> Vec<Markup> {
    let Identity { missing, create_date, principals, .. } = subject.identity;
    let mut remarks: Vec<Markup> = Vec::new();
    if is_younger(*create_date, ground.facts.start()) {
        remarks.push(html! {
            strong { "Younger than the period" }
            @if let Some(start) = ground.facts.start() { ", which begins " (instant(start)) }
            ": not used says little yet."
        });
    }
    if !missing.is_empty() {
        remarks.push(html! {
            strong { "Incomplete:" }
            " attached or joined, but not in the snapshot, so that services or accesses are missing "
            "here: " (named(missing.iter().map(String::as_str))) "."
        });
    }
    if principals.is_empty() {
        remarks.push(html! { "No user or role has these permissions: nobody’s accesses count." });
    }
    let mut undecided = reporter.undecided(subject.index, Granularity::ActionLevel);
    undecided.sort_unstable();
    undecided.dedup();
    if !undecided.is_empty() {
        let names = undecided.iter().map(|it| ground.facts.catalog.service(*it).namespace.as_str());
        remarks.push(html! {
            "Policies are too entangled to decide these services, which are listed as allowed: "
            (named(names)) "."
        });
    }
    remarks.extend(unread(ground, subject));
    remarks
}

/// Returns what was not read of those whose accesses count: unread is not unused.
fn unread(ground: &Ground<'_, '_>, subject: &Subject<'_>) -> Vec<Markup> {
    let Some((identities, activity)) = ground.facts.identities else { return Vec::new() };
    let identity = subject.identity;
    let mut accounts: Vec<&str> = identity
        .principals
        .iter()
        .map(|principal| identities.identity(*principal).account.as_str())
        .collect();
    accounts.sort_unstable();
    accounts.dedup();
    let read = |account: &str| ground.facts.coverage.accounts.get(account);
    let silent: Vec<&str> = accounts.iter().copied().filter(|it| read(it).is_none()).collect();
    let is_without = |it: &&str| read(it).is_some_and(|read| !read.data_events);
    let without_data: Vec<&str> = accounts.iter().copied().filter(is_without).collect();
    let mut remarks = Vec::new();
    if !silent.is_empty() {
        remarks.push(html! {
            strong { "No event of these accounts was read:" } " " (named(silent.iter().copied()))
            ". What looks unused may only not be logged."
        });
    }
    if !without_data.is_empty() {
        remarks.push(html! {
            "No data events of these accounts were read, so that s3, dynamodb, lambda, sqs and "
            "others look less used than they are: " (named(without_data.iter().copied())) "."
        });
    }
    let logged = activity.latest_of(subject.index);
    if let Some(used) = &identity.role_last_used
        && ground.facts.coverage.period.contains(used.time)
        && logged.is_none_or(|logged| logged.seconds() < used.time.seconds())
    {
        remarks.push(html! {
            strong { "Logs are missing, or lack data events:" }
            " the snapshot says that the role was used " (instant(used.time))
            ", and the logs’ last event of it "
            @match logged { Some(logged) => { "is of " (instant(logged)) }, None => "does not exist" }
            "."
        });
    }
    remarks
}

fn named<'n>(names: impl ExactSizeIterator<Item = &'n str>) -> Markup {
    let all = names.len();
    let names: Vec<_> = names.take(NAMED).map(|name| shown(name).into_owned()).collect();
    html! {
        (names.join(", "))
        @if all > NAMED { " and " (grouped((all - NAMED) as u64)) " more" }
    }
}
