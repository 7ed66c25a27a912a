"""The table that reports a series of runs with each collection left out."""

import math
from typing import Any

from melanoma_core.jsonable import to_jsonable
from melanoma_core.models.card_text.formats import format_figure
from melanoma_core.runs.leave_out import FIGURES, REFUSED, LeftOut, Series
from melanoma_core.runs.run import RunState
from melanoma_core.runs.study_table import write_aligned, write_markdown

TITLES = {
    "melanoma_roc_auc": "Melanoma ROC AUC",
    "skin_cancer_roc_auc": "Skin cancer ROC AUC",
    "calibration_error": "Calibration error",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "skin_cancer_sensitivity": "Skin cancer sensitivity",
    "skin_cancer_specificity": "Skin cancer specificity",
    REFUSED: "Refused (out of distribution)",
}
_UNKNOWN = "–"
NOTE = (
    "Each row is a network that was trained, calibrated and given its thresholds without that "
    "collection, and evaluated on all of it. In parentheses: 95% CI, resampled by lesion. "
    "Sensitivity and specificity are those of the melanoma alert and of the skin cancer alert."
)


def tabulate_series(series: Series) -> list[list[str]]:
    """Return the metrics of every collection that was left out.

    Returns:
        Rows of text of equal length, the header first. Where a metric is undefined, or the run has
        not finished, there is a dash.
    """
    shown = [name for name in TITLES if any(name in row.figures for row in series.rows)]
    shown = shown or [*FIGURES, REFUSED]
    heads = ["Left out", "Images", *(TITLES[name] for name in shown)]
    return [
        heads,
        *(
            [row.source, f"{row.num_images:,}", *(_format_cell(row, name) for name in shown)]
            for row in series.rows
        ),
    ]


def write_series(series: Series, *, markdown: bool = False) -> str:
    """Return the table of a series, and notes on runs without metrics."""
    write = write_markdown if markdown else write_aligned
    return "\n\n".join([write(tabulate_series(series)), NOTE, *list_missing(series)])


def list_missing(series: Series) -> list[str]:
    """Return why some runs have no metrics, one line each."""
    return [
        f"{row.run.name}: {row.missing or row.run.message or row.run.state}".rstrip(".") + "."
        for row in series.rows
        if row.missing or row.run.state is not RunState.FINISHED
    ]


def describe_series(series: Series) -> dict[str, Any]:
    """Return a series as JSON; undefined numbers are null."""
    return {
        "series_id": series.series_id,
        "data_name": series.data_name,
        "is_over": series.is_over,
        "left_out": [
            {
                "source": row.source,
                "run_id": row.run.run_id,
                "model_id": row.run.model_id,
                "state": str(row.run.state),
                "message": row.missing or row.run.message,
                "num_images": row.num_images,
                "figures": to_jsonable(dict(row.figures)),
            }
            for row in series.rows
        ],
    }


def _format_cell(row: LeftOut, name: str) -> str:
    figure = row.figures.get(name)
    if figure is None or math.isnan(figure.value):
        return _UNKNOWN
    text = format_figure(name, figure)
    return text if figure.count is not None else f"{text}, n = {figure.total:,}"
