"""A study as a person reads it: a table per figure, in text or Markdown, or all of it as JSON."""

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from melanoma_core.evaluation.figure import Figure
from melanoma_core.models.tables import tell_figure
from melanoma_core.runs.run import RunState
from melanoma_core.runs.study import LOOKS, Study, StudyRow

CAPTIONS = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "sensitivity": "Melanomas put first",
}
_UNKNOWN = "–"
_WARNING = (
    "\\* A warning, not a result: its new images were made before the validation was drawn, so "
    "that it was measured on relatives of what it learned."
)
_INTERVALS = "In brackets, 95% intervals, resampled by lesion."


def tabulate_study(study: Study, figure: str) -> list[list[str]]:
    """Return one figure of every recipe, looked at in every way of `study.LOOKS`.

    Args:
        study: The study.
        figure: A key of `CAPTIONS`.

    Returns:
        Rows of text of one length, the heads first. A recipe that has not finished has dashes.
    """
    heads = [CAPTIONS[figure], *(_name_look(study, key) for key in LOOKS)]
    rows = [
        [
            f"{row.recipe.name}*" if row.is_warning else row.recipe.name,
            *(_tell(row, key, figure) for key in LOOKS),
        ]
        for row in study.rows
    ]
    return [heads, *rows]


def write_study(study: Study, *, markdown: bool = False) -> str:
    """Return all figures of a study with what they rest on, and what became of the other runs."""
    write = _write_markdown if markdown else _write_aligned
    tables = [write(tabulate_study(study, figure)) for figure in CAPTIONS]
    notes = [_INTERVALS] if any(row.figures for row in study.rows) else []
    if any(row.is_warning for row in study.rows):
        notes.append(_WARNING if markdown else _WARNING.removeprefix("\\"))
    notes += [describe_row(row) for row in study.rows if row.run.state is not RunState.FINISHED]
    return "\n\n".join([*tables, *notes])


def describe_row(row: StudyRow) -> str:
    """Say in one line what became of a run."""
    state = f"{row.recipe.name}: {row.run.state}"
    return f"{state}. {row.run.message}" if row.run.message else f"{state}."


def describe_study(study: Study) -> dict[str, Any]:
    """Return a study as JSON can hold it; what is undefined is null."""
    return {
        "study_id": study.study_id,
        "data_name": study.data_name,
        "created_at": study.created_at,
        "is_over": study.is_over,
        "recipes": [
            {
                "recipe": row.recipe.name,
                "run_id": row.run.run_id,
                "state": str(row.run.state),
                "message": row.run.message,
                "is_warning": row.is_warning,
                "figures": {
                    key: {name: _describe(figure) for name, figure in figures.items()}
                    for key, figures in row.figures.items()
                },
            }
            for row in study.rows
        ],
    }


def _name_look(study: Study, key: str) -> str:
    """Add how many photographs it is, where that is the same for all recipes."""
    sizes = {row.figures[key]["accuracy"].total for row in study.rows if row.figures}
    return f"{LOOKS[key].title} ({sizes.pop():,})" if len(sizes) == 1 else LOOKS[key].title


def _tell(row: StudyRow, key: str, figure: str) -> str:
    return tell_figure(figure, row.figures[key][figure]) if row.figures else _UNKNOWN


def _write_markdown(rows: Sequence[Sequence[str]]) -> str:
    lines = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _write_aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _describe(figure: Figure) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and math.isnan(value) else value
        for name, value in asdict(figure).items()
    }
