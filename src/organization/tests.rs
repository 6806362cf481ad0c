//! Tests of the tree and of each thing that can be wrong with a snapshot.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;

const ROOT: &str = "r-test";
const MANAGEMENT: &str = "111111111111";

/// Two nested units with an account each; one policy at every level, one attached nowhere.
fn sample() -> Value {
    let deny = json!({"Statement": {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}});
    json!({
        "Organization": {"Id": "o-testtest00", "MasterAccountId": MANAGEMENT},
        "Roots": [{"Id": ROOT, "PolicyTypes": [
            {"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}]}],
        "OrganizationalUnits": [
            {"Id": "ou-test-aaaaaaaa", "Name": "Outer", "ParentId": ROOT},
            {"Id": "ou-test-bbbbbbbb", "Name": "Inner", "ParentId": "ou-test-aaaaaaaa"}],
        "Accounts": [
            {"Id": MANAGEMENT, "ParentId": ROOT},
            {"Id": "222222222222", "Status": "ACTIVE", "ParentId": "ou-test-aaaaaaaa"},
            {"Id": "333333333333", "Status": "PENDING_CLOSURE", "ParentId": "ou-test-bbbbbbbb"}],
        "Policies": [
            {"Id": FULL_AWS_ACCESS, "Targets": [ROOT, "ou-test-aaaaaaaa", "ou-test-bbbbbbbb",
                {"TargetId": MANAGEMENT}, {"TargetId": "222222222222"}, "333333333333"]},
            {"Id": "p-denyingit", "Name": "Deny", "Content": deny.to_string(), "Targets": []}],
    })
}

fn load(snapshot: &Value) -> Result<Organization, String> {
    load_text(&snapshot.to_string())
}

fn load_text(text: &str) -> Result<Organization, String> {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("organization.json");
    fs::write(&path, text).unwrap();
    load_path(&path)
}

/// Loads a directory of these files.
fn load_files(files: &[(&str, Value)]) -> Result<Organization, String> {
    let directory = TempDir::new().unwrap();
    for (name, content) in files {
        fs::write(directory.path().join(name), content.to_string()).unwrap();
    }
    load_path(directory.path())
}

fn load_path(path: &Path) -> Result<Organization, String> {
    Organization::load(path).map_err(|error| format!("{:#}", anyhow::Error::from(error)))
}

/// Checks that the sample with one change is an error that says all of this, and the file.
#[track_caller]
fn refused(change: impl FnOnce(&mut Value), says: &[&str]) {
    let mut snapshot = sample();
    change(&mut snapshot);
    let error = load(&snapshot).unwrap_err();
    for part in says.iter().chain(&["organization.json: "]) {
        assert!(error.contains(part), "`{error}` does not say `{part}`");
    }
}

/// The replies of which [`sample`] is the whole.
fn replies() -> Vec<(&'static str, Value)> {
    let whole = sample();
    let policies = [whole["Policies"][0].clone(), whole["Policies"][1].clone()];
    let summary = |policy: &Value| json!({"Id": policy["Id"], "Name": policy["Name"]});
    let of = |list: &str, parent: &str| {
        let entries = whole[list].as_array().unwrap().iter();
        json!({list: entries.filter(|entry| entry["ParentId"] == parent).map(|entry| {
            let mut entry = entry.clone();
            entry.as_object_mut().unwrap().remove("ParentId");
            entry
        }).collect::<Vec<_>>()})
    };
    let targets: Vec<Value> = policies[0]["Targets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|target| json!({"TargetId": target.get("TargetId").unwrap_or(target)}))
        .collect();
    vec![
        ("organization.json", json!({"Organization": whole["Organization"]})),
        ("roots.json", json!({"Roots": whole["Roots"]})),
        ("accounts.r-test.json", of("Accounts", ROOT)),
        ("list-accounts-for-parent-ou-test-aaaaaaaa.json", of("Accounts", "ou-test-aaaaaaaa")),
        ("ou-test-bbbbbbbb.accounts.json", of("Accounts", "ou-test-bbbbbbbb")),
        ("units.r-test.json", of("OrganizationalUnits", ROOT)),
        ("units.ou-test-aaaaaaaa.json", of("OrganizationalUnits", "ou-test-aaaaaaaa")),
        ("units.ou-test-bbbbbbbb.json", of("OrganizationalUnits", "ou-test-bbbbbbbb")),
        ("policies.json", json!({"Policies": policies.iter().map(summary).collect::<Vec<_>>()})),
        (
            "describe.json",
            json!({"Policy": {
            "PolicySummary": summary(&policies[1]), "Content": policies[1]["Content"]}}),
        ),
        ("list-targets-for-policy.p-FullAWSAccess.json", json!({"Targets": targets})),
        ("list-targets-for-policy_p-denyingit.json", json!({"Targets": []})),
    ]
}

/// Loads [`replies`] without one file, or with one replaced or added.
fn load_replies(name: &str, content: Option<Value>) -> Result<Organization, String> {
    let mut files = replies();
    files.retain(|(other, _)| *other != name);
    if let Some(content) = content {
        files.push((name, content));
    }
    let files: Vec<(&str, Value)> = files;
    load_files(&files)
}

#[test]
fn entities_stand_in_front_of_all_that_lies_below_them() {
    let organization = load(&sample()).unwrap();
    let ids: Vec<&str> = organization.entities().map(|(_, entity)| entity.id.as_str()).collect();
    let order =
        [ROOT, MANAGEMENT, "ou-test-aaaaaaaa", "222222222222", "ou-test-bbbbbbbb", "333333333333"];
    assert_eq!(ids, order);

    let outer = organization.find("o-testtest00/r-test/ou-test-aaaaaaaa/").unwrap();
    let inner = organization.find("o-testtest00/r-test/ou-test-aaaaaaaa/ou-test-bbbbbbbb").unwrap();
    let account = organization.account("333333333333").unwrap();
    assert_eq!(organization.chain(account), [organization.root(), outer, inner, account]);
    assert!(organization.is_at_or_below(account, outer));
    assert!(organization.is_at_or_below(outer, outer));
    assert!(!organization.is_at_or_below(outer, account));
    let below: Vec<EntityIndex> = organization.accounts_at_or_below(outer).collect();
    assert_eq!(below, [organization.account("222222222222").unwrap(), account]);
    assert_eq!(organization.find("o-testtest00"), None);
    assert_eq!(organization.find("o-testtest00/r-test//"), None);
    assert_eq!(organization.account(ROOT), None);
}

#[test]
fn o14_suspended_and_closing_accounts_are_in_the_tree() {
    let organization = load(&sample()).unwrap();
    let closing = organization.entity(organization.account("333333333333").unwrap());
    assert_eq!(closing.state.as_deref(), Some("PENDING_CLOSURE"));
    let mut newer = sample();
    newer["Accounts"][2]["State"] = json!("CLOSED");
    let organization = load(&newer).unwrap();
    let closed = organization.entity(organization.account("333333333333").unwrap());
    assert_eq!(closed.state.as_deref(), Some("CLOSED"));
}

#[test]
fn policies_are_found_by_their_ids_and_know_their_targets() {
    let organization = load(&sample()).unwrap();
    let full = organization.attached_policy(organization.policy(FULL_AWS_ACCESS).unwrap());
    assert_eq!(full.targets.len(), 6);
    assert_eq!(full.content["Statement"][0]["Action"], "*");
    let deny = organization.attached_policy(organization.policy("p-denyingit").unwrap());
    assert!(deny.targets.is_empty());
    assert_eq!(organization.policy("p-"), None);
    let root: Vec<&str> =
        organization.policies_at(organization.root()).map(|policy| policy.id.as_str()).collect();
    assert_eq!(root, [FULL_AWS_ACCESS]);
}

#[test]
fn s6_the_management_account_is_found_whatever_its_key_is_called() {
    for organization in [
        json!({"ManagementAccountId": MANAGEMENT}),
        json!({"MasterAccountArn":
            "arn:aws:organizations::111111111111:account/o-testtest00/111111111111"}),
        json!({"ManagementAccountArn":
            "arn:aws:organizations::111111111111:account/o-testtest00/111111111111"}),
        json!({"MasterAccountEmail": "Root@Example.com"}),
        json!({"ManagementAccountEmail": "root@example.com"}),
        json!({"Arn": "arn:aws:organizations::111111111111:organization/o-testtest00"}),
    ] {
        let mut snapshot = sample();
        snapshot["Accounts"][0]["Email"] = json!("root@example.com");
        snapshot["Organization"] = organization.clone();
        snapshot["Organization"]["Id"] = json!("o-testtest00");
        let loaded = load(&snapshot).unwrap();
        assert_eq!(loaded.management_account(), loaded.account(MANAGEMENT), "{organization}");
        assert!(loaded.management_account().is_some());
    }
    refused(
        |snapshot| snapshot["Organization"]["ManagementAccountId"] = json!("222222222222"),
        &["`Organization.ManagementAccountId` names another management account"],
    );
}

#[test]
fn s1_no_policy_at_all_is_not_the_same_as_none_in_the_snapshot() {
    let scope = |change: &dyn Fn(&mut Value)| {
        let mut snapshot = sample();
        change(&mut snapshot);
        load(&snapshot).unwrap().scope()
    };
    assert_eq!(scope(&|_| {}), PolicyScope::Applied);
    assert_eq!(scope(&|snapshot| snapshot["Policies"] = json!([])), PolicyScope::Applied);
    let remove = |snapshot: &mut Value| {
        snapshot.as_object_mut().unwrap().remove("Policies");
    };
    assert_eq!(scope(&remove), PolicyScope::NotInSnapshot);
    let types = |types: Value| {
        move |snapshot: &mut Value| {
            snapshot["Roots"][0]["PolicyTypes"] = types.clone();
        }
    };
    assert_eq!(scope(&types(json!([]))), PolicyScope::NotEnabled);
    let pending = json!([{"Type": "SERVICE_CONTROL_POLICY", "Status": "PENDING_ENABLE"}]);
    assert_eq!(scope(&types(pending)), PolicyScope::NotEnabled);
    let other = json!([{"Type": "TAG_POLICY", "Status": "ENABLED"}]);
    assert_eq!(scope(&types(other)), PolicyScope::NotEnabled);
    assert_eq!(scope(&types(Value::Null)), PolicyScope::Applied);
    let billing = |snapshot: &mut Value| {
        snapshot["Organization"]["FeatureSet"] = json!("CONSOLIDATED_BILLING");
    };
    assert_eq!(scope(&billing), PolicyScope::NotEnabled);
    assert_eq!(Organization::flat([]).scope(), PolicyScope::NoOrganization);
}

#[test]
fn every_scope_reads_back_from_the_written_snapshot() {
    let tag = json!({"Id": "p-tagtagtag", "Name": "Tags", "Type": "TAG_POLICY"});
    for policies in [json!([]), Value::Null, json!([tag]), sample()["Policies"].clone()] {
        for types in [json!([]), Value::Null, sample()["Roots"][0]["PolicyTypes"].clone()] {
            let mut snapshot = sample();
            snapshot["Policies"] = policies.clone();
            snapshot["Roots"][0]["PolicyTypes"] = types;
            let organization = load(&snapshot).unwrap();
            let again = load_text(&organization.to_snapshot_json()).unwrap();
            assert_eq!(again, organization, "{snapshot}");
        }
    }
}

#[test]
fn policies_of_other_types_bind_nothing_and_are_named() {
    let mut snapshot = sample();
    let policies = snapshot["Policies"].as_array_mut().unwrap();
    policies.push(json!({"Id": "p-RCPFullAWSAccess", "Type": "RESOURCE_CONTROL_POLICY",
        "Content": {"nonsense": 1}, "Targets": ["nowhere"]}));
    policies.push(json!({"Id": "p-backup0001", "Name": "Backup",
        "Arn": "arn:aws:organizations::111111111111:policy/o-testtest00/backup_policy/p-backup0001"}));
    let organization = load(&snapshot).unwrap();
    assert_eq!(organization.policies(), load(&sample()).unwrap().policies());
    let others: Vec<(&str, &str)> = organization
        .other_policies()
        .iter()
        .map(|policy| (policy.id.as_str(), policy.policy_type.as_str()))
        .collect();
    let expected =
        [("p-RCPFullAWSAccess", "RESOURCE_CONTROL_POLICY"), ("p-backup0001", "BACKUP_POLICY")];
    assert_eq!(others, expected);
}

#[test]
fn what_is_no_tree_is_refused() {
    let unit = |snapshot: &mut Value, member: &str, value: &str| {
        snapshot["OrganizationalUnits"][0][member] = json!(value);
    };
    refused(
        |snapshot| unit(snapshot, "ParentId", "ou-test-bbbbbbbb"),
        &["lie in each other", "`ou-test-aaaaaaaa → ou-test-bbbbbbbb → ou-test-aaaaaaaa`"],
    );
    refused(
        |snapshot| unit(snapshot, "ParentId", "ou-test-aaaaaaaa"),
        &["`ou-test-aaaaaaaa → ou-test-aaaaaaaa`"],
    );
    refused(
        |snapshot| unit(snapshot, "ParentId", "ou-test-cccccccc"),
        &["the parent `ou-test-cccccccc` of `ou-test-aaaaaaaa`"],
    );
    refused(
        |snapshot| unit(snapshot, "ParentId", MANAGEMENT),
        &["the parent `111111111111` of `ou-test-aaaaaaaa`"],
    );
    refused(
        |snapshot| unit(snapshot, "Path", "o-testtest00/r-test/ou-test-bbbbbbbb/ou-test-aaaaaaaa/"),
        &["two parents"],
    );
    refused(
        |snapshot| snapshot["OrganizationalUnits"][1]["ParentId"] = Value::Null,
        &["organizational-unit `ou-test-bbbbbbbb` has no place", "list-parents"],
    );
    refused(
        |snapshot| snapshot["Accounts"][1]["ParentId"] = Value::Null,
        &["account `222222222222` has no place"],
    );
    refused(
        |snapshot| snapshot["Accounts"][1]["Paths"] = json!(["o-testtest00/r-test/222222222222/"]),
        &["`222222222222` has two parents, `ou-test-aaaaaaaa` and, in ", "`r-test`"],
    );
    refused(
        |snapshot| {
            snapshot["Accounts"][1]["Paths"] =
                json!(["o-othertest0/r-test/ou-test-aaaaaaaa/222222222222/"]);
        },
        &["`o-othertest0`", "`o-testtest00`"],
    );
    refused(|snapshot| snapshot["Roots"] = json!([]), &["no root", "list-roots"]);
    refused(
        |snapshot| snapshot["Roots"] = json!([{"Id": ROOT}, {"Id": "r-more"}]),
        &["two roots, `r-more` and `r-test`"],
    );
}

#[test]
fn o11_ids_that_no_entity_path_can_hold_are_refused() {
    refused(|snapshot| snapshot["Organization"]["Id"] = json!("o-short"), &["no organization id"]);
    refused(|snapshot| snapshot["Roots"][0]["Id"] = json!("r-UPPER"), &["`r-UPPER` is no root id"]);
    for id in ["ou-", "x-test", "ou-test/aaaa", "ou-TEST"] {
        refused(
            |snapshot| snapshot["OrganizationalUnits"][1]["Id"] = json!(id),
            &[&format!("`{id}` is no organizational unit id")],
        );
    }
    for id in ["1/2", "ou-test-account0", "acc ount", "\u{202e}1"] {
        refused(|snapshot| snapshot["Accounts"][1]["Id"] = json!(id), &["is no account id"]);
    }
    refused(|snapshot| snapshot["Accounts"][1]["Id"] = json!(""), &["`Accounts[1].Id` is empty"]);
    refused(
        |snapshot| snapshot["Accounts"][1]["Id"] = json!(222),
        &["`Accounts[1].Id` is not a string"],
    );
    refused(
        |snapshot| {
            let mut parent = ROOT.to_owned();
            let chain = (10..30).map(|number| {
                let id = format!("ou-test-{}{number}", "a".repeat(20));
                let unit = json!({"Id": id, "ParentId": parent});
                parent = id;
                unit
            });
            let chain: Vec<Value> = chain.collect();
            snapshot["OrganizationalUnits"].as_array_mut().unwrap().extend(chain);
        },
        &["longer than 427 characters"],
    );
}

#[test]
fn one_id_with_two_stories_is_refused() {
    let second = |list: &'static str, entry: Value| {
        move |snapshot: &mut Value| snapshot[list].as_array_mut().unwrap().push(entry)
    };
    let account = json!({"Id": "222222222222", "Status": "ACTIVE", "ParentId": "ou-test-aaaaaaaa"});
    let mut twice = sample();
    second("Accounts", account)(&mut twice);
    assert_eq!(load(&twice).unwrap(), load(&sample()).unwrap());
    refused(
        second("Accounts", json!({"Id": "222222222222", "Status": "SUSPENDED"})),
        &["`222222222222` has the status `ACTIVE`", "`SUSPENDED`"],
    );
    refused(
        second("Accounts", json!({"Id": "ou-test-aaaaaaaa"})),
        &["`ou-test-aaaaaaaa` has the kind `organizational unit`", "`account`"],
    );
    refused(
        second("OrganizationalUnits", json!({"Id": "ou-test-aaaaaaaa", "Name": "Other"})),
        &["`ou-test-aaaaaaaa` has the name `Outer`", "`Other`"],
    );
    refused(
        second("Policies", json!({"Id": "p-denyingit", "Targets": [ROOT]})),
        &["`p-denyingit` has the targets"],
    );
    refused(
        second("Policies", json!({"Id": "p-denyingit", "Content": {"Statement": []}})),
        &["`p-denyingit` has the content"],
    );
}

#[test]
fn s10_a_policy_that_cannot_be_read_is_refused_by_name_and_place() {
    let content =
        |content: Value| move |snapshot: &mut Value| snapshot["Policies"][1]["Content"] = content;
    refused(content(Value::Null), &["policy `p-denyingit` has no content", "describe-policy"]);
    refused(content(json!("{\"Statement\": [\n}")), &["policy `p-denyingit`", "line 2, column 1"]);
    refused(content(json!("")), &["policy `p-denyingit`", "line 1"]);
    refused(content(json!("\"{}\"")), &["policy `p-denyingit`"]);
    refused(content(json!(7)), &["policy `p-denyingit`"]);
    let typo = json!({"Statement": {"Effect": "Deny", "Action": "*", "NotResouce": "*"}});
    refused(content(typo), &["policy `p-denyingit`", "Statement", "NotResouce"]);
    let twice = r#"{"Statement":{"Effect":"Deny","Effect":"Allow","Action":"*","Resource":"*"}}"#;
    refused(content(json!(twice)), &["policy `p-denyingit`", "column"]);
    refused(
        |snapshot| snapshot["Policies"][1]["Targets"] = json!(["444444444444"]),
        &["policy `p-denyingit` is attached to `444444444444`"],
    );
    refused(
        |snapshot| snapshot["Policies"][1]["Targets"] = Value::Null,
        &["where policy `p-denyingit` is attached is missing", "list-targets-for-policy"],
    );
}

#[test]
fn json_is_read_with_a_byte_order_mark_and_refused_with_line_and_column() {
    let text = format!("\u{feff}{}", sample());
    assert_eq!(load_text(&text).unwrap(), load(&sample()).unwrap());
    for (text, says) in [
        ("{\n  \"Organization\": ,\n}", "organization.json: line 2, column 19"),
        ("{\n  \"Organization\": {\"Id\": \"o-testtest00\"", "line 2"),
        ("", "line 1"),
        ("[]", "no organization snapshot"),
        ("{\"Records\": []}", "no organization snapshot"),
        ("{\"Organization\": {\"Id\": \"o-testtest00\"}}", "no root"),
    ] {
        let error = load_text(text).unwrap_err();
        assert!(error.contains(says), "`{error}` does not say `{says}`");
    }
    let doubled = sample().to_string().replacen("\"Accounts\"", "\"Accounts\":[],\"Accounts\"", 1);
    let error = load_text(&doubled).unwrap_err();
    assert!(error.contains("member `Accounts` stands twice"), "{error}");
    let error = load_path(Path::new("no/such/organization.json")).unwrap_err();
    assert!(error.starts_with("no/such/organization.json: "), "{error}");
}

#[test]
fn replies_make_the_same_organization_as_one_file() {
    assert_eq!(load_files(&replies()).unwrap(), load(&sample()).unwrap());
}

#[test]
fn list_children_and_list_parents_make_the_same_tree() {
    let mut files = replies();
    files.retain(|(name, _)| !name.contains("accounts") && !name.contains("units"));
    let whole = sample();
    let bare = |list: &str| {
        let mut entries = whole[list].clone();
        for entry in entries.as_array_mut().unwrap() {
            entry.as_object_mut().unwrap().remove("ParentId");
        }
        json!({list: entries})
    };
    files.push(("list-accounts.json", bare("Accounts")));
    for unit in bare("OrganizationalUnits")["OrganizationalUnits"].as_array().unwrap() {
        let name = if unit["Name"] == "Outer" { "outer.json" } else { "inner.json" };
        files.push((name, json!({"OrganizationalUnit": unit})));
    }
    let unit = |id: &str| json!([{"Id": id, "Type": "ORGANIZATIONAL_UNIT"}]);
    files.push(("list-children.r-test.json", json!({"Children": unit("ou-test-aaaaaaaa")})));
    files.push((
        "children.json",
        json!({"ParentId": "ou-test-aaaaaaaa", "Children": unit("ou-test-bbbbbbbb")}),
    ));
    files.push(("list-children.json", json!({"Children": []})));
    let parent = |id: &str| json!({"Parents": [{"Id": id, "Type": "ROOT"}]});
    files.push(("list-parents.111111111111.json", parent(ROOT)));
    files.push(("list-parents.222222222222.json", parent("ou-test-aaaaaaaa")));
    files.push(("list-parents.333333333333.json", parent("ou-test-bbbbbbbb")));
    assert_eq!(load_files(&files).unwrap(), load(&whole).unwrap());

    files.push(("list-parents.json", parent(ROOT)));
    let error = load_files(&files).unwrap_err();
    assert!(error.contains("list-parents.json: the id that the reply is for"), "{error}");
    files.pop();
    files.push(("list-parents.444444444444.json", parent(ROOT)));
    let error = load_files(&files).unwrap_err();
    assert!(error.contains("`444444444444` has a parent but is in no list"), "{error}");
}

#[test]
fn paths_alone_place_everything_that_they_name() {
    let files = |own: bool| {
        let path = |id: &str, above: &str| {
            let own = if own { format!("{id}/") } else { String::new() };
            json!({"Id": id, "Paths": [format!("o-testtest00/r-test/{above}{own}")]})
        };
        let accounts = [
            path(MANAGEMENT, ""),
            path("222222222222", "ou-test-aaaaaaaa/"),
            path("333333333333", "ou-test-aaaaaaaa/ou-test-bbbbbbbb/"),
        ];
        let organization = sample()["Organization"].clone();
        [
            ("organization.json", json!({"Organization": organization})),
            ("list-accounts.json", json!({"Accounts": accounts})),
        ]
    };
    let organization = load_files(&files(true)).unwrap();
    let paths = |organization: &Organization| {
        organization.entities().map(|(_, entity)| entity.path.clone()).collect::<Vec<_>>()
    };
    assert_eq!(paths(&organization), paths(&load(&sample()).unwrap()));
    assert_eq!(organization.scope(), PolicyScope::NotInSnapshot);
    assert_eq!(load_files(&files(false)).unwrap(), organization);
    refused(
        |snapshot| snapshot["Accounts"][1]["Paths"] = json!(["222222222222"]),
        &["`Accounts[1].Paths[0]` is no entity path"],
    );
}

#[test]
fn a_reply_that_is_missing_or_cut_off_is_noticed() {
    for (name, says) in [
        ("organization.json", "the organization is missing"),
        ("roots.json", "no root"),
        ("accounts.r-test.json", "the list of accounts in `r-test` is missing"),
        ("ou-test-bbbbbbbb.accounts.json", "the list of accounts in `ou-test-bbbbbbbb` is missing"),
        ("units.ou-test-bbbbbbbb.json", "the list of organizational-units in `ou-test-bbbbbbbb`"),
        ("policies.json", "the list of all service control policies is missing"),
        ("describe.json", "policy `p-denyingit` has no content"),
        ("list-targets-for-policy.p-FullAWSAccess.json", "where policy `p-FullAWSAccess` is"),
        ("list-targets-for-policy_p-denyingit.json", "where policy `p-denyingit` is attached"),
    ] {
        let error = load_replies(name, None).unwrap_err();
        assert!(error.contains(says), "without {name}: `{error}` does not say `{says}`");
    }
    for (name, mut content) in replies() {
        content["NextToken"] = json!("more");
        let error = load_replies(name, Some(content)).unwrap_err();
        assert!(error.contains(&format!("{name}: cut off")), "{error}");
    }
    let mut null = replies().remove(0).1;
    null["NextToken"] = Value::Null;
    assert!(load_replies("organization.json", Some(null)).is_ok());

    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("list-accounts.json"), " \n").unwrap();
    let error = load_path(directory.path()).unwrap_err();
    assert!(error.contains("list-accounts.json: empty file"), "{error}");
}

#[test]
fn a_list_of_accounts_without_the_management_account_is_not_whole() {
    let list = json!({"Accounts": []});
    let error = load_replies("accounts.r-test.json", Some(list)).unwrap_err();
    assert!(error.contains("the management account `111111111111` is missing"), "{error}");
    let mut snapshot = sample();
    snapshot["Organization"]["MasterAccountId"] = json!("999999999999");
    let organization = load(&snapshot).unwrap();
    assert_eq!(organization.management_account(), None);
    assert_eq!(organization.management_account_id(), Some("999999999999"));
    assert!(organization.tree().to_string().contains("not in the tree: 999999999999"));
}

#[test]
fn the_lists_of_a_policy_and_of_its_target_must_agree() {
    let full = json!({"Id": FULL_AWS_ACCESS});
    let deny = json!({"Id": "p-denyingit", "Name": "Deny"});
    let name = "list-policies-for-target.222222222222.json";
    let with = |policies: Value| load_replies(name, Some(json!({"Policies": policies})));
    assert_eq!(with(json!([full])).unwrap(), load(&sample()).unwrap());
    assert_eq!(with(json!([])).unwrap(), load(&sample()).unwrap());
    let error = with(json!([full, deny])).unwrap_err();
    assert!(error.contains("policy `p-denyingit` is attached to `222222222222`"), "{error}");
    let mut files = replies();
    files.retain(|(name, _)| *name != "list-targets-for-policy_p-denyingit.json");
    files.push((name, json!({"Policies": [deny]})));
    let error = load_files(&files).unwrap_err();
    let says = "policy `p-FullAWSAccess` is attached to `222222222222`, by the other it is not";
    assert!(error.contains("where policy `p-denyingit` is attached is missing"), "{error}");
    files.push((
        "list-targets-for-policy.p-denyingit.json",
        json!({"Targets": [{"TargetId": "222222222222"}]}),
    ));
    let error = load_files(&files).unwrap_err();
    assert!(error.contains(says), "{error}");
}

#[test]
fn the_policies_of_every_target_need_no_list_of_all() {
    let mut files = replies();
    files.retain(|(name, _)| *name != "policies.json" && !name.contains("targets-for-policy"));
    let full = json!({"Policies": [{"Id": FULL_AWS_ACCESS}]});
    for name in [
        "list-policies-for-target.r-test.json",
        "list-policies-for-target.111111111111.json",
        "ou-test-aaaaaaaa.policies.json",
        "list-policies-for-target.ou-test-bbbbbbbb.json",
        "list-policies-for-target.333333333333.json",
    ] {
        files.push((name, full.clone()));
    }
    let with = |name: &'static str, content: Value| {
        let mut files = files.clone();
        files.push((name, content));
        load_files(&files)
    };
    let last = "list-policies-for-target.222222222222.json";
    assert_eq!(with(last, full.clone()).unwrap(), load(&sample()).unwrap());
    // AWS does not let go of the last policy of a target, but a stand-in for it may.
    let bare = with(last, json!({"Policies": []})).unwrap();
    assert!(bare.entity(bare.account("222222222222").unwrap()).policies.is_empty());
    // The name says that another type was asked for, or another call made.
    for (name, content) in [
        ("list-policies-for-target.TAG_POLICY.222222222222.json", json!({"Policies": []})),
        (
            "list-policies-for-target.222222222222.json",
            json!({"Policies": [
            {"Id": "p-tagtagtag", "Type": "TAG_POLICY"}]}),
        ),
    ] {
        let error = with(name, content).unwrap_err();
        assert!(error.contains("the list of all service control policies is missing"), "{error}");
    }
    let error = with("list-policies.222222222222.json", full).unwrap_err();
    assert!(error.contains("where policy `p-FullAWSAccess` is attached is missing"), "{error}");
}

#[test]
fn replies_of_other_services_are_passed_over() {
    let mut files = replies();
    files.push((
        "iam-list-policies.json",
        json!({"Policies": [{"PolicyName": "a",
        "PolicyId": "ANPA", "Arn": "arn:aws:iam::111111111111:policy/a"}]}),
    ));
    files.push(("iam-empty.json", json!({"Policies": []})));
    files.push(("bucket-policy.json", json!({"Policy": "{}"})));
    files.push(("iam-policy.json", json!({"Policy": {"PolicyName": "a"}})));
    files.push(("events-targets.json", json!({"Targets": [{"Id": "1", "Arn": "arn"}]})));
    files.push(("log.json", json!({"Records": [], "NextToken": "more"})));
    files.push(("list.json", json!([1, 2])));
    files.push(("README.txt", json!("not a reply")));
    assert_eq!(load_files(&files).unwrap(), load(&sample()).unwrap());
}

#[test]
fn an_empty_list_of_policies_among_replies_is_no_list() {
    let mut files = replies();
    files.retain(|(name, _)| !name.contains("polic") && !name.contains("describe"));
    files.push(("list-policies.json", json!({"Policies": []})));
    assert_eq!(load_files(&files).unwrap().scope(), PolicyScope::NotInSnapshot);
}

#[test]
fn two_snapshots_in_one_directory_are_refused() {
    let error = load_files(&[("a.json", sample()), ("b.json", sample())]).unwrap_err();
    assert!(error.contains("a.json: a snapshot of its own beside"), "{error}");
    assert_eq!(load_files(&[("only.json", sample())]).unwrap(), load(&sample()).unwrap());
    let tree = json!({"org_id": "o-testtest00", "root_ous": []});
    let error = load_files(&[("a.json", sample()), ("t.json", tree)]).unwrap_err();
    assert!(error.contains("a snapshot of its own beside"), "{error}");
}

#[test]
fn pmapper_without_any_policy_had_them_switched_off() {
    let node = |scps: Value| {
        json!({"ou_id": ROOT, "ou_name": "Root", "child_nodes": [],
        "scps": scps, "accounts": [{"account_id": MANAGEMENT, "scps": [], "tags": {}}]})
    };
    let tree = |node: Value| {
        json!({"org_id": "o-testtest00", "edge_list": [],
        "management_account_id": MANAGEMENT, "root_ous": [node], "accounts": [MANAGEMENT]})
    };
    let organization =
        load_files(&[("org_data.json", tree(node(json!([])))), ("scps.json", json!([]))]).unwrap();
    assert_eq!(organization.scope(), PolicyScope::NotEnabled);
    assert_eq!(organization.management_account(), organization.account(MANAGEMENT));

    let arn = "arn:aws:organizations::111111111111:policy/o-testtest00/service_control_policy/p-x";
    let error = load_files(&[("org_data.json", tree(node(json!([arn]))))]).unwrap_err();
    assert!(error.contains("org_data.json: policy `arn:"), "{error}");
    let mut more = tree(node(json!([])));
    more["accounts"] = json!([MANAGEMENT, "222222222222"]);
    let error = load_files(&[("org_data.json", more)]).unwrap_err();
    assert!(error.contains("account `222222222222` has no place"), "{error}");
}

#[test]
fn a_flat_organization_holds_what_the_logs_name() {
    let hostile = ["a/b", "ABC", "=cmd|x", "\u{202e}abc", &"5".repeat(500)];
    let organization =
        Organization::flat(["2", "1", "redacted", "2", ""].into_iter().chain(hostile));
    let paths: Vec<&str> =
        organization.entities().map(|(_, entity)| entity.path.as_str()).collect();
    let expected = [
        "o-0000000000/r-0000",
        "o-0000000000/r-0000/1",
        "o-0000000000/r-0000/2",
        "o-0000000000/r-0000/redacted",
    ];
    assert_eq!(paths, expected);
    assert_eq!(organization.accounts_at_or_below(organization.root()).count(), 3);
    assert_eq!(organization.management_account(), None);
}

#[test]
fn hostile_names_cannot_draw_on_the_terminal() {
    let mut snapshot = sample();
    snapshot["Accounts"][1]["Name"] = json!("\u{1b}[2J\u{202e}evil\nline");
    snapshot["Policies"][1]["Name"] = json!("\u{85}\u{2066}");
    let tree = load(&snapshot).unwrap().tree().to_string();
    let expected = "222222222222 \\u{1b}[2J\\u{202e}evil\\nline [p-FullAWSAccess]\n";
    assert!(tree.contains(expected), "{tree}");
    assert!(tree.contains("attached nowhere: p-denyingit \\u{85}\\u{2066}\n"), "{tree}");
}

#[test]
fn the_tree_says_what_binds_nothing() {
    let mut snapshot = sample();
    snapshot["Policies"] = json!([]);
    let tree = load(&snapshot).unwrap().tree().to_string();
    assert_eq!(tree.matches("[no policy]").count(), 6, "{tree}");
    snapshot["Roots"][0]["PolicyTypes"] = json!([]);
    let tree = load(&snapshot).unwrap().tree().to_string();
    assert!(
        tree.ends_with("service control policies are not enabled: none is applied\n"),
        "{tree}"
    );
    assert!(!tree.contains("[no policy]"), "{tree}");
}

#[test]
fn a_large_organization_is_read_in_good_time() {
    let units: Vec<Value> = (0..2000)
        .map(|number| json!({"Id": format!("ou-test-{number:08}"), "ParentId": ROOT}))
        .collect();
    let account = |number: usize| {
        json!({"Id": format!("{:012}", number + 1),
            "ParentId": format!("ou-test-{:08}", number % 2000)})
    };
    let mut snapshot = sample();
    snapshot["Organization"]["MasterAccountId"] = json!("000000000001");
    snapshot["Accounts"] = (0..20_000).map(account).collect();
    let mut targets: Vec<Value> = units.iter().map(|unit| unit["Id"].clone()).collect();
    targets.push(json!(ROOT));
    snapshot["OrganizationalUnits"] = Value::Array(units);
    snapshot["Policies"] = (0..20)
        .map(|number| {
            json!({"Id": format!("p-policy{number:04}"), "Targets": targets,
                "Content": {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}})
        })
        .collect();
    let organization = load(&snapshot).unwrap();
    assert_eq!(organization.entities().len(), 22_001);
    assert_eq!(organization.entity(organization.root()).policies.len(), 20);
    assert_eq!(organization.tree().to_string().lines().count(), 22_002);
    assert_eq!(load_text(&organization.to_snapshot_json()).unwrap(), organization);
}

#[test]
fn json_without_end_is_refused() {
    for open in ["[", "{\"a\":"] {
        let error = load_text(&open.repeat(100_000)).unwrap_err();
        assert!(error.contains("organization.json: line 1, column "), "{error}");
        assert!(error.contains("recursion limit"), "{error}");
    }
}
