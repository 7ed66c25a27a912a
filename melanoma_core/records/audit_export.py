"""An audit as files that leave the record: JSON, and tables that no spreadsheet executes.

Ids are the random ones of the record. No pseudonym and no text that a person has typed is in them,
but for the names of readers and devices.
"""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from typing import Any

from melanoma_core.jsonable import dump_json, to_jsonable
from melanoma_core.records.audit import Audit, Drift
from melanoma_core.records.audit_cases import AuditCase
from melanoma_core.spreadsheets import format_rows


def describe_audit(audit: Audit, drift: Drift | None) -> Any:
    """Return an audit as JSON values, as `records audit --json` prints it."""
    return _write_days(to_jsonable({"audit": audit, "drift": drift}))


def encode_audit(audit: Audit, drift: Drift | None) -> bytes:
    """Return an audit as a JSON file."""
    return dump_json(describe_audit(audit, drift), indent=2, ensure_ascii=True).encode()


def encode_cases(cases: Iterable[AuditCase]) -> bytes:
    """Return the lesions of an audit as CSV, one a row.

    Example:
        >>> encode_cases([AuditCase(patient_id="p", lesion_id="l")]).decode("utf-8-sig")[:20]
        'patient_id,lesion_id'
    """
    rows = [
        {
            name: "" if value is None else value if isinstance(value, int | float) else str(value)
            for name, value in asdict(case).items()
        }
        for case in cases
    ]
    return format_rows(rows)


def _write_days(value: object) -> object:
    """Return a value of `to_jsonable` with its days as text."""
    if isinstance(value, dict):
        return {key: _write_days(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_write_days(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value
