//! What is read, and with how many threads.

use std::ffi::{OsStr, OsString};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use crate::ingest;
use crate::source::{Found, is_rollup};

/// Returns how many threads search and read.
pub(super) fn threads(asked: Option<NonZeroUsize>) -> NonZeroUsize {
    let available = || std::thread::available_parallelism().ok();
    asked.or_else(available).unwrap_or(NonZeroUsize::MIN)
}

/// Finds what a report is made from. Where there is a rollup in it, the names of all sources are
/// absolute, as a rollup has them.
///
/// # Errors
/// Inputs that make no sense, or no threads.
pub(super) fn of_report(inputs: &[OsString], threads: NonZeroUsize) -> anyhow::Result<Found> {
    if !inputs.iter().any(|input| is_rollup(Path::new(input))) {
        let found = ingest::find(inputs, threads, None)?;
        // A pattern may have matched one.
        if found.rollups.is_empty() {
            return Ok(found);
        }
    }
    Ok(ingest::find(&absolute(inputs)?, threads, None)?)
}

/// Returns the inputs with absolute names, which mean the same wherever the program is run.
pub(super) fn absolute(inputs: &[OsString]) -> anyhow::Result<Vec<OsString>> {
    inputs.iter().map(|input| absolute_input(input)).collect()
}

fn absolute_input(input: &OsStr) -> anyhow::Result<OsString> {
    let path = Path::new(input);
    if input.is_empty() || input == "-" || path.is_absolute() {
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
