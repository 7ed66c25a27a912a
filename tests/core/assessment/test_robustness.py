"""Photographs with artefacts, read with a model."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from melanoma_core.assessment.robustness import (
    choose_limits,
    draw_lesions,
    find_chosen_on,
    measure_robustness,
)
from melanoma_core.data.drawn.artefacts import ArtefactKind
from melanoma_core.data.quality import QualityKind
from melanoma_core.errors import DatasetError
from melanoma_core.models.classifier import Classifier, load_classifier


@pytest.fixture(scope="module")
def classifier(unguarded: Path) -> Classifier:
    return load_classifier(unguarded, num_threads=1)


@pytest.fixture(scope="module")
def table(draw, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Six photographs of five lesions, and one file that cannot be read."""
    folder = tmp_path_factory.mktemp("lesions")
    paths = [draw(folder / f"{name}.png", seed) for seed, name in enumerate("abcdef")]
    paths.append(folder / "broken.png")
    paths[-1].write_text("no picture")
    return pd.DataFrame(
        {
            "image_id": [path.stem for path in paths],
            "path": paths,
            "label": ["MEL", "MEL", "NV", "NV", "NV", "BCC", "NV"],
            "group": [0, 0, 1, 2, 3, 4, 5],
        }
    )


@pytest.fixture(scope="module")
def figures(classifier: Classifier, table: pd.DataFrame):
    return measure_robustness(classifier, table)


def test_every_artefact_is_measured_on_the_photographs_that_can_be_read(figures):
    assert list(figures) == [str(kind) for kind in ArtefactKind]
    for measured in figures.values():
        assert (measured["refused"].total, measured["refused"].num_lesions) == (6, 5)
        assert (measured["false_alerts"].total, measured["sensitivity"].total) == (4, 2)


def test_all_artefacts_are_compared_with_the_same_unaltered_photographs(figures):
    befores = [
        {name: figure for name, figure in measured.items() if name == "false_alerts_before"}
        for measured in figures.values()
    ]

    assert all(each == befores[0] for each in befores)


def test_warnings_are_measured_on_the_other_half_of_the_lesions(figures, table: pd.DataFrame):
    reported = ~find_chosen_on(table)[:-1]
    warned = {kind for kind, measured in figures.items() if "warned" in measured}

    assert reported.sum() == 2  # "e" and "f"
    assert warned == {"ink", "hair", "ruler"}
    assert figures["ruler"]["warned"].total == 2


def test_the_same_photographs_give_the_same_figures(
    figures, classifier: Classifier, table: pd.DataFrame
):
    assert measure_robustness(classifier, table) == figures


def test_lesions_are_drawn_with_all_their_photographs(table: pd.DataFrame):
    drawn = draw_lesions(table, 3)

    assert drawn["group"].nunique() == 3
    assert len(drawn) == table["group"].isin(drawn["group"]).sum()
    pd.testing.assert_frame_equal(drawn, draw_lesions(table, 3))
    assert draw_lesions(table, 100) is draw_lesions(table, None) is table


def test_progress_counts_photographs_and_can_stop_the_work(
    classifier: Classifier, table: pd.DataFrame
):
    def stop(done: int, total: int) -> None:
        assert (done, total) == (1, 7)
        raise InterruptedError

    with pytest.raises(InterruptedError):
        measure_robustness(classifier, table, progress=stop)


def test_a_limit_is_exceeded_by_few_unaltered_photographs(table: pd.DataFrame):
    limits = choose_limits(table)

    assert list(limits) == [QualityKind.INK, QualityKind.HAIR, QualityKind.RULER]
    assert all(np.isfinite(limit) for limit in limits.values())


def test_without_a_readable_photograph_the_error_says_what_is_needed(
    classifier: Classifier, table: pd.DataFrame
):
    broken = table.iloc[-1:]
    with pytest.raises(DatasetError, match="Found 1 photographs, and none of them can be read"):
        measure_robustness(classifier, broken)
    with pytest.raises(DatasetError, match="none of them can be read"):
        choose_limits(broken)
