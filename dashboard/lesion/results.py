"""What follows a histology report: a reader acknowledges it, and the patient is informed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.lesion.form import Form
from dashboard.shared.record import get_today, show_field_error

if TYPE_CHECKING:
    from melanoma_core.records.loop import Acknowledgement, Information

_NO_REPORT = "<p>There is no histology report yet.</p>"


def show_acknowledgement(form: Form, histology_id: str) -> None:
    """Show the report that waits, with a button to acknowledge it.

    Args:
        form: A form without fields.
        histology_id: Id of the report that waits; "" for the last one.
    """
    from melanoma_core.records.wording import summarise

    reports = {each.id: each for each in form.opened.case.histologies}
    if not reports:
        st.html(_NO_REPORT)
        return
    report = reports.get(histology_id) or list(reports.values())[-1]
    st.text(summarise(report.value))
    form.name_key("histology_id", report.id)
    form.offer_save(lambda draft: _acknowledge(form, draft), "I have seen this report")


def _acknowledge(form: Form, draft: Mapping[str, Any]) -> "Acknowledgement":
    from melanoma_core.records.loop import Acknowledgement

    return Acknowledgement(lesion_id=form.opened.id, histology_id=draft["histology_id"])


def show_information_form(form: Form, histology_id: str) -> None:
    """Show the fields of the note that the patient was informed.

    Args:
        form: The form.
        histology_id: Id of the report that waits; "" for the last one.
    """
    from melanoma_core.records.vocabulary import Channel
    from melanoma_core.records.wording import summarise

    reports = {each.id: each.value for each in form.opened.case.histologies}
    if not reports:
        st.html(_NO_REPORT)
        return
    default = histology_id if histology_id in reports else list(reports)[-1]
    form.ask_option(
        "Report",
        "histology_id",
        list(reports),
        default,
        format_func=lambda each: summarise(reports[each]),
    )
    form.ask_day("Informed on", "on", get_today())
    st.segmented_control(
        "How",
        list(Channel),
        key=form.name_key("channel", form.start("channel", Channel.IN_PERSON)),
    )
    show_field_error(form.name, "channel")
    form.offer_save(lambda draft: _build(form, draft), "Save: the patient is informed")


def _build(form: Form, draft: Mapping[str, Any]) -> "Information":
    from melanoma_core.records.loop import Information

    return Information(
        lesion_id=form.opened.id,
        histology_id=draft["histology_id"],
        on=draft["on"],
        channel=draft["channel"],
    )
