"""Tables and notes that report a study."""

from collections.abc import Sequence
from typing import Any

from melanoma_core.jsonable import to_jsonable
from melanoma_core.models.card_text.formats import format_figure
from melanoma_core.runs.run import RunState
from melanoma_core.runs.study import PROTOCOLS, Study, StudyRow
from melanoma_core.training.classes import names_tiers

CAPTIONS = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "sensitivity": "Melanoma recall, top-1",
}
_UNKNOWN = "–"
_WARNING = (
    "\\* A warning, not a result: its synthetic images were created before the validation subset "
    "was drawn, so it was evaluated on images related to its training images."
)
_INTERVALS = "In brackets: 95% CI, resampled by lesion."


def tabulate_study(study: Study, figure: str) -> list[list[str]]:
    """Return one metric of every recipe by every protocol.

    Args:
        study: The study.
        figure: A key of `CAPTIONS`.

    Returns:
        Rows of text of equal length, the header first. A recipe that has not finished has dashes.
    """
    heads = [name_figure(study, figure), *(_name_protocol(study, key) for key in PROTOCOLS)]
    rows = [
        [
            f"{row.recipe.name}*" if row.is_warning else row.recipe.name,
            *(_format_cell(row, key, figure) for key in PROTOCOLS),
        ]
        for row in study.rows
    ]
    return [heads, *rows]


def name_figure(study: Study, figure: str) -> str:
    """Return the title of a metric; of malignant lesions where the classes are risk tiers."""
    is_tier = names_tiers(study.rows[0].run.spec.class_names)
    return CAPTIONS[figure].replace("Melanoma", "Malignant") if is_tier else CAPTIONS[figure]


def write_study(study: Study, *, markdown: bool = False) -> str:
    """Return the tables of all metrics of a study, and notes on runs that did not finish."""
    write = write_markdown if markdown else write_aligned
    tables = [write(tabulate_study(study, figure)) for figure in CAPTIONS]
    notes = [_INTERVALS] if any(row.figures for row in study.rows) else []
    if any(row.is_warning for row in study.rows):
        notes.append(_WARNING if markdown else _WARNING.removeprefix("\\"))
    notes += [_describe_row(row) for row in study.rows if row.run.state is not RunState.FINISHED]
    return "\n\n".join([*tables, *notes])


def _describe_row(row: StudyRow) -> str:
    """Return the state of a run in one line."""
    state = f"{row.recipe.name}: {row.run.state}"
    return f"{state}. {row.run.message}" if row.run.message else f"{state}."


def describe_study(study: Study) -> dict[str, Any]:
    """Return a study as JSON; undefined numbers are null."""
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
                "figures": to_jsonable(row.figures),
            }
            for row in study.rows
        ],
    }


def _name_protocol(study: Study, key: str) -> str:
    """Return the title of a protocol, with the number of images if all recipes share it."""
    sizes = {row.figures[key]["accuracy"].total for row in study.rows if row.figures}
    return f"{PROTOCOLS[key].title} ({sizes.pop():,})" if len(sizes) == 1 else PROTOCOLS[key].title


def _format_cell(row: StudyRow, key: str, figure: str) -> str:
    return format_figure(figure, row.figures[key][figure]) if row.figures else _UNKNOWN


def write_markdown(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of text, the header first, as a table in Markdown."""
    lines = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write_aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of text with aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
