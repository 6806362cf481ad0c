//! JSON: AWS's reply as the AWS CLI prints it, and JSON lines. What a reply's members are is said
//! in a file a kind of report.

mod attempts;
mod entities;
mod organizations;
mod service;
mod writer;

use std::io::Write;

use self::writer::Json;
use super::{EmitError, Layout};

/// A report that is written as AWS's reply.
pub trait Reply {
    /// Writes the members that tell the report from the others of JSON lines.
    fn push_request(&self, json: &mut Json);

    /// Writes the members of AWS's reply in the order of AWS's model, absent where they have no
    /// value; with `details` also the members `Details`, which AWS does not have.
    fn push_reply(&self, json: &mut Json, details: bool);
}

/// Writes the one report: four blanks a level, a line feed at the end.
pub(super) fn write_reply<R: Reply>(
    layout: &Layout,
    reports: &mut dyn Iterator<Item = R>,
    out: &mut dyn Write,
) -> Result<(), EmitError> {
    let report = reports.next().ok_or(EmitError::NotOneReport { found: "no report" })?;
    if reports.next().is_some() {
        return Err(EmitError::NotOneReport { found: "several reports" });
    }
    let mut json = Json::indented();
    Ok(json.write_line(out, |json| report.push_reply(json, layout.details))?)
}

/// Writes each report as one line.
pub(super) fn write_lines<R: Reply>(
    layout: &Layout,
    reports: &mut dyn Iterator<Item = R>,
    out: &mut dyn Write,
) -> Result<(), EmitError> {
    let mut json = Json::compact();
    for report in reports {
        json.write_line(out, |json| {
            report.push_request(json);
            json.object("Report", |json| report.push_reply(json, layout.details));
        })?;
    }
    Ok(())
}
