//! Any files as replies of `get-account-authorization-details`: refused with the name of a file, or
//! identities that hold together, the same however the files are called and however often one comes.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use trailfold::identities::{Identities, IdentityKind};
use trailfold_fuzz::{Place, fed, files, is_fit_for_people, words};

fuzz_target!(|bytes: &[u8]| {
    fed(bytes);
    let place = Place::default();
    let files = files(bytes);
    for (number, (name, content)) in files.iter().enumerate() {
        place.write(&format!("snapshot/{name}"), content);
        place.write(&format!("renamed/{}/x.json", files.len() - number), content);
        place.write(&format!("doubled/a{number}.json"), content);
        place.write(&format!("doubled/b{number}.json"), content);
    }
    let load = |name: &str| load(&place.path().join(name));
    let snapshot = load("snapshot");
    if let Some(identities) = &snapshot {
        hold_together(identities);
    }
    // A name ending in `.json` must be JSON, and two files of one name are one.
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    let is_plain = |name: &&str| name.ends_with(".json");
    let are_different = names.iter().enumerate().all(|(at, name)| !names[..at].contains(name));
    if names.iter().all(is_plain) && are_different {
        assert_eq!(load("renamed"), snapshot, "in another order");
        assert_eq!(load("doubled"), snapshot, "twice");
        if let [name] = *names {
            let file = load(&format!("snapshot/{name}"));
            assert_eq!(file, snapshot, "a file alone in its directory");
        }
    }
});

fn load(path: &Path) -> Option<Identities> {
    let error = match Identities::load(path) {
        Ok(identities) => return Some(identities),
        Err(error) => error,
    };
    is_fit_for_people(&words(&error), &[path.to_str().expect("a plain name")]);
    None
}

fn hold_together(all: &Identities) {
    assert!(all.identities().is_sorted_by(|one, next| one.1.arn < next.1.arn));
    let (mut missing, mut used) = (false, vec![false; all.documents().len()]);
    for (index, identity) in all.identities() {
        assert_eq!(all.find(&identity.arn), Some(index));
        let is_actor = |kind| matches!(kind, IdentityKind::User | IdentityKind::Role);
        assert!(identity.documents.is_sorted_by(|one, next| one < next));
        assert!(identity.principals.is_sorted_by(|one, next| one < next));
        assert!(identity.missing.is_sorted_by(|one, next| one < next));
        identity.documents.iter().for_each(|it| used[it.position()] = true);
        assert!(identity.principals.iter().all(|it| is_actor(all.identity(*it).kind)));
        for (_, document) in &identity.inline {
            assert!(identity.documents.contains(document));
        }
        for policy in &identity.policies {
            let policy = all.identity(*policy);
            assert_eq!(policy.kind, IdentityKind::Policy);
            assert!(policy.documents.iter().all(|it| identity.documents.contains(it)));
            assert!(!is_actor(identity.kind) || policy.principals.contains(&index));
        }
        for group in &identity.groups {
            let group = all.identity(*group);
            assert_eq!(group.kind, IdentityKind::Group);
            assert!(group.principals.contains(&index));
            assert!(group.documents.iter().all(|it| identity.documents.contains(it)));
        }
        if is_actor(identity.kind) {
            assert_eq!(identity.principals, [index]);
            // Whoever bears the id, or holds the ARN with no other id, acts.
            let is_known = !identity.id.is_empty() && !all.shared_ids().contains(&identity.id);
            if is_known {
                assert_eq!(all.principal(None, Some(&identity.id)), Some(index));
            }
            assert_eq!(all.principal(Some(&identity.arn), None), Some(index));
        } else {
            assert_eq!(all.principal(Some(&identity.arn), None), None);
        }
        missing |= !identity.missing.is_empty();
    }
    assert!(used.iter().all(|used| *used), "each document decides for somebody");
    assert!(!all.missing().is_empty() || !missing, "what lacks is named");
}
