//! The bytes of a partial stream, message by message: what Arrow's reader takes on trust, and would
//! panic at or run out of memory, is checked before it sees it. Knows no rows.

use std::io::{self, ErrorKind, Read};

use arrow::datatypes::{DataType, Schema};
use arrow::ipc::{Buffer, FieldNode, MessageHeader, RecordBatch, root_as_message};

use crate::source::may_expand;

/// What stands before the length of a message.
const CONTINUATION: [u8; 4] = [0xff; 4];

/// A stream of which every message is read whole and checked before any of it is handed out. What is
/// cut off or no message at all is handed out as it is: Arrow's reader says so itself.
pub(super) struct Messages<R> {
    input: R,
    message: Vec<u8>,
    /// How far the message is handed out.
    at: usize,
    /// Whether the message that was read last is the mark behind all others.
    is_ended: bool,
    /// Whether each column is of texts, which have a buffer of offsets.
    columns: Vec<bool>,
}

impl<R: Read> Messages<R> {
    pub(super) const fn new(input: R) -> Self {
        Self { input, message: Vec::new(), at: 0, is_ended: false, columns: Vec::new() }
    }

    /// Takes in which columns the batches have; the error is a column of a type that rows never have.
    pub(super) fn expect(&mut self, schema: &Schema) -> Result<(), String> {
        let is_text = |field: &arrow::datatypes::FieldRef| match field.data_type() {
            DataType::Utf8 => Ok(true),
            DataType::Boolean | DataType::Int64 | DataType::Timestamp(..) => Ok(false),
            other => Err(format!("column `{}` is of type {other}", field.name())),
        };
        self.columns = schema.fields().iter().map(is_text).collect::<Result<_, _>>()?;
        Ok(())
    }

    /// Returns whether the stream came to its mark, behind which nothing is read.
    pub(super) const fn is_ended(&self) -> bool {
        self.is_ended
    }

    /// Reads so many bytes more of the message; returns where they stand, unless the input ends first.
    fn take(&mut self, count: u64) -> io::Result<Option<usize>> {
        let start = self.message.len();
        let read = (&mut self.input).take(count).read_to_end(&mut self.message)?;
        Ok((read as u64 == count).then_some(start))
    }

    /// Reads the next message.
    fn next(&mut self) -> io::Result<()> {
        self.message.clear();
        self.at = 0;
        if self.take(4)?.is_none() {
            return Ok(());
        }
        if self.message == CONTINUATION && self.take(4)?.is_none() {
            return Ok(());
        }
        let length = self.message.last_chunk().map_or(0, |bytes| i32::from_le_bytes(*bytes));
        if length == 0 {
            self.is_ended = true;
            return Ok(());
        }
        let Ok(length) = u64::try_from(length) else { return Ok(()) };
        let Some(start) = self.take(length)? else { return Ok(()) };
        let metadata = self.message.get(start..).unwrap_or_default();
        let Ok(body) = root_as_message(metadata).map(|message| message.bodyLength()) else {
            return Ok(());
        };
        let Ok(body) = u64::try_from(body) else { return Ok(()) };
        let Some(end) = self.take(body)? else { return Ok(()) };
        let (head, body) = self.message.split_at_checked(end).unwrap_or_default();
        let message = head.get(start..).and_then(|metadata| root_as_message(metadata).ok());
        let is_sound = match message.map(|message| (message.header_type(), message)) {
            Some((MessageHeader::RecordBatch, message)) => message
                .header_as_record_batch()
                .is_some_and(|batch| is_sound(&batch, body, &self.columns).is_some()),
            Some((MessageHeader::DictionaryBatch, _)) => false,
            _ => true,
        };
        if is_sound {
            return Ok(());
        }
        self.message.clear();
        let words = "broken: a batch is not built as the columns are";
        Err(io::Error::new(ErrorKind::InvalidData, words))
    }
}

impl<R: Read> Read for Messages<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.message.len() && !self.is_ended {
            self.next()?;
        }
        let mut rest = self.message.get(self.at..).unwrap_or_default();
        let count = rest.read(buffer)?;
        self.at += count;
        Ok(count)
    }
}

/// Looks at a batch of these columns: each has as many buffers as it needs, they lie in the body and
/// are as long as the number of rows asks for. None if not.
fn is_sound(batch: &RecordBatch<'_>, body: &[u8], columns: &[bool]) -> Option<()> {
    let mut buffers = batch.buffers()?.into_iter();
    let mut nodes = batch.nodes()?.into_iter();
    let is_compressed = batch.compression().is_some();
    for &is_text in columns {
        let mut length = || length(buffers.next()?, body, is_compressed);
        let (rows, nulls) = counts(nodes.next()?)?;
        let validity = length()?;
        let is_valid = nulls == 0 || validity.saturating_mul(8) >= rows;
        let is_aligned = !is_text || length()?.is_multiple_of(size_of::<i32>() as u64);
        length()?;
        (is_valid && is_aligned).then_some(())?;
    }
    (buffers.next().is_none() && nodes.next().is_none()).then_some(())
}

/// Returns how many rows a column has and how many of them are null.
fn counts(node: &FieldNode) -> Option<(u64, u64)> {
    let rows = i32::try_from(node.length()).ok().and_then(|rows| u64::try_from(rows).ok())?;
    let nulls = u64::try_from(node.null_count()).ok().filter(|nulls| *nulls <= rows)?;
    Some((rows, nulls))
}

/// Returns how long a buffer is once it is decompressed; none if it does not lie in the body, or claims
/// to expand to more than any does.
fn length(buffer: &Buffer, body: &[u8], is_compressed: bool) -> Option<u64> {
    let start = usize::try_from(buffer.offset()).ok()?;
    let length = usize::try_from(buffer.length()).ok()?;
    let bytes = body.get(start..start.checked_add(length)?)?;
    if !is_compressed || bytes.is_empty() {
        return Some(bytes.len() as u64);
    }
    let (claim, bytes) = bytes.split_first_chunk()?;
    match i64::from_le_bytes(*claim) {
        // It is not compressed.
        -1 => Some(bytes.len() as u64),
        claim => u64::try_from(claim).ok().filter(|made| may_expand(bytes.len() as u64, *made)),
    }
}
