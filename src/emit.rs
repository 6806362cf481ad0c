//! Writes reports, one file a format.
