//! Inputs of every kind, broken ones among them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Cursor, Read as _, Write as _};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;
use trailfold::ingest;
use trailfold::source::open::{self, Reading};
use trailfold::source::{self, FilePath, Found, Input, Source, SourceError, SourceReason};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

const TEXT: &str = "{\"Records\":[{\"eventVersion\":\"1.08\"}]}";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (at, (name, bytes)) in entries.iter().enumerate() {
        if name.ends_with('/') {
            writer.add_directory(*name, SimpleFileOptions::default()).unwrap();
            continue;
        }
        let method =
            if at % 2 == 0 { CompressionMethod::Deflated } else { CompressionMethod::Stored };
        let options = SimpleFileOptions::default().compression_method(method);
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn find(inputs: &[&Path]) -> Found {
    let inputs: Vec<OsString> = inputs.iter().map(|path| path.into()).collect();
    let found = source::find(&inputs).unwrap();
    // However many threads search, they find the same.
    let by_threads = ingest::find(&inputs, NonZeroUsize::new(3).unwrap(), None).unwrap();
    assert_eq!(by_threads.sources, found.sources);
    assert_eq!(by_threads.set_aside, found.set_aside);
    assert_eq!(problems(&by_threads, Path::new("")), problems(&found, Path::new("")));
    found
}

/// Returns names without the directory they all lie in.
fn names<'a>(names: impl IntoIterator<Item = &'a String>, below: &Path) -> Vec<String> {
    let prefix = format!("{}/", below.display());
    names.into_iter().map(|name| name.replace(&prefix, "")).collect()
}

fn source_names(found: &Found, below: &Path) -> Vec<String> {
    let printed: Vec<String> = found.sources.iter().map(Source::name).collect();
    names(&printed, below)
}

fn problems(found: &Found, below: &Path) -> Vec<String> {
    let printed: Vec<String> = found.problems.iter().map(ToString::to_string).collect();
    names(&printed, below)
}

/// Returns a file that has not been looked at, not even whether it exists.
fn file(path: impl Into<PathBuf>) -> Source {
    Source {
        input: Input::File(FilePath::named(path.into())),
        size: None,
        modified: None,
        listed: None,
    }
}

/// Reads a source to its end: its bodies by name, in order, and what else came of it.
fn read(source: &Source) -> (Vec<(String, String)>, Reading) {
    let mut bodies: Vec<(String, String)> = Vec::new();
    let reading = open::Reader::default().read("input", source, &mut |name, body| {
        let mut bytes = Vec::new();
        let outcome = body.read_to_end(&mut bytes);
        bodies.push((name.to_owned(), String::from_utf8_lossy(&bytes).into_owned()));
        outcome.map(drop)
    });
    (bodies, reading)
}

fn read_bytes(bytes: &[u8]) -> (Vec<(String, String)>, Reading) {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("input");
    fs::write(&path, bytes).unwrap();
    read(&file(path))
}

fn printed(reading: &Reading) -> Vec<String> {
    reading.problems.iter().map(ToString::to_string).collect()
}

/// Asserts that `bytes` are one body without a problem.
fn assert_one_body(bytes: &[u8], expected: &str) {
    let (bodies, reading) = read_bytes(bytes);
    assert_eq!(bodies, [("input".to_owned(), expected.to_owned())]);
    assert_eq!(printed(&reading), [""; 0]);
    assert_eq!((reading.bodies, reading.empty), (1, 0));
    assert_eq!(reading.bytes, bytes.len() as u64);
    assert!(!reading.is_empty());
}

#[test]
fn every_format_is_told_by_its_bytes() {
    let twice = format!("{TEXT}{TEXT}");
    let long = TEXT.repeat(20_000);
    let frame = |text: &str| zstd::encode_all(text.as_bytes(), 3).unwrap();
    let skippable = [b"\x50\x2a\x4d\x18\x03\0\0\0abc".as_slice(), &frame(TEXT)].concat();
    let gzipped = gzip(TEXT.as_bytes());
    assert_one_body(TEXT.as_bytes(), TEXT);
    assert_one_body(long.as_bytes(), &long);
    assert_one_body(b"x", "x");
    assert_one_body("\u{feff}[]".as_bytes(), "\u{feff}[]");
    assert_one_body(&gzipped, TEXT);
    assert_one_body(&gzip(long.as_bytes()), &long);
    assert_one_body(&[gzipped.as_slice(), &gzipped].concat(), &twice);
    assert_one_body(&[gzipped.as_slice(), &gzip(b""), &gzipped].concat(), &twice);
    assert_one_body(&[gzipped.as_slice(), &[0; 5000]].concat(), TEXT);
    assert_one_body(&gzip(&gzipped), TEXT);
    assert_one_body(&frame(TEXT), TEXT);
    assert_one_body(&frame(&long), &long);
    assert_one_body(&[frame(TEXT), frame(TEXT)].concat(), &twice);
    assert_one_body(&skippable, TEXT);
    assert_one_body(&gzip(&frame(TEXT)), TEXT);
}

#[test]
fn nothing_at_all_is_empty_and_no_problem() {
    let empty_frame = zstd::encode_all(b"".as_slice(), 0).unwrap();
    for bytes in [vec![], gzip(b""), gzip(&gzip(b"")), empty_frame] {
        let (bodies, reading) = read_bytes(&bytes);
        assert_eq!((bodies.len(), reading.empty), (0, 1));
        assert!(reading.is_empty(), "{reading:?}");
    }
    for bytes in [zip(&[]), zip(&[("directory/", b"")])] {
        let (bodies, reading) = read_bytes(&bytes);
        assert_eq!((bodies.len(), reading.empty), (0, 0));
        assert!(reading.is_empty(), "{reading:?}");
    }
}

#[test]
fn each_entry_of_an_archive_is_a_body() {
    let inner = zip(&[("deep.json", TEXT.as_bytes())]);
    let bytes = zip(&[
        ("logs/", b""),
        ("logs/a.json", TEXT.as_bytes()),
        ("logs/b.json.gz", &gzip(TEXT.as_bytes())),
        ("inner.zip", &inner),
        ("again.gz", &gzip(&inner)),
        ("empty.json", b""),
        ("turned\u{202e}.json", b"[]"),
        ("__MACOSX/._a", b"\0\x05\x16\x07"),
    ]);
    let expected = [
        ("input/logs/a.json", TEXT),
        ("input/logs/b.json.gz", TEXT),
        ("input/inner.zip/deep.json", TEXT),
        ("input/again.gz/deep.json", TEXT),
        ("input/turned\\u{202e}.json", "[]"),
        ("input/__MACOSX/._a", "\0\u{5}\u{16}\u{7}"),
    ];
    let expected = expected.map(|(name, text)| (name.to_owned(), text.to_owned()));
    let (bodies, reading) = read_bytes(&bytes);
    assert_eq!(bodies, expected);
    assert_eq!((reading.bodies, reading.empty), (6, 1));
    assert_eq!(printed(&reading), [""; 0]);
    assert_eq!(reading.bytes, bytes.len() as u64);
    // The same archive from a stream goes through memory.
    let (bodies, reading) = read_bytes(&gzip(&bytes));
    assert_eq!(bodies, expected);
    assert_eq!(printed(&reading), [""; 0]);
}

#[test]
fn entries_that_cannot_be_read_do_not_hide_the_others() {
    let good = zip(&[("a.json", TEXT.as_bytes()), ("b.json", TEXT.as_bytes())]);
    let local = good.windows(4).position(|bytes| bytes == b"PK\x03\x04").unwrap();
    let central = good.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
    let changed = |at_local: usize, at_central: usize, value: u8| {
        let mut bytes = good.clone();
        bytes[local + at_local] = value;
        bytes[central + at_central] = value;
        bytes
    };
    let encrypted = changed(6, 8, good[local + 6] | 1);
    let unknown_method = changed(8, 10, 98);
    let wrong_sum = changed(14, 16, good[local + 14] ^ 1);
    for (bytes, expected) in [
        (encrypted, "input/a.json: encrypted zip entry: decrypt it first"),
        (
            unknown_method,
            "input/a.json: compression method of the zip entry is not supported: unpack the \
             archive first",
        ),
        (wrong_sum, "input/a.json: corrupt zip entry: invalid checksum after 37 bytes"),
    ] {
        let (bodies, reading) = read_bytes(&bytes);
        assert_eq!(printed(&reading), [expected]);
        assert_eq!(bodies.last().unwrap(), &("input/b.json".to_owned(), TEXT.to_owned()));
    }
}

#[test]
fn entries_of_one_name_are_a_problem() {
    let mut bytes = zip(&[("a.json", b"[1]"), ("b.json", b"[2]")]);
    for at in 0..bytes.len() - 6 {
        if &bytes[at..at + 6] == b"b.json" {
            bytes[at] = b'a';
        }
    }
    let (bodies, reading) = read_bytes(&bytes);
    assert_eq!(bodies.len(), 1);
    assert_eq!(
        printed(&reading),
        [
            "input: zip archive: entries share a name and only one of them was read: unpack the archive"
        ]
    );
}

#[test]
fn v3_a_gzip_cut_anywhere_gives_what_precedes_the_cut_and_says_so() {
    let text: String = (0..60).map(|number| format!("[{}]\n", number * 7919 % 1000)).collect();
    let (first, second) = (gzip(text.as_bytes()), gzip(b"second"));
    let whole = format!("{text}second");
    let bytes = [first.as_slice(), &second].concat();
    let mut before = 0;
    for cut in 1..bytes.len() {
        let (bodies, reading) = read_bytes(&bytes[..cut]);
        let body = bodies.first().map_or("", |(_, text)| text.as_str());
        assert!(whole.starts_with(body), "{cut}");
        assert!(is_all_that_can_be_had(body.as_bytes(), &bytes[..cut]), "{cut}");
        assert!(body.len() >= before, "{cut}");
        before = body.len();
        if cut == first.len() {
            assert_eq!(body, text);
            assert_eq!(printed(&reading), [""; 0]);
            continue;
        }
        let expected = format!("input: unexpected end of gzip stream after {} bytes", body.len());
        assert_eq!(printed(&reading), [expected]);
        assert!(!reading.is_empty());
    }
    assert_eq!(before, whole.len());
}

#[test]
fn v3_a_damaged_gzip_never_passes_for_a_whole_one() {
    let text = (0..200).map(|number| format!("{}\n", number * 7919 % 1000)).collect::<String>();
    let good = gzip(text.as_bytes());
    // Behind the header, whose time and system mean nothing.
    for at in 10..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 0x10;
        let (bodies, reading) = read_bytes(&bytes);
        match reading.problems.as_slice() {
            // The bits that fill up the last byte of deflate mean nothing either.
            [] => assert_eq!(bodies[0].1, text, "{at}"),
            [problem] => assert!(problem.to_string().contains("gzip stream"), "{problem}"),
            problems => panic!("{at}: {problems:?}"),
        }
    }
}

#[test]
fn v3_what_precedes_a_break_is_delivered_to_the_byte() {
    let text: String = (0..20_000).map(|number| format!("{}\n", number * 7919 % 99_991)).collect();
    let good = gzip(text.as_bytes());
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("damaged.gz");
    for tenth in 1..10 {
        let mut bytes = good.clone();
        let at = bytes.len() / 10 * tenth;
        bytes[at..at + 64].fill(0xff);
        fs::write(&path, &bytes).unwrap();
        let mut delivered = Vec::new();
        let reading = open::Reader::default()
            .read("input", &file(&path), &mut |_, body| body.read_to_end(&mut delivered).map(drop));
        assert!(is_all_that_can_be_had(&delivered, &bytes), "{tenth}");
        assert!(delivered.len() > text.len() / 10 * (tenth - 1), "{tenth}");
        assert_eq!(reading.problems.len(), 1);
    }
}

/// Returns whether `delivered` is what the plain way finds before a break. That may lose one byte
/// more: the one that it was given together with the break.
fn is_all_that_can_be_had(delivered: &[u8], bytes: &[u8]) -> bool {
    let found = byte_by_byte(bytes);
    delivered.starts_with(&found) && delivered.len() - found.len() <= 1
}

/// The plain way: asks for one byte at a time, so that a break takes no more with it.
fn byte_by_byte(bytes: &[u8]) -> Vec<u8> {
    let mut decoder = flate2::read::MultiGzDecoder::new(bytes);
    let (mut made, mut byte) = (Vec::new(), [0]);
    while let Ok(1) = decoder.read(&mut byte) {
        made.push(byte[0]);
    }
    made
}

#[test]
fn bytes_behind_the_last_member_are_a_problem_that_loses_nothing() {
    for tail in [b"garbage".as_slice(), b"\0\0\0x", b"\x1f\x8c", b"{"] {
        let (bodies, reading) = read_bytes(&[gzip(TEXT.as_bytes()).as_slice(), tail].concat());
        assert_eq!(bodies[0].1, TEXT);
        assert_eq!(
            printed(&reading),
            ["input: bytes that are no gzip stream follow the last one after 37 bytes"]
        );
    }
}

#[test]
fn v3_a_zstd_stream_cut_anywhere_says_so() {
    let text = TEXT.repeat(4);
    let good = zstd::encode_all(text.as_bytes(), 0).unwrap();
    for cut in 1..good.len() {
        let (_, reading) = read_bytes(&good[..cut]);
        let [problem] = printed(&reading).try_into().unwrap();
        assert!(problem.starts_with("input: unexpected end of zstd stream after "), "{problem}");
    }
    let (bodies, reading) = read_bytes(&[good.as_slice(), b"garbage"].concat());
    assert_eq!(bodies[0].1, text);
    let [problem] = printed(&reading).try_into().unwrap();
    assert!(problem.starts_with("input: corrupt zstd stream: "), "{problem}");
}

#[test]
fn v3_an_archive_cut_anywhere_says_so() {
    let good = zip(&[("a.json", TEXT.as_bytes()), ("b.json", TEXT.as_bytes())]);
    for cut in 1..good.len() {
        let (_, reading) = read_bytes(&good[..cut]);
        assert!(!reading.problems.is_empty(), "{cut}");
    }
}

#[test]
fn v3_a_break_that_the_caller_ignores_is_still_a_problem() {
    let bytes = gzip(TEXT.as_bytes());
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("cut.gz");
    fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    let reading = open::Reader::default().read("input", &file(&path), &mut |_, body| {
        let _ = io::copy(body, &mut io::sink());
        Ok(())
    });
    assert_eq!(printed(&reading), ["input: unexpected end of gzip stream after 37 bytes"]);
}

#[test]
fn a_body_that_the_caller_leaves_unread_is_no_problem() {
    let bytes = zip(&[("a.json", TEXT.as_bytes()), ("b.json", TEXT.as_bytes())]);
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("logs.zip");
    fs::write(&path, bytes).unwrap();
    let mut seen = Vec::new();
    let reading = open::Reader::default().read("input", &file(&path), &mut |name, body| {
        seen.push(name.to_owned());
        body.read_exact(&mut [0; 2])
    });
    assert_eq!(seen, ["input/a.json", "input/b.json"]);
    assert_eq!(printed(&reading), [""; 0]);
}

#[test]
fn an_error_of_the_caller_ends_its_body_alone() {
    let bytes = zip(&[("a.json", b"bad"), ("b.json", TEXT.as_bytes())]);
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("logs.zip");
    fs::write(&path, bytes).unwrap();
    let reading =
        open::Reader::default().read(
            "input",
            &file(&path),
            &mut |_, body| match io::read_to_string(body)?.as_str() {
                "bad" => Err(io::Error::other("no room")),
                _ => Ok(()),
            },
        );
    assert_eq!(printed(&reading), ["input/a.json: no room after 3 bytes"]);
    assert_eq!(reading.bodies, 2);
}

#[test]
fn v3_a_file_that_vanished_or_became_a_directory_is_a_problem() {
    let directory = TempDir::new().unwrap();
    let (bodies, reading) = read(&file(directory.path().join("vanished.json")));
    assert_eq!(bodies.len(), 0);
    assert_eq!(printed(&reading), ["input: cannot be opened: the file is not there any more"]);
    let (_, reading) = read(&file(directory.path()));
    assert_eq!(reading.problems.len(), 1);
    assert!(!reading.is_empty());
    if cfg!(target_os = "linux") {
        assert_eq!(printed(&reading), ["input: it is a directory after 0 bytes"]);
    }
}

#[test]
fn directories_are_searched_to_the_bottom_hidden_files_too() {
    let directory = TempDir::new().unwrap();
    let root = directory.path();
    fs::create_dir_all(root.join("b/.hidden/deep")).unwrap();
    for name in ["z.json", "a.json", ".dot.json", "b/.hidden/deep/x.json", "b.json", "b/a b.json"] {
        fs::write(root.join(name), TEXT).unwrap();
    }
    let found = find(&[root]);
    let expected =
        [".dot.json", "a.json", "b.json", "b/.hidden/deep/x.json", "b/a b.json", "z.json"];
    assert_eq!(source_names(&found, root), expected);
    assert!(found.sources.iter().all(|source| source.size == Some(TEXT.len() as u64)));
    assert_eq!(problems(&found, root), [""; 0]);
}

#[test]
fn no_file_is_found_twice_whatever_names_it() {
    let directory = TempDir::new().unwrap();
    let root = directory.path();
    fs::create_dir_all(root.join("logs/day")).unwrap();
    for name in ["logs/a.json", "logs/day/b.json", "c.json"] {
        fs::write(root.join(name), TEXT).unwrap();
    }
    let inputs = [
        root.join("logs/day"),
        root.join("logs"),
        root.join("logs/."),
        root.join("logs/day/../a.json"),
        root.join("logs/*"),
        root.join("logs/**/*.json"),
        root.join("logs/day/b.json"),
        root.join("c.json"),
        root.join("./c.json"),
        root.join("logs/../c.json"),
    ];
    let mut inputs: Vec<&Path> = inputs.iter().map(PathBuf::as_path).collect();
    for _ in 0..inputs.len() {
        let found = find(&inputs);
        assert_eq!(found.sources.len(), 3, "{:?}", source_names(&found, root));
        assert_eq!(source_names(&found, root), source_names(&find(&inputs), root));
        inputs.rotate_left(1);
    }
}

#[test]
fn a_directory_reached_by_links_is_read_once() {
    let directory = TempDir::new().unwrap();
    let root = directory.path();
    fs::create_dir_all(root.join("logs/day")).unwrap();
    fs::create_dir_all(root.join("elsewhere")).unwrap();
    fs::write(root.join("logs/day/a.json"), TEXT).unwrap();
    fs::write(root.join("elsewhere/b.json"), TEXT).unwrap();
    let link = |from: &str, to: &Path| link(&root.join(from), to);
    if !(link("logs/loop", &root.join("logs"))
        && link("logs/day/up", &root.join("logs/day"))
        && link("logs/0", &root.join("logs/day"))
        && link("logs/out", &root.join("elsewhere"))
        && link("logs/out2", &root.join("elsewhere"))
        && link("elsewhere/back", root)
        && link("logs/file.json", &root.join("elsewhere/b.json"))
        && link("logs/nowhere", &root.join("missing")))
    {
        return;
    }
    let found = find(&[&root.join("logs")]);
    let expected = ["logs/day/a.json", "logs/file.json", "logs/out/b.json"];
    assert_eq!(source_names(&found, root), expected);
    let set_aside: Vec<String> = found.set_aside.iter().map(|it| it.path.name()).collect();
    let expected = ["logs/0", "logs/day/up", "logs/loop", "logs/out2"];
    assert_eq!(names(&set_aside, root), expected);
    assert!(found.set_aside.iter().all(|found| found.reason == SourceReason::DirectoryLoop));
    let expected = ["logs/nowhere: symbolic link to something that does not exist"];
    assert_eq!(problems(&found, root), expected);
    // A link that is named itself is followed too.
    let found = find(&[&root.join("logs/0"), &root.join("logs/nowhere")]);
    assert_eq!(source_names(&found, root), ["logs/0/a.json"]);
    assert_eq!(problems(&found, root), expected);
}

/// Makes a symbolic link; returns whether there are any on this system.
fn link(from: &Path, to: &Path) -> bool {
    #[cfg(unix)]
    return std::os::unix::fs::symlink(to, from).is_ok();
    #[cfg(not(unix))]
    {
        eprintln!("not run: {} to {} needs symbolic links", from.display(), to.display());
        false
    }
}

#[test]
fn what_names_nothing_is_a_problem_that_stops_nothing() {
    let directory = TempDir::new().unwrap();
    let root = directory.path();
    fs::write(root.join("a.json"), TEXT).unwrap();
    let found = find(&[
        &root.join("a.json"),
        &root.join("missing"),
        &root.join("*.gz"),
        &root.join("[a.json"),
        &root.join("a.json/below"),
    ]);
    assert_eq!(source_names(&found, root), ["a.json"]);
    let found = problems(&found, root);
    assert_eq!(found[0], "*.gz: no such file, and as a pattern it matches none");
    assert!(found[1].starts_with("[a.json: no such file, and it is no pattern: "), "{found:?}");
    assert!(found[2].starts_with("a.json/below: "), "{found:?}");
    assert_eq!(found[3], "missing: no such file or directory");
}

#[test]
fn no_input_and_standard_input_twice_are_refused() {
    assert!(matches!(source::find(&[]), Err(SourceError::NoInput)));
    let twice = ["-".into(), "-".into()];
    assert!(matches!(source::find(&twice), Err(SourceError::StdinTwice)));
    let found = source::find(&["-".into()]).unwrap();
    assert_eq!(found.sources[0].input, Input::Stdin);
    assert_eq!(found.sources[0].size, None);
}

#[test]
fn a_name_with_pattern_characters_is_a_name_first() {
    let directory = TempDir::new().unwrap();
    let root = directory.path();
    for name in ["[1].json", "1.json", "12.json", "a{b}$c é.json", "].json"] {
        fs::write(root.join(name), TEXT).unwrap();
    }
    let matched = |input: &str| source_names(&find(&[&root.join(input)]), root);
    assert_eq!(matched("[1].json"), ["[1].json"]);
    assert_eq!(matched("?.json"), ["1.json", "].json"]);
    assert_eq!(matched("[12]*.json"), ["1.json", "12.json"]);
    assert_eq!(matched("[[]*"), ["[1].json"]);
    assert_eq!(matched("[]].json"), ["].json"]);
    assert_eq!(matched("a{b}* *.json"), ["a{b}$c é.json"]);
}

#[test]
fn a25_what_lies_beside_the_logs_is_set_aside_by_its_key() {
    let directory = TempDir::new().unwrap();
    let root = directory.path();
    for folder in ["CloudTrail", "CloudTrail-Digest", "CloudTrail-Insight", "Config"] {
        let folder = root.join("AWSLogs/111122223333").join(folder).join("us-east-1");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("file.json"), TEXT).unwrap();
    }
    let found = find(&[root]);
    let expected = ["AWSLogs/111122223333/CloudTrail/us-east-1/file.json"];
    assert_eq!(source_names(&found, root), expected);
    let reasons: Vec<String> =
        found.set_aside.iter().map(|set_aside| set_aside.reason.to_string()).collect();
    let expected =
        ["CloudTrail digest", "CloudTrail Insights events", "AWS Config history or snapshot"];
    assert_eq!(reasons, expected);
}

#[test]
fn twenty_thousand_small_files_are_found_and_read() {
    // Writing so many is what takes time on a disk.
    let directory = TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap();
    for folder in 0..20 {
        let folder = directory.path().join(format!("{folder:02}"));
        fs::create_dir(&folder).unwrap();
        for file in 0..1_000 {
            fs::write(folder.join(format!("{file:03}.json")), b"{}").unwrap();
        }
    }
    let found = find(&[directory.path()]);
    assert_eq!(found.sources.len(), 20_000);
    assert!(found.sources.is_sorted_by(|a, b| a.name() < b.name()));
    let bytes: u64 = found
        .sources
        .iter()
        .map(|source| {
            open::Reader::default()
                .read("input", source, &mut |_, body| io::copy(body, &mut io::sink()).map(drop))
                .bytes
        })
        .sum();
    assert_eq!(bytes, 40_000);
}

#[test]
fn every_published_file_is_opened() {
    let data = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/events"));
    if !data.is_dir() {
        eprintln!("not run: {} is absent", data.display());
        return;
    }
    let found = find(&[data]);
    assert_eq!(problems(&found, data), [""; 0]);
    let mut bodies = BTreeMap::new();
    for source in &found.sources {
        let reading = open::Reader::default().read(&source.name(), source, &mut |name, body| {
            let mut start = [0; 512];
            let length = body.read(&mut start)?;
            let kind = source::text_kind(&start[..length]);
            bodies.insert(name.to_owned(), kind);
            io::copy(body, &mut io::sink()).map(drop)
        });
        assert_eq!(printed(&reading), [""; 0]);
        assert_eq!(Some(reading.bytes), source.size, "{}", source.name());
    }
    assert!(bodies.len() >= 400, "{}", bodies.len());
    assert!(bodies.keys().any(|name| name.ends_with(".json.gz")));
    let foreign: Vec<_> = bodies.iter().filter(|(_, kind)| kind.is_some()).collect();
    assert!(foreign.is_empty(), "{foreign:?}");
}

#[cfg(unix)]
mod unix {
    //! What only Unix has: pipes, modes, names of any bytes.

    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::PermissionsExt as _;
    use std::process::Command;
    use std::thread;

    use super::*;

    fn pipe(path: &Path) {
        assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    }

    #[test]
    fn a_pipe_is_read_when_it_is_named_and_set_aside_when_it_is_met() {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("pipe");
        pipe(&path);
        let archive = zip(&[("a.json", TEXT.as_bytes())]);
        for (bytes, name) in [
            (TEXT.as_bytes().to_vec(), "input"),
            (gzip(TEXT.as_bytes()), "input"),
            (archive, "input/a.json"),
        ] {
            let found = find(&[&path]);
            assert_eq!((found.sources.len(), found.sources[0].size), (1, None));
            let (bodies, reading) = thread::scope(|scope| {
                scope.spawn(|| fs::write(&path, &bytes).unwrap());
                read(&file(&path))
            });
            assert_eq!(bodies, [(name.to_owned(), TEXT.to_owned())]);
            assert_eq!(printed(&reading), [""; 0]);
            assert_eq!(reading.bytes, bytes.len() as u64);
        }
        let found = find(&[directory.path()]);
        assert_eq!(found.sources, []);
        assert_eq!(found.set_aside[0].reason, SourceReason::NotAFile);
    }

    #[test]
    fn a_name_of_any_bytes_is_found_printed_and_read() {
        let directory = TempDir::new().unwrap();
        let root = directory.path();
        for name in [b"a\xffb.json".as_slice(), b"tab\there", br"back\slash", b"\x1b[31mred"] {
            fs::write(root.join(OsStr::from_bytes(name)), TEXT).unwrap();
        }
        let found = find(&[root]);
        let expected = [r"\u{1b}[31mred", r"a\xffb.json", r"back\\slash", r"tab\there"];
        assert_eq!(source_names(&found, root), expected);
        for source in &found.sources {
            let (bodies, _) = read(source);
            assert_eq!(bodies, [("input".to_owned(), TEXT.to_owned())]);
        }
        let missing = root.join(OsStr::from_bytes(b"\xfe*"));
        let expected = [r"\xfe*: no such file or directory"];
        assert_eq!(problems(&find(&[&missing]), root), expected);
    }

    #[test]
    fn v3_what_may_not_be_read_is_a_problem() {
        let directory = TempDir::new().unwrap();
        let root = directory.path();
        fs::create_dir(root.join("closed")).unwrap();
        fs::write(root.join("closed/a.json"), TEXT).unwrap();
        fs::write(root.join("b.json"), TEXT).unwrap();
        let mode = |name: &str, mode| {
            fs::set_permissions(root.join(name), fs::Permissions::from_mode(mode)).unwrap();
        };
        mode("closed", 0o000);
        mode("b.json", 0o000);
        let may_read_everything = fs::read(root.join("b.json")).is_ok();
        let found = find(&[root]);
        let (_, reading) = read(&file(root.join("b.json")));
        mode("closed", 0o700);
        if may_read_everything {
            eprintln!("not run: this user may read everything");
            return;
        }
        assert_eq!(source_names(&found, root), ["b.json"]);
        let expected = ["closed: cannot be looked into: permission denied"];
        assert_eq!(problems(&found, root), expected);
        assert_eq!(printed(&reading), ["input: cannot be opened: permission denied"]);
    }

    #[test]
    fn v3_a_file_whose_reading_fails_is_a_problem() {
        // The memory of a process is a file that opens and cannot be read at its beginning.
        let memory = Path::new("/proc/self/mem");
        if !memory.exists() {
            eprintln!("not run: {} is absent", memory.display());
            return;
        }
        let (bodies, reading) = read(&file(memory));
        assert_eq!(bodies, []);
        let [problem] = printed(&reading).try_into().unwrap();
        assert!(problem.ends_with(" after 0 bytes"), "{problem}");
    }
}

#[test]
fn v3_a_member_behind_one_with_a_wrong_checksum_is_not_lost_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (gzip(b"{\"one\":1}"), gzip(b"{\"other\":2}"));
    let (body, trailer) = one.split_at(one.len() - 8);
    // The first member's own trailer is damaged and stands at the very end of the file instead.
    let bytes = [body, &[0; 8], &other, trailer].concat();
    let path = folder.path().join("a.gz");
    fs::write(&path, bytes).unwrap();
    let mut delivered = Vec::new();
    let reading = open::Reader::default()
        .read("input", &file(&path), &mut |_, body| body.read_to_end(&mut delivered).map(drop));
    assert_eq!(reading.problems.len(), 1, "{}", String::from_utf8_lossy(&delivered));
}
