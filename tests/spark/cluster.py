"""The Spark job on a local cluster of two executors, one of which is killed; see `against.py`."""

import argparse
import datetime
import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import against
import pyarrow.dataset
import pyarrow.parquet
import rollup
from against import CONF, DUMP, SCRATCH, TRAILFOLD, check_same, report, wait_until
from pyspark.sql import SparkSession
from rollup import File, Refused

builder = SparkSession.builder.master("local-cluster[2,1,512]").config(map=CONF)
spark = builder.config("spark.submit.pyFiles", str(against.JOB)).getOrCreate()
spark.sparkContext.setLogLevel("ERROR")
EXPECTED = report(DUMP)
FILES = sorted(str(path) for path in Path(DUMP).rglob("*") if path.is_file())


def fold(inputs: list[str], into: str, **more) -> None:
    """Runs the job in batches of few files."""
    options = {"trailfold": TRAILFOLD, "batch_bytes": 10**9, "batch_files": -(-len(FILES) // 6)}
    options |= {"fetches": 4, "threads": 1, "memory": "256MB", "count": [], "set_aside": []}
    options |= {"input": inputs, "into": into} | more
    rollup.run_job(spark, argparse.Namespace(**options))


def runs(into: str) -> list[str]:
    return sorted(os.listdir(f"{into}/_trailfold/runs"))


def executor_of(process: str) -> int:
    """Returns the executor that a process on this machine descends from."""
    while True:
        command = ["ps", "-o", "ppid=", "-o", "args=", "-p", process]
        parent, arguments = subprocess.check_output(command, text=True).strip().split(maxsplit=1)
        if "CoarseGrainedExecutorBackend" in arguments:
            assert spark.sparkContext.applicationId in arguments
            return int(process)
        process = parent


def an_executor_killed_at_work_changes_nothing() -> None:
    program, go, marks = against.held("held")
    killed = []

    def kill() -> None:
        wait_until(lambda: len(os.listdir(marks)) == 2)
        killed.append(executor_of(sorted(os.listdir(marks))[0]))
        os.kill(killed[0], signal.SIGKILL)
        go.touch()

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    fold([DUMP], f"{SCRATCH}/one", trailfold=program)
    thread.join()
    batches = len(rollup.pack([File(name, 0, 0, None) for name in FILES], 1, -(-len(FILES) // 6)))
    assert killed and len(os.listdir(marks)) > batches, "a batch was folded again"
    check_same(report(f"{SCRATCH}/one"), EXPECTED)
    assert len(runs(f"{SCRATCH}/one")) == 1
    assert os.listdir(f"{SCRATCH}/one/_trailfold/tmp") == []


def a_second_job_over_the_same_dump_reads_nothing_but_what_failed() -> None:
    before = runs(f"{SCRATCH}/one")
    with mock.patch.object(rollup, "add_run") as add_run:
        fold([DUMP], f"{SCRATCH}/one")
    table = pyarrow.parquet.read_table(f"{SCRATCH}/one/_trailfold/sources").to_pylist()
    failed = [row["source"] for row in table if row["outcome"] == "FAILED"]
    again = [file.source for call in add_run.call_args_list for file in call.args[2]]
    assert again == sorted(failed)
    assert runs(f"{SCRATCH}/one") == before
    whole = [name for name in FILES if name not in failed]
    fold(whole, f"{SCRATCH}/one")
    assert runs(f"{SCRATCH}/one") == before


def parts_are_as_the_format_says() -> None:
    for path in Path(SCRATCH).glob("*/date=*/part-spark-*.parquet"):
        part = pyarrow.parquet.ParquetFile(path)
        assert part.schema_arrow.names == list(rollup.PART)
        assert part.metadata.row_group(0).column(0).compression == "ZSTD"
        assert part.schema_arrow.field("latest_time").type == pyarrow.timestamp("us", "UTC")
        fields = json.loads(part.metadata.metadata[b"org.apache.spark.sql.parquet.row.metadata"])
        assert fields["fields"][0]["metadata"] == {"trailfold.rollup": "1"}
        keys = [
            [(row[name] is not None, row[name]) for name in rollup.KEY]
            for row in part.read(list(rollup.KEY)).to_pylist()
        ]
        assert keys == sorted(keys) and len(keys) == len(set(map(tuple, keys))), path
    for path in Path(SCRATCH).glob("*/_trailfold/sources/spark-*.parquet"):
        names = pyarrow.parquet.read_table(path)["source"].to_pylist()
        assert names == sorted(set(names)), path


def the_rows_are_those_of_trailfold() -> None:
    one, other = f"{SCRATCH}/one", f"{SCRATCH}/other"
    subprocess.run([TRAILFOLD, "rollup", "--quiet", "--into", other, DUMP])
    for names in ("date=*/*.parquet", "_trailfold/sources/*.parquet"):
        found, expected = rows_of(one, names), rows_of(other, names)
        assert found.keys() == expected.keys()
        for place, rows in found.items():
            for row, same in zip(rows, expected[place], strict=True):
                # When each of them read it is their own.
                row.pop("read_time", None), same.pop("read_time", None)
                assert row == same, f"{place}: {row} and {same}"


def rows_of(place: str, names: str) -> dict[str, list[dict]]:
    """Returns the rows of files by the directory that they lie in, in the order of the files."""
    rows: dict[str, list[dict]] = {}
    for path in sorted(Path(place).glob(names)):
        rows.setdefault(path.parent.name, [])
        rows[path.parent.name] += pyarrow.parquet.ParquetFile(path).read().to_pylist()
    return rows


def two_jobs_over_halves_that_overlap_are_one() -> None:
    into, third = f"{SCRATCH}/logs [1] {{a}}", len(FILES) // 3
    with mock.patch.object(rollup, "ROWS_A_PART", 20):
        fold(FILES[third:], into)
    assert len(list(Path(into).glob("date=*/*"))) > len(list(Path(into).glob("date=*")))
    written = runs(into)
    # The overlap is known already, unless a source failed; so make it be read again.
    with mock.patch.object(rollup, "not_folded", lambda _, files, __: files):
        fold(FILES[: 2 * third], into)
    assert len(runs(into)) == 2 and set(written) < set(runs(into))
    check_same(report(into), EXPECTED)
    subprocess.run([TRAILFOLD, "rollup", "--compact", into], check=True)
    check_same(report(into), EXPECTED)
    # Spark reads what trailfold has written as others do.
    found = spark.read.option("__globPaths__", "false").parquet(into)
    assert found.columns == [*rollup.PART, "date"]
    other = pyarrow.dataset.dataset(into, partitioning="hive").to_table()
    rows = sorted(map(in_order, map(dict, (row.asDict().items() for row in found.collect()))))
    assert rows == sorted(map(in_order, other.to_pylist())) and rows


def in_order(row: dict) -> str:
    """Returns a row in one way, whatever program it comes from; Spark gives local times."""
    times = {
        name: int(value.timestamp() * 1e6 + 0.5)
        for name, value in row.items()
        if isinstance(value, datetime.datetime)
    }
    return repr([str((row | times)[name]) for name in [*rollup.PART, "date"]])


def a_job_that_fails_leaves_the_rollup_as_it_was() -> None:
    into, half = f"{SCRATCH}/failed", FILES[::2]
    subprocess.run([TRAILFOLD, "rollup", "--quiet", "--into", into, *half])
    before, committed = report(into), runs(into)
    with mock.patch.object(rollup.Rollup, "commit", side_effect=KeyboardInterrupt):
        fails(lambda: fold([DUMP], into), "")
    assert any(Path(into).glob("date=*/part-spark-*")), "it died after its parts were in place"
    check_same(report(into), before)
    fails(lambda: fold([DUMP], into, count=["root-service-calls"]), "RootServiceCalls is SET_ASIDE")
    program = against.binary("failing", "cat > /dev/null; echo 'error: no good' >&2; exit 2")
    fails(lambda: fold([DUMP], into, trailfold=program), "exit status 2", "error: no good")
    assert runs(into) == committed
    assert os.listdir(f"{into}/_trailfold/tmp") == []
    with open(f"{into}/_trailfold/lock", "a") as lock:
        rollup.fcntl.flock(lock, rollup.fcntl.LOCK_EX)
        fails(lambda: fold([DUMP], into), "another run is writing")
    check_same(report(into), before)
    Path(into, "_trailfold/runs/new.json").write_text('{"FormatVersion": 2}')
    fails(lambda: fold([DUMP], into), "format version 2")
    other = Path(SCRATCH, "occupied")
    (other / "logs").mkdir(parents=True)
    fails(lambda: fold([DUMP], str(other)), "holds something else: `logs`")
    assert os.listdir(other) == ["logs"]


def fails(job: Callable[[], None], *words: str) -> None:
    try:
        job()
    except (Exception, KeyboardInterrupt) as error:
        for word in words:
            assert word in str(error), f"{word!r} not in: {error}"
    else:
        raise AssertionError(f"did not fail: {words}")


def a_source_is_folded_if_the_row_that_counts_has_its_etag_or_else_its_size_and_time() -> None:
    time, other = datetime.datetime(2026, 1, 31, 12, 0, 0, 1, datetime.timezone.utc), None
    micros = 1_769_860_800_000_001
    rows = [
        ("/same", 5, time, other, "READ"),
        ("/set-aside", 5, time, other, "SET_ASIDE"),
        ("/name-alone", None, None, other, "SET_ASIDE"),
        ("/failed", 5, time, other, "FAILED"),
        ("/settled", 5, time, other, "SETTLED"),
        ("/failed-once", 5, time, other, "FAILED"),
        ("/failed-once", 5, time, other, "READ"),
        ("/size", 6, time, other, "READ"),
        ("/time", 5, time + datetime.timedelta(microseconds=1), other, "READ"),
        ("/unknown", None, None, other, "READ"),
        ("s3://b/etag", 6, None, '"e"', "READ"),
        ("s3://b/other-etag", 5, time, "f", "READ"),
        ("s3://b/no-etag", 5, time, other, "READ"),
    ]
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    rows = [(*row[:4], time, row[4], "{}", "{}") for row in rows]
    later = time + datetime.timedelta(days=1)
    rows.append(("/failed-later", 5, time, None, time, "READ", "{}", "{}"))
    rows.append(("/failed-later", 5, time, None, later, "FAILED", "{}", "{}"))
    schema = ", ".join(f"{name} {kind}" for name, kind in rollup.SOURCE.items())
    names = sorted({row[0] for row in rows} | {"/new"})
    files = [File(name, 5, micros, "e" if name.startswith("s3") else None) for name in names]
    new = rollup.not_folded(spark, files, spark.createDataFrame(rows, schema))
    assert [file.source for file in new] == [
        "/failed", "/failed-later", "/new", "/settled", "/size", "/time", "/unknown",
        "s3://b/other-etag",
    ]  # fmt: skip


def hadoop_lists_what_we_list() -> None:
    found = rollup.list_hadoop(spark, f"file:{DUMP}")
    names = [(file.source.removeprefix("file:"), file.size) for file in found]
    assert sorted(names) == [(file.source, file.size) for file in rollup.files_of(spark, [DUMP])]
    with_itself = rollup.files_of(spark, [DUMP, FILES[0]])
    assert with_itself == rollup.files_of(spark, [DUMP]), "each file once"
    fails(lambda: fold([DUMP], f"{DUMP}/rollup"), "lies within the input")
    empty = Path(SCRATCH, "empty")
    empty.mkdir()
    fails(lambda: fold([str(empty)], f"{SCRATCH}/nothing"), "no file in")
    assert not os.path.exists(f"{SCRATCH}/nothing")


for test in [
    an_executor_killed_at_work_changes_nothing,
    a_second_job_over_the_same_dump_reads_nothing_but_what_failed,
    the_rows_are_those_of_trailfold,
    two_jobs_over_halves_that_overlap_are_one,
    a_job_that_fails_leaves_the_rollup_as_it_was,
    parts_are_as_the_format_says,
    a_source_is_folded_if_the_row_that_counts_has_its_etag_or_else_its_size_and_time,
    hadoop_lists_what_we_list,
]:
    rollup.say(f"# {test.__name__}")
    test()
spark.stop()
print("OK")
