//! The organization directory of Principal Mapper (PMapper), as its `OrganizationTree` writes it:
//! `org_data.json` with the tree, `scps.json` with the policies, told by their members. The names
//! of accounts and the state of policy types are not in it.

use std::collections::{BTreeMap, BTreeSet};

use super::EntityKind;
use super::document::{Document, Member};
use super::draft::{Draft, EntityFacts, OrganizationFacts, PolicyFacts};
use super::error::OrganizationError as Error;
use crate::printable::printable;

/// Returns whether a file is the tree: an object with `org_id` and `root_ous`.
pub(super) fn is_tree(document: &Document) -> bool {
    let value = document.value();
    value.get("org_id").is_some_and(serde_json::Value::is_string)
        && value.get("root_ous").is_some_and(serde_json::Value::is_array)
}

/// Returns whether a file is the list of policies: objects with `arn` and `policy_doc`.
fn is_policies(document: &Document) -> bool {
    document.value().as_array().is_some_and(|list| {
        let is_policy = |value: &serde_json::Value| {
            value.get("arn").is_some() && value.get("policy_doc").is_some()
        };
        list.iter().any(is_policy)
    })
}

/// Adds the tree and, from the files beside it, the policies.
pub(super) fn add(draft: &mut Draft, tree: &Document, others: &[Document]) -> Result<(), Error> {
    draft.of_replies = false;
    let mut policies = Policies::default();
    for document in others.iter().filter(|document| is_policies(document)) {
        policies.read(document)?;
    }
    let top = tree.top()?;
    let facts = OrganizationFacts {
        id: top.id("org_id")?.to_owned(),
        management_id: top.text("management_account_id")?.map(str::to_owned),
        management_email: None,
    };
    draft.organization(facts, &tree.file)?;
    let mut walk = Walk { draft, policies, file: &tree.file };
    for root in top.list("root_ous")? {
        let id = root.id("ou_id")?;
        walk.node(&root, id, EntityKind::Root)?;
    }
    let Walk { draft, policies, .. } = walk;
    for account in top.list("accounts")? {
        let id = account.as_text()?;
        draft.mention(id, EntityKind::Account, &tree.file)?;
    }
    draft.lists.accounts = true;
    draft.lists.policies = true;
    // PMapper asks every entity for its policies, and AWS leaves none without one while service
    // control policies are enabled.
    draft.enabled = Some(!policies.by_arn.is_empty());
    policies.by_arn.into_values().try_for_each(|(id, facts)| draft.policy(&id, facts))
}

/// The policies by ARN, with their ids.
#[derive(Default)]
struct Policies {
    by_arn: BTreeMap<String, (String, PolicyFacts)>,
}

impl Policies {
    fn read(&mut self, document: &Document) -> Result<(), Error> {
        for policy in document.top()?.entries()? {
            let arn = policy.id("arn")?;
            let content = policy.member("policy_doc").map(|content| content.value().clone());
            let facts = PolicyFacts {
                name: policy.text("name")?.map(str::to_owned),
                content,
                listed: Some(BTreeSet::new()),
                file: document.file.clone(),
                ..PolicyFacts::default()
            };
            let id = arn.rsplit('/').next().unwrap_or(arn).to_owned();
            self.by_arn.insert(arn.to_owned(), (id, facts));
        }
        Ok(())
    }

    /// Attaches the policies that a node or account names in `scps`.
    fn attach(&mut self, node: &Member<'_>, target: &str, file: &str) -> Result<(), Error> {
        for scp in node.list("scps")? {
            let arn = scp.as_text()?;
            let Some((_, facts)) = self.by_arn.get_mut(arn) else {
                return Err(Error::NoContent { file: file.to_owned(), id: printable(arn) });
            };
            facts.listed.get_or_insert_default().insert(target.to_owned());
        }
        Ok(())
    }
}

/// A walk down the tree; as deep as the JSON is nested, and its parser bounds that.
struct Walk<'a> {
    draft: &'a mut Draft,
    policies: Policies,
    file: &'a str,
}

impl Walk<'_> {
    fn node(&mut self, node: &Member<'_>, id: &str, kind: EntityKind) -> Result<(), Error> {
        let facts = EntityFacts {
            kind: Some(kind),
            name: node.text("ou_name")?.map(str::to_owned),
            file: self.file.to_owned(),
            ..EntityFacts::default()
        };
        self.draft.entity(id, facts)?;
        self.policies.attach(node, id, self.file)?;
        for account in node.list("accounts")? {
            let account_id = account.id("account_id")?;
            self.draft.mention(account_id, EntityKind::Account, self.file)?;
            self.draft.place(account_id, id, self.file)?;
            self.policies.attach(&account, account_id, self.file)?;
        }
        for child in node.list("child_nodes")? {
            let child_id = child.id("ou_id")?;
            self.draft.place(child_id, id, self.file)?;
            self.node(&child, child_id, EntityKind::OrganizationalUnit)?;
        }
        Ok(())
    }
}
