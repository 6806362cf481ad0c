//! AWS's shape `GetOrganizationsAccessReportResponse`.

use super::writer::JobDate;
use super::{Json, Reply, attempts};
use crate::emit::job_status;
use crate::report::organizations::{AccessDetail, OrganizationsReport};

impl Reply for OrganizationsReport<'_> {
    fn push_request(&self, json: &mut Json) {
        json.member("EntityPath", self.entity_path);
        json.optional("OrganizationsPolicyId", self.policy_id);
    }

    fn push_reply(&self, json: &mut Json, details: bool) {
        json.member("JobStatus", job_status(self));
        json.member("JobCreationDate", JobDate(self.job.creation));
        json.member("JobCompletionDate", JobDate(self.job.completion));
        match &self.outcome {
            Ok(access) => {
                json.member("NumberOfServicesAccessible", access.services_accessible as u64);
                json.member("NumberOfServicesNotAccessed", access.services_not_accessed as u64);
                json.list("AccessDetails", &access.access_details, |json, row| {
                    push_service(json, row, details);
                });
                json.member("IsTruncated", access.marker.is_some());
                json.optional("Marker", access.marker.as_deref());
            }
            Err(error) => {
                json.member("IsTruncated", false);
                json.object("ErrorDetails", |json| {
                    json.member("Message", error.message);
                    json.member("Code", error.code);
                });
            }
        }
    }
}

/// Writes AWS's shape `AccessDetail` (O4, O5), and `Details` behind it.
fn push_service(json: &mut Json, row: &AccessDetail<'_>, details: bool) {
    json.member("ServiceName", row.service_name);
    json.member("ServiceNamespace", row.service_namespace);
    json.optional("Region", row.region);
    if let Some(attempts) = &row.attempts {
        json.member("EntityPath", attempts.latest.entity);
        json.member("LastAuthenticatedTime", attempts.latest.time);
    }
    json.member("TotalAuthenticatedEntities", row.total_authenticated_entities);
    if let Some(attempts) = row.attempts.as_ref().filter(|_| details) {
        json.object("Details", |json| attempts::push_attempts(json, attempts, "EntityPath"));
    }
}
