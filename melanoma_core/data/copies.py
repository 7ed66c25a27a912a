"""Find copies of one photograph: the same bytes, the same pixels, or saved again with changes.

A copy may be mirrored, or turned by a multiple of 90°: its hash in canonical orientation is the
same (`orientations.list_canonical`). Turning by other angles and cutting are not found.

Similar difference hashes only propose a pair of files. The pixels confirm it, by their detail: luma
minus its local mean. Two dark spots in the middle of bright skin therefore do not match, and a
photograph with changed brightness or colours does. Only pixels outside the dark frame of both
count: the black surroundings of a round view are alike in all photographs of one dermatoscope.

Measured on the 14,524 files of HAM10000, ISIC 2017 and the nine-class set, of which 2,135 pairs
share an ISIC id (180×180 squashed, 200×150, 256×256):

* Proposed: hashes of 64 bits with at most 3 different bits give 2,114 of these pairs and 10,014
  others. Hashes of 256 bits with at most 16 different bits give 2,113 and 83 others. Files of one
  image id are always proposed: of HAM10000 at 200×150 and 300×225, 392 pairs more are confirmed.
* Confirmed: of the 8,600 pairs with at most 30 of 256 different bits, all 2,135 are confirmed (the
  lowest correlation is 0.881). So are 18 pairs with different ids and no common lesion, all of
  which show one photograph (0.864 and more). The highest correlation of different lesions is
  0.813. Four pairs of one photograph in very different colours are missed.
* Dark frames: of 12,334 files of BCN20000 at 84×84, many with a round view, 93 pairs are confirmed,
  all of one lesion. With the frame, 217 pairs of different lesions would be too. None of the 1,975
  pairs of the three collections is lost.
* Canonical orientation: in three of the collections, 22 pairs more are confirmed. 14 share an ISIC
  id, and 8 show one lesion, turned or mirrored. Of 400 photographs that are squashed to a square,
  saved again and turned in all ways, 399 are found, and no other pair. 850,000 hashes of 400,000
  photographs take 2.5 times as long as one hash of each.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import binary_erosion, label, uniform_filter
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from melanoma_core.data.images import read_image
from melanoma_core.data.neighbours import find_near_pairs, parse_hashes
from melanoma_core.data.orientations import list_orientations
from melanoma_core.errors import ImageError

_MAX_DIFFERING_BITS = 16  # of 256, for a pair to be proposed
_MIN_CORRELATION = 0.85  # of the detail, for a pair to be confirmed
_SIDE = 64  # px, squashed to a square; the minimum side of an accepted photograph
_WINDOW = 7  # px of the local mean
_DARK = 40  # luma of 255; below it, a pixel that is connected to the border is of a frame
_RIM = 2  # px between the frame and the pixels that count
_MIN_SIGHT = 0.1  # of the image, outside its frame; with less, the photograph itself is dark
_MIN_COMMON = 0.5  # of the length of both details, outside both frames
_PAIRS_PER_BATCH = 2048  # 200 MB of details, their squares and what counts

_Pairs = NDArray[np.int64]


def find_clusters(records: pd.DataFrame) -> pd.Series:
    """Assign a cluster number to each file. Exact copies and confirmed near copies share it.

    Args:
        records: Columns `path`, `sha256`, `pixel_sha256`, `dhash` and `canonical_dhash` of the file
            table, with the index 0…N-1, and `image_id` if it is known.

    Returns:
        Int64 [N], missing for an unreadable file. The relation is transitive: if A matches B and B
        matches C, all three share a number.
    """
    readable = records["sha256"].notna()
    distinct = records[readable].drop_duplicates("pixel_sha256").index.to_numpy()
    files = records.loc[distinct]
    proposed = np.concatenate([_propose_pairs(files), _pair_files_of_one_id(files)])
    pairs = distinct[np.unique(proposed, axis=0)]
    confirmed = pairs[_confirm_pairs([Path(path) for path in records["path"]], pairs)]
    clusters = connect_rows(records, ("sha256", "pixel_sha256"), confirmed)
    return pd.Series(clusters, records.index, dtype="Int64").where(readable)


def connect_rows(
    table: pd.DataFrame, keys: Sequence[str], pairs: NDArray[np.int64] | None = None
) -> NDArray[np.int32]:
    """Group rows that share a value in any key column or form a pair, transitively.

    Args:
        table: A table with the key columns.
        keys: Names of the columns. Missing values connect no rows.
        pairs: int64 [M, 2], positions of rows to connect.

    Returns:
        int32 [N], the group number of each row.

    Example:
        >>> table = pd.DataFrame({"lesion": ["a", "a", None], "patient": [None, 1, 1]})
        >>> connect_rows(table, ["lesion"]).tolist()
        [0, 0, 1]
        >>> connect_rows(table, ["lesion", "patient"]).tolist()
        [0, 0, 0]
    """
    num_rows = len(table)
    edges = [np.empty((0, 2), np.int64) if pairs is None else pairs]
    for key in keys:
        codes = pd.factorize(table[key])[0]
        known = np.flatnonzero(codes >= 0)
        representative = np.full(codes.max(initial=-1) + 1, -1)
        representative[codes[known]] = known
        edges.append(np.stack([known, representative[codes[known]]], axis=1))
    one, other = np.concatenate(edges).T
    graph = coo_array((np.ones(len(one), dtype=bool), (one, other)), shape=(num_rows, num_rows))
    groups: NDArray[np.int32] = connected_components(graph, directed=False)[1]
    return groups


def _propose_pairs(files: pd.DataFrame) -> _Pairs:
    """Find files of which any two hashes are similar: as they are, or in canonical orientation.

    Args:
        files: Columns `dhash` and `canonical_dhash`.

    Returns:
        int64 [M, 2], different positions in `files`, each pair once.
    """
    hashes, owners = [], []
    for position, (own, canonical) in enumerate(
        zip(files["dhash"], files["canonical_dhash"], strict=True)
    ):
        starts = range(0, len(canonical), len(own))
        different = {own} | {canonical[start : start + len(own)] for start in starts}
        hashes += sorted(different)
        owners += [position] * len(different)
    proposed, _ = find_near_pairs(parse_hashes(hashes), _MAX_DIFFERING_BITS)
    # Owners ascend, so the smaller position is first.
    pairs = np.unique(np.array(owners, np.int64)[proposed].reshape(-1, 2), axis=0)
    different_files: _Pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    return different_files


def _pair_files_of_one_id(files: pd.DataFrame) -> _Pairs:
    """Pair each file with the one before it of the same image id, and with the first.

    Strong compression can change a hash by more bits than are proposed.

    Returns:
        int64 [M, 2], different positions in `files`, the smaller one first.
    """
    if "image_id" not in files:
        return np.empty((0, 2), np.int64)
    positions = pd.Series(np.arange(len(files)), files.index)
    grouped = positions.groupby(files["image_id"])
    pairs = [
        np.stack([earlier.to_numpy(), positions.to_numpy()], axis=1)
        for earlier in (grouped.transform("first"), grouped.shift().fillna(-1).astype(int))
    ]
    every: _Pairs = np.concatenate(pairs).astype(np.int64)
    different: _Pairs = every[(every[:, 0] >= 0) & (every[:, 0] != every[:, 1])]
    return different


def _confirm_pairs(paths: Sequence[Path], pairs: _Pairs) -> NDArray[np.bool_]:
    """Compare pairs of files by their pixels.

    Args:
        paths: The files.
        pairs: int64 [M, 2], positions in `paths`.

    Returns:
        bool [M], true if both files show the same photograph in any orientation, false if one
        cannot be read.
    """
    confirmed = [np.empty(0, dtype=bool)]
    with ThreadPoolExecutor() as pool:  # Pillow releases the interpreter lock while it decodes
        for start in range(0, len(pairs), _PAIRS_PER_BATCH):
            batch = pairs[start : start + _PAIRS_PER_BATCH]
            needed, position = np.unique(batch, return_inverse=True)
            read = pool.map(_read_detail, [paths[row] for row in needed])
            details, counting = map(np.stack, zip(*read, strict=True))
            squares = details**2
            one, other = position.reshape(batch.shape).T
            correlation = []
            for turned, turned_squares, turned_counting in zip(
                *map(list_orientations, (details, squares, counting)), strict=True
            ):
                product = np.einsum("nij,nij->n", details[one], turned[other])
                length = np.einsum("nij,nij->n", squares[one], turned_counting[other])
                length *= np.einsum("nij,nij->n", turned_squares[other], counting[one])
                correlation.append(product / np.maximum(np.sqrt(length), _MIN_COMMON))
            confirmed.append(np.max(correlation, axis=0) >= _MIN_CORRELATION)
    return np.concatenate(confirmed)


def _read_detail(path: Path) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Read the detail of an image, scaled so that a dot product is a correlation.

    Returns:
        detail: float32 [64, 64] of length 1: luma at 64×64 minus its mean over 7×7, and 0 in the
            frame. NaN, which matches no image, if the file cannot be read or the image is uniform.
        counting: float32 [64, 64], 1 outside the frame, else 0.
    """
    try:
        pixels = read_image(path, max_side=4 * _SIDE).pixels
    except ImageError:
        nothing = np.full((_SIDE, _SIDE), np.nan, np.float32)
        return nothing, nothing
    small = Image.fromarray(pixels).convert("L").resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
    luma = np.asarray(small, np.float32)
    counting = (~_find_frame(luma)).astype(np.float32)
    # The mean of the pixels that count, so that the edge of the frame is no detail.
    share = uniform_filter(counting, _WINDOW, mode="nearest")
    mean = uniform_filter(luma * counting, _WINDOW, mode="nearest") / np.maximum(share, 1e-3)
    detail = (luma - mean) * counting
    length = float(np.linalg.norm(detail))
    # The detail of a uniform image consists of rounding errors.
    scaled: NDArray[np.float32] = detail / np.float32(length if length > 1e-2 else np.nan)
    return scaled, counting


def _find_frame(luma: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Find the dark pixels that are connected to the border of an image, with a rim around them."""
    parts, _ = label(np.pad(luma < _DARK, 1, constant_values=True))
    bright: NDArray[np.bool_] = (parts != parts[0, 0])[1:-1, 1:-1]
    sight = binary_erosion(bright, iterations=_RIM, border_value=1)
    frame: NDArray[np.bool_] = ~sight if sight.mean() >= _MIN_SIGHT else np.zeros_like(sight)
    return frame
