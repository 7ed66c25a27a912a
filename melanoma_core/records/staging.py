"""The primary tumour category (pT) of a cutaneous melanoma, as AJCC 8 defines it.

Gershenwald et al. (2017), CA: A Cancer Journal for Clinicians 67:472, doi:10.3322/caac.21409.
"""

from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from melanoma_core.records.field_types import find_type_errors
from melanoma_core.records.loop import Histology


class PrimaryTumour(StrEnum):
    """Primary tumour categories of AJCC 8 for melanoma of the skin.

    pTX: the thickness cannot be assessed, for example after curettage. pT0: there is no evidence
    of a primary tumour, for example after complete regression. pT1 to pT4 without a letter: it is
    not known whether it is ulcerated.
    """

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


_WITHOUT_THICKNESS = {PrimaryTumour.PTX, PrimaryTumour.PT0}


def round_breslow(breslow_mm: float) -> Decimal:
    """Return a thickness to the nearest 0.1 mm, half up, as AJCC 8 has it recorded.

    >>> [str(round_breslow(each)) for each in (0.74, 0.75, 0.84, 1.04, 1.05)]
    ['0.7', '0.8', '0.8', '1.0', '1.1']
    """
    return Decimal(str(breslow_mm)).quantize(Decimal("0.1"), ROUND_HALF_UP)


def stage_primary_tumour(
    *, breslow_mm: float | None, ulcerated: bool | None, in_situ: bool | None
) -> PrimaryTumour | None:
    """Return the primary tumour category of a melanoma; None if the facts do not settle one.

    Mitoses do not count in AJCC 8. pTX and pT0 are never returned: that a thickness is missing
    here does not say why, and a pathologist states either.

    Args:
        breslow_mm: Breslow thickness in millimetres, > 0; rounded to 0.1 mm first.
        ulcerated: Whether it is ulcerated. From 0.8 to 1.0 mm it makes no difference.
        in_situ: Whether it is in situ.

    >>> stage_primary_tumour(breslow_mm=0.75, ulcerated=None, in_situ=False).value
    'pT1b'
    """
    if in_situ:
        return PrimaryTumour.PTIS if breslow_mm is None else None
    if breslow_mm is None:
        return None
    thickness = round_breslow(breslow_mm)
    if Decimal("0.8") <= thickness <= 1:
        return PrimaryTumour.PT1B
    number = 1 + sum(thickness > limit for limit in (1, 2, 4))
    letter = {None: "", False: "a", True: "b"}[ulcerated]
    return PrimaryTumour(f"pT{number}{letter}")


def propose_category(histology: Histology) -> PrimaryTumour | None:
    """Return the category that the facts of a report settle; None if they settle none.

    Args:
        histology: The report of a melanoma, perhaps with fields that are not valid yet.
    """
    is_in_situ = "in situ" in histology.diagnosis.casefold()
    if next(find_type_errors(histology), None) is not None:
        return None
    return stage_primary_tumour(
        breslow_mm=histology.breslow_mm,
        ulcerated=histology.ulcerated,
        in_situ=histology.in_situ or is_in_situ,
    )


def explain_disagreement(histology: Histology) -> str:
    """Return why the category of a report does not fit its facts; "" if it does.

    A category that says less or more than the facts fits them: pT2 beside 1.5 mm without
    ulceration, and pT2a beside 1.5 mm alone.
    """
    if not histology.pt:
        return ""
    found = PrimaryTumour(histology.pt)
    if found is PrimaryTumour.PTIS and histology.in_situ is False:
        return f"The report says {found}, a melanoma in situ, and that it is not in situ."
    computed = stage_primary_tumour(
        breslow_mm=histology.breslow_mm, ulcerated=histology.ulcerated, in_situ=histology.in_situ
    )
    if computed is None or computed.startswith(found) or found.startswith(computed):
        return ""
    facts = f"{_name_facts(histology)}, AJCC 8 gives {computed}"
    if found in _WITHOUT_THICKNESS:
        return f"{found} means that no thickness is known. With {facts}."
    return f"The report says {found}. With {facts}."


def _name_facts(histology: Histology) -> str:
    """Return what counts for the category, as words."""
    if histology.in_situ:
        return "a melanoma in situ"
    known = {None: "ulceration not stated", False: "no ulceration", True: "ulceration"}
    return f"{histology.breslow_mm:g} mm and {known[histology.ulcerated]}"
