"""Split an opened dataset with the seed and the shares that are chosen in the sidebar."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.shared.cached import get_split
from dashboard.shared.folder import get_manual_decisions
from dashboard.shared.progress import show_progress

if TYPE_CHECKING:  # the page is painted before pandas is imported
    from melanoma_core.data.opening import OpenedFolder
    from melanoma_core.data.splitting import Shares, Split

_LARGEST_SEED = 2**31 - 1


def choose_split(opened: "OpenedFolder") -> "Split":
    """Split the cleaned dataset with the seed and the shares of the sidebar, with progress.

    Raises:
        DatasetError: There are too few images, or two manual decisions contradict each other.
    """
    seed, shares = choose_seed(), _choose_shares()
    place = st.empty()
    with place.container():
        progress = show_progress("Splitting: groups placed")
        split = get_split(opened, get_manual_decisions(opened), seed, shares, progress)
    place.empty()
    return split


def _choose_shares() -> "Shares | None":
    """Choose the shares of validation and test in the sidebar; None for those of training."""
    from melanoma_core.data.splitting import Shares

    with st.sidebar:
        if not st.toggle(
            "Set the shares",
            key="own-shares",
            persist_state="session",
            help="Otherwise a seventh (14.3%) each is drawn for validation and for test, as in "
            "training. Images of a published subset stay in it.",
        ):
            return None
        validation, test = (
            st.slider(
                f"{name.capitalize()} share (%)",
                min_value=Shares.STEP,
                max_value=Shares.MOST // 2,
                value=15,
                step=Shares.STEP,
                key=f"share-{name}",
                persist_state="session",
            )
            for name in ("validation", "test")
        )
    return Shares(validation, test)


def choose_seed() -> int:
    """Choose the seed of the split in the sidebar."""
    with st.sidebar:
        st.header("Split", anchor=False)
        seed = st.number_input(
            "Split seed",
            min_value=0,
            max_value=_LARGEST_SEED,
            value=0,
            key="split-seed",
            persist_state="session",
            help="The same data and seed give the same split.",
        )
    return int(seed)
