//! The JSON files of a snapshot: read whole, told from other files, walked member by member. It
//! knows files and JSON, not what AWS means by a member.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::error::OrganizationError;
use crate::json::{self, Tree};
use crate::printable::printable;

/// One JSON file.
pub(super) struct Document {
    /// The file, as it is named to people.
    pub(super) file: String,
    /// The file's name without directories and `.json`.
    pub(super) stem: String,
    content: Value,
    /// Line, column and name of a member that stands twice: of the two, `content` has the last.
    doubled: Option<(usize, usize, String)>,
}

impl Document {
    /// Returns the content to tell what the file is; of members named twice, the last.
    pub(super) const fn value(&self) -> &Value {
        &self.content
    }

    /// Returns the content to read.
    ///
    /// # Errors
    /// A member stands twice.
    pub(super) fn top(&self) -> Result<Member<'_>, OrganizationError> {
        let top = Member { file: &self.file, place: String::new(), value: &self.content };
        self.doubled.clone().map_or(Ok(top), |(line, column, reason)| {
            Err(OrganizationError::Json { file: self.file.clone(), line, column, reason })
        })
    }
}

/// Reads one file, which must be JSON.
pub(super) fn read_file(path: &Path) -> Result<Document, OrganizationError> {
    let bytes = read(path)?;
    document(path, &bytes)
}

/// Reads the JSON objects and arrays right in a directory, in byte order of their names. What is
/// no such thing by its first character is passed over; what begins like one and is broken may be
/// a reply that was cut off, and is an error.
pub(super) fn read_directory(path: &Path) -> Result<Vec<Document>, OrganizationError> {
    let unreadable =
        |source| OrganizationError::Read { file: printable(&path.to_string_lossy()), source };
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(path).map_err(unreadable)? {
        files.push(entry.map_err(unreadable)?.path());
    }
    files.retain(|file| file.is_file());
    files.sort();
    let mut documents = Vec::with_capacity(files.len());
    for file in files {
        let bytes = read(&file)?;
        match json::without_mark(&bytes).iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'{' | b'[') => documents.push(document(&file, &bytes)?),
            None if file.extension() == Some(OsStr::new("json")) => {
                let file = printable(&file.to_string_lossy());
                return Err(OrganizationError::Empty { file });
            }
            _ => {}
        }
    }
    Ok(documents)
}

fn read(path: &Path) -> Result<Vec<u8>, OrganizationError> {
    fs::read(path).map_err(|source| OrganizationError::Read {
        file: printable(&path.to_string_lossy()),
        source,
    })
}

fn document(path: &Path, bytes: &[u8]) -> Result<Document, OrganizationError> {
    let file = printable(&path.to_string_lossy());
    let bytes = json::without_mark(bytes);
    let (content, doubled) = match serde_json::from_slice::<Tree<'_>>(bytes) {
        Ok(tree) => (tree.into(), None),
        Err(error) => {
            let (line, column, reason) = position(&error);
            match serde_json::from_slice(bytes) {
                Ok(value) => (value, Some((line, column, reason))),
                Err(_) => return Err(OrganizationError::Json { file, line, column, reason }),
            }
        }
    };
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.unwrap_or_default();
    let stem = name.strip_suffix(".json").unwrap_or(&name).to_owned();
    Ok(Document { file, stem, content, doubled })
}

/// Returns line, column and what is wrong there.
pub(super) fn position(error: &serde_json::Error) -> (usize, usize, String) {
    (error.line(), error.column(), printable(&json::reason(error)))
}

/// A JSON value that knows where it stands.
pub(super) struct Member<'a> {
    file: &'a str,
    place: String,
    value: &'a Value,
}

impl<'a> Member<'a> {
    /// Returns the value itself.
    pub(super) const fn value(&self) -> &'a Value {
        self.value
    }

    /// Returns the error that says what is wrong here.
    pub(super) fn wrong(&self, problem: &'static str) -> OrganizationError {
        OrganizationError::member(self.file, &self.place, problem)
    }

    /// Returns a member of this object; one that is null is absent.
    pub(super) fn member(&self, name: &str) -> Option<Self> {
        let value = self.value.get(name).filter(|value| !value.is_null())?;
        let place =
            if self.place.is_empty() { name.to_owned() } else { format!("{}.{name}", self.place) };
        Some(Self { file: self.file, place, value })
    }

    /// Returns a text member, none if it is absent.
    pub(super) fn text(&self, name: &str) -> Result<Option<&'a str>, OrganizationError> {
        self.member(name).map(|member| member.as_text()).transpose()
    }

    /// Returns a text member that must be there and not be empty.
    pub(super) fn id(&self, name: &str) -> Result<&'a str, OrganizationError> {
        match self.text(name)? {
            Some(text) if !text.is_empty() => Ok(text),
            Some(_) => Err(self.missing(name, "is empty")),
            None => Err(self.missing(name, "is missing")),
        }
    }

    fn missing(&self, name: &str, problem: &'static str) -> OrganizationError {
        let dot = if self.place.is_empty() { "" } else { "." };
        OrganizationError::member(self.file, &format!("{}{dot}{name}", self.place), problem)
    }

    /// Returns this text.
    pub(super) fn as_text(&self) -> Result<&'a str, OrganizationError> {
        self.value.as_str().ok_or_else(|| self.wrong("is not a string"))
    }

    /// Returns the entries of a list member; an absent list has none.
    pub(super) fn list(&self, name: &str) -> Result<Vec<Self>, OrganizationError> {
        self.member(name).map_or_else(|| Ok(Vec::new()), |member| member.entries())
    }

    /// Returns the entries of this list.
    pub(super) fn entries(&self) -> Result<Vec<Self>, OrganizationError> {
        let list = self.value.as_array().ok_or_else(|| self.wrong("is not a list"))?;
        let entry = |(position, value)| Self {
            file: self.file,
            place: format!("{}[{position}]", self.place),
            value,
        };
        Ok(list.iter().enumerate().map(entry).collect())
    }
}
