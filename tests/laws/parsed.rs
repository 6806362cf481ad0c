//! An event as a plain JSON parser reads it, to compare the scanner's with.
//!
//! The fuzz target compiles this file, too: it needs nothing but the library and `serde_json`.

use std::borrow::Cow;

use serde_json::{Map, Value};
use trailfold::event::scan::{self, Habits, Object};
use trailfold::event::{Event, RawString, SessionIssuer, UserIdentity};

/// Makes a `userIdentity` of a parsed value.
fn user_identity(identity: &Map<String, Value>) -> UserIdentity<'_> {
    fn text<'v>(object: &'v Map<String, Value>, name: &str) -> Option<Cow<'v, str>> {
        object.get(name).and_then(Value::as_str).map(Cow::Borrowed)
    }
    let context = identity.get("sessionContext").and_then(Value::as_object);
    let issuer = context.and_then(|context| context.get("sessionIssuer")?.as_object());
    UserIdentity {
        identity_type: text(identity, "type"),
        principal_id: text(identity, "principalId"),
        arn: text(identity, "arn"),
        account_id: text(identity, "accountId"),
        access_key_id: text(identity, "accessKeyId"),
        invoked_by: text(identity, "invokedBy"),
        has_session_context: context.is_some(),
        session_issuer: issuer.map(|issuer| SessionIssuer {
            issuer_type: text(issuer, "type"),
            principal_id: text(issuer, "principalId"),
            arn: text(issuer, "arn"),
            account_id: text(issuer, "accountId"),
        }),
    }
}

/// Compares what an event says, but for its objects, with a parsed value: the slow twin of the
/// scanner.
fn check_members(event: &Event<'_>, record: &Map<String, Value>, json: &str) {
    let text = |name: &str| record.get(name).and_then(Value::as_str);
    let is = |found: Option<RawString<'_>>, expected: Option<&str>| {
        assert_eq!(found.map(RawString::decode).as_deref(), expected, "{json}");
    };
    let event_time = text("eventTime").filter(|time| !time.is_empty());
    is(event.event_time(), event_time.or_else(|| text("@timestamp")).or_else(|| text("eventTime")));
    is(event.event_source(), text("eventSource"));
    is(event.event_name(), text("eventName"));
    is(event.aws_region(), text("awsRegion"));
    is(event.event_id(), text("eventID"));
    is(event.event_type(), text("eventType"));
    is(event.event_category(), text("eventCategory"));
    is(event.error_code(), text("errorCode"));
    is(event.error_message(), text("errorMessage"));
    let management_event = match record.get("managementEvent") {
        Some(Value::Bool(flag)) => Some(*flag),
        Some(Value::String(flag)) => flag.parse().ok(),
        _ => None,
    };
    assert_eq!(event.management_event(), management_event, "{json}");
    let has_insight_details = record.get("insightDetails").is_some_and(Value::is_object);
    assert_eq!(event.has_insight_details(), has_insight_details, "{json}");
}

/// Compares the scanner's event of `json`, which is one object and no envelope, with the parser's.
pub(crate) fn check(json: &str) {
    let value: Value = serde_json::from_str(json).unwrap();
    let record = value.as_object().unwrap();
    let (mut habits, mut object) = <(Habits, Object<'_>)>::default();
    scan::object(json.as_bytes(), 0, false, &mut habits, &mut object).unwrap();
    let event = object.event;
    let identity = event.user_identity().map(|identity| identity.read().unwrap());
    let parsed = record.get("userIdentity").and_then(Value::as_object);
    assert_eq!(identity, parsed.map(user_identity), "{json}");
    assert_eq!(object.end, json.len(), "{json}");
    for (name, raw) in [
        ("requestParameters", event.request_parameters()),
        ("responseElements", event.response_elements()),
    ] {
        let parsed = record.get(name).and_then(Value::as_object);
        assert_eq!(raw.is_some(), parsed.is_some(), "{name} of {json}");
        let members = parsed.into_iter().flatten();
        for (member, value) in members {
            let found = raw.and_then(|raw| raw.string(member));
            assert_eq!(found.as_deref(), value.as_str(), "{member} of {name} of {json}");
        }
    }
    check_members(&event, record, json);
}
