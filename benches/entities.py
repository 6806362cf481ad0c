#!/usr/bin/env python3
"""Measures the reports of all users, groups, roles and policies: benches/entities.py.

`trailfold report service --all-arns` reads the same logs as `trailfold report organizations` and
makes a report of every ARN of a snapshot of identities. The dump has 10,000 roles. The programs run
in turn; the first round warms the page cache and measures memory, the others are timed. The
dump stays in cargo's target directory. The exit code is 1 when a command failed, or when the
service level, in any format, costs more than a fifth more CPU than the organizations report.
"""

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import measure
from measure import Dump, Figures, Programs, Run

BAR = 1.2
HEAD = ["report", "format", "CPU s", "wall s", "peak MB", "CPU ratio", "wall ratio", "output MB"]


@dataclass(frozen=True)
class Job:
    """A command that is measured."""

    report: str
    format: str
    command: list[str]
    output: Path
    bounded: bool
    """Whether it has to keep to the bar."""


def arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bytes", default="2e9", help="size of the logs [%(default)s]")
    parser.add_argument("--roles", default="10000", help="in the organization [%(default)s]")
    parser.add_argument("--rounds", type=int, default=5, help="timed rounds [%(default)s]")
    parser.add_argument("--threads", type=int, default=2, help="cores and threads [%(default)s]")
    given = parser.parse_args()
    if given.rounds < 1:
        parser.error("--rounds: at least 1")
    return given


def jobs(programs: Programs, dump: Dump, threads: int, scratch: Path) -> list[Job]:
    """Returns what is measured: first the organizations report, which the others are held to."""
    common = [str(dump.logs), "--quiet", "--threads", str(threads)]
    organizations = ["organizations", *common, *dump.with_organization()]
    service = ["service", *common, "--identities", str(dump.path / "identities"), "--all-arns"]
    actions = [*service, "--granularity", "ACTION_LEVEL"]
    wanted = [
        ("organizations", organizations, "json", False),
        ("service, SERVICE_LEVEL", service, "json", True),
        ("service, SERVICE_LEVEL", service, "arrow", True),
        ("service, ACTION_LEVEL", actions, "json", False),
        ("service, ACTION_LEVEL", actions, "arrow", False),
    ]
    found = []
    for number, (report, options, form, bounded) in enumerate(wanted):
        output = scratch / f"{number}.{form}"
        command = [str(programs.trailfold), "report", *options, "--format", form]
        found.append(Job(report, form, [*command, "-o", str(output)], output, bounded))
    return found


def measured(wanted: list[Job], rounds: int) -> list[list[Run]]:
    """Runs the jobs in turn and returns the runs of each, the sampled one first."""
    runs: list[list[Run]] = [[] for _ in wanted]
    for number in range(rounds + 1):
        for job, done in zip(wanted, runs, strict=True):
            # A command that failed once fails again.
            if not (done and done[-1].failure):
                done.append(measure.run(job.command, sampled=number == 0))
    return runs


def row(job: Job, found: Figures, floor: Figures) -> list[str]:
    """Returns a row of the table."""
    return [
        job.report,
        job.format,
        f"{found.cpu:.2f}",
        f"{found.wall:.2f}",
        f"{found.peak / 1e6:.0f}",
        f"{found.cpu / floor.cpu:.2f}",
        f"{found.wall / floor.wall:.2f}",
        f"{job.output.stat().st_size / 1e6:.1f}",
    ]


def main() -> int:
    """Makes the dump, measures and prints."""
    given = arguments()
    programs = measure.build()
    dump = measure.make_dump(programs, ["--bytes", given.bytes, "--roles", given.roles])
    measure.use_cores(given.threads)
    rows, faults = [], []
    with tempfile.TemporaryDirectory(dir=programs.target) as scratch:
        wanted = jobs(programs, dump, given.threads, Path(scratch))
        runs = measured(wanted, given.rounds)
        if runs[0][-1].failure:
            raise SystemExit(f"organizations: {runs[0][-1].failure}")
        floor = measure.figures(runs[0][0], runs[0][1:])
        for job, (first, *timed) in zip(wanted, runs, strict=True):
            failure = (timed or [first])[-1].failure
            if failure:
                rows.append([job.report, job.format, failure, *["-"] * (len(HEAD) - 3)])
                faults.append(f"{job.report}, {job.format}: {failure}")
                continue
            found = measure.figures(first, timed)
            rows.append(row(job, found, floor))
            if job.bounded and found.cpu > BAR * floor.cpu:
                faults.append(f"{job.report}, {job.format}: more than {BAR} times the CPU")
        commands = [" ".join(job.command) for job in wanted]
    print(f"{measure.machine()}; {dump.files:,} files, {dump.plain / 1e6:,.0f} MB; ", end="")
    print(f"medians of {given.rounds} rounds in turn, warm page cache.\n")
    print(measure.table(HEAD, rows))
    print("\n" + "\n".join(commands))
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
