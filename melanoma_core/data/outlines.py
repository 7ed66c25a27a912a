"""Outlines of lesions, drawn by people, that lie beside the photographs of some collections.

HAM10000 keeps `masks/ISIC_0024306_segmentation.png` beside `images/ISIC_0024306.jpg` (Tschandl et
al. 2020, doi:10.1038/s41591-020-0942-0).
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
    """Return the rows whose photograph has an outline, with its file as `outline`.

    Args:
        table: With `path`.
    """
    listed = {
        parent: _list_outlines(Path(parent))
        for parent in {str(Path(path).parent) for path in table["path"]}
    }
    found = [listed[str(Path(path).parent)].get(Path(path).stem) for path in table["path"]]
    outlines = pd.Series(found, index=table.index, dtype=object)
    return table.assign(outline=outlines)[outlines.notna()]


def _list_outlines(photographs: Path) -> dict[str, Path]:
    """Return the outlines beside or in a folder of photographs, by their photograph's name."""
    return {
        path.name.removesuffix(_ENDING): path
        for folder in (photographs.parent / _FOLDER, photographs / _FOLDER)
        for path in sorted(folder.glob(f"*{_ENDING}"))
    }


def read_outline(path: Path, side: int) -> NDArray[np.bool_]:
    """Read an outline as the network sees its photograph: squashed to a square, not cropped.

    Without smoothing, since a place is inside or is not; the geometry is that of
    `images.resize_to_square`.

    Args:
        path: A black and white picture of the photograph's shape, white inside.
        side: In pixels.

    Returns:
        bool [side, side], true inside the lesion.

    Raises:
        ImageError: It cannot be read.
    """
    drawn = Image.fromarray(read_image(path).pixels[..., 0])
    return np.asarray(drawn.resize((side, side), Image.Resampling.NEAREST)) >= _INSIDE
