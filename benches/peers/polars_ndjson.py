"""Last access per account and service with Polars: polars_ndjson.py LOGS ANSWER THREADS.

A lazy scan with a schema typed by hand, run by the streaming engine: faster than json_decode and
than read_ndjson file by file.
"""

import os
import sys


def main(logs: str, answer: str, threads: str) -> None:
    """Runs the query on so many threads."""
    # Polars reads it when it is imported.
    os.environ["POLARS_MAX_THREADS"] = threads
    import polars as pl

    identity = pl.Struct({"accountId": pl.String})
    record = pl.Struct({"eventTime": pl.String, "eventSource": pl.String, "userIdentity": identity})
    member = pl.col("Records").struct.field
    (
        pl.scan_ndjson(f"{logs}/*/*/CloudTrail/**/*.json.gz", schema={"Records": pl.List(record)})
        .select(pl.col("Records"))
        .explode("Records")
        .select(
            member("userIdentity").struct.field("accountId").alias("account"),
            member("eventSource").alias("source"),
            member("eventTime").alias("time"),
        )
        .filter(pl.col("account").is_not_null())
        .group_by("account", "source")
        .agg(pl.col("time").max())
        .collect(engine="streaming")
        .write_csv(answer, include_header=False)
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
