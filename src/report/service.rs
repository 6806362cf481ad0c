//! The reports of `GetServiceLastAccessedDetails` and `GetServiceLastAccessedDetailsWithEntities`
//! (I1–I7).

mod activity;
mod granting;
mod marks;

use std::collections::BTreeMap;

use super::attempt::Attempts;
use super::constraint::Violations;
use super::page::{self, Page};
use super::{JobDates, RequestError};
use crate::arn::Arn;
use crate::catalog::{Catalog, ServiceIndex, ServiceSet};
use crate::coverage::{Coverage, Span};
use crate::identities::{DocumentIndex, Identities, IdentityIndex};
use crate::policy::{AllowedActions, Evaluator, PolicyIndex};
use crate::time::Time;
pub use activity::{Activity, UnknownPrincipal};
pub use granting::PolicyGrantingServiceAccess;
use marks::Marks;

/// `Granularity` of the request, `JobType` of the reply (I4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Granularity {
    /// `SERVICE_LEVEL`: when each service was last accessed.
    #[default]
    ServiceLevel,
    /// `ACTION_LEVEL`: and when each of its tracked actions was.
    ActionLevel,
}

impl Granularity {
    /// Both.
    pub const ALL: [Self; 2] = [Self::ServiceLevel, Self::ActionLevel];

    /// Returns AWS's name of it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ServiceLevel => "SERVICE_LEVEL",
            Self::ActionLevel => "ACTION_LEVEL",
        }
    }
}

/// Whom a report is about, as the snapshot has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject<'a> {
    /// `Arn` of the user, group, role or policy.
    pub arn: &'a str,
    /// `CreateDate`, if the snapshot has it.
    pub create_date: Option<Time>,
    /// Whether it was made after the period began, so that not having been used says less.
    pub is_younger_than_period: bool,
}

/// The report of one user, group, role or policy. There is none that failed as a job: what IAM
/// refuses it refuses at once (I6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceReport<'a> {
    /// Whose report it is.
    pub subject: Subject<'a>,
    /// `JobType`.
    pub granularity: Granularity,
    /// The dates of the job.
    pub job: JobDates,
    /// If only what digests prove was read: the times of the period of which they prove, for every
    /// account whose accesses count, that everything was. What was not used was not used then.
    pub proven: Option<Vec<Span>>,
    /// `ServicesLastAccessed`: the rows of this page, in byte order of the namespaces.
    pub services_last_accessed: Vec<ServiceLastAccessed<'a>>,
    /// `Marker`: present when the page was cut off (`IsTruncated`).
    pub marker: Option<String>,
}

/// One service of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceLastAccessed<'a> {
    /// `ServiceName`, as AWS prints it.
    pub service_name: &'a str,
    /// `ServiceNamespace`.
    pub service_namespace: &'a str,
    /// `TotalAuthenticatedEntities`: users and roles with at least one attempt.
    pub total_authenticated_entities: u64,
    /// The attempts, behind `LastAuthenticated`, `LastAuthenticatedEntity` and
    /// `LastAuthenticatedRegion`; none if never accessed (I3). Most rows are that, and stay small.
    pub attempts: Option<Box<Attempts<'a>>>,
    /// `TrackedActionsLastAccessed`, in byte order of the names; none at
    /// [`Granularity::ServiceLevel`] or if no tracked action of the service is allowed (I4).
    pub tracked_actions_last_accessed: Option<Vec<TrackedActionLastAccessed<'a>>>,
}

/// One tracked action of a service (I4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackedActionLastAccessed<'a> {
    /// `ActionName`.
    pub action_name: &'a str,
    /// The attempts, behind `LastAccessedTime`, `LastAccessedEntity` and `LastAccessedRegion`; none
    /// if never used. Data events are none of them.
    pub attempts: Option<Box<Attempts<'a>>>,
}

/// Who used the permissions of one user, group, role or policy for one service (I5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntitiesReport<'a> {
    /// Whose permissions.
    pub subject: Subject<'a>,
    /// `ServiceNamespace`: for which service.
    pub service_namespace: &'a str,
    /// The dates of the job.
    pub job: JobDates,
    /// If only what digests prove was read: the times of the period of which they prove, for every
    /// account whose accesses count, that everything was. What was not used was not used then.
    pub proven: Option<Vec<Span>>,
    /// `EntityDetailsList`: the entities of this page, the latest first, those that never used the
    /// service last, ties by ARN.
    pub entity_details_list: Vec<EntityDetails<'a>>,
    /// `Marker`: present when the page was cut off (`IsTruncated`).
    pub marker: Option<String>,
}

/// A user or role of a report (I5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityDetails<'a> {
    /// `EntityInfo.Arn`, and what else tells how old the entity is.
    pub entity: Subject<'a>,
    /// `EntityInfo.Name`.
    pub name: &'a str,
    /// `EntityInfo.Type`: `USER` or `ROLE`.
    pub entity_type: &'static str,
    /// `EntityInfo.Id`; none where the snapshot has none.
    pub id: Option<&'a str>,
    /// `EntityInfo.Path`.
    pub path: &'a str,
    /// The attempts, behind `LastAuthenticated`; none if never accessed.
    pub attempts: Option<Attempts<'a>>,
}

/// Whose report is asked for, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query<'a> {
    /// Whether a report of services has their actions; only as far as the activity tells them.
    pub granularity: Granularity,
    /// Which of the rows.
    pub page: Page<'a>,
    /// The dates of the job.
    pub job: JobDates,
}

impl Query<'_> {
    /// Checks what IAM refuses without a job and without a look at the logs.
    ///
    /// # Errors
    ///
    /// [`RequestError`] for a page that cannot be (I6).
    pub fn validate(&self) -> Result<(), RequestError> {
        self.page.read().map(drop)
    }
}

/// Finds whom `arn` names.
///
/// # Errors
///
/// `ValidationError` for what is no ARN by its length, `InvalidInput` for an ARN that is none of a
/// user, group, role or policy, `NoSuchEntity` for one that the snapshot has not (I6).
pub fn find(identities: &Identities, arn: &str) -> Result<IdentityIndex, RequestError> {
    let mut violations = Violations::default();
    violations.length("arn", arn, 20..=2048);
    violations.result()?;
    let is_kind = |resource: &str| {
        let kind = resource.split_once('/').map(|(kind, _)| kind);
        matches!(kind, Some("user" | "group" | "role" | "policy"))
    };
    if !Arn::parse(arn).is_some_and(|arn| arn.service == "iam" && is_kind(arn.resource)) {
        return Err(RequestError::invalid_input(format!(
            "`{arn}` is no ARN of an IAM user, group, role or policy"
        )));
    }
    identities.find(arn).ok_or_else(|| {
        RequestError::no_such_entity(format!(
            "`{arn}` is not in the snapshot, which has {} accounts",
            identities.accounts().len()
        ))
    })
}

/// Returns the account of each user and role that counts for an identity.
fn accounts(identities: &Identities, identity: IdentityIndex) -> impl Iterator<Item = &str> {
    let principals = identities.identity(identity).principals.iter();
    principals.map(|principal| identities.identity(*principal).account.as_str())
}

/// Returns the accounts whose users and roles count for an identity, if there are such and nothing of
/// them was read: a report would say that nothing is used (V2).
pub fn silent_accounts<'a>(
    identities: &'a Identities,
    identity: IdentityIndex,
    coverage: &Coverage,
) -> Option<Vec<&'a str>> {
    let mut accounts: Vec<&str> = accounts(identities, identity).collect();
    accounts.dedup();
    let is_silent = accounts.iter().all(|it| !coverage.accounts.contains_key(*it));
    (is_silent && !accounts.is_empty()).then_some(accounts)
}

/// Finds the listed service of a namespace.
///
/// # Errors
///
/// `InvalidInput` for a namespace that no listed service has (I6).
pub fn find_service(catalog: &Catalog, namespace: &str) -> Result<ServiceIndex, RequestError> {
    let listed = catalog.find(namespace).filter(|index| catalog.service(*index).listed);
    listed.ok_or_else(|| {
        RequestError::invalid_input(format!("`{namespace}` is the namespace of no listed service"))
    })
}

/// Makes the reports of the users, groups, roles and policies of a snapshot.
pub struct Reporter<'a> {
    activity: &'a Activity<'a>,
    identities: &'a Identities,
    catalog: &'a Catalog,
    /// When the period began, as far as that is known.
    start: Option<Time>,
    /// What was read, if reports say what of it is proven.
    coverage: Option<&'a Coverage>,
    evaluator: Evaluator<'a>,
    /// The evaluator's policies beside the documents, once they were asked for.
    policies: Vec<Option<PolicyIndex>>,
}

impl<'a> Reporter<'a> {
    /// Makes a reporter of what was accessed after `start`.
    pub fn new(
        activity: &'a Activity<'a>,
        identities: &'a Identities,
        catalog: &'a Catalog,
        start: Option<Time>,
    ) -> Self {
        let policies = vec![None; identities.documents().len()];
        let evaluator = Evaluator::new(catalog);
        Self { activity, identities, catalog, start, coverage: None, evaluator, policies }
    }

    /// Lets reports say what of the given is proven.
    #[must_use]
    pub fn with_coverage(self, coverage: &'a Coverage) -> Self {
        Self { coverage: Some(coverage), ..self }
    }

    /// Returns which times are proven of the accounts whose users and roles count for an identity.
    fn proven(&self, identity: IdentityIndex) -> Option<Vec<Span>> {
        self.coverage?.proven_of(accounts(self.identities, identity))
    }

    /// Returns when each service that the identity's policies allow was last accessed.
    ///
    /// # Errors
    ///
    /// [`RequestError`] for a page that does not exist (I6).
    pub fn services(
        &mut self,
        identity: IdentityIndex,
        query: &Query<'_>,
    ) -> Result<ServiceReport<'a>, RequestError> {
        let levels = self.levels(identity);
        let allowed = self.evaluator.allowed_services(&levels);
        let granularity = query.granularity.min(self.activity.granularity());
        let actions = match granularity {
            Granularity::ServiceLevel => None,
            Granularity::ActionLevel => Some(self.evaluator.allowed_actions(&levels)),
        };
        let accessed = self.accessed(identity, &allowed.services);
        let texts = self.activity.texts();
        let mut rows: Vec<ServiceLastAccessed<'a>> = Vec::with_capacity(allowed.services.len());
        for index in allowed.services.iter() {
            let service = self.catalog.service(index);
            let (entities, marks) = accessed.services.get(&index).copied().unzip();
            rows.push(ServiceLastAccessed {
                service_name: &service.name,
                service_namespace: &service.namespace,
                total_authenticated_entities: entities.unwrap_or_default(),
                attempts: marks.map(|marks| Box::new(texts.attempts(&marks))),
                tracked_actions_last_accessed: actions
                    .as_ref()
                    .and_then(|actions| self.tracked_actions(index, actions, &accessed)),
            });
        }
        let subject = self.subject(identity);
        let marker = page::cut(&mut rows, &query.page, (subject.arn, granularity.name()), |row| {
            (row.attempts.as_ref().map(|it| it.latest.time.seconds()), row.service_namespace)
        })?;
        Ok(ServiceReport {
            subject,
            granularity,
            job: query.job,
            proven: self.proven(identity),
            services_last_accessed: rows,
            marker,
        })
    }

    /// Returns the users and roles that could use the identity's policies for a service, and when
    /// they last did (I5); nobody where the policies do not allow the service.
    ///
    /// # Errors
    ///
    /// [`RequestError`] for a namespace that no listed service has, or a page that does not exist
    /// (I6).
    pub fn entities(
        &mut self,
        identity: IdentityIndex,
        service_namespace: &str,
        query: &Query<'_>,
    ) -> Result<EntitiesReport<'a>, RequestError> {
        let service = find_service(self.catalog, service_namespace)?;
        // It may have been asked for in capitals.
        let service_namespace = self.catalog.service(service).namespace.as_str();
        let levels = self.levels(identity);
        let is_allowed = self.evaluator.allowed_services(&levels).services.contains(service);
        let principals: &'a [IdentityIndex] = &self.identities.identity(identity).principals;
        let mut rows: Vec<EntityDetails<'a>> = principals
            .iter()
            .filter(|_| is_allowed)
            .map(|principal| self.entity_details(*principal, service))
            .collect();
        rows.sort_by(|one, other| {
            place(other).0.cmp(&place(one).0).then(place(one).1.cmp(place(other).1))
        });
        let subject = self.subject(identity);
        let marker = page::cut(&mut rows, &query.page, (subject.arn, service_namespace), place)?;
        Ok(EntitiesReport {
            subject,
            service_namespace,
            job: query.job,
            proven: self.proven(identity),
            entity_details_list: rows,
            marker,
        })
    }

    /// Returns the services of an identity's report, of which something is too entangled to decide:
    /// reports list them and, at [`Granularity::ActionLevel`], their actions.
    pub fn undecided(
        &mut self,
        identity: IdentityIndex,
        granularity: Granularity,
    ) -> Vec<ServiceIndex> {
        let levels = self.levels(identity);
        let mut undecided: Vec<ServiceIndex> =
            self.evaluator.allowed_services(&levels).undecided.iter().collect();
        if granularity == Granularity::ActionLevel {
            undecided.extend(self.evaluator.allowed_actions(&levels).undecided.into_keys());
        }
        undecided
    }

    /// Returns the one level of policies that decides which services are listed (I1).
    fn levels(&mut self, identity: IdentityIndex) -> [Vec<PolicyIndex>; 1] {
        let identities: &'a Identities = self.identities;
        self.compiled(&identities.identity(identity).documents)
    }

    /// Returns documents as the one level of policies that they are.
    fn compiled(&mut self, documents: &[DocumentIndex]) -> [Vec<PolicyIndex>; 1] {
        let Self { identities, evaluator, policies, .. } = self;
        let compiled = documents.iter().filter_map(|document| {
            let policy = policies.get_mut(document.position())?;
            Some(*policy.get_or_insert_with(|| evaluator.add(identities.document(*document))))
        });
        [compiled.collect()]
    }

    /// Joins what the users and roles accessed whose accesses count, of the services that the
    /// report lists (I2).
    fn accessed(&self, identity: IdentityIndex, listed: &ServiceSet) -> Accessed {
        let texts = self.activity.texts();
        let mut accessed = Accessed::default();
        for principal in &self.identities.identity(identity).principals {
            let Some(usage) = self.activity.of(*principal) else { continue };
            for (service, marks) in usage.services.iter().filter(|it| listed.contains(*it.0)) {
                accessed
                    .services
                    .entry(*service)
                    .and_modify(|(entities, known)| {
                        *entities += 1;
                        known.join(marks, texts);
                    })
                    .or_insert((1, *marks));
            }
            for (action, marks) in usage.actions.iter().filter(|it| listed.contains(it.0.0)) {
                accessed
                    .actions
                    .entry(*action)
                    .and_modify(|known| known.join(marks, texts))
                    .or_insert(*marks);
            }
        }
        accessed
    }

    fn tracked_actions(
        &self,
        service: ServiceIndex,
        allowed: &AllowedActions,
        accessed: &Accessed,
    ) -> Option<Vec<TrackedActionLastAccessed<'a>>> {
        let (texts, actions) = (self.activity.texts(), self.catalog.actions(service));
        let tracked = allowed.actions.get(&service)?.iter().filter_map(|at| {
            let action = actions.get(*at).filter(|action| action.tracked)?;
            Some(TrackedActionLastAccessed {
                action_name: &action.name,
                attempts: accessed
                    .actions
                    .get(&(service, *at))
                    .map(|marks| Box::new(texts.attempts(marks))),
            })
        });
        let tracked: Vec<_> = tracked.collect();
        (!tracked.is_empty()).then_some(tracked)
    }

    fn entity_details(&self, principal: IdentityIndex, service: ServiceIndex) -> EntityDetails<'a> {
        let identity = self.identities.identity(principal);
        EntityDetails {
            entity: self.subject(principal),
            name: &identity.name,
            entity_type: granting::entity_type(identity.kind),
            id: Some(identity.id.as_str()).filter(|id| !id.is_empty()),
            path: &identity.path,
            attempts: self
                .activity
                .of(principal)
                .and_then(|usage| usage.services.get(&service))
                .map(|marks| self.activity.texts().attempts(marks)),
        }
    }

    fn subject(&self, identity: IdentityIndex) -> Subject<'a> {
        let identity = self.identities.identity(identity);
        Subject {
            arn: &identity.arn,
            create_date: identity.create_date,
            is_younger_than_period: is_younger(identity.create_date, self.start),
        }
    }
}

/// What the users and roles of a report accessed together.
#[derive(Default)]
struct Accessed {
    /// With the number of users and roles that attempted.
    services: BTreeMap<ServiceIndex, (u64, Marks)>,
    actions: BTreeMap<(ServiceIndex, usize), Marks>,
}

/// Returns whether what was made at `create_date` did not exist yet when the period began.
pub fn is_younger(create_date: Option<Time>, start: Option<Time>) -> bool {
    create_date.zip(start).is_some_and(|(created, start)| created > start)
}

/// Where an entity stands in the order of a report: times count as they are printed.
fn place<'r>(row: &'r EntityDetails<'_>) -> (Option<i64>, &'r str) {
    (row.attempts.map(|attempts| attempts.latest.time.seconds()), row.entity.arn)
}
