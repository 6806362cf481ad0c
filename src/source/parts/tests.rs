//! Pieces that add up to their file.

use std::io::Write as _;
use std::path::Path;

use tempfile::NamedTempFile;

use super::*;
use crate::source::FilePath;

fn source(path: &Path, size: usize) -> Source {
    let input = Input::File(FilePath::named(path.to_owned()));
    Source { input, size: Some(size as u64), modified: None, listed: None }
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
            let mut at = 0;
            for index in 0..parts.count() {
                let (begin, end) = parts.piece(index).unwrap().unwrap();
                assert_eq!(begin, at, "{text:?} by {length}");
                let mut before = Vec::new();
                parts.from(0).take(begin).read_to_end(&mut before).unwrap();
                assert!(before.last().is_none_or(|last| *last == b'\n') || begin == end);
                // A piece that reaches into others is found under the last of them.
                let found = parts.piece_at(begin).unwrap();
                assert!(found.is_none_or(|(_, found)| found == begin), "{found:?}, {begin}");
                at = end;
            }
            assert_eq!(at, text.len() as u64, "{text:?} by {length}");
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
    let stdin = Source { input: Input::Stdin, size: None, modified: None, listed: None };
    assert!(Parts::open(&stdin, 1).is_none());
    assert!(Parts::open(&source(Path::new("."), 100), 1).is_none());
    assert!(Parts::open(&source(Path::new("missing"), 100), 1).is_none());
}

#[test]
fn a_file_that_became_shorter_is_no_piece() {
    let text = b"{}\n".repeat(100_000);
    let file = file(&text);
    let parts = Parts::open(&source(file.path(), text.len()), 50_000).unwrap();
    file.as_file().set_len(200_000).unwrap();
    assert!(parts.piece(0).unwrap().is_some());
    assert_eq!(parts.piece(4).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    let mut rest = Vec::new();
    assert_eq!(parts.from(150_000).read_to_end(&mut rest).unwrap(), 50_000);
}

#[test]
fn a_line_that_is_too_long_ends_no_piece() {
    let text = [b"{}\n".as_slice(), &vec![b' '; 400 << 10], b"\n{}\n"].concat();
    let file = file(&text);
    let parts = Parts::open(&source(file.path(), text.len()), 1000).unwrap();
    assert_eq!(parts.piece(0).unwrap(), None);
    assert_eq!(parts.piece(3).unwrap(), None);
    let last = parts.count() - 1;
    assert_eq!(parts.piece(last).unwrap(), Some((text.len() as u64 - 3, text.len() as u64)));
}
