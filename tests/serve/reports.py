"""boto3 gets from a running server what the program reports: every row, member, order and page.

Arguments: the server's address and a directory of reports, made with its input.
"""

import sys
import threading

from botocore.exceptions import ClientError
from replies import Iam, reports, unsigned, without_dates

endpoint, wanted = sys.argv[1:]
POLICIES = ["", *sorted(set(open(f"{wanted}/policies.txt").read().split()))]
NAMESPACES = open(f"{wanted}/namespaces.txt").read().split()
TIME = "LastAuthenticatedTime"

iam = Iam(endpoint)


def in_order(rows, key):
    """Returns rows that stand by namespace in the order of a sort key (O7)."""
    kind, _, direction = key.rpartition("_")
    if kind == "LAST_AUTHENTICATED_TIME":
        rows = sorted(rows, key=lambda row: row.get(TIME, ""))
    return rows if direction == "ASCENDING" else rows[::-1]


KEYS = [
    f"{kind}_{direction}"
    for kind in ("SERVICE_NAMESPACE", "LAST_AUTHENTICATED_TIME")
    for direction in ("ASCENDING", "DESCENDING")
]


def pages(sizes, rows_of, operation, **parameters):
    """Returns the rows of all pages, asking for each size in turn and the last one for the rest."""
    rows, found = [], {}
    sizes = list(sizes)
    while True:
        size = sizes.pop(0) if len(sizes) > 1 else sizes[0]
        more = {} if size is None else {"MaxItems": size}
        if found:
            more["Marker"] = found["Marker"]
        found = iam.call(operation, **parameters, **more)
        page = found.pop(rows_of)
        assert len(page) <= (size or 100), f"{len(page)} rows on a page of {size}"
        rows += page
        assert found["IsTruncated"] == ("Marker" in found), found
        if not found["IsTruncated"]:
            return found, rows
        assert len(page) == (size or 100), f"a page of {size} has {len(page)} rows"


def organizations():
    jobs = {}
    every = {policy: reports(wanted, f"organizations{policy}") for policy in POLICIES}
    for policy, of_policy in every.items():
        for path, report in of_policy.items():
            more = {"OrganizationsPolicyId": policy} if policy else {}
            job = iam.job("OrganizationsAccessReport", EntityPath=path, **more)
            assert job not in jobs, f"{path} {policy}: the job of {jobs[job]}"
            jobs[job] = path, policy
            found = iam.call("GetOrganizationsAccessReport", JobId=job, MaxItems=1000)
            assert without_dates(found) == without_dates(report), f"{path} {policy}: {found}"
            if found["JobStatus"] == "FAILED":
                continue
            assert found["JobCreationDate"] <= found["JobCompletionDate"], found
            # The first page of the default size, its counts those of the whole report (O6).
            first = iam.call("GetOrganizationsAccessReport", JobId=job)
            rows = report["AccessDetails"]
            assert first["AccessDetails"] == rows[:100], path
            assert first["IsTruncated"] == (len(rows) > 100), path
            for name in ("NumberOfServicesAccessible", "NumberOfServicesNotAccessed"):
                assert first[name] == found[name], f"{path}: {name}"
            dates = [it["JobCreationDate"] + it["JobCompletionDate"] for it in (first, found)]
            assert dates[0] == dates[1], f"{path}: {dates}"
            if policy and len(rows) > 100:
                # The management account's, which is the same for every policy.
                continue
            for key in KEYS if policy == "" else KEYS[3:]:
                sizes = [1, 60, None] if len(rows) > 100 else [3, 1, None]
                parameters = {"JobId": job, "SortKey": key}
                whole, sorted_rows = pages(
                    sizes, "AccessDetails", "GetOrganizationsAccessReport", **parameters
                )
                assert sorted_rows == in_order(rows, key), f"{path} {policy} {key}"
                assert without_dates(whole | {"AccessDetails": rows}) == without_dates(report)
    # Jobs answer after others were made, in whatever order they are asked.
    for job, (path, policy) in reversed(jobs.items()):
        found = iam.call("GetOrganizationsAccessReport", JobId=job, MaxItems=2)
        rows = every[policy][path].get("AccessDetails", [])[:2]
        assert found.get("AccessDetails", []) == rows, f"{path} {policy}"


def every_size_of_page():
    root = min(reports(wanted, "organizations"), key=len)
    report = reports(wanted, "organizations")[root]
    job = iam.job("OrganizationsAccessReport", EntityPath=root)
    for size in range(1, len(report["AccessDetails"]) + 2):
        _, rows = pages([size], "AccessDetails", "GetOrganizationsAccessReport", JobId=job)
        assert rows == report["AccessDetails"], f"pages of {size}"
    larger = max(reports(wanted, "organizations").items(), key=lambda it: len(str(it[1])))
    path, rows = larger[0], larger[1]["AccessDetails"]
    assert len(rows) > 400, path
    job = iam.job("OrganizationsAccessReport", EntityPath=path)
    for size in (len(rows) - 1, len(rows), len(rows) + 1, 1000):
        _, found = pages([size], "AccessDetails", "GetOrganizationsAccessReport", JobId=job)
        assert found == rows, f"pages of {size}"


def failed():
    """Jobs of entities and policies that do not exist fail (O10), though their values are valid."""
    root = min(reports(wanted, "organizations"), key=len)
    entity = {
        "Code": "INVALID_ORGANIZATIONS_ENTITY_PATH",
        "Message": "The entity with the specified path does not exist in your organization.",
    }
    policy = {
        "Code": "INVALID_ORGANIZATIONS_POLICY",
        "Message": "The policy with the specified ID does not exist in your organization.",
    }
    path, _ = max((path.split("/", 2)[2:], path) for path in reports(wanted, "organizations"))
    elsewhere = f"{root}/ou-ex4m-nowhere1/{path[0].rpartition('/')[2]}"
    cases = [
        ({"EntityPath": f"{root}/ou-ex4m-nowhere1"}, entity),
        ({"EntityPath": f"{root}/000000000000"}, entity),
        ({"EntityPath": elsewhere}, entity),
        ({"EntityPath": root.rpartition("/")[0] + "/r-zzzz"}, entity),
        ({"EntityPath": root, "OrganizationsPolicyId": "p-nosuchpolicy"}, policy),
    ]
    for parameters, details in cases:
        job = iam.job("OrganizationsAccessReport", **parameters)
        for more in ({}, {"MaxItems": 1}, {"SortKey": KEYS[3]}):
            found = iam.call("GetOrganizationsAccessReport", JobId=job, **more)
            dates = found.pop("JobCreationDate"), found.pop("JobCompletionDate")
            assert dates[0] <= dates[1], dates
            wanted_reply = {"JobStatus": "FAILED", "IsTruncated": False, "ErrorDetails": details}
            assert found == wanted_reply, f"{parameters}: {found}"
    # A slash at the end is dropped.
    job = iam.job("OrganizationsAccessReport", EntityPath=f"{root}/")
    found = iam.call("GetOrganizationsAccessReport", JobId=job)
    assert without_dates(found) == without_dates(reports(wanted, "organizations")[root]), found


def services():
    jobs = {}
    for granularity in ("SERVICE_LEVEL", "ACTION_LEVEL"):
        for arn, report in reports(wanted, granularity).items():
            job = iam.job("ServiceLastAccessedDetails", Arn=arn, Granularity=granularity)
            assert job not in jobs, f"{arn} {granularity}: the job of {jobs[job]}"
            jobs[job] = arn, granularity
            found = iam.call("GetServiceLastAccessedDetails", JobId=job, MaxItems=1000)
            assert without_dates(found) == without_dates(report), f"{arn} {granularity}: {found}"
            assert found["JobCreationDate"] <= found["JobCompletionDate"], found
            rows = report["ServicesLastAccessed"]
            sizes = [1, 70, None] if len(rows) > 100 else [2, 1, None]
            whole, found = pages(
                sizes, "ServicesLastAccessed", "GetServiceLastAccessedDetails", JobId=job
            )
            assert found == rows, f"{arn} {granularity}"
            assert without_dates(whole | {"ServicesLastAccessed": rows}) == without_dates(report)
    # The level of services is what is meant if none is said.
    arn = min(reports(wanted, "SERVICE_LEVEL"))
    found = iam.call(
        "GetServiceLastAccessedDetails", JobId=iam.job("ServiceLastAccessedDetails", Arn=arn)
    )
    assert found["JobType"] == "SERVICE_LEVEL", found
    return {which: job for job, which in jobs.items()}


def entities(jobs):
    some = set()
    for namespace in NAMESPACES:
        for arn, report in reports(wanted, f"entities-{namespace}").items():
            for granularity in ("SERVICE_LEVEL", "ACTION_LEVEL"):
                parameters = {"JobId": jobs[arn, granularity], "ServiceNamespace": namespace}
                operation = "GetServiceLastAccessedDetailsWithEntities"
                found = iam.call(operation, **parameters)
                assert without_dates(found) == without_dates(report), f"{arn} {namespace}: {found}"
                rows = report["EntityDetailsList"]
                some.add(len(rows))
                if len(rows) > 1:
                    _, joined = pages([1], "EntityDetailsList", operation, **parameters)
                    assert joined == rows, f"{arn} {namespace}"
    assert {0, 1, 2} < some, some


def others_ask_the_same():
    """Another client is told the same job: without credentials, of another Region."""
    path = min(reports(wanted, "organizations"), key=len)
    arn = min(reports(wanted, "SERVICE_LEVEL"))
    job = iam.job("OrganizationsAccessReport", EntityPath=path)
    service = iam.job("ServiceLastAccessedDetails", Arn=arn)
    assert iam.job("OrganizationsAccessReport", EntityPath=path) == job
    assert iam.job("ServiceLastAccessedDetails", Arn=arn) == service
    assert iam.job("ServiceLastAccessedDetails", Arn=arn, Granularity="SERVICE_LEVEL") == service
    for other in (
        unsigned(endpoint),
        Iam(endpoint, region="eu-central-1"),
        Iam(endpoint, region="cn-north-1"),
        Iam(endpoint, region="us-gov-west-1", token="a session's token"),
        Iam(endpoint, max_pool_connections=1, tcp_keepalive=True),
    ):
        assert other.job("OrganizationsAccessReport", EntityPath=path) == job
        assert other.job("ServiceLastAccessedDetails", Arn=arn) == service
        found = other.call("GetOrganizationsAccessReport", JobId=job, MaxItems=1000)
        report = reports(wanted, "organizations")[path]
        assert without_dates(found) == without_dates(report), found
        try:
            other.client.get_role(RoleName="any")
        except ClientError as error:
            said = error.response["Error"]["Code"], error.response["ResponseMetadata"]
            assert said[0] == "InvalidAction" and said[1]["HTTPStatusCode"] == 400, said
        else:
            raise AssertionError("an action of no report was answered")


def many_at_once():
    """Clients that ask at the same time are answered as one is."""
    failures = []

    def ask(start):
        try:
            own = Iam(endpoint)
            every = list(reports(wanted, "organizations").items())
            for path, report in every[start:] + every[:start]:
                job = own.job("OrganizationsAccessReport", EntityPath=path)
                found = own.call("GetOrganizationsAccessReport", JobId=job, MaxItems=1000)
                assert without_dates(found) == without_dates(report), f"{path}: {found}"
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=ask, args=[start]) for start in range(0, 16, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures


organizations()
every_size_of_page()
failed()
entities(services())
others_ask_the_same()
many_at_once()
print("OK")
