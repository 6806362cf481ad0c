//! The organization's tree beside a report: the way down to what is shown, open, and what stands
//! right below each step; units folded up.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::Ground;
use super::link::Link;
use super::words::{counted, shown};
use crate::organization::{Entity, EntityIndex, EntityKind};

/// With no more entities than this, the tree has all of them.
const WHOLE: usize = 200;

/// Accounts or units right below one entity, before the rest is a link to a list.
const SIBLINGS: usize = 25;

/// Levels of units; AWS allows five, and a browser does not fold endlessly.
const LEVELS: usize = 12;

/// The tree around one entity.
pub(super) struct Tree<'p, 'a> {
    ground: &'p Ground<'p, 'a>,
    /// The policy that links keep, if any.
    policy_id: Option<&'p str>,
    selected: EntityIndex,
    /// From the root down to it.
    chain: BTreeSet<EntityIndex>,
    /// What stands right below each entity, by position.
    children: Vec<Vec<EntityIndex>>,
    /// How many accounts stand at or below each entity, by position.
    accounts: Vec<usize>,
}

impl<'p, 'a> Tree<'p, 'a> {
    pub(super) fn new(
        ground: &'p Ground<'p, 'a>,
        selected: EntityIndex,
        policy_id: Option<&'p str>,
    ) -> Self {
        let organization = ground.facts.organization;
        let mut children = vec![Vec::new(); organization.entities().len()];
        let mut accounts = vec![0; organization.entities().len()];
        for (index, entity) in organization.entities() {
            let below = entity.parent.and_then(|parent| children.get_mut(parent.position()));
            if let Some(below) = below {
                below.push(index);
            }
            if let Some(count) = accounts.get_mut(index.position()) {
                *count = usize::from(entity.kind == EntityKind::Account);
            }
        }
        // Each entity stands in front of all that is below it.
        let parents: Vec<Option<EntityIndex>> =
            organization.entities().map(|(_, entity)| entity.parent).collect();
        for (position, parent) in parents.iter().enumerate().rev() {
            let count = accounts.get(position).copied().unwrap_or_default();
            if let Some(above) = parent.and_then(|parent| accounts.get_mut(parent.position())) {
                *above += count;
            }
        }
        let chain = organization.chain(selected).into_iter().collect();
        Self { ground, policy_id, selected, chain, children, accounts }
    }

    /// Returns the tree from the root down.
    pub(super) fn markup(&self) -> Markup {
        html! { ul.tree { (self.branch(self.ground.facts.organization.root(), 0)) } }
    }

    /// Returns an entity and what of the tree below it is shown.
    fn branch(&self, index: EntityIndex, level: usize) -> Markup {
        let below = self.children.get(index.position()).map_or(&[][..], Vec::as_slice);
        let is_open = self.chain.contains(&index);
        let is_told = is_open || self.children.len() <= WHOLE;
        html! {
            li {
                (self.label(index))
                @if !below.is_empty() && is_told && level < LEVELS {
                    details open[is_open] {
                        summary { (self.below(index, below)) }
                        ul {
                            (self.some(index, below, EntityKind::OrganizationalUnit, level))
                            (self.some(index, below, EntityKind::Account, level))
                        }
                    }
                } @else if !below.is_empty() {
                    " " span.below { (self.below(index, below)) }
                }
            }
        }
    }

    /// Returns the first few of one kind right below an entity, and a link to all of them.
    fn some(
        &self,
        of: EntityIndex,
        below: &[EntityIndex],
        kind: EntityKind,
        level: usize,
    ) -> Markup {
        let organization = self.ground.facts.organization;
        let name = |index: &EntityIndex| {
            let Entity { name, id, .. } = organization.entity(*index);
            (name.as_ref().map(|name| name.to_lowercase()), id)
        };
        let is_of_kind = |index: &&EntityIndex| organization.entity(**index).kind == kind;
        let mut kin: Vec<EntityIndex> = below.iter().filter(is_of_kind).copied().collect();
        kin.sort_by(|one, other| name(one).cmp(&name(other)));
        let count = kin.len();
        // What leads to the selected entity is shown wherever it stands.
        let mut place = 0;
        kin.retain(|index| {
            place += 1;
            place <= SIBLINGS || self.chain.contains(index)
        });
        let (one, many) = match kind {
            EntityKind::Account => ("account", "accounts"),
            EntityKind::Root | EntityKind::OrganizationalUnit => ("unit", "units"),
        };
        let all =
            Link::to("/entities").with("below", &organization.entity(of).path).with("kind", one);
        html! {
            @for index in &kin { (self.branch(*index, level + 1)) }
            @if kin.len() < count {
                li.more { a href=(all) { "All " (counted(count, one, many)) } }
            }
        }
    }

    fn label(&self, index: EntityIndex) -> Markup {
        let organization = self.ground.facts.organization;
        let entity = organization.entity(index);
        let current = (index == self.selected).then_some("page");
        html! {
            a href=(link(self.policy_id, &entity.path)) aria-current=[current] {
                (name(entity))
            }
            (marks(self.ground, index))
        }
    }

    /// Returns what stands below an entity, in words.
    fn below(&self, index: EntityIndex, below: &[EntityIndex]) -> Markup {
        let organization = self.ground.facts.organization;
        let is_unit =
            |index: &&EntityIndex| organization.entity(**index).kind != EntityKind::Account;
        let units = below.iter().filter(is_unit).count();
        let accounts = self.accounts.get(index.position()).copied().unwrap_or_default();
        html! {
            @if units > 0 { (counted(units, "unit", "units")) ", " }
            (counted(accounts, "account", "accounts"))
            span.aside { " below " (name(organization.entity(index))) }
        }
    }
}

/// Returns the report of an entity, under a policy if there is one.
pub(super) fn link(policy_id: Option<&str>, path: &str) -> Link {
    match policy_id {
        Some(id) => Link::below("/policy/", id).with("entity", path),
        None => Link::entity(path),
    }
}

/// Returns the name of an entity with its id.
pub(super) fn name(entity: &Entity) -> Markup {
    html! {
        @match entity.name.as_deref().filter(|name| !name.is_empty()) {
            Some(name) => { (shown(name)) " " span.id { (shown(&entity.id)) } },
            None => (shown(&entity.id)),
        }
    }
}

/// Returns what distinguishes an entity.
pub(super) fn marks(ground: &Ground<'_, '_>, index: EntityIndex) -> Markup {
    let organization = ground.facts.organization;
    let entity = organization.entity(index);
    let is_account = entity.kind == EntityKind::Account;
    html! {
        @if organization.management_account() == Some(index) {
            " " span.mark { "management account" }
        }
        @if let Some(state) = entity.state.as_deref().filter(|state| *state != "ACTIVE") {
            " " span.mark { (shown(state)) }
        }
        @if is_account && !ground.facts.accounts.is_active(index) {
            " " span.mark { "no access read" }
        }
    }
}
