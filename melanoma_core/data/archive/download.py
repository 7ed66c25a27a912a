"""Download public images of the ISIC Archive into a folder, with their metadata.

The Archive's own isic-cli (12.4) is not used: it is a program rather than a library, adds 12
packages (one reports errors to its authors), does not verify files, cannot be cancelled, and drops
the rows of earlier downloads from `metadata.csv`.
"""

import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from melanoma_core.access.rights import Right
from melanoma_core.access.subject import require
from melanoma_core.data.archive.http import Fetcher, FetchError
from melanoma_core.data.archive.search import ArchiveImage, ArchiveSearch, Failure, search_archive
from melanoma_core.data.folders import IMAGE_SUFFIXES
from melanoma_core.data.images import decode_image
from melanoma_core.errors import DatasetError, ImageError
from melanoma_core.files import write_file
from melanoma_core.progress import Progress
from melanoma_core.spreadsheets import format_table, restore_table

_ADVICE = "then start the same download again: it continues where it stopped"
_TABLE_NAME = "metadata.csv"
_ATTRIBUTIONS_NAME = "ATTRIBUTION.txt"

# The first columns of every table, as isic-cli and the Archive's web page write them. Other
# metadata follow by name.
_COLUMNS = (
    "isic_id",
    "attribution",
    "copyright_license",
    "image_type",
    "diagnosis_1",
    "diagnosis_2",
    "diagnosis_3",
    "diagnosis_4",
    "diagnosis_5",
    "age_approx",
    "sex",
    "anatom_site_general",
    "lesion_id",
    "patient_id",
)

_NUM_CONNECTIONS = 4  # simultaneous; polite, and enough for a slow connection


@dataclass(frozen=True)
class DownloadPlan:
    """What a download would transfer.

    Attributes:
        folder: The target folder, created when the download starts.
        images: The images, in the Archive's order.
        present: Ids of images that the folder already holds, with equal file size.
        rejected: Listed images that cannot be downloaded.
        free_bytes: Free space on the disk.
    """

    folder: Path
    images: tuple[ArchiveImage, ...]
    present: frozenset[str]
    rejected: tuple[Failure, ...]
    free_bytes: int

    @property
    def num_bytes(self) -> int:
        """Size of all images."""
        return sum(image.size_bytes for image in self.images)

    @property
    def num_bytes_present(self) -> int:
        """Size of the images that the folder already holds."""
        return sum(image.size_bytes for image in self.images if image.isic_id in self.present)

    @property
    def licences(self) -> dict[str, int]:
        """Number of images per licence, most frequent first."""
        return dict(Counter(image.licence for image in self.images).most_common())


@dataclass(frozen=True)
class DownloadResult:
    """The outcome of a download.

    Attributes:
        folder: The target folder.
        num_downloaded: Number of images downloaded now.
        num_present: Number of images that were present before.
        failures: Images that could not be downloaded; the next download tries them again.
    """

    folder: Path
    num_downloaded: int
    num_present: int
    failures: tuple[Failure, ...]


def plan_download(
    search: ArchiveSearch, folder: Path, progress: Progress | None = None
) -> DownloadPlan:
    """Search the Archive and plan a download; writes no file.

    Args:
        search: The search.
        folder: A new folder, or that of an earlier download.
        progress: Called with the number of images found and the total.

    Raises:
        DatasetError: The search fails or finds no image, or the folder holds other data.
    """
    folder = folder.resolve()
    _check_folder(folder)
    images, rejected = search_archive(search, progress)
    if not images and not rejected:
        raise DatasetError(
            "Found no public image of the ISIC Archive for this search. At least 1 is needed. "
            "Change the query or the collections."
        )
    return DownloadPlan(
        folder=folder,
        images=images,
        present=frozenset(image.isic_id for image in images if _is_present(image, folder)),
        rejected=rejected,
        free_bytes=_free_bytes(folder),
    )


def download(plan: DownloadPlan, progress: Progress | None = None) -> DownloadResult:
    """Download the images of a plan, except those already present.

    Each file is verified before it gets its name, and existing files are never replaced. The
    folder also gets `metadata.csv`, with a row per image of this and earlier downloads, and
    `ATTRIBUTION.txt`. Both are written before the first image, for all that are wanted, so that no
    image is ever without its licence, and again at the end, for those that are there. The end is
    skipped only if the process is killed. A repeated call continues the download.

    Args:
        plan: What to download.
        progress: Called with the number of images done and the total; an exception from it cancels
            the download.

    Raises:
        DatasetError: The folder cannot be used, or the disk has too little free space.
        FolderError: A file cannot be written.
    """
    require(Right.CHANGE_DATA)
    wanted = [image for image in plan.images if image.isic_id not in plan.present]
    _create_folder(plan.folder, sum(image.size_bytes for image in wanted))
    failures = list(plan.rejected)
    num_present = len(plan.images) - len(wanted)
    _write_metadata(plan, is_begun=True)
    with Fetcher() as fetcher, ThreadPoolExecutor(_NUM_CONNECTIONS) as pool:
        try:
            futures = [
                pool.submit(_download_image, fetcher, image, plan.folder) for image in wanted
            ]
            for num_done, future in enumerate(as_completed(futures), num_present + 1):
                failure = future.result()
                if failure:
                    failures.append(failure)
                if progress:
                    progress(num_done, len(plan.images))
        finally:
            fetcher.stop()
            pool.shutdown(cancel_futures=True)
            _write_metadata(plan)
    num_failed = len(failures) - len(plan.rejected)
    return DownloadResult(plan.folder, len(wanted) - num_failed, num_present, tuple(failures))


def _download_image(fetcher: Fetcher, image: ArchiveImage, folder: Path) -> Failure | None:
    path = folder / image.file_name
    if _file_size(path) is not None:
        return Failure(
            image.isic_id,
            f"Found another file at {path}, which is never replaced. Move it to download this "
            "image.",
        )
    try:
        body = fetcher.fetch(image.url, image.size_bytes, min_bytes=image.size_bytes)
        decode_image(body, max_side=256)  # decodes every pixel, keeps few
    except (FetchError, ImageError) as error:
        return Failure(image.isic_id, str(error))
    write_file(path, body, _ADVICE)
    return None


def _check_folder(folder: Path) -> None:
    """Refuse a folder with other data, so that images of different origin do not mix."""
    if _file_size(folder) is None:
        return
    try:
        others = [
            path.name
            for path in sorted(folder.iterdir())
            if path.is_dir() or (path.suffix == ".csv" and path.name != _TABLE_NAME)
        ]
    except OSError as error:
        raise _folder_error(folder, error) from error
    if others:
        raise DatasetError(
            f'Found "{others[0]}" in {folder}. A download needs a folder of its own. Choose a new '
            "folder, or that of an earlier download."
        )
    _read_table(folder)


def _is_present(image: ArchiveImage, folder: Path) -> bool:
    return _file_size(folder / image.file_name) == image.size_bytes


def _file_size(path: Path) -> int | None:
    """Return the size of a file or folder in bytes, or None if it cannot be accessed."""
    try:
        return path.stat().st_size
    except OSError:
        return None


def _free_bytes(folder: Path) -> int:
    existing = next(path for path in (folder, *folder.parents) if _file_size(path) is not None)
    return shutil.disk_usage(existing).free


def _create_folder(folder: Path, num_bytes: int) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _folder_error(folder, error) from error
    free_bytes = _free_bytes(folder)
    if num_bytes > free_bytes:
        raise DatasetError(
            f"Found {free_bytes:,} free bytes at {folder}. The images need {num_bytes:,}. Free "
            "some space, set a limit, or choose a folder on another disk."
        )


def _read_table(folder: Path) -> pd.DataFrame:
    """Read the table of earlier downloads as text; empty if there is none."""
    path = folder / _TABLE_NAME
    if _file_size(path) is None:
        return pd.DataFrame(columns=list(_COLUMNS), dtype=str)
    try:
        table = restore_table(pd.read_csv(path, dtype=str, keep_default_na=False))
    except (OSError, ValueError) as error:  # pandas' parser errors are ValueErrors
        raise DatasetError(
            f"Cannot read the table {path} ({error}). The table of an earlier download is needed. "
            "Restore it or move it out of the folder."
        ) from error
    if not {"isic_id", "attribution", "copyright_license"} <= set(table.columns):
        raise DatasetError(
            f"Found a table {path} that no download wrote. The columns isic_id, attribution and "
            "copyright_license are needed. Choose another folder for the download."
        )
    return table


def _write_metadata(plan: DownloadPlan, *, is_begun: bool = False) -> None:
    """Write the table and the attributions of every image in the folder.

    Args:
        plan: The download.
        is_begun: Whether to add the images that are not there yet.
    """
    rows = [
        _make_row(image) for image in plan.images if is_begun or _is_present(image, plan.folder)
    ]
    try:
        files = {path.stem for path in plan.folder.iterdir() if path.suffix in IMAGE_SUFFIXES}
    except OSError as error:
        raise _folder_error(plan.folder, error) from error
    earlier = _read_table(plan.folder)
    table = pd.concat([earlier[earlier["isic_id"].isin(files)], pd.DataFrame(rows, dtype=str)])
    if table.empty:
        if not is_begun:  # the table of a download that brought nothing
            for name in (_TABLE_NAME, _ATTRIBUTIONS_NAME):
                (plan.folder / name).unlink(missing_ok=True)
        return
    table = table.drop_duplicates("isic_id", keep="last").sort_values("isic_id")
    others = sorted(set(table.columns) - set(_COLUMNS))
    table = table.reindex(columns=[*_COLUMNS, *others]).fillna("")
    write_file(plan.folder / _TABLE_NAME, format_table(table), _ADVICE)
    text = _list_attributions(table, len(files & set(table["isic_id"])))
    write_file(plan.folder / _ATTRIBUTIONS_NAME, text.encode(), _ADVICE)


def _make_row(image: ArchiveImage) -> dict[str, str]:
    return {
        **image.metadata,
        "isic_id": image.isic_id,
        "attribution": image.attribution,
        "copyright_license": image.licence,
    }


def _list_attributions(table: pd.DataFrame, num_present: int) -> str:
    named = zip(table["attribution"], table["copyright_license"], strict=True)
    lines = [
        f"{attribution or 'no attribution'}; {licence}; photographs: {count}"
        for (attribution, licence), count in Counter(named).most_common()
    ]
    title = "From the ISIC Archive, https://www.isic-archive.com:"
    if num_present < len(table):
        note = "The download is not finished: not all of these photographs are here."
        lines = [*lines, "", note]
    return "\n".join([title, *lines, ""])


def _folder_error(folder: Path, error: OSError) -> DatasetError:
    return DatasetError(
        f"Cannot use the folder {folder} ({error.strerror}). A writable folder is needed. Choose "
        "another folder."
    )
