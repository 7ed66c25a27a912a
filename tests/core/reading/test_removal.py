import time
import weakref

import pytest

from melanoma_core.data.drawn.shipped import DEMONSTRATION_LESIONS
from melanoma_core.models.classifier import Classifier
from melanoma_core.reading.worklist import Worklist

LESIONS = [(lesion.file_name, lesion.path.read_bytes()) for lesion in DEMONSTRATION_LESIONS]
TEXT = ("notes.jpg", b"not a photograph")


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def worklist(unguarded_classifier: Classifier, clock: Clock) -> Worklist:
    worklist = Worklist(clock)
    worklist.add([*LESIONS[:4], TEXT])
    while worklist.read_next(unguarded_classifier):
        pass
    return worklist


def list_names(worklist: Worklist) -> list[str]:
    return [lesion.name for lesion in worklist.lesions]


def test_nothing_is_undone_where_nothing_was_removed(worklist):
    names = list_names(worklist)
    worklist.undo()
    worklist.remove([])
    assert list_names(worklist) == names


def test_several_are_removed_at_once_and_brought_back_in_their_places(worklist):
    names, lesions = list_names(worklist), worklist.lesions
    worklist.remove([lesions[1].key, lesions[2].key])
    assert list_names(worklist) == [names[0], names[3]]
    assert worklist.removal is not None
    assert worklist.removal.count == 2
    assert worklist.seconds_to_undo == 0
    worklist.undo()
    assert list_names(worklist) == names
    assert worklist.removal is None


def test_the_row_after_a_removed_open_one_is_opened(worklist):
    lesions = worklist.lesions
    worklist.open_lesion(lesions[1].key)
    worklist.remove([lesions[1].key])
    assert worklist.opened_lesion.name == lesions[2].name
    worklist.open_lesion(lesions[3].key)
    worklist.remove([lesions[3].key])
    assert worklist.opened_lesion.name == lesions[2].name


def test_a_lesion_is_removed_with_all_its_photographs_and_comes_back_whole(worklist):
    lesions = worklist.lesions
    worklist.combine([lesions[0].key, lesions[1].key], "left arm")
    worklist.remove([lesions[1].key])
    assert len(worklist.entries) == 2
    worklist.undo()
    assert "left arm" in list_names(worklist)
    assert len(worklist.lesions) == 3


def test_all_that_was_forgotten_comes_back_for_ten_seconds(worklist, clock):
    lesions = worklist.lesions
    worklist.combine([lesions[0].key, lesions[1].key], "left arm")
    names, num_bytes = list_names(worklist), worklist.num_bytes
    worklist.forget()
    assert (worklist.entries, worklist.refused) == ([], [])
    assert worklist.num_bytes == num_bytes
    clock.now += 9.9
    assert worklist.seconds_to_undo == pytest.approx(0.1)
    worklist.undo()
    assert list_names(worklist) == names
    assert [file.name for file in worklist.refused] == ["notes.jpg"]


def test_after_ten_seconds_nothing_is_left(worklist, clock):
    worklist.forget()
    clock.now += 10
    assert worklist.removal is None
    assert worklist.num_bytes == 0
    worklist.undo()
    assert worklist.entries == []


def test_the_memory_is_freed_though_no_page_asks(worklist, monkeypatch):
    monkeypatch.setattr("melanoma_core.reading.worklist.UNDO_SECONDS", 0.05)
    entries = [weakref.ref(entry) for entry in worklist.entries]
    worklist.forget()
    assert all(entry() is not None for entry in entries)
    time.sleep(0.5)
    assert worklist._removal is None
    assert [entry() for entry in entries] == [None] * len(entries)


def test_what_is_open_counts_as_looked_at_until_a_person_says_otherwise(worklist):
    worklist.look_at_opened()
    (key,) = worklist.looked_at
    assert key == worklist.opened_lesion.key
    worklist.mark(key, looked_at=False)
    worklist.look_at_opened()
    assert worklist.looked_at == frozenset()
    worklist.open_lesion(worklist.lesions[2].key)
    worklist.look_at_opened()
    assert worklist.looked_at == {worklist.lesions[2].key}


def test_while_photographs_wait_nothing_counts_as_looked_at(worklist):
    worklist.add(LESIONS[:1])
    worklist.look_at_opened()
    assert worklist.looked_at == frozenset()
