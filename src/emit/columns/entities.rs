//! The columns of the report of who used a service.
//!
//! A row is one element of `EntityDetailsList`. A report that lists no entity is one row without
//! one, so that no format is silent about it.

use super::{Cells, Column, Group, Kind, Row, Rows};
use crate::emit::COMPLETED;

use crate::report::attempt::Attempts;
use crate::report::service::{EntitiesReport, EntityDetails};

/// The kind of [`EntitiesReport`].
pub enum Entities {}

impl Rows for EntitiesReport<'_> {
    type Kind = Entities;

    fn rows(&self) -> impl Iterator<Item = Row<'_, Entities>> {
        let list = &self.entity_details_list;
        let row = |element| Row { report: self, element };
        list.iter().map(move |details| row(Some(details))).chain(list.is_empty().then(|| row(None)))
    }
}

impl Kind for Entities {
    type Report<'r> = EntitiesReport<'r>;
    type Element<'r> = &'r EntityDetails<'r>;

    const REPORT: &'static str = "GetServiceLastAccessedDetailsWithEntities";

    const ENTITY_COLUMNS: [&'static str; 3] =
        ["LatestSuccessEntity", "LatestDenialEntity", "FirstAttemptEntity"];

    fn attempts<'r>(row: &Row<'r, Self>) -> Option<&'r Attempts<'r>> {
        row.element?.attempts.as_ref()
    }

    const COLUMNS: &'static [Group<Self>] = &[
        // Whom and what the report is about, and AWS's members of the reply.
        Group {
            repeats: |_, _| true,
            columns: &[
                Column::never_null("ReportArn", Cells::Text(|row| Some(row.report.subject.arn))),
                Column::never_null(
                    "ServiceNamespace",
                    Cells::Text(|row| Some(row.report.service_namespace)),
                ),
                Column::time("ReportCreateDate", |row| row.report.subject.create_date),
                Column::never_null(
                    "ReportYoungerThanPeriod",
                    Cells::Flag(|row| Some(row.report.subject.is_younger_than_period)),
                ),
                Column::never_null("JobStatus", Cells::Text(|_| Some(COMPLETED))),
                Column::never_null(
                    "JobCreationDate",
                    Cells::JobDate(|row| row.report.job.creation),
                ),
                Column::never_null(
                    "JobCompletionDate",
                    Cells::JobDate(|row| row.report.job.completion),
                ),
                Column::never_null(
                    "IsTruncated",
                    Cells::Flag(|row| Some(row.report.marker.is_some())),
                ),
                Column::text("Marker", |row| row.report.marker.as_deref()),
            ],
        },
        // AWS's members of a user or role (I5).
        Group {
            repeats: |_, _| false,
            columns: &[
                Column::text("Arn", |row| Some(row.element?.entity.arn)),
                Column::text("Name", |row| Some(row.element?.name)),
                Column::text("Type", |row| Some(row.element?.entity_type)),
                Column::text("Id", |row| row.element?.id),
                Column::text("Path", |row| Some(row.element?.path)),
                Column::time("LastAuthenticated", |row| Some(row.latest()?.time)),
                // What AWS does not have.
                Column::time("CreateDate", |row| row.element?.entity.create_date),
                Column::flag("YoungerThanPeriod", |row| {
                    Some(row.element?.entity.is_younger_than_period)
                }),
                Column::text("LatestAttemptRegion", |row| row.latest()?.region),
            ],
        },
    ];
}
