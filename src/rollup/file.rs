//! The files of a rollup and partial streams: rows written, and read again as a lane.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::CompressionType;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::{IpcWriteOptions, StreamWriter};
use parquet::arrow::ArrowWriter;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::basic::Compression;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;
use serde_json::Value;

use super::lane::Lane;
use super::messages::Messages;
use super::row::{Row, RowKey};
use super::rows::Rows;
use super::table::{Batches, Table};
use super::{FORMAT_VERSION, RollupError, WriteError};
use crate::time::Day;

/// The metadata in which a file says its format version.
const VERSION_KEY: &str = "trailfold.rollup";

/// The metadata in which Spark keeps that of columns.
const SPARK_KEY: &str = "org.apache.spark.sql.parquet.row.metadata";

/// Rows of a row group: what a reader holds of a column at a time, encoded.
const ROW_GROUP_ROWS: usize = 1 << 15;

/// Rows that are read at a time.
const BATCH_ROWS: usize = 1 << 13;

fn schema(table: Table) -> SchemaRef {
    let metadata = [(VERSION_KEY.to_owned(), FORMAT_VERSION.to_string())];
    Arc::new(table.schema().with_metadata(BTreeMap::from(metadata)))
}

/// Rows on their way into a file or stream.
pub(super) struct Output<S: Sink> {
    name: PathBuf,
    batches: Batches,
    sink: S,
}

/// What takes batches.
pub(super) trait Sink {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), WriteError>;
}

impl Sink for ArrowWriter<File> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), WriteError> {
        Ok(Self::write(self, batch)?)
    }
}

impl<W: Write> Sink for StreamWriter<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), WriteError> {
        Ok(Self::write(self, batch)?)
    }
}

impl<S: Sink> Output<S> {
    pub(super) fn push(&mut self, row: &Row<'_>) -> Result<(), RollupError> {
        self.batches.push(row);
        if self.batches.is_full() { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), RollupError> {
        let Self { name, batches, sink } = self;
        let batch = batches.take().map_err(|error| RollupError::write(name, error))?;
        sink.write(&batch).map_err(|error| RollupError::write(name, error))
    }

    /// Writes what is left of the rows.
    fn end(mut self) -> Result<(PathBuf, S), RollupError> {
        if !self.batches.is_empty() {
            self.flush()?;
        }
        Ok((self.name, self.sink))
    }
}

/// A Parquet file that is being written.
pub(super) type ParquetFile = Output<ArrowWriter<File>>;

impl ParquetFile {
    pub(super) fn create(path: &Path, table: Table) -> Result<Self, RollupError> {
        let file = File::create(path).map_err(|error| RollupError::write(path, error))?;
        let schema = schema(table);
        let version = KeyValue::new(VERSION_KEY.to_owned(), FORMAT_VERSION.to_string());
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(Default::default()))
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .set_key_value_metadata(Some(vec![version]));
        for name in table.id_columns() {
            properties = properties.set_column_dictionary_enabled(ColumnPath::from(name), false);
        }
        let sink = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties.build()))
            .map_err(|error| RollupError::write(path, error))?;
        Ok(Self { name: path.to_owned(), batches: Batches::new(table, schema), sink })
    }

    /// Adds what the sources of a run came to on a day, or without the accesses of any day.
    pub(super) fn push_coverage(
        &mut self,
        day: Option<Day>,
        events: u64,
        coverage: &str,
    ) -> Result<(), RollupError> {
        self.batches.push_coverage(day, events, coverage);
        if self.batches.is_full() { self.flush() } else { Ok(()) }
    }

    /// Writes what is left, and sees the bytes safely on the disk.
    pub(super) fn finish(self) -> Result<PathBuf, RollupError> {
        let (path, writer) = self.end()?;
        let file = writer.into_inner().map_err(|error| RollupError::write(&path, error))?;
        file.sync_all().map_err(|error| RollupError::write(&path, error))?;
        Ok(path)
    }
}

/// A partial stream that is being written.
pub(super) type Stream<W> = Output<StreamWriter<W>>;

impl<W: Write> Stream<W> {
    pub(super) fn new(name: &Path, out: W) -> Result<Self, RollupError> {
        let schema = schema(Table::Partial);
        // Names of sources are most of a row, and much the same in all of them.
        let sink = IpcWriteOptions::default()
            .try_with_compression(Some(CompressionType::LZ4_FRAME))
            .and_then(|options| StreamWriter::try_new_with_options(out, &schema, options))
            .map_err(|error| RollupError::write(name, error))?;
        Ok(Self { name: name.to_owned(), batches: Batches::new(Table::Partial, schema), sink })
    }

    /// Writes what is left, and the mark behind the last row.
    pub(super) fn finish(self) -> Result<W, RollupError> {
        let (name, writer) = self.end()?;
        writer.into_inner().map_err(|error| RollupError::write(&name, error))
    }
}

/// Which columns of a file are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All.
    Everything,
    /// Of a part those of the latest attempts, which stand for the first, too; of sources those that
    /// tell whether they are folded.
    Essentials,
}

/// A Parquet file, and what its path tells.
pub(super) struct Part {
    pub(super) path: PathBuf,
    pub(super) table: Table,
    pub(super) day: Option<Day>,
}

/// Rows of files, one file behind the other.
pub(super) struct FileLane<'f> {
    rest: VecDeque<Part>,
    name: PathBuf,
    table: Table,
    day: Option<Day>,
    batches: Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + 'f>,
    wanted: Wanted,
    /// The last row of the batch before, which precedes the first of this one.
    before: Option<(Rows, Option<Day>)>,
    rows: Option<Rows>,
    /// The last row of this batch, on its own.
    last: Option<Rows>,
    at: usize,
    /// Rows of the file before this batch.
    read: usize,
}

impl<'f> FileLane<'f> {
    /// Reads Parquet files, of which each begins behind the last row of the one before.
    pub(super) fn of_parts(
        parts: impl IntoIterator<Item = Part>,
        wanted: Wanted,
    ) -> Result<Self, RollupError> {
        let name = PathBuf::new();
        let no_batches = std::iter::empty();
        Self::begin(name, Table::Part, no_batches, parts.into_iter().collect(), wanted)
    }

    /// Goes to the first row of the batches and, behind them, of the files that follow.
    fn begin(
        name: PathBuf,
        table: Table,
        batches: impl Iterator<Item = Result<RecordBatch, ArrowError>> + 'f,
        rest: VecDeque<Part>,
        wanted: Wanted,
    ) -> Result<Self, RollupError> {
        let mut lane = Self {
            rest,
            name,
            table,
            day: None,
            batches: Box::new(batches),
            wanted,
            before: None,
            rows: None,
            last: None,
            at: 0,
            read: 0,
        };
        lane.load()?;
        Ok(lane)
    }

    /// Reads a partial stream.
    pub(super) fn of_stream(name: &Path, input: impl Read + 'f) -> Result<Self, RollupError> {
        let is_broken = |error: ArrowError| RollupError::Stream(name.to_owned(), words(&error));
        let input = Messages::new(BufReader::with_capacity(1 << 16, input));
        let mut stream = StreamReader::try_new(input, None).map_err(is_broken)?;
        let schema = stream.schema();
        let version = schema.metadata().get(VERSION_KEY).map(String::as_str);
        refuse_version(name, Some(version.unwrap_or_default()))?;
        let expected = stream.get_mut().expect(&schema);
        expected.map_err(|what| RollupError::Column(name.to_owned(), what))?;
        let mut is_done = false;
        let batches = std::iter::from_fn(move || {
            let next = if is_done { None } else { stream.next() };
            if next.is_none() && !is_done {
                is_done = true;
                if !stream.get_ref().is_ended() {
                    let error = io::Error::from(io::ErrorKind::UnexpectedEof);
                    return Some(Err(ArrowError::IoError(CUT_OFF.to_owned(), error)));
                }
            }
            next
        });
        let no_files = VecDeque::new();
        Self::begin(name.to_owned(), Table::Partial, batches, no_files, Wanted::Everything)
    }

    /// Takes the next batch with a row in it.
    fn load(&mut self) -> Result<(), RollupError> {
        self.read += self.rows.take().as_ref().map_or(0, Rows::len);
        if let Some(last) = self.last.take() {
            self.before = Some((last, self.day));
        }
        self.at = 0;
        loop {
            match self.batches.next() {
                Some(Ok(batch)) if batch.num_rows() == 0 => {}
                Some(Ok(batch)) => {
                    let last = last_row(&batch)
                        .map_err(|error| RollupError::Stream(self.name.clone(), words(&error)))?;
                    let rows = |batch| {
                        Rows::new(self.table, batch, self.wanted == Wanted::Everything)
                            .map_err(|what| RollupError::Column(self.name.clone(), what))
                    };
                    (self.rows, self.last) = (Some(rows(&batch)?), Some(rows(&last)?));
                    return self.check();
                }
                Some(Err(error)) => {
                    return Err(RollupError::Stream(self.name.clone(), words(&error)));
                }
                None => match self.rest.pop_front() {
                    Some(part) => {
                        self.batches = Box::new(open(&part, self.wanted)?);
                        (self.name, self.table, self.day) = (part.path, part.table, part.day);
                        self.read = 0;
                    }
                    None => return Ok(()),
                },
            }
        }
    }

    /// Refuses a row that lacks what every row has, or stands behind one that it precedes.
    fn check(&self) -> Result<(), RollupError> {
        let Some(rows) = &self.rows else { return Ok(()) };
        let row = self.read + self.at + 1;
        let Some(key) = rows.key(self.at, self.day).filter(|_| rows.is_whole(self.at, self.day))
        else {
            return Err(RollupError::Row(self.name.clone(), row));
        };
        let before = match (self.at.checked_sub(1), &self.before) {
            (Some(before), _) => rows.key(before, self.day),
            (None, Some((last, day))) => last.key(0, *day),
            (None, None) => None,
        };
        if before.is_some_and(|before| before >= key) {
            return Err(RollupError::Order(self.name.clone(), row));
        }
        Ok(())
    }
}

impl Lane for FileLane<'_> {
    fn key(&self) -> Option<RowKey<'_>> {
        self.rows.as_ref()?.key(self.at, self.day)
    }

    fn row(&self) -> Option<Row<'_>> {
        self.rows.as_ref()?.get(self.at, self.day)
    }

    fn advance(&mut self) -> Result<(), RollupError> {
        self.at += 1;
        match &self.rows {
            Some(rows) if self.at < rows.len() => self.check(),
            _ => self.load(),
        }
    }
}

/// Returns a copy of the last row of a batch, which keeps no other row in memory.
fn last_row(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let last = u32::try_from(batch.num_rows()).unwrap_or(u32::MAX).saturating_sub(1);
    take_record_batch(batch, &UInt32Array::from(vec![last]))
}

/// Hands every batch of a part to `each`, each row of it whole.
pub(super) fn each_batch(
    part: &Part,
    wanted: Wanted,
    each: &mut dyn FnMut(&Rows),
) -> Result<(), RollupError> {
    let mut read = 0;
    for batch in open(part, wanted)? {
        let batch = batch.map_err(|error| RollupError::Stream(part.path.clone(), words(&error)))?;
        let rows = Rows::new(part.table, &batch, wanted == Wanted::Everything)
            .map_err(|what| RollupError::Column(part.path.clone(), what))?;
        if let Some(broken) = (0..rows.len()).find(|index| !rows.is_whole(*index, part.day)) {
            return Err(RollupError::Row(part.path.clone(), read + broken + 1));
        }
        each(&rows);
        read += rows.len();
    }
    Ok(())
}

/// Opens a Parquet file of a rollup, whoever wrote it.
fn open(part: &Part, wanted: Wanted) -> Result<ParquetRecordBatchReader, RollupError> {
    let path = &part.path;
    let file = File::open(path).map_err(|error| RollupError::Read(path.clone(), error))?;
    // The types are Parquet's own, not those that a writer's Arrow schema would make of them.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let parquet =
        |error: parquet::errors::ParquetError| RollupError::Stream(path.clone(), error.to_string());
    let builder =
        ParquetRecordBatchReaderBuilder::try_new_with_options(file, options).map_err(parquet)?;
    let metadata = builder.metadata().file_metadata().key_value_metadata();
    let value = |key: &str| {
        let pair = metadata?.iter().find(|pair| pair.key == key)?;
        pair.value.as_deref()
    };
    refuse_version(path, value(VERSION_KEY))?;
    let of_spark = value(SPARK_KEY).and_then(spark_version);
    refuse_version(path, of_spark.as_deref())?;
    let builder = match wanted {
        Wanted::Everything => builder,
        Wanted::Essentials => {
            let names = part.table.first_columns();
            let mask = ProjectionMask::columns(builder.parquet_schema(), names);
            builder.with_projection(mask)
        }
    };
    builder.with_batch_size(BATCH_ROWS).build().map_err(parquet)
}

/// Refuses a file that says it is of another version.
fn refuse_version(path: &Path, version: Option<&str>) -> Result<(), RollupError> {
    match version {
        Some(version) if version != FORMAT_VERSION.to_string() => {
            Err(RollupError::Version(path.to_owned(), version.to_owned()))
        }
        _ => Ok(()),
    }
}

/// Returns the format version that a column's metadata says, as Spark keeps it.
fn spark_version(metadata: &str) -> Option<String> {
    let metadata: Value = serde_json::from_str(metadata).ok()?;
    let mut fields = metadata.get("fields")?.as_array()?.iter();
    let version = fields.find_map(|field| field.get("metadata")?.get(VERSION_KEY))?;
    Some(version.as_str().map_or_else(|| version.to_string(), str::to_owned))
}

const CUT_OFF: &str = "cut off: the program that wrote it did not come to its end";

/// Returns what an error says that may come from reading.
fn words(error: &ArrowError) -> String {
    let is_cut = |error: &io::Error| error.kind() == io::ErrorKind::UnexpectedEof;
    match error {
        ArrowError::IoError(_, error) if is_cut(error) => CUT_OFF.to_owned(),
        ArrowError::IpcError(what) => format!("no partial stream: {what}"),
        ArrowError::IoError(words, _) => words.clone(),
        // As other programs write Parquet if they are not told.
        error if error.to_string().contains("Disabled feature") => {
            "compressed in a way that is not read here: write it with zstd or uncompressed"
                .to_owned()
        }
        ArrowError::ExternalError(error) => error.to_string(),
        error => error.to_string(),
    }
}
