//! Sorted streams of rows, and their merge: rows of one key become one. Every way to a rollup ends
//! here, in memory that depends on the number of streams alone.

use std::cmp::Ordering;
use std::path::PathBuf;

use super::RollupError;
use super::row::{OwnSource, Row, RowKey};
use crate::ledger::Ledger;

/// A stream of rows in the order of their keys, no key twice.
pub(super) trait Lane {
    /// Returns the key of the row that the lane stands at; none behind the last.
    fn key(&self) -> Option<RowKey<'_>>;

    /// Returns the row.
    fn row(&self) -> Option<Row<'_>>;

    /// Goes on to the next row.
    fn advance(&mut self) -> Result<(), RollupError>;
}

/// The records of a ledger.
pub(super) struct LedgerLane<'l> {
    ledger: &'l Ledger,
    order: std::vec::IntoIter<u32>,
    at: Option<u32>,
}

impl<'l> LedgerLane<'l> {
    pub(super) fn new(ledger: &'l Ledger) -> Self {
        Self::of(ledger, ledger.sorted())
    }

    /// Makes one of some records, which are sorted.
    pub(super) fn of(ledger: &'l Ledger, sorted: Vec<u32>) -> Self {
        let mut order = sorted.into_iter();
        let at = order.next();
        Self { ledger, order, at }
    }
}

impl Lane for LedgerLane<'_> {
    fn key(&self) -> Option<RowKey<'_>> {
        self.at.map(|number| RowKey::Access(self.ledger.key(number)))
    }

    fn row(&self) -> Option<Row<'_>> {
        self.at.map(|number| Row::Access(self.ledger.nth(number)))
    }

    fn advance(&mut self) -> Result<(), RollupError> {
        self.at = self.order.next();
        Ok(())
    }
}

/// What became of sources, all under one attribution.
pub(super) struct SourcesLane {
    sources: std::vec::IntoIter<OwnSource>,
    at: Option<OwnSource>,
    attribution: String,
}

impl SourcesLane {
    pub(super) fn new(mut sources: Vec<OwnSource>, attribution: String) -> Self {
        OwnSource::sort(&mut sources);
        let mut sources = sources.into_iter();
        let at = sources.next();
        Self { sources, at, attribution }
    }
}

impl Lane for SourcesLane {
    fn key(&self) -> Option<RowKey<'_>> {
        self.at.as_ref().map(|source| RowKey::Source(source.row(&self.attribution).source))
    }

    fn row(&self) -> Option<Row<'_>> {
        self.at.as_ref().map(|source| Row::Source(source.row(&self.attribution)))
    }

    fn advance(&mut self) -> Result<(), RollupError> {
        self.at = self.sources.next();
        Ok(())
    }
}

/// Merges lanes, and hands each row to `each`, in order, joined with all of its key.
pub(super) fn merge(
    mut lanes: Vec<Box<dyn Lane + '_>>,
    each: &mut dyn FnMut(&Row<'_>) -> Result<(), RollupError>,
) -> Result<(), RollupError> {
    lanes.retain(|lane| lane.key().is_some());
    let mut heap: Vec<usize> = (0..lanes.len()).collect();
    for at in (0..heap.len() / 2).rev() {
        sift_down(&mut heap, at, &lanes);
    }
    let mut of_one_key = Vec::new();
    while let Some(first) = heap.first().copied() {
        of_one_key.clear();
        of_one_key.push(first);
        remove_first(&mut heap, &lanes);
        while let Some(next) = heap.first().copied()
            && compare(&lanes, first, next) == Ordering::Equal
        {
            of_one_key.push(next);
            remove_first(&mut heap, &lanes);
        }
        let mut rows = of_one_key.iter().filter_map(|lane| lanes.get(*lane)?.row());
        if let Some(mut joined) = rows.next() {
            for row in rows {
                refuse_other_attribution(&joined, &row)?;
                joined.join(&row);
            }
            each(&joined)?;
        }
        for number in of_one_key.iter().copied() {
            let Some(lane) = lanes.get_mut(number) else { continue };
            lane.advance()?;
            if lane.key().is_some() {
                heap.push(number);
                sift_up(&mut heap, &lanes);
            }
        }
    }
    Ok(())
}

/// Returns whether a row of `one` has the key of a row of the others.
pub(super) fn overlap(
    mut one: Box<dyn Lane + '_>,
    others: Vec<Box<dyn Lane + '_>>,
) -> Result<bool, RollupError> {
    let mut overlaps = false;
    merge(others, &mut |row| {
        while !overlaps && one.key().is_some_and(|key| key < row.key()) {
            one.advance()?;
        }
        overlaps |= one.key().is_some_and(|key| key == row.key());
        Ok(())
    })?;
    Ok(overlaps)
}

/// Accesses that were counted by different rules do not belong together, and of a source that was
/// read under both one row alone is kept.
fn refuse_other_attribution(one: &Row<'_>, other: &Row<'_>) -> Result<(), RollupError> {
    let (Row::Source(one), Row::Source(other)) = (one, other) else { return Ok(()) };
    let is_same = one.attribution == other.attribution
        || one.switches().is_ok_and(|switches| other.switches() == Ok(switches));
    if is_same { Ok(()) } else { Err(RollupError::Attribution(PathBuf::from(one.source))) }
}

fn compare(lanes: &[Box<dyn Lane + '_>], one: usize, other: usize) -> Ordering {
    let key = |lane: usize| lanes.get(lane).and_then(|lane| lane.key());
    // None but those that stand at a row are in the heap.
    key(one).cmp(&key(other))
}

fn is_less(heap: &[usize], lanes: &[Box<dyn Lane + '_>], one: usize, other: usize) -> bool {
    match (heap.get(one), heap.get(other)) {
        (Some(one), Some(other)) => compare(lanes, *one, *other) == Ordering::Less,
        _ => false,
    }
}

fn remove_first(heap: &mut Vec<usize>, lanes: &[Box<dyn Lane + '_>]) {
    heap.swap_remove(0);
    sift_down(heap, 0, lanes);
}

fn sift_down(heap: &mut [usize], mut at: usize, lanes: &[Box<dyn Lane + '_>]) {
    loop {
        let (left, right) = (2 * at + 1, 2 * at + 2);
        let child = if is_less(heap, lanes, right, left) { right } else { left };
        if !is_less(heap, lanes, child, at) {
            return;
        }
        heap.swap(at, child);
        at = child;
    }
}

fn sift_up(heap: &mut [usize], lanes: &[Box<dyn Lane + '_>]) {
    let mut at = heap.len().saturating_sub(1);
    while at > 0 {
        let parent = (at - 1) / 2;
        if !is_less(heap, lanes, at, parent) {
            return;
        }
        heap.swap(at, parent);
        at = parent;
    }
}
