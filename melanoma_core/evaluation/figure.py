"""What a measured figure is. Without NumPy, since every model card that is opened holds some."""

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
