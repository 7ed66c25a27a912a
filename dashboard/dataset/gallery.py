"""Photographs page by page, filtered; one opened with all that is known of it."""

from math import ceil
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.dataset.markup import (
    FINDING_TITLES,
    name_label,
    render_file,
    render_file_facts,
)
from dashboard.shared.cached import get_audit, get_dataset, get_thumbnail
from dashboard.shared.folder import get_manual_decisions

if TYPE_CHECKING:
    import pandas as pd

    from melanoma_core.data.audit import Audit
    from melanoma_core.data.opening import OpenedFolder

PAGE_LENGTH = 24
_WIDTH = 150  # px
_NO_FINDING = "any or none"


def show_gallery(opened: "OpenedFolder") -> None:
    """Show the photographs of a folder, or the one that was opened."""
    chosen = st.session_state.get("opened-file")
    rows = opened.records[opened.records["path"].map(str) == chosen]
    if len(rows):
        _show_one(opened, rows.iloc[0])
    else:
        _show_page(_filter(opened, get_audit(opened)))


def show_photograph(row: "pd.Series[Any]", width: int | str = _WIDTH) -> None:
    """Show a small picture of a file with its label, subset and name."""
    from pandas import notna

    jpeg = get_thumbnail(str(row["path"]), row["sha256"]) if notna(row["sha256"]) else None
    if jpeg:
        st.image(jpeg, width=width, alt=f"Photograph labelled {name_label(row)}")  # type: ignore[arg-type]
    else:
        st.html('<p class="missing">No picture: the file cannot be read.</p>')
    st.html(render_file(row.to_dict()))


def _filter(opened: "OpenedFolder", audit: "Audit") -> "pd.DataFrame":
    from melanoma_core.data.overview import list_values, select_files

    kinds = {str(finding.kind): finding for finding in audit.findings}
    with st.container(horizontal=True, vertical_alignment="bottom", key="filters"):
        chosen = {
            column: st.multiselect(
                label,
                list_values(opened.records, column),
                key=f"filter-{column}-{opened.key}",
                persist_state="session",
                placeholder="All",
                width=260,
            )
            for column, label in (
                ("name", "Class, as written"),
                ("subset", "Subset"),
                ("source", "Source"),
            )
        }
        kind = st.selectbox(
            "Finding",
            [_NO_FINDING, *kinds],
            key=f"filter-finding-{opened.key}",
            persist_state="session",
            format_func=lambda each: FINDING_TITLES.get(each, each),
            width=260,
        )
    paths = None
    if kind in kinds:
        paths = {path for group in kinds[kind].groups for path in group}
    return select_files(opened.records, chosen, paths)


def _show_page(files: "pd.DataFrame") -> None:
    num_pages = max(1, ceil(len(files) / PAGE_LENGTH))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{len(files):,} photographs", width="content")
        # A key per selection: another one begins on its first page.
        page = st.pagination(num_pages, key=f"gallery-{num_pages}") - 1 if num_pages > 1 else 0
    with st.container(horizontal=True, key="gallery"):
        for position in range(page * PAGE_LENGTH, min(len(files), (page + 1) * PAGE_LENGTH)):
            row = files.iloc[position]
            with st.container(width=_WIDTH, gap="xxsmall"):
                show_photograph(row)
                st.button(
                    "Open",
                    key=f"open-file-{row.name}",
                    help="All that is known of it.",
                    on_click=_open,
                    args=(str(row["path"]),),
                    width="stretch",
                )


def _show_one(opened: "OpenedFolder", row: "pd.Series[Any]") -> None:
    st.button("Back to the gallery", on_click=_open, args=(None,))
    path = str(row["path"])
    decisions = get_dataset(opened, get_manual_decisions(opened)).decisions
    decision = decisions[decisions["path"] == path].iloc[0]
    concerning = [
        FINDING_TITLES[finding.kind]
        for finding in get_audit(opened).findings
        if any(path in group for group in finding.groups)
    ]
    picture, facts = st.columns(2, gap="medium")
    with picture:
        show_photograph(row, "stretch")
    with facts:
        st.html(
            render_file_facts({**row.to_dict(), **decision.to_dict()} | {"path": path}, concerning)
        )
    same = (opened.records["cluster"] == row["cluster"]).fillna(False)
    alike = opened.records[same & (opened.records["path"] != row["path"])]
    if len(alike):
        st.subheader("Copies and near copies", anchor=False)
        _show_page(alike)


def _open(path: str | None) -> None:
    st.session_state["opened-file"] = path
