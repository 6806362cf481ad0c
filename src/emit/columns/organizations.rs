//! The columns of the organizations report: schema version 1, the one place where it stands.
//!
//! A row is one element of `AccessDetails`. A report that failed is one row without a service, so
//! that no format is silent about it.

use super::{Cells, Column, Group, Kind, Row, Rows};
use crate::emit::job_status;

use crate::report::ErrorDetails;
use crate::report::attempt::Attempts;
use crate::report::organizations::{AccessDetail, AccessReport, OrganizationsReport};

/// The kind of [`OrganizationsReport`].
pub enum Organizations {}

impl Rows for OrganizationsReport<'_> {
    type Kind = Organizations;

    fn rows(&self) -> impl Iterator<Item = Row<'_, Organizations>> {
        let details = self.outcome.as_ref().map_or(&[][..], |access| &access.access_details);
        let failed = self.outcome.is_err().then_some(Row { report: self, element: None });
        details.iter().map(|detail| Row { report: self, element: Some(detail) }).chain(failed)
    }
}

impl<'r> Row<'r, Organizations> {
    fn access(&self) -> Option<&'r AccessReport<'r>> {
        self.report.outcome.as_ref().ok()
    }

    fn marker(&self) -> Option<&'r str> {
        self.access()?.marker.as_deref()
    }

    fn error(&self) -> Option<&'r ErrorDetails> {
        self.report.outcome.as_ref().err()
    }
}

impl Kind for Organizations {
    type Report<'r> = OrganizationsReport<'r>;
    type Element<'r> = &'r AccessDetail<'r>;

    const REPORT: &'static str = "GetOrganizationsAccessReport";

    const ENTITY_COLUMNS: [&'static str; 3] =
        ["LatestSuccessEntityPath", "LatestDenialEntityPath", "FirstAttemptEntityPath"];

    fn attempts<'r>(row: &Row<'r, Self>) -> Option<&'r Attempts<'r>> {
        row.element?.attempts.as_ref()
    }

    const COLUMNS: &'static [Group<Self>] = &[
        // What the report is about, and AWS's members of the reply.
        Group {
            repeats: |_, _| true,
            columns: &[
                Column::never_null(
                    "ReportEntityPath",
                    Cells::Text(|row| Some(row.report.entity_path)),
                ),
                Column::text("OrganizationsPolicyId", |row| row.report.policy_id),
                Column::never_null("JobStatus", Cells::Text(|row| Some(job_status(row.report)))),
                Column::never_null(
                    "JobCreationDate",
                    Cells::JobDate(|row| row.report.job.creation),
                ),
                Column::never_null(
                    "JobCompletionDate",
                    Cells::JobDate(|row| row.report.job.completion),
                ),
                Column::count("NumberOfServicesAccessible", |row| {
                    Some(row.access()?.services_accessible as u64)
                }),
                Column::count("NumberOfServicesNotAccessed", |row| {
                    Some(row.access()?.services_not_accessed as u64)
                }),
                Column::never_null("IsTruncated", Cells::Flag(|row| Some(row.marker().is_some()))),
                Column::text("Marker", |row| row.marker()),
                Column::text("ErrorCode", |row| Some(row.error()?.code)),
                Column::text("ErrorMessage", |row| Some(row.error()?.message)),
            ],
        },
        // AWS's members of a service (O4, O5).
        Group {
            repeats: |_, _| false,
            columns: &[
                Column::text("ServiceName", |row| Some(row.element?.service_name)),
                Column::text("ServiceNamespace", |row| Some(row.element?.service_namespace)),
                Column::text("Region", |row| row.element?.region),
                Column::text("EntityPath", |row| Some(row.latest()?.entity)),
                Column::time("LastAuthenticatedTime", |row| Some(row.latest()?.time)),
                Column::count("TotalAuthenticatedEntities", |row| {
                    Some(row.element?.total_authenticated_entities)
                }),
            ],
        },
    ];
}
