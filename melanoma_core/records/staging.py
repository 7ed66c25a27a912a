"""The primary tumour category (pT) of a cutaneous melanoma, as AJCC 8 defines it."""

from enum import StrEnum

from melanoma_core.records.loop import Histology


class PrimaryTumour(StrEnum):
    """Primary tumour categories of AJCC 8 for melanoma of the skin."""

    PTX = "pTX"
    PT0 = "pT0"
    PTIS = "pTis"
    PT1 = "pT1"
    PT1A = "pT1a"
    PT1B = "pT1b"
    PT2 = "pT2"
    PT2A = "pT2a"
    PT2B = "pT2b"
    PT3 = "pT3"
    PT3A = "pT3a"
    PT3B = "pT3b"
    PT4 = "pT4"
    PT4A = "pT4a"
    PT4B = "pT4b"


def stage_primary_tumour(
    *, breslow_mm: float | None, ulcerated: bool | None, in_situ: bool | None
) -> PrimaryTumour | None:
    """Return the primary tumour category; None if the facts do not settle one."""
    raise NotImplementedError


def explain_disagreement(histology: Histology) -> str:
    """Return why the category of a report does not fit its facts; "" if it does."""
    raise NotImplementedError
