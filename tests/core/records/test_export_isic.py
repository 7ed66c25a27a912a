from dataclasses import replace
from datetime import date, timedelta

import pytest
from isic_metadata.metadata import MetadataBatch
from pydantic import ValidationError

from melanoma_core.records.entities import Lesion, Visit
from melanoma_core.records.export_isic import list_isic_rows
from melanoma_core.records.vocabulary import DermoscopicType, Management, Sex, SkinType
from tests.core.records.made_cases import DAY, INVASIVE, NEVUS, CaseMaker, make_histology

LESION = Lesion(patient_id="p", label="1", site="Trunk:Posterior trunk:Upper back")


def test_a_lesion_without_photographs_has_no_rows():
    assert list_isic_rows(CaseMaker().make()) == ()


def test_a_row_holds_what_is_known_and_nothing_that_names_a_person():
    maker = CaseMaker(LESION).add("visits", "v", Visit(patient_id="p", on=DAY))
    maker.photograph("f", "v", dermoscopic_type=DermoscopicType.NON_CONTACT_POLARISED)
    case = maker.make()
    patient = replace(case.patient.value, sex=Sex.FEMALE, skin_type=SkinType.III)
    patient = replace(patient, melanoma_before=False)
    case = replace(case, patient=replace(case.patient, value=patient))
    (row,) = list_isic_rows(case)
    assert row == {
        "filename": f"{'0' * 64}.jpg",
        "patient_id": "p",
        "lesion_id": "l",
        "sex": "female",
        "fitzpatrick_skin_type": "III",
        "personal_hx_mm": "false",
        "anatom_site": "Trunk:Posterior trunk:Upper back",
        "image_type": "dermoscopic",
        "dermoscopic_type": "non-contact polarized",
        "age": "66",
        "acquisition_day": "0",
    }
    assert "p-1" not in str(row)


def test_the_diagnosis_is_confirmed_by_histopathology_with_the_facts_of_a_melanoma():
    maker = CaseMaker().visit("v").decide("v", Management.EXCISION).take()
    report = make_histology(INVASIVE, breslow_mm=1.25, ulcerated=False, mitoses_per_mm2=0.0)
    (row,) = list_isic_rows(maker.add("histologies", "histology", report).make())
    assert row["diagnosis"] == INVASIVE
    assert row["diagnosis_confirm_type"] == "histopathology"
    assert (row["mel_thick_mm"], row["mel_ulcer"]) == ("1.25", "false")
    assert row["mel_mitotic_index"] == "0/mm^2"


def test_a_nevus_has_no_facts_of_a_melanoma():
    maker = CaseMaker().visit("v").take()
    report = make_histology(NEVUS, ulcerated=False, mitoses_per_mm2=0.0)
    (row,) = list_isic_rows(maker.add("histologies", "histology", report).make())
    assert not {name for name in row if name.startswith("mel_")}


def test_a_photograph_after_the_specimen_has_no_diagnosis():
    maker = CaseMaker().visit("v").take().report().visit("w", DAY + timedelta(days=30))
    before, after = list_isic_rows(maker.make())
    assert before["diagnosis"] == NEVUS
    assert "diagnosis" not in after
    assert after["acquisition_day"] == "30"


def test_the_site_of_a_specimen_is_left_out():
    maker = CaseMaker().visit("v").photograph("s", "v", shows_specimen_site=True)
    assert len(list_isic_rows(maker.make())) == 1


def test_an_age_over_85_is_written_as_85():
    case = CaseMaker().visit("v", date(2026, 1, 1)).make()
    old = replace(case.patient.value, birth_year=1930)
    (row,) = list_isic_rows(replace(case, patient=replace(case.patient, value=old)))
    assert row["age"] == "85"


def test_the_rows_are_read_back_by_isic_metadata():
    maker = CaseMaker(LESION).visit("v").take().report(INVASIVE).visit("w", DAY)
    rows = list_isic_rows(maker.make())
    batch = MetadataBatch.model_validate({"items": [dict(row) for row in rows]})
    assert [item.diagnosis_2 for item in batch.items] == [
        "Malignant melanocytic proliferations (Melanoma)"
    ] * 2
    assert batch.items[0].unstructured == {"filename": f"{'0' * 64}.jpg"}


def test_a_record_that_the_archive_would_not_take_is_refused():
    site = Lesion(patient_id="p", label="1", site="Moon")
    with pytest.raises(ValidationError):
        list_isic_rows(CaseMaker(site).visit("v").make())
