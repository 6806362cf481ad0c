//! AWS's shape `GetServiceLastAccessedDetailsWithEntitiesResponse`.

use serde::Serialize;

use super::details::Details;
use super::{JobDate, List, Printed, Reply, Shaped};
use crate::emit::COMPLETED;
use crate::report::service;
use crate::time::Time;

impl Reply for service::EntitiesReport<'_> {
    fn request(&self) -> impl Serialize {
        GetServiceLastAccessedDetailsWithEntitiesRequest {
            arn: self.subject.arn,
            service_namespace: self.service_namespace,
        }
    }
}

/// What tells a report from the others. AWS's request of this name has a `JobId` in place of the
/// ARN, which it has from `GenerateServiceLastAccessedDetails`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GetServiceLastAccessedDetailsWithEntitiesRequest<'r> {
    arn: &'r str,
    service_namespace: &'r str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GetServiceLastAccessedDetailsWithEntitiesResponse<'r> {
    job_status: &'static str,
    job_creation_date: JobDate,
    job_completion_date: JobDate,
    entity_details_list: List<'r, service::EntityDetails<'r>>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Details<'r>>,
}

impl Shaped for service::EntitiesReport<'_> {
    fn shape(&self, details: bool) -> impl Serialize {
        GetServiceLastAccessedDetailsWithEntitiesResponse {
            job_status: COMPLETED,
            job_creation_date: JobDate(self.job.creation),
            job_completion_date: JobDate(self.job.completion),
            entity_details_list: List { rows: &self.entity_details_list, details },
            is_truncated: self.marker.is_some(),
            marker: self.marker.as_deref(),
            details: details.then(|| {
                let namespace = Some(self.service_namespace);
                Details::of_report(&self.subject, namespace, self.proven.as_deref())
            }),
        }
    }
}

/// AWS's shape of a user or role (I5), and `Details` behind it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct EntityDetails<'r> {
    entity_info: EntityInfo<'r>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_authenticated: Option<Printed<Time>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Details<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct EntityInfo<'r> {
    arn: &'r str,
    name: &'r str,
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'r str>,
    path: &'r str,
}

impl Shaped for service::EntityDetails<'_> {
    fn shape(&self, details: bool) -> impl Serialize {
        let attempts = self.attempts.as_ref();
        EntityDetails {
            entity_info: EntityInfo {
                arn: self.entity.arn,
                name: self.name,
                r#type: self.entity_type,
                id: self.id,
                path: self.path,
            },
            last_authenticated: attempts.map(|attempts| Printed(attempts.latest.time)),
            details: details.then(|| Details::of_entity(&self.entity, attempts)),
        }
    }
}
