"""Checks that engines read the rollups `rollup` and `one` and the stream `partial.arrows` in the
directory given, all of the same logs, and find the columns of the tables in the document given."""

import collections
import json
import pathlib
import re
import sys

import duckdb
import polars
import pyarrow
import pyarrow.dataset
import pyarrow.ipc
import pyarrow.parquet

TYPES = {
    "utf8": pyarrow.string(),
    "boolean": pyarrow.bool_(),
    "int64": pyarrow.int64(),
    "timestamp": pyarrow.timestamp("us", tz="UTC"),
}


def documented(document, after):
    """Reads the table behind a heading: names, Arrow types, and whether null may stand there."""
    rows = re.findall(r"^\| (`.*?) \| (.*?) \|", document.split(after)[1].split("\n## ")[0], re.M)
    columns = []
    for names, kind in rows:
        names = re.findall(r"`(\w+)`", names)
        nullable = kind.endswith("null")
        if kind.startswith("the same"):
            latest = [column for column in columns if column[0].startswith("latest_")]
            columns.extend((name, of, null or nullable) for name, (_, of, null) in zip(names, latest, strict=True))
        else:
            columns.extend((name, TYPES[kind.split(",")[0]], nullable) for name in names)
    return columns


def plain(table):
    """Returns rows as texts and numbers that every engine gives alike."""
    for place, field in enumerate(table.schema):
        if pyarrow.types.is_timestamp(field.type):
            micros = table.column(place).cast(pyarrow.timestamp("us", tz="UTC")).cast(pyarrow.int64())
            table = table.set_column(place, field.name, micros)
    columns = [column.cast(pyarrow.string()) if pyarrow.types.is_date(column.type) else column for column in table.columns]
    return collections.Counter(zip(*(column.to_pylist() for column in columns), strict=True))


def main(place, document):
    parts = documented(document, "\n## Parts\n")
    sources = documented(document, "\n## Sources\n")
    assert len(parts) == 23 and len(sources) == 8, (parts, sources)
    # DuckDB has no dates beyond its own calendar's end; the year 9999 is within.
    of = {}
    for rollup in ["rollup", "one"]:
        folder = place / rollup
        files = sorted(folder.glob("date=*/*.parquet"))
        assert len(files) > 5
        total = 0
        for file in files:
            read = pyarrow.parquet.ParquetFile(file)
            schema = read.schema_arrow
            assert [(field.name, field.type) for field in schema] == [it[:2] for it in parts], schema
            table = read.read()
            for name, _, nullable in parts:
                assert nullable or table.column(name).null_count == 0, name
            assert read.metadata.metadata[b"trailfold.rollup"] == b"1"
            total += table.num_rows
            day = file.parent.name.removeprefix("date=")
            first = table.column("first_time").cast(pyarrow.int64()).to_pylist()
            latest = table.column("latest_time").cast(pyarrow.int64()).to_pylist()
            start = pyarrow.scalar(day).cast(pyarrow.timestamp("us")).cast(pyarrow.int64()).as_py()
            assert all(start <= a <= b < start + 86_400_000_000 for a, b in zip(first, latest)), day
            key = [
                tuple((value is not None, value if isinstance(value, bool) else (value or "").encode()) for value in row)
                for row in zip(*(table.column(at).to_pylist() for at in range(7)), strict=True)
            ]
            assert all(one < other for one, other in zip(key, key[1:])), file
        for file in sorted(folder.glob("_trailfold/sources/*.parquet")):
            schema = pyarrow.parquet.read_schema(file)
            assert [(field.name, field.type) for field in schema] == [it[:2] for it in sources], schema
            table = pyarrow.parquet.read_table(file)
            names = table.column("source").to_pylist()
            assert sorted(set(names), key=str.encode) == names
            for text in table.column("coverage").to_pylist() + table.column("attribution").to_pylist():
                assert isinstance(json.loads(text), dict)

        hive = pyarrow.dataset.partitioning(pyarrow.schema([("date", pyarrow.string())]), flavor="hive")
        dataset = pyarrow.dataset.dataset(folder, format="parquet", partitioning=hive)
        by_pyarrow = dataset.to_table()
        assert dataset.count_rows() == total == by_pyarrow.num_rows
        names = [*(name for name, _, _ in parts), "date"]
        by_pyarrow = plain(by_pyarrow.select(names))

        frame = polars.scan_parquet(str(folder / "date=*/*.parquet"), hive_partitioning=True)
        frame = frame.with_columns(polars.col("date").cast(polars.String)).select(names).collect()
        assert plain(frame.to_arrow()) == by_pyarrow

        by_duckdb = duckdb.sql(
            f"select * from read_parquet('{folder}/date=*/*.parquet', hive_partitioning=true, hive_types_autocast=false)"
        )
        assert by_duckdb.columns == names, by_duckdb.columns
        table = by_duckdb.to_arrow_table()
        assert plain(table) == by_pyarrow
        of[rollup] = by_pyarrow

    with pyarrow.ipc.open_stream(place / "partial.arrows") as stream:
        assert stream.schema.metadata[b"trailfold.rollup"] == b"1"
        kind = [("row", TYPES["utf8"]), ("date", TYPES["utf8"])]
        expected = [*kind, *(it[:2] for it in parts), *(it[:2] for it in sources)]
        assert [(field.name, field.type) for field in stream.schema] == expected
        assert all(field.nullable for field in stream.schema)
        table = stream.read_all()
    rows = table.column("row").to_pylist()
    accesses = rows.count("access")
    assert rows == ["access"] * accesses + ["source"] * (len(rows) - accesses)
    assert plain(table.slice(0, accesses).select(names)) == of["one"]
    read = [pyarrow.parquet.read_table(file) for file in (place / "one/_trailfold/sources").iterdir()]
    # They are of two runs.
    names = [name for name, _, _ in sources if name != "read_time"]
    streamed = plain(table.slice(accesses).select(names))
    assert streamed == plain(pyarrow.concat_tables(read).select(names))
    print("OK")


main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]).read_text())
