"""Last access per account and service with DuckDB: duckdb_json.py LOGS ANSWER THREADS.

The columns are typed by hand, and a file is one line: both are much faster than what DuckDB finds
out by itself. A file of CloudTrail is one JSON object, so it must fit into maximum_object_size.
"""

import sys

import duckdb

QUERY = """
COPY (
    SELECT record.userIdentity.accountId AS account,
           record.eventSource AS source,
           max(record.eventTime) AS time
    FROM (
        SELECT unnest(Records) AS record
        FROM read_json(
            '{logs}/*/*/CloudTrail/**/*.json.gz',
            format = 'newline_delimited',
            maximum_object_size = 33554432,
            columns = {{
                'Records': 'STRUCT(
                    eventTime VARCHAR,
                    eventSource VARCHAR,
                    userIdentity STRUCT(accountId VARCHAR)
                )[]'
            }}
        )
    )
    WHERE record.userIdentity.accountId IS NOT NULL
    GROUP BY ALL
    ORDER BY ALL
) TO '{answer}' (HEADER false)
"""


def main(logs: str, answer: str, threads: str) -> None:
    """Runs the query on so many threads."""
    connection = duckdb.connect()
    connection.execute(f"SET threads = {int(threads)}")
    connection.execute("SET preserve_insertion_order = false")
    connection.execute(QUERY.format(logs=logs, answer=answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
