#!/usr/bin/env python3
"""Measures trailfold beside other programs that do the same job: benches/compare.py.

The job is the latest eventTime of every userIdentity.accountId and eventSource of a dump. The
peers do just that. trailfold writes its whole report, with the rules and the ledger behind it.
The inflate-only pass is what no reader of the files can do without.

Needs cargo, Python 3.11 and what pip can reach; jq is skipped where there is none. All that is
built, installed and generated lies in cargo's target directory. The first round warms the page
cache and measures memory, the others are timed, the programs in turn. The exit code is 1 when a
program failed or its answer is not the right one.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import measure
from measure import Dump, Figures, Programs, Run

BENCHES = Path(__file__).resolve().parent
PYTHON_PEERS = {
    # Name: script, what it is called in the table, packages whose versions are shown.
    "msgspec": ("msgspec_isal.py", "Python, msgspec and isal", ["msgspec", "isal"]),
    "duckdb": ("duckdb_json.py", "DuckDB", ["duckdb"]),
    "clickhouse": ("clickhouse.py", "ClickHouse (chdb)", ["chdb", "chdb-core"]),
    "polars": ("polars_ndjson.py", "Polars", ["polars"]),
}
PEERS = ["serde", *PYTHON_PEERS, "jq"]

LastAccesses = dict[tuple[str, str], str]
Coverage = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """A program that is measured."""

    name: str
    version: str
    command: list[str]
    answer: Path | None = None
    """Where it writes the coarse answer, if it has one."""


@dataclass
class Result:
    """What became of a job."""

    job: Job
    first: Run
    timed: list[Run]
    verdict: str

    def figures(self) -> Figures | None:
        """Returns the figures of a job that never failed."""
        runs = [self.first, *self.timed]
        failed = any(each.failure for each in runs) or not self.timed
        return None if failed else measure.figures(self.first, self.timed)


def arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bytes", default="2e9", help="size of the dump to generate [2e9]")
    parser.add_argument("--dump", type=Path, help="a dump of the generator, instead of a new one")
    parser.add_argument("--rounds", type=int, default=5, help="timed rounds [5]")
    parser.add_argument("--threads", type=int, default=2, help="cores and threads [2]")
    parser.add_argument(
        "--peers", default=",".join(PEERS), help=f"which, with commas [{','.join(PEERS)}]"
    )
    given = parser.parse_args()
    given.peers = [name for name in given.peers.split(",") if name]
    unknown = sorted(set(given.peers) - set(PEERS))
    if unknown:
        parser.error(f"no such peer: {', '.join(unknown)}; there are {', '.join(PEERS)}")
    if given.rounds < 1:
        parser.error("--rounds: at least 1")
    return given


def install(target: Path) -> Path:
    """Returns the Python of an environment with the peers' packages."""
    place = target / "peers"
    python = place / "bin" / "python"
    wanted = (BENCHES / "requirements.txt").read_text(encoding="utf-8")
    note = place / "installed.txt"
    if note.exists() and note.read_text(encoding="utf-8") == wanted:
        return python
    venv.create(place, with_pip=True, clear=True)
    command = [str(python), "-m", "pip", "install", "--quiet"]
    command += ["--requirement", str(BENCHES / "requirements.txt")]
    if subprocess.run(command, check=False).returncode == 0:
        note.write_text(wanted, encoding="utf-8")
    else:
        print("the peers' packages were not installed; what needs them fails below", flush=True)
    return python


def pins() -> dict[str, str]:
    """Returns the versions in requirements.txt and Cargo.lock, by package."""
    text = (BENCHES / "requirements.txt").read_text(encoding="utf-8")
    python = dict(re.findall(r"^(\S+)==(\S+)$", text, re.MULTILINE))
    lock = tomllib.loads((measure.ROOT / "Cargo.lock").read_text(encoding="utf-8"))
    return {each["name"]: each["version"] for each in lock["package"]} | python


def output(*command: str | Path) -> str:
    """Returns what a command prints."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def jobs(given: argparse.Namespace, programs: Programs, dump: Dump, scratch: Path) -> list[Job]:
    """Returns the programs to measure: trailfold, the inflate-only pass, and the peers."""
    logs, threads, versions = str(dump.logs), str(given.threads), pins()
    report = [str(programs.trailfold), "report", "organizations", logs, "--quiet"]
    report += ["--threads", threads, *dump.with_organization()]
    inflate = [str(programs.whole), "--inflate-only", logs]
    libdeflate = f"libdeflater {versions['libdeflater']}"
    found = [
        Job("inflate only (libdeflate)", libdeflate, inflate),
        Job("**trailfold**, the whole report", output(programs.trailfold, "--version"), report),
    ]
    python = install(programs.target) if set(given.peers) & set(PYTHON_PEERS) else Path()
    for name in given.peers:
        answer = scratch / f"{name}.csv"
        if name == "serde":
            command = [str(programs.whole), "--serde", logs, str(answer)]
            version = f"serde_json {versions['serde_json']}, {libdeflate}"
            found.append(Job("Rust, serde with borrowed texts", version, command, answer))
        elif name == "jq":
            command = ["sh", str(BENCHES / "peers" / "jq.sh"), logs, str(answer), threads]
            if shutil.which("jq"):
                found.append(Job("jq, xargs, awk", output("jq", "--version"), command, answer))
            else:
                print("jq is not on this machine and is left out", flush=True)
        else:
            script, title, packages = PYTHON_PEERS[name]
            version = ", ".join(f"{package} {versions[package]}" for package in packages)
            command = [str(python), str(BENCHES / "peers" / script), logs, str(answer), threads]
            found.append(Job(title, version, command, answer))
    return found


def read_answer(path: Path) -> LastAccesses:
    """Reads lines of account, source and time, quoted or not."""
    rows = path.read_text(encoding="utf-8").replace('"', "").split()
    return {(account, source): time for account, source, time in (row.split(",") for row in rows)}


def verdict(job: Job, wanted: LastAccesses | None) -> str:
    """Returns in a word whether a job's answer is the one that is wanted."""
    if job.answer is None:
        return "below" if "trailfold" in job.name else "none"
    if not job.answer.exists():
        return "**none written**"
    answer = read_answer(job.answer)
    if wanted is None or answer == wanted:
        return f"{len(answer):,} rows"
    different = len(set(answer.items()) ^ set(wanted.items()))
    return f"**{different:,} rows differ**"


def run(job: Job, sampled: bool = False) -> Run:
    """Runs a job, without the answer of an earlier run."""
    if job.answer is not None:
        job.answer.unlink(missing_ok=True)
    return measure.run(job.command, sampled)


def measure_all(all_jobs: list[Job], rounds: int, wanted: LastAccesses | None) -> list[Result]:
    """Runs each program once, sampled, and those that did not fail in turn for their times."""
    results = []
    for job in all_jobs:
        first = run(job, sampled=True)
        word = f"**failed**: {first.failure}" if first.failure else verdict(job, wanted)
        if wanted is None and job.answer is not None and job.answer.exists():
            wanted = read_answer(job.answer)
        results.append(Result(job, first, [], word))
        print(f"  {job.name}: {first.failure or 'ran'}", file=sys.stderr, flush=True)
    for _ in range(rounds):
        for result in results:
            if result.first.failure is None:
                again = run(result.job)
                result.timed.append(again)
                if again.failure:
                    result.verdict = f"**failed**: {again.failure}"
    return results


def rows(results: list[Result], plain: int) -> list[list[str]]:
    """Returns the rows of the table, the inflate-only pass first and then by CPU seconds."""
    floor = results[0].figures()
    shown = []
    for result in results:
        job, figures = result.job, result.figures()
        if figures is None:
            shown.append((float("inf"), [job.name, job.version, *["-"] * 5, result.verdict]))
            continue
        ratio = f"{figures.cpu / floor.cpu:.2f}" if floor else "-"
        cells = [f"{figures.cpu:.2f}", f"{figures.wall:.2f}", f"{figures.peak / 1e6:.0f}"]
        cells += [f"{plain / 1e6 / figures.cpu:.0f}", ratio, result.verdict]
        shown.append((figures.cpu, [job.name, job.version, *cells]))
    return [shown[0][1], *(row for _, row in sorted(shown[1:], key=lambda each: each[0]))]


def report_of_accounts(
    programs: Programs, dump: Dump, scratch: Path
) -> tuple[LastAccesses, Coverage]:
    """Returns trailfold's latest attempt of every account and source, and its coverage.

    Without a snapshot every account seen has a report, and no policy hides a service. A row is a
    service, and names the event source of its latest attempt.
    """
    accounts, coverage = scratch / "accounts.jsonl", scratch / "coverage.json"
    command = [str(programs.trailfold), "report", "organizations", str(dump.logs), "--quiet"]
    command += [
        "--all-entities",
        "--details",
        "--output",
        str(accounts),
        "--coverage",
        str(coverage),
    ]
    subprocess.run(command, check=True)
    last: LastAccesses = {}
    with accounts.open(encoding="utf-8") as lines:
        for line in lines:
            entity = json.loads(line)
            account = entity["EntityPath"].rsplit("/", 1)[1]
            if account.startswith("r-"):
                continue
            for service in entity["Report"]["AccessDetails"]:
                if "Details" in service:
                    latest = service["Details"]["LatestAttempt"]
                    last[account, latest["EventSource"]] = latest["Time"]
    return last, json.loads(coverage.read_text(encoding="utf-8"))


def compare_accounts(
    programs: Programs, dump: Dump, scratch: Path, coarse: LastAccesses
) -> tuple[str, bool]:
    """Says how trailfold's attempts agree with those that the generator noted, and if all do.

    A dump without that note has the coarse answer alone. It counts records that trailfold sets
    aside (services, failed authentication, federation, sign-ins), so that trailfold's times may
    be earlier and some may be absent.
    """
    last, coverage = report_of_accounts(programs, dump, scratch)
    made = dump.path / "last-attempts.csv"
    wanted = read_answer(made) if made.exists() else coarse
    origin = (
        "the generator noted while it made the records"
        if made.exists()
        else "the coarse answer has, where records count that trailfold sets aside"
    )
    same = sum(wanted.get(key) == time for key, time in last.items())
    later = sum(wanted.get(key, "") < time for key, time in last.items())
    records = coverage["Records"]
    aside = sum(records["SetAside"].values())
    right = last == wanted if made.exists() else later == 0
    return (
        f"trailfold read {records['Total']:,} records: {records['Counted']:,} counted, "
        f"{aside:,} set aside by its rules, {records['Malformed']:,} malformed, "
        f"{len(coverage['Problems']):,} problems. "
        f"Of its {len(last):,} latest attempts of an account and a service {same:,} are those that "
        f"{origin}, {len(last) - same - later:,} are earlier, {later:,} later, "
        f"and {len(wanted.keys() - last.keys()):,} of {len(wanted):,} are missing."
    ), right


def shown_command(command: list[str], dump: Dump, scratch: Path) -> str:
    """Returns a command without the paths of this machine."""
    text = " ".join(command)
    for path, name in [(dump.path, "DUMP"), (scratch, "."), (BENCHES, "benches")]:
        text = text.replace(str(path), name)
    return re.sub(r"\S*/(trailfold|python|whole)(-\w+)? ", r"\1 ", text)


def main() -> None:
    """Sets up, measures and prints."""
    given = arguments()
    programs = measure.build()
    if given.dump:
        dump = measure.given_dump(programs, given.dump.resolve())
    else:
        dump = measure.make_dump(programs, ["--bytes", given.bytes])
    measure.use_cores(given.threads)
    made = dump.path / "last-accesses.csv"
    wanted = read_answer(made) if made.exists() else None
    with tempfile.TemporaryDirectory() as directory:
        scratch = Path(directory)
        all_jobs = jobs(given, programs, dump, scratch)
        results = measure_all(all_jobs, given.rounds, wanted)
        print_report(given, dump, results, scratch)
        if wanted is None:
            answers = (each.answer for each in all_jobs if each.answer and each.answer.exists())
            wanted = next((read_answer(answer) for answer in answers), None)
        right = not any(result.verdict.startswith("**") for result in results)
        if wanted is not None:
            said, agrees = compare_accounts(programs, dump, scratch, wanted)
            print(f"\n{said}")
            right = right and agrees
    if not right:
        raise SystemExit("\nnot every program gave the right answer")


def print_report(
    given: argparse.Namespace, dump: Dump, results: list[Result], scratch: Path
) -> None:
    """Prints the table and the commands."""
    print(
        f"{measure.machine()}, {given.threads} cores of {os.cpu_count()}; "
        f"{dump.plain / 1e6:,.0f} MB in {dump.files:,} gzip files of {dump.packed / 1e6:,.0f} MB; "
        f"medians of {given.rounds} rounds in turn, warm page cache.\n"
    )
    head = ["program", "version", "CPU s", "wall s", "peak MB", "MB per core-second"]
    print(measure.table([*head, "of inflating", "answer"], rows(results, dump.plain)))
    print(
        "\nPeak memory, sampled every 20 ms in a run of its own: the sum of the proportional "
        "shares (PSS) of all processes, or the high-water mark of the largest if that is more.\n"
    )
    print("```sh")
    for result in results:
        print(shown_command(result.job.command, dump, scratch))
    print("```")


if __name__ == "__main__":
    main()
