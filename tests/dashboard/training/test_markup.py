import math
from dataclasses import replace

import pytest

from dashboard.training.markup import (
    describe_epochs,
    describe_steps,
    format_duration,
    format_memory,
    render_conclusion,
    render_differences,
)
from melanoma_core.evaluation.figure import Figure
from melanoma_core.runs.run import Progress, Run, RunSpec, RunState
from melanoma_core.runs.study import PROTOCOLS, Study, StudyRow
from melanoma_core.training.observer import Phase
from melanoma_core.training.recipe import PRESETS

TIME = "2026-11-20T13:34:00.000+00:00"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (math.nan, "not known yet"),
        (0, "about 5 seconds"),
        (41, "about 45 seconds"),
        (70, "about 1 minute"),
        (719, "about 12 minutes"),
        (3600, "about 1 hour"),
        (7990, "about 2 hours 15 minutes"),
    ],
)
def test_a_duration_is_as_exact_as_an_estimate(seconds, text):
    assert format_duration(seconds) == text


def test_memory_is_in_gigabytes_or_not_known():
    assert format_memory(1_420_000_000) == "1.4 GB"
    assert format_memory(0) == "not known yet"


def test_epochs_and_steps_are_described_in_each_phase():
    unknown = Progress(Phase.STARTING, 0, 0, 0, 0, *[math.nan] * 3, 0)
    assert describe_epochs(unknown) == (0.0, "0 of 1 epochs done")
    assert describe_steps(unknown) == (0.0, Phase.STARTING.capitalize())
    decoding = replace(unknown, phase=Phase.DECODING, done=1200, total=2400, num_epochs=20)
    assert describe_steps(decoding) == (0.5, f"{Phase.DECODING.capitalize()}: 1,200 of 2,400")
    assert describe_epochs(decoding) == (0.0, "0 of 20 epochs done")
    training = replace(decoding, phase=Phase.NETWORK, epoch=11, done=40, total=80)
    assert describe_epochs(training) == (pytest.approx(0.525), "Epoch 11 of 20")
    assert describe_steps(training) == (0.5, f"{Phase.NETWORK.capitalize()}: batch 40 of 80")
    assert describe_epochs(replace(training, phase=Phase.MEASURING)) == (0.55, "Epoch 11 of 20")
    assert describe_epochs(replace(training, phase=Phase.RELEASING, epoch=20)) == (
        1.0,
        "20 of 20 epochs done",
    )


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.01, 0.07, "(95% CI of the difference +1.0 to +7.0): chance does not explain it."),
        (-0.01, 0.07, "(95% CI of the difference -1.0 to +7.0): chance may explain it."),
        (math.nan, math.nan, "on the same 18 images."),
    ],
)
def test_a_difference_has_an_interval_and_a_verdict(low, high, verdict):
    text = render_differences({"b": Figure(0.031, low, high, None, 18, 9)}, "sensitivity", "a")
    assert text.startswith(
        "<p>The melanoma recall (top-1) of b is 3.1 percentage points higher than that of a"
    )
    assert text.endswith(f"{verdict}</p>")


# A study.


def make_study(**rows) -> Study:
    """Make a study from the accuracies of each recipe: value, low and high per evaluation set."""
    made = []
    for name, accuracies in rows.items():
        run = Run(
            run_id=name,
            name=name,
            state=RunState.FINISHED if accuracies else RunState.FAILED,
            message="" if accuracies else "The disk is full.",
            spec=RunSpec(PRESETS[name], ("MEL", "NV"), "isic9", {}, "s"),
            split_sha256="",
            test_sha256="",
            created_at=TIME,
            started_at=TIME,
            ended_at=TIME,
            progress=None,
            queue_position=None,
            model_id=None,
            not_kept="",
            is_own=True,
            is_stopping=False,
            is_bug=False,
        )
        figures = {
            key: {"accuracy": Figure(*each, round(100 * each[0]), 100, 90)}
            for key, each in zip(PROTOCOLS, accuracies, strict=False)
        }
        made.append(StudyRow(run, figures))
    return Study("s", "isic9", tuple(made))


def test_a_study_concludes_that_leakage_inflates_if_the_intervals_do_not_overlap():
    text = render_conclusion(
        make_study(
            baseline=[(0.6, 0.5, 0.7), (0.55, 0.45, 0.65), (0.5, 0.4, 0.6), (0.4, 0.3, 0.5)],
            leaky=[(0.9, 0.85, 0.95), (0.55, 0.45, 0.65), (0.5, 0.4, 0.6), (0.45, 0.35, 0.55)],
        )
    )
    assert "leaky has an accuracy of 90.0% (95% CI 85.0–95.0%)" in text
    assert (
        "55.0% (95% CI 45.0–65.0%). The intervals do not overlap: leakage, not chance, explains "
        "the difference of 35.0 percentage points."
    ) in text
    assert "classifies the most" not in text  # only one recipe does not leak


def test_a_study_concludes_little_if_the_intervals_overlap():
    accuracies = [(0.6, 0.5, 0.7), (0.55, 0.45, 0.65), (0.5, 0.4, 0.6)]
    text = render_conclusion(
        make_study(
            baseline=[*accuracies, (0.4, 0.3, 0.5)], augmented=[*accuracies, (0.6, 0.45, 0.7)]
        )
    )
    assert "chance may explain the difference" in text
    assert "augmented classifies the most Test images correctly: 60 of 100" in text
    assert "Its interval overlaps that of baseline" in text


def test_a_study_counts_the_recipes_that_have_finished():
    assert render_conclusion(make_study(baseline=[], augmented=[])) == (
        "<p>0 of 2 recipes have finished.</p>"
    )
