"""Tasks are filtered and counted in an index of their own, which holds all that is asked.

A pseudonym has at most 64 characters and a label 40, so that a row of the index fits into the 2,704
bytes that PostgreSQL allows.
"""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add an index for each way in which tasks are named."""
    for name in ("task", "shown_task"):
        op.create_index(f"ix_task_{name}", "task", [name, "due_on", "searched"])
