//! The one-file form of a snapshot, written: AWS's member names, the same bytes for the same
//! organization.

use serde::Serialize;
use serde_json::Value;

use super::{Entity, EntityKind, Organization, PolicyScope, SERVICE_CONTROL_POLICY};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Snapshot<'a> {
    organization: Described<'a>,
    roots: Vec<Root<'a>>,
    organizational_units: Vec<Child<'a>>,
    accounts: Vec<Child<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policies: Option<Vec<Policy<'a>>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Described<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    master_account_id: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Root<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_types: Option<Vec<PolicyType>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyType {
    r#type: &'static str,
    status: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Child<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_id: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Policy<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    r#type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    targets: Option<Vec<&'a str>>,
}

/// Returns the snapshot with two blanks of indentation and a line break at the end.
pub(super) fn to_json(organization: &Organization) -> String {
    let of_kind = |kind| {
        let entities = organization.entities().map(|(_, entity)| entity);
        entities.filter(move |entity: &&Entity| entity.kind == kind)
    };
    let child = |entity| child(organization, entity);
    let snapshot = Snapshot {
        organization: Described {
            id: organization.id(),
            master_account_id: organization.management_account_id(),
        },
        roots: of_kind(EntityKind::Root).map(|entity| root(organization, entity)).collect(),
        organizational_units: of_kind(EntityKind::OrganizationalUnit).map(child).collect(),
        accounts: of_kind(EntityKind::Account).map(child).collect(),
        policies: policies(organization),
    };
    let mut json = serde_json::to_string_pretty(&snapshot)
        .expect("text, lists and structs always have a JSON form");
    json.push('\n');
    json
}

fn root<'a>(organization: &Organization, entity: &'a Entity) -> Root<'a> {
    let policy_types = match organization.scope() {
        PolicyScope::Applied => {
            Some(vec![PolicyType { r#type: SERVICE_CONTROL_POLICY, status: "ENABLED" }])
        }
        PolicyScope::NotEnabled => Some(Vec::new()),
        PolicyScope::NotInSnapshot | PolicyScope::NoOrganization => None,
    };
    Root { id: &entity.id, name: entity.name.as_deref(), policy_types }
}

fn child<'a>(organization: &'a Organization, entity: &'a Entity) -> Child<'a> {
    Child {
        id: &entity.id,
        name: entity.name.as_deref(),
        state: entity.state.as_deref(),
        parent_id: entity.parent.map(|parent| organization.entity(parent).id.as_str()),
    }
}

/// Returns the policies by type and id; none at all where the snapshot has none.
fn policies(organization: &Organization) -> Option<Vec<Policy<'_>>> {
    let bound = organization.policies().iter().map(|policy| Policy {
        id: &policy.id,
        name: policy.name.as_deref(),
        r#type: SERVICE_CONTROL_POLICY,
        content: Some(&policy.content),
        targets: Some(
            policy.targets.iter().map(|index| organization.entity(*index).id.as_str()).collect(),
        ),
    });
    let others = organization.other_policies().iter().map(|policy| Policy {
        id: &policy.id,
        name: policy.name.as_deref(),
        r#type: &policy.policy_type,
        content: None,
        targets: None,
    });
    let policies: Vec<Policy<'_>> = bound.chain(others).collect();
    let said = matches!(organization.scope(), PolicyScope::Applied | PolicyScope::NotEnabled);
    (said || !policies.is_empty()).then_some(policies)
}
