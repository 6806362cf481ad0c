//! Replies of AWS Organizations, one a file or all in one file: which members are a reply, and
//! what each says. A reply that does not say what it is the reply for takes it from the name of
//! its file; nothing else is taken from names.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::arn::Arn;
use crate::json::Tree;

use super::document::{Document, Member};
use super::draft::{Draft, EntityFacts, OrganizationFacts, PolicyFacts};
use super::error::OrganizationError as Error;
use super::{EntityKind, SERVICE_CONTROL_POLICY};

/// The members that a reply, or the one-file form, has at its top.
const MEMBERS: [&str; 10] = [
    "Organization",
    "Roots",
    "OrganizationalUnits",
    "OrganizationalUnit",
    "Accounts",
    "Account",
    "Children",
    "Parents",
    "Policies",
    "Policy",
];

/// Returns whether a file is a reply of AWS Organizations, by its members: other services have
/// `Policies` and `Targets` too, but not with these members in them.
pub(super) fn is_reply(document: &Document) -> bool {
    let value = document.value();
    is_whole(value)
        || MEMBERS.iter().chain(&["Targets"]).any(|name| is_reply_member(name, value.get(*name)))
}

/// Returns whether a file is a whole snapshot.
fn is_whole(value: &Value) -> bool {
    value.get("Organization").is_some_and(|value| value.get("Id").is_some())
        && ["Roots", "OrganizationalUnits", "Accounts", "Policies"]
            .iter()
            .any(|name| value.get(*name).is_some())
}

fn is_reply_member(name: &str, value: Option<&Value>) -> bool {
    let Some(value) = value else { return false };
    let begins = |value: &Value, member: &str, prefix: &str| {
        value.get(member).and_then(Value::as_str).is_some_and(|id| id.starts_with(prefix))
    };
    let lists = |member: &str, prefix: &str| {
        let is_listed = |list: &Vec<Value>| {
            list.is_empty() || list.iter().any(|entry| begins(entry, member, prefix))
        };
        value.as_array().is_some_and(is_listed)
    };
    match name {
        "Organization" => begins(value, "Id", ""),
        "Roots" => lists("Id", "r-"),
        "OrganizationalUnits" => lists("Id", "ou-"),
        "OrganizationalUnit" => begins(value, "Id", "ou-"),
        "Accounts" | "Children" | "Parents" => lists("Id", ""),
        "Account" => begins(value, "Id", ""),
        "Policies" => lists("Id", "p-"),
        "Policy" => value.get("PolicySummary").is_some_and(|summary| begins(summary, "Id", "p-")),
        "Targets" => lists("TargetId", ""),
        _ => false,
    }
}

/// Adds what all replies say.
pub(super) fn add(draft: &mut Draft, replies: &[&Document]) -> Result<(), Error> {
    if let Some(whole) = replies.iter().find(|document| is_whole(document.value())) {
        let beside = replies.iter().find(|document| document.file != whole.file);
        if let Some(other) = beside {
            return Err(Error::TwoSnapshots {
                file: whole.file.clone(),
                other: other.file.clone(),
            });
        }
        draft.of_replies = false;
    }
    for document in replies {
        let top = document.top()?;
        if top.member("NextToken").is_some() {
            return Err(Error::CutOff { file: document.file.clone() });
        }
        let reply = Reply {
            file: &document.file,
            stem: &document.stem,
            whole: is_whole(document.value()),
            top,
        };
        reply.add(draft)?;
    }
    Ok(())
}

/// One file of replies.
struct Reply<'a> {
    file: &'a str,
    stem: &'a str,
    /// Whether it is the one-file form, in which each entry says where it belongs.
    whole: bool,
    top: Member<'a>,
}

impl Reply<'_> {
    fn add(&self, draft: &mut Draft) -> Result<(), Error> {
        for name in MEMBERS.iter().chain(&["Targets"]) {
            let Some(member) = self.top.member(name) else { continue };
            if !self.whole && !is_reply_member(name, Some(member.value())) {
                continue;
            }
            match *name {
                "Organization" => self.organization(draft, &member)?,
                "Roots" => self.roots(draft, &member)?,
                "OrganizationalUnits" => self.units(draft, &member)?,
                "OrganizationalUnit" => {
                    self.entity(draft, &member, EntityKind::OrganizationalUnit)?;
                }
                "Accounts" => self.accounts(draft, &member)?,
                "Account" => self.entity(draft, &member, EntityKind::Account)?,
                "Children" => self.children(draft, &member)?,
                "Parents" => self.parents(draft, &member)?,
                "Policies" => self.policies(draft, &member)?,
                "Policy" => self.policy(draft, &member)?,
                _ => self.targets(draft, &member)?,
            }
        }
        Ok(())
    }

    /// Returns the id that the reply is for: a member beside the list, else the last part of the
    /// file's name that is an id of such a kind.
    fn subject(&self, member: &str, is_kind: fn(&str) -> bool) -> Result<Option<&str>, Error> {
        if self.whole {
            return Ok(None);
        }
        if let Some(said) = self.top.text(member)? {
            return Ok(Some(said));
        }
        let parts = self.stem.split(['.', ' ', '@', '=', ',']).rev();
        Ok(parts.flat_map(ends).find(|id| is_kind(id)))
    }

    /// Returns the id that the reply must be for, unless its list is empty.
    fn required_subject(
        &self,
        list: &Member<'_>,
        member: &str,
        is_kind: fn(&str) -> bool,
    ) -> Result<Option<&str>, Error> {
        let subject = self.subject(member, is_kind)?;
        if subject.is_some() || list.entries()?.is_empty() {
            return Ok(subject);
        }
        Err(Error::Missing {
            file: self.file.to_owned(),
            what: "the id that the reply is for".to_owned(),
            remedy: format!(
                "put it into the file name, such as list-parents.111122223333.json, or add `{member}`"
            ),
        })
    }

    fn organization(&self, draft: &mut Draft, member: &Member<'_>) -> Result<(), Error> {
        let mut management_id: Option<String> = None;
        for name in
            ["MasterAccountId", "ManagementAccountId", "MasterAccountArn", "ManagementAccountArn"]
        {
            let Some(said) = member.text(name)? else { continue };
            let account = said.rsplit('/').next().unwrap_or(said);
            if management_id.as_deref().is_some_and(|known| known != account) {
                let place = format!("Organization.{name}");
                let problem = "names another management account than the members beside it";
                return Err(Error::member(self.file, &place, problem));
            }
            management_id = Some(account.to_owned());
        }
        let management_email = match member.text("MasterAccountEmail")? {
            None => member.text("ManagementAccountEmail")?,
            email => email,
        };
        // The ARN of an organization has the management account as its owner.
        let owner = member.text("Arn")?.and_then(Arn::parse).map(|arn| arn.account);
        if management_id.is_none() && management_email.is_none() {
            management_id = owner.filter(|owner| !owner.is_empty()).map(str::to_owned);
        }
        if member.text("FeatureSet")? == Some("CONSOLIDATED_BILLING") {
            draft.enabled = Some(false);
        }
        let facts = OrganizationFacts {
            id: member.id("Id")?.to_owned(),
            management_id,
            management_email: management_email.map(str::to_owned),
        };
        draft.organization(facts, self.file)
    }

    fn roots(&self, draft: &mut Draft, member: &Member<'_>) -> Result<(), Error> {
        for root in member.entries()? {
            self.entity(draft, &root, EntityKind::Root)?;
            if root.member("PolicyTypes").is_none() {
                continue;
            }
            let mut enabled = false;
            for policy_type in root.list("PolicyTypes")? {
                enabled |= policy_type.text("Type")? == Some(SERVICE_CONTROL_POLICY)
                    && policy_type.text("Status")? == Some("ENABLED");
            }
            draft.enabled = Some(enabled && draft.enabled.unwrap_or(true));
        }
        Ok(())
    }

    fn units(&self, draft: &mut Draft, member: &Member<'_>) -> Result<(), Error> {
        let parent = self.subject("ParentId", is_parent)?;
        for unit in member.entries()? {
            self.entity(draft, &unit, EntityKind::OrganizationalUnit)?;
            if let Some(parent) = parent {
                draft.place(unit.id("Id")?, parent, self.file)?;
            }
        }
        draft.lists.units_of.extend(parent.map(str::to_owned));
        Ok(())
    }

    fn accounts(&self, draft: &mut Draft, member: &Member<'_>) -> Result<(), Error> {
        let parent = self.subject("ParentId", is_parent)?;
        let accounts = member.entries()?;
        for account in &accounts {
            self.entity(draft, account, EntityKind::Account)?;
            if let Some(parent) = parent {
                draft.place(account.id("Id")?, parent, self.file)?;
            }
        }
        match parent {
            Some(parent) => _ = draft.lists.accounts_of.insert(parent.to_owned()),
            // An empty list may be another service's.
            None => draft.lists.accounts |= self.whole || !accounts.is_empty(),
        }
        Ok(())
    }

    /// Adds a root, unit or account with its place, where it says one.
    fn entity(
        &self,
        draft: &mut Draft,
        entity: &Member<'_>,
        kind: EntityKind,
    ) -> Result<(), Error> {
        let id = entity.id("Id")?;
        let text = |name| entity.text(name).map(|text| text.map(str::to_owned));
        let facts = EntityFacts {
            kind: Some(kind),
            name: text("Name")?,
            state: text("State")?,
            status: text("Status")?,
            email: text("Email")?,
            file: self.file.to_owned(),
        };
        draft.entity(id, facts)?;
        if let Some(parent) = entity.text("ParentId")? {
            draft.place(id, parent, self.file)?;
        }
        for name in ["Path", "Paths"] {
            let Some(paths) = entity.member(name) else { continue };
            if paths.value().is_string() {
                self.path(draft, &paths, id)?;
            } else {
                paths.entries()?.iter().try_for_each(|path| self.path(draft, path, id))?;
            }
        }
        Ok(())
    }

    /// Adds the places that an entity path tells: from the organization down to the entity, with
    /// a slash at the end.
    fn path(&self, draft: &mut Draft, path: &Member<'_>, id: &str) -> Result<(), Error> {
        let text = path.as_text()?;
        let mut steps = text.strip_suffix('/').unwrap_or(text).split('/');
        let (Some(organization), Some(root)) = (steps.next(), steps.next()) else {
            return Err(path.wrong("is no entity path, `o-…/r-…/…/`"));
        };
        draft.in_path(organization, self.file)?;
        let mut above = root;
        draft.mention(root, EntityKind::Root, self.file)?;
        for step in steps {
            draft.place(step, above, self.file)?;
            if step != id {
                draft.mention(step, EntityKind::OrganizationalUnit, self.file)?;
            }
            above = step;
        }
        if above != id {
            draft.place(id, above, self.file)?;
        }
        Ok(())
    }

    fn children(&self, draft: &mut Draft, member: &Member<'_>) -> Result<(), Error> {
        let Some(parent) = self.required_subject(member, "ParentId", is_parent)? else {
            return Ok(());
        };
        // The call lists one type of children; an empty reply does not say which.
        let mut of_accounts = self.stem.to_ascii_lowercase().contains("account");
        for child in member.entries()? {
            let id = child.id("Id")?;
            let kind = match child.id("Type")? {
                "ACCOUNT" => EntityKind::Account,
                "ORGANIZATIONAL_UNIT" => EntityKind::OrganizationalUnit,
                _ => return Err(child.wrong("is neither an ACCOUNT nor an ORGANIZATIONAL_UNIT")),
            };
            of_accounts = kind == EntityKind::Account;
            draft.mention(id, kind, self.file)?;
            draft.place(id, parent, self.file)?;
        }
        let lists = &mut draft.lists;
        let list = if of_accounts { &mut lists.accounts_of } else { &mut lists.units_of };
        list.insert(parent.to_owned());
        Ok(())
    }

    fn parents(&self, draft: &mut Draft, member: &Member<'_>) -> Result<(), Error> {
        let Some(child) = self.required_subject(member, "ChildId", is_child)? else {
            return Ok(());
        };
        for parent in member.entries()? {
            draft.place(child, parent.id("Id")?, self.file)?;
        }
        Ok(())
    }

    fn policies(&self, draft: &mut Draft, member: &Member<'_>) -> Result<(), Error> {
        let name = self.stem.to_ascii_lowercase();
        let of_all = name.contains("list-policies") && !name.contains("for-target");
        let target = if of_all { None } else { self.subject("TargetId", is_target)? };
        let policies = member.entries()?;
        let mut lists_some = false;
        for policy in &policies {
            let mut facts = self.summary(policy)?;
            facts.content = content(policy);
            if let Some(targets) = policy.member("Targets") {
                facts.listed = Some(target_ids(&targets)?);
            }
            lists_some |= is_service_control(facts.policy_type.as_deref());
            facts.seen.extend(target.map(|target| (target.to_owned(), self.file.to_owned())));
            draft.policy(policy.id("Id")?, facts)?;
        }
        let Some(target) = target else {
            draft.lists.policies |= self.whole || lists_some;
            return Ok(());
        };
        let other_type = name.contains("_policy") && !name.contains("service_control_policy");
        if lists_some || (policies.is_empty() && !other_type) {
            let known = draft.lists.policies_of.entry(target.to_owned()).or_default();
            if lists_some || known.0.is_empty() {
                *known = (self.file.to_owned(), lists_some);
            }
        }
        Ok(())
    }

    fn policy(&self, draft: &mut Draft, member: &Member<'_>) -> Result<(), Error> {
        let Some(summary) = member.member("PolicySummary") else { return Ok(()) };
        let mut facts = self.summary(&summary)?;
        facts.content = content(member);
        draft.policy(summary.id("Id")?, facts)
    }

    /// Returns what a policy's summary says.
    fn summary(&self, summary: &Member<'_>) -> Result<PolicyFacts, Error> {
        let policy_type = match summary.text("Type")? {
            Some(policy_type) => Some(policy_type.to_owned()),
            // …:policy/o-…/service_control_policy/p-…
            None => summary
                .text("Arn")?
                .and_then(|arn| arn.rsplit('/').nth(1))
                .filter(|part| part.ends_with("_policy"))
                .map(str::to_ascii_uppercase),
        };
        Ok(PolicyFacts {
            name: summary.text("Name")?.map(str::to_owned),
            policy_type,
            file: self.file.to_owned(),
            ..PolicyFacts::default()
        })
    }

    fn targets(&self, draft: &mut Draft, member: &Member<'_>) -> Result<(), Error> {
        let Some(policy) = self.required_subject(member, "PolicyId", is_policy)? else {
            return Ok(());
        };
        let facts = PolicyFacts {
            listed: Some(target_ids(member)?),
            file: self.file.to_owned(),
            ..PolicyFacts::default()
        };
        draft.policy(policy, facts)
    }
}

/// Returns the targets of a list of ids or of objects with `TargetId`.
fn target_ids(list: &Member<'_>) -> Result<BTreeSet<String>, Error> {
    let mut ids = BTreeSet::new();
    for target in list.entries()? {
        let by_id = target.value().is_string();
        let id = if by_id { target.as_text()? } else { target.id("TargetId")? };
        ids.insert(id.to_owned());
    }
    Ok(ids)
}

/// Returns the document in `Content`, an object or text; text that is no JSON stays text.
fn content(policy: &Member<'_>) -> Option<Value> {
    let content = policy.member("Content")?.value();
    let text = content.as_str().map(|text| text.strip_prefix('\u{feff}').unwrap_or(text));
    let tree: Option<Tree<'_>> = text.and_then(|text| serde_json::from_str(text).ok());
    Some(tree.map_or_else(|| content.clone(), Value::from))
}

/// Returns whether a type is that of service control policies; one that is not said is.
pub(super) fn is_service_control(policy_type: Option<&str>) -> bool {
    policy_type.is_none_or(|policy_type| policy_type == SERVICE_CONTROL_POLICY)
}

/// Returns a part of a file name, and what stands in it behind each hyphen or underscore.
fn ends(part: &str) -> impl Iterator<Item = &str> {
    let behind = part.char_indices().filter(|(_, mark)| matches!(mark, '-' | '_'));
    std::iter::once(part).chain(behind.filter_map(|(at, _)| part.get(at + 1..)))
}

fn is_parent(id: &str) -> bool {
    let is_unit = || {
        let (above, own) = id.strip_prefix("ou-").and_then(|rest| rest.split_once('-'))?;
        Some(is_plain(above, 4) && is_plain(own, 8))
    };
    id.strip_prefix("r-").is_some_and(|rest| is_plain(rest, 4)) || is_unit().unwrap_or(false)
}

fn is_account(id: &str) -> bool {
    id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_child(id: &str) -> bool {
    is_account(id) || (id.starts_with("ou-") && is_parent(id))
}

fn is_target(id: &str) -> bool {
    is_account(id) || is_parent(id)
}

fn is_policy(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    id.strip_prefix("p-").is_some_and(|rest| rest.len() >= 8 && rest.bytes().all(allowed))
}

fn is_plain(text: &str, least: usize) -> bool {
    let plain = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_lowercase();
    (least..=32).contains(&text.len()) && text.bytes().all(plain)
}
