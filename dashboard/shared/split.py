"""Split an opened dataset with the seed that is chosen in the sidebar."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.shared.cached import get_split
from dashboard.shared.folder import get_manual_decisions

if TYPE_CHECKING:  # the page is painted before pandas is imported
    from melanoma_core.data.opening import OpenedFolder
    from melanoma_core.data.splitting import Split

_LARGEST_SEED = 2**31 - 1


def choose_split(opened: "OpenedFolder") -> "Split":
    """Split the cleaned dataset with the seed of the sidebar.

    Raises:
        DatasetError: There are too few images, or two manual decisions contradict each other.
    """
    return get_split(opened, get_manual_decisions(opened), choose_seed())


def choose_seed() -> int:
    """Choose the seed of the split in the sidebar."""
    with st.sidebar:
        st.subheader("Split", anchor=False)
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
