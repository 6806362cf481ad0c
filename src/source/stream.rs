//! Streams that look ahead, count and stop in time; they know no format.

use std::cell::Cell;
use std::io::{self, BufRead, ErrorKind, Read};

use super::words;
use crate::printable::grouped;

/// The most that a source may expand to, as a multiple of its own size. Deflate ends at 1,032;
/// CloudTrail's files stay near 20.
const MAX_EXPANSION: u64 = 1_100;

/// What a source may expand to in any case, in bytes.
const FREE_EXPANSION: u64 = 64 << 20;

/// Returns whether so many bytes may be made of so many compressed ones.
pub const fn may_expand(packed: u64, made: u64) -> bool {
    made <= packed.saturating_mul(MAX_EXPANSION).saturating_add(FREE_EXPANSION)
}

/// An I/O error that is returned as often as somebody reads on.
pub(super) struct Break {
    kind: ErrorKind,
    words: String,
}

impl Break {
    pub(super) fn new(error: &io::Error) -> Self {
        Self { kind: error.kind(), words: words(error) }
    }

    pub(super) fn error(&self) -> io::Error {
        io::Error::new(self.kind, self.words.clone())
    }
}

/// The bytes of one source: taken from it, and made of them by every decoder together.
#[derive(Default)]
pub(super) struct Tally {
    taken: Cell<u64>,
    made: Cell<u64>,
    /// Whether something stands behind the first member of a gzip stream.
    pub(super) followed: Cell<bool>,
}

impl Tally {
    pub(super) fn taken(&self) -> u64 {
        self.taken.get()
    }

    pub(super) fn set_taken(&self, bytes: u64) {
        self.taken.set(bytes);
    }

    /// Counts decompressed bytes and refuses more than any log expands to.
    fn make(&self, bytes: usize) -> io::Result<()> {
        let made = self.made.get().saturating_add(length(bytes));
        self.made.set(made);
        if may_expand(self.taken.get(), made) {
            return Ok(());
        }
        Err(io::Error::new(
            ErrorKind::InvalidData,
            format!(
                "expands to more than {} times its size: decompress it first if that is right",
                grouped(MAX_EXPANSION)
            ),
        ))
    }
}

/// Counts what is taken from a source.
pub(super) struct Taken<'a, R> {
    pub(super) input: R,
    pub(super) tally: &'a Tally,
}

impl<R: Read> Read for Taken<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buf)?;
        self.tally.set_taken(self.tally.taken().saturating_add(length(count)));
        Ok(count)
    }
}

/// Counts what a decoder makes.
pub(super) struct Made<'a, R> {
    pub(super) input: R,
    pub(super) tally: &'a Tally,
}

impl<R: Read> Read for Made<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buf)?;
        self.tally.make(count)?;
        Ok(count)
    }
}

/// A buffered stream whose first bytes can be looked at before they are read.
pub(super) struct Head<R> {
    input: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    ended: bool,
    broken: Option<Break>,
}

impl<R: Read> Head<R> {
    /// Reads until `least` bytes are there, or the end or a break of the input.
    pub(super) fn new(input: R, capacity: usize, least: usize) -> Self {
        let buffer = vec![0; capacity.max(least)];
        let mut head = Self { input, buffer, start: 0, end: 0, ended: false, broken: None };
        while head.end < least && head.more() {}
        head
    }

    /// Returns the bytes that are there and not yet read.
    pub(super) fn peek(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Returns the break that follows the bytes of [`Head::peek`].
    pub(super) fn broken(&self) -> Option<&Break> {
        self.broken.as_ref()
    }

    /// Appends to the buffer; returns whether anything came. Behind the end nothing is asked for
    /// again: on a terminal that would wait for a second end.
    fn more(&mut self) -> bool {
        if self.ended {
            return false;
        }
        let space = self.buffer.get_mut(self.end..).unwrap_or_default();
        match read_on(&mut self.input, space) {
            Ok(count) => {
                self.end += count;
                self.ended = count == 0;
                count > 0
            }
            Err(error) => {
                self.broken = Some(Break::new(&error));
                false
            }
        }
    }
}

impl<R: Read> BufRead for Head<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            if let Some(broken) = &self.broken {
                return Err(broken.error());
            }
            (self.start, self.end) = (0, 0);
            self.more();
            if let Some(broken) = &self.broken {
                return Err(broken.error());
            }
        }
        Ok(self.peek())
    }

    fn consume(&mut self, count: usize) {
        self.start = self.start.saturating_add(count).min(self.end);
    }
}

impl<R: Read> Read for Head<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let fits = buf.len() >= self.buffer.len();
        if self.start == self.end && self.broken.is_none() && !self.ended && fits {
            return read_on(&mut self.input, buf).inspect_err(|error| {
                self.broken = Some(Break::new(error));
            });
        }
        let count = self.fill_buf()?.read(buf)?;
        self.consume(count);
        Ok(count)
    }
}

/// A stream as it is handed out: counts what it delivers and stays broken once it is.
pub(super) struct Delivery<R> {
    input: R,
    delivered: u64,
    broken: Option<Break>,
}

impl<R: Read> Delivery<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, delivered: 0, broken: None }
    }

    /// Returns the bytes delivered, and what broke the stream if anything did.
    pub(super) fn outcome(self) -> (u64, Option<io::Error>) {
        (self.delivered, self.broken.map(|broken| broken.error()))
    }
}

impl<R: Read> Read for Delivery<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if let Some(broken) = &self.broken {
            return Err(broken.error());
        }
        match read_on(&mut self.input, buf) {
            Ok(count) => {
                self.delivered = self.delivered.saturating_add(length(count));
                Ok(count)
            }
            Err(error) => {
                self.broken = Some(Break::new(&error));
                Err(error)
            }
        }
    }
}

/// Reads once, whatever signal arrives meanwhile.
fn read_on(input: &mut impl Read, buf: &mut [u8]) -> io::Result<usize> {
    loop {
        match input.read(buf) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}

/// Returns a length in memory as a number of bytes of a stream.
pub(super) fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
