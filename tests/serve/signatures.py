"""What a server with `--credentials` takes for signed, and what it refuses.

Arguments: the server's address, a directory of reports, the credentials file of the server. Its
profiles are `default`, `other` and `session`, the last with a session token.
"""

import configparser
import datetime
import http.client
import sys
import urllib.parse
import xml.etree.ElementTree as ET
from unittest import mock

from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from replies import NAMESPACE, Iam, read_error, reports, unsigned, without_dates

endpoint, wanted, file = sys.argv[1:]
profiles = configparser.ConfigParser()
profiles.read(file)
paths = reports(wanted, "organizations")
ROOT = min(paths, key=len)
GENERATE = "GenerateOrganizationsAccessReport"
BODY = urllib.parse.urlencode(
    {"Action": GENERATE, "Version": "2010-05-08", "EntityPath": ROOT, "Text": "a b+c~ü"}
).encode()


def keys(profile):
    found = profiles[profile]
    return [
        found["aws_access_key_id"],
        found["aws_secret_access_key"],
        found.get("aws_session_token"),
    ]


def through_clients():
    key, secret, token = keys("session")
    for profile in ("default", "other", "session"):
        for region in ("us-east-1", "eu-central-1", "cn-north-1"):
            iam = Iam(endpoint, *keys(profile), region=region)
            job = iam.job("OrganizationsAccessReport", EntityPath=ROOT)
            found = iam.call("GetOrganizationsAccessReport", JobId=job, MaxItems=1000)
            assert without_dates(found) == without_dates(paths[ROOT]), found
    ask = [GENERATE]
    mismatch = ("SignatureDoesNotMatch", 403, None, *ask)
    invalid = ("InvalidClientTokenId", 403, None, *ask)
    default = keys("default")
    wrong = default[1][:-1] + ("A" if default[1][-1] != "A" else "B")
    Iam(endpoint, default[0], wrong).refused(*mismatch, EntityPath=ROOT)
    Iam(endpoint, default[0], keys("other")[1]).refused(*mismatch, EntityPath=ROOT)
    Iam(endpoint, "AKIAUNKNOWNEXAMPLE00", default[1]).refused(*invalid, EntityPath=ROOT)
    Iam(endpoint, default[0].lower(), default[1]).refused(*invalid, EntityPath=ROOT)
    Iam(endpoint, key, secret).refused(*invalid, EntityPath=ROOT)
    Iam(endpoint, key, secret, token + "x").refused(*invalid, EntityPath=ROOT)
    missing = ("MissingAuthenticationToken", 403, None)
    unsigned(endpoint).refused(*missing, *ask, EntityPath=ROOT)
    # Who is nobody is told nothing, whatever is asked.
    unsigned(endpoint).refused(*missing, "GetOrganizationsAccessReport", JobId="x" * 36)
    unsigned(endpoint).refused(*missing, GENERATE, EntityPath="wrong")
    unsigned(endpoint).refused(*missing, "GetRole", RoleName="any")


def signed(profile="default", service="iam", region="us-east-1"):
    """Returns a request signed by hand."""
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    request = AWSRequest("POST", endpoint + "/", headers, BODY)
    SigV4Auth(Credentials(*keys(profile)), service, region).add_auth(request)
    return request


def send(request, body=BODY):
    """Returns the code of the error that a request is answered with, or `OK`."""
    address = urllib.parse.urlsplit(endpoint)
    connection = http.client.HTTPConnection(address.hostname, address.port)
    target = urllib.parse.urlsplit(request.url)
    path = target.path + ("?" + target.query if target.query else "")
    connection.request("POST", path, body, dict(request.headers.items()))
    reply = connection.getresponse()
    content = reply.read()
    connection.close()
    if reply.status == 200:
        job = ET.fromstring(content).find(f"{NAMESPACE}{GENERATE}Result/{NAMESPACE}JobId")
        assert job is not None and len(job.text) == 36, content
        return "OK"
    return f"{read_error(content)['Code']} {reply.status}"


def at(moment, **more):
    """Returns a request signed at another time, as a clock that is wrong would."""
    with mock.patch("botocore.auth.get_current_datetime", return_value=moment):
        return signed(**more)


def by_hand():
    mismatch = "SignatureDoesNotMatch 403"
    assert send(signed()) == "OK"
    assert send(signed(region="xy-nowhere-9")) == "OK"
    assert send(signed("session")) == "OK"
    # The body, the headers that are signed, and the scope are all of the signature.
    assert send(signed(), BODY.replace(b"ex4m", b"ex5m")) == mismatch
    assert send(signed(), BODY + b"&OrganizationsPolicyId=p-FullAWSAccess") == mismatch
    assert send(signed(), b"") in (mismatch, "MissingAction 400")
    request = signed()
    request.headers.replace_header("Content-Type", "application/x-www-form-urlencoded")
    said = send(request)
    covered = "content-type" in request.headers["Authorization"]
    assert said == (mismatch if covered else "OK"), said
    request = signed()
    request.url += "?EntityPath=o-anotherorgan/r-ex4m"
    assert send(request) == mismatch
    assert send(signed(service="s3")) == mismatch
    request = signed()
    authorization = request.headers["Authorization"]
    for wrong in (
        authorization[:-1] + ("0" if authorization[-1] != "0" else "1"),
        authorization[:-64] + "0" * 64,
        authorization.replace("us-east-1", "us-west-2"),
        authorization.replace("/iam/", "/sts/"),
    ):
        assert wrong != authorization
        request.headers.replace_header("Authorization", wrong)
        assert send(request) == mismatch, wrong
    # A signature must cover the host and the time.
    for name in ("host", "x-amz-date"):
        request = signed()
        value = request.headers["Authorization"]
        uncovered = value.replace(f"{name};", "").replace(f";{name}", "")
        assert uncovered != value, value
        request.headers.replace_header("Authorization", uncovered)
        assert send(request).endswith((" 403", " 400")), name
    # A token that the signature does not cover is not taken.
    request = signed("session")
    request.headers.replace_header("X-Amz-Security-Token", "another")
    assert send(request).endswith(" 403")
    del request.headers["X-Amz-Security-Token"]
    assert send(request).endswith(" 403")
    # What cannot be read as an authorization is none.
    for wrong in (
        "",
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential=,SignedHeaders=,Signature=",
        "AWS4-HMAC-SHA256 Credential=A/B/C/D/E, SignedHeaders=host, Signature=00",
        "AWS4-HMAC-SHA256 " + "Credential=" * 1000,
        "AWS4-HMAC-SHA1" + authorization[16:],
        "Basic QUtJREVYQU1QTEU6c2VjcmV0",
        "Bearer token",
        "AWS4-HMAC-SHA256 " + "ü" * 20,
    ):
        request.headers.replace_header("Authorization", wrong.encode().decode("latin-1"))
        assert send(request).endswith((" 400", " 403")), wrong
    # A signature in the query, as of an address that is handed on, is none of a form.
    request = AWSRequest("POST", endpoint + "/", {}, dict(urllib.parse.parse_qsl(BODY.decode())))
    SigV4QueryAuth(Credentials(*keys("default")), "iam", "us-east-1").add_auth(request)
    assert "X-Amz-Signature=" in request.url, request.url
    for body in (b"", BODY):
        assert send(request, body).endswith((" 400", " 403"))


def clocks():
    now = datetime.datetime.now(datetime.UTC)
    for minutes in (-4, 0, 4):
        assert send(at(now + datetime.timedelta(minutes=minutes))) == "OK", minutes
    for minutes in (-6 * 525_600, -1441, -60, -16, 16, 60, 1441, 6 * 525_600):
        said = send(at(now + datetime.timedelta(minutes=minutes)))
        assert said in ("SignatureDoesNotMatch 403", "RequestExpired 400"), f"{minutes}: {said}"
    # A date that is none.
    request = signed()
    request.headers.replace_header("X-Amz-Date", "yesterday")
    assert send(request).endswith((" 400", " 403"))


through_clients()
by_hand()
clocks()
print("OK")
