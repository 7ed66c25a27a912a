import itertools
import threading
from pathlib import Path

import numpy as np
import pytest

from melanoma_core.errors import LookalikeError
from melanoma_core.lookalikes.directions import find_directions
from melanoma_core.lookalikes.index import find_lookalikes, open_index
from melanoma_core.lookalikes.lookalike import Lookalikes, Query, describe_lookalikes
from melanoma_core.lookalikes.projection import project
from melanoma_core.taxonomy import Confirmation, Diagnosis, RiskTier
from tests.core.lookalikes.conftest import MakeIndex, WriteIndex, turn


def ask(angle: float, **own: frozenset[str]) -> Query:
    return Query(model_id="one", embeddings=turn(angle), **own)


def names(found: Lookalikes) -> list[str]:
    return [each.lesion for each in found.nearest]


def test_without_an_index_there_is_nothing_to_compare_with():
    assert find_lookalikes(ask(0), []) == Lookalikes()


def test_an_empty_index_holds_no_lookalike(make_index: MakeIndex):
    index = make_index([], np.zeros((0, 2)))

    assert index.facts.num_lesions == 0
    assert find_lookalikes(ask(0), [index]) == Lookalikes()


def test_an_index_of_one_lesion_returns_it_and_of_the_lesion_itself_nothing(make_index: MakeIndex):
    index = make_index([("a", None, "MEL")], turn(10))

    found = find_lookalikes(ask(0), [index])
    assert names(found) == ["a"]
    assert (found.num_lesions, found.num_melanomas, found.num_left_out) == (1, 1, 0)

    alone = find_lookalikes(ask(0, lesions=frozenset({"a"})), [index])
    assert alone == Lookalikes(num_left_out=1)


def test_each_lesion_is_found_once_by_its_nearest_photograph(make_index: MakeIndex):
    photographs = [("a", "p", "NV"), ("a", "p", "NV"), ("b", "q", "MEL"), ("c", "r", "benign")]
    index = make_index(photographs, turn(60, 5, 20, 40))

    found = find_lookalikes(ask(0), [index], number=2)

    first, second = found.nearest
    assert (first.lesion, first.image, first.diagnosis) == ("a", "/clinic 1.jpg", Diagnosis.NV)
    assert (second.lesion, second.diagnosis) == ("b", Diagnosis.MEL)
    assert first.confirmation is Confirmation.HISTOPATHOLOGY
    assert (first.source, first.is_own) == ("clinic", False)
    expected = np.linalg.norm(project(turn(0)) - project(turn(5)))
    assert first.distance == pytest.approx(expected, abs=1e-5)
    assert (found.num_lesions, found.num_melanomas) == (3, 1)
    assert find_lookalikes(ask(0), [index]).nearest[-1].diagnosis is RiskTier.BENIGN


def test_the_distance_to_the_same_photograph_is_0(make_index: MakeIndex):
    index = make_index([("a", None, "NV"), ("b", None, "NV")], turn(33, 80))

    assert find_lookalikes(ask(33), [index]).nearest[0].distance == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    "own",
    [
        {"lesions": frozenset({"a"})},
        {"files": frozenset({"file clinic 1"})},
        {"fingerprints": frozenset({"fingerprint clinic 0"})},
    ],
)
def test_its_own_lesion_and_copies_of_its_photographs_are_left_out(
    make_index: MakeIndex, own: dict[str, frozenset[str]]
):
    photographs = [("a", "p", "MEL"), ("a", "p", "MEL"), ("b", "p", "NV"), ("c", None, "NV")]
    index = make_index(photographs, turn(0, 1, 2, 3))

    found = find_lookalikes(ask(0, **own), [index])

    assert names(found) == ["b", "c"]
    assert (found.num_lesions, found.num_melanomas, found.num_left_out) == (2, 0, 1)


def test_other_lesions_of_its_patient_are_left_out(make_index: MakeIndex):
    photographs = [("a", "p", "MEL"), ("b", "p", "NV"), ("c", None, "NV"), ("d", "q", "NV")]
    index = make_index(photographs, turn(0, 1, 2, 3))

    assert names(find_lookalikes(ask(0, patients=frozenset({"p"})), [index])) == ["c", "d"]


def test_an_unknown_patient_is_the_patient_of_no_one(make_index: MakeIndex):
    index = make_index([("a", None, "MEL"), ("b", None, "NV")], turn(0, 1))

    assert names(find_lookalikes(ask(0, patients=frozenset({""})), [index])) == ["a", "b"]


def test_the_file_holds_no_id_of_a_patient(write_index: WriteIndex):
    path = write_index([("a", "patient 4711", "MEL")], turn(0))

    assert b"4711" not in path.read_bytes()


def test_equal_distances_follow_each_other_by_lesion_whatever_the_order_of_the_index(
    make_index: MakeIndex,
):
    photographs = [(f"{number:03}", None, "NV") for number in range(300)]
    angles = [7.0] * 299 + [1.0]
    index = make_index(photographs, turn(*angles))

    found = find_lookalikes(ask(0), [index], number=4)

    assert names(found) == ["299", "000", "001", "002"]
    assert len({each.distance for each in found.nearest[1:]}) == 1


def test_the_nearest_are_those_that_a_sort_of_all_distances_finds(make_index: MakeIndex):
    rng = np.random.default_rng(1)
    embeddings = rng.random((600, 40))
    lesions = sorted(f"{number:03}" for number in rng.integers(0, 200, 600))
    index = make_index([(lesion, None, "NV") for lesion in lesions], embeddings)
    query = rng.random((1, 40))

    found = find_lookalikes(Query(model_id="one", embeddings=query), [index], number=20)

    apart = np.linalg.norm(project(embeddings) - project(query), axis=1)
    order = list(dict.fromkeys(lesions[row] for row in np.argsort(apart, kind="stable")))
    assert names(found) == order[:20]


def test_several_photographs_are_searched_by_their_mean_direction(make_index: MakeIndex):
    index = make_index([("a", None, "NV"), ("b", None, "NV"), ("c", None, "NV")], turn(0, 45, 90))
    photographs = turn(0, 90) * np.array([[1], [100]])  # contrast does not count

    found = find_lookalikes(Query(model_id="one", embeddings=photographs), [index])

    assert found.nearest[0].lesion == "b"
    assert found.nearest[0].distance == pytest.approx(0, abs=1e-6)


def test_several_indexes_are_searched_together_and_a_lesion_of_two_is_found_once(
    make_index: MakeIndex,
):
    one = make_index([("a", None, "NV"), ("b", None, "MEL")], turn(10, 30))
    other = make_index(
        [("b", None, "MEL"), ("c", None, "MEL")], turn(20, 40), name="record", is_own=True
    )

    for indexes in itertools.permutations([one, other]):
        found = find_lookalikes(ask(0), indexes)
        assert names(found) == ["a", "b", "c"]
        assert [each.is_own for each in found.nearest] == [False, True, True]
        assert (found.num_lesions, found.num_near_melanomas) == (4, 2)
    assert names(find_lookalikes(ask(0), [one, other], number=1)) == ["a"]


def test_an_index_of_another_model_is_refused_with_what_to_do(
    write_index: WriteIndex, make_index: MakeIndex
):
    path = write_index([("a", None, "NV")], turn(0), model_id="older")

    with pytest.raises(LookalikeError, match="is of the model older, but newer reads now") as error:
        open_index(path, "newer")
    assert "`melanoma index DIR --out" in str(error.value)
    index = make_index([("a", None, "NV")], turn(0), model_id="older", name="archive")
    with pytest.raises(LookalikeError, match='"archive" is of the model older'):
        find_lookalikes(ask(0), [index])


def test_a_missing_index_is_refused_with_what_to_do(tmp_path: Path):
    with pytest.raises(LookalikeError, match=r"Found no index .*MELANOMA_INDEXES"):
        open_index(tmp_path / "none", "one")


@pytest.mark.parametrize("content", [b"", b"rubbish", b"\x93NUMPY\x01\x00" + bytes(60)])
def test_a_file_that_is_no_index_is_refused(tmp_path: Path, content: bytes):
    path = tmp_path / "x.lookalikes"
    path.write_bytes(content)

    with pytest.raises(LookalikeError, match=r"Cannot read the index .* Make it again"):
        open_index(path, "one")


def test_an_index_that_was_cut_anywhere_is_refused(write_index: WriteIndex):
    path = write_index([("a", "p", "NV"), ("b", None, "MEL")], turn(0, 9))
    content = path.read_bytes()

    for length in range(0, len(content), 97):
        path.write_bytes(content[:length])
        with pytest.raises(LookalikeError, match="Cannot read the index"):
            open_index(path, "one")


def test_a_folder_is_no_index(tmp_path: Path):
    with pytest.raises(LookalikeError, match="Cannot read the index"):
        open_index(tmp_path, "one")


def test_an_opened_index_goes_on_when_its_file_is_replaced(write_index: WriteIndex):
    index = open_index(write_index([("a", None, "NV")], turn(0)), "one")
    write_index([("b", None, "NV")], turn(0))

    assert names(find_lookalikes(ask(0), [index])) == ["a"]


def test_threads_share_an_index(make_index: MakeIndex):
    photographs = [(f"{number:03}", None, "NV") for number in range(200)]
    index = make_index(photographs, turn(*np.linspace(0, 90, 200)))
    expected = [names(find_lookalikes(ask(angle), [index])) for angle in range(30)]
    found: dict[int, list[str]] = {}

    def search(angle: int) -> None:
        found[angle] = names(find_lookalikes(ask(angle), [index]))

    threads = [threading.Thread(target=search, args=(angle,)) for angle in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[angle] for angle in range(30)] == expected


def test_names_that_are_not_utf_8_and_markup_come_back_as_they_were(make_index: MakeIndex):
    name = "=1+1 <b>\udcff\n"
    index = make_index([(name, None, "NV")], turn(0))

    assert find_lookalikes(ask(0), [index]).nearest[0].lesion == name


def test_the_sentence_counts_melanomas_near_and_in_all_and_gives_no_probability(
    make_index: MakeIndex,
):
    photographs = [("a", None, "MEL"), ("b", None, "NV"), ("c", None, "NV"), ("d", None, "MEL")]
    index = make_index(photographs, turn(1, 2, 3, 90))

    text = describe_lookalikes(find_lookalikes(ask(0), [index], number=3))

    assert text.startswith(
        "Of the 3 most similar lesions, 1 is a melanoma; of all 4 that were compared, 2 are "
        "melanomas."
    )
    assert "not a verdict" in text
    assert "%" not in text
    none = describe_lookalikes(find_lookalikes(ask(0), [index], number=1))
    assert none.startswith("The most similar lesion is a melanoma")


def test_the_projection_is_the_same_for_ever():
    directions = project(np.eye(5))

    signs = (np.sign(directions) > 0).astype(int)
    rows = ["".join(map(str, row)) for row in signs[:, :8]]
    assert rows == ["10101100", "01010011", "00110110", "00110100", "01110110"]
    assert np.linalg.norm(directions, axis=1) == pytest.approx(np.ones(5), abs=1e-6)


def test_the_projection_keeps_distances_nearly():
    rng = np.random.default_rng(0)
    embeddings = rng.random((100, 1280)) * rng.random(1280)
    directions, projected = find_directions(embeddings), project(embeddings)
    before = np.linalg.norm(directions[:50] - directions[50:], axis=1)
    after = np.linalg.norm(projected[:50] - projected[50:], axis=1)

    assert after / before == pytest.approx(np.ones(50), abs=0.35)


def test_a_photograph_without_any_feature_is_near_to_nothing(make_index: MakeIndex):
    index = make_index([("a", None, "NV"), ("b", None, "NV")], np.array([[0.0, 0.0], [1.0, 0.0]]))

    found = find_lookalikes(ask(0), [index])

    assert [(each.lesion, round(each.distance, 3)) for each in found.nearest] == [
        ("b", 0),
        ("a", 1),
    ]
