"""What changed between two photographs of a lesion: its measures, each with its unit.

Sizes are compared where both outlines lie in one plane (`records.shots`). Otherwise they are shares
of photographs that may differ in magnification, and are not compared. Asymmetry, colours and
probabilities need no common scale.
"""

from dataclasses import dataclass
from enum import StrEnum

from melanoma_core.records.registration import (
    NotRegistered,
    Registration,
    register_photographs,
)
from melanoma_core.records.repeatability import (
    PERSON,
    RATIOS,
    SCALED,
    Drawn,
    Measure,
    ModelLimits,
    find_bounds,
    find_probability_bounds,
)
from melanoma_core.records.shots import (
    MILLIMETRES,
    Plane,
    Shot,
    lay_in_plane,
    measure_in_plane,
    measure_shot,
    take_own,
)
from melanoma_core.records.vocabulary import OutlineSource
from melanoma_core.taxonomy import read_label, title_label

_MAX_DISAGREEMENT = 0.1  # between the scales that were entered and the magnification that is seen

NO_OUTLINE = "The {} photograph has no outline. Draw one."
OTHER_MODEL = "The photographs were read by different models."
NO_SCALE = "The photographs could not be laid on each other, and not both have a scale."
NO_VALUE = "The outline has no such measure."
UNKNOWN = (
    "For this model, it was not measured by how much two photographs of one lesion differ. "
    "`melanoma registration DIR --keep` measures it."
)


class Verdict(StrEnum):
    """What the difference between two photographs means."""

    CHANGED = "more than two photographs of the same lesion differ by"
    WITHIN = "within what two photographs of the same lesion differ by"
    NOT_COMPARABLE = "not comparable"
    LIMITS_UNKNOWN = "how much two photographs of the same lesion differ by is not known"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One measure in both photographs.

    Attributes:
        name: What is measured: a value of `Measure`, or "probability of …".
        unit: Its unit, such as "mm²", "pixels² of the earlier photograph" or "colours"; "" if it
            has none.
        earlier: In the earlier photograph; None if missing.
        later: In the later photograph, in the same unit; None if missing.
        is_ratio: Whether a relative difference has a meaning.
        limits: Between which values 95% of second photographs of an unchanged lesion lie; None if
            unknown, or if the two are not comparable.
        verdict: What the difference means.
        reason: Why it is not comparable, or why the limits are unknown; "" otherwise.
    """

    name: str
    unit: str
    earlier: float | None
    later: float | None
    is_ratio: bool = False
    limits: tuple[float, float] | None = None
    verdict: Verdict = Verdict.NOT_COMPARABLE
    reason: str = ""

    @property
    def difference(self) -> float | None:
        """Later minus earlier, in the unit; None if they are not comparable."""
        if self.earlier is None or self.later is None or self.verdict is Verdict.NOT_COMPARABLE:
            return None
        return self.later - self.earlier

    @property
    def relative(self) -> float | None:
        """The difference as a share of the earlier value; None where it has no meaning."""
        if self.difference is None or not self.is_ratio or not self.earlier:
            return None
        return self.difference / self.earlier


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two photographs of a lesion, compared.

    Attributes:
        registration: How the later lies on the earlier, or why that was not found.
        changes: The measures of the outlines, then the probabilities.
        warnings: What a person should know before believing them, in sentences.
    """

    registration: Registration | NotRegistered
    changes: tuple[Change, ...]
    warnings: tuple[str, ...] = ()


def compare_photographs(
    earlier: Shot, later: Shot, limits: ModelLimits | None = None
) -> Comparison:
    """Register two photographs of a lesion, and say what changed between them.

    Args:
        earlier: The photograph that was taken first.
        later: The other.
        limits: Of the model that read them (`repeatability.read_limits`); None if not measured.
    """
    return compare_registered(
        earlier, later, register_photographs(earlier.pixels, later.pixels), limits
    )


def compare_registered(
    earlier: Shot,
    later: Shot,
    registration: Registration | NotRegistered,
    limits: ModelLimits | None = None,
) -> Comparison:
    """Say what changed between two photographs whose registration is known.

    Args:
        earlier: The photograph that was taken first.
        later: The other.
        registration: Of the two.
        limits: As for `compare_photographs`.
    """
    warnings = _compare_scales(earlier, later, registration)
    outlines = _compare_outlines(earlier, later, registration, limits)
    probabilities = _compare_probabilities(earlier, later, limits)
    return Comparison(
        registration=registration, changes=(*outlines, *probabilities), warnings=warnings
    )


def _compare_outlines(
    earlier: Shot,
    later: Shot,
    registration: Registration | NotRegistered,
    limits: ModelLimits | None,
) -> list[Change]:
    """Return a change for each measure of an outline."""
    shots = earlier, later
    for name, shot in zip(("earlier", "later"), shots, strict=True):
        if not shot.points:
            return [_refuse(measure, "", NO_OUTLINE.format(name)) for measure in Measure]
    own = [measure_shot(shot) for shot in shots]
    values = [take_own(each) for each in own]
    missing = next((each.missing for each in own if each.missing), "")
    plane = lay_in_plane(earlier, later, registration)
    if plane is not None and not missing:
        for value, measured in zip(values, measure_in_plane(plane), strict=True):
            value.update(measured)
    known, unknown = _choose_limits(earlier, later, limits)
    changes = []
    for measure in Measure:
        pair = values[0][measure], values[1][measure]
        unit = _name_unit(measure, None if missing else plane)
        if missing and (measure in SCALED or None in pair):
            changes.append(_refuse(measure, unit, missing, pair))
        elif plane is None and measure in SCALED:
            changes.append(_refuse(measure, unit, _explain_scale(registration), pair))
        else:
            changes.append(_judge(measure, unit, pair, known.get(measure), unknown))
    return changes


def _refuse(
    name: str,
    unit: str,
    reason: str,
    pair: tuple[float | None, float | None] = (None, None),
) -> Change:
    return Change(name=name, unit=unit, earlier=pair[0], later=pair[1], reason=reason)


def _explain_scale(registration: Registration | NotRegistered) -> str:
    return f"{registration.reason} {NO_SCALE}" if isinstance(registration, NotRegistered) else ""


def _judge(
    measure: Measure,
    unit: str,
    pair: tuple[float | None, float | None],
    limit: float | None,
    unknown: str,
) -> Change:
    """Return the change of a measure that can be compared."""
    earlier, later = pair
    if earlier is None or later is None:
        return _refuse(measure, unit, NO_VALUE, pair)
    bounds = None if limit is None else find_bounds(measure, earlier, limit)
    return Change(
        name=measure,
        unit=unit,
        earlier=earlier,
        later=later,
        is_ratio=measure in RATIOS,
        limits=bounds,
        verdict=_compare_with(bounds, later),
        reason=unknown if bounds is None else "",
    )


def _compare_with(bounds: tuple[float, float] | None, later: float) -> Verdict:
    if bounds is None:
        return Verdict.LIMITS_UNKNOWN
    return Verdict.WITHIN if bounds[0] <= later <= bounds[1] else Verdict.CHANGED


def _name_unit(measure: Measure, plane: Plane | None) -> str:
    if measure is Measure.COLOURS:
        return "colours"
    if measure is Measure.ASYMMETRY:
        return "share of the lesion"
    if measure is Measure.BORDER:
        return ""
    if plane is None:
        whole = "the photograph" if measure is Measure.AREA else "the photograph's diagonal"
        return f"share of {whole}"
    if measure is Measure.DIAMETER:
        return plane.unit
    return "mm²" if plane.unit == MILLIMETRES else f"square {plane.unit}"


def _choose_limits(
    earlier: Shot, later: Shot, limits: ModelLimits | None
) -> tuple[dict[str, float], str]:
    """Return the limits of agreement by measure, and why they are unknown; "" if they are known."""
    drawn = Drawn.of(earlier.source, later.source)
    if drawn is Drawn.PERSON:
        return {str(measure): limit for measure, limit in PERSON.items()}, UNKNOWN
    drawn_by = {shot.model_id for shot in (earlier, later) if shot.source is OutlineSource.NETWORK}
    if len(drawn_by) > 1:
        return {}, "The outlines were drawn by different models."
    if limits is None or {limits.model_id} != drawn_by:
        return {}, UNKNOWN
    return dict(limits.network if drawn is Drawn.NETWORK else limits.mixed), UNKNOWN


def _compare_probabilities(earlier: Shot, later: Shot, limits: ModelLimits | None) -> list[Change]:
    """Return a change for each diagnosis that the model knows."""
    names = [name for name in earlier.probabilities if name in later.probabilities]
    known = limits.probabilities if limits and limits.model_id == earlier.model_id else {}
    changes = []
    for code in names:
        pair = earlier.probabilities[code], later.probabilities[code]
        name = f"probability of {title_label(read_label(code))}"
        if earlier.model_id != later.model_id:
            changes.append(_refuse(name, "", OTHER_MODEL, pair))
            continue
        limit = known.get(code)
        bounds = None if limit is None else find_probability_bounds(pair[0], limit)
        changes.append(
            Change(
                name=name,
                unit="",
                earlier=pair[0],
                later=pair[1],
                limits=bounds,
                verdict=_compare_with(bounds, pair[1]),
                reason=UNKNOWN if bounds is None else "",
            )
        )
    return changes


def _compare_scales(
    earlier: Shot, later: Shot, registration: Registration | NotRegistered
) -> tuple[str, ...]:
    """Return a warning if the magnification contradicts the scales of the photographs."""
    scales = earlier.millimetres_per_pixel, later.millimetres_per_pixel
    if isinstance(registration, NotRegistered) or scales[0] is None or scales[1] is None:
        return ()
    expected = scales[1] / scales[0]
    if abs(registration.scale / expected - 1) <= _MAX_DISAGREEMENT:
        return ()
    return (
        f"By their scales, the later photograph is magnified {1 / expected:.2f} times as much as "
        f"the earlier one; laid on each other, {1 / registration.scale:.2f} times. One of the "
        "scales may be wrong.",
    )
