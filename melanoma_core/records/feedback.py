"""Confirmed lesions of a record as a dataset that the Dataset page audits and Training takes.

    OUT/README.md
    OUT/record-1a2b3c4d/metadata.csv
    OUT/record-1a2b3c4d/<the first 16 digits of its SHA-256>.jpg

The name of the inner folder is the name of the source. It is that of the record, so that ids of its
lesions and patients mean the same in every dataset that is made from it. The photographs are the
kept files, byte by byte. So an evaluation finds by their SHA-256 what a model was trained on.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from melanoma_core.access.rights import Right
from melanoma_core.access.subject import require
from melanoma_core.errors import FolderError, RecordError
from melanoma_core.files import explain_write_errors, make_draft
from melanoma_core.models.identifiers import IdKey
from melanoma_core.progress import Progress
from melanoma_core.records.case import LesionCase
from melanoma_core.records.confirmed import list_confirmed
from melanoma_core.records.drawn import holds_drawn
from melanoma_core.records.entities import Lesion, Photograph
from melanoma_core.records.entry import Entry
from melanoma_core.records.errors import RecordDamagedError
from melanoma_core.records.export_isic import OLDEST_AGE
from melanoma_core.records.feedback_text import DatasetResult, describe_dataset
from melanoma_core.records.ground_truth import GroundTruth
from melanoma_core.records.store import Record
from melanoma_core.records.vocabulary import ImageKind
from melanoma_core.spreadsheets import format_table
from melanoma_core.taxonomy import Confirmation

_ENDINGS = {"image/jpeg": "jpg", "image/png": "png"}
_ADVICE = "or name another folder"
_AT_ONCE = 500
_YEARS = 5  # ages are rounded to them, as in the ISIC Archive
_DIGITS = 16  # of a SHA-256 in the name of a file: 64 bits
# The general sites of the ISIC challenges, by the first levels of the Archive's hierarchy.
_SITES = (
    ("Trunk:Anterior trunk", "anterior torso"),
    ("Trunk:Posterior trunk", "posterior torso"),
    ("Trunk:Lateral trunk", "lateral torso"),
    ("Trunk", "torso"),
    ("Head and neck", "head/neck"),
    ("Upper extremity", "upper extremity"),
    ("Lower extremity", "lower extremity"),
    ("Anogenital region", "oral/genital"),
)
COLUMNS = (
    *("image_id", "lesion_id", "patient_id", "diagnosis", "diagnosis_confirm_type"),
    *("age_approx", "sex", "fitzpatrick_skin_type", "anatom_site_general", "image_type"),
)


@dataclass(frozen=True, kw_only=True)
class DatasetRequest:
    """What becomes a dataset.

    Attributes:
        by: Who makes it; the audit log keeps the name.
        with_follow_up: Whether lesions that stayed benign in follow-up are in it, besides those
            that histology has confirmed.
        with_close_ups: Whether close-ups are in it, besides dermoscopic photographs.
    """

    by: str
    with_follow_up: bool = False
    with_close_ups: bool = False

    @property
    def ways(self) -> frozenset[Confirmation]:
        """How a diagnosis may be confirmed."""
        follow_up = {Confirmation.FOLLOW_UP} if self.with_follow_up else set()
        return frozenset({Confirmation.HISTOPATHOLOGY} | follow_up)

    @property
    def kinds(self) -> frozenset[ImageKind]:
        """What photographs may show."""
        close_ups = {ImageKind.CLOSE_UP} if self.with_close_ups else set()
        return frozenset({ImageKind.DERMOSCOPIC} | close_ups)


def write_dataset(
    record: Record,
    out: Path,
    request: DatasetRequest,
    key: IdKey,
    progress: Progress = lambda *_: None,
) -> DatasetResult:
    """Write the confirmed lesions of a record as a dataset into a new folder.

    It holds no pseudonym, no date, no year of birth, no device and no free text. Ids of lesions and
    patients are keyed hashes of the record's random ids.

    Args:
        record: A record whose audit log can be written.
        out: A folder that does not exist, or is empty. It appears when it is complete.
        request: Which lesions, and for whom.
        key: Key of this installation (`identifiers.keep_key`).
        progress: Progress callback, in photographs. An exception that it raises stops the work.

    Raises:
        RecordError: No lesion is confirmed, or the audit log cannot be written.
        FolderError: The folder has files in it, or cannot be written.
    """
    require(Right.CHANGE_DATA)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FolderError(f"{out} has files in it. Name a new or empty folder.")
    left_out: Counter[str] = Counter()
    found = [row for case in _load_cases(record) for row in _list_rows(case, request, left_out)]
    rows = _drop_shared(found, left_out)
    if not rows:
        raise RecordError(
            "No photograph in the record has a confirmed diagnosis, so there is no dataset to "
            "write. Enter histology reports first, or include follow-up."
        )
    is_drawn = holds_drawn(record)
    source = f"{'drawn-' if is_drawn else ''}record-{record.record_id[:8]}"
    record.log_export(
        by=request.by, kind=None, detail=f"dataset {source}, {len(rows):,} photographs"
    )
    with explain_write_errors(out, _ADVICE):
        out.parent.mkdir(parents=True, exist_ok=True)
    with make_draft(out.parent, _ADVICE) as draft, explain_write_errors(out, _ADVICE):
        folder = draft / source
        folder.mkdir()
        kept = _write_photographs(record, folder, rows, left_out, progress)
        table = key.hash_ids(pd.DataFrame([each.cells for each in kept], columns=list(COLUMNS)))
        (folder / "metadata.csv").write_bytes(format_table(table))
        result = _count(DatasetResult(out, source, is_drawn, key.name, dict(left_out)), table)
        (draft / "README.md").write_text(describe_dataset(result), "utf-8")
        if out.exists():
            out.rmdir()
        draft.rename(out)
    return result


@dataclass(frozen=True)
class _Row:
    """A photograph of the dataset: its SHA-256 (hex), the name of its file, and its row."""

    sha256: str
    name: str
    cells: dict[str, str]


def _load_cases(record: Record) -> Iterator[LesionCase]:
    lesions = [entry.id for entry in record.find(Lesion)]
    for start in range(0, len(lesions), _AT_ONCE):
        yield from record.load_cases(lesions[start : start + _AT_ONCE])


def _list_rows(case: LesionCase, request: DatasetRequest, left_out: Counter[str]) -> Iterator[_Row]:
    confirmed = {entry.id: truth for entry, truth in list_confirmed(case, request.ways)}
    for entry in case.photographs:
        truth = confirmed.get(entry.id)
        if entry.value.kind not in request.kinds or entry.value.shows_specimen_site:
            left_out["of another kind: an overview, a close-up, or the site of a specimen"] += 1
        elif truth is None:
            left_out["diagnosis not confirmed at the time of the photograph"] += 1
        else:
            yield _make_row(case, entry, truth)


def _make_row(case: LesionCase, entry: Entry[Photograph], truth: GroundTruth) -> _Row:
    photograph, patient = entry.value, case.patient.value
    name = f"{photograph.sha256[:_DIGITS]}.{_ENDINGS[photograph.media_type]}"
    cells = {
        "image_id": name,
        "lesion_id": case.lesion.id,
        "patient_id": case.patient.id,
        "diagnosis": str(truth.label),
        "diagnosis_confirm_type": str(truth.confirmation),
        "age_approx": _round_age(case, entry),
        "sex": str(patient.sex or ""),
        "fitzpatrick_skin_type": str(patient.skin_type or ""),
        "anatom_site_general": _name_site(case.lesion.value.site),
        "image_type": str(photograph.kind),
    }
    return _Row(photograph.sha256, name, cells)


def _round_age(case: LesionCase, entry: Entry[Photograph]) -> str:
    """Return the age at the photograph, to 5 years and at most 85; "" if it is not known."""
    born = case.patient.value.birth_year
    days = {visit.id: visit.value.on for visit in case.visits}
    taken_on = entry.value.taken_on or days.get(entry.value.visit_id)
    if born is None or taken_on is None:
        return ""
    age = _YEARS * round((taken_on.year - born) / _YEARS)
    return str(min(max(age, 0), OLDEST_AGE))


def _name_site(site: str) -> str:
    if site.startswith("Head and neck:Head:Oral"):
        return "oral/genital"
    return next((name for level, name in _SITES if site.startswith(level)), "")


def _drop_shared(rows: Sequence[_Row], left_out: Counter[str]) -> list[_Row]:
    """Return each file once, without those that several lesions have: one of both is wrong."""
    lesions: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        lesions[row.sha256].add(row.cells["lesion_id"])
    unique = {row.sha256: row for row in rows}
    # In the order of the hashes, which says nothing of the order in which patients came.
    kept = [unique[each] for each in sorted(unique) if len(lesions[each]) == 1]
    shared = len(unique) - len(kept)
    if shared:
        left_out["the same file belongs to several lesions"] += shared
    return kept


def _write_photographs(
    record: Record,
    folder: Path,
    rows: Sequence[_Row],
    left_out: Counter[str],
    progress: Progress,
) -> list[_Row]:
    """Write the kept files, and return the rows of those that could be read."""
    kept = []
    for place, row in enumerate(rows, start=1):
        try:
            content = record.images.read(row.sha256)
        except RecordDamagedError:  # `verify` names it
            left_out["its file is missing or damaged"] += 1
        else:
            (folder / row.name).write_bytes(content)
            kept.append(row)
        progress(place, len(rows))
    return kept


def _count(result: DatasetResult, table: pd.DataFrame) -> DatasetResult:
    lesions = table.drop_duplicates("lesion_id")
    return replace(
        result,
        num_photographs=len(table),
        num_lesions=len(lesions),
        num_patients=table["patient_id"].nunique(),
        by_label=dict(Counter(lesions["diagnosis"])),
        by_confirmation=dict(Counter(lesions["diagnosis_confirm_type"])),
    )
