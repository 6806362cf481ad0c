//! Which services a chain of policies allows.
