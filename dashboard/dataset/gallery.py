"""The Gallery tab: filtered images page by page, and all details of one image."""

from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.dataset.markup import FINDING_TITLES, name_label, render_file, render_file_facts
from dashboard.shared.cached import get_audit, get_dataset, get_thumbnail
from dashboard.shared.folder import get_manual_decisions
from dashboard.shared.paging import choose_page

if TYPE_CHECKING:
    import pandas as pd

    from melanoma_core.data.audit import Audit
    from melanoma_core.data.opening import OpenedFolder

_PAGE_LENGTH = 24
_WIDTH = 150  # px
_ANY = "Any"


def show_gallery(opened: "OpenedFolder") -> None:
    """Show the images of a folder, or the details of the image that was opened."""
    path = st.session_state.get("opened-file")
    rows = opened.records[opened.records["path"].map(str) == path]
    if len(rows):
        _show_details(opened, rows.iloc[0])
    else:
        _show_page(_filter(opened, get_audit(opened)))


def show_image(row: "pd.Series[Any]", width: int | str = _WIDTH) -> None:
    """Show a thumbnail of a file with its label, subset and name."""
    from pandas import notna

    jpeg = get_thumbnail(str(row["path"]), row["sha256"]) if notna(row["sha256"]) else None
    if jpeg:
        st.image(jpeg, width=width, alt=f"Image labelled {name_label(row)}")  # type: ignore[arg-type]
    else:
        st.html('<p class="missing">No preview: the file cannot be read.</p>')
    st.html(render_file(row.to_dict()))


def _filter(opened: "OpenedFolder", audit: "Audit") -> "pd.DataFrame":
    from melanoma_core.data.overview import list_values, select_files

    findings = {str(each.kind): each for each in audit.findings if each.groups}
    with st.container(horizontal=True, vertical_alignment="bottom", key="filters"):
        values = {
            column: st.multiselect(
                label,
                list_values(opened.records, column),
                key=f"filter-{column}-{opened.key}",
                persist_state="session",
                placeholder="All",
                width=260,
            )
            for column, label in (
                ("name", "Original label"),
                ("subset", "Subset"),
                ("source", "Source"),
                ("confirmation", "Diagnosis confirmed by"),
            )
        }
        kind = st.selectbox(
            "Finding",
            [_ANY, *findings],
            key=f"filter-finding-{opened.key}",
            persist_state="session",
            format_func=lambda each: FINDING_TITLES.get(each, each),
            width=260,
        )
    paths = None
    if kind in findings:
        paths = {path for group in findings[kind].groups for path in group}
    return select_files(opened.records, values, paths)


def _show_page(files: "pd.DataFrame") -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{len(files):,} image{'' if len(files) == 1 else 's'}", width="content")
        page = choose_page(len(files), _PAGE_LENGTH, "gallery")
    with st.container(horizontal=True, key="gallery"):
        for index, row in files.iloc[page].iterrows():
            with st.container(width=_WIDTH, gap="xxsmall"):
                show_image(row)
                st.button(
                    "Open",
                    key=f"open-file-{index}",
                    help="Show all details of this image.",
                    on_click=_open,
                    args=(str(row["path"]),),
                    width="stretch",
                )


def _show_details(opened: "OpenedFolder", row: "pd.Series[Any]") -> None:
    st.button("Back to gallery", on_click=_open, args=(None,))
    path = str(row["path"])
    decisions = get_dataset(opened, get_manual_decisions(opened)).decisions
    decision = decisions[decisions["path"] == path].iloc[0]
    findings = [
        FINDING_TITLES[finding.kind]
        for finding in get_audit(opened).findings
        if any(path in group for group in finding.groups)
    ]
    image, facts = st.columns(2, gap="medium")
    with image:
        show_image(row, "stretch")
    with facts:
        st.html(render_file_facts(row.to_dict() | decision.to_dict() | {"path": path}, findings))
    is_copy = (opened.records["cluster"] == row["cluster"]).fillna(False)
    copies = opened.records[is_copy & (opened.records["path"] != row["path"])]
    if len(copies):
        st.subheader("Copies and near copies", anchor=False)
        _show_page(copies)


def _open(path: str | None) -> None:
    st.session_state["opened-file"] = path
