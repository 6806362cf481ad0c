//! The member `Details`: what the log has and AWS does not say, the same in every kind of report.

use super::Json;
use crate::report::attempt::{Attempt, Attempts};
use crate::report::service::Subject;

/// Writes the attempts as members of `Details`; `entity` is the name of the member that says whose
/// attempt it was.
pub(super) fn push_attempts(json: &mut Json, attempts: &Attempts<'_>, entity: &'static str) {
    push_attempt(json, "LatestAttempt", Some(attempts.latest), entity);
    push_attempt(json, "LatestSuccess", attempts.success, entity);
    push_attempt(json, "LatestDenial", attempts.denial, entity);
    push_attempt(json, "FirstAttempt", Some(attempts.first), entity);
}

fn push_attempt(
    json: &mut Json,
    name: &'static str,
    attempt: Option<Attempt<'_>>,
    entity: &'static str,
) {
    let Some(attempt) = attempt else { return };
    json.object(name, |json| {
        json.member("Time", attempt.time);
        json.optional("Region", attempt.region);
        json.member(entity, attempt.entity);
        json.optional("Principal", attempt.principal);
        json.member("EventSource", attempt.event_source);
        json.member("EventName", attempt.event_name);
        json.optional("EventId", attempt.event_id);
    });
}

/// Writes how old a user, group, role or policy is, as members of `Details`.
pub(super) fn push_age(json: &mut Json, subject: &Subject<'_>) {
    json.optional("CreateDate", subject.create_date);
    json.optional("YoungerThanPeriod", subject.is_younger_than_period.then_some(true));
}
