"""Read the manually drawn outlines of lesions that some collections contain.

HAM10000 has `masks/ISIC_0024306_segmentation.png` for `images/ISIC_0024306.jpg` (Tschandl et al.
2020, doi:10.1038/s41591-020-0942-0).
"""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from melanoma_core.data.images import read_image

_FOLDER, _ENDING = "masks", "_segmentation.png"
_INSIDE = 128  # of 255; the files are black and white


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
    """Return the outlines beside or in a folder of images, by the name of their image."""
    return {
        path.name.removesuffix(_ENDING): path
        for folder in (image_folder.parent / _FOLDER, image_folder / _FOLDER)
        for path in sorted(folder.glob(f"*{_ENDING}"))
    }


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
