"""What `export dicom` and `export fhir` share: which record, and who takes a lesion out of it."""

import argparse
import getpass
from pathlib import Path
from typing import TYPE_CHECKING

from melanoma_core.errors import SettingsError
from melanoma_core.settings import load_settings

if TYPE_CHECKING:
    from melanoma_core.records.store import Record


def add_record_options(parser: argparse.ArgumentParser, *, is_required: bool = False) -> None:
    """Add the options that name a lesion of a record.

    Args:
        parser: Of the command.
        is_required: Whether a lesion must be named.
    """
    parser.add_argument(
        "--lesion",
        default="",
        required=is_required,
        metavar="ID",
        help="id of a lesion of the record, as the address of its page has it",
    )
    parser.add_argument(
        "--record", type=Path, metavar="FOLDER", help="of the record; default: MELANOMA_RECORD"
    )
    parser.add_argument(
        "--url", default="", metavar="URL", help="PostgreSQL database of the record"
    )
    parser.add_argument(
        "--by", default="", metavar="NAME", help="your name, which the audit log keeps"
    )


def open_record(options: argparse.Namespace) -> "Record":
    """Open the record that the options name.

    Raises:
        SettingsError: None is named.
        RecordError: It cannot be read.
    """
    from melanoma_core.records.place import Place
    from melanoma_core.records.store import Record

    settings = load_settings()
    folder = options.record or settings.record
    if folder is None:
        raise SettingsError(
            "No record was named. Name its folder with --record, or set MELANOMA_RECORD to it."
        )
    return Record.open(Place(folder, options.url or settings.record_url or ""))


def get_who(options: argparse.Namespace) -> str:
    """Return who takes the lesion out, for the audit log."""
    return options.by or getpass.getuser()
