"""Turn what a person has typed into values; what is none stays a text, which validation names."""

from collections.abc import Mapping
from typing import Any

from melanoma_core.records.loop import AbcdRule, SevenPointChecklist
from melanoma_core.records.wording import SEVEN_POINTS

ABCD = {"asymmetry": (0, 2), "border": (0, 8), "colours": (1, 6), "structures": (1, 5)}
"""The counts of the ABCD rule with their smallest and largest values."""


def read_number(text: str | None) -> Any:
    """Return a number that was typed, with a decimal point or comma.

    Returns:
        The number; None for an empty text; the text itself if it is no number.

    >>> read_number("0,8"), read_number(" "), read_number("thin")
    (0.8, None, 'thin')
    """
    plain = (text or "").strip().replace(",", ".")
    if not plain:
        return None
    try:
        return float(plain)
    except ValueError:
        return text


def write_number(number: float | None) -> str:
    """Return a number as a person would type it.

    >>> write_number(0.8), write_number(None)
    ('0.8', '')
    """
    return "" if number is None else f"{number:g}"


def read_seven_points(ticked: Mapping[str, Any]) -> SevenPointChecklist:
    """Return a checklist of which these criteria are ticked."""
    return SevenPointChecklist(**{name: bool(ticked.get(name)) for name in SEVEN_POINTS})


def read_abcd(counts: Mapping[str, Any]) -> AbcdRule:
    """Return an ABCD rule with these counts; one that is missing is its smallest."""
    return AbcdRule(**{name: int(counts.get(name) or low) for name, (low, _) in ABCD.items()})


def read_whole(text: str | None) -> Any:
    """Return a whole number that was typed.

    Returns:
        The number; None for an empty text; the text itself if it is no whole number.

    >>> read_whole(" 1960"), read_whole(""), read_whole("1960.5")
    (1960, None, '1960.5')
    """
    plain = (text or "").strip()
    return int(plain) if plain.isascii() and plain.isdigit() else (text if plain else None)
