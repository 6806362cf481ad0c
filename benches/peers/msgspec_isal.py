"""Last access per account and service with msgspec, isal and processes: the fastest Python.

msgspec_isal.py LOGS ANSWER THREADS. Structs without the collector's bookkeeping, a decoder that
is made once, the largest files first.
"""

import glob
import multiprocessing
import os
import sys

import msgspec
from isal import isal_zlib

LastAccesses = dict[tuple[str, str], str]
GZIP = 31


class Identity(msgspec.Struct, gc=False):
    """What is needed of `userIdentity`."""

    accountId: str | None = None


class Record(msgspec.Struct, gc=False):
    """What is needed of a record."""

    eventTime: str
    eventSource: str
    userIdentity: Identity


class Log(msgspec.Struct, gc=False):
    """A log file."""

    Records: list[Record]


DECODER = msgspec.json.Decoder(Log)


def merge(into: LastAccesses, other: LastAccesses) -> None:
    """Keeps the latest time of every key."""
    for key, time in other.items():
        if into.get(key, "") < time:
            into[key] = time


def read(path: str) -> LastAccesses:
    """Reads one file."""
    last: LastAccesses = {}
    with open(path, "rb") as file:
        log = DECODER.decode(isal_zlib.decompress(file.read(), GZIP))
    for record in log.Records:
        account = record.userIdentity.accountId
        if account is not None:
            key = (account, record.eventSource)
            if last.get(key, "") < record.eventTime:
                last[key] = record.eventTime
    return last


def main(logs: str, answer: str, threads: str) -> None:
    """Reads the logs with so many processes and writes the answer."""
    paths = glob.glob(f"{logs}/*/*/CloudTrail/**/*.json.gz", recursive=True)
    paths.sort(key=os.path.getsize, reverse=True)
    last: LastAccesses = {}
    pool = multiprocessing.Pool(int(threads))
    for part in pool.imap_unordered(read, paths, chunksize=16):
        merge(last, part)
    pool.close()
    pool.join()
    with open(answer, "w", encoding="utf-8") as file:
        file.writelines(f"{account},{source},{time}\n" for (account, source), time in last.items())


if __name__ == "__main__":
    main(*sys.argv[1:])
