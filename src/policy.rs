//! A policy document: which services it allows; knows no tree.
//!
//! [`Policy`] is one parsed document, a service control policy or an identity policy. An
//! [`Evaluator`] compiles policies against a [catalog](crate::catalog) and says what a chain of
//! them allows (S1–S9). It knows neither accounts nor units: a chain is a list of levels, a level
//! a list of policies. Who is exempt from the chain (S6) is the organization's matter.

mod actions;
mod compile;
mod direct;
mod document;
mod evaluate;
mod pattern;
mod witness;

pub use compile::PolicyIndex;
pub use document::{Place, PolicyError};
pub use evaluate::{AllowedActions, AllowedServices, Evaluator};

use pattern::{ActionPattern, ResourcePattern};

/// A parsed policy document.
///
/// Two documents that say the same in the same order are equal, whatever their `Id`, `Sid` and
/// layout: what does not decide anything is not kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Policy {
    statements: Vec<Statement>,
}

/// What one statement decides.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Statement {
    effect: Effect,
    /// Whether a `Condition` that tests something stands beside it; of which kind does not matter
    /// (S3).
    conditional: bool,
    actions: Selection<ActionPattern>,
    resources: Selection<ResourcePattern>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Effect {
    Allow,
    Deny,
}

/// `Action` or `Resource`; with `complement`, `NotAction` or `NotResource` (S5).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Selection<T> {
    complement: bool,
    patterns: Vec<T>,
}
