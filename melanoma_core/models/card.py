"""The model card: what a reading needs, and what a user should know about the model.

After Mitchell et al., "Model Cards for Model Reporting" (2019).
"""

import math
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, TypedDict

from melanoma_core.errors import ModelError
from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.leakage import Leakage
from melanoma_core.evaluation.rules import ConformalBounds, DecisionRules
from melanoma_core.jsonable import dump_json, from_jsonable, load_json

CARD_NAME = "card.json"
KERAS_NAME = "model.keras"
ONNX_NAME = "model.onnx"
EVERY_CLASS = "all"
_MOST_CARDS = 64  # in memory
# By diagnosis (or EVERY_CLASS), then by the name of the metric; see `reading.faithfulness`.
ExplanationFigures = dict[str, dict[str, Figure]]


@dataclass(frozen=True)
class OperatingPoint:
    """The threshold of an alert on a probability, and how it was chosen.

    Attributes:
        threshold: This calibrated probability or a larger one raises the alert; in (0, 1).
        target_sensitivity: The sensitivity that the threshold was chosen for.
        chosen_on: The subset that it was chosen on. Metrics are never reported on this subset.
    """

    threshold: float
    target_sensitivity: float
    chosen_on: str


@dataclass(frozen=True)
class NoveltyLimit:
    """The limit of the out-of-distribution check.

    Attributes:
        distance: Photographs with a larger Mahalanobis distance are refused; in standard
            deviations.
        chosen_on: The subset that it was chosen on.
        largest_share: Share of real lesions that it may refuse on this subset.
        refused: Share of real lesions that it refuses, by their origin: the subset that it was
            chosen on, "test", "test/<collection>", and "<collection> left out", if the collection
            was left out when fitting the check and choosing the limit.
        features: Description of the compared features, for people.
    """

    distance: float
    chosen_on: str
    largest_share: float
    refused: dict[str, Figure]
    features: str

    def refuses(self, distance: float) -> bool:
        """Return whether a photograph at this distance is refused; NaN is."""
        return not distance <= self.distance


@dataclass(frozen=True)
class OutlineFacts:
    """What is known of the outline that a model draws around a lesion.

    Attributes:
        side: Side of the square grid of the outline, in cells.
        threshold: Cells of this probability or a larger one are inside the lesion; in (0, 1).
        fitted_on: The subset that the threshold was chosen on.
        dice: Agreement with the manually drawn outlines of test photographs, as the mean Dice
            coefficient over photographs in [0, 1] (Dice 1945, doi:10.2307/1932409), by key of
            `evaluation.subsets`: "test" and "test/<collection>".
        description: How the outline was trained and measured, for people.
    """

    side: int
    threshold: float
    fitted_on: str
    dice: dict[str, Figure]
    description: str


class FileCounts(TypedDict):
    """What became of the image files of a dataset; the sum of the others is `found`."""

    found: int
    kept: int
    relabelled: int
    left_out: dict[str, int]


class DataFacts(TypedDict, total=False):
    """What is known of the data of a model (`training.description`); further keys are kept.

    Counts are numbers of images or lesions; by subset first where there are two levels.
    """

    sha256: str
    split_seed: int
    left_out: str
    without: list[str]
    train_only: list[str]
    images: dict[str, int]
    lesions: dict[str, int]
    images_by_label: dict[str, dict[str, int]]
    images_by_source: dict[str, dict[str, int]]
    images_by_confirmation: dict[str, dict[str, int]]
    images_by_skin_tone: dict[str, dict[str, int]]
    images_without: dict[str, int]
    longer_side_pixels: dict[str, float]
    licences: list[str]
    images_by_licence: dict[str, int]
    images_by_attribution: dict[str, int]
    licence_of_the_model: str | None
    file_decisions: dict[str, int]
    files: FileCounts
    recomputed_from: str
    keras_onnx_difference: float


class RecipeFacts(TypedDict, total=False):
    """What others read in the recipe of a card; the further settings are kept as they are."""

    name: str
    architecture: str
    weights: str | dict[str, str | None]
    image_size: int
    batch_normalization: bool
    colour_constancy: bool
    num_views: int
    seed: int


@dataclass(frozen=True)
class ModelCard:
    """The content of `card.json`, beside the weights.

    Attributes:
        model_id: Unique and never used again, so that caches can use it as a key.
        created_at: UTC, ISO 8601.
        class_names: Diagnosis codes in the order of the network's outputs.
        melanoma_index: Position of melanoma in `class_names`.
        image_size: Side of the network's square input, in pixels.
        heatmap: How the ONNX network computes its heatmaps: "activation-maps" are class
            activation maps; "gradients at <layer>" are Grad-CAM heatmaps of that layer.
        heatmap_scale: Value of an activation map that is drawn at full strength, in logits.
        temperature: Divides the logits before the softmax.
        operating_point: When the melanoma alert is raised.
        metrics: Metrics by subset and name: `{"test": {"sensitivity": Figure, …}, …}`.
        files: SHA-256 (hex) by file name, of all files in the model's folder except the card.
        data: Data for training and test: sources, hash, licences, counts, conflicts.
        recipe: The training recipe, as its JSON.
        versions: Library versions that the model was made with.
        intended_use: Who may use the model for what.
        limitations: What the model cannot do, one sentence each.
        leakage: Result of the leakage check between training and test; None if it was not done.
            A card with leakage is loaded without metrics.
        conformal: Bounds of the conformal prediction sets; None if the model makes no sets.
        explanation: Results of the faithfulness tests of the heatmaps, by method
            (`models.methods`); None if they were not tested.
        novelty: Limit of the out-of-distribution check; None if the model has no such check.
        robustness: How alerts, refusals and probabilities change when test photographs get
            artefacts, by artefact and name (`assessment.robustness`); None if it was not measured.
        skin_cancer_operating_point: When the skin cancer alert is raised; None if the model has
            no such alert.
        lesion_temperature: Divides the mean of the logits over the photographs of a lesion with
            two or more; None for `temperature`.
        outline: What is known of the outlines that the model draws; None if it draws none.
    """

    model_id: str
    created_at: str
    class_names: tuple[str, ...]
    melanoma_index: int
    image_size: int
    heatmap: str
    heatmap_scale: float
    temperature: float
    operating_point: OperatingPoint
    metrics: dict[str, dict[str, Figure]]
    files: dict[str, str]
    data: Annotated[dict[str, Any], DataFacts]
    recipe: Annotated[dict[str, Any], RecipeFacts]
    versions: dict[str, str]
    intended_use: str
    limitations: tuple[str, ...] = field(default=())
    leakage: Leakage | None = None
    conformal: ConformalBounds | None = None
    explanation: dict[str, ExplanationFigures] | None = None
    novelty: NoveltyLimit | None = None
    robustness: dict[str, dict[str, Figure]] | None = None
    skin_cancer_operating_point: OperatingPoint | None = None
    lesion_temperature: float | None = None
    outline: OutlineFacts | None = None

    @property
    def frequencies(self) -> tuple[float, ...] | None:
        """Class frequencies in the training data, which the probabilities assume.

        None if the card does not contain them.
        """
        counts = self.data.get("images_by_label", {}).get("train", {})
        total = sum(counts.get(name, 0) for name in self.class_names)
        return tuple(counts.get(name, 0) / total for name in self.class_names) if total else None

    @property
    def rules(self) -> DecisionRules:
        """How probabilities become a diagnosis, two alerts and a prediction set."""
        skin_cancer = self.skin_cancer_operating_point
        return DecisionRules(
            self.class_names,
            self.melanoma_index,
            self.operating_point.threshold,
            self.conformal,
            self.frequencies,
            skin_cancer.threshold if skin_cancer else None,
            (self.lesion_temperature or self.temperature) / self.temperature,
        )

    def save(self, folder: Path) -> None:
        """Write `card.json` into `folder`."""
        text = dump_json(self, indent=2) + "\n"
        # A name of a folder that is not UTF-8 must not lose a finished training.
        (folder / CARD_NAME).write_bytes(text.encode("utf-8", "replace"))


def load_card(folder: Path) -> ModelCard:
    """Return the card of the model in `folder`; not to be changed, since callers share it.

    Raises:
        ModelError: The card is missing, damaged, or not a card of this project.
    """
    path = folder / CARD_NAME
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise ModelError(
            f"Found no {CARD_NAME} in {folder}. A model is a folder with {CARD_NAME}, {ONNX_NAME} "
            f"and {KERAS_NAME}. Restore it, or train a new one with "
            "`python -m melanoma_core train`."
        ) from None
    except OSError as error:
        raise _explain(f"Cannot read {path} ({error.strerror}).") from error
    return _parse_card(content, path)


# Kept by content: a page asks for the same card several times in each of its runs.
@lru_cache(maxsize=_MOST_CARDS)
def _parse_card(content: bytes, path: Path) -> ModelCard:
    try:
        raw = load_json(content)
    except ValueError as error:
        raise _explain(f"Cannot read {path} ({error}).") from error
    try:
        return _card_from_json(raw)
    except (TypeError, ValueError) as error:
        raise _explain(f"{path} is not a model card of this project ({error}).") from error


def _explain(problem: str) -> ModelError:
    return ModelError(f"{problem} Restore the file from its source, or name another model.")


def _card_from_json(raw: Any) -> ModelCard:
    card = from_jsonable(ModelCard, raw)
    if card.leakage is not None and card.leakage.found:
        card = replace(card, metrics={}, explanation=None, robustness=None)
        if card.outline is not None:
            card = replace(card, outline=replace(card.outline, dice={}))
    datetime.fromisoformat(card.created_at).astimezone(UTC)  # or a ValueError
    _check_numbers(card)
    return card


def _check_numbers(card: ModelCard) -> None:
    """Reject values that would give plausible but wrong readings.

    Raises:
        ValueError: A value is out of range.
    """
    checks = {
        "class_names": len(set(card.class_names)) == len(card.class_names),
        "melanoma_index": 0 <= card.melanoma_index < len(card.class_names),
        "image_size": card.image_size >= 1,
        "heatmap_scale": 0 < card.heatmap_scale < math.inf,
        "temperature": 0 < card.temperature < math.inf,
        "lesion_temperature": (
            card.lesion_temperature is None or 0 < card.lesion_temperature < math.inf
        ),
        "threshold": 0 <= card.operating_point.threshold <= 1,
        "skin_cancer_operating_point": (
            card.skin_cancer_operating_point is None
            or 0 <= card.skin_cancer_operating_point.threshold <= 1
        ),
        "lowest_probability": all(
            each.lowest_probability is None or 0 <= each.lowest_probability <= 1
            for each in (card.conformal.bounds if card.conformal else {}).values()
        ),
        "novelty": card.novelty is None or 0 < card.novelty.distance < math.inf,
        "outline": card.outline is None
        or (card.outline.side >= 1 and 0 < card.outline.threshold < 1),
    }
    wrong = [name for name, is_valid in checks.items() if not is_valid]
    if wrong:
        raise ValueError(f"{', '.join(wrong)}: out of range")
    if card.conformal is not None and list(card.conformal.bounds) != list(card.class_names):
        raise ValueError("conformal.bounds: other classes than class_names")
