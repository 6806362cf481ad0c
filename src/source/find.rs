//! The search for sources: every directory is walked once, whatever leads to it.

use std::collections::{HashMap, HashSet, VecDeque};
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::{Found, Input, Problem, SetAside, Source, SourceError, SourceReason, key};
use crate::printable::file_name;

/// Collects what inputs name, then looks into the directories among them.
#[derive(Default)]
pub(super) struct Search {
    stdin: bool,
    files: Vec<Named>,
    directories: Vec<Named>,
    /// Directories with every link resolved: many files given by name lie in few of them.
    resolved: HashMap<PathBuf, PathBuf>,
    found: Found,
}

/// A path that an input names.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Named {
    /// The path with every directory resolved, which tells two spellings of one file.
    place: PathBuf,
    path: PathBuf,
    size: Option<u64>,
}

impl Search {
    /// Adds standard input, which cannot be read twice.
    pub(super) fn stdin(&mut self) -> Result<(), SourceError> {
        if std::mem::replace(&mut self.stdin, true) {
            return Err(SourceError::StdinTwice);
        }
        self.found.sources.push(Source {
            name: "standard input".to_owned(),
            input: Input::Stdin,
            size: None,
        });
        Ok(())
    }

    /// Adds the file or directory of this name; without one, what the name matches as a pattern.
    pub(super) fn input(&mut self, input: &OsStr) {
        let path = Path::new(input);
        if input.is_empty() {
            return self.problem(Path::new("``"), SourceError::EmptyName);
        }
        match fs::metadata(path) {
            Ok(metadata) => self.named(path.to_owned(), &metadata),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !is_link(path) => {
                match input.to_str() {
                    Some(pattern) if pattern.contains(['*', '?', '[']) => self.pattern(pattern),
                    _ => self.problem(path, SourceError::Missing),
                }
            }
            Err(error) => self.unlisted(path, error),
        }
    }

    fn pattern(&mut self, pattern: &str) {
        let paths = match glob::glob(pattern) {
            Ok(paths) => paths,
            Err(error) => return self.problem(Path::new(pattern), SourceError::Pattern(error)),
        };
        let mut matched = false;
        for path in paths {
            matched = true;
            match path {
                Ok(path) => match fs::metadata(&path) {
                    Ok(metadata) => self.named(path, &metadata),
                    Err(error) => self.unlisted(&path, error),
                },
                Err(error) => {
                    let path = error.path().to_owned();
                    self.unlisted(&path, error.into());
                }
            }
        }
        if !matched {
            self.problem(Path::new(pattern), SourceError::NoMatch);
        }
    }

    fn named(&mut self, path: PathBuf, metadata: &Metadata) {
        if metadata.is_dir() {
            let place = self.resolve(&path);
            self.directories.push(Named { place, path, size: None });
        } else {
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            let parent = self.resolve(parent.unwrap_or(Path::new(".")));
            let place = path.file_name().map_or_else(|| path.clone(), |name| parent.join(name));
            self.files.push(Named { place, path, size: size(metadata) });
        }
    }

    fn resolve(&mut self, directory: &Path) -> PathBuf {
        if let Some(place) = self.resolved.get(directory) {
            return place.clone();
        }
        // A directory that cannot be resolved is known by its name alone.
        let place = fs::canonicalize(directory).unwrap_or_else(|_| directory.to_owned());
        self.resolved.insert(directory.to_owned(), place.clone());
        place
    }

    /// Reads what was named: files first, so that a directory adds what is left; links to
    /// directories last, so that a directory goes by its own name where it has one.
    pub(super) fn finish(mut self) -> Found {
        let mut files = HashSet::new();
        let mut named = std::mem::take(&mut self.files);
        named.sort();
        for Named { place, path, size } in named {
            if files.insert(place) {
                self.file(path, size);
            }
        }
        // In the order of places a directory stands before those in it.
        self.directories.sort();
        let mut walk = Walk { files, directories: HashSet::new(), links: VecDeque::new() };
        for directory in std::mem::take(&mut self.directories) {
            self.walk(&directory, &mut walk);
        }
        while let Some(link) = walk.links.pop_front() {
            if walk.directories.contains(&link.place) {
                self.set_aside(file_name(&link.path), SourceReason::DirectoryLoop);
            } else {
                self.walk(&link, &mut walk);
            }
        }
        let mut found = self.found;
        found.sources.sort_by(|a, b| (&a.name, &a.input).cmp(&(&b.name, &b.input)));
        found.set_aside.sort();
        found.problems.sort_by(|a, b| a.source.cmp(&b.source));
        found
    }

    fn walk(&mut self, root: &Named, walk: &mut Walk) {
        if !walk.directories.insert(root.place.clone()) {
            return;
        }
        // Sorted, so that of two links to one directory the same one is followed every time.
        let mut entries = WalkDir::new(&root.path).min_depth(1).sort_by_file_name().into_iter();
        while let Some(entry) = entries.next() {
            match entry {
                Ok(entry) if entry.file_type().is_dir() => {
                    if !walk.directories.insert(root.place_of(entry.path())) {
                        entries.skip_current_dir();
                    }
                }
                Ok(entry) => {
                    // Most runs name no file beside a directory and need no place of a file.
                    if walk.files.is_empty() || !walk.files.contains(&root.place_of(entry.path())) {
                        self.entry(entry, walk);
                    }
                }
                Err(error) => {
                    let path = error.path().unwrap_or(&root.path).to_owned();
                    self.unlisted(&path, error.into());
                }
            }
        }
    }

    /// Adds what a directory holds: a file, a link to one, or a link to another directory.
    fn entry(&mut self, entry: DirEntry, walk: &mut Walk) {
        let metadata = if entry.path_is_symlink() {
            fs::metadata(entry.path())
        } else if entry.file_type().is_file() {
            entry.metadata().map_err(io::Error::from)
        } else {
            return self.set_aside(file_name(entry.path()), SourceReason::NotAFile);
        };
        match metadata {
            Ok(metadata) if metadata.is_file() => self.file(entry.into_path(), size(&metadata)),
            Ok(metadata) if metadata.is_dir() => match fs::canonicalize(entry.path()) {
                Ok(place) => {
                    walk.links.push_back(Named { place, path: entry.into_path(), size: None });
                }
                Err(error) => self.unlisted(entry.path(), error),
            },
            Ok(_) => self.set_aside(file_name(entry.path()), SourceReason::NotAFile),
            Err(error) => self.unlisted(entry.path(), error),
        }
    }

    fn file(&mut self, path: PathBuf, size: Option<u64>) {
        let name = file_name(&path);
        match key::kind(&name) {
            Some(reason) => self.set_aside(name, reason),
            None => self.found.sources.push(Source { name, input: Input::File(path), size }),
        }
    }

    fn set_aside(&mut self, name: String, reason: SourceReason) {
        self.found.set_aside.push(SetAside { name, reason });
    }

    fn unlisted(&mut self, path: &Path, error: io::Error) {
        let broken_link = error.kind() == io::ErrorKind::NotFound && is_link(path);
        let error = if broken_link { SourceError::BrokenLink } else { SourceError::Listing(error) };
        self.problem(path, error);
    }

    fn problem(&mut self, path: &Path, error: SourceError) {
        self.found.problems.push(Problem { source: file_name(path), error });
    }
}

/// What walks have met so far.
struct Walk {
    /// Places of the files that inputs name themselves.
    files: HashSet<PathBuf>,
    /// Places of the directories that were walked.
    directories: HashSet<PathBuf>,
    /// Links to directories that are still to be followed.
    links: VecDeque<Named>,
}

impl Named {
    /// Returns the place of a path that a walk from here arrives at without following a link.
    fn place_of(&self, path: &Path) -> PathBuf {
        match path.strip_prefix(&self.path) {
            Ok(below) => self.place.join(below),
            Err(_) => path.to_owned(),
        }
    }
}

/// Returns the bytes of a file; a pipe or device has no size to tell.
fn size(metadata: &Metadata) -> Option<u64> {
    metadata.is_file().then_some(metadata.len())
}

fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink())
}
