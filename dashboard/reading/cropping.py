"""A refused photograph is cropped: to what lies inside a black ring, or to a chosen part."""

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from melanoma_core.reading.worklist import Worklist

if TYPE_CHECKING:  # the page is painted before NumPy is imported
    from melanoma_core.reading.entry import RefusedFile

_KEY = "draw-crop"
_SCRIPT = Path(__file__).with_suffix(".js").read_text("utf-8")


def offer_crops(worklist: Worklist, file: "RefusedFile") -> None:
    """Offer to read a part of a refused photograph: what the ring encloses first, then any."""
    view = file.field_of_view
    if view is not None and view != file.crop:
        st.button(
            "Crop black border and read",
            key=f"view-{file.key}",
            help=f"Read the {view.share:.0%} of the photograph inside the dermoscope's black ring "
            "or corners. The check comes first again.",
            on_click=worklist.read_crop,
            args=(file.key, view),
            type="primary",
        )
    if st.button("Crop", key=f"crop-{file.key}", help="Choose the part that shows the lesion."):
        _choose(worklist, file)


@st.dialog("Crop to the lesion", width="medium")
def _choose(worklist: Worklist, file: "RefusedFile") -> None:
    """Choose a part of the photograph by its four sides, see it, and let it be read."""
    # Imported here, so that the page is painted before NumPy is imported.
    from melanoma_core.data.crop import Crop, draw_crop

    start = file.crop or file.field_of_view or Crop.whole()
    width, height = f"width-{file.key}", f"height-{file.key}"
    for key, sides in zip((width, height), start.percent, strict=True):
        st.session_state.setdefault(key, sides)
    crop = Crop.of_percent(
        _choose_sides("Left and right", width), _choose_sides("Top and bottom", height)
    )
    with st.container(key="crop-picture"):
        st.image(draw_crop(file.photograph, crop), alt=f"{file.name}, dark outside the crop")
    _accept_rectangle(width, height)
    st.caption(
        "Draw a rectangle around the lesion, or use the sliders. The reading says that it is of a "
        "crop. The check comes first again."
    )
    if st.button(
        f"Read this {crop.share:.0%} of the photograph",
        key=f"read-crop-{file.key}",
        type="primary",
        on_click=worklist.read_crop,
        args=(file.key, crop),
    ):
        st.rerun()


def _choose_sides(label: str, key: str) -> tuple[int, int]:
    """Choose two sides in percent; the session holds where they begin."""
    sides: tuple[int, int] = st.slider(label, 0, 100, format="%d%%", key=key)  # type: ignore[assignment]
    return sides


def _accept_rectangle(width: str, height: str) -> None:
    """Let a rectangle be drawn on the picture, and move the sliders of these keys to its sides."""
    from melanoma_core.data.crop import parse_sides

    def move_sliders() -> None:
        sides = parse_sides(st.session_state[_KEY].get("drawn"))
        if sides is not None:
            st.session_state[width], st.session_state[height] = sides

    # In every run: the registry is the server's, and this module outlives it in tests.
    mount = st.components.v2.component("draw-crop", js=_SCRIPT, isolate_styles=False)
    mount(key=_KEY, on_drawn_change=move_sliders, height="content")
