"""Runs in other processes that wait after an epoch, so that no machine is too fast for a test."""

import os
from pathlib import Path

from melanoma_core.settings import PROJECT_ROOT

# Python runs this file at its start where it finds it. It waits for the file of the epoch to go, or
# for the stop of the run.
_HOLD = """
import time
from pathlib import Path
from melanoma_core.runs.observer import RunObserver
go_on = RunObserver.on_epoch
def wait(self, report):
    go_on(self, report)
    while Path(__file__).with_name(f"hold-{report.epoch}").exists():
        self._stop_if_requested()
        time.sleep(0.05)
RunObserver.on_epoch = wait
count = RunObserver.on_batch
def wait_in_first_epoch(self, state):
    count(self, state)
    while Path(__file__).with_name("hold-0").exists():
        self._stop_if_requested()
        time.sleep(0.05)
RunObserver.on_batch = wait_in_first_epoch
"""


class Hold:
    """Lets runs wait after some epochs.

    Args:
        folder: An existing folder for its files.
        epochs: The epochs after which runs wait until they are stopped or let go; 0 for the first
            batch of the first epoch.
    """

    def __init__(self, folder: Path, *epochs: int) -> None:
        self._folder = folder
        (folder / "sitecustomize.py").write_text(_HOLD)
        for epoch in epochs:
            self._find(epoch).touch()

    @property
    def environment(self) -> dict[str, str]:
        """Variables of a process whose runs wait."""
        paths = [str(self._folder), str(PROJECT_ROOT), os.environ.get("PYTHONPATH", "")]
        return {"PYTHONPATH": os.pathsep.join(filter(None, paths))}

    def let_go(self, epoch: int) -> None:
        """Let runs go on after an epoch, now and later."""
        self._find(epoch).unlink()

    def _find(self, epoch: int) -> Path:
        return self._folder / f"hold-{epoch}"
