//! The published facts about AWS services, read from the files that the catalogue was made of.

use std::collections::{BTreeMap, BTreeSet, HashMap};
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
    /// (event source, event name without case, or `*`) to what `action_exceptions.csv` says of it.
    exceptions: HashMap<(String, String), String>,
    /// The actions that IAM tracks, such as `("iam", "GetUser")` (I4).
    pub(crate) tracked: BTreeSet<(String, String)>,
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
#[derive(Clone, PartialEq, Eq, Hash)]
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
    let mut exceptions = rows(File::open(folder.join("action_exceptions.csv")).unwrap());
    // What a person wrote stands above what was derived from the names of operations.
    exceptions.sort_by_key(|row| !["renamed", "multi"].contains(&row["kind"].as_str()));
    let exceptions = exceptions
        .iter()
        // Rules are code below; what needs no permission is tracked nevertheless.
        .filter(|row| !["rule", "permissionless"].contains(&row["kind"].as_str()))
        .flat_map(|row| {
            let names = row["event_name_or_pattern"].split('|').map(str::to_lowercase);
            names.map(|name| ((row["event_source"].clone(), name), row["iam_action"].clone()))
        })
        .collect();
    let tracked = rows(File::open(folder.join("tracked_actions.csv")).unwrap())
        .into_iter()
        .map(|row| (row["namespace"].clone(), row["action"].clone()))
        .collect();
    Some(Facts { services, event_sources, exceptions, tracked })
}

/// What an event is: the namespace of its service, and the actions that it may stand for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Meaning {
    pub(crate) namespace: Option<String>,
    /// Namespace and name, as the catalogue spells them.
    pub(crate) actions: BTreeSet<(String, String)>,
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

impl Facts {
    /// Returns what an event means (C2): first the exceptions, then the action of the same name.
    pub(crate) fn meaning(&self, source: &str, name: &str, scalable: Option<&str>) -> Meaning {
        let source = source.trim().to_lowercase();
        let source = source.strip_suffix(".cn").unwrap_or(&source).to_owned();
        let own = self.namespace(&source).map(str::to_owned);
        let name = name.trim().to_lowercase();
        let names: Vec<&str> = [name.as_str()].into_iter().chain(without_version(&name)).collect();
        let said = |name: &str| {
            let text = self.exceptions.get(&(source.clone(), name.to_owned()))?;
            // `application-autoscaling:<same> when … is present, else autoscaling:<same>`
            Some(
                match text.split_once(" when requestParameters.serviceNamespace is present, else ")
                {
                    Some((with, _)) if scalable.is_some() => with.to_owned(),
                    Some((_, without)) => without.to_owned(),
                    None => text.clone(),
                },
            )
        };
        let exception = names.iter().find_map(|name| said(name)).or_else(|| said("*"));
        let Some(exception) = exception else {
            let action = own.as_deref().and_then(|own| self.same_name(own, &names));
            return Meaning { namespace: own, actions: action.into_iter().collect() };
        };
        if exception.starts_with('(') {
            return Meaning { namespace: own, actions: BTreeSet::new() };
        }
        let meant: Vec<&str> = exception.split('|').collect();
        let actions = meant
            .iter()
            .filter_map(|action| {
                let (namespace, action) = action.split_once(':')?;
                let action = action.to_lowercase();
                if action == "<same>" {
                    self.same_name(namespace, &names)
                } else {
                    self.same_name(namespace, &[&action])
                }
            })
            .collect();
        let first = meant[0].split(':').next().filter(|first| self.services.contains_key(*first));
        Meaning { namespace: first.map(str::to_owned).or(own), actions }
    }

    fn same_name(&self, namespace: &str, names: &[&str]) -> Option<(String, String)> {
        let actions = &self.services.get(namespace)?.actions;
        names.iter().find_map(|name| {
            let action = actions.iter().find(|action| action.name.to_lowercase() == **name)?;
            (!action.name.is_empty()).then(|| (namespace.to_owned(), action.name.clone()))
        })
    }
}

/// `^(.+?)_?((?:19|20)\d{2}_?\d{2}_?\d{2})(v\d+)?$`, by trying where the version begins.
fn without_version(name: &str) -> Option<&str> {
    name.char_indices().skip(1).map(|(at, _)| name.split_at(at)).find_map(|(head, tail)| {
        let tail = tail.strip_prefix('_').unwrap_or(tail);
        is_version(tail).then_some(head)
    })
}

/// Returns whether a text is `20150331`, `2020_05_31`, `20150331v2` or the like.
fn is_version(text: &str) -> bool {
    let (day, revision) = text.split_once('v').map_or((text, None), |(d, r)| (d, Some(r)));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let digits = day.replace('_', "");
    let parts: Vec<usize> = day.split('_').map(str::len).collect();
    is_number(&digits)
        && digits.len() == 8
        && ["19", "20"].iter().any(|century| digits.starts_with(century))
        && [vec![8], vec![4, 4], vec![6, 2], vec![4, 2, 2]].contains(&parts)
        && revision.is_none_or(is_number)
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
