//! AWS's shape `GetServiceLastAccessedDetailsResponse`.

use serde::Serialize;

use super::details::{Details, EntityMember};
use super::{JobDate, List, Printed, Reply, Shaped};
use crate::emit::COMPLETED;
use crate::report::service;
use crate::time::Time;

impl Reply for service::ServiceReport<'_> {
    fn request(&self) -> impl Serialize {
        GetServiceLastAccessedDetailsRequest { arn: self.subject.arn }
    }
}

/// What tells a report from the others. AWS's request of this name has a `JobId` in place of the
/// ARN, which it has from `GenerateServiceLastAccessedDetails`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GetServiceLastAccessedDetailsRequest<'r> {
    arn: &'r str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GetServiceLastAccessedDetailsResponse<'r> {
    job_status: &'static str,
    job_type: &'static str,
    job_creation_date: JobDate,
    services_last_accessed: List<'r, service::ServiceLastAccessed<'r>>,
    job_completion_date: JobDate,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Details<'r>>,
}

impl Shaped for service::ServiceReport<'_> {
    fn shape(&self, details: bool) -> impl Serialize {
        GetServiceLastAccessedDetailsResponse {
            job_status: COMPLETED,
            job_type: self.granularity.name(),
            job_creation_date: JobDate(self.job.creation),
            services_last_accessed: List { rows: &self.services_last_accessed, details },
            job_completion_date: JobDate(self.job.completion),
            is_truncated: self.marker.is_some(),
            marker: self.marker.as_deref(),
            details: details
                .then(|| Details::of_report(&self.subject, None, self.proven.as_deref())),
        }
    }
}

/// AWS's shape of a service (I3), and `Details` behind it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ServiceLastAccessed<'r> {
    service_name: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_authenticated: Option<Printed<Time>>,
    service_namespace: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_authenticated_entity: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_authenticated_region: Option<&'r str>,
    total_authenticated_entities: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    tracked_actions_last_accessed: Option<List<'r, service::TrackedActionLastAccessed<'r>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Box<Details<'r>>>,
}

impl Shaped for service::ServiceLastAccessed<'_> {
    fn shape(&self, details: bool) -> impl Serialize {
        let attempts = self.attempts.as_deref();
        let latest = attempts.map(|attempts| &attempts.latest);
        let actions = self.tracked_actions_last_accessed.as_ref();
        ServiceLastAccessed {
            service_name: self.service_name,
            last_authenticated: latest.map(|latest| Printed(latest.time)),
            service_namespace: self.service_namespace,
            last_authenticated_entity: latest.map(|latest| latest.entity),
            last_authenticated_region: latest.and_then(|latest| latest.region),
            total_authenticated_entities: self.total_authenticated_entities,
            tracked_actions_last_accessed: actions.map(|rows| List { rows, details }),
            details: Details::of_attempts(attempts.filter(|_| details), EntityMember::Entity),
        }
    }
}

/// AWS's shape of an action (I4), and `Details` behind it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TrackedActionLastAccessed<'r> {
    action_name: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_accessed_entity: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_accessed_time: Option<Printed<Time>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_accessed_region: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Box<Details<'r>>>,
}

impl Shaped for service::TrackedActionLastAccessed<'_> {
    fn shape(&self, details: bool) -> impl Serialize {
        let attempts = self.attempts.as_deref();
        let latest = attempts.map(|attempts| &attempts.latest);
        TrackedActionLastAccessed {
            action_name: self.action_name,
            last_accessed_entity: latest.map(|latest| latest.entity),
            last_accessed_time: latest.map(|latest| Printed(latest.time)),
            last_accessed_region: latest.and_then(|latest| latest.region),
            details: Details::of_attempts(attempts.filter(|_| details), EntityMember::Entity),
        }
    }
}
