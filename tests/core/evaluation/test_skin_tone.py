"""The estimated angle against the skin types of tables: how far it can be trusted."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from melanoma_core.data.cache import FactCache
from melanoma_core.data.dataset import merge_records
from melanoma_core.data.opening import open_folder
from melanoma_core.evaluation.skin_tone import measure_agreement


def make_table(types: list[str | None], angles: list[float]) -> pd.DataFrame:
    ids = dict.fromkeys(("lesion_id", "patient_id", "sha256", "cluster"))
    return pd.DataFrame({"fitzpatrick": types, "ita": angles} | ids)


def test_without_both_or_without_a_difference_there_is_no_agreement():
    assert measure_agreement(make_table([None] * 20, [40.0] * 20)) is None
    assert measure_agreement(make_table(["I", "II"] * 4, [40.0, 30.0] * 4)) is None
    assert measure_agreement(make_table(["II"] * 20, list(range(20)))) is None
    assert measure_agreement(make_table(["I", "II"] * 10, [30.0] * 20)) is None


def test_perfect_agreement_is_minus_one_and_the_opposite_is_one():
    types, angles = (
        ["I", "II", "III", "IV", "V", "VI"] * 4,
        [60.0, 45.0, 30.0, 20.0, 0.0, -40.0] * 4,
    )
    perfect, opposite = (
        measure_agreement(make_table(types, list(sign * np.array(angles)))) for sign in (1, -1)
    )

    assert perfect is not None
    assert opposite is not None
    assert (perfect.value, opposite.value) == pytest.approx((-1, 1))
    assert (perfect.total, perfect.num_lesions) == (24, 24)


def test_images_of_one_person_are_one_observation():
    table = make_table(["I", "II", "III"] * 10, list(np.random.default_rng(1).normal(30, 9, 30)))

    figure = measure_agreement(table.assign(patient_id=[f"P{n // 3}" for n in range(30)]))

    assert figure is not None
    assert (figure.total, figure.num_lesions) == (30, 10)
    assert figure.low < figure.value < figure.high


def test_on_photographs_of_smartphones_the_estimate_says_nothing_of_the_skin_type(
    shared_data: Path, tmp_path: Path
):
    """The documents say so. PAD-UFES-20 was taken with many telephones, in any light."""
    folder = shared_data.parent / "more" / "pad_ufes_20"
    if not folder.exists():
        pytest.skip(f"{folder} is needed")

    opened = open_folder(folder, FactCache(tmp_path))
    figure = measure_agreement(merge_records(opened.records).table)

    assert figure is not None
    assert figure.total == 388
    assert figure.value == pytest.approx(0.01, abs=0.005)
    assert (figure.low, figure.high) == pytest.approx((-0.11, 0.11), abs=0.02)
