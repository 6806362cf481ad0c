//! One service of the report on a user, group, role or policy: the attempts it rests on, its tracked
//! actions, and who used it.

use maud::{Markup, html};

use super::identity::{self, Subject};
use super::link::Link;
use super::listing::Sheet;
use super::services::Whose;
use super::words::{access, counted, day, remarks, shown};
use super::{Content, Ground, Part, Refusal, Reporters, Visit, evidence};
use crate::report::service::{EntityDetails, Granularity, ServiceLastAccessed};

/// Returns the page.
pub(super) fn service<'a>(
    ground: &Ground<'_, 'a>,
    reporters: &mut Reporters<'a>,
    visit: &Visit,
) -> Result<Content, Refusal> {
    let subject = identity::subject(ground, visit)?;
    let namespace = visit.required("service")?;
    let reporter = identity::reporter(reporters)?;
    let query = identity::query(ground);
    let report = reporter.services(subject.index, &query)?;
    let is_asked = |row: &&ServiceLastAccessed<'_>| row.service_namespace == namespace;
    let row = report.services_last_accessed.iter().find(is_asked).ok_or_else(|| {
        Refusal::not_found(format!("The report lists no service with the namespace `{namespace}`."))
    })?;
    let entities = reporter.entities(subject.index, namespace, &query)?.entity_details_list;
    let arn = subject.identity.arn.as_str();
    let link = Link::to("/identity/service").with("arn", arn).with("service", namespace);
    let actions = actions(ground, visit, &subject, row, report.granularity, &link)?;
    let heading = identity::heading(&subject, Some(row.service_name));
    let main = html! {
        (heading)
        (remarks(&identity::remarks_on(ground, reporter, &subject)))
        h2 { "Last accesses" }
        (evidence::table(ground, row.attempts.as_deref()))
        @if subject.whose() == Whose::Entities {
            h2 #who { "Who used it" }
            (who_used(ground, visit, entities, &link)?)
        }
        h2 #actions { "Tracked actions" }
        (actions)
    };
    let title = format!("{} of {}", row.service_name, identity::title(&subject));
    Ok(Content { title, part: Part::Identities, main })
}

fn actions(
    ground: &Ground<'_, '_>,
    visit: &Visit,
    subject: &Subject<'_>,
    row: &ServiceLastAccessed<'_>,
    granularity: Granularity,
    link: &Link,
) -> Result<Markup, Refusal> {
    if granularity == Granularity::ServiceLevel {
        return Ok(html! { p.empty { "Actions are not told apart in these reports." } });
    }
    let actions = row.tracked_actions_last_accessed.iter().flatten();
    let rows = actions.map(|action| (row.service_namespace, action)).collect();
    let link = link.clone().keeping(visit, &["who"]);
    identity::action_table(ground, visit, subject, rows, link)
}

/// Returns the table of users and roles: the latest first, who never used it last.
fn who_used(
    ground: &Ground<'_, '_>,
    visit: &Visit,
    entities: Vec<EntityDetails<'_>>,
    link: &Link,
) -> Result<Markup, Refusal> {
    let all = entities.len();
    let unused = entities.iter().filter(|it| it.attempts.is_none()).count();
    let sheet = Sheet::cut_by(visit, "who", entities)?;
    Ok(html! {
        p.counts {
            strong { (counted(all, "user or role", "users and roles")) } ", "
            strong { (unused) " of them never in this period" } "."
        }
        @if all > 0 {
            table.rows.who {
                caption {
                    "Users and roles that have these permissions, the latest first. "
                    (ground.reference.sentence())
                }
                thead {
                    tr {
                        th scope="col" { "User or role" }
                        th scope="col" { "Kind" }
                        th scope="col" { "Created" }
                        th scope="col" { "Last access (UTC)" }
                    }
                }
                tbody { @for row in &sheet.rows { (cells(ground, row)) } }
            }
        }
        (sheet.pager(link))
    })
}

fn cells(ground: &Ground<'_, '_>, row: &EntityDetails<'_>) -> Markup {
    let attempts = row.attempts.as_ref();
    html! {
        tr {
            th scope="row" {
                a href=(Link::identity(row.entity.arn)) { (shown(row.name)) }
                " " span.id { (shown(row.entity.arn)) }
            }
            td { (row.entity_type.to_lowercase()) }
            td {
                @if let Some(created) = row.entity.create_date { (day(created)) }
                @if row.entity.is_younger_than_period { " " span.remark { "in this period" } }
            }
            td {
                (access(ground.reference, attempts.map(|it| it.latest.time)))
                @if let Some(attempts) = attempts { (super::services::failed(attempts)) }
            }
        }
    }
}
