//! Log files that digests list, told by names alone: what was delivered and may not have been found.
//! Nothing is verified, so digests are taken at their word.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::num::NonZeroUsize;
use std::path::Path;

use chrono::TimeDelta;

use super::Span;
use super::body::{self, Content, Reading, stem};
use super::digest::Digest;
use crate::ingest::{self, IngestError};
use crate::source::key::file_name;
use crate::source::{Found, Listed, Problem, Source, SourceReason};
use crate::time::Period;

/// How much later than its events a log file may have been delivered.
const LATEST_DELIVERY: TimeDelta = TimeDelta::days(1);

/// The log files that the digests of a dump list.
#[derive(Debug, Default)]
pub struct ListedLogFiles {
    /// Keys, each with the time of its delivery, by a hash of the name of the file.
    keys: HashMap<u64, (Box<str>, Span)>,
    /// How many files in the place of a digest are none that can be read.
    pub digests_unreadable: u64,
    /// What broke while they were read.
    pub problems: Vec<Problem>,
}

impl ListedLogFiles {
    /// Reads the digests that were found.
    ///
    /// # Errors
    /// [`IngestError::Threads`].
    pub fn read(found: &Found, threads: NonZeroUsize) -> Result<Self, IngestError> {
        let digests = found.set_aside.iter().filter(|it| it.reason == SourceReason::Digest);
        // A listing may name a digest by its place elsewhere alone.
        let digests = digests.map(|it| it.path.to_path_buf()).filter(|path| path.exists());
        let digests: Vec<Source> =
            digests.map(|path| Source::listed(path, None, None, Listed::default())).collect();
        let readings =
            ingest::in_parallel(&digests, threads, |source| body::read(0, source, Path::new("")))?;
        let mut listed = Self::default();
        for Reading { bodies, problems, .. } in readings {
            let is_broken = !problems.is_empty();
            listed.problems.extend(problems);
            for body in bodies {
                match body.content {
                    Content::Digest(Some(digest)) => listed.add(*digest),
                    // That is said already.
                    _ if is_broken => {}
                    _ => listed.digests_unreadable += 1,
                }
            }
        }
        Ok(listed)
    }

    fn add(&mut self, Digest { start, end, log_files, .. }: Digest) {
        for log_file in log_files {
            let key = log_file.place.key;
            self.keys.insert(hash(file_name(&key)), (key, (start, end)));
        }
    }

    /// Tells that a file of this name was found.
    pub fn found(&mut self, file_name: &str) {
        self.keys.remove(&hash(file_name));
    }

    /// Returns the keys of log files that were delivered in a period, or soon after it, and were not
    /// found, in byte order.
    pub fn not_found(self, period: Period) -> Vec<String> {
        let is_of_period = |(start, end): Span| {
            period.since.is_none_or(|since| since < end)
                && period.until.is_none_or(|until| start <= until.plus(LATEST_DELIVERY))
        };
        let keys = self.keys.into_values().filter(|(_, span)| is_of_period(*span));
        let mut keys: Vec<String> = keys.map(|(key, _)| key.into()).collect();
        keys.sort_unstable();
        keys
    }
}

/// Returns what a file is known by, compressed or not.
fn hash(file_name: &str) -> u64 {
    // Without a key of its own, so that the result is always the same.
    let mut hasher = DefaultHasher::new();
    stem(file_name).hash(&mut hasher);
    hasher.finish()
}
