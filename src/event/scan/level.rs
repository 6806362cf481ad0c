//! The scanner once for every level of vector instructions, chosen when the program runs.

#![expect(clippy::indexing_slicing, reason = "a value ends behind its start, within the bytes")]
#![expect(
    unsafe_code,
    reason = "a function made for a level may only be called where the CPU has it, which is checked"
)]

use std::marker::PhantomData;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::block::{self, BLOCK, Block, Level, Portable};
use super::cursor::Stride;
use super::key::WIDTH;
use super::{Fault, Habits, Object, UserIdentity, identity, read};

/// Reads the object whose `{` is at `start`; a fault is not where it says, but before its end.
#[inline]
pub(super) fn object<'a>(
    bytes: &'a [u8],
    start: usize,
    habits: &mut Habits,
    object: &mut Object<'a>,
) -> Result<(), Fault> {
    match habits.level {
        // SAFETY: the CPU has AVX-512BW and what goes with it.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { object_avx512(bytes, start, habits, object) },
        // SAFETY: the CPU has AVX2 and what goes with it.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { object_avx2(bytes, start, habits, object) },
        // SAFETY: the CPU has NEON.
        #[cfg(target_arch = "aarch64")]
        Level::Neon => unsafe { object_neon(bytes, start, habits, object) },
        Level::Portable => read::object::<Blocks<Portable>>(bytes, start, habits, object),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,pclmulqdq,popcnt,bmi1,bmi2,lzcnt")]
fn object_avx512<'a>(
    bytes: &'a [u8],
    start: usize,
    habits: &mut Habits,
    object: &mut Object<'a>,
) -> Result<(), Fault> {
    read::object::<Blocks<block::Avx512>>(bytes, start, habits, object)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,pclmulqdq,popcnt,bmi1,bmi2,lzcnt")]
fn object_avx2<'a>(
    bytes: &'a [u8],
    start: usize,
    habits: &mut Habits,
    object: &mut Object<'a>,
) -> Result<(), Fault> {
    read::object::<Blocks<block::Avx2>>(bytes, start, habits, object)
}

#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "neon")]
fn object_neon<'a>(
    bytes: &'a [u8],
    start: usize,
    habits: &mut Habits,
    object: &mut Object<'a>,
) -> Result<(), Fault> {
    read::object::<Blocks<block::Neon>>(bytes, start, habits, object)
}

/// Reads the `userIdentity` that `bytes` are; a fault is somewhere in it.
pub(super) fn user_identity(bytes: &[u8]) -> Result<UserIdentity<'_>, Fault> {
    match Level::detect() {
        // SAFETY: the CPU has AVX-512BW and what goes with it.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { user_identity_avx512(bytes) },
        // SAFETY: the CPU has AVX2 and what goes with it.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { user_identity_avx2(bytes) },
        // SAFETY: the CPU has NEON.
        #[cfg(target_arch = "aarch64")]
        Level::Neon => unsafe { user_identity_neon(bytes) },
        Level::Portable => identity::user_identity::<Blocks<Portable>>(bytes),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,pclmulqdq,popcnt,bmi1,bmi2,lzcnt")]
fn user_identity_avx512(bytes: &[u8]) -> Result<UserIdentity<'_>, Fault> {
    identity::user_identity::<Blocks<block::Avx512>>(bytes)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,pclmulqdq,popcnt,bmi1,bmi2,lzcnt")]
fn user_identity_avx2(bytes: &[u8]) -> Result<UserIdentity<'_>, Fault> {
    identity::user_identity::<Blocks<block::Avx2>>(bytes)
}

#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "neon")]
fn user_identity_neon(bytes: &[u8]) -> Result<UserIdentity<'_>, Fault> {
    identity::user_identity::<Blocks<block::Neon>>(bytes)
}

/// No record of AWS's has fewer bytes.
const SMALLEST_RECORD: usize = 256;

/// A key of every record.
static RECORD: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"eventSource\""));

/// Returns whether an object or array may have a whole record in it: brackets that are one too many
/// here and one too few there make what stands between them look like one value.
#[inline]
fn may_hold_a_record(value: &[u8]) -> bool {
    value.len() > SMALLEST_RECORD && has_key_of_a_record(value)
}

#[inline(never)]
fn has_key_of_a_record(value: &[u8]) -> bool {
    RECORD.find(value).is_some()
}

/// Block by block. Values that are passed over are not checked beyond their strings and brackets.
struct Blocks<B>(PhantomData<B>);

impl<B: Block> Stride for Blocks<B> {
    const HAS_HABITS: bool = true;

    #[inline(always)]
    fn string_end(bytes: &[u8], start: usize) -> Result<(usize, bool), Fault> {
        // SAFETY: this type is named only where the CPU was asked.
        unsafe { block::string_end::<B>(bytes, start) }
    }

    #[inline(always)]
    fn starts(bytes: &[u8; WIDTH], literal: &[u8; WIDTH], mask: &[u8; WIDTH]) -> bool {
        // SAFETY: this type is named only where the CPU was asked.
        unsafe { B::starts(bytes, literal, mask) }
    }

    #[inline(always)]
    fn short_string(block: &[u8; BLOCK]) -> Option<usize> {
        // SAFETY: this type is named only where the CPU was asked.
        unsafe { block::short_string::<B>(block) }
    }

    #[inline(always)]
    fn nested_end(bytes: &[u8], start: usize) -> Result<usize, Fault> {
        // SAFETY: this type is named only where the CPU was asked.
        let end = unsafe { B::bracket_end(bytes, start) }?;
        if may_hold_a_record(&bytes[start..end]) {
            return Err(Fault::Syntax { at: start, reason: "what stands here may hold a record" });
        }
        Ok(end)
    }
}

#[cfg(test)]
pub(super) mod tests {
    //! What the scanner says at every level that this CPU has.

    use super::*;

    /// A scanner of one level.
    type Read = for<'a> fn(&'a [u8], usize, &mut Habits) -> Result<Object<'a>, Fault>;

    /// A level's name and its scanner.
    pub(in super::super) type At = (&'static str, Read);

    /// Returns the scanner at every level that this CPU has.
    pub(in super::super) fn every() -> Vec<At> {
        let mut every: Vec<At> = vec![("portable", |bytes, start, habits| {
            let mut object = Object::default();
            read::object::<Blocks<Portable>>(bytes, start, habits, &mut object).map(|()| object)
        })];
        #[cfg(target_arch = "x86_64")]
        {
            if Level::detect() == Level::Avx512 {
                every.push(("avx512", |bytes, start, habits| {
                    let mut object = Object::default();
                    // SAFETY: the CPU has AVX-512BW and what goes with it.
                    unsafe { object_avx512(bytes, start, habits, &mut object) }.map(|()| object)
                }));
            }
            if Level::detect() != Level::Portable {
                every.push(("avx2", |bytes, start, habits| {
                    let mut object = Object::default();
                    // SAFETY: what has the level above has AVX2, too.
                    unsafe { object_avx2(bytes, start, habits, &mut object) }.map(|()| object)
                }));
            }
        }
        #[cfg(target_arch = "aarch64")]
        if Level::detect() == Level::Neon {
            every.push(("neon", |bytes, start, habits| {
                let mut object = Object::default();
                // SAFETY: the CPU has NEON.
                unsafe { object_neon(bytes, start, habits, &mut object) }.map(|()| object)
            }));
        }
        every
    }
}
