"""What stands below the clients: HTTP as it really comes, right, wrong and hostile.

Arguments: the server's address, which was started with `--allow-host reports.example`, and a
directory of reports.
"""

import http.client
import socket
import sys
import urllib.parse
import xml.etree.ElementTree as ET

from replies import NAMESPACE, UUID, read_error, reports

endpoint, wanted = sys.argv[1:]
address = urllib.parse.urlsplit(endpoint)
paths = reports(wanted, "organizations")
ROOT = min(paths, key=len)
FORM = "application/x-www-form-urlencoded; charset=utf-8"
GENERATE = "GenerateOrganizationsAccessReport"
BODY = urllib.parse.urlencode(
    {"Action": GENERATE, "Version": "2010-05-08", "EntityPath": ROOT}
).encode()


def connect():
    connection = socket.create_connection((address.hostname, address.port))
    # No reply is that slow; without it a test would hang where it should fail.
    connection.settimeout(30)
    return connection


def request(body=BODY, method="POST", target="/", version="HTTP/1.1", drop=(), **headers):
    """Returns the bytes of a request."""
    fields = {"Host": address.netloc, "Content-Type": FORM, "Content-Length": str(len(body))}
    fields |= {name.replace("_", "-"): it for name, it in headers.items()}
    lines = [f"{method} {target} {version}"]
    lines += [f"{name}: {it}" for name, it in fields.items() if name not in drop]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def reply(connection):
    """Reads one reply: its status, its headers, its body."""
    found = http.client.HTTPResponse(connection, method="POST")
    found.begin()
    body = found.read()
    return found, body


def ask(*arguments, **more):
    """Returns status and body of the reply to a request on a connection of its own."""
    with connect() as connection:
        connection.sendall(request(*arguments, **more))
        found, body = reply(connection)
    return found.status, body


def told(body):
    job = ET.fromstring(body).find(f"{NAMESPACE}{GENERATE}Result/{NAMESPACE}JobId")
    assert job is not None and len(job.text) == 36, body
    return job.text


def works(*arguments, **more):
    status, body = ask(*arguments, **more)
    assert status == 200, f"{arguments} {more}: {status} {body}"
    assert told(body) == JOB, body


def refused(statuses, *arguments, **more):
    """Checks that a request is refused with XML that clients can read, and the server lives on."""
    status, body = ask(*arguments, **more)
    assert status in statuses, f"{str(arguments)[:200]} {str(more)[:200]}: {status} {body[:300]}"
    error = read_error(body)
    works()
    return error["Code"]


JOB = told(ask()[1])


def forms():
    """One form, encoded in the ways in which forms are."""
    path = urllib.parse.quote(ROOT, safe="")
    for text in (
        f"EntityPath={path}&Version=2010-05-08&Action={GENERATE}",
        f"Action={GENERATE}&Version=2010-05-08&EntityPath={ROOT}",
        f"Action={GENERATE}&Version=2010-05-08&EntityPath={path.lower()}",
        f"Action={GENERATE}&Version=2010-05-08&EntityPath={path}&",
        "&".join(f"{name}" for name in (f"Action={GENERATE}", "Version=2010-05-08"))
        + "&EntityPath="
        + "".join(f"%{byte:02X}" for byte in ROOT.encode()),
    ):
        works(text.encode())
    works(Content_Type="application/x-www-form-urlencoded")
    works(drop=["Content-Length"], body=BODY, **{"content-length": str(len(BODY))})
    found, body = None, None
    with connect() as connection:
        connection.sendall(request(Connection="close"))
        found, body = reply(connection)
        assert connection.recv(1) == b"", "the connection stays open"
    assert found.headers["Content-Type"].split(";")[0] == "text/xml", found.headers
    assert found.headers["Content-Length"] == str(len(body)), found.headers
    identifier = ET.fromstring(body).find(f".//{NAMESPACE}RequestId").text
    assert UUID.fullmatch(identifier), body
    assert found.headers["x-amzn-RequestId"] == identifier, found.headers
    # No page of another site may read what is answered.
    assert "Access-Control-Allow-Origin" not in found.headers, found.headers


def wrong_forms():
    form = f"Action={GENERATE}&Version=2010-05-08&EntityPath="
    assert refused([400], b"") == "MissingAction"
    assert refused([400], b"Version=2010-05-08") == "MissingAction"
    assert refused([400], b"Action=&Version=2010-05-08") in ("InvalidAction", "MissingAction")
    for action in ("NoSuchAction", GENERATE.lower(), f"{GENERATE} ", "%00", "<b>", "GetRole"):
        code = refused([400], f"Action={action}&Version=2010-05-08&EntityPath={ROOT}".encode())
        assert code in ("InvalidAction", "ValidationError"), f"{action}: {code}"
    refused([400], f"{form}%".encode())
    refused([400], f"{form}%zz".encode())
    refused([400], f"{form}%ff%fe".encode())
    refused([400], f"{form}".encode() + b"\xff\xfe")
    refused([400], f"{form}%00{ROOT}".encode())
    refused([400], b"\x00" * 1000)
    refused([400], b"&" * 10_000)
    refused([400], b"=" * 10_000)
    refused([400], b'{"Action": "' + GENERATE.encode() + b'"}')
    refused([400], b"Action=ListPoliciesGrantingServiceAccess&Arn=" + b"a" * 30 + b"".join(
        b"&ServiceNamespaces.member.%d=s3" % place for place in (0, 1, 99_999_999_999)
    ))


def other_requests():
    # What is no POST to / is no request of a client; there may be pages, but no report of IAM's.
    for parameters in (
        {"method": "GET"},
        {"method": "HEAD"},
        {"method": "GET", "target": f"/?{BODY.decode()}"},
        {"method": "GET", "target": "/../../etc/passwd"},
        {"method": "GET", "target": "/%2e%2e/%00"},
        {"method": "PUT"},
        {"method": "DELETE"},
        {"method": "OPTIONS", "Origin": "http://evil.example"},
        {"method": "CONNECT", "target": "evil.example:443"},
        {"method": "POST", "target": "/elsewhere"},
        {"method": "POST", "target": "*"},
        {"method": "POST", "target": "//"},
    ):
        with connect() as connection:
            connection.sendall(request(**parameters))
            connection.shutdown(socket.SHUT_WR)
            said = b""
            while more := connection.recv(65536):
                said += more
        page = parameters["method"] in ("GET", "HEAD") and said.startswith(b"HTTP/1.1 200")
        assert page or said.startswith(b"HTTP/1.1 4"), f"{parameters}: {said[:300]}"
        assert b"JobId" not in said, f"{parameters}: {said[:300]}"
        assert b"access-control-allow" not in said.lower(), f"{parameters}: {said[:300]}"
        works()
    # A page of another site can send forms, too.
    refused([403, 400], Origin="http://evil.example")
    refused([403, 400], Origin="null")
    # A name that is not ours is that of a page that had its address changed.
    for host in ("evil.example", f"evil.example:{address.port}", "127.0.0.1.evil.example"):
        code = refused([400, 403, 421], Host=host)
        assert code, host
    for host in (f"localhost:{address.port}", "localhost", "127.0.0.1"):
        works(Host=host)
    works(Host=f"reports.example:{address.port}")
    works(Host="reports.example")
    works(Host="REPORTS.example")


def connections():
    # One connection for many requests, one after another and all at once.
    with connect() as connection:
        for _ in range(50):
            connection.sendall(request())
            found, body = reply(connection)
            assert found.status == 200 and told(body) == JOB
        for wrong in (request(b""), request(b"Action=Nothing")):
            connection.sendall(wrong)
            found, _ = reply(connection)
            assert found.status == 400
    with connect() as connection:
        connection.sendall(request() * 3)
        # What one reply's reader has read ahead of the next would be lost with it.
        stream = b""
        while stream.count(b"</" + f"{GENERATE}Response>".encode()) < 3:
            more = connection.recv(65536)
            assert more, stream
            stream += more
        assert stream.count(b"HTTP/1.1 200") == 3, stream
    # Bytes that come one at a time, and a body that waits to be asked for.
    with connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request():
            connection.sendall(bytes([byte]))
        found, body = reply(connection)
        assert found.status == 200 and told(body) == JOB
    with connect() as connection:
        connection.sendall(request(Expect="100-continue").removesuffix(BODY))
        said = connection.recv(65536)
        assert said.startswith(b"HTTP/1.1 100"), said
        connection.sendall(BODY)
        found, body = reply(connection)
        assert found.status == 200 and told(body) == JOB
    with connect() as connection:
        connection.sendall(request(version="HTTP/1.0"))
        found, body = reply(connection)
        assert found.status == 200 and told(body) == JOB
        assert connection.recv(1) == b"", "HTTP/1.0 was kept alive"
    # Those who say nothing, or half of something, or go away, keep nobody from being served.
    idle = [connect() for _ in range(40)]
    for connection in idle[:20]:
        connection.sendall(request()[:-5])
    works()
    for connection in idle[::2]:
        connection.close()
    works()
    for connection in idle[1::2]:
        connection.close()
    for _ in range(20):
        with connect() as connection:
            connection.sendall(request())
    works()


def not_http():
    large = 64 * 1024 * 1024
    for text in (
        b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100,
        b"GET\r\n\r\n",
        b"POST / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost\r\n\r\n",
        b"\x00" * 5000,
        b"POST /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + b"X-A: b\r\n" * 5000 + b"\r\n",
        b"POST / HTTP/1.1\r\nX: " + b"a" * 1_000_000,
        request(Content_Length="-1"),
        request(Content_Length="ten"),
        request(Content_Length=str(2**64)),
        request(Content_Length=str(large)),
        request().replace(b"Content-Length: ", b"Content-Length: 5\r\nContent-Length: "),
        request(Transfer_Encoding="chunked", drop=["Content-Length"]).removesuffix(BODY)
        + b"zz\r\n\r\n",
        # Two ways of saying how long a body is are two bodies.
        request(Transfer_Encoding="chunked"),
    ):
        with connect() as connection:
            said = b""
            try:
                connection.sendall(text)
                connection.shutdown(socket.SHUT_WR)
                while more := connection.recv(65536):
                    said += more
            except TimeoutError:
                raise
            except OSError:
                # It was closed before all was sent.
                pass
        first = said.split(b"\r\n")[0]
        refused_it = first == b"" or first.split(b" ")[1][:1] in (b"4", b"5")
        assert refused_it and b"JobId" not in said, f"{text[:80]}: {said[:300]}"
        works()


forms()
wrong_forms()
other_requests()
connections()
not_http()
print("OK")
