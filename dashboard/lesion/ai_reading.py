"""The AI reading: made with the model that is deployed, and shown as it was kept."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.lesion.form import SAVE_KEY, close_form
from dashboard.lesion.opened import OpenedLesion
from dashboard.lesion.reading_markup import render_photograph, render_reading
from dashboard.shared.pictures import get_thumbnail
from dashboard.shared.prevalence import PREVALENCE, choose_prevalence, get_prevalence
from dashboard.shared.reading_model import get_classifier, get_turns
from dashboard.shared.record import get_outcome, save, show_outcome

if TYPE_CHECKING:
    from melanoma_core.records.entry import Entry
    from melanoma_core.records.loop import AiReading

HIDDEN = "Hidden until the first read is kept, so that it does not sway it."
_REQUESTED = "lesion-reading"
_THUMBNAIL = 96  # px


def show_ai_step(opened: OpenedLesion) -> None:
    """Show the AI reading of the visit, and offer to make it."""
    at_visit = opened.at_visit
    if at_visit is None:
        st.html("<p>The lesion was not photographed yet.</p>")
        return
    if opened.hides_ai:
        st.html(f"<p>{HIDDEN}</p>")
        return
    if at_visit.ai_reading is not None:
        _show_photographs(opened, at_visit.ai_reading)
    if not opened.can_write:  # the bar of the record says why
        if at_visit.ai_reading is None:
            st.html("<p>Not done yet.</p>")
        return
    _offer_reading(opened)
    with st.container(key="reading-progress"):
        _read_requested(opened)


def show_reading(opened: OpenedLesion) -> None:
    """Show the AI reading of the visit as it was kept, unless the doctor reads first."""
    at_visit = opened.at_visit
    if at_visit is not None and at_visit.ai_reading is not None and not opened.hides_ai:
        st.html(render_reading(at_visit.ai_reading))


def _show_photographs(opened: OpenedLesion, reading: "Entry[AiReading]") -> None:
    """Show what was said of each photograph."""
    photographs = {each.id: each.value for each in opened.case.photographs}
    for number, each in enumerate(reading.value.photographs, start=1):
        with st.container(horizontal=True, vertical_alignment="top", gap="small"):
            if each.photograph_id in photographs:
                thumbnail = get_thumbnail(opened.record, photographs[each.photograph_id].sha256)
                st.image(thumbnail, width=_THUMBNAIL, alt=f"Photograph {number}")
            st.html(render_photograph(reading.value, each))


def _offer_reading(opened: OpenedLesion) -> None:
    """Offer to read the photographs of the visit, and those refused against the refusal."""
    at_visit = opened.at_visit
    assert at_visit is not None
    form = opened.name_form("ai-reading")
    if not get_outcome(form).receipt:
        show_outcome(form)
    count = len(at_visit.dermoscopic)
    if not count:
        st.html("<p>The network reads dermoscopic photographs; this visit has none.</p>")
        return
    refused = at_visit.ai_reading is not None and any(
        each.refusal for each in at_visit.ai_reading.value.photographs
    )
    known = _name_known(opened)
    with st.popover(PREVALENCE):
        choose_prevalence()
    what = "the photograph" if count == 1 else f"{count} photographs"
    again = "" if at_visit.ai_reading is None else " again"
    with st.container(horizontal=True):
        st.button(
            f"Read {what}{again}",
            key="read-lesion",
            type="secondary" if again and not at_visit.unread else "primary",
            shortcut=SAVE_KEY,
            on_click=_request,
            args=(known, False),
        )
        if refused:
            st.button(
                "Read anyway",
                key="read-lesion-anyway",
                help="How well the network reads what it refused was not measured.",
                on_click=_request,
                args=(known, True),
            )


def _name_known(opened: OpenedLesion) -> tuple[str, str]:
    """Return the lesion and its AI reading, so that a key pressed twice reads once."""
    reading = opened.at_visit.ai_reading if opened.at_visit else None
    return opened.id, reading.id if reading else ""


def _request(known: tuple[str, str], read_anyway: bool) -> None:
    st.session_state[_REQUESTED] = known, read_anyway


def _read_requested(opened: OpenedLesion) -> None:
    """Read the photographs if that was asked for, in the queue of all people, and keep it."""
    known, read_anyway = st.session_state.pop(_REQUESTED, (None, False))
    if known != _name_known(opened):
        return
    reading = _read(opened, read_anyway=read_anyway)
    if save(opened.name_form("ai-reading"), lambda change: change.add(reading)):
        close_form()
    st.rerun()


def _read(opened: OpenedLesion, *, read_anyway: bool) -> "AiReading":
    from melanoma_core import __version__
    from melanoma_core.records.ai_readings import ReadingRequest, read_lesion
    from melanoma_core.records.drawn import is_drawn

    at_visit, images = opened.at_visit, opened.record.images
    assert at_visit is not None
    request = ReadingRequest(
        lesion_id=opened.id,
        visit_id=at_visit.visit.id,
        photographs={each.id: images.read(each.value.sha256) for each in at_visit.dermoscopic},
        app_version=__version__,
        prevalence=get_prevalence(),
        is_drawn=is_drawn(opened.case.patient.value),
        read_anyway=read_anyway,
    )
    bar = st.progress(0.0, "Loading the model")
    classifier = get_classifier()

    def show_waiting(count: int) -> None:
        before = f": {count:,} of other people before it" if count else ""
        bar.progress(0.0, f"Waiting{before}")

    with get_turns().take(show_waiting):
        bar.progress(0.5, "Reading the photographs of the visit")
        return read_lesion(classifier, request, lambda png: images.put(png).sha256)
