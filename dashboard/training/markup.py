"""Runs and studies as HTML and text, without Streamlit calls; external text is escaped here.

In order: the state of a run, its progress, its results, a study, and the formats they share.
"""

import math
from html import escape
from typing import TYPE_CHECKING

from dashboard.training.fields import name_value
from dashboard.training.times import render_time
from melanoma_core.models.card_text.formats import format_figure, format_interval, format_percent
from melanoma_core.runs.run import Progress, Run, RunState
from melanoma_core.training.observer import Estimate, Phase
from melanoma_core.training.recipe import PRESETS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from melanoma_core.evaluation.figure import Figure
    from melanoma_core.runs.study import Study, StudyRow

# A shape and a word each: colour alone would not do.
_STATE_SYMBOLS = {
    RunState.QUEUED: "○",
    RunState.RUNNING: "►",
    RunState.FINISHED: "✓",
    RunState.FAILED: "✕",
    RunState.STOPPED: "■",
    RunState.INTERRUPTED: "‖",
}
LEAK_WARNING = (
    "This run oversamples before the split, as published projects did: its validation images "
    "include altered copies of training images. Its published metrics are inflated, and its "
    "network is never kept as a model."
)
# In a run there is no alert threshold yet: melanoma is predicted if it is the most probable class.
TEST_FIGURES = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "sensitivity": "Melanoma recall, top-1",
    "specificity": "Melanoma specificity, top-1",
    "melanoma_roc_auc": "Melanoma ROC AUC",
}
# Of the model of a run, at the operating point of its melanoma alert.
ALERT_FIGURES = {
    "sensitivity": "Melanoma sensitivity",
    "specificity": "Melanoma specificity",
}
ALERT_NOTE = (
    "Sensitivity and specificity are those of the melanoma alert, at the operating point of the "
    "model that the run produced."
)
# What runs are compared by, as it is called within a sentence.
COMPARED_FIGURES = {
    "melanoma_roc_auc": "melanoma ROC AUC",
    "sensitivity": "melanoma recall (top-1)",
    "specificity": "melanoma specificity (top-1)",
}
TOP_1_NOTE = (
    "Intervals are resampled by lesion. Top-1 metrics count melanoma as predicted if it is the "
    "most probable diagnosis. In a run on risk tiers alone, malignant takes the place of melanoma."
)
STUDY_DESCRIPTION = (
    "<p>A study trains every preset on one split of the chosen folder, without cleaning, as "
    "published projects do. Each network is evaluated on four sets: a validation set drawn image "
    "by image, a validation set that shares no lesion with the training images, and the folder's "
    "Test with and without images that have a copy or their lesion in Train. The difference "
    "between the first and the last metric is the inflation by leakage.</p>"
)
_TRAINING = {Phase.HEAD, Phase.NETWORK}
_MINUTE = 60  # s
_GB = 1e9
_UNKNOWN = "not known yet"


# The state of a run.


def name_state(run: Run) -> str:
    """Return the state of a run as a shape and a word, such as "► running"."""
    symbol = _STATE_SYMBOLS[run.state]
    if run.state is RunState.QUEUED and run.queue_position:
        return f"{symbol} queued, {_name_queue_position(run.queue_position)}"
    return f"{symbol} {'stopping' if run.is_stopping else run.state}"


def render_state(run: Run, zone: str | None = None) -> str:
    """Render the state of a run; if it ended early, also the cause and what to do.

    Args:
        run: The run.
        zone: Time zone of the browser.
    """
    message = run.message
    if run.state is RunState.QUEUED:
        message = "It starts when the runs before it have ended."
    elif run.is_bug:
        message += " This is a bug in the program; the log below has the details."
    paragraph = f"<p>{escape(message)}</p>" if message else ""
    recipe = run.spec.recipe
    return (
        f'<section class="banner run-state {run.state}" role="status">'
        f'<span class="shape" aria-hidden="true">{_STATE_SYMBOLS[run.state]}</span>'
        f'<div><p class="verdict">{escape(name_state(run).split(" ", 1)[1].capitalize())}</p>'
        f"{paragraph}<p>Recipe {escape(recipe.name)}, {escape(recipe.architecture)}, on "
        f"{escape(run.spec.data_name)}. {_render_times(run, zone)}</p></div></section>"
    )


def render_leak(text: str) -> str:
    """Render the warning of a recipe that leaks on purpose."""
    return (
        '<section class="leak" role="note"><strong aria-hidden="true">!</strong>'
        f"<p>{escape(text)}</p></section>"
    )


def _render_times(run: Run, zone: str | None) -> str:
    if run.ended_at and run.state.is_over:
        text = f"Ended {render_time(run.ended_at, zone)}"
        took = "" if math.isnan(run.duration_seconds) else f" after {describe_duration(run)}"
        return f"{text}{took}."
    if run.started_at:
        return f"Started {render_time(run.started_at, zone)}."
    return f"Launched {render_time(run.created_at, zone)}."


def _name_queue_position(position: int) -> str:
    return "next" if position == 1 else f"number {position} in the queue"


# The recipe.


def render_group(title: str) -> str:
    """Render the heading of a group of fields."""
    return f'<h2 class="group">{escape(title)}</h2>'


def render_preset_value(value: object, preset: object) -> str:
    """Render the value of the preset beside a field, emphasised where the field differs."""
    text = escape(name_value(preset))
    if value == preset:
        return f'<p class="preset">Preset: {text}</p>'
    return f'<p class="preset changed">Changed. Preset: {text}</p>'


# The progress of a run.


def render_progress(progress: Progress) -> str:
    """Render the loss, throughput, time left and memory of a running run."""
    facts = {
        "Time left": format_duration(progress.remaining_seconds),
        "Images per second": _format_known(progress.images_per_second, "{:.1f}"),
        "Loss of this epoch": _format_known(progress.loss, "{:.3f}"),
        "Memory": format_memory(progress.memory_bytes),
    }
    return _render_facts(facts)


def render_estimate(estimate: Estimate) -> str:
    """Render the estimated duration, memory and throughput of a run."""
    return (
        f"<p>{format_duration(estimate.total_seconds).capitalize()} on this machine, "
        f"{format_memory(estimate.memory_bytes)} of memory, "
        f"{_format_known(estimate.images_per_second, '{:.0f}')} images per second.</p>"
    )


def describe_epochs(progress: Progress) -> tuple[float, str]:
    """Return the share of epochs that are done, in [0, 1], and the same as text."""
    total = max(progress.num_epochs, 1)
    current = f"Epoch {progress.epoch:,} of {total:,}"
    if progress.phase in _TRAINING:
        return (progress.epoch - 1 + _get_share(progress)) / total, current
    if progress.phase is Phase.MEASURING and progress.epoch:
        return progress.epoch / total, current
    return progress.epoch / total, f"{progress.epoch:,} of {total:,} epochs done"


def describe_steps(progress: Progress) -> tuple[float, str]:
    """Return the share of the current phase that is done, in [0, 1], and the same as text."""
    phase = "Evaluating" if progress.phase is Phase.MEASURING else progress.phase.capitalize()
    if not progress.total:
        return 0.0, phase
    unit = "batch " if progress.phase in _TRAINING else ""
    text = f"{phase}: {unit}{progress.done:,} of {progress.total:,}"
    return min(_get_share(progress), 1.0), text


def _get_share(progress: Progress) -> float:
    return progress.done / progress.total if progress.total else 0.0


# The results of a run.


def render_end(run: Run) -> str:
    """Render whether the network of a finished run was kept as a model, or why not."""
    if run.model_id:
        return f"<p>Kept as the model <strong>{escape(run.model_id)}</strong>.</p>"
    return f"<p>Not kept as a model. {escape(run.not_kept)}</p>"


def render_fit(sentence: str) -> str:
    """Render a sentence on overfitting or underfitting; empty if there is none."""
    return f'<p class="fit" role="status">{escape(sentence)}</p>' if sentence else ""


def render_test_figures(figures: "Mapping[str, Figure]") -> str:
    """Render the metrics of a finished run on its test subset."""
    facts = {title: format_figure(name, figures[name]) for name, title in TEST_FIGURES.items()}
    return (
        f'{_render_facts(facts)}<p class="meaning">On {figures["accuracy"].total:,} held-out test '
        f"images, with 95% CI. {TOP_1_NOTE}</p>"
    )


def render_differences(differences: "Mapping[str, Figure]", metric: str, first: str) -> str:
    """Render the differences of a metric between runs and the first one.

    Args:
        differences: By the name of the run, its metric minus that of the first.
        metric: A key of `COMPARED_FIGURES`.
        first: Name of the first run.
    """
    sentences = (
        _describe_difference(name, each, metric, first) for name, each in differences.items()
    )
    return "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)


def _describe_difference(name: str, difference: "Figure", metric: str, first: str) -> str:
    title = COMPARED_FIGURES[metric]
    if math.isnan(difference.value):
        return f"The difference in {title} between {name} and {first} is undefined."
    unit, digits, factor = ("", 3, 1) if "roc_auc" in metric else (" percentage points", 1, 100)
    text = (
        f"The {title} of {name} is {abs(factor * difference.value):.{digits}f}{unit} "
        f"{'higher' if difference.value >= 0 else 'lower'} than that of {first} on the same "
        f"{difference.total:,} images"
    )
    if math.isnan(difference.low):
        return f"{text}."
    includes_zero = difference.low <= 0 <= difference.high
    verdict = "chance may explain it" if includes_zero else "chance does not explain it"
    low, high = (f"{factor * bound:+.{digits}f}" for bound in (difference.low, difference.high))
    return f"{text} (95% CI of the difference {low} to {high}): {verdict}."


# A study.


def render_study_plan(names: "Sequence[str]", data_name: str) -> str:
    """Render what a study of some presets will train, and how long such work takes."""
    if not names:
        return "<p>Choose at least one preset.</p>"
    num_epochs = sum(PRESETS[name].total_epochs for name in names)
    runs = "1 run" if len(names) == 1 else f"{len(names)} runs"
    return (
        f"<p>This trains {runs} of {num_epochs:,} epochs in all on {escape(data_name)}, in the "
        "order of the queue. Without a GPU, it takes hours. “Estimate time and memory” in the "
        "sidebar measures one preset on this machine.</p>"
    )


def render_conclusion(study: "Study") -> str:
    """Render what the metrics of a study show so far."""
    sentences = (*_describe_finished(study), *_describe_leakage(study), *_describe_best(study))
    return "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)


def list_unfinished(study: "Study") -> list[str]:
    """Return a line for each run of a study that ended without metrics."""
    return [
        f"{row.recipe.name} {row.run.state}. {row.run.message}"
        for row in study.rows
        if row.run.state.is_over and row.run.state is not RunState.FINISHED
    ]


def _describe_finished(study: "Study") -> list[str]:
    num_finished = sum(bool(row.figures) for row in study.rows)
    if num_finished == len(study.rows):
        return []
    so_far = "" if study.is_over else " so far"
    return [f"{num_finished:,} of {len(study.rows):,} recipes have finished{so_far}."]


def _describe_leakage(study: "Study") -> list[str]:
    """Describe the recipe whose accuracy leakage inflates the most.

    Both validation sets were drawn from the same images, so they differ by leakage alone.
    """
    rows = [row for row in study.rows if _has(row, "published") and _has(row, "validation")]
    if not rows:
        return []
    row = max(rows, key=_get_inflation)
    published, validation = _get_accuracy(row, "published"), _get_accuracy(row, "validation")
    text = (
        f"Validated as published projects do, {row.recipe.name} has an accuracy of "
        f"{format_percent(published.value)} ({format_interval(published)}). Validated without "
        f"leakage, {format_percent(validation.value)} ({format_interval(validation)})."
    )
    if published.low > validation.high:
        return [
            f"{text} The intervals do not overlap: leakage, not chance, explains the difference of "
            f"{100 * _get_inflation(row):.1f} percentage points."
        ]
    return [f"{text} The intervals overlap: chance may explain the difference."]


def _describe_best(study: "Study") -> list[str]:
    """Describe the best recipe on test images without leakage, and which ones are comparable."""
    rows = [row for row in study.rows if not row.is_warning and _has(row, "test_unseen")]
    if len(rows) < 2:
        return []
    rows.sort(key=lambda row: _get_accuracy(row, "test_unseen").value, reverse=True)
    best, *others = rows
    figure = _get_accuracy(best, "test_unseen")
    comparable = [
        row.recipe.name for row in others if _get_accuracy(row, "test_unseen").high >= figure.low
    ]
    text = (
        f"Without leakage, {best.recipe.name} classifies the most Test images correctly: "
        f"{figure.count:,} of {figure.total:,}."
    )
    if not comparable:
        return [f"{text} Its interval lies above that of every other recipe."]
    return [f"{text} Its interval overlaps that of {', '.join(comparable)}."]


def _get_inflation(row: "StudyRow") -> float:
    return _get_accuracy(row, "published").value - _get_accuracy(row, "validation").value


def _has(row: "StudyRow", key: str) -> bool:
    return bool(row.figures) and _get_accuracy(row, key).total > 0


def _get_accuracy(row: "StudyRow", key: str) -> "Figure":
    return row.figures[key]["accuracy"]


# Formats.


def format_duration(seconds: float) -> str:
    """Return an approximate duration in words.

    >>> format_duration(41), format_duration(70), format_duration(7990)
    ('about 45 seconds', 'about 1 minute', 'about 2 hours 15 minutes')
    """
    if math.isnan(seconds):
        return _UNKNOWN
    if seconds < _MINUTE:
        return f"about {max(5 * math.ceil(seconds / 5), 5)} seconds"
    minutes = round(seconds / _MINUTE)
    if minutes < _MINUTE:
        return f"about {minutes} minute{'' if minutes == 1 else 's'}"
    hours, minutes = divmod(5 * round(seconds / _MINUTE / 5), _MINUTE)
    text = f"about {hours} hour{'' if hours == 1 else 's'}"
    return f"{text} {minutes} minutes" if minutes else text


def describe_duration(run: Run) -> str:
    """Return how long a run that is over took since its last start; empty if that is unknown."""
    seconds = run.duration_seconds
    return "" if math.isnan(seconds) else format_duration(seconds).removeprefix("about ")


def format_memory(num_bytes: int) -> str:
    """Return memory in GB; 0 bytes mean unknown.

    >>> format_memory(1_420_000_000)
    '1.4 GB'
    """
    return f"{num_bytes / _GB:.1f} GB" if num_bytes else _UNKNOWN


def _format_known(number: float, template: str) -> str:
    return _UNKNOWN if math.isnan(number) else template.format(number)


def _render_facts(facts: "Mapping[str, str]") -> str:
    cells = "".join(
        f"<div><dt>{name}</dt><dd>{escape(fact)}</dd></div>" for name, fact in facts.items()
    )
    return f'<dl class="pace">{cells}</dl>'
