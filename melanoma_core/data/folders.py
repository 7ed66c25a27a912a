"""List the images, tables and subfolders in a dataset folder."""

import os
from collections.abc import Iterator
from pathlib import Path

from melanoma_core.errors import DatasetError

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp"})

# Folders that hold no photographs: outlines of lesions, and what macOS adds to archives.
_OTHER_FOLDERS = {"masks", "__macosx"}
_OUTLINE_ENDINGS = ("_segmentation", "_superpixels", "_mask")


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
        if _is_folder(entry) and entry.name.lower() not in _OTHER_FOLDERS
    ]


def list_images(folder: Path) -> list[Path]:
    """List the image files in a folder by name.

    Args:
        folder: An existing folder.

    Returns:
        The paths of the files, including broken links, which are reported when they are read.

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


def list_tables(folder: Path) -> list[Path]:
    """List the CSV files in a folder by name.

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
        if entry.name.lower().endswith(".csv") and not _is_folder(entry)
    ]


def _list_folder(folder: Path) -> list[os.DirEntry[str]]:
    """List the entries that are not hidden, by name."""
    try:
        with os.scandir(folder) as entries:
            return sorted((e for e in entries if not e.name.startswith(".")), key=lambda e: e.name)
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
    stem, dot, suffix = name.lower().rpartition(".")  # Path is slow for 400,000 names
    return dot + suffix in IMAGE_SUFFIXES and not stem.endswith(_OUTLINE_ENDINGS)
