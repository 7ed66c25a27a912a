"""Export everything of one patient, as a folder in a ZIP file that a person can read.

`index.html` opens in any browser, without a network, and shows all of it. Beside it lie a report of
each lesion (PDF), a table of each kind of entry (CSV, all versions), the audit log of the patient
(CSV), every version of every entry (JSON), the photographs and the heatmaps.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from melanoma_core.jsonable import to_jsonable
from melanoma_core.records.entities import Lesion, Patient, Photograph
from melanoma_core.records.entry import Entry
from melanoma_core.records.errors import RecordDamagedError, UnknownEntryError
from melanoma_core.records.export_html import Exported, render_index
from melanoma_core.records.history import Event
from melanoma_core.records.ledger import LogEntry
from melanoma_core.records.loop import AiReading
from melanoma_core.records.report import ReportRequest, find_card, write_lesion_report
from melanoma_core.records.report_pdf import write_lesion_pdf
from melanoma_core.records.report_pictures import draw_pictures
from melanoma_core.records.store import Record
from melanoma_core.records.wording import title_kind
from melanoma_core.settings import Settings
from melanoma_core.spreadsheets import format_rows

_ENDINGS = {"image/jpeg": "jpg", "image/png": "png"}
_MAX_NAME = 40
_MAX_LOG = 100_000


@dataclass(frozen=True)
class ExportResult:
    """What was exported.

    Attributes:
        num_entries: Number of entries, each with all its versions.
        num_photographs: Number of photographs and heatmaps.
        missing: Photographs whose file is damaged, a sentence each.
    """

    num_entries: int
    num_photographs: int
    missing: tuple[str, ...]


def export_patient(
    record: Record, patient_id: str, file: IO[bytes], request: ReportRequest, settings: Settings
) -> ExportResult:
    """Write everything of a patient into a ZIP file, and write into the audit log who did so.

    The audit log is written first: what cannot be logged does not leave the record.

    Args:
        record: The record.
        patient_id: Id of the patient.
        file: Where to write.
        request: For whom, and when, in the zone in which its times are written.
        settings: Where the models' cards are, for the reports.

    Raises:
        UnknownEntryError: There is no such patient.
        RecordReadOnlyError: The audit log cannot be written.
    """
    history = record.load_patient_history(patient_id)
    if not history:
        raise UnknownEntryError("The patient is not in the record. Choose it from the list.")
    record.log_export(
        by=request.by, kind=Patient, entry_id=patient_id, detail="everything of one patient"
    )
    patient = next(event.current for event in history if event.kind is Patient)
    folder = PurePosixPath(name_export(patient.value))
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        images, missing = _write_images(record, history, archive, folder)
        reports = _write_reports(record, history, (archive, folder), request, settings)
        log = _load_log(record, history, patient.value.pseudonym)
        for name, content in _list_tables(history, log):
            archive.writestr(str(folder / name), content)
        exported = Exported(patient, history, images, reports, tuple(missing))
        index = render_index(exported, request.by, request.at)
        archive.writestr(str(folder / "index.html"), index.encode("utf-8"))
    return ExportResult(len(history), len(images), tuple(missing))


def name_export(patient: Patient) -> str:
    """Return the name of a patient's folder and ZIP file, of plain letters alone.

    >>> name_export(Patient(pseudonym="../A b/4711"))
    'patient-A-b-4711'
    """
    return f"patient-{_make_name(patient.pseudonym)}"


def _make_name(text: str) -> str:
    name = re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")[:_MAX_NAME].strip("-")
    return name or "unnamed"


def _write_images(
    record: Record, history: Sequence[Event], archive: ZipFile, folder: PurePosixPath
) -> tuple[dict[str, str], list[str]]:
    """Write each photograph and heatmap once; return their names by SHA-256, and those missing."""
    names: dict[str, str] = {}
    missing = []
    for sha256, name in _name_images(history):
        if sha256 in names:
            continue
        try:
            content = record.images.read(sha256)
        except RecordDamagedError as error:
            missing.append(str(error))
            continue
        names[sha256] = name
        archive.writestr(str(folder / name), content, compress_type=ZIP_STORED)
    return names, missing


def _name_images(history: Sequence[Event]) -> Iterator[tuple[str, str]]:
    """Yield the SHA-256 and the name of each photograph and heatmap, of all versions."""
    labels = {each.current.id: each.current.value.label for each in history if each.kind is Lesion}
    for event in history:
        for entry in event.versions:
            value = entry.value
            if isinstance(value, Photograph):
                label = labels.get(value.lesion_id or "", "overview")
                what = "site" if value.shows_specimen_site else str(value.kind)
                name = f"{event.day}-lesion-{_make_name(label)}-{_make_name(what)}"
                ending = _ENDINGS[value.media_type]
                yield value.sha256, f"photographs/{name}-{value.sha256[:8]}.{ending}"
            elif isinstance(value, AiReading):
                for part in value.photographs:
                    if part.heatmap_sha256:
                        short = part.heatmap_sha256[:8]
                        yield part.heatmap_sha256, f"heatmaps/{event.day}-heatmap-{short}.png"


def _write_reports(
    record: Record,
    history: Sequence[Event],
    place: tuple[ZipFile, PurePosixPath],
    request: ReportRequest,
    settings: Settings,
) -> dict[str, str]:
    """Write a report of each lesion that stands; return their names by id of the lesion."""
    archive, folder = place
    lesions = [each.current for each in history if each.kind is Lesion]
    names: dict[str, str] = {}
    for case in record.load_cases([each.id for each in lesions if not each.withdrawn]):
        card = find_card(settings, case)
        own = ReportRequest(by=request.by, at=request.at, card=card)
        pictures = draw_pictures(case, record.images.read)
        pdf = write_lesion_pdf(write_lesion_report(case, own), pictures, request.at)
        label = _make_name(case.lesion.value.label)
        name = f"lesion-{label}.pdf"
        if name in names.values():
            name = f"lesion-{label}-{case.lesion.id[:8]}.pdf"
        names[case.lesion.id] = name
        archive.writestr(str(folder / name), pdf, compress_type=ZIP_STORED)
    return names


def _load_log(record: Record, history: Sequence[Event], pseudonym: str) -> tuple[LogEntry, ...]:
    """Return what the audit log says of the entries of a patient, the newest first."""
    ids = {event.current.id for event in history}  # another may have had the pseudonym before
    page = record.search_log_of(pseudonym, _MAX_LOG)
    return tuple(entry for entry, _ in page.rows if entry.entry_id in ids)


def _list_tables(history: Sequence[Event], log: Sequence[LogEntry]) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the content of each table, and of the JSON of all entries."""
    for kind in sorted({event.kind for event in history}, key=lambda each: each.__name__):
        rows = [
            _to_row(entry) for event in history if event.kind is kind for entry in event.versions
        ]
        yield f"tables/{_make_name(title_kind(kind)).lower()}.csv", format_rows(rows)
    yield "tables/audit-log.csv", format_rows([_to_log_row(entry) for entry in log])
    entries = [
        {"kind": event.kind.__name__, "versions": to_jsonable(event.versions)} for event in history
    ]
    yield "entries.json", _dump({"entries": entries}, indent=1).encode("utf-8")


def _dump(value: object, indent: int | None = None) -> str:
    """Return JSON, with days as ISO 8601; a day alone is no JSON but its text."""
    if isinstance(value, date):
        return value.isoformat()
    return json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False, default=_dump)


def _to_row(entry: Entry[Any]) -> dict[str, str | float]:
    row: dict[str, str | float] = {
        "id": entry.id,
        "version": entry.version,
        "by": entry.by,
        "at": entry.at.isoformat(),
        "withdrawn": entry.withdrawn,
    }
    for name, value in to_jsonable(entry.value).items():
        is_plain = isinstance(value, str | int | float)
        row[name] = "" if value is None else value if is_plain else _dump(value)
    return row


def _to_log_row(entry: LogEntry) -> dict[str, str | float]:
    return {
        "number": entry.number,
        "at": entry.at.isoformat(),
        "by": entry.by,
        "action": str(entry.action),
        "kind": entry.kind,
        "entry": entry.entry_id,
        "version": entry.version,
        "detail": entry.detail,
    }
