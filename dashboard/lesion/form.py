"""A form of the Lesion page: its fields with their errors, its draft, and its button to save."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.lesion.opened import OpenedLesion
from dashboard.shared.address import leave_address
from dashboard.shared.fields import NOT_STATED, Fields
from dashboard.shared.record import (
    find_base,
    forget_draft,
    get_outcome,
    keep_draft,
    name_save,
    read_draft,
    save,
    show_field_error,
    show_outcome,
)

if TYPE_CHECKING:
    from melanoma_core.records.entry import Entry
    from melanoma_core.records.writing import Change

STEP, EDIT = "step", "edit"
"""Parameters of the address: the step that is open, and the id of the entry that is corrected."""

STEP_KEY = "lesion-step"
"""Key of the widget that chooses the step."""

STATUS, WITHDRAWAL = "recall-status", "withdrawal"
"""Names of what is saved without fields that stay in view."""

SAVE_KEY = "Ctrl+Enter"
"""The keys of the next thing to do."""


@dataclass(frozen=True)
class Choice:
    """One of several answers.

    Attributes:
        label: What the button says.
        key: The key that chooses it.
    """

    label: str
    key: str


@dataclass(frozen=True)
class Form(Fields):
    """A form of the open lesion; the attributes that are not listed are those of `Fields`.

    Attributes:
        opened: The lesion.
    """

    opened: OpenedLesion = field(kw_only=True)

    @property
    def another(self) -> str:
        """Key of the session: whether a person takes a step once more that is done."""
        return f"{self.name}-another"

    def ask_number(self, label: str, name: str, **more: Any) -> None:
        """Ask for a number, with its unit in the label; a decimal comma will do."""
        from melanoma_core.records.typed import write_number

        start = write_number(self.start(name, None))
        st.text_input(label, key=self.name_key(name, start), placeholder=NOT_STATED, **more)
        show_field_error(self.name, name)

    def choose(self, label: str, name: str, choices: Mapping[Any, Choice]) -> Any:
        """Ask for one of several answers by a key or a click; return it, None before.

        Args:
            label: The question.
            name: Name of the field.
            choices: The answers, each with its button.
        """
        key = self.name_key(name, self.start(name, None))
        chosen = st.session_state[key]
        st.html(f'<p class="question" id="q-{name}">{label}</p>')
        with st.container(horizontal=True, gap="xxsmall", key=f"choices-{name}"):
            for number, (answer, choice) in enumerate(choices.items()):
                is_chosen = chosen is not None and answer == chosen
                st.button(
                    f"✓ {choice.label}" if is_chosen else choice.label,
                    key=f"{key}-{number}",
                    type="primary" if is_chosen else "secondary",
                    shortcut=choice.key,
                    on_click=_choose,
                    args=(key, answer),
                )
        show_field_error(self.name, name)
        return chosen

    def offer_save(
        self,
        build: Callable[[Mapping[str, Any]], Any],
        label: str = "Save",
        also: "Callable[[Change, Entry[Any]], None] | None" = None,
    ) -> None:
        """Keep what is typed, and offer to save it as a new entry or as the next version of one.

        Args:
            build: Makes the entry of what the fields hold.
            label: Of the button.
            also: Writes more with the entry, in the same transaction.
        """

        def write(change: "Change", draft: Mapping[str, Any]) -> "Entry[Any]":
            base, value = find_base(self.name, self.base), build(draft)
            entry = change.add(value) if base is None else change.correct(base, value)
            if also is not None:
                also(change, entry)
            return entry

        self.offer_writing(write, label)

    def offer_writing(
        self, write: "Callable[[Change, Mapping[str, Any]], Entry[Any]]", label: str
    ) -> None:
        """Keep what is typed, and offer to write it; the form closes if that worked.

        Args:
            write: Writes what the fields hold, and returns the entry of the receipt.
            label: Of the button.
        """
        keep_draft(self.name, self.base, is_lasting=True)
        if not get_outcome(self.name).receipt:  # `visit` shows receipts, where they stay in view
            show_outcome(self.name)
        with st.container(horizontal=True):
            st.button(
                name_save(self.name, label),
                key=f"{self.name}-save",
                type="primary",
                shortcut=SAVE_KEY,
                on_click=self._write,
                args=(write,),
            )
            if self.base is not None:
                st.button("Cancel", key=f"{self.name}-cancel", on_click=self._cancel)

    def _write(self, write: "Callable[[Change, Mapping[str, Any]], Entry[Any]]") -> None:
        draft = read_draft(self.name)
        if not draft:  # a second press, before the browser had the answer to the first
            return
        if save(self.name, lambda change: write(change, draft)):
            st.session_state[self.another] = False
            close_form()
        elif (
            self.base is None
        ):  # what others wrote meanwhile must not hide the form with its question
            st.session_state[self.another] = True
            st.query_params[STEP] = str(st.session_state[STEP_KEY])

    def _cancel(self) -> None:
        forget_draft(self.name)
        close_form()


def open_edit(entry_id: str) -> None:
    """Open the form that corrects an entry; it is in the address."""
    st.query_params[EDIT] = entry_id


def close_form() -> None:
    """Close the step and the entry that the address opens; the next step opens by itself."""
    leave_address(STEP)
    leave_address(EDIT)


def _choose(key: str, answer: Any) -> None:
    """Choose an answer; the one that was chosen already is taken back."""
    st.session_state[key] = None if st.session_state.get(key) == answer else answer
