//! The report of `GetOrganizationsAccessReport` (O1–O14).

mod activity;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::attempt::Attempts;
use super::constraint::Violations;
use super::page::{self, Page, SortKey};
use super::{ErrorDetails, JobDates, RequestError};
use crate::catalog::{Catalog, ServiceIndex};
use crate::coverage::{Coverage, Span};
use crate::organization::{Entity, EntityIndex, EntityKind, Organization, PolicyScope};
use crate::policy::{AllowedServices, Evaluator, PolicyIndex};
pub use activity::Activity;

/// The report of one entity, with or without a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganizationsReport<'a> {
    /// The entity path that was asked, without a trailing slash.
    pub entity_path: &'a str,
    /// The policy that was asked, if any.
    pub policy_id: Option<&'a str>,
    /// The dates of the job.
    pub job: JobDates,
    /// If only what digests prove was read: the times of the period of which they prove, for every
    /// account whose accesses count, that everything was. What was not used was not used then.
    pub proven: Option<Vec<Span>>,
    /// `COMPLETED` with its rows, or `FAILED` with its reason.
    pub outcome: Result<AccessReport<'a>, ErrorDetails>,
}

/// What a completed job holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessReport<'a> {
    /// `NumberOfServicesAccessible`: rows of the whole report, on every page (O6).
    pub services_accessible: usize,
    /// `NumberOfServicesNotAccessed`: rows of the whole report without an attempt (O6).
    pub services_not_accessed: usize,
    /// `AccessDetails`: the rows of this page, in the order asked for.
    pub access_details: Vec<AccessDetail<'a>>,
    /// `Marker`: present when the page was cut off (`IsTruncated`).
    pub marker: Option<String>,
}

/// One service of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessDetail<'a> {
    /// `ServiceName`, as AWS prints it.
    pub service_name: &'a str,
    /// `ServiceNamespace`.
    pub service_namespace: &'a str,
    /// `TotalAuthenticatedEntities`: accounts with at least one attempt (O4).
    pub total_authenticated_entities: u64,
    /// `Region`: that of the latest attempt; on a row never accessed only by the switch of O13.
    pub region: Option<&'a str>,
    /// The attempts, behind `EntityPath` and `LastAuthenticatedTime` (O4); none if never accessed
    /// (O5).
    pub attempts: Option<Attempts<'a>>,
}

/// Whose report is asked for, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query<'a> {
    /// `EntityPath`; a trailing slash is dropped (O11).
    pub entity_path: &'a str,
    /// `OrganizationsPolicyId`.
    pub policy_id: Option<&'a str>,
    /// Which attachments of the policy count (O2).
    pub attachments: Attachments,
    /// The order of the rows.
    pub sort_key: SortKey,
    /// Which of the rows.
    pub page: Page<'a>,
    /// Whether an unused row of `iam` shows a Region, as AWS's does (O13).
    pub unused_iam_region: UnusedIamRegion,
    /// The dates of the job.
    pub job: JobDates,
}

impl Query<'_> {
    /// Checks what IAM refuses without a job and without a look at the logs.
    ///
    /// # Errors
    ///
    /// [`RequestError`] for a path or policy id that fails its pattern, another organization's
    /// path, a page that cannot be (O8, O10, O11).
    pub fn validate(&self, organization_id: &str) -> Result<(), RequestError> {
        let path = self.entity_path;
        let mut violations = Violations::default();
        violations.length("entityPath", path, 19..=427);
        violations.pattern("entityPath", path, is_entity_path(path), ENTITY_PATH);
        if let Some(id) = self.policy_id {
            violations.pattern("organizationsPolicyId", id, is_policy_id(id), POLICY_ID);
        }
        violations.result()?;
        if path.split('/').next() != Some(organization_id) {
            return Err(RequestError::access_denied(format!(
                "the entity path `{path}` is of another organization than `{organization_id}`"
            )));
        }
        self.page.read().map(drop)
    }
}

/// Which attachments of a policy bring accounts into scope (O2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Attachments {
    /// Those to the entity itself or to something below it.
    #[default]
    AtOrBelow,
    /// Those above the entity, too.
    AlsoAbove,
}

/// What stands as `Region` on an unused row of `iam` (O13).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnusedIamRegion {
    /// Nothing, as on every other unused row.
    #[default]
    Absent,
    /// `us-east-1`.
    UsEast1,
}

/// Returns the accounts of the organization of which nothing was counted: what only they use looks
/// unused.
pub fn silent_accounts<'a>(
    organization: &'a Organization,
    coverage: &Coverage,
) -> impl Iterator<Item = &'a Entity> {
    let entities = organization.entities().map(|(_, entity)| entity);
    entities.filter(|entity| {
        entity.kind == EntityKind::Account && !coverage.accounts.contains_key(&entity.id)
    })
}

/// Makes the reports of one organization.
pub struct Reporter<'a> {
    activity: &'a Activity<'a>,
    organization: &'a Organization,
    catalog: &'a Catalog,
    /// What was read, if reports say what of it is proven.
    coverage: Option<&'a Coverage>,
    evaluator: Evaluator<'a>,
    /// The evaluator's policies, by position in those of the organization.
    policies: Vec<PolicyIndex>,
}

impl<'a> Reporter<'a> {
    /// Makes a reporter; it evaluates equal chains of policies once.
    pub fn new(
        activity: &'a Activity<'a>,
        organization: &'a Organization,
        catalog: &'a Catalog,
    ) -> Self {
        let mut evaluator = Evaluator::new(catalog);
        let policies = organization.policies().iter().map(|it| evaluator.add(&it.policy)).collect();
        Self { activity, organization, catalog, coverage: None, evaluator, policies }
    }

    /// Lets reports say what of the given is proven.
    #[must_use]
    pub fn with_coverage(self, coverage: &'a Coverage) -> Self {
        Self { coverage: Some(coverage), ..self }
    }

    /// Returns the report that `query` asks for; one that fails as a job is a report, too (O10).
    ///
    /// # Errors
    ///
    /// [`RequestError`] for what IAM refuses without a job: a path or policy id that fails its
    /// pattern, another organization's path, a marker of another report (O8, O10, O11).
    pub fn report<'q>(&mut self, query: &Query<'q>) -> Result<OrganizationsReport<'q>, RequestError>
    where
        'a: 'q,
    {
        query.validate(self.organization.id())?;
        let entity_path = query.entity_path.strip_suffix('/').unwrap_or(query.entity_path);
        let (outcome, proven) = match self.organization.find(entity_path) {
            Some(entity) => self.outcome(entity, query)?,
            None => (Err(INVALID_ENTITY_PATH), None),
        };
        let Query { policy_id, job, .. } = *query;
        Ok(OrganizationsReport { entity_path, policy_id, job, proven, outcome })
    }

    /// Returns the report of one entity of the organization; the entity path of `query` is not
    /// asked, so that every entity has one, even where its path fails IAM's pattern.
    ///
    /// # Errors
    ///
    /// [`RequestError`] for a page that does not exist (O8).
    pub fn report_of<'q>(
        &mut self,
        entity: EntityIndex,
        query: &Query<'q>,
    ) -> Result<OrganizationsReport<'q>, RequestError>
    where
        'a: 'q,
    {
        let organization: &'a Organization = self.organization;
        let entity_path = organization.entity(entity).path.as_str();
        let (outcome, proven) = self.outcome(entity, query)?;
        let Query { policy_id, job, .. } = *query;
        Ok(OrganizationsReport { entity_path, policy_id, job, proven, outcome })
    }

    /// Returns the services of the report of `entity` whose policies are too entangled to decide;
    /// reports list them.
    pub fn undecided(
        &mut self,
        entity: EntityIndex,
        query: &Query<'_>,
    ) -> impl Iterator<Item = ServiceIndex> + use<> {
        let scope = self.scope(entity, query);
        let undecided: Vec<ServiceIndex> =
            scope.map_or_else(|_| Vec::new(), |it| it.services.undecided.iter().collect());
        undecided.into_iter()
    }

    /// Returns those of the report of `entity` without a policy.
    pub fn undecided_of_chain(&mut self, entity: EntityIndex) -> Vec<ServiceIndex> {
        if Some(entity) == self.organization.management_account() {
            return Vec::new();
        }
        self.allowed_by_chain(entity).undecided.iter().collect()
    }

    fn outcome(
        &mut self,
        entity: EntityIndex,
        query: &Query<'_>,
    ) -> Result<Outcome<'a>, RequestError> {
        match self.scope(entity, query) {
            Ok(scope) => {
                let accounts = scope.accounts.iter().map(|it| &*self.organization.entity(*it).id);
                let proven = self.coverage.and_then(|coverage| coverage.proven_of(accounts));
                Ok((Ok(self.access_report(&scope, entity, query)?), proven))
            }
            Err(error) => Ok((Err(error), None)),
        }
    }

    /// Decides which services a report lists and whose accesses count: the table above O1.
    fn scope(&mut self, entity: EntityIndex, query: &Query<'_>) -> Result<Scope, ErrorDetails> {
        let organization = self.organization;
        let management = organization.management_account();
        if Some(entity) == management {
            return Ok(Scope { services: self.every_service(), accounts: vec![entity] });
        }
        let bound = organization.accounts_at_or_below(entity).filter(|it| Some(*it) != management);
        let Some(policy_id) = query.policy_id else {
            let accounts = bound.collect();
            return Ok(Scope { services: self.allowed_by_chain(entity), accounts });
        };
        let policy = organization.policy(policy_id).ok_or(INVALID_POLICY)?;
        let targets: Vec<EntityIndex> = organization
            .attached_policy(policy)
            .targets
            .iter()
            .copied()
            .filter(|target| {
                organization.is_at_or_below(*target, entity)
                    || (query.attachments == Attachments::AlsoAbove
                        && organization.is_at_or_below(entity, *target))
            })
            .collect();
        let is_target_of = |account: &EntityIndex| {
            targets.iter().any(|target| organization.is_at_or_below(*account, *target))
        };
        let accounts = bound.filter(is_target_of).collect();
        let levels = [self.policies.get(policy.position()).copied().into_iter().collect()];
        Ok(Scope { services: self.evaluator.allowed_services(&levels), accounts })
    }

    /// Returns the services that the chain of policies from the root down to `entity` allows (O1).
    fn allowed_by_chain(&mut self, entity: EntityIndex) -> Arc<AllowedServices> {
        if self.organization.scope() != PolicyScope::Applied {
            return self.every_service();
        }
        let organization = self.organization;
        let of_level = |level: EntityIndex| {
            let attached = organization.entity(level).policies.iter();
            attached.filter_map(|it| self.policies.get(it.position()).copied()).collect()
        };
        let levels: Vec<Vec<PolicyIndex>> =
            organization.chain(entity).into_iter().map(of_level).collect();
        self.evaluator.allowed_services(&levels)
    }

    fn every_service(&self) -> Arc<AllowedServices> {
        Arc::new(self.evaluator.exempt())
    }

    fn access_report(
        &self,
        scope: &Scope,
        entity: EntityIndex,
        query: &Query<'_>,
    ) -> Result<AccessReport<'a>, RequestError> {
        let mut accessed: BTreeMap<ServiceIndex, (u64, Attempts<'a>)> = BTreeMap::new();
        for account in &scope.accounts {
            for (service, attempts) in self.activity.of(*account) {
                match accessed.get_mut(&service) {
                    Some((accounts, known)) => {
                        *accounts += 1;
                        known.join(attempts);
                    }
                    None => {
                        accessed.insert(service, (1, *attempts));
                    }
                }
            }
        }
        let mut rows: Vec<AccessDetail<'a>> = scope
            .services
            .services
            .iter()
            .map(|service| self.access_detail(service, accessed.remove(&service), query))
            .collect();
        let services_accessible = rows.len();
        let services_not_accessed = rows.iter().filter(|row| row.attempts.is_none()).count();
        page::sort(&mut rows, query.sort_key, place);
        let bound_to = (&self.organization.entity(entity).path, query.policy_id, query.sort_key);
        let marker = page::cut(&mut rows, &query.page, bound_to, place)?;
        Ok(AccessReport {
            services_accessible,
            services_not_accessed,
            access_details: rows,
            marker,
        })
    }

    fn access_detail(
        &self,
        service: ServiceIndex,
        accessed: Option<(u64, Attempts<'a>)>,
        query: &Query<'_>,
    ) -> AccessDetail<'a> {
        let service = self.catalog.service(service);
        let (service_name, service_namespace) = (service.name.as_str(), service.namespace.as_str());
        let Some((accounts, attempts)) = accessed else {
            let shows_region =
                service_namespace == "iam" && query.unused_iam_region == UnusedIamRegion::UsEast1;
            return AccessDetail {
                service_name,
                service_namespace,
                total_authenticated_entities: 0,
                region: shows_region.then_some("us-east-1"),
                attempts: None,
            };
        };
        AccessDetail {
            service_name,
            service_namespace,
            total_authenticated_entities: accounts,
            region: attempts.latest.region,
            attempts: Some(attempts),
        }
    }
}

/// What a job holds or why it failed, and which times are proven.
type Outcome<'a> = (Result<AccessReport<'a>, ErrorDetails>, Option<Vec<Span>>);

/// The services that a report lists, and the accounts whose accesses count.
struct Scope {
    services: Arc<AllowedServices>,
    accounts: Vec<EntityIndex>,
}

/// Why a job failed whose entity the organization has not (O10).
pub(crate) const INVALID_ENTITY_PATH: ErrorDetails = ErrorDetails {
    code: "INVALID_ORGANIZATIONS_ENTITY_PATH",
    message: "The entity with the specified path does not exist in your organization.",
};

const INVALID_POLICY: ErrorDetails = ErrorDetails {
    code: "INVALID_ORGANIZATIONS_POLICY",
    message: "The policy with the specified ID does not exist in your organization.",
};

/// Where a row stands in the order of a report: times count as they are printed.
fn place<'r>(row: &'r AccessDetail<'_>) -> (Option<i64>, &'r str) {
    (row.attempts.map(|attempts| attempts.latest.time.seconds()), row.service_namespace)
}

/// The forms of an entity path and of a policy's id in IAM's model (O11).
const ENTITY_PATH: &str = r"^o-[0-9a-z]{10,32}\/r-[0-9a-z]{4,32}[0-9a-z-\/]*";
const POLICY_ID: &str = "^p-[0-9a-zA-Z_]{8,128}$";

/// Returns whether a text has the form of an entity path (O11), whatever its length.
fn is_entity_path(path: &str) -> bool {
    let lower = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_lowercase();
    let mut parts = path.splitn(3, '/');
    let is_id = |part: Option<&str>, prefix: &str, least: usize| {
        part.and_then(|part| part.strip_prefix(prefix))
            .is_some_and(|id| (least..=32).contains(&id.len()) && id.bytes().all(lower))
    };
    // Behind the root's id the pattern takes anything of its alphabet, and so do we.
    is_id(parts.next(), "o-", 10)
        && is_id(parts.next(), "r-", 4)
        && parts.next().unwrap_or_default().bytes().all(|b| lower(b) || b == b'-' || b == b'/')
}

/// Returns whether a text has the form of a policy's id (O11).
fn is_policy_id(id: &str) -> bool {
    id.strip_prefix("p-").is_some_and(|id| {
        (8..=128).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

#[cfg(test)]
mod tests;
