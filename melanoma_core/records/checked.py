"""Find what an entry is checked against, before it is written: what the record holds already."""

from collections.abc import Iterable
from datetime import date
from typing import Any, Protocol

from melanoma_core.records.entities import Lesion, Patient, Visit
from melanoma_core.records.entry import Entry, Value
from melanoma_core.records.loop import AiReading, Decision, Histology, Specimen
from melanoma_core.records.surroundings import Surroundings
from melanoma_core.records.vocabulary import Management


class Holder(Protocol):
    """Holds entries: a record, or a record with what is about to be written into it."""

    def get(self, kind: type[Value], entry_id: str) -> Entry[Value]:
        """Return the current version of an entry, as `Record.get`."""

    def find(self, kind: type[Value], **where: object) -> tuple[Entry[Value], ...]:
        """Return current entries, as `Record.find`."""


def find_surroundings(
    record: Holder, value: Value, today: date, entry_id: str = ""
) -> Surroundings:
    """Return what an entry is checked against: the entries that it names by their ids.

    Args:
        record: The record.
        value: The entry.
        today: The day of the clinic.
        entry_id: Id of the entry if it is corrected; "" if it is new.
    """

    def find(kind: type[Any], name: str) -> Any:
        named = getattr(value, name, None)
        return record.get(kind, named).value if named else None

    lesion, decision = find(Lesion, "lesion_id"), find(Decision, "decision_id")
    patient_id = getattr(value, "patient_id", None) or (lesion.patient_id if lesion else "")
    return Surroundings(
        today=today,
        patient=record.get(Patient, patient_id).value if patient_id else None,
        lesion=lesion,
        visit=find(Visit, "visit_id"),
        specimen=find(Specimen, "specimen_id"),
        histology=find(Histology, "histology_id"),
        ai_reading=find(AiReading, "ai_reading_id"),
        decided_at=record.get(Visit, decision.visit_id).value if decision else None,
        labels=_find_labels(record, value, entry_id),
        twin=_find_twin(record, value, entry_id),
    )


def _find_twin(record: Holder, value: Value, entry_id: str) -> Entry[Any] | None:
    """Return the decision of the same visit, or the specimen of the same decision, that is kept.

    The answer of a referral, and what is decided on a report or on another reading, has none.
    """
    if isinstance(value, Specimen) and value.decision_id:
        specimens = record.find(Specimen, lesion_id=value.lesion_id)
        return _take_last(specimens, entry_id, decision_id=value.decision_id)
    if not isinstance(value, Decision):
        return None
    decisions = record.find(Decision, lesion_id=value.lesion_id)
    twin = _take_last(
        decisions, entry_id, visit_id=value.visit_id, ai_reading_id=value.ai_reading_id
    )
    if twin is None or twin.value.management in {Management.REFER, Management.REFER_URGENTLY}:
        return None
    reports = record.find(Histology, lesion_id=value.lesion_id)
    return None if any(report.at >= twin.at for report in reports) else twin


def _take_last(entries: Iterable[Entry[Any]], but: str, **facts: object) -> Entry[Any] | None:
    """Return the last of other entries with such values."""
    found = [
        each
        for each in entries
        if each.id != but and all(getattr(each.value, name) == facts[name] for name in facts)
    ]
    return max(found, key=lambda each: each.at, default=None)


def _find_labels(record: Holder, value: Value, entry_id: str) -> frozenset[str]:
    """Return the names of the patient's other lesions, if the entry is a lesion."""
    if not isinstance(value, Lesion):
        return frozenset()
    lesions = record.find(Lesion, patient_id=value.patient_id)
    return frozenset(each.value.label for each in lesions if each.id != entry_id)
