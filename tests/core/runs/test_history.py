"""Curves of runs that were killed and resumed."""

import json
import math

from melanoma_core.runs.history import gather_curves, keep_valid
from melanoma_core.runs.record import Measurement, name_metric, open_record
from melanoma_core.settings import Settings


def test_no_measurement_is_an_empty_curve():
    steps, values = keep_valid([])

    assert (steps.tolist(), values.tolist()) == ([], [])


def test_a_curve_is_put_in_the_order_of_its_steps():
    steps, values = keep_valid([(30, 3, 0.1), (10, 1, 0.3), (20, 2, math.nan)])

    assert steps.tolist() == [1, 2, 3]
    assert values[[0, 2]].tolist() == [0.3, 0.1]
    assert math.isnan(values[1])


def test_what_was_measured_after_the_epoch_resumed_from_is_left_out():
    before = [(10, 100, 0.9), (20, 150, 0.8), (30, 210, 0.7), (40, 290, 0.6)]
    resumed = [(50, 220, 0.75), (60, 240, 0.74)]

    steps, values = keep_valid([*before, *resumed])

    assert steps.tolist() == [100, 150, 210, 220, 240]
    assert values.tolist() == [0.9, 0.8, 0.7, 0.75, 0.74]


def test_epochs_repeated_at_one_moment_count_once():
    repeated = [(10, 1, 0.9), (20, 2, 0.8), (50, 2, 0.8), (50, 1, 0.9), (60, 3, 0.7)]

    steps, values = keep_valid(repeated)

    assert (steps.tolist(), values.tolist()) == ([1, 2, 3], [0.9, 0.8, 0.7])


def test_a_curve_is_of_the_class_as_the_folder_calls_it(house: Settings):
    record = open_record(house)
    names = ["nævus (5 mm)", "melanoma"]
    run_id = record.create("classes", {}, {"class_names": json.dumps(names)})
    metrics = [name_metric("train", "recall", name) for name in names]
    record.log(run_id, [Measurement(name, 1, 0.5, 10) for name in metrics], {})

    curves = gather_curves(record, record.get(run_id))

    assert curves.to_numpy().tolist() == [
        [1.0, "train", "recall/melanoma", 0.5],
        [1.0, "train", "recall/nævus (5 mm)", 0.5],
    ]
