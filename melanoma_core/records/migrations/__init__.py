"""Bring the tables of a record from one release to the next.

Each release that changes a table adds a module to `versions`, by Alembic's rules. A module that was
released is never changed. `tests/core/records/test_migrations.py` prints what a new one must do.
"""

from functools import cache
from pathlib import Path

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from melanoma_core.records.schema import METADATA

_FOLDER = Path(__file__).parent


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
    return MigrationContext.configure(connection).get_current_revision()


def is_known(version: str) -> bool:
    """Return whether this software, or one before it, has had a version of the tables."""
    try:
        return _read_scripts().get_revision(version) is not None
    except CommandError:
        return False


def upgrade(connection: sa.Connection) -> tuple[str, ...]:
    """Bring the tables to the newest version, within the transaction of a connection.

    Returns:
        The versions that were gone through, the oldest first.
    """
    options = {"target_metadata": METADATA}  # whose rules give names to keys and indexes
    context = MigrationContext.configure(connection, opts=options)
    scripts = _read_scripts()
    current = context.get_current_revision() or "base"
    steps = list(scripts.iterate_revisions("head", current))[::-1]
    with Operations.context(context):
        for step in steps:
            step.module.upgrade()
    context.stamp(scripts, "head")
    return tuple(step.revision for step in steps)
