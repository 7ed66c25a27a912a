"""The diagnoses of histology, and what each means in the eight diagnoses of the network.

A histology keeps a value of isic-metadata's `DiagnosisEnum`: the hierarchy of the ISIC Archive.
"""

from dataclasses import dataclass

from melanoma_core.taxonomy import Diagnosis, RiskTier


@dataclass(frozen=True)
class Meaning:
    """What a diagnosis of histology means for the audit.

    Attributes:
        diagnosis: One of the eight diagnoses; None if it is none of them.
        tier: Its risk tier; None if histology leaves it open.
        why: Why there is no diagnosis or no tier; "" if both are there.
    """

    diagnosis: Diagnosis | None
    tier: RiskTier | None
    why: str = ""

    @property
    def is_melanoma(self) -> bool | None:
        """Whether it is a melanoma, in situ or invasive; None if histology leaves it open."""
        raise NotImplementedError

    @property
    def is_skin_cancer(self) -> bool | None:
        """Whether it is malignant; None if histology leaves it open."""
        raise NotImplementedError


def list_diagnoses() -> tuple[str, ...]:
    """Return all values that a histology may keep, in the order of the hierarchy."""
    raise NotImplementedError


def find_diagnoses(text: str, limit: int = 20) -> tuple[str, ...]:
    """Return the diagnoses whose names hold all words of a text, the best fit first."""
    raise NotImplementedError


def title_diagnosis(value: str) -> str:
    """Return the last name of a diagnosis in the hierarchy, as a page shows it."""
    raise NotImplementedError


def interpret(value: str) -> Meaning:
    """Return what a diagnosis of histology means.

    Raises:
        ValueError: It is no value of `DiagnosisEnum`.
    """
    raise NotImplementedError
