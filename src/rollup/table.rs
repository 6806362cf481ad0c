//! The columns of a rollup's files and of partial streams: rows made into Arrow batches, and read
//! back. Knows neither files nor what the rows are for.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::{
    Array as _, ArrayRef, AsArray as _, BooleanArray, BooleanBuilder, Int64Array, Int64Builder,
    RecordBatch, StringArray, StringBuilder, TimestampMicrosecondArray,
    TimestampMicrosecondBuilder,
};
use arrow::datatypes::{
    DataType, Field, Int64Type, Schema, SchemaRef, TimeUnit, TimestampMicrosecondType,
};
use arrow::error::ArrowError;

use super::row::{Outcome, Row, RowKey, SourceRow};
use crate::event::EventId;
use crate::ledger::{Attempt, Entry, EntryKey};
use crate::time::{Day, Time};

/// Rows of a batch: of many streams that are merged, one each is in memory.
const BATCH_ROWS: usize = 1024;

/// Bytes of text after which a batch is full: no column of it can outgrow its 32-bit offsets.
const BATCH_TEXT: usize = 64 << 20;

/// What stands in the column `row` of partial streams.
const ACCESS: &str = "access";
const SOURCE: &str = "source";

/// A kind of table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    /// Last accesses of one day.
    Part,
    /// What a run read.
    Sources,
    /// What that came to together, by day.
    Coverage,
    /// Both, with the day of each access.
    Partial,
}

#[derive(Clone, Copy)]
enum Type {
    Text,
    /// Texts of which hardly any stands twice.
    Id,
    Time,
    Int,
    Flag,
}

struct Column {
    name: &'static str,
    of: Type,
    nullable: bool,
}

const fn always(name: &'static str, of: Type) -> Column {
    Column { name, of, nullable: false }
}

const fn nullable(name: &'static str, of: Type) -> Column {
    Column { name, of, nullable: true }
}

const KIND_COLUMNS: [Column; 2] = [always("row", Type::Text), nullable("date", Type::Text)];

const ACCESS_COLUMNS: [Column; 23] = [
    always("account_id", Type::Text),
    nullable("principal_arn", Type::Text),
    nullable("principal_id", Type::Text),
    always("event_source", Type::Text),
    always("event_name", Type::Text),
    nullable("service_namespace", Type::Text),
    always("data_event", Type::Flag),
    always("latest_time", Type::Time),
    nullable("latest_event_id", Type::Id),
    nullable("latest_region", Type::Text),
    nullable("latest_source", Type::Text),
    nullable("success_time", Type::Time),
    nullable("success_event_id", Type::Id),
    nullable("success_region", Type::Text),
    nullable("success_source", Type::Text),
    nullable("denial_time", Type::Time),
    nullable("denial_event_id", Type::Id),
    nullable("denial_region", Type::Text),
    nullable("denial_source", Type::Text),
    always("first_time", Type::Time),
    nullable("first_event_id", Type::Id),
    nullable("first_region", Type::Text),
    nullable("first_source", Type::Text),
];

const SOURCE_COLUMNS: [Column; 8] = [
    always("source", Type::Id),
    nullable("size", Type::Int),
    nullable("modified", Type::Time),
    nullable("etag", Type::Id),
    always("read_time", Type::Time),
    always("outcome", Type::Text),
    always("attribution", Type::Text),
    always("coverage", Type::Text),
];

const COVERAGE_COLUMNS: [Column; 3] =
    [nullable("date", Type::Text), always("events", Type::Int), always("coverage", Type::Text)];

/// The columns of which a report needs the latest attempt alone: those of the key, and its time,
/// event id and Region.
const LATEST_COLUMNS: usize = 10;

/// The columns that tell which source it is, and whether it is folded.
const IDENTITY_COLUMNS: usize = 6;

impl Table {
    fn columns(self) -> impl Iterator<Item = &'static Column> {
        let groups: [&'static [Column]; 3] = match self {
            Self::Part => [&ACCESS_COLUMNS, &[], &[]],
            Self::Sources => [&SOURCE_COLUMNS, &[], &[]],
            Self::Coverage => [&COVERAGE_COLUMNS, &[], &[]],
            Self::Partial => [&KIND_COLUMNS, &ACCESS_COLUMNS, &SOURCE_COLUMNS],
        };
        groups.into_iter().flatten()
    }

    /// Returns the schema, without metadata.
    pub(super) fn schema(self) -> Schema {
        let field = |column: &Column| {
            let data_type = match column.of {
                Type::Text | Type::Id => DataType::Utf8,
                Type::Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
                Type::Int => DataType::Int64,
                Type::Flag => DataType::Boolean,
            };
            // Whoever takes streams apart and puts them together knows no column that is never null.
            let is_nullable = column.nullable || self == Self::Partial;
            Field::new(column.name, data_type, is_nullable)
        };
        Schema::new(self.columns().map(field).collect::<Vec<_>>())
    }

    /// Returns the names of columns in which hardly any text stands twice.
    pub(super) fn id_columns(self) -> impl Iterator<Item = &'static str> {
        self.columns().filter(|column| matches!(column.of, Type::Id)).map(|column| column.name)
    }

    /// Returns the names of the columns that are needed where not everything is: what tells the
    /// latest attempts, and which sources are folded.
    pub(super) fn first_columns(self) -> impl Iterator<Item = &'static str> {
        let count = match self {
            Self::Part => LATEST_COLUMNS,
            Self::Sources => IDENTITY_COLUMNS,
            Self::Coverage | Self::Partial => usize::MAX,
        };
        self.columns().take(count).map(|column| column.name)
    }
}

/// Rows on their way into batches.
pub(super) struct Batches {
    table: Table,
    schema: SchemaRef,
    columns: Vec<Builder>,
    rows: usize,
    text: usize,
}

enum Builder {
    Text(StringBuilder),
    Time(TimestampMicrosecondBuilder),
    Int(Int64Builder),
    Flag(BooleanBuilder),
}

enum Cell<'a> {
    Null,
    Text(Option<&'a str>),
    Id(Option<EventId<'a>>),
    Time(Option<Time>),
    Int(Option<u64>),
    Flag(bool),
}

impl Batches {
    pub(super) fn new(table: Table, schema: SchemaRef) -> Self {
        let builder = |column: &Column| match column.of {
            Type::Text | Type::Id => Builder::Text(StringBuilder::new()),
            Type::Time => Builder::Time(TimestampMicrosecondBuilder::new().with_timezone("UTC")),
            Type::Int => Builder::Int(Int64Builder::new()),
            Type::Flag => Builder::Flag(BooleanBuilder::new()),
        };
        Self { table, schema, columns: table.columns().map(builder).collect(), rows: 0, text: 0 }
    }

    /// Adds a row. In a part the day goes without saying.
    pub(super) fn push(&mut self, row: &Row<'_>) {
        let day = match row {
            Row::Access(entry) => entry.day.map(|day| day.to_string()),
            Row::Source(_) => None,
        };
        let nothing = |count: usize| (0..count).map(|_| Cell::Null);
        let mut cells: Vec<Cell<'_>> = Vec::with_capacity(self.columns.len());
        if self.table == Table::Partial {
            let kind = match row {
                Row::Access(_) => ACCESS,
                Row::Source(_) => SOURCE,
            };
            cells.extend([Cell::Text(Some(kind)), Cell::Text(day.as_deref())]);
        }
        match (row, self.table) {
            (Row::Access(entry), Table::Part) => cells.extend(access_cells(entry)),
            (Row::Source(source), Table::Sources) => cells.extend(source_cells(source)),
            (Row::Access(entry), _) => {
                cells.extend(access_cells(entry));
                cells.extend(nothing(SOURCE_COLUMNS.len()));
            }
            (Row::Source(source), _) => {
                cells.extend(nothing(ACCESS_COLUMNS.len()));
                cells.extend(source_cells(source));
            }
        }
        self.push_cells(cells);
    }

    /// Adds what the sources of a run came to on a day, or without the accesses of any day.
    pub(super) fn push_coverage(&mut self, day: Option<Day>, events: u64, coverage: &str) {
        let day = day.map(|day| day.to_string());
        let cells =
            [Cell::Text(day.as_deref()), Cell::Int(Some(events)), Cell::Text(Some(coverage))];
        self.push_cells(cells);
    }

    fn push_cells<'c>(&mut self, cells: impl IntoIterator<Item = Cell<'c>>) {
        for (builder, cell) in self.columns.iter_mut().zip(cells) {
            self.text += builder.push(&cell);
        }
        self.rows += 1;
    }

    pub(super) const fn is_full(&self) -> bool {
        self.rows >= BATCH_ROWS || self.text >= BATCH_TEXT
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Returns the rows as a batch, and begins another one.
    pub(super) fn take(&mut self) -> Result<RecordBatch, ArrowError> {
        (self.rows, self.text) = (0, 0);
        let columns = self.columns.iter_mut().map(Builder::finish).collect();
        RecordBatch::try_new(Arc::clone(&self.schema), columns)
    }
}

impl Builder {
    /// Adds a cell; returns the bytes of its text.
    fn push(&mut self, cell: &Cell<'_>) -> usize {
        match (self, cell) {
            (Self::Text(column), Cell::Text(Some(text))) => {
                column.append_value(text);
                return text.len();
            }
            (Self::Text(column), Cell::Id(Some(id))) => {
                // Writing into the column fails never.
                let _ = write!(column, "{id}");
                column.append_value("");
                return if let EventId::Text(text) = id { text.len() } else { 36 };
            }
            (Self::Text(column), _) => column.append_null(),
            (Self::Time(column), Cell::Time(time)) => {
                column.append_option(time.map(Time::micros));
            }
            (Self::Time(column), _) => column.append_null(),
            (Self::Int(column), Cell::Int(number)) => {
                column.append_option(number.and_then(|number| i64::try_from(number).ok()));
            }
            (Self::Int(column), _) => column.append_null(),
            (Self::Flag(column), Cell::Flag(flag)) => column.append_value(*flag),
            (Self::Flag(column), _) => column.append_null(),
        }
        0
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(column) => Arc::new(column.finish()),
            Self::Time(column) => Arc::new(column.finish()),
            Self::Int(column) => Arc::new(column.finish()),
            Self::Flag(column) => Arc::new(column.finish()),
        }
    }
}

fn access_cells<'a>(entry: &Entry<'a>) -> [Cell<'a>; ACCESS_COLUMNS.len()] {
    let [a, b, c, d] = attempt_cells(Some(entry.latest));
    let [e, f, g, h] = attempt_cells(entry.success);
    let [i, j, k, l] = attempt_cells(entry.denial);
    let [m, n, o, p] = attempt_cells(Some(entry.first));
    [
        Cell::Text(Some(entry.account)),
        Cell::Text(entry.principal_arn),
        Cell::Text(entry.principal_id),
        Cell::Text(Some(entry.event_source)),
        Cell::Text(Some(entry.event_name)),
        Cell::Text(entry.service_namespace),
        Cell::Flag(entry.is_data_event),
        a,
        b,
        c,
        d,
        e,
        f,
        g,
        h,
        i,
        j,
        k,
        l,
        m,
        n,
        o,
        p,
    ]
}

fn attempt_cells(attempt: Option<Attempt<'_>>) -> [Cell<'_>; 4] {
    [
        Cell::Time(attempt.map(|it| it.time)),
        Cell::Id(attempt.and_then(|it| it.event_id)),
        Cell::Text(attempt.and_then(|it| it.region)),
        Cell::Text(attempt.and_then(|it| it.source)),
    ]
}

fn source_cells<'a>(row: &SourceRow<'a>) -> [Cell<'a>; SOURCE_COLUMNS.len()] {
    [
        Cell::Text(Some(row.source)),
        Cell::Int(row.size),
        Cell::Time(row.modified),
        Cell::Text(row.etag),
        Cell::Time(Some(row.read_time)),
        Cell::Text(Some(row.outcome.name())),
        Cell::Text(Some(row.attribution)),
        Cell::Text(Some(row.coverage)),
    ]
}

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
