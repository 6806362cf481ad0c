//! Writes a report and its coverage.

use std::io::Write;
use std::path::Path;

use anyhow::{Context as _, bail};

use super::super::args::OutputArgs;
use super::super::output::{Destination, publish};
use crate::emit::{self, Format, Layout};
use crate::report::coverage::ReportCoverage;
use crate::rollup::Attempts;
use crate::source::Found;

/// Where the report and its coverage go, and in what form.
pub(super) struct Output<'a> {
    args: &'a OutputArgs,
    format: Format,
    report: Destination<'a>,
    coverage: Option<Destination<'a>>,
}

impl<'a> Output<'a> {
    pub(super) fn new(args: &'a OutputArgs) -> anyhow::Result<Self> {
        let format = Format::ALL.into_iter().find(|format| format.name() == args.format);
        let format = format.unwrap_or(Format::Json);
        let report = Destination::new(args.output.as_deref());
        let coverage = args.coverage.as_deref().map(|path| Destination::new(Some(path)));
        let is_binary = matches!(format, Format::Arrow | Format::ArrowStream | Format::Parquet);
        if is_binary && report.is_terminal() {
            bail!(
                "--format {}: not for a terminal: write it to a file with --output, or pipe it",
                args.format
            );
        }
        if coverage.is_some_and(|coverage| coverage.is_same_as(report)) {
            bail!("--coverage: names the place of the report: give each a place of its own");
        }
        report.probe()?;
        coverage.map_or(Ok(()), Destination::probe)?;
        Ok(Self { args, format, report, coverage })
    }

    /// Returns which attempts the report shows.
    pub(super) const fn attempts(&self) -> Attempts {
        match self.format {
            Format::Json if !self.args.details => Attempts::Latest,
            Format::Table => Attempts::Latest,
            _ => Attempts::All,
        }
    }

    /// Refuses to replace a file that the report is made from: one of the inputs, or of the
    /// `snapshots`, files or directories; and to write into a rollup.
    pub(super) fn refuse_inputs(
        &self,
        found: &Found,
        snapshots: [Option<&Path>; 2],
    ) -> anyhow::Result<()> {
        for destination in [Some(self.report), self.coverage].into_iter().flatten() {
            destination.refuse_inputs(found)?;
            let Some(file) = destination.file().filter(|file| file.exists()) else { continue };
            let is_in = |path: &Path| path.canonicalize().is_ok_and(|path| file.starts_with(path));
            if snapshots.into_iter().flatten().any(is_in) {
                bail!(
                    "{}: belongs to what the report is made from: write to another file",
                    file.display()
                );
            }
        }
        Ok(())
    }

    /// Writes the reports, JSON lines where there may be `many`, and the coverage; files of both
    /// appear together, when both are whole.
    pub(super) fn write<R: emit::Report>(
        &self,
        coverage: &ReportCoverage<'_>,
        many: bool,
        reports: &mut dyn Iterator<Item = R>,
    ) -> anyhow::Result<()> {
        let mut json = serde_json::to_string_pretty(coverage).context("coverage")?;
        json.push('\n');
        let write_json = |out: &mut dyn Write| Ok(out.write_all(json.as_bytes())?);
        let staged_coverage = self.coverage.map(|it| it.stage(write_json)).transpose()?;
        let layout = Layout {
            details: self.args.details,
            many,
            metadata: vec![
                ("trailfold.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
                ("trailfold.coverage".to_owned(), serde_json::to_string(coverage)?),
            ],
            width: self.report.is_terminal().then(terminal_width).flatten(),
        };
        let staged_report =
            self.report.stage(|out| Ok(emit::write(self.format, &layout, reports, out)?))?;
        // Two files cannot appear at one stroke. The report comes last: it is never newer than its
        // coverage.
        publish(staged_coverage.into_iter().chain([staged_report]))
    }
}

/// Returns the columns of the terminal.
fn terminal_width() -> Option<u16> {
    terminal_size::terminal_size().map(|(width, _)| width.0)
}
