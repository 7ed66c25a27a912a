"""A series of runs, each of which leaves out another collection and is evaluated on it.

It estimates how a network does on photographs from elsewhere: "internal-external" validation
(Steyerberg and Harrell 2016, doi:10.1016/j.jclinepi.2015.04.005).
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from melanoma_core.errors import ModelError, RunError
from melanoma_core.evaluation.figure import Figure
from melanoma_core.evaluation.subsets import make_key
from melanoma_core.models.card import ModelCard, load_card
from melanoma_core.models.registry import find_model
from melanoma_core.runs.plan import RunPlan
from melanoma_core.runs.run import Run, RunState
from melanoma_core.settings import Settings

REFUSED = "refused"
FIGURES = (
    *("melanoma_roc_auc", "skin_cancer_roc_auc", "calibration_error", "sensitivity", "specificity"),
    *("skin_cancer_sensitivity", "skin_cancer_specificity"),
)


@dataclass(frozen=True)
class LeftOut:
    """The run that left out one collection, with the metrics on it.

    Attributes:
        source: The collection.
        run: The run at one moment.
        num_images: Number of its images in test.
        figures: `FIGURES` on these images, as far as they are defined; and "refused", the share
            that is out of distribution. Empty until the run has finished.
        missing: Why a finished run has no figures; empty otherwise.
    """

    source: str
    run: Run
    num_images: int
    figures: Mapping[str, Figure]
    missing: str = ""


@dataclass(frozen=True)
class Series:
    """The runs of one series.

    Attributes:
        series_id: Its id; equal for equal images, recipe and selection.
        data_name: Name of the dataset.
        rows: One per collection, in alphabetic order; at least one.
    """

    series_id: str
    data_name: str
    rows: tuple[LeftOut, ...]

    @property
    def is_over(self) -> bool:
        """Whether all of its runs are over."""
        return all(row.run.state.is_over for row in self.rows)


def launch_series(settings: Settings, plans: Mapping[str, RunPlan], name: str | None = None) -> str:
    """Launch a series, or continue it: finished runs are kept, ended ones are resumed.

    Args:
        settings: Where runs are kept.
        plans: By collection (`plan.plan_each_left_out`).
        name: Name of the series; by default that of the recipe. A run is called
            "<name> without <collection>".

    Returns:
        Its id, which is the same for the same plans.

    Raises:
        DatasetError: Without one of the collections, there is no melanoma or nothing benign to
            train on. No run is launched then.
    """
    from melanoma_core.runs import control
    from melanoma_core.training.classes import check_classes

    for plan in plans.values():
        check_classes(plan.split)
    series_id = _identify(plans)
    known = {_get_source(run): run for run in list_series_runs(settings, series_id)}
    for source, plan in plans.items():
        run = known.get(source)
        if run is None:
            spec = replace(plan.spec, series=series_id)
            title = f"{name or spec.recipe.name} without {source}"
            control.launch(settings, spec, plan.split, title)
        elif run.can_resume:
            control.resume_run(settings, run.run_id)
    return series_id


def list_series_runs(settings: Settings, series_id: str) -> list[Run]:
    """Return the runs of a series in the order of their launch."""
    from melanoma_core.runs import control

    return [run for run in control.list_runs(settings) if run.spec.series == series_id][::-1]


def list_series(runs: list[Run]) -> list[str]:
    """Return the ids of all series of some runs, the newest first."""
    newest = sorted(runs, key=lambda run: run.created_at, reverse=True)
    return list(dict.fromkeys(run.spec.series for run in newest if run.spec.series))


def load_series(settings: Settings, series_id: str | None = None) -> Series:
    """Return a series with the metrics of its finished runs.

    Args:
        settings: Where runs and models are.
        series_id: Its id; None for the newest.

    Raises:
        RunError: There is no such series.
    """
    from melanoma_core.runs import control

    runs = control.list_runs(settings)
    known = list_series(runs)
    if not known or (series_id is not None and series_id not in known):
        raise RunError(
            f"Found no series {series_id or 'of runs that leave out each collection'}. The known "
            f"series are: {', '.join(known) or 'none'}. To launch one: train DIR --leave-out each."
        )
    chosen = series_id or known[0]
    latest = {
        _get_source(run): run
        for run in sorted(runs, key=lambda run: run.created_at)
        if run.spec.series == chosen
    }
    rows = tuple(_make_row(settings, source, latest[source]) for source in sorted(latest))
    return Series(chosen, rows[0].run.spec.data_name, rows)


def _make_row(settings: Settings, source: str, run: Run) -> LeftOut:
    num_images = int(run.spec.data["images_by_source"].get("test", {}).get(source, 0))
    if run.state is not RunState.FINISHED:
        return LeftOut(source, run, num_images, {})
    if not run.model_id:
        return LeftOut(source, run, num_images, {}, run.not_kept)
    try:
        card = load_card(find_model(settings, run.model_id))
    except ModelError as error:
        return LeftOut(source, run, num_images, {}, str(error))
    figures = _select_figures(card, make_key(source))
    missing = "" if figures else "Its card has no metrics, because of leakage."
    return LeftOut(source, run, num_images, figures, missing)


def _select_figures(card: ModelCard, key: str) -> dict[str, Figure]:
    found = card.metrics.get(key, {})
    figures = {name: found[name] for name in FIGURES if name in found}
    refused = card.novelty.refused.get(key) if card.novelty else None
    return figures | ({REFUSED: refused} if figures and refused else {})


def _get_source(run: Run) -> str:
    return str(run.spec.data["left_out"])


def _identify(plans: Mapping[str, RunPlan]) -> str:
    """Return an id: the name of the dataset, and a hash of recipe, splits and selections."""
    first = next(iter(plans.values())).spec
    parts = [
        (source, plan.split.sha256, plan.split.seed, plan.spec.recipe.to_json())
        for source, plan in plans.items()
    ]
    name = re.sub(r"[^\w.-]+", "-", first.data_name)
    return f"{name}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:8]}"
