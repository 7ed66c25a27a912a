"""How photographs come in: uploaded, from the camera, or drawn; then read one by one."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.reading.cached import get_classifier, get_worklist
from dashboard.shared.markup import escape_markdown
from melanoma_core.reading.worklist import Worklist

if TYPE_CHECKING:
    from melanoma_core.data.drawn.shipped import DemonstrationLesion

_DRAWN = "Demonstration lesions are drawn by a program, not photographs of anyone."


def take_photographs(worklist: Worklist) -> None:
    """Show the ways in. What comes in waits in the worklist until `read_pending`."""
    # New keys after each intake: the widgets start afresh, and Streamlit drops the originals.
    count = st.session_state.setdefault("intake_count", 0)
    with st.container(horizontal=True, vertical_alignment="bottom", key="intake"):
        st.file_uploader(
            "Photographs of skin lesions",
            accept_multiple_files=True,
            key=f"uploads-{count}",
            help="JPEG, PNG, TIFF, WebP or BMP, one or many at once. They are read on this "
            "computer, are never written to a disk, and are forgotten when the page is closed.",
            on_change=_take_uploads,
            args=(f"uploads-{count}",),
        )
        camera = st.popover("Camera", key=f"camera-{count}", on_change="rerun")
        if camera.open:  # only now does the browser ask whether it may use the camera
            camera.camera_input(
                "Fill the picture with the lesion, in even light",
                key=f"shot-{count}",
                resolution="1080p",
                on_change=_take_shot,
                args=(f"shot-{count}",),
            )
        if worklist.opened is not None:
            with st.popover("Demonstration", key=f"demonstration-{count}"):
                offer_demonstration()


def offer_first_steps() -> None:
    """Say what to do where nothing has been read yet."""
    st.html(
        "<p>Upload a photograph, or try a drawn lesion. For each you see whether it is a melanoma "
        "alert, how probable every diagnosis is, and which part of the picture speaks for it.</p>"
    )
    offer_demonstration()


def read_pending(worklist: Worklist) -> None:
    """Read what waits, one by one, with progress; another run of the page goes on with the rest.

    Raises:
        ModelError: The network cannot be loaded; the photographs go on waiting.
    """
    if worklist.pending_name is None:
        return
    st.button("Cancel the rest", on_click=worklist.drop_pending)
    bar = st.progress(0.0)
    classifier = get_classifier()
    while (name := worklist.pending_name) is not None:
        done, total = worklist.progress
        bar.progress(done / total, f"Reading {done + 1} of {total}: {escape_markdown(name)}")
        worklist.read_next(classifier)
    st.rerun()


def offer_demonstration() -> None:
    """Offer the drawn lesions."""
    # Imported here: it needs NumPy, and what stands above is painted meanwhile.
    from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS

    st.caption(_DRAWN)
    with st.container(horizontal=True, key="lesions"):
        for lesion in DEMONSTRATION_LESIONS:
            with st.container(width=170, gap="xxsmall"):
                st.image(lesion.path, width=170, alt=lesion.description)
                st.button(
                    lesion.name.removeprefix("Drawn ").capitalize(),
                    key=lesion.file_name,
                    help=lesion.description,
                    on_click=_take_lesion,
                    args=(lesion,),
                    width="stretch",
                )


def _take_uploads(key: str) -> None:
    _add((upload.name, upload.getvalue()) for upload in st.session_state[key])


def _take_shot(key: str) -> None:
    shot = st.session_state[key]
    if shot is not None:
        _add([("Camera photograph", shot.getvalue())])


def _take_lesion(lesion: "DemonstrationLesion") -> None:
    _add([(lesion.file_name, lesion.path.read_bytes())])


def _add(files: Iterable[tuple[str, bytes]]) -> None:
    get_worklist().add(list(files))
    st.session_state["intake_count"] += 1
