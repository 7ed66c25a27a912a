"""The Split tab: the split of the cleaned table, and a check that no group is divided."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.dataset.markup import render_table
from dashboard.shared.cached import encode_split
from dashboard.shared.downloads import show_figure
from dashboard.shared.split import choose_split

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
    leakage = count_groups(split.table).set_index("group")
    left, right = st.columns([3, 2], gap="medium")
    with left:
        if len(counts) > 1:
            table = counts.rename_axis("diagnosis")
            show_figure(draw_classes(counts, False), table, "split-by-class")
    with right:
        st.html(render_table(counts))
        st.header("Leakage check", anchor=False)
        named = leakage.rename(columns={"known": "Groups", "images": "Images", "shared": "Divided"})
        st.html(render_table(named, "Must stay together"))
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
