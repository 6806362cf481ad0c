//! Tests of who may ask; connections are tested in `tests/serve`.

use axum::http::HeaderMap;

use super::*;

fn headers(of: &[(&'static str, &'static str)]) -> HeaderMap {
    of.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}

#[test]
fn addresses_and_names_of_this_machine_are_answered_and_other_names_only_when_allowed() {
    let known = ["trailfold.example".to_owned()];
    for host in [
        "127.0.0.1:8080",
        "127.0.0.1",
        "[::1]:8080",
        "[::1]",
        "localhost",
        "LOCALHOST:80",
        "iam.localhost:80",
        "192.0.2.1:80",
        "Trailfold.Example:80",
        "trailfold.example.",
    ] {
        let host: HeaderMap = [(HOST, host.parse().unwrap())].into_iter().collect();
        assert!(check_host(&host, &known).is_ok(), "{host:?}");
    }
    for host in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", "", "a:b"] {
        let host: HeaderMap = [(HOST, host.parse().unwrap())].into_iter().collect();
        assert_eq!(check_host(&host, &known).unwrap_err().code, "AccessDenied", "{host:?}");
    }
    assert!(check_host(&HeaderMap::new(), &known).is_ok());
}

#[test]
fn a_browser_asks_for_this_page_alone() {
    assert!(check_origin(&headers(&[("host", "127.0.0.1:80")])).is_ok());
    let own = [("host", "127.0.0.1:80"), ("origin", "http://127.0.0.1:80")];
    assert!(check_origin(&headers(&own)).is_ok());
    for origin in ["http://evil.example", "http://127.0.0.1:81", "null", ""] {
        let other = [("host", "127.0.0.1:80"), ("origin", origin)];
        assert!(check_origin(&headers(&other)).is_err(), "{origin}");
    }
}
