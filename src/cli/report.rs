//! `trailfold report`.

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::ValueEnum as _;

use super::args::{InputArgs, Kind, OrganizationsArgs, OutputArgs};
use super::output::{Destination, publish};
use super::period::{Asked, asked};
use super::progress::Display;
use super::summary::Summary;
use super::{Exit, now};
use crate::access::{Choice, Skip, Switches};
use crate::catalog::Catalog;
use crate::coverage::Coverage;
use crate::emit::{self, Format, Layout};
use crate::ingest::{self, Options};
use crate::ledger::Ledger;
use crate::organization::{EntityIndex, Organization};
use crate::report::JobDates;
use crate::report::coverage::{Basis, ReportCoverage};
use crate::report::organizations::{
    Activity, Attachments, OrganizationsReport, Query, Reporter, UnusedIamRegion,
};
use crate::report::page::{Page, SortKey};
use crate::source::{Found, Input, Source};
use crate::time::{Period, Time};

/// `trailfold report organizations`.
pub(super) fn organizations(args: &OrganizationsArgs) -> anyhow::Result<Exit> {
    let creation = now()?;
    let output = Output::new(&args.output)?;
    let period = asked(&args.input)?;
    let catalog = args.input.catalog.as_deref().map(Catalog::load).transpose()?;
    let catalog = catalog.as_ref().unwrap_or_else(|| Catalog::embedded());
    // A snapshot that cannot be read should not cost an hour of reading logs first.
    let snapshot = args.organization.as_deref().map(Organization::load).transpose()?;
    refuse_query(args, snapshot.as_ref())?;
    let found = ingest::find(&args.input.inputs, threads(&args.input))?;
    output.refuse_inputs(&found, args)?;
    let (ledger, coverage) = read(&args.input, &found, period, args.output.quiet)?;
    let organization = match snapshot {
        Some(organization) => organization,
        None => Organization::flat(ledger.accounts()),
    };
    let activity = Activity::new(&ledger, &organization, catalog);
    if activity.is_empty() && coverage.records.counted > 0 && !args.input.allow_empty {
        refuse_foreign(&activity, &organization, &coverage)?;
    }
    let basis =
        Basis { coverage: &coverage, activity: &activity, organization: &organization, catalog };
    let mut reporter = Reporter::new(&activity, &organization, catalog);
    let query = query(args, &organization, creation)?;
    let report = Reports::new(args, &mut reporter, &query, &organization)?;
    let is_failed = report.is_failed(&query, &organization);
    let undecided = report.undecided(&mut reporter, &query);
    let accounted = ReportCoverage::new(basis, undecided.iter().copied());
    output.write(&accounted, report, &mut reporter, &query)?;
    let verbose = args.output.verbose;
    let summary = Summary { basis, undecided: &undecided, now: creation, verbose };
    summary.print(args.output.quiet);
    Ok(match (is_failed, coverage.is_complete()) {
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

/// Returns how many threads search and read.
fn threads(args: &InputArgs) -> NonZeroUsize {
    let available = || std::thread::available_parallelism().ok();
    args.threads.or_else(available).unwrap_or(NonZeroUsize::MIN)
}

/// Reads everything that was found.
fn read(
    args: &InputArgs,
    found: &Found,
    asked: Asked,
    quiet: bool,
) -> anyhow::Result<(Ledger, Coverage)> {
    let display = Display::new(&found.sources, quiet);
    let threads = threads(args);
    let switches = switches(args)?;
    let fold = |period| {
        ingest::fold(
            found,
            &Options { period, switches, threads, progress: &|step| display.step(step) },
        )
    };
    let folded = match asked {
        Asked::Fixed(period) => fold(period)?,
        Asked::UpToNewest(length) => {
            let all = fold(Period::default())?;
            match all.1.last_event() {
                Some(newest) => up_to_newest(all, Period::ending(newest, length), found, fold)?,
                None => all,
            }
        }
    };
    display.finish();
    if folded.1.records.counted == 0 && !args.allow_empty {
        refuse_empty(found, &folded.1)?;
    }
    Ok(folded)
}

/// Folds again, with the period that only the newest event told, unless it takes in everything.
fn up_to_newest(
    all: (Ledger, Coverage),
    period: Period,
    found: &Found,
    fold: impl Fn(Period) -> Result<(Ledger, Coverage), ingest::IngestError>,
) -> anyhow::Result<(Ledger, Coverage)> {
    let (ledger, mut coverage) = all;
    if coverage.first_event().is_none_or(|first| period.contains(first)) {
        coverage.period = period;
        return Ok((ledger, coverage));
    }
    // A pipe that was read to its end looks empty, or keeps its reader waiting.
    if let Some(pipe) = found.sources.iter().find(|source| source.size.is_none()) {
        bail!(
            "--tracking-period: {} cannot be read a second time, for the period up to the newest \
             event: give --until too, or the logs as files",
            pipe.name()
        );
    }
    Ok(fold(period)?)
}

/// A report that holds none of the accesses reads as "revoke everything", too (V2).
fn refuse_foreign(
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
    bail!(
        "no access belongs into a report: {}: is it the snapshot of these logs? (--allow-empty \
         writes an empty report)",
        because.join("; ")
    )
}

/// An empty report reads as "revoke everything" (V2).
fn refuse_empty(found: &Found, coverage: &Coverage) -> anyhow::Result<()> {
    let mut because = Vec::new();
    let records = &coverage.records;
    if records.total() > 0 {
        let mut reasons: Vec<_> = records.set_aside.iter().collect();
        reasons.sort_by_key(|(reason, count)| (std::cmp::Reverse(**count), **reason));
        let mut reasons: Vec<String> =
            reasons.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
        if records.malformed > 0 {
            reasons.push(format!("{} malformed", records.malformed));
        }
        because.push(format!("no record of {} counts: {}", records.total(), reasons.join(", ")));
        let Period { since, until } = coverage.period;
        if records.set_aside.contains_key(&Skip::OutsidePeriod) {
            let since = since.map(|since| format!(" after {since}"));
            let until = until.map(|until| format!(" up to {until}"));
            let bounds = [since, until].into_iter().flatten().collect::<String>();
            because.push(format!("the period is{bounds}"));
        }
    } else if coverage.problems.is_empty() {
        let set_aside = &coverage.sources.set_aside;
        match (coverage.sources.empty, found.sources.as_slice()) {
            (0, _) if set_aside.is_empty() => because.push("there is no file to read".to_owned()),
            (0, _) => {}
            (1, [source]) => because.push(format!("{} holds no record", source.name())),
            (1, _) => because.push("1 file holds no record".to_owned()),
            (files, _) => because.push(format!("{files} files hold no record")),
        }
        because.extend(set_aside.iter().map(|(reason, it)| {
            format!("{} set aside as {reason}, the first: {}", it.count, it.first)
        }));
    }
    let mut problems = coverage.problems.iter();
    match (problems.next(), problems.len()) {
        (Some(problem), 0) => because.push(problem.to_string()),
        (Some(first), more) => because.push(format!("{} problems, the first: {first}", more + 1)),
        // What could not be read has to be seen to first.
        (None, _) => {
            let because = because.join("; ");
            bail!("no access was read: {because} (--allow-empty writes an empty report)");
        }
    }
    bail!("no access was read: {}", because.join("; "))
}

fn switches(args: &InputArgs) -> anyhow::Result<Switches> {
    if let Some(kind) = args.count.iter().find(|kind| args.set_aside.contains(kind)) {
        let name = kind.to_possible_value().map(|value| value.get_name().to_owned());
        bail!("--count and --set-aside: `{}` is named by both", name.unwrap_or_default());
    }
    let mut switches = Switches::default();
    let chosen = args.count.iter().map(|kind| (*kind, Choice::Count));
    for (kind, choice) in chosen.chain(args.set_aside.iter().map(|it| (*it, Choice::SetAside))) {
        *match kind {
            Kind::RootServiceCalls => &mut switches.root_service_calls,
            Kind::ForwardAccess => &mut switches.forward_access,
            Kind::ServiceLinkedRoles => &mut switches.service_linked_roles,
            Kind::ConsoleActions => &mut switches.console_actions,
            Kind::ConsoleSignIns => &mut switches.console_sign_ins,
        } = choice;
    }
    Ok(switches)
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
        page: Page { max_items: args.max_items, marker: args.marker.as_deref() },
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

    /// Returns the services that are listed only because their policies could not be decided.
    fn undecided(
        &self,
        reporter: &mut Reporter<'a>,
        query: &Query<'a>,
    ) -> Vec<crate::catalog::ServiceIndex> {
        let entities: &[EntityIndex] = match self {
            Self::One(_, entity) => entity.as_slice(),
            Self::Many(entities) => entities,
        };
        let mut undecided = Vec::new();
        for entity in entities {
            undecided.extend(reporter.undecided(*entity, query));
        }
        undecided.sort_unstable();
        undecided.dedup();
        undecided
    }
}

/// Where the report and its coverage go, and in what form.
struct Output<'a> {
    args: &'a OutputArgs,
    format: Format,
    report: Destination<'a>,
    coverage: Option<Destination<'a>>,
}

impl<'a> Output<'a> {
    fn new(args: &'a OutputArgs) -> anyhow::Result<Self> {
        let format = Format::ALL.into_iter().find(|format| format.name() == args.format);
        let format = format.unwrap_or(Format::Json);
        let report = Destination::new(args.output.as_deref());
        let coverage = args.coverage.as_deref().map(|path| Destination::new(Some(path)));
        let is_binary = matches!(format, Format::Arrow | Format::ArrowStream | Format::Parquet);
        if is_binary && report.is_terminal() {
            bail!(
                "--format {}: not for a terminal: write it to a file with --output, or pipe it",
                args.format
            );
        }
        if coverage.is_some_and(|coverage| coverage.is_same_as(report)) {
            bail!("--coverage: names the place of the report: give each a place of its own");
        }
        report.probe()?;
        coverage.map_or(Ok(()), Destination::probe)?;
        Ok(Self { args, format, report, coverage })
    }

    /// Refuses to replace a file that the report is made from.
    fn refuse_inputs(&self, found: &Found, args: &OrganizationsArgs) -> anyhow::Result<()> {
        for file in
            [Some(self.report), self.coverage].into_iter().flatten().filter_map(|it| it.file())
        {
            let Ok(size) = file.metadata().map(|metadata| metadata.len()) else { continue };
            let is_replaced = |path: &Path| path.canonicalize().is_ok_and(|path| path == file);
            // Of many inputs few have the size, and only those are looked at.
            let is_input = |source: &Source| {
                source.size == Some(size)
                    && matches!(&source.input, Input::File(path) if is_replaced(&path.to_path_buf()))
            };
            let of_snapshot =
                |path: &PathBuf| path.canonicalize().is_ok_and(|path| file.starts_with(path));
            if found.sources.iter().any(is_input) {
                bail!("{}: is one of the inputs: write to another file", file.display());
            }
            if [&args.organization, &args.input.catalog].into_iter().flatten().any(of_snapshot) {
                bail!(
                    "{}: belongs to what the report is made from: write to another file",
                    file.display()
                );
            }
        }
        Ok(())
    }

    /// Writes the report and the coverage; files of both appear together, when both are whole.
    fn write<'r>(
        &self,
        coverage: &ReportCoverage<'_>,
        reports: Reports<'r>,
        reporter: &mut Reporter<'r>,
        query: &Query<'r>,
    ) -> anyhow::Result<()> {
        let mut json = serde_json::to_string_pretty(coverage).context("coverage")?;
        json.push('\n');
        let write_json = |out: &mut dyn Write| Ok(out.write_all(json.as_bytes())?);
        let staged_coverage = self.coverage.map(|it| it.stage(write_json)).transpose()?;
        let layout = Layout {
            details: self.args.details,
            many: matches!(reports, Reports::Many(_)),
            metadata: vec![
                ("trailfold.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
                ("trailfold.coverage".to_owned(), serde_json::to_string(coverage)?),
            ],
            width: self.report.is_terminal().then(terminal_width).flatten(),
        };
        let staged_report = self.report.stage(|out| {
            let mut reports: Box<dyn Iterator<Item = OrganizationsReport<'r>>> = match reports {
                Reports::One(report, _) => Box::new(std::iter::once(*report)),
                Reports::Many(entities) => Box::new(entities.into_iter().map(|entity| {
                    let report = reporter.report_of(entity, query);
                    report.expect("only a page is refused, and the arguments allow none")
                })),
            };
            Ok(emit::write(self.format, &layout, &mut reports, out)?)
        })?;
        publish([Some(staged_report), staged_coverage].into_iter().flatten())
    }
}

/// Returns the columns of the terminal.
fn terminal_width() -> Option<u16> {
    terminal_size::terminal_size().map(|(width, _)| width.0)
}
