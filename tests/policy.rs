//! Which services a chain of policies allows.

mod agreement;
mod naive;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use trailfold::catalog::Catalog;
use trailfold::policy::{Evaluator, Policy};
use walkdir::WalkDir;

const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data");

/// Makes a document of statements.
fn document(statements: &Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn allow(action: &str, resource: &str) -> Value {
    json!({"Effect": "Allow", "Action": action, "Resource": resource})
}

fn deny(action: &str, resource: &str) -> Value {
    json!({"Effect": "Deny", "Action": action, "Resource": resource})
}

fn full() -> Value {
    allow("*", "*")
}

/// Returns the services that levels of documents of statements allow, by the embedded catalog.
fn services(levels: &[&[Value]]) -> Vec<String> {
    let catalog = Catalog::embedded();
    let mut evaluator = Evaluator::new(catalog);
    let levels: Vec<Vec<_>> = levels
        .iter()
        .map(|level| {
            let policies = level.iter().map(|it| Policy::from_value(&document(it)).unwrap());
            policies.map(|policy| evaluator.add(&policy)).collect()
        })
        .collect();
    let allowed = evaluator.allowed_services(&levels);
    assert!(allowed.undecided.is_empty());
    allowed.services.iter().map(|service| catalog.service(service).namespace.clone()).collect()
}

/// Returns the services that one policy of these statements allows.
fn alone(statements: Value) -> Vec<String> {
    services(&[&[statements]])
}

fn every_service() -> usize {
    Catalog::embedded().listed().len()
}

#[test]
fn s1_every_level_must_allow() {
    let (some, other) = ([allow("s3:*", "*")], [allow("sqs:*", "*")]);
    let both = [json!([some[0], other[0]])];
    assert_eq!(services(&[&[full()], &some, &[full()]]), ["s3"]);
    assert!(services(&[&some, &other]).is_empty());
    assert_eq!(services(&[&both, &some]), ["s3"]);
}

#[test]
fn s1_within_a_level_allows_add_up() {
    assert_eq!(services(&[&[full()], &[allow("s3:*", "*"), allow("sqs:*", "*")]]), ["s3", "sqs"]);
}

#[test]
fn s1_a_deny_at_any_level_takes_away() {
    let denied = [full(), deny("s3:*", "*")];
    for levels in [[&denied[..], &[full()]], [&[full()], &denied[..]]] {
        let left = services(&levels);
        assert_eq!(left.len(), every_service() - 1);
        assert!(!left.contains(&"s3".to_owned()));
    }
}

#[test]
fn s1_a_level_without_a_policy_allows_nothing() {
    assert!(services(&[&[full()], &[]]).is_empty());
    assert_eq!(services(&[]).len(), every_service());
}

#[test]
fn s2_one_action_on_one_resource_is_enough() {
    assert_eq!(alone(allow("s3:GetObject", "arn:aws:s3:::b/k")), ["s3"]);
    let all_but_one = json!([allow("sqs:*", "*"), {"Effect": "Deny",
        "NotAction": "sqs:SendMessage", "Resource": "*"}]);
    assert_eq!(alone(all_but_one), ["sqs"]);
}

#[test]
fn s2_it_must_be_one_and_the_same_action_and_resource() {
    let level = |action, resource| [allow(action, resource)];
    let chain = |one: [Value; 1], other: [Value; 1]| services(&[&one, &other]);
    let get = "s3:GetObject";
    assert!(chain(level(get, "*"), level("s3:PutObject", "*")).is_empty());
    let (a, b) = ("arn:aws:s3:::a/*", "arn:aws:s3:::b/*");
    assert!(chain(level(get, a), level(get, b)).is_empty());
    assert_eq!(chain(level(get, "arn:aws:s3:::a*/*"), level(get, "arn:aws:s3:::*b/*")), ["s3"]);
    // Of `a/…/z` and `…/y`, none is both.
    assert!(chain(level(get, "arn:aws:s3:::a/*z"), level(get, "arn:aws:s3:::*y")).is_empty());
}

#[test]
fn s3_a_condition_on_an_allow_is_ignored() {
    let mut statement = allow("s3:*", "*");
    statement["Condition"] = json!({"StringEquals": {"aws:RequestedRegion": "eu-west-1"}});
    assert_eq!(alone(statement), ["s3"]);
}

#[test]
fn s3_a_deny_with_a_condition_takes_nothing_away() {
    let mut statement = deny("*", "*");
    statement["Condition"] = json!({"Bool": {"aws:ViaAWSService": "false"}});
    assert_eq!(alone(json!([allow("s3:*", "*"), statement])), ["s3"]);
}

#[test]
fn s4_a_deny_takes_away_only_what_it_covers() {
    let left = |deny: Value| alone(json!([allow("s3:GetObject", "arn:aws:s3:::a/*"), deny]));
    assert_eq!(left(deny("s3:*", "arn:aws:s3:::a/b*")), ["s3"]);
    assert_eq!(left(deny("s3:Put*", "*")), ["s3"]);
    assert!(left(deny("s3:*", "arn:aws:s3:::*/*")).is_empty());
    assert!(
        left(json!({"Effect": "Deny", "Action": "*",
        "NotResource": ["arn:aws:s3:::b/*", "arn:aws:sqs:*:*:*"]}))
        .is_empty()
    );
    // What two denies leave between them.
    let both = |one: &str, other: &str| {
        left(json!({"Effect": "Deny", "Action": "*", "Resource": [one, other]}))
    };
    assert!(both("arn:aws:s3:::a/?*", "arn:aws:s3:::a/").is_empty());
    assert_eq!(both("arn:aws:s3:::a/??*", "arn:aws:s3:::a/"), ["s3"]);
}

#[test]
fn s4_an_allow_on_what_the_action_cannot_have_allows_nothing() {
    assert!(alone(allow("s3:GetObject", "arn:aws:s3:::bucket")).is_empty());
    assert!(alone(allow("s3:GetObject", "arn:aws:sqs:*:*:*")).is_empty());
    // No resource type: only `*` covers what the action works on.
    assert!(alone(allow("s3:ListAllMyBuckets", "arn:aws:s3:::*")).is_empty());
    assert_eq!(alone(allow("s3:ListAllMyBuckets", "*")), ["s3"]);
    let not = json!({"Effect": "Allow", "Action": "s3:ListAllMyBuckets",
        "NotResource": "arn:aws:s3:::*"});
    assert_eq!(alone(not), ["s3"]);
}

#[test]
fn s4_a_deny_on_arns_leaves_actions_without_resources() {
    let statements = json!([allow("s3:ListAllMyBuckets", "*"), deny("s3:*", "arn:*:s3:*:*:*")]);
    assert_eq!(alone(statements), ["s3"]);
    let not = json!([allow("s3:ListAllMyBuckets", "*"), {"Effect": "Deny", "Action": "*",
        "NotResource": "arn:aws:s3:::b"}]);
    assert!(alone(not).is_empty());
}

#[test]
fn s4_an_action_whose_resources_are_not_published_may_have_any() {
    let tag = "cloudwatch:TagResource";
    assert_eq!(alone(allow(tag, "arn:aws:anything:::at-all")), ["cloudwatch"]);
    assert_eq!(alone(json!([allow(tag, "*"), deny(tag, "arn:*:*:*:*:*")])), ["cloudwatch"]);
    assert!(alone(json!([allow(tag, "*"), deny(tag, "*")])).is_empty());
}

#[test]
fn s4_an_action_that_does_not_exist_allows_nothing() {
    assert!(alone(allow("s3:GetObjekt", "*")).is_empty());
    assert!(alone(allow("nosuchservice:*", "*")).is_empty());
}

#[test]
fn s5_not_action_and_not_resource_are_complements() {
    let statement = json!({"Effect": "Allow", "NotAction": ["s3:*", "sqs:*"], "Resource": "*"});
    assert_eq!(alone(statement).len(), every_service() - 2);
    let denied = json!([full(), {"Effect": "Deny", "NotAction": ["s3:*", "sqs:*"],
        "Resource": "*"}]);
    assert_eq!(alone(denied), ["s3", "sqs"]);
    let nothing = json!({"Effect": "Allow", "Action": "*", "NotResource": "*"});
    assert!(alone(nothing).is_empty());
    let harmless = json!([full(), {"Effect": "Deny", "Action": "*", "NotResource": "*"}]);
    assert_eq!(alone(harmless).len(), every_service());
}

#[test]
fn s5_actions_compare_without_case_and_take_wildcards_anywhere() {
    for action in ["S3:GETOBJECT", "s3:*ect", "s3:G?tObj*", "s3:*", "*:GetObjectAcl"] {
        assert!(alone(allow(action, "*")).contains(&"s3".to_owned()), "{action}");
    }
    assert!(alone(allow("s3:?", "*")).is_empty());
    assert_eq!(alone(allow("*:*", "*")).len(), every_service());
}

#[test]
fn s6_who_is_exempt_may_use_every_listed_service() {
    let catalog = Catalog::embedded();
    let allowed = Evaluator::new(catalog).exempt();
    assert_eq!(allowed.services, catalog.listed());
    assert!(allowed.undecided.is_empty());
}

#[test]
fn s7_what_was_captured_from_aws() {
    let few = json!({"Effect": "Allow",
        "Action": ["s3:GetObject", "iam:GetUser", "sqs:SendMessage"], "Resource": "*"});
    assert_eq!(alone(few), ["iam", "s3", "sqs"]);
    assert!(alone(deny("s3:*", "*")).is_empty());
    assert!(alone(allow("s3:GetObject", "arn:aws:s3:::bucket")).is_empty());
    let on_a = allow("s3:GetObject", "arn:aws:s3:::a/*");
    assert!(alone(json!([on_a, deny("s3:*", "arn:aws:s3:::a/*")])).is_empty());
    assert_eq!(alone(json!([on_a, deny("s3:*", "arn:aws:s3:::b/*")])), ["s3"]);
    assert_eq!(alone(full()).len(), every_service());
}

#[test]
fn s8_a_wildcard_stays_within_its_field_of_the_arn() {
    let send = |resource| alone(allow("sqs:SendMessage", resource));
    assert_eq!(send("arn:aws:sqs:eu-west-1:*:q"), ["sqs"]);
    assert_eq!(send("arn:aws:sqs"), ["sqs"]);
    // Else these would reach from the service or the partition into the queue's name.
    assert!(send("arn:aws:sq*name").is_empty());
    assert!(send("arn:*:queue").is_empty());
    let read = |resource| alone(allow("logs:GetLogEvents", resource));
    assert_eq!(read("arn:aws:logs:*:*:log-group:g:log-stream:s"), ["logs"]);
    assert_eq!(read("arn:aws:logs:*:*:log-group:*"), ["logs"]);
}

#[test]
fn s8_a_policy_variable_is_a_wildcard() {
    let on = |statements: Value| alone(statements);
    let home = "arn:aws:s3:::home/${aws:username}/*";
    assert_eq!(on(allow("s3:GetObject", home)), ["s3"]);
    let get = allow("s3:GetObject", "arn:aws:s3:::home/me/*");
    assert!(on(json!([get, deny("s3:*", home)])).is_empty());
    assert_eq!(on(json!([get, deny("s3:*", "arn:aws:s3:::home/${*}/*")])), ["s3"]);
}

#[test]
fn s9_a_service_without_published_actions_has_one_that_has_no_name() {
    let silent = "network-security-manager";
    let catalog = Catalog::embedded();
    assert!(catalog.actions(catalog.find(silent).unwrap()).is_empty());
    let prefixed = |name: &str| format!("{silent}:{name}");
    let listed = |statements: Value| alone(statements).contains(&silent.to_owned());
    assert!(listed(allow(&prefixed("*"), "*")));
    assert!(listed(allow(&prefixed("*"), "arn:aws:anything:::*")));
    assert!(!listed(allow(&prefixed("G*"), "*")));
    assert!(listed(json!({"Effect": "Allow", "NotAction": prefixed("G*"), "Resource": "*"})));
    assert!(!listed(json!({"Effect": "Allow", "NotAction": prefixed("*"), "Resource": "*"})));
    assert!(listed(json!([full(), deny(&prefixed("G*"), "*")])));
    assert!(!listed(json!([full(), deny(&prefixed("*"), "*")])));
}

#[test]
fn s10_a_malformed_policy_is_an_error_that_names_the_place() {
    let place = |document: &str| Policy::parse(document).unwrap_err().to_string();
    let misspelt = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Deny",
        "Action": ["iam:CreateRole"], "NotResouce": "arn:aws:iam::1:role/x"}]}"#;
    assert_eq!(place(misspelt), "`Statement[0]`: unknown element `NotResouce`");
    let commented = "{\n  \"Version\": \"2012-10-17\",\n  // all\n  \"Statement\": []\n}";
    assert_eq!(place(commented), "line 3, column 3: key must be a string");
}

#[test]
fn i1_an_identity_is_a_chain_of_one_level() {
    let inline = allow("s3:*", "*");
    let managed = json!([allow("sqs:*", "*"), deny("s3:Put*", "*")]);
    assert_eq!(services(&[&[inline, managed]]), ["s3", "sqs"]);
}

#[test]
fn i4_the_allowed_actions_of_a_service() {
    let catalog = Catalog::embedded();
    let mut evaluator = Evaluator::new(catalog);
    let statements = json!([
        allow("s3:Get*", "arn:aws:s3:::bucket"),
        allow("s3:List*", "*"),
        deny("s3:*Multi*", "*"),
        deny("s3:GetBucketAcl", "arn:aws:s3:::bucket")
    ]);
    let policy = evaluator.add(&Policy::from_value(&document(&statements)).unwrap());
    let s3 = catalog.find("s3").unwrap();
    let allowed = evaluator.allowed_actions(&[vec![policy]]);
    assert!(allowed.undecided.is_empty());
    let names: Vec<&str> =
        allowed.actions[&s3].iter().map(|&at| catalog.actions(s3)[at].name.as_str()).collect();
    for name in ["GetBucketPolicy", "ListBucket", "ListAllMyBuckets"] {
        assert!(names.contains(&name), "{name}");
    }
    for name in ["GetObject", "GetBucketAcl", "ListBucketMultipartUploads", "PutObject"] {
        assert!(!names.contains(&name), "{name}");
    }
    assert!(names.is_sorted());
    assert_eq!(allowed.actions.len(), 1);
    let full = evaluator.add(&Policy::from_value(&document(&json!([full()]))).unwrap());
    let silent = catalog.find("network-security-manager").unwrap();
    assert!(!evaluator.allowed_actions(&[vec![full]]).actions.contains_key(&silent));
}

#[test]
fn an_answer_does_not_depend_on_order_or_on_earlier_questions() {
    let catalog = Catalog::embedded();
    let policies = [
        full(),
        allow("s3:GetObject", "arn:aws:s3:::a*/*"),
        allow("s3:*", "arn:aws:s3:::*b/*"),
        deny("*", "arn:aws:s3:::*/?"),
    ]
    .map(|statements| Policy::from_value(&document(&statements)).unwrap());
    let ask = |order: &[usize]| {
        let mut evaluator = Evaluator::new(catalog);
        let mut indices = [None; 4];
        for &at in order {
            indices[at] = Some(evaluator.add(&policies[at]));
            let level = vec![indices[at].unwrap()];
            evaluator.allowed_services(&[level]);
        }
        let [a, b, c, d] = indices.map(Option::unwrap);
        let one = evaluator.allowed_services(&[vec![a, d], vec![b, c], vec![c]]);
        let other = evaluator.allowed_services(&[vec![c], vec![c, b, b], vec![d, a]]);
        assert_eq!(one, other);
        one
    };
    assert_eq!(ask(&[0, 1, 2, 3]), ask(&[3, 2, 1, 0]));
}

#[test]
fn s2_a_search_that_many_actions_share_counts_once() {
    let pattern = "arn:*:*:::*:*";
    let not = json!({"Effect": "Allow", "Action": "*", "NotResource": pattern});
    assert!(services(&[&[not], &[allow("*", pattern)]]).is_empty());
}

/// What it takes to tell these apart grows beyond any bound: then a service counts as allowed, and
/// the answer says that it was not decided.
#[test]
fn s2_what_cannot_be_decided_counts_as_allowed() {
    let catalog = Catalog::embedded();
    let mut evaluator = Evaluator::new(catalog);
    let entangled = format!("arn:aws:s3:::*/*a{}", "?".repeat(40));
    let statements =
        json!([allow("s3:GetObject", &entangled), deny("s3:*", &entangled), allow("sqs:*", "*")]);
    let policy = evaluator.add(&Policy::from_value(&document(&statements)).unwrap());
    let allowed = evaluator.allowed_services(&[vec![policy]]);
    let s3 = catalog.find("s3").unwrap();
    assert_eq!(allowed.undecided.iter().collect::<Vec<_>>(), [s3]);
    assert!(allowed.services.contains(s3));
    assert_eq!(allowed.services.len(), 2);
    let actions = evaluator.allowed_actions(&[vec![policy]]);
    assert_eq!(actions.undecided.keys().collect::<Vec<_>>(), [&s3]);
    assert_eq!(actions.actions[&s3], actions.undecided[&s3]);
    assert_eq!(actions.actions[&s3].len(), 1);
}

/// Returns the folder of real policies; without it says that `test` could not run.
#[expect(clippy::print_stderr, reason = "a test that did not run says so")]
fn shared(test: &str, folder: &str) -> Option<PathBuf> {
    let path = Path::new(SHARED).join(folder);
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("{test}: not run: the folder {folder} is not at hand");
    None
}

fn json_files(folder: &Path) -> Vec<PathBuf> {
    let files = WalkDir::new(folder).sort_by_file_name().into_iter().map(Result::unwrap);
    let files = files.map(walkdir::DirEntry::into_path);
    files.filter(|path| path.extension().is_some_and(|extension| extension == "json")).collect()
}

#[test]
fn s10_real_policies_are_read_or_refused_with_their_place() {
    let Some(folder) = shared("real policies", "policies") else { return };
    let catalog = Catalog::embedded();
    let mut evaluator = Evaluator::new(catalog);
    let full = evaluator.add(&Policy::from_value(&document(&full())).unwrap());
    let (mut read, mut refused, mut last) = (0, Vec::new(), full);
    for file in json_files(&folder) {
        match Policy::parse(&fs::read_to_string(&file).unwrap()) {
            Ok(policy) => {
                read += 1;
                let policy = evaluator.add(&policy);
                let all = [vec![vec![policy]], vec![vec![full, policy]]];
                let with_the_last = vec![vec![full, policy], vec![full, last]];
                for levels in all.iter().chain([&with_the_last]) {
                    let allowed = evaluator.allowed_services(levels);
                    assert!(allowed.undecided.is_empty(), "{}", file.display());
                }
                last = policy;
            }
            Err(error) => refused.push(error.to_string()),
        }
    }
    println!("{read} policies read, {} refused: {refused:#?}", refused.len());
    assert!(read >= 180, "{read}");
    refused.sort();
    refused.dedup();
    assert!(refused.iter().all(|error| error.starts_with("line") || error.starts_with("`State")));
}

#[test]
fn s1_the_policies_of_an_organizations_dump() {
    let Some(folder) = shared("an organization's policies", "organization-dump") else { return };
    let catalog = Catalog::embedded();
    let mut evaluator = Evaluator::new(catalog);
    let mut found = Vec::new();
    for file in json_files(&folder) {
        let reply: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        let Some(content) = reply["Policy"]["Content"].as_str() else { continue };
        let policy = evaluator.add(&Policy::parse(content).unwrap());
        let name = reply["Policy"]["PolicySummary"]["Name"].as_str().unwrap().to_owned();
        found.push((name, evaluator.allowed_services(&[vec![policy]]).services.len()));
    }
    found.sort();
    assert!(found.contains(&("AllowFew".to_owned(), 4)), "{found:?}");
    assert!(found.contains(&("FullAWSAccess".to_owned(), every_service())), "{found:?}");
}
