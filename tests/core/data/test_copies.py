from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from melanoma_core.data.copies import confirm_pairs, connect_rows, find_clusters, read_detail
from melanoma_core.data.scanning import scan_files


def draw_lesion(seed: int) -> NDArray[np.uint8]:
    """A dark blob in the middle of bright skin; the seed is its texture, not its outline."""
    rows, columns = np.mgrid[-1:1:240j, -1:1:320j]
    blob = np.exp(-3 * (rows**2 + columns**2))
    texture = gaussian_filter(np.random.default_rng(seed).normal(size=blob.shape), 4)
    luma = 0.8 - 0.5 * blob + 1.2 * texture * (0.2 + blob)
    return (np.clip(luma[..., None] * [1, 0.8, 0.7], 0, 1) * 255).astype(np.uint8)


def save(pixels: NDArray[np.uint8], path: Path, size: tuple[int, int] | None = None) -> Path:
    image = Image.fromarray(pixels)
    (image.resize(size) if size else image).save(path)
    return path


def scan(*paths: Path) -> pd.DataFrame:
    return pd.DataFrame([{"path": str(path)} for path in paths]).join(
        pd.DataFrame(scan_files(paths))
    )


def test_a_picture_saved_again_at_another_size_and_aspect_is_one_cluster(tmp_path: Path) -> None:
    lesion = draw_lesion(1)
    files = [
        save(lesion, tmp_path / "a.png"),
        save(lesion, tmp_path / "b.jpg", (180, 180)),
        save(lesion, tmp_path / "c.jpg", (200, 150)),
        save(draw_lesion(2), tmp_path / "d.jpg"),
    ]
    clusters = find_clusters(scan(*files))
    assert clusters[0] == clusters[1] == clusters[2]
    assert clusters[3] != clusters[0]


def test_pictures_whose_hashes_differ_in_16_bits_of_256_are_compared_and_in_17_are_not(
    tmp_path: Path,
) -> None:
    lesion = draw_lesion(1)
    files = [save(lesion, tmp_path / f"{side}.png", (side, side)) for side in (180, 200, 220)]
    # The last two differ from the first in 16 and 17 bits, and from each other in 33.
    hashes = [f"{bits:064x}" for bits in (0, (1 << 16) - 1, ((1 << 17) - 1) << 200)]
    clusters = find_clusters(scan(*files).assign(dhash=hashes))
    assert clusters[0] == clusters[1] != clusters[2]


def test_different_lesions_whose_hashes_collide_are_told_apart(tmp_path: Path) -> None:
    files = [save(draw_lesion(seed), tmp_path / f"{seed}.png") for seed in (1, 2, 3)]
    records = scan(*files).assign(dhash="f0f0f0c8c8f0f0f0" * 4)
    assert find_clusters(records).nunique() == 3


def test_a_picture_with_other_colours_is_the_same_picture(tmp_path: Path) -> None:
    lesion = draw_lesion(1)
    lighter = (lesion * [0.9, 1.1, 1.2]).clip(0, 255).astype(np.uint8)
    paths = [save(lesion, tmp_path / "a.png"), save(lighter, tmp_path / "b.png")]
    assert confirm_pairs(paths, np.array([[0, 1]])).tolist() == [True]


def test_plain_pictures_are_no_copies_of_each_other(tmp_path: Path) -> None:
    paths = [
        save(np.full((80, 80, 3), value, np.uint8), tmp_path / f"{value}.png") for value in (0, 200)
    ]
    assert confirm_pairs(paths, np.array([[0, 1]])).tolist() == [False]
    assert np.isnan(read_detail(paths[0])).all()


def test_a_file_that_has_vanished_is_no_copy(tmp_path: Path) -> None:
    paths = [save(draw_lesion(1), tmp_path / "a.png"), tmp_path / "gone.png"]
    assert confirm_pairs(paths, np.array([[0, 1]])).tolist() == [False]


def test_no_pair_needs_no_picture() -> None:
    assert confirm_pairs([], np.empty((0, 2), np.int64)).tolist() == []


def test_an_unreadable_file_has_no_cluster(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    clusters = find_clusters(
        scan(tmp_path / "broken.jpg", save(draw_lesion(1), tmp_path / "a.png"))
    )
    assert clusters.isna().tolist() == [True, False]


def test_no_readable_file_at_all_has_no_cluster(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"")
    assert find_clusters(scan(tmp_path / "broken.jpg")).isna().all()


def test_groups_carry_over_and_missing_values_tie_nothing() -> None:
    table = pd.DataFrame(
        {"lesion": ["a", "a", None, None, "b"], "patient": [None, 1, 1, None, None]}
    )
    groups = connect_rows(table, ("lesion", "patient"), np.array([[3, 4]]))
    assert pd.Series(groups).groupby(groups).apply(list).map(len).tolist() == [3, 2]
    assert groups[0] == groups[1] == groups[2]
    assert groups[3] == groups[4]


@pytest.mark.parametrize("num_rows", [0, 1])
def test_a_table_of_no_or_one_row_can_be_grouped(num_rows: int) -> None:
    table = pd.DataFrame({"lesion": ["a"] * num_rows})
    assert len(connect_rows(table, ("lesion",))) == num_rows
