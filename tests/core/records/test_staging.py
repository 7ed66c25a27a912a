import pytest

from melanoma_core.records.staging import (
    PrimaryTumour,
    explain_disagreement,
    round_breslow,
    stage_primary_tumour,
)
from tests.core.records.made_cases import INVASIVE, make_histology


def stage(breslow: float | None, ulcerated: bool | None = None, in_situ: bool | None = False):
    return stage_primary_tumour(breslow_mm=breslow, ulcerated=ulcerated, in_situ=in_situ)


@pytest.mark.parametrize("in_situ", [None, False])
@pytest.mark.parametrize("ulcerated", [None, False, True])
def test_without_a_thickness_no_category_is_settled(ulcerated, in_situ):
    assert stage(None, ulcerated, in_situ) is None


def test_a_melanoma_in_situ_is_ptis_and_has_no_thickness():
    assert stage(None, in_situ=True) is PrimaryTumour.PTIS
    assert stage(0.5, in_situ=True) is None


# The table of AJCC 8: Gershenwald et al. (2017), doi:10.3322/caac.21409.
@pytest.mark.parametrize(
    ("breslow", "unknown", "without", "with_ulceration"),
    [
        (0.1, "pT1", "pT1a", "pT1b"),
        (0.7, "pT1", "pT1a", "pT1b"),
        (0.8, "pT1b", "pT1b", "pT1b"),
        (1.0, "pT1b", "pT1b", "pT1b"),
        (1.1, "pT2", "pT2a", "pT2b"),
        (2.0, "pT2", "pT2a", "pT2b"),
        (2.1, "pT3", "pT3a", "pT3b"),
        (4.0, "pT3", "pT3a", "pT3b"),
        (4.1, "pT4", "pT4a", "pT4b"),
        (30.0, "pT4", "pT4a", "pT4b"),
    ],
)
def test_thickness_and_ulceration_give_the_category(breslow, unknown, without, with_ulceration):
    found = [stage(breslow, ulcerated) for ulcerated in (None, False, True)]
    assert found == [unknown, without, with_ulceration]


@pytest.mark.parametrize(
    ("breslow", "rounded", "category"),
    [
        (0.74, "0.7", "pT1a"),
        (0.75, "0.8", "pT1b"),
        (0.84, "0.8", "pT1b"),
        (1.04, "1.0", "pT1b"),
        (1.05, "1.1", "pT2a"),
        (2.04, "2.0", "pT2a"),
        (2.05, "2.1", "pT3a"),
        (4.04, "4.0", "pT3a"),
        (4.05, "4.1", "pT4a"),
        (0.04, "0.0", "pT1a"),
    ],
)
def test_a_thickness_is_rounded_to_a_tenth_before_it_is_staged(breslow, rounded, category):
    assert str(round_breslow(breslow)) == rounded
    assert stage(breslow, ulcerated=False) == category


@pytest.mark.parametrize(
    ("pt", "breslow", "ulcerated"),
    [("", 1.5, False), ("pT2a", 1.5, False), ("pT2", 1.5, False), ("pT2b", 1.5, None),
     ("pTX", None, None), ("pT3a", None, None)],
)  # fmt: skip
def test_a_category_that_fits_its_facts_is_not_questioned(pt, breslow, ulcerated):
    report = make_histology(INVASIVE, pt=pt, breslow_mm=breslow, ulcerated=ulcerated)
    assert explain_disagreement(report) == ""


def test_a_category_that_does_not_fit_says_which_one_would():
    report = make_histology(INVASIVE, pt="pT1a", breslow_mm=0.75, ulcerated=False)
    assert explain_disagreement(report) == (
        "The report says pT1a. With 0.75 mm and no ulceration, AJCC 8 gives pT1b."
    )


def test_ptx_beside_a_thickness_is_questioned():
    report = make_histology(INVASIVE, pt="pTX", breslow_mm=3.0, ulcerated=True)
    assert explain_disagreement(report).startswith("pTX means that no thickness is known.")


def test_ptis_beside_an_invasive_melanoma_is_questioned():
    report = make_histology(INVASIVE, pt="pTis", in_situ=False)
    assert explain_disagreement(report) == (
        "The report says pTis, a melanoma in situ, and that it is not in situ."
    )
    report = make_histology(INVASIVE, pt="pT1a", in_situ=True)
    assert "a melanoma in situ, AJCC 8 gives pTis" in explain_disagreement(report)
