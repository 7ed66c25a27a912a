"""Cases of an audit that are drawn: their true sensitivities and specificities are known."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from melanoma_core.records.audit_cases import AuditCase
from melanoma_core.records.vocabulary import Management, Opinion, ReadOrder
from melanoma_core.taxonomy import Confirmation, Diagnosis, RiskTier

ACT, WAIT = Management.EXCISION, Management.REASSURE


def make_case(truth: str = "NV", number: int = 0, **values: object) -> AuditCase:
    """Return a lesion with histology that all judged right; `values` replace attributes."""
    is_melanoma = truth == "MEL"
    is_cancer = truth in {"MEL", "BCC", "SCC", "malignant"}
    defaults: dict[str, object] = {
        "patient_id": f"p{number}",
        "lesion_id": f"l{number}",
        "visit_id": f"v{number}",
        "visited_on": date(2026, 3, 1),
        "reader": "dr.a",
        "signer": "dr.a",
        "opinion": Opinion.MEL if is_melanoma else Opinion.NV,
        "doctor_probability": 0.8 if is_melanoma else 0.1,
        "management": ACT if is_cancer else WAIT,
        "order": ReadOrder.DOCTOR_FIRST,
        "is_blind": True,
        "has_ai": True,
        "model_id": "m1",
        "melanoma_probability": 0.7 if is_melanoma else 0.02,
        "skin_cancer_probability": 0.8 if is_cancer else 0.03,
        "melanoma_alert": is_melanoma,
        "skin_cancer_alert": is_cancer,
        "decision": ACT if is_cancer else WAIT,
        "knew_ai": True,
        "excised_on": date(2026, 3, 8),
        "truth": RiskTier(truth) if truth in set(RiskTier) else Diagnosis(truth),
        "is_melanoma": is_melanoma,
        "is_skin_cancer": is_cancer,
        "confirmation": Confirmation.HISTOPATHOLOGY,
        "known_on": date(2026, 3, 15),
    }
    return AuditCase(**(defaults | values))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Clinic:
    """How a drawn clinic is: shares in [0, 1].

    Attributes:
        lesions_per_patient: Mean number of lesions of a patient, at least 1.
        prevalence: Share of melanomas.
        doctor: Sensitivity and specificity of the first read.
        network: Of the melanoma alert.
        spread: Standard deviation of how easy a patient's lesions are, on the logit scale.
    """

    lesions_per_patient: float = 1.5
    prevalence: float = 0.15
    doctor: tuple[float, float] = (0.8, 0.7)
    network: tuple[float, float] = (0.9, 0.6)
    spread: float = 0.0


def draw_cases(num_patients: int, clinic: Clinic = Clinic(), seed: int = 0) -> list[AuditCase]:
    """Draw the lesions of a clinic, all with histology."""
    generator = np.random.default_rng(seed)
    cases: list[AuditCase] = []
    extra = generator.poisson(clinic.lesions_per_patient - 1, num_patients)
    ease = generator.normal(0, clinic.spread, num_patients)
    for patient in range(num_patients):
        for _ in range(1 + extra[patient]):
            cases.append(_draw_case(generator, clinic, (patient, len(cases)), ease[patient]))
    return cases


def _draw_case(
    generator: np.random.Generator, clinic: Clinic, numbers: tuple[int, int], ease: float
) -> AuditCase:
    patient, lesion = numbers
    is_melanoma = bool(generator.random() < clinic.prevalence)

    def suspects(rates: tuple[float, float]) -> bool:
        rate = rates[0] if is_melanoma else rates[1]
        odds = rate / (1 - rate) * np.exp(ease)
        return bool(generator.random() < odds / (1 + odds)) is is_melanoma

    acts, alert = suspects(clinic.doctor), suspects(clinic.network)
    management = ACT if acts else WAIT
    day = date(2024, 1, 1) + timedelta(days=int(generator.integers(0, 1000)))
    return make_case(
        "MEL" if is_melanoma else "NV",
        lesion,
        patient_id=f"p{patient}",
        visited_on=day,
        management=management,
        opinion=Opinion.MEL if acts else Opinion.NV,
        doctor_probability=round(float(generator.beta(4 if acts else 1, 3)), 1),
        melanoma_alert=alert,
        skin_cancer_alert=alert,
        melanoma_probability=float(generator.beta(3 if alert else 1, 5)),
        skin_cancer_probability=float(generator.beta(3 if alert else 1, 4)),
        decision=ACT if acts or alert else WAIT,
        skin_type=str(generator.choice(["I", "II", "III", ""])),
        device=str(generator.choice(["A", "B"])),
        reader=str(generator.choice(["dr.a", "dr.b", "dr.c"])),
    )
