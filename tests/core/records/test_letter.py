import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from melanoma_core.records.letter import (
    LONGEST,
    Addressee,
    clean_letter,
    draft_letter,
    list_cautions,
    write_letter_pdf,
    write_letter_text,
)
from melanoma_core.records.vocabulary import Management
from tests.core.records.made_cases import DAY, INVASIVE, NEVUS, CaseMaker, make_histology

ON = date(2026, 5, 20)
DOCTOR, PATIENT = Addressee.DOCTOR, Addressee.PATIENT
AK = "Indeterminate:Indeterminate epidermal proliferations:Solar or actinic keratosis"
OPEN = "Indeterminate:Indeterminate melanocytic proliferations"


def write(maker: CaseMaker, addressee: Addressee, **more: bool) -> str:
    return draft_letter(maker.make(), addressee, "dr.a", ON, **more).text


def test_a_lesion_that_was_never_seen_has_a_letter_without_a_date():
    assert "We have examined a spot on your skin." in write(CaseMaker(), PATIENT)


def test_the_doctor_gets_the_findings_in_the_terms_of_the_field():
    maker = CaseMaker().visit("v").read("v").read_by_ai("v", melanoma=0.3)
    text = write(maker.decide("v", Management.EXCISION), DOCTOR)
    assert "Patient p-1, 65 or 66 years." in text
    assert "We have examined lesion 1 on 2 Mar 2026." in text
    assert "Clinical impression: nevus." in text
    assert "probability of melanoma 30.0%; the melanoma alert (from 20.0%) was raised" in text
    assert "Decision: excision." in text


def test_the_patient_gets_plain_words_and_no_probability():
    maker = CaseMaker().visit("v").read("v").read_by_ai("v", melanoma=0.3)
    text = write(maker.decide("v", Management.MONITOR_3), PATIENT)
    assert "We want to look at it again in three months." in text
    assert "come to us at once" in text
    assert not re.search(r"%|melanoma|threshold|p-1", text)


def test_before_the_first_read_a_letter_says_nothing_of_the_ai_reading():
    maker = CaseMaker().visit("v").read_by_ai("v", melanoma=0.3)
    for addressee in Addressee:
        assert "program" not in write(maker, addressee, hides_ai=True)
        assert "network" not in write(maker, addressee, hides_ai=True)


@pytest.mark.parametrize(
    ("diagnosis", "words"),
    [
        (NEVUS, "This is no cancer."),
        (AK, "The laboratory could not say"),
        (OPEN, "The laboratory could not say"),
        (INVASIVE, "This is a cancer or an early form of one."),
    ],
)
def test_what_a_diagnosis_means_is_said_in_plain_words(diagnosis: str, words: str):
    maker = CaseMaker().visit("v").decide("v", Management.EXCISION).take().report(diagnosis)
    if diagnosis == AK:
        words = "This is no cancer, but it can become one."
    assert words in write(maker, PATIENT)


def test_what_was_decided_before_the_histology_is_no_plan_any_more():
    maker = CaseMaker().visit("v").decide("v", Management.EXCISION).take().report(NEVUS)
    assert "Decision" not in write(maker, DOCTOR)
    later = maker.visit("w", DAY + timedelta(days=20)).decide("w", Management.MONITOR_12)
    assert "Decision: monitor in 12 months." in write(later, DOCTOR)


@pytest.mark.parametrize(
    ("management", "plan"),
    [
        (Management.EXCISION, "We want to remove more skin around the place"),
        (Management.REASSURE, "Nothing more needs to be done at this place now."),
        (Management.REFER, "Another doctor should look at it."),
    ],
)
def test_after_a_melanoma_the_patient_is_not_written_that_it_is_harmless_or_still_there(
    management: Management, plan: str
):
    maker = CaseMaker().visit("v").decide("v", Management.EXCISION).take().report(INVASIVE)
    later = maker.visit("w", DAY + timedelta(days=20)).decide("w", management)
    text = write(later, PATIENT)
    assert plan in text
    assert "harmless" not in text
    assert "We want to remove it" not in text


def test_a_recall_is_no_substitute_for_the_excision_that_is_planned():
    maker = CaseMaker().visit("v").decide("v", Management.EXCISION).recall(date(2026, 11, 4))
    assert "For a check after that, please come to us again on or after" in write(maker, PATIENT)


def test_a_benign_report_after_a_melanoma_speaks_of_its_tissue_alone():
    maker = CaseMaker().visit("v").decide("v", Management.EXCISION).take().report(INVASIVE)
    maker.add("histologies", "second", make_histology(NEVUS, DAY + timedelta(days=20)))
    text = write(maker, PATIENT)
    assert "This is a cancer or an early form of one." in text
    assert "In this tissue there was no cancer." in text
    assert "This is no cancer" not in text


def test_a_cancer_that_the_patient_may_not_know_is_cautioned():
    maker = CaseMaker().visit("v").decide("v", Management.EXCISION).take().report(INVASIVE)
    assert len(list_cautions(maker.make(), PATIENT)) == 2
    assert len(list_cautions(maker.make(), DOCTOR)) == 1
    assert list_cautions(maker.acknowledge().inform().make(), PATIENT) == ()


def test_a_recall_is_in_the_letter():
    maker = CaseMaker().visit("v").recall(date(2026, 11, 4))
    assert "Please come to us again on or after 4 Nov 2026." in write(maker, PATIENT)
    assert "Recall: 4 Nov 2026." in write(maker, DOCTOR)


def test_a_changed_letter_is_written_as_it_was_changed_but_for_what_is_not_seen():
    letter = draft_letter(CaseMaker().make(), DOCTOR, "dr.a", ON)
    letter = replace(letter, sender="Clinic\nStreet 1", text=f"a\u202eb\x00\n\n{'W' * LONGEST}")
    text = write_letter_text(letter)
    assert text.startswith("Clinic\nStreet 1\n\n20 May 2026\n\n")
    assert "\n\nab\n\nWW" in text
    assert len(clean_letter(letter).text) == LONGEST


def test_a_long_letter_has_several_pages_and_the_same_bytes_each_time():
    letter = draft_letter(CaseMaker().make(), DOCTOR, "dr.a", ON)
    letter = replace(letter, text="\n\n".join(["A paragraph of a letter. " * 12] * 19))
    pdf = write_letter_pdf(letter, datetime(2026, 5, 20, tzinfo=UTC))
    assert len(re.findall(rb"/Type /Page\b", pdf)) >= 2
    assert pdf == write_letter_pdf(letter, datetime(2026, 5, 20, tzinfo=UTC))
