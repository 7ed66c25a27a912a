"""The first read: what the doctor says of the lesion, by keys, before the network's is shown."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.lesion.form import Form
from dashboard.lesion.keys import MANAGEMENTS, OPINIONS, PROBABILITIES
from dashboard.lesion.opened import OpenedLesion
from dashboard.shared.record import get_who, show_field_error

if TYPE_CHECKING:
    from melanoma_core.records.first_sight import FirstSights
    from melanoma_core.records.loop import FirstRead
    from melanoma_core.records.steps import AtVisit

_SEVEN, _ABCD = "seven", "abcd_used"  # fields: whether a checklist is filled in


@st.cache_resource(show_spinner=False)
def _get_sights() -> "FirstSights":
    from melanoma_core.records.first_sight import FirstSights

    return FirstSights()


def note_sight(opened: OpenedLesion) -> None:
    """Note when the person first sees the photographs of a visit that waits for a first read."""
    if opened.at_visit is not None and opened.at_visit.first_read is None:
        _get_sights().see(get_who(), opened.at_visit.visit.id)


def show_first_read_form(form: Form) -> None:
    """Show the questions of a first read; four keys and Ctrl+Enter answer and save them."""
    form.choose("Diagnosis", "opinion", OPINIONS)
    form.choose("Probability of melanoma", "melanoma_probability", PROBABILITIES)
    form.choose("What would you do?", "management", MANAGEMENTS)
    with st.expander("Checklists of dermoscopy (optional)"):
        st.caption("Both were made for melanocytic lesions.")
        _ask_seven_points(form)
        _ask_abcd(form)
        show_field_error(form.name, "abcd", "seven_points")
    form.offer_save(lambda draft: _build(form, draft), "Save the first read")


def _ask_seven_points(form: Form) -> None:
    from melanoma_core.records.typed import read_seven_points
    from melanoma_core.records.wording import SEVEN_POINTS, say

    kept = form.start("seven_points", None)
    if st.toggle("Seven-point checklist", key=form.name_key(_SEVEN, kept is not None)):
        with st.container(gap="xxsmall"):
            for number, (name, title) in enumerate(SEVEN_POINTS.items()):
                points = "2 points" if number < 3 else "1 point"  # three major criteria
                st.checkbox(
                    f"{title} ({points})", key=form.name_key(name, getattr(kept, name, False))
                )
        ticked = {name: form.read(name) for name in SEVEN_POINTS}
        st.markdown(f"**{say(read_seven_points(ticked))}**")


def _ask_abcd(form: Form) -> None:
    from melanoma_core.records.typed import ABCD, read_abcd
    from melanoma_core.records.wording import say

    kept = form.start("abcd", None)
    titles = {
        "asymmetry": "A: axes without symmetry",
        "border": "B: eighths of the border that end abruptly",
        "colours": "C: colours",
        "structures": "D: dermoscopic structures",
    }
    if st.toggle("ABCD rule", key=form.name_key(_ABCD, kept is not None)):
        for name, (low, high) in ABCD.items():
            st.slider(titles[name], low, high, key=form.name_key(name, getattr(kept, name, low)))
        st.markdown(f"**{say(read_abcd({name: form.read(name) for name in ABCD}))}**")


def _build(form: Form, draft: Mapping[str, Any]) -> "FirstRead":
    from melanoma_core.records.loop import FirstRead
    from melanoma_core.records.typed import read_abcd, read_seven_points

    at_visit = _need_visit(form.opened)
    return FirstRead(
        lesion_id=form.opened.id,
        visit_id=form.start("visit_id", at_visit.visit.id),
        opinion=draft["opinion"],
        melanoma_probability=draft["melanoma_probability"],
        management=draft["management"],
        order=form.start("order", at_visit.actual_order),
        seconds=form.start("seconds", _get_sights().measure(get_who(), at_visit.visit.id)),
        seven_points=read_seven_points(draft) if draft[_SEVEN] else None,
        abcd=read_abcd(draft) if draft[_ABCD] else None,
    )


def _need_visit(opened: OpenedLesion) -> "AtVisit":
    assert opened.at_visit is not None  # the form is not shown without a visit
    return opened.at_visit
