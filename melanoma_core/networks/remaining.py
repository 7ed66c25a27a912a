"""Estimate how long a run takes after its last epoch: predictions, calibration, test, export.

How long an image takes is measured on this machine while the run works: on decoding and on
evaluations before the release, and in each part of the release once it has begun.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import pandas as pd

from melanoma_core.assessment.robustness import NUM_LESIONS, draw_lesions
from melanoma_core.data.drawn.artefacts import ArtefactKind
from melanoma_core.data.outlines import select_outlined
from melanoma_core.reading.faithfulness import NUM_RANDOMISED, NUM_TRACED, PASSES_PER_TRACE
from melanoma_core.training.observer import Phase
from melanoma_core.training.preparation import PUBLISHED, TEST, VALIDATION
from melanoma_core.training.targets import select_classes

EXPORT_SECONDS = 20.0  # until an export was timed on this machine
_EXPLAINER_SECONDS = 15.0  # start of the process with TensorFlow that compares random weights
_DECODE_SECONDS, _PASS_SECONDS = 0.01, 0.01  # per photograph, until it was timed here
# Parts that decode photographs and pass them through the network, as the first one does.
_ALIKE = (Phase.PREDICTING, Phase.CALIBRATING, Phase.TESTING)


@dataclass(frozen=True)
class Work:
    """The work of one part of a release.

    Attributes:
        images: Photographs that are decoded.
        passes: Passes through the network, in images.
        seconds: Duration of what does not depend on the number of images.
    """

    images: int = 0
    passes: int = 0
    seconds: float = 0.0


ORDER = (
    *(Phase.PREDICTING, Phase.FITTING, Phase.RELEASING, Phase.CALIBRATING, Phase.TESTING),
    *(Phase.HEATMAPS, Phase.ROBUSTNESS),
)


def plan_release(
    table: pd.DataFrame,
    class_names: tuple[str, ...],
    *,
    is_released: bool = True,
    skips_tests: bool = False,
) -> dict[Phase, Work]:
    """Return the work after the last epoch, by phase.

    Args:
        table: Rows of the split, with path, subset, group and label.
        class_names: Outputs of the network.
        is_released: Whether the network becomes a model.
        skips_tests: Whether the tests of heatmaps and robustness are left out.
    """
    counts = table["subset"].value_counts()
    validation, test = int(counts.get(VALIDATION, 0)), int(counts.get(TEST, 0))
    held_out = validation + test + int(counts.get(PUBLISHED, 0))
    plan = {Phase.PREDICTING: Work(held_out, held_out)}
    if not is_released:
        return plan
    plan |= {
        Phase.FITTING: Work(len(table), len(table)),
        Phase.RELEASING: Work(seconds=EXPORT_SECONDS),
        Phase.CALIBRATING: Work(validation, validation),
        Phase.TESTING: Work(test, test),
    }
    if skips_tests:
        return plan
    tested = select_classes(table[table["subset"] == TEST], class_names)
    outlined = len(select_outlined(tested))
    if outlined:
        traced = PASSES_PER_TRACE * min(NUM_TRACED, outlined)
        passes = outlined + traced + 2 * NUM_RANDOMISED
        plan[Phase.HEATMAPS] = Work(outlined, passes, _EXPLAINER_SECONDS)
    drawn = len(draw_lesions(tested, NUM_LESIONS)) * (1 + len(ArtefactKind))
    # Each version is drawn and measured at full resolution, which takes about as long as decoding.
    plan[Phase.ROBUSTNESS] = Work(drawn, drawn)
    return plan


class RemainingTime:
    """Estimates the time after the last epoch, better the more of the run was observed.

    Args:
        plan: Result of `plan_release`.
        paces: Known seconds per image by phase, such as those of an estimate.
    """

    def __init__(
        self, plan: Mapping[Phase, Work], paces: Mapping[Phase, float] = MappingProxyType({})
    ) -> None:
        self._plan = dict(plan)
        self._paces = dict(paces)
        self._export_seconds = EXPORT_SECONDS
        self._phase: Phase | None = None
        self._began, self._began_at, self._done = 0, 0.0, 0
        self._total = 0

    def set_export_seconds(self, seconds: float) -> None:
        """Use the duration of an export that was timed on this machine."""
        self._export_seconds = seconds

    def observe(self, phase: Phase, done: int, total: int) -> None:
        """Time a phase: `done` of `total` images are finished now."""
        now = time.monotonic()
        # Each epoch is evaluated again, with the training of the next one in between.
        if phase is not self._phase or done < self._done:
            self._phase, self._began, self._began_at = phase, done, now
        elif done > self._began:
            self._paces[phase] = (now - self._began_at) / (done - self._began)
        self._done, self._total = done, total

    def estimate(self) -> float:
        """Return the seconds until the end of the run, from the part of the release that runs.

        Before the first part, this is the duration of the whole release.
        """
        first = ORDER.index(self._phase) if self._phase in ORDER else 0
        later = [phase for phase in ORDER[first:] if phase in self._plan]
        return sum(
            self._estimate_rest() if phase is self._phase else self._estimate(phase)
            for phase in later
        )

    def _estimate_rest(self) -> float:
        """Return the seconds that are left of the part that runs now."""
        assert self._phase is not None
        if self._phase is Phase.HEATMAPS:  # some photographs take many passes, at the end
            work = self._plan[self._phase]
            traced = max(self._done - work.images, 0)
            passes = min(self._done, work.images) + PASSES_PER_TRACE * traced
            return self._estimate(self._phase) * max(1 - passes / work.passes, 0.0)
        if self._phase in self._paces and self._total:
            return self._paces[self._phase] * (self._total - self._done)
        share = min(self._done / self._total, 1.0) if self._total else 0.0
        return self._estimate(self._phase) * (1 - share)

    def _estimate(self, phase: Phase) -> float:
        """Return the seconds of one part as a whole."""
        work = self._plan[phase]
        if phase is Phase.RELEASING:
            return self._export_seconds
        if phase in self._paces and phase is not Phase.HEATMAPS:
            return self._paces[phase] * work.images + work.seconds
        alike = [self._paces[each] for each in _ALIKE if each in self._paces]
        decoding = self._paces.get(Phase.DECODING, _DECODE_SECONDS)
        # A head is evaluated on features, much faster than the network that made them.
        passing = max(
            self._paces.get(Phase.FEATURES, 0.0),
            self._paces.get(Phase.MEASURING, 0.0) or _PASS_SECONDS,
        )
        if alike and phase in _ALIKE:
            return alike[-1] * work.images
        return decoding * work.images + passing * work.passes + work.seconds
