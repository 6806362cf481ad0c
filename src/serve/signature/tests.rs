//! Tests of signatures; real clients sign in `tests/serve`.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::*;

const FILE: &str = "[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = \
                    wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY\n";

/// The documented example of AWS's signature documentation: a GET of `ListUsers`.
fn documented() -> HeaderMap {
    let authorization = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
         SignedHeaders=content-type;host;x-amz-date, \
         Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
    [
        ("authorization", authorization),
        ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
        ("host", "iam.amazonaws.com"),
        ("x-amz-date", "20150830T123600Z"),
    ]
    .into_iter()
    .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
    .collect()
}

fn check(headers: &HeaderMap, query: &str, at: &str) -> Result<(), &'static str> {
    let request = Signed { method: "GET", path: "/", query, headers, body: b"" };
    let credentials = Credentials::read(FILE).unwrap();
    credentials.check(&request, Time::parse(at.as_bytes()).unwrap()).map_err(|error| error.code)
}

const QUERY: &str = "Action=ListUsers&Version=2010-05-08";

#[test]
fn the_documented_signature_is_good_for_a_quarter_of_an_hour() {
    assert_eq!(check(&documented(), QUERY, "2015-08-30T12:36:00Z"), Ok(()));
    assert_eq!(check(&documented(), QUERY, "2015-08-30T12:51:00Z"), Ok(()));
    let expired = Err("SignatureDoesNotMatch");
    assert_eq!(check(&documented(), QUERY, "2015-08-30T12:51:01Z"), expired);
    assert_eq!(check(&documented(), QUERY, "2015-08-30T12:20:59Z"), expired);
}

#[test]
fn a_request_that_was_altered_is_refused() {
    let at = "2015-08-30T12:36:00Z";
    assert_eq!(check(&documented(), "Action=ListRoles", at), Err("SignatureDoesNotMatch"));
    for (name, value) in [
        ("host", "elsewhere"),
        ("content-type", "text/plain"),
        ("x-amz-date", "20150830T123601Z"),
        ("x-amz-date", "20150831T123600Z"),
        ("x-amz-target", "added"),
    ] {
        let mut headers = documented();
        headers.insert(name, HeaderValue::from_static(value));
        assert_eq!(check(&headers, QUERY, at), Err("SignatureDoesNotMatch"), "{name}");
    }
    let mut headers = documented();
    headers.insert("x-amz-security-token", HeaderValue::from_static("token"));
    assert_ne!(check(&headers, QUERY, at), Ok(()));
}

#[test]
fn what_is_no_signature_is_told_what_it_lacks() {
    let at = "2015-08-30T12:36:00Z";
    let mut headers = documented();
    headers.remove("authorization");
    assert_eq!(check(&headers, QUERY, at), Err("MissingAuthenticationToken"));
    let complete = documented()["authorization"].to_str().unwrap().to_owned();
    for (from, to, code) in [
        ("AWS4-HMAC-SHA256", "Basic", "IncompleteSignature"),
        ("Credential=AKIDEXAMPLE/", "Credential=", "IncompleteSignature"),
        ("SignedHeaders", "Signed", "IncompleteSignature"),
        ("Signature=5d", "Signature=xx", "IncompleteSignature"),
        ("Signature=5d", "Signature=5", "IncompleteSignature"),
        ("AKIDEXAMPLE", "AKIDELSEWHERE", "InvalidClientTokenId"),
        ("/iam/", "/s3/", "SignatureDoesNotMatch"),
        ("host;", "", "SignatureDoesNotMatch"),
        ("b5d7", "b5d8", "SignatureDoesNotMatch"),
    ] {
        let value = complete.replace(from, to);
        headers.insert("authorization", HeaderValue::from_str(&value).unwrap());
        assert_eq!(check(&headers, QUERY, at), Err(code), "{to}");
    }
}

#[test]
fn a_file_of_credentials_that_is_none_is_refused_without_its_content() {
    for (file, message) in [
        ("", "no profile"),
        ("[default]\nregion = eu-west-1\n", "no profile"),
        ("[a]\naws_access_key_id = SECRET1\n", "[a]: has aws_access_key_id, but no"),
        ("[a]\naws_secret_access_key = SECRET1\n", "[a]: has aws_secret_access_key, but no"),
        ("[a\naws_access_key_id", "line"),
    ] {
        let error = Credentials::read(file).unwrap_err().to_string();
        assert!(error.contains(message) && !error.contains("SECRET1"), "{error}");
    }
    let two =
        format!("{FILE}[other]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = x\n");
    assert!(Credentials::read(&two).unwrap_err().to_string().contains("[other]"));
}
