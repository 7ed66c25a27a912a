"""What a study teaches, in sentences computed from its figures: data in, text out, no st call."""

from html import escape
from typing import TYPE_CHECKING

from melanoma_core.models.wording import format_percent
from melanoma_core.runs.run import RunState

if TYPE_CHECKING:
    from melanoma_core.evaluation.figure import Figure
    from melanoma_core.runs.study import Study, StudyRow

STUDY_TEXT = (
    "<p>A study trains every preset on one split of the chosen folder as it lies there, the way "
    "published projects do. Each network is then measured in four ways: on a validation drawn "
    "photograph by photograph, on one that shares no lesion with what it learned, and on the "
    "folder's Test, with and without the photographs that have a copy or their lesion in Train. "
    "The distance between the first figure and the last is what leakage adds to a score.</p>"
)


def render_conclusion(study: "Study") -> str:
    """Render what the figures of a study say, as far as its recipes have finished."""
    sentences = (*_tell_finished(study), *_tell_leakage(study), *_tell_best(study))
    return "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)


def _tell_finished(study: "Study") -> tuple[str, ...]:
    num_finished = sum(bool(row.figures) for row in study.rows)
    if num_finished == len(study.rows):
        return ()
    so_far = "" if study.is_over else " so far"
    return (f"{num_finished:,} of {len(study.rows):,} recipes have finished{so_far}.",)


def _tell_leakage(study: "Study") -> list[str]:
    """Say for the recipe that leakage flatters most by how much it does.

    Both validations were drawn from the same photographs, so that they differ by leakage alone.
    """
    measured = [row for row in study.rows if _has(row, "published") and _has(row, "validation")]
    if not measured:
        return []
    row = max(measured, key=_lose)
    published, validation = _accuracy(row, "published"), _accuracy(row, "validation")
    told = (
        f"As published projects measure it, {row.recipe.name} has an accuracy of "
        f"{format_percent(published.value)}; on a validation that shares no lesion with what it "
        f"learned, {format_percent(validation.value)}."
    )
    if published.low > validation.high:
        return [
            told + f" The two intervals do not touch: chance does not explain these "
            f"{100 * _lose(row):.1f} points. Leakage does."
        ]
    return [
        told + " The intervals of the two overlap: of so few photographs, chance may explain the "
        "difference."
    ]


def _tell_best(study: "Study") -> list[str]:
    """Say which recipe is ahead on what none of them could have seen, and of which surely."""
    rows = [row for row in study.rows if not row.is_warning and _has(row, "test_unseen")]
    if len(rows) < 2:
        return []
    rows.sort(key=lambda row: _accuracy(row, "test_unseen").value, reverse=True)
    best, others = rows[0], rows[1:]
    level = [
        row.recipe.name
        for row in others
        if _accuracy(row, "test_unseen").high >= _accuracy(best, "test_unseen").low
    ]
    figure = _accuracy(best, "test_unseen")
    told = (
        f"Without leakage {best.recipe.name} reads the most Test photographs right: "
        f"{figure.count:,} of {figure.total:,}."
    )
    if not level:
        return [told + " Its interval lies above that of every other recipe."]
    return [told + f" Its interval overlaps that of {', '.join(level)}."]


def list_unfinished(study: "Study") -> list[str]:
    """Return a line for each recipe that ended without figures."""
    return [
        f"{row.recipe.name} {row.run.state}. {row.run.message}"
        for row in study.rows
        if row.run.state.is_over and row.run.state is not RunState.FINISHED
    ]


def _lose(row: "StudyRow") -> float:
    return _accuracy(row, "published").value - _accuracy(row, "validation").value


def _has(row: "StudyRow", look: str) -> bool:
    return bool(row.figures) and _accuracy(row, look).total > 0


def _accuracy(row: "StudyRow", look: str) -> "Figure":
    return row.figures[look]["accuracy"]
