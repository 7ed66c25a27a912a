"""The ways to make a heatmap, without any of the libraries that make them."""

from enum import StrEnum


class Method(StrEnum):
    """How a heatmap is made."""

    GRAD_CAM = "grad-cam"
    GRAD_CAM_PLUS_PLUS = "grad-cam++"
    SCORE_CAM = "score-cam"
    SALIENCY = "saliency"

    @property
    def title(self) -> str:  # type: ignore[override]  # str.title is of no use on a code
        """What a person calls it."""
        return _TITLES[self]

    @property
    def description(self) -> str:
        """What it shows, in one sentence."""
        return _DESCRIPTIONS[self]

    @property
    def is_instant(self) -> bool:
        """Whether a reading holds its maps already; the others need TensorFlow."""
        return self is Method.GRAD_CAM


_TITLES = {
    Method.GRAD_CAM: "Grad-CAM",
    Method.GRAD_CAM_PLUS_PLUS: "Grad-CAM++",
    Method.SCORE_CAM: "Score-CAM",
    Method.SALIENCY: "Saliency (SmoothGrad)",
}
_DESCRIPTIONS = {
    Method.GRAD_CAM: "which places speak for the diagnosis, on the model's own scale",
    Method.GRAD_CAM_PLUS_PLUS: "as Grad-CAM, but counting only what raises the diagnosis",
    Method.SCORE_CAM: "how probable the diagnosis stays when only such places are left to see",
    Method.SALIENCY: "which pixels, changed a little, would change the diagnosis most",
}
