"""Keep the opened lesion in the record: its photographs and its reading, as it was read."""

from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.reading.destination import choose_destination, read_destination
from dashboard.reading.keeping_markup import render_kept, render_record
from dashboard.shared.access import may_or_say
from dashboard.shared.errors import show_errors
from dashboard.shared.kept import get_kept
from dashboard.shared.opening import holds_drawn, name_record
from dashboard.shared.prevalence import get_prevalence
from melanoma_core.access.rights import Right
from melanoma_core.reading.grouping import Lesion

if TYPE_CHECKING:
    from melanoma_core.records.entry import Entry as RecordEntry
    from melanoma_core.records.keeping import ReadLesion
    from melanoma_core.records.store import Record
    from melanoma_core.records.writing import Change

_KEPT = "kept-lesions"


def offer_keeping(lesion: Lesion) -> None:
    """Offer to keep a lesion in the record, where one is open."""
    if name_record() is None:
        return
    is_kept = _find_kept(lesion) is not None
    label = "✓ Kept in the record" if is_kept else "Keep in the record"
    help_ = "Keep the photographs and the reading of this lesion for a patient of the record."
    if st.button(label, help=help_, key=f"keep-{lesion.key}"):
        _show(lesion)


@st.dialog("Keep this lesion in the record", width="large")
def _show(lesion: Lesion) -> None:
    with show_errors():
        _show_form(lesion)


def _show_form(lesion: Lesion) -> None:
    from dashboard.shared.record import ask_who, keep_draft, open_record, show_outcome
    from melanoma_core.records.keeping import check_drawn

    if not may_or_say(Right.WRITE_RECORD):
        return
    record, form = open_record(), f"keep-{lesion.key}"
    show_outcome(form)
    kept_id = _find_kept(lesion)
    if record is None or kept_id is not None:
        st.page_link(
            "lesion/page.py", label="Open the lesion", query_params={"lesion": kept_id or ""}
        )
        return
    is_drawn = holds_drawn(record)
    check_drawn(is_invented=is_drawn, is_drawn=any(e.reading.is_drawn for e in lesion.entries))
    ask_who(is_drawn=is_drawn)
    st.html(render_record(record.place.folder, is_drawn=is_drawn))
    is_ready = choose_destination(record, form, is_drawn=is_drawn)
    keep_draft(form)
    st.html(render_kept(lesion, get_prevalence()))
    st.button(
        "Keep",
        type="primary",
        key=f"{form}-save",
        disabled=not is_ready,
        on_click=_keep,
        args=(record, form, lesion),
    )


def _keep(record: "Record", form: str, lesion: Lesion) -> None:
    """Write the lesion into the record; a callback."""
    from dashboard.shared.record import read_draft, save
    from melanoma_core.records.keeping import keep_lesion

    written: list[str] = []

    def write(change: "Change") -> "RecordEntry[Any]":
        draft = read_draft(form)
        entry = keep_lesion(
            record, change, _describe(lesion, draft), read_destination(record, draft)
        )
        written.append(entry.id)
        return entry

    if save(form, write):
        get_kept().setdefault(_KEPT, {})[_identify(lesion)] = written[0]


def _describe(lesion: Lesion, draft: dict[str, Any]) -> "ReadLesion":
    """Return the lesion as a record keeps it."""
    from melanoma_core import __version__
    from melanoma_core.records.adding import NewPhotograph
    from melanoma_core.records.keeping import ReadLesion
    from melanoma_core.records.vocabulary import DermoscopicType, ImageKind

    light = draft.get("light")
    shows = {
        "kind": ImageKind(draft["kind"]),
        "dermoscopic_type": DermoscopicType(light) if light else None,
        "taken_on": draft["on"],
    }
    return ReadLesion(
        card=lesion.entries[0].card,
        photographs=[
            NewPhotograph(entry.detail or entry.photograph, shows) for entry in lesion.entries
        ],
        readings=[entry.reading for entry in lesion.entries],
        app_version=__version__,
        prevalence=get_prevalence(),
    )


def _find_kept(lesion: Lesion) -> str | None:
    """Return the id in the open record of a lesion that was kept with these photographs."""
    kept: dict[tuple[object, ...], str] = get_kept().get(_KEPT, {})
    return kept.get(_identify(lesion))


def _identify(lesion: Lesion) -> tuple[object, ...]:
    return name_record(), *sorted(lesion.keys)
