"""Compares the program with `aws cloudtrail validate-logs`, whose code runs on the same dumps from a
stand-in for S3.

`against_aws.py PROGRAM CASES`: in every case that `cases.py` wrote, each line of the AWS CLI must be a
result of the program's, word by word, but for the differences that `EXCEPTIONS` names.
"""

import base64
import contextlib
import io
import json
import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from unittest import mock

from awscli.customizations.cloudtrail import validation
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

BUCKET = "example-bucket"

MISMATCH = "INVALID: hash value doesn't match"
FORMAT = "INVALID: invalid format"
TRAILING = "INVALID: unexpected data after end of compressed stream"
MISSING = "INVALID: not found"
MOVED = "INVALID: has been moved from its original location"
SIGNATURE = "INVALID: signature verification failed"

# What the AWS CLI says, what the program says, and why that is as it should be.
EXCEPTIONS = {
    ("Log file", MISSING, MOVED): "the AWS CLI looks at the place alone",
    ("Log file", MISSING, "valid"): "the AWS CLI knows no log files that were unpacked",
    ("Log file", MISSING, MISMATCH): "the AWS CLI looks at the place alone",
    ("Log file", MISMATCH, FORMAT): "the AWS CLI does not notice that a stream was cut off",
    ("Log file", "valid", None): "the AWS CLI believes a digest with something behind its stream",
    ("Digest file", MISSING, MOVED): "the AWS CLI looks at the place alone",
    ("Digest file", SIGNATURE, MOVED): "the AWS CLI looks for metadata first",
    ("Digest file", MISSING, None): "a dump may begin later than the trail",
    ("Digest file", "valid", TRAILING): "the AWS CLI does not look behind a compressed digest",
    ("Digest file", SIGNATURE, FORMAT): "the AWS CLI looks at no algorithm and at no member twice",
}


class S3:
    """A bucket with the files of a dump."""

    def __init__(self, case):
        root = case / "dump"
        self.files = {str(path.relative_to(root)): path for path in root.rglob("*") if path.is_file()}
        self.metadata = {}
        for path in (case / "all-signatures").iterdir():
            self.metadata[path.name.removesuffix(".json")] = json.loads(path.read_text())["Metadata"]

    def get_bucket_location(self, Bucket):
        return {"LocationConstraint": None}

    def get_object(self, Bucket, Key):
        if Bucket != BUCKET or Key not in self.files:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": "no such key"}}, "GetObject")
        # Whoever replaces a digest leaves the metadata of the name, as the newest version of AWS's does.
        return {
            "Body": io.BytesIO(self.files[Key].read_bytes()),
            "Metadata": self.metadata.get(Key.split("/")[-1], {}),
        }

    def get_paginator(self, _):
        return self

    def paginate(self, Bucket, Marker, Prefix):
        keys = sorted(key for key in self.files if key > Marker and key.startswith(Prefix))
        return mock.Mock(search=lambda _: iter(keys))


def validate_logs(case, chain, keys, s3):
    """Returns the lines that the AWS CLI prints of one trail, account and Region."""
    key = chain["DigestFiles"][0]["S3Object"]
    prefix = key.split("AWSLogs/")[0].rstrip("/") or None
    organization = chain["OrganizationId"]
    arn = f"arn:aws:cloudtrail:{chain['HomeRegion']}:{chain['AccountId']}:trail/{chain['TrailName']}"
    trail = {"TrailARN": arn, "S3BucketName": BUCKET, "S3KeyPrefix": prefix, "IsOrganizationTrail": bool(organization)}
    clients = {
        "s3": s3,
        "cloudtrail": mock.Mock(
            describe_trails=lambda **_: {"trailList": [trail]},
            list_public_keys=lambda **_: {"PublicKeyList": keys},
        ),
        "organizations": mock.Mock(describe_organization=lambda: {"Organization": {"Id": organization}}),
    }
    args = Namespace(
        trail_arn=arn, verbose=True, s3_bucket=None, s3_prefix=None, account_id=chain["AccountId"],
        start_time="2026-01-15T00:00:00Z", end_time="2026-01-16T00:00:00Z",
    )
    parsed_globals = Namespace(region=chain["Region"], verify_ssl=None, endpoint_url=None)
    out = io.StringIO()
    with mock.patch.object(validation, "create_nested_client", lambda _, name, **__: clients[name]):
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            validation.CloudTrailValidateLogs(mock.Mock())._run_main(args, parsed_globals)
    lines = [line.removeprefix("(backfill) ") for line in out.getvalue().splitlines()]
    return [tuple(line.split("\t")) for line in lines if line.count("\t") == 2]


def results(chain):
    """Returns the statuses that the program has for each file, by S3 URI, and by path for those moved."""
    found = {}
    for kind, member in [("Digest file", "DigestFiles"), ("Log file", "LogFiles")]:
        for file in chain[member]:
            places = {f"s3://{file.get('S3Bucket')}/{file.get('S3Object')}"}
            if file["Path"] and file["Status"] == MOVED:
                places.add(f"s3://{BUCKET}/{file['Path'].removeprefix('dump/')}")
            for place in places:
                found.setdefault((kind, place), set()).add(file["Status"])
    return found


def pkcs1(value):
    """Returns a key in the form that the AWS CLI can read; any other is left as it is."""
    key = serialization.load_der_public_key(base64.b64decode(value))
    if not isinstance(key, rsa.RSAPublicKey):
        return value
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    return base64.b64encode(der).decode()


def main(program, cases):
    compared, used, faults = 0, set(), []
    for case in sorted(cases.iterdir()):
        expected = json.loads((case / "expected.json").read_text())
        if expected["Code"] == 2 or case.name in ("key-too-old", "key-too-new", "hostile-names"):
            # The stand-in hands out every key, and has no files of such names.
            continue
        call = [program, "verify", "dump", "--public-keys", "keys.json", "--signatures", "all-signatures", "--format", "json"]
        document = json.loads(subprocess.run(call, cwd=case, capture_output=True, check=False).stdout)
        replies = (case / "keys.json").read_text()
        decoder, keys, at = json.JSONDecoder(), [], 0
        while at < len(replies):
            reply, at = decoder.raw_decode(replies, at)
            at += len(replies[at:]) - len(replies[at:].lstrip())
            keys += reply.get("PublicKeyList", reply.get("publicKeyList"))
        keys = [{**key, "Value": pkcs1(key["Value"])} for key in keys]
        s3 = S3(case)
        for chain in document["Chains"]:
            if chain["Backfill"] or not chain["DigestFiles"][0].get("S3Object"):
                continue
            members = ("AccountId", "Region", "TrailName", "OrganizationId")
            twins = [it for it in document["Chains"] if all(it[name] == chain[name] for name in members)]
            found = {}
            for twin in twins:
                for place, statuses in results(twin).items():
                    found.setdefault(place, set()).update(statuses)
            visited = set()
            for kind, place, said in validate_logs(case, chain, keys, s3):
                compared += 1
                visited.add((kind, place))
                ours = found.get((kind, place), set())
                is_deep = case.name == "digest-deep" and said.startswith("INVALID: maximum recursion depth")
                if said in ours or is_deep and FORMAT in ours:
                    continue
                is_before = chain["BeginsAfter"] and place.endswith(chain["BeginsAfter"]["S3Object"])
                if is_before or case.name == "digest-with-padding":
                    ours = ours or {None}
                allowed = {(kind, said, status) for status in ours} & EXCEPTIONS.keys()
                used |= allowed
                if not allowed:
                    faults.append(f"{case.name}: {kind} {place}: {said!r} and not {sorted(ours)}")
            # From a digest that was moved, the AWS CLI does not find its way.
            is_moved = any((kind, MOVED) == ("Digest file", it) for (kind, _), its in found.items() for it in its)
            for (kind, place), statuses in found.items() if not is_moved else ():
                if "valid" in statuses and (kind, place) not in visited:
                    faults.append(f"{case.name}: {kind} {place}: valid, and unknown to the AWS CLI")
    print(f"{compared} lines compared")
    print("\n".join(faults))
    assert not faults
    assert compared > 900, compared
    assert used == EXCEPTIONS.keys(), EXCEPTIONS.keys() - used
    print("OK")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
