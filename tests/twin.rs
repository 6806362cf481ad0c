//! A slow, obvious second implementation of the specification.
