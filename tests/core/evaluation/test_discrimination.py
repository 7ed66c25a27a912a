import math

import numpy as np
import pytest
from sklearn.metrics import (
    average_precision_score,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

from melanoma_core.evaluation import discrimination
from melanoma_core.evaluation.discrimination import Discrimination, measure_discrimination
from melanoma_core.evaluation.figure import Curve
from melanoma_core.evaluation.resampling import resample_lesions

# Hanley and McNeil, "The meaning and use of the area under a ROC curve" (1982), table 1: images of
# 58 people without and 51 with a disease, rated from 1, definitely normal, to 5.
NORMAL, ABNORMAL = (33, 6, 6, 11, 2), (3, 2, 2, 11, 33)


def measure(score: np.ndarray, is_positive: np.ndarray, num_resamples: int = 50) -> Discrimination:
    resamples = resample_lesions(np.arange(len(score)), num_resamples)
    return measure_discrimination(resamples, score, is_positive)


def draw_scores(num_images: int) -> tuple[np.ndarray, np.ndarray]:
    """Rounded, so that there are ties."""
    generator = np.random.default_rng(0)
    is_positive = generator.random(num_images) < 0.3
    return np.round(0.5 * generator.random(num_images) + 0.2 * is_positive, 2), is_positive


@pytest.mark.parametrize("kind", [True, False])
def test_without_positives_or_negatives_there_is_no_curve_and_no_area(kind: bool):
    measured = measure(np.array([0.1, 0.5, 0.5]), np.full(3, kind))
    assert math.isnan(measured.roc_auc.value)
    assert measured.roc == measured.precision_recall == Curve((), (), (), (), ())


def test_the_area_is_that_of_hanley_and_mcneil():
    ratings = np.repeat(np.tile(np.arange(1, 6), 2), NORMAL + ABNORMAL)
    is_abnormal = np.repeat([False, True], [sum(NORMAL), sum(ABNORMAL)])
    measured = measure(ratings.astype(float), is_abnormal, num_resamples=2000)
    assert measured.roc_auc.value == pytest.approx(0.893, abs=5e-4)
    # Their standard error is 0.032.
    assert measured.roc_auc.low == pytest.approx(0.893 - 1.96 * 0.032, abs=0.01)
    assert measured.roc_auc.high == pytest.approx(0.893 + 1.96 * 0.032, abs=0.02)


def test_areas_and_curves_are_those_of_scikit_learn():
    score, is_positive = draw_scores(500)
    measured = measure(score, is_positive)
    assert measured.roc_auc.value == pytest.approx(roc_auc_score(is_positive, score))
    expected = average_precision_score(is_positive, score)
    assert measured.average_precision.value == pytest.approx(expected)
    fpr, tpr, _ = roc_curve(is_positive, score, drop_intermediate=False)
    assert len(measured.roc.x) == 101
    for x, y in zip(measured.roc.x, measured.roc.y, strict=True):
        assert y == pytest.approx(tpr[fpr <= x + 1e-9].max()), x
    precision, recall, _ = precision_recall_curve(is_positive, score)
    for x, y in zip(measured.precision_recall.x, measured.precision_recall.y, strict=True):
        # Of the points with that recall, the highest threshold; scikit-learn has it last.
        assert y == pytest.approx(precision[np.flatnonzero(recall >= x - 1e-9)[-1]]), x


def test_intervals_are_those_of_scikit_learn_over_the_same_resamples(monkeypatch):
    score, is_positive = draw_scores(200)
    lesions, lesion = np.unique(
        np.random.default_rng(1).integers(120, size=200), return_inverse=True
    )
    resamples = resample_lesions(lesion, 40, seed=3)
    monkeypatch.setattr(discrimination, "_BLOCK", 1500)  # seven resamples at once
    measured = measure_discrimination(resamples, score, is_positive)
    weights = resamples.weights[1:][:, lesion]
    for figure, function in (
        (measured.roc_auc, roc_auc_score),
        (measured.average_precision, average_precision_score),
    ):
        expected = [function(is_positive, score, sample_weight=row) for row in weights]
        assert [figure.low, figure.high] == pytest.approx(np.quantile(expected, [0.025, 0.975]))
    sensitivities = []
    for row in weights:
        fpr, tpr, _ = roc_curve(is_positive, score, sample_weight=row, drop_intermediate=False)
        sensitivities.append(tpr[fpr <= 0.2 + 1e-9].max())
    band = measured.roc.low[20], measured.roc.high[20]
    assert band == pytest.approx(np.quantile(sensitivities, [0.025, 0.975]))
    assert len(lesions) == resamples.num_lesions


def test_each_point_of_a_curve_has_the_threshold_that_reaches_it():
    score, is_positive = draw_scores(500)
    measured = measure(score, is_positive)
    for x, y, threshold in zip(measured.roc.x, measured.roc.y, measured.roc.threshold, strict=True):
        if math.isnan(threshold):
            assert y == 0
            continue
        assert (score >= threshold)[is_positive].mean() == pytest.approx(y)
        assert (score >= threshold)[~is_positive].mean() <= x + 1e-9
    curve = measured.precision_recall
    for x, y, threshold in zip(curve.x, curve.y, curve.threshold, strict=True):
        assert is_positive[score >= threshold].mean() == pytest.approx(y)
        assert (score >= threshold)[is_positive].mean() >= x - 1e-9


def test_a_perfect_score_on_few_images_has_a_wide_band():
    is_positive = np.arange(20) < 10
    measured = measure(is_positive.astype(float), is_positive, num_resamples=500)
    assert set(measured.roc.y) == {1.0}
    # Clopper–Pearson of 10 of 10.
    assert measured.roc.low[0] == pytest.approx(0.025 ** (1 / 10))
