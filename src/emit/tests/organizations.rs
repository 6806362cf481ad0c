//! Golden outputs of small made-up organizations reports.

use super::*;

use crate::report::ErrorDetails;
use crate::report::organizations::{AccessDetail, AccessReport};

pub(super) const ORGANIZATION: &str = "o-exampleorg01/r-ex01";
const UNIT: &str = "o-exampleorg01/r-ex01/ou-ex01-workloads";
const ACCOUNT: &str = "o-exampleorg01/r-ex01/ou-ex01-workloads/111122223333";

fn attempt<'a>(time: &str, event_source: &'a str, event_name: &'a str) -> Attempt<'a> {
    Attempt { event_source, event_name, ..attempt_of(ACCOUNT, time) }
}

/// The three rows of AWS's documented example, with made-up ids.
pub(super) fn completed() -> OrganizationsReport<'static> {
    let latest = Attempt {
        event_id: Some(EventId::parse("EXAMPLE-id")),
        ..attempt("2026-05-25T16:29:52.250Z", "dynamodb.amazonaws.com", "GetItem")
    };
    let success = attempt("2026-05-24T01:02:03Z", "dynamodb.amazonaws.com", "ListTables");
    let root = Attempt {
        region: None,
        principal: None,
        event_id: None,
        ..attempt("2026-06-15T13:12:06Z", "iam.amazonaws.com", "GetUser")
    };
    let row = |service_name, service_namespace| AccessDetail {
        service_name,
        service_namespace,
        total_authenticated_entities: 0,
        region: None,
        attempts: None,
    };
    let access_details = vec![
        AccessDetail {
            total_authenticated_entities: 2,
            region: latest.region,
            attempts: Some(Attempts {
                latest,
                success: Some(success),
                denial: Some(latest),
                first: success,
            }),
            ..row("Amazon DynamoDB", "dynamodb")
        },
        AccessDetail {
            total_authenticated_entities: 1,
            attempts: Some(Attempts {
                latest: root,
                success: Some(root),
                denial: None,
                first: root,
            }),
            ..row("AWS Identity and Access Management", "iam")
        },
        row("Amazon S3", "s3"),
    ];
    OrganizationsReport {
        entity_path: UNIT,
        policy_id: None,
        job: job(),
        proven: None,
        outcome: Ok(AccessReport {
            services_accessible: 3,
            services_not_accessed: 1,
            access_details,
            marker: None,
        }),
    }
}

fn truncated() -> OrganizationsReport<'static> {
    let mut report = completed();
    let access = report.outcome.as_mut().unwrap();
    access.access_details.remove(1);
    access.access_details.remove(0);
    access.marker = Some("bWFya2Vy".to_owned());
    OrganizationsReport { policy_id: Some("p-FullAWSAccess"), ..report }
}

fn failed() -> OrganizationsReport<'static> {
    OrganizationsReport {
        outcome: Err(ErrorDetails {
            code: "INVALID_ORGANIZATIONS_POLICY",
            message: "The policy with the specified ID does not exist in your organization.",
        }),
        entity_path: ORGANIZATION,
        policy_id: Some("p-unknown0"),
        ..completed()
    }
}

pub(super) fn three() -> Vec<OrganizationsReport<'static>> {
    vec![completed(), truncated(), failed()]
}

#[test]
fn o12_json_is_awss_reply_to_the_letter() {
    let expected = r#"{
    "JobStatus": "COMPLETED",
    "JobCreationDate": "2026-06-18T19:47:31.187Z",
    "JobCompletionDate": "2026-06-18T19:47:35.547Z",
    "NumberOfServicesAccessible": 3,
    "NumberOfServicesNotAccessed": 1,
    "AccessDetails": [
        {
            "ServiceName": "Amazon DynamoDB",
            "ServiceNamespace": "dynamodb",
            "Region": "eu-west-1",
            "EntityPath": "o-exampleorg01/r-ex01/ou-ex01-workloads/111122223333",
            "LastAuthenticatedTime": "2026-05-25T16:29:52Z",
            "TotalAuthenticatedEntities": 2
        },
        {
            "ServiceName": "AWS Identity and Access Management",
            "ServiceNamespace": "iam",
            "EntityPath": "o-exampleorg01/r-ex01/ou-ex01-workloads/111122223333",
            "LastAuthenticatedTime": "2026-06-15T13:12:06Z",
            "TotalAuthenticatedEntities": 1
        },
        {
            "ServiceName": "Amazon S3",
            "ServiceNamespace": "s3",
            "TotalAuthenticatedEntities": 0
        }
    ],
    "IsTruncated": false
}
"#;
    assert_eq!(text(Format::Json, &Layout::default(), &[completed()]), expected);
}

#[test]
fn o5_details_are_absent_where_nothing_was_accessed() {
    let layout = Layout { details: true, ..Layout::default() };
    let json = text(Format::Json, &layout, &[completed()]);
    let (dynamodb, rest) = json.split_once("\"AWS Identity").unwrap();
    let (iam, s3) = rest.split_once("\"Amazon S3\"").unwrap();
    let expected = r#"
            "TotalAuthenticatedEntities": 2,
            "Details": {
                "LatestAttempt": {
                    "Time": "2026-05-25T16:29:52Z",
                    "Region": "eu-west-1",
                    "EntityPath": "o-exampleorg01/r-ex01/ou-ex01-workloads/111122223333",
                    "Principal": "arn:aws:iam::111122223333:role/build",
                    "EventSource": "dynamodb.amazonaws.com",
                    "EventName": "GetItem",
                    "EventId": "EXAMPLE-id",
                    "Source": "logs/a.json.gz"
                },
                "LatestSuccess": {
                    "Time": "2026-05-24T01:02:03Z",
"#;
    assert!(dynamodb.contains(expected), "{dynamodb}");
    assert!(dynamodb.contains("\"EventId\": \"0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9\""));
    let expected = r#"
                "FirstAttempt": {
                    "Time": "2026-06-15T13:12:06Z",
                    "EntityPath": "o-exampleorg01/r-ex01/ou-ex01-workloads/111122223333",
                    "EventSource": "iam.amazonaws.com",
                    "EventName": "GetUser",
                    "Source": "logs/a.json.gz"
                }
            }
        },
"#;
    assert!(iam.contains(expected), "{iam}");
    assert!(!iam.contains("LatestDenial"));
    assert!(!s3.contains("Details"));
}

#[test]
fn o9_a_failed_report_has_its_error_and_no_counts() {
    let expected = r#"{
    "JobStatus": "FAILED",
    "JobCreationDate": "2026-06-18T19:47:31.187Z",
    "JobCompletionDate": "2026-06-18T19:47:35.547Z",
    "IsTruncated": false,
    "ErrorDetails": {
        "Message": "The policy with the specified ID does not exist in your organization.",
        "Code": "INVALID_ORGANIZATIONS_POLICY"
    }
}
"#;
    assert_eq!(text(Format::Json, &Layout::default(), &[failed()]), expected);
}

#[test]
fn o6_several_reports_are_json_lines_and_a_page_keeps_the_counts_of_the_whole() {
    let job = r#""JobCreationDate":"2026-06-18T19:47:31.187Z","JobCompletionDate":"2026-06-18T19:47:35.547Z""#;
    let expected = [
        r#"{"EntityPath":"o-exampleorg01/r-ex01/ou-ex01-workloads","OrganizationsPolicyId":"p-FullAWSAccess","Report":{"JobStatus":"COMPLETED","#,
        job,
        r#","NumberOfServicesAccessible":3,"NumberOfServicesNotAccessed":1,"AccessDetails":[{"ServiceName":"Amazon S3","ServiceNamespace":"s3","TotalAuthenticatedEntities":0}],"IsTruncated":true,"Marker":"bWFya2Vy"}}"#,
        "\n",
        r#"{"EntityPath":"o-exampleorg01/r-ex01","OrganizationsPolicyId":"p-unknown0","Report":{"JobStatus":"FAILED","#,
        job,
        r#","IsTruncated":false,"ErrorDetails":{"Message":"The policy with the specified ID does not exist in your organization.","Code":"INVALID_ORGANIZATIONS_POLICY"}}}"#,
        "\n",
    ];
    assert_eq!(text(Format::Json, &many(), &[truncated(), failed()]), expected.concat());
    let line = text(Format::Json, &many(), &[completed()]);
    assert!(
        line.starts_with(r#"{"EntityPath":"o-exampleorg01/r-ex01/ou-ex01-workloads","Report":{"#)
    );
}

#[test]
fn o13_the_region_of_an_unused_row_is_kept_in_every_format() {
    let mut report = completed();
    let rows = &mut report.outcome.as_mut().unwrap().access_details;
    rows.drain(..2);
    rows[0].region = Some("us-east-1");
    let reports = [report];
    let json = text(Format::Json, &Layout::default(), &reports);
    assert!(json.contains("\"s3\",\n            \"Region\": \"us-east-1\",\n            \"Total"));
    assert!(text(Format::Csv, &many(), &reports).contains(",s3,us-east-1,,,0,"));
    assert!(text(Format::Table, &many(), &reports).contains("never                 us-east-1 "));
    for format in COLUMNAR {
        let (_, batches) = read(format, &bytes(format, &many(), &reports));
        assert_eq!(column(&batches, "Region"), [Some("us-east-1".to_owned())]);
        assert_eq!(column(&batches, "LastAuthenticatedTime"), [None]);
    }
}

/// Every column with its type; `!` where it is never null.
const SCHEMA: &str = "\
ReportEntityPath text!
OrganizationsPolicyId text
JobStatus text!
JobCreationDate time!
JobCompletionDate time!
NumberOfServicesAccessible int64
NumberOfServicesNotAccessed int64
IsTruncated bool!
Marker text
ErrorCode text
ErrorMessage text
ServiceName text
ServiceNamespace text
Region text
EntityPath text
LastAuthenticatedTime time
TotalAuthenticatedEntities int64
LatestAttemptPrincipal text
LatestAttemptEventSource text
LatestAttemptEventName text
LatestAttemptEventId utf8
LatestAttemptSource text
LatestSuccessTime time
LatestSuccessRegion text
LatestSuccessEntityPath text
LatestSuccessPrincipal text
LatestSuccessEventSource text
LatestSuccessEventName text
LatestSuccessEventId utf8
LatestSuccessSource text
LatestDenialTime time
LatestDenialRegion text
LatestDenialEntityPath text
LatestDenialPrincipal text
LatestDenialEventSource text
LatestDenialEventName text
LatestDenialEventId utf8
LatestDenialSource text
FirstAttemptTime time
FirstAttemptRegion text
FirstAttemptEntityPath text
FirstAttemptPrincipal text
FirstAttemptEventSource text
FirstAttemptEventName text
FirstAttemptEventId utf8
FirstAttemptSource text
";

#[test]
fn the_schema_is_the_documented_one_in_every_columnar_format() {
    schema_is_documented("GetOrganizationsAccessReport", SCHEMA, &three());
}

#[test]
fn o4_columns_hold_the_rows_and_a_failed_report_is_a_row_without_a_service() {
    for format in COLUMNAR {
        let (_, batches) = read(format, &bytes(format, &layout(), &three()));
        let is = |name: &str, expected: [Option<&str>; 5]| {
            let cells = column(&batches, name);
            let cells: Vec<_> = cells.iter().map(Option::as_deref).collect();
            assert_eq!(cells, expected, "{format:?} {name}");
        };
        let completed = Some("COMPLETED");
        is(
            "ReportEntityPath",
            [Some(UNIT), Some(UNIT), Some(UNIT), Some(UNIT), Some(ORGANIZATION)],
        );
        let policy = Some("p-FullAWSAccess");
        is("OrganizationsPolicyId", [None, None, None, policy, Some("p-unknown0")]);
        is("JobStatus", [completed, completed, completed, completed, Some("FAILED")]);
        is("JobCreationDate", [Some("2026-06-18T19:47:31.187Z"); 5]);
        is("NumberOfServicesAccessible", [Some("3"), Some("3"), Some("3"), Some("3"), None]);
        is("NumberOfServicesNotAccessed", [Some("1"), Some("1"), Some("1"), Some("1"), None]);
        let (yes, no) = (Some("true"), Some("false"));
        is("IsTruncated", [no, no, no, yes, no]);
        is("Marker", [None, None, None, Some("bWFya2Vy"), None]);
        is("ErrorCode", [None, None, None, None, Some("INVALID_ORGANIZATIONS_POLICY")]);
        is("ServiceNamespace", [Some("dynamodb"), Some("iam"), Some("s3"), Some("s3"), None]);
        is("TotalAuthenticatedEntities", [Some("2"), Some("1"), Some("0"), Some("0"), None]);
        is("EntityPath", [Some(ACCOUNT), Some(ACCOUNT), None, None, None]);
        is("Region", [Some("eu-west-1"), None, None, None, None]);
        let (exact, used) = (Some("2026-05-25T16:29:52.250Z"), Some("2026-06-15T13:12:06.000Z"));
        is("LastAuthenticatedTime", [exact, used, None, None, None]);
        is("LatestAttemptEventId", [Some("EXAMPLE-id"), None, None, None, None]);
        is("LatestDenialTime", [exact, None, None, None, None]);
        let uuid = Some("0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9");
        is("FirstAttemptEventId", [uuid, None, None, None, None]);
        is("LatestSuccessEventName", [Some("ListTables"), Some("GetUser"), None, None, None]);
    }
}

#[test]
fn csv_is_the_same_columns_as_text() {
    let header: Vec<&str> = SCHEMA.lines().map(|line| line.split_once(' ').unwrap().0).collect();
    let job = "2026-06-18T19:47:31.187Z,2026-06-18T19:47:35.547Z";
    let role = "arn:aws:iam::111122223333:role/build";
    let success = format!(
        "2026-05-24T01:02:03Z,eu-west-1,{ACCOUNT},{role},dynamodb.amazonaws.com,ListTables,\
         0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9,{FILE}"
    );
    let root = format!("2026-06-15T13:12:06Z,,{ACCOUNT},,iam.amazonaws.com,GetUser,,{FILE}");
    let nothing = ",".repeat(7);
    let expected = [
        header.join(","),
        format!(
            "{UNIT},,COMPLETED,{job},3,1,false,,,,Amazon DynamoDB,dynamodb,eu-west-1,{ACCOUNT},\
             2026-05-25T16:29:52Z,2,{role},dynamodb.amazonaws.com,GetItem,EXAMPLE-id,{FILE},\
             {success},2026-05-25T16:29:52Z,eu-west-1,{ACCOUNT},{role},dynamodb.amazonaws.com,GetItem,\
             EXAMPLE-id,{FILE},{success}"
        ),
        format!(
            "{UNIT},,COMPLETED,{job},3,1,false,,,,AWS Identity and Access Management,iam,,\
             {ACCOUNT},2026-06-15T13:12:06Z,1,,iam.amazonaws.com,GetUser,,{FILE},{root},{nothing},{root}"
        ),
        format!(
            "{UNIT},,COMPLETED,{job},3,1,false,,,,Amazon S3,s3,,,,0,,,,,,{nothing},{nothing},\
             {nothing}"
        ),
        format!(
            "{ORGANIZATION},p-unknown0,FAILED,{job},,,false,,INVALID_ORGANIZATIONS_POLICY,\
             The policy with the specified ID does not exist in your organization.,,,,,,,,,,,,\
             {nothing},{nothing},{nothing}"
        ),
        String::new(),
    ];
    assert_eq!(text(Format::Csv, &many(), &[completed(), failed()]), expected.join("\r\n"));
}

#[test]
fn every_column_and_member_has_its_own_value() {
    const MEMBERS: [&str; 7] =
        ["Region", "EntityPath", "Principal", "EventSource", "EventName", "EventId", "Source"];
    let names = |prefix: &str| MEMBERS.map(|member| format!("{prefix}{member}"));
    let prefixes = ["LatestAttempt", "LatestSuccess", "LatestDenial", "FirstAttempt"];
    let texts = prefixes.map(names);
    let attempt = |place: usize| {
        let [region, path, principal, event_source, name, id, source] = &texts[place];
        Attempt {
            time: Time::from_micros(i64::try_from(place).unwrap() * 1_000_000),
            region: Some(region),
            source: Some(source),
            entity: path,
            principal: Some(principal),
            event_source,
            event_name: name,
            event_id: Some(EventId::parse(id)),
        }
    };
    let mut report = completed();
    let rows = &mut report.outcome.as_mut().unwrap().access_details;
    rows.truncate(1);
    rows[0].region = Some("LatestAttemptRegion");
    rows[0].attempts = Some(Attempts {
        latest: attempt(0),
        success: Some(attempt(1)),
        denial: Some(attempt(2)),
        first: attempt(3),
    });
    let layout = Layout { details: true, ..Layout::default() };
    let reports = [report];
    let rows = csv_rows(&bytes(Format::Csv, &layout, &reports));
    let json = text(Format::Json, &layout, &reports);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    for (place, prefix) in prefixes.into_iter().enumerate() {
        let details = &json["AccessDetails"][0]["Details"][prefix];
        let cell = |member: &str| {
            let is = |name: &str| rows[0].iter().position(|column| column == name);
            let column = match (prefix, member) {
                ("LatestAttempt", "Time") => is("LastAuthenticatedTime"),
                ("LatestAttempt", "Region" | "EntityPath") => is(member),
                _ => is(&format!("{prefix}{member}")),
            };
            rows[1][column.unwrap()].as_str()
        };
        let time = attempt(place).time.to_string();
        assert_eq!((cell("Time"), &details["Time"]), (time.as_str(), &time.as_str().into()));
        for member in MEMBERS {
            assert_eq!(cell(member), format!("{prefix}{member}"));
            assert_eq!(details[member], cell(member));
        }
    }
}

/// A report with `logged` wherever a text of a log can stand.
pub(super) fn with_text(logged: &str) -> OrganizationsReport<'_> {
    OrganizationsReport {
        entity_path: logged,
        policy_id: Some(logged),
        job: farthest_dates(),
        proven: None,
        outcome: Ok(AccessReport {
            services_accessible: usize::MAX,
            services_not_accessed: 0,
            access_details: vec![AccessDetail {
                service_name: logged,
                service_namespace: logged,
                total_authenticated_entities: u64::MAX,
                region: Some(logged),
                attempts: Some(attempts_with_text(logged)),
            }],
            marker: Some(logged.to_owned()),
        }),
    }
}

#[test]
fn a_table_reads_well_at_any_width() {
    let wide = "\
Entity    o-exampleorg01/r-ex01/ou-ex01-workloads
Job       COMPLETED 2026-06-18T19:47:35.547Z
Services  3 accessible, 1 not accessed

Service                             Namespace  Last access           Region     Last account  Accounts
----------------------------------- ---------- --------------------- ---------- ------------- ---------
Amazon DynamoDB                     dynamodb   2026-05-25T16:29:52Z  eu-west-1  111122223333         2
AWS Identity and Access Management  iam        2026-06-15T13:12:06Z             111122223333         1
Amazon S3                           s3         never                                                 0
";
    assert_eq!(text(Format::Table, &Layout::default(), &[completed()]), wide);
    for width in [0, 1, 79, 80, 99, 100, 140, u16::MAX] {
        let layout = Layout { width: Some(width), ..Layout::default() };
        let table = text(Format::Table, &layout, &[completed(), truncated(), failed()]);
        let widest = table.lines().skip(4).take(8).map(str::len).max().unwrap();
        assert!(widest <= usize::from(width.max(80)), "{width}: {table}");
        assert!(table.contains("2026-05-25T16:29:52Z"), "{width}: {table}");
    }
}

#[test]
fn a_table_says_what_was_cut_off_and_what_failed() {
    let expected = "\
Entity    o-exampleorg01/r-ex01/ou-ex01-workloads
Policy    p-FullAWSAccess
Job       COMPLETED 2026-06-18T19:47:35.547Z
Services  3 accessible, 1 not accessed
Page      1 of 3 rows, more behind the marker
Marker    bWFya2Vy

Service    Namespace  Last access           Region  Last account  Accounts
---------- ---------- --------------------- ------- ------------- ---------
Amazon S3  s3         never                                              0

Entity    o-exampleorg01/r-ex01
Policy    p-unknown0
Job       FAILED 2026-06-18T19:47:35.547Z
Error     INVALID_ORGANIZATIONS_POLICY: The policy with the specified ID does not exist in your organization.
";
    assert_eq!(text(Format::Table, &Layout::default(), &[truncated(), failed()]), expected);
}

#[test]
fn attempts_keep_their_microseconds_in_columns() {
    let (_, batches) = read(Format::Parquet, &bytes(Format::Parquet, &many(), &[completed()]));
    let times = batches[0].column_by_name("LastAuthenticatedTime").unwrap();
    let times = times.as_any().downcast_ref::<TimestampMicrosecondArray>().unwrap();
    assert_eq!(times.value(0), at("2026-05-25T16:29:52.250Z").micros());
    assert!(times.is_null(2));
}

/// As many rows as fill more than two batches, with texts that come up late.
pub(super) fn crowd(paths: &[String]) -> impl Iterator<Item = OrganizationsReport<'_>> {
    let crowded = |path| {
        let mut report = completed();
        let access = report.outcome.as_mut().unwrap();
        let rows = access.access_details.clone();
        access.access_details = rows.into_iter().cycle().take(999).collect();
        OrganizationsReport { entity_path: path, ..report }
    };
    paths.iter().map(move |path| crowded(path))
}
