"""Count what becomes of every file below the folder of a dataset."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from melanoma_core.data.fence import Fence, find_fence
from melanoma_core.data.folders import (
    OUTLINE_FOLDER,
    SYSTEM_FILES,
    SYSTEM_FOLDER,
    is_image_name,
    split_suffix,
    strip_outline_ending,
)
from melanoma_core.data.formats.dicom_frames import split_name
from melanoma_core.data.layouts import Collection, find_label_tables
from melanoma_core.data.table_files import open_table
from melanoma_core.data.tables import has_facts, make_image_key

_TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".tab"})
# Text for people. Without a suffix it is named so.
_DOCUMENT_SUFFIXES = frozenset({".md", ".txt", ".pdf", ".rst", ".html", ".htm", ".docx", ".bib"})
_DOCUMENT_NAMES = ("license", "licence", "readme", "attribution", "citation", "copying", "notice")


class Role(StrEnum):
    """What a file is for."""

    IMAGE = "images"
    OUTLINE = "outlines"
    TABLE = "tables"
    DOCUMENT = "documents"
    IGNORED = "not_looked_at"
    BARRED = "links_that_lead_out"


@dataclass(frozen=True)
class Census:
    """What became of the files below a folder. Hidden files and those of a system do not count.

    Attributes:
        counts: The number of files by role.
        ignored: Files that are not looked at, by the folder that they are in, relative to the
            dataset.
        unread_tables: Tables among them, with their columns.
        missing: Images without a file, by the name of the table with their label.
    """

    counts: dict[Role, int]
    ignored: dict[str, int]
    unread_tables: tuple[str, ...]
    missing: dict[str, tuple[str, ...]]


def take_census(
    folder: Path,
    collections: Sequence[Collection],
    image_paths: Iterable[Path],
    missing: dict[Path, tuple[str, ...]],
) -> Census:
    """Count the files below a folder.

    Args:
        folder: Folder of the dataset.
        collections: Its collections.
        image_paths: The image files that were read, or could not be.
        missing: Images without a file, by table.
    """
    paths = list(image_paths)
    images = {str(split_name(path)[0]) for path in paths}
    photographs = {make_image_key(path.name).casefold() for path in paths}
    read_folders = [collection.folder for collection in collections]
    counts: Counter[Role] = Counter()
    ignored: Counter[str] = Counter()
    unread: list[str] = []
    fence = find_fence()
    for path in _walk_files(folder, fence):
        if fence is not None and fence.bars(path):
            role = Role.BARRED
        elif str(path) in images:
            role = Role.IMAGE
        else:
            is_read = any(path.is_relative_to(each) for each in read_folders)
            role = _find_role(path, photographs, is_read)
        counts[role] += 1
        if role is Role.IGNORED:
            ignored[path.parent.relative_to(folder).as_posix()] += 1
            table = open_table(path) if split_suffix(path.name)[1] in _TABLE_SUFFIXES else None
            unread += [table.describe()] if table else []
    lists = {path.name: images for path, images in missing.items() if images}
    return Census(dict(counts), dict(ignored), tuple(unread), lists)


def _walk_files(folder: Path, fence: Fence | None) -> Iterable[Path]:
    """Walk through all files; a folder that the fence bars is one of them, and is not entered."""
    visited: set[str] = set()
    for parent, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(parent)
        if real in visited:
            folders.clear()
            continue
        visited.add(real)
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and name.lower() != SYSTEM_FOLDER
        )
        barred = [name for name in folders if fence is not None and fence.bars(Path(parent, name))]
        folders[:] = [name for name in folders if name not in barred]
        for name in sorted([*names, *barred]):
            if not name.startswith(".") and name.lower() not in SYSTEM_FILES:
                yield Path(parent, name)


def _find_role(path: Path, photographs: set[str], is_read: bool) -> Role:
    """Return the role of a file that is not among the images."""
    stem, suffix = split_suffix(path.name)
    is_outline = path.parent.name.lower() == OUTLINE_FOLDER or not is_image_name(path.name)
    if is_outline and is_image_name(f"photograph{suffix}"):
        key = make_image_key(strip_outline_ending(stem)).casefold()
        return Role.OUTLINE if key in photographs else Role.IGNORED
    if suffix in _TABLE_SUFFIXES or suffix in {".txt", ""}:
        table = open_table(path)
        if table and is_read and (find_label_tables([path]) or has_facts(table)):
            return Role.TABLE
        if suffix in _TABLE_SUFFIXES:
            return Role.IGNORED
    is_named = suffix == "" and stem.startswith(_DOCUMENT_NAMES)
    return Role.DOCUMENT if suffix in _DOCUMENT_SUFFIXES or is_named else Role.IGNORED


def list_ignored(census: Census, most: int = 5) -> str:
    """Return the folders with files that are not looked at, for a message.

    Example:
        >>> list_ignored(Census({}, {"ants": 3, ".": 1}, (), {}))
        '3 in ants, 1 in the folder itself'
    """
    ranked = Counter(census.ignored).most_common()
    texts = [
        f"{count:,} in {'the folder itself' if name == '.' else name}"
        for name, count in ranked[:most]
    ]
    more = len(ranked) - most
    return ", ".join(texts) + (f", and more in {more:,} other folders" if more > 0 else "")
