//! The embedded table equals the one made from the published files.
