//! A folder of AWS's service reference files as a catalogue (C3); knows not how it came here.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use flate2::Crc;
use hashbrown::HashMap;
use serde::Deserialize;
use walkdir::WalkDir;

use super::{Action, Catalog, Interned, Resources, Service};

/// Why a folder is no catalogue.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The folder or one within it cannot be listed.
    #[error("{}: cannot be listed", folder.display())]
    Folder {
        /// The folder, or the one within it.
        folder: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// A file cannot be read.
    #[error("{}: cannot be read", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// A file is not of the service reference.
    #[error("{}: not a service reference file: {source}", file.display())]
    Broken {
        /// The file.
        file: PathBuf,
        /// What is wrong, with line and column.
        source: serde_json::Error,
    },
    /// A namespace or an action has a name that policies could not name.
    #[error(
        "{}: `{name}` is no name of a service (small letters, digits, hyphens) or an action \
         (letters, digits, hyphens)",
        file.display()
    )]
    Name {
        /// The file.
        file: PathBuf,
        /// The name.
        name: String,
    },
    /// A file describes an action twice.
    #[error("{}: action `{action}` occurs twice", file.display())]
    ActionTwice {
        /// The file.
        file: PathBuf,
        /// The name of the action, as it occurs the second time.
        action: String,
    },
    /// Two files describe one service, each otherwise.
    #[error(
        "{}: service `{namespace}` is described otherwise in {}: keep one of them",
        file.display(),
        earlier.display()
    )]
    ServiceTwice {
        /// The file read later.
        file: PathBuf,
        /// The file read before.
        earlier: PathBuf,
        /// The namespace of both.
        namespace: String,
    },
    /// There is no service reference file.
    #[error(
        "{}: no service reference file: give the folder that holds \
         `v1/<service>/<service>.json` or `<service>.json`",
        folder.display()
    )]
    Empty {
        /// The folder that was given.
        folder: PathBuf,
    },
    /// There are more services, actions or patterns than a catalogue can hold.
    #[error("{}: more than a catalogue can hold", file.display())]
    TooMuch {
        /// The file that is one too many.
        file: PathBuf,
    },
}

/// One file of the service reference; what else it has is of no interest here.
#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "PascalCase", expecting = "a service with `Name` and `Actions`")]
struct ServiceFile {
    name: String,
    actions: Vec<ActionEntry>,
    #[serde(default)]
    resources: Option<Vec<ResourceEntry>>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "PascalCase", expecting = "an action with `Name`")]
struct ActionEntry {
    name: String,
    #[serde(default)]
    resources: Option<Vec<ResourceName>>,
    #[serde(default)]
    supported_by: Option<SupportedBy>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "PascalCase", expecting = "a resource type with `Name`")]
struct ResourceName {
    name: String,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(expecting = "the features that support the action")]
struct SupportedBy {
    #[serde(rename = "IAM Action Last Accessed", default)]
    last_accessed: Option<bool>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "PascalCase", expecting = "a resource type with `Name` and `ARNFormats`")]
struct ResourceEntry {
    name: String,
    #[serde(rename = "ARNFormats", default)]
    arn_formats: Option<Vec<String>>,
}

/// An entry of the index that AWS publishes beside the files.
#[derive(Deserialize)]
#[serde(expecting = "an entry of the index with `service` and `url`")]
struct IndexEntry {
    #[serde(rename = "service")]
    _service: String,
    #[serde(rename = "url")]
    _url: String,
}

/// Reads the files of `folder` over the facts of `base`.
pub(super) fn load(folder: &Path, base: &Catalog) -> Result<Catalog, CatalogError> {
    let mut read = Vec::new();
    for entry in WalkDir::new(folder).follow_links(true).sort_by_file_name() {
        let entry = entry.map_err(|error| CatalogError::Folder {
            folder: error.path().unwrap_or(folder).to_owned(),
            source: error
                .into_io_error()
                .unwrap_or_else(|| io::Error::other("a link leads back to it")),
        })?;
        let json = entry.path().extension().is_some_and(|it| it.eq_ignore_ascii_case("json"));
        if !json || !entry.file_type().is_file() {
            continue;
        }
        let file = entry.into_path();
        let bytes =
            fs::read(&file).map_err(|source| CatalogError::Read { file: file.clone(), source })?;
        if let Some(service) = service_file(&file, &bytes)? {
            let mut checksum = Crc::new();
            checksum.update(&bytes);
            read.push((file, service, checksum.sum()));
        }
    }
    if read.is_empty() {
        return Err(CatalogError::Empty { folder: folder.to_owned() });
    }
    // The order of the names, not of the folders: the same files lie flat or nested.
    read.sort_by(|(_, a, _), (_, b, _)| a.name.cmp(&b.name));
    let mut checksum = Crc::new();
    read.iter().for_each(|(_, _, sum)| checksum.update(&sum.to_le_bytes()));
    let read = read.into_iter().map(|(file, service, _)| (file, service));
    let mut catalog = merge(read, base)?;
    let base = base.version();
    catalog.version = format!("service reference folder {:08x} over {base}", checksum.sum());
    Ok(catalog)
}

/// Reads one file; none if it is AWS's index of the others.
fn service_file(file: &Path, bytes: &[u8]) -> Result<Option<ServiceFile>, CatalogError> {
    let broken = |source| CatalogError::Broken { file: file.to_owned(), source };
    let json = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if json.trim_ascii_start().first() == Some(&b'[') {
        serde_json::from_slice::<Vec<IndexEntry>>(json).map_err(broken)?;
        return Ok(None);
    }
    let service: ServiceFile = serde_json::from_slice(json).map_err(broken)?;
    let plain = |name: &str, of: fn(u8) -> bool| !name.is_empty() && name.bytes().all(of);
    let namespace = plain(&service.name, |byte| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'
    });
    let mut names = service.actions.iter().map(|action| &action.name);
    let odd = if namespace {
        names.find(|name| !plain(name, |byte| byte.is_ascii_alphanumeric() || byte == b'-'))
    } else {
        Some(&service.name)
    };
    match odd {
        Some(name) => Err(CatalogError::Name { file: file.to_owned(), name: name.clone() }),
        None => Ok(Some(service)),
    }
}

/// Puts the services of the files over those of `base`.
fn merge(
    read: impl Iterator<Item = (PathBuf, ServiceFile)>,
    base: &Catalog,
) -> Result<Catalog, CatalogError> {
    let mut interned = Interned::default();
    for pattern in &base.patterns {
        interned.intern(pattern);
    }
    let mut catalog = base.clone();
    let mut earlier: Option<(PathBuf, ServiceFile)> = None;
    for (file, service) in read {
        if let Some((earlier, same)) = earlier.filter(|(_, earlier)| earlier.name == service.name) {
            if same != service {
                let namespace = service.name;
                return Err(CatalogError::ServiceTwice { file, earlier, namespace });
            }
        } else {
            put(&mut catalog, &mut interned, &file, &service)?;
        }
        earlier = Some((file, service));
    }
    catalog.patterns = interned.patterns;
    Ok(catalog)
}

/// Puts one service over the known one, or beside the others.
fn put(
    catalog: &mut Catalog,
    interned: &mut Interned,
    file: &Path,
    service: &ServiceFile,
) -> Result<(), CatalogError> {
    let too_much = || CatalogError::TooMuch { file: file.to_owned() };
    let found =
        catalog.services.binary_search_by(|known| known.namespace.as_str().cmp(&service.name));
    let known = found.ok().and_then(|position| catalog.services.get(position));
    let mut actions: HashMap<String, Action> = HashMap::new();
    for entry in &service.actions {
        let embedded = known.and_then(|known| known.action(&entry.name));
        let supported = entry.supported_by.as_ref().and_then(|it| it.last_accessed);
        let action = Action {
            name: entry.name.clone(),
            tracked: supported.unwrap_or(embedded.is_some_and(|action| action.tracked)),
            resources: resources(entry, service, interned).ok_or_else(too_much)?,
        };
        if actions.insert(entry.name.to_ascii_lowercase(), action).is_some() {
            let action = entry.name.clone();
            return Err(CatalogError::ActionTwice { file: file.to_owned(), action });
        }
    }
    for action in known.map_or(&[][..], |known| &known.actions) {
        actions.entry(action.name.to_ascii_lowercase()).or_insert_with(|| action.clone());
    }
    let actions: Vec<Action> = actions.into_values().collect();
    let (name, listed) = known.map_or((&service.name, true), |known| (&known.name, known.listed));
    u16::try_from(actions.len()).map_err(|_| too_much())?;
    let new = Service::new(service.name.clone(), name.clone(), listed, actions);
    match found {
        Ok(position) => catalog.services.splice(position..=position, [new]).for_each(drop),
        Err(position) => catalog.services.insert(position, new),
    }
    u16::try_from(catalog.services.len()).map_err(|_| too_much())?;
    Ok(())
}

/// Returns what an action of a file can work on; none if there are too many patterns.
///
/// A resource type that the file names and does not describe could have any ARN, so it makes the
/// action's resources unknown.
fn resources(
    entry: &ActionEntry,
    service: &ServiceFile,
    interned: &mut Interned,
) -> Option<Resources> {
    let types = entry.resources.as_deref().unwrap_or_default();
    if types.is_empty() {
        return Some(Resources::None);
    }
    let mut patterns = Vec::new();
    for wanted in types {
        let described = service.resources.iter().flatten().find(|it| it.name == wanted.name);
        let formats = described.and_then(|it| it.arn_formats.as_deref()).unwrap_or_default();
        if formats.is_empty() {
            return Some(Resources::Unknown);
        }
        for format in formats {
            patterns.push(interned.intern(&pattern(format))?);
        }
    }
    patterns.sort_unstable();
    patterns.dedup();
    Some(Resources::Patterns(patterns))
}

/// Writes `*` for every `${…}` of an ARN format, and one for several in a row (S8).
fn pattern(format: &str) -> String {
    let mut pattern = String::with_capacity(format.len());
    let mut rest = format;
    while let Some((before, placeholder)) = rest.split_once("${") {
        let Some((_, behind)) = placeholder.split_once('}') else { break };
        pattern.push_str(before);
        if !pattern.ends_with('*') {
            pattern.push('*');
        }
        rest = behind;
    }
    pattern.push_str(rest);
    pattern
}
