"""A clinic's record of 100,000 drawn lesions with 400,000 photographs, in SQLite."""

import random
import tempfile
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path

from melanoma_core.records.entities import Lesion, Patient, Photograph, Visit
from melanoma_core.records.entry import Entry
from melanoma_core.records.images import StoredImage
from melanoma_core.records.loop import AiReading, Decision, FirstRead, Histology, Recall, Specimen
from melanoma_core.records.store import Change, Record
from melanoma_core.records.vocabulary import Management, Opinion, ReadOrder, Task
from melanoma_core.records.worklist import TaskQuery
from melanoma_core.settings import ASSETS
from tests.benchmarks.timing import Row, milliseconds, time_in_turn

_NUM_LESIONS, _LESIONS_EACH, _VISITS_EACH, _PHOTOGRAPHS_EACH = 100_000, 5, 2, 4
_PATIENTS_AT_ONCE = 200
_NUM_ROUNDS = 40
_TARGET = 0.1  # seconds, for the list of tasks
_TODAY = date(2026, 11, 27)
_SITES = (
    "Trunk:Posterior trunk:Upper back",
    "Upper extremity:Arm:Forearm",
    "Lower extremity:Leg:Calf",
    "Head and neck:Face:Cheek",
)
_MELANOMA = "Malignant:Malignant melanocytic proliferations (Melanoma)"
_NEVUS = "Benign:Benign melanocytic proliferations:Nevus"


def measure() -> Iterable[Row]:
    """The first and a late page of Today, with and without words; a case; a correction."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        record = make_record(Path(folder) / "record")
        seconds = time.perf_counter() - started
        rng = random.Random(0)
        lesions = [entry.id for entry in record.find(Lesion, label="3")]
        query = TaskQuery(on=_TODAY)
        actions = {
            "first page": partial(record.list_tasks, query),
            "page 100": partial(record.list_tasks, replace(query, offset=5000)),
            "one task": partial(record.list_tasks, replace(query, task=Task.HISTOLOGY)),
            "words": partial(record.list_tasks, replace(query, text="forearm 77")),
            "overdue": partial(record.list_tasks, replace(query, overdue=True)),
            "case": lambda: record.load_case(rng.choice(lesions)),
            "patients": partial(record.search_patients, "777"),
            "correction": lambda: _correct(record, rng.choice(lesions)),
        }
        medians = time_in_turn(actions, _NUM_ROUNDS)
        total = record.list_tasks(query).total
        counts = record.count()
        record.close()
    size = f"{counts['Lesion']:,} drawn lesions, {counts['Photograph']:,} photographs"
    yield (
        f"a record of {size}: made",
        f"{seconds:.0f} s",
        f"{sum(counts.values()):,} entries",
        milliseconds(seconds / sum(counts.values())) + " each",
        "–",
    )
    for name, what in (
        ("first page", f"first 50 of {total:,} tasks of that record, and their number"),
        ("page 100", "the 100th page of them"),
        ("one task", "those of one kind"),
        ("words", "those with two words"),
        ("overdue", "those that are overdue"),
        ("case", "everything of one lesion"),
        ("patients", "patients by a part of their pseudonym"),
        ("correction", "a lesion corrected, with the audit log and the tasks"),
    ):
        here = medians[name]
        ratio = f"{here / _TARGET:.2f} of it"
        yield (what, milliseconds(here), "the target", milliseconds(_TARGET), ratio)


def make_record(folder: Path, num_lesions: int = _NUM_LESIONS) -> Record:
    """Return a new record of drawn patients.

    No reading names its photographs. So every lesion still waits to be read, which is the longest
    list that so many lesions can give.
    """
    record = Record.create(folder, by="benchmark")
    image = record.images.put((ASSETS / "demonstration" / "drawn-nevus.jpg").read_bytes())
    rng = random.Random(1)
    numbers = range(num_lesions // _LESIONS_EACH)
    for start in range(0, len(numbers), _PATIENTS_AT_ONCE):
        with record.write(by="benchmark") as change:
            for number in numbers[start : start + _PATIENTS_AT_ONCE]:
                _add_patient(change, rng, number, image)
    return record


def _add_patient(change: Change, rng: random.Random, number: int, image: StoredImage) -> None:
    patient = change.add(Patient(pseudonym=f"D-{number:05d}", birth_year=rng.randint(1930, 2010)))
    first = _TODAY - timedelta(days=rng.randint(400, 1500))
    visits = [
        change.add(Visit(patient_id=patient.id, on=first + timedelta(days=180 * visit)))
        for visit in range(_VISITS_EACH)
    ]
    for label in range(1, _LESIONS_EACH + 1):
        lesion = change.add(
            Lesion(patient_id=patient.id, label=str(label), site=rng.choice(_SITES))
        )
        for each in range(_PHOTOGRAPHS_EACH):
            change.add(
                Photograph(
                    patient_id=patient.id,
                    lesion_id=lesion.id,
                    visit_id=visits[each * _VISITS_EACH // _PHOTOGRAPHS_EACH].id,
                    sha256=image.sha256,
                    media_type=image.media_type,
                    width=image.width,
                    height=image.height,
                )
            )
        if rng.random() < 0.9:
            _add_loop(change, rng, lesion, visits[-1])


def _add_loop(
    change: Change, rng: random.Random, lesion: Entry[Lesion], visit: Entry[Visit]
) -> None:
    where = {"lesion_id": lesion.id, "visit_id": visit.id}
    melanoma = rng.random() ** 4
    management = Management.EXCISION if melanoma > 0.7 else Management.MONITOR_12
    read = {"opinion": Opinion.NV, "melanoma_probability": melanoma, "management": management}
    change.add(FirstRead(**where, **read, order=ReadOrder.DOCTOR_FIRST, seconds=20.0))
    change.add(_make_reading(where, melanoma))
    change.add(Decision(**where, management=management, reason="drawn"))
    if management is Management.EXCISION:
        day = visit.value.on
        specimen = change.add(
            Specimen(lesion_id=lesion.id, number="1", taken_on=day, method=management)
        )
        if rng.random() < 0.8:
            diagnosis = _MELANOMA if rng.random() < 0.2 else _NEVUS
            change.add(
                Histology(
                    lesion_id=lesion.id,
                    specimen_id=specimen.id,
                    reported_on=day + timedelta(days=6),
                    diagnosis=diagnosis,
                )
            )
    elif rng.random() < 0.1:
        due_on = visit.value.on + timedelta(days=365)
        change.add(Recall(patient_id=lesion.value.patient_id, lesion_id=lesion.id, due_on=due_on))


def _make_reading(where: dict[str, str], melanoma: float) -> AiReading:
    return AiReading(
        **where,
        model_id="drawn",
        app_version="0",
        class_names=("MEL", "NV"),
        probabilities=(melanoma, 1 - melanoma),
        melanoma_threshold=0.2,
        skin_cancer_threshold=None,
        melanoma_alert=melanoma >= 0.2,
    )


def _correct(record: Record, lesion_id: str) -> None:
    lesion = record.get(Lesion, lesion_id)
    with record.write(by="benchmark") as change:
        change.correct(lesion, replace(lesion.value, note="again"))
