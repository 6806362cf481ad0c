//! A request of AWS's Query protocol: a form with `Action`, `Version` and an operation's members,
//! checked against IAM's model.

use std::collections::BTreeMap;

use crate::report::RequestError;
use crate::report::constraint::{MOST_ITEMS, Violations};
use crate::report::page::SortKey;
use crate::report::service::Granularity;

/// The version of IAM's API.
const VERSION: &str = "2010-05-08";

/// The rows of a page, unless a request says otherwise (O8, I6).
const DEFAULT_ITEMS: usize = 100;

/// The members of a request, as the form has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form(BTreeMap<String, String>);

impl Form {
    /// Reads `application/x-www-form-urlencoded`; of a member that comes twice the last counts.
    pub fn parse(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    /// Returns the operation that is asked for.
    pub fn action(&self) -> Option<&str> {
        self.get("Action")
    }

    fn get(&self, member: &str) -> Option<&str> {
        self.0.get(member).map(String::as_str)
    }
}

/// An operation that is answered here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `GenerateOrganizationsAccessReport`.
    GenerateOrganizationsAccessReport,
    /// `GetOrganizationsAccessReport`.
    GetOrganizationsAccessReport,
    /// `GenerateServiceLastAccessedDetails`.
    GenerateServiceLastAccessedDetails,
    /// `GetServiceLastAccessedDetails`.
    GetServiceLastAccessedDetails,
    /// `GetServiceLastAccessedDetailsWithEntities`.
    GetServiceLastAccessedDetailsWithEntities,
    /// `ListPoliciesGrantingServiceAccess`.
    ListPoliciesGrantingServiceAccess,
}

impl Operation {
    /// Every one.
    pub const ALL: [Self; 6] = [
        Self::GenerateOrganizationsAccessReport,
        Self::GetOrganizationsAccessReport,
        Self::GenerateServiceLastAccessedDetails,
        Self::GetServiceLastAccessedDetails,
        Self::GetServiceLastAccessedDetailsWithEntities,
        Self::ListPoliciesGrantingServiceAccess,
    ];

    /// Returns AWS's name of it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::GenerateOrganizationsAccessReport => "GenerateOrganizationsAccessReport",
            Self::GetOrganizationsAccessReport => "GetOrganizationsAccessReport",
            Self::GenerateServiceLastAccessedDetails => "GenerateServiceLastAccessedDetails",
            Self::GetServiceLastAccessedDetails => "GetServiceLastAccessedDetails",
            Self::GetServiceLastAccessedDetailsWithEntities => {
                "GetServiceLastAccessedDetailsWithEntities"
            }
            Self::ListPoliciesGrantingServiceAccess => "ListPoliciesGrantingServiceAccess",
        }
    }

    /// Returns the operation of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.name() == name)
    }
}

/// A request whose members are what IAM's model allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// `GenerateOrganizationsAccessReport`.
    GenerateOrganizationsAccessReport {
        /// `EntityPath`.
        entity_path: String,
        /// `OrganizationsPolicyId`.
        policy_id: Option<String>,
    },
    /// `GetOrganizationsAccessReport`.
    GetOrganizationsAccessReport {
        /// `JobId`.
        job_id: String,
        /// `SortKey`.
        sort_key: SortKey,
        /// `MaxItems` and `Marker`.
        rows: Rows,
    },
    /// `GenerateServiceLastAccessedDetails`.
    GenerateServiceLastAccessedDetails {
        /// `Arn`.
        arn: String,
        /// `Granularity`.
        granularity: Granularity,
    },
    /// `GetServiceLastAccessedDetails`.
    GetServiceLastAccessedDetails {
        /// `JobId`.
        job_id: String,
        /// `MaxItems` and `Marker`.
        rows: Rows,
    },
    /// `GetServiceLastAccessedDetailsWithEntities`.
    GetServiceLastAccessedDetailsWithEntities {
        /// `JobId`.
        job_id: String,
        /// `ServiceNamespace`.
        service_namespace: String,
        /// `MaxItems` and `Marker`.
        rows: Rows,
    },
    /// `ListPoliciesGrantingServiceAccess`.
    ListPoliciesGrantingServiceAccess {
        /// `Arn`.
        arn: String,
        /// `ServiceNamespaces`.
        service_namespaces: Vec<String>,
        /// `Marker`.
        marker: Option<String>,
    },
}

/// Which rows of a reply are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    /// `MaxItems`.
    pub max_items: usize,
    /// `Marker`.
    pub marker: Option<String>,
}

impl Request {
    /// Reads a request for `operation`.
    ///
    /// # Errors
    ///
    /// `InvalidAction` for another version of the API, `ValidationError` with everything that IAM's
    /// model does not allow.
    pub fn read(operation: Operation, form: &Form) -> Result<Self, RequestError> {
        if let Some(version) = form.get("Version").filter(|version| *version != VERSION) {
            let name = operation.name();
            return Err(RequestError {
                code: "InvalidAction",
                message: format!("Could not find operation {name} for version {version}"),
            });
        }
        let mut members = Members { form, violations: Violations::default() };
        let request = members.request(operation);
        members.violations.result()?;
        Ok(request)
    }
}

/// The members of a form, and what is wrong with them.
struct Members<'f> {
    form: &'f Form,
    violations: Violations,
}

impl Members<'_> {
    /// Returns the request; what is wrong with it is in the violations.
    fn request(&mut self, operation: Operation) -> Request {
        match operation {
            Operation::GenerateOrganizationsAccessReport => {
                // The forms of both are looked at with the report's query.
                Request::GenerateOrganizationsAccessReport {
                    entity_path: self.required("EntityPath", |_, _| {}),
                    policy_id: self.form.get("OrganizationsPolicyId").map(str::to_owned),
                }
            }
            Operation::GetOrganizationsAccessReport => Request::GetOrganizationsAccessReport {
                job_id: self.job_id(),
                sort_key: self.named("SortKey", SortKey::ALL, SortKey::name),
                rows: self.rows(),
            },
            Operation::GenerateServiceLastAccessedDetails => {
                Request::GenerateServiceLastAccessedDetails {
                    arn: self.arn(),
                    granularity: self.named("Granularity", Granularity::ALL, Granularity::name),
                }
            }
            Operation::GetServiceLastAccessedDetails => {
                Request::GetServiceLastAccessedDetails { job_id: self.job_id(), rows: self.rows() }
            }
            Operation::GetServiceLastAccessedDetailsWithEntities => {
                let service_namespace =
                    self.required("ServiceNamespace", |violations, namespace| {
                        check_namespace(violations, "serviceNamespace", namespace);
                    });
                Request::GetServiceLastAccessedDetailsWithEntities {
                    job_id: self.job_id(),
                    service_namespace,
                    rows: self.rows(),
                }
            }
            Operation::ListPoliciesGrantingServiceAccess => {
                Request::ListPoliciesGrantingServiceAccess {
                    arn: self.arn(),
                    service_namespaces: self.service_namespaces(),
                    marker: self.marker(),
                }
            }
        }
    }

    /// Returns the member's value, having looked at it with `check`.
    fn required(&mut self, member: &str, check: impl FnOnce(&mut Violations, &str)) -> String {
        match self.form.get(member) {
            Some(value) => check(&mut self.violations, value),
            None => self.violations.missing(&lower_camel(member)),
        }
        self.form.get(member).unwrap_or_default().to_owned()
    }

    fn arn(&mut self) -> String {
        self.required("Arn", |violations, arn| violations.length("arn", arn, 20..=2048))
    }

    fn job_id(&mut self) -> String {
        self.required("JobId", |violations, id| violations.length("jobId", id, 36..=36))
    }

    /// Returns the value that has the name, or the default where none is given.
    fn named<T: Copy + Default, const N: usize>(
        &mut self,
        member: &str,
        values: [T; N],
        name: impl Fn(T) -> &'static str,
    ) -> T {
        let Some(given) = self.form.get(member) else { return T::default() };
        self.violations.one_of(&lower_camel(member), given, &values.map(&name));
        values.into_iter().find(|value| name(*value) == given).unwrap_or_default()
    }

    fn rows(&mut self) -> Rows {
        let max_items = match self.form.get("MaxItems").map(|text| (text, text.parse::<i64>())) {
            None => DEFAULT_ITEMS,
            Some((text, Err(_))) => {
                self.violations.not_an_integer("maxItems", text);
                DEFAULT_ITEMS
            }
            Some((_, Ok(items))) => {
                let items = usize::try_from(items.max(0)).unwrap_or(MOST_ITEMS + 1);
                self.violations.max_items(items);
                items
            }
        };
        Rows { max_items, marker: self.marker() }
    }

    fn marker(&mut self) -> Option<String> {
        let marker = self.form.get("Marker")?;
        self.violations.length("marker", marker, 1..=320);
        let is_match = marker.chars().all(|c| matches!(c, ' '..='\u{ff}'));
        self.violations.pattern("marker", marker, is_match, r"[\u0020-\u00FF]+");
        Some(marker.to_owned())
    }

    /// Reads the list `ServiceNamespaces.member.1`, `.2`, … in the order of the numbers.
    fn service_namespaces(&mut self) -> Vec<String> {
        let numbered = self.form.0.iter().filter_map(|(name, value)| {
            let number = name.strip_prefix("ServiceNamespaces.member.")?.parse::<u32>().ok()?;
            Some((number, value.clone()))
        });
        let namespaces: BTreeMap<u32, String> = numbered.collect();
        let namespaces: Vec<String> = namespaces.into_values().collect();
        if namespaces.is_empty() {
            self.violations.missing("serviceNamespaces");
        }
        if namespaces.len() > 200 {
            self.violations.most_entries("serviceNamespaces", 200);
        }
        for namespace in namespaces.iter().take(200) {
            check_namespace(&mut self.violations, "serviceNamespaces.member", namespace);
        }
        namespaces
    }
}

fn check_namespace(violations: &mut Violations, member: &str, namespace: &str) {
    violations.length(member, namespace, 1..=64);
    let is_match = namespace.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    violations.pattern(member, namespace, is_match, r"[\w-]*");
}

/// Returns a member's name as IAM's messages have it: `jobId`.
fn lower_camel(member: &str) -> String {
    let mut name = member.to_owned();
    name.get_mut(..1).map(str::make_ascii_lowercase);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Request, RequestError> {
        let form = Form::parse(body.as_bytes());
        let operation = Operation::named(form.action().unwrap()).unwrap();
        Request::read(operation, &form)
    }

    const JOB: &str = "01234567-89ab-4def-8123-456789abcdef";

    #[test]
    fn o8_a_page_has_a_hundred_rows_unless_it_is_said() {
        let get = format!("Action=GetServiceLastAccessedDetails&Version=2010-05-08&JobId={JOB}");
        let rows = |more: &str| match read(&format!("{get}{more}")).unwrap() {
            Request::GetServiceLastAccessedDetails { rows, .. } => rows,
            other => panic!("{other:?}"),
        };
        assert_eq!(rows(""), Rows { max_items: 100, marker: None });
        assert_eq!(
            rows("&MaxItems=7&Marker=a%20b"),
            Rows { max_items: 7, marker: Some("a b".to_owned()) }
        );
        for (wrong, message) in [
            ("&MaxItems=0", "greater than or equal to 1"),
            ("&MaxItems=-1", "greater than or equal to 1"),
            ("&MaxItems=1001", "less than or equal to 1000"),
            ("&MaxItems=99999999999999", "less than or equal to 1000"),
            ("&MaxItems=ten", "be an integer"),
            ("&MaxItems=", "be an integer"),
            ("&Marker=", "greater than or equal to 1"),
            ("&Marker=%E2%82%AC", "pattern"),
        ] {
            let error = read(&format!("{get}{wrong}")).unwrap_err();
            assert_eq!(error.code, "ValidationError");
            assert!(error.message.contains(message), "{wrong}: {error}");
        }
    }

    #[test]
    fn o7_sort_keys_are_those_of_the_model() {
        let get = format!("Action=GetOrganizationsAccessReport&JobId={JOB}");
        for key in SortKey::ALL {
            let request = read(&format!("{get}&SortKey={key}")).unwrap();
            assert!(matches!(
                request,
                Request::GetOrganizationsAccessReport { sort_key, .. } if sort_key == key
            ));
        }
        let error = read(&format!("{get}&SortKey=service_namespace_ascending")).unwrap_err();
        assert!(error.message.contains("enum value set: [SERVICE_NAMESPACE_ASCENDING, "));
    }

    #[test]
    fn o10_what_is_missing_is_named_once() {
        for (body, members) in [
            ("Action=GenerateOrganizationsAccessReport", &["entityPath"][..]),
            ("Action=GetOrganizationsAccessReport", &["jobId"]),
            ("Action=GenerateServiceLastAccessedDetails", &["arn"]),
            ("Action=GetServiceLastAccessedDetails", &["jobId"]),
            ("Action=GetServiceLastAccessedDetailsWithEntities", &["serviceNamespace", "jobId"]),
            ("Action=ListPoliciesGrantingServiceAccess", &["arn", "serviceNamespaces"]),
        ] {
            let error = read(body).unwrap_err();
            assert_eq!(error.message.matches("must not be null").count(), members.len(), "{error}");
            assert_eq!(error.message.matches("failed to").count(), members.len(), "{error}");
            for member in members {
                assert!(error.message.contains(&format!("'{member}'")), "{error}");
            }
        }
    }

    #[test]
    fn another_version_of_the_api_is_refused() {
        let error = read("Action=GetOrganizationsAccessReport&Version=2011-05-08").unwrap_err();
        assert_eq!(error.code, "InvalidAction");
    }

    #[test]
    fn lists_come_in_the_order_of_their_numbers() {
        let arn = "arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fbuild";
        let list = format!(
            "Action=ListPoliciesGrantingServiceAccess&Arn={arn}&ServiceNamespaces.member.10=s3\
             &ServiceNamespaces.member.9=iam"
        );
        let request = read(&list).unwrap();
        assert!(matches!(
            request,
            Request::ListPoliciesGrantingServiceAccess { service_namespaces, .. }
                if service_namespaces == ["iam", "s3"]
        ));
    }

    #[test]
    fn i6_an_arn_is_no_shorter_than_twenty_characters() {
        let error = read("Action=GenerateServiceLastAccessedDetails&Arn=short").unwrap_err();
        assert!(error.message.contains("'short' at 'arn'"), "{error}");
    }
}
