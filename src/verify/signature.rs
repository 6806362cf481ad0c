//! Signatures of digests that stand in no digest: those of the newest ones, which S3 keeps as
//! metadata of the object. Saved replies of `aws s3api head-object` hold them.
//!
//! A signature proves itself, wherever it comes from: a wrong one fits no digest.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use serde::Deserialize;

use super::body::bytes_of_hex;
use super::digest::{SIGNATURE_ALGORITHM, Trail};
use super::reply::{self, ReplyError};
use crate::printable::file_name;
use crate::time::Time;

const CALL: &str = "aws s3api head-object";

/// What every name of a digest has in it, behind the account.
const DIGEST_NAME: &str = "_CloudTrail-Digest_";

/// Signatures that were saved beside the dump.
#[derive(Debug, Default)]
pub struct SavedSignatures {
    /// By the file name of the digest.
    named: HashMap<String, Vec<Saved>>,
    /// The names by trail, whatever its organization, of which they say nothing.
    names: HashMap<Trail, BTreeSet<String>>,
    /// Of which nothing tells whose they are.
    nameless: Vec<Saved>,
}

/// A signature, and when the digest was made if it is a backfill digest.
#[derive(Debug)]
pub(super) struct Saved {
    pub(super) signature: Vec<u8>,
    pub(super) generated: Option<Time>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Reply {
    /// Not part of the reply: whoever collects many in one file may add it.
    key: Option<String>,
    metadata: Metadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Metadata {
    signature: Option<String>,
    signature_algorithm: Option<String>,
    backfill_generation_timestamp: Option<String>,
}

impl SavedSignatures {
    /// Reads a file of replies, or a directory of such files. Whose signature a reply holds is told
    /// by its member `Key` or else by the name of the file, in which the name of the digest stands;
    /// where neither tells, it is tried on every digest without one.
    ///
    /// # Errors
    /// What cannot be read, is no such reply, or holds no signature.
    pub fn read(path: &Path) -> Result<Self, ReplyError> {
        let mut all = Self::default();
        reply::read(path, CALL, |file, Reply { key, metadata }: Reply| {
            let name = file_name(file.file_name().unwrap_or_default());
            let saved = metadata
                .saved()
                .ok_or_else(|| ReplyError::NoSignature { file: file_name(file) })?;
            match key.as_deref().and_then(digest_name).or_else(|| digest_name(&name)) {
                Some(digest) => {
                    if let Some(trail) = Trail::of_key(&digest) {
                        all.names.entry(trail).or_default().insert(digest.clone());
                    }
                    all.named.entry(digest).or_default().push(saved);
                }
                None => all.nameless.push(saved),
            }
            Ok(())
        })?;
        Ok(all)
    }

    /// Returns those that are said to be of the digest of this file name.
    pub(super) fn of(&self, digest: &str) -> &[Saved] {
        self.named.get(digest).map(Vec::as_slice).unwrap_or_default()
    }

    /// Returns the names of digests of a trail of which there are some.
    pub(super) fn names(&self, trail: &Trail) -> &BTreeSet<String> {
        static NONE: BTreeSet<String> = BTreeSet::new();
        let trail = Trail { organization: None, ..trail.clone() };
        self.names.get(&trail).unwrap_or(&NONE)
    }

    /// Returns those that may be of any digest.
    pub(super) fn nameless(&self) -> &[Saved] {
        &self.nameless
    }
}

impl Metadata {
    fn saved(self) -> Option<Saved> {
        (self.signature_algorithm? == SIGNATURE_ALGORITHM).then_some(())?;
        let generated = match self.backfill_generation_timestamp {
            Some(text) => Some(Time::parse(text.as_bytes())?),
            None => None,
        };
        Some(Saved { signature: bytes_of_hex(&self.signature?)?, generated })
    }
}

/// Returns the name of a digest that stands in a text: `…111122223333_CloudTrail-Digest_….json.gz…`.
fn digest_name(text: &str) -> Option<String> {
    let at = text.rfind(DIGEST_NAME)?;
    let (before, rest) = text.split_at(at);
    let account = before.rsplit(|letter: char| !letter.is_ascii_alphanumeric()).next()?;
    let (rest, _) = rest.rsplit_once(".json.gz")?;
    Some(format!("{account}{rest}.json.gz"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_known_by_its_name_in_a_text() {
        let name =
            "111122223333_CloudTrail-Digest_us-east-2_a_b_us-east-2_20150817T150131Z.json.gz";
        for text in [
            name.to_owned(),
            format!("{name}.json"),
            format!("AWSLogs_111122223333_CloudTrail-Digest_us-east-2_{name}.json"),
            format!("AWSLogs/111122223333/CloudTrail-Digest/us-east-2/2015/08/17/{name}"),
        ] {
            assert_eq!(digest_name(&text).as_deref(), Some(name), "{text}");
        }
        for text in ["", "_CloudTrail-Digest_", "signature.json"] {
            assert_eq!(digest_name(text), None, "{text}");
        }
    }
}
