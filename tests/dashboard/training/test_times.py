import pytest

from dashboard.training.times import format_time, render_time

TIME = "2026-11-20T23:34:00.000+00:00"


def test_a_time_is_in_the_zone_of_the_browser_with_utc_on_hover():
    assert format_time(TIME, "America/New_York") == "2026-11-20 18:34"
    assert format_time(TIME, "Asia/Kolkata") == "2026-11-21 05:04"
    assert 'title="2026-11-20 23:34 UTC">2026-11-21 05:04<' in render_time(TIME, "Asia/Kolkata")


@pytest.mark.parametrize("zone", [None, "", "Mars/Olympus", "../../etc/passwd", "/etc/passwd"])
def test_without_a_known_zone_a_time_is_in_utc(zone):
    assert format_time(TIME, zone) == "2026-11-20 23:34 UTC"
