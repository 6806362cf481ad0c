//! Organization snapshots of every form.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use trailfold::organization::{EntityKind, Organization, PolicyScope};

use crate::python::python;

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sample(name: &str) -> PathBuf {
    repository().join("testdata/organizations").join(name)
}

/// Returns the reference material, or says that the test did not run for want of it.
#[expect(clippy::print_stderr, reason = "a test that did not run says so")]
fn shared(name: &str) -> Option<PathBuf> {
    let path = repository().join("../shared").join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("not run: {} is not there", path.display());
    None
}

/// Returns an error with its causes, as the program prints it.
fn error_text(path: &Path) -> String {
    let error = anyhow::Error::from(Organization::load(path).unwrap_err());
    format!("{error:#}")
}

/// Entity path to the ids of the policies attached there.
fn attachments(organization: &Organization) -> BTreeMap<String, Vec<String>> {
    organization
        .entities()
        .map(|(index, entity)| {
            let policies = organization.policies_at(index).map(|policy| policy.id.clone());
            (entity.path.clone(), policies.collect())
        })
        .collect()
}

#[test]
fn every_form_gives_the_same_organization() {
    let file = Organization::load(&sample("nested.json")).unwrap();
    assert_eq!(Organization::load(&sample("nested-replies")).unwrap(), file);
    assert_eq!(Organization::load(&sample("nested-paths")).unwrap(), file);

    // PMapper knows neither names nor states of accounts.
    let mut bare: Value =
        serde_json::from_slice(&fs::read(sample("nested.json")).unwrap()).unwrap();
    for account in bare["Accounts"].as_array_mut().unwrap() {
        account.as_object_mut().unwrap().retain(|name, _| name == "Id" || name == "ParentId");
    }
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("bare.json");
    fs::write(&path, bare.to_string()).unwrap();
    let bare = Organization::load(&path).unwrap();
    assert_eq!(Organization::load(&sample("nested-pmapper")).unwrap(), bare);
    assert_eq!(Organization::load(&sample("nested-pmapper/org_data.json")).unwrap(), bare);
}

#[test]
fn the_nested_organization_is_read_to_the_letter() {
    let organization = Organization::load(&sample("nested.json")).unwrap();
    let expected = "\
o-exampleorg1
└─ r-exam Root [p-FullAWSAccess, p-stayhere1 StayHere]
   ├─ 111111111111 management (management account) [p-FullAWSAccess]
   ├─ ou-exam-sandbox1 Sandbox [p-allowfew1 AllowFew]
   │  └─ 444444444444 play [p-allowfew1 AllowFew]
   └─ ou-exam-workload Workloads [p-FullAWSAccess]
      └─ ou-exam-prod0001 Prod [p-FullAWSAccess]
         ├─ 222222222222 web [p-FullAWSAccess]
         └─ 333333333333 batch (SUSPENDED) [p-FullAWSAccess, p-stayhere1 StayHere]
";
    assert_eq!(organization.tree().to_string(), expected);
    assert_eq!(organization.scope(), PolicyScope::Applied);
    let web = organization.account("222222222222").unwrap();
    let path = "o-exampleorg1/r-exam/ou-exam-workload/ou-exam-prod0001/222222222222";
    assert_eq!(organization.entity(web).path, path);
    assert_eq!(organization.find(&format!("{path}/")), Some(web));
}

#[test]
fn a_written_snapshot_reads_back_equal_and_to_the_same_bytes() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("organization.json");
    let mut snapshots =
        vec![sample("nested.json"), sample("nested-paths"), sample("nested-pmapper")];
    snapshots.extend(shared("data/organization-dump"));
    for snapshot in snapshots {
        let organization = Organization::load(&snapshot).unwrap();
        let written = organization.to_snapshot_json();
        fs::write(&path, &written).unwrap();
        let again = Organization::load(&path).unwrap();
        assert_eq!(again, organization, "{}", snapshot.display());
        assert_eq!(again.to_snapshot_json(), written);
    }
}

#[test]
fn the_real_dump_is_read_and_what_lies_beside_it_is_not() {
    let Some(dump) = shared("data/organization-dump") else { return };
    let organization = Organization::load(&dump).unwrap();
    assert_eq!(organization.entities().len(), 11);
    assert_eq!(organization.policies().len(), 4);
    assert_eq!(organization.scope(), PolicyScope::Applied);
    let management = organization.management_account().unwrap();
    assert_eq!(organization.entity(management).parent, Some(organization.root()));
    let every = organization.entities().all(|(_, entity)| !entity.policies.is_empty());
    assert!(every, "{}", organization.tree());
}

#[test]
fn the_snapshot_beside_a_generated_dump_is_read() {
    let Some(generator) = shared("tools/generate.py") else { return };
    let directory = TempDir::new().unwrap();
    let made = Command::new("python3")
        .arg(generator)
        .args(["--bytes", "1e4", "--accounts", "5", "--procs", "1", "--out"])
        .arg(directory.path())
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let organization = Organization::load(&directory.path().join("organization.json")).unwrap();
    assert_eq!(organization.entities().len(), 1 + 8 + 5);
    assert_eq!(organization.scope(), PolicyScope::Applied);
    assert!(organization.management_account().is_some());
    // The statistics beside it are no replies.
    assert_eq!(Organization::load(directory.path()).unwrap(), organization);
}

#[test]
fn nothing_that_merely_looks_like_a_snapshot_is_one() {
    for folder in ["data/snapshots", "data/policies", "data/lookalikes", "data/events"] {
        let Some(folder) = shared(folder) else { continue };
        for entry in walkdir::WalkDir::new(&folder).sort_by_file_name() {
            let path = entry.unwrap().into_path();
            let loaded = Organization::load(&path);
            assert!(loaded.is_err(), "{} is no organization", path.display());
        }
    }
}

/// Starts moto's server on a free port of the loopback, builds an organization in it and prints
/// one line of JSON: the port, the organization's id, and entity paths with their policies. Ends
/// when its input does.
const STAND_IN: &str = r#"
import json, sys
from moto.server import ThreadedMotoServer
import boto3

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
port = server.get_host_and_port()[1]
client = boto3.client("organizations", region_name="us-east-1",
                      endpoint_url=f"http://127.0.0.1:{port}",
                      aws_access_key_id="testing", aws_secret_access_key="testing")
organization = client.create_organization(FeatureSet="ALL")["Organization"]["Id"]
root = client.list_roots()["Roots"][0]["Id"]
client.enable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")

def policy(name, statement):
    content = json.dumps({"Version": "2012-10-17", "Statement": statement})
    made = client.create_policy(Name=name, Description=name, Content=content,
                                Type="SERVICE_CONTROL_POLICY")
    return made["Policy"]["PolicySummary"]["Id"]

def unit(name, parent):
    return client.create_organizational_unit(ParentId=parent, Name=name)["OrganizationalUnit"]["Id"]

def account(name, parent):
    made = client.create_account(AccountName=name, Email=f"{name}@example.com")
    made = made["CreateAccountStatus"]["AccountId"]
    if parent != root:
        client.move_account(AccountId=made, SourceParentId=root, DestinationParentId=parent)
    return made

paths = {root: f"{organization}/{root}"}
outer = unit("W\u00f6rk \"Id\": \"ou-none-00000000\"", root)
paths[outer] = f"{paths[root]}/{outer}"
inner = unit("Prod", outer)
paths[inner] = f"{paths[outer]}/{inner}"
for existing in client.list_accounts()["Accounts"]:
    paths[existing["Id"]] = f"{paths[root]}/{existing['Id']}"
    management = existing["Id"]
for name, parent in (("sandbox", root), ("web", inner)):
    made = account(name, parent)
    paths[made] = f"{paths[parent]}/{made}"
    last = made
deny = policy("DenyOutside", {"Effect": "Deny", "NotAction": "iam:*", "Resource": "*",
              "Condition": {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}})
few = policy("AllowFew", [{"Effect": "Allow", "Action": ["s3:*", "sqs:SendMessage"], "Resource": "*"}])
policy("AttachedNowhere", [{"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::a/*"}])
for policy_id, target in ((deny, root), (deny, inner), (few, inner), (few, last)):
    client.attach_policy(PolicyId=policy_id, TargetId=target)
attached = {}
for entity, path in paths.items():
    reply = client.list_policies_for_target(TargetId=entity, Filter="SERVICE_CONTROL_POLICY")
    attached[path] = sorted(policy["Id"] for policy in reply["Policies"])
print(json.dumps({"port": port, "organization": organization, "management": management,
                  "attached": attached}), flush=True)
sys.stdin.read()
server.stop()
"#;

/// A server that lives as long as this value.
pub(crate) struct StandIn {
    process: Child,
    input: Option<ChildStdin>,
    /// The line that it printed.
    pub(crate) built: Value,
}

impl StandIn {
    /// Starts a Python program that prints one line of JSON and ends when its input does.
    pub(crate) fn start(program: &str) -> Self {
        let mut process = offline(&mut Command::new(python()))
            .args(["-c", program])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let input = process.stdin.take();
        Self { process, input, built: serde_json::from_str(&line).unwrap() }
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        drop(self.input.take());
        if !matches!(self.process.try_wait(), Ok(Some(_))) {
            _ = self.process.kill();
            _ = self.process.wait();
        }
    }
}

/// Keeps a program to the loopback and away from anybody's AWS account.
pub(crate) fn offline(command: &mut Command) -> &mut Command {
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"]
    {
        command.env_remove(name);
    }
    for name in ["AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN"] {
        command.env_remove(name);
    }
    command
        .env("NO_PROXY", "*")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_ACCESS_KEY_ID", "testing")
        .env("AWS_SECRET_ACCESS_KEY", "testing")
        .env("AWS_DEFAULT_REGION", "us-east-1")
}

/// Runs the collection script with the programs of `programs` in front of the others.
fn collect(programs: &Path, into: &Path, endpoint: &str) -> Output {
    let script = repository().join("docs/collect-organization.sh");
    offline(&mut Command::new("sh"))
        .env("PATH", format!("{}:/usr/bin:/bin", programs.display()))
        .env("AWS_ENDPOINT_URL", endpoint)
        .arg(script)
        .arg(into)
        .args(["--region", "us-east-1"])
        .output()
        .unwrap()
}

#[test]
fn the_script_collects_with_the_aws_cli_what_trailfold_reads() {
    let server = StandIn::start(STAND_IN);
    let directory = TempDir::new().unwrap();
    let into = directory.path().join("dump");
    let python = python();
    let endpoint = format!("http://127.0.0.1:{}", server.built["port"]);
    let output = collect(python.parent().unwrap(), &into, &endpoint);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("list-accounts-for-parent --parent-id r-"), "{said}");

    let organization = Organization::load(&into).unwrap();
    assert_eq!(organization.id(), server.built["organization"]);
    assert_eq!(organization.management_account_id(), server.built["management"].as_str());
    assert!(organization.management_account().is_some());
    let expected: BTreeMap<String, Vec<String>> =
        serde_json::from_value(server.built["attached"].clone()).unwrap();
    assert_eq!(attachments(&organization), expected);
    let names: Vec<&str> =
        organization.policies().iter().filter_map(|policy| policy.name.as_deref()).collect();
    for name in ["FullAWSAccess", "DenyOutside", "AllowFew", "AttachedNowhere"] {
        assert!(names.contains(&name), "{names:?}");
    }
    let unit = organization.entities().find(|(_, entity)| {
        entity.kind == EntityKind::OrganizationalUnit
            && entity.name.as_deref() == Some("W\u{f6}rk \"Id\": \"ou-none-00000000\"")
    });
    assert!(unit.is_some(), "{}", organization.tree());
}

/// An `aws` that answers with the files of `$REPLIES`, keeps a list of its calls, and gives half
/// an answer and an error for the call that the file `failing` names.
const CANNED: &str = r#"#!/bin/sh
here=${0%/*}
call=$2
name=$call
case $3 in --parent-id | --policy-id) name=$call.$4 ;; esac
echo "$call" >>"$here/calls"
case $* in
*--query*) echo SERVICE_CONTROL_POLICY; exit 0 ;;
esac
if [ "$call" = "$(cat "$here/failing")" ]; then
    echo '{ "half": '
    exit "$(cat "$here/status")"
fi
cat "$(cat "$here/replies")/$name.json"
"#;

#[cfg(unix)]
#[test]
fn a_collection_that_was_broken_off_is_no_snapshot_and_goes_on() {
    use std::os::unix::fs::PermissionsExt as _;

    let directory = TempDir::new().unwrap();
    let programs = directory.path().join("bin");
    let into = directory.path().join("dump");
    let partial = directory.path().join("dump.partial");
    fs::create_dir(&programs).unwrap();
    let aws = programs.join("aws");
    fs::write(&aws, CANNED).unwrap();
    fs::set_permissions(&aws, fs::Permissions::from_mode(0o755)).unwrap();
    let replies = sample("nested-replies");
    fs::write(programs.join("replies"), replies.to_str().unwrap()).unwrap();

    // The call fails, and, as with a full disk, it ends well with half a reply.
    for status in ["1", "0"] {
        fs::write(programs.join("failing"), "describe-policy").unwrap();
        fs::write(programs.join("status"), status).unwrap();
        let output = collect(&programs, &into, "");
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(!into.exists());
        let error = error_text(&partial);
        assert!(error.contains("unfinished.json: cut off"), "{error}");
        assert!(!partial.join("describe-policy.p-FullAWSAccess.json").exists());
    }

    fs::write(programs.join("failing"), "").unwrap();
    let output = collect(&programs, &into, "");
    assert!(output.status.success(), "{output:?}");
    assert!(!partial.exists());
    let collected = Organization::load(&into).unwrap();
    assert_eq!(collected, Organization::load(&sample("nested.json")).unwrap());
    let calls = fs::read_to_string(programs.join("calls")).unwrap();
    let times = |call: &str| calls.lines().filter(|line| *line == call).count();
    assert_eq!((times("list-accounts"), times("list-accounts-for-parent")), (1, 4));
    assert_eq!(times("describe-policy"), 5);

    let again = collect(&programs, &into, "");
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&again.stderr).contains("exists already"));
}
