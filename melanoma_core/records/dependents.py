"""Check the entries that stand on one that is corrected: a visit may not pass its own specimen."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from melanoma_core.records.checked import Holder, find_surroundings
from melanoma_core.records.entities import Lesion, Patient, Photograph, Visit
from melanoma_core.records.entry import Entry
from melanoma_core.records.loop import Decision, Histology, Information, Specimen
from melanoma_core.records.surroundings import FieldError
from melanoma_core.records.validation import find_errors
from melanoma_core.records.wording import title_kind

# The field of each kind on which others stand, and which kinds those are, by the field that names
# it.
_DEPENDENTS: dict[type, tuple[str, tuple[tuple[type, str], ...]]] = {
    Patient: ("birth_year", ((Visit, "patient_id"), (Lesion, "patient_id"))),
    Lesion: ("noticed", ((Specimen, "lesion_id"),)),
    Visit: ("on", ((Photograph, "visit_id"),)),
    Specimen: ("taken_on", ((Histology, "specimen_id"),)),
    Histology: ("reported_on", ((Information, "histology_id"),)),
}


def find_broken(
    before: Holder, after: Holder, entry: Entry[Any], today: date
) -> Iterator[FieldError]:
    """Yield what no longer fits once an entry is corrected, as errors of the corrected field.

    What did not fit before is left out: it is no reason against the correction.

    Args:
        before: The record.
        after: The record with the corrected version.
        entry: The version that is corrected.
        today: The day of the clinic.
    """
    if type(entry.value) not in _DEPENDENTS:
        return
    name, _ = _DEPENDENTS[type(entry.value)]
    for dependent in _list_dependents(before, entry):
        known = {error.field for error in _find_errors(before, dependent, today)}
        for error in _find_errors(after, dependent, today):
            if error.field not in known:
                kind = title_kind(type(dependent.value)).lower()
                text = f"A {kind} would no longer fit it: {error.text} Correct that one first."
                yield FieldError(name, text)


def _find_errors(record: Holder, dependent: Entry[Any], today: date) -> tuple[FieldError, ...]:
    around = find_surroundings(record, dependent.value, today, dependent.id)
    return find_errors(dependent.value, around)


def _list_dependents(record: Holder, entry: Entry[Any]) -> Iterator[Entry[Any]]:
    _, kinds = _DEPENDENTS[type(entry.value)]
    for kind, field in kinds:
        yield from record.find(kind, **{field: entry.id})
    if isinstance(entry.value, Visit):
        for decision in record.find(Decision, visit_id=entry.id):
            yield from record.find(Specimen, decision_id=decision.id)
