import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from melanoma_core.cli.main import main
from melanoma_core.runs import control
from melanoma_core.runs.control import list_runs, stop_run
from melanoma_core.runs.queue import open_queue
from melanoma_core.settings import load_settings


@pytest.fixture
def moles(tmp_path, draw, monkeypatch) -> Iterator[Path]:
    """A folder with 2 classes, in which one test image is a copy of a training image."""
    for name in ("runs", "cache", "models"):
        monkeypatch.setenv(f"MELANOMA_{name.upper()}_DIR", str(tmp_path / name))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    folder, seed = tmp_path / "moles", 0
    counts = {"Train/melanoma": 16, "Train/nevus": 32, "Test/melanoma": 4, "Test/nevus": 5}
    for place, count in counts.items():
        for number in range(count):
            seed += 1
            draw(folder / place / f"{number}.png", seed, (64, 64))
    draw(folder / "Test" / "melanoma" / "copy.png", 1, (64, 64))  # of Train/melanoma/0.png
    yield folder
    for run in list_runs(load_settings()):
        stop_run(load_settings(), run.run_id)


@pytest.mark.parametrize("options", [[], ["moles", "--show", "moles-1"]])
def test_a_study_needs_a_folder_or_the_id_of_one_to_show(options, capsys):
    assert main(["study", *options]) == 2
    assert "Name a folder to study, or a study to show" in capsys.readouterr().err


@pytest.mark.usefixtures("moles")
def test_an_unknown_study_is_named(capsys):
    assert main(["study", "--show", "moles-1"]) == 2
    assert capsys.readouterr().err == "Found no study moles-1. The known studies are: none.\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--recipes", "nonsense"], 'Found no recipe "nonsense"'),
        (["--set", "epochs=0"], "epochs=0"),
        (["--set", "weights=none.h5"], "Found no file of weights none.h5"),
        (["--set", "weights=model.keras"], "Found the model model.keras as initial weights"),
        (["--set", "nonsense=1"], 'Found no recipe field "nonsense"'),
    ],
)
def test_a_wrong_recipe_launches_no_run(moles, options, message, capsys):
    assert main(["study", str(moles), *options]) == 2
    assert message in capsys.readouterr().err
    assert not (moles.parent / "runs").exists()


@pytest.mark.usefixtures("workers_here")
@pytest.mark.tensorflow
def test_a_study_trains_each_recipe_once(moles, capsys):
    broken = moles.parent / "broken.weights.h5"
    broken.write_bytes(b"no weights")
    changes = ["image_size=32", "epochs=1", "head_epochs=0", "images_per_class=0"]
    changes += [f"weights={broken}"]
    command = ["study", str(moles), "--recipes", "baseline,transfer,leaky", "--json"]
    command += [part for change in changes for part in ("--set", change)]

    assert main(command) == 0
    study = json.loads(capsys.readouterr().out)
    baseline, transfer, leaky = study["recipes"]
    assert [each["recipe"] for each in study["recipes"]] == ["baseline", "transfer", "leaky"]
    # A failed run has a reason and does not stop the others.
    assert [each["state"] for each in study["recipes"]] == ["finished", "failed", "finished"]
    assert str(broken) in transfer["message"]
    assert transfer["figures"] == {}
    assert [each["is_warning"] for each in study["recipes"]] == [False, False, True]
    totals = {key: each["accuracy"]["total"] for key, each in baseline["figures"].items()}
    # 6 or 7 of 48 validate; of 41 or 42, a fifth of each class is held out.
    assert totals == {"published": 8, "validation": 7, "test": 10, "test_unseen": 9}
    # Of two classes of 27 images, old and new, a fifth each.
    assert leaky["figures"]["published"]["accuracy"]["total"] == 10
    assert leaky["figures"]["test"]["accuracy"]["total"] == 10
    assert not list((moles.parent / "models").glob("*/card.json"))

    assert main(command) == 0
    again = json.loads(capsys.readouterr().out)
    assert again == study

    assert main(["study", "--show", study["study_id"], "--markdown"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("| Accuracy | Validation as published | ")
    assert f"transfer: failed. {transfer['message']}" in shown


@pytest.mark.slow
def test_ctrl_c_stops_the_runs_of_a_study_and_prints_it(moles, capsys, monkeypatch):
    command = ["study", str(moles), "--recipes", "baseline,augmented"]
    command += ["--set", "image_size=32", "--set", "epochs=9999"]
    monkeypatch.setattr(control, "start_detached", lambda *_: 0)  # the runs stay queued
    stopped = []

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    def stop(settings, run_id: str) -> None:
        stopped.append(run_id)
        stop_run(settings, run_id)

    monkeypatch.setattr(time, "sleep", interrupt)
    monkeypatch.setattr(control, "stop_run", stop)
    assert main([*command, "--json"]) == 0
    baseline, augmented = json.loads(capsys.readouterr().out)["recipes"]
    assert [baseline["state"], augmented["state"]] == ["stopped", "stopped"]
    assert baseline["figures"] == {}
    assert augmented["message"] == "Stopped before its turn came."
    # In reverse, so that no queued run begins meanwhile.
    assert stopped == [augmented["run_id"], baseline["run_id"]]

    queue = open_queue(load_settings())
    for ticket in queue.list_tickets():  # as their processes would, when they end
        queue.give_back(ticket)
    assert main([*command, "--detach"]) == 0
    study_id = capsys.readouterr().out.strip()
    assert main(["study", "--show", study_id, "--json"]) == 0
    study = json.loads(capsys.readouterr().out)
    assert [each["run_id"] for each in study["recipes"]] == [
        baseline["run_id"],
        augmented["run_id"],
    ]
    assert not study["is_over"]
