//! The members of a `get-account-authorization-details` reply that decide something, as they
//! stand in a file. All others are passed over unread: trust policies, boundaries, tags, instance
//! profiles.

use std::borrow::Cow;
use std::fmt;

use percent_encoding::percent_decode_str;
use serde::de::{IgnoredAny, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::IdentityKind;
use crate::json::Text;
use crate::policy::{Policy, PolicyError};
use crate::printable::visible;
use crate::time::Time;

/// A reply, or several in one; a list that is null or absent has no entries.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub(super) struct Reply<'a> {
    #[serde(borrow)]
    user_detail_list: Option<Vec<Detail<'a>>>,
    #[serde(borrow)]
    group_detail_list: Option<Vec<Detail<'a>>>,
    #[serde(borrow)]
    role_detail_list: Option<Vec<Detail<'a>>>,
    #[serde(borrow)]
    policies: Option<Vec<Detail<'a>>>,
    /// The AWS CLI's own mark of a list that it did not fetch whole.
    pub(super) next_token: Option<IgnoredAny>,
    /// IAM's mark of a page that is not the last.
    is_truncated: Option<bool>,
    /// Where the next page begins.
    marker: Option<IgnoredAny>,
}

impl<'a> Reply<'a> {
    /// Returns whether it is a reply of this call: `Policies` other calls have too, but without
    /// the versions.
    pub(super) fn is_one(&self) -> bool {
        let has_versions = |policies: &Vec<Detail<'_>>| {
            policies.iter().any(|policy| policy.policy_version_list.is_some())
        };
        self.user_detail_list.is_some()
            || self.group_detail_list.is_some()
            || self.role_detail_list.is_some()
            || self.policies.as_ref().is_some_and(has_versions)
    }

    /// Returns whether no other page follows.
    pub(super) fn is_last(&self) -> bool {
        !self.is_truncated.unwrap_or(self.marker.is_some())
    }

    /// Returns the entries, list by list.
    pub(super) fn entries(self) -> impl Iterator<Item = (IdentityKind, Detail<'a>)> {
        let lists = [
            (IdentityKind::User, self.user_detail_list),
            (IdentityKind::Group, self.group_detail_list),
            (IdentityKind::Role, self.role_detail_list),
            (IdentityKind::Policy, self.policies),
        ];
        lists.into_iter().flat_map(|(kind, entries)| {
            entries.into_iter().flatten().map(move |entry| (kind, entry))
        })
    }
}

/// Returns whether JSON whose members have other types is meant to be a reply all the same.
pub(super) fn is_meant(value: &Value) -> bool {
    ["UserDetailList", "GroupDetailList", "RoleDetailList"]
        .iter()
        .any(|list| value.get(*list).is_some_and(|list| !list.is_null()))
        || value
            .get("Policies")
            .and_then(Value::as_array)
            .is_some_and(|list| list.iter().any(|policy| policy.get("PolicyVersionList").is_some()))
}

/// An entry of any of the four lists.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub(super) struct Detail<'a> {
    /// `Arn`.
    #[serde(borrow)]
    pub(super) arn: Cow<'a, str>,
    /// The name by its kind.
    #[serde(borrow, alias = "UserName", alias = "GroupName", alias = "RoleName")]
    pub(super) policy_name: Option<Text<'a>>,
    /// The id by its kind.
    #[serde(borrow, alias = "UserId", alias = "GroupId", alias = "RoleId")]
    pub(super) policy_id: Option<Text<'a>>,
    /// `Path`.
    #[serde(borrow)]
    pub(super) path: Option<Text<'a>>,
    /// `CreateDate`.
    pub(super) create_date: Option<Stamp>,
    /// `RoleLastUsed` of a role.
    #[serde(borrow)]
    pub(super) role_last_used: Option<LastUsed<'a>>,
    /// The inline policies of a user, group or role.
    #[serde(borrow, alias = "GroupPolicyList", alias = "RolePolicyList")]
    pub(super) user_policy_list: Option<Vec<Inline<'a>>>,
    /// The managed policies attached to a user, group or role.
    #[serde(borrow)]
    pub(super) attached_managed_policies: Option<Vec<Attached<'a>>>,
    /// The names of a user's groups.
    #[serde(borrow)]
    pub(super) group_list: Option<Vec<Text<'a>>>,
    /// `DefaultVersionId` of a policy.
    #[serde(borrow)]
    pub(super) default_version_id: Option<Text<'a>>,
    /// The versions of a policy: all of the account's own, the default one of AWS's.
    #[serde(borrow)]
    pub(super) policy_version_list: Option<Vec<Version<'a>>>,
}

/// An inline policy.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub(super) struct Inline<'a> {
    /// `PolicyName`.
    #[serde(borrow)]
    pub(super) policy_name: Option<Text<'a>>,
    /// `PolicyDocument`.
    #[serde(borrow)]
    pub(super) policy_document: Option<Document<'a>>,
}

/// A managed policy that is attached.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub(super) struct Attached<'a> {
    /// `PolicyArn`.
    #[serde(borrow)]
    pub(super) policy_arn: Cow<'a, str>,
}

/// A version of a managed policy.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub(super) struct Version<'a> {
    /// `VersionId`, such as `v3`.
    #[serde(borrow)]
    pub(super) version_id: Option<Text<'a>>,
    /// `IsDefaultVersion`.
    pub(super) is_default_version: Option<bool>,
    /// `Document`.
    #[serde(borrow)]
    pub(super) document: Option<Document<'a>>,
}

/// When and where a role was used last; nothing of it for one that was not.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub(super) struct LastUsed<'a> {
    /// `LastUsedDate`.
    pub(super) last_used_date: Option<Stamp>,
    /// `Region`.
    #[serde(borrow)]
    pub(super) region: Option<Text<'a>>,
}

/// A policy document as its JSON stands in the file, which is read only if the document counts.
#[derive(Clone, Copy, Deserialize)]
#[serde(transparent)]
pub(super) struct Document<'a>(#[serde(borrow)] &'a RawValue);

/// Why a document is none (S10).
pub(super) enum Malformed {
    /// Its bytes are no UTF-8 once they are URL-decoded.
    Encoding,
    /// It is not what IAM takes.
    Policy(PolicyError),
}

impl From<PolicyError> for Malformed {
    fn from(error: PolicyError) -> Self {
        Self::Policy(error)
    }
}

impl<'a> Document<'a> {
    /// Returns the JSON: an object or a string, unless it is malformed.
    pub(super) fn json(self) -> &'a str {
        self.0.get()
    }

    /// Reads an object, or the text of a string, which may be URL-encoded.
    pub(super) fn policy(self) -> Result<Policy, Malformed> {
        let json = self.json();
        if !json.starts_with('"') {
            return Ok(Policy::parse(json)?);
        }
        let Text(text) = serde_json::from_str(json).map_err(PolicyError::from)?;
        if is_plain_json(&text) {
            return Ok(Policy::parse(&text)?);
        }
        let decoded = percent_decode_str(&text).decode_utf8().map_err(|_| Malformed::Encoding)?;
        Ok(Policy::parse(&decoded)?)
    }
}

/// Returns whether text is JSON as it stands, not URL-encoded.
fn is_plain_json(text: &str) -> bool {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.trim_start().starts_with('{')
}

/// An instant, as text or in seconds since 1970.
#[derive(Clone, Copy)]
pub(super) struct Stamp(pub(super) Time);

impl<'de> Deserialize<'de> for Stamp {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_any(StampVisitor)
    }
}

struct StampVisitor;

impl Visitor<'_> for StampVisitor {
    type Value = Stamp;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Stamp, E> {
        let time = Time::parse(text.as_bytes());
        time.map(Stamp).ok_or_else(|| E::custom(format!("`{}` is no time", visible(text))))
    }

    fn visit_u64<E: serde::de::Error>(self, seconds: u64) -> Result<Stamp, E> {
        i64::try_from(seconds).map_or_else(|_| Err(no_time(seconds)), |it| self.visit_i64(it))
    }

    fn visit_i64<E: serde::de::Error>(self, seconds: i64) -> Result<Stamp, E> {
        let micros = seconds.checked_mul(1_000_000).ok_or_else(|| no_time(seconds))?;
        Ok(Stamp(Time::from_micros(micros)))
    }

    fn visit_f64<E: serde::de::Error>(self, seconds: f64) -> Result<Stamp, E> {
        let micros = (seconds * 1e6).round();
        if !(-9e18..9e18).contains(&micros) {
            return Err(no_time(seconds));
        }
        #[expect(clippy::cast_possible_truncation, reason = "a whole number of that range")]
        Ok(Stamp(Time::from_micros(micros as i64)))
    }
}

fn no_time<E: serde::de::Error>(seconds: impl fmt::Display) -> E {
    E::custom(format!("`{seconds}` is no time"))
}
