//! What is read, and with how many threads.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::num::NonZeroUsize;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::Deserialize;

use super::args::InputArgs;
use super::verify::keep_proven;
use crate::coverage::ProvenPeriods;
use crate::ingest;
use crate::source::{Found, Listed, Source, is_rollup};
use crate::time::Time;

/// Returns how many threads search and read.
pub(super) fn threads(asked: Option<NonZeroUsize>) -> NonZeroUsize {
    let available = || std::thread::available_parallelism().ok();
    asked.or_else(available).unwrap_or(NonZeroUsize::MIN)
}

/// The least memory that is of any use.
const LEAST_MEMORY: usize = 16 << 20;

/// Reads `512MB`, `2GiB`, `100000000`.
pub(super) fn memory(text: &str) -> anyhow::Result<usize> {
    let at = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    let shift = match unit.to_ascii_uppercase().as_str() {
        "" | "B" => Some(0),
        "K" | "KB" | "KIB" => Some(10),
        "M" | "MB" | "MIB" => Some(20),
        "G" | "GB" | "GIB" => Some(30),
        _ => None,
    };
    let bytes = number.parse::<usize>().ok().zip(shift);
    match bytes.and_then(|(number, shift)| number.checked_mul(1 << shift)) {
        Some(bytes) if bytes >= LEAST_MEMORY => Ok(bytes),
        Some(_) => bail!("--memory: `{text}` is too little: 16MB is the least"),
        None => bail!("--memory: `{text}` is no number of bytes such as 512MB or 2GB"),
    }
}

/// What is read.
pub(super) struct Given {
    /// The logs and rollups.
    pub(super) found: Found,
    /// Of which times they are proven to be whole, if only what is proven is to be read.
    pub(super) proven: Option<ProvenPeriods>,
}

/// Finds what a report is made from. Where there is a rollup in it, the names of all sources are
/// absolute, as a rollup has them.
///
/// # Errors
/// Inputs that make no sense, or no threads.
pub(super) fn of_report(args: &InputArgs) -> anyhow::Result<Given> {
    let threads = threads(args.threads);
    let find = |inputs: &[OsString]| -> anyhow::Result<Found> {
        let found =
            if inputs.is_empty() { Found::default() } else { ingest::find(inputs, threads, None)? };
        Ok(found)
    };
    let is_rolled = args.inputs.iter().any(|input| is_rollup(Path::new(input)));
    let mut found = if is_rolled { Found::default() } else { find(&args.inputs)? };
    // A pattern may have matched one.
    if is_rolled || !found.rollups.is_empty() {
        found = find(&absolute(&args.inputs)?)?;
    }
    if let Some(list) = &args.files_from {
        found.add(listed(list)?);
    }
    let proven = keep_proven(&mut found, &args.integrity, threads)?;
    Ok(Given { found, proven })
}

/// Returns the inputs with absolute names, which mean the same wherever the program is run.
pub(super) fn absolute(inputs: &[OsString]) -> anyhow::Result<Vec<OsString>> {
    inputs.iter().map(|input| absolute_input(input)).collect()
}

fn absolute_input(input: &OsStr) -> anyhow::Result<OsString> {
    let path = Path::new(input);
    if input.is_empty() || input == "-" {
        return Ok(input.to_owned());
    }
    // Where a link stands before it, `..` is not what it looks like.
    let is_up = path.components().any(|component| component == Component::ParentDir);
    if is_up && let Ok(resolved) = path.canonicalize() {
        return Ok(resolved.into_os_string());
    }
    if path.is_absolute() {
        return Ok(input.to_owned());
    }
    let is_pattern = input.to_str().is_some_and(|text| text.contains(['*', '?', '[']));
    if is_pattern && !path.exists() {
        // The directory of the program is no pattern, whatever it is called.
        let here = std::env::current_dir()?;
        let here = here.to_str().map(glob::Pattern::escape).map(PathBuf::from);
        return Ok(here.unwrap_or_default().join(path).into_os_string());
    }
    Ok(std::path::absolute(path)?.into_os_string())
}

/// One file of `--files-from`, as a listing of objects tells of it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Line {
    path: PathBuf,
    source: Option<String>,
    size: Option<u64>,
    last_modified: Option<String>,
    #[serde(rename = "ETag")]
    etag: Option<String>,
}

/// Reads the files that a list names.
pub(super) fn listed(list: &Path) -> anyhow::Result<Vec<Source>> {
    let name = if list == Path::new("-") {
        "standard input".to_owned()
    } else {
        list.display().to_string()
    };
    let lines: Box<dyn io::BufRead> = if list == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(BufReader::new(File::open(list).with_context(|| name.clone())?))
    };
    let mut sources = Vec::new();
    for (number, line) in lines.lines().enumerate() {
        let place = || format!("{name}: line {}", number + 1);
        let line = line.with_context(place)?;
        let line = match line.as_bytes().first() {
            None => continue,
            Some(b'{') => serde_json::from_str(&line).with_context(place)?,
            Some(_) => {
                let path = PathBuf::from(line);
                Line { path, source: None, size: None, last_modified: None, etag: None }
            }
        };
        let modified = match line.last_modified {
            Some(text) => match Time::parse(text.as_bytes()) {
                Some(time) => Some(time),
                None => bail!("{}: LastModified: `{text}` is no time", place()),
            },
            None => None,
        };
        let path = std::path::absolute(&line.path).with_context(place)?;
        if path.is_dir() {
            bail!("{}: {} is a directory: list the files in it", place(), path.display());
        }
        // A mistake in writing the list would stay in a rollup. What has a name elsewhere may have
        // gone on its way here, which its name has to tell.
        if line.source.is_none() && !path.exists() {
            bail!("{}: {}: no such file", place(), path.display());
        }
        // Some listings quote it, as HTTP does.
        let etag = line.etag.map(|etag| etag.trim_matches('"').to_owned());
        let listed = Listed { name: line.source, etag };
        sources.push(Source::listed(path, line.size, modified, listed));
    }
    Ok(sources)
}
