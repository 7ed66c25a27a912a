"""Tasks have a rank without the AI readings that the doctor is not to see yet.

The tasks are derived from the entries, and are made again after each upgrade.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the rank and its index."""
    rank = sa.Column("shown_rank", sa.Integer, nullable=False, server_default="0")
    op.add_column("task", rank)
    columns = ["shown_rank", "due_on", "pseudonym", "label", "id"]
    op.create_index("ix_task_shown_rank", "task", columns)
