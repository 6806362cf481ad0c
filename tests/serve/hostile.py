"""Clients that mean no good, or know no better, against `trailfold serve`: none of them stops it,
makes it grow, or keeps others waiting.

hostile.py PROGRAM TESTDATA: PROGRAM is trailfold, TESTDATA the folder of this repository.
"""

import asyncio
import os
import random
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlencode

ROOT = "o-exampleorgid/r-ex4m"
CLIENTS = 1000
MIB = 1 << 20


class Server:
    """A running endpoint, with at most `files` open files."""

    def __init__(self, program, testdata, files=None, arguments=()):
        def limit():
            _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (files or most, most))

        inputs = [testdata / "logs/AWSLogs", testdata / "logs-identities"]
        snapshots = ["--organization", testdata / "organization.json"]
        snapshots += ["--identities", testdata / "identities"]
        command = [program, "serve", *inputs, *snapshots, "--quiet", *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, preexec_fn=limit)
        address = self.process.stdout.readline().decode().strip()
        self.host, port = re.fullmatch(r"http://([\d.]+):(\d+)", address).groups()
        self.port = int(port)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def memory(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) << 10

    def files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def end(self):
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=30)
        assert code == 0, f"exit code {code}"
        return time.monotonic() - started

    def connect(self):
        return socket.create_connection((self.host, self.port), timeout=60)


def post(body, headers=""):
    head = f"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def form(action, **members):
    return urlencode({"Action": action, "Version": "2010-05-08", **members}).encode()


def read_reply(connection):
    """Returns the status and the body of one reply; None where the connection was closed."""
    read = b""
    while b"\r\n\r\n" not in read:
        more = connection.recv(65536)
        if not more:
            return (None, read)
        read += more
    head, _, body = read.partition(b"\r\n\r\n")
    length = int(re.search(rb"content-length: (\d+)", head.lower())[1])
    while len(body) < length:
        more = connection.recv(65536)
        assert more, "the reply broke off"
        body += more
    assert len(body) == length, "more than a reply"
    return int(head.split()[1]), body


def ask(server, body):
    with server.connect() as connection:
        connection.sendall(post(body))
        return read_reply(connection)


def job(server):
    status, body = ask(server, form("GenerateOrganizationsAccessReport", EntityPath=ROOT))
    assert status == 200, body
    return re.search(rb"<JobId>(.*?)</JobId>", body)[1].decode()


def without_id(body):
    return re.sub(rb"<RequestId>.*?</RequestId>", b"", body)


async def many_clients(server, job_id, clients, requests):
    """Lets so many clients ask at once, each so often on one connection."""
    body = post(form("GetOrganizationsAccessReport", JobId=job_id))
    _, expected = ask(server, form("GetOrganizationsAccessReport", JobId=job_id))

    async def client():
        reader, writer = await asyncio.open_connection(server.host, server.port)
        for _ in range(requests):
            writer.write(body)
            await writer.drain()
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            length = int(re.search(rb"content-length: (\d+)", head)[1])
            reply = await reader.readexactly(length)
            assert without_id(reply) == without_id(expected)
        writer.close()

    await asyncio.gather(*(client() for _ in range(clients)))


def malformed_bodies(server):
    """Bodies that are no requests get an answer of the 400s, each."""
    chance = random.Random(1)
    job_id = job(server)
    bodies = [
        b"",
        b"&&&===",
        b"Action",
        b"Action=",
        b"Action=%",
        b"Action=%ff%fe",
        b"Action=GetOrganizationsAccessReport",
        b"Action=GetOrganizationsAccessReport&JobId=" + b"\x00" * 36,
        b"Action=GetOrganizationsAccessReport&JobId=" + b"%F0%9F%92%A9" * 36,
        form("GetOrganizationsAccessReport", JobId=job_id, Marker="\x00"),
        form("GetOrganizationsAccessReport", JobId=job_id, MaxItems="1e3"),
        form("GetOrganizationsAccessReport", JobId=job_id, SortKey="'; DROP"),
        form("GenerateOrganizationsAccessReport", EntityPath="../" * 50),
        form("GenerateServiceLastAccessedDetails", Arn="arn:aws:iam::1:role/" + "x" * 3000),
        form("ListPoliciesGrantingServiceAccess", Arn=ROOT, **{"ServiceNamespaces.member.99999999999": "s3"}),
        b"&".join(b"a%d=b" % number for number in range(10000)),
        b"Action=" + b"A" * 100_000,
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b'{"Action":"GetOrganizationsAccessReport"}',
    ]
    bodies += [chance.randbytes(chance.randrange(2000)) for _ in range(200)]
    whole = form("GetOrganizationsAccessReport", JobId=job_id, MaxItems="5")
    for _ in range(200):
        changed = bytearray(whole)
        changed[chance.randrange(len(changed))] = chance.randrange(256)
        bodies.append(bytes(changed))
    with server.connect() as connection:
        for body in bodies:
            connection.sendall(post(body))
            status, reply = read_reply(connection)
            assert status == 200 or 400 <= status < 500, (status, body[:100])
            assert status != 429, body[:100]
            assert status == 200 or b"<Code>" in reply, reply


def malformed_http(server):
    """What is no HTTP gets an answer of the 400s, or none."""
    chance = random.Random(2)
    head = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    for request in [
        b"\r\n\r\n\r\n",
        b"GET\r\n\r\n",
        b"POST / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100),
        head + b"Content-Length: -1\r\n\r\n",
        head + b"Content-Length: 18446744073709551616\r\n\r\n",
        head + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        head + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
        head + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        head + b"X: " + b"y" * 100_000 + b"\r\n\r\n",
        head + b"".join(b"X%d: y\r\n" % number for number in range(1000)) + b"\r\n",
        b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /../../etc/passwd HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"DELETE / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"CONNECT 127.0.0.1:80 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        *(chance.randbytes(200) + b"\r\n\r\n" for _ in range(50)),
    ]:
        with server.connect() as connection:
            try:
                connection.sendall(request)
                connection.shutdown(socket.SHUT_WR)
                reply = connection.recv(65536)
            except OSError:
                # It was closed before everything was said.
                continue
            assert not reply or 400 <= int(reply.split()[1]) < 500, (request[:60], reply[:60])


def half_closed(server):
    """A client that says that it has said everything still gets its answer."""
    body = form("GetOrganizationsAccessReport", JobId=job(server))
    with server.connect() as connection:
        connection.sendall(post(body))
        connection.shutdown(socket.SHUT_WR)
        status, _ = read_reply(connection)
        assert status == 200
        assert connection.recv(1) == b""


def torn(server):
    """Connections that are reset in the middle of things."""
    body = post(form("GetOrganizationsAccessReport", JobId=job(server)))
    for length in [0, 1, 20, len(body) - 1, len(body)]:
        for _ in range(20):
            connection = server.connect()
            connection.sendall(body[:length])
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()


def huge_bodies(server):
    """A hundred megabytes are refused before they are read."""
    before = server.memory()
    head = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    block = b"Action=" + b"A" * MIB
    for length in [b"Content-Length: 104857600\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"]:
        with server.connect() as connection:
            connection.sendall(head + length)
            try:
                for _ in range(100):
                    if length.startswith(b"T"):
                        connection.sendall(b"%x\r\n" % len(block) + block + b"\r\n")
                    else:
                        connection.sendall(block)
                raise AssertionError("a hundred megabytes were read")
            except ConnectionError:
                pass
            except TimeoutError as stuck:
                raise AssertionError("neither read nor refused") from stuck
    # Who waits with the body, as the AWS SDKs do not, is told why.
    with server.connect() as connection:
        connection.sendall(head + b"Content-Length: 104857600\r\n\r\n")
        status, reply = read_reply(connection)
        assert status == 413 and b"<Code>RequestEntityTooLarge</Code>" in reply, reply
        assert connection.recv(1) == b""
    grown = server.memory() - before
    assert grown < 8 * MIB, f"grew by {grown >> 10} KiB"


def slow(server):
    """Opens connections that never come to an end of what they say, or read nothing."""
    body = form("GetOrganizationsAccessReport", JobId=job(server))
    pending = {}
    for kind, request in [
        ("says nothing", b""),
        ("the head never ends", b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n"),
        ("the body never ends", post(body)[:-5]),
    ]:
        pending[kind] = [server.connect() for _ in range(50)]
        for connection in pending[kind]:
            connection.sendall(request)
    deaf = [server.connect() for _ in range(20)]
    for connection in deaf:
        connection.setblocking(False)
        try:
            while True:
                connection.send(post(body))
        except BlockingIOError:
            pass
    pending["reads nothing"] = deaf
    return pending


def are_closed(pending, since):
    """Waits until the server has had enough of them."""
    for kind, connections in pending.items():
        for connection in connections:
            connection.setblocking(True)
            connection.settimeout(max(1, since + 45 - time.monotonic()))
            try:
                while connection.recv(1 << 20):
                    pass
            except ConnectionError:
                pass
            except TimeoutError:
                raise AssertionError(f"kept open: {kind}") from None
            connection.close()


def few_files(program, testdata):
    """Where there are fewer files than clients, clients wait, and all are answered."""
    with Server(program, testdata, files=40) as server:
        asyncio.run(many_clients(server, job(server), 200, 1))
        server.end()


def all_of_it(server, program, testdata):
    job_id = job(server)
    asyncio.run(many_clients(server, job_id, 10, 1))
    memory, files = server.memory(), server.files()

    since = time.monotonic()
    pending = slow(server)
    asyncio.run(many_clients(server, job_id, CLIENTS, 5))
    malformed_bodies(server)
    malformed_http(server)
    half_closed(server)
    torn(server)
    huge_bodies(server)
    asyncio.run(many_clients(server, job_id, CLIENTS, 5))
    few_files(program, testdata)
    are_closed(pending, since)

    deadline = time.monotonic() + 10
    while server.files() > files and time.monotonic() < deadline:
        time.sleep(0.1)
    assert server.files() <= files, f"{server.files()} files are open, {files} were"
    grown = server.memory() - memory
    assert grown < 100 * MIB, f"grew by {grown >> 10} KiB"
    # Clients that are connected and say nothing keep nobody from ending it.
    idle = [server.connect() for _ in range(20)]
    took = server.end()
    assert took < 15, f"took {took} s to end"
    del idle
    print(f"grew by {grown >> 10} KiB, ended in {took:.2f} s")


def main(program, testdata):
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with Server(program, testdata) as server:
        all_of_it(server, program, testdata)
    print("OK")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
