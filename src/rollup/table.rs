//! The columns of a rollup's files and of partial streams, and rows made into Arrow batches. Knows
//! neither files nor what the rows are for.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Int64Builder, RecordBatch, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;

use super::row::{Row, SourceRow};
use crate::event::EventId;
use crate::ledger::{Attempt, Entry};
use crate::time::{Day, Time};

/// Rows of a batch: of many streams that are merged, one each is in memory.
const BATCH_ROWS: usize = 1024;

/// Bytes of text after which a batch is full: no column of it can outgrow its 32-bit offsets.
const BATCH_TEXT: usize = 64 << 20;

/// What stands in the column `row` of partial streams.
pub(super) const ACCESS: &str = "access";
pub(super) const SOURCE: &str = "source";

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
