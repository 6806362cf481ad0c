//! What the records read last had in common: the order of their members, and who acted.
//!
//! None of it decides anything: what is guessed is compared with the bytes.

use std::hash::BuildHasher as _;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use hashbrown::DefaultHashBuilder;

use super::block::Level;
use super::key::KeyOrder;

/// How many identities are remembered.
const PLACES: usize = 1024;

/// The bytes that tell one identity from another, by how identities begin. What tells sessions of a
/// role apart is the access key, which stands far behind.
const SAMPLES: [(&[u8], Range<usize>); 4] = [
    (br#"{"type":"AssumedRole""#, 192..288),
    (br#"{"type":"IAMUser""#, 64..160),
    (br#"{"type":"WebIdentityUser""#, 64..160),
    (b"", 0..64),
];

/// A longer `userIdentity` is not remembered.
const LONGEST: usize = 4 << 10;

static TURNS: AtomicU64 = AtomicU64::new(1);

/// What the records read last had in common. Memory is bounded by some megabytes.
#[derive(Default)]
pub struct Habits {
    /// What the CPU offers, asked once.
    pub(super) level: Level,
    pub(super) order: KeyOrder,
    pub(super) identities: Identities,
}

/// A `userIdentity` that was seen before. The same sighting is of the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighting {
    place: usize,
    turn: u64,
}

impl Sighting {
    /// How many places there are.
    pub const PLACES: usize = PLACES;

    /// Returns the place of the identity, below [`Sighting::PLACES`]. Another one may have had it
    /// before, and may have it later.
    pub const fn place(self) -> usize {
        self.place
    }
}

/// The values of `userIdentity` that were seen last.
///
/// A session makes many calls, and each tells the same five hundred bytes of it: to compare them
/// costs a fraction of looking for their end, let alone for what they say.
#[derive(Default)]
pub(super) struct Identities {
    /// None before the first is remembered.
    places: Vec<Remembered>,
    hasher: DefaultHashBuilder,
}

#[derive(Default)]
struct Remembered {
    bytes: Vec<u8>,
    /// When it was remembered; no two identities of a process have the same turn.
    turn: u64,
}

impl Identities {
    /// Returns the length of an identity at the start of `bytes`, if it is remembered.
    #[inline]
    pub(super) fn find(&self, bytes: &[u8]) -> Option<(usize, Sighting)> {
        let place = self.place(bytes)?;
        let known = self.places.get(place)?;
        let is_it = known.turn > 0 && bytes.starts_with(&known.bytes);
        is_it.then_some((known.bytes.len(), Sighting { place, turn: known.turn }))
    }

    /// Remembers the identity that the first `length` of `bytes` are, in the place of another.
    pub(super) fn remember(&mut self, bytes: &[u8], length: usize) -> Option<Sighting> {
        let identity = bytes.get(..length).filter(|identity| identity.len() <= LONGEST)?;
        let place = self.place(bytes)?;
        if self.places.is_empty() {
            self.places.resize_with(PLACES, Default::default);
        }
        let known = self.places.get_mut(place)?;
        known.turn = TURNS.fetch_add(1, Ordering::Relaxed);
        known.bytes.clear();
        known.bytes.extend_from_slice(identity);
        Some(Sighting { place, turn: known.turn })
    }

    #[inline]
    fn place(&self, bytes: &[u8]) -> Option<usize> {
        let (_, sample) = SAMPLES.into_iter().find(|(start, _)| bytes.starts_with(start))?;
        let hash = self.hasher.hash_one(bytes.get(sample)?);
        usize::try_from(hash % PLACES as u64).ok()
    }
}

#[cfg(test)]
mod tests;
