"""A study: every recipe on one split, evaluated with and without leakage.

Many published projects take a folder as it is, train on its training subset and report the
metrics of a validation subset drawn image by image. A study trains in the same way and evaluates
each network by four protocols; see `PROTOCOLS`.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from melanoma_core.data.cleaning import GROUP_KEYS, PHOTOGRAPH_KEYS
from melanoma_core.data.copies import connect_rows
from melanoma_core.data.dataset import COLUMNS, hash_table
from melanoma_core.data.opening import OpenedFolder
from melanoma_core.data.splitting import Split, check_split, draw_subsets
from melanoma_core.errors import RecipeError, RunError
from melanoma_core.evaluation.figure import Figure
from melanoma_core.runs.run import Run, RunSpec, RunState
from melanoma_core.settings import Settings
from melanoma_core.training.classes import find_positive
from melanoma_core.training.predictions import evaluate_subset
from melanoma_core.training.preparation import PUBLISHED, TEST, TRAIN, VALIDATION
from melanoma_core.training.recipe import PRESETS, Recipe, make_recipe
from melanoma_core.training.weights import KERAS_SUFFIX, find_weights

# One is for a first try, one takes hours, and one needs outlines and a model to start from.
STUDY_RECIPES = tuple(name for name in PRESETS if name not in {"quick", "sources", "outline"})
_PUBLISHED_SHARE = 0.2  # of the training images, the usual choice of tutorials


@dataclass(frozen=True)
class Protocol:
    """One way to evaluate a network of a study.

    Attributes:
        title: Its name for display.
        subset: The subset that is evaluated.
        without_leaked: Whether to leave out images whose copy or lesion was seen in training.
    """

    title: str
    subset: str
    without_leaked: bool = False


PROTOCOLS = {
    "published": Protocol("Validation as published", PUBLISHED),
    "validation": Protocol("Validation without leakage", VALIDATION),
    "test": Protocol("Test", TEST),
    "test_unseen": Protocol("Test not seen in training", TEST, without_leaked=True),
}


@dataclass(frozen=True, eq=False)
class StudyPlan:
    """What all runs of a study share.

    Attributes:
        split: The split of the folder as it is, without cleaning.
        class_names: The folder's own class names, sorted.
    """

    split: Split
    class_names: tuple[str, ...]


@dataclass(frozen=True)
class StudyRow:
    """The run of one recipe and its metrics.

    Attributes:
        run: The run at one moment.
        figures: Metrics of `training.predictions.evaluate_subset` by key of `PROTOCOLS`; empty
            until the run has finished.
    """

    run: Run
    figures: Mapping[str, Mapping[str, Figure]]

    @property
    def recipe(self) -> Recipe:
        """The recipe of the run."""
        return self.run.spec.recipe

    @property
    def is_warning(self) -> bool:
        """Whether it demonstrates a mistake, so that its published metric is no result."""
        return self.recipe.leaks


@dataclass(frozen=True)
class Study:
    """The runs of one study.

    Attributes:
        study_id: Its id; equal for equal data and equal changes to the recipes.
        data_name: Name of the dataset.
        rows: One row per recipe, in the order of `PRESETS`; at least one.
    """

    study_id: str
    data_name: str
    rows: tuple[StudyRow, ...]

    @property
    def created_at(self) -> str:
        """Time at which its first run was launched, in UTC, ISO 8601."""
        return min(row.run.created_at for row in self.rows)

    @property
    def is_over(self) -> bool:
        """Whether all of its runs are over."""
        return all(row.run.state.is_over for row in self.rows)


def plan_study(opened: OpenedFolder, seed: int) -> StudyPlan:
    """Split a folder as it is: keep its test subset, and draw a validation subset by lesion.

    Only unreadable files and files without a class name are left out. An image that the folder
    holds twice is used twice, with both labels if they differ, and one that is in the test and
    training subsets stays in both. A folder without a test subset gets one that shares no lesion
    with the rest.

    Args:
        opened: The folder.
        seed: Random seed of the draw.

    Raises:
        DatasetError: No class or several classes mean melanoma, or there are too few images.
    """
    files = opened.records[opened.records["sha256"].notna() & opened.records["name"].notna()]
    files = files.reset_index(drop=True)
    class_names = tuple(sorted(set(files["name"])))
    find_positive(class_names)
    groups = connect_rows(files, (*PHOTOGRAPH_KEYS, *GROUP_KEYS))
    table = files.reindex(columns=list(COLUMNS)).assign(
        image_id=_make_unique_ids(files, opened),
        path=pd.Series([str(path) for path in files["path"]], dtype=object),
        label=files["name"].astype(object),
        subset=_draw_subsets(files, groups, seed),
        group=groups,
    )
    check_split(table[table["subset"].isin([TRAIN, VALIDATION])])
    return StudyPlan(Split(table, seed, hash_table(table)), class_names)


def launch_study(
    settings: Settings,
    opened: OpenedFolder,
    changes: Sequence[str] = (),
    recipes: Sequence[str] = STUDY_RECIPES,
) -> str:
    """Launch a study, or continue it: finished runs are kept, ended ones are resumed.

    Args:
        settings: Where runs are kept.
        opened: The folder.
        changes: Changes to every recipe, as `key=value`.
        recipes: Names of presets.

    Returns:
        Its id, which is the same for the same folder and changes.

    Raises:
        DatasetError: The folder cannot be studied; see `plan_study`.
        RecipeError: A preset, a field or a file of weights does not exist, a value cannot be
            parsed, no preset is named, or a recipe starts from a model.
    """
    from melanoma_core.runs import control

    changes = [f"published_share={_PUBLISHED_SHARE}", *changes]
    chosen = [make_recipe(name, changes) for name in dict.fromkeys(recipes)]
    if not chosen:
        raise RecipeError(f"Found no recipe. A study needs at least 1 of {', '.join(PRESETS)}.")
    for recipe in chosen:
        if recipe.weights.endswith(KERAS_SUFFIX):
            raise RecipeError(
                f"Found the model {recipe.weights} as initial weights. A study keeps the folder's "
                "own test subset, which that model may have seen in training. Start from ImageNet "
                "or from random weights."
            )
        find_weights(recipe, settings.weights_dir)  # so that it fails before any is launched
    plan = plan_study(opened, chosen[0].seed)
    study_id = _identify(opened, plan, changes)
    known = {run.spec.recipe: run for run in list_study_runs(settings, study_id)}
    for recipe in chosen:
        run = known.get(recipe)
        if run is None:
            spec = RunSpec(recipe, plan.class_names, opened.folder.name, {}, study_id)
            control.launch(settings, spec, plan.split)
        elif run.can_resume:
            control.resume_run(settings, run.run_id)
    return study_id


def _list_studies(settings: Settings) -> list[Study]:
    """Return all studies, the newest first, without their metrics."""
    from melanoma_core.runs import control

    by_study: dict[str, list[Run]] = {}
    for run in reversed(control.list_runs(settings)):
        if run.spec.study:
            by_study.setdefault(run.spec.study, []).append(run)
    studies = [summarise_study(its_runs, {}) for its_runs in by_study.values()]
    return sorted(studies, key=lambda study: study.created_at, reverse=True)


def list_study_runs(settings: Settings, study_id: str) -> list[Run]:
    """Return the runs of a study in the order of their launch."""
    from melanoma_core.runs import control

    return [run for run in control.list_runs(settings) if run.spec.study == study_id][::-1]


def load_study(settings: Settings, study_id: str) -> Study:
    """Return a study with the metrics of its finished runs.

    Raises:
        RunError: The study does not exist, or the predictions of a run cannot be read.
    """
    from melanoma_core.runs import control

    its_runs = list_study_runs(settings, study_id)
    if not its_runs:
        known = ", ".join(study.study_id for study in _list_studies(settings)) or "none"
        raise RunError(f"Found no study {study_id}. The known studies are: {known}.")
    predictions = {
        run.run_id: control.read_predictions(settings, run.run_id)
        for run in its_runs
        if run.state is RunState.FINISHED
    }
    return summarise_study(its_runs, predictions)


def summarise_study(its_runs: Iterable[Run], predictions: Mapping[str, pd.DataFrame]) -> Study:
    """Evaluate the runs of one study. The latest run of each recipe counts.

    Args:
        its_runs: At least one run, in any order.
        predictions: Tables of `training.predictions.tabulate_predictions` by run id, for the
            finished runs.
    """
    launched = sorted(its_runs, key=lambda run: run.created_at)
    latest = {run.spec.recipe.name: run for run in launched}
    order = {name: rank for rank, name in enumerate(PRESETS)}
    rows = tuple(
        StudyRow(run, _evaluate(predictions[run.run_id]) if run.run_id in predictions else {})
        for name, run in sorted(latest.items(), key=lambda item: order.get(item[0], len(order)))
    )
    return Study(str(launched[0].spec.study), launched[0].spec.data_name, rows)


def _evaluate(predictions: pd.DataFrame) -> dict[str, dict[str, Figure]]:
    return {
        key: evaluate_subset(predictions, protocol.subset, without_leaked=protocol.without_leaked)
        for key, protocol in PROTOCOLS.items()
    }


def _identify(opened: OpenedFolder, plan: StudyPlan, changes: Sequence[str]) -> str:
    settled = dict(change.split("=", 1) for change in changes)
    text = repr((plan.split.sha256, plan.class_names, sorted(settled.items())))
    name = re.sub(r"[^\w.-]+", "-", opened.folder.name)
    return f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _make_unique_ids(files: pd.DataFrame, opened: OpenedFolder) -> pd.Series:
    """Return image ids, with the path instead for an image that the folder holds repeatedly."""
    places = [path.relative_to(opened.folder.parent).as_posix() for path in files["path"]]
    twice = files["image_id"].duplicated(keep=False)
    return files["image_id"].mask(twice, pd.Series(places, files.index, dtype=object))


def _draw_subsets(files: pd.DataFrame, groups: NDArray[np.int32], seed: int) -> NDArray[np.object_]:
    in_test = (files["subset"] == TEST).to_numpy()
    free = np.flatnonzero(~in_test)
    names = [VALIDATION] if in_test.any() else [TEST, VALIDATION]
    subset = np.full(len(files), TEST, dtype=object)
    subset[free] = draw_subsets(files["name"].iloc[free], groups[free], names, seed)
    return subset
