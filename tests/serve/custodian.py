"""Cloud Custodian, unmodified, decides by what a running server says of roles and users.

What is no report is passed on to moto. First (`prepare`): the address of a server without
identities, and a directory; users and roles are made through the server, and their snapshot and
logs of what they did are written there. Then (`run`): the address of a server with these, that
directory, the program `custodian`, and a directory of reports.
"""

import datetime
import json
import os
import pathlib
import subprocess
import sys

import boto3
from botocore.exceptions import ClientError
from replies import reports

ACCOUNT = "210987654321"
ALLOW = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Action": ["dynamodb:*", "s3:*"], "Resource": "*"},
    }
)
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})

# Who used what how many days ago; those of whom nothing is said used nothing.
DAYS = {
    "user/ann": {"dynamodb": 3, "s3": 200},
    "user/ops/ben": {"dynamodb": 60},
    "user/cleo": {},
    "role/app": {"s3": 1, "dynamodb": 2},
    "role/ci/build": {"s3": 120},
    "role/idle": {},
    "role/ci/idle-too": {},
}

# What Custodian must find.
FOUND = {
    "roles-never-used": {"role/idle", "role/ci/idle-too"},
    "users-never-used": {"user/cleo"},
    "users-of-dynamodb": {"user/ann"},
    "roles-long-without-s3": {"role/ci/build"},
    "users-of-anything": {"user/ann", "user/ops/ben"},
}


def usage(resource, match, **attributes):
    return {
        "resource": f"aws.iam-{resource}",
        "filters": [{"type": "usage", "match-operator": match, "poll-delay": 0.1, **attributes}],
    }


def age(op, days):
    return {"type": "value", "value_type": "age", "op": op, "value": days}


POLICIES = {
    "roles-never-used": usage("role", "all", LastAuthenticated=None),
    "users-never-used": usage("user", "all", LastAuthenticated=None),
    "users-of-dynamodb": usage(
        "user",
        "any",
        ServiceNamespace="dynamodb",
        TotalAuthenticatedEntities=1,
        LastAuthenticated=age("less-than", 30),
    ),
    "roles-long-without-s3": usage(
        "role", "any", ServiceNamespace="s3", LastAuthenticated=age("greater-than", 90)
    ),
    "users-of-anything": usage("user", "any", TotalAuthenticatedEntities=1),
}


def arn(name):
    return f"arn:aws:iam::{ACCOUNT}:{name}"


def prepare(endpoint, directory):
    os.environ |= {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"}
    iam = boto3.client("iam", endpoint_url=endpoint, region_name="us-east-1")
    for name in DAYS:
        kind, _, path_and_name = name.partition("/")
        path, _, own = f"/{path_and_name}".rpartition("/")
        parameters = {f"{kind.capitalize()}Name": own, "Path": f"{path}/"}
        if kind == "role":
            parameters["AssumeRolePolicyDocument"] = TRUST
        made = getattr(iam, f"create_{kind}")(**parameters)[kind.capitalize()]
        assert made["Arn"] == arn(name), made
        policy = {f"{kind.capitalize()}Name": own, "PolicyName": "use", "PolicyDocument": ALLOW}
        getattr(iam, f"put_{kind}_policy")(**policy)
    try:
        iam.get_role(RoleName="nobody")
    except iam.exceptions.NoSuchEntityException as error:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 404, error.response
    else:
        raise AssertionError("moto's error did not come through")
    # Without a snapshot of identities nothing can be said of them.
    try:
        iam.generate_service_last_accessed_details(Arn=arn("role/app"))
    except ClientError as error:
        assert error.response["Error"]["Code"] == "InvalidAction", error.response
    else:
        raise AssertionError("a report without identities")

    pages = list(iam.get_paginator("get_account_authorization_details").paginate())
    ids = {}
    for number, page in enumerate(pages):
        page.pop("ResponseMetadata")
        for kind in ("User", "Role"):
            ids |= {it["Arn"]: it[f"{kind}Id"] for it in page[f"{kind}DetailList"]}
        file = pathlib.Path(directory, "identities", f"{number}.json")
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(page, default=lambda time: time.isoformat()), "utf-8")
    assert set(ids) == {arn(name) for name in DAYS}, ids

    used = [(name, *use) for name, uses in DAYS.items() for use in uses.items()]
    records = [
        record(name, ids[arn(name)], service, days)
        | {"eventID": f"00000000-0000-4000-8000-{number:012}"}
        for number, (name, service, days) in enumerate(used)
    ]
    file = pathlib.Path(directory, "logs", "records.json")
    file.parent.mkdir()
    file.write_text(json.dumps({"Records": records}), "utf-8")


def record(name, identifier, service, days):
    """Returns what CloudTrail would have logged."""
    time = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=days)
    own = name.rpartition("/")[2]
    if name.startswith("user/"):
        identity = {"type": "IAMUser", "principalId": identifier, "arn": arn(name)}
        identity["userName"] = own
    else:
        issuer = {"type": "Role", "principalId": identifier, "arn": arn(name), "userName": own}
        identity = {
            "type": "AssumedRole",
            "principalId": f"{identifier}:session",
            "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{own}/session",
            "sessionContext": {"sessionIssuer": issuer | {"accountId": ACCOUNT}},
        }
    return {
        "eventVersion": "1.11",
        "userIdentity": identity | {"accountId": ACCOUNT},
        "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": f"{service}.amazonaws.com",
        "eventName": {"s3": "ListBuckets", "dynamodb": "ListTables"}[service],
        "awsRegion": "eu-central-1",
        "sourceIPAddress": "203.0.113.7",
        "userAgent": "test",
        "eventType": "AwsApiCall",
        "eventCategory": "Management",
        "recipientAccountId": ACCOUNT,
    }


def run(endpoint, directory, custodian, wanted):
    file = pathlib.Path(directory, "policies.json")
    policies = [{"name": name, **policy} for name, policy in POLICIES.items()]
    file.write_text(json.dumps({"policies": policies}), "utf-8")
    found = pathlib.Path(directory, "found")
    environment = os.environ | {
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": endpoint,
        "HOME": directory,
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [custodian, "run", "--cache-period=0", "-s", str(found), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    services = reports(wanted, "SERVICE_LEVEL")
    for name, expected in FOUND.items():
        resources = json.loads((found / name / "resources.json").read_text("utf-8"))
        arns = {resource["Arn"] for resource in resources}
        assert arns == {arn(it) for it in expected}, f"{name}: {arns} {done.stderr}"
    # The reports of the program say the same of those never used.
    for name, used in DAYS.items():
        rows = services[arn(name)]["ServicesLastAccessed"]
        assert {row["ServiceNamespace"] for row in rows} == {"dynamodb", "s3"}, rows
        times = {row["ServiceNamespace"] for row in rows if "LastAuthenticated" in row}
        assert times == set(used), f"{name}: {rows}"


{"prepare": prepare, "run": run}[sys.argv[1]](*sys.argv[2:])
print("OK")
