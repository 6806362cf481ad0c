//! The columns of the organizations report: schema version 1, the one place where it stands.
//!
//! A row is one element of `AccessDetails`. A report that failed is one row without a service, so
//! that no format is silent about it. What an AWS column says of the latest attempt (its time,
//! Region and entity path) is not said again.

use super::{Cells, Column};
use crate::emit::job_status;

use crate::report::ErrorDetails;
use crate::report::attempt::{Attempt, Attempts, EventId};
use crate::report::organizations::{AccessDetail, AccessReport, OrganizationsReport};
use crate::time::Time;

/// The AWS operation whose reply the rows are.
pub(super) const REPORT: &str = "GetOrganizationsAccessReport";

/// One row: a service of a completed report, or a failed report.
#[derive(Clone, Copy)]
pub(in crate::emit) struct Row<'r> {
    report: &'r OrganizationsReport<'r>,
    detail: Option<&'r AccessDetail<'r>>,
}

/// Returns the rows of a report.
pub(in crate::emit) fn rows<'r>(
    report: &'r OrganizationsReport<'r>,
) -> impl Iterator<Item = Row<'r>> {
    let details = report.outcome.as_ref().map_or(&[][..], |access| &access.access_details[..]);
    let failed = report.outcome.is_err().then_some(Row { report, detail: None });
    details.iter().map(move |detail| Row { report, detail: Some(detail) }).chain(failed)
}

impl<'r> Row<'r> {
    fn access(&self) -> Option<&'r AccessReport<'r>> {
        self.report.outcome.as_ref().ok()
    }

    fn marker(&self) -> Option<&'r str> {
        self.access()?.marker.as_deref()
    }

    fn error(&self) -> Option<&'r ErrorDetails> {
        self.report.outcome.as_ref().err()
    }

    fn attempts(&self) -> Option<&'r Attempts<'r>> {
        self.detail?.attempts.as_ref()
    }

    fn latest(&self) -> Option<Attempt<'r>> {
        Some(self.attempts()?.latest)
    }

    fn success(&self) -> Option<Attempt<'r>> {
        self.attempts()?.success
    }

    fn denial(&self) -> Option<Attempt<'r>> {
        self.attempts()?.denial
    }

    fn first(&self) -> Option<Attempt<'r>> {
        Some(self.attempts()?.first)
    }
}

type Get<T> = for<'r> fn(&Row<'r>) -> T;

const fn never_null(name: &'static str, cells: Cells) -> Column {
    Column { name, nullable: false, cells }
}

const fn text(name: &'static str, cell: for<'r> fn(&Row<'r>) -> Option<&'r str>) -> Column {
    Column { name, nullable: true, cells: Cells::Text(cell) }
}

const fn event_id(name: &'static str, cell: for<'r> fn(&Row<'r>) -> Option<EventId<'r>>) -> Column {
    Column { name, nullable: true, cells: Cells::EventId(cell) }
}

const fn time(name: &'static str, cell: Get<Option<Time>>) -> Column {
    Column { name, nullable: true, cells: Cells::Time(cell) }
}

const fn count(name: &'static str, cell: Get<Option<u64>>) -> Column {
    Column { name, nullable: true, cells: Cells::Count(cell) }
}

/// The columns, in order.
pub(in crate::emit) static COLUMNS: &[Column] = &[
    // What the report is about, and AWS's members of the reply.
    never_null("ReportEntityPath", Cells::Text(|row| Some(row.report.entity_path))),
    text("OrganizationsPolicyId", |row| row.report.policy_id),
    never_null("JobStatus", Cells::Text(|row| Some(job_status(row.report)))),
    never_null("JobCreationDate", Cells::JobDate(|row| row.report.job.creation)),
    never_null("JobCompletionDate", Cells::JobDate(|row| row.report.job.completion)),
    count("NumberOfServicesAccessible", |row| Some(row.access()?.services_accessible as u64)),
    count("NumberOfServicesNotAccessed", |row| Some(row.access()?.services_not_accessed as u64)),
    never_null("IsTruncated", Cells::Flag(|row| row.marker().is_some())),
    text("Marker", |row| row.marker()),
    text("ErrorCode", |row| Some(row.error()?.code)),
    text("ErrorMessage", |row| Some(row.error()?.message)),
    // AWS's members of a service (O4, O5).
    text("ServiceName", |row| Some(row.detail?.service_name)),
    text("ServiceNamespace", |row| Some(row.detail?.service_namespace)),
    text("Region", |row| row.detail?.region),
    text("EntityPath", |row| Some(row.latest()?.entity)),
    time("LastAuthenticatedTime", |row| Some(row.latest()?.time)),
    count("TotalAuthenticatedEntities", |row| Some(row.detail?.total_authenticated_entities)),
    // What AWS does not have.
    text("LatestAttemptPrincipal", |row| row.latest()?.principal),
    text("LatestAttemptEventSource", |row| Some(row.latest()?.event_source)),
    text("LatestAttemptEventName", |row| Some(row.latest()?.event_name)),
    event_id("LatestAttemptEventId", |row| row.latest()?.event_id),
    time("LatestSuccessTime", |row| Some(row.success()?.time)),
    text("LatestSuccessRegion", |row| row.success()?.region),
    text("LatestSuccessEntityPath", |row| Some(row.success()?.entity)),
    text("LatestSuccessPrincipal", |row| row.success()?.principal),
    text("LatestSuccessEventSource", |row| Some(row.success()?.event_source)),
    text("LatestSuccessEventName", |row| Some(row.success()?.event_name)),
    event_id("LatestSuccessEventId", |row| row.success()?.event_id),
    time("LatestDenialTime", |row| Some(row.denial()?.time)),
    text("LatestDenialRegion", |row| row.denial()?.region),
    text("LatestDenialEntityPath", |row| Some(row.denial()?.entity)),
    text("LatestDenialPrincipal", |row| row.denial()?.principal),
    text("LatestDenialEventSource", |row| Some(row.denial()?.event_source)),
    text("LatestDenialEventName", |row| Some(row.denial()?.event_name)),
    event_id("LatestDenialEventId", |row| row.denial()?.event_id),
    time("FirstAttemptTime", |row| Some(row.first()?.time)),
    text("FirstAttemptRegion", |row| row.first()?.region),
    text("FirstAttemptEntityPath", |row| Some(row.first()?.entity)),
    text("FirstAttemptPrincipal", |row| row.first()?.principal),
    text("FirstAttemptEventSource", |row| Some(row.first()?.event_source)),
    text("FirstAttemptEventName", |row| Some(row.first()?.event_name)),
    event_id("FirstAttemptEventId", |row| row.first()?.event_id),
];
