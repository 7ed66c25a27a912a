import json
import math

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix, precision_score

from melanoma_core.evaluation.conformal import fit_bounds
from melanoma_core.evaluation.evaluation import Evaluation
from melanoma_core.evaluation.metrics import evaluate, evaluate_fully
from melanoma_core.evaluation.predictions import LabelledPredictions
from melanoma_core.evaluation.rules import DecisionRules
from melanoma_core.jsonable import from_jsonable, to_jsonable

NAMES = ("MEL", "NV", "BCC")


def draw(num_classes: int = 3) -> LabelledPredictions:
    """Draw predictions for 120 images, of which the labels are in the first classes."""
    generator = np.random.default_rng(0)
    labels = generator.choice(num_classes, 120)
    probabilities = generator.dirichlet([1, 1, 1], 120) * 0.7 + 0.3 * np.eye(3)[labels]
    attributes = pd.DataFrame({"sex": ["male", "female"] * 60})
    return LabelledPredictions(probabilities, labels, generator.integers(0, 80, 120), attributes)


def make_rules(predictions: LabelledPredictions) -> DecisionRules:
    bounds = fit_bounds(predictions, NAMES, "validation")
    return DecisionRules(NAMES, 0, threshold=0.3, conformal=bounds)


def measure(num_classes: int = 3) -> Evaluation:
    predictions = draw(num_classes)
    return evaluate_fully(predictions, make_rules(predictions), num_resamples=50)


@pytest.mark.parametrize("num_classes", [3, 2, 1])
def test_an_evaluation_comes_back_from_json_exactly_with_its_undefined_metrics(num_classes: int):
    measured = measure(num_classes=num_classes)
    text = json.dumps(to_jsonable(measured), allow_nan=False)
    # Compare the text, because NaN does not equal itself.
    assert repr(from_jsonable(Evaluation, json.loads(text))) == repr(measured)
    if num_classes < 3:
        assert math.isnan(measured.figures["recall_BCC"].value)
        assert '"roc": {"MEL"' in text


def test_its_metrics_include_those_of_evaluate():
    measured, predictions = measure(), draw()
    basics = evaluate(predictions, make_rules(predictions), num_resamples=50)
    assert {"coverage", "coverage_NV"} < basics.keys()
    assert "set_size" not in basics
    assert {name: measured.figures[name] for name in basics} == basics
    assert (measured.num_images, measured.num_lesions) == (120, basics["accuracy"].num_lesions)
    assert measured.figures["melanoma_roc_auc"] == measured.figures["roc_auc_MEL"]
    assert measured.figures["coverage_NV"].value >= 0.85
    assert [each.value for each in measured.slices] == ["female", "male"]


def test_confusion_and_precision_are_those_of_scikit_learn():
    predictions, measured = draw(), measure()
    labels, predicted = predictions.labels, predictions.probabilities.argmax(axis=1)
    assert np.array_equal(measured.confusion, confusion_matrix(labels, predicted))
    expected = precision_score(labels, predicted, average=None)
    found = [measured.figures[f"precision_{name}"].value for name in NAMES]
    assert found == pytest.approx(expected)
