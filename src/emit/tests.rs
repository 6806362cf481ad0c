//! What holds for every format and every kind of report; golden outputs stand in a file a kind.

mod entities;
mod organizations;
mod service;

use std::sync::Arc;

use ::arrow::array::{
    Array as _, DictionaryArray, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use ::arrow::compute::cast;
use ::arrow::datatypes::{DataType, Int32Type, Schema};
use ::arrow::ipc::reader::{FileReader, StreamReader};
use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use proptest::prelude::*;

use super::*;

use crate::report::JobDates;
use crate::report::attempt::{Attempt, Attempts, EventId};
use crate::time::Time;

fn at(text: &str) -> Time {
    Time::parse(text.as_bytes()).unwrap()
}

fn job() -> JobDates {
    JobDates {
        creation: at("2026-06-18T19:47:31.187Z"),
        completion: at("2026-06-18T19:47:35.547Z"),
    }
}

/// The source of every attempt.
const FILE: &str = "logs/a.json.gz";

fn attempt_of<'a>(entity: &'a str, time: &str) -> Attempt<'a> {
    Attempt {
        time: at(time),
        region: Some("eu-west-1"),
        source: Some(FILE),
        entity,
        principal: Some("arn:aws:iam::111122223333:role/build"),
        event_source: "dynamodb.amazonaws.com",
        event_name: "GetItem",
        event_id: Some(EventId::parse("0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9")),
    }
}

fn layout() -> Layout {
    Layout { metadata: vec![("trailfold.catalog".into(), "2026-09-27".into())], ..many() }
}

fn many() -> Layout {
    Layout { many: true, ..Layout::default() }
}

fn details() -> Layout {
    Layout { details: true, ..Layout::default() }
}

fn bytes(format: Format, layout: &Layout, reports: &[impl Report + Clone]) -> Vec<u8> {
    let mut out = Vec::new();
    write(format, layout, &mut reports.iter().cloned(), &mut out).unwrap();
    out
}

fn text(format: Format, layout: &Layout, reports: &[impl Report + Clone]) -> String {
    String::from_utf8(bytes(format, layout, reports)).unwrap()
}

/// Reads a columnar file back, whatever its format.
fn read(format: Format, bytes: &[u8]) -> (Arc<Schema>, Vec<RecordBatch>) {
    match format {
        Format::Arrow => {
            let reader = FileReader::try_new(io::Cursor::new(bytes), None).unwrap();
            (reader.schema(), reader.map(Result::unwrap).collect())
        }
        Format::ArrowStream => {
            let reader = StreamReader::try_new(bytes, None).unwrap();
            (reader.schema(), reader.map(Result::unwrap).collect())
        }
        Format::Parquet => {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(bytes).unwrap();
            let builder = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
            let schema = Arc::clone(builder.schema());
            let batches = builder.with_batch_size(100_000).build().unwrap();
            (schema, batches.map(Result::unwrap).collect())
        }
        Format::Json | Format::Csv | Format::Table => panic!("{format:?} is not columnar"),
    }
}

const COLUMNAR: [Format; 3] = [Format::Arrow, Format::ArrowStream, Format::Parquet];

/// Returns the cells of a column as text.
fn column(batches: &[RecordBatch], name: &str) -> Vec<Option<String>> {
    let texts = batches.iter().flat_map(|batch| {
        let cells = batch.column_by_name(name).unwrap();
        if let Some(times) = cells.as_any().downcast_ref::<TimestampMicrosecondArray>() {
            let text = |time| Time::from_micros(time).to_milliseconds_string();
            return times.iter().map(|time| time.map(text)).collect::<Vec<_>>();
        }
        let texts = cast(cells, &DataType::Utf8).unwrap();
        let texts = texts.as_any().downcast_ref::<StringArray>().unwrap();
        texts.iter().map(|text| text.map(str::to_owned)).collect::<Vec<_>>()
    });
    texts.collect()
}

#[test]
fn awss_reply_holds_exactly_one_report() {
    fn check<R: Report + Clone>(several: Vec<R>) {
        for reports in [vec![], several] {
            let mut out = Vec::new();
            let error = write(Format::Json, &Layout::default(), &mut reports.into_iter(), &mut out)
                .unwrap_err();
            assert!(error.to_string().contains("holds one report"), "{error}");
            assert!(out.is_empty());
        }
    }
    check(organizations::three());
    check(service::three());
    check(entities::three());
}

/// Checks the schema in every columnar format, and that the document has the same columns in the
/// section that is called like the report.
fn schema_is_documented(report: &str, expected: &str, reports: &[impl Report + Clone]) {
    for format in COLUMNAR {
        for reports in [reports, &[]] {
            let (schema, _) = read(format, &bytes(format, &layout(), reports));
            assert_eq!(described(&schema), expected, "{format:?}");
            let said = schema.metadata().get("trailfold.schema.report");
            assert_eq!(said.map(String::as_str), Some(report));
        }
    }
    let document = include_str!("../../docs/output.md");
    let section = document.split("\n### ").find(|it| it.starts_with(&format!("`{report}`")));
    let rows = section.unwrap().lines().filter(|line| line.starts_with("| `"));
    let documented = rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let null = if cells[3] == "no" { "!" } else { "" };
        assert!(["yes", "no"].contains(&cells[3]), "{row}");
        format!("{} {}{null}\n", cells[1].trim_matches('`'), cells[2])
    });
    assert_eq!(documented.collect::<String>(), expected, "docs/output.md, {report}");
    assert!(document.contains(&format!("`trailfold.schema.version` = `{SCHEMA_VERSION}`")));
}

fn described(schema: &Schema) -> String {
    let lines = schema.fields().iter().map(|field| {
        let kind = match field.data_type().to_string().as_str() {
            "Dictionary(Int32, Utf8)" => "text",
            "Timestamp(µs, \"UTC\")" => "time",
            "Utf8" => "utf8",
            "Int64" => "int64",
            "Boolean" => "bool",
            other => panic!("{other}"),
        };
        format!("{} {kind}{}\n", field.name(), if field.is_nullable() { "" } else { "!" })
    });
    lines.collect()
}

#[test]
fn metadata_is_the_callers_but_for_what_the_schema_says_of_itself() {
    let mut layout = layout();
    layout.metadata.push(("trailfold.schema.version".into(), "77".into()));
    for format in COLUMNAR {
        let (schema, _) = read(format, &bytes(format, &layout, &[organizations::completed()]));
        let found = |key: &str| schema.metadata().get(key).cloned();
        assert_eq!(found("trailfold.catalog").as_deref(), Some("2026-09-27"), "{format:?}");
        assert_eq!(found("trailfold.schema.version").as_deref(), Some("1"));
        let report = found("trailfold.schema.report");
        assert_eq!(report.as_deref(), Some("GetOrganizationsAccessReport"));
    }
}

fn csv_rows(csv: &[u8]) -> Vec<Vec<String>> {
    let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(csv);
    let rows = reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect());
    rows.collect()
}

#[test]
fn csv_cells_are_no_formulas_and_do_not_act() {
    let cells = [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\\tx"),
        ("\rx", "'\\rx"),
        ("\n=1", "'\\n=1"),
        ("  =cmd|' /C calc'!A0", "'  =cmd|' /C calc'!A0"),
        ("＝1", "'＝1"),
        ("'tis", "''tis"),
        ("a\0b\u{202e}c\u{1b}[2J", "a\\u{0}b\\u{202e}c\\u{1b}[2J"),
        ("a,\"b\"; =1", "a,\"b\"; =1"),
        ("arn:aws:iam::1:user/=x", "arn:aws:iam::1:user/=x"),
        ("", ""),
    ];
    for (logged, expected) in cells {
        let csv = bytes(Format::Csv, &many(), &[organizations::with_text(logged)]);
        let rows = csv_rows(&csv);
        for name in ["Region", "LatestAttemptPrincipal", "LatestAttemptEventId"] {
            let place = rows[0].iter().position(|cell| cell == name).unwrap();
            assert_eq!(rows[1][place], expected, "{name}");
        }
    }
}

fn farthest_dates() -> JobDates {
    JobDates { creation: Time::from_micros(i64::MIN), completion: Time::from_micros(i64::MAX) }
}

/// Attempts with `logged` wherever a text of a log can stand.
fn attempts_with_text(logged: &str) -> Attempts<'_> {
    let attempt = Attempt {
        time: Time::from_micros(i64::MIN),
        region: Some(logged),
        source: Some(logged),
        entity: logged,
        principal: Some(logged),
        event_source: logged,
        event_name: logged,
        event_id: Some(EventId::Text(logged)),
    };
    Attempts {
        latest: attempt,
        success: Some(attempt),
        denial: Some(attempt),
        first: Attempt { time: Time::from_micros(i64::MAX), ..attempt },
    }
}

/// A report with `logged` wherever a text of a log can stand.
#[test]
fn hostile_texts_neither_panic_nor_act() {
    let long = "\u{1b}=ab".repeat(50_000);
    let texts = [
        "",
        "\0",
        "\u{fffd}\u{fffd}",
        "\u{1b}]0;x\u{7}\u{9b}2J\r\n\u{202e}\u{2066}",
        "漢字",
        &long,
    ];
    for logged in texts {
        harmless(&organizations::with_text(logged), logged, "/AccessDetails/0/Region");
        let place = "/ServicesLastAccessed/0/TrackedActionsLastAccessed/0/LastAccessedRegion";
        harmless(&service::with_text(logged), logged, place);
        harmless(&entities::with_text(logged), logged, "/EntityDetailsList/0/EntityInfo/Path");
    }
}

/// Checks that a report with `logged` everywhere is written so that nothing acts, and that it can
/// be read back, from the place in AWS's reply, too.
fn harmless<R: Report + Clone>(report: &R, logged: &str, place: &str) {
    let report = std::slice::from_ref(report);
    for format in Format::ALL {
        for details in [false, true] {
            let layout = Layout { details, width: Some(80), ..Layout::default() };
            let out = bytes(format, &layout, report);
            if COLUMNAR.contains(&format) {
                let (_, batches) = read(format, &out);
                for name in ["LatestSuccessRegion", "FirstAttemptEventId", "Marker"] {
                    assert!(column(&batches, name).iter().all(|it| it.as_deref() == Some(logged)));
                }
            } else {
                let acting = |c: char| c.is_control() && !"\r\n".contains(c) || c == '\u{202e}';
                assert!(!String::from_utf8(out).unwrap().contains(acting), "{format:?}");
            }
        }
    }
    let json = text(Format::Json, &Layout::default(), report);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json.pointer(place).unwrap(), logged);
}

fn paths() -> Vec<String> {
    (0..140).map(|number| format!("{}/{number:012}", organizations::ORGANIZATION)).collect()
}

#[test]
fn a_file_has_one_dictionary_a_column_for_all_its_batches() {
    let paths = paths();
    for format in COLUMNAR {
        let mut out = Vec::new();
        write(format, &layout(), &mut organizations::crowd(&paths), &mut out).unwrap();
        let (_, batches) = read(format, &out);
        let sizes: Vec<usize> = batches.iter().map(RecordBatch::num_rows).collect();
        let expected: &[usize] = match format {
            Format::Parquet => &[100_000, 39_860],
            _ => &[16_384, 16_384, 16_384, 16_384, 16_384, 16_384, 16_384, 16_384, 8_788],
        };
        assert_eq!(sizes, expected);
        let found = column(&batches, "ReportEntityPath");
        assert_eq!(found.len(), 999 * paths.len());
        for (rows, path) in found.chunks(999).zip(&paths) {
            assert!(rows.iter().all(|row| row.as_ref() == Some(path)));
        }
        if format == Format::Arrow {
            let texts = |batch: &RecordBatch| {
                let column = batch.column_by_name("ReportEntityPath").unwrap();
                let column = column.as_any().downcast_ref::<DictionaryArray<Int32Type>>();
                column.unwrap().values().to_data()
            };
            assert_eq!(texts(&batches[0]).len(), 140);
            assert_eq!(texts(&batches[0]), texts(&batches[2]));
        }
    }
}

#[test]
fn the_same_reports_give_the_same_bytes() {
    let mut turned = layout();
    turned.metadata.extend([("b".into(), "1".into()), ("a".into(), "2".into())]);
    let mut sorted = turned.clone();
    sorted.metadata.sort();
    fn check<R: Report + Clone>(reports: &[R], layouts: [&Layout; 2]) {
        for format in Format::ALL {
            let [one, other] = layouts.map(|layout| bytes(format, layout, reports));
            assert_eq!(one, other, "{format:?}");
        }
    }
    check(&organizations::three(), [&turned, &sorted]);
    check(&service::three(), [&turned, &sorted]);
    check(&entities::three(), [&turned, &sorted]);
}

#[test]
fn no_report_is_an_empty_file_that_can_be_read() {
    fn check<R: Report + Clone>(none: &[R]) {
        for format in COLUMNAR {
            let (_, batches) = read(format, &bytes(format, &layout(), none));
            assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 0);
        }
        assert_eq!(text(Format::Csv, &many(), none).lines().count(), 1);
        assert_eq!(text(Format::Json, &many(), none), "");
        assert_eq!(text(Format::Table, &many(), none), "");
    }
    check(&organizations::three()[..0]);
    check(&service::three()[..0]);
    check(&entities::three()[..0]);
}

/// Takes `left` bytes, then refuses.
struct Full {
    left: usize,
    kind: io::ErrorKind,
}

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::Error::new(self.kind, "no more"));
        }
        let taken = bytes.len().min(self.left);
        self.left -= taken;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_error_of_the_place_to_write_to_comes_back_as_it_was() {
    fn check<R: Report + Clone>(reports: &[R]) {
        for format in Format::ALL {
            let whole = bytes(format, &layout(), reports).len();
            for left in [0, 1, 100, whole / 2, whole - 1] {
                for kind in [io::ErrorKind::BrokenPipe, io::ErrorKind::StorageFull] {
                    let mut full = Full { left, kind };
                    let mut reports = reports.iter().cloned();
                    match write(format, &layout(), &mut reports, &mut full).unwrap_err() {
                        EmitError::Write(error) => assert_eq!(error.kind(), kind),
                        other => panic!("{format:?}: {other:?}"),
                    }
                }
            }
        }
    }
    check(&organizations::three());
    check(&service::three());
    check(&entities::three());
}

/// The members of an attempt but for the time and whose it was.
const MEMBERS: [&str; 6] = ["Region", "Principal", "EventSource", "EventName", "EventId", "Source"];

/// Attempts whose texts are the names of the columns that they belong in, at 0, 1, 2 and 3 seconds.
/// The Region and the entity of the latest have columns of their own.
fn named_attempts(region: &'static str, entity: &'static str, member: &str) -> Attempts<'static> {
    let attempt = |place: i64, prefix: &str| {
        let name = |member: &str| -> &'static str { format!("{prefix}{member}").leak() };
        Attempt {
            time: Time::from_micros(place * 1_000_000),
            region: Some(name("Region")),
            source: Some(name("Source")),
            entity: name(member),
            principal: Some(name("Principal")),
            event_source: name("EventSource"),
            event_name: name("EventName"),
            event_id: Some(EventId::parse(name("EventId"))),
        }
    };
    let latest = Attempt { region: Some(region), entity, ..attempt(0, "LatestAttempt") };
    Attempts {
        latest,
        success: Some(attempt(1, "LatestSuccess")),
        denial: Some(attempt(2, "LatestDenial")),
        first: attempt(3, "FirstAttempt"),
    }
}

/// The members of `Details` of [`named_attempts`].
fn named_details(region: &str, entity: &str, member: &str) -> serde_json::Value {
    let mut details = serde_json::json!({});
    let prefixes = ["LatestAttempt", "LatestSuccess", "LatestDenial", "FirstAttempt"];
    for (place, prefix) in prefixes.into_iter().enumerate() {
        details[prefix]["Time"] = format!("1970-01-01T00:00:0{place}Z").into();
        for name in MEMBERS.into_iter().chain([member]) {
            details[prefix][name] = format!("{prefix}{name}").into();
        }
    }
    details["LatestAttempt"]["Region"] = region.into();
    details["LatestAttempt"][member] = entity.into();
    details
}

/// Checks that every cell of a row holds the name of its column, but for the times of
/// [`named_attempts`] and for `others`.
fn is_named(header: &[String], row: &[String], others: &[(&str, &str)]) {
    assert_eq!(header.len(), row.len());
    for (name, cell) in header.iter().zip(row) {
        let other = others.iter().find(|(other, _)| other == name).map(|(_, cell)| *cell);
        let expected = other.unwrap_or(match name.as_str() {
            "LatestSuccessTime" => "1970-01-01T00:00:01Z",
            "LatestDenialTime" => "1970-01-01T00:00:02Z",
            "FirstAttemptTime" => "1970-01-01T00:00:03Z",
            name => name,
        });
        assert_eq!(cell, expected, "{name}");
    }
}

/// Checks that CSV has `rows` rows of every report with `cells` everywhere, and that the named
/// columns read back.
fn reads_back(
    csv: &[u8],
    cells: &[String],
    rows: usize,
    names: &[&str],
) -> Result<(), TestCaseError> {
    let read = csv_rows(csv);
    prop_assert_eq!(read.len(), cells.len() * rows + 1);
    for (row, cell) in read[1..].iter().zip(cells.iter().flat_map(|cell| vec![cell; rows])) {
        prop_assert_eq!(row.len(), read[0].len());
        for name in names {
            let found = &row[read[0].iter().position(|column| column == name).unwrap()];
            let back = found.strip_prefix('\'').unwrap_or(found);
            prop_assert_eq!(back, &crate::printable::visible(cell));
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn csv_reads_back(cells in proptest::collection::vec("[ -~]{0,12}|\\PC{0,8}|[=+@'\"\\-, ]{1,4}", 1..6)) {
        let reports: Vec<_> = cells.iter().map(|it| organizations::with_text(it)).collect();
        let names = ["ReportEntityPath", "ServiceName", "FirstAttemptEventId"];
        reads_back(&bytes(Format::Csv, &many(), &reports), &cells, 1, &names)?;
        let reports: Vec<_> = cells.iter().map(|it| service::with_text(it)).collect();
        let names = ["ReportArn", "ServiceName", "FirstAttemptEntity"];
        reads_back(&bytes(Format::Csv, &many(), &reports), &cells, 2, &names)?;
        let reports: Vec<_> = cells.iter().map(|it| entities::with_text(it)).collect();
        let names = ["ReportArn", "ServiceNamespace", "Name", "LatestAttemptRegion"];
        reads_back(&bytes(Format::Csv, &many(), &reports), &cells, 1, &names)?;
    }

    #[test]
    fn the_one_reply_and_the_line_say_the_same(cell in "[ -~]{0,12}|\\PC{0,8}|[\0-\u{20}\"\\\\]{1,4}", details in any::<bool>()) {
        fn check<R: Report + Clone>(report: &[R], details: bool) -> Result<(), TestCaseError> {
            let read = |many| -> serde_json::Value {
                let layout = Layout { many, details, ..Layout::default() };
                serde_json::from_str(&text(Format::Json, &layout, report)).unwrap()
            };
            prop_assert_eq!(&read(true)["Report"], &read(false));
            Ok(())
        }
        check(&[organizations::with_text(&cell)], details)?;
        check(&[service::with_text(&cell)], details)?;
        check(&[entities::with_text(&cell)], details)?;
    }
}
