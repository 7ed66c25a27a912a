"""A series of runs, each of which leaves out another collection."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from melanoma_core.data.cache import FactCache
from melanoma_core.data.dataset import Dataset, merge_records
from melanoma_core.data.opening import open_folder
from melanoma_core.errors import DatasetError, RecipeError, RunError
from melanoma_core.evaluation.figure import Figure
from melanoma_core.runs import control
from melanoma_core.runs.leave_out import (
    LeftOut,
    Series,
    launch_series,
    list_series_runs,
    load_series,
)
from melanoma_core.runs.leave_out_table import describe_series, tabulate_series, write_series
from melanoma_core.runs.plan import RunRequest, plan_each_left_out, plan_run
from melanoma_core.runs.queue import open_queue
from melanoma_core.runs.run import RunState
from melanoma_core.settings import Settings, load_settings
from melanoma_core.training.recipe import make_recipe
from melanoma_core.training.selection import Selection

REQUEST = RunRequest(make_recipe("baseline", ["image_size=32", "epochs=1"]), seed=1)


@pytest.fixture(scope="module")
def dataset(draw: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Three collections: two with diagnoses, one with melanomas and benign lesions."""
    folder, seed = tmp_path_factory.mktemp("data") / "clinics", 0
    counts = {
        "one": {"melanoma": 10, "nevus": 20},
        "two": {"melanoma": 10, "nevus": 20},
        "three": {"melanoma": 8, "benign": 12},
    }
    for collection, labels in counts.items():
        for name, count in labels.items():
            for _ in range(count):
                seed += 1
                draw(folder / collection / name / f"{seed:03}.png", seed, (64, 64))
    cache = FactCache(tmp_path_factory.mktemp("cache"))
    dataset = merge_records(open_folder(folder, cache).records)
    assert (len(dataset.table), len(dataset.tiers)) == (68, 12)
    return dataset


@pytest.fixture
def settings(
    tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    """Settings with runs of their own, which stay queued without a process."""
    monkeypatch.setattr(control, "start_detached", lambda *_: 0)
    runs = tmp_path / "runs"
    runs.mkdir()
    (runs / empty_store.name).write_bytes(empty_store.read_bytes())
    return replace(
        load_settings(),
        runs_dir=runs,
        models_dir=tmp_path / "models",
        tracking_uri=f"sqlite:///{runs / 'mlflow.db'}",
    )


def test_each_collection_is_left_out_once_with_the_same_split(settings: Settings, dataset: Dataset):
    plans = plan_each_left_out(settings, dataset, "clinics", REQUEST)

    assert list(plans) == ["one", "three", "two"]
    for source, plan in plans.items():
        table = plan.split.table
        assert set(table["subset"][table["source"] == source]) == {"test"}
        assert plan.spec.data["left_out"] == source
        assert set(plan.split.subset("train")["source"]) == {"one", "two", "three"} - {source}
    subsets = [plans[name].split.table.set_index("image_id")["subset"] for name in ("one", "three")]
    of_two = [name for name in subsets[0].index if name in set(of_source(dataset, "two"))]
    assert subsets[0][of_two].equals(subsets[1][of_two])


def of_source(dataset: Dataset, source: str) -> list[str]:
    return dataset.table.loc[dataset.table["source"] == source, "image_id"].tolist()


def test_the_tiers_of_a_left_out_collection_are_in_its_test(settings: Settings, dataset: Dataset):
    split = plan_each_left_out(settings, dataset, "clinics", REQUEST)["three"].split

    counts = split.table[split.table["source"] == "three"].value_counts(["subset", "label"])
    assert counts.to_dict() == {("test", "MEL"): 8, ("test", "benign"): 12}


def test_a_collection_that_is_not_used_is_not_left_out(settings: Settings, dataset: Dataset):
    request = replace(REQUEST, selection=Selection(without=("two",)))

    assert list(plan_each_left_out(settings, dataset, "clinics", request)) == ["one", "three"]
    request = replace(REQUEST, selection=Selection(without=("two", "one")))
    with pytest.raises(DatasetError, match="Found 1 collection to leave out in turn"):
        plan_each_left_out(settings, dataset, "clinics", request)


def test_a_series_is_launched_once_and_named_by_its_collections(
    settings: Settings, dataset: Dataset
):
    plans = plan_each_left_out(settings, dataset, "my clinics", REQUEST)

    series_id = launch_series(settings, plans, "mine")
    again = launch_series(settings, plans, "mine")

    assert series_id == again
    assert series_id.startswith("my-clinics-")
    runs = list_series_runs(settings, series_id)
    assert [run.name for run in runs] == [
        "mine without one",
        "mine without three",
        "mine without two",
    ]
    assert {run.spec.series for run in runs} == {series_id}
    assert len(open_queue(settings).list_tickets()) == 3
    other = {
        name: replace(plan, spec=replace(plan.spec, recipe=make_recipe("baseline", [])))
        for name, plan in plans.items()
    }
    assert launch_series(settings, other) != series_id


def test_a_stopped_run_of_a_series_is_resumed_by_the_same_call(
    settings: Settings, dataset: Dataset
):
    plans = plan_each_left_out(settings, dataset, "clinics", REQUEST)
    series_id = launch_series(settings, plans)
    first = list_series_runs(settings, series_id)[0]
    control.stop_run(settings, first.run_id)
    for ticket in open_queue(settings).list_tickets():  # as its process would, when it ends
        if ticket.run_id == first.run_id:
            open_queue(settings).give_back(ticket)
    assert control.load_run(settings, first.run_id).state is RunState.STOPPED

    launch_series(settings, plans)

    assert control.load_run(settings, first.run_id).state is RunState.QUEUED
    assert len(list_series_runs(settings, series_id)) == 3


def test_a_series_without_finished_runs_says_what_they_do(settings: Settings, dataset: Dataset):
    with pytest.raises(RunError, match="known series are: none"):
        load_series(settings)
    series_id = launch_series(settings, plan_each_left_out(settings, dataset, "clinics", REQUEST))

    series = load_series(settings)

    assert (series.series_id, series.data_name, series.is_over) == (series_id, "clinics", False)
    assert [(row.source, row.num_images) for row in series.rows] == [
        ("one", 30),
        ("three", 20),
        ("two", 30),
    ]
    assert "baseline without one: queued." in write_series(series)
    with pytest.raises(RunError, match="Found no series other"):
        load_series(settings, "other")


def make_row(source: str, figures: dict[str, Figure], **fields: Any) -> LeftOut:
    run = SimpleNamespace(
        name=f"mine without {source}",
        run_id=f"run-{source}",
        model_id=None,
        message="",
        state=RunState.FINISHED,
    )
    return LeftOut(source, run, 20, figures, **fields)  # type: ignore[arg-type]


def test_the_table_has_counts_and_intervals_and_a_dash_for_what_is_undefined():
    figures = {
        "melanoma_roc_auc": Figure(0.9, 0.85, 0.95, None, 20, 18),
        "skin_cancer_roc_auc": Figure(0.8, 0.7, 0.9, None, 20, 18),
        "calibration_error": Figure(0.08, 0.05, 0.11, None, 20, 18),
        "sensitivity": Figure(0.75, 0.5, 1.0, 6, 8, 8),
        "specificity": Figure(0.5, 0.3, 0.7, 6, 12, 12),
        "refused": Figure(0.05, 0.0, 0.15, 1, 20, 18),
    }
    undefined = {"melanoma_roc_auc": Figure(math.nan, math.nan, math.nan, None, 0, 0)}
    rows = (
        make_row("isic", figures),
        make_row("two classes", undefined),
        make_row("gone", {}, missing="Found no model x."),
    )
    series = Series("clinics-1", "clinics", rows)

    heads, first, second, third = tabulate_series(series)

    assert dict(zip(heads, first, strict=True)) == {
        "Left out": "isic",
        "Images": "20",
        "Melanoma ROC AUC": "0.900 (0.850–0.950), n = 20",
        "Skin cancer ROC AUC": "0.800 (0.700–0.900), n = 20",
        "Calibration error": "8.0% (5.0–11.0), n = 20",
        "Sensitivity": "75.0% (50.0–100.0), 6 of 8",
        "Specificity": "50.0% (30.0–70.0), 6 of 12",
        "Refused (out of distribution)": "5.0% (0.0–15.0), 1 of 20",
    }
    assert second[2:] == ["–"] * 6
    assert third[2:] == ["–"] * 6
    text = write_series(series, markdown=True)
    assert text.startswith("| Left out | Images | Melanoma ROC AUC |")
    assert text.endswith("mine without gone: Found no model x.")
    document = describe_series(series)["left_out"]
    assert document[0]["figures"]["sensitivity"]["count"] == 6
    assert document[1]["figures"]["melanoma_roc_auc"]["value"] is None


def test_a_folder_of_tiers_alone_is_a_task_of_two_classes(settings: Settings, dataset: Dataset):
    tiers = dataset.table.assign(
        label=dataset.table["label"].map({"MEL": "malignant", "NV": "benign"})
    )
    two_classes = Dataset(dataset.table[:0], dataset.decisions, tiers)

    plan = plan_run(settings, two_classes, "two", REQUEST)

    assert plan.spec.class_names == ("malignant", "benign")
    assert plan.spec.data["images_by_label"]["test"].keys() == {"malignant", "benign"}
    started = replace(REQUEST, recipe=replace(REQUEST.recipe, weights="model.keras"))
    with pytest.raises(RecipeError, match="starts from a model of eight diagnoses"):
        plan_run(settings, two_classes, "two", started)
