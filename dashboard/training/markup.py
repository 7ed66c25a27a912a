"""Runs as HTML: data in, text out, no st call. Every text from outside is escaped here."""

import math
from html import escape
from typing import TYPE_CHECKING

from melanoma_core.models.card_text.formats import format_figure, format_percent
from melanoma_core.runs.run import Progress, Run, RunState
from melanoma_core.training.observer import Estimate, Phase

if TYPE_CHECKING:
    from collections.abc import Mapping

    from melanoma_core.evaluation.figure import Figure

# A shape and a word each, never a colour alone.
STATE_SYMBOLS = {
    RunState.QUEUED: "○",
    RunState.RUNNING: "►",
    RunState.FINISHED: "✓",
    RunState.FAILED: "✕",
    RunState.STOPPED: "■",
    RunState.INTERRUPTED: "‖",
}
LEAK_WARNING = (
    "This run makes its new images before the split, as published projects did: it is validated on "
    "changed copies of what it learned. Its published figures are too good to be true, and its "
    "network is never kept as a model."
)
TEST_FIGURES = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "sensitivity": "Melanoma sensitivity",
    "specificity": "Melanoma specificity",
    "melanoma_roc_auc": "Melanoma ROC AUC",
}
_TRAINING = {Phase.HEAD, Phase.NETWORK}
_MINUTE, _HOUR = 60, 3600  # s
_GB = 1e9


def name_state(run: Run) -> str:
    """Return a run's state as shape and word, as "► running"."""
    if run.state is RunState.QUEUED and run.queue_position:
        return f"{STATE_SYMBOLS[run.state]} queued, {_name_place(run.queue_position)}"
    if run.is_stopping:
        return f"{STATE_SYMBOLS[run.state]} stopping"
    return f"{STATE_SYMBOLS[run.state]} {run.state}"


def render_state(run: Run) -> str:
    """Render the state of a run, and what happened and what to do where it ended too soon."""
    message = run.message
    if run.state is RunState.QUEUED:
        message = "It starts by itself when those before it are over."
    elif run.is_bug:
        message += " This is a fault of the program: the log below tells it in full."
    told = f"<p>{escape(message)}</p>" if message else ""
    recipe, when = run.spec.recipe, _tell_times(run)
    return (
        f'<section class="banner run-state {run.state}" role="status">'
        f'<span class="shape" aria-hidden="true">{STATE_SYMBOLS[run.state]}</span>'
        f'<div><p class="verdict">{escape(name_state(run).split(" ", 1)[1].capitalize())}</p>'
        f"{told}<p>Recipe {escape(recipe.name)}, {escape(recipe.architecture)}, on "
        f"{escape(run.spec.data_name)}. {when}</p></div></section>"
    )


def render_leak(text: str) -> str:
    """Render the warning of a recipe that shows a mistake on purpose."""
    return (
        '<section class="leak" role="note"><strong aria-hidden="true">!</strong>'
        f"<p>{escape(text)}</p></section>"
    )


def render_progress(progress: Progress) -> str:
    """Render pace, time left and memory of a run that runs, unknown as unknown."""
    facts = {
        "Time left": describe_duration(progress.remaining_seconds),
        "Images per second": _tell(progress.images_per_second, "{:.1f}"),
        "Loss of this epoch": _tell(progress.loss, "{:.3f}"),
        "Memory": describe_memory(progress.memory_bytes),
    }
    cells = "".join(f"<div><dt>{name}</dt><dd>{fact}</dd></div>" for name, fact in facts.items())
    return f'<dl class="pace">{cells}</dl>'


def render_end(run: Run) -> str:
    """Render what became of the network of a finished run."""
    if run.model_id:
        return f"<p>Kept as the model <strong>{escape(run.model_id)}</strong>.</p>"
    return f"<p>Not kept as a model. {escape(run.not_kept)}</p>"


def render_fit(sentence: str) -> str:
    """Render what the curves say of the network; nothing where they say nothing."""
    return f'<p class="fit" role="status">{escape(sentence)}</p>' if sentence else ""


def render_test_figures(figures: "Mapping[str, Figure]") -> str:
    """Render the figures of a finished run on its test images."""
    rows = "".join(
        f"<div><dt>{title}</dt><dd>{escape(format_figure(name, figures[name]))}</dd></div>"
        for name, title in TEST_FIGURES.items()
    )
    total = figures["accuracy"].total
    return (
        f'<dl class="pace">{rows}</dl><p class="meaning">On {total:,} test photographs that it '
        "did not learn from, with 95% intervals resampled by lesion. Melanoma counts as found "
        "where it has the largest probability.</p>"
    )


def render_leads(leads: "Mapping[str, Figure]", first: str) -> str:
    """Render how far runs are ahead of the first in accuracy, and whether that may be chance."""
    return "".join(f"<p>{escape(_tell_lead(name, leads[name], first))}</p>" for name in leads)


def render_estimate(estimate: Estimate) -> str:
    """Render what a run will take, in words."""
    return (
        f"<p>{describe_duration(estimate.total_seconds).capitalize()} on this machine, "
        f"{describe_memory(estimate.memory_bytes)} of memory, "
        f"{_tell(estimate.images_per_second, '{:.0f}')} images per second.</p>"
    )


def describe_steps(progress: Progress) -> tuple[float, str]:
    """Return how far the phase is, in [0, 1], and that in words."""
    share = progress.done / progress.total if progress.total else 0.0
    if not progress.total:
        return 0.0, progress.phase.capitalize()
    unit = "batch " if progress.phase in _TRAINING else ""
    text = f"{progress.phase.capitalize()}: {unit}{progress.done:,} of {progress.total:,}"
    return min(share, 1.0), text


def describe_epochs(progress: Progress) -> tuple[float, str]:
    """Return how far the epochs are, in [0, 1], and that in words."""
    total = max(progress.num_epochs, 1)
    if progress.phase in _TRAINING:
        share = progress.done / progress.total if progress.total else 0.0
        return (progress.epoch - 1 + share) / total, f"Epoch {progress.epoch:,} of {total:,}"
    if progress.phase is Phase.MEASURING and progress.epoch:
        return progress.epoch / total, f"Epoch {progress.epoch:,} of {total:,}"
    return progress.epoch / total, f"{progress.epoch:,} of {total:,} epochs are done"


def describe_duration(seconds: float) -> str:
    """Return a time in words, as exact as an estimate is."""
    if math.isnan(seconds):
        return "not known yet"
    if seconds < _MINUTE:
        return f"about {max(5 * math.ceil(seconds / 5), 5)} seconds"
    minutes = round(seconds / _MINUTE)
    if minutes < _MINUTE:
        return f"about {minutes} minute{'' if minutes == 1 else 's'}"
    hours, minutes = divmod(5 * round(seconds / _MINUTE / 5), _MINUTE)
    told = f"about {hours} hour{'' if hours == 1 else 's'}"
    return f"{told} {minutes} minutes" if minutes else told


def describe_memory(num_bytes: int) -> str:
    """Return memory in GB, unknown as unknown."""
    return f"{num_bytes / _GB:.1f} GB" if num_bytes else "not known yet"


def tell_time(when: str) -> str:
    """Return a time to the minute, as "2026-11-20 13:34 UTC"."""
    return f"{when[:16].replace('T', ' ')} UTC"


def _tell_lead(name: str, lead: "Figure", first: str) -> str:
    if math.isnan(lead.value):
        return f"How far {name} is ahead of {first} is undefined."
    points = (
        f"{name} is {abs(100 * lead.value):.1f} points of accuracy "
        f"{'ahead of' if lead.value >= 0 else 'behind'} {first} on the same "
        f"{lead.total:,} photographs"
    )
    if math.isnan(lead.low):
        return f"{points}."
    interval = f"95% interval of the difference {100 * lead.low:+.1f} to {100 * lead.high:+.1f}"
    verdict = "chance may explain it" if lead.low <= 0 <= lead.high else "more than chance"
    return f"{points} ({interval}): {verdict}."


def _tell(number: float, how: str) -> str:
    return "not known yet" if math.isnan(number) else how.format(number)


def _tell_times(run: Run) -> str:
    name, when = "Launched", run.created_at
    if run.ended_at and run.state.is_over:
        name, when = "Ended", run.ended_at
    elif run.started_at:
        name, when = "Started", run.started_at
    return f"{name} {escape(tell_time(when))}."


def _name_place(position: int) -> str:
    return "next" if position == 1 else f"number {position} in the queue"


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
