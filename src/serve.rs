//! An endpoint that answers as IAM does: the reports of one set of facts, by AWS's Query protocol for
//! the AWS CLI, boto3 and every SDK, and as pages for people.
//!
//! The facts do not change while it runs, so an answer is a function of request, jobs and time. One
//! thread, the [`Desk`]'s, makes all answers, one after the other; what is asynchronous is in `http`
//! and `forward` alone, and only carries bytes.

use crate::catalog::Catalog;
use crate::coverage::Coverage;
use crate::identities::Identities;
use crate::organization::Organization;
use crate::report::{organizations, service};
use crate::time::Time;

mod page;

/// What is served.
pub struct Facts<'a> {
    /// Services and actions.
    pub catalog: &'a Catalog,
    /// What was read.
    pub coverage: &'a Coverage,
    /// The tree.
    pub organization: &'a Organization,
    /// The accesses of its accounts.
    pub accounts: &'a organizations::Activity<'a>,
    /// Users, groups, roles and policies with their accesses, if there is a snapshot of them.
    pub identities: Option<(&'a Identities, &'a service::Activity<'a>)>,
    /// What the reader of a report has to know, a sentence a line: what could not be read, and what
    /// makes reports say something else than AWS's would.
    pub notes: Vec<String>,
}

impl Facts<'_> {
    /// Returns when the period began, as far as that is known.
    pub fn start(&self) -> Option<Time> {
        self.coverage.period.since.or_else(|| self.coverage.first_event())
    }
}

/// Makes the reports.
struct Reporters<'a> {
    organizations: organizations::Reporter<'a>,
    services: Option<service::Reporter<'a>>,
}

impl<'a> Reporters<'a> {
    fn new(facts: &Facts<'a>) -> Self {
        let Facts { catalog, organization, accounts, .. } = *facts;
        Self {
            organizations: organizations::Reporter::new(accounts, organization, catalog),
            services: facts.identities.map(|(identities, activity)| {
                service::Reporter::new(activity, identities, catalog, facts.start())
            }),
        }
    }
}
