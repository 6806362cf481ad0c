"""What the Spark job does without Spark: batches, names, lines, and one process of the binary."""

import contextlib
import io
import itertools
import json
import os
import socket
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

import pyarrow as pa
import pyarrow.fs
import rollup
from pyspark import SparkFiles
from rollup import File, Refused

ATTRIBUTION = '{"ForwardAccess": "COUNTED"}'


def files(*sizes: int | None) -> list[File]:
    return [File(f"/{number}", size, 0, None) for number, size in enumerate(sizes)]


def batches_hold_no_more_than_they_may() -> None:
    def sizes(*given: int | None, most_bytes: int = 10, most_files: int = 3) -> list[list]:
        packed = rollup.pack(files(*given), most_bytes, most_files)
        assert [file for batch in packed for file in batch] == files(*given), "in their order"
        return [[file.size for file in batch] for batch in packed]

    assert sizes() == []
    assert sizes(4, 6, 1) == [[4, 6], [1]]
    assert sizes(4, 7) == [[4], [7]]
    assert sizes(1, 99, 1) == [[1], [99], [1]], "a large file is a batch by itself"
    assert sizes(0, 0, 0, 0) == [[0, 0, 0], [0]]
    assert sizes(None, 10, 1) == [[None, 10], [1]]


def a_path_is_local_and_a_uri_is_not() -> None:
    assert rollup.local_path("/a//b/../c") == "/a/c"
    assert rollup.local_path("a") == os.path.join(os.getcwd(), "a")
    for uri in ("file:/a b", "file:///a b"):
        assert rollup.local_path(uri) == "/a b"
    for uri in ("s3://b/k", "s3a://b", "hdfs://name:8020/k", "hdfs:/k"):
        assert rollup.local_path(uri) is None


def a_directory_is_listed_whole_and_once() -> None:
    with tempfile.TemporaryDirectory() as top:
        place = Path(top)
        (place / "a/_b/.c").mkdir(parents=True)
        for name in ("a/_b/.c/x.json", "a/_hidden", "z"):
            (place / name).write_text("12345")
        os.utime(place / "z", ns=(0, 1_769_904_000_123_456_789))
        (place / "loop").symlink_to(place)
        (place / "link").symlink_to(place / "z")
        (place / "broken").symlink_to(place / "nowhere")
        os.mkfifo(place / "pipe")
        listed = {file.source.removeprefix(f"{top}/"): file for file in rollup.list_local(top)}
        assert set(listed) == {"a/_b/.c/x.json", "a/_hidden", "z", "link", "broken"}
        assert listed["z"][1:] == (5, 1_769_904_000_123_456, None), "microseconds, cut off"
        assert listed["broken"][1:] == (None, None, None)
        assert [file.source for file in rollup.list_local(f"{top}/z")] == [f"{top}/z"]
    with refused("no such file"):
        list(rollup.list_local(f"{top}/nothing"))


def a_line_says_what_the_listing_said() -> None:
    file = File("s3://b/k", 3, 1_769_904_000_000_000, "e")
    assert rollup.line(file, "/tmp/0") == {
        "Path": "/tmp/0",
        "Source": "s3://b/k",
        "Size": 3,
        "LastModified": "2026-02-01T00:00:00Z",
        "ETag": "e",
    }
    assert rollup.line(File("/k", None, None, None), "/k") == {"Path": "/k", "Source": "/k"}
    in_between = rollup.line(File("/k", 0, 1_769_904_000_000_001, None), "/k")
    assert in_between["LastModified"] == "2026-02-01T00:00:00.000001Z"


def sizes_are_read() -> None:
    assert [rollup.size(text) for text in ("7", "7B", "2kB", "256MB", "1 G")] == [
        7, 7, 2000, 256_000_000, 1_000_000_000,
    ]  # fmt: skip


@contextlib.contextmanager
def refused(*words: str):
    """Expects a failure that says all of this."""
    try:
        yield
    except (Refused, RuntimeError, OSError) as error:
        for word in words:
            assert word in str(error), f"{word!r} not in: {error}"
    else:
        raise AssertionError(f"not refused: {words}")


@contextlib.contextmanager
def binary(script: str):
    """Makes a shell script the binary; yields a function that folds files with it."""
    with tempfile.TemporaryDirectory() as top:
        (Path(top) / "stream").write_bytes(stream("1"))
        (Path(top) / "version-2").write_bytes(stream("2"))
        program = Path(top) / "program"
        program.write_text(f"#!/bin/sh\ncd {top}\n{script}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        SparkFiles._root_directory, SparkFiles._is_running_on_worker = top, True
        os.environ["SPARK_LOCAL_DIRS"] = ""

        def fold(
            listed: list[File], attempts: int = 4, attribution=None, most: int | None = None
        ) -> list[pa.RecordBatch]:
            columns = list(zip(*listed))
            batch = pa.RecordBatch.from_arrays(
                [pa.array(column) for column in columns], list(File._fields)
            )
            folding = rollup.Folding("program", ["--quiet"], 2, attempts, attribution)
            with contextlib.closing(rollup.fold([batch], folding)) as folded:
                return list(itertools.islice(folded, most))

        yield top, fold


def stream(version: str) -> bytes:
    """Returns a partial stream with one source."""
    kinds = {
        "string": pa.string(),
        "boolean": pa.bool_(),
        "bigint": pa.int64(),
        "timestamp": pa.timestamp("us", "UTC"),
    }
    schema = pa.schema([(name, kinds[kind]) for name, kind in rollup.PARTIAL.items()])
    schema = schema.with_metadata({"trailfold.rollup": version})
    row = {"row": "source", "source": "/0", "outcome": "READ", "attribution": ATTRIBUTION}
    written = io.BytesIO()
    with pa.ipc.new_stream(written, schema) as writer:
        writer.write_batch(pa.RecordBatch.from_pylist([row], schema))
    return written.getvalue()


def a_whole_stream_is_handed_on() -> None:
    for status in (0, 1):
        with binary(f"cat > lines; cat stream; exit {status}") as (top, fold):
            (batch,) = fold(files(5))
            assert batch.column_names == list(rollup.PARTIAL)
            assert batch["source"].to_pylist() == ["/0"]
            (line,) = Path(top, "lines").read_text().splitlines()
            assert json.loads(line)["Path"] == "/0"
    assert list(rollup.fold([], rollup.Folding("absent", [], 1, 1, None))) == []


def whatever_is_not_a_whole_stream_is_a_failure() -> None:
    cases = [
        ("cat > /dev/null; echo why >&2; exit 2", ["exit status 2", "why"]),
        ("cat > /dev/null; cat stream; exit 2", ["after its stream", "exit status 2"]),
        ("cat > /dev/null; cat stream; kill -9 $$", ["exit status -9"]),
        ("cat > /dev/null; head -c -8 stream", ["cut off"]),
        ("cat > /dev/null; head -c 3000 stream", ["trailfold:"]),
        ("cat > /dev/null; cat stream; echo more", ["cut off"]),
        ("cat > /dev/null; echo no stream", ["trailfold:"]),
        ("cat > /dev/null", ["exit status 0"]),
        ("cat > /dev/null; cat version-2", ["version 2", "version 1"]),
        # It reads no list, which may be longer than a pipe holds.
        ("echo early >&2; exit 2", ["early"]),
    ]
    for script, words in cases:
        with binary(script) as (_, fold), refused(*words):
            fold(files(*[1] * 3000))


def a_process_that_nobody_listens_to_any_more_is_ended() -> None:
    with binary("echo $$ > pid; cat > /dev/null; cat stream; exec sleep 1000") as (top, fold):
        assert len(fold(files(1), most=1)) == 1
        try:
            os.kill(int(Path(top, "pid").read_text()), 0)
        except ProcessLookupError:
            return
        raise AssertionError("it is still there")


def another_attribution_is_refused_at_once() -> None:
    with binary("cat > /dev/null; cat stream") as (_, fold):
        fold(files(1), attribution=json.loads(ATTRIBUTION))
        with refused("ForwardAccess is SET_ASIDE there and COUNTED here"):
            fold(files(1), attribution={"ForwardAccess": "SET_ASIDE"})


def objects_are_fetched_and_go_away() -> None:
    keep = "cat > lines; for path in $(sed 's/.*\"Path\": \"\\([^\"]*\\)\".*/\\1/' lines); do"
    keep += " echo $path >> paths; cat $path >> bytes; done; cat stream"
    with binary(keep) as (top, fold):
        for name in ("one.json.gz", "two %41"):
            Path(top, name).write_text(f"{name},")
        uris = [f"file://{top}/{name}" for name in ("one.json.gz", "two %41", "deleted")]
        fold([File(uri, 1, 0, None) for uri in uris])
        assert Path(top, "bytes").read_text() == "one.json.gz,two %41,", "as stored, under its name"
        paths = Path(top, "paths").read_text().split()
        assert len(paths) == 3 and not any(map(os.path.exists, paths))
        assert not any(os.path.exists(os.path.dirname(path)) for path in paths)


def objects_of_s3_are_fetched() -> None:
    """Against moto's server, if its program is named."""
    if len(sys.argv) < 2:
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
    }
    server = subprocess.Popen([sys.argv[1], "-p", port], stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", int(port))):
                break
            time.sleep(0.1)
        bucket = pyarrow.fs.S3FileSystem(
            endpoint_override=os.environ["AWS_ENDPOINT_URL"], allow_bucket_creation=True
        )
        bucket.create_dir("logs")
        key = "AWSLogs/a b%41?#é.json.gz"
        with bucket.open_output_stream(f"logs/{key}", compression=None) as stream:
            stream.write(b"as stored")
        with binary("cat > lines; cat stream") as (_, fold):
            objects = [File(f"s3://logs/{name}", 9, 0, "e") for name in (key, "deleted")]
            with mock.patch.object(rollup, "line", wraps=rollup.line) as line:
                fold([*objects, objects[0]])
            assert [call.args[0] for call in line.call_args_list] == [*objects, objects[0]]
        with tempfile.TemporaryDirectory() as top:
            path, error = rollup.bring(objects[0], f"{top}/0", rollup.mounted, last=False)
            assert error is None and Path(path).read_bytes() == b"as stored"
            path, error = rollup.bring(objects[1], f"{top}/1", rollup.mounted, last=False)
            assert isinstance(error, FileNotFoundError) and not os.path.exists(path)
    finally:
        server.kill()
        server.wait()


def an_object_that_cannot_be_fetched_is_tried_again_before_it_counts_as_unread() -> None:
    with binary("cat > lines; cat stream") as (top, fold):
        Path(top, "good").write_text("x")
        Path(top, "directory").mkdir()
        good, bad = (File(f"file://{top}/{name}", 1, 0, None) for name in ("good", "directory"))
        with refused("directory"):
            fold([good, bad])
        fold([good, bad], attempts=1)
        with refused("none of 2 objects"):
            fold([bad, bad], attempts=1)


for test in [
    batches_hold_no_more_than_they_may,
    a_path_is_local_and_a_uri_is_not,
    a_directory_is_listed_whole_and_once,
    a_line_says_what_the_listing_said,
    sizes_are_read,
    a_whole_stream_is_handed_on,
    whatever_is_not_a_whole_stream_is_a_failure,
    a_process_that_nobody_listens_to_any_more_is_ended,
    another_attribution_is_refused_at_once,
    objects_are_fetched_and_go_away,
    objects_of_s3_are_fetched,
    an_object_that_cannot_be_fetched_is_tried_again_before_it_counts_as_unread,
]:
    test()
    print(test.__name__, file=sys.stderr)
print("OK")
