"""The cases of an audit: what the doctor, the network and the decision said, and what was true.

The unit of analysis is a lesion, once: at its first complete loop. That is its first visit with a
decision whose ground truth became known. Its other visits are kept apart, because they are not
independent of it. A lesion whose ground truth is not known stays in the flow, with the reason.

What was written or corrected after the result was known is left out: it is not blind.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from melanoma_core.records.case import LesionCase
from melanoma_core.records.vocabulary import Management, Opinion, ReadOrder
from melanoma_core.taxonomy import Confirmation, Label


@dataclass(frozen=True)
class AuditRules:
    """When the ground truth of a lesion counts as known.

    Attributes:
        histology_months: A histology counts for a visit if its specimen was taken on the day of
            the visit or up to so many months later.
        follow_up_months: A lesion is confirmed as benign by follow-up if it was decided on again
            at least so many months later. The default of 1.5 years is that of HAM10000 (Tschandl
            et al. 2018, doi:10.1038/sdata.2018.161).
    """

    histology_months: int = 12
    follow_up_months: int = 18


class Exclusion(StrEnum):
    """Why a lesion has no ground truth, or does not count."""

    NOT_DECIDED = "no decision"
    EXAMINED_BEFORE = "histology of a specimen from before the visit"
    HISTOLOGY_DUE = "tissue taken, histology not known"
    OPEN = "histology leaves the diagnosis open"
    TOO_LATE = "tissue taken too long after the visit"
    NOT_FOLLOWED = "no tissue taken, and not followed for long enough"


@dataclass(frozen=True, kw_only=True)
class AuditCase:
    """A lesion in an audit.

    Attributes:
        patient_id: Id of the patient; intervals resample patients.
        lesion_id: Id of the lesion.
        visit_id: Id of the visit that counts; "" if there is none.
        visited_on: Day of that visit; None if there is none.
        num_loops: Number of visits with a decision; those after the one that counts are kept apart.
        model_id: Id of the model of the AI reading; "" without one.
        app_version: Version of this software at the AI reading; "" without one.
        skin_type: Fitzpatrick skin type; "" if not stated.
        device: Camera or dermoscope; "" if not stated, "several" if there are more.
        image_kind: What the photographs show, in the same way.
        reader: Who made the first read; "" without one.
        signer: Who signed the decision; "" without one.
        opinion: Leading diagnosis of the first read; None without one, here and below.
        doctor_probability: The reader's probability of melanoma, in [0, 1].
        management: What the reader would do.
        order: Whether the AI reading was shown before.
        seconds: Time that the first read took.
        is_blind: Whether the first read counts as one: the reader had seen no AI reading of the
            lesion, and did not write or correct it after the result was known.
        has_ai: Whether there is an AI reading; if it has no probabilities, it was refused.
        melanoma_probability: Of the network, calibrated, in [0, 1]; None if refused or not read.
        skin_cancer_probability: The same for any skin cancer.
        adapted_probability: Of melanoma at the prevalence in force; None if none was.
        melanoma_alert: Whether it was raised; None if refused or not read.
        skin_cancer_alert: The same for the skin cancer alert; None also without such an alert.
        decision: What was decided, before the result was known; None if nothing was.
        knew_ai: Whether the decision was made with the AI reading.
        excised_on: Day of the first specimen from the visit on; None without one.
        truth: Diagnosis or risk tier; None if it is not known.
        is_melanoma: Whether the lesion is a melanoma; None if it is not known.
        is_skin_cancer: Whether it is malignant; None if it is not known.
        histology: Diagnosis of the report, a value of isic-metadata's `DiagnosisEnum`; "" without
            one.
        breslow_mm: Breslow thickness in millimetres; None if not given.
        confirmation: Histopathology or follow-up; None if the ground truth is not known.
        known_on: Day of the report, or of the visit that ended the follow-up.
        exclusion: Why the ground truth is not known; None if it is.
    """

    patient_id: str
    lesion_id: str
    visit_id: str = ""
    visited_on: date | None = None
    num_loops: int = 1
    model_id: str = ""
    app_version: str = ""
    skin_type: str = ""
    device: str = ""
    image_kind: str = ""
    reader: str = ""
    signer: str = ""
    opinion: Opinion | None = None
    doctor_probability: float | None = None
    management: Management | None = None
    order: ReadOrder | None = None
    seconds: float | None = None
    is_blind: bool = False
    has_ai: bool = False
    melanoma_probability: float | None = None
    skin_cancer_probability: float | None = None
    adapted_probability: float | None = None
    melanoma_alert: bool | None = None
    skin_cancer_alert: bool | None = None
    decision: Management | None = None
    knew_ai: bool = False
    excised_on: date | None = None
    truth: Label | None = None
    is_melanoma: bool | None = None
    is_skin_cancer: bool | None = None
    histology: str = ""
    breslow_mm: float | None = None
    confirmation: Confirmation | None = None
    known_on: date | None = None
    exclusion: Exclusion | None = None

    @property
    def month(self) -> str:
        """Month of the visit, such as "2026-11"; "" without one."""
        return "" if self.visited_on is None else f"{self.visited_on:%Y-%m}"


def make_audit_cases(
    cases: Iterable[LesionCase], rules: AuditRules = AuditRules()
) -> tuple[AuditCase, ...]:
    """Return one case per lesion of a record.

    Args:
        cases: The lesions with all their entries.
        rules: When the ground truth counts as known.
    """
    raise NotImplementedError
