"""A clinic's record that is killed while it is created, written, corrected and erased.

What was acknowledged is written to a file, one line each, before the next step begins. After the
kill, all of it must be in the record, and nothing half-written.
"""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from melanoma_core.errors import MelanomaError
from melanoma_core.records.entities import Lesion, Patient, Photograph, Visit
from melanoma_core.records.errors import NoRecordError
from melanoma_core.records.store import Record
from melanoma_core.records.worklist import TaskQuery
from melanoma_core.settings import ASSETS
from tests.soak.killing import Kind

_NUM_PATIENTS = 40
_DAY = date(2026, 5, 4)
_DRAWN = ("drawn-melanoma-1.jpg", "drawn-nevus.jpg")


def make_record_kind(num_kills: int) -> Kind:
    """Return the work of a day in a clinic."""
    return Kind("record", num_kills, Path.mkdir, work, inspect)


def work(folder: Path, begin: Callable[[], object]) -> None:
    """Create a record and write to it."""
    begin()
    record = Record.create(folder / "record", by="dr.a")
    acknowledge(folder, step="created")
    for number in range(_NUM_PATIENTS):
        patient_id = _add(record, number)
        acknowledge(folder, step="added", patient=patient_id, number=number)
        if number % 3 == 1:
            _correct(record, patient_id)
            acknowledge(folder, step="corrected", patient=patient_id)
        if number % 5 == 4:
            _erase(record, patient_id)
            acknowledge(folder, step="erased", patient=patient_id)


def acknowledge(folder: Path, **line: object) -> None:
    """Note what a person was shown as done."""
    file = os.open(folder / "acknowledged", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(file, json.dumps(line).encode() + b"\n")
    os.close(file)


def inspect(folder: Path) -> list[str]:
    """Open the record again, and compare it with what was acknowledged."""
    path = folder / "acknowledged"
    lines = path.read_text().splitlines() if path.is_file() else []
    steps = [json.loads(line) for line in lines]
    try:
        record = Record.open(folder / "record")
    except NoRecordError:
        if steps:
            return ["the record is gone"]
        Record.create(folder / "record", by="dr.a").close()  # the next try
        return []
    wrong = [fault.text for fault in record.verify().faults]
    try:
        wrong += _compare(record, steps)
        _add(record, -1)
    except MelanomaError as error:
        wrong.append(f"it cannot be used: {error}")
    return wrong


def _compare(record: Record, steps: list[dict[str, Any]]) -> list[str]:
    there = {entry.id: entry for entry in record.find(Patient)}
    done: dict[str, set[str]] = {}
    for step in steps:
        done.setdefault(step.get("patient", ""), set()).add(step["step"])
    done.pop("", None)
    wrong = []
    for patient_id, names in done.items():
        if "erased" in names and patient_id in there:
            wrong.append("an erased patient is there")
        # The erasure of the last one may be done and not yet acknowledged.
        elif "erased" not in names and patient_id not in there and patient_id != list(done)[-1]:
            wrong.append("an acknowledged patient is gone")
        elif "corrected" in names and patient_id in there and there[patient_id].version != 2:
            wrong.append("an acknowledged correction is gone")
    unknown = there.keys() - done.keys()
    if len(unknown) > 1:
        wrong.append(f"{len(unknown)} patients were never acknowledged")
    for patient_id in there:
        wrong += _find_incomplete(record, patient_id)
    return wrong + _find_left(record)


def _find_incomplete(record: Record, patient_id: str) -> list[str]:
    """Return what is missing of a patient, who was written at once."""
    lesions = record.find(Lesion, patient_id=patient_id)
    if len(lesions) != 1:
        return [f"a patient has {len(lesions)} lesions"]
    case = record.load_case(lesions[0].id)
    if len(case.visits) != 1 or len(case.photographs) != 1:
        return ["a patient was written by half"]
    record.images.read(case.photographs[0].value.sha256)
    waiting = record.list_tasks(TaskQuery(on=_DAY, text=case.patient.value.pseudonym))
    own = [row for row in waiting.rows if row.patient_id == patient_id]
    return [] if len(own) == 1 else [f"a new photograph waits {len(own)} times"]


def _find_left(record: Record) -> list[str]:
    """Return what lies beside the record's files; partial files of a killed process may."""
    files = [path for path in record.images.folder.rglob("*") if path.is_file()]
    named = {path for _, path in record.images.list_files()}
    return [f"{path.name} is left" for path in files if path not in named and path.name[0] != "."]


def _add(record: Record, number: int) -> str:
    image = record.images.put((ASSETS / "demonstration" / _DRAWN[number % 2]).read_bytes())
    with record.write(by="dr.a") as change:
        patient = change.add(Patient(pseudonym=f"P-{number}-", birth_year=1960))
        lesion = change.add(Lesion(patient_id=patient.id, label="1"))
        visit = change.add(Visit(patient_id=patient.id, on=_DAY))
        change.add(
            Photograph(
                patient_id=patient.id,
                lesion_id=lesion.id,
                visit_id=visit.id,
                sha256=image.sha256,
                media_type=image.media_type,
                width=image.width,
                height=image.height,
            )
        )
    return patient.id


def _correct(record: Record, patient_id: str) -> None:
    patient = record.get(Patient, patient_id)
    with record.write(by="dr.b") as change:
        change.correct(patient, replace(patient.value, birth_year=1961))


def _erase(record: Record, patient_id: str) -> None:
    with record.erasing(patient_id, by="dr.b") as erasure:
        for kind in (Photograph, Visit, Lesion):
            for entry in record.find(kind, patient_id=patient_id):
                erasure.remove(kind, entry.id)
        erasure.remove(Patient, patient_id)
