//! Writes reports, one file a format; knows neither files nor terminals, only a place to write to.
//!
//! JSON is AWS's own reply. Arrow, Parquet and CSV share one list of columns a kind of report, the
//! table is for people. Reports come one at a time and are let go of once written. `docs/output.md` documents
//! what is written.

mod arrow;
mod columns;
mod csv;
mod json;
mod parquet;
mod shape;
mod table;
#[cfg(test)]
mod tests;
pub mod xml;

use std::io::{self, Write};

use crate::report::organizations::OrganizationsReport;
use crate::report::service::{EntitiesReport, ServiceReport};

/// The version of the columnar schema, `trailfold.schema.version` in its metadata.
///
/// It changes when a column is renamed, removed, or changes its type or meaning; not when one is
/// added behind the others.
pub const SCHEMA_VERSION: &str = "1";

/// A form in which reports are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// AWS's reply as the AWS CLI prints it; with [`Layout::many`] JSON lines.
    Json,
    /// An Arrow IPC file, with one dictionary a column.
    Arrow,
    /// An Arrow IPC stream, each batch with its own dictionaries.
    ArrowStream,
    /// A Parquet file.
    Parquet,
    /// Comma-separated values (RFC 4180), safe to open in a spreadsheet.
    Csv,
    /// A table for people.
    Table,
}

impl Format {
    /// Every format, in the order in which they are documented.
    pub const ALL: [Self; 6] =
        [Self::Json, Self::Arrow, Self::ArrowStream, Self::Parquet, Self::Csv, Self::Table];

    /// Returns the name by which a user asks for the format.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Arrow => "arrow",
            Self::ArrowStream => "arrow-stream",
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::Table => "table",
        }
    }
}

/// What of the form is open to choice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// JSON: every row that was accessed gets a member `Details` with what AWS does not have, and
    /// so does the reply itself where it is about a user, group, role or policy.
    pub details: bool,
    /// JSON: one compact object a line, each with whom its report is about, for any number of
    /// reports. Other formats hold any number of reports either way.
    pub many: bool,
    /// Arrow and Parquet: metadata of the schema, beside `trailfold.schema.version` and
    /// `trailfold.schema.report`, which are not the caller's to set.
    pub metadata: Vec<(String, String)>,
    /// Table: the columns of the terminal; none where there is no terminal.
    pub width: Option<u16>,
}

/// Why reports could not be written.
#[derive(Debug, thiserror::Error)]
pub enum EmitError {
    /// The place to write to refused; a closed pipe is [`io::ErrorKind::BrokenPipe`].
    #[error("cannot write the report")]
    Write(#[from] io::Error),
    /// JSON that is no JSON lines holds exactly one report.
    #[error("json: {found} given where AWS's reply holds one report: write JSON lines")]
    NotOneReport {
        /// How many were given, as far as is known.
        found: &'static str,
    },
    /// The offsets of a column of text are 32 bits wide.
    #[error("column `{column}`: more than 2 GiB of different texts: write Parquet or CSV")]
    TooMuchText {
        /// The name of the column.
        column: &'static str,
    },
    /// The columns could not be put into Arrow's form.
    #[error("cannot encode the report")]
    Arrow(#[source] ::arrow::error::ArrowError),
    /// The columns could not be put into Parquet's form.
    #[error("cannot encode the report")]
    Parquet(#[from] ::parquet::errors::ParquetError),
}

impl From<::arrow::error::ArrowError> for EmitError {
    fn from(error: ::arrow::error::ArrowError) -> Self {
        match error {
            // What is encoded lies in memory: only the place to write to can refuse.
            ::arrow::error::ArrowError::IoError(_, error) => Self::Write(error),
            error => Self::Arrow(error),
        }
    }
}

/// A report that can be written: [`OrganizationsReport`], [`ServiceReport`] or [`EntitiesReport`].
///
/// It cannot be implemented elsewhere. What it asks for stands with the formats: the columns, the
/// members of JSON and the table of one kind of report, each in a file of its own.
pub trait Report: columns::Rows + shape::Reply + table::Tabular {}

impl Report for OrganizationsReport<'_> {}
impl Report for ServiceReport<'_> {}
impl Report for EntitiesReport<'_> {}

/// Writes `reports`, all of one kind, to `out`.
///
/// The same reports give the same bytes. Whether `out` is flushed at the end is the format's matter.
///
/// # Errors
///
/// Returns [`EmitError::Write`] with the error of `out` as it was, and the other kinds when the
/// reports do not fit the format. What was written until then is no whole report.
pub fn write<R: Report>(
    format: Format,
    layout: &Layout,
    reports: &mut dyn Iterator<Item = R>,
    out: &mut dyn Write,
) -> Result<(), EmitError> {
    match format {
        Format::Json if layout.many => json::write_lines(layout, reports, out),
        Format::Json => json::write_reply(layout, reports, out),
        Format::Arrow => arrow::write_file(layout, reports, out),
        Format::ArrowStream => arrow::write_stream(layout, reports, out),
        Format::Parquet => parquet::write(layout, reports, out),
        Format::Csv => csv::write(reports, out),
        Format::Table => table::write(layout, reports, out),
    }
}

/// Returns AWS's reply, and nothing else, as a value that any serializer can write.
pub fn reply<R: Report>(report: &R) -> impl serde::Serialize {
    report.shape(false)
}

/// `JobStatus` of a report that did not fail; no other kind than organizations can (I6).
const COMPLETED: &str = "COMPLETED";

/// Returns `JobStatus` (O9).
const fn job_status(report: &OrganizationsReport<'_>) -> &'static str {
    match report.outcome {
        Ok(_) => COMPLETED,
        Err(_) => "FAILED",
    }
}
