"""Times of runs in the time zone of the browser, with UTC beside them. No Streamlit call."""

from datetime import UTC, datetime, tzinfo
from functools import cache
from html import escape
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def format_time(when: str, zone: str | None = None) -> str:
    """Return an ISO 8601 time to the minute, in a time zone.

    Args:
        when: The time, with its offset.
        zone: Name of the time zone, from the browser; None, or one that is not known, for UTC.

    >>> format_time("2026-11-20T13:34:00.000+00:00", "Asia/Tokyo")
    '2026-11-20 22:34'
    >>> format_time("2026-11-20T13:34:00.000+00:00")
    '2026-11-20 13:34 UTC'
    """
    found = find_zone(zone)
    text = f"{datetime.fromisoformat(when).astimezone(found):%Y-%m-%d %H:%M}"
    return f"{text} UTC" if found is UTC else text


def render_time(when: str, zone: str | None = None) -> str:
    """Render a time as `format_time` does, with UTC on hover.

    >>> render_time("2026-11-20T13:34+00:00", "Asia/Tokyo")
    '<time datetime="2026-11-20T13:34+00:00" title="2026-11-20 13:34 UTC">2026-11-20 22:34</time>'
    """
    return (
        f'<time datetime="{escape(when)}" title="{format_time(when)}">'
        f"{format_time(when, zone)}</time>"
    )


@cache
def find_zone(name: str | None) -> tzinfo:
    """Return a time zone by its name; UTC if it has none or is not known."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC
