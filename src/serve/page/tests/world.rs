//! What the pages of the tests are of.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::Path;

use serde_json::{Value, json};

use crate::access::Switches;
use crate::catalog::Catalog;
use crate::coverage::Coverage;
use crate::identities::Identities;
use crate::ingest::{self, Options};
use crate::ledger::Ledger;
use crate::organization::Organization;
use crate::report::organizations::Attachments;
use crate::report::service::Granularity;
use crate::report::{organizations, service};
use crate::serve::page::{Page, Visit, page};
use crate::serve::{Facts, Reporters};
use crate::time::{Period, Time};

/// Everything that is served.
pub(super) struct World {
    ledger: Ledger,
    coverage: Coverage,
    organization: Organization,
    identities: Option<Identities>,
}

pub(super) fn testdata(name: &str) -> String {
    format!("{}/testdata/{name}", env!("CARGO_MANIFEST_DIR"))
}

impl World {
    fn new(inputs: &[&str], organization: Option<&Path>, identities: Option<&Path>) -> Self {
        let inputs: Vec<OsString> = inputs.iter().map(|it| testdata(it).into()).collect();
        let found = ingest::find(&inputs, NonZeroUsize::MIN, None).unwrap();
        let period = Period { since: None, until: Time::parse(b"2026-02-01T00:00:00Z") };
        let options = Options {
            period,
            switches: Switches::default(),
            threads: NonZeroUsize::MIN,
            memory: usize::MAX,
            progress: &|_| (),
        };
        let (ledger, coverage) = ingest::fold(&found, &options).unwrap();
        let organization = organization.map_or_else(
            || Organization::flat(ledger.accounts()),
            |path| Organization::load(path).unwrap(),
        );
        let identities = identities.map(|path| Identities::load(path).unwrap());
        Self { ledger, coverage, organization, identities }
    }

    /// The organization of `testdata`, with its identities.
    pub(super) fn made_up() -> Self {
        Self::new(
            &["logs/AWSLogs", "logs/damaged", "logs-identities"],
            Some(testdata("organization.json").as_ref()),
            Some(testdata("identities").as_ref()),
        )
    }

    pub(super) fn without_snapshots() -> Self {
        Self::new(&["logs/AWSLogs"], None, None)
    }

    /// An organization and identities whose names try to be more than names.
    pub(super) fn hostile() -> Self {
        let name = "<script>alert(1)</script>\"'&amp;\u{202e}\u{1b}[31m javascript:";
        let directory = tempfile::tempdir().unwrap();
        let organization = organization(1, 3, name);
        let identities = identities(3, name);
        Self::of(directory.path(), &organization, &identities)
    }

    /// 5,000 accounts in 50 units, and 10,000 roles.
    pub(super) fn large() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self::of(directory.path(), &organization(50, 100, ""), &identities(10_000, ""))
    }

    fn of(directory: &Path, organization: &Value, identities: &Value) -> Self {
        let tree = directory.join("organization.json");
        std::fs::write(&tree, organization.to_string()).unwrap();
        let entities = directory.join("identities.json");
        std::fs::write(&entities, identities.to_string()).unwrap();
        Self::new(&["logs/AWSLogs"], Some(&tree), Some(&entities))
    }

    /// Serves it to a function.
    pub(super) fn serve_with<T>(
        &self,
        work: impl for<'a> FnOnce(&Facts<'a>, &mut Reporters<'a>, Time) -> T,
    ) -> T {
        let catalog = Catalog::embedded();
        let accounts = organizations::Activity::new(&self.ledger, &self.organization, catalog);
        let activity = self.identities.as_ref().map(|identities| {
            service::Activity::new(&self.ledger, identities, catalog, Granularity::ActionLevel)
        });
        let facts = Facts {
            catalog,
            coverage: &self.coverage,
            organization: &self.organization,
            accounts: &accounts,
            identities: self.identities.as_ref().zip(activity.as_ref()),
            notes: vec!["a note with <b>no</b> markup".to_owned()],
        };
        let mut reporters = Reporters::new(&facts);
        work(&facts, &mut reporters, Time::parse(b"2026-02-10T00:00:00Z").unwrap())
    }

    /// Serves it to a function that asks for addresses.
    pub(super) fn serve<T>(
        &self,
        work: impl FnOnce(&Facts<'_>, &mut dyn FnMut(&str) -> Page) -> T,
    ) -> T {
        self.serve_with(|facts, reporters, now| {
            work(facts, &mut |address| {
                page(facts, reporters, Attachments::AtOrBelow, &visit(address), now)
            })
        })
    }
}

/// Returns a snapshot of so many units with so many accounts each; names end in `name`.
fn organization(units: usize, accounts: usize, name: &str) -> Value {
    let mut snapshot = json!({
        "Organization": {
            "Id": "o-exampleorgid", "MasterAccountId": "000000000000", "FeatureSet": "ALL",
        },
        "Roots": [{ "Id": "r-ex4m", "Name": name, "PolicyTypes": [] }],
        "OrganizationalUnits": [],
        "Accounts": [],
    });
    for unit in 0..units {
        let id = format!("ou-ex4m-unit{unit:04}");
        let of =
            |parent: &str| json!({ "Id": id, "Name": format!("unit{name}"), "ParentId": parent });
        snapshot["OrganizationalUnits"].as_array_mut().unwrap().push(of("r-ex4m"));
        for account in 0..accounts {
            let number = unit * accounts + account;
            snapshot["Accounts"].as_array_mut().unwrap().push(json!({
                "Id": format!("{number:012}"),
                "Name": format!("account-{number:05}{name}"),
                "Status": if number % 7 == 3 { name } else { "ACTIVE" },
                "ParentId": id,
            }));
        }
    }
    snapshot
}

/// Returns a snapshot of so many roles that may do anything; their paths end in `name`.
fn identities(roles: usize, name: &str) -> Value {
    let policy = json!({
        "PolicyName": "all",
        "PolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [{ "Effect": "Allow", "Action": "*", "Resource": "*" }],
        },
    });
    let role = |number: usize| {
        json!({
            "Path": "/",
            "RoleName": format!("role-{number:05}{name}"),
            "RoleId": format!("AROAEXAMPLE{number:010}"),
            "Arn": format!("arn:aws:iam::000000000001:role/role-{number:05}{name}"),
            "CreateDate": "2023-06-01T09:00:00+00:00",
            "RolePolicyList": [policy],
            "AttachedManagedPolicies": [],
        })
    };
    json!({
        "UserDetailList": [],
        "GroupDetailList": [],
        "RoleDetailList": (0..roles).map(role).collect::<Vec<Value>>(),
        "Policies": [],
        "IsTruncated": false,
    })
}

/// Reads an address as the HTTP side does.
pub(super) fn visit(address: &str) -> Visit {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let parameters = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    Visit { path: path.to_owned(), parameters }
}

pub(super) fn text(page: &Page) -> String {
    String::from_utf8(page.body.clone()).unwrap()
}

/// Returns the addresses that a page leads to.
pub(super) fn hrefs(body: &str) -> Vec<String> {
    let quoted = body.split(" href=\"").skip(1);
    quoted.map(|rest| rest.split('"').next().unwrap().replace("&amp;", "&")).collect()
}

/// Returns the namespaces of the table of services, in its order.
pub(super) fn namespaces(body: &str) -> Vec<String> {
    let table = body.split("<table class=\"rows services").nth(1).unwrap_or_default();
    let rows = table.split("</table>").next().unwrap_or_default().split("<td><code>").skip(1);
    rows.map(|row| row.split('<').next().unwrap().to_owned()).collect()
}
