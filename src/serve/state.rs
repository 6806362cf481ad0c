//! Jobs on disk, so that they outlive the program: a file each, written whole or not at all.
//!
//! Nothing is forced to the disk: a job that a loss of power takes away can be asked for again.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

use super::jobs::{Job, Question};
use crate::report::JobDates;
use crate::time::Time;

/// The version of a job's file.
const FORMAT_VERSION: u32 = 1;

/// The file that tells another program that the directory is in use.
const LOCK: &str = "lock";

/// How a job's file is named: `job-ID.json`.
const PREFIX: &str = "job-";
const SUFFIX: &str = ".json";

/// How a file is named until it is whole.
const UNFINISHED: &str = ".job-";

/// Why jobs could not be read or kept.
#[derive(Debug, Error)]
pub enum StateError {
    /// The directory or a file in it cannot be used.
    #[error("{}", .0.display())]
    Io(PathBuf, #[source] io::Error),
    /// Another program keeps its jobs there.
    #[error("{}: another trailfold serve keeps its jobs there: give each a directory of its own", .0.display())]
    InUse(PathBuf),
    /// A file was written by a newer program.
    #[error(
        "{}: format {found} is newer than this program reads ({FORMAT_VERSION}): upgrade, or take the \
         file away", .path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
}

/// What a file holds.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Stored {
    format_version: u32,
    job_id: Uuid,
    question: Question,
    job_creation_date: String,
    job_completion_date: String,
    digest: String,
}

/// A directory of jobs, which nobody else uses.
#[derive(Debug)]
pub struct Store {
    directory: PathBuf,
    /// Holds the lock.
    _lock: File,
}

/// What stood in a directory.
#[derive(Debug)]
pub struct Opened {
    /// The directory.
    pub store: Store,
    /// Its jobs.
    pub jobs: Vec<Job>,
    /// Files that are no jobs, with the reason; they stay where they are.
    pub set_aside: Vec<String>,
}

impl Store {
    /// Reads the jobs of `directory`, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// [`StateError`] if the directory cannot be used, another program uses it, or a newer one wrote
    /// into it. A damaged file is none: its job can be asked for again.
    pub fn open(directory: &Path) -> Result<Opened, StateError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            |error| StateError::Io(path, error)
        };
        fs::create_dir_all(directory).map_err(failed(directory))?;
        let place = directory.join(LOCK);
        let lock = File::create(&place).map_err(failed(&place))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StateError::InUse(directory.to_owned())),
            Err(TryLockError::Error(error)) => return Err(failed(&place)(error)),
        }
        let store = Self { directory: directory.to_owned(), _lock: lock };
        let mut opened = Opened { store, jobs: Vec::new(), set_aside: Vec::new() };
        for entry in fs::read_dir(directory).map_err(failed(directory))? {
            let path = entry.map_err(failed(directory))?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.starts_with(UNFINISHED) {
                // Of a program that was killed: nobody else has the lock.
                fs::remove_file(&path).map_err(failed(&path))?;
                continue;
            }
            let id = name.strip_prefix(PREFIX).and_then(|name| name.strip_suffix(SUFFIX));
            let Some(id) = id else { continue };
            match read(&path) {
                Ok(job) if job.id.to_string() == id => opened.jobs.push(job),
                Ok(_) => opened.set_aside.push(format!("{}: is another job's", path.display())),
                Err(Unreadable::Newer(found)) => return Err(StateError::Newer { path, found }),
                Err(Unreadable::Broken(reason)) => {
                    opened.set_aside.push(format!("{}: {reason}", path.display()));
                }
            }
        }
        opened.set_aside.sort();
        Ok(opened)
    }

    /// Writes a job, whole or not at all.
    ///
    /// # Errors
    ///
    /// [`StateError::Io`].
    pub fn save(&self, job: &Job) -> Result<(), StateError> {
        let path = self.path(job);
        let stored = Stored {
            format_version: FORMAT_VERSION,
            job_id: job.id,
            question: job.question.clone(),
            job_creation_date: job.dates.creation.to_milliseconds_string(),
            job_completion_date: job.dates.completion.to_milliseconds_string(),
            digest: job.digest.clone(),
        };
        let write = || -> io::Result<()> {
            let mut file =
                tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(&self.directory)?;
            file.write_all(&serde_json::to_vec(&stored)?)?;
            file.persist(&path).map_err(|error| error.error)?;
            Ok(())
        };
        write().map_err(|error| StateError::Io(path.clone(), error))
    }

    /// Takes a job away; one that stays because it cannot be removed is taken away when it is read.
    pub fn remove(&self, job: &Job) {
        let _ = fs::remove_file(self.path(job));
    }

    fn path(&self, job: &Job) -> PathBuf {
        self.directory.join(format!("{PREFIX}{}{SUFFIX}", job.id))
    }
}

enum Unreadable {
    Newer(u32),
    Broken(String),
}

fn read(path: &Path) -> Result<Job, Unreadable> {
    let broken = |reason: &dyn ToString| Unreadable::Broken(reason.to_string());
    let bytes = fs::read(path).map_err(|error| broken(&error))?;
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Version {
        format_version: u32,
    }
    let version: Version = serde_json::from_slice(&bytes).map_err(|error| broken(&error))?;
    if version.format_version > FORMAT_VERSION {
        return Err(Unreadable::Newer(version.format_version));
    }
    let stored: Stored = serde_json::from_slice(&bytes).map_err(|error| broken(&error))?;
    let time = |text: &str| {
        Time::parse(text.as_bytes()).ok_or_else(|| broken(&format!("`{text}` is no time")))
    };
    Ok(Job {
        id: stored.job_id,
        question: stored.question,
        dates: JobDates {
            creation: time(&stored.job_creation_date)?,
            completion: time(&stored.job_completion_date)?,
        },
        digest: stored.digest,
        is_of_this_run: false,
    })
}
