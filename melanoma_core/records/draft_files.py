"""What a person has typed and not saved, in a file beside the record until it is saved.

A server that ends takes its memory along. So a draft is a file of the record's own folder, which
others on the machine cannot read. It holds no photograph. It goes when it is saved or left, after
twelve hours, and when a patient of it is erased. It is no entry: nothing but the form reads it.
"""

import hashlib
import json
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

from melanoma_core.errors import MelanomaError
from melanoma_core.files import write_file
from melanoma_core.records import vocabulary
from melanoma_core.records.vocabulary import BodyView, MapPoint

HOURS_KEPT = 12
"""Hours after which a draft is gone."""

_ENUMS = {
    name: kind
    for name, kind in vars(vocabulary).items()
    if isinstance(kind, type) and issubclass(kind, StrEnum)
}


@dataclass(frozen=True)
class SavedDraft:
    """A draft as it is kept.

    Attributes:
        form: Name of the form.
        fields: What its fields hold.
        base_kind: Kind of the entry that it corrects; "" for a new one.
        base_id: Id of that entry.
        base_version: The version of it that the person saw.
    """

    form: str
    fields: Mapping[str, Any]
    base_kind: str = ""
    base_id: str = ""
    base_version: int = 0


def write_draft(folder: Path, key: str, draft: SavedDraft) -> None:
    """Keep a draft; not where the folder cannot be written.

    Args:
        folder: Of all drafts of a record.
        key: Of the browser session; it cannot be read from the names of files.
        draft: The draft. What is no plain value of a form is left out.
    """
    fields = {name: _encode(value) for name, value in draft.fields.items() if _is_plain(value)}
    content = json.dumps(vars(draft) | {"fields": fields})
    with suppress(MelanomaError, OSError):
        file = _name_file(folder, key, draft.form)
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_file(file, content.encode(), "or free some space")


def read_drafts(folder: Path, key: str, now: float | None = None) -> Iterator[SavedDraft]:
    """Yield the drafts of a browser session; remove those of all that are too old.

    Args:
        folder: Of all drafts of a record.
        key: Of the browser session.
        now: Seconds since 1970; None for the clock.
    """
    oldest = (time.time() if now is None else now) - HOURS_KEPT * 3600
    for file in sorted(folder.glob("*/*.json")):
        with suppress(OSError):
            if file.stat().st_mtime < oldest:
                file.unlink()
    for file in sorted((folder / _hash(key)).glob("*.json")):
        with suppress(OSError, ValueError, TypeError, KeyError):
            content = json.loads(file.read_bytes())
            fields = {name: _decode(value) for name, value in content.pop("fields").items()}
            yield SavedDraft(fields=fields, **content)


def remove_draft(folder: Path, key: str, form: str) -> None:
    """Remove a draft, if it is there."""
    with suppress(OSError):
        _name_file(folder, key, form).unlink(missing_ok=True)


def remove_drafts_about(folder: Path, words: Collection[str]) -> None:
    """Remove each draft, of whatever person, that holds an id or a pseudonym.

    Args:
        folder: Of all drafts of a record.
        words: The ids and pseudonyms.
    """
    for file in folder.glob("*/*.json"):
        with suppress(OSError):
            content = file.read_text("utf-8")
            if any(json.dumps(word)[1:-1] in content for word in words):
                file.unlink(missing_ok=True)


def _name_file(folder: Path, key: str, form: str) -> Path:
    return folder / _hash(key) / f"{_hash(form)}.json"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple | list):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, str | int | float | date | MapPoint)


def _encode(value: Any) -> Any:
    """Return a value as JSON that gives its type away."""
    if isinstance(value, StrEnum):
        return {"enum": [type(value).__name__, value.value]}
    if isinstance(value, date):
        return {"date": value.isoformat()}
    if isinstance(value, MapPoint):
        return {"point": [value.view.value, value.x, value.y]}
    if isinstance(value, tuple | list):
        return {type(value).__name__: list(map(_encode, value))}
    return value


def _decode(content: Any) -> Any:
    if not isinstance(content, dict):
        return content
    ((kind, inner),) = content.items()
    match kind:
        case "enum":
            return _ENUMS[inner[0]](inner[1])
        case "date":
            return date.fromisoformat(inner)
        case "point":
            return MapPoint(BodyView(inner[0]), *inner[1:])
        case "tuple":
            return tuple(map(_decode, inner))
        case _:
            return list(map(_decode, inner))
