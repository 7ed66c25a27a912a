"""The newest photographs of the lesion, large, with the kept heatmap as a switch."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.lesion.keys import OVERLAY, RESERVED
from dashboard.lesion.opened import OpenedLesion
from dashboard.shared.address import follow_address, write_address
from dashboard.shared.errors import show_errors
from dashboard.shared.image_viewer import ViewedImage, show_viewer
from dashboard.shared.markup import escape_markdown
from dashboard.shared.pictures import LARGE, get_picture, get_tint

if TYPE_CHECKING:
    from melanoma_core.records.entities import Photograph
    from melanoma_core.records.entry import Entry

_PHOTOGRAPH, _SWITCH = "photograph", "lesion-heatmap"


def show_newest(opened: OpenedLesion) -> None:
    """Show a photograph of the current visit large, and let another one be chosen."""
    from melanoma_core.records.dates import write_day
    from melanoma_core.records.wording import summarise

    at_visit = opened.at_visit
    if at_visit is None or not at_visit.photographs:
        st.html("<p>There is no photograph of this lesion yet. Add one in the step beside.</p>")
        return
    shown = _choose(at_visit.photographs)
    with show_errors():
        _show_picture(opened, shown)
    text = f"{summarise(shown.value)}. Visit of {write_day(at_visit.visit.value.on)}."
    st.caption(escape_markdown(text))


def _choose(photographs: "tuple[Entry[Photograph], ...]") -> "Entry[Photograph]":
    """Choose one of several photographs; its number is in the address."""
    if len(photographs) == 1:
        return photographs[0]
    numbers = [str(number) for number in range(1, len(photographs) + 1)]
    key = f"photograph-of-{photographs[0].value.visit_id}"
    follow_address(_PHOTOGRAPH, key, numbers[0], numbers)
    number = st.segmented_control("Photograph", numbers, key=key, required=True)
    write_address(_PHOTOGRAPH, key, numbers[0])
    return photographs[int(number or 1) - 1]


def _show_picture(opened: OpenedLesion, photograph: "Entry[Photograph]") -> None:
    from melanoma_core.records.wording import summarise

    value = photograph.value
    heatmap, title = _find_heatmap(opened, photograph.id)
    is_on = bool(heatmap) and bool(st.session_state.get(_SWITCH))
    size = value.width, value.height
    show_viewer(
        ViewedImage(
            photograph=get_picture(opened.record, value.sha256),
            title=f"Photograph: {summarise(value)}",
            detail=_read_detail(opened, value),
            media_type=value.media_type,
            width=value.width,
            overlay=get_tint(opened.record, heatmap, size) if is_on else None,
            overlay_title=f"Heatmap for {title}",
        ),
        RESERVED,
    )
    if not heatmap:
        return
    st.button(
        "Hide the heatmap" if is_on else f"Show the heatmap for {title}",
        key="switch-heatmap",
        shortcut=OVERLAY,
        on_click=_switch,
        help="The regions that support the diagnosis, as the AI reading kept them.",
    )


def _read_detail(opened: OpenedLesion, photograph: "Photograph") -> bytes:
    """Return the file of a photograph that has more pixels than the page shows; else nothing."""
    if max(photograph.width, photograph.height) <= LARGE:
        return b""
    return opened.record.images.read(photograph.sha256)


def _find_heatmap(opened: OpenedLesion, photograph_id: str) -> tuple[str, str]:
    """Return the SHA-256 of a photograph's kept heatmap and its diagnosis; "" without one."""
    from melanoma_core.records.kept_readings import find_heatmap

    at_visit = opened.at_visit
    if opened.hides_ai or at_visit is None or at_visit.ai_reading is None:
        return "", ""
    return find_heatmap(at_visit.ai_reading.value, photograph_id)


def _switch() -> None:
    st.session_state[_SWITCH] = not st.session_state.get(_SWITCH)
