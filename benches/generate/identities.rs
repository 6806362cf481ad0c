//! The snapshots of identities that lie beside the logs, an account each: what
//! `aws iam get-account-authorization-details` replies. Does not know how policies are worded.

use std::collections::BTreeMap;

use chrono::DateTime;
use serde::Serialize;

use crate::answers::Use;
use crate::draw::Draw;
use crate::file::{END, Shape};
use crate::policies::{AwsPolicy, Document, SERVICE_LINKED, aws_policies, boundary, custom, trust};
use crate::template::word;
use crate::world::{Account, Role, User, World};

const GROUPS: &[&str] = &["admins", "auditors", "billing", "developers", "operators", "readers"];

const DAY: i64 = 86_400;

/// Of so many users and roles of a thousand the logs hold the creation.
const YOUNG: u64 = 40;

/// The reply for an account, its members in the model's order.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Details {
    user_detail_list: Vec<UserDetail>,
    group_detail_list: Vec<GroupDetail>,
    role_detail_list: Vec<RoleDetail>,
    policies: Vec<ManagedPolicyDetail>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct UserDetail {
    path: String,
    user_name: String,
    user_id: String,
    arn: String,
    create_date: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    user_policy_list: Vec<PolicyDetail>,
    group_list: Vec<String>,
    attached_managed_policies: Vec<AttachedPolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions_boundary: Option<PermissionsBoundary>,
    tags: Vec<Tag>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GroupDetail {
    path: String,
    group_name: String,
    group_id: String,
    arn: String,
    create_date: String,
    group_policy_list: Vec<PolicyDetail>,
    attached_managed_policies: Vec<AttachedPolicy>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RoleDetail {
    path: String,
    role_name: String,
    role_id: String,
    arn: String,
    create_date: String,
    assume_role_policy_document: Document,
    instance_profile_list: Vec<InstanceProfile>,
    role_policy_list: Vec<PolicyDetail>,
    attached_managed_policies: Vec<AttachedPolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions_boundary: Option<PermissionsBoundary>,
    tags: Vec<Tag>,
    role_last_used: RoleLastUsed,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct InstanceProfile {
    path: &'static str,
    instance_profile_name: String,
    instance_profile_id: String,
    arn: String,
    create_date: String,
    roles: Vec<ProfileRole>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ProfileRole {
    path: String,
    role_name: String,
    role_id: String,
    arn: String,
    create_date: String,
    assume_role_policy_document: Document,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ManagedPolicyDetail {
    policy_name: String,
    policy_id: String,
    arn: String,
    path: String,
    default_version_id: String,
    attachment_count: u64,
    permissions_boundary_usage_count: u64,
    is_attachable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'static str>,
    create_date: String,
    update_date: String,
    policy_version_list: Vec<PolicyVersion>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyVersion {
    document: Document,
    version_id: String,
    is_default_version: bool,
    create_date: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyDetail {
    policy_name: String,
    policy_document: Document,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
struct AttachedPolicy {
    policy_name: String,
    policy_arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PermissionsBoundary {
    permissions_boundary_type: &'static str,
    permissions_boundary_arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: &'static str,
    value: String,
}

/// Empty where there was no use.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RoleLastUsed {
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<String>,
}

/// Makes the snapshots of an organization.
pub(crate) struct Maker<'a> {
    world: &'a World,
    uses: &'a BTreeMap<String, Use>,
    seed: u64,
    /// The first second of the logs.
    start: i64,
    aws: Vec<AwsPolicy>,
    /// How often each of them is attached, added up.
    aws_sums: Vec<u64>,
}

/// A snapshot that is being made.
struct Page<'a> {
    maker: &'a Maker<'a>,
    account: &'a Account,
    draw: Draw,
    /// The customer's policies, of which the last bounds what others allow.
    own: Vec<AttachedPolicy>,
    /// By ARN, how often it is attached and how often it is a boundary.
    counts: BTreeMap<String, (u64, u64)>,
}

impl<'a> Maker<'a> {
    /// Prepares the snapshots for what users and roles did in the logs, by their ARNs.
    pub(crate) fn new(world: &'a World, shape: &Shape, uses: &'a BTreeMap<String, Use>) -> Self {
        let aws = aws_policies(&mut Draw::new(shape.seed, u64::MAX - 5));
        let mut sum = 0;
        let aws_sums = aws
            .iter()
            .map(|policy| {
                sum += policy.weight;
                sum
            })
            .collect();
        let days = i64::try_from(shape.days).expect("days");
        Self { world, uses, seed: shape.seed, start: END + 1 - days * DAY, aws, aws_sums }
    }

    /// Returns the snapshot of an account.
    pub(crate) fn details(&self, at: usize) -> Details {
        let account = self.world.accounts.get(at).expect("an index");
        let mut draw = Draw::new(self.seed, u64::MAX - 1_000 - at as u64);
        let own = names_of_policies(account, &mut draw);
        let mut page = Page { maker: self, account, draw, own, counts: BTreeMap::new() };
        let group_detail_list: Vec<GroupDetail> =
            (0..2 + account.users.len() / 3).map(|number| page.group(number)).collect();
        let groups: Vec<&str> = group_detail_list.iter().map(|it| it.group_name.as_str()).collect();
        let user_detail_list = account.users.iter().map(|it| page.user(it, &groups)).collect();
        let mut role_detail_list: Vec<RoleDetail> =
            account.roles.iter().map(|role| page.role(role)).collect();
        if let (0 | 1, Some(role)) = (at, role_detail_list.first_mut()) {
            // What IAM knows and the logs do not: they are incomplete.
            let later = END + 3600 + i64::try_from(page.draw.below(3600)).expect("seconds");
            role.role_last_used = RoleLastUsed {
                last_used_date: Some(date(later)),
                region: Some("us-east-1".into()),
            };
        }
        Details { user_detail_list, group_detail_list, role_detail_list, policies: page.policies() }
    }
}

/// Returns what the customer's policies of an account are called.
fn names_of_policies(account: &Account, draw: &mut Draw) -> Vec<AttachedPolicy> {
    let count = 6 + account.roles.len() / 12;
    let mut names: Vec<(&str, String)> = (0..count)
        .map(|at| {
            let path = if draw.per_mille(150) { "/teams/" } else { "/" };
            (path, format!("{}-{}-{at}", word(draw), word(draw)))
        })
        .collect();
    names.push(("/", "permissions-boundary".to_owned()));
    let attached = |(path, name): (&str, String)| AttachedPolicy {
        policy_arn: format!("arn:aws:iam::{}:policy{path}{name}", account.id),
        policy_name: name,
    };
    names.into_iter().map(attached).collect()
}

impl Page<'_> {
    fn group(&mut self, number: usize) -> GroupDetail {
        let name = format!("{}-{number}", self.draw.pick(GROUPS));
        let path = if self.draw.per_mille(200) { "/teams/" } else { "/" };
        let (custom, aws) = (self.draw.below(2), self.draw.below(3));
        GroupDetail {
            path: path.to_owned(),
            group_id: self.id("AGPA"),
            arn: format!("arn:aws:iam::{}:group{path}{name}", self.account.id),
            create_date: self.created(None),
            group_policy_list: self.inline(300),
            attached_managed_policies: self.attached(custom, aws),
            group_name: name,
        }
    }

    fn user(&mut self, user: &User, groups: &[&str]) -> UserDetail {
        let arn = user.arn(&self.account.id);
        let mut group_list: Vec<String> =
            (0..self.draw.below(3)).map(|_| (*self.draw.pick(groups)).to_owned()).collect();
        group_list.sort();
        group_list.dedup();
        let aws = self.draw.below(2);
        UserDetail {
            path: "/".to_owned(),
            user_name: user.name.clone(),
            user_id: user.id.clone(),
            create_date: self.created(self.maker.uses.get(&arn)),
            user_policy_list: self.inline(250),
            group_list,
            attached_managed_policies: self.attached(1, aws),
            permissions_boundary: self.boundary(100),
            tags: self.tags(),
            arn,
        }
    }

    fn role(&mut self, role: &Role) -> RoleDetail {
        let arn = role.arn(&self.account.id);
        let used = self.maker.uses.get(&arn);
        let path = format!("/{}", role.path);
        let create_date = self.created(used);
        let other = &self.draw.pick(&self.maker.world.accounts).id;
        let trusted = trust(role.path, &self.account.id, other, &mut self.draw);
        let of_service = role.path.starts_with("aws-service-role/");
        let (role_policy_list, attached_managed_policies, permissions_boundary) = if of_service {
            (vec![], vec![self.attach_aws(SERVICE_LINKED)], None)
        } else {
            let (custom, aws) = (self.draw.below(3), 1 + self.draw.below(2));
            (self.inline(550), self.attached(custom, aws), self.boundary(50))
        };
        let profiled =
            ["app-", "eks-node-", "karpenter-"].iter().any(|it| role.name.starts_with(it));
        let instance_profile_list = if profiled {
            let name = &role.name;
            vec![InstanceProfile {
                path: "/",
                instance_profile_name: name.clone(),
                instance_profile_id: self.id("AIPA"),
                arn: format!("arn:aws:iam::{}:instance-profile/{name}", self.account.id),
                create_date: create_date.clone(),
                roles: vec![ProfileRole {
                    path: path.clone(),
                    role_name: name.clone(),
                    role_id: role.id.clone(),
                    arn: arn.clone(),
                    create_date: create_date.clone(),
                    assume_role_policy_document: trusted.clone(),
                }],
            }]
        } else {
            vec![]
        };
        RoleDetail {
            path,
            role_name: role.name.clone(),
            role_id: role.id.clone(),
            arn,
            create_date,
            assume_role_policy_document: trusted,
            instance_profile_list,
            role_policy_list,
            attached_managed_policies,
            permissions_boundary,
            tags: self.tags(),
            role_last_used: RoleLastUsed {
                last_used_date: used.map(|it| date(it.last)),
                region: used.map(|it| it.region.clone()),
            },
        }
    }

    /// Returns when someone was created: before the logs, or in them and before the first attempt.
    fn created(&mut self, used: Option<&Use>) -> String {
        let mut before =
            |days: u64| i64::try_from(self.draw.below(days * DAY.unsigned_abs())).expect("days");
        let (early, late) = (before(1_500), before(20));
        let late = used.map_or(END, |it| it.first) - DAY - late;
        let young = self.draw.per_mille(YOUNG) && late > self.maker.start;
        date(if young { late } else { self.maker.start - DAY - early })
    }

    /// Returns up to two documents of one's own, in so many cases of a thousand each.
    fn inline(&mut self, cases: u64) -> Vec<PolicyDetail> {
        let mut found = Vec::new();
        for at in 0..2 {
            if self.draw.per_mille(cases) {
                let services = 1 + self.draw.below(4);
                found.push(PolicyDetail {
                    policy_name: format!("{}-inline-{at}", word(&mut self.draw)),
                    policy_document: custom(self.account, services, &mut self.draw),
                });
            }
        }
        found
    }

    /// Attaches so many policies of the customer and up to so many of AWS.
    fn attached(&mut self, own: u64, aws: u64) -> Vec<AttachedPolicy> {
        let policies = self.own.len().saturating_sub(1);
        let mut own: Vec<usize> = (0..own).map(|_| self.draw.index(policies)).collect();
        own.sort_unstable();
        own.dedup();
        let mut aws: Vec<usize> =
            (0..aws).map(|_| self.draw.weighted(&self.maker.aws_sums)).collect();
        aws.sort_unstable();
        aws.dedup();
        let mut found: Vec<AttachedPolicy> =
            aws.into_iter().map(|at| self.attach_aws(at)).collect();
        for at in own {
            let policy = self.own.get(at).expect("an index").clone();
            self.counts.entry(policy.policy_arn.clone()).or_default().0 += 1;
            found.push(policy);
        }
        found
    }

    fn attach_aws(&mut self, at: usize) -> AttachedPolicy {
        let policy = self.maker.aws.get(at).expect("an index");
        let policy_arn = policy.arn();
        self.counts.entry(policy_arn.clone()).or_default().0 += 1;
        AttachedPolicy { policy_name: policy.name.to_owned(), policy_arn }
    }

    fn boundary(&mut self, cases: u64) -> Option<PermissionsBoundary> {
        let arn = self.draw.per_mille(cases).then(|| self.own.last())??.policy_arn.clone();
        self.counts.entry(arn.clone()).or_default().1 += 1;
        Some(PermissionsBoundary {
            permissions_boundary_type: "PermissionsBoundaryPolicy",
            permissions_boundary_arn: arn,
        })
    }

    fn tags(&mut self) -> Vec<Tag> {
        if self.draw.per_mille(400) {
            return vec![];
        }
        let team = Tag { key: "team", value: format!("platform-{}", self.draw.below(9)) };
        vec![team, Tag { key: "service", value: word(&mut self.draw).to_owned() }]
    }

    fn id(&mut self, prefix: &str) -> String {
        let mut id = prefix.to_owned();
        self.draw.id(&mut id, 17);
        id
    }

    /// Returns the policies of the account, and those of AWS that it has attached.
    fn policies(mut self) -> Vec<ManagedPolicyDetail> {
        let own = std::mem::take(&mut self.own);
        let last = own.len().saturating_sub(1);
        let mut found: Vec<ManagedPolicyDetail> =
            (0..).zip(own).map(|(at, policy)| self.own_policy(policy, at == last)).collect();
        for policy in &self.maker.aws {
            if self.counts.contains_key(&policy.arn()) {
                found.push(self.aws_policy(policy));
            }
        }
        found
    }

    fn own_policy(&mut self, policy: AttachedPolicy, bounds: bool) -> ManagedPolicyDetail {
        let services = 2 + self.draw.below(12);
        let oldest = 1 + self.draw.below(6);
        let versions = if bounds { 1 } else { 1 + self.draw.below(5) };
        let default = oldest + versions - 1 - u64::from(versions > 1 && self.draw.per_mille(100));
        let created =
            self.maker.start - DAY * i64::try_from(30 + self.draw.below(900)).expect("days");
        let made =
            |version: u64| date(created + i64::try_from(version - oldest).expect("few") * DAY);
        // The newest stands first.
        let policy_version_list = (oldest..oldest + versions)
            .rev()
            .map(|version| PolicyVersion {
                document: if bounds {
                    boundary()
                } else {
                    custom(self.account, services, &mut self.draw)
                },
                version_id: format!("v{version}"),
                is_default_version: version == default,
                create_date: made(version),
            })
            .collect();
        let path = if policy.policy_arn.contains(":policy/teams/") { "/teams/" } else { "/" };
        self.managed(policy, path.to_owned(), policy_version_list, None)
    }

    fn aws_policy(&mut self, policy: &AwsPolicy) -> ManagedPolicyDetail {
        let attached =
            AttachedPolicy { policy_name: policy.name.to_owned(), policy_arn: policy.arn() };
        let version = PolicyVersion {
            document: policy.document.clone(),
            version_id: format!("v{}", policy.version),
            is_default_version: true,
            create_date: date(self.maker.start - 40 * DAY),
        };
        let description = Some("Provides access as the name says.");
        let mut detail =
            self.managed(attached, format!("/{}", policy.path), vec![version], description);
        detail.policy_id.clone_from(&policy.id);
        "2015-02-06T18:40:58+00:00".clone_into(&mut detail.create_date);
        detail
    }

    fn managed(
        &mut self,
        policy: AttachedPolicy,
        path: String,
        versions: Vec<PolicyVersion>,
        description: Option<&'static str>,
    ) -> ManagedPolicyDetail {
        let (attached, bounding) = self.counts.get(&policy.policy_arn).copied().unwrap_or_default();
        let date_of = |version: Option<&PolicyVersion>| {
            version.map(|it| it.create_date.clone()).expect("a version")
        };
        let default = versions.iter().find(|it| it.is_default_version).expect("a default version");
        ManagedPolicyDetail {
            policy_id: self.id("ANPA"),
            policy_name: policy.policy_name,
            arn: policy.policy_arn,
            path,
            default_version_id: default.version_id.clone(),
            attachment_count: attached,
            permissions_boundary_usage_count: bounding,
            is_attachable: true,
            description,
            create_date: date_of(versions.last()),
            update_date: date_of(versions.first()),
            policy_version_list: versions,
        }
    }
}

/// Returns an instant as the AWS CLI prints it.
fn date(seconds: i64) -> String {
    let time = DateTime::from_timestamp(seconds, 0).expect("a year of four digits");
    time.format("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}
