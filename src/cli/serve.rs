//! `trailfold serve`.

use std::collections::BTreeSet;

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use chrono::TimeDelta;
use serde::Serialize;

use super::args::ServeArgs;
use super::inputs::of_report;
use super::output::Destination;
use super::period::asked;
use super::report::reading::{Read, read};
use super::report::{organizations as of_organization, service as of_identities};
use super::summary::{Names, Summary};
use super::{Exit, complain, interrupt, now, system_time};
use crate::catalog::{Catalog, ServiceIndex};
use crate::identities::Identities;
use crate::organization::Organization;
use crate::report::coverage::{
    IdentitiesBasis, IdentitiesCoverage, OrganizationBasis, OrganizationCoverage, ReportCoverage,
    SnapshotCoverage,
};
use crate::report::organizations::{Activity, Attachments, Reporter, UnusedIamRegion};
use crate::report::service::{self, Granularity};
use crate::rollup::Attempts;
use crate::serve::{
    Choices, Credentials, Desk, Exchange, Facts, Forward, Jobs, Opened, Options, Server, Store,
};
use crate::time::Time;

/// `trailfold serve`: exit code 0 or 1 when it was asked to end.
pub(super) fn run(args: &ServeArgs) -> anyhow::Result<Exit> {
    // What is wrong with the arguments should not cost an hour of reading logs first.
    let options = options(args)?;
    let choices = choices(args)?;
    let period = asked(&args.input)?;
    let coverage_file = args.coverage.as_deref().map(|path| Destination::new(Some(path)));
    coverage_file.map_or(Ok(()), Destination::probe)?;
    let catalog = args.input.catalog.as_deref().map(Catalog::load).transpose()?;
    let catalog = catalog.as_ref().unwrap_or_else(|| Catalog::embedded());
    let snapshot = args.organization.as_deref().map(Organization::load).transpose()?;
    let identities = args.identities.as_deref().map(Identities::load).transpose()?;
    let jobs = jobs(args)?;
    let server = listen(args)?;
    let given = of_report(&args.input)?;
    coverage_file.map_or(Ok(()), |file| file.refuse_inputs(&given.found))?;
    let Read { ledger, coverage, origins } =
        read(&args.input, given, period, Attempts::All, &args.verbosity)?;
    let organization = snapshot.unwrap_or_else(|| Organization::flat(ledger.accounts()));
    let accounts = Activity::new(&ledger, &organization, catalog);
    let activity = identities.as_ref().map(|identities| {
        service::Activity::new(&ledger, identities, catalog, Granularity::ActionLevel)
    });
    let mut facts = Facts {
        catalog,
        coverage: &coverage,
        organization: &organization,
        accounts: &accounts,
        identities: identities.as_ref().zip(activity.as_ref()),
        notes: Vec::new(),
    };
    if coverage.records.counted > 0 && !args.input.allow_empty {
        refuse_foreign(&facts)?;
    }
    let accounted = Accounted::new(&facts, Names { verbose: args.verbosity.verbose })?;
    if let Some(file) = coverage_file {
        let mut json = serde_json::to_string_pretty(&accounted.documents).context("coverage")?;
        json.push('\n');
        file.write(|out| Ok(out.write_all(json.as_bytes())?))?;
    }
    let Accounted { documents, warnings, problems } = accounted;
    let is_complete = documents.are_complete();
    facts.notes.extend(coverage.problems.iter().map(ToString::to_string));
    facts.notes.extend(problems.iter().chain(&warnings).cloned());
    let summary = Summary {
        coverage: &coverage,
        origins,
        outside: accounts.outside.len(),
        of: "organization",
        problems,
        warnings,
        verbose: args.verbosity.verbose,
    };
    summary.print(args.verbosity.quiet);
    let mut desk = Desk::new(&facts, jobs, choices);
    answer(args, server, options, &mut desk)?;
    Ok(if is_complete { Exit::Complete } else { Exit::Incomplete })
}

/// Says where, and answers until somebody asks for an end.
fn answer(
    args: &ServeArgs,
    server: Server,
    options: Options,
    desk: &mut Desk<'_>,
) -> anyhow::Result<()> {
    let address = server.address()?;
    let is_open = options.credentials.is_none();
    interrupt::traces().server = Some(server.stopper());
    let running = server.start(options).context("cannot serve")?;
    Destination::Stdout.write(|out| Ok(writeln!(out, "http://{address}")?))?;
    if !args.verbosity.quiet {
        complain(&format!("listening on http://{address}"));
        if is_open {
            complain(
                "warning: no signatures are asked for (--credentials): whoever reaches this address \
                 reads the reports",
            );
        }
    }
    // Where the time is set from outside, it goes on from there: jobs have to grow old.
    let shift = now()?.micros() - system_time().micros();
    let clock = || Time::from_micros(system_time().micros() + shift);
    running.answer(desk, clock);
    Ok(())
}

fn options(args: &ServeArgs) -> anyhow::Result<Options> {
    let credentials = args.credentials.as_deref().map(credentials).transpose()?;
    let forward = args.forward.as_deref().map(Forward::new).transpose().context("--forward")?;
    let tell = |exchange: &Exchange<'_>| {
        let Exchange { peer, method, what, status, code, took } = exchange;
        let code = code.map(|code| format!(" {code}")).unwrap_or_default();
        let millis = took.as_secs_f64() * 1e3;
        complain(&format!("{peer} {method} {what} {status}{code} {millis:.1} ms"));
    };
    Ok(Options {
        credentials,
        forward,
        hosts: args.allow_host.clone(),
        clock: system_time,
        observer: args.verbosity.verbose.then(|| Box::new(tell) as _),
    })
}

fn credentials(path: &Path) -> anyhow::Result<Credentials> {
    let name = || format!("--credentials: {}", path.display());
    let text = std::fs::read_to_string(path).with_context(name)?;
    Credentials::read(&text).with_context(name)
}

fn choices(args: &ServeArgs) -> anyhow::Result<Choices> {
    Ok(Choices {
        attachments: if args.policy_attached_above {
            Attachments::AlsoAbove
        } else {
            Attachments::AtOrBelow
        },
        unused_iam_region: if args.unused_iam_region {
            UnusedIamRegion::UsEast1
        } else {
            UnusedIamRegion::Absent
        },
        job_time: match job_time(&args.job_time) {
            Some(length) => length,
            None => bail!("--job-time: `{}` is no length such as 500ms, 5s or 1m", args.job_time),
        },
        allow_empty: args.input.allow_empty,
    })
}

/// Reads `500ms`, `5s`, `1m`.
fn job_time(text: &str) -> Option<TimeDelta> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let number: i64 = number.parse().ok()?;
    match unit {
        "ms" => TimeDelta::try_milliseconds(number),
        "s" => TimeDelta::try_seconds(number),
        "m" => TimeDelta::try_minutes(number),
        _ => None,
    }
}

fn jobs(args: &ServeArgs) -> anyhow::Result<Jobs> {
    let Some(directory) = &args.state else { return Ok(Jobs::default()) };
    let Opened { store, jobs, set_aside } = Store::open(directory).context("--state")?;
    if !args.verbosity.quiet {
        for reason in set_aside {
            complain(&format!("warning: no job, passed over: {reason}"));
        }
    }
    Ok(Jobs::stored(store, jobs))
}

fn listen(args: &ServeArgs) -> anyhow::Result<Server> {
    let asked = args.listen.as_str();
    let addresses: Vec<SocketAddr> = asked
        .to_socket_addrs()
        .with_context(|| format!("--listen: `{asked}` is no ADDRESS:PORT such as 127.0.0.1:8080"))?
        .collect();
    let Some(address) = addresses.first() else {
        bail!("--listen: `{asked}` is no address of this machine");
    };
    if !address.ip().is_loopback() && !args.allow_remote {
        bail!(
            "--listen: `{asked}` can be reached from other machines: --allow-remote says that this is \
             meant{}",
            if args.credentials.is_some() {
                ""
            } else {
                ", and --credentials lets only some read the reports"
            }
        );
    }
    Server::listen(*address).with_context(|| format!("--listen: `{asked}`"))
}

/// Reports that hold none of the accesses read as "revoke everything" (V2).
fn refuse_foreign(facts: &Facts<'_>) -> anyhow::Result<()> {
    let Facts { accounts, organization, coverage, identities, .. } = facts;
    if accounts.is_empty() {
        of_organization::refuse_foreign(accounts, organization, coverage)
            .context("--organization")?;
    }
    if let Some((identities, activity)) = identities {
        of_identities::refuse_foreign(activity, identities, coverage).context("--identities")?;
    }
    Ok(())
}

/// The coverage of each kind of report.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Documents<'a> {
    organizations: ReportCoverage<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    services: Option<ReportCoverage<'a>>,
}

impl Documents<'_> {
    fn are_complete(&self) -> bool {
        self.organizations.is_complete()
            && self.services.as_ref().is_none_or(ReportCoverage::is_complete)
    }
}

/// What became of everything that was read.
struct Accounted<'a> {
    documents: Documents<'a>,
    warnings: Vec<String>,
    problems: Vec<String>,
}

impl<'a> Accounted<'a> {
    fn new(facts: &Facts<'a>, names: Names) -> anyhow::Result<Self> {
        let Facts { catalog, coverage, organization, accounts, .. } = *facts;
        let basis = OrganizationBasis { coverage, activity: accounts, organization, catalog };
        let mut reporter = Reporter::new(accounts, organization, catalog);
        let undecided: BTreeSet<ServiceIndex> = organization
            .entities()
            .flat_map(|(entity, _)| reporter.undecided_of_chain(entity))
            .collect();
        let now = now()?;
        let mut warnings = of_organization::warnings(basis, &undecided, now, names);
        let snapshot = OrganizationCoverage::new(basis, undecided.iter().copied());
        let snapshot = SnapshotCoverage::Organization(snapshot);
        let organizations = ReportCoverage::new(coverage, catalog, &accounts.unmapped, snapshot);
        let mut problems = Vec::new();
        let services = facts.identities.map(|(identities, activity)| {
            let start = facts.start();
            let basis = IdentitiesBasis { coverage, activity, identities, catalog, start };
            let reported: Vec<_> = identities.identities().map(|(index, _)| index).collect();
            let mut reporter = service::Reporter::new(activity, identities, catalog, start);
            let undecided: BTreeSet<ServiceIndex> = reported
                .iter()
                .flat_map(|identity| reporter.undecided(*identity, Granularity::ServiceLevel))
                .collect();
            let snapshot = IdentitiesCoverage::new(basis, &reported, undecided.iter().copied());
            problems.extend(of_identities::problems(&snapshot));
            let more = of_identities::warnings(basis, &snapshot, now, names);
            warnings.extend(more);
            let snapshot = SnapshotCoverage::Identities(snapshot);
            ReportCoverage::new(coverage, catalog, &activity.unmapped, snapshot)
        });
        let mut known = BTreeSet::new();
        warnings.retain(|warning| known.insert(warning.clone()));
        Ok(Self { documents: Documents { organizations, services }, warnings, problems })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_takes_milliseconds_seconds_or_minutes() {
        assert_eq!(job_time("500ms"), Some(TimeDelta::milliseconds(500)));
        assert_eq!(job_time("0s"), Some(TimeDelta::zero()));
        assert_eq!(job_time("2m"), Some(TimeDelta::minutes(2)));
        for text in ["", "5", "s", "-1s", "1.5s", "5 s", "99999999999999999999s", "é"] {
            assert_eq!(job_time(text), None, "{text}");
        }
    }
}
