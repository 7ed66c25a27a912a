"""Quality checks, tested on real photographs that were degraded."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from melanoma_core.data.images import Photograph, read_image
from melanoma_core.data.quality import Quality, QualityKind, judge_quality, measure_quality

TYPICAL = Quality(sharpness=6e-4, brightness=0.6, contrast=0.1, shorter_side=450)


@pytest.fixture(scope="module")
def lesions(shared_data: Path) -> list[Photograph]:
    """Forty real photographs of lesions."""
    folders = ("ham10000/images", "isic2017")
    paths = [path for folder in folders for path in sorted((shared_data / folder).rglob("*.jpg"))]
    return [read_image(path) for path in paths[:: len(paths) // 40][:40]]


def edit(photograph: Photograph, operation: Callable[[Image.Image], Image.Image]) -> Photograph:
    edited = operation(Image.fromarray(photograph.pixels))
    return Photograph(np.asarray(edited), *edited.size, "PNG")


def find_kinds(photograph: Photograph) -> list[QualityKind]:
    return [finding.kind for finding in judge_quality(measure_quality(photograph))]


def make_flat(value: int, size: tuple[int, int] = (200, 150)) -> Photograph:
    return Photograph(np.full((*size[::-1], 3), value, dtype=np.uint8), *size, "PNG")


def test_real_lesions_have_typical_quality(lesions: list[Photograph]):
    assert sum(bool(find_kinds(lesion)) for lesion in lesions) <= 1


def test_real_lesions_out_of_focus_are_blurred(lesions: list[Photograph]):
    def blur(image: Image.Image) -> Image.Image:
        return image.filter(ImageFilter.GaussianBlur(0.02 * min(image.size)))

    kinds = [find_kinds(edit(lesion, blur)) for lesion in lesions]

    assert sum(QualityKind.BLURRED in found for found in kinds) >= 39


def test_real_lesions_in_the_dark_are_too_dark(lesions: list[Photograph]):
    kinds = [
        find_kinds(edit(x, lambda p: ImageEnhance.Brightness(p).enhance(0.3))) for x in lesions
    ]

    assert all(QualityKind.DARK in found for found in kinds)


def test_real_lesions_overexposed_are_too_bright(lesions: list[Photograph]):
    kinds = [
        find_kinds(edit(x, lambda p: ImageEnhance.Brightness(p).enhance(2.5))) for x in lesions
    ]

    assert sum(QualityKind.BRIGHT in found for found in kinds) >= 36


def test_a_thumbnail_of_a_real_lesion_is_too_small(lesions: list[Photograph]):
    small = edit(lesions[0], lambda image: image.resize((100, 75)))

    (finding,) = judge_quality(measure_quality(small))

    assert (finding.kind, finding.value, finding.limit) == (QualityKind.SMALL, 75, 150)
    assert not finding.refused
    assert "shorter side 75 pixels, typical: at least 150" in finding.text


@pytest.mark.parametrize(
    ("value", "kind"),
    [(0, QualityKind.DARK), (255, QualityKind.BRIGHT), (128, QualityKind.FLAT)],
)
def test_a_uniform_image_is_rejected_with_one_finding(value: int, kind: QualityKind):
    (finding,) = judge_quality(measure_quality(make_flat(value)))

    assert finding.refused
    assert finding.kind is kind
    assert finding.text.endswith("Photograph the lesion again, in even light, in focus.")


def test_a_photograph_of_typical_quality_has_no_finding():
    assert judge_quality(TYPICAL) == ()


def test_every_warning_has_the_measure_the_limit_and_advice():
    degraded = Quality(sharpness=5e-5, brightness=0.3, contrast=0.1, shorter_side=100)

    findings = judge_quality(degraded)

    assert [finding.kind for finding in findings] == ["blurred", "too dark", "too small"]
    assert "sharpness 0.50, typical: at least 1.3" in findings[0].text
    assert "mean brightness 30% of white, typical: at least 3" in findings[1].text
    assert findings[1].text.endswith("Photograph again in brighter light.")


def test_sharpness_hardly_depends_on_the_resolution(lesions: list[Photograph]):
    large = edit(lesions[0], lambda p: p.resize((4 * p.width, 4 * p.height)))

    found, expected = measure_quality(large), measure_quality(lesions[0])

    assert found.sharpness == pytest.approx(expected.sharpness, rel=0.25)
    assert found.brightness == pytest.approx(expected.brightness, abs=0.01)
