"""What follows a histology report: a reader acknowledges it, and the patient is informed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.lesion.form import SAVE_KEY, Form, close_form
from dashboard.shared.record import get_today, save, show_field_error, show_outcome

if TYPE_CHECKING:
    from melanoma_core.records.loop import Information

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
    show_outcome(form.name)
    st.button(
        "I have seen this report",
        key=f"{form.name}-save",
        type="primary",
        shortcut=SAVE_KEY,
        disabled=form.opened.record.is_read_only,
        on_click=_acknowledge,
        args=(form, report.id),
    )


def _acknowledge(form: Form, histology_id: str) -> None:
    from melanoma_core.records.loop import Acknowledgement

    value = Acknowledgement(lesion_id=form.opened.id, histology_id=histology_id)
    if save(form.name, lambda change: change.add(value)):
        close_form()


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
