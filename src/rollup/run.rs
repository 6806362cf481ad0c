//! What a run added to a rollup: a small JSON file that names the files, and by being there makes
//! them count.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::file::Part;
use super::table::Table;
use super::{FORMAT_VERSION, RollupError};
use crate::access::Switches;
use crate::source::ROLLUP;
use crate::time::Day;

/// What a run added, as its file says.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Run {
    /// The name of its file.
    #[serde(skip)]
    pub(super) name: String,
    pub(super) format_version: u32,
    pub(super) attribution: Switches,
    /// Runs whose rows are all in this one.
    #[serde(default)]
    pub(super) replaces: Vec<String>,
    /// Paths below the rollup.
    pub(super) parts: Vec<String>,
    pub(super) sources: Vec<String>,
    /// What all sources came to, if none of them stands in another run that counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) coverage: Option<String>,
    /// The runs that counted when this one was written, if it has a coverage.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) beside: Vec<String>,
}

impl Run {
    /// Returns the parts of days, as they lie in `directory`.
    pub(super) fn parts(&self, directory: &Path) -> Result<Vec<Part>, RollupError> {
        let part = |name: &String| {
            let part = part(directory, name, Table::Part)?;
            let day = name.split('/').find_map(|folder| folder.strip_prefix("date="));
            match day.and_then(Day::parse) {
                Some(day) => Ok(Part { day: Some(day), ..part }),
                None => Err(RollupError::NoDay(part.path)),
            }
        };
        self.parts.iter().map(part).collect()
    }

    /// Returns the files of sources, as they lie in `directory`.
    pub(super) fn sources(&self, directory: &Path) -> Result<Vec<Part>, RollupError> {
        self.sources.iter().map(|name| part(directory, name, Table::Sources)).collect()
    }

    /// Returns the file of what all sources came to, as it lies in `directory`.
    pub(super) fn coverage(&self, directory: &Path) -> Result<Option<Part>, RollupError> {
        self.coverage.as_ref().map(|name| part(directory, name, Table::Coverage)).transpose()
    }
}

/// Returns the folder of a rollup that engines do not look into.
pub(super) fn hidden(directory: &Path, name: &str) -> PathBuf {
    directory.join(ROLLUP).join(name)
}

/// The runs of a rollup.
pub(super) struct Runs {
    /// Those that count, in the order of their names.
    pub(super) live: Vec<Run>,
    /// The names of those that others replaced.
    pub(super) gone: Vec<String>,
}

impl Runs {
    /// Reads the files of all runs.
    pub(super) fn read(directory: &Path) -> Result<Self, RollupError> {
        let folder = hidden(directory, "runs");
        // A folder that changes while it is listed may show neither the run that is added nor the
        // ones that go away for it.
        let mut names = names(&folder)?;
        let mut live = loop {
            let run = |name: &String| {
                let run = read(&folder.join(format!("{name}.json")))?;
                Ok(Run { name: name.clone(), ..run })
            };
            let runs: Result<Vec<Run>, RollupError> = names.iter().map(run).collect();
            let before = std::mem::replace(&mut names, self::names(&folder)?);
            match runs {
                Ok(runs) if before == names => break runs,
                Err(error) if before == names || !is_missing(&error) => return Err(error),
                _ => {}
            }
        };
        let replaced: BTreeSet<String> =
            live.iter().flat_map(|run| run.replaces.iter().cloned()).collect();
        let gone = live.extract_if(.., |run| replaced.contains(&run.name)).map(|run| run.name);
        let gone = gone.collect();
        Ok(Self { live, gone })
    }
}

/// Returns the names of the runs in a folder, in order.
fn names(folder: &Path) -> Result<Vec<String>, RollupError> {
    let unreadable = |error| RollupError::Read(folder.to_owned(), error);
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        let name = name.to_str().and_then(|name| name.strip_suffix(".json"));
        names.extend(name.filter(|name| !name.starts_with(['.', '_'])).map(str::to_owned));
    }
    names.sort_unstable();
    Ok(names)
}

fn read(path: &Path) -> Result<Run, RollupError> {
    let text = fs::read(path).map_err(|error| RollupError::Read(path.to_owned(), error))?;
    let malformed = |error: serde_json::Error| RollupError::Run(path.to_owned(), error.to_string());
    // Another version may have other members.
    let value: Value = serde_json::from_slice(&text).map_err(malformed)?;
    match value.get("FormatVersion") {
        Some(version) if version.as_u64() == Some(u64::from(FORMAT_VERSION)) => {}
        Some(version) => {
            return Err(RollupError::Version(path.to_owned(), version.to_string()));
        }
        None => {
            let what = "`FormatVersion` is missing".to_owned();
            return Err(RollupError::Run(path.to_owned(), what));
        }
    }
    serde_json::from_value(value).map_err(malformed)
}

/// Returns what a run names, which is nowhere else than below the rollup.
fn part(directory: &Path, name: &str, table: Table) -> Result<Part, RollupError> {
    let path = Path::new(name);
    let is_below = !name.is_empty()
        && path.components().all(|component| matches!(component, Component::Normal(_)));
    if is_below {
        Ok(Part { path: directory.join(path), table, day: None })
    } else {
        Err(RollupError::Outside(name.to_owned()))
    }
}

/// Returns whether an error says that a file of the rollup is not there.
pub(super) fn is_missing(error: &RollupError) -> bool {
    matches!(error, RollupError::Read(_, error) if error.kind() == ErrorKind::NotFound)
}
