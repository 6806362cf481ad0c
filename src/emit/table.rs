//! A table for people: plain text, no colours, nothing of a log acting on the terminal.

use std::borrow::Cow;
use std::io::Write;

use comfy_table::{
    Cell, CellAlignment, ColumnConstraint, ContentArrangement, ContentLineStyle, LineStyle, Table,
    TableStyle, Width,
};

use super::{EmitError, Layout, job_status};
use crate::printable::visible;
use crate::report::attempt::Attempts;
use crate::report::organizations::{AccessDetail, OrganizationsReport};

/// The columns of the screen where there is no terminal to ask.
const DEFAULT_WIDTH: u16 = 120;

/// A table narrower than this is no easier to read than one that the terminal wraps.
const LEAST_WIDTH: u16 = 80;

/// With so many columns of the screen, columns of the table are two blanks apart and not one.
const ROOMY_WIDTH: u16 = 100;

/// Characters of a text, at most. An entity path has 427 at most; nobody reads more in a table, and
/// breaking a word into lines takes time that grows with the square of its length.
const LONGEST_TEXT: usize = 512;

/// Blanks between columns, a rule below the header.
const STYLE: TableStyle = TableStyle::new()
    .header_separator(LineStyle::none().fill('-').junction(' '))
    .content_lines(ContentLineStyle::none().junction(' '))
    .header_lines(ContentLineStyle::none().junction(' '));

/// Writes each report as a heading and a table, with an empty line between reports.
pub(super) fn write<'a>(
    layout: &Layout,
    reports: &mut dyn Iterator<Item = OrganizationsReport<'a>>,
    out: &mut dyn Write,
) -> Result<(), EmitError> {
    let width = layout.width.unwrap_or(DEFAULT_WIDTH).max(LEAST_WIDTH);
    for (place, report) in reports.enumerate() {
        let mut text = String::new();
        if place > 0 {
            text.push('\n');
        }
        push_heading(&mut text, &report);
        let rows = report.outcome.as_ref().map_or(&[][..], |access| &access.access_details);
        if !rows.is_empty() {
            text.push('\n');
            push_rows(&mut text, rows, width);
        }
        out.write_all(text.as_bytes())?;
    }
    Ok(())
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

fn push_heading(text: &mut String, report: &OrganizationsReport<'_>) {
    let mut line = |name: &str, value: &str| {
        text.extend([name, value, "\n"]);
    };
    line("Entity    ", &shown(report.entity_path));
    if let Some(policy_id) = report.policy_id {
        line("Policy    ", &shown(policy_id));
    }
    let completion = report.job.completion.to_milliseconds_string();
    line("Job       ", &format!("{} {completion}", job_status(report)));
    match &report.outcome {
        Ok(access) => {
            let (all, unused) = (access.services_accessible, access.services_not_accessed);
            let counts = format!("{all} accessible, {unused} not accessed");
            line("Services  ", &counts);
            if let Some(marker) = &access.marker {
                let rows = access.access_details.len();
                line("Page      ", &format!("{rows} of {all} rows, more behind the marker"));
                line("Marker    ", &shown(marker));
            }
        }
        Err(error) => line("Error     ", &format!("{}: {}", error.code, error.message)),
    }
}

fn push_rows(text: &mut String, rows: &[AccessDetail<'_>], width: u16) {
    let mut table = Table::new();
    table
        .force_no_tty()
        .load_style(STYLE)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width)
        .set_header(["Service", "Namespace", "Last access", "Region", "Last account", "Accounts"])
        .add_rows(rows.iter().map(cells));
    let blank = u16::from(width >= ROOMY_WIDTH);
    for (place, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, blank));
        // A time, an account's id and the word `Accounts` are not broken.
        let widest = match place {
            2 => Some(20),
            4 => Some(12),
            5 => Some(8),
            _ => None,
        };
        if let Some(widest) = widest {
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(widest + blank)));
        }
    }
    for line in table.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
}

fn cells(row: &AccessDetail<'_>) -> [Cell; 6] {
    // The path down to an account ends in the account.
    let (time, account) =
        row.attempts.map_or(("never".to_owned(), ""), |Attempts { latest, .. }| {
            (latest.time.to_string(), latest.entity.rsplit('/').next().unwrap_or_default())
        });
    [
        Cell::new(shown(row.service_name)),
        Cell::new(shown(row.service_namespace)),
        Cell::new(time),
        Cell::new(shown(row.region.unwrap_or_default())),
        Cell::new(shown(account)),
        Cell::new(row.total_authenticated_entities).set_alignment(CellAlignment::Right),
    ]
}
