//! Arrow IPC: a file, whose columns have one dictionary each, and a stream.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, DictionaryArray, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::{FileWriter, StreamWriter};

use super::columns::{self, Buffers, Kind, Rows};
use super::{EmitError, Layout, drain};

/// Writes an IPC file.
///
/// A file allows one dictionary a column, and readers that cannot seek want it before the first
/// batch. It is known after the last row, so the batches wait, compressed, until then.
pub(super) fn write_file<R: Rows>(
    layout: &Layout,
    reports: &mut dyn Iterator<Item = R>,
    out: &mut dyn Write,
) -> Result<(), EmitError> {
    let mut buffers = Buffers::<R::Kind>::new();
    let schema = columns::schema::<R::Kind>(layout);
    let mut waiting = Waiting::new(&schema)?;
    for report in reports {
        for row in report.rows() {
            buffers.push(&row)?;
            if buffers.is_full() {
                waiting.push(&mut buffers)?;
            }
        }
    }
    // One batch at least, without which some readers miss the dictionaries.
    if !buffers.is_empty() || waiting.is_empty {
        waiting.push(&mut buffers)?;
    }
    let dictionaries = buffers.into_dictionaries();
    let mut writer = FileWriter::try_new(Vec::new(), &schema)?;
    let compressed = waiting.finish()?;
    for batch in StreamReader::try_new(zstd::Decoder::new(&compressed[..])?, None)? {
        writer.write(&with_dictionaries(&batch?, &dictionaries, &schema)?)?;
        drain(writer.get_mut(), out)?;
    }
    writer.finish()?;
    Ok(drain(writer.get_mut(), out)?)
}

/// Writes an IPC stream, each batch as soon as it is full.
pub(super) fn write_stream<R: Rows>(
    layout: &Layout,
    reports: &mut dyn Iterator<Item = R>,
    out: &mut dyn Write,
) -> Result<(), EmitError> {
    let schema = columns::schema::<R::Kind>(layout);
    let mut buffers = Buffers::<R::Kind>::new();
    let mut writer = StreamWriter::try_new(Vec::new(), &schema)?;
    let mut is_empty = true;
    for report in reports {
        for row in report.rows() {
            buffers.push(&row)?;
            if buffers.is_full() {
                writer.write(&buffers.take_batch(&schema)?)?;
                drain(writer.get_mut(), out)?;
                is_empty = false;
            }
        }
    }
    if !buffers.is_empty() || is_empty {
        writer.write(&buffers.take_batch(&schema)?)?;
    }
    writer.finish()?;
    Ok(drain(writer.get_mut(), out)?)
}

/// Batches of keys, compressed in memory until their dictionaries are complete.
struct Waiting {
    schema: SchemaRef,
    batches: StreamWriter<zstd::Encoder<'static, Vec<u8>>>,
    is_empty: bool,
}

impl Waiting {
    fn new(schema: &Schema) -> Result<Self, EmitError> {
        let schema: SchemaRef = Arc::new(key_schema(schema));
        let batches = StreamWriter::try_new(zstd::Encoder::new(Vec::new(), 1)?, &schema)?;
        Ok(Self { schema, batches, is_empty: true })
    }

    fn push(&mut self, buffers: &mut Buffers<impl Kind>) -> Result<(), EmitError> {
        self.batches.write(&buffers.take_keys(&self.schema)?)?;
        self.is_empty = false;
        Ok(())
    }

    fn finish(self) -> Result<Vec<u8>, EmitError> {
        Ok(self.batches.into_inner()?.finish()?)
    }
}

/// Returns the schema in which the keys of a dictionary stand for its texts.
fn key_schema(schema: &Schema) -> Schema {
    let key = |field: &Arc<Field>| match field.data_type() {
        DataType::Dictionary(key, _) => {
            Arc::new(field.as_ref().clone().with_data_type(key.as_ref().clone()))
        }
        _ => Arc::clone(field),
    };
    Schema::new(schema.fields().iter().map(key).collect::<Vec<_>>())
}

/// Puts the dictionaries to the keys.
fn with_dictionaries(
    batch: &RecordBatch,
    dictionaries: &[Option<Arc<StringArray>>],
    schema: &SchemaRef,
) -> Result<RecordBatch, EmitError> {
    let columns = batch.columns().iter().zip(dictionaries).map(|(column, dictionary)| {
        let keys = column.as_any().downcast_ref::<Int32Array>();
        Ok(match (keys, dictionary) {
            (Some(keys), Some(texts)) => {
                let texts: ArrayRef = Arc::<StringArray>::clone(texts);
                Arc::new(DictionaryArray::try_new(keys.clone(), texts)?)
            }
            _ => Arc::clone(column),
        })
    });
    let columns = columns.collect::<Result<Vec<ArrayRef>, EmitError>>()?;
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}
