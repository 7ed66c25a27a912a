"""The Get data tab: search the ISIC Archive, show what a download contains, and download it."""

import re
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.dataset.markup import render_failures
from dashboard.shared.access import is_local
from dashboard.shared.errors import show_errors
from dashboard.shared.markup import escape_markdown
from dashboard.shared.progress import cancel_request, is_requested, request_work, show_progress
from melanoma_core.errors import DatasetError
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    from melanoma_core.data.archive.download import DownloadPlan, DownloadResult

_SEARCH, _DOWNLOAD = "archive-search", "archive-download"
_MB = 1e6
_MOST_FAILURES = 20


def show_download() -> None:
    """Search the archive, show number, size and licences of the images, and download them."""
    st.html(
        "<p>Download public images and their metadata from the ISIC Archive. A search shows the "
        "number of images, their size and their licences. Nothing is written until you start the "
        "download. An interrupted download continues where it stopped.</p>"
    )
    _show_form()
    with show_errors():
        _search()
        _download()
    _show_plan()
    _show_result()


def _show_form() -> None:
    with st.form("archive", border=True):
        st.text_input(
            "Query",
            key="archive-query",
            persist_state="session",
            placeholder='diagnosis_3:"Nevus" AND sex:female',
            help="In the query syntax of the ISIC Archive. Leave empty for all images.",
        )
        with st.container(horizontal=True):
            st.text_input(
                "Collections",
                key="archive-collections",
                persist_state="session",
                placeholder="212, 65",
                help="Collection numbers from isic-archive.com, separated by commas. Leave empty "
                "for all collections.",
            )
            st.number_input(
                "Maximum number of images",
                min_value=1,
                value=100,
                key="archive-limit",
                persist_state="session",
                help="The first ones in the order of the archive.",
            )
            st.text_input(
                "Download folder",
                value="isic-archive",
                key="archive-folder",
                persist_state="session",
                help="A new folder or that of an earlier download, relative to the data directory.",
            )
        st.form_submit_button("Search the archive", on_click=_start_search)


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
        st.button("Cancel", key="cancel-search")  # any rerun of the page ends the search
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
            f"Found the collections {text!r}. Collections are selected by number. Enter their "
            "numbers from isic-archive.com, separated by commas."
        )
    return tuple(int(number) for number in re.findall(r"[0-9]+", text))


def _download() -> None:
    plan: DownloadPlan | None = st.session_state.get("archive-plan")
    if plan is None or not is_requested(_DOWNLOAD):
        return
    from melanoma_core.data.archive.download import download

    cancel_request(_DOWNLOAD)
    # The download changes what is present: after a cancellation, the plan is made again.
    st.session_state["archive-plan"] = None
    work = st.empty()
    with work.container():
        st.button(
            "Cancel",
            key="cancel-download",
            on_click=_start_search,
            help="Images downloaded so far are kept; the rest can be downloaded later.",
        )
        st.session_state["archive-result"] = download(plan, show_progress("Downloading"))
    work.empty()


def _show_plan() -> None:
    plan: DownloadPlan | None = st.session_state.get("archive-plan")
    if plan is None:
        return
    st.html(
        f"<p><strong>{len(plan.images):,} images, {plan.num_bytes / _MB:,.1f} MB</strong>. "
        f"{len(plan.present):,} of them ({plan.num_bytes_present / _MB:,.1f} MB) are already "
        f"downloaded. Free disk space: {plan.free_bytes / _MB:,.0f} MB.</p>"
    )
    st.caption(f"Download folder: {escape_markdown(str(plan.folder))}")
    st.dataframe(
        [{"Licence": name, "Images": count} for name, count in plan.licences.items()],
        hide_index=True,
        width=420,
    )
    st.button(
        "Start download",
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
        f'<p role="status"><strong>{result.num_downloaded:,} images downloaded</strong>, '
        f"{result.num_present:,} already present, {len(result.failures):,} failed. "
        f"{'Search again to retry those that failed.' if result.failures else ''}</p>"
    )
    st.button("Open folder", on_click=_open, args=(str(result.folder),))
    if result.failures:
        st.html(render_failures(result.failures[:_MOST_FAILURES]))


def _open(path: str) -> None:
    st.session_state["folder-path"] = path
    st.session_state["dataset-view"] = "Overview"
