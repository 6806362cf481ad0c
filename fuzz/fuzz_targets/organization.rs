//! Any files as a snapshot of an organization, in each of its three forms: refused with the name of a
//! file, or a tree that holds together and that is read as the same when it is written.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use trailfold::organization::{EntityKind, Organization};
use trailfold_fuzz::{Place, fed, files, is_fit_for_people, words};

/// The longest entity path that IAM takes.
const LONGEST_PATH: usize = 427;

fuzz_target!(|bytes: &[u8]| {
    fed(bytes);
    let place = Place::default();
    let files = files(bytes);
    for (name, content) in &files {
        place.write(&format!("snapshot/{name}"), content);
    }
    let directory = place.path().join("snapshot");
    let folder = directory.to_str().expect("a folder of ours has a plain name");
    let of_directory = load(&directory, folder);
    let of_file = load(&directory.join(&files[0].0), folder);
    for organization in [&of_directory, &of_file].into_iter().flatten() {
        holds_together(organization);
        let written = organization.to_snapshot_json();
        let path = place.write("written.json", written.as_bytes());
        let again = Organization::load(&path).expect("what is written is read");
        assert_eq!(&again, organization);
        assert_eq!(again.to_snapshot_json(), written);
    }
    if let (Some(one), Some(other), 1) = (&of_directory, &of_file, files.len()) {
        assert_eq!(one, other, "a file alone in its directory");
    }
});

fn load(path: &Path, folder: &str) -> Option<Organization> {
    let error = match Organization::load(path) {
        Ok(organization) => return Some(organization),
        Err(error) => error,
    };
    is_fit_for_people(&words(&error), &[folder]);
    None
}

fn holds_together(organization: &Organization) {
    let mut accounts = 0;
    for (index, entity) in organization.entities() {
        assert_eq!(organization.find(&entity.path), Some(index));
        assert_eq!(organization.find(&format!("{}/", entity.path)), Some(index));
        assert!(entity.path.len() <= LONGEST_PATH);
        let chain = organization.chain(index);
        let ids: Vec<&str> = chain.iter().map(|it| organization.entity(*it).id.as_str()).collect();
        assert_eq!(entity.path, format!("{}/{}", organization.id(), ids.join("/")));
        assert_eq!(chain[0], organization.root());
        assert!(chain.iter().all(|above| organization.is_at_or_below(index, *above)));
        assert!(chain.is_sorted() && entity.parent.is_none() == (index == organization.root()));
        if entity.kind == EntityKind::Account {
            accounts += 1;
            assert_eq!(organization.account(&entity.id), Some(index));
            assert_eq!(organization.accounts_at_or_below(index).collect::<Vec<_>>(), [index]);
        }
        for policy in organization.policies_at(index) {
            assert!(policy.targets.contains(&index), "{}", policy.id);
        }
    }
    assert_eq!(organization.accounts_at_or_below(organization.root()).count(), accounts);
    assert!(organization.policies().is_sorted_by(|one, next| one.id < next.id));
    for policy in organization.policies() {
        let index = organization.policy(&policy.id).expect("it is in the list");
        assert!(std::ptr::eq(organization.attached_policy(index), policy));
        assert!(policy.targets.is_sorted_by(|one, next| one < next));
        for target in &policy.targets {
            assert!(organization.entity(*target).policies.contains(&index));
        }
    }
    let tree = organization.tree().to_string();
    assert_eq!(trailfold::printable::visible(&tree.replace('\n', "")), tree.replace('\n', ""));
    assert!(tree.lines().count() > organization.entities().len());
}
