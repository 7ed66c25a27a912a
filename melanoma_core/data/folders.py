"""List the images, tables and subfolders in a dataset folder, and read what their names say."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from melanoma_core.data.fence import find_fence
from melanoma_core.errors import DatasetError

IMAGE_SUFFIXES = frozenset(
    {
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".tif", ".tiff", ".webp", ".bmp"),
        *(".heic", ".heif", ".hif", ".heics", ".heifs", ".avif", ".avifs", ".dcm", ".dicom"),
    }
)
# Formats of photographs that are not decoded, or with another library alone. They are listed, so
# that each is reported.
_OTHER_IMAGE_SUFFIXES = frozenset(
    {
        *(".gif", ".jp2", ".jxl"),
        *(".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf"),
    }
)
TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".tab", ".txt"})

# Folders that hold no photographs: outlines of lesions, and what macOS adds to archives.
OUTLINE_FOLDER = "masks"
SYSTEM_FOLDER = "__macosx"
SYSTEM_FILES = frozenset({"thumbs.db", "desktop.ini"})
# Outlines, and the attributes of ISIC 2018: "ISIC_0000000_attribute_globules.png".
_OUTLINE_ENDING = re.compile(r"_(segmentation|superpixels|mask|attribute_[a-z_]+)$")
_SUBSETS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}


def list_subfolders(folder: Path) -> list[Path]:
    """List the subfolders of a folder by name, except for hidden ones and outlines of lesions.

    Args:
        folder: An existing folder.

    Returns:
        The paths of the subfolders.

    Raises:
        DatasetError: The folder cannot be listed.
    """
    return [
        Path(entry.path)
        for entry in _list_folder(folder)
        if _is_folder(entry) and entry.name.lower() not in {OUTLINE_FOLDER, SYSTEM_FOLDER}
    ]


def list_images(folder: Path) -> list[Path]:
    """List the image files in a folder by name.

    Args:
        folder: An existing folder.

    Returns:
        The paths of the files, including broken links and formats that cannot be decoded, which
        are reported when they are read.

    Raises:
        DatasetError: The folder cannot be listed.
    """
    return [
        Path(entry.path)
        for entry in _list_folder(folder)
        if is_image_name(entry.name) and not _is_folder(entry)
    ]


def walk_folders(folder: Path) -> Iterator[Path]:
    """Walk through a folder and all folders below it.

    Args:
        folder: An existing folder.

    Yields:
        Each folder once, even if links form a cycle.

    Raises:
        DatasetError: A folder cannot be listed.
    """
    visited: set[str] = set()
    pending = [folder]
    while pending:
        inner = pending.pop()
        real = os.path.realpath(inner)
        if real not in visited:
            visited.add(real)
            yield inner
            pending.extend(reversed(list_subfolders(inner)))


def has_images(folder: Path) -> bool:
    """Return whether there is an image file in a folder or below it.

    Raises:
        DatasetError: A folder cannot be listed.
    """
    return any(list_images(inner) for inner in walk_folders(folder))


def list_tables(folder: Path) -> list[Path]:
    """List the files in a folder that may be tables, by name.

    Dataverse offers the table of HAM10000 without a suffix.

    Args:
        folder: An existing folder.

    Returns:
        The paths of the files.

    Raises:
        DatasetError: The folder cannot be listed.
    """
    return [
        Path(entry.path)
        for entry in _list_folder(folder)
        if split_suffix(entry.name)[1] in {*TABLE_SUFFIXES, ""} and not _is_folder(entry)
    ]


def _list_folder(folder: Path) -> list[os.DirEntry[str]]:
    """List the entries that are not hidden, by name; no link that the fence bars."""
    fence = find_fence()
    try:
        with os.scandir(folder) as entries:
            shown = (e for e in entries if not e.name.startswith("."))
            if fence is not None:
                shown = (e for e in shown if not fence.bars(e.path))
            return sorted(shown, key=lambda e: e.name)
    except OSError as error:
        raise DatasetError(
            f"Cannot list the folder {folder} ({error.strerror}). Check that it exists and that "
            "you have permission to open it."
        ) from error


def _is_folder(entry: os.DirEntry[str]) -> bool:
    if not entry.is_symlink():
        return entry.is_dir()  # needs no system call, unlike the other ways
    return os.path.isdir(entry.path)  # noqa: PTH112 - also False for a cyclic link


def is_image_name(name: str) -> bool:
    """Return whether a file name is that of an image, and not of an outline of a lesion.

    Example:
        >>> is_image_name("ISIC_0024306.JPG"), is_image_name("ISIC_0024306_segmentation.png")
        (True, False)
    """
    stem, suffix = split_suffix(name)
    is_image = suffix in IMAGE_SUFFIXES or suffix in _OTHER_IMAGE_SUFFIXES
    return is_image and not _OUTLINE_ENDING.search(stem)


def split_suffix(name: str) -> tuple[str, str]:
    """Split a file name into its stem and its suffix, both in lower case.

    Path is slow for 400,000 names.

    Example:
        >>> split_suffix("ISIC_0024306.JPG"), split_suffix("HAM10000_metadata")
        (('isic_0024306', '.jpg'), ('ham10000_metadata', ''))
    """
    stem, dot, suffix = name.lower().rpartition(".")
    return (stem, dot + suffix) if dot else (suffix, "")


def strip_outline_ending(stem: str) -> str:
    """Return the name of the photograph to which an outline belongs, in lower case.

    Example:
        >>> strip_outline_ending("ISIC_0024306_segmentation"), strip_outline_ending("mole")
        ('isic_0024306', 'mole')
    """
    return _OUTLINE_ENDING.sub("", stem.lower())


def parse_subset(name: str) -> str | None:
    """Return the subset that a folder name or a table says, or None.

    Example:
        >>> parse_subset("Testing"), parse_subset("ISIC-2017_Test_v2_Data"), parse_subset("moles")
        ('test', 'test', None)
    """
    words = re.split(r"[^a-z]+", name.lower())
    found = {_SUBSETS[word] for word in words if word in _SUBSETS}
    return found.pop() if len(found) == 1 else None
