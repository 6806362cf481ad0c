//! An explanation as one JSON document.

use serde::Serialize;
use serde_json::value::RawValue;

use super::{Exhibit, Explanation, Question};
use crate::access::Answer;
use crate::printable;

/// An explanation, ready to be written as JSON.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Document<'a> {
    account_id: &'a str,
    service_name: &'a str,
    service_namespace: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    action_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<&'a str>,
    number_of_accesses: u64,
    latest_attempt: Option<Shown<'a>>,
    latest_success: Option<Shown<'a>>,
    latest_denial: Option<Shown<'a>>,
    first_attempt: Option<Shown<'a>>,
    runners_up: Vec<Shown<'a>>,
}

impl<'a> Document<'a> {
    /// Makes one of what was found; `principal` is who was asked for.
    pub fn new(
        question: &Question<'a>,
        principal: Option<&'a str>,
        explanation: &'a Explanation,
    ) -> Self {
        let Explanation { accesses, latest, success, denial, first } = explanation;
        let service = question.catalog.service(question.service);
        let actions = question.catalog.actions(question.service);
        let action = question.action.and_then(|position| actions.get(position));
        Self {
            account_id: question.account,
            service_name: &service.name,
            service_namespace: &service.namespace,
            action_name: action.map(|action| action.name.as_str()),
            principal,
            number_of_accesses: *accesses,
            latest_attempt: latest.first().map(Shown::of),
            latest_success: success.as_ref().map(Shown::of),
            latest_denial: denial.as_ref().map(Shown::of),
            first_attempt: first.as_ref().map(Shown::of),
            runners_up: latest.iter().skip(1).map(Shown::of).collect(),
        }
    }
}

/// One event.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown<'a> {
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal_arn: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal_id: Option<&'a str>,
    event_source: &'a str,
    event_name: &'a str,
    answer: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_id: Option<&'a str>,
    source: &'a str,
    /// The entry, where the source is an archive.
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<&'a str>,
    offset: u64,
    record: Record<'a>,
}

/// A record as it stands: JSON or, where the scanner was content with less, a string.
#[derive(Serialize)]
#[serde(untagged)]
enum Record<'a> {
    Json(&'a RawValue),
    Text(String),
}

impl<'a> Shown<'a> {
    fn of(exhibit: &'a Exhibit) -> Self {
        Self {
            time: exhibit.time.to_microseconds_string(),
            region: exhibit.region.as_deref(),
            principal_arn: exhibit.principal_arn.as_deref(),
            principal_id: exhibit.principal_id.as_deref(),
            event_source: &exhibit.event_source,
            event_name: &exhibit.event_name,
            answer: match exhibit.answer {
                Answer::Success => "SUCCESS",
                Answer::Denied => "DENIED",
                Answer::Failed => "FAILED",
            },
            event_id: exhibit.event_id.as_deref(),
            source: &exhibit.source,
            entry: (exhibit.body != exhibit.source).then_some(&exhibit.body),
            offset: exhibit.offset,
            record: match serde_json::from_slice(&exhibit.record) {
                Ok(json) => Record::Json(json),
                Err(_) => Record::Text(printable::bytes(&exhibit.record, false)),
            },
        }
    }
}
