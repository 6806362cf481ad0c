//! Tests of the decision table, a row a test, and of the records of `testdata/events`.

#![expect(clippy::string_slice, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::*;
use crate::event::envelope::{self, Found, Window};

const SET_ASIDE: Switches = Switches {
    root_service_calls: Choice::SetAside,
    forward_access: Choice::SetAside,
    service_linked_roles: Choice::SetAside,
    console_actions: Choice::SetAside,
    console_sign_ins: Choice::SetAside,
};
const COUNT: Switches = Switches {
    root_service_calls: Choice::Count,
    forward_access: Choice::Count,
    service_linked_roles: Choice::Count,
    console_actions: Choice::Count,
    console_sign_ins: Choice::Count,
};

/// An access in words of its own, or the reason why there is none.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Counts {
        account: String,
        arn: Option<String>,
        id: Option<String>,
        answer: Answer,
    },
    Aside(Skip),
    Malformed,
    /// The reader of records calls it no event at all.
    Lookalike(Skip),
}

/// Reads a record as the program does.
fn read(record: &str, each: &mut dyn FnMut(Found<'_>)) {
    let input = envelope::Input::Whole(record.as_bytes());
    envelope::read(input, &mut Window::default(), &mut |_| true, each).unwrap();
}

/// An account, and the ARN and the id of a principal.
type Acting = (String, Option<String>, Option<String>);

/// Decides with nobody to remember who acts.
fn decide<'e>(event: &Event<'e>, switches: &Switches) -> Result<(Acting, Access<'e>), NoAccess> {
    access(event, switches, |identity| {
        actor(identity, switches, |Actor { account, principal }| {
            let arn = principal.arn.as_deref().map(str::to_owned);
            ((*account).to_owned(), arn, principal.id.map(str::to_owned))
        })
    })
}

/// Returns what the program makes of a record.
fn outcome_of(record: &str, switches: &Switches) -> Outcome {
    let mut outcomes = Vec::new();
    let mut each = |found: Found<'_>| {
        outcomes.push(match found {
            Found::Event { event, .. } => match decide(event, switches) {
                Ok(((account, arn, id), access)) => {
                    Outcome::Counts { account, arn, id, answer: access.answer }
                }
                Err(NoAccess::Skip(skip)) => Outcome::Aside(skip),
                Err(NoAccess::Malformed(_)) => Outcome::Malformed,
            },
            Found::Lookalike(lookalike) => Outcome::Lookalike(lookalike.into()),
            Found::Malformed(_) => Outcome::Malformed,
        });
    };
    read(record, &mut each);
    assert_eq!(outcomes.len(), 1, "{record}");
    outcomes.pop().unwrap()
}

fn counts(account: &str, arn: Option<&str>, id: Option<&str>) -> Outcome {
    Outcome::Counts {
        account: account.to_owned(),
        arn: arn.map(str::to_owned),
        id: id.map(str::to_owned),
        answer: Answer::Success,
    }
}

/// Returns a record by `identity`, with further members, which replace those of its kind.
fn record(identity: Value, members: Value) -> String {
    let mut record = json!({
        "eventVersion": "1.11", "eventTime": "2026-01-20T09:00:00Z", "eventType": "AwsApiCall",
        "eventSource": "s3.amazonaws.com", "eventName": "ListBuckets", "awsRegion": "eu-west-1",
        "eventID": "9562c455-8d22-4cbe-ac03-e73bf315a476",
    });
    record["userIdentity"] = identity;
    let Value::Object(members) = members else { panic!("members are an object") };
    for (name, value) in members {
        if value == json!("absent") {
            record.as_object_mut().unwrap().remove(&name);
        } else {
            record[name] = value;
        }
    }
    record.to_string()
}

/// Decides by the default switches.
fn outcome(identity: Value, members: Value) -> Outcome {
    outcome_of(&record(identity, members), &Switches::default())
}

fn user() -> Value {
    json!({"type": "IAMUser", "principalId": "AIDAEXAMPLE", "accountId": "111122223333",
        "arn": "arn:aws:iam::111122223333:user/team/bob", "accessKeyId": "AKIAEXAMPLE"})
}

fn user_counts() -> Outcome {
    counts("111122223333", Some("arn:aws:iam::111122223333:user/team/bob"), Some("AIDAEXAMPLE"))
}

fn role(path: &str) -> Value {
    json!({"type": "AssumedRole", "principalId": "AROAEXAMPLE:session",
        "accountId": "111122223333", "accessKeyId": "ASIAEXAMPLE",
        "arn": "arn:aws:sts::111122223333:assumed-role/web/session",
        "sessionContext": {"sessionIssuer": {"type": "Role", "principalId": "AROAEXAMPLE",
            "arn": format!("arn:aws:iam::111122223333:role{path}web"),
            "accountId": "111122223333", "userName": "web"}}})
}

fn role_counts(path: &str) -> Outcome {
    let arn = format!("arn:aws:iam::111122223333:role{path}web");
    counts("111122223333", Some(&arn), Some("AROAEXAMPLE"))
}

fn with(mut identity: Value, name: &str, value: Value) -> Value {
    identity[name] = value;
    identity
}

#[test]
fn a1_a_user_counts_by_its_arn_and_id() {
    assert_eq!(outcome(user(), json!({})), user_counts());
    let by_id = json!({"type": "IAMUser", "principalId": "AIDAEXAMPLE", "accountId": "1"});
    assert_eq!(outcome(by_id, json!({})), counts("1", None, Some("AIDAEXAMPLE")));
    let empty = with(user(), "sessionContext", json!({"sessionIssuer": {}}));
    assert_eq!(outcome(empty, json!({})), user_counts());
}

#[test]
fn a1_the_recipients_account_is_not_the_acting_one() {
    assert_eq!(outcome(user(), json!({"recipientAccountId": "999999999999"})), user_counts());
    let nobody = json!({"type": "IAMUser", "principalId": "AIDAEXAMPLE"});
    let recipient = json!({"recipientAccountId": "999999999999"});
    assert_eq!(outcome(nobody, recipient), Outcome::Aside(Skip::Anonymous));
}

#[test]
fn a2_a_session_counts_for_its_role_with_the_roles_path() {
    assert_eq!(outcome(role("/team/"), json!({})), role_counts("/team/"));
    let typed = with(role("/team/"), "type", json!("Role"));
    assert_eq!(outcome(typed, json!({})), role_counts("/team/"));
}

#[test]
fn a2_a_session_without_an_issuer_counts_for_the_role_that_its_arn_names() {
    for context in [json!(null), json!({}), json!({"sessionIssuer": {}}), json!("text")] {
        let session = with(role("/"), "sessionContext", context);
        assert_eq!(outcome(session, json!({})), role_counts("/"));
    }
    let china = json!({"type": "AssumedRole", "principalId": "AROAEXAMPLE",
        "arn": "arn:aws-cn:sts::111122223333:assumed-role/a/b"});
    let arn = Some("arn:aws-cn:iam::111122223333:role/a");
    assert_eq!(outcome(china, json!({})), counts("111122223333", arn, Some("AROAEXAMPLE")));
    let bare = json!({"type": "AssumedRole", "principalId": "AROAEXAMPLE:s", "accountId": "1"});
    assert_eq!(outcome(bare, json!({})), counts("1", None, Some("AROAEXAMPLE")));
    let typed = json!({"type": "Role", "arn": "arn:aws:iam::1:role/a/b", "accountId": "1"});
    assert_eq!(outcome(typed, json!({})), counts("1", Some("arn:aws:iam::1:role/a/b"), None));
}

#[test]
fn a3_a_federated_user_counts_for_the_user_who_asked() {
    let federated = |issuer: Value| {
        json!({"type": "FederatedUser", "principalId": "1:bob", "accountId": "1",
            "arn": "arn:aws:sts::1:federated-user/bob",
            "sessionContext": {"sessionIssuer": issuer}})
    };
    let user = json!({"type": "IAMUser", "principalId": "AIDAEXAMPLE",
        "arn": "arn:aws:iam::1:user/app"});
    let expected = counts("1", Some("arn:aws:iam::1:user/app"), Some("AIDAEXAMPLE"));
    assert_eq!(outcome(federated(user), json!({})), expected);
    let root = json!({"type": "Root", "principalId": "1", "arn": "arn:aws:iam::1:root"});
    for issuer in [root, json!({}), json!(null)] {
        assert_eq!(outcome(federated(issuer), json!({})), counts("1", None, None));
    }
}

#[test]
fn a4_the_root_user_counts_as_itself() {
    let root = json!({"type": "Root", "principalId": "1", "accountId": "1",
        "arn": "arn:aws:iam::1:root"});
    let expected = || counts("1", Some("arn:aws:iam::1:root"), None);
    assert_eq!(outcome(root.clone(), json!({})), expected());
    let assumed = with(root, "sessionContext", json!({"assumedRoot": "true"}));
    assert_eq!(
        outcome(with(assumed, "invokedBy", json!("sts.amazonaws.com")), json!({})),
        expected()
    );
    let without = json!({"type": "Root", "principalId": "1", "accountId": "1"});
    assert_eq!(outcome(without, json!({})), expected());
}

#[test]
fn a5_a_service_call_as_root_is_set_aside_unless_the_switch_says_otherwise() {
    let call = json!({"type": "Root", "principalId": "1", "accountId": "1",
        "arn": "arn:aws:iam::1:root", "invokedBy": "autoscaling.amazonaws.com"});
    let root = || counts("1", Some("arn:aws:iam::1:root"), None);
    let plain = record(call.clone(), json!({}));
    assert_eq!(outcome_of(&plain, &Switches::default()), Outcome::Aside(Skip::RootServiceCall));
    assert_eq!(outcome_of(&plain, &COUNT), root());
    for (name, value) in [
        ("accessKeyId", json!("ASIAEXAMPLE")),
        ("sessionContext", json!({})),
        ("invokedBy", json!("")),
        ("invokedBy", json!(null)),
    ] {
        let record = record(with(call.clone(), name, value), json!({}));
        assert_eq!(outcome_of(&record, &SET_ASIDE), root(), "{record}");
    }
}

#[test]
fn a6_authenticated_attempts_that_failed_count() {
    for (code, expected) in [
        ("AccessDenied", Answer::Denied),
        ("AccessDeniedException", Answer::Denied),
        ("Access Denied", Answer::Denied),
        ("Client.UnauthorizedOperation", Answer::Denied),
        ("UnauthorizedAccess", Answer::Denied),
        ("NotAuthorizedException", Answer::Denied),
        ("AuthorizationErrorException", Answer::Denied),
        ("Forbidden", Answer::Denied),
        ("ThrottlingException", Answer::Failed),
        ("Client.DryRunOperation", Answer::Failed),
        ("ValidationException", Answer::Failed),
        ("ExpiredCodeException", Answer::Failed),
        ("Server.InternalError", Answer::Failed),
        ("AuthFailureNot", Answer::Failed),
        ("", Answer::Success),
    ] {
        let Outcome::Counts { account, answer, .. } = outcome(user(), json!({"errorCode": code}))
        else {
            panic!("{code} does not count");
        };
        assert_eq!((account.as_str(), answer), ("111122223333", expected), "{code}");
    }
    let message = outcome(user(), json!({"errorMessage": "no such bucket"}));
    assert!(matches!(message, Outcome::Counts { answer: Answer::Failed, .. }));
}

#[test]
fn a7_requests_that_were_not_authenticated_never_count() {
    for code in [
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "RequestExpired",
        "TokenRefreshRequired",
        "InvalidIdentityToken",
        "InvalidIdentityTokenException",
    ] {
        for prefix in ["", "Client."] {
            let code = format!("{prefix}{code}");
            let expected = Outcome::Aside(Skip::AuthenticationFailed);
            for identity in [user(), Value::Null, json!({"type": "AWSService"}), json!({})] {
                let record = record(identity, json!({"errorCode": code}));
                assert_eq!(outcome_of(&record, &COUNT), expected, "{record}");
            }
        }
    }
}

#[test]
fn a8_the_owners_copy_counts_for_the_callers_account() {
    let caller = json!({"type": "AWSAccount", "principalId": "AROAEXAMPLE:session",
        "accountId": "222222222222"});
    let members = json!({"recipientAccountId": "111122223333", "sharedEventID": "x"});
    let expected = counts("222222222222", None, Some("AROAEXAMPLE"));
    assert_eq!(outcome(caller, members.clone()), expected);
    let bare = json!({"type": "AWSAccount", "principalId": "222222222222",
        "accountId": "222222222222"});
    assert_eq!(outcome(bare, members.clone()), counts("222222222222", None, None));
    let nobody = json!({"type": "AWSAccount", "principalId": "AIDAEXAMPLE"});
    assert!(matches!(outcome(nobody, members), Outcome::Aside(_)));
}

#[test]
fn a9_an_account_that_no_organization_knows_is_kept() {
    for account in ["999999999999", "000000000001", "12345", "redacted", "a:b"] {
        let identity = with(user(), "accountId", json!(account));
        let Outcome::Counts { account: acting, .. } = outcome(identity, json!({})) else {
            panic!("{account} does not count");
        };
        assert_eq!(acting, account);
    }
}

#[test]
fn a10_anonymous_requests_never_count() {
    for identity in [
        json!({"type": "AWSAccount", "principalId": "", "accountId": "ANONYMOUS_PRINCIPAL"}),
        json!({"type": "AWSAccount", "principalId": "x", "accountId": "anonymous"}),
        json!({"type": "AWSAccount", "principalId": "ANONYMOUS_PRINCIPAL", "accountId": "1"}),
        json!({"type": "IAMUser", "principalId": "AIDAEXAMPLE"}),
        json!({"type": "IAMUser", "principalId": "AIDAEXAMPLE", "accountId": "", "arn": ""}),
        json!({"type": "Unknown"}),
        json!({}),
        json!(null),
        json!("root"),
    ] {
        let record = record(identity, json!({}));
        assert_eq!(outcome_of(&record, &COUNT), Outcome::Aside(Skip::Anonymous), "{record}");
    }
}

#[test]
fn a11_services_of_aws_never_count() {
    for identity in [
        json!({"type": "AWSService", "invokedBy": "ec2.amazonaws.com"}),
        json!({"type": "AWSService", "accountId": "1", "invokedBy": "ec2.amazonaws.com"}),
    ] {
        let record = record(identity, json!({}));
        assert_eq!(outcome_of(&record, &COUNT), Outcome::Aside(Skip::AwsService));
    }
}

#[test]
fn a12_what_a_service_does_with_a_role_counts_unless_the_switch_says_otherwise() {
    for service in ["cloudformation.amazonaws.com", "AWS Internal"] {
        let record = record(with(role("/"), "invokedBy", json!(service)), json!({}));
        assert_eq!(outcome_of(&record, &Switches::default()), role_counts("/"));
        let switches = Switches { forward_access: Choice::SetAside, ..COUNT };
        assert_eq!(outcome_of(&record, &switches), Outcome::Aside(Skip::ForwardAccess));
    }
    let plain = record(role("/"), json!({}));
    assert_eq!(outcome_of(&plain, &SET_ASIDE), role_counts("/"));
    let user = record(with(user(), "invokedBy", json!("s3.amazonaws.com")), json!({}));
    assert_eq!(outcome_of(&user, &SET_ASIDE), user_counts());
}

#[test]
fn a13_service_linked_roles_count_unless_the_switch_says_otherwise() {
    let path = "/aws-service-role/ecs.amazonaws.com/";
    let record = record(role(path), json!({}));
    assert_eq!(outcome_of(&record, &Switches::default()), role_counts(path));
    let switches = Switches { service_linked_roles: Choice::SetAside, ..COUNT };
    assert_eq!(outcome_of(&record, &switches), Outcome::Aside(Skip::ServiceLinkedRole));
    let service_role = self::record(role("/service-role/"), json!({}));
    assert_eq!(outcome_of(&service_role, &SET_ASIDE), role_counts("/service-role/"));
}

#[test]
fn a14_web_and_saml_identities_never_count() {
    for kind in ["SAMLUser", "WebIdentityUser"] {
        for identity in [
            json!({"type": kind, "principalId": "x:y:z", "userName": "z"}),
            json!({"type": kind, "accountId": "1", "arn": "arn:aws:iam::1:user/a"}),
        ] {
            let record = record(identity, json!({}));
            assert_eq!(outcome_of(&record, &COUNT), Outcome::Aside(Skip::WebOrSamlIdentity));
        }
    }
}

#[test]
fn a15_other_types_count_by_an_arn_of_iam_only() {
    for kind in [json!("IdentityCenterUser"), json!("Directory"), json!("Unknown"), json!(null)] {
        let by = |arn: &str| json!({"type": kind, "accountId": "1", "arn": arn});
        for (arn, counted) in [
            ("arn:aws:iam::1:user/a", "arn:aws:iam::1:user/a"),
            ("arn:aws:iam::1:root", "arn:aws:iam::1:root"),
            ("arn:aws:iam::1:role/a", "arn:aws:iam::1:role/a"),
            ("arn:aws:sts::1:assumed-role/a/b", "arn:aws:iam::1:role/a"),
        ] {
            assert_eq!(outcome(by(arn), json!({})), counts("1", Some(counted), None), "{arn}");
        }
        for arn in ["", "a", "arn:aws:iam::1:group/a", "arn:aws:sts::1:federated-user/a"] {
            let record = record(by(arn), json!({}));
            assert_eq!(outcome_of(&record, &COUNT), Outcome::Aside(Skip::NoIamPrincipal), "{arn}");
        }
    }
    let center = json!({"type": "IdentityCenterUser", "accountId": "1", "arn": "",
        "onBehalfOf": {"userId": "x"}, "credentialId": "y"});
    assert_eq!(outcome(center, json!({})), Outcome::Aside(Skip::NoIamPrincipal));
}

#[test]
fn a16_service_events_never_count() {
    for identity in [json!({"accountId": "1", "invokedBy": "AWS Internal"}), role("/"), user()] {
        let record = record(identity, json!({"eventType": "AwsServiceEvent"}));
        assert_eq!(outcome_of(&record, &COUNT), Outcome::Aside(Skip::AwsServiceEvent));
    }
}

#[test]
fn a17_console_actions_count_unless_the_switch_says_otherwise() {
    let record = record(user(), json!({"eventType": "AwsConsoleAction"}));
    assert_eq!(outcome_of(&record, &Switches::default()), user_counts());
    let switches = Switches { console_actions: Choice::SetAside, ..COUNT };
    assert_eq!(outcome_of(&record, &switches), Outcome::Aside(Skip::ConsoleAction));
    let nobody = self::record(json!({"type": "Unknown"}), json!({"eventType": "AwsConsoleAction"}));
    assert_eq!(outcome_of(&nobody, &COUNT), Outcome::Aside(Skip::Anonymous));
}

fn sign_in(name: &str, members: Value) -> String {
    let mut all = json!({"eventType": "AwsConsoleSignIn", "eventName": name,
        "eventSource": "signin.amazonaws.com", "responseElements": {name: "Success"}});
    let Value::Object(members) = members else { panic!("members are an object") };
    all.as_object_mut().unwrap().extend(members);
    record(user(), all)
}

#[test]
fn a18_signing_in_is_set_aside_unless_the_switch_says_otherwise() {
    for record in [
        sign_in("ConsoleLogin", json!({})),
        sign_in("SwitchRole", json!({})),
        sign_in("ConsoleLogin", json!({"eventType": "absent"})),
        sign_in("ConsoleLogin", json!({"eventType": "AwsApiCall"})),
    ] {
        let aside = Outcome::Aside(Skip::ConsoleSignIn);
        assert_eq!(outcome_of(&record, &Switches::default()), aside, "{record}");
        assert_eq!(outcome_of(&record, &COUNT), user_counts(), "{record}");
    }
}

#[test]
fn a19_failing_to_sign_in_never_counts() {
    for record in [
        sign_in("ConsoleLogin", json!({"responseElements": {"ConsoleLogin": "Failure"}})),
        sign_in("ConsoleLogin", json!({"errorMessage": "Failed authentication"})),
        sign_in("ConsoleLogin", json!({"errorCode": "x", "eventType": "absent"})),
        sign_in("SwitchRole", json!({"responseElements": {"SwitchRole": "Failure"}})),
    ] {
        for switches in [COUNT, SET_ASIDE] {
            let aside = Outcome::Aside(Skip::FailedConsoleSignIn);
            assert_eq!(outcome_of(&record, &switches), aside, "{record}");
        }
    }
}

/// Returns whether a record is counted as a data event.
fn is_data(members: Value) -> bool {
    let record = record(user(), members);
    let mut is_data = None;
    let mut each = |found: Found<'_>| {
        if let Found::Event { event, .. } = found {
            is_data = decide(event, &COUNT).ok().map(|(_, access)| access.is_data_event);
        }
    };
    read(&record, &mut each);
    is_data.unwrap()
}

#[test]
fn a20_data_events_count_and_are_marked() {
    let data = json!({"eventCategory": "Data", "managementEvent": false});
    assert_eq!(outcome(user(), data.clone()), user_counts());
    assert!(is_data(data));
    assert!(is_data(json!({"managementEvent": false})));
    assert!(is_data(json!({"managementEvent": "false"})));
    assert!(!is_data(json!({"managementEvent": true})));
    assert!(!is_data(json!({"eventCategory": "Management", "managementEvent": false})));
    assert!(!is_data(json!({})));
    assert!(is_data(json!({"eventCategory": "data"})));
    assert!(is_data(json!({"eventCategory": "", "managementEvent": false})));
}

#[test]
fn a21_network_activity_counts_for_the_caller_by_id() {
    for kind in ["AwsVpceEvent", "AwsVpceEvents"] {
        let caller = json!({"type": "AWSAccount", "principalId": "AIDAEXAMPLE", "accountId": "2"});
        let members = json!({"eventType": kind, "eventCategory": "NetworkActivity",
            "managementEvent": false, "recipientAccountId": "1"});
        assert_eq!(outcome(caller, members.clone()), counts("2", None, Some("AIDAEXAMPLE")));
        assert!(!is_data(members));
    }
}

#[test]
fn a22_insights_aggregates_digests_and_strangers_never_count() {
    for (members, skip) in [
        (json!({"eventType": "AwsCloudTrailInsight"}), Skip::Insight),
        (json!({"eventCategory": "Insight"}), Skip::Insight),
        (json!({"insightDetails": {"state": "Start"}}), Skip::Insight),
        (json!({"eventType": "AwsAggregatedEvent"}), Skip::Aggregated),
        (json!({"eventCategory": "Aggregated"}), Skip::Aggregated),
    ] {
        let record = record(user(), members);
        assert_eq!(outcome_of(&record, &COUNT), Outcome::Aside(skip), "{record}");
    }
    assert_eq!(outcome(user(), json!({"insightDetails": null})), user_counts());
    let insight = r#"{"eventVersion":"1.08","eventTime":"x","eventType":"AwsCloudTrailInsight"}"#;
    assert_eq!(outcome_of(insight, &COUNT), Outcome::Aside(Skip::Insight));
    for (record, skip) in [
        (r#"{"digestStartTime":"x","logFiles":[]}"#, Skip::Digest),
        (r#"{"configurationItemVersion":"1.3"}"#, Skip::Config),
        (r#"{"eventSource":"aws:s3","eventName":"x"}"#, Skip::NotCloudTrail),
        ("{}", Skip::NotCloudTrail),
    ] {
        assert_eq!(outcome_of(record, &COUNT), Outcome::Lookalike(skip), "{record}");
    }
}

#[test]
fn a23_a_source_that_no_service_claims_counts() {
    assert_eq!(outcome(user(), json!({"eventSource": "quantumfax.amazonaws.com"})), user_counts());
}

#[test]
fn a24_a_record_without_a_type_is_an_api_call() {
    let old = json!({"eventVersion": "1.0", "eventType": "absent", "eventID": "absent",
        "eventName": "absent", "awsRegion": ""});
    let record = record(user(), old);
    assert_eq!(outcome_of(&record, &SET_ASIDE), user_counts());
}

#[test]
fn a25_an_access_is_told_by_the_record_alone() {
    // `access` takes no name: an account in the bytes around the record has no say either.
    let wrapped = format!(
        r#"{{"account":"999999999999","region":"x","detail":{}}}"#,
        record(user(), json!({}))
    );
    assert_eq!(outcome_of(&wrapped, &COUNT), user_counts());
}

#[test]
fn a26_the_last_of_duplicate_members_decides() {
    let plain = record(user(), json!({}));
    let twice = |member: &str| format!("{},{member}}}", plain.strip_suffix('}').unwrap());
    let service = twice(r#""userIdentity":{"type":"AWSService"}"#);
    assert_eq!(outcome_of(&service, &COUNT), Outcome::Aside(Skip::AwsService));
    assert_eq!(outcome_of(&twice(r#""userIdentity":7"#), &COUNT), Outcome::Aside(Skip::Anonymous));
    assert_eq!(outcome_of(&twice(r#""eventTime":null"#), &COUNT), Outcome::Malformed);
    assert_eq!(outcome_of(&twice(r#""errorCode":["AuthFailure"]"#), &COUNT), user_counts());
    let escaped = twice(r#""error\u0043ode":"AuthFailure""#);
    assert_eq!(outcome_of(&escaped, &COUNT), Outcome::Aside(Skip::AuthenticationFailed));
}

#[test]
fn v2_only_what_would_count_is_malformed() {
    for members in [
        json!({"eventTime": "absent"}),
        json!({"eventTime": "yesterday"}),
        json!({"eventTime": 1768899600}),
        json!({"eventSource": "absent"}),
        json!({"eventSource": ""}),
    ] {
        assert_eq!(outcome(user(), members.clone()), Outcome::Malformed, "{members}");
        let service = outcome(json!({"type": "AWSService"}), members);
        assert_eq!(service, Outcome::Aside(Skip::AwsService));
    }
    assert_eq!(
        outcome(
            user(),
            json!({"eventTime": "absent", "@timestamp": "2026-01-20 09:00:00.123456789"})
        ),
        user_counts()
    );
}

#[test]
fn v2_an_identity_that_is_no_json_makes_its_own_record_malformed_and_no_other() {
    let whole = record(user(), json!({}));
    let broken = whole.replace("\"AIDAEXAMPLE\"", "AIDAEXAMPLE");
    assert_ne!(broken, whole);
    let stream = format!("{broken}\n{whole}\n{broken}\n{whole}");
    let mut decided = Vec::new();
    read(&stream, &mut |found| {
        if let Found::Event { event, .. } = found {
            decided.push(decide(event, &COUNT).map(|(acting, _)| acting.0));
        }
    });
    let malformed = Err(NoAccess::Malformed("userIdentity is not JSON"));
    let counted = Ok("111122223333".to_owned());
    assert_eq!(decided, [malformed.clone(), counted.clone(), malformed, counted]);
    // What is set aside whoever it names is set aside.
    let service = broken.replace("AwsApiCall", "AwsServiceEvent");
    assert_eq!(outcome_of(&service, &COUNT), Outcome::Aside(Skip::AwsServiceEvent));
}

#[test]
fn c2_the_scalable_service_is_kept_for_auto_scaling_alone() {
    let namespace = |source: &str, parameters: Value| {
        let members = json!({"eventSource": source, "requestParameters": parameters});
        let record = record(user(), members);
        let mut found = None;
        let mut each = |record: Found<'_>| {
            if let Found::Event { event, .. } = record {
                let (_, access) = decide(event, &COUNT).unwrap();
                found = access.service_namespace.map(Cow::into_owned);
            }
        };
        read(&record, &mut each);
        found
    };
    let auto_scaling = "autoscaling.amazonaws.com";
    let ecs = json!({"serviceNamespace": "ecs"});
    assert_eq!(namespace(auto_scaling, ecs.clone()).as_deref(), Some("ecs"));
    assert_eq!(namespace("s3.amazonaws.com", ecs), None);
    for parameters in [json!(null), json!({}), json!({"serviceNamespace": ""}), json!("ecs")] {
        assert_eq!(namespace(auto_scaling, parameters), None);
    }
}

#[test]
fn every_reason_is_listed_once_and_has_words_of_its_own() {
    let words: std::collections::BTreeSet<String> =
        Skip::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(words.len(), Skip::ALL.len());
    assert!(Skip::ALL.is_sorted());
    assert_eq!(Skip::ALL.last(), Some(&Skip::OutsidePeriod));
}

/// Returns the text of the member `Record`, with the duplicates that a JSON value would lose.
fn record_text(case: &str) -> &str {
    let start = case.find("\"Record\":").unwrap() + "\"Record\":".len();
    let end = case.rfind(",\n\"Expected\"").unwrap();
    &case[start..end]
}

#[test]
fn a1_to_a26_every_record_of_the_testdata_is_decided_as_written_beside_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/events");
    let mut rules: BTreeMap<String, usize> = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let case = fs::read_to_string(&path).unwrap();
        let labels: Map<String, Value> = serde_json::from_str(&case).unwrap();
        let decided = match outcome_of(record_text(&case), &Switches::default()) {
            Outcome::Counts { account, arn, id, .. } => {
                json!({"Counts": true, "Account": account, "Principal": arn.or(id)})
            }
            Outcome::Aside(skip) | Outcome::Lookalike(skip) => {
                json!({"Counts": false, "Reason": skip.to_string()})
            }
            Outcome::Malformed => json!({"Counts": false, "Reason": "malformed"}),
        };
        assert_eq!(decided, labels["Expected"], "{}", path.display());
        *rules.entry(labels["Rule"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    assert!(rules.len() >= 25 && rules.values().sum::<usize>() >= 100, "{rules:?}");
}
