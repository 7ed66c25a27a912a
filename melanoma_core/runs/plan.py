"""What a run trains, from a dataset and what a person asks for."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from melanoma_core.errors import DatasetError, RecipeError
from melanoma_core.models.registry import find_model
from melanoma_core.runs.run import RunSpec
from melanoma_core.settings import Settings
from melanoma_core.training.ancestry import mark_trained, read_ancestor_split, read_model_split
from melanoma_core.training.classes import choose_classes, names_tiers
from melanoma_core.training.description import describe_data
from melanoma_core.training.recipe import Recipe
from melanoma_core.training.selection import Selection, select_split
from melanoma_core.training.weights import KERAS_SUFFIX

if TYPE_CHECKING:
    import pandas as pd

    from melanoma_core.data.dataset import Dataset
    from melanoma_core.data.splitting import Split


@dataclass(frozen=True)
class RunRequest:
    """What a person asks a run to do.

    Attributes:
        recipe: How to train.
        seed: Of the split.
        selection: Which images to train on, and for what.
        keep_split: Id of a model whose split is kept, or None. A recipe that starts from a model
            keeps that model's.
        skips_tests: Whether the release leaves out the tests of heatmaps and robustness.
    """

    recipe: Recipe
    seed: int
    selection: Selection = field(default_factory=Selection)
    keep_split: str | None = None
    skips_tests: bool = False


@dataclass(frozen=True, eq=False)
class RunPlan:
    """The task of a run, and its images."""

    spec: RunSpec
    split: "Split"


def plan_run(
    settings: Settings, dataset: "Dataset", data_name: str, request: RunRequest
) -> RunPlan:
    """Split a dataset for a run, and describe its task.

    Args:
        settings: Where models are.
        dataset: The images.
        data_name: Name of the dataset, for display.
        request: What is asked for.

    Raises:
        DatasetError: A collection or an image does not exist, or too few images remain.
        ModelError: The model to start from, or whose split is kept, is missing or damaged.
        RecipeError: That model does not record its training images, or it knows diagnoses and the
            images do not.
    """
    recipe, class_names = request.recipe, choose_classes(dataset)
    if names_tiers(class_names) and recipe.weights.endswith(KERAS_SUFFIX):
        raise RecipeError(
            "Found no diagnosis in the data, and a recipe that starts from a model of eight "
            "diagnoses. A network for risk tiers has other outputs. Start from ImageNet weights, "
            "or add a collection with diagnoses: the tiers then help to train them."
        )
    split = select_split(dataset, request.selection, request.seed, _find_earlier(settings, request))
    data = describe_data(dataset, split, request.selection)
    spec = RunSpec(recipe, class_names, data_name, data, skips_tests=request.skips_tests)
    return RunPlan(spec, split)


def plan_each_left_out(
    settings: Settings, dataset: "Dataset", data_name: str, request: RunRequest
) -> dict[str, RunPlan]:
    """Plan a run for each collection, which is left out of it.

    All are split with the same seed, so an image of another collection is in the same subset in
    all of them, unless it is a relative of the one that is left out.

    Args:
        settings: Where models are.
        dataset: The images of several collections.
        data_name: Name of the dataset, for display.
        request: What all runs share; `left_out` of its selection is ignored.

    Returns:
        The plans by collection, in alphabetic order. Collections of `without` are in none.

    Raises:
        DatasetError: There are fewer than two collections.
    """
    images = [*dataset.table["source"], *dataset.tiers["source"]]
    sources = sorted(set(map(str, images)) - set(request.selection.without))
    if len(sources) < 2:
        raise DatasetError(
            f"Found {len(sources)} collection{'' if len(sources) == 1 else 's'} to leave out in "
            "turn. At least 2 are needed. Name a folder that holds several collections."
        )
    return {
        source: plan_run(
            settings,
            dataset,
            data_name,
            replace(request, selection=replace(request.selection, left_out=source)),
        )
        for source in sources
    }


def _find_earlier(settings: Settings, request: RunRequest) -> "pd.DataFrame | None":
    """Return the split that images keep, if there is one."""
    ancestor = read_ancestor_split(request.recipe)
    if ancestor is None and request.keep_split:
        ancestor = read_model_split(find_model(settings, request.keep_split))
    return None if ancestor is None else mark_trained(ancestor)
