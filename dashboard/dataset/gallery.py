"""The Gallery tab: filtered images page by page, and all details of one image."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.dataset.markup import FINDING_TITLES, name_label, render_file, render_file_facts
from dashboard.shared.address import (
    follow_address,
    follow_list,
    leave_address,
    write_address,
    write_list,
)
from dashboard.shared.cached import get_audit, get_dataset, get_large, get_thumbnail
from dashboard.shared.errors import show_errors
from dashboard.shared.folder import get_manual_decisions
from dashboard.shared.handover import hand_over
from dashboard.shared.paging import choose_page, find_neighbours, open_page_of
from melanoma_core.names import decode_path, encode_path

if TYPE_CHECKING:
    import pandas as pd

    from melanoma_core.data.audit import Audit
    from melanoma_core.data.opening import OpenedFolder

_PAGE_LENGTH = 24
_WIDTH = 150  # px
_ANY = "Any"
_OPENED = "opened-image"
_FILTERS = {  # label, and parameter in the address, by column
    "name": ("Original label", "label"),
    "subset": ("Subset", "subset"),
    "source": ("Source", "source"),
    "confirmation": ("Diagnosis confirmed by", "confirmed"),
}


def show_gallery(opened: "OpenedFolder") -> None:
    """Show the images of a folder, or the details of the image that was opened."""
    follow_address("image", _OPENED, "")
    details, filters = st.container(), st.container()
    with filters:
        files = _filter(opened, get_audit(opened))
    path = str(decode_path(st.session_state[_OPENED], opened.folder))
    rows = opened.records[opened.records["path"].map(str) == path]
    if len(rows):
        with details:
            _show_steps(opened, list(files["path"].map(str)), path)
            _show_details(opened, rows.iloc[0])
    else:
        st.session_state[_OPENED] = ""
        _show_page(opened, files, "gallery", "page")
    write_address("image", _OPENED, "")


def show_image(row: "pd.Series[Any]", width: int | None = _WIDTH) -> None:
    """Show a thumbnail of a file, or a large image without a width, with label, subset, name."""
    from pandas import notna

    get = get_thumbnail if width else get_large
    jpeg = get(str(row["path"]), row["sha256"]) if notna(row["sha256"]) else None
    if jpeg:
        st.image(jpeg, width=width or "stretch", alt=f"Image labelled {name_label(row)}")
    else:
        st.html('<p class="missing">No preview: the file cannot be read.</p>')
    st.html(render_file(row.to_dict()))


def _filter(opened: "OpenedFolder", audit: "Audit") -> "pd.DataFrame":
    from melanoma_core.data.overview import list_values, select_files

    findings = {str(each.kind): each for each in audit.findings if each.groups}
    with st.container(horizontal=True, vertical_alignment="bottom", key="filters"):
        values = {
            column: _choose_values(opened, column, list_values(opened.records, column))
            for column in _FILTERS
        }
        key = f"filter-finding-{opened.key}"
        follow_address("finding", key, _ANY, [_ANY, *findings])
        kind = st.selectbox(
            "Finding",
            [_ANY, *findings],
            key=key,
            persist_state="session",
            format_func=lambda each: FINDING_TITLES.get(each, each),
            width=260,
            on_change=_start_over,
        )
        write_address("finding", key, _ANY)
    paths = None
    if kind in findings:
        paths = {path for group in findings[kind].groups for path in group}
    return select_files(opened.records, values, paths)


def _choose_values(opened: "OpenedFolder", column: str, options: list[str]) -> list[str]:
    label, parameter = _FILTERS[column]
    key = f"filter-{column}-{opened.key}"
    follow_list(parameter, key, options)
    chosen = st.multiselect(
        label,
        options,
        key=key,
        persist_state="session",
        placeholder="All",
        width=260,
        on_change=_start_over,
    )
    write_list(parameter, key)
    return chosen


def _show_page(
    opened: "OpenedFolder", files: "pd.DataFrame", key: str, parameter: str = ""
) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{len(files):,} image{'' if len(files) == 1 else 's'}", width="content")
        page = choose_page(len(files), _PAGE_LENGTH, key, parameter=parameter)
    shown = files.iloc[page]
    with st.container(horizontal=True, key=key):
        for index, row in shown.iterrows():
            with st.container(width=_WIDTH, gap="xxsmall"):
                show_image(row)
                st.button(
                    "Open",
                    key=f"open-file-{index}",
                    help="Show all details of this image.",
                    on_click=_open,
                    args=(opened.folder, str(row["path"])),
                    width="stretch",
                )


def _show_steps(opened: "OpenedFolder", paths: list[str], path: str) -> None:
    """Show the way back to the gallery, and to the image before and after in its filters."""
    place, before, after = find_neighbours(paths, path)
    with st.container(horizontal=True, vertical_alignment="center", key="image-steps"):
        st.button("Back to gallery", on_click=_go_back, args=(paths, path))
        for label, other in (("Previous", before), ("Next", after)):
            st.button(label, on_click=_open, args=(opened.folder, other), disabled=other is None)
        if place:
            st.caption(f"Image {place:,} of {len(paths):,}", width="content")


def _show_details(opened: "OpenedFolder", row: "pd.Series[Any]") -> None:
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
        show_image(row, None)
        _offer_reading(row)
    with facts:
        st.html(render_file_facts(row.to_dict() | decision.to_dict() | {"path": path}, findings))
    is_copy = (opened.records["cluster"] == row["cluster"]).fillna(False)
    copies = opened.records[is_copy & (opened.records["path"] != row["path"])]
    if len(copies):
        st.header("Copies and near copies", anchor=False)
        _show_page(opened, copies, "copies")


def _offer_reading(row: "pd.Series[Any]") -> None:
    from pandas import isna

    from melanoma_core.data.images import read_bytes

    if st.button(
        "Read this photograph with the network",
        disabled=isna(row["sha256"]),
        help="Opens it on the Reading page. The network may have been trained on it.",
    ):
        path = Path(row["path"])
        with show_errors():
            hand_over(path.name, read_bytes(path))


def _open(folder: Path, path: str) -> None:
    st.session_state[_OPENED] = encode_path(Path(path), folder)


def _go_back(paths: list[str], path: str) -> None:
    """Show the page of the gallery that has the image."""
    st.session_state[_OPENED] = ""
    if path in paths:
        open_page_of(paths.index(path), len(paths), _PAGE_LENGTH, "gallery")


def _start_over() -> None:
    """Show the first page of another selection."""
    st.session_state[_OPENED] = ""
    leave_address("page")
