//! The desk answers requests, one after the other; knows no HTTP.

use chrono::TimeDelta;
use serde::{Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::jobs::{Job, Jobs, Question};
use super::page::{self, Visit};
use super::reply::{
    Generated, ListPoliciesGrantingServiceAccessEntry, ListPoliciesGrantingServiceAccessResult,
    Reply, WithoutReport,
};
use super::request::{Operation, Request, Rows};
use super::state::StateError;
use super::{Facts, Reporters};
use crate::emit;
use crate::emit::xml::{XmlError, document};
use crate::identities::{Identities, IdentityIndex, IdentityKind};
use crate::report::organizations::{
    Attachments, INVALID_ENTITY_PATH, OrganizationsReport, UnusedIamRegion,
};
use crate::report::page::{Page, SortKey, cut};
use crate::report::service::{self, Granularity, ServiceReport, find, find_service};
use crate::report::{JobDates, RequestError, organizations};
use crate::time::Time;

/// The services of a page of `ListPoliciesGrantingServiceAccess`.
const GRANTING_ITEMS: usize = 100;

/// What of the answers is open to choice.
#[derive(Clone, Copy, Debug)]
pub struct Choices {
    /// Which attachments of a policy count (O2).
    pub attachments: Attachments,
    /// Whether an unused row of `iam` shows a Region (O13).
    pub unused_iam_region: UnusedIamRegion,
    /// So long a job stays in progress.
    pub job_time: TimeDelta,
    /// Whether there are reports on those of whose accounts nothing was read.
    pub allow_empty: bool,
}

/// Answers requests about one set of facts.
pub struct Desk<'a> {
    facts: &'a Facts<'a>,
    reporters: Reporters<'a>,
    jobs: Jobs,
    choices: Choices,
}

/// Why there is no result: what IAM refuses, or what cannot be stored.
enum Refused {
    Request(RequestError),
    Failure(String),
}

impl From<RequestError> for Refused {
    fn from(error: RequestError) -> Self {
        Self::Request(error)
    }
}

impl From<StateError> for Refused {
    fn from(_: StateError) -> Self {
        // Whoever asks is told no path of this machine.
        Self::Failure("the job cannot be kept: the directory of jobs cannot be written".to_owned())
    }
}

impl From<XmlError> for Refused {
    fn from(error: XmlError) -> Self {
        Self::Failure(error.to_string())
    }
}

type Answer = Result<Reply, Refused>;

impl<'a> Desk<'a> {
    /// Makes a desk that knows these jobs.
    pub fn new(facts: &'a Facts<'a>, jobs: Jobs, choices: Choices) -> Self {
        Self { facts, reporters: Reporters::new(facts), jobs, choices }
    }

    /// Answers a request that comes in at `now`.
    pub fn answer(&mut self, request: &Request, now: Time) -> Reply {
        let answer = match request {
            Request::GenerateOrganizationsAccessReport { entity_path, policy_id } => {
                self.generate_organizations(entity_path, policy_id.as_deref(), now)
            }
            Request::GetOrganizationsAccessReport { job_id, sort_key, rows } => {
                self.organizations(job_id, *sort_key, rows, now)
            }
            Request::GenerateServiceLastAccessedDetails { arn, granularity } => {
                self.generate_service(arn, *granularity, now)
            }
            Request::GetServiceLastAccessedDetails { job_id, rows } => {
                self.services(job_id, rows, now)
            }
            Request::GetServiceLastAccessedDetailsWithEntities {
                job_id,
                service_namespace,
                rows,
            } => self.entities(job_id, service_namespace, rows, now),
            Request::ListPoliciesGrantingServiceAccess { arn, service_namespaces, marker } => {
                self.policies(arn, service_namespaces, marker.as_deref())
            }
        };
        match answer {
            Ok(reply) => reply,
            Err(Refused::Request(error)) => Reply::refusal(&error),
            Err(Refused::Failure(message)) => Reply::failure(&message),
        }
    }

    /// Answers a browser.
    pub(super) fn visit(&mut self, visit: &Visit, now: Time) -> Reply {
        let page::Page { status, content_type, body } =
            page::page(self.facts, &mut self.reporters, self.choices.attachments, visit, now);
        Reply { status, content_type, request_id: None, code: None, body }
    }

    fn generate_organizations(
        &mut self,
        entity_path: &str,
        policy_id: Option<&str>,
        now: Time,
    ) -> Answer {
        let question = Question::Organizations {
            entity_path: entity_path.strip_suffix('/').unwrap_or(entity_path).to_owned(),
            organizations_policy_id: policy_id.map(str::to_owned),
        };
        self.generate(Operation::GenerateOrganizationsAccessReport, question, now)
    }

    fn generate_service(&mut self, arn: &str, granularity: Granularity, now: Time) -> Answer {
        let (identities, identity) = self.identity(arn)?;
        let silent = service::silent_accounts(identities, identity, self.facts.coverage);
        if let Some(accounts) = silent.filter(|_| !self.choices.allow_empty) {
            return Err(Refused::Request(RequestError::invalid_input(format!(
                "no access of account {} was read, so a report on `{arn}` would say nothing",
                accounts.join(", ")
            ))));
        }
        let question = Question::service(arn.to_owned(), granularity);
        self.generate(Operation::GenerateServiceLastAccessedDetails, question, now)
    }

    /// Makes the job of a question, unless it was asked just before.
    fn generate(&mut self, operation: Operation, question: Question, now: Time) -> Answer {
        let id = match self.jobs.recent(&question, now) {
            Some(job) => job.id,
            None => self.new_job(question, now)?,
        };
        Ok(Reply::result(operation, &Generated { job_id: id.to_string() }))
    }

    fn new_job(&mut self, question: Question, now: Time) -> Result<Uuid, Refused> {
        // What IAM refuses it refuses whatever else goes on.
        let digest = self.digest(&question)?;
        if let (Question::Organizations { .. }, Some(running)) =
            (&question, self.jobs.running_organizations(now))
        {
            return Err(Refused::Request(RequestError {
                code: "ReportGenerationLimitExceeded",
                message: format!("Another report is being generated: job {}.", running.id),
            }));
        }
        // Whole milliseconds, which is what dates of jobs tell.
        let creation = Time::from_micros(now.micros().div_euclid(1000) * 1000);
        let completion = creation.plus(self.choices.job_time);
        Ok(self.jobs.add(question, JobDates { creation, completion }, digest)?)
    }

    fn organizations(&mut self, id: &str, sort_key: SortKey, rows: &Rows, now: Time) -> Answer {
        let operation = Operation::GetOrganizationsAccessReport;
        let job = self.job(operation, id, now)?;
        self.report(operation, &job, sort_key, rows, now)
    }

    fn services(&mut self, id: &str, rows: &Rows, now: Time) -> Answer {
        let operation = Operation::GetServiceLastAccessedDetails;
        let job = self.job(operation, id, now)?;
        self.report(operation, &job, SortKey::default(), rows, now)
    }

    fn report(
        &mut self,
        operation: Operation,
        job: &Job,
        sort_key: SortKey,
        rows: &Rows,
        now: Time,
    ) -> Answer {
        if job.is_in_progress(now) {
            return Ok(Reply::result(operation, &WithoutReport::in_progress(operation, job)));
        }
        let id = job.id.to_string();
        match self.report_of(&job.question, sort_key, page_of(rows, &id), job.dates) {
            Ok(report) => Ok(Reply::result(operation, &report)),
            Err(error) => refused(operation, job, error),
        }
    }

    fn entities(&mut self, id: &str, namespace: &str, rows: &Rows, now: Time) -> Answer {
        let operation = Operation::GetServiceLastAccessedDetailsWithEntities;
        let job = self.job(operation, id, now)?;
        if job.is_in_progress(now) {
            return Ok(Reply::result(operation, &WithoutReport::in_progress(operation, &job)));
        }
        let Question::Service { arn, .. } = &job.question else { return Err(no_such_job(id)) };
        let granularity = job.question.granularity().unwrap_or_default();
        let query = service::Query { granularity, page: page_of(rows, id), job: job.dates };
        let Some(reporter) = &mut self.reporters.services else { return Err(no_such_job(id)) };
        let report = self
            .facts
            .identities
            .map(|(identities, _)| find(identities, arn))
            .ok_or_else(|| no_such_job(id))?
            .and_then(|identity| reporter.entities(identity, namespace, &query));
        match report {
            Ok(report) => Ok(Reply::result(operation, &emit::reply(&report))),
            Err(error) => refused(operation, &job, error),
        }
    }

    fn policies(&mut self, arn: &str, namespaces: &[String], marker: Option<&str>) -> Answer {
        let (identities, identity) = self.identity(arn)?;
        if identities.identity(identity).kind == IdentityKind::Policy {
            let message = format!("`{arn}` is no ARN of an IAM user, group or role");
            return Err(Refused::Request(RequestError::invalid_input(message)));
        }
        let mut entries = Vec::with_capacity(namespaces.len());
        for namespace in namespaces {
            let service = find_service(self.facts.catalog, namespace)?;
            let Some(reporter) = &mut self.reporters.services else { continue };
            entries.push(ListPoliciesGrantingServiceAccessEntry {
                service_namespace: &self.facts.catalog.service(service).namespace,
                policies: reporter
                    .granting(identity, service)
                    .into_iter()
                    .map(Into::into)
                    .collect(),
            });
        }
        let page = Page { max_items: Some(GRANTING_ITEMS), marker, job_id: Some(arn) };
        let marker = cut(&mut entries, &page, namespaces, |entry| (None, entry.service_namespace))?;
        let operation = Operation::ListPoliciesGrantingServiceAccess;
        Ok(Reply::result(
            operation,
            &ListPoliciesGrantingServiceAccessResult {
                policies_granting_service_access: entries,
                is_truncated: marker.is_some(),
                marker,
            },
        ))
    }

    /// Returns the job of this id that `operation` can be asked for.
    fn job(&mut self, operation: Operation, id: &str, now: Time) -> Result<Job, Refused> {
        let wants_organizations = operation == Operation::GetOrganizationsAccessReport;
        let job = Uuid::try_parse(id).ok().and_then(|uuid| self.jobs.get(uuid, now));
        let is_wanted = |job: &&Job| {
            matches!(job.question, Question::Organizations { .. }) == wants_organizations
                && job.id.to_string() == id
        };
        let mut job = job.filter(is_wanted).cloned().ok_or_else(|| no_such_job(id))?;
        if !job.is_of_this_run
            && !job.is_in_progress(now)
            && let Ok(digest) = self.digest(&job.question)
        {
            self.jobs.answered(job.id, &digest, now)?;
            job = self.jobs.get(job.id, now).cloned().ok_or_else(|| no_such_job(id))?;
        }
        Ok(job)
    }

    fn identity(&self, arn: &str) -> Result<(&'a Identities, IdentityIndex), RequestError> {
        let Some((identities, _)) = self.facts.identities else {
            return Err(RequestError {
                code: "InvalidAction",
                message: "trailfold serve was started without --identities: it knows no users, \
                          groups, roles and policies"
                    .to_owned(),
            });
        };
        Ok((identities, find(identities, arn)?))
    }

    /// Returns what tells the answer to a question from others: a digest of the whole report,
    /// whatever its dates.
    fn digest(&mut self, question: &Question) -> Result<String, Refused> {
        let epoch = Time::from_micros(0);
        let dates = JobDates { creation: epoch, completion: epoch };
        let report = self.report_of(question, SortKey::default(), Page::default(), dates)?;
        let digest = Sha256::digest(document("Report", "", &report)?);
        Ok(digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect())
    }

    fn report_of<'q>(
        &mut self,
        question: &'q Question,
        sort_key: SortKey,
        page: Page<'q>,
        job: JobDates,
    ) -> Result<Report<'q>, RequestError>
    where
        'a: 'q,
    {
        match question {
            Question::Organizations { entity_path, organizations_policy_id } => {
                let query = organizations::Query {
                    entity_path,
                    policy_id: organizations_policy_id.as_deref(),
                    attachments: self.choices.attachments,
                    sort_key,
                    page,
                    unused_iam_region: self.choices.unused_iam_region,
                    job,
                };
                self.reporters.organizations.report(&query).map(Report::Organizations)
            }
            Question::Service { arn, .. } => {
                let (_, identity) = self.identity(arn)?;
                let granularity = question.granularity().unwrap_or_default();
                let query = service::Query { granularity, page, job };
                match &mut self.reporters.services {
                    Some(reporter) => reporter.services(identity, &query).map(Report::Service),
                    None => Err(RequestError::no_such_entity(format!("`{arn}` is not known"))),
                }
            }
        }
    }
}

/// A report of either kind.
enum Report<'q> {
    Organizations(OrganizationsReport<'q>),
    Service(ServiceReport<'q>),
}

impl Serialize for Report<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Organizations(report) => emit::reply(report).serialize(serializer),
            Self::Service(report) => emit::reply(report).serialize(serializer),
        }
    }
}

fn page_of<'q>(rows: &'q Rows, job_id: &'q str) -> Page<'q> {
    Page { max_items: Some(rows.max_items), marker: rows.marker.as_deref(), job_id: Some(job_id) }
}

fn no_such_job(id: &str) -> Refused {
    Refused::Request(RequestError::no_such_entity(format!("Job {id} does not exist.")))
}

/// Answers for a job without a report: a question that an earlier run answered may be about
/// something that the facts of this one do not have.
fn refused(operation: Operation, job: &Job, error: RequestError) -> Answer {
    if job.is_of_this_run {
        return Err(error.into());
    }
    let (code, message) = match &job.question {
        // It was another organization's then.
        Question::Organizations { .. } => {
            (INVALID_ENTITY_PATH.code, INVALID_ENTITY_PATH.message.to_owned())
        }
        Question::Service { .. } => (error.code, error.message),
    };
    let failed = WithoutReport::failed(operation, job, RequestError { code, message });
    Ok(Reply::result(operation, &failed))
}

#[cfg(test)]
mod tests;
