from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.records.diagnoses import find_diagnoses
from melanoma_core.records.entities import Photograph
from melanoma_core.records.ground_truth import add_months
from melanoma_core.records.loop import (
    Acknowledgement,
    AiReading,
    Decision,
    FirstRead,
    Histology,
    Information,
    PhotographReading,
    Recall,
    Specimen,
)
from melanoma_core.records.store import Record
from melanoma_core.records.vocabulary import Channel, Management, Margins, Opinion, ReadOrder
from tests.dashboard.lesion.conftest import OpenLesion
from tests.drawn_record import DrawnLesion

TODAY = date.today()
DRAWN = DEMONSTRATION_LESIONS[1].path.read_bytes()
NODULAR = next(each for each in find_diagnoses("nodular melanoma") if "Nodular" in each)


def click(app: AppTest, label: str) -> AppTest:
    (button,) = [each for each in app.button if each.label == label]
    return button.click().run()


def read_all(app: AppTest) -> str:
    assert not app.exception
    return " ".join(each.proto.body for each in app.get("html"))


def find_one(record: Record, kind: type[Any], lesion: DrawnLesion) -> Any:
    (entry,) = record.find(kind, lesion_id=lesion.lesion_id)
    return entry


def add(record: Record, value: Any) -> Any:
    with record.write(by="dr.a") as change:
        return change.add(value)


def add_reading(record: Record, lesion: DrawnLesion, *, alert: bool) -> Any:
    share = 0.6 if alert else 0.01
    reading = AiReading(
        lesion_id=lesion.lesion_id,
        visit_id=lesion.visit_id,
        model_id="drawn-model",
        app_version="1.0",
        class_names=("MEL", "NV"),
        probabilities=(share, 1 - share),
        melanoma_threshold=0.1,
        skin_cancer_threshold=0.2,
        melanoma_alert=alert,
        skin_cancer_alert=alert,
        statement="What the network said.",
        photographs=(
            PhotographReading(
                photograph_id=lesion.photograph_ids[0], probabilities=(share, 1 - share)
            ),
        ),
    )
    return add(record, reading)


def add_decision(record: Record, lesion: DrawnLesion, management: Management) -> Any:
    value = Decision(lesion_id=lesion.lesion_id, visit_id=lesion.visit_id, management=management)
    return add(record, value)


def test_without_a_lesion_the_page_says_how_to_choose_one(open_lesion: OpenLesion):
    assert "No lesion is chosen" in read_all(open_lesion(lesion=""))


def test_an_unknown_lesion_is_an_error_with_advice(open_lesion: OpenLesion):
    assert "is not in the record" in read_all(open_lesion(lesion="0" * 32))


def test_an_address_of_a_view_under_another_name_opens_it_and_an_unknown_one_says_so(
    open_lesion: OpenLesion,
):
    app = open_lesion(view="look-alikes")
    assert app.session_state["lesion-view"] == "lookalikes"
    assert "names no view" not in read_all(app)
    assert "The address names no view of a lesion. It has: Timeline, Compare" in read_all(
        open_lesion(view="x-ray")
    )


def test_the_head_names_patient_lesion_and_next_step(open_lesion: OpenLesion):
    app = open_lesion()
    page = read_all(app)
    assert "60 years · female · skin type II · melanoma before" in page
    assert "left Upper back" in page
    assert "Next: first read" in page


def test_the_log_notes_once_who_saw_the_lesion(
    open_lesion: OpenLesion, record: Record, lesion: DrawnLesion
):
    open_lesion("dr.b").run()
    seen = [each for each in record.list_log(entry_id=lesion.lesion_id) if each.action == "seen"]
    assert [each.by for each in seen] == ["dr.b"]


def test_a_first_read_takes_four_clicks(
    open_lesion: OpenLesion, record: Record, lesion: DrawnLesion
):
    app = open_lesion()
    for label in ("Melanoma", "65%", "Excision", "Save the first read"):
        app = click(app, label)
        assert not app.exception

    read = find_one(record, FirstRead, lesion).value
    assert (read.opinion, read.melanoma_probability) == (Opinion.MEL, 0.65)
    assert read.management is Management.EXCISION
    assert read.order is ReadOrder.DOCTOR_FIRST
    assert read.seconds > 0
    assert "Saved, version 1." in read_all(app)


def test_what_is_missing_is_named_beside_the_question_and_nothing_is_lost(
    open_lesion: OpenLesion, record: Record
):
    app = click(click(open_lesion(), "Nevus"), "Save the first read")
    assert "This is empty: it is required." in read_all(app)
    assert [each.label for each in app.button if each.label.startswith("✓")] == ["✓ Nevus"]
    assert record.count()["FirstRead"] == 0


def test_an_answer_can_be_taken_back(open_lesion: OpenLesion):
    app = click(click(open_lesion(), "5%"), "✓ 5%")
    assert not [each for each in app.button if each.label.startswith("✓")]


def test_the_score_of_a_checklist_follows_its_criteria(
    open_lesion: OpenLesion, record: Record, lesion: DrawnLesion
):
    app = open_lesion()
    for label in ("Nevus", "Reassure"):
        app = click(app, label)
    app = app.toggle[0].set_value(True).run()
    assert "0 of 10 points" in app.markdown[-1].value
    app = app.checkbox[0].set_value(True).run()
    app = app.checkbox[6].set_value(True).run()
    assert "3 of 10 points, suspicious" in app.markdown[-1].value
    click(app, "Save the first read")

    points = find_one(record, FirstRead, lesion).value.seven_points
    assert (points.atypical_network, points.regression, points.blue_white_veil) == (
        True,
        True,
        False,
    )


@pytest.mark.parametrize("view", ["timeline", "report"])
def test_the_ai_reading_is_nowhere_on_the_page_before_the_first_read(
    open_lesion: OpenLesion, record: Record, lesion: DrawnLesion, view: str
):
    add_reading(record, lesion, alert=True)
    page = read_all(open_lesion(view=view))
    assert "What the network said." not in page
    assert "drawn-model" not in page


def test_the_ai_reading_shows_after_the_first_read(
    open_lesion: OpenLesion, record: Record, lesion: DrawnLesion
):
    add_reading(record, lesion, alert=True)
    app = open_lesion()
    for label in ("Melanoma", "Excision", "Save the first read"):
        app = click(app, label)
    page = read_all(app)
    assert "What the network said." in page
    assert "60.0%" in page
    assert find_one(record, FirstRead, lesion).value.order is ReadOrder.DOCTOR_FIRST


def test_together_both_are_shown_and_the_first_read_says_so(
    open_lesion: OpenLesion, record: Record, lesion: DrawnLesion, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MELANOMA_FIRST_READ", "together")
    add_reading(record, lesion, alert=True)
    app = open_lesion()
    assert "What the network said." in read_all(app)
    for label in ("Melanoma", "Excision", "Save the first read"):
        app = click(app, label)
    assert find_one(record, FirstRead, lesion).value.order is ReadOrder.TOGETHER


def test_without_a_first_read_the_ai_reading_comes_first(
    open_lesion: OpenLesion, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MELANOMA_FIRST_READ", "off")
    assert "Next: AI reading" in read_all(open_lesion())


def test_a_decision_that_differs_from_the_alert_needs_a_reason(
    open_lesion: OpenLesion, record: Record, lesion: DrawnLesion, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MELANOMA_FIRST_READ", "off")
    reading = add_reading(record, lesion, alert=True)
    app = click(click(open_lesion(), "Reassure"), "Sign and save")
    assert "The decision differs from the alert: say why." in read_all(app)
    app = app.text_input[0].set_value("scar after excision").run()
    click(app, "Sign and save")

    decision = find_one(record, Decision, lesion)
    assert (decision.by, decision.value.reason) == ("dr.a", "scar after excision")
    assert decision.value.ai_reading_id == reading.id


def test_a_decision_to_monitor_adds_its_recall(
    open_lesion: OpenLesion, record: Record, lesion: DrawnLesion
):
    app = open_lesion(step="decision")
    click(click(app, "Monitor, 3 months"), "Sign and save")
    recall = find_one(record, Recall, lesion).value
    assert (recall.reason, recall.status) == ("monitor in 3 months", "open")


def test_the_second_of_two_who_decide_sees_what_the_first_decided(
    open_lesion: OpenLesion, record: Record, lesion: DrawnLesion
):
    app = open_lesion(step="decision")
    app = click(app, "Excision")
    add_decision(record, lesion, Management.PUNCH)
    app = click(app, "Sign and save")

    assert "has decided already: punch" in read_all(app)
    assert app.session_state["lesion-step"] == "decision"
    assert len(record.find(Decision, lesion_id=lesion.lesion_id)) == 1


def test_pt_is_proposed_and_can_be_changed(
    open_lesion: OpenLesion, record: Record, lesion: DrawnLesion
):
    decision = add_decision(record, lesion, Management.EXCISION)
    add(
        record,
        Specimen(
            lesion_id=lesion.lesion_id,
            number="H-1",
            taken_on=TODAY - timedelta(days=1),
            method=Management.EXCISION,
            decision_id=decision.id,
        ),
    )
    app = open_lesion()
    app = app.text_input[0].set_value("nodular melanoma").run()
    assert app.radio[0].value is None  # a person chooses
    app = app.radio[0].set_value(NODULAR).run()
    app = app.text_input[1].set_value("thin").run()
    app = click(app, "Save the report")
    assert "needed is a finite number or nothing." in read_all(app)
    app = app.text_input[1].set_value("4,2").run()
    assert "Proposed: pT4" in [each.value for each in app.caption]
    click(app, "Save the report")

    value = find_one(record, Histology, lesion).value
    assert (value.breslow_mm, value.pt) == (4.2, "pT4")


def test_the_timeline_shows_what_a_correction_changed_and_who_made_it(
    open_lesion: OpenLesion, record: Record, lesion: DrawnLesion
):
    decision = add_decision(record, lesion, Management.REASSURE)
    app = open_lesion(edit=decision.id)
    app = app.text_input[0].set_value("<b>no</b> change").run()
    app = click(app, "Sign and save")
    page = read_all(app)
    assert "reassure: &lt;b&gt;no&lt;/b&gt; change" in page
    assert "<b>no</b>" not in page
    assert [each.version for each in record.versions(Decision, decision.id)] == [1, 2]


def test_the_second_of_two_people_learns_who_came_first(
    open_lesion: OpenLesion, record: Record, lesion: DrawnLesion
):
    decision = add_decision(record, lesion, Management.REASSURE)
    app = open_lesion(edit=decision.id)
    app = app.text_input[0].set_value("mine").run()
    with record.write(by="dr.b") as change:
        change.correct(decision, replace(decision.value, reason="theirs"))
    app = click(app, "Sign and save")

    assert "dr.b changed this decision" in read_all(app)
    assert app.text_input[0].value == "mine"
    assert record.get(Decision, decision.id).value.reason == "theirs"


def test_an_entry_is_withdrawn_with_a_reason_and_stays_in_the_timeline(
    open_lesion: OpenLesion, record: Record, lesion: DrawnLesion
):
    decision = add_decision(record, lesion, Management.REASSURE)
    app = open_lesion()
    app.session_state[f"details-{decision.id}"] = True
    app = app.run()
    app = click(app, "Withdraw")
    assert "An entry is withdrawn with a reason." in read_all(app)
    (reason,) = [each for each in app.text_input if each.label.startswith("Entered in error")]
    app = click(reason.set_value("of another lesion").run(), "Withdraw")

    assert "Saved, version 2." in read_all(app)
    assert record.get(Decision, decision.id).withdrawn == "of another lesion"
    assert "of another lesion" not in read_all(app.run())
    (switch,) = [each for each in app.toggle if each.label == "Show 1 withdrawn"]
    assert "Withdrawn: of another lesion" in read_all(switch.set_value(True).run())


def test_a_recall_can_be_done(open_lesion: OpenLesion, record: Record, lesion: DrawnLesion):
    recall = add(
        record,
        Recall(patient_id=lesion.patient_id, lesion_id=lesion.lesion_id, due_on=TODAY),
    )
    app = open_lesion(step="recall")
    app = click(app, "Done")
    assert "Saved, version 2." in read_all(app)
    assert record.get(Recall, recall.id).value.status == "done"


def test_photographs_of_a_new_visit_are_kept_when_they_are_saved(
    open_lesion: OpenLesion, record: Record, lesion: DrawnLesion
):
    app = click(open_lesion(step="photographs"), "Add another")
    app.file_uploader[0].set_value([("new.jpg", DRAWN, "image/jpeg")]).run()
    assert record.count()["Photograph"] == 1
    scale = next(each for each in app.text_input if each.label == "Scale, mm per pixel")
    app = scale.set_value("0,02").run()
    app = click(app, "Save 1 photograph")

    assert "Saved" in read_all(app)
    _, added = record.find(Photograph, lesion_id=lesion.lesion_id)
    assert (added.value.millimetres_per_pixel, added.value.taken_on) == (0.02, TODAY)
    assert "Next: first read" in read_all(app)


def test_each_of_several_photographs_has_its_number_and_its_size_in_pixels(
    open_lesion: OpenLesion, record: Record, lesion: DrawnLesion
):
    (first,) = record.find(Photograph, lesion_id=lesion.lesion_id)
    assert "<h3>Photograph 1</h3>" not in read_all(open_lesion(step="photographs"))
    with record.write(by="dr.a") as change:
        change.add(replace(first.value, device="another"))

    shown = read_all(open_lesion(step="photographs"))

    assert "<h3>Photograph 1</h3>" in shown
    assert "<h3>Photograph 2</h3>" in shown
    assert shown.count(f"<dd>{first.value.width} px</dd>") >= 2


def test_what_the_network_said_cannot_be_corrected(
    open_lesion: OpenLesion, record: Record, lesion: DrawnLesion
):
    reading = add_reading(record, lesion, alert=False)
    assert "Correct:" not in read_all(open_lesion(edit=reading.id))


def add_informed(record: Record, lesion: DrawnLesion, diagnosis: str) -> Any:
    """Add a report whose margins are not stated, of which the patient was informed."""
    where = {"lesion_id": lesion.lesion_id}
    decision = add_decision(record, lesion, Management.EXCISION)
    taken = Specimen(
        **where, number="H-1", taken_on=TODAY, method=Management.EXCISION, decision_id=decision.id
    )
    specimen = add(record, taken)
    report = Histology(
        **where, specimen_id=specimen.id, reported_on=TODAY, diagnosis=diagnosis, breslow_mm=0.6
    )
    histology = add(record, report)
    add(record, Acknowledgement(**where, histology_id=histology.id))
    informed = Information(**where, histology_id=histology.id, on=TODAY, channel=Channel.PHONE)
    add(record, informed)
    return histology


def test_a_melanoma_waits_for_re_excision_and_follow_up_after_the_patient_is_informed(
    open_lesion: OpenLesion, record: Record, lesion: DrawnLesion
):
    add_informed(record, lesion, NODULAR)
    app = open_lesion()
    shown = read_all(app)
    assert "Next: re-excision, due" in shown
    assert "<li>follow-up, due" in shown
    assert any("they are not stated" in each.value for each in app.caption)

    app = click(app, "Excision")
    app = click(app, "Sign and save")
    shown = read_all(app)
    assert "Next: specimen" in shown  # as severe as the melanoma
    assert "<li>follow-up, due" in shown
    app = open_lesion(step="follow-up")
    assert app.date_input[0].value == add_months(TODAY, 6)
    app = click(app, "Save the recall")
    shown = read_all(app)
    assert "Next: specimen" in shown
    assert "re-excision" not in shown
    (recall,) = record.find(Recall, lesion_id=lesion.lesion_id)
    assert recall.value.due_on == add_months(TODAY, 6)


def test_the_margins_are_clarified_by_a_correction_of_the_report(
    open_lesion: OpenLesion, record: Record, lesion: DrawnLesion
):
    histology = add_informed(record, lesion, NODULAR)
    app = click(open_lesion(), "Correct the report")
    assert app.query_params["edit"] == histology.id
    next(each for each in app.selectbox if each.label == "Margins").set_value(Margins.CLEAR).run()
    app = click(app, "Save the report")
    assert "Next: acknowledge" in read_all(app)  # and then the patient is informed again


def test_an_urgent_referral_waits_until_it_is_answered(
    open_lesion: OpenLesion, record: Record, lesion: DrawnLesion
):
    add_reading(record, lesion, alert=True)
    add_decision(record, lesion, Management.REFER_URGENTLY)
    app = open_lesion()
    assert "Next: answer of the referral, due" in read_all(app)

    app = click(app, "Reassure")
    reason = next(each for each in app.text_input if each.label.startswith("Reason"))
    app = reason.set_value("Surgery, 27 Nov: a nevus.").run()
    app = click(app, "Sign and save")  # it follows the answer, and not the alert
    assert "It waits for nothing." in read_all(app)
    _, answer = record.find(Decision, lesion_id=lesion.lesion_id)
    assert (answer.value.management, answer.value.ai_reading_id) == (Management.REASSURE, None)


def test_a_breslow_thickness_of_99_mm_is_asked_about_before_it_is_saved(
    open_lesion: OpenLesion, record: Record, lesion: DrawnLesion
):
    histology = add_informed(record, lesion, NODULAR)
    app = open_lesion(edit=histology.id)
    thickness = next(each for each in app.text_input if each.label.startswith("Breslow"))
    app = click(thickness.set_value("99").run(), "Save the report")
    assert "Not saved yet. A Breslow thickness of 99 mm is improbable" in read_all(app)
    assert record.get(Histology, histology.id).version == 1

    app = next(each for each in app.checkbox if "checked it" in each.label).check().run()
    app = click(app, "Save the report")
    assert record.get(Histology, histology.id).value.breslow_mm == 99


def test_files_that_a_reload_lost_are_named(open_lesion: OpenLesion):
    app = click(open_lesion(step="photographs"), "Add another")
    app.file_uploader[0].set_value([("new.jpg", DRAWN, "image/jpeg")]).run()
    assert "reloaded" not in read_all(app)
    kept = app.session_state["kept"]

    again = open_lesion(step="photographs", kept=kept)
    again = click(again, "Add another")
    assert "The page was reloaded. Choose these files again: new.jpg." in read_all(again)
