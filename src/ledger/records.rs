//! The records of a ledger by number, in less memory: the latest success mostly is the latest attempt of
//! all, and most records have no denial.

use std::num::NonZeroU32;

use super::record::{Record, Stamp};
use crate::access::Answer;
use crate::time::Time;

/// Records, numbered as they come.
#[derive(Default)]
pub(super) struct Records {
    kept: Vec<Kept>,
    /// Successes and denials that are not the latest attempt of their record.
    beside: Vec<Stamp>,
}

/// A [`Record`].
#[derive(Clone, Copy)]
struct Kept {
    latest: Stamp,
    first: Stamp,
    success: Last,
    denial: Last,
}

/// The latest attempt that was answered in one way.
#[derive(Clone, Copy, Default)]
struct Last {
    is: Is,
    /// Once it has needed one.
    place: Option<Place>,
}

/// A place among the stamps beside, counted from one.
#[derive(Clone, Copy)]
struct Place(NonZeroU32);

impl Place {
    const fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

#[derive(Clone, Copy, Default)]
enum Is {
    #[default]
    Absent,
    Latest,
    Beside,
}

impl Records {
    pub(super) const fn len(&self) -> usize {
        self.kept.len()
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    pub(super) fn bytes(&self) -> usize {
        self.kept.capacity() * size_of::<Kept>() + self.beside.capacity() * size_of::<Stamp>()
    }

    pub(super) fn get(&self, number: u32) -> Option<Record> {
        self.kept.get(number as usize).map(|kept| self.record(kept))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Record> {
        self.kept.iter().map(|kept| self.record(kept))
    }

    /// Puts a record in the place of the one of this number, or behind the last one.
    pub(super) fn set(&mut self, number: u32, record: &Record) {
        let known = self.kept.get_mut(number as usize);
        let (success, denial) =
            known.as_ref().map_or_else(Default::default, |known| (known.success, known.denial));
        let mut last = |last: Last, stamp: Option<Stamp>| match stamp {
            None => Last { is: Is::Absent, ..last },
            Some(stamp) if stamp == record.latest => Last { is: Is::Latest, ..last },
            Some(stamp) => {
                Last { is: Is::Beside, place: Some(put(&mut self.beside, last.place, stamp)) }
            }
        };
        let kept = Kept {
            latest: record.latest,
            first: record.first,
            success: last(success, record.success),
            denial: last(denial, record.denial),
        };
        match known {
            Some(known) => *known = kept,
            None => self.kept.push(kept),
        }
    }

    /// Returns whether an attempt may change anything in a record, told by its time alone: most
    /// attempts are neither the first nor the last of their kind.
    pub(super) fn changes_by(&self, number: u32, time: Time, answer: Answer) -> bool {
        let Some(kept) = self.kept.get(number as usize) else { return true };
        let is_last = |last: Last| self.stamp(kept, last).is_none_or(|stamp| stamp.time <= time);
        kept.latest.time <= time
            || time <= kept.first.time
            || match answer {
                Answer::Success => is_last(kept.success),
                Answer::Denied => is_last(kept.denial),
                Answer::Failed => false,
            }
    }

    /// Makes an attempt the latest of a record, if it is later than all in it and nothing of what was
    /// the latest has to be known any more: what becomes of most attempts that change anything.
    /// Returns whether it did.
    pub(super) fn overtake(&mut self, number: u32, attempt: Stamp, answer: Answer) -> bool {
        let Some(kept) = self.kept.get_mut(number as usize) else { return false };
        let is_latest = |last: Last| matches!(last.is, Is::Latest);
        let is_needed = (answer != Answer::Success && is_latest(kept.success))
            || (answer != Answer::Denied && is_latest(kept.denial));
        if is_needed || attempt.time <= kept.latest.time {
            return false;
        }
        kept.latest = attempt;
        match answer {
            Answer::Success => kept.success.is = Is::Latest,
            Answer::Denied => kept.denial.is = Is::Latest,
            Answer::Failed => {}
        }
        true
    }

    /// Takes off the last record.
    pub(super) fn pop(&mut self) -> Option<Record> {
        let kept = self.kept.pop()?;
        Some(self.record(&kept))
    }

    /// Gives the memory of records that were taken off back to the system.
    pub(super) fn shrink_to_fit(&mut self) {
        self.kept.shrink_to_fit();
    }

    fn record(&self, kept: &Kept) -> Record {
        Record {
            latest: kept.latest,
            success: self.stamp(kept, kept.success),
            denial: self.stamp(kept, kept.denial),
            first: kept.first,
        }
    }

    fn stamp(&self, kept: &Kept, last: Last) -> Option<Stamp> {
        match last.is {
            Is::Absent => None,
            Is::Latest => Some(kept.latest),
            Is::Beside => last.place.and_then(|place| self.beside.get(place.index())).copied(),
        }
    }
}

/// Puts a stamp into its place, or into a new one; returns that.
fn put(beside: &mut Vec<Stamp>, place: Option<Place>, stamp: Stamp) -> Place {
    if let Some(place) = place
        && let Some(known) = beside.get_mut(place.index())
    {
        *known = stamp;
        return place;
    }
    beside.push(stamp);
    let number = u32::try_from(beside.len()).ok().and_then(NonZeroU32::new);
    Place(number.expect("a ledger of four billion stamps outgrows any memory first"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::super::symbols::Symbols;
    use super::*;
    use crate::event::EventId;

    const ANSWERS: [Answer; 3] = [Answer::Success, Answer::Denied, Answer::Failed];

    fn any_stamp() -> impl Strategy<Value = Stamp> {
        (0..3i64, 0..2u128).prop_map(|(time, id)| {
            let id = Some(EventId::Uuid(id));
            Stamp::with(&mut Symbols::default(), Time::from_micros(time), id, (None, None))
        })
    }

    /// A record of some attempts.
    fn any_record() -> impl Strategy<Value = Record> {
        let answer = select(ANSWERS.to_vec());
        proptest::collection::vec((any_stamp(), answer), 1..4).prop_map(|attempts| {
            let records = attempts.into_iter().map(|(stamp, answer)| Record::of(stamp, answer));
            let joined = records.reduce(|mut one, other| {
                one.join(&other, &Symbols::default());
                one
            });
            joined.unwrap()
        })
    }

    /// Says what [`Records::changes_by`] says, of a whole record.
    fn changes_by(record: &Record, time: Time, answer: Answer) -> bool {
        let answered = match answer {
            Answer::Success => Some(record.success),
            Answer::Denied => Some(record.denial),
            Answer::Failed => None,
        };
        let is_last = answered.is_some_and(|last| last.is_none_or(|last| last.time <= time));
        is_last || record.latest.time <= time || time <= record.first.time
    }

    /// The size of a record decides over the memory of a run.
    #[test]
    fn a_record_takes_eighty_bytes() {
        assert_eq!(size_of::<Kept>(), 80);
    }

    proptest! {
        #[test]
        fn a27_what_is_put_in_comes_out(
            puts in proptest::collection::vec((0..4u32, any_record()), 0..40),
            time in 0..4i64,
        ) {
            let mut records = Records::default();
            let mut twin: Vec<Record> = Vec::new();
            for (number, record) in puts {
                let number = number.min(u32::try_from(twin.len()).unwrap());
                records.set(number, &record);
                match twin.get_mut(number as usize) {
                    Some(known) => *known = record,
                    None => twin.push(record),
                }
            }
            prop_assert!(records.beside.len() <= 2 * twin.len());
            prop_assert_eq!(records.iter().collect::<Vec<_>>(), twin.clone());
            let time = Time::from_micros(time);
            let symbols = &mut Symbols::default();
            let attempt = Stamp::with(symbols, time, None, (None, None));
            for (number, record) in (0..).zip(&twin) {
                prop_assert_eq!(records.get(number), Some(*record));
                for answer in ANSWERS {
                    let changes = records.changes_by(number, time, answer);
                    prop_assert_eq!(changes, changes_by(record, time, answer));
                }
            }
            prop_assert!(records.changes_by(4, time, Answer::Failed));
            for (number, record) in (0..).zip(&mut twin) {
                for answer in ANSWERS {
                    if records.overtake(number, attempt, answer) {
                        record.join(&Record::of(attempt, answer), &Symbols::default());
                    }
                    prop_assert_eq!(records.get(number), Some(*record));
                }
            }
            while let Some(record) = records.pop() {
                prop_assert_eq!(twin.pop(), Some(record));
                records.shrink_to_fit();
            }
            prop_assert!(twin.is_empty());
        }
    }
}
