"""The form of a lesion: its place on the body map, its site, and what was noticed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.patients.body_figure import Placing
from dashboard.patients.body_map import show_placing_map
from dashboard.patients.form import Form, offer_withdrawal
from dashboard.patients.lesions import make_marks
from dashboard.patients.opened import OpenedPatient
from dashboard.shared.markup import render_error
from dashboard.shared.record import show_field_error

if TYPE_CHECKING:  # the page is painted before SQLAlchemy is imported
    from melanoma_core.records.entities import Lesion
    from melanoma_core.records.entry import Entry
    from melanoma_core.records.vocabulary import MapPoint

_CONSEQUENCE = (
    "The lesion stays in the record as withdrawn, with the reason. Nothing of it is counted."
)
_HINT = (
    '<p class="fact">Click on the figure to place the lesion, or put the focus on the cross and '
    "use the arrow keys (with Shift in larger steps; the space bar changes front and back). The "
    "place proposes site and side. You may choose others.</p>"
)


def show_lesion_form(opened: OpenedPatient, base: "Entry[Lesion] | None") -> None:
    """Show the fields of a lesion, beside the map on which it is placed.

    Args:
        opened: The patient.
        base: The lesion that is corrected; None for a new one.
    """
    name = f"lesion-{base.id}-facts" if base else opened.name_form("new-lesion")
    form = Form(name, base)
    st.html(f"<h2>{'Correct the lesion' if base else 'New lesion'}</h2>")
    body, fields = st.columns([9, 11], gap="medium")
    with body:
        _show_map(opened, form)
    with fields:
        _ask(opened, form)
        form.offer_save(lambda change, draft: form.write_value(change, _build(opened.id, draft)))
        if base is not None:
            with st.expander("Withdraw the lesion"):
                offer_withdrawal(base, _CONSEQUENCE)


def _show_map(opened: OpenedPatient, form: Form) -> None:
    from melanoma_core.records.body_map import propose_site
    from melanoma_core.records.entity_rules import BESIDE
    from melanoma_core.records.wording import say

    key = form.name_key("map_point", form.start("map_point", None))
    point: MapPoint | None = st.session_state[key]
    text = "not placed yet"
    if point is not None:
        proposal = propose_site(point)
        site = proposal.site.rpartition(":")[2] or "beside the body"
        text = f"{point.view}, {site}, {say(proposal.laterality)}"
    marks = make_marks(opened.summaries, but=form.base.id if form.base else "")
    show_placing_map(form.name, marks, Placing(point, text), lambda sent: _place(form, sent))
    st.html(f'<p role="status">Place: {text}.</p>{_HINT}')
    show_field_error(form.name, "map_point")
    if st.session_state.get(_name_refused(form)):
        st.html(render_error(BESIDE))
    if point is not None:
        st.button("Take it off the map", key=f"{form.name}-unplace", on_click=_unplace, args=(key,))


def _ask(opened: OpenedPatient, form: Form) -> None:
    from melanoma_core.records.validation import list_sites
    from melanoma_core.records.vocabulary import Change, Laterality

    form.ask_text("Label", "label", None if form.base else _find_label(opened), max_chars=40)
    form.ask_option(
        "Anatomic site",
        "site",
        ["", *list_sites()],
        "",
        format_func=_name_site,
        help="Type a part of its name, such as cheek.",
    )
    form.ask_option("Side", "laterality", [None, *Laterality])
    form.ask_text(
        "First noticed",
        "noticed",
        placeholder="a year, a month or a day: 2024, 2024-05, 2024-05-31",
    )
    changes = list(form.start("changes", ()))
    st.multiselect(
        "Changes that were noticed",
        list(Change),
        format_func=str,
        key=form.name_key("changes", changes),
        placeholder="none stated",
    )
    show_field_error(form.name, "changes")
    st.text_area("Note", key=form.name_key("note", form.start("note", "")), height=80)
    show_field_error(form.name, "note")


def _build(patient_id: str, draft: Mapping[str, Any]) -> "Lesion":
    from melanoma_core.records.entities import Lesion

    return Lesion(patient_id=patient_id, **{**draft, "changes": tuple(draft["changes"])})


def _find_label(opened: OpenedPatient) -> str:
    """Return the first number that no lesion of the patient has."""
    taken = {each.lesion.value.label for each in opened.summaries}
    return next(str(number) for number in range(1, len(taken) + 2) if str(number) not in taken)


def _name_site(site: str) -> str:
    """Return a site by its last name, then what it is a part of."""
    whole, _, name = site.rpartition(":")
    return f"{name} ({whole.replace(':', ' › ')})" if whole else name or "not stated"


def _place(form: Form, sent: Mapping[str, Any]) -> None:
    """Place the lesion, and propose site and side unless a person has chosen others.

    A point beside the body is refused: the lesion stays where it was.
    """
    from melanoma_core.records.body_map import Proposal, is_on_body, propose_site
    from melanoma_core.records.vocabulary import BodyView, MapPoint

    place = MapPoint(BodyView(sent["view"]), float(sent["x"]), float(sent["y"]))
    st.session_state[_name_refused(form)] = not is_on_body(place)
    if not is_on_body(place):
        return
    names = ("map_point", "site", "laterality")
    point, site, side = (form.name_key(each, form.start(each, _EMPTY[each])) for each in names)
    before: MapPoint | None = st.session_state[point]
    earlier = propose_site(before) if before else Proposal("", None)
    st.session_state[point] = place
    now = propose_site(place)
    if st.session_state[site] in ("", earlier.site):
        st.session_state[site] = now.site
    if st.session_state[side] in (None, earlier.laterality):
        st.session_state[side] = now.laterality


def _name_refused(form: Form) -> str:
    return f"{form.name}-refused-point"


_EMPTY = {"map_point": None, "site": "", "laterality": None}


def _unplace(key: str) -> None:
    st.session_state[key] = None
