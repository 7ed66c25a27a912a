"""Check that a database is as this software makes it: its tables, and what protects their rows.

The triggers and functions are compared with the words in which the migrations make them. So one
that was taken away, switched off or replaced by an empty one is found.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from melanoma_core.records import migrations
from melanoma_core.records.faults import Fault, FaultKind
from melanoma_core.records.schema import ERASING, METADATA

_TRIGGER = re.compile(r"CREATE TRIGGER (\w+) .*? ON (\w+) ", re.DOTALL)
_FUNCTION = re.compile(r"CREATE (?:OR REPLACE )?FUNCTION (?:[\w\"]+\.)?(\w+)\(")
_DOES = {"update": "to update", "delete": "to delete"}


@dataclass(frozen=True)
class _Protection:
    """What keeps rows as they are.

    Attributes:
        triggers: Their words, by table and name.
        functions: Their words, by name; PostgreSQL alone has them.
    """

    triggers: dict[tuple[str, str], str] = field(default_factory=dict)
    functions: dict[str, str] = field(default_factory=dict)


def check_protection(connection: sa.Connection) -> Iterator[Fault]:
    """Yield what of the tables is not as it was made, and what lets their rows be changed."""
    yield from _check_version(connection)
    yield from _check_tables(connection)
    is_sqlite = connection.dialect.name == "sqlite"
    expected = _read_expected(connection.dialect.name)
    found = _read_sqlite(connection) if is_sqlite else _read_postgresql(connection, expected)
    yield from _compare_triggers(expected.triggers, found.triggers)
    for name, words in expected.functions.items():
        if found.functions.get(name) != words:
            yield _make(f"the function {name}", "was replaced: it lets rows be changed")
    if not is_sqlite:
        yield from _check_evasions(connection)
    if connection.execute(sa.select(ERASING)).first() is not None:
        yield _make(
            f"the table {ERASING.name}",
            "holds a row, which lets rows of other tables be removed. Only the transaction that "
            "erases a patient may hold one. Remove it",
        )


def _make(subject: str, what: str) -> Fault:
    return Fault(FaultKind.UNPROTECTED, subject, f"{subject[0].upper()}{subject[1:]} {what}.")


def _check_version(connection: sa.Connection) -> Iterator[Fault]:
    version, newest = migrations.find_current(connection), migrations.find_newest()
    if version != newest:
        yield Fault(
            FaultKind.ALTERED,
            "the version of the tables",
            f"The database says that its tables have version {version}. This software makes and "
            f"reads version {newest}.",
        )


def _check_tables(connection: sa.Connection) -> Iterator[Fault]:
    """Yield the tables whose columns, keys or indexes are others."""
    options = {
        "compare_type": True,
        "compare_server_default": True,
        "target_metadata": METADATA,
        "include_object": _is_of_record,
    }
    context = MigrationContext.configure(connection, opts=options)
    names = {_find_table(each) for each in compare_metadata(context, METADATA)}
    inspector = sa.inspect(connection)
    for table in METADATA.sorted_tables:
        if table.name not in names and inspector.has_table(table.name):
            key = inspector.get_pk_constraint(table.name)["constrained_columns"]
            if set(key) != set(table.primary_key.columns.keys()):
                names.add(table.name)
    for name in sorted(names):
        yield _make(
            f"the table {name}", "has other columns, keys or indexes than this software makes"
        )


def _is_of_record(item: Any, name: str | None, kind: str, *_: object) -> bool:
    """Return whether a table, or what belongs to one, is of the record."""
    table = name if kind == "table" else getattr(getattr(item, "table", None), "name", None)
    return table in METADATA.tables


def _find_table(difference: Any) -> str:
    """Return the name of the table that one difference of Alembic's is about."""
    if isinstance(difference, list):
        return _find_table(difference[0])
    kind, item, *_ = difference
    if kind.startswith("modify_") or kind in {"add_column", "remove_column"}:
        return str(difference[2])
    return str(item.name if kind.endswith("_table") else item.table.name)


def _compare_triggers(
    expected: dict[tuple[str, str], str], found: dict[tuple[str, str], str]
) -> Iterator[Fault]:
    missing: dict[str, list[str]] = {}
    for (table, name), words in expected.items():
        if (table, name) not in found:
            missing.setdefault(table, []).append(_DOES[name.rsplit("_", 1)[-1]])
        elif found[table, name] != words:
            yield _make(
                f"the trigger {name}",
                f"of the table {table} is another than this software makes: it lets rows be "
                "changed",
            )
    for table, does in missing.items():
        yield Fault(
            FaultKind.UNPROTECTED,
            f"the table {table}",
            f"The trigger was taken away that refuses {' and '.join(does)} rows of the table "
            f"{table}.",
        )
    for table, name in sorted(found.keys() - expected.keys()):
        yield _make(f"the trigger {name}", f"of the table {table} is none that this software makes")


@cache
def _read_expected(dialect: str) -> _Protection:
    """Return what the migrations make."""
    made = _Protection()
    for words in migrations.list_statements(dialect):
        if trigger := _TRIGGER.match(words):
            made.triggers[trigger[2], trigger[1]] = _normalise(words)
        elif function := _FUNCTION.match(words):
            made.functions[function[1]] = _normalise(words)
    return made


def _read_sqlite(connection: sa.Connection) -> _Protection:
    query = "SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'trigger'"
    rows = connection.exec_driver_sql(query)
    return _Protection({(table, name): _normalise(words) for table, name, words in rows})


def _read_postgresql(connection: sa.Connection, expected: _Protection) -> _Protection:
    """Return what the database has, without triggers that are switched off for its own users."""
    triggers = connection.execute(
        sa.text(
            "SELECT c.relname, t.tgname, pg_get_triggerdef(t.oid, true) FROM pg_trigger t "
            "JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal "
            "AND t.tgenabled IN ('O', 'A') AND pg_table_is_visible(c.oid) "
            "AND c.relname = ANY(:some)"
        ),
        {"some": list(METADATA.tables)},
    )
    functions = connection.execute(
        sa.text(
            "SELECT proname, pg_get_functiondef(oid) FROM pg_proc "
            "WHERE proname = ANY(:some) AND pg_function_is_visible(oid)"
        ),
        {"some": list(expected.functions)},
    )
    return _Protection(
        {(table, name): _normalise(words) for table, name, words in triggers},
        {name: _normalise(words) for name, words in functions},
    )


def _normalise(words: str) -> str:
    """Return a statement in one line, without what PostgreSQL adds to it."""
    words = _FUNCTION.sub(r"CREATE FUNCTION \1(", words.replace("$function$", "$$"))
    return " ".join(words.split())


def _check_evasions(connection: sa.Connection) -> Iterator[Fault]:
    """Yield what else of PostgreSQL goes past triggers, or hides rows."""
    role = connection.exec_driver_sql("SHOW session_replication_role").scalar_one()
    if role != "origin":
        yield _make("the database", f"has session_replication_role {role}: no trigger works")
    hidden = connection.execute(
        sa.text(
            "SELECT c.relname FROM pg_class c WHERE pg_table_is_visible(c.oid) "
            "AND c.relname = ANY(:some) AND (c.relkind <> 'r' OR c.relrowsecurity OR EXISTS "
            "(SELECT 1 FROM pg_rewrite r WHERE r.ev_class = c.oid) OR EXISTS "
            "(SELECT 1 FROM pg_inherits i WHERE i.inhparent = c.oid))"
        ),
        {"some": list(METADATA.tables)},
    )
    for name in sorted(hidden.scalars()):
        yield _make(
            f"the table {name}",
            "has rules, row security or parts that this software does not make: they can hide or "
            "change rows",
        )
