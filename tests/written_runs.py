"""Runs for tests, written into the tracking store without any training."""

import json
import math
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import cached_property
from pathlib import Path

import numpy as np

from melanoma_core.data.cache import FactCache
from melanoma_core.data.catalogue import open_demonstration
from melanoma_core.data.dataset import merge_records
from melanoma_core.data.opening import open_folder
from melanoma_core.data.splitting import Split, split_dataset
from melanoma_core.runs.folder import find_folder, hash_test
from melanoma_core.runs.queue import open_queue
from melanoma_core.runs.record import BATCH_LOSS, Measurement, open_record
from melanoma_core.runs.run import Progress, RunSpec, RunState
from melanoma_core.settings import Settings
from melanoma_core.taxonomy import Diagnosis
from melanoma_core.training.observer import Phase
from melanoma_core.training.predictions import (
    select_held_out,
    tabulate_predictions,
    write_predictions,
)
from melanoma_core.training.recipe import PRESETS

NAMES = tuple(str(label) for label in Diagnosis)
TIME = "2026-11-20T13:34:00.000+00:00"


class RunWriter:
    """Writes runs on the drawn lesions as their processes would.

    Args:
        settings: Say where runs are and lesions are drawn; the folder of the runs must not exist.
        empty_store: A database without runs, which is copied.
    """

    def __init__(self, settings: Settings, empty_store: Path) -> None:
        self._settings = settings
        settings.runs_dir.mkdir()
        shutil.copy(empty_store, settings.runs_dir)

    @cached_property
    def _split(self) -> Split:
        opened = open_folder(
            open_demonstration(self._settings), FactCache(self._settings.cache_dir)
        )
        return split_dataset(merge_records(opened.records).table, 0)

    def __call__(
        self,
        state=RunState.FINISHED,
        preset="baseline",
        name=None,
        num_epochs=7,
        study=None,
        **tags,
    ) -> str:
        """Write a queued or ended run; return its id."""
        record = open_record(self._settings)
        spec = RunSpec(PRESETS[preset], NAMES, "drawn lesions", {}, study)
        run_id = record.create(
            name or f"{preset} 1",
            {key: str(value) for key, value in asdict(spec.recipe).items()},
            {
                "state": state,
                "class_names": json.dumps(NAMES),
                "data_name": spec.data_name,
                "study": study or "",
                "split_sha256": self._split.sha256,
                "test_sha256": hash_test(self._split),
                "ended_at": TIME,
                **tags,
            },
        )
        folder = find_folder(self._settings, run_id)
        folder.write(spec, self._split)
        folder.log.write_text("2026-11-20 13:30:00 Waiting for its turn\n", "utf-8")
        epochs = [each for epoch in range(1, num_epochs + 1) for each in measure_epoch(epoch)]
        record.log(run_id, [Measurement(BATCH_LOSS, 50, 2.0, 1), *epochs], {})
        if state is RunState.FINISHED:
            rows = select_held_out(self._split.table)
            likely = np.array(
                [[0.9 if label == name else 0.01 for name in NAMES] for label in rows["label"]]
            )
            write_predictions(tabulate_predictions(rows, likely, NAMES), folder.predictions)
        if state.is_over:
            record.set_state(run_id, state, {})
        return run_id

    @contextmanager
    def keep_running(self, name: str = "baseline 1") -> Iterator[str]:
        """Write a run that is in its eighth epoch as long as the context is open."""
        queue, record = open_queue(self._settings), open_record(self._settings)
        run_id = self(RunState.QUEUED, name=name)
        progress = Progress(Phase.NETWORK, 5, 20, 8, 20, 1.25, 83.2, 200.0, 1_320_000_000)
        tags = {"progress": json.dumps(asdict(progress)), "started_at": TIME}
        queue.draw(run_id)
        with queue.take(run_id) as turn:
            assert queue.begin(turn, 1)
            record.set_state(run_id, RunState.RUNNING, tags)
            yield run_id


def measure_epoch(epoch: int) -> list[Measurement]:
    """Return falling losses and constant metrics of an epoch."""
    values = {"learning_rate": 1e-3}
    for subset, loss in (("train", 2 / epoch), ("validation", 2.1 / epoch)):
        shares = ("accuracy", "balanced_accuracy", "melanoma_sensitivity", "melanoma_specificity")
        values |= {f"{subset}/loss": loss} | {f"{subset}/{name}": 0.5 for name in shares}
        values |= {f"{subset}/roc_auc": math.nan} | {f"{subset}/recall/{n}": 0.5 for n in NAMES}
    return [Measurement(name, epoch, value, epoch) for name, value in values.items()]
