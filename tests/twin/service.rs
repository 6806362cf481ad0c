//! The reports of users, groups, roles and managed policies (I1–I7), by loops over every access.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use serde_json::{Map, Value, json};

use super::attribution::{Access, print_time};
use super::facts::{Facts, Meaning};
pub(crate) use super::identities::{Identities, Principal};
use super::policy::{Actions, Permissions};
use super::{FACTS, accesses, logs};

/// What is asked of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Service,
    Action,
}

/// An attempt, in the order in which the greatest is the latest: time, event id, Region, ARN of
/// the user or role, principal as logged, event source, event name.
type Attempt<'a> =
    (i64, Option<&'a str>, Option<&'a str>, &'a str, Option<&'a str>, &'a str, &'a str);

/// Logs and identities, read once for many reports.
pub(crate) struct ServiceTwin {
    pub(crate) identities: Identities,
    accesses: Vec<Access>,
    /// Of each access, the place of the user or role in the identities, and what the event means.
    known: Vec<(Option<usize>, Meaning)>,
    permissions: Permissions<'static>,
}

/// Returns the accesses of files or directories.
pub(crate) fn read_accesses(inputs: &[&Path]) -> Vec<Access> {
    inputs.iter().flat_map(|input| accesses(&logs::read(input))).collect()
}

impl ServiceTwin {
    /// Reads a snapshot, and tells whose the accesses are. Needs the facts.
    pub(crate) fn new(accesses: Vec<Access>, identities: Identities) -> Self {
        let facts: &'static Facts = FACTS.as_ref().expect("the facts are there");
        let mut meanings = HashMap::new();
        let known = accesses.iter().map(|access| {
            let event = (&access.source, &access.event_name, &access.service_namespace);
            let (source, name, scalable) = event;
            let meaning = meanings
                .entry(event)
                .or_insert_with(|| facts.meaning(source, name, scalable.as_deref()));
            (identities.whose(access), meaning.clone())
        });
        let known = known.collect();
        Self { identities, accesses, known, permissions: Permissions::new(facts) }
    }

    /// Returns the ARN of the user or role that each event with an id counts for.
    pub(crate) fn whose(&self) -> BTreeMap<&str, Option<&str>> {
        let pairs = self.accesses.iter().zip(&self.known);
        let whose = pairs.filter_map(|(access, (place, _))| {
            let arn = place.map(|place| self.identities.principals[place].arn.as_str());
            Some((access.event_id.as_deref()?, arn))
        });
        whose.collect()
    }

    /// Reports as `GetServiceLastAccessedDetails` does, without the dates of a job; none for an
    /// ARN that the snapshot lacks. With `details` every row tells its latest attempt.
    pub(crate) fn report(&self, arn: &str, level: Level, details: bool) -> Option<Value> {
        let allowed = self.permissions.allowed(&self.identities.documents(arn)?);
        let scope = self.accesses_of(&self.identities.scope(arn));
        let rows: Vec<Value> = allowed
            .iter()
            .map(|(namespace, actions)| {
                let actions = (level == Level::Action).then_some(actions);
                self.row(namespace, actions, &scope, details)
            })
            .collect();
        let job_type = if level == Level::Action { "ACTION_LEVEL" } else { "SERVICE_LEVEL" };
        Some(json!({
            "JobStatus": "COMPLETED",
            "JobType": job_type,
            "ServicesLastAccessed": rows,
            "IsTruncated": false,
        }))
    }

    /// Reports as `GetServiceLastAccessedDetailsWithEntities` does (I5).
    pub(crate) fn entities(&self, arn: &str, namespace: &str) -> Option<Value> {
        let allowed: Actions = self.permissions.allowed(&self.identities.documents(arn)?);
        let scope =
            if allowed.contains_key(namespace) { self.identities.scope(arn) } else { Vec::new() };
        let mut listed: Vec<(Option<i64>, &str, usize)> = scope
            .iter()
            .map(|place| {
                let accesses = self.of_service(&self.accesses_of(&[*place]), namespace);
                let times = accesses.iter().map(|access| self.accesses[*access].time);
                let seconds = times.max().map(|time| time.div_euclid(1_000_000));
                (seconds, self.identities.principals[*place].arn.as_str(), *place)
            })
            .collect();
        listed.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
        let rows: Vec<Value> = listed
            .iter()
            .map(|(seconds, arn, place)| {
                let entity = &self.identities.principals[*place];
                let mut row = json!({"EntityInfo": {
                    "Arn": arn, "Name": entity.name, "Type": entity.kind, "Id": entity.id,
                    "Path": entity.path,
                }});
                if let Some(seconds) = seconds {
                    row["LastAuthenticated"] = json!(print_time(seconds * 1_000_000));
                }
                row
            })
            .collect();
        Some(json!({"JobStatus": "COMPLETED", "EntityDetailsList": rows, "IsTruncated": false}))
    }

    /// Makes one row (I3, I4).
    fn row(
        &self,
        namespace: &str,
        actions: Option<&BTreeSet<String>>,
        scope: &[usize],
        details: bool,
    ) -> Value {
        let facts = FACTS.as_ref().unwrap();
        let mut row = Map::new();
        row.insert("ServiceName".to_owned(), json!(facts.services[namespace].name));
        row.insert("ServiceNamespace".to_owned(), json!(namespace));
        let of_service = self.of_service(scope, namespace);
        let attempts: Vec<Attempt<'_>> = of_service.iter().map(|at| self.attempt(*at)).collect();
        let entities: BTreeSet<&str> = attempts.iter().map(|attempt| attempt.3).collect();
        row.insert("TotalAuthenticatedEntities".to_owned(), json!(entities.len()));
        let names = ["LastAuthenticated", "LastAuthenticatedEntity", "LastAuthenticatedRegion"];
        add_latest(&mut row, names, attempts.iter().max(), details);
        let tracked = |action: &&String| {
            facts.tracked.contains(&(namespace.to_owned(), (*action).clone()))
                && (namespace, action.as_str()) != ("iam", "PassRole")
        };
        let tracked: Vec<Value> = actions
            .into_iter()
            .flatten()
            .filter(tracked)
            .map(|action| {
                let meant = (namespace.to_owned(), action.clone());
                let attempts = scope.iter().filter(|at| {
                    let (access, (_, meaning)) = (&self.accesses[**at], &self.known[**at]);
                    !access.is_data_event && meaning.actions.contains(&meant)
                });
                let latest = attempts.map(|at| self.attempt(*at)).max();
                let mut row = Map::new();
                row.insert("ActionName".to_owned(), json!(action));
                let names = ["LastAccessedTime", "LastAccessedEntity", "LastAccessedRegion"];
                add_latest(&mut row, names, latest.as_ref(), details);
                Value::Object(row)
            })
            .collect();
        if !tracked.is_empty() {
            row.insert("TrackedActionsLastAccessed".to_owned(), json!(tracked));
        }
        Value::Object(row)
    }

    /// Returns the places of the accesses by these users and roles.
    fn accesses_of(&self, scope: &[usize]) -> Vec<usize> {
        let places = self.known.iter().enumerate();
        let of_scope = places.filter(|(_, (who, _))| who.is_some_and(|who| scope.contains(&who)));
        of_scope.map(|(at, _)| at).collect()
    }

    fn of_service(&self, accesses: &[usize], namespace: &str) -> Vec<usize> {
        let is_of = |at: &&usize| self.known[**at].1.namespace.as_deref() == Some(namespace);
        accesses.iter().filter(is_of).copied().collect()
    }

    fn attempt(&self, at: usize) -> Attempt<'_> {
        let access = &self.accesses[at];
        let who = self.known[at].0.expect("an attempt is somebody's");
        (
            access.time,
            access.event_id.as_deref(),
            access.region.as_deref(),
            self.identities.principals[who].arn.as_str(),
            access.principal.as_deref(),
            access.source.as_str(),
            access.event_name.as_str(),
        )
    }
}

/// Adds time, entity and Region of the latest attempt under their names.
fn add_latest(
    row: &mut Map<String, Value>,
    [time, entity, region]: [&str; 3],
    latest: Option<&Attempt<'_>>,
    details: bool,
) {
    let Some(latest) = latest else { return };
    row.insert(time.to_owned(), json!(print_time(latest.0)));
    row.insert(entity.to_owned(), json!(latest.3));
    if let Some(place) = latest.2 {
        row.insert(region.to_owned(), json!(place));
    }
    if details {
        let told: Value = [
            ("Region", latest.2),
            ("Entity", Some(latest.3)),
            ("Principal", latest.4),
            ("EventSource", Some(latest.5)),
            ("EventName", Some(latest.6)),
            ("EventId", latest.1),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), json!(value?))))
        .collect::<Map<String, Value>>()
        .into();
        row.insert("Details".to_owned(), json!({"LatestAttempt": told}));
    }
}
