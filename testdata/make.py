#!/usr/bin/env python3
"""Writes the made-up organization of this directory: snapshot, logs, single events.

    python3 make.py [--out DIR]        (default: the directory of this file)

Every record is written down here with the decision that the rules of docs/semantics.md demand of it:
an account and a principal, or the reason why it counts for nobody. The decisions
are written by hand, not computed. Nothing is random; a second run writes the same bytes (of compressed files: with the
same zlib). No account, name, key or address is real.
"""
import argparse
import base64
import datetime
import gzip
import hashlib
import json
import pathlib
import struct
import urllib.parse

ORGANIZATION, ROOT = "o-exampleorgid", "r-ex4m"
MANAGEMENT, LOGARCHIVE, AUDIT, SHARED = "111122223333", "222222222222", "333333333333", "444455556666"
SHOP, BILLING, PAYMENTS, VAULT = "555555555555", "666666666666", "777788889999", "012345678901"
DEV, QUIET, SANDBOX, LAB, CLOSED = "888888888888", "999999999999", "123456789012", "210987654321", "101010101010"
PARTNER, LEFT = "998877665544", "345678901234"  # never a member; no longer a member

MALFORMED = "malformed"
DAMAGED = -1  # the number of the trail that delivers what is malformed, to a folder of its own


# ---------------------------------------------------------------- the organization

def ou(name):
    return "ou-ex4m-" + name


UNITS = [("security1", "Security", ROOT), ("workload1", "Workloads", ROOT), ("sandbox01", "Sandbox", ROOT),
         ("suspend01", "Suspended", ROOT), ("product01", "Production", ou("workload1")),
         ("develop01", "Development", ou("workload1")), ("payment01", "Payments", ou("product01"))]
ACCOUNTS = [(MANAGEMENT, "management", "ACTIVE", ROOT, "2023-04-03"), (LOGARCHIVE, "log-archive", "ACTIVE", ou("security1"), "2023-04-04"),
            (AUDIT, "audit", "ACTIVE", ou("security1"), "2023-04-04"), (SHARED, "shared-services", "ACTIVE", ou("workload1"), "2023-05-02"),
            (SHOP, "shop-prod", "ACTIVE", ou("product01"), "2023-05-09"), (BILLING, "billing-prod", "ACTIVE", ou("product01"), "2025-10-01"),
            (PAYMENTS, "payments-prod", "ACTIVE", ou("payment01"), "2023-06-20"), (VAULT, "payments-vault", "ACTIVE", ou("payment01"), "2024-01-15"),
            (DEV, "dev", "ACTIVE", ou("develop01"), "2023-05-09"), (QUIET, "quiet", "ACTIVE", ou("develop01"), "2025-12-01"),
            (SANDBOX, "sandbox", "ACTIVE", ou("sandbox01"), "2024-02-01"), (LAB, "lab", "ACTIVE", ou("sandbox01"), "2024-02-01"),
            (CLOSED, "closed-shop", "SUSPENDED", ou("suspend01"), "2023-05-09")]


def allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action, resource="*", **more):
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def document(statement):
    return {"Version": "2012-10-17", "Statement": statement}


ROOT_SERVICES = ("athena autoscaling cloudformation cloudtrail cloudwatch dynamodb ec2 glue iam kms lambda logs organizations "
                 "s3 secretsmanager sns sqs ssm sts tag").split()
FULL_TARGETS = ([MANAGEMENT] + [ou(u) for u in ("security1", "workload1", "product01", "develop01", "suspend01")]
                + [LOGARCHIVE, AUDIT, SHARED, SHOP, BILLING, PAYMENTS, VAULT, DEV, QUIET, SANDBOX, CLOSED])
CARDS = "arn:aws:dynamodb:*:*:table/payments-cards*"
POLICIES = [
    ("p-FullAWSAccess", "FullAWSAccess", FULL_TARGETS, document([allow("*")])),
    ("p-orgallow1", "OrganizationAllowList", [ROOT], document([allow([s + ":*" for s in ROOT_SERVICES])])),
    ("p-regions01", "RegionsInUse", [ROOT], document({
        "Sid": "OutsideTheRegionsInUse", "Effect": "Deny", "Resource": "*", "NotAction": ["iam:*", "organizations:*", "sts:*"],
        "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["us-east-1", "eu-central-1"]}}})),
    ("p-denylist1", "NoQueuesNoGlue", [ou("workload1")], document([
        deny(["sqs:*", "gamelift:*", "Glue:*"]), deny("sns:Publish"), deny("iam:Delete?ser")])),
    ("p-logguard1", "KeepTheLogs", [ou("security1")], document([
        deny("s3:*", ["arn:aws:s3:::example-org-trail", "arn:aws:s3:::example-org-trail/*"]), deny("s3:Delete*")])),
    ("p-notres001", "KeysInFrankfurtOnly", [ou("product01")], document([{
        "Effect": "Deny", "Action": "kms:*", "NotResource": "arn:aws:kms:eu-central-1:*:key/*"}])),
    ("p-payments1", "PaymentsAllowList", [ou("payment01")], document([
        allow(["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::payments-data/*"),
        allow("dynamodb:*", "arn:aws:dynamodb:*:*:table/payments*"),
        allow("kms:Decrypt", "arn:aws:kms:us-east-1:*:key/*"),
        allow("sts:AssumeRole"), allow("sqs:SendMessage"),
        allow("lambda:InvokeFunction", Condition={"Bool": {"aws:SecureTransport": "true"}}),
        allow("ec2:NoSuchAction"), allow("iam:GetUser", "arn:aws:s3:::payments-data/*")])),
    ("p-vaultdny1", "NoCardData", [VAULT], document([
        deny("s3:*", "arn:aws:s3:::payments-data/*"), deny("dynamodb:*", CARDS)])),
    ("p-sandbox01", "SandboxAllowList", [ou("sandbox01")], document([
        allow(["ec2:Describe*", "s3:Get?bject", "iam:get*", "sqs:SendMessage", "cloudwatch:*"])])),
    ("p-labonly01", "LabAllowList", [LAB], json.dumps(document([allow("s3:*"), allow("sqs:*")]))),
    ("p-quarant01", "Quarantine", [ou("suspend01")], document([deny("*")])),
    ("p-unused001", "AttachedNowhere", [], document([allow("s3:*"), allow("sns:*")])),
]


def organization():
    arn = f"arn:aws:organizations::{MANAGEMENT}:"
    enabled = [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}]
    return {
        "Organization": {"Id": ORGANIZATION, "Arn": f"{arn}organization/{ORGANIZATION}", "FeatureSet": "ALL",
                         "MasterAccountArn": f"{arn}account/{ORGANIZATION}/{MANAGEMENT}", "MasterAccountId": MANAGEMENT,
                         "MasterAccountEmail": "management@example.com", "AvailablePolicyTypes": enabled},
        "Roots": [{"Id": ROOT, "Arn": f"{arn}root/{ORGANIZATION}/{ROOT}", "Name": "Root", "PolicyTypes": enabled}],
        "OrganizationalUnits": [{"Id": ou(i), "Arn": f"{arn}ou/{ORGANIZATION}/{ou(i)}", "Name": n, "ParentId": p} for i, n, p in UNITS],
        "Accounts": [{"Id": i, "Arn": f"{arn}account/{ORGANIZATION}/{i}", "Email": f"{n}@example.com", "Name": n, "Status": s,
                      "JoinedMethod": "CREATED", "JoinedTimestamp": f"{j}T08:00:00Z", "ParentId": p} for i, n, s, p, j in ACCOUNTS],
        "Policies": [{"Id": i, "Name": n, "Type": "SERVICE_CONTROL_POLICY", "AwsManaged": i == "p-FullAWSAccess", "Content": c, "Targets": t}
                     for i, n, t, c in POLICIES],
    }


# ---------------------------------------------------------------- identities: (userIdentity, decision)

def digest(*key):
    return hashlib.blake2b("|".join(map(str, key)).encode(), digest_size=16).digest()


def letters(length, *key):
    return base64.b32encode(digest(*key) + digest("more", *key)).decode()[:length]


def unique(prefix, *key):
    return prefix + letters(10, prefix, *key) + "EXAMPLE"


def uuid(*key):
    h = digest(*key).hex()
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:]}"


def counts(account, principal):
    return {"Counts": True, "Account": account, "Principal": principal}


def no(reason):
    return {"Counts": False, "Reason": reason}


def user(account, name, path="/", invoked_by=None):
    arn = f"arn:aws:iam::{account}:user{path}{name}"
    ui = {"type": "IAMUser", "principalId": unique("AIDA", account, name), "arn": arn, "accountId": account,
          "accessKeyId": unique("AKIA", account, name)[:20], "userName": name}
    if invoked_by:
        ui["invokedBy"] = invoked_by
    return ui, counts(account, arn)


def context(account, issuer):
    return {"sessionIssuer": issuer, "webIdFederationData": {}, "attributes": {"creationDate": "2026-01-05T08:00:00Z", "mfaAuthenticated": "false"}}


def role(account, name, session="session", path="/", issuer=True, invoked_by=None):
    unique_id = unique("AROA", account, name)
    full = {"type": "Role", "principalId": unique_id, "arn": f"arn:aws:iam::{account}:role{path}{name}", "accountId": account, "userName": name}
    ui = {"type": "AssumedRole", "principalId": f"{unique_id}:{session}", "arn": f"arn:aws:sts::{account}:assumed-role/{name}/{session}",
          "accountId": account, "accessKeyId": unique("ASIA", account, name)[:20], "sessionContext": context(account, full if issuer else {})}
    if invoked_by:
        ui["invokedBy"] = invoked_by
    return ui, counts(account, f"arn:aws:iam::{account}:role{path if issuer else '/'}{name}")


def root_user(account, invoked_by=None, session=True, assumed=False):
    arn = f"arn:aws:iam::{account}:root"
    ui = {"type": "Root", "principalId": account, "arn": arn, "accountId": account}
    if session:
        ui["accessKeyId"] = unique("ASIA", account, "root")[:20]
        ui["sessionContext"] = {"attributes": {"creationDate": "2026-01-05T08:00:00Z", "mfaAuthenticated": "true"}}
        if assumed:
            ui["sessionContext"]["assumedRoot"] = "true"
    if invoked_by:
        ui["invokedBy"] = invoked_by
    return ui, counts(account, arn) if session or not invoked_by else no("root service call")


def federated(account, name, by_root=False):
    issuer = {"type": "IAMUser", "principalId": unique("AIDA", account, "broker"), "arn": f"arn:aws:iam::{account}:user/broker",
              "accountId": account, "userName": "broker"}
    if by_root:
        issuer = {"type": "Root", "principalId": account, "arn": f"arn:aws:iam::{account}:root", "accountId": account}
    ui = {"type": "FederatedUser", "principalId": f"{account}:{name}", "arn": f"arn:aws:sts::{account}:federated-user/{name}",
          "accountId": account, "accessKeyId": unique("ASIA", account, name)[:20], "sessionContext": context(account, issuer)}
    return ui, counts(account, None if by_root else f"arn:aws:iam::{account}:user/broker")


def of_account(account, principal_id):
    known = principal_id.split(":")[0] if principal_id[:4] in ("AIDA", "AROA") else None
    return {"type": "AWSAccount", "principalId": principal_id, "accountId": account}, counts(account, known)


def service(name):
    return {"type": "AWSService", "invokedBy": name}, no("AWS service")


ANONYMOUS = {"type": "AWSAccount", "principalId": "", "accountId": "ANONYMOUS_PRINCIPAL"}, no("anonymous")
ANONYMOUS_LOWER = {"type": "AWSAccount", "principalId": "anonymous", "accountId": "anonymous"}, no("anonymous")
NOBODY = {"type": "AWSAccount", "principalId": ""}, no("anonymous")
SAML = {"type": "SAMLUser", "principalId": "Fk2mExampleQualifier=:jane@example.com", "userName": "jane@example.com",
        "identityProvider": "Fk2mExampleQualifier="}, no("web or SAML identity")
WEB = {"type": "WebIdentityUser", "principalId": "accounts.google.com:example.apps.googleusercontent.com:1234567890",
       "userName": "1234567890", "identityProvider": "accounts.google.com"}, no("web or SAML identity")


def identity_center(account):
    return {"type": "IdentityCenterUser", "accountId": account, "arn": "", "credentialId": uuid("credential", account),
            "onBehalfOf": {"userId": uuid("idc", account), "identityStoreArn": f"arn:aws:identitystore::{MANAGEMENT}:identitystore/d-9067example"}}, \
        no("no IAM principal")


def directory(account):
    return {"type": "Directory", "principalId": "corp.example.com\\jane", "accountId": account, "userName": "jane"}, no("no IAM principal")


def unknown(account, arn=None, kind="Unknown"):
    ui = {"type": kind, "principalId": "", "accountId": account, "arn": arn or ""}
    if kind is None:
        del ui["type"]
    return ui, counts(account, arn) if arn else no("no IAM principal")


# ---------------------------------------------------------------- records

GLOBAL = {"iam.amazonaws.com", "organizations.amazonaws.com"}
AGENTS = ["aws-cli/2.22.4 md/awscrt#0.23.4 ua/2.0 os/linux#6.1.119 lang/python#3.12.7 md/installer#exe",
          "Boto3/1.35.99 md/Botocore#1.35.99 ua/2.0 os/linux#5.10.230 lang/python#3.11.11 exec-env/AWS_Lambda_python3.11",
          "Mozilla/5.0 (X11; Linux x86_64; rv:134.0) Gecko/20100101 Firefox/134.0",
          "aws-sdk-go-v2/1.32.7 ua/2.1 os/linux lang/go#1.23.4 md/GOOS#linux md/GOARCH#arm64"]
PARAMETERS = {
    "s3": {"bucketName": "example-data-{account}", "key": "in/2025/part-0001.json", "Host": "example-data-{account}.s3.{region}.amazonaws.com"},
    "ec2": {"instancesSet": {"items": [{"instanceId": "i-0abc1234def567890"}]}, "filterSet": {}},
    "sts": {"roleArn": "arn:aws:iam::{account}:role/deploy", "roleSessionName": "session", "durationSeconds": 3600},
    "kms": {"keyId": "arn:aws:kms:{region}:{account}:key/1234abcd-12ab-34cd-56ef-1234567890ab", "encryptionAlgorithm": "SYMMETRIC_DEFAULT"},
    "dynamodb": {"tableName": "payments-orders", "key": {"id": "HIDDEN_DUE_TO_SECURITY_REASONS"}, "consistentRead": False},
    "lambda": {"functionName": "arn:aws:lambda:{region}:{account}:function:resize", "invocationType": "RequestResponse"},
    "logs": {"logGroupName": "/aws/lambda/resize", "logStreamName": "2025/03/11/[$LATEST]0f1e2d3c"},
    "iam": {"roleName": "deploy"}, "sqs": {"queueUrl": "https://sqs.{region}.amazonaws.com/{account}/orders"},
    "events": {"name": "watch", "eventPattern": "{\"detail\":{\"eventSource\":[\"fake.amazonaws.com\"],\"eventTime\":[\"2030-01-01T00:00:00Z\"]}}"},
}
DATA = {("s3", "GetObject"), ("s3", "PutObject"), ("dynamodb", "GetItem"), ("dynamodb", "PutItem"), ("lambda", "Invoke"), ("sqs", "SendMessage")}
READS = ("Get", "List", "Describe", "Head", "Lookup", "Query", "Decrypt", "AssumeRole")


def fill(value, **names):
    if isinstance(value, dict):
        return {k: fill(v, **names) for k, v in value.items()}
    if isinstance(value, str):
        for name, text in names.items():
            value = value.replace("{" + name + "}", text)
    return value


def record(recipient, region, time, ui, source, name, *, id=None, version="1.11", error=None, message=None, etype="AwsApiCall",
           category=None, response=None, drop=(), **over):
    key, host = uuid(recipient, time, source, name), source + ".amazonaws.com"
    number = int(key[:4], 16)
    data = (source, name) in DATA
    agent = ui.get("invokedBy") or AGENTS[number % 4]
    fields = {
        "eventVersion": version, "userIdentity": ui, "eventTime": time, "eventSource": host, "eventName": name,
        "awsRegion": "us-east-1" if host in GLOBAL else region,
        "sourceIPAddress": ui.get("invokedBy") or ("192.0.2.", "198.51.100.", "203.0.113.")[number % 3] + str(number % 250 + 1),
        "userAgent": agent, "errorCode": error, "errorMessage": message,
        "requestParameters": fill(PARAMETERS.get(source), account=recipient, region=region), "responseElements": response,
        "requestID": uuid("request", key), "eventID": id or key, "readOnly": name.startswith(READS), "eventType": etype,
        "managementEvent": not data, "recipientAccountId": recipient,
        "eventCategory": category or ("Data" if data else "Management"),
        "tlsDetails": {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256", "clientProvidedHostHeader": f"{source}.{region}.amazonaws.com"},
    }
    fields.update(over)
    minor = int(version.split(".")[1])
    gone = set(drop) | {k for k in ("errorCode", "errorMessage") if fields[k] is None}
    if minor < 8:  # members that CloudTrail did not have yet
        gone |= {"managementEvent", "eventCategory", "tlsDetails"} | ({"readOnly"} if minor < 1 else set())
    return {k: v for k, v in fields.items() if k not in gone}


class Logs:
    """The records of every file, with their decisions."""

    def __init__(self):
        self.files, self.labels, self.other = {}, [], {}

    def label(self, rec, expected, when=None):
        self.labels.append((rec, expected, when))

    def add(self, recipient, region, time, identity, source, name, *, expect=None, key=None, extra="", when=None, trails=1, **kw):
        ui, expected = identity
        rec = record(recipient, region, time, ui, source, name, **kw)
        text = json.dumps(rec, separators=(",", ":"))[:-1] + extra + "}"
        folder = key or recipient
        for trail in [DAMAGED] if expect == MALFORMED else range(trails):  # a second trail delivers the same bytes again
            self.files.setdefault((folder, region, (when or time)[:10], trail), []).append((when or time, text))
            self.label(json.loads(text), expect or expected, when)
        return rec

    def loose(self, time, identity, source, name, *, recipient=DEV, region="us-east-1", expect=None, **kw):
        """Makes a record for a file of another form."""
        ui, expected = identity
        rec = record(recipient, region, time, ui, source, name, **kw)
        self.label(rec, expect or expected)
        return rec


# ---------------------------------------------------------------- ordinary activity, 2025

BASE = [("ec2", "DescribeInstances"), ("sts", "AssumeRole"), ("s3", "GetObject"), ("logs", "CreateLogStream"), ("kms", "Decrypt")]
ACTIVITY = {  # home Region, principals, what else the account uses
    MANAGEMENT: ("us-east-1", [user(MANAGEMENT, "alice"), role(MANAGEMENT, "OrgAdmin", "alice")],
                 [("organizations", "ListAccounts"), ("iam", "GenerateOrganizationsAccessReport"), ("cloudtrail", "LookupEvents"), ("athena", "StartQueryExecution")]),
    LOGARCHIVE: ("us-east-1", [role(LOGARCHIVE, "LogReader", "etl")], [("s3", "ListBuckets"), ("athena", "GetQueryResults"), ("glue", "GetTable")]),
    AUDIT: ("us-east-1", [role(AUDIT, "Auditor", "carol", path="/audit/")], [("iam", "ListRoles"), ("cloudtrail", "DescribeTrails"), ("tagging", "GetResources")]),
    SHARED: ("eu-central-1", [role(SHARED, "deploy", "ci", path="/ci/"), user(SHARED, "deployer", path="/ops/")],
             [("cloudformation", "DescribeStacks"), ("ssm", "GetParameter"), ("monitoring", "PutMetricData")]),
    SHOP: ("eu-central-1", [role(SHOP, "web", "i-0abc1234def567890"), user(SHOP, "bob")],
           [("dynamodb", "GetItem"), ("lambda", "Invoke"), ("sqs", "SendMessage"), ("sns", "Publish"), ("autoscaling", "DescribeAutoScalingGroups")]),
    BILLING: ("eu-central-1", [role(BILLING, "invoice", "task")], [("dynamodb", "PutItem"), ("secretsmanager", "GetSecretValue")]),
    PAYMENTS: ("us-east-1", [role(PAYMENTS, "payments-api", "i-0fed9876cba543210")], [("dynamodb", "PutItem"), ("lambda", "Invoke"), ("sqs", "SendMessage")]),
    VAULT: ("us-east-1", [role(VAULT, "tokenizer", "task")], [("dynamodb", "GetItem"), ("secretsmanager", "GetSecretValue")]),
    DEV: ("us-east-1", [user(DEV, "dave"), role(DEV, "builder", "build-17")],
          [("lambda", "UpdateFunctionCode20150331v2"), ("cloudformation", "CreateChangeSet"), ("glue", "GetJobs"), ("gamelift", "ListFleets")]),
    SANDBOX: ("us-west-2", [user(SANDBOX, "erin"), federated(SANDBOX, "guest")], [("sqs", "SendMessage"), ("monitoring", "DescribeAlarms"), ("bedrock", "InvokeModel")]),
    LAB: ("us-west-2", [role(LAB, "lab", "frank")], [("sqs", "SendMessage"), ("iam", "GetUser")]),
    CLOSED: ("us-east-1", [role(CLOSED, "shop", "task")], [("dynamodb", "GetItem")]),
}
DAYS = [("2025-03-11", "1.09"), ("2025-05-14", "1.10"), ("2025-07-09", "1.11"), ("2025-11-12", "1.11")]


def ordinary(logs):
    for day, (date, version) in enumerate(DAYS):
        for place, (account, (region, principals, more)) in enumerate(ACTIVITY.items()):
            for number, (source, name) in enumerate((BASE + more)[day % 2::1 if day > 1 else 2]):
                time = f"{date}T{place + 6:02}:{number * 5 + day:02}:{(place * 13 + number * 5) % 60:02}Z"
                error = "AccessDenied" if (place + number + day) % 11 == 0 else None
                logs.add(account, region, time, principals[number % len(principals)], source, name, version=version, error=error,
                         message="User is not authorized to perform this action" if error else None)


# ---------------------------------------------------------------- one rule after the other, January 2026

def people(logs):
    """A1–A4, A8–A15: who acts."""
    add, day = logs.add, "2026-01-12T10:"
    add(SHOP, "eu-central-1", day + "01:00Z", user(SHOP, "ivy", path="/ops/"), "ssm", "GetParameter")                                     # A1
    no_arn = {"type": "IAMUser", "principalId": unique("AIDA", "old"), "accountId": SHARED, "userName": "old"}
    add(SHARED, "eu-central-1", day + "02:00Z", (no_arn, counts(SHARED, no_arn["principalId"])), "sns", "ListTopics")
    add(SHOP, "us-east-1", day + "03:00Z", role(SHOP, "release", "ci", path="/ci/eu/"), "cloudformation", "ExecuteChangeSet")            # A2
    add(SHOP, "us-east-1", day + "04:00Z", role(SHOP, "bare", "ci", issuer=False), "cloudformation", "DeleteStack")
    add(DEV, "us-east-1", day + "05:00Z", federated(DEV, "jane"), "secretsmanager", "ListSecrets")                                        # A3
    add(SANDBOX, "us-west-2", day + "06:00Z", federated(SANDBOX, "owner", by_root=True), "iam", "GetAccountSummary")
    add(MANAGEMENT, "us-east-1", day + "07:00Z", root_user(MANAGEMENT), "iam", "GetAccountSummary")                                       # A4
    add(BILLING, "us-east-1", day + "08:00Z", root_user(BILLING), "tagging", "GetResources")
    add(DEV, "us-west-2", day + "09:00Z", root_user(DEV, assumed=True), "sqs", "SetQueueAttributes")
    add(SHOP, "us-east-1", day + "10:00Z", root_user(SHOP, invoked_by="autoscaling.amazonaws.com", session=False), "athena", "ListWorkGroups")  # A5
    add(SHOP, "us-east-1", day + "11:00Z", root_user(SHOP, invoked_by="AWS Internal"), "athena", "ListWorkGroups")
    # A8, A27: the caller's copy and the owner's copy of one call; the greater event id wins the tie.
    shared = uuid("shared", 1)
    same = dict(sharedEventID=shared, response=None)
    add(SHOP, "us-east-1", day + "20:00Z", role(SHOP, "web", "i-0abc1234def567890"), "s3", "PutObject", id="11111111-0000-4000-a000-000000000001", **same)
    add(LOGARCHIVE, "us-east-1", day + "20:00Z", of_account(SHOP, unique("AROA", SHOP, "web") + ":i-0abc1234def567890"), "s3", "PutObject",
        id="22222222-0000-4000-a000-000000000002", **same)
    add(AUDIT, "us-east-1", day + "21:00Z", of_account(SHARED, unique("AIDA", SHARED, "deployer")), "sts", "AssumeRole")
    add(AUDIT, "us-east-1", day + "22:00Z", of_account(SHARED, "deploy-without-id"), "athena", "GetQueryResults")
    # A9: a partner who was never a member, and an account that left.
    add(LOGARCHIVE, "us-east-1", day + "23:00Z", of_account(PARTNER, unique("AROA", PARTNER, "feed") + ":feed"), "s3", "GetObject")
    add(LEFT, "us-east-1", day + "24:00Z", user(LEFT, "zoe"), "s3", "ListBuckets")
    add(LEFT, "us-east-1", day + "25:00Z", user(LEFT, "zoe"), "glue", "GetTables")
    for minute, identity in enumerate((ANONYMOUS, ANONYMOUS_LOWER, NOBODY), 30):                                                         # A10
        add(SHOP, "us-east-1", f"{day}{minute}:00Z", identity, "s3", "GetObject")
    add(SHOP, "us-east-1", day + "33:00Z", ({}, no("anonymous")), "s3", "GetObject")
    add(PAYMENTS, "us-east-1", day + "34:00Z", service("ec2.amazonaws.com"), "sts", "AssumeRole")                                        # A11
    add(PAYMENTS, "us-east-1", day + "35:00Z", service("cloudtrail.amazonaws.com"), "kms", "GenerateDataKey")
    add(SHARED, "eu-central-1", day + "36:00Z", role(SHARED, "deploy", "AWSCloudFormation", path="/ci/", invoked_by="cloudformation.amazonaws.com"),
        "lambda", "CreateFunction20150331")                                                                                              # A12
    add(SHOP, "eu-central-1", day + "37:00Z", role(SHOP, "AWSServiceRoleForAutoScaling", "AutoScaling", path="/aws-service-role/autoscaling.amazonaws.com/",
                                                  invoked_by="autoscaling.amazonaws.com"), "ec2", "TerminateInstances")                  # A13
    add(DEV, "us-east-1", day + "38:00Z", SAML, "sts", "AssumeRoleWithSAML")                                                             # A14
    add(DEV, "us-east-1", day + "39:00Z", WEB, "sts", "AssumeRoleWithWebIdentity")
    add(DEV, "us-east-1", day + "40:00Z", identity_center(DEV), "athena", "StartQueryExecution")                                         # A15
    add(DEV, "us-east-1", day + "41:00Z", directory(DEV), "athena", "StartQueryExecution")
    add(DEV, "us-east-1", day + "42:00Z", unknown(DEV), "athena", "StartQueryExecution")
    add(DEV, "us-east-1", day + "43:00Z", unknown(DEV, f"arn:aws:iam::{DEV}:role/builder"), "organizations", "DescribeOrganization")
    add(DEV, "us-east-1", day + "44:00Z", unknown(DEV, f"arn:aws:iam::{DEV}:user/dave", kind=None), "cloudtrail", "LookupEvents")


DENIED = ["AccessDenied", "Client.UnauthorizedOperation", "AccessDeniedException", "ThrottlingException", "ValidationException", "Client.DryRunOperation"]
UNAUTHENTICATED = ["InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature",
                   "MissingAuthenticationToken", "AuthFailure", "Client.AuthFailure", "ExpiredToken", "ExpiredTokenException", "RequestExpired",
                   "Client.RequestExpired", "TokenRefreshRequired", "InvalidIdentityToken", "Client.InvalidClientTokenId"]


def errors(logs):
    """A6, A7: which failures are attempts. The authentication failures are the latest of their service."""
    for minute, code in enumerate(DENIED):
        source = "kms" if minute == 3 else "autoscaling" if minute == 4 else "ec2"
        logs.add(PAYMENTS, "us-east-1", f"2026-01-13T11:{minute:02}:00Z", role(PAYMENTS, "payments-api", "i-0fed9876cba543210"), source, "DescribeInstances",
                 error=code, message="Request would have succeeded, but DryRun flag is set." if "DryRun" in code else "Access Denied")
    for minute, code in enumerate(UNAUTHENTICATED):
        logs.add(VAULT, "us-east-1", f"2026-01-30T23:{minute:02}:00Z", role(VAULT, "tokenizer", "task"), "dynamodb" if minute % 2 else "lambda", "GetItem",
                 error=code, message="The request could not be authenticated", expect=no("authentication failed"))


def kinds(logs):
    """A16–A23: what kind of record it is."""
    add, day = logs.add, "2026-01-14T12:"
    rotation = {"accountId": VAULT, "invokedBy": "AWS Internal"}
    add(VAULT, "us-east-1", day + "00:00Z", (rotation, no("AWS service event")), "kms", "RotateKey", etype="AwsServiceEvent")            # A16
    add(SHOP, "us-east-1", day + "01:00Z", (service("ec2.amazonaws.com")[0], no("AWS service event")), "ec2", "BidEvictedEvent", etype="AwsServiceEvent")
    add(MANAGEMENT, "us-east-1", day + "02:00Z", root_user(MANAGEMENT), "billingconsole", "GetBillsForBillingPeriod", etype="AwsConsoleAction")  # A17
    add(AUDIT, "us-east-1", day + "03:00Z", role(AUDIT, "Auditor", "carol", path="/audit/"), "cloudtrail", "ViewDashboard", etype="AwsConsoleAction")
    signed = {"ConsoleLogin": "Success"}, {"ConsoleLogin": "Failure"}
    more = {"LoginTo": "https://console.aws.amazon.com/console/home", "MobileVersion": "No", "MFAUsed": "Yes"}
    add(DEV, "us-east-1", day + "04:00Z", user(DEV, "dave"), "signin", "ConsoleLogin", etype="AwsConsoleSignIn", response=signed[0],
        additionalEventData=more, expect=no("console sign-in"))                                                                          # A18
    add(DEV, "us-east-1", day + "05:00Z", role(DEV, "builder", "dave"), "signin", "SwitchRole", etype="AwsConsoleSignIn",
        response={"SwitchRole": "Success"}, expect=no("console sign-in"))
    add(DEV, "us-east-1", day + "06:00Z", user(DEV, "dave"), "signin", "ConsoleLogin", etype="AwsConsoleSignIn", response=signed[1],
        message="Failed authentication", additionalEventData=more, expect=no("failed console sign-in"))                                  # A19
    add(MANAGEMENT, "us-east-1", day + "07:00Z", root_user(MANAGEMENT, session=False), "signin", "ConsoleLogin", etype="AwsConsoleSignIn", response=signed[1],
        message="Failed authentication", additionalEventData=more, expect=no("failed console sign-in"))
    add(BILLING, "us-east-1", day + "08:00Z", role(BILLING, "invoice", "task"), "s3", "PutObject",
        resources=[{"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::example-invoices/2026/01.pdf"}, {"accountId": BILLING, "type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::example-invoices"}])  # A20
    vpce = dict(etype="AwsVpceEvents", category="NetworkActivity", vpcEndpointId="vpce-0a1b2c3d4e5f67890", vpcEndpointAccountId=BILLING)
    add(BILLING, "eu-central-1", day + "09:00Z", of_account(BILLING, unique("AROA", BILLING, "invoice") + ":task"), "sqs", "ReceiveMessage",
        error="VpceAccessDenied", message="The request was denied due to a VPC endpoint policy", **vpce)                                 # A21
    add(BILLING, "eu-central-1", day + "10:00Z", of_account(BILLING, unique("AIDA", BILLING, "clerk")), "lambda", "ListFunctions20150331",
        **{**vpce, "etype": "AwsVpceEvent"})
    add(SHARED, "eu-central-1", day + "13:00Z", role(SHARED, "deploy", "ci", path="/ci/"), "quantumfax", "SendFax")                      # A23
    add(SHARED, "eu-central-1", day + "14:00Z", role(SHARED, "deploy", "ci", path="/ci/"), "quantumfax", "ListFaxes")


def insight(account, event_id):
    return {"eventVersion": "1.11", "eventTime": "2026-01-14T12:11:00Z", "awsRegion": "us-east-1", "eventID": event_id,
            "eventType": "AwsCloudTrailInsight", "recipientAccountId": account, "sharedEventID": uuid("insight", event_id),
            "insightDetails": {"state": "Start", "eventSource": "s3.amazonaws.com", "eventName": "DeleteObject", "insightType": "ApiCallRateInsight",
                               "insightContext": {"statistics": {"baseline": {"average": 0.02}, "insight": {"average": 41}}}},
            "eventCategory": "Insight"}


def aggregated(account, event_id):
    return {"eventVersion": "1.0", "accountId": account, "eventId": event_id, "eventCategory": "Aggregated", "eventType": "AwsAggregatedEvent",
            "awsRegion": "us-east-1", "eventSource": "s3.amazonaws.com",
            "timeWindow": {"windowStart": "2026-01-14T12:10:00Z", "windowEnd": "2026-01-14T12:15:00Z", "windowSize": "PT5M"},
            "summary": {"primaryDimension": {"dimension": "eventName", "statistics": [{"name": "GetObject", "value": 1200}]}, "details": []}}


def digest_document(account):
    return {"awsAccountId": account, "digestStartTime": "2026-01-14T11:00:00Z", "digestEndTime": "2026-01-14T12:00:00Z",
            "digestS3Bucket": "example-org-trail", "digestS3Object": f"AWSLogs/{ORGANIZATION}/{account}/CloudTrail-Digest/us-east-1/2026/01/14/{account}_CloudTrail-Digest_us-east-1_example-org-trail_us-east-1_20260114T120000Z.json.gz",
            "digestPublicKeyFingerprint": "31e8b5433410dfb61a9dc45cc65b22ff", "digestSignatureAlgorithm": "SHA256withRSA",
            "newestEventTime": "2026-01-14T11:58:11Z", "oldestEventTime": "2026-01-14T10:57:02Z", "previousDigestS3Bucket": None,
            "previousDigestS3Object": None, "previousDigestHashValue": None, "previousDigestHashAlgorithm": None, "previousDigestSignature": None, "logFiles": []}


def s3_notification(account):
    return {"eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1", "eventTime": "2026-01-31T23:59:00.000Z",
            "eventName": "ObjectCreated:Put", "userIdentity": {"principalId": f"AWS:{unique('AROA', account, 'web')}:web"},
            "requestParameters": {"sourceIPAddress": "192.0.2.7"}, "responseElements": {"x-amz-request-id": "EXAMPLE123456789"},
            "s3": {"s3SchemaVersion": "1.0", "bucket": {"name": "example-data", "arn": "arn:aws:s3:::example-data"}, "object": {"key": "a", "size": 1}}}


def forms(logs):
    """A24–A27, O14, V2: how a record may look."""
    add, day = logs.add, "2026-01-15T13:"
    old = dict(version="1.02", drop=("eventType", "eventID", "recipientAccountId", "eventCategory"))
    add(BILLING, "us-east-1", "2024-06-04T09:00:00Z", user(BILLING, "founder"), "glue", "GetDatabases", **old)                            # A24, O14
    add(BILLING, "us-east-1", "2024-06-04T09:01:00Z", role(BILLING, "invoice", "task"), "athena", "ListWorkGroups", **old)
    add(SHARED, "eu-central-1", "2025-12-02T09:00:00Z", role(SHARED, "deploy", "ci", path="/ci/"), "autoscaling", "DescribePolicies", version="1.00", drop=("eventID",))
    add(BILLING, "eu-central-1", day + "00:00Z", role(BILLING, "invoice", "task"), "cloudformation", "ListStacks", key=AUDIT)             # A25
    add(PAYMENTS, "us-east-1", day + "01:00Z", role(PAYMENTS, "payments-api", "x"), "dynamodb", "PutItem",
        extra=',"awsRegion":"eu-west-1"', when=day + "01:00Z")                                                                           # A26
    add(DEV, "us-east-1", "2026-01-31T23:58:00Z", role(DEV, "builder", "build-18"), "kms", "Encrypt",
        extra=',"eventTime":"2026-01-15T13:02:00Z"', when=day + "02:00Z")
    add(DEV, "us-east-1", day + "03:00Z", user(DEV, "dave"), "s3", "ListBuckets", extra=',"errorCode":403')
    add(DEV, "us-east-1", day + "04:00Z", user(DEV, "dave"), "tagging", "GetTagKeys", extra=',"awsRegion":null')
    add(SHOP, "eu-central-1", day + "05:00Z", role(SHOP, "web", "i-0abc1234def567890"), "secretsmanager", "GetSecretValue", trails=2)    # A27
    add(SHOP, "eu-central-1", day + "06:00Z", role(SHOP, "web", "i-0abc1234def567890"), "iam", "GetRole", trails=2)
    for number, region in enumerate(("us-east-1", "eu-central-1", "us-east-1")):  # equal times: the greatest event id wins
        add(SANDBOX, region, day + "07:00Z", user(SANDBOX, "erin"), "monitoring", "GetMetricData", id=f"{(5, 9, 7)[number]}0000000-0000-4000-a000-00000000000{number}")
    add(SANDBOX, "us-east-1", day + "08:00.250Z", user(SANDBOX, "erin"), "sqs", "SendMessage", id="00000000-0000-4000-a000-00000000000a")
    add(SANDBOX, "us-west-2", day + "08:00Z", user(SANDBOX, "erin"), "sqs", "SendMessage", id="f0000000-0000-4000-a000-00000000000b")
    add(LAB, "us-west-2", "x", role(LAB, "lab", "frank"), "s3", "PutObject", drop=("eventTime",), when=day + "09:00Z",
        **{"@timestamp": day + "09:00.000Z"})
    for minute, change in enumerate((dict(drop=("eventTime",)), dict(eventTime="yesterday"), dict(eventTime=1768482000), dict(drop=("eventSource",)), dict(eventSource=7)), 10):
        add(SANDBOX, "us-west-2", f"{day}{minute}:00Z", user(SANDBOX, "erin"), "ec2", "RunInstances", expect=MALFORMED, when=f"{day}{minute}:00Z", **change)
    add(CLOSED, "us-east-1", day + "20:00Z", role(CLOSED, "shop", "task"), "sns", "ListTopics")                                          # O14


# ---------------------------------------------------------------- the identities of four accounts

AWS = "arn:aws:iam::aws:policy/"
READ_BUCKETS, WRITE_LOGS = AWS + "AmazonS3ReadOnlyAccess", AWS + "service-role/AWSLambdaBasicExecutionRole"
ADMINISTRATOR, SCALE = AWS + "AdministratorAccess", AWS + "aws-service-role/AutoScalingServiceRolePolicy"
LONG_AGO = "2023-06-01T09:00:00+00:00"
RELEASE_AGAIN = unique("AROA", SHOP, "release", "again")  # the role of that name that there is now
AMAZON = {
    READ_BUCKETS: [document(allow(["s3:Get*", "s3:List*"])), document(allow(["s3:Get*", "s3:List*", "s3:Describe*"]))],
    WRITE_LOGS: [document(allow(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]))],
    ADMINISTRATOR: [document(allow("*"))],
    SCALE: [document(allow(["ec2:*Instances", "ec2:*InstanceStatus", "cloudwatch:*Alarm*", "sns:Publish"]))],
}


def policy_arn(account, name):
    return f"arn:aws:iam::{account}:policy/{name}"


def managed(arn, versions, default=None, created=LONG_AGO):
    """A managed policy of several versions, the newest first; `default` is a number, else the last."""
    default, name = default or len(versions), arn.split("/")[-1]
    path = "/" + "/".join(arn.split(":policy/")[1].split("/")[:-1])
    return {"PolicyName": name, "PolicyId": unique("ANPA", arn), "Arn": arn, "Path": path if path == "/" else path + "/",
            "DefaultVersionId": f"v{default}", "AttachmentCount": 1, "PermissionsBoundaryUsageCount": 0, "IsAttachable": True,
            "CreateDate": created, "UpdateDate": created,
            "PolicyVersionList": [{"Document": d, "VersionId": f"v{n}", "IsDefaultVersion": n == default, "CreateDate": created}
                                  for n, d in reversed(list(enumerate(versions, 1)))]}


def held(attached, inline, list_name):
    return {list_name: [{"PolicyName": n, "PolicyDocument": d} for n, d in (inline or {}).items()],
            "AttachedManagedPolicies": [{"PolicyName": a.split("/")[-1], "PolicyArn": a} for a in attached]}


def of_user(account, name, path="/", id=None, groups=(), attached=(), inline=None, created=LONG_AGO, **more):
    return {"Path": path, "UserName": name, "UserId": id or unique("AIDA", account, name), "Arn": f"arn:aws:iam::{account}:user{path}{name}",
            "CreateDate": created, **(held(attached, inline, "UserPolicyList") if inline else {"AttachedManagedPolicies": held(attached, {}, "x")["AttachedManagedPolicies"]}),
            "GroupList": list(groups), "Tags": [], **more}


def of_group(account, name, path="/", attached=(), inline=None):
    return {"Path": path, "GroupName": name, "GroupId": unique("AGPA", account, name), "Arn": f"arn:aws:iam::{account}:group{path}{name}",
            "CreateDate": LONG_AGO, **held(attached, inline, "GroupPolicyList")}


def of_role(account, name, path="/", id=None, attached=(), inline=None, created=LONG_AGO, used=None, **more):
    trust = document({"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"})
    return {"Path": path, "RoleName": name, "RoleId": id or unique("AROA", account, name), "Arn": f"arn:aws:iam::{account}:role{path}{name}",
            "CreateDate": created, "AssumeRolePolicyDocument": trust, "InstanceProfileList": [], **held(attached, inline, "RolePolicyList"), "Tags": [],
            "RoleLastUsed": {"LastUsedDate": used, "Region": "eu-central-1"} if used else {}, **more}


def reply(users=(), groups=(), roles=(), policies=(), **more):
    return {"UserDetailList": list(users), "GroupDetailList": list(groups), "RoleDetailList": list(roles), "Policies": list(policies), **more}


def amazon(*arns):
    return [managed(arn, AMAZON[arn], created="2015-02-06T18:40:00+00:00") for arn in arns]


def url_encoded(value):
    """Writes the documents as IAM's own reply has them."""
    if isinstance(value, list):
        return [url_encoded(v) for v in value]
    if not isinstance(value, dict):
        return value
    return {k: urllib.parse.quote(json.dumps(v, indent=2), safe="") if k in ("Document", "PolicyDocument", "AssumeRolePolicyDocument") else url_encoded(v)
            for k, v in value.items()}


def identities():
    """Yields (file, reply) of the snapshot."""
    queue, look, deployer = (policy_arn(SHOP, name) for name in ("QueueWorker", "audit/LookAround", "ci/Deployer"))
    linked = "/aws-service-role/autoscaling.amazonaws.com/"
    yield f"{SHOP}.json", reply(
        [of_user(SHOP, "bob", groups=["engineers"], attached=[queue]),
         of_user(SHOP, "ivy", "/eng/", groups=["engineers", "auditors"], inline={"parameters": document([allow("ssm:GetParameter*")])}),  # moved from /ops/
         of_user(SHOP, "zed", created="2025-12-30T10:00:00+00:00", inline={"nothing": document(deny("*"))})],
        [of_group(SHOP, "engineers", attached=[READ_BUCKETS], inline={"see": document([
            allow(["ec2:Describe*", "iam:GetUser"]), allow("sts:GetCallerIdentity"), allow("kms:Decrypt", "arn:aws:s3:::example-data/*")])}),
         of_group(SHOP, "auditors", "/staff/", attached=[look]),
         of_group(SHOP, "nobody", inline={"topics": document(allow("sns:*"))})],
        [of_role(SHOP, "web", attached=[WRITE_LOGS, look], inline={"shop": document([
            allow("dynamodb:*", "arn:aws:dynamodb:*:*:table/*"), allow(["kms:Decrypt", "kms:GenerateDataKey"]),
            allow("s3:*"), deny("s3:*", Condition={"Bool": {"aws:SecureTransport": "false"}}), allow("application-autoscaling:*"), allow("sts:AssumeRole")])},
            PermissionsBoundary={"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": queue}),
         of_role(SHOP, "release", "/ci/eu/", id=RELEASE_AGAIN, attached=[deployer], created="2026-01-19T08:00:00+00:00"),
         of_role(SHOP, "bare", "/ci/", attached=[deployer]),
         of_role(SHOP, "AWSServiceRoleForAutoScaling", linked, attached=[SCALE])],
        amazon(READ_BUCKETS, WRITE_LOGS, SCALE) + [
            managed(queue, [document(allow("sqs:*")), document([
                allow(["sqs:SendMessage", "sqs:ReceiveMessage"]), allow("kms:Decrypt", Condition={"StringEquals": {"kms:ViaService": "sqs.eu-central-1.amazonaws.com"}}),
                deny("sqs:*", Condition={"Bool": {"aws:MultiFactorAuthPresent": "false"}})]), document(allow("*"))], default=2),
            managed(look, [document([
                allow(["iam:Get*", "iam:PassRole", "lambda:GetFunction", "lambda:InvokeFunction", "secretsmanager:*", "sns:ListTopics"]),
                deny("secretsmanager:*"), {"Effect": "Deny", "Action": "lambda:*", "NotResource": "arn:aws:lambda:*:*:function:open-*"}])]),
            managed(deployer, [document([
                allow("*"), {"Effect": "Deny", "NotAction": ["cloudformation:*Stack*", "cloudformation:ExecuteChangeSet", "iam:PassRole", "s3:PutObject"], "Resource": "*"}])]),
            managed(policy_arn(SHOP, "Nobodys"), [document(allow(["sns:*", "sqs:*"]))])])
    pipeline, operate, but_people = (policy_arn(SHARED, name) for name in ("Pipeline", "Operate", "EverythingButPeople"))
    yield f"{SHARED}-1.json", reply(
        [of_user(SHARED, "deployer", "/ops/", groups=["operators"]), of_user(SHARED, "old", id=unique("AIDA", "old"), groups=["operators"])],
        policies=[managed(operate, [document([allow("cloudformation:*"), allow("sns:ListTopics")])])],
        IsTruncated=True, Marker="EXAMPLEkakv9BCuUNFDtxWSyfzetYwEx2ADc8dnzfvERF5S6YMvXKx41t6gCl")
    yield f"{SHARED}-2.json", reply(
        groups=[of_group(SHARED, "operators", attached=[operate])],
        roles=[of_role(SHARED, "deploy", "/ci/", attached=[pipeline, operate]),
               of_role(SHARED, "deploy-eu", "/ci/", attached=[but_people], created="2026-01-10T08:00:00+00:00")],
        policies=[managed(pipeline, [document(allow("*")), document(allow("s3:*")), document([
            {"Effect": "Allow", "Action": "lambda:*", "NotResource": "arn:aws:lambda:*:*:function:*"},
            allow(["dynamodb:CreateTable", "lambda:CreateFunction", "ssm:GetParameter", "tag:*"])])]),
                  managed(but_people, [document([{"Effect": "Allow", "NotAction": ["iam:*", "Organizations:*"], "Resource": "arn:aws:*:eu-*:*:*"}])])],
        IsTruncated=False)
    ledger = policy_arn(BILLING, "LedgerAccess")
    yield f"{BILLING}.json", url_encoded(reply(
        [of_user(BILLING, "clerk", groups=["finance"]), of_user(BILLING, "founder", groups=["finance"], inline={"old books": document(allow("glue:Get*"))})],
        [of_group(BILLING, "finance", attached=[ledger])],
        [of_role(BILLING, "invoice", attached=[ledger], used="2026-03-01T10:00:00+00:00"), of_role(BILLING, "payer", attached=[READ_BUCKETS])],
        amazon(READ_BUCKETS) + [managed(ledger, [document([
            allow(["dynamodb:PutItem", "s3:PutObject", "lambda:List*", "sqs:ReceiveMessage", "glue:GetDatabases"]),
            allow("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:*:*:secret:ledger/${aws:username}-??????")])])], IsTruncated=False))
    yield f"{DEV}.json", reply(
        [of_user(DEV, "dave", groups=["admins"]), of_user(DEV, "broker", inline={"secrets": document(allow(["secretsmanager:ListSecrets", "sts:GetFederationToken"]))})],
        [of_group(DEV, "admins", attached=[ADMINISTRATOR])],
        [of_role(DEV, "builder", inline={"build": document(allow(["ec2:RunInstances", "kms:Encrypt", "organizations:Describe*", "lambda:Update*", "signin:*", "timestream:*"]))})],
        amazon(ADMINISTRATOR), IsTruncated=False)


def identities_incomplete():
    """An account whose snapshot lacks a policy that is attached (`--filter` left it out)."""
    yield f"{VAULT}.json", reply(roles=[of_role(VAULT, "tokenizer", attached=[READ_BUCKETS, policy_arn(VAULT, "Tokens")], inline={"who": document(allow("sts:GetCallerIdentity"))})],
                                 policies=[managed(policy_arn(VAULT, "Tokens"), [document(allow("dynamodb:GetItem"))])], IsTruncated=False)


def whose_logs(logs):
    """I7, I2, I4: further events, each with the ARN of the user or role of the snapshot that it counts for, or None."""
    whose, day = {}, "2026-01-21T"

    def add(clock, arn, identity, source, name, recipient=SHOP, region="eu-central-1", **kw):
        rec = logs.add(recipient, region, day + clock, identity, source, name, **kw)
        whose[rec["eventID"]] = arn and f"arn:aws:iam::{arn}"

    def again(name, path, id):
        ui, expected = role(SHOP, name, "ci", path=path)
        ui["principalId"] = ui["sessionContext"]["sessionIssuer"]["principalId"] = id
        ui["principalId"] += ":ci"
        return ui, expected

    def session(principal_id, account=SHARED, name="deploy"):
        """A session without an issuer, and with another id or none."""
        ui, expected = role(account, name, "ci", issuer=False)
        ui["principalId"] = principal_id + ":ci"
        return ({k: v for k, v in ui.items() if k != "principalId"} if principal_id == "" else ui), expected

    web, bob, ivy = role(SHOP, "web", "i-0abc1234def567890"), user(SHOP, "bob"), user(SHOP, "ivy", path="/eng/")
    web_arn, bob_arn, ivy_arn = f"{SHOP}:role/web", f"{SHOP}:user/bob", f"{SHOP}:user/eng/ivy"
    add("09:00:00Z", f"{SHOP}:role/ci/eu/release", again("release", "/ci/eu/", RELEASE_AGAIN), "cloudformation", "CreateStack")
    add("10:00:00Z", None, role(SHOP, "release", "ci", path="/ci/eu/"), "s3", "PutObject")                       # the former holder of the name
    add("10:30:00Z", None, role(SHOP, "release", "ci", path="/ci/eu/"), "cloudformation", "UpdateStack")
    add("11:00:00Z", bob_arn, of_account(SHOP, unique("AIDA", SHOP, "bob")), "s3", "GetObject", recipient=LOGARCHIVE)   # cross-account, an id alone
    add("11:10:00Z", None, of_account(SHOP, unique("AIDA", SHOP, "bobby")), "s3", "GetObject", recipient=LOGARCHIVE)
    add("11:20:00Z", ivy_arn, ivy, "s3", "ListBuckets", error="AccessDenied")                                    # P1: denied
    add("12:00:00Z", f"{SHARED}:role/ci/deploy", session(""), "tagging", "GetResources", recipient=SHARED)       # by name, whatever the path
    add("12:10:00Z", None, session(unique("AROA", "another")), "tagging", "TagResources", recipient=SHARED)      # another id
    add("12:20:00Z", f"{SHARED}:role/ci/deploy", session("deploy-id"), "ssm", "GetParameter", recipient=SHARED)  # no proper id
    add("12:30:00Z", None, session("", SHARED, "deploy-us"), "ssm", "GetParameters", recipient=SHARED)
    add("13:00:00Z", web_arn, web, "dynamodb", "DescribeTable")
    add("13:10:00Z", web_arn, web, "dynamodb", "DescribeTimeToLive", category="Data", managementEvent=False)             # P3: a data event
    add("13:20:00Z", web_arn, web, "dynamodb", "PutItem", region="us-east-1")                                    # P3
    add("13:30:00Z", web_arn, web, "autoscaling", "RegisterScalableTarget")                                      # C2
    add("13:31:00Z", web_arn, web, "autoscaling", "PutScalingPolicy", requestParameters={"serviceNamespace": "ecs"})
    add("13:32:00Z", web_arn, web, "autoscaling", "PutScalingPolicy", requestParameters={"autoScalingGroupName": "shop"})
    add("13:40:00Z", web_arn, web, "lambda", "GetFunction20150331v2")                                            # C2: a version
    add("14:00:00Z", bob_arn, bob, "sts", "GetCallerIdentity")
    add("14:10:00Z", bob_arn, bob, "sqs", "ReceiveMessage", error="ThrottlingException")
    for region in ("us-east-1", "eu-west-1"):                                                                     # equal times and event ids: the greatest Region
        add("14:20:00Z", bob_arn, bob, "sts", "GetSessionToken", region=region, id="40000000-0000-4000-a000-000000000005")
    add("14:30:00Z", f"{DEV}:role/builder", role(DEV, "builder", "build-20"), "timestream", "Query", recipient=DEV)  # C2: several actions
    add("14:40:00Z", f"{DEV}:role/builder", role(DEV, "builder", "build-20"), "timestream", "ListTables", recipient=DEV, error="AccessDenied")
    add("15:00:00Z", bob_arn, bob, "iam", "GetUser", id="10000000-0000-4000-a000-000000000001")                  # equal times: the greatest event id
    add("15:00:00Z", ivy_arn, ivy, "iam", "GetUser", id="20000000-0000-4000-a000-000000000002")
    add("15:00:01Z", f"{SHOP}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling",
        role(SHOP, "AWSServiceRoleForAutoScaling", "AutoScaling", path="/aws-service-role/autoscaling.amazonaws.com/"), "ec2", "RunInstances")
    add("15:10:00Z", ivy_arn, ivy, "ec2", "DescribeInstances", id="30000000-0000-4000-a000-000000000003")         # equal seconds, another microsecond
    add("15:10:00.000001Z", bob_arn, bob, "ec2", "DescribeVpcs", id="00000000-0000-4000-a000-000000000004")
    add("15:20:00Z", ivy_arn, ivy, "lambda", "GetFunction20150331v2")
    add("16:00:00Z", None, root_user(SHOP), "iam", "GetAccountSummary")                                          # A4: no IAM entity
    add("16:10:00Z", None, bob, "iam", "GetUser", error="ExpiredToken", expect=no("authentication failed"))       # A7
    return whose


# ---------------------------------------------------------------- files

def gz(data):
    return gzip.compress(data, 9, mtime=0)


def zstd_stored(data):
    """One frame of stored blocks: the standard library has no compressor, and none is needed."""
    blocks = [data[i:i + 65536] for i in range(0, len(data), 65536)]
    frame = struct.pack("<IBI", 0xFD2FB528, 0xA0, len(data))
    for number, block in enumerate(blocks):
        frame += struct.pack("<I", len(block) << 3 | (number + 1 == len(blocks)))[:3] + block
    return frame


def dump(value, **kw):
    return json.dumps(value, separators=(",", ":"), **kw)


def records(values):
    return ('{"Records":[' + ",".join(values) + "]}").encode()


def key_of(account, region, time, part, kind="CloudTrail"):
    stamp = time[:16].replace("-", "").replace(":", "") + "Z"
    suffix = base64.b64encode(digest("file", account, region, time, part), altchars=b"aZ").decode()[:16]
    return f"AWSLogs/{ORGANIZATION}/{account}/{kind}/{region}/{time[:4]}/{time[5:7]}/{time[8:10]}/{account}_{kind}_{region}_{stamp}_{suffix}.json.gz"


def trail_files(logs):
    for (folder, region, day, trail), lines in sorted(logs.files.items()):
        name = "damaged/no-time-or-no-source.json.gz" if trail == DAMAGED else key_of(folder, region, max(t for t, _ in lines), trail)
        yield name, gz(records(text for _, text in lines))


def other_forms(logs):
    """A file for each way in which people keep CloudTrail records."""
    day, loose = "2026-01-16T14:", logs.loose
    plain = [loose(day + "00:00Z", role(DEV, "builder", "build-19"), "ec2", "RunInstances"),
             loose(day + "00:30Z", user(DEV, "jürgen"), "logs", "StartQuery")]
    yield "exports/plain.json", (json.dumps({"Records": plain}, indent=2, ensure_ascii=False) + "\n").encode()
    mixed = [loose(day + "01:00Z", user(DEV, "dave"), "cloudformation", "DescribeStacks"),
             loose(day + "01:10Z", role(AUDIT, "Auditor", "carol", path="/audit/"), "s3", "GetBucketPolicy", recipient=AUDIT),
             s3_notification(DEV), digest_document(DEV),
             loose(day + "01:20Z", role(LOGARCHIVE, "LogReader", "etl"), "glue", "GetPartitions", recipient=LOGARCHIVE)]
    logs.label(mixed[2], no("not CloudTrail"))
    logs.label(mixed[3], no("digest"))
    yield "exports/lines.jsonl", "".join(dump(r) + "\n" for r in mixed).encode()
    packed = [loose(day + "02:00Z", role(SHARED, "deploy", "ci", path="/ci/"), "tagging", "TagResources", recipient=SHARED, region="eu-central-1")]
    yield "exports/packed.json.zst", zstd_stored(records(map(dump, packed)))
    bridged = loose(day + "03:00Z", role(SHARED, "deploy", "ci", path="/ci/"), "dynamodb", "CreateTable", recipient=SHARED, region="eu-central-1")
    yield "exports/eventbridge.json", (json.dumps({
        "version": "0", "id": uuid("bridge"), "detail-type": "AWS API Call via CloudTrail", "source": "aws.dynamodb", "account": SHARED,
        "time": day + "03:00Z", "region": "eu-central-1", "resources": [], "detail": bridged}, indent=2) + "\n").encode()
    looked = [loose(day + "04:00Z", role(VAULT, "tokenizer", "task"), "sts", "GetCallerIdentity", recipient=VAULT),
              loose(day + "04:30Z", root_user(VAULT), "s3", "ListBuckets", recipient=VAULT)]
    yield "exports/lookup-events.json", (json.dumps({"Events": [
        {"EventId": r["eventID"], "EventName": r["eventName"], "ReadOnly": "true", "EventTime": r["eventTime"], "EventSource": r["eventSource"],
         "Resources": [], "CloudTrailEvent": dump(r)} for r in looked]}, indent=2) + "\n").encode()
    watched = [loose(day + "05:00Z", user(MANAGEMENT, "alice"), "organizations", "ListPolicies", recipient=MANAGEMENT),
               loose(day + "05:30Z", service("config.amazonaws.com"), "sts", "AssumeRole", recipient=MANAGEMENT)]
    yield "exports/cloudwatch-logs.json", (dump({
        "messageType": "DATA_MESSAGE", "owner": MANAGEMENT, "logGroup": "example-org-trail", "logStream": f"{ORGANIZATION}_{MANAGEMENT}_CloudTrail_us-east-1",
        "subscriptionFilters": ["everything"],
        "logEvents": [{"id": str(39000000000000000000 + n), "timestamp": 1768572300000 + n, "message": dump(r)} for n, r in enumerate(watched)]}) + "\n").encode()
    members = [loose(f"{day}06:{second}0Z", role(LAB, "lab", "frank"), "sqs", "SendMessage", recipient=LAB, region="us-west-2") for second in (1, 2)]
    yield "exports/two-members.json.gz", b"".join(gz(records([dump(r)])) for r in members)
    kept = [insight(SHOP, uuid("insight", 1)), insight(SHOP, uuid("insight", 2)), aggregated(SHOP, uuid("aggregated", 1))]
    for rec, reason in zip(kept, ("insight", "insight", "aggregated")):
        logs.label(rec, no(reason))
    yield key_of(SHOP, "us-east-1", "2026-01-14T12:15:00Z", 0, "CloudTrail-Insight"), gz(records(map(dump, kept[:2])))
    yield key_of(SHOP, "us-east-1", "2026-01-14T12:20:00Z", 0), gz(records([dump(kept[2])]))
    yield key_of(SHOP, "us-east-1", "2026-01-14T12:25:00Z", 0), gz(records([]))


def look_alikes():
    """Files that lie in the same bucket and hold no CloudTrail record."""
    trail = f"AWSLogs/{ORGANIZATION}/{SHOP}/CloudTrail-Digest/us-east-1/2026/01/14/{SHOP}_CloudTrail-Digest_us-east-1_example-org-trail_us-east-1_20260114T120000Z.json.gz"
    yield trail, gz(dump(digest_document(SHOP)).encode())
    item = {"configurationItemVersion": "1.3", "awsAccountId": SHOP, "resourceType": "AWS::S3::Bucket", "resourceId": "example-data", "awsRegion": "us-east-1",
            "configurationItemCaptureTime": "2026-01-14T12:00:00.000Z", "configurationItemStatus": "OK", "relatedEvents": [uuid("related")]}
    config = {"fileVersion": "1.0", "configSnapshotId": uuid("snapshot"), "configurationItems": [item]}
    yield f"AWSLogs/{SHOP}/Config/us-east-1/2026/1/14/ConfigHistory/{SHOP}_Config_us-east-1_ConfigHistory_AWS::S3::Bucket_20260114T120000Z_20260114T120000Z_1.json.gz".replace("::", "__"), gz(dump(config).encode())
    flow = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n" \
        f"2 {SHOP} eni-0a1b2c3d4e5f67890 192.0.2.10 198.51.100.20 49152 443 6 20 4249 1768392000 1768392060 ACCEPT OK\n"
    yield f"AWSLogs/{SHOP}/vpcflowlogs/us-east-1/2026/01/14/{SHOP}_vpcflowlogs_us-east-1_fl-0a1b2c3d4e5f67890_20260114T1200Z_0a1b2c3d.log.gz", gz(flow.encode())
    access = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be example-data [14/Jan/2026:12:00:38 +0000] 192.0.2.3 - EXAMPLE12345 " \
        'REST.GET.OBJECT a "GET /example-data/a HTTP/1.1" 200 - 113 - 7 - "-" "S3Console/0.4" -\n'
    yield "s3-access-logs/2026-01-14-12-21-32-EXAMPLE123456789", access.encode()


# ---------------------------------------------------------------- single events

def cases():
    """Yields (name, rule, record, extra text, expected) of testdata/events."""
    def case(rule, name, identity, source="s3", event="ListBuckets", *, account=SHOP, expect=None, extra="", **kw):
        time = "2026-01-20T09:00:00Z"
        return f"{rule.lower()}-{name}", rule, record(account, "eu-central-1", time, identity[0], source, event, **kw), extra, expect or identity[1]

    web, bob = role(SHOP, "web", "i-0abc1234def567890"), user(SHOP, "bob")
    no_arn = {"type": "IAMUser", "principalId": unique("AIDA", "old"), "accountId": SHOP, "userName": "old"}
    plain_role = {"type": "Role", "principalId": unique("AROA", SHOP, "batch") + ":x", "arn": f"arn:aws:iam::{SHOP}:role/jobs/batch", "accountId": SHOP}
    empty_issuer_user = user(SHOP, "bob")
    empty_issuer_user[0]["sessionContext"] = {"sessionIssuer": {}, "attributes": {"mfaAuthenticated": "true"}}
    no_account = {k: v for k, v in role(SHOP, "web", "s")[0].items() if k != "accountId"}
    china = role(SHOP, "web", "s")
    china = json.loads(json.dumps(china).replace("arn:aws:", "arn:aws-cn:"))
    yield case("A01", "user", bob)
    yield case("A01", "user-with-path", user(SHOP, "ivy", path="/ops/eu/"))
    yield case("A01", "user-without-arn", (no_arn, counts(SHOP, no_arn["principalId"])))
    yield case("A01", "user-with-empty-issuer", empty_issuer_user)
    yield case("A02", "assumed-role", web)
    yield case("A02", "assumed-role-with-path", role(SHOP, "release", "ci", path="/ci/eu/"))
    yield case("A02", "assumed-role-with-empty-issuer", role(SHOP, "bare", "ci", issuer=False))
    yield case("A02", "role", (plain_role, counts(SHOP, plain_role["arn"])))
    yield case("A02", "account-only-in-the-arn", (no_account, web[1]))
    yield case("A02", "china", tuple(china))
    yield case("A03", "federated-by-user", federated(SHOP, "jane"))
    yield case("A03", "federated-by-root", federated(SHOP, "owner", by_root=True))
    yield case("A04", "root", root_user(SHOP))
    yield case("A04", "assume-root-session", root_user(SHOP, assumed=True), "s3", "DeleteBucketPolicy")
    yield case("A04", "root-with-key-without-session", ({**root_user(SHOP, session=False)[0], "accessKeyId": "AKIAIOSFODNN7EXAMPLE"}, root_user(SHOP)[1]))
    yield case("A05", "root-service-call", root_user(SHOP, invoked_by="autoscaling.amazonaws.com", session=False))
    yield case("A05", "root-service-call-internal", root_user(SHOP, invoked_by="AWS Internal", session=False))
    yield case("A05", "invoked-by-with-session-counts", root_user(SHOP, invoked_by="signin.amazonaws.com"))
    yield case("A05", "invoked-by-with-key-counts", ({**root_user(SHOP, invoked_by="s3.amazonaws.com", session=False)[0], "accessKeyId": "AKIAIOSFODNN7EXAMPLE"}, root_user(SHOP)[1]))
    no_key = {k: v for k, v in root_user(SHOP, invoked_by="signin.amazonaws.com")[0].items() if k != "accessKeyId"}
    yield case("A05", "invoked-by-with-session-without-key-counts", (no_key, root_user(SHOP)[1]))
    for code in DENIED + ["NoSuchBucket", "Client.InvalidParameterValue", "InvalidParameterException", "Server.InternalError", "AuthorizationError", "ExpiredCodeException"]:
        yield case("A06", code.lower().replace(".", "-"), web, "ec2", "DescribeInstances", error=code, message="Access Denied")
    for code in UNAUTHENTICATED:
        yield case("A07", code.lower().replace(".", "-"), bob, "ec2", "DescribeInstances", error=code, expect=no("authentication failed"))
    yield case("A08", "owner-copy-of-a-role", of_account(SHOP, unique("AROA", SHOP, "web") + ":s"), account=LOGARCHIVE, sharedEventID=uuid("s"))
    yield case("A08", "owner-copy-of-a-user", of_account(SHOP, unique("AIDA", SHOP, "bob")), account=LOGARCHIVE, sharedEventID=uuid("s"))
    yield case("A08", "without-a-known-id", of_account(SHOP, SHOP), account=LOGARCHIVE)
    yield case("A08", "without-account", ({"type": "AWSAccount", "principalId": unique("AROA", "redacted")}, no("anonymous")), account=LOGARCHIVE)
    yield case("A09", "account-outside-the-organization", of_account(PARTNER, unique("AROA", PARTNER, "feed") + ":feed"), account=LOGARCHIVE)
    yield case("A09", "account-that-left", user(LEFT, "zoe"), account=LEFT)
    yield case("A10", "anonymous-principal", ANONYMOUS)
    yield case("A10", "anonymous-account", ANONYMOUS_LOWER)
    yield case("A10", "anonymous-principal-id", ({"type": "AWSAccount", "principalId": "ANONYMOUS_PRINCIPAL", "accountId": ""}, no("anonymous")))
    yield case("A10", "no-account-no-arn", NOBODY)
    yield case("A10", "empty-identity", ({}, no("anonymous")))
    yield case("A10", "no-identity", bob, drop=("userIdentity",), expect=no("anonymous"))
    yield case("A11", "service", service("ec2.amazonaws.com"), "sts", "AssumeRole")
    yield case("A11", "service-with-account", ({"type": "AWSService", "accountId": SHOP, "invokedBy": "config.amazonaws.com"}, no("AWS service")), "config", "PutEvaluations")
    yield case("A12", "role-invoked-by-a-service", role(SHOP, "web", "s", invoked_by="cloudformation.amazonaws.com"))
    yield case("A12", "role-invoked-by-aws-internal", role(SHOP, "web", "s", invoked_by="AWS Internal"))
    yield case("A12", "user-invoked-by-a-service", user(SHOP, "bob", invoked_by="athena.amazonaws.com"))
    linked = "AWSServiceRoleForAutoScaling"
    yield case("A13", "service-linked-role", role(SHOP, linked, "AutoScaling", path="/aws-service-role/autoscaling.amazonaws.com/"), "ec2", "RunInstances")
    yield case("A13", "service-linked-role-invoked-by", role(SHOP, linked, "AutoScaling", path="/aws-service-role/autoscaling.amazonaws.com/", invoked_by="autoscaling.amazonaws.com"), "ec2", "RunInstances")
    yield case("A14", "saml", SAML, "sts", "AssumeRoleWithSAML")
    yield case("A14", "web-identity", WEB, "sts", "AssumeRoleWithWebIdentity")
    yield case("A15", "identity-center-user", identity_center(SHOP))
    yield case("A15", "directory-user", directory(SHOP))
    yield case("A15", "unknown", unknown(SHOP))
    yield case("A15", "missing-type", unknown(SHOP, kind=None))
    yield case("A15", "unknown-with-role-arn", unknown(SHOP, f"arn:aws:iam::{SHOP}:role/ci/deploy"))
    yield case("A15", "missing-type-with-user-arn", unknown(SHOP, f"arn:aws:iam::{SHOP}:user/bob", kind=None))
    yield case("A15", "missing-type-with-root-arn", unknown(SHOP, f"arn:aws:iam::{SHOP}:root", kind=None))
    yield case("A15", "unknown-with-another-arn", ({**unknown(SHOP)[0], "arn": f"arn:aws:ds:eu-central-1:{SHOP}:user/d-9067/jane"}, no("no IAM principal")))
    yield case("A16", "key-rotation", ({"accountId": SHOP, "invokedBy": "AWS Internal"}, no("AWS service event")), "kms", "RotateKey", etype="AwsServiceEvent")
    yield case("A16", "service-event-with-a-role", web, "ec2", "BidEvictedEvent", etype="AwsServiceEvent", expect=no("AWS service event"))
    yield case("A17", "console-action-by-root", root_user(SHOP), "billingconsole", "GetBillsForBillingPeriod", etype="AwsConsoleAction")
    yield case("A17", "console-action-by-role", web, "cloudtrail", "ViewDashboard", etype="AwsConsoleAction")
    yield case("A17", "console-action-by-nobody", unknown(SHOP), "cloudtrail", "ViewDashboard", etype="AwsConsoleAction")
    sign_in = dict(etype="AwsConsoleSignIn", response={"ConsoleLogin": "Success"})
    failed = dict(etype="AwsConsoleSignIn", response={"ConsoleLogin": "Failure"}, message="Failed authentication")
    yield case("A18", "console-login", bob, "signin", "ConsoleLogin", expect=no("console sign-in"), **sign_in)
    yield case("A18", "switch-role", web, "signin", "SwitchRole", etype="AwsConsoleSignIn", response={"SwitchRole": "Success"}, expect=no("console sign-in"))
    yield case("A19", "failed-console-login", bob, "signin", "ConsoleLogin", expect=no("failed console sign-in"), **failed)
    yield case("A19", "failed-console-login-of-root", root_user(SHOP, session=False), "signin", "ConsoleLogin", expect=no("failed console sign-in"), **failed)
    yield case("A20", "get-object", web, "s3", "GetObject")
    yield case("A20", "invoke", web, "lambda", "Invoke")
    vpce = dict(category="NetworkActivity", vpcEndpointId="vpce-0a1b2c3d4e5f67890", drop=("managementEvent",))
    yield case("A21", "vpc-endpoint-denied", of_account(SHOP, unique("AROA", SHOP, "web") + ":s"), "kms", "Decrypt", etype="AwsVpceEvents", error="VpceAccessDenied", **vpce)
    yield case("A21", "vpc-endpoint-allowed", of_account(SHOP, unique("AIDA", SHOP, "bob")), "kms", "Decrypt", etype="AwsVpceEvent", **vpce)
    yield "a22-insight", "A22", insight(SHOP, uuid("insight", 1)), "", no("insight")
    yield "a22-insight-by-category", "A22", {k: v for k, v in insight(SHOP, uuid("insight", 2)).items() if k != "eventType"}, "", no("insight")
    yield "a22-aggregated", "A22", aggregated(SHOP, uuid("aggregated", 1)), "", no("aggregated")
    yield "a22-digest", "A22", digest_document(SHOP), "", no("digest")
    yield "a22-s3-notification", "A22", s3_notification(SHOP), "", no("not CloudTrail")
    yield "a22-object-of-another-kind", "A22", {"version": "0", "source": "aws.ec2", "detail-type": "EC2 Instance State-change Notification", "detail": {"state": "pending"}}, "", no("not CloudTrail")
    yield case("A23", "unknown-source", web, "quantumfax", "SendFax")
    yield case("A23", "unknown-source-denied", web, "quantumfax", "SendFax", error="AccessDenied")
    yield case("A24", "version-1-02", bob, "iam", "GetUser", version="1.02", drop=("eventType", "eventID", "recipientAccountId", "requestID"))
    yield case("A24", "version-1-0", web, "ec2", "RunInstances", version="1.0", drop=("eventType", "eventID", "recipientAccountId", "readOnly"))
    yield case("A26", "region-twice", web, extra=',"awsRegion":"eu-west-1"')
    yield case("A26", "identity-twice", web, extra=',"userIdentity":' + dump(service("ec2.amazonaws.com")[0]), expect=no("AWS service"))
    yield case("A26", "error-code-is-a-number", web, extra=',"errorCode":403')
    yield case("A26", "error-code-is-a-list", web, extra=',"errorCode":["ExpiredToken"]')
    yield case("A26", "event-type-is-null", web, extra=',"eventType":null')
    yield case("A26", "invoked-by-is-a-flag", ({**root_user(SHOP, session=False)[0], "invokedBy": True}, root_user(SHOP)[1]))
    yield case("V2", "no-time", bob, drop=("eventTime",), expect=no(MALFORMED))
    yield case("V2", "unreadable-time", bob, eventTime="yesterday", expect=no(MALFORMED))
    yield case("V2", "time-is-a-number", bob, eventTime=1768899600, expect=no(MALFORMED))
    yield case("V2", "no-source", bob, drop=("eventSource",), expect=no(MALFORMED))
    yield case("V2", "time-in-at-timestamp", bob, drop=("eventTime",), **{"@timestamp": "2026-01-20T09:00:00.123Z"})
    yield case("V2", "time-with-blank-and-nanoseconds", bob, eventTime="2026-01-20 09:00:00.123456789")


# ---------------------------------------------------------------- what the labels add up to

def instant(rec, when):
    text = when or rec.get("eventTime")
    return datetime.datetime.fromisoformat((rec["eventTime"] if isinstance(rec.get("eventTime"), str) and rec["eventTime"][:1] == "2" else text).replace("Z", "+00:00"))


def coverage(logs):
    total = {"Total": len(logs.labels), "Counted": 0, "SetAside": {}, "Malformed": 0}
    for _, expected, _ in logs.labels:
        if expected == MALFORMED:
            total["Malformed"] += 1
        elif expected["Counts"]:
            total["Counted"] += 1
        else:
            total["SetAside"][expected["Reason"]] = total["SetAside"].get(expected["Reason"], 0) + 1
    total["SetAside"] = dict(sorted(total["SetAside"].items()))
    return {"Records": total}


def last_accesses(logs):
    latest = {}
    for rec, expected, when in logs.labels:
        if expected != MALFORMED and expected["Counts"]:
            text = lambda name: rec[name] if isinstance(rec.get(name), str) else ""
            value = (instant(rec, when), text("eventID"), text("awsRegion"))
            key = expected["Account"], rec["eventSource"]
            latest[key] = max(latest.get(key, value), value)
    accounts = {}
    for (account, source), (time, event_id, region) in sorted(latest.items()):
        accounts.setdefault(account, {})[source] = [time.strftime("%Y-%m-%dT%H:%M:%SZ"), region or None, event_id or None]
    return accounts


def lines_of(mapping, depth):
    """Writes an object with one member a line down to `depth`."""
    if depth == 0 or not isinstance(mapping, dict):
        return json.dumps(mapping)
    inner = ",\n".join(f"{json.dumps(k)}: {lines_of(v, depth - 1)}" for k, v in mapping.items())
    return "{\n" + inner + "\n}"


def write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent)
    out = arguments.parse_args().out
    logs = Logs()
    for part in (ordinary, people, errors, kinds, forms):
        part(logs)
    written = {"organization.json": (json.dumps(organization(), indent=1) + "\n").encode()}
    for make in (trail_files(logs), other_forms(logs), look_alikes()):
        for key, data in make:
            assert "logs/" + key not in written, key
            written["logs/" + key] = data
    for name, rule, rec, extra, expected in cases():
        name = name if rule != "V2" else "v2-" + name.split("-", 1)[1]
        text = f'{{"Rule":"{"A" + str(int(rule[1:])) if rule[0] == "A" else rule}",\n"Record":{dump(rec)[:-1]}{extra}}},\n"Expected":{dump(expected)}}}\n'
        json.loads(text)
        assert f"events/{name}.json" not in written, name
        written[f"events/{name}.json"] = text.encode()
    written["expected/coverage.json"] = (json.dumps(coverage(logs), indent=1) + "\n").encode()
    written["expected/last-accesses.json"] = (lines_of(last_accesses(logs), 2) + "\n").encode()
    more = Logs()
    whose = whose_logs(more)
    for key, data in trail_files(more):
        written["logs-identities/" + key] = data
    written["expected-service/whose.json"] = (lines_of(whose, 1) + "\n").encode()
    for folder, replies in (("identities", identities()), ("identities-incomplete", identities_incomplete())):
        for name, answer in replies:
            written[f"{folder}/{name}"] = (json.dumps(answer, indent=1) + "\n").encode()
    for directory in ("logs", "logs-identities", "identities", "identities-incomplete", "events"):
        for stale in sorted((out / directory).rglob("*"), reverse=True) if (out / directory).exists() else []:
            if stale.is_file() and str(stale.relative_to(out)) not in written:
                stale.unlink()
    for key, data in written.items():
        write(out / key, data)


if __name__ == "__main__":
    main()
