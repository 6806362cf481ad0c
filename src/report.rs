//! Reports: what IAM would answer, computed from a ledger; knows no output format.

pub mod organizations;

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
