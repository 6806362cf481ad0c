//! What the coverage of an organizations report says of the organization.

use serde::Serialize;

use super::{OutsideAccount, outside_accounts};
use crate::catalog::{Catalog, ServiceIndex};
use crate::coverage::Coverage;
use crate::organization::{EntityKind, Organization, PolicyScope};
use crate::report::organizations::Activity;

/// What became of the accesses in an organization.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OrganizationCoverage<'a> {
    id: &'a str,
    /// Whether policies decided which services are listed.
    service_control_policies: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    management_account_id: Option<&'a str>,
    accounts: usize,
    /// Accounts of the organization without a single access of a listed service.
    accounts_without_events: Vec<&'a str>,
    /// Acting accounts that the organization has not; no report counts them (A9, O14).
    accounts_outside: Vec<OutsideAccount<'a>>,
    /// Policies of other types; they bind no list of services.
    other_policies: Vec<String>,
    /// Services whose policies were too entangled to decide; reports list them.
    undecided_services: Vec<&'a str>,
}

/// What the coverage of an organization is made from.
#[derive(Clone, Copy)]
pub struct OrganizationBasis<'a> {
    /// What was read.
    pub coverage: &'a Coverage,
    /// What became of it in the tree.
    pub activity: &'a Activity<'a>,
    /// The tree.
    pub organization: &'a Organization,
    /// The services.
    pub catalog: &'a Catalog,
}

impl<'a> OrganizationCoverage<'a> {
    /// Puts it together; `undecided` are services whose policies were too entangled to decide.
    pub fn new(
        basis: OrganizationBasis<'a>,
        undecided: impl Iterator<Item = ServiceIndex>,
    ) -> Self {
        let OrganizationBasis { coverage, activity, organization, catalog } = basis;
        let accounts = || organization.entities().filter(|(_, it)| it.kind == EntityKind::Account);
        Self {
            id: organization.id(),
            service_control_policies: match organization.scope() {
                PolicyScope::Applied => "APPLIED",
                PolicyScope::NotEnabled => "NOT_ENABLED",
                PolicyScope::NotInSnapshot => "NOT_IN_SNAPSHOT",
                PolicyScope::NoOrganization => "NO_ORGANIZATION",
            },
            management_account_id: organization.management_account_id(),
            accounts: accounts().count(),
            accounts_without_events: accounts()
                .filter(|(index, _)| !activity.is_active(*index))
                .map(|(_, account)| account.id.as_str())
                .collect(),
            accounts_outside: outside_accounts(&activity.outside, coverage),
            other_policies: organization.other_policies().iter().map(|it| it.id.clone()).collect(),
            undecided_services: undecided
                .map(|it| catalog.service(it).namespace.as_str())
                .collect(),
        }
    }
}
