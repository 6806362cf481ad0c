//! What is read of the files of a dump: the hash of each, where it stands, and the digests among
//! them. What the digests prove is not known here.

use std::fmt;
use std::io::{self, Read as _};
use std::path::{Component, Path};

use sha2::{Digest as _, Sha256};

use super::digest::Digest;
use crate::source::open::{self, Reader};
use crate::source::{Problem, Source, SourceReason, key, text_kind};

/// The largest digest that is read, decompressed, in bytes: one of an hour with 40,000 log files.
const LARGEST_DIGEST: usize = 16 << 20;

/// What is read at once, and the part of a file that tells what it is.
const CHUNK: usize = 64 << 10;

/// A member that every digest has, and no log file at its beginning.
const DIGEST_MEMBER: &[u8] = b"\"digestS3Object\"";

/// How far into a file that member is looked for.
const DIGEST_HEAD: usize = 4 << 10;

/// As much of a file as tells what kind of text it is.
const TEXT_HEAD: usize = 1024;

/// A SHA-256 hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Hash([u8; 32]);

impl Hash {
    /// Reads 64 hexadecimal digits.
    pub(super) fn of_hex(digits: &str) -> Option<Self> {
        bytes_of_hex(digits)?.try_into().ok().map(Self)
    }
}

/// Prints hexadecimal digits, as digests do.
impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Reads pairs of hexadecimal digits.
pub(super) fn bytes_of_hex(digits: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, []) = digits.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

/// A file of the dump, or an entry of an archive in it.
#[derive(Debug)]
pub(super) struct Body {
    /// Its name, made printable.
    pub(super) name: String,
    /// Which of the sources it comes from.
    pub(super) source: usize,
    /// Where it stands, as far as CloudTrail decides that (see [`standing`]).
    pub(super) standing: Option<String>,
    /// The hash of its content, decompressed; none if it could not be read to its end.
    pub(super) hash: Option<Hash>,
    /// Whether something stands behind the compressed content.
    pub(super) followed: bool,
    /// What it is.
    pub(super) content: Content,
}

/// What a file is.
#[derive(Debug)]
pub(super) enum Content {
    /// A digest; none if it has not the form of one.
    Digest(Option<Box<Digest>>),
    /// Something that may hold events.
    Json,
    /// Something without a single object, so far as it was read.
    Blank,
    /// What no report reads: its key or its first line tells that it holds no events.
    Other,
}

/// What reading a source came to.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) bodies: Vec<Body>,
    pub(super) problems: Vec<Problem>,
    /// Bytes taken from the source.
    pub(super) bytes: u64,
}

/// Reads the source of this number to its end; relative paths begin in the directory `here`.
///
/// It is read as a stream, whatever its size, so that what follows the compressed content is noticed.
pub(super) fn read(number: usize, source: &Source, here: &Path) -> Reading {
    let name = source.name();
    let mut bodies = Vec::new();
    let stream = Source { size: None, ..source.clone() };
    let body = |name: &str, hash, content| Body {
        name: name.to_owned(),
        source: number,
        standing: standing(name, here),
        hash,
        followed: false,
        content,
    };
    let reading = Reader::default().read(&name, &stream, &mut |name, input| {
        let (outcome, content) = read_body(name, input);
        let (hash, outcome) = outcome.map_or_else(|it| (None, Err(it)), |it| (Some(it), Ok(())));
        bodies.push(body(name, hash, content));
        outcome
    });
    if bodies.is_empty() {
        // What holds nothing has a hash all the same; what cannot be opened has none.
        let hash = reading.problems.is_empty().then(|| Hash(Sha256::digest(b"").into()));
        let content = if is_digest(&name, b"") { Content::Digest(None) } else { Content::Blank };
        bodies.push(body(&name, hash, content));
    }
    if let [body] = &mut *bodies
        && body.name == name
        && reading.followed
    {
        body.followed = true;
        if let Content::Digest(digest) = &mut body.content {
            *digest = None;
        }
    }
    Reading { bodies, problems: reading.problems, bytes: reading.bytes }
}

/// Reads one body: its hash, unless it breaks off, and what it is.
fn read_body(name: &str, input: &mut open::Body<'_>) -> (io::Result<Hash>, Content) {
    let mut hasher = Sha256::new();
    let mut chunk = vec![0; CHUNK];
    let mut kept = Vec::new();
    let mut content = None;
    let mut broken = None;
    loop {
        let read = match fill(input, &mut chunk) {
            Ok(read) => read,
            Err(error) => {
                broken = Some(error);
                break;
            }
        };
        let bytes = chunk.get(..read).unwrap_or_default();
        let content = content.get_or_insert_with(|| kind(name, bytes));
        if read == 0 {
            break;
        }
        hasher.update(bytes);
        if matches!(content, Content::Blank) && memchr::memchr(b'{', bytes).is_some() {
            *content = Content::Json;
        }
        if matches!(content, Content::Digest(_)) && kept.len() <= LARGEST_DIGEST {
            kept.extend_from_slice(bytes);
        }
    }
    let content = match content.unwrap_or_else(|| kind(name, b"")) {
        Content::Digest(_) if broken.is_none() && kept.len() <= LARGEST_DIGEST => {
            Content::Digest(Digest::parse(&kept).map(Box::new))
        }
        content => content,
    };
    let hash = broken.map_or_else(|| Ok(Hash(hasher.finalize().into())), Err);
    (hash, content)
}

/// Fills the chunk, as far as the input goes.
fn fill(input: &mut open::Body<'_>, chunk: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(free) = chunk.get_mut(filled..).filter(|free| !free.is_empty()) {
        match input.read(free)? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}

/// Tells what a file of this name is that begins with these bytes.
fn kind(name: &str, head: &[u8]) -> Content {
    if is_digest(name, head) {
        Content::Digest(None)
    } else if key::kind(name).or_else(|| text_kind(head.get(..TEXT_HEAD).unwrap_or(head))).is_some()
    {
        Content::Other
    } else {
        Content::Blank
    }
}

/// A digest is known by its key, and, wherever it was put, by its content.
fn is_digest(name: &str, head: &[u8]) -> bool {
    let head = head.get(..DIGEST_HEAD).unwrap_or(head);
    key::kind(name) == Some(SourceReason::Digest)
        || memchr::memmem::find(head, DIGEST_MEMBER).is_some()
}

/// Returns where a path stands as far as CloudTrail decides that: from the account on, without the
/// suffix of a compression. Everything in front is the user's own choice.
pub(super) fn standing(path: &str, here: &Path) -> Option<String> {
    let path = here.join(path);
    let mut parts: Vec<&str> = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::ParentDir => _ = parts.pop(),
            _ => {}
        }
    }
    standing_of(&parts)
}

/// Returns where a key says that its object stands, as [`standing`] does.
pub(super) fn standing_of_key(key: &str) -> Option<String> {
    standing_of(&key.split('/').collect::<Vec<_>>())
}

fn standing_of(parts: &[&str]) -> Option<String> {
    // `…/ACCOUNT/CloudTrail/REGION/…`, in whatever folder.
    let kind = parts.iter().rposition(|part| part.starts_with("CloudTrail"))?;
    let (file_name, _) = parts.split_last()?;
    let account = kind.checked_sub(1).filter(|_| kind + 1 < parts.len())?;
    let folders = parts.get(account..parts.len() - 1)?;
    Some(format!("{}/{}", folders.join("/"), stem(file_name)))
}

/// Returns the name of a file without the suffix of a compression.
pub(super) fn stem(file_name: &str) -> &str {
    let suffixes = [".gz", ".zst"];
    suffixes.iter().find_map(|suffix| file_name.strip_suffix(suffix)).unwrap_or(file_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stands_where_its_key_says() {
        let key = "prefix/AWSLogs/o-x/111122223333/CloudTrail/us-east-2/2015/08/17/a.json.gz";
        let standing_of_it = "111122223333/CloudTrail/us-east-2/2015/08/17/a.json";
        assert_eq!(standing_of_key(key).as_deref(), Some(standing_of_it));
        let here = Path::new("/dump/AWSLogs/111122223333/CloudTrail/us-east-2");
        for path in [
            "/other/111122223333/CloudTrail/us-east-2/2015/08/17/a.json",
            "archive.zip/AWSLogs/111122223333/CloudTrail/us-east-2/2015/08/17/a.json.zst",
            "2015/08/17/a.json.gz",
            "./2015/08/17/a.json.gz",
            "../../CloudTrail/us-east-2/2015/08/17/a.json.gz",
        ] {
            assert_eq!(standing(path, here).as_deref(), Some(standing_of_it), "{path}");
        }
        for path in ["/a.json.gz", "/CloudTrail/a.json.gz", "/x/CloudTrail", "/", ""] {
            assert_eq!(standing(path, Path::new("/")), None, "{path}");
        }
        let other = standing("2015/08/18/a.json.gz", here);
        assert_ne!(other.as_deref(), Some(standing_of_it));
    }

    #[test]
    fn a_digest_is_read_up_to_its_bound_in_length_and_depth() {
        let digest = r#"{"digestStartTime":"2026-01-15T09:01:31Z",
            "digestEndTime":"2026-01-15T10:01:31Z","digestS3Bucket":"b","digestS3Object":
            "AWSLogs/1/CloudTrail-Digest/1_CloudTrail-Digest_r_t_h_20260115T100131Z.json.gz",
            "digestPublicKeyFingerprint":"f","previousDigestSignature":null,"logFiles":null,
            "x":"#;
        let is_read = |value: &str, blanks: usize| {
            let text = format!("{digest}{value}{}}}", " ".repeat(blanks));
            let (hash, content) = read_body("x.json", &mut open::Body::Whole(text.as_bytes()));
            assert!(hash.is_ok(), "whatever it is, it is hashed");
            let Content::Digest(digest) = content else { panic!("{content:?}") };
            digest.is_some()
        };
        assert!(is_read("[]", LARGEST_DIGEST / 2));
        assert!(!is_read("[]", LARGEST_DIGEST));
        assert!(!is_read(&"[".repeat(1 << 20), 0));
    }

    #[test]
    fn hexadecimal_digits_come_in_pairs() {
        assert_eq!(bytes_of_hex("00fFa1"), Some(vec![0, 255, 161]));
        assert_eq!(bytes_of_hex(""), Some(Vec::new()));
        for digits in ["0", "0g", "0é", "+1", " 1"] {
            assert_eq!(bytes_of_hex(digits), None, "{digits}");
        }
        let hash = Hash(Sha256::digest(b"").into());
        assert_eq!(Hash::of_hex(&hash.to_string()), Some(hash));
        assert_eq!(Hash::of_hex("00"), None);
    }
}
