"""The index of a record's own lesions with histology, in which readings find look-alikes.

It is derived: it lies in the record's folder, can be deleted at any time, and is made again from
the record. The photographs of an erased patient leave it before their files do.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from filelock import FileLock
from numpy.typing import NDArray

from melanoma_core.data.decoder import decode_within
from melanoma_core.data.images import Photograph
from melanoma_core.errors import ImageError
from melanoma_core.files import explain_write_errors
from melanoma_core.lookalikes.building import Selection, build_index
from melanoma_core.lookalikes.embedder import Embedder, ReadPhotograph
from melanoma_core.lookalikes.embeddings import SUFFIX, Embedded
from melanoma_core.lookalikes.index import LookalikeIndex, open_index
from melanoma_core.lookalikes.lookalike import RECORD, IndexFacts, Query
from melanoma_core.models.classifier import Classifier
from melanoma_core.progress import Progress
from melanoma_core.records import entities
from melanoma_core.records.case import LesionCase
from melanoma_core.records.confirmed import list_confirmed
from melanoma_core.records.diagnoses import title_diagnosis
from melanoma_core.records.drawn import holds_drawn
from melanoma_core.records.errors import RecordDamagedError
from melanoma_core.records.loop import Histology
from melanoma_core.records.store import Record
from melanoma_core.records.vocabulary import ImageKind

_COLUMNS = ("lesion", "patient", "image", "file", "source", "diagnosis", "confirmation", "title")
_CASES_AT_ONCE = 500
_ADVICE = "then look for look-alikes again"


def refresh_own_index(
    record: Record, classifier: Classifier, progress: Progress | None = None
) -> IndexFacts:
    """Make the index of a record's own lesions, reading only photographs that are new.

    It holds dermoscopic photographs of lesions whose diagnosis histology has confirmed; see
    `confirmed`.

    Args:
        record: A record that can be written.
        classifier: The model that reads now.
        progress: Progress callback, in photographs. An exception that it raises cancels the work.

    Returns:
        What the index holds.

    Raises:
        FolderError: The index cannot be written.
        RecordError: The record cannot be read.
    """
    folder = record.place.lookalikes_folder
    with explain_write_errors(folder, _ADVICE):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FileLock(folder / ".lock")
        lock.acquire()
    try:
        stamp = _make_stamp(record)
        selection = select_own(record)
        embedder = Embedder(classifier, folder)
        path = _find_path(record, classifier.card.model_id)
        facts = build_index(selection, embedder, _make_reader(record), path, progress)
        _stamp_path(path).write_text(stamp, "ascii")
        return facts
    finally:
        lock.release()


def open_own_index(record: Record, model_id: str) -> LookalikeIndex | None:
    """Return the index of a record's own lesions; None if it has not been made for this model.

    Raises:
        LookalikeError: Its file is damaged.
    """
    path = _find_path(record, model_id)
    return open_index(path, model_id) if path.is_file() else None


def is_current(record: Record, model_id: str) -> bool:
    """Return whether a record's index was made from the histologies that it holds now."""
    with suppress(OSError):
        path = _find_path(record, model_id)
        return path.is_file() and _stamp_path(path).read_text("ascii") == _make_stamp(record)
    return False


def load_embeddings(
    record: Record, classifier: Classifier, lesion_ids: Sequence[str]
) -> dict[str, NDArray[np.float32]]:
    """Return the embeddings of lesions, for `duckling.order_ducklings`.

    They are kept with those of the index, unless the record is read-only.

    Args:
        record: The record.
        classifier: The model that reads now.
        lesion_ids: Those of one patient.

    Returns:
        float32 [M, D] by lesion, of the newest day with dermoscopic photographs. Lesions without
        one that can be read are missing.
    """
    files = _find_newest(record, lesion_ids)
    found = _embed(record, classifier, [file for some in files.values() for file in some])
    embeddings = {
        lesion: [found[file].embedding for file in some if file in found]
        for lesion, some in files.items()
    }
    return {lesion: np.stack(some) for lesion, some in embeddings.items() if some}


def make_query(record: Record, classifier: Classifier, case: LesionCase) -> Query | None:
    """Return what look-alikes of a lesion are searched with; None if it cannot be searched.

    It is made of the newest day with dermoscopic photographs. Its patient's lesions are left out.

    Args:
        record: The record.
        classifier: The model that reads now.
        case: The lesion.
    """
    files = _find_newest(record, [case.lesion.id]).get(case.lesion.id, [])
    found = _embed(record, classifier, files)
    if not found:
        return None
    return Query(
        model_id=classifier.card.model_id,
        embeddings=np.stack([each.embedding for each in found.values()]),
        lesions=frozenset({case.lesion.id}),
        patients=frozenset({case.patient.id}),
        files=frozenset(entry.value.sha256 for entry in case.photographs),
        fingerprints=frozenset(each.fingerprint for each in found.values()),
        looks=frozenset(each.look for each in found.values() if each.look),
    )


def _embed(record: Record, classifier: Classifier, files: Sequence[str]) -> dict[str, Embedded]:
    """Return what the network sees in photographs, by SHA-256 (hex); what cannot be read is not."""
    with TemporaryDirectory() as temporary:
        folder = Path(temporary) if record.is_read_only else record.place.lookalikes_folder
        embedder = Embedder(classifier, folder)
        embedder.embed({file: file for file in files}, _make_reader(record))
        return embedder.load(list(files))


def _find_newest(record: Record, lesion_ids: Sequence[str]) -> dict[str, list[str]]:
    """Return the photographs of the newest day by lesion, as SHA-256 (hex), each once."""
    by_day: dict[str, dict[date, list[str]]] = {}
    for entry in record.find(entities.Photograph, lesion_id=tuple(lesion_ids)):
        lesion = entry.value.lesion_id
        if lesion is not None and _shows_lesion(entry.value):
            day = entry.value.taken_on or entry.at.date()
            by_day.setdefault(lesion, {}).setdefault(day, []).append(entry.value.sha256)
    return {lesion: list(dict.fromkeys(days[max(days)])) for lesion, days in by_day.items()}


def _make_reader(record: Record) -> ReadPhotograph:
    def read(sha256: str) -> Photograph:
        try:
            return decode_within(record.images.read(sha256))
        except RecordDamagedError as error:  # `verify` names it
            raise ImageError(str(error)) from error

    return read


def select_own(record: Record) -> Selection:
    """Select the photographs of a record whose diagnosis histology has confirmed."""
    rows = [row for case in _load_cases(record) for row in _describe(case)]
    return Selection(
        rows=pd.DataFrame(rows, columns=list(_COLUMNS), dtype=object),
        name=RECORD,
        is_own=True,
        with_unfamiliar=holds_drawn(record),
    )


def _load_cases(record: Record) -> Iterator[LesionCase]:
    lesions = sorted({entry.value.lesion_id for entry in record.find(Histology)})
    for start in range(0, len(lesions), _CASES_AT_ONCE):
        yield from record.load_cases(lesions[start : start + _CASES_AT_ONCE])


def _describe(case: LesionCase) -> Iterator[tuple[str, ...]]:
    """Yield a row of the index for each photograph whose diagnosis histology has confirmed."""
    for entry, truth in list_confirmed(case):
        if _shows_lesion(entry.value):
            sha256 = entry.value.sha256
            yield (
                case.lesion.id,
                case.patient.id,
                sha256,
                sha256,
                RECORD,
                str(truth.label),
                str(truth.confirmation),
                title_diagnosis(truth.histology),
            )


def _shows_lesion(photograph: entities.Photograph) -> bool:
    return photograph.kind is ImageKind.DERMOSCOPIC and not photograph.shows_specimen_site


def _make_stamp(record: Record) -> str:
    """Return a hash of the histologies and of the number of photographs."""
    versions = sorted(f"{entry.id} {entry.version}" for entry in record.find(Histology))
    text = "\n".join([str(record.count()["Photograph"]), *versions])
    return hashlib.sha256(text.encode()).hexdigest()


def _find_path(record: Record, model_id: str) -> Path:
    return record.place.lookalikes_folder / f"{model_id}{SUFFIX}"


def _stamp_path(path: Path) -> Path:
    return path.with_suffix(".stamp")
