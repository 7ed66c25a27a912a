"""The fields of a form of the record, each with its error beside it, and what they hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.shared.record import (
    find_base,
    name_field,
    read_draft,
    show_field_error,
)

if TYPE_CHECKING:
    from melanoma_core.records.entry import Entry

NOT_STATED = "not stated"
_FIRST, _LAST = date(1000, 1, 1), date(2999, 12, 31)  # the record says what it refuses of them
_ANSWERS = {None: NOT_STATED, True: "yes", False: "no"}


@dataclass(frozen=True)
class Fields:
    """The fields of a form.

    Attributes:
        name: Of the form, unique in the dashboard.
        base: The entry that it corrects; None for a new one.
    """

    name: str
    base: "Entry[Any] | None" = None

    def start(self, field: str, default: Any) -> Any:
        """Return what a field begins with: what the corrected entry says, or a default."""
        return default if self.base is None else getattr(self.base.value, field)

    def find_base(self) -> "Entry[Any]":
        """Return the version that is corrected: the one that the person saw."""
        base = find_base(self.name, self.base)
        assert base is not None  # asked of a correction alone
        return base

    def name_key(self, field: str, default: Any) -> str:
        """Return the key of a widget, which then shows the draft or the default."""
        return name_field(self.name, field, default)

    def read(self, field: str) -> Any:
        """Return what a field holds now; None if there is no such field."""
        return read_draft(self.name).get(field)

    def ask_text(self, label: str, field: str, start: str | None = None, **more: Any) -> None:
        """Ask for a line of text; `start` is what it begins with, if that is not the field's."""
        begin = self.start(field, "") if start is None else start
        st.text_input(label, key=self.name_key(field, begin), **more)
        show_field_error(self.name, field)

    def ask_day(self, label: str, field: str, default: date | None) -> None:
        """Ask for a day."""
        key = self.name_key(field, self.start(field, default))
        st.date_input(
            label, key=key, min_value=_FIRST, max_value=_LAST, format="YYYY-MM-DD", width=200
        )
        show_field_error(self.name, field)

    def ask_option(
        self, label: str, field: str, options: Sequence[Any], default: Any = None, **more: Any
    ) -> None:
        """Ask for one of several answers in a list; a new entry begins with `default`."""
        key = self.name_key(field, self.start(field, default))
        shown: dict[str, Any] = {"format_func": name_option, "placeholder": NOT_STATED} | more
        st.selectbox(label, options, key=key, **shown)
        show_field_error(self.name, field)

    def ask_yes(self, label: str, field: str) -> None:
        """Ask for yes or no, or for neither."""
        st.segmented_control(
            label,
            list(_ANSWERS),
            format_func=_ANSWERS.__getitem__,
            key=self.name_key(field, self.start(field, None)),
        )
        show_field_error(self.name, field)


def name_option(option: Any) -> str:
    """Return an answer in words."""
    return NOT_STATED if option in (None, "") else str(option)
