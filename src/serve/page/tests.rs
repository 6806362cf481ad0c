//! Pages of the made-up organization: each link leads on, nothing breaks out of its place, tables
//! say what the reports say.

use std::collections::{BTreeSet, VecDeque};
use std::path::Path;

use super::*;
use crate::catalog::Catalog;
use crate::identities::Identities;
use crate::ingest::{self, Options};
use crate::ledger::Ledger;
use crate::organization::Organization;
use crate::report::organizations::{Attachments, Query, UnusedIamRegion};
use crate::report::page::SortKey;
use crate::report::service::Granularity;
use crate::report::{organizations, service};
use crate::time::Period;

/// Everything that is served, for as long as a test runs.
pub(super) struct World {
    catalog: &'static Catalog,
    ledger: Ledger,
    coverage: crate::coverage::Coverage,
    organization: Organization,
    identities: Option<Identities>,
    granularity: Granularity,
    notes: Vec<String>,
}

impl World {
    fn new(inputs: &[&str], until: Option<&str>) -> Self {
        let inputs: Vec<String> = inputs.iter().map(|input| testdata(input)).collect();
        let found = ingest::find(&inputs).unwrap();
        let until = until.map(|text| Time::parse(text.as_bytes()).unwrap());
        let period = Period { since: None, until };
        let options = Options { period, ..Options::default() };
        let (ledger, coverage) = ingest::fold(&found, &options).unwrap();
        let organization = Organization::flat(ledger.accounts());
        Self {
            catalog: Catalog::embedded(),
            ledger,
            coverage,
            organization,
            identities: None,
            granularity: Granularity::ActionLevel,
            notes: Vec::new(),
        }
    }
}

fn testdata(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name).to_str().unwrap().to_owned()
}
