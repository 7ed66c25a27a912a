"""Faithfulness tests of a model's heatmaps, on photographs of lesions with an outline."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from melanoma_core.data.decoding import decode_table
from melanoma_core.data.outlines import read_outline, select_outlined
from melanoma_core.evaluation.faithfulness import (
    CurveAreas,
    average,
    average_difference,
    draw_random_map,
    make_centred_map,
    measure_energy_inside,
    measure_lesion_share,
    play_pointing_game,
    trace_photograph,
)
from melanoma_core.evaluation.figure import Figure
from melanoma_core.models.card import EVERY_CLASS, KERAS_NAME, ExplanationFigures
from melanoma_core.models.classifier import Classifier, Outputs
from melanoma_core.models.methods import HeatmapRequest, Method
from melanoma_core.progress import Progress
from melanoma_core.reading.explanation import (
    scale_evidence,
    scale_to_strongest,
    shape_heatmaps,
)

NUM_TRACED = 48  # photographs for deletion and insertion, which take 40 passes each
NUM_RANDOMISED = 32  # photographs for the comparison with random weights
PASSES_PER_TRACE = 40
_BATCH = NUM_RANDOMISED
_OUTLINE_FIGURES = (
    "energy_inside",
    "lesion_share",
    "energy_centred",
    "pointing_game",
    "pointing_centred",
)


class HeatmapSource(Protocol):
    """Computes heatmaps that need gradients; see `networks.explainer.Explainer`."""

    def explain(self, request: HeatmapRequest) -> NDArray[np.float32]:
        """Return one heatmap per photograph, float32 [N, h, w], at least 0."""

    def compare_randomised(self, request: HeatmapRequest) -> dict[str, NDArray[np.float64]]:
        """Return the similarity to heatmaps of random weights, float64 [N], by stage."""


@dataclass(frozen=True, eq=False)
class MapMaker:
    """Computes the heatmaps that are tested.

    Attributes:
        classifier: The model, which also returns the Grad-CAM heatmaps.
        folder: Folder of the model.
        explainer: Computes heatmaps of other methods and of random weights.
        method: The tested method.
    """

    classifier: Classifier
    folder: Path
    explainer: HeatmapSource
    method: Method = Method.GRAD_CAM

    def make(
        self, pixels: NDArray[np.uint8], outputs: Outputs, class_indices: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Return the heatmap of one class per photograph, float32 [N, h, w] in [0, 1].

        It is scaled as a reading scales it.
        """
        if self.method is Method.GRAD_CAM:
            chosen = outputs.activation_maps[np.arange(len(pixels)), class_indices]
            return scale_evidence(chosen, self.classifier.card.heatmap_scale)
        maps = self.explainer.explain(self.make_request(pixels, class_indices))
        return np.stack([scale_to_strongest(each, self.method) for each in maps])

    def make_request(
        self, pixels: NDArray[np.uint8], class_indices: NDArray[np.int64]
    ) -> HeatmapRequest:
        """Return the request to the explainer for the heatmaps of N photographs."""
        sha256 = self.classifier.card.files.get(KERAS_NAME, "")
        return HeatmapRequest(self.folder, sha256, pixels, class_indices, self.method)


def measure_maps(
    maker: MapMaker,
    table: pd.DataFrame,
    limit: int | None = None,
    progress: Progress | None = None,
) -> ExplanationFigures | None:
    """Test the heatmaps that a reading shows first.

    That is the heatmap of melanoma if there is an alert, else of the most probable diagnosis.

    Args:
        maker: Computes the heatmaps.
        table: Photographs not seen in training: `path`, `label`, `group`.
        limit: Maximum number of photographs, drawn at random; None means all.
        progress: Called with the number of finished photographs and their total number.

    Returns:
        Metrics by diagnosis (`EVERY_CLASS` for all photographs) and name; None if no photograph
        has an outline. The names:

        - "energy_inside", "lesion_share", "energy_centred", "energy_above_centred" (paired),
          "pointing_game", "pointing_centred": see `evaluation.faithfulness`.
        - "flat_maps": share of heatmaps without any evidence. The other metrics leave them out.
        - "deletion", "deletion_random", "deletion_gain" (paired; above 0 the heatmap is better
          than random), and the same for "insertion". Only for `EVERY_CLASS`: heatmaps of melanoma
          on at most 48 photographs with an alert.
        - "similarity_…" by stage of `randomisation.compare_randomised`. Only for `EVERY_CLASS`, on
          at most 32 photographs.

    Raises:
        ImageError: A file is missing or has changed since the table was made.
        ExplanationError: TensorFlow is not installed.
    """
    outlined = select_outlined(table)
    if outlined.empty:
        return None
    if limit is not None:
        outlined = outlined.sample(min(limit, len(outlined)), random_state=0)
    measured = _measure_inside(maker, outlined, progress)
    labels, groups = outlined["label"].to_numpy(), outlined["group"].to_numpy()
    selections = {EVERY_CLASS: np.ones(len(outlined), dtype=bool)}
    selections |= {str(name): labels == name for name in maker.classifier.card.class_names}
    figures = {
        name: _summarise(measured[rows], groups[rows])
        for name, rows in selections.items()
        if rows.any()
    }
    figures[EVERY_CLASS] |= _trace(
        maker, outlined[measured["alert"].to_numpy()], _add_to(progress, len(outlined))
    )
    figures[EVERY_CLASS] |= _randomise(maker, outlined)
    return figures


def _measure_inside(
    maker: MapMaker, outlined: pd.DataFrame, progress: Progress | None
) -> pd.DataFrame:
    """Return the metrics that need the outline, one row per photograph."""
    card = maker.classifier.card
    centred = make_centred_map(card.image_size)[None]
    parts = []
    batches = decode_table(outlined, card.image_size, batch_size=_BATCH, progress=progress)
    for rows, pixels in batches:
        outlines = np.stack([read_outline(path, card.image_size) for path in rows["outline"]])
        outputs = maker.classifier.classify(pixels)
        melanoma = outputs.probabilities[:, card.melanoma_index]
        alerts = melanoma >= card.operating_point.threshold
        first = outputs.probabilities.argmax(axis=1)
        maps = maker.make(pixels, outputs, np.where(alerts, card.melanoma_index, first))
        maps = shape_heatmaps(maps, card.image_size, card.image_size)
        control = np.broadcast_to(centred, maps.shape)
        is_flat = ~(maps.max(axis=(1, 2)) > 0)
        measures = {
            "energy_inside": measure_energy_inside(maps, outlines),
            "lesion_share": measure_lesion_share(outlines),
            "energy_centred": measure_energy_inside(control, outlines),
            "pointing_game": play_pointing_game(maps, outlines),
            "pointing_centred": play_pointing_game(control, outlines),
            "flat_maps": is_flat.astype(np.float64),
            "alert": alerts,
        }
        parts.append(pd.DataFrame(measures))
    return pd.concat(parts, ignore_index=True)


def _summarise(measured: pd.DataFrame, groups: NDArray[Any]) -> dict[str, Figure]:
    values = {name: measured[name].to_numpy(dtype=np.float64) for name in _OUTLINE_FIGURES}
    # Leave out the same photographs, so that heatmap and control are comparable.
    for name in ("energy_centred", "pointing_centred", "lesion_share"):
        values[name] = np.where(np.isnan(values["energy_inside"]), np.nan, values[name])
    figures = {name: average(each, groups) for name, each in values.items()}
    above = values["energy_inside"] - values["energy_centred"]
    figures["energy_above_centred"] = average_difference(above, groups)
    figures["flat_maps"] = average(measured["flat_maps"].to_numpy(), groups)
    return figures


def _add_to(progress: Progress | None, finished: int) -> Progress:
    """Return a callback for further photographs after some that are finished."""

    def update(done: int, total: int) -> None:
        if progress is not None:
            progress(finished + done, finished + total)

    return update


def _trace(maker: MapMaker, alerts: pd.DataFrame, progress: Progress) -> dict[str, Figure]:
    """Measure deletion and insertion for the probability of melanoma, on alerts."""
    card, rng = maker.classifier.card, np.random.default_rng(0)
    chosen = alerts.sample(min(NUM_TRACED, len(alerts)), random_state=0)
    side = card.image_size

    def predict(photographs: NDArray[np.uint8]) -> NDArray[np.float64]:
        return maker.classifier.classify(photographs).probabilities[:, card.melanoma_index]

    areas: list[CurveAreas] = []
    for _, pixels in decode_table(chosen, side, batch_size=_BATCH):
        outputs = maker.classifier.classify(pixels)
        coarse = outputs.activation_maps.shape[2:]
        classes = np.full(len(pixels), card.melanoma_index)
        heatmaps = shape_heatmaps(maker.make(pixels, outputs, classes), side, side)
        for photograph, heatmap in zip(pixels, heatmaps, strict=True):
            control = draw_random_map(coarse, side, rng)
            areas.append(trace_photograph(predict, photograph, heatmap, control))
            progress(len(areas), len(chosen))
    groups = chosen["group"].to_numpy()
    values = {
        name: np.array([getattr(area, name) for area in areas])
        for name in ("deletion", "deletion_random", "insertion", "insertion_random")
    }
    figures = {name: average(each, groups) for name, each in values.items()}
    gains = {
        "deletion_gain": values["deletion_random"] - values["deletion"],
        "insertion_gain": values["insertion"] - values["insertion_random"],
    }
    return figures | {name: average_difference(each, groups) for name, each in gains.items()}


def _randomise(maker: MapMaker, outlined: pd.DataFrame) -> dict[str, Figure]:
    """Compare heatmaps of the most probable diagnosis with those of random weights."""
    chosen = outlined.sample(min(NUM_RANDOMISED, len(outlined)), random_state=1)
    side = maker.classifier.card.image_size
    ((_, pixels),) = decode_table(chosen, side, batch_size=NUM_RANDOMISED)
    first = maker.classifier.classify(pixels).probabilities.argmax(axis=1)
    similarities = maker.explainer.compare_randomised(maker.make_request(pixels, first))
    groups = chosen["group"].to_numpy()
    return {
        f"similarity_{stage}": average_difference(each, groups)
        for stage, each in similarities.items()
    }
