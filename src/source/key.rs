//! What the S3 key of a log file says about it: a hint, and never more (A25).
//!
//! AWS services deliver under `AWSLogs/[o-organization/]account/kind/…`. Only a folder in that
//! place means something; a folder of the user's own that is called `Config` means nothing. A key
//! that says nothing is read, and its content decides.

use super::{SourceReason, UNFINISHED};
use crate::time::Time;

/// Returns why a file of this key holds no CloudTrail event; none when it may hold some.
///
/// `key` is a path of any depth with `/` (or `\` on a Windows disk) between its parts.
pub fn kind(key: &str) -> Option<SourceReason> {
    let key = key.trim_end_matches(SEPARATORS);
    let (folders, file_name) = key.rsplit_once(SEPARATORS).unwrap_or(("", key));
    of_folders(folders).or_else(|| of_file(file_name))
}

/// Returns the last part of a key or path.
pub fn file_name(name: &str) -> &str {
    name.rsplit(SEPARATORS).next().unwrap_or(name)
}

const SEPARATORS: [char; 2] = ['/', '\\'];

/// Returns what [`kind`] says of every file in the folder of this path, whatever its name.
pub(super) fn of_folders(path: &str) -> Option<SourceReason> {
    let mut parts = path.split(SEPARATORS).filter(|part| !part.is_empty());
    while let Some(part) = parts.next() {
        if part != "AWSLogs" {
            continue;
        }
        // A second `AWSLogs` may follow when the first is part of the user's own path.
        let mut below = parts.clone();
        let first = below.next();
        let account = if first.is_some_and(is_organization) { below.next() } else { first };
        if account.is_some_and(is_account)
            && let Some(folder) = below.next()
            && let Some(reason) = by_folder(folder)
        {
            return Some(reason);
        }
    }
    None
}

fn by_folder(folder: &str) -> Option<SourceReason> {
    Some(match folder {
        "CloudTrail-Digest" => SourceReason::Digest,
        "CloudTrail-Insight" => SourceReason::Insight,
        "CloudTrail-Aggregated" => SourceReason::Aggregated,
        "Config" => SourceReason::Config,
        "vpcflowlogs" => SourceReason::VpcFlowLog,
        "elasticloadbalancing" => SourceReason::LoadBalancerLog,
        "CloudFront" => SourceReason::CloudFrontLog,
        "WAFLogs" => SourceReason::WafLog,
        "vpcdnsquerylogs" => SourceReason::DnsQueryLog,
        "GuardDuty" => SourceReason::GuardDuty,
        "network-firewall" => SourceReason::NetworkFirewallLog,
        "globalaccelerator" => SourceReason::GlobalAcceleratorLog,
        "redshift" => SourceReason::RedshiftLog,
        "VpcLattice" => SourceReason::VpcLatticeLog,
        "VerifiedAccess" => SourceReason::VerifiedAccessLog,
        "BedrockModelInvocationLogs" => SourceReason::BedrockLog,
        // `CloudTrail` and `CloudTrail-NetworkActivity` hold events; so may what is unknown.
        _ => return None,
    })
}

/// Reads `111122223333_CloudTrail-Digest_…`, the names by which files keep their kind when they
/// are copied out of their folders.
pub(super) fn of_file(name: &str) -> Option<SourceReason> {
    if name.starts_with(UNFINISHED) {
        return Some(SourceReason::Unfinished);
    }
    let (account, rest) = name.split_once('_')?;
    let (folder, _) = rest.split_once('_')?;
    if !is_account(account) {
        return None;
    }
    match folder {
        "CloudTrail-Digest" => Some(SourceReason::Digest),
        "CloudTrail-Insight" => Some(SourceReason::Insight),
        "CloudTrail-Aggregated" => Some(SourceReason::Aggregated),
        _ => None,
    }
}

/// What the name of a log file says:
/// `111122223333_CloudTrail_eu-west-1_20260115T1005Z_0123456789abcdef.json.gz`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogFile<'a> {
    /// The account.
    pub account: &'a str,
    /// The Region.
    pub region: &'a str,
    /// When CloudTrail began to write it, to the minute.
    pub time: Time,
}

impl<'a> LogFile<'a> {
    /// Reads the name of a file, without its folders; none if it is not of this form.
    pub fn of_name(name: &'a str) -> Option<Self> {
        let mut parts = name.split('_');
        let account = parts.next().filter(|account| is_account(account))?;
        parts.next().filter(|kind| *kind == "CloudTrail")?;
        let region = parts.next().filter(|region| is_region(region))?;
        let &[a, b, c, d, e, f, g, h, b'T', i, j, k, l, b'Z'] = parts.next()?.as_bytes() else {
            return None;
        };
        let time =
            [a, b, c, d, b'-', e, f, b'-', g, h, b'T', i, j, b':', k, l, b':', b'0', b'0', b'Z'];
        Some(Self { account, region, time: Time::parse(&time)? })
    }
}

fn is_region(part: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !part.is_empty() && part.len() <= 32 && part.bytes().all(is_plain)
}

fn is_account(part: &str) -> bool {
    part.len() == 12 && part.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_organization(part: &str) -> bool {
    part.strip_prefix("o-").is_some_and(|id| {
        !id.is_empty() && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests;
