// The AWS SDK for JavaScript against a running server: it is strict about times, booleans, numbers.
// Arguments: the server's address and a directory of reports, made with its input.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [endpoint, wanted, modules] = process.argv.slice(2);
const iam = createRequire(join(modules, "package.json"))("@aws-sdk/client-iam");

let requests = 0;
const client = new iam.IAMClient({
  endpoint,
  region: "us-east-1",
  credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" },
});
client.middlewareStack.add(
  (next) => (sent) => {
    requests += 1;
    return next(sent);
  },
  { step: "finalizeRequest", priority: "low", name: "countRequests" },
);
let calls = 0;

async function call(name, parameters) {
  calls += 1;
  const { $metadata, ...reply } = await client.send(new iam[`${name}Command`](parameters));
  assert.equal($metadata.httpStatusCode, 200);
  assert.equal($metadata.attempts, 1);
  assert.match($metadata.requestId, /^[0-9a-f-]{36}$/);
  return reply;
}

function reports(name) {
  const lines = readFileSync(join(wanted, `${name}.jsonl`), "utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line)).map((it) => [it.EntityPath ?? it.Arn, it.Report]);
}

const TIMES = new Set(["LastAuthenticatedTime", "LastAuthenticated", "LastAccessedTime"]);
const DATES = ["JobCreationDate", "JobCompletionDate"];

// The JSON of a report with its times as the SDK's, and without the dates of its job.
function expected(report) {
  if (Array.isArray(report)) return report.map(expected);
  if (typeof report !== "object") return report;
  const members = Object.entries(report).filter(([name]) => !DATES.includes(name));
  return Object.fromEntries(
    members.map(([name, it]) => [name, TIMES.has(name) ? new Date(it) : expected(it)]),
  );
}

// Leaves out members that are there and undefined, and the dates of the job, which must be dates.
function plain(reply) {
  for (const name of DATES.filter((it) => it in reply)) {
    assert.ok(reply[name] instanceof Date && !Number.isNaN(reply[name].getTime()), name);
  }
  return without(reply);
}

function without(it) {
  if (Array.isArray(it)) return it.map(without);
  if (it === null || typeof it !== "object" || it instanceof Date) return it;
  const members = Object.entries(it).filter(
    ([name, value]) => value !== undefined && !DATES.includes(name),
  );
  return Object.fromEntries(members.map(([name, value]) => [name, without(value)]));
}

async function organizations() {
  for (const [EntityPath, report] of reports("organizations")) {
    const { JobId } = await call("GenerateOrganizationsAccessReport", { EntityPath });
    assert.equal(JobId.length, 36);
    const found = await call("GetOrganizationsAccessReport", { JobId, MaxItems: 1000 });
    assert.deepEqual(plain(found), expected(report), EntityPath);
    assert.ok(found.JobCreationDate <= found.JobCompletionDate);
    let rows = [];
    let Marker;
    do {
      const page = await call("GetOrganizationsAccessReport", { JobId, Marker });
      assert.equal(typeof page.IsTruncated, "boolean");
      assert.equal(typeof page.NumberOfServicesAccessible, "number");
      rows = rows.concat(page.AccessDetails);
      Marker = page.Marker;
    } while (Marker !== undefined);
    assert.deepEqual(rows.map(without), report.AccessDetails.map(expected), EntityPath);
  }
}

async function services() {
  for (const Granularity of ["SERVICE_LEVEL", "ACTION_LEVEL"]) {
    for (const [Arn, report] of reports(Granularity)) {
      const { JobId } = await call("GenerateServiceLastAccessedDetails", { Arn, Granularity });
      const found = await call("GetServiceLastAccessedDetails", { JobId, MaxItems: 1000 });
      assert.deepEqual(plain(found), expected(report), Arn);
    }
  }
  for (const [Arn, report] of reports("entities-lambda")) {
    const { JobId } = await call("GenerateServiceLastAccessedDetails", { Arn });
    const found = await call("GetServiceLastAccessedDetailsWithEntities", {
      JobId,
      ServiceNamespace: "lambda",
    });
    assert.deepEqual(plain(found), expected(report), Arn);
  }
  const found = await call("ListPoliciesGrantingServiceAccess", {
    Arn: "arn:aws:iam::888888888888:role/builder",
    ServiceNamespaces: ["lambda", "s3"],
  });
  const build = { EntityName: "builder", EntityType: "ROLE", PolicyName: "build" };
  const list = found.PoliciesGrantingServiceAccess.map(without);
  assert.deepEqual(list, [
    { ServiceNamespace: "lambda", Policies: [{ ...build, PolicyType: "INLINE" }] },
    { ServiceNamespace: "s3", Policies: [] },
  ]);
}

async function refused(type, status, message, name, parameters) {
  await assert.rejects(call(name, parameters), (error) => {
    assert.ok(error instanceof type, `${name}: ${error}`);
    assert.equal(error.$metadata.httpStatusCode, status);
    assert.equal(error.$metadata.attempts, 1);
    if (message !== undefined) assert.equal(error.message, message);
    return true;
  });
}

async function refusals() {
  const JobId = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9";
  const { NoSuchEntityException, InvalidInputException, IAMServiceException } = iam;
  const unknown = `Job ${JobId} does not exist.`;
  await refused(NoSuchEntityException, 404, unknown, "GetOrganizationsAccessReport", { JobId });
  await refused(NoSuchEntityException, 404, unknown, "GetServiceLastAccessedDetails", { JobId });
  const Arn = "arn:aws:s3:::a-bucket-of-nobody";
  await refused(InvalidInputException, 400, undefined, "GenerateServiceLastAccessedDetails", { Arn });
  const [[EntityPath, report]] = reports("organizations").sort((a, b) => a[0].length - b[0].length);
  const job = await call("GenerateOrganizationsAccessReport", { EntityPath });
  const page = await call("GetOrganizationsAccessReport", { ...job, MaxItems: 1 });
  assert.deepEqual(plain(page).AccessDetails, expected(report).AccessDetails.slice(0, 1));
  const other = { ...job, Marker: page.Marker, SortKey: "SERVICE_NAMESPACE_DESCENDING" };
  const wrong = "The marker passed in the request was invalid.";
  await refused(InvalidInputException, 400, wrong, "GetOrganizationsAccessReport", other);
  const garbage = { ...job, Marker: "garbage" };
  const garbled = "Invalid Marker.";
  await refused(IAMServiceException, 400, garbled, "GetOrganizationsAccessReport", garbage);
  const nowhere = await call("GenerateOrganizationsAccessReport", {
    EntityPath: `${EntityPath}/ou-ex4m-nowhere1`,
  });
  const failed = await call("GetOrganizationsAccessReport", nowhere);
  assert.equal(failed.JobStatus, "FAILED");
  assert.equal(failed.IsTruncated, false);
  assert.deepEqual(without(failed.ErrorDetails), {
    Message: "The entity with the specified path does not exist in your organization.",
    Code: "INVALID_ORGANIZATIONS_ENTITY_PATH",
  });
}

await organizations();
await services();
await refusals();
assert.equal(requests, calls, "no call was tried again");
client.destroy();
console.log("OK");
