//! `trailfold report`.

mod missing;
pub(super) mod organizations;
pub(super) mod reading;
pub(super) mod service;
mod writing;
