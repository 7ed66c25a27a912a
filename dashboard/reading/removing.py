"""Photographs are removed or all forgotten, and brought back."""

import streamlit as st

from dashboard.reading.combining import clear_selection
from melanoma_core.reading.removal import Limit, Loss
from melanoma_core.reading.sessions import HOURS_KEPT, MAX_BYTES
from melanoma_core.reading.worklist import UNDO_SECONDS, Worklist

PRIVACY = (
    "They are read on the machine that runs this dashboard and never written to disk. It keeps "
    f"them in memory until Forget all, or until {HOURS_KEPT} hours after your last action. A "
    "reload keeps them, so other people at this browser see them until then."
)


def offer_forgetting(worklist: Worklist) -> None:
    """Offer to forget all photographs; it asks first."""
    if st.button("Forget all", help="Delete all photographs and readings of this session."):
        _confirm(worklist)


def show_loss(worklist: Worklist) -> None:
    """Say that the server has deleted the photographs of this session, and why."""
    if worklist.loss is not None:
        with st.container(key="loss"):
            st.warning(describe_loss(worklist.loss))
            st.button("Dismiss", key="dismiss-loss", on_click=_dismiss_loss, args=(worklist,))


def describe_loss(loss: Loss) -> str:
    """Return what was deleted, why, and what to do.

    >>> describe_loss(Loss(1, Limit.TIME))[:70]
    '1 photograph was deleted from memory: your last action was 4 hours ago'
    """
    what = "1 photograph was" if loss.count == 1 else f"{loss.count:,} photographs were"
    why = f"your last action was {HOURS_KEPT} hours ago or earlier."
    if loss.limit is Limit.MEMORY:
        why = (
            "those of all people together reached the limit of "
            f"{MAX_BYTES // 2**20:,} MiB, and yours were unused for longest."
        )
    return f"{what} deleted from memory: {why} Upload them again to read them."


def _dismiss_loss(worklist: Worklist) -> None:
    worklist.loss = None


def show_undo(worklist: Worklist) -> None:
    """Offer to bring back what was removed; what was all forgotten, for ten seconds."""
    if worklist.removal is not None:
        show = st.fragment(_offer_undo, run_every=1.0 if worklist.seconds_to_undo else None)
        show(worklist)


def _offer_undo(worklist: Worklist) -> None:
    removal, seconds = worklist.removal, worklist.seconds_to_undo
    if removal is None:
        st.rerun()
    what = "1 photograph" if removal.count == 1 else f"{removal.count:,} photographs"
    with st.container(horizontal=True, vertical_alignment="center", key="undo"):
        if removal.until is None:
            st.caption(f"{what} removed.", width="content")
        else:
            st.caption(f"{what} forgotten. {seconds:.0f} s left to undo.", width="content")
        st.button("Undo", on_click=worklist.undo)


@st.dialog("Forget all photographs?")
def _confirm(worklist: Worklist) -> None:
    st.write(
        f"All photographs, readings and names of lesions are deleted. For {UNDO_SECONDS:.0f} "
        "seconds, you can undo it."
    )
    with st.container(horizontal=True):
        if st.button("Keep them"):
            st.rerun()
        if st.button("Forget them", type="primary", on_click=_forget, args=(worklist,)):
            st.rerun()


def _forget(worklist: Worklist) -> None:
    worklist.forget()
    clear_selection()
