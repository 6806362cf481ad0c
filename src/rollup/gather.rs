//! What a fold by day hands over, from several threads: ledgers that outgrew their memory, and what
//! each source came to. Both are put away in files as they grow.

use std::collections::HashMap;
use std::io::Write;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::RollupError;
use super::files::Written;
use super::lane::{Lane, LedgerLane, SourcesLane};
use super::row::{Outcome, OwnSource};
use super::spill::{Spills, spill};
use super::write::{Writer, to_stream};
use crate::access::Switches;
use crate::coverage::{Coverage, CoverageByDay, Problem};
use crate::ledger::Ledger;
use crate::source::{Found, SetAside, Source};
use crate::time::Time;

/// Bytes of rows of sources, about, that are kept in memory.
const MEMORY: usize = 32 << 20;

/// What was folded and is not written yet.
pub struct Gathering {
    attribution: String,
    /// When the run began.
    now: Time,
    /// What failed before as it would be recorded again.
    known: HashMap<String, String>,
    state: Mutex<State>,
}

struct State {
    spills: Spills,
    sources: Vec<OwnSource>,
    /// Bytes of the rows of sources.
    bytes: usize,
    coverage: Coverage,
    error: Option<RollupError>,
}

impl Gathering {
    /// Makes one for what is read `now` under an attribution; files go to the folder.
    pub fn new(folder: &Path, switches: &Switches, now: Time) -> Self {
        let attribution = serde_json::to_string(switches).expect("a struct of words makes JSON");
        let coverage = Coverage { switches: *switches, ..Coverage::default() };
        let state = State {
            spills: Spills::new(folder),
            sources: Vec::new(),
            bytes: 0,
            coverage,
            error: None,
        };
        Self { attribution, now, known: HashMap::new(), state: Mutex::new(state) }
    }

    /// Returns the same, which does not record again what failed before and fails in the same way.
    #[must_use]
    pub fn knowing(self, known: HashMap<String, String>) -> Self {
        Self { known, ..self }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a ledger away; says whether there is any use in going on.
    pub fn spill(&self, ledger: &Ledger) -> ControlFlow<()> {
        let path = self.state().spills.next();
        let spilled = spill(&path, vec![Box::new(LedgerLane::new(ledger))]);
        let mut state = self.state();
        state.spills.push(path);
        match spilled {
            Ok(()) if state.error.is_none() => ControlFlow::Continue(()),
            Ok(()) => ControlFlow::Break(()),
            Err(error) => {
                state.error.get_or_insert(error);
                ControlFlow::Break(())
            }
        }
    }

    /// Takes in what a source came to.
    pub fn source(&self, source: &Source, coverage: &CoverageByDay) {
        let row = OwnSource::new(source, coverage, self.now);
        let mut state = self.state();
        coverage.add_to(&mut state.coverage, |_| true);
        self.push(state, row);
    }

    /// Takes in what was found beside the sources.
    pub fn beside(&self, found: &Found) {
        for set_aside in &found.set_aside {
            self.set_aside(set_aside);
        }
        for problem in &found.problems {
            self.failed(problem.into());
        }
    }

    /// Takes in what is known to hold no events without being read.
    fn set_aside(&self, set_aside: &SetAside) {
        let name = set_aside.path.name();
        let mut coverage = Coverage::default();
        coverage.source_set_aside(set_aside.reason, &name);
        let row = OwnSource::beside(name, Outcome::SetAside, &coverage, self.now);
        let mut state = self.state();
        state.coverage.merge(coverage);
        self.push(state, row);
    }

    /// Takes in what could not be looked into.
    fn failed(&self, problem: Problem) {
        let name = problem.source.clone();
        let mut coverage = Coverage::default();
        coverage.source_read(true, 0);
        coverage.problems.insert(problem);
        let row = OwnSource::beside(name, Outcome::Failed, &coverage, self.now);
        let mut state = self.state();
        state.coverage.merge(coverage);
        self.push(state, row);
    }

    /// Takes in that there is nothing left to read of what failed before.
    pub fn settled(&self, name: String) {
        let row = OwnSource::beside(name, Outcome::Settled, &Coverage::default(), self.now);
        self.push(self.state(), row);
    }

    fn push(&self, mut state: MutexGuard<'_, State>, row: OwnSource) {
        if row.is_known(&self.known) {
            return;
        }
        state.bytes += row.bytes();
        state.sources.push(row);
        if state.bytes > MEMORY && state.error.is_none() {
            state.bytes = 0;
            let rows = std::mem::take(&mut state.sources);
            let path = state.spills.next();
            let lane = SourcesLane::new(rows, self.attribution.clone());
            match spill(&path, vec![Box::new(lane)]) {
                Ok(()) => state.spills.push(path),
                Err(error) => state.error = Some(error),
            }
        }
    }

    /// Returns whether nothing was taken in.
    pub fn is_empty(&self) -> bool {
        let state = self.state();
        state.sources.is_empty() && state.spills.is_empty()
    }

    /// Returns what all sources came to.
    pub fn coverage(&self) -> Coverage {
        self.state().coverage.clone()
    }

    /// Adds everything to a rollup as one run, with the ledgers that are left; days are written by
    /// several threads if all of them are in memory.
    ///
    /// # Errors
    /// Something could not be put away, read or written; the rollup is as it was.
    pub fn add_to(
        self,
        writer: &Writer,
        ledgers: &[Ledger],
        threads: NonZeroUsize,
    ) -> Result<Written, RollupError> {
        if self.state().spills.is_empty() {
            let sources = self.lanes(&[])?;
            writer.add_days(ledgers, sources, threads)
        } else {
            writer.add(self.lanes(ledgers)?)
        }
    }

    /// Writes everything as one partial stream, with the ledgers that are left.
    ///
    /// # Errors
    /// Something could not be put away, read or written.
    pub fn write_to(self, out: impl Write, ledgers: &[Ledger]) -> Result<Written, RollupError> {
        to_stream(self.lanes(ledgers)?, out)
    }

    fn lanes(self, ledgers: &[Ledger]) -> Result<Vec<Box<dyn Lane + '_>>, RollupError> {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = state.error {
            return Err(error);
        }
        let mut lanes: Vec<Box<dyn Lane + '_>> = Vec::new();
        for ledger in ledgers {
            lanes.push(Box::new(LedgerLane::new(ledger)));
        }
        lanes.push(Box::new(SourcesLane::new(state.sources, self.attribution)));
        state.spills.append(lanes)
    }
}
