//! Which inputs there are: files, directories, patterns and standard input, each named once.
//!
//! A source is found here, its bytes are delivered by [`open`]. What the bytes mean is none of this
//! module's business: it knows no record and no account, and it starts no thread. The S3 key of a
//! log file ([`key`]) is a hint for setting aside what AWS keeps beside CloudTrail's logs (A25).

use std::cmp::Ordering;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::path::{MAIN_SEPARATOR_STR, Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::printable::{file_name, grouped};
use crate::time::Time;

mod find;
mod gzip;
pub mod key;
pub mod open;
mod parts;
mod stamp;
mod stream;
mod text;

pub use find::{Directory, Listing};
pub use parts::Parts;
pub use stream::may_expand;
pub use text::text_kind;

/// How a file is named until it is whole.
pub const UNFINISHED: &str = ".trailfold-";

/// The folder by which a directory is known as a rollup.
pub const ROLLUP: &str = "_trailfold";

/// One input to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Where the bytes come from.
    pub input: Input,
    /// Bytes of the file when it was found; none for standard input, pipes and devices.
    pub size: Option<u64>,
    /// When the file was last changed, where the system tells.
    pub modified: Option<Time>,
    /// What a listing of objects says of it, if one was given.
    pub listed: Option<Box<Listed>>,
}

/// What a listing says of an object that lies in a file here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// Its name there.
    pub name: Option<String>,
    /// Its ETag.
    pub etag: Option<String>,
}

impl Source {
    /// Returns the source of a file that a listing names; what the listing does not tell of it, the
    /// file system does.
    pub fn listed(
        path: PathBuf,
        size: Option<u64>,
        modified: Option<Time>,
        listed: Listed,
    ) -> Self {
        let found = find::look(&path);
        Self {
            input: Input::File(FilePath::named(path)),
            size: size.or(found.0),
            modified: modified.or(found.1),
            listed: (listed != Listed::default()).then(|| Box::new(listed)),
        }
    }

    /// Returns the name that a listing gives it, else the path as given by the user (and found below
    /// it), made printable without loss.
    pub fn name(&self) -> String {
        if let Some(name) = self.listed.as_ref().and_then(|listed| listed.name.as_ref()) {
            return name.clone();
        }
        match &self.input {
            Input::Stdin => "standard input".to_owned(),
            Input::File(path) => path.name(),
        }
    }

    /// Returns the last part of its name, as far as that is UTF-8.
    pub fn file_name(&self) -> Option<&str> {
        if let Some(name) = self.listed.as_ref().and_then(|listed| listed.name.as_deref()) {
            return Some(key::file_name(name));
        }
        match &self.input {
            Input::Stdin => None,
            Input::File(path) => path.file_name(),
        }
    }
}

/// Where the bytes of a source come from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Input {
    /// Standard input.
    Stdin,
    /// A file, a pipe or a device.
    File(FilePath),
}

/// The path of a file; it shares its directory's with the other files there, since there may be
/// millions. Ordered by the bytes of the whole path.
#[derive(Clone, Debug, Eq)]
pub struct FilePath {
    /// Empty where the name is all of it.
    directory: Arc<Path>,
    name: Box<OsStr>,
}

impl FilePath {
    /// Returns the path of what lies in `directory` under this name.
    fn new(directory: &Arc<Path>, name: OsString) -> Self {
        Self { directory: Arc::clone(directory), name: name.into() }
    }

    /// Returns a path that is written as it was given.
    pub fn named(path: PathBuf) -> Self {
        Self { directory: Arc::from(Path::new("")), name: path.into_os_string().into() }
    }

    /// Returns the path to open.
    pub fn to_path_buf(&self) -> PathBuf {
        self.directory.join(&*self.name)
    }

    /// Returns the path made printable without loss.
    pub fn name(&self) -> String {
        file_name(self.to_path_buf())
    }

    /// Returns the last part of the path, as far as that is UTF-8.
    pub fn file_name(&self) -> Option<&str> {
        Path::new(&*self.name).file_name()?.to_str()
    }

    /// Returns the path's bytes, in up to three pieces.
    fn bytes(&self) -> [&[u8]; 3] {
        let directory = self.directory.as_os_str().as_encoded_bytes();
        let separator = MAIN_SEPARATOR_STR.as_bytes();
        let is_parted = directory.is_empty() || directory.ends_with(separator);
        [directory, if is_parted { b"" } else { separator }, self.name.as_encoded_bytes()]
    }
}

/// Compares whole paths, wherever they are parted.
impl PartialEq for FilePath {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Ord for FilePath {
    fn cmp(&self, other: &Self) -> Ordering {
        if Arc::ptr_eq(&self.directory, &other.directory) {
            return self.name.as_encoded_bytes().cmp(other.name.as_encoded_bytes());
        }
        let (one, other) = (self.bytes(), other.bytes());
        let common = one[0].len().min(other[0].len());
        // The directories decide most of the time, and they are compared many bytes at once.
        let heads = one[0].get(..common).cmp(&other[0].get(..common));
        heads.then_with(|| {
            let one = one.into_iter().flatten().skip(common);
            one.cmp(other.into_iter().flatten().skip(common))
        })
    }
}

impl PartialOrd for FilePath {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What the inputs amount to.
#[derive(Debug, Default)]
pub struct Found {
    /// The sources in byte order of their paths, no file twice.
    pub sources: Vec<Source>,
    /// What lies among the sources and is not read, in byte order of the paths.
    pub set_aside: Vec<SetAside>,
    /// What could not be found or listed, in byte order of the names.
    pub problems: Vec<Problem>,
    /// Directories that are rollups, which are not looked into, in byte order of the paths.
    pub rollups: Vec<PathBuf>,
}

impl Found {
    /// Sets aside the sources that are not to be kept.
    pub fn retain(&mut self, is_kept: impl Fn(&Source) -> bool, reason: SourceReason) {
        let (kept, others) = self.sources.drain(..).partition(is_kept);
        self.sources = kept;
        let path = |source: Source| match source {
            Source { input: Input::File(path), listed: None, .. } => path,
            source => FilePath::named(PathBuf::from(source.name())),
        };
        let others: Vec<Source> = others;
        self.set_aside.extend(others.into_iter().map(|it| SetAside { path: path(it), reason }));
        self.set_aside.sort();
    }

    /// Adds the files that a listing names; what their names tell to hold no event is set aside.
    pub fn add(&mut self, listed: Vec<Source>) {
        for source in listed {
            match (key::kind(&source.name()), &source.input) {
                (Some(reason), Input::File(_)) => {
                    let path = FilePath::named(PathBuf::from(source.name()));
                    self.set_aside.push(SetAside { path, reason });
                }
                _ => self.sources.push(source),
            }
        }
        self.sources.sort_by(|one, other| one.input.cmp(&other.input));
        self.sources.dedup_by(|next, kept| next.input == kept.input);
        self.set_aside.sort();
        self.set_aside.dedup();
    }
}

/// Something that is known to hold no CloudTrail event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SetAside {
    /// Where it lies.
    pub path: FilePath,
    /// Why it is not read.
    pub reason: SourceReason,
}

/// A source that could not be read, or not to its end; what precedes the break counts (V3).
#[derive(Debug)]
pub struct Problem {
    /// The name of the source, or of the entry of an archive: `archive.zip/entry`.
    pub source: String,
    /// What went wrong.
    pub error: SourceError,
}

/// Prints `name: what went wrong`.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.source, self.error)
    }
}

/// Why an input could not be found or read.
#[derive(Debug, Error)]
pub enum SourceError {
    /// No input was given at all.
    #[error("no input: name a file, a directory, a pattern, or `-` for standard input")]
    NoInput,
    /// `-` was given more than once.
    #[error("`-`: standard input can be read only once")]
    StdinTwice,
    /// The input is an empty text.
    #[error("names nothing: is a variable of the calling script empty?")]
    EmptyName,
    /// The input names nothing.
    #[error("no such file or directory")]
    Missing,
    /// The pattern matches nothing.
    #[error("no such file, and as a pattern it matches none")]
    NoMatch,
    /// The input names nothing and is no pattern either.
    #[error("no such file, and it is no pattern: {0}")]
    Pattern(#[from] glob::PatternError),
    /// A symbolic link whose target does not exist.
    #[error("symbolic link to something that does not exist")]
    BrokenLink,
    /// A rollup in a directory of logs.
    #[error("is a rollup, which is no log: name it beside the logs, or keep it elsewhere")]
    Rollup,
    /// A directory could not be listed, or a file in it not be looked at.
    #[error("cannot be looked into: {}", words(.0))]
    Listing(#[source] io::Error),
    /// The file could not be opened.
    #[error("cannot be opened: {}", words(.0))]
    Opening(#[source] io::Error),
    /// Reading broke off; the bytes before were delivered.
    #[error("{} after {} bytes", words(.error), grouped(*.after))]
    Reading {
        /// What broke.
        #[source]
        error: io::Error,
        /// Bytes delivered before, as they are after decompression.
        after: u64,
    },
    /// Another program wrote to the file meanwhile.
    #[error("changed while it was read")]
    Changed,
    /// A log file that is not there, or not as it was delivered.
    #[error("{0}, and a digest lists it")]
    Integrity(String),
    /// A format that may hold logs and that this program does not read.
    #[error("{format} is not supported: {advice}")]
    Unsupported {
        /// The format by its usual name.
        format: &'static str,
        /// What to do about it.
        advice: &'static str,
    },
    /// Too many containers inside one another.
    #[error("more than {} containers inside one another: unpack the outer ones", open::MAX_LAYERS)]
    TooDeep,
    /// A zip archive that can only be read from memory is too large for it.
    #[error(
        "zip archive of more than {} bytes inside a stream: save it as a file of its own",
        grouped(open::MAX_ARCHIVE_IN_MEMORY)
    )]
    ArchiveTooLarge,
    /// A zip archive, or an entry of it, that cannot be made out.
    #[error("zip archive: {}", zip_words(.0))]
    Zip(#[source] zip::result::ZipError),
    /// An encrypted entry of a zip archive.
    #[error("encrypted zip entry: decrypt it first")]
    ZipEncrypted,
    /// An entry of a zip archive that is neither stored nor deflated.
    #[error("compression method of the zip entry is not supported: unpack the archive first")]
    ZipMethod,
    /// A zip archive with several entries of one name, of which one can be reached.
    #[error("zip archive: entries share a name and only one of them was read: unpack the archive")]
    ZipNames,
}

/// Why a source is set aside: it holds no CloudTrail event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SourceReason {
    /// Hashes of log files, delivered beside them.
    Digest,
    /// CloudTrail Insights events: unusual rates, no callers (A22).
    Insight,
    /// Aggregated data events: sums, no callers (A22).
    Aggregated,
    /// AWS Config history or snapshots.
    Config,
    /// VPC or transit gateway flow logs.
    VpcFlowLog,
    /// Amazon S3 server access logs.
    S3AccessLog,
    /// Access and connection logs of load balancers.
    LoadBalancerLog,
    /// Amazon CloudFront access logs.
    CloudFrontLog,
    /// AWS WAF logs.
    WafLog,
    /// Route 53 Resolver query logs.
    DnsQueryLog,
    /// Amazon GuardDuty findings.
    GuardDuty,
    /// AWS Network Firewall logs.
    NetworkFirewallLog,
    /// AWS Global Accelerator flow logs.
    GlobalAcceleratorLog,
    /// Amazon Redshift audit logs.
    RedshiftLog,
    /// Amazon VPC Lattice access logs.
    VpcLatticeLog,
    /// AWS Verified Access logs.
    VerifiedAccessLog,
    /// Amazon Bedrock model invocation logs.
    BedrockLog,
    /// Output of a run of this program that was broken off.
    Unfinished,
    /// Text or bytes that are no JSON.
    NotJson,
    /// A symbolic link to a directory that is read under another name, as in every loop.
    DirectoryLoop,
    /// A pipe, socket or device met in a directory.
    NotAFile,
    /// Nothing proves that CloudTrail delivered it, and it was asked for what is proven.
    NotVerified,
}

/// Prints what the source is, for people.
impl fmt::Display for SourceReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Digest => "CloudTrail digest",
            Self::Insight => "CloudTrail Insights events",
            Self::Aggregated => "CloudTrail aggregated events",
            Self::Config => "AWS Config history or snapshot",
            Self::VpcFlowLog => "VPC flow log",
            Self::S3AccessLog => "S3 server access log",
            Self::LoadBalancerLog => "load balancer log",
            Self::CloudFrontLog => "CloudFront log",
            Self::WafLog => "WAF log",
            Self::DnsQueryLog => "Route 53 Resolver query log",
            Self::GuardDuty => "GuardDuty findings",
            Self::NetworkFirewallLog => "Network Firewall log",
            Self::GlobalAcceleratorLog => "Global Accelerator flow log",
            Self::RedshiftLog => "Redshift audit log",
            Self::VpcLatticeLog => "VPC Lattice access log",
            Self::VerifiedAccessLog => "Verified Access log",
            Self::BedrockLog => "Bedrock model invocation log",
            Self::Unfinished => "unfinished output of trailfold",
            Self::NotJson => "not JSON",
            Self::DirectoryLoop => "link to a directory that is read already",
            Self::NotAFile => "pipe, socket or device inside a directory",
            Self::NotVerified => "log file that no digest proves",
        })
    }
}

/// Returns whether a directory is a rollup.
pub fn is_rollup(directory: &Path) -> bool {
    directory.join(ROLLUP).join("runs").is_dir()
}

/// Finds every source that `inputs` name: `-` for standard input, files, directories (all of what
/// is in them, links followed, each directory once), and patterns where no file of that name exists.
///
/// A missing input, a pattern without a match and a directory that cannot be listed are problems
/// of the result; the rest is found nevertheless.
///
/// # Errors
/// No input at all, or standard input more than once.
pub fn find(inputs: &[OsString]) -> Result<Found, SourceError> {
    find_with(inputs, None, &|directories| directories.iter().map(Directory::list).collect())
}

/// Does the same as [`find()`] with a `list` that calls [`Directory::list`] of every directory that
/// it is given, on several threads if it likes, and returns the results in the same order. What
/// lies in the directory `except` is left out.
///
/// # Errors
/// No input at all, or standard input more than once.
pub fn find_with(
    inputs: &[OsString],
    except: Option<&Path>,
    list: &dyn Fn(&[Directory]) -> Vec<Listing>,
) -> Result<Found, SourceError> {
    if inputs.is_empty() {
        return Err(SourceError::NoInput);
    }
    let mut search = find::Search::default();
    for input in inputs {
        if input == "-" {
            search.stdin()?;
        } else {
            search.input(input);
        }
    }
    Ok(search.finish(except, list))
}

/// Returns what an I/O error says, in this program's words where it has some.
fn words(error: &io::Error) -> String {
    let known = match error.kind() {
        // An error that does not come from the operating system has words of its own.
        _ if error.get_ref().is_some() => None,
        io::ErrorKind::NotFound => Some("the file is not there any more"),
        io::ErrorKind::PermissionDenied => Some("permission denied"),
        io::ErrorKind::IsADirectory => Some("it is a directory"),
        io::ErrorKind::NotADirectory => Some("a part of its path is not a directory"),
        io::ErrorKind::UnexpectedEof => Some("unexpected end"),
        _ => None,
    };
    let text = known.map_or_else(|| error.to_string(), str::to_owned);
    text.split(" (os error ").next().unwrap_or_default().to_owned()
}

/// Returns what is wrong with a zip archive, as the fragment of a sentence.
fn zip_words(error: &zip::result::ZipError) -> String {
    match error {
        zip::result::ZipError::Io(error) => words(error),
        error => error.to_string().to_lowercase(),
    }
}

#[cfg(test)]
mod tests;
