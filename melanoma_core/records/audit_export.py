"""An audit as files that leave the record: JSON, and tables that no spreadsheet executes.

Ids are the random ones of the record. No pseudonym and no text that a person has typed is in them,
but for the names of readers and devices.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date
from types import MappingProxyType
from typing import Any

from melanoma_core.jsonable import dump_json, to_jsonable
from melanoma_core.models.origins import describe_origins, read_origin
from melanoma_core.models.registry import list_models
from melanoma_core.records.audit import Audit, Drift
from melanoma_core.records.audit_cases import AuditCase
from melanoma_core.settings import Settings
from melanoma_core.software import DISCLAIMER, VERSION
from melanoma_core.spreadsheets import format_rows

Origins = Mapping[str, Any]
"""Where the operating points of each model come from (`origins.describe_origins`), by model id.

None for a model whose card is not here.
"""
_NONE: Origins = MappingProxyType({})


def find_model_origins(cases: Iterable[AuditCase], settings: Settings) -> Origins:
    """Return where the operating points come from, of each model that read a lesion.

    Args:
        cases: Of the audit.
        settings: Where the models are.
    """
    read = sorted({case.model_id for case in cases if case.model_id})
    cards = {card.model_id: card for _, card in list_models(settings)} if read else {}
    return {each: describe_origins(cards[each]) if each in cards else None for each in read}


def describe_audit(audit: Audit, drift: Drift | None, origins: Origins = _NONE) -> Any:
    """Return an audit as JSON values, as `records audit --json` prints it.

    Args:
        audit: The audit.
        drift: How photographs and scores change; None where no model is here.
        origins: Of the models that read.
    """
    made = {"app_version": VERSION, "disclaimer": DISCLAIMER, "operating_points": origins}
    return _write_days(to_jsonable({"audit": audit, "drift": drift} | made))


def encode_audit(audit: Audit, drift: Drift | None, origins: Origins = _NONE) -> bytes:
    """Return an audit as a JSON file."""
    return dump_json(describe_audit(audit, drift, origins), indent=2, ensure_ascii=True).encode()


def encode_cases(cases: Iterable[AuditCase], origins: Origins = _NONE) -> bytes:
    """Return the lesions of an audit as CSV, one a row.

    The last columns say where the thresholds of the alerts come from, which version of this
    software has written the file, and what it is not for.

    Args:
        cases: The lesions.
        origins: Of the models that read.

    Example:
        >>> encode_cases([AuditCase(patient_id="p", lesion_id="l")]).decode("utf-8-sig")[:20]
        'patient_id,lesion_id'
    """
    return format_rows(
        [_flatten(case) | _describe_origin(origins.get(case.model_id)) for case in cases]
    )


def _flatten(case: AuditCase) -> dict[str, str | float]:
    return {
        name: "" if value is None else value if isinstance(value, int | float) else str(value)
        for name, value in asdict(case).items()
    }


def _describe_origin(points: Mapping[str, Any] | None) -> dict[str, str | float]:
    """Return the columns that say with what a row was made."""
    found = points or {}
    words: dict[str, str | float] = {
        f"{name}_threshold_origin": read_origin(found[name]).describe() if found.get(name) else ""
        for name in ("melanoma", "skin_cancer")
    }
    return words | {"written_by_version": VERSION, "disclaimer": DISCLAIMER}


def _write_days(value: object) -> object:
    """Return a value of `to_jsonable` with its days as text."""
    if isinstance(value, dict):
        return {key: _write_days(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_write_days(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value
