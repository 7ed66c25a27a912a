"""Where in the record a lesion is kept: the patient, the lesion, the visit, and what is shown."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.shared.clock import get_today
from melanoma_core.records.vocabulary import DermoscopicType, ImageKind, Laterality

if TYPE_CHECKING:
    from melanoma_core.records.entities import Lesion, Patient
    from melanoma_core.records.entry import Entry
    from melanoma_core.records.keeping import Destination
    from melanoma_core.records.store import Record

_NEW = ""  # the choice of a lesion that is not in the record yet
_MOST_SUGGESTED = 5


def choose_destination(record: "Record", form: str, *, is_drawn: bool) -> bool:
    """Ask where a lesion is kept; return whether enough is known.

    Args:
        record: The record.
        form: Name of the form.
        is_drawn: Whether it is the demonstration record.
    """
    from dashboard.shared.record import name_field, show_field_error

    with st.container(horizontal=True, vertical_alignment="top"):
        pseudonym = st.text_input(
            "Patient (pseudonym)",
            key=name_field(form, "pseudonym", ""),
            placeholder="such as drawn-13" if is_drawn else "such as 4711",
            help="A patient of the record, or a new one. No name.",
            max_chars=80,
            width=260,
        ).strip()
        st.date_input(
            "Date of the visit",
            key=name_field(form, "on", get_today()),
            format="YYYY-MM-DD",
            width=180,
        )
    show_field_error(form, "pseudonym", "on", "taken_on")
    if not pseudonym:
        return False
    patient = record.find_patient(pseudonym)
    _describe_patient(record, pseudonym, patient)
    _choose_lesion(record, form, patient)
    _ask_kind(form)
    return True


def read_destination(record: "Record", draft: Mapping[str, Any]) -> "Destination":
    """Return where a lesion is kept.

    Args:
        record: The record.
        draft: What the fields hold, by name.
    """
    from melanoma_core.records.entities import Lesion, Patient
    from melanoma_core.records.keeping import Destination

    pseudonym = draft["pseudonym"].strip()
    patient: Entry[Patient] | Patient | None = record.find_patient(pseudonym)
    lesion: Entry[Lesion] | Lesion
    if draft.get("lesion", _NEW) == _NEW:
        side = draft.get("side")
        lesion = Lesion(
            patient_id="",
            label=draft["label"],
            site=draft["site"] or "",
            laterality=Laterality(side) if side else None,
        )
    else:
        lesion = record.get(Lesion, draft["lesion"])
    return Destination(
        patient=patient or Patient(pseudonym=pseudonym),
        lesion=lesion,
        on=draft["on"],
        reason="Reading",
    )


def _describe_patient(record: "Record", pseudonym: str, patient: "Entry[Patient] | None") -> None:
    """Say whether the patient is known, and which pseudonyms are like this one."""
    from dashboard.shared.markup import escape_markdown

    if patient is not None:
        st.caption(f"✓ {escape_markdown(pseudonym)} is in the record.")
        return
    similar = record.search_patients(pseudonym, _MOST_SUGGESTED)
    names = ", ".join(escape_markdown(each.value.pseudonym) for each in similar)
    st.caption(
        f"A new patient {escape_markdown(pseudonym)} is made; year of birth and risks can be "
        f"added on the page Patients.{f' In the record: {names}.' if names else ''}"
    )


def _choose_lesion(record: "Record", form: str, patient: "Entry[Patient] | None") -> None:
    """Let the person choose a lesion of the patient, or describe a new one."""
    from dashboard.shared.record import name_field, show_field_error
    from melanoma_core.records.entities import Lesion
    from melanoma_core.records.validation import list_sites

    known = record.find(Lesion, patient_id=patient.id) if patient is not None else ()
    names = {each.id: _name(each.value) for each in known} | {_NEW: "A new lesion"}
    key = name_field(form, "lesion", _NEW)
    if st.session_state[key] not in names:  # of another patient
        st.session_state[key] = _NEW
    if known:
        st.selectbox("Lesion", list(names), key=key, format_func=names.__getitem__)
    if st.session_state[key] != _NEW:
        return
    with st.container(horizontal=True, vertical_alignment="top"):
        label = _suggest_label({each.value.label for each in known})
        st.text_input(
            "Name of the lesion", key=name_field(form, "label", label), max_chars=40, width=160
        )
        st.selectbox(
            "Site",
            ["", *list_sites()],
            key=name_field(form, "site", ""),
            format_func=lambda each: each.replace(":", ", ") or "not stated",
            width=420,
        )
        st.segmented_control("Side", list(Laterality), key=name_field(form, "side"))
    show_field_error(form, "label", "site", "laterality")


def _ask_kind(form: str) -> None:
    from dashboard.shared.record import name_field, show_field_error

    with st.container(horizontal=True, vertical_alignment="top"):
        kind = st.selectbox(
            "The photographs are",
            list(ImageKind),
            key=name_field(form, "kind", ImageKind.DERMOSCOPIC),
            width=260,
        )
        if kind is ImageKind.DERMOSCOPIC:
            st.selectbox(
                "Dermoscope",
                ["", *DermoscopicType],
                key=name_field(form, "light", ""),
                format_func=lambda each: each or "not stated",
                width=260,
            )
    show_field_error(form, "kind", "dermoscopic_type")


def _name(lesion: "Lesion") -> str:
    site = lesion.site.rpartition(":")[2]
    return f"Lesion {lesion.label}{f', {site}' if site else ''}"


def _suggest_label(taken: set[str]) -> str:
    """Return the smallest number that no lesion of the patient has as its name."""
    return next(str(number) for number in range(1, len(taken) + 2) if str(number) not in taken)
