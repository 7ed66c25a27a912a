"""The image viewer: a photograph with layers over it, with zoom, pan, opacity and wipe.

The images are on the page as plain images, side by side. `frontend/image/viewer.ts` takes them from
there and stands in for them. Where its script cannot run, the plain images stay.
"""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit import runtime

from dashboard.shared.viewer_style import VIEWER_STYLE

_BUILT = Path(__file__).with_name("frontend") / "image" / "built"
_SCRIPT = (_BUILT / "viewer.js").read_text("utf-8")


@dataclass(frozen=True, kw_only=True)
class ViewedImage:
    """A photograph with what is drawn over it.

    Attributes:
        photograph: A JPEG file of the size of a screen.
        title: What it shows, for screen readers.
        detail: A file of the photograph's own pixels, which the browser asks for when a person
            zooms in; empty if `photograph` has them all.
        media_type: Of the detail.
        width: Of the detail in pixels.
        overlay: A heatmap at full opacity, transparent elsewhere, which the viewer mixes; None
            without one.
        overlay_title: What the overlay shows, for screen readers.
        marks: Lines that no opacity fades, on a transparent ground; None without any.
    """

    photograph: bytes
    title: str = "Original photograph"
    detail: bytes = b""
    media_type: str = "image/jpeg"
    width: int = 0
    overlay: bytes | None = None
    overlay_title: str = ""
    marks: bytes | None = None


def show_viewer(image: ViewedImage, reserved_keys: str = "") -> None:
    """Show a photograph with what is drawn over it.

    Args:
        image: The photograph.
        reserved_keys: Keys of the page, which the viewer then leaves to it.
    """
    with st.container(key="photograph-viewer", gap=None):
        # In every run: the registry is the server's, and this module outlives it in tests.
        mount = st.components.v2.component("image-viewer", js=_SCRIPT, css=VIEWER_STYLE)
        data = _offer_detail(image) | {"reserved": reserved_keys}
        mount(key="viewer", height="content", data=data)
        with st.container(key="plain-images"):
            if image.overlay is None and image.marks is None:
                _show_photograph(image)
                return
            left, right = st.columns(2, gap="small")
            with left:
                _show_stack(image)
            with right:
                _show_photograph(image)


def _show_photograph(image: ViewedImage) -> None:
    with st.container(key="layer-photograph"):
        st.image(image.photograph, width="stretch", alt=image.title)


def _show_stack(image: ViewedImage) -> None:
    """Show the photograph with its layers over each other."""
    with st.container(key="stacked-images"):
        st.image(image.photograph, width="stretch", alt="")
        if image.marks is not None:
            with st.container(key="layer-marks"):
                st.image(image.marks, width="stretch", alt="Outline of the lesion")
        if image.overlay is not None:
            with st.container(key="layer-overlay"):
                st.image(image.overlay, width="stretch", alt=image.overlay_title)


def _offer_detail(image: ViewedImage) -> dict[str, str | int]:
    """Return the addresses of a photograph and of its own pixels, with their width.

    `st.image` would make the browser fetch them at once, and would scale them down.
    """
    if not image.detail or not runtime.exists():
        return {}
    serve = runtime.get_instance().media_file_mgr.add
    return {
        "photograph": serve(image.photograph, "image/jpeg", "viewer-photograph"),
        "detail": serve(image.detail, image.media_type, "viewer-detail"),
        "width": image.width,
    }
