//! Texts and rows of numbers, each kept once and known by its number.

use std::hash::{BuildHasher as _, Hash};
use std::num::NonZeroU32;

use hashbrown::hash_table::Entry as TableEntry;
use hashbrown::{DefaultHashBuilder, HashTable};

use crate::event::RawString;

/// Rows, each kept once and numbered as they come.
pub(super) struct Rows<R> {
    rows: Vec<R>,
    numbers: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl<R> Default for Rows<R> {
    fn default() -> Self {
        Self { rows: Vec::new(), numbers: HashTable::new(), hasher: DefaultHashBuilder::default() }
    }
}

impl<R: Copy + Eq + Hash> Rows<R> {
    pub(super) fn number(&mut self, row: R) -> u32 {
        let Self { rows, numbers, hasher } = self;
        let found = numbers.entry(
            hasher.hash_one(row),
            |&number| rows.get(number as usize) == Some(&row),
            |&number| rows.get(number as usize).map_or(0, |row| hasher.hash_one(row)),
        );
        match found {
            TableEntry::Occupied(occupied) => *occupied.get(),
            TableEntry::Vacant(vacant) => {
                let number = u32::try_from(rows.len())
                    .expect("a ledger of four billion rows outgrows any memory first");
                vacant.insert(number);
                rows.push(row);
                number
            }
        }
    }

    pub(super) fn row(&self, number: u32) -> R {
        *self.rows.get(number as usize).expect("a number is made together with its row")
    }

    /// Returns the rows alone, by their numbers.
    pub(super) fn into_rows(self) -> Vec<R> {
        self.rows
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &R> {
        self.rows.iter()
    }

    pub(super) fn bytes(&self) -> usize {
        self.rows.capacity() * size_of::<R>() + self.numbers.allocation_size()
    }
}

/// A text of a ledger, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Symbol(pub(super) NonZeroU32);

impl Symbol {
    pub(super) fn new(index: usize) -> Self {
        let number = u32::try_from(index + 1).ok().and_then(NonZeroU32::new);
        Self(number.expect("a ledger of four billion texts outgrows any memory first"))
    }

    pub(super) const fn index(self) -> usize {
        self.0.get() as usize - 1
    }

    pub(super) const fn to_bytes(self) -> [u8; 16] {
        (self.0.get() as u128).to_be_bytes()
    }

    pub(super) fn from_bytes(bytes: [u8; 16]) -> Self {
        let index = usize::try_from(u128::from_be_bytes(bytes)).unwrap_or(usize::MAX);
        Self::new(index - 1)
    }
}

/// Texts, each kept once.
#[derive(Default)]
pub(super) struct Symbols {
    arena: String,
    ends: Vec<usize>,
    index: HashTable<Symbol>,
    hasher: DefaultHashBuilder,
}

impl Symbols {
    pub(super) fn intern(&mut self, text: &str) -> Symbol {
        let Self { arena, ends, index, hasher } = self;
        let hash = hasher.hash_one(text.as_bytes());
        let found = index.entry(
            hash,
            |&symbol| slice(arena, ends, symbol) == text,
            |&symbol| hasher.hash_one(slice(arena, ends, symbol).as_bytes()),
        );
        match found {
            TableEntry::Occupied(occupied) => *occupied.get(),
            TableEntry::Vacant(vacant) => {
                let symbol = Symbol::new(ends.len());
                vacant.insert(symbol);
                arena.push_str(text);
                ends.push(arena.len());
                symbol
            }
        }
    }

    /// The same for a text that is decoded only if it is not known as it stands: what is known is
    /// UTF-8, and so is what equals it.
    pub(super) fn intern_raw(&mut self, text: RawString<'_>) -> Symbol {
        let known = text.plain().and_then(|plain| {
            let hash = self.hasher.hash_one(plain);
            self.index.find(hash, |&symbol| self.text(symbol).as_bytes() == plain)
        });
        known.copied().unwrap_or_else(|| self.intern(&text.decode()))
    }

    pub(super) fn intern_optional(&mut self, text: Option<&str>) -> Option<Symbol> {
        text.map(|text| self.intern(text))
    }

    pub(super) fn text(&self, symbol: Symbol) -> &str {
        slice(&self.arena, &self.ends, symbol)
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.arena.capacity()
            + self.ends.capacity() * size_of::<usize>()
            + self.index.allocation_size()
    }

    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).map(|index| self.text(Symbol::new(index)))
    }
}

/// What the symbols of one table are in another, found out when they are asked for.
pub(super) struct Translation<'a> {
    from: &'a Symbols,
    /// By the number of the symbol.
    known: Vec<Option<Symbol>>,
}

impl<'a> Translation<'a> {
    pub(super) fn new(from: &'a Symbols) -> Self {
        Self { from, known: vec![None; from.len()] }
    }

    pub(super) fn symbol(&mut self, symbol: Symbol, to: &mut Symbols) -> Symbol {
        let known = self.known.get_mut(symbol.index()).expect("a symbol is that of a text");
        *known.get_or_insert_with(|| to.intern(self.from.text(symbol)))
    }
}

pub(super) fn slice<'a>(arena: &'a str, ends: &[usize], symbol: Symbol) -> &'a str {
    let index = symbol.index();
    let start = index.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
    ends.get(index)
        .and_then(|end| arena.get(start..*end))
        .expect("a symbol is made together with its text")
}

/// Returns the place of each value among them all when they are sorted; equal ones share one.
pub(super) fn ranks<T: Ord>(values: impl Iterator<Item = T>) -> Vec<u32> {
    let values: Vec<T> = values.collect();
    let mut order: Vec<(&T, usize)> = values.iter().zip(0..).collect();
    order.sort_unstable();
    let mut ranks = vec![0; values.len()];
    let mut rank = 0;
    let mut before = None;
    for (value, index) in order {
        if before.is_some_and(|before| before != value) {
            rank += 1;
        }
        before = Some(value);
        if let Some(place) = ranks.get_mut(index) {
            *place = rank;
        }
    }
    ranks
}
