//! Columns being filled row by row, which Arrow's batches are cut from; knows no kind of report.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::{
    Array as _, ArrayRef, BooleanBuilder, Int32Array, Int64Builder, RecordBatch, StringArray,
    StringBuilder, StringDictionaryBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{Int32Type, SchemaRef};

use super::{Cell, Cells, EventIdCell, Kind, Row, TextCell, columns};
use crate::emit::EmitError;

use crate::report::attempt::EventId;
use crate::time::Time;

/// Rows of a batch, at most.
pub(in crate::emit) const BATCH_ROWS: usize = 65_536;

/// A batch is full with this much text, whatever its rows.
const BATCH_TEXT: usize = 64 << 20;

/// Arrow's offsets into the text of a column are 32 bits wide.
const MAX_COLUMN_TEXT: usize = i32::MAX as usize;

/// A column that is being filled.
enum Buffer<K: Kind> {
    Text {
        cell: TextCell<K>,
        keys: StringDictionaryBuilder<Int32Type>,
        /// Texts in the dictionary.
        distinct: usize,
        /// Bytes of the texts in the dictionary.
        text: usize,
    },
    EventId {
        cell: EventIdCell<K>,
        ids: StringBuilder,
    },
    Time {
        cell: Cell<K, Option<Time>>,
        times: TimestampMicrosecondBuilder,
    },
    JobDate {
        cell: Cell<K, Time>,
        times: TimestampMicrosecondBuilder,
    },
    Count {
        cell: Cell<K, Option<u64>>,
        counts: Int64Builder,
    },
    Flag {
        cell: Cell<K, Option<bool>>,
        flags: BooleanBuilder,
    },
}

impl<K: Kind> Buffer<K> {
    fn new(cells: &Cells<K>) -> Self {
        let times = || TimestampMicrosecondBuilder::new().with_timezone("UTC");
        match *cells {
            Cells::Text(cell) => {
                Self::Text { cell, keys: StringDictionaryBuilder::new(), distinct: 0, text: 0 }
            }
            Cells::EventId(cell) => Self::EventId { cell, ids: StringBuilder::new() },
            Cells::Time(cell) => Self::Time { cell, times: times() },
            Cells::JobDate(cell) => Self::JobDate { cell, times: times() },
            Cells::Count(cell) => Self::Count { cell, counts: Int64Builder::new() },
            Cells::Flag(cell) => Self::Flag { cell, flags: BooleanBuilder::new() },
        }
    }

    /// Appends the cell of `row`. Returns by how many bytes the column's text grew, or nothing
    /// where it would outgrow the column.
    fn push(&mut self, row: &Row<'_, K>) -> Result<Option<usize>, EmitError> {
        match self {
            Self::Text { cell, keys, distinct, text } => {
                let Some(value) = cell(row) else {
                    keys.append_null();
                    return Ok(Some(0));
                };
                let grown = text.saturating_add(value.len());
                if grown > MAX_COLUMN_TEXT {
                    return Ok(None);
                }
                if usize::try_from(keys.append(value)?).is_ok_and(|key| key == *distinct) {
                    *distinct += 1;
                    *text = grown;
                    return Ok(Some(value.len()));
                }
            }
            Self::EventId { cell, ids } => {
                let Some(id) = cell(row) else {
                    ids.append_null();
                    return Ok(Some(0));
                };
                let before = ids.values_slice().len();
                if matches!(id, EventId::Text(text) if text.len() > MAX_COLUMN_TEXT - before) {
                    return Ok(None);
                }
                // Writing to a builder cannot fail.
                let _ = write!(ids, "{id}");
                ids.append_value("");
                return Ok(Some(ids.values_slice().len() - before));
            }
            Self::Time { cell, times } => times.append_option(cell(row).map(Time::micros)),
            Self::JobDate { cell, times } => times.append_value(cell(row).micros()),
            // No organization has 2^63 accounts.
            Self::Count { cell, counts } => counts
                .append_option(cell(row).map(|count| i64::try_from(count).unwrap_or(i64::MAX))),
            Self::Flag { cell, flags } => flags.append_option(cell(row)),
        }
        Ok(Some(0))
    }

    /// Empties a column that is no dictionary.
    fn finish_plain(&mut self) -> Option<ArrayRef> {
        Some(match self {
            Self::Text { .. } => return None,
            Self::EventId { ids, .. } => Arc::new(ids.finish()),
            Self::Time { times, .. } | Self::JobDate { times, .. } => Arc::new(times.finish()),
            Self::Count { counts, .. } => Arc::new(counts.finish()),
            Self::Flag { flags, .. } => Arc::new(flags.finish()),
        })
    }

    /// Empties the column, its dictionary too.
    fn finish(&mut self) -> ArrayRef {
        if let Self::Text { keys, distinct, text, .. } = self {
            (*distinct, *text) = (0, 0);
            return Arc::new(keys.finish());
        }
        self.finish_plain().unwrap_or_else(|| Arc::new(Int32Array::new_null(0)))
    }

    /// Empties the column, but its dictionary stays: of a dictionary only the keys are returned.
    fn finish_keys(&mut self) -> ArrayRef {
        if let Self::Text { keys, .. } = self {
            return Arc::new(keys.finish_preserve_values().keys().clone());
        }
        self.finish_plain().unwrap_or_else(|| Arc::new(Int32Array::new_null(0)))
    }
}

/// All columns, being filled row by row.
pub(in crate::emit) struct Buffers<K: Kind> {
    columns: Vec<Buffer<K>>,
    rows: usize,
    text: usize,
}

impl<K: Kind> Buffers<K> {
    pub(in crate::emit) fn new() -> Self {
        let columns = columns().map(|column| Buffer::new(&column.cells)).collect();
        Self { columns, rows: 0, text: 0 }
    }

    pub(in crate::emit) fn push(&mut self, row: &Row<'_, K>) -> Result<(), EmitError> {
        for (buffer, column) in self.columns.iter_mut().zip(columns::<K>()) {
            self.text += buffer.push(row)?.ok_or(EmitError::TooMuchText { column: column.name })?;
        }
        self.rows += 1;
        Ok(())
    }

    pub(in crate::emit) const fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Returns whether it is time to cut a batch.
    pub(in crate::emit) const fn is_full(&self) -> bool {
        self.rows >= BATCH_ROWS || self.text >= BATCH_TEXT
    }

    /// Cuts a batch with dictionaries of its own.
    pub(in crate::emit) fn take_batch(
        &mut self,
        schema: &SchemaRef,
    ) -> Result<RecordBatch, EmitError> {
        (self.rows, self.text) = (0, 0);
        let columns = self.columns.iter_mut().map(Buffer::finish).collect();
        Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
    }

    /// Cuts a batch in which the keys of a dictionary stand for its texts.
    pub(in crate::emit) fn take_keys(
        &mut self,
        schema: &SchemaRef,
    ) -> Result<RecordBatch, EmitError> {
        (self.rows, self.text) = (0, 0);
        let columns = self.columns.iter_mut().map(Buffer::finish_keys).collect();
        Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
    }

    /// Returns the dictionaries that the keys of all batches point into, a place a column.
    pub(in crate::emit) fn into_dictionaries(self) -> Vec<Option<Arc<StringArray>>> {
        let dictionary = |buffer| match buffer {
            Buffer::Text { mut keys, .. } => {
                let dictionary = keys.finish();
                let texts = dictionary.values().as_any().downcast_ref::<StringArray>();
                texts.cloned().map(Arc::new)
            }
            _ => None,
        };
        self.columns.into_iter().map(dictionary).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emit::columns::Rows as _;
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
        let row = report.rows().next().unwrap();
        let mut buffers = Buffers::new();
        for (space, fits) in [(21, true), (20, false)] {
            let Buffer::Text { text, .. } = &mut buffers.columns[0] else { panic!() };
            *text = MAX_COLUMN_TEXT - space;
            match buffers.push(&row) {
                Ok(()) => assert!(fits),
                Err(error) => {
                    assert!(!fits && error.to_string().starts_with("column `ReportEntityPath`"));
                }
            }
        }
    }

    #[test]
    fn a_batch_is_full_by_its_rows_or_by_its_text() {
        let full = |rows, text| {
            let columns: Vec<Buffer<Organizations>> = Vec::new();
            Buffers { columns, rows, text }.is_full()
        };
        assert!(full(BATCH_ROWS, 0) && full(1, BATCH_TEXT));
        assert!(!full(BATCH_ROWS - 1, BATCH_TEXT - 1));
    }
}
