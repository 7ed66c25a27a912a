import numpy as np
import pytest
from numpy.typing import NDArray

from melanoma_core.data import neighbours
from melanoma_core.data.neighbours import find_near_pairs, parse_hashes
from melanoma_core.errors import DatasetError


def compare_all(hashes: NDArray[np.uint64], max_distance: int) -> tuple[list, list]:
    words = hashes[:, None] if hashes.ndim == 1 else hashes
    distance = np.bitwise_count(words[:, None] ^ words[None]).sum(axis=2, dtype=int)
    one, other = np.nonzero(np.triu(distance <= max_distance, k=1))
    return np.stack([one, other], axis=1).tolist(), distance[one, other].tolist()


def draw_random(num_words: int) -> NDArray[np.uint64]:
    return np.random.default_rng(0).integers(2**64, size=(250, num_words), dtype=np.uint64)


def draw_skewed(num_words: int, seed: int = 1) -> NDArray[np.uint64]:
    """Draw hashes like those of skin: a few patterns, each with a few bits changed."""
    random = np.random.default_rng(seed)
    shapes = random.random((6, 64 * num_words)) < 0.1
    bits = shapes[random.integers(6, size=250)] ^ (random.random((250, 64 * num_words)) < 0.03)
    return np.packbits(bits, axis=1).view(np.uint64)


def test_no_hashes_have_no_pairs() -> None:
    pairs, distances = find_near_pairs(np.empty(0, np.uint64), max_distance=3)
    assert pairs.shape == (0, 2)
    assert distances.shape == (0,)


def test_one_hash_has_no_pairs() -> None:
    pairs, _ = find_near_pairs(np.array([7], np.uint64), max_distance=3)
    assert pairs.shape == (0, 2)


def test_equal_hashes_are_pairs_at_distance_0() -> None:
    pairs, distances = find_near_pairs(np.full(4, 9, np.uint64), max_distance=0)
    assert pairs.tolist() == [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]
    assert distances.tolist() == [0] * 6


def test_the_maximum_distance_is_inclusive() -> None:
    hashes = np.array([0b0000, 0b0111, 0b1111], np.uint64)
    pairs, distances = find_near_pairs(hashes, max_distance=3)
    assert pairs.tolist() == [[0, 1], [1, 2]]
    assert distances.tolist() == [3, 1]


@pytest.mark.parametrize("draw", [draw_random, draw_skewed])
@pytest.mark.parametrize(("num_words", "max_distance"), [(1, 0), (1, 3), (1, 22), (4, 16), (4, 28)])
def test_the_pairs_are_those_of_a_full_comparison(draw, num_words: int, max_distance: int) -> None:
    hashes = draw(num_words)
    pairs, distances = find_near_pairs(hashes, max_distance)
    assert (pairs.tolist(), distances.tolist()) == compare_all(hashes, max_distance)


def test_the_skewed_hashes_include_near_and_repeated_hashes() -> None:
    pairs, distances = find_near_pairs(draw_skewed(1), max_distance=3)
    assert len(pairs) == 2521
    assert (distances == 0).sum() == 133


def test_the_order_of_the_hashes_does_not_matter() -> None:
    hashes = draw_skewed(1)
    order = np.random.default_rng(2).permutation(len(hashes))
    pairs, _ = find_near_pairs(hashes, max_distance=4)
    shuffled, _ = find_near_pairs(hashes[order], max_distance=4)
    assert {tuple(sorted(pair)) for pair in order[shuffled].tolist()} == set(
        map(tuple, pairs.tolist())
    )


def test_too_many_pairs_are_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "_MAX_PAIRS", 5)
    with pytest.raises(DatasetError, match="more than 5 pairs"):
        find_near_pairs(np.full(4, 9, np.uint64), max_distance=0)
    with pytest.raises(DatasetError, match="more than 5 pairs"):
        find_near_pairs(np.arange(8, dtype=np.uint64), max_distance=3)


@pytest.mark.parametrize("max_distance", [-1, 63])
def test_an_invalid_distance_is_an_error(max_distance: int) -> None:
    with pytest.raises(ValueError, match=r"must be in 0…62"):
        find_near_pairs(np.zeros(2, np.uint64), max_distance)


def test_hexadecimal_hashes_are_parsed_to_words() -> None:
    assert parse_hashes([]).shape == (0, 1)
    assert parse_hashes(["00" * 8, "ff" * 8]).tolist() == [[0], [2**64 - 1]]
    assert parse_hashes(["00" * 32]).shape == (1, 4)


def test_hashes_of_two_lengths_are_rejected() -> None:
    with pytest.raises(DatasetError, match="hashes of 16, 64 hexadecimal digits"):
        parse_hashes(["00" * 8, "00" * 32])
