#!/usr/bin/env python3
"""Measures how trailfold's time and memory grow with the logs: benches/growth.py.

Dumps of several sizes, one of very many small files, and one that is a single plain file; each
with one thread and with two, beside a program that only inflates the same files. The first round
warms the page cache and measures memory, the others are timed. The dumps stay in cargo's target
directory: with the sizes that are given here about 4 GB.
"""

import argparse

import measure
from measure import Dump, Figures, Programs, Run

TINY = ["--bytes", "5e8", "--median", "5000", "--sigma", "0.95", "--seed", "13"]
HEAD = ["dump", "files", "MB", "threads", "inflate CPU s", "CPU s", "ratio", "inflate wall s"]
HEAD += ["wall s", "inflate peak MB", "peak MB", "MB per core-second"]


def arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", default="1e8,3e8,1e9,3e9,1e10", help="in bytes [%(default)s]")
    parser.add_argument("--threads", default="1,2", help="how many [%(default)s]")
    parser.add_argument("--lines", default="1e9", help="size of the plain file [%(default)s]")
    parser.add_argument("--rounds", type=int, default=3, help="timed rounds [%(default)s]")
    parser.add_argument("--no-tiny", action="store_true", help="leave out the small files")
    return parser.parse_args()


def dumps(given: argparse.Namespace) -> list[tuple[str, list[str]]]:
    """Returns the names of the dumps and what the generator makes them of."""
    sizes = [size for size in given.sizes.split(",") if size]
    found = [(f"{float(size) / 1e9:g} GB", ["--bytes", size]) for size in sizes]
    if not given.no_tiny:
        found.append(("small files", TINY))
    if given.lines:
        found.append(("one plain file", ["--bytes", given.lines, "--form", "lines"]))
    return found


def commands(programs: Programs, dump: Dump, threads: int) -> list[list[str]]:
    """Returns trailfold's command and, where there is something to inflate, that of inflating."""
    report = [str(programs.trailfold), "report", "organizations", str(dump.logs), "--quiet"]
    report += ["--threads", str(threads), *dump.with_organization()]
    inflate = [str(programs.whole), "--inflate-only", str(dump.logs)]
    return [report, inflate] if dump.packed else [report]


def measured(command_lines: list[list[str]], rounds: int) -> list[Figures]:
    """Runs commands in turn and returns the figures of each."""
    rounds_of_runs = [
        [checked(measure.run(command, sampled=number == 0)) for command in command_lines]
        for number in range(rounds + 1)
    ]
    return [measure.figures(first, timed) for first, *timed in zip(*rounds_of_runs, strict=True)]


def checked(run: Run) -> Run:
    """Returns a run that did not fail."""
    if run.failure:
        raise SystemExit(run.failure)
    return run


def row(name: str, dump: Dump, threads: int, found: list[Figures]) -> list[str]:
    """Returns a row of the table."""
    report, floor = found[0], found[1] if len(found) > 1 else None
    return [
        name,
        f"{dump.files:,}",
        f"{dump.plain / 1e6:,.0f}",
        str(threads),
        f"{floor.cpu:.2f}" if floor else "-",
        f"{report.cpu:.2f}",
        f"{report.cpu / floor.cpu:.2f}" if floor else "-",
        f"{floor.wall:.2f}" if floor else "-",
        f"{report.wall:.2f}",
        f"{floor.peak / 1e6:.0f}" if floor else "-",
        f"{report.peak / 1e6:.0f}",
        f"{dump.plain / 1e6 / report.cpu:.0f}",
    ]


def main() -> None:
    """Makes the dumps, measures and prints."""
    given = arguments()
    programs = measure.build()
    rows = []
    for name, made_of in dumps(given):
        measure.use_cores(len(measure.ALL_CORES))
        dump = measure.make_dump(programs, made_of)
        for threads in map(int, given.threads.split(",")):
            measure.use_cores(threads)
            found = measured(commands(programs, dump, threads), given.rounds)
            rows.append(row(name, dump, threads, found))
    print(f"{measure.machine()}; medians of {given.rounds} rounds in turn, warm page cache.\n")
    print(measure.table(HEAD, rows))


if __name__ == "__main__":
    main()
