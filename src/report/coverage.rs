//! The coverage of a report: what the ingest accounted for, and what the catalogue and a snapshot
//! make of it. What `--coverage` writes.

mod identities;
mod organization;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::access::Switches;
use crate::catalog::Catalog;
use crate::coverage::{AccountCoverage, Coverage, Missing, MissingHours, Problem, SetAside, Span};
use crate::time::Time;
pub use identities::{IdentitiesBasis, IdentitiesCoverage};
pub use organization::{OrganizationBasis, OrganizationCoverage};

/// The version of this document's members.
const FORMAT_VERSION: u32 = 1;

/// Everything a reader of a report has to know about what it rests on (V1).
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReportCoverage<'a> {
    format_version: u32,
    /// Whether everything that may hold events was read, and every policy that decides which
    /// services the reports list.
    complete: bool,
    period: PeriodCoverage,
    /// Whether the kinds of records counted for which a user may decide it.
    attribution: Switches,
    catalog: CatalogCoverage<'a>,
    #[serde(flatten)]
    snapshot: SnapshotCoverage<'a>,
    sources: SourcesCoverage<'a>,
    bytes: BytesCoverage,
    records: RecordsCoverage,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_event_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_event_time: Option<String>,
    accounts: Vec<AccountRow<'a>>,
    unmapped_event_sources: Vec<UnmappedEventSource<'a>>,
    missing: MissingCoverage<'a>,
    /// Of each account with digests, if only what they prove was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    proven: Option<Vec<ProvenRow<'a>>>,
    problems: Vec<&'a Problem>,
}

/// What became of the accesses in a snapshot; the member's name says of what.
#[derive(Debug, Serialize)]
pub enum SnapshotCoverage<'a> {
    /// Of an organization.
    Organization(OrganizationCoverage<'a>),
    /// Of the users, groups, roles and policies of accounts.
    Identities(IdentitiesCoverage<'a>),
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct PeriodCoverage {
    /// The latest instant that is too early.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    /// The latest instant that counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct CatalogCoverage<'a> {
    version: &'a str,
    date: &'a str,
}

/// An acting account that the snapshot has not.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OutsideAccount<'a> {
    pub(crate) account_id: &'a str,
    events: u64,
    last_event_time: String,
}

/// Returns the rows of acting accounts that a snapshot has not.
fn outside_accounts<'a>(
    outside: &BTreeMap<&'a str, Time>,
    coverage: &Coverage,
) -> Vec<OutsideAccount<'a>> {
    let row = |(account_id, last): (&&'a str, &Time)| OutsideAccount {
        account_id,
        events: coverage.accounts.get(*account_id).map_or(0, |it| it.events),
        last_event_time: last.to_string(),
    };
    outside.iter().map(row).collect()
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct SourcesCoverage<'a> {
    read: u64,
    empty: u64,
    failed: u64,
    set_aside: BTreeMap<String, &'a SetAside>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct BytesCoverage {
    read: u64,
    decompressed: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct RecordsCoverage {
    total: u64,
    counted: u64,
    set_aside: BTreeMap<String, u64>,
    malformed: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct AccountRow<'a> {
    account_id: &'a str,
    events: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_event_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_event_time: Option<String>,
    /// Stretches of days without an event between the first event and the last.
    days_without_events: Vec<Days>,
    regions: Vec<&'a str>,
    /// Whether data events were seen; without them s3, dynamodb, sqs, … look emptier than they are
    /// (P3).
    data_events: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Days {
    first: String,
    last: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct UnmappedEventSource<'a> {
    event_source: &'a str,
    last_event_time: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ProvenRow<'a> {
    account_id: &'a str,
    periods: Vec<ProvenPeriod>,
}

/// A time of which digests prove that everything was read.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ProvenPeriod {
    from: String,
    to: String,
}

impl From<&Span> for ProvenPeriod {
    fn from((from, to): &Span) -> Self {
        Self { from: from.to_string(), to: to.to_string() }
    }
}

fn proven_row<'a>((account_id, spans): (&'a str, Vec<Span>)) -> ProvenRow<'a> {
    ProvenRow { account_id, periods: spans.iter().map(ProvenPeriod::from).collect() }
}

/// What was probably delivered and is not there.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct MissingCoverage<'a> {
    hours: Vec<MissingHoursRow<'a>>,
    log_files: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    digests_unreadable: Option<u64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct MissingHoursRow<'a> {
    account_id: &'a str,
    region: &'a str,
    from: String,
    to: String,
}

impl<'a> MissingCoverage<'a> {
    fn new(missing: &'a Missing) -> Self {
        let Missing { hours, log_files, digests_unreadable } = missing;
        let row = |it: &'a MissingHours| MissingHoursRow {
            account_id: &it.account_id,
            region: &it.region,
            from: it.from.to_string(),
            to: it.to.to_string(),
        };
        Self {
            hours: hours.iter().map(row).collect(),
            log_files,
            digests_unreadable: Some(*digests_unreadable).filter(|count| *count > 0),
        }
    }
}

impl SnapshotCoverage<'_> {
    /// Returns whether every policy is known that decides which services are listed.
    fn is_complete(&self) -> bool {
        match self {
            Self::Organization(_) => true,
            Self::Identities(identities) => identities.is_complete(),
        }
    }
}

impl<'a> ReportCoverage<'a> {
    /// Returns whether everything that may hold events was read, and every policy that decides
    /// which services the reports list.
    pub const fn is_complete(&self) -> bool {
        self.complete
    }

    /// Puts the coverage together; `unmapped` are the event sources of no listed service.
    pub fn new(
        coverage: &'a Coverage,
        catalog: &'a Catalog,
        unmapped: &BTreeMap<&'a str, Time>,
        snapshot: SnapshotCoverage<'a>,
    ) -> Self {
        let records = &coverage.records;
        let sources = &coverage.sources;
        Self {
            format_version: FORMAT_VERSION,
            complete: coverage.is_complete() && snapshot.is_complete(),
            period: PeriodCoverage {
                since: coverage.period.since.map(|time| time.to_string()),
                until: coverage.period.until.map(|time| time.to_string()),
            },
            attribution: coverage.switches,
            catalog: CatalogCoverage { version: catalog.version(), date: catalog.date() },
            snapshot,
            sources: SourcesCoverage {
                read: sources.read,
                empty: sources.empty,
                failed: sources.failed,
                set_aside: sources
                    .set_aside
                    .iter()
                    .map(|(why, it)| (why.to_string(), it))
                    .collect(),
            },
            bytes: BytesCoverage {
                read: coverage.bytes_read,
                decompressed: coverage.bytes_decompressed,
            },
            records: RecordsCoverage {
                total: records.total(),
                counted: records.counted,
                set_aside: records
                    .set_aside
                    .iter()
                    .map(|(why, it)| (why.to_string(), *it))
                    .collect(),
                malformed: records.malformed,
            },
            first_event_time: coverage.first_event().map(|time| time.to_string()),
            last_event_time: coverage.last_event().map(|time| time.to_string()),
            accounts: coverage.accounts.iter().map(|(id, it)| account_row(id, it)).collect(),
            unmapped_event_sources: unmapped
                .iter()
                .map(|(event_source, last)| UnmappedEventSource {
                    event_source,
                    last_event_time: last.to_string(),
                })
                .collect(),
            missing: MissingCoverage::new(&coverage.missing),
            proven: coverage
                .proven
                .as_ref()
                .map(|proven| proven.within(coverage.period).map(proven_row).collect()),
            problems: coverage.problems.iter().collect(),
        }
    }
}

fn account_row<'a>(account_id: &'a str, coverage: &'a AccountCoverage) -> AccountRow<'a> {
    AccountRow {
        account_id,
        events: coverage.events,
        first_event_time: coverage.first.map(|time| time.to_string()),
        last_event_time: coverage.last.map(|time| time.to_string()),
        days_without_events: coverage
            .days_without_events()
            .into_iter()
            .map(|(first, last)| Days { first: first.to_string(), last: last.to_string() })
            .collect(),
        regions: coverage.regions.iter().map(String::as_str).collect(),
        data_events: coverage.data_events,
    }
}
