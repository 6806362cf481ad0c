"""What a running server must refuse, and how: codes, HTTP statuses and messages (O8, O10, I6).

Arguments: the server's address and a directory of reports, made with its input.
"""

import sys

from replies import Iam, reports, without_dates

endpoint, wanted = sys.argv[1:]
iam = Iam(endpoint)

paths = reports(wanted, "organizations")
ROOT = min(paths, key=len)
LARGE = max(paths, key=lambda path: len(paths[path].get("AccessDetails", [])))
arns = reports(wanted, "SERVICE_LEVEL")
MANY = max(arns, key=lambda arn: len(arns[arn]["ServicesLastAccessed"]))
USER = min(arn for arn in arns if ":user/" in arn)
POLICY = min(arn for arn in arns if ":policy/" in arn)

NO_JOB = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
WRONG_MARKER = "The marker passed in the request was invalid."


def invalid(operation, member, **parameters):
    """Checks that a value is refused by its constraints, and the message names its member."""
    codes = "ValidationError"
    if member == "MaxItems" and parameters[member] not in (0, -1, 1001):
        # What is no integer of the model's size.
        codes += "|MalformedInput"
    message = iam.refused(codes, 400, None, operation, **parameters)
    assert member.lower() in message.lower(), f"{operation} {member}: {message}"


def organizations():
    generate, get = "GenerateOrganizationsAccessReport", "GetOrganizationsAccessReport"
    organization = ROOT.partition("/")[0]
    invalid(generate, "EntityPath")
    for path in (
        "",
        organization,
        f"{organization}/",
        "o-short/r-ex4m/ou-ex4m-workload1",
        f"{organization}/r-abc",
        ROOT.upper(),
        f" {ROOT}",
        f"{ROOT}\n",
        f"{ROOT}/ou-ex4m-Workload1",
        f"{ROOT}/*",
        f"{ROOT}/ou-ex4m-{'a' * 410}",
        ROOT.replace("/", ":"),
        f"{ROOT}/ü",
    ):
        invalid(generate, "EntityPath", EntityPath=path)
    for policy in (
        "",
        "p-1234567",
        "p-with-dash",
        "P-FullAWSAccess",
        "FullAWSAccess",
        "p-FullAWSAccess ",
        "p-" + "a" * 129,
    ):
        invalid(generate, "OrganizationsPolicyId", EntityPath=ROOT, OrganizationsPolicyId=policy)
    other = "o-anotherorgan" + ROOT[ROOT.index("/") :]
    iam.refused("AccessDenied", 403, None, generate, EntityPath=other)
    more = {"OrganizationsPolicyId": "p-FullAWSAccess"}
    iam.refused("AccessDenied", 403, None, generate, EntityPath=other, **more)
    # A wrong value is told before another organization.
    more = {"OrganizationsPolicyId": "none"}
    iam.refused("ValidationError", 400, None, generate, EntityPath=other, **more)

    job = iam.job("OrganizationsAccessReport", EntityPath=ROOT)
    jobs_and_pages(get, job, {})
    for key in ("", "SERVICE_NAMESPACE", "service_namespace_ascending"):
        invalid(get, "SortKey", JobId=job, SortKey=key)


def services():
    generate, get = "GenerateServiceLastAccessedDetails", "GetServiceLastAccessedDetails"
    with_entities = "GetServiceLastAccessedDetailsWithEntities"
    invalid(generate, "Arn")
    for arn in ("", "arn:aws:iam::1:ro/x", "a" * 2049):
        invalid(generate, "Arn", Arn=arn)
    for granularity in ("", "service_level", "ACTIONS"):
        invalid(generate, "Granularity", Arn=USER, Granularity=granularity)
    account = USER.split(":")[4]
    for arn in (
        "this is no ARN, but it is long enough",
        "arn:aws:s3:::a-bucket-of-nobody",
        f"arn:aws:iam::{account}:root",
        f"arn:aws:iam::{account}:instance-profile/web",
        f"arn:aws:sts::{account}:assumed-role/web/session",
        f"arn:aws:iam::{account}:mfa/someone",
    ):
        iam.refused("InvalidInput", 400, None, generate, Arn=arn)
    for arn in (
        f"arn:aws:iam::{account}:user/nobody-of-this-name",
        f"arn:aws:iam::{account}:role/nobody-of-this-name",
        f"arn:aws:iam::{account}:group/nobody-of-this-name",
        f"arn:aws:iam::{account}:policy/nobody-of-this-name",
        USER.replace(":user/", ":user/no/"),
    ):
        iam.refused("NoSuchEntity", 404, None, generate, Arn=arn)

    job = iam.job("ServiceLastAccessedDetails", Arn=USER)
    jobs_and_pages(get, job, {})
    jobs_and_pages(with_entities, job, {"ServiceNamespace": "s3"})
    invalid(with_entities, "ServiceNamespace", JobId=job)
    for namespace in ("", "s3!", "s 3", "s" * 65):
        invalid(with_entities, "ServiceNamespace", JobId=job, ServiceNamespace=namespace)
    for namespace in ("nosuchservice", "S3_", "-"):
        iam.refused(
            "InvalidInput", 400, None, with_entities, JobId=job, ServiceNamespace=namespace
        )
    # A job is one of its kind alone.
    organizations = iam.job("OrganizationsAccessReport", EntityPath=ROOT)
    unknown(get, organizations, {})
    unknown(with_entities, organizations, {"ServiceNamespace": "s3"})
    unknown("GetOrganizationsAccessReport", job, {})


def policies():
    operation = "ListPoliciesGrantingServiceAccess"
    some = {"ServiceNamespaces": ["s3"]}
    invalid(operation, "Arn", **some)
    invalid(operation, "Arn", Arn="arn:aws:iam::1:ro/x", **some)
    invalid(operation, "ServiceNamespaces", Arn=USER)
    invalid(operation, "ServiceNamespaces", Arn=USER, ServiceNamespaces=[])
    invalid(operation, "ServiceNamespaces", Arn=USER, ServiceNamespaces=["s3"] * 201)
    for wrong in ("", "s3!", "s" * 65):
        invalid(operation, "ServiceNamespaces", Arn=USER, ServiceNamespaces=["s3", wrong])
    root = f"arn:aws:iam::{USER.split(':')[4]}:root"
    for arn in (POLICY, root, "this is no ARN, but it is long enough"):
        iam.refused("InvalidInput", 400, None, operation, Arn=arn, **some)
    nobody = USER.rpartition("/")[0] + "/nobody-of-this-name"
    iam.refused("NoSuchEntity", 404, None, operation, Arn=nobody, **some)
    for marker in ("", "x" * 321):
        invalid(operation, "Marker", Arn=USER, Marker=marker, **some)
    iam.refused("ValidationError|InvalidInput", 400, None, operation, Arn=USER, Marker="x", **some)


def unknown(operation, job, more):
    message = f"Job {job} does not exist."
    iam.refused("NoSuchEntity", 404, message, operation, JobId=job, **more)


def jobs_and_pages(operation, job, more):
    """Checks what the three operations that get a report share."""
    invalid(operation, "JobId", **more)
    for wrong in ("", NO_JOB[:-1], f"{NO_JOB}0"):
        invalid(operation, "JobId", JobId=wrong, **more)
    unknown(operation, NO_JOB, more)
    unknown(operation, "x" * 36, more)
    iam.refused("NoSuchEntity", 404, None, operation, JobId="\x01" * 36, **more)
    unknown(operation, "</Message>&<b>\"'" + "ü" * 20, more)
    for size in (0, -1, 1001, 2**31, 2**63, 2**70, "", "ten", "1.0", "0x10"):
        invalid(operation, "MaxItems", JobId=job, MaxItems=size, **more)
    for marker in ("", "x" * 321, "\t", "漢"):
        invalid(operation, "Marker", JobId=job, Marker=marker, **more)
    for marker in ("garbage", "x", " ", "ÿ", "A" * 320, "AAAA=="):
        message = "Invalid Marker."
        iam.refused("ValidationError", 400, message, operation, JobId=job, Marker=marker, **more)


def markers():
    """A marker goes on with its own report in its own order, and nowhere else."""
    get, services = "GetOrganizationsAccessReport", "GetServiceLastAccessedDetails"
    jobs = [iam.job("OrganizationsAccessReport", EntityPath=path) for path in (ROOT, LARGE)]
    arns = [iam.job("ServiceLastAccessedDetails", Arn=arn) for arn in (MANY, POLICY)]
    ascending = {"SortKey": "LAST_AUTHENTICATED_TIME_ASCENDING"}
    first = [iam.call(get, JobId=job, MaxItems=2) for job in jobs]
    by_time = iam.call(get, JobId=jobs[0], MaxItems=2, **ascending)
    of_service = iam.call(services, JobId=arns[0], MaxItems=2)
    marker = first[0]["Marker"]
    assert len({marker, first[1]["Marker"], by_time["Marker"], of_service["Marker"]}) == 4

    def wrong(operation, **parameters):
        iam.refused("InvalidInput", 400, WRONG_MARKER, operation, **parameters)

    wrong(get, JobId=jobs[1], Marker=marker)
    wrong(get, JobId=jobs[0], Marker=first[1]["Marker"])
    wrong(get, JobId=jobs[0], Marker=marker, **ascending)
    wrong(get, JobId=jobs[0], Marker=by_time["Marker"])
    wrong(get, JobId=jobs[0], Marker=by_time["Marker"], SortKey="SERVICE_NAMESPACE_ASCENDING")
    wrong(services, JobId=arns[1], Marker=of_service["Marker"])
    either = "InvalidInput|ValidationError"
    for operation, job, foreign in (
        (get, jobs[0], of_service["Marker"]),
        (services, arns[0], marker),
        (get, jobs[0], marker[:-1]),
        (get, jobs[0], marker[1:]),
        (get, jobs[0], marker + marker),
        (get, jobs[0], marker.swapcase()),
    ):
        iam.refused(either, 400, None, operation, JobId=job, Marker=foreign)
    iam.refused(
        either,
        400,
        None,
        "GetServiceLastAccessedDetailsWithEntities",
        JobId=arns[0],
        ServiceNamespace="s3",
        Marker=of_service["Marker"],
    )
    # The same order said and unsaid is the same; so is another size of page.
    more = {"Marker": marker, "SortKey": "SERVICE_NAMESPACE_ASCENDING", "MaxItems": 1000}
    rest = iam.call(get, JobId=jobs[0], **more)
    rows = first[0]["AccessDetails"] + rest["AccessDetails"]
    assert rows == paths[ROOT]["AccessDetails"], rows
    # A job that others misused is as it was.
    found = iam.call(get, JobId=jobs[0], MaxItems=1000)
    assert without_dates(found) == without_dates(paths[ROOT])


organizations()
services()
policies()
markers()
print("OK")
