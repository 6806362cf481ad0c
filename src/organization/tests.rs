//! Tests of the tree and of each form of a snapshot.
