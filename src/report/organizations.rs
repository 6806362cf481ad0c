//! The report of `GetOrganizationsAccessReport` (O1–O14).

use super::{ErrorDetails, JobDates};
use crate::time::Time;

/// The report of one entity, with or without a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganizationsReport<'a> {
    /// The entity path that was asked, without a trailing slash.
    pub entity_path: &'a str,
    /// The policy that was asked, if any.
    pub policy_id: Option<&'a str>,
    /// The dates of the job.
    pub job: JobDates,
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
    /// The latest attempt, behind `EntityPath` and `LastAuthenticatedTime` (O4); none if never
    /// accessed (O5).
    pub latest_attempt: Option<Attempt<'a>>,
    /// The latest attempt that AWS answered without an error; not part of AWS's report.
    pub latest_success: Option<Attempt<'a>>,
    /// The latest attempt that was denied for want of permission; not part of AWS's report.
    pub latest_denial: Option<Attempt<'a>>,
    /// The first attempt of the period; not part of AWS's report.
    pub first_attempt: Option<Attempt<'a>>,
}

/// One attempt to access a service, as logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt<'a> {
    /// `eventTime`.
    pub time: Time,
    /// `awsRegion`, if the record has one.
    pub region: Option<&'a str>,
    /// The entity path down to the acting account, without a trailing slash.
    pub entity_path: &'a str,
    /// The ARN (or, without one, the unique id) of the principal; none when the account alone is
    /// known.
    pub principal: Option<&'a str>,
    /// `eventSource`.
    pub event_source: &'a str,
    /// `eventName`.
    pub event_name: &'a str,
    /// `eventID`, if the record has one.
    pub event_id: Option<EventId<'a>>,
}

pub use crate::event::EventId;
