//! The tree on a terminal: one entity a line, for people; no program reads it.

use std::fmt;

use super::{EntityIndex, EntityKind, Organization, PolicyScope};
use crate::printable::printable;

/// Prints an organization, one entity a line, with the policies attached to each.
#[derive(Clone, Copy, Debug)]
pub struct Tree<'a> {
    organization: &'a Organization,
}

impl<'a> Tree<'a> {
    pub(super) const fn new(organization: &'a Organization) -> Self {
        Self { organization }
    }

    /// Writes the branches in front of an entity.
    fn branches(&self, f: &mut fmt::Formatter<'_>, index: EntityIndex) -> fmt::Result {
        let organization = self.organization;
        let is_last = |index: EntityIndex| {
            let entity = organization.entity(index);
            entity.parent.is_none_or(|parent| organization.entity(parent).end == entity.end)
        };
        for above in organization.chain(index).into_iter().skip(1) {
            f.write_str(match (above == index, is_last(above)) {
                (true, true) => "└─ ",
                (true, false) => "├─ ",
                (false, true) => "   ",
                (false, false) => "│  ",
            })?;
        }
        Ok(())
    }

    /// Writes what an entity is, behind its branches.
    fn entity(&self, f: &mut fmt::Formatter<'_>, index: EntityIndex) -> fmt::Result {
        let organization = self.organization;
        let entity = organization.entity(index);
        f.write_str(&printable(&entity.id))?;
        if let Some(name) = &entity.name {
            write!(f, " {}", printable(name))?;
        }
        if organization.management_account() == Some(index) {
            f.write_str(" (management account)")?;
        }
        match entity.state.as_deref() {
            None | Some("ACTIVE") => {}
            Some(state) => write!(f, " ({})", printable(state))?,
        }
        let mut policies = organization.policies_at(index).peekable();
        if policies.peek().is_none() {
            let bound = organization.scope() == PolicyScope::Applied;
            return f.write_str(if bound { " [no policy]" } else { "" });
        }
        for (position, policy) in policies.enumerate() {
            f.write_str(if position == 0 { " [" } else { ", " })?;
            f.write_str(&label(&policy.id, policy.name.as_deref()))?;
        }
        f.write_str("]")
    }

    /// Writes what binds no entity of the tree.
    fn footer(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let organization = self.organization;
        match organization.scope() {
            PolicyScope::Applied => {}
            PolicyScope::NotEnabled => {
                writeln!(f, "service control policies are not enabled: none is applied")?;
            }
            PolicyScope::NotInSnapshot => {
                writeln!(f, "the snapshot has no service control policies: none is applied")?;
            }
            PolicyScope::NoOrganization => {
                writeln!(f, "no snapshot: the accounts seen, no service control policy applied")?;
            }
        }
        if let (Some(id), None) =
            (organization.management_account_id(), organization.management_account())
        {
            writeln!(f, "management account, not in the tree: {}", printable(id))?;
        }
        for policy in organization.policies().iter().filter(|policy| policy.targets.is_empty()) {
            writeln!(f, "attached nowhere: {}", label(&policy.id, policy.name.as_deref()))?;
        }
        for policy in organization.other_policies() {
            let label = label(&policy.id, policy.name.as_deref());
            writeln!(
                f,
                "of another type, not applied: {label}, {}",
                printable(&policy.policy_type)
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for Tree<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", printable(self.organization.id()))?;
        for (index, entity) in self.organization.entities() {
            f.write_str(if entity.kind == EntityKind::Root { "└─ " } else { "   " })?;
            self.branches(f, index)?;
            self.entity(f, index)?;
            writeln!(f)?;
        }
        self.footer(f)
    }
}

/// Returns the id of a policy with its name, unless AWS's own id tells the name.
fn label(id: &str, name: Option<&str>) -> String {
    match name {
        Some(name) if id.strip_prefix("p-") != Some(name) => {
            format!("{} {}", printable(id), printable(name))
        }
        _ => printable(id),
    }
}
