//! Reads the logs and rollups that a report is made from.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::bail;

use super::super::args::{InputArgs, VerbosityArgs};
use super::super::attribution::switches;
use super::super::complain;
use super::super::inputs::{Given, memory, threads};
use super::super::period::Asked;
use super::super::progress::Display;
use super::super::summary::Names;
use super::missing::Delivered;
use crate::access::{Skip, Switches};
use crate::coverage::Coverage;
use crate::ingest::{self, Options, Witness};
use crate::ledger::Ledger;
use crate::printable::grouped;
use crate::rollup::{self, Answer, Attempts, Rollup};
use crate::source::Found;
use crate::time::{Day, Period};

/// What was read.
pub(in crate::cli) struct Read {
    pub(in crate::cli) ledger: Ledger,
    pub(in crate::cli) coverage: Coverage,
    /// What came from rollups, for people.
    pub(in crate::cli) origins: Vec<String>,
}

/// Reads everything that was found, rollups and logs; of the accesses, `attempts` of those that
/// rollups hold.
pub(in crate::cli) fn read(
    args: &InputArgs,
    Given { found, proven }: Given,
    asked: Asked,
    attempts: Attempts,
    verbosity: &VerbosityArgs,
) -> anyhow::Result<Read> {
    let is_rolled = !found.rollups.is_empty();
    let delivered = Delivered::of(&found, threads(args.threads))?;
    let mut read = if is_rolled {
        read_rollups(args, found, asked, attempts, verbosity)?
    } else {
        let switches = switches(&args.attribution)?;
        let fold = |period| fold(args, &found, period, switches, None, verbosity);
        let (ledger, coverage) = match asked {
            Asked::Fixed(period) => fold(period)?,
            Asked::UpToNewest(length) => {
                let all = fold(Period::default())?;
                match all.1.last_event() {
                    Some(newest) => {
                        up_to_newest(all, Period::ending(newest, length), &found, fold)?
                    }
                    None => all,
                }
            }
        };
        if coverage.records.counted == 0 && !args.allow_empty {
            refuse_empty(&found, &coverage)?;
        }
        Read { ledger, coverage, origins: Vec::new() }
    };
    // What a source told before it changed is in the parts, and in no count.
    if is_rolled && read.ledger.is_empty() && !args.allow_empty {
        refuse_empty(&Found::default(), &read.coverage)?;
    }
    delivered.add_to(&mut read.coverage);
    read.coverage.proven = proven;
    Ok(read)
}

/// Reads logs alone, and shows `witness` every access of the period.
pub(in crate::cli) fn read_witnessed(
    args: &InputArgs,
    Given { found, proven }: Given,
    asked: Asked,
    witness: &Witness<'_>,
    verbosity: &VerbosityArgs,
) -> anyhow::Result<Coverage> {
    let switches = switches(&args.attribution)?;
    let delivered = Delivered::of(&found, threads(args.threads))?;
    let period = match asked {
        Asked::Fixed(period) => period,
        Asked::UpToNewest(length) => {
            refuse_pipes(&found)?;
            let (_, all) = fold(args, &found, Period::default(), switches, None, verbosity)?;
            all.last_event().map_or_else(Period::default, |newest| Period::ending(newest, length))
        }
    };
    let (_, mut coverage) = fold(args, &found, period, switches, Some(witness), verbosity)?;
    if coverage.records.counted == 0 && !args.allow_empty {
        refuse_empty(&found, &coverage)?;
    }
    delivered.add_to(&mut coverage);
    coverage.proven = proven;
    Ok(coverage)
}

/// Folds logs, and shows how that goes on.
fn fold(
    args: &InputArgs,
    found: &Found,
    period: Period,
    switches: Switches,
    witness: Option<&Witness<'_>>,
    verbosity: &VerbosityArgs,
) -> anyhow::Result<(Ledger, Coverage)> {
    let display = Display::new(&found.sources, verbosity.quiet);
    let progress = &|step| display.step(step);
    let threads = threads(args.threads);
    let memory = memory(&args.memory)?;
    let options = Options { period, switches, threads, memory, progress };
    let folded = match witness {
        None => ingest::fold(found, &options)?,
        Some(witness) => ingest::fold_witnessed(found, &options, witness)?,
    };
    display.finish();
    Ok(folded)
}

/// Reads rollups, and of the logs beside them what they do not answer.
fn read_rollups(
    args: &InputArgs,
    found: Found,
    asked: Asked,
    attempts: Attempts,
    verbosity: &VerbosityArgs,
) -> anyhow::Result<Read> {
    let switches = attribution_of(args, &found.rollups)?;
    let (threads, memory) = (threads(args.threads), memory(&args.memory)?);
    let fold = |found: &Found, period| fold(args, found, period, switches, None, verbosity);
    let answer = |period, attempts| {
        rollup::reading(&found.rollups, |rollups| {
            rollup::answer(rollups, &found, period, attempts, (threads, memory))
        })
    };
    let period = match asked {
        Asked::Fixed(period) => period,
        Asked::UpToNewest(length) => {
            let all = answer(Period::default(), None)?;
            let beside = all.selection.of(&found);
            let newest = if beside.sources.is_empty() {
                all.coverage.last_event()
            } else {
                refuse_pipes(&beside)?;
                fold(&beside, Period::default())?.1.last_event().max(all.coverage.last_event())
            };
            newest.map_or_else(Period::default, |newest| Period::ending(newest, length))
        }
    };
    let Answer { mut ledger, mut coverage, selection, cut, again, missing, days } =
        answer(period, Some(attempts))?;
    refuse_cut(&cut, &missing)?;
    let count = found.rollups.len();
    let selected = selection.of(&found);
    let beside = Found { problems: found.problems, ..selected };
    let mut origins = vec![format!(
        "rollups   {count} read, {} of their days in the period",
        grouped(days.len() as u64)
    )];
    if !beside.sources.is_empty() {
        let count = grouped(again.len() as u64);
        let new = grouped((beside.sources.len()) as u64);
        origins.push(format!(
            "  sources read beside them: {new}, of which again, for days that the period cuts: {count}"
        ));
        if !again.is_empty() {
            let names = Names { verbose: verbosity.verbose };
            let again = names.list(again.iter().map(String::as_str));
            origins.push(format!("    {again}"));
        }
    }
    let (beside_ledger, beside_coverage) = fold(&beside, period)?;
    if ledger.is_empty() {
        ledger = beside_ledger;
    } else {
        ledger.merge(beside_ledger);
    }
    coverage.merge(beside_coverage);
    coverage.period = period;
    coverage.switches = switches;
    Ok(Read { ledger, coverage, origins })
}

/// Returns under which attribution rollups were written; refuses to mix it with another.
fn attribution_of(args: &InputArgs, directories: &[PathBuf]) -> anyhow::Result<Switches> {
    let asked = switches(&args.attribution)?;
    let is_asked = !args.attribution.count.is_empty() || !args.attribution.set_aside.is_empty();
    let mut known: Option<(Switches, &Path)> = None;
    for directory in directories {
        let Some(of_rollup) = Rollup::open(directory)?.switches() else { continue };
        if is_asked && of_rollup != asked {
            bail!(
                "{}: was folded with other kinds of records counted than --count and --set-aside \
                 say: leave them out, or fold the logs into another rollup",
                directory.display()
            );
        }
        if let Some((other, first)) = known
            && other != of_rollup
        {
            bail!(
                "{} and {}: were folded with different kinds of records counted: make a report of \
                 each",
                first.display(),
                directory.display()
            );
        }
        known = Some((of_rollup, directory));
    }
    Ok(known.map_or(asked, |(switches, _)| switches))
}

/// Parts tell days, so that a period which cuts one needs the logs of that day.
fn refuse_cut(cut: &BTreeSet<Day>, missing: &[String]) -> anyhow::Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    for name in missing {
        complain(name);
    }
    let days: Vec<String> = cut.iter().map(ToString::to_string).collect();
    bail!(
        "the period cuts {}, and a rollup knows days as a whole: give the logs listed above beside \
         it (sources: {}), or ask for whole days",
        days.join(" and "),
        grouped(missing.len() as u64),
    )
}

/// A pipe that was read to its end looks empty, or keeps its reader waiting.
fn refuse_pipes(found: &Found) -> anyhow::Result<()> {
    if let Some(pipe) = found.sources.iter().find(|source| source.size.is_none()) {
        bail!(
            "--tracking-period: {} cannot be read a second time, for the period up to the newest \
             event: give --until too, or the logs as files",
            pipe.name()
        );
    }
    Ok(())
}

/// Folds again, with the period that only the newest event told, unless it takes in everything.
fn up_to_newest(
    all: (Ledger, Coverage),
    period: Period,
    found: &Found,
    fold: impl Fn(Period) -> anyhow::Result<(Ledger, Coverage)>,
) -> anyhow::Result<(Ledger, Coverage)> {
    let (ledger, mut coverage) = all;
    if coverage.first_event().is_none_or(|first| period.contains(first)) {
        coverage.period = period;
        return Ok((ledger, coverage));
    }
    refuse_pipes(found)?;
    fold(period)
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
