"""The eight diagnoses of the ISIC 2019 challenge, their risk tiers and their names in datasets.

ISIC 2019 groups seborrheic keratosis, pigmented benign keratosis and lichenoid keratosis as BKL.
"""

from dataclasses import dataclass
from enum import StrEnum


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

# Further names in folders and tables, besides codes and titles.
_ALIASES = {
    "nv": Diagnosis.NV,
    "naevus": Diagnosis.NV,
    "melanocytic nevi": Diagnosis.NV,
    "mel": Diagnosis.MEL,
    "bkl": Diagnosis.BKL,
    "pigmented benign keratosis": Diagnosis.BKL,
    "seborrheic keratosis": Diagnosis.BKL,
    "benign keratosis like lesions": Diagnosis.BKL,
    "solar lentigo": Diagnosis.BKL,
    "lichenoid keratosis": Diagnosis.BKL,
    "vascular lesions": Diagnosis.VASC,
    # `diagnosis_2` (vascular lesions) and `diagnosis_3` of the ISIC Archive.
    "melanoma, nos": Diagnosis.MEL,
    "melanoma invasive": Diagnosis.MEL,
    "melanoma in situ": Diagnosis.MEL,
    "melanoma metastasis": Diagnosis.MEL,
    "solar or actinic keratosis": Diagnosis.AK,
    "squamous cell carcinoma, nos": Diagnosis.SCC,
    "squamous cell carcinoma, invasive": Diagnosis.SCC,
    "squamous cell carcinoma in situ": Diagnosis.SCC,
    "lichen planus like keratosis": Diagnosis.BKL,
    "benign soft tissue proliferations vascular": Diagnosis.VASC,
}
_BY_NAME = (
    {code.value.lower(): code for code in Diagnosis}
    | {title: code for code, title in _TITLES.items()}
    | _ALIASES
)


def parse_diagnosis(name: str) -> Diagnosis | None:
    """Return the diagnosis for a name used in a dataset, or None if it is not one of the eight.

    Case, underscores and hyphens are ignored. `akiec` of HAM10000 gives None, because it combines
    AK and SCC; only the ISIC 2019 ground truth separates them.

    Examples:
        >>> parse_diagnosis("Basal_Cell_Carcinoma").title
        'basal cell carcinoma'
        >>> parse_diagnosis("akiec") is None
        True
    """
    return _BY_NAME.get(" ".join(name.lower().replace("_", " ").replace("-", " ").split()))
