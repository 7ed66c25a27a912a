"""The histology report: the diagnosis by words, and the facts of a melanoma with its category."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.lesion.form import Form
from dashboard.shared.markup import render_error
from dashboard.shared.record import get_today, read_draft, show_field_error

if TYPE_CHECKING:
    from melanoma_core.records.loop import Histology

_PROPOSED = "as proposed"
_MOST_SHOWN = 8


def show_histology_form(form: Form) -> None:
    """Show the fields of a report on one of the lesion's specimens."""
    specimens = form.opened.case.specimens
    if not specimens:
        st.html("<p>There is no specimen to report on. Save the specimen first.</p>")
        return
    _ask_specimen(form)
    form.ask_day("Reported on", "reported_on", get_today())
    diagnosis = _ask_diagnosis(form)
    _ask_facts(form, diagnosis)
    st.text_area(
        "Words of the report (optional)", key=form.name_key("text", form.start("text", ""))
    )
    show_field_error(form.name, "text")
    form.offer_save(lambda draft: _build(form, draft), "Save the report")


def _ask_specimen(form: Form) -> None:
    from melanoma_core.records.wording import summarise

    specimens = {each.id: each.value for each in form.opened.case.specimens}
    reported = {each.value.specimen_id for each in form.opened.case.histologies}
    waiting = [each for each in specimens if each not in reported] or list(specimens)
    form.ask_option(
        "Specimen",
        "specimen_id",
        list(specimens),
        waiting[0],
        format_func=lambda each: summarise(specimens[each]),
    )


def _ask_diagnosis(form: Form) -> str:
    """Ask for a diagnosis by words, and return the one that is chosen; "" before."""
    from melanoma_core.records.diagnoses import find_diagnoses, title_diagnosis

    chosen_key = form.name_key("diagnosis", form.start("diagnosis", None))
    words = st.text_input(
        "Diagnosis: words or short forms, such as spitz nevus or SSM",
        key=form.name_key("words", title_diagnosis(form.start("diagnosis", ""))),
    )
    found = list(find_diagnoses(words, _MOST_SHOWN)) if words else []
    chosen = st.session_state[chosen_key]
    if chosen and chosen not in found:
        found.insert(0, chosen)
    if found:
        if chosen not in found:  # none is chosen before a person has read them
            st.session_state[chosen_key] = None
        st.radio(
            "Diagnosis of the list",
            found,
            index=None,
            format_func=title_diagnosis,
            captions=[each.replace(":", " › ") for each in found],
            key=chosen_key,
        )
    elif words:
        st.caption("No diagnosis of the list has all these words. Try fewer.")
    show_field_error(form.name, "diagnosis")
    return str(st.session_state.get(chosen_key) or "")


def _ask_facts(form: Form, diagnosis: str) -> None:
    """Ask for the margins, and for what is kept of a melanoma alone."""
    from melanoma_core.records.isic_fields import may_be_melanoma
    from melanoma_core.records.vocabulary import Margins

    form.ask_option("Margins", "margins", [None, *Margins], None)
    form.ask_yes("In situ", "in_situ")
    if not diagnosis or not may_be_melanoma(diagnosis):
        return
    form.ask_number("Breslow thickness, mm", "breslow_mm")
    form.ask_yes("Ulceration", "ulcerated")
    form.ask_number("Mitoses, per mm²", "mitoses_per_mm2")
    _ask_pt(form)


def _ask_pt(form: Form) -> None:
    """Ask for the category, which is proposed from the facts and can be changed."""
    from melanoma_core.records.staging import PrimaryTumour, propose_category

    proposed = propose_category(_build_facts(form, read_draft(form.name))) or "none"
    form.ask_option(
        "pT (AJCC 8)",
        "pt",
        [_PROPOSED, "", *map(str, PrimaryTumour)],
        _PROPOSED,
        format_func=lambda each: each or "not stated",  # the browser keeps a label that changes
        help="Proposed from thickness, ulceration and in situ. What the report says counts.",
    )
    st.caption(f"Proposed: {proposed}")
    _show_warnings(form)


def _show_warnings(form: Form) -> None:
    """Show what is unlikely in the report, although it can be saved."""
    from melanoma_core.records.surroundings import Surroundings
    from melanoma_core.records.validation import find_errors, find_warnings

    value = _build(form, read_draft(form.name))
    if not find_errors(value, Surroundings(today=get_today())):
        for warning in find_warnings(value):
            st.html(render_error(warning.text))


def _build(form: Form, draft: Mapping[str, Any]) -> "Histology":
    from melanoma_core.records.staging import propose_category

    facts, pt = _build_facts(form, draft), draft.get("pt", "")
    return replace(facts, pt=propose_category(facts) or "" if pt == _PROPOSED else pt)


def _build_facts(form: Form, draft: Mapping[str, Any]) -> "Histology":
    """Return the report without its category."""
    from melanoma_core.records.isic_fields import may_be_melanoma
    from melanoma_core.records.loop import Histology
    from melanoma_core.records.typed import read_number

    facts = Histology(
        lesion_id=form.opened.id,
        specimen_id=draft["specimen_id"],
        reported_on=draft["reported_on"],
        diagnosis=draft.get("diagnosis") or "",
        text=draft.get("text", form.start("text", "")),
        in_situ=draft["in_situ"],
        margins=draft["margins"],
    )
    if not facts.diagnosis or not may_be_melanoma(facts.diagnosis):
        return facts
    return replace(
        facts,
        breslow_mm=read_number(draft.get("breslow_mm")),
        ulcerated=draft.get("ulcerated"),
        mitoses_per_mm2=read_number(draft.get("mitoses_per_mm2")),
    )
