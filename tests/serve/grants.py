"""ListPoliciesGrantingServiceAccess of every user, group and role of the made-up snapshot.

What an inline policy allows is written down here, from its document; what a managed one does is in
the report of its ARN. Arguments: the server's address, a directory of reports made with its input,
and the snapshot's.
"""

import json
import pathlib
import sys

from replies import Iam, reports

endpoint, wanted, identities = sys.argv[1:]
iam = Iam(endpoint)

# A Deny with a Condition takes nothing away (S3), an action on another's ARN gives nothing (S4).
INLINE = {
    "parameters": {"ssm"},
    "nothing": set(),
    "see": {"ec2", "iam", "sts"},
    "topics": {"sns"},
    "shop": {"application-autoscaling", "dynamodb", "kms", "s3", "sts"},
    "old books": {"glue"},
    "secrets": {"secretsmanager", "sts"},
    "build": {"ec2", "kms", "lambda", "organizations", "signin", "timestream"},
}

managed = {
    arn: {row["ServiceNamespace"] for row in report["ServicesLastAccessed"]}
    for arn, report in reports(wanted, "SERVICE_LEVEL").items()
    if ":policy/" in arn
}
every = sorted(set().union(*INLINE.values(), *managed.values()))
assert len(every) > 400, every

snapshot = {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": []}
for file in pathlib.Path(identities).iterdir():
    reply = json.loads(file.read_text("utf-8"))
    for name, entities in snapshot.items():
        entities += reply[name]


def own(entity, kind):
    """Returns the policies of an entity itself, as the reply lists them, with what they allow."""
    name = entity[f"{kind.capitalize()}Name"]
    for policy in entity.get(f"{kind.capitalize()}PolicyList", []):
        entry = {"PolicyName": policy["PolicyName"], "PolicyType": "INLINE"}
        entry |= {"EntityType": kind.upper(), "EntityName": name}
        yield entry, INLINE[policy["PolicyName"]]
    for policy in entity["AttachedManagedPolicies"]:
        entry = {"PolicyName": policy["PolicyName"], "PolicyType": "MANAGED"}
        yield entry | {"PolicyArn": policy["PolicyArn"]}, managed[policy["PolicyArn"]]


def of(entity, kind):
    """Returns those that count for it: a user's groups' too."""
    yield from own(entity, kind)
    for name in entity.get("GroupList", []):
        account = entity["Arn"].split(":")[4]
        (group,) = [
            group
            for group in snapshot["GroupDetailList"]
            if group["GroupName"] == name and group["Arn"].split(":")[4] == account
        ]
        yield from own(group, "group")


def whole(arn, namespaces):
    """Returns the entries of all pages."""
    entries, more = [], {}
    while True:
        parameters = {"Arn": arn, "ServiceNamespaces": namespaces}
        found = iam.call("ListPoliciesGrantingServiceAccess", **parameters, **more)
        entries += found["PoliciesGrantingServiceAccess"]
        assert found.get("IsTruncated", False) == ("Marker" in found), found
        if "Marker" not in found:
            return entries
        more = {"Marker": found["Marker"]}


def sorted_policies(policies):
    return sorted(policies, key=lambda policy: sorted(policy.items()))


asked = 0
for list_name, entities in snapshot.items():
    kind = list_name.removesuffix("DetailList").lower()
    for entity in entities:
        policies = list(of(entity, kind))
        some = {namespace for _, allowed in policies for namespace in list(allowed)[:50]}
        lists = [every[start : start + 200] for start in range(0, len(every), 200)]
        lists += [sorted(some | {"s3", "iam"})[:200], ["s3"], ["sts", "kms", "ec2"]]
        for namespaces in lists:
            entries = whole(entity["Arn"], namespaces)
            names = [entry["ServiceNamespace"] for entry in entries]
            assert names == namespaces, f"{entity['Arn']}: {names}"
            for entry in entries:
                name = entry["ServiceNamespace"]
                granting = [policy for policy, allowed in policies if name in allowed]
                found = sorted_policies(entry.get("Policies", []))
                assert found == sorted_policies(granting), f"{entity['Arn']} {name}: {found}"
                asked += len(granting)
assert asked > 1000, asked
print("OK")
