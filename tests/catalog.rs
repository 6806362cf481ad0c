//! The embedded table equals the one made from the published files.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use serde_json::Value;
use trailfold::catalog::{Action, Catalog, CatalogError, Resources, ServiceIndex};

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/catalog/table.tsv");
const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/catalog");

/// Returns the folder of the published files; without it says that `test` could not run.
#[expect(clippy::print_stderr, reason = "a test that did not run says so")]
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
    let mut pieces = format.split("${");
    let mut starred = pieces.next().unwrap().to_owned();
    for piece in pieces {
        let (_, literal) = piece.split_once('}').unwrap();
        starred.push('*');
        starred.push_str(literal);
    }
    starred.replace("**", "*")
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
    // IAM tracks an action of that name even where it needs no permission.
    let is_exception = |kind: &str| !matches!(kind, "rule" | "permissionless");
    for row in rows.iter().filter(|row| is_exception(&row["kind"])) {
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
    if text.contains(['<', '(', ' ']) {
        panic!("`{text}` is of no known kind");
    }
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
    assert_eq!(made.lines().count(), committed.lines().count(), "the number of lines");
}

/// The namespace of an event's service.
fn namespace<'a>(catalog: &'a Catalog, source: &str, name: &str) -> Option<&'a str> {
    let index = catalog.service_of(source, name, None)?;
    Some(&catalog.service(index).namespace)
}

#[test]
fn c2_every_published_event_source_leads_to_its_namespace() {
    let test = "c2_every_published_event_source_leads_to_its_namespace";
    let Some(folder) = published(test) else { return };
    let catalog = Catalog::embedded();
    let mut unmapped = Vec::new();
    let rows = csv_rows(folder, "event_sources.csv");
    assert_eq!(rows.len(), 570);
    for row in &rows {
        let (source, expected) = (row["event_source"].as_str(), row["namespace"].as_str());
        let known = catalog.find(expected).map(|_| expected);
        assert_eq!(namespace(catalog, source, "Unheard"), known, "{source}");
        let china = format!("{source}.cn");
        assert_eq!(namespace(catalog, &china, "Unheard"), known, "{china}");
        unmapped.extend(known.is_none().then_some(source));
    }
    // Services that AWS no longer names (A23).
    assert_eq!(unmapped, ["iotthingsgraph.amazonaws.com", "macie.amazonaws.com"]);
    let observed = csv_rows(folder, "observed_event_sources.csv");
    assert_eq!(observed.len(), 181);
    for row in observed.iter().filter(|row| !unmapped.contains(&row["event_source"].as_str())) {
        let found = namespace(catalog, &row["event_source"], "Unheard");
        assert_eq!(found, Some(row["namespace"].as_str()), "{}", row["event_source"]);
    }
}

#[test]
fn c2_every_observed_event_finds_its_action() {
    let Some(folder) = published("c2_every_observed_event_finds_its_action") else { return };
    let catalog = Catalog::embedded();
    let rows = csv_rows(folder, "observed_events.csv");
    assert_eq!(rows.len(), 986);
    let (mut better, mut ruled_out) = (Vec::new(), Vec::new());
    for row in &rows {
        let (source, name) = (row["event_source"].as_str(), row["event_name"].as_str());
        let actions = catalog.actions_of(source, name, None);
        let service = catalog.service_of(source, name, None);
        assert!(actions.first().is_none_or(|(of, _)| Some(*of) == service), "{source} {name}");
        match (row["resolved"].as_str(), actions.is_empty()) {
            ("action", false) | ("service-level", true) => {}
            ("service-level", false) => better.push((source, name)),
            _ => ruled_out.push((source.split_once('.').unwrap().0, name)),
        }
    }
    // The blank behind the name does not count.
    assert_eq!(better, [("ec2-instance-connect.amazonaws.com", "SendSSHPublicKey ")]);
    // Named in action_exceptions.csv as no IAM action.
    let expected = [
        ("kms", &["DeleteExpiredKeyMaterial", "DeleteKey", "RotateKey"][..]),
        (
            "signin",
            &[
                "CheckMfa",
                "ConsoleLogin",
                "GetSigninToken",
                "PasswordRecoveryRequested",
                "RenewRole",
                "SwitchRole",
            ],
        ),
    ];
    let expected =
        expected.iter().flat_map(|(host, names)| names.iter().map(move |it| (*host, *it)));
    assert_eq!(ruled_out, expected.collect::<Vec<_>>());
}

#[test]
fn c3_the_whole_service_reference_gives_the_embedded_actions() {
    let test = "c3_the_whole_service_reference_gives_the_embedded_actions";
    let Some(published) = published(test) else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = fs::File::open(tarball(published)).unwrap();
    tar::Archive::new(GzDecoder::new(file)).unpack(folder.path()).unwrap();
    let embedded = Catalog::embedded();
    let loaded = Catalog::load(folder.path()).unwrap();
    assert_eq!(loaded.services().len(), embedded.services().len());
    assert_eq!(loaded.listed().len(), embedded.listed().len());
    for (index, service) in embedded.indexed_services() {
        let same = loaded.service(index);
        assert_eq!((&same.namespace, &same.name), (&service.namespace, &service.name));
        assert_eq!(described(&loaded, index), described(embedded, index), "{}", service.name);
    }
    assert!(loaded.version().starts_with("service reference folder "), "{}", loaded.version());
    assert!(loaded.version().ends_with(embedded.version()), "{}", loaded.version());
    assert_eq!(loaded.date(), embedded.date());
}

/// The actions of a service with their patterns spelt out.
fn described(catalog: &Catalog, index: ServiceIndex) -> Vec<String> {
    let of = |action: &Action| match &action.resources {
        Resources::Patterns(patterns) => {
            let patterns: BTreeSet<_> = patterns.iter().map(|it| catalog.pattern(*it)).collect();
            format!("{} {} {patterns:?}", action.name, action.tracked)
        }
        other => format!("{} {} {other:?}", action.name, action.tracked),
    };
    catalog.actions(index).iter().map(of).collect()
}

/// Writes files into a new folder.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    folder
}

const SQS: &str = r#"{"Name": "sqs", "Version": "v9.9", "Later": {"a": [1]}, "Actions": [
    {"Name": "sendmessage", "Later": null, "Resources": [{"Name": "queue"}, {"Name": "topic"}],
     "SupportedBy": {"IAM Action Last Accessed": false, "Later": 1}},
    {"Name": "FreezeQueue", "Resources": [{"Name": "cold"}]},
    {"Name": "PurgeQueue", "Resources": null}],
  "Resources": [{"Name": "queue", "ARNFormats": ["arn:${Partition}:sqs:::${A}${B}/x"]},
    {"Name": "topic", "ARNFormats": ["arn:aws:sqs:::t", "arn:${Partition}:sqs:::${A}${B}/x"]},
    {"Name": "cold"}]}"#;

const BRAND_NEW: &str = r#"{"Name": "brand-new", "Actions": [
    {"Name": "Start", "SupportedBy": {"IAM Action Last Accessed": true}}]}"#;

#[test]
fn c3_files_add_to_the_embedded_facts_and_win_over_them() {
    let folder = folder(&[("v1/sqs/sqs.json", SQS), ("brand-new.JSON", BRAND_NEW)]);
    let catalog = Catalog::load(folder.path()).unwrap();
    let embedded = Catalog::embedded();

    let sqs = catalog.find("sqs").unwrap();
    assert_eq!(catalog.service(sqs).name, "Amazon SQS");
    let described = described(&catalog, sqs);
    for expected in [
        // As the file says, its spelling too.
        r#"sendmessage false {"arn:*:sqs:::*/x", "arn:aws:sqs:::t"}"#,
        "FreezeQueue false Unknown",
        // The file is silent about its tracking.
        "PurgeQueue true None",
    ] {
        assert!(described.iter().any(|it| it == expected), "{expected} in {described:?}");
    }
    let before = embedded.actions(embedded.find("sqs").unwrap());
    assert_eq!(described.len(), before.len() + 1);
    assert!(catalog.action(sqs, "ReceiveMessage").is_some());
    let found = catalog.actions_of("sqs.amazonaws.com", "SendMessageBatch", None);
    let names = found.iter().map(|(of, at)| catalog.actions(*of)[*at].name.as_str());
    assert_eq!(names.collect::<Vec<_>>(), ["sendmessage"]);

    let new = catalog.find("brand-new").unwrap();
    assert_eq!(
        (catalog.service(new).name.as_str(), catalog.service(new).listed),
        ("brand-new", true)
    );
    assert!(catalog.action(new, "Start").unwrap().tracked);
    assert_eq!(namespace(&catalog, "brand-new.amazonaws.com", "Start"), Some("brand-new"));
    assert_eq!(catalog.services().len(), embedded.services().len() + 1);
    assert!(catalog.services().is_sorted_by(|a, b| a.namespace < b.namespace));
    // Services behind the new one have moved, and are found all the same.
    assert_eq!(namespace(&catalog, "monitoring.amazonaws.com", "Any"), Some("cloudwatch"));
}

#[test]
fn c3_a_service_that_aws_names_again_is_mapped_again() {
    let macie = r#"{"Name": "macie", "Actions": []}"#;
    let catalog = Catalog::load(folder(&[("macie.json", macie)]).path()).unwrap();
    assert_eq!(namespace(&catalog, "macie.amazonaws.com", "Any"), Some("macie"));
    // Without actions it stands as one nameless action (S9).
    assert_eq!(catalog.actions(catalog.find("macie").unwrap()), []);
}

#[test]
fn c3_the_version_tells_contents_apart_and_not_layouts() {
    let version =
        |files: &[(&str, &str)]| Catalog::load(folder(files).path()).unwrap().version().to_owned();
    let flat = version(&[("sqs.json", SQS), ("brand-new.json", BRAND_NEW)]);
    let nested = version(&[("v1/sqs/sqs.json", SQS), ("v1/z/z.json", BRAND_NEW)]);
    let index = r#" [{"service": "sqs", "url": "https://example.com/sqs.json"}]"#;
    let with_others = version(&[
        ("sqs.json", SQS),
        ("brand-new.json", BRAND_NEW),
        ("index.json", index),
        ("LICENSE", "{"),
        (".gitkeep", ""),
    ]);
    let other = version(&[("sqs.json", SQS)]);
    assert_eq!(flat, nested);
    assert_eq!(flat, with_others);
    assert_ne!(flat, other);
    let marked = format!("\u{feff}{SQS}");
    assert!(Catalog::load(folder(&[("sqs.json", &marked)]).path()).is_ok());
}

#[test]
fn c3_a_broken_file_is_named_with_the_place() {
    let twice = r#"{"Name": "a", "Actions": [{"Name": "Get"}, {"Name": "get"}]}"#;
    let cases = [
        ("{\n  \"Name\": \"sqs\", \"Actions\": [", "EOF while parsing a list at line 2 column"),
        ("", "EOF while parsing a value at line 1 column 0"),
        ("{\"Actions\": []}", "missing field `Name` at line 1"),
        ("{\"Name\": \"sqs\"}", "missing field `Actions` at line 1"),
        ("{\"Name\": \"sqs\",\n\"Actions\": [7]}", "an action with `Name` at line 2 column"),
        ("{\"Name\": 7, \"Actions\": []}", "expected a string at line 1 column 10"),
        ("7", "expected a service with `Name` and `Actions` at line 1"),
        ("[1]", "expected an entry of the index with `service` and `url` at line 1"),
        ("{\"Name\": \"S3\", \"Actions\": []}", "`S3` is no name of a service"),
        ("{\"Name\": \"\", \"Actions\": []}", "`` is no name of a service"),
        ("{\"Name\": \"s3\", \"Actions\": [{\"Name\": \"Get*\"}]}", "`Get*` is no name"),
        (twice, "action `get` occurs twice"),
    ];
    for (text, expected) in cases {
        let folder = folder(&[("v1/a/a.json", BRAND_NEW), ("v1/b/broken.json", text)]);
        let message = Catalog::load(folder.path()).unwrap_err().to_string();
        let file = folder.path().join("v1/b/broken.json");
        assert!(message.starts_with(&format!("{}: ", file.display())), "{message}");
        assert!(message.contains(expected), "{message} for {text}");
    }
    let folder = folder(&[("a.json", "{}")]);
    fs::write(folder.path().join("a.json"), b"{\"Name\": \"\xff\"}").unwrap();
    assert!(matches!(Catalog::load(folder.path()), Err(CatalogError::Broken { .. })));
}

#[test]
fn c3_a_folder_without_a_service_is_an_error() {
    for files in [&[][..], &[("index.json", "[]")], &[("README", "{}")]] {
        let folder = folder(files);
        let error = Catalog::load(folder.path()).unwrap_err();
        assert!(matches!(error, CatalogError::Empty { .. }), "{error}");
        let message = error.to_string();
        let named = format!("{}: no service reference file: give", folder.path().display());
        assert!(message.starts_with(&named), "{message}");
    }
    let missing = folder(&[]).path().join("missing");
    let error = Catalog::load(&missing).unwrap_err();
    assert!(matches!(error, CatalogError::Folder { .. }), "{error}");
    assert!(error.to_string().contains("missing"), "{error}");
}

#[test]
fn c3_two_files_of_one_service_must_agree() {
    let agreeing = folder(&[("v1/sqs/sqs.json", SQS), ("sqs.json", SQS)]);
    assert!(Catalog::load(agreeing.path()).is_ok());
    let other = SQS.replace("FreezeQueue", "ThawQueue");
    let differing =
        folder(&[("v1/sqs/sqs.json", SQS), ("sqs.json", &other), ("t.json", BRAND_NEW)]);
    let message = Catalog::load(differing.path()).unwrap_err().to_string();
    for expected in ["v1", "sqs.json", "service `sqs` is described otherwise in"] {
        assert!(message.contains(expected), "{message}");
    }
}
