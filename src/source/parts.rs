//! A large plain file in pieces, for several readers at a time; it knows lines and no JSON.
//!
//! A piece begins behind the first line feed at or behind a multiple of the pieces' length, so that
//! the pieces are a matter of the file alone, and ends where the next one begins. Whether records
//! begin there too is for the reader of records to find out.

use std::fs::File;
use std::io::{self, ErrorKind, Read};

use super::open::{HEAD, is_plain};
use super::stamp::Stamp;
use super::stream::length;
use super::{Input, Source, SourceError};

/// How many pieces a file has at least.
const FEWEST: u64 = 4;

/// How many bytes are looked at at once for a line feed.
const LOOK: u64 = 16 << 10;

/// How far behind a multiple of the length a piece may begin to be found again from its record.
const NEAR: u64 = 1 << 20;

/// A large plain file in pieces.
#[derive(Debug)]
pub struct Parts {
    file: File,
    stamp: Stamp,
    size: u64,
    length: u64,
}

impl Parts {
    /// Opens a source if it is a plain file of several pieces of `piece` bytes. Whatever else it is,
    /// or what is wrong with it, shows when it is read as a whole.
    pub fn open(source: &Source, piece: u64) -> Option<Self> {
        let Input::File(path) = &source.input else { return None };
        if !Self::may_be(source, piece) {
            return None;
        }
        let file = File::open(path.to_path_buf()).ok()?;
        let stamp = Stamp::of(&file);
        let size = stamp.size()?;
        let parts = Self { file, stamp, size, length: piece.max(1) };
        // It may have shrunk since it was found.
        if !Self::are_enough(parts.size, piece) {
            return None;
        }
        let head = parts.bytes(0, length(HEAD).min(parts.size)).ok()?;
        (!head.is_empty() && is_plain(&head)).then_some(parts)
    }

    /// Returns whether a source is large enough for pieces of `piece` bytes.
    pub fn may_be(source: &Source, piece: u64) -> bool {
        source.size.is_some_and(|size| Self::are_enough(size, piece))
    }

    fn are_enough(size: u64, piece: u64) -> bool {
        size / piece.max(1) >= FEWEST
    }

    /// Returns how many pieces there are.
    pub const fn count(&self) -> u64 {
        self.size.div_ceil(self.length)
    }

    /// Returns the least offset at which the piece behind this one may begin.
    pub const fn nominal_end(&self, index: u64) -> u64 {
        index.saturating_add(1).saturating_mul(self.length)
    }

    /// Returns the next multiple of the pieces' length behind an offset.
    pub const fn next_nominal(&self, offset: u64) -> u64 {
        self.nominal_end(offset / self.length)
    }

    /// Returns where a piece begins and ends, which is the same place if no line begins in it; none if
    /// one of the two is further than another length behind its multiple.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or ends before what it was when it was opened.
    pub fn piece(&self, index: u64) -> io::Result<Option<(u64, u64)>> {
        Ok(self.boundary(index)?.zip(self.boundary(index + 1)?))
    }

    /// Returns where a piece begins.
    fn boundary(&self, index: u64) -> io::Result<Option<u64>> {
        if index == 0 {
            return Ok(Some(0));
        }
        // The line feed right before the multiple is one to begin behind.
        let from = self.length.saturating_mul(index) - 1;
        let mut at = from;
        while at < self.size {
            if at - from > self.length.max(LOOK) {
                return Ok(None);
            }
            let bytes = self.bytes(at, LOOK.min(self.size - at))?;
            if let Some(line_feed) = memchr::memchr(b'\n', &bytes) {
                return Ok(Some(at + length(line_feed) + 1));
            }
            at += length(bytes.len());
        }
        Ok(Some(self.size))
    }

    /// Returns the piece that begins with the record at offset `at`, or with blanks before it, and
    /// where it begins.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn piece_at(&self, at: u64) -> io::Result<Option<(u64, u64)>> {
        let index = at / self.length;
        let from = self.length.saturating_mul(index).saturating_sub(1);
        if index == 0 || at - from > NEAR {
            return Ok(None);
        }
        let before = self.bytes(from, at - from)?;
        let Some(line_feed) = memchr::memchr(b'\n', &before) else { return Ok(None) };
        let indent = before.get(line_feed..).unwrap_or_default();
        let is_blank = indent.iter().all(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t'));
        Ok(is_blank.then(|| (index, from + length(line_feed) + 1)))
    }

    /// Returns what is wrong with what was read, `taken` bytes.
    ///
    /// # Errors
    ///
    /// The file was changed since it was opened, or cannot be looked at any more.
    pub fn compare(&self, taken: u64) -> Result<(), SourceError> {
        self.stamp.compare(&self.file, taken)
    }

    /// Returns all that lies behind an offset, up to the end that the file has by then.
    pub const fn from(&self, offset: u64) -> Rest<'_> {
        Rest { file: &self.file, at: offset }
    }

    /// Returns `count` bytes at an offset of the file.
    fn bytes(&self, at: u64, count: u64) -> io::Result<Vec<u8>> {
        let count = usize::try_from(count).map_err(|_| ErrorKind::OutOfMemory)?;
        let mut bytes = vec![0; count];
        self.from(at).read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

/// The bytes of a file behind an offset.
#[derive(Debug)]
pub struct Rest<'f> {
    file: &'f File,
    at: u64,
}

impl Rest<'_> {
    /// Returns the offset of what is read next.
    pub const fn at(&self) -> u64 {
        self.at
    }
}

impl Read for Rest<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            match read_at(self.file, buf, self.at) {
                Ok(count) => {
                    self.at += length(count);
                    return Ok(count);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(unix)]
fn read_at(file: &File, buf: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buf, at)
}

#[cfg(windows)]
fn read_at(file: &File, buf: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buf, at)
}

#[cfg(test)]
mod tests;
