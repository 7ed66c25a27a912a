from itertools import combinations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from dashboard.dataset.charts import (
    CLASS_COLOURS,
    draw_balance,
    draw_classes,
    draw_spread,
    draw_tiers,
    draw_values,
)
from melanoma_core.data.balancing import plan_oversampling, tabulate_plan
from melanoma_core.data.lab import LINEAR, to_lab
from melanoma_core.data.overview import (
    count_ages,
    count_classes,
    count_sizes,
    count_tiers,
    count_values,
    measure_spread,
)
from melanoma_core.taxonomy import TIER_STYLES, Diagnosis, RiskTier

RED, GREEN = (TIER_STYLES[tier].colour for tier in (RiskTier.MALIGNANT, RiskTier.BENIGN))
# What people without one kind of cone see, in linear light: Machado et al. (2009), severity 1.
SIGHTS = {
    "full": np.eye(3),
    "no red cones": np.array(
        [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]]
    ),
    "no green cones": np.array(
        [[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]]
    ),
    "no blue cones": np.array(
        [[1.2555, -0.0767, -0.1788], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6914, 0.3039]]
    ),
}


@pytest.mark.parametrize("sight", SIGHTS)
def test_classes_have_different_colours_with_every_kind_of_colour_blindness(sight):
    assert CLASS_COLOURS.keys() == set(Diagnosis)
    seen = {}
    for label, colour in CLASS_COLOURS.items():
        light = SIGHTS[sight] @ LINEAR[list(bytes.fromhex(colour[1:]))]
        pixel = np.searchsorted(LINEAR, light.clip(0, 1)).clip(0, 255).astype(np.uint8)
        seen[label] = to_lab(pixel)
    distances = [np.linalg.norm(seen[a] - seen[b]) for a, b in combinations(seen, 2)]
    assert min(distances) > 15


@pytest.fixture
def records() -> pd.DataFrame:
    """Return three nevi and a melanoma in train, a nevus in test, and a file without a label."""
    return pd.DataFrame(
        {
            "label": ["NV", "NV", "NV", "MEL", "NV", None],
            "subset": ["train"] * 4 + ["test", "train"],
            "brightness": [0.1, 0.2, 0.3, 0.5, 0.4, np.nan],
            "age": [35, 30, 39, 85, np.nan, np.nan],
            "sex": ["male", "male", "female", None, None, None],
            "width": [180, 180, 180, 600, 180, np.nan],
            "height": [135, 135, 135, 450, 135, np.nan],
        }
    )


def bars(figure: go.Figure) -> dict[str, go.Bar]:
    """Return the bars by name, without their legend entries."""
    return {bar.name: bar for bar in figure.data if bar.showlegend is False or bar.name is None}


def test_name_and_shape_identify_a_class_and_a_pattern_identifies_a_subset(records):
    drawn = bars(draw_classes(count_classes(records), is_log=False))
    assert list(drawn) == ["train", "test"]
    assert list(drawn["train"].y) == ["● nevus", "▲ melanoma"]
    assert list(drawn["train"].x) == [3, 1]
    assert list(drawn["test"].x) == [1, 0]
    assert list(drawn["train"].marker.color) == [GREEN, RED]
    assert drawn["train"].marker.pattern.shape == ""
    assert drawn["test"].marker.pattern.shape == "x"
    assert drawn["train"].text == ("3", "1")


def test_the_largest_class_is_on_top_and_the_axis_can_be_logarithmic(records):
    linear = draw_classes(count_classes(records), is_log=False)
    logarithmic = draw_classes(count_classes(records), is_log=True)
    assert linear.layout.yaxis.autorange == "reversed"
    assert linear.layout.xaxis.type is None
    assert logarithmic.layout.xaxis.type == "log"
    assert logarithmic.layout.xaxis.title.text == "images (logarithmic)"


def test_a_single_subset_is_drawn_plain_and_has_no_legend(records):
    figure = draw_classes(count_classes(records.assign(subset=None)), is_log=False)
    assert bars(figure)["unassigned"].marker.pattern.shape == ""
    assert figure.layout.showlegend is False


def test_tiers_are_in_order_of_risk(records):
    drawn = bars(draw_tiers(count_tiers(records), is_log=False))
    assert list(drawn["train"].y) == ["▲ malignant", "● benign"]
    assert list(drawn["train"].x) == [1, 3]


def test_ages_are_counted_by_decade_with_unknown_ages_last(records):
    (bar,) = draw_values(count_ages(records), "Age").data
    assert list(bar.customdata) == ["30–39", "80–89", "unknown"]
    assert list(bar.x) == [3, 1, 2]


def test_sizes_are_counted_and_a_file_without_one_is_unknown(records):
    (bar,) = draw_values(count_sizes(records), "Size").data
    assert list(bar.customdata) == ["180 × 135", "600 × 450", "unknown"]
    assert list(bar.x) == [4, 1, 1]


def test_an_empty_table_is_drawn_without_bars():
    empty = pd.DataFrame({"sex": pd.Series(dtype=object)})
    (bar,) = draw_values(count_values(empty, "sex"), "Sex").data
    assert list(bar.x) == []


def test_html_in_a_folder_name_is_shown_literally():
    names = pd.DataFrame({"source": ["<b>bold</b> & co"]})
    figure = draw_values(count_values(names, "source"), "Source")
    assert figure.layout.yaxis.ticktext == ("&lt;b>bold&lt;/b> &amp; co",)


def test_two_long_names_cut_to_the_same_text_keep_a_bar_each():
    names = pd.DataFrame({"source": ["x" * 50 + "1", "x" * 50 + "2"]})
    (bar,) = draw_values(count_values(names, "source"), "Source").data
    assert list(bar.y) == [0, 1]
    assert list(bar.x) == [1, 1]


def test_the_rarest_of_many_values_are_counted_together():
    values = pd.DataFrame({"site": [f"site {n:02d}" for n in range(20)] + ["site 00"]})
    counts = count_values(values, "site")
    assert len(counts) == 13
    assert tuple(counts.iloc[0]) == ("site 00", 2)
    assert tuple(counts.iloc[-1]) == ("all others", 8)


def test_the_box_of_a_class_shows_its_quantiles(records):
    spread = measure_spread(records, "brightness")
    assert list(spread.index) == [Diagnosis.MEL, Diagnosis.NV]
    assert spread.loc["NV", "files"] == 4
    figure = draw_spread(spread, "Brightness", "mean luma")
    box = figure.data[1]
    assert box.y == ("● nevus",)
    assert box.median[0] == pytest.approx(0.25)
    assert box.q1[0] == pytest.approx(0.175)
    assert box.lowerfence[0] == pytest.approx(0.115)


def test_without_diagnoses_there_are_no_boxes_and_no_bars(records):
    spread = measure_spread(records.assign(label=None), "brightness")
    assert len(draw_spread(spread, "Brightness", "mean luma").data) == 0
    assert len(draw_classes(count_classes(records.assign(label=None)), is_log=False).data) == 0


def test_balance_shows_each_class_before_and_after(records):
    table = tabulate_plan(plan_oversampling(records[records["subset"] == "train"], 5))
    drawn = bars(draw_balance(table, "Images per class", "images"))
    assert list(drawn["before"].y) == ["● nevus", "▲ melanoma"]
    assert list(drawn["before"].x) == [3, 1]
    assert list(drawn["after"].x) == [5, 5]
    assert drawn["after"].marker.pattern.shape == "/"


def test_the_size_of_a_chart_does_not_grow_with_the_number_of_files():
    many = 50_000
    rng = np.random.default_rng(0)
    records = pd.DataFrame(
        {
            "label": rng.choice(list(Diagnosis), many),
            "subset": rng.choice(["train", "test"], many),
            "brightness": rng.random(many),
            "age": rng.integers(0, 90, many),
        }
    )
    figures = (
        draw_classes(count_classes(records), is_log=False),
        draw_spread(measure_spread(records, "brightness"), "Brightness", ""),
        draw_values(count_ages(records), "Age"),
    )
    assert all(len(figure.to_json()) < 20_000 for figure in figures)
