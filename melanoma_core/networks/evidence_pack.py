"""Evaluate a new model on its test predictions, for its card and its evidence pack."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from melanoma_core.evaluation.evaluation import Evaluation
from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.lesions import name_lesions
from melanoma_core.evaluation.metrics import evaluate_fully
from melanoma_core.evaluation.predictions import LabelledPredictions
from melanoma_core.evaluation.rules import DecisionRules
from melanoma_core.evaluation.slices import gather_attributes
from melanoma_core.evaluation.subsets import CONFIRMED, TEST, make_key
from melanoma_core.models.predictions import get_probabilities, index_truths
from melanoma_core.taxonomy import Confirmation

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
_CARD_PREFIXES = ("recall_", "coverage", "skin_cancer_", "lesion_")


def evaluate_test(
    predictions: pd.DataFrame, table: pd.DataFrame, rules: DecisionRules
) -> dict[str, Evaluation]:
    """Evaluate test predictions: on confirmed lesions, on the whole subset, on each collection.

    Args:
        predictions: Table of predictions (`models.predictions`) of the test subset, with
            image_id, lesion_id, label, group and source.
        table: All rows of the split, with what `slices.gather_attributes` reads.
        rules: Decision rules of the model.

    Returns:
        By key of `evaluation.subsets`: "test:histopathology", if a photograph's diagnosis was
        confirmed so; "test"; and "test/<collection>" for each collection.
    """
    by_image = table.drop_duplicates("image_id").set_index("image_id")
    attributes = gather_attributes(by_image.loc[predictions["image_id"]])
    labelled = LabelledPredictions(
        get_probabilities(predictions),
        index_truths(predictions, rules.class_names),
        predictions["group"].to_numpy(np.int64),
        attributes,
        name_lesions(predictions),
    )
    confirmed = (attributes["confirmation"] == Confirmation.HISTOPATHOLOGY).to_numpy(dtype=bool)
    rows = {CONFIRMED: confirmed, TEST: np.ones(len(predictions), dtype=bool)} | {
        make_key(source): (predictions["source"] == source).to_numpy()
        for source in sorted(predictions["source"].dropna().unique())
    }
    return {
        name: evaluate_fully(labelled.select(each), rules)
        for name, each in rows.items()
        if each.any()
    }


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
