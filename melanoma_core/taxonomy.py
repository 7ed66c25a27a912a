"""The diagnoses, how dangerous each is, and the names that datasets give them.

The label set is that of the ISIC 2019 challenge (eight diagnoses). Seborrheic keratosis,
pigmented benign keratosis and lichenoid keratosis are one group there: BKL.
"""

from dataclasses import dataclass
from enum import StrEnum


class RiskTier(StrEnum):
    """How dangerous a diagnosis is. The order is that of concern, highest first."""

    MALIGNANT = "malignant"
    PREMALIGNANT = "premalignant"
    BENIGN = "benign"


@dataclass(frozen=True)
class TierStyle:
    """How a tier looks on every page and chart: never by colour alone.

    Attributes:
        symbol: One character, a shape of its own per tier.
        colour: `#RRGGBB`, from Okabe and Ito (2008), told apart by the colour-blind. In
            greyscale vermilion and teal look alike, and the symbol tells them apart.
    """

    symbol: str
    colour: str


TIER_STYLES = {
    RiskTier.MALIGNANT: TierStyle(symbol="▲", colour="#D55E00"),
    RiskTier.PREMALIGNANT: TierStyle(symbol="◆", colour="#E69F00"),
    RiskTier.BENIGN: TierStyle(symbol="●", colour="#009E73"),
}


class Diagnosis(StrEnum):
    """The eight diagnoses of ISIC 2019, in the order of its table."""

    MEL = "MEL"
    NV = "NV"
    BCC = "BCC"
    AK = "AK"
    BKL = "BKL"
    DF = "DF"
    VASC = "VASC"
    SCC = "SCC"

    @property
    def title(self) -> str:  # type: ignore[override]  # str.title is of no use on a code
        """The name a clinician uses, in lower case."""
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

# What the folders and tables in use call them, beside the codes and titles themselves.
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
    # The ISIC Archive's `diagnosis_2` (the vascular one) and `diagnosis_3`.
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
    """Return the diagnosis that a dataset means by `name`, or None if it is none of the eight.

    Case, underscores and hyphens do not matter. HAM10000's `akiec` is none of the eight: it
    holds AK and SCC, which only the ISIC 2019 ground truth tells apart.
    """
    return _BY_NAME.get(" ".join(name.lower().replace("_", " ").replace("-", " ").split()))
