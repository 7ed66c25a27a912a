"""Read the manually drawn outlines of lesions that some collections contain.

HAM10000 has `masks/ISIC_0024306_segmentation.png` for `images/ISIC_0024306.jpg` (Tschandl et al.
2020, doi:10.1038/s41591-020-0942-0). The outline may lie in another copy of the collection than the
photograph, as the largest file of an image is used: an outline named by an id of the ISIC Archive
is found in every collection beside that of the photograph.
"""

import re
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from melanoma_core.data.fence import find_fence
from melanoma_core.data.images import read_image

_FOLDER, _ENDING = "masks", "_segmentation.png"
_INSIDE = 128  # of 255; the files are black and white
_ARCHIVE_ID = re.compile(r"ISIC_\d{7}")  # means one photograph, whatever the folder


def select_outlined(table: pd.DataFrame) -> pd.DataFrame:
    """Select the images that have an outline.

    Args:
        table: Any table with a column `path`.

    Returns:
        The rows of images with an outline, with its path in the column `outline`.
    """
    paths = [Path(path) for path in table["path"]]
    by_folder = {folder: _list_outlines(folder) for folder in {path.parent for path in paths}}
    outlines = pd.Series(
        [by_folder[path.parent].get(path.stem) for path in paths], table.index, dtype=object
    )
    return table.assign(outline=outlines)[outlines.notna()]


def _list_outlines(image_folder: Path) -> dict[str, Path]:
    """Return the outlines of a folder of images, by the name of their image; its own win."""
    others = sorted(image_folder.parent.parent.glob(f"*/{_FOLDER}"))
    own = (image_folder.parent / _FOLDER, image_folder / _FOLDER)
    fence = find_fence()
    found = {
        path.name.removesuffix(_ENDING): path
        for folder in (*others, *own)
        for path in sorted(folder.glob(f"*{_ENDING}"))
        if fence is None or fence.holds(path)
    }
    return {
        name: path
        for name, path in found.items()
        if path.parent in own or _ARCHIVE_ID.fullmatch(name)
    }


def read_mask(path: Path) -> NDArray[np.bool_]:
    """Read an outline at its own size.

    Returns:
        bool [height, width], true inside the lesion.

    Raises:
        ImageError: The file cannot be read.
    """
    return np.asarray(read_image(path).pixels[..., 0] >= _INSIDE)


def read_outline(path: Path, side: int) -> NDArray[np.bool_]:
    """Read an outline in the geometry of the network's input (`images.resize_to_square`).

    Args:
        path: A black and white image with the shape of the photograph, white inside the lesion.
        side: Side of the square in pixels.

    Returns:
        bool [side, side], true inside the lesion.

    Raises:
        ImageError: The file cannot be read.
    """
    mask = Image.fromarray(read_image(path).pixels[..., 0])
    return np.asarray(mask.resize((side, side), Image.Resampling.NEAREST)) >= _INSIDE


def read_coverage(path: Path, side: int) -> NDArray[np.uint8]:
    """Read how much of each cell of a square grid lies inside an outline.

    Args:
        path: As for `read_outline`.
        side: Side of the grid in cells.

    Returns:
        uint8 [side, side]: 0 outside the lesion, 255 inside, in proportion to the area between.

    Raises:
        ImageError: The file cannot be read.
    """
    mask = Image.fromarray(np.where(read_mask(path), np.uint8(255), np.uint8(0)))
    return np.asarray(mask.resize((side, side), Image.Resampling.BOX))
