"""Evaluate a new model on its test predictions, for its card and its evidence pack."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from melanoma_core.evaluation.evaluation import Evaluation
from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.metrics import evaluate_fully
from melanoma_core.evaluation.predictions import LabelledPredictions
from melanoma_core.evaluation.rules import DecisionRules
from melanoma_core.evaluation.slices import ATTRIBUTES
from melanoma_core.models.predictions import get_probabilities, index_labels

# The metrics of a card; the evidence pack holds all metrics.
_CARD_METRICS = {
    "accuracy",
    "balanced_accuracy",
    "balanced_accuracy_even",
    "balanced_accuracy_seven",
    "melanoma_roc_auc",
    "sensitivity",
    "specificity",
    "calibration_error",
}
_CARD_PREFIXES = ("recall_", "coverage")


def evaluate_test(
    predictions: pd.DataFrame, table: pd.DataFrame, rules: DecisionRules
) -> dict[str, Evaluation]:
    """Evaluate test predictions on the whole test subset and on each of its collections.

    Args:
        predictions: Table of predictions (`models.predictions`) of the test subset, with
            image_id, label, group and source.
        table: All rows of the split, with the attributes age, sex, site and source.
        rules: Decision rules of the model.

    Returns:
        By subset: "test", and "test/<collection>" for each collection.
    """
    by_image = table.drop_duplicates("image_id").set_index("image_id")
    attributes = by_image.reindex(columns=list(ATTRIBUTES)).loc[predictions["image_id"]]
    labelled = LabelledPredictions(
        get_probabilities(predictions),
        index_labels(predictions, rules.class_names),
        predictions["group"].to_numpy(np.int64),
        attributes.reset_index(drop=True),
    )
    rows = {"test": np.ones(len(predictions), dtype=bool)} | {
        f"test/{source}": (predictions["source"] == source).to_numpy()
        for source in sorted(predictions["source"].dropna().unique())
    }
    return {name: evaluate_fully(labelled.select(each), rules) for name, each in rows.items()}


def select_card_metrics(
    evaluations: Mapping[str, Evaluation],
) -> dict[str, dict[str, Figure]]:
    """Return the metrics of evaluations that a model card contains, by subset and name."""
    return {
        subset: {
            name: figure
            for name, figure in evaluation.figures.items()
            if name in _CARD_METRICS or name.startswith(_CARD_PREFIXES)
        }
        for subset, evaluation in evaluations.items()
    }
