"""Bring the tables of a record from one release to the next.

Each release that changes a table adds a module to `versions`, by Alembic's rules. A module that was
released is never changed. `tests/core/records/test_migrations.py` prints what a new one must do.
"""

from functools import cache
from io import StringIO
from pathlib import Path

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError

from melanoma_core.records.schema import METADATA

_FOLDER = Path(__file__).parent
_END = ";\n\n"  # of each statement that Alembic writes


@cache
def _read_scripts() -> ScriptDirectory:
    return ScriptDirectory(str(_FOLDER))


def find_newest() -> str:
    """Return the version of the tables that this software reads and writes."""
    newest = _read_scripts().get_current_head()
    assert newest is not None
    return newest


def find_current(connection: sa.Connection) -> str | None:
    """Return the version of the tables of a database; None if it holds no record."""
    return ",".join(MigrationContext.configure(connection).get_current_heads()) or None


def is_known(version: str) -> bool:
    """Return whether this software, or one before it, has had a version of the tables."""
    try:
        return _read_scripts().get_revision(version) is not None
    except CommandError:
        return False


def list_statements(dialect: str) -> tuple[str, ...]:
    """Return the statements that make the newest tables, and what protects them.

    Args:
        dialect: "sqlite" or "postgresql".
    """
    written = StringIO()
    options = {"as_sql": True, "output_buffer": written, "target_metadata": METADATA}
    context = MigrationContext.configure(dialect_name=dialect, opts=options)
    with Operations.context(context):
        for step in _list_steps("base"):
            step.module.upgrade()
    return tuple(each.strip() for each in written.getvalue().split(_END) if each.strip())


def upgrade(connection: sa.Connection) -> tuple[str, ...]:
    """Bring the tables to the newest version, within the transaction of a connection.

    Returns:
        The versions that were gone through, the oldest first.
    """
    options = {"target_metadata": METADATA}  # whose rules give names to keys and indexes
    context = MigrationContext.configure(connection, opts=options)
    steps = _list_steps(context.get_current_revision() or "base")
    with Operations.context(context):
        for step in steps:
            step.module.upgrade()
    context.stamp(_read_scripts(), "head")
    return tuple(step.revision for step in steps)


def _list_steps(current: str) -> list[Script]:
    return list(_read_scripts().iterate_revisions("head", current))[::-1]
