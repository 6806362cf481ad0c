//! The files of a run while it is written: a part for each day, the sources, and what they came to.

use std::path::{Path, PathBuf};

use super::RollupError;
use super::file::ParquetFile;
use super::row::{Outcome, Row};
use super::summary::Summary;
use super::table::Table;
use crate::access::Switches;
use crate::time::Day;

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Rows of sources.
    pub sources: u64,
    /// Rows of accesses.
    pub accesses: u64,
    /// Parts of days.
    pub parts: usize,
    /// Sources that could not be read, or not to their end.
    pub failed: u64,
}

impl Written {
    pub(super) fn count(&mut self, row: &Row<'_>) {
        match row {
            Row::Access(_) => self.accesses += 1,
            Row::Source(source) => {
                self.sources += 1;
                self.failed += u64::from(source.outcome == Outcome::Failed);
            }
        }
    }
}

impl Finished {
    /// Takes in the parts of other days.
    pub(super) fn append(&mut self, other: Self) {
        self.parts.extend(other.parts);
        self.written.accesses += other.written.accesses;
        self.written.parts += other.written.parts;
    }
}

/// Files of other runs that a run names, too: paths below the rollup.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) parts: Vec<String>,
    pub(super) sources: Vec<String>,
}

/// The files of a run that is being written.
pub(super) struct Files {
    folder: PathBuf,
    day: Option<(Day, ParquetFile)>,
    sources: Option<ParquetFile>,
    finished: Finished,
    attribution: Option<String>,
    pub(super) summary: Summary,
}

/// The files of a run, written.
#[derive(Default)]
pub(super) struct Finished {
    pub(super) parts: Vec<(Day, PathBuf)>,
    pub(super) sources: Option<PathBuf>,
    pub(super) coverage: Option<PathBuf>,
    pub(super) attribution: Option<Switches>,
    pub(super) written: Written,
}

impl Files {
    pub(super) fn new(folder: &Path) -> Self {
        let finished = Finished::default();
        Self {
            folder: folder.to_owned(),
            day: None,
            sources: None,
            finished,
            attribution: None,
            summary: Summary::default(),
        }
    }

    /// Adds a row; rows come in their order.
    pub(super) fn push(&mut self, row: &Row<'_>) -> Result<(), RollupError> {
        self.finished.written.count(row);
        match row {
            Row::Access(entry) => {
                let day = entry.day.unwrap_or(Day::from_number(0));
                if self.day.as_ref().is_none_or(|(open, _)| *open != day) {
                    self.turn()?;
                    let path = self.folder.join(format!("{day}.parquet"));
                    self.day = Some((day, ParquetFile::create(&path, Table::Part)?));
                }
                if let Some((_, part)) = &mut self.day {
                    part.push(row)?;
                }
            }
            Row::Source(source) => {
                if self.attribution.as_deref() != Some(source.attribution) {
                    let switches = source.switches().map_err(|what| {
                        let name = source.source.to_owned();
                        RollupError::Source(self.folder.clone(), name, what)
                    })?;
                    if self.finished.attribution.is_some_and(|other| other != switches) {
                        return Err(RollupError::Attribution(PathBuf::from(source.source)));
                    }
                    self.finished.attribution = Some(switches);
                    self.attribution = Some(source.attribution.to_owned());
                }
                let coverage = source.coverage().map_err(|what| {
                    RollupError::Source(self.folder.clone(), source.source.to_owned(), what)
                })?;
                self.summary.add(coverage);
                if self.sources.is_none() {
                    let path = self.folder.join("sources.parquet");
                    self.sources = Some(ParquetFile::create(&path, Table::Sources)?);
                }
                if let Some(sources) = &mut self.sources {
                    sources.push(row)?;
                }
            }
        }
        Ok(())
    }

    /// Finishes the part of a day.
    pub(super) fn turn(&mut self) -> Result<(), RollupError> {
        if let Some((day, part)) = self.day.take() {
            self.finished.parts.push((day, part.finish()?));
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<Finished, RollupError> {
        self.turn()?;
        self.finished.sources = self.sources.take().map(ParquetFile::finish).transpose()?;
        if self.finished.sources.is_some() || matches!(self.summary, Summary::OfRuns(_)) {
            let path = self.folder.join("coverage.parquet");
            self.finished.coverage = self.summary.write(&path)?.then_some(path);
        }
        self.finished.written.parts = self.finished.parts.len();
        Ok(self.finished)
    }
}
