//! The reports of `GetServiceLastAccessedDetails` and `GetServiceLastAccessedDetailsWithEntities`
//! (I1–I7).

use super::JobDates;
use super::attempt::Attempts;
use crate::time::Time;

/// `Granularity` of the request, `JobType` of the reply (I4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
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
    /// `LastAuthenticatedRegion`; none if never accessed (I3).
    pub attempts: Option<Attempts<'a>>,
    /// `TrackedActionsLastAccessed`, in byte order of the names; none at
    /// [`Granularity::ServiceLevel`] or if no tracked action of the service is allowed (I4).
    pub tracked_actions_last_accessed: Option<Vec<TrackedActionLastAccessed<'a>>>,
}

/// One tracked action of a service (I4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrackedActionLastAccessed<'a> {
    /// `ActionName`.
    pub action_name: &'a str,
    /// The attempts, behind `LastAccessedTime`, `LastAccessedEntity` and `LastAccessedRegion`; none
    /// if never used. Data events are none of them.
    pub attempts: Option<Attempts<'a>>,
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
    /// `EntityInfo.Id`.
    pub id: &'a str,
    /// `EntityInfo.Path`.
    pub path: &'a str,
    /// The attempts, behind `LastAuthenticated`; none if never accessed.
    pub attempts: Option<Attempts<'a>>,
}
