//! From an event's source and name to the service and the IAM actions it stands for (C2, A23).
//!
//! Knows no record: whether an event counts at all is decided elsewhere.

use super::{Catalog, ServiceIndex};

/// What stands behind the service's own host in `eventSource`, in every partition.
const DNS_SUFFIXES: [&str; 7] = [
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".amazonaws.eu",
    ".c2s.ic.gov",
    ".sc2s.sgov.gov",
    ".cloud.adc-e.uk",
    ".csp.hci.ic.gov",
];

/// One `eventSource`, and the events of it that do not bear their action's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EventSource {
    /// The source without its partition's suffix, such as `api.ecr`; in lower case.
    pub(super) host: String,
    /// The namespace of its actions, which the catalogue may lack.
    pub(super) namespace: String,
    /// A conditional exception stands before the unconditional one of the same name.
    pub(super) exceptions: Vec<Exception>,
}

/// The actions of one event name, or of every name (`*`), of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Exception {
    pub(super) event_name: String,
    /// Holds only when the request has a `serviceNamespace` (Application Auto Scaling).
    pub(super) with_service_namespace: bool,
    /// Namespaces and names, the primary one first; none is service level only.
    pub(super) actions: Vec<(String, String)>,
}

impl Catalog {
    /// Returns the service that an event belongs to; none is unmapped (A23).
    ///
    /// First the exceptions, then the table of event sources, then the host's first label (C2).
    /// It is the service of the first of [`Self::actions_of`], wherever there is one.
    /// `service_namespace` is `requestParameters.serviceNamespace`. Sources and names compare
    /// without case and without blanks around them.
    pub fn service_of(
        &self,
        event_source: &str,
        event_name: &str,
        service_namespace: Option<&str>,
    ) -> Option<ServiceIndex> {
        let host = host(event_source);
        let source = self.event_source(&host);
        let exception = source.and_then(|it| it.exception(event_name, service_namespace));
        let primary = exception.and_then(|it| it.actions.first());
        primary
            .and_then(|(namespace, _)| self.find(namespace))
            .or_else(|| self.find(&source?.namespace))
            .or_else(|| self.find(host.split('.').next()?))
    }

    /// Returns the IAM actions that an event stands for, the primary one first, as positions in
    /// [`Self::actions`] of their services; none is service level only.
    ///
    /// An event that can stand for several actions by what its request says (`ExecuteStatement` of
    /// DynamoDB) gives all of them. An API version behind the name (`ListFunctions20150331`) does
    /// not count.
    pub fn actions_of(
        &self,
        event_source: &str,
        event_name: &str,
        service_namespace: Option<&str>,
    ) -> Vec<(ServiceIndex, usize)> {
        let source = self.event_source(&host(event_source));
        let exception = source.and_then(|it| it.exception(event_name, service_namespace));
        if let Some(exception) = exception {
            let found = exception.actions.iter().filter_map(|(namespace, name)| {
                let service = self.find(namespace)?;
                Some((service, self.action_position(service, name)?))
            });
            return found.collect();
        }
        let service = self.service_of(event_source, event_name, service_namespace);
        let named = service.and_then(|service| {
            let action =
                spellings(event_name).find_map(|name| self.action_position(service, name))?;
            Some((service, action))
        });
        named.into_iter().collect()
    }

    fn event_source(&self, host: &str) -> Option<&EventSource> {
        let found = self.sources.binary_search_by(|source| source.host.as_str().cmp(host));
        self.sources.get(found.ok()?)
    }
}

impl EventSource {
    fn exception(&self, event_name: &str, service_namespace: Option<&str>) -> Option<&Exception> {
        let named = |name: &str| {
            self.exceptions.iter().find(|exception| {
                exception.event_name.eq_ignore_ascii_case(name)
                    && (!exception.with_service_namespace || service_namespace.is_some())
            })
        };
        spellings(event_name).find_map(named).or_else(|| named("*"))
    }
}

/// Returns the source in lower case, without blanks around it and its partition's suffix.
pub(super) fn host(event_source: &str) -> String {
    let mut host = event_source.trim().trim_end_matches('.').to_ascii_lowercase();
    if let Some(suffix) = DNS_SUFFIXES.iter().find(|suffix| host.ends_with(*suffix)) {
        host.truncate(host.len() - suffix.len());
    }
    host
}

/// Returns the event's name, then the name without the API version if it has one.
fn spellings(event_name: &str) -> impl Iterator<Item = &str> {
    let name = event_name.trim();
    std::iter::once(name).chain(without_version(name))
}

/// Takes the API version off a name: `^(.+?)_?((?:19|20)\d{2}_?\d{2}_?\d{2})(v\d+)?$` → group 1.
pub(super) fn without_version(name: &str) -> Option<&str> {
    let without_revision = name.trim_end_matches(|c: char| c.is_ascii_digit()).strip_suffix('v');
    let revised = without_revision.filter(|rest| rest.len() + 1 < name.len());
    revised.and_then(without_day).or_else(|| without_day(name))
}

/// Takes `20150331`, `2020_05_31` or the like off a name, with one underscore before it.
fn without_day(name: &str) -> Option<&str> {
    let month = strip_digits(name, 2)?;
    let year = strip_digits(month.strip_suffix('_').unwrap_or(month), 2)?;
    let year = year.strip_suffix('_').unwrap_or(year);
    let century = strip_digits(year, 2)?;
    let rest = century.strip_suffix("19").or_else(|| century.strip_suffix("20"))?;
    let rest = rest.strip_suffix('_').filter(|rest| !rest.is_empty()).unwrap_or(rest);
    (!rest.is_empty()).then_some(rest)
}

fn strip_digits(text: &str, count: usize) -> Option<&str> {
    let (rest, digits) = text.split_at_checked(text.len().checked_sub(count)?)?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(rest)
}
