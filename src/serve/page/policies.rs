//! The service control policies of the organization as a list.

use maud::html;

use super::filter;
use super::link::Link;
use super::listing::Sheet;
use super::order::{Column, Order};
use super::tree;
use super::words::{has, shown};
use super::{Content, Ground, Part, Refusal, Visit};
use crate::organization::{AttachedPolicy, PolicyScope};
use crate::printable::grouped;

const COLUMNS: [Column; 4] = [
    Column::sortable("id", "Policy"),
    Column::sortable("name", "Name"),
    Column::sortable("attachments", "Attachments"),
    Column::plain("Attached to"),
];

/// Attachments of a policy that its row names.
const NAMED: usize = 5;

/// Returns the list.
pub(super) fn list(ground: &Ground<'_, '_>, visit: &Visit) -> Result<Content, Refusal> {
    let organization = ground.facts.organization;
    let order = Order::read(visit, &COLUMNS, "id")?;
    let find = visit.parameter("find").unwrap_or_default();
    let name = |policy: &AttachedPolicy| policy.name.clone().unwrap_or_default().to_lowercase();
    let mut rows: Vec<&AttachedPolicy> = organization
        .policies()
        .iter()
        .filter(|policy| has(&policy.id, find) || has(&name(policy), find))
        .collect();
    order.sort(&mut rows, |one, other| match order.key {
        "name" => name(one).cmp(&name(other)),
        "attachments" => one.targets.len().cmp(&other.targets.len()),
        _ => one.id.cmp(&other.id),
    });
    let sheet = Sheet::cut(visit, rows)?;
    let link = Link::to("/policies").keeping(visit, &["find", "sort"]);
    let sort = visit.parameter("sort").unwrap_or_default();
    let kept: &[(&str, &str)] = if sort.is_empty() { &[] } else { &[("sort", sort)] };
    let main = html! {
        h1 { "Service control policies" }
        @if organization.scope() != PolicyScope::Applied {
            p { "No policy is applied in the reports: every service is listed." }
        }
        (filter::search("/policies", "Find a policy by id or name", find, kept))
        p.counts { strong { (sheet.counts("policy", "policies")) } "." }
        @if sheet.rows.is_empty() {
            p.empty { "No policy fits." }
        } @else {
            table.rows.policies {
                caption { "Each leads to the services that it alone allows." }
                (order.head(&COLUMNS, &link))
                tbody {
                    @for policy in &sheet.rows {
                        tr {
                            th scope="row" {
                                a href=(Link::below("/policy/", &policy.id)) { (shown(&policy.id)) }
                            }
                            td { (shown(policy.name.as_deref().unwrap_or_default())) }
                            td.number { (grouped(policy.targets.len() as u64)) }
                            td {
                                @if policy.targets.is_empty() { "nothing" }
                                @for (place, target) in policy.targets.iter().take(NAMED).enumerate() {
                                    @if place > 0 { ", " }
                                    @let target = organization.entity(*target);
                                    a href=(tree::link(Some(&policy.id), &target.path)) {
                                        (tree::name(target))
                                    }
                                }
                                @if policy.targets.len() > NAMED {
                                    ", and " (policy.targets.len() - NAMED) " more"
                                }
                            }
                        }
                    }
                }
            }
        }
        (sheet.pager(&link))
    };
    Ok(Content { title: "Service control policies".to_owned(), part: Part::Policies, main })
}
