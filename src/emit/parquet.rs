//! Parquet: zstd, statistics, the columns' Arrow types and metadata kept.

use std::io::{self, Write};
use std::sync::Arc;

use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use super::columns::{self, BATCH_ROWS, Buffers, Rows};
use super::{EmitError, Layout};

/// Rows of a row group: what of the file is in memory at a time, encoded.
const ROW_GROUP_ROWS: usize = 16 * BATCH_ROWS;

/// Writes a Parquet file. Its bytes depend on the reports alone: no date, no name of a machine.
pub(super) fn write<R: Rows>(
    layout: &Layout,
    reports: &mut dyn Iterator<Item = R>,
    out: &mut dyn Write,
) -> Result<(), EmitError> {
    let schema = columns::schema::<R::Kind>(layout);
    // Parquet's own metadata, for readers that know no Arrow; of the others some see only what the
    // Arrow schema inside carries.
    let pairs = schema.metadata().iter();
    let metadata = pairs.map(|(key, value)| KeyValue::new(key.clone(), value.clone())).collect();
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(Default::default()))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_key_value_metadata(Some(metadata))
        .build();
    let mut buffers = Buffers::<R::Kind>::new();
    let mut writer = ArrowWriter::try_new(Vec::new(), Arc::clone(&schema), Some(properties))?;
    buffers.fill(reports, |buffers| {
        writer.write(&buffers.take_whole(&schema)?)?;
        Ok(drain(writer.inner_mut(), out)?)
    })?;
    Ok(drain(&mut writer.into_inner()?, out)?)
}

/// Hands the bytes that the encoder has finished to `out`, so that an error of `out` comes back as
/// it was and not wrapped by the encoder.
fn drain(finished: &mut Vec<u8>, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(finished)?;
    finished.clear();
    Ok(())
}
