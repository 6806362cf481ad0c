//! JSON: AWS's reply to `GetOrganizationsAccessReport` as the AWS CLI prints it, and JSON lines.

use std::fmt;
use std::io::{self, Write};

use serde::ser::{Serialize, SerializeStruct as _, Serializer};
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

use super::{EmitError, Layout, job_status};
use crate::printable;
use crate::report::attempt::{Attempt, Attempts, EventId};
use crate::report::organizations::{AccessDetail, OrganizationsReport};

/// Writes the one report: four blanks a level, a line feed at the end.
pub(super) fn write_reply<'a>(
    layout: &Layout,
    reports: &mut dyn Iterator<Item = OrganizationsReport<'a>>,
    out: &mut dyn Write,
) -> Result<(), EmitError> {
    let report = reports.next().ok_or(EmitError::NotOneReport { found: "no report" })?;
    if reports.next().is_some() {
        return Err(EmitError::NotOneReport { found: "several reports" });
    }
    let reply = Reply { report: &report, details: layout.details };
    write_value(&reply, PrettyFormatter::with_indent(b"    "), &mut Vec::new(), out)
}

/// Writes each report as one line.
pub(super) fn write_lines<'a>(
    layout: &Layout,
    reports: &mut dyn Iterator<Item = OrganizationsReport<'a>>,
    out: &mut dyn Write,
) -> Result<(), EmitError> {
    let mut buffer = Vec::new();
    for report in reports {
        let line = Line { report: &report, details: layout.details };
        write_value(&line, CompactFormatter, &mut buffer, out)?;
    }
    Ok(())
}

/// Writes `value` and a line feed by way of the empty `buffer`.
fn write_value(
    value: &impl Serialize,
    formatter: impl Formatter,
    buffer: &mut Vec<u8>,
    out: &mut dyn Write,
) -> Result<(), EmitError> {
    value
        .serialize(&mut serde_json::Serializer::with_formatter(&mut *buffer, formatter))
        .map_err(io::Error::from)?;
    buffer.push(b'\n');
    // JSON is UTF-8, so nothing is lost.
    let text = String::from_utf8_lossy(buffer);
    out.write_all(printable::visible_json(&text).as_bytes())?;
    buffer.clear();
    Ok(())
}

/// One of several reports, with what tells them apart.
struct Line<'r, 'a> {
    report: &'r OrganizationsReport<'a>,
    details: bool,
}

impl Serialize for Line<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { report, details } = *self;
        let mut line = serializer.serialize_struct("Line", 3)?;
        line.serialize_field("EntityPath", report.entity_path)?;
        if let Some(policy_id) = report.policy_id {
            line.serialize_field("OrganizationsPolicyId", policy_id)?;
        }
        line.serialize_field("Report", &Reply { report, details })?;
        line.end()
    }
}

/// AWS's shape `GetOrganizationsAccessReportResponse`, its members in the order of the model.
struct Reply<'r, 'a> {
    report: &'r OrganizationsReport<'a>,
    details: bool,
}

impl Serialize for Reply<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { report, details } = *self;
        let mut reply = serializer.serialize_struct("Reply", 8)?;
        reply.serialize_field("JobStatus", job_status(report))?;
        let creation = report.job.creation.to_milliseconds_string();
        reply.serialize_field("JobCreationDate", &creation)?;
        let completion = report.job.completion.to_milliseconds_string();
        reply.serialize_field("JobCompletionDate", &completion)?;
        match &report.outcome {
            Ok(access) => {
                reply.serialize_field("NumberOfServicesAccessible", &access.services_accessible)?;
                let not_accessed = &access.services_not_accessed;
                reply.serialize_field("NumberOfServicesNotAccessed", not_accessed)?;
                let rows = Rows { rows: &access.access_details, details };
                reply.serialize_field("AccessDetails", &rows)?;
                reply.serialize_field("IsTruncated", &access.marker.is_some())?;
                if let Some(marker) = &access.marker {
                    reply.serialize_field("Marker", marker)?;
                }
            }
            Err(error) => {
                reply.serialize_field("IsTruncated", &false)?;
                let error = Failure { message: error.message, code: error.code };
                reply.serialize_field("ErrorDetails", &error)?;
            }
        }
        reply.end()
    }
}

/// AWS's shape `ErrorDetails`.
#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
struct Failure {
    message: &'static str,
    code: &'static str,
}

/// AWS's list `AccessDetails`.
struct Rows<'r, 'a> {
    rows: &'r [AccessDetail<'a>],
    details: bool,
}

impl Serialize for Rows<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer
            .collect_seq(self.rows.iter().map(|row| OneService { row, details: self.details }))
    }
}

/// AWS's shape `AccessDetail` (O4, O5), and `Details` behind it.
struct OneService<'r, 'a> {
    row: &'r AccessDetail<'a>,
    details: bool,
}

impl Serialize for OneService<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let row = self.row;
        let mut object = serializer.serialize_struct("AccessDetail", 7)?;
        object.serialize_field("ServiceName", row.service_name)?;
        object.serialize_field("ServiceNamespace", row.service_namespace)?;
        if let Some(region) = row.region {
            object.serialize_field("Region", region)?;
        }
        if let Some(Attempts { latest: attempt, .. }) = &row.attempts {
            object.serialize_field("EntityPath", attempt.entity)?;
            object.serialize_field("LastAuthenticatedTime", &Printed(attempt.time))?;
        }
        let entities = &row.total_authenticated_entities;
        object.serialize_field("TotalAuthenticatedEntities", entities)?;
        if let Some(attempts) = row.attempts.as_ref().filter(|_| self.details) {
            object.serialize_field("Details", &Details::of(attempts))?;
        }
        object.end()
    }
}

/// What AWS does not have of a service.
#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
struct Details<'r> {
    latest_attempt: Logged<'r>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_success: Option<Logged<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_denial: Option<Logged<'r>>,
    first_attempt: Logged<'r>,
}

impl<'r> Details<'r> {
    fn of(attempts: &'r Attempts<'_>) -> Self {
        Self {
            latest_attempt: Logged::of(attempts.latest),
            latest_success: attempts.success.map(Logged::of),
            latest_denial: attempts.denial.map(Logged::of),
            first_attempt: Logged::of(attempts.first),
        }
    }
}

/// One attempt, with all that the log says of it.
#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
struct Logged<'r> {
    time: Printed<crate::time::Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'r str>,
    entity_path: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<&'r str>,
    event_source: &'r str,
    event_name: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_id: Option<Printed<EventId<'r>>>,
}

impl<'r> Logged<'r> {
    fn of(attempt: Attempt<'r>) -> Self {
        Self {
            time: Printed(attempt.time),
            region: attempt.region,
            entity_path: attempt.entity,
            principal: attempt.principal,
            event_source: attempt.event_source,
            event_name: attempt.event_name,
            event_id: attempt.event_id.map(Printed),
        }
    }
}

/// A value that JSON holds as the text it prints (O12: times in whole seconds).
struct Printed<T>(T);

impl<T: fmt::Display> Serialize for Printed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
