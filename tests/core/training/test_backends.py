"""A recipe trains on every installed Keras backend."""

import json
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from melanoma_core.data.splitting import Split
from melanoma_core.settings import PROJECT_ROOT
from melanoma_core.training.recipe import PRESETS, Rebalancing

TINY = replace(
    PRESETS["augmented"],
    image_size=32,
    epochs=2,
    images_per_epoch=32,
    batch_size=16,
    rebalancing=Rebalancing.CLASS_WEIGHTS,
)
# One training is stopped in the second epoch and resumed, another one is not.
CODE = """
import json, pickle, sys
from pathlib import Path
import keras
from melanoma_core.taxonomy import Diagnosis
from melanoma_core.training.observer import Stopped
from melanoma_core.networks.trainer import TrainingTask, train_network

recipe, split = pickle.loads((Path(sys.argv[1]) / "begin.pickle").read_bytes())
class Observer:
    stops = True
    reports = []
    def on_phase(self, phase, done, total): pass
    def on_batch(self, state):
        if self.stops and state.epoch == 2:
            raise Stopped
    def on_epoch(self, report): self.reports.append(report)
def train(folder):
    task = TrainingTask(recipe, split, tuple(Diagnosis))
    return train_network(task, Path(sys.argv[1]) / folder, observer)
observer = Observer()
try: train("state")
except Stopped: observer.stops = False
resumed = train("state")
whole = train("other")
same = all((a == b).all() for a, b in zip(resumed.get_weights(), whole.get_weights(), strict=True))
losses = [report.figures["validation"]["loss"] for report in observer.reports]
print(json.dumps({"backend": keras.backend.backend(), "same": bool(same), "losses": losses}))
"""


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "backend", [name for name in ("tensorflow", "jax", "torch") if find_spec(name)]
)
def test_a_recipe_is_trained_stopped_and_resumed(backend: str, drawn_split: Split, tmp_path: Path):
    (tmp_path / "begin.pickle").write_bytes(pickle.dumps((TINY, drawn_split)))

    done = subprocess.run(
        [sys.executable, "-c", CODE, tmp_path],
        cwd=PROJECT_ROOT,
        env=os.environ | {"KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["backend"] == backend
    assert found["same"]
    # The stopped training reports one epoch; the resumed one and the other one report both.
    first, second = found["losses"][1:3]
    assert found["losses"] == [first, first, second, first, second]
    assert np.isfinite([first, second]).all()
