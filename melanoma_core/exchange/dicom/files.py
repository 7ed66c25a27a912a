"""All DICOM files of a lesion: photographs, heatmaps and the reading, with their names."""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from pydicom import dcmwrite
from pydicom.dataset import Dataset

from melanoma_core.exchange.dicom.images import make_overlay, make_photograph
from melanoma_core.exchange.dicom.report import make_report
from melanoma_core.exchange.occasion import Occasion

_KINDS = {"DMS": "photograph", "XC": "photograph", "OT": "heatmap", "SR": "reading"}
_ZIP_DATE = (2000, 1, 1, 0, 0, 0)  # the same files make the same archive


@dataclass(frozen=True)
class DicomFile:
    """One DICOM file.

    Attributes:
        name: For a folder or an archive, unique within an export.
        dataset: What it holds.
    """

    name: str
    dataset: Dataset = field(repr=False)

    def encode(self) -> bytes:
        """Return the content of the file (PS3.10)."""
        buffer = io.BytesIO()
        dcmwrite(buffer, self.dataset, enforce_file_format=True)
        return buffer.getvalue()


def make_files(occasions: Iterable[Occasion], now: datetime | None = None) -> tuple[DicomFile, ...]:
    """Return the DICOM files of a lesion's visits.

    Args:
        occasions: The visits.
        now: When a reading was made of which that is not known; None for this moment.

    Raises:
        ImageError: A photograph cannot be decoded.
        RecordDamagedError: A file is missing, or was altered.
    """
    at = now or datetime.now(UTC)
    made: dict[str, DicomFile] = {}  # by UID, so that a photograph that is kept twice goes once
    for number, occasion in enumerate(occasions, start=1):
        for dataset in _make_datasets(occasion, at):
            kind, place = _KINDS[dataset.Modality], dataset.InstanceNumber
            name = f"visit-{number}-{kind}-{dataset.Modality}-{place}.dcm"
            made.setdefault(dataset.SOPInstanceUID, DicomFile(name, dataset))
    return tuple(made.values())


def _make_datasets(occasion: Occasion, now: datetime) -> Iterator[Dataset]:
    """Yield each instance of a visit: photographs, then heatmaps, then the reading."""
    images: dict[str, Dataset] = {}
    places: dict[str, int] = {}
    for key, photograph in occasion.photographs.items():
        places[photograph.kind] = places.get(photograph.kind, 0) + 1
        images[key] = make_photograph(occasion, photograph, places[photograph.kind])
    yield from images.values()
    reading = occasion.reading
    if reading is None:
        return
    read = {each.photograph_id: images[each.photograph_id] for each in reading.value.photographs}
    for key, image in read.items():
        overlay = make_overlay(occasion, reading, image, key)
        if overlay is not None:
            yield overlay
    if read:
        yield make_report(occasion, reading, read, now)


def write_zip(files: Iterable[DicomFile]) -> bytes:
    """Return an archive of DICOM files; the same files make the same bytes."""
    buffer = io.BytesIO()
    with ZipFile(buffer, "w", ZIP_STORED) as archive:
        for file in files:
            archive.writestr(ZipInfo(file.name, _ZIP_DATE), file.encode())
    return buffer.getvalue()
