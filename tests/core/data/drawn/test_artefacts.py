"""The artefacts that are drawn onto photographs for measurement."""

import numpy as np
import pytest

from melanoma_core.data.drawn.artefacts import ArtefactKind, draw_artefact
from melanoma_core.data.drawn.lesions import draw_lesion
from melanoma_core.data.drawn.white_balance import change_illuminant
from melanoma_core.taxonomy import Diagnosis

# Mean absolute change of a drawn lesion of 300 × 225 pixels, of 255.
CHANGES = {
    ArtefactKind.INK: 3.97,
    ArtefactKind.HAIR: 4.39,
    ArtefactKind.RULER: 8.02,
    ArtefactKind.BUBBLES: 0.69,
    ArtefactKind.VIGNETTE: 39.59,
    ArtefactKind.WHITE_BALANCE: 13.68,
    ArtefactKind.BLUR: 2.9,
    ArtefactKind.JPEG: 3.32,
}
EVERY = pytest.mark.parametrize("kind", ArtefactKind)


@pytest.fixture(scope="module")
def lesion() -> np.ndarray:
    return draw_lesion(Diagnosis.NV, 2, 300, 225, 0)


def measure_change(before: np.ndarray, after: np.ndarray) -> float:
    return float(np.abs(after.astype(float) - before).mean())


@EVERY
@pytest.mark.parametrize(("size", "value"), [((1, 1), 0), ((8, 8), 255), ((64, 900), 128)])
def test_photographs_of_any_size_keep_it(kind: ArtefactKind, size: tuple[int, int], value: int):
    altered = draw_artefact(np.full((*size, 3), value, np.uint8), kind, "a")

    assert (altered.shape, altered.dtype) == ((*size, 3), np.uint8)


@EVERY
def test_equal_names_draw_equal_artefacts_and_other_names_others(
    kind: ArtefactKind, lesion: np.ndarray
):
    first, again = (draw_artefact(lesion, kind, "ISIC_0000001") for _ in range(2))

    np.testing.assert_array_equal(first, again)
    if kind is not ArtefactKind.JPEG:  # which has nothing to draw
        assert (first != draw_artefact(lesion, kind, "ISIC_0000002")).any()


@EVERY
def test_the_amount_is_that_which_figures_were_measured_with(
    kind: ArtefactKind, lesion: np.ndarray
):
    changes = [
        measure_change(lesion, draw_artefact(lesion, kind, str(number))) for number in range(8)
    ]

    assert np.mean(changes) == pytest.approx(CHANGES[kind], abs=0.02)


@pytest.mark.parametrize("kind", [ArtefactKind.INK, ArtefactKind.VIGNETTE])
def test_ink_and_a_vignette_only_darken(kind: ArtefactKind, lesion: np.ndarray):
    assert (draw_artefact(lesion, kind, "a") <= lesion).all()


def test_a_file_name_that_is_no_text_draws_too(lesion: np.ndarray):
    assert (draw_artefact(lesion, ArtefactKind.HAIR, "\udcff") != lesion).any()


def test_no_shift_of_the_white_balance_changes_nothing():
    every = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)

    np.testing.assert_array_equal(change_illuminant(every, 0), every)


def test_a_warmer_white_balance_adds_red_and_takes_blue():
    grey = np.full((1, 1, 3), 128, np.uint8)

    assert change_illuminant(grey, 90)[0, 0].tolist() == [147, 125, 96]
    assert change_illuminant(grey, -90)[0, 0].tolist() == [111, 129, 162]
