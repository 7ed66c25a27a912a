"""A refused photograph is cropped: to what lies inside a black ring, or to a chosen part."""

from typing import TYPE_CHECKING

import streamlit as st

from melanoma_core.reading.worklist import Worklist

if TYPE_CHECKING:  # the page is painted before NumPy is imported
    from melanoma_core.reading.entry import RefusedFile


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
    width, height = start.percent
    crop = Crop.of_percent(
        st.slider("Left and right", 0, 100, width, format="%d%%", key=f"width-{file.key}"),
        st.slider("Top and bottom", 0, 100, height, format="%d%%", key=f"height-{file.key}"),
    )
    st.image(draw_crop(file.photograph, crop), alt=f"{file.name}, dark outside the crop")
    st.caption("The reading says that it is of a crop. The check comes first again.")
    if st.button(
        f"Read this {crop.share:.0%} of the photograph",
        key=f"read-crop-{file.key}",
        type="primary",
        on_click=worklist.read_crop,
        args=(file.key, crop),
    ):
        st.rerun()
