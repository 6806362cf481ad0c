//! Rollups: ledgers of days on disk, so that each log is read once and any period of whole days is
//! answered from the parts. `docs/rollup.md` has the format.
//!
//! A rollup is a set of runs, each of which read some sources. All that runs say is a join: rows of
//! one key become one, whichever run they are from, so that runs may overlap, repeat and be merged
//! in any order. Knows neither services nor organizations.

mod answer;
mod file;
mod files;
mod gather;
mod lane;
mod messages;
mod row;
mod rows;
mod run;
mod spill;
mod summary;
mod table;
mod write;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use thiserror::Error;

use crate::access::Switches;
use crate::ingest::{self, IngestError};
use crate::ledger::Ledger;
use crate::printable::printable;
use crate::source::{ROLLUP, is_rollup};
use crate::time::Day;
pub use answer::{Answer, Known, Selection, answer};
use file::{Part, Wanted, each_batch};
pub use files::Written;
pub use gather::Gathering;
use lane::Lane;
use row::Row;
pub use row::{Outcome, SourceRow};
use run::{Run, Runs};
pub use spill::Input;
use spill::few_parts;
pub use write::{Writer, merge_to_stream};

/// The version of the format that is written, and the only one that is read.
pub const FORMAT_VERSION: u32 = 1;

/// What a partial stream is called that is being written.
pub const STREAM: &str = "partial stream";

/// How often a rollup is opened anew if files of it go away meanwhile, as they do when somebody
/// compacts it.
const ATTEMPTS: usize = 100;

/// How long is waited before.
const PAUSE: Duration = Duration::from_millis(50);

/// Why a rollup cannot be read or written.
#[derive(Debug, Error)]
pub enum RollupError {
    /// A directory that is none.
    #[error("{}: no rollup: its `{ROLLUP}/runs` is missing", .0.display())]
    NotARollup(PathBuf),
    /// A directory with something else in it.
    #[error("{}: neither a rollup nor empty: name a directory of its own for the rollup", .0.display())]
    Occupied(PathBuf),
    /// A rollup with something else in it.
    #[error("{}: is a rollup, but `{}` in it belongs to none: keep logs and rollups apart", .0.display(), .1)]
    Mixture(PathBuf, String),
    /// Something of another version.
    #[error(
        "{}: format version {} is not {FORMAT_VERSION}, the one that this program reads: use the \
         program that wrote it, or fold the logs anew",
        .0.display(), .1
    )]
    Version(PathBuf, String),
    /// A file that could not be read.
    #[error("{}: cannot be read: {}", .0.display(), .1)]
    Read(PathBuf, #[source] io::Error),
    /// A file that could not be written.
    #[error("{}: cannot be written: {}", .0.display(), .1)]
    Write(PathBuf, #[source] io::Error),
    /// A folder of a rollup that leads elsewhere.
    #[error("{}: is a symbolic link, and what lies in a rollup is removed at times: put the folder itself there", .0.display())]
    Link(PathBuf),
    /// A directory that cannot be locked.
    #[error("{}: cannot be locked, so that another run might write at the same time: {}", .0.display(), .1)]
    Lock(PathBuf, #[source] io::Error),
    /// A Parquet file or Arrow stream that is broken.
    #[error("{}: {}", .0.display(), .1)]
    Stream(PathBuf, String),
    /// A file without a column, or with one of another type.
    #[error("{}: no file of a rollup: {}", .0.display(), .1)]
    Column(PathBuf, String),
    /// A row without what every row has, or of another day than its part.
    #[error("{}: row {} lacks a value that every row has, or is of another day", .0.display(), .1)]
    Row(PathBuf, usize),
    /// A row that is out of order.
    #[error("{}: row {} stands behind one that it has to precede: sort the file as it is documented", .0.display(), .1)]
    Order(PathBuf, usize),
    /// A row of a source whose JSON is wrong.
    #[error("{}: source `{}`: {}", .0.display(), .1, .2)]
    Source(PathBuf, String, String),
    /// The file of a run that makes no sense.
    #[error("{}: no run of a rollup: {}", .0.display(), .1)]
    Run(PathBuf, String),
    /// A part outside of a folder of a day.
    #[error("{}: a part lies in a folder `date=YYYY-MM-DD`", .0.display())]
    NoDay(PathBuf),
    /// A path that leads out of the rollup.
    #[error("run of a rollup: `{0}` does not lie below the rollup")]
    Outside(String),
    /// No threads to read with.
    #[error(transparent)]
    Threads(#[from] IngestError),
    /// Rows that were read under different rules.
    #[error(
        "{}: was folded with other kinds of records counted: give the same --count and --set-aside, \
         or another directory",
        .0.display()
    )]
    Attribution(PathBuf),
}

impl RollupError {
    fn write(path: &Path, error: impl Into<WriteError>) -> Self {
        Self::Write(path.to_owned(), error.into().0)
    }
}

/// What went wrong on the way into a file.
struct WriteError(io::Error);

impl From<io::Error> for WriteError {
    fn from(error: io::Error) -> Self {
        Self(error)
    }
}

impl From<arrow::error::ArrowError> for WriteError {
    fn from(error: arrow::error::ArrowError) -> Self {
        match error {
            arrow::error::ArrowError::IoError(_, error) => Self(error),
            error => Self(io::Error::other(error)),
        }
    }
}

impl From<parquet::errors::ParquetError> for WriteError {
    fn from(error: parquet::errors::ParquetError) -> Self {
        match error {
            parquet::errors::ParquetError::External(error) => {
                Self(error.downcast().map_or_else(io::Error::other, |error| *error))
            }
            error => Self(io::Error::other(error)),
        }
    }
}

/// A rollup, as its runs stand when it is opened.
pub struct Rollup {
    directory: PathBuf,
    runs: Vec<Run>,
}

impl Rollup {
    /// Opens the rollup in a directory.
    ///
    /// # Errors
    /// There is none, or one that this program does not read.
    pub fn open(directory: &Path) -> Result<Self, RollupError> {
        if !is_rollup(directory) {
            return Err(RollupError::NotARollup(directory.to_owned()));
        }
        refuse_mixture(directory)?;
        let runs = Runs::read(directory)?.live;
        let mut attributions = runs.iter().map(|run| run.attribution);
        let first = attributions.next();
        if attributions.any(|other| Some(other) != first) {
            return Err(RollupError::Attribution(directory.to_owned()));
        }
        Ok(Self { directory: directory.to_owned(), runs })
    }

    /// Returns which kinds of records counted; none if it has no run.
    pub fn switches(&self) -> Option<Switches> {
        self.runs.first().map(|run| run.attribution)
    }

    /// Returns the days with a part.
    ///
    /// # Errors
    /// A run that names no part of a day.
    pub fn days(&self) -> Result<BTreeSet<Day>, RollupError> {
        Ok(self.parts()?.into_iter().filter_map(|part| part.day).collect())
    }

    fn parts(&self) -> Result<Vec<Part>, RollupError> {
        let mut parts = Vec::new();
        for run in &self.runs {
            parts.extend(run.parts(&self.directory)?);
        }
        Ok(parts)
    }
}

/// Returns the sources of rollups in a few lanes, whatever the number of their files.
fn source_lanes(rollups: &[Rollup], wanted: Wanted) -> Result<Vec<Box<dyn Lane>>, RollupError> {
    let mut parts = Vec::new();
    for rollup in rollups {
        for run in &rollup.runs {
            parts.append(&mut run.sources(&rollup.directory)?);
        }
    }
    few_parts(parts, wanted)
}

/// Refuses a directory in which other things lie than those of a rollup: logs beside it would be
/// passed over.
fn refuse_mixture(directory: &Path) -> Result<(), RollupError> {
    let unreadable = |error| RollupError::Read(directory.to_owned(), error);
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        let name = name.to_string_lossy();
        if !name.starts_with("date=") && !name.starts_with(['_', '.']) {
            return Err(RollupError::Mixture(directory.to_owned(), printable(&name)));
        }
    }
    Ok(())
}

/// Opens rollups and does something with them; does it anew if somebody compacts one meanwhile.
///
/// # Errors
/// Those of [`Rollup::open`] and of `read`.
pub fn reading<T>(
    directories: &[PathBuf],
    read: impl Fn(&[Rollup]) -> Result<T, RollupError>,
) -> Result<T, RollupError> {
    let mut attempts = 1;
    loop {
        let rollups: Result<Vec<Rollup>, _> =
            directories.iter().map(|directory| Rollup::open(directory)).collect();
        match rollups.and_then(|rollups| read(&rollups)) {
            Err(error) if attempts < ATTEMPTS && run::is_missing(&error) => {
                attempts += 1;
                std::thread::sleep(PAUSE);
            }
            result => return result,
        }
    }
}

/// Hands the name of every source to `each`, some of them perhaps twice.
///
/// # Errors
/// A rollup that cannot be read.
pub fn each_source(directories: &[PathBuf], each: &mut dyn FnMut(&str)) -> Result<(), RollupError> {
    let each = RefCell::new(each);
    reading(directories, |rollups| {
        sources(rollups, Wanted::Essentials, &mut |row| {
            (each.borrow_mut())(row.source);
            Ok(())
        })
    })
}

/// Hands the row of every source to `each`, of each source the one that counts, in the order of
/// their names.
///
/// # Errors
/// A rollup that cannot be read, and those of `each`.
fn sources(
    rollups: &[Rollup],
    wanted: Wanted,
    each: &mut dyn FnMut(&SourceRow<'_>) -> Result<(), String>,
) -> Result<(), RollupError> {
    lane::merge(source_lanes(rollups, wanted)?, &mut |row| match row {
        Row::Source(source) => each(source).map_err(|what| {
            let directory = rollups.first().map(|rollup| rollup.directory.clone());
            RollupError::Source(directory.unwrap_or_default(), source.source.to_owned(), what)
        }),
        Row::Access(_) => Ok(()),
    })
}

/// What of the accesses a report needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempts {
    /// The latest attempt, the latest success, the latest denial and the first attempt.
    All,
    /// The latest attempt alone, which stands for the first as well.
    Latest,
}

/// Returns the accesses of all days that `is_wanted`, as though there were no days.
///
/// # Errors
/// A rollup that cannot be read.
fn accesses(
    rollups: &[Rollup],
    attempts: Attempts,
    (threads, memory): (NonZeroUsize, usize),
    is_wanted: impl Fn(Day) -> bool,
) -> Result<Ledger, RollupError> {
    let wanted = match attempts {
        Attempts::All => Wanted::Everything,
        Attempts::Latest => Wanted::Essentials,
    };
    let mut parts = Vec::new();
    for rollup in rollups {
        parts.extend(rollup.parts()?);
    }
    parts.retain(|part| part.day.is_some_and(&is_wanted));
    let share = parts.len().div_ceil(threads.get()).max(1);
    let shares: Vec<&[Part]> = parts.chunks(share).collect();
    let read = |parts: &&[Part]| -> Result<Ledger, RollupError> {
        let mut ledger = Ledger::default();
        for part in *parts {
            each_batch(part, wanted, &mut |rows| ledger.extend(rows.accesses(None)))?;
            bounded(&ledger, memory / threads, memory)?;
        }
        Ok(ledger)
    };
    let ledgers = ingest::in_parallel(&shares, threads, read)?;
    let mut ledgers = ledgers.into_iter();
    let mut all = ledgers.next().transpose()?.unwrap_or_default();
    for ledger in ledgers {
        all.merge(ledger?);
    }
    bounded(&all, memory, memory)?;
    Ok(all)
}

/// Refuses a ledger that takes more than its share of the memory.
fn bounded(ledger: &Ledger, share: usize, memory: usize) -> Result<(), IngestError> {
    if ledger.bytes() > share { Err(IngestError::Memory(memory)) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
