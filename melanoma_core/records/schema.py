"""The tables of a record: one for each kind of entry, made from its dataclass.

A row is one version of an entry and is never changed. The version after it, if there is one, has
the next number. `migrations/` holds the same tables as they were at each release.
"""

import hashlib
import json
import secrets
import types
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import partial
from typing import Any, Union, get_args, get_origin, get_type_hints

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from melanoma_core.jsonable import from_jsonable, to_jsonable
from melanoma_core.records.entry import Entry, Value

KINDS: dict[str, type[Any]] = {kind.__name__: kind for kind in Value.__constraints__}
_REFERENCE = "_id"  # ends the name of a field that names another entry
_NOT_REFERENCES = {"model_id"}
_INDEXED = {"pseudonym"}


class UtcDateTime(sa.TypeDecorator[datetime]):
    """A moment in UTC, which no database shifts."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return the moment as it is written."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return the moment as it was."""
        return None if value is None else value.replace(tzinfo=UTC)


METADATA = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _refer(name: str, *, nullable: bool = False, primary_key: bool = False) -> "sa.Column[str]":
    """Return a column that names an entry. The index makes erasing fast."""
    key = sa.ForeignKey("entity.id", deferrable=True)
    is_needed = primary_key or not nullable
    return sa.Column(
        name, sa.String(32), key, nullable=not is_needed, primary_key=primary_key, index=True
    )


# Every entry once, whatever its versions: what the others refer to. Its number is that of the entry
# of the audit log that added it, so it gives their order.
ENTITY = sa.Table(
    "entity",
    METADATA,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
)
LOG = sa.Table(
    "log",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("entry_id", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("previous", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False, index=True),
    sa.Index("ix_log_entry_id", "entry_id", "version"),
)
# Which entries hold which photographs, so that a file is removed with the last of them.
IMAGE_USE = sa.Table(
    "image_use",
    METADATA,
    sa.Column("sha256", sa.String(64), primary_key=True),
    _refer("entity_id", primary_key=True),
)
# Derived from the entries, and written again with them: what lesions wait for.
TASK = sa.Table(
    "task",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    _refer("patient_id"),
    _refer("lesion_id", nullable=True),
    sa.Column("entry_id", sa.Text, nullable=False),
    sa.Column("task", sa.Text, nullable=False),
    sa.Column("rank", sa.Integer, nullable=False),  # the negative severity: the first is the worst
    # Without AI readings that the doctor is not to see yet.
    sa.Column("shown_rank", sa.Integer, nullable=False, server_default="0"),
    sa.Column("shown_task", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.Column("due_on", sa.Date, nullable=False),
    sa.Column("pseudonym", sa.Text, nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("site", sa.Text, nullable=False),
    sa.Column("searched", sa.Text, nullable=False),  # pseudonym, label and site, case-folded
    sa.Index("ix_task_rank", "rank", "due_on", "pseudonym", "label", "id"),
    sa.Index("ix_task_shown_rank", "shown_rank", "due_on", "pseudonym", "label", "id"),
    # Filters and counts are answered from these alone.
    sa.Index("ix_task_task", "task", "due_on", "searched"),
    sa.Index("ix_task_shown_task", "shown_task", "due_on", "searched"),
)
# Holds a row within the transaction that erases a patient; only then do triggers let rows go.
ERASING = sa.Table("erasing", METADATA, sa.Column("patient_id", sa.String(32), primary_key=True))
# Photographs whose entries have been erased, until their files are gone too.
REMOVAL = sa.Table("removal", METADATA, sa.Column("sha256", sa.String(64), primary_key=True))


def _name_table(kind: type) -> str:
    name = kind.__name__
    return "".join(f"_{c.lower()}" if c.isupper() and n else c.lower() for n, c in enumerate(name))


def _strip_none(hint: Any) -> tuple[Any, bool]:
    """Return a type without None, and whether None was in it."""
    if get_origin(hint) not in {Union, types.UnionType}:
        return hint, False
    (inner,) = (each for each in get_args(hint) if each is not types.NoneType)
    return inner, True


_PLAIN: dict[type, Callable[[], sa.types.TypeEngine[Any]]] = {
    str: sa.Text,
    int: sa.Integer,
    float: sa.Double,
    bool: sa.Boolean,
    date: sa.Date,
}


def _make_column(name: str, hint: Any) -> "sa.Column[Any]":
    inner, optional = _strip_none(hint)
    if name.endswith(_REFERENCE) and name not in _NOT_REFERENCES:
        return _refer(name, nullable=optional)
    if inner in _PLAIN:
        return sa.Column(name, _PLAIN[inner](), nullable=optional, index=name in _INDEXED)
    if isinstance(inner, type) and issubclass(inner, StrEnum):
        return sa.Column(name, sa.Text, nullable=optional)
    return sa.Column(name, sa.JSON(none_as_null=True), nullable=optional)


def _make_table(kind: type) -> sa.Table:
    return sa.Table(
        _name_table(kind),
        METADATA,
        sa.Column(
            "id", sa.String(32), sa.ForeignKey("entity.id", deferrable=True), primary_key=True
        ),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("withdrawn", sa.Text, nullable=False),
        # Without it, the hash in the audit log would give away what an erased entry said.
        sa.Column("salt", sa.String(32), nullable=False),
        *(_make_column(name, hint) for name, hint in get_type_hints(kind).items()),
    )


TABLES = {kind: _make_table(kind) for kind in KINDS.values()}
"""The table of each kind of entry."""

REFERENCES = {
    kind: tuple(
        column.name for column in table.columns if column.foreign_keys and column.name != "id"
    )
    for kind, table in TABLES.items()
}
"""The fields of each kind that name another entry."""


def to_row(entry: Entry[Any]) -> dict[str, Any]:
    """Return a version of an entry as a row of its table, with a new salt."""
    value = entry.value
    return {
        "id": entry.id,
        "version": entry.version,
        "by": entry.by,
        "at": entry.at,
        "withdrawn": entry.withdrawn,
        "salt": secrets.token_hex(16),
        **{name: write(getattr(value, name)) for name, write in _WRITERS[type(value)].items()},
    }


def hash_row(row: Mapping[str, Any]) -> str:
    """Return the salted hash of all that a row says, as the audit log keeps it.

    Args:
        row: The row, as `to_row` returns it or as a database gives it back.

    Returns:
        SHA-256, hex.
    """
    return hashlib.sha256(dump_canonical(dict(row)).encode()).hexdigest()


def dump_canonical(value: Mapping[str, Any]) -> str:
    """Return the one JSON text of a row, with sorted keys, in ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_dump)


def _dump(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON")


def to_entry(kind: type[Any], row: Mapping[str, Any]) -> Entry[Any]:
    """Return the version of an entry that a row holds.

    Raises:
        ValueError: The row holds what no entry of this kind can.
        TypeError: So too.
    """
    value = kind(**{name: build(row[name]) for name, build in _BUILDERS[kind].items()})
    return Entry(
        id=row["id"],
        version=row["version"],
        by=row["by"],
        at=row["at"],
        value=value,
        withdrawn=row["withdrawn"],
    )


def _make_builder(hint: Any) -> Callable[[Any], Any]:
    inner, _ = _strip_none(hint)
    if inner in _PLAIN:
        return _keep
    if isinstance(inner, type) and issubclass(inner, StrEnum):
        return partial(_build_some, inner)
    return partial(_build_some, partial(from_jsonable, inner))


def _keep(raw: object) -> object:
    return raw


def _build_some(build: Callable[[Any], Any], raw: Any) -> Any:
    return None if raw is None else build(raw)


def _make_writer(hint: Any) -> Callable[[Any], Any]:
    inner, _ = _strip_none(hint)
    if inner is float:
        return partial(_build_some, float)  # a whole number comes back as 1.0, not as 1
    if isinstance(inner, type) and issubclass(inner, StrEnum):
        return partial(_build_some, str)  # some drivers would write the name, not the value
    return _keep if inner in _PLAIN else to_jsonable


_WRITERS = {
    kind: {name: _make_writer(hint) for name, hint in get_type_hints(kind).items()}
    for kind in KINDS.values()
}
_BUILDERS = {
    kind: {name: _make_builder(hint) for name, hint in get_type_hints(kind).items()}
    for kind in KINDS.values()
}
