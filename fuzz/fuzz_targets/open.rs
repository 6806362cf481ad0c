//! Any bytes as a file of a dump, whatever container they are or pretend to be: read whole, as a
//! stream and in pieces, and packed once more by other programs' rules. Every way delivers the same
//! bodies and the same problems, and every record of them is counted once.

#![no_main]

use std::io::{Cursor, Read as _, Write as _};
use std::num::NonZeroUsize;

use flate2::Compression;
use flate2::write::GzEncoder;
use libfuzzer_sys::fuzz_target;
use trailfold::access::Switches;
use trailfold::coverage::Coverage;
use trailfold::event::envelope::{self, Input as Bytes, Window};
use trailfold::ingest::{self, Options};
use trailfold::ledger::Ledger;
use trailfold::source::open::{MAX_LAYERS, Reader};
use trailfold::source::{FilePath, Found, Input, Source, SourceError, key, text_kind};
use trailfold::time::Period;
use trailfold_fuzz::{Place, fed, is_fit_for_people};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// The name by which everything is read.
const NAME: &str = "input";

/// The name of the only entry of an archive of ours.
const ENTRY: &str = "entry";

/// What a text is told by.
const PREFIX: usize = 1024;

fuzz_target!(|bytes: &[u8]| {
    fed(bytes);
    let place = Place::default();
    let source = source(&place, NAME, bytes);
    let stream = Source { size: None, ..source.clone() };
    let chunk = bytes.len() % 61 * 2 + 1;
    let plain = opened(&source, usize::MAX);
    plain.is_as(&opened(&stream, usize::MAX), "as a stream");
    plain.is_as(&opened(&source, chunk), "in chunks");
    plain.is_as(&opened(&stream, chunk), "as a stream in chunks");
    plain.problems.iter().for_each(|problem| is_fit_for_people(problem, &[NAME]));
    if plain.is_comparable {
        for (name, packed, prefix) in [
            ("gzip", gzip(bytes), NAME.to_owned()),
            ("zstd", zstd::encode_all(bytes, 1).expect("memory takes all"), NAME.to_owned()),
            ("zip", archive(bytes, CompressionMethod::Deflated), format!("{NAME}/{ENTRY}")),
            ("stored", archive(bytes, CompressionMethod::Stored), format!("{NAME}/{ENTRY}")),
        ] {
            let packed = opened(&self::source(&place, name, &packed), usize::MAX);
            packed.renamed(&prefix).is_as(&plain, name);
        }
    }
    every_way_to_a_ledger_is_the_same(&source, stream, &plain);
});

/// What came of opening a source.
#[derive(Debug, PartialEq)]
struct Opened {
    /// Names and contents, as far as they were delivered.
    bodies: Vec<(String, Vec<u8>)>,
    empty: u64,
    problems: Vec<String>,
    /// Whether one container more may change nothing: there is room for it, and nothing depends on
    /// how much the bytes grew.
    is_comparable: bool,
    /// Whether it expands to more than is allowed. Where it is refused depends on how much is read at
    /// a time.
    is_bomb: bool,
}

impl Opened {
    /// Checks that another way to read it comes to the same.
    fn is_as(&self, other: &Self, way: &str) {
        assert_eq!(self.is_bomb, other.is_bomb, "{way}");
        if !self.is_bomb {
            assert_eq!(self, other, "{way}");
        }
    }

    /// Returns it with names that begin with [`NAME`] instead of `prefix`.
    fn renamed(mut self, prefix: &str) -> Self {
        let rename = |text: &mut String| {
            if let Some(rest) = text.strip_prefix(prefix) {
                *text = format!("{NAME}{rest}");
            }
        };
        self.bodies.iter_mut().for_each(|(name, _)| rename(name));
        self.problems.iter_mut().for_each(rename);
        self
    }
}

/// Reads a source, so many bytes at a time.
fn opened(source: &Source, chunk: usize) -> Opened {
    let mut bodies = Vec::new();
    let reading = Reader::default().read(NAME, source, &mut |name, body| {
        let mut content = Vec::new();
        let mut buffer = vec![0; chunk.min(64 << 10)];
        let outcome = loop {
            match body.read(&mut buffer) {
                Ok(0) => break Ok(()),
                Ok(count) => content.extend_from_slice(&buffer[..count]),
                Err(error) => break Err(error),
            }
        };
        bodies.push((name.to_owned(), content));
        outcome
    });
    assert_eq!(reading.bodies, bodies.len() as u64);
    assert!(bodies.iter().all(|(_, content)| content.len() < 80 << 20), "a bomb went off");
    let errors = || reading.problems.iter().map(|problem| &problem.error);
    let is_bomb = errors().any(|it| it.to_string().contains("expands to more than"));
    let is_too_deep = errors().any(|it| matches!(it, SourceError::TooDeep));
    // An archive is a body only if it is opened: so many layers are counted from above.
    let layers = bodies.iter().map(|(name, _)| name.matches('/').count()).max().unwrap_or(0);
    Opened {
        is_comparable: layers < MAX_LAYERS && !is_too_deep && !is_bomb,
        is_bomb,
        bodies,
        empty: reading.empty,
        problems: reading.problems.iter().map(ToString::to_string).collect(),
    }
}

/// Folds the source in every way there is.
fn every_way_to_a_ledger_is_the_same(source: &Source, stream: Source, opened: &Opened) {
    if opened.is_bomb {
        return;
    }
    let (ledger, coverage) = folded(vec![source.clone()], u64::MAX);
    for (what, sources, piece) in
        [("stream", vec![stream], u64::MAX), ("pieces", vec![source.clone()], 64)]
    {
        let (other, its_coverage) = folded(sources, piece);
        assert!(ledger == other, "{what}");
        assert_eq!(coverage, its_coverage, "{what}");
    }
    let (twice, both) = folded(vec![source.clone(); 2], u64::MAX);
    assert!(ledger == twice, "read twice");
    let records = &coverage.records;
    assert_eq!(records.total() * 2, both.records.total());
    assert_eq!(records.counted, coverage.accounts.values().map(|it| it.events).sum::<u64>());
    assert_eq!(ledger.is_empty(), records.counted == 0);
    let sources = &coverage.sources;
    let set_aside: u64 = sources.set_aside.values().map(|it| it.count).sum();
    assert!(sources.read + sources.empty + sources.failed <= 1);
    assert!(sources.read + sources.empty + sources.failed + set_aside >= 1);
    assert_eq!(sources.failed > 0, !coverage.is_complete());
    if opened.problems.is_empty() {
        let found = opened.bodies.iter().map(|(name, content)| self::records(name, content));
        assert_eq!(records.total(), found.sum::<u64>(), "each record counts once");
    } else {
        assert!(!coverage.is_complete(), "a problem is never silent");
    }
}

/// Returns the number of records of a body.
fn records(name: &str, content: &[u8]) -> u64 {
    if name != NAME && key::kind(name).is_some() {
        return 0;
    }
    let mut records = 0;
    let mut is_json = |prefix: &[u8]| text_kind(prefix.get(..PREFIX).unwrap_or(prefix)).is_none();
    let mut each = |_: envelope::Found<'_>| records += 1;
    envelope::read(Bytes::Whole(content), &mut Window::default(), &mut is_json, &mut each)
        .expect("nothing breaks the stream");
    records
}

/// Folds sources, files of JSON lines in pieces of about so many bytes. How much was read of what is
/// no JSON is each way's own affair.
fn folded(sources: Vec<Source>, piece: u64) -> (Ledger, Coverage) {
    let options = Options {
        period: Period::default(),
        switches: Switches::default(),
        threads: NonZeroUsize::MIN,
        memory: usize::MAX,
        progress: &|_| {},
    };
    let found = Found { sources, ..Found::default() };
    let (ledger, coverage) =
        ingest::fold_in_pieces(&found, &options, piece).expect("there is a thread");
    (ledger, Coverage { bytes_read: 0, bytes_decompressed: 0, ..coverage })
}

fn source(place: &Place, name: &str, bytes: &[u8]) -> Source {
    let path = place.write(name, bytes);
    let size = Some(bytes.len() as u64);
    Source { input: Input::File(FilePath::named(path)), size, modified: None, listed: None }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

fn archive(bytes: &[u8], method: CompressionMethod) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    archive.start_file(ENTRY, options).expect("a plain name");
    archive.write_all(bytes).expect("memory takes all");
    archive.finish().expect("memory takes all").into_inner()
}
