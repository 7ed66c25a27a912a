"""The warnings of ink, hair and rulers, on drawn and on real photographs with drawn artefacts."""

from pathlib import Path

import numpy as np
import pytest

from melanoma_core.data.artefacts import LIMITS, find_artefacts, measure_artefacts
from melanoma_core.data.drawn.artefacts import ArtefactKind, draw_artefact
from melanoma_core.data.drawn.lesions import draw_lesion
from melanoma_core.data.images import Photograph, read_image
from melanoma_core.data.quality import QualityKind
from melanoma_core.taxonomy import Diagnosis

KINDS = {
    QualityKind.INK: ArtefactKind.INK,
    QualityKind.HAIR: ArtefactKind.HAIR,
    QualityKind.RULER: ArtefactKind.RULER,
}
NOTHING = dict.fromkeys(KINDS, 0.0)


@pytest.fixture(scope="module")
def lesion() -> np.ndarray:
    """A nevus without hair."""
    return draw_lesion(Diagnosis.NV, 2, 600, 450, 0)


def find_kinds(pixels: np.ndarray) -> list[QualityKind]:
    height, width = pixels.shape[:2]
    return [each.kind for each in find_artefacts(Photograph(pixels, width, height, "PNG"))]


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (64, 64), (64, 2048), (1536, 2048)])
@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_flat_photograph_of_any_size_shows_nothing(size: tuple[int, int], value: int):
    assert measure_artefacts(np.full((*size, 3), value, np.uint8)) == NOTHING


@pytest.mark.parametrize("size", [(2, 3), (8, 8), (64, 2048)])
def test_noise_of_any_size_is_measured(size: tuple[int, int]):
    noise = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)

    assert all(0 <= value < 100 for value in measure_artefacts(noise).values())


def test_a_drawn_nevus_shows_nothing(lesion: np.ndarray):
    assert measure_artefacts(lesion) == NOTHING


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_drawn_onto_a_nevus_is_found(kind: QualityKind, lesion: np.ndarray):
    drawn = [draw_artefact(lesion, KINDS[kind], str(number)) for number in range(8)]

    assert sum(kind in find_kinds(pixels) for pixels in drawn) >= 7


@pytest.mark.parametrize(
    ("kind", "ink", "hair", "ruler"),
    [
        (QualityKind.INK, 0.0966222, 0, 0),
        (QualityKind.HAIR, 0, 0.0661214, 4.8389285),
        (QualityKind.RULER, 0, 0, 16.9454922),
    ],
)
def test_what_is_drawn_has_the_measures_that_the_limits_were_chosen_by(
    kind: QualityKind, ink: float, hair: float, ruler: float, lesion: np.ndarray
):
    measures = measure_artefacts(draw_artefact(lesion, KINDS[kind], "0"))

    assert list(measures.values()) == pytest.approx([ink, hair, ruler], abs=1e-6)


def test_a_grey_photograph_shows_hair_and_rulers_but_no_ink(lesion: np.ndarray):
    found = {
        kind: kind in find_kinds(np.repeat(draw_artefact(lesion, drawn, "0")[..., :1], 3, axis=2))
        for kind, drawn in KINDS.items()
    }

    assert found == {QualityKind.INK: False, QualityKind.HAIR: True, QualityKind.RULER: True}


def test_a_warning_says_what_to_do_and_refuses_nothing(lesion: np.ndarray):
    pixels = draw_artefact(lesion, ArtefactKind.RULER, "0")
    (finding,) = find_artefacts(Photograph(pixels, 600, 450, "PNG"))

    assert (finding.kind, finding.limit) == (QualityKind.RULER, LIMITS[QualityKind.RULER])
    assert finding.value > finding.limit
    assert not finding.refused
    assert finding.text == (
        "A ruler seems to be in the photograph. It can change the reading. Photograph the lesion "
        "without it."
    )


def test_a_circle_of_dark_corners_is_no_artefact(lesion: np.ndarray):
    for number in range(4):
        assert find_kinds(draw_artefact(lesion, ArtefactKind.VIGNETTE, str(number))) == []


def test_artefacts_on_real_photographs_are_found(shared_data: Path):
    folder = shared_data / "ham10000" / "images"
    paths = sorted(folder.glob("*.jpg"))
    photographs = [read_image(path).pixels for path in paths[:: len(paths) // 40][:40]]
    unaltered = [find_kinds(pixels) for pixels in photographs]
    found = {
        kind: sum(
            kind in find_kinds(draw_artefact(pixels, drawn, str(number)))
            for number, pixels in enumerate(photographs)
        )
        for kind, drawn in KINDS.items()
    }
    warned = {kind: sum(kind in kinds for kinds in unaltered) for kind in KINDS}

    assert found == {QualityKind.INK: 38, QualityKind.HAIR: 39, QualityKind.RULER: 40}
    assert warned == {QualityKind.INK: 1, QualityKind.HAIR: 4, QualityKind.RULER: 1}
