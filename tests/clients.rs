//! Other programs read what trailfold writes.
