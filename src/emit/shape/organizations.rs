//! AWS's shape `GetOrganizationsAccessReportResponse`.

use serde::Serialize;

use super::details::{Details, EntityMember};
use super::{JobDate, List, Printed, Reply, Shaped};
use crate::emit::job_status;
use crate::report::organizations;
use crate::time::Time;

impl Reply for organizations::OrganizationsReport<'_> {
    fn request(&self) -> impl Serialize {
        GenerateOrganizationsAccessReportRequest {
            entity_path: self.entity_path,
            organizations_policy_id: self.policy_id,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GenerateOrganizationsAccessReportRequest<'r> {
    entity_path: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    organizations_policy_id: Option<&'r str>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GetOrganizationsAccessReportResponse<'r> {
    job_status: &'static str,
    job_creation_date: JobDate,
    job_completion_date: JobDate,
    #[serde(skip_serializing_if = "Option::is_none")]
    number_of_services_accessible: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    number_of_services_not_accessed: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_details: Option<List<'r, organizations::AccessDetail<'r>>>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_details: Option<ErrorDetails>,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Details<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ErrorDetails {
    message: &'static str,
    code: &'static str,
}

impl Shaped for organizations::OrganizationsReport<'_> {
    fn shape(&self, details: bool) -> impl Serialize {
        let access = self.outcome.as_ref().ok();
        let marker = access.and_then(|access| access.marker.as_deref());
        GetOrganizationsAccessReportResponse {
            job_status: job_status(self),
            job_creation_date: JobDate(self.job.creation),
            job_completion_date: JobDate(self.job.completion),
            number_of_services_accessible: access.map(|access| access.services_accessible),
            number_of_services_not_accessed: access.map(|access| access.services_not_accessed),
            access_details: access.map(|access| List { rows: &access.access_details, details }),
            is_truncated: marker.is_some(),
            marker,
            error_details: self
                .outcome
                .as_ref()
                .err()
                .map(|error| ErrorDetails { message: error.message, code: error.code }),
            details: self.proven.as_deref().filter(|_| details).map(Details::of_proven),
        }
    }
}

/// AWS's shape of a service (O4, O5), and `Details` behind it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AccessDetail<'r> {
    service_name: &'r str,
    service_namespace: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entity_path: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_authenticated_time: Option<Printed<Time>>,
    total_authenticated_entities: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Box<Details<'r>>>,
}

impl Shaped for organizations::AccessDetail<'_> {
    fn shape(&self, details: bool) -> impl Serialize {
        let attempts = self.attempts.as_ref();
        let latest = attempts.map(|attempts| &attempts.latest);
        AccessDetail {
            service_name: self.service_name,
            service_namespace: self.service_namespace,
            region: self.region,
            entity_path: latest.map(|latest| latest.entity),
            last_authenticated_time: latest.map(|latest| Printed(latest.time)),
            total_authenticated_entities: self.total_authenticated_entities,
            details: Details::of_attempts(attempts.filter(|_| details), EntityMember::EntityPath),
        }
    }
}
