"""How the text of each environment variable becomes a value."""

import json
import math
import os
from pathlib import Path

from melanoma_core.errors import SettingsError

FIRST_READS = ("doctor first", "together", "off")
"""Whether a doctor reads a lesion of the record before the AI reading is shown."""


def parse_text(_: str, text: str) -> str:
    """Return the value of a variable: text."""
    return text


def parse_optional_text(_: str, text: str) -> str | None:
    """Return the value of a variable: optional text."""
    return text or None


def parse_folder(_: str, text: str) -> Path:
    """Return the value of a variable: folder."""
    return Path(text)


def parse_absolute_folder(_: str, text: str) -> Path:
    """Return the value of a variable: absolute folder."""
    return Path(text).absolute()


def parse_optional_folder(_: str, text: str) -> Path | None:
    """Return the value of a variable: optional folder."""
    return Path(text) if text else None


def parse_files(_: str, text: str) -> tuple[Path, ...]:
    """Return the value of a variable: files."""
    return tuple(Path(each).absolute() for each in text.split(os.pathsep) if each)


def parse_count(variable: str, text: str) -> int:
    """Return the value of a variable: count."""
    if not text.isdecimal() or int(text) < 1:
        raise SettingsError(
            f'Found {variable}="{text}". It must be a whole number of at least 1. Change it.'
        )
    return int(text)


def parse_flag(variable: str, text: str) -> bool:
    """Return the value of a variable: flag."""
    if text not in {"0", "1"}:
        raise SettingsError(f'Found {variable}="{text}". It must be 0 or 1. Change it.')
    return text == "1"


def parse_minutes(variable: str, text: str) -> float:
    """Return the value of a variable: minutes."""
    try:
        minutes = float(text)
    except ValueError:
        minutes = math.nan
    if not 0 <= minutes < math.inf:
        raise SettingsError(
            f'Found {variable}="{text}". It must be a number of minutes, such as 30, or 0 for no '
            "end. Change it."
        )
    return minutes


def parse_groups(variable: str, text: str) -> dict[str, tuple[str, ...]] | None:
    """Return the value of a variable: groups."""
    if not text:
        return None
    try:
        groups = json.loads(text)
        parsed = {str(name): tuple(map(str, roles)) for name, roles in groups.items()}
        is_valid = all(isinstance(roles, list) for roles in groups.values())
    except (ValueError, TypeError, AttributeError):
        is_valid = False
    if not is_valid:
        raise SettingsError(
            f"Found {variable}='{text}'. It must be a JSON object with the roles of each group, "
            'such as {"Dermatology": ["reader"], "IT": ["trainer", "steward"]}. Change it.'
        )
    return parsed


def parse_first_read(variable: str, text: str) -> str:
    """Return the value of a variable: first read."""
    if text not in FIRST_READS:
        raise SettingsError(
            f'Found {variable}="{text}". It must be one of: {", ".join(FIRST_READS)}. Change it.'
        )
    return text


def parse_share(variable: str, text: str) -> float:
    """Return the value of a variable: share."""
    try:
        share = float(text)
    except ValueError:
        share = math.nan
    if not 0 <= share <= 1:
        raise SettingsError(
            f'Found {variable}="{text}". It must be a number from 0 to 1, such as 0.05. Change it.'
        )
    return share


def parse_prevalence(name: str, text: str) -> tuple[float, ...] | None:
    """Return the shares of melanoma and of skin cancer that a text such as "0.02,0.08" gives.

    Args:
        name: What the text is called, for the error.
        text: The share of melanoma, from 0 to 1, or both, that of skin cancer at least as large; ""
            for none.

    Returns:
        One share or two.

    Raises:
        SettingsError: The text is something else.

    Example:
        >>> parse_prevalence("prevalence", "0.02,0.08"), parse_prevalence("prevalence", "0.02")
        ((0.02, 0.08), (0.02,))
    """
    if not text:
        return None
    try:
        shares = tuple(map(float, text.split(",")))
    except ValueError:
        shares = ()
    is_possible = 1 <= len(shares) <= 2 and all(0 <= share <= 1 for share in shares)
    if not is_possible or shares[0] > shares[-1]:
        raise SettingsError(
            f'Found {name}="{text}". It must be the share of melanomas among the lesions, from 0 '
            "to 1, such as 0.02, or that of melanomas and that of skin cancers, such as 0.02,0.08. "
            "Every melanoma is a skin cancer, so the second is at least as large. Change it."
        )
    return shares
