//! Sixty-four bytes at a time: where the quotes and brackets of JSON are.
//!
//! One algorithm over several ways to look at a block: AVX-512 and AVX2 on x86-64, NEON on AArch64,
//! and plain integers everywhere. Which one is chosen when the program runs; all give the same
//! answers. It knows nothing of members or events. What it finds wrong it finds in the bytes up to
//! the end of what it is asked for: what stands behind that changes no answer.

#![expect(
    unsafe_code,
    reason = "vector instructions are unsafe to call; each call stands behind a check of the CPU"
)]

#[cfg(target_arch = "aarch64")]
mod aarch64;
mod portable;
#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(target_arch = "aarch64")]
pub(super) use aarch64::Neon;
pub(super) use portable::Portable;
#[cfg(target_arch = "x86_64")]
pub(super) use x86_64::{Avx2, Avx512};

use super::Fault;
use super::key::WIDTH;

/// What runs on for longer than this is not followed: a lost quote or bracket may have made it
/// swallow what follows, and the next one would swallow it again.
const LONGEST: usize = 32 << 10;

/// Bytes of a block.
pub(super) const BLOCK: usize = 64;

/// Some bytes, each at the place of its lower four bits: looked up by its lower four bits, a byte
/// finds itself if it is one of them, and another if not.
pub(super) type Lookup = [u8; 16];

const STOPS: Lookup = [1, 0, b'"', 0, 0, 0, 0, 0, 0, 0, b'\n', 0, b'\\', 0, 0, 0];

const SEPARATORS: Lookup = [b' ', 0, 0, 0, 0, 0, 0, 0, 0, b'\t', b':', 0, b',', b'\r', 0, 0];

/// A way to look at a block.
///
/// A mask has one bit a byte, the first byte's lowest.
pub(super) trait Block: Copy {
    /// Takes in the block at the start of `bytes`.
    ///
    /// # Safety
    ///
    /// The CPU has the instructions of this implementation.
    unsafe fn load(bytes: &[u8; BLOCK]) -> Self;

    /// Returns whether `bytes` are those of `literal` where `mask` has ones.
    ///
    /// # Safety
    ///
    /// As for [`Block::load`].
    unsafe fn starts(bytes: &[u8; WIDTH], literal: &[u8; WIDTH], mask: &[u8; WIDTH]) -> bool;

    /// Returns the mask of the bytes that equal `byte`.
    ///
    /// # Safety
    ///
    /// As for [`Block::load`].
    unsafe fn equal(self, byte: u8) -> u64;

    /// Returns the block with the bits of `byte` set in every byte.
    ///
    /// # Safety
    ///
    /// As for [`Block::load`].
    unsafe fn with_bits(self, byte: u8) -> Self;

    /// Returns the mask of the bytes that a lookup holds.
    ///
    /// # Safety
    ///
    /// As for [`Block::load`].
    unsafe fn one_of(self, lookup: &Lookup) -> u64;

    /// Returns the masks of `{` and `[`, and of `}` and `]`.
    ///
    /// # Safety
    ///
    /// As for [`Block::load`].
    #[inline(always)]
    unsafe fn brackets(self) -> (u64, u64) {
        // `[` and `{`, `]` and `}` differ in one bit.
        // SAFETY: the caller vouches for the CPU.
        unsafe {
            let folded = self.with_bits(0x20);
            (folded.equal(b'{'), folded.equal(b'}'))
        }
    }

    /// Returns the mask of `,`, `:` and the blanks other than line feeds.
    ///
    /// # Safety
    ///
    /// As for [`Block::load`].
    #[inline(always)]
    unsafe fn separators(self) -> u64 {
        // SAFETY: the caller vouches for the CPU.
        unsafe { self.one_of(&SEPARATORS) }
    }

    /// Returns the mask of what a search for the end of a string stops at: `"`, `\\`, line feeds.
    ///
    /// # Safety
    ///
    /// As for [`Block::load`].
    #[inline(always)]
    unsafe fn stops(self) -> u64 {
        // SAFETY: the caller vouches for the CPU.
        unsafe { self.one_of(&STOPS) }
    }

    /// Returns what [`bracket_end`] says, in a function of its own: the loop in it has the registers
    /// of the CPU for itself.
    ///
    /// # Safety
    ///
    /// As for [`Block::load`].
    unsafe fn bracket_end(bytes: &[u8], start: usize) -> Result<usize, Fault>;

    /// Returns the parity of the bits up to and with each bit.
    ///
    /// # Safety
    ///
    /// As for [`Block::load`].
    unsafe fn parity(mask: u64) -> u64;
}

/// What the CPU offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    /// AVX-512 with byte compares.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// AVX2.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// NEON.
    #[cfg(target_arch = "aarch64")]
    Neon,
    /// Nothing that we use.
    Portable,
}

impl Level {
    /// Returns the best level of this CPU.
    #[inline]
    pub(super) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            let common = is_x86_feature_detected!("pclmulqdq")
                && is_x86_feature_detected!("popcnt")
                && is_x86_feature_detected!("bmi1")
                && is_x86_feature_detected!("bmi2")
                && is_x86_feature_detected!("lzcnt");
            let avx512 = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl");
            if common && avx512 {
                return Self::Avx512;
            }
            if common && is_x86_feature_detected!("avx2") {
                return Self::Avx2;
            }
        }
        // With the bytes of a word the other way round, so would be the bits of a mask.
        #[cfg(target_arch = "aarch64")]
        if cfg!(target_endian = "little") && std::arch::is_aarch64_feature_detected!("neon") {
            return Self::Neon;
        }
        Self::Portable
    }
}

impl Default for Level {
    fn default() -> Self {
        Self::detect()
    }
}

/// The fault of whatever is to be looked at byte by byte.
const fn doubt(at: usize) -> Fault {
    Fault::Syntax { at, reason: "what stands here may be no JSON" }
}

/// Returns the offset of the quote that closes the string whose contents start at `start`, and
/// whether there is a backslash before it.
///
/// # Errors
///
/// [`Fault::Incomplete`] if the bytes end before; [`Fault::Syntax`] if the string is longer than
/// 32 KiB or holds a line feed.
///
/// # Safety
///
/// The CPU has the instructions of `B`.
#[inline(always)]
pub(super) unsafe fn string_end<B: Block>(
    bytes: &[u8],
    start: usize,
) -> Result<(usize, bool), Fault> {
    let mut from = start;
    let mut has_escapes = false;
    while from <= start + LONGEST {
        // SAFETY: the caller vouches for the CPU.
        let stops = unsafe { load::<B>(bytes, from).ok_or(Fault::Incomplete)?.stops() };
        if stops == 0 {
            from += BLOCK;
            continue;
        }
        let stop = from + stops.trailing_zeros() as usize;
        match bytes.get(stop) {
            Some(b'"') => return Ok((stop, has_escapes)),
            Some(b'\\') => {
                has_escapes = true;
                from = stop + 2;
            }
            _ => break,
        }
    }
    Err(doubt(from))
}

/// Returns the length of the string whose contents start a block; none if it is not closed within
/// it, or holds a backslash or line feed.
///
/// # Safety
///
/// The CPU has the instructions of `B`.
#[inline(always)]
pub(super) unsafe fn short_string<B: Block>(block: &[u8; BLOCK]) -> Option<usize> {
    // SAFETY: the caller vouches for the CPU.
    let stop = unsafe { B::load(block).stops() }.trailing_zeros() as usize;
    (block.get(stop) == Some(&b'"')).then_some(stop)
}

/// Returns the offset behind the bracket that closes the one at `start`. Brackets count, of
/// whatever kind, outside of strings.
///
/// # Errors
///
/// [`Fault::Incomplete`] if the bytes end before; [`Fault::Syntax`] if what stands before the end
/// is no JSON or longer than 32 KiB.
///
/// # Safety
///
/// The CPU has the instructions of `B`.
#[inline(always)]
unsafe fn bracket_end<B: Block>(bytes: &[u8], start: usize) -> Result<usize, Fault> {
    let mut nested = Nested::default();
    let mut base = start;
    let mut depth = 0;
    while base <= start + LONGEST {
        // SAFETY: the caller vouches for the CPU.
        let Brackets { opening, mut closing, faults } =
            unsafe { nested.next(load::<B>(bytes, base).ok_or(Fault::Incomplete)?) };
        let closes = closing.count_ones();
        if closes >= depth {
            let mut closed = 0;
            while closing != 0 {
                let bit = closing.trailing_zeros();
                let before = (1 << bit) - 1;
                closed += 1;
                if depth + (opening & before).count_ones() <= closed {
                    let end = base + bit as usize;
                    return if faults & before == 0 { Ok(end + 1) } else { Err(doubt(end)) };
                }
                closing &= closing - 1;
            }
        }
        // Behind the last byte nothing is wrong, but something missing.
        if faults != 0 && base + (faults.trailing_zeros() as usize) < bytes.len() {
            break;
        }
        depth = depth + opening.count_ones() - closes;
        base += BLOCK;
    }
    Err(doubt(base))
}

/// Takes in the block at `at`, filled up with zeros behind the last byte; none behind the last
/// byte.
///
/// # Safety
///
/// The CPU has the instructions of `B`.
#[inline(always)]
unsafe fn load<B: Block>(bytes: &[u8], at: usize) -> Option<B> {
    let rest = bytes.get(at..)?;
    if let Some(block) = rest.first_chunk() {
        // SAFETY: the caller vouches for the CPU.
        return Some(unsafe { B::load(block) });
    }
    let block = padded(rest)?;
    // SAFETY: the caller vouches for the CPU.
    Some(unsafe { B::load(&block) })
}

#[cold]
#[inline(never)]
fn padded(rest: &[u8]) -> Option<[u8; BLOCK]> {
    let mut block = [0; BLOCK];
    block.get_mut(..rest.len())?.copy_from_slice(rest);
    (!rest.is_empty()).then_some(block)
}

/// How far a walk over the blocks of an object or array is. It starts outside of strings.
#[derive(Default)]
struct Nested {
    /// All ones if the next block starts in a string.
    in_string: u64,
    /// 1 if the next block starts behind a string.
    behind_string: u64,
    /// 1 if the next block starts behind a `{`.
    behind_brace: u64,
    escapes: Escapes,
}

/// What stands outside of strings.
struct Brackets {
    opening: u64,
    closing: u64,
    /// Where what stands there, or behind it, is no JSON.
    faults: u64,
}

impl Nested {
    /// Takes in the next block.
    ///
    /// With a quote lost or too many, what is taken for the inside of strings is the outside, and
    /// whole records would be passed over as if they were one value. So a string has to stand
    /// before what may stand behind strings and holds no line feed, and a `{` does not stand
    /// before another bracket that opens.
    ///
    /// # Safety
    ///
    /// The CPU has the instructions of `B`.
    #[inline(always)]
    unsafe fn next<B: Block>(&mut self, block: B) -> Brackets {
        // SAFETY: the caller vouches for the CPU.
        let ((opening, closing), separators, [quotes, backslashes, braces, line_feeds]) = unsafe {
            let [quotes, backslashes, braces, line_feeds] =
                [b'"', b'\\', b'{', b'\n'].map(|byte| block.equal(byte));
            (block.brackets(), block.separators(), [quotes, backslashes, braces, line_feeds])
        };
        let may_follow = separators | line_feeds | closing;
        let quotes = quotes & !self.escapes.of(backslashes);
        // SAFETY: the caller vouches for the CPU.
        let strings = unsafe { B::parity(quotes) } ^ self.in_string;
        self.in_string = 0u64.wrapping_sub(strings >> 63);
        let (opening, closing) = (opening & !strings, closing & !strings);
        let ends = quotes & !strings;
        let behind_strings = ends << 1 | self.behind_string;
        self.behind_string = ends >> 63;
        let braces = braces & !strings;
        let behind_braces = braces << 1 | self.behind_brace;
        self.behind_brace = braces >> 63;
        let faults =
            (behind_strings & !may_follow) | (behind_braces & opening) | (line_feeds & strings);
        Brackets { opening, closing, faults }
    }
}

/// Which bytes stand behind an odd number of backslashes, from block to block.
#[derive(Clone, Copy, Default)]
struct Escapes {
    /// 1 if the first byte of the next block is escaped.
    carry: u64,
}

impl Escapes {
    /// Returns the mask of the escaped bytes of a block.
    #[inline(always)]
    const fn of(&mut self, backslashes: u64) -> u64 {
        if backslashes == 0 {
            let escaped = self.carry;
            self.carry = 0;
            return escaped;
        }
        // A backslash that is itself escaped escapes nothing. Of a run of backslashes those at odd
        // places escape: adding the runs' starts to the runs ripples a carry through each of them,
        // once for those that start at an even bit and once for the others.
        const EVEN: u64 = 0x5555_5555_5555_5555;
        let backslashes = backslashes & !self.carry;
        let follows = backslashes << 1 | self.carry;
        let odd_starts = backslashes & !EVEN & !follows;
        let (even_ends, overflow) = odd_starts.overflowing_add(backslashes);
        self.carry = overflow as u64;
        let invert = even_ends << 1;
        (EVEN ^ invert) & follows
    }
}
