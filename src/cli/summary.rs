//! What was read and what was not, in a few lines for people, on standard error.

use std::collections::BTreeMap;

use super::args::VerbosityArgs;
use super::{Exit, complain};
use crate::coverage::{Coverage, Missing};
use crate::printable::{grouped, printable};
use crate::time::{Period, Time};

/// How many names a line lists before it counts the rest.
const NAMES: usize = 5;

/// How many problems are printed before the rest is counted.
const PROBLEMS: usize = 20;

/// The closing summary of a run.
pub(super) struct Summary<'a> {
    /// What was read.
    pub(super) coverage: &'a Coverage,
    /// What came from rollups.
    pub(super) origins: Vec<String>,
    /// How many acting accounts are outside.
    pub(super) outside: usize,
    /// Outside of what.
    pub(super) of: &'static str,
    /// What else than logs could not be read, and the reports need.
    pub(super) problems: Vec<String>,
    /// What makes the report say something else than AWS would, or than the reader may think.
    pub(super) warnings: Vec<String>,
    /// Whether nothing is shortened.
    pub(super) verbose: bool,
}

impl Summary<'_> {
    /// Prints it; only what could not be read when it is to be `quiet`.
    pub(super) fn print(&self, quiet: bool) {
        let mut lines = Vec::new();
        if !quiet {
            lines.clone_from(&self.origins);
            lines.extend(reading(self.coverage));
            lines.push(format!(
                "accounts  {} active, {} of them outside the {}",
                grouped(self.coverage.accounts.len() as u64),
                grouped(self.outside as u64),
                self.of,
            ));
            lines.extend(self.warnings.iter().map(|warning| format!("warning: {warning}")));
        }
        lines.extend(self.problems());
        for line in lines {
            complain(&line);
        }
    }

    fn problems(&self) -> Vec<String> {
        let of_reading = self.coverage.problems.iter().map(ToString::to_string);
        problems(self.problems.iter().cloned().chain(of_reading), self.verbose)
    }
}

/// Prints lines and what was read, for a run that has no [`Summary`]; returns how it ended.
pub(super) fn tell(lines: &[String], coverage: &Coverage, verbosity: &VerbosityArgs) -> Exit {
    if !verbosity.quiet {
        lines.iter().for_each(|line| complain(line));
        reading(coverage).iter().for_each(|line| complain(line));
    }
    let found = coverage.problems.iter().map(ToString::to_string);
    problems(found, verbosity.verbose).iter().for_each(|line| complain(line));
    if coverage.is_complete() { Exit::Complete } else { Exit::Incomplete }
}

/// Returns lines on sources, bytes, records and events.
fn reading(coverage: &Coverage) -> Vec<String> {
    let sources = &coverage.sources;
    let aside: u64 = sources.set_aside.values().map(|it| it.count).sum();
    let mut lines = vec![format!(
        "sources   {} read, {} empty, {} failed, {} set aside; {} bytes, {} decompressed",
        grouped(sources.read),
        grouped(sources.empty),
        grouped(sources.failed),
        grouped(aside),
        grouped(coverage.bytes_read),
        grouped(coverage.bytes_decompressed),
    )];
    for (reason, set_aside) in &sources.set_aside {
        lines.push(format!(
            "  {} {reason}, the first: {}",
            grouped(set_aside.count),
            set_aside.first
        ));
    }
    let records = &coverage.records;
    let aside: u64 = records.set_aside.values().sum();
    lines.push(format!(
        "records   {} = {} counted + {} set aside + {} malformed",
        grouped(records.total()),
        grouped(records.counted),
        grouped(aside),
        grouped(records.malformed),
    ));
    for (reason, count) in &records.set_aside {
        lines.push(format!("  {} {reason}", grouped(*count)));
    }
    let Period { since, until } = coverage.period;
    if !coverage.period.is_everything() {
        let since = since.map_or_else(|| "everything".to_owned(), |it| format!("after {it}"));
        let until = until.map_or_else(String::new, |it| format!(" up to {it}"));
        lines.push(format!("period    {since}{until}"));
    }
    if let (Some(first), Some(last)) = (coverage.first_event(), coverage.last_event()) {
        lines.push(format!("events    {first} to {last}"));
    }
    if let Some(proven) = &coverage.proven {
        let accounts = coverage.accounts.keys().map(String::as_str);
        let spans = proven.of_all(accounts, coverage.period);
        lines.extend(spans.iter().map(|(from, to)| {
            format!(
                "proven    {from} to {to}: an account with events that did not use a service then did not"
            )
        }));
        if spans.is_empty() {
            lines.push("proven    no time of all accounts: not used means not seen".to_owned());
        }
    }
    lines
}

/// Returns the lines of problems; no more than a few if they are not to be verbose.
pub(super) fn problems(problems: impl Iterator<Item = String>, verbose: bool) -> Vec<String> {
    let problems: Vec<String> = problems.collect();
    let shown = if verbose { problems.len() } else { PROBLEMS };
    let mut lines: Vec<String> =
        problems.iter().take(shown).map(|problem| format!("problem: {problem}")).collect();
    if problems.len() > shown {
        lines.push(format!(
            "problem: and {} more: -v prints all, --coverage FILE keeps them",
            problems.len() - shown
        ));
    }
    lines
}

/// Lists of names in a line.
#[derive(Clone, Copy)]
pub(super) struct Names {
    /// Whether no list is shortened.
    pub(super) verbose: bool,
}

impl Names {
    /// Lists the first few names and counts the rest.
    pub(super) fn list<'n>(self, names: impl IntoIterator<Item = &'n str>) -> String {
        let names: Vec<&str> = names.into_iter().collect();
        let shown = if self.verbose { names.len() } else { NAMES };
        let mut line: Vec<String> = names.iter().take(shown).map(|name| printable(name)).collect();
        if names.len() > shown {
            line.push(format!("and {} more", names.len() - shown));
        }
        line.join(", ")
    }

    /// Warns of event sources of no listed service (A23).
    pub(super) fn warn_of_unmapped(self, unmapped: &BTreeMap<&str, Time>) -> Option<String> {
        let names = self.list(unmapped.keys().copied());
        let warning = format!("event sources of no listed service, in no report: {names}");
        (!unmapped.is_empty()).then_some(warning)
    }

    /// Warns of accounts without data events (P3), among those whose accesses are in reports.
    pub(super) fn warn_of_no_data_events(
        self,
        coverage: &Coverage,
        outside: &BTreeMap<&str, Time>,
    ) -> Option<String> {
        let without = coverage.accounts.iter().filter(|(_, account)| !account.data_events);
        let without = without.map(|(id, _)| id.as_str()).filter(|id| !outside.contains_key(id));
        let without: Vec<&str> = without.collect();
        let names = self.list(without.iter().copied());
        let warning = format!(
            "no data events of these accounts, so s3, dynamodb, lambda, sqs, … look less used than \
             they are: {names}"
        );
        (!without.is_empty()).then_some(warning)
    }

    /// Warns of what was probably delivered and is not there.
    pub(super) fn warn_of_missing(self, missing: &Missing) -> Vec<String> {
        let Missing { hours, log_files, digests_unreadable, .. } = missing;
        let mut warnings = Vec::new();
        if !hours.is_empty() {
            let stretches: Vec<String> = hours
                .iter()
                .map(|it| format!("{} {} {} to {}", it.account_id, it.region, it.from, it.to))
                .collect();
            let names = self.list(stretches.iter().map(String::as_str));
            warnings.push(format!(
                "hours without a log file, where the days and weeks around have some: {names}"
            ));
        }
        if !log_files.is_empty() {
            let names = self.list(log_files.iter().map(String::as_str));
            warnings.push(format!(
                "log files that digests list and that were not found, {} in all: {names}",
                grouped(log_files.len() as u64)
            ));
        }
        if *digests_unreadable > 0 {
            warnings.push(format!(
                "files in the place of digests that cannot be read, so that nobody knows which log \
                 files they list: {}",
                grouped(*digests_unreadable)
            ));
        }
        warnings
    }

    /// Warns of services listed because their policies could not be decided (S2).
    pub(super) fn warn_of_undecided(self, namespaces: &[&str]) -> Option<String> {
        let names = self.list(namespaces.iter().copied());
        let warning = format!("policies too entangled to decide, listed as allowed: {names}");
        (!namespaces.is_empty()).then_some(warning)
    }
}

/// Warns of an access that lies in the future of `now`.
pub(super) fn warn_of_future(coverage: &Coverage, now: Time) -> Option<String> {
    let last = coverage.last_event().filter(|last| *last > now)?;
    Some(format!("the newest access, of {last}, lies in the future"))
}
