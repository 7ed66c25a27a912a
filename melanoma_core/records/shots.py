"""Measure the outlines of two photographs in one plane.

The plane is that of the earlier photograph, in which registration places the later one, or one in
millimetres where a scale is known. Both outlines are measured at the same size of pixels, since a
border is smoother in larger ones.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from melanoma_core.reading.outline_measures import OutlineMeasures, choose_size, measure_outline
from melanoma_core.records.outlines import Points, fill_polygon
from melanoma_core.records.repeatability import SCALED, Measure
from melanoma_core.records.vocabulary import OutlineSource

if TYPE_CHECKING:  # which imports scikit-image, for seconds
    from melanoma_core.records.registration import NotRegistered, Registration

_MARGIN = 0.25  # of the larger extent of the two outlines, around them
MILLIMETRES, PIXELS = "mm", "pixels of the earlier photograph"


@dataclass(frozen=True, kw_only=True, eq=False)
class Shot:
    """One of the two photographs, with what is known of it.

    Attributes:
        pixels: uint8 [H, W, 3], sRGB.
        points: The outline of the lesion, as shares of width and height; () if there is none.
        source: Who drew the outline.
        millimetres_per_pixel: Scale of `pixels`; None if unknown.
        probabilities: Of the network, by diagnosis code; empty if it was not read.
        model_id: Id of the model that read it or drew the outline; "" if none did.
    """

    pixels: NDArray[np.uint8]
    points: Points = ()
    source: OutlineSource = OutlineSource.PERSON
    millimetres_per_pixel: float | None = None
    probabilities: Mapping[str, float] = field(default_factory=dict)
    model_id: str = ""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        height, width = self.pixels.shape[:2]
        return height, width


def measure_shot(shot: Shot) -> OutlineMeasures:
    """Measure the outline of a photograph in its own pixels."""
    return measure_outline(fill_polygon(shot.points, *choose_size(*shot.size)), shot.pixels)


def take_own(measures: OutlineMeasures) -> dict[Measure, float | None]:
    """Return the measures of an outline in its own photograph: sizes as shares of it."""
    colours = measures.colours
    return {
        Measure.AREA: measures.area_share,
        Measure.DIAMETER: measures.diameter,
        Measure.ASYMMETRY: measures.asymmetry,
        Measure.BORDER: measures.border_irregularity,
        Measure.COLOURS: None if colours is None else len(colours),
    }


@dataclass(frozen=True, eq=False)
class Plane:
    """Both outlines in one plane.

    Attributes:
        earlier: float64 [N, 2], x and y of the corners.
        later: float64 [M, 2], in the same unit.
        unit: The unit of length.
    """

    earlier: NDArray[np.float64]
    later: NDArray[np.float64]
    unit: str


def lay_in_plane(
    earlier: Shot, later: Shot, registration: "Registration | NotRegistered"
) -> Plane | None:
    """Return both outlines in one plane; None if there is none."""
    from melanoma_core.records.registration import NotRegistered, lay_points

    first, second = (_to_pixels(shot.points, shot.size) for shot in (earlier, later))
    scales = earlier.millimetres_per_pixel, later.millimetres_per_pixel
    if scales[0] is not None and scales[1] is not None:
        return Plane(first * scales[0], second * scales[1], MILLIMETRES)
    if isinstance(registration, NotRegistered):
        return None
    second = _to_pixels(lay_points(later.points, registration), earlier.size)
    if scales[0] is not None:
        return Plane(first * scales[0], second * scales[0], MILLIMETRES)
    if scales[1] is not None:
        scale = scales[1] / registration.scale
        return Plane(first * scale, second * scale, MILLIMETRES)
    return Plane(first, second, PIXELS)


def _to_pixels(points: Points, size: tuple[int, int]) -> NDArray[np.float64]:
    return np.asarray(points, np.float64).reshape(-1, 2) * size[::-1]


def measure_in_plane(plane: Plane) -> list[dict[Measure, float | None]]:
    """Return area, diameter and border irregularity of the earlier and of the later outline."""
    corners = plane.earlier, plane.later
    extent = max(float(np.ptp(each, axis=0).max()) for each in corners)
    if not extent > 0:
        return [dict.fromkeys(SCALED) for _ in corners]
    side = extent * (1 + 2 * _MARGIN)
    size = choose_size(1, 1)
    measured = []
    for each in corners:
        middle = (each.min(axis=0) + each.max(axis=0)) / 2
        shares = (each - middle) / side + 0.5
        inside = fill_polygon(tuple((x, y) for x, y in shares.tolist()), *size)
        shape = measure_outline(inside, np.zeros((*size, 3), np.uint8))
        measured.append(
            {
                Measure.AREA: _times(shape.area_share, side**2),
                Measure.DIAMETER: _times(shape.diameter, side * math.sqrt(2)),
                Measure.BORDER: shape.border_irregularity,
            }
        )
    return measured


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor
