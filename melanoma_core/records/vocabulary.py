"""The words that a record uses for what is not a free text.

Where the ISIC Archive has a vocabulary, its values are used as they are, so that a clinic's data
can be sent to it and compared with it. They come from the package isic-metadata.
"""

from dataclasses import dataclass
from enum import StrEnum

from melanoma_core.taxonomy import RiskTier


class Sex(StrEnum):
    """Sex, as in the field `sex` of the ISIC Archive."""

    FEMALE = "female"
    MALE = "male"


class SkinType(StrEnum):
    """Fitzpatrick skin type, as in the field `fitzpatrick_skin_type`."""

    I = "I"  # noqa: E741  # the type's own name
    II = "II"
    III = "III"
    IV = "IV"
    V = "V"
    VI = "VI"


class NevusCount(StrEnum):
    """Number of nevi of the whole body, in ranges."""

    UP_TO_15 = "0–15"
    UP_TO_40 = "16–40"
    UP_TO_60 = "41–60"
    UP_TO_80 = "61–80"
    UP_TO_100 = "81–100"
    MORE = "more than 100"


class Laterality(StrEnum):
    """Side of the body."""

    LEFT = "left"
    RIGHT = "right"
    MIDLINE = "midline"


class BodyView(StrEnum):
    """Side from which a body map shows the body."""

    FRONT = "front"
    BACK = "back"


class Change(StrEnum):
    """A change that the patient or the doctor noticed."""

    SIZE = "size"
    SHAPE = "shape"
    COLOUR = "colour"
    THICKNESS = "thickness"
    ITCHING = "itching or pain"
    BLEEDING = "bleeding or crust"


class ImageKind(StrEnum):
    """What a photograph shows, as in the field `image_type`."""

    DERMOSCOPIC = "dermoscopic"
    CLOSE_UP = "clinical: close-up"
    OVERVIEW = "clinical: overview"


class DermoscopicType(StrEnum):
    """Light and contact of the dermoscope, as in the field `dermoscopic_type`."""

    CONTACT_POLARISED = "contact polarized"
    CONTACT_NON_POLARISED = "contact non-polarized"
    NON_CONTACT_POLARISED = "non-contact polarized"


class Opinion(StrEnum):
    """What a reader may call a lesion in the first read.

    The eight diagnoses of the network, and the two answers that fit none of them.
    """

    MEL = "MEL"
    NV = "NV"
    BCC = "BCC"
    AK = "AK"
    BKL = "BKL"
    DF = "DF"
    VASC = "VASC"
    SCC = "SCC"
    OTHER_BENIGN = "other benign"
    OTHER_MALIGNANT = "other malignant"


class Urgency(StrEnum):
    """How soon an action is due, the most urgent first."""

    URGENT = "urgent"
    SOON = "soon"
    ROUTINE = "routine"
    NONE = "none"


class Management(StrEnum):
    """What is done with a lesion."""

    REASSURE = "reassure"
    MONITOR_3 = "monitor in 3 months"
    MONITOR_6 = "monitor in 6 months"
    MONITOR_12 = "monitor in 12 months"
    SHAVE = "shave biopsy"
    PUNCH = "punch biopsy"
    EXCISION = "excision"
    REFER = "refer"
    REFER_URGENTLY = "refer urgently"

    @property
    def removes_tissue(self) -> bool:
        """Whether a specimen is expected."""
        return self in {Management.SHAVE, Management.PUNCH, Management.EXCISION}

    @property
    def acts(self) -> bool:
        """Whether it acts on a suspicion: a biopsy, an excision or a referral."""
        return self.removes_tissue or self in {Management.REFER, Management.REFER_URGENTLY}

    @property
    def months(self) -> int | None:
        """Months until the lesion is seen again; None where none are set."""
        return _MONTHS.get(self)


_MONTHS = {Management.MONITOR_3: 3, Management.MONITOR_6: 6, Management.MONITOR_12: 12}


class Margins(StrEnum):
    """What histology says of the margins."""

    CLEAR = "clear"
    INVOLVED = "involved"
    NOT_ASSESSED = "not assessed"


class Channel(StrEnum):
    """How a patient was informed of a result."""

    IN_PERSON = "in person"
    PHONE = "by phone"
    LETTER = "by letter"


class RecallStatus(StrEnum):
    """What has become of a recall."""

    OPEN = "open"
    DONE = "done"
    CANCELLED = "cancelled"


class ReadOrder(StrEnum):
    """Whether the reader sees the AI reading before the first read is kept."""

    DOCTOR_FIRST = "doctor first"
    TOGETHER = "together"
    OFF = "off"


class OutlineSource(StrEnum):
    """Who drew an outline."""

    NETWORK = "network"
    PERSON = "person"


class Task(StrEnum):
    """What a lesion waits for."""

    READ = "to read"
    DECIDE = "to decide"
    TAKE_SPECIMEN = "specimen not yet taken"
    HISTOLOGY = "histology due"
    ACKNOWLEDGE = "histology to acknowledge"
    INFORM = "result not yet given to the patient"
    RE_EXCISE = "re-excision to decide"
    FOLLOW_UP = "follow-up to plan"
    REFERRAL = "referral not answered"
    RECALL = "recall due"


@dataclass(frozen=True)
class MapPoint:
    """A point on a body map.

    Attributes:
        view: Side from which the body is seen.
        x: Share of the map's width from its left, in [0, 1].
        y: Share of the map's height from its top, in [0, 1].
    """

    view: BodyView
    x: float
    y: float


OPINION_TIERS = {
    Opinion.OTHER_BENIGN: RiskTier.BENIGN,
    Opinion.OTHER_MALIGNANT: RiskTier.MALIGNANT,
}
