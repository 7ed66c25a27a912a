"""The measures of an outline in words: title, value and definition of each.

Imports no NumPy, so that a page appears before it is imported.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from melanoma_core.models.card_text.formats import format_percent

if TYPE_CHECKING:
    from melanoma_core.reading.outline_measures import OutlineMeasures

NO_VERDICT = (
    "They describe the picture in the terms of the ABCD rule. No alert depends on them, and none "
    "of them is a verdict."
)
MISSING = "missing"
TITLES = {
    "asymmetry": "Asymmetry",
    "border_irregularity": "Border irregularity",
    "abrupt_segments": "Abrupt eighths of the border",
    "colours": "Colours",
    "diameter": "Diameter",
    "area_share": "Area",
}
_DEFINITIONS = {
    "asymmetry": "Share of the lesion whose mirror image lies outside of it: the mean over two "
    "perpendicular axes through its centre, placed where it is smallest. 0% is symmetrical "
    "(Stolz et al. 1994). Of the shape alone, not of colours.",
    "border_irregularity": "Perimeter² divided by 4π times the area: 1 for a circle, 1.27 for a "
    "square, more for notches (Golston et al. 1992).",
    "abrupt_segments": "In how many of eight segments more than half of the change in lightness, "
    "from lesion to skin, lies within a tenth of the radius (after Stolz et al. 1994).",
    "colours": "Which of the six colours of dermoscopy (Stolz et al. 1994) cover at least 5% of "
    "the lesion, by the nearest reference colour (Kasmi and Mokrani 2016, Ali et al. 2020), in "
    "relation to the skin around the lesion. Light and camera change them.",
    "diameter": "Longest distance between two points of the outline (Feret), as a share of the "
    "photograph's diagonal. In millimetres only where the width of the photograph is known.",
    "area_share": "Share of the photograph that the lesion covers.",
}


@dataclass(frozen=True)
class MeasureText:
    """A measure of an outline in words.

    Attributes:
        title: Its name.
        value: Its value, or that it is missing.
        definition: What it is, with the paper.
    """

    title: str
    value: str
    definition: str


def describe_measures(
    measures: "OutlineMeasures", size: tuple[int, int], width_mm: float | None = None
) -> list[MeasureText]:
    """Return the measures in words, in the order of the ABCD rule.

    Args:
        measures: Of an outline.
        size: Height and width of the photograph in pixels.
        width_mm: Width of what the photograph shows, in millimetres; None if it is unknown.

    Example:
        >>> from melanoma_core.reading.outline_measures import OutlineMeasures
        >>> describe_measures(OutlineMeasures(diameter=0.4), (300, 400), 20)[4].value
        '40.0% of the diagonal, 10.0 mm'
    """
    values = {
        "asymmetry": _format_share(measures.asymmetry),
        "border_irregularity": _format(measures.border_irregularity, "{:.2f}"),
        "abrupt_segments": _format(measures.abrupt_segments, "{} of 8"),
        "colours": _format_colours(measures.colours),
        "diameter": _format_diameter(measures.diameter, size, width_mm),
        "area_share": _format_share(measures.area_share, " of the photograph"),
    }
    return [MeasureText(title, values[name], _DEFINITIONS[name]) for name, title in TITLES.items()]


def describe_energy(share: float | None) -> str:
    """Return how much of a heatmap lies inside the outline, in a sentence; "" if undefined.

    >>> describe_energy(0.714)
    '71.4% of the strength of this heatmap lies inside the outline of the lesion.'
    """
    if share is None:
        return ""
    return (
        f"{format_percent(share)} of the strength of this heatmap lies inside the outline of the "
        "lesion."
    )


def _format(value: float | None, form: str) -> str:
    return MISSING if value is None else form.format(value)


def _format_share(value: float | None, of: str = "") -> str:
    return MISSING if value is None else f"{format_percent(value)}{of}"


def _format_colours(colours: tuple[str, ...] | None) -> str:
    if colours is None:
        return MISSING
    return f"{len(colours)}: {', '.join(colours)}" if colours else "none of the six"


def _format_diameter(diameter: float | None, size: tuple[int, int], width_mm: float | None) -> str:
    text = _format_share(diameter, " of the diagonal")
    if diameter is None or width_mm is None:
        return text
    return f"{text}, {diameter * math.hypot(*size) / size[1] * width_mm:.1f} mm"
