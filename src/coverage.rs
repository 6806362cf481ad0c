//! What was read, what was set aside and why.
