"""Jobs of a server with `--job-time`: in progress at first, one of organizations at a time.

Arguments: the server's address, a directory of reports made with its input, the seconds of a job.
"""

import datetime
import sys
import threading
import time

from replies import Iam, reports, without_dates

endpoint, wanted, seconds = sys.argv[1:]
iam = Iam(endpoint)

paths = reports(wanted, "organizations")
ROOT, OTHER = sorted(paths, key=len)[:2]
services = reports(wanted, "SERVICE_LEVEL")


def in_progress(operation, job, more):
    found = iam.call(operation, JobId=job, **more)
    assert found["JobStatus"] == "IN_PROGRESS", found
    assert not found.get("IsTruncated", False) and "JobCompletionDate" not in found, found
    return found


def completed(operation, job, more):
    """Polls as clients do; the one who runs the tests ends what never comes."""
    while (found := iam.call(operation, JobId=job, **more))["JobStatus"] == "IN_PROGRESS":
        time.sleep(0.2)
    took = [
        datetime.datetime.fromisoformat(found[name])
        for name in ("JobCreationDate", "JobCompletionDate")
    ]
    assert took[1] - took[0] >= datetime.timedelta(seconds=float(seconds)), took
    assert took[1] <= datetime.datetime.now(datetime.UTC), took
    return found


def organizations():
    get = "GetOrganizationsAccessReport"
    job = iam.job("OrganizationsAccessReport", EntityPath=ROOT)
    # Nothing else is said of a job in progress (O9).
    found = in_progress(get, job, {"MaxItems": 1})
    created = found.pop("JobCreationDate")
    assert found == {"JobStatus": "IN_PROGRESS", "IsTruncated": False}, found
    assert iam.job("OrganizationsAccessReport", EntityPath=ROOT) == job
    other = {"EntityPath": OTHER}
    operation = "GenerateOrganizationsAccessReport"
    iam.refused("ReportGenerationLimitExceeded", 409, None, operation, **other)
    policy = {"EntityPath": ROOT, "OrganizationsPolicyId": "p-FullAWSAccess"}
    iam.refused("ReportGenerationLimitExceeded", 409, None, operation, **policy)
    # What is wrong at once is said first.
    iam.refused("ValidationError", 400, None, operation, EntityPath="o-wrong")
    iam.refused("AccessDenied", 403, None, operation, EntityPath="o-anotherorgan/r-ex4m")
    # Service jobs do not count, and are as many as one likes.
    details = "GetServiceLastAccessedDetails"
    jobs = {arn: iam.job("ServiceLastAccessedDetails", Arn=arn) for arn in services}
    assert len(set(jobs.values())) == len(services)
    last = list(jobs.values())[-1]
    assert "LastAuthenticated" not in str(in_progress(details, last, {}))
    entities = {"ServiceNamespace": "s3"}
    in_progress("GetServiceLastAccessedDetailsWithEntities", last, entities)

    found = completed(get, job, {})
    assert found["JobCreationDate"] == created, found
    assert without_dates(found) == without_dates(paths[ROOT])
    for arn, job in jobs.items():
        found = completed(details, job, {"MaxItems": 1000})
        assert without_dates(found) == without_dates(services[arn]), arn
    # The next may begin; a job that will fail is in progress too.
    nowhere = {"EntityPath": f"{ROOT}/ou-ex4m-nowhere1"}
    job = iam.job("OrganizationsAccessReport", **nowhere)
    in_progress(get, job, {})
    iam.refused("ReportGenerationLimitExceeded", 409, None, operation, **other)
    found = completed(get, job, {})
    assert found["JobStatus"] == "FAILED" and "ErrorDetails" in found, found


def many_at_once():
    """Of many who ask at once for different reports one is told a job, the others to wait."""
    told, failures = {}, []
    others = [path for path in paths if path != ROOT]

    def ask(path, own):
        try:
            together.wait()
            told[path] = own.job("OrganizationsAccessReport", EntityPath=path)
        except own.client.exceptions.ReportGenerationLimitExceededException as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 409
        except BaseException as error:
            failures.append(error)

    # Made before, for that takes long.
    clients = [(path, Iam(endpoint)) for path in others[:8]]
    together = threading.Barrier(len(clients))
    threads = [threading.Thread(target=ask, args=client) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures
    assert len(told) == 1, told


organizations()
many_at_once()
print("OK")
