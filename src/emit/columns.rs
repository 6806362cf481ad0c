//! Columns of rows, for Arrow, Parquet and CSV alike: the types of cells, and what a kind of report
//! says of its rows. What the columns are is said in a file a kind.

mod attempts;
mod buffers;
mod entities;
mod organizations;
mod service;

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Metadata, Schema, SchemaRef, TimeUnit};

pub(super) use self::buffers::{BATCH_ROWS, Buffers};
use super::{Layout, SCHEMA_VERSION};

use crate::report::attempt::{Attempt, Attempts, EventId};
use crate::time::Time;

/// A report that is written as rows.
pub trait Rows {
    /// What its rows are.
    type Kind: Kind;

    /// Returns the rows of the report.
    fn rows(&self) -> impl Iterator<Item = Row<'_, Self::Kind>>;
}

/// A kind of report: what its columns are, whatever lifetime the report has.
pub trait Kind: Sized + 'static {
    /// The report.
    type Report<'r>: 'r;

    /// What of the report a row is about.
    type Element<'r>: Copy;

    /// The AWS operation whose reply the rows are.
    const REPORT: &'static str;

    /// The columns, in order, without those of the attempts, which stand behind them.
    const COLUMNS: &'static [Group<Self>];

    /// The names of the columns that say whose attempts they were: the latest success, the latest
    /// denial, the first attempt.
    const ENTITY_COLUMNS: [&'static str; 3];

    /// Returns the attempts of a row.
    fn attempts<'r>(row: &Row<'r, Self>) -> Option<&'r Attempts<'r>>;
}

/// One row of a kind of report.
pub struct Row<'r, K: Kind> {
    report: &'r K::Report<'r>,
    /// None where the report has nothing to list, which no format is silent about.
    element: Option<K::Element<'r>>,
}

impl<'r, K: Kind> Row<'r, K> {
    fn latest(&self) -> Option<Attempt<'r>> {
        Some(K::attempts(self)?.latest)
    }

    fn success(&self) -> Option<Attempt<'r>> {
        K::attempts(self)?.success
    }

    fn denial(&self) -> Option<Attempt<'r>> {
        K::attempts(self)?.denial
    }

    fn first(&self) -> Option<Attempt<'r>> {
        Some(K::attempts(self)?.first)
    }
}

/// One column: its name, whether a cell may be null, and where the cells come from.
pub(super) struct Column<K: Kind> {
    pub(super) name: &'static str,
    pub(super) nullable: bool,
    pub(super) cells: Cells<K>,
}

/// The cell of a row, of the type `T`.
type Cell<K, T> = for<'r> fn(&Row<'r, K>) -> T;

/// The text in a row, borrowed from its report.
type TextCell<K> = for<'r> fn(&Row<'r, K>) -> Option<&'r str>;

/// The id in a row.
type EventIdCell<K> = for<'r> fn(&Row<'r, K>) -> Option<EventId<'r>>;

/// Where the cells of a column come from, and so its type.
pub(super) enum Cells<K: Kind> {
    /// Text that repeats: `dictionary<int32, utf8>`.
    Text(TextCell<K>),
    /// Ids that hardly repeat: `utf8`.
    EventId(EventIdCell<K>),
    /// An instant as logged: `timestamp(µs, UTC)`; whole seconds where it is printed.
    Time(Cell<K, Option<Time>>),
    /// A date of a job: `timestamp(µs, UTC)`; milliseconds where it is printed.
    JobDate(Cell<K, Time>),
    /// A number of things: `int64`.
    Count(Cell<K, Option<u64>>),
    /// Yes or no: `bool`.
    Flag(Cell<K, Option<bool>>),
}

impl<K: Kind> Cells<K> {
    fn data_type(&self) -> DataType {
        match self {
            Self::Text(_) => {
                DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
            }
            Self::EventId(_) => DataType::Utf8,
            Self::Time(_) | Self::JobDate(_) => {
                DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
            }
            Self::Count(_) => DataType::Int64,
            Self::Flag(_) => DataType::Boolean,
        }
    }
}

impl<K: Kind> Column<K> {
    const fn never_null(name: &'static str, cells: Cells<K>) -> Self {
        Self { name, nullable: false, cells }
    }

    const fn text(name: &'static str, cell: TextCell<K>) -> Self {
        Self { name, nullable: true, cells: Cells::Text(cell) }
    }

    const fn event_id(name: &'static str, cell: EventIdCell<K>) -> Self {
        Self { name, nullable: true, cells: Cells::EventId(cell) }
    }

    const fn time(name: &'static str, cell: Cell<K, Option<Time>>) -> Self {
        Self { name, nullable: true, cells: Cells::Time(cell) }
    }

    const fn count(name: &'static str, cell: Cell<K, Option<u64>>) -> Self {
        Self { name, nullable: true, cells: Cells::Count(cell) }
    }

    const fn flag(name: &'static str, cell: Cell<K, Option<bool>>) -> Self {
        Self { name, nullable: true, cells: Cells::Flag(cell) }
    }
}

/// Columns that stand side by side and whose cells repeat in the same rows.
pub struct Group<K: Kind> {
    /// Whether a row of a report is known to have the cells of the row before it.
    repeats: for<'r> fn(&Row<'r, K>, &Row<'r, K>) -> bool,
    columns: &'static [Column<K>],
}

/// Returns the columns of a kind, in order, by group.
fn groups<K: Kind>() -> impl Iterator<Item = &'static Group<K>> {
    K::COLUMNS.iter().chain([attempts::columns()])
}

/// Returns the columns of a kind, in order.
pub(super) fn columns<K: Kind>() -> impl Iterator<Item = &'static Column<K>> {
    groups().flat_map(|group| group.columns)
}

/// Returns the columns as Arrow's schema.
pub(super) fn schema<K: Kind>(layout: &Layout) -> SchemaRef {
    let fields = columns::<K>()
        .map(|column| Field::new(column.name, column.cells.data_type(), column.nullable));
    Arc::new(Schema::new_with_metadata(fields.collect::<Vec<_>>(), metadata::<K>(layout)))
}

/// Returns the metadata of the schema: the caller's, and ours, which comes last and so wins.
fn metadata<K: Kind>(layout: &Layout) -> Metadata {
    layout
        .metadata
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .chain([
            ("trailfold.schema.version", SCHEMA_VERSION),
            ("trailfold.schema.report", K::REPORT),
        ])
        .collect()
}
