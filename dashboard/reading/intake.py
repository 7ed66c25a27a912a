"""Photographs come in as uploads, from the camera or as demonstrations, and are read in turn."""

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.reading.cached import get_worklist
from dashboard.reading.combining import accept_table
from dashboard.reading.removing import PRIVACY
from dashboard.shared.markup import escape_markdown
from dashboard.shared.reading_model import get_classifier, get_turns
from melanoma_core.reading.worklist import Worklist

if TYPE_CHECKING:
    from melanoma_core.data.drawn.shipped import DemonstrationLesion

_SHOW_SECONDS = 1.0  # until the readings so far are shown
_DRAWN = (
    "Demonstration lesions are drawn by a program. They are not photographs of patients. The model "
    "learned from photographs, so it may read a drawing as another diagnosis than the one whose "
    "signs are drawn."
)


def accept_photographs(worklist: Worklist) -> None:
    """Show upload, camera and demonstration; their photographs wait for `read_pending`."""
    # New keys after each intake reset the widgets and let Streamlit drop the original files.
    count = st.session_state.setdefault("intake_count", 0)
    with st.container(horizontal=True, vertical_alignment="bottom", key="intake"):
        st.file_uploader(
            "Photographs of skin lesions",
            accept_multiple_files=True,
            key=f"uploads-{count}",
            help="One or several files: JPEG, HEIC, PNG, TIFF, WebP, AVIF, BMP or DICOM. "
            f"{PRIVACY} A session holds at most 200 photographs.",
            on_change=_add_uploads,
            args=(f"uploads-{count}",),
        )
        camera = st.popover("Camera", key=f"camera-{count}", on_change="rerun")
        if camera.open:  # the browser asks for permission only now
            camera.camera_input(
                "Fill the frame with the lesion, in even light",
                key=f"shot-{count}",
                resolution="1080p",
                on_change=_add_shot,
                args=(f"shot-{count}",),
            )
        with st.popover("Lesion table"):
            accept_table(worklist)
        if worklist.opened_lesion is not None:
            with st.popover("Demonstration", key=f"demonstration-{count}"):
                _offer_demonstration()


def show_introduction() -> None:
    """Explain what to do before the first reading."""
    st.html(
        "<p>Upload a photograph, or try a drawn lesion. The reading shows whether there is a "
        "melanoma alert, the probability of each diagnosis, and a heatmap of the regions that "
        "support it.</p>"
    )
    _offer_demonstration()


def read_pending(worklist: Worklist) -> None:
    """Read waiting photographs, each when it is its turn among those of all people.

    After a second, the page runs again to show the readings so far, and continues.

    Raises:
        ModelError: The model cannot be loaded. The photographs keep waiting.
    """
    if worklist.pending_name is None:
        return
    st.button("Cancel remaining", on_click=worklist.drop_pending)
    bar = st.progress(0.0)
    classifier = get_classifier()
    started_at = time.monotonic()
    while (name := worklist.pending_name) is not None and _is_recent(started_at):
        done, total = worklist.progress
        what = f"{done + 1} of {total}: {escape_markdown(name)}"

        def show_waiting(count: int, share: float = done / total, what: str = what) -> None:
            before = f"; {count:,} of other people before it" if count else ""
            bar.progress(share, f"Waiting to read {what}{before}")

        with get_turns().take(show_waiting):
            bar.progress(done / total, f"Reading {what}")
            worklist.read_next(classifier)
    st.rerun()


def _is_recent(started_at: float) -> bool:
    return time.monotonic() - started_at < _SHOW_SECONDS


def _offer_demonstration() -> None:
    """Offer the drawn demonstration lesions."""
    # Imported here, so that the page is painted before NumPy is imported.
    from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS

    st.caption(_DRAWN)
    with st.container(horizontal=True, key="lesions"):
        for lesion in DEMONSTRATION_LESIONS:
            with st.container(width=170, gap="xxsmall"):
                st.image(lesion.path, width=170, alt=lesion.description)
                st.button(
                    lesion.signs.capitalize(),
                    key=lesion.file_name,
                    help=lesion.description,
                    on_click=_add_lesion,
                    args=(lesion,),
                    width="stretch",
                )


def _add_uploads(key: str) -> None:
    _add((upload.name, upload.getvalue()) for upload in st.session_state[key])


def _add_shot(key: str) -> None:
    shot = st.session_state[key]
    if shot is not None:
        _add([("Camera photograph", shot.getvalue())])


def _add_lesion(lesion: "DemonstrationLesion") -> None:
    _add([(lesion.name, lesion.path.read_bytes())])


def _add(files: Iterable[tuple[str, bytes]]) -> None:
    get_worklist().add(list(files))
    st.session_state["intake_count"] += 1
