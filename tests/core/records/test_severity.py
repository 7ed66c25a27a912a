from datetime import timedelta

import pytest

from melanoma_core.records.severity import Severity, find_opinion_tier, rate_case, rate_histology
from melanoma_core.records.vocabulary import Management, Opinion
from tests.core.records.made_cases import DAY, INVASIVE, MELANOMA, NEVUS, CaseMaker, make_histology

LATER = DAY + timedelta(days=100)


def test_a_lesion_of_which_nothing_is_known_is_routine():
    assert rate_case(CaseMaker().make()) is Severity.ROUTINE


@pytest.mark.parametrize(
    ("melanoma", "severity"),
    [(0.1, Severity.ROUTINE), (0.2, Severity.MELANOMA), (0.9, Severity.MELANOMA)],
)
def test_a_melanoma_alert_is_severe(melanoma: float, severity: Severity):
    maker = CaseMaker().visit("v").read_by_ai("v", melanoma=melanoma)
    assert rate_case(maker.make()) is severity


@pytest.mark.parametrize(
    ("opinion", "severity"),
    [
        (Opinion.MEL, Severity.MELANOMA),
        (Opinion.BCC, Severity.SKIN_CANCER),
        (Opinion.OTHER_MALIGNANT, Severity.SKIN_CANCER),
        (Opinion.AK, Severity.WATCHED),
        (Opinion.NV, Severity.ROUTINE),
        (Opinion.OTHER_BENIGN, Severity.ROUTINE),
    ],
)
def test_the_reader_counts_as_the_network_does(opinion: Opinion, severity: Severity):
    assert rate_case(CaseMaker().visit("v").read("v", opinion).make()) is severity


def test_an_urgent_referral_is_the_most_severe():
    maker = CaseMaker().visit("v").decide("v", Management.REFER_URGENTLY)
    assert rate_case(maker.make()) is Severity.URGENT


def test_the_most_severe_belief_counts():
    maker = CaseMaker().visit("v").read("v").read_by_ai("v", melanoma=0.5)
    maker.decide("v", Management.REASSURE)
    assert rate_case(maker.make()) is Severity.MELANOMA


def test_a_benign_report_ends_what_was_thought_before_the_specimen():
    maker = CaseMaker().visit("v").read_by_ai("v", melanoma=0.9)
    maker.decide("v", Management.EXCISION).take().report(NEVUS)
    assert rate_case(maker.make()) is Severity.ROUTINE


def test_a_later_alert_counts_again():
    maker = CaseMaker().visit("v").decide("v", Management.PUNCH).take().report(NEVUS)
    maker.visit("w", LATER).read_by_ai("w", melanoma=0.9)
    assert rate_case(maker.make()) is Severity.MELANOMA


def test_a_melanoma_stays_severe_after_its_report():
    maker = CaseMaker().visit("v").decide("v", Management.EXCISION).take().report(INVASIVE)
    assert rate_case(maker.make()) is Severity.MELANOMA


@pytest.mark.parametrize(
    ("diagnosis", "severity"),
    [
        (f"{MELANOMA}:Melanoma in situ", Severity.URGENT),
        ("Malignant", Severity.SKIN_CANCER),
        ("Malignant:Merkel cell proliferation:Merkel cell carcinoma", Severity.SKIN_CANCER),
        ("Indeterminate:Indeterminate melanocytic proliferations", Severity.WATCHED),
        (
            "Indeterminate:Indeterminate epidermal proliferations:Solar or actinic keratosis",
            Severity.WATCHED,
        ),
        (NEVUS, Severity.ROUTINE),
    ],
)
def test_a_report_is_as_severe_as_its_diagnosis(diagnosis: str, severity: Severity):
    assert rate_histology(make_histology(diagnosis)) is severity


def test_each_opinion_has_a_tier():
    assert [find_opinion_tier(each).value[:3] for each in Opinion] == [
        "mal", "ben", "mal", "pre", "ben", "ben", "ben", "mal", "ben", "mal",
    ]  # fmt: skip
