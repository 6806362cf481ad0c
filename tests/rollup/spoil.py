"""Makes rollups of `good` in the directory given, each with something wrong in a part or in its
sources, and streams of `good.arrows`, each with something wrong in it: `bad/KIND-WHAT`."""

import pathlib
import shutil
import sys

import pyarrow
import pyarrow.compute
import pyarrow.ipc
import pyarrow.parquet

place = pathlib.Path(sys.argv[1])
good = place / "good"
part = next(good.glob("date=*/*.parquet")).relative_to(good)
sources = next(good.glob("_trailfold/sources/*.parquet")).relative_to(good)
table = pyarrow.parquet.read_table(good / part, partitioning=None)
sources_table = pyarrow.parquet.read_table(good / sources)
VERSION = {b"trailfold.rollup": b"1"}


def spoiled(name, file, table, version=b"1"):
    shutil.copytree(good, place / "bad" / name)
    # The sums of sources would be read instead.
    shutil.rmtree(place / "bad" / name / "_trailfold/coverage")
    for run in (place / "bad" / name / "_trailfold/runs").iterdir():
        lines = [line for line in run.read_text().splitlines() if '"Coverage"' not in line]
        run.write_text("\n".join(lines).replace('],\n}', ']\n}').replace(',\n}', '\n}'))
    table = table.replace_schema_metadata({b"trailfold.rollup": version})
    pyarrow.parquet.write_table(table, place / "bad" / name / file, compression="zstd")


spoiled("version-part", part, table, b"2")
spoiled("version-sources", sources, sources_table, b"next")
for file, whole in [(part, table), (sources, sources_table)]:
    for at, field in enumerate(whole.schema):
        spoiled(f"column-{field.name}", file, whole.remove_column(at))
        if pyarrow.types.is_timestamp(field.type):
            other = whole.column(at).cast(pyarrow.timestamp("ms", tz="UTC"), safe=False)
        elif pyarrow.types.is_integer(field.type):
            other = whole.column(at).cast(pyarrow.string())
        else:
            other = pyarrow.array([7] * whole.num_rows)
        spoiled(f"type-{field.name}", file, whole.set_column(at, field.name, other))
nothing = pyarrow.nulls(table.num_rows, pyarrow.string())
at = table.schema.get_field_index("event_name")
spoiled("null-event_name", part, table.set_column(at, "event_name", nothing))
backwards = table.take(pyarrow.array(range(table.num_rows - 1, -1, -1)))
assert table.num_rows > 1
spoiled("order-part", part, backwards)
spoiled("order-twice", part, pyarrow.concat_tables([table, table.slice(table.num_rows - 1)]))
at = sources_table.schema.get_field_index("coverage")
spoiled("json-coverage", sources, sources_table.set_column(at, "coverage", pyarrow.array(["{"] * sources_table.num_rows)))
at = sources_table.schema.get_field_index("outcome")
spoiled("null-outcome", sources, sources_table.set_column(at, "outcome", pyarrow.array(["MAYBE"] * sources_table.num_rows)))
# What writers may do otherwise is read all the same.
plain = table.replace_schema_metadata(VERSION)
for name, options in [
    ("groups", {"compression": "none", "row_group_size": 3, "version": "1.0"}),
    ("dictionary", {"compression": "zstd", "use_dictionary": True, "data_page_version": "2.0"}),
]:
    shutil.copytree(good, place / "fine" / name)
    pyarrow.parquet.write_table(plain, place / "fine" / name / part, **options)
shutil.copytree(good, place / "fine/order")
order = list(reversed(plain.schema.names))
pyarrow.parquet.write_table(plain.select(order), place / "fine/order" / part, compression="zstd")

with pyarrow.ipc.open_stream(place / "good.arrows") as stream:
    whole = stream.read_all()


def stream_of(name, table, metadata=VERSION):
    table = table.replace_schema_metadata(metadata)
    with pyarrow.ipc.new_stream(place / "bad" / name, table.schema) as out:
        out.write_table(table)


stream_of("version-stream.arrows", whole, {b"trailfold.rollup": b"0"})
stream_of("version-none.arrows", whole, None)
stream_of("order-stream.arrows", whole.take(pyarrow.array(range(whole.num_rows - 1, -1, -1))))
stream_of("column-row.arrows", whole.remove_column(0))
at = whole.schema.get_field_index("date")
stream_of("null-date.arrows", whole.set_column(at, "date", pyarrow.array(["yesterday"] * whole.num_rows)))
print("OK")
