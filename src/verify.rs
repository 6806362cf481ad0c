//! Log file integrity: which files of a dump CloudTrail's digests prove to be as they were delivered.
//!
//! CloudTrail delivers a digest every hour: the hashes of the log files of that hour, and hash and
//! signature of the digest before. A digest is proven by its signature alone, which its successor
//! holds or which was saved; nothing that stands in the dump is believed before. What is proven of a
//! log file is its content: neither its name nor its place decides.
//!
//! Result lines use the words of `aws cloudtrail validate-logs`. This module prints nothing, and
//! opens no file but those that were found: a name in a digest is a text to compare.

mod body;
mod chain;
mod digest;
mod document;
mod key;
mod listed;
mod log;
mod reply;
mod signature;
mod status;

use std::num::NonZeroUsize;
use std::path::Path;

use thiserror::Error;

use crate::coverage::ProvenPeriods;
pub use crate::coverage::Span;
use crate::ingest::{self, IngestError, Progress};
use crate::source::{Found, Input, Listed, Problem, Source, SourceReason};
use crate::time::Time;

use body::{Body, Content, Reading};

pub use digest::{S3Object, Trail};
pub use document::Document;
pub use key::PublicKeys;
pub use listed::ListedLogFiles;
pub use reply::ReplyError;
pub use signature::SavedSignatures;
pub use status::{DigestStatus, LogStatus, Proof};

/// What a verification has to know beside the dump, the keys and the signatures.
pub struct Options<'a> {
    /// How many workers read and check.
    pub threads: NonZeroUsize,
    /// The directory in which relative paths begin.
    pub here: &'a Path,
    /// Is told how the run goes on; called from every worker.
    pub progress: &'a (dyn Fn(Progress) + Sync),
}

/// Why nothing could be verified.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// There is no digest among the inputs.
    #[error(
        "no digest found: the inputs must have the folders `CloudTrail-Digest` that lie beside \
         `CloudTrail` in the bucket"
    )]
    NoDigest,
    /// The system has no threads left.
    #[error(transparent)]
    Threads(#[from] IngestError),
}

/// What the digests say of a dump.
#[derive(Debug)]
pub struct Verification {
    /// One a trail, account and Region, in that order; those of backfill digests apart.
    pub chains: Vec<Chain>,
    /// Files that should be digests, and of which nothing tells which, by name.
    pub stray_digests: Vec<DigestResult>,
    /// Log files that no digest lists that could be read, by name.
    pub unlisted: Vec<Unlisted>,
    /// Further copies of log files that are proven, by name.
    pub copies: Vec<String>,
    /// What could not be found or read, by name.
    pub problems: Vec<Problem>,
    /// The sources of which every part is proven, in the order in which they were found.
    pub proven: Vec<Source>,
}

impl Verification {
    /// Returns whether every digest and every log file is proven and in its place, nothing is missing
    /// and no time lies between the digests of a trail.
    pub fn is_all_valid(&self) -> bool {
        let of_chain = |chain: &Chain| {
            chain.gaps.is_empty()
                && chain.digests.iter().all(|it| it.status.is_valid())
                && chain.log_files.iter().all(|it| it.status.is_valid())
        };
        self.chains.iter().all(of_chain)
            && self.stray_digests.is_empty()
            && self.unlisted.is_empty()
            && self.problems.is_empty()
    }

    /// Returns the times that are proven, by account.
    pub fn proven_periods(&self) -> ProvenPeriods {
        ProvenPeriods::new(self.chains.iter().map(|chain| {
            (chain.trail.account.as_str(), chain.trail.region.as_str(), chain.proven.as_slice())
        }))
    }
}

/// The digests of one trail, account and Region, and the log files that they list.
#[derive(Debug)]
pub struct Chain {
    /// Whose digests they are.
    pub trail: Trail,
    /// The digests, in the order of their times.
    pub digests: Vec<DigestResult>,
    /// The log files, in the order of the digests that list them.
    pub log_files: Vec<LogResult>,
    /// Times between proven digests of which no proven digest says anything.
    pub gaps: Vec<Gap>,
    /// From the first to the last proven digest.
    pub found: Option<Span>,
    /// The times of which everything that was delivered is here and proven.
    pub proven: Vec<Span>,
    /// The digest before the first one of the dump, if the first one names any.
    pub begins_after: Option<S3Object>,
}

/// What is known of a digest.
#[derive(Debug)]
pub struct DigestResult {
    /// Where it was delivered; unknown of what is no digest.
    pub place: Option<S3Object>,
    /// The file; none of a digest that is missing.
    pub path: Option<String>,
    /// The time in which its log files were delivered.
    pub span: Option<Span>,
    /// Whether it is proven.
    pub status: DigestStatus,
}

/// What is known of a log file that a digest lists.
#[derive(Debug)]
pub struct LogResult {
    /// Where it was delivered.
    pub place: S3Object,
    /// The file; none of one that is missing.
    pub path: Option<String>,
    /// Whether it is proven.
    pub status: LogStatus,
}

/// A time between two proven digests of which no proven digest tells what was delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Where the earlier digest ends.
    pub from: Time,
    /// Where the later one begins.
    pub to: Time,
    /// Whether the later digest begins a chain, as it does where validation was switched on again;
    /// else digests are missing or not proven.
    pub is_restart: bool,
}

/// A file that may be a log file, and that no proven digest lists.
#[derive(Debug)]
pub struct Unlisted {
    /// The file.
    pub path: String,
    /// Whether a digest lists it that is not valid.
    pub is_listed_by_invalid: bool,
}

/// Returns every file that may be a digest or be listed by one, digests and other files of trails that
/// hold no event included.
pub fn sources(found: &Found) -> Vec<Source> {
    let is_of_trail = |reason: SourceReason| {
        matches!(reason, SourceReason::Digest | SourceReason::Insight | SourceReason::Aggregated)
    };
    let set_aside = found
        .set_aside
        .iter()
        .filter(|it| is_of_trail(it.reason))
        .map(|it| Source::listed(it.path.to_path_buf(), None, None, Listed::default()));
    let mut sources: Vec<Source> = found.sources.iter().cloned().chain(set_aside).collect();
    sources.sort_by(|one, other| one.input.cmp(&other.input));
    sources
}

/// Verifies what [`sources`] returned.
///
/// # Errors
/// [`VerifyError`]: there is no digest, or there are no threads.
pub fn verify(
    sources: &[Source],
    keys: &PublicKeys,
    signatures: &SavedSignatures,
    options: &Options<'_>,
) -> Result<Verification, VerifyError> {
    let numbered: Vec<(usize, &Source)> = sources.iter().enumerate().collect();
    let readings = ingest::in_parallel(&numbered, options.threads, |(number, source)| {
        let reading = body::read(*number, source, options.here);
        (options.progress)(Progress::Source(source.size.unwrap_or(reading.bytes)));
        reading
    })?;
    let mut bodies = Vec::new();
    let mut problems: Vec<Problem> = Vec::new();
    for Reading { bodies: its_bodies, problems: its_problems, .. } in readings {
        bodies.extend(its_bodies);
        problems.extend(its_problems);
    }
    bodies.sort_by(|one, other| (&one.name, one.source).cmp(&(&other.name, other.source)));
    if !bodies.iter().any(|body| matches!(body.content, Content::Digest(_))) {
        return Err(VerifyError::NoDigest);
    }
    let mut nodes = chain::nodes(&bodies);
    chain::check(&mut nodes, keys, signatures, options.threads)?;
    let matches = log::find(&nodes, &bodies);
    let around = chain::Around { bodies: &bodies, matches: &matches, saved: signatures };
    let (chains, stray_digests) = chain::results(&nodes, &around);
    let proven = proven(sources, &bodies, &matches);
    let (unlisted, copies) = matches.rest(&nodes, &bodies);
    problems.sort_by(|one, other| one.source.cmp(&other.source));
    Ok(Verification { chains, stray_digests, unlisted, copies, problems, proven })
}

/// Returns the sources of which every part is proven.
fn proven(sources: &[Source], bodies: &[Body], matches: &log::Matches<'_>) -> Vec<Source> {
    let mut is_proven = vec![true; sources.len()];
    for body in bodies {
        if let Some(is_proven) = is_proven.get_mut(body.source) {
            *is_proven &= matches.is_proven(body);
        }
    }
    let sources = sources.iter().zip(is_proven);
    let sources = sources.filter(|(source, is_proven)| *is_proven && source.input != Input::Stdin);
    sources.map(|(source, _)| source.clone()).collect()
}
