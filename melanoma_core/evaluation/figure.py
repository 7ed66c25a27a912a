"""What a measured figure and a measured curve are.

Without NumPy, since every model card that is opened holds some.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured figure with what it rests on.

    Attributes:
        value: The figure; NaN where it is undefined.
        low: Lower end of its 95% interval, resampled by lesion; NaN where undefined.
        high: Upper end, likewise.
        count: Numerator where the figure is a share of images, else None.
        total: Number of images that the figure rests on.
        num_lesions: Number of lesions among them.
    """

    value: float
    low: float
    high: float
    count: int | None
    total: int
    num_lesions: int


@dataclass(frozen=True)
class Curve:
    """One measured curve, as many points as a screen shows, with its 95% band.

    Attributes:
        x: Ascending. Empty, as the others, where the curve is undefined.
        y: The curve at each x.
        low: Lower end of the 95% interval at each x on its own, resampled by lesion; NaN where
            undefined.
        high: Upper end, likewise.
        threshold: The probability from which a case counts there; NaN where none does.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    threshold: tuple[float, ...]
