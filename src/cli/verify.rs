//! `trailfold verify`.

use std::collections::HashSet;
use std::fmt;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::args::{IntegrityArgs, TextOrJson, VerifyArgs};
use super::inputs::threads;
use super::output::Destination;
use super::progress::Display;
use super::summary::problems;
use super::{Exit, complain};
use crate::coverage::ProvenPeriods;
use crate::ingest;
use crate::printable::{grouped, printable, visible, visible_json};
use crate::source::{Found, Input, Problem, Source, SourceError, SourceReason};
use crate::verify::{
    self, Chain, DigestResult, DigestStatus, Document, Gap, LogResult, LogStatus, Options, Proof,
    PublicKeys, S3Object, SavedSignatures, Trail, Verification,
};

/// `trailfold verify`.
pub(crate) fn run(args: &VerifyArgs) -> anyhow::Result<Exit> {
    let (keys, signatures) = evidence(&args.public_keys, args.signatures.as_deref())?;
    let out = Destination::new(args.output.as_deref());
    out.probe()?;
    let threads = threads(args.threads);
    let mut found = ingest::find(&args.inputs, threads, None)?;
    if let Some(rollup) = found.rollups.first() {
        bail!("{}: is a rollup: name the logs that it was made from", rollup.display());
    }
    out.refuse_inputs(&found)?;
    let here = std::env::current_dir().context("the current directory")?;
    let sources = verify::sources(&found);
    let display = Display::new(&sources, args.verbosity.quiet);
    let options = Options { threads, here: &here, progress: &|step| display.step(step) };
    let verified = verify::verify(&sources, &keys, &signatures, &options);
    display.finish();
    let complain_of = |all: &[Problem]| {
        let lines = all.iter().map(ToString::to_string);
        problems(lines, args.verbosity.verbose).iter().for_each(|line| complain(line));
    };
    let mut verification = verified.inspect_err(|_| complain_of(&found.problems))?;
    verification.problems.append(&mut found.problems);
    verification.problems.sort_by(|one, other| one.source.cmp(&other.source));
    out.write(|out| match args.format {
        TextOrJson::Text => write_text(out, &verification, args.verbosity.verbose),
        TextOrJson::Json => {
            let json = serde_json::to_string_pretty(&Document::new(&verification))?;
            Ok(writeln!(out, "{}", visible_json(&json))?)
        }
    })?;
    complain_of(&verification.problems);
    Ok(if verification.is_all_valid() { Exit::Complete } else { Exit::Incomplete })
}

/// Reads keys and signatures.
fn evidence(
    public_keys: &[PathBuf],
    signatures: Option<&Path>,
) -> anyhow::Result<(PublicKeys, SavedSignatures)> {
    let mut keys = PublicKeys::default();
    for file in public_keys {
        keys.extend(PublicKeys::read(file)?);
    }
    let signatures = signatures.map(SavedSignatures::read).transpose()?.unwrap_or_default();
    Ok((keys, signatures))
}

/// Sets aside what is not proven, if that is asked for; returns the times that are.
pub(super) fn keep_proven(
    found: &mut Found,
    args: &IntegrityArgs,
    threads: NonZeroUsize,
) -> anyhow::Result<Option<ProvenPeriods>> {
    if !args.verified_only {
        return Ok(None);
    }
    if let Some(rollup) = found.rollups.first() {
        bail!("{}: is a rollup, which no digest proves: name the logs", rollup.display());
    }
    if found.sources.iter().any(|source| source.input == Input::Stdin) {
        bail!("`-`: standard input cannot be verified and read: save the logs as files");
    }
    let (keys, signatures) = evidence(&args.public_keys, args.signatures.as_deref())?;
    let here = std::env::current_dir().context("the current directory")?;
    let options = Options { threads, here: &here, progress: &|_| {} };
    let verification = verify::verify(&verify::sources(found), &keys, &signatures, &options)?;
    let proven: HashSet<PathBuf> = verification.proven.iter().filter_map(path).collect();
    let is_proven = |source: &Source| path(source).is_some_and(|path| proven.contains(&path));
    found.retain(is_proven, SourceReason::NotVerified);
    let all_valid = verification.is_all_valid();
    let periods = verification.proven_periods();
    let log_files = verification.chains.iter().flat_map(|chain| &chain.log_files);
    let lost = log_files.filter(|it| !it.status.is_proven() && it.status != LogStatus::NotVerified);
    found.problems.extend(lost.map(|LogResult { place, status, .. }| Problem {
        source: printable(&place.to_string()),
        error: SourceError::Integrity(status.to_string()),
    }));
    // What could not be read may be a digest that proves others.
    found.problems.extend(verification.problems);
    found.problems.sort_by(|one, other| one.source.cmp(&other.source));
    if !all_valid {
        complain(
            "warning: not all is proven, and more than is read may have been delivered: `trailfold \
             verify` says what is missing",
        );
    }
    Ok(Some(periods))
}

fn path(source: &Source) -> Option<PathBuf> {
    match &source.input {
        Input::Stdin => None,
        Input::File(path) => Some(path.to_path_buf()),
    }
}

/// Writes the results for people: what is not valid, everything if they are to be `verbose`, and
/// how many there are of each.
fn write_text(
    out: &mut dyn Write,
    verification: &Verification,
    verbose: bool,
) -> anyhow::Result<()> {
    let mut print = |line: &str| writeln!(out, "{}", visible_but_tabs(line));
    for chain in &verification.chains {
        print(&heading(&chain.trail))?;
        print("")?;
        let lines = lines(chain, verbose);
        lines.iter().try_for_each(|line| print(line))?;
        if !lines.is_empty() {
            print("")?;
        }
        totals(chain).iter().try_for_each(|line| print(line))?;
        print("")?;
    }
    for digest in &verification.stray_digests {
        print(&digest_line(digest))?;
    }
    for unlisted in &verification.unlisted {
        let why = if unlisted.is_listed_by_invalid {
            "only a digest that is not valid lists it"
        } else {
            "no digest lists it"
        };
        print(&format!("Log file\t{}\tNOT VERIFIED: {why}", unlisted.path))?;
    }
    for path in verification.copies.iter().filter(|_| verbose) {
        print(&format!("Log file\t{path}\tvalid, and a copy of another"))?;
    }
    let rest = [
        (verification.stray_digests.len(), "digest files that are none"),
        (verification.unlisted.len(), "log files that no valid digest lists"),
        (verification.copies.len(), "further copies of valid log files"),
    ];
    if rest.iter().take(2).any(|(count, _)| *count > 0) {
        print("")?;
    }
    for (count, what) in rest.into_iter().filter(|(count, _)| *count > 0) {
        print(&format!("{} {what}", grouped(count as u64)))?;
    }
    print(if verification.is_all_valid() { "all valid" } else { "NOT all valid" })?;
    Ok(())
}

/// Makes visible what acts on a screen, but for the tabs between the columns.
fn visible_but_tabs(line: &str) -> String {
    line.split('\t').map(visible).collect::<Vec<_>>().join("\t")
}

fn heading(trail: &Trail) -> String {
    let Trail { account, region, name, home_region, organization, backfill } = trail;
    let organization = organization.as_ref().map_or_else(String::new, |id| format!(" of {id}"));
    let backfill = if *backfill { "backfill " } else { "" };
    format!(
        "Validating {backfill}log files for trail {name} in {home_region}{organization}, account \
         {account}, Region {region}"
    )
}

/// Returns the results of a trail.
fn lines(chain: &Chain, verbose: bool) -> Vec<String> {
    let mark = if chain.trail.backfill { "(backfill) " } else { "" };
    let digests = chain.digests.iter().filter(|it| verbose || !it.status.is_valid());
    let mut lines: Vec<String> =
        digests.map(|digest| format!("{mark}{}", digest_line(digest))).collect();
    let log_files = chain.log_files.iter().filter(|it| verbose || !it.status.is_valid());
    lines.extend(log_files.map(log_line));
    lines.extend(chain.gaps.iter().map(gap_line));
    lines
}

fn digest_line(DigestResult { place, path, status, .. }: &DigestResult) -> String {
    line("Digest file", place.as_ref(), path.as_deref(), status, status.is_valid())
}

fn log_line(LogResult { place, path, status }: &LogResult) -> String {
    line("Log file", Some(place), path.as_deref(), status, status.is_valid())
}

/// Returns a line of the AWS CLI's; with the file behind it, where one may want to look at that.
fn line(
    kind: &str,
    place: Option<&S3Object>,
    path: Option<&str>,
    status: &dyn fmt::Display,
    is_valid: bool,
) -> String {
    match (place, path) {
        (Some(place), Some(path)) if !is_valid => format!("{kind}\t{place}\t{status}\t{path}"),
        (Some(place), _) => format!("{kind}\t{place}\t{status}"),
        (None, path) => format!("{kind}\t{}\t{status}", path.unwrap_or_default()),
    }
}

fn gap_line(Gap { from, to, is_restart }: &Gap) -> String {
    if *is_restart {
        format!(
            "No log files were delivered by CloudTrail between {from} and {to}, or its last digests \
             before the chain that begins then are gone"
        )
    } else {
        format!("NOT VERIFIED: between {from} and {to} no verified digest tells what was delivered")
    }
}

/// Returns how many files are valid, and for which time.
fn totals(chain: &Chain) -> Vec<String> {
    let mut lines = Vec::new();
    match chain.found {
        Some((from, to)) => lines.push(format!("Results found for {from} to {to}:")),
        None => lines.push("No valid digests found".to_owned()),
    }
    lines.push(String::new());
    let kind = if chain.trail.backfill { "backfill digest" } else { "digest" };
    let unverified = |status: &DigestStatus| *status == DigestStatus::NotVerified;
    let digests = &chain.digests;
    lines.push(ratio(
        kind,
        digests.len(),
        digests.iter().filter(|it| it.status.is_valid()).count(),
        digests.iter().filter(|it| unverified(&it.status)).count(),
    ));
    let log_files = &chain.log_files;
    let unverified = LogStatus::NotVerified;
    if !log_files.is_empty() {
        lines.push(ratio(
            "log",
            log_files.len(),
            log_files.iter().filter(|it| it.status.is_valid()).count(),
            log_files.iter().filter(|it| it.status == unverified).count(),
        ));
    }
    let proven_by = |proof| digests.iter().filter(|it| it.status.proof() == Some(proof)).count();
    lines.push(format!(
        "{} digest files verified by their successor, {} by a saved signature",
        grouped(proven_by(Proof::Successor) as u64),
        grouped(proven_by(Proof::Saved) as u64),
    ));
    lines.extend(chain.proven.iter().map(|(from, to)| format!("proven from {from} to {to}")));
    if let Some(place) = &chain.begins_after {
        lines.push(format!("what was before is not in the dump: {place}"));
    }
    lines
}

fn ratio(kind: &str, total: usize, valid: usize, unverified: usize) -> String {
    let [invalid, total, valid, unverified] =
        [total - valid - unverified, total, valid, unverified].map(|count| grouped(count as u64));
    let mut line = format!("{valid}/{total} {kind} files valid");
    if invalid != "0" {
        line = format!("{line}, {invalid}/{total} {kind} files INVALID");
    }
    if unverified != "0" {
        line = format!("{line}, {unverified}/{total} {kind} files NOT VERIFIED");
    }
    line
}
