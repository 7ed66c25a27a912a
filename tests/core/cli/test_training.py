"""Training on the command line: a real run that is stopped and resumed."""

import io
import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest

from melanoma_core.cli.main import main
from melanoma_core.models.lineage import read_split
from melanoma_core.runs import control
from melanoma_core.runs.control import load_run
from melanoma_core.runs.record import open_record
from melanoma_core.runs.run import RunState
from melanoma_core.settings import PROJECT_ROOT, load_settings
from tests.conftest import COMMAND_LINE
from tests.held_runs import Hold

pytestmark = pytest.mark.tensorflow

SMALL = ("image_size=32", "epochs=3", "images_per_epoch=32", "batch_size=16")
LAST_BEFORE_STOP = 2


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    status: int
    out: str
    err: str


@dataclass(frozen=True)
class House:
    """The folders of the commands of a test."""

    folder: Path

    @property
    def variables(self) -> dict[str, str]:
        names = {
            "MELANOMA_MODELS_DIR": "models",
            "MELANOMA_RUNS_DIR": "runs",
            "MELANOMA_CACHE_DIR": "cache",
        }
        variables = {name: str(self.folder / folder) for name, folder in names.items()}
        return variables | {"MLFLOW_TRACKING_URI": ""}

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """Start a command in a process whose runs wait for their stop after an epoch."""
        hold = Hold(self.folder, LAST_BEFORE_STOP)
        return subprocess.Popen(
            [*COMMAND_LINE, *map(str, arguments)],
            cwd=PROJECT_ROOT,
            env=os.environ | self.variables | hold.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def call(self, *arguments: str | Path) -> Ended:
        """Run a command in this process, without the start of another."""
        out, err = io.StringIO(), io.StringIO()
        with (
            pytest.MonkeyPatch.context() as patch,
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            for name, value in self.variables.items():
                patch.setenv(name, value)
            status = main([*map(str, arguments)])
        return Ended(status, out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, draw: Callable[..., Path]) -> Iterator[House]:
    house = House(tmp_path_factory.mktemp("house"))
    for number in range(84):
        name = "melanoma" if number % 3 == 0 else "nevus"
        draw(house.folder / "data" / name / f"{number:02d}.jpg", number)
    yield house
    for process in psutil.process_iter(["cmdline"]):
        if any(part.startswith(str(house.folder)) for part in process.info["cmdline"] or ()):
            process.kill()


@dataclass(frozen=True)
class Story:
    """A training that was stopped with Ctrl-C and resumed."""

    trained: Ended
    listed: Ended
    resumed: Ended


@pytest.fixture(scope="module")
def story(house: House) -> Story:
    training = house.start(
        "train",
        house.folder / "data",
        *("--recipe", "baseline", "--name", "mine", "--json"),
        *(part for change in SMALL for part in ("--set", change)),
    )
    assert training.stderr is not None
    seen = ""
    while not re.search(r"epoch 2/3.*melanoma AUC", seen):
        character = training.stderr.read(1)
        assert character, seen
        seen += character
    training.send_signal(signal.SIGINT)
    out, err = training.communicate()
    listed = house.call("runs", "--json")
    resumed = house.call("resume", "mine", "--json")  # in another process than the first
    return Story(Ended(training.returncode, out, seen + err), listed, resumed)


@pytest.fixture
def without_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Launch runs that stay queued, without a process."""
    monkeypatch.setattr(control, "start_detached", lambda *_: 0)


def parse_strictly(text: str) -> Any:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (["--recipe", "best"], 'Found no recipe "best"'),
        (["--set", "epochs=0"], "Found epochs=0. It must be at least 1."),
        ([], "Found no known dataset layout"),
    ],
)
def test_an_impossible_training_is_refused_with_a_reason(
    tmp_path: Path, arguments: list[str], answer: str
):
    (tmp_path / "data").mkdir()

    done = House(tmp_path).call("train", tmp_path / "data", *arguments)

    assert (done.status, done.out) == (2, "")
    assert answer in done.err
    assert "Traceback" not in done.err
    assert not (tmp_path / "runs").exists()


def test_without_runs_none_is_listed_or_stopped(tmp_path: Path):
    listed = House(tmp_path).call("runs", "--json")
    stopped = House(tmp_path).call("stop", "mine")

    assert (listed.status, parse_strictly(listed.out)) == (0, [])
    assert (stopped.status, stopped.out) == (2, "")
    assert "there are no runs yet" in stopped.err


def test_a_training_shows_its_progress(story: Story):
    for sign in ("60 images in train", "starting", "validation: loss", "melanoma AUC"):
        assert sign in story.trained.err
    assert "Traceback" not in story.trained.err


def test_ctrl_c_stops_the_run_and_shows_how_to_resume_it(story: Story):
    assert (story.trained.status, story.trained.out) == (2, "")
    assert "Stopped as requested. Resume continues from epoch " in story.trained.err
    (run,) = parse_strictly(story.listed.out)
    assert (run["name"], run["state"], run["progress"]) == ("mine", "stopped", None)
    assert f"python -m melanoma_core resume {run['run_id'][:8]}" in story.trained.err


def test_a_run_resumed_by_its_name_writes_a_model_that_reads(house: House, story: Story):
    assert story.resumed.status == 0, story.resumed.err
    card = parse_strictly(story.resumed.out)
    assert str(house.folder) not in story.resumed.out
    assert "epoch 1/3" not in story.resumed.err
    photograph = house.folder / "data" / "nevus" / "01.jpg"
    assert house.call("predict", photograph, "--model", card["model_id"]).status == 0


@pytest.mark.usefixtures("without_workers")
def test_a_training_from_a_model_keeps_the_subsets_of_its_images(house: House, story: Story):
    before = parse_strictly(story.resumed.out)
    # Another seed alone would draw other subsets.
    start = ("train", house.folder / "data", "--from", before["model_id"], "--set", "seed=2")

    launched = house.call(*start, "--detach")

    assert launched.status == 0, launched.err
    run = house.folder / "runs" / launched.out.strip()
    recipe = json.loads((run / "spec.json").read_text())["recipe"]
    assert recipe["weights"] == str(house.folder / "models" / before["model_id"] / "model.keras")
    assert (recipe["image_size"], recipe["head_epochs"]) == (32, 0)
    known = read_split(house.folder / "models" / before["model_id"])
    split = pd.read_csv(run / "split.csv", dtype=str).set_index("image_id")["subset"]
    assert known is not None
    assert split.to_dict() == known.set_index("image_id")["subset"].to_dict()
    house.call("stop", launched.out.strip()[:10])


def test_runs_are_listed_as_a_table(house: House, story: Story):
    done = house.call("runs")

    line = done.out.splitlines()[-1]  # the oldest
    run_id = parse_strictly(story.listed.out)[0]["run_id"]
    model_id = parse_strictly(story.resumed.out)["model_id"]
    assert line.split()[:4] == [run_id[:8], "mine", "finished", "data"]
    assert line.split()[-1] == model_id


@pytest.mark.usefixtures("without_workers", "story")
def test_a_detached_run_prints_its_id_and_is_stopped_by_it(house: House):
    weights = house.folder / "backbone.weights.h5"
    weights.write_bytes(b"not read by a small network")

    launched = house.call(
        "train", house.folder / "data", *("--recipe", "baseline", "--weights", weights), "--detach"
    )
    run = house.folder / "runs" / launched.out.strip()
    assert json.loads((run / "spec.json").read_text())["recipe"]["weights"] == str(weights)
    stopped = house.call("stop", launched.out.strip()[:10])

    assert launched.status == 0
    assert stopped.status == 0, stopped.err
    assert stopped.out == f"{launched.out.strip()} stopped\n"


@pytest.mark.usefixtures("without_workers")
@pytest.mark.parametrize("named", ["none", "imagenet"])
def test_weights_may_be_named_by_a_word(house: House, named: str):
    launched = house.call(
        "train", house.folder / "data", "--recipe", "transfer", "--weights", named, "--detach"
    )

    assert launched.status == 0, launched.err
    run = house.folder / "runs" / launched.out.strip()
    assert json.loads((run / "spec.json").read_text())["recipe"]["weights"] == named
    house.call("stop", launched.out.strip()[:10])


@pytest.mark.usefixtures("without_workers")
def test_a_run_that_would_fail_again_is_not_advised_to_resume(house: House):
    launched = house.call("train", house.folder / "data", "--recipe", "baseline", "--detach")
    run_id = launched.out.strip()
    settings = replace(
        load_settings(),
        runs_dir=house.folder / "runs",
        tracking_uri=f"sqlite:///{house.folder / 'runs' / 'mlflow.db'}",
    )
    house.call("stop", run_id)
    tags = {"message": "Found a loss that is not a number.", "final": "yes"}
    open_record(settings).set_state(run_id, RunState.FAILED, tags)

    resumed = house.call("resume", run_id)

    assert resumed.status == 2
    assert "failed for a reason that stays: Found a loss that is not a number." in resumed.err
    assert "To resume it" not in resumed.err
    run = load_run(settings, run_id)
    assert (run.can_resume, run.state.can_resume) == (False, True)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--without", "neither a collection nor an image elsewhere to train without"),
        ("--train-only", "no collection elsewhere to use in training alone"),
    ],
)
def test_a_collection_that_does_not_exist_is_refused_before_the_run(
    house: House, option: str, message: str
):
    ended = house.call("train", house.folder / "data", option, "elsewhere")

    assert ended.status == 2
    assert message in ended.err
