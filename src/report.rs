//! Reports: what IAM would answer, computed from a ledger; knows no output format.

pub mod attempt;
pub mod constraint;
pub mod coverage;
pub mod organizations;
pub mod page;
pub mod service;

use thiserror::Error;

use crate::time::Time;

/// The dates of the job that made a report, arguments of the report (O12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobDates {
    /// `JobCreationDate`.
    pub creation: Time,
    /// `JobCompletionDate`.
    pub completion: Time,
}

/// Why a job failed, in IAM's words (O10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorDetails {
    /// `Code`, such as `INVALID_ORGANIZATIONS_ENTITY_PATH`.
    pub code: &'static str,
    /// `Message`.
    pub message: &'static str,
}

/// Why a request is refused at once, without a job, in IAM's words (O8, O10).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{code}: {message}")]
pub struct RequestError {
    /// `Code`: `ValidationError`, `InvalidInput`, `AccessDenied`, `NoSuchEntity`, ….
    pub code: &'static str,
    /// `Message`.
    pub message: String,
}

impl RequestError {
    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self { code: "ValidationError", message: message.into() }
    }

    pub(crate) fn invalid_input(message: impl Into<String>) -> Self {
        Self { code: "InvalidInput", message: message.into() }
    }

    pub(crate) fn no_such_entity(message: impl Into<String>) -> Self {
        Self { code: "NoSuchEntity", message: message.into() }
    }

    pub(crate) fn access_denied(message: impl Into<String>) -> Self {
        Self { code: "AccessDenied", message: message.into() }
    }
}
