"""Which patients of a record a model was trained on, through a dataset that was made from it.

A later audit of that model leaves them out: it has seen their answers (`feedback`). So does its
drift: a model is surer of what it was trained on.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import pandas as pd

from melanoma_core.errors import ModelError
from melanoma_core.models.lineage import read_split
from melanoma_core.models.registry import find_model
from melanoma_core.records.audit_cases import AuditCase
from melanoma_core.records.entities import Photograph
from melanoma_core.records.photograph_table import PhotographFacts
from melanoma_core.records.store import Record
from melanoma_core.settings import Settings

_AT_ONCE = 10_000  # each query reads the whole table of photographs


def find_trained_patients(record: Record, split: pd.DataFrame | None) -> frozenset[str]:
    """Return the ids of patients of whom a model's weights or thresholds were fitted on anything.

    They are found by the SHA-256 of their photographs' files, which a dataset keeps.

    Args:
        record: The record.
        split: Of the model (`lineage.read_split`); None if it has none.
    """
    if split is None:
        return frozenset()
    fitted = sorted(set(split["sha256"][split["subset"] != "test"].dropna()))
    found: set[str] = set()
    for start in range(0, len(fitted), _AT_ONCE):
        some = tuple(fitted[start : start + _AT_ONCE])
        found |= {entry.value.patient_id for entry in record.find(Photograph, sha256=some)}
    return frozenset(found)


def find_trained(
    record: Record, model_ids: Iterable[str], settings: Settings
) -> dict[str, frozenset[str] | None]:
    """Return for each model the ids of the patients of a record that it was trained on.

    Args:
        record: The record.
        model_ids: Of its AI readings.
        settings: Where the models are.

    Returns:
        By id of the model; None where it cannot be checked. The model's folder is then gone or
        damaged, or does not list what the model was trained on.
    """
    splits = {each: _try_split(settings, each) for each in sorted(set(model_ids))}
    return {
        model_id: None if split is None else find_trained_patients(record, split)
        for model_id, split in splits.items()
    }


def mark_trained(
    cases: Iterable[AuditCase], trained: Mapping[str, frozenset[str] | None]
) -> tuple[AuditCase, ...]:
    """Return the cases with whether the model of the AI reading was trained on the patient.

    Args:
        cases: Of `audit_cases.make_audit_cases`.
        trained: Of `find_trained`; a model that is absent could not be checked.

    Example:
        >>> case = AuditCase(patient_id="p", lesion_id="l", has_ai=True, model_id="m")
        >>> [each.was_trained_on for each in mark_trained([case], {"m": frozenset({"p"})})]
        [True]
    """
    return tuple(_mark(case, trained.get(case.model_id)) for case in cases)


def mark_trained_photographs(
    photographs: Iterable[PhotographFacts], trained: Mapping[str, frozenset[str] | None]
) -> tuple[PhotographFacts, ...]:
    """Return photographs with whether the model that was given them was trained on the patient.

    Args:
        photographs: Of `photograph_table.list_photographs`.
        trained: As in `mark_trained`.
    """
    marked = []
    for each in photographs:
        patients = trained.get(each.model_id)
        known = None if patients is None else each.patient_id in patients
        marked.append(replace(each, was_trained_on=known))
    return tuple(marked)


def _mark(case: AuditCase, patients: frozenset[str] | None) -> AuditCase:
    if not case.has_ai or patients is None:
        return case
    return replace(case, was_trained_on=case.patient_id in patients)


def _try_split(settings: Settings, model_id: str) -> pd.DataFrame | None:
    try:
        return read_split(find_model(settings, model_id))
    except ModelError:
        return None
