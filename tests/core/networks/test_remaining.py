import numpy as np
import pandas as pd
import pytest

from melanoma_core.networks import remaining
from melanoma_core.networks.remaining import (
    EXPORT_SECONDS,
    ORDER,
    RemainingTime,
    Work,
    plan_release,
)
from melanoma_core.taxonomy import Diagnosis
from melanoma_core.training.observer import Phase

CLASS_NAMES = tuple(str(name) for name in Diagnosis)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the time of the clock, in its only item, to be changed."""
    now = [0.0]
    monkeypatch.setattr(remaining.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def table(tmp_path) -> pd.DataFrame:
    subsets = ["train"] * 70 + ["validation"] * 20 + ["test"] * 10
    return pd.DataFrame(
        {
            "path": [str(tmp_path / f"{number}.jpg") for number in range(100)],
            "subset": subsets,
            "label": "NV",
            "group": np.arange(100),
        }
    )


def test_the_work_after_training_counts_the_photographs_of_each_part(table):
    plan = plan_release(table, CLASS_NAMES)
    assert plan[Phase.PREDICTING].images == 30
    assert plan[Phase.FITTING].images == 100
    assert (plan[Phase.CALIBRATING].images, plan[Phase.TESTING].images) == (20, 10)
    assert plan[Phase.ROBUSTNESS].images % 10 == 0
    assert plan[Phase.ROBUSTNESS].images > 10  # each photograph without and with artefacts
    assert Phase.HEATMAPS not in plan  # no photograph has an outline


def test_a_network_that_is_no_model_is_only_predicted_with(table):
    assert list(plan_release(table, CLASS_NAMES, is_released=False)) == [Phase.PREDICTING]
    assert Phase.ROBUSTNESS not in plan_release(table, CLASS_NAMES, skips_tests=True)


def test_without_any_work_no_time_is_left():
    assert RemainingTime({}).estimate() == 0
    assert RemainingTime({Phase.TESTING: Work(0, 0)}).estimate() == 0


def test_the_time_left_uses_the_pace_that_was_measured(clock):
    plan = {
        Phase.PREDICTING: Work(100, 100),
        Phase.RELEASING: Work(seconds=EXPORT_SECONDS),
        Phase.TESTING: Work(50, 50),
    }
    left = RemainingTime(plan)
    left.set_export_seconds(30.0)
    left.observe(Phase.DECODING, 0, 200)
    clock[0] = 20.0
    left.observe(Phase.DECODING, 200, 200)  # 0.1 s per photograph
    left.observe(Phase.MEASURING, 0, 200)
    clock[0] = 30.0
    left.observe(Phase.MEASURING, 200, 200)  # 0.05 s
    assert left.estimate() == pytest.approx(150 * 0.15 + 30)
    # The training of an epoch lies between two evaluations.
    clock[0] = 1000.0
    left.observe(Phase.MEASURING, 64, 200)
    assert left.estimate() == pytest.approx(150 * 0.15 + 30)
    left.observe(Phase.PREDICTING, 0, 100)
    clock[0] = 1020.0
    left.observe(Phase.PREDICTING, 50, 100)  # 0.4 s
    assert left.estimate() == pytest.approx(50 * 0.4 + 30 + 50 * 0.4)
    left.observe(Phase.RELEASING, 0, 0)
    assert left.estimate() == pytest.approx(30 + 50 * 0.4)
    left.observe(Phase.TESTING, 0, 0)
    clock[0] = 1021.0
    left.observe(Phase.TESTING, 25, 50)
    assert left.estimate() == pytest.approx(25 * 0.04)


def test_the_pace_of_the_part_that_runs_counts_what_it_reports(clock):
    left = RemainingTime({Phase.ROBUSTNESS: Work(700, 700)})  # 100 photographs in 7 versions
    left.observe(Phase.ROBUSTNESS, 0, 0)
    clock[0] = 10.0
    left.observe(Phase.ROBUSTNESS, 20, 100)
    assert left.estimate() == pytest.approx(80 * 0.5)


def test_the_last_heatmaps_take_most_of_their_time(clock):
    passes = 10 + 40 * 5
    left = RemainingTime({Phase.HEATMAPS: Work(10, passes)})
    left.observe(Phase.HEATMAPS, 0, 0)
    whole = left.estimate()
    clock[0] = 1.0
    left.observe(Phase.HEATMAPS, 10, 10)
    assert left.estimate() == pytest.approx(whole * 200 / 210)
    left.observe(Phase.HEATMAPS, 15, 15)
    assert left.estimate() == pytest.approx(0)


def test_the_parts_are_those_after_training():
    assert list(ORDER) == [phase for phase in Phase if phase.is_after_training]
