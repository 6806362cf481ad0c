//! Which inputs there are, and their bytes.
