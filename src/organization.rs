//! The organization: root, units, accounts, policies.
