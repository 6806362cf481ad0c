//! Names and messages.

use super::*;

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
