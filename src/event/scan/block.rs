//! Sixty-four bytes at a time: where the quotes and brackets of JSON are.
//!
//! One algorithm over three ways to look at a block: AVX-512 and AVX2 on x86-64, and plain integers
//! everywhere. Which one is chosen when the program runs; all give the same answers. It knows
//! nothing of members or events.

#![expect(
    unsafe_code,
    reason = "vector instructions are unsafe to call; each call stands behind a check of the CPU"
)]

use std::marker::PhantomData;

/// What runs on for longer than this is not followed: a lost quote or bracket may have made it
/// swallow what follows, and the next one would swallow it again.
const LONGEST: usize = 8 << 10;

/// Bytes of a block.
pub(super) const BLOCK: usize = 64;

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

    /// Returns the mask of the bytes that equal `byte`.
    ///
    /// # Safety
    ///
    /// As for [`Block::load`].
    unsafe fn equal(self, byte: u8) -> u64;

    /// Returns the masks of `{` and `[`, and of `}` and `]`.
    ///
    /// # Safety
    ///
    /// As for [`Block::load`].
    unsafe fn brackets(self) -> (u64, u64);

    /// Returns the mask of what may stand behind a string: `,`, `:`, closing brackets, blanks.
    ///
    /// # Safety
    ///
    /// As for [`Block::load`].
    unsafe fn behind_strings(self, closing: u64) -> u64;

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
        Self::Portable
    }
}

/// The block that a cursor is in.
///
/// Blocks are taken in one after the other from the start of an object, each once, whatever the
/// cursor does in it: the work on a block does not wait for what is found in the one before.
pub(super) struct Current<B> {
    /// The offset of the block.
    base: usize,
    /// Quotes that no backslash escapes.
    quotes: u64,
    backslashes: u64,
    /// `{` and `[` outside of strings.
    opening: u64,
    /// `}` and `]` outside of strings.
    closing: u64,
    /// All ones if the next block starts in a string.
    in_string: u64,
    /// 1 if the next block starts behind a string.
    behind_string: u64,
    /// 1 if the next block starts behind a `{`.
    behind_brace: u64,
    escapes: Escapes,
    block: PhantomData<B>,
}

impl<B: Block> Current<B> {
    /// Stands before the first block, which is that at `start`.
    #[inline(always)]
    pub(super) const fn before(start: usize) -> Self {
        Self {
            base: start.wrapping_sub(BLOCK),
            quotes: 0,
            backslashes: 0,
            opening: 0,
            closing: 0,
            in_string: 0,
            behind_string: 0,
            behind_brace: 0,
            escapes: Escapes { carry: 0 },
            block: PhantomData,
        }
    }

    /// Goes to the next block. Returns whether there is one, and whether it may be JSON.
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
    unsafe fn next(&mut self, bytes: &[u8]) -> bool {
        let base = self.base.wrapping_add(BLOCK);
        let Some(block) = block_at(bytes, base) else {
            return false;
        };
        self.base = base;
        // SAFETY: the caller vouches for the CPU.
        let (quotes, backslashes, braces, line_feeds, (opening, closing), behind_strings) = unsafe {
            let block = B::load(&block);
            let brackets = block.brackets();
            let behind_strings = block.behind_strings(brackets.1);
            let [quotes, backslashes, braces, line_feeds] =
                [b'"', b'\\', b'{', b'\n'].map(|byte| block.equal(byte));
            (quotes, backslashes, braces, line_feeds, brackets, behind_strings)
        };
        self.backslashes = backslashes;
        self.quotes = quotes & !self.escapes.of(backslashes);
        // SAFETY: the caller vouches for the CPU.
        let strings = unsafe { B::parity(self.quotes) } ^ self.in_string;
        self.in_string = 0u64.wrapping_sub(strings >> 63);
        self.opening = opening & !strings;
        self.closing = closing & !strings;
        let ends = self.quotes & !strings;
        let behind = ends << 1 | self.behind_string;
        self.behind_string = ends >> 63;
        let braces = braces & !strings;
        let behind_braces = braces << 1 | self.behind_brace;
        self.behind_brace = braces >> 63;
        (behind & !behind_strings) | (behind_braces & self.opening) | (line_feeds & strings) == 0
    }

    /// Goes to the next block for something that started at `start`. Returns whether there is one,
    /// and it is worth following.
    ///
    /// # Safety
    ///
    /// The CPU has the instructions of `B`.
    #[inline(always)]
    unsafe fn follow(&mut self, bytes: &[u8], start: usize) -> bool {
        // SAFETY: the caller vouches for the CPU.
        self.base <= start.saturating_add(LONGEST) && unsafe { self.next(bytes) }
    }

    /// Goes to the block with the byte at `at`, and returns a mask of that byte and those behind
    /// it; none behind the last block.
    ///
    /// # Safety
    ///
    /// The CPU has the instructions of `B`.
    #[inline(always)]
    unsafe fn go_to(&mut self, bytes: &[u8], at: usize) -> Option<u64> {
        loop {
            let within = at.wrapping_sub(self.base);
            if within < BLOCK {
                return Some(u64::MAX << within);
            }
            // SAFETY: the caller vouches for the CPU.
            if !unsafe { self.next(bytes) } {
                return None;
            }
        }
    }

    /// Returns the offset of the quote that closes the string whose contents start at `start`, and
    /// whether there is a backslash before it; none if the string is not closed within 8 KiB.
    ///
    /// # Safety
    ///
    /// The CPU has the instructions of `B`.
    #[inline(always)]
    pub(super) unsafe fn string_end(
        &mut self,
        bytes: &[u8],
        start: usize,
    ) -> Option<(usize, bool)> {
        // SAFETY: the caller vouches for the CPU.
        let mut behind = unsafe { self.go_to(bytes, start) }?;
        let mut escaped = false;
        loop {
            let quotes = self.quotes & behind;
            let backslashes = self.backslashes & behind;
            if quotes != 0 {
                let end = quotes.trailing_zeros();
                escaped |= backslashes & ((1 << end) - 1) != 0;
                return Some((self.base + end as usize, escaped));
            }
            escaped |= backslashes != 0;
            // SAFETY: the caller vouches for the CPU.
            if !unsafe { self.follow(bytes, start) } {
                return None;
            }
            behind = u64::MAX;
        }
    }

    /// Returns the offset behind the bracket that closes the one at `start`; none if nothing
    /// closes it within 8 KiB. Brackets count, of whatever kind, outside of strings.
    ///
    /// # Safety
    ///
    /// The CPU has the instructions of `B`.
    #[inline(always)]
    pub(super) unsafe fn bracket_end(&mut self, bytes: &[u8], start: usize) -> Option<usize> {
        // SAFETY: the caller vouches for the CPU.
        let mut behind = unsafe { self.go_to(bytes, start) }?;
        let mut depth = 0;
        loop {
            let opening = self.opening & behind;
            let mut closing = self.closing & behind;
            let closes = closing.count_ones();
            if closes >= depth {
                let mut closed = 0;
                while closing != 0 {
                    let bit = closing.trailing_zeros();
                    let opened = (opening & ((1 << bit) - 1)).count_ones();
                    closed += 1;
                    if depth + opened <= closed {
                        return Some(self.base + bit as usize + 1);
                    }
                    closing &= closing - 1;
                }
            }
            depth = depth + opening.count_ones() - closes;
            // SAFETY: the caller vouches for the CPU.
            if !unsafe { self.follow(bytes, start) } {
                return None;
            }
            behind = u64::MAX;
        }
    }
}

/// Returns the block at `at`, filled up with zeros behind the last byte; none behind the last
/// byte.
#[inline(always)]
fn block_at(bytes: &[u8], at: usize) -> Option<[u8; BLOCK]> {
    let rest = bytes.get(at..)?;
    if let Some(block) = rest.first_chunk::<BLOCK>() {
        return Some(*block);
    }
    if rest.is_empty() {
        return None;
    }
    let mut block = [0; BLOCK];
    block.get_mut(..rest.len())?.copy_from_slice(rest);
    Some(block)
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

/// Sixteen bytes to a mask, in plain integers.
#[derive(Clone, Copy)]
pub(super) struct Portable([u64; 8]);

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
    unsafe fn equal(self, byte: u8) -> u64 {
        Self::zeros(self.xor(byte))
    }

    #[inline(always)]
    unsafe fn brackets(self) -> (u64, u64) {
        // `[` and `{`, `]` and `}` differ in one bit.
        let folded = Self(self.0.map(|word| word | (0x20 * Self::ONES)));
        (Self::zeros(folded.xor(b'{')), Self::zeros(folded.xor(b'}')))
    }

    #[inline(always)]
    unsafe fn behind_strings(self, closing: u64) -> u64 {
        // A byte of up to 0x20 is below 0x21 without its high bit, and has none.
        let blanks = self.0.map(|word| {
            let from_33 = (word | (0x80 * Self::ONES)) - (0x21 * Self::ONES);
            (from_33 | word) & (0x80 * Self::ONES)
        });
        Self::zeros(blanks) | Self::zeros(self.xor(b',')) | Self::zeros(self.xor(b':')) | closing
    }

    #[inline(always)]
    unsafe fn parity(mut mask: u64) -> u64 {
        for shift in [1, 2, 4, 8, 16, 32] {
            mask ^= mask << shift;
        }
        mask
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) use x86_64::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use std::arch::x86_64::{
        __m256i, __m512i, _mm_clmulepi64_si128, _mm_cvtsi128_si64, _mm_set_epi64x, _mm_set1_epi8,
        _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_min_epu8, _mm256_movemask_epi8,
        _mm256_or_si256, _mm256_set1_epi8, _mm512_cmpeq_epi8_mask, _mm512_cmple_epu8_mask,
        _mm512_loadu_si512, _mm512_or_si512, _mm512_set1_epi8,
    };

    use super::{BLOCK, Block};

    /// One register of 64 bytes.
    #[derive(Clone, Copy)]
    pub(in super::super) struct Avx512(__m512i);

    /// Two registers of 32 bytes.
    #[derive(Clone, Copy)]
    pub(in super::super) struct Avx2(__m256i, __m256i);

    /// A product without carries with ones everywhere is the parity of all lower bits.
    #[inline(always)]
    unsafe fn parity(mask: u64) -> u64 {
        // SAFETY: the caller vouches for PCLMULQDQ.
        unsafe {
            let product =
                _mm_clmulepi64_si128::<0>(_mm_set_epi64x(0, mask.cast_signed()), _mm_set1_epi8(-1));
            _mm_cvtsi128_si64(product).cast_unsigned()
        }
    }

    impl Block for Avx512 {
        #[inline(always)]
        unsafe fn load(bytes: &[u8; BLOCK]) -> Self {
            // SAFETY: 64 bytes are readable, and the load needs no alignment.
            Self(unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) })
        }

        #[inline(always)]
        unsafe fn equal(self, byte: u8) -> u64 {
            // SAFETY: the caller vouches for AVX-512BW.
            unsafe { _mm512_cmpeq_epi8_mask(self.0, _mm512_set1_epi8(byte.cast_signed())) }
        }

        #[inline(always)]
        unsafe fn brackets(self) -> (u64, u64) {
            // `[` and `{`, `]` and `}` differ in one bit.
            // SAFETY: the caller vouches for AVX-512BW.
            let folded = Self(unsafe { _mm512_or_si512(self.0, _mm512_set1_epi8(0x20)) });
            // SAFETY: the same.
            unsafe { (folded.equal(b'{'), folded.equal(b'}')) }
        }

        #[inline(always)]
        unsafe fn behind_strings(self, closing: u64) -> u64 {
            // SAFETY: the caller vouches for AVX-512BW.
            unsafe {
                let blanks = _mm512_cmple_epu8_mask(self.0, _mm512_set1_epi8(0x20));
                blanks | self.equal(b',') | self.equal(b':') | closing
            }
        }

        #[inline(always)]
        unsafe fn parity(mask: u64) -> u64 {
            // SAFETY: the caller vouches for the CPU.
            unsafe { parity(mask) }
        }
    }

    impl Block for Avx2 {
        #[inline(always)]
        unsafe fn load(bytes: &[u8; BLOCK]) -> Self {
            let [low, high] = bytes.as_chunks::<32>().0 else {
                unreachable!("64 bytes are two halves")
            };
            // SAFETY: 32 bytes are readable at each, and the load needs no alignment.
            unsafe {
                Self(
                    _mm256_loadu_si256(low.as_ptr().cast()),
                    _mm256_loadu_si256(high.as_ptr().cast()),
                )
            }
        }

        #[inline(always)]
        unsafe fn equal(self, byte: u8) -> u64 {
            // SAFETY: the caller vouches for AVX2.
            unsafe {
                let wanted = _mm256_set1_epi8(byte.cast_signed());
                let low = _mm256_movemask_epi8(_mm256_cmpeq_epi8(self.0, wanted));
                let high = _mm256_movemask_epi8(_mm256_cmpeq_epi8(self.1, wanted));
                u64::from(low.cast_unsigned()) | u64::from(high.cast_unsigned()) << 32
            }
        }

        #[inline(always)]
        unsafe fn brackets(self) -> (u64, u64) {
            // `[` and `{`, `]` and `}` differ in one bit.
            // SAFETY: the caller vouches for AVX2.
            let folded = unsafe {
                let bit = _mm256_set1_epi8(0x20);
                Self(_mm256_or_si256(self.0, bit), _mm256_or_si256(self.1, bit))
            };
            // SAFETY: the same.
            unsafe { (folded.equal(b'{'), folded.equal(b'}')) }
        }

        #[inline(always)]
        unsafe fn behind_strings(self, closing: u64) -> u64 {
            // SAFETY: the caller vouches for AVX2.
            unsafe {
                let space = _mm256_set1_epi8(0x20);
                let up_to_space = |part| {
                    _mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_min_epu8(part, space), part))
                };
                let low = u64::from(up_to_space(self.0).cast_unsigned());
                let high = u64::from(up_to_space(self.1).cast_unsigned());
                low | high << 32 | self.equal(b',') | self.equal(b':') | closing
            }
        }

        #[inline(always)]
        unsafe fn parity(mask: u64) -> u64 {
            // SAFETY: the caller vouches for the CPU.
            unsafe { parity(mask) }
        }
    }
}
