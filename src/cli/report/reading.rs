//! Reads the logs that a report is made from.

use std::num::NonZeroUsize;

use anyhow::bail;
use clap::ValueEnum as _;

use super::super::args::{InputArgs, Kind};
use super::super::period::Asked;
use super::super::progress::Display;
use crate::access::{Choice, Skip, Switches};
use crate::coverage::Coverage;
use crate::ingest::{self, Options};
use crate::ledger::Ledger;
use crate::source::Found;
use crate::time::Period;

/// Returns how many threads search and read.
pub(super) fn threads(args: &InputArgs) -> NonZeroUsize {
    let available = || std::thread::available_parallelism().ok();
    args.threads.or_else(available).unwrap_or(NonZeroUsize::MIN)
}

/// Reads everything that was found.
pub(super) fn read(
    args: &InputArgs,
    found: &Found,
    asked: Asked,
    quiet: bool,
) -> anyhow::Result<(Ledger, Coverage)> {
    let display = Display::new(&found.sources, quiet);
    let threads = threads(args);
    let switches = switches(args)?;
    let fold = |period| {
        ingest::fold(
            found,
            &Options { period, switches, threads, progress: &|step| display.step(step) },
        )
    };
    let folded = match asked {
        Asked::Fixed(period) => fold(period)?,
        Asked::UpToNewest(length) => {
            let all = fold(Period::default())?;
            match all.1.last_event() {
                Some(newest) => up_to_newest(all, Period::ending(newest, length), found, fold)?,
                None => all,
            }
        }
    };
    display.finish();
    if folded.1.records.counted == 0 && !args.allow_empty {
        refuse_empty(found, &folded.1)?;
    }
    Ok(folded)
}

/// Folds again, with the period that only the newest event told, unless it takes in everything.
fn up_to_newest(
    all: (Ledger, Coverage),
    period: Period,
    found: &Found,
    fold: impl Fn(Period) -> Result<(Ledger, Coverage), ingest::IngestError>,
) -> anyhow::Result<(Ledger, Coverage)> {
    let (ledger, mut coverage) = all;
    if coverage.first_event().is_none_or(|first| period.contains(first)) {
        coverage.period = period;
        return Ok((ledger, coverage));
    }
    // A pipe that was read to its end looks empty, or keeps its reader waiting.
    if let Some(pipe) = found.sources.iter().find(|source| source.size.is_none()) {
        bail!(
            "--tracking-period: {} cannot be read a second time, for the period up to the newest \
             event: give --until too, or the logs as files",
            pipe.name()
        );
    }
    Ok(fold(period)?)
}

/// An empty report reads as "revoke everything" (V2).
fn refuse_empty(found: &Found, coverage: &Coverage) -> anyhow::Result<()> {
    let mut because = Vec::new();
    let records = &coverage.records;
    if records.total() > 0 {
        let mut reasons: Vec<_> = records.set_aside.iter().collect();
        reasons.sort_by_key(|(reason, count)| (std::cmp::Reverse(**count), **reason));
        let mut reasons: Vec<String> =
            reasons.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
        if records.malformed > 0 {
            reasons.push(format!("{} malformed", records.malformed));
        }
        because.push(format!("no record of {} counts: {}", records.total(), reasons.join(", ")));
        let Period { since, until } = coverage.period;
        if records.set_aside.contains_key(&Skip::OutsidePeriod) {
            let since = since.map(|since| format!(" after {since}"));
            let until = until.map(|until| format!(" up to {until}"));
            let bounds = [since, until].into_iter().flatten().collect::<String>();
            because.push(format!("the period is{bounds}"));
        }
    } else if coverage.problems.is_empty() {
        let set_aside = &coverage.sources.set_aside;
        match (coverage.sources.empty, found.sources.as_slice()) {
            (0, _) if set_aside.is_empty() => because.push("there is no file to read".to_owned()),
            (0, _) => {}
            (1, [source]) => because.push(format!("{} holds no record", source.name())),
            (1, _) => because.push("1 file holds no record".to_owned()),
            (files, _) => because.push(format!("{files} files hold no record")),
        }
        because.extend(set_aside.iter().map(|(reason, it)| {
            format!("{} set aside as {reason}, the first: {}", it.count, it.first)
        }));
    }
    let mut problems = coverage.problems.iter();
    match (problems.next(), problems.len()) {
        (Some(problem), 0) => because.push(problem.to_string()),
        (Some(first), more) => because.push(format!("{} problems, the first: {first}", more + 1)),
        // What could not be read has to be seen to first.
        (None, _) => {
            let because = because.join("; ");
            bail!("no access was read: {because} (--allow-empty writes an empty report)");
        }
    }
    bail!("no access was read: {}", because.join("; "))
}

fn switches(args: &InputArgs) -> anyhow::Result<Switches> {
    if let Some(kind) = args.count.iter().find(|kind| args.set_aside.contains(kind)) {
        let name = kind.to_possible_value().map(|value| value.get_name().to_owned());
        bail!("--count and --set-aside: `{}` is named by both", name.unwrap_or_default());
    }
    let mut switches = Switches::default();
    let chosen = args.count.iter().map(|kind| (*kind, Choice::Count));
    for (kind, choice) in chosen.chain(args.set_aside.iter().map(|it| (*it, Choice::SetAside))) {
        *match kind {
            Kind::RootServiceCalls => &mut switches.root_service_calls,
            Kind::ForwardAccess => &mut switches.forward_access,
            Kind::ServiceLinkedRoles => &mut switches.service_linked_roles,
            Kind::ConsoleActions => &mut switches.console_actions,
            Kind::ConsoleSignIns => &mut switches.console_sign_ins,
        } = choice;
    }
    Ok(switches)
}
