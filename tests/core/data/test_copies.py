from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from melanoma_core.data.copies import connect_rows, find_clusters
from melanoma_core.data.scanning import scan_files


def draw_lesion(seed: int) -> NDArray[np.uint8]:
    """Draw a dark blob in the middle of bright skin. The seed changes its texture only."""
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


def test_resized_and_squashed_copies_share_a_cluster(tmp_path: Path) -> None:
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


def test_images_are_compared_if_at_most_16_of_256_bits_of_their_hashes_differ(
    tmp_path: Path,
) -> None:
    lesion = draw_lesion(1)
    files = [save(lesion, tmp_path / f"{side}.png", (side, side)) for side in (180, 200, 220)]
    # The last two differ from the first in 16 and 17 bits, and from each other in 33.
    hashes = [f"{bits:064x}" for bits in (0, (1 << 16) - 1, ((1 << 17) - 1) << 200)]
    clusters = find_clusters(scan(*files).assign(dhash=hashes, canonical_dhash=hashes))
    assert clusters[0] == clusters[1] != clusters[2]


def test_16_of_16_mirrored_and_turned_copies_are_found(tmp_path: Path) -> None:
    files = []
    for seed in range(16):
        lesion = Image.fromarray(draw_lesion(seed))
        files.append(save(np.asarray(lesion), tmp_path / f"{seed}.png"))
        for change in Image.Transpose:
            turned = np.asarray(lesion.transpose(change))
            files.append(save(turned, tmp_path / f"{seed} {change.name}.jpg", (180, 180)))
    records = scan(*files)
    clusters = find_clusters(records).to_numpy().reshape(16, 8)
    assert (clusters == clusters[:, :1]).all()
    assert len(set(clusters[:, 0])) == 16
    assert records["pixel_sha256"].nunique() == 16 * 8  # not found as exact copies


def test_mirrored_halves_of_equal_brightness_are_found(tmp_path: Path) -> None:
    lesion = draw_lesion(1).astype(np.int16)
    # Made nearly symmetric, so that noise decides which half is brighter.
    even = ((lesion + lesion[::-1] + lesion[:, ::-1] + lesion[::-1, ::-1]) // 4).astype(np.uint8)
    texture = np.asarray(Image.fromarray(draw_lesion(2)).convert("L")).astype(np.int16)
    texture -= ((texture + texture[::-1]) // 2 + (texture[:, ::-1] + texture[::-1, ::-1]) // 2) // 2
    pixels = np.clip(even + 2 * texture[..., None], 0, 255).astype(np.uint8)
    files = [
        save(pixels, tmp_path / "a.png"),
        save(pixels[:, ::-1], tmp_path / "b.jpg", (200, 150)),
        save(pixels[::-1], tmp_path / "c.jpg", (150, 150)),
        save(pixels.swapaxes(0, 1), tmp_path / "d.jpg", (180, 180)),
    ]
    records = scan(*files)
    assert records["canonical_dhash"].str.len().min() > 64  # several orientations are canonical
    assert find_clusters(records).nunique() == 1


def find_clusters_of_equal_hashes(*files: Path) -> pd.Series:
    """Find clusters by the pixels alone: equal hashes propose every pair."""
    equal = "f0f0f0c8c8f0f0f0" * 4
    return find_clusters(scan(*files).assign(dhash=equal, canonical_dhash=equal))


def test_different_lesions_with_equal_hashes_are_no_copies(tmp_path: Path) -> None:
    files = [save(draw_lesion(seed), tmp_path / f"{seed}.png") for seed in (1, 2, 3)]
    assert find_clusters_of_equal_hashes(*files).nunique() == 3


def look_through_tube(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Show the picture in a round view with a soft edge and black surroundings."""
    rows, columns = np.mgrid[-1:1:240j, -4 / 3 : 4 / 3 : 320j]
    light = np.clip((0.8 - np.hypot(rows, columns)) / 0.05, 0, 1)
    return (pixels * light[..., None]).astype(np.uint8)


def test_different_lesions_in_the_same_black_surroundings_are_no_copies(tmp_path: Path) -> None:
    files = []
    for seed in (1, 2, 3):
        view = look_through_tube(draw_lesion(seed))
        files.append(save(view, tmp_path / f"{seed}.png", (84, 84)))
        Image.fromarray(view).resize((180, 135)).save(tmp_path / f"{seed}.jpg", quality=40)
        files.append(tmp_path / f"{seed}.jpg")
    clusters = find_clusters_of_equal_hashes(*files)
    assert clusters[0] == clusters[1]
    assert clusters[2] == clusters[3]
    assert clusters[4] == clusters[5]
    assert clusters.nunique() == 3


def test_a_dark_photograph_is_compared_as_a_whole(tmp_path: Path) -> None:
    dark = [(draw_lesion(seed) * 0.15).astype(np.uint8) for seed in (1, 2)]
    files = [
        save(dark[0], tmp_path / "a.png"),
        save(dark[0], tmp_path / "b.png", (180, 180)),
        save(dark[1], tmp_path / "c.png"),
    ]
    clusters = find_clusters_of_equal_hashes(*files)
    assert clusters[0] == clusters[1] != clusters[2]


def test_an_image_with_changed_colours_is_a_copy(tmp_path: Path) -> None:
    lesion = draw_lesion(1)
    lighter = (lesion * [0.9, 1.1, 1.2]).clip(0, 255).astype(np.uint8)
    files = [save(lesion, tmp_path / "a.png"), save(lighter, tmp_path / "b.png")]
    assert find_clusters_of_equal_hashes(*files).nunique() == 1


def test_different_uniform_images_are_no_copies(tmp_path: Path) -> None:
    files = [
        save(np.full((80, 80, 3), value, np.uint8), tmp_path / f"{value}.png")
        for value in (90, 200)
    ]
    assert find_clusters(scan(*files)).nunique() == 2


def test_a_deleted_file_is_no_copy(tmp_path: Path) -> None:
    lesion = draw_lesion(1)
    files = [save(lesion, tmp_path / "a.png"), save(lesion, tmp_path / "b.jpg")]
    records = scan(*files)
    files[1].unlink()
    assert find_clusters(records).nunique() == 2


def test_one_image_has_one_cluster(tmp_path: Path) -> None:
    assert find_clusters(scan(save(draw_lesion(1), tmp_path / "a.png"))).nunique() == 1


def test_an_unreadable_file_has_no_cluster(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    clusters = find_clusters(
        scan(tmp_path / "broken.jpg", save(draw_lesion(1), tmp_path / "a.png"))
    )
    assert clusters.isna().tolist() == [True, False]


def test_without_readable_files_there_are_no_clusters(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"")
    assert find_clusters(scan(tmp_path / "broken.jpg")).isna().all()


def test_groups_are_transitive_and_missing_values_connect_no_rows() -> None:
    table = pd.DataFrame(
        {"lesion": ["a", "a", None, None, "b"], "patient": [None, 1, 1, None, None]}
    )
    groups = connect_rows(table, ("lesion", "patient"), np.array([[3, 4]]))
    assert pd.Series(groups).groupby(groups).apply(list).map(len).tolist() == [3, 2]
    assert groups[0] == groups[1] == groups[2]
    assert groups[3] == groups[4]


@pytest.mark.parametrize("num_rows", [0, 1])
def test_a_table_with_no_or_one_row_can_be_grouped(num_rows: int) -> None:
    table = pd.DataFrame({"lesion": ["a"] * num_rows})
    assert len(connect_rows(table, ("lesion",))) == num_rows


def test_files_of_one_image_id_are_compared_although_compression_changed_their_hashes(
    tmp_path: Path,
) -> None:
    lesion = draw_lesion(1)
    files = [save(lesion, tmp_path / "a.png"), save(lesion, tmp_path / "b.jpg")]
    records = scan(*files)
    other = "".join("0" if digit == "f" else "f" for digit in records["dhash"][1])
    records.loc[1, ["dhash", "canonical_dhash"]] = [other, other]

    assert find_clusters(records).nunique() == 2
    assert find_clusters(records.assign(image_id=["A", "A"])).nunique() == 1
    assert find_clusters(records.assign(image_id=["A", "B"])).nunique() == 2
