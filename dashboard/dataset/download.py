"""Real photographs from the ISIC Archive: searched, shown what they are, then downloaded."""

import re
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.dataset.markup import render_failures
from dashboard.shared.errors import show_errors
from dashboard.shared.folder import is_local
from dashboard.shared.markup import escape_markdown
from dashboard.shared.progress import cancel_request, is_requested, request_work, show_progress
from melanoma_core.errors import DatasetError
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    from melanoma_core.data.archive.download import DownloadResult, Plan

_SEARCH, _DOWNLOAD = "archive-search", "archive-download"
_MB = 1e6
_MOST_FAILURES = 20


def show_acquisition() -> None:
    """Search the Archive, say what a download would bring, and bring it."""
    st.html(
        "<p>The ISIC Archive's public photographs, with what is known of each. First you see how "
        "many there are, how large they are and under which licences; nothing is written before "
        "you start. A download that was broken off goes on where it stopped.</p>"
    )
    _ask()
    with show_errors():
        _search()
        _download()
    _show_plan()
    _show_result()


def _ask() -> None:
    with st.form("archive", border=True):
        st.text_input(
            "Search",
            key="archive-query",
            persist_state="session",
            placeholder='diagnosis_3:"Nevus" AND sex:female',
            help="In the Archive's own language; empty for all.",
        )
        with st.container(horizontal=True):
            st.text_input(
                "Collections",
                key="archive-collections",
                persist_state="session",
                placeholder="212, 65",
                help="Their numbers on isic-archive.com; empty for all.",
            )
            st.number_input(
                "At most, photographs",
                min_value=1,
                value=100,
                key="archive-limit",
                persist_state="session",
                help="In the order in which the Archive lists them.",
            )
            st.text_input(
                "Into the folder",
                value="isic-archive",
                key="archive-folder",
                persist_state="session",
                help="New, or that of an earlier download; below the data directory.",
            )
        st.form_submit_button("Search the Archive", on_click=_start_search)


def _start_search() -> None:
    st.session_state["archive-plan"] = st.session_state["archive-result"] = None
    request_work(_SEARCH)


def _search() -> None:
    if not is_requested(_SEARCH):
        return
    from melanoma_core.data.archive.download import plan_download
    from melanoma_core.data.archive.search import ArchiveSearch
    from melanoma_core.data.catalogue import resolve_data_path

    cancel_request(_SEARCH)
    kept = st.session_state
    work = st.empty()
    with work.container():
        st.button("Cancel", key="cancel-search")  # any run of the page ends the search
        search = ArchiveSearch(
            kept["archive-query"],
            _parse_collections(kept["archive-collections"]),
            int(kept["archive-limit"]),
        )
        folder = resolve_data_path(kept["archive-folder"], load_settings(), is_local())
        kept["archive-plan"] = plan_download(search, folder, show_progress("Searching"))
    work.empty()


def _parse_collections(text: str) -> tuple[int, ...]:
    if re.search(r"[^0-9,; ]", text):
        raise DatasetError(
            f"Found the collections {text!r}. Give their numbers on isic-archive.com, with commas "
            "between."
        )
    return tuple(int(number) for number in re.findall(r"[0-9]+", text))


def _download() -> None:
    plan: Plan | None = st.session_state.get("archive-plan")
    if plan is None or not is_requested(_DOWNLOAD):
        return
    from melanoma_core.data.archive.download import download

    cancel_request(_DOWNLOAD)
    # What is there changes from now on: after a cancel it is searched anew, and goes on.
    st.session_state["archive-plan"] = None
    work = st.empty()
    with work.container():
        st.button(
            "Cancel",
            key="cancel-download",
            on_click=_start_search,
            help="What came is kept; the rest can be downloaded later.",
        )
        st.session_state["archive-result"] = download(plan, show_progress("Downloading"))
    work.empty()


def _show_plan() -> None:
    plan: Plan | None = st.session_state.get("archive-plan")
    if plan is None:
        return
    st.html(
        f"<p><strong>{len(plan.images):,} photographs, {plan.num_bytes / _MB:,.1f} MB</strong>; "
        f"{len(plan.present):,} of them ({plan.num_bytes_present / _MB:,.1f} MB) are there "
        f"already. Free on the disk: {plan.free_bytes / _MB:,.0f} MB.</p>"
    )
    st.caption(f"Into {escape_markdown(str(plan.folder))}")
    st.dataframe(
        [{"Licence": name, "Photographs": count} for name, count in plan.licences.items()],
        hide_index=True,
        width=420,
    )
    st.button(
        "Start the download",
        type="primary",
        on_click=request_work,
        args=(_DOWNLOAD,),
        disabled=len(plan.present) == len(plan.images),
    )


def _show_result() -> None:
    result: DownloadResult | None = st.session_state.get("archive-result")
    if result is None:
        return
    st.html(
        f'<p role="status"><strong>{result.num_downloaded:,} photographs came</strong>, '
        f"{result.num_present:,} were there before, {len(result.failures):,} did not come. Search "
        "again to try those once more.</p>"
    )
    st.button("Open this folder", on_click=_open, args=(str(result.folder),))
    if result.failures:
        st.html(render_failures(result.failures[:_MOST_FAILURES]))


def _open(path: str) -> None:
    st.session_state["folder-path"] = path
    st.session_state["dataset-view"] = "Overview"
