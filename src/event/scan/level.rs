//! The scanner once for every level of vector instructions, chosen when the program runs.

#![expect(
    unsafe_code,
    reason = "a function made for a level may only be called where the CPU has it, which is checked"
)]

use super::block::{self, Block, Current, Level, Portable};
use super::cursor::Stride;
use super::{Fault, Object, read};

/// Reads the object whose `{` is at `start`; a fault is not where it says, but somewhere.
#[inline]
pub(super) fn object(bytes: &[u8], start: usize) -> Result<Object<'_>, Fault> {
    match Level::detect() {
        // SAFETY: the CPU has AVX-512BW and what goes with it.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { object_avx512(bytes, start) },
        // SAFETY: the CPU has AVX2 and what goes with it.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { object_avx2(bytes, start) },
        Level::Portable => read::object::<Blocks<Portable>>(bytes, start),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,pclmulqdq,popcnt,bmi1,bmi2,lzcnt")]
fn object_avx512(bytes: &[u8], start: usize) -> Result<Object<'_>, Fault> {
    read::object::<Blocks<block::Avx512>>(bytes, start)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,pclmulqdq,popcnt,bmi1,bmi2,lzcnt")]
fn object_avx2(bytes: &[u8], start: usize) -> Result<Object<'_>, Fault> {
    read::object::<Blocks<block::Avx2>>(bytes, start)
}

/// Block by block. Values that are passed over are not checked beyond their brackets.
struct Blocks<B>(Current<B>);

impl<B: Block> Stride for Blocks<B> {
    #[inline(always)]
    fn from(start: usize) -> Self {
        Self(Current::before(start))
    }

    #[inline(always)]
    fn string_end(&mut self, bytes: &[u8], start: usize) -> Option<(usize, bool)> {
        // SAFETY: this type is named only where the CPU was asked.
        unsafe { self.0.string_end(bytes, start) }
    }

    #[inline(always)]
    fn nested_end(&mut self, bytes: &[u8], start: usize) -> Result<usize, Fault> {
        // SAFETY: this type is named only where the CPU was asked.
        unsafe { self.0.bracket_end(bytes, start) }.ok_or(Fault::Incomplete)
    }
}

#[cfg(test)]
pub(super) mod tests {
    //! What the scanner says at every level that this CPU has.

    use super::*;

    /// A level's name and its scanner.
    pub(in super::super) type At = (&'static str, fn(&[u8], usize) -> Result<Object<'_>, Fault>);

    /// Returns the scanner at every level that this CPU has.
    pub(in super::super) fn every() -> Vec<At> {
        let mut every: Vec<At> = vec![("portable", read::object::<Blocks<Portable>>)];
        #[cfg(target_arch = "x86_64")]
        {
            if Level::detect() == Level::Avx512 {
                // SAFETY: the CPU has AVX-512BW and what goes with it.
                every.push(("avx512", |bytes, start| unsafe { object_avx512(bytes, start) }));
            }
            if Level::detect() != Level::Portable {
                // SAFETY: what has the level above has AVX2, too.
                every.push(("avx2", |bytes, start| unsafe { object_avx2(bytes, start) }));
            }
        }
        every
    }
}
