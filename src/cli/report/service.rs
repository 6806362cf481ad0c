//! `trailfold report service`.

use std::collections::BTreeSet;
use std::mem::ManuallyDrop;

use anyhow::{Context as _, bail};

use super::super::args::ServiceArgs;
use super::super::inputs::of_report;
use super::super::period::asked;
use super::super::summary::{Names, Summary, warn_of_future};
use super::super::{Exit, now};
use super::reading::{Read, read};
use super::writing::Output;
use crate::catalog::{Catalog, ServiceIndex};
use crate::coverage::Coverage;
use crate::emit;
use crate::identities::{Identities, IdentityIndex};
use crate::report::coverage::{
    IdentitiesBasis, IdentitiesCoverage, ReportCoverage, SnapshotCoverage,
};
use crate::report::page::Page;
use crate::report::service::{self, Activity, Granularity, Query, Reporter};
use crate::report::{JobDates, RequestError};
use crate::time::Time;

/// `trailfold report service`.
pub(crate) fn run(args: &ServiceArgs) -> anyhow::Result<Exit> {
    let creation = now()?;
    let output = Output::new(&args.output)?;
    let period = asked(&args.input)?;
    let catalog = args.input.catalog.as_deref().map(Catalog::load).transpose()?;
    let catalog = catalog.as_ref().unwrap_or_else(|| Catalog::embedded());
    // What no logs could answer should not cost an hour of reading logs first. What is large is
    // left to the system: the program ends with it, and taking it apart would only cost time.
    let identities = &*ManuallyDrop::new(Identities::load(&args.identities)?);
    let reported = reported(args, identities)?;
    if let Some(namespace) = &args.service_namespace {
        service::find_service(catalog, namespace).context("--service-namespace")?;
    }
    query(args, creation)?.validate().context("--max-items or --marker")?;
    let given = of_report(&args.input)?;
    output.refuse_inputs(
        &given.found,
        [Some(args.identities.as_path()), args.input.catalog.as_deref()],
    )?;
    let Read { ledger, coverage, origins } =
        read(&args.input, given, period, output.attempts(), &args.output.verbosity)?;
    let activity = Activity::new(&ledger, identities, catalog, granularity(args));
    let activity = ManuallyDrop::new(activity);
    if coverage.records.counted > 0 && !args.input.allow_empty {
        refuse_foreign(&activity, identities, &coverage)?;
        refuse_silent(&reported, identities, &coverage)?;
    }
    let start = coverage.period.since.or_else(|| coverage.first_event());
    let reporter = Reporter::new(&activity, identities, catalog, start).with_coverage(&coverage);
    let mut reporter = ManuallyDrop::new(reporter);
    let undecided: BTreeSet<ServiceIndex> = reported
        .iter()
        .flat_map(|identity| reporter.undecided(*identity, granularity(args)))
        .collect();
    let basis =
        IdentitiesBasis { coverage: &coverage, activity: &activity, identities, catalog, start };
    let accounted = IdentitiesCoverage::new(basis, &reported, undecided.iter().copied());
    let names = Names { verbose: args.output.verbosity.verbose };
    let warnings = warnings(basis, &accounted, creation, names);
    let problems = problems(&accounted);
    let accounted = SnapshotCoverage::Identities(accounted);
    let accounted = ReportCoverage::new(&coverage, catalog, &activity.unmapped, accounted);
    let query = query(args, creation)?;
    write(args, &output, &accounted, &reported, &mut reporter, &query)?;
    let summary = Summary {
        coverage: &coverage,
        origins,
        outside: activity.outside.len(),
        of: "snapshot",
        problems,
        warnings,
        verbose: args.output.verbosity.verbose,
    };
    summary.print(args.output.verbosity.quiet);
    Ok(if accounted.is_complete() { Exit::Complete } else { Exit::Incomplete })
}

/// Finds who is to be reported on.
fn reported(args: &ServiceArgs, identities: &Identities) -> anyhow::Result<Vec<IdentityIndex>> {
    match &args.whom.arn {
        None => Ok(identities.identities().map(|(index, _)| index).collect()),
        Some(arn) => {
            let found = service::find(identities, arn);
            Ok(vec![found.context("--arn")?])
        }
    }
}

fn granularity(args: &ServiceArgs) -> Granularity {
    let is_asked = |it: &Granularity| it.name().eq_ignore_ascii_case(&args.granularity);
    Granularity::ALL.into_iter().find(is_asked).unwrap_or_default()
}

fn query(args: &ServiceArgs, creation: Time) -> anyhow::Result<Query<'_>> {
    Ok(Query {
        granularity: granularity(args),
        page: Page { max_items: args.max_items, marker: args.marker.as_deref(), job_id: None },
        job: JobDates { creation, completion: now()? },
    })
}

/// A report that holds none of the accesses reads as "revoke everything", too (V2).
pub(in crate::cli) fn refuse_foreign(
    activity: &Activity<'_>,
    identities: &Identities,
    coverage: &Coverage,
) -> anyhow::Result<()> {
    if !activity.is_empty() {
        return Ok(());
    }
    let mut because = Vec::new();
    if let Some(first) = activity.outside.keys().next() {
        let accounts = activity.outside.len();
        because.push(format!(
            "acting accounts that the snapshot has not: {accounts}, the first `{first}`"
        ));
    }
    if let Some(first) = activity.unknown.keys().next() {
        let principals = activity.unknown.len();
        let name = first.arn.or(first.id).unwrap_or(first.account);
        because.push(format!(
            "users and roles that the snapshot has not: {principals}, the first `{name}`"
        ));
    }
    if let Some(first) = coverage.problems.first() {
        let problems = coverage.problems.len();
        because.push(format!("problems of reading: {problems}, the first {first}"));
    }
    if because.is_empty() {
        because.push("only root users acted".to_owned());
    }
    let accounts = identities.accounts().len();
    bail!(
        "no access is one of a user or role of the snapshot's {accounts} accounts: {}: is it the \
         snapshot of these logs? (--allow-empty writes a report nevertheless)",
        because.join("; ")
    )
}

/// A report on somebody whose account's logs are not there reads as "revoke everything", too (V2).
fn refuse_silent(
    reported: &[IdentityIndex],
    identities: &Identities,
    coverage: &Coverage,
) -> anyhow::Result<()> {
    let [identity] = reported else { return Ok(()) };
    let Some(accounts) = service::silent_accounts(identities, *identity, coverage) else {
        return Ok(());
    };
    bail!(
        "no access of account {} was read, so a report on `{}` would say nothing: give the \
         account's logs too (--allow-empty writes a report nevertheless)",
        accounts.join(", "),
        identities.identity(*identity).arn,
    )
}

/// Writes the reports, each made when it is written.
fn write<'a>(
    args: &'a ServiceArgs,
    output: &Output<'_>,
    coverage: &ReportCoverage<'_>,
    reported: &[IdentityIndex],
    reporter: &mut Reporter<'a>,
    query: &Query<'a>,
) -> anyhow::Result<()> {
    let many = args.whom.all_arns;
    match args.service_namespace.as_deref() {
        Some(namespace) => write_each(output, coverage, many, reported, |one| {
            reporter.entities(one, namespace, query)
        }),
        None => write_each(output, coverage, many, reported, |one| reporter.services(one, query)),
    }
}

fn write_each<R: emit::Report>(
    output: &Output<'_>,
    coverage: &ReportCoverage<'_>,
    many: bool,
    reported: &[IdentityIndex],
    mut report: impl FnMut(IdentityIndex) -> Result<R, RequestError>,
) -> anyhow::Result<()> {
    let mut reported = reported.iter().copied();
    // Only a page is refused, and of many reports there are none.
    let first = reported.next().map(&mut report).transpose().context("--marker")?;
    let others = reported.map(|one| report(one).expect("the first report has not been refused"));
    output.write(coverage, many, &mut first.into_iter().chain(others))
}

/// What the snapshot lacks and the reports need.
pub(in crate::cli) fn problems(accounted: &IdentitiesCoverage<'_>) -> Vec<String> {
    let lacking = accounted.lacking.iter().map(|name| {
        format!(
            "{name}: is attached or joined, but not in the snapshot, so that reports lack services \
             or accesses: collect the snapshot again, whole"
        )
    });
    lacking.collect()
}

/// What makes the report say something else than AWS would, or than the reader may think.
pub(in crate::cli) fn warnings(
    basis: IdentitiesBasis<'_>,
    accounted: &IdentitiesCoverage<'_>,
    now: Time,
    names: Names,
) -> Vec<String> {
    let IdentitiesBasis { coverage, activity, identities, .. } = basis;
    let mut warnings = Vec::new();
    let mut warn = |what: &str, names: String| {
        if !names.is_empty() {
            warnings.push(format!("{what}: {names}"));
        }
    };
    let used_later: Vec<String> = accounted
        .roles_used_later
        .iter()
        .map(|role| match &role.last_event_time {
            Some(logged) => format!("{} {} (logs: {logged})", role.arn, role.last_used_date),
            None => format!("{} {} (logs: never)", role.arn, role.last_used_date),
        })
        .collect();
    warn(
        "logs are missing, or lack data events: the snapshot says that roles were used later than \
         the logs tell",
        names.list(used_later.iter().map(String::as_str)),
    );
    warn(
        "files of the snapshot passed over, which are no replies",
        names.list(identities.passed_over().iter().map(String::as_str)),
    );
    warn(
        "no events of these accounts of the snapshot, so all of their users and roles look unused",
        names.list(accounted.accounts_without_events.iter().copied()),
    );
    warn(
        "accounts that the snapshot has not, in no report",
        names.list(activity.outside.keys().copied()),
    );
    let unknown: Vec<String> = accounted
        .unknown_principals
        .iter()
        .map(|it| match (it.principal_arn, it.principal_id) {
            (Some(arn), Some(id)) => format!("{arn} ({id})"),
            (arn, id) => arn.or(id).unwrap_or(it.account_id).to_owned(),
        })
        .collect();
    warn(
        "users and roles that acted and are not in the snapshot, or only by name, in no report",
        names.list(unknown.iter().map(String::as_str)),
    );
    warn(
        "ids that several users or roles of the snapshot bear, so that accesses follow their ARNs",
        names.list(accounted.shared_ids.iter().copied()),
    );
    warn(
        "younger than the period, so that not used says little yet",
        names.list(accounted.younger_than_period.iter().map(|it| it.arn)),
    );
    if let Some(events) = &accounted.event_names_without_action {
        let events: Vec<String> = events.iter().map(ToString::to_string).collect();
        warn(
            "events that stand for no action, at service level only",
            names.list(events.iter().map(String::as_str)),
        );
    }
    warnings.extend(warn_of_future(coverage, now));
    warnings.extend(names.warn_of_unmapped(&activity.unmapped));
    warnings.extend(names.warn_of_missing(&coverage.missing));
    warnings.extend(names.warn_of_no_data_events(coverage, &activity.outside));
    warnings.extend(names.warn_of_undecided(&accounted.undecided_services));
    warnings
}
