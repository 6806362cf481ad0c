//! Tests of who decides for whom, of whose access it is, and of each thing that can be wrong with
//! a snapshot.

use std::fs;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::{ProptestConfig, any, prop, proptest};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;

const ACCOUNT: &str = "111122223333";
const ALICE: &str = "arn:aws:iam::111122223333:user/staff/alice";
const BOB: &str = "arn:aws:iam::111122223333:user/bob";
const STAFF: &str = "arn:aws:iam::111122223333:group/staff";
const BATCH: &str = "arn:aws:iam::111122223333:role/jobs/nightly/batch";
const OWN: &str = "arn:aws:iam::111122223333:policy/jobs/own";
const AWS_OWN: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";
const ALICE_ID: &str = "AIDAEXAMPLEALICE00001";
const BATCH_ID: &str = "AROAEXAMPLEBATCH00001";

/// All but letters, digits and the plus sign.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'+');

fn allow(action: &str) -> Value {
    json!({"Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]})
}

fn policy_of(action: &str) -> Policy {
    Policy::from_value(&allow(action)).unwrap()
}

/// Two users, of whom alice is in a group; a role; a policy of the account and one of AWS.
fn sample() -> Value {
    json!({
        "UserDetailList": [
            {"Path": "/staff/", "UserName": "alice", "UserId": ALICE_ID, "Arn": ALICE,
             "CreateDate": "2019-12-18T19:10:08+00:00", "GroupList": ["staff"],
             "UserPolicyList": [{"PolicyName": "in", "PolicyDocument": allow("sqs:*")}],
             "AttachedManagedPolicies": [{"PolicyName": "own", "PolicyArn": OWN}],
             "PermissionsBoundary": {"PermissionsBoundaryArn": OWN}, "Tags": []},
            {"Path": "/", "UserName": "bob", "UserId": "AIDAEXAMPLEBOB0000001", "Arn": BOB,
             "CreateDate": "2019-12-18 19:10:08+00:00"}],
        "GroupDetailList": [
            {"Path": "/", "GroupName": "staff", "GroupId": "AGPAEXAMPLESTAFF00001", "Arn": STAFF,
             "GroupPolicyList": [{"PolicyName": "in", "PolicyDocument": allow("sns:*")}],
             "AttachedManagedPolicies": [{"PolicyName": "ReadOnlyAccess", "PolicyArn": AWS_OWN}]}],
        "RoleDetailList": [
            {"Path": "/jobs/nightly/", "RoleName": "batch", "RoleId": BATCH_ID, "Arn": BATCH,
             "CreateDate": 1_576_696_208.25, "AssumeRolePolicyDocument": "%7Bnot read",
             "RoleLastUsed": {"LastUsedDate": "2026-01-02T03:04:05Z", "Region": "eu-west-1"},
             "RolePolicyList": [{"PolicyName": "in", "PolicyDocument": allow("sqs:*")}],
             "AttachedManagedPolicies": [{"PolicyName": "own", "PolicyArn": OWN}],
             "InstanceProfileList": [{"Roles": [1]}]}],
        "Policies": [
            {"PolicyName": "own", "PolicyId": "ANPAEXAMPLEOWN0000001", "Arn": OWN,
             "Path": "/jobs/", "DefaultVersionId": "v2", "PolicyVersionList": [
                {"VersionId": "v3", "IsDefaultVersion": false, "Document": allow("ec2:*")},
                {"VersionId": "v2", "IsDefaultVersion": true, "Document": allow("s3:*")}]},
            {"PolicyName": "ReadOnlyAccess", "PolicyId": "ANPAEXAMPLEREAD000001",
             "Arn": AWS_OWN, "Path": "/", "DefaultVersionId": "v9", "PolicyVersionList": [
                {"VersionId": "v9", "IsDefaultVersion": true, "Document": allow("*")}]}],
        "IsTruncated": false,
    })
}

fn load_path(path: &Path) -> Result<Identities, String> {
    Identities::load(path).map_err(|error| format!("{:#}", anyhow::Error::from(error)))
}

fn load_bytes(bytes: impl AsRef<[u8]>) -> Result<Identities, String> {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("identities.json");
    fs::write(&path, bytes).unwrap();
    load_path(&path)
}

fn load(snapshot: &Value) -> Result<Identities, String> {
    load_bytes(snapshot.to_string())
}

/// Loads a directory of these files.
fn load_files<S: AsRef<[u8]>>(files: &[(&str, S)]) -> Result<Identities, String> {
    let directory = TempDir::new().unwrap();
    for (name, content) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    load_path(directory.path())
}

fn load_values(files: &[(&str, &Value)]) -> Result<Identities, String> {
    let files: Vec<(&str, String)> =
        files.iter().map(|(name, value)| (*name, value.to_string())).collect();
    load_files(&files)
}

fn changed(change: impl FnOnce(&mut Value)) -> Value {
    let mut snapshot = sample();
    change(&mut snapshot);
    snapshot
}

fn remove(value: &mut Value, member: &str) {
    value.as_object_mut().unwrap().remove(member).unwrap();
}

/// Checks that the sample with one change is an error that says all of this, and the file.
#[track_caller]
fn refused(change: impl FnOnce(&mut Value), says: &[&str]) {
    says_all(&load(&changed(change)).unwrap_err(), says);
}

#[track_caller]
fn says_all(error: &str, says: &[&str]) {
    for part in says.iter().chain(&[".json: "]) {
        assert!(error.contains(part), "`{error}` does not say `{part}`");
    }
}

fn of<'i>(identities: &'i Identities, arn: &str) -> &'i Identity {
    identities.identity(identities.find(arn).unwrap())
}

/// Returns the ARNs of those whose accesses count.
fn principals<'i>(identities: &'i Identities, arn: &str) -> Vec<&'i str> {
    let of = of(identities, arn).principals.iter();
    of.map(|index| identities.identity(*index).arn.as_str()).collect()
}

/// Checks that an identity has exactly the documents that allow one of these actions each.
#[track_caller]
fn decides(identities: &Identities, arn: &str, actions: &[&str]) {
    let documents = &of(identities, arn).documents;
    assert!(documents.is_sorted_by(|one, other| one < other));
    let found: Vec<&Policy> = documents.iter().map(|index| identities.document(*index)).collect();
    assert_eq!(found.len(), actions.len(), "{arn}: {found:?}");
    for action in actions {
        assert!(found.contains(&&policy_of(action)), "{arn}: {action}");
    }
}

#[test]
fn i1_own_and_attached_documents_decide_and_for_users_those_of_their_groups() {
    let identities = load(&sample()).unwrap();
    decides(&identities, ALICE, &["sqs:*", "s3:*", "sns:*", "*"]);
    decides(&identities, BOB, &[]);
    decides(&identities, STAFF, &["sns:*", "*"]);
    decides(&identities, BATCH, &["sqs:*", "s3:*"]);
    decides(&identities, OWN, &["s3:*"]);
    decides(&identities, AWS_OWN, &["*"]);
    // Equal documents are one, and the version that is not in force is none.
    assert_eq!(identities.documents().len(), 4);
    assert!(identities.identities().all(|(_, identity)| identity.missing.is_empty()));
    assert!(identities.missing().is_empty());
}

#[test]
fn i1_accesses_of_members_and_of_those_with_the_policy_count() {
    let identities = load(&sample()).unwrap();
    assert_eq!(principals(&identities, ALICE), [ALICE]);
    assert_eq!(principals(&identities, BOB), [BOB]);
    assert_eq!(principals(&identities, STAFF), [ALICE]);
    assert_eq!(principals(&identities, BATCH), [BATCH]);
    assert_eq!(principals(&identities, OWN), [BATCH, ALICE]);
    assert_eq!(principals(&identities, AWS_OWN), [ALICE]);
}

#[test]
fn a_policy_that_comes_to_a_user_on_several_ways_counts_it_once() {
    let identities = load(&changed(|snapshot| {
        let attached = snapshot["GroupDetailList"][0]["AttachedManagedPolicies"].clone();
        snapshot["UserDetailList"][0]["AttachedManagedPolicies"] = attached;
        snapshot["UserDetailList"][0]["GroupList"] = json!(["STAFF", "staff", "second"]);
        let mut second = snapshot["GroupDetailList"][0].clone();
        second["GroupName"] = "second".into();
        second["Arn"] = STAFF.replace("staff", "second").into();
        snapshot["GroupDetailList"].as_array_mut().unwrap().push(second);
    }))
    .unwrap();
    assert_eq!(principals(&identities, AWS_OWN), [ALICE]);
    assert_eq!(principals(&identities, STAFF), [ALICE]);
    decides(&identities, ALICE, &["sqs:*", "sns:*", "*"]);
}

#[test]
fn members_are_kept_as_aws_names_them() {
    let identities = load(&sample()).unwrap();
    let arns: Vec<&str> = identities.identities().map(|(_, it)| it.arn.as_str()).collect();
    assert_eq!(arns, [STAFF, OWN, BATCH, BOB, ALICE, AWS_OWN]);
    for (position, (index, identity)) in identities.identities().enumerate() {
        assert_eq!(index.position(), position);
        assert_eq!(identities.find(&identity.arn), Some(index));
    }
    let role = of(&identities, BATCH);
    assert_eq!((role.kind, role.name.as_str(), role.id.as_str()), {
        (IdentityKind::Role, "batch", BATCH_ID)
    });
    assert_eq!((role.path.as_str(), role.account.as_str()), ("/jobs/nightly/", ACCOUNT));
    assert_eq!(role.create_date, Some(Time::from_micros(1_576_696_208_250_000)));
    let time = Time::parse(b"2026-01-02T03:04:05Z").unwrap();
    let used = RoleLastUsed { time, region: Some("eu-west-1".to_owned()) };
    assert_eq!(role.role_last_used, Some(used));
    let date = Time::parse(b"2019-12-18T19:10:08Z");
    assert_eq!(
        (of(&identities, ALICE).create_date, of(&identities, BOB).create_date),
        (date, date)
    );
    assert_eq!(of(&identities, AWS_OWN).account, "aws");
    assert_eq!(identities.accounts().iter().collect::<Vec<_>>(), [ACCOUNT]);
}

#[test]
fn what_odd_snapshots_leave_out_comes_from_the_arn_or_is_empty() {
    let identities = load(&json!({
        "UserDetailList": null,
        "RoleDetailList": [{"Arn": BATCH, "RoleLastUsed": {}, "RolePolicyList": null}],
        "GroupDetailList": [{"Arn": STAFF, "Path": "", "GroupName": "", "GroupId": null}],
    }))
    .unwrap();
    let role = of(&identities, BATCH);
    assert_eq!((role.name.as_str(), role.path.as_str()), ("batch", "/jobs/nightly/"));
    assert_eq!((role.id.as_str(), role.create_date), ("", None));
    assert_eq!(role.role_last_used, None);
    assert_eq!((of(&identities, STAFF).name.as_str(), of(&identities, STAFF).path.as_str()), {
        ("staff", "/")
    });
    assert!(identities.shared_ids().is_empty());
}

#[test]
fn documents_are_read_as_objects_and_as_text_url_encoded_or_not() {
    let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*",
        "Resource":"arn:aws:s3:::a+b/%41"}}"#;
    let plain = Policy::parse(text).unwrap();
    let encoded = utf8_percent_encode(text, ESCAPED).to_string();
    let object: Value = serde_json::from_str(text).unwrap();
    for document in [object, text.into(), format!(" \n{text}").into(), encoded.into()] {
        let identities = load(&changed(|snapshot| {
            snapshot["RoleDetailList"][0]["RolePolicyList"][0]["PolicyDocument"] = document.clone();
            snapshot["Policies"][0]["PolicyVersionList"][1]["Document"] = document.clone();
        }))
        .unwrap();
        let role = of(&identities, BATCH);
        let documents: Vec<&Policy> =
            role.documents.iter().map(|index| identities.document(*index)).collect();
        assert_eq!(documents, [&plain], "{document}");
    }
}

#[test]
fn a_byte_order_mark_is_skipped() {
    let bytes = format!("\u{feff}{}", sample());
    assert_eq!(load_bytes(&bytes).unwrap(), load(&sample()).unwrap());
    assert_eq!(load_files(&[("a.json", &bytes)]).unwrap(), load(&sample()).unwrap());
}

#[test]
fn what_the_snapshot_lacks_is_named_with_those_who_say_so() {
    let identities = load(&changed(|snapshot| {
        snapshot["Policies"].as_array_mut().unwrap().clear();
        snapshot["UserDetailList"][1]["GroupList"] = json!(["gone", "staff"]);
    }))
    .unwrap();
    let names = |arn| of(&identities, arn).missing.clone();
    assert_eq!(names(ALICE), [OWN, AWS_OWN]);
    assert_eq!(names(BOB), [AWS_OWN, "group/gone"]);
    assert_eq!(names(STAFF), [AWS_OWN]);
    assert_eq!(names(BATCH), [OWN]);
    let by: Vec<(&str, Vec<&str>)> = identities
        .missing()
        .iter()
        .map(|(name, by)| {
            let by = by.iter().map(|index| identities.identity(*index).arn.as_str());
            (name.as_str(), by.collect())
        })
        .collect();
    assert_eq!(by, [(OWN, vec![BATCH, ALICE]), (AWS_OWN, vec![STAFF]), ("group/gone", vec![BOB])]);
}

#[test]
fn i7_activity_follows_the_id_whatever_the_arn_was() {
    let identities = load(&sample()).unwrap();
    let alice = identities.find(ALICE);
    let renamed = "arn:aws:iam::111122223333:user/interns/alicia";
    for arn in [Some(renamed), Some(BOB), Some(ALICE), None] {
        assert_eq!(identities.principal(arn, Some(ALICE_ID)), alice, "{arn:?}");
    }
}

#[test]
fn i7_a_former_holder_of_the_name_is_not_the_one_of_today() {
    let identities = load(&sample()).unwrap();
    let former = |arn, id| identities.principal(Some(arn), Some(id));
    assert_eq!(former(ALICE, "AIDAEXAMPLEALICE00000"), None);
    assert_eq!(former(BATCH, "AROAEXAMPLEBATCH00000"), None);
    let session = "arn:aws:iam::111122223333:role/batch";
    assert_eq!(former(session, "AROAEXAMPLEBATCH00000"), None);
    assert_eq!(former(session, BATCH_ID), identities.find(BATCH));
    // What is no id of AWS's says nothing.
    for placeholder in ["EX_PRINCIPAL_ID", "AIDAEXAMPLE", "aidaexamplealice00000", ""] {
        assert_eq!(former(ALICE, placeholder), identities.find(ALICE), "{placeholder}");
    }
    let placeholders = load(&changed(|snapshot| {
        snapshot["UserDetailList"][0]["UserId"] = "fbori49qf521fxur41st".into();
        remove(&mut snapshot["RoleDetailList"][0], "RoleId");
    }))
    .unwrap();
    for (arn, id) in [(ALICE, ALICE_ID), (BATCH, BATCH_ID), (session, BATCH_ID)] {
        assert!(placeholders.principal(Some(arn), Some(id)).is_some(), "{arn}");
    }
}

#[test]
fn i7_an_id_that_several_bear_tells_nobody() {
    let identities = load(&changed(|snapshot| {
        snapshot["UserDetailList"][0]["UserId"] = "EX_PRINCIPAL_ID".into();
        snapshot["RoleDetailList"][0]["RoleId"] = "EX_PRINCIPAL_ID".into();
    }))
    .unwrap();
    assert_eq!(identities.shared_ids().iter().collect::<Vec<_>>(), ["EX_PRINCIPAL_ID"]);
    assert_eq!(identities.principal(None, Some("EX_PRINCIPAL_ID")), None);
    let by_arn = identities.principal(Some(BATCH), Some("EX_PRINCIPAL_ID"));
    assert_eq!(by_arn, identities.find(BATCH));
}

#[test]
fn i7_a_shared_id_makes_nobody_a_former_holder() {
    let identities = load(&changed(|snapshot| {
        for user in [0, 1] {
            snapshot["UserDetailList"][user]["UserId"] = "AIDAIOSFODNN7EXAMPLE".into();
        }
    }))
    .unwrap();
    let found = identities.principal(Some(ALICE), Some("AIDA2222222222222222"));
    assert_eq!(found, identities.find(ALICE));
}

#[test]
fn i2_a_policy_lacks_the_members_of_a_group_that_is_not_there() {
    let identities = load(&changed(|snapshot| {
        snapshot["GroupDetailList"] = json!([]);
    }))
    .unwrap();
    for arn in [OWN, AWS_OWN, ALICE] {
        assert!(of(&identities, arn).missing.contains(&"group/staff".to_owned()), "{arn}");
    }
    assert!(of(&identities, BOB).missing.is_empty());
}

#[test]
fn what_may_be_a_reply_in_another_form_is_refused() {
    let whole = sample().to_string();
    let utf16: Vec<u8> =
        [0xfeff].into_iter().chain(whole.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let forms: [(&str, &[u8]); 5] = [
        ("page-2.txt", &utf16),
        ("page-2.json.gz", b"\x1f\x8b\x08\x00"),
        ("page-2.zst", b"\x28\xb5\x2f\xfd"),
        ("page-2.JSON", b"An error occurred (AccessDenied) when calling"),
        ("page-2.json", b"Unable to locate credentials"),
    ];
    for (name, bytes) in forms {
        let error = load_files(&[("page-1.json", whole.as_bytes()), (name, bytes)]).unwrap_err();
        assert!(error.contains(name) && error.contains("no JSON in UTF-8"), "{error}");
    }
}

#[test]
fn an_empty_reply_is_nobodys_last_page() {
    let mut first = sample();
    first["IsTruncated"] = true.into();
    let empty = json!({"UserDetailList": [], "RoleDetailList": [], "IsTruncated": false});
    let error = load_values(&[("a.json", &first), ("z.json", &empty)]).unwrap_err();
    says_all(&error, &["a.json", "cut off"]);
    let mut marked = sample();
    remove(&mut marked, "IsTruncated");
    marked["Marker"] = "more".into();
    says_all(&load(&marked).unwrap_err(), &["cut off"]);
}

#[test]
fn a8_a_record_with_an_id_alone_finds_its_user_or_role() {
    let identities = load(&sample()).unwrap();
    let by_id = |id| identities.principal(None, Some(id));
    assert_eq!(by_id(ALICE_ID), identities.find(ALICE));
    assert_eq!(by_id(BATCH_ID), identities.find(BATCH));
    // A group's or policy's id acts for nobody.
    for id in ["AIDAEXAMPLENOBODY0001", "AGPAEXAMPLESTAFF00001", "ANPAEXAMPLEOWN0000001", ""] {
        assert_eq!(by_id(id), None, "{id}");
    }
    assert_eq!(identities.principal(None, None), None);
}

#[test]
fn a_roles_arn_without_path_means_the_role_of_that_name() {
    let identities = load(&sample()).unwrap();
    let by_arn = |arn| identities.principal(Some(arn), None);
    let role = identities.find(BATCH);
    assert_eq!(by_arn(BATCH), role);
    assert_eq!(by_arn("arn:aws:iam::111122223333:role/batch"), role);
    assert_eq!(by_arn("arn:aws:iam::111122223333:role/Batch"), role);
    assert_eq!(by_arn(BOB), identities.find(BOB));
    for arn in [
        "arn:aws:iam::111122223333:role/jobs/batch",
        "arn:aws-cn:iam::111122223333:role/batch",
        "arn:aws:iam::444455556666:role/batch",
        "arn:aws:iam::111122223333:role/",
        "arn:aws:iam::111122223333:user/alice",
        "arn:aws:iam::111122223333:root",
        "arn:aws:sts::111122223333:assumed-role/batch/session",
        STAFF,
        OWN,
        AWS_OWN,
        "",
    ] {
        assert_eq!(by_arn(arn), None, "{arn}");
    }
}

#[test]
fn accounts_and_partitions_keep_their_names_apart() {
    let text = sample().to_string();
    let (other, china) =
        (text.replace(ACCOUNT, "444455556666"), text.replace("arn:aws:", "arn:aws-cn:"));
    let identities =
        load_files(&[("a.json", &text), ("b.json", &other), ("c.json", &china)]).unwrap();
    assert_eq!(identities.identities().len(), 6 + 5 + 6);
    assert_eq!(identities.accounts().iter().collect::<Vec<_>>(), [ACCOUNT, "444455556666"]);
    let other_alice = ALICE.replace(ACCOUNT, "444455556666");
    assert_eq!(principals(&identities, AWS_OWN), [ALICE, other_alice.as_str()]);
    let china_role = "arn:aws-cn:iam::111122223333:role/batch";
    let found = identities.principal(Some(china_role), None).unwrap();
    assert_eq!(
        identities.identity(found).arn,
        "arn:aws-cn:iam::111122223333:role/jobs/nightly/batch"
    );
    // The three have the same ids.
    assert_eq!(identities.shared_ids().len(), 3);
}

/// The sample in pages, in the order in which IAM gives them; the last has AWS's policies alone.
fn pages() -> Vec<Value> {
    let whole = sample();
    let page = |list: &str, entries: &[&Value]| json!({list: entries, "IsTruncated": true});
    let mut pages = vec![
        page("UserDetailList", &[&whole["UserDetailList"][0]]),
        page("UserDetailList", &[&whole["UserDetailList"][1]]),
        page("GroupDetailList", &[&whole["GroupDetailList"][0]]),
        page("RoleDetailList", &[&whole["RoleDetailList"][0]]),
        page("Policies", &[&whole["Policies"][0]]),
        page("Policies", &[&whole["Policies"][1]]),
    ];
    pages[5]["IsTruncated"] = false.into();
    pages
}

#[test]
fn pages_in_any_order_and_twice_are_the_whole() {
    let whole = load(&sample()).unwrap();
    let pages = pages();
    let names = ["a.json", "b.json", "deep/er/c.json", "d", "e.txt", "f.json"];
    for turn in 0..pages.len() {
        let mut files: Vec<(&str, &Value)> =
            (0..pages.len()).map(|at| (names[at], &pages[(at + turn) % pages.len()])).collect();
        assert_eq!(load_values(&files).unwrap(), whole);
        files.push(("g.json", &pages[turn]));
        assert_eq!(load_values(&files).unwrap(), whole);
    }
}

#[test]
fn pages_without_the_last_are_cut_off() {
    let names = ["a.json", "b.json", "c.json", "d.json", "e.json"];
    let pages = pages();
    let mut files: Vec<(&str, &Value)> = names.into_iter().zip(&pages).collect();
    let error = load_values(&files).unwrap_err();
    says_all(&error, &["a.json: cut off: `IsTruncated` is true", "--no-paginate"]);
    // The last page of one account is not that of another.
    let other: Value =
        serde_json::from_str(&sample().to_string().replace(ACCOUNT, "444455556666")).unwrap();
    files.push(("other.json", &other));
    says_all(&load_values(&files).unwrap_err(), &["a.json: cut off"]);
    let mut own = files.clone();
    own.push(("z.json", &pages[5]));
    assert!(load_values(&own).is_ok());
    // One last page with AWS's policies alone ends one account's pages, not two.
    let page: Value =
        serde_json::from_str(&pages[0].to_string().replace(ACCOUNT, "777788889999")).unwrap();
    own.push(("y.json", &page));
    says_all(&load_values(&own).unwrap_err(), &["y.json: cut off"]);
    // A page of AWS's policies alone is no last one either.
    let mut middle = pages[5].clone();
    middle["IsTruncated"] = true.into();
    says_all(&load(&middle).unwrap_err(), &["cut off: `IsTruncated` is true"]);
    refused(|snapshot| snapshot["IsTruncated"] = true.into(), &["cut off: `IsTruncated` is true"]);
}

#[test]
fn a_list_that_the_aws_cli_did_not_fetch_whole_is_cut_off() {
    refused(|snapshot| snapshot["NextToken"] = "eyJ".into(), &["cut off: it has a `NextToken`"]);
    assert!(load(&changed(|snapshot| snapshot["NextToken"] = Value::Null)).is_ok());
}

#[test]
fn other_files_of_a_directory_are_passed_over() {
    let whole = sample().to_string();
    let files = [
        ("a.json", whole.as_str()),
        (
            "list-policies.json",
            r#"{"Policies": [{"Id": "p-1", "Arn": "arn:aws:organizations::1:p"}]}"#,
        ),
        ("iam-list-policies.json", r#"{"Policies": [{"PolicyName": "a", "Arn": "a"}]}"#),
        ("other.json", r#"{"Policies": {"a": 1}, "IsTruncated": "x"}"#),
        ("logs.json", r#"{"Records": []}"#),
        ("list.json", r#"[{"UserDetailList": []}]"#),
        ("positions.json", "[[], [], [], []]"),
        ("README", "Not JSON."),
        ("blank", " \n"),
    ];
    let identities = load_files(&files).unwrap();
    assert_eq!(identities, load(&sample()).unwrap());
    assert_eq!(identities.passed_over().len(), files.len() - 1);
    assert!(identities.passed_over().iter().any(|file| file.ends_with("README")));
    let error = load_files(&files[1..]).unwrap_err();
    let call =
        "make one with `aws iam get-account-authorization-details --output json > identities.json`";
    assert!(error.ends_with(&format!("no identity snapshot: {call}")), "{error}");
    for (_, content) in &files[1..7] {
        says_all(&load_bytes(content).unwrap_err(), &[call]);
    }
}

#[test]
fn broken_and_empty_files_are_errors() {
    let whole = sample().to_string();
    let half = whole.get(..whole.len() / 2).unwrap();
    for file in [half, r#"{"Records": [,]}"#] {
        let error = load_files(&[("a.json", whole.as_str()), ("b.json", file)]).unwrap_err();
        says_all(&error, &["b.json: line 1, column "]);
        says_all(&load_bytes(file).unwrap_err(), &["identities.json: line 1, column "]);
    }
    for blank in ["", " \n\t"] {
        let error = load_files(&[("a.json", whole.as_str()), ("b.json", blank)]).unwrap_err();
        says_all(&error, &["b.json: empty file where a reply should be"]);
    }
    says_all(&load_bytes("").unwrap_err(), &["line 1, column 0: EOF"]);
    let error = load_path(Path::new("/nowhere/at\u{1b}all.json")).unwrap_err();
    assert!(error.starts_with("/nowhere/at\\u{1b}all.json: "), "{error}");
}

#[test]
fn json_without_end_is_read_to_a_fixed_depth_where_it_decides() {
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let with = |member: &str, depth| {
        let text = sample().to_string();
        load_bytes(text.replacen('{', &format!("{{\"{member}\":{},", deep(depth)), 1))
    };
    assert!(with("Other", 100_000).is_ok(), "passed over");
    let document = sample().to_string().replacen("\"sqs:*\"", &deep(100_000), 1);
    let error = load_bytes(document).unwrap_err();
    says_all(&error, &["identities.json: role `batch`, policy `in`", "recursion limit"]);
}

#[test]
fn members_of_a_wrong_type_are_named_by_line_and_column() {
    let with = |members: &str| load_bytes(format!("{{\n  {members}}}")).unwrap_err();
    for (members, says) in [
        (r#""RoleDetailList": {}"#, "line 2, column 20: invalid type: map, expected a sequence"),
        (
            r#""RoleDetailList": [1]"#,
            "line 2, column 22: invalid type: integer `1`, expected an object",
        ),
        (r#""RoleDetailList": [{"Path": "/"}]"#, "line 2, column 34: missing field `Arn`"),
        (r#""RoleDetailList": [{"Arn": null}]"#, "invalid type: null, expected a string"),
        (r#""RoleDetailList": [{"Arn": "a", "CreateDate": "soon"}]"#, "`soon` is no time"),
        (r#""RoleDetailList": [{"Arn": "a", "CreateDate": 1e300}]"#, "is no time"),
        (r#""RoleDetailList": [{"Arn": "a", "CreateDate": 18446744073709551615}]"#, "is no time"),
        (r#""RoleDetailList": [{"Arn": "a", "CreateDate": []}]"#, "expected a time"),
        (
            r#""RoleDetailList": [{"Arn": "a", "RoleLastUsed": {"LastUsedDate": "\u001b"}}]"#,
            r"`\u{1b}` is no time",
        ),
        (r#""UserDetailList": [], "UserDetailList": []"#, "duplicate field `UserDetailList`"),
        (
            r#""UserDetailList": [{"Arn": "a", "AttachedManagedPolicies": [{}]}]"#,
            "missing field `PolicyArn`",
        ),
        (
            r#""UserDetailList": [{"Arn": "a", "UserPolicyList": [{"PolicyDocument":
            {"Statement": [}}]}]"#,
            "line 3, column 28: expected value",
        ),
        (r#""Policies": [{"Arn": "a", "PolicyVersionList": 1}]"#, "expected a sequence"),
    ] {
        says_all(&with(members), &[says]);
    }
}

#[test]
fn an_arn_that_is_not_of_its_list_is_refused() {
    for arn in [
        "",
        "alice",
        BATCH,
        "arn:aws:iam::111122223333:user/",
        "arn:aws:iam::111122223333:user/staff/",
        "arn:aws:iam::111122223333:users/alice",
        "arn:aws:iam:::user/alice",
        "arn:aws:sts::111122223333:user/alice",
        "arn:aws:iam::111122223333:root",
    ] {
        refused(
            |snapshot| snapshot["UserDetailList"][0]["Arn"] = arn.into(),
            &[&format!("`{arn}` in `UserDetailList` is no ARN of a user")],
        );
    }
}

#[test]
fn s10_a_document_that_no_json_value_can_hold_is_named_by_its_own_lines() {
    let with = |at: usize, document: &str| {
        let snapshot = changed(|snapshot| {
            snapshot["Policies"][0]["PolicyVersionList"][at]["Document"] = "HERE".into();
        });
        load_bytes(snapshot.to_string().replace("\"HERE\"", document))
    };
    let deep = format!("{{\"Statement\": {}{}}}", "[".repeat(200), "]".repeat(200));
    for (document, says) in [
        ("{\"Id\": \"\",\n\"Id\": \"\"}", "line 2, column 4: member `Id` stands twice"),
        (r#"{"Id": 1e999}"#, "line 1, column 12: number out of range"),
        (r#"{"Id": "\ud800"}"#, "line 1, column 15: unexpected end of hex escape"),
        (r#""\ud800""#, "line 1, column 8: unexpected end of hex escape"),
        (&deep, "line 1, column 141: recursion limit exceeded"),
    ] {
        let says = format!("correct the document: {says}");
        let error = with(1, document).unwrap_err();
        says_all(&error, &["policy `own`, version `v2` is malformed", &says]);
        // A version that is not in force decides nothing.
        assert!(with(0, document).is_ok());
    }
}

#[test]
fn documents_of_another_layout_are_the_same() {
    let whole = sample();
    let pretty = serde_json::to_string_pretty(&whole).unwrap();
    let files = [("a.json", whole.to_string()), ("b.json", pretty)];
    let identities = load_files(&files).unwrap();
    assert_eq!(identities, load(&whole).unwrap());
    assert_eq!(identities.documents().len(), 4);
}

#[test]
fn s10_a_malformed_document_is_named_with_whose_it_is() {
    let broken = allow("s3");
    let place = "`Statement[0].Action`: `s3`: an action is `*` or has a service prefix";
    refused(
        |snapshot| {
            snapshot["RoleDetailList"][0]["RolePolicyList"][0]["PolicyDocument"] = broken.clone();
        },
        &["role `batch`, policy `in` is malformed, correct the document: ", place],
    );
    refused(
        |snapshot| {
            let policy = &mut snapshot["GroupDetailList"][0]["GroupPolicyList"][0];
            remove(policy, "PolicyName");
            policy["PolicyDocument"] = broken.to_string().into();
        },
        &["group `staff`, policy 1 is malformed", place],
    );
    refused(
        |snapshot| snapshot["Policies"][0]["PolicyVersionList"][1]["Document"] = broken.clone(),
        &["policy `own`, version `v2` is malformed", place],
    );
    // A version that is not in force decides nothing.
    assert!(
        load(&changed(|snapshot| {
            snapshot["Policies"][0]["PolicyVersionList"][0]["Document"] = broken.clone();
        }))
        .is_ok()
    );
    for (document, says) in [
        (json!("%7B%22Statement"), "is malformed, correct the document: line 1, column 11: EOF"),
        (json!("nonsense"), "is malformed, correct the document: line 1, column 2: expected ident"),
        (json!("%ff"), "is no UTF-8 once it is URL-decoded: correct the document"),
        (json!(""), "is malformed, correct the document: line 1, column 0"),
        (json!([]), "is malformed, correct the document: the document: expected an object"),
        (json!(null), "has no document: correct the document"),
    ] {
        refused(
            |snapshot| {
                let policy = &mut snapshot["UserDetailList"][0]["UserPolicyList"][0];
                policy["PolicyName"] = "a\u{202e}b".into();
                policy["PolicyDocument"] = document;
            },
            &[r"user `alice`, policy `a\u{202e}b` ", says],
        );
    }
}

/// Loads the sample with these versions of its own policy, and returns the action allowed.
fn version_in_force(default: Option<&str>, versions: &Value) -> Result<String, String> {
    let identities = load(&changed(|snapshot| {
        snapshot["Policies"][0]["DefaultVersionId"] = default.into();
        snapshot["Policies"][0]["PolicyVersionList"] = versions.clone();
    }))?;
    let documents = &of(&identities, OWN).documents;
    assert_eq!(documents.len(), 1);
    let found = identities.document(documents[0]);
    let allowed = ["a:*", "b:*", "c:*"].into_iter().find(|action| *found == policy_of(action));
    Ok(allowed.unwrap().to_owned())
}

#[test]
fn the_version_in_force_is_the_marked_one_else_the_named_one() {
    let version = |id: &str, marked: Option<bool>, action: &str| json!({"VersionId": id, "IsDefaultVersion": marked, "Document": allow(action)});
    let two = |first, second| json!([version("v1", first, "a:*"), version("v2", second, "b:*")]);
    let marked = two(Some(true), Some(false));
    assert_eq!(version_in_force(None, &marked).unwrap(), "a:*");
    assert_eq!(version_in_force(Some("v1"), &marked).unwrap(), "a:*");
    assert_eq!(version_in_force(Some("v2"), &two(None, Some(false))).unwrap(), "b:*");
    assert_eq!(version_in_force(Some("v2"), &two(Some(true), Some(true))).unwrap(), "b:*");
    for (default, versions, says) in [
        (None, two(None, None), "policy `own` has no default version"),
        (Some("v3"), two(None, None), "policy `own` has no default version"),
        (Some("v1"), json!([]), "policy `own` has no default version"),
        (Some("v1"), json!(null), "policy `own` has no default version"),
        (None, two(Some(true), Some(true)), "has several default versions and names none of them"),
        (
            Some("v3"),
            two(Some(true), Some(true)),
            "has several default versions and names none of them",
        ),
        (
            Some("v2"),
            two(Some(true), Some(false)),
            "marks another version as its default than it names",
        ),
        (
            Some("v1"),
            json!([version("v1", None, "a:*"), version("v1", None, "b:*")]),
            "has its default version twice",
        ),
    ] {
        says_all(&version_in_force(default, &versions).unwrap_err(), &[says]);
    }
}

#[test]
fn entries_that_contradict_one_another_are_refused_by_both_files() {
    for (list, at, member, value, says) in [
        ("UserDetailList", 0, "UserId", json!("AIDAEXAMPLEALICE00002"), "another id"),
        ("UserDetailList", 0, "Path", json!("/"), "another path"),
        ("UserDetailList", 0, "UserName", json!("ALICE"), "another name"),
        ("UserDetailList", 0, "CreateDate", json!(5), "another creation date"),
        ("UserDetailList", 0, "GroupList", json!([]), "another set of groups"),
        ("UserDetailList", 0, "UserPolicyList", json!([]), "another set of inline policies"),
        ("UserDetailList", 0, "AttachedManagedPolicies", json!([]), "another set of attached"),
        (
            "RoleDetailList",
            0,
            "RolePolicyList",
            json!([{"PolicyName": "in", "PolicyDocument": allow("ec2:*")}]),
            "another set of inline policies",
        ),
        (
            "Policies",
            0,
            "PolicyVersionList",
            json!([{"VersionId": "v2", "IsDefaultVersion": true, "Document": allow("ec2:*")}]),
            "another default version",
        ),
        (
            "Policies",
            1,
            "PolicyVersionList",
            json!([{"VersionId": "v9", "IsDefaultVersion": true, "Document": allow("ec2:*")}]),
            "another document of one version",
        ),
    ] {
        let other = changed(|snapshot| snapshot[list][at][member] = value.clone());
        let error = load_values(&[("a.json", &sample()), ("b.json", &other)]).unwrap_err();
        says_all(&error, &[says, "b.json: ", "a.json: collect the snapshot again, at one time"]);
    }
    assert!(load_values(&[("a.json", &sample()), ("b.json", &sample())]).is_ok());
}

#[test]
fn two_of_one_name_in_an_account_are_refused() {
    let twice = |list: &str, name: &str, arn: &str| {
        let error = load(&changed(|snapshot| {
            let entry = &mut snapshot[list].as_array().unwrap()[0].clone();
            entry["Arn"] = arn.into();
            remove(entry, name);
            snapshot[list].as_array_mut().unwrap().push(entry.clone());
        }));
        error.unwrap_err()
    };
    let user = twice("UserDetailList", "UserName", "arn:aws:iam::111122223333:user/Alice");
    says_all(&user, &["user `Alice` has another ARN here than in "]);
    let role = twice("RoleDetailList", "RoleName", "arn:aws:iam::111122223333:role/batch");
    says_all(&role, &["role `batch` has another ARN"]);
    // AWS has policies of one name on several paths.
    let of_aws = changed(|snapshot| {
        let mut second = snapshot["Policies"][1].clone();
        second["Arn"] = "arn:aws:iam::aws:policy/service-role/ReadOnlyAccess".into();
        snapshot["Policies"].as_array_mut().unwrap().push(second);
    });
    assert_eq!(load(&of_aws).unwrap().identities().len(), 7);
}

#[test]
fn the_newest_version_of_awss_own_policy_stands() {
    let at = |version: &str, action: &str| {
        changed(|snapshot| {
            snapshot["Policies"][1]["DefaultVersionId"] = version.into();
            snapshot["Policies"][1]["PolicyVersionList"] = json!([
                {"VersionId": version, "IsDefaultVersion": true, "Document": allow(action)}]);
        })
    };
    let (old, new, older) = (at("v9", "*"), at("v12", "ec2:*"), at("v2", "kms:*"));
    for files in [[&old, &new, &older], [&new, &older, &old], [&older, &old, &new]] {
        let names = ["a.json", "b.json", "c.json"];
        let files: Vec<(&str, &Value)> = names.into_iter().zip(files).collect();
        let identities = load_values(&files).unwrap();
        decides(&identities, AWS_OWN, &["ec2:*"]);
        decides(&identities, STAFF, &["sns:*", "ec2:*"]);
        assert_eq!(identities, load(&new).unwrap());
    }
    // Also where a newer one stands already.
    let other = at("v9", "sts:*");
    let files = [("a.json", &old), ("b.json", &new), ("c.json", &other)];
    let error = load_values(&files).unwrap_err();
    says_all(&error, &["c.json: policy `ReadOnlyAccess` has another document of one", "a.json: "]);
}

#[test]
fn the_order_of_entries_and_files_changes_nothing() {
    let whole = load(&sample()).unwrap();
    let mut turned = sample();
    for list in ["UserDetailList", "Policies"] {
        turned[list].as_array_mut().unwrap().reverse();
    }
    assert_eq!(load(&turned).unwrap(), whole);
    let used = |time: &str| {
        changed(|snapshot| {
            snapshot["RoleDetailList"][0]["RoleLastUsed"]["LastUsedDate"] = time.into();
        })
    };
    let (one, other) = (used("2026-01-01T00:00:00Z"), used("2026-02-01T00:00:00Z"));
    let expected = load(&other).unwrap();
    assert_eq!(load_values(&[("a.json", &one), ("b.json", &other)]).unwrap(), expected);
    assert_eq!(load_values(&[("a.json", &other), ("b.json", &one)]).unwrap(), expected);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn mutated_snapshots_never_panic(
        places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = sample().to_string().into_bytes();
        for (place, byte) in places {
            let at = place.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(identities) = load_bytes(&bytes) {
            for (index, identity) in identities.identities() {
                assert_eq!(identities.find(&identity.arn), Some(index));
                let by_arn = identities.principal(Some(&identity.arn), Some(&identity.id));
                let acts = matches!(identity.kind, IdentityKind::User | IdentityKind::Role);
                assert_eq!(by_arn.is_some(), acts);
            }
        }
    }
}
