//! The bytes of a source, decompressed and unpacked, told apart by what they are.
//!
//! Names decide nothing here: a gzip file may be called `.json` and the reverse. Streams are
//! delivered as they come, so that memory does not grow with a file; a zip archive alone is needed
//! as a whole and is mapped, or held in memory where it comes from a stream. What the delivered
//! bytes mean, and a byte order mark before them, is left to the reader of events.

mod whole;

use std::fs::File;
use std::io::{self, BufReader, Cursor, ErrorKind, Read, Seek as _};

use memmap2::Mmap;
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use whole::Whole;

use super::gzip::Gzip;
use super::stamp::Stamp;
use super::stream::{Delivery, Head, Made, Taken, Tally, length};
use super::{Input, Problem, Source, SourceError};
use crate::printable;

/// The most containers that may stand inside one another: a gzip stream in a zip archive is two.
pub const MAX_LAYERS: usize = 4;

/// The largest zip archive that is held in memory because it is no file of its own, in bytes.
pub const MAX_ARCHIVE_IN_MEMORY: u64 = 1 << 30;

/// The bytes that tell a format: the mark of a tar archive ends at 262.
pub(super) const HEAD: usize = 512;

/// Bytes read from a source at once.
const SOURCE_BUFFER: usize = 64 << 10;

/// Bytes buffered behind a decoder; larger reads pass the buffer by.
const DECODED_BUFFER: usize = 4 << 10;

/// Bytes asked of a zstd decoder at once: about a block, which is what a break in it can take away. They
/// are as many however many somebody asks for, so that a break takes the same.
const ZSTD_READ: usize = 128 << 10;

/// Bytes asked of the decoder of a zip entry at once, as of one of zstd.
const ENTRY_READ: usize = 32 << 10;

/// What is called with each body: its name and its bytes, of which it reads as many as it wants.
pub type Each<'a> = dyn FnMut(&str, &mut Body<'_>) -> io::Result<()> + 'a;

/// The bytes of a body, decompressed.
pub enum Body<'a> {
    /// All of them. Reading takes them off the front.
    Whole(&'a [u8]),
    /// As they come.
    Stream(&'a mut dyn Read),
}

impl Read for Body<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Whole(bytes) => bytes.read(buf),
            Self::Stream(stream) => stream.read(buf),
        }
    }
}

/// What reading a source came to.
#[derive(Debug, Default)]
pub struct Reading {
    /// Bytes taken from the source, as they are before decompression.
    pub bytes: u64,
    /// Bodies handed out: one of a plain or compressed file, one an entry of an archive.
    pub bodies: u64,
    /// Bodies without a single byte, which are not handed out.
    pub empty: u64,
    /// Whether something stands behind the first member of a gzip stream: another member, or
    /// padding. It is told of streams alone: of standard input, and of sources without a size.
    pub followed: bool,
    /// What could not be read, or not to its end.
    pub problems: Vec<Problem>,
}

impl Reading {
    /// Returns whether the source was read and holds nothing at all.
    pub const fn is_empty(&self) -> bool {
        self.bodies == 0 && self.problems.is_empty()
    }
}

/// Reads sources one after the other with the same buffers.
#[derive(Default)]
pub struct Reader {
    whole: Whole,
}

impl Reader {
    /// Hands the bytes of `source` to `each`, decompressed, one call a body.
    ///
    /// The name of a body is `name`, the source's, or `archive.zip/entry`, which may be asked of
    /// [`key::kind`](super::key::kind) too. Whatever precedes a break is delivered; the break is a
    /// problem of the result, also when `each` does not pass the error on. An error of `each`
    /// itself ends that body alone and is a problem as well.
    pub fn read(&mut self, name: &str, source: &Source, each: &mut Each<'_>) -> Reading {
        let tally = Tally::default();
        let mut opening = Opening { each, tally: &tally, reading: Reading::default() };
        let opened = match &source.input {
            Input::Stdin => standard_input(),
            Input::File(path) => File::open(path.to_path_buf()),
        };
        match opened {
            Ok(file) => {
                let stamp = Stamp::of(&file);
                if source.input == Input::Stdin {
                    let mut input = Taken { input: io::stdin().lock(), tally: &tally };
                    opening.body(name, &mut input, Place { layer: 0, file: None });
                } else {
                    self.file(name, &file, source.size, &stamp, &mut opening);
                }
                if let Err(error) = stamp.compare(&file, tally.taken()) {
                    opening.problem(name, error);
                }
            }
            Err(error) => opening.problem(name, SourceError::Opening(error)),
        }
        Reading { bytes: tally.taken(), followed: tally.followed.get(), ..opening.reading }
    }

    fn file(
        &mut self,
        name: &str,
        mut file: &File,
        size: Option<u64>,
        stamp: &Stamp,
        opening: &mut Opening<'_, '_>,
    ) {
        let tally = opening.tally;
        if let Some(size) = size.filter(|size| (1..=whole::LARGEST_FILE).contains(size)) {
            if let Some(bytes) = self.whole.read(&mut file, size) {
                let (length, format) = (bytes.len(), Format::of(bytes));
                tally.set_taken(bytes.len() as u64);
                match format {
                    Format::Plain if !bytes.is_empty() => {
                        return opening.deliver_whole(name, bytes);
                    }
                    Format::Gzip => {
                        if let Some(content) = self.whole.inflate(length)
                            && Format::of(content) == Format::Plain
                        {
                            return opening.deliver_whole(name, content);
                        }
                    }
                    _ => {}
                }
            }
            tally.set_taken(0);
            if let Err(error) = file.rewind() {
                return opening.problem(name, SourceError::Opening(error));
            }
        }
        let mut input = Taken { input: file, tally };
        let file = stamp.size().map(|_| file);
        opening.body(name, &mut input, Place { layer: 0, file });
    }
}

/// Returns another handle of what standard input is.
fn standard_input() -> io::Result<File> {
    #[cfg(unix)]
    let handle = std::os::fd::AsFd::as_fd(&io::stdin()).try_clone_to_owned();
    #[cfg(windows)]
    let handle = std::os::windows::io::AsHandle::as_handle(&io::stdin()).try_clone_to_owned();
    handle.map(File::from)
}

/// Where a stream stands.
#[derive(Clone, Copy)]
struct Place<'f> {
    /// The containers around it.
    layer: usize,
    /// The regular file whose bytes it is, when there is no container around it.
    file: Option<&'f File>,
}

struct Opening<'a, 'e> {
    each: &'a mut Each<'e>,
    tally: &'a Tally,
    reading: Reading,
}

impl Opening<'_, '_> {
    fn problem(&mut self, name: &str, error: SourceError) {
        self.reading.problems.push(Problem { source: name.to_owned(), error });
    }

    /// Delivers one stream, or what it contains.
    fn body(&mut self, name: &str, input: &mut dyn Read, place: Place<'_>) {
        let capacity = if place.layer == 0 { SOURCE_BUFFER } else { DECODED_BUFFER };
        let head = Head::new(input, capacity, HEAD);
        if head.peek().is_empty() {
            match head.broken() {
                Some(broken) => {
                    let error = SourceError::Reading { error: broken.error(), after: 0 };
                    self.problem(name, error);
                }
                None => self.reading.empty += 1,
            }
            return;
        }
        let format = Format::of(head.peek());
        if place.layer >= MAX_LAYERS && format.is_container() {
            return self.problem(name, SourceError::TooDeep);
        }
        let (tally, inside) = (self.tally, Place { layer: place.layer + 1, file: None });
        match format {
            Format::Plain => self.deliver(name, head),
            Format::Gzip => {
                let input = Gzip::new(head, &tally.followed);
                self.body(name, &mut Made { input, tally }, inside);
            }
            Format::Zstd => match Zstd::new(head) {
                Ok(input) => {
                    let input = BufReader::with_capacity(ZSTD_READ, input);
                    self.body(name, &mut Made { input, tally }, inside);
                }
                Err(error) => self.problem(name, SourceError::Reading { error, after: 0 }),
            },
            Format::Zip => match archive_bytes(head, place.file, tally, MAX_ARCHIVE_IN_MEMORY) {
                Ok(bytes) => self.archive(name, bytes.as_ref(), inside),
                Err(error) => self.problem(name, error),
            },
            Format::Foreign { format, advice } => {
                self.problem(name, SourceError::Unsupported { format, advice });
            }
        }
    }

    /// Delivers a body that is there as a whole.
    fn deliver_whole(&mut self, name: &str, bytes: &[u8]) {
        if bytes.is_empty() {
            self.reading.empty += 1;
            return;
        }
        let outcome = (self.each)(name, &mut Body::Whole(bytes));
        self.reading.bodies += 1;
        if let Err(error) = outcome {
            let after = length(bytes.len());
            self.problem(name, SourceError::Reading { error, after });
        }
    }

    fn deliver(&mut self, name: &str, input: impl Read) {
        let mut delivery = Delivery::new(input);
        let outcome = (self.each)(name, &mut Body::Stream(&mut delivery));
        self.reading.bodies += 1;
        let (after, broken) = delivery.outcome();
        if let Some(error) = broken.or(outcome.err()) {
            self.problem(name, SourceError::Reading { error, after });
        }
    }

    /// Delivers every entry of a zip archive that can be read.
    fn archive(&mut self, name: &str, bytes: &[u8], inside: Place<'_>) {
        let mut archive = match ZipArchive::new(Cursor::new(bytes)) {
            Ok(archive) => archive,
            Err(error) => return self.problem(name, zip_error(error)),
        };
        if archive.has_duplicate_names() {
            self.problem(name, SourceError::ZipNames);
        }
        let tally = self.tally;
        let names: Vec<String> = archive
            .file_names_raw()
            .map(|raw| format!("{name}/{}", printable::bytes(raw, false)))
            .collect();
        for (index, entry_name) in names.iter().enumerate() {
            match archive.by_index(index) {
                Ok(entry) if entry.is_dir() => {}
                Ok(entry) if !is_supported(entry.compression()) => {
                    self.problem(entry_name, SourceError::ZipMethod);
                }
                Ok(entry) => {
                    let input = BufReader::with_capacity(ENTRY_READ, Entry { entry });
                    self.body(entry_name, &mut Made { input, tally }, inside);
                }
                Err(error) => self.problem(entry_name, zip_error(error)),
            }
        }
    }
}

/// The bytes of a whole archive.
enum ArchiveBytes {
    Mapped(Mmap),
    Held(Vec<u8>),
}

impl AsRef<[u8]> for ArchiveBytes {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Held(bytes) => bytes,
        }
    }
}

/// Maps the archive when it is a file; reads it into memory, up to `limit` bytes, when it is not.
fn archive_bytes(
    input: impl Read,
    file: Option<&File>,
    tally: &Tally,
    limit: u64,
) -> Result<ArchiveBytes, SourceError> {
    if let Some(file) = file {
        let map = map(file).map_err(SourceError::Opening)?;
        tally.set_taken(length(map.len()));
        return Ok(ArchiveBytes::Mapped(map));
    }
    let mut bytes = Vec::new();
    if let Err(error) = input.take(limit.saturating_add(1)).read_to_end(&mut bytes) {
        return Err(SourceError::Reading { error, after: 0 });
    }
    if length(bytes.len()) > limit {
        return Err(SourceError::ArchiveTooLarge);
    }
    Ok(ArchiveBytes::Held(bytes))
}

#[expect(unsafe_code, reason = "a map of a file is what its other users leave of it")]
fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: The map is private to this module, read-only, and lives as long as the reading of
    // one archive. Somebody else may change the file meanwhile: its bytes are only ever copied out
    // as numbers and checked by the readers of zip and of events, neither of which relies on
    // reading the same byte twice. Cutting the file short ends the process, as it does for every
    // user of a map; no wrong report comes of it.
    unsafe { Mmap::map(file) }
}

const fn is_supported(method: CompressionMethod) -> bool {
    matches!(method, CompressionMethod::Stored | CompressionMethod::Deflated)
}

fn zip_error(error: ZipError) -> SourceError {
    match error {
        ZipError::UnsupportedArchive(text) if text == ZipError::PASSWORD_REQUIRED => {
            SourceError::ZipEncrypted
        }
        error => SourceError::Zip(error),
    }
}

/// Decompresses one entry of a zip archive.
struct Entry<R> {
    entry: R,
}

impl<R: Read> Read for Entry<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let most = buf.len().min(ENTRY_READ);
        self.entry.read(buf.get_mut(..most).unwrap_or_default()).map_err(|error| {
            let words = format!("corrupt zip entry: {}", error.to_string().to_lowercase());
            io::Error::new(error.kind(), words)
        })
    }
}

/// Decompresses the zstd frames that a stream consists of.
struct Zstd<R: io::BufRead> {
    frames: zstd::stream::read::Decoder<'static, R>,
}

impl<R: io::BufRead> Zstd<R> {
    fn new(input: R) -> io::Result<Self> {
        Ok(Self { frames: zstd::stream::read::Decoder::with_buffer(input)? })
    }
}

impl<R: io::BufRead> Read for Zstd<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let most = buf.len().min(ZSTD_READ);
        self.frames.read(buf.get_mut(..most).unwrap_or_default()).map_err(zstd_error)
    }
}

/// Says that it is zstd that broke, unless the stream below did, whose errors have another kind.
fn zstd_error(error: io::Error) -> io::Error {
    let text = error.to_string();
    match error.kind() {
        ErrorKind::UnexpectedEof if text == "incomplete frame" => {
            io::Error::new(ErrorKind::UnexpectedEof, "unexpected end of zstd stream")
        }
        ErrorKind::Other if error.raw_os_error().is_none() => {
            let words = if text.contains("too much memory") {
                "zstd stream needs a window of more than 128 MiB: compress it without `--long`"
                    .to_owned()
            } else {
                format!("corrupt zstd stream: {}", text.to_lowercase())
            };
            io::Error::new(ErrorKind::InvalidData, words)
        }
        _ => error,
    }
}

/// What a stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Plain,
    Gzip,
    Zstd,
    Zip,
    Foreign { format: &'static str, advice: &'static str },
}

const DECOMPRESS: &str = "decompress it first";
const UNPACK: &str = "unpack it first";
const EXPORT: &str = "export its events as JSON";
const DECRYPT: &str = "decrypt it first";
const UTF_8: &str = "convert it to UTF-8";
const REPLACE: &str = "name the logs themselves";

/// Formats that may hold logs and are not read: bytes, what is at them, the format, the advice.
const FOREIGN: &[(usize, &[u8], &str, &str)] = &[
    (0, b"\xfd7zXZ\0", "xz compression", DECOMPRESS),
    (4, b"1AY&SY", "bzip2 compression", DECOMPRESS),
    (0, b"\x04\x22\x4d\x18", "lz4 compression", DECOMPRESS),
    (0, b"\xff\x06\0\0sNaPpY", "snappy compression", DECOMPRESS),
    (0, b"LZIP", "lzip compression", DECOMPRESS),
    (0, b"\x89LZO\0\r\n\x1a\n", "lzop compression", DECOMPRESS),
    (0, b"\x1f\x9d", "compress (.Z) compression", DECOMPRESS),
    (0, b"\x78\x01", "zlib compression", DECOMPRESS),
    (0, b"\x78\x9c", "zlib compression", DECOMPRESS),
    (0, b"\x78\xda", "zlib compression", DECOMPRESS),
    (257, b"ustar", "tar archive", UNPACK),
    (0, b"7z\xbc\xaf\x27\x1c", "7-Zip archive", UNPACK),
    (0, b"Rar!\x1a\x07", "RAR archive", UNPACK),
    (0, b"PAR1", "Parquet", EXPORT),
    (0, b"ORC", "ORC", EXPORT),
    (0, b"Obj\x01", "Avro", EXPORT),
    (0, b"ARROW1\0\0", "Arrow", EXPORT),
    (0, b"SQLite format 3\0", "SQLite database", EXPORT),
    (0, b"%PDF-", "PDF", REPLACE),
    (0, b"\x89PNG\r\n\x1a\n", "PNG image", REPLACE),
    (0, b"\xff\xd8\xff", "JPEG image", REPLACE),
    (0, b"GIF8", "GIF image", REPLACE),
    (0, b"\x7fELF", "executable", REPLACE),
    (0, b"-----BEGIN PGP MESSAGE-----", "OpenPGP message", DECRYPT),
    (0, b"age-encryption.org/v1\n", "age encryption", DECRYPT),
    (0, b"\xff\xfe", "UTF-16 text", UTF_8),
    (0, b"\xfe\xff", "UTF-16 text", UTF_8),
    (0, b"{\0", "UTF-16 text", UTF_8),
    (0, b"[\0", "UTF-16 text", UTF_8),
    (0, b"\0{", "UTF-16 text", UTF_8),
    (0, b"\0[", "UTF-16 text", UTF_8),
    (0, b"version https://git-lfs.github.com/spec/", "Git LFS pointer", "run `git lfs pull`"),
];

/// Returns whether bytes that a file begins with are those of no container and of no format that is
/// known to hold no JSON.
pub(super) fn is_plain(head: &[u8]) -> bool {
    Format::of(head) == Format::Plain
}

impl Format {
    /// Tells the format from the first bytes of a stream.
    fn of(head: &[u8]) -> Self {
        if begins(head, b"\x1f\x8b") {
            return Self::Gzip;
        }
        if begins(head, b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
            return Self::Zip;
        }
        let skippable = matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..]);
        if begins(head, b"\x28\xb5\x2f\xfd") || skippable {
            return Self::Zstd;
        }
        FOREIGN
            .iter()
            .find(|(at, magic, ..)| head.get(*at..).is_some_and(|rest| rest.starts_with(magic)))
            .map_or(Self::Plain, |(_, _, format, advice)| Self::Foreign { format, advice })
    }

    const fn is_container(self) -> bool {
        matches!(self, Self::Gzip | Self::Zstd | Self::Zip)
    }
}

/// Returns whether a stream starts with `magic`, or ends within it: then it is cut short.
fn begins(head: &[u8], magic: &[u8]) -> bool {
    head.starts_with(magic) || magic.starts_with(head)
}

#[cfg(test)]
mod tests;
