"""What is kept of a browser session: each has its own, for twelve hours."""

from dashboard.shared.kept import HOURS_KEPT, KeptSessions


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_is_not_used_for_twelve_hours_goes():
    clock = Clock()
    kept = KeptSessions(clock)
    kept.find("one")["who"] = "dr.a"
    clock.now = HOURS_KEPT * 3600
    assert kept.find("one") == {"who": "dr.a"}  # and counts as a use

    clock.now += HOURS_KEPT * 3600 + 1
    kept.find("other")
    assert kept.find("one") == {}


def test_of_too_many_sessions_the_one_that_was_not_used_for_longest_goes():
    kept = KeptSessions(Clock())
    kept.find("first")["who"] = "dr.a"
    kept.find("second")["who"] = "dr.b"
    kept.find("first")
    for number in range(999):
        kept.find(str(number))

    assert kept.find("first") == {"who": "dr.a"}
    assert kept.find("second") == {}
