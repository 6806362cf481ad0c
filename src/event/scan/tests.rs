//! Tests of the scanner on single objects.

mod orders;

use super::*;
use crate::event::SessionIssuer;

fn read(bytes: &[u8], start: usize, more_may_come: bool) -> Result<Object<'_>, Fault> {
    let mut object = Object::default();
    super::object(bytes, start, more_may_come, &mut Habits::default(), &mut object)?;
    Ok(object)
}

/// Reads bytes that are all there are.
fn object(bytes: &[u8], start: usize) -> Result<Object<'_>, Fault> {
    read(bytes, start, false)
}

fn event(json: &str) -> Event<'_> {
    object(json.as_bytes(), 0).unwrap().event
}

fn identity<'a>(event: &Event<'a>) -> UserIdentity<'a> {
    event.user_identity().unwrap().read().unwrap()
}

fn fault(json: &[u8]) -> (usize, &'static str) {
    match object_by_bytes(json, 0) {
        Err(Fault::Syntax { at, reason }) => (at, reason),
        other => panic!("{other:?}"),
    }
}

fn is_incomplete(json: &[u8]) -> bool {
    [false, true]
        .into_iter()
        .all(|more_may_come| matches!(read(json, 0, more_may_come), Err(Fault::Incomplete)))
}

fn raw(text: &str) -> Option<RawString<'_>> {
    Some(text.into())
}

fn owned(text: &str) -> Option<Cow<'_, str>> {
    Some(Cow::Borrowed(text))
}

const WHOLE: &str = r#" {
  "eventVersion": "1.08", "userIdentity": {"type": "AssumedRole", "principalId": "AROA:s",
    "arn": "arn:aws:sts::1:assumed-role/r/s", "accountId": "1", "accessKeyId": "ASIA",
    "invokedBy": "x.amazonaws.com", "sessionContext": {"attributes": {"mfaAuthenticated": "no"},
      "sessionIssuer": {"type": "Role", "principalId": "AROA", "arn": "arn:aws:iam::1:role/r",
        "accountId": "1", "userName": "r"}}},
  "eventTime": "2026-01-02T03:04:05Z", "eventSource": "s3.amazonaws.com",
  "eventName": "GetObject", "awsRegion": "eu-west-1", "errorCode": "AccessDenied",
  "errorMessage": "no", "requestParameters": {"serviceNamespace": "ecs", "a": [1, {}]},
  "responseElements": {"ConsoleLogin": "Failure"}, "eventID": "id", "eventType": "AwsApiCall",
  "managementEvent": false, "eventCategory": "Data", "insightDetails": {} } "#;

#[test]
fn every_field_is_read() {
    let json = WHOLE.trim();
    let object = object(json.as_bytes(), 0).unwrap();
    let event = object.event;
    assert_eq!(object.end, json.len());
    assert_eq!(event.event_time(), raw("2026-01-02T03:04:05Z"));
    assert_eq!(event.event_source(), raw("s3.amazonaws.com"));
    assert_eq!(event.event_name(), raw("GetObject"));
    assert_eq!(event.aws_region(), raw("eu-west-1"));
    assert_eq!(event.event_id(), raw("id"));
    assert_eq!(event.event_type(), raw("AwsApiCall"));
    assert_eq!(event.event_category(), raw("Data"));
    assert_eq!(event.management_event(), Some(false));
    assert_eq!(event.error_code(), raw("AccessDenied"));
    assert_eq!(event.error_message(), raw("no"));
    assert!(event.has_insight_details());
    let request = event.request_parameters().unwrap();
    assert_eq!(request.string("serviceNamespace"), owned("ecs"));
    assert_eq!(request.string("a"), None);
    assert_eq!(event.response_elements().unwrap().string("ConsoleLogin"), owned("Failure"));
    let identity = identity(&event);
    assert_eq!(identity.identity_type, owned("AssumedRole"));
    assert_eq!(identity.principal_id, owned("AROA:s"));
    assert_eq!(identity.arn, owned("arn:aws:sts::1:assumed-role/r/s"));
    assert_eq!(identity.account_id, owned("1"));
    assert_eq!(identity.access_key_id, owned("ASIA"));
    assert_eq!(identity.invoked_by, owned("x.amazonaws.com"));
    assert!(identity.has_session_context);
    let issuer = identity.session_issuer.unwrap();
    assert_eq!(issuer.issuer_type, owned("Role"));
    assert_eq!(issuer.principal_id, owned("AROA"));
    assert_eq!(issuer.arn, owned("arn:aws:iam::1:role/r"));
    assert_eq!(issuer.account_id, owned("1"));
}

#[test]
fn an_object_that_is_cut_off_anywhere_is_incomplete() {
    let json = WHOLE.trim().as_bytes();
    for end in 1..json.len() {
        assert!(is_incomplete(&json[..end]), "{end}");
    }
}

#[test]
fn a26_keys_mean_what_their_escapes_say() {
    let json = r#"{"event\u0053ource":"a","\u0065ventName":"b","userIdentity":{"\u0061rn":"c",
        "session\u0043ontext":{"sessionIssue\u0072":{"ar\u006e":"d"}}},
        "requestParameters":{"service\u004eamespace":"e"}}"#;
    let event = event(json);
    let identity = identity(&event);
    assert_eq!(event.event_source(), raw("a"));
    assert_eq!(event.event_name(), raw("b"));
    assert_eq!(identity.arn, owned("c"));
    assert_eq!(identity.session_issuer.unwrap().arn, owned("d"));
    assert_eq!(event.request_parameters().unwrap().string("serviceNamespace"), owned("e"));
    assert!(object(br#"{"Record\u0073":[]}"#, 0).unwrap().is_envelope);
    assert_eq!(self::event(r#"{"eventSource\u0000":"a","eventsource":"b"}"#), Event::default());
}

#[test]
fn a26_the_last_of_duplicate_members_stands() {
    let json = r#"{"awsRegion":"a","awsRegion":"b","eventName":"a","eventName":7,
        "managementEvent":true,"managementEvent":null,"requestParameters":{"a":"b"},
        "requestParameters":"text","userIdentity":{"arn":"a","accountId":"1"},
        "userIdentity":{"arn":"b","arn":"c","sessionContext":{"sessionIssuer":{"arn":"x"},
            "sessionIssuer":null}},
        "insightDetails":{},"insightDetails":null}"#;
    let event = event(json);
    assert_eq!(event.aws_region(), raw("b"));
    assert_eq!(event.event_name(), None);
    assert_eq!(event.management_event(), None);
    assert_eq!(event.request_parameters(), None);
    assert!(!event.has_insight_details());
    let identity = identity(&event);
    assert_eq!(identity.arn, owned("c"));
    assert_eq!(identity.account_id, None);
    assert!(identity.has_session_context);
    assert_eq!(identity.session_issuer, None);
    let twice = self::event(r#"{"userIdentity":{"arn":"a"},"userIdentity":[]}"#);
    assert_eq!(twice.user_identity(), None);
    let params = self::event(r#"{"requestParameters":{"a":"b","a":1}}"#).request_parameters();
    assert_eq!(params.unwrap().string("a"), None);
}

#[test]
fn a26_values_of_another_type_are_absent() {
    for value in ["1", "-1.5e+3", "true", "null", "[]", "[\"a\"]", "{}", r#"{"eventName":"a"}"#] {
        let json = format!(
            r#"{{"eventName":{value},"eventTime":{value},"userIdentity":{{"arn":{value}}}}}"#
        );
        let event = event(&json);
        assert_eq!((event.event_name(), event.event_time()), (None, None), "{value}");
        assert_eq!(identity(&event).arn, None, "{value}");
    }
    assert_eq!(event(r#"{"managementEvent":"true"}"#).management_event(), Some(true));
    assert_eq!(event(r#"{"managementEvent":"false"}"#).management_event(), Some(false));
    assert_eq!(event(r#"{"managementEvent":0}"#).management_event(), None);
    let text = identity(&event(r#"{"userIdentity":{"sessionContext":"a"}}"#));
    assert!(!text.has_session_context);
    let empty = event(r#"{"userIdentity":{"sessionContext":{"sessionIssuer":{}}}}"#);
    assert_eq!(identity(&empty).session_issuer, Some(SessionIssuer::default()));
}

#[test]
fn the_timestamp_stands_in_for_an_absent_event_time_only() {
    let time = |json| event(json).event_time().map(|text| text.decode().into_owned());
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(time(r#"{"@timestamp":"a"}"#), some("a"));
    assert_eq!(time(r#"{"@timestamp":"a","eventTime":"b"}"#), some("b"));
    assert_eq!(time(r#"{"eventTime":"b","@timestamp":"a"}"#), some("b"));
    assert_eq!(time(r#"{"@timestamp":"a","eventTime":null}"#), some("a"));
    assert_eq!(time(r#"{"eventTime":"b","@timestamp":"a","eventTime":1}"#), some("a"));
    assert_eq!(time(r#"{"@timestamp":"a","@timestamp":"b"}"#), some("b"));
    assert_eq!(time(r#"{"@timestamp":"a","eventTime":""}"#), some("a"));
    assert_eq!(time(r#"{"eventTime":""}"#), some(""));
}

#[test]
fn a_table_export_that_gives_every_event_null_insight_details_holds_no_insights() {
    assert!(!event(r#"{"insightDetails":null}"#).has_insight_details());
    assert!(event(r#"{"insightDetails":{"state":"Start"}}"#).has_insight_details());
}

#[test]
fn escapes_are_undone_as_json_says() {
    let name =
        |json: &str| event(json).event_name().map(|text| text.decode().into_owned()).unwrap();
    let all = r#"{"eventName":"\"\\\/\b\f\n\r\t\u00e9\u20AC\ud83d\ude00\u0000"}"#;
    assert_eq!(name(all), "\"\\/\u{8}\u{c}\n\r\té€😀\0");
    assert_eq!(name(r#"{"eventName":"ends with \\"}"#), "ends with \\");
}

#[test]
fn half_a_surrogate_pair_becomes_the_replacement_character() {
    let name =
        |json: &str| event(json).event_name().map(|text| text.decode().into_owned()).unwrap();
    assert_eq!(name(r#"{"eventName":"a\ud83db"}"#), "a\u{fffd}b");
    assert_eq!(name(r#"{"eventName":"\ude00"}"#), "\u{fffd}");
    assert_eq!(name(r#"{"eventName":"\ud83d\u0041"}"#), "\u{fffd}A");
    assert_eq!(name(r#"{"eventName":"\ud83d\ud83d\ude00"}"#), "\u{fffd}😀");
    assert_eq!(name(r#"{"eventName":"\ud83d"}"#), "\u{fffd}");
}

#[test]
fn what_is_no_utf_8_or_no_escape_is_read_as_well_as_it_can_be() {
    let mut json = b"{\"eventName\":\"a\xffb\",\"awsRegion\":\"\\x\\u12\xc3\"}".to_vec();
    let event = object(&json, 0).unwrap().event;
    assert_eq!(event.event_name(), raw("a\u{fffd}b"));
    assert!(event.aws_region().is_some());
    json.splice(1..1, b"\"\xff\xfe\":\"\xc3\",".iter().copied());
    assert_eq!(object(&json, 0).unwrap().event.event_name(), raw("a\u{fffd}b"));
}

#[test]
fn members_in_strings_and_in_other_objects_are_not_the_events_own() {
    let json = r#"{"userAgent":"\",\"eventSource\":\"iam.amazonaws.com\",\"x\":\"",
        "requestParameters":{"eventSource":"a","userIdentity":{"arn":"b"},"Records":[{}]},
        "x":["eventSource","a",{"eventSource":"c"}],"eventSource":"s3.amazonaws.com"}"#;
    let object = object(json.as_bytes(), 0).unwrap();
    assert_eq!(object.event.event_source(), raw("s3.amazonaws.com"));
    assert_eq!(object.event.user_identity(), None);
    assert!(!object.is_envelope);
}

#[test]
fn faults_tell_where_the_object_stops_being_json() {
    for (json, expected) in [
        (r#"{"a":1 "b":2}"#, (7, "expected `,` or `}`")),
        (r#"{"a":1,b:2}"#, (7, "expected a string")),
        (r#"{a:2}"#, (1, "expected a string")),
        (r#"{"a":1,}"#, (7, "expected a string")),
        (r#"{,"a":1}"#, (1, "expected a string")),
        (r#"{"a" 1}"#, (5, "expected `:`")),
        (r#"{"a":}"#, (5, "expected a value")),
        (r#"{"a":tru}"#, (5, "expected a value")),
        (r#"{"a":nil}"#, (5, "expected a value")),
        (r#"{"a":'b'}"#, (5, "expected a value")),
        (r#"{"a":-}"#, (5, "expected a number")),
        (r#"{"a":[1 2]}"#, (8, "expected `,` or `]`")),
        (r#"{"a":[1,]}"#, (8, "expected a value")),
        (r#"{"a":[1}"#, (7, "expected `,` or `]`")),
        (r#"{"a":{"b":1]}"#, (11, "expected `,` or `}`")),
        (r#"{"a":{"b"}}"#, (9, "expected `:`")),
        (r#"{"userIdentity":{"arn":x}}"#, (23, "expected a value")),
        (
            r#"{"userIdentity":{"sessionContext":{"sessionIssuer":{"arn" 1}}}}"#,
            (58, "expected `:`"),
        ),
        ("{\"a\":\0}", (5, "expected a value")),
        ("{\0\"a\":1}", (1, "expected a string")),
    ] {
        assert_eq!(fault(json.as_bytes()), expected, "{json}");
    }
}

#[test]
fn nesting_of_512_levels_is_read_and_more_is_a_fault() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let nested =
            |levels: usize| format!("{{\"a\":{}1{}}}", open.repeat(levels), close.repeat(levels));
        assert!(object(nested(512).as_bytes(), 0).is_ok());
        let (at, reason) = fault(nested(513).as_bytes());
        assert_eq!((at, reason), (5 + 512 * open.len() + 1, "nested deeper than 512 levels"));
        assert_eq!(fault(nested(1_000_000).as_bytes()).0, at);
    }
}

#[test]
fn numbers_and_literals_at_the_end_of_the_bytes_may_go_on() {
    assert_eq!(value(b"12", 0), Ok(2));
    assert_eq!(value(b"tr", 0), Err(Fault::Incomplete));
    assert_eq!(value(b"-", 0), Err(Fault::Incomplete));
    assert_eq!(value(b" [1, {\"a\": \"]\"}] ", 0), Ok(16));
    assert_eq!(value(b"\"a\\\"b\"", 0), Ok(6));
    assert_eq!(value(b"", 0), Err(Fault::Incomplete));
    assert_eq!(value(b"}", 0), Err(Fault::Syntax { at: 0, reason: "expected a value" }));
}

#[test]
fn an_envelope_ends_at_its_array_and_goes_on_behind_it() {
    let json = br#"{"a":{"Records":[]},"Records" : [1],"b":2,"events":[3],"c":{"Records":[4]}} "#;
    let envelope = object(json, 0).unwrap();
    assert!(envelope.is_envelope);
    assert_eq!(json[envelope.end..][..3], *b"[1]");
    let Ok(Members::Container(array)) = members(json, envelope.end + 3) else { panic!() };
    assert_eq!(json[array..][..3], *b"[3]");
    assert_eq!(members(json, array + 3), Ok(Members::End(json.len() - 1)));
    assert_eq!(members(b",\"a\":1", 0), Err(Fault::Incomplete));
    assert_eq!(members(b" 1}", 0), Err(Fault::Syntax { at: 1, reason: "expected `,` or `}`" }));
    assert!(!object(br#"{"Records":{}}"#, 0).unwrap().is_envelope);
    assert!(!object(br#"{"eventTime":"a","eventName":"b","Events":[1]}"#, 0).unwrap().is_envelope);
}

#[test]
fn keys_tell_the_values_of_members_from_records() {
    let is_member = |text: &str| colon_before(text.as_bytes(), text.len() - 1).is_some();
    assert!(is_member(r#""a":{"#));
    assert!(is_member("\"a\" :\n {"));
    assert!(is_member(r#""a":["#));
    assert!(is_member(r#""Records":{"#));
    assert!(!is_member(r#""Records":["#));
    assert_eq!(colon_before(b"{\"a\" :  {", 8), Some(5));
    assert!(!is_member("prefix: {"));
    assert!(!is_member(r#","b",{"#));
    assert!(!is_member("{"));
    assert!(!is_member(&format!("\"a\":{}{{", " ".repeat(LOOK_BACK))));
}

#[test]
fn a_missing_closing_quote_hides_no_brace() {
    let json = b"{\"a\":\"b}\n{\"eventName\":1}";
    let (at, _) = fault(json);
    assert_eq!(at, 11);
    assert_eq!(behind_fault(json, 0, at), 9);
    let json = br#"{"a":"b" "c":1}"#;
    assert_eq!(behind_fault(json, 0, 9), 9);
    assert_eq!(behind_fault(br#"{"a 1}"#, 0, 1), 1);
    assert_eq!(behind_fault(br#"{"x"#, 0, 2), 2);
}

/// Returns a record whose strings, escapes and brackets fall on every place of a block in turn.
fn shifted(by: usize) -> String {
    let filler = "x".repeat(by);
    let odd = "\\\\".repeat(by % 5) + "\\\"";
    format!(
        r#"{{"userAgent":"{filler}{odd}}}]","requestParameters":{{"a":["{odd}",{{"b":"{filler}]}}"}}]
        ,"c":[[{{}}],"\u00e9{filler}"]}},"eventSource":"s3.amazonaws.com{filler}","eventName":"{odd}",
        "resources":[{{"ARN":"{filler}"}},[1,-2.5e3,true,null]],"eventTime":"{filler}",
        "userIdentity":{{"type":"Root","sessionContext":{{"sessionIssuer":{{}},"x":"{odd}"}},
        "accountId":"{filler}"}},"managementEvent":true,"eventID":"id"}}"#
    )
}

#[test]
fn every_level_reads_what_the_byte_by_byte_twin_reads() {
    for (level, read) in level::tests::every() {
        for by in 0..200 {
            let before = " ".repeat(by % 3);
            let json = before.clone() + &shifted(by) + "behind";
            let expected = object_by_bytes(json.as_bytes(), before.len()).unwrap();
            assert!(
                expected.event.user_identity().is_some() && expected.event.event_id().is_some()
            );
            let found = read(json.as_bytes(), before.len(), &mut Habits::default()).unwrap();
            assert_eq!(found.event, expected.event, "{level}, shifted by {by}");
            assert_eq!(found.end, expected.end, "{level}, shifted by {by}");
        }
    }
}

#[test]
fn every_level_finds_a_record_that_is_cut_off_anywhere_faulty() {
    let json = shifted(70);
    for (level, read) in level::tests::every() {
        for end in 1..json.len() {
            let cut = json.as_bytes().get(..end).unwrap();
            assert!(read(cut, 0, &mut Habits::default()).is_err(), "{level}, cut at {end}");
        }
    }
}

#[test]
fn a_long_value_is_looked_at_again_byte_by_byte() {
    let long = "[{}],".repeat(20_000);
    let json = format!(r#"{{"requestParameters":[{long}}}]}}"#);
    for (level, read) in level::tests::every() {
        assert!(read(json.as_bytes(), 0, &mut Habits::default()).is_err(), "{level}");
    }
}

#[test]
fn quotes_lost_in_two_records_do_not_make_one_of_them() {
    for (lost, at) in [("b\"", "b"), ("\"b", "b"), ("\"c", "c"), ("d\"", "d")] {
        for by in 0..130 {
            let filler = "x".repeat(by);
            let whole = format!(
                r#"{{"eventName":"{filler}","requestParameters":{{"a":"b","c":"d","e":{{"f":"g"}}}},"eventID":"x"}}"#
            );
            let broken = whole.replacen(lost, at, 1);
            let stream = format!("{broken},{broken},{whole}");
            assert!(object_by_bytes(stream.as_bytes(), 0).is_err(), "{broken}");
            for (level, read) in level::tests::every() {
                assert!(
                    read(stream.as_bytes(), 0, &mut Habits::default()).is_err(),
                    "{level}: {broken}"
                );
            }
        }
    }
}

#[test]
fn what_no_json_has_is_left_to_the_byte_by_byte_twin() {
    for json in [
        r#"{"Records":{{"eventName":"n"},{"eventName":"m"}]}"#,
        r#"{"Records":{["eventName"]}}"#,
        "{\"a\":{\"b\":\"c\n\"}}",
    ] {
        for by in 0..70 {
            let shifted = format!("{{\"x\":\"{}\",{}", "y".repeat(by), json.get(1..).unwrap());
            for (level, read) in level::tests::every() {
                assert!(
                    read(shifted.as_bytes(), 0, &mut Habits::default()).is_err(),
                    "{level}: {shifted}"
                );
            }
        }
    }
}

/// Calls `each` for `text` with every bracket in `range` put in the place of another in turn.
fn with_other_brackets(text: &str, range: std::ops::Range<usize>, each: &mut dyn FnMut(String)) {
    for at in range {
        let (before, rest) = text.split_at(at);
        let (bracket, behind) = rest.split_at(1);
        for other in ["{", "}", "[", "]"] {
            if "{}[]".contains(bracket) && bracket != other {
                each([before, other, behind].concat());
            }
        }
    }
}

#[test]
fn v3_two_damaged_brackets_make_no_record_vanish() {
    let record = |number: usize| {
        format!(
            r#"{{"eventVersion":"1.08","userIdentity":{{"type":"Root","accountId":"1","sessionContext":{{"a":[{{}}]}}}},"eventTime":"2026-01-0{number}T00:00:00Z","eventSource":"s3.amazonaws.com","eventName":"n{number}","requestParameters":{{"a":[{{"b":[1]}},2],"c":{{"d":{{}}}}}},"eventID":"x"}}"#
        )
    };
    let stream = format!(r#"{{"Records":[{},{},{}]}}"#, record(1), record(2), record(3));
    let second = stream.find(r#""n2""#).unwrap() - 250;
    let (mut damaged, mut lost) = (0, Vec::new());
    with_other_brackets(&stream, 12..second, &mut |once| {
        with_other_brackets(&once, second..once.len(), &mut |twice| {
            let (mut events, mut malformed) = (0, 0);
            let mut window = crate::event::envelope::Window::default();
            let input = crate::event::envelope::Input::Whole(twice.as_bytes());
            let mut each = |found: crate::event::envelope::Found<'_>| match found {
                crate::event::envelope::Found::Event { .. } => events += 1,
                crate::event::envelope::Found::Malformed(_) => malformed += 1,
                crate::event::envelope::Found::Lookalike(_) => {}
            };
            crate::event::envelope::read(input, &mut window, &mut |_| true, &mut each).unwrap();
            damaged += 1;
            if events < 3 && malformed == 0 {
                lost.push(twice);
            }
        });
    });
    assert!(damaged > 2000, "{damaged}");
    assert!(lost.is_empty(), "{} of {damaged}: {}", lost.len(), lost[0]);
}
