//! Identity snapshots: real ones, and one of a stand-in for AWS through the AWS CLI.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;
use trailfold::identities::{Identities, IdentityKind};
use trailfold::policy::Policy;

use crate::organization::{StandIn, offline};
use crate::python::python;

/// Returns the reference material, or says that the test did not run for want of it.
#[expect(clippy::print_stderr, reason = "a test that did not run says so")]
fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("not run: {} is not there", path.display());
    None
}

fn error_text(path: &Path) -> String {
    let error = anyhow::Error::from(Identities::load(path).unwrap_err());
    format!("{error:#}")
}

/// Returns the files of a directory that `jq` would call replies of the call.
fn replies(directory: &Path) -> Vec<(PathBuf, Value)> {
    let mut found = Vec::new();
    for entry in walkdir::WalkDir::new(directory).sort_by_file_name() {
        let path = entry.unwrap().into_path();
        let Some(value) = fs::read(&path).ok().and_then(|it| serde_json::from_slice(&it).ok())
        else {
            continue;
        };
        let value: Value = value;
        let has_versions =
            |list: &Vec<Value>| list.iter().any(|it| it.get("PolicyVersionList").is_some());
        if value.get("UserDetailList").is_some()
            || value.get("Policies").and_then(Value::as_array).is_some_and(has_versions)
        {
            found.push((path, value));
        }
    }
    found
}

#[test]
fn every_real_snapshot_is_read_whole() {
    let mut files = 0;
    for folder in ["data/snapshots", "data/organization-dump"] {
        let Some(folder) = shared(folder) else { return };
        for (path, value) in replies(&folder) {
            let identities = Identities::load(&path).unwrap_or_else(|error| {
                panic!("{:#}", anyhow::Error::from(error));
            });
            files += 1;
            let mut entries = 0;
            for list in ["UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"] {
                for entry in value[list].as_array().into_iter().flatten() {
                    entries += 1;
                    let index = identities.find(entry["Arn"].as_str().unwrap()).unwrap();
                    let identity = identities.identity(index);
                    assert_eq!(identity.path, entry["Path"], "{}", path.display());
                    assert!(identity.create_date.is_some(), "{}", path.display());
                    // A user or role is found by its ARN and id, whether others have the id too.
                    if matches!(identity.kind, IdentityKind::User | IdentityKind::Role) {
                        let (arn, id) = (Some(identity.arn.as_str()), Some(identity.id.as_str()));
                        let principal = identities.principal(arn, id);
                        assert_eq!(principal, Some(index), "{}", identity.arn);
                    }
                    let inline = ["UserPolicyList", "GroupPolicyList", "RolePolicyList"]
                        .iter()
                        .filter_map(|list| entry[list].as_array())
                        .flatten()
                        .map(|policy| &policy["PolicyDocument"]);
                    for document in inline {
                        let document = Policy::from_value(document).unwrap();
                        let mut documents =
                            identity.documents.iter().map(|index| identities.document(*index));
                        assert!(documents.any(|it| *it == document), "{}", identity.arn);
                    }
                }
            }
            assert_eq!(identities.identities().len(), entries, "{}", path.display());
            assert!(entries == 1 || !identities.documents().is_empty());
        }
    }
    assert!(files >= 6, "{files}");
}

#[test]
fn the_identities_beside_the_organization_are_found_among_its_replies() {
    let Some(dump) = shared("data/organization-dump") else { return };
    let alone = dump.join("iam/get-account-authorization-details.json");
    assert_eq!(Identities::load(&dump).unwrap(), Identities::load(&alone).unwrap());
}

#[test]
fn nothing_that_merely_looks_like_identities_is_read_as_such() {
    for folder in ["data/policies", "data/lookalikes", "data/digests"] {
        let Some(folder) = shared(folder) else { return };
        for entry in walkdir::WalkDir::new(&folder).sort_by_file_name() {
            let path = entry.unwrap().into_path();
            assert!(Identities::load(&path).is_err(), "{} is no snapshot", path.display());
        }
    }
}

/// Starts moto's server on a free port of the loopback, makes identities in it and prints one
/// line of JSON: the port, ARNs and unique ids. Ends when its input does.
const STAND_IN: &str = r#"
import json, sys
from moto.server import ThreadedMotoServer
import boto3

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
port = server.get_host_and_port()[1]
iam = boto3.client("iam", region_name="us-east-1", endpoint_url=f"http://127.0.0.1:{port}",
                   aws_access_key_id="testing", aws_secret_access_key="testing")

def document(*actions):
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": list(actions), "Resource": "arn:aws:s3:::a+b/100%/\u00fc*"}]})

arns, ids = {}, {}
def made(name, entity, kind):
    arns[name], ids[name] = entity["Arn"], entity[kind + "Id"]

for name, path in (("alice", "/staff/"), ("bob", "/")):
    made(name, iam.create_user(UserName=name, Path=path)["User"], "User")
for name, path in (("readers", "/teams/"), ("empty", "/")):
    made(name, iam.create_group(GroupName=name, Path=path)["Group"], "Group")
trust = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
    "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
for name, path in (("batch", "/jobs/nightly/"), ("web", "/")):
    made(name, iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=trust)["Role"], "Role")
for name, path in (("versions", "/own/"), ("loose", "/")):
    made(name, iam.create_policy(PolicyName=name, Path=path,
                                 PolicyDocument=document(f"s3:Get{name}"))["Policy"], "Policy")
iam.create_policy_version(PolicyArn=arns["versions"], PolicyDocument=document("s3:Second"), SetAsDefault=True)
iam.create_policy_version(PolicyArn=arns["versions"], PolicyDocument=document("s3:Third"), SetAsDefault=False)
iam.add_user_to_group(GroupName="readers", UserName="alice")
iam.put_user_policy(UserName="bob", PolicyName="inline", PolicyDocument=document("s3:OfBob"))
iam.put_group_policy(GroupName="readers", PolicyName="inline", PolicyDocument=document("s3:OfReaders"))
iam.put_role_policy(RoleName="batch", PolicyName="one", PolicyDocument=document("s3:OfReaders"))
iam.put_role_policy(RoleName="batch", PolicyName="two", PolicyDocument=document("s3:OfBatch", "s3:More"))
iam.attach_group_policy(GroupName="readers", PolicyArn=arns["versions"])
iam.attach_role_policy(RoleName="web", PolicyArn=arns["versions"])
print(json.dumps({"port": port, "arns": arns, "ids": ids}), flush=True)
sys.stdin.read()
server.stop()
"#;

/// Runs `aws iam get-account-authorization-details` with these options into a file.
fn collect(server: &StandIn, options: &[&str], into: &Path) {
    let output = offline(&mut Command::new(python().with_file_name("aws")))
        .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{}", server.built["port"]))
        .args(["iam", "get-account-authorization-details", "--output", "json"])
        .args(options)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::create_dir_all(into.parent().unwrap()).unwrap();
    fs::write(into, output.stdout).unwrap();
}

fn document(actions: &[&str]) -> Policy {
    let statement = serde_json::json!({"Effect": "Allow", "Action": actions,
        "Resource": "arn:aws:s3:::a+b/100%/\u{fc}*"});
    let document = serde_json::json!({"Version": "2012-10-17", "Statement": [statement]});
    Policy::from_value(&document).unwrap()
}

#[test]
fn i1_what_the_aws_cli_collects_is_what_was_made() {
    let server = StandIn::start(STAND_IN);
    let directory = TempDir::new().unwrap();
    let whole = directory.path().join("whole/identities.json");
    collect(&server, &[], &whole);
    let identities = Identities::load(&whole).unwrap();
    let arns: BTreeMap<String, String> =
        serde_json::from_value(server.built["arns"].clone()).unwrap();
    assert_eq!(identities.identities().len(), arns.len());
    assert_eq!(identities.accounts().len(), 1);
    assert!(identities.missing().is_empty());

    let second = document(&["s3:Second"]);
    let readers = document(&["s3:OfReaders"]);
    let batch = document(&["s3:OfBatch", "s3:More"]);
    for (name, kind, path, documents, principals) in [
        ("alice", IdentityKind::User, "/staff/", vec![&second, &readers], vec!["alice"]),
        ("bob", IdentityKind::User, "/", vec![&document(&["s3:OfBob"])], vec!["bob"]),
        ("readers", IdentityKind::Group, "/teams/", vec![&second, &readers], vec!["alice"]),
        ("empty", IdentityKind::Group, "/", vec![], vec![]),
        ("batch", IdentityKind::Role, "/jobs/nightly/", vec![&batch, &readers], vec!["batch"]),
        ("web", IdentityKind::Role, "/", vec![&second], vec!["web"]),
        ("versions", IdentityKind::Policy, "/own/", vec![&second], vec!["alice", "web"]),
        ("loose", IdentityKind::Policy, "/", vec![&document(&["s3:Getloose"])], vec![]),
    ] {
        let identity = identities.identity(identities.find(&arns[name]).unwrap());
        assert_eq!((identity.kind, identity.path.as_str()), (kind, path), "{name}");
        assert_eq!(identity.name, name);
        assert!(identity.create_date.is_some(), "{name}");
        let found: Vec<&Policy> =
            identity.documents.iter().map(|index| identities.document(*index)).collect();
        assert_eq!(found.len(), documents.len(), "{name}: {found:?}");
        assert!(documents.iter().all(|document| found.contains(document)), "{name}: {found:?}");
        let mut found: Vec<&str> = identity
            .principals
            .iter()
            .map(|index| identities.identity(*index).name.as_str())
            .collect();
        found.sort_unstable();
        assert_eq!(found, principals, "{name}");
        if kind != IdentityKind::Policy {
            assert_eq!(identity.id, server.built["ids"][name]);
        }
    }
    let account = identities.accounts().first().unwrap();
    let session = format!("arn:aws:iam::{account}:role/batch");
    let role = identities.find(&arns["batch"]);
    let id = server.built["ids"]["batch"].as_str();
    for (arn, id) in [(Some(session.as_str()), None), (Some(&session), id), (None, id)] {
        assert_eq!(identities.principal(arn, id), role);
    }

    // One page as IAM gives it, and a reply for some kinds each.
    let page = directory.path().join("page.json");
    collect(&server, &["--no-paginate"], &page);
    assert_eq!(Identities::load(&page).unwrap(), identities);
    let parts = directory.path().join("parts");
    for (first, second) in [("User", "Role"), ("Group", "LocalManagedPolicy")] {
        collect(&server, &["--filter", first, second], &parts.join(first).join("reply.json"));
    }
    assert_eq!(Identities::load(&parts).unwrap(), identities);
    // A part that is not there is missing, by name.
    fs::remove_dir_all(parts.join("Group")).unwrap();
    let without = Identities::load(&parts).unwrap();
    let missing = [arns["versions"].as_str(), "group/readers"];
    assert_eq!(without.missing().keys().collect::<Vec<_>>(), missing);

    // The AWS CLI was told not to fetch all.
    let cut = directory.path().join("cut.json");
    collect(&server, &["--max-items", "1"], &cut);
    let error = error_text(&cut);
    assert!(error.contains("cut.json: cut off: it has a `NextToken`"), "{error}");
}
