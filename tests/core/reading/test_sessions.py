import pytest

from melanoma_core.reading.removal import Limit, Loss
from melanoma_core.reading.sessions import HOURS_KEPT, Sessions
from melanoma_core.reading.worklist import Worklist

HOUR = 3600.0


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def fill(worklist: Worklist, num_bytes: int) -> Worklist:
    worklist.add([("waiting.jpg", bytes(num_bytes))])
    return worklist


def test_each_key_has_a_worklist_of_its_own(clock):
    sessions = Sessions(clock=clock)
    first = fill(sessions.find("first"), 10)
    assert sessions.find("second").num_bytes == 0
    assert sessions.find("first") is first


def test_what_a_page_has_is_kept_unless_another_is(clock):
    sessions = Sessions(clock=clock)
    own = Worklist()
    assert sessions.find("key", own) is own
    assert sessions.find("key", Worklist()) is own


def test_photographs_are_deleted_four_hours_after_the_last_use(clock):
    sessions = Sessions(clock=clock)
    worklist = fill(sessions.find("key"), 10)
    clock.now += HOURS_KEPT * HOUR
    assert sessions.find("key") is worklist  # a use
    clock.now += HOURS_KEPT * HOUR + 1
    sessions.sweep()
    assert HOURS_KEPT == 4
    assert worklist.num_bytes == 0  # also in a page that is still open
    assert sessions.find("key") is not worklist


def test_the_sessions_unused_for_longest_lose_theirs_first_where_memory_is_short(clock):
    sessions = Sessions(100, clock)
    first, second = fill(sessions.find("first"), 40), fill(sessions.find("second"), 40)
    sessions.find("first")
    third = fill(sessions.find("third"), 40)
    sessions.find("third")
    assert [each.num_bytes for each in (first, second, third)] == [40, 0, 40]


def test_the_session_in_use_keeps_its_own_even_beyond_the_limit(clock):
    sessions = Sessions(100, clock)
    worklist = fill(sessions.find("key"), 200)
    assert sessions.find("key").num_bytes == 200
    assert sessions.find("key") is worklist


def test_there_are_never_more_than_a_thousand_sessions(clock):
    sessions = Sessions(clock=clock)
    first = sessions.find("0")
    for number in range(1, 1001):
        sessions.find(str(number))
    assert sessions.find("0") is not first


def test_a_reload_and_an_open_page_learn_what_was_deleted_and_why(clock):
    sessions = Sessions(clock=clock)
    opened = fill(sessions.find("key"), 10)
    clock.now += HOURS_KEPT * HOUR + 1
    sessions.sweep()
    assert opened.loss == Loss(1, Limit.TIME)
    assert sessions.find("key", Worklist()).loss == Loss(1, Limit.TIME)  # a reload
    assert sessions.find("key").loss == Loss(1, Limit.TIME)  # until it is dismissed
    assert sessions.find("other").loss is None


def test_new_photographs_end_the_message_about_lost_ones(clock):
    sessions = Sessions(100, clock)
    fill(sessions.find("key"), 60)
    fill(sessions.find("other"), 60)
    sessions.find("other")
    worklist = sessions.find("key")
    assert worklist.loss == Loss(1, Limit.MEMORY)
    assert fill(worklist, 10).loss is None
    assert sessions.find("key").loss is None


def test_an_empty_list_loses_nothing(clock):
    sessions = Sessions(clock=clock)
    sessions.find("key")
    clock.now += HOURS_KEPT * HOUR + 1
    assert sessions.find("key").loss is None


def test_a_loss_that_was_not_yet_seen_outlasts_another_limit(clock):
    sessions = Sessions(clock=clock)
    fill(sessions.find("key"), 10)
    for _ in range(2):
        clock.now += HOURS_KEPT * HOUR + 1
        assert sessions.find("key").loss == Loss(1, Limit.TIME)
