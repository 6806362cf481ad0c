//! The member `Details`: what the log and the snapshot have and AWS does not say.

use serde::Serialize;

use super::Printed;
use crate::coverage::Span;
use crate::report::attempt::{Attempt, Attempts, EventId};
use crate::report::coverage::ProvenPeriod;
use crate::report::service::Subject;
use crate::time::Time;

/// The members that any kind of report or row has.
#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Details<'r> {
    #[serde(skip_serializing_if = "Option::is_none")]
    arn: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_namespace: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    create_date: Option<Printed<Time>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    younger_than_period: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proven_periods: Option<Vec<ProvenPeriod>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_attempt: Option<Logged<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_success: Option<Logged<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_denial: Option<Logged<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_attempt: Option<Logged<'r>>,
}

impl<'r> Details<'r> {
    /// Returns those of a report: whose permissions it is about, for which service if for one, and
    /// which times are proven.
    pub(super) fn of_report(
        subject: &Subject<'r>,
        service_namespace: Option<&'r str>,
        proven: Option<&[Span]>,
    ) -> Self {
        let proven_periods = proven.map(proven_periods);
        Self { arn: Some(subject.arn), service_namespace, proven_periods, ..Self::of_age(subject) }
    }

    /// Returns those of a report of which there is nothing to say but which times are proven.
    pub(super) fn of_proven(proven: &[Span]) -> Self {
        Self { proven_periods: Some(proven_periods(proven)), ..Self::default() }
    }

    /// Returns those of a user or role.
    pub(super) fn of_entity(entity: &Subject<'r>, attempts: Option<&Attempts<'r>>) -> Self {
        let age = Self::of_age(entity);
        match attempts {
            Some(attempts) => age.with_attempts(attempts, EntityMember::Entity),
            None => age,
        }
    }

    /// Returns those of a service or action, if there are attempts; `entity` is the name of the
    /// member that says whose attempt it was. They are large, and most rows have none.
    pub(super) fn of_attempts(
        attempts: Option<&Attempts<'r>>,
        entity: EntityMember,
    ) -> Option<Box<Self>> {
        attempts.map(|attempts| Box::new(Self::default().with_attempts(attempts, entity)))
    }

    fn of_age(subject: &Subject<'r>) -> Self {
        Self {
            create_date: subject.create_date.map(Printed),
            younger_than_period: subject.is_younger_than_period.then_some(true),
            ..Self::default()
        }
    }

    fn with_attempts(self, attempts: &Attempts<'r>, entity: EntityMember) -> Self {
        let logged = |attempt| Logged::of(attempt, entity);
        Self {
            latest_attempt: Some(logged(attempts.latest)),
            latest_success: attempts.success.map(logged),
            latest_denial: attempts.denial.map(logged),
            first_attempt: Some(logged(attempts.first)),
            ..self
        }
    }
}

fn proven_periods(spans: &[Span]) -> Vec<ProvenPeriod> {
    spans.iter().map(ProvenPeriod::from).collect()
}

/// The name of the member that says whose attempt it was.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum EntityMember {
    Entity,
    EntityPath,
}

/// One attempt, with all that the log says of it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Logged<'r> {
    time: Printed<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entity: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entity_path: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<&'r str>,
    event_source: &'r str,
    event_name: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_id: Option<Printed<EventId<'r>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'r str>,
}

impl<'r> Logged<'r> {
    fn of(attempt: Attempt<'r>, entity: EntityMember) -> Self {
        Self {
            time: Printed(attempt.time),
            region: attempt.region,
            entity: (entity == EntityMember::Entity).then_some(attempt.entity),
            entity_path: (entity == EntityMember::EntityPath).then_some(attempt.entity),
            principal: attempt.principal,
            event_source: attempt.event_source,
            event_name: attempt.event_name,
            event_id: attempt.event_id.map(Printed),
            source: attempt.source,
        }
    }
}
