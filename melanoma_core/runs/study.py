"""Every recipe on one split, as published projects train: what each way of measuring then says.

Such a project takes a folder as it is, trains on its Train and reports a validation that was drawn
image by image. A study trains so, and measures each network four ways; see `LOOKS`.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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
from melanoma_core.jsonable import to_jsonable
from melanoma_core.models.card_text.formats import format_figure
from melanoma_core.runs.run import Run, RunSpec, RunState
from melanoma_core.settings import Settings
from melanoma_core.training.predictions import evaluate_subset, find_melanoma
from melanoma_core.training.preparation import PUBLISHED, TEST, TRAIN, VALIDATION
from melanoma_core.training.recipe import PRESETS, Recipe, make_recipe
from melanoma_core.training.weights import KERAS_SUFFIX, find_weights

STUDY_RECIPES = tuple(name for name in PRESETS if name != "quick")
_PUBLISHED_SHARE = 0.2  # what tutorials take


@dataclass(frozen=True)
class Look:
    """One way to measure a network of a study.

    Attributes:
        title: What a person calls it.
        subset: The images that it is measured on.
        without_leaked: Whether those are left out whose photograph, copy or lesion the network
            could have learned from.
    """

    title: str
    subset: str
    without_leaked: bool = False


LOOKS = {
    "published": Look("validation as published", PUBLISHED),
    "validation": Look("validation without leakage", VALIDATION),
    "test": Look("Test", TEST),
    "test_unseen": Look("Test without copies and lesions of Train", TEST, without_leaked=True),
}


@dataclass(frozen=True, eq=False)
class StudyPlan:
    """What all runs of a study have in common.

    Attributes:
        split: Train, validation and test of the folder as it is; nothing is cleaned.
        class_names: The names that the folder gives its classes, sorted.
    """

    split: Split
    class_names: tuple[str, ...]


@dataclass(frozen=True)
class StudyRow:
    """What came of one recipe.

    Attributes:
        run: Its run, as it was when it was looked at.
        figures: By key of `LOOKS`, what `predictions.evaluate_subset` gives; empty until it has finished.
    """

    run: Run
    figures: Mapping[str, Mapping[str, Figure]]

    @property
    def recipe(self) -> Recipe:
        """How it was trained."""
        return self.run.spec.recipe

    @property
    def is_warning(self) -> bool:
        """Whether it shows a mistake, and its published figure is no result."""
        return self.recipe.leaks


@dataclass(frozen=True)
class Study:
    """The runs that one study is made of.

    Attributes:
        study_id: Equal where data and changes of the recipes are.
        data_name: What the data is called.
        rows: One per recipe, in the order of `PRESETS`; at least one.
    """

    study_id: str
    data_name: str
    rows: tuple[StudyRow, ...]

    @property
    def created_at(self) -> str:
        """When its first run was launched: UTC, ISO 8601."""
        return min(row.run.created_at for row in self.rows)

    @property
    def is_over(self) -> bool:
        """Whether none of its runs works or waits."""
        return all(row.run.state.is_over for row in self.rows)


def plan_study(opened: OpenedFolder, seed: int) -> StudyPlan:
    """Split a folder as it is: its own Test, and a validation that shares no lesion with train.

    Nothing is left out but files that cannot be read and those without a name of a class. A
    photograph that lies in the folder twice is trained on twice, with both labels if they differ,
    and one that lies in Test as well as in Train stays in both. A folder without Test gets one
    that shares nothing with the rest.

    Args:
        opened: The folder.
        seed: Of the draw.

    Raises:
        DatasetError: No class, or more than one, means melanoma; or there are too few photographs.
    """
    files = opened.records[opened.records["sha256"].notna() & opened.records["name"].notna()]
    files = files.reset_index(drop=True)
    class_names = tuple(sorted(set(files["name"])))
    find_melanoma(class_names)
    groups = connect_rows(files, (*PHOTOGRAPH_KEYS, *GROUP_KEYS))
    table = files.reindex(columns=list(COLUMNS)).assign(
        image_id=_name_apart(files, opened),
        path=pd.Series([str(path) for path in files["path"]], dtype=object),
        label=files["name"].astype(object),
        subset=_draw(files, groups, seed),
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
    """Launch a study, or go on with it: what has finished stays, what was stopped is resumed.

    Args:
        settings: Where runs are kept.
        opened: The folder.
        changes: `key=value`, of every recipe.
        recipes: Names of presets.

    Returns:
        Its id, which the same folder and changes always give.

    Raises:
        DatasetError: The folder cannot be studied; see `plan_study`.
        RecipeError: A preset, a field or a file of weights does not exist, a value does not
            parse, no preset is named, or one goes on from a model.
    """
    from melanoma_core.runs import control

    changes = [f"published_share={_PUBLISHED_SHARE}", *changes]
    chosen = [make_recipe(name, changes) for name in dict.fromkeys(recipes)]
    if not chosen:
        raise RecipeError(f"Found no recipe. A study needs at least 1 of {', '.join(PRESETS)}.")
    for recipe in chosen:
        if recipe.weights.endswith(KERAS_SUFFIX):
            raise RecipeError(
                f"Found the model {recipe.weights} to go on from. A study keeps the folder's own "
                "Test, which that model may have learned from: start from ImageNet or at random."
            )
        find_weights(recipe, settings.weights_dir)  # or some would be launched before one fails
    plan = plan_study(opened, chosen[0].seed)
    study_id = _identify(opened, plan, changes)
    known = {run.spec.recipe: run for run in list_study_runs(settings, study_id)}
    for recipe in chosen:
        run = known.get(recipe)
        if run is None:
            spec = RunSpec(recipe, plan.class_names, opened.folder.name, {}, study_id)
            control.launch(settings, spec, plan.split)
        elif run.state.can_resume:
            control.resume_run(settings, run.run_id)
    return study_id


def list_studies(settings: Settings) -> list[Study]:
    """Return all studies, the newest first, without their figures."""
    from melanoma_core.runs import control

    by_study: dict[str, list[Run]] = {}
    for run in reversed(control.list_runs(settings)):
        if run.spec.study:
            by_study.setdefault(run.spec.study, []).append(run)
    studies = [summarise_study(its_runs, {}) for its_runs in by_study.values()]
    return sorted(studies, key=lambda study: study.created_at, reverse=True)


def list_study_runs(settings: Settings, study_id: str) -> list[Run]:
    """Return the runs of a study in the order in which they were launched."""
    from melanoma_core.runs import control

    return [run for run in control.list_runs(settings) if run.spec.study == study_id][::-1]


def load_study(settings: Settings, study_id: str) -> Study:
    """Return a study with the figures of the runs that have finished.

    Raises:
        RunError: There is no such study, or predictions of a run cannot be read.
    """
    from melanoma_core.runs import control

    its_runs = list_study_runs(settings, study_id)
    if not its_runs:
        known = ", ".join(study.study_id for study in list_studies(settings)) or "none"
        raise RunError(f"Found no study {study_id}. There are: {known}.")
    predictions = {
        run.run_id: control.read_predictions(settings, run.run_id)
        for run in its_runs
        if run.state is RunState.FINISHED
    }
    return summarise_study(its_runs, predictions)


def summarise_study(its_runs: Iterable[Run], predictions: Mapping[str, pd.DataFrame]) -> Study:
    """Measure the runs of one study; of a recipe that was run twice, the later run counts.

    Args:
        its_runs: At least one, in any order.
        predictions: By run id, as `predictions.tabulate_predictions` gives; of those that have
            any.
    """
    launched = sorted(its_runs, key=lambda run: run.created_at)
    latest = {run.spec.recipe.name: run for run in launched}
    order = {name: rank for rank, name in enumerate(PRESETS)}
    rows = tuple(
        StudyRow(run, _measure(predictions[run.run_id]) if run.run_id in predictions else {})
        for name, run in sorted(latest.items(), key=lambda item: order.get(item[0], len(order)))
    )
    return Study(str(launched[0].spec.study), launched[0].spec.data_name, rows)


def _measure(predictions: pd.DataFrame) -> dict[str, dict[str, Figure]]:
    return {
        key: evaluate_subset(predictions, look.subset, without_leaked=look.without_leaked)
        for key, look in LOOKS.items()
    }


def _identify(opened: OpenedFolder, plan: StudyPlan, changes: Sequence[str]) -> str:
    settled = dict(change.split("=", 1) for change in changes)
    text = repr((plan.split.sha256, plan.class_names, sorted(settled.items())))
    name = re.sub(r"[^\w.-]+", "-", opened.folder.name)
    return f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _name_apart(files: pd.DataFrame, opened: OpenedFolder) -> pd.Series:
    """Name a photograph that lies in the folder more than once by where it lies."""
    places = [path.relative_to(opened.folder.parent).as_posix() for path in files["path"]]
    twice = files["image_id"].duplicated(keep=False)
    return files["image_id"].mask(twice, pd.Series(places, files.index, dtype=object))


def _draw(files: pd.DataFrame, groups: NDArray[np.int32], seed: int) -> NDArray[np.object_]:
    in_test = (files["subset"] == TEST).to_numpy()
    free = np.flatnonzero(~in_test)
    names = [VALIDATION] if in_test.any() else [TEST, VALIDATION]
    subset = np.full(len(files), TEST, dtype=object)
    subset[free] = draw_subsets(files["name"].iloc[free], groups[free], names, seed)
    return subset


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
                "figures": to_jsonable(row.figures),
            }
            for row in study.rows
        ],
    }


def _name_look(study: Study, key: str) -> str:
    """Add how many photographs it is, where that is the same for all recipes."""
    sizes = {row.figures[key]["accuracy"].total for row in study.rows if row.figures}
    return f"{LOOKS[key].title} ({sizes.pop():,})" if len(sizes) == 1 else LOOKS[key].title


def _tell(row: StudyRow, key: str, figure: str) -> str:
    return format_figure(figure, row.figures[key][figure]) if row.figures else _UNKNOWN


def _write_markdown(rows: Sequence[Sequence[str]]) -> str:
    lines = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _write_aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
