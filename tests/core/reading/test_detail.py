"""The own pixels of a photograph: kept up to a limit, without metadata, and counted."""

import io

import numpy as np
import pytest
from PIL import Image

from melanoma_core.data.crop import Crop
from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.reading import queue
from melanoma_core.reading.entry import DETAIL_SIDE, Entry, RefusedFile, read_file
from melanoma_core.reading.worklist import Worklist


def encode(width: int, height: int, image_format: str = "JPEG") -> bytes:
    content = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    lesion = Image.open(DEMONSTRATION_LESIONS[0].path).resize((width, height))
    lesion.save(content, image_format, exif=exif)
    return content.getvalue()


def read(classifier, content: bytes, crop: Crop | None = None) -> Entry:
    entry = read_file(classifier, 0, "a.jpg", content, crop)
    assert isinstance(entry, Entry)
    return entry


@pytest.mark.parametrize(
    ("size", "kept", "is_extra"),
    [
        ((1280, 900), (1280, 900), False),
        ((1281, 900), (1281, 900), True),
        ((2048, 90), (2048, 90), True),
        ((3000, 2000), (3000, 2000), True),
        ((2000, DETAIL_SIDE), (2000, DETAIL_SIDE), True),
    ],
)
def test_a_photograph_is_kept_in_its_own_pixels(unguarded_classifier, size, kept, is_extra):
    entry = read(unguarded_classifier, encode(*size))
    assert (entry.size, entry.kept_size, bool(entry.detail)) == (size, kept, is_extra)
    assert entry.reduction == ""
    assert b"a camera" not in entry.detail


def test_a_larger_photograph_is_reduced_and_says_how_far(unguarded_classifier):
    entry = read(unguarded_classifier, encode(4400, 2200))
    assert entry.kept_size == (4096, 2048)
    assert entry.reduction == (
        "Shown at 4,096 × 2,048 of its 4,400 × 2,200 pixels: the server keeps at most 4,096 pixels "
        "on the longer side of a photograph."
    )


def test_the_reading_does_not_depend_on_what_is_kept(unguarded_classifier, monkeypatch):
    content = encode(3000, 2000)
    before = read(unguarded_classifier, content).reading
    monkeypatch.setattr("melanoma_core.reading.entry.DETAIL_SIDE", 100)
    after = read(unguarded_classifier, content).reading
    assert before.probabilities == after.probabilities
    assert (before.width, before.height) == (2048, 1365)


def test_a_crop_is_kept_in_its_own_pixels_too(unguarded_classifier):
    entry = read(unguarded_classifier, encode(3000, 2000), Crop(0.25, 0.25, 0.75, 0.75))
    assert entry.size == pytest.approx((1500, 1000), abs=2)
    assert entry.kept_size == pytest.approx((1500, 1000), abs=2)
    assert entry.reduction == ""


def test_beyond_the_memory_of_a_session_a_photograph_keeps_a_smaller_picture(
    unguarded_classifier, monkeypatch
):
    content = encode(1500, 1000)
    alone = len(read(unguarded_classifier, content).detail)
    monkeypatch.setattr(queue, "MAX_DETAIL_BYTES", 2 * alone)
    worklist = Worklist()
    worklist.add([(f"{number}.jpg", content) for number in range(3)])
    while worklist.pending_name:
        worklist.read_next(unguarded_classifier)
    entries = sorted(worklist.entries, key=lambda entry: entry.key)
    assert [entry.kept_size for entry in entries] == [(1500, 1000), (1500, 1000), (1280, 853)]
    assert "at most 256 MiB of full resolution for a session." in entries[2].reduction
    assert worklist.num_bytes >= 2 * alone


def test_a_refused_photograph_keeps_its_own_pixels_once(bundled_classifier):
    noise = np.random.default_rng(0).integers(0, 256, (900, 1600, 3), np.uint8)
    content = io.BytesIO()
    Image.fromarray(noise).save(content, "PNG")
    file = read_file(bundled_classifier, 0, "noise.png", content.getvalue())
    assert isinstance(file, RefusedFile)
    assert Image.open(io.BytesIO(file.detail)).size == (1600, 900)
    assert file.withheld is not None
    assert file.withheld.detail is file.detail
    without = len(file.photograph) + len(file.thumbnail) + file.withheld.num_bytes
    assert file.num_bytes == without
