//! The embedded table equals the one made from the published files.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use serde_json::Value;

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/catalog/table.tsv");
const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/catalog");

/// Returns the folder of the published files; without it says that `test` could not run.
fn published(test: &str) -> Option<&'static Path> {
    let folder = Path::new(SOURCES);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("{test}: not run: the published files are not at hand");
    None
}

fn rows(file: impl std::io::Read) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_reader(file).deserialize().map(Result::unwrap).collect()
}

fn csv_rows(folder: &Path, name: &str) -> Vec<BTreeMap<String, String>> {
    rows(fs::File::open(folder.join(name)).unwrap())
}

fn tarball(folder: &Path) -> PathBuf {
    let mut names: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.retain(|path| path.to_str().unwrap().contains("aws-servicereference-"));
    assert_eq!(names.len(), 1, "{names:?}");
    names.remove(0)
}

/// Returns the last `2026-01-31` in a text.
fn day(text: &str) -> Option<&str> {
    (0..text.len().saturating_sub(9)).rev().find_map(|at| {
        let day = text.get(at..at + 10)?;
        trailfold::time::Day::parse(day).map(|_| day)
    })
}

/// The service reference, read without the loader under test: namespace → action → resource types,
/// and namespace → resource type → ARN formats with `*` for placeholders.
struct Reference {
    actions: BTreeMap<String, BTreeMap<String, Vec<String>>>,
    formats: BTreeMap<String, BTreeMap<String, Vec<String>>>,
    tracked: BTreeSet<(String, String)>,
}

fn reference(tarball: &Path) -> Reference {
    let mut reference =
        Reference { actions: BTreeMap::new(), formats: BTreeMap::new(), tracked: BTreeSet::new() };
    let mut archive = tar::Archive::new(GzDecoder::new(fs::File::open(tarball).unwrap()));
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        if !entry.path().unwrap().to_str().unwrap().ends_with(".json") {
            continue;
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        let file: Value = serde_json::from_slice(&bytes).unwrap();
        let Some(namespace) = file["Name"].as_str() else { continue };
        let mut actions = BTreeMap::new();
        for action in list(&file["Actions"]) {
            let types = list(&action["Resources"]).iter().map(|it| text(&it["Name"])).collect();
            actions.insert(text(&action["Name"]), types);
            if action["SupportedBy"]["IAM Action Last Accessed"] == Value::Bool(true) {
                reference.tracked.insert((namespace.to_owned(), text(&action["Name"])));
            }
        }
        let mut types = BTreeMap::new();
        for resource in list(&file["Resources"]) {
            let formats = list(&resource["ARNFormats"]);
            let formats = formats.iter().map(|format| starred(&text(format))).collect();
            types.insert(text(&resource["Name"]), formats);
        }
        reference.formats.insert(namespace.to_owned(), types);
        reference.actions.insert(namespace.to_owned(), actions);
    }
    reference
}

/// Writes `*` for `${…}`.
fn starred(format: &str) -> String {
    let mut starred = String::new();
    let mut inside = false;
    for (at, letter) in format.char_indices() {
        if format[at..].starts_with("${") {
            inside = true;
            if !starred.ends_with('*') {
                starred.push('*');
            }
        }
        if !inside {
            starred.push(letter);
        }
        inside &= letter != '}';
    }
    starred
}

/// Makes the table out of the published files.
fn generate(folder: &Path) -> String {
    let tarball = tarball(folder);
    let reference = reference(&tarball);
    let services = csv_rows(folder, "services.csv");
    let listed_on = services.iter().filter_map(|row| day(&row["name_source"])).max().unwrap();
    let reference_of = day(tarball.to_str().unwrap()).unwrap();
    let mut table = String::from(
        "# What AWS publishes about its services. Made by tests/catalog.rs; src/catalog/table.rs says how\n\
         # to read it. Do not edit.\n",
    );
    writeln!(table, "version\tservices {listed_on}, service reference {reference_of}").unwrap();
    writeln!(table, "date\t{}", listed_on.max(reference_of)).unwrap();

    let mut actions: BTreeMap<String, Vec<(String, bool)>> = BTreeMap::new();
    let mut known = BTreeSet::new();
    let mut tracked = BTreeSet::new();
    let file = fs::File::open(folder.join("actions.csv.gz")).unwrap();
    for row in rows(GzDecoder::new(file)) {
        let (namespace, name) = (row["namespace"].clone(), row["action"].clone());
        let is_tracked = row["tracked_2026_02"] == "y";
        if is_tracked {
            tracked.insert((namespace.clone(), name.clone()));
        }
        known.insert(format!("{namespace}:{name}"));
        actions.entry(namespace).or_default().push((name, is_tracked));
    }
    let listed: BTreeSet<_> = csv_rows(folder, "tracked_actions.csv")
        .into_iter()
        .map(|row| (row["namespace"].clone(), row["action"].clone()))
        .collect();
    assert_eq!(tracked, listed, "the tracked actions of the two lists");
    assert_eq!(tracked, reference.tracked, "the tracked actions of the list and the reference");

    for row in &services {
        let (namespace, name) = (&row["namespace"], &row["service_name"]);
        writeln!(table, "service\t{namespace}\t{name}\t{}", row["in_report_2026_09"]).unwrap();
        let actions = actions.remove(namespace).unwrap_or_default();
        write_service(&mut table, &reference, namespace, actions);
    }
    assert!(actions.is_empty(), "actions of unknown services: {:?}", actions.keys());
    write_sources(&mut table, folder, &known);
    table
}

fn write_service(
    table: &mut String,
    reference: &Reference,
    namespace: &str,
    mut actions: Vec<(String, bool)>,
) {
    let formats = reference.formats.get(namespace);
    // None: unknown, for want of the action or of one of its resource types.
    let patterns_of = |name: &str| -> Option<BTreeSet<&String>> {
        let types = reference.actions.get(namespace)?.get(name)?;
        let mut patterns = BTreeSet::new();
        for wanted in types {
            let formats = formats?.get(wanted)?;
            assert!(!formats.is_empty(), "{namespace} {wanted} without a format");
            patterns.extend(formats);
        }
        Some(patterns)
    };
    actions.sort();
    let patterns: BTreeSet<_> =
        actions.iter().filter_map(|(name, _)| patterns_of(name)).flatten().collect();
    for pattern in &patterns {
        writeln!(table, "arn\t{pattern}").unwrap();
    }
    let number = |pattern: &String| patterns.iter().position(|it| *it == pattern).unwrap();
    for (name, tracked) in &actions {
        let tag = if *tracked { '+' } else { '-' };
        let resources = match patterns_of(name) {
            None => "?".to_owned(),
            Some(none) if none.is_empty() => "*".to_owned(),
            Some(some) => {
                some.into_iter().map(|it| number(it).to_string()).collect::<Vec<_>>().join(" ")
            }
        };
        writeln!(table, "{tag}\t{name}\t{resources}").unwrap();
    }
}

fn write_sources(table: &mut String, folder: &Path, known: &BTreeSet<String>) {
    let exceptions = exceptions(folder);
    let sources = csv_rows(folder, "event_sources.csv");
    let names: BTreeSet<&str> = sources.iter().map(|row| row["event_source"].as_str()).collect();
    for (source, _) in exceptions.keys() {
        assert!(names.contains(source.as_str()), "exception of an unknown source {source}");
    }
    for row in &sources {
        let (source, namespace) = (&row["event_source"], &row["namespace"]);
        writeln!(table, "source\t{source}\t{namespace}").unwrap();
        for ((_, name), meaning) in exceptions.iter().filter(|((of, _), _)| of == source) {
            if *meaning == Meaning::SameNameIn(namespace.clone()) {
                assert_eq!(name, "*", "{source} {name} is no exception");
                continue;
            }
            let (when, actions) = meaning.columns(name);
            for action in actions.iter().filter(|_| name != "*") {
                assert!(known.contains(action), "{source} {name}: unknown action {action}");
            }
            let actions = if actions.is_empty() { "-".to_owned() } else { actions.join(" ") };
            writeln!(table, "event\t{name}\t{when}\t{actions}").unwrap();
        }
    }
}

/// What an event name means by `action_exceptions.csv`.
#[derive(Clone, PartialEq, Debug)]
enum Meaning {
    Actions(Vec<String>),
    SameNameIn(String),
    SameNameWithServiceNamespaceIn(String),
}

impl Meaning {
    fn columns(&self, event_name: &str) -> (&str, Vec<String>) {
        match self {
            Self::Actions(actions) => ("always", actions.clone()),
            Self::SameNameIn(namespace) => ("always", vec![format!("{namespace}:{event_name}")]),
            Self::SameNameWithServiceNamespaceIn(namespace) => {
                ("serviceNamespace", vec![format!("{namespace}:{event_name}")])
            }
        }
    }
}

/// Returns (event source, event name or `*`) → meaning.
fn exceptions(folder: &Path) -> BTreeMap<(String, String), Meaning> {
    let mut rows = csv_rows(folder, "action_exceptions.csv");
    // A row written by a person wins over one derived from the reference's operations.
    rows.sort_by_key(|row| !matches!(row["kind"].as_str(), "renamed" | "multi"));
    let mut exceptions = BTreeMap::new();
    for row in rows.iter().filter(|row| row["kind"] != "rule") {
        for name in row["event_name_or_pattern"].split('|') {
            let key = (row["event_source"].clone(), name.to_owned());
            exceptions.insert(key, meaning(&row["iam_action"], name));
        }
    }
    exceptions
}

fn meaning(text: &str, event_name: &str) -> Meaning {
    let conditional = " when requestParameters.serviceNamespace is present, else ";
    if text.starts_with('(') {
        return Meaning::Actions(Vec::new());
    }
    if let Some((with, without)) = text.split_once(conditional) {
        assert!(without.ends_with(":<same>"), "{text}");
        let namespace = with.strip_suffix(":<same>").expect(text);
        return Meaning::SameNameWithServiceNamespaceIn(namespace.to_owned());
    }
    if let Some(namespace) = text.strip_suffix(":<same>") {
        return if event_name == "*" {
            Meaning::SameNameIn(namespace.to_owned())
        } else {
            Meaning::Actions(vec![format!("{namespace}:{event_name}")])
        };
    }
    assert!(!text.contains(['<', '(', ' ']), "{text}");
    Meaning::Actions(text.split('|').map(str::to_owned).collect())
}

/// Whether to write the table instead of comparing it.
#[expect(clippy::disallowed_methods, reason = "a switch for those who make the table anew")]
fn regenerate() -> bool {
    std::env::var("TRAILFOLD_REGENERATE").is_ok_and(|value| value == "1")
}

#[test]
fn c1_the_table_is_made_of_the_published_files() {
    let Some(folder) = published("c1_the_table_is_made_of_the_published_files") else { return };
    let made = generate(folder);
    if regenerate() {
        fs::write(TABLE, &made).unwrap();
    }
    let committed = fs::read_to_string(TABLE).unwrap();
    let differs = (1..).zip(made.lines().zip(committed.lines())).find(|(_, (a, b))| a != b);
    assert_eq!(differs, None, "made anew and as committed; TRAILFOLD_REGENERATE=1 writes it");
    assert!(made == committed, "one is longer than the other");
}
