//! Inputs of every kind, broken ones among them.
