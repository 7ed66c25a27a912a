"""The image viewer: photograph and overlay over each other, with zoom, pan, opacity and wipe.

The images are on the page as plain images, side by side. `frontend/viewer.ts` takes them from
there and stands in for them. Where its script cannot run, the plain images stay.
"""

from pathlib import Path

import streamlit as st

_FRONTEND = Path(__file__).with_name("frontend")
_SCRIPT = (_FRONTEND / "built" / "viewer.js").read_text("utf-8")
_STYLE = (_FRONTEND / "viewer.css").read_text("utf-8")


def show_viewer(
    photograph: bytes, overlay: bytes, description: str, marks: bytes | None = None
) -> None:
    """Show a photograph with what is drawn over it.

    Args:
        photograph: An encoded image.
        overlay: The photograph with a heatmap at full opacity, of the same size. The viewer mixes
            both.
        description: What the overlay shows, for screen readers.
        marks: The photograph with lines that no opacity fades, of the same size; None without any.
    """
    with st.container(key="photograph-viewer", gap=None):
        # In every run: the registry is the server's, and this module outlives it in tests.
        mount = st.components.v2.component("image-viewer", js=_SCRIPT, css=_STYLE)
        mount(key="viewer", height="content")
        with st.container(key="plain-images"):
            left, right = st.columns(2, gap="small")
            with left, st.container(key="layer-overlay"):
                st.image(overlay, width="stretch", alt=description)
            with right, st.container(key="layer-photograph"):
                st.image(photograph, width="stretch", alt="Original photograph")
            if marks is not None:
                with st.container(key="layer-marks"):
                    st.image(marks, width="stretch", alt="Photograph with the outline")
