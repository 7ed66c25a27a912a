"""Drafts in the folder of the record, so that a restart of the server loses none."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from dashboard.shared.kept import get_kept
from dashboard.shared.login import find_own_key
from dashboard.shared.opening import name_record, open_record
from melanoma_core.errors import RecordError
from melanoma_core.records.entry import Entry

_READ = "read-drafts"


def write_lasting(form: str, fields: Mapping[str, Any], base: Entry[Any] | None) -> None:
    """Keep a draft in the folder of the open record; not without a cookie.

    Args:
        form: Name of the form.
        fields: What its fields hold.
        base: The version that it corrects; None for a new entry.
    """
    from melanoma_core.records.draft_files import SavedDraft, write_draft

    folder = _find_folder()
    if folder is not None:
        of = (type(base.value).__name__, base.id, base.version) if base else ()
        write_draft(folder, find_own_key(), SavedDraft(form, fields, *of))


def remove_lasting(form: str) -> None:
    """Remove a draft that was saved or left."""
    from melanoma_core.records.draft_files import remove_draft

    folder = _find_folder()
    if folder is not None:
        remove_draft(folder, find_own_key(), form)


def read_lasting() -> Iterator[tuple[str, dict[str, Any], Entry[Any] | None]]:
    """Yield the drafts of this browser session, once after each start of the server."""
    read: set[str] = get_kept().setdefault(_READ, set())
    name = name_record() if find_own_key() else None
    if name is None or name in read:
        return
    read.add(name)
    from melanoma_core.records.draft_files import read_drafts

    folder = _find_folder()
    for draft in read_drafts(folder, find_own_key()) if folder is not None else ():
        with suppress(RecordError, StopIteration):
            base = _find_base(draft.base_kind, draft.base_id, draft.base_version)
            yield draft.form, dict(draft.fields), base


def _find_base(kind: str, entry_id: str, version: int) -> Entry[Any] | None:
    """Return the version that a draft corrects; None for a new entry.

    Raises:
        RecordError: The entry is gone.
    """
    from melanoma_core.records.schema import KINDS

    record = open_record()
    if not kind or record is None:
        return None
    versions = record.versions(KINDS[kind], entry_id)
    return next(each for each in versions if each.version == version)


def _find_folder() -> Path | None:
    record = open_record() if find_own_key() else None
    return None if record is None or record.is_read_only else record.place.drafts_folder
