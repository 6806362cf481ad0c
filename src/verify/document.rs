//! The JSON form of a verification: what programs read. `docs/verify.md` describes it.

use serde::Serialize;

use super::status::Proof;
use super::{Chain, DigestResult, Gap, LogResult, S3Object, Span, Trail, Unlisted, Verification};

/// Changes when a member changes its name or meaning, not when one is added.
const FORMAT_VERSION: u32 = 1;

/// A verification as JSON.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Document<'a> {
    format_version: u32,
    all_valid: bool,
    chains: Vec<ChainJson<'a>>,
    stray_digests: Vec<DigestJson<'a>>,
    unlisted_log_files: Vec<UnlistedJson<'a>>,
    copied_log_files: &'a [String],
    problems: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ChainJson<'a> {
    account_id: &'a str,
    region: &'a str,
    trail_name: &'a str,
    home_region: &'a str,
    organization_id: Option<&'a str>,
    backfill: bool,
    results_found: Option<SpanJson>,
    proven_periods: Vec<SpanJson>,
    gaps: Vec<GapJson>,
    begins_after: Option<PlaceJson<'a>>,
    digest_files: Vec<DigestJson<'a>>,
    log_files: Vec<LogJson<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct SpanJson {
    from: String,
    to: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct GapJson {
    from: String,
    to: String,
    chain_begins_anew: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct PlaceJson<'a> {
    s3_bucket: &'a str,
    s3_object: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct DigestJson<'a> {
    #[serde(flatten)]
    place: Option<PlaceJson<'a>>,
    path: Option<&'a str>,
    digest_start_time: Option<String>,
    digest_end_time: Option<String>,
    status: String,
    valid: bool,
    signature_found_in: Option<&'static str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct LogJson<'a> {
    #[serde(flatten)]
    place: PlaceJson<'a>,
    path: Option<&'a str>,
    status: String,
    valid: bool,
    content_proven: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct UnlistedJson<'a> {
    path: &'a str,
    listed_by_invalid_digest: bool,
}

impl<'a> Document<'a> {
    /// Returns the document of a verification.
    pub fn new(verification: &'a Verification) -> Self {
        let Verification { chains, stray_digests, unlisted, copies, problems, .. } = verification;
        Self {
            format_version: FORMAT_VERSION,
            all_valid: verification.is_all_valid(),
            chains: chains.iter().map(ChainJson::new).collect(),
            stray_digests: stray_digests.iter().map(DigestJson::new).collect(),
            unlisted_log_files: unlisted.iter().map(UnlistedJson::new).collect(),
            copied_log_files: copies,
            problems: problems.iter().map(ToString::to_string).collect(),
        }
    }
}

impl<'a> ChainJson<'a> {
    fn new(chain: &'a Chain) -> Self {
        let Trail { account, region, name, home_region, organization, backfill } = &chain.trail;
        Self {
            account_id: account,
            region,
            trail_name: name,
            home_region,
            organization_id: organization.as_deref(),
            backfill: *backfill,
            results_found: chain.found.map(SpanJson::new),
            proven_periods: chain.proven.iter().copied().map(SpanJson::new).collect(),
            gaps: chain.gaps.iter().map(GapJson::new).collect(),
            begins_after: chain.begins_after.as_ref().map(PlaceJson::new),
            digest_files: chain.digests.iter().map(DigestJson::new).collect(),
            log_files: chain.log_files.iter().map(LogJson::new).collect(),
        }
    }
}

impl SpanJson {
    fn new((from, to): Span) -> Self {
        Self { from: from.to_string(), to: to.to_string() }
    }
}

impl GapJson {
    fn new(gap: &Gap) -> Self {
        let Gap { from, to, is_restart } = gap;
        Self { from: from.to_string(), to: to.to_string(), chain_begins_anew: *is_restart }
    }
}

impl<'a> PlaceJson<'a> {
    fn new(place: &'a S3Object) -> Self {
        Self { s3_bucket: &place.bucket, s3_object: &place.key }
    }
}

impl<'a> DigestJson<'a> {
    fn new(result: &'a DigestResult) -> Self {
        let DigestResult { place, path, span, status } = result;
        let proof = |proof| match proof {
            Proof::Successor => "Successor",
            Proof::Saved => "SavedReply",
        };
        Self {
            place: place.as_ref().map(PlaceJson::new),
            path: path.as_deref(),
            digest_start_time: span.map(|(start, _)| start.to_string()),
            digest_end_time: span.map(|(_, end)| end.to_string()),
            status: status.to_string(),
            valid: status.is_valid(),
            signature_found_in: status.proof().map(proof),
        }
    }
}

impl<'a> LogJson<'a> {
    fn new(LogResult { place, path, status }: &'a LogResult) -> Self {
        Self {
            place: PlaceJson::new(place),
            path: path.as_deref(),
            status: status.to_string(),
            valid: status.is_valid(),
            content_proven: status.is_proven(),
        }
    }
}

impl<'a> UnlistedJson<'a> {
    fn new(Unlisted { path, is_listed_by_invalid }: &'a Unlisted) -> Self {
        Self { path, listed_by_invalid_digest: *is_listed_by_invalid }
    }
}
