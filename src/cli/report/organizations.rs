//! `trailfold report organizations`.

use std::collections::BTreeSet;

use anyhow::bail;

use super::super::args::OrganizationsArgs;
use super::super::inputs::of_report;
use super::super::period::asked;
use super::super::summary::{Names, Summary, warn_of_future};
use super::super::{Exit, now};
use super::reading::{Read, read};
use super::writing::Output;
use crate::catalog::{Catalog, ServiceIndex};
use crate::coverage::Coverage;
use crate::organization::{EntityIndex, Organization, PolicyScope};
use crate::report::JobDates;
use crate::report::coverage::{
    OrganizationBasis, OrganizationCoverage, ReportCoverage, SnapshotCoverage,
};
use crate::report::organizations::{
    self, Activity, Attachments, OrganizationsReport, Query, Reporter, UnusedIamRegion,
};
use crate::report::page::{Page, SortKey};
use crate::time::Time;

/// `trailfold report organizations`.
pub(crate) fn run(args: &OrganizationsArgs) -> anyhow::Result<Exit> {
    let creation = now()?;
    let output = Output::new(&args.output)?;
    let period = asked(&args.input)?;
    let catalog = args.input.catalog.as_deref().map(Catalog::load).transpose()?;
    let catalog = catalog.as_ref().unwrap_or_else(|| Catalog::embedded());
    // A snapshot that cannot be read should not cost an hour of reading logs first.
    let snapshot = args.organization.as_deref().map(Organization::load).transpose()?;
    refuse_query(args, snapshot.as_ref())?;
    let given = of_report(&args.input)?;
    output.refuse_inputs(
        &given.found,
        [args.organization.as_deref(), args.input.catalog.as_deref()],
    )?;
    let Read { ledger, coverage, origins } =
        read(&args.input, given, period, output.attempts(), &args.output.verbosity)?;
    let organization = match snapshot {
        Some(organization) => organization,
        None => Organization::flat(ledger.accounts()),
    };
    let activity = Activity::new(&ledger, &organization, catalog);
    if activity.is_empty() && coverage.records.counted > 0 && !args.input.allow_empty {
        refuse_foreign(&activity, &organization, &coverage)?;
    }
    let basis = OrganizationBasis {
        coverage: &coverage,
        activity: &activity,
        organization: &organization,
        catalog,
    };
    let mut reporter = Reporter::new(&activity, &organization, catalog).with_coverage(&coverage);
    let query = query(args, &organization, creation)?;
    let reports = Reports::new(args, &mut reporter, &query, &organization)?;
    let is_failed = reports.is_failed(&query, &organization);
    let undecided = reports.undecided(&mut reporter, &query);
    let accounted = OrganizationCoverage::new(basis, undecided.iter().copied());
    let accounted = SnapshotCoverage::Organization(accounted);
    let accounted = ReportCoverage::new(&coverage, catalog, &activity.unmapped, accounted);
    output.write(&accounted, args.all_entities, &mut *reports.into_iter(&mut reporter, &query))?;
    let names = Names { verbose: args.output.verbosity.verbose };
    let summary = Summary {
        coverage: &coverage,
        origins,
        outside: activity.outside.len(),
        of: "organization",
        problems: Vec::new(),
        warnings: warnings(basis, &undecided, creation, names),
        verbose: args.output.verbosity.verbose,
    };
    summary.print(args.output.verbosity.quiet);
    Ok(match (is_failed, accounted.is_complete()) {
        (true, _) => Exit::NoReport,
        (false, true) => Exit::Complete,
        (false, false) => Exit::Incomplete,
    })
}

/// Refuses what no logs could answer, before an hour is spent on reading them.
fn refuse_query(args: &OrganizationsArgs, snapshot: Option<&Organization>) -> anyhow::Result<()> {
    if args.all_entities {
        return Ok(());
    }
    let nobody = Organization::flat([]);
    let organization = snapshot.unwrap_or(&nobody);
    if let (None, Some(path)) = (snapshot, args.entity_path.as_deref())
        && !path.starts_with(organization.id())
    {
        bail!(
            "--entity-path: `{path}` is in no tree: give a snapshot of its organization with \
             --organization"
        );
    }
    Ok(query(args, organization, Time::from_micros(0))?.validate(organization.id())?)
}

/// A report that holds none of the accesses reads as "revoke everything", too (V2).
pub(in crate::cli) fn refuse_foreign(
    activity: &Activity<'_>,
    organization: &Organization,
    coverage: &Coverage,
) -> anyhow::Result<()> {
    let mut because = Vec::new();
    if let Some(first) = activity.outside.keys().next() {
        let accounts = activity.outside.len();
        because.push(format!(
            "acting accounts outside the organization `{}`: {accounts}, the first `{first}`",
            organization.id()
        ));
    }
    if let Some(first) = activity.unmapped.keys().next() {
        let sources = activity.unmapped.len();
        because.push(format!("event sources of no service: {sources}, the first `{first}`"));
    }
    if let Some(first) = coverage.problems.first() {
        let problems = coverage.problems.len();
        because.push(format!("problems of reading: {problems}, the first {first}"));
    }
    if because.is_empty() {
        because.push("none was read".to_owned());
    }
    bail!(
        "no access belongs into a report: {}: is it the snapshot of these logs? (--allow-empty \
         writes an empty report)",
        because.join("; ")
    )
}

fn query<'a>(
    args: &'a OrganizationsArgs,
    organization: &'a Organization,
    creation: Time,
) -> anyhow::Result<Query<'a>> {
    let root = organization.entity(organization.root()).path.as_str();
    let sort_key =
        SortKey::ALL.into_iter().find(|key| key.name().eq_ignore_ascii_case(&args.sort_key));
    Ok(Query {
        entity_path: args.entity_path.as_deref().unwrap_or(root),
        policy_id: args.policy_id.as_deref(),
        attachments: if args.policy_attached_above {
            Attachments::AlsoAbove
        } else {
            Attachments::AtOrBelow
        },
        sort_key: sort_key.unwrap_or_default(),
        page: Page { max_items: args.max_items, marker: args.marker.as_deref(), job_id: None },
        unused_iam_region: if args.unused_iam_region {
            UnusedIamRegion::UsEast1
        } else {
            UnusedIamRegion::Absent
        },
        job: JobDates { creation, completion: now()? },
    })
}

/// The reports that were asked for.
enum Reports<'a> {
    /// One, made.
    One(Box<OrganizationsReport<'a>>, Option<EntityIndex>),
    /// Those of these entities, each made when it is written.
    Many(Vec<EntityIndex>),
}

impl<'a> Reports<'a> {
    fn new(
        args: &OrganizationsArgs,
        reporter: &mut Reporter<'a>,
        query: &Query<'a>,
        organization: &Organization,
    ) -> anyhow::Result<Self> {
        if args.all_entities {
            return Ok(Self::Many(organization.entities().map(|(index, _)| index).collect()));
        }
        let report = reporter.report(query)?;
        let entity = organization.find(report.entity_path);
        Ok(Self::One(Box::new(report), entity))
    }

    fn is_failed(&self, query: &Query<'_>, organization: &Organization) -> bool {
        match self {
            Self::One(report, _) => report.outcome.is_err(),
            // Every entity exists; a policy may not.
            Self::Many(_) => query.policy_id.is_some_and(|id| organization.policy(id).is_none()),
        }
    }

    /// Returns them, each made when it is asked for.
    fn into_iter<'r>(
        self,
        reporter: &'r mut Reporter<'a>,
        query: &'r Query<'a>,
    ) -> Box<dyn Iterator<Item = OrganizationsReport<'a>> + 'r> {
        match self {
            Self::One(report, _) => Box::new(std::iter::once(*report)),
            Self::Many(entities) => Box::new(entities.into_iter().map(|entity| {
                let report = reporter.report_of(entity, query);
                report.expect("only a page is refused, and the arguments allow none")
            })),
        }
    }

    /// Returns the services that are listed only because their policies could not be decided.
    fn undecided(&self, reporter: &mut Reporter<'a>, query: &Query<'a>) -> BTreeSet<ServiceIndex> {
        let entities: &[EntityIndex] = match self {
            Self::One(_, entity) => entity.as_slice(),
            Self::Many(entities) => entities,
        };
        entities.iter().flat_map(|entity| reporter.undecided(*entity, query)).collect()
    }
}

/// What makes the report say something else than AWS would, or than the reader may think.
pub(in crate::cli) fn warnings(
    basis: OrganizationBasis<'_>,
    undecided: &BTreeSet<ServiceIndex>,
    now: Time,
    names: Names,
) -> Vec<String> {
    let OrganizationBasis { coverage, activity, organization, catalog } = basis;
    let mut warnings = Vec::new();
    let no_policy = match organization.scope() {
        PolicyScope::Applied => None,
        PolicyScope::NotEnabled => {
            Some("service control policies are not enabled in the organization's root")
        }
        PolicyScope::NotInSnapshot => Some("the organization snapshot has no policies"),
        PolicyScope::NoOrganization => {
            Some("no --organization given: the accounts seen stand under a made-up root")
        }
    };
    let has_snapshot = organization.scope() != PolicyScope::NoOrganization;
    if has_snapshot && organization.management_account().is_none() {
        warnings.push(
            "the organization snapshot does not tell the management account: its accesses \
                 count like any other account's"
                .to_owned(),
        );
    }
    warnings.extend(warn_of_future(coverage, now));
    if let Some(reason) = no_policy {
        warnings.push(format!("{reason}; no policy was applied, every service is listed"));
    }
    if !activity.outside.is_empty() {
        let named = names.list(activity.outside.keys().copied());
        warnings.push(format!("accounts outside the organization, in no report: {named}"));
    }
    let silent = organizations::silent_accounts(organization, coverage);
    let silent: Vec<&str> = silent.map(|account| account.id.as_str()).collect();
    if !silent.is_empty() {
        let named = names.list(silent.iter().copied());
        warnings.push(format!(
            "no events of these accounts of the organization, so what only they use looks unused: \
             {named}"
        ));
    }
    warnings.extend(names.warn_of_unmapped(&activity.unmapped));
    warnings.extend(names.warn_of_missing(&coverage.missing));
    warnings.extend(names.warn_of_no_data_events(coverage, &activity.outside));
    if !organization.other_policies().is_empty() {
        let named = names.list(organization.other_policies().iter().map(|it| it.id.as_str()));
        warnings
            .push(format!("policies that are no service control policies, not applied: {named}"));
    }
    let undecided: Vec<&str> =
        undecided.iter().map(|it| catalog.service(*it).namespace.as_str()).collect();
    warnings.extend(names.warn_of_undecided(&undecided));
    warnings
}
