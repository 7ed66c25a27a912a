import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from melanoma_core.data.cache import FactCache
from melanoma_core.data.opening import OpenedFolder, open_folder
from melanoma_core.data.oversampling import Oversampling
from melanoma_core.data.splitting import check_split
from melanoma_core.errors import DatasetError
from melanoma_core.runs.run import Run, RunSpec, RunState
from melanoma_core.runs.study import PROTOCOLS, STUDY_RECIPES, plan_study, summarise_study
from melanoma_core.runs.study_table import describe_study, tabulate_study, write_study
from melanoma_core.training.predictions import select_held_out, tabulate_predictions
from melanoma_core.training.preparation import find_leaked, prepare_split
from melanoma_core.training.recipe import PRESETS, make_recipe

CLASSES = ("melanoma", "nevus")


@pytest.fixture
def open_drawn(tmp_path, draw):
    """Return a function that opens a folder with given numbers of images per subfolder."""

    def open_it(counts: dict[str, int]) -> OpenedFolder:
        seed = 0
        for place, count in counts.items():
            for number in range(count):
                seed += 1
                draw(tmp_path / "moles" / place / f"{number}.png", seed)
        return open_folder(tmp_path / "moles", FactCache(tmp_path / "cache"))

    return open_it


@pytest.fixture(scope="session")
def isic9(shared_data, real_cache) -> OpenedFolder:
    return open_folder(shared_data / "isic9", real_cache)


def make_run(recipe: str, state: RunState = RunState.FINISHED, message: str = "") -> Run:
    known = {
        "run_id": f"run of {recipe}",
        "name": recipe,
        "state": state,
        "message": message,
        "spec": RunSpec(make_recipe(recipe, []), CLASSES, "moles", {}, "moles-1"),
        "created_at": f"2026-01-{1 + list(PRESETS).index(recipe):02d}T00:00:00+00:00",
    }
    return Run(**(dict.fromkeys(Run.__dataclass_fields__) | known))


def predict(wrong: int) -> pd.DataFrame:
    """Ten images per subset, 5 per class; some test images are predicted wrongly.

    One correctly predicted test image has a copy in the training subset.
    """
    rows = [("train", "melanoma", 0), *[("test", "melanoma", 0)]]
    for start, subset in ((100, "published"), (200, "validation"), (300, "test")):
        rows += [(subset, CLASSES[i % 2], start + i) for i in range(10 - (subset == "test"))]
    table = pd.DataFrame(rows, columns=["subset", "label", "group"])
    names = [f"image {index}" for index in range(len(table))]
    held_out = select_held_out(table.assign(image_id=names, sha256=names, source="drawn"))
    said = np.eye(2)[(held_out["label"] == "nevus").astype(int)]
    said[len(said) - wrong :] = 1 - said[len(said) - wrong :]
    return tabulate_predictions(held_out, said, CLASSES)


def test_a_study_uses_every_preset_that_needs_no_other_data_and_no_night():
    assert STUDY_RECIPES == (
        "baseline",
        "augmented",
        "class-weighted",
        "rebalanced",
        "transfer",
        "transfer-lite",
        "transfer-efficientnet",
        "transfer-resnet",
        "transfer-convnext",
        "leaky",
    )


def test_a_folder_of_classes_without_melanoma_is_refused(open_drawn):
    with pytest.raises(DatasetError, match="Found 0 classes that mean melanoma among nevus, wart"):
        plan_study(open_drawn({"nevus": 8, "wart": 8}), seed=1)


def test_a_folder_with_too_few_photographs_is_refused(open_drawn):
    with pytest.raises(DatasetError, match="Found 3 lesions to split"):
        plan_study(open_drawn({"Train/melanoma": 1, "Train/nevus": 2, "Test/nevus": 5}), seed=1)


def test_the_test_subset_and_class_names_of_the_folder_are_kept(open_drawn):
    opened = open_drawn(
        {"Train/Melanoma": 10, "Train/my moles": 18, "Test/Melanoma": 2, "Test/my moles": 3}
    )
    plan = plan_study(opened, seed=1)
    assert plan.class_names == ("Melanoma", "my moles")
    table = plan.split.table
    assert table["subset"].value_counts().to_dict() == {"train": 24, "test": 5, "validation": 4}
    assert {Path(path).parts[-3] for path in table["path"][table["subset"] == "test"]} == {"Test"}
    assert plan_study(opened, seed=1).split.sha256 == plan.split.sha256
    assert plan_study(opened, seed=2).split.sha256 != plan.split.sha256


def test_a_folder_without_a_test_subset_gets_one_without_leakage(open_drawn):
    plan = plan_study(open_drawn({"melanoma": 14, "nevus": 28}), seed=1)
    counts = plan.split.table["subset"].value_counts().to_dict()
    assert counts == {"train": 30, "test": 6, "validation": 6}
    assert not find_leaked(plan.split.table).any()


def test_copies_keep_both_labels_and_get_unique_ids(tmp_path, draw, open_drawn):
    for place in ("Train/melanoma", "Train/nevus", "Test/nevus"):
        draw(tmp_path / "moles" / place / "ISIC_0000001.png", seed=99)
    plan = plan_study(open_drawn({"Train/melanoma": 7, "Train/nevus": 7}), seed=1)
    table = plan.split.table
    copies = table[table["path"].str.endswith("ISIC_0000001.png")]
    assert sorted(copies["image_id"]) == [
        "moles/Test/nevus/ISIC_0000001.png",
        "moles/Train/melanoma/ISIC_0000001.png",
        "moles/Train/nevus/ISIC_0000001.png",
    ]
    assert copies["group"].nunique() == 1
    assert copies.groupby("label")["subset"].agg(set).to_dict().keys() == {"melanoma", "nevus"}
    assert table["image_id"][find_leaked(table)].tolist() == ["moles/Test/nevus/ISIC_0000001.png"]


def test_an_unreadable_file_is_left_out(tmp_path, open_drawn):
    (tmp_path / "moles" / "melanoma").mkdir(parents=True)
    (tmp_path / "moles" / "melanoma" / "broken.jpg").write_bytes(b"no photograph")
    plan = plan_study(open_drawn({"melanoma": 8, "nevus": 8}), seed=1)
    assert len(plan.split.table) == 16


def test_44_of_the_118_test_images_of_isic9_are_leaked(isic9):
    plan = plan_study(isic9, seed=1)
    assert len(plan.class_names) == 9
    table = plan.split.table
    assert table["image_id"].is_unique
    counts = table["subset"].value_counts().to_dict()
    assert counts == {"train": 1920, "validation": 321, "test": 118}
    check_split(table[table["subset"] != "test"])
    prepared = prepare_split(make_recipe("baseline", ["published_share=0.2"]), plan.split, Path())
    held_out = select_held_out(prepared.table)
    sizes = held_out.groupby("subset")["leaked"].agg(["size", "sum"])
    assert sizes.loc["test"].tolist() == [118, 44]
    assert sizes.loc["validation"].tolist() == [321, 0]
    # A third of the published validation subset shows a lesion of the training subset.
    assert sizes.loc["published"].tolist() == [383, 136]


def test_isic9_oversampled_before_the_split_leaks_into_the_published_subset(
    isic9, tmp_path, monkeypatch
):
    # The counts depend on the plan alone, so that no image needs to be augmented.
    blank = np.zeros((1, 1, 3), np.uint8)
    monkeypatch.setattr(Oversampling, "create", lambda *_: (blank, blank))
    split = plan_study(isic9, seed=1).split
    leaky = prepare_split(make_recipe("leaky", []), split, tmp_path).table
    new = leaky[leaky["parent_image_id"].notna()]
    assert len(new) == 9 * 500 - 1920 == 2580
    published = leaky.assign(leaked=find_leaked(leaky)).query("subset == 'published'")
    assert (len(published), published["leaked"].sum()) == (900, 748)
    assert (leaky["subset"] == "validation").sum() == 321


def test_a_study_evaluates_each_finished_run_by_four_protocols():
    runs = [make_run("transfer"), make_run("baseline")]
    study = summarise_study(runs, {"run of baseline": predict(2), "run of transfer": predict(0)})
    assert [row.recipe.name for row in study.rows] == ["baseline", "transfer"]
    assert (study.study_id, study.data_name, study.is_over) == ("moles-1", "moles", True)
    accuracy = {key: figures["accuracy"] for key, figures in study.rows[0].figures.items()}
    assert list(accuracy) == list(PROTOCOLS) == ["published", "validation", "test", "test_unseen"]
    assert [figure.count for figure in accuracy.values()] == [10, 10, 8, 7]
    assert [figure.total for figure in accuracy.values()] == [10, 10, 10, 9]


def test_the_latest_run_of_a_recipe_counts():
    early = make_run("baseline", RunState.FAILED)
    late = replace(make_run("baseline"), run_id="late", created_at="2027-01-01T00:00:00+00:00")
    study = summarise_study([late, early], {})
    assert [row.run.run_id for row in study.rows] == ["late"]
    assert study.created_at == "2027-01-01T00:00:00+00:00"


def test_the_table_of_a_study_shows_metrics_counts_and_failures():
    failed = "Cannot download its weights. Name a file of them."
    runs = [
        make_run("baseline"),
        make_run("transfer-resnet", RunState.FAILED, failed),
        make_run("leaky"),
        make_run("augmented", RunState.QUEUED),
    ]
    study = summarise_study(runs, {"run of baseline": predict(2), "run of leaky": predict(0)})
    assert not study.is_over
    heads, baseline, augmented, resnet, leaky = tabulate_study(study, "accuracy")
    assert heads == [
        "Accuracy",
        "Validation as published (10)",
        "Validation without leakage (10)",
        "Test (10)",
        "Test not seen in training (9)",
    ]
    assert baseline[0] == "baseline"
    assert baseline[3].startswith("80.0% (")
    assert baseline[3].endswith("), 8 of 10")
    assert augmented == ["augmented", "–", "–", "–", "–"]
    assert resnet == ["transfer-resnet", "–", "–", "–", "–"]
    assert leaky[0] == "leaky*"

    text = write_study(study)
    assert "* A warning, not a result" in text
    assert f"transfer-resnet: failed. {failed}" in text
    assert "augmented: queued." in text
    lines = text.splitlines()
    assert lines[1].index("80.0%") == lines[0].index("Test (10)")

    markdown = write_study(study, markdown=True)
    lines = markdown.splitlines()
    assert lines[1] == "| --- | --- | --- | --- | --- |"
    assert lines[4].startswith("| transfer-resnet | – |")
    assert "\n\n\\* A warning" in markdown


def test_the_header_has_the_number_of_images_if_all_recipes_share_it():
    larger = pd.concat([predict(0), predict(0).query("subset == 'published'")], ignore_index=True)
    study = summarise_study(
        [make_run("baseline"), make_run("leaky")],
        {"run of baseline": predict(0), "run of leaky": larger},
    )
    heads = tabulate_study(study, "sensitivity")[0]
    assert heads[:3] == [
        "Melanoma recall, top-1",
        "Validation as published",
        "Validation without leakage (10)",
    ]


def test_an_undefined_metric_is_null_in_json():
    nevi = predict(0).query("label == 'nevus'")
    study = summarise_study([make_run("baseline"), make_run("leaky")], {"run of baseline": nevi})
    document = describe_study(study)
    assert document["study_id"] == "moles-1"
    baseline, leaky = document["recipes"]
    assert (baseline["is_warning"], leaky["is_warning"], leaky["figures"]) == (False, True, {})
    assert baseline["figures"]["test"]["sensitivity"]["value"] is None
    assert baseline["figures"]["test"]["accuracy"]["value"] == 1
    values = [
        value
        for figures in baseline["figures"].values()
        for figure in figures.values()
        for value in figure.values()
    ]
    assert not any(isinstance(value, float) and math.isnan(value) for value in values)
