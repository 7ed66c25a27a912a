"""The split of the cleaned table, with the proof that it parts nothing."""

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.shared.cached import encode_split
from dashboard.shared.downloads import show_figure
from dashboard.shared.markup import name_diagnosis
from dashboard.shared.split import choose_split
from melanoma_core.taxonomy import Diagnosis

if TYPE_CHECKING:
    from melanoma_core.data.opening import OpenedFolder


def show_split(opened: "OpenedFolder") -> None:
    """Show a split by class and subset, and what it parts."""
    from dashboard.dataset.charts import draw_classes
    from melanoma_core.data.overview import count_classes, count_groups

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
