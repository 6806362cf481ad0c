"""Last access per account and service with ClickHouse (chdb): clickhouse.py LOGS ANSWER THREADS.

The structure is typed by hand; ClickHouse skips all members that are not in it.
"""

import os
import sys

import chdb

QUERY = """
SELECT record.userIdentity.accountId AS account,
       record.eventSource AS source,
       max(record.eventTime) AS time
FROM file(
    '{logs}/*/*/CloudTrail/**/*.json.gz',
    JSONEachRow,
    'Records Array(Tuple(
        eventTime String,
        eventSource String,
        userIdentity Tuple(accountId String)
    ))'
)
ARRAY JOIN Records AS record
WHERE account != ''
GROUP BY account, source
ORDER BY account, source
INTO OUTFILE '{answer}'
FORMAT CSV
SETTINGS max_threads = {threads}, input_format_json_ignore_unknown_keys_in_named_tuple = 1
"""


def main(logs: str, answer: str, threads: str) -> None:
    """Runs the query on so many threads."""
    # Other than an absolute path chdb takes as one below a directory of its own.
    logs, answer = os.path.abspath(logs), os.path.abspath(answer)
    chdb.query(QUERY.format(logs=logs, answer=answer, threads=int(threads)))


if __name__ == "__main__":
    main(*sys.argv[1:])
