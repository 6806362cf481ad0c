//! Many streams of rows made few: what is too much for the memory, or too many files to be open at
//! once, is merged into files of its own first.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::file::{FileLane, Part, Stream, Wanted};
use super::lane::{Lane, merge};
use super::run::Run;
use super::write::remove_all;
use super::{Rollup, RollupError};

/// How many lanes are merged at once: each holds a file open and two batches in memory.
pub(super) const LANES: usize = 64;

/// Something to merge.
pub enum Input {
    /// A rollup.
    Rollup(Rollup),
    /// A file with a partial stream.
    Stream(PathBuf),
    /// A partial stream on standard input.
    Stdin,
}

/// Opens inputs as lanes; merges some of them first where they are too many to be open at once.
pub(super) fn few_lanes(
    inputs: Vec<Input>,
    temporary: &Path,
) -> Result<Vec<Box<dyn Lane>>, RollupError> {
    let mut spills = Spills::new(temporary);
    let mut lanes: Vec<Box<dyn Lane>> = Vec::new();
    for input in inputs {
        match input {
            Input::Stream(path) => lanes.push(Box::new(open_stream(&path)?)),
            Input::Stdin => {
                let name = Path::new("standard input");
                lanes.push(Box::new(FileLane::of_stream(name, io::stdin())?));
            }
            Input::Rollup(rollup) => {
                for run in &rollup.runs {
                    lanes.extend(lanes_of(run, &rollup.directory)?);
                    spills.relieve(&mut lanes)?;
                }
            }
        }
        spills.relieve(&mut lanes)?;
    }
    spills.append(lanes)
}

/// The same for parts of one day, or of sources.
pub(super) fn few_parts(
    parts: Vec<Part>,
    wanted: Wanted,
) -> Result<Vec<Box<dyn Lane>>, RollupError> {
    let lane = |part| -> Result<Box<dyn Lane>, RollupError> {
        Ok(Box::new(FileLane::of_parts([part], wanted)?))
    };
    if parts.len() <= LANES {
        return parts.into_iter().map(lane).collect();
    }
    // Whoever reads a rollup may not write to it. What is open stays readable when it is removed.
    let temporary = tempfile::Builder::new().prefix("trailfold-").tempdir();
    let temporary =
        temporary.map_err(|error| RollupError::Write(PathBuf::from("temporary folder"), error))?;
    let mut spills = Spills::new(temporary.path());
    let mut lanes = Vec::new();
    for part in parts {
        lanes.push(lane(part)?);
        spills.relieve(&mut lanes)?;
    }
    spills.append(lanes)
}

/// Returns the rows of a run: its parts one day behind the other, in as many lanes as it has parts
/// of one day, and its sources.
pub(super) fn lanes_of(run: &Run, directory: &Path) -> Result<Vec<Box<dyn Lane>>, RollupError> {
    let mut parts = run.parts(directory)?;
    parts.sort_by_key(|part| part.day);
    let mut chains: Vec<Vec<Part>> = Vec::new();
    for part in parts {
        let is_free = |chain: &&mut Vec<Part>| chain.last().is_none_or(|last| last.day < part.day);
        match chains.iter_mut().find(is_free) {
            Some(chain) => chain.push(part),
            None => chains.push(vec![part]),
        }
    }
    chains.extend(run.sources(directory)?.into_iter().map(|sources| vec![sources]));
    let lane = |chain| -> Result<Box<dyn Lane>, RollupError> {
        Ok(Box::new(FileLane::of_parts(chain, Wanted::Everything)?))
    };
    chains.into_iter().map(lane).collect()
}

/// Rows that are put away in files until all are merged.
pub(super) struct Spills {
    folder: PathBuf,
    files: Vec<PathBuf>,
    count: usize,
}

impl Spills {
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), files: Vec::new(), count: 0 }
    }

    /// Returns the name of another file.
    pub(super) fn next(&mut self) -> PathBuf {
        self.count += 1;
        self.folder.join(format!("spill-{}.arrows", self.count))
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Takes in a file with rows.
    pub(super) fn push(&mut self, file: PathBuf) {
        self.files.push(file);
    }

    /// Merges lanes into a file if there are too many.
    pub(super) fn relieve(
        &mut self,
        lanes: &mut Vec<Box<dyn Lane + '_>>,
    ) -> Result<(), RollupError> {
        if lanes.len() >= LANES {
            let path = self.next();
            spill(&path, std::mem::take(lanes))?;
            self.push(path);
        }
        Ok(())
    }

    /// Returns the lanes with those of all files, which are merged until they are few.
    pub(super) fn append<'l>(
        mut self,
        mut lanes: Vec<Box<dyn Lane + 'l>>,
    ) -> Result<Vec<Box<dyn Lane + 'l>>, RollupError> {
        while self.files.len() > LANES {
            let few: Vec<PathBuf> = self.files.drain(..LANES).collect();
            let mut of_files: Vec<Box<dyn Lane>> = Vec::new();
            for file in &few {
                of_files.push(Box::new(open_stream(file)?));
            }
            let path = self.next();
            spill(&path, of_files)?;
            self.push(path);
            for file in few {
                remove_all(&file)?;
            }
        }
        for file in &self.files {
            lanes.push(Box::new(open_stream(file)?));
        }
        Ok(lanes)
    }
}

pub(super) fn open_stream(path: &Path) -> Result<FileLane<'static>, RollupError> {
    let file = File::open(path).map_err(|error| RollupError::Read(path.to_owned(), error))?;
    FileLane::of_stream(path, file)
}

/// Writes rows to a file.
pub(super) fn spill(path: &Path, lanes: Vec<Box<dyn Lane + '_>>) -> Result<(), RollupError> {
    let failed = |error| RollupError::Write(path.to_owned(), error);
    let file = File::create(path).map_err(failed)?;
    let mut stream = Stream::new(path, io::BufWriter::with_capacity(1 << 18, file))?;
    merge(lanes, &mut |row| stream.push(row))?;
    stream.finish()?.flush().map_err(failed)
}
