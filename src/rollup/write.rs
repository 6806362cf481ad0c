//! Writing to a rollup: one writer at a time, whole or not at all.
//!
//! Everything is written under a hidden folder first and moved into place when it is safely on the
//! disk; the file of the run comes last, and is what makes the rest count. Whatever is broken off
//! before leaves a rollup that answers as it did.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File, TryLockError};
use std::io::{self, BufRead as _, BufReader, ErrorKind, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};

use super::file::{FileLane, Part, Stream, Wanted};
use super::files::{Files, Finished, Kept, Written};
use super::lane::{Lane, LedgerLane, merge, overlap};
use super::run::{Run, Runs, hidden};
use super::spill::{Input, LANES, few_lanes, few_parts};
use super::summary::{self, Summary};
use super::table::Table;
use super::{FORMAT_VERSION, Rollup, RollupError, STREAM, source_lanes};
use crate::access::Switches;
use crate::ingest;
use crate::ledger::Ledger;
use crate::source::{ROLLUP, is_rollup};
use crate::time::Day;

/// How long a part that no run names is left alone: a job may be about to name it.
const GRACE: Duration = Duration::from_secs(24 * 60 * 60);

/// The beginning of names under `tmp` that are not ours to remove.
const OTHERS: &str = "spark-";

/// The one who writes to a rollup.
pub struct Writer {
    directory: PathBuf,
    temporary: PathBuf,
    live: Vec<Run>,
    /// Names of runs that do not count any more.
    gone: Vec<String>,
    /// Held as long as the writer lives.
    _lock: File,
}

impl Writer {
    /// Makes sure of being the only one who writes to the rollup in `directory`, which is made if
    /// it is not there; calls `wait` before waiting for another one.
    ///
    /// # Errors
    /// The directory holds something else, cannot be written to or locked, or holds a rollup that
    /// this program does not read.
    pub fn open(directory: &Path, wait: impl FnOnce()) -> Result<Self, RollupError> {
        Self::refuse_occupied(directory)?;
        refuse_link(&directory.join(ROLLUP))?;
        for folder in ["runs", "sources", "coverage", "tmp"] {
            let folder = hidden(directory, folder);
            make(&folder)?;
            refuse_link(&folder)?;
        }
        sync(&directory.join(ROLLUP))?;
        sync(directory)?;
        sync(directory.parent().filter(|it| *it != Path::new("")).unwrap_or(Path::new(".")))?;
        let path = hidden(directory, "lock");
        let lock = File::options().create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(|error| RollupError::Write(path.clone(), error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                wait();
                lock.lock().map_err(|error| RollupError::Lock(path, error))?;
            }
            Err(TryLockError::Error(error)) => return Err(RollupError::Lock(path, error)),
        }
        // What others left there when they were broken off.
        let tmp = hidden(directory, "tmp");
        for entry in fs::read_dir(&tmp).map_err(|error| RollupError::Read(tmp.clone(), error))? {
            let entry = entry.map_err(|error| RollupError::Read(tmp.clone(), error))?;
            if !entry.file_name().to_string_lossy().starts_with(OTHERS) {
                remove_all(&entry.path())?;
            }
        }
        let Runs { live, gone } = Runs::read(directory)?;
        // Last, so that it goes away with the writer whatever happens.
        let temporary = tmp.join("run");
        make(&temporary)?;
        Ok(Self { directory: directory.to_owned(), temporary, live, gone, _lock: lock })
    }

    /// Refuses a directory that holds something else than a rollup.
    ///
    /// # Errors
    /// [`RollupError::Occupied`], or the directory cannot be looked into.
    pub fn refuse_occupied(directory: &Path) -> Result<(), RollupError> {
        if !is_rollup(directory) && is_occupied(directory)? {
            return Err(RollupError::Occupied(directory.to_owned()));
        }
        Ok(())
    }

    /// Returns the folder for what is not finished; it goes away with the writer.
    pub fn temporary(&self) -> &Path {
        &self.temporary
    }

    /// Returns the rollup as it stands.
    pub fn rollup(&self) -> Rollup {
        Rollup { directory: self.directory.clone(), runs: self.live.clone() }
    }

    /// Refuses to add what was read under another attribution.
    ///
    /// # Errors
    /// [`RollupError::Attribution`].
    pub fn agree_on(&self, switches: &Switches) -> Result<(), RollupError> {
        match self.live.iter().all(|run| run.attribution == *switches) {
            true => Ok(()),
            false => Err(RollupError::Attribution(self.directory.clone())),
        }
    }

    /// Adds what lanes of rows come to, as one run; nothing if they hold no source.
    ///
    /// # Errors
    /// Something could not be read or written; the rollup is as it was.
    pub(super) fn add(&self, lanes: Vec<Box<dyn Lane + '_>>) -> Result<Written, RollupError> {
        let mut files = Files::new(&self.temporary);
        merge(lanes, &mut |row| files.push(row))?;
        self.add_files(&files.finish()?)
    }

    fn add_files(&self, files: &Finished) -> Result<Written, RollupError> {
        let Some(attribution) = files.attribution else { return Ok(Written::default()) };
        self.agree_on(&attribution)?;
        self.commit(files, attribution, Kept::default(), Vec::new())?;
        Ok(files.written)
    }

    /// Adds the records of ledgers and what lanes of sources come to, as one run; each day is written
    /// on its own, by one of several threads.
    pub(super) fn add_days(
        &self,
        ledgers: &[Ledger],
        sources: Vec<Box<dyn Lane + '_>>,
        threads: NonZeroUsize,
    ) -> Result<Written, RollupError> {
        let sorted = ingest::in_parallel(ledgers, threads, Ledger::sorted)?;
        let mut days: BTreeMap<Option<Day>, Vec<(&Ledger, &[u32])>> = BTreeMap::new();
        for (ledger, sorted) in ledgers.iter().zip(&sorted) {
            let is_of_one_day =
                |one: &u32, other: &u32| ledger.key(*one).day == ledger.key(*other).day;
            for records in sorted.chunk_by(is_of_one_day) {
                let day = records.first().and_then(|record| ledger.key(*record).day);
                days.entry(day).or_default().push((ledger, records));
            }
        }
        let days: Vec<_> = days.into_values().collect();
        let parts = ingest::in_parallel(&days, threads, |records| {
            let mut lanes: Vec<Box<dyn Lane + '_>> = Vec::new();
            for (ledger, records) in records {
                lanes.push(Box::new(LedgerLane::of(ledger, records.to_vec())));
            }
            let mut files = Files::new(&self.temporary);
            merge(lanes, &mut |row| files.push(row))?;
            files.finish()
        })?;
        let mut files = Files::new(&self.temporary);
        merge(sources, &mut |row| files.push(row))?;
        let mut files = files.finish()?;
        for part in parts {
            files.append(part?);
        }
        self.add_files(&files)
    }

    /// Adds what inputs hold, as one run.
    ///
    /// # Errors
    /// Something could not be read or written, and the rollup is as it was; rows that are not sorted or
    /// not whole.
    pub fn merge(&self, inputs: Vec<Input>) -> Result<Written, RollupError> {
        self.add(few_lanes(inputs, &self.temporary)?)
    }

    /// Makes one run of all, with one part a day, and removes what nobody needs any more.
    ///
    /// # Errors
    /// Something could not be read or written; the answers of the rollup are as before.
    pub fn compact(mut self, now: SystemTime) -> Result<Written, RollupError> {
        let mut by_day: BTreeMap<Day, Vec<Part>> = BTreeMap::new();
        for part in self.rollup().parts()? {
            if let Some(day) = part.day {
                by_day.entry(day).or_default().push(part);
            }
        }
        let is_compact = self.live.len() <= 1 && by_day.values().all(|parts| parts.len() <= 1);
        let mut written = Written::default();
        if !is_compact {
            let mut files = Files::new(&self.temporary);
            let mut kept = Kept::default();
            for parts in by_day.into_values() {
                match <[Part; 1]>::try_from(parts) {
                    Ok([part]) => kept.parts.push(self.name_of(&part.path)?),
                    Err(parts) => {
                        let lanes = few_parts(parts, Wanted::Everything)?;
                        merge(lanes, &mut |row| files.push(row))?;
                    }
                }
            }
            // Sources of which none stands in two runs need not be read to be one run's, as long as
            // their files are few enough to be open at once.
            let sources: Vec<String> =
                self.live.iter().flat_map(|run| run.sources.iter().cloned()).collect();
            let is_summed = summary::add_up(&self.live);
            if is_summed {
                files.summary = Summary::of(&self.rollup())?;
            }
            if is_summed && sources.len() <= LANES {
                kept.sources = sources;
            } else {
                let lanes = source_lanes(&[self.rollup()], Wanted::Everything)?;
                merge(lanes, &mut |row| files.push(row))?;
            }
            let files = files.finish()?;
            let attribution = files.attribution.or_else(|| self.rollup().switches());
            let Some(attribution) = attribution else { return Ok(written) };
            let replaces: Vec<String> = self.live.iter().map(|run| run.name.clone()).collect();
            self.commit(&files, attribution, kept, replaces.clone())?;
            written = files.written;
            self.gone.extend(replaces);
            self.live = Runs::read(&self.directory)?.live;
        }
        self.remove_unnamed(now)?;
        Ok(written)
    }

    /// Moves files into place and lets them count.
    fn commit(
        &self,
        files: &Finished,
        attribution: Switches,
        kept: Kept,
        replaces: Vec<String>,
    ) -> Result<(), RollupError> {
        // Named by its content: the same run twice is one.
        let mut digest = Sha256::new();
        for text in kept.parts.iter().chain(&kept.sources).chain(&replaces) {
            digest.update(text.as_bytes());
            digest.update([0]);
        }
        for path in files.parts.iter().map(|(_, path)| path).chain(&files.sources) {
            add_file(path, &mut digest).map_err(|error| RollupError::Read(path.clone(), error))?;
        }
        let name: String =
            digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        if self.live.iter().any(|run| run.name == name) {
            return Ok(());
        }
        let beside = self.beside(files, &replaces)?;
        let mut run = Run {
            name: name.clone(),
            format_version: FORMAT_VERSION,
            attribution,
            replaces,
            parts: kept.parts,
            sources: kept.sources,
            coverage: None,
            beside: Vec::new(),
        };
        for (day, path) in &files.parts {
            let part = format!("date={day}/part-{name}.parquet");
            self.place(path, &part)?;
            run.parts.push(part);
        }
        run.parts.sort_unstable();
        if let Some(path) = &files.sources {
            let sources = format!("{ROLLUP}/sources/{name}.parquet");
            self.place(path, &sources)?;
            run.sources.push(sources);
        }
        if let Some(path) = &files.coverage
            && let Some(beside) = beside
        {
            let coverage = format!("{ROLLUP}/coverage/{name}.parquet");
            self.place(path, &coverage)?;
            run.coverage = Some(coverage);
            run.beside = beside;
        }
        let json = serde_json::to_string_pretty(&run).expect("texts and numbers make JSON");
        let staged = self.temporary.join("run.json");
        let written = File::create(&staged).and_then(|mut file| {
            writeln!(file, "{json}")?;
            file.sync_all()
        });
        written.map_err(|error| RollupError::Write(staged.clone(), error))?;
        sync(&self.directory)?;
        self.place(&staged, &format!("{ROLLUP}/runs/{name}.json"))
    }

    /// Returns the names of the other runs that count, if no source of these files is one of theirs.
    fn beside(
        &self,
        files: &Finished,
        replaces: &[String],
    ) -> Result<Option<Vec<String>>, RollupError> {
        if files.coverage.is_none() {
            return Ok(None);
        }
        let mut others = self.rollup();
        others.runs.retain(|run| !replaces.contains(&run.name));
        let Some(sources) = &files.sources else { return Ok(Some(Vec::new())) };
        // Where others do not add up, nothing is gained.
        if !summary::add_up(&others.runs) {
            return Ok(None);
        }
        let part = Part { path: sources.clone(), table: Table::Sources, day: None };
        let one = Box::new(FileLane::of_parts([part], Wanted::Essentials)?);
        let names = others.runs.iter().map(|run| run.name.clone()).collect();
        let is_apart = !overlap(one, source_lanes(&[others], Wanted::Essentials)?)?;
        Ok(is_apart.then_some(names))
    }

    /// Moves a file to its place below the rollup, for good.
    fn place(&self, from: &Path, name: &str) -> Result<(), RollupError> {
        let to = self.directory.join(name);
        let folder = to.parent().unwrap_or(&self.directory);
        make(folder)?;
        fs::rename(from, &to).map_err(|error| RollupError::Write(to.clone(), error))?;
        sync(folder)
    }

    /// Returns the name by which a run names a file.
    fn name_of(&self, path: &Path) -> Result<String, RollupError> {
        let name = path.strip_prefix(&self.directory).ok().and_then(Path::to_str);
        name.map(str::to_owned).ok_or_else(|| RollupError::Outside(path.display().to_string()))
    }

    /// Removes runs that do not count any more, and files that no run names.
    fn remove_unnamed(&self, now: SystemTime) -> Result<(), RollupError> {
        let mut of_gone = Vec::new();
        for name in &self.gone {
            let path = hidden(&self.directory, "runs").join(format!("{name}.json"));
            of_gone.push(format!("part-{name}.parquet"));
            of_gone.push(format!("{name}.parquet"));
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(RollupError::Write(path, error));
                }
                _ => {}
            }
        }
        let named = |run: &Run| -> Vec<String> {
            run.parts.iter().chain(&run.sources).chain(&run.coverage).cloned().collect()
        };
        let named: Vec<String> = self.live.iter().flat_map(named).collect();
        let named: HashSet<PathBuf> = named.iter().map(|name| self.directory.join(name)).collect();
        for folder in self.folders()? {
            let mut is_empty = true;
            let read = |error| RollupError::Read(folder.clone(), error);
            for entry in fs::read_dir(&folder).map_err(read)? {
                let entry = entry.map_err(read)?;
                let name = entry.file_name().to_string_lossy().into_owned();
                let is_old = || {
                    let modified = entry.metadata().and_then(|metadata| metadata.modified());
                    modified.is_ok_and(|modified| modified + GRACE < now)
                };
                let is_ours = name.ends_with(".parquet");
                if is_ours
                    && !named.contains(&entry.path())
                    && (of_gone.contains(&name) || is_old())
                {
                    fs::remove_file(entry.path())
                        .map_err(|error| RollupError::Write(entry.path(), error))?;
                } else {
                    is_empty = false;
                }
            }
            let is_of_day = folder.parent() == Some(&self.directory);
            if is_empty && is_of_day {
                // Somebody may have put something there meanwhile.
                let _ = fs::remove_dir(&folder);
            }
        }
        Ok(())
    }

    /// Returns the folders of parts, of sources and of coverage.
    fn folders(&self) -> Result<Vec<PathBuf>, RollupError> {
        let read = |error| RollupError::Read(self.directory.clone(), error);
        let mut folders =
            vec![hidden(&self.directory, "sources"), hidden(&self.directory, "coverage")];
        for entry in fs::read_dir(&self.directory).map_err(read)? {
            let entry = entry.map_err(read)?;
            if entry.file_name().to_string_lossy().starts_with("date=") {
                refuse_link(&entry.path())?;
                folders.push(entry.path());
            }
        }
        Ok(folders)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.temporary);
    }
}

/// Writes what inputs hold to `out`, as one partial stream. What is not finished goes to
/// `temporary`.
///
/// # Errors
/// Something could not be read or written; rows that are not sorted or not whole.
pub fn merge_to_stream(
    inputs: Vec<Input>,
    temporary: &Path,
    out: impl Write,
) -> Result<Written, RollupError> {
    to_stream(few_lanes(inputs, temporary)?, out)
}

/// Writes what lanes come to as one partial stream.
pub(super) fn to_stream(
    lanes: Vec<Box<dyn Lane + '_>>,
    out: impl Write,
) -> Result<Written, RollupError> {
    let mut written = Written::default();
    let mut stream = Stream::new(Path::new(STREAM), out)?;
    merge(lanes, &mut |row| {
        written.count(row);
        stream.push(row)
    })?;
    stream.finish()?;
    Ok(written)
}

/// Adds the bytes of a file to a digest.
fn add_file(path: &Path, digest: &mut Sha256) -> io::Result<()> {
    let mut file = BufReader::with_capacity(1 << 16, File::open(path)?);
    loop {
        let bytes = file.fill_buf()?;
        let length = bytes.len();
        if length == 0 {
            return Ok(());
        }
        digest.update(bytes);
        file.consume(length);
    }
}

/// Returns whether there is something else in a directory than the beginnings of a rollup.
fn is_occupied(directory: &Path) -> Result<bool, RollupError> {
    match fs::read_dir(directory) {
        Ok(mut entries) => Ok(entries.any(|entry| {
            let name = entry.map(|entry| entry.file_name()).unwrap_or_default();
            name != ROLLUP && !name.as_encoded_bytes().starts_with(b".")
        })),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(RollupError::Read(directory.to_owned(), error)),
    }
}

fn refuse_link(folder: &Path) -> Result<(), RollupError> {
    if folder.is_symlink() { Err(RollupError::Link(folder.to_owned())) } else { Ok(()) }
}

fn make(folder: &Path) -> Result<(), RollupError> {
    fs::create_dir_all(folder).map_err(|error| RollupError::Write(folder.to_owned(), error))
}

pub(super) fn remove_all(path: &Path) -> Result<(), RollupError> {
    let is_folder = path.is_dir() && !path.is_symlink();
    let removed = if is_folder { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    removed.map_err(|error| RollupError::Write(path.to_owned(), error))
}

/// Sees the names in a folder safely on the disk, where the system can.
fn sync(folder: &Path) -> Result<(), RollupError> {
    #[cfg(unix)]
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| RollupError::Write(folder.to_owned(), error))?;
    Ok(())
}
