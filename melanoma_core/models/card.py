"""The model card: all that serving needs and all that a reader should know.

After Mitchell et al., "Model Cards for Model Reporting" (2019).
"""

import json
import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from melanoma_core.errors import ModelError
from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.leakage import Leakage
from melanoma_core.evaluation.prediction_set import ConformalBounds
from melanoma_core.jsonable import dump_json, from_jsonable

CARD_NAME = "card.json"
KERAS_NAME = "model.keras"
ONNX_NAME = "model.onnx"
EVERY_CLASS = "all"
# By the diagnosis of the photographs (or EVERY_CLASS), then by name: `reading.faithfulness`.
ExplanationFigures = dict[str, dict[str, Figure]]


@dataclass(frozen=True)
class OperatingPoint:
    """The threshold on the probability of melanoma, and where it comes from.

    Attributes:
        threshold: Alert at or above this calibrated probability, in (0, 1).
        target_sensitivity: What it was chosen for.
        chosen_on: The subset that it was chosen on; never the one reported on.
    """

    threshold: float
    target_sensitivity: float
    chosen_on: str


@dataclass(frozen=True)
class NoveltyLimit:
    """From where a photograph is too unlike those that were learned from to be read.

    Attributes:
        distance: The largest Mahalanobis distance that is read, in standard deviations.
        chosen_on: The subset that it was chosen on.
        largest_share: The share of real lesions that it was allowed to refuse there.
        refused: Share of real lesions that it refuses, by what they are: the subset that it was
            chosen on, "test", "test/<collection>", and "<collection> left out", where the
            collection was left out of the fit and the choice.
        features: What is compared, for a reader.
    """

    distance: float
    chosen_on: str
    largest_share: float
    refused: dict[str, Figure]
    features: str


@dataclass(frozen=True)
class ModelCard:
    """What travels beside the weights, as `card.json`.

    Attributes:
        model_id: Unique for ever, so that what is cached by it cannot go stale.
        created_at: UTC, ISO 8601.
        class_names: Diagnosis codes in the order of the network's outputs.
        melanoma_index: Position of melanoma in `class_names`.
        image_size: Side of the network's square input, in pixels.
        heatmap: How the maps that the ONNX network returns are made: "activation-maps" are class
            activation maps; "gradients at <layer>" are Grad-CAM maps of that layer.
        heatmap_scale: Value of an activation map that is drawn at full strength, in logits.
        temperature: Divides the logits before the softmax.
        operating_point: When the alert is raised.
        metrics: Figures by subset and name: `{"test": {"sensitivity": Figure, …}, …}`.
        files: SHA-256 (hex) by file name, of everything the model folder holds but the card.
        data: What it was trained and measured on: sources, hash, licences, counts, conflicts.
        recipe: The training recipe, as its JSON.
        versions: Versions of the libraries that made it.
        intended_use: Who may use it for what.
        limitations: What it cannot do, one sentence each.
        leakage: What the search for relatives between test and training found; None where nobody
            looked. Where it found any, there are no metrics, whatever the file says.
        conformal: From which probability a diagnosis belongs to the set of a reading; None where
            the model makes no sets.
        explanation: How its heatmaps fared, by the method that made them ("grad-cam"; see
            `reading.methods`); None where they were not tested.
        novelty: When a photograph is refused as unlike a lesion; None where it is never asked.
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
    data: dict[str, Any]
    recipe: dict[str, Any]
    versions: dict[str, str]
    intended_use: str
    limitations: tuple[str, ...] = field(default=())
    leakage: Leakage | None = None
    conformal: ConformalBounds | None = None
    explanation: dict[str, ExplanationFigures] | None = None
    novelty: NoveltyLimit | None = None

    @property
    def frequencies(self) -> tuple[float, ...] | None:
        """Share of each class among the photographs trained on, whose mix the probabilities are of.

        None where the card does not tell it.
        """
        counts = self.data.get("images_by_label", {}).get("train", {})
        total = sum(counts.get(name, 0) for name in self.class_names)
        return tuple(counts.get(name, 0) / total for name in self.class_names) if total else None

    def save(self, folder: Path) -> None:
        """Write the card into `folder`."""
        text = dump_json(self, indent=2)
        (folder / CARD_NAME).write_text(text + "\n", encoding="utf-8")


def load_card(folder: Path) -> ModelCard:
    """Read the card of the model in `folder`.

    Raises:
        ModelError: There is no card, or it is not one of ours.
    """
    path = folder / CARD_NAME
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(
            f"Found no {CARD_NAME} in {folder}. A model is a folder with {CARD_NAME}, {ONNX_NAME} "
            f"and {KERAS_NAME}. Restore it, or train a new one with "
            "`python -m melanoma_core train`."
        ) from None
    except (OSError, ValueError) as error:
        raise ModelError(
            f"Cannot read {path}: {error}. Restore the file from its source, or name another model."
        ) from error
    try:
        return _card_from_json(raw)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ModelError(
            f"{path} is not a model card of this project ({error}). "
            "Restore the file from its source, or name another model."
        ) from error


def _card_from_json(raw: dict[str, Any]) -> ModelCard:
    card = from_jsonable(ModelCard, raw)
    if card.leakage is not None and card.leakage.found:
        card = replace(card, metrics={}, explanation=None)
    _check_numbers(card)
    return card


def _check_numbers(card: ModelCard) -> None:
    """Refuse numbers with which a reading would be wrong without looking so."""
    sound = {
        "melanoma_index": 0 <= card.melanoma_index < len(card.class_names),
        "image_size": card.image_size >= 1,
        "heatmap_scale": 0 < card.heatmap_scale < math.inf,
        "temperature": 0 < card.temperature < math.inf,
        "threshold": 0 <= card.operating_point.threshold <= 1,
        "lowest_probability": all(
            each.lowest_probability is None or 0 <= each.lowest_probability <= 1
            for each in (card.conformal.bounds if card.conformal else {}).values()
        ),
        "novelty": card.novelty is None or 0 < card.novelty.distance < math.inf,
    }
    wrong = [name for name, is_sound in sound.items() if not is_sound]
    if wrong:
        raise ValueError(f"{', '.join(wrong)} out of range")
    if card.conformal is not None and list(card.conformal.bounds) != list(card.class_names):
        raise ValueError("conformal bounds of other classes")
