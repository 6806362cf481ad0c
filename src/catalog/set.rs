//! A set of services of one catalogue, as bits; knows no name.

use super::{Catalog, ServiceIndex};

/// A set of services of one catalogue. Sets of different catalogues do not compare.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ServiceSet {
    // INVARIANT: one bit a service of the catalogue, 64 to a word; bits beyond the last are zero.
    words: Vec<u64>,
}

impl ServiceSet {
    /// Returns the set of no service of `catalog`.
    pub fn empty(catalog: &Catalog) -> Self {
        Self { words: vec![0; catalog.services().len().div_ceil(64)] }
    }

    /// Adds a service; returns whether it is new.
    pub fn insert(&mut self, index: ServiceIndex) -> bool {
        let (word, bit) = place(index);
        self.words.get_mut(word).is_some_and(|word| {
            let new = *word & bit == 0;
            *word |= bit;
            new
        })
    }

    /// Takes a service away; returns whether it was there.
    pub fn remove(&mut self, index: ServiceIndex) -> bool {
        let (word, bit) = place(index);
        self.words.get_mut(word).is_some_and(|word| {
            let old = *word & bit != 0;
            *word &= !bit;
            old
        })
    }

    /// Returns whether a service is in the set.
    pub fn contains(&self, index: ServiceIndex) -> bool {
        let (word, bit) = place(index);
        self.words.get(word).is_some_and(|word| word & bit != 0)
    }

    /// Returns how many services are in the set.
    pub fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Returns whether no service is in the set.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// Adds the services of `other`.
    pub fn union_with(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word |= other;
        }
    }

    /// Keeps the services that are in `other` too.
    pub fn intersect_with(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= other;
        }
    }

    /// Returns the services in byte order of their namespaces.
    pub fn iter(&self) -> impl Iterator<Item = ServiceIndex> {
        // The words lead, so that the count never runs past the last of them.
        self.words
            .iter()
            .zip((0u16..).step_by(64))
            .flat_map(|(word, start)| bits(*word).map(move |bit| ServiceIndex(start + bit)))
    }
}

/// Returns the word and the bit of a service.
fn place(index: ServiceIndex) -> (usize, u64) {
    (usize::from(index.0 / 64), 1 << (index.0 % 64))
}

/// Returns the places of the bits of a word, ascending.
pub(crate) fn bits(word: u64) -> impl Iterator<Item = u16> {
    let mut rest = word;
    std::iter::from_fn(move || {
        let place = u16::try_from(rest.trailing_zeros()).ok().filter(|_| rest != 0);
        rest &= rest.saturating_sub(1);
        place
    })
}
