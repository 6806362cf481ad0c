"""Folds a dump of CloudTrail logs into a rollup on a Spark cluster.

The executors run the unmodified `trailfold` binary, one process for a batch of files; Spark joins
what the processes say and writes the directory that `docs/rollup.md` describes, so that
`trailfold report` and `trailfold rollup` go on with it. This file knows that format and nothing of
CloudTrail: what a log says is for the binary alone.

    spark-submit rollup.py --trailfold s3://tools/trailfold \\
        --input s3://logs/AWSLogs/ --into s3://rollup/

It needs Spark 3.5 and pyarrow. `README.md` beside it tells how to submit it.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import errno
import fcntl
import functools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import Any, BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.fs
from pyspark import SparkFiles, TaskContext
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

VERSION = "1"
"""The version of the format of rollups and of partial streams."""

KEY = {
    "account_id": "string",
    "principal_arn": "string",
    "principal_id": "string",
    "event_source": "string",
    "event_name": "string",
    "service_namespace": "string",
    "data_event": "boolean",
}
ATTEMPT = {"time": "timestamp", "event_id": "string", "region": "string", "source": "string"}
ATTEMPTS = ["latest", "success", "denial", "first"]
PART = KEY | {f"{name}_{field}": kind for name in ATTEMPTS for field, kind in ATTEMPT.items()}
SOURCE = {
    "source": "string",
    "size": "bigint",
    "modified": "timestamp",
    "etag": "string",
    "read_time": "timestamp",
    "outcome": "string",
    "attribution": "string",
    "coverage": "string",
}
PARTIAL = {"row": "string", "date": "string"} | PART | SOURCE
"""The columns of a partial stream, and so of what the executors hand back."""

OUTCOMES = ["SETTLED", "FAILED", "SET_ASIDE", "EMPTY", "READ"]
"""What became of a source, the least first."""

SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.caseSensitive": "true",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.sql.parquet.writeLegacyFormat": "false",
    "spark.sql.files.ignoreCorruptFiles": "false",
    "spark.sql.files.ignoreMissingFiles": "false",
    "spark.sql.files.maxRecordsPerFile": "0",
    "spark.sql.adaptive.enabled": "true",
}
"""What the answers or the format depend on, whatever the submitter set."""

ROWS_A_PART = 4_000_000
"""A day with more rows is written by several tasks, as so many more parts."""

END_OF_STREAM = b"\xff\xff\xff\xff\x00\x00\x00\x00"
"""The last bytes of an Arrow IPC stream that was not cut off."""


class Refused(Exception):
    """Why the job cannot go on, for the person who submitted it."""


class File(NamedTuple):
    """A file of the dump as its listing has it."""

    source: str
    """The absolute path of a local file, the URI of any other."""
    size: int | None
    modified: int | None
    """When it was last changed, in microseconds since 1970."""
    etag: str | None


FILE = "source string, size bigint, modified bigint, etag string"


# Listing, on the driver


def files_of(spark: SparkSession, inputs: Iterable[str]) -> list[File]:
    """Returns the files of all inputs, each once, in the order of their names."""
    files: dict[str, File] = {}
    for place in inputs:
        path = local_path(place)
        listed = list_hadoop(spark, place) if path is None else list_local(path)
        before = len(files)
        files.update((file.source, file) for file in listed)
        say(f"listed {place}: {len(files) - before}")
    return sorted(files.values())


def local_path(place: str) -> str | None:
    """Returns the absolute path that a path or a `file:` URI means, None for other URIs."""
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):/", place)
    if scheme is None:
        return os.path.abspath(place)
    if scheme[1] != "file":
        return None
    return os.path.abspath(re.sub(r"^file:(//)?(?=/)", "", place))


def list_local(top: str) -> Iterator[File]:
    """Lists a local file, or a directory and all below it; every node has to see the same.

    As the binary does, it follows links, and enters a directory once, by its own name where it has
    one. A link that leads nowhere is handed over like a file, for the binary to say so.
    """
    if not os.path.exists(top):
        raise Refused(f"`{top}`: no such file or directory")
    entered: set[str] = set()
    level, links = [top], []
    while level or links:
        directory = level.pop() if level else links.pop(0)
        if not os.path.isdir(directory):
            yield local_file(directory)
            continue
        place = os.path.realpath(directory)
        if place in entered:
            continue
        entered.add(place)
        try:
            names = sorted(os.listdir(directory))
        except OSError as error:
            raise Refused(f"`{directory}`: cannot be looked into: {error}") from error
        for name in names:
            path = os.path.join(directory, name)
            if os.path.isdir(path):
                (links if os.path.islink(path) else level).append(path)
            elif os.path.isfile(path) or os.path.islink(path):
                yield local_file(path)
            else:
                say(f"{utf8(path)}: left out, no file")


def local_file(path: str) -> File:
    try:
        status = os.stat(path)
    except OSError:
        return File(utf8(path), None, None, None)
    return File(utf8(path), status.st_size, status.st_mtime_ns // 1000, None)


def utf8(path: str) -> str:
    try:
        path.encode()
    except UnicodeEncodeError:
        raise Refused(f"{path!r}: the name is no UTF-8; rename the file or leave it out") from None
    return path


def list_hadoop(spark: SparkSession, place: str) -> Iterator[File]:
    """Lists a place through the driver's Hadoop FileSystem: one iterator, page by page."""
    jvm = spark._jvm
    path = jvm.org.apache.hadoop.fs.Path(place)
    found = path.getFileSystem(spark._jsc.hadoopConfiguration()).listFiles(path, True)
    has_etag = None
    while found.hasNext():
        status = found.next()
        if has_etag is None:
            interface = jvm.java.lang.Class.forName("org.apache.hadoop.fs.EtagSource")
            has_etag = interface.isInstance(status)
        etag = status.getEtag() if has_etag else None
        # An object has one name, whichever connector reads it.
        source = re.sub(r"^s3[an]://", "s3://", status.getPath().toString())
        modified = status.getModificationTime() * 1000
        yield File(source, status.getLen(), modified, etag.strip('"') if etag else None)


def not_folded(spark: SparkSession, files: list[File], rows: DataFrame) -> list[File]:
    """Returns the files that `rows`, the sources of the live runs, do not have as folded."""
    slices = 1 + len(files) // 100_000
    tuples = spark.sparkContext.parallelize(list(map(tuple, files)), slices)
    listed = spark.createDataFrame(tuples, FILE, verifySchema=False).alias("listed")
    known = join_sources(rows).filter(~F.col("outcome").isin("FAILED", "SETTLED")).select(
        "source",
        "size",
        F.unix_micros("modified").alias("modified"),
        # Some listings give the quotes of the HTTP header with it.
        F.regexp_replace("etag", '^"|"$', "").alias("etag"),
        # By its name alone: no look at it was needed, and none is.
        (
            (F.col("outcome") == "SET_ASIDE")
            & F.coalesce("size", F.unix_micros("modified"), F.length("etag")).isNull()
        ).alias("is_known_by_name"),
    )
    known = known.alias("known")

    def is_same(name: str) -> Column:
        return F.col(f"listed.{name}") == F.col(f"known.{name}")

    has_etags = F.col("listed.etag").isNotNull() & F.col("known.etag").isNotNull()
    is_folded = is_same("source") & (
        F.col("known.is_known_by_name")
        | F.when(has_etags, is_same("etag")).otherwise(is_same("size") & is_same("modified"))
    )
    new = listed.join(known, is_folded, "left_anti").select("source")
    names = {row.source for row in new.toLocalIterator()}
    return [file for file in files if file.source in names]


def pack(files: Iterable[File], most_bytes: int, most_files: int) -> list[list[File]]:
    """Cuts files, in their order, into batches of at most so many bytes and files.

    A file that is larger than a batch is one by itself.
    """
    batches: list[list[File]] = []
    room = 0
    for file in files:
        size = file.size or 0
        if not batches or size > room or len(batches[-1]) == most_files:
            batches.append([])
            room = most_bytes
        batches[-1].append(file)
        room -= size
    return batches


# Folding, on the executors


class Folding(NamedTuple):
    """How a batch is folded."""

    binary: str
    """The name of the binary among the files of the application."""
    arguments: list[str]
    fetches: int
    """So many objects are fetched at a time."""
    attempts: int
    """So often Spark tries a task."""
    attribution: dict[str, str] | None
    """The attribution of the rollup so far."""


def fold(listed: Iterable[pa.RecordBatch], folding: Folding) -> Iterator[pa.RecordBatch]:
    """Folds the files of one task by one process of the binary; yields its partial stream."""
    rows = (zip(*(column.to_pylist() for column in batch.columns)) for batch in listed)
    files = [File(*row) for batch in rows for row in batch]
    if not files:
        return
    task = TaskContext.get()
    last = (task.attemptNumber() if task else 0) + 1 >= folding.attempts
    with contextlib.ExitStack() as stack:
        # Spark removes its own directories even when this process is killed.
        places = [place for place in os.environ.get("SPARK_LOCAL_DIRS", "").split(",") if place]
        scratch = places[task.partitionId() % len(places)] if task and places else None
        directory = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="trailfold-", dir=scratch)
        )
        command = [SparkFiles.get(folding.binary), "rollup", "--partial", "--files-from", "-"]
        process = Process([*command, *folding.arguments])
        stack.callback(process.stop)
        process.start(lines(files, directory, folding.fetches, last))
        for batch in process.stream():
            check_attribution(batch, folding.attribution)
            yield batch


def lines(files: list[File], directory: str, fetches: int, last: bool) -> Iterator[bytes]:
    """Yields the lines for `--files-from`, each once the bytes lie in the local file system."""
    pool = ThreadPoolExecutor(fetches)
    try:
        bring_one = functools.partial(bring, mounted=functools.lru_cache(mounted), last=last)
        targets = (os.path.join(directory, str(number)) for number in range(len(files)))
        brought = pool.map(bring_one, files, targets)
        failed = 0
        for file, (path, error) in zip(files, brought):
            failed += error is not None
            if failed == len(files):
                raise OSError(f"none of {failed} objects could be fetched: {error}")
            yield json.dumps(line(file, path)).encode() + b"\n"
    finally:
        pool.shutdown(cancel_futures=True)


def line(file: File, path: str) -> dict[str, Any]:
    """Returns what `--files-from` takes of a file whose bytes are at this path."""
    found: dict[str, Any] = {"Path": path, "Source": file.source}
    if file.size is not None:
        found["Size"] = file.size
    if file.modified is not None:
        modified = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=file.modified)
        found["LastModified"] = modified.isoformat().replace("+00:00", "Z")
    if file.etag is not None:
        found["ETag"] = file.etag
    return found


def bring(
    file: File, target: str, mounted: Callable[[str], Mount], last: bool
) -> tuple[str, OSError | None]:
    """Returns where the bytes of a file are, a remote one's at `target`, and why they are not.

    Where nothing is, the binary records a source that could not be read. So end objects that were
    deleted since the listing and, when Spark tries no more, those that cannot be fetched.
    """
    if file.source.startswith("/"):
        return file.source, None
    scheme, rest = file.source.split("://", 1)
    authority, _, key = rest.partition("/")
    try:
        filesystem, root = mounted(f"{scheme}://{authority}/")
        # Left to itself, pyarrow inflates what is named like a gzip file.
        with filesystem.open_input_stream(f"{root}/{key}", compression=None) as stream:
            with open(target, "wb") as copy:
                # Each read is a request.
                shutil.copyfileobj(stream, copy, 8 << 20)
        return target, None
    except OSError as error:
        if error.errno == errno.ENOSPC or not (last or isinstance(error, FileNotFoundError)):
            raise OSError(error.errno, f"{file.source}: {error}") from error
        with contextlib.suppress(FileNotFoundError):
            os.remove(target)
        say(f"{file.source}: not fetched: {error}")
        return target, error


Mount = tuple[pyarrow.fs.FileSystem, str]
"""A file system and the path of a root in it."""


def mounted(root: str) -> Mount:
    """Returns what the URI of a bucket or server stands for."""
    filesystem, path = pyarrow.fs.FileSystem.from_uri(root)
    return filesystem, path.rstrip("/")


class Process:
    """A running binary: its input fed and its messages shown by threads, its output a stream."""

    def __init__(self, command: list[str]) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe)
        self.said: collections.deque[str] = collections.deque(maxlen=50)
        self.not_fed: Exception | None = None
        self.stopped = False
        self.threads: list[threading.Thread] = []

    def start(self, lines: Iterator[bytes]) -> None:
        """Feeds it these lines and shows what it says, beside the caller."""
        for target, arguments in ((self._feed, (lines,)), (self._show, ())):
            thread = threading.Thread(target=target, args=arguments, daemon=True)
            thread.start()
            self.threads.append(thread)

    def stop(self) -> None:
        """Ends it, whatever it is doing."""
        self.stopped = True
        self.process.kill()
        for thread in self.threads:
            thread.join()
        self.process.wait()
        self.process.stdout.close()

    def stream(self) -> Iterator[pa.RecordBatch]:
        """Yields its output, and fails unless that is whole and the process content."""
        output = Tail(self.process.stdout)
        try:
            reader = pa.ipc.open_stream(output)
            names = check_schema(reader.schema)
            for batch in reader:
                yield pa.RecordBatch.from_arrays([batch[name] for name in names], names)
        except (pa.ArrowInvalid, OSError) as error:
            raise self._failure(str(error)) from error
        if output.read(1) or output.tail != END_OF_STREAM:
            raise self._failure("its stream has no end: it was cut off")
        status = self.process.wait()
        for thread in self.threads:
            thread.join()
        if status not in (0, 1) or self.not_fed:
            raise self._failure("it failed after its stream")

    def _failure(self, why: str) -> RuntimeError:
        if self.not_fed is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=10)
        status = self.process.poll()
        self.stop()
        ended = "it was still running" if status is None else f"exit status {status}"
        causes = [why, ended, *([f"input: {self.not_fed}"] if self.not_fed else [])]
        return RuntimeError("\n".join([f"trailfold: {'; '.join(causes)}; it said:", *self.said]))

    def _feed(self, lines: Iterator[bytes]) -> None:
        try:
            with contextlib.closing(lines), self.process.stdin as stdin:
                for line in lines:
                    if self.stopped:
                        break
                    stdin.write(line)
        except BrokenPipeError:
            pass  # It ended before it had read all, and says why itself.
        except Exception as error:
            # A list that stops short is a list to the binary: it must not end well.
            self.not_fed = error
            self.process.kill()

    def _show(self) -> None:
        with self.process.stderr as stderr:
            for line in stderr:
                text = line.decode(errors="replace").rstrip("\n")
                self.said.append(text)
                say(text)


class Tail:
    """A stream that remembers its last bytes: Arrow takes one that was cut off for a whole one."""

    closed = False

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.tail = b""

    def read(self, size: int = -1) -> bytes:
        """Returns the next bytes, fewer than `size` only at the end."""
        read = self.stream.read(size)
        self.tail = (self.tail + read[-8:])[-8:]
        return read

    def close(self) -> None:
        """Leaves the stream open: it is the process's."""


def check_schema(schema: pa.Schema) -> list[str]:
    """Returns the names of the columns of a partial stream that this file understands."""
    version = (schema.metadata or {}).get(b"trailfold.rollup", b"absent").decode()
    if version != VERSION:
        raise Refused(
            f"trailfold: the binary writes partial streams of version {version}, and this job reads"
            f" version {VERSION}: take both from one release"
        )
    kinds = {
        "string": pa.string(),
        "boolean": pa.bool_(),
        "bigint": pa.int64(),
        "timestamp": pa.timestamp("us", "UTC"),
    }
    for name, kind in PARTIAL.items():
        found = schema.field(name).type if name in schema.names else None
        if found != kinds[kind]:
            raise Refused(f"trailfold: column `{name}` of its stream is {found}, not {kinds[kind]}")
    return list(PARTIAL)


def check_attribution(batch: pa.RecordBatch, expected: dict[str, str] | None) -> None:
    """Refuses sources read under another attribution than the rollup so far, as early as known."""
    for found in batch["attribution"].unique().drop_null().to_pylist():
        if expected is not None and json.loads(found) != expected:
            raise Refused(f"{other_attribution(json.loads(found), expected)}")


def other_attribution(found: dict[str, str], expected: dict[str, str]) -> str:
    differs = [
        f"{kind} is {expected.get(kind)} there and {found.get(kind)} here"
        for kind in sorted(found.keys() | expected.keys())
        if found.get(kind) != expected.get(kind)
    ]
    return (
        f"the rollup has another attribution: {', '.join(differs)};"
        " use the --count and --set-aside of its first run, or another directory"
    )


# Joining, by Spark SQL


def join_accesses(access: DataFrame) -> DataFrame:
    """Joins the rows of each day and key: the greatest attempts, and the least of the first."""

    def attempt(name: str) -> Column:
        fields = F.struct(*(F.col(f"{name}_{field}").alias(field) for field in ATTEMPT))
        return F.when(F.col(f"{name}_time").isNotNull(), fields)

    # Spark orders structs field by field, null first, and texts by their bytes, as the format does.
    greatest = [F.max(attempt(name)).alias(name) for name in ATTEMPTS[:3]]
    joined = access.groupBy("date", *KEY).agg(*greatest, F.min(attempt("first")).alias("first"))
    columns = [
        F.col(f"{name}.{field}").alias(f"{name}_{field}") for name in ATTEMPTS for field in ATTEMPT
    ]
    return joined.select("date", *KEY, *columns)


def join_sources(sources: DataFrame) -> DataFrame:
    """Keeps the greatest row of each source."""
    ranks = [F.when(F.col("outcome") == name, rank) for rank, name in enumerate(OUTCOMES)]
    rank = F.coalesce(*ranks, F.lit(-1))
    fields = ["size", "etag", "coverage", "outcome", "attribution"]
    rows = sources.groupBy("source").agg(
        F.max(F.struct("read_time", "modified", rank.alias("rank"), *fields)).alias("greatest")
    )
    return rows.select("source", *(F.col(f"greatest.{name}") for name in list(SOURCE)[1:]))


def written(names: Iterable[str]) -> list[Column]:
    """Returns columns to write, the first with the version of the format for the footers."""
    first, *rest = names
    return [F.col(first).alias(first, metadata={"trailfold.rollup": VERSION}), *map(F.col, rest)]


# The directory of the rollup


class Rollup:
    """A rollup in a file system of Hadoop's: what its runs say, and how one is added."""

    def __init__(self, spark: SparkSession, place: str) -> None:
        self.spark = spark
        self.jvm = spark._jvm
        local = local_path(place)
        path = self.jvm.org.apache.hadoop.fs.Path(place if local is None else f"file:{local}")
        self.fs = path.getFileSystem(spark._jsc.hadoopConfiguration())
        self.root = self.fs.makeQualified(path).toString().rstrip("/")
        self.is_local = self.fs.getUri().getScheme() == "file"
        if self.is_local:
            # Without the checksum files that Hadoop lays beside local ones.
            self.fs = self.fs.getRawFileSystem()

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps other writers out where the file system can."""
        if not self.is_local:
            yield
            return
        home = os.path.join(local_path(self.root) or "", "_trailfold")
        os.makedirs(home, exist_ok=True)
        with open(os.path.join(home, "lock"), "ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Refused(f"{self.root}: another run is writing to the rollup") from None
            yield

    def path(self, name: str) -> Any:
        """Returns the path of a name within the rollup."""
        return self.jvm.org.apache.hadoop.fs.Path(f"{self.root}/{name}")

    def names(self, directory: str) -> list[str]:
        """Returns the sorted names of what a directory holds; none if it is not there."""
        path = self.path(directory)
        if not self.fs.exists(path):
            return []
        return sorted(status.getPath().getName() for status in self.fs.listStatus(path))

    def check_place(self) -> None:
        """Refuses a directory in which something else lies, such as logs."""
        others = [name for name in self.names("") if not name.startswith(("date=", "_", "."))]
        if others:
            raise Refused(f"{self.root}: holds something else: `{others[0]}`")

    def live_runs(self) -> list[dict[str, Any]]:
        """Returns the runs that count."""
        runs = {}
        for name in self.names("_trailfold/runs"):
            if name.endswith(".json") and name[0] not in "._":
                with contextlib.closing(self.fs.open(self.path(f"_trailfold/runs/{name}"))) as file:
                    text = self.jvm.org.apache.commons.io.IOUtils.toString(file, "UTF-8")
                run = json.loads(text)
                if str(run.get("FormatVersion")) != VERSION:
                    raise Refused(
                        f"{self.root}/_trailfold/runs/{name}: format version"
                        f" {run.get('FormatVersion')}; this job knows version {VERSION}"
                    )
                runs[name.removesuffix(".json")] = run
        replaced = {name for run in runs.values() for name in run["Replaces"]}
        return [run for name, run in runs.items() if name not in replaced]

    def read(self, kinds: dict[str, str], paths: list[str]) -> DataFrame:
        """Returns the rows of Parquet files or directories within the rollup."""
        schema = ", ".join(f"{name} {kind}" for name, kind in kinds.items())
        # The names are names: a directory may be called `logs[1]`.
        reader = self.spark.read.schema(schema).option("__globPaths__", "false")
        return reader.parquet(*(f"{self.root}/{path}" for path in paths))

    def move(self, moves: list[tuple[str, str]]) -> None:
        """Moves files within the rollup."""
        for directory in sorted({target.rpartition("/")[0] for _, target in moves}):
            self.fs.mkdirs(self.path(directory))

        def move(names: tuple[str, str]) -> None:
            source, target = map(self.path, names)
            if not self.fs.rename(source, target):
                raise Refused(f"{source.toString()}: cannot be moved to {target.toString()}")

        with ThreadPoolExecutor(16) as pool:
            for _ in pool.map(move, moves):
                pass

    def commit(self, run: str, text: str) -> None:
        """Makes a run exist: its file appears whole, or not at all."""
        target = f"_trailfold/runs/{run}.json"
        # Object stores write an object at once and rename by copying; file systems the reverse.
        renames = self.fs.getUri().getScheme() in ("file", "hdfs", "viewfs", "abfs", "abfss")
        written = f"_trailfold/tmp/{run}/run.json" if renames else target
        self.fs.mkdirs(self.path("_trailfold/runs"))
        with contextlib.closing(self.fs.create(self.path(written), False)) as file:
            file.write(bytearray(text.encode()))
        if renames:
            self.move([(written, target)])


# The job


def run_job(spark: SparkSession, options: argparse.Namespace) -> None:
    """Adds what is new in the inputs to the rollup, as one run."""
    for name, value in SETTINGS.items():
        spark.conf.set(name, value)
    rollup = Rollup(spark, options.into)
    for place in options.input:
        above = Rollup(spark, place).root
        if f"{rollup.root}/".startswith(f"{above}/"):
            raise Refused(f"{rollup.root}: the rollup lies within the input `{place}`")
    rollup.check_place()
    files = files_of(spark, options.input)
    if not files:
        raise Refused(f"no file in {', '.join(options.input)}")
    with rollup.locked():
        live = rollup.live_runs()
        sources = [path for run in live for path in run["Sources"]]
        new = not_folded(spark, files, rollup.read(SOURCE, sources)) if sources else files
        if not new:
            say(f"nothing new: all {len(files)} sources are folded already; no run is written")
            return
        say(f"{len(new)} of {len(files)} sources are new")
        attribution = one_attribution([json.dumps(run["Attribution"]) for run in live])
        run = f"spark-{uuid.uuid4().hex}"
        try:
            add_run(rollup, run, new, attribution, options)
        finally:
            rollup.fs.delete(rollup.path(f"_trailfold/tmp/{run}"), True)


def add_run(
    rollup: Rollup,
    run: str,
    files: list[File],
    attribution: dict[str, str] | None,
    options: argparse.Namespace,
) -> None:
    """Folds files and writes what they come to."""
    temporary = f"_trailfold/tmp/{run}"
    fold_files(rollup, f"{temporary}/partial", files, attribution, options)
    partial = rollup.read(PARTIAL, [f"{temporary}/partial"])
    access = partial.filter(F.col("row") == "access")
    sources = join_sources(partial.filter(F.col("row") == "source")).cache()
    outcomes = {row.outcome: row["count"] for row in sources.groupBy("outcome").count().collect()}
    found = [row.attribution for row in sources.select("attribution").distinct().collect()]
    found = one_attribution(found, attribution)
    check_sources(rollup.spark, files, sources)

    days = {row.date: row["count"] for row in access.groupBy("date").count().collect()}
    tasks = max(1, -(-max(days.values(), default=0) // ROWS_A_PART))
    share = F.pmod(F.crc32(F.col("account_id").cast("binary")), F.lit(tasks))
    parts = join_accesses(access).repartition("date", share).sortWithinPartitions("date", *KEY)
    parts.select("date", *written(PART)).write.partitionBy("date").parquet(
        f"{rollup.root}/{temporary}/parts"
    )
    sources.select(written(SOURCE)).orderBy("source").write.parquet(
        f"{rollup.root}/{temporary}/sources"
    )
    moves = []
    for day in sorted(days):
        directory = f"{temporary}/parts/date={day}"
        moves += numbered(rollup, directory, f"date={day}/part-{run}")
    source_moves = numbered(rollup, f"{temporary}/sources", f"_trailfold/sources/{run}")
    rollup.move(moves + source_moves)
    entry = {
        "FormatVersion": int(VERSION),
        "Attribution": found,
        "Replaces": [],
        "Parts": [target for _, target in moves],
        "Sources": [target for _, target in source_moves],
    }
    rollup.commit(run, json.dumps(entry, indent=2) + "\n")
    read = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
    say(f"run {run}: {len(moves)} parts of {len(days)} days; sources: {read}")


def fold_files(
    rollup: Rollup,
    target: str,
    files: list[File],
    attribution: dict[str, str] | None,
    options: argparse.Namespace,
) -> None:
    """Folds files on the executors; writes the partial streams so that no log is read twice."""
    context = rollup.spark.sparkContext
    context.addFile(options.trailfold)
    arguments = ["--quiet", "--threads", str(options.threads), "--memory", options.memory]
    for kind in options.count:
        arguments += ["--count", kind]
    for kind in options.set_aside:
        arguments += ["--set-aside", kind]
    folding = Folding(
        binary=os.path.basename(options.trailfold),
        arguments=arguments,
        fetches=options.fetches,
        attempts=int(context.getConf().get("spark.task.maxFailures", "4")),
        attribution=attribution,
    )
    batches = pack(files, options.batch_bytes, options.batch_files)
    rows = context.parallelize([list(map(tuple, batch)) for batch in batches], len(batches))
    listed = rollup.spark.createDataFrame(rows.flatMap(list), FILE, verifySchema=False)
    schema = ", ".join(f"{name} {kind}" for name, kind in PARTIAL.items())
    partial = listed.mapInArrow(functools.partial(fold, folding=folding), schema)
    say(f"{len(batches)} batches")
    partial.write.partitionBy("row").parquet(f"{rollup.root}/{target}")


def numbered(rollup: Rollup, directory: str, target: str) -> list[tuple[str, str]]:
    """Returns the moves of the Parquet files that Spark wrote into a directory."""
    names = [name for name in rollup.names(directory) if name.endswith(".parquet")]
    if not names:
        raise Refused(f"{rollup.root}/{directory}: Spark has written nothing there")
    return [
        (f"{directory}/{name}", f"{target}-{number}.parquet") for number, name in enumerate(names)
    ]


def one_attribution(
    found: list[str], expected: dict[str, str] | None = None
) -> dict[str, str] | None:
    """Returns the only attribution there is; none for no rows."""
    for attribution in map(json.loads, found):
        if expected is not None and attribution != expected:
            raise Refused(other_attribution(attribution, expected))
        expected = attribution
    return expected


def check_sources(spark: SparkSession, files: list[File], sources: DataFrame) -> None:
    """Refuses partial streams that do not tell of every file what became of it."""
    slices = 1 + len(files) // 100_000
    names = spark.sparkContext.parallelize([(file.source,) for file in files], slices)
    listed = spark.createDataFrame(names, "source string", verifySchema=False)
    untold = [row.source for row in listed.join(sources, "source", "left_anti").take(3)]
    if untold:
        raise Refused(f"trailfold: its streams say nothing of {', '.join(untold)}")


def size(text: str) -> int:
    """Reads a number of bytes such as `256MB`."""
    found = re.fullmatch(r"(\d+) ?([kMGT]?)B?", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"`{text}`: no number of bytes such as 256MB")
    return int(found[1]) * 1000 ** " kMGT".index(found[2] or " ")


def say(text: str) -> None:
    """Says something to whoever reads the log of the driver or of an executor."""
    print(text, file=sys.stderr, flush=True)


def arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0], allow_abbrev=False)
    add = functools.partial(parser.add_argument, metavar="…")
    add("--input", action="append", required=True, help="a file or directory of logs, or its URI")
    add("--into", required=True, help="the directory of the rollup, or its URI")
    add("--trailfold", required=True, help="the binary, or its URI; executors get it from here")
    add("--batch-bytes", type=size, default="256MB", help="bytes of logs, as stored, a process")
    add("--batch-files", type=int, default=10_000, help="files of logs a process")
    add("--fetches", type=int, default=16, help="objects fetched at a time by a process")
    add("--threads", type=int, default=1, help="threads of a process: spark.task.cpus")
    add("--memory", default="512MB", help="memory of a process")
    add("--count", action="append", default=[], help="as of trailfold")
    add("--set-aside", action="append", default=[], help="as of trailfold")
    options, others = parser.parse_known_args()
    # AWS Glue adds arguments of its own.
    if others and "--JOB_NAME" not in others:
        parser.error(f"unknown: {' '.join(others)}")
    return options


def main() -> None:
    """Runs the job."""
    options = arguments()
    spark = SparkSession.builder.appName("trailfold rollup").getOrCreate()
    try:
        run_job(spark, options)
    except Refused as refused:
        sys.exit(f"rollup: {refused}")
    finally:
        spark.stop()


if __name__ == "__main__":
    main()
