"""Results computed from an opened folder, cached for all sessions that open the same content.

Tables are cached as resources, not as data: Streamlit would copy data at every run of the page,
which takes a second for 400,000 rows. They are never changed.
"""

import tempfile
from collections.abc import Callable, Mapping
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from melanoma_core.spreadsheets import format_table

if TYPE_CHECKING:  # the page is painted before pandas is imported
    from melanoma_core.data.audit import Audit
    from melanoma_core.data.catalogue import DatasetFolder
    from melanoma_core.data.cleaning import ManualDecision
    from melanoma_core.data.dataset import Dataset
    from melanoma_core.data.opening import OpenedFolder
    from melanoma_core.data.splitting import Shares, Split
    from melanoma_core.progress import Progress

_MOST_FOLDERS = 4
_SPLIT_COLUMNS = ["image_id", "path", "label", "subset", "group", "lesion_id", "sha256"]
_THUMBNAIL_SIDE, _MOST_THUMBNAILS = 256, 2000  # px; about 30 MB
_LARGE_SIDE, _MOST_LARGE = 1400, 50  # px; about 20 MB
# How Streamlit recognises an argument. By name of the class, since importing one takes a second.
_IDENTITIES: dict[str | type[Any], Callable[[Any], Any]] = {
    "melanoma_core.data.opening.OpenedFolder": attrgetter("key"),
    "melanoma_core.data.splitting.Split": attrgetter("sha256", "seed"),
    "melanoma_core.data.splitting.Shares": attrgetter("validation", "test"),
}


# Cached for a minute: listing the files of a large folder is slower than a run of the page may be.
@st.cache_data(show_spinner="Listing the folders", ttl=60, max_entries=_MOST_FOLDERS)
def list_folders(data_dir: Path) -> "list[DatasetFolder]":
    """Return the datasets under the data directory.

    Raises:
        DatasetError: The directory cannot be listed.
    """
    from melanoma_core.data.catalogue import list_datasets

    return list_datasets(data_dir)


@st.cache_resource(
    show_spinner="Auditing the images", max_entries=_MOST_FOLDERS, hash_funcs=_IDENTITIES
)
def get_audit(opened: "OpenedFolder") -> "Audit":
    """Return the audit of a folder."""
    from melanoma_core.data.audit import audit_records

    known = opened.companions
    return audit_records(opened.records, known.known_lesions, known.known_sources, opened.census)


@st.cache_resource(
    show_spinner="Cleaning the table", max_entries=_MOST_FOLDERS, hash_funcs=_IDENTITIES
)
def get_dataset(opened: "OpenedFolder", decisions: "Mapping[str, ManualDecision]") -> "Dataset":
    """Return the cleaned dataset.

    Args:
        opened: The folder.
        decisions: Manual decisions by path, the latest last.

    Raises:
        DatasetError: Two manual decisions contradict each other.
    """
    from melanoma_core.data.cleaning import apply_manual_decisions, decide_files
    from melanoma_core.data.dataset import merge_records

    cleaned = apply_manual_decisions(decide_files(opened.records), dict(decisions))
    return merge_records(opened.records, cleaned)


def get_split(
    opened: "OpenedFolder",
    decisions: "Mapping[str, ManualDecision]",
    seed: int,
    shares: "Shares | None",
    progress: "Progress",
) -> "Split":
    """Return the split of the cleaned dataset.

    Args:
        opened: The folder.
        decisions: Manual decisions by path, the latest last.
        seed: Random seed of the split.
        shares: Of validation and test; None for the default.
        progress: Called while the split is drawn.

    Raises:
        DatasetError: There are too few images, or two manual decisions contradict each other.
    """
    from melanoma_core.data.splitting import split_dataset

    kept = _keep_split(opened, decisions, seed, shares)
    if not kept:  # drawn outside of the cached function, which may not draw a progress bar
        kept.append(split_dataset(get_dataset(opened, decisions).main, seed, shares, progress))
    return kept[0]


@st.cache_resource(show_spinner=False, max_entries=_MOST_FOLDERS, hash_funcs=_IDENTITIES)
def _keep_split(
    opened: "OpenedFolder",  # noqa: ARG001
    decisions: "Mapping[str, ManualDecision]",  # noqa: ARG001
    seed: int,  # noqa: ARG001
    shares: "Shares | None",  # noqa: ARG001
) -> "list[Split]":
    """Return a place for one split, empty until it is drawn."""
    return []


@st.cache_data(show_spinner=False, max_entries=_MOST_THUMBNAILS)
def get_thumbnail(path: str, sha256: str) -> bytes | None:  # noqa: ARG001
    """Return a small JPEG of a file, or None if the file can no longer be read.

    Args:
        path: Path of the file.
        sha256: Hash of its bytes. A changed file has another thumbnail.
    """
    return _encode_small(path, _THUMBNAIL_SIDE)


@st.cache_data(show_spinner=False, max_entries=_MOST_LARGE)
def get_large(path: str, sha256: str) -> bytes | None:  # noqa: ARG001
    """Return a JPEG of a file that fills half a page, or None if it can no longer be read.

    Args:
        path: Path of the file.
        sha256: Hash of its bytes. A changed file has another image.
    """
    return _encode_small(path, _LARGE_SIDE)


def _encode_small(path: str, side: int) -> bytes | None:
    from melanoma_core.data.images import encode_jpeg, read_image
    from melanoma_core.errors import ImageError

    try:
        return encode_jpeg(read_image(Path(path), side).pixels)
    except ImageError:
        return None


@st.cache_data(show_spinner=False, max_entries=_MOST_FOLDERS, hash_funcs=_IDENTITIES)
def encode_decisions(opened: "OpenedFolder", decisions: "Mapping[str, ManualDecision]") -> bytes:
    """Return the cleaned table as the CSV that `cleaned_table.write_decisions` writes.

    Args:
        opened: The folder.
        decisions: Manual decisions by path, the latest last.

    Raises:
        DatasetError: Two manual decisions contradict each other.
    """
    from melanoma_core.data.cleaned_table import write_decisions

    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "cleaned.csv"
        write_decisions(get_dataset(opened, decisions).decisions, opened.folder, file)
        return file.read_bytes()


@st.cache_data(show_spinner=False, max_entries=_MOST_FOLDERS, hash_funcs=_IDENTITIES)
def encode_split(split: "Split") -> bytes:
    """Return every image of a split with its subset and group, as CSV."""
    return format_table(split.table[_SPLIT_COLUMNS])
