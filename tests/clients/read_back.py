"""Checks that pyarrow, polars and DuckDB find in the files of the directory given what was written.

`small` holds a completed report, a cut-off one and a failed one; `crowd` 150 reports of 1,000 rows,
more than two batches; `empty` no report.
"""

import csv
import datetime
import pathlib
import sys

import duckdb
import polars
import pyarrow
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet

UTC = datetime.timezone.utc
ROOT = "o-exampleorg01/r-ex01"
ACCOUNT = "o-exampleorg01/r-ex01/ou-ex01-workloads/111122223333"
PRINCIPAL = 'arn:aws:iam::111122223333:role/Bäcker \u202e"漢"'
EVENT = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
SOURCE = "logs/a.json.gz"
NEVER_NULL = {
    "ReportEntityPath",
    "JobStatus",
    "JobCreationDate",
    "JobCompletionDate",
    "IsTruncated",
}
DATES = {"JobCreationDate", "JobCompletionDate", "LastAuthenticatedTime"}
COUNTS = {
    "NumberOfServicesAccessible",
    "NumberOfServicesNotAccessed",
    "TotalAuthenticatedEntities",
}
LATEST = datetime.datetime(2026, 5, 25, 16, 29, 52, 250000, UTC)
FIRST = datetime.datetime(1969, 12, 31, 23, 59, 59, 0, UTC)

directory = pathlib.Path(sys.argv[1])


def kind(name):
    if name in DATES or name.endswith("Time"):
        return pyarrow.timestamp("us", "UTC")
    if name in COUNTS:
        return pyarrow.int64()
    if name == "IsTruncated":
        return pyarrow.bool_()
    if name.endswith("EventId"):
        return pyarrow.string()
    return pyarrow.dictionary(pyarrow.int32(), pyarrow.string())


def attempt(prefix, time, name, region="eu-west-1", principal=PRINCIPAL, event=EVENT):
    return {
        f"{prefix}Time": time,
        f"{prefix}Region": region,
        f"{prefix}EntityPath": ACCOUNT,
        f"{prefix}Principal": principal,
        f"{prefix}EventSource": "dynamodb.amazonaws.com",
        f"{prefix}EventName": name,
        f"{prefix}EventId": event,
        f"{prefix}Source": SOURCE,
    }


def small():
    """Returns the rows that are not null of the five rows and the failed report."""
    job = {
        "ReportEntityPath": ROOT,
        "JobStatus": "COMPLETED",
        "JobCreationDate": datetime.datetime(2026, 6, 18, 19, 47, 31, 187000, UTC),
        "JobCompletionDate": datetime.datetime(2026, 6, 18, 19, 47, 35, 547000, UTC),
        "NumberOfServicesAccessible": 3,
        "NumberOfServicesNotAccessed": 1,
        "IsTruncated": False,
    }
    dynamodb = {
        "ServiceName": "Amazon DynamoDB",
        "ServiceNamespace": "dynamodb",
        "Region": "eu-west-1",
        "EntityPath": ACCOUNT,
        "LastAuthenticatedTime": LATEST,
        "TotalAuthenticatedEntities": 2,
        **attempt("LatestAttempt", None, "GetItem"),
        **attempt("LatestSuccess", FIRST, "Query"),
        **attempt("LatestDenial", LATEST, "GetItem"),
        **attempt("FirstAttempt", FIRST, "Query"),
    }
    iam = {
        "ServiceName": "AWS Identity and Access Management",
        "ServiceNamespace": "iam",
        "EntityPath": ACCOUNT,
        "LastAuthenticatedTime": LATEST,
        "TotalAuthenticatedEntities": 1,
        **attempt("LatestAttempt", None, "GetItem", None, None, None),
        **attempt("FirstAttempt", LATEST, "GetItem", None, None, None),
    }
    for row in (dynamodb, iam):
        # What AWS's own columns say of the latest attempt.
        for member in ("Time", "Region", "EntityPath"):
            del row[f"LatestAttempt{member}"]
    s3 = {"ServiceName": "Amazon S3", "ServiceNamespace": "s3", "TotalAuthenticatedEntities": 0}
    cut = {
        "IsTruncated": True,
        "Marker": "bWFya2Vy",
        "OrganizationsPolicyId": "p-FullAWSAccess",
    }
    failed = {
        "JobStatus": "FAILED",
        "NumberOfServicesAccessible": None,
        "NumberOfServicesNotAccessed": None,
        "ErrorCode": "INVALID_ORGANIZATIONS_ENTITY_PATH",
        "ErrorMessage": "The entity with the specified path does not exist in your organization.",
    }
    rows = [
        {**job, **dynamodb},
        {**job, **iam},
        {**job, **s3},
        {**job, **cut, **dynamodb},
        {**job, **cut, **iam},
        {**job, **failed},
    ]
    return [present(row) for row in rows]


def present(row):
    return {name: value for name, value in row.items() if value is not None}


def crowd_columns():
    """Returns some columns of the crowd."""
    seconds = range(150_000)
    used = [second % 1000 % 3 == 0 for second in seconds]
    paths = [f"{ROOT}/{second // 1000:012}" for second in seconds]
    epoch = datetime.datetime(1970, 1, 1, tzinfo=UTC)
    return {
        "ReportEntityPath": paths,
        "ServiceNamespace": [f"service{second % 1000}" for second in seconds],
        "EntityPath": [path if u else None for path, u in zip(paths, used)],
        "LastAuthenticatedTime": [
            epoch + datetime.timedelta(seconds=second) if u else None
            for second, u in zip(seconds, used)
        ],
        "TotalAuthenticatedEntities": [int(u) for u in used],
        "LatestAttemptEventId": [
            f"00000000-0000-0000-0000-{second:012x}" if u else None
            for second, u in zip(seconds, used)
        ],
        "LatestDenialPrincipal": [None] * len(seconds),
    }


SMALL = small()
CROWD = crowd_columns()


def same_rows(rows, where):
    rows = [present(row) for row in rows]
    assert len(rows) == len(SMALL), (where, len(rows))
    for found, expected in zip(rows, SMALL):
        assert found == expected, (where, found, expected)


def same_crowd(columns, where):
    for name, expected in CROWD.items():
        assert columns(name) == expected, (where, name)


def read_pyarrow(path):
    if path.suffix == ".arrow":
        with pyarrow.memory_map(str(path)) as source:
            return pyarrow.ipc.open_file(source).read_all()
    if path.suffix == ".arrows":
        return pyarrow.ipc.open_stream(path).read_all()
    return pyarrow.parquet.read_table(path)


def read_polars(path):
    if path.suffix == ".arrow":
        return polars.read_ipc(path)
    if path.suffix == ".arrows":
        return polars.read_ipc_stream(path)
    return polars.read_parquet(path)


def check_pyarrow(stem, extension):
    path = directory / f"{stem}.{extension}"
    table = read_pyarrow(path)
    table.validate(full=True)
    for field in table.schema:
        assert field.type == kind(field.name), (path, field)
        assert field.nullable == (field.name not in NEVER_NULL), (path, field)
    metadata = table.schema.metadata
    assert metadata[b"trailfold.schema.version"] == b"1", (path, metadata)
    assert metadata[b"trailfold.schema.report"] == b"GetOrganizationsAccessReport"
    assert metadata[b"trailfold.coverage"] == b'{"records":7}'
    if stem == "small":
        same_rows(table.to_pylist(), path)
    elif stem == "crowd":
        same_crowd(lambda name: table.column(name).to_pylist(), path)
        unified = table.unify_dictionaries().column("ReportEntityPath")
        assert len(unified.chunk(0).dictionary) == 150, path
    else:
        assert table.num_rows == 0
    return table.schema


def check_polars(stem, extension):
    path = directory / f"{stem}.{extension}"
    frame = read_polars(path)
    for name, found in frame.schema.items():
        if name in DATES or name.endswith("Time"):
            assert found == polars.Datetime("us", "UTC"), (path, name, found)
        elif name in COUNTS:
            assert found == polars.Int64, (path, name, found)
        elif name == "IsTruncated":
            assert found == polars.Boolean
        else:
            assert found in (polars.String, polars.Categorical), (path, name, found)
    if stem == "small":
        same_rows(frame.to_dicts(), path)
    elif stem == "crowd":
        same_crowd(lambda name: frame.get_column(name).to_list(), path)
        used = frame.filter(polars.col("EntityPath") == f"{ROOT}/{149:012}")
        assert used.height == 334, (path, used.height)
    else:
        assert frame.height == 0


def check_duckdb():
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")

    def parquet(stem):
        return f"read_parquet('{directory / stem}.parquet')"

    described = connection.execute(f"DESCRIBE SELECT * FROM {parquet('small')}").fetchall()
    for name, found, *_ in described:
        if name in DATES or name.endswith("Time"):
            assert found == "TIMESTAMP WITH TIME ZONE", (name, found)
        elif name in COUNTS:
            assert found == "BIGINT", (name, found)
        elif name == "IsTruncated":
            assert found == "BOOLEAN"
        else:
            assert found == "VARCHAR", (name, found)
    # As microseconds, so that no package of time zones is needed.
    times = [name for name, found, *_ in described if found.startswith("TIMESTAMP")]
    micros = ", ".join(f'epoch_us("{name}") AS "{name}"' for name in times)
    rows = connection.execute(f"SELECT * REPLACE ({micros}) FROM {parquet('small')}")
    names = [column[0] for column in rows.description]
    epoch = datetime.datetime(1970, 1, 1, tzinfo=UTC)
    found = []
    for row in rows.fetchall():
        row = dict(zip(names, row))
        for name in times:
            if row[name] is not None:
                row[name] = epoch + datetime.timedelta(microseconds=row[name])
        found.append(row)
    same_rows(found, "duckdb")
    counts = connection.execute(
        f"""SELECT count(*), count(LastAuthenticatedTime), count(DISTINCT ReportEntityPath),
            epoch(max(LastAuthenticatedTime)) FROM {parquet('crowd')}"""
    ).fetchone()
    assert counts == (150_000, 50_100, 150, 149_999), counts
    assert connection.execute(f"SELECT count(*) FROM {parquet('empty')}").fetchone() == (0,)
    metadata = connection.execute(
        f"SELECT key, value FROM parquet_kv_metadata('{directory}/small.parquet')"
    ).fetchall()
    assert (b"trailfold.schema.version", b"1") in metadata, metadata
    assert (b"trailfold.coverage", b'{"records":7}') in metadata, metadata
    groups = connection.execute(
        f"""SELECT DISTINCT compression, stats_min_value, stats_max_value
            FROM parquet_metadata('{directory}/crowd.parquet')
            WHERE path_in_schema = 'ReportEntityPath'"""
    ).fetchall()
    assert groups == [("ZSTD", f"{ROOT}/{0:012}", f"{ROOT}/{149:012}")], groups
    # Rows of the crowd by way of CSV, as DuckDB guesses it.
    same = connection.execute(
        f"""SELECT count(*) FROM
            (SELECT ReportEntityPath p, ServiceNamespace s, epoch(LastAuthenticatedTime) t
             FROM read_csv('{directory}/crowd.csv')
             INTERSECT
             SELECT ReportEntityPath, ServiceNamespace, epoch(LastAuthenticatedTime)
             FROM {parquet('crowd')})"""
    ).fetchone()
    assert same == (150_000,), same


def check_csv():
    with open(directory / "small.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, strict=True))
    assert len(rows) == len(SMALL)
    for found, expected in zip(rows, SMALL):
        for name, cell in found.items():
            value = expected.get(name, "")
            if isinstance(value, datetime.datetime):
                kept = "milliseconds" if name.startswith("Job") else "seconds"
                value = value.replace(tzinfo=None).isoformat(timespec=kept) + "Z"
            elif isinstance(value, bool):
                value = str(value).lower()
            value = str(value).replace("\u202e", "\\u{202e}")
            assert cell == value, (name, cell, value)
    with open(directory / "empty.csv", newline="", encoding="utf-8") as file:
        assert file.read().count("\r\n") == 1


schemas = [
    check_pyarrow(stem, extension)
    for stem in ("small", "crowd", "empty")
    for extension in ("arrow", "arrows", "parquet")
]
assert all(schema.equals(schemas[0]) for schema in schemas)
for stem in ("small", "crowd", "empty"):
    for extension in ("arrow", "arrows", "parquet"):
        check_polars(stem, extension)
check_duckdb()
check_csv()
print("OK")
