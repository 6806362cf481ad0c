//! JSON: AWS's reply as the AWS CLI prints it, and JSON lines.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

use super::shape::Reply;
use super::{EmitError, Layout};
use crate::printable;

/// Writes the one report: four blanks a level, a line feed at the end.
pub(super) fn write_reply<R: Reply>(
    layout: &Layout,
    reports: &mut dyn Iterator<Item = R>,
    out: &mut dyn Write,
) -> Result<(), EmitError> {
    let report = reports.next().ok_or(EmitError::NotOneReport { found: "no report" })?;
    if reports.next().is_some() {
        return Err(EmitError::NotOneReport { found: "several reports" });
    }
    let formatter = PrettyFormatter::with_indent(b"    ");
    Ok(write_value(&report.shape(layout.details), formatter, &mut Vec::new(), out)?)
}

/// Writes each report as one line.
pub(super) fn write_lines<R: Reply>(
    layout: &Layout,
    reports: &mut dyn Iterator<Item = R>,
    out: &mut dyn Write,
) -> Result<(), EmitError> {
    let mut buffer = Vec::new();
    for report in reports {
        let line = Line { request: report.request(), report: report.shape(layout.details) };
        write_value(&line, CompactFormatter, &mut buffer, out)?;
    }
    Ok(())
}

/// Writes `value` and a line feed by way of `buffer`, whose content is lost. What would act on a
/// terminal is escaped.
fn write_value(
    value: &impl Serialize,
    formatter: impl Formatter,
    buffer: &mut Vec<u8>,
    out: &mut dyn Write,
) -> io::Result<()> {
    buffer.clear();
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut *buffer, formatter))?;
    buffer.push(b'\n');
    // Most replies have nothing that could act.
    if buffer.is_ascii() && !buffer.contains(&0x7f) {
        return out.write_all(buffer);
    }
    // JSON is UTF-8, so nothing is lost.
    let text = String::from_utf8_lossy(buffer);
    out.write_all(printable::visible_json(&text).as_bytes())
}

/// One of several reports, with what tells them apart.
#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
struct Line<Q, R> {
    #[serde(flatten)]
    request: Q,
    report: R,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn texts_are_escaped_as_everywhere(text in "[ -~]{0,20}|[\"\\\\\0-\u{20}\u{7f}]{0,4}|\\PC{0,8}|.{0,8}") {
            let formatter = PrettyFormatter::with_indent(b"    ");
            let mut buffer = b"of the last one".to_vec();
            let mut written = Vec::new();
            write_value(&[&text], formatter, &mut buffer, &mut written).unwrap();
            let written = String::from_utf8(written).unwrap();
            let expected = printable::visible_json(&serde_json::to_string(&text).unwrap()).into_owned();
            prop_assert_eq!(&written, &format!("[\n    {expected}\n]\n"));
            prop_assert_eq!(serde_json::from_str::<[String; 1]>(&written).unwrap(), [text]);
        }
    }
}
