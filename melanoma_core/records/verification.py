"""Check that a record is what was written: its audit log, its entries, its photographs.

What is found: any entry of the audit log that was altered, removed or moved; entries removed at its
end, by the file `head.json` beside the database; any version of an entry that was altered, removed,
or written past the log; any entry that its register has lost or numbered otherwise, so that no list
shows it, or elsewhere; any photograph that is missing or altered; any table, trigger or function
that is not as this software makes it; a list of what waits that does not follow from the entries.

What is not found: who can write the database and the file can write the whole log again from some
point on, with hashes that fit. Against that, keep the hash that `melanoma records verify` prints
in another place, and give it to a later check. Entries that were added in the instant before a
process was killed may not yet be in the file, so that their removal is not found. Files that no
entry names are counted, and are no fault: a person who stops half-way leaves them too.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256 as hash_bytes
from typing import Any

import sqlalchemy as sa

from melanoma_core.errors import RecordError
from melanoma_core.progress import Progress
from melanoma_core.records import ledger
from melanoma_core.records.deriving import check_tasks
from melanoma_core.records.errors import RecordDamagedError
from melanoma_core.records.faults import Fault, FaultKind
from melanoma_core.records.images import ImageStore
from melanoma_core.records.ledger import Action
from melanoma_core.records.place import Place
from melanoma_core.records.protection import check_protection
from melanoma_core.records.registers import check_entities, check_image_uses, check_numbers
from melanoma_core.records.schema import IMAGE_USE, LOG, REMOVAL, TABLES, hash_row

_AT_ONCE = 1000  # rows in memory
_HASH = re.compile("[0-9a-f]{64}")
_WRITTEN = tuple(map(str, (Action.ADDED, Action.CORRECTED, Action.WITHDRAWN)))


@dataclass(frozen=True)
class Verification:
    """The result of a check.

    Attributes:
        faults: What is wrong; empty if nothing is.
        num_log_entries: Entries of the audit log.
        num_versions: Versions of entries.
        num_images: Photographs and heatmaps that entries name.
        num_unnamed: Files of photographs that no entry names: of a change that was not finished, or
            of an erased patient if the list of what is to be removed was altered.
        head: Hash of the last entry of the audit log, to be kept elsewhere.
    """

    faults: tuple[Fault, ...]
    num_log_entries: int
    num_versions: int
    num_images: int
    head: str
    num_unnamed: int = 0


@dataclass(frozen=True)
class Known:
    """The end of the audit log at an earlier check, as a person has kept it.

    Attributes:
        number: Number of its last entry then.
        hash: Hash of that entry.
    """

    number: int
    hash: str


def parse_known(text: str) -> Known | None:
    """Return the end of the audit log that a person has kept; None for an empty text.

    Args:
        text: Number and hash of an entry, as a check has shown them.

    Raises:
        RecordError: It is something else.

    >>> parse_known("12:" + "5f" * 32).number
    12
    """
    number, _, known = text.strip().partition(":")
    if not text.strip():
        return None
    if not number.isdecimal() or not _HASH.fullmatch(known):
        raise RecordError(
            f'Found "{text}" as the end of the audit log. It must be the number and the hash of an '
            "entry, as an earlier check has shown them: 12:5f3c…, with 64 digits after the colon. "
            "Copy them from there."
        )
    return Known(int(number), known)


@dataclass(frozen=True, kw_only=True)
class ImageCheck:
    """How the photographs of a record are checked.

    Attributes:
        images: The photographs.
        read: Whether to read each of them, or only to look whether it is there.
        progress: Progress callback, in photographs. An exception that it raises stops the work.
    """

    images: ImageStore
    read: bool = True
    progress: Progress | None = None


def verify(
    connection: sa.Connection, place: Place, images: ImageCheck, known: Known | None = None
) -> Verification:
    """Check a record, and name all that is wrong.

    Args:
        connection: A transaction that reads.
        place: Where the record is.
        images: How to check its photographs.
        known: The end of the log at an earlier check; None if none was kept.
    """
    number, head = ledger.read_end(connection)
    in_log = list(_read_through("audit log", _check_log(connection)))
    in_entries = [
        *_check_versions(connection),
        *_check_missing(connection),
        *_read_through("register of entries", check_entities(connection)),
        *(() if in_log else check_numbers(connection)),
    ]
    faults = [
        *_check_pages(connection),
        *check_protection(connection),
        *in_log,
        *_check_head(connection, place),
        *(_check_end(connection, known, "the hash that was kept") if known else ()),
        *in_entries,
        *_read_through("register of images", check_image_uses(connection)),
        # What follows from altered entries would say nothing.
        *(() if in_entries else _read_through("list of what waits", check_tasks(connection))),
        *_check_images(connection, images),
    ]
    return Verification(
        tuple(faults),
        number,
        sum(_count(connection, table) for table in TABLES.values()),
        _count_images(connection),
        head,
        _count_unnamed(connection, images.images),
    )


def _read_through(what: str, faults: Iterator[Fault]) -> Iterator[Fault]:
    """Yield faults; where a value in the database cannot even be read, that fault, and no more."""
    try:
        yield from faults
    except (ValueError, TypeError) as error:
        yield Fault(
            FaultKind.DAMAGED,
            f"the {what}",
            f"The {what} holds a value that cannot be read ({error}): it was altered. The rest of "
            "it was not checked.",
        )


def _count(connection: sa.Connection, table: sa.Table) -> int:
    return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def _count_images(connection: sa.Connection) -> int:
    query = sa.select(sa.func.count(sa.distinct(IMAGE_USE.c.sha256)))
    return connection.execute(query).scalar_one()


def _count_unnamed(connection: sa.Connection, images: ImageStore) -> int:
    named = set(connection.execute(sa.select(IMAGE_USE.c.sha256).distinct()).scalars())
    return sum(sha256 not in named for sha256, _ in images.list_files())


def _stream(connection: sa.Connection, query: sa.Select[Any]) -> Iterator[Any]:
    options = {"stream_results": True, "yield_per": _AT_ONCE}
    yield from connection.execute(query, execution_options=options).mappings()


def _check_pages(connection: sa.Connection) -> Iterator[Fault]:
    """Yield what SQLite itself finds wrong."""
    if connection.dialect.name == "sqlite":
        for (line,) in connection.exec_driver_sql("PRAGMA integrity_check(20)"):
            if line != "ok":
                yield Fault(FaultKind.DAMAGED, "the database", f"SQLite finds: {line}.")


def _check_log(connection: sa.Connection) -> Iterator[Fault]:
    """Follow the chain from its first entry to its last."""
    expected, previous = 1, ledger.NO_HASH
    for row in _stream(connection, sa.select(LOG).order_by(LOG.c.number)):
        number = row["number"]
        subject = f"entry {number} of the audit log"
        if number != expected:
            gap = str(expected) if number == expected + 1 else f"{expected} to {number - 1}"
            yield Fault(
                FaultKind.MISSING, f"entry {gap} of the audit log", f"Entry {gap} was removed."
            )
        elif row["previous"] != previous:
            yield _explain_break(connection, number, row["previous"])
        if ledger.hash_entry(dict(row)) != row["hash"]:
            yield Fault(
                FaultKind.ALTERED, subject, f"Entry {number} does not fit its hash: it was altered."
            )
        expected, previous = number + 1, row["hash"]


def _explain_break(connection: sa.Connection, number: int, previous: str) -> Fault:
    """Return why an entry does not follow on the one before."""
    query = sa.select(LOG.c.number).where(LOG.c.hash == previous)
    place = connection.execute(query).scalar()
    if place is not None or (previous == ledger.NO_HASH and number > 1):
        after = f"after entry {place}" if place is not None else "at the beginning"
        return Fault(
            FaultKind.MISPLACED,
            f"entry {number} of the audit log",
            f"Entry {number} was written {after}: it was moved.",
        )
    return Fault(
        FaultKind.MISSING,
        f"entry {number} of the audit log",
        f"Entry {number} does not follow on the one before: one between them was removed, or the "
        "one before was written again.",
    )


def _check_head(connection: sa.Connection, place: Place) -> Iterator[Fault]:
    """Compare the end of the log with the file beside the database."""
    head = ledger.read_head(place.head_file)
    if not place.head_file.exists() and ledger.read_end(connection)[0] == 1:
        return  # a process was killed between the creation and the file
    if head is None:
        yield Fault(
            FaultKind.MISSING,
            place.head_file.name,
            f"{place.head_file} is missing or damaged: it says where the audit log ends. The next "
            "change writes it again.",
        )
    elif head.record_id != ledger.read_record_id(connection):
        yield Fault(
            FaultKind.ALTERED,
            place.head_file.name,
            f"{place.head_file} is of another record, or the first entry of the log was altered.",
        )
    else:
        known = Known(head.number, head.hash)
        yield from _check_end(connection, known, place.head_file.name)


def _check_end(connection: sa.Connection, known: Known, source: str) -> Iterator[Fault]:
    last, _ = ledger.read_end(connection)
    if last < known.number:
        yield Fault(
            FaultKind.TRUNCATED,
            "the audit log",
            f"The audit log ends with entry {last}, but {source} knows entry {known.number}. "
            f"Removed at its end: {known.number - last}.",
        )
        return
    query = sa.select(LOG.c.hash).where(LOG.c.number == known.number)
    if connection.execute(query).scalar() != known.hash:
        yield Fault(
            FaultKind.ALTERED,
            f"entry {known.number} of the audit log",
            f"Entry {known.number} has another hash than {source} knows: the log was written "
            "again.",
        )


def _check_versions(connection: sa.Connection) -> Iterator[Fault]:
    """Compare each version of an entry with its hash in the log."""
    for kind, table in TABLES.items():
        yield from _read_through(f"table {table.name}", _check_table(connection, kind))


def _check_table(connection: sa.Connection, kind: type) -> Iterator[Fault]:
    table = TABLES[kind]
    is_its_entry = sa.and_(
        LOG.c.entry_id == table.c.id,
        LOG.c.version == table.c.version,
        LOG.c.kind == kind.__name__,
        LOG.c.action.in_(_WRITTEN),
    )
    query = sa.select(table, LOG.c.content.label("logged_content")).join_from(
        table, LOG, is_its_entry, isouter=True
    )
    for row in _stream(connection, query):
        fields = dict(row)
        logged = fields.pop("logged_content")
        subject = f"version {row['version']} of {kind.__name__} {row['id']}"
        if logged is None:
            yield Fault(
                FaultKind.UNLOGGED,
                subject,
                f"The audit log does not know {subject}: it was written outside of this software.",
            )
        elif _hash(fields) != logged:
            yield Fault(
                FaultKind.ALTERED,
                subject,
                f"What {subject} says does not fit its hash in the audit log: it was altered.",
            )


def _hash(row: dict[str, Any]) -> str:
    """Return the hash of a row; "" if it holds what has none."""
    try:
        return hash_row(row)
    except (ValueError, TypeError):
        return ""


def _check_missing(connection: sa.Connection) -> Iterator[Fault]:
    """Yield what the log has written, and what is neither there nor erased."""
    erased = LOG.alias("erased")
    is_erased = sa.exists().where(
        erased.c.entry_id == LOG.c.entry_id, erased.c.action == str(Action.ERASED)
    )
    for kind, table in TABLES.items():
        is_there = sa.exists().where(table.c.id == LOG.c.entry_id, table.c.version == LOG.c.version)
        columns = (LOG.c.number, LOG.c.version, LOG.c.entry_id)
        query = sa.select(*columns).where(
            LOG.c.kind == kind.__name__, LOG.c.action.in_(_WRITTEN), ~is_there, ~is_erased
        )
        for row in _stream(connection, query):
            subject = f"version {row['version']} of {kind.__name__} {row['entry_id']}"
            yield Fault(
                FaultKind.MISSING,
                subject,
                f"Entry {row['number']} of the audit log wrote {subject}, which is not there: it "
                "was removed.",
            )


def _check_images(connection: sa.Connection, check: ImageCheck) -> Iterator[Fault]:
    """Yield photographs that are missing or altered, and those that should be gone."""
    images, total = check.images, _count_images(connection)
    query = sa.select(IMAGE_USE.c.sha256).distinct().order_by(IMAGE_USE.c.sha256)
    for number, row in enumerate(_stream(connection, query), start=1):
        sha256 = row["sha256"]
        if check.progress:
            check.progress(number, total)
        path = images.find(sha256)
        if path is None:
            yield Fault(
                FaultKind.MISSING,
                f"photograph {sha256}",
                f"The file of the photograph {sha256} is missing.",
            )
        elif check.read and hash_bytes(path.read_bytes()).hexdigest() != sha256:
            yield Fault(FaultKind.ALTERED, f"photograph {sha256}", f"{path} was altered.")
    is_used = sa.exists().where(IMAGE_USE.c.sha256 == REMOVAL.c.sha256)
    for sha256 in connection.execute(sa.select(REMOVAL.c.sha256).where(~is_used)).scalars():
        if images.find(sha256) is not None:
            yield Fault(
                FaultKind.DAMAGED,
                f"photograph {sha256}",
                f"The photograph {sha256} was erased, but its file could not be removed. Remove "
                f"{images.find(sha256)}.",
            )


def report_damage(error: RecordDamagedError) -> Verification:
    """Return the result of a check that the database's damage has ended."""
    return Verification((Fault(FaultKind.DAMAGED, "the database", str(error)),), 0, 0, 0, "")
