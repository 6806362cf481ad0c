//! `trailfold report`.

pub(super) mod organizations;
mod reading;
pub(super) mod service;
mod writing;
