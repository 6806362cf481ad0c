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
from botocore import xform_name
from botocore.stub import Stubber
from botocore.validate import ParamValidator

ORGANIZATIONS = "GetOrganizationsAccessReport"
SERVICES = "GetServiceLastAccessedDetails"
ENTITIES = "GetServiceLastAccessedDetailsWithEntities"
MILLISECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
SECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")

session = botocore.session.Session()
model = session.get_service_model("iam")
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
        forms = dict.fromkeys(
            ("LastAuthenticatedTime", "LastAuthenticated", "LastAccessedTime"), SECONDS
        )
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


def problems(reply, operation=ORGANIZATIONS):
    """Returns all that keeps a reply from being AWS's."""
    shape = model.operation_model(operation).output_shape
    timed = with_times(shape, reply)
    found = []
    report = ParamValidator().validate(timed, shape)
    if report.has_errors():
        found.append(report.generate_report())
    constraints(shape, reply, operation, found)
    return found


def accept(reply, operation=ORGANIZATIONS):
    found = problems(reply, operation)
    assert not found, found
    timed = with_times(model.operation_model(operation).output_shape, reply)
    asked = {"JobId": "0" * 36}
    if operation == ENTITIES:
        asked["ServiceNamespace"] = "dynamodb"
    with Stubber(client) as stub:
        method = xform_name(operation)
        stub.add_response(method, timed)
        answer = getattr(client, method)(**asked)
    answer.pop("ResponseMetadata", None)
    assert answer == timed


def refused(reply, operation=ORGANIZATIONS, **changes):
    """Checks that the checks see something."""
    assert problems({**reply, **changes}, operation), changes


def operation_of(stem):
    kinds = {"services": SERVICES, "entities": ENTITIES}
    return kinds.get(stem.split("-")[0], ORGANIZATIONS)


directory = pathlib.Path(sys.argv[1])
replies = {}
for path in sorted(directory.glob("*.json")):
    text = path.read_text(encoding="utf-8")
    reply = replies[path.stem] = json.loads(text)
    assert text == json.dumps(reply, indent=4, ensure_ascii=False) + "\n", path
    accept(reply, operation_of(path.stem))

of_organizations = {name for name in replies if operation_of(name) == ORGANIZATIONS}
assert of_organizations == {"completed", "truncated", "failed", "empty"}, replies
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

role = "arn:aws:iam::111122223333:role/service-role/build"
services, cut, none = (replies[f"services-{name}"] for name in ("completed", "truncated", "empty"))
assert services["JobType"] == "ACTION_LEVEL" and services["IsTruncated"] is False
used, unused = services["ServicesLastAccessed"]
assert used == {
    "ServiceName": "Amazon DynamoDB",
    "LastAuthenticated": "2026-05-25T16:29:52Z",
    "ServiceNamespace": "dynamodb",
    "LastAuthenticatedEntity": role,
    "LastAuthenticatedRegion": "eu-west-1",
    "TotalAuthenticatedEntities": 1,
    "TrackedActionsLastAccessed": [
        {
            "ActionName": "CreateTable",
            "LastAccessedEntity": role,
            "LastAccessedTime": "1969-12-31T23:59:59Z",
        },
        {"ActionName": "DeleteTable"},
    ],
}
assert unused == {
    "ServiceName": "Amazon S3",
    "ServiceNamespace": "s3",
    "TotalAuthenticatedEntities": 0,
}
assert cut["IsTruncated"] is True and cut["Marker"] == "bWFya2Vy"
assert cut["ServicesLastAccessed"] == [used] and none["ServicesLastAccessed"] == []
refused(services, SERVICES, JobType="ACTION")
refused(services, SERVICES, Details={})
refused(services, SERVICES, ServicesLastAccessed=[{**used, "LastAuthenticatedEntity": "role"}])
refused(services, SERVICES, ServicesLastAccessed=[{"ServiceName": "x"}])
refused({name: services[name] for name in sorted(services)}, SERVICES)

entities, cut, none = (replies[f"entities-{name}"] for name in ("completed", "truncated", "empty"))
first, second = entities["EntityDetailsList"]
assert first == {
    "EntityInfo": {
        "Arn": role,
        "Name": "build",
        "Type": "ROLE",
        "Id": "AROAEXAMPLEEXAMPLEEXA",
        "Path": "/service-role/",
    },
    "LastAuthenticated": "2026-05-25T16:29:52Z",
}
assert sorted(second) == ["EntityInfo"] and second["EntityInfo"]["Type"] == "USER"
assert cut["IsTruncated"] is True and cut["Marker"] == "bWFya2Vy"
assert cut["EntityDetailsList"] == [first] and none["EntityDetailsList"] == []
refused({name: entities[name] for name in entities if name != "EntityDetailsList"}, ENTITIES)
refused(entities, ENTITIES, EntityDetailsList=[{**first, "Details": {}}])
unknown = {**first["EntityInfo"], "Type": "X"}
refused(entities, ENTITIES, EntityDetailsList=[{"EntityInfo": unknown}])
refused(entities, ENTITIES, JobType="SERVICE_LEVEL")
print("OK")
