//! A gzip stream of any number of members, delivered up to the very byte where it breaks.
//!
//! It differs from a plain decoder in what it does with broken input: everything decompressed
//! before a break is delivered first, zeros behind the last member are padding, as they are for
//! gzip(1), and anything else there is an error. It knows nothing of files.

use std::cell::Cell;
use std::io::{self, BufRead, ErrorKind, Read};

use flate2::{Decompress, FlushDecompress, Status};
use libdeflater::Crc;

use super::stream::Break;

pub(super) const MAGIC: [u8; 2] = [0x1f, 0x8b];
pub(super) const DEFLATE: u8 = 8;
const FLAG_HEADER_CRC: u8 = 1 << 1;
pub(super) const FLAG_EXTRA: u8 = 1 << 2;
pub(super) const FLAG_NAME: u8 = 1 << 3;
const FLAG_COMMENT: u8 = 1 << 4;
pub(super) const FLAGS_RESERVED: u8 = 0b1110_0000;

/// Decompresses the gzip members that `input` consists of.
pub(super) struct Gzip<'f, R> {
    input: R,
    /// Is set when something stands behind the first member.
    followed: &'f Cell<bool>,
    inflate: Decompress,
    crc: Crc,
    state: State,
}

enum State {
    /// Before the first member.
    Start,
    /// In the compressed bytes of a member.
    Deflated,
    /// Behind a member: another one, padding, or the end.
    Between,
    End,
    Broken(Break),
}

impl<'f, R: BufRead> Gzip<'f, R> {
    pub(super) fn new(input: R, followed: &'f Cell<bool>) -> Self {
        let (inflate, crc) = (Decompress::new(false), Crc::new());
        Self { input, followed, inflate, crc, state: State::Start }
    }

    /// Returns the next byte of the input.
    fn byte(&mut self) -> io::Result<u8> {
        let byte = fill(&mut self.input)?.first().copied().ok_or_else(end_of_stream)?;
        self.input.consume(1);
        Ok(byte)
    }

    fn little_endian(&mut self) -> io::Result<u32> {
        Ok(u32::from_le_bytes([self.byte()?, self.byte()?, self.byte()?, self.byte()?]))
    }

    fn skip(&mut self, count: u16) -> io::Result<()> {
        (0..count).try_for_each(|_| self.byte().map(drop))
    }

    fn skip_text(&mut self) -> io::Result<()> {
        while self.byte()? != 0 {}
        Ok(())
    }

    /// Reads the header of a member, the two bytes of the magic number included.
    fn header(&mut self) -> io::Result<()> {
        let first = matches!(self.state, State::Start);
        if [self.byte()?, self.byte()?] != MAGIC {
            return Err(if first { corrupt("gzip header") } else { trailing_bytes() });
        }
        let (method, flags) = (self.byte()?, self.byte()?);
        if method != DEFLATE || flags & FLAGS_RESERVED != 0 {
            return Err(corrupt("gzip header"));
        }
        // The time, the level and the system of the writer.
        self.skip(6)?;
        if flags & FLAG_EXTRA != 0 {
            let length = u16::from_le_bytes([self.byte()?, self.byte()?]);
            self.skip(length)?;
        }
        if flags & FLAG_NAME != 0 {
            self.skip_text()?;
        }
        if flags & FLAG_COMMENT != 0 {
            self.skip_text()?;
        }
        if flags & FLAG_HEADER_CRC != 0 {
            self.skip(2)?;
        }
        self.inflate.reset(false);
        self.crc = Crc::new();
        self.state = State::Deflated;
        Ok(())
    }

    /// Skips padding; starts the next member or ends.
    fn between(&mut self) -> io::Result<()> {
        let input = fill(&mut self.input)?;
        let zeros = input.iter().take_while(|byte| **byte == 0).count();
        let (ended, next) = (input.is_empty(), input.get(zeros).copied());
        self.followed.set(self.followed.get() || !ended);
        self.input.consume(zeros);
        match next {
            Some(byte) if byte == MAGIC[0] => self.header(),
            Some(_) => Err(trailing_bytes()),
            None => {
                if ended {
                    self.state = State::End;
                }
                Ok(())
            }
        }
    }

    /// Decompresses into `buf`; returns the bytes made, and the break behind them if there is one.
    fn deflated(&mut self, buf: &mut [u8]) -> (usize, io::Result<()>) {
        let input = match fill(&mut self.input) {
            Ok(input) => input,
            Err(error) => return (0, Err(error)),
        };
        let ended = input.is_empty();
        let (before_in, before_out) = (self.inflate.total_in(), self.inflate.total_out());
        let flush = if ended { FlushDecompress::Finish } else { FlushDecompress::None };
        let status = self.inflate.decompress(input, buf, flush);
        let count = |now: u64, before: u64| usize::try_from(now - before).unwrap_or(usize::MAX);
        let consumed = count(self.inflate.total_in(), before_in);
        let made = count(self.inflate.total_out(), before_out);
        self.input.consume(consumed);
        self.crc.update(buf.get(..made).unwrap_or_default());
        let end = match status {
            Ok(Status::StreamEnd) => self.trailer(),
            Ok(_) if made > 0 || consumed > 0 => Ok(()),
            Ok(_) if ended => Err(end_of_stream()),
            Ok(_) | Err(_) => Err(corrupt("gzip stream")),
        };
        (made, end)
    }

    /// Compares the checksum and the length that follow a member.
    fn trailer(&mut self) -> io::Result<()> {
        let (crc, length) = (self.little_endian()?, self.little_endian()?);
        let made = self.inflate.total_out() & u64::from(u32::MAX);
        if crc != self.crc.sum() || u64::from(length) != made {
            let words = "checksum mismatch at the end of a gzip stream";
            return Err(io::Error::new(ErrorKind::InvalidData, words));
        }
        self.state = State::Between;
        Ok(())
    }
}

impl<R: BufRead> Read for Gzip<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        loop {
            let (made, outcome) = match &self.state {
                State::Start => (0, self.header()),
                State::Deflated => self.deflated(buf),
                State::Between => (0, self.between()),
                State::End => return Ok(0),
                State::Broken(broken) => return Err(broken.error()),
            };
            if let Err(error) = outcome {
                self.state = State::Broken(Break::new(&error));
            }
            if made > 0 {
                return Ok(made);
            }
        }
    }
}

fn end_of_stream() -> io::Error {
    io::Error::new(ErrorKind::UnexpectedEof, "unexpected end of gzip stream")
}

fn corrupt(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("corrupt {what}"))
}

fn trailing_bytes() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "bytes that are no gzip stream follow the last one")
}

/// Returns what the input holds next, whatever signal arrives meanwhile.
fn fill(input: &mut impl BufRead) -> io::Result<&[u8]> {
    while let Err(error) = input.fill_buf() {
        if error.kind() != ErrorKind::Interrupted {
            return Err(error);
        }
    }
    // Asked again, a filled buffer is returned as it is.
    input.fill_buf()
}
