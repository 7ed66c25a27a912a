"""List the available datasets, and check which paths a user may open."""

import os
from dataclasses import dataclass
from pathlib import Path

from melanoma_core.data.drawn.dataset import write_demonstration_dataset
from melanoma_core.data.fence import Fence
from melanoma_core.data.folders import list_subfolders
from melanoma_core.data.layouts import Collection, Layout, find_collections
from melanoma_core.errors import DatasetError
from melanoma_core.settings import Settings


@dataclass(frozen=True)
class DatasetFolder:
    """A folder that can be opened as a dataset.

    Attributes:
        folder: The folder.
        layouts: Layouts of its collections in order of precedence.
    """

    folder: Path
    layouts: tuple[Layout, ...]


def list_datasets(data_dir: Path) -> list[DatasetFolder]:
    """List the datasets in the data directory without opening any image.

    Args:
        data_dir: The configured data directory.

    Returns:
        The directory itself if it is a dataset or contains several, then its subfolders that are
        datasets, by name. Folders without a known layout and unreadable folders are omitted.

    Raises:
        DatasetError: The directory cannot be listed.
    """
    whole = _recognise(data_dir)
    if whole and {collection.folder for collection in whole} == {data_dir}:
        return [_describe(data_dir, whole)]
    children = [_describe(f, found) for f in list_subfolders(data_dir) if (found := _recognise(f))]
    return [_describe(data_dir, whole), *children] if len(children) > 1 else children


def _recognise(folder: Path) -> list[Collection]:
    try:
        return find_collections(folder)
    except DatasetError:
        return []


def _describe(folder: Path, collections: list[Collection]) -> DatasetFolder:
    return DatasetFolder(folder, tuple(collection.layout for collection in collections))


def resolve_data_path(text: str, settings: Settings, is_local: bool) -> Path:
    """Resolve a path entered by a user, if the user may open it.

    Args:
        text: A path, absolute or relative to the configured data directory.
        settings: The settings with the data directory.
        is_local: Whether the server is accessible from its own machine only. Then all paths may
            be opened.

    Returns:
        The real path with all links resolved. The folder need not exist.

    Raises:
        DatasetError: The path is invalid, or it is outside of the data directory and the server
            is accessible from other machines. The message does not reveal if the folder exists.
    """
    if not text.strip() or "\0" in text:
        raise DatasetError(
            f"Found no path in {text!r}. Enter the path of a folder that contains images."
        )
    base = settings.data_dir or Path.cwd()
    # Unlike Path.resolve, os.path.realpath accepts cyclic links and unreadable folders.
    path = Path(os.path.realpath(base / os.path.expanduser(text.strip())))  # noqa: PTH111
    if is_local:
        return path
    if settings.data_dir is None:
        raise DatasetError(
            "This server is accessible from other machines, so it only opens folders in its data "
            "directory. No data directory is configured. The administrator can set "
            "MELANOMA_DATA_DIR."
        )
    if not Fence(settings.data_dir).holds(path):
        raise DatasetError(
            f"{text.strip()} is outside of the data directory. This server is accessible from "
            "other machines, so it only opens folders in its data directory. Choose one of those, "
            "or ask the administrator to add the images there."
        )
    return path


def open_demonstration(settings: Settings) -> Path:
    """Return the folder of the demonstration dataset, and create it on first use.

    Args:
        settings: The settings with the cache folder.

    Returns:
        The folder of drawn images, below the cache folder.

    Raises:
        DatasetError: The cache folder is not writable.
    """
    try:
        return write_demonstration_dataset(_find_demonstration(settings))
    except OSError as error:
        raise DatasetError(
            f"Cannot create the demonstration dataset in {settings.cache_dir} ({error.strerror}). "
            "Set MELANOMA_CACHE_DIR to a writable folder."
        ) from error


def is_demonstration(folder: Path, settings: Settings) -> bool:
    """Return whether a folder is the demonstration dataset, whose lesions are drawn."""
    return folder.resolve() == _find_demonstration(settings).resolve()


def _find_demonstration(settings: Settings) -> Path:
    return settings.cache_dir / "demonstration-2" / "drawn lesions"
