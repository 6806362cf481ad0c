//! The reports of users, groups, roles and managed policies (I1–I7), by loops over every access.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::rc::Rc;

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
    /// What each ARN's documents allow, once it was asked.
    allowed: RefCell<BTreeMap<String, Rc<Actions>>>,
}

/// Returns the twin's own view of policies. Needs the facts.
pub(crate) fn permissions() -> Permissions<'static> {
    Permissions::new(FACTS.as_ref().expect("the facts are there"))
}

/// Returns what an event means (C2), of a listed service. Needs the facts.
pub(crate) fn meaning(source: &str, name: &str, scalable: Option<&str>) -> Meaning {
    let facts = FACTS.as_ref().expect("the facts are there");
    let Meaning { namespace, actions } = facts.meaning(source, name, scalable);
    Meaning { namespace: namespace.filter(|it| facts.services.contains_key(it)), actions }
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
        Self {
            identities,
            accesses,
            known,
            permissions: permissions(),
            allowed: RefCell::default(),
        }
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
        let allowed = self.allowed(arn)?;
        let scope = self.by_service(&self.identities.scope(arn));
        let rows: Vec<Value> = allowed
            .iter()
            .map(|(namespace, actions)| {
                let actions = (level == Level::Action).then_some(actions);
                self.row(namespace, actions, scope.get(namespace.as_str()), details)
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
        let allowed = self.allowed(arn)?;
        let scope =
            if allowed.contains_key(namespace) { self.identities.scope(arn) } else { Vec::new() };
        let mut listed: Vec<(Option<i64>, &str, usize)> = scope
            .iter()
            .map(|place| {
                let by_service = self.by_service(&[*place]);
                let accesses = by_service.get(namespace).into_iter().flatten();
                let times = accesses.map(|access| self.accesses[*access].time);
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

    fn allowed(&self, arn: &str) -> Option<Rc<Actions>> {
        if let Some(known) = self.allowed.borrow().get(arn) {
            return Some(Rc::clone(known));
        }
        let allowed = Rc::new(self.permissions.allowed(&self.identities.documents(arn)?));
        self.allowed.borrow_mut().insert(arn.to_owned(), Rc::clone(&allowed));
        Some(allowed)
    }

    /// Makes one row (I3, I4).
    fn row(
        &self,
        namespace: &str,
        actions: Option<&BTreeSet<String>>,
        of_service: Option<&Vec<usize>>,
        details: bool,
    ) -> Value {
        let facts = FACTS.as_ref().unwrap();
        let mut row = Map::new();
        row.insert("ServiceName".to_owned(), json!(facts.services[namespace].name));
        row.insert("ServiceNamespace".to_owned(), json!(namespace));
        let of_service = of_service.map_or(&[][..], Vec::as_slice);
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
                let latest = of_service
                    .iter()
                    .filter(|at| self.known[**at].1.actions.contains(&meant))
                    .filter(|at| !self.accesses[**at].is_data_event)
                    .map(|at| self.attempt(*at))
                    .max();
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

    /// Returns the places of the accesses by these users and roles, by the service's namespace.
    fn by_service(&self, scope: &[usize]) -> BTreeMap<&str, Vec<usize>> {
        let mut by_service: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, (who, meaning)) in self.known.iter().enumerate() {
            if let Some(namespace) = meaning.namespace.as_deref()
                && who.is_some_and(|who| scope.contains(&who))
            {
                by_service.entry(namespace).or_default().push(at);
            }
        }
        by_service
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
