"""Copies of one picture: the same bytes, the same pixels, or the same picture saved again.

Hashes that are nearly equal only propose a pair, and the pixels decide. What is compared is
detail: luma less its local mean, so that two dark spots in the middle of bright skin are not alike
just for that, and a photograph that was lightened or coloured anew is still the same picture.

Measured on the 14,524 files of HAM10000, ISIC 2017 and the nine-class set, where 2,135 pairs of
files have one ISIC id (180×180 squashed, 200×150, 256×256):

* proposed by hashes of 64 bits, of which 3 may differ: 2,114 of these pairs, beside 10,014 others;
  by hashes of 256 bits, of which 16 may: 2,113, beside 83 others;
* confirmed, of the 8,600 pairs of files that differ in at most 30 of 256 bits: all of the 2,135
  (the least alike correlate 0.881), and of pairs with other ids and no lesion in common 18, all of
  them one photograph to the eye (0.864 and more), in other colours or not. The most alike of other
  lesions correlate 0.813. Missed are four pairs of one photograph in very different colours.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import uniform_filter
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from melanoma_core.data.images import read_image
from melanoma_core.data.neighbours import find_near_pairs, parse_hashes
from melanoma_core.errors import ImageError

# Bits that may differ in a hash of so many bits, for the pixels to be compared.
NEAR_BITS = {64: 3, 256: 16}
SAME_PICTURE = 0.85  # correlation of detail; see above
_SIDE = 64  # px, aspect squashed; the smallest photograph that is read has as many
_WINDOW = 7  # px of the local mean
_PAIRS_AT_ONCE = 2048  # 70 MB of details

Pairs = NDArray[np.int64]


def find_clusters(records: pd.DataFrame) -> pd.Series:
    """Number the pictures: files that are copies or confirmed near copies share a number.

    Args:
        records: `path, sha256, pixel_sha256, dhash` of the file table, index 0…N-1.

    Returns:
        Int64 [N], missing for a file that cannot be read. Likeness carries over: if A is like B
        and B like C, all three share a number.
    """
    readable = records["sha256"].notna()
    first_of_picture = records[readable].drop_duplicates("pixel_sha256").index.to_numpy()
    hashes = parse_hashes(records.loc[first_of_picture, "dhash"])
    pairs, _ = find_near_pairs(hashes, NEAR_BITS[64 * hashes.shape[1]])
    pairs = first_of_picture[pairs]
    near = pairs[confirm_pairs([Path(path) for path in records["path"]], pairs)]
    clusters = connect_rows(records, ("sha256", "pixel_sha256"), near)
    return pd.Series(clusters, records.index, dtype="Int64").where(readable)


def confirm_pairs(paths: Sequence[Path], pairs: Pairs) -> NDArray[np.bool_]:
    """Compare pictures by their pixels.

    Args:
        paths: The files.
        pairs: int64 [M, 2], positions in `paths`.

    Returns:
        bool [M], true where both files show one picture; false where one cannot be read.
    """
    confirmed = [np.empty(0, dtype=bool)]
    with ThreadPoolExecutor() as pool:  # Pillow lets go of the interpreter while it decodes
        for start in range(0, len(pairs), _PAIRS_AT_ONCE):
            some = pairs[start : start + _PAIRS_AT_ONCE]
            needed, position = np.unique(some, return_inverse=True)
            details = np.stack(list(pool.map(read_detail, [paths[row] for row in needed])))
            one, other = position.reshape(some.shape).T
            correlation = np.einsum("nd,nd->n", details[one], details[other])
            confirmed.append(correlation >= SAME_PICTURE)
    return np.concatenate(confirmed)


def read_detail(path: Path) -> NDArray[np.float32]:
    """Read what is compared of a picture, such that a dot product is a correlation.

    Returns:
        float32 [4096] of length 1: luma at 64×64 less its mean over 7×7. NaN, which correlates
        with nothing, where the file cannot be read or has no detail at all.
    """
    try:
        pixels = read_image(path, max_side=4 * _SIDE).pixels
    except ImageError:
        return np.full(_SIDE * _SIDE, np.nan, np.float32)
    small = Image.fromarray(pixels).convert("L").resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
    luma = np.asarray(small, np.float32)
    detail = (luma - uniform_filter(luma, _WINDOW, mode="nearest")).ravel()
    length = float(np.linalg.norm(detail))
    # A plain picture leaves nothing but rounding errors.
    scaled: NDArray[np.float32] = detail / np.float32(length if length > 1e-2 else np.nan)
    return scaled


def connect_rows(
    table: pd.DataFrame, keys: Sequence[str], pairs: Pairs | None = None
) -> NDArray[np.int32]:
    """Group rows that share a known value of any key, or are a pair; both carry over.

    Args:
        table: Any table that has the keys as columns.
        keys: Columns; a missing value ties to nothing.
        pairs: int64 [M, 2], positions in the table.

    Returns:
        int32 [N], equal for the rows of a group.
    """
    num_rows = len(table)
    ties = [np.empty((0, 2), np.int64) if pairs is None else pairs]
    for key in keys:
        codes = pd.factorize(table[key])[0]
        known = np.flatnonzero(codes >= 0)
        representative = np.full(codes.max(initial=-1) + 1, -1)
        representative[codes[known]] = known
        ties.append(np.stack([known, representative[codes[known]]], axis=1))
    one, other = np.concatenate(ties).T
    graph = coo_array((np.ones(len(one), dtype=bool), (one, other)), shape=(num_rows, num_rows))
    groups: NDArray[np.int32] = connected_components(graph, directed=False)[1]
    return groups
