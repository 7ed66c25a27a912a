import math

import numpy as np
import pytest

from dashboard.shared.curves import (
    draw_calibration,
    draw_net_benefit,
    draw_precision_recall,
    draw_roc,
)
from melanoma_core.evaluation.evaluation import Evaluation
from melanoma_core.evaluation.metrics import evaluate_fully
from melanoma_core.evaluation.predictions import LabelledPredictions
from melanoma_core.evaluation.rules import DecisionRules


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 2, 60)
    probability = np.clip(generator.normal(0.3 + 0.3 * (labels == 0), 0.2), 0, 1)
    probabilities = np.stack([probability, 1 - probability], 1)
    predictions = LabelledPredictions(probabilities, labels, np.arange(60))
    rules = DecisionRules(("MEL", "mole <b>"), 0, threshold=0.4)
    return evaluate_fully(predictions, rules, num_resamples=50)


def test_only_the_roc_curve_of_melanoma_has_the_operating_point(evaluation: Evaluation):
    band, curve, chance, point = draw_roc(evaluation, "MEL").data
    assert (curve.name, chance.line.dash, point.marker.symbol) == ("model", "dash", "diamond")
    assert point.y[0] == evaluation.figures["sensitivity"].value
    assert point.x[0] == 1 - evaluation.figures["specificity"].value
    assert band.fill == "toself"
    assert len(band.x) == 2 * len(curve.x)
    assert curve.customdata[50].startswith("threshold ")
    assert len(draw_roc(evaluation, "mole <b>").data) == 3


def test_class_names_are_escaped_in_titles(evaluation: Evaluation):
    assert "mole &lt;b>" in draw_roc(evaluation, "mole <b>").layout.title.text
    assert "▲ melanoma" in draw_precision_recall(evaluation, "MEL").layout.title.text


def test_the_precision_of_chance_is_the_prevalence(evaluation: Evaluation):
    *_, chance = draw_precision_recall(evaluation, "MEL").data
    assert chance.y[0] == evaluation.figures["prevalence"].value


def test_every_calibration_bin_has_its_interval_and_counts(evaluation: Evaluation):
    _, curve = draw_calibration(evaluation).data
    assert len(curve.x) == 10
    assert list(curve.customdata[0]) == [evaluation.calibration[0].observed.count, 6]
    assert curve.error_y.array[0] >= 0


def test_the_decision_curve_is_compared_with_all_and_none(evaluation: Evaluation):
    figure = draw_net_benefit(evaluation)
    *_, every, none = figure.data
    assert (every.line.dash, none.line.dash) == ("dash", "dot")
    assert set(none.y) == {0.0}
    prevalence = evaluation.figures["prevalence"].value
    assert every.y[0] == pytest.approx(prevalence - (1 - prevalence) * 0.01 / 0.99)
    assert not math.isnan(figure.layout.yaxis.range[1])
    assert figure.layout.shapes[0].x0 == 0.4
