"""What changed between two photographs of a lesion: its measures, each with its unit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from melanoma_core.records.outlines import Points
from melanoma_core.records.registration import NotRegistered, Registration
from melanoma_core.records.vocabulary import OutlineSource


class Verdict(StrEnum):
    """What the difference between two photographs means."""

    CHANGED = "more than two photographs of the same lesion differ by"
    WITHIN = "within what two photographs of the same lesion differ by"
    NOT_COMPARABLE = "not comparable"
    LIMITS_UNKNOWN = "how much two photographs of the same lesion differ is not known"


@dataclass(frozen=True, kw_only=True, eq=False)
class Shot:
    """One of the two photographs, with what is known of it.

    Attributes:
        pixels: uint8 [H, W, 3], sRGB.
        points: The outline of the lesion, as shares of width and height; () if there is none.
        source: Who drew the outline; None if there is none.
        millimetres_per_pixel: Scale of `pixels`; None if unknown.
        probabilities: Of the network, by diagnosis code; empty if it was not read.
        model_id: Id of the model that read it; "" if it was not read.
    """

    pixels: NDArray[np.uint8]
    points: Points = ()
    source: OutlineSource | None = None
    millimetres_per_pixel: float | None = None
    probabilities: Mapping[str, float] = field(default_factory=dict)
    model_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One measure in both photographs.

    Attributes:
        name: Its name for people, such as "Area".
        unit: Its unit, such as "mm²", "pixels² of the earlier photograph" or "colours".
        earlier: In the earlier photograph; None if missing.
        later: In the later photograph, in the same unit; None if missing.
        limits: 95% limits of agreement of (earlier → later) as they apply here: values of `later`
            within them differ no more than two photographs of the same lesion; None if unknown.
        verdict: What the difference means.
        reason: Why it is not comparable; "" if it is.
    """

    name: str
    unit: str
    earlier: float | None
    later: float | None
    limits: tuple[float, float] | None
    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two photographs of a lesion, compared.

    Attributes:
        registration: How the later lies on the earlier, or why it could not be found.
        changes: The measures of the outline, then the probabilities.
    """

    registration: Registration | NotRegistered
    changes: tuple[Change, ...]


def compare_photographs(earlier: Shot, later: Shot) -> Comparison:
    """Register two photographs of a lesion, and say what changed between them."""
    raise NotImplementedError
