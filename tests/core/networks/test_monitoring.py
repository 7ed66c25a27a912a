import numpy as np
import pytest

from melanoma_core.errors import DatasetError
from melanoma_core.networks.trainer import measure_epoch

CLASS_NAMES = ("nevus", "melanoma", "vascular lesion")


def test_figures_of_four_photographs_are_these():
    logits = np.log([[0.7, 0.2, 0.1], [0.5, 0.4, 0.1], [0.1, 0.8, 0.1], [0.3, 0.6, 0.1]])
    labels = np.array([0, 1, 1, 0])

    found = measure_epoch(logits.astype(np.float32), labels, CLASS_NAMES)

    assert found == pytest.approx(
        {
            "loss": -np.mean(np.log([0.7, 0.4, 0.8, 0.3])),
            "accuracy": 0.5,
            "balanced_accuracy": 0.5,
            "melanoma_sensitivity": 0.5,
            "melanoma_specificity": 0.5,
            "roc_auc": 0.75,
            "recall/nevus": 0.5,
            "recall/melanoma": 0.5,
            "recall/vascular lesion": np.nan,
        },
        nan_ok=True,
    )


def test_without_melanoma_what_is_about_it_is_undefined():
    found = measure_epoch(np.zeros((2, 3), np.float32), np.array([0, 2]), CLASS_NAMES)

    undefined = {name for name, value in found.items() if np.isnan(value)}
    assert undefined == {"melanoma_sensitivity", "roc_auc", "recall/melanoma"}
    assert found["loss"] == pytest.approx(np.log(3))


def test_without_a_photograph_everything_is_undefined():
    found = measure_epoch(np.zeros((0, 3), np.float32), np.zeros(0, np.int64), CLASS_NAMES)

    assert all(np.isnan(value) for value in found.values())


def test_a_network_that_answers_nonsense_has_no_roc_auc():
    found = measure_epoch(np.full((2, 3), np.nan, np.float32), np.array([0, 1]), CLASS_NAMES)

    assert np.isnan(found["roc_auc"])
    assert np.isnan(found["loss"])


def test_classes_without_melanoma_are_refused():
    with pytest.raises(DatasetError, match="Found 0 classes that mean melanoma"):
        measure_epoch(np.zeros((1, 1), np.float32), np.zeros(1, np.int64), ("nevus",))
