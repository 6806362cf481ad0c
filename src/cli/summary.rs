//! What was read and what was not, in a few lines for people, on standard error.

use super::complain;
use crate::catalog::ServiceIndex;
use crate::organization::PolicyScope;
use crate::printable::{grouped, printable};
use crate::report::coverage::Basis;
use crate::time::{Period, Time};

/// How many names a line lists before it counts the rest.
const NAMES: usize = 5;

/// How many problems are printed before the rest is counted.
const PROBLEMS: usize = 20;

/// The closing summary of a run.
pub(super) struct Summary<'a> {
    /// What it tells of.
    pub(super) basis: Basis<'a>,
    /// Services listed because their policies could not be decided.
    pub(super) undecided: &'a [ServiceIndex],
    /// When the run began.
    pub(super) now: Time,
    /// Whether nothing is shortened.
    pub(super) verbose: bool,
}

impl Summary<'_> {
    /// Prints it; only what could not be read when it is to be `quiet`.
    pub(super) fn print(&self, quiet: bool) {
        let mut lines = Vec::new();
        if !quiet {
            lines = self.reading();
            lines.extend(self.warnings().into_iter().map(|warning| format!("warning: {warning}")));
        }
        lines.extend(self.problems());
        for line in lines {
            complain(&line);
        }
    }

    /// Sources, bytes, records, events, accounts.
    fn reading(&self) -> Vec<String> {
        let coverage = self.basis.coverage;
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
        lines.push(format!(
            "accounts  {} active, {} of them outside the organization",
            grouped(coverage.accounts.len() as u64),
            grouped(self.basis.activity.outside.len() as u64),
        ));
        lines
    }

    /// What makes the report say something else than AWS would, or than the reader may think.
    fn warnings(&self) -> Vec<String> {
        let Basis { coverage, activity, organization, catalog } = self.basis;
        let mut warnings = Vec::new();
        let no_policy = match organization.scope() {
            PolicyScope::Applied => None,
            PolicyScope::NotEnabled => {
                Some("service control policies are not enabled in the organization's root")
            }
            PolicyScope::NotInSnapshot => Some("the organization snapshot has no policies"),
            PolicyScope::NoOrganization => {
                Some("no --organization given: the accounts seen stand under a made-up root")
            }
        };
        let has_snapshot = organization.scope() != PolicyScope::NoOrganization;
        if has_snapshot && organization.management_account().is_none() {
            warnings.push(
                "the organization snapshot does not tell the management account: its accesses \
                 count like any other account's"
                    .to_owned(),
            );
        }
        if let Some(last) = coverage.last_event().filter(|last| *last > self.now) {
            warnings.push(format!("the newest access, of {last}, lies in the future"));
        }
        if let Some(reason) = no_policy {
            warnings.push(format!("{reason}; no policy was applied, every service is listed"));
        }
        if !activity.outside.is_empty() {
            let names = self.names(activity.outside.keys().copied());
            warnings.push(format!("accounts outside the organization, in no report: {names}"));
        }
        if !activity.unmapped.is_empty() {
            let names = self.names(activity.unmapped.keys().copied());
            warnings.push(format!("event sources of no listed service, in no report: {names}"));
        }
        let without: Vec<&str> = coverage
            .accounts
            .iter()
            .filter(|(_, account)| !account.data_events)
            .map(|(id, _)| id.as_str())
            .collect();
        if !without.is_empty() {
            let names = self.names(without.into_iter());
            warnings.push(format!(
                "no data events of these accounts, so s3, dynamodb, lambda, sqs, … look less used \
                 than they are: {names}"
            ));
        }
        if !organization.other_policies().is_empty() {
            let names = self.names(organization.other_policies().iter().map(|it| it.id.as_str()));
            warnings.push(format!(
                "policies that are no service control policies, not applied: {names}"
            ));
        }
        if !self.undecided.is_empty() {
            let services = self.undecided.iter().map(|it| catalog.service(*it).namespace.as_str());
            let names = self.names(services);
            warnings.push(format!("policies too entangled to decide, listed as allowed: {names}"));
        }
        warnings
    }

    fn problems(&self) -> Vec<String> {
        let problems = &self.basis.coverage.problems;
        let shown = if self.verbose { problems.len() } else { PROBLEMS };
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

    /// Lists the first few names and counts the rest.
    fn names<'n>(&self, names: impl Iterator<Item = &'n str>) -> String {
        let names: Vec<&str> = names.collect();
        let shown = if self.verbose { names.len() } else { NAMES };
        let mut line: Vec<String> = names.iter().take(shown).map(|name| printable(name)).collect();
        if names.len() > shown {
            line.push(format!("and {} more", names.len() - shown));
        }
        line.join(", ")
    }
}
