//! Blocks in the vector registers of x86-64.

#![expect(
    unsafe_code,
    reason = "vector instructions are unsafe to call; each call stands behind a check of the CPU"
)]

use std::arch::x86_64::{
    __m256i, __m512i, _mm_clmulepi64_si128, _mm_cvtsi128_si64, _mm_loadu_si128, _mm_set_epi64x,
    _mm_set1_epi8, _mm256_broadcastsi128_si256, _mm256_cmpeq_epi8, _mm256_loadu_si256,
    _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8, _mm256_shuffle_epi8,
    _mm256_testz_si256, _mm256_xor_si256, _mm512_broadcast_i32x4, _mm512_cmpeq_epi8_mask,
    _mm512_loadu_si512, _mm512_or_si512, _mm512_set1_epi8, _mm512_shuffle_epi8,
};

use super::{BLOCK, Block, Fault, Lookup, WIDTH, bracket_end};

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

#[inline(always)]
unsafe fn starts(bytes: &[u8; WIDTH], literal: &[u8; WIDTH], mask: &[u8; WIDTH]) -> bool {
    // SAFETY: 32 bytes are readable at each, the loads need no alignment, and the caller
    // vouches for AVX2.
    unsafe {
        let [bytes, literal, mask] =
            [bytes, literal, mask].map(|bytes| _mm256_loadu_si256(bytes.as_ptr().cast()));
        _mm256_testz_si256(_mm256_xor_si256(bytes, literal), mask) == 1
    }
}

impl Block for Avx512 {
    #[inline(always)]
    unsafe fn load(bytes: &[u8; BLOCK]) -> Self {
        // SAFETY: 64 bytes are readable, and the load needs no alignment.
        Self(unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) })
    }

    #[inline(always)]
    unsafe fn starts(bytes: &[u8; WIDTH], literal: &[u8; WIDTH], mask: &[u8; WIDTH]) -> bool {
        // SAFETY: the caller vouches for AVX2, which every CPU with AVX-512 has.
        unsafe { starts(bytes, literal, mask) }
    }

    #[inline(always)]
    unsafe fn equal(self, byte: u8) -> u64 {
        // SAFETY: the caller vouches for AVX-512BW.
        unsafe { _mm512_cmpeq_epi8_mask(self.0, _mm512_set1_epi8(byte.cast_signed())) }
    }

    #[inline(always)]
    unsafe fn with_bits(self, byte: u8) -> Self {
        // SAFETY: the caller vouches for AVX-512BW.
        Self(unsafe { _mm512_or_si512(self.0, _mm512_set1_epi8(byte.cast_signed())) })
    }

    #[inline(always)]
    unsafe fn one_of(self, lookup: &Lookup) -> u64 {
        // SAFETY: 16 bytes are readable, and the caller vouches for AVX-512BW.
        unsafe {
            let lookup = _mm512_broadcast_i32x4(_mm_loadu_si128(lookup.as_ptr().cast()));
            _mm512_cmpeq_epi8_mask(_mm512_shuffle_epi8(lookup, self.0), self.0)
        }
    }

    #[inline(never)]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,pclmulqdq,popcnt,bmi1,bmi2,lzcnt")]
    unsafe fn bracket_end(bytes: &[u8], start: usize) -> Result<usize, Fault> {
        // SAFETY: the caller vouches for the CPU.
        unsafe { bracket_end::<Self>(bytes, start) }
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
            Self(_mm256_loadu_si256(low.as_ptr().cast()), _mm256_loadu_si256(high.as_ptr().cast()))
        }
    }

    #[inline(always)]
    unsafe fn starts(bytes: &[u8; WIDTH], literal: &[u8; WIDTH], mask: &[u8; WIDTH]) -> bool {
        // SAFETY: the caller vouches for AVX2.
        unsafe { starts(bytes, literal, mask) }
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
    unsafe fn with_bits(self, byte: u8) -> Self {
        // SAFETY: the caller vouches for AVX2.
        unsafe {
            let bits = _mm256_set1_epi8(byte.cast_signed());
            Self(_mm256_or_si256(self.0, bits), _mm256_or_si256(self.1, bits))
        }
    }

    #[inline(always)]
    unsafe fn one_of(self, lookup: &Lookup) -> u64 {
        // SAFETY: 16 bytes are readable, and the caller vouches for AVX2.
        unsafe {
            let lookup = _mm256_broadcastsi128_si256(_mm_loadu_si128(lookup.as_ptr().cast()));
            let of = |part| {
                let found = _mm256_cmpeq_epi8(_mm256_shuffle_epi8(lookup, part), part);
                u64::from(_mm256_movemask_epi8(found).cast_unsigned())
            };
            of(self.0) | of(self.1) << 32
        }
    }

    #[inline(never)]
    #[target_feature(enable = "avx2,pclmulqdq,popcnt,bmi1,bmi2,lzcnt")]
    unsafe fn bracket_end(bytes: &[u8], start: usize) -> Result<usize, Fault> {
        // SAFETY: the caller vouches for the CPU.
        unsafe { bracket_end::<Self>(bytes, start) }
    }

    #[inline(always)]
    unsafe fn parity(mask: u64) -> u64 {
        // SAFETY: the caller vouches for the CPU.
        unsafe { parity(mask) }
    }
}
