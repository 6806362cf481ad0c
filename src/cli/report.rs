//! `trailfold report`.

pub(super) mod organizations;
pub(super) mod reading;
pub(super) mod service;
mod writing;
