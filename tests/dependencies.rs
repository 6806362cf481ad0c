//! What the program is built from: every package of `Cargo.lock` that this machine needs. Works without
//! a network.

use std::process::Command;

use serde_json::Value;
use spdx::{Expression, LicenseReq, ParseMode};

/// Licences under which a part of the program may stand: none of them asks anything of whoever passes
/// the program on but to pass on notices too.
const LICENCES: [&str; 9] = [
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Returns what `cargo metadata` tells of the packages for this machine.
fn packages() -> Vec<Value> {
    let cargo = || Command::new(env!("CARGO"));
    let version = Command::new("rustc").arg("-vV").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let metadata = cargo()
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline", "--all-features"])
        .args(["--filter-platform", host])
        .output()
        .unwrap();
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

fn may_be_passed_on(licence: &str) -> bool {
    let mode = ParseMode { allow_slash_as_or_operator: true, ..ParseMode::STRICT };
    let is_allowed = |requirement: &LicenseReq| {
        requirement.license.id().is_some_and(|id| LICENCES.contains(&id.name))
    };
    Expression::parse_mode(licence, mode).is_ok_and(|licence| licence.evaluate(is_allowed))
}

#[test]
fn every_package_comes_from_the_registry_under_a_licence_that_may_be_passed_on() {
    let packages = packages();
    assert!(packages.len() > 100, "{}", packages.len());
    for package in packages {
        let name = format!("{} {}", package["name"], package["version"]);
        let licence = package["license"].as_str().unwrap_or_default();
        assert!(may_be_passed_on(licence), "{name}: `{licence}`");
        if package["name"] != env!("CARGO_PKG_NAME") {
            let source = package["source"].as_str().unwrap_or("a path");
            assert!(source.starts_with("registry+"), "{name} comes from {source}");
        }
    }
}

#[test]
fn no_dependency_is_of_any_version_whatever() {
    let packages = packages();
    let own = packages.iter().find(|it| it["name"] == env!("CARGO_PKG_NAME")).unwrap();
    for dependency in own["dependencies"].as_array().unwrap() {
        let requirement = dependency["req"].as_str().unwrap();
        assert!(!requirement.contains('*'), "{}: {requirement}", dependency["name"]);
    }
}

#[test]
fn licences_are_read_as_they_are_meant() {
    for licence in ["MIT", "Unlicense/MIT", "GPL-3.0-only OR MIT", "Apache-2.0 AND BSD-3-Clause"] {
        assert!(may_be_passed_on(licence), "{licence}");
    }
    for licence in
        ["", "GPL-3.0-only", "MIT AND GPL-3.0-only", "AGPL-3.0-only OR LGPL-3.0-only", "none"]
    {
        assert!(!may_be_passed_on(licence), "{licence}");
    }
}
