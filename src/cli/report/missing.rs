//! What was probably delivered and is not among what was found.

use std::num::NonZeroUsize;

use crate::coverage::{Coverage, LogFileHours, Missing, Problem};
use crate::rollup;
use crate::source::Found;
use crate::source::key::file_name;
use crate::verify::ListedLogFiles;

/// What names and digests tell of the log files that were delivered.
pub(super) struct Delivered {
    hours: LogFileHours,
    listed: ListedLogFiles,
}

impl Delivered {
    /// Looks at everything that was found, and at what rollups have folded.
    pub(super) fn of(found: &Found, threads: NonZeroUsize) -> anyhow::Result<Self> {
        let listed = ListedLogFiles::read(found, threads)?;
        let mut delivered = Self { hours: LogFileHours::default(), listed };
        let sources = found.sources.iter().filter_map(|source| source.file_name());
        let set_aside = found.set_aside.iter().filter_map(|it| it.path.file_name());
        // Those that could not be looked at are named as problems.
        let problems = found.problems.iter().map(|it| file_name(&it.source));
        sources.chain(set_aside).chain(problems).for_each(|name| delivered.add(name));
        if !found.rollups.is_empty() {
            rollup::each_source(&found.rollups, &mut |name| delivered.add(file_name(name)))?;
        }
        Ok(delivered)
    }

    fn add(&mut self, file_name: &str) {
        self.hours.add(file_name);
        self.listed.found(file_name);
    }

    /// Adds to a coverage what of its period is missing, and what could not be read to tell.
    pub(super) fn add_to(self, coverage: &mut Coverage) {
        let Self { hours, mut listed } = self;
        coverage.problems.extend(listed.problems.drain(..).map(|it| Problem::from(&it)));
        coverage.missing = Missing {
            hours: hours.missing(coverage.period),
            digests_unreadable: listed.digests_unreadable,
            log_files: listed.not_found(coverage.period),
        };
    }
}
