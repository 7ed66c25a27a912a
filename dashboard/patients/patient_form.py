"""The form of a patient: a new one, or the next version of one."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.patients.form import Form, offer_withdrawal
from dashboard.patients.opened import open_patient
from dashboard.shared.markup import escape_markdown

if TYPE_CHECKING:  # the page is painted before SQLAlchemy is imported
    from melanoma_core.records.entities import Patient
    from melanoma_core.records.entry import Entry
    from melanoma_core.records.store import Record

_CONSEQUENCE = (
    "The patient stays in the record as withdrawn, with the reason, and leaves all lists. To "
    "remove everything, erase the patient."
)


def show_patient_form(record: "Record", base: "Entry[Patient] | None") -> None:
    """Show the fields of a patient.

    Args:
        record: The record.
        base: The patient that is corrected; None for a new one.
    """
    form = Form(f"patient-{base.id}" if base else "patient-new", base)
    st.html(f"<h2>{'Correct the patient' if base else 'New patient'}</h2>")
    with st.container(key="patient-form", width=640):
        _ask(form)
        form.offer_save(
            lambda change, draft: form.write_value(change, _build(draft)),
            after=None if base else lambda entry: open_patient(entry.id),
        )
        _point_to_namesake(record, form)
        if base is not None:
            with st.expander("Withdraw the patient"):
                offer_withdrawal(base, _CONSEQUENCE)


def _ask(form: Form) -> None:
    from melanoma_core.records.vocabulary import NevusCount, Sex, SkinType

    form.ask_text(
        "Pseudonym",
        "pseudonym",
        help="The clinic's own number or code, such as 4711. No name and no date of birth.",
    )
    year = str(form.start("birth_year", None) or "")
    form.ask_text("Year of birth", "birth_year", year, placeholder="not stated, such as 1960")
    form.ask_option("Sex", "sex", [None, *Sex])
    form.ask_option("Fitzpatrick skin type", "skin_type", [None, *SkinType])
    form.ask_option("Number of nevi", "num_nevi", [None, *NevusCount])
    form.ask_yes("Melanoma before", "melanoma_before")
    form.ask_yes("Melanoma in a first-degree relative", "melanoma_in_family")
    form.ask_yes("Immunosuppression", "immunosuppressed")


def _build(draft: Mapping[str, Any]) -> "Patient":
    from melanoma_core.records.entities import Patient
    from melanoma_core.records.typed import read_whole

    return Patient(**{**draft, "birth_year": read_whole(draft["birth_year"])})


def _point_to_namesake(record: "Record", form: Form) -> None:
    """Link the patient who has the pseudonym already."""
    pseudonym = str(form.read("pseudonym") or "").strip()
    namesake = record.find_patient(pseudonym) if pseudonym else None
    if namesake is not None and (form.base is None or namesake.id != form.base.id):
        st.page_link(
            "patients/page.py",
            label=f"Open the patient {escape_markdown(pseudonym)} who is in the record",
            query_params={"patient": namesake.id},
        )
