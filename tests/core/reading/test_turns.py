import threading
import time

import pytest

from melanoma_core.reading.turns import Turns


def start(work) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def wait_for(condition) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


@pytest.mark.parametrize("num_slots", [1, 2])
def test_no_more_than_the_slots_have_a_turn_at_once(num_slots: int):
    turns, lock, at_once, most = Turns(num_slots), threading.Lock(), 0, 0

    def work() -> None:
        nonlocal at_once, most
        for _ in range(3):
            with turns.take():
                with lock:
                    at_once += 1
                    most = max(most, at_once)
                time.sleep(0.002)
                with lock:
                    at_once -= 1

    for thread in [start(work) for _ in range(20)]:
        thread.join()
    assert most == num_slots


def test_a_person_with_one_photograph_waits_for_one_of_each_other_person_only():
    turns, order, people = Turns(1), [], []
    with turns.take():

        def read(name: str, number: int) -> None:
            for _ in range(number):
                with turns.take():
                    order.append(name)

        for count, (name, number) in enumerate([("many", 9), ("two", 2), ("one", 1)], start=1):
            people.append(start(lambda name=name, number=number: read(name, number)))
            wait_for(lambda count=count: len(turns._waiting) == count)
    for person in people:
        person.join()

    assert order[:5] == ["many", "two", "one", "many", "two"]
    assert order[5:] == ["many"] * 7


def test_those_who_wait_are_shown_how_many_are_before_them():
    turns, shown = Turns(1), []
    with turns.take():
        first = start(lambda: take(turns))
        wait_for(lambda: len(turns._waiting) == 1)
        second = start(lambda: take(turns, shown.append))
        wait_for(lambda: shown)
    first.join()
    second.join()
    assert shown[0] == 1


def test_who_gives_up_leaves_the_queue_and_who_fails_gives_the_turn_back():
    turns = Turns(1)

    def give_up(_: int) -> None:
        raise KeyboardInterrupt

    with turns.take(), pytest.raises(KeyboardInterrupt), turns.take(give_up):
        pass
    with pytest.raises(ValueError, match="broken"), turns.take():
        raise ValueError("broken")

    take(turns)


def take(turns: Turns, report=None) -> None:
    with turns.take(report):
        pass
