//! What can be said of a digest and of a log file, in the words of `aws cloudtrail validate-logs`
//! where it has some.

use std::fmt;

use super::Span;

/// How a digest is proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proof {
    /// By its signature, which its successor holds.
    Successor,
    /// By its signature, which was saved.
    Saved,
}

/// What can be said of a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DigestStatus {
    /// Its signature fits.
    Valid(Proof),
    /// Its signature fits, and it lies elsewhere than it was delivered.
    Moved(Proof),
    /// Nobody holds its signature whom one can believe.
    NotVerified,
    /// It is not the one that was signed.
    SignatureFailed,
    /// It is no digest, or none that can be checked.
    InvalidFormat,
    /// Something stands behind its compressed content.
    TrailingData,
    /// Another digest names it, and it is not there.
    NotFound,
    /// The key that signed it is not among those given.
    KeyNotFound {
        /// The home Region of the trail.
        region: String,
        /// The fingerprint that the digest names.
        fingerprint: String,
        /// When the key signed, if it is given and that is another time.
        validity: Option<Span>,
    },
    /// The key of this fingerprint is no RSA key.
    KeyUnreadable {
        /// The fingerprint that the digest names.
        fingerprint: String,
    },
}

impl DigestStatus {
    /// Returns whether it is proven and in its place.
    pub const fn is_valid(&self) -> bool {
        matches!(self, Self::Valid(_))
    }

    /// Returns how its content is proven, if it is.
    pub const fn proof(&self) -> Option<Proof> {
        match self {
            Self::Valid(proof) | Self::Moved(proof) => Some(*proof),
            _ => None,
        }
    }
}

impl fmt::Display for DigestStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Valid(_) => f.write_str("valid"),
            Self::Moved(_) => f.write_str("INVALID: has been moved from its original location"),
            Self::NotVerified => f.write_str(
                "NOT VERIFIED: no verified digest and no saved reply holds its signature",
            ),
            Self::SignatureFailed => f.write_str("INVALID: signature verification failed"),
            Self::InvalidFormat => f.write_str("INVALID: invalid format"),
            Self::TrailingData => f.write_str(TRAILING_DATA),
            Self::NotFound => f.write_str("INVALID: not found"),
            Self::KeyNotFound { region, fingerprint, validity } => {
                write!(
                    f,
                    "INVALID: public key not found in region {region} for fingerprint {fingerprint}"
                )?;
                match validity {
                    Some((from, until)) => write!(f, ", which signed from {from} until {until}"),
                    None => Ok(()),
                }
            }
            Self::KeyUnreadable { fingerprint } => {
                write!(f, "INVALID: Unable to load PKCS #1 key with fingerprint {fingerprint}")
            }
        }
    }
}

const TRAILING_DATA: &str = "INVALID: unexpected data after end of compressed stream";

/// What can be said of a log file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogStatus {
    /// A proven digest lists it as it is.
    Valid,
    /// A proven digest lists it as it is, and it lies elsewhere than it was delivered.
    Moved,
    /// It is as a digest lists it that is not proven itself.
    NotVerified,
    /// It is not as the digest lists it.
    HashMismatch,
    /// It cannot be read to its end.
    InvalidFormat,
    /// Something stands behind its compressed content.
    TrailingData,
    /// It is not there.
    NotFound,
}

impl LogStatus {
    /// Returns whether it is proven and in its place.
    pub const fn is_valid(self) -> bool {
        matches!(self, Self::Valid)
    }

    /// Returns whether its content is proven.
    pub const fn is_proven(self) -> bool {
        matches!(self, Self::Valid | Self::Moved)
    }
}

impl fmt::Display for LogStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Valid => "valid",
            Self::Moved => "INVALID: has been moved from its original location",
            Self::NotVerified => "NOT VERIFIED: only a digest that is not verified lists it",
            Self::HashMismatch => "INVALID: hash value doesn't match",
            Self::InvalidFormat => "INVALID: invalid format",
            Self::TrailingData => TRAILING_DATA,
            Self::NotFound => "INVALID: not found",
        })
    }
}
