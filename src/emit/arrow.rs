//! Arrow IPC: a file, whose columns have one dictionary each, and a stream.

use std::io::Write;

use arrow::ipc::writer::{FileWriter, StreamWriter};

use super::columns::{self, Buffers, Rows};
use super::{EmitError, Layout};

/// Writes an IPC file.
///
/// A file allows one dictionary a column, and readers that cannot seek want it before the first
/// batch. It is known after the last row, so the batches wait until then.
pub(super) fn write_file<R: Rows>(
    layout: &Layout,
    reports: &mut dyn Iterator<Item = R>,
    out: &mut dyn Write,
) -> Result<(), EmitError> {
    let schema = columns::schema::<R::Kind>(layout);
    let mut buffers = Buffers::<R::Kind>::new();
    // One batch at least, without which some readers miss the dictionaries.
    let mut batches = Vec::new();
    buffers.fill(reports, |buffers| {
        batches.push(buffers.take());
        Ok(())
    })?;
    let dictionaries = buffers.take_dictionaries();
    let mut writer = FileWriter::try_new(out, &schema)?;
    for batch in batches {
        writer.write(&batch.with(&dictionaries, &schema)?)?;
    }
    Ok(writer.finish()?)
}

/// Writes an IPC stream, each batch as soon as it is full.
pub(super) fn write_stream<R: Rows>(
    layout: &Layout,
    reports: &mut dyn Iterator<Item = R>,
    out: &mut dyn Write,
) -> Result<(), EmitError> {
    let schema = columns::schema::<R::Kind>(layout);
    let mut buffers = Buffers::<R::Kind>::new();
    let mut writer = StreamWriter::try_new(out, &schema)?;
    buffers.fill(reports, |buffers| Ok(writer.write(&buffers.take_whole(&schema)?)?))?;
    Ok(writer.finish()?)
}
