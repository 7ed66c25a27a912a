"""Make the folder and the database of a record, find them again, and bring them up to date."""

from dataclasses import replace
from pathlib import Path

from melanoma_core.errors import FolderError
from melanoma_core.files import explain_write_errors
from melanoma_core.records import deriving, ledger, migrations
from melanoma_core.records.database import Database
from melanoma_core.records.errors import NoRecordError, RecordVersionError
from melanoma_core.records.ledger import Head, LogEntry
from melanoma_core.records.place import Place

_PRIVATE = 0o700  # patients' photographs are for no one else on this machine
# What a record has in its folder, or a creation that was killed.
_OWN_FILES = ("record.sqlite", "head.json", ".head.json", "images")


def make_place(place: Path | Place) -> Place:
    """Return the place of a record, whose database is in its folder if none is named."""
    return place if isinstance(place, Place) else Place(place)


def create_database(place: Place, entry: LogEntry) -> Database:
    """Make the folder and the database of a record, all of it or nothing.

    Args:
        place: A new or empty folder, with an empty PostgreSQL database or none.
        entry: The first entry of its audit log, with the id of the record.

    Raises:
        FolderError: There is a record already, or the folder has other files in it.
        RecordError: The database cannot be made.
    """
    _make_folder(place)
    database = Database(place)
    try:
        if not place.url:
            database.use_write_ahead_log()
        with database.write() as connection:
            if migrations.find_current(connection) is not None:
                raise FolderError(
                    f"There is a record in {place.folder} already. Open it, or choose another "
                    "folder."
                )
            migrations.upgrade(connection)
            number, last_hash = ledger.append(connection, [entry])
        ledger.write_head(place.head_file, Head(entry.entry_id, number, last_hash))
    except BaseException:
        database.close()
        raise
    return database


def open_database(place: Place) -> Database:
    """Open the database of a record, of whatever version.

    Raises:
        NoRecordError: There is none.
    """
    if not place.folder.is_dir() or not (place.url or place.database_file.is_file()):
        raise NoRecordError(
            f"There is no record in {place.folder}. Create one with `melanoma records create "
            f"{place.folder}`, or correct MELANOMA_RECORD."
        )
    return Database(place)


def upgrade_database(place: Place, entry: LogEntry) -> tuple[str, ...]:
    """Bring the tables of a record to this version of the software; all of it, or nothing.

    Args:
        place: Where it is.
        entry: The entry of the audit log: who does it, and when.

    Returns:
        The versions of the tables that were gone through; empty if they were the newest.

    Raises:
        RecordError: There is no record, it is of a newer version, or it cannot be written.
    """
    database = open_database(place)
    try:
        check_version(database, may_be_old=True)
        with database.write() as connection:
            steps = migrations.upgrade(connection)
            if not steps:
                return ()
            detailed = replace(entry, detail=f"to version {steps[-1]}")
            number, last_hash = ledger.append(connection, [detailed])
            head = Head(ledger.read_record_id(connection), number, last_hash)
            deriving.rebuild(connection)
        ledger.write_head(place.head_file, head)
        return steps
    finally:
        database.close()


def check_version(database: Database, *, may_be_old: bool = False) -> None:
    """Refuse a database whose tables this software does not know.

    Raises:
        NoRecordError: It holds no record.
        RecordVersionError: It is of a newer version, or of an older one that must be upgraded.
    """
    folder = database.place.folder
    with database.read() as connection:
        version = migrations.find_current(connection)
    if version is None:
        raise NoRecordError(
            f"There is a database in {folder}, but no record in it: its creation was interrupted, "
            f"or it is another program's. Run `melanoma records create {folder}`, or name another "
            "folder."
        )
    if not migrations.is_known(version):
        raise RecordVersionError(
            f"The record in {folder} was written by a newer version of this software (its tables "
            f"have version {version}, and at most {migrations.find_newest()} can be read). Install "
            "the newer version. Nothing was changed."
        )
    if version != migrations.find_newest() and not may_be_old:
        raise RecordVersionError(
            f"The record in {folder} was written by an older version of this software. Copy the "
            f"folder, then run `melanoma records upgrade {folder}`."
        )


def _make_folder(place: Place) -> None:
    with explain_write_errors(place.folder, "or choose another folder"):
        place.folder.mkdir(parents=True, exist_ok=True)
        names = sorted(each.name for each in place.folder.iterdir())
        others = [name for name in names if not name.startswith(_OWN_FILES)]
        if others:
            raise FolderError(
                f"{place.folder} has files in it, such as {others[0]}. A record needs a new or "
                "empty folder of its own. Name another one."
            )
        place.folder.chmod(_PRIVATE)
        place.images_folder.mkdir(exist_ok=True)
