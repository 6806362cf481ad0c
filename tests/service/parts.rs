//! Parts of the program against parts of the slow twin, over real snapshots and real events: which
//! actions a policy allows, what an event means, and by which id its principal is known.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use trailfold::access::{Switches, access, actor};
use trailfold::catalog::Catalog;
use trailfold::event::envelope::{self, Found, Window};
use trailfold::policy::{Evaluator, Policy, PolicyIndex};

use super::compared::{EVENTS, accesses, snapshots};
use super::testdata;
use crate::twin;
use crate::twin::service::{Identities, meaning, permissions};

#[test]
fn i1_i4_the_actions_that_an_identity_may_use_are_the_twins() {
    if !twin::has_facts() {
        eprintln!("i1_i4_the_actions_that_an_identity_may_use_are_the_twins {}", twin::NO_FACTS);
        return;
    }
    let (catalog, permissions) = (Catalog::embedded(), permissions());
    let mut evaluator = Evaluator::new(catalog);
    let mut services = 0;
    for snapshot in snapshots().into_iter().chain([testdata("identities")]) {
        let identities = Identities::read(&snapshot);
        for arn in identities.arns() {
            let documents = identities.documents(&arn).unwrap();
            let policies: Vec<PolicyIndex> = documents
                .iter()
                .map(|document| evaluator.add(&Policy::from_value(document).unwrap()))
                .collect();
            let levels = [policies];
            let listed = evaluator.allowed_services(&levels).services.clone();
            let mut allowed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            let actions = evaluator.allowed_actions(&levels);
            assert!(actions.undecided.is_empty(), "{arn}");
            for (index, service) in catalog.indexed_services().filter(|(_, it)| it.listed) {
                let all = catalog.actions(index);
                let places = actions.actions.get(&index).into_iter().flatten();
                let names = places.map(|place| all[*place].name.clone());
                let mut names: BTreeSet<String> = names.collect();
                if listed.contains(index) && all.is_empty() {
                    names.insert(String::new());
                }
                assert_eq!(listed.contains(index), !names.is_empty(), "{}", service.namespace);
                if !names.is_empty() {
                    allowed.insert(service.namespace.clone(), names);
                }
            }
            services += allowed.len();
            let expected = permissions.allowed(&documents);
            for namespace in allowed.keys().chain(expected.keys()) {
                let (ours, twins) = (allowed.get(namespace), expected.get(namespace));
                assert_eq!(ours, twins, "{arn} {namespace} {}", snapshot.display());
            }
        }
    }
    assert!(services > 500, "{services}");
}

#[test]
fn c2_what_a_real_event_means_is_the_same_for_the_twin() {
    if !twin::has_facts() || EVENTS.is_empty() {
        eprintln!("c2_what_a_real_event_means_is_the_same_for_the_twin {}", twin::NO_FACTS);
        return;
    }
    let catalog = Catalog::embedded();
    let read = accesses(&EVENTS);
    let mut events: BTreeSet<_> = read
        .iter()
        .map(|access| (&*access.source, &*access.event_name, access.service_namespace.as_deref()))
        .collect();
    for name in ["PutScalingPolicy", "DescribeScalingActivities", "RegisterScalableTarget"] {
        for of in [None, Some("ecs")] {
            events.insert(("autoscaling.amazonaws.com", name, of));
        }
    }
    assert!(events.len() > 600, "{}", events.len());
    for (source, name, of) in events {
        let service = catalog.service_of(source, name, of).map(|index| catalog.service(index));
        let listed = service.filter(|service| service.listed);
        let actions = catalog
            .actions_of(source, name, of)
            .into_iter()
            .map(|(index, at)| (index, catalog.actions(index)[at].name.clone()))
            .map(|(index, name)| (catalog.service(index).namespace.clone(), name));
        let twins = meaning(source, name, of);
        assert_eq!(listed.map(|it| it.namespace.clone()), twins.namespace, "{source} {name}");
        assert_eq!(actions.collect::<BTreeSet<_>>(), twins.actions, "{source} {name}");
    }
}

/// Returns unique id, event name, whether it is a data event, of the program's access.
fn known(record: &Value) -> Option<(Option<String>, String, bool)> {
    let (mut known, switches) = (None, Switches::default());
    let mut each = |found: Found<'_>| {
        let Found::Event { event, .. } = found else { return };
        let of =
            |identity| actor(identity, &switches, |actor| actor.principal.id.map(str::to_owned));
        if let Ok((id, access)) = access(event, &switches, of) {
            known = Some((id, access.event_name.decode().into_owned(), access.is_data_event));
        }
    };
    let (bytes, mut window) = (record.to_string(), Window::default());
    let input = envelope::Input::Stream(&mut bytes.as_bytes());
    envelope::read(input, &mut window, &mut |_| true, &mut each).unwrap();
    known
}

#[test]
fn i7_the_unique_id_of_a_real_event_is_the_same_for_the_twin() {
    if EVENTS.is_empty() {
        eprintln!(
            "i7_the_unique_id_of_a_real_event_is_the_same_for_the_twin did not run: there is no \
             ../shared beside the project"
        );
        return;
    }
    let mut compared = 0;
    for record in EVENTS.iter() {
        let twins = accesses(std::slice::from_ref(record)).pop();
        let twins = twins.map(|it| (it.unique_id, it.event_name, it.is_data_event));
        assert_eq!(known(record), twins, "{record}");
        compared += usize::from(twins.is_some());
    }
    assert!(compared > 3000, "{compared}");
}
