"""Ids, references, dates and texts of resources.

FHIR refuses ids that a record may hold, such as "ISIC_0000001" with its underscore. So every
resource has a UUID made of the entry's id, and refers to others by it.
"""

from datetime import UTC, date, datetime
from html import escape
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid5

from melanoma_core.records.texts import tidy

Resource = dict[str, Any]
"""A resource as JSON has it."""

ENTRIES = "urn:uuid:3f4b8f0e-9a43-4b7e-8f2c-58d0f8f7f5a6"
"""The system of the identifiers of what a record holds: UUIDs, as `make_uuid` makes them.

They are not written as URIs: a server that puts its own ids into a transaction would replace them
too, since they would look like references.
"""

_SPACE = UUID("5f0e4c6e-30a7-4c3e-8a0b-6f8f3f1b7b52")  # of what is named by a text


def make_uuid(entry_id: str, part: str = "") -> str:
    """Return the UUID of an entry or of a part of it; always the same one.

    Args:
        entry_id: Id of the entry; any text.
        part: Which of several resources of the entry; "" for the entry itself.

    >>> make_uuid("0123456789abcdef0123456789abcdef")
    '01234567-89ab-cdef-0123-456789abcdef'
    >>> make_uuid("ISIC_0000001") == make_uuid("ISIC_0000001")
    True
    """
    try:
        whole = UUID(hex=entry_id) if len(entry_id) == 32 else uuid5(_SPACE, entry_id)
    except ValueError:
        whole = uuid5(_SPACE, entry_id)
    return str(uuid5(whole, part) if part else whole)


def make_resource(kind: str, uuid: str, **elements: Any) -> Resource:
    """Return a resource with its id; elements that are None, "" or empty are left out.

    Args:
        kind: Its type.
        uuid: Of `make_uuid`.
        elements: Its elements, by name.
    """
    return {"resourceType": kind, "id": uuid} | drop_empty(elements)


def drop_empty(elements: dict[str, Any]) -> dict[str, Any]:
    """Return elements without those that say nothing, which FHIR forbids; False and 0 stay.

    >>> drop_empty({"a": 0, "b": None, "c": [], "d": "", "e": False})
    {'a': 0, 'e': False}
    """
    return {
        name: each
        for name, each in elements.items()
        if not (each is None or (isinstance(each, (str, list, dict)) and not each))
    }


def identify(uuid: str) -> list[Resource]:
    """Return the identifier by which a resource is found again on a server."""
    return [{"system": ENTRIES, "value": uuid}]


def refer(kind: str, uuid: str) -> dict[str, str]:
    """Return a reference to a resource of the same bundle."""
    return {"reference": f"urn:uuid:{uuid}", "type": kind}


def name_person(by: str) -> dict[str, str]:
    """Return a reference to a person of whom only the name in the record is known."""
    return {"display": tidy(by) or "unknown"}


def make_token(system: str, value: str) -> str:
    r"""Return a value of an identifier as a search has it, whatever characters it holds.

    >>> make_token("urn:x", "a|b&c")
    'urn:x|a%5C%7Cb%26c'
    """
    escaped = "".join(f"\\{each}" if each in "\\|,$" else each for each in value)
    return f"{quote(system, safe=':/.')}|{quote(escaped, safe=':')}"


def make_day(day: date | None) -> str | None:
    """Return a day."""
    return None if day is None else day.isoformat()


def make_instant(at: datetime) -> str:
    """Return a moment in UTC, to the second.

    >>> make_instant(datetime(2026, 11, 27, 23, 5, 1, 7, tzinfo=UTC))
    '2026-11-27T23:05:01Z'
    """
    return f"{at.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat()}Z"


def make_note(text: str) -> list[dict[str, str]]:
    """Return a text as annotations; none if it is empty."""
    words = tidy(text, has_paragraphs=True)
    return [{"text": words}] if words else []


def narrate(*sentences: str) -> dict[str, str]:
    """Return what a resource says, for people."""
    paragraphs = "".join(
        f"<p>{escape(tidy(each), quote=False)}</p>" for each in sentences if tidy(each)
    )
    return {
        "status": "generated",
        "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{paragraphs}</div>',
    }
