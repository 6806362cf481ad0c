//! Tests of who may ask.
