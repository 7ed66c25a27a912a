"""The diagnoses of histology, and what each means in the eight diagnoses of the network.

A histology keeps a value of isic-metadata's `DiagnosisEnum`: the hierarchy of the ISIC Archive,
from "Benign" to "Malignant:Malignant melanocytic proliferations (Melanoma):Melanoma in situ". What
a value says of malignancy is its first level. Which of the eight it is follows ISIC 2019, which
groups seborrheic and lichen planus like keratosis and solar lentigo; HAM10000 (Tschandl et al.
2018), which counts haemorrhage as a vascular lesion; and the WHO classification of skin tumours
(4th edition, 2018), for the subtypes that the Archive lists beside their tumour.
"""

from dataclasses import dataclass
from functools import cache

from isic_metadata.diagnosis_hierarchical import DiagnosisEnum

from melanoma_core.records.word_search import find_names
from melanoma_core.taxonomy import Diagnosis, RiskTier


@dataclass(frozen=True)
class Meaning:
    """What a diagnosis of histology means for the audit.

    Attributes:
        diagnosis: One of the eight diagnoses; None if it is none of them.
        tier: Its risk tier; None if histology leaves it open.
        is_melanoma: Whether it is a melanoma, in situ or invasive; None if that is left open.
        why: Why there is no diagnosis or no tier; "" if both are there.
    """

    diagnosis: Diagnosis | None
    tier: RiskTier | None
    is_melanoma: bool | None
    why: str = ""

    @property
    def is_skin_cancer(self) -> bool | None:
        """Whether it is malignant; None if histology leaves it open."""
        return None if self.tier is None else self.tier is RiskTier.MALIGNANT


_EPIDERMAL = "Benign:Benign epidermal proliferations"
_FIBROUS = "Benign:Benign soft tissue proliferations - Fibro-histiocytic"
_VASCULAR = "Benign:Benign soft tissue proliferations - Vascular"
_OPEN_EPIDERMAL = "Indeterminate:Indeterminate epidermal proliferations"
_OPEN_MELANOCYTIC = "Indeterminate:Indeterminate melanocytic proliferations"
_FOLLICULAR = "Malignant:Malignant adnexal epithelial proliferations - Follicular"
_MALIGNANT_EPIDERMAL = "Malignant:Malignant epidermal proliferations"
_COLLISION = "Malignant:Collision - At least one malignant proliferation"
_MELANOMA = "Malignant:Malignant melanocytic proliferations (Melanoma)"

# Levels of the hierarchy: each means its diagnosis with all that lies under it.
_BRANCHES = {
    _MELANOMA: Diagnosis.MEL,
    "Benign:Benign melanocytic proliferations:Nevus": Diagnosis.NV,
    f"{_FOLLICULAR}:Basal cell carcinoma": Diagnosis.BCC,
    f"{_FOLLICULAR}:Baso-squamous carcinoma": Diagnosis.BCC,  # WHO: a subtype
    f"{_OPEN_EPIDERMAL}:Solar or actinic keratosis": Diagnosis.AK,
    f"{_OPEN_EPIDERMAL}:Solar or actinic cheilitis": Diagnosis.AK,  # WHO: that of the lip
    f"{_EPIDERMAL}:Seborrheic keratosis": Diagnosis.BKL,
    f"{_EPIDERMAL}:Melanoacanthoma": Diagnosis.BKL,  # WHO: a pigmented seborrheic keratosis
    f"{_EPIDERMAL}:Pigmented benign keratosis": Diagnosis.BKL,
    f"{_EPIDERMAL}:Lichen planus like keratosis": Diagnosis.BKL,
    f"{_EPIDERMAL}:Solar lentigo": Diagnosis.BKL,
    f"{_FIBROUS}:Dermatofibroma": Diagnosis.DF,
    _VASCULAR: Diagnosis.VASC,
    "Benign:Hemorrhagic lesions": Diagnosis.VASC,  # HAM10000
    f"{_MALIGNANT_EPIDERMAL}:Squamous cell carcinoma in situ": Diagnosis.SCC,
    f"{_MALIGNANT_EPIDERMAL}:Squamous cell carcinoma, Invasive": Diagnosis.SCC,
    f"{_MALIGNANT_EPIDERMAL}:Squamous cell carcinoma, NOS": Diagnosis.SCC,
    f"{_MALIGNANT_EPIDERMAL}:Keratoacanthoma": Diagnosis.SCC,  # WHO: a subtype
    f"{_MALIGNANT_EPIDERMAL}:Verrucous carcinoma": Diagnosis.SCC,  # WHO: a subtype
}

# What says nothing of melanoma: it may be one.
_MAY_BE_MELANOMA = ("Malignant", "Indeterminate", _COLLISION, _OPEN_MELANOCYTIC)

_TIERS = {"Benign": RiskTier.BENIGN, "Malignant": RiskTier.MALIGNANT}


@cache
def list_diagnoses() -> tuple[str, ...]:
    """Return all values that a histology may keep, in the order of the hierarchy."""
    return tuple(sorted((each.value for each in DiagnosisEnum), key=lambda each: each.split(":")))


# What pathologists write short, and other names of the same.
_SYNONYMS = {
    "bcc": "basal cell carcinoma",
    "basalioma": "basal cell carcinoma",
    "scc": "squamous cell carcinoma",
    "spinalioma": "squamous cell carcinoma",
    "bowen": "bowens",
    "mm": "melanoma",
    "mis": "melanoma in situ",
    "ssm": "melanoma superficial spreading",
    "lm": "melanoma in situ lentigo maligna",
    "lmm": "melanoma invasive lentigo maligna",
    "alm": "melanoma acral",
    "nm": "melanoma invasive nodular",
    "ak": "actinic keratosis",
    "sk": "seborrheic keratosis",
    "lplk": "lichen planus like keratosis",
    "df": "dermatofibroma",
    "histiocytoma": "dermatofibroma",
    "dfsp": "dermatofibrosarcoma",
    "mcc": "merkel cell carcinoma",
    "ka": "keratoacanthoma",
    "afx": "atypical fibroxanthoma",
    "mole": "nevus",
    "wart": "verruca",
    "keloid": "scar keloid",
    "ephelides": "ephelis",
    "freckle": "ephelis",
}


def find_diagnoses(text: str, limit: int = 20) -> tuple[str, ...]:
    """Return the diagnoses whose names hold all words of a text, the best fit first.

    Common abbreviations are understood: SSM, LMM, BCC, SCC, AK.

    Args:
        text: Words or their beginnings, as a person types them.
        limit: The most that are returned.

    >>> [title_diagnosis(each) for each in find_diagnoses("naevus spitz")]
    ['Nevus, Spitz']
    """
    words = (_SYNONYMS.get(word, word) for word in text.casefold().split())
    return find_names(" ".join(words), list_diagnoses(), limit)


def title_diagnosis(value: str) -> str:
    """Return the last name of a diagnosis in the hierarchy, as a page shows it.

    >>> title_diagnosis("Malignant:Merkel cell proliferation:Merkel cell carcinoma")
    'Merkel cell carcinoma'
    """
    return value.rsplit(":", 1)[-1]


@cache
def interpret(value: str) -> Meaning:
    """Return what a diagnosis of histology means.

    A melanoma in situ counts as a melanoma. An intermediate melanocytic tumour is neither
    malignant nor benign, so that the audit leaves it out and says so.

    Args:
        value: A value of `DiagnosisEnum`.

    Raises:
        ValueError: It is none.

    >>> interpret("Malignant:Malignant melanocytic proliferations (Melanoma)").diagnosis.value
    'MEL'
    """
    DiagnosisEnum(value)
    diagnosis = _find_diagnosis(value)
    if diagnosis is not None:
        return Meaning(diagnosis, diagnosis.tier, diagnosis is Diagnosis.MEL)
    tier = _TIERS.get(value.split(":", 1)[0])
    may_be_melanoma = value in _MAY_BE_MELANOMA or value.startswith(f"{_OPEN_MELANOCYTIC}:")
    return Meaning(None, tier, None if may_be_melanoma else False, _explain(value, tier))


def _find_diagnosis(value: str) -> Diagnosis | None:
    """Return the diagnosis of the level under which a value lies; None if there is none."""
    levels = value.split(":")
    for depth in range(len(levels), 0, -1):
        found = _BRANCHES.get(":".join(levels[:depth]))
        if found is not None:
            return found
    return None


def _explain(value: str, tier: RiskTier | None) -> str:
    """Return why a value is none of the eight diagnoses."""
    title = title_diagnosis(value)
    if tier is None:
        return f"{title}: histology does not say whether it is malignant."
    if value.count(":") < 2:
        return f"{title}: no single diagnosis."
    return f"{title}: none of the eight diagnoses that the network knows."
