"""What becomes of a heap of photographs, with the model that comes with the project."""

from pathlib import Path

import pytest

from melanoma_core.data.drawn.non_lesions import NonLesionKind
from melanoma_core.models.classifier import Classifier, load_classifier
from melanoma_core.reading.reading import Reading, Refusal, RefusalKind
from melanoma_core.reading.refusals import measure_folder, measure_impostors, summarise


@pytest.fixture(scope="module")
def guarded(bundled: Path) -> Classifier:
    return load_classifier(bundled, num_threads=1)


def test_photographs_of_bees_and_ants_are_refused(guarded: Classifier, shared_data: Path):
    paths = sorted((shared_data / "ordinary_photos").glob("*.jpg"))

    share = measure_folder(guarded, "ordinary_photos", paths, num_workers=2)

    assert share.refused.total == 243
    assert share.refused.value >= 0.99


@pytest.mark.parametrize("kind", NonLesionKind)
def test_pictures_that_are_no_photographs_are_refused(guarded: Classifier, kind: NonLesionKind):
    assert measure_impostors(guarded, kind, 10).refused.count == 10


@pytest.mark.parametrize(
    "folder", ["ham10000/images", "isic2017/images", "isic9/Test", "full_resolution"]
)
def test_hardly_a_real_lesion_is_refused(guarded: Classifier, shared_data: Path, folder: str):
    paths = sorted((shared_data / folder).rglob("*.jpg"))
    some = paths[:: max(len(paths) // 60, 1)]

    assert measure_folder(guarded, folder, some, num_workers=2).refused.value <= 0.05


def test_refusals_are_counted_by_their_reason():
    results: list[Reading | Refusal] = [
        Refusal("broken"),
        Refusal("a bee", RefusalKind.UNFAMILIAR, novelty=31, novelty_limit=24),
        Refusal("another", RefusalKind.UNFAMILIAR, novelty=30, novelty_limit=24),
    ]

    share = summarise("mixed", results)

    assert (share.refused.count, share.refused.total, share.warned.count) == (3, 3, 0)
    assert share.by_kind == {RefusalKind.UNREADABLE: 1, RefusalKind.UNFAMILIAR: 2}
