"""The datasets to choose from, and which paths may be chosen at all."""

import os
from dataclasses import dataclass
from pathlib import Path

from melanoma_core.data.drawn.dataset import write_demonstration_dataset
from melanoma_core.data.folders import list_subfolders
from melanoma_core.data.layouts import Collection, Layout, find_collections
from melanoma_core.errors import DatasetError
from melanoma_core.settings import Settings


@dataclass(frozen=True)
class DatasetFolder:
    """A folder that can be opened as a dataset.

    Attributes:
        folder: The folder.
        layouts: Those of its collections, in the order in which their word counts.
    """

    folder: Path
    layouts: tuple[Layout, ...]


def list_datasets(data_dir: Path) -> list[DatasetFolder]:
    """List the datasets under the configured data directory, opening no photograph.

    Returns:
        The directory itself where it is a dataset or holds several, then each of its folders that
        is one, by name. A folder that is none, or cannot be listed, is left out; opening it says
        why.

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
    """Turn a path that a person typed into a folder, if that person may open it.

    Args:
        text: Absolute, or relative to the configured data directory.
        settings: Say where that is.
        is_local: The server answers its own machine alone, whose owner may open anything.

    Returns:
        The real path, all links followed.

    Raises:
        DatasetError: The path is none, or lies outside of the data directory where the server is
            open to others. Whether there is such a folder is not told them.
    """
    if not text.strip() or "\0" in text:
        raise DatasetError(
            f"Found no path in {text!r}. Type the path of a folder that holds photographs."
        )
    base = settings.data_dir or Path.cwd()
    # os.path.realpath raises neither for a link that leads to itself nor where we may not look.
    path = Path(os.path.realpath(base / os.path.expanduser(text.strip())))  # noqa: PTH111
    if is_local:
        return path
    if settings.data_dir is None:
        raise DatasetError(
            "This server answers other machines, so that it opens folders under its data directory "
            "alone, and none is configured. Its administrator can set MELANOMA_DATA_DIR."
        )
    if not path.is_relative_to(os.path.realpath(settings.data_dir)):
        raise DatasetError(
            f"{text.strip()} lies outside of the data directory. This server answers other "
            "machines, so that it opens folders under its data directory alone. Choose one of "
            "those, or ask the administrator to put the photographs there."
        )
    return path


def open_demonstration(settings: Settings) -> Path:
    """Return the folder of the demonstration dataset, which is drawn when it is first asked for.

    Raises:
        DatasetError: The cache folder cannot be written to.
    """
    try:
        return write_demonstration_dataset(settings.cache_dir / "demonstration-2" / "drawn lesions")
    except OSError as error:
        raise DatasetError(
            f"Cannot draw the demonstration dataset into {settings.cache_dir} ({error.strerror}). "
            "Set MELANOMA_CACHE_DIR to a folder that can be written to."
        ) from error
