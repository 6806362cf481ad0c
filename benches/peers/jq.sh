#!/bin/sh
# Last access per account and service with jq: jq.sh LOGS ANSWER THREADS.
# jq prints the three members, awk keeps the latest: faster than to fold in jq. pigz where there is
# one, else gzip.
set -eu
parts=$(mktemp -d)
trap 'rm -r "$parts"' EXIT
program='.Records[] | select(.userIdentity.accountId)
    | .userIdentity.accountId + "," + .eventSource + "," + .eventTime'
# shellcheck disable=SC2016
latest='{ key = $1 FS $2; if ($3 > last[key]) last[key] = $3 }
    END { for (key in last) print key FS last[key] }'
inflate=gzip
if command -v pigz > /dev/null; then inflate=pigz; fi
export parts program latest inflate
# shellcheck disable=SC2016
find "$1" -path '*/CloudTrail/*' -name '*.json.gz' -print0 |
    xargs -0 -P "$3" -n 200 sh -c \
        '"$inflate" -dc "$@" | jq -r "$program" | awk -F, "$latest" >> "$parts/$$"' sh
cat "$parts"/* | awk -F, "$latest" > "$2"
