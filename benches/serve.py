#!/usr/bin/env python3
"""Measures the endpoint: benches/serve.py.

`trailfold serve` folds a dump, and wrk (Debian's package of this name) asks it over loopback: for a
page of the root's report, of an account's, of a role's, for a job, each by one client, by 32 and by
1,000 at once. Server and load share the machine's cores. Dumps stay in cargo's target directory. The exit
code is 1 when an answer is not 200, or a connection fails.
"""

import argparse
import json
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import measure
from measure import Dump, Programs

CONNECTIONS = (1, 32, 1000)
HEAD = ["request", "kB", "clients", "answers/s", "50 % ms", "99 % ms", "CPU µs", "peak MB"]


@dataclass(frozen=True)
class Load:
    """What one run of wrk found."""

    rate: float
    median: float
    slow: float
    """Milliseconds, as the median."""
    answers: int


def arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bytes", default="2e9", help="size of the logs [%(default)s]")
    parser.add_argument("--accounts", help="in the organization [the generator's]")
    parser.add_argument("--roles", default="10000", help="in the organization [%(default)s]")
    parser.add_argument("--seconds", type=int, default=10, help="of each load [%(default)s]")
    given = parser.parse_args()
    if not shutil.which("wrk"):
        parser.error("needs wrk: apt-get install wrk")
    return given


class Server:
    """A running endpoint."""

    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        self.url = self.process.stdout.readline().strip()
        if not self.url:
            raise SystemExit("trailfold serve did not start")

    def cpu(self) -> float:
        """Returns the CPU seconds that it took so far."""
        stat = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii")
        user, system = stat.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / 100

    def memory(self) -> int:
        """Returns the most bytes that it held so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert found
        return int(found[1]) << 10

    def ask(self, **members: str) -> str:
        """Asks once."""
        with urllib.request.urlopen(self.url, form(members).encode()) as reply:
            return reply.read().decode()

    def job(self, action: str, **members: str) -> str:
        """Has a job made."""
        reply = self.ask(Action=action, **members)
        return reply.partition("<JobId>")[2].partition("</JobId>")[0]

    def end(self) -> None:
        """Ends it."""
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait():
            raise SystemExit("trailfold serve did not end well")


def form(members: dict[str, str]) -> str:
    """Returns the body of a request."""
    return urllib.parse.urlencode({"Version": "2010-05-08", **members})


def load(server: Server, request: dict[str, str], connections: int, seconds: int, scratch: Path) -> Load:
    """Lets wrk ask."""
    script = scratch / "ask.lua"
    script.write_text(
        f'wrk.method = "POST"\nwrk.body = "{form(request)}"\n'
        'wrk.headers["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8"\n',
        encoding="ascii",
    )
    command = ["wrk", "--threads", "1", "--connections", str(connections)]
    command += ["--duration", f"{seconds}s", "--timeout", "30s", "--latency"]
    command += ["--script", str(script), server.url]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    if "Non-2xx" in told or "Socket errors" in told:
        raise SystemExit(told)

    def millis(share: str) -> float:
        found = re.search(rf"^\s+{share}%\s+([\d.]+)(us|ms|s)$", told, re.MULTILINE)
        assert found, told
        return float(found[1]) * {"us": 1e-3, "ms": 1, "s": 1e3}[found[2]]

    rate = re.search(r"Requests/sec:\s+([\d.]+)", told)
    answers = re.search(r"(\d+) requests in", told)
    assert rate and answers, told
    return Load(float(rate[1]), millis("50"), millis("99"), int(answers[1]))


def places(programs: Programs, dump: Dump) -> tuple[str, str]:
    """Returns the entity paths of the root and of an account."""
    command = [str(programs.trailfold), "report", "organizations", str(dump.logs), "--quiet"]
    report = subprocess.run([*command, *dump.with_organization()], check=True, capture_output=True)
    details = json.loads(report.stdout)["AccessDetails"]
    account = next(row["EntityPath"] for row in details if "EntityPath" in row)
    return "/".join(account.split("/")[:2]), account


def a_role(dump: Dump) -> str:
    """Returns the ARN of a role."""
    first = min((dump.path / "identities").iterdir())
    return json.loads(first.read_bytes())["RoleDetailList"][0]["Arn"]


def main() -> int:
    """Measures and prints the table."""
    given = arguments()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    programs = measure.build()
    asked = ["--bytes", given.bytes, "--roles", given.roles]
    if given.accounts:
        asked += ["--accounts", given.accounts]
    dump = measure.make_dump(programs, asked)
    root, account = places(programs, dump)
    role = a_role(dump)
    command = [str(programs.trailfold), "serve", str(dump.logs), "--quiet"]
    command += ["--identities", str(dump.path / "identities")]
    server = Server(command + dump.with_organization())
    folded, held = server.cpu(), server.memory()
    make, service = "GenerateOrganizationsAccessReport", "GenerateServiceLastAccessedDetails"
    requests = [
        {"Action": "GetOrganizationsAccessReport", "JobId": server.job(make, EntityPath=root)},
        {"Action": "GetOrganizationsAccessReport", "JobId": server.job(make, EntityPath=account)},
        {"Action": "GetServiceLastAccessedDetails", "JobId": server.job(service, Arn=role)},
        {"Action": make, "EntityPath": account},
    ]
    names = ["of the root", "of an account", "of a role", ""]
    plain = f"{dump.plain / 1e6:,.0f} MB of logs, {given.roles} roles"
    print(f"{plain}: folded in {folded:.2f} CPU s, {held / 1e6:.0f} MB\n")
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for request, name in zip(requests, names, strict=True):
            size = len(server.ask(**request))
            for connections in CONNECTIONS:
                before = server.cpu()
                found = load(server, request, connections, given.seconds, Path(scratch))
                micros = (server.cpu() - before) / found.answers * 1e6
                cells = [f"{request['Action']} {name}".strip(), f"{size / 1e3:.1f}"]
                cells += [f"{connections:,}", f"{found.rate:,.0f}", f"{found.median:.2f}"]
                cells += [f"{found.slow:.2f}", f"{micros:.0f}", f"{server.memory() / 1e6:.0f}"]
                rows.append(cells)
    print(measure.table(HEAD, rows))
    server.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
