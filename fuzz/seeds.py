#!/usr/bin/env python3
"""Writes small test data to fuzz/corpus/TARGET as seeds, one file an input.

Usage: fuzz/seeds.py [TARGET]…
"""

import gzip
import hashlib
import io
import json
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTDATA = ROOT / "testdata"

# The longest input of each target, which fuzz/run gives to libFuzzer too.
LONGEST = {
    "scan": 4096,
    "open": 4096,
    "policy": 2048,
    "organization": 16384,
    "identities": 16384,
    "verify": 8192,
    "marker": 512,
    "stream": 4096,
}


def snapshot(files):
    """Returns an input of several files, each behind a line with its name."""
    return b"".join(b"\n%% " + name.encode() + b"\n" + data for name, data in files)


def records():
    """Yields names and texts of records as they stand: a parser would drop duplicate members."""
    for path in sorted((TESTDATA / "events").iterdir()):
        text = path.read_text()
        begin = text.index('"Record":') + len('"Record":')
        end = begin + len(text[begin:]) - len(text[begin:].lstrip())
        _, end = json.JSONDecoder().raw_decode(text, end)
        yield path.stem, text[begin:end].strip().encode()


def logs():
    """Yields names and bytes of log files as they lie there."""
    for path in sorted((TESTDATA / "logs").rglob("*")):
        if path.is_file():
            yield path.name, path.read_bytes()


def scan():
    yield from records()
    for name, data in logs():
        if name.endswith(".zst"):
            continue
        data = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
        yield name.partition(".")[0], data


def zipped(entries, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in entries:
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return out.getvalue()


def open_():
    yield from logs()
    some = list(records())[::12]
    lines = b"\n".join(record.replace(b"\n", b" ") for _, record in some[:3])
    packed = gzip.compress(lines, mtime=0)
    yield "lines", lines
    yield "members", packed + gzip.compress(b"\n" + lines, mtime=0)
    yield "padded", packed + bytes(32)
    yield "cut", packed[:-5]
    yield "checksum", packed[:-8] + b"\0" + packed[-7:]
    yield "twice", gzip.compress(packed, mtime=0)
    yield "bomb", gzip.compress(gzip.compress(bytes(8 << 20), mtime=0) * 8, mtime=0)
    yield "zip", zipped([("a.json", some[0][1]), ("b/c.json.gz", packed)])
    yield "stored", zipped([("a.json", some[0][1]), ("x.txt", b"hello")], zipfile.ZIP_STORED)
    yield "matryoshka", zipped([("in.zip", zipped([("a.json", some[1][1])]))])
    # A zstd frame of one raw block, and one that can be passed over before it.
    raw = some[2][1][:255]
    block = (len(raw) << 3 | 1).to_bytes(3, "little") + raw
    frame = b"\x28\xb5\x2f\xfd\x20" + bytes([len(raw)]) + block
    yield "zstd", frame
    yield "skipped", b"\x50\x2a\x4d\x18\x03\0\0\0abc" + frame
    for magic in [b"\xfd7zXZ\0", b"BZh91AY&SY", b"PAR1", b"\xff\xfe{\0", b"PK\x05\x06"]:
        yield f"foreign-{magic.hex()}", magic + bytes(40)


def policies():
    """Yields every policy document in the snapshots."""

    def walk(value):
        if isinstance(value, dict):
            if "Statement" in value:
                yield value
            for member in value.values():
                yield from walk(member)
        elif isinstance(value, list):
            for member in value:
                yield from walk(member)
        elif isinstance(value, str) and value.lstrip().startswith("{"):
            try:
                yield from walk(json.loads(value))
            except ValueError:
                pass

    for path in sorted(TESTDATA.rglob("*.json")):
        try:
            yield from walk(json.loads(path.read_text()))
        except ValueError:
            pass


def policy():
    for document in policies():
        yield None, json.dumps(document).encode()
        yield None, json.dumps(document, indent=2).encode()
    statement = {"Effect": "Allow", "Action": ["s3:Get*", "ec2:*"], "Resource": "*"}
    for change in [
        {"Effect": "Deny"},
        {"Resource": ["arn:aws:s3:::a*/*", "arn:*:*:::*b*"]},
        {"Resource": "arn:aws:s3:::${aws:username}/${*}x${?}"},
        {"NotAction": "iam:*", "Action": None},
        {"NotResource": "arn:aws:s3:::*/*", "Resource": None},
        {"Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        {"Principal": "*"},
        {"Effect": "Perhaps"},
    ]:
        changed = {k: v for k, v in {**statement, **change}.items() if v is not None}
        both = [statement, {**changed, "Sid": "b"}]
        yield None, json.dumps({"Version": "2012-10-17", "Statement": both}).encode()
        yield None, json.dumps({"Version": "2008-10-17", "Statement": changed}).encode()
    # Choices of the small world.
    for number in range(40):
        yield f"choices-{number}", hashlib.shake_128(bytes([number])).digest(20 + number * 5)


def organization():
    for path in sorted((TESTDATA / "organizations").iterdir()):
        if path.is_dir():
            files = sorted(file for file in path.iterdir() if file.is_file())
            yield path.name, snapshot((file.name, file.read_bytes()) for file in files)
        else:
            yield path.name, path.read_bytes()
    whole = json.loads((TESTDATA / "organization.json").read_text())
    yield "whole", json.dumps(whole).encode()
    # A small one in each form.
    root, unit, account = "r-ex4m", "ou-ex4m-workload1", "111122223333"
    full = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    }
    organization = {"Id": "o-exampleorgid", "MasterAccountId": account}
    types = [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}]
    roots = [{"Id": root, "Name": "Root", "PolicyTypes": types}]
    units = [{"Id": unit, "Name": "Work", "ParentId": root}]
    accounts = [{"Id": account, "Name": "main", "Status": "ACTIVE", "ParentId": unit}]
    summary = {"Id": "p-12345678", "Name": "all", "Type": "SERVICE_CONTROL_POLICY"}
    targets = [root, unit, account]
    one = {
        "Organization": organization,
        "Roots": roots,
        "OrganizationalUnits": units,
        "Accounts": accounts,
        "Policies": [{**summary, "Content": json.dumps(full), "Targets": targets}],
    }
    yield "one-file", json.dumps(one).encode()
    without = {name: one[name] for name in list(one)[:4]}
    yield "no-policies", json.dumps(without).encode()
    path = f"o-exampleorgid/{root}/{unit}/{account}/"
    by_path = {"Id": account, "Paths": [path]}
    yield "by-path", json.dumps({**without, "Accounts": [by_path]}).encode()

    def plain(entries):
        return [{k: v for k, v in entry.items() if k != "ParentId"} for entry in entries]

    replies = [
        ("describe-organization.json", {"Organization": organization}),
        ("list-roots.json", {"Roots": roots}),
        (f"list-organizational-units-for-parent.{root}.json", {"OrganizationalUnits": plain(units)}),
        (f"list-organizational-units-for-parent.{unit}.json", {"OrganizationalUnits": []}),
        (f"list-accounts-for-parent.{root}.json", {"Accounts": []}),
        (f"list-accounts-for-parent.{unit}.json", {"Accounts": plain(accounts)}),
        ("list-accounts.json", {"Accounts": plain(accounts)}),
        ("list-policies.json", {"Policies": [summary]}),
        (
            "describe-policy.p-12345678.json",
            {"Policy": {"PolicySummary": summary, "Content": json.dumps(full)}},
        ),
        (
            "list-targets-for-policy.p-12345678.json",
            {"Targets": [{"TargetId": target} for target in targets]},
        ),
        (f"list-children.{unit}.json", {"Children": [{"Id": account, "Type": "ACCOUNT"}]}),
        (f"list-parents.{account}.json", {"Parents": [{"Id": unit, "Type": "ORGANIZATIONAL_UNIT"}]}),
    ]
    yield "replies", snapshot((name, json.dumps(reply).encode()) for name, reply in replies)
    arn = "arn:aws:organizations::111122223333:policy/o-exampleorgid/service_control_policy/p-12345678"
    node = {
        "ou_id": unit,
        "ou_name": "Work",
        "scps": [arn],
        "accounts": [{"account_id": account, "scps": [arn]}],
        "child_nodes": [],
    }
    top = {"ou_id": root, "ou_name": "Root", "scps": [arn], "accounts": [], "child_nodes": [node]}
    tree = {
        "org_id": "o-exampleorgid",
        "management_account_id": account,
        "root_ous": [top],
        "accounts": [account],
    }
    scps = [{"arn": arn, "name": "all", "policy_doc": full}]
    yield "pmapper", snapshot(
        [("org_data.json", json.dumps(tree).encode()), ("scps.json", json.dumps(scps).encode())]
    )


def identities():
    for folder in ["identities", "identities-incomplete"]:
        files = sorted((TESTDATA / folder).iterdir())
        for path in files:
            yield path.stem, path.read_bytes()
            yield f"{path.stem}-compact", json.dumps(json.loads(path.read_text())).encode()
    yield "pages", snapshot((path.name, path.read_bytes()) for path in files_of("444455556666"))
    statement = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": statement}
    encoded = "%7B%22Statement%22%3A" + json.dumps(statement).replace('"', "%22") + "%7D"
    managed = "arn:aws:iam::111122223333:policy/own"
    small = {
        "UserDetailList": [
            {
                "Arn": "arn:aws:iam::111122223333:user/a/ann",
                "UserName": "ann",
                "UserId": "AIDAEXAMPLE000000001",
                "Path": "/a/",
                "CreateDate": "2024-01-01T00:00:00+00:00",
                "GroupList": ["g", "gone"],
                "UserPolicyList": [{"PolicyName": "p", "PolicyDocument": encoded}],
                "AttachedManagedPolicies": [{"PolicyArn": managed, "PolicyName": "own"}],
            }
        ],
        "GroupDetailList": [
            {
                "Arn": "arn:aws:iam::111122223333:group/g",
                "GroupName": "g",
                "GroupId": "AGPAEXAMPLE000000001",
                "GroupPolicyList": [{"PolicyName": "p", "PolicyDocument": document}],
            }
        ],
        "RoleDetailList": [
            {
                "Arn": "arn:aws:iam::111122223333:role/r",
                "RoleId": "AROAEXAMPLE000000001",
                "CreateDate": 1704067200.5,
                "RoleLastUsed": {"LastUsedDate": "2026-01-01T00:00:00Z", "Region": "eu-west-1"},
            }
        ],
        "Policies": [
            {
                "Arn": managed,
                "DefaultVersionId": "v2",
                "PolicyVersionList": [
                    {"VersionId": "v2", "IsDefaultVersion": True, "Document": json.dumps(document)},
                    {"VersionId": "v1", "IsDefaultVersion": False, "Document": document},
                ],
            }
        ],
        "IsTruncated": False,
    }
    yield "small", json.dumps(small).encode()
    lists = [{name: small[name]} for name in list(small)[:4]]
    yield "small-pages", snapshot(
        (f"{number}.json", json.dumps({**page, "IsTruncated": number < 3, "Marker": "m"}).encode())
        for number, page in enumerate(lists)
    )


def files_of(account):
    return sorted((TESTDATA / "identities").glob(f"{account}*"))


def verify():
    """Yields the digests and log files of one Region, as JSON: a changed gzip file is a broken one."""
    folder = TESTDATA / "verify"
    dump = []
    for path in sorted((folder / "dump").rglob("*us-east-1_2*.json.gz")):
        if "/us-east-1/" in path.as_posix():
            dump.append((path.name, gzip.decompress(path.read_bytes())))
    signatures = [
        (f"signature-{number}.json", path.read_bytes())
        for number, path in enumerate(sorted((folder / "signatures").glob("*us-east-1_2*")))
        if "Digest_us-east-1" in path.name
    ]
    named = [
        (f"signature_{path.name}"[:100], path.read_bytes())
        for path in sorted((folder / "signatures").iterdir())
    ]
    keys = [("keys.json", (folder / "keys.json").read_bytes())]
    yield "dump", snapshot(dump)
    yield "signed", snapshot(dump + signatures)
    yield "named", snapshot(dump + named[-1:])
    yield "all", snapshot(dump + signatures + keys)
    for name, data in dump:
        yield name, snapshot([(name, data)])
        yield f"{name}-packed", snapshot([(name, gzip.compress(data, mtime=0))])
    yield "keys", snapshot(dump[:1] + keys)
    yield "signatures", snapshot(dump[-1:] + signatures + named)


def marker():
    for first in [0, 6, 63, 255]:
        yield f"empty-{first}", bytes([first])
        yield f"marker-{first}", bytes([first]) + b"0123456789abcdef00000007"
        yield f"upper-{first}", bytes([first]) + b"0123456789ABCDEF00000007"
        yield f"signs-{first}", bytes([first]) + b"+123456789abcdef+0000007"


def stream():
    yield "true", b"\1"
    for at in range(0, 4096, 97):
        yield f"change-{at}", b"\1" + at.to_bytes(2, "big") + b"\xff"
    # The length of a message, that of its metadata, and what stands at the end of a stream.
    yield "end", b"\0\xff\xff\xff\xff\0\0\0\0"
    yield "long", b"\0\xff\xff\xff\xff\xff\xff\xff\x7f"


TARGETS = {
    "scan": scan,
    "open": open_,
    "policy": policy,
    "organization": organization,
    "identities": identities,
    "verify": verify,
    "marker": marker,
    "stream": stream,
}


def write(target):
    """Writes the seeds of a target; returns how many, and where."""
    corpus = ROOT / "fuzz" / "corpus" / target
    corpus.mkdir(parents=True, exist_ok=True)
    count = 0
    for name, data in TARGETS[target]():
        if len(data) > LONGEST[target]:
            continue
        name = name or hashlib.sha256(data).hexdigest()[:16]
        (corpus / f"seed-{name}").write_bytes(data)
        count += 1
    return count, corpus.relative_to(ROOT)


if __name__ == "__main__":
    for target in sys.argv[1:] or TARGETS:
        print("{} seeds in {}".format(*write(target)))
