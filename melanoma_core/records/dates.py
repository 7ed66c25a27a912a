"""How a day is written for a person: 27 Nov 2026, in every language of the machine.

Files, tables and addresses hold the same day as 2026-11-27.
"""

from datetime import date, datetime

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def write_day(day: date) -> str:
    """Return a day for a person.

    >>> write_day(date(2026, 5, 8))
    '8 May 2026'
    """
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def write_moment(at: datetime) -> str:
    """Return a moment for a person, in its own time zone.

    >>> write_moment(datetime(2026, 11, 27, 9, 5))
    '27 Nov 2026, 09:05'
    """
    return f"{write_day(at)}, {at:%H:%M}"


def write_partial(text: str) -> str:
    """Return a year, a month or a day that is kept as text, for a person; else the text itself.

    >>> write_partial("2024"), write_partial("2024-05"), write_partial("2024-05-31")
    ('2024', 'May 2024', '31 May 2024')
    """
    try:
        if len(text) == len("2024-05"):
            return write_day(date.fromisoformat(f"{text}-01")).partition(" ")[2]
        return write_day(date.fromisoformat(text)) if "-" in text else text
    except ValueError:
        return text
