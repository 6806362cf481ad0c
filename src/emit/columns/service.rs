//! The columns of the report of one user, group, role or policy.
//!
//! A row is one element of `ServicesLastAccessed`, and behind it a row each of its
//! `TrackedActionsLastAccessed`, which has no columns of a service but its name and namespace. A
//! report that lists no service is one row without one, so that no format is silent about it.

use super::{Cells, Column, Group, Kind, Row, Rows};
use crate::emit::COMPLETED;

use crate::report::attempt::{Attempt, Attempts};
use crate::report::service::{ServiceLastAccessed, ServiceReport, TrackedActionLastAccessed};

/// The kind of [`ServiceReport`].
pub enum Service {}

/// What a row is about.
#[derive(Clone, Copy)]
pub struct Listed<'r> {
    service: &'r ServiceLastAccessed<'r>,
    /// The action of the service; none in the row of the service itself.
    action: Option<&'r TrackedActionLastAccessed<'r>>,
}

impl Rows for ServiceReport<'_> {
    type Kind = Service;

    fn rows(&self) -> impl Iterator<Item = Row<'_, Service>> {
        let services = &self.services_last_accessed;
        let row = |element| Row { report: self, element };
        let rows = services.iter().flat_map(move |service| {
            let actions = service.tracked_actions_last_accessed.iter().flatten();
            std::iter::once(None)
                .chain(actions.map(Some))
                .map(move |action| row(Some(Listed { service, action })))
        });
        rows.chain(services.is_empty().then(|| row(None)))
    }
}

impl<'r> Row<'r, Service> {
    /// Returns the service, in whose row and those of its actions this is.
    fn service(&self) -> Option<&'r ServiceLastAccessed<'r>> {
        Some(self.element?.service)
    }

    /// Returns the action in the row of an action.
    fn action(&self) -> Option<&'r TrackedActionLastAccessed<'r>> {
        self.element?.action
    }

    /// Returns the service in the row of a service.
    fn own_service(&self) -> Option<&'r ServiceLastAccessed<'r>> {
        self.service().filter(|_| self.action().is_none())
    }

    /// Returns whether it is the row of a service that nobody used, as most are.
    fn is_unused(&self) -> bool {
        self.own_service()
            .is_some_and(|it| it.attempts.is_none() && it.total_authenticated_entities == 0)
    }

    /// Returns the latest attempt in the row of a service.
    fn authenticated(&self) -> Option<Attempt<'r>> {
        Some(self.own_service()?.attempts.as_ref()?.latest)
    }

    /// Returns the latest attempt in the row of an action.
    fn accessed(&self) -> Option<Attempt<'r>> {
        Some(self.action()?.attempts.as_ref()?.latest)
    }
}

impl Kind for Service {
    type Report<'r> = ServiceReport<'r>;
    type Element<'r> = Listed<'r>;

    const REPORT: &'static str = "GetServiceLastAccessedDetails";

    const ENTITY_COLUMNS: [&'static str; 3] =
        ["LatestSuccessEntity", "LatestDenialEntity", "FirstAttemptEntity"];

    fn attempts<'r>(row: &Row<'r, Self>) -> Option<&'r Attempts<'r>> {
        let Listed { service, action } = row.element?;
        action.map_or(&service.attempts, |action| &action.attempts).as_deref()
    }

    const COLUMNS: &'static [Group<Self>] = &[
        // Whom the report is about, and AWS's members of the reply.
        Group {
            repeats: |_, _| true,
            columns: &[
                Column::never_null("ReportArn", Cells::Text(|row| Some(row.report.subject.arn))),
                Column::time("ReportCreateDate", |row| row.report.subject.create_date),
                Column::never_null(
                    "ReportYoungerThanPeriod",
                    Cells::Flag(|row| Some(row.report.subject.is_younger_than_period)),
                ),
                Column::never_null("JobStatus", Cells::Text(|_| Some(COMPLETED))),
                Column::never_null(
                    "JobType",
                    Cells::Text(|row| Some(row.report.granularity.name())),
                ),
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
        // AWS's members of a service (I3).
        Group {
            repeats: |_, _| false,
            columns: &[
                Column::text("ServiceName", |row| Some(row.service()?.service_name)),
                Column::text("ServiceNamespace", |row| Some(row.service()?.service_namespace)),
            ],
        },
        Group {
            repeats: |one, other| one.is_unused() && other.is_unused(),
            columns: &[
                Column::time("LastAuthenticated", |row| Some(row.authenticated()?.time)),
                Column::text("LastAuthenticatedEntity", |row| Some(row.authenticated()?.entity)),
                Column::text("LastAuthenticatedRegion", |row| row.authenticated()?.region),
                Column::count("TotalAuthenticatedEntities", |row| {
                    Some(row.own_service()?.total_authenticated_entities)
                }),
                // AWS's members of a tracked action (I4).
                Column::text("ActionName", |row| Some(row.action()?.action_name)),
                Column::time("LastAccessedTime", |row| Some(row.accessed()?.time)),
                Column::text("LastAccessedEntity", |row| Some(row.accessed()?.entity)),
                Column::text("LastAccessedRegion", |row| row.accessed()?.region),
            ],
        },
    ];
}
