//! Real, messy logs: nothing panics, everything is accounted for.
