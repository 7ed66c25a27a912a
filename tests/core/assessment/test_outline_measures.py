"""Measures of manually drawn outlines, by diagnosis."""

import math

import numpy as np
import pandas as pd
import pytest

from melanoma_core.assessment.outline_measures import MEASURES, summarise
from melanoma_core.reading.outline_measures import CUT, EMPTY


def make_table(labels: list[str], asymmetry: list[float], missing: list[str]) -> pd.DataFrame:
    count = len(labels)
    columns = dict.fromkeys(MEASURES, [1.0] * count) | {"asymmetry": asymmetry}
    colours = [None if math.isnan(each) else ("black",) for each in asymmetry]
    return pd.DataFrame(
        columns | {"label": labels, "group": range(count), "missing": missing, "colours": colours},
        index=np.arange(count) + 10,
    )


def test_missing_measures_are_left_out_and_counted():
    summary = summarise(
        make_table(["NV"] * 4, [0.1, 0.3, math.nan, math.nan], ["", "", EMPTY, CUT])
    )
    spread = summary.spreads["NV"]["asymmetry"]
    assert (spread.mean.value, spread.mean.total) == (pytest.approx(0.2), 2)
    assert spread.quartiles == pytest.approx((0.15, 0.2, 0.25))
    assert [each.value for each in summary.missing["NV"].values()] == [0.25, 0, 0.25]
    assert summary.colours["NV"]["black"].value == 1
    assert summary.colours["NV"]["black"].total == 2


def test_a_measure_that_is_never_known_is_undefined():
    summary = summarise(make_table(["MEL", "NV"], [math.nan] * 2, [EMPTY] * 2))
    assert math.isnan(summary.spreads["MEL"]["asymmetry"].mean.value)
    assert all(math.isnan(each) for each in summary.spreads["MEL"]["asymmetry"].quartiles)
    assert math.isnan(summary.roc_auc["asymmetry"].value)
    assert math.isnan(summary.colours["MEL"]["black"].value)


def test_a_measure_ranks_melanomas_above_the_others():
    labels = ["MEL", "MEL", "NV", "BKL"]
    summary = summarise(make_table(labels, [0.4, 0.2, 0.1, 0.3], [""] * 4))
    assert summary.roc_auc["asymmetry"].value == 0.75
    assert summary.roc_auc["diameter"].value == 0.5
