//! The public keys of CloudTrail, as saved replies of `aws cloudtrail list-public-keys` hold them.
//!
//! They are what all trust rests on: whoever can change that file can make any digest look genuine.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use md5::{Digest as _, Md5};
use rsa::pkcs1::DecodeRsaPublicKey as _;
use rsa::pkcs1v15::{Signature, VerifyingKey};
use rsa::pkcs8::DecodePublicKey as _;
use rsa::signature::Verifier as _;
use serde::Deserialize;
use serde_json::Value;
use sha2::Sha256;

use super::Span;
use super::digest::Digest;
use super::reply::{self, ReplyError};
use crate::printable::{file_name, printable};
use crate::time::Time;

const CALL: &str = "aws cloudtrail list-public-keys";

/// A digest is signed after its last log file was delivered, and possibly after a change of keys; a late
/// one by a key that is new at that time.
const SIGNED_AFTER: TimeDelta = TimeDelta::days(1);

/// The keys by their fingerprints.
#[derive(Debug, Default)]
pub struct PublicKeys {
    keys: BTreeMap<String, Vec<Key>>,
}

/// A key.
#[derive(Debug)]
struct Key {
    /// None if the value is no RSA key.
    key: Option<VerifyingKey<Sha256>>,
    /// When it begins and ceases to sign.
    validity: Span,
}

/// What the keys say of a digest.
#[derive(Debug)]
pub(super) enum Found<'k> {
    /// This one signed it, if any did.
    Key(&'k VerifyingKey<Sha256>),
    /// The one that it names is no RSA key.
    Unreadable,
    /// The one that it names is not there, or only for another time.
    Missing(Option<Span>),
}

#[derive(Deserialize)]
struct Reply {
    #[serde(rename = "PublicKeyList", alias = "publicKeyList")]
    keys: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Written {
    fingerprint: String,
    value: String,
    validity_start_time: Value,
    validity_end_time: Value,
}

impl PublicKeys {
    /// Reads a file of replies, or a directory of such files.
    ///
    /// # Errors
    /// What cannot be read, is no such reply or lists no key; a key that is not the one that its
    /// fingerprint names.
    pub fn read(path: &Path) -> Result<Self, ReplyError> {
        let mut keys = Self::default();
        reply::read(path, CALL, |file, reply: Reply| {
            if reply.keys.is_empty() {
                return Err(ReplyError::NoKey { file: file_name(file) });
            }
            reply.keys.into_iter().try_for_each(|key| keys.add(file, key))
        })?;
        Ok(keys)
    }

    /// Takes in what others hold.
    pub fn extend(&mut self, others: Self) {
        for (fingerprint, mut others) in others.keys {
            self.keys.entry(fingerprint).or_default().append(&mut others);
        }
    }

    fn add(&mut self, file: &Path, written: Written) -> Result<(), ReplyError> {
        let Written { fingerprint, value, validity_start_time, validity_end_time } = written;
        let fault = |member, text: &str| ReplyError::Member {
            file: file_name(file),
            fingerprint: printable(&fingerprint),
            member,
            text: printable(text),
        };
        let der = STANDARD.decode(&value).map_err(|_| fault("Value", &value))?;
        let actual: String = Md5::digest(&der).iter().map(|byte| format!("{byte:02x}")).collect();
        if actual != fingerprint {
            let fingerprint = printable(&fingerprint);
            return Err(ReplyError::Fingerprint { file: file_name(file), fingerprint, actual });
        }
        let time = |member, value: &Value| {
            time(value).ok_or_else(|| fault(member, value.to_string().trim_matches('"')))
        };
        let validity = (
            time("ValidityStartTime", &validity_start_time)?,
            time("ValidityEndTime", &validity_end_time)?,
        );
        let key = rsa::PublicKey::from_pkcs1_der(&der)
            .ok()
            .or_else(|| rsa::PublicKey::from_public_key_der(&der).ok())
            .map(VerifyingKey::new);
        self.keys.entry(fingerprint).or_default().push(Key { key, validity });
        Ok(())
    }

    /// Returns the key that a digest names; `generated` is when a backfill digest was made.
    pub(super) fn find(&self, digest: &Digest, generated: Option<Time>) -> Found<'_> {
        let keys = self.keys.get(&*digest.fingerprint).map(Vec::as_slice).unwrap_or_default();
        match keys.iter().find(|key| key.may_have_signed(digest, generated)) {
            Some(Key { key: Some(key), .. }) => Found::Key(key),
            Some(Key { key: None, .. }) => Found::Unreadable,
            None => Found::Missing(keys.first().map(|key| key.validity)),
        }
    }
}

impl Key {
    fn may_have_signed(&self, digest: &Digest, generated: Option<Time>) -> bool {
        let (from, until) = self.validity;
        let later = |time: Time, by: TimeDelta| {
            Time::from_micros(time.micros().saturating_add(by.num_microseconds().unwrap_or(0)))
        };
        match generated {
            Some(generated) => {
                let hour = TimeDelta::hours(1);
                from <= later(generated, hour) && later(generated, -hour) <= until
            }
            // A backfill digest is made at any time after the one that it completes.
            None if digest.trail.backfill => digest.start <= until,
            None => from <= later(digest.end, SIGNED_AFTER) && digest.start <= until,
        }
    }
}

/// Reads a time as the versions of the AWS CLI print it: a text, or seconds since 1970.
fn time(value: &Value) -> Option<Time> {
    #[expect(clippy::cast_possible_truncation, reason = "a float beyond an i64 becomes its bound")]
    let of_seconds = |seconds: f64| Time::from_micros((seconds * 1e6) as i64);
    match value {
        Value::Number(seconds) => seconds.as_f64().map(of_seconds),
        Value::String(text) => Time::parse(text.as_bytes())
            .or_else(|| text.parse().ok().filter(|it: &f64| it.is_finite()).map(of_seconds)),
        _ => None,
    }
}

/// Returns whether the key made this signature of this text.
pub(super) fn is_signed(key: &VerifyingKey<Sha256>, text: &[u8], signature: &[u8]) -> bool {
    Signature::try_from(signature).is_ok_and(|signature| key.verify(text, &signature).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_every_version_of_the_aws_cli_prints_them() {
        for value in [
            Value::from(1_436_317_441.0),
            "1436317441.0".into(),
            "2015-07-08T01:04:01+00:00".into(),
            "2015-07-07T18:04:01.000000-07:00".into(),
        ] {
            let time = time(&value).map(|time| time.to_string());
            assert_eq!(time.as_deref(), Some("2015-07-08T01:04:01Z"), "{value}");
        }
        for value in [Value::Null, "".into(), "inf".into(), "yesterday".into(), true.into()] {
            assert_eq!(time(&value), None, "{value}");
        }
    }
}
