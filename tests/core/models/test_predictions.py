import numpy as np
import pandas as pd
import pytest

from melanoma_core.errors import DatasetError
from melanoma_core.models.predictions import (
    add_probabilities,
    get_probabilities,
    index_labels,
    list_classes,
    parse_probabilities,
)

LABELS = pd.DataFrame({"label": ["b c", "a", "b c"]})


def test_no_predictions_keep_their_classes():
    empty = add_probabilities(LABELS[:0], np.empty((0, 2)), ("a", "p_1"))

    assert list_classes(empty) == ("a", "p_1")
    assert get_probabilities(empty).shape == (0, 2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_probabilities_keep_their_dtype_and_survive_text(dtype):
    values = np.array([[1 / 3, 2 / 3], [0.1, 0.9], [1, 0]], dtype)
    predictions = add_probabilities(LABELS, values, ("b c", "a"))

    read = parse_probabilities(predictions.astype(str), dtype)

    pd.testing.assert_frame_equal(read, predictions)
    np.testing.assert_array_equal(get_probabilities(read), values)


def test_labels_become_positions_whatever_the_classes_are_called():
    np.testing.assert_array_equal(index_labels(LABELS, ("a", "b c")), [1, 0, 1])


def test_a_label_that_is_not_a_class_is_named():
    with pytest.raises(DatasetError, match=r"Found the labels b c, which are none of the classes"):
        index_labels(LABELS, ("a", "b"))
