//! Ctrl-C and other polite requests to end: they end the program at once and leave nothing behind.
//! A server is the exception: the first request lets it come to its end, the second ends it.
//!
//! A worker that waits for a pipe or a slow disk sees no flag, so the thread that receives the
//! request ends the program itself. What it has to take away is registered here.

use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::ProgressBar;

use super::complain;

/// What a request takes away. Whoever holds the lock cannot be interrupted.
#[derive(Debug)]
pub(super) struct Traces {
    /// Files that are not yet seen under their names, and folders of such.
    pub(super) temporary: Vec<PathBuf>,
    /// The line on the terminal.
    pub(super) line: Option<ProgressBar>,
    /// What ends by itself once it is asked to, which the first request does.
    #[cfg(feature = "serve")]
    pub(super) server: Option<crate::serve::Stop>,
}

static TRACES: Mutex<Traces> = Mutex::new(Traces {
    temporary: Vec::new(),
    line: None,
    #[cfg(feature = "serve")]
    server: None,
});

/// Lets a request end the program with exit code 130.
///
/// Where whoever started the program has it ignore one of them, as `nohup` does, all stay as they
/// are.
pub(super) fn watch() -> anyhow::Result<()> {
    match ctrlc::try_set_handler(end) {
        Ok(()) | Err(ctrlc::Error::MultipleHandlers) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Returns what a request takes away, and keeps requests waiting until it is let go of.
pub(super) fn traces() -> MutexGuard<'static, Traces> {
    TRACES.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(clippy::exit, reason = "the other threads may wait for something that never comes")]
fn end() {
    // Held to the very end: nothing is made or published behind its back.
    #[cfg_attr(not(feature = "serve"), expect(unused_mut, reason = "a server is taken out of it"))]
    let mut traces = traces();
    #[cfg(feature = "serve")]
    if let Some(server) = traces.server.take() {
        server.stop();
        return;
    }
    for path in &traces.temporary {
        let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    }
    if let Some(line) = &traces.line {
        line.finish_and_clear();
    }
    complain("error: interrupted");
    std::process::exit(130);
}
