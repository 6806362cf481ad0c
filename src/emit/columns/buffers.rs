//! Columns being filled, which Arrow's batches are cut from; knows no kind of report.

use std::fmt::Write as _;
use std::hash::BuildHasher as _;
use std::mem;
use std::sync::Arc;

use arrow::array::{
    ArrayBuilder as _, ArrayRef, ArrowPrimitiveType, BooleanBuilder, DictionaryArray,
    PrimitiveArray, PrimitiveBuilder, RecordBatch, StringArray, StringBuilder, new_empty_array,
};
use arrow::datatypes::{DataType, Int32Type, Int64Type, SchemaRef, TimestampMicrosecondType};

use hashbrown::{DefaultHashBuilder, HashTable};

use super::{Cell, Cells, EventIdCell, Group, Kind, Row, Rows, TextCell, groups};
use crate::emit::EmitError;

use crate::report::attempt::EventId;
use crate::time::Time;

/// Rows of a batch, at most.
pub(in crate::emit) const BATCH_ROWS: usize = 16_384;

/// A batch is full with this much text, whatever its rows.
const BATCH_TEXT: usize = 64 << 20;

/// Arrow's offsets into the text of a column are 32 bits wide.
const MAX_COLUMN_TEXT: usize = i32::MAX as usize;

/// Cells of a column, each with how many times it stands there: most cells are like the one before.
struct Runs<T: ArrowPrimitiveType>(Vec<(Option<T::Native>, usize)>);

impl<T: ArrowPrimitiveType> Runs<T> {
    const fn new() -> Self {
        Self(Vec::new())
    }

    fn push(&mut self, cell: Option<T::Native>, count: usize) {
        match self.0.last_mut() {
            Some((last, counted)) if *last == cell => *counted += count,
            _ => self.0.push((cell, count)),
        }
    }

    fn take(&mut self) -> Self {
        self.0.shrink_to_fit();
        Self(mem::take(&mut self.0))
    }

    fn rows(&self) -> usize {
        self.0.iter().map(|(_, count)| count).sum()
    }

    fn array(&self) -> PrimitiveArray<T> {
        let mut cells = PrimitiveBuilder::with_capacity(self.rows());
        for (cell, count) in &self.0 {
            match cell {
                Some(cell) => cells.append_value_n(*cell, *count),
                None => cells.append_nulls(*count),
            }
        }
        cells.finish()
    }
}

/// Ids, which hardly repeat: how long each is, and the text of all.
struct Ids {
    lengths: Runs<Int32Type>,
    text: String,
}

impl Ids {
    const fn new() -> Self {
        Self { lengths: Runs::new(), text: String::new() }
    }

    /// Appends an id so many times, or nothing where the text would outgrow the column.
    fn push(&mut self, id: Option<EventId<'_>>, count: usize) -> Option<()> {
        let Self { lengths, text } = self;
        let Some(id) = id else {
            lengths.push(None, count);
            return Some(());
        };
        for _ in 0..count {
            let before = text.len();
            if matches!(id, EventId::Text(id) if id.len() > MAX_COLUMN_TEXT - before) {
                return None;
            }
            // Writing to a string cannot fail.
            let _ = write!(text, "{id}");
            lengths.push(Some(i32::try_from(text.len() - before).ok()?), 1);
        }
        Some(())
    }

    fn take(&mut self) -> Self {
        Self { lengths: self.lengths.take(), text: mem::take(&mut self.text) }
    }

    fn array(&self) -> StringArray {
        let mut ids = StringBuilder::with_capacity(self.lengths.rows(), self.text.len());
        let mut text = self.text.as_str();
        for (length, count) in &self.lengths.0 {
            let Some(length) = length.and_then(|length| usize::try_from(length).ok()) else {
                ids.append_nulls(*count);
                continue;
            };
            for _ in 0..*count {
                let (id, rest) = text.split_at_checked(length).unwrap_or_default();
                ids.append_value(id);
                text = rest;
            }
        }
        ids.finish()
    }
}

/// The different texts of a column, numbered as they come.
struct Dictionary {
    texts: StringBuilder,
    /// How many bytes of text there is room for.
    room: usize,
    keys: HashTable<i32>,
    /// The key of the text asked for last, which is mostly asked for again.
    last: Option<i32>,
    hasher: DefaultHashBuilder,
}

impl Dictionary {
    fn new() -> Self {
        Self {
            texts: StringBuilder::new(),
            room: MAX_COLUMN_TEXT,
            keys: HashTable::new(),
            last: None,
            hasher: DefaultHashBuilder::default(),
        }
    }

    /// Returns the key of a text, or nothing where it would outgrow the dictionary.
    fn key(&mut self, text: &str) -> Option<i32> {
        let Self { texts, room, keys, last, hasher } = self;
        let known = |key: i32| text_at(texts, key);
        if let Some(key) = last.filter(|key| known(*key) == text.as_bytes()) {
            return Some(key);
        }
        let hash = hasher.hash_one(text.as_bytes());
        if let Some(key) = keys.find(hash, |key| known(*key) == text.as_bytes()) {
            *last = Some(*key);
            return *last;
        }
        let key = i32::try_from(texts.len()).ok()?;
        *room = room.checked_sub(text.len())?;
        keys.insert_unique(hash, key, |key| hasher.hash_one(known(*key)));
        texts.append_value(text);
        *last = Some(key);
        *last
    }

    fn take(&mut self) -> ArrayRef {
        Arc::new(mem::replace(self, Self::new()).texts.finish())
    }
}

/// Returns a text that was appended before.
fn text_at(texts: &StringBuilder, key: i32) -> &[u8] {
    let at = usize::try_from(key).unwrap_or(usize::MAX);
    let end = |at: usize| texts.offsets_slice().get(at).and_then(|end| usize::try_from(*end).ok());
    let place = end(at).zip(end(at.saturating_add(1))).map(|(start, end)| start..end);
    place.and_then(|place| texts.values_slice().get(place)).unwrap_or_default()
}

/// A column that is being filled.
enum Buffer<K: Kind> {
    Text { cell: TextCell<K>, keys: Runs<Int32Type>, dictionary: Box<Dictionary> },
    EventId { cell: EventIdCell<K>, ids: Ids },
    Time { cell: Cell<K, Option<Time>>, times: Runs<TimestampMicrosecondType> },
    JobDate { cell: Cell<K, Time>, times: Runs<TimestampMicrosecondType> },
    Count { cell: Cell<K, Option<u64>>, counts: Runs<Int64Type> },
    Flag { cell: Cell<K, Option<bool>>, flags: BooleanBuilder },
}

impl<K: Kind> Buffer<K> {
    fn new(cells: &Cells<K>) -> Self {
        match *cells {
            Cells::Text(cell) => {
                Self::Text { cell, keys: Runs::new(), dictionary: Box::new(Dictionary::new()) }
            }
            Cells::EventId(cell) => Self::EventId { cell, ids: Ids::new() },
            Cells::Time(cell) => Self::Time { cell, times: Runs::new() },
            Cells::JobDate(cell) => Self::JobDate { cell, times: Runs::new() },
            Cells::Count(cell) => Self::Count { cell, counts: Runs::new() },
            Cells::Flag(cell) => Self::Flag { cell, flags: BooleanBuilder::new() },
        }
    }

    /// Appends the cell of `row`, `count` times. Returns by how many bytes the column's text grew,
    /// or nothing where it would outgrow the column.
    fn push(&mut self, row: &Row<'_, K>, count: usize) -> Option<usize> {
        match self {
            Self::Text { cell, keys, dictionary } => {
                let room = dictionary.room;
                let key = match cell(row) {
                    Some(text) => Some(dictionary.key(text)?),
                    None => None,
                };
                keys.push(key, count);
                return Some(room - dictionary.room);
            }
            Self::EventId { cell, ids } => {
                let before = ids.text.len();
                ids.push(cell(row), count)?;
                return Some(ids.text.len() - before);
            }
            Self::Time { cell, times } => times.push(cell(row).map(Time::micros), count),
            Self::JobDate { cell, times } => times.push(Some(cell(row).micros()), count),
            // No organization has 2^63 accounts.
            Self::Count { cell, counts } => counts
                .push(cell(row).map(|number| i64::try_from(number).unwrap_or(i64::MAX)), count),
            Self::Flag { cell, flags } => match cell(row) {
                Some(flag) => flags.append_n(count, flag),
                None => flags.append_nulls(count),
            },
        }
        Some(0)
    }

    /// Empties the column; a dictionary stays.
    fn take(&mut self) -> Filled {
        match self {
            Self::Text { keys, .. } => Filled::Keys(keys.take()),
            Self::Time { times, .. } | Self::JobDate { times, .. } => Filled::Times(times.take()),
            Self::Count { counts, .. } => Filled::Counts(counts.take()),
            Self::EventId { ids, .. } => Filled::Ids(ids.take()),
            Self::Flag { flags, .. } => Filled::Array(Arc::new(flags.finish())),
        }
    }

    /// Empties the dictionary; none if the column has none.
    fn take_texts(&mut self) -> Option<ArrayRef> {
        match self {
            Self::Text { dictionary, .. } => Some(dictionary.take()),
            _ => None,
        }
    }
}

/// All columns, being filled.
pub(in crate::emit) struct Buffers<K: Kind> {
    /// Those of each group.
    columns: Vec<Vec<Buffer<K>>>,
    rows: usize,
    text: usize,
}

impl<K: Kind> Buffers<K> {
    pub(in crate::emit) fn new() -> Self {
        let of_group = |group: &Group<K>| {
            group.columns.iter().map(|column| Buffer::new(&column.cells)).collect()
        };
        Self { columns: groups().map(of_group).collect(), rows: 0, text: 0 }
    }

    /// Fills batch after batch with the rows of the reports, and lets `cut` take each one when it is
    /// full. The last has what is left: it alone may be empty, if it is the only one.
    pub(in crate::emit) fn fill<R: Rows<Kind = K>>(
        &mut self,
        reports: &mut dyn Iterator<Item = R>,
        mut cut: impl FnMut(&mut Self) -> Result<(), EmitError>,
    ) -> Result<(), EmitError> {
        let mut is_first = true;
        for report in reports {
            let rows: Vec<Row<'_, K>> = report.rows().collect();
            let mut left = rows.as_slice();
            while !left.is_empty() {
                let (fitting, rest) = left.split_at(left.len().min(BATCH_ROWS - self.rows));
                self.push(fitting)?;
                left = rest;
                if self.is_full() {
                    cut(self)?;
                    is_first = false;
                }
            }
        }
        if self.rows > 0 || is_first { cut(self) } else { Ok(()) }
    }

    /// Appends rows of one report.
    fn push(&mut self, rows: &[Row<'_, K>]) -> Result<(), EmitError> {
        for (group, buffers) in groups::<K>().zip(&mut self.columns) {
            for alike in rows.chunk_by(group.repeats) {
                let Some(row) = alike.first() else { continue };
                for (buffer, column) in buffers.iter_mut().zip(group.columns) {
                    let grown = buffer.push(row, alike.len());
                    self.text += grown.ok_or(EmitError::TooMuchText { column: column.name })?;
                }
            }
        }
        self.rows += rows.len();
        Ok(())
    }

    /// Returns whether it is time to cut a batch.
    const fn is_full(&self) -> bool {
        self.rows >= BATCH_ROWS || self.text >= BATCH_TEXT
    }

    /// Cuts a batch, whose keys are those of the dictionaries as they are once all batches that share
    /// them are cut.
    pub(in crate::emit) fn take(&mut self) -> Batch {
        (self.rows, self.text) = (0, 0);
        Batch(self.columns.iter_mut().flatten().map(Buffer::take).collect())
    }

    /// Empties the dictionaries, a place a column.
    pub(in crate::emit) fn take_dictionaries(&mut self) -> Vec<Option<ArrayRef>> {
        self.columns.iter_mut().flatten().map(Buffer::take_texts).collect()
    }

    /// Cuts a batch with dictionaries of its own.
    pub(in crate::emit) fn take_whole(
        &mut self,
        schema: &SchemaRef,
    ) -> Result<RecordBatch, EmitError> {
        self.take().with(&self.take_dictionaries(), schema)
    }
}

/// The columns of a batch, which take a fraction of the memory that they take as Arrow's.
pub(in crate::emit) struct Batch(Vec<Filled>);

/// A column of a batch.
enum Filled {
    Keys(Runs<Int32Type>),
    Times(Runs<TimestampMicrosecondType>),
    Counts(Runs<Int64Type>),
    Ids(Ids),
    Array(ArrayRef),
}

impl Batch {
    /// Makes it one of Arrow's.
    pub(in crate::emit) fn with(
        self,
        dictionaries: &[Option<ArrayRef>],
        schema: &SchemaRef,
    ) -> Result<RecordBatch, EmitError> {
        let columns = self.0.into_iter().zip(dictionaries);
        let columns = columns.map(|(column, dictionary)| column.array(dictionary.as_ref()));
        let columns = columns.collect::<Result<Vec<ArrayRef>, EmitError>>()?;
        Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
    }
}

impl Filled {
    /// Makes it one of Arrow's; keys need their dictionary.
    fn array(self, dictionary: Option<&ArrayRef>) -> Result<ArrayRef, EmitError> {
        Ok(match self {
            Self::Keys(keys) => {
                let texts = dictionary.map_or_else(|| new_empty_array(&DataType::Utf8), Arc::clone);
                Arc::new(DictionaryArray::try_new(keys.array(), texts)?)
            }
            Self::Times(times) => Arc::new(times.array().with_timezone("UTC")),
            Self::Counts(counts) => Arc::new(counts.array()),
            Self::Ids(ids) => Arc::new(ids.array()),
            Self::Array(array) => array,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emit::columns::organizations::Organizations;
    use crate::report::organizations::{AccessReport, OrganizationsReport};
    use crate::report::{ErrorDetails, JobDates};

    #[test]
    fn a_dictionary_that_would_outgrow_its_offsets_is_refused() {
        let time = Time::from_micros(0);
        let report = OrganizationsReport {
            entity_path: "o-exampleorg01/r-ex01",
            policy_id: None,
            job: JobDates { creation: time, completion: time },
            proven: None,
            outcome: Err::<AccessReport<'_>, _>(ErrorDetails { code: "", message: "" }),
        };
        let rows: Vec<_> = report.rows().collect();
        for (space, fits) in [(21, true), (20, false)] {
            let mut buffers = Buffers::new();
            let Buffer::Text { dictionary, .. } = &mut buffers.columns[0][0] else { panic!() };
            dictionary.room = space;
            match buffers.push(&rows) {
                Ok(()) => assert!(fits),
                Err(error) => {
                    assert!(!fits && error.to_string().starts_with("column `ReportEntityPath`"));
                }
            }
        }
    }

    #[test]
    fn a_batch_is_full_by_its_rows_or_by_its_text() {
        let full = |rows, text| Buffers { rows, text, ..Buffers::<Organizations>::new() }.is_full();
        assert!(full(BATCH_ROWS, 0) && full(1, BATCH_TEXT));
        assert!(!full(BATCH_ROWS - 1, BATCH_TEXT - 1));
    }
}
