from dataclasses import replace

import pytest

from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.errors import LesionError
from melanoma_core.models.card import NoveltyLimit
from melanoma_core.models.classifier import Classifier
from melanoma_core.reading.grouping import TableUse
from melanoma_core.reading.worklist import Worklist

FILES = [(lesion.file_name, lesion.path.read_bytes()) for lesion in DEMONSTRATION_LESIONS[:4]]


def read_all(worklist: Worklist, classifier: Classifier) -> Worklist:
    while worklist.read_next(classifier):
        pass
    return worklist


@pytest.fixture
def worklist(unguarded_classifier: Classifier) -> Worklist:
    made = Worklist()
    made.add(FILES)
    return read_all(made, unguarded_classifier)


def test_an_empty_worklist_has_no_lesions():
    empty = Worklist()
    empty.combine([], "arm")
    empty.combine([7], "arm")
    empty.separate([])
    empty.assign_lesions({"a.jpg": "L1"})
    assert empty.lesions == []
    assert empty.opened_lesion is None
    assert empty.position is None
    assert empty.divided_lesions == []
    assert empty.propose_name([]) == "Lesion 1"
    assert empty.table_use == TableUse(1, "a.jpg", 0, 0)
    assert Worklist().table_use is None


def test_each_photograph_is_a_lesion_of_its_own_with_its_own_probabilities(worklist):
    lesions = worklist.lesions
    assert [lesion.name for lesion in lesions] == [entry.name for entry in worklist.entries]
    for lesion, entry in zip(lesions, worklist.entries, strict=True):
        assert lesion.reading.probabilities == entry.reading.probabilities


def test_lesions_are_sorted_by_their_malignant_share(worklist):
    keys = [entry.key for entry in worklist.entries]
    worklist.combine([keys[0], keys[3]], "arm")
    shares = [lesion.reading.skin_cancer_probability for lesion in worklist.lesions]
    assert len(shares) == 3
    assert shares == sorted(shares, reverse=True)


def test_a_combined_lesion_is_opened_and_its_photographs_open_alone(worklist):
    first, second, *_ = worklist.entries
    worklist.combine([first.key, second.key], "arm")
    assert worklist.opened_lesion.name == "arm"
    assert worklist.opened is None
    worklist.open(second.key)
    assert worklist.opened is second
    assert worklist.opened_lesion.name == "arm"
    worklist.open_lesion(second.key)
    assert worklist.opened is None
    assert worklist.lesions[worklist.position].name == "arm"


def test_a_lesion_without_a_name_gets_one_that_is_free(worklist):
    keys = [entry.key for entry in worklist.entries]
    worklist.combine(keys[:2], "  ")
    assert worklist.opened_lesion.name == "Lesion 1"
    assert worklist.propose_name(keys[2:]) == "Lesion 2"
    assert worklist.propose_name(keys[1:3]) == "Lesion 1"


def test_a_name_of_another_lesion_is_refused_and_changes_nothing(worklist):
    keys = [entry.key for entry in worklist.entries]
    worklist.combine(keys[:2], "arm")
    with pytest.raises(LesionError, match='Found another lesion with the name "arm"'):
        worklist.combine(keys[2:], " arm ")
    assert [len(lesion.entries) for lesion in worklist.lesions].count(2) == 1
    worklist.combine(keys[1:3], "arm")  # one of them has the name already
    assert len(worklist.opened_lesion.entries) == 3
    worklist.combine(keys[:1], "leg")
    assert worklist.opened_lesion.name == "leg"


def test_a_name_of_the_table_is_taken_also_before_its_photographs_are_read(worklist):
    keys = [entry.key for entry in worklist.entries]
    by_name = {entry.name: entry.key for entry in worklist.entries}
    worklist.assign_lesions({FILES[0][0]: "L1", "late.jpg": "Lesion 1"})
    others = [key for key in keys if key != by_name[FILES[0][0]]]
    for name in ("L1", "Lesion 1"):
        with pytest.raises(LesionError):
            worklist.combine(others[:2], name)
    assert worklist.propose_name(others[:2]) == "Lesion 2"
    worklist.combine([by_name[FILES[0][0]], others[0]], "L1")
    assert worklist.opened_lesion.name == "L1"


def test_photographs_that_a_table_put_together_get_their_name_back(worklist):
    worklist.assign_lesions({FILES[0][0]: "L1", FILES[1][0]: "L1"})
    (lesion,) = (each for each in worklist.lesions if len(each.entries) > 1)
    worklist.separate(lesion.keys)
    worklist.combine(lesion.keys, "L1")
    assert worklist.opened_lesion.keys == lesion.keys


def test_a_name_is_cleaned(worklist):
    worklist.combine([entry.key for entry in worklist.entries], "left\u202e\n  arm")
    assert worklist.opened_lesion.name == "left arm"


def test_a_separated_photograph_leaves_the_others_together(worklist):
    keys = [entry.key for entry in worklist.entries]
    worklist.combine(keys[:3], "arm")
    worklist.separate([keys[0]])
    assert [len(lesion.entries) for lesion in worklist.lesions].count(2) == 1
    worklist.separate(keys[1:3])
    assert len(worklist.lesions) == 4


def test_a_table_counts_until_a_person_says_otherwise(worklist, unguarded_classifier):
    names = [name for name, _ in FILES]
    worklist.assign_lesions({names[0]: "L1", names[1]: "L1", "unknown.jpg": "L1", "late": "L1"})
    (lesion,) = (each for each in worklist.lesions if len(each.entries) > 1)
    assert lesion.name == "L1"
    assert {entry.name for entry in lesion.entries} == set(names[:2])
    worklist.add([("late.jpg", FILES[2][1])])
    read_all(worklist, unguarded_classifier)
    (lesion,) = (each for each in worklist.lesions if len(each.entries) > 1)
    assert len(lesion.entries) == 3
    assert worklist.table_use == TableUse(4, names[0], 3, 0)
    worklist.separate(lesion.keys)
    assert len(worklist.lesions) == 5
    assert worklist.table_use == TableUse(4, names[0], 3, 3)


def test_photographs_that_different_models_read_stay_apart(worklist, unguarded_classifier):
    card = unguarded_classifier.card
    other = unguarded_classifier.with_card(replace(card, temperature=2 * card.temperature))
    worklist.add([("other.jpg", FILES[0][1])])
    read_all(worklist, other)
    worklist.combine([entry.key for entry in worklist.entries], "arm")
    assert sorted(len(lesion.entries) for lesion in worklist.lesions) == [1, 4]
    assert worklist.divided_lesions == ["arm"]


def test_clear_forgets_the_lesions(worklist, unguarded_classifier):
    worklist.assign_lesions({FILES[0][0]: "L1", FILES[1][0]: "L1"})
    worklist.clear()
    worklist.add(FILES)
    assert len(read_all(worklist, unguarded_classifier).lesions) == 4


def test_only_an_out_of_distribution_photograph_is_read_anyway_and_once(unguarded_classifier):
    limit = NoveltyLimit(0.001, "validation", 0.005, {}, "untuned MobileNetV2")
    card = unguarded_classifier.card
    guarded = unguarded_classifier.with_card(replace(card, novelty=limit))
    worklist = Worklist()
    resized = FILES[0][1] + b" "  # not one of the demonstration lesions by its bytes
    worklist.add([("text.jpg", b"text"), ("lesion.jpg", resized)])
    read_all(worklist, guarded)
    text, lesion = worklist.refused
    assert (text.can_be_read, lesion.can_be_read) == (False, True)
    worklist.read_anyway(text.key)
    assert worklist.entries == []
    worklist.read_anyway(lesion.key)
    worklist.read_anyway(lesion.key)
    (entry,) = worklist.entries
    assert entry.reading.read_anyway
    assert entry.reading.novelty > entry.reading.novelty_limit == 0.001
    assert worklist.opened is entry
    assert worklist.refused == [text]
