//! A table for people: plain text, no colours, nothing of a log acting on the terminal. What stands
//! in it is said in a file a kind of report.

mod entities;
mod organizations;
mod service;

use std::borrow::Cow;
use std::io::Write;

use comfy_table::{
    Cell, CellAlignment, ColumnConstraint, ContentArrangement, ContentLineStyle, LineStyle, Table,
    TableStyle, Width,
};

use super::{EmitError, Layout};
use crate::printable::visible;
use crate::report::attempt::Attempts;
use crate::report::service::Subject;
use crate::time::Time;

/// The columns of the screen where there is no terminal to ask.
const DEFAULT_WIDTH: u16 = 120;

/// A table narrower than this is no easier to read than one that the terminal wraps.
const LEAST_WIDTH: u16 = 80;

/// With so many columns of the screen, columns of the table are two blanks apart and not one.
const ROOMY_WIDTH: u16 = 100;

/// Characters of a text, at most. An entity path has 427 at most, and an ARN of IAM not many more;
/// nobody reads more in a table, and breaking a word into lines takes time that grows with the
/// square of its length.
const LONGEST_TEXT: usize = 512;

/// Blanks between columns, a rule below the header.
const STYLE: TableStyle = TableStyle::new()
    .header_separator(LineStyle::none().fill('-').junction(' '))
    .content_lines(ContentLineStyle::none().junction(' '))
    .header_lines(ContentLineStyle::none().junction(' '));

/// A report that people read.
pub trait Tabular {
    /// Writes the lines above the table.
    fn push_heading(&self, heading: &mut Heading);

    /// Returns the table: the columns, and the rows that stand in them.
    fn table(&self) -> (Vec<Column>, Vec<Vec<Cell>>);
}

/// Writes each report as a heading and a table, with an empty line between reports.
pub(super) fn write<R: Tabular>(
    layout: &Layout,
    reports: &mut dyn Iterator<Item = R>,
    out: &mut dyn Write,
) -> Result<(), EmitError> {
    let width = layout.width.unwrap_or(DEFAULT_WIDTH).max(LEAST_WIDTH);
    for (place, report) in reports.enumerate() {
        let mut heading = Heading(String::new());
        report.push_heading(&mut heading);
        let Heading(mut text) = heading;
        if place > 0 {
            text.insert(0, '\n');
        }
        let (columns, rows) = report.table();
        if !rows.is_empty() {
            text.push('\n');
            push_table(&mut text, &columns, rows, width);
        }
        out.write_all(text.as_bytes())?;
    }
    Ok(())
}

/// The lines above a table.
pub struct Heading(String);

impl Heading {
    /// Writes a line: what it is about, and what is to be said of it.
    fn line(&mut self, name: &str, value: &str) {
        self.0.extend([name, &" ".repeat(10_usize.saturating_sub(name.len())), value, "\n"]);
    }

    /// Writes when a user, group, role or policy was made, if that is known.
    fn age(&mut self, subject: &Subject<'_>) {
        let Some(created) = subject.create_date else { return };
        let remark = if subject.is_younger_than_period {
            " (younger than the period: not used says little yet)"
        } else {
            ""
        };
        self.line("Created", &format!("{created}{remark}"));
    }

    /// Writes the state of a job and when it ended.
    fn job(&mut self, status: &str, completion: Time) {
        self.line("Job", &format!("{status} {}", completion.to_milliseconds_string()));
    }

    /// Writes how many rows there are, how many of them were never accessed, and whether more stand
    /// on the next page.
    fn counts(&mut self, name: &str, all: usize, not_accessed: usize, marker: Option<&str>) {
        let Some(marker) = marker else {
            return if all == 0 {
                self.line(name, "none listed");
            } else {
                self.line(name, &format!("{all} listed, {not_accessed} not accessed"));
            };
        };
        self.line(name, &format!("{all} on this page, {not_accessed} not accessed"));
        self.line("Page", "more behind the marker");
        self.line("Marker", &shown(marker));
    }
}

/// A column of a table.
#[derive(Clone, Copy)]
pub struct Column {
    name: &'static str,
    /// Characters that are not broken into lines: of a time, an account's id, the heading itself.
    least: Option<u16>,
}

impl Column {
    const fn new(name: &'static str) -> Self {
        Self { name, least: None }
    }

    const fn at_least(least: u16, name: &'static str) -> Self {
        Self { name, least: Some(least) }
    }
}

/// Returns the text with nothing in it that acts, and what is too long cut off, with a remark.
fn shown(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(LONGEST_TEXT) {
        None => visible(text),
        Some((end, _)) => {
            let start = visible(text.get(..end).unwrap_or_default());
            Cow::Owned(format!("{start}… ({} bytes in all)", text.len()))
        }
    }
}

/// Returns the cell of a text.
fn text(text: &str) -> Cell {
    Cell::new(shown(text))
}

/// Returns the cell of the latest attempt.
fn last_access(attempts: Option<&Attempts<'_>>) -> Cell {
    attempts.map_or_else(|| Cell::new("never"), |attempts| Cell::new(attempts.latest.time))
}

/// Returns the cell of a number of things.
fn count(count: u64) -> Cell {
    Cell::new(count).set_alignment(CellAlignment::Right)
}

fn push_table(out: &mut String, columns: &[Column], rows: Vec<Vec<Cell>>, width: u16) {
    let mut table = Table::new();
    table
        .force_no_tty()
        .load_style(STYLE)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width)
        .set_header(columns.iter().map(|column| column.name))
        .add_rows(rows);
    let blank = u16::from(width >= ROOMY_WIDTH);
    for (shown, column) in table.column_iter_mut().zip(columns) {
        shown.set_padding((0, blank));
        if let Some(least) = column.least {
            shown.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least + blank)));
        }
    }
    for line in table.lines() {
        out.push_str(line.trim_end());
        out.push('\n');
    }
}
