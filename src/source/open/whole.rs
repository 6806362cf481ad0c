//! Files that are read and inflated at one go: most of a dump. Whatever is not plainly whole is
//! left to the stream decoders, which say what is wrong.

use std::io::{ErrorKind, Read};

use libdeflater::Decompressor;

use super::super::gzip::{DEFLATE, FLAG_EXTRA, FLAG_NAME, FLAGS_RESERVED, MAGIC};

/// The largest file that is read whole, in bytes. A stream takes a quarter more CPU, and less memory.
pub(super) const LARGEST_FILE: u64 = 8 << 20;

/// The most that a whole file may hold, in bytes.
const LARGEST_CONTENT: usize = 32 << 20;

/// Bytes of a file's buffer that stay for the next one, whatever its size: most files are smaller.
const FILE_KEPT: usize = 512 << 10;

/// The same of the buffer of contents.
const CONTENT_KEPT: usize = 3 << 20;

/// Deflate's own maximum: what claims to expand further is lying.
const MAX_EXPANSION: usize = 1032;

const HEADER: usize = 10;
const TRAILER: usize = 8;
const FLAG_TEXT: u8 = 1;
const FLAGS_ELSE: u8 = !(FLAG_EXTRA | FLAG_NAME | FLAG_TEXT);

/// Buffers and a decompressor, used for one file after the other.
#[derive(Default)]
pub(super) struct Whole {
    file: Vec<u8>,
    content: Vec<u8>,
    /// Made for the first file that is inflated.
    inflate: Option<Decompressor>,
}

impl Whole {
    /// Reads a file of about `size` bytes; none if it is longer by now, or cannot be read.
    pub(super) fn read(&mut self, file: &mut impl Read, size: u64) -> Option<&[u8]> {
        // One byte more is asked for: a read that stops right before it has met the end.
        let length = usize::try_from(size).ok()? + 1;
        fit(&mut self.file, length, FILE_KEPT);
        let mut filled = 0;
        while let Some(free) = self.file.get_mut(filled..length).filter(|free| !free.is_empty()) {
            match file.read(free) {
                Ok(count) if count == 0 || filled + count + 1 == length => {
                    return self.file.get(..filled + count);
                }
                Ok(count) => filled += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
        }
        None
    }

    /// Returns the content of the file that was read last, `length` bytes long, if it is one gzip
    /// member and nothing else.
    ///
    /// The decompressor does not tell where the member ended, so a file in which another member may
    /// begin is left alone: two members are never taken for one.
    pub(super) fn inflate(&mut self, length: usize) -> Option<&[u8]> {
        let file = self.file.get(..length)?;
        let start = header_length(file)?;
        let (deflated, trailer) = file.get(start..)?.split_last_chunk::<TRAILER>()?;
        let (checksum, size) = trailer.split_first_chunk::<4>()?;
        let size = u32::from_le_bytes(*size.first_chunk()?);
        let size = usize::try_from(size).ok()?;
        if size > LARGEST_CONTENT || size > deflated.len().saturating_mul(MAX_EXPANSION) {
            return None;
        }
        if may_begin_a_member(deflated) {
            return None;
        }
        fit(&mut self.content, size, CONTENT_KEPT);
        let content = self.content.get_mut(..size)?;
        let inflate = self.inflate.get_or_insert_default();
        let inflated = inflate.deflate_decompress(deflated, content).ok()?;
        let is_whole =
            inflated == size && libdeflater::crc32(content) == u32::from_le_bytes(*checksum);
        is_whole.then_some(content)
    }
}

/// Makes a buffer long enough. The largest files come first, so that what only they need is given
/// back.
fn fit(buffer: &mut Vec<u8>, length: usize, kept: usize) {
    if buffer.is_empty() {
        // The system has zeros at hand.
        *buffer = vec![0; length];
    }
    if buffer.len() < length {
        buffer.reserve_exact(length - buffer.len());
        buffer.resize(length, 0);
    }
    let most = kept.max(2 * length);
    if buffer.len() > most {
        buffer.truncate(most);
        buffer.shrink_to_fit();
    }
}

/// Returns whether a gzip header stands somewhere in the bytes. Where they are deflated data it does
/// so by chance in one megabyte of a hundred.
fn may_begin_a_member(bytes: &[u8]) -> bool {
    let header = [MAGIC[0], MAGIC[1], DEFLATE];
    memchr::memmem::find_iter(bytes, &header)
        .any(|at| bytes.get(at + 3).is_none_or(|flags| flags & FLAGS_RESERVED == 0))
}

/// Returns the length of a gzip header of the kinds that occur.
fn header_length(file: &[u8]) -> Option<usize> {
    let header = file.first_chunk::<HEADER>()?;
    let &[first, second, method, flags, ..] = header;
    if [first, second] != MAGIC || method != DEFLATE || flags & FLAGS_ELSE != 0 {
        return None;
    }
    let mut length = HEADER;
    if flags & FLAG_EXTRA != 0 {
        let extra = file.get(length..)?.first_chunk::<2>()?;
        length += 2 + usize::from(u16::from_le_bytes(*extra));
    }
    if flags & FLAG_NAME != 0 {
        length += memchr::memchr(0, file.get(length..)?)? + 1;
    }
    Some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_the_largest_file_needs_is_given_back() {
        const KEPT: usize = 1000;
        let mut buffer = Vec::new();
        // A length is asked for, and what stays may be longer.
        for (asked, kept) in [
            (10, 10),
            (5, 10),
            (6 * KEPT, 6 * KEPT),
            (3 * KEPT, 6 * KEPT),
            (2 * KEPT, 4 * KEPT),
            (1, KEPT),
            (KEPT, KEPT),
        ] {
            fit(&mut buffer, asked, KEPT);
            assert_eq!((buffer.len(), buffer.capacity()), (kept, kept), "{asked}");
        }
    }
}
