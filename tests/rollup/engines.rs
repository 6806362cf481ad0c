//! Other engines read the parts: pyarrow, polars and DuckDB find the same rows, as they are
//! documented.

use std::path::Path;
use std::process::Command;

use super::Place;
use super::logs::dump;
use crate::python::{self, python};

/// Runs a script of `tests/rollup` in a place; it must say `OK`.
pub(super) fn run(script: &str, place: &Place) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rollup").join(script);
    let mut command = Command::new(python());
    command.arg("-B").arg(path).arg(place.0.path());
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/rollup.md"));
    python::script(&mut command, script);
}

#[test]
fn pyarrow_polars_and_duckdb_read_the_rows_that_are_documented() {
    let place = Place::new();
    let files = dump(&place, 61, 60);
    place.file(
        "logs/old.json",
        super::logs::log(&[
            super::logs::event("555555555555", "s3", "Old", "1969-12-31T23:59:59.25Z"),
            super::logs::event("555555555555", "s3", "First", "0001-01-01T00:00:00Z"),
            super::logs::event("555555555555", "s3", "Last", "9999-12-31T23:59:59.999999Z"),
        ]),
    );
    for group in files.chunks(30) {
        place.roll(group, "rollup");
    }
    place.roll(&["logs"], "rollup");
    place.roll(&["logs"], "one");
    let run = place.run(&["rollup", "logs", "--partial", "-q", "-o", "partial.arrows"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    self::run("read.py", &place);
}
