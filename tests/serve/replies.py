"""A boto3 client of a running `trailfold serve` that reads every reply to the letter.

botocore reads past much: members that it does not know, texts that are no times, elements twice.
Here each reply must be what its model of IAM says, and each call must need one request.
"""

import json
import os
import pathlib
import re
import xml.etree.ElementTree as ET

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

NAMESPACE = "{https://iam.amazonaws.com/doc/2010-05-08/}"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MILLISECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
SECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
JOB_DATES = ("JobCreationDate", "JobCompletionDate")

MODELLED = ("NoSuchEntity", "InvalidInput", "ReportGenerationLimitExceeded")

# A job in progress has no such date, and a name of the made-up snapshot is none of IAM's.
NOT_YET = {"JobCompletionDate"}
NO_NAME_OF_IAM = {"old books"}

# Nothing of whoever runs the tests has a say.
for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]
os.environ |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"


def plain(element):
    return element.tag.removeprefix(NAMESPACE)


def structure(shape, element, place):
    """Reads members: those of the shape, each once, the required ones among them."""
    assert not (element.text or "").strip(), f"{place}: text {element.text!r} beside members"
    found = {}
    for child in element:
        name = plain(child)
        assert child.tag.startswith(NAMESPACE), f"{place}: {child.tag} of no namespace"
        assert name in shape.members, f"{place}: {name} is no member"
        assert name not in found, f"{place}: {name} twice"
        assert not (child.tail or "").strip(), f"{place}: text {child.tail!r} beside members"
        found[name] = value(shape.members[name], child, f"{place}.{name}")
    pending = NOT_YET if found.get("JobStatus") == "IN_PROGRESS" else set()
    missing = set(shape.required_members) - set(found) - pending
    assert not missing, f"{place}: lacks {missing}"
    return found


def text(shape, found, place):
    limits = shape.metadata
    assert limits.get("min", 0) <= len(found) <= limits.get("max", len(found)), f"{place}: {found}"
    assert found in limits.get("enum", [found]), f"{place}: {found}"
    if "pattern" in limits and found not in NO_NAME_OF_IAM:
        assert re.fullmatch(limits["pattern"], found), f"{place}: {found}"
    return found


def value(shape, element, place):
    """Returns what an element says as the report's JSON would: times stay texts."""
    assert not element.attrib, f"{place}: {element.attrib}"
    kind = shape.type_name
    if kind == "structure":
        return structure(shape, element, place)
    if kind == "list":
        assert not (element.text or "").strip(), f"{place}: {element.text!r}"
        assert {plain(child) for child in element} <= {"member"}, f"{place}: not all are members"
        return [value(shape.member, it, f"{place}[{at}]") for at, it in enumerate(element)]
    assert len(element) == 0, f"{place}: has members"
    found = element.text or ""
    if kind == "boolean":
        assert found in ("true", "false"), f"{place}: {found}"
        return found == "true"
    if kind == "integer":
        assert re.fullmatch(r"0|-?[1-9]\d*", found), f"{place}: {found}"
        return int(found)
    if kind == "timestamp":
        form = MILLISECONDS if place.endswith(JOB_DATES) else SECONDS
        assert form.fullmatch(found), f"{place}: {found}"
        return found
    assert kind == "string", f"{place}: a {kind}"
    return text(shape, found, place)


def read(operation, body):
    """Returns the result that a reply of HTTP status 200 says, and the id of its request."""
    document = ET.fromstring(body)
    assert document.tag == f"{NAMESPACE}{operation.name}Response", document.tag
    names = [plain(child) for child in document]
    assert names == [f"{operation.name}Result", "ResponseMetadata"], names
    metadata = {plain(child): child.text for child in document[1]}
    assert list(metadata) == ["RequestId"] and UUID.fullmatch(metadata["RequestId"]), metadata
    return structure(operation.output_shape, document[0], operation.name), metadata["RequestId"]


def read_error(body):
    """Returns code and message of a reply of another status."""
    document = ET.fromstring(body)
    assert document.tag == f"{NAMESPACE}ErrorResponse", document.tag
    assert [plain(child) for child in document] == ["Error", "RequestId"], body
    assert UUID.fullmatch(document[1].text), body
    error = {plain(child): child.text for child in document[0]}
    assert list(error) == ["Type", "Code", "Message"], body
    return error


def as_json(shape, parsed, name=""):
    """Returns what botocore made of a reply, with its times as texts again."""
    if shape.type_name == "structure":
        return {key: as_json(shape.members[key], it, key) for key, it in parsed.items()}
    if shape.type_name == "list":
        return [as_json(shape.member, it) for it in parsed]
    if shape.type_name == "timestamp":
        assert parsed.utcoffset().total_seconds() == 0, parsed
        form = "milliseconds" if name in JOB_DATES else "seconds"
        return parsed.replace(tzinfo=None).isoformat(timespec=form) + "Z"
    return parsed


class Iam:
    """A client whose `call` returns the reply as the report's JSON."""

    def __init__(self, endpoint, key="AKIDEXAMPLE", secret="secret", token=None, **config):
        session = boto3.session.Session(key, secret, token, config.pop("region", "us-east-1"))
        # The server judges what is wrong, not the client.
        config = Config(parameter_validation=False, **config)
        self.client = session.client("iam", endpoint_url=endpoint, config=config)
        self.model = self.client.meta.service_model
        self.calls = self.requests = 0
        self.result = self.error = self.request_id = None
        events = self.client.meta.events
        events.register("before-send.iam", self.sent)
        events.register("before-parse.iam", self.received)

    def sent(self, **_):
        self.requests += 1

    def received(self, operation_model, response_dict, **_):
        status, body = response_dict["status_code"], response_dict["body"]
        headers = {name.lower(): it for name, it in response_dict["headers"].items()}
        assert headers["content-type"].split(";")[0] == "text/xml", headers
        self.result = self.error = None
        if status == 200:
            self.result, self.request_id = read(operation_model, body)
            assert headers.get("x-amzn-requestid", self.request_id) == self.request_id, headers
        else:
            self.error = read_error(body)
            assert self.error["Type"] == ("Sender" if status < 500 else "Receiver"), body

    def call(self, operation, **parameters):
        shape = self.model.operation_model(operation).output_shape
        method = re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()
        self.calls += 1
        reply = getattr(self.client, method)(**parameters)
        metadata = reply.pop("ResponseMetadata")
        assert metadata["RetryAttempts"] == 0 and metadata["HTTPStatusCode"] == 200, metadata
        assert metadata["RequestId"] == self.request_id, metadata
        assert self.calls == self.requests, f"{self.requests} requests of {self.calls} calls"
        found = as_json(shape, reply)
        assert found == self.result, f"{operation}: botocore read {found}, sent {self.result}"
        return found

    def job(self, operation, **parameters):
        found = self.call(f"Generate{operation}", **parameters)
        assert list(found) == ["JobId"] and len(found["JobId"]) == 36, found
        return found["JobId"]

    def refused(self, code, status, message, operation, **parameters):
        """Checks that a call is an error; of a message's beginning if it ends in an ellipsis."""
        what = f"{operation} {str(parameters)[:300]}"
        try:
            found = self.call(operation, **parameters)
        except ClientError as error:
            raised, reply = error, error.response
        else:
            raise AssertionError(f"{what}: answered with {str(found)[:300]}")
        assert self.calls == self.requests, f"{what}: was tried again"
        metadata, error = reply["ResponseMetadata"], reply["Error"]
        said = (error["Code"], metadata["HTTPStatusCode"])
        assert said[0] in code.split("|") and said[1] == status, f"{what}: {said} {error}"
        assert error["Type"] == "Sender" and error["Message"], f"{what}: {error}"
        if message is not None:
            begins = message.endswith("…") and error["Message"].startswith(message[:-1])
            assert begins or error["Message"] == message, f"{what}: {error['Message']!r}"
        wanted = f"{error['Code']}Exception" if error["Code"] in MODELLED else "ClientError"
        assert type(raised).__name__ == wanted, f"{what}: {type(raised)}"
        return error["Message"]


def unsigned(endpoint, **config):
    return Iam(endpoint, signature_version=UNSIGNED, **config)


def without_dates(report):
    return {name: it for name, it in report.items() if name not in JOB_DATES}


def reports(directory, name):
    """Returns what the program itself reports, by entity path or ARN."""
    lines = pathlib.Path(directory, f"{name}.jsonl").read_text("utf-8").splitlines()
    read_lines = [json.loads(line) for line in lines]
    found = {it.get("EntityPath") or it["Arn"]: it["Report"] for it in read_lines}
    assert len(found) == len(lines) > 0, name
    return found
