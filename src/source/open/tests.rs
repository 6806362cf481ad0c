//! Formats told apart, and bounds that no real file reaches.

use std::cell::Cell;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Reads as `read` does, from memory and as though it were a stream.
fn read_bytes(bytes: &[u8], each: &mut Each<'_>) -> Reading {
    let tally = Tally::default();
    let mut opening = Opening { each, tally: &tally, reading: Reading::default() };
    let mut input = Taken { input: bytes, tally: &tally };
    opening.body("input", &mut input, Place { layer: 0, file: None });
    Reading { bytes: tally.taken(), ..opening.reading }
}

#[test]
fn formats_that_are_not_read_are_named_with_advice() {
    for (at, magic, format, advice) in FOREIGN {
        let bytes = [vec![b'a'; *at], magic.to_vec(), vec![b'a'; 300]].concat();
        let reading = read_bytes(&bytes, &mut |_, _| panic!("{format} was handed out"));
        let [problem] = reading.problems.as_slice() else { panic!("{format}") };
        assert_eq!(problem.to_string(), format!("input: {format} is not supported: {advice}"));
        assert!(!reading.is_empty());
    }
}

#[test]
fn texts_and_json_are_plain() {
    for text in ["{\"Records\":[]}", "\u{feff}[]", "PAR", "BZhello", "x", " ", "ustar", "}"] {
        assert_eq!(Format::of(text.as_bytes()), Format::Plain, "{text}");
    }
}

#[test]
fn a_bomb_is_refused_after_what_is_free() {
    let inner = gzip(&vec![0; 16 << 20]);
    // 16 MiB of zeros over and over: 16 KB that become 1 GiB, packed again to a few hundred bytes.
    let bomb = gzip(&inner.repeat(64));
    let reading = read_bytes(&bomb, &mut |_, body| io::copy(body, &mut io::sink()).map(drop));
    let [problem] = reading.problems.as_slice() else { panic!("{reading:?}") };
    let SourceError::Reading { after, .. } = problem.error else { panic!("{problem}") };
    assert!((1 << 20..70 << 20).contains(&after), "{after}");
    assert!(problem.to_string().contains("expands to more than 1,100 times its size"), "{problem}");
}

#[test]
fn what_precedes_a_break_is_the_same_however_much_is_read_at_once() {
    let text: Vec<u8> = (0..200_000).flat_map(|it: u32| it.to_string().into_bytes()).collect();
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("a", SimpleFileOptions::default()).unwrap();
    zip.write_all(&text).unwrap();
    let zip = zip.finish().unwrap().into_inner();
    for mut bytes in [gzip(&text), zstd::encode_all(&*text, 1).unwrap(), zip] {
        // The directory of an archive stays.
        let broken = bytes.len() / 2..bytes.len() - 1000;
        bytes[broken].fill(0xff);
        let read = |chunk: usize| {
            let mut delivered = Vec::new();
            let reading = read_bytes(&bytes, &mut |_, body| {
                let mut buffer = vec![0; chunk];
                loop {
                    match body.read(&mut buffer)? {
                        0 => return Ok(()),
                        count => delivered.extend_from_slice(&buffer[..count]),
                    }
                }
            });
            (delivered, reading.problems[0].to_string())
        };
        let (delivered, problem) = read(1 << 20);
        assert!(delivered.len() > 100_000, "{problem}");
        for chunk in [1, 100, 5_000, 50_000, 300_000] {
            assert!(read(chunk) == (delivered.clone(), problem.clone()), "{chunk}: {problem}");
        }
    }
}

#[test]
fn what_deflate_can_do_at_most_is_no_bomb() {
    let bytes = vec![b' '; 80 << 20];
    let reading = read_bytes(&gzip(&bytes), &mut |_, body| {
        assert_eq!(io::copy(body, &mut io::sink())?, 80 << 20);
        Ok(())
    });
    assert!(reading.problems.is_empty(), "{reading:?}");
}

#[test]
fn an_archive_in_a_stream_is_held_up_to_a_bound() {
    let tally = Tally::default();
    let held = |limit| archive_bytes([0; 10].as_slice(), None, &tally, limit);
    assert_eq!(held(10).unwrap().as_ref().len(), 10);
    assert!(matches!(held(9), Err(SourceError::ArchiveTooLarge)));
}

#[test]
fn containers_are_opened_to_a_fixed_depth() {
    let text = b"{\"Records\":[]}".as_slice();
    let layers = |count| (0..count).fold(text.to_vec(), |bytes, _| gzip(&bytes));
    for count in 0..=MAX_LAYERS {
        let mut bodies = Vec::new();
        let reading = read_bytes(&layers(count), &mut |_, body| {
            bodies.push(io::read_to_string(body)?);
            Ok(())
        });
        assert_eq!(bodies, ["{\"Records\":[]}"]);
        assert!(reading.problems.is_empty());
    }
    let reading = read_bytes(&layers(MAX_LAYERS + 1), &mut |_, _| panic!("handed out"));
    let [problem] = reading.problems.as_slice() else { panic!("{reading:?}") };
    assert_eq!(
        problem.to_string(),
        "input: more than 4 containers inside one another: unpack the outer ones"
    );
}

/// Gives one byte a time, and a signal before each of them.
struct Dripping<'a>(&'a [u8], bool);

impl Read for Dripping<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.1 = !self.1;
        if self.1 {
            return Err(ErrorKind::Interrupted.into());
        }
        let one = buf.len().min(1);
        self.0.read(&mut buf[..one])
    }
}

#[test]
fn a_stream_may_drip_and_be_interrupted() {
    let text = "{\"Records\":[]}".repeat(500);
    let members = [gzip(text.as_bytes()), vec![0; 3], gzip(b"end")].concat();
    let frames = zstd::encode_all(text.as_bytes(), 0).unwrap();
    for (bytes, expected) in
        [(text.as_bytes(), text.clone()), (&members, format!("{text}end")), (&frames, text.clone())]
    {
        let tally = Tally::default();
        let mut body = String::new();
        let mut each = |_: &str, input: &mut Body<'_>| {
            input.read_to_string(&mut body)?;
            Ok(())
        };
        let mut opening = Opening { each: &mut each, tally: &tally, reading: Reading::default() };
        opening.body("input", &mut Dripping(bytes, false), Place { layer: 0, file: None });
        assert!(opening.reading.problems.is_empty(), "{:?}", opening.reading);
        assert_eq!(body, expected);
    }
}

#[test]
fn every_optional_part_of_a_gzip_header_is_skipped() {
    let plain = gzip(b"text");
    let extra = [4, 0, b'e', b'x', b't', b'r'].as_slice();
    for (flag, part) in [
        (1 << 1, [0xab, 0xcd].as_slice()),
        (1 << 2, extra),
        (1 << 3, b"name.json\0"),
        (1 << 4, b"a comment\0"),
    ] {
        let mut bytes = plain.clone();
        bytes[3] = flag;
        bytes.splice(10..10, part.iter().copied());
        let mut text = String::new();
        let followed = Cell::new(false);
        let mut gzip = Gzip::new(BufReader::new(bytes.as_slice()), &followed);
        gzip.read_to_string(&mut text).unwrap();
        assert_eq!(text, "text");
        assert!(!followed.get());
    }
    let mut bytes = plain;
    bytes[3] = 1 << 5;
    let followed = Cell::new(false);
    let error = Gzip::new(bytes.as_slice(), &followed).read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(error.to_string(), "corrupt gzip header");
}

#[test]
fn what_follows_a_member_is_noticed() {
    for (more, is_followed) in [(vec![], false), (vec![0], true), (gzip(b""), true)] {
        let bytes = [gzip(b"text"), more].concat();
        let mut text = String::new();
        let followed = Cell::new(false);
        Gzip::new(bytes.as_slice(), &followed).read_to_string(&mut text).unwrap();
        assert_eq!((text.as_str(), followed.get()), ("text", is_followed));
    }
}

#[test]
fn a_broken_stream_stays_broken() {
    let bytes = gzip(&[7; 1000]);
    let followed = Cell::new(false);
    let mut gzip = Gzip::new(&bytes[..bytes.len() - 3], &followed);
    let mut buf = [0; 2000];
    assert_eq!(gzip.read(&mut buf).unwrap(), 1000);
    for _ in 0..3 {
        let error = gzip.read(&mut buf).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    }
}
