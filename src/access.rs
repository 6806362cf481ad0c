//! From an event to an access, or the reason why not.
