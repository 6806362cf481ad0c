//! Which policies of a user, group or role let it use a service: `ListPoliciesGrantingServiceAccess`.

use super::Reporter;
use crate::catalog::ServiceIndex;
use crate::identities::{DocumentIndex, Identity, IdentityIndex, IdentityKind};

/// A policy that allows a service by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyGrantingServiceAccess<'a> {
    /// `PolicyName`.
    pub policy_name: &'a str,
    /// `PolicyArn` of a managed policy.
    pub policy_arn: Option<&'a str>,
    /// `EntityType` and `EntityName` of the one whose inline policy it is.
    pub entity: Option<(&'static str, &'a str)>,
}

impl<'a> Reporter<'a> {
    /// Returns the policies of a user, group or role that allow a service each by itself: managed
    /// ones first, then inline ones, a user's own before those of its groups. Whether another one
    /// takes the service away again is not asked, as IAM does not.
    pub fn granting(
        &mut self,
        identity: IdentityIndex,
        service: ServiceIndex,
    ) -> Vec<PolicyGrantingServiceAccess<'a>> {
        let mut granting = Vec::new();
        let identity: &'a Identity = self.identities.identity(identity);
        let groups = identity.groups.iter().map(|group| self.identities.identity(*group));
        for holder in std::iter::once(identity).chain(groups) {
            for policy in &holder.policies {
                let policy = self.identities.identity(*policy);
                if policy.documents.iter().any(|document| self.allows(*document, service)) {
                    let policy_arn = Some(policy.arn.as_str());
                    let policy_name = policy.name.as_str();
                    granting.push(PolicyGrantingServiceAccess {
                        policy_name,
                        policy_arn,
                        entity: None,
                    });
                }
            }
        }
        // One may be attached to a user and to its groups.
        let mut known = std::collections::BTreeSet::new();
        granting.retain(|policy| known.insert(policy.policy_arn));
        let groups = identity.groups.iter().map(|group| self.identities.identity(*group));
        for holder in std::iter::once(identity).chain(groups) {
            for (policy_name, document) in &holder.inline {
                if self.allows(*document, service) {
                    let entity = Some((entity_type(holder.kind), holder.name.as_str()));
                    granting.push(PolicyGrantingServiceAccess {
                        policy_name,
                        policy_arn: None,
                        entity,
                    });
                }
            }
        }
        granting
    }

    fn allows(&mut self, document: DocumentIndex, service: ServiceIndex) -> bool {
        let levels = self.compiled(&[document]);
        self.evaluator.allowed_services(&levels).services.contains(service)
    }
}

/// Returns `Type` of `EntityInfo`, and `EntityType`.
pub(super) const fn entity_type(kind: IdentityKind) -> &'static str {
    match kind {
        IdentityKind::User => "USER",
        IdentityKind::Group => "GROUP",
        IdentityKind::Role | IdentityKind::Policy => "ROLE",
    }
}
