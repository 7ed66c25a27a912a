"""What a person has typed into a form: it survives a rerun, another page, an error and a reload.

A page gives each widget of a form the key of a field, calls `keep_draft` after the last one, and
saves under the name of the form (`saving.save`), which forgets the draft. A draft of an entry of
the record survives a restart of the server too (`lasting_drafts`).
"""

from typing import Any, TypeVar

import streamlit as st

from dashboard.shared.kept import get_kept
from dashboard.shared.lasting_drafts import read_lasting, remove_lasting, write_lasting
from melanoma_core.records.entry import Entry

_Entry = TypeVar("_Entry", bound="Entry[Any] | None")
_BASE = ""  # no field has this name


def name_field(form: str, field: str, default: Any = None) -> str:
    """Return the key of a widget, which then shows the draft, or else what the record holds.

    Args:
        form: Name of the form, unique in the dashboard, such as "lesion-" with an id.
        field: Name of the field.
        default: What the widget shows without a draft; it then needs no value of its own.
    """
    key = f"{form}-{st.session_state.get(_name_turn(form), 0)}-{field}"
    is_new = key not in st.session_state
    if is_new:
        _restore()
    draft, defaults = _get_draft(form), _get_defaults(form)
    if is_new or (not draft and defaults.get(field, default) != default):
        st.session_state[key] = draft.get(field, default)
    defaults[field] = default
    return key


def read_draft(form: str) -> dict[str, Any]:
    """Return what the widgets of a form hold now, by field."""
    return {
        field: st.session_state.get(name_field(form, field, default), default)
        for field, default in list(_get_defaults(form).items())
    }


def keep_draft(form: str, base: Entry[Any] | None = None, *, is_lasting: bool = False) -> None:
    """Keep what the widgets of a form hold, if a person has changed anything.

    Args:
        form: Name of the form.
        base: The version that is corrected; None for a new entry.
        is_lasting: Whether it is kept in the folder of the record too, until it is saved.
    """
    values = read_draft(form)
    drafts, seen = _get_drafts(), find_base(form, base)
    before = drafts.pop(form, None)
    if values != _get_defaults(form):
        drafts[form] = values | {_BASE: seen}
    if is_lasting and drafts.get(form) != before:
        if form in drafts:
            write_lasting(form, values, drafts[form][_BASE])
        else:
            remove_lasting(form)


def find_base(form: str, current: _Entry) -> _Entry:
    """Return the version that a draft corrects: the one that the person saw.

    Args:
        form: Name of the form.
        current: The version in the record, which is returned without a draft.
    """
    base: _Entry = _get_draft(form).get(_BASE, current)
    return base


def rebase_draft(form: str, current: Entry[Any]) -> None:
    """Let a draft correct another version of its entry: one that came first and was seen since."""
    draft = _get_draft(form)
    base = draft.get(_BASE)
    if base is not None and base.id == current.id:
        draft[_BASE] = current


def has_draft(form: str) -> bool:
    """Return whether a person has typed into a form what is not saved."""
    return bool(_get_draft(form))


def forget_draft(form: str) -> None:
    """Forget what was typed into a form; its widgets then show what is in the record."""
    if _get_drafts().pop(form, None) is not None:
        remove_lasting(form)
    st.session_state.pop(_name_defaults(form), None)
    st.session_state[_name_turn(form)] = st.session_state.get(_name_turn(form), 0) + 1


def _get_draft(form: str) -> dict[str, Any]:
    draft: dict[str, Any] = _get_drafts().get(form, {})
    return draft


def _get_drafts() -> dict[str, dict[str, Any]]:
    drafts: dict[str, dict[str, Any]] = get_kept().setdefault("drafts", {})
    return drafts


def _restore() -> None:
    """Take the drafts from before a restart of the server."""
    for form, fields, base in read_lasting():
        _get_drafts().setdefault(form, fields | {_BASE: base})


def _get_defaults(form: str) -> dict[str, Any]:
    defaults: dict[str, Any] = st.session_state.setdefault(_name_defaults(form), {})
    return defaults


def _name_turn(form: str) -> str:
    return f"draft-turn-{form}"


def _name_defaults(form: str) -> str:
    return f"draft-defaults-{form}"
