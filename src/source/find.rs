//! The search for sources: every directory is walked once, whatever leads to it.
//!
//! Directories are looked into many at a time, level by level, by a function that the caller
//! brings: what each of them holds depends on nothing else, so that it may use several threads. All
//! that depends on order is decided here, in an order that is always the same.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::{self, DirEntry, Metadata};
use std::io;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use hashbrown::{HashMap, HashSet};

use super::{
    FilePath, Found, Input, Problem, ROLLUP, SetAside, Source, SourceError, SourceReason,
    is_rollup, key,
};
use crate::printable::file_name;
use crate::time::Time;

/// Collects what inputs name, then looks into the directories among them.
#[derive(Default)]
pub(super) struct Search {
    stdin: bool,
    files: Vec<Named>,
    roots: Vec<Directory>,
    /// Directories with every link resolved: many files given by name lie in few of them.
    resolved: HashMap<PathBuf, PathBuf>,
    found: Found,
}

/// A file that an input names.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Named {
    /// The path with every directory resolved, which tells two spellings of one file.
    place: PathBuf,
    path: PathBuf,
    size: Option<u64>,
    modified: Option<Time>,
}

/// A directory to look into.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Directory {
    /// The path with every link resolved.
    place: PathBuf,
    /// The path by which it is named.
    path: Arc<Path>,
}

/// What one directory holds.
#[derive(Debug)]
pub struct Listing {
    directory: Arc<Path>,
    place: PathBuf,
    directories: Vec<Directory>,
    /// The names of the files to read, their sizes, and when they were last changed.
    files: Vec<(OsString, u64, Option<Time>)>,
    rest: Vec<(OsString, Rest)>,
    /// Why not all of it could be listed.
    broken: Option<io::Error>,
    /// Whether it is a rollup, of which nothing is to be read as a log.
    is_rollup: bool,
}

/// What a directory holds beside directories and files to read.
#[derive(Debug)]
enum Rest {
    /// A link to a directory, which is at this place.
    Link(PathBuf),
    SetAside(SourceReason),
    Problem(SourceError),
}

impl Search {
    /// Adds standard input, which cannot be read twice.
    pub(super) fn stdin(&mut self) -> Result<(), SourceError> {
        if mem::replace(&mut self.stdin, true) {
            return Err(SourceError::StdinTwice);
        }
        self.found.sources.push(Source {
            input: Input::Stdin,
            size: None,
            modified: None,
            listed: None,
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
            Err(error) => self.problem(path, unlisted(path, error)),
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
                    Err(error) => self.problem(&path, unlisted(&path, error)),
                },
                Err(error) => {
                    let path = error.path().to_owned();
                    self.problem(&path, unlisted(&path, error.into()));
                }
            }
        }
        if !matched {
            self.problem(Path::new(pattern), SourceError::NoMatch);
        }
    }

    fn named(&mut self, path: PathBuf, metadata: &Metadata) {
        if metadata.is_dir() && is_rollup(&path) {
            self.found.rollups.push(path);
        } else if metadata.is_dir() {
            let place = self.resolve(&path);
            self.roots.push(Directory { place, path: path.into() });
        } else {
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            let parent = self.resolve(parent.unwrap_or(Path::new(".")));
            let place = path.file_name().map_or_else(|| path.clone(), |name| parent.join(name));
            let (size, modified) = (size(metadata), modified(metadata));
            self.files.push(Named { place, path, size, modified });
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
    pub(super) fn finish(mut self, except: Option<&Path>, list: &List<'_>) -> Found {
        let mut files = HashSet::new();
        let mut named = mem::take(&mut self.files);
        named.sort();
        for Named { place, path, size, modified } in named {
            if files.insert(place) {
                self.file(path, size, modified);
            }
        }
        // What was walked is not walked again.
        let rollups = self.found.rollups.iter().map(PathBuf::as_path);
        let directories = except.into_iter().chain(rollups);
        let directories = directories.filter_map(|it| fs::canonicalize(it).ok()).collect();
        let mut walk = Walk { files, directories, links: Vec::new() };
        // In the order of places a directory stands before those in it.
        self.roots.sort();
        let mut roots = mem::take(&mut self.roots);
        while !roots.is_empty() {
            // A root within another goes by the other's name, if the walk of that arrives at it.
            let (outer, inner) = outermost(roots);
            self.walk(outer, &mut walk, list);
            roots = inner;
        }
        let mut links = VecDeque::from(mem::take(&mut walk.links));
        while let Some((path, link)) = links.pop_front() {
            if walk.directories.contains(&link.place) {
                self.found.set_aside.push(SetAside { path, reason: SourceReason::DirectoryLoop });
            } else {
                self.walk(vec![link], &mut walk, list);
                links.extend(walk.links.drain(..));
            }
        }
        let mut found = self.found;
        found.sources.sort_by(|a, b| a.input.cmp(&b.input));
        found.set_aside.sort();
        found.problems.sort_by(|a, b| a.source.cmp(&b.source));
        found.rollups.sort();
        found.rollups.dedup();
        found
    }

    /// Looks into these directories and all below them, none of which is below another.
    fn walk(&mut self, roots: Vec<Directory>, walk: &mut Walk, list: &List<'_>) {
        let mut links = Vec::new();
        let mut level = roots;
        loop {
            level.retain(|directory| walk.directories.insert(directory.place.clone()));
            if level.is_empty() {
                break;
            }
            let mut next = Vec::new();
            for mut listing in list(&level) {
                if listing.is_rollup {
                    self.problem(&listing.directory, SourceError::Rollup);
                    continue;
                }
                next.append(&mut listing.directories);
                self.listing(listing, walk, &mut links);
            }
            level = next;
        }
        // Sorted, so that of two links to one directory the same one is followed every time.
        links.sort_by(|(one, ..), (other, ..): &(PathBuf, _, _)| one.cmp(other));
        walk.links.extend(links.into_iter().map(|(_, path, link)| (path, link)));
    }

    /// Adds what a directory holds: files, and links to other directories.
    fn listing(&mut self, listing: Listing, walk: &Walk, links: &mut Vec<Link>) {
        let Listing { directory, place, files, rest, broken, .. } = listing;
        // Most runs name no file beside a directory and need no place of a file.
        let is_new =
            |name: &OsStr| walk.files.is_empty() || !walk.files.contains(&place.join(name));
        for (name, size, modified) in files {
            if is_new(&name) {
                let input = Input::File(FilePath::new(&directory, name));
                let size = Some(size);
                self.found.sources.push(Source { input, size, modified, listed: None });
            }
        }
        for (name, rest) in rest {
            if !is_new(&name) {
                continue;
            }
            match rest {
                Rest::Link(target) => {
                    let link = Directory { place: target, path: directory.join(&name).into() };
                    let place = place.join(&name);
                    links.push((place, FilePath::new(&directory, name), link));
                }
                Rest::SetAside(reason) => {
                    let path = FilePath::new(&directory, name);
                    self.found.set_aside.push(SetAside { path, reason });
                }
                Rest::Problem(error) => self.problem(&directory.join(name), error),
            }
        }
        if let Some(error) = broken {
            self.problem(&directory, unlisted(&directory, error));
        }
    }

    fn file(&mut self, path: PathBuf, size: Option<u64>, modified: Option<Time>) {
        let reason = key::kind(&file_name(&path));
        let path = FilePath::named(path);
        match reason {
            Some(reason) => self.found.set_aside.push(SetAside { path, reason }),
            None => {
                let input = Input::File(path);
                self.found.sources.push(Source { input, size, modified, listed: None });
            }
        }
    }

    fn problem(&mut self, path: &Path, error: SourceError) {
        self.found.problems.push(Problem { source: file_name(path), error });
    }
}

/// A link to a directory: the place of the link, its path, and where it leads.
type Link = (PathBuf, FilePath, Directory);

/// Lists directories, in their order.
pub(super) type List<'a> = dyn Fn(&[Directory]) -> Vec<Listing> + 'a;

/// What walks have met so far.
struct Walk {
    /// Places of the files that inputs name themselves.
    files: HashSet<PathBuf>,
    /// Places of the directories that were walked.
    directories: HashSet<PathBuf>,
    /// Links to directories that are still to be followed.
    links: Vec<(FilePath, Directory)>,
}

/// Parts sorted directories into those that are below no other of them, and the rest.
fn outermost(directories: Vec<Directory>) -> (Vec<Directory>, Vec<Directory>) {
    let (mut outer, mut inner) = (Vec::<Directory>::new(), Vec::new());
    for directory in directories {
        // Whatever is below a directory follows it at once.
        match outer.last() {
            Some(last) if directory.place.starts_with(&last.place) => inner.push(directory),
            _ => outer.push(directory),
        }
    }
    (outer, inner)
}

impl Directory {
    /// Looks into the directory, and into nothing below it.
    pub fn list(&self) -> Listing {
        let mut listing = Listing {
            directory: Arc::clone(&self.path),
            place: self.place.clone(),
            directories: Vec::new(),
            files: Vec::new(),
            rest: Vec::new(),
            broken: None,
            is_rollup: false,
        };
        let folders = key::of_folders(&file_name(&*self.path));
        match fs::read_dir(&self.path) {
            Ok(entries) => {
                for entry in entries {
                    match entry {
                        Ok(entry) => listing.entry(&entry, folders),
                        Err(error) => listing.broken = Some(error),
                    }
                }
            }
            Err(error) => listing.broken = Some(error),
        }
        listing.files.sort_unstable();
        // So nearly everything is found in order, and sorting it at last is a look at it.
        listing.directories.sort_unstable_by(|one, other| one.place.cmp(&other.place));
        listing
    }
}

impl Listing {
    /// Adds an entry of a directory whose own key says `folders` of every file in it.
    fn entry(&mut self, entry: &DirEntry, folders: Option<SourceReason>) {
        let name = entry.file_name();
        let found = entry.file_type().and_then(|found| {
            if found.is_dir() {
                self.is_rollup |= name == ROLLUP && is_rollup(&self.directory);
                return Ok(Entry::Directory);
            }
            if found.is_file() {
                // What is set aside by its key needs no look at the file.
                return Ok(match self.reason(&name, folders) {
                    Some(reason) => Entry::Rest(Rest::SetAside(reason)),
                    None => Entry::file(&entry.metadata()?),
                });
            }
            if !found.is_symlink() {
                return Ok(Entry::Rest(Rest::SetAside(SourceReason::NotAFile)));
            }
            let path = self.directory.join(&name);
            let metadata = fs::metadata(&path)?;
            Ok(match self.reason(&name, folders) {
                _ if metadata.is_dir() => Entry::Rest(Rest::Link(fs::canonicalize(&path)?)),
                _ if !metadata.is_file() => Entry::Rest(Rest::SetAside(SourceReason::NotAFile)),
                Some(reason) => Entry::Rest(Rest::SetAside(reason)),
                None => Entry::file(&metadata),
            })
        });
        match found {
            Ok(Entry::Directory) => self.directories.push(Directory {
                place: self.place.join(&name),
                path: self.directory.join(&name).into(),
            }),
            Ok(Entry::File(size, modified)) => self.files.push((name, size, modified)),
            Ok(Entry::Rest(rest)) => self.rest.push((name, rest)),
            Err(error) => {
                let error = unlisted(&self.directory.join(&name), error);
                self.rest.push((name, Rest::Problem(error)));
            }
        }
    }

    /// Returns why a file of this name holds no event, as far as its key tells.
    fn reason(&self, name: &OsStr, folders: Option<SourceReason>) -> Option<SourceReason> {
        match name.to_str() {
            Some(name) if name.bytes().all(|byte| matches!(byte, b' '..0x7f) && byte != b'\\') => {
                folders.or_else(|| key::of_file(name))
            }
            // Made printable, the name may look like a path of folders.
            _ => key::kind(&file_name(self.directory.join(name))),
        }
    }
}

/// What an entry of a directory is.
enum Entry {
    Directory,
    File(u64, Option<Time>),
    Rest(Rest),
}

impl Entry {
    fn file(metadata: &Metadata) -> Self {
        Self::File(metadata.len(), modified(metadata))
    }
}

/// Returns the bytes of a file; a pipe or device has no size to tell.
fn size(metadata: &Metadata) -> Option<u64> {
    metadata.is_file().then_some(metadata.len())
}

/// Returns the size of a file, and when it was last changed.
pub(super) fn look(path: &Path) -> (Option<u64>, Option<Time>) {
    fs::metadata(path).map_or((None, None), |found| (size(&found), modified(&found)))
}

/// Returns when a file was last changed.
fn modified(metadata: &Metadata) -> Option<Time> {
    let modified = metadata.modified().ok().filter(|_| metadata.is_file())?;
    let micros = match modified.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_micros()).ok()?,
        Err(before) => -i64::try_from(before.duration().as_micros()).ok()?,
    };
    Some(Time::from_micros(micros))
}

fn unlisted(path: &Path, error: io::Error) -> SourceError {
    let broken_link = error.kind() == io::ErrorKind::NotFound && is_link(path);
    if broken_link { SourceError::BrokenLink } else { SourceError::Listing(error) }
}

fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink())
}
