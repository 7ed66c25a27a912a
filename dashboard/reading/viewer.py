"""The image viewer: a photograph with layers over it, with zoom, pan, opacity and wipe.

The images are on the page as plain images, side by side. `frontend/viewer.ts` takes them from
there and stands in for them. Where its script cannot run, the plain images stay.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.runtime import get_instance

from dashboard.shared.viewer_style import VIEWER_STYLE

if TYPE_CHECKING:  # the page is painted before NumPy is imported
    from melanoma_core.reading.entry import Entry

_SCRIPT = (Path(__file__).with_name("frontend") / "built" / "viewer.js").read_text("utf-8")


def show_viewer(
    entry: "Entry", overlay: bytes, description: str, marks: bytes | None = None
) -> None:
    """Show a photograph with what is drawn over it.

    The browser gets a picture of the size of a screen. It asks for the photograph's own pixels
    when a person zooms in.

    Args:
        entry: The photograph.
        overlay: A heatmap at full opacity, transparent elsewhere. The viewer mixes both.
        description: What the overlay shows, for screen readers.
        marks: Lines that no opacity fades, on a transparent ground; None without any.
    """
    with st.container(key="photograph-viewer", gap=None):
        # In every run: the registry is the server's, and this module outlives it in tests.
        mount = st.components.v2.component("image-viewer", js=_SCRIPT, css=VIEWER_STYLE)
        mount(key="viewer", height="content", data=_offer_detail(entry))
        with st.container(key="plain-images"):
            left, right = st.columns(2, gap="small")
            with left, st.container(key="stacked-images"):
                st.image(entry.photograph, width="stretch", alt="")
                if marks is not None:
                    with st.container(key="layer-marks"):
                        st.image(marks, width="stretch", alt="Outline of the lesion")
                with st.container(key="layer-overlay"):
                    st.image(overlay, width="stretch", alt=description)
            with right, st.container(key="layer-photograph"):
                st.image(entry.photograph, width="stretch", alt="Original photograph")


def _offer_detail(entry: "Entry") -> dict[str, str | int]:
    """Return the addresses of a photograph and of its own pixels, with their width.

    `st.image` would make the browser fetch them at once, and would scale them down.
    """
    if not entry.detail:
        return {}
    serve = get_instance().media_file_mgr.add
    return {
        "photograph": serve(entry.photograph, "image/jpeg", "viewer-photograph"),
        "detail": serve(entry.detail, "image/jpeg", "viewer-detail"),
        "width": entry.kept_size[0],
    }
