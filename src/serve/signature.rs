//! AWS Signature Version 4 of a request to IAM, checked against credentials.

use std::collections::BTreeMap;
use std::fmt;

use axum::http::HeaderMap;
use chrono::NaiveDateTime;
use hmac::{Hmac, KeyInit as _, Mac as _};
use ini::{Ini, ParseOption};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::report::RequestError;
use crate::time::Time;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// A signature is good for so many microseconds before and after the time that it names.
const SKEW: i64 = 15 * 60 * 1_000_000;

/// Whose signatures are good: secret access keys by their ids.
pub struct Credentials(BTreeMap<String, Secret>);

struct Secret {
    secret_access_key: String,
    session_token: Option<String>,
}

/// Says how many there are, and no more.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({})", self.0.len())
    }
}

/// Why a file of credentials cannot be used. The message holds nothing of its content.
#[derive(Debug, Error)]
pub enum CredentialsError {
    /// It is no INI file.
    #[error("line {0}: is neither `[profile]` nor `name = value`")]
    Syntax(usize),
    /// One half of a key is missing.
    #[error("[{0}]: has {1}, but no {2}")]
    Half(String, &'static str, &'static str),
    /// Two profiles disagree about a key.
    #[error("[{0}]: has an access key id that stands before with another secret")]
    Contradiction(String),
    /// There is no key in it.
    #[error("has no profile with aws_access_key_id and aws_secret_access_key")]
    Empty,
}

impl Credentials {
    /// Reads AWS's shared credentials file; every profile with an access key counts.
    ///
    /// # Errors
    ///
    /// [`CredentialsError`].
    pub fn read(text: &str) -> Result<Self, CredentialsError> {
        let options =
            ParseOption { enabled_quote: false, enabled_escape: false, ..ParseOption::default() };
        let file = Ini::load_from_str_opt(text, options)
            .map_err(|it| CredentialsError::Syntax(it.line))?;
        let mut credentials: BTreeMap<String, Secret> = BTreeMap::new();
        for (profile, members) in &file {
            let profile = || profile.unwrap_or_default().to_owned();
            const ID: &str = "aws_access_key_id";
            const SECRET: &str = "aws_secret_access_key";
            let (id, secret) = match (members.get(ID), members.get(SECRET)) {
                (None, None) => continue,
                (Some(_), None) => return Err(CredentialsError::Half(profile(), ID, SECRET)),
                (None, Some(_)) => return Err(CredentialsError::Half(profile(), SECRET, ID)),
                (Some(id), Some(secret)) => (id, secret),
            };
            let secret = Secret {
                secret_access_key: secret.to_owned(),
                session_token: members.get("aws_session_token").map(str::to_owned),
            };
            let known = credentials.get(id);
            if known.is_some_and(|it| it.secret_access_key != secret.secret_access_key) {
                return Err(CredentialsError::Contradiction(profile()));
            }
            credentials.insert(id.to_owned(), secret);
        }
        if credentials.is_empty() {
            return Err(CredentialsError::Empty);
        }
        Ok(Self(credentials))
    }

    /// Checks the signature of a request that comes in at `now`.
    ///
    /// # Errors
    ///
    /// What IAM answers to a request without a signature, with a broken or an old one, by somebody
    /// unknown, or to one that was altered.
    pub(super) fn check(&self, request: &Signed<'_>, now: Time) -> Result<(), RequestError> {
        let Some(authorization) = request.headers.get("authorization") else {
            return Err(error(
                "MissingAuthenticationToken",
                "Request is missing Authentication Token",
            ));
        };
        let authorization = authorization.to_str().unwrap_or_default();
        let authorization = Authorization::parse(authorization)?;
        let date = request.date().ok_or_else(|| incomplete("it has no X-Amz-Date or Date"))?;
        authorization.check_scope(&date)?;
        authorization.check_headers(request.headers)?;
        let secret = self.0.get(authorization.access_key_id).ok_or_else(unknown_token)?;
        let token = request.headers.get("x-amz-security-token").map(|token| token.as_bytes());
        if token != secret.session_token.as_deref().map(str::as_bytes) {
            return Err(unknown_token());
        }
        let string_to_sign = format!(
            "{ALGORITHM}\n{date}\n{}\n{}",
            authorization.scope,
            hex(&Sha256::digest(request.canonical(&authorization)))
        );
        let key = authorization
            .scope
            .split('/')
            .fold(format!("AWS4{}", secret.secret_access_key).into_bytes(), |key, part| {
                mac(&key, part.as_bytes()).finalize().into_bytes().to_vec()
            });
        let signature = unhex(authorization.signature)
            .ok_or_else(|| incomplete("its Signature is not hexadecimal"))?;
        if mac(&key, string_to_sign.as_bytes()).verify_slice(&signature).is_err() {
            return Err(mismatch(
                "The request signature we calculated does not match the signature you provided. \
                 Check your AWS Secret Access Key and signing method.",
            ));
        }
        // Of a good signature alone: the time is part of what was signed.
        let signed_at = NaiveDateTime::parse_from_str(&date, "%Y%m%dT%H%M%SZ");
        let signed_at = signed_at.map_err(|_| incomplete("its date is no date"))?.and_utc();
        if (signed_at.timestamp_micros() - now.micros()).abs() > SKEW {
            return Err(mismatch(&format!(
                "Signature expired: {date} is not within 15 minutes of now."
            )));
        }
        Ok(())
    }
}

/// A request as its signature covers it.
pub(super) struct Signed<'r> {
    pub(super) method: &'r str,
    pub(super) path: &'r str,
    pub(super) query: &'r str,
    pub(super) headers: &'r HeaderMap,
    pub(super) body: &'r [u8],
}

impl Signed<'_> {
    /// Returns the time of signing as it is written: `20260131T235959Z`.
    fn date(&self) -> Option<String> {
        if let Some(date) = self.headers.get("x-amz-date") {
            return date.to_str().ok().map(str::to_owned);
        }
        let date = self.headers.get("date")?.to_str().ok()?;
        let date = chrono::DateTime::parse_from_rfc2822(date).ok()?;
        Some(date.to_utc().format("%Y%m%dT%H%M%SZ").to_string())
    }

    /// Returns the canonical request.
    fn canonical(&self, authorization: &Authorization<'_>) -> String {
        let mut query: Vec<&str> = self.query.split('&').filter(|it| !it.is_empty()).collect();
        query.sort_unstable();
        let mut canonical = format!("{}\n{}\n{}\n", self.method, self.path, query.join("&"));
        for name in authorization.signed_headers.split(';') {
            let values: Vec<String> = self
                .headers
                .get_all(name)
                .iter()
                .map(|value| collapsed(value.as_bytes()))
                .collect();
            canonical.extend([name, ":", &values.join(","), "\n"]);
        }
        let payload = hex(&Sha256::digest(self.body));
        canonical + "\n" + authorization.signed_headers + "\n" + &payload
    }
}

/// The header `Authorization`.
struct Authorization<'r> {
    access_key_id: &'r str,
    /// `20260131/us-east-1/iam/aws4_request`.
    scope: &'r str,
    signed_headers: &'r str,
    signature: &'r str,
}

impl<'r> Authorization<'r> {
    fn parse(header: &'r str) -> Result<Self, RequestError> {
        let members = header
            .strip_prefix(ALGORITHM)
            .ok_or_else(|| incomplete("its Authorization is no AWS4-HMAC-SHA256"))?;
        let member = |name: &str| {
            let mut members = members.split(',').filter_map(|member| member.trim().split_once('='));
            let value = members.find(|member| member.0 == name).map(|member| member.1);
            value.ok_or_else(|| incomplete(&format!("its Authorization has no {name}")))
        };
        let credential = member("Credential")?;
        let (access_key_id, scope) =
            credential.split_once('/').ok_or_else(|| incomplete("its Credential has no scope"))?;
        Ok(Self {
            access_key_id,
            scope,
            signed_headers: member("SignedHeaders")?,
            signature: member("Signature")?,
        })
    }

    /// A signature is for a day, and for IAM, in whatever Region.
    fn check_scope(&self, date: &str) -> Result<(), RequestError> {
        let parts: Vec<&str> = self.scope.split('/').collect();
        let [day, _region, service, end] = parts.as_slice() else {
            return Err(incomplete("its Credential is not KEY/DATE/REGION/iam/aws4_request"));
        };
        if !date.starts_with(&format!("{day}T")) {
            return Err(mismatch(
                "Date in Credential scope does not match YYYYMMDD from the date.",
            ));
        }
        if (*service, *end) != ("iam", "aws4_request") {
            return Err(mismatch("Credential should be scoped to correct service: 'iam'."));
        }
        Ok(())
    }

    /// What says where a request goes and on whose behalf has to be signed.
    fn check_headers(&self, headers: &HeaderMap) -> Result<(), RequestError> {
        let is_signed = |name: &str| self.signed_headers.split(';').any(|signed| signed == name);
        let must =
            headers.keys().map(|name| name.as_str()).filter(|name| name.starts_with("x-amz-"));
        match must.chain(["host"]).find(|name| !is_signed(name)) {
            Some(name) => Err(mismatch(&format!("The header {name} is not signed."))),
            None => Ok(()),
        }
    }
}

/// Returns a header's value without blanks around it, and one where there were several.
fn collapsed(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    text.split(' ').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

fn mac(key: &[u8], message: &[u8]) -> Hmac<Sha256> {
    let mut mac = <Hmac<Sha256>>::new_from_slice(key).expect("a key of any length is one");
    mac.update(message);
    mac
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|it| u8::try_from(it).ok());
    let pairs = text.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    });
    pairs.collect()
}

fn error(code: &'static str, message: &str) -> RequestError {
    RequestError { code, message: message.to_owned() }
}

fn incomplete(reason: &str) -> RequestError {
    error("IncompleteSignature", &format!("The request signature is incomplete: {reason}."))
}

fn mismatch(message: &str) -> RequestError {
    error("SignatureDoesNotMatch", message)
}

fn unknown_token() -> RequestError {
    error("InvalidClientTokenId", "The security token included in the request is invalid.")
}

#[cfg(test)]
mod tests;
