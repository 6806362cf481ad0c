"""Checks that pyarrow, polars and DuckDB find in the columns of the directory given what its JSON
lines say: `services` and `entities` hold a completed report, a cut-off one and an empty one each.
"""

import csv
import datetime
import json
import pathlib
import sys

import duckdb
import polars
import pyarrow
import pyarrow.ipc
import pyarrow.parquet

DETAILS = ("LatestAttempt", "LatestSuccess", "LatestDenial", "FirstAttempt")
REPORTS = {
    "services": "GetServiceLastAccessedDetails",
    "entities": "GetServiceLastAccessedDetailsWithEntities",
}
directory = pathlib.Path(sys.argv[1])


def of_attempts(details, said):
    """Returns the cells of attempts; of the latest AWS's own columns say what is in `said`."""
    return {
        prefix + name: value
        for prefix in DETAILS
        for name, value in details.get(prefix, {}).items()
        if not (prefix == "LatestAttempt" and name in said)
    }


def members(value, *without):
    return {name: inner for name, inner in value.items() if name not in without}


def of_report(line):
    """Returns the cells that all rows of a report have."""
    report = line["Report"]
    subject = report["Details"]
    cells = {
        "ReportArn": line["Arn"],
        "ReportYoungerThanPeriod": subject.get("YoungerThanPeriod", False),
        **members(report, "ServicesLastAccessed", "EntityDetailsList", "Details"),
    }
    if "CreateDate" in subject:
        cells["ReportCreateDate"] = subject["CreateDate"]
    assert subject["Arn"] == line["Arn"]
    return cells


def service_rows(line):
    said = ("Time", "Region", "Entity")
    for service in line["Report"]["ServicesLastAccessed"]:
        own = members(service, "Details", "TrackedActionsLastAccessed")
        yield {**own, **of_attempts(service.get("Details", {}), said)}
        named = {name: service[name] for name in ("ServiceName", "ServiceNamespace")}
        for action in service.get("TrackedActionsLastAccessed", []):
            details = of_attempts(action.get("Details", {}), said)
            yield {**named, **members(action, "Details"), **details}


def entity_rows(line):
    assert line["Report"]["Details"]["ServiceNamespace"] == line["ServiceNamespace"]
    for entity in line["Report"]["EntityDetailsList"]:
        details = entity["Details"]
        row = {
            **entity["EntityInfo"],
            **members(entity, "EntityInfo", "Details"),
            **of_attempts(details, ("Time", "Entity")),
            "YoungerThanPeriod": details.get("YoungerThanPeriod", False),
        }
        if "CreateDate" in details:
            row["CreateDate"] = details["CreateDate"]
        yield row


def expected(stem):
    rows = []
    for text in (directory / f"{stem}.jsonl").read_text(encoding="utf-8").splitlines():
        line = json.loads(text)
        cells = of_report(line)
        if stem == "entities":
            cells["ServiceNamespace"] = line["ServiceNamespace"]
        own = list(service_rows(line) if stem == "services" else entity_rows(line))
        rows.extend({**cells, **row} for row in own or [{}])
    return rows


def printed(row):
    """Returns a row as JSON has it: no nulls, and times as text."""
    cells = {}
    for name, value in row.items():
        if isinstance(value, datetime.datetime):
            kept = "milliseconds" if name.startswith("Job") else "seconds"
            value = value.replace(tzinfo=None).isoformat(timespec=kept) + "Z"
        if value is not None:
            cells[name] = value
    return cells


def same(found, wanted, where):
    found = [printed(row) for row in found]
    assert len(found) == len(wanted), (where, found)
    for row, other in zip(found, wanted):
        assert row == other, (where, row, other)


def duckdb_rows(path):
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    table = f"read_parquet('{path}')"
    described = connection.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()
    # As microseconds, so that no package of time zones is needed.
    times = [name for name, kind, *_ in described if kind == "TIMESTAMP WITH TIME ZONE"]
    micros = ", ".join(f'epoch_us("{name}") AS "{name}"' for name in times)
    answer = connection.execute(f"SELECT * REPLACE ({micros}) FROM {table}")
    names = [column[0] for column in answer.description]
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    for cells in answer.fetchall():
        row = dict(zip(names, cells))
        for name in times:
            if row[name] is not None:
                row[name] = epoch + datetime.timedelta(microseconds=row[name])
        yield row


for stem, report in REPORTS.items():
    wanted = expected(stem)
    path = directory / f"{stem}.arrow"
    with pyarrow.memory_map(str(path)) as source:
        tables = [pyarrow.ipc.open_file(source).read_all()]
    tables.append(pyarrow.ipc.open_stream(directory / f"{stem}.arrows").read_all())
    tables.append(pyarrow.parquet.read_table(directory / f"{stem}.parquet"))
    for table in tables:
        table.validate(full=True)
        assert table.schema.metadata[b"trailfold.schema.report"] == report.encode()
        assert table.schema.equals(tables[0].schema)
        same(table.to_pylist(), wanted, "pyarrow")
    same(polars.read_ipc(path).to_dicts(), wanted, "polars")
    same(polars.read_ipc_stream(directory / f"{stem}.arrows").to_dicts(), wanted, "polars")
    same(polars.read_parquet(directory / f"{stem}.parquet").to_dicts(), wanted, "polars")
    same(duckdb_rows(directory / f"{stem}.parquet"), wanted, "duckdb")
    with open(directory / f"{stem}.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, strict=True))
    assert [name for name in rows[0]] == tables[0].schema.names
    assert len(rows) == len(wanted)
    for row, other in zip(rows, wanted):
        for name, cell in row.items():
            value = other.get(name, "")
            value = str(value).lower() if isinstance(value, bool) else str(value)
            assert cell == value.replace("\u202e", "\\u{202e}"), (name, cell, value)

services = duckdb.execute(
    f"""SELECT count(*) FILTER (WHERE ActionName IS NULL), count(ActionName)
        FROM read_parquet('{directory}/services.parquet') WHERE ServiceName IS NOT NULL"""
).fetchone()
assert services == (3, 4), services
print("OK")
