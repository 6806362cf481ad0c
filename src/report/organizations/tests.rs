//! The rules O on a world small enough to see through.

use super::*;
use crate::access::{Access, Actor, Answer, Principal};
use crate::coverage::{AccountCounts, CoverageByDay};
use crate::ledger::{Journal, Ledger};
use crate::report::coverage::{
    OrganizationBasis, OrganizationCoverage, ReportCoverage, SnapshotCoverage,
};
use crate::time::Time;

const ROOT: &str = "o-exampleorg01/r-ex01";
const UNIT: &str = "o-exampleorg01/r-ex01/ou-ex01-workload";
const INNER: &str = "o-exampleorg01/r-ex01/ou-ex01-workload/ou-ex01-inner001";
const SHOP: &str = "o-exampleorg01/r-ex01/ou-ex01-workload/222222222222";
const LAB: &str = "o-exampleorg01/r-ex01/ou-ex01-workload/ou-ex01-inner001/333333333333";
const MANAGEMENT: &str = "o-exampleorg01/r-ex01/111111111111";

/// A root that allows five services, a unit in a unit, and an account at each place.
fn organization() -> Organization {
    let full = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    let five = r#"{"Statement":{"Effect":"Allow","Resource":"*",
        "Action":["ec2:*","iam:*","s3:*","sqs:*","signin:*"]}}"#;
    let deny = r#"{"Statement":{"Effect":"Deny","Action":"sqs:*","Resource":"*"}}"#;
    let snapshot = serde_json::json!({
        "Organization": {"Id": "o-exampleorg01", "ManagementAccountId": "111111111111"},
        "Roots": [{"Id": "r-ex01", "Name": "Root",
            "PolicyTypes": [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}]}],
        "OrganizationalUnits": [
            {"Id": "ou-ex01-workload", "Name": "Workloads", "ParentId": "r-ex01"},
            {"Id": "ou-ex01-inner001", "Name": "Inner", "ParentId": "ou-ex01-workload"}],
        "Accounts": [
            {"Id": "111111111111", "Name": "m", "Status": "ACTIVE", "ParentId": "r-ex01"},
            {"Id": "222222222222", "Name": "s", "Status": "ACTIVE", "ParentId": "ou-ex01-workload"},
            {"Id": "333333333333", "Name": "l", "Status": "SUSPENDED",
                "ParentId": "ou-ex01-inner001"}],
        "Policies": [
            {"Id": "p-five0000", "Name": "five", "Content": five, "Targets": ["r-ex01"]},
            {"Id": "p-full0000", "Name": "full", "Content": full,
                "Targets": ["ou-ex01-workload", "ou-ex01-inner001", "222222222222",
                    "333333333333", "111111111111"]},
            {"Id": "p-deny0000", "Name": "deny", "Content": deny,
                "Targets": ["ou-ex01-inner001"]},
            {"Id": "p-unused00", "Name": "unused", "Content": five, "Targets": []}],
    });
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), snapshot.to_string()).unwrap();
    Organization::load(file.path()).unwrap()
}

/// An access, and whose it is.
type Acted<'a> = (Actor<'a>, Access<'a>);

fn access<'a>(account: &'a str, service: &'a str, seconds: i64) -> Acted<'a> {
    let access = Access {
        event_source: service.into(),
        event_name: "Do".into(),
        is_data_event: false,
        service_namespace: None,
        time: Time::from_micros(seconds * 1_000_000),
        region: Some("eu-west-1".into()),
        event_id: Some("00000000-0000-0000-0000-000000000007".into()),
        answer: Answer::Success,
    };
    (Actor { account, principal: Principal::default() }, access)
}

fn ledger(accesses: &[Acted<'_>]) -> Ledger {
    let mut journal = Journal::default();
    for (actor, access) in accesses {
        let actor = journal.actor(actor);
        journal.add(actor, access);
    }
    journal.finish()
}

fn ordinary() -> Ledger {
    ledger(&[
        access("111111111111", "s3.amazonaws.com", 900),
        access("222222222222", "s3.amazonaws.com", 100),
        access("333333333333", "s3.amazonaws.com", 200),
        access("333333333333", "sqs.amazonaws.com", 300),
        access("444444444444", "s3.amazonaws.com", 999),
        access("222222222222", "quantumfax.amazonaws.com", 50),
    ])
}

fn query<'a>(entity_path: &'a str, policy_id: Option<&'a str>) -> Query<'a> {
    let date = Time::from_micros(0);
    Query {
        entity_path,
        policy_id,
        attachments: Attachments::default(),
        sort_key: SortKey::default(),
        page: Page::default(),
        unused_iam_region: UnusedIamRegion::default(),
        job: JobDates { creation: date, completion: date },
    }
}

/// Hands the report of `query` over the ordinary accesses to `check`.
fn with_report(
    query: &Query<'_>,
    check: impl FnOnce(Result<OrganizationsReport<'_>, RequestError>),
) {
    let (ledger, organization) = (ordinary(), organization());
    let catalog = Catalog::embedded();
    let activity = Activity::new(&ledger, &organization, catalog);
    check(Reporter::new(&activity, &organization, catalog).report(&query.clone()));
}

/// Returns namespace, accounts and account of the latest attempt of every row.
fn rows(query: &Query<'_>) -> Vec<(String, u64, Option<String>)> {
    let mut rows = Vec::new();
    with_report(query, |report| {
        let report = report.unwrap().outcome.unwrap();
        rows = report
            .access_details
            .iter()
            .map(|row| {
                let account = row.attempts.and_then(|it| it.latest.entity.rsplit('/').next());
                let accounts = row.total_authenticated_entities;
                (row.service_namespace.to_owned(), accounts, account.map(str::to_owned))
            })
            .collect();
    });
    rows
}

fn row(namespace: &str, accounts: u64, account: Option<&str>) -> (String, u64, Option<String>) {
    (namespace.to_owned(), accounts, account.map(str::to_owned))
}

#[test]
fn o1_the_list_is_that_of_the_entitys_own_chain() {
    // The inner unit denies sqs; its parents list it all the same, with the attempt from below.
    let expected = [
        row("ec2", 0, None),
        row("iam", 0, None),
        row("s3", 2, Some("333333333333")),
        row("signin", 0, None),
        row("sqs", 1, Some("333333333333")),
    ];
    assert_eq!(rows(&query(ROOT, None)), expected);
    assert_eq!(rows(&query(UNIT, None)), expected);
    let inner: Vec<String> = rows(&query(INNER, None)).into_iter().map(|row| row.0).collect();
    assert_eq!(inner, ["ec2", "iam", "s3", "signin"]);
}

#[test]
fn o1_the_management_account_lists_every_service_and_ignores_a_policy() {
    let every = Catalog::embedded().listed().len();
    for policy in [None, Some("p-deny0000"), Some("p-nosuchpolicy")] {
        let rows = rows(&query(MANAGEMENT, policy));
        assert_eq!(rows.len(), every);
        assert!(rows.contains(&row("s3", 1, Some("111111111111"))));
    }
}

#[test]
fn o2_a_policy_brings_in_accounts_under_targets_at_or_below_the_entity() {
    let s3 = |query: &Query<'_>| rows(query).into_iter().find(|row| row.0 == "s3").unwrap();
    assert_eq!(s3(&query(ROOT, Some("p-five0000"))), row("s3", 2, Some("333333333333")));
    assert_eq!(s3(&query(UNIT, Some("p-five0000"))), row("s3", 0, None));
    assert_eq!(s3(&query(SHOP, Some("p-full0000"))), row("s3", 1, Some("222222222222")));
    assert_eq!(s3(&query(ROOT, Some("p-unused00"))), row("s3", 0, None));
    let above = Query { attachments: Attachments::AlsoAbove, ..query(UNIT, Some("p-five0000")) };
    assert_eq!(s3(&above), row("s3", 2, Some("333333333333")));
}

#[test]
fn o3_a_policy_that_only_denies_lists_no_service() {
    assert_eq!(rows(&query(INNER, Some("p-deny0000"))), []);
}

#[test]
fn p1_o4_an_account_with_a_denied_attempt_alone_is_counted() {
    let (actor, attempt) = access("333333333333", "s3.amazonaws.com", 5);
    let ledger = ledger(&[(actor, Access { answer: Answer::Denied, ..attempt })]);
    let organization = organization();
    let activity = Activity::new(&ledger, &organization, Catalog::embedded());
    let mut reporter = Reporter::new(&activity, &organization, Catalog::embedded());
    let report = reporter.report(&query(LAB, None)).unwrap().outcome.unwrap();
    let s3 = report.access_details.iter().find(|row| row.service_namespace == "s3").unwrap();
    assert_eq!(s3.total_authenticated_entities, 1);
    assert_eq!(s3.attempts.unwrap().latest.entity, LAB);
    let attempts = s3.attempts.unwrap();
    assert_eq!((attempts.success, attempts.denial), (None, Some(attempts.latest)));
}

#[test]
fn p5_every_region_counts_and_that_of_the_latest_attempt_is_shown() {
    let (actor, later) = access("222222222222", "s3.amazonaws.com", 101);
    let elsewhere = (actor, Access { region: Some("xx-nowhere-9".into()), ..later });
    let ledger = ledger(&[access("222222222222", "s3.amazonaws.com", 100), elsewhere]);
    let organization = organization();
    let activity = Activity::new(&ledger, &organization, Catalog::embedded());
    let mut reporter = Reporter::new(&activity, &organization, Catalog::embedded());
    let report = reporter.report(&query(SHOP, None)).unwrap().outcome.unwrap();
    let s3 = report.access_details.iter().find(|row| row.service_namespace == "s3").unwrap();
    assert_eq!(s3.region, Some("xx-nowhere-9"));
}

#[test]
fn o5_o13_an_unused_row_has_a_region_only_where_it_was_asked_for_and_only_for_iam() {
    for (unused_iam_region, expected) in
        [(UnusedIamRegion::Absent, None), (UnusedIamRegion::UsEast1, Some("us-east-1"))]
    {
        with_report(&Query { unused_iam_region, ..query(ROOT, None) }, |report| {
            for row in report.unwrap().outcome.unwrap().access_details {
                if row.attempts.is_none() {
                    let expected = expected.filter(|_| row.service_namespace == "iam");
                    assert_eq!(row.region, expected, "{}", row.service_namespace);
                }
            }
        });
    }
}

#[test]
fn o6_the_counts_are_those_of_the_whole_report_on_every_page() {
    let first = Query {
        page: Page { max_items: Some(2), marker: None, job_id: None },
        ..query(ROOT, None)
    };
    with_report(&first, |report| {
        let report = report.unwrap().outcome.unwrap();
        assert_eq!((report.services_accessible, report.services_not_accessed), (5, 3));
        assert_eq!(report.access_details.len(), 2);
        let marker = report.marker.unwrap();
        let page = Page { max_items: Some(2), marker: Some(&marker), job_id: None };
        with_report(&Query { page, ..query(ROOT, None) }, |report| {
            let report = report.unwrap().outcome.unwrap();
            assert_eq!((report.services_accessible, report.services_not_accessed), (5, 3));
            assert_eq!(report.access_details.first().unwrap().service_namespace, "s3");
        });
        let other = Query { page, ..query(UNIT, None) };
        with_report(&other, |report| assert_eq!(report.unwrap_err().code, "InvalidInput"));
        let sort_key = SortKey::LastAuthenticatedTimeAscending;
        let other = Query { page, sort_key, ..query(ROOT, None) };
        with_report(&other, |report| assert_eq!(report.unwrap_err().code, "InvalidInput"));
    });
}

#[test]
fn o10_what_does_not_exist_fails_as_a_job() {
    let nowhere = "o-exampleorg01/r-ex01/ou-ex01-nowhere0";
    with_report(&query(nowhere, None), |report| {
        let error = report.unwrap().outcome.unwrap_err();
        assert_eq!(error.code, "INVALID_ORGANIZATIONS_ENTITY_PATH");
    });
    with_report(&query(ROOT, Some("p-nosuchpolicy")), |report| {
        assert_eq!(report.unwrap().outcome.unwrap_err().code, "INVALID_ORGANIZATIONS_POLICY");
    });
}

#[test]
fn o10_o11_what_fails_a_pattern_or_is_of_another_organization_is_refused_at_once() {
    let long = format!("{ROOT}/{}", "a".repeat(427));
    for (path, policy, code) in [
        ("o-exampleorg02/r-ex01", None, "AccessDenied"),
        ("o-exampleorg01", None, "ValidationError"),
        ("o-exampleorg01/r-ex0", None, "ValidationError"),
        ("o-EXAMPLEORG01/r-ex01", None, "ValidationError"),
        ("r-ex01/o-exampleorg01", None, "ValidationError"),
        ("o-exampleorg01/r-ex01/ou ex01", None, "ValidationError"),
        (long.as_str(), None, "ValidationError"),
        (ROOT, Some("five0000"), "ValidationError"),
        (ROOT, Some("p-five"), "ValidationError"),
        (ROOT, Some("p-five-000"), "ValidationError"),
    ] {
        with_report(&query(path, policy), |report| {
            assert_eq!(report.unwrap_err().code, code, "{path} {policy:?}");
        });
    }
}

#[test]
fn o11_a_trailing_slash_is_accepted_and_dropped() {
    let slashed = format!("{UNIT}/");
    with_report(&query(&slashed, None), |report| {
        let report = report.unwrap();
        assert_eq!(report.entity_path, UNIT);
        assert!(report.outcome.is_ok());
    });
}

#[test]
fn a9_a23_o14_what_has_no_place_in_the_tree_is_in_no_report_and_named() {
    let (ledger, organization) = (ordinary(), organization());
    let activity = Activity::new(&ledger, &organization, Catalog::embedded());
    let seconds = |time: &Time| time.seconds();
    let outside: Vec<_> = activity.outside.iter().map(|(id, at)| (*id, seconds(at))).collect();
    assert_eq!(outside, [("444444444444", 999)]);
    let unmapped: Vec<_> = activity.unmapped.iter().map(|(id, at)| (*id, seconds(at))).collect();
    assert_eq!(unmapped, [("quantumfax.amazonaws.com", 50)]);
    // The suspended account is in the tree, and counts.
    assert!(rows(&query(LAB, None)).contains(&row("s3", 1, Some("333333333333"))));
}

#[test]
fn p3_the_coverage_says_of_each_account_whether_data_events_were_seen() {
    let mut coverage = Coverage::default();
    let mut counts = AccountCounts::default();
    for (account, is_data_event) in [("222222222222", false), ("333333333333", true)] {
        let (_, access) = access(account, "s3.amazonaws.com", 100);
        let account = counts.number(account);
        counts.count(account, &Access { is_data_event, ..access });
    }
    let mut counted = CoverageByDay::default();
    counts.take(&mut counted);
    coverage.merge(counted.totals);
    let (ledger, organization) = (ordinary(), organization());
    let catalog = Catalog::embedded();
    let activity = Activity::new(&ledger, &organization, catalog);
    let basis = OrganizationBasis {
        coverage: &coverage,
        activity: &activity,
        organization: &organization,
        catalog,
    };
    let snapshot = OrganizationCoverage::new(basis, std::iter::empty());
    let snapshot = SnapshotCoverage::Organization(snapshot);
    let json = ReportCoverage::new(&coverage, catalog, &activity.unmapped, snapshot);
    let json = serde_json::to_value(json).unwrap();
    assert_eq!(json["Accounts"][0]["DataEvents"], false);
    assert_eq!(json["Accounts"][1]["DataEvents"], true);
}

#[test]
fn without_a_snapshot_every_service_is_listed_for_the_accounts_seen() {
    let ledger = ordinary();
    let organization = Organization::flat(ledger.accounts());
    let activity = Activity::new(&ledger, &organization, Catalog::embedded());
    let mut reporter = Reporter::new(&activity, &organization, Catalog::embedded());
    let report = reporter.report(&query("o-0000000000/r-0000", None)).unwrap().outcome.unwrap();
    assert_eq!(report.services_accessible, Catalog::embedded().listed().len());
    let s3 = report.access_details.iter().find(|row| row.service_namespace == "s3").unwrap();
    assert_eq!(s3.total_authenticated_entities, 4);
    assert_eq!(s3.attempts.unwrap().latest.entity, "o-0000000000/r-0000/444444444444");
}
