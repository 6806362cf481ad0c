//! One large file of JSON lines, folded by several workers at a time.
//!
//! A piece of the file is read on trial, as though it began between two records that stand in
//! nothing. That is settled by the piece before it: if it was read from such a place and everything
//! in it is JSON and closed, the next piece begins at such a place too. What a trial found wrongly is
//! dropped as a whole, and the file is read on one record after the other from the last place that is
//! settled, until a piece begins at a record again. So the result is that of reading the file from
//! its beginning to its end, whatever it holds.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::{mem, thread};

use super::{Progress, Worker};
use crate::coverage::{CoverageByDay, Problem, SourceProblems};
use crate::event::envelope::{Part, Stop};
use crate::ledger::Ledger;
use crate::source::{self, Parts, Source, SourceError, open};

/// The sources of a run, taken by its workers one after the other.
pub(super) struct Queue<'s> {
    sources: Vec<&'s Source>,
    next: AtomicUsize,
    /// The length of the pieces of large files.
    piece: u64,
    /// How many pieces are read before those in front of them are settled.
    ahead: u64,
    cuts: Mutex<Cuts<'s>>,
    changed: Condvar,
}

/// Large files that are read in pieces.
struct Cuts<'s> {
    open: Vec<Arc<Cut<'s>>>,
    /// How many large files may still turn out to be such.
    undecided: usize,
}

/// A file that is read in pieces.
struct Cut<'s> {
    source: &'s Source,
    name: String,
    parts: Parts,
    ahead: u64,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The piece that is read next.
    next: u64,
    /// The first piece that is not settled.
    settled: u64,
    /// The offset up to which all is folded, between two records that stand in nothing.
    position: u64,
    /// What trials of pieces came to that are not settled yet.
    trials: BTreeMap<u64, Trial>,
    /// Whether a worker is settling trials.
    is_settling: bool,
    is_done: bool,
    tally: Tally,
}

/// What is told of the file when it is done.
#[derive(Default)]
struct Tally {
    coverage: CoverageByDay,
    records: u64,
    malformed: u64,
    problems: SourceProblems,
    broken: Option<source::Problem>,
    is_at_end: bool,
}

/// What the trial of a piece came to.
enum Trial {
    /// No line begins in it.
    Empty,
    /// It is clean.
    Clean(Box<Piece>),
    /// It does not stand alone, or could not be read.
    Refused,
}

/// What a piece holds if it begins between two records that stand in nothing.
struct Piece {
    begin: u64,
    end: u64,
    ledger: Ledger,
    coverage: CoverageByDay,
    malformed: u64,
    problems: SourceProblems,
}

impl<'s> Queue<'s> {
    /// Makes one of these sources, to be read by so many workers.
    pub(super) fn new(sources: Vec<&'s Source>, threads: usize, piece: u64) -> Self {
        let undecided = sources.iter().filter(|source| Parts::may_be(source, piece)).count();
        Self {
            sources,
            next: AtomicUsize::new(0),
            piece,
            ahead: threads as u64 * 2,
            cuts: Mutex::new(Cuts { open: Vec::new(), undecided }),
            changed: Condvar::new(),
        }
    }

    /// Returns how many workers find something to do.
    pub(super) fn most_workers(&self) -> usize {
        if lock(&self.cuts).undecided > 0 { usize::MAX } else { self.sources.len().max(1) }
    }

    /// Folds sources until there are none left, then helps with the large ones.
    pub(super) fn work(&self, worker: &mut Worker<'_>) {
        while let Some(source) = self.sources.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            if !Parts::may_be(source, self.piece) {
                if !worker.is_stopped {
                    worker.fold_source(source);
                }
                continue;
            }
            let decision = Decision(self);
            if worker.is_stopped {
                continue;
            }
            let cut = worker.begin(source, self.piece, self.ahead).map(Arc::new);
            lock(&self.cuts).open.extend(cut.clone());
            drop(decision);
            match cut {
                Some(cut) => worker.help(&cut),
                None => worker.fold_source(source),
            }
        }
        while let Some(cut) = self.cut_with_work() {
            worker.help(&cut);
        }
    }

    /// Returns a file with pieces that nobody has read; waits for one that may turn out to be such.
    fn cut_with_work(&self) -> Option<Arc<Cut<'s>>> {
        let mut cuts = lock(&self.cuts);
        loop {
            cuts.open.retain(|cut| cut.has_work());
            if let Some(cut) = cuts.open.first() {
                return Some(Arc::clone(cut));
            }
            if cuts.undecided == 0 {
                return None;
            }
            cuts = self.changed.wait(cuts).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// While it lives, a large file may turn out to be read in pieces.
struct Decision<'q, 's>(&'q Queue<'s>);

impl Drop for Decision<'_, '_> {
    fn drop(&mut self) {
        lock(&self.0.cuts).undecided -= 1;
        self.0.changed.notify_all();
    }
}

impl Cut<'_> {
    fn has_work(&self) -> bool {
        let state = lock(&self.state);
        !state.is_done && state.next < self.parts.count()
    }
}

/// Frees those who wait for a worker that will never be done.
struct Rescue<'c, 's>(&'c Cut<'s>);

impl Drop for Rescue<'_, '_> {
    fn drop(&mut self) {
        if thread::panicking() {
            lock(&self.0.state).is_done = true;
            self.0.changed.notify_all();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Worker<'_> {
    /// Reads the first piece of a large file; none if the file is not one of JSON lines, or begins
    /// with something that does not stand alone. Nothing of it is folded then.
    fn begin<'s>(&mut self, source: &'s Source, piece: u64, ahead: u64) -> Option<Cut<'s>> {
        let parts = Parts::open(source, piece)?;
        let name = source.name();
        self.journal.begin(&name);
        let Trial::Clean(first) = self.try_piece(&name, &parts, 0) else { return None };
        let mut state = State { next: 1, ..State::default() };
        let first = state.accept(first);
        self.merge(first);
        let (state, changed) = (Mutex::new(state), Condvar::new());
        Some(Cut { source, name, parts, ahead, state, changed })
    }

    /// Reads pieces of a file as long as there are any, and settles what can be settled.
    fn help(&mut self, cut: &Cut<'_>) {
        let _rescue = Rescue(cut);
        self.journal.begin(&cut.name);
        let count = cut.parts.count();
        let mut state = lock(&cut.state);
        while !state.is_done && state.next < count {
            if state.next >= state.settled + cut.ahead {
                state = cut.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let index = state.next;
            state.next += 1;
            drop(state);
            let trial = self.try_piece(&cut.name, &cut.parts, index);
            state = lock(&cut.state);
            if index >= state.settled {
                state.trials.insert(index, trial);
            }
            drop(state);
            self.settle(cut);
            state = lock(&cut.state);
        }
    }

    /// Folds a piece into a ledger and a coverage of its own.
    fn try_piece(&mut self, name: &str, parts: &Parts, index: u64) -> Trial {
        let (begin, end) = match parts.piece(index) {
            Ok(Some((begin, end))) if begin == end => return Trial::Empty,
            Ok(Some(piece)) => piece,
            // Reading on from what is settled says what is wrong.
            Ok(None) | Err(_) => return Trial::Refused,
        };
        let mut alone = Worker {
            window: mem::take(&mut self.window),
            // What may be dropped is not to be spilled, and a piece is small.
            memory: usize::MAX,
            ..Worker::new(self.options, self.purpose)
        };
        alone.journal.begin(name);
        if begin > 0 {
            alone.window.expect(Part { offset: begin, until: u64::MAX });
        }
        let mut problems = SourceProblems::default();
        let mut bytes = parts.from(begin).take(end - begin);
        let mut body = open::Body::Stream(&mut bytes);
        let folded = alone.fold_body(name, &mut body, &mut problems);
        self.window = mem::take(&mut alone.window);
        let Some((ledger, mut coverage)) = alone.into_parts() else { return Trial::Refused };
        match folded {
            Ok(folded) if self.window.stop() == (Stop { at: end, is_clean: true }) => {
                // Counted when the file is done.
                coverage.totals.bytes_decompressed = 0;
                let malformed = folded.malformed;
                let piece = Piece { begin, end, ledger, coverage, malformed, problems };
                Trial::Clean(Box::new(piece))
            }
            _ => Trial::Refused,
        }
    }

    /// Settles trials, in the order of the pieces, as far as there are any.
    fn settle(&mut self, cut: &Cut<'_>) {
        let mut accepted = Vec::new();
        let mut state = lock(&cut.state);
        if state.is_settling || state.is_done {
            return;
        }
        state.is_settling = true;
        loop {
            let settled = state.settled;
            let is_last = settled >= cut.parts.count();
            match state.trials.remove(&settled) {
                _ if is_last && state.tally.is_at_end => {
                    self.finish(cut, &mut state);
                    break;
                }
                Some(Trial::Empty) => state.settled += 1,
                // A piece begins elsewhere if somebody wrote to the file meanwhile.
                Some(Trial::Clean(piece)) if piece.begin == state.position => {
                    accepted.push(state.accept(piece));
                }
                None if !is_last => break,
                // Behind the last piece there is nothing, unless the file grew.
                _ => {
                    let (position, mut tally) = (state.position, mem::take(&mut state.tally));
                    drop(state);
                    // Others have read ahead when this is done, so there may be no end of pieces.
                    for piece in accepted.drain(..) {
                        self.merge(piece);
                    }
                    let until = if is_last { u64::MAX } else { cut.parts.nominal_end(settled) };
                    let (next, position) = self.read_on(cut, position, until, &mut tally);
                    state = lock(&cut.state);
                    state.tally = tally;
                    state.move_on(next, position);
                }
            }
            cut.changed.notify_all();
        }
        state.is_settling = false;
        drop(state);
        cut.changed.notify_all();
        for piece in accepted {
            self.merge(piece);
        }
    }

    /// Folds one record after the other from `position`, up to a record at or behind `until` at
    /// which a piece begins, or the end. Returns the piece and the offset at which it begins.
    fn read_on(
        &mut self,
        cut: &Cut<'_>,
        position: u64,
        until: u64,
        tally: &mut Tally,
    ) -> (u64, u64) {
        self.accounts.take(&mut self.coverage);
        let others = mem::take(&mut self.coverage);
        let place = self.read_records(cut, position, until, tally);
        self.accounts.take(&mut self.coverage);
        // Counted when the file is done.
        self.coverage.totals.bytes_decompressed = 0;
        tally.coverage.merge(mem::replace(&mut self.coverage, others));
        place
    }

    fn read_records(
        &mut self,
        cut: &Cut<'_>,
        position: u64,
        mut until: u64,
        tally: &mut Tally,
    ) -> (u64, u64) {
        let mut at = position;
        loop {
            let mut rest = cut.parts.from(at);
            self.window.expect(Part { offset: at, until });
            let mut body = open::Body::Stream(&mut rest);
            let folded = self.fold_body(&cut.name, &mut body, &mut tally.problems);
            match folded {
                Ok(folded) => {
                    tally.records += folded.records;
                    tally.malformed += folded.malformed;
                }
                Err(error) => {
                    let error = SourceError::Reading { error, after: rest.at() };
                    tally.broken = Some(source::Problem { source: cut.name.clone(), error });
                    tally.is_at_end = true;
                    return (cut.parts.count(), rest.at());
                }
            }
            at = self.window.stop().at;
            if at < until {
                tally.is_at_end = true;
                return (cut.parts.count(), at);
            }
            if let Ok(Some(piece)) = cut.parts.piece_at(at) {
                return piece;
            }
            until = cut.parts.next_nominal(at);
        }
    }

    /// Counts a file that is done.
    fn finish(&mut self, cut: &Cut<'_>, state: &mut State) {
        let Tally { coverage, records, malformed, problems, broken, .. } =
            mem::take(&mut state.tally);
        state.is_done = true;
        let mut all = coverage;
        let coverage = &mut all.totals;
        coverage.bytes_read = state.position;
        coverage.bytes_decompressed = state.position;
        let changed = cut.parts.compare(state.position).err();
        let changed = changed.map(|error| source::Problem { source: cut.name.clone(), error });
        coverage.source_read(broken.is_some() || changed.is_some() || malformed > 0, records);
        coverage.problems.extend(problems.finish());
        coverage.problems.extend(broken.iter().chain(&changed).map(Problem::from));
        match self.purpose.by_day {
            Some(by_day) => (by_day.source)(cut.source, all),
            None => self.coverage.merge(all),
        }
        (self.options.progress)(Progress::Source(cut.source.size.unwrap_or(state.position)));
    }

    fn merge(&mut self, piece: Ledger) {
        self.journal.merge(piece);
        self.spill_if_full();
    }
}

impl State {
    /// Takes in a piece that begins where all before it is settled.
    fn accept(&mut self, piece: Box<Piece>) -> Ledger {
        let Piece { end, ledger, coverage, malformed, problems, .. } = *piece;
        self.settled += 1;
        self.position = end;
        self.tally.records += coverage.totals.records.total();
        self.tally.coverage.merge(coverage);
        self.tally.malformed += malformed;
        self.tally.problems.append(problems);
        ledger
    }

    /// Goes on with a piece that begins at `position`; those before it are settled.
    fn move_on(&mut self, piece: u64, position: u64) {
        self.settled = piece;
        self.position = position;
        self.trials = self.trials.split_off(&piece);
        self.next = self.next.max(piece);
    }
}

#[cfg(test)]
mod tests;
