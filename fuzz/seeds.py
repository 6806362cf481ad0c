#!/usr/bin/env python3
"""Writes the small test data to fuzz/corpus/scan as seeds, one file an input."""

import gzip
import json
from pathlib import Path

LONGEST = 4096

root = Path(__file__).resolve().parent.parent
corpus = root / "fuzz" / "corpus" / "scan"
corpus.mkdir(parents=True, exist_ok=True)

seeds = {}
for path in sorted((root / "testdata" / "events").iterdir()):
    # The text of the record as it stands: a parser would drop its duplicate members.
    text = path.read_text()
    begin = text.index('"Record":') + len('"Record":')
    end = begin + len(text[begin:]) - len(text[begin:].lstrip())
    _, end = json.JSONDecoder().raw_decode(text, end)
    seeds[path.stem] = text[begin:end].strip().encode()
for path in sorted((root / "testdata" / "logs").rglob("*")):
    if path.is_file() and path.suffix != ".zst":
        data = path.read_bytes()
        data = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
        seeds[path.name.partition(".")[0]] = data

small = {name: data for name, data in seeds.items() if len(data) <= LONGEST}
for name, data in small.items():
    (corpus / name).write_bytes(data)
print(f"{len(small)} seeds in {corpus.relative_to(root)}")
