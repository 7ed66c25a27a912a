"""What a run records of its progress: the time left includes what follows the last epoch."""

import json
import signal
from pathlib import Path

import pytest

from melanoma_core.networks.remaining import RemainingTime, Work
from melanoma_core.runs.folder import RunFolder
from melanoma_core.runs.observer import RunObserver, StopRequest
from melanoma_core.training.observer import BatchState, Phase, Stopped


class KeptTags:
    """Keeps what an observer records, instead of a tracking store."""

    def __init__(self) -> None:
        self.tags: dict[str, str] = {}

    def add(self, _: object, tags: dict[str, str]) -> None:
        self.tags |= tags

    @property
    def progress(self) -> dict[str, object]:
        return json.loads(self.tags["progress"])


@pytest.fixture
def folder(tmp_path: Path):
    handler = signal.getsignal(signal.SIGTERM)
    yield RunFolder(tmp_path)
    signal.signal(signal.SIGTERM, handler)


def observe(folder: RunFolder, num_finished: int = 0) -> tuple[RunObserver, KeptTags]:
    kept = KeptTags()
    observer = RunObserver(kept, StopRequest(folder), num_finished, 4)
    plan = {Phase.PREDICTING: Work(seconds=100.0), Phase.RELEASING: Work()}
    remaining = RemainingTime(plan)
    remaining.set_export_seconds(50.0)
    observer.expect(remaining)
    return observer, kept


def test_the_time_left_includes_what_follows_the_last_epoch(folder):
    observer, kept = observe(folder)
    observer.on_batch(BatchState(Phase.NETWORK, 1, 4, 3, 9, 1.0, 20.0, 5.0))
    assert kept.progress["remaining_seconds"] == pytest.approx(155)
    observer.on_phase(Phase.MEASURING, 1, 10)  # after an epoch, it stays
    assert kept.progress["remaining_seconds"] == pytest.approx(155)
    observer.on_phase(Phase.PREDICTING, 0, 10)
    assert kept.progress["remaining_seconds"] == pytest.approx(150)
    observer.on_phase(Phase.RELEASING, 0, 0)
    assert kept.progress["phase"] == Phase.RELEASING
    assert kept.progress["remaining_seconds"] == pytest.approx(50)


def test_a_run_that_is_stopped_after_the_last_epoch_says_so(folder):
    observer, _ = observe(folder, num_finished=4)
    folder.stop.touch()
    with pytest.raises(Stopped):
        observer.on_phase(Phase.CALIBRATING, 3, 10)
    assert observer.describe_next() == "after the last epoch"
    assert observe(folder, num_finished=2)[0].describe_next() == "from epoch 3"
