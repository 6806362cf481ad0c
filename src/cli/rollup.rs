//! `trailfold rollup`.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, bail};
use tempfile::TempDir;

use super::args::RollupArgs;
use super::attribution::switches;
use super::inputs::{absolute, listed, memory, threads};
use super::interrupt::traces;
use super::output::Destination;
use super::progress::Display;
use super::summary::tell;
use super::{Exit, complain, now};
use crate::access::Switches;
use crate::ingest::{self, ByDay, Options};
use crate::ledger::Ledger;
use crate::printable::grouped;
use crate::rollup::{self, Gathering, Input, Known, Rollup, Writer, Written};
use crate::source::{Found, Input as SourceInput, Source, SourceError, is_rollup};
use crate::time::Period;

/// `trailfold rollup`.
pub(crate) fn run(args: &RollupArgs) -> anyhow::Result<Exit> {
    if args.compact {
        return compact(args);
    }
    if args.merge {
        return merge(args);
    }
    match &args.into {
        Some(directory) => fold_into(args, directory),
        None => fold_to_stream(args),
    }
}

/// Folds what a rollup has not folded yet.
fn fold_into(args: &RollupArgs, directory: &Path) -> anyhow::Result<Exit> {
    let switches = switches(&args.attribution)?;
    let memory = memory(&args.memory)?;
    let now = now()?;
    Writer::refuse_occupied(directory)?;
    let inputs = absolute(&args.inputs)?;
    let found = find(args, &inputs, Some(directory))?;
    let writer = open(directory, args.verbosity.quiet)?;
    writer.agree_on(&switches)?;
    let known = Known::of(&writer.rollup(), &found)?;
    let selected = known.selection.of(&found);
    let new = Found { problems: found.problems, ..selected };
    let gathering = Gathering::new(writer.temporary(), &switches, now).knowing(known.failed);
    gathering.beside(&new);
    for name in known.missing.into_iter().filter(|name| is_settled(name, &inputs)) {
        gathering.settled(name);
    }
    let ledgers = fold(args, &new, switches, memory, &gathering)?;
    let coverage = gathering.coverage();
    let written = gathering.add_to(&writer, &ledgers, threads(args.threads))?;
    let lines = [format!(
        "rollup    {} sources folded before, {} new or failed before; {} rows in {} parts added",
        grouped(known.folded as u64),
        grouped((new.sources.len() + new.set_aside.len()) as u64),
        grouped(written.accesses),
        grouped(written.parts as u64),
    )];
    Ok(tell(&lines, &coverage, &args.verbosity))
}

/// Folds everything into one stream.
fn fold_to_stream(args: &RollupArgs) -> anyhow::Result<Exit> {
    let switches = switches(&args.attribution)?;
    let memory = memory(&args.memory)?;
    let now = now()?;
    let out = stream_destination(args)?;
    let found = find(args, &absolute(&args.inputs)?, None)?;
    out.refuse_inputs(&found)?;
    let temporary = Temporary::new()?;
    let gathering = Gathering::new(temporary.path(), &switches, now);
    gathering.beside(&found);
    let ledgers = fold(args, &found, switches, memory, &gathering)?;
    let coverage = gathering.coverage();
    let mut written = Written::default();
    out.write(|out| {
        written = gathering.write_to(out, &ledgers)?;
        Ok(())
    })?;
    let lines = [format!(
        "stream    {} rows, {} sources",
        grouped(written.accesses),
        grouped(written.sources)
    )];
    Ok(tell(&lines, &coverage, &args.verbosity))
}

/// Joins partial streams and rollups.
fn merge(args: &RollupArgs) -> anyhow::Result<Exit> {
    let written = match &args.into {
        Some(directory) => {
            let writer = open(directory, args.verbosity.quiet)?;
            let written = writer.merge(inputs_to_merge(&args.inputs)?)?;
            refuse_nothing(written)?;
            written
        }
        None => {
            let out = stream_destination(args)?;
            let temporary = Temporary::new()?;
            out.refuse_inputs(&Found::default())?;
            let mut written = Written::default();
            out.write(|out| {
                let inputs = inputs_to_merge(&args.inputs)?;
                written = rollup::merge_to_stream(inputs, temporary.path(), out)?;
                refuse_nothing(written)
            })?;
            written
        }
    };
    if !args.verbosity.quiet {
        complain(&format!(
            "merged    {} sources, {} of them failed; {} rows",
            grouped(written.sources),
            grouped(written.failed),
            grouped(written.accesses)
        ));
    }
    Ok(if written.failed == 0 { Exit::Complete } else { Exit::Incomplete })
}

/// A merge of nothing is a mistake in writing the command.
fn refuse_nothing(written: Written) -> anyhow::Result<()> {
    if written.sources == 0 {
        bail!("nothing to merge: the inputs name no source that was read");
    }
    Ok(())
}

/// Makes one part of each day.
fn compact(args: &RollupArgs) -> anyhow::Result<Exit> {
    for directory in &args.inputs {
        let directory = Path::new(directory);
        if !is_rollup(directory) {
            return Err(rollup::RollupError::NotARollup(directory.to_owned()).into());
        }
        let now = u64::try_from(now()?.seconds()).unwrap_or_default();
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(now);
        let writer = open(directory, args.verbosity.quiet)?;
        let temporary = writer.temporary().to_owned();
        let written = writer.compact(now)?;
        // Another program may use that folder from now on.
        traces().temporary.retain(|path| *path != temporary);
        if !args.verbosity.quiet {
            complain(&format!(
                "compacted {}: {} parts of {} rows written anew",
                directory.display(),
                grouped(written.parts as u64),
                grouped(written.accesses),
            ));
        }
    }
    Ok(Exit::Complete)
}

/// Folds sources by day; returns what was not put away.
fn fold(
    args: &RollupArgs,
    found: &Found,
    switches: Switches,
    memory: usize,
    gathering: &Gathering,
) -> anyhow::Result<Vec<Ledger>> {
    if found.sources.is_empty() {
        return Ok(Vec::new());
    }
    let display = Display::new(&found.sources, args.verbosity.quiet);
    let options = Options {
        period: Period::default(),
        switches,
        threads: threads(args.threads),
        memory,
        progress: &|step| display.step(step),
    };
    let by_day = ByDay {
        spill: &|ledger| gathering.spill(&ledger),
        source: &|source, coverage| gathering.source(source, &coverage),
    };
    let ledgers = ingest::fold_by_day(found, &options, by_day)?;
    display.finish();
    Ok(ledgers)
}

/// Finds the sources that the arguments name, by absolute names.
fn find(args: &RollupArgs, inputs: &[OsString], except: Option<&Path>) -> anyhow::Result<Found> {
    if inputs.iter().any(|input| input == "-") {
        bail!(
            "`-`: standard input has no name by which it would be known again: save the logs as \
             files (names of files are read from it with --files-from -)"
        );
    }
    let mut found = if inputs.is_empty() {
        Found::default()
    } else {
        ingest::find(inputs, threads(args.threads), except)?
    };
    if let Some(rollup) = found.rollups.first() {
        bail!("{}: is a rollup: rollups are joined with --merge", rollup.display());
    }
    // A mistake in writing the command would stay in the rollup.
    let names_nothing = |error: &SourceError| {
        matches!(
            error,
            SourceError::EmptyName
                | SourceError::Missing
                | SourceError::NoMatch
                | SourceError::Pattern(_)
        )
    };
    if let Some(problem) = found.problems.iter().find(|problem| names_nothing(&problem.error)) {
        bail!("{problem}");
    }
    if let Some(pipe) = found.sources.iter().find(|source| source.size.is_none()) {
        bail!("{}: a pipe or device cannot be known again: save the logs as files", pipe.name());
    }
    if let Some(list) = &args.files_from {
        found.add(listed(list)?);
        refuse_one_name(&found)?;
    }
    if found.sources.is_empty() && found.set_aside.is_empty() && found.problems.is_empty() {
        bail!("there is no file to read");
    }
    Ok(found)
}

/// Two files of one name would be known as one: whichever was folded, the other counts as folded.
fn refuse_one_name(found: &Found) -> anyhow::Result<()> {
    let mut named: HashMap<&str, &Source> = HashMap::new();
    fn name(source: &Source) -> Option<&str> {
        source.listed.as_ref()?.name.as_deref()
    }
    let refuse = |name: &str, one: &Source, other: &Source| {
        let path = |source: &Source| match &source.input {
            SourceInput::File(path) => path.name(),
            SourceInput::Stdin => source.name(),
        };
        bail!("{name}: is the Source of {} and of {}: list one of them", path(one), path(other))
    };
    for source in &found.sources {
        if let Some(name) = name(source)
            && let Some(other) = named.insert(name, source)
        {
            return refuse(name, other, source);
        }
    }
    for source in found.sources.iter().filter(|source| name(source).is_none()) {
        if let Some(other) = named.get(&*source.name()) {
            return refuse(&source.name(), other, source);
        }
    }
    Ok(())
}

/// Returns the inputs of a merge.
fn inputs_to_merge(inputs: &[OsString]) -> anyhow::Result<Vec<Input>> {
    let input = |input: &OsString| {
        let path = Path::new(input);
        if input == "-" {
            return Ok(Input::Stdin);
        }
        if path.is_dir() {
            return Ok(Input::Rollup(Rollup::open(path)?));
        }
        // What a pipe holds can be read only once.
        let is_part = path.is_file() && {
            let file = File::open(path)
                .map_err(|error| rollup::RollupError::Read(path.to_owned(), error))?;
            BufReader::new(file).fill_buf().is_ok_and(|head| head.starts_with(b"PAR1"))
        };
        if is_part {
            bail!(
                "{}: a part alone does not say which sources were read: name the rollup that it \
                 belongs to",
                path.display()
            );
        }
        Ok(Input::Stream(path.to_owned()))
    };
    inputs.iter().map(input).collect()
}

/// Returns whether there is nothing left to read of what failed before and was not found: it lay
/// where this run looked.
fn is_settled(name: &str, inputs: &[OsString]) -> bool {
    inputs.iter().any(|input| Path::new(name).starts_with(input))
}

/// Opens the rollup for writing.
fn open(directory: &Path, quiet: bool) -> anyhow::Result<Writer> {
    let writer = Writer::open(directory, || {
        if !quiet {
            complain(&format!("waiting   another run writes to {}", directory.display()));
        }
    })?;
    traces().temporary.push(writer.temporary().to_owned());
    Ok(writer)
}

/// Returns where the stream goes; terminals cannot read it.
fn stream_destination(args: &RollupArgs) -> anyhow::Result<Destination<'_>> {
    let out = Destination::new(args.output.as_deref());
    if out.is_terminal() {
        bail!("--partial: not for a terminal: write it to a file with --output, or pipe it");
    }
    out.probe()?;
    Ok(out)
}

/// A folder that goes away with the value, and when the user asks for an end.
struct Temporary(TempDir);

impl Temporary {
    fn new() -> anyhow::Result<Self> {
        let mut traces = traces();
        let folder = tempfile::Builder::new().prefix("trailfold-").tempdir();
        let folder = folder.with_context(|| std::env::temp_dir().display().to_string())?;
        traces.temporary.push(folder.path().to_owned());
        Ok(Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}
