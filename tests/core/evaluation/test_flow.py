"""What becomes of the test photographs in a reading."""

import numpy as np
import pytest

from melanoma_core.evaluation.flow import Outcomes, ReadingFlow, measure_flow
from melanoma_core.evaluation.predictions import LabelledPredictions
from melanoma_core.evaluation.rules import DecisionRules
from melanoma_core.jsonable import from_jsonable, to_jsonable

CLASS_NAMES = ("MEL", "NV", "BCC")
# Melanomas: alert, no alert, refused. Nevi: alert, no alert, refused twice. BCC: skin cancer alert.
PROBABILITIES = np.array(
    [
        [0.8, 0.1, 0.1],
        [0.1, 0.8, 0.1],
        [0.9, 0.1, 0.0],
        [0.6, 0.3, 0.1],
        [0.1, 0.9, 0.0],
        [0.1, 0.9, 0.0],
        [0.9, 0.1, 0.0],
        [0.1, 0.3, 0.6],
    ]
)
LABELS = np.array([0, 0, 0, 1, 1, 1, 1, 2])
REFUSALS = [None, None, "unfamiliar", None, None, "quality", "unfamiliar", None]


def measure(refusals: list[str | None], skin_cancer: float | None = 0.5) -> ReadingFlow:
    predictions = LabelledPredictions(PROBABILITIES, LABELS, np.arange(8))
    rules = DecisionRules(CLASS_NAMES, 0, threshold=0.5, skin_cancer_threshold=skin_cancer)
    return measure_flow(predictions, rules, refusals)


def test_without_a_refusal_the_metrics_are_the_usual_ones():
    flow = measure([None] * 8, skin_cancer=None)

    assert flow.refused == {}
    (table,) = flow.tables
    assert table.present == Outcomes(2, 1, 0)
    assert table.absent == Outcomes(2, 3, 0)
    assert table.figures["sensitivity_read"] == table.figures["sensitivity_intended"]
    assert table.figures["specificity_read"].value == pytest.approx(3 / 5)


def test_if_every_photograph_is_refused_what_is_read_is_undefined_and_nothing_is_right():
    melanoma, cancer = measure(["quality"] * 8).tables

    assert np.isnan(melanoma.figures["sensitivity_read"].value)
    assert np.isnan(cancer.figures["specificity_read"].value)
    assert melanoma.figures["sensitivity_intended"].value == 0
    assert cancer.figures["specificity_intended"].value == 0
    assert melanoma.present == Outcomes(0, 0, 3)


def test_refused_photographs_are_a_row_of_their_own_and_count_against_the_model():
    flow = measure(REFUSALS)

    assert (flow.num_images, flow.num_lesions) == (8, 8)
    assert flow.refused == {"quality": 1, "unfamiliar": 2}
    melanoma, cancer = flow.tables
    assert (melanoma.condition, cancer.condition) == ("melanoma", "skin cancer")
    assert melanoma.present == Outcomes(alert=1, no_alert=1, refused=1)
    assert melanoma.absent == Outcomes(alert=1, no_alert=2, refused=2)
    assert cancer.present == Outcomes(alert=2, no_alert=1, refused=1)
    assert cancer.absent == Outcomes(alert=1, no_alert=1, refused=2)
    shares = {name: (each.count, each.total) for name, each in melanoma.figures.items()}
    assert shares == {
        "sensitivity_read": (1, 2),
        "specificity_read": (2, 3),
        "sensitivity_intended": (1, 3),
        "specificity_intended": (2, 5),
    }


def test_the_intervals_resample_lesions_not_photographs():
    predictions = LabelledPredictions(PROBABILITIES, LABELS, np.array([0, 0, 0, 1, 1, 1, 1, 2]))
    rules = DecisionRules(CLASS_NAMES, 0, threshold=0.5)

    (table,) = measure_flow(predictions, rules, REFUSALS).tables

    assert table.figures["sensitivity_intended"].num_lesions == 1
    assert table.figures["specificity_intended"].num_lesions == 2


def test_counts_that_do_not_add_up_are_no_flow():
    flow = measure(REFUSALS)

    with pytest.raises(ValueError, match="melanoma: not 9 photographs in all"):
        ReadingFlow(9, 8, flow.refused, flow.tables)
    with pytest.raises(ValueError, match="melanoma: not 1 refused photographs"):
        ReadingFlow(8, 8, {"quality": 1}, flow.tables)
    with pytest.raises(ValueError, match="1 refusals for 8 predictions"):
        measure([None])


def test_the_flow_comes_back_from_json():
    flow = measure(REFUSALS)

    assert from_jsonable(ReadingFlow, to_jsonable(flow)) == flow
