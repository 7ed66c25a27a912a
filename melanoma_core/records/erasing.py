"""The one way in which entries leave a record: a patient is erased, and the audit log says so.

    with record.erasing(patient_id, by="dr.a") as erasure:
        erasure.remove(Histology, histology.id)
        …
        erasure.remove(Patient, patient_id)

All of it is one transaction. Its log has one entry for each that went, with its kind and its id,
which is random. Older entries of the log stay, since the chain needs them. They hold ids, and
hashes that were salted: the salts go with the rows, so that no hash can be tried against a guess.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import sqlalchemy as sa

from melanoma_core.access.subject import check_signature
from melanoma_core.errors import RecordError
from melanoma_core.lookalikes.embeddings import forget_files
from melanoma_core.records import ledger
from melanoma_core.records.errors import UnknownEntryError
from melanoma_core.records.images import ImageStore
from melanoma_core.records.ledger import Action, LogEntry
from melanoma_core.records.place import LOOKALIKES
from melanoma_core.records.schema import ENTITY, ERASING, IMAGE_USE, REMOVAL, TABLES, TASK


class Erasure:
    """What is erased at once.

    Args:
        patient_id: Id of the patient.
        by: Who erases.
    """

    def __init__(self, patient_id: str, by: str) -> None:
        if not by.strip():
            raise RecordError("The record keeps who erased what. Give a name.")
        check_signature(by)
        self.patient_id = patient_id
        self.by = by
        self._entries: dict[str, type] = {}

    def remove(self, kind: type, entry_id: str) -> None:
        """Erase all versions of an entry.

        Args:
            kind: Its kind.
            entry_id: Its id.
        """
        self._entries[entry_id] = kind

    @property
    def entries(self) -> dict[str, type]:
        """The kind of each entry, by its id."""
        return self._entries


def write_erasure(connection: sa.Connection, erasure: Erasure) -> tuple[int, str]:
    """Erase within a transaction that writes. The files of photographs go later.

    Returns:
        Number and hash of the last entry of the audit log.

    Raises:
        UnknownEntryError: An entry is not there, or another that stays names it.
    """
    ids = list(erasure.entries)
    connection.execute(sa.insert(ERASING), {"patient_id": erasure.patient_id})
    is_sqlite = connection.dialect.name == "sqlite"
    # Entries name each other, so their references are checked when all of them are gone.
    connection.exec_driver_sql(
        "PRAGMA defer_foreign_keys=ON" if is_sqlite else "SET CONSTRAINTS ALL DEFERRED"
    )
    _remove_image_uses(connection, ids)
    for entry_id, kind in erasure.entries.items():
        table = TABLES[kind]
        connection.execute(sa.delete(TASK).where(TASK.c.lesion_id == entry_id))
        connection.execute(sa.delete(TASK).where(TASK.c.patient_id == entry_id))
        connection.execute(sa.delete(TASK).where(TASK.c.entry_id == entry_id))
        connection.execute(sa.delete(table).where(table.c.id == entry_id))
        gone = connection.execute(sa.delete(ENTITY).where(ENTITY.c.id == entry_id))
        if gone.rowcount != 1:
            raise UnknownEntryError(
                f"The {kind.__name__.lower()} that was to be erased is not in the record. Nothing "
                "was erased. Load the page again."
            )
    now = datetime.now(UTC)
    number, last_hash = ledger.append(
        connection,
        [
            LogEntry(
                at=now,
                by=erasure.by,
                action=Action.ERASED,
                kind=kind.__name__,
                entry_id=entry_id,
            )
            for entry_id, kind in erasure.entries.items()
        ],
    )
    connection.execute(sa.delete(ERASING))
    return number + len(ids) - 1, last_hash


def _remove_image_uses(connection: sa.Connection, ids: Sequence[str]) -> None:
    """Remember which photographs no entry names any more, for their files to be removed."""
    hashes: set[str] = set()
    for entry_id in ids:
        is_its_use = IMAGE_USE.c.entity_id == entry_id
        hashes |= set(connection.execute(sa.select(IMAGE_USE.c.sha256).where(is_its_use)).scalars())
        connection.execute(sa.delete(IMAGE_USE).where(is_its_use))
    known = set(connection.execute(sa.select(REMOVAL.c.sha256)).scalars())
    for sha256 in sorted(hashes - known):
        is_used = sa.select(IMAGE_USE.c.sha256).where(IMAGE_USE.c.sha256 == sha256).limit(1)
        if connection.execute(is_used).first() is None:
            connection.execute(sa.insert(REMOVAL), {"sha256": sha256})


def finish_removals(connection: sa.Connection, images: ImageStore) -> None:
    """Remove the files of erased photographs, within a transaction that writes.

    No other process adds an entry meanwhile. So a photograph that was added again in between is
    kept: an entry names it.

    Raises:
        FolderError: A file cannot be removed.
    """
    waiting = connection.execute(sa.select(REMOVAL.c.sha256)).scalars().all()
    is_used = sa.select(IMAGE_USE.c.sha256).where(IMAGE_USE.c.sha256.in_(waiting))
    gone = set(waiting) - set(connection.execute(is_used).scalars())
    forget_files(images.folder.parent / LOOKALIKES, gone)
    for sha256 in sorted(gone):
        images.remove(sha256)
    connection.execute(sa.delete(REMOVAL).where(REMOVAL.c.sha256.in_(waiting)))
