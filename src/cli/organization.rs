//! `trailfold organization`.

use std::path::Path;

use super::Exit;
use super::output::Destination;
use crate::organization::Organization;

/// Prints the tree of a snapshot.
pub(super) fn tree(snapshot: &Path) -> anyhow::Result<Exit> {
    let organization = Organization::load(snapshot)?;
    Destination::Stdout.write(|out| Ok(write!(out, "{}", organization.tree())?))?;
    Ok(Exit::Complete)
}

/// Writes a snapshot in its one-file form.
pub(super) fn snapshot(snapshot: &Path, output: Option<&Path>) -> anyhow::Result<Exit> {
    let organization = Organization::load(snapshot)?;
    let json = organization.to_snapshot_json();
    Destination::new(output).write(|out| Ok(out.write_all(json.as_bytes())?))?;
    Ok(Exit::Complete)
}
