"""What a malignant report, and a referral, wait for."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from melanoma_core.records.aftercare import (
    explain_margins,
    needs_clear_margins,
    propose_follow_up,
)
from melanoma_core.records.loop import Recall, Specimen
from melanoma_core.records.tasks import find_tasks
from melanoma_core.records.vocabulary import Management, Margins, RecallStatus, Task
from tests.core.records.made_cases import DAY, INVASIVE, MELANOMA, NEVUS, CaseMaker, make_histology

BCC = (
    "Malignant:Malignant adnexal epithelial proliferations - Follicular:Basal cell carcinoma:"
    "Basal cell carcinoma, Nodular"
)
STUMP = (
    "Indeterminate:Indeterminate melanocytic proliferations:"
    "Melanocytic tumor of uncertain malignant potential"
)
LATER = DAY + timedelta(days=30)


def make_informed(
    diagnosis: str = INVASIVE,
    margins: Margins | None = Margins.CLEAR,
    method: Management = Management.EXCISION,
) -> CaseMaker:
    """Return a lesion of which tissue was taken, reported, acknowledged and explained."""
    maker = CaseMaker().visit("v").read("v").decide("v", method)
    maker.add("specimens", "specimen", make_specimen(method=method, decision_id="decision of v"))
    maker.add("histologies", "histology", make_histology(diagnosis, margins=margins))
    return maker.acknowledge().inform(LATER)


def make_specimen(method: Management = Management.EXCISION, **facts: object) -> Specimen:
    values = {"number": "S-1", "taken_on": DAY} | facts
    return Specimen(lesion_id="l", method=method, **values)  # type: ignore[arg-type]


def list_tasks(maker: CaseMaker) -> list[Task]:
    return [task.task for task in find_tasks(maker.make())]


@pytest.mark.parametrize("margins", [None, Margins.INVOLVED, Margins.NOT_ASSESSED])
def test_an_invasive_melanoma_whose_margins_are_not_clear_waits_for_re_excision_and_follow_up(
    margins: Margins | None,
):
    tasks = find_tasks(make_informed(margins=margins).make())
    assert [(each.task, each.severity, each.due_on, each.entry_id) for each in tasks] == [
        (Task.RE_EXCISE, 4, LATER, "histology"),
        (Task.FOLLOW_UP, 4, LATER, "histology"),
    ]


def test_nothing_of_it_waits_before_the_patient_is_informed():
    maker = CaseMaker().visit("v").decide("v", Management.EXCISION).take().report(INVASIVE)
    assert list_tasks(maker) == [Task.ACKNOWLEDGE]
    assert list_tasks(maker.acknowledge()) == [Task.INFORM]


@pytest.mark.parametrize("diagnosis", [NEVUS, STUMP])
def test_a_report_that_is_not_malignant_waits_for_nothing(diagnosis: str):
    assert list_tasks(make_informed(diagnosis, margins=None)) == []


@pytest.mark.parametrize(
    ("diagnosis", "margins", "method", "expected"),
    [
        (BCC, Margins.CLEAR, Management.EXCISION, False),
        (BCC, None, Management.EXCISION, True),
        (BCC, Margins.CLEAR, Management.PUNCH, False),
        (INVASIVE, Margins.CLEAR, Management.EXCISION, False),
        (INVASIVE, Margins.CLEAR, Management.PUNCH, True),
        (f"{MELANOMA}:Melanoma in situ", Margins.CLEAR, Management.SHAVE, True),
        (f"{MELANOMA}:Melanoma metastasis", None, Management.EXCISION, False),
        (STUMP, Margins.INVOLVED, Management.EXCISION, True),
        (NEVUS, Margins.INVOLVED, Management.EXCISION, False),
    ],
)
def test_what_needs_clear_margins(
    diagnosis: str, margins: Margins | None, method: Management, expected: bool
):
    report = make_histology(diagnosis, margins=margins)
    assert needs_clear_margins(report, make_specimen(method)) is expected


def test_margins_are_settled_by_a_correction_a_later_specimen_or_a_decision():
    maker = make_informed(margins=None).recall(LATER)
    assert Task.RE_EXCISE in list_tasks(maker)

    again = make_informed(margins=None).recall(LATER)
    again.correct("histologies", "histology", make_histology(INVASIVE, margins=Margins.CLEAR))
    again.acknowledge().inform()
    assert list_tasks(again) == [Task.RECALL]

    maker.add("specimens", "wider", make_specimen(number="S-2", taken_on=LATER))
    assert Task.RE_EXCISE not in list_tasks(maker)

    decided = make_informed(margins=Margins.INVOLVED).recall(LATER).decide("v", Management.REASSURE)
    assert list_tasks(decided) == [Task.RECALL]


def test_a_re_excision_that_was_decided_waits_for_its_specimen_and_then_for_its_report():
    maker = make_informed(margins=Margins.INVOLVED).recall(LATER).visit("w", LATER)
    maker.decide("w", Management.EXCISION)
    assert list_tasks(maker) == [Task.TAKE_SPECIMEN, Task.RECALL]
    taken = make_specimen(number="S-2", taken_on=LATER, decision_id="decision of w")
    assert list_tasks(maker.add("specimens", "wider", taken)) == [Task.RECALL, Task.HISTOLOGY]


@pytest.mark.parametrize(("diagnosis", "severity"), [(INVASIVE, 4), (BCC, 2)])
def test_the_specimen_of_a_re_excision_is_as_severe_as_the_report_that_asks_for_it(
    diagnosis: str, severity: int
):
    maker = make_informed(diagnosis, Margins.INVOLVED).recall(LATER).visit("w", LATER)
    tasks = find_tasks(maker.decide("w", Management.EXCISION).make())
    assert [each.severity for each in tasks if each.task is Task.TAKE_SPECIMEN] == [severity]


def test_a_specimen_from_elsewhere_is_not_taken_for_the_re_excision():
    maker = CaseMaker().visit("v").read("v").take(DAY)
    maker.add("histologies", "histology", make_histology(INVASIVE, margins=Margins.INVOLVED))
    maker.acknowledge().inform().recall(LATER).decide("v", Management.EXCISION)
    assert Task.TAKE_SPECIMEN in list_tasks(maker)


@pytest.mark.parametrize("diagnosis", [INVASIVE, BCC])
def test_a_malignant_report_waits_for_follow_up_until_a_recall_is_written(diagnosis: str):
    maker = make_informed(diagnosis)
    assert list_tasks(maker) == [Task.FOLLOW_UP]
    assert list_tasks(maker.recall(LATER)) == [Task.RECALL]
    closed = make_informed(diagnosis).recall(LATER, status=RecallStatus.DONE)
    assert list_tasks(closed) == []


def test_a_recall_of_the_whole_skin_is_a_follow_up_too():
    recall = Recall(patient_id="p", lesion_id=None, due_on=LATER)
    assert list_tasks(make_informed().add("skin_recalls", "recall", recall)) == []


def test_a_recall_that_ended_before_the_report_is_none():
    maker = CaseMaker().recall(LATER, status=RecallStatus.DONE).visit("v").take().report(BCC)
    assert Task.FOLLOW_UP in list_tasks(maker.acknowledge().inform())


def test_that_no_follow_up_is_needed_is_a_decision():
    assert list_tasks(make_informed(BCC).decide("v", Management.REASSURE)) == []
    waits = make_informed(BCC).visit("w", LATER).decide("w", Management.MONITOR_12)
    assert list_tasks(waits) == [Task.FOLLOW_UP]  # it asks for a recall, which is missing


@pytest.mark.parametrize(
    ("management", "due_on", "severity"),
    [(Management.REFER_URGENTLY, DAY, 4), (Management.REFER, DAY + timedelta(days=28), 1)],
)
def test_a_referral_waits_for_its_answer(management: Management, due_on: date, severity: int):
    maker = CaseMaker().visit("v").decide("v", management)
    (task,) = find_tasks(maker.make())
    assert (task.task, task.due_on, task.severity) == (Task.REFERRAL, due_on, severity)
    assert task.entry_id == "decision of v"


def test_a_referral_is_answered_by_a_decision_or_by_tissue_that_is_recorded_later():
    maker = CaseMaker().visit("v").decide("v", Management.REFER_URGENTLY)
    assert list_tasks(maker.take(LATER)) == [Task.HISTOLOGY]
    maker = CaseMaker().visit("v").decide("v", Management.REFER_URGENTLY)
    assert list_tasks(maker.add("decisions", "answer", answer(Management.REASSURE))) == []


def answer(management: Management) -> object:
    maker = CaseMaker().decide("v", management)
    return maker.make().decisions[0].value


def test_a_referral_after_a_report_is_not_answered_by_the_tissue_of_that_report():
    maker = make_informed(margins=Margins.INVOLVED).recall(LATER)
    maker.add("decisions", "on the result", answer(Management.REFER_URGENTLY))
    assert list_tasks(maker) == [Task.REFERRAL, Task.RECALL]


@pytest.mark.parametrize(
    ("diagnosis", "facts", "expected"),
    [
        (INVASIVE, {"pt": "pT1a"}, date(2026, 9, 2)),
        (INVASIVE, {"pt": "pT4b"}, date(2026, 6, 2)),
        (INVASIVE, {}, date(2026, 9, 2)),
        (f"{MELANOMA}:Melanoma in situ", {"pt": "pTis"}, date(2027, 3, 2)),
        (MELANOMA, {"in_situ": True}, date(2027, 3, 2)),
        (BCC, {}, date(2027, 3, 2)),
    ],
)
def test_the_shortest_follow_up_that_guidelines_advise_is_proposed(
    diagnosis: str, facts: dict[str, object], expected: date
):
    assert propose_follow_up(make_histology(diagnosis, **facts), DAY) == expected


def test_the_guidance_says_what_the_report_says_of_the_margins():
    report = make_histology(INVASIVE, margins=Margins.INVOLVED)
    assert explain_margins(report).startswith("Margins: the report says involved. Guideline")
    assert "they are not stated" in explain_margins(replace(report, margins=None))
