"""The outlines that an outline head learns from and is compared with during training."""

import os
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from melanoma_core.data.decoding import map_in_threads
from melanoma_core.data.outlines import read_coverage, select_outlined
from melanoma_core.evaluation.overlap import measure_overlap
from melanoma_core.training.recipe import Recipe

# The outline is drawn on a grid of one cell per 4×4 pixels of the input.
_STRIDE = 4
# Masks are kept at twice its resolution, so that moving them does not blur their edge.
_FINER = 2
MISSING = -1.0  # the target of a photograph without an outline


def find_outline_side(recipe: Recipe) -> int:
    """Return the side of the grid on which a network draws the outline, in cells."""
    return recipe.image_size // _STRIDE


@dataclass(frozen=True, eq=False)
class Outlines:
    """The outlines of some of N images.

    Attributes:
        masks: uint8 [M, 2 s, 2 s], coverage from 0 to 255, where s is the side of the drawn grid.
        positions: int [N], position of each image's mask; -1 for an image without an outline.
    """

    masks: NDArray[np.uint8]
    positions: NDArray[np.int64]

    @property
    def is_known(self) -> NDArray[np.bool_]:
        """Whether each image has an outline, bool [N]."""
        return self.positions >= 0

    def select(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return the masks of some images, uint8 [B, 2 s, 2 s]; 0 without an outline."""
        positions = self.positions[rows]
        if not len(self.masks):
            return np.zeros((len(rows), *self.masks.shape[1:]), np.uint8)
        return np.where((positions >= 0)[:, None, None], self.masks[positions], np.uint8(0))

    def make_targets(
        self, rows: NDArray[np.int64], masks: NDArray[np.uint8]
    ) -> NDArray[np.float32]:
        """Return what the outline head should draw.

        Args:
            rows: int [B], positions of the images.
            masks: uint8 [B, 2 s, 2 s], as `select` returned them, or moved.

        Returns:
            float32 [B, s, s] in [0, 1], or `MISSING` where there is no outline.
        """
        side = masks.shape[1] // _FINER
        cells = masks.reshape(len(masks), side, _FINER, side, _FINER).astype(np.float32)
        targets: NDArray[np.float32] = cells.mean(axis=(2, 4)) / np.float32(255)
        targets[~self.is_known[rows]] = MISSING
        return targets

    def compare(self, drawn: NDArray[np.bool_]) -> float:
        """Return the mean Dice coefficient of drawn outlines, bool [N, s, s]; NaN without any."""
        rows = np.flatnonzero(self.is_known)
        targets = self.make_targets(rows, self.select(rows)) >= 0.5
        overlaps = measure_overlap(drawn[rows], targets)
        defined = overlaps[~np.isnan(overlaps)]
        return float(defined.mean()) if len(defined) else float("nan")


def load_outlines(table: pd.DataFrame, recipe: Recipe) -> Outlines:
    """Read the outlines of the photographs of a table, as far as they have one.

    Args:
        table: With `path`.
        recipe: Its image size is used.

    Raises:
        ImageError: A file cannot be read.
    """
    outlined = select_outlined(table.reset_index(drop=True))
    side = _FINER * find_outline_side(recipe)
    masks = np.empty((len(outlined), side, side), dtype=np.uint8)
    read = map_in_threads(
        lambda path: read_coverage(path, side), outlined["outline"], os.cpu_count() or 1
    )
    for number, mask in enumerate(read):
        masks[number] = mask
    positions = np.full(len(table), -1)
    positions[outlined.index] = np.arange(len(outlined))
    return Outlines(masks, positions)
