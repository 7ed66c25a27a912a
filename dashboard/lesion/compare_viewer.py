"""Two photographs that are zoomed and moved together, and the outlines that a person draws on them.

They are on the page as plain images. `frontend/compare.ts` takes them from there and stands in for
them. Where its script cannot run, the plain images stay.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st
from streamlit.runtime import get_instance

from dashboard.lesion.compare_cached import register_pair
from dashboard.lesion.compare_choice import title_photograph
from dashboard.lesion.opened import OpenedLesion
from dashboard.shared.pictures import LARGE, get_picture
from dashboard.shared.record import name_field, save, show_field_error, show_outcome
from dashboard.shared.viewer_style import VIEWER_STYLE

if TYPE_CHECKING:
    from dashboard.lesion.compare_choice import Pair
    from melanoma_core.records.comparing import Dated
    from melanoma_core.records.registration import NotRegistered, Registration

_KEY = "comparer"
_FRONTEND = Path(__file__).with_name("frontend")
_SCRIPT = (_FRONTEND / "built" / "compare.js").read_text("utf-8")
_STYLE = VIEWER_STYLE + (_FRONTEND / "compare.css").read_text("utf-8")
_NAMES = ("earlier", "later")
_RELATIVE = "Not laid on each other: the two move together by their relative position only."


def show_pair(opened: OpenedLesion, pair: "Pair") -> "Registration | NotRegistered":
    """Show two photographs, and keep the outline that a person draws.

    The plain photographs are there before it is known how they lie on each other.

    Returns:
        How the later one lies on the earlier one.

    Raises:
        RecordError: A file is missing or was altered.
    """
    pictures = [get_picture(opened.record, each.entry.value.sha256) for each in pair]
    with st.container(key="compare-outcome"):  # also without one: the viewer keeps its place
        for each in pair:
            show_outcome(_name_form(opened, each))
            show_field_error(_name_form(opened, each), "points")
    with st.container(key="compare-viewer", gap=None):
        stage = st.container(gap=None)
        _show_plain(pair, pictures)
        registration = register_pair(opened.record, pair)
    with stage:
        # In every run: the registry is the server's, and this module outlives it in tests.
        mount = st.components.v2.component("compare-viewer", js=_SCRIPT, css=_STYLE)
        mount(
            key=_KEY,
            height="content",
            data=_describe(opened, pair, registration, pictures),
            on_saved_change=lambda: _save(opened, pair),
        )
    return registration


def _show_plain(pair: "Pair", pictures: list[bytes]) -> None:
    with st.container(key="compare-plain"):
        columns = st.columns(2, gap="small")
        for name, column, each, picture in zip(_NAMES, columns, pair, pictures, strict=True):
            with column, st.container(key=f"compare-{name}"):
                title = title_photograph(each)
                st.image(picture, width="stretch", alt=f"{name.capitalize()}: {title}")


def _describe(
    opened: OpenedLesion,
    pair: "Pair",
    registration: "Registration | NotRegistered",
    pictures: list[bytes],
) -> dict[str, Any]:
    """Return what the viewer needs."""
    from dataclasses import asdict

    from melanoma_core.records.registration import NotRegistered, place_later

    placement, note = None, _RELATIVE
    if not isinstance(registration, NotRegistered):
        placement, note = asdict(place_later(registration)), ""
    shown = [
        _describe_photograph(opened, each, picture)
        for each, picture in zip(pair, pictures, strict=True)
    ]
    return {
        **dict(zip(_NAMES, shown, strict=True)),
        "placement": placement,
        "note": note,
        "mayEdit": opened.can_write,
    }


def _describe_photograph(opened: OpenedLesion, dated: "Dated", picture: bytes) -> dict[str, Any]:
    from melanoma_core.records.comparing import find_outline

    outline = find_outline(opened.case, dated.entry.id, hides_ai=opened.hides_ai)
    entry = outline.entry if outline else None
    return {
        "photograph": dated.entry.id,
        "title": title_photograph(dated),
        "detail": _offer_detail(opened, dated, picture),
        "points": [list(point) for point in outline.points] if outline else [],
        "version": entry.version if entry else 0,
        "drawn": f"Outline drawn by the {outline.source}" if outline else "",
        "token": name_field(_name_form(opened, dated), "points"),
    }


def _offer_detail(opened: OpenedLesion, dated: "Dated", picture: bytes) -> dict[str, str | int]:
    """Return the addresses of the picture and of the photograph's own pixels, if it has more."""
    photograph = dated.entry.value
    if max(photograph.width, photograph.height) <= LARGE:
        return {}
    serve = get_instance().media_file_mgr.add
    content = opened.record.images.read(photograph.sha256)
    return {
        "photograph": serve(picture, "image/jpeg", f"compared-{dated.entry.id}"),
        "detail": serve(content, photograph.media_type, f"compared-detail-{dated.entry.id}"),
        "width": photograph.width,
    }


def _save(opened: OpenedLesion, pair: "Pair") -> None:
    """Keep the outline that the browser sends, as a new version."""
    from melanoma_core.records.drawn_outlines import read_drawn, write_outline

    shown = {each.entry.id: each for each in pair}
    drawn = read_drawn(st.session_state[_KEY].get("saved"), shown)
    if drawn is not None:
        save(
            _name_form(opened, shown[drawn.photograph_id]),
            lambda change: write_outline(opened.record, change, opened.id, drawn),
        )


def _name_form(opened: OpenedLesion, dated: "Dated") -> str:
    return opened.name_form(f"outline-{dated.entry.id}")
