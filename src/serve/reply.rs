//! Replies of AWS's Query protocol: a result or an error as XML, with its HTTP status.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use uuid::Uuid;

use super::jobs::Job;
use super::request::Operation;
use crate::emit::xml::{XmlError, document};
use crate::report::RequestError;
use crate::report::service::PolicyGrantingServiceAccess;

/// The namespace of IAM's replies.
const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";

/// An answer as HTTP carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: &'static str,
    /// `RequestId`, of answers to the Query protocol.
    pub request_id: Option<String>,
    /// The error's code.
    pub code: Option<&'static str>,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// Returns what `operation` resulted in.
    pub fn result(operation: Operation, result: &impl Serialize) -> Self {
        let request_id = Uuid::new_v4().to_string();
        let response = Response { operation, result, request_id: &request_id };
        match document(&format!("{}Response", operation.name()), NAMESPACE, &response) {
            Ok(body) => Self {
                status: 200,
                content_type: "text/xml",
                request_id: Some(request_id),
                code: None,
                body,
            },
            Err(error) => Self::failure(&error.to_string()),
        }
    }

    /// Returns what IAM answers to a request that it refuses.
    pub fn refusal(error: &RequestError) -> Self {
        let request_id = Uuid::new_v4().to_string();
        let body = error_response(error.code, &error.message, "Sender", &request_id);
        Self {
            status: status(error.code),
            content_type: "text/xml",
            request_id: Some(request_id),
            code: Some(error.code),
            body: body.unwrap_or_default(),
        }
    }

    /// Returns what IAM answers when something of its own fails: clients try again.
    pub fn failure(message: &str) -> Self {
        let request_id = Uuid::new_v4().to_string();
        let code = "ServiceFailure";
        let body = error_response(code, message, "Receiver", &request_id);
        Self {
            status: 500,
            content_type: "text/xml",
            request_id: Some(request_id),
            code: Some(code),
            body: body.unwrap_or_default(),
        }
    }
}

/// Returns the HTTP status of an error; all are the sender's, and none is one after which clients
/// try again.
fn status(code: &str) -> u16 {
    match code {
        "AccessDenied"
        | "InvalidClientTokenId"
        | "MissingAuthenticationToken"
        | "SignatureDoesNotMatch" => 403,
        "NoSuchEntity" => 404,
        "MethodNotAllowed" => 405,
        "RequestTimeout" => 408,
        "ReportGenerationLimitExceeded" => 409,
        "RequestEntityTooLarge" => 413,
        _ => 400,
    }
}

fn error_response(
    code: &str,
    message: &str,
    r#type: &str,
    request_id: &str,
) -> Result<Vec<u8>, XmlError> {
    let error = ErrorOf { r#type, code, message };
    document("ErrorResponse", NAMESPACE, &ErrorResponse { error, request_id })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ErrorResponse<'r> {
    error: ErrorOf<'r>,
    request_id: &'r str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ErrorOf<'r> {
    r#type: &'r str,
    code: &'r str,
    message: &'r str,
}

/// A result under its operation's name, and the metadata beside it.
struct Response<'r, R> {
    operation: Operation,
    result: &'r R,
    request_id: &'r str,
}

impl<R: Serialize> Serialize for Response<'_, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry(&format!("{}Result", self.operation.name()), self.result)?;
        map.serialize_entry("ResponseMetadata", &ResponseMetadata { request_id: self.request_id })?;
        map.end()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ResponseMetadata<'r> {
    request_id: &'r str,
}

/// The result of both operations that make a job.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Generated {
    /// `JobId`.
    pub(super) job_id: String,
}

/// What a job without a report answers: one in progress, or one that failed for what no report of
/// its kind can say. Lists that IAM's model requires are there, and empty.
#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WithoutReport {
    job_status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    job_type: Option<&'static str>,
    job_creation_date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    services_last_accessed: Option<Vec<()>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entity_details_list: Option<Vec<()>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    job_completion_date: Option<String>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Failed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_details: Option<Failed>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Failed {
    message: String,
    code: &'static str,
}

impl WithoutReport {
    /// Returns the answer of `operation` about a job that is in progress (O9).
    pub(super) fn in_progress(operation: Operation, job: &Job) -> Self {
        Self { job_status: "IN_PROGRESS", ..Self::of(operation, job) }
    }

    /// Returns the answer of `operation` about a job that failed.
    pub(super) fn failed(operation: Operation, job: &Job, error: RequestError) -> Self {
        let failed = Some(Failed { message: error.message, code: error.code });
        let is_organizations = operation == Operation::GetOrganizationsAccessReport;
        let (error, error_details) = if is_organizations { (None, failed) } else { (failed, None) };
        Self {
            job_status: "FAILED",
            job_completion_date: Some(job.dates.completion.to_milliseconds_string()),
            error,
            error_details,
            ..Self::of(operation, job)
        }
    }

    fn of(operation: Operation, job: &Job) -> Self {
        let is = |other| operation == other;
        let services = is(Operation::GetServiceLastAccessedDetails);
        let entities = is(Operation::GetServiceLastAccessedDetailsWithEntities);
        Self {
            job_type: job.question.granularity().filter(|_| services).map(|it| it.name()),
            job_creation_date: job.dates.creation.to_milliseconds_string(),
            services_last_accessed: services.then(Vec::new),
            entity_details_list: entities.then(Vec::new),
            ..Self::default()
        }
    }
}

/// The result of `ListPoliciesGrantingServiceAccess`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListPoliciesGrantingServiceAccessResult<'r> {
    /// A service an entry.
    pub(super) policies_granting_service_access: Vec<ListPoliciesGrantingServiceAccessEntry<'r>>,
    /// Whether there are more.
    pub(super) is_truncated: bool,
    /// Where they begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) marker: Option<String>,
}

/// The policies that allow one service.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListPoliciesGrantingServiceAccessEntry<'r> {
    /// `ServiceNamespace`.
    pub(super) service_namespace: &'r str,
    /// `Policies`.
    pub(super) policies: Vec<PolicyShape<'r>>,
}

/// AWS's shape `PolicyGrantingServiceAccess`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PolicyShape<'r> {
    policy_name: &'r str,
    policy_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_arn: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entity_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entity_name: Option<&'r str>,
}

impl<'r> From<PolicyGrantingServiceAccess<'r>> for PolicyShape<'r> {
    fn from(policy: PolicyGrantingServiceAccess<'r>) -> Self {
        let (entity_type, entity_name) = policy.entity.unzip();
        Self {
            policy_name: policy.policy_name,
            policy_type: if policy.policy_arn.is_some() { "MANAGED" } else { "INLINE" },
            policy_arn: policy.policy_arn,
            entity_type,
            entity_name,
        }
    }
}
