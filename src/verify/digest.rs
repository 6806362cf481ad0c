//! A digest file: what its JSON says, and which trail its name tells of. Whether any of that is true
//! is not known here.

use std::fmt;

use serde::{Deserialize, Deserializer};

use super::body::Hash;
use crate::time::Time;

/// The only algorithm by which CloudTrail hashes files.
const HASH_ALGORITHM: &str = "SHA-256";

/// The only algorithm by which CloudTrail signs digests.
pub(super) const SIGNATURE_ALGORITHM: &str = "SHA256withRSA";

/// A place in S3, as a digest names it: a text to compare and to show, and never a path to open.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct S3Object {
    /// The bucket.
    pub bucket: Box<str>,
    /// The key.
    pub key: Box<str>,
}

/// Prints `s3://bucket/key`.
impl fmt::Display for S3Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

/// Whose digests form a chain: a trail in one Region, for one account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Trail {
    /// The account whose events it logs.
    pub account: String,
    /// The Region in which the digests were delivered.
    pub region: String,
    /// The name of the trail.
    pub name: String,
    /// The Region in which the trail was created.
    pub home_region: String,
    /// The organization, if the trail is an organization's.
    pub organization: Option<String>,
    /// Whether the digests list log files that were left out of others: a chain of its own.
    pub backfill: bool,
}

impl Trail {
    /// Reads the key of a digest:
    /// `[…/]AWSLogs/[o-…/]ACCOUNT/…/ACCOUNT_CloudTrail-Digest_REGION_TRAIL_HOME_TIME[_backfill].json.gz`.
    /// A trail's name may have underscores, no other part has.
    pub(super) fn of_key(key: &str) -> Option<Self> {
        let (folders, file_name) = key.rsplit_once('/').unwrap_or(("", key));
        let stem = file_name.strip_suffix(".gz").unwrap_or(file_name).strip_suffix(".json")?;
        let (stem, backfill) =
            stem.strip_suffix("_backfill").map_or((stem, false), |stem| (stem, true));
        let (account, rest) = stem.split_once("_CloudTrail-Digest_")?;
        let (region, rest) = rest.split_once('_')?;
        let (rest, _time) = rest.rsplit_once('_')?;
        let (name, home_region) = rest.rsplit_once('_')?;
        let mut folders = folders.split('/').skip_while(|folder| *folder != "AWSLogs").skip(1);
        let organization = folders.next().filter(|folder| folder.starts_with("o-"));
        Some(Self {
            account: account.to_owned(),
            region: region.to_owned(),
            name: name.to_owned(),
            home_region: home_region.to_owned(),
            organization: organization.map(str::to_owned),
            backfill,
        })
    }
}

/// What a digest says.
#[derive(Debug)]
pub(super) struct Digest {
    /// The trail that its key names.
    pub(super) trail: Trail,
    /// Where it was delivered.
    pub(super) place: S3Object,
    /// The log files in it were delivered after this.
    pub(super) start: Time,
    /// The log files in it were delivered up to this.
    pub(super) end: Time,
    /// `digestEndTime` to the letter, as it was signed.
    pub(super) end_text: Box<str>,
    /// The fingerprint of the key that signed it.
    pub(super) fingerprint: Box<str>,
    /// The digest before it; none at the start of a chain.
    pub(super) previous: Option<Previous>,
    /// The signature of the digest before it, in hexadecimal digits; none at the start of a chain.
    pub(super) previous_signature: Option<Box<str>>,
    /// The log files.
    pub(super) log_files: Vec<LogFile>,
}

/// What a digest says of the one before it.
#[derive(Debug)]
pub(super) struct Previous {
    pub(super) place: S3Object,
    /// A hint alone: its signature decides.
    pub(super) hash: Option<Hash>,
}

/// What a digest says of a log file.
#[derive(Debug)]
pub(super) struct LogFile {
    pub(super) place: S3Object,
    pub(super) hash: Hash,
}

/// A digest as it is written. A member that stands twice is refused.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    digest_start_time: Box<str>,
    digest_end_time: Box<str>,
    digest_s3_bucket: Box<str>,
    digest_s3_object: Box<str>,
    digest_public_key_fingerprint: Box<str>,
    digest_signature_algorithm: Option<Box<str>>,
    previous_digest_s3_bucket: Option<Box<str>>,
    previous_digest_s3_object: Option<Box<str>>,
    previous_digest_hash_value: Option<Box<str>>,
    #[serde(deserialize_with = "stated")]
    previous_digest_signature: Option<Box<str>>,
    #[serde(deserialize_with = "stated")]
    log_files: Option<Vec<WrittenLogFile>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenLogFile {
    s3_bucket: Box<str>,
    s3_object: Box<str>,
    hash_value: Box<str>,
    hash_algorithm: Box<str>,
}

/// Reads a member that may be null, and may not be left out.
fn stated<'de, D, T>(member: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(member)
}

impl Digest {
    /// Reads a digest; none if it has not the form of one that this program can check.
    pub(super) fn parse(json: &[u8]) -> Option<Self> {
        let written: Written = serde_json::from_slice(json).ok()?;
        if written.digest_signature_algorithm.is_some_and(|it| &*it != SIGNATURE_ALGORITHM) {
            return None;
        }
        let previous = match (written.previous_digest_s3_bucket, written.previous_digest_s3_object)
        {
            (Some(bucket), Some(key)) => Some(Previous {
                place: S3Object { bucket, key },
                hash: written.previous_digest_hash_value.and_then(|hash| Hash::of_hex(&hash)),
            }),
            _ => None,
        };
        let log_files = written.log_files.unwrap_or_default();
        Some(Self {
            trail: Trail::of_key(&written.digest_s3_object)?,
            place: S3Object { bucket: written.digest_s3_bucket, key: written.digest_s3_object },
            start: Time::parse(written.digest_start_time.as_bytes())?,
            end: Time::parse(written.digest_end_time.as_bytes())?,
            end_text: written.digest_end_time,
            fingerprint: written.digest_public_key_fingerprint,
            previous,
            previous_signature: written.previous_digest_signature,
            log_files: log_files.into_iter().map(LogFile::of).collect::<Option<_>>()?,
        })
    }

    /// Returns the name of the file.
    pub(super) fn file_name(&self) -> &str {
        self.place.key.rsplit('/').next().unwrap_or(&self.place.key)
    }
}

impl LogFile {
    fn of(written: WrittenLogFile) -> Option<Self> {
        (&*written.hash_algorithm == HASH_ALGORITHM).then_some(())?;
        Some(Self {
            place: S3Object { bucket: written.s3_bucket, key: written.s3_object },
            hash: Hash::of_hex(&written.hash_value)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_tells_the_trail() {
        let trail = |key: &str| {
            Trail::of_key(key).map(|it| {
                let Trail { account, region, name, home_region, organization, backfill } = it;
                (format!("{account} {region} {name} {home_region}"), organization, backfill)
            })
        };
        let name = "111122223333_CloudTrail-Digest_us-east-2_a_b_us-west-1_20150817T150131Z";
        let said = "111122223333 us-east-2 a_b us-west-1".to_owned();
        let key = format!("x/AWSLogs/111122223333/CloudTrail-Digest/us-east-2/2015/{name}.json.gz");
        assert_eq!(trail(&key), Some((said.clone(), None, false)));
        let of_organization = key.replace("AWSLogs/", "AWSLogs/o-exampleorgid/");
        let organization = Some("o-exampleorgid".to_owned());
        assert_eq!(trail(&of_organization), Some((said.clone(), organization, false)));
        assert_eq!(trail(&format!("{name}_backfill.json.gz")), Some((said.clone(), None, true)));
        assert_eq!(trail(&format!("{name}.json")), Some((said, None, false)));
        for key in ["", "x.json.gz", "1_CloudTrail-Digest_a_b.json.gz", name, "_/_.json"] {
            assert_eq!(trail(key), None, "{key}");
        }
    }

    const DIGEST: &str = r#"{
        "digestStartTime": "2015-08-17T14:01:31Z", "digestEndTime": "2015-08-17T15:01:31Z",
        "digestS3Bucket": "b", "digestS3Object": "1_CloudTrail-Digest_r_t_r_20150817T150131Z.json",
        "digestPublicKeyFingerprint": "f", "previousDigestSignature": null, "logFiles": null
    }"#;

    #[test]
    fn a_digest_has_what_is_needed_to_check_it() {
        let digest = Digest::parse(DIGEST.as_bytes()).unwrap();
        assert_eq!(digest.end.to_string(), "2015-08-17T15:01:31Z");
        assert!(digest.previous.is_none() && digest.log_files.is_empty());
        let log_file =
            r#"[{"s3Bucket": "b", "s3Object": "o", "hashAlgorithm": "MD5", "hashValue": ""}]"#;
        for (old, new) in [
            ("\"previousDigestSignature\": null,", ""),
            (", \"logFiles\": null", ""),
            ("\"f\"", "null"),
            ("17T15", "17 15h"),
            ("_CloudTrail-Digest_", "_"),
            ("\"logFiles\": null", &format!("\"logFiles\": {log_file}")),
            ("\"logFiles\": null", "\"logFiles\": null, \"logFiles\": null"),
            (
                "\"logFiles\": null",
                "\"digestSignatureAlgorithm\": \"SHA1withRSA\", \"logFiles\": null",
            ),
        ] {
            let changed = DIGEST.replace(old, new);
            assert_ne!(changed, DIGEST);
            assert!(Digest::parse(changed.as_bytes()).is_none(), "{changed}");
        }
    }
}
