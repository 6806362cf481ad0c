//! Arrow batches of a rollup's tables, read row by row; what a row lacks is found here.

use arrow::array::{
    Array as _, ArrayRef, AsArray as _, BooleanArray, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};

use super::row::{Outcome, Row, RowKey, SourceRow};
use super::table::{ACCESS, SOURCE, Table};
use crate::event::EventId;
use crate::ledger::{Attempt, Entry, EntryKey};
use crate::time::{Day, Time};

/// The rows of a batch, to be read.
pub(super) struct Rows {
    length: usize,
    kinds: Option<(StringArray, StringArray)>,
    accesses: Option<Accesses>,
    sources: Option<Sources>,
    summaries: Option<Summaries>,
}

struct Summaries {
    date: StringArray,
    events: Int64Array,
    coverage: StringArray,
}

struct Accesses {
    account: StringArray,
    principal_arn: StringArray,
    principal_id: StringArray,
    event_source: StringArray,
    event_name: StringArray,
    service_namespace: StringArray,
    is_data_event: BooleanArray,
    latest: Attempts,
    /// Success, denial and first; none if only the latest attempts were read.
    others: Option<[Attempts; 3]>,
}

struct Attempts {
    time: TimestampMicrosecondArray,
    event_id: StringArray,
    region: StringArray,
    source: Option<StringArray>,
}

struct Sources {
    source: StringArray,
    size: Int64Array,
    modified: TimestampMicrosecondArray,
    etag: StringArray,
    read_time: TimestampMicrosecondArray,
    outcome: StringArray,
    /// Attribution and coverage, if they were read.
    others: Option<[StringArray; 2]>,
}

impl Rows {
    /// Takes a batch of a table, with all columns or, if it is not `whole`, with
    /// [`Table::first_columns`]; the error is what is wrong with a column.
    pub(super) fn new(table: Table, batch: &RecordBatch, whole: bool) -> Result<Self, String> {
        let rows = Self {
            length: batch.num_rows(),
            kinds: match table {
                Table::Partial => Some((text(batch, "row")?, text(batch, "date")?)),
                Table::Part | Table::Sources | Table::Coverage => None,
            },
            accesses: match table {
                Table::Part | Table::Partial => Some(Accesses::new(batch, whole)?),
                Table::Sources | Table::Coverage => None,
            },
            sources: match table {
                Table::Sources | Table::Partial => Some(Sources::new(batch, whole)?),
                Table::Part | Table::Coverage => None,
            },
            summaries: match table {
                Table::Coverage => Some(Summaries {
                    date: text(batch, "date")?,
                    events: int(batch, "events")?,
                    coverage: text(batch, "coverage")?,
                }),
                Table::Part | Table::Sources | Table::Partial => None,
            },
        };
        Ok(rows)
    }

    pub(super) const fn len(&self) -> usize {
        self.length
    }

    /// Returns the key of a row, as [`Rows::get`] the row.
    pub(super) fn key(&self, index: usize, day: Option<Day>) -> Option<RowKey<'_>> {
        match self.kind(index)? {
            Kind::Access(accesses, own_day) => {
                accesses.key(index, own_day.or(day)).map(RowKey::Access)
            }
            Kind::Source(sources) => opt(&sources.source, index).map(RowKey::Source),
        }
    }

    /// Returns a row; accesses without a date of their own are of `day`. None if it lacks what
    /// every row of its kind has, or there is none.
    pub(super) fn get(&self, index: usize, day: Option<Day>) -> Option<Row<'_>> {
        match self.kind(index)? {
            Kind::Access(accesses, own_day) => {
                accesses.get(index, own_day.or(day)).map(Row::Access)
            }
            Kind::Source(sources) => sources.get(index).map(Row::Source),
        }
    }

    /// Returns the accesses; those without a date of their own are of `day`.
    pub(super) fn accesses(&self, day: Option<Day>) -> impl Iterator<Item = Entry<'_>> {
        (0..self.length).filter_map(move |index| match self.get(index, day) {
            Some(Row::Access(entry)) => Some(entry),
            _ => None,
        })
    }

    /// Returns what sources came to: the day, its events, and the JSON.
    pub(super) fn summaries(&self) -> impl Iterator<Item = (Option<Day>, u64, &str)> {
        let rows = self.summaries.iter();
        rows.flat_map(|rows| {
            (0..self.length).filter_map(|index| {
                let day = opt(&rows.date, index).and_then(Day::parse);
                let events = u64::try_from(rows.events.value(index)).ok()?;
                Some((day, events, opt(&rows.coverage, index)?))
            })
        })
    }

    /// Returns whether a row has all that every row of its kind has, its attempts on their day.
    pub(super) fn is_whole(&self, index: usize, day: Option<Day>) -> bool {
        match self.kind(index) {
            Some(Kind::Access(accesses, own_day)) => accesses.is_whole(index, own_day.or(day)),
            Some(Kind::Source(sources)) => sources.get(index).is_some(),
            None => self.summaries.as_ref().is_some_and(|rows| rows.is_whole(index)),
        }
    }

    /// Returns of which kind a row is, and where its cells are; of an access also its own day.
    fn kind(&self, index: usize) -> Option<Kind<'_>> {
        if index >= self.length {
            return None;
        }
        match (&self.kinds, &self.accesses, &self.sources) {
            (Some((kinds, dates)), Some(accesses), Some(sources)) => match opt(kinds, index)? {
                ACCESS => Some(Kind::Access(accesses, Some(Day::parse(opt(dates, index)?)?))),
                SOURCE => Some(Kind::Source(sources)),
                _ => None,
            },
            (None, Some(accesses), _) => Some(Kind::Access(accesses, None)),
            (None, None, Some(sources)) => Some(Kind::Source(sources)),
            _ => None,
        }
    }
}

/// Where the cells of a row are.
enum Kind<'r> {
    Access(&'r Accesses, Option<Day>),
    Source(&'r Sources),
}

impl Summaries {
    fn is_whole(&self, index: usize) -> bool {
        let is_day = opt(&self.date, index).is_none_or(|date| Day::parse(date).is_some());
        let has_events = self.events.is_valid(index) && self.events.value(index) >= 0;
        is_day && has_events && self.coverage.is_valid(index)
    }
}

impl Accesses {
    fn new(batch: &RecordBatch, is_whole: bool) -> Result<Self, String> {
        let attempts = |name: &str| Attempts::new(batch, name, is_whole);
        Ok(Self {
            account: text(batch, "account_id")?,
            principal_arn: text(batch, "principal_arn")?,
            principal_id: text(batch, "principal_id")?,
            event_source: text(batch, "event_source")?,
            event_name: text(batch, "event_name")?,
            service_namespace: text(batch, "service_namespace")?,
            is_data_event: column(batch, "data_event", "boolean", |it| {
                it.as_boolean_opt().cloned()
            })?,
            latest: attempts("latest")?,
            others: if is_whole {
                Some([attempts("success")?, attempts("denial")?, attempts("first")?])
            } else {
                None
            },
        })
    }

    fn get(&self, index: usize, day: Option<Day>) -> Option<Entry<'_>> {
        let latest = self.latest.get(index)?;
        let (success, denial, first) = match &self.others {
            Some([success, denial, first]) => {
                (success.get(index), denial.get(index), first.get(index)?)
            }
            None => (None, None, latest),
        };
        let EntryKey {
            day,
            account,
            principal_arn,
            principal_id,
            event_source,
            event_name,
            service_namespace,
            is_data_event,
        } = self.key(index, day)?;
        Some(Entry {
            day,
            account,
            principal_arn,
            principal_id,
            event_source,
            event_name,
            service_namespace,
            is_data_event,
            latest,
            success,
            denial,
            first,
        })
    }

    fn is_whole(&self, index: usize, day: Option<Day>) -> bool {
        let [success, denial, first] = match &self.others {
            Some([success, denial, first]) => [Some(success), Some(denial), Some(first)],
            None => [None; 3],
        };
        let is_there = |attempts: Option<&Attempts>| {
            attempts.is_none_or(|attempts| attempts.time.is_valid(index))
        };
        let is_on_day = |attempts: Option<&Attempts>| {
            let time = attempts.and_then(|attempts| opt_time(&attempts.time, index));
            time.is_none_or(|time| day.is_none_or(|day| time.day() == day))
        };
        let latest = Some(&self.latest);
        [&self.account, &self.event_source, &self.event_name].iter().all(|it| it.is_valid(index))
            && self.is_data_event.is_valid(index)
            && is_there(latest)
            && is_there(first)
            && [latest, success, denial, first].into_iter().all(is_on_day)
    }

    fn key(&self, index: usize, day: Option<Day>) -> Option<EntryKey<'_>> {
        let is_valid = self.is_data_event.is_valid(index);
        Some(EntryKey {
            day,
            account: opt(&self.account, index)?,
            principal_arn: opt(&self.principal_arn, index),
            principal_id: opt(&self.principal_id, index),
            event_source: opt(&self.event_source, index)?,
            event_name: opt(&self.event_name, index)?,
            service_namespace: opt(&self.service_namespace, index),
            is_data_event: is_valid.then(|| self.is_data_event.value(index))?,
        })
    }
}

impl Attempts {
    fn new(batch: &RecordBatch, name: &str, with_source: bool) -> Result<Self, String> {
        let text = |member: &str| text(batch, &format!("{name}_{member}"));
        Ok(Self {
            time: time(batch, &format!("{name}_time"))?,
            event_id: text("event_id")?,
            region: text("region")?,
            source: with_source.then(|| text("source")).transpose()?,
        })
    }

    fn get(&self, index: usize) -> Option<Attempt<'_>> {
        Some(Attempt {
            time: opt_time(&self.time, index)?,
            event_id: opt(&self.event_id, index).map(EventId::parse),
            region: opt(&self.region, index),
            source: self.source.as_ref().and_then(|source| opt(source, index)),
        })
    }
}

impl Sources {
    fn new(batch: &RecordBatch, is_whole: bool) -> Result<Self, String> {
        Ok(Self {
            source: text(batch, "source")?,
            size: int(batch, "size")?,
            modified: time(batch, "modified")?,
            etag: text(batch, "etag")?,
            read_time: time(batch, "read_time")?,
            outcome: text(batch, "outcome")?,
            others: if is_whole {
                Some([text(batch, "attribution")?, text(batch, "coverage")?])
            } else {
                None
            },
        })
    }

    fn get(&self, index: usize) -> Option<SourceRow<'_>> {
        let size = self.size.is_valid(index).then(|| self.size.value(index));
        let (attribution, coverage) = match &self.others {
            Some([attribution, coverage]) => (opt(attribution, index)?, opt(coverage, index)?),
            None => ("", ""),
        };
        Some(SourceRow {
            source: opt(&self.source, index)?,
            size: size.and_then(|size| u64::try_from(size).ok()),
            modified: opt_time(&self.modified, index),
            etag: opt(&self.etag, index),
            read_time: opt_time(&self.read_time, index)?,
            outcome: Outcome::parse(opt(&self.outcome, index)?)?,
            attribution,
            coverage,
        })
    }
}

fn opt(column: &StringArray, index: usize) -> Option<&str> {
    column.is_valid(index).then(|| column.value(index))
}

fn opt_time(column: &TimestampMicrosecondArray, index: usize) -> Option<Time> {
    column.is_valid(index).then(|| Time::from_micros(column.value(index)))
}

fn text(batch: &RecordBatch, name: &str) -> Result<StringArray, String> {
    column(batch, name, "utf8", |it| it.as_string_opt::<i32>().cloned())
}

fn int(batch: &RecordBatch, name: &str) -> Result<Int64Array, String> {
    column(batch, name, "int64", |it| it.as_primitive_opt::<Int64Type>().cloned())
}

fn time(batch: &RecordBatch, name: &str) -> Result<TimestampMicrosecondArray, String> {
    column(batch, name, "timestamp in microseconds", |it| {
        it.as_primitive_opt::<TimestampMicrosecondType>().cloned()
    })
}

fn column<T>(
    batch: &RecordBatch,
    name: &str,
    wanted: &str,
    of: impl FnOnce(&ArrayRef) -> Option<T>,
) -> Result<T, String> {
    let column = batch.column_by_name(name).ok_or_else(|| format!("column `{name}` is missing"))?;
    of(column)
        .ok_or_else(|| format!("column `{name}` is of type {}, not {wanted}", column.data_type()))
}
