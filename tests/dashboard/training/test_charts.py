import math

import pandas as pd
import pytest

from dashboard.shared.charts import draw_confusion
from dashboard.training.charts import draw_accuracies, draw_chart, draw_comparison
from melanoma_core.evaluation.figure import Figure


@pytest.fixture
def curves() -> pd.DataFrame:
    """Curves of two epochs on train and validation, and of half an epoch on batches."""
    rows = [
        (0.5, "batch", "loss", 2.0),
        (1.0, "train", "loss", 1.5),
        (1.0, "validation", "loss", 1.6),
        (1.0, "validation", "roc_auc", math.nan),
        (1.0, "validation", "recall/MEL", 0.25),
        (1.0, "train", "recall/MEL", 0.5),
        (1.0, "validation", "recall/mole <b>", 1.0),
        (2.0, "train", "loss", 1.0),
        (2.0, "validation", "loss", 1.2),
        (2.0, "validation", "recall/MEL", 0.5),
        (2.0, "train", "recall/MEL", 0.75),
        (2.0, "validation", "recall/mole <b>", 0.0),
        (2.0, "", "learning_rate", 1e-3),
    ]
    return pd.DataFrame(rows, columns=["epoch", "subset", "metric", "value"])


def test_subsets_differ_in_dash_and_marker(curves):
    lines = {line.name: line for line in draw_chart(curves, "loss").data}
    assert list(lines) == ["validation", "train", "train, within an epoch"]
    assert [line.line.dash for line in lines.values()] == ["solid", "dash", "solid"]
    assert lines["train"].marker.symbol == "circle-open"
    assert list(lines["train"].y) == [1.5, 1.0]
    assert list(lines["train, within an epoch"].x) == [0.5]


def test_an_undefined_value_is_a_gap_not_zero(curves):
    (line,) = draw_chart(curves, "roc_auc").data
    assert math.isnan(line.y[0])
    assert line.connectgaps is False


def test_a_run_without_curves_has_empty_charts(curves):
    for chart in ("loss", "recall", "recall/now", "learning_rate"):
        assert len(draw_chart(curves.iloc[:0], chart).data) == 0


def test_class_names_have_a_symbol_and_are_escaped(curves):
    assert [line.name for line in draw_chart(curves, "recall").data] == [
        "▲ melanoma",
        "mole &lt;b>",
    ]


def test_the_last_recalls_show_train_and_validation(curves):
    train, validation = draw_chart(curves, "recall/now").data
    assert (train.name, next(iter(train.x))) == ("train", 0.75)
    assert list(validation.x) == [0.5, 0.0]
    assert list(validation.y) == ["▲ melanoma", "mole &lt;b>"]


def test_epoch_ticks_are_round_whole_numbers(curves):
    for num_epochs, step in ((2, 1), (10, 1), (11, 2), (100, 10), (439, 50)):
        longer = curves.assign(epoch=curves["epoch"] * num_epochs / 2)
        assert draw_chart(longer, "loss").layout.xaxis.dtick == step


def test_compared_runs_differ_in_dash_and_marker(curves):
    figure = draw_comparison({"a": curves, "b <i>": curves}, "loss", "validation")
    assert [line.name for line in figure.data] == ["a", "b &lt;i>"]
    assert len({(line.line.dash, line.marker.symbol) for line in figure.data}) == 2
    assert figure.layout.title.text == "Loss, validation"


def test_a_confusion_matrix_has_counts_and_row_shares():
    counts = pd.DataFrame([[3, 1], [0, 0]], index=["MEL", "NV"], columns=["MEL", "NV"])
    (heat,) = draw_confusion(counts, "one").data
    assert list(heat.z[0]) == [0.75, 0.25]
    assert all(math.isnan(share) for share in heat.z[1])  # without images the share is undefined
    assert heat.text.tolist() == [[3, 1], [0, 0]]
    assert list(heat.y) == ["▲ melanoma", "● nevus"]


def test_a_study_has_a_point_and_an_interval_per_evaluation_set():
    rows = {
        "baseline": [Figure(0.5, 0.4, 0.7, 5, 10, 9), Figure(math.nan, math.nan, math.nan, 0, 0, 0)]
    }
    first, second = draw_accuracies(rows, ["published", "Test"]).data
    assert list(first.x) == [0.5]
    assert first.error_x.array[0] == pytest.approx(0.2)
    assert first.error_x.arrayminus[0] == pytest.approx(0.1)
    assert math.isnan(second.x[0])
    assert first.marker.symbol != second.marker.symbol
