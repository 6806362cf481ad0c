//! What the coverage of reports on IAM entities says of them.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use super::{OutsideAccount, outside_accounts};
use crate::access::Choice;
use crate::catalog::{Catalog, ServiceIndex};
use crate::coverage::Coverage;
use crate::identities::{Identities, Identity, IdentityIndex, IdentityKind};
use crate::report::service::{Activity, is_younger};
use crate::time::Time;

/// What became of the accesses among the users, groups, roles and policies of accounts.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct IdentitiesCoverage<'a> {
    /// The accounts of the snapshot.
    accounts: Vec<&'a str>,
    users: usize,
    groups: usize,
    roles: usize,
    policies: usize,
    /// How many of them are reported on.
    reports: usize,
    /// Accounts of the snapshot without a single event.
    pub accounts_without_events: Vec<&'a str>,
    /// Acting accounts that the snapshot has not; no report counts them.
    accounts_outside: Vec<OutsideAccount<'a>>,
    /// Users and roles of the snapshot's accounts that acted and that the snapshot has not, former
    /// holders of a name among them (I7); no report counts them.
    pub unknown_principals: Vec<PrincipalRow<'a>>,
    /// Policies that are attached and groups that are joined, but are not in the snapshot.
    pub not_in_snapshot: Vec<NotInSnapshot<'a>>,
    /// Files of the snapshot's directory that are no replies.
    passed_over: &'a [String],
    /// Unique ids of several users or roles: accesses follow their ARNs.
    pub shared_ids: Vec<&'a str>,
    /// Those reported on, or whose accesses count, who were made after the period began.
    pub younger_than_period: Vec<Younger<'a>>,
    /// Roles that the snapshot says were used, in the period, later than the logs tell: logs are
    /// missing.
    pub roles_used_later: Vec<RoleUsedLater<'a>>,
    /// Services whose policies were too entangled to decide; reports list them.
    pub undecided_services: Vec<&'a str>,
    /// Events of listed services that stand for no action (C2); at `ACTION_LEVEL` alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_names_without_action: Option<Vec<EventName<'a>>>,
    /// What of `not_in_snapshot` decides which services the reports list.
    #[serde(skip)]
    pub lacking: BTreeSet<&'a str>,
}

/// A user or role that the snapshot has not; with neither ARN nor id, an account of which alone is
/// known that it acted.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PrincipalRow<'a> {
    pub account_id: &'a str,
    /// As logged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal_arn: Option<&'a str>,
    /// The unique id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal_id: Option<&'a str>,
    last_event_time: String,
}

/// Something that the snapshot names and has not.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct NotInSnapshot<'a> {
    /// The ARN of a policy, or `group/NAME`.
    pub name: &'a str,
    /// The ARNs of those to whom it is attached, or who joined it.
    named_by: Vec<&'a str>,
}

/// Somebody made after the period began.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Younger<'a> {
    /// `Arn`.
    pub arn: &'a str,
    create_date: String,
}

/// A role whose last use is not in the logs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RoleUsedLater<'a> {
    /// `Arn`.
    pub arn: &'a str,
    /// `RoleLastUsed.LastUsedDate` of the snapshot.
    pub last_used_date: String,
    /// `RoleLastUsed.Region` of the snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'a str>,
    /// The role's last event in the logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_event_time: Option<String>,
}

/// An event by its source and name.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct EventName<'a> {
    event_source: &'a str,
    event_name: &'a str,
    last_event_time: String,
}

impl fmt::Display for EventName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.event_source, self.event_name)
    }
}

/// What the coverage of IAM entities is made from.
#[derive(Clone, Copy)]
pub struct IdentitiesBasis<'a> {
    /// What was read.
    pub coverage: &'a Coverage,
    /// What became of it.
    pub activity: &'a Activity<'a>,
    /// The snapshot.
    pub identities: &'a Identities,
    /// The services.
    pub catalog: &'a Catalog,
    /// When the period began, as far as that is known.
    pub start: Option<Time>,
}

impl<'a> IdentitiesCoverage<'a> {
    /// Puts it together for the reports on `reported`; `undecided` are services whose policies were
    /// too entangled to decide.
    pub fn new(
        basis: IdentitiesBasis<'a>,
        reported: &[IdentityIndex],
        undecided: impl Iterator<Item = ServiceIndex>,
    ) -> Self {
        let IdentitiesBasis { coverage, activity, identities, catalog, .. } = basis;
        let of_kind =
            |kind| identities.identities().filter(|(_, identity)| identity.kind == kind).count();
        let arn = |index: &IdentityIndex| identities.identity(*index).arn.as_str();
        let accounts = || identities.accounts().iter().map(String::as_str);
        Self {
            accounts: accounts().collect(),
            users: of_kind(IdentityKind::User),
            groups: of_kind(IdentityKind::Group),
            roles: of_kind(IdentityKind::Role),
            policies: of_kind(IdentityKind::Policy),
            reports: reported.len(),
            accounts_without_events: accounts()
                .filter(|account| !coverage.accounts.contains_key(*account))
                .collect(),
            accounts_outside: outside_accounts(&activity.outside, coverage),
            unknown_principals: activity
                .unknown
                .iter()
                .map(|(principal, last)| PrincipalRow {
                    account_id: principal.account,
                    principal_arn: principal.arn,
                    principal_id: principal.id,
                    last_event_time: last.to_string(),
                })
                .collect(),
            not_in_snapshot: identities
                .missing()
                .iter()
                .map(|(name, by)| NotInSnapshot { name, named_by: by.iter().map(arn).collect() })
                .collect(),
            passed_over: identities.passed_over(),
            shared_ids: identities.shared_ids().iter().map(String::as_str).collect(),
            younger_than_period: younger_than_period(basis, reported),
            roles_used_later: roles_used_later(basis),
            undecided_services: undecided
                .map(|it| catalog.service(it).namespace.as_str())
                .collect(),
            event_names_without_action: activity.without_action.as_ref().map(|names| {
                let event = |(&(event_source, event_name), last): (&(&'a str, &'a str), &Time)| {
                    EventName { event_source, event_name, last_event_time: last.to_string() }
                };
                names.iter().map(event).collect()
            }),
            lacking: reported
                .iter()
                .flat_map(|index| identities.identity(*index).missing.iter().map(String::as_str))
                .collect(),
        }
    }

    /// Returns whether the snapshot has every policy that decides which services the reports list.
    pub fn is_complete(&self) -> bool {
        self.lacking.is_empty()
    }
}

fn younger_than_period<'a>(
    basis: IdentitiesBasis<'a>,
    reported: &[IdentityIndex],
) -> Vec<Younger<'a>> {
    let IdentitiesBasis { identities, start, .. } = basis;
    let mut concerned: BTreeSet<IdentityIndex> = reported.iter().copied().collect();
    for index in reported {
        concerned.extend(&identities.identity(*index).principals);
    }
    let younger = |index| {
        let Identity { arn, create_date, .. } = identities.identity(index);
        let create_date = create_date.filter(|_| is_younger(*create_date, start))?;
        Some(Younger { arn, create_date: create_date.to_string() })
    };
    concerned.into_iter().filter_map(younger).collect()
}

/// Compares what the snapshot says of roles with the logs. Where calls on a role's behalf were set
/// aside there is nothing to compare with.
fn roles_used_later(basis: IdentitiesBasis<'_>) -> Vec<RoleUsedLater<'_>> {
    let IdentitiesBasis { coverage, activity, identities, .. } = basis;
    let switches = &coverage.switches;
    let of_roles =
        [switches.forward_access, switches.service_linked_roles, switches.console_actions];
    if of_roles.contains(&Choice::SetAside) {
        return Vec::new();
    }
    let mut rows = Vec::new();
    for (index, role) in identities.identities() {
        let Some(used) = &role.role_last_used else { continue };
        let logged = activity.latest_of(index);
        let is_logged = logged.is_some_and(|logged| logged.seconds() >= used.time.seconds());
        if coverage.period.contains(used.time) && !is_logged {
            rows.push(RoleUsedLater {
                arn: &role.arn,
                last_used_date: used.time.to_string(),
                region: used.region.as_deref(),
                last_event_time: logged.map(|time| time.to_string()),
            });
        }
    }
    rows
}
