import csv
import io

import numpy as np
import pytest
from PIL import Image

from melanoma_core.data.crop import Crop
from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.data.images import decode_image
from melanoma_core.models.classifier import Classifier
from melanoma_core.reading.crop_text import describe_crops
from melanoma_core.reading.worklist import Worklist
from melanoma_core.reading.worklist_table import export_csv


def draw_ring() -> bytes:
    """Return a drawn melanoma as a dermoscope with a black ring shows it."""
    pixels = np.array(Image.open(DEMONSTRATION_LESIONS[0].path).convert("RGB").rotate(40))
    height, width = pixels.shape[:2]
    rows, columns = np.mgrid[:height, :width]
    outside = (rows - height / 2) ** 2 + (columns - width / 2) ** 2 > (0.46 * height) ** 2
    pixels[outside] = 4
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return content.getvalue()


def read_all(worklist: Worklist, classifier: Classifier) -> Worklist:
    while worklist.read_next(classifier):
        pass
    return worklist


@pytest.fixture
def refused(bundled_classifier: Classifier) -> Worklist:
    worklist = Worklist()
    worklist.add([("ring.png", draw_ring()), ("notes.jpg", b"not a photograph")])
    return read_all(worklist, bundled_classifier)


def test_a_file_that_is_no_image_cannot_be_cropped(refused):
    file = next(file for file in refused.refused if file.name == "notes.jpg")
    assert not file.can_be_cropped
    assert refused.read_crop(file.key, Crop.whole()) is None
    assert file in refused.refused


def test_a_photograph_refused_for_its_ring_is_read_without_it(refused, bundled_classifier):
    file = next(file for file in refused.refused if file.name == "ring.png")
    assert decode_image(file.thumbnail).pixels.shape[1] == 160
    assert file.field_of_view is not None
    assert 0.3 < file.field_of_view.share < 0.4

    refused.read_crop(file.key, file.field_of_view)
    (entry,) = read_all(refused, bundled_classifier).entries

    assert entry.reading.crop == file.field_of_view
    assert not entry.reading.read_anyway
    assert refused.opened is entry
    assert [file.name for file in refused.refused] == ["notes.jpg"]
    assert describe_crops(refused.lesions[0].reading) == (
        f"Read from a crop, {file.field_of_view.share:.0%} of the photograph. The network was "
        "tested on whole photographs."
    )
    rows = list(csv.DictReader(io.StringIO(export_csv(refused).decode("utf-8-sig"))))
    assert [row["crop"] for row in rows] == ["25.4%-75.0% × 17.2%-82.8%", ""]


def test_a_textbook_melanoma_with_black_corners_is_refused_whole_and_read_cropped(
    bundled_classifier, shared_data
):
    worklist = Worklist()
    path = shared_data / "full_resolution" / "ISIC_0000283.jpg"
    worklist.add([(path.name, path.read_bytes())])
    (file,) = read_all(worklist, bundled_classifier).refused
    assert file.refusal.novelty == pytest.approx(1.002 * file.refusal.novelty_limit, rel=0.001)
    worklist.read_crop(file.key, file.field_of_view)
    (entry,) = read_all(worklist, bundled_classifier).entries
    assert entry.reading.alert
    assert entry.reading.melanoma_probability > 0.8


def test_a_crop_that_is_refused_too_can_be_chosen_again_or_read_anyway(refused, bundled_classifier):
    file = next(file for file in refused.refused if file.name == "ring.png")
    corner = Crop(0.0, 0.0, 0.5, 0.5)
    refused.read_crop(file.key, corner)
    again = next(f for f in read_all(refused, bundled_classifier).refused if f.crop == corner)
    assert again.photograph == refused.refused[-1].photograph
    assert again.can_be_read
    refused.read_anyway(again.key)
    (entry,) = refused.entries
    assert entry.reading.read_anyway
    assert entry.reading.crop == corner


def test_a_cancelled_crop_leaves_the_photograph_refused(refused):
    file = next(file for file in refused.refused if file.name == "ring.png")
    refused.read_crop(file.key, Crop.whole())
    assert file not in refused.refused
    refused.drop_pending()
    assert file in refused.refused


def test_a_crop_that_is_too_small_is_refused_with_what_is_needed(refused, bundled_classifier):
    file = next(file for file in refused.refused if file.name == "ring.png")
    refused.read_crop(file.key, Crop(0.0, 0.0, 0.05, 0.05))
    read_all(refused, bundled_classifier)
    assert "At least 64 × 64 are needed" in refused.refused[-1].reason
    assert refused.refused[-1].can_be_cropped


def test_a_whole_photograph_has_no_mark(unguarded_classifier):
    worklist = Worklist()
    worklist.add([("a.jpg", DEMONSTRATION_LESIONS[0].path.read_bytes())])
    (lesion,) = read_all(worklist, unguarded_classifier).lesions
    assert describe_crops(lesion.reading) == ""
    assert b"crop" not in export_csv(worklist)
