import base64
import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from melanoma_core.errors import ExchangeError
from melanoma_core.exchange.fhir.bundle import (
    list_resources,
    read_bundle,
    write_collection,
    write_transaction,
)
from melanoma_core.exchange.fhir.naming import make_uuid
from melanoma_core.models.card import load_card
from melanoma_core.models.registry import BUNDLED
from melanoma_core.records.entities import Lesion, Patient
from tests.core.exchange.fhir.made_lesions import (
    REQUEST,
    find,
    make_read_lesion,
    make_refused_lesion,
    make_whole_lesion,
    sign,
)
from tests.core.records.made_cases import CaseMaker


def list_kinds(resources) -> list[str]:
    return [each["resourceType"] for each in resources]


def get_components(observation) -> dict[str, object]:
    return {
        each["code"]["coding"][-1]["code"]: next(
            value for name, value in each.items() if name.startswith("value")
        )
        for each in observation["component"]
    }


def test_a_lesion_that_was_never_seen_is_a_patient_alone():
    resources = list_resources(CaseMaker().make(), REQUEST)
    assert list_kinds(resources) == ["Patient"]
    assert read_bundle(write_collection(CaseMaker().make(), REQUEST))["type"] == "collection"


def test_of_a_patient_the_pseudonym_alone_leaves():
    case = make_whole_lesion()
    patient = find(list_resources(case, REQUEST), "Patient")
    assert set(patient) == {"resourceType", "id", "text", "identifier"}
    assert [each["value"] for each in patient["identifier"]] == [make_uuid("p"), "p-1"]
    assert b"1960" not in write_collection(case, REQUEST)  # the year of birth


def test_a_whole_loop_is_written_with_all_its_kinds():
    assert list_kinds(list_resources(make_whole_lesion(), REQUEST)) == [
        "Patient",
        "Media",
        "Device",
        *["Observation"] * 5,
        "DiagnosticReport",
        "Provenance",
        "Observation",
        "Procedure",
        "Specimen",
        "Observation",
        "DiagnosticReport",
    ]


def test_a_reading_is_preliminary_until_a_person_has_signed_a_decision_that_knew_it():
    unsigned = find(list_resources(make_read_lesion().make(), REQUEST), "DiagnosticReport")
    assert unsigned["status"] == "preliminary"
    assert "No person has confirmed this reading." in unsigned["conclusion"]
    assert "resultsInterpreter" not in unsigned

    signed = list_resources(sign(make_read_lesion()).make(), REQUEST)
    report = find(signed, "DiagnosticReport")
    assert report["status"] == find(signed, "Observation", "melanoma-probability")["status"]
    assert (report["status"], report["resultsInterpreter"]) == ("final", [{"display": "dr.a"}])
    assert "it does not confirm the reading" in report["conclusion"]


def test_a_decision_that_did_not_know_the_reading_leaves_it_preliminary():
    from melanoma_core.records.vocabulary import Management

    case = make_read_lesion().decide("v", Management.EXCISION).make()
    assert find(list_resources(case, REQUEST), "DiagnosticReport")["status"] == "preliminary"


def test_both_probabilities_have_their_alert_and_threshold():
    resources = list_resources(make_whole_lesion(), REQUEST)
    melanoma = find(resources, "Observation", "melanoma-probability")
    assert melanoma["valueQuantity"]["value"] == 0.3
    assert melanoma["interpretation"][0]["coding"][0]["code"] == "POS"
    assert melanoma["referenceRange"][0]["high"]["value"] == 0.2
    parts = get_components(melanoma)
    assert (parts["alert"], parts["alert-threshold"]["value"]) == (True, 0.2)

    cancer = find(resources, "Observation", "skin-cancer-probability")
    assert cancer["valueQuantity"]["value"] == pytest.approx(0.3)
    assert cancer["interpretation"][0]["coding"][0]["code"] == "NEG"
    assert get_components(cancer)["alert"] is False
    tier = find(resources, "Observation", "risk-tier")
    assert tier["valueCodeableConcept"]["coding"][0]["code"] == "tier-benign"


def test_where_the_card_is_here_a_threshold_has_its_origin():
    card = load_card(BUNDLED)
    maker = make_read_lesion()
    value = maker.make().ai_readings[0].value
    read = replace(
        value,
        model_id=card.model_id,
        melanoma_threshold=card.operating_point.threshold,
        skin_cancer_threshold=0.9,  # of another card
    )
    case = maker.correct("ai_readings", "reading of v", read).make()
    resources = list_resources(case, replace(REQUEST, cards={card.model_id: card}))
    melanoma = get_components(find(resources, "Observation", "melanoma-probability"))
    assert melanoma["target-sensitivity"]["value"] == 0.95
    assert melanoma["threshold-origin"].startswith("chosen on validation (1,752 photographs of")
    cancer = find(resources, "Observation", "skin-cancer-probability")
    assert "target-sensitivity" not in get_components(cancer)
    assert "origin of the threshold is not known" in cancer["referenceRange"][0]["text"]


def test_a_refusal_is_the_reason_why_a_value_is_absent():
    resources = list_resources(make_refused_lesion(), REQUEST)
    for code in ("melanoma-probability", "leading-diagnosis", "risk-tier", "photograph-reading"):
        observation = find(resources, "Observation", code)
        assert not any(name.startswith("value") for name in observation)
        assert observation["dataAbsentReason"]["coding"][0]["code"] == "not-performed"
        assert observation["dataAbsentReason"]["text"].endswith("It is blurred.")
    assert "conclusionCode" not in find(resources, "DiagnosticReport")


def test_before_the_first_read_nothing_of_an_ai_reading_leaves():
    case = sign(make_read_lesion()).make()
    content = write_collection(case, replace(REQUEST, hides_ai=True))
    kinds = [each["resource"]["resourceType"] for each in json.loads(content)["entry"]]
    assert kinds == ["Patient", "Media", "Observation", "CodeSystem"]
    assert b"derivedFrom" not in content


def test_what_the_laboratory_found_is_coded_where_a_public_code_is_known():
    finding = find(list_resources(make_whole_lesion(), REQUEST), "Observation", "59847-4")
    assert finding["valueCodeableConcept"]["coding"][0]["code"] == "8743/3"
    parts = get_components(finding)
    assert parts["breslow-thickness"]["value"] == 0.8
    assert (parts["ulceration"], parts["margins"], parts["pt-ajcc-8"]) == (False, "clear", "pT1b")


def test_a_corrected_entry_says_so():
    case = make_whole_lesion()
    entry = replace(case.histologies[0], version=2)
    resources = list_resources(replace(case, histologies=(entry,)), REQUEST)
    assert find(resources, "DiagnosticReport", "11529-5")["status"] == "corrected"


def test_every_reference_is_to_a_resource_of_the_same_bundle():
    bundle = json.loads(write_collection(make_whole_lesion(), REQUEST))
    urls = {each["fullUrl"] for each in bundle["entry"]}
    found = set()

    def walk(value) -> None:
        if isinstance(value, dict):
            found.update({value["reference"]} if "reference" in value else ())
            for each in value.values():
                walk(each)
        elif isinstance(value, list):
            for each in value:
                walk(each)

    walk(bundle)
    assert found
    assert found <= urls


def test_the_same_lesion_has_the_same_ids_each_time():
    one, other = (list_resources(make_whole_lesion(), REQUEST) for _ in range(2))
    assert [each["id"] for each in one] == [each["id"] for each in other]
    assert len({each["id"] for each in one}) == len(one)


def test_ids_that_fhir_refuses_are_mapped():
    case = CaseMaker().visit("v").photograph("ISIC_0000001", "v").make()
    ids = [each["id"] for each in list_resources(case, REQUEST)]
    assert make_uuid("ISIC_0000001") in ids
    assert read_bundle(write_collection(case, REQUEST))


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n" + bytes(range(256)), b"\xff\xd8", b"x"])
def test_a_photograph_comes_out_as_it_went_in(content: bytes):
    request = replace(REQUEST, contents={"photograph of v": content})
    bundle = read_bundle(write_collection(make_read_lesion().make(), request))
    attachment = bundle["entry"][1]["resource"]["content"]
    assert base64.b64decode(attachment["data"]) == content
    assert attachment["size"] == len(content)


def test_a_transaction_names_each_resource_by_what_it_is_found_by():
    bundle = json.loads(write_transaction(make_whole_lesion(), REQUEST))
    requests = [each["request"] for each in bundle["entry"]]
    assert all("ifNoneExist" in each or "?" in each["url"] for each in requests)
    assert not any("id" in each["resource"] for each in bundle["entry"])
    assert requests[0]["ifNoneExist"].endswith(f"|{make_uuid('p')}")
    assert next(each["url"] for each in requests if "Provenance" in each["url"]).startswith(
        "Provenance?_tag="
    )


def test_a_patient_whom_the_server_knows_is_found_by_the_pseudonym():
    request = replace(REQUEST, patient_system="urn:oid:1.2.3")
    bundle = json.loads(write_transaction(make_read_lesion().make(), request))
    assert bundle["entry"][0]["request"]["ifNoneExist"] == "identifier=urn:oid:1.2.3|p-1"


HOSTILE = some.text(max_size=60) | some.sampled_from(
    ["<script>alert(1)</script>", "a|b,c$d\\e&f#g", "=1+1", "\x00\x1b", "]]>&amp;", "\u202e", "  "]
)
SHARES = some.floats(0, 1, allow_subnormal=True)


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(text=HOSTILE, other=HOSTILE, share=SHARES)
def test_what_is_written_is_read_back_as_it_was(text: str, other: str, share: float):
    case = make_whole_lesion()
    patient = replace(case.patient, value=Patient(pseudonym=f"p{text}"))
    lesion = replace(case.lesion, value=Lesion(patient_id="p", label="1", note=other))
    shares = (share, 1 - share, *[0.0] * 6)
    reading = replace(
        case.ai_readings[0],
        value=replace(
            case.ai_readings[0].value,
            probabilities=shares,
            statement=other,
            model_id=f"m{text}",
            melanoma_threshold=share,
        ),
    )
    decision = replace(case.decisions[0], by=f"d{other}")
    decision = replace(decision, value=replace(decision.value, reason=text))
    histology = replace(case.histologies[0], value=replace(case.histologies[0].value, text=text))
    specimen = replace(case.specimens[0], value=replace(case.specimens[0].value, number=other))
    case = replace(
        case,
        patient=patient,
        lesion=lesion,
        ai_readings=(reading,),
        decisions=(decision,),
        histologies=(histology,),
        specimens=(specimen,),
    )
    for write in (write_collection, write_transaction):
        content = write(case, REQUEST)
        assert read_bundle(content) == json.loads(content)
    resources = list_resources(case, REQUEST)
    assert find(resources, "Observation", "melanoma-probability")["valueQuantity"]["value"] == share
    assert "<script>" not in json.dumps([each.get("text") for each in resources])


def test_a_file_that_is_no_bundle_is_refused():
    with pytest.raises(ExchangeError, match="no FHIR Bundle"):
        read_bundle(b'{"resourceType": "Bundle"')


def test_a_status_outside_of_its_set_is_refused_where_the_library_takes_it():
    bundle = json.loads(write_collection(make_read_lesion().make(), REQUEST))
    bundle["entry"][1]["resource"]["status"] = "nonsense"
    with pytest.raises(ExchangeError, match=r'Media\.status is "nonsense"'):
        read_bundle(json.dumps(bundle).encode())
