"""Check the two registers of a record: of its entries, and of the images that they name.

Lists of entries go by the first, and the check and the removal of files by the second. So an entry
that one of them has lost would be hidden, or its photograph never be checked.
"""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from melanoma_core.records.faults import Fault, FaultKind
from melanoma_core.records.schema import ENTITY, IMAGE_USE, TABLES, to_entry
from melanoma_core.records.writing import list_images

_AT_ONCE = 1000  # rows in memory


def check_entities(connection: sa.Connection) -> Iterator[Fault]:
    """Yield the entries that the register of entries has lost, or knows as of another kind."""
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


def check_image_uses(connection: sa.Connection) -> Iterator[Fault]:
    """Yield the images that an entry names and that the register of images does not know."""
    for kind, table in TABLES.items():
        if not {"sha256", "photographs"} & set(table.columns.keys()):
            continue
        options = {"stream_results": True, "yield_per": _AT_ONCE}
        result = connection.execute(sa.select(table), execution_options=options).mappings()
        for rows in result.partitions():
            named = {(sha256, row["id"]) for row in rows for sha256 in _list_images(kind, row)}
            is_theirs = IMAGE_USE.c.entity_id.in_({row["id"] for row in rows})
            known = set(map(tuple, connection.execute(sa.select(IMAGE_USE).where(is_theirs))))
            for sha256, entry_id in sorted(named - known):
                yield Fault(
                    FaultKind.MISSING,
                    f"photograph {sha256}",
                    f"{kind.__name__} {entry_id} names the photograph {sha256}, which the register "
                    "of images does not know.",
                )


def _list_images(kind: type, row: Any) -> tuple[str, ...]:
    try:
        return list_images(to_entry(kind, row).value)
    except (ValueError, TypeError):
        return ()  # an altered row, which the check of versions names
