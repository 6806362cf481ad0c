//! Blocks in the vector registers of AArch64.

#![expect(
    unsafe_code,
    reason = "vector instructions are unsafe to call; each call stands behind a check of the CPU"
)]

use std::arch::aarch64::{
    uint8x16_t, uint8x16x4_t, vandq_u8, vbslq_u8, vceqq_u8, vdupq_n_u8, vget_lane_u64, vld1q_u8,
    vld4q_u8, vorrq_u8, vqtbl1q_u8, vreinterpret_u64_u8, vreinterpretq_u16_u8, vshrn_n_u16,
};

use super::{BLOCK, Block, Fault, Lookup, Portable, WIDTH, bracket_end};

/// Four registers of 16 bytes: every fourth byte of the block, from its first, second, third and
/// fourth on.
#[derive(Clone, Copy)]
pub(in super::super) struct Neon([uint8x16_t; 4]);

/// Gathers the bytes of a block, each of them all ones or zero, to a bit a byte.
#[inline(always)]
unsafe fn mask([a, b, c, d]: [uint8x16_t; 4]) -> u64 {
    // SAFETY: the caller vouches for NEON.
    unsafe {
        // Either half of a byte gets the bits of four neighbours, a's the lowest. What lies
        // across the middle of two such bytes are the bits of eight.
        let (first, firsts) = (vdupq_n_u8(0b0101_0101), vdupq_n_u8(0b0011_0011));
        let fours = vbslq_u8(firsts, vbslq_u8(first, a, b), vbslq_u8(first, c, d));
        let eights = vshrn_n_u16::<4>(vreinterpretq_u16_u8(fours));
        vget_lane_u64::<0>(vreinterpret_u64_u8(eights))
    }
}

impl Block for Neon {
    #[inline(always)]
    unsafe fn load(bytes: &[u8; BLOCK]) -> Self {
        // SAFETY: 64 bytes are readable, and the load needs no alignment.
        let uint8x16x4_t(a, b, c, d) = unsafe { vld4q_u8(bytes.as_ptr()) };
        Self([a, b, c, d])
    }

    #[inline(always)]
    unsafe fn starts(bytes: &[u8; WIDTH], literal: &[u8; WIDTH], mask: &[u8; WIDTH]) -> bool {
        // SAFETY: plain integers need nothing.
        unsafe { Portable::starts(bytes, literal, mask) }
    }

    #[inline(always)]
    unsafe fn equal(self, byte: u8) -> u64 {
        // SAFETY: the caller vouches for NEON.
        unsafe {
            let wanted = vdupq_n_u8(byte);
            mask(self.0.map(|part| vceqq_u8(part, wanted)))
        }
    }

    #[inline(always)]
    unsafe fn with_bits(self, byte: u8) -> Self {
        // SAFETY: the caller vouches for NEON.
        unsafe {
            let bits = vdupq_n_u8(byte);
            Self(self.0.map(|part| vorrq_u8(part, bits)))
        }
    }

    #[inline(always)]
    unsafe fn one_of(self, lookup: &Lookup) -> u64 {
        // SAFETY: 16 bytes are readable, and the caller vouches for NEON.
        unsafe {
            let (lookup, low) = (vld1q_u8(lookup.as_ptr()), vdupq_n_u8(0x0f));
            let found = |part| vceqq_u8(vqtbl1q_u8(lookup, vandq_u8(part, low)), part);
            mask(self.0.map(found))
        }
    }

    #[inline(never)]
    #[target_feature(enable = "neon")]
    unsafe fn bracket_end(bytes: &[u8], start: usize) -> Result<usize, Fault> {
        // SAFETY: the caller vouches for the CPU.
        unsafe { bracket_end::<Self>(bytes, start) }
    }

    #[inline(always)]
    unsafe fn parity(mask: u64) -> u64 {
        // A shift with its XOR is one instruction here, beside the vectors' own: six of them
        // are no slower than PMULL with the way to a vector register and back.
        // SAFETY: plain integers need nothing.
        unsafe { Portable::parity(mask) }
    }
}
