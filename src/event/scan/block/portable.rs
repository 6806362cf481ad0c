//! Blocks in plain integers, for every CPU.

#![expect(unsafe_code, reason = "the same functions are unsafe where they are vector instructions")]

use super::{BLOCK, Block, Fault, Lookup, WIDTH, bracket_end};

/// Sixteen bytes to a mask, in plain integers.
#[derive(Clone, Copy)]
pub(in super::super) struct Portable([u64; 8]);

impl Portable {
    const ONES: u64 = 0x0101_0101_0101_0101;

    /// Returns the mask of the zero bytes of eight words.
    #[inline(always)]
    fn zeros(words: [u64; 8]) -> u64 {
        let mut mask = 0;
        let mut at = 0;
        for word in words {
            // The high bit of each byte that is zero, without borrows between the bytes.
            let low = (word & (0x7f * Self::ONES)) + 0x7f * Self::ONES;
            let high = !(low | word) & (0x80 * Self::ONES);
            // Gathers the eight high bits into the lowest byte.
            mask |= ((high >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) << at;
            at += 8;
        }
        mask
    }

    #[inline(always)]
    fn xor(self, byte: u8) -> [u64; 8] {
        self.0.map(|word| word ^ (u64::from(byte) * Self::ONES))
    }
}

impl Block for Portable {
    #[inline(always)]
    unsafe fn load(bytes: &[u8; BLOCK]) -> Self {
        let mut words = [0; 8];
        for (word, chunk) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
            *word = u64::from_le_bytes(*chunk);
        }
        Self(words)
    }

    #[inline(always)]
    unsafe fn starts(bytes: &[u8; WIDTH], literal: &[u8; WIDTH], mask: &[u8; WIDTH]) -> bool {
        let words = |bytes: &[u8; WIDTH]| {
            let mut words = [0; WIDTH / 8];
            for (word, chunk) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
                *word = u64::from_le_bytes(*chunk);
            }
            words
        };
        let ([a, b, c, d], [e, f, g, h], [i, j, k, l]) =
            (words(bytes), words(literal), words(mask));
        (a ^ e) & i | (b ^ f) & j | (c ^ g) & k | (d ^ h) & l == 0
    }

    #[inline(always)]
    unsafe fn equal(self, byte: u8) -> u64 {
        Self::zeros(self.xor(byte))
    }

    #[inline(always)]
    unsafe fn with_bits(self, byte: u8) -> Self {
        Self(self.0.map(|word| word | (u64::from(byte) * Self::ONES)))
    }

    #[inline(always)]
    unsafe fn one_of(self, lookup: &Lookup) -> u64 {
        let mut mask = 0;
        for (place, byte) in (0..).zip(lookup) {
            // What stands elsewhere is none of the bytes, but fills its place.
            if byte & 0x0f == place {
                mask |= Self::zeros(self.xor(*byte));
            }
        }
        mask
    }

    #[inline(never)]
    unsafe fn bracket_end(bytes: &[u8], start: usize) -> Result<usize, Fault> {
        // SAFETY: every CPU has plain integers.
        unsafe { bracket_end::<Self>(bytes, start) }
    }

    #[inline(always)]
    unsafe fn parity(mut mask: u64) -> u64 {
        for shift in [1, 2, 4, 8, 16, 32] {
            mask ^= mask << shift;
        }
        mask
    }
}
