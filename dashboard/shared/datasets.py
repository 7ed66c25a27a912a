"""What is computed of an opened folder, kept for all sessions that look at the same content.

Kept as resources rather than as data, which would be copied at every run of the page: 400,000 rows
take a second. All of it is read and never changed.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.shared.downloads import encode_table

if TYPE_CHECKING:  # a page is painted before pandas is there
    import pandas as pd

    from melanoma_core.data.audit import Audit
    from melanoma_core.data.catalogue import DatasetFolder
    from melanoma_core.data.cleaning import Overrule
    from melanoma_core.data.dataset import Dataset
    from melanoma_core.data.opening import OpenedFolder
    from melanoma_core.data.splitting import Split

_MOST_FOLDERS = 4
_SPLIT_COLUMNS = ["image_id", "path", "label", "subset", "group", "lesion_id", "sha256"]
_THUMBNAIL_SIDE, _MOST_THUMBNAILS = 256, 2000  # px; about 30 MB


# Kept for a minute: listing the files of large folders takes longer than a run of the page may.
@st.cache_data(show_spinner="Looking for folders", ttl=60, max_entries=_MOST_FOLDERS)
def list_folders(data_dir: Path) -> "list[DatasetFolder]":
    """Return the datasets under the data directory.

    Raises:
        DatasetError: It cannot be listed.
    """
    from melanoma_core.data.catalogue import list_datasets

    return list_datasets(data_dir)


def get_audit(opened: "OpenedFolder") -> "Audit":
    """Return what is wrong with a folder."""
    return _audit(opened.key, opened)


def get_dataset(opened: "OpenedFolder", overrules: "Mapping[str, Overrule]") -> "Dataset":
    """Return the cleaned dataset, a person's decisions included.

    Raises:
        DatasetError: Two of these decisions contradict each other.
    """
    return _clean(opened.key, tuple(overrules.items()), opened)


def get_split(dataset: "Dataset", seed: int) -> "Split":
    """Return the split of a cleaned dataset.

    Raises:
        DatasetError: There are too few photographs.
    """
    return _split(dataset.sha256, seed, dataset)


def get_thumbnail(path: str, sha256: str) -> bytes | None:
    """Return a small JPEG of a file, or None where it can be read no more.

    Args:
        path: Of the file.
        sha256: Of its bytes: a file that has changed has another picture.
    """
    return _shrink(path, sha256)


def encode_decisions(opened: "OpenedFolder", overrules: "Mapping[str, Overrule]") -> bytes:
    """Return the cleaned table as the CSV that `cleaning.write_decisions` writes.

    Raises:
        DatasetError: Two decisions by hand contradict each other.
    """
    decisions = get_dataset(opened, overrules).decisions
    return _encode_decisions(opened.key, tuple(overrules.items()), decisions, opened.folder)


def encode_split(split: "Split") -> bytes:
    """Return every photograph of a split with its subset and group, as CSV."""
    return _encode_split(split.sha256, split.seed, split)


@st.cache_resource(show_spinner="Looking for what is wrong", max_entries=_MOST_FOLDERS)
def _audit(key: str, _opened: "OpenedFolder") -> "Audit":  # noqa: ARG001
    from melanoma_core.data.audit import audit_records

    return audit_records(
        _opened.records, _opened.companions.known_lesions, _opened.companions.known_sources
    )


@st.cache_resource(show_spinner="Cleaning the table", max_entries=_MOST_FOLDERS)
def _clean(
    key: str,  # noqa: ARG001
    overrules: "tuple[tuple[str, Overrule], ...]",
    _opened: "OpenedFolder",
) -> "Dataset":
    from melanoma_core.data.cleaning import decide_files, overrule_decisions
    from melanoma_core.data.dataset import merge_records

    decisions = overrule_decisions(decide_files(_opened.records), dict(overrules))
    return merge_records(_opened.records, decisions)


@st.cache_resource(show_spinner="Splitting", max_entries=_MOST_FOLDERS)
def _split(key: str, seed: int, _dataset: "Dataset") -> "Split":  # noqa: ARG001
    from melanoma_core.data.splitting import split_dataset

    return split_dataset(_dataset.table, seed)


@st.cache_data(show_spinner=False, max_entries=_MOST_THUMBNAILS)
def _shrink(path: str, sha256: str) -> bytes | None:  # noqa: ARG001
    from melanoma_core.data.images import encode_jpeg, read_image
    from melanoma_core.errors import ImageError

    try:
        return encode_jpeg(read_image(Path(path), _THUMBNAIL_SIDE).pixels)
    except ImageError:
        return None


@st.cache_data(show_spinner=False, max_entries=_MOST_FOLDERS)
def _encode_decisions(
    key: str,  # noqa: ARG001
    overrules: "tuple[tuple[str, Overrule], ...]",  # noqa: ARG001
    _decisions: "pd.DataFrame",
    _folder: Path,
) -> bytes:
    from melanoma_core.data.cleaning import write_decisions

    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "cleaned.csv"
        write_decisions(_decisions, _folder, file)
        return file.read_bytes()


@st.cache_data(show_spinner=False, max_entries=_MOST_FOLDERS)
def _encode_split(key: str, seed: int, _split: "Split") -> bytes:  # noqa: ARG001
    return encode_table(_split.table[_SPLIT_COLUMNS])
