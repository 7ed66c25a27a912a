"""Which folder the page shows, and how it is opened: chosen in the sidebar, scanned once."""

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.shared.cached import get_dataset, get_split, list_folders
from dashboard.shared.errors import show_errors
from dashboard.shared.markup import escape_markdown
from dashboard.shared.progress import cancel_request, is_requested, request_work, show_progress
from melanoma_core.errors import DatasetError
from melanoma_core.settings import load_settings

if TYPE_CHECKING:  # a page is painted before pandas is there
    from melanoma_core.data.cleaning import ManualDecision
    from melanoma_core.data.opening import OpenedFolder
    from melanoma_core.data.splitting import Split

DEMONSTRATION = "Demonstration (drawn)"
_OWN_MACHINE = {"localhost", "127.0.0.1", "::1"}


def is_local() -> bool:
    """Return whether the server answers its own machine alone."""
    return st.get_option("server.address") in _OWN_MACHINE


def choose_folder() -> Path | None:
    """Let a person choose in the sidebar; None where that cannot be opened, with the reason."""
    from melanoma_core.data.catalogue import open_demonstration, resolve_data_path

    settings = load_settings()
    with st.sidebar:
        st.subheader("Data", anchor=False)
        listed = _list_folders()
        choice = st.selectbox(
            "Folder of photographs",
            [DEMONSTRATION, *listed],
            help="The folders under the data directory (MELANOMA_DATA_DIR), and a set of drawn "
            "lesions with the defects of real ones.",
            persist_state="session",
            key="folder",
            disabled=bool(st.session_state.get("folder-path", "").strip()),
        )
        typed = st.text_input(
            "Or the path of a folder",
            key="folder-path",
            persist_state="session",
            help="Class folders (Train and Test, or none), HAM10000, ISIC 2017 to 2020, a download "
            "from the ISIC Archive, or a folder of these. Counts more than the choice above; "
            "nothing in it is ever changed.",
        )
        st.button(
            "Scan again",
            help="Measure what has changed in the folder since.",
            on_click=_forget,
            width="stretch",
        )
    with show_errors():
        if typed.strip():
            return resolve_data_path(typed, settings, is_local())
        return listed[choice] if choice in listed else open_demonstration(settings)
    return None


def open_chosen_folder(folder: Path) -> "OpenedFolder | None":
    """Open a folder with progress, or give back what this session has opened; None if cancelled.

    Raises:
        DatasetError: It cannot be opened.
    """
    from melanoma_core.data.cache import FactCache
    from melanoma_core.data.opening import open_folder

    kept: OpenedFolder | None = st.session_state.get("opened-folder")
    if kept and st.session_state.get("opened-path") == folder:
        return kept
    if is_requested(f"cancelled-{folder}"):
        st.html("<p>The scan was cancelled. What was measured is kept: it goes on from there.</p>")
        st.button("Go on with the scan", on_click=cancel_request, args=(f"cancelled-{folder}",))
        return None
    work = st.empty()
    with work.container():
        st.caption(f"Opening {escape_markdown(str(folder))}")
        st.button("Cancel", on_click=request_work, args=(f"cancelled-{folder}",), key="cancel-scan")
        try:
            opened = open_folder(
                folder,
                FactCache(load_settings().cache_dir),
                show_progress("Measuring photographs"),
            )
        except DatasetError:
            work.empty()  # there is nothing left to cancel
            raise
    work.empty()
    st.session_state["opened-folder"], st.session_state["opened-path"] = opened, folder
    return opened


def get_manual_decisions(opened: "OpenedFolder") -> "dict[str, ManualDecision]":
    """Return what this session decided by hand on a folder's files, to be added to."""
    decided: dict[str, ManualDecision] = st.session_state.setdefault(
        f"manual_decisions-{opened.folder}", {}
    )
    return decided


def show_folder(opened: "OpenedFolder") -> None:
    """Say which folder is shown, and how much of it."""
    with st.sidebar:
        st.caption(
            f"{len(opened.records):,} files in {escape_markdown(opened.folder.name)}, "
            f"{opened.records['source'].nunique():,} "
            f"collection{'' if opened.records['source'].nunique() == 1 else 's'}."
        )


def _list_folders() -> dict[str, Path]:
    """Return the folders under the data directory by what they are called."""
    data_dir = load_settings().data_dir
    if data_dir is None:
        return {}
    with show_errors():
        return {
            f"{each.folder.name} ({', '.join(dict.fromkeys(lay.title for lay in each.layouts))})": (
                each.folder
            )
            for each in list_folders(data_dir)
        }
    return {}


def _forget() -> None:
    list_folders.clear()
    st.session_state.pop("opened-folder", None)


_MOST_SEED = 2**31 - 1


def choose_split(opened: "OpenedFolder") -> "Split":
    """Split the cleaned table with the seed of the sidebar.

    Raises:
        DatasetError: There are too few photographs, or decisions contradict each other.
    """
    return get_split(get_dataset(opened, get_manual_decisions(opened)), choose_seed())


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
