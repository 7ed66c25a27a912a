"""The split of the cleaned table, with the proof that it parts nothing."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.datasets import get_overrules
from dashboard.downloads import show_figure
from dashboard.markup import name_diagnosis
from dashboard.results import encode_split, get_dataset, get_split
from melanoma_core.taxonomy import Diagnosis

if TYPE_CHECKING:
    from melanoma_core.data.opening import OpenedFolder
    from melanoma_core.data.splitting import Split

_MOST_SEED = 2**31 - 1


def choose_split(opened: "OpenedFolder") -> "Split":
    """Split the cleaned table with the seed of the sidebar.

    Raises:
        DatasetError: There are too few photographs, or decisions contradict each other.
    """
    return get_split(get_dataset(opened, get_overrules(opened)), choose_seed())


def choose_seed() -> int:
    """Let a person choose the seed of the split in the sidebar."""
    with st.sidebar:
        st.subheader("Split", anchor=False)
        seed = st.number_input(
            "Seed of the split",
            min_value=0,
            max_value=_MOST_SEED,
            value=0,
            key="split-seed",
            persist_state="session",
            help="The same data and seed give the same split.",
        )
    return int(seed)


def show_split(opened: "OpenedFolder") -> None:
    """Show a split by class and subset, and what it parts."""
    from dashboard.charts import draw_classes
    from melanoma_core.data.imbalance import count_classes
    from melanoma_core.data.overview import count_groups

    split = choose_split(opened)
    st.html(
        f"<p>{len(split.table):,} photographs of the cleaned table, stratified by class. Whatever "
        "shares a lesion, a patient or a copy stays in one subset; what the folder puts into Test "
        f"stays there. SHA-256 of the split: <code>{split.sha256[:16]}…</code></p>"
    )
    counts = count_classes(split.table)
    proof = count_groups(split.table)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        table = counts.rename_axis("diagnosis")
        show_figure(draw_classes(counts, False), table, "split-by-class")
    with right:
        named = counts.assign(diagnosis=[name_diagnosis(Diagnosis(each)) for each in counts.index])
        st.dataframe(named, hide_index=True, column_order=["diagnosis", *counts.columns])
        st.subheader("Proof, counted on this split", anchor=False)
        st.dataframe(
            proof,
            hide_index=True,
            column_config={
                "group": "What must not be parted",
                "known": "Groups",
                "images": "Images in them",
                "shared": "Parted",
            },
        )
        st.html(
            f'<p role="status"><strong>{proof["shared"].sum():,}</strong> of '
            f"{proof['known'].iloc[-1]:,} groups are parted, that is, lie in more than one "
            "subset.</p>"
        )
        st.download_button(
            "Download the split",
            data=encode_split(split),
            file_name=f"split-{split.seed}.csv",
            mime="text/csv",
            on_click="ignore",
            help="Every photograph with its subset and group, as CSV.",
        )
