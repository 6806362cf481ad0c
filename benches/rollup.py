#!/usr/bin/env python3
"""Measures rollups: benches/rollup.py.

The same logs are reported on, folded into a rollup, folded a second time with nothing new, and the
rollup is reported on: whole, in a hundred runs, and compacted. The commands run in turn; the first
round warms the page cache and measures memory, the others are timed. Dumps stay in cargo's target
directory. The exit code is 1 when a command failed, when the second run costs more than a
twentieth of the first, or when a report over the rollup takes more than 200 ms.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import measure
from measure import Dump, Figures, Programs, Run

SECOND_RUN = 1 / 20
REPORT_SECONDS = 0.2
CUTS = 100
HEAD = ["command", "CPU s", "wall s", "peak MB", "CPU to the first", "wall to the first"]


@dataclass
class Job:
    """A command that is measured, and what is done before each run of it, unmeasured."""

    name: str
    command: list[str]
    before: Callable[[], None] = field(default=lambda: None)


def arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bytes", default="2e9", help="size of the logs [%(default)s]")
    parser.add_argument("--median", help="median size of the files, inflated [the generator's]")
    parser.add_argument("--sigma", help="deviation of its logarithm [the generator's]")
    parser.add_argument("--rounds", type=int, default=5, help="timed rounds [%(default)s]")
    parser.add_argument("--threads", type=int, default=2, help="cores and threads [%(default)s]")
    given = parser.parse_args()
    if given.rounds < 1:
        parser.error("--rounds: at least 1")
    return given


def dump_arguments(given: argparse.Namespace) -> list[str]:
    """Returns what the generator is told."""
    asked = ["--bytes", given.bytes]
    for name in ("median", "sigma"):
        if value := getattr(given, name):
            asked += [f"--{name}", value]
    return asked


def cut_rollup(programs: Programs, dump: Dump, directory: Path) -> None:
    """Folds the dump in a hundred runs, each of every hundredth file."""
    files = sorted(str(path) for path in dump.logs.rglob("*") if path.is_file())
    for number in range(CUTS):
        command = [str(programs.trailfold), "rollup", "--quiet", "--into", str(directory)]
        listed = "\n".join(files[number::CUTS])
        subprocess.run([*command, "--files-from", "-"], input=listed, text=True, check=True)


def jobs(programs: Programs, dump: Dump, threads: int, scratch: Path) -> list[Job]:
    """Returns what is measured, in an order in which each finds what it needs."""
    program = str(programs.trailfold)
    run = ["--quiet", "--threads", str(threads)]
    whole, cut, compact = (scratch / name for name in ("whole", "cut", "compact"))
    fold = [program, "rollup", str(dump.logs), "--into", str(whole), *run]
    partial = [program, "rollup", str(dump.logs), "--partial", "-o", str(scratch / "partial"), *run]
    report = [program, "report", "organizations", *run, *dump.with_organization()]
    join = [program, "rollup", "--compact", str(compact), "--quiet"]

    def anew(directory: Path, source: Path | None = None) -> Callable[[], None]:
        def make() -> None:
            shutil.rmtree(directory, ignore_errors=True)
            if source:
                shutil.copytree(source, directory)

        return make

    return [
        Job("report over the logs", [*report, str(dump.logs)]),
        Job("rollup, first run", fold, anew(whole)),
        Job("rollup, nothing new", fold),
        Job("report over the rollup", [*report, str(whole)]),
        Job("the same with --details", [*report, str(whole), "--details"]),
        Job("partial stream", partial),
        Job(f"report over {CUTS} runs", [*report, str(cut)]),
        Job(f"compact {CUTS} runs", join, anew(compact, cut)),
        Job("report over what is compact", [*report, str(compact)]),
    ]


def measured(wanted: list[Job], rounds: int) -> list[list[Run]]:
    """Runs the jobs in turn and returns the runs of each, the sampled one first."""
    runs: list[list[Run]] = [[] for _ in wanted]
    for number in range(rounds + 1):
        for job, done in zip(wanted, runs, strict=True):
            job.before()
            done.append(measure.run(job.command, sampled=number == 0))
            if failure := done[-1].failure:
                raise SystemExit(f"{job.name}: {failure}")
    return runs


def days_of_accounts(programs: Programs, rollup: Path, scratch: Path) -> int:
    """Returns how many days accounts were active, of all accounts together."""
    path = scratch / "coverage.json"
    command = [str(programs.trailfold), "report", "organizations", str(rollup), "--quiet"]
    command += ["--coverage", str(path), "-o", str(scratch / "report.json")]
    subprocess.run(command, check=True)
    days = 0
    for account in json.loads(path.read_text(encoding="utf-8"))["Accounts"]:
        first, last = (
            date.fromisoformat(account[name][:10]) for name in ("FirstEventTime", "LastEventTime")
        )
        days += (last - first).days + 1
        for hole in account["DaysWithoutEvents"]:
            first, last = (date.fromisoformat(hole[name]) for name in ("First", "Last"))
            days -= (last - first).days + 1
    return days


def size(directory: Path) -> int:
    """Returns the bytes of the files in a directory."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def row(job: Job, found: Figures, floor: Figures) -> list[str]:
    """Returns a row of the table."""
    return [
        job.name,
        f"{found.cpu:.3f}",
        f"{found.wall:.3f}",
        f"{found.peak / 1e6:.0f}",
        f"{found.cpu / floor.cpu:.3f}",
        f"{found.wall / floor.wall:.3f}",
    ]


def main() -> int:
    """Makes the dump, measures and prints."""
    given = arguments()
    programs = measure.build()
    dump = measure.make_dump(programs, dump_arguments(given))
    measure.use_cores(given.threads)
    faults = []
    with tempfile.TemporaryDirectory(dir=programs.target) as directory:
        scratch = Path(directory)
        cut_rollup(programs, dump, scratch / "cut")
        wanted = jobs(programs, dump, given.threads, scratch)
        runs = measured(wanted, given.rounds)
        figures = {
            job.name: measure.figures(first, timed)
            for job, (first, *timed) in zip(wanted, runs, strict=True)
        }
        rows = [row(job, figures[job.name], figures[wanted[0].name]) for job in wanted]
        parts = size(scratch / "whole") - size(scratch / "whole" / "_trailfold")
        sources = size(scratch / "whole" / "_trailfold" / "sources")
        stream = (scratch / "partial").stat().st_size
        days = days_of_accounts(programs, scratch / "whole", scratch)
    first, second = figures["rollup, first run"], figures["rollup, nothing new"]
    if second.cpu > SECOND_RUN * first.cpu:
        faults.append(f"the second run takes {second.cpu / first.cpu:.3f} of the first")
    if figures["report over the rollup"].wall > REPORT_SECONDS:
        faults.append(f"the report over the rollup takes more than {REPORT_SECONDS} s")
    print(f"{measure.machine()}; {dump.files:,} files, {dump.plain / 1e6:,.0f} MB ", end="")
    print(f"({dump.packed / 1e6:,.0f} MB packed); medians of {given.rounds} rounds in turn.\n")
    print(measure.table(HEAD, rows))
    print(f"\nParts {parts:,} bytes, {parts / days:,.0f} for an account and day ({days:,} of them); ")
    print(f"sources {sources:,} bytes, {sources / dump.files:,.0f} a file; ", end="")
    print(f"partial stream {stream:,} bytes.")
    for job in wanted:
        print(" ".join(job.command))
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
