//! Every test that needs more than one module or the program itself.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod browser;
mod catalog;
mod cli;
mod clients;
mod corpus;
mod dependencies;
mod explain;
mod faults;
mod identities;
mod laws;
mod missing;
mod organization;
mod policy;
mod python;
mod rollup;
mod serve;
mod service;
mod source;
mod spark;
mod tidy;
mod twin;
mod verify;
