//! AWS's shape `GetServiceLastAccessedDetailsResponse`.

use super::writer::JobDate;
use super::{Json, Reply, attempts};
use crate::emit::COMPLETED;
use crate::report::attempt::Attempts;
use crate::report::service::{ServiceLastAccessed, ServiceReport, TrackedActionLastAccessed};

impl Reply for ServiceReport<'_> {
    fn push_request(&self, json: &mut Json) {
        json.member("Arn", self.subject.arn);
    }

    fn push_reply(&self, json: &mut Json, details: bool) {
        json.member("JobStatus", COMPLETED);
        json.member("JobType", self.granularity.name());
        json.member("JobCreationDate", JobDate(self.job.creation));
        json.list("ServicesLastAccessed", &self.services_last_accessed, |json, service| {
            push_service(json, service, details);
        });
        json.member("JobCompletionDate", JobDate(self.job.completion));
        json.member("IsTruncated", self.marker.is_some());
        json.optional("Marker", self.marker.as_deref());
        if details {
            json.object("Details", |json| {
                json.member("Arn", self.subject.arn);
                attempts::push_age(json, &self.subject);
            });
        }
    }
}

/// Writes AWS's shape `ServiceLastAccessed` (I3), and `Details` behind it.
fn push_service(json: &mut Json, service: &ServiceLastAccessed<'_>, details: bool) {
    let latest = service.attempts.map(|attempts| attempts.latest);
    json.member("ServiceName", service.service_name);
    json.optional("LastAuthenticated", latest.map(|attempt| attempt.time));
    json.member("ServiceNamespace", service.service_namespace);
    json.optional("LastAuthenticatedEntity", latest.map(|attempt| attempt.entity));
    json.optional("LastAuthenticatedRegion", latest.and_then(|attempt| attempt.region));
    json.member("TotalAuthenticatedEntities", service.total_authenticated_entities);
    if let Some(actions) = &service.tracked_actions_last_accessed {
        json.list("TrackedActionsLastAccessed", actions, |json, action| {
            push_action(json, action, details);
        });
    }
    push_details(json, service.attempts.as_ref(), details);
}

/// Writes AWS's shape `TrackedActionLastAccessed` (I4), and `Details` behind it.
fn push_action(json: &mut Json, action: &TrackedActionLastAccessed<'_>, details: bool) {
    json.member("ActionName", action.action_name);
    if let Some(Attempts { latest, .. }) = &action.attempts {
        json.member("LastAccessedEntity", latest.entity);
        json.member("LastAccessedTime", latest.time);
        json.optional("LastAccessedRegion", latest.region);
    }
    push_details(json, action.attempts.as_ref(), details);
}

fn push_details(json: &mut Json, attempts: Option<&Attempts<'_>>, details: bool) {
    if let Some(attempts) = attempts.filter(|_| details) {
        json.object("Details", |json| attempts::push_attempts(json, attempts, "Entity"));
    }
}
