//! Files of saved replies of the AWS CLI: any number of JSON documents in each, one behind the other.

use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::Deserializer;
use walkdir::WalkDir;

use crate::json;
use crate::printable::file_name;

/// Why saved replies cannot be used. Every message names the file and says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplyError {
    /// The file or directory cannot be read.
    #[error("{file}")]
    Read {
        /// The file or directory.
        file: String,
        /// What the system says.
        source: io::Error,
    },
    /// The file is not JSON, or not such a reply.
    #[error("{file}: line {line}, column {column}: {reason}: save the reply of `{call}` again")]
    Json {
        /// The file.
        file: String,
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1.
        column: usize,
        /// What is wrong there.
        reason: String,
        /// The command whose reply it should be.
        call: &'static str,
    },
    /// There is no reply in it.
    #[error("{file}: holds no reply: save that of `{call}` in it")]
    Empty {
        /// The file or directory.
        file: String,
        /// The command whose reply it should be.
        call: &'static str,
    },
    /// A reply without a key.
    #[error(
        "{file}: lists no public key: ask with --start-time and --end-time for the time of the digests"
    )]
    NoKey {
        /// The file.
        file: String,
    },
    /// A part of a key is no such thing.
    #[error("{file}: key `{fingerprint}`: {member} `{text}` cannot be read: save the reply again")]
    Member {
        /// The file.
        file: String,
        /// The fingerprint of the key.
        fingerprint: String,
        /// `Value`, `ValidityStartTime` or `ValidityEndTime`.
        member: &'static str,
        /// What stands there.
        text: String,
    },
    /// A key is not the one that its fingerprint names.
    #[error(
        "{file}: key `{fingerprint}`: its value has the fingerprint {actual}, so one of the two was \
         changed: save the reply again"
    )]
    Fingerprint {
        /// The file.
        file: String,
        /// The fingerprint as it is written.
        fingerprint: String,
        /// The fingerprint of the value.
        actual: String,
    },
    /// A reply of something that is no digest.
    #[error(
        "{file}: the object has no signature (SHA256withRSA) in its metadata, as digests have: save \
         the reply for a digest, or remove the file"
    )]
    NoSignature {
        /// The file.
        file: String,
    },
}

/// Reads the replies in the file at this path, or in all files at and below the directory, in byte
/// order of their paths; hands each to `each` together with the file.
pub(super) fn read<T: DeserializeOwned>(
    path: &Path,
    call: &'static str,
    mut each: impl FnMut(&Path, T) -> Result<(), ReplyError>,
) -> Result<(), ReplyError> {
    let mut is_empty = true;
    for file in files(path)? {
        let name = || file_name(&file);
        let bytes =
            std::fs::read(&file).map_err(|source| ReplyError::Read { file: name(), source })?;
        let text = json::without_mark(&bytes);
        let mut replies = Deserializer::from_slice(text).into_iter().peekable();
        if replies.peek().is_none() {
            return Err(ReplyError::Empty { file: name(), call });
        }
        for reply in replies {
            let reply = reply.map_err(|error| ReplyError::Json {
                file: name(),
                line: error.line(),
                column: error.column(),
                reason: json::reason(&error),
                call,
            })?;
            each(&file, reply)?;
            is_empty = false;
        }
    }
    if is_empty { Err(ReplyError::Empty { file: file_name(path), call }) } else { Ok(()) }
}

fn files(path: &Path) -> Result<Vec<PathBuf>, ReplyError> {
    let mut files = Vec::new();
    for entry in WalkDir::new(path).follow_links(true).sort_by_file_name() {
        let entry = entry.map_err(|error| ReplyError::Read {
            file: file_name(error.path().unwrap_or(path)),
            source: error.into(),
        })?;
        if !entry.file_type().is_dir() {
            files.push(entry.into_path());
        }
    }
    Ok(files)
}
