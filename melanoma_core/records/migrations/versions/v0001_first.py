"""The first version: entries, audit log, uses of photographs, tasks, and what protects them.

A trigger refuses each change of a row, and each removal outside of a transaction that erases a
patient. Nothing ever removes an entry of the audit log.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables and their triggers."""
    _make_common()
    entries = _list_entries()
    for name, columns in entries.items():
        op.create_table(
            name,
            sa.Column("id", sa.String(32), _key(), primary_key=True),
            sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("by", sa.Text, nullable=False),
            sa.Column("at", sa.DateTime, nullable=False),
            sa.Column("withdrawn", sa.Text, nullable=False),
            sa.Column("salt", sa.String(32), nullable=False),
            *columns,
        )
    _protect(["entity", "image_use", *entries])


def _key() -> sa.ForeignKey:
    return sa.ForeignKey("entity.id", deferrable=True)


def _refer(name: str, *, nullable: bool = False) -> "sa.Column[str]":
    return sa.Column(name, sa.String(32), _key(), nullable=nullable, index=True)


def _make_common() -> None:
    op.create_table(
        "entity",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
    )
    op.create_table(
        "log",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("entry_id", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("previous", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False, index=True),
    )
    op.create_index("ix_log_entry_id", "log", ["entry_id", "version"])
    op.create_table(
        "image_use",
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("entity_id", sa.String(32), _key(), primary_key=True, index=True),
    )
    op.create_table(
        "task",
        sa.Column("id", sa.Integer, primary_key=True),
        _refer("patient_id"),
        _refer("lesion_id", nullable=True),
        sa.Column("entry_id", sa.Text, nullable=False),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.Column("due_on", sa.Date, nullable=False),
        sa.Column("pseudonym", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("site", sa.Text, nullable=False),
        sa.Column("searched", sa.Text, nullable=False),
    )
    op.create_index("ix_task_rank", "task", ["rank", "due_on", "pseudonym", "label", "id"])
    op.create_table("erasing", sa.Column("patient_id", sa.String(32), primary_key=True))
    op.create_table("removal", sa.Column("sha256", sa.String(64), primary_key=True))


def _list_entries() -> dict[str, tuple["sa.Column[Any]", ...]]:
    """Return the fields of each kind of entry."""
    return {
        "patient": (
            sa.Column("pseudonym", sa.Text, nullable=False, index=True),
            sa.Column("birth_year", sa.Integer, nullable=True),
            sa.Column("sex", sa.Text, nullable=True),
            sa.Column("skin_type", sa.Text, nullable=True),
            sa.Column("melanoma_before", sa.Boolean, nullable=True),
            sa.Column("melanoma_in_family", sa.Boolean, nullable=True),
            sa.Column("immunosuppressed", sa.Boolean, nullable=True),
            sa.Column("num_nevi", sa.Text, nullable=True),
        ),
        "lesion": (
            _refer("patient_id"),
            sa.Column("label", sa.Text, nullable=False),
            sa.Column("site", sa.Text, nullable=False),
            sa.Column("laterality", sa.Text, nullable=True),
            sa.Column("map_point", sa.JSON(none_as_null=True), nullable=True),
            sa.Column("noticed", sa.Text, nullable=False),
            sa.Column("changes", sa.JSON(none_as_null=True), nullable=False),
            sa.Column("note", sa.Text, nullable=False),
        ),
        "visit": (
            _refer("patient_id"),
            sa.Column("on", sa.Date, nullable=False),
            sa.Column("reason", sa.Text, nullable=False),
        ),
        "photograph": (
            _refer("patient_id"),
            _refer("lesion_id", nullable=True),
            _refer("visit_id"),
            sa.Column("sha256", sa.Text, nullable=False),
            sa.Column("media_type", sa.Text, nullable=False),
            sa.Column("width", sa.Integer, nullable=False),
            sa.Column("height", sa.Integer, nullable=False),
            sa.Column("kind", sa.Text, nullable=False),
            sa.Column("dermoscopic_type", sa.Text, nullable=True),
            sa.Column("device", sa.Text, nullable=False),
            sa.Column("taken_on", sa.Date, nullable=True),
            sa.Column("millimetres_per_pixel", sa.Double, nullable=True),
            sa.Column("shows_specimen_site", sa.Boolean, nullable=False),
        ),
        "outline": (
            _refer("photograph_id"),
            _refer("lesion_id"),
            sa.Column("points", sa.JSON(none_as_null=True), nullable=False),
            sa.Column("source", sa.Text, nullable=False),
            sa.Column("model_id", sa.Text, nullable=False),
        ),
        "first_read": (
            _refer("lesion_id"),
            _refer("visit_id"),
            sa.Column("opinion", sa.Text, nullable=False),
            sa.Column("melanoma_probability", sa.Double, nullable=True),
            sa.Column("management", sa.Text, nullable=False),
            sa.Column("order", sa.Text, nullable=False),
            sa.Column("seconds", sa.Double, nullable=False),
            sa.Column("seven_points", sa.JSON(none_as_null=True), nullable=True),
            sa.Column("abcd", sa.JSON(none_as_null=True), nullable=True),
        ),
        "ai_reading": (
            _refer("lesion_id"),
            _refer("visit_id"),
            sa.Column("model_id", sa.Text, nullable=False),
            sa.Column("app_version", sa.Text, nullable=False),
            sa.Column("class_names", sa.JSON(none_as_null=True), nullable=False),
            sa.Column("probabilities", sa.JSON(none_as_null=True), nullable=False),
            sa.Column("melanoma_threshold", sa.Double, nullable=False),
            sa.Column("skin_cancer_threshold", sa.Double, nullable=True),
            sa.Column("prevalence", sa.JSON(none_as_null=True), nullable=True),
            sa.Column("adapted", sa.JSON(none_as_null=True), nullable=False),
            sa.Column("melanoma_alert", sa.Boolean, nullable=False),
            sa.Column("skin_cancer_alert", sa.Boolean, nullable=True),
            sa.Column("statement", sa.Text, nullable=False),
            sa.Column("photographs", sa.JSON(none_as_null=True), nullable=False),
        ),
        "decision": (
            _refer("lesion_id"),
            _refer("visit_id"),
            sa.Column("management", sa.Text, nullable=False),
            sa.Column("reason", sa.Text, nullable=False),
            _refer("ai_reading_id", nullable=True),
        ),
        "specimen": (
            _refer("lesion_id"),
            sa.Column("number", sa.Text, nullable=False),
            sa.Column("taken_on", sa.Date, nullable=False),
            sa.Column("method", sa.Text, nullable=False),
            _refer("decision_id", nullable=True),
            _refer("photograph_id", nullable=True),
        ),
        "histology": (
            _refer("lesion_id"),
            _refer("specimen_id"),
            sa.Column("reported_on", sa.Date, nullable=False),
            sa.Column("diagnosis", sa.Text, nullable=False),
            sa.Column("text", sa.Text, nullable=False),
            sa.Column("breslow_mm", sa.Double, nullable=True),
            sa.Column("ulcerated", sa.Boolean, nullable=True),
            sa.Column("mitoses_per_mm2", sa.Double, nullable=True),
            sa.Column("in_situ", sa.Boolean, nullable=True),
            sa.Column("margins", sa.Text, nullable=True),
            sa.Column("pt", sa.Text, nullable=False),
        ),
        "acknowledgement": (
            _refer("lesion_id"),
            _refer("histology_id"),
        ),
        "information": (
            _refer("lesion_id"),
            _refer("histology_id"),
            sa.Column("on", sa.Date, nullable=False),
            sa.Column("channel", sa.Text, nullable=False),
        ),
        "recall": (
            _refer("patient_id"),
            _refer("lesion_id", nullable=True),
            sa.Column("due_on", sa.Date, nullable=False),
            sa.Column("reason", sa.Text, nullable=False),
            sa.Column("status", sa.Text, nullable=False),
        ),
    }


_REFUSAL = "an entry of the record is never changed"


def _protect(tables: list[str]) -> None:
    if op.get_context().dialect.name == "postgresql":
        _protect_postgresql(tables)
        return
    for name in [*tables, "log"]:
        op.execute(
            f"CREATE TRIGGER {name}_no_update BEFORE UPDATE ON {name} "
            f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
        )
        condition = "" if name == "log" else "WHEN NOT EXISTS (SELECT 1 FROM erasing) "
        op.execute(
            f"CREATE TRIGGER {name}_no_delete BEFORE DELETE ON {name} {condition}"
            f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
        )


def _protect_postgresql(tables: list[str]) -> None:
    refuse = f"RAISE EXCEPTION '{_REFUSAL}' USING ERRCODE = 'restrict_violation';"
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN {refuse} END $$"
    )
    op.execute(
        "CREATE FUNCTION refuse_removal() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF NOT EXISTS (SELECT 1 FROM erasing) THEN {refuse} END IF; RETURN NULL; END $$"
    )
    for name in [*tables, "log"]:
        op.execute(
            f"CREATE TRIGGER {name}_no_update BEFORE UPDATE OR TRUNCATE ON {name} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
        function = "refuse_change" if name == "log" else "refuse_removal"
        op.execute(
            f"CREATE TRIGGER {name}_no_delete BEFORE DELETE ON {name} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
        )
