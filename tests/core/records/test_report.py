from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from melanoma_core.records.errors import RecordDamagedError
from melanoma_core.records.report import ReportRequest, write_lesion_report
from melanoma_core.records.report_html import render_body, render_head
from melanoma_core.records.report_pictures import draw_pictures
from melanoma_core.records.vocabulary import Management
from tests.core.records.made_cases import DAY, INVASIVE, CaseMaker
from tests.core.records.made_entries import read_drawn

REQUEST = ReportRequest(by="dr.b", at=datetime(2026, 5, 20, 9, 30, tzinfo=UTC))


def make_whole() -> CaseMaker:
    maker = CaseMaker().visit("v").read("v").read_by_ai("v", melanoma=0.3)
    maker = maker.decide("v", Management.EXCISION).take().report(INVASIVE)
    return maker.acknowledge().inform()


def test_a_lesion_without_anything_says_that_nothing_is_decided():
    report = write_lesion_report(CaseMaker().make(), REQUEST)
    assert report.title == "Lesion 1 of patient p-1"
    assert report.headline == "No decision yet"
    assert (report.steps, report.alerts, report.reading, report.limits) == ((), (), "", ())


def test_the_steps_say_who_and_when_in_the_order_of_the_loop():
    report = write_lesion_report(make_whole().make(), REQUEST)
    assert report.headline.startswith("Histology: Melanoma Invasive, Superficial spreading")
    assert [step.name for step in report.steps] == [
        "First read",
        "AI reading",
        "Decision",
        "Specimen",
        "Histology",
        "Histology acknowledged",
        "Patient informed",
    ]
    assert report.steps[0].signed == "dr.a, 2 Mar 2026, 08:04"
    assert report.made.startswith("Written on 20 May 2026, 09:30 UTC for dr.b")


def test_the_ai_reading_is_given_as_it_was_kept():
    report = write_lesion_report(make_whole().make(), REQUEST)
    assert report.alerts == (
        ("Melanoma", "30.0%", "alert", "threshold 20.0%"),
        ("Any skin cancer", "30.0%", "no alert", "threshold 40.0%"),
    )
    assert report.diagnoses[:2] == (("nevus", "70.0%"), ("melanoma", "30.0%"))
    assert "Model model, software 1; 1 of 1 photographs read" in report.reading
    assert report.limits[0].startswith("The card of the model model is not on this machine")


def test_before_the_first_read_nothing_of_the_ai_reading_is_on_the_page():
    case = CaseMaker().visit("v").read_by_ai("v", melanoma=0.3).make()
    report = write_lesion_report(case, replace(REQUEST, hides_ai=True))
    html = render_head(report) + render_body(report)
    assert (report.alerts, report.reading, report.steps) == ((), "", ())
    assert "The AI reading is not on this page" in html
    assert "30.0%" not in html


def test_an_ai_reading_of_an_earlier_visit_is_named_as_such():
    case = CaseMaker().visit("v").read_by_ai("v").visit("w", DAY + timedelta(days=90)).make()
    (warning,) = write_lesion_report(case, REQUEST).warnings
    assert "from an earlier visit" in warning


def test_earlier_entries_are_counted():
    maker = CaseMaker().visit("v").decide("v", Management.MONITOR_3)
    case = maker.visit("w", date(2026, 6, 2)).decide("w", Management.REASSURE).make()
    (step,) = write_lesion_report(case, REQUEST).steps
    assert step.text == "reassure; made without AI reading (1 earlier in the record.)"


@pytest.mark.parametrize("count", [1, 3, 9])
def test_the_photograph_that_the_network_suspects_is_the_main_one(count: int):
    maker = CaseMaker().visit("v").read_by_ai("v", melanoma=0.9)
    for number in range(count - 1):
        maker = maker.photograph(f"other {number}", "v")
    pictures = draw_pictures(maker.make(), lambda _: read_drawn())
    assert len(pictures.large) == 1  # neither heatmap nor outline was kept
    assert len(pictures.small) == min(count - 1, 5)
    assert len(pictures.missing) == (count > 6)


def test_a_damaged_file_is_named_and_the_report_is_written_without_it():
    def read(_: str) -> bytes:
        raise RecordDamagedError("was altered")

    pictures = draw_pictures(CaseMaker().visit("v").make(), read)
    assert pictures.large == ()
    assert pictures.missing == ("was altered",)
