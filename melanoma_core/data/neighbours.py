"""Hashes that differ in few bits: every such pair, without comparing all with all.

The idea is that of Manku, Jain and Das Sarma (2007, doi:10.1145/1242572.1242592), close to the
multi-index hashing of Norouzi, Punjani and Fleet (2012, arXiv:1307.2982): cut the bits into two
bands more than may differ, and at least two bands are equal; so sort by each two bands, and
compare within equal runs alone. One band would do too, but photographs of skin share many bits:
with one band the runs grow so large that the time grows with the square of the number.

Measured on 256-bit hashes made from those of the ISIC photographs, at 16 bits, on two busy cores:
400,000 take 4.5 s and 320 MB, 200,000 take 2.1 s, 100,000 take 0.9 s. faiss 1.15 (65 MB to
install) takes 30 s for 100,000 with IndexBinaryMultiHash; and for 50,000 2.4 s with
IndexBinaryFlat, whose time grows with the square.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from melanoma_core.errors import DatasetError

MAX_PAIRS = 10_000_000  # a GB while they are put in order; an hour to decode
_BITS_PER_BAND = 32  # two bands fill a 64-bit key; bits that a wide band leaves out cost time only

Rows = NDArray[np.int32]  # half the memory of the usual index, for millions of pairs
_PAIRS_AT_ONCE = 2**18


def parse_hashes(hashes: Iterable[str]) -> NDArray[np.uint64]:
    """Turn hexadecimal hashes of one length, 64 bits or a multiple, into uint64 [N, words].

    Raises:
        DatasetError: They are of more than one length, or not of whole 64-bit words.
    """
    digits = list(hashes)
    lengths = sorted({len(each) for each in digits})
    if len(lengths) > 1 or any(length == 0 or length % 16 for length in lengths):
        raise DatasetError(
            f"Found hashes of {', '.join(map(str, lengths))} hexadecimal digits. They must all "
            "have one length, a multiple of 16. Scan the photographs anew."
        )
    num_words = lengths[0] // 16 if lengths else 1
    return np.frombuffer(bytes.fromhex("".join(digits)), np.uint64).reshape(-1, num_words)


def find_near_pairs(
    hashes: NDArray[np.uint64], max_distance: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find every pair of hashes that differ in at most `max_distance` bits.

    Exact: no pair is missed. Equal hashes are searched as one.

    Args:
        hashes: uint64 [N] or [N, words].
        max_distance: In bits, at most two fewer than a hash has.

    Returns:
        The pairs, int64 [M, 2], the smaller row first, in order; and their distances in bits,
        int64 [M].

    Raises:
        DatasetError: There are more than `MAX_PAIRS`.
    """
    words = hashes[:, None] if hashes.ndim == 1 else hashes
    num_bits = 64 * words.shape[1]
    if not 0 <= max_distance <= num_bits - 2:
        raise ValueError(f"max_distance is {max_distance}; needed is 0…{num_bits - 2}")
    if len(words) == 0:
        return np.empty((0, 2), np.int64), np.empty(0, np.int64)
    distinct, inverse, counts = np.unique(words, axis=0, return_inverse=True, return_counts=True)
    one, other, distance = _find_among_distinct(distinct, max_distance)
    repeated = np.flatnonzero(counts > 1).astype(np.int32)
    one, other = np.concatenate([one, repeated]), np.concatenate([other, repeated])
    distance = np.concatenate([distance, np.zeros_like(repeated)])
    num_repeated = (counts[repeated] * (counts[repeated] + 1) // 2).sum()  # of counts², the rest
    _check_number(int((counts[one] * counts[other]).sum() - num_repeated))
    members = np.argsort(inverse.ravel(), kind="stable").astype(np.int32)
    parts = [
        _expand(one[some], other[some], distance[some], members, counts)
        for some in (
            slice(start, start + _PAIRS_AT_ONCE)
            for start in range(0, max(len(one), 1), _PAIRS_AT_ONCE)
        )
    ]
    rows, distances = (np.concatenate(column) for column in zip(*parts, strict=True))
    in_order = np.lexsort((rows[:, 1], rows[:, 0]))
    return rows[in_order].astype(np.int64), distances[in_order].astype(np.int64)


def _find_among_distinct(words: NDArray[np.uint64], max_distance: int) -> tuple[Rows, Rows, Rows]:
    """Find the pairs among hashes of which no two are equal, each pair once."""
    bands = _cut_into_bands(words, max_distance + 2)

    def find(choice: tuple[int, int]) -> tuple[Rows, Rows, Rows]:
        return _find_with_equal_bands(words, bands, choice, max_distance)

    found = []
    num_pairs = 0
    with ThreadPoolExecutor() as pool:  # NumPy lets go of the interpreter while it sorts
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
) -> tuple[Rows, Rows, Rows]:
    """Find the near pairs of which the two chosen bands are the first two that are equal."""
    first, second = choice
    key = (bands[first].astype(np.uint64) << np.uint64(_BITS_PER_BAND)) | bands[second]
    order = np.argsort(key).astype(np.int32)
    found = [(np.empty(0, np.int32),) * 3]
    num_pairs = 0
    for candidates in _neighbours_in_runs(key[order], order):
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

    Bits that lie beside each other in the picture are alike, and a band of them says little; so
    each band takes every `num_bands`-th bit.
    """
    bits = np.unpackbits(words.view(np.uint8).reshape(len(words), -1), axis=1)
    bands = np.zeros((num_bands, len(words)), np.uint32)
    for band in range(num_bands):
        for bit in bits[:, band::num_bands][:, :_BITS_PER_BAND].T:
            bands[band] = (bands[band] << np.uint32(1)) | bit
    return bands


def _neighbours_in_runs(key: NDArray[np.uint64], order: Rows) -> Iterator[tuple[Rows, Rows]]:
    """Yield all pairs of rows with equal keys: first neighbours in `order`, then next but one."""
    start = np.flatnonzero(key[1:] == key[:-1])
    step = 1
    while len(start):
        yield order[start], order[start + step]
        step += 1
        start = start[start + step < len(key)]
        start = start[key[start + step] == key[start]]


def _keep_near(
    words: NDArray[np.uint64], one: Rows, other: Rows, max_distance: int
) -> tuple[Rows, Rows, Rows]:
    distance = np.zeros(len(one), np.int32)
    for word in range(words.shape[1]):
        distance += np.bitwise_count(words[one, word] ^ words[other, word])
        near = distance <= max_distance  # most pairs are far apart in their first word already
        one, other, distance = one[near], other[near], distance[near]
    return one, other, distance


def _expand(
    one: Rows, other: Rows, distance: Rows, members: Rows, counts: NDArray[np.int64]
) -> tuple[Rows, Rows]:
    """Turn pairs of distinct hashes into pairs of the rows that have them.

    Args:
        one: Distinct hashes.
        other: Those that they are near to; a hash with itself stands for the rows that share it.
        distance: In bits.
        members: Rows in the order of their distinct hashes.
        counts: Number of rows of each distinct hash.

    Returns:
        The pairs [M, 2], the smaller row first, and their distances [M].
    """
    sizes = counts[one] * counts[other]
    start = np.cumsum(counts) - counts
    pair = np.repeat(np.arange(len(one)), sizes)
    place = np.arange(len(pair)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    across, down = np.divmod(place, counts[other[pair]])
    rows = np.stack(
        [members[start[one[pair]] + across], members[start[other[pair]] + down]], axis=1
    )
    # Of a hash with itself, each pair came twice and each row beside itself.
    wanted = (one != other)[pair] | (rows[:, 0] < rows[:, 1])
    return np.sort(rows[wanted], axis=1), distance[pair[wanted]]


def _check_number(num_pairs: int) -> None:
    if num_pairs > MAX_PAIRS:
        raise DatasetError(
            f"Found more than {MAX_PAIRS:,} pairs of photographs that look alike, too many to "
            "compare. Many of them may be blank. Audit the folder in parts."
        )
