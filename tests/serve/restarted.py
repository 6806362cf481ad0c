"""Jobs of a server with `--state` that is ended and started again.

Arguments: the server's address, a directory of reports made with its input, and a file of what was
answered, which is written if it is not there, and otherwise what must be answered again.
"""

import json
import pathlib
import sys

from replies import Iam, reports

endpoint, wanted, file = sys.argv[1:]
iam = Iam(endpoint)
answers = pathlib.Path(file)

paths = reports(wanted, "organizations")
ROOT = min(paths, key=len)
LARGE = max(paths, key=lambda path: len(paths[path].get("AccessDetails", [])))
GET = "GetOrganizationsAccessReport"


def before():
    """Makes jobs of every kind; returns calls with their answers."""
    calls = []

    def note(operation, **parameters):
        found = iam.call(operation, **parameters)
        calls.append([operation, parameters, found])
        return found

    for path in (ROOT, LARGE, f"{ROOT}/ou-ex4m-nowhere1"):
        job = iam.job("OrganizationsAccessReport", EntityPath=path)
        note(GET, JobId=job, MaxItems=1000)
    policy = {"EntityPath": ROOT, "OrganizationsPolicyId": "p-FullAWSAccess"}
    note(GET, JobId=iam.job("OrganizationsAccessReport", **policy))
    job = note("GenerateOrganizationsAccessReport", EntityPath=LARGE)["JobId"]
    key = {"SortKey": "LAST_AUTHENTICATED_TIME_DESCENDING"}
    page = note(GET, JobId=job, **key)
    note(GET, JobId=job, Marker=page["Marker"], **key)
    for arn in reports(wanted, "SERVICE_LEVEL"):
        for granularity in ("SERVICE_LEVEL", "ACTION_LEVEL"):
            job = iam.job("ServiceLastAccessedDetails", Arn=arn, Granularity=granularity)
            page = note("GetServiceLastAccessedDetails", JobId=job)
            if "Marker" in page:
                note("GetServiceLastAccessedDetails", JobId=job, Marker=page["Marker"])
            more = {"JobId": job, "ServiceNamespace": "s3"}
            note("GetServiceLastAccessedDetailsWithEntities", **more)
    return calls


if answers.exists():
    for operation, parameters, found in json.loads(answers.read_text("utf-8")):
        if not operation.startswith("Generate"):
            again = iam.call(operation, **parameters)
            assert again == found, f"{operation} {parameters}: {again}, before {found}"
else:
    answers.write_text(json.dumps(before()), "utf-8")
print("OK")
