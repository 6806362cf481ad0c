//! Golden outputs of small made-up reports of users and roles.

use serde_json::json;

use super::*;

use crate::report::service::{
    Granularity, ServiceLastAccessed, Subject, TrackedActionLastAccessed,
};

const ROLE: &str = "arn:aws:iam::111122223333:role/service-role/build";
const GROUP: &str = "arn:aws:iam::111122223333:group/builders";
const POLICY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";

/// A role that was used at the level of services.
pub(super) fn completed() -> ServiceReport<'static> {
    let latest = attempt_of(ROLE, "2026-05-25T16:29:52.250Z");
    let first = Attempt { event_name: "ListTables", ..attempt_of(ROLE, "2026-05-24T01:02:03Z") };
    let regionless = Attempt {
        region: None,
        principal: None,
        event_id: None,
        event_source: "iam.amazonaws.com",
        event_name: "GetUser",
        ..attempt_of(ROLE, "2026-06-15T13:12:06Z")
    };
    let attempts = Attempts { latest, success: Some(first), denial: Some(latest), first };
    let iam = Attempts { latest: regionless, success: None, denial: None, first: regionless };
    let row = |service_name, service_namespace, attempts: Option<Attempts<'static>>| {
        ServiceLastAccessed {
            service_name,
            service_namespace,
            total_authenticated_entities: u64::from(attempts.is_some()),
            attempts: attempts.map(Box::new),
            tracked_actions_last_accessed: None,
        }
    };
    ServiceReport {
        subject: Subject {
            arn: ROLE,
            create_date: Some(at("2026-01-15T08:09:10.750Z")),
            is_younger_than_period: true,
        },
        granularity: Granularity::ServiceLevel,
        job: job(),
        proven: None,
        services_last_accessed: vec![
            row("Amazon DynamoDB", "dynamodb", Some(attempts)),
            row("AWS Identity and Access Management", "iam", Some(iam)),
            row("Amazon S3", "s3", None),
        ],
        marker: None,
    }
}

/// A page of a policy at the level of actions.
fn with_actions() -> ServiceReport<'static> {
    let mut report = completed();
    report.subject = Subject { arn: POLICY, create_date: None, is_younger_than_period: false };
    report.granularity = Granularity::ActionLevel;
    report.services_last_accessed.remove(0);
    let [iam, s3] = report.services_last_accessed.as_mut_slice() else { panic!() };
    let attempts = iam.attempts.clone().unwrap();
    iam.total_authenticated_entities = 2;
    iam.tracked_actions_last_accessed = Some(vec![
        TrackedActionLastAccessed { action_name: "GetUser", attempts: Some(attempts) },
        TrackedActionLastAccessed { action_name: "ListUsers", attempts: None },
    ]);
    s3.tracked_actions_last_accessed =
        Some(vec![TrackedActionLastAccessed { action_name: "CreateBucket", attempts: None }]);
    ServiceReport { marker: Some("bWFya2Vy".to_owned()), ..report }
}

/// A group whose policies allow nothing.
fn empty() -> ServiceReport<'static> {
    let mut report = completed();
    report.subject = Subject { arn: GROUP, create_date: None, is_younger_than_period: false };
    ServiceReport { services_last_accessed: Vec::new(), ..report }
}

pub(super) fn three() -> Vec<ServiceReport<'static>> {
    vec![completed(), with_actions(), empty()]
}

/// A report with `logged` wherever a text of a log or of a snapshot can stand; two rows.
pub(super) fn with_text(logged: &str) -> ServiceReport<'_> {
    let attempts = attempts_with_text(logged);
    ServiceReport {
        subject: Subject {
            arn: logged,
            create_date: Some(Time::from_micros(i64::MIN)),
            is_younger_than_period: true,
        },
        granularity: Granularity::ActionLevel,
        job: farthest_dates(),
        proven: None,
        services_last_accessed: vec![ServiceLastAccessed {
            service_name: logged,
            service_namespace: logged,
            total_authenticated_entities: u64::MAX,
            attempts: Some(Box::new(attempts)),
            tracked_actions_last_accessed: Some(vec![TrackedActionLastAccessed {
                action_name: logged,
                attempts: Some(Box::new(attempts)),
            }]),
        }],
        marker: Some(logged.to_owned()),
    }
}

#[test]
fn i3_o12_json_is_awss_reply_to_the_letter() {
    let expected = r#"{
    "JobStatus": "COMPLETED",
    "JobType": "SERVICE_LEVEL",
    "JobCreationDate": "2026-06-18T19:47:31.187Z",
    "ServicesLastAccessed": [
        {
            "ServiceName": "Amazon DynamoDB",
            "LastAuthenticated": "2026-05-25T16:29:52Z",
            "ServiceNamespace": "dynamodb",
            "LastAuthenticatedEntity": "arn:aws:iam::111122223333:role/service-role/build",
            "LastAuthenticatedRegion": "eu-west-1",
            "TotalAuthenticatedEntities": 1
        },
        {
            "ServiceName": "AWS Identity and Access Management",
            "LastAuthenticated": "2026-06-15T13:12:06Z",
            "ServiceNamespace": "iam",
            "LastAuthenticatedEntity": "arn:aws:iam::111122223333:role/service-role/build",
            "TotalAuthenticatedEntities": 1
        },
        {
            "ServiceName": "Amazon S3",
            "ServiceNamespace": "s3",
            "TotalAuthenticatedEntities": 0
        }
    ],
    "JobCompletionDate": "2026-06-18T19:47:35.547Z",
    "IsTruncated": false
}
"#;
    assert_eq!(text(Format::Json, &Layout::default(), &[completed()]), expected);
}

#[test]
fn i4_an_action_never_used_shows_its_name_alone() {
    let expected = r#"            "TotalAuthenticatedEntities": 2,
            "TrackedActionsLastAccessed": [
                {
                    "ActionName": "GetUser",
                    "LastAccessedEntity": "arn:aws:iam::111122223333:role/service-role/build",
                    "LastAccessedTime": "2026-06-15T13:12:06Z"
                },
                {
                    "ActionName": "ListUsers"
                }
            ]
        },
        {
            "ServiceName": "Amazon S3",
            "ServiceNamespace": "s3",
            "TotalAuthenticatedEntities": 0,
            "TrackedActionsLastAccessed": [
                {
                    "ActionName": "CreateBucket"
                }
            ]
        }
    ],
    "JobCompletionDate": "2026-06-18T19:47:35.547Z",
    "IsTruncated": true,
    "Marker": "bWFya2Vy"
}
"#;
    let json = text(Format::Json, &Layout::default(), &[with_actions()]);
    assert!(json.ends_with(expected), "{json}");
    assert!(json.contains("\"JobType\": \"ACTION_LEVEL\""));
}

#[test]
fn i3_a_report_without_services_has_an_empty_list() {
    let job = r#""JobCreationDate":"2026-06-18T19:47:31.187Z""#;
    let expected = [
        r#"{"Arn":"arn:aws:iam::111122223333:group/builders","Report":{"JobStatus":"COMPLETED","#,
        r#""JobType":"SERVICE_LEVEL","#,
        job,
        r#","ServicesLastAccessed":[],"JobCompletionDate":"2026-06-18T19:47:35.547Z","#,
        r#""IsTruncated":false}}"#,
        "\n",
    ];
    assert_eq!(text(Format::Json, &many(), &[empty()]), expected.concat());
}

#[test]
fn details_are_absent_where_nothing_was_accessed_and_say_how_old_the_identity_is() {
    let json = text(Format::Json, &details(), &[completed()]);
    let (_, rest) = json.split_once("\"AWS Identity").unwrap();
    let (iam, s3) = rest.split_once("\"Amazon S3\"").unwrap();
    let expected = r#"            "TotalAuthenticatedEntities": 1,
            "Details": {
                "LatestAttempt": {
                    "Time": "2026-06-15T13:12:06Z",
                    "Entity": "arn:aws:iam::111122223333:role/service-role/build",
                    "EventSource": "iam.amazonaws.com",
                    "EventName": "GetUser",
                    "Source": "logs/a.json.gz"
                },
                "FirstAttempt": {
"#;
    assert!(iam.contains(expected), "{iam}");
    let expected = r#",
            "ServiceNamespace": "s3",
            "TotalAuthenticatedEntities": 0
        }
    ],
    "JobCompletionDate": "2026-06-18T19:47:35.547Z",
    "IsTruncated": false,
    "Details": {
        "Arn": "arn:aws:iam::111122223333:role/service-role/build",
        "CreateDate": "2026-01-15T08:09:10Z",
        "YoungerThanPeriod": true
    }
}
"#;
    assert_eq!(s3, expected);
    let json = text(Format::Json, &details(), &[with_actions()]);
    let expected = r#"    "Marker": "bWFya2Vy",
    "Details": {
        "Arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"
    }
}
"#;
    assert!(json.ends_with(expected), "{json}");
}

/// Every column with its type; `!` where it is never null.
const SCHEMA: &str = "\
ReportArn text!
ReportCreateDate time
ReportYoungerThanPeriod bool!
JobStatus text!
JobType text!
JobCreationDate time!
JobCompletionDate time!
IsTruncated bool!
Marker text
ServiceName text
ServiceNamespace text
LastAuthenticated time
LastAuthenticatedEntity text
LastAuthenticatedRegion text
TotalAuthenticatedEntities int64
ActionName text
LastAccessedTime time
LastAccessedEntity text
LastAccessedRegion text
LatestAttemptPrincipal text
LatestAttemptEventSource text
LatestAttemptEventName text
LatestAttemptEventId utf8
LatestAttemptSource text
LatestSuccessTime time
LatestSuccessRegion text
LatestSuccessEntity text
LatestSuccessPrincipal text
LatestSuccessEventSource text
LatestSuccessEventName text
LatestSuccessEventId utf8
LatestSuccessSource text
LatestDenialTime time
LatestDenialRegion text
LatestDenialEntity text
LatestDenialPrincipal text
LatestDenialEventSource text
LatestDenialEventName text
LatestDenialEventId utf8
LatestDenialSource text
FirstAttemptTime time
FirstAttemptRegion text
FirstAttemptEntity text
FirstAttemptPrincipal text
FirstAttemptEventSource text
FirstAttemptEventName text
FirstAttemptEventId utf8
FirstAttemptSource text
";

#[test]
fn the_schema_is_the_documented_one_in_every_columnar_format() {
    schema_is_documented("GetServiceLastAccessedDetails", SCHEMA, &three());
}

#[test]
fn i4_columns_hold_services_their_actions_behind_them_and_a_row_of_what_lists_none() {
    for format in COLUMNAR {
        let (_, batches) = read(format, &bytes(format, &layout(), &three()));
        let is = |name: &str, expected: [Option<&str>; 9]| {
            let cells = column(&batches, name);
            let cells: Vec<_> = cells.iter().map(Option::as_deref).collect();
            assert_eq!(cells, expected, "{format:?} {name}");
        };
        let (a, b, c) = (Some(ROLE), Some(POLICY), Some(GROUP));
        is("ReportArn", [a, a, a, b, b, b, b, b, c]);
        let born = Some("2026-01-15T08:09:10.750Z");
        is("ReportCreateDate", [born, born, born, None, None, None, None, None, None]);
        let (yes, no) = (Some("true"), Some("false"));
        is("ReportYoungerThanPeriod", [yes, yes, yes, no, no, no, no, no, no]);
        is("JobStatus", [Some("COMPLETED"); 9]);
        let (service, action) = (Some("SERVICE_LEVEL"), Some("ACTION_LEVEL"));
        is("JobType", [service, service, service, action, action, action, action, action, service]);
        is("JobCompletionDate", [Some("2026-06-18T19:47:35.547Z"); 9]);
        is("IsTruncated", [no, no, no, yes, yes, yes, yes, yes, no]);
        let (dynamodb, iam, s3) = (Some("dynamodb"), Some("iam"), Some("s3"));
        is("ServiceNamespace", [dynamodb, iam, s3, iam, iam, iam, s3, s3, None]);
        let (exact, used) = (Some("2026-05-25T16:29:52.250Z"), Some("2026-06-15T13:12:06.000Z"));
        is("LastAuthenticated", [exact, used, None, used, None, None, None, None, None]);
        is("LastAuthenticatedEntity", [a, a, None, a, None, None, None, None, None]);
        let (one, none) = (Some("1"), Some("0"));
        is("TotalAuthenticatedEntities", [one, one, none, Some("2"), None, None, none, None, None]);
        let actions = [Some("GetUser"), Some("ListUsers"), Some("CreateBucket")];
        let [get, list, create] = actions;
        is("ActionName", [None, None, None, None, get, list, None, create, None]);
        is("LastAccessedTime", [None, None, None, None, used, None, None, None, None]);
        is("LastAccessedEntity", [None, None, None, None, a, None, None, None, None]);
        is("LatestDenialTime", [exact, None, None, None, None, None, None, None, None]);
        is("LatestAttemptEventName", {
            [Some("GetItem"), get, None, get, get, None, None, None, None]
        });
        is("FirstAttemptEntity", [a, a, None, a, a, None, None, None, None]);
    }
}

#[test]
fn csv_is_the_same_columns_as_text() {
    let header: Vec<&str> = SCHEMA.lines().map(|line| line.split_once(' ').unwrap().0).collect();
    let job = "2026-06-18T19:47:31.187Z,2026-06-18T19:47:35.547Z";
    let role = "arn:aws:iam::111122223333:role/build";
    let event = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9";
    let first = format!(
        "2026-05-24T01:02:03Z,eu-west-1,{ROLE},{role},dynamodb.amazonaws.com,ListTables,{event},{FILE}"
    );
    let latest = format!("{role},dynamodb.amazonaws.com,GetItem,{event},{FILE}");
    let root = format!("2026-06-15T13:12:06Z,,{ROLE},,iam.amazonaws.com,GetUser,,{FILE}");
    let iam = "AWS Identity and Access Management,iam";
    let used = format!("2026-06-15T13:12:06Z,{ROLE},");
    let nothing = ",".repeat(7);
    let (build, policy) = (
        format!("{ROLE},2026-01-15T08:09:10Z,true,COMPLETED,SERVICE_LEVEL,{job},false,,"),
        format!("{POLICY},,false,COMPLETED,ACTION_LEVEL,{job},true,bWFya2Vy,"),
    );
    let attempts = format!(",iam.amazonaws.com,GetUser,,{FILE},{nothing},{nothing},{root}");
    let unused = format!(",,,,,,{nothing},{nothing},{nothing}");
    let expected = [
        header.join(","),
        format!(
            "{build}Amazon DynamoDB,dynamodb,2026-05-25T16:29:52Z,{ROLE},eu-west-1,1,,,,,{latest},\
             {first},2026-05-25T16:29:52Z,eu-west-1,{ROLE},{latest},{first}"
        ),
        format!("{build}{iam},{used},1,,,,,{attempts}"),
        format!("{build}Amazon S3,s3,,,,0,,,,{unused}"),
        format!("{policy}{iam},{used},2,,,,,{attempts}"),
        format!("{policy}{iam},,,,,GetUser,{used},{attempts}"),
        format!("{policy}{iam},,,,,ListUsers,,,{unused}"),
        format!("{policy}Amazon S3,s3,,,,0,,,,{unused}"),
        format!("{policy}Amazon S3,s3,,,,,CreateBucket,,,{unused}"),
        format!("{GROUP},,false,COMPLETED,SERVICE_LEVEL,{job},false,,,,,,,,,,,{unused}"),
        String::new(),
    ];
    assert_eq!(text(Format::Csv, &many(), &three()), expected.join("\r\n"));
}

#[test]
fn i4_every_column_and_member_has_its_own_value() {
    let of_service = ["LastAuthenticatedRegion", "LastAuthenticatedEntity"];
    let of_action = ["LastAccessedRegion", "LastAccessedEntity"];
    let attempts = |[region, entity]: [&'static str; 2]| named_attempts(region, entity, "Entity");
    let report = ServiceReport {
        subject: Subject {
            arn: "ReportArn",
            create_date: Some(Time::from_micros(8_000_000)),
            is_younger_than_period: true,
        },
        granularity: Granularity::ActionLevel,
        job: job(),
        proven: None,
        services_last_accessed: vec![ServiceLastAccessed {
            service_name: "ServiceName",
            service_namespace: "ServiceNamespace",
            total_authenticated_entities: 7,
            attempts: Some(Box::new(attempts(of_service))),
            tracked_actions_last_accessed: Some(vec![TrackedActionLastAccessed {
                action_name: "ActionName",
                attempts: Some(Box::new(attempts(of_action))),
            }]),
        }],
        marker: Some("Marker".to_owned()),
    };
    let rows = csv_rows(&bytes(Format::Csv, &many(), std::slice::from_ref(&report)));
    let of_report = [
        ("ReportCreateDate", "1970-01-01T00:00:08Z"),
        ("ReportYoungerThanPeriod", "true"),
        ("JobStatus", "COMPLETED"),
        ("JobType", "ACTION_LEVEL"),
        ("JobCreationDate", "2026-06-18T19:47:31.187Z"),
        ("JobCompletionDate", "2026-06-18T19:47:35.547Z"),
        ("IsTruncated", "true"),
    ];
    let service = [
        ("LastAuthenticated", "1970-01-01T00:00:00Z"),
        ("TotalAuthenticatedEntities", "7"),
        ("ActionName", ""),
        ("LastAccessedTime", ""),
        ("LastAccessedEntity", ""),
        ("LastAccessedRegion", ""),
    ];
    let action = [
        ("LastAccessedTime", "1970-01-01T00:00:00Z"),
        ("LastAuthenticated", ""),
        ("LastAuthenticatedEntity", ""),
        ("LastAuthenticatedRegion", ""),
        ("TotalAuthenticatedEntities", ""),
    ];
    assert_eq!(rows.len(), 3);
    is_named(&rows[0], &rows[1], &[&of_report[..], &service].concat());
    is_named(&rows[0], &rows[2], &[&of_report[..], &action].concat());

    let json = text(Format::Json, &details(), &[report]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let named = |[region, entity]: [&str; 2]| named_details(region, entity, "Entity");
    let expected = json!({
        "JobStatus": "COMPLETED",
        "JobType": "ACTION_LEVEL",
        "JobCreationDate": "2026-06-18T19:47:31.187Z",
        "ServicesLastAccessed": [{
            "ServiceName": "ServiceName",
            "LastAuthenticated": "1970-01-01T00:00:00Z",
            "ServiceNamespace": "ServiceNamespace",
            "LastAuthenticatedEntity": "LastAuthenticatedEntity",
            "LastAuthenticatedRegion": "LastAuthenticatedRegion",
            "TotalAuthenticatedEntities": 7,
            "TrackedActionsLastAccessed": [{
                "ActionName": "ActionName",
                "LastAccessedEntity": "LastAccessedEntity",
                "LastAccessedTime": "1970-01-01T00:00:00Z",
                "LastAccessedRegion": "LastAccessedRegion",
                "Details": named(of_action),
            }],
            "Details": named(of_service),
        }],
        "JobCompletionDate": "2026-06-18T19:47:35.547Z",
        "IsTruncated": true,
        "Marker": "Marker",
        "Details": {
            "Arn": "ReportArn",
            "CreateDate": "1970-01-01T00:00:08Z",
            "YoungerThanPeriod": true,
        },
    });
    assert_eq!(json, expected);
}

#[test]
fn a_table_reads_well_at_any_width() {
    let wide = "\
Arn       arn:aws:iam::111122223333:role/service-role/build
Created   2026-01-15T08:09:10Z (younger than the period: not used says little yet)
Job       COMPLETED 2026-06-18T19:47:35.547Z
Services  3 listed, 1 not accessed

Service                             Namespace  Last access           Region     Last entity              Entities
----------------------------------- ---------- --------------------- ---------- ------------------------ ---------
Amazon DynamoDB                     dynamodb   2026-05-25T16:29:52Z  eu-west-1  role/service-role/build         1
AWS Identity and Access Management  iam        2026-06-15T13:12:06Z             role/service-role/build         1
Amazon S3                           s3         never                                                            0
";
    let table = text(Format::Table, &Layout::default(), &[completed()]);
    assert_eq!(table, wide);
    for width in [0, 1, 79, 80, 99, 100, 140, u16::MAX] {
        let layout = Layout { width: Some(width), ..Layout::default() };
        let table = text(Format::Table, &layout, &three());
        let rows = table.lines().filter(|line| !line.starts_with("Created"));
        let widest = rows.map(str::len).max().unwrap();
        assert!(widest <= usize::from(width.max(80)), "{width}: {table}");
        assert!(table.contains("2026-05-25T16:29:52Z"), "{width}: {table}");
    }
}

#[test]
fn i4_a_table_has_the_actions_under_their_service_and_says_what_was_cut_off() {
    let expected = "\
Arn       arn:aws:iam::aws:policy/ReadOnlyAccess
Job       COMPLETED 2026-06-18T19:47:35.547Z
Services  2 on this page, 1 not accessed
Page      more behind the marker
Marker    bWFya2Vy

Service                  Namespace        Last access           Region  Last entity                            Entities
------------------------ ---------------- --------------------- ------- -------------------------------------- ---------
AWS Identity and Access  iam              2026-06-15T13:12:06Z          arn:aws:iam::111122223333:role/servic         2
Management                                                              e-role/build
                         iam:GetUser      2026-06-15T13:12:06Z          arn:aws:iam::111122223333:role/servic
                                                                        e-role/build
                         iam:ListUsers    never
Amazon S3                s3               never                                                                       0
                         s3:CreateBucket  never

Arn       arn:aws:iam::111122223333:group/builders
Job       COMPLETED 2026-06-18T19:47:35.547Z
Services  none listed
";
    assert_eq!(text(Format::Table, &Layout::default(), &[with_actions(), empty()]), expected);
}

/// Some attempts, or none, of one service or action.
fn any_attempts() -> impl Strategy<Value = Option<Box<Attempts<'static>>>> {
    let first = attempt_of(ROLE, "2026-01-02T03:04:05Z");
    let attempts = Attempts { latest: first, success: None, denial: Some(first), first };
    let latest =
        Attempt { region: None, event_id: None, ..attempt_of(ROLE, "2026-02-03T04:05:06Z") };
    let others = Attempts { latest, success: Some(latest), ..attempts };
    prop_oneof![
        2 => Just(None),
        1 => Just(Some(Box::new(attempts))),
        1 => Just(Some(Box::new(others))),
    ]
}

/// Reports of which some rows are like those before them, and some are not.
fn any_reports() -> impl Strategy<Value = Vec<ServiceReport<'static>>> {
    let action = ("[ab]", any_attempts()).prop_map(|(name, attempts)| TrackedActionLastAccessed {
        action_name: name.leak(),
        attempts,
    });
    let actions = proptest::option::of(proptest::collection::vec(action, 1..3));
    let service = ("[cd]", any_attempts(), 0..2u64, actions);
    let service = service.prop_map(|(name, attempts, entities, actions)| ServiceLastAccessed {
        service_name: "S",
        service_namespace: name.leak(),
        total_authenticated_entities: entities,
        attempts,
        tracked_actions_last_accessed: actions,
    });
    let services = proptest::collection::vec(service, 0..4);
    let report = (services, proptest::option::of(Just("m".to_owned())), any::<bool>());
    let report = report.prop_map(|(services_last_accessed, marker, is_young)| {
        let create_date = is_young.then(|| at("2026-01-15T08:09:10Z"));
        let subject =
            Subject { create_date, is_younger_than_period: is_young, ..completed().subject };
        ServiceReport { subject, services_last_accessed, marker, ..completed() }
    });
    proptest::collection::vec(report, 0..4)
}

proptest! {
    /// CSV is written cell by cell, what is in columns is appended in runs.
    #[test]
    fn columns_have_the_cells_of_every_row(reports in any_reports()) {
        let csv = csv_rows(&bytes(Format::Csv, &many(), &reports));
        for format in COLUMNAR {
            let (_, batches) = read(format, &bytes(format, &many(), &reports));
            for (place, name) in csv[0].iter().enumerate() {
                let cells = column(&batches, name).into_iter();
                // Times that are told in whole seconds have no fraction here.
                let cells = cells.map(|cell| cell.unwrap_or_default().replace(".000Z", "Z"));
                let expected = csv[1..].iter().map(|row| row[place].clone());
                prop_assert_eq!(cells.collect::<Vec<_>>(), expected.collect::<Vec<_>>(), "{}", name);
            }
        }
    }
}
