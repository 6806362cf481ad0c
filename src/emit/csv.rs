//! Comma-separated values (RFC 4180): the columns of Arrow and Parquet, as text that a spreadsheet
//! does not run.

use std::borrow::Cow;
use std::io::{self, Write};

use csv::{Error, ErrorKind, Terminator, Writer, WriterBuilder};

use super::EmitError;
use super::columns::{Cells, Kind, Row, Rows, columns};
use crate::printable;

use crate::report::attempt::EventId;

/// Writes a header and a line a row. A null is an empty cell.
pub(super) fn write<R: Rows>(
    reports: &mut dyn Iterator<Item = R>,
    out: &mut dyn Write,
) -> Result<(), EmitError> {
    let mut writer =
        WriterBuilder::new().terminator(Terminator::CRLF).buffer_capacity(1 << 16).from_writer(out);
    writer.write_record(columns::<R::Kind>().map(|column| column.name)).map_err(write_error)?;
    for report in reports {
        for row in report.rows() {
            for column in columns::<R::Kind>() {
                write_cell(&mut writer, &column.cells, &row).map_err(write_error)?;
            }
            writer.write_record(None::<&[u8]>).map_err(write_error)?;
        }
    }
    Ok(writer.flush()?)
}

fn write_cell<K: Kind>(
    writer: &mut Writer<impl Write>,
    cells: &Cells<K>,
    row: &Row<'_, K>,
) -> Result<(), Error> {
    match cells {
        Cells::Text(cell) => write_text(writer, cell(row).unwrap_or_default()),
        Cells::EventId(cell) => match cell(row) {
            Some(EventId::Text(text)) => write_text(writer, text),
            Some(uuid) => writer.write_field(uuid.to_string()),
            None => writer.write_field(""),
        },
        Cells::Time(cell) => {
            writer.write_field(cell(row).map(|time| time.to_string()).unwrap_or_default())
        }
        Cells::JobDate(cell) => writer.write_field(cell(row).to_milliseconds_string()),
        Cells::Count(cell) => {
            writer.write_field(cell(row).map(|count| count.to_string()).unwrap_or_default())
        }
        Cells::Flag(cell) => writer.write_field(match cell(row) {
            Some(true) => "true",
            Some(false) => "false",
            None => "",
        }),
    }
}

fn write_text<W: Write>(writer: &mut Writer<W>, text: &str) -> Result<(), Error> {
    writer.write_field(harmless(text).as_bytes())
}

/// Returns the text with acting characters shown, and an apostrophe before what a spreadsheet
/// would take for a formula; see <https://owasp.org/www-community/attacks/CSV_Injection>.
///
/// Text that starts with an apostrophe gets one more, so that taking one away is always the way
/// back.
fn harmless(text: &str) -> Cow<'_, str> {
    let shown = printable::visible(text);
    if text.starts_with(|first: char| first.is_ascii_alphanumeric()) {
        return shown;
    }
    // Some programs take blanks away before they look; the last four are the full-width signs.
    let first = text.trim_start().chars().next();
    let formula = text.starts_with('\'')
        || text.starts_with(['\t', '\r', '\n'])
        || first.is_some_and(|first| "=+-@＝＋－＠".contains(first));
    if formula { Cow::Owned(format!("'{shown}")) } else { shown }
}

/// Returns the error of the place to write to as it was.
fn write_error(error: Error) -> io::Error {
    match error.into_kind() {
        ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}
