from datetime import timedelta

import pytest

from melanoma_core.reading.statement import Level
from melanoma_core.records.lesion_summary import find_newest_photograph, summarise_case
from melanoma_core.records.steps import Step
from melanoma_core.records.vocabulary import ImageKind, Management, ReadOrder
from tests.core.records.made_cases import DAY, NEVUS, CaseMaker

LATER = DAY + timedelta(days=100)
FIRST, TOGETHER = ReadOrder.DOCTOR_FIRST, ReadOrder.TOGETHER


def test_a_lesion_without_photographs_waits_for_them():
    summary = summarise_case(CaseMaker().make(), FIRST)

    assert summary.next_step is not None
    assert summary.next_step.step is Step.PHOTOGRAPHS
    assert (summary.level, summary.photograph, summary.histology) == (None, None, None)
    assert not summary.hides_ai


def test_the_worst_alert_counts_whenever_it_was_read():
    maker = CaseMaker().visit("v").read("v").read_by_ai("v", melanoma=0.9)
    maker.visit("w", LATER).read("w").read_by_ai("w", melanoma=0.01)

    assert summarise_case(maker.make(), FIRST).level is Level.MELANOMA


@pytest.mark.parametrize(("order", "level"), [(FIRST, None), (TOGETHER, Level.MELANOMA)])
def test_no_alert_is_shown_before_the_first_read_of_the_visit(order, level):
    maker = CaseMaker().visit("v").read_by_ai("v", melanoma=0.9)
    summary = summarise_case(maker.make(), order)

    assert summary.level is level
    assert summary.hides_ai is (order is FIRST)


def test_a_lesion_that_was_never_read_has_no_level():
    assert summarise_case(CaseMaker().visit("v").read("v").make(), FIRST).level is None


def test_the_newest_dermoscopic_photograph_comes_before_a_newer_close_up():
    maker = CaseMaker().visit("v").photograph("near", "v", kind=ImageKind.CLOSE_UP)
    maker.photograph("scar", "v", shows_specimen_site=True)
    newest = find_newest_photograph(maker.make())

    assert newest is not None
    assert newest.id == "photograph of v"


def test_the_last_report_is_given():
    maker = CaseMaker().visit("v").decide("v", Management.EXCISION).take().report(NEVUS)
    summary = summarise_case(maker.make(), FIRST)

    assert summary.histology is not None
    assert summary.histology.value.diagnosis == NEVUS
    assert summary.next_step is not None
    assert summary.next_step.step is Step.ACKNOWLEDGE
