"""How much two photographs of one lesion, taken at one visit, differ in what is measured.

A change that is smaller may come from the photographs alone. The limit is such that 95% of pairs
differ by less (Bland and Altman 1999, doi:10.1177/096228029900800204, without their assumption of a
normal distribution). `melanoma registration` measures the limits: `records.repeatability_study`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from melanoma_core.errors import ModelError
from melanoma_core.files import write_file
from melanoma_core.jsonable import dump_json, from_jsonable, load_json
from melanoma_core.records.vocabulary import OutlineSource

_FILE = "repeatability.json"
_FLOOR = 0.01  # probabilities below are as good as 1%; above 99%, as 99%


class Measure(StrEnum):
    """A measure of an outline."""

    AREA = "area"
    DIAMETER = "longest diameter"
    ASYMMETRY = "asymmetry"
    BORDER = "border irregularity"
    COLOURS = "number of colours"


RATIOS = frozenset({Measure.AREA, Measure.DIAMETER, Measure.BORDER})
# Measures that mean something only if both photographs have the same scale.
SCALED = RATIOS


class Drawn(StrEnum):
    """Who drew the outlines of the two photographs."""

    PERSON = "both by a person"
    NETWORK = "both by the network"
    MIXED = "one by a person, one by the network"

    @classmethod
    def of(cls, earlier: OutlineSource, later: OutlineSource) -> "Drawn":
        """Return who drew two outlines."""
        if earlier is not later:
            return cls.MIXED
        return cls.PERSON if earlier is OutlineSource.PERSON else cls.NETWORK


@dataclass(frozen=True, kw_only=True)
class ModelLimits:
    """95% limits of agreement of what a model draws and predicts.

    Attributes:
        model_id: Id of the model.
        network: By measure, for two outlines by this network; see `find_distance`.
        mixed: The same, for one outline by a person and one by this network.
        probabilities: By diagnosis code, the difference of the logits.
        num_lesions: Number of lesions, not seen in training, that this was measured on.
    """

    model_id: str
    network: Mapping[str, float] = field(default_factory=dict)
    mixed: Mapping[str, float] = field(default_factory=dict)
    probabilities: Mapping[str, float] = field(default_factory=dict)
    num_lesions: int = 0


# Of outlines that people drew on two photographs of one lesion: 200 lesions of HAM10000, the first
# half of 400 (`melanoma registration`). Of the other half, 93% to 96% were within each.
PERSON = {
    Measure.AREA: math.log(1.38),
    Measure.DIAMETER: math.log(1.15),
    Measure.ASYMMETRY: 0.05,
    Measure.BORDER: math.log(1.18),
    Measure.COLOURS: 1.0,
}


def find_distance(measure: Measure, earlier: float, later: float) -> float:
    """Return how far apart two values of a measure are.

    Returns:
        The difference of the natural logarithms of an area, a diameter or an irregularity; the
        difference of others. Positive if the later value is larger; NaN if one has no logarithm.

    Example:
        >>> round(find_distance(Measure.AREA, 100, 150), 3)
        0.405
        >>> find_distance(Measure.COLOURS, 3, 2)
        -1
    """
    if measure not in RATIOS:
        return later - earlier
    if min(earlier, later) <= 0:
        return math.nan
    return math.log(later / earlier)


def find_bounds(measure: Measure, earlier: float, limit: float) -> tuple[float, float]:
    """Return between which values 95% of second photographs lie, given the first one's.

    Example:
        >>> low, high = find_bounds(Measure.AREA, 100, math.log(2))
        >>> round(low), round(high)
        (50, 200)
        >>> find_bounds(Measure.COLOURS, 1, 2)
        (0, 3)
    """
    if measure in RATIOS:
        return earlier * math.exp(-limit), earlier * math.exp(limit)
    return max(0, earlier - limit), earlier + limit


def to_logit(probability: float) -> float:
    """Return the logit of a probability; below 1% that of 1%, above 99% that of 99%.

    Example:
        >>> to_logit(0.5), to_logit(0) == to_logit(0.01)
        (0.0, True)
    """
    clipped = min(max(probability, _FLOOR), 1 - _FLOOR)
    return math.log(clipped / (1 - clipped))


def find_probability_bounds(earlier: float, limit: float) -> tuple[float, float]:
    """Return between which probabilities 95% of second photographs lie, given the first one's.

    An end that reaches 1% or 99% is open: it is 0 or 1.

    Example:
        >>> low, high = find_probability_bounds(0.5, 1)
        >>> round(low, 3), round(high, 3)
        (0.269, 0.731)
        >>> find_probability_bounds(0.02, 1)[0]
        0.0
    """
    low, high = (1 / (1 + math.exp(-to_logit(earlier) - step)) for step in (-limit, limit))
    return 0.0 if low <= _FLOOR else low, 1.0 if high >= 1 - _FLOOR else high


def read_limits(folder: Path) -> ModelLimits | None:
    """Read the limits that were measured for a model.

    Args:
        folder: Of the model.

    Returns:
        None if they were not measured.

    Raises:
        ModelError: The file is damaged.
    """
    path = folder / _FILE
    if not path.is_file():
        return None
    try:
        return from_jsonable(ModelLimits, load_json(path.read_bytes()))
    except (OSError, TypeError, ValueError) as error:
        raise ModelError(
            f"Cannot read {path}: {error}. It should hold what `melanoma registration --keep` "
            "wrote. Remove it, or write it again."
        ) from error


def write_limits(folder: Path, limits: ModelLimits) -> None:
    """Keep limits in the folder of their model.

    Raises:
        FolderError: The folder cannot be written to.
    """
    content = dump_json(limits, indent=2).encode()
    write_file(folder / _FILE, content, "or leave out --keep")
