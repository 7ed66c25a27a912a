"""Tasks have a name without the AI readings that the doctor is not to see yet.

They are derived from the entries, and are made again after each upgrade: with those of this
release, which wait for clear margins, for follow-up and for the answer of a referral.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the name."""
    op.add_column(
        "task", sa.Column("shown_task", sa.Text, nullable=False, server_default=sa.text("''"))
    )
