"""Writes dumps whole and forged, a folder a case, with what must be found out about each.

`cases.py OUT` writes all of them; `cases.py --example DIR` the example of the documents, which is
`testdata/verify`.
"""

import base64
import gzip
import hashlib
import json
import shutil
import sys
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from dumps import (ACCOUNT, BUCKET, HOUR, START, Dump, Key, add_chain, content, extended, listed_in, log_file,
                   pack, sign, write)

MISMATCH = "INVALID: hash value doesn't match"
FORMAT = "INVALID: invalid format"
TRAILING = "INVALID: unexpected data after end of compressed stream"
MISSING = "INVALID: not found"
MOVED = "INVALID: has been moved from its original location"
SIGNATURE = "INVALID: signature verification failed"
UNVERIFIED = "NOT VERIFIED: no verified digest and no saved reply holds its signature"
ALL = "all-signatures"
LOG_UNVERIFIED = "NOT VERIFIED: only a digest that is not verified lists it"


def gap(from_hour, to_hour, anew=False):
    return {"From": extended(START + from_hour * HOUR), "To": extended(START + to_hour * HOUR), "ChainBeginsAnew": anew}


def lose_logs(dump, keys):
    """Takes away the log files that these digests list."""
    for key in keys:
        for log in listed_in(dump, key):
            dump.files.pop(log, None)


def whole_cases(out, key, whole, chain):
    write(out, "whole", whole, code=0)

    spki = Key("SPKI")
    rotated = Key(valid=(START + 3 * HOUR, START + 100 * HOUR))
    key.valid = (START - 24 * HOUR, START + 3 * HOUR)
    small = Dump()
    small.keys = [key]
    add_chain(small, key, hours=3, logs=1)
    write(out, "small", small, code=0)

    many = Dump()
    many.keys = [spki, key, rotated]
    add_chain(many, key, rotate=rotated)
    add_chain(many, spki, region="eu-west-1")
    add_chain(many, key, account="444455556666", folder="organization/", hours=3)
    add_chain(many, rotated, backfill=True, hours=3)
    write(out, "many-trails", many, code=0, Chains=4)
    early = many.copy()
    early.keys = [spki, key]
    late = [place for place in many.chains[0][3:]] + many.chains[3]
    lost = {place: f"INVALID: public key not found in region us-east-1 for fingerprint {rotated.fingerprint}" for place in late}
    write(out, "key-of-later-missing", early, lost, {}, Unlisted=sum(len(listed_in(early, it)) for it in late))
    key.valid = (START - 24 * HOUR, START + 24 * HOUR)

    # The AWS CLI does not look at these, and they add nothing to a signature.
    def edit(hour, digest):
        if hour == 2:
            digest["previousDigestHashValue"] = "0" * 64
        if hour == 3:
            digest["previousDigestHashValue"] = digest["previousDigestHashAlgorithm"] = None

    hashes_wrong = Dump()
    hashes_wrong.keys = [key]
    add_chain(hashes_wrong, key, edit=edit)
    write(out, "hash-of-the-one-before-is-wrong", hashes_wrong, code=0)

    unpacked = whole.copy()
    for log in listed_in(whole, chain[1]):
        unpacked.files[log.removesuffix(".gz")] = content(unpacked, log)
        del unpacked.files[log]
    write(out, "logs-unpacked", unpacked, code=0)

    repacked = whole.copy()
    for log in listed_in(whole, chain[1]):
        repacked.files[log] = gzip.compress(content(whole, log), 1, mtime=12345)
    write(out, "logs-packed-anew", repacked, code=0)

    write(out, "no-saved-signature", whole, {chain[-1]: UNVERIFIED},
          {log: LOG_UNVERIFIED for log in listed_in(whole, chain[-1])}, newest=[])

    part = whole.copy()
    lose_logs(part, chain[:2])
    for place in chain[:2]:
        del part.files[place]
    write(out, "dump-begins-later", part, code=0, BeginsAfter=chain[1])

    end = whole.copy()
    lose_logs(end, chain[4:])
    for place in chain[4:]:
        del end.files[place]
    write(out, "newest-digests-gone", end, {chain[3]: UNVERIFIED}, newest=[])

    write(out, "newest-digests-gone-signatures-saved", end, {place: MISSING for place in chain[4:]}, {},
          Signatures=ALL)

    copies = whole.copy()
    log = listed_in(whole, chain[0])[0]
    copies.files[f"backup/{log.split('/')[-1]}"] = copies.files[log]
    copies.files[f"backup/{chain[0].split('/')[-1]}"] = copies.files[chain[0]]
    write(out, "copies", copies, code=0, Copies=1)

    stranger = whole.copy()
    stranger.files["notes.txt"] = b"}" + log_file(8)
    write(out, "log-planted-behind-a-bracket", stranger, Unlisted=1)

    other = whole.copy()
    other.files["notes.txt"] = b"not a log file\n"
    other.files[f"AWSLogs/{ACCOUNT}/vpcflowlogs/us-east-1/2026/01/15/flow.log.gz"] = pack(b"version account\n")
    other.files[f"AWSLogs/{ACCOUNT}/CloudTrail-Insight/us-east-1/2026/01/15/{ACCOUNT}_CloudTrail-Insight_us-east-1_x.json.gz"] = pack(log_file(9))
    write(out, "other-files", other, code=0)

    restarted = Dump()
    restarted.keys = [key]
    first = add_chain(restarted, key, hours=2)
    second = add_chain(restarted, key, hours=2, start=START + 5 * HOUR)
    restarted.chains = [second]
    write(out, "validation-switched-off", restarted, {first[-1]: UNVERIFIED},
          {log: LOG_UNVERIFIED for log in listed_in(restarted, first[-1])}, Gaps=[gap(1, 5, anew=True)])
    write(out, "validation-switched-off-signatures", restarted, newest=[first[-1], second[-1]],
          Gaps=[gap(2, 5, anew=True)])


def log_cases(out, whole, chain):
    log, neighbour = listed_in(whole, chain[1])

    def one(name, data, status, digests=None):
        dump = whole.copy()
        dump.files[log] = data
        write(out, name, dump, digests, {log: status})

    original = content(whole, log)
    one("log-altered", pack(original.replace(b"ListBuckets", b"LastBuckets")), MISMATCH)
    one("log-shortened", pack(original[:-1]), MISMATCH)
    one("log-lengthened", pack(original + b"\n"), MISMATCH)
    one("log-empty", pack(b""), MISMATCH)
    one("log-empty-file", b"", MISMATCH)
    one("log-cut-off", whole.files[log][:-20], FORMAT)
    one("log-not-gzip", b"\x1f\x8bnothing", FORMAT)
    one("log-with-second-member", whole.files[log] + pack(b"{}"), TRAILING)
    one("log-with-padding", whole.files[log] + b"\0", TRAILING)
    one("log-with-text-behind", whole.files[log] + b"text", TRAILING)
    one("log-is-its-neighbour", whole.files[neighbour], MISMATCH)
    one("log-is-a-digest", whole.files[chain[0]], MISMATCH, {chain[0]: ["valid", MOVED]})
    one("log-is-a-bomb", pack(b"\0" * (200 << 20)), MISMATCH)

    swapped = whole.copy()
    swapped.files[log], swapped.files[neighbour] = whole.files[neighbour], whole.files[log]
    write(out, "logs-swapped", swapped, {}, {log: MISMATCH, neighbour: MISMATCH})

    missing = whole.copy()
    del missing.files[log]
    write(out, "log-missing", missing, {}, {log: MISSING})

    for name, place in [
        ("log-renamed", log.replace("_CloudTrail_", "_CloudTrail_x")),
        ("log-in-another-folder", log.replace("/15/", "/16/")),
        ("log-in-a-folder-of-digests", chain[0].rsplit("/", 1)[0] + "/x.json.gz"),
        ("log-anywhere", "elsewhere/x.bin"),
        ("log-in-another-account", log.replace(ACCOUNT, "999900001111")),
    ]:
        moved = whole.copy()
        moved.files[place] = moved.files.pop(log)
        write(out, name, moved, {}, {log: MOVED})

    moved = whole.copy()
    del moved.files[log]
    moved.files["elsewhere/" + log.split("/")[-1]] = pack(original + b" ")
    write(out, "log-moved-and-altered", moved, {}, {log: MISMATCH})

    replaced = whole.copy()
    replaced.files["elsewhere/" + log.split("/")[-1]] = replaced.files[log]
    replaced.files[log] = pack(original + b" ")
    write(out, "log-altered-beside-its-copy", replaced, {}, {log: MISMATCH}, Copies=1)

    planted = whole.copy()
    planted.files[log.replace("_CloudTrail_", "_CloudTrail_x")] = pack(log_file(7))
    write(out, "log-planted", planted, Unlisted=1)

    twice = whole.copy()
    twice.files["second/" + log] = pack(original + b" ")
    write(out, "log-altered-in-a-second-copy", twice, {}, {log: ["valid", MISMATCH]})


def resign(dump, key, place, edit):
    """Changes a digest and signs it with some key; its successors stay as they are."""
    digest = json.loads(content(dump, place))
    edit(digest)
    dump.files.pop(place)
    dump.signatures.pop(place, None)
    return sign(dump, digest, key)


def digest_cases(out, key, whole, chain):
    middle = chain[2]
    logs = listed_in(whole, middle)

    def altered(name, edit, status=SIGNATURE, place=middle, unlisted=None, gaps=None, **more):
        dump = whole.copy()
        data = edit(content(whole, place))
        dump.files[place] = pack(data) if isinstance(data, bytes) else data[0]
        at = chain.index(place)
        between = [gap(at, at + 1)] if 0 < at < len(chain) - 1 else []
        its_logs = listed_in(whole, place)
        # What cannot be read does not hold the signature of the one before.
        if status != SIGNATURE:
            more["Signatures"] = ALL
        write(out, name, dump, {place: status, **more.pop("others", {})}, more.pop("logs", {}),
              Unlisted=len(its_logs) if unlisted is None else unlisted,
              Gaps=between if gaps is None else gaps, **more)

    def replaced(old, new):
        def edit(data):
            assert old in data, old
            return data.replace(old, new)

        return edit

    altered("digest-altered", replaced(b"2026-01-15T11:01:31Z", b"2026-01-15T11:01:32Z"))
    altered("digest-with-another-space", lambda data: data + b" ")
    altered("digest-written-anew", lambda data: json.dumps(json.loads(data)).encode())
    altered("digest-without-a-log", lambda data: drop_log(data))
    altered("digest-with-another-hash", lambda data: data.replace(json.loads(data)["logFiles"][0]["hashValue"].encode(), b"0" * 64))
    altered("digest-empty", lambda data: b"", FORMAT)
    altered("digest-not-json", lambda data: data[:-2], FORMAT)
    altered("digest-cut-off", lambda data: (whole.files[middle][:-30],), FORMAT)
    altered("digest-with-padding", lambda data: (whole.files[middle] + b"\0",), TRAILING)
    altered("digest-with-a-member-twice", lambda data: data[:-2] + b', "logFiles": []\n}', FORMAT)
    altered("digest-deep", lambda data: b"[" * 100000, FORMAT)
    altered("digest-bomb", lambda data: b" " * (100 << 20) + data, FORMAT)
    altered("digest-of-other-types", replaced(b'"digestEndTime": ', b'"digestEndTime": 1, "x": '), FORMAT)
    altered("digest-of-another-hash-algorithm", replaced(b'"hashAlgorithm": "SHA-256"', b'"hashAlgorithm": "MD5"'), FORMAT)
    altered("digest-of-another-signature-algorithm", replaced(b"SHA256withRSA", b"SHA1withRSA"), FORMAT)
    altered("newest-digest-altered", lambda data: data + b" ", place=chain[-1])
    altered("oldest-digest-altered", lambda data: data + b" ", place=chain[0])

    # A successor that was changed to fit is no successor any more, and so on up to the newest one.
    dump = whole.copy()
    broken = drop_log(content(whole, middle))
    dump.files[middle] = pack(broken)
    successor = json.loads(content(whole, chain[3]))
    successor["previousDigestHashValue"] = hashlib.sha256(broken).hexdigest()
    dump.files[chain[3]] = pack(json.dumps(successor, indent=2).encode())
    write(out, "digest-altered-with-its-successor", dump, {middle: UNVERIFIED, chain[3]: SIGNATURE},
          {logs[1]: LOG_UNVERIFIED}, Unlisted=1, Gaps=[gap(2, 4)])

    thief = Key()
    for name, keep_fingerprint in [("digest-signed-by-another-key", False), ("digest-signed-by-another-key-under-the-name-of-the-right-one", True)]:
        dump = whole.copy()

        def edit(digest):
            del digest["logFiles"][0]
            if not keep_fingerprint:
                digest["digestPublicKeyFingerprint"] = thief.fingerprint

        resign(dump, thief, middle, edit)
        status = SIGNATURE if keep_fingerprint else (
            f"INVALID: public key not found in region us-east-1 for fingerprint {thief.fingerprint}")
        write(out, name, dump, {middle: status}, {}, Unlisted=2, Gaps=[gap(2, 3)])

    # The whole chain anew, with everything that fits but the key.
    for name, fingerprint in [("chain-signed-by-another-key", thief.fingerprint), ("chain-signed-by-another-key-under-the-name-of-the-right-one", key.fingerprint)]:
        dump = Dump()
        dump.keys = [key]

        def edit(_, digest):
            digest["digestPublicKeyFingerprint"] = fingerprint

        forged = add_chain(dump, thief, edit=edit)
        if fingerprint == key.fingerprint:
            status = {place: UNVERIFIED for place in forged[:-1]} | {forged[-1]: SIGNATURE}
            unlisted = len(listed_in(dump, forged[-1]))
            its_logs = {log: LOG_UNVERIFIED for place in forged[:-1] for log in listed_in(dump, place)}
        else:
            words = f"INVALID: public key not found in region us-east-1 for fingerprint {fingerprint}"
            status, its_logs = {place: words for place in forged}, {}
            unlisted = sum(len(listed_in(dump, place)) for place in forged)
        write(out, name, dump, status, its_logs, Unlisted=unlisted)

    missing = whole.copy()
    del missing.files[middle]
    write(out, "digest-missing", missing, {middle: MISSING}, Unlisted=2, Gaps=[gap(2, 3)], Signatures=ALL)
    write(out, "digest-missing-with-the-signature-of-the-one-before", missing, {middle: MISSING, chain[1]: UNVERIFIED},
          {log: LOG_UNVERIFIED for log in listed_in(whole, chain[1])}, Unlisted=2, Gaps=[gap(1, 3)])
    missing = missing.copy()
    del missing.files[chain[1]]
    write(out, "two-digests-missing-in-a-row", missing, {middle: MISSING, chain[1]: MISSING}, Unlisted=4,
          Gaps=[gap(1, 3)], Signatures=ALL)
    write(out, "two-digests-missing-in-a-row-newest-signature", missing, {middle: MISSING, chain[0]: UNVERIFIED},
          {log: LOG_UNVERIFIED for log in listed_in(whole, chain[0])}, Unlisted=4)
    missing = whole.copy()
    lose_logs(missing, chain[1:3])
    del missing.files[chain[1]], missing.files[chain[2]]
    write(out, "two-digests-missing-with-their-logs", missing, {middle: MISSING, chain[1]: MISSING}, Gaps=[gap(1, 3)], Signatures=ALL)

    for name, place in [
        ("digest-renamed", middle.replace("main_trail", "other_trail")),
        ("digest-in-another-folder", middle.replace("/15/", "/16/")),
        ("digest-anywhere", "elsewhere/x.json.gz"),
        ("digest-in-another-account", middle.replace(ACCOUNT, "999900001111")),
        ("digest-under-an-earlier-time", middle.replace("T12", "T08")),
    ]:
        dump = whole.copy()
        dump.files[place] = dump.files.pop(middle)
        write(out, name, dump, {middle: MOVED})

    swapped = whole.copy()
    swapped.files[middle], swapped.files[chain[1]] = whole.files[chain[1]], whole.files[middle]
    write(out, "digests-swapped", swapped, {middle: MOVED, chain[1]: MOVED})

    replayed = whole.copy()
    replayed.files[middle] = whole.files[chain[1]]
    write(out, "digest-is-an-older-one", replayed, {middle: MISSING, chain[1]: ["valid", MOVED]},
          Unlisted=2, Gaps=[gap(2, 3)], Signatures=ALL)
    replayed = whole.copy()
    replayed.files[chain[-1]] = whole.files[chain[1]]
    write(out, "newest-digest-is-an-older-one", replayed, {chain[1]: ["valid", MOVED], chain[4]: UNVERIFIED, chain[5]: MISSING},
          {log: LOG_UNVERIFIED for log in listed_in(whole, chain[4])}, Unlisted=2)

    # A second version of a digest beside the right one.
    beside = whole.copy()
    beside.files["second/" + middle] = pack(content(whole, middle) + b" ")
    write(out, "digest-altered-in-a-second-copy", beside, {middle: ["valid", SIGNATURE]})

    # What a digest cannot say of itself, said by somebody who has the key.
    hostile = Dump()
    hostile.keys = [key]
    names = ["../../../../../../../etc/passwd", "/etc/passwd", "AWSLogs/../../x", "", "\u001b[2J\u202e\n", "C:\\x", "a\0b"]

    def add_names(hour, digest):
        if hour == 1:
            digest["logFiles"] = [
                {"s3Bucket": "\u001b]0;x\u0007", "s3Object": name, "hashValue": "0" * 64, "hashAlgorithm": "SHA-256"}
                for name in names
            ]

    add_chain(hostile, key, hours=3, edit=add_names)
    write(out, "hostile-names", hostile, {}, {name: MISSING for name in names}, Unlisted=2)

    wrong = whole.copy()
    wrong.signatures[chain[-1]] = key.sign(b"something else")
    write(out, "newest-signature-of-something-else", wrong, {chain[-1]: SIGNATURE}, Unlisted=2)
    for name, change in [
        ("newest-signature-with-a-zero-in-front", lambda it: "00" + it),
        ("newest-signature-without-its-end", lambda it: it[:-2]),
        ("newest-signature-empty", lambda it: ""),
        ("newest-signature-plus-the-modulus", lambda it: add_modulus(it, key)),
    ]:
        wrong = whole.copy()
        wrong.signatures[chain[-1]] = change(whole.signatures[chain[-1]])
        write(out, name, wrong, {chain[-1]: SIGNATURE}, Unlisted=2)

    small = Key(exponent=3)
    weak = Dump()
    weak.keys = [small]
    weak_chain = add_chain(weak, small)
    data = drop_log(content(weak, weak_chain[-1]))
    weak.files[weak_chain[-1]] = pack(data)
    weak.signatures[weak_chain[-1]] = cube_root_forgery(weak_chain[-1], data)
    write(out, "newest-signature-a-cube-root", weak, {weak_chain[-1]: SIGNATURE}, Unlisted=2)


def drop_log(data):
    digest = json.loads(data)
    del digest["logFiles"][0]
    return json.dumps(digest, indent=2).encode()


def add_modulus(signature, key):
    modulus = key.private.public_key().public_numbers().n
    return f"{int(signature, 16) + modulus:x}".rjust(514, "0")


def cube_root_forgery(place, data):
    """A signature for exponent 3 that fits if nobody looks at what stands behind the hash."""
    digest = json.loads(data)
    text = "\n".join([digest["digestEndTime"], f"{BUCKET}/{place}", hashlib.sha256(data).hexdigest(),
                      digest["previousDigestSignature"]]).encode()
    prefix = bytes.fromhex("3031300d060960864801650304020105000420")
    head = b"\x00\x01" + b"\xff" * 8 + b"\x00" + prefix + hashlib.sha256(text).digest()
    least = int.from_bytes(head + b"\x00" * (256 - len(head)), "big")
    root = 1 << (least.bit_length() // 3 + 1)
    while True:
        step = (2 * root + least // (root * root)) // 3
        if step >= root:
            break
        root = step
    root += 1
    assert (root**3).to_bytes(256, "big").startswith(head)
    return root.to_bytes(256, "big").hex()


def key_cases(out, key, whole, chain):
    logs = sum(len(listed_in(whole, place)) for place in chain)
    fingerprint = key.fingerprint
    missing = f"INVALID: public key not found in region us-east-1 for fingerprint {fingerprint}"
    every = {place: missing for place in chain}
    reply = key.reply()
    write(out, "key-of-another-region", whole, every, {}, Unlisted=logs, keys={"PublicKeyList": [Key().reply()]})
    for name, valid in [("key-too-old", (START - 9 * HOUR, START - HOUR)), ("key-too-new", (START + 31 * HOUR, START + 40 * HOUR))]:
        start, end = (extended(time) for time in valid)
        old = {**reply, "ValidityStartTime": start, "ValidityEndTime": end}
        another_time = {place: f"{missing}, which signed from {start} until {end}" for place in chain}
        write(out, name, whole, another_time, {}, Unlisted=logs, keys={"PublicKeyList": [old]})
    curve = ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    other = hashlib.md5(curve).hexdigest()

    def edit(_, digest):
        digest["digestPublicKeyFingerprint"] = other

    dump = Dump()
    places = add_chain(dump, key, edit=edit)
    words = f"INVALID: Unable to load PKCS #1 key with fingerprint {other}"
    write(out, "key-no-rsa", dump, {place: words for place in places}, {}, Unlisted=logs,
          keys={"PublicKeyList": [{**reply, "Value": base64.b64encode(curve).decode(), "Fingerprint": other}]})

    seconds = {**reply, "ValidityStartTime": (START - HOUR).timestamp(), "ValidityEndTime": str((START + 24 * HOUR).timestamp())}
    write(out, "key-times-in-seconds", whole, code=0, keys={"publicKeyList": [seconds]})
    several = json.dumps({"PublicKeyList": [Key().reply()]}) + "\n" + json.dumps({"PublicKeyList": [reply]})
    write(out, "key-in-the-second-reply", whole, code=0, keys=several)
    value = bytearray(base64.b64decode(reply["Value"]))
    value[20] ^= 1
    for name, keys in [
        ("keys-altered", {"PublicKeyList": [{**reply, "Value": base64.b64encode(value).decode()}]}),
        ("keys-of-another-fingerprint", {"PublicKeyList": [{**reply, "Fingerprint": "0" * 32}]}),
        ("keys-no-base64", {"PublicKeyList": [{**reply, "Value": "*"}]}),
        ("keys-without-a-time", {"PublicKeyList": [{**reply, "ValidityEndTime": None}]}),
        ("keys-none", {"PublicKeyList": []}),
        ("keys-empty", " "),
        ("keys-no-json", "{"),
        ("keys-of-cloudfront", {"PublicKeyList": {"Items": []}}),
    ]:
        write(out, name, whole, code=2, keys=keys)
    nothing = Dump()
    nothing.keys = [key]
    nothing.files = {place: data for place, data in whole.files.items() if "Digest" not in place}
    write(out, "no-digest", nothing, code=2, newest=[])


def cases(out):
    key = Key()
    whole = Dump()
    whole.keys = [key]
    chain = add_chain(whole, key)
    whole_cases(out, key, whole, chain)
    log_cases(out, whole, chain)
    digest_cases(out, key, whole, chain)
    key_cases(out, key, whole, chain)


def example(out):
    """Two Regions of a trail: whole in one; a log file altered and a digest missing in the other."""
    key, other = Key(), Key()
    dump = Dump()
    dump.keys = [key, other]
    add_chain(dump, key, hours=2, logs=1)
    chain = add_chain(dump, other, hours=6, region="eu-central-1", logs=1)
    altered = listed_in(dump, chain[1])[0]
    dump.files[altered] = pack(content(dump, altered).replace(b"ListBuckets", b"HeadBuckets"))
    del dump.files[chain[2]]
    write(out.parent, out.name, dump)
    (out / "expected.json").unlink()
    shutil.rmtree(out / "all-signatures")


if __name__ == "__main__":
    if sys.argv[1] == "--example":
        example(Path(sys.argv[2]))
        sys.exit()
    target = Path(sys.argv[1])
    shutil.rmtree(target, ignore_errors=True)
    cases(target)
    print("OK")
