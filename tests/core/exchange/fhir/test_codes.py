import pytest
from isic_metadata.fields import AnatomSiteEnum
from pydicom.sr._concepts_dict import concepts

from melanoma_core.exchange.fhir.codes import (
    DICOM,
    SNOMED,
    list_codes,
    make_code_system,
)
from melanoma_core.exchange.fhir.histology_codes import MORPHOLOGIES, code_morphology
from melanoma_core.exchange.fhir.sites import SITES, code_site
from melanoma_core.records.diagnoses import interpret, list_diagnoses
from melanoma_core.taxonomy import RiskTier


def list_meanings(scheme: str) -> dict[str, set[str]]:
    """Return what DICOM PS3.16 calls each code, as pydicom holds it."""
    found: dict[str, set[str]] = {}
    for values in concepts[scheme].values():
        for code, (meaning, _) in values.items():
            found.setdefault(code, set()).add(meaning.removesuffix(" (body structure)").lower())
    return found


@pytest.mark.parametrize(("system", "scheme"), [(SNOMED, "SCT"), (DICOM, "DCM")])
def test_codes_taken_from_dicom_mean_there_what_they_mean_here(system: str, scheme: str):
    meanings = list_meanings(scheme)
    for code in list_codes():
        if code.system == system and code.source.startswith("DICOM"):
            assert code.display.lower() in meanings[code.code]


def test_places_on_the_skin_mean_in_dicom_what_they_mean_here():
    meanings = list_meanings("SCT")
    for code, display in SITES.values():
        assert display.lower() in meanings[code]


def test_every_place_and_every_histology_that_has_a_code_is_one_of_the_archive():
    assert set(SITES) - {""} <= {each.value for each in AnatomSiteEnum}
    assert set(MORPHOLOGIES) <= set(list_diagnoses())
    assert all(code_site(each.value).system == SNOMED for each in AnatomSiteEnum)


def test_the_behaviour_of_a_morphology_agrees_with_what_the_diagnosis_means():
    behaviours = {"0": {RiskTier.BENIGN}, "2": {RiskTier.MALIGNANT}, "3": {RiskTier.MALIGNANT}}
    for diagnosis in list_diagnoses():
        for code in code_morphology(diagnosis):
            behaviour = code.code[-1]
            assert interpret(diagnosis).tier in behaviours.get(behaviour, {RiskTier.MALIGNANT})


def test_a_histology_of_another_kind_has_no_code():
    assert code_morphology("Malignant") == ()
    assert code_morphology("Benign:Benign epidermal proliferations:Seborrheic keratosis") == ()


def test_the_local_code_system_holds_all_local_codes_and_no_other():
    system = make_code_system()
    local = {code.code for code in list_codes() if code.is_local}
    assert {each["code"] for each in system["concept"]} == local
    assert system["count"] == len(local)
