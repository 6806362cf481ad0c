"""The AWS CLI against a running server, as people type it.

Arguments: the server's address, a directory of reports made with its input, the program `aws`.
"""

import json
import os
import subprocess
import sys
import tempfile

from replies import reports, without_dates

endpoint, wanted, aws = sys.argv[1:]
environment = os.environ | {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_PAGER": "",
    "PYTHONDONTWRITEBYTECODE": "1",
}

paths = reports(wanted, "organizations")
ROOT = min(paths, key=len)
LARGE = max(paths, key=lambda path: len(paths[path].get("AccessDetails", [])))
services = reports(wanted, "ACTION_LEVEL")
ROLE = "arn:aws:iam::888888888888:role/builder"
GET = "get-organizations-access-report"


def run(*arguments, code=0, **more):
    """Runs `aws iam` with an endpoint from the environment; returns what it printed."""
    settings = environment | {"AWS_ENDPOINT_URL_IAM": endpoint} | more
    settings = {name: it for name, it in settings.items() if it is not None}
    command = [aws, "iam", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=settings, check=False)
    assert done.returncode == code, f"{arguments}: {done.returncode} {done.stdout} {done.stderr}"
    if code:
        return done.stderr
    assert done.stderr == "", f"{arguments}: {done.stderr}"
    return done.stdout


def organizations():
    command = "generate-organizations-access-report"
    flag = [f"--endpoint-url={endpoint}"]
    more = {"AWS_ENDPOINT_URL_IAM": None}
    job = json.loads(run(command, "--entity-path", ROOT, *flag, **more))["JobId"]
    assert json.loads(run(command, "--entity-path", ROOT, "--no-sign-request"))["JobId"] == job
    found = json.loads(run(GET, "--job-id", job))
    assert list(found) == list(paths[ROOT]), list(found)
    assert without_dates(found) == without_dates(paths[ROOT]), found

    # The columns of a table and of a text are those of the members.
    rows = paths[ROOT]["AccessDetails"]
    query = "AccessDetails[].[ServiceNamespace,TotalAuthenticatedEntities,LastAuthenticatedTime]"
    said = run(GET, "--job-id", job, "--query", query, "--output", "text")
    lines = [
        "\t".join(
            str(row.get(name, "None"))
            for name in ("ServiceNamespace", "TotalAuthenticatedEntities", "LastAuthenticatedTime")
        )
        for row in rows
    ]
    assert said.splitlines() == lines, said
    table = run(GET, "--job-id", job, "--output", "table", "--sort-key", BY_TIME)
    assert "GetOrganizationsAccessReport" in table and "Amazon Athena" in table, table
    assert "NumberOfServicesAccessible" in table, table

    # Pages, put together by hand as the reference of the command shows.
    skeleton = json.loads(run(GET, "--generate-cli-skeleton"))
    assert set(skeleton) == {"JobId", "MaxItems", "Marker", "SortKey"}, skeleton
    job = json.loads(run(command, "--entity-path", LARGE))["JobId"]
    first = json.loads(run(GET, "--job-id", job, "--sort-key", BY_TIME))
    assert len(first["AccessDetails"]) == 100 and first["IsTruncated"], first
    request = skeleton | {"JobId": job, "MaxItems": 1000, "Marker": first["Marker"]}
    request |= {"SortKey": BY_TIME}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(request, file)
        file.flush()
        rest = json.loads(run(GET, "--cli-input-json", f"file://{file.name}"))
    assert not rest["IsTruncated"] and "Marker" not in rest, rest
    by_time = sorted(
        paths[LARGE]["AccessDetails"], key=lambda row: row.get("LastAuthenticatedTime", "")
    )
    assert first["AccessDetails"] + rest["AccessDetails"] == by_time[::-1]
    marker = first["Marker"]
    one = run(GET, "--job-id", job, "--max-items", "1", "--marker", marker, "--sort-key", BY_TIME)
    assert json.loads(one)["AccessDetails"] == rest["AccessDetails"][:1], one

    failed = run(command, "--entity-path", f"{ROOT}/ou-ex4m-nowhere1", "--query", "JobId")
    found = json.loads(run(GET, "--job-id", json.loads(failed)))
    assert found["ErrorDetails"]["Code"] == "INVALID_ORGANIZATIONS_ENTITY_PATH", found


BY_TIME = "LAST_AUTHENTICATED_TIME_DESCENDING"


def entities():
    generate = ["generate-service-last-accessed-details", "--arn", ROLE, "--output", "text"]
    job = run(*generate, "--granularity", "ACTION_LEVEL").strip()
    details = "get-service-last-accessed-details"
    found = json.loads(run(details, "--job-id", job))
    assert without_dates(found) == without_dates(services[ROLE]), found
    more = ["--job-id", job, "--service-namespace", "lambda"]
    found = json.loads(run(f"{details}-with-entities", *more))
    report = reports(wanted, "entities-lambda")[ROLE]
    assert without_dates(found) == without_dates(report), found
    more = ["--arn", ROLE, "--service-namespaces", "lambda", "s3", "--output", "json"]
    found = json.loads(run("list-policies-granting-service-access", *more))
    policies = {it["ServiceNamespace"]: it.get("Policies") for it in found.pop(LIST)}
    build = {"PolicyName": "build", "PolicyType": "INLINE"}
    build |= {"EntityType": "ROLE", "EntityName": "builder"}
    assert policies == {"lambda": [build], "s3": []}, policies


LIST = "PoliciesGrantingServiceAccess"


def refusals():
    job = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
    message = f"operation: Job {job} does not exist."
    said = run(GET, "--job-id", job, code=255)
    assert "(NoSuchEntity)" in said and message in said, said
    said = run("get-service-last-accessed-details", "--job-id", job, code=255)
    assert "(NoSuchEntity)" in said and message in said, said
    said = run("get-role", "--role-name", "any", code=255)
    assert "(InvalidAction)" in said, said


organizations()
entities()
refusals()
print("OK")
