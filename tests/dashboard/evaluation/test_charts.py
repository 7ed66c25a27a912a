import math

import numpy as np
import pytest

from dashboard.evaluation.charts import (
    draw_calibration,
    draw_net_benefit,
    draw_precision_recall,
    draw_roc,
)
from melanoma_core.evaluation.evaluation import Evaluation
from melanoma_core.evaluation.metrics import evaluate_fully


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 2, 60)
    probability = np.clip(generator.normal(0.3 + 0.3 * (labels == 0), 0.2), 0, 1)
    return evaluate_fully(
        np.stack([probability, 1 - probability], 1),
        labels,
        np.arange(60),
        ("MEL", "mole <b>"),
        0,
        0.4,
        num_resamples=50,
    )


def test_the_alert_stands_on_the_curve_of_melanoma_alone(evaluation: Evaluation):
    band, curve, guessing, alert = draw_roc(evaluation, "MEL").data
    assert (curve.name, guessing.line.dash, alert.marker.symbol) == ("measured", "dash", "diamond")
    assert alert.y[0] == evaluation.figures["sensitivity"].value
    assert alert.x[0] == 1 - evaluation.figures["specificity"].value
    assert band.fill == "toself"
    assert len(band.x) == 2 * len(curve.x)
    assert curve.customdata[50].startswith("from a probability of")
    assert len(draw_roc(evaluation, "mole <b>").data) == 3


def test_no_markup_of_a_class_name_gets_into_a_title(evaluation: Evaluation):
    assert "mole &lt;b>" in draw_roc(evaluation, "mole <b>").layout.title.text
    assert "▲ melanoma" in draw_precision_recall(evaluation, "MEL").layout.title.text


def test_guessing_is_right_as_often_as_the_class_occurs(evaluation: Evaluation):
    *_, guessing = draw_precision_recall(evaluation, "MEL").data
    assert guessing.y[0] == evaluation.figures["prevalence"].value


def test_every_group_of_the_calibration_has_its_interval_and_counts(evaluation: Evaluation):
    _, measured = draw_calibration(evaluation).data
    assert len(measured.x) == 10
    assert list(measured.customdata[0]) == [evaluation.calibration[0].observed.count, 6]
    assert measured.error_y.array[0] >= 0


def test_the_decision_curve_stands_beside_all_and_none(evaluation: Evaluation):
    figure = draw_net_benefit(evaluation)
    *_, every, none = figure.data
    assert (every.line.dash, none.line.dash) == ("dash", "dot")
    assert set(none.y) == {0.0}
    prevalence = evaluation.figures["prevalence"].value
    assert every.y[0] == pytest.approx(prevalence - (1 - prevalence) * 0.01 / 0.99)
    assert not math.isnan(figure.layout.yaxis.range[1])
    assert figure.layout.shapes[0].x0 == 0.4
