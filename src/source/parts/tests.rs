//! Pieces that add up to their file.

use std::io::Write as _;
use std::path::Path;

use tempfile::NamedTempFile;

use super::*;
use crate::source::FilePath;

fn source(path: &Path, size: usize) -> Source {
    let input = Input::File(FilePath::named(path.to_owned()));
    Source { input, size: Some(size as u64) }
}

fn file(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

#[test]
fn pieces_end_behind_line_feeds_and_add_up() {
    for text in ["ab\n\ncdefgh\ni\n", "abcdefghijklmnop", "\n\n\n\n\n\n\n", "abcdefgh\nijklmnop\nq"]
    {
        let file = file(text.as_bytes());
        for length in 1..=text.len() as u64 / FEWEST {
            let parts = Parts::open(&source(file.path(), text.len()), length).unwrap();
            let (mut buffer, mut at, mut all) = (Vec::new(), 0, Vec::new());
            for index in 0..parts.count() {
                let (begin, bytes) = parts.piece(index, &mut buffer).unwrap().unwrap();
                if bytes.is_empty() {
                    continue;
                }
                assert_eq!(begin, at, "{text:?} by {length}");
                assert!(begin == 0 || all.ends_with(b"\n"));
                // A piece that reaches into others is found under the last of them.
                let found = parts.piece_at(begin).unwrap();
                assert!(found.is_none_or(|(_, found)| found == begin), "{found:?}, {begin}");
                at += bytes.len() as u64;
                all.extend_from_slice(bytes);
            }
            assert_eq!(all, text.as_bytes(), "by {length}");
        }
    }
}

#[test]
fn only_plain_files_of_several_pieces_are_cut() {
    for (bytes, is_cut) in [
        (b"{}\n{}\n{}\n{}\n".as_slice(), true),
        (b"{}\n", false),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\0\0\0", false),
        (b"PK\x03\x04aaaaaaaaaaaa", false),
        (b"SQLite format 3\0aaaaaaaa", false),
    ] {
        let file = file(bytes);
        assert_eq!(Parts::open(&source(file.path(), bytes.len()), 3).is_some(), is_cut);
    }
    assert!(Parts::open(&Source { input: Input::Stdin, size: None }, 1).is_none());
    assert!(Parts::open(&source(Path::new("."), 100), 1).is_none());
    assert!(Parts::open(&source(Path::new("missing"), 100), 1).is_none());
}

#[test]
fn a_file_that_became_shorter_is_no_piece() {
    let text = b"{}\n".repeat(100_000);
    let file = file(&text);
    let parts = Parts::open(&source(file.path(), text.len()), 50_000).unwrap();
    file.as_file().set_len(200_000).unwrap();
    let mut buffer = Vec::new();
    assert!(parts.piece(0, &mut buffer).unwrap().is_some());
    assert_eq!(parts.piece(3, &mut buffer).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    let mut rest = Vec::new();
    assert_eq!(parts.from(150_000).read_to_end(&mut rest).unwrap(), 50_000);
}

#[test]
fn a_line_that_is_too_long_ends_no_piece() {
    let text = [b"{}\n".as_slice(), &vec![b' '; 400 << 10], b"\n{}\n"].concat();
    let file = file(&text);
    let parts = Parts::open(&source(file.path(), text.len()), 1000).unwrap();
    let mut buffer = Vec::new();
    assert!(parts.piece(0, &mut buffer).unwrap().is_none());
    assert_eq!(parts.piece(3, &mut buffer).unwrap(), Some((2999, [].as_slice())));
}
