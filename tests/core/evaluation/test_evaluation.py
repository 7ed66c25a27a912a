import json
import math

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix, precision_score

from melanoma_core.evaluation.conformal import fit_bounds
from melanoma_core.evaluation.evaluation import Evaluation
from melanoma_core.evaluation.metrics import evaluate, evaluate_fully
from melanoma_core.jsonable import from_jsonable, to_jsonable

NAMES = ("MEL", "NV", "BCC")


def draw(num_images: int, num_classes: int = 3):
    generator = np.random.default_rng(0)
    labels = generator.choice(num_classes, num_images)
    probabilities = generator.dirichlet([1, 1, 1], num_images) * 0.7
    return probabilities + 0.3 * np.eye(3)[labels], labels, generator.integers(0, 80, num_images)


def measure(num_images: int = 120, num_classes: int = 3) -> Evaluation:
    probabilities, labels, lesion_ids = draw(num_images, num_classes)
    return evaluate_fully(
        probabilities,
        labels,
        lesion_ids,
        NAMES,
        0,
        0.3,
        attributes=pd.DataFrame({"sex": ["male", "female"] * (num_images // 2)}),
        conformal=fit_bounds(probabilities, labels, lesion_ids, NAMES, "validation"),
        num_resamples=50,
    )


@pytest.mark.parametrize("num_classes", [3, 2, 1])
def test_what_was_measured_comes_back_from_json_exactly_undefined_figures_too(num_classes: int):
    measured = measure(num_classes=num_classes)
    text = json.dumps(to_jsonable(measured), allow_nan=False)
    # By their text: an undefined figure equals nothing, itself included.
    assert repr(from_jsonable(Evaluation, json.loads(text))) == repr(measured)
    if num_classes < 3:
        assert math.isnan(measured.figures["recall_BCC"].value)
        assert '"roc": {"MEL"' in text


def test_its_figures_are_those_of_evaluate_and_more():
    measured = measure()
    basics = evaluate(*draw(120), NAMES, 0, 0.3, num_resamples=50)
    assert {name: measured.figures[name] for name in basics} == basics
    assert (measured.num_images, measured.num_lesions) == (120, basics["accuracy"].num_lesions)
    assert measured.figures["melanoma_roc_auc"] == measured.figures["roc_auc_MEL"]
    assert measured.figures["coverage_NV"].value >= 0.85
    assert [each.value for each in measured.slices] == ["female", "male"]


def test_confusion_and_precision_are_those_of_scikit_learn():
    probabilities, labels, _ = draw(120)
    predicted, measured = probabilities.argmax(axis=1), measure()
    assert np.array_equal(measured.confusion, confusion_matrix(labels, predicted))
    expected = precision_score(labels, predicted, average=None)
    found = [measured.figures[f"precision_{name}"].value for name in NAMES]
    assert found == pytest.approx(expected)
