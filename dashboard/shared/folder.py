"""Choose a folder of images in the sidebar and open it, with progress, once per session."""

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.shared.access import is_local
from dashboard.shared.address import follow_address, write_address
from dashboard.shared.cached import list_folders
from dashboard.shared.errors import show_errors
from dashboard.shared.markup import escape_markdown
from dashboard.shared.progress import cancel_request, is_requested, request_work, show_progress
from melanoma_core.errors import DatasetError
from melanoma_core.names import neutralise
from melanoma_core.settings import load_settings

if TYPE_CHECKING:  # the page is painted before pandas is imported
    from melanoma_core.data.cleaning import ManualDecision
    from melanoma_core.data.opening import OpenedFolder

_DEMONSTRATION = "Demonstration (drawn)"
_FOLDER, _PATH = "folder", "folder-path"


def choose_folder() -> Path | None:
    """Choose a folder in the sidebar.

    Returns:
        The folder, or None if it may not be opened; the page then shows why.
    """
    from melanoma_core.data.catalogue import open_demonstration, resolve_data_path

    settings = load_settings()
    with st.sidebar:
        st.header("Data", anchor=False)
        folders = _list_by_name()
        names = [_DEMONSTRATION, *folders]
        follow_address("folder", _FOLDER, _DEMONSTRATION, names)
        follow_address("path", _PATH, "")
        choice = st.selectbox(
            "Dataset",
            names,
            help="Datasets in the data directory (MELANOMA_DATA_DIR), and a demonstration dataset "
            "of drawn lesions with typical data defects.",
            persist_state="session",
            key=_FOLDER,
            disabled=bool(st.session_state[_PATH].strip()),
        )
        path = st.text_input(
            "Or folder path",
            key=_PATH,
            persist_state="session",
            help="Class folders (with or without Train and Test), HAM10000, ISIC 2017 to 2020, a "
            "download from the ISIC Archive, or a folder of several of these. A path overrides "
            "the choice above. Files in the folder are never changed.",
        )
        st.button(
            "Rescan",
            help="Read files that were added, changed or removed since the last scan.",
            on_click=_forget_scan,
            width="stretch",
        )
        write_address("folder", _FOLDER, _DEMONSTRATION)
    if not _is_meant(path):
        return None
    write_address("path", _PATH, "")
    with show_errors():
        if path.strip():
            return resolve_data_path(path, settings, is_local())
        if choice in folders:  # a link in the data directory may lead out of it
            return resolve_data_path(str(folders[choice]), settings, is_local())
        return open_demonstration(settings)
    return None


def suggest_folder(name: str) -> str:
    """Return the path of a new folder: in the data directory, else in the person's own folder."""
    return str((load_settings().data_dir or Path.home()) / name)


def trust_path(path: str) -> None:
    """Note that a person has entered a path on this dashboard, so that a link may open it."""
    _list_meant().add(path)


def _is_meant(path: str) -> bool:
    """Return whether a person entered this path; ask where only a link has it.

    A link of another site can name any folder, also one of another machine.
    """
    meant = _list_meant()
    if path and path == st.query_params.get("path") and path not in meant:
        st.html(f"<p>A link asks to open the folder <code>{escape(neutralise(path))}</code>.</p>")
        if not st.button("Open this folder"):
            return False
    meant.add(path)
    return True


@st.cache_resource(show_spinner=False)
def _list_meant() -> set[str]:
    """Return the paths that people entered since the server started, to be added to."""
    return set()


def open_chosen_folder(folder: Path) -> "OpenedFolder | None":
    """Open a folder with progress; the session keeps it for the next runs of the page.

    Returns:
        The opened folder, or None if the person cancelled the scan.

    Raises:
        DatasetError: The folder cannot be opened.
    """
    from melanoma_core.data.cache import FactCache
    from melanoma_core.data.opening import open_folder

    work = st.empty()  # in every run: else the rest of the page moves, and loses the focus
    stored: OpenedFolder | None = st.session_state.get("opened-folder")
    if stored and st.session_state.get("opened-path") == folder:
        return stored
    if is_requested(_name_cancellation(folder)):
        st.html("<p>Scan cancelled. Results so far are kept, and the scan can be continued.</p>")
        st.button("Continue the scan", on_click=allow_scan, args=(folder,))
        return None
    with work.container():
        st.caption(f"Opening {escape_markdown(str(folder))}")
        st.button(
            "Cancel", on_click=request_work, args=(_name_cancellation(folder),), key="cancel-scan"
        )
        try:
            opened = open_folder(
                folder, FactCache(load_settings().cache_dir), show_progress("Measuring images")
            )
        except DatasetError:
            work.empty()  # nothing is left to cancel
            raise
    work.empty()
    st.session_state["opened-folder"], st.session_state["opened-path"] = opened, folder
    return opened


def allow_scan(folder: Path | None) -> None:
    """Allow the scan of a folder again after the person cancelled it."""
    cancel_request(_name_cancellation(folder))


def show_folder(opened: "OpenedFolder") -> None:
    """Show the name of the opened folder, its number of files and of collections."""
    num_collections = opened.records["source"].nunique()
    with st.sidebar:
        st.caption(
            f"{len(opened.records):,} files in {escape_markdown(opened.folder.name)}, "
            f"{num_collections:,} collection{'' if num_collections == 1 else 's'}."
        )


def get_manual_decisions(opened: "OpenedFolder") -> "dict[str, ManualDecision]":
    """Return the manual decisions of this session on a folder's files, by path, to be added to."""
    decisions: dict[str, ManualDecision] = st.session_state.setdefault(
        f"manual-decisions-{opened.folder}", {}
    )
    return decisions


def _list_by_name() -> dict[str, Path]:
    """Return the datasets in the data directory by name and layout."""
    data_dir = load_settings().data_dir
    if data_dir is None:
        return {}
    with show_errors():
        return {
            f"{each.folder.name} "
            f"({', '.join(dict.fromkeys(layout.title for layout in each.layouts))})": each.folder
            for each in list_folders(data_dir)
        }
    return {}


def _forget_scan() -> None:
    list_folders.clear()
    st.session_state.pop("opened-folder", None)


def _name_cancellation(folder: Path | None) -> str:
    return f"cancelled-{folder}"
