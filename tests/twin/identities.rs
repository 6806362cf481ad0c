//! An identity snapshot: replies of `get-account-authorization-details`, as JSON values (table I).
//!
//! Knows no event but asks whose an access is (I7); what a document allows is told elsewhere.

#![expect(clippy::string_slice, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::attribution::Access;
use super::logs;

/// Users, groups, roles and managed policies of any number of accounts.
#[derive(Default)]
pub(crate) struct Identities {
    /// Users and roles, in the order of the replies.
    pub(crate) principals: Vec<Principal>,
    groups: Vec<Group>,
    /// ARN to the document of the default version.
    policies: BTreeMap<String, Value>,
}

/// A user or a role.
#[derive(Clone, Debug)]
pub(crate) struct Principal {
    pub(crate) arn: String,
    pub(crate) name: String,
    /// `USER` or `ROLE`.
    pub(crate) kind: &'static str,
    pub(crate) id: String,
    pub(crate) path: String,
    groups: Vec<String>,
    held: Held,
}

#[derive(Clone, Debug)]
struct Group {
    arn: String,
    name: String,
    held: Held,
}

/// What hangs at a user, a group or a role.
#[derive(Clone, Debug)]
struct Held {
    inline: Vec<Value>,
    attached: Vec<String>,
}

impl Identities {
    /// Reads every reply of a file or a directory; pages and accounts add up.
    pub(crate) fn read(path: &Path) -> Self {
        let mut identities = Self::default();
        for file in logs::files(path) {
            if file.extension().is_some_and(|extension| extension == "json") {
                identities.add(&serde_json::from_slice(&fs::read(file).unwrap()).unwrap());
            }
        }
        identities
    }

    fn add(&mut self, reply: &Value) {
        let texts = |value: &Value| -> Vec<String> {
            list(value).iter().map(|text| text.as_str().unwrap().to_owned()).collect()
        };
        for user in list(&reply["UserDetailList"]) {
            let mut user_of = principal(user, "USER", "UserName", "UserId", "UserPolicyList");
            user_of.groups = texts(&user["GroupList"]);
            self.principals.push(user_of);
        }
        for role in list(&reply["RoleDetailList"]) {
            self.principals.push(principal(role, "ROLE", "RoleName", "RoleId", "RolePolicyList"));
        }
        for group in list(&reply["GroupDetailList"]) {
            let held = held(group, "GroupPolicyList");
            self.groups.push(Group {
                arn: text(group, "Arn"),
                name: text(group, "GroupName"),
                held,
            });
        }
        for policy in list(&reply["Policies"]) {
            let default = list(&policy["PolicyVersionList"])
                .iter()
                .find(|version| version["VersionId"] == policy["DefaultVersionId"]);
            let document =
                document(&default.expect("a policy has its default version")["Document"]);
            self.policies.insert(text(policy, "Arn"), document);
        }
    }

    /// Returns the ARN of every user, group, role and policy, in byte order.
    pub(crate) fn arns(&self) -> BTreeSet<String> {
        let principals = self.principals.iter().map(|principal| &principal.arn);
        let groups = self.groups.iter().map(|group| &group.arn);
        principals.chain(groups).chain(self.policies.keys()).cloned().collect()
    }

    /// Returns the documents that give the services of a report, none for an unknown ARN.
    pub(crate) fn documents(&self, arn: &str) -> Option<Vec<&Value>> {
        if let Some(policy) = self.policies.get(arn) {
            return Some(vec![policy]);
        }
        if let Some(group) = self.groups.iter().find(|group| group.arn == arn) {
            return Some(self.held(&group.held));
        }
        let principal = self.principals.iter().find(|principal| principal.arn == arn)?;
        let mut documents = self.held(&principal.held);
        for group in self.groups_of(principal) {
            documents.extend(self.held(&group.held));
        }
        Some(documents)
    }

    /// Returns the places, in `principals`, of those whose attempts a report counts.
    pub(crate) fn scope(&self, arn: &str) -> Vec<usize> {
        let counts = |principal: &Principal| {
            principal.arn == arn
                || principal.held.attached.iter().any(|policy| policy == arn)
                || self.groups_of(principal).iter().any(|group| {
                    group.arn == arn || group.held.attached.iter().any(|policy| policy == arn)
                })
        };
        let principals = self.principals.iter().enumerate();
        principals.filter(|(_, principal)| counts(principal)).map(|(place, _)| place).collect()
    }

    /// Returns the user or role whose access it is (I7), as its place in `principals`.
    pub(crate) fn whose(&self, access: &Access) -> Option<usize> {
        let only = |found: Vec<usize>| if let [place] = found[..] { Some(place) } else { None };
        let places = |takes: &dyn Fn(&Principal) -> bool| -> Vec<usize> {
            let principals = self.principals.iter().enumerate();
            principals.filter(|(_, principal)| takes(principal)).map(|(place, _)| place).collect()
        };
        let id = access.unique_id.as_deref();
        if let Some(by_id) = only(places(&|principal| Some(principal.id.as_str()) == id)) {
            return Some(by_id);
        }
        let arn = access.principal.as_deref().filter(|text| text.starts_with("arn:"))?;
        let by_arn = only(places(&|principal| principal.arn == arn))
            .or_else(|| only(places(&|principal| is_role_without_path(arn, principal))))?;
        let other = &self.principals[by_arn].id;
        let refused = id.is_some_and(|id| id != other && is_proper(id) && is_proper(other));
        (!refused).then_some(by_arn)
    }

    fn held<'s>(&'s self, held: &'s Held) -> Vec<&'s Value> {
        let attached = held.attached.iter().filter_map(|arn| self.policies.get(arn));
        held.inline.iter().chain(attached).collect()
    }

    fn groups_of(&self, principal: &Principal) -> Vec<&Group> {
        let same_account = |group: &&Group| account(&group.arn) == account(&principal.arn);
        let groups = self.groups.iter().filter(same_account);
        groups.filter(|group| principal.groups.contains(&group.name)).collect()
    }
}

fn principal(value: &Value, kind: &'static str, name: &str, id: &str, inline: &str) -> Principal {
    Principal {
        arn: text(value, "Arn"),
        name: text(value, name),
        kind,
        id: text(value, id),
        path: text(value, "Path"),
        groups: Vec::new(),
        held: held(value, inline),
    }
}

fn held(value: &Value, inline: &str) -> Held {
    let inline = list(&value[inline]).iter().map(|policy| document(&policy["PolicyDocument"]));
    let attached = list(&value["AttachedManagedPolicies"]).iter();
    Held {
        inline: inline.collect(),
        attached: attached.map(|policy| text(policy, "PolicyArn")).collect(),
    }
}

/// Reads a document, be it an object or a text, URL-encoded or not.
fn document(value: &Value) -> Value {
    let Some(text) = value.as_str() else {
        return value.clone();
    };
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).unwrap();
    }
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.bytes().next() {
        if first == b'%' {
            bytes.push(u8::from_str_radix(&rest[1..3], 16).unwrap());
            rest = &rest[3..];
        } else {
            bytes.push(first);
            rest = &rest[1..];
        }
    }
    serde_json::from_slice(&bytes).unwrap()
}

/// Returns whether `arn` is a role's without its path, as a session's ARN gives it.
fn is_role_without_path(arn: &str, principal: &Principal) -> bool {
    let name = arn.splitn(6, ':').nth(5).and_then(|resource| resource.strip_prefix("role/"));
    principal.kind == "ROLE"
        && account(arn) == account(&principal.arn)
        && name == Some(principal.name.as_str())
}

/// Returns whether an id looks like one that AWS gave.
fn is_proper(id: &str) -> bool {
    let behind = id.strip_prefix("AIDA").or_else(|| id.strip_prefix("AROA"));
    behind.is_some_and(|rest| {
        rest.len() >= 12 && rest.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    })
}

fn account(arn: &str) -> &str {
    arn.split(':').nth(4).unwrap()
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("{name} of {value}")).to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
