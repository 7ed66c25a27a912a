"""The headline metrics as tiles."""

import math

from melanoma_core.evaluation.figure import UNDEFINED, Figure
from melanoma_core.models.card_text.tiles import Tile, list_tiles


def test_no_metrics_make_no_tiles():
    assert list_tiles({}) == []
    assert list_tiles({"brier_score": Figure(0.1, 0.05, 0.2, None, 10, 10)}) == []


def test_an_undefined_metric_has_no_interval():
    (tile,) = list_tiles({"sensitivity": UNDEFINED})
    assert tile == Tile("Melanoma alert: sensitivity", "undefined", "", "0 photographs, 0 lesions")


def test_a_share_is_a_percentage_and_an_area_a_number():
    share, area = Figure(0.9, 0.8, 0.95, 90, 100, 80), Figure(0.8, 0.7, 0.9, None, 1200, 900)
    assert list_tiles({"specificity": share, "melanoma_roc_auc": area}) == [
        Tile("Melanoma ROC AUC", "0.800", "95% CI 0.700–0.900", "1,200 photographs, 900 lesions"),
        Tile(
            "Melanoma alert: specificity",
            "90.0%",
            "95% CI 80.0–95.0%",
            "90 of 100 photographs, 80 lesions",
        ),
    ]


def test_an_interval_of_too_few_lesions_is_undefined():
    (tile,) = list_tiles({"melanoma_roc_auc": Figure(1.0, math.nan, math.nan, None, 2, 2)})
    assert tile.interval == "95% CI undefined"
