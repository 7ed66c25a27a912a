"""Manually drawn outlines of lesions."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from melanoma_core.data.images import read_image, resize_to_square
from melanoma_core.data.outlines import (
    read_coverage,
    read_mask,
    read_outline,
    select_outlined,
)


def write(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def test_images_with_an_outline_are_selected(tmp_path: Path):
    black = np.zeros((80, 80), dtype=np.uint8)
    outline = write(tmp_path / "masks" / "ISIC_0000001_segmentation.png", black)
    names = ["ISIC_0000001.jpg", "ISIC_0000002.jpg"]
    table = pd.DataFrame({"path": [str(tmp_path / "images" / name) for name in names]}, [7, 8])

    outlined = select_outlined(table)

    assert outlined.index.tolist() == [7]
    assert outlined["outline"].tolist() == [outline]
    assert select_outlined(table[1:]).empty
    assert select_outlined(table[:0]).empty


def test_a_collection_without_outlines_has_no_outlined_images(tmp_path: Path):
    assert select_outlined(pd.DataFrame({"path": [str(tmp_path / "a" / "b.jpg")]})).empty


def test_an_outline_is_squashed_like_its_photograph(tmp_path: Path):
    inside = np.zeros((90, 160), dtype=bool)
    inside[20:60, 40:120] = True
    path = write(tmp_path / "outline.png", (255 * inside).astype(np.uint8))
    photograph = np.repeat((255 * inside).astype(np.uint8)[..., None], 3, axis=2)

    outline = read_outline(path, 96)

    assert outline.shape == (96, 96)
    assert outline.dtype == bool
    # The outline has no antialiasing, so only its border can differ.
    seen = resize_to_square(photograph, 96)[..., 0] >= 128
    assert (outline != seen).mean() < 0.02
    assert abs(outline.mean() - inside.mean()) < 0.01


def test_real_outlines_lie_on_the_lesions(shared_data: Path):
    paths = sorted((shared_data / "ham10000" / "images").glob("ISIC_00243[0-2]*.jpg"))
    outlined = select_outlined(pd.DataFrame({"path": list(map(str, paths))}))
    assert len(outlined) == len(paths) == 24

    darker = 0
    for photograph, outline in zip(outlined["path"], outlined["outline"], strict=True):
        inside = read_outline(outline, 96)
        grey = resize_to_square(read_image(Path(photograph)).pixels, 96).mean(axis=2)
        darker += grey[inside].mean() < grey[~inside].mean()
    assert darker >= 22  # lesions are darker than the surrounding skin


def test_an_outline_is_found_in_another_collection_by_its_archive_id(tmp_path: Path):
    black = np.zeros((8, 8), dtype=np.uint8)
    outline = write(tmp_path / "small" / "masks" / "ISIC_0000001_segmentation.png", black)
    write(tmp_path / "small" / "masks" / "7_segmentation.png", black)
    names = ["ISIC_0000001.webp", "7.webp"]  # "7" can be another lesion in each collection
    paths = [str(tmp_path / "large" / "images" / name) for name in names]

    assert select_outlined(pd.DataFrame({"path": paths}))["outline"].tolist() == [outline]

    own = write(tmp_path / "large" / "masks" / "ISIC_0000001_segmentation.png", black)
    assert select_outlined(pd.DataFrame({"path": paths}))["outline"].tolist() == [own]


def test_the_coverage_is_the_share_of_a_cell_inside(tmp_path: Path):
    inside = np.zeros((80, 160), dtype=np.uint8)
    inside[:40, :120] = 255
    path = write(tmp_path / "outline.png", inside)

    assert read_coverage(path, 2).tolist() == [[255, 128], [0, 0]]
    assert read_mask(path).sum() == 40 * 120
