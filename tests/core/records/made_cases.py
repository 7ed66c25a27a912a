"""Lesions for the tests of a record, made in memory."""

from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from itertools import count

from melanoma_core.records.case import LesionCase
from melanoma_core.records.entities import Lesion, Patient, Photograph, Visit
from melanoma_core.records.entry import Entry
from melanoma_core.records.loop import (
    Acknowledgement,
    AiReading,
    Decision,
    FirstRead,
    Histology,
    Information,
    PhotographReading,
    Recall,
    Specimen,
)
from melanoma_core.records.vocabulary import Channel, Management, Opinion, ReadOrder

MELANOMA = "Malignant:Malignant melanocytic proliferations (Melanoma)"
INVASIVE = f"{MELANOMA}:Melanoma Invasive:Melanoma Invasive, Superficial spreading"
NEVUS = "Benign:Benign melanocytic proliferations:Nevus:Nevus, NOS, Compound"
DAY = date(2026, 3, 2)
PATIENT = Patient(pseudonym="p-1", birth_year=1960)
CODES = ("MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC")


def make_reading(visit_id: str, photograph_id: str, *, melanoma: float = 0.1) -> AiReading:
    shares = (melanoma, 1 - melanoma, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    return AiReading(
        lesion_id="l",
        visit_id=visit_id,
        model_id="model",
        app_version="1",
        class_names=CODES,
        probabilities=shares,
        melanoma_threshold=0.2,
        skin_cancer_threshold=0.4,
        melanoma_alert=melanoma >= 0.2,
        skin_cancer_alert=melanoma >= 0.4,
        photographs=(PhotographReading(photograph_id=photograph_id, probabilities=shares),),
    )


def make_read(visit_id: str, opinion: Opinion = Opinion.NV) -> FirstRead:
    return FirstRead(
        lesion_id="l",
        visit_id=visit_id,
        opinion=opinion,
        melanoma_probability=0.1,
        management=Management.REASSURE,
        order=ReadOrder.DOCTOR_FIRST,
        seconds=20.0,
    )


def make_photograph(visit_id: str, **facts: object) -> Photograph:
    return Photograph(
        patient_id="p",
        lesion_id="l",
        visit_id=visit_id,
        sha256="0" * 64,
        media_type="image/jpeg",
        width=600,
        height=450,
        **facts,  # type: ignore[arg-type]
    )


def make_histology(diagnosis: str = NEVUS, on: date = DAY, **facts: object) -> Histology:
    return Histology(
        lesion_id="l",
        specimen_id="specimen",
        reported_on=on,
        diagnosis=diagnosis,
        **facts,  # type: ignore[arg-type]
    )


class CaseMaker:
    """Adds entries to a lesion one after the other, a minute apart."""

    def __init__(self, lesion: Lesion | None = None) -> None:
        self._minutes = count()
        self._entries: dict[str, list[Entry]] = {}  # type: ignore[type-arg]
        self._patient = self._wrap(PATIENT, "p")
        self._lesion = self._wrap(lesion or Lesion(patient_id="p", label="1"), "l")

    def _wrap(self, value: object, id_: str) -> Entry:  # type: ignore[type-arg]
        at = datetime(DAY.year, DAY.month, DAY.day, 8, tzinfo=UTC)
        at += timedelta(minutes=next(self._minutes))
        return Entry(id=id_, version=1, by="dr.a", at=at, value=value)  # type: ignore[type-var]

    def add(self, kind: str, id_: str, value: object) -> "CaseMaker":
        self._entries.setdefault(kind, []).append(self._wrap(value, id_))
        return self

    def correct(self, kind: str, id_: str, value: object) -> "CaseMaker":
        kept = [each for each in self._entries[kind] if each.id != id_]
        self._entries[kind] = [*kept, self._wrap(value, id_)]
        return self

    def photograph(self, id_: str, visit_id: str, **facts: object) -> "CaseMaker":
        return self.add("photographs", id_, make_photograph(visit_id, **facts))

    def visit(self, id_: str, on: date = DAY) -> "CaseMaker":
        """Add a visit with one photograph of the lesion."""
        self.add("visits", id_, Visit(patient_id="p", on=on))
        return self.photograph(f"photograph of {id_}", id_)

    def read(self, visit_id: str, opinion: Opinion = Opinion.NV) -> "CaseMaker":
        return self.add("first_reads", f"read of {visit_id}", make_read(visit_id, opinion))

    def read_by_ai(self, visit_id: str, *, melanoma: float = 0.1) -> "CaseMaker":
        reading = make_reading(visit_id, f"photograph of {visit_id}", melanoma=melanoma)
        return self.add("ai_readings", f"reading of {visit_id}", reading)

    def decide(self, visit_id: str, management: Management) -> "CaseMaker":
        decision = Decision(lesion_id="l", visit_id=visit_id, management=management)
        return self.add("decisions", f"decision of {visit_id}", decision)

    def take(self, on: date = DAY, decision_id: str | None = None) -> "CaseMaker":
        specimen = Specimen(
            lesion_id="l",
            number="S-1",
            taken_on=on,
            method=Management.EXCISION,
            decision_id=decision_id,
        )
        return self.add("specimens", "specimen", specimen)

    def report(self, diagnosis: str = NEVUS, on: date = DAY) -> "CaseMaker":
        return self.add("histologies", "histology", make_histology(diagnosis, on))

    def acknowledge(self) -> "CaseMaker":
        seen = Acknowledgement(lesion_id="l", histology_id="histology")
        return self.add("acknowledgements", "acknowledgement", seen)

    def inform(self, on: date = DAY) -> "CaseMaker":
        information = Information(
            lesion_id="l", histology_id="histology", on=on, channel=Channel.PHONE
        )
        return self.add("informations", "information", information)

    def recall(self, due_on: date, **facts: object) -> "CaseMaker":
        recall = Recall(patient_id="p", lesion_id="l", due_on=due_on, **facts)  # type: ignore[arg-type]
        return self.add("recalls", "recall", recall)

    def make(self) -> LesionCase:
        return LesionCase(patient=self._patient, lesion=self._lesion, **dict(self._list()))

    def _list(self) -> Iterator[tuple[str, tuple[Entry, ...]]]:  # type: ignore[type-arg]
        names = [field.name for field in fields(LesionCase)][2:]
        yield from ((name, tuple(self._entries.get(name, ()))) for name in names)
