"""The methods for heatmaps. Imports none of the libraries that compute them."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # pages import this module before NumPy
    import numpy as np
    from numpy.typing import NDArray


class Method(StrEnum):
    """A method to compute a heatmap."""

    GRAD_CAM = "grad-cam"
    GRAD_CAM_PLUS_PLUS = "grad-cam++"
    SCORE_CAM = "score-cam"
    SALIENCY = "saliency"

    @property
    def title(self) -> str:  # type: ignore[override]  # str.title is of no use on a code
        """Name of the method, for people."""
        return _TITLES[self]

    @property
    def description(self) -> str:
        """What the heatmap shows."""
        return _DESCRIPTIONS[self]

    @property
    def is_instant(self) -> bool:
        """Whether every reading contains the heatmap. The other methods need TensorFlow."""
        return self is Method.GRAD_CAM


@dataclass(frozen=True, eq=False)
class HeatmapRequest:
    """Heatmaps to compute with the Keras form of a model.

    Attributes:
        folder: Folder of the model.
        sha256: Hash of its Keras form (hex), from the model card.
        pixels: uint8 [N, size, size, 3], at the input size of the network.
        class_indices: int64 [N], the class to explain in each photograph.
        method: The method.
    """

    folder: Path
    sha256: str
    pixels: "NDArray[np.uint8]"
    class_indices: "NDArray[np.int64]"
    method: Method


_TITLES = {
    Method.GRAD_CAM: "Grad-CAM",
    Method.GRAD_CAM_PLUS_PLUS: "Grad-CAM++",
    Method.SCORE_CAM: "Score-CAM",
    Method.SALIENCY: "Saliency (SmoothGrad)",
}
_DESCRIPTIONS = {
    Method.GRAD_CAM: "regions with evidence for the diagnosis, on a fixed scale of the model",
    Method.GRAD_CAM_PLUS_PLUS: "as Grad-CAM, but only from gradients that raise the diagnosis",
    Method.SCORE_CAM: "regions that keep the diagnosis probable when the rest is hidden",
    Method.SALIENCY: "pixels whose small changes affect the diagnosis most",
}
