//! The report of an entity of the organization, with or without a policy, and of one of its
//! services.

use maud::{Markup, html};

use super::link::Link;
use super::services::{self, Row, Services, Whose};
use super::tree::{self, Tree};
use super::words::{counted, instant, remarks, shown};
use super::{Content, Ground, Part, Refusal, Reporters, Visit, evidence, filter};
use crate::organization::{Entity, EntityIndex, EntityKind, PolicyScope};
use crate::printable::grouped;
use crate::report::organizations::{
    AccessDetail, AccessReport, Attachments, Query, UnusedIamRegion,
};
use crate::report::page::{Page, SortKey};

/// Names of services that a remark lists.
const NAMED: usize = 20;

/// The report that an address asks for.
struct Asked<'r> {
    entity: EntityIndex,
    report: AccessReport<'r>,
    remarks: Vec<Markup>,
}

/// Returns the report of an entity, the root where none is named.
pub(super) fn report<'a>(
    ground: &Ground<'_, 'a>,
    reporters: &mut Reporters<'a>,
    visit: &Visit,
    policy_id: Option<&str>,
) -> Result<Content, Refusal> {
    let organization = ground.facts.organization;
    let asked = ask(ground, reporters, visit, policy_id)?;
    let entity = organization.entity(asked.entity);
    let link = tree::link(policy_id, &entity.path).keeping(visit, &services::NAMES);
    let service = Link::to("/service")
        .with("entity", &entity.path)
        .with("policy", policy_id.unwrap_or_default());
    let services = Services {
        rows: asked.report.access_details.iter().map(Row::from).collect(),
        whose: Whose::Accounts,
        has_actions: false,
        caption: match policy_id {
            None => "Services that the policies allow, and who accessed them last.".to_owned(),
            Some(_) => {
                "Services that this policy alone allows, and who accessed them last.".to_owned()
            }
        },
        link,
        service,
    };
    let table = services::table(ground, visit, services)?;
    let title = title(entity, policy_id);
    let main = html! {
        div.beside {
            div {
                (way(ground, asked.entity, policy_id))
                h1 { (heading(entity, policy_id)) (tree::marks(ground, asked.entity)) }
                p.jump { a href="#tree" { "To the organization’s tree" } }
                (facts(ground, asked.entity, policy_id))
                (remarks(&asked.remarks))
                h2 { "Services" }
                (table)
            }
            nav #tree aria-label="The organization’s tree" {
                h2 { "Organization" }
                (filter::search("/entities", "Find a unit or account", "", &[]))
                (Tree::new(ground, asked.entity, policy_id).markup())
            }
        }
    };
    let part = if policy_id.is_some() { Part::Policies } else { Part::Organization };
    Ok(Content { title, part, main })
}

/// Returns the page on one service of a report.
pub(super) fn service<'a>(
    ground: &Ground<'_, 'a>,
    reporters: &mut Reporters<'a>,
    visit: &Visit,
) -> Result<Content, Refusal> {
    let policy_id = visit.parameter("policy");
    let namespace = visit.required("service")?;
    let asked = ask(ground, reporters, visit, policy_id)?;
    let entity = ground.facts.organization.entity(asked.entity);
    let is_asked = |row: &&AccessDetail<'_>| row.service_namespace == namespace;
    let row = asked.report.access_details.iter().find(is_asked).ok_or_else(|| {
        Refusal::not_found(format!("The report lists no service with the namespace `{namespace}`."))
    })?;
    let main = html! {
        (way(ground, asked.entity, policy_id))
        h1 { (shown(row.service_name)) " " code { (shown(row.service_namespace)) } }
        p {
            "As accessed from " a href=(tree::link(policy_id, &entity.path)) { (tree::name(entity)) }
            @if let Some(id) = policy_id { ", with the policy " code { (shown(id)) } " alone" }
            ", by "
            strong {
                (counted(usize::try_from(row.total_authenticated_entities).unwrap_or(usize::MAX),
                    "account", "accounts"))
            }
            "."
        }
        (remarks(&asked.remarks))
        (evidence::table(ground, row.attempts.as_ref()))
    };
    let title = format!("{}: {}", row.service_name, title(entity, policy_id));
    Ok(Content { title, part: Part::Organization, main })
}

/// Makes the whole report of the entity that an address names.
fn ask<'q, 'a: 'q>(
    ground: &Ground<'_, 'a>,
    reporters: &mut Reporters<'a>,
    visit: &'q Visit,
    policy_id: Option<&'q str>,
) -> Result<Asked<'q>, Refusal> {
    let organization = ground.facts.organization;
    let root = organization.entity(organization.root()).path.as_str();
    let query = Query {
        entity_path: visit.parameter("entity").unwrap_or(root),
        policy_id,
        attachments: ground.attachments,
        sort_key: SortKey::ServiceNamespaceAscending,
        page: Page::default(),
        unused_iam_region: UnusedIamRegion::Absent,
        job: ground.job(),
    };
    let Some(entity) = organization.find(query.entity_path) else {
        let report = reporters.organizations.report(&query)?;
        return Err(failed(report.outcome.err()));
    };
    let outcome = reporters.organizations.report_of(entity, &query)?.outcome;
    let report = outcome.map_err(|error| failed(Some(error)))?;
    let undecided = reporters.organizations.undecided(entity, &query);
    let undecided: Vec<&str> =
        undecided.map(|it| ground.facts.catalog.service(it).namespace.as_str()).collect();
    let mut remarks = remarks_on(ground, entity, policy_id);
    if !undecided.is_empty() {
        remarks.push(html! {
            "Policies are too entangled to decide these services, which are listed as allowed: "
            (named(&undecided)) "."
        });
    }
    Ok(Asked { entity, report, remarks })
}

/// What a job would have failed with.
fn failed(error: Option<crate::report::ErrorDetails>) -> Refusal {
    match error {
        Some(error) => Refusal::not_found(format!("{}: {}", error.code, error.message)),
        None => Refusal::not_found("There is no such entity."),
    }
}

fn named(names: &[&str]) -> Markup {
    html! {
        (shown(&names.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ")))
        @if names.len() > NAMED { " and " (names.len() - NAMED) " more" }
    }
}

fn title(entity: &Entity, policy_id: Option<&str>) -> String {
    let name = entity.name.as_ref().map_or_else(String::new, |name| format!("{name} "));
    match policy_id {
        None => format!("{name}{}", entity.id),
        Some(policy) => format!("{policy} at {name}{}", entity.id),
    }
}

fn heading(entity: &Entity, policy_id: Option<&str>) -> Markup {
    html! {
        @if let Some(id) = policy_id { "Policy " code { (shown(id)) } " at " }
        (tree::name(entity))
    }
}

/// Returns the way from the root down to an entity.
fn way(ground: &Ground<'_, '_>, entity: EntityIndex, policy_id: Option<&str>) -> Markup {
    let organization = ground.facts.organization;
    let chain = organization.chain(entity);
    html! {
        nav.way aria-label="Way down from the root" {
            ol {
                @for above in chain {
                    li {
                        a href=(tree::link(policy_id, &organization.entity(above).path))
                            aria-current=[(above == entity).then_some("page")] {
                            (tree::name(organization.entity(above)))
                        }
                    }
                }
            }
        }
    }
}

/// Returns what an entity is.
fn facts(ground: &Ground<'_, '_>, index: EntityIndex, policy_id: Option<&str>) -> Markup {
    let organization = ground.facts.organization;
    let entity = organization.entity(index);
    let policies: Vec<_> = organization.policies_at(index).collect();
    html! {
        dl.facts {
            div { dt { "Entity" } dd { (kind(entity.kind)) } }
            div { dt { "Entity path" } dd { code { (shown(&entity.path)) } } }
            @if let Some(id) = policy_id {
                div {
                    dt { "Policy" }
                    dd { (policy_facts(ground, index, id)) }
                }
            } @else if organization.scope() == PolicyScope::Applied {
                div {
                    dt { "Policies attached here" }
                    dd {
                        @if policies.is_empty() { "none: so nothing is allowed below" }
                        @for (place, policy) in policies.iter().enumerate() {
                            @if place > 0 { ", " }
                            a href=(tree::link(Some(&policy.id), &entity.path)) {
                                (shown(policy.name.as_deref().unwrap_or(&policy.id)))
                            }
                        }
                    }
                }
            }
            @if entity.kind == EntityKind::Account {
                (account_facts(ground, &entity.id))
            } @else {
                div { dt { "Accounts at or below" } dd { (accounts(ground, index)) } }
            }
        }
    }
}

fn kind(kind: EntityKind) -> &'static str {
    match kind {
        EntityKind::Root => "the organization’s root",
        EntityKind::OrganizationalUnit => "organizational unit",
        EntityKind::Account => "account",
    }
}

fn policy_facts(ground: &Ground<'_, '_>, index: EntityIndex, id: &str) -> Markup {
    let organization = ground.facts.organization;
    let Some(policy) = organization.policy(id).map(|it| organization.attached_policy(it)) else {
        return html! { code { (shown(id)) } };
    };
    let path = &organization.entity(index).path;
    html! {
        (shown(policy.name.as_deref().unwrap_or_default())) " " span.id { (shown(id)) } "; attached to "
        @if policy.targets.is_empty() { "nothing" }
        @for (place, target) in policy.targets.iter().take(NAMED).enumerate() {
            @if place > 0 { ", " }
            a href=(tree::link(Some(id), &organization.entity(*target).path)) {
                (tree::name(organization.entity(*target)))
            }
        }
        @if policy.targets.len() > NAMED {
            " and " (counted(policy.targets.len() - NAMED, "other", "others"))
        }
        "; "
        a href=(Link::entity(path)) { "the report of all policies here" }
    }
}

/// Returns what was read of an account.
fn account_facts(ground: &Ground<'_, '_>, id: &str) -> Markup {
    let read = ground.facts.coverage.accounts.get(id);
    html! {
        div {
            dt { "Events counted" }
            dd {
                @match read {
                    None => "none",
                    Some(read) => {
                        (grouped(read.events))
                        @if let (Some(first), Some(last)) = (read.first, read.last) {
                            ", from " (instant(first)) " to " (instant(last))
                        }
                        "; data events " @if read.data_events { "among them" } @else { "none" }
                    },
                }
            }
        }
        @if ground.facts.identities.is_some_and(|(all, _)| all.accounts().contains(id)) {
            div {
                dt { "Identities" }
                dd {
                    a href=(Link::to("/identities").with("account", id)) {
                        "users, groups, roles and policies of this account"
                    }
                }
            }
        }
    }
}

/// Accounts whose accesses the reports of an entity count: all but the management account (O1).
fn bound<'p>(
    ground: &Ground<'p, '_>,
    entity: EntityIndex,
) -> impl Iterator<Item = EntityIndex> + use<'p> {
    let organization = ground.facts.organization;
    let management = organization.management_account();
    let own = Some(entity) == management;
    let all = organization.accounts_at_or_below(entity);
    all.filter(move |it| own || Some(*it) != management)
}

fn accounts(ground: &Ground<'_, '_>, entity: EntityIndex) -> Markup {
    let organization = ground.facts.organization;
    let all = organization.accounts_at_or_below(entity).count();
    let active = bound(ground, entity).filter(|it| ground.facts.accounts.is_active(*it)).count();
    let list = Link::to("/entities").with("below", &organization.entity(entity).path);
    html! {
        a href=(list.with("kind", "account")) { (counted(all, "account", "accounts")) }
        ", " (grouped(active as u64)) " of them with accesses that count here"
    }
}

/// Returns what the reader has to know to read the report of an entity right.
fn remarks_on(
    ground: &Ground<'_, '_>,
    entity: EntityIndex,
    policy_id: Option<&str>,
) -> Vec<Markup> {
    let organization = ground.facts.organization;
    let mut remarks: Vec<Markup> = Vec::new();
    let no_policy = match organization.scope() {
        PolicyScope::Applied => None,
        PolicyScope::NotEnabled => Some("Service control policies are not enabled in the root"),
        PolicyScope::NotInSnapshot => Some("The snapshot of the organization has no policies"),
        PolicyScope::NoOrganization => Some(
            "There is no snapshot of an organization: the accounts seen stand under a made-up root",
        ),
    };
    if let Some(reason) = no_policy {
        remarks.push(html! { (reason) "; no policy is applied, every service is listed." });
    }
    match organization.management_account() {
        Some(management) if management == entity => remarks.push(html! {
            "No policy binds the management account: every service is listed"
            @if policy_id.is_some() { ", and the policy asked for is ignored" }
            "."
        }),
        Some(management) if organization.is_at_or_below(management, entity) => {
            remarks.push(html! {
                "The accesses of the management account, "
                (tree::name(organization.entity(management)))
                ", do not count here."
            });
        }
        _ => {}
    }
    if let Some(policy) = policy_id.and_then(|id| organization.policy(id)) {
        let targets = &organization.attached_policy(policy).targets;
        let counts = |target: &EntityIndex| {
            organization.is_at_or_below(*target, entity)
                || (ground.attachments == Attachments::AlsoAbove
                    && organization.is_at_or_below(entity, *target))
        };
        if !targets.iter().any(counts) {
            remarks.push(html! {
                "No attachment of the policy counts here, so that nobody’s accesses do: its services "
                "look unused. Attachments to this entity and below count"
                @if ground.attachments == Attachments::AlsoAbove { ", and those above it" }
                "."
            });
        }
    }
    remarks.extend(unread(ground, entity));
    remarks
}

/// Returns what was not read of the accounts of an entity: unread is not unused.
fn unread(ground: &Ground<'_, '_>, entity: EntityIndex) -> Vec<Markup> {
    let organization = ground.facts.organization;
    let coverage = ground.facts.coverage;
    let is_account = organization.entity(entity).kind == EntityKind::Account;
    let path = &organization.entity(entity).path;
    let mut all = 0_usize;
    let (mut silent, mut without_data) = (0_usize, 0_usize);
    for account in bound(ground, entity) {
        all += 1;
        match coverage.accounts.get(&organization.entity(account).id) {
            None => silent += 1,
            Some(read) if !read.data_events => without_data += 1,
            Some(_) => {}
        }
    }
    let list = Link::to("/entities").with("below", path).with("kind", "account");
    let mut remarks = Vec::new();
    if silent > 0 && is_account {
        remarks.push(html! {
            strong { "No event of this account was read." }
            " A service that looks unused here may only not be logged."
        });
    } else if silent > 0 {
        remarks.push(html! {
            a href=(list.with("only", "unused")) {
                "No event was read of " (grouped(silent as u64)) " of the "
                (counted(all, "account", "accounts"))
            }
            ": what only they use looks unused."
        });
    }
    if without_data > 0 {
        remarks.push(html! {
            "No data events were read"
            @if !is_account { " of " (counted(without_data, "account", "accounts")) }
            ", so s3, dynamodb, lambda, sqs and others look less used than they are."
        });
    }
    let first = coverage.accounts.get(&organization.entity(entity).id).and_then(|it| it.first);
    if let (Some(first), Some(start)) = (first, ground.facts.start().filter(|_| is_account))
        && first.day() > start.day()
    {
        remarks.push(html! {
            "The first event of this account is of " (instant(first)) ", and the period begins "
            (instant(start)) ": before, it may not have existed or not have been logged. "
            "New is not unused."
        });
    }
    remarks
}
