//! Names and messages.

use super::*;

#[test]
fn names_are_printable_without_loss() {
    for (bytes, expected) in [
        (b"logs/a b\xc3\xa9.json".as_slice(), "logs/a bé.json"),
        (b"a\xff\xfeb", r"a\xff\xfeb"),
        (br"a\xffb", r"a\\xffb"),
        (b"a\x1b[31mb\n\x7f", r"a\u{1b}[31mb\n\u{7f}"),
        ("a\u{202e}b\u{2066}\u{200f}\u{85}".as_bytes(), r"a\u{202e}b\u{2066}\u{200f}\u{85}"),
        (b"", ""),
    ] {
        assert_eq!(printable_bytes(bytes, true), expected);
    }
    assert_eq!(printable_bytes(br"a\b", false), r"a\b");
}

#[test]
fn numbers_are_printed_in_groups_of_three() {
    for (number, expected) in [
        (0, "0"),
        (999, "999"),
        (1_000, "1,000"),
        (1_048_576, "1,048,576"),
        (u64::MAX, "18,446,744,073,709,551,615"),
    ] {
        assert_eq!(thousands(number), expected);
    }
}

#[test]
fn operating_system_errors_speak_in_words() {
    let error = io::Error::from(io::ErrorKind::PermissionDenied);
    assert_eq!(SourceError::Opening(error).to_string(), "cannot be opened: permission denied");
    let error = io::Error::new(io::ErrorKind::UnexpectedEof, "unexpected end of gzip stream");
    let problem = Problem {
        source: "logs/a.json.gz".to_owned(),
        error: SourceError::Reading { error, after: 1_048_576 },
    };
    assert_eq!(
        problem.to_string(),
        "logs/a.json.gz: unexpected end of gzip stream after 1,048,576 bytes"
    );
}
