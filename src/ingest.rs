//! From sources to a ledger and its coverage, in parallel. The only place that starts threads.
//!
//! Every worker takes the next source, folds it into a ledger and a coverage of its own, and the
//! parts are merged once. Both merges are commutative, so neither the number of workers nor the
//! order of the sources shows in the result.

mod callers;
mod cut;

use std::cmp::Reverse;
use std::ffi::OsString;
use std::io::{self, Read};
use std::mem;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::Path;

use callers::Callers;
use cut::Queue;
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use thiserror::Error;

use crate::access::{Access, NoAccess, Skip, Switches, access, actor};
use crate::coverage::{
    AccountCounts, AccountNumber, Coverage, CoverageByDay, Problem, SourceProblems,
};
use crate::event::envelope::{self, Content, Found as Record, Input, Window};
use crate::ledger::{ActorNumber, Journal, Ledger, Whose};
use crate::printable::grouped;
use crate::source::{
    self, Directory, Found, Source, SourceError, SourceReason, key, open, text_kind,
};
use crate::time::Period;

/// What a run has to know beside its sources.
pub struct Options<'a> {
    /// Accesses outside it are set aside (P2).
    pub period: Period,
    /// Which kinds of records count.
    pub switches: Switches,
    /// How many workers read.
    pub threads: NonZeroUsize,
    /// The bytes that the ledgers of all workers, and what they count of accounts, may take together.
    pub memory: usize,
    /// Is told how the run goes on; called from every worker.
    pub progress: &'a (dyn Fn(Progress) + Sync),
}

/// What a fold by day has to know beside [`Options`].
#[derive(Clone, Copy)]
pub struct ByDay<'a> {
    /// Takes a ledger that outgrew its share of the memory; says whether there is any use in going
    /// on.
    pub spill: &'a (dyn Fn(Ledger) -> ControlFlow<()> + Sync),
    /// Is told what each source came to.
    pub source: &'a (dyn Fn(&Source, CoverageByDay) + Sync),
}

/// An access that counts, with the record that tells of it.
pub struct Witnessed<'a> {
    /// The name of the source, as attempts of the ledger have it.
    pub source: &'a str,
    /// The name of the source or, in an archive, of its entry.
    pub body: &'a str,
    /// The offset of the record in the decompressed bytes of that.
    pub offset: u64,
    /// The record as it stands, without what it is wrapped in.
    pub json: &'a [u8],
    /// Who acted.
    pub whose: Whose<'a>,
    /// What the record tells.
    pub access: &'a Access<'a>,
}

/// Is shown accesses, by every worker.
pub type Witness<'a> = dyn Fn(&Witnessed<'_>) + Sync + 'a;

/// A step of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So many bytes were read, after decompression.
    Decompressed(u64),
    /// A source of so many bytes on the disk is done.
    Source(u64),
}

/// The bytes that tell what a text is.
const PREFIX: usize = 1024;

/// The smallest source that is large, in bytes.
const LARGE: u64 = 256 << 10;

/// Bytes of a piece of a large file of JSON lines: enough to outweigh what a piece costs beside its
/// bytes, few enough for all threads to end at about the same time.
const PIECE: u64 = 16 << 20;

/// Why a run has no result.
#[derive(Debug, Error)]
pub enum IngestError {
    /// The system has no threads left.
    #[error("no thread to read with: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// So many different accesses were read that they do not fit.
    #[error(
        "the accesses take more than {} bytes of memory, so many different principals, event \
         sources and names, accounts or Regions are in the logs: give --memory more, or read fewer accounts at a time",
        grouped(*.0 as u64)
    )]
    Memory(usize),
    /// Inputs that make no sense.
    #[error(transparent)]
    Inputs(#[from] SourceError),
}

/// Finds every source that `inputs` name, as [`source::find`] does, on so many threads, but for
/// what lies in the directory `except`.
///
/// # Errors
///
/// [`IngestError`]: inputs that make no sense, or no threads.
pub fn find(
    inputs: &[OsString],
    threads: NonZeroUsize,
    except: Option<&Path>,
) -> Result<Found, IngestError> {
    let workers = rayon::ThreadPoolBuilder::new().num_threads(threads.get()).build()?;
    let list = |directories: &[Directory]| {
        workers.install(|| directories.par_iter().map(Directory::list).collect())
    };
    Ok(source::find_with(inputs, except, &list)?)
}

/// Folds everything that was found.
///
/// What cannot be read is a problem of the coverage; the rest counts (V3).
///
/// # Errors
///
/// [`IngestError`]: there is no partial result.
pub fn fold(found: &Found, options: &Options<'_>) -> Result<(Ledger, Coverage), IngestError> {
    fold_in_pieces(found, options, PIECE)
}

/// Does the same as [`fold`], which reads plain files of JSON lines in pieces of about 16 MiB, with
/// pieces of about `piece` bytes.
///
/// # Errors
///
/// [`IngestError`]: there is no partial result.
pub fn fold_in_pieces(
    found: &Found,
    options: &Options<'_>,
    piece: u64,
) -> Result<(Ledger, Coverage), IngestError> {
    let for_reports = Purpose::default();
    Ok(joined(found, options, workers(found, options, for_reports, piece)?))
}

/// Does the same as [`fold`], and shows `witness` every access that counts. Every file is read by one
/// worker: of what is read on trial nobody could say yet whether it counts.
///
/// # Errors
///
/// [`IngestError`]: there is no partial result.
pub fn fold_witnessed(
    found: &Found,
    options: &Options<'_>,
    witness: &Witness<'_>,
) -> Result<(Ledger, Coverage), IngestError> {
    let purpose = Purpose { witness: Some(witness), ..Purpose::default() };
    Ok(joined(found, options, workers(found, options, purpose, u64::MAX)?))
}

/// Joins what the workers of a fold have, and what was found beside the sources.
fn joined(
    found: &Found,
    options: &Options<'_>,
    parts: Vec<(Ledger, CoverageByDay)>,
) -> (Ledger, Coverage) {
    let mut coverage = CoverageByDay::default();
    let mut ledger = Ledger::default();
    for (its_ledger, its_coverage) in parts {
        if ledger.is_empty() {
            ledger = its_ledger;
        } else {
            ledger.merge(its_ledger);
        }
        coverage.merge(its_coverage);
    }
    let mut coverage = coverage.totals;
    coverage.period = options.period;
    coverage.switches = options.switches;
    for source in &found.set_aside {
        coverage.source_set_aside(source.reason, &source.path.name());
    }
    for problem in &found.problems {
        coverage.sources.failed += 1;
        coverage.problems.insert(problem.into());
    }
    (ledger, coverage)
}

/// Folds every source that was found into a ledger with a record a day, whatever period `options`
/// name; returns what was not spilled. What was found beside the sources is left to the caller.
///
/// # Errors
///
/// [`IngestError`]: there is no partial result.
pub fn fold_by_day(
    found: &Found,
    options: &Options<'_>,
    by_day: ByDay<'_>,
) -> Result<Vec<Ledger>, IngestError> {
    let purpose = Purpose { by_day: Some(by_day), ..Purpose::default() };
    let parts = workers(found, options, purpose, PIECE)?;
    Ok(parts.into_iter().map(|(ledger, _)| ledger).collect())
}

/// What a fold is for, beside the ledger.
#[derive(Clone, Copy, Default)]
struct Purpose<'a> {
    by_day: Option<ByDay<'a>>,
    witness: Option<&'a Witness<'a>>,
}

/// Runs the workers, and returns what each of them folded.
fn workers(
    found: &Found,
    options: &Options<'_>,
    purpose: Purpose<'_>,
    piece: u64,
) -> Result<Vec<(Ledger, CoverageByDay)>, IngestError> {
    // A large source that comes last would leave the other workers idle, and one that comes behind
    // a smaller one needs larger buffers. Small ones stay in the order of the directories, where
    // neighbours are quick to open.
    let mut sources: Vec<&Source> = found.sources.iter().collect();
    let size = |source: &Source| source.size.unwrap_or(u64::MAX);
    sources.sort_by_key(|source| Reverse(Some(size(source)).filter(|size| *size >= LARGE)));
    let queue = Queue::new(sources, options.threads.get(), piece);
    let work = |_: rayon::BroadcastContext<'_>| {
        let mut worker = Worker::new(options, purpose);
        queue.work(&mut worker);
        worker.into_parts()
    };
    let threads = options.threads.get().min(queue.most_workers());
    let workers = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let parts: Option<Vec<_>> = workers.broadcast(work).into_iter().collect();
    parts.ok_or(IngestError::Memory(options.memory))
}

/// Does the same to every part of some work, on so many threads; returns the results in their order.
///
/// # Errors
///
/// [`IngestError::Threads`]: the system has none left.
pub fn in_parallel<T: Sync, R: Send>(
    parts: &[T],
    threads: NonZeroUsize,
    work: impl Fn(&T) -> R + Send + Sync,
) -> Result<Vec<R>, IngestError> {
    let workers = rayon::ThreadPoolBuilder::new().num_threads(threads.get()).build()?;
    Ok(workers.install(|| parts.par_iter().map(work).collect()))
}

/// Who acts, where a worker counts it.
#[derive(Clone, Copy)]
struct Caller {
    actor: ActorNumber,
    account: AccountNumber,
}

struct Worker<'a> {
    options: &'a Options<'a>,
    purpose: Purpose<'a>,
    /// The bytes that the ledger may take in memory, and the counts of accounts.
    memory: usize,
    /// Whether a ledger outgrew its memory and could not be spilled, so that the rest is in vain.
    is_stopped: bool,
    journal: Journal,
    /// What all sources came to; in a fold by day, the one that is read.
    coverage: CoverageByDay,
    accounts: AccountCounts,
    callers: Callers<Result<Caller, NoAccess>>,
    reader: open::Reader,
    window: Window,
}

impl<'a> Worker<'a> {
    fn new(options: &'a Options<'a>, purpose: Purpose<'a>) -> Self {
        let (journal, accounts) = match purpose.by_day {
            Some(_) => (Journal::by_day(), AccountCounts::by_day()),
            None => (Journal::default(), AccountCounts::default()),
        };
        let memory = options.memory / options.threads;
        Self {
            options,
            purpose,
            memory,
            is_stopped: false,
            journal,
            coverage: CoverageByDay::default(),
            accounts,
            callers: Callers::default(),
            reader: open::Reader::default(),
            window: Window::default(),
        }
    }

    /// Returns what was folded; none if that had to be dropped.
    fn into_parts(mut self) -> Option<(Ledger, CoverageByDay)> {
        let is_dropped = self.is_stopped && self.purpose.by_day.is_none();
        self.accounts.take(&mut self.coverage);
        (!is_dropped).then(|| (self.journal.finish(), self.coverage))
    }

    fn fold_source(&mut self, source: &Source) {
        let source_name = &*source.name();
        self.journal.begin(source_name);
        let mut records = 0;
        let mut malformed = 0;
        let mut set_aside = None;
        let mut reader = mem::take(&mut self.reader);
        let reading = reader.read(source_name, source, &mut |name, input| {
            let is_entry = name != source_name;
            if is_entry && let Some(reason) = key::kind(name) {
                self.coverage.totals.source_set_aside(reason, name);
                return Ok(());
            }
            let mut of_body = SourceProblems::default();
            let body = self.fold_body(name, input, &mut of_body);
            self.coverage.totals.problems.extend(of_body.finish());
            let body = body?;
            malformed += body.malformed;
            records += body.records;
            match body.not_json {
                Some(_) if name.contains("_CloudTrail_") => {
                    return Err(io::Error::other(
                        "is named as a CloudTrail log file, but is not JSON",
                    ));
                }
                Some(SourceReason::NotJson) if body.may_hold_events => {
                    return Err(io::Error::other(
                        "looks like a table of events, which is not read: give the JSON",
                    ));
                }
                Some(reason) if is_entry => self.coverage.totals.source_set_aside(reason, name),
                not_json => set_aside = not_json,
            }
            Ok(())
        });
        self.reader = reader;
        let coverage = &mut self.coverage.totals;
        coverage.bytes_read += reading.bytes;
        let failed = !reading.problems.is_empty() || malformed > 0;
        match set_aside {
            Some(reason) if !failed => coverage.source_set_aside(reason, source_name),
            _ => coverage.source_read(failed, records),
        }
        coverage.problems.extend(reading.problems.iter().map(Problem::from));
        if let Some(by_day) = self.purpose.by_day {
            self.accounts.take(&mut self.coverage);
            (by_day.source)(source, mem::take(&mut self.coverage));
        }
        (self.options.progress)(Progress::Source(source.size.unwrap_or(reading.bytes)));
    }

    /// Hands the ledger over if it outgrew its memory.
    fn spill_if_full(&mut self) {
        let Self { purpose, memory, journal, accounts, callers, .. } = self;
        self.is_stopped |= spill(purpose.by_day, *memory, journal, accounts, callers);
    }

    /// Folds the records of one body; adds to `problems` what is wrong in it.
    fn fold_body(
        &mut self,
        name: &str,
        input: &mut open::Body<'_>,
        problems: &mut SourceProblems,
    ) -> io::Result<Folded> {
        let mut body = Folded::default();
        let Self { options, purpose, memory, journal, accounts, callers, window, .. } = self;
        let Purpose { by_day, witness } = *purpose;
        let mut is_stopped = false;
        let coverage = &mut self.coverage.totals;
        let mut bytes = 0;
        let mut watched;
        let input = match input {
            open::Body::Whole(whole) => {
                bytes += whole.len() as u64;
                (options.progress)(Progress::Decompressed(bytes));
                Input::Whole(whole)
            }
            open::Body::Stream(stream) => {
                watched = Watched { input: *stream, options, bytes: &mut bytes };
                Input::Stream(&mut watched)
            }
        };
        let mut is_json = |prefix: &[u8]| {
            let prefix = prefix.get(..PREFIX).unwrap_or(prefix);
            body.not_json = text_kind(prefix);
            let is_json = matches!(prefix.trim_ascii_start().first(), Some(b'{' | b'['));
            body.may_hold_events = !is_json && names_event_fields(prefix);
            body.not_json.is_none()
        };
        let read = envelope::read(input, window, &mut is_json, &mut |record| {
            body.records += 1;
            let mut at = (0, &b""[..]);
            let verdict = match record {
                Record::Event { event, json, offset } => {
                    at = (offset, json);
                    access(event, &options.switches, |identity| {
                        callers.get(identity, || {
                            actor(identity, &options.switches, |actor| Caller {
                                actor: journal.actor(actor),
                                account: accounts.number(actor.account),
                            })
                        })
                    })
                }
                Record::Lookalike(lookalike) => Err(NoAccess::Skip(lookalike.into())),
                Record::Malformed(malformed) => {
                    at.0 = malformed.offset;
                    Err(NoAccess::Malformed(malformed.reason))
                }
            };
            match verdict {
                Ok((_, access)) if !options.period.contains(access.time) => {
                    coverage.set_aside(Skip::OutsidePeriod);
                }
                Ok((caller, access)) => {
                    accounts.count(caller.account, &access);
                    if let Some(witness) = witness {
                        let (source, whose) = (journal.source(), journal.whose(caller.actor));
                        let (offset, json) = at;
                        let access = &access;
                        witness(&Witnessed { source, body: name, offset, json, whose, access });
                    }
                    journal.add(caller.actor, &access);
                    is_stopped |= spill(by_day, *memory, journal, accounts, callers);
                }
                Err(NoAccess::Skip(skip)) => coverage.set_aside(skip),
                Err(NoAccess::Malformed(reason)) => {
                    body.malformed += 1;
                    coverage.malformed();
                    problems.push(name, Some(at.0), reason);
                }
            }
        });
        coverage.bytes_decompressed += bytes;
        self.is_stopped |= is_stopped;
        if read? == Content::Other {
            body.not_json.get_or_insert(SourceReason::NotJson);
        }
        Ok(body)
    }
}

/// Hands over a ledger that outgrew its memory, or drops it if nobody takes it; returns whether there
/// is no use in going on.
fn spill(
    by_day: Option<ByDay<'_>>,
    memory: usize,
    journal: &mut Journal,
    accounts: &mut AccountCounts,
    callers: &mut Callers<Result<Caller, NoAccess>>,
) -> bool {
    if journal.bytes() + accounts.bytes() <= memory {
        return false;
    }
    // Numbers of actors are those of the ledger that goes.
    *callers = Callers::default();
    let ledger = journal.take();
    if let Some(by_day) = by_day {
        return (by_day.spill)(ledger).is_break();
    }
    *accounts = AccountCounts::default();
    true
}

/// Returns whether a text speaks of the fields of events, as the header of a table of events does.
fn names_event_fields(prefix: &[u8]) -> bool {
    let letters: Vec<u8> = prefix
        .iter()
        .filter(|byte| byte.is_ascii_alphabetic())
        .map(u8::to_ascii_lowercase)
        .collect();
    ["eventsource", "eventname", "eventtime"]
        .iter()
        .all(|field| memchr::memmem::find(&letters, field.as_bytes()).is_some())
}

/// What one body came to.
#[derive(Default)]
struct Folded {
    records: u64,
    malformed: u64,
    /// Whether it speaks of the fields of events.
    may_hold_events: bool,
    /// Why it was not read as JSON, or that it holds none.
    not_json: Option<SourceReason>,
}

/// A stream that tells of its progress.
struct Watched<'a> {
    input: &'a mut dyn Read,
    options: &'a Options<'a>,
    bytes: &'a mut u64,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.input.read(buffer)?;
        *self.bytes += length as u64;
        (self.options.progress)(Progress::Decompressed(length as u64));
        Ok(length)
    }
}
