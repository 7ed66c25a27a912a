"""Folders of two classes, and collections left out in turn, on the command line."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from melanoma_core.cli.main import main
from melanoma_core.runs.control import list_runs, stop_run
from melanoma_core.settings import load_settings

SMALL = ["--recipe", "baseline", "--set", "image_size=32", "--set", "epochs=1"]
Draw = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of a test, with runs, cache and models beside it."""
    for name in ("runs", "cache", "models"):
        monkeypatch.setenv(f"MELANOMA_{name.upper()}_DIR", str(tmp_path / name))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    yield tmp_path / "data"
    for run in list_runs(load_settings()):
        stop_run(load_settings(), run.run_id)


@pytest.fixture
def two_classes(folder: Path, draw: Draw) -> Path:
    for number in range(60):
        name = "malignant" if number % 3 == 0 else "benign"
        draw(folder / name / f"{number:02}.png", number, (64, 64))
    return folder


def test_two_classes_are_summarised_audited_and_split(two_classes: Path, capsys):
    assert main(["dataset", "summary", str(two_classes), "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert {name: row["total"] for name, row in summary["counts"].items()} == {
        "benign": 40,
        "malignant": 20,
    }
    assert summary["cleaned"]["num_images"] == 60
    assert main(["dataset", "summary", str(two_classes)]) == 0
    text = capsys.readouterr().out
    assert "malignant lesion" in text
    assert "There are 2.0 images of benign lesions for each image of malignant lesions" in text
    assert "With a risk tier alone: 60 files" in text

    assert main(["dataset", "audit", str(two_classes)]) == 0
    assert "a network trained on it knows tiers alone" in capsys.readouterr().out
    assert main(["dataset", "split", str(two_classes), "--json"]) == 0
    split = json.loads(capsys.readouterr().out)
    assert split["num_images"] == 60
    assert split["counts"]["malignant"]["total"] == 20
    assert main(["dataset", "balance", str(two_classes), "--method", "class-weights"]) == 0


@pytest.mark.usefixtures("workers_here")
@pytest.mark.tensorflow
def test_a_network_of_two_classes_is_trained_and_evaluated_and_not_kept(two_classes: Path, capsys):
    assert main(["train", str(two_classes), *SMALL]) == 0

    answer = capsys.readouterr()
    assert "Not kept as a model. It knows risk tiers alone" in answer.err
    assert "Test, ROC AUC of malignant: " in answer.err
    assert not list((two_classes.parent / "models").glob("*/card.json"))
    (run,) = list_runs(load_settings())
    assert run.spec.class_names == ("malignant", "benign")


@pytest.mark.usefixtures("workers_here")
@pytest.mark.tensorflow
def test_a_study_compares_recipes_on_two_classes(two_classes: Path, capsys):
    options = [part for part in SMALL if part not in {"--recipe", "baseline"}]

    assert main(["study", str(two_classes), "--recipes", "baseline", *options]) == 0

    text = capsys.readouterr().out
    assert text.startswith("Accuracy")
    assert "Malignant recall, top-1" in text
    assert "Validation as published (9)" in text  # a fifth of the training images of each class
    assert "Melanoma" not in text


@pytest.mark.usefixtures("workers_here")
@pytest.mark.tensorflow
def test_each_collection_is_left_out_in_turn_and_one_table_shows_all(
    folder: Path, draw: Draw, capsys
):
    seed = 0
    counts = {"a": ("nevus", 12, 30), "b": ("nevus", 12, 30), "c": ("benign", 10, 15)}
    for collection, (benign, num_melanomas, num_benign) in counts.items():
        for name, count in (("melanoma", num_melanomas), (benign, num_benign)):
            for _ in range(count):
                seed += 1
                draw(folder / collection / name / f"{seed:03}.png", seed, (64, 64))
    command = ["train", str(folder), *SMALL, "--leave-out", "each", "--name", "mine"]

    assert main([*command, "--json"]) == 0
    series = json.loads(capsys.readouterr().out)

    assert [(row["source"], row["state"], row["num_images"]) for row in series["left_out"]] == [
        ("a", "finished", 42),
        ("b", "finished", 42),
        ("c", "finished", 25),
    ]
    totals = [
        {name: figure["total"] for name, figure in row["figures"].items()}
        for row in series["left_out"]
    ]
    assert totals[0]["melanoma_roc_auc"] == 42
    assert totals[2]["melanoma_roc_auc"] == 25  # ten melanomas and fifteen benign lesions
    assert totals[2]["sensitivity"] == 10
    assert totals[2]["skin_cancer_specificity"] == 15
    cards = sorted((folder.parent / "models").glob("*/card.json"))
    assert len(cards) == 3
    for path in cards:
        card = json.loads(path.read_text("utf-8"))
        assert card["robustness"] is None
        assert card["explanation"] is None

    assert main([*command, "--detach"]) == 0  # all are kept
    assert capsys.readouterr().out.strip() == series["series_id"]
    assert len(list_runs(load_settings())) == 3
    assert main(["leave-out", series["series_id"], "--markdown"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("| Left out | Images | Melanoma ROC AUC |")
    assert "\n| c | 25 | " in shown


def test_a_single_collection_cannot_be_left_out_in_turn(two_classes: Path, capsys):
    assert main(["train", str(two_classes), *SMALL, "--leave-out", "each"]) == 2
    assert "Found 1 collection to leave out in turn." in capsys.readouterr().err


@pytest.mark.usefixtures("folder")
def test_without_a_series_the_command_says_what_to_do(capsys):
    assert main(["leave-out"]) == 2
    assert "To launch one: train DIR --leave-out each." in capsys.readouterr().err
