//! How far a run is, on a terminal; silence elsewhere.

use std::io::{self, IsTerminal as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::interrupt;
use crate::ingest::Progress;
use crate::source::Source;

/// Decompressed bytes after which the line is drawn anew.
const REDRAW: u64 = 16 << 20;

/// A line that is drawn over and over.
pub(super) struct Display {
    bar: ProgressBar,
    files: AtomicU64,
    decompressed: AtomicU64,
    total: usize,
}

impl Display {
    /// Makes one for these sources; one that shows nothing, unless people are watching.
    pub(super) fn new(sources: &[Source], quiet: bool) -> Self {
        let is_shown = !quiet && io::stderr().is_terminal();
        let bytes: u64 = sources.iter().filter_map(|source| source.size).sum();
        let target =
            if is_shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(bytes), target);
        let eta = |state: &ProgressState, out: &mut dyn std::fmt::Write| {
            // Before the first source is done there is nothing to estimate from.
            if state.pos() > 0 {
                // Whole seconds: the estimate is no better.
                let _ = write!(out, ", {} left", HumanSeconds(state.eta()));
            }
        };
        let style =
            ProgressStyle::with_template("{bytes}/{total_bytes} ({bytes_per_sec}), {msg}{left}");
        if let Ok(style) = style {
            bar.set_style(style.with_key("left", eta));
        }
        interrupt::traces().line = Some(bar.clone());
        let (files, decompressed) = (AtomicU64::new(0), AtomicU64::new(0));
        let display = Self { bar, files, decompressed, total: sources.len() };
        display.tell();
        display
    }

    /// Shows a step.
    pub(super) fn step(&self, step: Progress) {
        match step {
            Progress::Decompressed(bytes) => {
                let before = self.decompressed.fetch_add(bytes, Ordering::Relaxed);
                // A single huge source must show that it moves.
                if before / REDRAW != (before + bytes) / REDRAW {
                    self.tell();
                }
            }
            Progress::Source(bytes) => {
                self.files.fetch_add(1, Ordering::Relaxed);
                self.bar.inc(bytes);
                self.tell();
            }
        }
    }

    fn tell(&self) {
        if self.bar.is_hidden() {
            return;
        }
        let files = self.files.load(Ordering::Relaxed);
        let decompressed = HumanBytes(self.decompressed.load(Ordering::Relaxed));
        self.bar
            .set_message(format!("{files}/{} sources, {decompressed} decompressed", self.total));
    }

    /// Removes the line.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

struct HumanSeconds(Duration);

impl std::fmt::Display for HumanSeconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seconds = self.0.as_secs();
        match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
            (0, 0, seconds) => write!(f, "{seconds} s"),
            (0, minutes, seconds) => write!(f, "{minutes} min {seconds} s"),
            (hours, minutes, _) => write!(f, "{hours} h {minutes} min"),
        }
    }
}
