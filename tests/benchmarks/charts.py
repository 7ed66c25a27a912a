"""Every chart of the Dataset page, from a table with as many rows as ISIC 2024 has photographs."""

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboard.dataset.charts import (
    draw_balance,
    draw_classes,
    draw_spread,
    draw_tiers,
    draw_values,
)
from melanoma_core.data.balancing import (
    plan_oversampling,
    tabulate_plan,
    tabulate_weights,
)
from melanoma_core.data.overview import (
    SUBSETS,
    count_ages,
    count_classes,
    count_sizes,
    count_tiers,
    count_values,
    measure_spread,
)
from melanoma_core.taxonomy import Diagnosis
from tests.benchmarks.timing import Row, milliseconds, time_in_turn

_NUM_ROWS = 400_000

Chart = Callable[[pd.DataFrame], go.Figure]


def measure() -> Iterable[Row]:
    """Counting, drawing and writing each chart as the JSON that the browser gets."""
    records = make_records(_NUM_ROWS)
    actions = {
        name: lambda chart=chart: chart(records).to_json() for name, chart in _CHARTS.items()
    }
    seconds = time_in_turn(actions, num_rounds=5)
    for name, taken in seconds.items():
        yield f"chart from {_NUM_ROWS:,} rows: {name}", milliseconds(taken), "–", "–", "–"
    yield (
        f"all {len(_CHARTS)} charts of the Dataset page from {_NUM_ROWS:,} rows",
        f"{sum(seconds.values()):.2f} s",
        "–",
        "–",
        "–",
    )


def make_records(num_rows: int) -> pd.DataFrame:
    """Make a file table with classes as uneven as real ones, and an eighth unknown."""
    rng = np.random.default_rng(0)
    shares = np.array([2.0**-rank for rank in range(len(Diagnosis))])

    def choose(values: Iterable[object], known: float = 7 / 8) -> pd.Series:
        drawn = pd.Series(rng.choice(np.array(list(values), dtype=object), num_rows), dtype=object)
        return drawn.where(pd.Series(rng.random(num_rows) < known), None)

    labels = rng.choice(np.array(list(Diagnosis), dtype=object), num_rows, p=shares / shares.sum())
    return pd.DataFrame(
        {
            "label": pd.Series(labels, dtype=object),
            "subset": choose(SUBSETS[:3]),
            "age": pd.to_numeric(choose(range(5, 90, 5))),
            "sex": choose(["female", "male"]),
            "site": choose(["head/neck", "torso", "upper extremity", "lower extremity"]),
            "source": choose(["one", "two", "three"], known=1),
            "width": rng.choice([600, 1024, 3072], num_rows),
            "height": rng.choice([450, 768, 2304], num_rows),
            "brightness": rng.random(num_rows),
            "contrast": rng.random(num_rows) / 2,
            "sharpness": rng.random(num_rows) / 100,
            "sha256": "known",
        }
    )


def _draw_weights(records: pd.DataFrame) -> go.Figure:
    table = tabulate_weights(records["label"])
    return draw_balance(table, "Class weights", "images")


def _draw_plan(records: pd.DataFrame) -> go.Figure:
    return draw_balance(tabulate_plan(plan_oversampling(records)), "Oversampling", "images")


def _values_of(column: str) -> Chart:
    return lambda records: draw_values(count_values(records, column), column)


def _spread_of(column: str) -> Chart:
    return lambda records: draw_spread(measure_spread(records, column), column, "")


_CHARTS: dict[str, Chart] = {
    "classes": lambda records: draw_classes(count_classes(records), is_log=False),
    "classes, logarithmic": lambda records: draw_classes(count_classes(records), is_log=True),
    "risk tiers": lambda records: draw_tiers(count_tiers(records), is_log=False),
    "ages": lambda records: draw_values(count_ages(records), "Age"),
    "sizes": lambda records: draw_values(count_sizes(records), "Size"),
    **{column: _values_of(column) for column in ("sex", "site", "source")},
    **{column: _spread_of(column) for column in ("brightness", "contrast", "sharpness")},
    "class weights": _draw_weights,
    "oversampling": _draw_plan,
}
