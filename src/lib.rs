//! Recomputes AWS "last accessed information" from CloudTrail logs, offline.
//!
//! The program is one straight line with one value per stage:
//!
//! ```text
//! Source ─► Event ─► Access ─► Ledger ─► Report ─► JSON, Arrow, Parquet, CSV, table
//! ```
//!
//! A [`source`] is the bytes of one file, an [`event`] the dozen borrowed fields of one of its
//! records, an [`access`] who used what and when, the [`ledger`] the last access of each, and a
//! [`report`] what an [`organization`] or [`identities`] and a [`catalog`] make of a ledger; a
//! [`rollup`] is a ledger a day on disk, and `serve` answers for reports as IAM does. Beside the line
//! runs [`coverage`]: what was read, what was set aside and why. [`verify`] tells which sources are
//! as CloudTrail delivered them, [`explain`] which events are behind a line of a report. `docs/architecture.md` is the map.
//!
//! The modules stand lowest layer first; a module names only modules listed above it.

pub mod time;

pub mod printable;

pub mod json;

pub mod arn;

pub mod catalog;

pub mod source;

pub mod event;

pub mod access;

pub mod ledger;

pub mod coverage;

pub mod ingest;

pub mod rollup;

pub mod policy;

pub mod organization;

pub mod identities;

pub mod report;

pub mod emit;

pub mod verify;

pub mod explain;

#[cfg(feature = "serve")]
pub mod serve;

pub mod cli;
