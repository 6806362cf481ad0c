//! An event as a plain JSON parser reads it, to compare the scanner's with.
//!
//! The fuzz target compiles this file, too: it needs nothing but the library and `serde_json`.

use std::borrow::Cow;

use serde_json::{Map, Value};
use trailfold::event::scan::{self, Habits};
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

/// Makes an event of a parsed value, but for its objects: the slow twin of the scanner.
fn event(record: &Map<String, Value>) -> Event<'_> {
    fn text<'v>(object: &'v Map<String, Value>, name: &str) -> Option<RawString<'v>> {
        object.get(name).and_then(Value::as_str).map(RawString::from)
    }
    let management_event = match record.get("managementEvent") {
        Some(Value::Bool(flag)) => Some(*flag),
        Some(Value::String(flag)) => flag.parse().ok(),
        _ => None,
    };
    Event {
        event_time: text(record, "eventTime")
            .filter(|time| !RawString::is_empty(*time))
            .or_else(|| text(record, "@timestamp"))
            .or_else(|| text(record, "eventTime")),
        event_source: text(record, "eventSource"),
        event_name: text(record, "eventName"),
        aws_region: text(record, "awsRegion"),
        event_id: text(record, "eventID"),
        event_type: text(record, "eventType"),
        event_category: text(record, "eventCategory"),
        management_event,
        error_code: text(record, "errorCode"),
        error_message: text(record, "errorMessage"),
        user_identity: None,
        has_insight_details: record.get("insightDetails").is_some_and(Value::is_object),
        request_parameters: None,
        response_elements: None,
    }
}

/// Compares the scanner's event of `json`, which is one object and no envelope, with the parser's.
pub(crate) fn check(json: &str) {
    let value: Value = serde_json::from_str(json).unwrap();
    let record = value.as_object().unwrap();
    let object = scan::object(json.as_bytes(), 0, false, &mut Habits::default()).unwrap();
    let mut event = object.event;
    let identity = event.user_identity.take().map(|identity| identity.read().unwrap());
    let parsed = record.get("userIdentity").and_then(Value::as_object);
    assert_eq!(identity, parsed.map(user_identity), "{json}");
    assert_eq!(object.end, json.len(), "{json}");
    for (name, raw) in [
        ("requestParameters", event.request_parameters.take()),
        ("responseElements", event.response_elements.take()),
    ] {
        let parsed = record.get(name).and_then(Value::as_object);
        assert_eq!(raw.is_some(), parsed.is_some(), "{name} of {json}");
        let members = parsed.into_iter().flatten();
        for (member, value) in members {
            let found = raw.and_then(|raw| raw.string(member));
            assert_eq!(found.as_deref(), value.as_str(), "{member} of {name} of {json}");
        }
    }
    assert_eq!(event, self::event(record), "{json}");
}
