//! The files of a snapshot: found, read whole, told from other files. It knows files and which of
//! them are replies, not what these say.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde_json::Value;
use walkdir::WalkDir;

use super::Identities;
use super::draft::Draft;
use super::error::IdentitiesError as Error;
use super::reply::{self, Reply};
use crate::json;
use crate::printable::{file_name, printable};

/// How much of a file is read to see whether it may be a reply.
const HEAD: u64 = 4096;

/// Reads the snapshot at a path.
pub(super) fn load(path: &Path) -> Result<Identities, Error> {
    let origin = file_name(path);
    let read_error = |source| Error::Read { file: file_name(path), source };
    let is_directory = fs::metadata(path).map_err(read_error)?.is_dir();
    let mut draft = Draft::default();
    let mut is_snapshot = false;
    let mut passed_over = Vec::new();
    if is_directory {
        for file in files_below(path)? {
            let is_reply = match read_candidate(&file)? {
                Some(bytes) => add(&mut draft, &file_name(&file), &bytes)?,
                None => false,
            };
            is_snapshot |= is_reply;
            if !is_reply {
                passed_over.push(file_name(&file));
            }
        }
    } else {
        let bytes = fs::read(path).map_err(read_error)?;
        is_snapshot = add(&mut draft, &origin, &bytes)?;
    }
    if !is_snapshot {
        return Err(Error::NotASnapshot { file: origin });
    }
    Ok(Identities { passed_over, ..draft.build()? })
}

/// Returns the files at and below a directory, in byte order of their paths.
fn files_below(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for entry in WalkDir::new(directory).follow_links(true) {
        let entry = entry.map_err(|error| Error::Read {
            file: file_name(error.path().unwrap_or(directory)),
            source: error.into(),
        })?;
        if entry.file_type().is_file() {
            files.push(entry.into_path());
        }
    }
    files.sort_by(|one, other| bytes_of(one).cmp(bytes_of(other)));
    Ok(files)
}

fn bytes_of(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}

/// Returns whether a file that is no JSON object by its first byte may be a reply all the same: one
/// that is named so, or is encoded or compressed in another way.
fn may_be_reply(path: &Path, bytes: &[u8]) -> bool {
    // UTF-16 of either order, gzip, zstd.
    const OTHER_FORMS: [&[u8]; 4] = [b"\xff\xfe", b"\xfe\xff", b"\x1f\x8b", b"\x28\xb5\x2f\xfd"];
    let is_named = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    OTHER_FORMS.iter().any(|form| bytes.starts_with(form)) || is_named && first(bytes) != Some(b'[')
}

/// Reads a file that begins like a JSON object; of any other, no more than its beginning.
fn read_candidate(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    let read_error = |source: io::Error| Error::Read { file: file_name(path), source };
    let mut file = File::open(path).map_err(read_error)?;
    let mut bytes = Vec::new();
    file.by_ref().take(HEAD).read_to_end(&mut bytes).map_err(read_error)?;
    match first(&bytes) {
        Some(b'{') => {}
        Some(_) if may_be_reply(path, &bytes) => {
            return Err(Error::OtherForm { file: file_name(path) });
        }
        Some(_) => return Ok(None),
        // Nothing but blanks so far.
        None if path.extension() == Some(OsStr::new("json")) => {}
        None => return Ok(None),
    }
    file.read_to_end(&mut bytes).map_err(read_error)?;
    match first(&bytes) {
        Some(b'{') => Ok(Some(bytes)),
        Some(_) => Ok(None),
        None => Err(Error::Empty { file: file_name(path) }),
    }
}

/// Returns the first byte that is no blank.
fn first(bytes: &[u8]) -> Option<u8> {
    json::without_mark(bytes).iter().copied().find(|byte| !byte.is_ascii_whitespace())
}

/// Adds what a file says and returns whether it is a reply.
fn add(draft: &mut Draft, file: &str, bytes: &[u8]) -> Result<bool, Error> {
    let bytes = json::without_mark(bytes);
    // Errors name columns of the file as it is. What was added before one may come twice.
    let added = add_json(draft, file.to_owned(), &json::without_indentation(bytes));
    added.or_else(|_| add_json(draft, file.to_owned(), bytes))
}

fn add_json(draft: &mut Draft, file: String, bytes: &[u8]) -> Result<bool, Error> {
    let reply: Reply<'_> = match serde_json::from_slice(bytes) {
        Ok(reply) => reply,
        Err(error) => {
            // It is broken, or a member is of another type than in a reply: then it may be
            // something else.
            return match serde_json::from_slice::<Value>(bytes) {
                Ok(value) if reply::is_meant(&value) => Err(json_error(file, &error)),
                Ok(_) => Ok(false),
                Err(error) => Err(json_error(file, &error)),
            };
        }
    };
    // A list would be read as the members in their order.
    if first(bytes) != Some(b'{') || !reply.is_one() {
        return Ok(false);
    }
    draft.reply(file, reply)?;
    Ok(true)
}

fn json_error(file: String, error: &serde_json::Error) -> Error {
    let reason = printable(&json::reason(error));
    Error::Json { file, line: error.line(), column: error.column(), reason }
}
