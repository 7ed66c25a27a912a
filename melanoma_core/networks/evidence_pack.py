"""What a release puts into the evidence: every figure once more, from the readings it keeps."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from melanoma_core.evaluation.evaluation import Evaluation
from melanoma_core.evaluation.metrics import evaluate_fully
from melanoma_core.evaluation.slices import ATTRIBUTES
from melanoma_core.models.card import ModelCard
from melanoma_core.models.evidence import Evidence, TrainingLog, describe_machine
from melanoma_core.models.lineage import hash_images, read_predictions, read_split
from melanoma_core.models.predictions import get_probabilities, index_labels


def gather_evidence(
    card: ModelCard,
    table: pd.DataFrame,
    folder: Path,
    training: TrainingLog | None,
    accelerators: Sequence[str],
) -> Evidence:
    """Measure all that can be measured on the readings of test that a model keeps.

    Args:
        card: As it was saved in `folder`.
        table: Every row of the split as it was trained on, for age, sex, site and source.
        folder: The model's, with card, split and predictions.
        training: How it was trained, or None.
        accelerators: What it was computed with besides the processor.
    """
    said, split = read_predictions(folder), read_split(folder)
    if said is None or split is None:
        raise ValueError(f"{folder} keeps no split or no predictions")
    withheld = card.leakage is not None and card.leakage.found > 0
    return Evidence(
        evaluations={} if withheld else _evaluate(card, said, table),
        test_sha256=hash_images(said),
        split={str(name): int(count) for name, count in split["subset"].value_counts().items()},
        training=training,
        machine=describe_machine(accelerators),
    )


def _evaluate(card: ModelCard, said: pd.DataFrame, table: pd.DataFrame) -> dict[str, Evaluation]:
    known = table.drop_duplicates("image_id").set_index("image_id")
    attributes = known.reindex(columns=list(ATTRIBUTES)).loc[said["image_id"]]
    attributes = attributes.reset_index(drop=True)
    labels = index_labels(said, card.class_names)
    everyone = np.ones(len(said), dtype=bool)
    subsets = {"test": everyone} | {
        f"test/{source}": (said["source"] == source).to_numpy()
        for source in sorted(said["source"].dropna().unique())
    }

    def measure(rows: NDArray[np.bool_]) -> Evaluation:
        return evaluate_fully(
            get_probabilities(said)[rows],
            labels[rows],
            said["group"].to_numpy(np.int64)[rows],
            card.class_names,
            card.melanoma_index,
            card.operating_point.threshold,
            attributes=attributes[rows].reset_index(drop=True),
            conformal=card.conformal,
            frequencies=card.frequencies,
        )

    return {name: measure(rows) for name, rows in subsets.items()}
