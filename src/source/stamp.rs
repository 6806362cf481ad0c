//! Whether a file was changed while it was read, as far as its size and its time of change tell.

use std::fs::File;
use std::io;
use std::time::SystemTime;

use super::SourceError;

/// A file as it was before it was read. Pipes and devices have nothing to compare.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stamp(Option<(u64, Option<SystemTime>)>);

impl Stamp {
    pub(super) fn of(file: &File) -> Self {
        Self::look(file).unwrap_or(Self(None))
    }

    fn look(file: &File) -> io::Result<Self> {
        let found = file.metadata()?;
        Ok(Self(found.is_file().then(|| (found.len(), found.modified().ok()))))
    }

    /// Returns the size of a regular file.
    pub(super) fn size(&self) -> Option<u64> {
        self.0.map(|(size, _)| size)
    }

    /// Returns what is wrong with what was read of the file since, `taken` bytes.
    pub(super) fn compare(&self, file: &File, taken: u64) -> Result<(), SourceError> {
        if self.0.is_none() {
            return Ok(());
        }
        match Self::look(file) {
            Ok(now) if now == *self => Ok(()),
            Ok(_) => Err(SourceError::Changed),
            Err(error) => Err(SourceError::Reading { error, after: taken }),
        }
    }
}
