"""The Split tab: the split of the cleaned table, and a check that no group is divided."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.shared.cached import encode_split
from dashboard.shared.downloads import show_figure
from dashboard.shared.markup import name_diagnosis
from dashboard.shared.split import choose_split
from melanoma_core.taxonomy import read_label

if TYPE_CHECKING:
    from melanoma_core.data.opening import OpenedFolder


def show_split(opened: "OpenedFolder") -> None:
    """Show a split by class and subset, and the check for leakage."""
    from dashboard.dataset.charts import draw_classes
    from melanoma_core.data.overview import count_classes, count_groups

    split = choose_split(opened)
    st.html(
        f"<p>{len(split.table):,} images of the cleaned table, stratified by class. Images that "
        "share a lesion, a patient or a copy stay in one subset. Images in the folder's Test stay "
        f"in the test subset. SHA-256 of the split: <code>{split.sha256[:16]}…</code></p>"
    )
    counts = count_classes(split.table)
    leakage = count_groups(split.table)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        table = counts.rename_axis("diagnosis")
        show_figure(draw_classes(counts, False), table, "split-by-class")
    with right:
        named = counts.assign(diagnosis=[name_diagnosis(read_label(each)) for each in counts.index])
        st.dataframe(named, hide_index=True, column_order=["diagnosis", *counts.columns])
        st.subheader("Leakage check", anchor=False)
        st.dataframe(
            leakage,
            hide_index=True,
            column_config={
                "group": "Must stay together",
                "known": "Groups",
                "images": "Images",
                "shared": "Divided",
            },
        )
        st.html(
            f'<p role="status"><strong>{leakage["shared"].sum():,}</strong> of '
            f"{leakage['known'].iloc[-1]:,} groups have images in more than one subset.</p>"
        )
        st.download_button(
            "Download split",
            data=encode_split(split),
            file_name=f"split-{split.seed}.csv",
            mime="text/csv",
            on_click="ignore",
            help="Every image with its subset and group, as CSV.",
        )
