//! First lines of logs of other services.

use super::*;

const OWNER: &str = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be";

#[test]
fn logs_of_other_services_are_told_by_their_first_line() {
    let access_line = format!(
        "{OWNER} bucket [06/Feb/2019:00:00:38 +0000] 192.0.2.3 {OWNER} 3E57 REST.GET.VERSIONING - \
         \"GET /bucket?versioning HTTP/1.1\" 200 - 113 - 7 - \"-\" \"S3Console/0.4\" -"
    );
    for (text, expected) in [
        (
            "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets \
             bytes start end action log-status\n2 111122223333 eni-1 …",
            SourceReason::VpcFlowLog,
        ),
        ("log-status vpc-id srcaddr dstaddr\nOK vpc-1 10.0.0.1 10.0.0.2", SourceReason::VpcFlowLog),
        (
            "2 111122223333 eni-1235b8ca 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 \
             1418530070 ACCEPT OK\n",
            SourceReason::VpcFlowLog,
        ),
        (
            "2 unknown eni-1235b8ca - - - - - - - 1431280876 1431280934 - NODATA",
            SourceReason::VpcFlowLog,
        ),
        (&access_line, SourceReason::S3AccessLog),
        (
            "https 2018-07-02T22:23:00.186641Z app/my-loadbalancer/50dc6c495c0c9188 \
             192.168.131.39:2817 10.0.0.1:80 0.086 0.048 0.037 200 200",
            SourceReason::LoadBalancerLog,
        ),
        (
            "tls 2.0 2018-12-20T02:59:40 net/my-network-loadbalancer/c6e77e28c25b2234 g3d4b5e8bb84",
            SourceReason::LoadBalancerLog,
        ),
        (
            "2015-05-13T23:39:43.945958Z my-loadbalancer 192.168.131.39:2817 10.0.0.1:80 0.000073 \
             0.001048 0.000057 200 200 0 29 \"GET http://www.example.com:80/ HTTP/1.1\"",
            SourceReason::LoadBalancerLog,
        ),
        (
            "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip",
            SourceReason::CloudFrontLog,
        ),
        ("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", SourceReason::NotJson),
        ("\u{feff}\r\n <!DOCTYPE html>", SourceReason::NotJson),
        ("\0\u{5}\u{16}\u{7}\0\u{2}", SourceReason::NotJson),
    ] {
        assert_eq!(text_kind(text.as_bytes()), Some(expected), "{text}");
    }
}

#[test]
fn what_may_hold_events_is_left_to_the_reader_of_events() {
    for text in [
        "",
        " \n",
        "\u{feff}",
        "{\"Records\":[]}",
        "\u{feff}[{}]",
        "\"{\\\"Records\\\": []}\"",
        "null",
        "}{",
        "Records: [{eventVersion: 1.08}]",
        "Jan 31 00:00:00 host cloudtrail: {\"eventVersion\": \"1.08\"}",
        "2026-01-31T00:00:00Z stream {\"eventVersion\": \"1.08\", \"eventName\": \"OK\"}",
        "# a comment\n{\"Records\":[]}",
        "\0\0\0\0\0\0\0\0",
        "OK",
        "account-id {\"eventVersion\": \"1.08\"}",
    ] {
        assert_eq!(text_kind(text.as_bytes()), None, "{text:?}");
    }
    assert_eq!(text_kind(b"\xff\xfe{\0"), None);
}

#[test]
fn no_bytes_break_it() {
    for byte in 0..=u8::MAX {
        for length in [1, 2, 3, 64, 600] {
            let _ = text_kind(&vec![byte; length]);
            let _ = text_kind(&[[b' '].as_slice(), &vec![byte; length]].concat());
        }
    }
}
