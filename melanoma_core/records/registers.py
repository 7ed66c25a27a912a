"""Check the registers of a record: of its entries, and of the images that they name.

Lists of entries go by the first, and the check and the removal of files by the second. So an entry
that one of them has lost would be hidden, or its photograph never be checked. An entry with another
number would be listed in another place.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from melanoma_core.records.faults import Fault, FaultKind
from melanoma_core.records.ledger import Action
from melanoma_core.records.schema import ENTITY, IMAGE_USE, LOG, REMOVAL, TABLES, to_entry
from melanoma_core.records.writing import list_images

_AT_ONCE = 1000  # rows in memory
# The kinds of entries that name images.
_KINDS = tuple(
    kind for kind, table in TABLES.items() if {"sha256", "photographs"} & set(table.columns.keys())
)


def check_entities(connection: sa.Connection) -> Iterator[Fault]:
    """Yield where the register of entries differs from the entries."""
    yield from _find_lost(connection)
    yield from _find_unknown(connection)


def check_numbers(connection: sa.Connection) -> Iterator[Fault]:
    """Yield the entries whose number is not that of the entry of the log that added them.

    The log must be whole.
    """
    is_added = sa.and_(
        LOG.c.entry_id == ENTITY.c.id, LOG.c.version == 1, LOG.c.action == str(Action.ADDED)
    )
    query = (
        sa.select(ENTITY.c.kind, ENTITY.c.id, ENTITY.c.number, LOG.c.number.label("logged"))
        .join_from(ENTITY, LOG, is_added)
        .where(LOG.c.number != ENTITY.c.number)
    )
    for row in connection.execute(query):
        subject = f"{row.kind} {row.id}"
        yield Fault(
            FaultKind.MISPLACED,
            subject,
            f"The register of entries gives {subject} the number {row.number}. Entry {row.logged} "
            "of the audit log added it: its number was altered, which changes its place in lists.",
        )


def _find_lost(connection: sa.Connection) -> Iterator[Fault]:
    """Yield the entries that the register has lost, or knows as of another kind."""
    for kind, table in TABLES.items():
        name = kind.__name__
        query = (
            sa.select(table.c.id, ENTITY.c.kind)
            .join_from(table, ENTITY, ENTITY.c.id == table.c.id, isouter=True)
            .where(table.c.version == 1, sa.or_(ENTITY.c.id.is_(None), ENTITY.c.kind != name))
        )
        for row in connection.execute(query):
            subject = f"{name} {row.id}"
            if row.kind is None:
                text = f"{subject} is in no list: the register of entries has lost it."
                yield Fault(FaultKind.MISSING, subject, text)
            else:
                text = f"The register of entries knows {subject} as of another kind."
                yield Fault(FaultKind.ALTERED, subject, text)


def _find_unknown(connection: sa.Connection) -> Iterator[Fault]:
    """Yield what the register knows, but neither a table nor the log; or what was erased."""
    are_gone = [~sa.exists().where(table.c.id == ENTITY.c.id) for table in TABLES.values()]
    added, erased = (
        sa.exists().where(LOG.c.entry_id == ENTITY.c.id, LOG.c.action == str(action))
        for action in (Action.ADDED, Action.ERASED)
    )
    for row in connection.execute(sa.select(ENTITY).where(*are_gone, sa.or_(~added, erased))):
        subject = f"{row.kind} {row.id}"
        text = f"The register of entries knows {subject}, of which there is no version."
        yield Fault(FaultKind.ALTERED, subject, text)


def check_image_uses(connection: sa.Connection) -> Iterator[Fault]:
    """Yield where the register of images differs from the images that entries name."""
    yield from _find_unregistered(connection)
    yield from _find_unnamed(connection)
    yield from _find_wrong_removals(connection)


def _find_unregistered(connection: sa.Connection) -> Iterator[Fault]:
    """Yield the images that an entry names and that the register does not know."""
    for kind in _KINDS:
        for rows in _read_in_parts(connection, sa.select(TABLES[kind])):
            named = _list_named(kind, rows)
            is_theirs = IMAGE_USE.c.entity_id.in_({row["id"] for row in rows})
            known = set(map(tuple, connection.execute(sa.select(IMAGE_USE).where(is_theirs))))
            for sha256, entry_id in sorted(named - known):
                yield Fault(
                    FaultKind.MISSING,
                    f"photograph {sha256}",
                    f"{kind.__name__} {entry_id} names the photograph {sha256}, which the register "
                    "of images does not know.",
                )


def _find_unnamed(connection: sa.Connection) -> Iterator[Fault]:
    """Yield what the register of images says of an entry that does not name the image."""
    for uses in _read_in_parts(connection, sa.select(IMAGE_USE)):
        known = {(use["sha256"], use["entity_id"]) for use in uses}
        for kind in _KINDS:
            is_theirs = TABLES[kind].c.id.in_({entry_id for _, entry_id in known})
            rows = connection.execute(sa.select(TABLES[kind]).where(is_theirs)).mappings().all()
            known -= _list_named(kind, rows)
        for sha256, entry_id in sorted(known):
            yield Fault(
                FaultKind.ALTERED,
                f"photograph {sha256}",
                f"The register of images says that the entry {entry_id} names the photograph "
                f"{sha256}, which it does not.",
            )


def _find_wrong_removals(connection: sa.Connection) -> Iterator[Fault]:
    """Yield the images that are to be removed although an entry names them."""
    query = sa.select(REMOVAL.c.sha256).where(
        sa.exists().where(IMAGE_USE.c.sha256 == REMOVAL.c.sha256)
    )
    for sha256 in connection.execute(query).scalars():
        yield Fault(
            FaultKind.ALTERED,
            f"photograph {sha256}",
            f"The list of photographs to be removed names {sha256}, which an entry names too. Its "
            "file stays. The next start of the dashboard takes it off the list.",
        )


def _read_in_parts(connection: sa.Connection, query: sa.Select[Any]) -> Iterator[Sequence[Any]]:
    options = {"stream_results": True, "yield_per": _AT_ONCE}
    yield from connection.execute(query, execution_options=options).mappings().partitions()


def _list_named(kind: type, rows: Sequence[Any]) -> set[tuple[str, str]]:
    """Return each image that rows name, with the id of the entry."""
    return {(sha256, row["id"]) for row in rows for sha256 in _list_images(kind, row)}


def _list_images(kind: type, row: Any) -> tuple[str, ...]:
    try:
        return list_images(to_entry(kind, row).value)
    except (ValueError, TypeError):
        return ()  # an altered row, which the check of versions names
