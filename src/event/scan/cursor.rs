//! A place in the bytes of a JSON text, and how it moves on.

#![expect(clippy::indexing_slicing, reason = "every index stands behind a check of its bound")]

use std::marker::PhantomData;

use super::Fault;
use super::block::BLOCK;
use super::key::WIDTH;
use crate::event::RawString;

/// Objects and arrays nested deeper than this are no record of AWS's.
const DEEPEST: usize = 512;

/// How a cursor finds the end of what it does not read.
pub(super) trait Stride {
    /// Whether it takes what it knows for what it would find.
    const HAS_HABITS: bool;

    /// Returns the offset of the quote that closes the string whose contents start at `start`, and
    /// whether there is a backslash before it.
    fn string_end(bytes: &[u8], start: usize) -> Result<(usize, bool), Fault>;

    /// Returns whether `bytes` are surely those of `literal` where `mask` has ones.
    fn starts(bytes: &[u8; WIDTH], literal: &[u8; WIDTH], mask: &[u8; WIDTH]) -> bool;

    /// Returns the length of a string without escapes whose contents and closing quote stand at
    /// the start of a block, if that is sure.
    fn short_string(block: &[u8; BLOCK]) -> Option<usize>;

    /// Returns the offset behind the object or array at `start`.
    fn nested_end(bytes: &[u8], start: usize) -> Result<usize, Fault>;
}

/// Byte by byte, checking that everything is built as JSON is.
pub(super) struct Bytes;

impl Stride for Bytes {
    const HAS_HABITS: bool = false;

    fn string_end(bytes: &[u8], start: usize) -> Result<(usize, bool), Fault> {
        let mut from = start;
        let mut escaped = false;
        loop {
            let rest = bytes.get(from..).ok_or(Fault::Incomplete)?;
            let stop = memchr::memchr2(b'"', b'\\', rest).ok_or(Fault::Incomplete)?;
            if rest[stop] == b'"' {
                return Ok((from + stop, escaped));
            }
            escaped = true;
            from += stop + 2;
        }
    }

    fn starts(_bytes: &[u8; WIDTH], _literal: &[u8; WIDTH], _mask: &[u8; WIDTH]) -> bool {
        false
    }

    fn short_string(_block: &[u8; BLOCK]) -> Option<usize> {
        None
    }

    fn nested_end(bytes: &[u8], start: usize) -> Result<usize, Fault> {
        let mut cursor = Cursor::<Self>::new(bytes, start);
        cursor.skip_checked()?;
        Ok(cursor.at)
    }
}

/// A place in the bytes.
pub(super) struct Cursor<'a, S> {
    bytes: &'a [u8],
    pub(super) at: usize,
    stride: PhantomData<S>,
}

/// How far a walk over the members of an object is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Walk {
    /// Behind its `{` and the blanks behind that.
    AtFirst,
    /// Behind one of its values.
    BehindValue,
}

impl<'a, S: Stride> Cursor<'a, S> {
    #[inline(always)]
    pub(super) const fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at, stride: PhantomData }
    }

    #[inline(always)]
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline(always)]
    pub(super) fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    #[inline(always)]
    const fn syntax(&self, reason: &'static str) -> Fault {
        Fault::Syntax { at: self.at, reason }
    }

    /// Takes `byte`, blanks before it and blanks behind it.
    #[inline(always)]
    fn expect(&mut self, byte: u8, reason: &'static str) -> Result<(), Fault> {
        self.skip_blanks();
        match self.peek() {
            Some(found) if found == byte => {
                self.at += 1;
                self.skip_blanks();
                Ok(())
            }
            Some(_) => Err(self.syntax(reason)),
            None => Err(Fault::Incomplete),
        }
    }

    /// Enters the object at the cursor.
    #[inline(always)]
    pub(super) fn open(&mut self) -> Result<Walk, Fault> {
        self.expect(b'{', "expected an object")?;
        Ok(Walk::AtFirst)
    }

    /// Goes to the value of the object's next member and returns its key; none behind the `}`.
    #[inline(always)]
    pub(super) fn key(&mut self, walk: &mut Walk) -> Result<Option<RawString<'a>>, Fault> {
        let at_first = *walk == Walk::AtFirst;
        self.skip_blanks();
        match self.peek() {
            Some(b',') if !at_first => {
                self.at += 1;
                self.skip_blanks();
            }
            Some(b'}') => {
                self.at += 1;
                return Ok(None);
            }
            Some(_) if at_first => {}
            Some(_) => return Err(self.syntax("expected `,` or `}`")),
            None => return Err(Fault::Incomplete),
        }
        *walk = Walk::BehindValue;
        let key = self.string()?;
        self.expect(b':', "expected `:`")?;
        Ok(Some(key))
    }

    /// Reads the string at the cursor.
    #[inline(always)]
    pub(super) fn string(&mut self) -> Result<RawString<'a>, Fault> {
        let start = self.at + 1;
        let has_escapes = self.pass_string()?;
        Ok(RawString::new(&self.bytes[start..self.at - 1], has_escapes))
    }

    /// Passes over the string at the cursor and returns whether there is a backslash in it.
    #[inline(always)]
    pub(super) fn pass_string(&mut self) -> Result<bool, Fault> {
        match self.peek() {
            Some(b'"') => {}
            Some(_) => return Err(self.syntax("expected a string")),
            None => return Err(Fault::Incomplete),
        }
        let (end, has_escapes) = S::string_end(self.bytes, self.at + 1)?;
        self.at = end + 1;
        Ok(has_escapes)
    }

    /// Reads a string, or passes over a value that is none.
    pub(super) fn optional_string(&mut self) -> Result<Option<RawString<'a>>, Fault> {
        if self.peek() == Some(b'"') {
            return self.string().map(Some);
        }
        self.skip_value()?;
        Ok(None)
    }

    /// Passes over the object or array at the cursor.
    #[inline(always)]
    pub(super) fn pass_nested(&mut self) -> Result<(), Fault> {
        self.at = S::nested_end(self.bytes, self.at)?;
        Ok(())
    }

    /// Passes over the value at the cursor.
    pub(super) fn skip_value(&mut self) -> Result<(), Fault> {
        match self.peek() {
            Some(b'"') => {
                self.pass_string()?;
            }
            Some(b'{' | b'[') => self.pass_nested()?,
            _ => self.pass_plain()?,
        }
        Ok(())
    }

    /// Passes over a number, `true`, `false` or `null`.
    #[inline]
    pub(super) fn pass_plain(&mut self) -> Result<(), Fault> {
        match self.peek().ok_or(Fault::Incomplete)? {
            b't' => self.literal(b"true"),
            b'f' => self.literal(b"false"),
            b'n' => self.literal(b"null"),
            b'-' | b'0'..=b'9' => self.number(),
            _ => Err(self.syntax("expected a value")),
        }
    }

    /// Passes over the value at the cursor, checking every bracket of it.
    fn skip_checked(&mut self) -> Result<(), Fault> {
        let mut nesting = Nesting::default();
        loop {
            self.skip_blanks();
            match self.peek().ok_or(Fault::Incomplete)? {
                b'{' => {
                    self.at += 1;
                    self.skip_blanks();
                    if self.peek() == Some(b'}') {
                        self.at += 1;
                    } else {
                        nesting.push(true).ok_or(self.syntax("nested deeper than 512 levels"))?;
                        self.pass_string()?;
                        self.expect(b':', "expected `:`")?;
                        continue;
                    }
                }
                b'[' => {
                    self.at += 1;
                    self.skip_blanks();
                    if self.peek() == Some(b']') {
                        self.at += 1;
                    } else {
                        nesting.push(false).ok_or(self.syntax("nested deeper than 512 levels"))?;
                        continue;
                    }
                }
                b'"' => {
                    self.pass_string()?;
                }
                _ => self.pass_plain()?,
            }
            if !self.close(&mut nesting)? {
                return Ok(());
            }
        }
    }

    /// Behind a value: closes what it ends and goes to the next one. Returns whether there is one.
    fn close(&mut self, nesting: &mut Nesting) -> Result<bool, Fault> {
        while let Some(in_object) = nesting.top() {
            self.skip_blanks();
            match (self.peek().ok_or(Fault::Incomplete)?, in_object) {
                (b',', true) => {
                    self.at += 1;
                    self.skip_blanks();
                    self.pass_string()?;
                    self.expect(b':', "expected `:`")?;
                    return Ok(true);
                }
                (b',', false) => {
                    self.at += 1;
                    return Ok(true);
                }
                (b'}', true) | (b']', false) => {
                    self.at += 1;
                    nesting.pop();
                }
                (_, true) => return Err(self.syntax("expected `,` or `}`")),
                (_, false) => return Err(self.syntax("expected `,` or `]`")),
            }
        }
        Ok(false)
    }

    fn literal(&mut self, literal: &'static [u8]) -> Result<(), Fault> {
        let rest = &self.bytes[self.at..];
        if rest.starts_with(literal) {
            self.at += literal.len();
            return Ok(());
        }
        Err(if literal.starts_with(rest) {
            Fault::Incomplete
        } else {
            self.syntax("expected a value")
        })
    }

    fn number(&mut self) -> Result<(), Fault> {
        let rest = &self.bytes[self.at..];
        let length = rest
            .iter()
            .take_while(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
            .count();
        let digits = rest[..length].iter().any(u8::is_ascii_digit);
        if !digits {
            return Err(if length == rest.len() {
                Fault::Incomplete
            } else {
                self.syntax("expected a number")
            });
        }
        self.at += length;
        Ok(())
    }
}

/// Which of the open brackets are braces.
#[derive(Default)]
struct Nesting {
    braces: [u64; DEEPEST / 64],
    depth: usize,
}

impl Nesting {
    fn push(&mut self, brace: bool) -> Option<()> {
        let word = self.braces.get_mut(self.depth / 64)?;
        let bit = 1 << (self.depth % 64);
        *word = if brace { *word | bit } else { *word & !bit };
        self.depth += 1;
        Some(())
    }

    const fn pop(&mut self) {
        self.depth -= 1;
    }

    fn top(&self) -> Option<bool> {
        let top = self.depth.checked_sub(1)?;
        Some(self.braces[top / 64] >> (top % 64) & 1 == 1)
    }
}
