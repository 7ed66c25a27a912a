"""The ISIC Archive's public photographs to a folder, with all that is told of them.

It is asked with requests: the Archive's own isic-cli (12.4) is a program rather than a library,
brings 12 packages, among them one that reports errors to its authors, does not check what came,
cannot be cancelled by its caller, and drops the rows of earlier downloads from `metadata.csv`.
"""

import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from melanoma_core.data.archive.http import Fetcher, FetchError
from melanoma_core.data.archive.search import ArchiveImage, ArchiveSearch, Failure, search_archive
from melanoma_core.data.folders import IMAGE_SUFFIXES
from melanoma_core.data.images import decode_image
from melanoma_core.errors import DatasetError, ImageError
from melanoma_core.files import write_file
from melanoma_core.progress import Progress

_ADVICE = "then start the same download again: it continues where it stopped"
ARCHIVE_TABLE = "metadata.csv"
ATTRIBUTIONS = "ATTRIBUTION.txt"

# What every table has, in this order; the Archive's other facts follow by name. It is the table
# that isic-cli and the Archive's web page write too.
TABLE_COLUMNS = (
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

NUM_CONNECTIONS = 4  # at once: polite, and enough for a slow line


@dataclass(frozen=True)
class Plan:
    """What a download would bring, to be shown before it starts.

    Attributes:
        folder: Where to; made when the download starts.
        images: The photographs, in the Archive's order.
        present: Ids of those that are there already, with the same size.
        rejected: What the Archive lists but cannot be downloaded.
        free_bytes: Room on the disk.
    """

    folder: Path
    images: tuple[ArchiveImage, ...]
    present: frozenset[str]
    rejected: tuple[Failure, ...]
    free_bytes: int

    @property
    def num_bytes(self) -> int:
        """Size of all its photographs."""
        return sum(image.size_bytes for image in self.images)

    @property
    def num_bytes_present(self) -> int:
        """Size of those that are there already."""
        return sum(image.size_bytes for image in self.images if image.isic_id in self.present)

    @property
    def licences(self) -> dict[str, int]:
        """Number of photographs under each licence, most first."""
        return dict(Counter(image.licence for image in self.images).most_common())


@dataclass(frozen=True)
class DownloadResult:
    """What a download brought.

    Attributes:
        folder: Where to.
        num_downloaded: Photographs that came now.
        num_present: Photographs that were there before.
        failures: Those that did not come; the next download tries them again.
    """

    folder: Path
    num_downloaded: int
    num_present: int
    failures: tuple[Failure, ...]


def plan_download(search: ArchiveSearch, folder: Path, progress: Progress | None = None) -> Plan:
    """Search the Archive and say what a download would bring; writes nothing.

    Args:
        search: What to search for.
        folder: Where the photographs are to be: new, or that of an earlier download.
        progress: Called with the number of photographs found and their number in all.

    Raises:
        DatasetError: The Archive cannot be searched, has no such photograph, or the folder is
            used for something else.
    """
    folder = folder.resolve()
    _check_folder(folder)
    images, rejected = search_archive(search, progress)
    if not images and not rejected:
        raise DatasetError(
            "The ISIC Archive has no public photograph for this search. Change the query or the "
            "collections."
        )
    return Plan(
        folder=folder,
        images=images,
        present=frozenset(image.isic_id for image in images if _is_present(image, folder)),
        rejected=rejected,
        free_bytes=_measure_free_bytes(folder),
    )


def download(plan: Plan, progress: Progress | None = None) -> DownloadResult:
    """Bring the photographs of a plan into its folder, skipping those that are there.

    Each file is whole and a readable photograph before it has its name, and no file that is
    there is ever replaced. Beside them lie `ARCHIVE_TABLE`, one row per photograph of this and
    earlier downloads (`TABLE_COLUMNS`), and `ATTRIBUTIONS`. Both are also written when the
    download is cancelled or breaks down, so that the same call goes on from there.

    Args:
        plan: What to bring.
        progress: Called with the number of photographs done and their number in all; what it
            raises cancels the download.

    Raises:
        DatasetError: The folder cannot be used, or the disk is too small.
        FolderError: A file cannot be written.
    """
    wanted = [image for image in plan.images if image.isic_id not in plan.present]
    _make_room(plan.folder, sum(image.size_bytes for image in wanted))
    failures = list(plan.rejected)
    num_present = len(plan.images) - len(wanted)
    with Fetcher() as fetcher, ThreadPoolExecutor(NUM_CONNECTIONS) as pool:
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
            _keep_metadata(plan)
    num_failed = len(failures) - len(plan.rejected)
    return DownloadResult(plan.folder, len(wanted) - num_failed, num_present, tuple(failures))


def _download_image(fetcher: Fetcher, image: ArchiveImage, folder: Path) -> Failure | None:
    path = folder / image.file_name
    if _measure_bytes(path) is not None:
        return Failure(
            image.isic_id,
            f"Another file is at {path}, and is never replaced. Move it away to have this one.",
        )
    try:
        body = fetcher.fetch(image.url, image.size_bytes, min_bytes=image.size_bytes)
        decode_image(body, max_side=256)  # every pixel is decoded, but few are kept
    except (FetchError, ImageError) as error:
        return Failure(image.isic_id, str(error))
    write_file(path, body, _ADVICE)
    return None


def _check_folder(folder: Path) -> None:
    """Refuse a folder with something else in it: photographs of two origins must not mix."""
    if _measure_bytes(folder) is None:
        return
    try:
        others = [
            path.name
            for path in sorted(folder.iterdir())
            if path.is_dir() or (path.suffix == ".csv" and path.name != ARCHIVE_TABLE)
        ]
    except OSError as error:
        raise _folder_error(folder, error) from error
    if others:
        raise DatasetError(
            f'Found "{others[0]}" in {folder}. A download needs a folder of its own; name a new '
            "one, or that of an earlier download."
        )
    _read_table(folder)


def _is_present(image: ArchiveImage, folder: Path) -> bool:
    return _measure_bytes(folder / image.file_name) == image.size_bytes


def _measure_bytes(path: Path) -> int | None:
    """Return the size of what is at a path, or None where nothing can be seen."""
    try:
        return path.stat().st_size
    except OSError:
        return None


def _measure_free_bytes(folder: Path) -> int:
    there = next(path for path in (folder, *folder.parents) if _measure_bytes(path) is not None)
    return shutil.disk_usage(there).free


def _make_room(folder: Path, num_bytes: int) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _folder_error(folder, error) from error
    free_bytes = _measure_free_bytes(folder)
    if num_bytes > free_bytes:
        raise DatasetError(
            f"The photographs have {num_bytes:,} bytes, and {free_bytes:,} are free at {folder}. "
            "Make room, set a limit, or name a folder on another disk."
        )


def _read_table(folder: Path) -> pd.DataFrame:
    """Read the rows of earlier downloads, all as text; no row where there is no table."""
    path = folder / ARCHIVE_TABLE
    if _measure_bytes(path) is None:
        return pd.DataFrame(columns=list(TABLE_COLUMNS), dtype=str)
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:  # pandas' parser errors are ValueErrors
        raise DatasetError(
            f"Cannot read the table {path}: {error}. Restore it, or move it away."
        ) from error
    if not {"isic_id", "attribution", "copyright_license"} <= set(table.columns):
        raise DatasetError(
            f"Found a table {path} without the columns isic_id, attribution and "
            "copyright_license, so it is from elsewhere. Name a folder of its own for the download."
        )
    return table


def _keep_metadata(plan: Plan) -> None:
    """Write the table and the attributions of every photograph that is there."""
    rows = [_make_row(image) for image in plan.images if _is_present(image, plan.folder)]
    try:
        files = {path.stem for path in plan.folder.iterdir() if path.suffix in IMAGE_SUFFIXES}
    except OSError as error:
        raise _folder_error(plan.folder, error) from error
    earlier = _read_table(plan.folder)
    table = pd.concat([earlier[earlier["isic_id"].isin(files)], pd.DataFrame(rows, dtype=str)])
    if table.empty:
        return
    table = table.drop_duplicates("isic_id", keep="last").sort_values("isic_id")
    others = sorted(set(table.columns) - set(TABLE_COLUMNS))
    table = table.reindex(columns=[*TABLE_COLUMNS, *others]).fillna("")
    write_file(plan.folder / ARCHIVE_TABLE, table.to_csv(index=False).encode(), _ADVICE)
    write_file(plan.folder / ATTRIBUTIONS, _list_attributions(table).encode(), _ADVICE)


def _make_row(image: ArchiveImage) -> dict[str, str]:
    return {
        **image.metadata,
        "isic_id": image.isic_id,
        "attribution": image.attribution,
        "copyright_license": image.licence,
    }


def _list_attributions(table: pd.DataFrame) -> str:
    named = zip(table["attribution"], table["copyright_license"], strict=True)
    lines = [
        f"{attribution or 'nobody named'}; {licence}; photographs: {count}"
        for (attribution, licence), count in Counter(named).most_common()
    ]
    return "\n".join(["From the ISIC Archive, https://www.isic-archive.com:", *lines, ""])


def _folder_error(folder: Path, error: OSError) -> DatasetError:
    return DatasetError(
        f"Cannot use the folder {folder} ({error.strerror}). Name one that you may write to."
    )
