//! AWS's shape `GetServiceLastAccessedDetailsWithEntitiesResponse`.

use super::writer::JobDate;
use super::{Json, Reply, attempts};
use crate::emit::COMPLETED;
use crate::report::service::{EntitiesReport, EntityDetails};

impl Reply for EntitiesReport<'_> {
    fn push_request(&self, json: &mut Json) {
        json.member("Arn", self.subject.arn);
        json.member("ServiceNamespace", self.service_namespace);
    }

    fn push_reply(&self, json: &mut Json, details: bool) {
        json.member("JobStatus", COMPLETED);
        json.member("JobCreationDate", JobDate(self.job.creation));
        json.member("JobCompletionDate", JobDate(self.job.completion));
        json.list("EntityDetailsList", &self.entity_details_list, |json, entity| {
            push_entity(json, entity, details);
        });
        json.member("IsTruncated", self.marker.is_some());
        json.optional("Marker", self.marker.as_deref());
        if details {
            json.object("Details", |json| {
                json.member("Arn", self.subject.arn);
                json.member("ServiceNamespace", self.service_namespace);
                attempts::push_age(json, &self.subject);
            });
        }
    }
}

/// Writes AWS's shape `EntityDetails` (I5), and `Details` behind it.
fn push_entity(json: &mut Json, row: &EntityDetails<'_>, details: bool) {
    json.object("EntityInfo", |json| {
        json.member("Arn", row.entity.arn);
        json.member("Name", row.name);
        json.member("Type", row.entity_type);
        json.member("Id", row.id);
        json.member("Path", row.path);
    });
    json.optional("LastAuthenticated", row.attempts.map(|attempts| attempts.latest.time));
    if details {
        json.object("Details", |json| {
            attempts::push_age(json, &row.entity);
            if let Some(attempts) = &row.attempts {
                attempts::push_attempts(json, attempts, "Entity");
            }
        });
    }
}
