//! The published facts about AWS services, read from the files that the catalogue was made of.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use serde_json::Value;

/// What the twin knows of AWS.
pub(crate) struct Facts {
    /// The services that a report can list, by namespace.
    pub(crate) services: BTreeMap<String, Service>,
    /// Event source to namespace.
    pub(crate) event_sources: HashMap<String, String>,
}

/// One service.
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) actions: Vec<Action>,
}

/// One action, and the ARN formats of the resources it can have.
pub(crate) struct Action {
    pub(crate) name: String,
    pub(crate) resources: Resources,
}

/// The resources an action can have.
#[derive(Clone)]
pub(crate) enum Resources {
    /// ARN formats, `${…}` replaced by `*`.
    Formats(Vec<String>),
    /// No resource: policies name it by `*` alone.
    Everything,
    /// Nobody published it.
    Unknown,
}

/// Reads the facts; none where they are absent.
pub(crate) fn read() -> Option<Facts> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/catalog"));
    if !folder.is_dir() {
        return None;
    }
    let resources = resources(&folder.join("aws-servicereference-2026-02-13.tar.gz"));
    let mut services = BTreeMap::new();
    for row in rows(File::open(folder.join("services.csv")).unwrap()) {
        // Rows that the real report no longer lists stay out of ours.
        if row["in_report_2026_09"] == "listed" {
            let service = Service { name: row["service_name"].clone(), actions: Vec::new() };
            services.insert(row["namespace"].clone(), service);
        }
    }
    for row in rows(GzDecoder::new(File::open(folder.join("actions.csv.gz")).unwrap())) {
        if let Some(service) = services.get_mut(&row["namespace"]) {
            let key = (row["namespace"].clone(), row["action"].to_ascii_lowercase());
            let resources = resources.get(&key).cloned().unwrap_or(Resources::Unknown);
            service.actions.push(Action { name: row["action"].clone(), resources });
        }
    }
    for service in services.values_mut().filter(|service| service.actions.is_empty()) {
        // S9: only a pattern that matches any name matches the empty one.
        service.actions.push(Action { name: String::new(), resources: Resources::Unknown });
    }
    let event_sources = rows(File::open(folder.join("event_sources.csv")).unwrap())
        .into_iter()
        .map(|row| (row["event_source"].clone(), row["namespace"].clone()))
        .collect();
    Some(Facts { services, event_sources })
}

impl Facts {
    /// Returns the namespace that an event source belongs to (C2), if any (A23).
    pub(crate) fn namespace(&self, source: &str) -> Option<&str> {
        let label = source.split('.').next().unwrap();
        self.event_sources
            .get(source)
            .map(String::as_str)
            .or_else(|| self.services.get_key_value(label).map(|(namespace, _)| namespace.as_str()))
    }
}

fn rows(reader: impl Read) -> Vec<HashMap<String, String>> {
    csv::Reader::from_reader(reader).deserialize().map(|row| row.unwrap()).collect()
}

/// Reads, of every action of the service reference, the ARN formats of its resources.
fn resources(archive: &Path) -> HashMap<(String, String), Resources> {
    let mut found = HashMap::new();
    let mut archive = tar::Archive::new(GzDecoder::new(File::open(archive).unwrap()));
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut text = String::new();
        if entry.path().unwrap().extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        entry.read_to_string(&mut text).unwrap();
        let service: Value = serde_json::from_str(&text).unwrap();
        let Some(namespace) = service["Name"].as_str() else { continue };
        let formats: HashMap<&str, Vec<String>> = array(&service["Resources"])
            .iter()
            .map(|resource| {
                let formats = array(&resource["ARNFormats"]).iter();
                let formats = formats.map(|format| wildcards(format.as_str().unwrap())).collect();
                (resource["Name"].as_str().unwrap(), formats)
            })
            .collect();
        for action in array(&service["Actions"]) {
            let names = array(&action["Resources"]);
            let names = names.iter().filter_map(|resource| resource["Name"].as_str());
            let of_action: Vec<Option<&Vec<String>>> = names.map(|n| formats.get(n)).collect();
            let resources = if of_action.is_empty() {
                Resources::Everything
            } else if of_action.iter().any(|formats| formats.is_none_or(Vec::is_empty)) {
                Resources::Unknown
            } else {
                Resources::Formats(of_action.into_iter().flatten().flatten().cloned().collect())
            };
            let name = action["Name"].as_str().unwrap().to_ascii_lowercase();
            found.insert((namespace.to_owned(), name), resources);
        }
    }
    found
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Replaces every `${…}` by `*` (S8).
pub(crate) fn wildcards(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, variable)) = rest.split_once("${") {
        let (_, behind) = variable.split_once('}').expect("a variable ends");
        plain.push_str(before);
        plain.push('*');
        rest = behind;
    }
    plain + rest
}
