//! Other programs read what trailfold writes: pyarrow, polars and DuckDB the columns, botocore the
//! reply. The scripts in `tests/clients` say what they must find.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use trailfold::emit::{Format, Layout, Report, write};
use trailfold::report::attempt::{Attempt, Attempts, EventId};
use trailfold::report::organizations::{AccessDetail, AccessReport, OrganizationsReport};
use trailfold::report::service::{
    EntitiesReport, EntityDetails, Granularity, ServiceLastAccessed, ServiceReport, Subject,
    TrackedActionLastAccessed,
};
use trailfold::report::{ErrorDetails, JobDates};
use trailfold::time::Time;

use crate::python::python;

const ROOT: &str = "o-exampleorg01/r-ex01";
const ACCOUNT: &str = "o-exampleorg01/r-ex01/ou-ex01-workloads/111122223333";

/// Runs a script of `tests/clients` on a directory; it must say `OK`.
fn run(script: &str, directory: &Path) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(script);
    let output = Command::new(python()).arg("-B").arg(path).arg(directory).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {said}{complained}");
    assert_eq!(said.lines().last(), Some("OK"), "{script}: {said}{complained}");
}

fn at(text: &str) -> Time {
    Time::parse(text.as_bytes()).unwrap()
}

fn job() -> JobDates {
    JobDates {
        creation: at("2026-06-18T19:47:31.187Z"),
        completion: at("2026-06-18T19:47:35.547Z"),
    }
}

fn report<'a>(
    entity_path: &'a str,
    access_details: Vec<AccessDetail<'a>>,
) -> OrganizationsReport<'a> {
    let unused = access_details.iter().filter(|row| row.attempts.is_none()).count();
    OrganizationsReport {
        entity_path,
        policy_id: None,
        job: job(),
        proven: None,
        outcome: Ok(AccessReport {
            services_accessible: access_details.len(),
            services_not_accessed: unused,
            access_details,
            marker: None,
        }),
    }
}

fn unused<'a>(service_name: &'a str, service_namespace: &'a str) -> AccessDetail<'a> {
    AccessDetail {
        service_name,
        service_namespace,
        total_authenticated_entities: 0,
        region: None,
        attempts: None,
    }
}

fn attempt(time: &str, event_name: &'static str) -> Attempt<'static> {
    Attempt {
        time: at(time),
        region: Some("eu-west-1"),
        source: Some("logs/a.json.gz"),
        entity: ACCOUNT,
        principal: Some("arn:aws:iam::111122223333:role/Bäcker \u{202e}\"漢\""),
        event_source: "dynamodb.amazonaws.com",
        event_name,
        event_id: Some(EventId::parse("0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9")),
    }
}

fn completed() -> OrganizationsReport<'static> {
    let (latest, first) =
        (attempt("2026-05-25T16:29:52.250Z", "GetItem"), attempt("1969-12-31T23:59:59Z", "Query"));
    let nameless = Attempt { region: None, principal: None, event_id: None, ..latest };
    let dynamodb = AccessDetail {
        total_authenticated_entities: 2,
        region: latest.region,
        attempts: Some(Attempts { latest, success: Some(first), denial: Some(latest), first }),
        ..unused("Amazon DynamoDB", "dynamodb")
    };
    let iam = AccessDetail {
        total_authenticated_entities: 1,
        attempts: Some(Attempts { latest: nameless, success: None, denial: None, first: nameless }),
        ..unused("AWS Identity and Access Management", "iam")
    };
    report(ROOT, vec![dynamodb, iam, unused("Amazon S3", "s3")])
}

fn truncated() -> OrganizationsReport<'static> {
    let mut report = completed();
    if let Ok(access) = &mut report.outcome {
        access.access_details.pop();
        access.marker = Some("bWFya2Vy".to_owned());
    }
    OrganizationsReport { policy_id: Some("p-FullAWSAccess"), ..report }
}

fn failed() -> OrganizationsReport<'static> {
    let outcome = Err(ErrorDetails {
        code: "INVALID_ORGANIZATIONS_ENTITY_PATH",
        message: "The entity with the specified path does not exist in your organization.",
    });
    OrganizationsReport { outcome, ..completed() }
}

const ROLE: &str = "arn:aws:iam::111122223333:role/service-role/build";

fn attempts_of_role() -> Attempts<'static> {
    let latest = Attempt { entity: ROLE, ..attempt("2026-05-25T16:29:52Z", "ListTables") };
    let first = Attempt {
        region: None,
        event_id: None,
        ..Attempt { entity: ROLE, ..attempt("1969-12-31T23:59:59Z", "CreateTable") }
    };
    Attempts { latest, success: Some(first), denial: Some(latest), first }
}

const fn subject(arn: &str, create_date: Option<Time>) -> Subject<'_> {
    Subject { arn, create_date, is_younger_than_period: create_date.is_some() }
}

/// A completed report, a page of it, and one without a service.
fn service_reports() -> [ServiceReport<'static>; 3] {
    let attempts = attempts_of_role();
    let only_first = Attempts { latest: attempts.first, denial: None, ..attempts };
    let dynamodb = ServiceLastAccessed {
        service_name: "Amazon DynamoDB",
        service_namespace: "dynamodb",
        total_authenticated_entities: 1,
        attempts: Some(Box::new(attempts)),
        tracked_actions_last_accessed: Some(vec![
            TrackedActionLastAccessed {
                action_name: "CreateTable",
                attempts: Some(Box::new(only_first)),
            },
            TrackedActionLastAccessed { action_name: "DeleteTable", attempts: None },
        ]),
    };
    let s3 = ServiceLastAccessed {
        service_name: "Amazon S3",
        service_namespace: "s3",
        total_authenticated_entities: 0,
        attempts: None,
        tracked_actions_last_accessed: None,
    };
    let completed = ServiceReport {
        subject: subject(ROLE, Some(at("2026-01-15T08:09:10Z"))),
        granularity: Granularity::ActionLevel,
        job: job(),
        proven: None,
        services_last_accessed: vec![dynamodb.clone(), s3],
        marker: None,
    };
    let truncated = ServiceReport {
        services_last_accessed: vec![dynamodb],
        marker: Some("bWFya2Vy".to_owned()),
        ..completed.clone()
    };
    let empty = ServiceReport {
        subject: subject("arn:aws:iam::aws:policy/ReadOnlyAccess", None),
        granularity: Granularity::ServiceLevel,
        services_last_accessed: Vec::new(),
        ..completed.clone()
    };
    [completed, truncated, empty]
}

/// A completed report, a page of it, and one without an entity.
fn entities_reports() -> [EntitiesReport<'static>; 3] {
    let role = EntityDetails {
        entity: subject(ROLE, None),
        name: "build",
        entity_type: "ROLE",
        id: Some("AROAEXAMPLEEXAMPLEEXA"),
        path: "/service-role/",
        attempts: Some(attempts_of_role()),
    };
    let arn = "arn:aws:iam::111122223333:user/ann";
    let user = EntityDetails {
        entity: subject(arn, Some(at("2026-05-15T08:09:10Z"))),
        name: "ann",
        entity_type: "USER",
        id: Some("AIDAEXAMPLEEXAMPLEEXA"),
        path: "/",
        attempts: None,
    };
    let completed = EntitiesReport {
        subject: subject("arn:aws:iam::111122223333:policy/build", None),
        service_namespace: "dynamodb",
        job: job(),
        proven: None,
        entity_details_list: vec![role.clone(), user],
        marker: None,
    };
    let truncated = EntitiesReport {
        entity_details_list: vec![role],
        marker: Some("bWFya2Vy".to_owned()),
        ..completed.clone()
    };
    let empty = EntitiesReport { entity_details_list: Vec::new(), ..completed.clone() };
    [completed, truncated, empty]
}

fn save<R: Report>(
    directory: &TempDir,
    name: &str,
    format: Format,
    layout: &Layout,
    mut reports: impl Iterator<Item = R>,
) {
    let mut file = File::create(directory.path().join(name)).unwrap();
    write(format, layout, &mut reports, &mut file).unwrap();
}

#[test]
fn i3_i4_i5_o12_botocore_accepts_every_reply() {
    let directory = tempfile::tempdir().unwrap();
    let replies = [
        ("completed", completed()),
        ("truncated", truncated()),
        ("failed", failed()),
        ("empty", report(ROOT, Vec::new())),
    ];
    for (name, reply) in &replies {
        let (name, one) = (format!("{name}.json"), Layout::default());
        save(&directory, &name, Format::Json, &one, std::iter::once(reply.clone()));
    }
    let lines = Layout { many: true, ..Layout::default() };
    let several = replies.into_iter().map(|(_, reply)| reply);
    save(&directory, "several.jsonl", Format::Json, &lines, several);
    let one = Layout::default();
    let names = ["completed", "truncated", "empty"];
    for (name, reply) in names.into_iter().zip(service_reports()) {
        let name = format!("services-{name}.json");
        save(&directory, &name, Format::Json, &one, std::iter::once(reply));
    }
    for (name, reply) in names.into_iter().zip(entities_reports()) {
        let name = format!("entities-{name}.json");
        save(&directory, &name, Format::Json, &one, std::iter::once(reply));
    }
    run("accept_replies.py", directory.path());
}

#[test]
fn pyarrow_polars_and_duckdb_read_the_columns() {
    let directory = tempfile::tempdir().unwrap();
    let layout = Layout {
        metadata: vec![("trailfold.coverage".to_owned(), "{\"records\":7}".to_owned())],
        ..Layout::default()
    };
    let paths: Vec<String> = (0..150).map(|number| format!("{ROOT}/{number:012}")).collect();
    let services: Vec<(String, String)> = (0..1000)
        .map(|number| (format!("Amazon Service {number}"), format!("service{number}")))
        .collect();
    let crowded = |place: usize| {
        let rows = services.iter().enumerate().map(|(number, (name, namespace))| {
            let second = place * 1000 + number;
            let used = (number % 3 == 0).then(|| Attempt {
                time: Time::from_micros(i64::try_from(second).unwrap() * 1_000_000),
                entity: &paths[place],
                event_id: Some(EventId::Uuid(u128::try_from(second).unwrap())),
                ..attempt("2026-01-01T00:00:00Z", "Query")
            });
            AccessDetail {
                total_authenticated_entities: u64::from(used.is_some()),
                region: used.and_then(|attempt| attempt.region),
                attempts: used.map(|it| Attempts {
                    latest: it,
                    success: None,
                    denial: None,
                    first: it,
                }),
                ..unused(name, namespace)
            }
        });
        report(&paths[place], rows.collect())
    };
    for (extension, format) in [
        ("arrow", Format::Arrow),
        ("arrows", Format::ArrowStream),
        ("parquet", Format::Parquet),
        ("csv", Format::Csv),
    ] {
        let small = [completed(), truncated(), failed()].into_iter();
        save(&directory, &format!("small.{extension}"), format, &layout, small);
        save(&directory, &format!("crowd.{extension}"), format, &layout, (0..150).map(crowded));
        let none = std::iter::empty::<OrganizationsReport<'_>>();
        save(&directory, &format!("empty.{extension}"), format, &layout, none);
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 12);
    run("read_back.py", directory.path());
}

#[test]
fn pyarrow_polars_and_duckdb_read_the_reports_of_iam_entities() {
    let directory = tempfile::tempdir().unwrap();
    let layout = Layout { details: true, many: true, ..Layout::default() };
    for (extension, format) in [
        ("jsonl", Format::Json),
        ("arrow", Format::Arrow),
        ("arrows", Format::ArrowStream),
        ("parquet", Format::Parquet),
        ("csv", Format::Csv),
    ] {
        let name = |kind: &str| format!("{kind}.{extension}");
        save(&directory, &name("services"), format, &layout, service_reports().into_iter());
        save(&directory, &name("entities"), format, &layout, entities_reports().into_iter());
    }
    run("read_back_entities.py", directory.path());
}
