"""Find all pairs of hashes that differ in few bits, without comparing all with all.

The algorithm is that of Manku, Jain and Das Sarma (2007, doi:10.1145/1242572.1242592), similar to
the multi-index hashing of Norouzi, Punjani and Fleet (2012, arXiv:1307.2982). To find pairs that
differ in at most k bits, it cuts the bits into k + 2 bands, of which at least two must be equal. It
sorts the hashes by every two bands and compares only within runs of equal values. A single band
would be correct, too, but photographs of skin share many bits: the runs become so long that the
time grows with the square of the number.

Measured at 16 of 256 bits, on hashes derived from those of ISIC photographs, on two busy cores:
4.5 s and 320 MB for 400,000 hashes, 2.1 s for 200,000, 0.9 s for 100,000. faiss 1.15 (65 MB to
install) takes 30 s for 100,000 with IndexBinaryMultiHash, and 2.4 s for 50,000 with
IndexBinaryFlat, whose time grows with the square.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from melanoma_core.errors import DatasetError

_MAX_PAIRS = 10_000_000  # 1 GB while sorting; an hour to decode their images
_PAIRS_PER_BATCH = 2**18
_BITS_PER_BAND = 32  # two bands fill a 64-bit key; ignoring bits of wider bands only costs time

_Rows = NDArray[np.int32]  # half the memory of int64, for millions of pairs


def parse_hashes(hashes: Iterable[str]) -> NDArray[np.uint64]:
    """Parse hexadecimal hashes of equal length.

    Args:
        hashes: The hashes, each of 16 digits or a multiple of it.

    Returns:
        uint64 [N, words].

    Raises:
        DatasetError: The lengths differ, or are not a multiple of 16 digits.

    Example:
        >>> parse_hashes(["00" * 8, "ff" * 8]).tolist()
        [[0], [18446744073709551615]]
    """
    digits = list(hashes)
    lengths = sorted({len(each) for each in digits})
    if len(lengths) > 1 or any(length == 0 or length % 16 for length in lengths):
        raise DatasetError(
            f"Found hashes of {', '.join(map(str, lengths))} hexadecimal digits. All need the same "
            "length, a multiple of 16. Scan the images again."
        )
    num_words = lengths[0] // 16 if lengths else 1
    return np.frombuffer(bytes.fromhex("".join(digits)), np.uint64).reshape(-1, num_words)


def find_near_pairs(
    hashes: NDArray[np.uint64], max_distance: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find all pairs of hashes that differ in at most `max_distance` bits.

    The result is exact: no pair is missed.

    Args:
        hashes: uint64 [N] or [N, words].
        max_distance: Maximum number of different bits, at most two less than the bits of a hash.

    Returns:
        The pairs in ascending order, int64 [M, 2], with the smaller row first; and their distances
        in bits, int64 [M].

    Raises:
        DatasetError: There are more than 10 million pairs.

    Example:
        >>> hashes = np.array([0b0000, 0b0111, 0b1111], np.uint64)
        >>> pairs, distances = find_near_pairs(hashes, max_distance=3)
        >>> pairs.tolist(), distances.tolist()
        ([[0, 1], [1, 2]], [3, 1])
    """
    words = hashes[:, None] if hashes.ndim == 1 else hashes
    num_bits = 64 * words.shape[1]
    if not 0 <= max_distance <= num_bits - 2:
        raise ValueError(f"max_distance is {max_distance}, must be in 0…{num_bits - 2}")
    if len(words) == 0:
        return np.empty((0, 2), np.int64), np.empty(0, np.int64)
    distinct, inverse, counts = np.unique(words, axis=0, return_inverse=True, return_counts=True)
    one, other, distance = _find_among_distinct(distinct, max_distance)
    repeated = np.flatnonzero(counts > 1).astype(np.int32)
    one, other = np.concatenate([one, repeated]), np.concatenate([other, repeated])
    distance = np.concatenate([distance, np.zeros_like(repeated)])
    # A hash paired with itself counts each row with itself, and each pair of rows twice.
    num_excess = (counts[repeated] * (counts[repeated] + 1) // 2).sum()
    _check_number(int((counts[one] * counts[other]).sum() - num_excess))
    members = np.argsort(inverse.ravel(), kind="stable").astype(np.int32)
    batches = [
        slice(start, start + _PAIRS_PER_BATCH)
        for start in range(0, max(len(one), 1), _PAIRS_PER_BATCH)
    ]
    parts = [
        _expand(one[batch], other[batch], distance[batch], members, counts) for batch in batches
    ]
    rows, distances = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((rows[:, 1], rows[:, 0]))
    return rows[order].astype(np.int64), distances[order].astype(np.int64)


def _find_among_distinct(
    words: NDArray[np.uint64], max_distance: int
) -> tuple[_Rows, _Rows, _Rows]:
    """Find each pair among distinct hashes once."""
    bands = _cut_into_bands(words, max_distance + 2)

    def find(choice: tuple[int, int]) -> tuple[_Rows, _Rows, _Rows]:
        return _find_with_equal_bands(words, bands, choice, max_distance)

    found = []
    num_pairs = 0
    with ThreadPoolExecutor() as pool:  # NumPy releases the interpreter lock while it sorts
        for pairs in pool.map(find, combinations(range(len(bands)), 2)):
            found.append(pairs)
            num_pairs += len(pairs[0])
            _check_number(num_pairs)
    one, other, distance = (np.concatenate(column) for column in zip(*found, strict=True))
    return one, other, distance


def _find_with_equal_bands(
    words: NDArray[np.uint64],
    bands: NDArray[np.uint32],
    choice: tuple[int, int],
    max_distance: int,
) -> tuple[_Rows, _Rows, _Rows]:
    """Find the near pairs whose first two equal bands are the chosen ones."""
    first, second = choice
    key = (bands[first].astype(np.uint64) << np.uint64(_BITS_PER_BAND)) | bands[second]
    order = np.argsort(key).astype(np.int32)
    found = [(np.empty(0, np.int32),) * 3]
    num_pairs = 0
    for candidates in _pair_within_runs(key[order], order):
        one, other, distance = _keep_near(words, *candidates, max_distance)
        num_equal = (bands[: second + 1, one] == bands[: second + 1, other]).sum(axis=0)
        new = num_equal == 2
        found.append((one[new], other[new], distance[new]))
        num_pairs += int(new.sum())
        _check_number(num_pairs)
    one, other, distance = (np.concatenate(column) for column in zip(*found, strict=True))
    return one, other, distance


def _cut_into_bands(words: NDArray[np.uint64], num_bands: int) -> NDArray[np.uint32]:
    """Cut hashes into uint32 [num_bands, N].

    Each band takes every `num_bands`-th bit, because adjacent bits of an image are correlated.
    """
    bits = np.unpackbits(words.view(np.uint8).reshape(len(words), -1), axis=1)
    bands = np.zeros((num_bands, len(words)), np.uint32)
    for band in range(num_bands):
        for bit in bits[:, band::num_bands][:, :_BITS_PER_BAND].T:
            bands[band] = (bands[band] << np.uint32(1)) | bit
    return bands


def _pair_within_runs(key: NDArray[np.uint64], order: _Rows) -> Iterator[tuple[_Rows, _Rows]]:
    """Yield all pairs of rows with equal keys: those one step apart in `order`, then two, etc."""
    start = np.flatnonzero(key[1:] == key[:-1])
    step = 1
    while len(start):
        yield order[start], order[start + step]
        step += 1
        start = start[start + step < len(key)]
        start = start[key[start + step] == key[start]]


def _keep_near(
    words: NDArray[np.uint64], one: _Rows, other: _Rows, max_distance: int
) -> tuple[_Rows, _Rows, _Rows]:
    distance = np.zeros(len(one), np.int32)
    for word in range(words.shape[1]):
        distance += np.bitwise_count(words[one, word] ^ words[other, word])
        near = distance <= max_distance  # most pairs already differ too much in their first word
        one, other, distance = one[near], other[near], distance[near]
    return one, other, distance


def _expand(
    one: _Rows, other: _Rows, distance: _Rows, members: _Rows, counts: NDArray[np.int64]
) -> tuple[_Rows, _Rows]:
    """Expand pairs of distinct hashes to pairs of rows.

    Args:
        one: Distinct hashes.
        other: The near hash of each. A hash paired with itself stands for the rows that share it.
        distance: Distances in bits.
        members: Rows sorted by their distinct hash.
        counts: Number of rows of each distinct hash.

    Returns:
        The pairs [M, 2], with the smaller row first, and their distances [M].
    """
    sizes = counts[one] * counts[other]
    start = np.cumsum(counts) - counts
    pair = np.repeat(np.arange(len(one)), sizes)
    place = np.arange(len(pair)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    across, down = np.divmod(place, counts[other[pair]])
    rows = np.stack(
        [members[start[one[pair]] + across], members[start[other[pair]] + down]], axis=1
    )
    # For a hash with itself, drop pairs of a row with itself and the second copy of each pair.
    kept = (one != other)[pair] | (rows[:, 0] < rows[:, 1])
    return np.sort(rows[kept], axis=1), distance[pair[kept]]


def _check_number(num_pairs: int) -> None:
    if num_pairs > _MAX_PAIRS:
        raise DatasetError(
            f"Found more than {_MAX_PAIRS:,} pairs of similar images, the maximum. Many images may "
            "be blank. Remove blank images, or open the folder in parts."
        )
