//! A policy document: which services it allows; knows no tree.
