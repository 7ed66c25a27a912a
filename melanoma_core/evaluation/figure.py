"""A metric with its 95% confidence interval, and a curve with its 95% confidence band.

Imports no NumPy, because every model card that is opened holds figures.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A metric with its 95% confidence interval and the data that it was computed on.

    Attributes:
        value: The metric; NaN where it is undefined.
        low: Lower end of the 95% confidence interval, resampled by lesion; NaN where undefined.
        high: Upper end of the interval; NaN where undefined.
        count: Numerator if the metric is a share of images, else None.
        total: Number of images that the metric was computed on.
        num_lesions: Number of lesions that these images show.
    """

    value: float
    low: float
    high: float
    count: int | None
    total: int
    num_lesions: int


UNDEFINED = Figure(math.nan, math.nan, math.nan, None, 0, 0)  # of no images


@dataclass(frozen=True)
class Curve:
    """A curve with its 95% confidence band, sampled at a fixed number of points.

    Attributes:
        x: Ascending. Empty, as are all other attributes, where the curve is undefined.
        y: The curve at each x.
        low: Lower end of the pointwise 95% confidence interval, resampled by lesion; NaN where
            undefined.
        high: Upper end of the interval; NaN where undefined.
        threshold: Probability threshold that reaches each point; NaN where no threshold does.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    threshold: tuple[float, ...]


EMPTY_CURVE = Curve((), (), (), (), ())
