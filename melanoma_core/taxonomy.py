"""The eight diagnoses of the ISIC 2019 challenge, their risk tiers and their names in datasets.

ISIC 2019 groups seborrheic keratosis, pigmented benign keratosis and lichenoid keratosis as BKL.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache


class RiskTier(StrEnum):
    """The risk tier of a diagnosis, highest risk first."""

    MALIGNANT = "malignant"
    PREMALIGNANT = "premalignant"
    BENIGN = "benign"


@dataclass(frozen=True)
class TierStyle:
    """How pages and charts show a risk tier, never by colour alone.

    Attributes:
        symbol: One character, with a different shape per tier.
        colour: `#RRGGBB`, safe for colour-blind readers: Okabe and Ito (2008). In greyscale two
            colours look alike, so that the symbol is needed.
    """

    symbol: str
    colour: str


TIER_STYLES = {
    RiskTier.MALIGNANT: TierStyle(symbol="▲", colour="#D55E00"),
    RiskTier.PREMALIGNANT: TierStyle(symbol="◆", colour="#E69F00"),
    RiskTier.BENIGN: TierStyle(symbol="●", colour="#009E73"),
}


class Diagnosis(StrEnum):
    """The eight diagnoses of ISIC 2019, in the column order of its ground truth."""

    MEL = "MEL"
    NV = "NV"
    BCC = "BCC"
    AK = "AK"
    BKL = "BKL"
    DF = "DF"
    VASC = "VASC"
    SCC = "SCC"

    @property
    def title(self) -> str:  # type: ignore[override]  # str.title is useless here
        """The clinical name, in lower case."""
        return _TITLES[self]

    @property
    def tier(self) -> RiskTier:
        """The risk tier of the diagnosis."""
        return _TIERS[self]


_TITLES = {
    Diagnosis.MEL: "melanoma",
    Diagnosis.NV: "nevus",
    Diagnosis.BCC: "basal cell carcinoma",
    Diagnosis.AK: "actinic keratosis",
    Diagnosis.BKL: "benign keratosis",
    Diagnosis.DF: "dermatofibroma",
    Diagnosis.VASC: "vascular lesion",
    Diagnosis.SCC: "squamous cell carcinoma",
}

_TIERS = {
    Diagnosis.MEL: RiskTier.MALIGNANT,
    Diagnosis.BCC: RiskTier.MALIGNANT,
    Diagnosis.SCC: RiskTier.MALIGNANT,
    Diagnosis.AK: RiskTier.PREMALIGNANT,
    Diagnosis.NV: RiskTier.BENIGN,
    Diagnosis.BKL: RiskTier.BENIGN,
    Diagnosis.DF: RiskTier.BENIGN,
    Diagnosis.VASC: RiskTier.BENIGN,
}
Label = Diagnosis | RiskTier
"""What is known of an image: its diagnosis, or at least its risk tier."""


def read_label(text: str) -> Label:
    """Return the label of a code as tables of this project write it.

    Raises:
        ValueError: It is none.

    >>> read_label("MEL").name, read_label("benign").name
    ('MEL', 'BENIGN')
    """
    return RiskTier(text) if text in set(RiskTier) else Diagnosis(text)


def title_label(label: Label) -> str:
    """Return the name of a label in a sentence.

    >>> title_label(Diagnosis.MEL), title_label(RiskTier.BENIGN)
    ('melanoma', 'benign lesion')
    """
    return label.title if isinstance(label, Diagnosis) else f"{label} lesion"


def find_tier(label: Label) -> RiskTier:
    """Return the risk tier of a label.

    >>> find_tier(Diagnosis.AK).value
    'premalignant'
    """
    return label.tier if isinstance(label, Diagnosis) else label


# What "skin cancer" means everywhere. Actinic keratosis is premalignant and is not one of them.
SKIN_CANCERS = tuple(each for each in Diagnosis if each.tier is RiskTier.MALIGNANT)


@dataclass(frozen=True)
class _Vocabulary:
    """The words in which datasets write one diagnosis.

    A name means the diagnosis if it contains one of its terms, and besides its terms nothing but
    its qualifiers: "nodular melanoma" is a melanoma, "no melanoma" is not understood.

    Attributes:
        terms: Names in the singular, besides the code and the title.
        qualifiers: Words that name a kind of it and leave the diagnosis as it is.
    """

    terms: tuple[str, ...]
    qualifiers: str


_GENERAL_QUALIFIERS = "and or nos type subtype primary cutaneous"
_VOCABULARIES = {
    Diagnosis.MEL: _Vocabulary(
        ("lentigo maligna", "lmm", "ssm", "alm"),
        "malignant invasive in situ superficial spreading nodular nm acral lentiginous subungual "
        "amelanotic hypomelanotic desmoplastic spitzoid nevoid thin thick breslow thickness "
        "metastatic metastasis melanocytic proliferation on chronically sun exposed skin",
    ),
    Diagnosis.NV: _Vocabulary(
        ("nev",),
        "melanocytic benign common acquired congenital atypical dysplastic clark clarks compound "
        "junctional dermal intradermal blue halo spitz reed pigmented spindle balloon cell deep "
        "penetrating combined recurrent persistent acral spilus special anatomic site of",
    ),
    Diagnosis.BCC: _Vocabulary(
        (),
        "superficial nodular pigmented infiltrating infiltrative morpheaform morpheiform "
        "sclerosing micronodular solid cystic ulcerated",
    ),
    Diagnosis.AK: _Vocabulary(
        ("ack", "solar keratosis", "solar or actinic keratosis"),
        "pigmented hypertrophic hyperkeratotic atrophic",
    ),
    Diagnosis.BKL: _Vocabulary(
        (
            "benign keratosis like lesion",
            "seborrheic keratosis",
            "sek",
            "solar lentigo",
            "lichenoid keratosis",
            "lichen planus like keratosis",
            "lplk",
        ),
        "benign pigmented irritated inflamed clonal acanthotic",
    ),
    Diagnosis.DF: _Vocabulary((), "cellular hemosiderotic"),
    Diagnosis.VASC: _Vocabulary(
        (
            "hemangioma",
            "angioma",
            "angiokeratoma",
            "pyogenic granuloma",
            "benign soft tissue proliferation vascular",  # `diagnosis_2` of the ISIC Archive
        ),
        "benign cherry senile spider capillary infantile cavernous thrombosed hobnail",
    ),
    Diagnosis.SCC: _Vocabulary(
        ("bowen disease", "bowens disease"),
        "in situ invasive bowen bowens disease keratoacanthoma well moderately poorly "
        "differentiated",
    ),
}
# How tables write the thickness of a melanoma (Breslow 1970): "more than 1.5 mm", "0.76-1.5 mm".
_THICKNESS = re.compile(
    r"(?:(?:more|less) than|over|under|up to|[<>≤≥]=?)?\s*"
    r"\d+(?:[.,]\d+)?(?:\s*(?:to|-|–)\s*\d+(?:[.,]\d+)?)?\s*mm\b"
)
# Spellings, and plurals with their singulars.
_SPELLINGS = tuple(
    (re.compile(rf"\b(?:{pattern})\b"), word)
    for pattern, word in (
        (r"(\w*oma)(?:s|ta)", r"\1"),
        (r"(\w*keratos)es", r"\1is"),
        (r"(lesion|proliferation)s", r"\1"),
        (r"nevi|naevi|naevus", "nevus"),
        (r"lentigines", "lentigo"),
        (r"haem(\w+)", r"hem\1"),
        (r"seborrhoeic", "seborrheic"),
    )
)


def _compile_vocabulary(diagnosis: Diagnosis) -> tuple[re.Pattern[str], frozenset[str]]:
    """Return a pattern of the terms of a diagnosis, longest first, and its qualifiers."""
    vocabulary = _VOCABULARIES[diagnosis]
    terms = sorted(
        (diagnosis.value.lower(), diagnosis.title, *vocabulary.terms), key=len, reverse=True
    )
    qualifiers = f"{_GENERAL_QUALIFIERS} {vocabulary.qualifiers}".split()
    return re.compile(rf"\b(?:{'|'.join(terms)})\b"), frozenset(qualifiers)


_WORDS = {diagnosis: _compile_vocabulary(diagnosis) for diagnosis in Diagnosis}


class Confirmation(StrEnum):
    """How the ground truth of a diagnosis is known, most certain first.

    The four ways of HAM10000 (Tschandl et al. 2018, doi:10.1038/sdata.2018.161).
    """

    HISTOPATHOLOGY = "histopathology"
    FOLLOW_UP = "follow-up"
    CONSENSUS = "consensus"
    CONFOCAL = "confocal"


# HAM10000 writes the first words of a way. The ISIC Archive writes the whole ones. PAD-UFES-20
# calls the consensus of its dermatologists clinical.
_CONFIRMATIONS = {
    "histo": Confirmation.HISTOPATHOLOGY,
    "histology": Confirmation.HISTOPATHOLOGY,
    "histopathology": Confirmation.HISTOPATHOLOGY,
    "biopsy": Confirmation.HISTOPATHOLOGY,
    "follow up": Confirmation.FOLLOW_UP,
    "serial imaging showing no change": Confirmation.FOLLOW_UP,
    "consensus": Confirmation.CONSENSUS,
    "clinical consensus": Confirmation.CONSENSUS,
    "expert consensus": Confirmation.CONSENSUS,
    "single image expert consensus": Confirmation.CONSENSUS,
    "confocal": Confirmation.CONFOCAL,
    "confocal microscopy": Confirmation.CONFOCAL,
    "confocal microscopy with consensus dermoscopy": Confirmation.CONFOCAL,
}


def parse_confirmation(text: str) -> Confirmation | None:
    """Return how a diagnosis was confirmed, or None if the words mean none of the four ways.

    "single contributor clinical assessment" of the ISIC Archive gives None: one person looked at
    the lesion once.

    Args:
        text: As a table writes it; case and punctuation are ignored.

    Examples:
        >>> parse_confirmation("follow_up").value, parse_confirmation("histo").value
        ('follow-up', 'histopathology')
        >>> parse_confirmation("single contributor clinical assessment") is None
        True
    """
    return _CONFIRMATIONS.get(" ".join(re.split(r"[\W_]+", text.casefold())).strip())


@lru_cache(maxsize=4096)  # a table of 400,000 rows has few names
def parse_diagnosis(name: str) -> Diagnosis | None:
    """Return the diagnosis for a name used in a dataset, or None if it is not one of the eight.

    Case, punctuation, plurals and words that name a kind of the diagnosis are ignored. `akiec` of
    HAM10000 gives None, because it combines AK and SCC; only the ISIC 2019 ground truth separates
    them.

    Examples:
        >>> parse_diagnosis("Basal_Cell_Carcinoma").title
        'basal cell carcinoma'
        >>> parse_diagnosis("melanoma (more than 1.5 mm)").title
        'melanoma'
        >>> parse_diagnosis("akiec") is None, parse_diagnosis("melanoma or nevus") is None
        (True, True)
    """
    text = _THICKNESS.sub(" breslow ", unicodedata.normalize("NFKC", name).casefold())
    text = re.sub(r"[-_,.;:/()\[\]\s]+", " ", re.sub(r"['’]", "", text))
    for pattern, spelling in _SPELLINGS:
        text = pattern.sub(spelling, text)
    for diagnosis, (terms, qualifiers) in _WORDS.items():
        rest, num_terms = terms.subn(" ", text)
        if num_terms and qualifiers.issuperset(rest.split()):
            return diagnosis
    return None


_TIER_WORDS = re.compile(
    r"(benign|malignant|premalignant|pre[ _-]malignant)(?:[ _-](?:lesion|tumou?r|skin lesion)s?)?"
)


def parse_tier(name: object) -> RiskTier | None:
    """Return the risk tier that a dataset names instead of a diagnosis, or None if it names none.

    Examples:
        >>> str(parse_tier("Benign")), str(parse_tier("malignant lesions"))
        ('benign', 'malignant')
        >>> parse_tier("malignant melanoma") is None, parse_tier(None) is None
        (True, True)
    """
    found = _TIER_WORDS.fullmatch(name.strip().casefold()) if isinstance(name, str) else None
    return RiskTier(re.sub(r"[ _-]", "", found[1])) if found else None
