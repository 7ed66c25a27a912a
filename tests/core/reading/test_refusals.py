"""The share of refused photographs, with the bundled model."""

from pathlib import Path

import pytest

from melanoma_core.data.drawn.lesions import DEMONSTRATION_LESIONS
from melanoma_core.data.drawn.non_lesions import NonLesionKind
from melanoma_core.models.classifier import Classifier
from melanoma_core.reading.reading import RefusalKind
from melanoma_core.reading.refusals import measure_folder, measure_non_lesions


def test_photographs_of_bees_and_ants_are_refused(
    bundled_classifier: Classifier, shared_data: Path
):
    paths = sorted((shared_data / "ordinary_photos").glob("*.jpg"))

    share = measure_folder(bundled_classifier, "ordinary_photos", paths, num_workers=2)

    assert share.refused.total == 243
    assert share.refused.value >= 0.99


@pytest.mark.parametrize("kind", NonLesionKind)
def test_non_lesion_images_are_refused(bundled_classifier: Classifier, kind: NonLesionKind):
    assert measure_non_lesions(bundled_classifier, kind, 10).refused.count == 10


@pytest.mark.parametrize(
    "folder", ["ham10000/images", "isic2017/images", "isic9/Test", "full_resolution"]
)
def test_hardly_a_real_lesion_is_refused(
    bundled_classifier: Classifier, shared_data: Path, folder: str
):
    paths = sorted((shared_data / folder).rglob("*.jpg"))
    some = paths[:: max(len(paths) // 40, 1)]

    assert measure_folder(bundled_classifier, folder, some, num_workers=2).refused.value <= 0.05


def test_refusals_are_counted_by_their_reason(bundled_classifier: Classifier, draw, tmp_path: Path):
    broken = tmp_path / "broken.jpg"
    broken.write_text("no image")
    unfamiliar = [draw(tmp_path / f"{seed}.jpg", seed, (640, 480)) for seed in range(2)]
    paths = [broken, *unfamiliar, DEMONSTRATION_LESIONS[0].path]

    share = measure_folder(bundled_classifier, "mixed", paths)

    assert (share.refused.count, share.refused.total, share.warned.count) == (3, 4, 0)
    assert share.by_kind == {RefusalKind.UNREADABLE: 1, RefusalKind.UNFAMILIAR: 2}
