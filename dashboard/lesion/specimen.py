"""The specimen: its number, when and how it was taken, and a photograph of the site."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.lesion.form import Form
from dashboard.shared.chosen_files import forget_files, note_files
from dashboard.shared.photograph_types import list_photograph_types
from dashboard.shared.record import get_today

if TYPE_CHECKING:
    from melanoma_core.records.entry import Entry
    from melanoma_core.records.loop import Decision, Specimen
    from melanoma_core.records.writing import Change


def show_specimen_form(form: Form) -> None:
    """Show the fields of a specimen."""
    from melanoma_core.records.vocabulary import Management

    decision = _find_decision(form)
    planned = decision.value.management if decision else Management.EXCISION
    form.ask_text("Number of the specimen", "number")
    form.ask_day("Taken on", "taken_on", get_today())
    methods = [each for each in Management if each.removes_tissue]
    form.ask_option("Method", "method", methods, planned)
    upload = None
    if form.base is None:
        upload = st.file_uploader(
            "Photograph of the site (optional)",
            list_photograph_types(),
            key=f"{form.name_key('site_file', None)}-upload",
            help="With the place marked. EXIF is not kept. Nothing is kept until you save.",
        )
        note_files(form.name, [upload.name] if upload else [])
    content = upload.getvalue() if upload else None

    def write(change: "Change", draft: Mapping[str, Any]) -> "Entry[Specimen]":
        return _write(form, change, draft, content)

    form.offer_writing(write, "Save the specimen")


def _find_decision(form: Form) -> "Entry[Decision] | None":
    """Return the last decision that removes tissue."""
    removing = [each for each in form.opened.case.decisions if each.value.management.removes_tissue]
    return removing[-1] if removing else None


def _write(
    form: Form, change: "Change", draft: Mapping[str, Any], content: bytes | None
) -> "Entry[Specimen]":
    from melanoma_core.records.loop import Specimen
    from melanoma_core.records.specimens import add_specimen

    decision = _find_decision(form)
    specimen = Specimen(
        lesion_id=form.opened.id,
        number=draft["number"],
        taken_on=draft["taken_on"],
        method=draft["method"],
        decision_id=form.start("decision_id", decision.id if decision else None),
        photograph_id=form.start("photograph_id", None),
    )
    if form.base is not None:
        return change.correct(form.find_base(), specimen)
    forget_files(form.name)
    return add_specimen(form.opened.record, change, specimen, content)
