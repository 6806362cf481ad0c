//! From sources to a ledger and its coverage, in parallel.
