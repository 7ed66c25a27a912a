import hashlib
from pathlib import Path

import numpy as np
from PIL import Image

from melanoma_core.data.scanning import difference_hash, scan_files


def differing_bits(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


def test_no_files_give_no_facts():
    assert scan_files([]) == []


def test_a_file_that_cannot_be_read_is_none_and_the_others_keep_their_place(tmp_path: Path, draw):
    text = tmp_path / "text.jpg"
    text.write_text("no picture")
    files = [draw(tmp_path / "a.jpg", 1), text, tmp_path / "gone.jpg", draw(tmp_path / "b.png", 2)]

    facts = scan_files(files)

    assert [fact is None for fact in facts] == [False, True, True, False]
    for fact, path in zip(facts, files, strict=True):
        if fact:
            assert fact.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
            assert (fact.width, fact.height) == (120, 90)


def test_the_size_is_that_of_the_upright_photograph_before_any_shrinking(tmp_path: Path):
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    path = tmp_path / "turned.jpg"
    Image.new("RGB", (1000, 600), "brown").save(path, exif=exif)

    (facts,) = scan_files([path])

    assert facts is not None
    assert (facts.width, facts.height) == (600, 1000)


def test_progress_counts_every_file(tmp_path: Path, draw):
    files = [draw(tmp_path / f"{seed}.jpg", seed) for seed in range(3)]
    seen: list[tuple[int, int]] = []

    scan_files(files, lambda done, total: seen.append((done, total)))

    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_a_flat_picture_has_no_difference():
    assert difference_hash(np.full((90, 120, 3), 200, dtype=np.uint8)) == "0" * 64


def test_a_picture_that_brightens_to_the_right_has_every_difference():
    ramp = np.broadcast_to(np.arange(0, 255, dtype=np.uint8)[None, :, None], (90, 255, 3))

    assert difference_hash(np.ascontiguousarray(ramp)) == "f" * 64


def test_the_same_picture_smaller_and_squashed_differs_in_few_bits(tmp_path: Path, draw):
    original = np.asarray(Image.open(draw(tmp_path / "a.png", 1, size=(600, 450))))
    smaller = np.asarray(Image.fromarray(original).resize((180, 180)))
    other = np.asarray(Image.open(draw(tmp_path / "b.png", 2, size=(600, 450))))

    assert differing_bits(difference_hash(original), difference_hash(smaller)) <= 4
    assert differing_bits(difference_hash(original), difference_hash(other)) > 64
