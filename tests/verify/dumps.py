"""Dumps with digests that are signed with keys of our own.

It shares nothing with the program: signatures are made by `cryptography`, from AWS's description of
digests. Each dump is written to a folder with `dump/`, `keys.json`, `signatures/` (replies of
`head-object` for the newest digests), `all-signatures/` (those for every digest) and `expected.json`:
what must be found out about it.
"""

import base64
import copy
import gzip
import hashlib
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

BUCKET = "example-bucket"
ACCOUNT = "111122223333"
ORGANIZATION = "o-exampleorgid"
START = datetime(2026, 1, 15, 9, 1, 31, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)


def extended(time):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def basic(time):
    return time.strftime("%Y%m%dT%H%M%SZ")


def pack(content):
    return gzip.compress(content, mtime=0)


class Key:
    """A key of CloudTrail's, or of somebody who would like to pass for it."""

    def __init__(self, form="PKCS1", exponent=65537, valid=(START - 24 * HOUR, START + 24 * HOUR)):
        self.private = rsa.generate_private_key(exponent, 2048)
        self.valid = valid
        form = {
            "PKCS1": serialization.PublicFormat.PKCS1,
            "SPKI": serialization.PublicFormat.SubjectPublicKeyInfo,
        }[form]
        self.value = self.private.public_key().public_bytes(serialization.Encoding.DER, form)
        self.fingerprint = hashlib.md5(self.value).hexdigest()

    def sign(self, text):
        return self.private.sign(text, padding.PKCS1v15(), hashes.SHA256()).hex()

    def reply(self):
        start, end = self.valid
        return {
            "Value": base64.b64encode(self.value).decode(),
            "ValidityStartTime": start.isoformat(),
            "ValidityEndTime": end.isoformat(),
            "Fingerprint": self.fingerprint,
        }


class Dump:
    """Files by their keys in the bucket, and the metadata of the digests among them."""

    def __init__(self):
        self.files = {}
        self.signatures = {}
        self.chains = []
        self.keys = []

    def copy(self):
        twin = copy.copy(self)
        twin.files = dict(self.files)
        twin.signatures = dict(self.signatures)
        twin.keys = list(self.keys)
        twin.chains = [list(chain) for chain in self.chains]
        return twin


def log_file(number, account=ACCOUNT):
    """A log file of one event."""
    event = {
        "eventVersion": "1.08",
        "userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::{account}:user/u{number}", "accountId": account},
        "eventTime": extended(START + number % 1000 * timedelta(minutes=10)),
        "eventSource": "s3.amazonaws.com",
        "eventName": "ListBuckets",
        "awsRegion": "us-east-1",
        "eventID": f"00000000-0000-4000-8000-{number:012}",
        "recipientAccountId": account,
    }
    return json.dumps({"Records": [event]}).encode()


def digest_key(time, region, account, trail, home, folder="", backfill=False):
    day = time.strftime("%Y/%m/%d")
    suffix = "_backfill" if backfill else ""
    name = f"{account}_CloudTrail-Digest_{region}_{trail}_{home}_{basic(time)}{suffix}.json.gz"
    return f"{folder}AWSLogs/{account}/CloudTrail-Digest/{region}/{day}/{name}".replace(
        "AWSLogs/", f"AWSLogs/{ORGANIZATION}/" if folder == "organization/" else "AWSLogs/"
    )


def sign(dump, digest, key):
    """Adds a digest to the dump; returns its hash and signature."""
    content = json.dumps(digest, indent=2).encode()
    digest_hash = hashlib.sha256(content).hexdigest()
    previous = digest["previousDigestSignature"]
    text = "\n".join(
        [
            digest["digestEndTime"],
            f"{digest['digestS3Bucket']}/{digest['digestS3Object']}",
            digest_hash,
            "null" if previous is None else previous,
        ]
    )
    signature = key.sign(text.encode())
    dump.files[digest["digestS3Object"]] = pack(content)
    dump.signatures[digest["digestS3Object"]] = signature
    return digest_hash, signature


def add_chain(dump, key, hours=6, region="us-east-1", account=ACCOUNT, trail="main_trail", folder="",
              start=START, backfill=False, logs=2, rotate=None, edit=None):
    """Adds a chain of so many digests with two log files each; `edit` may change each before it is
    signed."""
    home = "us-east-1"
    previous = None
    chain = []
    for hour in range(hours):
        begin, end = start + hour * HOUR, start + (hour + 1) * HOUR
        listed = []
        for number in range(logs if hour != 3 else 0):
            unique = hashlib.sha256(f"{region}{account}{trail}{backfill}{begin}{number}".encode()).hexdigest()[:16]
            stamp = (begin + timedelta(minutes=5 + 10 * number)).strftime("%Y%m%dT%H%MZ")
            name = f"{account}_CloudTrail_{region}_{stamp}_{unique}.json.gz"
            place = digest_key(end, region, account, trail, home, folder).split("CloudTrail-Digest")[0]
            log_key = f"{place}CloudTrail/{region}/{begin.strftime('%Y/%m/%d')}/{name}"
            written = log_file(int(unique[:8], 16), account)
            dump.files[log_key] = pack(written)
            listed.append(
                {
                    "s3Bucket": BUCKET,
                    "s3Object": log_key,
                    "hashValue": hashlib.sha256(written).hexdigest(),
                    "hashAlgorithm": "SHA-256",
                    "newestEventTime": extended(begin),
                    "oldestEventTime": extended(begin),
                }
            )
        if rotate is not None and hour == hours // 2:
            key = rotate
        digest = {
            "awsAccountId": account,
            "digestStartTime": extended(begin),
            "digestEndTime": extended(end),
            "digestS3Bucket": BUCKET,
            "digestS3Object": digest_key(end, region, account, trail, home, folder, backfill),
            "digestPublicKeyFingerprint": key.fingerprint,
            "digestSignatureAlgorithm": "SHA256withRSA",
            "newestEventTime": extended(begin) if listed else None,
            "oldestEventTime": extended(begin) if listed else None,
            "previousDigestS3Bucket": previous and BUCKET,
            "previousDigestS3Object": previous and previous[0],
            "previousDigestHashValue": previous and previous[1],
            "previousDigestHashAlgorithm": previous and "SHA-256",
            "previousDigestSignature": previous and previous[2],
            "logFiles": listed,
        }
        if edit:
            edit(hour, digest)
        digest_hash, signature = sign(dump, digest, key)
        previous = (digest["digestS3Object"], digest_hash, signature)
        chain.append(digest["digestS3Object"])
    dump.chains.append(chain)
    return chain


def content(dump, key):
    return gzip.decompress(dump.files[key])


def listed_in(dump, key):
    return [entry["s3Object"] for entry in json.loads(content(dump, key))["logFiles"]]


def write(out, name, dump, digests=None, logs=None, code=1, **more):
    """Writes a case. `digests` and `logs`: what is not valid, by key; the rest must be.

    `newest`: whose signatures are saved; `Signatures`: the folder of those that the program gets."""
    folder = out / name
    for key, data in dump.files.items():
        path = folder / "dump" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    keys = more.pop("keys", None) or {"PublicKeyList": [key.reply() for key in dump.keys]}
    (folder / "keys.json").write_text(keys if isinstance(keys, str) else json.dumps(keys, indent=4))
    newest = [chain[-1] for chain in dump.chains]
    newest = more.pop("newest", newest)
    for directory, chosen in [("signatures", newest), ("all-signatures", dump.signatures)]:
        (folder / directory).mkdir(parents=True, exist_ok=True)
        for key in chosen:
            metadata = {"signature": dump.signatures[key], "signature-algorithm": "SHA256withRSA"}
            if key.endswith("_backfill.json.gz"):
                metadata["backfill-generation-timestamp"] = extended(START + 8 * HOUR)
            reply = {"AcceptRanges": "bytes", "ContentType": "application/json", "Metadata": metadata}
            (folder / directory / f"{key.split('/')[-1]}.json").write_text(json.dumps(reply))
    more.setdefault("Signatures", "signatures" if newest else None)
    expected = {"Code": code, "Digests": digests or {}, "Logs": logs or {}, **more}
    (folder / "expected.json").write_text(json.dumps(expected, indent=1))
