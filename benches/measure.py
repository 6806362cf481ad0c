"""Runs programs and measures them: CPU seconds, wall seconds, memory. Linux.

It also builds the programs of this repository and makes dumps to measure with. It knows nothing
of what the programs compute.
"""

import hashlib
import json
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LONGEST_RUN = 1800.0
SAMPLE_EVERY = 0.02


@dataclass(frozen=True)
class Run:
    """What one run of a program took."""

    cpu: float
    wall: float
    peak: int
    """Bytes; zero where the run was not sampled."""
    failure: str | None


@dataclass(frozen=True)
class Figures:
    """The medians of several runs, and the peak of memory in a run of its own."""

    cpu: float
    wall: float
    peak: int


@dataclass(frozen=True)
class Programs:
    """The built programs."""

    trailfold: Path
    generate: Path
    whole: Path

    @property
    def target(self) -> Path:
        """Returns the directory that cargo builds in."""
        return self.trailfold.parent.parent


@dataclass(frozen=True)
class Dump:
    """A dump and how much it is."""

    path: Path
    files: int
    plain: int
    packed: int

    @property
    def logs(self) -> Path:
        """Returns what a program is given to read."""
        tree = self.path / "AWSLogs"
        return tree if tree.is_dir() else self.path / "events.jsonl"

    def with_organization(self) -> list[str]:
        """Returns the arguments that name the snapshot beside the logs, if there is one."""
        snapshot = self.path / "organization.json"
        return ["--organization", str(snapshot)] if snapshot.exists() else []


def build() -> Programs:
    """Builds the program and the benches, as they are measured."""
    built = cargo("build", "--release") | cargo(
        "bench", "--no-run", "--bench", "generate", "--bench", "whole"
    )
    # Both builds make the program; the one of `build` is the one that users have.
    return Programs(built["bin trailfold"], built["bench generate"], built["bench whole"])


def cargo(*arguments: str) -> dict[str, Path]:
    """Runs cargo and returns the executables that it made, by kind and name."""
    command = ["cargo", *arguments, "--locked", "--message-format=json-render-diagnostics"]
    output = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    messages = (json.loads(line) for line in output.splitlines())
    return {
        f"{message['target']['kind'][0]} {message['target']['name']}": Path(message["executable"])
        for message in messages
        if message.get("executable")
    }


def make_dump(programs: Programs, arguments: list[str]) -> Dump:
    """Returns the dump that the generator makes of these arguments, which may be there already."""
    name = "dump" + "".join(arguments).replace("--", "-")
    path = programs.target / "dumps" / name
    note = path / "made.txt"
    sources = generator_digest()
    if not note.exists() or sources not in note.read_text(encoding="utf-8"):
        shutil.rmtree(path, ignore_errors=True)
        path.parent.mkdir(exist_ok=True)
        command = [str(programs.generate), "--out", str(path), *arguments]
        told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        note.write_text(told + sources, encoding="utf-8")
    totals = note.read_text(encoding="utf-8").splitlines()[0]
    files, _, plain, packed = map(int, re.findall(r"\d+", totals))
    return Dump(path, files, plain, packed)


def generator_digest() -> str:
    """Returns what changes when the generator does: a digest of what it is made of."""
    digest = hashlib.sha256()
    catalog = ROOT / "src" / "catalog" / "table.tsv"
    for source in [*sorted((ROOT / "benches" / "generate").iterdir()), catalog]:
        digest.update(source.read_bytes())
    return digest.hexdigest()


def given_dump(programs: Programs, path: Path) -> Dump:
    """Returns a dump that somebody made: its sizes are those that inflating it tells."""
    dump = Dump(path, 0, 0, 0)
    if not dump.logs.is_dir():
        raise SystemExit(f"{path}: no directory AWSLogs in it")
    command = [str(programs.whole), "--inflate-only", str(dump.logs)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    files, plain = map(int, re.findall(r"\d+", output))
    packed = sum(file.stat().st_size for file in dump.logs.rglob("*.gz"))
    return Dump(path, files, plain, packed)


def use_cores(count: int) -> None:
    """Binds this process, and so what it starts, to so many cores."""
    cores = sorted(ALL_CORES)[:count]
    if len(cores) < count:
        raise SystemExit(f"{count} cores are asked for, {len(cores)} are there")
    os.sched_setaffinity(0, cores)


ALL_CORES = os.sched_getaffinity(0)


def run(command: list[str], sampled: bool = False) -> Run:
    """Runs a command in a session of its own; its CPU time is that of all its processes.

    A sampled run is also watched for its memory, which costs a little time.
    """
    with tempfile.TemporaryFile() as errors:
        start = time.monotonic()
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=errors, start_new_session=True
        )
        # The session's id is that of the process, so nothing else is ended.
        limit = threading.Timer(LONGEST_RUN, lambda: os.killpg(process.pid, 9))
        limit.start()
        try:
            peak = watch(process.pid) if sampled else 0
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            os.killpg(process.pid, 9)
            raise
        finally:
            limit.cancel()
        wall = time.monotonic() - start
        code = os.waitstatus_to_exitcode(status)
        # What wait4 has taken Popen must not wait for.
        process.returncode = code
        errors.seek(0)
        lines = errors.read().decode(errors="replace").strip().splitlines()
    last = lines[-1][:200].replace("|", "/") if lines else ""
    failure = None if code == 0 else f"exit {code}: {last}"
    return Run(usage.ru_utime + usage.ru_stime, wall, peak, failure)


def watch(leader: int) -> int:
    """Samples the memory of a session until its leader ends; returns the peak.

    That is the greatest sum of proportional shares (`Pss`: pages in common count once) or, if it
    is more, the high-water mark of the resident memory of one process (`VmHWM`: it misses nothing
    between two samples).
    """
    peak = 0
    while os.waitid(os.P_PID, leader, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        group = list(session(leader))
        together = sum(field(each, "smaps_rollup", "Pss:") for each in group)
        peak = max([peak, together, *(field(each, "status", "VmHWM:") for each in group)])
        time.sleep(SAMPLE_EVERY)
    return peak


def session(leader: int) -> Iterator[int]:
    """Yields the processes of a session: all that its leader started, for none leaves it."""
    for directory in os.listdir("/proc"):
        if directory.isdecimal():
            try:
                stat = Path(f"/proc/{directory}/stat").read_text(encoding="ascii", errors="replace")
            except OSError:
                continue
            # Behind the name in brackets: state, parent, group, session.
            if int(stat.rpartition(") ")[2].split()[3]) == leader:
                yield int(directory)


def field(process: int, file: str, name: str) -> int:
    """Returns a figure of a process in bytes, zero when the process has ended."""
    try:
        text = Path(f"/proc/{process}/{file}").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    found = re.search(rf"^{name}\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def figures(first: Run, timed: list[Run]) -> Figures:
    """Returns the medians of the timed runs and the peak of the first one, which was sampled."""
    cpu = statistics.median(each.cpu for each in timed)
    wall = statistics.median(each.wall for each in timed)
    return Figures(cpu, wall, first.peak)


def machine() -> str:
    """Returns what the programs run on."""
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    found = re.search(r"^model name\s*:\s*(.*)$", text, re.MULTILINE)
    release = os.uname().release.split("-")[0]
    return f"{found[1] if found else 'unknown processor'}, Linux {release}"


def table(head: list[str], rows: list[list[str]]) -> str:
    """Returns a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
