//! Golden outputs of small made-up reports of who used a service.

use serde_json::json;

use super::*;

use crate::report::service::{EntityDetails, Subject};

const POLICY: &str = "arn:aws:iam::111122223333:policy/build";
const ROLE: &str = "arn:aws:iam::111122223333:role/service-role/build";
const USER: &str = "arn:aws:iam::111122223333:user/ann";

/// A policy that is attached to a role that used the service and a young user who did not.
fn completed() -> EntitiesReport<'static> {
    let latest = attempt_of(ROLE, "2026-05-25T16:29:52.250Z");
    let role = EntityDetails {
        entity: Subject { arn: ROLE, create_date: None, is_younger_than_period: false },
        name: "build",
        entity_type: "ROLE",
        id: Some("AROAEXAMPLEEXAMPLEEXA"),
        path: "/service-role/",
        attempts: Some(Attempts { latest, success: None, denial: Some(latest), first: latest }),
    };
    let user = EntityDetails {
        entity: Subject {
            arn: USER,
            create_date: Some(at("2026-05-15T08:09:10.750Z")),
            is_younger_than_period: true,
        },
        name: "ann",
        entity_type: "USER",
        id: Some("AIDAEXAMPLEEXAMPLEEXA"),
        path: "/",
        attempts: None,
    };
    EntitiesReport {
        subject: Subject {
            arn: POLICY,
            create_date: Some(at("2024-01-15T08:09:10Z")),
            is_younger_than_period: false,
        },
        service_namespace: "dynamodb",
        job: job(),
        proven: None,
        entity_details_list: vec![role, user],
        marker: None,
    }
}

fn truncated() -> EntitiesReport<'static> {
    let mut report = completed();
    report.entity_details_list.pop();
    EntitiesReport { marker: Some("bWFya2Vy".to_owned()), ..report }
}

/// A policy that is attached to nobody.
fn empty() -> EntitiesReport<'static> {
    EntitiesReport { entity_details_list: Vec::new(), service_namespace: "s3", ..completed() }
}

pub(super) fn three() -> Vec<EntitiesReport<'static>> {
    vec![completed(), truncated(), empty()]
}

/// A report with `logged` wherever a text of a log or of a snapshot can stand.
pub(super) fn with_text(logged: &str) -> EntitiesReport<'_> {
    let subject = Subject {
        arn: logged,
        create_date: Some(Time::from_micros(i64::MAX)),
        is_younger_than_period: true,
    };
    EntitiesReport {
        subject,
        service_namespace: logged,
        job: farthest_dates(),
        proven: None,
        entity_details_list: vec![EntityDetails {
            entity: subject,
            name: logged,
            entity_type: "USER",
            id: Some(logged),
            path: logged,
            attempts: Some(attempts_with_text(logged)),
        }],
        marker: Some(logged.to_owned()),
    }
}

#[test]
fn i5_o12_json_is_awss_reply_to_the_letter() {
    let expected = r#"{
    "JobStatus": "COMPLETED",
    "JobCreationDate": "2026-06-18T19:47:31.187Z",
    "JobCompletionDate": "2026-06-18T19:47:35.547Z",
    "EntityDetailsList": [
        {
            "EntityInfo": {
                "Arn": "arn:aws:iam::111122223333:role/service-role/build",
                "Name": "build",
                "Type": "ROLE",
                "Id": "AROAEXAMPLEEXAMPLEEXA",
                "Path": "/service-role/"
            },
            "LastAuthenticated": "2026-05-25T16:29:52Z"
        },
        {
            "EntityInfo": {
                "Arn": "arn:aws:iam::111122223333:user/ann",
                "Name": "ann",
                "Type": "USER",
                "Id": "AIDAEXAMPLEEXAMPLEEXA",
                "Path": "/"
            }
        }
    ],
    "IsTruncated": false
}
"#;
    assert_eq!(text(Format::Json, &Layout::default(), &[completed()]), expected);
}

#[test]
fn i5_several_reports_are_json_lines_with_their_service() {
    let expected = [
        r#"{"Arn":"arn:aws:iam::111122223333:policy/build","ServiceNamespace":"s3","Report":{"#,
        r#""JobStatus":"COMPLETED","JobCreationDate":"2026-06-18T19:47:31.187Z","#,
        r#""JobCompletionDate":"2026-06-18T19:47:35.547Z","EntityDetailsList":[],"#,
        r#""IsTruncated":false}}"#,
        "\n",
    ];
    assert_eq!(text(Format::Json, &many(), &[empty()]), expected.concat());
    let json = text(Format::Json, &many(), &[truncated()]);
    assert!(json.ends_with(",\"IsTruncated\":true,\"Marker\":\"bWFya2Vy\"}}\n"), "{json}");
}

#[test]
fn i5_details_say_how_old_each_entity_is_and_have_its_attempts() {
    let json = text(Format::Json, &details(), &[completed()]);
    let (_, rest) = json.split_once("\"LastAuthenticated\"").unwrap();
    let attempt = |name| {
        format!(
            r#"                "{name}": {{
                    "Time": "2026-05-25T16:29:52Z",
                    "Region": "eu-west-1",
                    "Entity": "arn:aws:iam::111122223333:role/service-role/build",
                    "Principal": "arn:aws:iam::111122223333:role/build",
                    "EventSource": "dynamodb.amazonaws.com",
                    "EventName": "GetItem",
                    "EventId": "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
                    "Source": "logs/a.json.gz"
                }}"#
        )
    };
    let expected = [
        r#": "2026-05-25T16:29:52Z",
            "Details": {
"#,
        &[attempt("LatestAttempt"), attempt("LatestDenial"), attempt("FirstAttempt")].join(",\n"),
        r#"
            }
        },
        {
            "EntityInfo": {
                "Arn": "arn:aws:iam::111122223333:user/ann",
                "Name": "ann",
                "Type": "USER",
                "Id": "AIDAEXAMPLEEXAMPLEEXA",
                "Path": "/"
            },
            "Details": {
                "CreateDate": "2026-05-15T08:09:10Z",
                "YoungerThanPeriod": true
            }
        }
    ],
    "IsTruncated": false,
    "Details": {
        "Arn": "arn:aws:iam::111122223333:policy/build",
        "ServiceNamespace": "dynamodb",
        "CreateDate": "2024-01-15T08:09:10Z"
    }
}
"#,
    ];
    assert_eq!(rest, expected.concat());
}

/// Every column with its type; `!` where it is never null.
const SCHEMA: &str = "\
ReportArn text!
ServiceNamespace text!
ReportCreateDate time
ReportYoungerThanPeriod bool!
JobStatus text!
JobCreationDate time!
JobCompletionDate time!
IsTruncated bool!
Marker text
Arn text
Name text
Type text
Id text
Path text
LastAuthenticated time
CreateDate time
YoungerThanPeriod bool
LatestAttemptRegion text
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
    schema_is_documented("GetServiceLastAccessedDetailsWithEntities", SCHEMA, &three());
}

#[test]
fn i5_columns_hold_the_entities_and_a_row_of_what_lists_none() {
    for format in COLUMNAR {
        let (_, batches) = read(format, &bytes(format, &layout(), &three()));
        let is = |name: &str, expected: [Option<&str>; 4]| {
            let cells = column(&batches, name);
            let cells: Vec<_> = cells.iter().map(Option::as_deref).collect();
            assert_eq!(cells, expected, "{format:?} {name}");
        };
        is("ReportArn", [Some(POLICY); 4]);
        is("ReportCreateDate", [Some("2024-01-15T08:09:10.000Z"); 4]);
        let (yes, no) = (Some("true"), Some("false"));
        is("ReportYoungerThanPeriod", [no; 4]);
        let dynamodb = Some("dynamodb");
        is("ServiceNamespace", [dynamodb, dynamodb, dynamodb, Some("s3")]);
        is("IsTruncated", [no, no, yes, no]);
        is("Marker", [None, None, Some("bWFya2Vy"), None]);
        is("Arn", [Some(ROLE), Some(USER), Some(ROLE), None]);
        is("Type", [Some("ROLE"), Some("USER"), Some("ROLE"), None]);
        let exact = Some("2026-05-25T16:29:52.250Z");
        is("LastAuthenticated", [exact, None, exact, None]);
        is("CreateDate", [None, Some("2026-05-15T08:09:10.750Z"), None, None]);
        is("YoungerThanPeriod", [no, yes, no, None]);
        is("LatestSuccessTime", [None; 4]);
        is("LatestDenialTime", [exact, None, exact, None]);
    }
}

#[test]
fn csv_is_the_same_columns_as_text() {
    let header: Vec<&str> = SCHEMA.lines().map(|line| line.split_once(' ').unwrap().0).collect();
    let of_report = |service: &str, is_truncated: bool, marker: &str| {
        format!(
            "{POLICY},{service},2024-01-15T08:09:10Z,false,COMPLETED,2026-06-18T19:47:31.187Z,\
             2026-06-18T19:47:35.547Z,{is_truncated},{marker}"
        )
    };
    let event = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9";
    let latest = format!(
        "arn:aws:iam::111122223333:role/build,dynamodb.amazonaws.com,GetItem,{event},{FILE}"
    );
    let nothing = ",".repeat(7);
    let attempt = format!("2026-05-25T16:29:52Z,eu-west-1,{ROLE},{latest}");
    let role = format!(
        "{ROLE},build,ROLE,AROAEXAMPLEEXAMPLEEXA,/service-role/,2026-05-25T16:29:52Z,,false,\
         eu-west-1,{latest},{nothing},{attempt},{attempt}"
    );
    let user = format!(
        "{USER},ann,USER,AIDAEXAMPLEEXAMPLEEXA,/,,2026-05-15T08:09:10Z,true,,,,,,,{nothing},\
         {nothing},{nothing}"
    );
    let expected = [
        header.join(","),
        format!("{},{role}", of_report("dynamodb", false, "")),
        format!("{},{user}", of_report("dynamodb", false, "")),
        format!("{},{role}", of_report("dynamodb", true, "bWFya2Vy")),
        format!("{},,,,,,,,,,,,,,,{nothing},{nothing},{nothing}", of_report("s3", false, "")),
        String::new(),
    ];
    assert_eq!(text(Format::Csv, &many(), &three()), expected.join("\r\n"));
}

#[test]
fn i5_every_column_and_member_has_its_own_value() {
    let subject = |arn, second: i64| Subject {
        arn,
        create_date: Some(Time::from_micros(second * 1_000_000)),
        is_younger_than_period: true,
    };
    let report = EntitiesReport {
        subject: subject("ReportArn", 8),
        service_namespace: "ServiceNamespace",
        job: job(),
        proven: None,
        entity_details_list: vec![EntityDetails {
            entity: subject("Arn", 9),
            name: "Name",
            entity_type: "Type",
            id: Some("Id"),
            path: "Path",
            attempts: Some(named_attempts("LatestAttemptRegion", "Arn", "Entity")),
        }],
        marker: Some("Marker".to_owned()),
    };
    let rows = csv_rows(&bytes(Format::Csv, &many(), std::slice::from_ref(&report)));
    let others = [
        ("ReportCreateDate", "1970-01-01T00:00:08Z"),
        ("ReportYoungerThanPeriod", "true"),
        ("JobStatus", "COMPLETED"),
        ("JobCreationDate", "2026-06-18T19:47:31.187Z"),
        ("JobCompletionDate", "2026-06-18T19:47:35.547Z"),
        ("IsTruncated", "true"),
        ("LastAuthenticated", "1970-01-01T00:00:00Z"),
        ("CreateDate", "1970-01-01T00:00:09Z"),
        ("YoungerThanPeriod", "true"),
    ];
    assert_eq!(rows.len(), 2);
    is_named(&rows[0], &rows[1], &others);

    let json = text(Format::Json, &details(), &[report]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let mut of_entity = named_details("LatestAttemptRegion", "Arn", "Entity");
    of_entity["CreateDate"] = "1970-01-01T00:00:09Z".into();
    of_entity["YoungerThanPeriod"] = true.into();
    let expected = json!({
        "JobStatus": "COMPLETED",
        "JobCreationDate": "2026-06-18T19:47:31.187Z",
        "JobCompletionDate": "2026-06-18T19:47:35.547Z",
        "EntityDetailsList": [{
            "EntityInfo": {
                "Arn": "Arn",
                "Name": "Name",
                "Type": "Type",
                "Id": "Id",
                "Path": "Path",
            },
            "LastAuthenticated": "1970-01-01T00:00:00Z",
            "Details": of_entity,
        }],
        "IsTruncated": true,
        "Marker": "Marker",
        "Details": {
            "Arn": "ReportArn",
            "ServiceNamespace": "ServiceNamespace",
            "CreateDate": "1970-01-01T00:00:08Z",
            "YoungerThanPeriod": true,
        },
    });
    assert_eq!(json, expected);
}

#[test]
fn i5_a_table_says_who_used_the_service_and_what_was_cut_off() {
    let expected = "\
Arn       arn:aws:iam::111122223333:policy/build
Created   2024-01-15T08:09:10Z
Service   dynamodb
Job       COMPLETED 2026-06-18T19:47:35.547Z
Entities  2 listed, 1 not accessed

Entity                                             Type  Created               Last access
-------------------------------------------------- ----- --------------------- ---------------------
arn:aws:iam::111122223333:role/service-role/build  ROLE                        2026-05-25T16:29:52Z
arn:aws:iam::111122223333:user/ann                 USER  2026-05-15T08:09:10Z  never

Arn       arn:aws:iam::111122223333:policy/build
Created   2024-01-15T08:09:10Z
Service   dynamodb
Job       COMPLETED 2026-06-18T19:47:35.547Z
Entities  1 on this page, 0 not accessed
Page      more behind the marker
Marker    bWFya2Vy

Entity                                             Type  Created               Last access
-------------------------------------------------- ----- --------------------- ---------------------
arn:aws:iam::111122223333:role/service-role/build  ROLE                        2026-05-25T16:29:52Z

Arn       arn:aws:iam::111122223333:policy/build
Created   2024-01-15T08:09:10Z
Service   s3
Job       COMPLETED 2026-06-18T19:47:35.547Z
Entities  none listed
";
    assert_eq!(text(Format::Table, &Layout::default(), &three()), expected);
    for width in [0, 80, 99, 100, u16::MAX] {
        let layout = Layout { width: Some(width), ..Layout::default() };
        let table = text(Format::Table, &layout, &three());
        let widest = table.lines().map(str::len).max().unwrap();
        assert!(widest <= usize::from(width.max(80)), "{width}: {table}");
    }
}
