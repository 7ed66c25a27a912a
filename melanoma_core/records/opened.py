"""Which record the pages have open: none, unless a person has opened one.

The settings name a record (MELANOMA_RECORD), or a person has opened one on a page. The latter is
remembered in a file of the folder of records, so that it is open again after a restart.
"""

import json
from enum import StrEnum
from pathlib import Path

from melanoma_core.access.rights import Right
from melanoma_core.access.subject import require
from melanoma_core.files import explain_write_errors, write_file
from melanoma_core.records.place import Place, find_place
from melanoma_core.settings import Settings

_REMEMBERED = "opened.json"


class Opened(StrEnum):
    """A record that a page can open; each has a folder of its own."""

    CLINIC = "clinic"
    DEMONSTRATION = "demonstration"


def find_opened(settings: Settings) -> Place | None:
    """Return the place of the record that is open; None if nothing is kept.

    The setting comes before what a person has opened on a page.
    """
    place = find_place(settings)
    if place is not None:
        return place
    opened = read_opened(settings)
    return Place(find_folder(settings, opened)) if opened is not None else None


def find_folder(settings: Settings, opened: Opened) -> Path:
    """Return the folder of a record that a page can open; the setting's for that of the clinic."""
    if opened is Opened.CLINIC and settings.record is not None:
        return settings.record
    return settings.records_dir / str(opened)


def has_record(settings: Settings, opened: Opened) -> bool:
    """Return whether there is a record already that a page can open."""
    return Place(find_folder(settings, opened)).database_file.is_file()


def read_opened(settings: Settings) -> Opened | None:
    """Return which record a person has opened on a page; None for none."""
    file = settings.records_dir / _REMEMBERED
    if not file.is_file():
        return None
    try:
        return Opened(json.loads(file.read_bytes())["opened"])
    except (OSError, ValueError, KeyError, TypeError):
        return None  # keeping nothing is the default


def remember_opened(settings: Settings, opened: Opened | None) -> None:
    """Remember which record is open; None closes it, and deletes nothing.

    Raises:
        FolderError: The file cannot be written.
    """
    require(Right.MANAGE_RECORD)
    file, advice = settings.records_dir / _REMEMBERED, "or set MELANOMA_RECORDS_DIR"
    with explain_write_errors(file, advice):
        file.parent.mkdir(parents=True, exist_ok=True)
    write_file(file, json.dumps({"opened": opened}).encode(), advice, several_writers=True)
