//! Ctrl-C and other polite requests to end.

use std::sync::atomic::{AtomicBool, Ordering};

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Lets a first request end the run where it can clean up; a second one ends it at once.
///
/// Returns the flag that the first one sets.
pub(super) fn watch() -> anyhow::Result<&'static AtomicBool> {
    #[expect(clippy::exit, reason = "the user asked twice")]
    ctrlc::set_handler(|| {
        if REQUESTED.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    })?;
    Ok(&REQUESTED)
}

/// Returns whether the user asked for an end.
pub(super) fn was_requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}
