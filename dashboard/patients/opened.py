"""The patient that the address opens, with all lesions; the audit log notes who saw it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.shared.address import leave_address
from dashboard.shared.record import log_seen, may_write
from melanoma_core.settings import load_settings

if TYPE_CHECKING:  # the page is painted before SQLAlchemy is imported
    from melanoma_core.records.case import LesionCase
    from melanoma_core.records.entities import Patient
    from melanoma_core.records.entry import Entry
    from melanoma_core.records.lesion_summary import LesionSummary
    from melanoma_core.records.store import Record

PATIENT, LESION = "patient", "lesion"
"""Parameters of the address: id of the patient; beside it, that of a lesion to correct."""


@dataclass(frozen=True)
class OpenedPatient:
    """The patient that is open.

    Attributes:
        record: The record.
        entry: The patient.
        cases: Everything of each lesion, in the order of their labels.
        summaries: What a list says of each lesion, in the same order.
    """

    record: "Record"
    entry: "Entry[Patient]"
    cases: "tuple[LesionCase, ...]"
    summaries: "tuple[LesionSummary, ...]"

    @property
    def id(self) -> str:
        """Id of the patient."""
        return self.entry.id

    @property
    def can_write(self) -> bool:
        """Whether entries of the patient can be written, by the person who uses the page."""
        return may_write(self.record) and not self.entry.withdrawn

    def name_form(self, name: str) -> str:
        """Return the name of a form of this patient, unique in the dashboard."""
        return f"patient-{self.id}-{name}"


def find_patient_id(record: "Record") -> str:
    """Return the patient whom the address names, or whose lesion it names alone; "" if none.

    Going back from a lesion, the browser may come to the page of its patient with the lesion alone.

    Raises:
        UnknownEntryError: There is no such lesion.
    """
    from melanoma_core.records.entities import Lesion

    patient_id, lesion_id = st.query_params.get(PATIENT, ""), st.query_params.get(LESION)
    if patient_id:
        st.query_params[PATIENT] = patient_id  # links within a page do not change the address
    elif lesion_id:
        patient_id = record.get(Lesion, lesion_id).value.patient_id
    return patient_id


def load_patient(record: "Record", patient_id: str) -> OpenedPatient:
    """Return a patient with all lesions, in few queries.

    Raises:
        UnknownEntryError: There is no such patient.
    """
    from melanoma_core.records.entities import Lesion, Patient
    from melanoma_core.records.lesion_summary import order_labels, summarise_case
    from melanoma_core.records.vocabulary import ReadOrder

    entry = record.get(Patient, patient_id)
    log_seen(record, Patient, patient_id)
    lesions = [lesion.id for lesion in record.find(Lesion, patient_id=patient_id)]
    cases = record.load_cases(lesions) if lesions else []
    cases.sort(key=lambda case: order_labels(case.lesion.value.label))
    order = ReadOrder(load_settings().first_read)
    summaries = tuple(summarise_case(case, order) for case in cases)
    return OpenedPatient(record, entry, tuple(cases), summaries)


def close_patient() -> None:
    """Go back to the list of patients; a callback."""
    for parameter in list(st.query_params):
        leave_address(parameter)


def open_patient(patient_id: str) -> None:
    """Open a patient by the address; in a callback."""
    st.query_params[PATIENT] = patient_id
