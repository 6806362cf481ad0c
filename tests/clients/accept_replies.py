"""Checks that botocore takes the JSON in the directory given for replies of AWS.

botocore's own validator knows required members, unknown members and types; enumerations, patterns
and lengths of its model are checked here, as are the order of members and the AWS CLI's layout.
"""

import datetime
import json
import pathlib
import re
import sys

import botocore.session
from botocore.stub import Stubber
from botocore.validate import ParamValidator

OPERATION = "GetOrganizationsAccessReport"
MILLISECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
SECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")

session = botocore.session.Session()
model = session.get_service_model("iam")
shape = model.operation_model(OPERATION).output_shape
client = session.create_client(
    "iam", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
)


def constraints(shape, value, path, found):
    """Appends what the model forbids of a value and the validator does not look at."""
    if shape.type_name == "structure":
        order = [member for member in shape.members if member in value]
        if [member for member in value if member in shape.members] != order:
            found.append(f"{path}: members out of order: {list(value)}")
        for member, inner in value.items():
            if member in shape.members:
                constraints(shape.members[member], inner, f"{path}.{member}", found)
    elif shape.type_name == "list":
        for place, inner in enumerate(value):
            constraints(shape.member, inner, f"{path}[{place}]", found)
    elif shape.type_name == "string" and isinstance(value, str):
        limits = shape.metadata
        if not limits.get("min", 0) <= len(value) <= limits.get("max", len(value)):
            found.append(f"{path}: length {len(value)}")
        if "enum" in limits and value not in limits["enum"]:
            found.append(f"{path}: {value!r} is none of {limits['enum']}")
        if "pattern" in limits and not re.fullmatch(limits["pattern"], value):
            found.append(f"{path}: {value!r} does not match {limits['pattern']}")


def with_times(shape, value, form=MILLISECONDS):
    """Returns the value with its timestamps as botocore's parser would give them."""
    if shape.type_name == "structure" and isinstance(value, dict):
        forms = {"LastAuthenticatedTime": SECONDS}
        return {
            name: with_times(shape.members[name], inner, forms.get(name, form))
            if name in shape.members
            else inner
            for name, inner in value.items()
        }
    if shape.type_name == "list" and isinstance(value, list):
        return [with_times(shape.member, inner) for inner in value]
    if shape.type_name == "timestamp" and isinstance(value, str):
        assert form.fullmatch(value), value
        return datetime.datetime.fromisoformat(value)
    return value


def problems(reply):
    """Returns all that keeps a reply from being AWS's."""
    timed = with_times(shape, reply)
    found = []
    report = ParamValidator().validate(timed, shape)
    if report.has_errors():
        found.append(report.generate_report())
    constraints(shape, reply, OPERATION, found)
    return found


def accept(reply):
    found = problems(reply)
    assert not found, found
    timed = with_times(shape, reply)
    with Stubber(client) as stub:
        stub.add_response("get_organizations_access_report", timed)
        answer = client.get_organizations_access_report(JobId="0" * 36)
    answer.pop("ResponseMetadata", None)
    assert answer == timed


def refused(reply, **changes):
    """Checks that the checks see something."""
    assert problems({**reply, **changes}), changes


directory = pathlib.Path(sys.argv[1])
replies = {}
for path in sorted(directory.glob("*.json")):
    text = path.read_text(encoding="utf-8")
    reply = replies[path.stem] = json.loads(text)
    assert text == json.dumps(reply, indent=4, ensure_ascii=False) + "\n", path
    accept(reply)

assert set(replies) == {"completed", "truncated", "failed", "empty"}, replies
completed, truncated, failed, empty = (
    replies[name] for name in ("completed", "truncated", "failed", "empty")
)
rows = completed["AccessDetails"]
account = "o-exampleorg01/r-ex01/ou-ex01-workloads/111122223333"
assert rows == [
    {
        "ServiceName": "Amazon DynamoDB",
        "ServiceNamespace": "dynamodb",
        "Region": "eu-west-1",
        "EntityPath": account,
        "LastAuthenticatedTime": "2026-05-25T16:29:52Z",
        "TotalAuthenticatedEntities": 2,
    },
    {
        "ServiceName": "AWS Identity and Access Management",
        "ServiceNamespace": "iam",
        "EntityPath": account,
        "LastAuthenticatedTime": "2026-05-25T16:29:52Z",
        "TotalAuthenticatedEntities": 1,
    },
    {"ServiceName": "Amazon S3", "ServiceNamespace": "s3", "TotalAuthenticatedEntities": 0},
]
assert completed["IsTruncated"] is False and "Marker" not in completed
assert truncated["IsTruncated"] is True and truncated["Marker"] == "bWFya2Vy"
assert truncated["NumberOfServicesAccessible"] == 3 and len(truncated["AccessDetails"]) == 2
assert empty["AccessDetails"] == [] and empty["NumberOfServicesAccessible"] == 0
assert sorted(failed) == [
    "ErrorDetails",
    "IsTruncated",
    "JobCompletionDate",
    "JobCreationDate",
    "JobStatus",
], failed

refused(completed, JobStatus="DONE")
refused(completed, Details={})
refused(completed, Marker="")
refused(completed, NumberOfServicesAccessible="3")
refused(completed, AccessDetails=[{**rows[0], "EntityPath": "r-ex01"}])
refused(completed, AccessDetails=[{"ServiceName": "x"}])
refused({name: completed[name] for name in sorted(completed)})

lines = (directory / "several.jsonl").read_text(encoding="utf-8").splitlines()
several = [json.loads(line) for line in lines]
assert [line["Report"] for line in several] == [completed, truncated, failed, empty]
assert [line.get("OrganizationsPolicyId") for line in several] == [
    None,
    "p-FullAWSAccess",
    None,
    None,
]
assert {line["EntityPath"] for line in several} == {"o-exampleorg01/r-ex01"}
print("OK")
