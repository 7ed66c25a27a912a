"""All that is measured of a model, beside what a plain bootstrap of one figure takes."""

from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from melanoma_core.evaluation.conformal import fit_bounds
from melanoma_core.evaluation.metrics import evaluate_fully
from melanoma_core.evaluation.predictions import LabelledPredictions
from melanoma_core.evaluation.rules import DecisionRules
from melanoma_core.taxonomy import Diagnosis
from tests.benchmarks.timing import Row, time_in_turn

_FEW, _MANY = 2000, 16_000  # images
_NUM_RESAMPLES, _FEW_RESAMPLES = 1000, 250
_NAMES = tuple(str(diagnosis) for diagnosis in Diagnosis)
_FREQUENCIES = (0.15, 0.5, 0.12, 0.05, 0.1, 0.03, 0.03, 0.02)


def measure() -> Iterable[Row]:
    """Seconds of an evaluation, of as much of it again, and of a loop over one figure."""
    few, many = _draw(_FEW), _draw(_MANY)
    seconds = time_in_turn(
        {
            "all": partial(_evaluate, few),
            "auc": partial(_resample_auc, few),
            "large": partial(_evaluate, many),
            "small": partial(_evaluate, few, _FEW_RESAMPLES),
        },
        num_rounds=3,
        num_warmups=1,
    )
    yield (
        f"everything that is measured of {_FEW:,} images, {_NUM_RESAMPLES:,} resamples of lesions",
        f"{seconds['all']:.1f} s",
        "one AUC by scikit-learn in a loop over as many resamples",
        f"{seconds['auc']:.1f} s",
        f"{seconds['auc'] / seconds['all']:.1f} times faster, with all other figures",
    )
    times = _MANY * _NUM_RESAMPLES / (_FEW * _FEW_RESAMPLES)
    yield (
        f"the same of {_MANY:,} images, {_NUM_RESAMPLES:,} resamples",
        f"{seconds['large']:.1f} s",
        f"{_FEW:,} images, {_FEW_RESAMPLES} resamples",
        f"{seconds['small']:.2f} s",
        f"{times:.0f} times images × resamples, "
        f"{seconds['large'] / seconds['small']:.1f} times the time",
    )


def _draw(num_images: int) -> LabelledPredictions:
    generator = np.random.default_rng(0)
    labels = generator.choice(len(_NAMES), num_images, p=_FREQUENCIES)
    scores = generator.dirichlet([1] * len(_NAMES), num_images) + 0.3 * np.eye(len(_NAMES))[labels]
    attributes: dict[str, Any] = {
        "age": generator.integers(10, 90, num_images),
        "sex": generator.choice(["female", "male"], num_images),
        "site": generator.choice(["back", "face", "arm", "leg", "trunk"], num_images),
        "source": generator.choice(["a", "b"], num_images),
    }
    return LabelledPredictions(
        scores / scores.sum(axis=1, keepdims=True),
        labels,
        generator.integers(0, 3 * num_images // 4, num_images),
        pd.DataFrame(attributes),
    )


def _evaluate(drawn: LabelledPredictions, num_resamples: int = _NUM_RESAMPLES) -> None:
    bounds = fit_bounds(drawn, _NAMES, "validation")
    rules = DecisionRules(_NAMES, 0, 0.3, bounds)
    evaluate_fully(drawn, rules, num_resamples=num_resamples)


def _resample_auc(drawn: LabelledPredictions) -> None:
    generator = np.random.default_rng(0)
    is_melanoma, score = drawn.labels == 0, drawn.probabilities[:, 0]
    lesions, lesion = np.unique(drawn.lesion_ids, return_inverse=True)
    images = [np.flatnonzero(lesion == index) for index in range(len(lesions))]
    for _ in range(_NUM_RESAMPLES):
        chosen = generator.integers(0, len(lesions), len(lesions))
        rows = np.concatenate([images[index] for index in chosen])
        roc_auc_score(is_melanoma[rows], score[rows])
